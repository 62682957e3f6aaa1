"""A basket in whose hands: lost with an answer, left at a till that died, and the leave it brings when it is paid."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from config.clock import SystemClock
from pos.sold import Sale
from pos.store.approvals import Approval
from pos.till.parked import Basket
from tests.browser.conftest import CODES, Node, by_hand, enter, wedge
from tests.browser.counter import CASHIER, KEY, enter_as, furnish
from tests.browser.held import Held
from tests.tampering import unlocked

pytestmark = pytest.mark.browser


@pytest.fixture
def store(make_node: Callable[..., Node]) -> Node:
    """Give a counter with two tills and people of every rank."""
    return make_node(furnish=furnish)


def allow(page: Page) -> None:
    """Give Sue's leave by her PIN."""
    page.get_by_role("button", name="Sue").click()
    for _ in range(4):
        page.locator("#pin-pad [data-key='3']").click()
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_be_hidden()


def test_what_is_scanned_while_a_basket_is_set_aside_or_given_up_is_in_the_next_one(page: Page, store: Node):
    held = Held(page, re.compile("/api/baskets/.+/(park|void)"))
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    parking = held.take()
    wedge(page, CODES["TEA"])
    page.keyboard.press("Escape")  # the basket is on its way: there is no way back
    expect(page.locator("#sheet")).to_be_visible()
    parking.continue_()
    expect(page.locator("#lines")).to_contain_text("Green tea")
    (parked,) = store.rows(Basket, state="parked")
    assert [line["sku"] for line in parked.content["lines"]] == ["MILK"]
    page.locator("#void-button").click()
    page.get_by_role("button", name="Changed their mind").click()
    page.keyboard.press("Enter")
    giving_up = held.take()
    wedge(page, CODES["BREAD"])
    giving_up.continue_()
    expect(page.locator("#lines")).to_contain_text("White bread")
    expect(page.locator("#lines")).not_to_contain_text("Green tea")


def test_a_basket_in_hand_is_taken_up_again_at_its_till_and_from_one_that_died_by_leave(
    page: Page, browser: Browser, store: Node
):
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    expect(page.locator("#nothing")).to_be_visible()
    page.route("**/resume", lambda route: (route.fetch(), route.abort()))
    page.keyboard.press("F4")
    page.get_by_role("button", name=re.compile("red coat")).click()
    expect(page.locator("#sheet-says")).to_contain_text("is not responding")  # it was taken up all the same
    page.unroute("**/resume")
    page.keyboard.press("Escape")
    page.keyboard.press("F4")
    page.get_by_role("button", name=re.compile("red coat")).click()
    expect(page.locator("#total")).to_have_text("$3.49")
    other = browser.new_context().new_page()
    enter_as(other, store, CASHIER, "/till/?till=T2")
    expect(other.locator("#parked-button")).to_be_hidden()
    other.keyboard.press("F4")
    expect(other.locator("#sheet-body")).to_contain_text("In use at another till")
    other.get_by_role("button", name=re.compile("red coat")).click()
    expect(other.locator(".sheet-lead")).to_contain_text("red coat")
    allow(other)
    expect(other.locator("#total")).to_have_text("$3.49")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-says")).to_contain_text("Cem has already resumed this basket")
    page.keyboard.press("Escape")
    page.locator("#void-button").click()
    page.get_by_role("button", name="Training").click()
    page.locator("#sheet-foot").get_by_role("button", name="Void the sale").click()
    expect(page.locator("#nothing")).to_be_visible()
    other.keyboard.press("F8")
    other.keyboard.press("F8")
    expect(other.locator("#pay-done")).to_be_visible()
    (sale,) = store.rows(Sale)
    assert (sale.till_id, [row.state for row in store.rows(Basket)]) == ("T2", ["open"])
    other.context.close()


def test_of_all_the_leave_ever_given_a_sale_brings_what_it_needs_now(page: Page, store: Node):
    enter_as(page, store, CASHIER)
    old = [
        {"id": f"long-gone-{n:04}", "permission": "discount", "by": "Sue", "covers": [{"sku": "TEA"}]}
        for n in range(600)
    ]
    page.evaluate(
        "([key, old]) => { localStorage[key] = JSON.stringify({...JSON.parse(localStorage[key]), approvals: old}) }",
        [KEY, old],
    )
    page.reload()
    page.wait_for_selector("html[data-ready]")
    wedge(page, CODES["MILK"])
    page.keyboard.press("F7")
    page.get_by_role("button", name="20%").click()
    page.get_by_role("button", name="Damaged packaging").click()
    page.keyboard.press("Enter")
    allow(page)
    expect(page.locator("#total")).to_have_text("$2.79")
    # a quarter of an hour later it holds no more, and is asked for again
    with store.database.write() as session, unlocked(session):
        session.execute(sa.update(Approval).values(granted_at=SystemClock().now() - dt.timedelta(hours=1)))
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    allow(page)
    expect(page.locator("#pay-done")).to_be_visible()
    assert [sale.total_minor for sale in store.rows(Sale)] == [279]


def test_what_is_scanned_while_a_basket_is_taken_up_is_in_it(page: Page, store: Node):
    held = Held(page, "**/api/baskets/*/resume")
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    expect(page.locator("#nothing")).to_be_visible()
    page.keyboard.press("F4")
    page.get_by_role("button", name=re.compile("red coat")).click()
    taking_up = held.take()
    wedge(page, CODES["TEA"])
    expect(page.locator("#sheet")).to_be_visible()
    taking_up.continue_()
    expect(page.locator("#total")).to_have_text("$6.48")


def test_what_is_scanned_while_goods_are_brought_back_without_a_receipt_is_in_the_next_basket(page: Page, store: Node):
    held = Held(page, "**/api/returns/blind")
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name="Without a receipt").click()
    page.get_by_role("button", name="Broken").click()
    page.locator("#sheet").get_by_role("button", name="Cash").click()
    page.get_by_role("button", name="Refund payment").click()
    bringing_back = held.take()
    wedge(page, CODES["TEA"])
    bringing_back.continue_()
    expect(page.locator("#sheet-title")).to_have_text("Refunded")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("$2.99")
    assert [row.total_minor for row in store.rows(Sale)] == [-349]

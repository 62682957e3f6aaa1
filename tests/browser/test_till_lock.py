"""The till that nobody touches, in the browser: it locks, keeps basket and scans, and goes on by a PIN."""

import pytest
from playwright.sync_api import Page, expect

from pos.sold import Sale
from pos.store.store import Store, add_staff
from tests.browser.conftest import CODES, STORE, Node, assert_well_made_in_every_size, dress, enter, in_languages, wedge
from tests.browser.counter import kept, priced
from tests.browser.held import Held

pytestmark = pytest.mark.browser


def leave_alone(page: Page) -> None:
    """Let nobody have touched the page for more than a minute."""
    page.evaluate("localStorage.setItem('cornerstore.touched', Date.now() - 65_000)")


@pytest.fixture
def node(node: Node) -> Node:
    """Give a store whose pages lock after a minute."""
    with node.database.write() as session:
        session.get_one(Store, STORE).lock_minutes = 1
        add_staff(session, STORE, "cem", "Cem", "cashier", "1111")
    return node


@in_languages("de")
def test_it_locks_keeps_basket_and_scans_and_another_person_goes_on(page: Page, node: Node, language: str):
    dress(page, language)
    enter(page, node, language=language)
    wedge(page, CODES["MILK"])
    priced(page)
    page.keyboard.down("Shift")
    leave_alone(page)
    page.keyboard.down("Shift")  # it lies under a bag
    page.wait_for_url("**/signin/ana?next=**")
    page.keyboard.up("Shift")
    assert page.request.get(f"{node.url}/api/status?till=T1").status == 401
    assert_well_made_in_every_size(page, language)
    wedge(page, CODES["BREAD"])
    expect(page.locator("#scans")).to_contain_text("1")
    expect(page.locator("#pin")).to_have_value("")
    page.locator(".back-link").click()
    expect(page.locator("#scans")).to_contain_text("1")
    page.locator("a[href*='/signin/cem']").click()
    page.fill("#pin", "1111")
    page.press("#pin", "Enter")
    page.wait_for_selector("html[data-ready] .till-frame")
    expect(page.locator(".cashier")).to_contain_text("Cem")
    expect(page.locator("#lines > li")).to_have_count(2)
    assert [line["sku"] for line in kept(page)["lines"]] == ["MILK", "BREAD"]


def test_without_an_answer_it_is_covered_and_what_is_scanned_waits_until_there_is_one(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    priced(page)
    node.stop()
    leave_alone(page)
    expect(page.locator("#locked-silent")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("F8")
    expect(page.locator("#locked")).to_be_visible()
    expect(page.locator("#pay")).to_be_hidden()
    wedge(page, CODES["BREAD"])
    node.start()
    page.wait_for_url("**/signin/ana?next=**")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    expect(page.locator("#lines > li")).to_have_count(2)


def test_a_payment_on_its_way_is_waited_for(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    priced(page)
    held = Held(page, "**/api/sales")
    page.keyboard.press("F8")
    expect(page.locator("#pay-choose #take")).to_be_enabled()  # two presses in a row are `pay_exactly` in test_till.py
    page.keyboard.press("F8")
    paying = held.take()
    leave_alone(page)
    expect(page.locator("#locked")).to_be_hidden()
    page.wait_for_function("() => Date.now() - Number(localStorage.getItem('cornerstore.touched')) < 30_000")
    paying.continue_()
    expect(page.locator("#pay-done")).to_be_visible()
    assert len(node.rows(Sale)) == 1
    leave_alone(page)
    page.wait_for_url("**/signin/ana?next=**")

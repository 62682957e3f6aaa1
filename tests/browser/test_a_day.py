"""A shopkeeper's whole day in one sitting: found by what the pages are made of, so that it runs in any language."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, ViewportSize, expect

from pos.till.shift_book import Shift
from supply.orders.orders import OrderLine, ReplenishmentOrder
from tests.browser.conftest import DESK, PHONE, assert_well_made, resize, wedge
from tests.browser.test_office import Office, office
from tests.store_app import office as goods
from tests.store_app.conftest import STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser
ALSO = pytest.mark.faults


@pytest.mark.parametrize(
    ("size", "language"),
    [
        pytest.param(DESK, "zh", id="desk-zh"),
        pytest.param(PHONE, "en", id="phone-en"),
        pytest.param(DESK, "en", id="desk-en", marks=ALSO),
        pytest.param(PHONE, "zh", id="phone-zh", marks=ALSO),
    ],
)
def test_a_whole_day_from_signing_in_to_the_z(
    page: Page, office: Office, faults: list[str], size: ViewportSize, language: str
):
    resize(page, size)

    def go(path: str) -> Locator:
        page.goto(f"{office.url}{path}")
        assert_well_made(page)
        return page.locator("main")

    def press(within: str = "main") -> None:
        page.locator(f"{within} .btn-go").first.click()

    page.goto(f"{office.url}/signin?lang={language}")
    page.locator("a[href$='/signin/shopkeeper']").click()
    page.locator("input[name=pin]").fill("2222")
    press()
    expect(page).to_have_url(re.compile("/today/"))
    assert_well_made(page)

    # what came in the morning, counted with one piece missing
    go("/deliveries/D2")
    milk = page.locator("#line-milk")
    wedge(page, goods.EAN["milk"])
    milk.locator("input[type=number]").fill("11")
    milk.locator("select").select_option("difference-broken")
    press(".post-bar")
    expect(page.locator("a[href*='/claims/new/']").first).to_be_visible()

    # the order of the day, with one line changed
    go("/orders/order-P1")
    page.locator("#line-milk input[name=packs]").fill("2")
    page.locator("form[action$='/approve'] .btn-go").first.click()
    expect(page.locator("#line-milk input[name=packs]")).to_have_count(0)

    # a price
    go("/products/milk")
    page.locator("#price").fill("1.80")
    page.locator("form:has(#price) .btn-go").click()
    expect(page.locator(".price-now")).to_contain_text("1.80")

    # the till: a sale, and one of its pieces back
    page.goto(f"{office.url}/till/")
    page.wait_for_selector("html[data-ready]")
    wedge(page, goods.EAN["milk"], goods.EAN["milk"], goods.EAN["bread"])
    expect(page.locator("#lines li")).to_have_count(2)
    assert_well_made(page)
    for _press in range(2):
        page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert_well_made(page)
    page.keyboard.press("Escape")
    page.locator("#refund-button").click()
    page.locator("#sheet .row-button").first.click()
    wedge(page, goods.EAN["milk"])
    expect(page.locator("#sheet .btn-go")).to_contain_text("1.80")
    assert_well_made(page)
    page.locator("#sheet .choice[data-value=back-unwanted]").click()
    page.locator("#sheet .btn-go").click()
    expect(page.locator("#sheet .done-change")).to_contain_text("1.80")
    assert_well_made(page)
    page.keyboard.press("Enter")

    # the evening: counted blind, the rest to the bank, and the books know every step
    go("/money/")
    page.locator("form[action='/money/count'] button").click()
    page.locator("details:has(#sum) > summary").click()
    page.locator("#sum").fill("104.30")
    page.locator("form[action='/money/drawer/count'] .btn-go").click()
    page.locator("#keep").fill("100")
    page.locator("[name=away][value=bank]").check()
    assert_well_made(page)
    press("form.ending")
    expect(page).to_have_url(re.compile("/money/shifts/"))
    assert_well_made(page)
    z = page.url.removeprefix(office.url)
    expect(go("/today/").locator(f"a[href='{z}']")).to_be_visible()
    with office.house.doors.read() as session:
        (closed,) = session.scalars(sa.select(Shift).where(Shift.state == "closed"))
        assert (closed.expected_minor, closed.over_short_minor) == (10_430, 0)
        assert session.get_one(OrderLine, (STORE, "order-P1", "milk")).packs == 2
        assert session.get_one(ReplenishmentOrder, (STORE, "order-P1")).state == "sent"

"""Products, prices, taxes and people in a browser: accessible, unclipped in both languages, quick to type."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from pos.catalogue.catalogue import Listing
from tests.browser.conftest import (
    DESK,
    PHONE,
    assert_well_made,
    assert_well_made_in_every_size,
    dress,
    in_languages,
    resize,
)
from tests.browser.test_office import Office, enter, office
from tests.store_app.conftest import NOON

__all__ = ["office"]
pytestmark = pytest.mark.browser
PAGES = (
    "/products/", "/products/?show=own", "/products/milk", "/products/new", "/products/bring-in/",
    "/products/past-sales/", "/prices/",
    "/prices/?top_category=Drinks&change=margin&value=30&ending=99", "/prices/labels", "/taxes/", "/people/",
    "/people/cashier", "/people/your-pin",
)  # fmt: skip


def know_cost(office: Office, sku: str, cost_minor: int) -> None:
    with office.house.doors.write() as session:
        session.execute(sa.update(Listing).where(Listing.sku == sku).values(cost_minor=cost_minor))


@in_languages("de")
def test_every_page_is_accessible_and_unclipped(page: Page, office: Office, faults: list[str], language: str):
    know_cost(office, "beer", 100)
    dress(page, language)
    enter(page, office, "/products/", language)
    for path in PAGES:
        page.goto(f"{office.url}{path}")
        page.eval_on_selector_all("main details", "all => all.forEach((one) => { one.open = true; })")
        assert_well_made_in_every_size(page, language)


def test_the_margin_is_said_while_the_price_is_typed(page: Page, office: Office, faults: list[str]):
    know_cost(office, "milk", 90)
    enter(page, office, "/products/milk")
    page.fill("#price", "1.80")
    expect(page.locator("output")).to_have_text("new: 50%, or 0.90 each")
    page.fill("#price", "0.80")
    expect(page.locator("output[data-loss]")).to_contain_text("-12.5%")
    page.fill("#price", "1.80")
    page.get_by_role("button", name="Set price").click()
    expect(page.locator(".note-good")).to_contain_text("The new price applies now")
    expect(page.locator(".price-now")).to_contain_text("$1.80")


def test_a_new_product_begins_with_a_scan(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/products/new")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type("4006381333948")
    page.keyboard.press("Enter")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("Own jam")
    page.fill("#category", "Spreads")
    page.fill("#price", "3.50")
    page.fill("#cost", "2.10")
    expect(page.locator("output")).to_contain_text("Margin 40%")
    page.get_by_role("button", name="Save and sell").click()
    expect(page.locator("h1")).to_have_text("Own jam")
    assert_well_made(page)


def test_many_prices_change_after_they_were_seen(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/prices/")
    page.select_option("#top-category", "Drinks")
    page.fill("#value", "10")
    page.press("#value", "Enter")
    expect(page.locator("#preview-title")).to_contain_text("2 prices will change")
    resize(page, PHONE)
    expect(page.get_by_role("button", name="Change 2 prices")).to_be_in_viewport()  # whatever the list's length
    assert page.locator(".reprice-list tr").last.evaluate("row => row.offsetHeight") < 120, "two rows, not six"
    resize(page, DESK)
    page.fill("#from_day", NOON.date().isoformat())
    page.get_by_role("button", name="Change 2 prices").dblclick()
    expect(page.locator("h1")).to_have_text("Labels for new prices")
    page.get_by_role("button", name="Print 2 labels").click()
    expect(page.get_by_role("status")).to_contain_text("Printing 2 labels")

"""The walk past the shelf labels with the phone: scan after scan on one page, right or wrong, and where to go next."""

import pytest
from playwright.sync_api import Page, expect

from config.nodes.journal import Context
from pos.catalogue import catalogue, shelf_labels
from pos.catalogue.shelf_labels import LabelInspection, LabelLook, Shown, code_of
from tests.browser.conftest import assert_well_made, assert_well_made_in_every_size, dress, in_languages
from tests.browser.test_office import Office, enter, office
from tests.browser.test_stock_work import MILK, scan
from tests.store_app import office as goods
from tests.store_app.conftest import NOON, STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser
DAY = NOON.date()
SHOP = "https://shop.example/shop/elm"


@pytest.fixture
def walked(office: Office) -> Office:
    """Give a store with three labels seen, one of them wrong since, and an inspection of which one is done."""
    with office.house.doors.write() as session:
        ctx = Context(session, goods.SYSTEM, NOON)
        for sku, price in (("milk", 129), ("bread", 250), ("beer", 180)):
            shelf_labels.look_at(ctx, STORE, Shown(sku, price), DAY, id=f"look-{sku}", place="A1")
        for sku, price in (("milk", 149), ("bread", 275)):
            catalogue.set_price(ctx, sku, price, DAY, scope_id=STORE)
        shelf_labels.draw(ctx, STORE, DAY, id="inspection-0001", size=25, seed=7)
        shelf_labels.look_at(ctx, STORE, Shown("tea", 395), DAY, id="look-tea", inspection_id="inspection-0001")
    return office


@in_languages("de")
def test_the_walk_and_the_inspection_are_accessible_and_unclipped(
    page: Page, walked: Office, faults: list[str], language: str
):
    dress(page, language)
    enter(page, walked, "/labels/", language)
    with walked.house.doors.read() as session:
        assert session.query(LabelInspection).count() == 1
    for path in (
        "/labels/", "/labels/?all=1&place=A1", "/labels/?look=look-milk", "/labels/?look=look-beer",
        "/labels/?sku=apple", "/labels/inspections", "/labels/inspections/inspection-0001",
        "/labels/?inspection=inspection-0001", "/prices/labels", "/products/milk",
    ):  # fmt: skip
        page.goto(f"{walked.url}{path}")
        assert_well_made_in_every_size(page, language)


def test_scan_after_scan_on_a_phone_without_a_new_page(page: Page, walked: Office):
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, walked, "/labels/")
    expect(page.locator("#next-title")).to_have_text("2 labels to scan")
    page.evaluate("window.same = true")
    scan(page, code_of("milk", 129, 1, SHOP))
    expect(page.locator(".last-scan.is-wrong")).to_contain_text("The label says $1.29, the new price is $1.49.")
    scan(page, code_of("milk", 149, 1, SHOP))
    expect(page.locator(".last-scan.is-right")).to_contain_text("Whole milk")
    expect(page.locator("#next-title")).to_have_text("1 label to scan")
    expect(page.locator(".running li").first).to_contain_text("Rye bread")
    scan(page, code_of("beer", 1, 1, SHOP))
    expect(page.locator("[data-refused] li")).to_contain_text("This store never set the price on this label")
    scan(page, code_of("bread", 275, 1))
    expect(page.locator(".last-scan.is-right")).to_contain_text("Rye bread")
    expect(page.locator("#walking")).to_contain_text("No label is waiting")
    scan(page, MILK)
    expect(page.locator(".is-attention")).to_contain_text("What does the label show?")
    page.get_by_role("button", name="$1.49").click()
    expect(page.locator(".last-scan.is-right")).to_contain_text("Whole milk")
    assert page.evaluate("window.same") is True
    with walked.house.doors.read() as session:
        assert session.query(LabelLook).count() == 4 + 4
    assert_well_made(page)


def test_the_walk_works_without_script(browser, walked: Office):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{walked.url}/signin/shopkeeper?next=/labels/")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    page.fill("#code", code_of("milk", 149, 1))
    page.press("#code", "Enter")
    expect(page.locator(".last-scan.is-right")).to_contain_text("Whole milk")
    context.close()

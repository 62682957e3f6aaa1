"""One product's page in a browser: its picture of sales, and a price changed three taps from the till."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, assert_well_made, resize
from tests.browser.test_office import Office, enter, office

__all__ = ["office"]
pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_about_a_product_is_on_one_page(page: Page, office: Office, faults: list[str], language: str):
    enter(page, office, "/orders/", language)
    page.locator('main a[href="/products/milk"]').first.click()
    for size in (DESK, PHONE):
        resize(page, size)
        expect(page.locator("[data-chart] canvas")).to_be_visible()
        for part in ("price", "stock", "sales", "supply", "preference", "here", "codes", "what", "label", "moves"):
            expect(page.locator(f"#{part}-title")).to_be_visible()
        page.eval_on_selector_all("main details", "all => all.forEach((one) => { one.open = true; })")
        assert_well_made(page)


def test_a_price_is_changed_three_taps_from_the_till(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/till/")
    page.wait_for_selector("html[data-ready]")
    page.locator("#lookup-button").click()
    page.locator("#lookup-text").fill("4006381333931")
    page.get_by_role("link", name="Product page").click()
    expect(page.locator("#price")).to_be_focused()
    page.keyboard.type("1.80")
    page.get_by_role("button", name="Set price").click()
    expect(page.locator(".note-good")).to_contain_text("The new price applies now")
    expect(page.locator(".price-now")).to_contain_text("$1.80")


def test_past_and_planned_prices_are_steps_that_say_their_price_under_the_pointer(
    page: Page, office: Office, faults: list[str]
):
    enter(page, office, "/products/milk")
    for price, day in (("1.80", ""), ("2.10", "2026-03-20")):
        page.locator("#price").fill(price)
        if day:
            page.locator("#from_day").fill(day)
        page.get_by_role("button", name="Set price").click()
    chart = page.locator("[data-drawing]")
    chart.locator(".u-over").hover(position={"x": 2, "y": 60})
    expect(chart.locator(".u-legend")).to_contain_text("$1.80")

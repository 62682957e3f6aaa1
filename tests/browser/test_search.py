"""The search over everything in a browser: by key and by finger, from any page and from the till, in two languages."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, assert_well_made, resize
from tests.browser.test_office import Office, enter, office

__all__ = ["office"]
pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "printer"), [("en", "printer"), ("zh", "打印机")])
def test_a_key_and_a_few_letters_lead_to_a_page(
    page: Page, office: Office, faults: list[str], language: str, printer: str
):
    enter(page, office, "/stock/", language)
    page.keyboard.press("Control+k")
    page.keyboard.type(printer)
    expect(page.locator("#find-hits a").first).to_have_attribute("href", "/settings/printers/")
    assert_well_made(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/printers/$"))
    resize(page, PHONE)
    page.locator("main [data-find]").click()
    page.fill("#find-text", "milk")
    expect(page.locator('#find-hits a[href="/products/milk"]')).to_be_visible()
    assert_well_made(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#find-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#find")).to_be_hidden()


def test_from_the_till_three_taps_lead_to_a_printer_and_to_the_people(page: Page, office: Office, faults: list[str]):
    resize(page, DESK)
    enter(page, office, "/till/")
    for text, there in (("printer", "/settings/printers/"), ("staff", "/people/")):
        page.get_by_role("link", name="Store", exact=True).click()
        page.locator(".rail [data-find]").click()
        page.keyboard.type(text)
        page.locator(f'#find-hits a[href="{there}"]').click()
        expect(page).to_have_url(re.compile(f"{there}$"))
        page.goto(f"{office.url}/till/")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("Control+k")
    expect(page).to_have_url(re.compile("/search/$"))


def test_the_search_works_without_a_script(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/search/")
    page.route("**/pages.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.reload()
    page.fill("#q", "milk")
    page.locator("main form button").click()
    expect(page.locator('main a[href="/products/milk"]')).to_be_visible()

"""Offers made in a browser: by script and without, by keyboard, accessible and unclipped in both languages."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.pricing.promises import Choice, Offer, Part
from tests.browser.conftest import assert_well_made, assert_well_made_in_every_size, dress, in_languages
from tests.browser.test_office import Office, enter, office
from tests.store_app import office as goods
from tests.store_app.conftest import NOON, STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser


def promise(office: Office) -> str:
    """Let an offer with a coupon stand."""
    coupon = Offer(
        new_id(), "Spring", "basket_amount", (Part(Choice(everything=True)),), amount_minor=500, codes=frozenset()
    )
    with office.house.doors.write() as session:
        offers.make(Context(session, goods.SYSTEM, NOON), STORE, coupon)
        offers.make_coupons(Context(session, goods.SYSTEM, NOON), STORE, coupon.id, count=5)
    return coupon.id


@in_languages("de")
def test_every_page_of_offers_is_accessible_and_unclipped(page: Page, office: Office, faults: list[str], language: str):
    made = promise(office)
    dress(page, language)
    enter(page, office, "/offers/", language)
    for path in ("/offers/", "/offers/new", "/offers/new/together", f"/offers/{made}", f"/offers/{made}/change"):
        page.goto(f"{office.url}{path}")
        assert_well_made_in_every_size(page, language)


def test_an_offer_is_made_by_keyboard_with_its_example(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/offers/new/free")
    page.fill("#q0", "drin")
    page.press("#q0", "Enter")
    page.get_by_role("button", name="Drinks category").press("Enter")
    expect(page.locator(".picks")).to_contain_text("Drinks")
    expect(page.locator("#q0")).to_be_focused()
    page.get_by_role("button", name="Create promotion").click()
    expect(page.get_by_role("alert")).to_contain_text("Name the promotion; the name is printed on the")
    assert "422" in faults.pop()  # the browser's console tells of every refusal
    page.fill("#name", "Drinks week")
    page.press("#name", "Enter")
    expect(page.locator(".offer-example")).to_contain_text("The customer pays")
    assert_well_made(page)
    page.get_by_role("button", name="Create promotion").click()
    page.wait_for_url(f"{office.url}/offers/")
    expect(page.locator("main")).to_contain_text("Every third item free: Drinks")


def test_an_offer_is_made_without_script(browser: Any, office: Office):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{office.url}/signin/shopkeeper?next=/offers/new/percent")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    page.fill("#q0", "milk")
    page.press("#q0", "Enter")
    page.get_by_role("button", name="Whole milk").click()
    page.fill("#percent", "20")
    page.fill("#name", "Milk")
    page.get_by_role("button", name="Create promotion").click()
    expect(page.locator("main")).to_contain_text("20% off: Whole milk")
    context.close()

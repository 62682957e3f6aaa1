"""A lesson in a real browser: the till in the practice store, the card that ticks, the store's own till afterwards."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, resize
from tests.browser.test_office import Office, assert_well_made, enter, office
from tests.browser.test_till import pay_exactly

__all__ = ["office"]
pytestmark = pytest.mark.browser


def test_a_cashier_learns_to_ring_up_on_a_practice_shop(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/training/")
    assert_well_made(page)
    page.get_by_role("link", name="Ring up and pay").first.click()
    expect(page.get_by_role("button", name="Open practice store")).to_be_visible()
    assert_well_made(page)
    page.get_by_role("button", name="Open practice store").click()
    page.wait_for_selector("html[data-ready]")
    card = page.locator("#coach")
    expect(card).to_contain_text("Ring up and pay")
    expect(page.locator("#practice-banner")).to_be_hidden()
    assert_well_made(page)
    page.locator(".tile").first.click()
    pay_exactly(page)
    expect(card.locator("li.done")).to_have_count(1)
    resize(page, PHONE)
    assert_well_made(page)
    page.goto(f"{office.url}/deliveries/?lang=zh")
    expect(page.locator("#coach")).to_contain_text("收银与付款")
    assert_well_made(page)
    page.locator("#coach").get_by_role("button", name="退出练习").click()
    page.wait_for_url(f"{office.url}/training/")
    page.goto(f"{office.url}/till/")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#coach")).to_have_count(0)

"""Money, paper and the till as everybody meets them: accessible, in both languages, and with true figures."""

import pytest
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from pos.printing import print_worker
from pos.printing.models import PrinterModel
from pos.printing.printers import Outlet
from pos.printing.wires import driver_for
from pos.sold import Sale
from pos.till.shift_book import Shift
from tests.browser.conftest import (
    CODES,
    DESK,
    PHONE,
    STORE,
    Node,
    assert_accessible,
    assert_well_made,
    enter,
    in_languages,
    resize,
    wedge,
)

pytestmark = pytest.mark.browser


def sell(page: Page, sku: str = "MILK") -> None:
    wedge(page, CODES[sku])
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


def print_everything(node: Node) -> None:
    driver = driver_for(node.settings.printer, PrinterModel())
    assert driver is not None
    print_worker.print_due(node.database, STORE, [Outlet(driver)], now=SystemClock().now)


@in_languages("de")
def test_the_till_is_well_made_in_every_state(page: Page, node: Node, faults: list[str], language: str):
    enter(page, node, language=language)
    assert_well_made(page)
    wedge(page, CODES["MILK"], CODES["TEA"])
    assert_well_made(page)
    page.keyboard.press("F8")
    assert_well_made(page)
    page.locator("[data-tender=card]").click()
    assert_well_made(page)
    page.locator("#take").click()
    expect(page.locator("#next")).to_be_focused()
    assert_well_made(page)
    page.keyboard.press("Enter")
    page.locator("#help-button").click()
    assert_well_made(page)


@in_languages("es")
def test_money_and_paper_are_accessible(page: Page, node: Node, faults: list[str], language: str):
    enter(page, node, language=language)
    sell(page)
    print_everything(node)
    page.goto(f"{node.url}/money/")
    assert_well_made(page)
    page.locator("#receipts ~ table a").first.click()
    page.wait_for_url("**/money/receipts/*")
    assert_well_made(page)
    page.goto(f"{node.url}/till/paper")
    assert page.locator(".paper img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert_well_made(page)


def test_a_chinese_till_says_nothing_in_english(page: Page, node: Node, faults: list[str]):
    enter(page, node, language="zh")
    wedge(page, CODES["TEA"])
    expect(page.locator("#pay-button")).to_contain_text("收款")
    words = page.evaluate("JSON.parse(document.getElementById('till-words').textContent)")
    assert [key for key, text in words.items() if text.isascii()] == []


def test_a_shift_is_counted_blind_and_closed_with_its_z(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    sell(page)
    page.goto(f"{node.url}/money/")
    page.fill("#drop", "50")
    page.get_by_role("button", name="Move to safe").click()
    page.get_by_role("button", name="Count the drawer").click()
    expect(page.get_by_label("$50.00 bills")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("$53.49")  # what should be there is not told yet
    assert_accessible(page)
    page.get_by_label("$50.00 bills").fill("1")
    page.locator("#note-100").focus()
    page.locator(".count-pad [data-digit='2']").click()
    page.locator("#note-100 ~ button").click()
    expect(page.locator("[data-sum]")).to_have_text("$53.00")
    page.get_by_role("button", name="Confirm count").click()
    expect(page.locator("main")).to_contain_text("Counted: $53.00")
    expect(page.locator("main")).not_to_contain_text("$53.49")
    assert_accessible(page)
    page.get_by_role("button", name="Close the till").click()
    expect(page.locator("h1")).to_contain_text("Z report 1")
    assert_accessible(page)
    (closed,) = node.rows(Shift)
    assert (closed.state, closed.expected_minor, closed.counted_minor, closed.over_short_minor) == (
        "closed",
        5349,
        5300,
        -49,
    )
    expect(page.locator("main")).to_contain_text("$0.49")
    page.goto(f"{node.url}/money/drawer/reports")
    assert_accessible(page)


@in_languages("zh")
def test_a_drawer_that_is_off_and_one_that_is_handed_over_are_accessible(
    page: Page, node: Node, faults: list[str], language: str
):
    resize(page, PHONE)
    enter(page, node, language=language)
    for address in ("/money/drawer/hand-over", "/money/drawer/x"):
        page.goto(f"{node.url}{address}")
        assert_well_made(page)
    page.goto(f"{node.url}/money/")
    page.locator("form[action$='/count'] button").click()
    expect(page.locator("[data-count-pad]:not([hidden])")).to_have_count(1)  # what it hears is wired
    page.locator("#note-2000").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("#note-1000")).to_be_focused()
    assert_well_made(page)
    page.locator(".counting .btn-go").click()
    page.locator(".ending .btn-go").click()
    expect(page.locator(".result")).to_be_visible()
    assert_well_made(page)
    page.fill("#why", "a bag went to the bank")
    page.locator(".ending .btn-go").click()
    page.wait_for_url("**/money/shifts/*")
    expect(page.locator("h1")).to_contain_text("1")
    page.goto(f"{node.url}/money/drawer/open")
    assert_well_made(page)
    resize(page, DESK)
    page.goto(f"{node.url}/till/")
    expect(page.locator("#open-till")).to_be_visible()
    assert_well_made(page)
    assert page.locator(".languages:visible").count() == 1


def test_a_line_is_taken_back_only_as_often_as_it_was_sold(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    sell(page)
    (sold,) = node.rows(Sale)
    page.goto(f"{node.url}/money/receipts/{sold.id}")
    page.get_by_role("button", name="More: Whole milk").click()
    page.get_by_role("button", name="Refund").click()
    expect(page.locator(".note-good").first).to_be_visible()
    (back,) = node.rows(Sale, kind="return")
    assert back.total_minor == -349
    expect(page.get_by_role("button", name="More: Whole milk")).to_have_count(0)

"""What the till says while a basket is rung: what was scanned, the most of a product, the age, and what was noted."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pos.catalogue.catalogue import Product
from pos.printing.queue import PrintJob, lay_out
from pos.sold import Sale
from tests.browser.conftest import CODES, Node, by_hand, enter, wedge
from tests.readable import as_text

pytestmark = pytest.mark.browser


def rule(node: Node, sku: str, **wishes: Any) -> None:
    """Let a product be sold under a rule."""
    with node.database.write() as session:
        for name, value in wishes.items():
            setattr(session.get_one(Product, sku), name, value)


def pay_exactly(page: Page) -> None:
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


def test_what_was_scanned_its_price_and_the_total_are_told_to_who_cannot_see_them(
    page: Page, node: Node, faults: list[str]
):
    enter(page, node)
    reported = page.locator("#announce[role=status]")
    wedge(page, CODES["MILK"])
    expect(reported).to_have_text(re.compile(r"^Whole milk, 1.*, \$3\.49\. Total \$3\.49\.$"))
    wedge(page, CODES["BREAD"], CODES["BREAD"])
    expect(reported).to_have_text(re.compile(r"^White bread, 2.*, \$3\.98\. Total \$7\.47\.$"))
    page.keyboard.press("Delete")
    expect(reported).to_have_text("White bread removed. Total $3.49.")


def test_the_most_of_a_product_is_kept_by_scanner_and_by_touch_and_the_page_says_it(
    page: Page, node: Node, faults: list[str]
):
    rule(node, "CHIPS", maximum_qty=2)
    enter(page, node)
    wedge(page, CODES["CHIPS"], CODES["CHIPS"])
    expect(page.locator("#total")).to_have_text("$7.58")
    expect(page.locator("#says .note-bad")).to_have_count(0)
    said = page.locator("#says .note-bad")
    for once_more in (
        lambda: wedge(page, CODES["CHIPS"]),
        page.get_by_role("button", name="One more: Potato chips").click,
    ):
        once_more()
        expect(said).to_contain_text("Limit: 2 of Potato chips per sale.")
        expect(page.locator("#total")).to_have_text("$7.58")
        wedge(page, CODES["MILK"])
        expect(said).to_have_count(0)
        page.keyboard.press("Delete")
        expect(page.locator("#total")).to_have_text("$7.58")
    pay_exactly(page)
    assert [sale.total_minor for sale in node.rows(Sale)] == [758]


def test_two_ages_in_a_basket_are_asked_for_once_at_the_higher_one(page: Page, node: Node, faults: list[str]):
    rule(node, "CHIPS", minimum_age=18)
    enter(page, node)
    wedge(page, CODES["CHIPS"], CODES["BEER"], CODES["CHIPS"])
    page.keyboard.press("F8")
    expect(page.locator("#sheet-title")).to_have_text("Is the customer at least 21?")
    expect(page.locator("#age-products li")).to_have_text(["Potato chips", "Lager beer"])
    page.get_by_role("button", name="Clearly of age").click()
    expect(page.locator("#sheet")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert [sale.age_checked for sale in node.rows(Sale)] == [21]


def test_an_age_that_was_asked_for_is_asked_again_only_for_a_higher_one(page: Page, node: Node, faults: list[str]):
    rule(node, "CHIPS", minimum_age=18)
    enter(page, node)
    wedge(page, CODES["CHIPS"])
    page.keyboard.press("F8")
    expect(page.locator("#sheet-title")).to_have_text("Is the customer at least 18?")
    page.get_by_role("button", name="Clearly of age").click()
    page.keyboard.press("Escape")
    wedge(page, CODES["BEER"])
    page.keyboard.press("F8")
    expect(page.locator("#sheet-title")).to_have_text("Is the customer at least 21?")
    page.get_by_role("button", name="Clearly of age").click()
    expect(page.locator("#sheet")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert [sale.age_checked for sale in node.rows(Sale)] == [21]


def test_what_is_noted_of_a_line_stands_on_it_and_on_its_receipt(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.get_by_role("button", name="Note on Whole milk").click()
    by_hand(page, "from the cold shelf")
    expect(page.locator("#lines .extra")).to_contain_text("from the cold shelf")
    pay_exactly(page)
    (job,) = node.rows(PrintJob, kind="receipt")
    paper = as_text(lay_out("receipt", job.document, columns=42), 42)
    assert re.search(r"Whole milk.*\n +from the cold shelf", paper)

"""The list of another till in a browser: brought in after one question and a look at it, and undone as a whole."""

import re

import pytest
from playwright.sync_api import Page, expect

from pos.catalogue.catalogue import Listing
from tests.browser.conftest import (
    DESK,
    PHONE,
    Node,
    assert_well_made,
    assert_well_made_in_every_size,
    dress,
    enter,
    in_languages,
    resize,
)
from tests.store_app.files.item_exports import EXPORTS, GOODS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_list_comes_in_after_one_question_and_is_undone(page: Page, node: Node, faults: list[str], size):
    before, export = len(node.rows(Listing)), EXPORTS["lightspeed, Windows-1252"]()
    resize(page, size)
    enter(page, node, "/products/bring-in/")
    file = {"name": export.name, "mimeType": "text/csv", "buffer": export.raw}
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="One question about your file")).to_be_visible()
    assert_well_made(page)
    page.get_by_label("Reduced").fill("7")
    page.get_by_label("GST").fill("19")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".import-notes")).to_contain_text("6 new products")
    expect(page.locator(".preview tbody tr")).to_have_count(len(GOODS))
    assert_well_made(page)
    page.get_by_role("button", name=f"Import {len(GOODS)} products").click()
    expect(page.locator(".import-list")).to_contain_text("6 products")
    assert len(node.rows(Listing)) == before + len(GOODS)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".import-list .tag")).to_have_text("Undone")
    assert len(node.rows(Listing)) == before
    assert_well_made(page)


def test_a_column_is_chosen_by_hand(page: Page, node: Node, faults: list[str]):
    enter(page, node, "/products/bring-in/")
    raw = b"Item,Price,RRP,Tax\nTea,1.00,1.50,0%\nRum,9.00,12.50,0%\n"
    page.set_input_files("#file", {"name": "list.csv", "mimeType": "text/csv", "buffer": raw})
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Wrong column? Choose it by hand.").click()
    page.get_by_label("Price", exact=True).select_option(label="RRP")
    page.get_by_role("button", name="Read again").first.click()
    expect(page.locator(".preview tbody tr").first).to_contain_text("1.50")
    page.get_by_role("button", name="Import 2 products").click()
    expect(page).to_have_url(re.compile("/products/bring-in/$"))
    expect(page.locator(".import-list")).to_contain_text("2 products")


@in_languages("de")
def test_the_question_and_the_choice_by_hand_are_well_made_in_every_size(
    page: Page, node: Node, faults: list[str], language: str
):
    dress(page, language)
    enter(page, node, "/products/bring-in/", language=language)
    raw = b"A,B,Price [Harbor],Price [Maple Street],Tax\nx,Green tea,1.00,1.50,GST\n"
    page.set_input_files("#file", {"name": "list.csv", "mimeType": "text/csv", "buffer": raw})
    page.locator("main form button").first.click()
    expect(page.locator("#question-title")).to_be_visible()
    assert_well_made_in_every_size(page, language)

"""Printers in a real browser: accessible, in both languages, and set up by what a shopkeeper would press."""

import pytest
from playwright.sync_api import Page, expect

from pos.printing.preview import MARGIN
from tests.browser.conftest import Node, assert_accessible, assert_well_made_in_every_size, dress, enter, in_languages

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_printer_is_set_up_and_tried(page: Page, node: Node, faults: list[str], language: str):
    enter(page, node, "/settings/printers/", language=language)
    assert_accessible(page)
    page.locator("a[href$='/settings/printers/new']").click()
    page.fill("#name", "Till printer 收银")
    page.select_option("#way", "paper")
    page.fill("#where", "")
    assert_accessible(page)
    page.locator("form.stack button.btn-go").click()
    expect(page.locator("h1")).to_have_text("Till printer 收银")
    expect(page.locator(".printer-paper")).to_have_js_property("complete", True)
    assert page.locator(".printer-paper").evaluate("picture => picture.naturalWidth") > 500
    page.locator("#try .btn-go").click()
    expect(page.locator(".note-info")).to_be_visible()
    assert_accessible(page)
    page.goto(f"{node.url}/settings/printers/")
    expect(page.locator(".printer-name")).to_have_text("Till printer 收银")
    assert_accessible(page)
    page.goto(f"{node.url}/till/paper")
    expect(page.locator(".paper img")).to_have_js_property("naturalWidth", 48 * 12 + 2 * MARGIN)


@in_languages("zh")
def test_a_label_printer_is_asked_for_no_roll_no_cutter_and_no_drawer(page: Page, node: Node, language: str):
    enter(page, node, "/settings/printers/new", language=language)
    dress(page, language)
    of_rolls = [page.locator(f"#{name}") for name in ("papers", "columns", "letters", "drawer_pin", "pulse_ms")]
    of_rolls += [page.locator(f"[name={name}]") for name in ("cutter", "unasked")]
    page.select_option("#profile", "ZPL-203 62x40")
    for asked in of_rolls:
        expect(asked).to_be_hidden()
    assert_well_made_in_every_size(page, language)
    page.select_option("#profile", "default")
    for asked in of_rolls:
        expect(asked).to_be_visible()
    page.fill("#pulse_ms", "5000")
    page.select_option("#profile", "ZPL-203 62x40")
    expect(of_rolls[0]).to_be_hidden()
    expect(page.locator("#pulse_ms")).to_be_visible()  # what keeps the form from being sent can be mended

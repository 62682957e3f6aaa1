"""Printers in a real browser: accessible, in both languages, and set up by what a shopkeeper would press."""

import pytest
from playwright.sync_api import Page, expect

from pos.preview import MARGIN
from tests.browser.conftest import Node, assert_accessible, enter

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

"""A supplier's paper note in the browser: line by line beside its photo, on the desk and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_well_made_in_every_size, dress, in_languages, sign_in
from tests.browser.served import serve
from tests.store_app.office import fill
from tests.store_app.pages.orders import test_paper_notes as notes

pytestmark = pytest.mark.browser


@in_languages("de")
def test_a_note_is_confirmed_line_by_line_in_every_size(page: Page, build: Any, faults: list[str], language: str):
    house = build()
    fill(house, notes.ordered)
    rows = [*notes.ROWS]
    rows[4] = ("Bauernbrot dunkel", "3", "case", "18.00", "36.00")
    address = notes.noted(house, rows)
    dress(page, language)
    with serve(house) as url:
        sign_in(page, url, "shopkeeper", "2222")
        page.goto(f"{url}/invoices/notes/?lang={language}")
        assert_well_made_in_every_size(page, language)
        page.goto(f"{url}{address}")
        expect(page.locator(".note-lines > li")).to_have_count(3)
        assert_well_made_in_every_size(page, language)
        page.fill("#qty-1", "2")
        page.fill("#find-1", "rye")
        page.locator("button[value='find:1']").click()
        expect(page.locator("#sku-1")).to_have_value("bread")
        page.select_option("#unit-1", "CT")
        page.select_option("#aside-2", "charge")
        page.check("[name=kind][value=both]")
        page.locator("button[value=confirm]").click()
        page.wait_for_url("**/deliveries/*")
        page.goto(f"{url}{address}")
        assert_well_made_in_every_size(page, language)

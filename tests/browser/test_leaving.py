"""The page on which a store leaves its network, in each of its states, readable at every width."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from store_app.web import staff
from tests.browser.conftest import assert_well_made_in_every_size, dress, in_languages, sign_in
from tests.browser.served import serve
from tests.store_app import office

pytestmark = pytest.mark.browser
PIN = staff.PRACTICE_PINS["shopkeeper"]


@in_languages("de")
def test_leaving_is_well_made_in_every_state(page: Page, build: Any, faults: list[str], language: str):
    house = build(network_url="https://network.example", public_url="https://network.example")
    dress(page, language)
    with serve(house) as url:
        sign_in(page, url, "shopkeeper", PIN)
        page.goto(f"{url}/settings/network/?lang={language}")
        assert_well_made_in_every_size(page, language)
        page.fill("#pin", PIN)
        page.locator("form[action$='/ask'] button").click()
        expect(page.locator("#asked form")).to_be_visible()
        assert_well_made_in_every_size(page, language)
        page.locator("#asked form button").click()
        expect(page.locator("#pin")).to_be_visible()
        office.fill(house)
        page.goto(f"{url}/settings/network/")
        expect(page.locator("#pin")).to_have_count(0)
        assert_well_made_in_every_size(page, language)

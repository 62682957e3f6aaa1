"""Suppliers' invoices in the browser: uploaded, each difference readable and answered, on the desk and on a phone."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_well_made_in_every_size, dress, in_languages, sign_in
from tests.browser.served import serve
from tests.store_app.office import fill
from tests.store_app.pages.orders import test_invoices as invoices
from tests.supply.receiving.documents import made

pytestmark = pytest.mark.browser


@in_languages("de")
def test_an_invoice_is_uploaded_and_answered_in_every_size(page: Page, build: Any, faults: list[str], language: str):
    house = build()
    fill(house, invoices.ordered)
    invoices.receive(house, bread=20)
    lines = [replace(invoices.MILK, price="10.80"), replace(invoices.BREAD, name="Rye"), invoices.APPLE]
    paper = replace(invoices.PAPER, lines=[*lines, replace(lines[1], article_no="X-9", qty=1)])
    dress(page, language)
    with serve(house) as url:
        sign_in(page, url, "shopkeeper", "2222")
        page.goto(f"{url}/invoices/?lang={language}")
        assert_well_made_in_every_size(page, language)
        page.set_input_files("#file", {"name": "4711.xml", "mimeType": "text/xml", "buffer": made.ubl(paper)})
        page.locator("form[enctype] button").click()
        expect(page.locator("[id^='difference-'] .tag-warn")).to_have_count(3)
        assert_well_made_in_every_size(page, language)
        page.locator("[id='difference-1:price'] button[class*=quiet]").nth(2).click()  # cost and price
        expect(page.locator("[id^='difference-'] .tag-warn")).to_have_count(2)
        page.goto(f"{url}/invoices/")
        assert_well_made_in_every_size(page, language)


@in_languages("de")
def test_a_credit_memo_is_compared_and_approved_in_every_size(page: Page, build: Any, faults: list[str], language: str):
    house = build()
    fill(house, invoices.ordered)
    invoices.receive(house, bread=20)
    invoice = invoices.taken(house.signed_in(), replace(invoices.PAPER))
    assert invoices.send(house.signed_in(), f"{invoice}/claim", difference="2:short").status_code == 303
    less = replace(invoices.BREAD, qty=4, price="1.00", unit="C62")
    memo = made.ubl(made.Paper([less], number="G-1", refs=("4711", "4799")), "CreditNote")
    dress(page, language)
    with serve(house) as url:
        sign_in(page, url, "shopkeeper", "2222")
        page.goto(f"{url}/invoices/?lang={language}")
        page.set_input_files("#file", {"name": "g.xml", "mimeType": "text/xml", "buffer": memo})
        page.locator("form[enctype] button").click()
        expect(page.locator("input[name=claim]:checked")).to_have_count(1)
        assert_well_made_in_every_size(page, language)
        page.locator("button[value=all]").click()
        expect(page).to_have_url(f"{url}/invoices/")
        page.locator("td.lead a").first.click()
        assert_well_made_in_every_size(page, language)
        page.goto(f"{url}{invoice}")
        assert_well_made_in_every_size(page, language)

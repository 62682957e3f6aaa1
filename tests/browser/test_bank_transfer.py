"""A customer pays by bank transfer: the code at the till, the cashier's word, the owner's page."""

import os
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from pos.payments.payments import Payment
from pos.payments.providers import PAYMENTS
from pos.sold import Sale
from pos.store.store import Store
from store_app.payments.amount_qr import NAME
from store_app.runtime import plugins
from tests.browser.conftest import (
    CODES,
    DESK,
    PHONE,
    Node,
    assert_fits,
    assert_well_made_in_every_size,
    dress,
    enter,
    in_languages,
    sign_in,
    wedge,
)
from tests.browser.served import serve
from tests.store_app.pages.till import test_bank_statements as bank
from tests.supply.money.bank.made import IBAN, Booking, camt

pytestmark = pytest.mark.browser


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """Give a store in euros with an account."""
    node = make_node(payment_service="none")
    with node.database.write() as session:
        session.execute(sa.update(Store).values(currency="EUR"))
    plugins.drawer(PAYMENTS, node.settings).write(NAME, {"holder": "Corner Café", "account": IBAN})
    return node


def to_code(page: Page, node: Node) -> Payment:
    """Ring up tea and have the code shown; returns the payment that waits."""
    enter(page, node)
    wedge(page, CODES["TEA"])
    page.keyboard.press("F8")
    page.locator("[data-tender=bank_transfer]").click()
    page.locator("#take").click()
    expect(page.locator("#pay-asking img.qr")).to_be_visible()
    return max(node.rows(Payment), key=lambda row: row.at)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_cashier_s_word_pays_for_the_sale_or_lets_it_go_on(page: Page, node: Node, faults: list[str], size: Any):
    page.set_viewport_size(size)
    unseen = to_code(page, node)
    assert_fits(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/till-{size['width']}.png")
    page.get_by_role("button", name="Not paid").click()
    expect(page.locator("#pay-choose")).to_be_visible()
    page.locator("[data-tender=bank_transfer]").click()
    page.locator("#take").click()
    expect(page.locator("#pay-asking img.qr")).to_be_visible()
    page.reload()  # the till comes back to the code
    expect(page.locator("#pay-asking img.qr")).to_be_visible()
    page.get_by_role("button", name="Seen in the banking app").click()
    expect(page.locator("#pay-done")).to_be_visible()
    (sale,) = node.rows(Sale)
    found = {row.id: (row.state, row.claimed_by) for row in node.rows(Payment)}
    assert found.pop(unseen.id) == ("declined", None)
    assert list(found.values()) == [("captured", sale.id)]


house = bank.house


@in_languages("de")
def test_what_does_not_match_is_read_and_settled_in_every_size(
    page: Page, house: Any, faults: list[str], language: str
):
    till = bank.browser(house)
    short, twice, _waiting, stopped = bank.paid(till), bank.paid(till, 500), bank.paid(till, 400), bank.ask(till, 700)
    bank.told(till, stopped, paid=False)
    raw = camt([
        bank.booked(short, 200), bank.booked(twice, 500), bank.booked(twice, 500), bank.booked(stopped, 700),
        Booking(5000, "Kartenabrechnung Februar, Vertragsnummer 4711-0815", day=bank.TODAY, name="Zahlungsdienst AG"),
    ])  # fmt: skip
    dress(page, language)
    with serve(house) as url:
        sign_in(page, url, "shopkeeper", "2222")
        page.goto(f"{url}/bank-statements/?lang={language}")
        assert_well_made_in_every_size(page, language)
        page.set_input_files("#file", {"name": "march.xml", "mimeType": "text/xml", "buffer": raw})
        page.locator("form[enctype] button").click()
        expect(page.locator("#entries-title")).to_be_visible()
        assert_well_made_in_every_size(page, language)
        if folder := os.environ.get("PICTURES"):
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 800})
                page.screenshot(path=f"{folder}/bank-{language}-{width}.png", full_page=True)
        entries = page.locator("section[aria-labelledby=entries-title]")
        entries.locator("summary").click()
        entries.locator("[name=why]").fill("Card service")
        entries.locator("details button").click()
        expect(page.locator("#entries-title")).to_have_count(0)
        page.goto(f"{url}/plugins/payments/{bank.NAME}")
        assert_well_made_in_every_size(page, language)

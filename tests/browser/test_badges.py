"""Badges in the browser: scanned wherever the focus is, at the sign-in page and at the till; the basket stays."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from config.nodes.journal import Actor, Context
from pos.sold import Sale
from pos.store import badges
from pos.store.store import Staff, add_staff
from tests.browser.conftest import (
    CODES,
    STORE,
    Node,
    assert_accessible,
    assert_well_made_in_every_size,
    dress,
    enter,
    in_languages,
    wedge,
)
from tests.browser.counter import kept, priced

pytestmark = pytest.mark.browser


@pytest.fixture
def badge(node: Node) -> Callable[[str], str]:
    """Give a maker of badges in a store of Ana, the shopkeeper, and Cem, a cashier."""
    ana = Actor("ana", "Ana", "shopkeeper", STORE)
    with node.database.write() as session:
        add_staff(session, STORE, "cem", "Cem", "cashier", "1111")

    def make(staff_id: str) -> str:
        with node.database.write() as session:
            person = session.get_one(Staff, (STORE, staff_id))
            return badges.give(Context(session, ana, SystemClock().now()), person)

    return make


def test_a_badge_signs_in_from_the_names_and_from_the_number_pad(
    page: Page, node: Node, badge: Callable[[str], str], faults: list[str]
):
    code = badge("cem")
    page.goto(f"{node.url}/signin")
    expect(page.locator("main")).to_contain_text("Or scan your badge.")
    assert_accessible(page)
    wedge(page, code)
    page.wait_for_selector("html[data-ready] .till-frame")
    expect(page.locator(".cashier")).to_contain_text("Cem")
    page.goto(f"{node.url}/signin/ana")
    wedge(page, code)
    page.wait_for_url(f"{node.url}/till/")


def test_at_the_till_another_person_takes_over_with_the_basket_and_the_sale_is_theirs(
    page: Page, node: Node, badge: Callable[[str], str], faults: list[str]
):
    cem, ana = badge("cem"), badge("ana")
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["BREAD"])
    expect(page.locator("#count")).to_have_text("2 items")
    priced(page)  # what is asked for Ana is answered: the page that is left asks as nobody
    wedge(page, cem)
    expect(page.locator(".cashier")).to_contain_text("Cem")
    page.wait_for_selector("html[data-ready]")
    assert [line["sku"] for line in kept(page)["lines"]] == ["MILK", "BREAD"]
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert [sale.cashier_id for sale in node.rows(Sale)] == ["cem"]
    wedge(page, ana)
    page.wait_for_url("**/signin/ana?next=**")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    expect(page.locator(".cashier")).to_contain_text("Ana")


def test_a_badge_in_a_question_or_of_a_stranger_changes_nobody_and_goes_nowhere(
    page: Page, node: Node, badge: Callable[[str], str]
):
    code, asked = badge("cem"), []
    enter(page, node)
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("F3")
    wedge(page, code)
    expect(page.locator("dialog[open]")).to_contain_text("Close this prompt first")
    page.keyboard.press("Escape")
    wedge(page, "9870" + "5" * 40)
    expect(page.locator("#says")).to_contain_text("Unknown badge. Sign in with name and PIN")
    expect(page.locator(".cashier")).to_contain_text("Ana")
    assert not [url for url in asked if "9870" in url]


@in_languages("zh")
def test_giving_a_badge_is_accessible_and_unclipped(
    page: Page, node: Node, badge: Callable[[str], str], faults: list[str], language: str
):
    dress(page, language)
    enter(page, node, "/people/", language=language)
    assert_well_made_in_every_size(page, language)
    page.goto(f"{node.url}/people/cem")
    assert_well_made_in_every_size(page, language)
    page.locator("form[action$='/badge'] button").click()
    expect(page.locator(".badge-code svg")).to_be_visible()
    assert_well_made_in_every_size(page, language)
    page.locator("form[action$='/print'] button").click()
    expect(page.locator(".note-good")).to_be_visible()
    expect(page.locator(".badge-code svg")).to_be_visible()
    page.goto(f"{node.url}/people/cem")
    assert_well_made_in_every_size(page, language)

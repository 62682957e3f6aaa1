"""The customers' pages in a browser: well made in both languages and at both widths; the tab paid off by keyboard."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from config import words
from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.customers import consent, customers, loyalty, points_terms, tab
from pos.customers.customers import Particulars
from pos.store.store import store_of
from tests.browser.conftest import (
    PHONE,
    STORE,
    Node,
    assert_accessible,
    assert_well_made,
    assert_well_made_in_every_size,
    dress,
    enter,
    in_languages,
    resize,
)

WANG = "customer-wang-00001"
HERE = f"/customers/{WANG}"
WORDS = {"en": ("The customer agrees", "Withdraw consent"), "zh": ("顾客同意", "顾客撤回同意")}


@pytest.fixture
def known(node: Node) -> Node:
    """Give a node that knows a customer who owes 99.00 since 70 days and 20.00 since today."""
    now = dt.datetime.now(dt.UTC)
    given = {"at": now, "actor": Actor.system("test", STORE)}
    agreed = frozenset({"phone", "tab", "points", "messages"})
    with node.database.write() as session:
        store = store_of(session, STORE)
        terms = points_terms.terms_of(STORE, True, 1, 100, 5, 10)
        points_terms.set_terms(Context(session, **given), terms)
        wished = Particulars("王小明 Bartholomew Featherstonehaugh", "13800138000", "zh", agreed, 20_000)
        customers.add(Context(session, **given), store, WANG, wished)
        day = now.date() - dt.timedelta(days=70)
        tab.carry_over(Context(session, **given), store, WANG, 9_900, day, id=new_id())
        tab.charge(Context(session, **given), store, WANG, 2_000, sale_id=new_id())
        loyalty.earn(Context(session, **given), store, WANG, 4_200, sale_id=new_id())
    return node


@in_languages("es")
def test_every_page_is_accessible_and_unclipped(page: Page, known: Node, faults: list[str], language: str):
    dress(page, language)
    enter(page, known, "/customers/", language=language)
    for path in (
        "/customers/",
        "/customers/new",
        HERE,
        f"{HERE}/change",
        f"{HERE}/statement",
        "/points/",
        "/vouchers/",
    ):
        page.goto(f"{known.url}{path}")
        assert_well_made_in_every_size(page, language)


def test_a_tab_is_found_and_paid_off_by_keyboard(page: Page, known: Node, faults: list[str]):
    enter(page, known, "/customers/")
    page.fill("#f-q", "8000")
    page.press("#f-q", "Enter")
    page.get_by_role("link", name="王小明").press("Enter")
    expect(page.locator(".owed-big")).to_have_text("$119.00")
    page.fill("#repay", "100")
    page.press("#repay", "Enter")
    expect(page.locator(".owed-big")).to_have_text("$19.00")
    page.get_by_role("button", name="Full amount").press("Enter")
    expect(page.locator(".owed-big")).to_have_text("$0.00")
    paid = known.rows(tab.TabEntry, kind="repayment")
    assert [row.amount_minor for row in sorted(paid, key=lambda row: row.n)] == [-10_000, -1_900]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_yes_to_member_prices_online_is_noted_at_the_till_in_the_customers_words(
    page: Page, known: Node, faults: list[str], language: str
):
    enter(page, known, language=language)
    page.locator("#customer-button").click()
    page.keyboard.type("8000")
    expect(page.locator(".row-button")).to_contain_text("王小明")
    with page.expect_response("**/api/customers/*"):
        page.keyboard.press("Enter")
    page.locator(".attached").click()
    asked = page.locator("#sheet blockquote")
    expect(asked).to_have_text(words.language("zh")(consent.ASKED["online"]))
    assert asked.get_attribute("lang") == "zh"
    assert_accessible(page)
    agrees, takes_back = (page.locator("#sheet .stack button", has_text=words) for words in WORDS[language])
    agrees.click()
    expect(page.locator("#sheet-says .note-good")).to_be_visible()
    assert [row.words for row in known.rows(consent.Consent, purpose="online")] == [
        words.language("zh")(consent.ASKED["online"])
    ]
    resize(page, PHONE)
    assert_well_made(page)
    takes_back.click()
    expect(agrees).to_be_visible()
    assert {row.given for row in known.rows(consent.Consent, purpose="online")} == {True, False}


def test_the_reminder_is_copied_also_where_a_browser_offers_no_clipboard(page: Page, known: Node, faults: list[str]):
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    enter(page, known, HERE)
    page.get_by_role("button", name="Copy the text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    page.locator("#reminder").evaluate("field => { field.readOnly = false; field.value = ''; field.focus(); }")
    page.keyboard.press("Control+V")
    expect(page.locator("#reminder")).to_have_value(re.compile(r"王小明"))

"""The customers' pages in a browser: well made in both languages and at both widths; the tab paid off by keyboard."""

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from config.ids import new_id
from config.journal import Actor
from pos import customers, loyalty, tab
from pos.customers import Particulars
from pos.loyalty import Scheme
from pos.store import store_of
from tests.browser.conftest import STORE, Node, assert_well_made_in_every_size, dress, enter

WANG = "customer-wang-00001"
HERE = f"/customers/{WANG}"


@pytest.fixture
def known(node: Node) -> Node:
    """Give a node that knows a customer who owes 99.00 since 70 days and 20.00 since today."""
    now = dt.datetime.now(dt.UTC)
    given = {"at": now, "actor": Actor.system("test", STORE)}
    agreed = frozenset({"phone", "tab", "points", "messages"})
    with node.database.write() as session:
        store = store_of(session, STORE)
        scheme = Scheme(active=True, points=1, per_minor=100, worth_minor=5, least_points=10)
        loyalty.set_scheme(session, STORE, scheme, **given)
        wished = Particulars("王小明 Bartholomew Featherstonehaugh", "13800138000", "zh", agreed, 20_000)
        customers.add(session, store, WANG, wished, **given)
        day = now.date() - dt.timedelta(days=70)
        tab.carry_over(session, store, WANG, 9_900, day, id=new_id(), **given)
        customers.charge(session, store, WANG, 2_000, sale_id=new_id(), **given)
        customers.earn(session, store, WANG, 4_200, sale_id=new_id(), **given)
    return node


@pytest.mark.parametrize("language", ["en", "zh"])
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
    page.fill("#q", "8000")
    page.press("#q", "Enter")
    page.get_by_role("link", name="王小明").press("Enter")
    expect(page.locator(".owed-big")).to_have_text("$119.00")
    page.fill("#repay", "100")
    page.press("#repay", "Enter")
    expect(page.locator(".owed-big")).to_have_text("$19.00")
    page.get_by_role("button", name="All of it").press("Enter")
    expect(page.locator(".owed-big")).to_have_text("$0.00")
    paid = known.rows(tab.TabEntry, kind="repayment")
    assert [row.amount_minor for row in sorted(paid, key=lambda row: row.n)] == [-10_000, -1_900]

"""The day in the browser: Today on a desk and a phone, fresh without a touch, and the close in the evening."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from config.clock import business_day
from config.nodes.journal import Actor, Context
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import batches
from pos.stock.batches import Lot
from pos.stock.ledger import CountTask
from pos.till import shift
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier
from tests.browser.conftest import PHONE, STORE, TILL, Node, assert_well_made_in_every_size, dress, enter, in_languages

pytestmark = pytest.mark.browser
ANA = Actor("ana", "Ana", "shopkeeper", STORE)


def a_morning(session: Session) -> None:
    """Let a week ago have sold, yesterday be closed, and an order, something to count and an expiring lot wait."""
    now = dt.datetime.now(dt.UTC)
    week_ago, yesterday = now - dt.timedelta(days=7), now - dt.timedelta(days=1)
    for at, price in ((week_ago, 379), (yesterday, 199)):
        ctx = Context(session, ANA, at)
        opened = shift.open_shift(ctx, STORE, TILL, 10_000)
        sku = "CHIPS" if price == 379 else "BREAD"
        sale.complete(ctx, SaleRequest(f"sale-{price:04d}", STORE, TILL, [(sku, 1)], [("cash", price)], price))
        shift.close(ctx, opened, 10_000 + price - (3 if at == yesterday else 0), why="as counted")
    today = business_day(now, "UTC", 4)
    day = today + dt.timedelta(days=1)
    session.add(Supplier(id="farm", name="Valley Farm", owner_id=STORE, kind="own", calendar=DeliveryCalendar()))
    session.flush()
    session.add(ReplenishmentOrder(
        store_id=STORE, id="order-1", order_no=1, supplier_id="farm", order_day=day, delivery_day=day,
        next_delivery_day=day, cost_minor=48_020, proposed_at=now,
    ))  # fmt: skip
    session.add(CountTask(store_id=STORE, sku="TEA", reason="below-zero", opened_at=now, done_at=None))
    batches.lay_in(session, STORE, [Lot("MILK", 60, None, today)], source_kind="delivery", source_id="d", at=now)
    shift.open_shift(Context(session, ANA, now), STORE, TILL, 10_000)


@pytest.fixture
def morning(make_node) -> Node:
    """Give a store on a busy morning."""
    return make_node(is_open=False, furnish=a_morning)


@in_languages("zh")
def test_today_is_well_made_in_every_size(page: Page, morning: Node, faults: list[str], language: str):
    dress(page, language)
    enter(page, morning, "/today/", language=language)
    expect(page.locator(".today-row")).to_have_count(6)
    assert_well_made_in_every_size(page, language)


def test_a_shopkeeper_signs_in_to_today_and_every_row_is_one_tap(page: Page, morning: Node, faults: list[str]):
    page.set_viewport_size(PHONE)
    page.goto(f"{morning.url}/")
    page.get_by_role("link", name="Ana").click()
    page.get_by_label("PIN").fill("2222")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    for row, heading in (
        ("Orders to approve or send", "Valley Farm"), ("Items to count", "Items to count"),
        ("Expiring today", "Expiry"),
        ("Till 1", "Cash drawer"), ("Z 2", "Z report 2"),
    ):  # fmt: skip
        page.get_by_role("link", name=row).click()
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="Today").click()


def test_what_is_sold_elsewhere_appears_by_itself_and_the_focus_stays(page: Page, morning: Node, faults: list[str]):
    page.clock.install()
    enter(page, morning, "/today/")
    expect(page.locator(".today-total b")).to_have_text("$0.00")
    page.get_by_role("link", name="Items to count").focus()
    with morning.database.write() as session:
        ctx = Context(session, ANA, dt.datetime.now(dt.UTC))
        sale.complete(ctx, SaleRequest("sale-now1", STORE, TILL, [("MILK", 1)], [("cash", 349)], 349))
    page.clock.run_for(16_000)
    expect(page.locator(".today-total b")).to_have_text("$3.49")
    expect(page.get_by_role("link", name="Items to count")).to_be_focused()


def test_today_is_one_tap_from_the_till(page: Page, morning: Node, faults: list[str]):
    enter(page, morning)
    page.get_by_role("link", name="Store", exact=True).click()
    expect(page.get_by_role("link", name="Z 2")).to_contain_text("$1.99")


@in_languages("zh")
def test_a_day_is_closed_and_tomorrow_begins_with_what_stayed(page: Page, node: Node, faults: list[str], language: str):
    dress(page, language)
    enter(page, node, "/money/", language=language)
    page.locator("form[action='/money/count'] button").click()
    page.locator("details:has(#sum) > summary").click()
    page.locator("#sum").fill("151.50")
    page.locator("form[action='/money/drawer/count'] .btn-go").click()
    expect(page.locator("#keep")).to_have_value("100.00")
    expect(page.locator("[data-rest]")).to_contain_text("51")
    page.locator("#keep").fill("90.25")
    expect(page.locator("[data-rest]")).to_contain_text("61")
    page.locator("[name=away][value=bank]").check()
    assert_well_made_in_every_size(page, language)
    page.locator("form.ending .btn-go").click()
    expect(page.locator("#why")).to_be_visible()  # it is off beyond the tolerance
    expect(page.locator("#keep")).to_have_value("90.25")
    page.locator("#why").fill("a sale not rung up")
    page.locator("form.ending .btn-go").click()
    expect(page).to_have_url(re.compile("/money/shifts/"))
    assert_well_made_in_every_size(page, language)
    page.goto(f"{node.url}/money/")
    expect(page.locator("#float")).to_have_value("90.25")

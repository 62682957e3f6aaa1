"""Work in the store as a browser shows it: accessible at the desk and on a phone, and a scanner loses nothing."""

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.ids import new_id
from config.nodes.journal import Context
from pos.stock import batches, delivery_notes, recall, stock, stocktake, waste
from pos.stock.batches import Lot
from pos.stock.stocktake import Counted
from tests.browser.conftest import assert_well_made, assert_well_made_in_every_size, dress, in_languages
from tests.browser.test_office import Office, enter, office
from tests.store_app import office as goods
from tests.store_app.conftest import NOON, STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser
BY = {"actor": goods.SYSTEM, "at": NOON}
MILK = goods.EAN["milk"]
PAGES = (
    "/stock/check/",
    "/stock/takes/",
    "/stock/takes/take-0001",
    "/stock/takes/take-0001/1",
    "/stock/takes/take-0002",
    "/stock/dates/",
    "/stock/waste/",
    "/stock/waste/?sku=milk",
    "/stock/in/",
    "/stock/in/note-0001",
    "/stock/back/",
    "/stock/back/?sku=milk&qty=6&batch=L7&reason=expired",
    "/stock/back/note-0002",
    "/stock/back/note-0003",
    "/stock/recalls/?sku=tea",
    "/stock/recalls/recall-0001",
)


@pytest.fixture
def busy(office: Office) -> Office:
    """Give a store with something in every room."""
    today = NOON.date()
    with office.house.doors.write() as session:
        for sku, qty, days, batch in (("milk", 6, 0, "L7"), ("bread", 3, -1, None), ("tea", 4, 2, None)):
            source, lot = new_id(), Lot(sku, qty, batch, today + dt.timedelta(days=days))
            stock.receive(Context(session, **BY), STORE, [(sku, qty)], source_id=source)
            batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id=source, at=NOON)
        waste.write_off(Context(session, **BY), STORE, waste.WriteOff("beer", 2, "breakage"))
        stocktake.start(Context(session, **BY), STORE, id="take-0001", name="Spring", sections=["Floor", "Cold room"])
        stocktake.enter(Context(session, **BY), STORE, "take-0001", 1, "beer", 12)
        stocktake.start(Context(session, **BY), STORE, id="take-0002", name="Drinks", sections=["Shelf"])
        stocktake.enter(Context(session, **BY), STORE, "take-0002", 1, "beer", 20, is_total=True)
        stocktake.finish_section(Context(session, **BY), STORE, "take-0002", 1)
        recall.call(Context(session, **BY), STORE, "milk", "L7", id="recall-0001", why="Glass", called_by="The dairy")
        delivery_notes.begin(
            Context(session, **BY), STORE, id="note-0001", supplier_name="Market hall", paper_no="A-77"
        )
        delivery_notes.add(Context(session, **BY), STORE, "note-0001", Lot("bread", 10), cost_minor=120)
        back = {"way": "back", "supplier_name": "Green Farm Dairy"}
        delivery_notes.begin(Context(session, **BY), STORE, id="note-0002", reason="damaged", paper_no="LS-77", **back)
        delivery_notes.add(Context(session, **BY), STORE, "note-0002", Lot("tea", 900), cost_minor=120)
        delivery_notes.add(Context(session, **BY), STORE, "note-0002", Lot("milk", 4, "L7", today), cost_minor=80)
        delivery_notes.begin(Context(session, **BY), STORE, id="note-0003", reason="expired", **back)
        delivery_notes.add(Context(session, **BY), STORE, "note-0003", Lot("bread", 2), cost_minor=90)
        delivery_notes.post(Context(session, **BY), STORE, "note-0003")
    return office


def counted(office: Office, sku: str) -> int:
    """Return what the first take has of a product."""
    with office.house.doors.read() as session:
        take = stocktake.take_of(session, STORE, "take-0001")
        row: Counted | None = stocktake.counted(session, take).get(sku)
    return row.counted_qty if row else 0


def scan(page: Page, code: str) -> None:
    """Scan as a wedge scanner does, once the page takes scans."""
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


@in_languages("de")
def test_every_room_is_accessible_and_unclipped(page: Page, busy: Office, faults: list[str], language: str):
    dress(page, language)
    enter(page, busy, "/stock/", language)
    for path in PAGES:
        page.goto(f"{busy.url}{path}")
        assert_well_made_in_every_size(page, language)


def test_thirty_scans_without_a_pause_lose_none_and_a_refused_one_stays_in_sight(page: Page, busy: Office):
    enter(page, busy, "/stock/takes/take-0001/1")
    for _ in range(15):
        scan(page, MILK)
    scan(page, "4006381333930")  # the last digit is wrong
    for _ in range(15):
        scan(page, MILK)
    expect(page.locator(".last-qty b")).to_have_text("30", timeout=60_000)  # thirty questions, one after the other
    expect(page.locator("[data-refused] li")).to_have_count(1)
    expect(page.locator("[data-refused] li")).to_contain_text("4006381333930")
    assert_well_made(page)
    assert counted(busy, "milk") == 30


def test_what_is_scanned_while_nobody_answers_is_kept_also_over_a_reload_and_counted_once(page: Page, busy: Office):
    enter(page, busy, "/stock/takes/take-0001/1")
    page.route("**/scan", lambda route: route.abort())
    for _ in range(4):
        scan(page, MILK)
    expect(page.locator("[data-scan-state]")).to_contain_text("4 scans are saved here")
    page.reload()
    expect(page.locator("[data-scan-state]")).to_contain_text("4 scans are saved here")
    page.unroute("**/scan")
    expect(page.locator(".last-qty b")).to_have_text("4")
    assert counted(busy, "milk") == 4


def test_the_rooms_work_without_script(browser: Any, busy: Office):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{busy.url}/signin/shopkeeper?next=/stock/takes/take-0001/2")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    page.fill("#code", MILK)
    page.press("#code", "Enter")
    expect(page.locator(".last-qty b")).to_have_text("1")
    page.goto(f"{busy.url}/stock/waste/?sku=milk")
    page.get_by_role("button", name="Breakage").click()
    expect(page.locator("main")).to_contain_text("Written off: 1 of Whole milk.")
    context.close()


def test_goods_are_sent_back_by_touch_and_scanner_with_a_slip_for_the_driver(
    page: Page, busy: Office, faults: list[str]
):
    enter(page, busy, "/stock/dates/")
    page.locator("a[href*='stock/back'][href*=bread]").click()
    page.locator(".reason-tiles").get_by_text("Damaged").click()
    page.fill("#supplier", "Bakery Brown")
    page.get_by_role("button", name="Start slip").click()
    expect(page.locator(".running")).to_contain_text("Rye bread")
    scan(page, MILK)
    expect(page.locator(".last-name")).to_have_text("Whole milk")
    page.get_by_role("button", name="batch L7").click()
    expect(page.locator(".running")).to_contain_text("batch L7")
    page.get_by_role("button", name="Post return").click()
    expect(page.locator("main")).to_contain_text("Sent back. The products have been removed from your stock.")
    expect(page.get_by_role("button", name="Print the slip again")).to_be_visible()
    assert_well_made(page)

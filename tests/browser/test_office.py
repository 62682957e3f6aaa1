"""The back office as a browser shows it: accessible, unclipped, in both languages, on the desk and on a phone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from config.nodes.journal import Context
from pos.till import shift
from store_app.pages.orders.replays import WAYS
from supply.money.credit import CreditDraw
from supply.online.pickup import pickup
from supply.orders import orders
from supply.orders.suppliers import Contact, add_supplier
from supply.receiving import receiving
from supply.replenishment import budget, order_simulation, proposals, replays
from supply.shelf import plan as shelf_plan
from tests.arriving import hear
from tests.browser.conftest import (
    PHONE,
    assert_well_made,
    assert_well_made_in_every_size,
    dress,
    in_languages,
    sign_in,
    wedge,
)
from tests.browser.held import Held
from tests.browser.served import serve
from tests.store_app import complaints, money
from tests.store_app import office as goods
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.pages.orders.test_replays import weeks
from tests.store_app.pages.orders.test_transfers import CODE, reported

pytestmark = pytest.mark.browser
BY = {"actor": goods.SYSTEM, "at": NOON}
PAGES = [
    "/orders/",
    "/orders/order-P1",
    "/orders/order-P2",
    "/suppliers/",
    "/suppliers/net",
    "/stock/",
    "/stock/?show=low",
    "/products/milk",
    "/stock/milk/count",
    "/transfers/",
    "/deliveries/",
    "/deliveries/D1",
    "/deliveries/D2",
    "/claims/",
    f"/claims/new/{complaints.DELIVERY}",
    f"/claims/{complaints.CONTESTED}",
    "/stock/network/",
    "/shelf/",
    "/shelf/labels",
    "/counter-order/?q=m",
    "/campaigns/",
    "/groups/",
    "/reviews/",
    "/settings/online-shop/",
    "/orders/proof",
    "/pickup/",
    "/pickup/order-0001",
    "/pickup/order-0002",
    "/pickup/order-0003",
    "/pickup/past",
    "/finance/",
    "/finance/statement",
    "/standing/",
    "/compare/",
    "/settings/?check=1",
    "/training/",
    "/first-steps/",
    "/training/ring-up",
    "/settings/paper/",
]


@dataclass
class Office:
    """A furnished store node that answers on a port."""

    house: House
    url: str


@pytest.fixture
def office(build: Any) -> Iterator[Office]:
    """Serve a store with something on every page."""
    house = build(public_url="https://shops.example", printer="paper")
    goods.fill(house, _furnish)
    with serve(house) as url:
        yield Office(house, url)


def _furnish(house: House) -> None:
    goods.fill(house)
    with house.doors.write() as session:
        goods.proposal(session)
        complaints.furnish(session, booked=False)
        goods.proposal(session, "order-P2", 8)
        session.flush()
        money.at_store(session)
        proposals.approve(Context(session, **BY), STORE, "order-P2")
        orders.send(Context(session, **BY), STORE, "order-P2")
        shift.open_shift(Context(session, **BY), STORE, "1", 10_000)
        goods.delivery(session, "D2", [("milk", 24, 12), ("apple", 8000, 8000), ("soap", 12, 12)])
        session.flush()
        receiving.begin_count(Context(session, **BY), STORE, "D2")
        plan = shelf_plan.draft(Context(session, **BY), STORE, slots=5)
        shelf_plan.approve(Context(session, **BY), STORE, plan.id, from_day=NOON.date())
        shelf_plan.refill(Context(session, **BY), STORE, "milk", 3, id="refill-0001")
        shelf_plan.replace(Context(session, **BY), shelf_plan.draft(Context(session, **BY), STORE, slots=5), 1, "tea")
        for order_id in ("order-0002", "order-0003"):
            pickup.accept(Context(session, **BY), STORE, order_id)
            pickup.start_picking(Context(session, **BY), STORE, order_id)
        pickup.ready(Context(session, **BY), STORE, "order-0003")
        for number, (gives, state) in enumerate([(True, "proposed"), (True, "agreed"), (False, "agreed")]):
            hear(
                session,
                "transfer.reported",
                reported(f"transfer-{number}", gives=gives, state=state, code=CODE),
                at=BY["at"],
            )


def enter(page: Page, office: Office, path: str, language: str = "en") -> None:
    """Sign in as the shopkeeper and open a page."""
    sign_in(page, office.url, "shopkeeper", "2222")
    page.goto(f"{office.url}{path}?lang={language}")


@in_languages("zh")
def test_every_page_is_accessible_and_unclipped(page: Page, office: Office, faults: list[str], language: str):
    dress(page, language)
    enter(page, office, "/stock/", language)
    for path in PAGES:
        page.goto(f"{office.url}{path}")
        assert_well_made_in_every_size(page, language)


def test_an_order_is_handed_over_by_keyboard_with_the_change_shown(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/pickup/")
    page.fill("#scan", goods.code_for("order-0003"))
    page.press("#scan", "Enter")
    page.wait_for_url("**/hand-over*")
    assert_well_made(page)
    page.fill("#given", "5")
    page.press("#given", "Enter")
    expect(page.locator(".change-large")).to_have_text("$2.50")
    assert_well_made(page)


def test_a_changed_line_is_saved_by_itself_summed_at_once_undone_and_saved_before_the_order_goes(
    page: Page, office: Office, faults: list[str]
):
    enter(page, office, "/orders/order-P1")
    page.evaluate("window.unchanged = true")
    milk, bread = page.locator("#line-milk"), page.locator("#line-bread")
    packs, total = milk.locator("input[name=packs]"), page.locator("#total-order-P1")
    before = total.inner_text()
    bread.locator("input[name=packs]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(packs).to_be_focused()
    page.keyboard.type("3")
    expect(milk.locator("output")).to_have_text("about 11 days")
    expect(milk.locator(".order-cost")).to_have_text("$27.84")
    expect(total).not_to_have_text(before)
    page.keyboard.press("Enter")
    expect(milk.locator(".order-saved")).to_contain_text("Suggested 1; changed by shopkeeper")
    milk.locator("select").select_option("change-too-few")
    expect(milk).to_contain_text("future suggestions learn half")
    assert_well_made(page)
    milk.get_by_role("button", name="Undo").click()
    expect(packs).to_have_value("1")
    expect(total).to_have_text(before)
    milk.locator("summary").click()
    expect(milk.locator(".uplot")).to_be_visible()
    assert page.evaluate("window.unchanged")
    packs.fill("2")
    page.get_by_role("button", name="Approve and send").first.click()
    expect(page.get_by_role("heading", name="Items ordered")).to_be_visible()
    with office.house.doors.read() as session:
        assert session.get_one(orders.OrderLine, (STORE, "order-P1", "milk")).packs == 2
        assert session.get_one(orders.ReplenishmentOrder, (STORE, "order-P1")).state == "sent"


@in_languages("zh")
def test_the_weeks_ahead_and_the_proof_with_its_six_curves_are_well_made(
    page: Page, office: Office, faults: list[str], language: str
):
    way = {"cover_days": 9.0, "waste_value": 100, "lost_value": 30, "order_lines": 9}
    body = {
        "fill": 0.97, "products": 120, "stores": 1, "days": 56,
        "ways": {name: way | {"stock_value": 10_000 + 1_500 * n} for n, name in enumerate(WAYS)},
        "curves": {name: [(0.92, 8_000 + 1_500 * n), (0.97, 10_000 + 1_500 * n), (0.99, 14_000 + 1_500 * n)]
                   for n, name in enumerate(WAYS)},
    }  # fmt: skip
    with office.house.doors.write() as session:
        replays.keep(session, "store", STORE, body, last_day=NOON.date(), at=NOON)
        order_simulation.keep(session, STORE, weeks(NOON.date()), at=NOON)
    dress(page, language)
    enter(page, office, "/orders/proof", language)
    expect(page.locator(".proof:visible g")).to_have_count(6)
    assert_well_made_in_every_size(page, language)


def test_all_orders_go_at_once_on_the_phone_paid_as_was_chosen(page: Page, office: Office, faults: list[str]):
    with office.house.doors.write() as session:
        add_supplier(Context(session, **BY), STORE, Contact("Farm"), id="farm")
        goods.proposal(session, "order-P3", 9)
        session.get_one(orders.ReplenishmentOrder, (STORE, "order-P3")).supplier_id = "farm"
    page.set_viewport_size(PHONE)
    enter(page, office, "/orders/")
    together = page.get_by_role("region", name="All 2 orders at once")
    together.get_by_label("On credit").check()
    together.get_by_role("button", name="Approve and send all").click()
    expect(page.get_by_text("2 orders sent.")).to_be_visible()
    with office.house.doors.read() as session:
        drawn = session.scalars(sa.select(CreditDraw.order_id)).all()
        assert "order-P1" in drawn
        assert "order-P3" not in drawn, "a supplier of the store's own is not paid on the network's credit"


def test_a_changed_number_of_packs_says_at_once_how_likely_the_product_sells_out(
    page: Page, office: Office, faults: list[str]
):
    with office.house.doors.write() as session:
        line = session.get_one(orders.OrderLine, (STORE, "order-P1", "milk"))
        line.why = line.why | {"risks_bp": [5_000, 1_000, 999, 0]}
        line.packs = 1
    enter(page, office, "/orders/order-P1")
    milk = page.locator("#line-milk")
    said = milk.locator("output")
    for press, ends in (("More", "days"), ("Less", "days, may run out"), ("Less", "days, will probably run out")):
        milk.get_by_role("button", name=press).click()
        expect(said).to_have_text(re.compile(rf"^about [\d.]+ {ends}$"))


def test_saving_one_line_keeps_what_is_typed_on_the_others_and_what_is_not_saved_is_said_and_asked_about(
    page: Page, office: Office, faults: list[str]
):
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    enter(page, office, "/orders/order-P1")
    milk, bread = page.locator("#line-milk"), page.locator("#line-bread")
    packs = bread.locator("input[name=packs]")
    packs.focus()
    page.keyboard.type("7")
    # what a script or the browser sized is no inline style to copy: the policy refuses that, once an element
    page.evaluate("document.querySelectorAll('.basket [id]').forEach((one) => { one.style.minHeight = '1px'; })")
    page.evaluate("document.querySelector('#line-milk [data-step=\"1\"]').click()")
    expect(milk).to_contain_text("changed by shopkeeper")
    expect(packs).to_have_value("7")
    expect(packs).to_be_focused()
    assert asked == []
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(bread.get_by_role("alert")).to_contain_text("Not saved. Check the connection.")
    page.context.set_offline(False)
    faults.clear()
    page.goto(f"{office.url}/orders/")
    assert asked == ["beforeunload"]


def test_an_order_waits_for_a_change_that_is_sent_after_another(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/orders/order-P1")
    milk = page.locator("#line-milk")
    held = Held(page, "**/lines/milk")
    milk.get_by_role("button", name="More").click()
    first = held.take()
    milk.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Approve and send").first.click()
    first.continue_()
    held.take().continue_()
    expect(page.get_by_role("heading", name="Items ordered")).to_be_visible()
    with office.house.doors.read() as session:
        assert session.get_one(orders.OrderLine, (STORE, "order-P1", "milk")).packs == 3


def test_a_change_of_an_order_that_was_sent_meanwhile_shows_the_order_as_it_went(
    page: Page, office: Office, faults: list[str]
):
    enter(page, office, "/orders/order-P1")
    with office.house.doors.write() as session:
        proposals.approve(Context(session, **BY), STORE, "order-P1")
    page.locator("#line-milk").get_by_role("button", name="More").click()
    expect(page.get_by_role("heading", name="Items ordered")).to_be_visible()
    faults.clear()


def test_a_shelf_that_is_empty_lasts_no_day(page: Page, office: Office, faults: list[str]):
    with office.house.doors.write() as session:
        line = session.get_one(orders.OrderLine, (STORE, "order-P1", "milk"))
        empty = {"on_hand": 0, "reserved": 0, "on_the_way": 0, "counted_qty_milli": 941, "per_day": 0.941}
        line.why, line.packs = line.why | empty | {"risks_bp": [7_000, 100]}, 1
    enter(page, office, "/orders/order-P1")
    milk = page.locator("#line-milk")
    milk.get_by_role("button", name="Less").click()
    expect(milk.locator("output")).to_have_text("None left to sell")


def test_a_change_that_goes_beyond_the_week_s_money_says_so_while_it_is_typed(
    page: Page, office: Office, faults: list[str]
):
    with office.house.doors.write() as session:
        row = orders.order_of(session, STORE, "order-P1")
        budget.set_budget(Context(session, **BY), STORE, 1_000_000)
        taken = 1_000_000 - budget.left_for(session, row, NOON.date())[0].left_minor
        limit = taken + orders.cost_of(orders.lines_of(session, row)) + 100
        budget.set_budget(Context(session, **BY), STORE, limit)
    enter(page, office, "/orders/order-P1")
    milk = page.locator("#line-milk")
    milk.get_by_role("button", name="More").click()
    beyond = page.locator("[data-beyond] .field-error")
    expect(beyond).to_have_text("$8.28 above the weekly budget")
    assert_well_made(page)
    milk.get_by_role("button", name="Less").click()
    expect(beyond).to_be_empty()


def test_a_count_that_differs_asks_why_and_a_scan_counts_and_waits_to_be_typed_over(
    page: Page, office: Office, faults: list[str]
):
    enter(page, office, "/deliveries/D2")
    milk = page.locator("#line-milk")
    expect(milk.locator("select")).to_be_hidden()
    milk.get_by_role("button", name="Less").click()
    expect(milk.locator("select")).to_be_visible()
    typed = int(milk.locator("input[type=number]").input_value())
    page.fill("#scan", goods.EAN["milk"])
    page.press("#scan", "Enter")
    expect(milk.locator("input[type=number]")).to_have_value(str(typed + 1))
    expect(milk.locator("input[type=number]")).to_be_focused()
    wedge(page, goods.EAN["milk"])
    expect(milk.locator("input[type=number]")).to_have_value(str(typed + 2))
    expect(milk.locator("input[type=number]")).to_be_focused()
    page.keyboard.type(str(typed))
    milk.locator("select").select_option("difference-broken")
    page.get_by_role("button", name="Post").click()
    expect(page.locator("main")).to_contain_text("Broken")


def test_the_pages_work_without_script(browser: Any, office: Office):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{office.url}/signin/shopkeeper?next=/stock/milk/count")
    page.fill("#pin", "2222")
    page.press("#pin", "Enter")
    page.fill("#counted", "7")
    page.get_by_role("button", name="Confirm count").click()
    expect(page.locator("main")).to_contain_text("has been counted")
    context.close()


def test_a_draft_of_the_shelf_is_arranged_by_dragging_and_by_keyboard(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/shelf/")
    form = page.locator("form[data-arrange][data-wired]")
    slots = form.locator(".slot")
    names = [slot.get_attribute("data-name") for slot in slots.all()]
    first, third = slots.nth(0).locator(".slot-front"), slots.nth(2).locator(".slot-front")
    first.drag_to(third)
    expect(slots.nth(2)).to_have_attribute("data-name", str(names[0]))
    expect(page.locator("#shelf-live")).to_contain_text(str(names[0]))
    edge = slots.nth(0).locator(".facing-edge")
    wide = int(slots.nth(0).get_attribute("data-facings") or 1)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * 36 + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(slots.nth(0).locator("[name=facings]")).to_have_value(str(wide + 2))
    slots.nth(3).locator(".slot-grip").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("-")
    assert_well_made(page)
    wanted = [(slot.get_attribute("data-name"), slot.locator("[name=facings]").input_value()) for slot in slots.all()]
    form.get_by_role("button", name="Save arrangement").click()
    expect(page.locator(".note-good")).to_be_visible()
    with office.house.doors.read() as session:
        (plan,) = shelf_plan.plans(session, STORE, "drafted")
        assert [(row.name, str(row.facings)) for row in shelf_plan.slots_of(session, plan)] == wanted

"""What a counter does all day: lines of their own, offers, leave by PIN, parking, voiding, customers, returns."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from config.clock import SystemClock
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue.catalogue import Product, TaxClass
from pos.customers import customers, loyalty, tab
from pos.customers.customers import Particulars
from pos.customers.loyalty import PointsAccount
from pos.customers.tab import TabAccount
from pos.messages import OutgoingMessage
from pos.payments.payments import Payment
from pos.printing.queue import PrintJob, lay_out
from pos.sold import Sale, SaleLine
from pos.stock.ledger import StockMovement
from pos.store.store import store_of
from pos.till.parked import Basket
from tests.browser.conftest import (
    CODES,
    DESK,
    PHONE,
    STORE,
    Node,
    assert_accessible,
    assert_well_made,
    by_hand,
    dress,
    enter,
    resize,
    wedge,
)
from tests.browser.counter import CASHIER, COLA, MARTA, PLUMS_482_G, enter_as, furnish, kept, priced, voucher_of
from tests.browser.held import Held
from tests.readable import as_text

pytestmark = pytest.mark.browser


@pytest.fixture
def store(make_node: Callable[..., Node]) -> Node:
    """Give a counter with everything on it."""
    return make_node(furnish=furnish)


def journal_of(node: Node, verb: str) -> list[Any]:
    with node.database.read() as session:
        return list(session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == verb)))


def pay_exactly(page: Page) -> None:
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


def pin(page: Page, digits: str) -> None:
    for digit in digits:
        page.locator(f"#pin-pad [data-key='{digit}']").click()
    page.keyboard.press("Enter")


def test_offers_deposits_and_hints_are_named_and_the_receipt_has_the_screens_total(
    page: Page, store: Node, faults: list[str]
):
    enter(page, store)
    wedge(page, CODES["BREAD"], CODES["BREAD"])
    expect(page.locator("#hints")).to_contain_text("1 more to save $1.99: 3 for 2 bread")
    wedge(page, CODES["BREAD"], COLA, PLUMS_482_G)
    expect(page.locator("#lines")).to_contain_text("3 for 2 bread")
    expect(page.locator("#lines .deposit")).to_contain_text("1 × Bottle deposit")
    expect(page.locator("#saved")).to_have_text("You save $1.99")
    expect(page.locator("#total")).to_have_text("$7.66")
    pay_exactly(page)
    (sale,) = store.rows(Sale)
    assert sale.total_minor == 766
    lines = {line.sku: line for line in store.rows(SaleLine, sale_id=sale.id)}
    assert lines["BREAD"].discount_minor == 199
    assert (lines["123"].qty, lines["DEPOSIT"].qty) == (482, 1)
    (job,) = store.rows(PrintJob, kind="receipt")
    assert re.search(r"(?mi)total.*7\.66$", as_text(lay_out("receipt", job.document, columns=42), 42))


def test_the_same_product_stands_twice_at_two_prices_and_plain_scans_go_together(
    page: Page, store: Node, faults: list[str]
):
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.get_by_role("button", name="Price of Whole milk").click()
    page.keyboard.type("300", delay=60)
    page.get_by_role("button", name="Different shelf price").click()
    page.keyboard.press("Enter")
    expect(page.locator("#lines")).to_contain_text("Instead of $3.49 · Different shelf price")
    wedge(page, CODES["MILK"], CODES["MILK"])
    expect(page.locator("#lines > li")).to_have_count(2)
    expect(page.locator("#total")).to_have_text("$9.98")
    page.locator("#lines > li").last.get_by_role("button", name="Note on Whole milk").click()  # a frame later
    by_hand(page, "cold one")
    wedge(page, CODES["TEA"])
    page.keyboard.press("Delete")
    pay_exactly(page)
    (sale,) = store.rows(Sale)
    lines = sorted(
        (line.qty, line.unit_price_minor, line.price_type, line.reason, line.note) for line in store.rows(SaleLine)
    )
    assert lines == [(1, 300, "override", "why-price-on-shelf", ""), (2, 349, "list", "", "cold one")]
    (booked,) = journal_of(store, "sale.completed")
    assert (booked.subject, json.loads(booked.body)["corrections"]) == (f"sale:{sale.id}", 1)


def test_a_discount_beyond_the_cashiers_limit_wants_a_supervisors_pin_and_is_undone_without_it(page: Page, store: Node):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    for allowed in (False, True):
        page.keyboard.press("F7")
        page.get_by_role("button", name="20%").click()
        page.get_by_role("button", name="Damaged packaging").click()
        page.keyboard.press("Enter")
        expect(page.locator("#sheet-title")).to_have_text("Supervisor approval needed")
        expect(page.locator(".sheet-lead")).to_have_text("Whole milk, 1 ×: $0.70 off $3.49 (20%)")
        if not allowed:
            page.keyboard.press("Escape")
            expect(page.locator("#total")).to_have_text("$3.49")
            expect(page.locator("#lines .extra")).to_have_count(0)
    page.get_by_role("button", name="Sue").click()
    pin(page, "0000")
    expect(page.locator("#sheet-says")).to_contain_text(re.compile("PIN"))
    pin(page, "3333")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("$2.79")
    pay_exactly(page)
    (sale,) = store.rows(Sale)
    assert (sale.total_minor, sale.cashier_id) == (279, "cem")
    (used,) = journal_of(store, "approval.used")
    assert used.subject == f"sale:{sale.id}"
    assert json.loads(used.body)["covers"] == [{"sku": "MILK", "qty": 1, "discount_minor": 70, "discount_bp": 2000}]


def test_a_parked_basket_is_taken_up_at_another_till(page: Page, browser: Browser, store: Node, faults: list[str]):
    enter(page, store)
    wedge(page, CODES["MILK"], CODES["TEA"])
    basket_id = kept(page)["id"]
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    expect(page.locator("#nothing")).to_be_visible()
    assert kept(page)["id"] != basket_id
    other = browser.new_context().new_page()
    enter_as(other, store, ("cem", "1111"), "/till/?till=T2")
    expect(other.locator("#parked-count")).to_have_text("1")
    wedge(other, CODES["BREAD"])
    other.keyboard.press("F4")
    by_hand(other, "back in a minute")
    expect(other.locator("#says")).to_contain_text("Basket on hold")
    other.keyboard.press("F4")
    other.get_by_role("button", name=re.compile("red coat")).click()
    expect(other.locator("#total")).to_have_text("$6.48")
    expect(other.locator("#says")).to_be_empty()
    pay_exactly(other)
    (sale,) = store.rows(Sale)
    assert (sale.id, sale.till_id) == (basket_id, "T2")
    other.context.close()
    page.keyboard.press("F4")
    page.get_by_role("button", name=re.compile("back in a minute")).click()
    expect(page.locator("#total")).to_have_text("$1.99")


def test_a_void_wants_a_reason_and_a_permission(page: Page, store: Node, faults: list[str]):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    page.locator("#void-button").click()
    page.locator("#sheet-foot").get_by_role("button", name="Void the sale").click()
    expect(page.locator("#sheet-says")).to_contain_text("Choose a reason first")
    page.get_by_role("button", name="Not enough money").click()
    page.locator("#sheet-foot").get_by_role("button", name="Void the sale").click()
    page.get_by_role("button", name="Sue").click()
    pin(page, "3333")
    expect(page.locator("#nothing")).to_be_visible()
    (basket,) = store.rows(Basket)
    assert (basket.state, basket.why, basket.total_minor) == ("voided", "void-no-money", 349)
    assert store.rows(Sale) == []


def test_every_piece_taken_off_after_it_was_shown_is_kept_through_reload_and_parking_and_sent(
    page: Page, store: Node, faults: list[str]
):
    enter(page, store)
    by_hand(page, f"10*{CODES['MILK']}")
    by_hand(page, f"2*{CODES['TEA']}")
    page.keyboard.press("-")
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name=re.compile("Quantity of Whole milk")).click()
    page.keyboard.type("1", delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("$6.48")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    expect(page.locator("#nothing")).to_be_visible()
    page.keyboard.press("F4")
    page.get_by_role("button", name=re.compile("red coat")).click()
    expect(page.locator("#total")).to_have_text("$6.48")
    page.keyboard.press("Delete")
    expect(page.locator("#total")).to_have_text("$3.49")
    pay_exactly(page)
    (booked,) = journal_of(store, "sale.completed")
    assert json.loads(booked.body)["taken_off"] == [["TEA", 2, 598], ["MILK", 9, 3141]]


def test_a_basket_emptied_line_by_line_is_given_up_with_a_reason_and_leave(page: Page, store: Node, faults: list[str]):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    page.keyboard.press("Delete")
    expect(page.locator("#nothing")).to_be_visible()  # one wrong scan wants nobody's leave
    page.get_by_role("button", name="Undo").click()
    wedge(page, CODES["TEA"])
    page.keyboard.press("Delete")
    expect(page.locator("#total")).to_have_text("$3.49")
    page.keyboard.press("Delete")
    expect(page.locator("#sheet-title")).to_have_text("Void this sale of $3.49?")
    page.keyboard.press("Escape")
    expect(page.locator("#total")).to_have_text("$3.49")
    page.keyboard.press("-")
    page.get_by_role("button", name="Not enough money").click()
    page.locator("#sheet-foot").get_by_role("button", name="Void the sale").click()
    page.get_by_role("button", name="Sue").click()
    pin(page, "3333")
    expect(page.locator("#nothing")).to_be_visible()
    (booked,) = journal_of(store, "basket.voided")
    reported = json.loads(booked.body)
    assert (reported["total_minor"], reported["lines"], reported["taken_off"]) == (
        349,
        [["MILK", 1]],
        [["TEA", 1, 299]],
    )


def test_what_is_scanned_while_a_pin_is_checked_waits_for_the_next_basket(page: Page, store: Node):
    held = Held(page, "**/api/approvals")
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    page.locator("#void-button").click()
    page.get_by_role("button", name="Not enough money").click()
    page.locator("#sheet-foot").get_by_role("button", name="Void the sale").click()
    page.get_by_role("button", name="Sue").click()
    pin(page, "3333")
    approval = held.take()
    wedge(page, CODES["TEA"])
    expect(page.locator("#sheet")).to_be_visible()
    approval.continue_()
    expect(page.locator("#lines")).to_contain_text("Green tea")
    expect(page.locator("#lines")).not_to_contain_text("Whole milk")


def test_nothing_is_said_of_a_tab_or_points_that_a_customer_has_not(page: Page, store: Node):
    at = SystemClock().now()
    with store.database.write() as session:
        agreed = Particulars("Nora Hill", "", "en", frozenset(), 0)
        customers.add(
            Context(session, Actor("ana", "Ana", "shopkeeper", STORE), at),
            store_of(session, STORE),
            "customer-nora",
            agreed,
        )
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.locator("#customer-button").click()
    page.locator("#customer-search").fill("nora")  # one question: a later answer draws the names again under the press
    page.get_by_role("button", name="Nora Hill").click()
    expect(page.locator("#attached")).to_have_text("Nora Hill")
    page.keyboard.press("F8")
    expect(page.locator("[data-tender=voucher]")).to_be_visible()
    expect(page.locator("[data-tender=tab]")).to_be_hidden()
    expect(page.locator("[data-tender=points]")).to_be_hidden()


def test_a_customers_tab_has_a_hard_limit_also_on_part_payment(page: Page, store: Node):
    enter(page, store)
    wedge(page, CODES["BEER"])
    page.locator("#customer-button").click()
    page.keyboard.type("mar", delay=60)
    expect(page.locator(".row-button")).to_contain_text("Marta Novak")
    page.keyboard.press("Enter")
    expect(page.locator("#attached")).to_contain_text("owes $0.00, can charge $5.00 more")
    page.keyboard.press("F8")
    page.get_by_role("button", name="ID checked").click()
    page.keyboard.type("100", delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#parts")).to_contain_text("$1.00")
    page.locator("[data-tender=tab]").click()
    expect(page.locator("#customer-way")).to_contain_text("can put up to $5.00 more on the tab")
    expect(page.locator("#take")).to_be_enabled()
    expect(page.locator("#take-word")).to_have_text("Take $5.00; $1.99 still to pay")
    page.keyboard.press("F8")
    expect(page.locator("#pay-due")).to_have_text("$1.99")
    assert store.rows(Sale) == []
    expect(page.locator("#take")).to_be_enabled()  # it rested
    page.locator("[data-tender=tab]").click()
    expect(page.locator("#take")).to_be_disabled()
    page.locator("[data-tender=cash]").click()
    expect(page.locator("#take")).to_be_enabled()
    page.keyboard.press("F8")
    expect(page.locator("#done-extras")).to_contain_text("points earned")
    (sale,) = store.rows(Sale)
    assert (sale.customer_id, sale.age_checked, sale.age_how) == (MARTA, 21, "document")
    (account,) = store.rows(TabAccount, customer_id=MARTA)
    assert account.balance_minor == 500


def test_a_customer_who_arrives_while_the_panel_is_open_may_pay_with_tab_and_points_at_once(page: Page, store: Node):
    with store.database.write() as session:
        ana = Actor("ana", "Ana", "shopkeeper", STORE)
        loyalty.earn(
            Context(session, ana, SystemClock().now()), store_of(session, STORE), MARTA, 7300, sale_id="sale-0001"
        )
    held = Held(page, f"**/api/customers/{MARTA}")
    enter(page, store)
    wedge(page, CODES["MILK"])
    page.locator("#customer-button").click()
    page.keyboard.type("mar", delay=60)
    expect(page.locator(".row-button")).to_contain_text("Marta Novak")
    page.keyboard.press("Enter")
    asked = held.take()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("[data-tender=cash]")).to_be_visible()
    expect(page.locator("[data-tender=tab]")).to_be_hidden()
    asked.continue_()
    expect(page.locator("[data-tender=points]")).to_be_visible()
    page.locator("[data-tender=tab]").click()
    expect(page.locator("#customer-way")).to_contain_text("can put up to $5.00 more on the tab")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    expect(page.locator("#done-word")).to_have_text("Put on the tab")
    assert [row.tender for row in store.rows(Payment)] == ["tab"]


_COVERED = """field => {
  const { x, y, width, height } = field.getBoundingClientRect();
  return !field.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""
"""Whether something else lies over the middle of a field, so that a finger does not reach it."""


@pytest.mark.parametrize(("size", "language"), [(DESK, "en"), (PHONE, "zh")])
def test_the_slips_number_is_in_reach_and_hears_the_keys_also_after_its_absence_was_refused(
    page: Page, make_node: Callable[..., Node], faults: list[str], size: Any, language: str
):
    """A second reader beside the terminal: no key goes to the amount, and the sentence asks for no more than is due."""
    node = make_node(payment_service="practice-scripted", furnish=furnish)
    resize(page, size)
    enter(page, node, language=language)
    wedge(page, CODES["MILK"])
    page.locator("#pay-button").click()
    page.locator("[data-tender=card]").click()
    page.locator("[data-way=slip]").click()
    slip = page.locator("#card-reference")
    for press in (lambda: None, page.locator("#take").click):
        press()
        expect(slip).to_be_focused()
        assert not slip.evaluate(_COVERED)
        assert not page.locator("#given").evaluate(_COVERED)
    assert_accessible(page)
    page.keyboard.type("47")
    expect(slip).to_have_value("47")
    expect(page.locator("#given")).to_have_text("$3.49")
    for key in "4711":
        page.locator(f"#cash-pad [data-key='{key}']").click()
    expect(page.locator("#given")).to_have_text("$3.49")
    expect(page.locator("#card-ask")).to_contain_text("$3.49")
    page.locator("#take").click()
    expect(page.locator("#pay-done")).to_be_visible()
    assert [payment.reference for payment in node.rows(Payment)] == ["47"]


def test_a_customer_whose_tab_was_paid_off_is_not_the_next_sales_and_a_baskets_own_is_read_again(
    page: Page, store: Node, faults: list[str]
):
    """An empty basket is the next customer's; one with products keeps its own, with what they owe now."""

    def attach() -> None:
        page.locator("#customer-button").click()
        page.keyboard.type("3456")
        expect(page.locator(".row-button")).to_contain_text("Marta")
        page.keyboard.press("Enter")
        expect(page.locator("#attached")).to_contain_text("Marta")

    enter(page, store)
    attach()
    page.locator("#customer-button").click()
    page.get_by_role("link", name="Pay off the tab").click()
    page.wait_for_url("**/customers/*")
    page.goto(f"{store.url}/till/")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#attached")).to_be_hidden()
    wedge(page, CODES["MILK"])
    attach()
    priced(page)
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": SystemClock().now()}
    with store.database.write() as session:
        tab.charge(Context(session, **by), store_of(session, STORE), MARTA, 123, sale_id="elsewhere-1")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#attached")).to_contain_text("$1.23")


def test_points_and_a_voucher_pay_what_they_are_worth_and_the_rest_is_paid_otherwise(page: Page, store: Node):
    with store.database.write() as session:
        ana = Actor("ana", "Ana", "shopkeeper", STORE)
        loyalty.earn(
            Context(session, ana, SystemClock().now()), store_of(session, STORE), MARTA, 7300, sale_id="sale-0001"
        )
    worth = {row.points for row in store.rows(PointsAccount, customer_id=MARTA)}
    assert worth == {73}
    enter(page, store)
    wedge(page, *[CODES["MILK"]] * 7)
    page.locator("#customer-button").click()
    page.keyboard.type("mar", delay=60)
    expect(page.locator(".row-button")).to_contain_text("Marta Novak")
    with page.expect_response("**/api/quote"):
        page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("73 points")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("$24.43")
    page.keyboard.press("F8")
    page.locator("[data-tender=points]").click()
    expect(page.locator("#take-word")).to_have_text("Take $1.46; $22.97 still to pay")
    page.locator("#take").click()
    expect(page.locator("#pay-due")).to_have_text("$22.97")
    page.locator("[data-tender=voucher]").click()
    # typed as fast as a scanner, and pressed before it is known that none was at work: the press finds every message
    page.evaluate("later = setTimeout; setTimeout = (call, ms, ...rest) => later(call, ms === 40 ? 4000 : ms, ...rest)")
    page.keyboard.type(voucher_of(store))
    page.locator("#voucher-look").click()
    expect(page.locator("#take-word")).to_have_text("Take $20.00; $2.97 still to pay")
    page.locator("#take").click()
    expect(page.locator("#pay-due")).to_have_text("$2.97")
    expect(page.locator("#take")).to_be_enabled()
    page.locator("#take").click()
    expect(page.locator("#pay-done")).to_be_visible()
    (sale,) = store.rows(Sale)
    paid = {row.tender: row.amount_minor for row in store.rows(Payment, sale_id=sale.id) if not row.is_change}
    assert paid == {"points": 146, "voucher": 2000, "cash": 297}


def test_tax_that_is_added_stands_in_a_row_of_its_own_on_both_screens(page: Page, store: Node, faults: list[str]):
    with store.database.write() as session:
        session.execute(sa.update(TaxClass).values(rate_bp=700))
    enter(page, store)
    with page.context.expect_page() as opened:
        page.evaluate("window.open('/till/display')")
    display = opened.value
    display.wait_for_selector("html[data-ready]")
    wedge(page, CODES["MILK"], COLA)
    priced(page)
    expect(page.locator("#lines .line-total").first).to_have_text("$3.49")
    expect(page.locator("#tax")).to_have_text("$0.38")
    expect(page.locator("#total")).to_have_text("$6.11")
    expect(display.locator("#tax")).to_have_text("$0.38")
    expect(display.locator("#lines li").first).to_contain_text("$3.49")
    pay_exactly(page)
    (sale,) = store.rows(Sale)
    assert sale.total_minor == 611


def test_the_customers_screen_keeps_to_the_stores_language_while_the_cashier_reads_another(
    page: Page, store: Node, faults: list[str]
):
    names = {"MILK": "Vollmilch", "DEPOSIT": "Pfand", "123": "Pflaumen"}
    with store.database.write() as session:
        for sku, name in names.items():
            session.execute(sa.update(Product).where(Product.sku == sku).values(names={"de": name}))
    enter(page, store, language="de")
    screen = page.context.new_page()
    screen.goto(f"{store.url}/till/display")
    page.bring_to_front()
    wedge(page, CODES["MILK"], COLA, PLUMS_482_G)
    priced(page)
    for name in names.values():
        expect(page.locator("#lines")).to_contain_text(name)
    expect(page.locator("#total")).to_have_text("7,17\N{NO-BREAK SPACE}$")
    expect(screen.locator("#lines li")).to_have_count(4)
    for said in ("Whole milk", "Bottle deposit", "482 gPlums", "$1.44"):
        expect(screen.locator("#lines")).to_contain_text(said)
    expect(screen.locator(".display-total")).to_have_text("Total$7.17")


def test_only_cash_is_rounded_in_a_split_payment_and_the_refund_rounds_the_same_way(
    page: Page, make_node: Any, faults: list[str]
):
    node = make_node(coin_minor=5, furnish=furnish)
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["CHIPS"])
    page.keyboard.press("F8")
    expect(page.locator("#pay-rounding")).to_have_text("Rounded by $0.02")
    page.locator("[data-tender=voucher]").click()
    page.locator("#voucher-code").fill(voucher_of(node))
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("#voucher-worth")).to_have_text("Worth $20.00")
    page.locator("#voucher-code").blur()
    page.locator("#pay").focus()
    page.keyboard.type("400", delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#parts")).to_contain_text("$4.00")
    expect(page.locator("#pay-due")).to_have_text("$3.30")
    page.keyboard.type("500", delay=60)
    expect(page.locator("#take")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.locator("#done-change")).to_have_text("$1.70")
    paid = {(row.tender, row.is_change): row.amount_minor for row in node.rows(Payment)}
    assert paid == {("voucher", False): 400, ("cash", False): 500, ("cash", True): -170}
    page.keyboard.press("Escape")
    page.keyboard.press("F10")
    page.get_by_role("button", name="Receipts").click()
    printed = len(node.rows(PrintJob))
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    expect(page.locator(".receipt-text")).to_contain_text("Whole milk")
    assert len(node.rows(PrintJob)) == printed, "who looks at a receipt prints none"
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name="One more: Potato chips").click()
    page.get_by_role("button", name="One more: Whole milk").click()
    page.get_by_role("button", name="Shelf").first.click()
    page.get_by_role("button", name="Broken").click()
    for name, pressed in (("Shelf", "true"), ("Bin", "false")):
        expect(page.get_by_role("button", name=name).first).to_have_attribute("aria-pressed", pressed)
    expect(page.get_by_role("button", name="Bin").last).to_have_attribute("aria-pressed", "true")
    page.locator("#sheet").get_by_role("button", name="Cash").click()
    expect(page.locator(".back-parts")).to_have_text("Store credit$4.00Cash$3.30")
    expect(page.locator("#sheet .panel-due")).to_have_text("$7.30")
    page.get_by_role("button", name="Refund payment $7.30").click()
    expect(page.locator("#sheet-body")).to_contain_text("Rounded by -$0.02")
    (back,) = node.rows(Sale, kind="return")
    given = {row.tender: row.amount_minor for row in node.rows(Payment, sale_id=back.id)}
    assert (back.total_minor, back.rounding_minor, given) == (-730, -2, {"credit": -400, "cash": -330})
    page.keyboard.press("Enter")
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    expect(page.locator("#sheet")).to_contain_text("Already fully refunded")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "$3.49 of this was written off on the tab"), ("zh", "$3.49 是已核销的记账")]
)
def test_what_was_written_off_of_a_tab_is_said_before_its_goods_come_back_for_nothing(
    page: Page, store: Node, language: str, said: str
):
    enter(page, store, language=language)
    wedge(page, CODES["MILK"])
    page.locator("#customer-button").click()
    page.keyboard.type("mar", delay=60)
    expect(page.locator(".row-button")).to_contain_text("Marta Novak")
    page.keyboard.press("Enter")
    expect(page.locator("#attached")).to_contain_text("Marta Novak")
    put_on_the_tab(page)
    with store.database.write() as session:
        by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": SystemClock().now()}
        tab.write_off(
            Context(session, **by), store_of(session, STORE), MARTA, 349, id="given-up-0001", why="moved away"
        )
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name={"en": "Refund", "zh": "退货"}[language]).click()
    page.locator("#sheet .row-button").click()
    page.locator("#sheet .back-row .tool").last.click()
    expect(page.locator(".back-parts .note")).to_contain_text(said)
    expect(page.locator("#sheet .panel-due")).to_have_text("$0.00")
    dress(page, language)
    assert_accessible(page)


def put_on_the_tab(page: Page) -> None:
    """Put what is in the basket on its customer's tab, and be ready for the next."""
    page.keyboard.press("F8")
    page.locator("[data-tender=tab]").click()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    page.keyboard.press("Escape")


def test_what_was_put_on_the_tab_comes_off_it_and_nobody_is_asked_how(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    resize(page, PHONE)
    wedge(page, CODES["MILK"])
    page.locator("#customer-button").click()
    page.keyboard.type("mar", delay=60)
    row = page.locator(".row-button")
    expect(row).to_contain_text("$5.00")
    assert row.evaluate("row => row.scrollWidth <= row.clientWidth && row.querySelector('.row-main').clientWidth > 140")
    page.keyboard.press("Enter")
    expect(page.locator("#attached")).to_contain_text("Marta Novak")
    put_on_the_tab(page)
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    page.get_by_role("button", name="One more: Whole milk").click()
    expect(page.locator(".back-parts")).to_have_text("From the tab$3.49")
    expect(page.locator("#sheet").get_by_role("button", name="Cash")).to_be_hidden()
    page.get_by_role("button", name="Not wanted").click()
    page.locator("#sheet .btn-go").click()
    expect(page.locator("#sheet-title")).to_have_text("Refunded")
    assert [(row.tender, row.amount_minor) for row in store.rows(Payment)] == [("tab", 349), ("tab", -349)]


def test_an_exchange_is_one_sale_and_the_difference_is_paid(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    wedge(page, CODES["MILK"])
    pay_exactly(page)
    page.keyboard.press("Escape")
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    page.get_by_role("button", name="One more: Whole milk").click()
    page.get_by_role("button", name="Exchange").click()
    expect(page.locator("#total")).to_have_text("-$3.49")
    wedge(page, CODES["TEA"])
    expect(page.locator("#pay-amount")).to_have_text("$0.50")
    page.keyboard.press("F8")
    expect(page.locator("#pay-title")).to_have_text("Refund due")
    page.keyboard.press("F8")
    expect(page.locator("#done-word")).to_have_text("Refunded")
    exchange = next(sale for sale in store.rows(Sale) if sale.kind == "exchange")
    assert exchange.total_minor == -50
    assert {(row.sku, row.to_place) for row in store.rows(StockMovement, source_id=exchange.id)} == {
        ("TEA", "customer"),
        ("MILK", "floor"),
    }


def test_a_supervisor_reads_what_an_exchange_takes_back_before_approving_it(page: Page, store: Node):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    pay_exactly(page)
    page.keyboard.press("Escape")
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    page.get_by_role("button", name="One more: Whole milk").click()
    page.get_by_role("button", name="Exchange").click()
    wedge(page, CODES["TEA"])
    expect(page.locator("#pay-amount")).to_have_text("$0.50")
    page.keyboard.press("F8")
    expect(page.locator("#pay-title")).to_have_text("Refund due")
    page.keyboard.press("F8")
    expect(page.locator(".sheet-lead")).to_have_text("Exchange: Whole milk for $3.49, receipt 1")


def test_empties_come_back_as_a_line_below_zero(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    page.get_by_role("button", name=re.compile("Bottle deposit")).click()
    page.get_by_role("button", name=re.compile("Bottle deposit")).first.click()
    for act in ("discount", "price"):  # neither is ever taken of empties
        expect(page.locator(f"#lines [data-act={act}]")).to_be_hidden()
    page.keyboard.press("F7")
    expect(page.locator("#says, .says").filter(has_text="at their deposit").first).to_be_visible()
    wedge(page, CODES["MILK"])
    expect(page.locator("#lines [data-act=discount]")).to_be_visible()
    expect(page.locator("#total")).to_have_text("$2.99")
    pay_exactly(page)
    lines = {line.sku: (line.qty, line.price_type) for line in store.rows(SaleLine)}
    assert lines["DEPOSIT"] == (-2, "empties")


def test_empties_have_a_key_a_place_among_the_quick_keys_and_are_found_by_their_name(
    page: Page, store: Node, faults: list[str]
):
    enter(page, store)
    page.keyboard.press("F10")
    page.get_by_role("button", name="Empties").last.click()
    deposit = page.locator("#sheet").get_by_role("button", name=re.compile("Bottle deposit"))
    page.keyboard.type("24", delay=60)
    deposit.click()
    deposit.click()
    expect(page.locator("#sheet")).to_contain_text("25 × Bottle deposit")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("-$6.25")
    page.locator("#chips").get_by_role("button", name="Empties").click()
    expect(page.locator("#tiles .tile")).to_have_count(1)
    page.locator("#tiles .tile").click()
    expect(page.locator("#total")).to_have_text("-$6.50")
    by_hand(page, "10*empties")
    expect(page.locator("#total")).to_have_text("-$9.00")


def test_a_coupon_a_look_up_and_the_drawer_by_keyboard(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    wedge(page, CODES["TEA"])
    page.keyboard.press("F3")
    wedge(page, CODES["MILK"])
    expect(page.locator(".lookup")).to_contain_text("$3.49")
    page.keyboard.press("Escape")
    expect(page.locator("#lines > li")).to_have_count(1)
    page.keyboard.press("F10")
    page.get_by_role("button", name="Coupon").click()
    by_hand(page, "tea50")
    expect(page.locator("#total")).to_have_text("$1.49")
    expect(page.locator("#lines")).to_contain_text("Tea at half price")
    page.keyboard.press("F10")
    page.get_by_role("button", name="Open drawer").click()
    page.get_by_role("button", name="Check the cash").click()
    page.get_by_role("button", name="Open drawer").click()
    expect(page.locator("#says")).to_contain_text("The drawer is open")
    assert [job.kind for job in store.rows(PrintJob)] == ["drawer"]
    page.keyboard.press("F10")
    page.get_by_role("button", name="Receipts").click()
    expect(page.locator("#sheet")).to_contain_text("Receipt not found")


def test_practice_books_nothing_and_cannot_be_mistaken(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    wedge(page, CODES["BREAD"])
    page.keyboard.press("F10")
    page.get_by_role("button", name="Start practicing").click()
    expect(page.locator("#practice-banner")).to_be_visible()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#nothing")).to_be_visible()
    moved = len(store.rows(StockMovement))
    wedge(page, CODES["MILK"])
    pay_exactly(page)
    expect(page.locator("#done-receipt")).to_have_text("Practice: nothing was saved")
    assert (store.rows(Sale), len(store.rows(StockMovement)), store.rows(PrintJob)) == ([], moved, [])
    page.get_by_role("button", name="Stop practicing").click()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#practice-banner")).to_be_hidden()
    expect(page.locator("#lines")).to_contain_text("White bread")


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_every_sheet_of_the_till_is_accessible_and_unclipped(page: Page, store: Node, faults: list[str], look: str):
    page.emulate_media(color_scheme="dark" if look == "dark" else "light", reduced_motion="reduce")
    if look == "phone":
        resize(page, PHONE)
    enter(page, store)
    wedge(page, CODES["BREAD"], CODES["BREAD"], CODES["BREAD"], COLA)
    priced(page)

    assert_well_made(page)
    for key in ("F3", "F4", "F6", "F7", "F10", "?"):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        assert_well_made(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("F8")
    for tender in ("cash", "card", "voucher"):
        page.locator(f"[data-tender={tender}]").click()
        expect(page.locator(f"[data-tender={tender}]")).to_have_attribute("aria-pressed", "true")
        assert_well_made(page)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_gift_receipt_is_one_touch_after_the_sale(page: Page, store: Node, language: str):
    enter(page, store, language=language)
    wedge(page, CODES["MILK"])
    priced(page)
    pay_exactly(page)
    gift = page.locator("#gift")
    expect(gift).to_have_text({"en": "Gift receipt", "zh": "礼品小票"}[language])
    assert gift.bounding_box()["height"] >= 44
    gift.click()
    expect(page.locator("#done-paper")).to_contain_text("1")
    [sale] = store.rows(Sale)
    [job] = store.rows(PrintJob, kind="gift")
    assert (job.source_id, job.copy_no) == (sale.id, 0)
    gift.click()
    expect(page.locator("#done-paper")).to_contain_text({"en": "copy 1", "zh": "副本 1"}[language])
    expect(page.locator("#next")).to_be_enabled()
    assert_accessible(page)
    page.locator("#mail").click()  # and by e-mail, in the same place
    page.locator("#sheet-words").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-says")).to_contain_text("li@example.com")
    assert_accessible(page)
    page.locator("#sheet-words").fill("li@example.com")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert [message.about for message in store.rows(OutgoingMessage)] == [sale.id]


def test_a_discount_on_everything_is_asked_for_once_and_undone_whole_without_leave(page: Page, store: Node):
    def take_off(percent: str) -> None:
        page.keyboard.press("F10")
        page.locator(".more-tile", has_text="Discount on everything").click()
        page.keyboard.type(percent)
        page.locator("#sheet [data-value=why-goodwill]").click()
        page.get_by_role("button", name="Apply").click()

    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"], CODES["CHIPS"], COLA)
    priced(page)
    expect(page.locator("#total")).to_have_text("$9.52")
    take_off("5")
    priced(page)
    expect(page.locator("#total")).to_have_text("$9.06")  # 3.32 + 3.60 + 1.89, and the deposit whole
    take_off("20")
    expect(page.locator("#sheet .sheet-lead")).to_contain_text("20%")
    page.keyboard.press("Escape")
    priced(page)
    expect(page.locator("#total")).to_have_text("$9.06")
    pay_exactly(page)
    expect(page.locator("#pay-done")).to_be_visible()
    off = {row.sku: row.manual_discount_minor for row in store.rows(SaleLine)}
    assert off == {"MILK": 17, "CHIPS": 19, "COLA": 10, "DEPOSIT": 0}

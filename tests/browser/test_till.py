"""The till in a real browser: by scanner, by touch, by keyboard, and when things go wrong."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from config.clock import SystemClock
from config.money import exponent
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Barcode, CategoryNames, Listing, Price, Product
from pos.catalogue.gs1 import check_digit
from pos.payments.payments import Payment
from pos.printing.queue import PrintJob
from pos.sold import Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import StockMovement
from pos.till.shift import begin_count
from pos.till.shift_book import Shift
from store_app.web.presenting import money, money_form
from tests.browser.conftest import CASE_OF_MILK, CODES, STORE, Node, by_hand, enter, wedge
from tests.browser.counter import KEY, priced
from tests.browser.held import Held

pytestmark = pytest.mark.browser
YEARS_AHEAD = """Date = class extends Date {
  constructor(...given) { given.length ? super(...given) : super(Date.now()); }
  static now() { return super.now() + 3e11; }
}"""
"""A tablet whose clock is some nine years ahead of the store's."""


def assert_one_sale(node: Node, lines: dict[str, int], total_minor: int, *, tender: str = "cash") -> Sale:
    """Assert that the books hold exactly this sale: lines, stock, money and paper."""
    (sale,) = node.rows(Sale)
    assert (sale.state, sale.total_minor, sale.receipt_no) == ("completed", total_minor, 1)
    assert {line.sku: line.qty for line in node.rows(SaleLine, sale_id=sale.id)} == lines
    moved: dict[str, int] = {}
    for movement in node.rows(StockMovement, source_id=sale.id):
        assert movement.to_place == "customer"
        moved[movement.sku] = moved.get(movement.sku, 0) + movement.qty
    assert moved == lines
    payments = node.rows(Payment, sale_id=sale.id, state="captured")
    assert sum(payment.amount_minor for payment in payments) == total_minor
    assert {payment.tender for payment in payments} == {tender}
    assert [job.kind for job in node.rows(PrintJob, source_id=sale.id)] == ["receipt"]
    return sale


def pay_exactly(page: Page) -> None:
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


def test_the_till_writes_money_as_the_server_does(page: Page, node: Node):
    amounts = [0, 5, -5, 99, 100, -12_345, 99_999, 100_000, 123_456_789, -100_000_000_000]
    currencies = ["USD", "CNY", "EUR", "JPY", "GBP", "KWD", "CHF"]
    for language in ("en", "zh"):
        with node.app.test_request_context(f"/?lang={language}"):
            asked = [[exponent(unit), money_form(unit), amounts] for unit in currencies]
            expected = [[money(amount, unit) for amount in amounts] for unit in currencies]
        enter(page, node)
        written = page.evaluate(
            """async (asked) => {
                const { MoneyWords } = await import("/static/till/money.js");
                return asked.map(([digits, form, amounts]) => {
                    const words = new MoneyWords(digits, form);
                    return amounts.map((amount) => words.text(amount));
                });
            }""",
            asked,
        )
        assert written == expected


def test_a_whole_sale_by_scanner(page: Page, node: Node, faults: list[str]):
    page.emulate_media(reduced_motion="no-preference")
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["BREAD"], CODES["MILK"])
    expect(page.locator("#total")).to_have_text("$8.97")
    expect(page.locator("#search")).to_have_value("")
    pay_exactly(page)
    expect(page.locator("#done-receipt")).to_contain_text("$8.97")
    assert_one_sale(node, {"MILK": 2, "BREAD": 1}, 897)
    wedge(page, CODES["TEA"])  # the next customer's first product ends the last sale's panel
    expect(page.locator("#pay")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("$2.99")


def test_a_whole_sale_by_touch(page: Page, node: Node, faults: list[str]):
    page.emulate_media(reduced_motion="no-preference")
    actor, at = Actor("ana", "Ana", "shopkeeper", STORE), SystemClock().now()
    with node.database.write() as session:
        stock.waste(Context(session, actor, at), STORE, "MILK", 55)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/till/levels" in request.url else None)
    enter(page, node)
    milk = page.locator("#tiles [data-sku=MILK]")
    expect(milk.locator(".tile-stock.dot")).to_be_visible()
    page.get_by_role("button", name=re.compile("Whole milk")).first.click()
    page.get_by_role("button", name="One more: Whole milk").click()
    page.get_by_role("button", name="Snacks").click()
    page.get_by_role("button", name=re.compile("Potato chips")).click()
    page.get_by_role("button", name="Remove Potato chips").click()
    page.get_by_role("button", name="Quick keys").click()
    page.get_by_role("button", name=re.compile("Apples")).click()
    for key in ("4", "8", "2"):
        page.locator(f"#number-pad [data-key='{key}']").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#total")).to_have_text("$8.90")
    page.locator("#pay-button").click()
    for key, given in (("3", "$0.03"), ("00", "$3.00"), ("back", "$0.30"), ("back", "$0.03"), ("back", "$8.90")):
        page.locator(f"#cash-pad [data-key='{key}']").click()
        expect(page.locator("#given")).to_have_text(given)
    page.locator("#notes").get_by_text("$20.00").click()
    expect(page.locator("#change-preview")).to_have_text("$11.10")
    page.locator("#take").click()
    expect(page.locator("#done-change")).to_have_text("$11.10")
    assert_one_sale(node, {"MILK": 2, "APPLE": 482}, 890)
    page.get_by_role("button", name="Next customer").click()
    expect(page.locator("#nothing")).to_be_visible()
    expect(milk.locator(".tile-left")).to_have_text("3 left")
    shown = page.locator("#tiles .tile").count()
    assert [url.count("sku=") for url in asked] == [shown, shown]  # at the start and after the sale, none of it twice


def test_a_till_of_twenty_thousand_products_asks_for_them_once_and_draws_few(page: Page, node: Node):
    with node.database.write() as session:
        skus = [f"P{rank:05d}" for rank in range(20_000)]
        same = {"category": "Many", "tax_class_id": "food"}
        rows = [same | {"sku": sku, "name": f"Ware {sku}", "search_text": sku.lower()} for sku in skus]
        session.execute(sa.insert(Product), rows)
        session.add(CategoryNames(name="Many", names={"es": "Muchas"}, search_text="muchas"))
        session.execute(sa.insert(Listing), [{"store_id": STORE, "sku": sku} for sku in skus])
        prices = {"scope_id": "*", "from_day": dt.date(2026, 1, 1), "price_minor": 199}
        session.execute(sa.insert(Price), [{"sku": sku} | prices for sku in skus])
        body = "209999900000"
        session.add(Barcode(code=body + check_digit(body), sku=skus[-1], qty=1))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/catalogue" in request.url else None)
    enter(page, node)
    assert len(asked) == 1
    wedge(page, body + check_digit(body))
    expect(page.locator("#lines > li")).to_contain_text("Ware P19999")
    page.locator("#search").fill("p1999")
    expect(page.locator("#tiles .tile").first).to_contain_text("Ware P1999")
    assert page.locator("#tiles .tile").count() <= 60
    page.locator("#search").fill("muchas")
    expect(page.locator("#tiles .tile").first).to_contain_text("Ware P00000")


def test_a_scanned_line_is_drawn_before_it_is_kept_and_told_to_the_customers_screen(page: Page, node: Node):
    enter(page, node)
    page.evaluate(
        """() => {
          window.order = [];
          const noted = (owner, name, word) => {
            const real = owner[name];
            owner[name] = function (...given) { order.push(word); return real.apply(this, given); };
          };
          noted(Storage.prototype, "setItem", "kept");
          noted(BroadcastChannel.prototype, "postMessage", "told");
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => order.push("drawn");
          const drawn = () => requestAnimationFrame(() => port2.postMessage(0));
          new MutationObserver(drawn).observe(document.getElementById("lines"), { childList: true });
        }"""
    )
    wedge(page, CODES["MILK"])
    page.wait_for_function("() => ['drawn', 'kept', 'told'].every((word) => order.includes(word))")
    assert page.evaluate("order[0]") == "drawn"


def test_digits_sell_by_a_whole_number_alone_and_else_show_what_there_is(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    part = CODES["BREAD"][4:9]
    by_hand(page, part)
    expect(page.locator("#says .note-bad")).to_contain_text(f"No code or number {part}. Choose a match")
    expect(page.locator("#lines > li")).to_have_count(0)
    expect(page.locator("#tiles .tile")).not_to_have_count(0)
    page.keyboard.press("Escape")
    by_hand(page, CODES["BREAD"])
    expect(page.locator("#lines > li")).to_have_count(1)


def test_a_line_taken_out_by_a_slip_is_put_back_as_it_was(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["MILK"], CODES["TEA"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Delete")
    expect(page.locator("#total")).to_have_text("$2.99")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#total")).to_have_text("$9.97")
    expect(page.locator("#lines > li").first).to_contain_text("Whole milk")
    page.wait_for_function("key => JSON.parse(localStorage[key]).corrections.length === 0", arg=KEY)


def test_a_whole_sale_by_keyboard_alone(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    by_hand(page, "whole m")
    by_hand(page, f"3*{CODES['BREAD']}")
    by_hand(page, "lvcha")  # pinyin
    expect(page.locator("#total")).to_have_text("$12.45")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    expect(page.locator("#total")).to_have_text("$9.97")
    page.keyboard.press("F6")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text("$18.94")
    page.keyboard.press("F8")
    page.keyboard.type("2000")
    expect(page.locator("#change-preview")).to_have_text("$1.06")
    page.keyboard.press("Enter")
    expect(page.locator("#done-change")).to_have_text("$1.06")
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#search")).to_be_focused()
    assert_one_sale(node, {"MILK": 2, "TEA": 4}, 1894)


def test_a_key_held_down_is_one_wish(page: Page, node: Node, faults: list[str]):
    def hold(key: str) -> None:
        for _repeat in range(6):
            page.keyboard.down(key)
        page.keyboard.up(key)

    enter(page, node)
    for sku in ("MILK", "BREAD", "TEA"):
        wedge(page, CODES[sku])
    hold("Delete")
    expect(page.locator("#total")).to_have_text("$5.48")
    hold("F8")  # opens the payment and does not take it
    expect(page.locator("#pay-choose")).to_be_visible()
    assert node.rows(Sale) == []
    page.keyboard.down("Enter")
    expect(page.locator("#next")).to_be_focused()
    for _repeat in range(6):
        page.keyboard.down("Enter")  # and the change stays in sight
    page.keyboard.up("Enter")
    expect(page.locator("#done-receipt")).to_be_visible()
    assert_one_sale(node, {"MILK": 1, "BREAD": 1}, 548)
    hold("F9")
    expect(page.locator("#done-paper")).to_contain_text("1")
    assert sorted(job.copy_no for job in node.rows(PrintJob, kind="receipt")) == [0, 1]


def test_a_burst_of_thirty_scans_loses_none(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, *[CODES["MILK"], CODES["BREAD"], CODES["TEA"]] * 10)
    expect(page.locator("#count")).to_have_text("30 items")
    expect(page.locator("#total")).to_have_text("$84.70")


def test_slow_typing_is_not_a_scan(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    by_hand(page, "2000000")  # an amount keyed by hand and Enter: it pays, it adds no product
    expect(page.locator("#pay-says")).to_contain_text("Is $20,000.00 right?")  # nobody hands over as much: asked once
    page.keyboard.press("Enter")
    expect(page.locator("#done-change")).to_have_text("$19,996.51")
    assert_one_sale(node, {"MILK": 1}, 349)


def test_a_scan_during_paying_is_a_product_and_no_amount(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    expect(page.locator("#pay")).to_be_visible()
    wedge(page, CODES["BREAD"])
    expect(page.locator("#pay")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("$5.48")


def test_a_case_barcode_adds_the_whole_case(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CASE_OF_MILK)
    expect(page.locator("#count")).to_have_text("12 items")


def test_a_hand_as_quick_as_a_scanner_loses_no_key(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    page.locator("#search").fill("te!")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("xyz")
    page.keyboard.press("Backspace")  # what waited is written before it, where the caret stood
    expect(page.locator("#search")).to_have_value("texy!")


@pytest.mark.parametrize("code", ["4006381333931", "2000000000016"], ids=["unknown", "wrong check digit"])
def test_a_bad_code_is_a_sentence_and_never_stops_the_next_scan(page: Page, node: Node, code: str):
    enter(page, node)
    wedge(page, code)
    expect(page.locator("#says .note-bad")).to_contain_text(
        re.compile(f"barcode {code}.+(Type its name|Scan it again)")
    )
    wedge(page, CODES["MILK"])
    expect(page.locator("#total")).to_have_text("$3.49")
    expect(page.locator("#says .note-bad")).to_have_count(0)


def test_a_name_that_every_object_has_is_a_code_like_any_other(page: Page, node: Node):
    enter(page, node)
    for code in ("__proto__", "constructor", "hasOwnProperty"):
        wedge(page, code)
        expect(page.locator("#says .note-bad")).to_contain_text(code)
    wedge(page, CODES["MILK"])
    expect(page.locator("#total")).to_have_text("$3.49")
    assert page.evaluate("Object.keys(Object.prototype).concat(Object.keys({}.constructor))") == []


def test_too_little_cash_is_a_part_and_the_rest_stays_to_pay(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    page.keyboard.type("300")
    expect(page.locator("#change-row")).to_contain_text("Still due")
    expect(page.locator("#change-preview")).to_have_text("$0.49")
    page.keyboard.press("Enter")
    expect(page.locator("#parts")).to_contain_text("$3.00")
    expect(page.locator("#pay-due")).to_have_text("$0.49")
    assert node.rows(Sale) == []
    expect(page.locator("#take")).to_be_enabled()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 349)


def test_a_reload_keeps_the_basket_and_its_id(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["TEA"])
    expect(page.locator("#total")).to_have_text("$6.48")
    kept = page.evaluate("JSON.parse(localStorage['cornerstore.till.S01.T1']).id")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#total")).to_have_text("$6.48")
    pay_exactly(page)
    assert assert_one_sale(node, {"MILK": 1, "TEA": 1}, 648).id == kept


def test_a_double_click_on_pay_is_one_sale(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    held = Held(page, "**/api/sales")
    page.keyboard.press("F8")
    page.locator("#take").dblclick()
    held.let_go()  # not before: the second press of a busy machine would come after the sale, and end it
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 349)


def test_a_dead_server_during_payment_and_then_again_is_one_sale(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    node.stop()
    page.keyboard.press("F8")
    expect(page.locator("#unknown-title")).to_have_text("Sale not confirmed")
    node.start()
    expect(page.locator("#unknown-title")).to_have_text("Sale not saved")
    page.get_by_role("button", name="Save it now").click()
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 349)


def test_an_answer_lost_after_the_sale_was_saved_is_found_again(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/sales", lose)
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 349)


def test_a_reload_in_the_middle_of_paying_asks_what_became_of_it(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.route("**/api/sales/**", lambda route: route.abort())
    page.route("**/api/sales", lambda route: (route.fetch(), route.abort()))
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-unknown")).to_be_visible()
    # away first: with the line back, the page that is still open could find the sale itself and be done with it
    page.goto("about:blank")
    page.unroute_all(behavior="wait")
    page.goto(f"{node.url}/till/")
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 349)


def test_a_price_that_changed_is_shown_and_asked_again(page: Page, node: Node):
    from config.clock import SystemClock
    from config.nodes.journal import Actor
    from pos.catalogue import catalogue

    enter(page, node)
    wedge(page, CODES["MILK"])
    priced(page)
    at = SystemClock().now()
    with node.database.write() as session:
        actor = Actor("ana", "Ana", "shopkeeper", STORE)
        catalogue.set_price(Context(session, actor, at), "MILK", 399, dt.date(2020, 1, 2))
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-says")).to_contain_text("$3.99")
    expect(page.locator("#pay-due")).to_have_text("$3.99")
    assert node.rows(Sale) == []
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert_one_sale(node, {"MILK": 1}, 399)


def test_age_is_asked_once_before_paying(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["BEER"])
    page.keyboard.press("F8")
    expect(page.locator("#sheet-title")).to_contain_text("21")
    page.get_by_role("button", name="No, or not sure").click()
    expect(page.locator("#says")).to_contain_text("age")
    page.keyboard.press("F8")
    page.get_by_role("button", name="Clearly of age").click()
    page.keyboard.press("Escape")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert assert_one_sale(node, {"BEER": 1}, 799).age_checked == 21


def test_the_till_goes_by_the_shops_clock_and_never_by_the_tablets(page: Page, node: Node, faults: list[str]):
    page.add_init_script(YEARS_AHEAD)
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F4")
    by_hand(page, "red coat")
    expect(page.locator("#nothing")).to_be_visible()
    page.keyboard.press("F4")
    expect(page.locator("#sheet .row-button")).to_contain_text("just now")
    page.keyboard.press("Escape")
    wedge(page, CODES["BEER"])
    page.keyboard.press("F8")
    expect(page.locator("#age-born")).to_contain_text(str(SystemClock().now().year - 21))
    expect(page.locator("#clock")).to_have_attribute("datetime", re.compile(f"^{SystemClock().now().date()}"))


def test_a_card_sale_opens_no_change(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    page.get_by_role("button", name="Card").click()
    page.locator("#take").click()
    expect(page.locator("#done-word")).to_have_text("Paid")
    assert_one_sale(node, {"MILK": 1}, 349, tender="card")


def test_the_last_receipt_is_printed_again_and_marked(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    pay_exactly(page)
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("F9")
    expect(page.locator("#says .note-good")).to_be_visible()
    assert sorted(job.copy_no for job in node.rows(PrintJob)) == [0, 1]


def test_a_till_without_a_printer_has_no_green_lamp_for_it_and_offers_no_second_receipt(
    page: Page, make_node, faults: list[str]
):
    enter(page, make_node(printer=""))
    lamp = page.locator("#state-printer")
    expect(lamp).to_have_class("state state-quiet")
    expect(lamp).to_have_text("No printer")
    wedge(page, CODES["MILK"])
    pay_exactly(page)
    expect(page.locator("#next")).to_be_focused()
    expect(page.locator("#again")).to_be_hidden()
    expect(page.locator("#gift")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("F9")
    expect(page.locator("#says")).to_contain_text("No printer is set up.")


def test_a_closed_till_says_that_it_takes_no_scan_and_is_opened_with_its_float(
    page: Page, make_node, faults: list[str]
):
    node = make_node(is_open=False)
    enter(page, node)
    page.locator("#open-till").get_by_role("link", name="Store").click()  # who does not sell now gets past it
    page.wait_for_url("**/today/")
    page.go_back()
    expect(page.locator("#open-till")).to_be_visible()
    wedge(page, CODES["MILK"])
    expect(page.locator("#open-says")).to_contain_text("Not added: the till is closed. Scan it again")
    page.keyboard.type("15000")
    expect(page.locator("#float")).to_have_text("$150.00")
    page.keyboard.press("Enter")
    expect(page.locator("#open-till")).to_be_hidden()
    expect(page.locator("#lines .line-main")).to_have_count(0)
    (opened,) = node.rows(Shift)
    assert (opened.state, opened.expected_minor) == ("open", 15_000)


def test_a_till_whose_drawer_is_counted_sells_nothing_and_leads_to_the_count_or_back(page: Page, node: Node):
    with node.database.write() as session:
        by = Actor("ana", "Ana", "shopkeeper", STORE)
        begin_count(Context(session, by, SystemClock().now()), session.scalars(sa.select(Shift)).one())
    enter(page, node)
    counted = page.locator("#count-till")
    expect(counted.get_by_role("link", name="Continue the count")).to_be_in_viewport()
    wedge(page, CODES["MILK"])
    expect(counted).to_contain_text("Not added: the till is closed. Scan it again")
    counted.get_by_role("button", name="Keep selling, count later").click()
    expect(counted).to_be_hidden()
    expect(page.locator("#open-till")).to_be_hidden()
    assert node.rows(Shift)[0].state == "open"
    wedge(page, CODES["BREAD"])
    expect(page.locator("#lines .line-main")).to_have_count(1)

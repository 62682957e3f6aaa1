"""When things go wrong at the till: two windows, a silent server, a terminal nobody knows the answer of."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from config.nodes.journal import Actor, Context
from pos.catalogue import assortment, catalogue
from pos.payments.payments import Payment
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.stock import recall
from tests.browser.conftest import CODES, PIN, STORE, Node, enter, wedge
from tests.browser.counter import KEY, furnish, kept, priced, voucher_of
from tests.browser.held import Held

pytestmark = pytest.mark.browser
FULL = "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
"""A browser whose storage is full."""


NEW = "2000000000121"
BY: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": SystemClock().now()}


@pytest.fixture
def store(make_node: Callable[..., Node]) -> Node:
    """Give a counter with everything on it."""
    return make_node(furnish=furnish)


ASKED = """
const request = navigator.locks.request.bind(navigator.locks);
globalThis.asked = 0;
navigator.locks.request = (name, how, act) => { asked += Number("signal" in how); return request(name, how, act); };
"""


def test_a_second_window_of_a_till_stands_still_until_it_takes_over_which_it_does_once_however_often_it_is_pressed(
    page: Page, node: Node, faults: list[str]
):
    enter(page, node)
    wedge(page, CODES["MILK"])
    expect(page.locator("#total")).to_have_text("$3.49")
    second = page.context.new_page()
    second.add_init_script(ASKED)
    second.goto(f"{node.url}/till/")
    expect(second.locator("#other-window")).to_be_visible()
    wedge(second, CODES["BREAD"])
    assert [line["sku"] for line in kept(page)["lines"]] == ["MILK"]
    second.get_by_role("button", name="Continue here").evaluate("(button) => { button.click(); button.click(); }")
    assert second.evaluate("() => asked") == 1
    expect(second.locator("#total")).to_have_text("$3.49")
    expect(page.locator("#other-window")).to_be_visible()
    wedge(page, CODES["BREAD"])
    wedge(second, CODES["TEA"])
    second.keyboard.press("F8")
    second.keyboard.press("F8")
    expect(second.locator("#pay-done")).to_be_visible()
    (sale,) = node.rows(Sale)
    assert sale.total_minor == 648


def test_a_window_that_loses_the_till_hands_on_what_it_has_not_kept_and_what_it_still_asks_for(
    page: Page, node: Node, faults: list[str]
):
    page.add_init_script("globalThis.requestIdleCallback = () => 0")  # a busy page: what is scanned is not kept yet
    enter(page, node)
    with node.database.write() as session:
        catalogue.add_product(Context(session, **BY), "NEW", "New", category="x", tax_class_id="food", codes=[(NEW, 1)])
        catalogue.set_price(Context(session, **BY), "NEW", 100, dt.date(2020, 1, 1))
        catalogue.list_product(Context(session, **BY), STORE, "NEW")
    held = Held(page, "**/api/scan/**")
    wedge(page, NEW)
    asked = held.take()
    wedge(page, CODES["MILK"])
    expect(page.locator("#lines > li")).to_have_count(1)
    second = page.context.new_page()
    second.goto(f"{node.url}/till/")
    second.get_by_role("button", name="Continue here").click()
    expect(second.locator("#lines > li")).to_have_count(1)
    asked.continue_()
    expect(second.locator("#lines > li")).to_have_count(2)
    assert [line["sku"] for line in kept(second)["lines"]] == ["MILK", "NEW"]


WITHOUT_LOCKS = """
delete Navigator.prototype.locks;
globalThis.BroadcastChannel = class extends BroadcastChannel {
  set onmessage(act) {
    super.onmessage = (told) => (globalThis.missed ? globalThis.missed.push(() => act(told)) : act(told));
  }
};
globalThis.sleep = () => { globalThis.missed = []; };
globalThis.wake = () => { const acts = globalThis.missed; globalThis.missed = null; for (const act of acts) act(); };
"""
"""A browser on a plain http address: windows know of each other by a channel alone, and one may sleep."""


def test_without_locks_one_window_has_the_till_also_when_the_other_slept(page: Page, node: Node, faults: list[str]):
    page.context.add_init_script(WITHOUT_LOCKS)
    enter(page, node)
    wedge(page, CODES["MILK"])
    kept(page)
    second = page.context.new_page()
    second.goto(f"{node.url}/till/")
    expect(second.locator("#other-window")).to_be_visible()
    page.evaluate("sleep()")
    second.reload()  # nobody answers it, as when two windows are opened at once
    second.wait_for_selector("html[data-ready]")
    expect(second.locator("#other-window")).to_be_hidden()
    wedge(second, CODES["BREAD"])
    expect(second.locator("#total")).to_have_text("$5.48")
    kept(second)
    page.evaluate("wake()")
    expect(page.locator("#other-window")).to_be_visible()
    expect(second.locator("#other-window")).to_be_hidden()
    second.evaluate("requestAnimationFrame = () => 0")  # what is scanned now is not kept yet
    wedge(second, CODES["BREAD"])
    expect(second.locator("#lines > li").last).to_contain_text("2")
    page.get_by_role("button", name="Continue here").click()
    expect(second.locator("#other-window")).to_be_visible()
    expect(page.locator("#total")).to_have_text("$7.47")


def test_a_tender_pressed_while_another_is_taken_is_the_next_one_and_never_cash(page: Page, store: Node):
    enter(page, store)
    wedge(page, *[CODES["MILK"]] * 7)
    kept(page, is_priced=True)
    page.keyboard.press("F8")
    page.locator("[data-tender=voucher]").click()
    page.locator("#voucher-code").fill(voucher_of(store))
    held = Held(page, "**/api/vouchers/*")
    page.locator("#take").click()
    asked = held.take()
    page.locator("[data-tender=card]").click()
    asked.continue_()
    expect(page.locator("#pay-due")).to_have_text("$4.43")
    expect(page.locator("[data-tender=card]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-tender=cash]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#take")).to_be_enabled()
    page.locator("#take").click()
    expect(page.locator("#pay-done")).to_be_visible()
    assert {row.tender: row.amount_minor for row in store.rows(Payment)} == {"voucher": 2000, "card": 443}


def test_a_double_click_on_a_part_takes_it_once(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    kept(page, is_priced=True)
    page.keyboard.press("F8")
    page.keyboard.type("300", delay=60)
    # pressed by the page itself: on a busy machine the second press would come after the rest
    page.locator("#take").evaluate("take => { take.click(); setTimeout(() => take.click()); }")
    expect(page.locator("#parts li")).to_have_count(1)
    expect(page.locator("#pay-due")).to_have_text("$0.49")
    expect(page.locator("#take")).to_be_enabled()
    assert node.rows(Sale) == []


def test_a_silent_server_leaves_shelf_prices_and_a_sentence_and_offers_come_when_it_is_back(page: Page, store: Node):
    enter(page, store)
    store.stop()
    wedge(page, CODES["BREAD"], CODES["BREAD"], CODES["BREAD"])
    expect(page.locator("#total")).to_have_text("$5.97")
    expect(page.locator("#quote-state")).to_contain_text("nothing has been charged yet")
    store.start()
    expect(page.locator("#total")).to_have_text("$3.98")
    expect(page.locator("#quote-state")).to_have_text("")


def test_the_newest_prices_win_over_an_older_answer_that_comes_late(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    held = Held(page, "**/api/quote", most=1)
    wedge(page, CODES["MILK"])
    older = held.take()
    expect(page.locator("#quote-state")).to_have_text("Checking promotions …")
    wedge(page, CODES["BREAD"])
    expect(page.locator("#quote-state")).to_have_text("")
    with page.expect_response("**/api/quote"):
        older.continue_()
    expect(page.locator("#total")).to_have_text("$5.48")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert node.rows(Sale)[0].total_minor == 548


def test_a_price_that_comes_while_paying_is_said_before_it_is_taken(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    held = Held(page, "**/api/quote")
    wedge(page, CODES["BREAD"], CODES["BREAD"], CODES["BREAD"])
    expect(page.locator("#count")).to_have_text("3 items")
    page.keyboard.press("F8")
    expect(page.locator("#pay-due")).to_have_text("$5.97")
    held.let_go()
    expect(page.locator("#pay-says")).to_contain_text("now $3.98, not $5.97")
    expect(page.locator("#pay-due")).to_have_text("$3.98")
    expect(page.locator("#take")).to_be_enabled()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert store.rows(Sale)[0].total_minor == 398


@pytest.mark.parametrize("ending", ["03", "02"], ids=["times out, but captures", "captures at the third question"])
def test_a_reload_while_the_terminal_is_asked_asks_after_the_same_money(page: Page, make_node: Any, ending: str):
    held = Held(page, "**/api/payments/*")  # nothing is heard of it before the page is opened again
    node = at_the_terminal(page, make_node, int(f"5{ending}"))
    expect(page.locator("#asking-title")).to_be_visible()
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#asking-title")).to_be_visible()
    held.let_go()
    if ending == "03":
        expect(page.locator("#asking-title")).to_have_text("Payment unclear")
        page.get_by_role("button", name="Check again").click()
    expect(page.locator("#pay-done")).to_be_visible()
    (sale,) = node.rows(Sale)
    taken = [row for row in node.rows(Payment, sale_id=sale.id, state="captured") if not row.same_as]
    assert sum(row.amount_minor for row in taken) == sale.total_minor == int(f"5{ending}")


def test_money_a_terminal_gives_back_without_saying_so_at_once_is_given_back_once(page: Page, make_node: Any):
    node = at_the_terminal(page, make_node, 509)
    expect(page.locator("#pay-done")).to_be_visible()
    for pressed in ("first, and the answer is lost", "again, in a window opened again"):
        page.keyboard.press("Escape")
        page.keyboard.press("F10")
        page.locator("#sheet").get_by_role("button", name="Refund").click()
        page.get_by_role("button", name=re.compile("Receipt 1")).click()
        page.get_by_role("button", name="One more: Cut flowers").click()
        page.get_by_role("button", name="Broken").click()
        how = page.locator("#sheet").get_by_role("button", name="Card")
        if pressed.startswith("first"):
            how.click()
            expect(page.locator("#sheet .back-part")).to_have_text("Card$5.09")
            expect(how).to_be_visible()  # one may still choose otherwise
        else:
            expect(how).to_be_hidden()  # the terminal has given it
        page.get_by_role("button", name="Refund payment").click()
        if pressed.startswith("first"):
            expect(page.locator("#sheet")).to_contain_text("The refund is unclear. Check the terminal, then")
            assert node.rows(Sale, kind="return") == []
    expect(page.locator("#sheet")).to_contain_text("Refunded")
    (back,) = node.rows(Sale, kind="return")
    (given,) = [row for row in node.rows(Payment) if row.gives_back]
    assert (back.total_minor, given.amount_minor, given.state, given.claimed_by) == (-509, -509, "captured", back.id)


def test_a_card_read_elsewhere_where_there_is_a_terminal_is_taken_with_its_slips_number_alone(
    page: Page, make_node: Any
):
    node: Node = make_node(payment_service="practice-scripted", furnish=furnish)
    enter(page, node)
    ring(page, 900)
    page.locator("[data-tender=card]").click()
    page.get_by_role("button", name="Other card reader").click()
    page.locator("#take").click()
    expect(page.locator("#pay-says")).to_contain_text("Enter the slip number")
    page.locator("#card-reference").fill("4711")
    page.locator("#take").click()
    expect(page.locator("#pay-done")).to_be_visible()
    (paid,) = node.rows(Payment)
    assert (paid.tender, paid.reference, paid.provider) == ("card", "4711", None)


def test_a_part_that_is_given_back_by_a_double_press_takes_no_other_part_with_it(page: Page, make_node: Any):
    node: Node = make_node(payment_service="practice-scripted", furnish=furnish)
    enter(page, node)
    ring(page, 900)
    for minor, left in (("200", "$7.00"), ("300", "$4.00")):
        page.locator("[data-tender=card]").click()
        page.keyboard.type(minor, delay=60)
        page.locator("#take").click()
        expect(page.locator("#pay-due")).to_have_text(left)
    held = Held(page, "**/api/payments/*/reverse")
    give_back = page.get_by_role("button", name="Refund: Card $2.00")
    give_back.click()
    give_back.click()
    for asked in (held.take(), held.take()):
        with page.expect_response("**/reverse"):
            asked.continue_()
    expect(page.locator("#pay-due")).to_have_text("$6.00")
    expect(page.locator("#parts > li")).to_have_count(1)
    expect(page.locator("#parts")).to_contain_text("$3.00")


def test_a_declined_card_leaves_the_basket_to_be_paid_another_way(page: Page, make_node: Any):
    node = at_the_terminal(page, make_node, 501)
    expect(page.locator("#pay-says")).to_contain_text("Declined")
    assert node.rows(Sale) == []
    page.locator("[data-tender=cash]").click()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert node.rows(Sale)[0].total_minor == 501


def test_a_terminal_that_never_answers_is_cancelled_and_nothing_is_sold_twice(page: Page, make_node: Any):
    node = at_the_terminal(page, make_node, 510)
    expect(page.locator("#asking-title")).to_have_text("Payment unclear")
    wedge(page, CODES["TEA"])  # the next customer's goods are already here
    expect(page.locator("#pay-waiting")).to_contain_text("1 scan is waiting")
    page.get_by_role("button", name="Cancel the payment").click()
    expect(page.locator("#pay-says")).to_contain_text("refunded automatically")
    page.locator("[data-tender=cash]").click()
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert node.rows(Sale)[0].total_minor == 510
    expect(page.locator("#total")).to_have_text("$2.99")


def test_the_customers_screen_shows_lines_code_and_thanks(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    screen = page.context.new_page()
    screen.goto(f"{store.url}/till/display")
    expect(screen.locator("#idle")).to_contain_text("Maple Street Corner")
    wedge(page, CODES["BREAD"], CODES["BREAD"], CODES["BREAD"])
    expect(screen.locator("#lines")).to_contain_text("3 for 2 bread")
    expect(screen.locator("#total")).to_have_text("$3.98")
    page.bring_to_front()
    page.keyboard.press("F8")
    page.locator("[data-tender=wallet]").click()
    page.locator("#take").click()
    held = Held(page, "**/api/payments/*")
    page.get_by_role("button", name="Show our code instead").click()
    expect(screen.locator("#qr")).to_be_visible()
    held.let_go()
    expect(screen.locator("#thanks")).to_be_visible()  # for eight seconds
    expect(page.locator("#pay-done")).to_be_visible()
    (sale,) = store.rows(Sale)
    assert {row.tender for row in store.rows(Payment, sale_id=sale.id)} == {"wallet"}


def at_the_terminal(page: Page, make_node: Any, minor: int) -> Node:
    """Ring up flowers at a counter with a scripted terminal, and ask it for the card."""
    node: Node = make_node(payment_service="practice-scripted", furnish=furnish)
    enter(page, node)
    ring(page, minor)
    page.locator("[data-tender=card]").click()
    page.locator("#take").click()
    return node


def ring(page: Page, minor: int) -> None:
    """Ring up flowers at a typed price and open the payment."""
    page.get_by_role("button", name=re.compile("Cut flowers")).click()
    page.keyboard.type(str(minor), delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_have_text(f"${minor / 100:.2f}")
    page.keyboard.press("F8")


def test_a_browser_that_forgets_all_it_kept_loses_no_paid_sale(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    (sold,) = node.rows(Sale)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#lines > li")).to_have_count(0)
    wedge(page, CODES["BREAD"])
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    rows = sorted(node.rows(Sale), key=lambda row: row.receipt_no)
    assert [(row.receipt_no, row.state) for row in rows] == [(1, "completed"), (2, "completed")]
    assert rows[0].id == sold.id
    assert [job.source_id for job in node.rows(PrintJob, kind="receipt")].count(sold.id) == 1


def test_a_line_whose_product_the_shop_no_longer_has_stays_and_nothing_is_paid_before_it_is_taken_out(
    page: Page, node: Node
):
    enter(page, node)
    wedge(page, CODES["MILK"], CODES["BREAD"])
    expect(page.locator("#total")).to_have_text("$5.48")
    with node.database.write() as session:
        ana = Actor("ana", "Ana", "shopkeeper", STORE)
        assortment.settle(Context(session, ana, SystemClock().now()), STORE, "MILK", active=False)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#lines .stopped")).to_contain_text("Whole milk")
    expect(page.locator("#lines .stopped")).to_contain_text("The store no longer has it")
    page.keyboard.press("F8")
    expect(page.locator("#says")).to_contain_text("Whole milk")
    expect(page.locator("#pay")).to_be_hidden()
    page.get_by_role("button", name="Remove: Whole milk").click()
    expect(page.locator("#total")).to_have_text("$1.99")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert node.rows(Sale)[0].total_minor == 199


def test_what_is_recalled_while_it_lies_in_the_basket_is_marked_there_and_nothing_is_paid_with_it(
    page: Page, node: Node
):
    page.clock.install()
    enter(page, node)
    for name in ("Whole milk", "White bread"):
        page.locator(".tile", has_text=name).click()
    expect(page.locator("#total")).to_have_text("$5.48")
    priced(page)
    with node.database.write() as session:
        ana = Actor("ana", "Ana", "shopkeeper", STORE)
        recall.call(Context(session, ana, SystemClock().now()), STORE, "MILK", why="Glass")
    page.keyboard.press("F8")
    page.keyboard.press("F8")  # where the till has not asked yet how things stand the sale is refused
    marked = page.locator("#lines .stopped")
    expect(marked).to_contain_text("Whole milk")
    expect(page.locator("#pay")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#says")).to_contain_text("Remove from the basket, then pay")
    expect(page.locator("#pay")).to_be_hidden()
    page.get_by_role("button", name="Remove: Whole milk").click()
    expect(page.locator("#pay-button:not(.stopped)")).to_contain_text("$1.99")
    with node.database.write() as session:
        recall.call(Context(session, ana, SystemClock().now()), STORE, "BREAD", why="Flour")
    page.clock.fast_forward(6_000)  # it asks how things stand
    expect(marked).to_contain_text("bread")
    expect(page.locator("#pay-button")).to_have_class(re.compile("stopped"))
    assert node.rows(Sale) == []


def test_a_browser_that_keeps_nothing_or_gives_back_nonsense_is_said_and_sells_on(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    expect(page.locator("#total")).to_have_text("$3.49")
    page.goto(f"{node.url}/static/common/look.js")  # the till writes again when it is left
    page.evaluate("key => { localStorage[key] = localStorage[key].slice(0, 99) }", KEY)
    page.goto(f"{node.url}/till/")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#keeping")).to_contain_text("The saved basket on this till is damaged and")
    asides = "Object.keys(localStorage).filter((name) => name.includes('.unreadable.')).length"
    assert page.evaluate(asides) == 1
    page.get_by_role("button", name="OK").click()
    expect(page.locator("#keeping")).to_be_hidden()
    page.evaluate(FULL)
    wedge(page, CODES["BREAD"])
    expect(page.locator("#keeping")).to_contain_text("This browser cannot save: its storage is full")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert node.rows(Sale)[0].total_minor == 199


def test_what_was_added_after_a_sale_that_was_saved_late_is_in_the_next_basket_and_said(page: Page, node: Node):
    enter(page, node)
    held = Held(page, "**/api/sales", most=1)
    wedge(page, CODES["MILK"], CODES["TEA"])
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    sent = held.take()
    first = sent.request
    sent.abort()
    expect(page.locator("#unknown-title")).to_have_text("Sale not saved")
    page.get_by_role("button", name="Back to the basket").click()
    wedge(page, CODES["MILK"], CODES["BREAD"])
    expect(page.locator("#total")).to_have_text("$11.96")
    late = page.request.post(first.url, data=first.post_data, headers=first.headers)  # it was only slow
    assert late.status == 201
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#done-paper")).to_contain_text("Receipt 1 for $6.48 was saved before")
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#says")).to_contain_text("Receipt 1 for $6.48 was saved before")
    expect(page.locator("#total")).to_have_text("$5.48")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#done-receipt")).to_contain_text("Receipt 2")
    assert sorted(sale.total_minor for sale in node.rows(Sale)) == [548, 648]


def test_a_basket_is_compared_with_the_sale_that_was_saved_line_by_line(page: Page, node: Node):
    enter(page, node)
    compare = """async ([kept, sold]) => (await import("/static/till/beyond.js")).beyond(kept, sold)"""
    milk = {"sku": "MILK", "qty": 2}
    back = {"sale_id": "before-1", "n": 1}
    sold = [
        {"sku": "MILK", "qty": 2},
        {"sku": "COLA", "qty": -1, "returns_sale_id": "before-1", "returns_n": 1, "kind": "goods"},
        {"sku": "DEPOSIT", "qty": -1, "returns_sale_id": "before-1", "returns_n": 2, "kind": "deposit"},
    ]
    assert page.evaluate(compare, [{"lines": [milk], "broughtBack": [back]}, sold]) is None, (
        "its deposit came back with it"
    )
    more = page.evaluate(compare, [{"lines": [milk | {"qty": 3}], "broughtBack": [back]}, sold])
    assert [(line["sku"], line["qty"]) for line in more["lines"]] == [("MILK", 1)]
    assert page.evaluate(compare, [{"lines": [milk], "broughtBack": []}, sold])["fewer"]


def test_scans_that_come_while_a_sale_is_sent_are_counted_kept_and_given_to_the_right_customer(page: Page, node: Node):
    held = Held(page, "**/api/sales")
    page.route("**/api/sales/**", lambda route: route.abort())
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    paying = held.take()
    wedge(page, CODES["TEA"], CODES["BREAD"])
    expect(page.locator("#pay-waiting")).to_contain_text("2 scans are waiting for the next customer")
    expect(page.locator("#waiting-here")).to_be_hidden()
    paying.abort()
    expect(page.locator("#pay-unknown")).to_be_visible()
    page.reload()  # nothing was saved, and the scans still wait
    expect(page.locator("#pay-waiting")).to_contain_text("2 scans are waiting")
    page.unroute("**/api/sales/**")
    expect(page.locator("#unknown-title")).to_have_text("Sale not saved")
    page.get_by_role("button", name="Add to this basket").click()
    expect(page.locator("#total")).to_have_text("$8.47")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    paying = held.take()
    wedge(page, CODES["CHIPS"])
    expect(page.locator("#pay-waiting")).to_contain_text("1 scan is waiting")
    paying.continue_()
    expect(page.locator("#pay-done")).to_be_visible()
    expect(page.locator("#pay-waiting")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("$3.79")
    assert [sale.total_minor for sale in node.rows(Sale)] == [847]


def test_who_is_signed_out_while_a_sale_is_unknown_is_told_and_finds_it_again(page: Page, node: Node):
    enter(page, node)
    wedge(page, CODES["MILK"])
    page.route("**/api/sales", lambda route: (route.fetch(), page.context.clear_cookies(), route.abort()))
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#unknown-words")).to_contain_text("You were signed out")
    page.unroute("**/api/sales")
    page.locator("#unknown-signin").click()
    page.get_by_role("link", name="Ana").click()
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    expect(page.locator("#done-receipt")).to_contain_text("Receipt 1 · $3.49")
    assert len(node.rows(Sale)) == 1

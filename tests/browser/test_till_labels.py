"""A store's own labels ring up in the page, and just as the server reads them."""

import datetime as dt
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from config.errors import DomainError
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue import catalogue, own_labels, scan
from pos.sold import SaleLine
from pos.stock import markdown
from pos.till import scale
from tests.browser.conftest import CODES, STORE, Node, by_hand, enter, wedge
from tests.browser.counter import kept, priced

pytestmark = pytest.mark.browser
WEIGHT, PRICE, UPC = "21{item:5}{weight:5}", "22{item:5}{check}{price:4}", "24{item:4}{check}{price:4}"
LONG = "23{item:4}{check}{price:5}"


@pytest.fixture
def store(node: Node) -> Node:
    """Give a counter that reads four kinds of label; apples have the number 12345, chips 77."""
    ana, at = Actor("ana", "Ana", "shopkeeper", STORE), SystemClock().now()
    with node.database.write() as session:
        for pattern in (WEIGHT, PRICE, UPC, LONG):
            scan.add_scheme(Context(session, ana, at), STORE, "", pattern)
        catalogue.add_code(session, "APPLE", "2112345")
        catalogue.add_code(session, "APPLE", "220004200000" + catalogue.check_digit("220004200000"))
        catalogue.add_code(session, "CHIPS", "77")
    return node


def codes() -> list[str]:
    made = [own_labels.build(own_labels.scheme(WEIGHT), 12345, grams) for grams in (1, 312, 99_999)]
    made += [own_labels.build(own_labels.scheme(PRICE), 42, price) for price in (1, 499, 9999)]
    made += [own_labels.build(own_labels.scheme(UPC), 77, 379), own_labels.build(own_labels.scheme(LONG), 77, 14_685)]
    made += ["0" + made[-2], "2112345003123", "2112345000008", "2177777003127", "4006381333931", "20000000000153"]
    wrong = own_labels.build(own_labels.scheme(PRICE), 42, 499)
    body = wrong[:7] + str((int(wrong[7]) + 1) % 10) + wrong[8:12]
    return [*made, body + catalogue.check_digit(body)]


def as_server(node: Node, code: str) -> list[Any] | None:
    with node.database.read() as session:
        try:
            found = scan.read(session, STORE, code, SystemClock().now().date())
        except DomainError:
            return None
    return [found.product.sku, found.qty, found.amount_minor] if found.source == "embedded" else None


def test_the_page_reads_labels_as_the_server_does(page: Page, store: Node, faults: list[str]) -> None:
    enter(page, store)
    read = """async (codes) => {
      const { Catalogue } = await import("/static/till/catalogue.js");
      const catalogue = new Catalogue();
      await catalogue.load();
      return codes.map((code) => {
        const hit = catalogue.find(code);
        return hit && hit.qty > 1 || hit?.amount_minor ? [hit.product.sku, hit.qty, hit.amount_minor ?? null] : null;
      });
    }"""
    expected = {code: as_server(store, code) for code in codes()}
    assert sum(found is not None for found in expected.values()) >= 8
    weighed_one = own_labels.build(own_labels.scheme(WEIGHT), 12345, 1)
    answered = dict(zip(codes(), page.evaluate(read, codes()), strict=True))
    assert {c: f for c, f in answered.items() if c != weighed_one} == {
        c: f for c, f in expected.items() if c != weighed_one
    }


ODD = ['He said "6937"', "苹果/7", "A\\7", "price_minor", '"quick_key":', ",", "é|7"]


def test_the_page_finds_every_code_and_no_name_that_looks_like_one(page: Page, node: Node, faults: list[str]) -> None:
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": SystemClock().now()}
    with node.database.write() as session:
        for rank, code in enumerate(ODD):  # the name of each is the code of the next
            sku, name = f"NR {rank} {code}"[:20], ODD[rank - len(ODD) + 1]
            codes = [(code, 1), (f"case of {code}", 12)]
            catalogue.add_product(Context(session, **by), sku, name, category="Odd", tax_class_id="food", codes=codes)
            catalogue.set_price(Context(session, **by), sku, 100, dt.date(2020, 1, 1))
            catalogue.list_product(Context(session, **by), STORE, sku)
        known = {code.code: [code.sku, code.qty] for code in session.query(catalogue.Barcode)}
        known |= {sku: [sku, int(sku != "APPLE")] for sku, _ in known.values()}  # apples are weighed
    assert known["case of 苹果/7"][1] == 12
    enter(page, node)
    asked = [*known, "6937", "NR", "case of"]
    found = page.evaluate(
        """async (codes) => {
          const { Catalogue } = await import("/static/till/catalogue.js");
          const catalogue = new Catalogue();
          await catalogue.load();
          const ask = () => codes.map(catalogue.find, catalogue).map((hit) => hit && [hit.product.sku, hit.qty]);
          const inText = ask(), found = catalogue.search("case").length; // the search reads all lines
          return [inText, ask(), found, catalogue.rows.length];
        }""",
        asked,
    )
    assert found[0] == found[1] == [known.get(code) for code in asked]
    assert found[2:] == [len(ODD), len({sku for sku, _ in known.values()})]


def test_a_label_rings_up_while_no_server_answers(page: Page, store: Node) -> None:
    enter(page, store)
    store.stop()
    wedge(page, "2112345003122")
    expect(page.locator("#lines")).to_contain_text("312 g")


def test_a_price_the_page_read_itself_is_sold_by_its_code_after_parking_and_a_reload(
    page: Page, store: Node, faults: list[str]
) -> None:
    code = own_labels.build(own_labels.scheme(PRICE), 42, 499)
    enter(page, store)
    wedge(page, code)
    expect(page.locator("#lines")).to_contain_text("Price from the label")
    page.keyboard.press("F4")
    page.keyboard.press("Enter")
    expect(page.locator("#lines > li")).to_have_count(0)
    page.reload()
    page.locator("#parked-button").click()
    page.locator(".row-button").first.click()
    expect(page.locator("#total")).to_have_text("$4.99")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    [entry] = [row for row in store.rows(JournalEntry) if row.verb == "sale.completed"]
    assert code in entry.body


@pytest.mark.parametrize(("pattern", "number", "value"), [(WEIGHT, 12345, 312), (PRICE, 42, 499)])
def test_a_line_off_a_label_keeps_its_quantity_and_the_till_says_to_scan_the_next_label(
    page: Page, store: Node, faults: list[str], pattern: str, number: int, value: int
) -> None:
    code = own_labels.build(own_labels.scheme(pattern), number, value)
    enter(page, store)
    by_hand(page, f"3*{code}")
    expect(page.locator("#says")).to_contain_text("gives its amount. Scan each label")
    [line] = kept(page)["lines"]
    assert (line["code"], line["labelled"]) == (code, True)
    expect(page.locator(".line .more")).to_be_hidden()
    page.locator(".line .tool.qty").click()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_contain_text("gives its amount. Scan each label")
    assert kept(page)["lines"][0]["qty"] == line["qty"]
    page.keyboard.press("Escape")
    wedge(page, code)
    expect(page.locator("#lines > li")).to_have_count(2)
    priced(page)
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


def test_the_till_says_how_many_pieces_are_beyond_those_marked_down(page: Page, store: Node, faults: list[str]) -> None:
    at = SystemClock().now()
    with store.database.write() as session:
        code = markdown.mark_down(
            Context(session, Actor("ana", "Ana", "shopkeeper", STORE), at),
            STORE,
            "MILK",
            expires_on=at.date() + dt.timedelta(days=1),
            percent_bp=5000,
            qty=2,
        )["url"]
    enter(page, store)
    wedge(page, code)
    page.locator(".line .tool.qty").click()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator(".line-extras")).to_contain_text("Regular price for 1: no more were marked down")
    expect(page.locator("#total")).to_have_text("$6.97")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()


@pytest.mark.parametrize("separator", ["Control+]", "F8"])
def test_the_separator_of_a_gs1_code_keeps_batch_and_last_day_apart_and_is_no_command(
    page: Page, store: Node, separator: str, faults: list[str]
):
    year = SystemClock().now().year + 1
    enter(page, store)
    page.locator("#search").focus()
    wedge(page, f"010200000000001510AB12\x1d17{year % 100}0101", separator=separator)
    expect(page.locator("#lines")).to_contain_text(f"{year}-01-01 AB12")
    expect(page.locator("#pay")).to_be_hidden()
    expect(page.locator("#search")).to_have_value("")
    page.keyboard.press("F8")
    expect(page.locator("#pay")).to_be_visible()


def test_a_keyed_weight_is_less_its_box_and_many_pieces_come_back_by_one_number(
    page: Page, store: Node, faults: list[str]
):
    with store.database.write() as session:
        ana = Actor("ana", "Ana", "shopkeeper", STORE)
        scale.set_tare(Context(session, ana, SystemClock().now()), STORE, "APPLE", 12)
    enter(page, store)
    page.get_by_role("button", name=re.compile("Apples")).click()
    page.keyboard.type("482", delay=60)
    expect(page.locator(".tare")).to_contain_text("482 g less 12 g tare: 470 g")
    page.get_by_role("button", name="Container (tare)").click()
    page.keyboard.type("600", delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-says")).to_contain_text("The container alone weighs that much. Enter the")
    page.keyboard.press("Delete")
    page.keyboard.type("50", delay=60)
    expect(page.locator("#number-shown")).to_have_text("482 g")
    page.keyboard.press("Enter")
    expect(page.locator("#lines .line-qty")).to_have_text("432 g")
    by_hand(page, f"40*{CODES['MILK']}")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert {line.sku: line.qty for line in store.rows(SaleLine)} == {"APPLE": 432, "MILK": 40}
    page.keyboard.press("Escape")
    page.keyboard.press("F10")
    page.locator("#sheet").get_by_role("button", name="Refund").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    page.get_by_role("button", name="Quantity of Whole milk: 0").click()
    page.keyboard.type("41", delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-says")).to_contain_text("Up to 40 of it can be returned")
    page.keyboard.press("Delete")
    page.keyboard.type("25", delay=60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Quantity of Whole milk: 25")).to_be_visible()
    expect(page.locator("#sheet-body .panel-due")).to_have_text("$87.25")

"""Baskets set aside, taken up and given up: one till keeps each, nothing moves, no page says what they are worth."""

import dataclasses
import json

import pytest
import sqlalchemy as sa

from config.errors import Conflict, NotFound, Refused
from config.nodes.journal import Context, JournalEntry
from pos.catalogue import catalogue
from pos.documents.till_report import till_report
from pos.reports import reports
from pos.sale import basket
from pos.sale.basket import Parking, TakeUp, Voiding
from pos.sale.sale_request import RungLine
from pos.stock import recall
from pos.stock.ledger import StockMovement
from pos.store.store import Till, sell_beyond, store_of
from pos.till.parked import taken_up
from pos.till.shift import current
from pos.till.shift_report import x_report
from tests.builders import NOON, STORE, TILL
from tests.recount import recount


def park(store, id, till_id=TILL, total_minor=258, content=None):
    with store.write() as session:
        wish = Parking(id, STORE, till_id, total_minor, content or {})
        return basket.park(Context(session, store.ana, NOON), wish)


def give_up(store, id, lines=(), total_minor=1, till_id=TILL):
    with store.write() as session:
        wish = Voiding(id, STORE, till_id, "left", total_minor, lines)
        return basket.void(Context(session, store.wei, NOON), wish)


def reported_of(store, id, verb="basket.voided"):
    query = sa.select(JournalEntry.body).where(JournalEntry.subject == f"sale:{id}")
    query = query.where(JournalEntry.verb == verb)
    return json.loads(store.read(lambda session: session.scalars(query).one()))


def test_what_is_given_up_is_worth_what_the_shop_says_and_both_figures_are_journalled(store):
    row = give_up(store, "basket-5", [RungLine("milk", 2), RungLine("nonsense", 9)], total_minor=1)
    assert (row.total_minor, row.content) == (258, {"lines": [{"sku": "milk", "qty": 2}]})
    reported = reported_of(store, "basket-5")
    assert (reported["total_minor"], reported["claimed_minor"], reported["unknown"]) == (258, 1, 1)
    assert reported["lines"] == [["milk", 2]]
    assert store.read(lambda session: current(session, STORE, TILL)).totals["events"]["voided"] == [1, 258]


def test_no_price_a_page_types_makes_what_is_given_up_worth_less(store):
    assert give_up(store, "basket-5", [RungLine("milk", 2, price_minor=1, discount_bp=10_000)]).total_minor == 258


def test_what_was_parked_is_the_evidence_of_what_was_given_up(store):
    parked = {"lines": [{"sku": "milk", "qty": 3}, {"sku": 7}, "x"]}
    park(store, "basket-6", total_minor=387, content=parked)
    row = give_up(store, "basket-6", total_minor=1)
    assert (row.total_minor, row.content) == (387, parked)
    park(store, "basket-7", total_minor=387, content=parked)
    give_up(store, "basket-7", [RungLine("milk", 1)], total_minor=129)
    reported = reported_of(store, "basket-7")
    assert (reported["total_minor"], reported["parked_minor"], "claimed_minor" in reported) == (129, 387, False)


def test_one_product_that_has_no_price_hides_no_other_of_a_basket_given_up(store):
    with store.write() as session:
        by = {"actor": store.wei, "at": NOON}
        catalogue.add_product(Context(session, **by), "bare", "Bare", category="x", tax_class_id="food")
        catalogue.list_product(Context(session, **by), STORE, "bare")
    assert give_up(store, "basket-8", [RungLine("bare", 1), RungLine("milk", 2)]).total_minor == 258


def test_a_recalled_product_that_is_given_up_is_worth_nothing_for_nobody_could_have_bought_it(store):
    with store.write() as session:
        recall.call(Context(session, store.wei, NOON), STORE, "milk", why="glass in it", called_by="The dairy")
    assert give_up(store, "basket-8", [RungLine("milk", 2), RungLine("bread", 1)]).total_minor == 349


@pytest.mark.parametrize("odd", [RungLine("milk", 10**12), RungLine("milk", 1, price_minor=10**12 + 1)])
def test_what_nobody_sells_hides_no_other_line_of_a_basket_given_up(store, odd):
    with store.write() as session:
        session.get_one(catalogue.Product, "milk").price_typed = True
    assert give_up(store, "basket-8", [odd, RungLine("bread", 1)]).total_minor == 349


def test_what_the_books_do_not_have_is_worth_its_price_when_it_is_given_up(store):
    with store.write() as session:
        sell_beyond(Context(session, store.wei, NOON), STORE, False)
    assert give_up(store, "basket-9", [RungLine("milk", 21)]).total_minor == 21 * 129


def test_corrections_of_products_nobody_knows_are_not_counted(store):
    store.sell([("milk", 1)], corrections=[("zzz", -5)] * 499 + [("bread", 1)])
    assert store.read(lambda session: current(session, STORE, TILL)).totals["events"]["correction"] == [1, 0]


def test_what_is_taken_off_is_journalled_with_product_quantity_and_value_and_stands_on_z_and_in_the_report(store):
    store.sell([("milk", 1)], id="basket-20", corrections=[("milk", 9, 1161), ("bread", 1), ("milk", -1, -129)])
    with store.write() as session:
        wish = Voiding("basket-21", STORE, TILL, "left", 0, taken_off=[("milk", 2, 258)])
        basket.void(Context(session, store.wei, NOON), wish)
    assert reported_of(store, "basket-20", "sale.completed")["taken_off"] == [["milk", 8, 1161], ["bread", 1, 0]]
    given_up = reported_of(store, "basket-21")
    assert (given_up["taken_off"], given_up["taken_off_minor"]) == ([["milk", 2, 258]], 258)
    report = store.read(lambda session: x_report(session, current(session, STORE, TILL)))
    assert report["corrections"] == [["Ana", 3, 1161], ["Wei", 1, 258]]
    reported = "\n".join(line.text for line in till_report(report, columns=42))
    assert "Removed lines" in reported
    assert "Ana (3)" in reported
    day = store.read(lambda session: current(session, STORE, TILL).business_day)
    rows = store.read(lambda session: reports.report(session, store_of(session, STORE), "cashier", day, day)).rows
    assert [(row["name"], row["corrections_count"], row["corrections_minor"]) for row in rows] == [
        ("Ana", 3, 1161),
        ("Wei", 1, 258),
    ]
    with store.write() as session:
        row = current(session, STORE, TILL)
        assert recount(session, row)["corrections"] == row.totals["corrections"]


def test_no_till_writes_over_what_another_keeps_or_takes_up_what_was_paid(store):
    with store.write() as session:
        session.add(Till(store_id=STORE, id="T2", name="Till 2"))
    park(store, "basket-9", content={"n": 1})
    with pytest.raises(Conflict, match="Ana has already"):
        park(store, "basket-9", "T2", content={"n": 2})
    with store.write() as session:
        assert basket.resume(Context(session, store.wei, NOON), TakeUp("basket-9", STORE, "T2")).content == {"n": 1}
    with pytest.raises(Conflict, match="Wei has already"):
        park(store, "basket-9", content={"n": 3})
    assert park(store, "basket-9", "T2", content={"n": 4}).content == {"n": 4}
    with pytest.raises(NotFound, match="not set up here"):
        park(store, "basket-10", "T7")
    store.sell([("milk", 1)], id="basket-9")
    with store.write() as session, pytest.raises(Conflict) as refusal:
        basket.resume(Context(session, store.wei, NOON), TakeUp("basket-9", STORE, "T2"))
    assert refusal.value.code == "already-sold"


def test_a_till_takes_up_again_what_it_has_in_hand_and_another_one_only_by_leave_and_by_name(store):
    def take_up(till_id, from_till_id=None, actor=store.wei):
        with store.write() as session:
            return basket.resume(Context(session, actor, NOON), TakeUp("basket-13", STORE, till_id, from_till_id))

    with store.write() as session:
        session.add(Till(store_id=STORE, id="T2", name="Till 2"))
    park(store, "basket-13", content={"n": 1})
    for _ in range(2):  # the first answer was lost
        assert take_up(TILL).content == {"n": 1}
    assert [row.id for row in store.read(lambda session: taken_up(session, STORE))] == ["basket-13"]
    for from_till_id in (None, "T3"):
        with pytest.raises(Conflict, match="Wei has already"):
            take_up("T2", from_till_id, store.ana)
    with pytest.raises(Refused) as refusal:
        take_up("T2", TILL, store.ana)
    assert refusal.value.facts["permissions"] == ["baskets.others"]
    assert take_up("T2", TILL, dataclasses.replace(store.ana, role="supervisor")).till_id == "T2"
    with pytest.raises(Conflict, match="Ana has already"):
        store.sell([("milk", 1)], id="basket-13")
    with pytest.raises(Conflict, match="Ana has already"):
        give_up(store, "basket-13")
    give_up(store, "basket-13", till_id="T2")
    with pytest.raises(Conflict, match="was voided"):
        take_up("T2")
    assert store.read(lambda session: taken_up(session, STORE)) == []


def test_setting_aside_taking_up_and_giving_up_moves_no_stock(store):
    moved = store.read(lambda session: session.scalar(sa.select(sa.func.count()).select_from(StockMovement)))
    before = store.level("milk")
    park(store, "basket-11", content={"lines": [{"sku": "milk", "qty": 3}]})
    with store.write() as session:
        basket.resume(Context(session, store.ana, NOON), TakeUp("basket-11", STORE, TILL))
    give_up(store, "basket-11", [RungLine("milk", 3)])
    assert store.level("milk") == before
    assert store.read(lambda session: session.scalar(sa.select(sa.func.count()).select_from(StockMovement))) == moved


def test_tax_is_the_same_after_a_basket_was_set_aside_and_taken_up(store):
    lines = [("milk", 3), ("wine", 1), ("cheese", 333)]
    straight = store.sell(lines).document
    park(store, "basket-12", content={"lines": [{"sku": sku, "qty": qty} for sku, qty in lines]})
    with store.write() as session:
        kept = basket.resume(Context(session, store.ana, NOON), TakeUp("basket-12", STORE, TILL)).content["lines"]
    taken_up = store.sell([(line["sku"], line["qty"]) for line in kept], id="basket-12").document
    for name in ("taxes", "tax_minor", "total_minor"):
        assert taken_up[name] == straight[name]
    assert store.level("milk").on_hand == 20 - 3 - 3
    assert store.findings() == []

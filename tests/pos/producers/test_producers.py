"""Goods of local producers: whose they are at the till, lots traced to receipts and back, settled to the cent."""

import datetime as dt
import json
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config import words
from config.errors import Conflict, Invalid, Refused
from config.ids import new_id
from config.nodes.journal import Actor, Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import assortment
from pos.catalogue.assortment import ProductDetails
from pos.producers import payouts, producers
from pos.producers.producers import ProducerMovement
from pos.stock import stock, waste
from pos.stock.ledger import Place, Source
from pos.stock.producer_lots import ProducerLot
from tests.builders import NOON, STORE, OpenStore, open_store

TODAY = NOON.date()
ACTOR = Actor("wei", "Wei", "shopkeeper", STORE)
BY = {"actor": ACTOR, "at": NOON}


def farm(store: OpenStore, *, commission_bp: int = 2_000, agent_bp: int = 300, price_minor: int = 399) -> str:
    """Let a farmer's tomatoes be sold; returns their SKU. The farmer's id is 'farm'."""
    with store.database.write() as session:
        tax = session.scalar(sa.text("select id from tax_class where rate_bp > 0 order by id limit 1"))
        facts = producers.ProducerFacts(
            "Li's farm", commission_bp=commission_bp, agent_name="Mei" if agent_bp else "", agent_bp=agent_bp
        )
        producers.add_producer(Context(session, **BY), STORE, facts, id="farm")
        product = assortment.add(
            Context(session, **BY), STORE, ProductDetails("Tomatoes", "Local", tax), command="tomatoes"
        )
        assortment.set_price(Context(session, **BY), STORE, product.sku, price_minor, TODAY, today=TODAY)
        producers.sell_for(Context(session, **BY), STORE, "farm", product.sku, "Grown on the hill.")
        return product.sku


def came(store: OpenStore, sku: str, qty: int, *, minutes: int = 0) -> str:
    at = NOON + dt.timedelta(minutes=minutes)
    with store.database.write() as session:
        return producers.take_in(Context(session, ACTOR, at), STORE, sku, qty, id=new_id()).id


def lot(store: OpenStore, id: str) -> ProducerLot:
    with store.database.read() as session:
        return session.get_one(ProducerLot, (STORE, id))


def moves(store: OpenStore) -> list[ProducerMovement]:
    with store.database.read() as session:
        return list(session.scalars(sa.select(ProducerMovement).order_by(ProducerMovement.id)))


def trace(store: OpenStore, **which):
    with store.database.read() as session:
        return payouts.trace(session, STORE, **which)


def test_a_lot_leads_to_its_receipts_and_a_receipt_to_its_lots(store):
    sku = farm(store)
    first, second = came(store, sku, 3), came(store, sku, 5, minutes=1)
    store.sell([(sku, 2)])
    sold = store.sell([("milk", 1), (sku, 4)])
    assert [(one.receipt_no, one.qty) for one in trace(store, lot_id=first)] == [(1, 2), (2, 1)]
    back = trace(store, receipt=(sold.sale.till_id, sold.sale.receipt_no))
    assert [(one.producer, one.lot_id, one.qty) for one in back] == [("Li's farm", first, 1), ("Li's farm", second, 3)]
    assert (lot(store, first).left_qty, lot(store, second).left_qty) == (0, 2)
    assert store.findings() == []


def test_a_whole_return_leaves_exactly_nothing_and_puts_the_units_back_into_their_lot(store):
    sku = farm(store, price_minor=333)
    first, second = came(store, sku, 1), came(store, sku, 5, minutes=1)
    sold = store.sell([(sku, 4)])
    for part in (1, 2, 1):
        store.take_back(sold.sale.id, [(1, part)])
    for name in ("qty", "net_minor", "commission_minor", "agent_minor", "due_minor"):
        assert sum(getattr(move, name) for move in moves(store)) == 0, name
    assert (lot(store, first).left_qty, lot(store, second).left_qty) == (1, 5)
    assert store.findings() == []


def test_what_came_back_after_the_statement_is_carried_into_the_next_one(store):
    sku = farm(store, agent_bp=0)
    came(store, sku, 10)
    sold = store.sell([(sku, 3)])
    with store.database.write() as session:
        first = payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
        assert payouts.pay(Context(session, **BY), STORE, first.id, "bank").paid_how == "bank"
    store.take_back(sold.sale.id, [(1, 3)])
    with store.database.write() as session:
        second = payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
        assert second.due_minor == -first.due_minor
        assert second.to_pay_minor == 0
        with pytest.raises(Refused, match="carries over"):
            payouts.pay(Context(session, **BY), STORE, second.id, "bank")
        with pytest.raises(Refused, match="Nothing was sold"):
            payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
    store.sell([(sku, 5)])
    with store.database.write() as session:
        third = payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
    whole = sum(move.due_minor for move in moves(store))
    assert first.to_pay_minor + third.to_pay_minor == whole
    assert store.findings() == []


def test_the_commission_is_of_the_net_and_the_agent_s_part_is_within_it(store):
    sku = farm(store, commission_bp=2_500, agent_bp=500, price_minor=1_000)
    came(store, sku, 1)
    line = store.sell([(sku, 1)]).document["lines"][0]
    (move,) = moves(store)
    assert move.net_minor == line["net_minor"] < line["total_minor"]
    assert abs(move.commission_minor - move.net_minor / 4) <= 0.5
    assert abs(move.agent_minor - move.net_minor / 20) <= 0.5
    assert move.due_minor == move.net_minor - move.commission_minor


def test_what_is_sold_beyond_all_lots_is_owed_all_the_same(store):
    sku = farm(store)
    only = came(store, sku, 1)
    store.sell([(sku, 3)])
    assert [(move.lot_id, move.qty) for move in moves(store)] == [(only, 1), (None, 2)]
    assert store.findings() == []


def test_what_goes_back_or_is_spoilt_leaves_its_lot_and_the_stock(store):
    sku = farm(store)
    only = came(store, sku, 9)
    with store.database.write() as session:
        producers.take_out(Context(session, **BY), STORE, only, 4, lost=False, id=new_id())
        producers.take_out(Context(session, **BY), STORE, only, 2, lost=True, id=new_id())
        with pytest.raises(Invalid, match="Only 3 of this lot are left"):
            producers.take_out(Context(session, **BY), STORE, only, 4, lost=True, id=new_id())
    row = lot(store, only)
    assert (row.left_qty, row.back_qty, row.lost_qty, row.sold_qty) == (3, 4, 2, 0)
    assert store.level(sku).on_hand == 3
    assert store.findings() == []


def test_whose_a_product_is_stays_clear(store, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "es")
    sku = farm(store)
    with store.database.write() as session:
        assortment.name_product(Context(session, **BY), STORE, sku, {"es": "Miel"})
        producers.add_producer(
            Context(session, **BY), STORE, producers.ProducerFacts("Wang", commission_bp=1_000), id="wang"
        )
        with pytest.raises(Conflict, match="Miel is already sold for another producer"):
            producers.sell_for(Context(session, **BY), STORE, "wang", sku)
        with pytest.raises(Refused, match="your own"):
            producers.sell_for(Context(session, **BY), STORE, "wang", "milk")
        with pytest.raises(Invalid):
            producers.add_producer(
                Context(session, **BY), STORE, producers.ProducerFacts("Greedy", commission_bp=6_001), id="x"
            )


def test_an_undone_write_off_is_left_of_the_lot_it_came_off(store):
    sku = farm(store)
    first, second = came(store, sku, 4), came(store, sku, 5, minutes=1)
    of_second = lot(store, second).code
    with store.database.write() as session:
        for key, code in (("first", ""), ("second", of_second)):
            what = waste.WriteOff(sku, 2, "damaged", batch=code or None)
            waste.write_off(Context(session, **BY), STORE, what, id=key)
        waste.undo(Context(session, **BY), STORE, "first")
    assert [(one.left_qty, one.lost_qty) for one in map(partial(lot, store), (first, second))] == [(4, 0), (3, 2)]


def test_what_is_written_off_counted_missing_or_sent_back_leaves_the_lots_with_the_stock(store):
    sku = farm(store)
    first = came(store, sku, 10)
    with store.database.write() as session:
        waste.write_off(Context(session, **BY), STORE, waste.WriteOff(sku, 10, "damaged"))
    second, third = came(store, sku, 10, minutes=1), came(store, sku, 5, minutes=2)
    sold = store.sell([(sku, 6)])
    assert [one.lot_id for one in trace(store, receipt=(sold.sale.till_id, sold.sale.receipt_no))] == [second]
    code = lot(store, third).code.lower()
    with store.database.write() as session:
        waste.write_off(Context(session, **BY), STORE, waste.WriteOff(sku, 1, "damaged", batch=code))
        stock.count(Context(session, **BY), STORE, sku, 6)
        source = Source("sent_back", "goods", new_id())
        waste.take_out(Context(session, **BY), STORE, [(sku, 3)], Place.SUPPLIER, source)
    shown = [
        (one.left_qty, one.sold_qty, one.lost_qty, one.back_qty)
        for one in map(partial(lot, store), (first, second, third))
    ]
    assert shown == [(0, 0, 10, 0), (0, 6, 2, 2), (3, 0, 1, 1)]
    assert store.findings() == []


def test_what_comes_back_spoilt_is_lost_to_its_lot_and_not_sold_again(store):
    sku = farm(store)
    first, second = came(store, sku, 3), came(store, sku, 3, minutes=1)
    sold = store.sell([(sku, 3)])
    store.take_back(sold.sale.id, [(1, 2)], restock=False)
    store.take_back(sold.sale.id, [(1, 1)])
    assert (lot(store, first).left_qty, lot(store, first).lost_qty) == (1, 2)
    again = store.sell([(sku, 2)])
    of_lots = trace(store, receipt=(again.sale.till_id, again.sale.receipt_no))
    assert [(one.lot_id, one.qty) for one in of_lots] == [(first, 1), (second, 1)]
    assert store.findings() == []


def test_a_lot_with_more_left_than_is_there_is_found(store):
    sku = farm(store)
    only = came(store, sku, 3)
    store.sell([(sku, 3)])
    with store.database.write() as session:
        session.get_one(ProducerLot, (STORE, only)).left_qty = 1
        session.get_one(ProducerLot, (STORE, only)).came_qty = 4
    assert [(one.code, one.found) for one in store.findings()] == [("K18", "1 left, 0 there")]


def test_cash_for_a_producer_comes_out_of_the_drawer_once(store):
    sku = farm(store, price_minor=100)
    came(store, sku, 5)
    store.sell([(sku, 2)])
    with store.database.write() as session:
        row = payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
        till = session.scalar(sa.text("select id from till limit 1"))
        for _ in range(2):
            payouts.pay(Context(session, **BY), STORE, row.id, "cash", till_id=till)
        paid = session.execute(sa.text("select amount_minor from cash_movement where kind = 'pay_out'")).scalars().all()
    assert paid == [-row.to_pay_minor]
    assert store.findings() == []


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["came", "sell", "back", "spoilt", "state", "out", "waste", "count"]), st.integers(1, 6)
        ),
        max_size=14,
    ),
    st.integers(1, 999),
    st.integers(0, 6_000),
)
def test_no_walk_of_sales_returns_and_statements_loses_a_cent(tmp_path_factory, steps, price_minor, commission_bp):
    store = open_store(tmp_path_factory.mktemp("walk"))
    try:
        sku = farm(store, price_minor=price_minor, commission_bp=commission_bp, agent_bp=min(100, commission_bp))
        sold: list[str] = []
        for n, (step, qty) in enumerate(steps):
            try:
                if step == "came":
                    came(store, sku, qty, minutes=n)
                elif step == "sell":
                    sold.append(store.sell([(sku, qty)]).sale.id)
                elif step in ("back", "spoilt"):
                    if sold:
                        store.take_back(sold[qty % len(sold)], [(1, qty)], restock=step == "back")
                else:
                    with store.database.write() as session:
                        if step == "state":
                            payouts.make(Context(session, **BY), STORE, "farm", TODAY, id=new_id())
                        elif step == "waste":
                            waste.write_off(Context(session, **BY), STORE, waste.WriteOff(sku, qty, "damaged"))
                        elif step == "count":
                            stock.count(Context(session, **BY), STORE, sku, qty)
                        elif first := session.scalar(sa.select(ProducerLot.id).where(ProducerLot.left_qty >= qty)):
                            producers.take_out(Context(session, **BY), STORE, first, qty, lost=bool(n % 2), id=new_id())
            except (Refused, Invalid):
                continue
        assert store.findings() == []
        with store.database.read() as session:
            stated = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(payouts.ProducerStatement.due_minor), 0)))
            left = payouts.open_of(session, STORE, "farm").due_minor
            reported = session.scalars(sa.select(OutboxMessage.body).where(OutboxMessage.topic == "agent.parts"))
            to_agents = sum(minor for body in reported for _name, minor in json.loads(body)["parts"])
            to_agents += payouts.open_of(session, STORE, "farm").agent_minor
        assert stated + left == sum(move.due_minor for move in moves(store))
        assert to_agents == sum(move.agent_minor for move in moves(store)), "what agents are told of, to the cent"
    finally:
        store.database.engine.dispose()

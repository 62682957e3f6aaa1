"""A network's recall: nothing leaves a warehouse, stores that carry it hear of it and are credited."""

import datetime as dt
import random
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes import facts
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.stock import batches, delivery_notes, recall, stock, waste
from pos.stock.batches import Batch, Lot
from pos.stock.ledger import Place, StockLevel
from pos.stock.waste import Waste
from pos.store.store import Store
from supply.money import ledger
from supply.network import founding
from supply.network.recalls import recalls
from supply.network.warehouse import dispatch, pick_lots, picking
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders.orders import OrderLine
from supply.orders.supplier_returns import SupplierReturn, SupplierReturnLine
from supply.orders.suppliers import Contact
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, VAN, WAREHOUSE, Country, make_country, write_order

BY = {"actor": OPERATOR, "at": AT}
ALL = 10_000
SECOND_FIRST = 1
"""A seed that lets the second of two words arrive before the first."""
SAID = {"why": "glass in it", "called_by": "The mill", "afterwards": "destroy"}


def _sent_and_ordered(country: Country) -> None:
    """Let S1 have got 6 of lot A and ordered 12 more, and the warehouse have 6 of A, 30 of B, 18 of no known lot."""
    lots = [Lot("bread", 12, "A", DAY + dt.timedelta(days=3)), Lot("bread", 30, "B", DAY + dt.timedelta(days=9))]
    with country.network.write() as session:
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="lot", at=AT)
    country.order("S1", {"bread": 1}, id="first")
    country.send_out()
    country.take_in("S1")
    country.order("S1", {"bread": 2}, id="one")
    country.deliver()
    country.fill()
    country.deliver()


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_sent_and_ordered)


def call(country: Country, batch: str | None = "A", **said) -> None:
    with country.network.write() as session:
        recalls.call(Context(session, **BY), "bread", batch, id="r1", **SAID | said)
    country.deliver()


def row_at(country: Country, here: str, store_id: str) -> recall.Recall:
    with country.nodes()[here].read() as session:
        return session.get_one(recall.Recall, (store_id, "r1"))


def test_a_recalled_lot_is_neither_promised_nor_named_nor_taken_nor_loaded(country):
    with country.network.write() as session:
        made = picking.make(Context(session, **BY), WAREHOUSE).id
    call(country)
    with country.network.write() as session:
        names = {row.id: row.batch for row in session.scalars(sa.select(Batch))}
        (line,) = session.scalars(sa.select(PickLine).filter_by(pick_id=made, sku="bread"))
        assert [(names[lot_id], qty) for lot_id, qty in line.lots] == [("B", 12)], "the sheet named A before"
        with pytest.raises(Refused, match="lot A is recalled"):
            pick_lots.take_scanned(Context(session, **BY), made, "(01)04006381333931(10)A")
        lists = session.get_one(PickList, made)
        assert [one.batch for one in pick_lots.choices(session, lists, ["bread"], AT)["bread"]] == ["B"]
        picking.drop(Context(session, **BY), made, why="for this test")
        (free,) = dispatch.ready(session, WAREHOUSE, at=AT)
        assert [(one.sku, one.qty) for one in free.lines] == [("bread", 12)]
    assert country.load() == ["one"]
    with country.network.read() as session:
        gone = dict(session.execute(sa.select(Batch.batch, Batch.gone_qty)).all())
    assert gone == {"A": 6, "B": 12}, "6 of A left before it was recalled"


def test_what_was_picked_of_a_lot_recalled_since_stays_and_the_list_says_so(country):
    with country.network.write() as session:
        made = picking.make(Context(session, **BY), WAREHOUSE).id
        picking.pick_rest(Context(session, **BY), made)
    call(country, batch=None)
    with country.network.write() as session:
        sent = picking.send_off(Context(session, **BY), made)
    assert sent == picking.SentOff((), (("S1", "recalled"),))


def test_what_was_recalled_before_it_was_picked_stays_as_recalled_and_not_as_gone(country):
    with country.network.write() as session:
        made = picking.make(Context(session, **BY), WAREHOUSE).id
    call(country, batch=None)
    with country.network.write() as session:
        picking.pick_rest(Context(session, **BY), made)
        assert picking.send_off(Context(session, **BY), made) == picking.SentOff((), (("S1", "recalled"),))


def test_every_shop_that_carries_it_is_told_and_says_how_many_it_took_away(country):
    call(country)
    with country.stores["S1"].write() as session:
        with pytest.raises(Refused, match="glass in it"):
            recall.refuse(session, "S1", [("bread", "A")])
        recalls.clear(Context(session, KEEPER["S1"], AT), "S1", "r1", 4, waste_id="w1")
        assert [(one.reason, one.batch, one.qty) for one in session.scalars(sa.select(Waste))] == [("recall", "A", 4)]
    with country.stores["S2"].read() as session:
        assert recall.in_force(session, "S2") == [], "it never had any"
    country.deliver(seed=3)
    country.reapply()
    with country.network.write() as session:
        (store,) = recalls.stores(session, "r1")
        assert (store.sent_qty, store.maybe_qty, store.row.taken_qty, store.most_qty) == (6, 0, 4, 4)
        before = ledger.left_to_credit(session, "S1")
        with pytest.raises(Invalid, match="0 to 4"):
            recalls.settle(Context(session, **BY), "r1", "S1", 5)
        assert recalls.settle(Context(session, **BY), "r1", "S1", 4) == 600, "4 of 6 at 9.00"
        assert ledger.left_to_credit(session, "S1") == before - 600
        with pytest.raises(Refused, match="was already credited"):
            recalls.settle(Context(session, **BY), "r1", "S1", 4)
    assert country.findings() == []


def test_a_warehouse_that_was_looked_through_writes_off_what_was_found_and_what_was_not(country):
    call(country)
    with country.network.write() as session:
        with pytest.raises(Refused, match="Up to 24 in stock could be affected"):
            recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 25)
        recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 5)
        gone = session.execute(sa.select(Waste.batch, Waste.reason, Waste.qty).order_by(Waste.qty)).all()
        assert [tuple(one) for one in gone] == [("A", "other", 1), ("A", "recall", 5)]
        assert batches.unsound(session, WAREHOUSE, day=DAY) == {}
        with pytest.raises(Conflict):
            recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 5)
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="late")
        batches.lay_in(session, WAREHOUSE, [Lot("bread", 6, "a")], source_kind="purchase", source_id="late", at=AT)
        assert batches.unsound(session, WAREHOUSE, day=DAY) == {"bread": 6 + 18}, "it waits for another look"
        assert [looked for _row, looked, _places in recalls.called(session)] == [0], "and the operator is reminded"
    assert row_at(country, NETWORK, WAREHOUSE).state == "called"
    assert country.findings() == []


def test_only_what_holds_now_counts_however_the_words_arrive(country):
    with country.network.write() as session:
        recalls.call(Context(session, **BY), "bread", "A", id="r1", **SAID)
        recalls.lift(Context(session, **BY), "r1", why="tested")
    country.deliver(seed=1)
    assert row_at(country, "S1", "S1").state == "lifted"
    with country.stores["S1"].read() as session:
        recall.refuse(session, "S1", [("bread", "A")])


def test_a_shop_keeps_its_own_recall_beside_the_networks(country):
    with country.stores["S1"].write() as session:
        recall.call(Context(session, KEEPER["S1"], AT), "S1", "bread", why="a customer brought it back")
    call(country, afterwards="send_back")
    with country.stores["S1"].read() as session:
        assert sorted(one.afterwards for one in recall.in_force(session, "S1")) == ["", "send_back"]


def test_the_network_says_what_becomes_of_the_goods_and_calls_once(country):
    call(country)
    for said in ({"afterwards": "eat"}, {}):
        with pytest.raises((Invalid, Conflict)), country.network.write() as session:
            recalls.call(Context(session, **BY), "bread", "A", id="r2", **SAID | said)


def test_a_recall_called_anew_reaches_a_shop_that_has_not_heard_yet_that_the_first_one_is_lifted(country):
    call(country)
    with country.network.write() as session:
        recalls.lift(Context(session, **BY), "r1", why="tested")
        recalls.call(Context(session, **BY), "bread", "A", id="r2", **SAID)
    country.deliver(seed=SECOND_FIRST)
    assert row_at(country, "S1", "S1").state == "lifted"
    with country.stores["S1"].read() as session, pytest.raises(Refused, match="glass in it"):
        recall.refuse(session, "S1", [("bread", "A")])


def test_no_unit_is_credited_for_two_recalls_nor_once_it_went_back(country):
    call(country)
    with country.network.write() as session:
        recall.clear(Context(session, OPERATOR, AT), "S1", "r1", 3)
        recalls.settle(Context(session, **BY), "r1", "S1", 3)
        recalls.lift(Context(session, **BY), "r1", why="tested")
        for again, batch in (("same", "A"), ("all", None)):
            recalls.call(Context(session, **BY), "bread", batch, id=again, **SAID)
            recall.clear(Context(session, OPERATOR, AT), "S1", again, 600)
            assert [one.most_qty for one in recalls.stores(session, again)] == [3], "of 6 that were sent"
        back = {"store_id": "S1", "supplier_id": "vehicle", "source": "claim", "proposed_at": AT, "send_by": DAY}
        session.add(SupplierReturn(id="back", state="received", **back))
        session.flush()
        units = {"qty": 1, "sent_qty": 1, "received_qty": 1, "pack_qty": 6, "pack_cost_minor": 900, "charged": True}
        session.add(SupplierReturnLine(store_id="S1", return_id="back", sku="bread", name="Rye bread", **units))
        session.flush()
        assert [one.most_qty for one in recalls.stores(session, "all")] == [2]


def test_a_shop_is_not_looked_through_as_a_warehouse_is(country):
    call(country)
    with country.network.write() as session, pytest.raises(NotFound):
        recalls.look_through(Context(session, **BY), "S1", "r1", 0)
    assert row_at(country, NETWORK, "S1").state == "called"


def test_a_shop_that_bought_one_unit_dearly_is_credited_that_for_one_unit_alone(country):
    call(country)
    with country.network.write() as session:
        write_order(session, "S1", "odd", {"bread": 1}, VAN, AT + dt.timedelta(days=1), {})
        line = session.get_one(OrderLine, ("S1", "odd", "bread"))
        line.pack_qty, line.pack_cost_minor, line.qty_received = 1, 300, 1
        recall.clear(Context(session, OPERATOR, AT), "S1", "r1", 4)
        assert recalls.settle(Context(session, **BY), "r1", "S1", 4) == 300 + 3 * 150


def test_what_is_recalled_is_taken_out_of_the_bin_too(country):
    call(country)
    with country.stores["S1"].write() as session:
        stock.move(Context(session, **{**BY, "actor": KEEPER["S1"]}), "S1", "bread", 5, Place.BACKROOM, Place.BIN)
        recalls.clear(Context(session, KEEPER["S1"], AT), "S1", "r1", 4, waste_id="w1")
        assert stock.levels(session, "S1", ["bread"])["bread"].by_place[Place.BIN] == 2


def test_a_shop_that_carries_it_only_later_is_told_when_it_speaks_again_and_once(country):
    call(country)
    for times in (0, 1, 1):
        with country.network.write() as session:
            recalls.catch_up(session, "S2", at=AT)
        country.deliver()
        with country.stores["S2"].read() as session:
            assert len(recall.in_force(session, "S2")) == times, "it carries none of it at first"
        if not times:
            with country.stores["S2"].write() as session:
                stock.open_stock(Context(session, KEEPER["S2"], AT), "S2", [("bread", 3)], source_id="found")
            country.deliver()
    with country.network.write() as session:
        (store,) = [one for one in recalls.stores(session, "r1") if one.store_id == "S2"]
        assert (store.row.called_at, store.row.why, store.row.batch) == (AT, "glass in it", "A")
        recalls.lift(Context(session, **BY), "r1", why="tested")
        session.delete(store.row)
        session.flush()
        recalls.catch_up(session, "S2", at=AT)
        assert {one.store_id for one in recalls.stores(session, "r1")} == {"S1"}, "nobody is told of what is over"


def test_a_shop_without_a_node_is_told_by_hand_and_by_its_node_once_it_has_one(country):
    with country.network.write() as session:
        session.get_one(Store, "S1").has_node = False
    call(country)
    with country.stores["S1"].read() as session:
        assert recall.in_force(session, "S1") == []
    with country.network.write() as session:
        with pytest.raises(Refused, match="Inform Store S1 of the recall first"):
            recalls.note_looked(Context(session, **BY), "r1", "S1", 2)
        recalls.send_by_hand(Context(session, **BY), "r1", ["S1"])
        with pytest.raises(Invalid, match="Enter 0 to"):
            recalls.note_looked(Context(session, **BY), "r1", "S1", -1)
        recalls.note_looked(Context(session, **BY), "r1", "S1", 2)
        (store,) = recalls.stores(session, "r1")
        assert (store.is_by_hand, store.row.reported_how, store.most_qty) == (True, "hand", 2)
        recalls.catch_up(session, "S1", at=AT)
        with pytest.raises(Refused, match="This store is notified through its own node"):
            recalls.send_by_hand(Context(session, **BY), "r1", ["S1"])
    country.deliver()
    with country.stores["S1"].read() as session, pytest.raises(Refused, match="glass in it"):
        recall.refuse(session, "S1", [("bread", "A")])


@pytest.mark.parametrize("seed", range(3))
def test_what_a_person_noted_leaves_the_copied_stock_at_once_and_is_never_taken_twice(country, seed):
    chance, noted, said, own = random.Random(seed), 0, 0, {"actor": KEEPER["S1"], "at": AT}

    def on_hand(where: str) -> int:
        return country.level(where, "S1", "bread").on_hand

    def note(name: str, taken_qty: int) -> int:
        there = on_hand("network")
        with country.network.write() as session:
            recalls.call(Context(session, **BY), "bread", None, id=name, **SAID)
            recalls.send_by_hand(Context(session, **BY), name, ["S1"])
            recalls.note_looked(Context(session, **BY), name, "S1", taken_qty)
            recalls.lift(Context(session, **BY), name, why="tested")
        assert on_hand("network") == there - min(taken_qty, there)
        return min(taken_qty, there)

    with country.network.write() as session:
        session.get_one(Store, "S1").has_node = False
    with country.stores["S1"].write() as session:
        stock.open_stock(Context(session, **own), "S1", [("bread", 40)], source_id="found")
    country.deliver()
    for step in range(14):
        acts = ["count", "damaged", "recall", "recall", "receive", "note", "note", "deliver", "deliver"]
        act, here = chance.choice(acts), on_hand("S1")
        if act == "note":
            noted += note(f"n{step}", chance.randrange(8))
        elif act == "deliver":
            country.deliver()
            noted, said = max(0, noted - said), 0
            assert on_hand("network") == here - noted
        else:
            said += {"count": ALL, "recall": 2}.get(act, 0)
            with country.stores["S1"].write() as store:
                if act == "count":
                    stock.count(Context(store, **own), "S1", "bread", here - chance.randrange(4))
                elif act in waste.REASONS:
                    waste.write_off(Context(store, **own), "S1", waste.WriteOff("bread", 2, act))
                else:
                    stock.receive(Context(store, **own), "S1", [("bread", 2)], source_id=f"in{step}")
    country.deliver()
    before = note("last", 3)
    with country.stores["S1"].write() as store:
        stock.count(Context(store, KEEPER["S1"], AT - dt.timedelta(days=1)), "S1", "bread", 1)
    country.deliver()
    assert on_hand("network") == on_hand("S1") - before - max(0, noted - said), "counted before it was recalled"


def test_only_what_a_shop_lets_go_because_of_that_recall_takes_back_what_was_noted_of_it(country):
    own = {"actor": KEEPER["S1"], "at": AT}
    with country.network.write() as session:
        session.get_one(Store, "S1").has_node = False
        recalls.call(Context(session, **BY), "bread", "A", id="r1", **SAID)
        recalls.send_by_hand(Context(session, **BY), "r1", ["S1"])
        recalls.note_looked(Context(session, **BY), "r1", "S1", 3)
    for reason, lot, back in (("damaged", None, 0), ("recall", "B", 0), ("recall", "A", 1), ("recalled", "A", 2)):
        with country.stores["S1"].write() as store:
            if reason in waste.REASONS:
                waste.write_off(Context(store, **own), "S1", waste.WriteOff("bread", 1, reason, batch=lot))
            else:
                note = delivery_notes.begin(
                    Context(store, **own), "S1", way="back", supplier_name="The mill", reason=reason
                )
                delivery_notes.add(Context(store, **own), "S1", note.id, Lot("bread", 1, lot))
                delivery_notes.post(Context(store, **own), "S1", note.id)
        country.deliver()
        there, own_book = (country.level(where, "S1", "bread").on_hand for where in ("network", "S1"))
        assert there == own_book - 3 + back, reason


@pytest.mark.parametrize(("knows", "left_to_send"), [(True, True), (False, False)])
def test_who_was_told_by_hand_is_told_so_that_it_is_lifted(country, knows: bool, left_to_send: bool):
    with country.network.write() as session:
        session.get_one(Store, "S1").has_node = False
        recalls.call(Context(session, **BY), "bread", "A", id="r1", **SAID)
        if knows:
            recalls.send_by_hand(Context(session, **BY), "r1", ["S1"])
        recalls.lift(Context(session, **BY), "r1", why="tested")
        (store,) = recalls.stores(session, "r1")
        assert (not store.row.reported_how) is left_to_send


@pytest.mark.parametrize("reported", ["3", -1, True, None, 10**12])
def test_what_a_shop_says_it_took_away_is_a_whole_number_or_refused_in_a_sentence(country, reported):
    call(country)
    body = {"store_id": "S1", "id": "r1", "taken_qty": reported, "cleared_by": "Wei", "cleared_at": AT.isoformat()}
    fact = Message(
        id="c", n=1, made_at=AT.isoformat(), topic="recall.cleared", version=1, business_day=str(DAY), body=body,
        hash="",
    )  # fmt: skip
    with country.network.write() as session, pytest.raises(Invalid, match="field “taken_qty” is not valid"):
        facts.apply(session, fact, "S1", AT)


def test_a_warehouse_founded_while_a_recall_is_in_force_gives_none_of_it_away(country):
    call(country)
    with country.network.write() as session:
        recalls.call(Context(session, **BY), "milk", None, id="over", **SAID)
        recalls.lift(Context(session, **BY), "over", why="tested")
        founding.found_warehouse(Context(session, **BY), "WH2", Contact("Second vehicle"))
        stock.receive(Context(session, **BY), "WH2", [("bread", 6)], source_id="first")
        batches.lay_in(session, "WH2", [Lot("bread", 6, "A")], source_kind="purchase", source_id="first", at=AT)
        assert batches.unsound(session, "WH2", day=DAY) == {"bread": 6}
        assert [one.id for one in recall.recalls(session, "WH2")] == ["r1"], "what is over does not begin again"
        assert {one.store_id for one in recalls.in_houses(session, "r1")} == {WAREHOUSE, "WH2"}


@pytest.mark.postgres
def test_a_recall_lifted_while_a_shop_that_came_to_carry_it_is_told_stays_in_no_book(tmp_path, postgres_database):
    country = make_country(tmp_path, postgres_database)

    def lift(session: Session) -> None:
        recalls.lift(Context(session, **BY), "r1", why="tested")

    def speak(session: Session) -> None:
        recalls.catch_up(session, "S2", at=AT)

    def whole(verb: Callable[[Session], None]) -> None:
        with country.network.write() as session:
            verb(session)

    for first, second in ((lift, speak), (speak, lift)):
        with country.network.write() as session:
            session.execute(sa.delete(recall.Recall))
            session.execute(sa.delete(StockLevel).where(StockLevel.store_id == "S2"))
            recalls.call(Context(session, **BY), "bread", "A", id="r1", **SAID)
            session.add(StockLevel(store_id="S2", sku="bread", place="shelf", qty=3))
        other = threading.Thread(target=whole, args=(second,))
        with country.network.write() as session:
            first(session)
            other.start()
            waits = sa.text("select count(distinct pid) from pg_locks where not granted")
            with country.network.engine.connect() as watch:
                while not watch.scalar(waits) and other.is_alive():
                    watch.rollback()
        other.join(60)
        with country.network.read() as session:
            assert recall.in_force(session, "S2") == [], f"{first.__name__} first"
    country.network.engine.dispose()

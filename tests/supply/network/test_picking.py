"""What stores are to get is gathered by a list, once; what was gathered leaves, and the stores hear why less comes."""

import datetime as dt
import json
import threading

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context, JournalEntry
from pos.stock import batches, stock
from pos.stock.batches import Lot
from pos.stock.waste import WriteOff
from supply.money import credit
from supply.network.routes.routes import DeliveryRoute, RouteStop
from supply.network.warehouse import dispatch, order_status, pick_lists, pick_lots, picking
from supply.network.warehouse import lots as warehouse_lots
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders import deliveries, locations, network_offers, orders
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NewOffer
from supply.orders.orders import ReplenishmentOrder
from supply.receiving import receiving
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, WAREHOUSE, Country, make_country

BY = {"actor": OPERATOR, "at": AT}
BREAD = "(01)04006381333931"
BREAD_OF_B = "]C1010400638133393110B\x1d17260311"


def _ordered(country: Country) -> None:
    """Let both stores have ordered, and the network have confirmed it."""
    country.order("S1", {"bread": 3, "tea": 1}, id="one")
    country.order("S2", {"bread": 2}, id="two")
    country.deliver()
    country.fill()
    country.deliver()


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_ordered)


def make(country: Country, **given) -> str:
    with country.network.write() as session:
        return picking.make(Context(session, **BY), WAREHOUSE, **given).id


def pick(country: Country, pick_id: str, sku: str, picked=None, *, actor=OPERATOR) -> str:
    with country.network.write() as session:
        return picking.pick(Context(session, actor, AT), pick_id, sku, picked).state


def send(country: Country, pick_id: str) -> list[str]:
    with country.network.write() as session:
        return list(picking.send_off(Context(session, **BY), pick_id).gone)


def on_hand(country: Country, sku: str) -> int:
    return country.level(NETWORK, WAREHOUSE, sku).on_hand


def test_the_table_reaches_and_ends_every_state():
    assert pick_lists.STATES.validate() == []


def test_what_was_picked_leaves_and_what_was_not_is_told_with_its_reason_and_promised_no_longer(country):
    made = make(country)
    assert pick(country, made, "bread", {("order", "S1", "one"): (6, "left")}) == "picking"
    with pytest.raises(Refused, match="Some products on this list are not picked yet"):
        send(country, made)
    assert on_hand(country, "bread") == 60, "nothing has left yet"
    assert pick(country, made, "tea") == "picked"
    assert sorted(send(country, made)) == ["S1", "S2"]
    country.deliver()
    assert country.state("S1", "one") == ("dispatched", "dispatched")
    coming = country.delivery("S1")
    with country.stores["S1"].read() as session:
        delivery = session.get_one(Delivery, ("S1", coming))
        lines = {one.sku: one for one in deliveries.lines_of(session, delivery)}
    assert (lines["bread"].advised_qty, lines["bread"].promised_qty, lines["bread"].less_why) == (6, 18, "left")
    assert (lines["tea"].advised_qty, lines["tea"].promised_qty, lines["tea"].less_why) == (10, None, "")
    with country.network.read() as session:
        assert dispatch.promised_of(session, WAREHOUSE) == {}
    assert on_hand(country, "bread") == 60 - 6 - 12, "what is left for the next route stays, and is free"
    assert country.findings() == []
    country.take_in("S1")
    country.deliver()
    assert country.state("S1", "one") == ("closed_short", "closed_short")
    assert country.findings() == []


@pytest.mark.parametrize(
    ("why", "left"), [("missing", 12), ("damaged", 60 - 6 - 12), ("expired", 60 - 6 - 12), ("left", 60 - 6)]
)
def test_what_is_missing_or_spoilt_is_written_off_and_not_promised_again(country, why, left):
    with country.network.write() as session:  # what another list has in hand is not missing
        other = picking.make(Context(session, **BY), WAREHOUSE, stores=["S2"])
        picking.pick_rest(Context(session, **BY), other.id)
        made = picking.make(Context(session, **BY), WAREHOUSE)
        picking.pick(Context(session, **BY), made.id, "bread", {("order", "S1", "one"): (6, why)})
        picking.pick_rest(Context(session, **BY), made.id)
        assert picking.send_off(Context(session, **BY), made.id).gone == ("S1",)
    assert on_hand(country, "bread") == left
    assert country.findings() == []


def test_missing_goods_leave_the_book_but_for_lots_that_are_over_and_stand_there(country):
    with country.network.write() as session:
        lot = Lot("bread", 6, "OLD", DAY + dt.timedelta(days=1))
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="lot")
        batches.lay_in(session, WAREHOUSE, [lot], source_kind="purchase", source_id="lot", at=AT)
        late = {"actor": OPERATOR, "at": AT + dt.timedelta(days=3)}
        made = picking.make(Context(session, **late), WAREHOUSE)
        nothing = {("order", store, order): (0, "missing") for store, order in (("S1", "one"), ("S2", "two"))}
        picking.pick(Context(session, **late), made.id, "bread", nothing)
        picking.pick_rest(Context(session, **late), made.id)
        assert picking.send_off(Context(session, **late), made.id).gone == ("S1",)
        day = late["at"].date()
        (held,) = batches.standing(session, WAREHOUSE, ["bread"], day=day, forgets=False)["bread"]
        assert (held.batch, held.qty) == ("OLD", 6)
        assert session.get_one(ReplenishmentOrder, ("S2", "two")).state == "acknowledged", "of nothing nothing leaves"
    country.deliver()
    coming = country.delivery("S1")
    with country.stores["S1"].read() as session:
        delivery = session.get_one(Delivery, ("S1", coming))
        bread = next(one for one in deliveries.lines_of(session, delivery) if one.sku == "bread")
    assert (bread.advised_qty, bread.promised_qty, bread.less_why) == (0, 18, "missing")
    country.take_in("S1")
    country.deliver()
    assert country.findings() == []


def test_of_two_pickers_one_picks_and_the_other_is_told(country):
    made = make(country)
    pick(country, made, "bread")
    with pytest.raises(Conflict, match="Olivia already picked Rye bread") as refusal:
        pick(country, made, "bread", {("order", "S1", "one"): (0, "missing")})
    assert refusal.value.facts["who"] == "Olivia"
    with country.network.write() as session:
        picking.put_back(Context(session, **BY), made, "bread")
    assert pick(country, made, "bread", {("order", "S1", "one"): (12, "damaged")}) == "picking"
    with country.network.write() as session:
        picking.pick_rest(Context(session, **BY), made)
        assert picking.put_back(Context(session, **BY), made, "tea").state == "picking"
        picking.pick_rest(Context(session, **BY), made)
    send(country, made)
    for verb in (lambda: send(country, made), lambda: pick(country, made, "tea")):
        with pytest.raises(Conflict):
            verb()


def test_what_is_on_a_list_is_on_no_other_and_is_loaded_by_nobody_else(country):
    made = make(country, stores=["S1"])
    with country.network.write() as session:
        network_offers.offer(
            Context(session, **BY), "S2", NewOffer(sku="tea", packs=1, why="New", answer_by=DAY), id="offer-1"
        )
        network_offers.accept(Context(session, **BY), "S2", "offer-1")
        assert [one.store_id for one in dispatch.ready(session, WAREHOUSE, at=AT)] == ["S2", "S2"]
    assert country.load() == ["two"]
    with pytest.raises(Refused, match="Nothing to pick"):
        make(country)
    with country.network.write() as session:
        with pytest.raises(Invalid, match="Enter a reason"):
            picking.drop(Context(session, **BY), made, why=" ")
        picking.drop(Context(session, **BY), made, why="Rain")
    assert country.load() == ["one"]
    assert country.findings() == []


def test_from_a_warehouse_that_works_by_lists_nothing_leaves_without(country):
    with country.network.write() as session:
        network_offers.offer(
            Context(session, **BY), "S1", NewOffer(sku="milk", packs=2, why="New", answer_by=DAY), id="offer-1"
        )
        network_offers.accept(Context(session, **BY), "S1", "offer-1")
        locations.work_by_list(Context(session, **BY), WAREHOUSE, True)
    assert country.load() == []
    made = make(country)
    with country.network.write() as session:
        picking.pick(Context(session, **BY), made, "milk", {("offer", "S1", "offer-1"): (12, "damaged")})
        picking.pick_rest(Context(session, **BY), made)
        assert sorted(picking.send_off(Context(session, **BY), made).gone) == ["S1", "S1", "S2"]
    assert on_hand(country, "milk") == 240 - 24
    country.deliver()
    assert country.findings() == []


def test_an_order_called_off_while_it_is_picked_stays_and_its_goods_are_free(country):
    made = make(country)
    with country.network.write() as session:
        picking.pick_rest(Context(session, **BY), made)
    with country.stores["S2"].write() as session:
        orders.cancel(Context(session, **BY), "S2", "two", why="Closed")
    country.deliver()
    assert send(country, made) == ["S1"]
    assert on_hand(country, "bread") == 60 - 18
    country.deliver()
    assert country.state("S2", "two") == ("cancelled", "cancelled")
    assert country.findings() == []


def test_what_came_after_the_pick_and_what_stays_in_hand_is_not_missing(country):
    made = make(country)
    pick(country, made, "bread", {("order", "S1", "one"): (6, "missing")})
    pick(country, made, "tea")
    with country.network.write() as session:
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 500)], source_id="po-9")
    with country.stores["S2"].write() as session:
        orders.cancel(Context(session, **BY), "S2", "two", why="Closed")
    country.deliver()
    assert send(country, made) == ["S1"]
    assert on_hand(country, "bread") == 500 + 12, "what came since, and what was picked for the store that called off"
    assert country.findings() == []


def test_two_lists_that_miss_the_same_goods_write_them_off_once(country):
    first, second = make(country, stores=["S1"]), make(country, stores=["S2"])
    pick(country, first, "bread", {("order", "S1", "one"): (6, "missing")})
    pick(country, first, "tea")
    pick(country, second, "bread", {("order", "S2", "two"): (0, "missing")})
    with country.network.write() as session:
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 500)], source_id="po-9")
    assert (send(country, first), send(country, second)) == (["S1"], [])
    assert on_hand(country, "bread") == 500
    assert country.findings() == []


def test_an_order_turned_back_after_a_short_pick_promises_what_was_loaded(country):
    made = make(country)
    pick(country, made, "bread", {("order", "S1", "one"): (6, "missing")})
    pick(country, made, "tea")
    send(country, made)
    country.deliver()
    coming = country.delivery("S1")
    with country.stores["S1"].write() as session:
        receiving.turn_back(Context(session, KEEPER["S1"], AT), "S1", coming, why="wet")
    country.deliver()
    assert country.state("S1", "one") == ("acknowledged", "acknowledged")
    for where in (NETWORK, "S1"):
        assert country.lines(where, "S1", "one")["bread"].packs_acknowledged == 1
    with country.network.read() as session:
        assert dispatch.promised_of(session, WAREHOUSE) == {"bread": 6, "tea": 10}
        waits = order_status.sheet(session, "S1", "one")
        assert (waits.pick_id, [line.picked for line in waits.lines]) == (None, [None, None]), "the list has left"
    assert country.load() == ["one"]
    country.deliver()
    assert country.findings() == []


def test_what_was_put_back_and_found_is_not_written_off(country):
    made = make(country)
    pick(country, made, "bread", {("order", "S1", "one"): (6, "missing")})
    with country.network.write() as session:
        picking.put_back(Context(session, **BY), made, "bread")
        picking.pick_rest(Context(session, **BY), made)
    send(country, made)
    assert on_hand(country, "bread") == 60 - 18 - 12


def test_goods_that_passed_their_last_day_after_they_were_picked_stay(country):
    with country.network.write() as session:
        lot = Lot("bread", 18, "OLD", DAY)
        batches.lay_in(session, WAREHOUSE, [lot], source_kind="purchase", source_id="lot", at=AT)
        lot = Lot("bread", 42, "NEW", DAY + dt.timedelta(days=9))
        batches.lay_in(session, WAREHOUSE, [lot], source_kind="purchase", source_id="lot", at=AT)
        sent = []
        for store in ("S2", "S1"):
            sent.append(picking.make(Context(session, **BY), WAREHOUSE, stores=[store]).id)
            picking.pick_rest(Context(session, **BY), sent[-1])
        sent = [picking.send_off(Context(session, OPERATOR, AT + dt.timedelta(days=2)), one) for one in sent]
    assert [(one.gone, one.stayed) for one in sent] == [((), (("S2", "over"),)), (("S1",), ())]
    assert on_hand(country, "bread") == 60 - 12, "of thirty that were picked eighteen are over"
    country.deliver()
    coming = country.delivery("S1")
    with country.stores["S1"].read() as session:
        delivery = session.get_one(Delivery, ("S1", coming))
        bread = next(one for one in deliveries.lines_of(session, delivery) if one.sku == "bread")
    assert (bread.advised_qty, bread.less_why, bread.batch) == (12, "expired", "NEW")
    assert country.findings() == []


def test_two_lists_name_their_own_lots_and_the_shops_are_told_these(country):
    lots = [Lot("bread", 12, "A", DAY + dt.timedelta(days=3)), Lot("bread", 48, "B", DAY + dt.timedelta(days=9))]
    sooner = [Lot("bread", 30, "C", DAY + dt.timedelta(days=1))]
    with country.network.write() as session:
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="lot", at=AT)
        first = picking.make(Context(session, **BY), WAREHOUSE, stores=["S2"]).id
        second = picking.make(Context(session, **BY), WAREHOUSE, stores=["S1"]).id
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 30)], source_id="po-9")
        batches.lay_in(session, WAREHOUSE, sooner, source_kind="purchase", source_id="po-9", at=AT)
        for made in (first, second):
            picking.pick_rest(Context(session, **BY), made)
        for made in (second, first):
            picking.send_off(Context(session, **BY), made)
    country.deliver()
    reported = {}
    for store in ("S1", "S2"):
        coming = country.delivery(store)
        with country.stores[store].read() as session:
            delivery = session.get_one(Delivery, (store, coming))
            reported[store] = next(one.batch for one in deliveries.lines_of(session, delivery) if one.sku == "bread")
    assert reported == {"S1": "B", "S2": "A"}
    assert country.findings() == []


def in_front(country: Country) -> str:
    """Let lots of bread stand there, of which one is over and one was recalled, and list S1's 18: 12 of A, 6 of B."""
    lots = [
        Lot("bread", 12, "A", DAY + dt.timedelta(days=3)), Lot("bread", 42, "B", DAY + dt.timedelta(days=9)),
        Lot("bread", 6, "OLD", DAY - dt.timedelta(days=1)), Lot("bread", 6, "BAD", DAY + dt.timedelta(days=30)),
    ]  # fmt: skip
    with country.network.write() as session:
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="more")
        *_, bad = batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="lot", at=AT)
        recalled = WriteOff("bread", 3, "recall", lot_id=bad.id)
        warehouse_lots.write_off(Context(session, **BY), WAREHOUSE, recalled, id="w")
        return picking.make(Context(session, **BY), WAREHOUSE, stores=["S1"]).id


def sheet_of(session, made: str) -> dict[str, int]:
    rows = {row.id: row.batch for row in session.scalars(sa.select(batches.Batch))}
    (line,) = session.scalars(sa.select(PickLine).filter_by(pick_id=made, sku="bread"))
    return {rows[lot_id]: qty for lot_id, qty in line.lots}


def test_the_lot_the_picker_has_in_hand_leaves_its_book_and_is_told_to_the_shop(country):
    made = in_front(country)
    with country.network.write() as session:
        assert sheet_of(session, made) == {"A": 12, "B": 6}
        assert pick_lots.take_scanned(Context(session, **BY), made, BREAD_OF_B) == "bread"
        assert sheet_of(session, made) == {"B": 18}
        a = session.scalars(sa.select(batches.Batch.id).filter_by(batch="A")).one()
        pick_lots.take_from(Context(session, **BY), made, "bread", a, 6)
        assert sheet_of(session, made) == {"A": 6, "B": 12}
        pick_lots.take_scanned(Context(session, **BY), made, BREAD_OF_B)
        picking.pick_rest(Context(session, **BY), made)
        with pytest.raises(Conflict, match="already picked Rye bread"):
            pick_lots.take_scanned(Context(session, **BY), made, BREAD_OF_B)
        picking.send_off(Context(session, **BY), made)
        gone = dict(session.execute(sa.select(batches.Batch.batch, batches.Batch.gone_qty)).all())
    assert gone == {"A": 0, "B": 18, "OLD": 0, "BAD": 3}
    country.deliver()
    coming = country.delivery("S1")
    with country.stores["S1"].read() as session:
        delivery = session.get_one(Delivery, ("S1", coming))
        assert [one.batch for one in deliveries.lines_of(session, delivery) if one.sku == "bread"] == ["B"]
    assert country.findings() == []


def test_a_lot_whose_codes_lost_their_separators_is_taken_where_its_last_day_agrees_and_asked_for_elsewhere(country):
    made, bread = in_front(country), "0104006381333931"
    with country.network.write() as session:
        before = sheet_of(session, made)
        for code in (bread + "10B21770", bread + "10B17260312"):
            with pytest.raises((Invalid, NotFound)):
                pick_lots.take_scanned(Context(session, **BY), made, code)
        with pytest.raises(Invalid, match="if it says B, choose that lot"):
            pick_lots.take_scanned(Context(session, **BY), made, bread + "10b21" + "7" * 20)  # longer than any batch
        assert sheet_of(session, made) == before
        assert pick_lots.take_scanned(Context(session, **BY), made, bread + "10b17260311") == "bread"
        assert sheet_of(session, made) == {"B": 18}


def test_a_lot_that_may_not_leave_is_refused_with_what_to_do(country):
    made = in_front(country)
    refused = {
        BREAD + "(10)OLD": "this lot expired on Mar 1, 2026",
        BREAD + "(17)260301(10)Z": "this lot expired on Mar 1, 2026",
        BREAD + "(10)BAD": "lot BAD is recalled",
        BREAD + "(10)Z": "this lot is not on record here. Set it aside, tell",
        BREAD + "(10)B": "all of this lot is on another list",
        "(01)04000000000013(10)B": "Unknown code. Search the product by name and",
        "(01)04": "misread or is damaged",
        "5901234123457": "Unknown code. Search the product by name and",
    }
    with country.network.write() as session:
        lot = session.scalars(sa.select(batches.Batch.id).filter_by(batch="B")).one()
        session.add(PickList(id="other", warehouse_id=WAREHOUSE, pick_no=9, state="picking", made_at=AT, made_by="x"))
        session.flush()
        line = {"source": "order", "source_id": "x", "sku": "bread", "name": "Rye bread", "pack_qty": 6, "qty": 42}
        session.add(PickLine(pick_id="other", store_id="S2", lots=[[lot, 42]], **line))
        before = sheet_of(session, made)
        for code, words in refused.items():
            with pytest.raises((Invalid, NotFound, Refused), match=words):
                pick_lots.take_scanned(Context(session, **BY), made, code)
        for code in ("4006381333931", BREAD):
            assert pick_lots.take_scanned(Context(session, **BY), made, code) == "bread", (
                "it is found, and keeps its lots"
            )
        assert sheet_of(session, made) == before


def test_what_is_left_of_a_lot_is_kept_by_the_list_no_longer(country):
    lots = [Lot("bread", 18, "A", DAY + dt.timedelta(days=3)), Lot("bread", 42, "B", DAY + dt.timedelta(days=9))]
    with country.network.write() as session:
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="lot", at=AT)
        made = picking.make(Context(session, **BY), WAREHOUSE, stores=["S1"]).id
        picking.pick(Context(session, **BY), made, "bread", {("order", "S1", "one"): (6, "left")})
    assert country.load() == ["two"]
    country.deliver()
    coming = country.delivery("S2")
    with country.stores["S2"].read() as session:
        delivery = session.get_one(Delivery, ("S2", coming))
        bread = next(one for one in deliveries.lines_of(session, delivery) if one.sku == "bread")
    assert (bread.advised_qty, bread.batch) == (12, "A")


def test_a_bought_offer_on_an_open_list_waits_while_its_shops_credit_is_held(country):
    with country.network.write() as session:
        network_offers.offer(
            Context(session, **BY), "S1", NewOffer(sku="milk", packs=2, why="New", answer_by=DAY), id="offer-1"
        )
        network_offers.accept(Context(session, **BY), "S1", "offer-1")
        made = picking.make(Context(session, **BY), WAREHOUSE).id
        picking.pick_rest(Context(session, **BY), made)
        credit.set_line(Context(session, **BY), "S1", credit.CreditLimit(0, 0, {}, {}, 1, [], DAY))
        credit.hold(Context(session, **BY), "S1", why="Late")
        sent = picking.send_off(Context(session, **BY), made)
        assert ("S1", "held") in sent.stayed
        assert network_offers.offer_of(session, "S1", "offer-1").state == "accepted"
    assert on_hand(country, "milk") == 240


def test_a_list_of_which_nothing_leaves_is_given_up_and_says_why(country):
    made, tea = make(country), on_hand(country, "tea")
    with country.network.write() as session:
        nothing = {("order", store, order): (0, "left") for store, order in (("S1", "one"), ("S2", "two"))}
        picking.pick(Context(session, **BY), made, "bread", nothing)
        picking.pick_rest(Context(session, **BY), made)
        for sku, qty in (("bread", 60), ("tea", tea)):
            warehouse_lots.write_off(Context(session, **BY), WAREHOUSE, WriteOff(sku, qty, "damaged"), id=f"off-{sku}")
        sent = picking.send_off(Context(session, **BY), made)
        assert (sent.gone, sent.stayed) == ((), (("S1", "gone"), ("S2", "nothing")))
        assert pick_lists.pick_of(session, made).state == "dropped"
    assert country.state("S1", "one") == ("acknowledged", "acknowledged")
    assert country.findings() == []


@pytest.mark.postgres
def test_what_is_put_on_a_list_at_once_with_others_is_taken_once(tmp_path, postgres_database):
    country = make_country(tmp_path, postgres_database)
    _ordered(country)
    answers: list[object] = []

    def second() -> None:
        try:
            answers.append(make(country))
        except Refused as refusal:
            answers.append(refusal.code)

    others = [threading.Thread(target=second), threading.Thread(target=lambda: answers.append(country.load()))]
    with country.network.write() as session:
        picking.make(Context(session, **BY), WAREHOUSE)
        for other in others:
            other.start()
        waits = sa.text("select count(distinct pid) from pg_locks where not granted")
        with country.network.engine.connect() as watch:
            while watch.scalar(waits) < len(others) and any(other.is_alive() for other in others):
                watch.rollback()
    for other in others:
        other.join(60)
    assert sorted(answers, key=str) == [[], "nothing-to-gather"]
    country.network.engine.dispose()


def test_a_pick_that_cannot_be_is_refused_by_a_sentence(country):
    made = make(country)
    one = ("order", "S1", "one")
    for wrong, error, words in (
        ({one: (19, "")}, Invalid, "0 to 18"),
        ({one: (7, "left")}, Invalid, "whole packs of 6"),
        ({one: (6, "")}, Invalid, "choose why"),
        ({one: (6, "tired")}, Invalid, "choose why"),
    ):
        with pytest.raises(error, match=words):
            pick(country, made, "bread", wrong)
    with pytest.raises(NotFound, match="not on the list"):
        pick(country, made, "milk")
    with pytest.raises(NotFound):
        pick(country, "gone", "bread")
    with country.network.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(PickLine.picked_qty.is_not(None))) == 0


def test_a_list_is_walked_by_bay_and_the_journal_says_who_picked_what(country):
    with country.network.write() as session:
        for sku, bay in (("bread", "a-10"), ("tea", "A-2")):
            pick_lists.settle_bay(Context(session, **BY), WAREHOUSE, sku, bay)
        made = picking.make(Context(session, **BY), WAREHOUSE)
        assert [one.sku for one in pick_lists.lines_of(session, made)] == ["tea", "bread", "bread"]
        pick_lists.settle_bay(Context(session, **BY), WAREHOUSE, "tea", "")
        assert [one.sku for one in pick_lists.lines_of(session, made)] == ["bread", "bread", "tea"]
        with pytest.raises(Invalid, match="too long"):
            pick_lists.settle_bay(Context(session, **BY), WAREHOUSE, "tea", "x" * 21)
        picking.pick(Context(session, **BY), made.id, "bread", {("order", "S2", "two"): (0, "left")})
        query = sa.select(JournalEntry.body).where(JournalEntry.verb == "pick list.line")
        assert json.loads(session.scalars(query).one())["picked"] == [["S1", 18, 18, ""], ["S2", 12, 0, "left"]]


def test_a_product_is_set_apart_for_the_last_stop_first_as_the_van_drove_last(country):
    made = make(country)
    stop = {"packs": 1, "urgency": 0, "metres": 1, "begins_s": 1, "leaves_s": 2, "from_s": 0, "until_s": 9}
    stop |= {"step": 0, "outcome": "", "receiver": "", "note": ""}
    with country.network.write() as session:
        found = pick_lists.pick_of(session, made)
        for back, ends in ((40, "S2"), (2, "S1"), (1, "S2"), (0, "S1")):
            session.add(
                DeliveryRoute(
                    id=f"round-{back}",
                    plan_id="p",
                    warehouse_id=WAREHOUSE,
                    day=DAY - dt.timedelta(days=back),
                    vehicle_id="v",
                    vehicle_name="Blue",
                    vehicle_packs=9,
                    packs=2,
                    metres=1,
                    leaves_s=0,
                    back_s=9,
                    state="planned" if back else "dropped",
                )
            )
            session.flush()
            for store in ("S1", "S2"):
                session.add(RouteStop(route_id=f"round-{back}", store_id=store, n=2 if store == ends else 1, **stop))
            session.flush()
            bread = [one.store_id for one in pick_lists.lines_of(session, found) if one.sku == "bread"]
            assert bread == {40: ["S1", "S2"], 2: ["S1", "S2"], 1: ["S2", "S1"], 0: ["S2", "S1"]}[back]
        assert pick_lists.route(session, found) == {"S1": ("Blue", 1), "S2": ("Blue", 2)}

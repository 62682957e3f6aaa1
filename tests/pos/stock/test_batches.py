"""Batches and dates, waste with its reason, goods in by hand and goods back."""

import contextlib
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import scan
from pos.catalogue.catalogue import Listing
from pos.sale.sale_request import RungLine
from pos.stock import batches, delivery_notes, ledger, markdown, stock, waste
from pos.stock.batches import Batch, Held, Lot
from pos.stock.ledger import INSIDE, Place
from tests.builders import NOON, STORE, OpenStore

TODAY = NOON.date()


def on(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def lay_in(store: OpenStore, sku: str, qty: int, days: int | None, batch: str | None = None) -> None:
    source = new_id()
    with store.write() as session:
        stock.receive(Context(session, store.wei, store.now), STORE, [(sku, qty)], source_id=source)
        lot = Lot(sku, qty, batch, None if days is None else on(days))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id=source, at=store.now)


def standing(store: OpenStore, sku: str = "milk") -> list[tuple[int, dt.date | None]]:
    lots = store.read(lambda session: batches.standing(session, STORE, [sku], day=TODAY))[sku]
    return [(lot.qty, lot.expires_on) for lot in lots]


def expiring(store: OpenStore, within_days: int = 3) -> list[tuple[str, int, int]]:
    rows = store.read(lambda session: batches.expiring(session, STORE, day=TODAY, within_days=within_days))
    return [(row.sku, row.qty, row.days_left) for row in rows]


# --- first expired, first out ---


def test_what_is_on_hand_is_what_expires_last(store):
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 0)
    lay_in(store, "milk", 10, 2)
    lay_in(store, "milk", 10, 6)
    assert standing(store) == [(10, on(2)), (10, on(6))]
    store.sell([("milk", 7)])
    assert standing(store) == [(3, on(2)), (10, on(6))]
    store.sell([("milk", 5)])
    assert standing(store) == [(8, on(6))]


def test_a_lot_delivered_late_with_an_early_date_still_leaves_first(store):
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 0)
    lay_in(store, "milk", 10, 6)
    lay_in(store, "milk", 4, 1)
    store.sell([("milk", 1)])
    assert expiring(store) == [("milk", 3, 1)]


def test_what_no_lot_explains_has_no_known_date(store):
    lay_in(store, "milk", 5, 2)
    assert standing(store) == [(5, on(2)), (20, None)]


def test_a_lot_without_a_date_goes_by_the_shelf_life_else_keeps_for_ever(store):
    with store.write() as session:
        session.get(batches.Product, "milk").shelf_life_days = 4
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 0)
        stock.count(Context(session, store.wei, NOON), STORE, "tea", 0)
    lay_in(store, "milk", 5, None, "L1")
    lay_in(store, "milk", 5, 6)
    lay_in(store, "tea", 5, None)
    lay_in(store, "tea", 5, 300)
    store.sell([("milk", 2), ("tea", 2)])
    assert standing(store) == [(3, None), (5, on(6))]
    assert standing(store, "tea") == [(3, on(300)), (5, None)]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 40)), max_size=12), st.integers(-5, 300))
def test_lots_never_hold_more_than_came_in_nor_more_than_is_there(lots, on_hand):
    rows = [
        Batch(id=str(n), sku="milk", batch=None, expires_on=on(days), leaves_on=on(days), received_qty=qty, gone_qty=0)
        for n, (qty, days) in enumerate(sorted(lots, key=lambda lot: -lot[1]))
    ]
    held = batches._filled("milk", on_hand, rows)
    assert sum(lot.qty for lot in held) == max(0, on_hand)
    assert all(lot.qty <= rows[int(lot.batch_id)].received_qty for lot in held if lot.batch_id)
    known = [lot for lot in held if lot.batch_id]
    assert [lot.expires_on for lot in known] == sorted(lot.expires_on for lot in known)
    assert len(known) < 2 or all(lot.qty == rows[int(lot.batch_id)].received_qty for lot in known[1:])


def test_what_expires_soon_is_listed_earliest_first_and_what_is_over_too(store):
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 0)
    lay_in(store, "milk", 2, -1)
    lay_in(store, "milk", 3, 3)
    lay_in(store, "bread", 4, 0)
    lay_in(store, "tea", 4, 9)
    assert expiring(store) == [("milk", 2, -1), ("bread", 4, 0), ("milk", 3, 3)]
    assert expiring(store, 0) == [("milk", 2, -1), ("bread", 4, 0)]


@pytest.mark.parametrize("days", [-400, 5000])
def test_a_date_no_pack_carries_is_a_slip(store, days):
    with pytest.raises(Invalid, match="date"):
        lay_in(store, "milk", 1, days)
    assert store.level("milk").on_hand == 20


# --- an expired unit at the till ---


def test_a_unit_whose_day_is_over_is_refused_and_its_last_day_is_a_day_of_sale(store):
    def scan(days: int) -> None:
        store.read(lambda session: batches.refuse_expired(session, STORE, "milk", None, on(days), TODAY))

    scan(0)
    scan(1)
    with pytest.raises(Refused, match="Whole milk") as fault:
        scan(-1)
    assert fault.value.code == "expired"


def test_a_batch_tells_its_day_when_the_code_does_not(store):
    lay_in(store, "milk", 5, -1, "old")
    lay_in(store, "milk", 5, 5, "new")

    def scan(batch: str) -> None:
        store.read(lambda session: batches.refuse_expired(session, STORE, "milk", batch, None, TODAY))

    scan("NEW")
    scan("never seen")
    with pytest.raises(Refused):
        scan("OLD")


# --- waste ---


def write_off(
    store: OpenStore, qty: int, reason: str, sku: str = "milk", note: str = "", id: str | None = None
) -> None:
    with store.write() as session:
        what = waste.WriteOff(sku, qty, reason, note)
        waste.write_off(Context(session, store.wei, store.now), STORE, what, id=id)


def test_waste_leaves_from_where_it_is_says_why_and_what_it_was_worth(store):
    with store.write() as session:
        stock.move(Context(session, store.wei, NOON), STORE, "milk", 2, Place.BACKROOM, Place.FLOOR)
        session.get(Listing, (STORE, "milk")).cost_minor = 80
    write_off(store, 3, "breakage", note="fell  down")
    assert store.level("milk").by_place == {"floor": 0, "backroom": 17}
    (row, name, _unit, _stands), *others = store.read(lambda session: waste.written_off(session, STORE))
    assert (row.qty, row.reason, row.note, row.cost_minor, row.value_minor) == (3, "breakage", "fell down", 240, 387)
    assert (name, others) == ("Whole milk 1 l", [])
    assert store.findings() == []
    assert store.messages()[-1].body["reason"] == "wasted"


def undo(store: OpenStore, id: str) -> None:
    with store.write() as session:
        waste.undo(Context(session, store.wei, store.now), STORE, id)


def test_an_undone_write_off_returns_to_its_places_and_its_lot_and_is_no_shrink(store):
    lay_in(store, "milk", 5, 2, "L2")
    with store.write() as session:
        stock.move(Context(session, store.wei, NOON), STORE, "milk", 2, Place.BACKROOM, Place.FLOOR)
    before = store.level("milk").by_place
    with store.write() as session:
        what = waste.WriteOff("milk", 3, "theft", batch="L2")
        waste.write_off(Context(session, store.wei, store.now), STORE, what, id="wrong")
    assert standing(store) == [(2, on(2)), (20, None)]
    undo(store, "wrong")
    assert store.level("milk").by_place == before
    assert standing(store) == [(5, on(2)), (20, None)]
    assert store.read(lambda session: waste.shrink(session, STORE, TODAY, TODAY)) == []
    ((_row, _name, _unit, stands),) = store.read(lambda session: waste.written_off(session, STORE))
    assert not stands
    assert store.findings() == []
    assert store.messages()[-1].body["reason"] == waste.UNDONE


def test_a_write_off_is_undone_once(store):
    write_off(store, 3, "theft", id="wrong")
    undo(store, "wrong")
    with pytest.raises(Conflict):
        undo(store, "wrong")
    assert store.level("milk").on_hand == 20


def test_what_a_recall_took_out_or_a_count_came_after_or_nobody_wrote_off_is_not_undone(store):
    write_off(store, 3, "recall", id="recalled")
    write_off(store, 3, "theft", id="counted")
    with store.write() as session:
        stock.count(Context(session, store.wei, store.now + dt.timedelta(minutes=1)), STORE, "milk", 14)
    for key, fault in (("recalled", Refused), ("counted", Refused), ("never", NotFound)):
        with pytest.raises(fault):
            undo(store, key)
    assert store.level("milk").on_hand == 14


def test_waste_needs_a_known_reason_other_needs_words_and_no_more_goes_than_is_there(store):
    for reason, fault in (("bored", Invalid), ("other", Invalid)):
        with pytest.raises(fault):
            write_off(store, 1, reason)
    with pytest.raises(Refused, match=r"\(20/21\)"):
        write_off(store, 21, "theft")
    assert store.level("milk").on_hand == 20


def test_the_same_command_writes_off_once(store):
    write_off(store, 1, "damaged", id="one")
    with pytest.raises(Conflict):
        write_off(store, 1, "damaged", id="one")
    assert store.level("milk").on_hand == 19


def test_shrink_is_told_by_reason_with_what_counts_found(store):
    with store.write() as session:
        for sku, cost in (("milk", 80), ("bread", 200), ("cheese", 1000)):
            session.get(Listing, (STORE, sku)).cost_minor = cost
    write_off(store, 2, "expired")
    write_off(store, 500, "expired", "cheese")
    write_off(store, 1, "theft", "bread")
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 15)
        stock.count(Context(session, store.wei, NOON), STORE, "bread", 20)
    rows = store.read(lambda session: waste.shrink(session, STORE, TODAY, TODAY))
    reported = {row.reason: (row.lines, row.cost_minor, row.value_minor) for row in rows}
    assert reported == {
        "expired": (2, 2 * 80 + 500, 2 * 129 + 950),
        "theft": (1, 200, 349),
        "unexplained": (2, 3 * 80 - 200, 3 * 129 - 349),
    }
    assert store.read(lambda session: waste.shrink(session, STORE, on(1), on(9))) == []


# --- goods in by hand, goods back ---


def begin(store: OpenStore, **wishes) -> str:
    with store.write() as session:
        given = {"supplier_name": "Farm Müller"} | wishes
        return delivery_notes.begin(Context(session, store.wei, store.now), STORE, **given).id


def add(store: OpenStore, note_id: str, sku: str, qty: int, batch=None, expires_on=None, **wishes) -> None:
    with store.write() as session:
        lot = Lot(sku, qty, batch, expires_on)
        delivery_notes.add(Context(session, store.wei, store.now), STORE, note_id, lot, **wishes)


def post(store: OpenStore, note_id: str) -> None:
    with store.write() as session:
        delivery_notes.post(Context(session, store.wei, store.now), STORE, note_id)


def test_goods_in_by_hand_are_in_stock_with_their_lots_and_costs(store):
    note = begin(store)
    add(store, note, "milk", 12, cost_minor=75, batch="l9", expires_on=on(5))
    add(store, note, "milk", 12, cost_minor=75, batch="L9", expires_on=on(5))
    add(store, note, "cheese", 2500, cost_minor=delivery_notes.cost_of(2200, 2500, 1000))
    lines = store.read(lambda session: delivery_notes.sums_of(session, delivery_notes.note_of(session, STORE, note)))
    assert [(line.sku, line.qty, line.total_cost_minor) for line in lines] == [
        ("cheese", 2500, 2200),
        ("milk", 24, 1800),
    ]
    post(store, note)
    assert store.level("milk").by_place == {"backroom": 44}
    held = store.read(lambda session: batches.standing(session, STORE, ["milk"], day=TODAY))["milk"]
    assert held[0] == Held("milk", 24, "L9", on(5), held[0].batch_id)
    costs = store.read(
        lambda session: {sku: session.get(Listing, (STORE, sku)).cost_minor for sku in ("milk", "cheese")}
    )
    assert costs == {"milk": 75, "cheese": 880}
    assert store.findings() == []


def test_a_note_is_booked_once_and_a_line_sent_twice_is_kept_once(store):
    note = begin(store, id="note-1")
    assert begin(store, id="note-1") == note
    add(store, note, "milk", 5, line_id="scan-1")
    add(store, note, "milk", 5, line_id="scan-1")
    post(store, note)
    with pytest.raises(Conflict, match="slip is closed"):
        post(store, note)
    with pytest.raises(Conflict):
        add(store, note, "milk", 1)
    assert store.level("milk").on_hand == 25


def test_a_struck_scan_and_a_dropped_note_bring_nothing(store):
    note = begin(store)
    add(store, note, "milk", 5)
    add(store, note, "tea", 1)
    with store.write() as session:
        assert delivery_notes.strike(session, STORE, note, [1]) == 1
    post(store, note)
    assert (store.level("milk").on_hand, store.level("tea").on_hand) == (20, 21)
    other = begin(store)
    add(store, other, "tea", 5)
    with store.write() as session:
        delivery_notes.drop(Context(session, store.wei, NOON), STORE, other)
    assert store.level("tea").on_hand == 21


def test_goods_back_leave_for_the_supplier_and_never_more_than_there_are(store):
    note = begin(store, way="back", reason="damaged", why="sour")
    add(store, note, "milk", 4)
    post(store, note)
    assert store.level("milk").on_hand == 16
    assert store.messages()[-1].body["movements"][0][1:] == ["milk", 4, "backroom", "supplier"]
    greedy = begin(store, way="back", reason="expired")
    add(store, greedy, "milk", 17)
    add(store, greedy, "tea", 21)
    with pytest.raises(Refused) as fault:
        post(store, greedy)
    assert {row["sku"] for row in fault.value.facts["short"]} == {"milk", "tea"}
    assert store.findings() == []


def test_goods_back_say_why_and_are_expected_to_be_paid_at_their_last_cost(store):
    for wrong in ({}, {"reason": "theft"}, {"reason": "other"}):
        with pytest.raises(Invalid):
            begin(store, way="back", **wrong)
    arrived = begin(store)
    add(store, arrived, "milk", 10, cost_minor=75)
    post(store, arrived)
    note = begin(store, way="back", reason="other", why="nobody buys it")
    add(store, note, "milk", 4)
    add(store, note, "tea", 2)
    lines = store.read(lambda session: delivery_notes.sums_of(session, delivery_notes.note_of(session, STORE, note)))
    assert delivery_notes.total_of(lines) == delivery_notes.Total(300, 1)
    post(store, note)
    assert store.read(lambda session: session.get(Listing, (STORE, "milk")).cost_minor) == 75


def test_what_leaves_by_the_name_of_its_lot_makes_that_lot_smaller(store):
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 0)
    lay_in(store, "milk", 10, 2, "L1")
    lay_in(store, "milk", 10, 6, "L2")
    note = begin(store, way="back", reason="recalled")
    add(store, note, "milk", 4, batch="l2")
    add(store, note, "milk", 3, expires_on=on(6))
    post(store, note)
    assert standing(store) == [(10, on(2)), (3, on(6))]
    with store.write() as session:
        waste.write_off(Context(session, store.wei, NOON), STORE, waste.WriteOff("milk", 3, "recall", batch="L2"))
    assert standing(store) == [(10, on(2))]
    assert store.findings() == []


STEPS = st.lists(
    st.tuples(st.sampled_from(("in", "back", "waste", "sell", "count")), st.integers(1, 15), st.booleans()), max_size=8
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_comes_goes_back_is_wasted_sold_or_counted_the_books_and_the_network_agree(store, steps):
    for step, qty, named in steps:
        lot = {"batch": "L1", "expires_on": on(3)} if named else {}
        with contextlib.suppress(Refused):
            if step in ("in", "back"):
                note = begin(store, way=step, reason="damaged")
                add(store, note, "milk", qty, **lot)
                post(store, note)
            elif step == "sell":
                store.sell([("milk", qty)])
            else:
                with store.write() as session:
                    given = {"actor": store.wei, "at": store.now}
                    if step == "waste":
                        what = waste.WriteOff("milk", qty, "damaged", batch=lot.get("batch"))
                        waste.write_off(Context(session, **given), STORE, what)
                    else:
                        stock.count(Context(session, **given), STORE, "milk", qty)
        assert store.findings() == []
    reported = 0
    for message in store.messages():
        for _id, sku, qty, source, target in message.body.get("movements", ()):
            reported += (qty if target in INSIDE else 0) - (qty if source in INSIDE else 0) if sku == "milk" else 0
    here = store.read(lambda session: ledger.units_inside(session, STORE, ["milk"])["milk"])
    assert reported == here
    held = store.read(lambda session: batches.standing(session, STORE, ["milk"], day=TODAY))["milk"]
    assert sum(lot.qty for lot in held) == max(0, here)


def test_a_note_refuses_what_makes_no_sense(store):
    with pytest.raises(Invalid):
        begin(store, supplier_name="  ")
    note = begin(store)
    with pytest.raises(Invalid):
        post(store, note)
    for fault, wrong in (
        (Invalid, {"sku": "milk", "qty": 0}),
        (Invalid, {"sku": "milk", "qty": 1, "cost_minor": -1}),
        (Invalid, {"sku": "milk", "qty": 1, "expires_on": on(9000)}),
        (NotFound, {"sku": "gold", "qty": 1}),
    ):
        with pytest.raises(fault):
            add(store, note, **wrong)
    with pytest.raises(NotFound):
        post(store, "no-such-note")


# --- near its date ---


@pytest.mark.parametrize(("days", "percent_bp"), [(0, 5000), (1, 3000), (3, 2000), (9, 1000)])
def test_the_nearer_the_date_the_more_is_proposed(days, percent_bp):
    assert markdown.propose_bp(days) == percent_bp


@given(st.integers(0, 10**9), st.integers(100, 9900))
def test_a_reduced_price_is_lower_and_never_below_zero(price_minor, percent_bp):
    reduced = markdown.reduced_minor(price_minor, percent_bp)
    assert min(1, price_minor) <= reduced <= price_minor


def test_the_till_charges_what_the_label_says_for_the_pieces_of_that_day_alone(store):
    with store.write() as session:
        label = markdown.mark_down(
            Context(session, store.wei, store.now), STORE, "milk", expires_on=on(1), percent_bp=3000, qty=9
        )
        found = scan.read(session, STORE, label["url"], TODAY)
    assert (label["price_minor"], label["was_minor"]) == (90, 129)
    line = RungLine("milk", 2, expires_on=found.expires_on, code=label["url"])
    assert store.sell([line]).document["total_minor"] == 180
    assert store.sell([("milk", 2)]).document["total_minor"] == 258
    assert store.sell([RungLine("milk", 2, expires_on=on(2))]).document["total_minor"] == 258

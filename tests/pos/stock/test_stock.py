"""The ledger: goods are neither made nor lost, levels are its sums, promises are answered once."""

import contextlib
import json
import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context
from pos.stock import stock
from pos.stock.ledger import INSIDE, CountTask, Place, Reservation, Source, StockLevel, StockMovement
from pos.stock.stock import Level
from pos.till import hand_cash, shift
from tests.builders import GOODS, NOON, STORE, OpenStore

SKUS = [one.sku for one in GOODS]


def receive(store: OpenStore, lines: list[tuple[str, int]], source_id: str = "delivery-1") -> None:
    with store.write() as session:
        stock.receive(Context(session, store.wei, NOON), STORE, lines, source_id=source_id)


def carry(store: OpenStore, sku: str, qty: int, source: Place, target: Place) -> None:
    with store.write() as session:
        stock.move(Context(session, store.wei, NOON), STORE, sku, qty, source, target)


def reserve(store: OpenStore, order_id: str, lines: list[tuple[str, int]]) -> None:
    with store.write() as session:
        stock.reserve(Context(session, store.wei, NOON), STORE, order_id, lines)


def answer(store: OpenStore, order_id: str, kind: str) -> int:
    with store.write() as session:
        return stock.answer(session, STORE, order_id, kind, at=NOON)


def count(store: OpenStore, sku: str, qty: int, count_id: str | None = None) -> None:
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, sku, qty, count_id=count_id)


def test_received_goods_come_into_the_backroom_and_the_network_hears_of_them(store):
    receive(store, [("milk", 12), ("milk", 12), ("tea", 5)])
    assert store.level("milk").by_place == {"backroom": 44}
    fact = store.messages()[-1]
    assert fact.topic == "stock.moved"
    assert [row[1:] for row in fact.body["movements"]] == [
        ["milk", 24, "supplier", "backroom"],
        ["tea", 5, "supplier", "backroom"],
    ]


def test_the_same_delivery_is_booked_once(store):
    receive(store, [("milk", 12)])
    with pytest.raises(Conflict):
        receive(store, [("milk", 12)])
    assert store.level("milk").on_hand == 32


@pytest.mark.parametrize("verb", [stock.move, stock.waste, stock.dispatch])
def test_what_is_carried_under_one_name_is_carried_once(store, verb):
    receive(store, [("milk", 12)])
    words, named = {
        stock.move: (("milk", 2, Place.BACKROOM, Place.SHELF), {"source": Source("moved", "refill", "carried-1")}),
        stock.waste: (("milk", 2, Place.BACKROOM), {"source_id": "carried-1"}),
        stock.dispatch: (([("milk", 2)],), {"source_id": "carried-1"}),
    }[verb]
    once = store.level("milk").by_place
    for n in range(2):
        with contextlib.suppress(Conflict), store.write() as session:
            verb(Context(session, store.wei, NOON), STORE, *words, **named)
            assert n == 0, "the second time is refused"
    assert store.level("milk").by_place["backroom"] == once["backroom"] - 2


def test_every_movement_says_why_and_under_which_document_and_the_journal_says_so_too(store):
    receive(store, [("milk", 12)])
    with store.write() as session:
        ctx = Context(session, store.wei, NOON)
        stock.open_stock(ctx, "WH1", [("milk", 9)], source_id="book-1")
        stock.move(ctx, STORE, "milk", 2, Place.BACKROOM, Place.SHELF)
        stock.waste(ctx, STORE, "milk", 1, why="dented", source_id="waste-1")
        stock.dispatch(ctx, "WH1", [("milk", 4)], source_id="order-1")
        stock.count(ctx, STORE, "milk", 30, count_id="count-0001")
    rows = store.read(lambda session: session.scalars(sa.select(StockMovement).order_by(StockMovement.id)).all())
    reasons = {row.source_kind: (row.reason, row.qty) for row in rows if row.source_id != "opening"}
    assert reasons == {
        "delivery": ("received", 12), "opening": ("opening", 9), "refill": ("moved", 2), "waste": ("wasted", 1),
        "order": ("dispatched", 4), "count": ("counted", 1),
    }  # fmt: skip
    query = sa.select(journal.JournalEntry).where(journal.JournalEntry.verb.startswith("stock."))
    entries = store.read(lambda session: session.scalars(query.order_by(journal.JournalEntry.n)).all())
    said = {entry.verb: (entry.subject.partition(":")[0], json.loads(entry.body)) for entry in entries}
    assert {verb: kind for verb, (kind, _) in said.items()} == {
        f"stock.{reason}": "product" if kind == "count" else kind for kind, (reason, _) in reasons.items()
    }
    assert said["stock.wasted"][1]["why"] == "dented"
    assert (said["stock.counted"][1]["counted"], said["stock.counted"][1]["before"]) == (30, 31)


@pytest.mark.parametrize("qty", [0, -1, 1.5, True, 10**10])
def test_a_movement_has_a_whole_quantity_above_zero(store, qty):
    with pytest.raises(Invalid):
        receive(store, [("milk", qty)])


def test_nothing_is_received_that_is_no_product(store):
    with pytest.raises(NotFound, match="gold"):
        receive(store, [("milk", 1), ("gold", 1)])
    assert store.level("milk").on_hand == 20


def test_the_till_takes_from_floor_then_shelf_then_backroom_and_the_rest_off_the_floor(store):
    carry(store, "milk", 2, Place.BACKROOM, Place.FLOOR)
    carry(store, "milk", 3, Place.BACKROOM, Place.SHELF)
    moves = store.sell([("milk", 21)]).document["movements"]
    assert [(row[3], row[2]) for row in moves] == [("floor", 3), ("shelf", 3), ("backroom", 15)]
    assert store.level("milk").by_place == {"backroom": 0, "floor": -1, "shelf": 0}


def test_no_more_is_carried_than_is_there(store):
    with pytest.raises(Refused, match=r"\(20/21\)") as refusal:
        carry(store, "milk", 21, Place.BACKROOM, Place.SHELF)
    assert refusal.value.code == "not-available"


@pytest.mark.parametrize("places", [(Place.FLOOR, Place.FLOOR), (Place.SUPPLIER, Place.FLOOR)])
def test_goods_are_carried_between_two_places_in_the_shop(store, places):
    with pytest.raises(Invalid):
        carry(store, "milk", 1, *places)


def test_only_what_is_available_is_promised_and_every_short_line_is_named(store):
    reserve(store, "order-1", [("milk", 15)])
    with pytest.raises(Refused) as refusal:
        reserve(store, "order-2", [("milk", 6), ("bread", 21), ("tea", 1)])
    short = {row["sku"]: (row["wanted"], row["available"]) for row in refusal.value.facts["short"]}
    assert short == {"milk": (6, 5), "bread": (21, 20)}
    assert store.level("tea").held == 0
    assert store.level("milk") == Level(20, 15, 5, {"backroom": 20})
    store.sell([("wine", 22)])
    with pytest.raises(Refused) as refusal:
        reserve(store, "order-2", [("wine", 1)])
    assert refusal.value.facts["short"][0]["available"] == 0, "of what is owed already there is none, not less"


def test_a_product_that_never_moved_is_told_as_none_where_it_is_asked_for(store):
    asked = store.read(lambda session: stock.levels(session, STORE, ["milk", "unheard-of"]))
    assert asked == {"milk": Level(20, 0, 20, {"backroom": 20}), "unheard-of": Level(0, 0, 0, {})}
    assert "unheard-of" not in store.read(lambda session: stock.levels(session, STORE))


def test_an_order_is_promised_once_and_answered_once(store):
    reserve(store, "order-1", [("milk", 2), ("tea", 1)])
    with pytest.raises(Conflict):
        reserve(store, "order-1", [("milk", 2)])
    query = sa.select(journal.JournalEntry.body).where(journal.JournalEntry.subject == "order:order-1")
    assert [json.loads(body)["units"] for body in store.read(lambda session: session.scalars(query).all())] == [3]
    assert answer(store, "order-1", "released") == 2
    assert answer(store, "order-1", "expired") == 0
    assert store.level("milk").available == 20
    reserve(store, "order-2", [("milk", 2)])
    with pytest.raises(ValueError, match="held"):
        answer(store, "order-2", "held")


def test_a_promise_cannot_be_answered_twice_even_by_hand(store):
    reserve(store, "order-1", [("milk", 2)])
    answer(store, "order-1", "released")
    with store.database.read() as session:
        promise = session.scalars(sa.select(Reservation.id).where(Reservation.kind == "held")).one()
    row = {"store_id": STORE, "order_id": "order-1", "sku": "milk", "qty": 2, "kind": "expired", "at": NOON}
    with pytest.raises(sa.exc.IntegrityError), store.write() as session:
        session.add(Reservation(id=new_id(), answers_id=promise, **row))


def open_tasks(store) -> list[tuple[str, str]]:
    query = sa.select(CountTask.sku, CountTask.reason).where(CountTask.done_at.is_(None))
    return store.read(lambda session: [tuple(row) for row in session.execute(query)])


def test_selling_what_is_promised_asks_for_a_count(store):
    reserve(store, "order-1", [("milk", 15)])
    store.sell([("milk", 6)])
    assert open_tasks(store) == [("milk", "held-beyond-stock")]
    assert store.findings() == []


def test_writing_off_what_is_promised_asks_for_a_count(store):
    reserve(store, "order-1", [("milk", 15)])
    with store.write() as session:
        stock.waste(Context(session, store.wei, NOON), STORE, "milk", 6)
    assert open_tasks(store) == [("milk", "held-beyond-stock")]


def test_an_opening_is_undone_whole_by_its_source_and_no_further(store):
    with store.write() as session:
        ctx = Context(session, store.wei, NOON)
        stock.open_stock(ctx, STORE, [("milk", 5), ("tea", 3)], source_id="import-1")
        stock.open_stock(ctx, STORE, [("milk", 7)], source_id="import-2")
    assert (before := [store.level(sku).on_hand for sku in ("milk", "tea")])[0] == 32
    with store.write() as session:
        stock.undo_opening(Context(session, store.wei, NOON), STORE, source_id="import-1")
    assert [store.level(sku).on_hand for sku in ("milk", "tea")] == [before[0] - 5, before[1] - 3]
    with pytest.raises(Conflict), store.write() as session:
        stock.undo_opening(Context(session, store.wei, NOON), STORE, source_id="import-1")


@pytest.mark.parametrize("counted", [0, 1, 17, 20, 23])
def test_a_count_makes_the_record_what_was_counted_and_is_told(store, counted):
    carry(store, "milk", 5, Place.BACKROOM, Place.SHELF)
    count(store, "milk", counted)
    assert store.level("milk").on_hand == counted
    assert min(store.level("milk").by_place.values()) >= 0
    fact = store.messages()[-1]
    assert (fact.topic, fact.body["counted_qty"], fact.body["on_hand_before"]) == ("stock.counted", counted, 20)
    assert store.findings() == []


def test_a_count_puts_places_below_zero_right_and_ends_its_task(store):
    store.sell([("milk", 22)])
    receive(store, [("milk", 10)])
    assert store.level("milk").by_place == {"backroom": 10, "floor": -2}
    count(store, "milk", 9)
    assert store.level("milk").by_place == {"backroom": 9, "floor": 0}
    assert open_tasks(store) == []
    store.sell([("milk", 11)])
    with store.write() as session:
        stock.count(Context(session, store.wei, NOON), STORE, "milk", 2, found_in=Place.SHELF)
    assert store.level("milk").by_place == {"backroom": 0, "floor": 0, "shelf": 2}


def test_the_same_count_is_posted_once_even_when_it_found_nothing(store):
    count(store, "milk", 20, "count-0001")
    with pytest.raises(Conflict):
        count(store, "milk", 20, "count-0001")


@pytest.mark.parametrize("counted", [-1, 1.5, True, 10**10])
def test_an_odd_count_is_refused(store, counted):
    with pytest.raises(Invalid) as refusal:
        count(store, "milk", counted)
    assert (refusal.value.code, refusal.value.facts) == ("bad-quantity", {"sku": "milk", "qty": counted})


def test_a_warehouse_keeps_its_book_at_home_and_sends_no_more_than_it_has(store):
    before = len(store.messages())
    with store.write() as session:
        stock.open_stock(Context(session, store.wei, NOON), "WH1", [("milk", 100)], source_id="opening")
        stock.dispatch(Context(session, store.wei, NOON), "WH1", [("milk", 60)], source_id="order-1")
    with pytest.raises(Refused), store.write() as session:
        stock.dispatch(Context(session, store.wei, NOON), "WH1", [("milk", 60)], source_id="order-2")
    assert store.read(lambda s: stock.levels(s, "WH1"))["milk"].on_hand == 40
    assert len(store.messages()) == before
    assert store.findings() == []


def random_walk(seed: int, steps: int) -> list[Callable[[OpenStore], object]]:
    """Return `steps` verbs of a store's day, drawn by `seed`."""
    dice = random.Random(seed)
    sold: list[tuple[str, int]] = []
    inside = list(INSIDE)

    def ring(store: OpenStore) -> None:
        lines = [(dice.choice(SKUS), dice.randint(1, 6)) for _ in range(dice.randint(1, 4))]
        sold.append((store.sell(lines, cash_minor=20_000).sale.id, len(lines)))

    def bring_back(store: OpenStore) -> None:
        if sold:
            sale_id, many = dice.choice(sold)
            store.take_back(sale_id, [(dice.randint(1, many), dice.randint(1, 3))], restock=dice.random() < 0.7)

    def hand_over(store: OpenStore) -> None:
        order_id = f"order-{dice.randint(1, 6)}"
        held = store.read(
            lambda s: s.execute(
                sa.select(Reservation.sku, Reservation.qty).where(
                    Reservation.order_id == order_id,
                    Reservation.kind == "held",
                    Reservation.id.not_in(sa.select(Reservation.answers_id).where(Reservation.answers_id.is_not(None))),
                )
            ).all()
        )
        if held:
            lines = [(sku, qty) for sku, qty in held]
            store.sell(lines, channel="pickup", order_id=order_id)

    def write_off(store: OpenStore) -> None:
        with store.write() as session:
            place, qty = dice.choice(inside), dice.randint(1, 3)
            stock.waste(Context(session, store.wei, NOON), STORE, dice.choice(SKUS), qty, place)

    def close_and_open(store: OpenStore) -> None:
        store.close_till(dice.randint(0, 50_000))
        store.open_till(dice.randint(0, 20_000))

    def pay_out(store: OpenStore) -> None:
        with store.write() as session:
            found = shift.current(session, STORE, "T1")
            assert found is not None
            hand_cash.pay_out(Context(session, store.wei, NOON), found, dice.randint(1, 3000), why="stamps")

    verbs: list[Callable[[OpenStore], object]] = [
        ring,
        ring,
        bring_back,
        hand_over,
        write_off,
        close_and_open,
        pay_out,
        lambda store: receive(store, [(dice.choice(SKUS), dice.randint(1, 9))], f"delivery-{dice.randint(1, 20)}"),
        lambda store: carry(store, dice.choice(SKUS), dice.randint(1, 9), *dice.sample(inside, 2)),
        lambda store: reserve(store, f"order-{dice.randint(1, 6)}", [(dice.choice(SKUS), dice.randint(1, 9))]),
        lambda store: answer(store, f"order-{dice.randint(1, 6)}", dice.choice(["released", "expired"])),
        lambda store: count(store, dice.choice(SKUS), dice.randint(0, 30)),
    ]
    return [dice.choice(verbs) for _ in range(steps)]


@pytest.mark.parametrize("seed", range(50))
def test_no_walk_of_verbs_breaks_the_books(store, seed):
    # durability is proven elsewhere; here the file may be as fast as it can
    sa.event.listen(store.database.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous=OFF"))
    for verb in random_walk(seed, 60):
        with contextlib.suppress(Refused, Conflict):
            verb(store)
    assert store.findings() == []
    with store.database.read() as session:
        assert journal.verify(session, STORE) == []
        negative = set(session.scalars(sa.select(StockLevel.sku).where(StockLevel.qty < 0)))
        wanted = set(session.scalars(sa.select(CountTask.sku).where(CountTask.done_at.is_(None))))
        assert negative <= wanted, "a place below zero nobody is asked to count"
        assert session.scalar(sa.select(sa.func.min(StockMovement.qty))) > 0

"""A recall: what must not be sold is refused, and only that."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.sale.sale_request import RungLine
from pos.stock import recall
from tests.builders import NOON, STORE, OpenStore


def call(store: OpenStore, sku: str = "milk", batch: str | None = None, why: str = "glass in it") -> str:
    with store.write() as session:
        return recall.call(Context(session, store.wei, NOON), STORE, sku, batch, why=why, called_by="The dairy").id


def refusal(store: OpenStore, *lines: tuple[str, str | None]) -> str | None:
    try:
        store.read(lambda session: recall.refuse(session, STORE, lines))
    except Refused as fault:
        return fault.code
    return None


def test_nothing_is_refused_while_nothing_is_recalled(store):
    assert refusal(store, ("milk", None), ("bread", "L1")) is None


def test_a_recalled_product_is_refused_whatever_its_batch_and_others_sell(store):
    call(store)
    assert refusal(store, ("milk", None)) == "recalled"
    assert refusal(store, ("bread", None), ("milk", "L7")) == "recalled"
    assert refusal(store, ("bread", None)) is None


def test_the_refusal_names_every_product_why_and_what_to_do(store):
    call(store)
    call(store, "tea", why="mould")
    with pytest.raises(Refused, match="set it aside") as fault:
        store.read(lambda session: recall.refuse(session, STORE, [("milk", None), ("tea", None)]))
    assert fault.value.facts["skus"] == ["milk", "tea"]
    assert fault.value.facts["names"] == ["Green tea 绿茶", "Whole milk 1 l"]


def test_of_a_recalled_batch_the_others_sell_and_an_unknown_one_is_looked_at(store):
    call(store, batch=" l7 ")
    assert refusal(store, ("milk", "L7")) == "recalled"
    assert refusal(store, ("milk", "l7 ")) == "recalled"
    assert refusal(store, ("milk", "L8")) is None
    assert refusal(store, ("milk", None)) == "recalled-batch"
    with pytest.raises(Refused) as fault:
        store.read(lambda session: recall.refuse(session, STORE, [("milk", "l7 "), ("milk", "L8"), ("tea", None)]))
    assert fault.value.facts["stopped"] == [("milk", "l7 ")], "the line as it was rung"


def test_once_somebody_has_looked_an_unknown_batch_sells_again_and_the_recalled_one_never(store):
    key = call(store, batch="L7")
    with store.write() as session:
        recall.clear(Context(session, store.wei, NOON), STORE, key, 2)
    assert refusal(store, ("milk", None)) is None
    assert refusal(store, ("milk", "L7")) == "recalled"


def test_a_lifted_recall_refuses_nothing_and_stays_in_the_books(store):
    key = call(store)
    with store.write() as session:
        recall.lift(Context(session, store.wei, NOON), STORE, key, why="tested, all is well")
    assert refusal(store, ("milk", None)) is None
    assert [row.state for row in store.read(lambda session: recall.recalls(session, STORE))] == ["lifted"]
    with pytest.raises(Conflict), store.write() as session:
        recall.lift(Context(session, store.wei, NOON), STORE, key, why="again")


def test_a_recall_says_why_and_is_called_once(store):
    call(store, batch="L7")
    with pytest.raises(Conflict):
        call(store, batch="L7")
    call(store, batch="L8")
    call(store)  # the maker now wants all of it back
    with pytest.raises(Conflict):
        call(store, batch="L9")
    with pytest.raises(Invalid):
        call(store, "tea", why="  ")
    with pytest.raises(NotFound):
        call(store, "gold")


def test_the_question_of_every_sale_reads_the_index_of_recalls_in_force_alone(store):
    def plan(session):
        return session.execute(sa.text(f"explain query plan {recall._FIRST_IN_FORCE}"), {"store": STORE}).all()

    assert "ix_recall_in_force" in str(store.read(plan))


def test_another_mark_stands_for_another_thing_that_is_refused(store):
    def mark():
        return store.read(lambda session: recall.mark(session, STORE))

    marks = [mark()]
    key = call(store, batch="L7")
    marks.append(mark())
    with store.write() as session:
        recall.clear(Context(session, store.wei, NOON), STORE, key, 2)
    marks.append(mark())
    with store.write() as session:
        recall.lift(Context(session, store.wei, NOON), STORE, key, why="tested")
    assert (len(set(marks)), marks[0], mark()) == (3, "", "")


def test_a_recall_of_another_shop_stops_nothing_here(store):
    with store.write() as session:
        recall.call(Context(session, store.wei, NOON), "S02", "milk", why="glass")
    assert refusal(store, ("milk", None)) is None


def test_the_table_of_states_can_always_end():
    assert recall.STATES.validate() == []


def test_the_till_sells_nothing_that_is_recalled_or_over_and_nothing_moves(store):
    call(store, "tea")
    old = RungLine("milk", 1, expires_on=NOON.date() - dt.timedelta(days=1))
    for lines, code in (([("milk", 1), ("tea", 1)], "recalled"), ([old], "expired")):
        with pytest.raises(Refused) as fault:
            store.complete(store.request(lines))
        assert fault.value.code == code
    assert (store.level("milk").on_hand, store.level("tea").on_hand) == (20, 20)
    store.sell([RungLine("milk", 1, expires_on=NOON.date())])
    assert store.level("milk").on_hand == 19


def test_a_recall_names_the_receipts_that_sold_it_by_batch_where_known(store):
    store.sell([RungLine("milk", 2, batch="L7")])
    store.sell([RungLine("milk", 3, batch="L8")])
    store.sell([("milk", 4)])
    key = call(store, batch="L7")

    def look(session):
        row = recall.recall_of(session, STORE, key)
        return [(line.qty, line.sure) for line in recall.sold_of(session, row, since=NOON.date())]

    assert store.read(look) == [(2, True), (4, False)]

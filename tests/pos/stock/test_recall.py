"""A recall: what must not be sold is refused, and only that."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from pos.sale.rung import RungLine
from pos.stock import recall
from tests.builders import NOON, STORE, Shop


def call(shop: Shop, sku: str = "milk", batch: str | None = None, why: str = "glass in it") -> str:
    with shop.write() as session:
        return recall.call(session, STORE, sku, batch, why=why, called_by="The dairy", actor=shop.wei, at=NOON).id


def refusal(shop: Shop, *lines: tuple[str, str | None]) -> str | None:
    try:
        shop.read(lambda session: recall.refuse(session, STORE, lines))
    except Refused as fault:
        return fault.code
    return None


def test_nothing_is_refused_while_nothing_is_recalled(shop):
    assert refusal(shop, ("milk", None), ("bread", "L1")) is None


def test_a_recalled_product_is_refused_whatever_its_batch_and_others_sell(shop):
    call(shop)
    assert refusal(shop, ("milk", None)) == "recalled"
    assert refusal(shop, ("bread", None), ("milk", "L7")) == "recalled"
    assert refusal(shop, ("bread", None)) is None


def test_the_refusal_names_every_product_why_and_what_to_do(shop):
    call(shop)
    call(shop, "tea", why="mould")
    with pytest.raises(Refused, match="put it aside") as fault:
        shop.read(lambda session: recall.refuse(session, STORE, [("milk", None), ("tea", None)]))
    assert fault.value.facts["skus"] == ["milk", "tea"]
    assert fault.value.facts["names"] == ["Green tea 绿茶", "Whole milk 1 l"]


def test_of_a_recalled_batch_the_others_sell_and_an_unknown_one_is_looked_at(shop):
    call(shop, batch=" l7 ")
    assert refusal(shop, ("milk", "L7")) == "recalled"
    assert refusal(shop, ("milk", "l7 ")) == "recalled"
    assert refusal(shop, ("milk", "L8")) is None
    assert refusal(shop, ("milk", None)) == "recalled-batch"
    with pytest.raises(Refused) as fault:
        shop.read(lambda session: recall.refuse(session, STORE, [("milk", "l7 "), ("milk", "L8"), ("tea", None)]))
    assert fault.value.facts["stopped"] == [("milk", "l7 ")], "the line as it was rung"


def test_once_somebody_has_looked_an_unknown_batch_sells_again_and_the_recalled_one_never(shop):
    key = call(shop, batch="L7")
    with shop.write() as session:
        recall.clear(session, STORE, key, 2, actor=shop.wei, at=NOON)
    assert refusal(shop, ("milk", None)) is None
    assert refusal(shop, ("milk", "L7")) == "recalled"


def test_a_lifted_recall_refuses_nothing_and_stays_in_the_books(shop):
    key = call(shop)
    with shop.write() as session:
        recall.lift(session, STORE, key, why="tested, all is well", actor=shop.wei, at=NOON)
    assert refusal(shop, ("milk", None)) is None
    assert [row.state for row in shop.read(lambda session: recall.recalls(session, STORE))] == ["lifted"]
    with pytest.raises(Conflict), shop.write() as session:
        recall.lift(session, STORE, key, why="again", actor=shop.wei, at=NOON)


def test_a_recall_says_why_and_is_called_once(shop):
    call(shop, batch="L7")
    with pytest.raises(Conflict):
        call(shop, batch="L7")
    call(shop, batch="L8")
    call(shop)  # the maker now wants all of it back
    with pytest.raises(Conflict):
        call(shop, batch="L9")
    with pytest.raises(Invalid):
        call(shop, "tea", why="  ")
    with pytest.raises(NotFound):
        call(shop, "gold")


def test_the_question_of_every_sale_reads_the_index_of_recalls_in_force_alone(shop):
    def plan(session):
        return session.execute(sa.text(f"explain query plan {recall._FIRST_IN_FORCE}"), {"shop": STORE}).all()

    assert "ix_recall_in_force" in str(shop.read(plan))


def test_another_mark_stands_for_another_thing_that_is_refused(shop):
    def mark():
        return shop.read(lambda session: recall.mark(session, STORE))

    marks = [mark()]
    key = call(shop, batch="L7")
    marks.append(mark())
    with shop.write() as session:
        recall.clear(session, STORE, key, 2, actor=shop.wei, at=NOON)
    marks.append(mark())
    with shop.write() as session:
        recall.lift(session, STORE, key, why="tested", actor=shop.wei, at=NOON)
    assert (len(set(marks)), marks[0], mark()) == (3, "", "")


def test_a_recall_of_another_shop_stops_nothing_here(shop):
    with shop.write() as session:
        recall.call(session, "S02", "milk", why="glass", actor=shop.wei, at=NOON)
    assert refusal(shop, ("milk", None)) is None


def test_the_table_of_states_can_always_end():
    assert recall.STATES.validate() == []


def test_the_till_sells_nothing_that_is_recalled_or_over_and_nothing_moves(shop):
    call(shop, "tea")
    old = RungLine("milk", 1, expires_on=NOON.date() - dt.timedelta(days=1))
    for lines, code in (([("milk", 1), ("tea", 1)], "recalled"), ([old], "expired")):
        with pytest.raises(Refused) as fault:
            shop.complete(shop.request(lines))
        assert fault.value.code == code
    assert (shop.level("milk").on_hand, shop.level("tea").on_hand) == (20, 20)
    shop.sell([RungLine("milk", 1, expires_on=NOON.date())])
    assert shop.level("milk").on_hand == 19


def test_a_recall_names_the_receipts_that_sold_it_by_batch_where_known(shop):
    shop.sell([RungLine("milk", 2, batch="L7")])
    shop.sell([RungLine("milk", 3, batch="L8")])
    shop.sell([("milk", 4)])
    key = call(shop, batch="L7")

    def look(session):
        row = recall.recall_of(session, STORE, key)
        return [(line.qty, line.sure) for line in recall.sold_of(session, row, since=NOON.date())]

    assert shop.read(look) == [(2, True), (4, False)]

"""Goods brought back: never more than was sold, never more money than was paid."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from pos.sold import Sale, newest_first
from tests.builders import STORE, open_store


def test_a_return_is_a_sale_of_negative_lines_that_names_the_original(store):
    sold = store.sell([("milk", 3), ("bread", 1)])
    back = store.take_back(sold.sale.id, [(1, 2)])
    line = back.document["lines"][0]
    assert (back.sale.kind, back.sale.total_minor, line["qty"]) == ("return", -258, -2)
    assert (line["returns_sale_id"], line["returns_n"]) == (sold.sale.id, 1)
    assert (back.document["returns_receipt_no"], back.sale.receipt_no) == (1, 2)
    assert store.level("milk").on_hand == 19
    assert store.findings() == []


def test_returns_cannot_exceed_what_was_sold(store):
    sold = store.sell([("milk", 3)])
    store.take_back(sold.sale.id, [(1, 2)])
    with pytest.raises(Refused, match=r"Left to return: Whole milk 1 l \(1/2\)") as refusal:
        store.take_back(sold.sale.id, [(1, 2)])
    assert refusal.value.facts["lines"] == [{"line": 1, "name": "Whole milk 1 l", "wanted": 2, "left": 1}]


def test_a_line_that_is_not_on_the_receipt_cannot_come_back(store):
    sold = store.sell([("milk", 1)])
    with pytest.raises(Refused):
        store.take_back(sold.sale.id, [(2, 1)])


@pytest.mark.parametrize("qty", [0, -1, 1.5, True])
def test_an_odd_quantity_cannot_come_back(store, qty):
    with pytest.raises(Invalid):
        store.take_back(store.sell([("milk", 1)]).sale.id, [(1, qty)])


def test_an_unknown_receipt_and_a_return_itself_cannot_be_returned(store):
    back = store.take_back(store.sell([("milk", 1)]).sale.id, [(1, 1)])
    for sale_id in ("no-such-sale-here", back.sale.id):
        with pytest.raises(NotFound):
            store.take_back(sale_id, [(1, 1)])


def test_what_came_back_of_a_sale_is_looked_up_and_not_searched_for_in_all_the_shop_ever_sold(store):
    asked: list[tuple[str, Any]] = []
    sold = store.sell([("milk", 3)])
    engine = store.database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *reported: asked.append(reported[2:4]))
    store.take_back(sold.sale.id, [(1, 1)])
    whole = [(words, given) for words, given in asked if "sale_line.returns_sale_id =" in words]
    with engine.connect() as books:
        for words, given in whole:
            plan = books.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given).all()
            assert any("ix_sale_line_returns (store_id=? AND returns_sale_id=?)" in row[3] for row in plan), plan
    assert whole


def test_the_newest_receipts_are_found_by_their_days_and_not_by_sorting_all_there_are(store):
    newest = [store.sell([("milk", n)]).sale.id for n in (1, 2, 3)][::-1]
    query = newest_first(sa.select(Sale.id).where(Sale.store_id == STORE, Sale.kind != "return")).limit(20)
    assert store.read(lambda session: session.scalars(query).all()) == newest
    words = query.compile(store.database.engine, compile_kwargs={"literal_binds": True})
    with store.database.engine.connect() as books:
        plan = [row[3] for row in books.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
    assert "ix_sale_day (store_id=? AND business_day>?)" in plan[0], plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_what_cannot_be_sold_again_goes_to_waste(store):
    sold = store.sell([("milk", 1)])
    back = store.take_back(sold.sale.id, [(1, 1)], restock=False)
    assert [row[3:] for row in back.document["movements"]] == [["customer", "waste"]]
    assert store.level("milk").on_hand == 19
    assert store.findings() == []


def test_the_same_return_twice_is_one_return_and_another_content_a_conflict(store):
    sold, key = store.sell([("milk", 3)]), new_id()
    first = store.take_back(sold.sale.id, [(1, 1)], id=key)
    again = store.take_back(sold.sale.id, [(1, 1)], id=key)
    assert (again.repeated, again.sale.receipt_no) == (True, first.sale.receipt_no)
    with pytest.raises(Conflict):
        store.take_back(sold.sale.id, [(1, 2)], id=key)


def test_four_hands_returning_the_same_units_give_them_back_once(store):
    sold, outcomes = store.sell([("milk", 2)]), []

    def give_back() -> None:
        try:
            store.take_back(sold.sale.id, [(1, 2)])
            outcomes.append("back")
        except Refused as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=give_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["back"] + ["more-than-sold"] * 3
    assert store.findings() == []


@settings(max_examples=25)
@given(
    parts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    coin=st.sampled_from([1, 5, 10]),
    tenders=st.lists(st.sampled_from(["cash", "card"]), min_size=5, max_size=5),
    by_card=st.booleans(),
)
def test_refunds_together_never_exceed_what_was_paid(coin_stores, parts, coin, tenders, by_card):
    store = coin_stores[coin]
    paid = {"tenders": [("card", 129 * sum(parts))]} if by_card else {}
    sold = store.sell([("milk", sum(parts))], **paid).sale
    given_back = [
        -store.take_back(sold.id, [(1, part)], tender=tender).sale.total_minor
        for part, tender in zip(parts, tenders, strict=False)
    ]
    assert all(amount >= 0 for amount in given_back)
    assert sum(given_back) <= sold.total_minor
    if not by_card and set(tenders[: len(parts)]) == {"cash"}:
        assert sum(given_back) == sold.total_minor
    with pytest.raises(Refused):
        store.take_back(sold.id, [(1, 1)])
    assert store.findings() == []


@pytest.fixture(scope="module")
def coin_stores(tmp_path_factory):
    """Give a store per smallest coin, used by many examples."""
    return {coin: open_store(tmp_path_factory.mktemp("coins"), smallest_coin_minor=coin) for coin in (1, 5, 10)}

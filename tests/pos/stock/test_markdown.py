"""Reduced labels: as many pieces at the reduced price as were marked, whoever scans which label how often."""

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, Refused
from config.nodes.journal import Context
from pos.pricing import promotions
from pos.pricing.promises import Choice, Offer, Part
from pos.pricing.promotions import OfferLine
from pos.sale import sale
from pos.sale.sale_request import RungLine
from pos.stock import markdown
from tests.builders import NOON, STORE

TODAY = NOON.date()
LAST_DAY = TODAY + dt.timedelta(days=1)


def mark(store, qty, percent_bp=3000, sku="milk"):
    """Mark pieces of what expires tomorrow; returns the code on their labels."""
    with store.write() as session:
        label = markdown.mark_down(
            Context(session, store.wei, store.now), STORE, sku, expires_on=LAST_DAY, percent_bp=percent_bp, qty=qty
        )
    return label["url"]


def left(store, sku="milk"):
    found = store.read(lambda session: markdown.running(session, STORE, TODAY))[sku, LAST_DAY]
    return found.left_qty, found.marked_qty


def quoted(store, *lines):
    return store.read(lambda session: sale.quote(session, STORE, lines, at=store.now))


def test_more_pieces_than_were_marked_cost_the_regular_price_and_it_is_said_how_many(store):
    code = mark(store, 3)
    found = quoted(store, RungLine("milk", 4, code=code), RungLine("milk", 1, code=code))
    assert found.basket.lines_minor == 3 * 90 + 2 * 129
    assert found.unmarked == {1: 2}
    assert list(found.marked.values()) == [3]
    assert quoted(store, RungLine("milk", 3, code=code)).unmarked == {}


def test_a_sale_takes_the_marked_pieces_and_the_next_gets_what_is_left_of_them(store):
    code = mark(store, 3)
    assert store.sell([RungLine("milk", 2, code=code)]).document["total_minor"] == 180
    assert left(store) == (1, 3)
    assert store.sell([RungLine("milk", 2, code=code)]).document["total_minor"] == 90 + 129
    assert left(store) == (0, 3)
    assert store.sell([RungLine("milk", 1, code=code)]).document["total_minor"] == 129


def test_the_same_sale_sent_again_takes_no_piece_twice(store):
    request = store.request([RungLine("milk", 2, code=mark(store, 3))])
    assert not store.complete(request).repeated
    assert store.complete(request).repeated
    assert left(store) == (1, 3)


def test_a_piece_beyond_the_marked_ones_is_reduced_by_leave_alone(store):
    store.sell([RungLine("milk", 1, code=(code := mark(store, 1)))])
    with pytest.raises(Refused) as refusal:
        store.sell([RungLine("milk", 1, price_minor=90, reason="why-near-expiry", code=code)])
    assert refusal.value.facts["permissions"] == ["price.override"]
    request = store.request([RungLine("milk", 1, price_minor=90, reason="why-near-expiry", code=code)])
    with store.write() as session:
        assert sale.complete(Context(session, store.wei, store.now), request).document["total_minor"] == 90


def test_marking_more_at_the_same_price_adds_pieces_and_another_price_counts_anew(store):
    code = mark(store, 3)
    store.sell([RungLine("milk", 2, code=code)])
    mark(store, 4)
    assert left(store) == (5, 5)
    mark(store, 2, percent_bp=5000)
    assert left(store) == (2, 2)


@pytest.mark.parametrize("qty", [0, -1, 10**12])
def test_a_markdown_of_no_pieces_or_absurdly_many_is_refused(store, qty):
    with pytest.raises(Invalid) as refusal:
        mark(store, qty)
    assert refusal.value.facts["field"] == "qty"


def test_of_goods_by_weight_as_much_is_reduced_as_was_marked(store):
    with store.write() as session:
        markdown.mark_down(
            Context(session, store.wei, store.now), STORE, "cheese", expires_on=LAST_DAY, percent_bp=5000, qty=300
        )
    code = store.read(lambda session: markdown.code_of(session, "cheese", None, LAST_DAY))
    found = quoted(store, RungLine("cheese", 400, code=code))
    whole, reduced = 760, 475  # 18.99 the kilo: three quarters of 7.60 at 9.50 the kilo
    assert (found.basket.lines_minor, found.unmarked) == (whole - 570 + 285, {0: 100})
    assert found.basket.lines_minor == reduced
    store.sell([RungLine("cheese", 400, code=code)])
    assert left(store, "cheese") == (0, 300)


def test_of_two_sales_that_want_the_last_marked_piece_one_is_told_the_new_total(store):
    code, rounds = mark(store, 5), 8
    requests = [store.request([RungLine("milk", 1, code=code)]) for _ in range(rounds)]

    def pay(request):
        try:
            return store.complete(request).document["total_minor"]
        except (Refused, Conflict) as refusal:
            return refusal.code

    with ThreadPoolExecutor(rounds) as tills:
        reported = list(tills.map(pay, requests))
    assert sorted(reported, key=str) == [90] * 5 + ["total-changed"] * 3
    assert left(store) == (0, 5)
    assert store.findings() == []


def test_pieces_taken_between_price_and_payment_are_never_sold_twice(store):
    code = mark(store, 2)
    offer_id = next(iter(quoted(store, RungLine("milk", 2, code=code)).marked))
    with store.write() as session:
        markdown.take(session, STORE, {offer_id: 1})
        with pytest.raises(Conflict) as refusal:
            markdown.take(session, STORE, {offer_id: 2})
    assert refusal.value.code == "marked-sold-out"
    assert left(store) == (1, 2)


def test_a_refused_sale_leaves_the_marked_pieces(store):
    request = store.request([RungLine("milk", 2, code=mark(store, 2))])
    with pytest.raises(Refused):
        store.complete(dataclasses.replace(request, tenders=[("cash", 1)]))
    assert left(store) == (2, 2)


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 12), st.sampled_from(["percent", "price"]),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_never_more_units_are_reduced_than_are_left_whatever_the_order(qtys, bound, kind, random):
    offer = Offer("o", "Reduced", kind, (Part(Choice(skus=frozenset(["milk"]))),), 3000, 90, expires_on=LAST_DAY)
    lines = [
        OfferLine(n, "milk", "", "", "", qty, "each", 129, 1, qty * 129, batch="AB"[n % 2], expires_on=LAST_DAY)
        for n, qty in enumerate(qtys, 1)
    ]
    best = promotions.best(lines, [offer], at=NOON.replace(tzinfo=None), member=False, left={"o": bound})
    reduced = min(bound, sum(qtys))
    assert best.saved_minor == reduced * 39
    assert best.units == ({"o": reduced} if reduced else {})
    random.shuffle(lines)
    again = promotions.best(lines, [offer], at=NOON.replace(tzinfo=None), member=False, left={"o": bound})
    assert again.saved_minor == best.saved_minor

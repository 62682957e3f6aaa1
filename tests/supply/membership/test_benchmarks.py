"""Nothing from fewer than five other stores, by no way of asking; and each suggestion is held to what it brought."""

import datetime as dt
import itertools
import json

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict, Invalid
from config.ids import NETWORK
from config.money import median
from config.nodes.journal import Actor, Context
from config.nodes.publication import Publication
from pos.catalogue.catalogue import Price, TaxClass
from pos.stock.ledger import StockLevel
from pos.store.store import Region, Store
from supply.demand.history import DailyDemand
from supply.membership import benchmarks, suggestions
from supply.membership.benchmarks import STORES, gain_of_adding, gain_of_pricing, may_publish, scope_of
from supply.membership.suggestions import Suggestion
from tests.supply.road import AT, DAY, KEEPER, later, make_country

NIGHT = Actor.system("compare", NETWORK)


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def open_stores(session, count: int, region: str = "R1") -> list[str]:
    """Let further stores join; returns the ids of all in the region."""
    if session.get(Region, region) is None:
        session.add(Region(id=region, name=region))
        session.flush()
    for n in range(count):
        session.add(Store(id=f"{region}-{n}", name=f"Store {n}", slug=f"{region}-{n}".lower(), region_id=region,
                          currency="EUR", tz="UTC", rollover_hour=4, joined_at=AT))  # fmt: skip
    session.flush()
    return sorted(session.scalars(sa.select(Store.id).where(Store.region_id == region)))


def sells(session, store_id: str, sku: str, qty: int, minor: int, day: dt.date = DAY) -> None:
    session.merge(DailyDemand(store_id=store_id, sku=sku, business_day=day, sold_qty=qty, sales=1, revenue_minor=minor,
                              pickup_qty=0, out_of_stock_bp=0, imported=False))  # fmt: skip
    session.flush()


def work_out(session, day: dt.date = DAY) -> int:
    figures = benchmarks.figures_of(session, session.scalars(sa.select(Store.id)).all(), day)
    return benchmarks.work_out(session, figures, day, at=AT + (day - DAY))


def published(session) -> dict[tuple[str, str], int]:
    bodies = [
        json.loads(one) for one in session.scalars(sa.select(Publication.body).where(Publication.kind == "compare"))
    ]
    return {(name, sku): value for body in bodies for name, sku, value, _ in body["figures"]}


def test_no_figure_stands_on_fewer_than_five_other_shops(country):
    with country.network.write() as session:
        stores = open_stores(session, 6)
        for store_id in stores[: STORES - 1]:
            sells(session, store_id, "tea", 10, 4_000)
        for store_id in stores[:STORES]:
            sells(session, store_id, "milk", 10, 1_300)
        work_out(session)
        found = published(session)
    assert ("price", "milk") in found
    assert ("price", "tea") not in found


def test_a_shop_that_comes_or_goes_alone_changes_nothing_that_is_told(country):
    with country.network.write() as session:
        stores = open_stores(session, 18)
        for store_id in stores[:8]:
            sells(session, store_id, "milk", 10, 1_300)
        work_out(session)
        before = published(session)
        week = DAY + dt.timedelta(days=7)
        for store_id in stores[:9]:  # one more: the difference of the two weeks would be this store
            sells(session, store_id, "milk", 10, 2_600, week)
        work_out(session, week)
        assert published(session) == before
        for store_id in stores[9 : 9 + STORES - 1]:  # now six came since
            sells(session, store_id, "milk", 10, 2_600, week)
        work_out(session, week)
        assert published(session) != before


@given(st.lists(st.sets(st.integers(0, 24), min_size=4), max_size=12))
def test_no_two_published_figures_differ_by_fewer_than_five_shops(weeks):
    reported: list[set[int]] = []
    for stores in weeks:
        if may_publish(stores, reported):
            reported.append(stores)
    for before, after in itertools.combinations(reported, 2):
        for side in (before - after, after - before):
            assert not side or len(side) >= 5
    assert all(len(stores) - 1 >= 5 for stores in reported), "who takes its own value out has five others before it"


def test_a_detour_over_another_set_tells_no_more_than_the_straight_way():
    first, detour, last = set("abcdefgh"), set("abcdefghijklmn"), set("abcdefg")
    assert may_publish(detour, [first])
    assert may_publish(last, [detour])
    assert not may_publish(last, [first, detour]), "last beside first would tell of h alone"


def test_regions_are_told_apart_only_where_no_region_is_what_is_left_of_the_network(country):
    assert scope_of([STORES, STORES]) == "region"
    assert scope_of([STORES, STORES - 1]) == "network"
    with country.network.write() as session:
        stores = [*open_stores(session, 5), *open_stores(session, 3, "R2")]
        for store_id in stores:
            sells(session, store_id, "milk", 10, 1_300)
        work_out(session)
        assert set(session.scalars(sa.select(Publication.scope_id).where(Publication.kind == "compare"))) == {"*"}


def test_the_shops_behind_a_figure_never_travel(country):
    with country.network.write() as session:
        stores = open_stores(session, 6)
        for store_id in stores:
            sells(session, store_id, "milk", 10, 1_300)
        work_out(session)
        bodies = "".join(session.scalars(sa.select(Publication.body).where(Publication.kind == "compare")))
        assert bodies
        assert not any(store_id in bodies for store_id in stores)
        body = json.loads(bodies)
    with country.stores["S1"].write() as session:
        benchmarks.take_edition(session, body)
        assert benchmarks.nearby(session)["price", "milk"].value == 130
        assert benchmarks.nearby(session)["price", "milk"].sets == []


def know_nearby(session) -> None:
    benchmarks.take_edition(session, {"scope": "R1", "figures": [
        ["price", "tea", 420, DAY.isoformat()], ["rate", "tea", 2_100, DAY.isoformat()],
        ["price", "milk", 160, DAY.isoformat()], ["rate", "milk", 5_000, DAY.isoformat()],
    ]})  # fmt: skip


def test_one_suggestion_at_a_time_the_best_first_refused_with_a_reason_and_not_again(country):
    with country.stores["S1"].write() as session:
        know_nearby(session)
        sells(session, "S1", "milk", 28 * 4, 28 * 4 * 129)
        found = {one.kind: one for one in suggestions.candidates(session, "S1", DAY)}
        assert found["add"].expected_minor == gain_of_adding(2_100, 385, 250, 1) == 992, "4.20 has 9 % tax in it"
        assert found["price"].expected_minor == gain_of_pricing(4_000, 118, 147, 92, 1)
        first = suggestions.renew(Context(session, NIGHT, AT), "S1", DAY)
        assert (first.kind, first.sku) == ("add", "tea")
        assert suggestions.renew(Context(session, NIGHT, AT), "S1", DAY) is first
        with pytest.raises(Invalid):
            suggestions.answer(Context(session, KEEPER["S1"], AT), "S1", first.id, accept=False)
        suggestions.answer(Context(session, KEEPER["S1"], AT), "S1", first.id, accept=False, why="No room")
        with pytest.raises(Conflict):
            suggestions.answer(Context(session, KEEPER["S1"], AT), "S1", first.id, accept=True)
        second = suggestions.renew(Context(session, NIGHT, AT), "S1", DAY)
        assert (second.kind, second.sku) == ("price", "milk")


def test_nothing_is_suggested_that_brings_but_the_tax(country):
    with country.stores["S1"].write() as session:
        figures = [["price", "bread", 160, DAY.isoformat()], ["rate", "bread", 20_000, DAY.isoformat()]]
        benchmarks.take_edition(session, {"scope": "R1", "figures": figures})
        assert suggestions.candidates(session, "S1", DAY) == [], "1.60 is 1.47 without tax, and bread costs 1.50"
        session.get_one(TaxClass, "std").inclusive = False
        session.flush()
        sells(session, "S1", "bread", 28 * 4, 28 * 4 * 272)  # at 2.50, and the tax on top
        benchmarks.take_edition(session, {"scope": "R1", "figures": [["price", "bread", 272, DAY.isoformat()]]})
        assert suggestions.candidates(session, "S1", DAY) == [], "2.72 with the tax on top is the store's own price"


def test_what_a_suggestion_brought_stands_beside_what_it_should(country):
    with country.stores["S1"].write() as session:
        know_nearby(session)
        made = suggestions.renew(Context(session, NIGHT, AT), "S1", DAY)
        assert made.sku == "tea"
        suggestions.answer(Context(session, KEEPER["S1"], AT), "S1", made.id, accept=True)
        for n in range(28):
            sells(session, "S1", "tea", 1, 395, DAY + dt.timedelta(days=n))
        later_day = DAY + dt.timedelta(days=28)
        assert session.get(Suggestion, ("S1", made.id)).measured_minor is None
        suggestions.renew(Context(session, NIGHT, later(days=28)), "S1", later_day)
        row = session.get(Suggestion, ("S1", made.id))
        assert (row.state, row.measured_minor) == ("measured", round(7 * (395 / 1.09 - 250)))
        assert session.get(Price, ("tea", "*", dt.date(2025, 1, 1))).price_minor == 395, "it changed nothing by itself"


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_a_median_lies_among_its_values(values):
    assert min(values) <= median(values) <= max(values)


def test_a_shop_whose_stock_nobody_told_of_has_no_cover_and_no_waste_rather_than_none(country):
    with country.network.write() as session:
        stores = open_stores(session, 2)
        for store_id in stores[:2]:
            sells(session, store_id, "milk", 28, 2800)
        session.add(StockLevel(store_id=stores[0], sku="milk", place="shelf", qty=4))
        session.flush()
        known, unknown = (benchmarks.figures_of(session, stores[:2], DAY)[store_id].values for store_id in stores[:2])
    assert (known["cover", ""], known["waste", ""]) == (4, 0)
    assert not {("cover", ""), ("waste", "")} & unknown.keys()

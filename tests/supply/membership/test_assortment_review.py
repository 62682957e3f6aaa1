"""Gaps and dead stock: each counted apart from the rows, and what a store is told is listed counted as its word."""

import datetime as dt
import statistics

import pytest
import sqlalchemy as sa

from config.errors import DomainError
from config.nodes.journal import Context
from pos.catalogue import assortment, reported_assortment
from pos.catalogue.catalogue import Listing
from pos.stock.ledger import StockLevel, StockMovement
from pos.store.store import Store
from supply.demand.history import DailyDemand, SellingRate, StoreDay
from supply.membership import assortment_review
from supply.membership.assortment_review import AssortmentFinding, AssortmentLine
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, Country, make_country

LAST = DAY - dt.timedelta(days=1)
# store -> sales a day, and what it sold of tea in 28 days; the big one is no store like S1
TOWN = {"S1": (1000, 0), "S2": (900, 56), "S3": (1900, 84), "S4": (600, 28), "S5": (9000, 560)}
IDLE = {"S2": (10, 40, None), "S3": (7, None, 5), "S4": (6, None, 90), "S5": (4, None, None)}
"""Store -> bread in stock, days since the last sale, and since the last arrival."""


def _lay_in(country: Country) -> None:
    with country.network.write() as session:
        session.execute(sa.delete(Listing))
        for store_id in ("S3", "S4", "S5"):
            session.add(Store(id=store_id, name=store_id, slug=store_id.lower(), region_id="R1", currency="EUR",
                              tz="UTC", rollover_hour=4, joined_at=AT))  # fmt: skip
        session.flush()
        for store_id, (minor, tea) in TOWN.items():
            session.add(StoreDay(store_id=store_id, business_day=LAST - dt.timedelta(days=28), open=True, sales=1,
                                 revenue_minor=minor))  # fmt: skip
            for n in range(28):
                day = LAST - dt.timedelta(days=n)
                session.add(StoreDay(store_id=store_id, business_day=day, open=True, sales=1, revenue_minor=minor))
                if tea:
                    session.add(DailyDemand(store_id=store_id, sku="tea", business_day=day, sold_qty=tea // 28,
                                            revenue_minor=9, sales=1))  # fmt: skip
        session.add(SellingRate(store_id="S2", sku="bread", per_day=0.25))
        for store_id, (qty, sold_ago, came_ago) in IDLE.items():
            session.add(StockLevel(store_id=store_id, sku="bread", place="floor", qty=qty))
            if sold_ago:
                session.add(DailyDemand(store_id=store_id, sku="bread", business_day=DAY - dt.timedelta(days=sold_ago),
                                        sold_qty=1, revenue_minor=250, sales=1))  # fmt: skip
            if came_ago:
                on = DAY - dt.timedelta(days=came_ago)
                session.add(StockMovement(store_id=store_id, id=f"m{store_id}", sku="bread", qty=qty,
                                          from_place="supplier", to_place="floor", reason="received",
                                          source_kind="delivery", source_id="d", business_day=on, at=AT,
                                          actor_id="x"))  # fmt: skip


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_lay_in)


def seen(country: Country) -> dict[tuple[str, str, str], AssortmentFinding]:
    with country.network.write() as session:
        for _twice in range(2):  # a look replaces the one before
            assortment_review.keep(session, "R1", assortment_review.review(session, "R1", DAY))
    with country.network.read() as session:
        return {(one.kind, one.store_id, one.sku): one for one in session.scalars(sa.select(AssortmentFinding))}


def test_a_gap_is_half_of_what_comparable_stores_sell_a_week_at_the_network_s_margin(country):
    found = seen(country)
    assert [key for key in found if key[0] == "gap"] == [("gap", "S1", "tea")]
    gap = found["gap", "S1", "tea"]
    near = [tea for minor, tea in TOWN.values() if tea and 500 <= minor <= 2000]
    expected = statistics.median(near) / 28 * 7 / 2
    assert (gap.peers, gap.selling, gap.qty_milli) == (3, 3, round(1000 * expected))
    assert gap.worth_minor == expected * (round(395 / 1.09) - 250), "without 9% tax, at 2500 for ten"


def test_what_few_comparable_stores_sell_is_no_gap(country):
    with country.network.write() as session:
        session.execute(sa.delete(DailyDemand).where(DailyDemand.store_id.in_(("S3", "S4"))))
    assert ("gap", "S1", "tea") not in seen(country), "one of three"


def test_what_less_than_half_of_the_comparable_stores_sell_is_no_gap(country):
    def lay_in(store_id: str) -> None:
        with country.network.write() as session:
            session.add(Store(id=store_id, name=store_id, slug=store_id.lower(), region_id="R1", currency="EUR",
                              tz="UTC", rollover_hour=4, joined_at=AT))  # fmt: skip
            session.flush()
            session.add(StoreDay(store_id=store_id, business_day=LAST, open=True, sales=1, revenue_minor=28_000))

    for store_id, is_gap in (("S6", True), ("S7", True), ("S8", True), ("S9", False)):
        lay_in(store_id)
        assert (("gap", "S1", "tea") in seen(country)) is is_gap, "three of four, of five, of six, of seven"


def test_dead_stock_did_not_sell_and_did_not_just_come(country):
    dead = {store: one for (kind, store, sku), one in seen(country).items() if (kind, sku) == ("dead", "bread")}
    assert {store: (one.qty_milli, one.idle_days, one.worth_minor) for store, one in dead.items()} == {
        "S2": (10_000, 40, 10 * 150), "S4": (6_000, 90, 6 * 150), "S5": (4_000, None, 4 * 150)
    }  # fmt: skip
    assert (dead["S2"].supply_days, dead["S4"].supply_days) == (40.0, None)


def test_a_store_whose_sales_are_not_known_for_so_long_has_no_dead_stock_yet(country):
    with country.network.write() as session:
        before = StoreDay.business_day < LAST - dt.timedelta(days=27)
        session.execute(sa.delete(StoreDay).where(before, StoreDay.store_id == "S4"))
    assert {store for kind, store, _ in seen(country) if kind == "dead"} == {"S2", "S5"}


def test_a_region_s_line_counts_its_stores(country):
    seen(country)
    with country.network.read() as session:
        lines = {one.sku: one for one in session.scalars(sa.select(AssortmentLine))}
    tea, bread = lines["tea"], lines["bread"]
    assert (tea.stores, tea.told, tea.listed, tea.selling, tea.sold_qty, tea.gaps) == (5, 0, 4, 4, 728, 1)
    assert (bread.selling, bread.stocked, bread.stock_qty, bread.dead) == (0, 4, 27, 3)


@pytest.mark.parametrize("seed", range(3))
def test_a_store_tells_what_it_lists_once_and_its_newest_word_stands(country, seed):
    def told() -> dict[str, tuple[bool, bool]]:
        country.deliver(seed=seed)
        with country.network.read() as session:
            return {row.sku: (row.active, row.ordered) for row in session.scalars(sa.select(Listing))}

    def report(**spans) -> int:
        with country.stores["S1"].write() as session:
            return reported_assortment.report(Context(session, KEEPER["S1"], AT + dt.timedelta(**spans)), "S1")

    with country.stores["S1"].write() as session:
        assortment.settle(Context(session, KEEPER["S1"], AT), "S1", "tea", active=False)
    assert (report(), report(hours=1)) == (3, 0)
    assert told() == dict.fromkeys(("bread", "milk", "apple"), (True, True))
    assert ("gap", "S1", "tea") in seen(country)
    with country.stores["S1"].write() as session:
        assortment.settle(Context(session, KEEPER["S1"], AT), "S1", "tea", active=True, ordered=False)
        assortment.settle(Context(session, KEEPER["S1"], AT), "S1", "milk", active=False)
    assert report(hours=2) == 3
    assert told() == {
        "bread": (True, True), "apple": (True, True), "tea": (True, False), "milk": (False, True)
    }  # fmt: skip
    assert ("gap", "S1", "tea") not in seen(country), "what is listed is no gap"


def test_a_list_with_what_it_does_not_list_is_refused_and_an_older_one_passed_over(country):
    def say(listed: list[str], ending: list[str], step: int = 2) -> None:
        with country.network.write() as session:
            hear(session, "assortment.reported", {"store_id": "S1", "step": step, "listed": listed, "ending": ending})

    with pytest.raises(DomainError, match="not valid"):
        say(["bread"], ["tea"])
    say(["bread", "nothing-known"], [])
    say(["tea"], [], step=1)
    with country.network.read() as session:
        assert session.scalars(sa.select(Listing.sku)).all() == ["bread"]

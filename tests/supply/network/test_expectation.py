"""What a promotion is expected to bring: reckoned again by hand, with where each figure comes from."""

import datetime as dt

import numpy as np
import pytest

from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.stock import stock
from supply.demand import history
from supply.demand.history import DailyDemand, SellingRate, StoreDay
from supply.demand.promotion_days import OFFER, ReportedEffect
from supply.network.offers import expectation
from supply.network.offers.expectation import Promoted
from tests.supply.network.test_allocation import undone
from tests.supply.road import AT, DAY, OPERATOR, STORES, make_country


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    return make_country(tmp_path_factory.mktemp("expected"))


def test_sales_margin_and_need_are_recomputed_by_hand(country):
    """Bread: 2.50 with 9 % tax inside, 9.00 for a pack of 6; S1 sells 2 a day and has 5, S2 none of it yet."""
    with undone(country) as session:
        session.add(SellingRate(store_id="S1", sku="bread", per_day=2.0))
        stock.open_stock(Context(session, OPERATOR, AT), "S1", [("bread", 5)], source_id="s1")
        session.flush()
        found = expectation.expected(session, [Promoted("bread", 2_000, 4_000)], STORES, days=7, at=AT)
    usual, more = 14.0, 14.0 * 1.4
    sales, promoted = usual * 250, more * 250 * 0.8
    margins = usual * (250 / 1.09 - 150), more * (200 / 1.09 - 150)
    first, second = found.stores
    assert (first.usual_minor, first.expected_minor) == (round(sales), round(promoted))
    assert (first.usual_margin_minor, first.expected_margin_minor) == (round(margins[0]), round(margins[1]))
    assert (first.borrowed, second.borrowed, first.partial) == (False, True, False)
    assert second.expected_minor == first.expected_minor, "it is taken to sell what the others sell on average"
    (bread,) = found.products
    assert (bread.usual_qty, bread.expected_qty, bread.uplift_bp, bread.source) == (28, 39, 4_000, "typed")
    assert bread.need_qty == 35, "19.6 less the 5 that are there, and 19.6"
    assert (bread.there_qty, bread.coming_qty) == (60, 0)
    assert found.expected_minor == 2 * round(promoted)


@pytest.mark.parametrize(
    ("told", "typed", "uplift_bp", "source"),
    [((40.0, 40.0 * float(np.log(1.5))), None, 5_000, "learnt"), (None, None, 3_000, "usual"), (None, 0, 0, "none")],
)
def test_an_uplift_is_learnt_where_stores_told_one_else_that_of_campaigns(country, told, typed, uplift_bp, source):
    with undone(country) as session:
        session.add(SellingRate(store_id="S1", sku="bread", per_day=2.0))
        if told:
            thing = session.get_one(Product, "bread")
            top = history.top_category(thing.department, thing.category, thing.stock_unit)
            session.add(ReportedEffect(store_id="S2", top_category=top, feature=OFFER, worth=told[0], moved=told[1],
                                       origin_day=DAY))  # fmt: skip
        session.flush()
        found = expectation.expected(session, [Promoted("bread", 1_000, typed)], ["S1"], days=10, at=AT)
    assert (found.products[0].uplift_bp, found.products[0].source) == (uplift_bp, source)


def lay_sales(session, stores: int, noise: float) -> list[str]:
    """Sell bread for ten weeks in so many stores, each week off its store's usual by chance."""
    chance, names = np.random.default_rng(11), [f"S{n + 1}" for n in range(stores)]
    for back in range(1, 71):
        day = DAY - dt.timedelta(days=back)
        for store in names:
            if store in STORES:
                session.merge(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=100))
            qty = round(1_000 * float(np.exp(chance.normal(0, noise))))
            session.add(
                DailyDemand(store_id=store, sku="bread", business_day=day, sold_qty=qty, revenue_minor=1, sales=1)
            )
    session.flush()
    return names


@pytest.mark.parametrize(
    ("stores", "noise", "hold_out_bp", "effect", "verdict"),
    [(12, 0.1, 2_500, 0.3, "enough"), (12, 0.9, 2_500, 0.1, "blind"), (8, 0.1, 2_500, 0.3, "few"),
     (12, 0.1, 0, 0.3, "few")],
)  # fmt: skip
def test_it_is_said_beforehand_whether_a_hold_out_can_show_anything(
    country, stores, noise, hold_out_bp, effect, verdict
):
    with undone(country) as session:
        names = lay_sales(session, stores, noise)
        found = expectation.power(session, ["bread"], names, days=7, hold_out_bp=hold_out_bp, effect=effect, today=DAY)
    assert found.verdict == verdict
    assert found.held == min(stores - 1, stores * hold_out_bp // 10_000)
    assert found.spread == pytest.approx(noise * (2 / 7) ** 0.5, rel=0.45), "two weeks' means of seven days each"
    if verdict == "blind":
        assert found.least is not None
        assert found.least > effect
        assert found.needed is not None
        assert sum(found.needed) > stores
    if verdict == "few":
        assert found.needed is not None
        assert min(found.needed) >= 3


def test_without_past_sales_nothing_is_said_of_what_could_be_measured(country):
    with undone(country) as session:
        found = expectation.power(session, ["bread"], [f"S{n}" for n in range(20)], days=7, hold_out_bp=2_500,
                                  effect=0.3, today=DAY)  # fmt: skip
    assert (found.verdict, found.spread, found.needed) == ("unknown", None, None)

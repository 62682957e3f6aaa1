"""A period's figures: the sum of its receipts to the cent, and beside the same weekdays before."""

import dataclasses
import datetime as dt

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.reports import figures, reports
from pos.sale import returns, sale
from pos.sale.sale_request import BlindReturnRequest, BroughtBack
from pos.sold import Sale
from pos.store.store import store_of
from tests.builders import NOON, STORE

DAY = NOON.date()
ONE = dt.timedelta(days=1)


def look(store, first, last, *, at=None):
    return store.read(
        lambda session: figures.overview(session, store_of(session, STORE), first, last, at=at or store.now)
    )


def take_back_blind(store):
    """Refund a bread without a receipt."""
    with store.write() as session:
        request = BlindReturnRequest(new_id(), STORE, store.till_id, [("bread", 1, 349, True)], "no receipt")
        returns.take_back_blind(Context(session, store.wei, store.now), request)


def exchange(store, sale_id):
    """Exchange the tea of a sale for three breads."""
    request = store.request([("bread", 3)])
    due = request.shown_total_minor - 450  # the tea
    brought = [BroughtBack(sale_id, 2, 1)]
    request = dataclasses.replace(request, brought_back=brought, shown_total_minor=due, tenders=[("cash", due)])
    with store.write() as session:
        sale.complete(Context(session, store.wei, store.now), request)


steps = st.lists(
    st.tuples(
        st.sampled_from(["sale", "refund", "exchange", "blind", "given up"]),
        st.sampled_from(["milk", "bread", "tea", "cheese"]),
        st.integers(1, 5),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_figures_are_the_sum_of_the_receipts_to_the_cent(another_store, steps):
    store = another_store(f"figures-{abs(hash(str(steps)))}")
    with store.write() as session:
        catalogue.list_product(Context(session, store.wei, NOON), STORE, "milk", cost_minor=80)
    last = None
    for kind, sku, qty, hours in steps:
        store.clock.advance(hours * 3600)  # past midnight, and past the end of the business day
        if kind == "sale" or last is None:
            last = store.sell([(sku, qty), ("tea", 1)]).sale.id
        elif kind == "refund":
            store.take_back(last, [(2, 1)])
            last = None
        elif kind == "exchange":
            exchange(store, last)
            last = None
        elif kind == "blind":
            take_back_blind(store)
        else:
            store.request([(sku, qty)])  # priced and never completed
    found = look(store, DAY, DAY + 10 * ONE).figures
    sales = store.read(lambda session: session.scalars(sa.select(Sale)).all())
    assert found.sales_minor == sum(one.total_minor for one in sales)
    assert found.sales_minor == found.net_minor + found.other_minor + found.tax_minor + found.rounding_minor
    assert found.baskets == sum(one.kind != "return" for one in sales)
    by_hour = store.read(lambda session: figures.hours(session, store_of(session, STORE), DAY, DAY + 10 * ONE))
    assert figures.added(by_hour.values()).sales_minor == found.sales_minor
    for kind in ("day", "cashier", "tender"):
        whole = store.read(
            lambda session, kind=kind: reports.report(session, store_of(session, STORE), kind, DAY, DAY + 10 * ONE)
        )
        assert whole.totals["total_minor"] == found.sales_minor


def test_a_weighed_item_is_one_piece_and_a_refund_is_subtracted(store):
    sold = store.sell([("cheese", 500), ("milk", 3)])
    store.take_back(sold.sale.id, [(2, 1)])
    assert look(store, DAY, DAY).figures.units == 1 + 3 - 1


def test_a_running_day_is_compared_with_the_same_part_of_the_same_weekday(store):
    store.sell([("milk", 1)])
    store.clock.advance(3600)
    store.sell([("milk", 2)])
    store.clock.advance(7 * 86_400 - 1800)
    store.sell([("milk", 4)])
    week = DAY + 7 * ONE
    found = look(store, week, week)
    assert (found.before["week"].figures.units, found.figures.units) == (1, 4)
    assert found.before["week"].by_day[week].units == 1
    whole = look(store, week, week, at=store.now + 2 * ONE)
    assert whole.before["week"].figures.units == 3
    assert "year" not in found.before  # nothing was sold then


def test_a_period_is_not_compared_with_one_that_began_before_the_store(store):
    store.sell([("milk", 1)])
    week = DAY + 6 * ONE, DAY + 12 * ONE
    assert "week" not in look(store, *week, at=NOON + 20 * ONE).before
    assert "week" in look(store, DAY + 7 * ONE, DAY + 13 * ONE, at=NOON + 20 * ONE).before


def test_a_period_is_never_compared_with_days_of_its_own(store):
    store.sell([("milk", 1)])
    ahead = DAY + 400 * ONE
    at = NOON + 900 * ONE
    assert {
        days: sorted(
            (name, one.days) for name, one in look(store, ahead, ahead + (days - 1) * ONE, at=at).before.items()
        )
        for days in (7, 8, 31, 90)
    } == {
        7: [("month", 28), ("week", 7), ("year", 364)],
        8: [("month", 28), ("year", 364)],
        31: [("month", 35), ("year", 364)],
        90: [("year", 364)],
    }

"""Reports: every side of the same sales agrees with every other, and with the Z."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Invalid
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from pos.reports import reports
from pos.sale.sale_request import RungLine
from pos.stock import waste
from pos.store.store import store_of
from tests.builders import NOON, STORE

DAY = NOON.date()


def look(store, kind, first=DAY, last=DAY):
    """Return one report."""
    return store.read(lambda session: reports.report(session, store_of(session, STORE), kind, first, last))


def know_cost(store, sku, cost_minor):
    """Let the store know what a product costs."""
    with store.write() as session:
        catalogue.list_product(Context(session, store.wei, NOON), STORE, sku, cost_minor=cost_minor)


def test_every_side_of_a_day_sums_to_the_same_takings(store):
    sold = store.sell([("milk", 3), ("bread", 1), ("cheese", 500)])
    store.sell([("wine", 1)], cash_minor=1000)
    store.take_back(sold.sale.id, [(1, 1)])
    sales_amount = {
        kind: look(store, kind).totals["total_minor"] for kind in ("day", "hour", "product", "category", "cashier")
    }
    sales_amount |= {
        "tender": look(store, "tender").totals["total_minor"],
        "tax": look(store, "tax").totals["gross_minor"],
    }
    assert set(sales_amount.values()) == {3 * 129 + 349 + 950 + 699 - 129}
    shift = store.close_till()
    assert shift.z_report["total_minor"] == sales_amount["day"]


def test_margin_counts_what_has_a_cost_and_names_the_rest(store):
    know_cost(store, "milk", 80)
    store.sell([("milk", 2), ("bread", 1)])
    milk, bread = look(store, "margin").rows
    assert (milk["sku"], milk["cost_minor"], milk["margin_minor"]) == ("milk", 160, milk["costed_minor"] - 160)
    assert milk["margin_bp"] == round(milk["margin_minor"] * 10_000 / milk["costed_minor"])
    assert (bread["sku"], bread["costed_minor"], bread["margin_bp"]) == ("bread", 0, None)


def test_a_product_is_called_as_the_catalogue_calls_it_whatever_was_typed_for_it(store):
    with store.write() as session:
        session.get_one(Product, "milk").name = "Items without a code"
    store.sell([("milk", 1)])
    with store.write() as session:
        session.get_one(Product, "milk").name = "Dairy, other"
    assert [row["name"] for row in look(store, "product").rows] == ["Dairy, other"]


def test_an_hour_is_the_hour_on_the_shops_wall(store):
    store.sell([("milk", 1)])
    assert [(row["hour"], row["sales_count"]) for row in look(store, "hour").rows] == [(13, 1)]


def test_change_is_no_taking_and_tenders_say_what_was_taken_and_given(store):
    store.sell([("milk", 1)], cash_minor=1000)
    [cash] = look(store, "tender").rows
    assert (cash["taken_minor"], cash["given_minor"], cash["total_minor"]) == (129, 0, 129)


def test_a_cashiers_discounts_and_typed_prices_stand_beside_the_takings(store):
    store.sell([RungLine("bread", 1, discount_bp=500)])
    [ana] = look(store, "cashier").rows
    assert (ana["name"], ana["by_hand_minor"], ana["overrides_count"]) == ("Ana", 17, 0)


def test_shrink_is_named_by_reason(store):
    with store.write() as session:
        waste.write_off(Context(session, store.wei, NOON), STORE, waste.WriteOff("milk", 2, "expired"))
    [row] = look(store, "shrink").rows
    assert (row["reason"], row["value_minor"]) == ("expired", 258)


@pytest.mark.parametrize("days", [-1, 1101])
def test_a_period_that_cannot_be_is_refused(store, days):
    with pytest.raises(Invalid):
        look(store, "day", DAY, DAY + dt.timedelta(days=days))


def test_an_unknown_report_is_refused_in_words(store):
    with pytest.raises(Invalid, match="Choose one"):
        look(store, "horoscope")


@pytest.mark.parametrize("kind", list(reports.KINDS))
def test_a_day_without_sales_is_an_empty_report(store, kind):
    assert look(store, kind, DAY - dt.timedelta(days=9), DAY - dt.timedelta(days=8)).rows == []


baskets = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["milk", "bread", "tea", "cheese"]), st.integers(1, 400)), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(baskets)
def test_shares_and_sums_hold_for_whatever_was_sold(another_store, sold):
    store = another_store(f"shop-{abs(hash(str(sold)))}")
    for lines in sold:
        store.sell(lines)
    products, tax = look(store, "product"), look(store, "tax")
    assert products.totals["total_minor"] == tax.totals["base_minor"] + tax.totals["tax_minor"]
    assert abs(sum(row["share_bp"] for row in products.rows) - 10_000) <= len(products.rows)


@pytest.mark.parametrize("kind", ["product", "category"])
def test_a_report_of_what_was_sold_reads_the_lines_of_its_days_and_not_all(store, kind):
    asked = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2:4]))
    look(store, kind)
    whole = [(words, given) for words, given in asked if "sale_line" in words]
    with store.database.engine.connect() as books:
        for words, given in whole:
            plan = [row[3] for row in books.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given)]
            assert "ix_sale_line_day (store_id=? AND business_day>? AND business_day<?)" in plan[0], plan
    assert whole

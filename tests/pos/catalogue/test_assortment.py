"""What a store settles itself: own products altogether, of the network's only what is the store's."""

import dataclasses
import datetime as dt

import pytest

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue import assortment, catalogue, scan
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.repricing import Rule
from tests.builders import NOON, STORE

DAY = NOON.date()
TOMORROW = DAY + dt.timedelta(days=1)
JAM = ProductDetails(name="Aunt May's jam", category="Spreads", tax_class_id="food")


def add(store, details=JAM, **wishes):
    """Add a product of the store's own at 4.50."""
    with store.write() as session:
        product = assortment.add(Context(session, store.wei, NOON), STORE, details, **wishes)
        sku = product.sku
        assortment.set_price(Context(session, store.wei, NOON), STORE, sku, 450, DAY, today=DAY)
    return sku


def test_an_own_product_is_sold_at_once(store):
    sku = add(store, codes=[("4012345000009", 1)])
    assert store.sell([(sku, 1)]).sale.total_minor == 450
    with store.database.read() as session:
        assert scan.read(session, STORE, "4012345000009", DAY).product.name == JAM.name


def test_a_code_of_another_product_is_refused(store):
    with pytest.raises(Conflict):
        add(store, codes=[("4006381333931", 1)])


def test_an_own_product_changes_and_is_found_by_its_new_name(store):
    sku = add(store)
    with store.write() as session:
        assortment.change(
            Context(session, store.wei, NOON), STORE, sku, dataclasses.replace(JAM, name="Uncle Bo's jam")
        )
    with store.database.read() as session:
        assert [view.sku for view in catalogue.search(session, STORE, "bo's", DAY)] == [sku]


def test_the_networks_products_keep_name_and_tax(store):
    with store.write() as session, pytest.raises(Refused, match="The network sets its name and tax"):
        assortment.change(Context(session, store.wei, NOON), STORE, "milk", JAM)


def test_what_a_product_is_counted_in_stays(store):
    sku = add(store)
    with store.write() as session, pytest.raises(Refused, match="unit cannot be changed"):
        assortment.change(Context(session, store.wei, NOON), STORE, sku, dataclasses.replace(JAM, stock_unit="gram"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "}, {"category": ""}, {"kind": "dream"}, {"minimum_age": 0}, {"deposit_sku": "milk"},
        {"brand": "x" * 61},
    ],
)  # fmt: skip
def test_a_product_that_cannot_be_is_refused_in_words(store, wrong):
    with store.write() as session, pytest.raises(Invalid):
        assortment.add(Context(session, store.wei, NOON), STORE, dataclasses.replace(JAM, **wrong))


def test_the_shops_own_price_goes_before_the_networks_from_its_day_on(store):
    with store.write() as session:
        assortment.set_price(Context(session, store.wei, NOON), STORE, "milk", 135, TOMORROW, today=DAY)
    with store.database.read() as session:
        assert [catalogue.price_on(session, STORE, "milk", day) for day in (DAY, TOMORROW)] == [129, 135]
    with store.write() as session:
        assortment.withdraw_price(Context(session, store.wei, NOON), STORE, "milk", TOMORROW, today=DAY)
    with store.database.read() as session:
        assert catalogue.price_on(session, STORE, "milk", TOMORROW) == 129


def test_a_price_of_the_past_is_history(store):
    yesterday = DAY - dt.timedelta(days=1)
    with store.write() as session, pytest.raises(Invalid, match="today or later"):
        assortment.set_price(Context(session, store.wei, NOON), STORE, "milk", 135, yesterday, today=DAY)
    with store.write() as session:
        assortment.set_price(Context(session, store.wei, NOON), STORE, "milk", 135, DAY, today=DAY)
    with store.write() as session, pytest.raises(Refused, match="in effect"):
        assortment.withdraw_price(Context(session, store.wei, NOON), STORE, "milk", DAY, today=DAY)


def test_many_prices_change_by_one_rule_all_or_none(store):
    with store.database.read() as session:
        rows = assortment.proposed(session, STORE, ["milk", "bread", "tea"], Rule("percent", 1000, "9"), DAY)
    assert [(row.sku, row.new_minor) for row in rows] == [("tea", 499), ("bread", 389), ("milk", 139)]
    with store.write() as session:
        lines = [(row.sku, row.new_minor) for row in rows]
        assert assortment.reprice_all(Context(session, store.wei, NOON), STORE, lines, DAY, today=DAY) == 3
    lines = [("milk", 1), ("no-such", 1)]
    with pytest.raises(NotFound), store.write() as session:
        assortment.reprice_all(Context(session, store.wei, NOON), STORE, lines, DAY, today=DAY)
    with store.database.read() as session:
        assert catalogue.price_on(session, STORE, "milk", DAY) == 139


def test_a_new_rate_counts_from_the_next_sale_on(store):
    before = store.sell([("milk", 1)]).document["lines"][0]
    with store.write() as session:
        assortment.set_tax_class(Context(session, store.wei, NOON), "food", "Food", 900, inclusive=True)
    after = store.sell([("milk", 1)]).document["lines"][0]
    assert (before["rate_bp"], after["rate_bp"]) == (700, 900)
    assert store.findings() == []


def test_whether_prices_include_the_tax_stays_once_it_is_used(store):
    with store.write() as session, pytest.raises(Refused, match="cannot change whether prices include tax"):
        assortment.set_tax_class(Context(session, store.wei, NOON), "food", "Food", 700, inclusive=False)


def test_a_code_of_an_own_product_can_be_taken_away_but_none_of_the_networks(store):
    add(store, codes=[("4012345000009", 1)])
    with store.write() as session:
        assortment.remove_code(Context(session, store.wei, NOON), STORE, "4012345000009")
    with store.write() as session, pytest.raises(Refused):
        assortment.remove_code(Context(session, store.wei, NOON), STORE, "4006381333931")

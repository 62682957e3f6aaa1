"""The online store: what the store promises, what the network sells against it."""

import datetime as dt
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Price
from pos.stock import batches, recall, stock
from pos.stock.ledger import Place
from supply.online.storefront import availability, listing, storefront
from supply.online.storefront.availability import SILENT, SURE, safe_qty
from tests.supply.online_store import ANA, AT, PRODUCTS, STORE, later, make_town, reported


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def test_the_network_shows_what_the_store_published_with_its_prices_and_portions(town):
    with town.network.read() as session:
        shown = {product.sku: product for product in listing.products(session, STORE, PRODUCTS)}
        assert set(listing.listed_skus(session, STORE)) == set(PRODUCTS)
    assert (shown["bread"].left_qty, shown["bread"].price_minor) == (9, 250)
    assert (shown["apple"].left_qty, shown["apple"].step_qty) == (4500, 100)
    assert shown["tea"].left_qty == 1
    assert shown["beer"].minimum_age == 18


def test_a_hold_back_is_never_promised_online(town):
    with town.store.write() as session:
        session.get(Listing, (STORE, "bread")).hold_back_qty = 4
    town.publish(later(minutes=1))
    assert town.left("bread") == 6


def test_of_what_is_recalled_nothing_is_promised_online_until_somebody_has_looked(town):
    with town.store.write() as session:
        recall.call(Context(session, ANA, AT), STORE, "bread", "L7", id="r", why="glass")
    town.publish(later(minutes=1))
    assert town.left("bread") == 0
    with town.store.write() as session:
        recall.clear(Context(session, ANA, AT), STORE, "r", 0)
    town.publish(later(minutes=2))
    assert town.left("bread") == 9


def test_what_is_over_its_last_day_is_promised_to_nobody_online(town):
    with town.store.write() as session:
        for qty, expires_on in ((4, AT.date() - dt.timedelta(days=1)), (1, AT.date())):
            lots = [batches.Lot("bread", qty, None, expires_on)]
            batches.lay_in(session, STORE, lots, source_kind="delivery", source_id=f"D{qty}", at=AT)
    town.publish(later(minutes=1))
    assert town.left("bread") == 6, "its last day is a day of sale"


def test_nothing_is_published_when_a_customer_would_notice_nothing(town):
    with town.store.write() as session:
        assert reported(session, later(minutes=1)) is None
        stock.waste(Context(session, ANA, AT), STORE, "milk", 3)  # plenty is left
        assert reported(session, later(minutes=1)) is None
        session.get(Price, ("milk", "*", dt.date(2026, 1, 1))).price_minor = 131
        session.flush()
        fact = reported(session, later(minutes=2))
    assert [offer.sku for offer in fact.offers] == ["milk"]


def test_a_product_no_longer_listed_leaves_the_online_shop(town):
    with town.store.write() as session:
        session.get(Listing, (STORE, "tea")).active = False
    town.publish(later(minutes=1))
    with town.network.read() as session, pytest.raises(NotFound, match="not in this online store"):
        listing.product(session, STORE, "tea")


def test_an_older_publication_that_arrives_late_changes_nothing(town):
    with town.store.write() as session:
        session.get(Listing, (STORE, "bread")).hold_back_qty = 2
        session.flush()
        older = reported(session, later(minutes=1))
        session.get(Listing, (STORE, "bread")).hold_back_qty = 5
        session.flush()
        newer = reported(session, later(minutes=2))
    with town.network.write() as session:
        storefront.take_offers(Context(session, ANA, AT), newer)
        storefront.take_offers(Context(session, ANA, AT), older)
    assert town.left("bread") == 5


def test_editions_rise_even_when_the_clock_was_put_back(town):
    with town.store.write() as session:
        session.get(Listing, (STORE, "bread")).hold_back_qty = 3
        session.flush()
        fact = reported(session, later(days=-2))
        assert fact.edition == session.get(availability.Storefront, STORE).edition
    town.deliver()
    assert town.left("bread") == 7


def test_a_new_allowance_is_lowered_by_orders_the_store_had_not_seen(town):
    town.place("order-00001", [("bread", 3)])
    assert town.left("bread") == 6
    with town.store.write() as session:  # the order is still on its way
        session.get(Listing, (STORE, "bread")).hold_back_qty = 3
        session.flush()
        fact = reported(session, later(minutes=1))
    with town.network.write() as session:
        storefront.take_offers(Context(session, ANA, AT), fact)
    assert town.left("bread") == 7 - 3


def test_a_new_allowance_is_not_lowered_twice_by_an_order_the_store_holds(town):
    town.place("order-00001", [("bread", 3)])
    town.deliver()
    town.publish(later(minutes=1))
    assert town.left("bread") == 7  # ten less three held
    assert town.faults() == []


def only_one_gets_the_last_unit(town):
    gate = threading.Barrier(2)
    answers = []

    def order(number):
        gate.wait()
        try:
            town.place(f"order-0000{number}", [("tea", 1)])
            answers.append("placed")
        except Refused as refusal:
            answers.append(refusal.code)

    customers = [threading.Thread(target=order, args=(number,)) for number in (1, 2)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    assert sorted(answers) == ["not-available", "placed"]
    assert town.left("tea") == 0


def test_of_two_customers_at_once_one_gets_the_last_unit(town):
    only_one_gets_the_last_unit(town)


@pytest.mark.postgres
def test_of_two_customers_at_once_one_gets_the_last_unit_on_postgresql(tmp_path, postgres_database):
    town = make_town(tmp_path, postgres_database)
    only_one_gets_the_last_unit(town)
    town.deliver()
    town.publish(later(minutes=1))
    assert town.faults() == []
    town.network.engine.dispose()


def test_every_short_line_is_named_and_nothing_is_taken(town):
    with pytest.raises(Refused) as refusal:
        town.place("order-00001", [("tea", 2), ("milk", 1), ("bread", 50)])
    assert [(line["sku"], line["available"]) for line in refusal.value.facts["short"]] == [("bread", 9), ("tea", 1)]
    assert (town.left("milk"), town.left("tea")) == (36, 1)


def test_categories_are_named_with_how_many_products_they_have(town):
    with town.network.read() as session:
        assert listing.categories(session, STORE) == [("Food", 5)]


def test_a_closed_shop_takes_no_orders_and_opens_again(town):
    with town.store.write() as session:
        storefront.set_taking_orders(Context(session, ANA, later(minutes=1)), STORE, False)
    town.deliver()
    with pytest.raises(Refused, match="is closed for online orders"):
        town.place("order-00001", [("milk", 1)])
    with town.store.write() as session:
        storefront.set_taking_orders(Context(session, ANA, later(minutes=2)), STORE, True)
    town.deliver()
    assert town.place("order-00001", [("milk", 1)]).order.total_minor == 129


@pytest.mark.parametrize("qty", [0, -1, 10**9, 150])
def test_weighed_goods_are_sold_in_steps_within_bounds(town, qty):
    with pytest.raises(Invalid) as refusal:
        town.place("order-00001", [("apple", qty)])
    assert refusal.value.code == "bad-quantity"


def test_goods_in_the_bin_are_promised_to_nobody_else(town):
    town.ready_order("order-00001", [("bread", 4)])
    town.publish(later(minutes=1))
    assert town.level("bread").by_place[Place.BIN] == 4
    assert town.left("bread") == 6  # six free, the safety share of six is none


SPANS = st.timedeltas(dt.timedelta(0), dt.timedelta(hours=60))


@given(promised=st.integers(0, 10**9), silence=SPANS, longer=SPANS)
def test_what_a_silent_shop_promised_is_worth_less_by_the_hour_and_nothing_after_two_days(promised, silence, longer):
    safe = safe_qty(promised, silence)
    assert safe <= promised
    assert safe_qty(promised, silence + longer) <= safe
    assert safe_qty(promised, min(silence, SURE)) == promised
    assert safe_qty(promised, SILENT + longer) == 0


@pytest.mark.parametrize(("hours", "milk", "tea"), [(1, 36, 1), (12, 28, 1), (25, 18, 0), (47, 1, 0)])
def test_of_what_a_silent_shop_promised_less_is_sold_by_the_hour(town, hours, milk, tea):
    town.hear(at=AT)
    at = later(hours=hours)
    with town.network.read() as session:
        shown = {product.sku: product.left_qty for product in listing.products(session, STORE, PRODUCTS, at=at)}
        assert (shown["milk"], shown["tea"], shown["apple"] % 100) == (milk, tea, 0)
    with pytest.raises(Refused, match=f"Milk .wanted {milk + 1}, left {milk}"):
        town.place("order-00001", [("milk", milk + 1)], at=at)
    town.place("order-00002", [("milk", milk)], at=at)
    town.hear(at=at)  # its word is fresh: what it has counts again
    with town.network.read() as session:
        assert listing.product(session, STORE, "milk", at=at).left_qty == 36 - milk

"""What a basket costs: the rules of rounding and tax, for every basket."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.money import part_of
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.facts import lettered, sold_line
from pos.pricing.pricing import (
    BasketLine,
    PricedLine,
    ProductView,
    Saved,
    charge,
    made_up,
    price_basket,
)
from pos.sale import sale
from pos.sale.sale_request import RungLine
from tests.builders import NOON, STORE

PLAIN = ProductView(
    sku="x",
    name="X",
    brand="",
    category="",
    pack_text="",
    stock_unit="each",
    price_quantity=1,
    price_minor=100,
    minimum_age=None,
    maximum_qty=None,
    tax_class_id="food",
    rate_bp=700,
    inclusive=True,
)

products = st.builds(
    lambda price, per, rate, inclusive, age: replace(
        PLAIN, price_minor=price, price_quantity=per, rate_bp=rate, inclusive=inclusive, minimum_age=age
    ),
    st.integers(0, 100_000),
    st.sampled_from([1, 100, 1000]),
    st.integers(0, 3000),
    st.booleans(),
    st.sampled_from([None, 16, 18]),
)
baskets = st.lists(st.builds(lambda product, qty: BasketLine("x", qty, product), products, st.integers(1, 10_000)))


def alone(product: ProductView, qty: int) -> PricedLine:
    return charge(BasketLine(product.sku, qty, product))


@given(baskets, st.sampled_from([1, 5, 10]), st.booleans())
def test_lines_sum_to_the_basket_and_net_and_tax_to_each_line(lines, coin, cash):
    basket = price_basket(lines, smallest_coin_minor=coin, cash=cash)
    assert all(line.net_minor + line.tax_minor == line.total_minor for line in basket.lines)
    assert all(line.tax_minor >= 0 for line in basket.lines)
    assert basket.lines_minor == sum(line.total_minor for line in basket.lines)
    assert basket.tax_minor == sum(line.tax_minor for line in basket.lines)
    assert basket.total_minor == basket.lines_minor + basket.rounding_minor
    assert abs(basket.rounding_minor) * 2 <= coin
    assert not cash or basket.total_minor % coin == 0
    assert basket.minimum_age == (max((line.product.minimum_age or 0 for line in lines), default=0) or None)


@given(st.integers(0, 1000), st.integers(0, 1100), st.lists(st.integers(0, 600), max_size=3))
def test_nothing_is_taken_off_a_line_beyond_what_it_costs(price, by_hand, offers):
    product = replace(PLAIN, price_minor=price)
    saved = tuple(Saved(f"offer-{n}", "Offer", minor) for n, minor in enumerate(offers))
    line = charge(BasketLine("x", 1, product, discount_minor=by_hand), saved)
    assert line.discount_minor == min(price, by_hand + sum(offers))
    assert line.manual_discount_minor == min(price, by_hand), "what a person takes off goes first"
    assert line.total_minor == price - line.discount_minor


def test_an_amount_that_was_typed_is_what_the_line_costs():
    assert charge(BasketLine("x", 3, PLAIN, amount_minor=250)).total_minor == 250


def test_an_offer_is_taken_off_the_line_it_names_counted_from_one():
    lines = [BasketLine("x", 1, PLAIN), BasketLine("x", 1, PLAIN)]
    basket = price_basket(lines, {2: (Saved("offer", "Offer", 30),)})
    assert [line.total_minor for line in basket.lines] == [100, 70]


@given(products, st.integers(1, 10_000))
def test_a_price_with_tax_inside_is_what_the_customer_pays(product, qty):
    line = alone(replace(product, inclusive=True, price_quantity=1), qty)
    assert line.total_minor == product.price_minor * qty


def test_tax_is_added_to_a_price_without():
    line = alone(replace(PLAIN, inclusive=False, rate_bp=825, price_minor=199), 3)
    assert (line.net_minor, line.tax_minor, line.total_minor) == (597, 49, 646)


def test_a_weighed_line_is_rounded_once_half_away_from_zero():
    cheese = replace(PLAIN, price_minor=1899, price_quantity=1000, stock_unit="gram")
    assert [alone(cheese, grams).total_minor for grams in (1, 250, 500)] == [2, 475, 950]


@given(st.integers(0, 10**6), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_however_a_line_is_taken_apart_its_parts_sum_to_it(amount, parts):
    whole, before, total = sum(parts), 0, 0
    for part in parts:
        total += part_of(amount, whole, before, part)
        before += part
    assert total == amount


def test_taxes_are_summed_by_class_and_rate():
    names = ("tax_class_id", "rate_bp", "net_minor", "tax_minor")
    rows = [("food", 700, 100, 7), ("drinks", 1900, 10, 2), ("food", 700, 50, 4), ("food", 500, 1, 0)]
    plain = sold_line(1, charge(BasketLine("x", 1, PLAIN)))
    lines, taxes = lettered([replace(plain, **dict(zip(names, row, strict=True))) for row in rows])
    sums = [("A", "drinks", 1900, 10, 2, 12), ("B", "food", 500, 1, 0, 1), ("C", "food", 700, 150, 11, 161)]
    assert [tuple(vars(row).values()) for row in taxes] == sums
    assert [line.tax_letter for line in lines] == ["C", "A", "C", "B"]


def test_no_rounding_without_small_coins():
    assert price_basket([BasketLine("x", 1, replace(PLAIN, price_minor=98))], cash=True).rounding_minor == 0


@pytest.mark.parametrize(("minor", "rounded"), [(97, 95), (98, 100), (102, 100), (103, 105)])
def test_cash_goes_to_the_nearest_coin(minor, rounded):
    lines = [BasketLine("x", 1, replace(PLAIN, price_minor=minor))]
    assert price_basket(lines, smallest_coin_minor=5, cash=True).total_minor == rounded


@given(
    st.one_of(
        st.lists(st.integers(1, 4), min_size=3, max_size=60), st.lists(st.integers(1, 2_000), min_size=1, max_size=60)
    ),
    st.integers(0, 5_000),
    st.sampled_from([100, 1000]),
)
def test_weighing_in_many_small_lines_saves_at_most_the_rounding_of_one_and_costs_no_more_than_the_labels(
    parts, price_minor, per
):
    ham = replace(PLAIN, stock_unit="gram", price_quantity=per, price_minor=price_minor)
    own = [alone(ham, qty).total_minor for qty in parts]
    least = [alone(ham, sum(parts[:n])).total_minor - 1 + sum(own[n:]) for n in range(1, len(parts) + 1)]
    split = price_basket(made_up([BasketLine("x", qty, ham) for qty in parts]))
    assert split.lines_minor == max(sum(own), *least)


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=2), st.integers(0, 5_000))
def test_a_line_or_two_cost_what_their_own_labels_say(parts, price_minor):
    ham = replace(PLAIN, stock_unit="gram", price_quantity=1000, price_minor=price_minor)
    split = price_basket(made_up([BasketLine("x", qty, ham) for qty in parts]))
    assert [line.total_minor for line in split.lines] == [alone(ham, qty).total_minor for qty in parts]


def test_five_hundred_lines_of_one_gram_are_not_free(store):
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "cheese", 400, NOON.date(), scope_id=STORE)
    assert alone(replace(PLAIN, price_quantity=1000, price_minor=400), 1).total_minor == 0, "one gram rounds to nothing"
    lines = [RungLine("cheese", 1)] * 500
    quoted = store.read(lambda session: sale.quote(session, STORE, lines, at=store.now))
    assert quoted.basket.total_minor == 199

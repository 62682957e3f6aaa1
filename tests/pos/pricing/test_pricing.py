"""What a basket costs: the rules of rounding and tax, for every basket."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.money import BASIS, part_of
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
    shown="X",
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
baskets = st.lists(
    st.builds(lambda product, qty: BasketLine("x", qty, product), products, st.integers(-3, 10_000).filter(bool))
)


def rounded(above: int, below: int) -> int:
    """Return a quotient rounded half away from zero, reckoned another way than the product does."""
    return int((Decimal(above) / below).quantize(Decimal(1), ROUND_HALF_UP))


def alone(product: ProductView, qty: int) -> PricedLine:
    return charge(BasketLine(product.sku, qty, product))


@given(baskets, st.sampled_from([1, 5, 10]), st.booleans())
def test_lines_sum_to_the_basket_and_net_and_tax_to_each_line(lines, coin, cash):
    basket = price_basket(lines, smallest_coin_minor=coin, cash=cash)
    assert all(line.net_minor + line.tax_minor == line.total_minor for line in basket.lines)
    assert basket.lines_minor == sum(line.total_minor for line in basket.lines)
    assert basket.tax_minor == sum(line.tax_minor for line in basket.lines)
    assert basket.total_minor == basket.lines_minor + basket.rounding_minor
    assert abs(basket.rounding_minor) * 2 <= coin
    assert not cash or basket.total_minor % coin == 0
    assert basket.minimum_age == (
        max((line.product.minimum_age or 0 for line in lines if line.qty > 0), default=0) or None
    ), "what comes back asks nobody's age"


@pytest.mark.parametrize(("qty", "age"), [(1, 18), (2, 18), (-1, None)])
def test_a_single_bottle_asks_for_the_age_and_one_that_comes_back_does_not(qty, age):
    assert price_basket([BasketLine("x", qty, replace(PLAIN, minimum_age=18))]).minimum_age == age


@given(
    products,
    st.sampled_from(["goods", "deposit"]),
    st.one_of(st.integers(-50, 10_000), st.integers(-5, 5)),
    st.one_of(st.none(), st.integers(-500, 100_000)),
    st.one_of(st.tuples(st.integers(0, 50_000), st.just(0)), st.tuples(st.just(0), st.integers(1, BASIS))),
    st.lists(st.integers(0, 20_000), max_size=3),
)
def test_a_line_costs_what_its_rules_say(product, kind, qty, typed, by_hand, savings):
    product = replace(product, kind=kind)
    off_minor, off_bp = by_hand
    offers = tuple(Saved(f"offer-{n}", f"Offer {n % 2}", minor) for n, minor in enumerate(savings))
    line = charge(
        BasketLine("x", qty, product, amount_minor=typed, discount_minor=off_minor, discount_bp=off_bp), offers
    )
    amount = rounded(product.price_minor * qty, product.price_quantity) if typed is None else typed
    manual = min(rounded(amount * off_bp, BASIS) if off_bp else off_minor, max(0, amount))
    shown = amount - manual - min(sum(savings), max(0, amount - manual))
    inside, rate = product.inclusive or kind == "deposit", product.rate_bp
    tax = rounded(shown * rate, BASIS + rate if inside else BASIS)
    assert (line.amount_minor, line.manual_discount_minor, line.discount_minor) == (amount, manual, amount - shown)
    assert (line.total_minor, line.net_minor, line.tax_minor) == (
        (shown, shown - tax, tax) if inside else (shown + tax, shown, tax)
    )
    assert line.offer == ", ".join(sorted({row.name for row in offers}))


def test_an_offer_is_taken_off_the_line_it_names_counted_from_one():
    lines = [BasketLine("x", 1, PLAIN), BasketLine("x", 1, PLAIN)]
    basket = price_basket(lines, {2: (Saved("offer", "Offer", 30),)})
    assert [line.total_minor for line in basket.lines] == [100, 70]


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
    plain = sold_line(1, charge(BasketLine("x", 1, PLAIN)), "en")
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


@given(st.lists(st.tuples(st.integers(1, 2), st.sampled_from(["weighed", "back", "label"])), min_size=9, max_size=40))
def test_what_comes_back_or_bears_a_label_is_not_made_up(rows):
    ham = replace(PLAIN, stock_unit="gram", price_quantity=1000, price_minor=400)
    signs, typed = {"back": -1}, {"label": 3}
    lines = [BasketLine("x", signs.get(kind, 1) * qty, ham, amount_minor=typed.get(kind)) for qty, kind in rows]
    is_weighed = [kind == "weighed" for _, kind in rows]
    among = [line for line, weighed in zip(made_up(lines[:]), is_weighed, strict=True) if weighed]
    assert among == made_up([line for line, weighed in zip(lines, is_weighed, strict=True) if weighed])
    assert all(line.made_up_minor == 0 for line in made_up(lines[:]) if line not in among)


def test_five_hundred_lines_of_one_gram_are_not_free(store):
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "cheese", 400, NOON.date(), scope_id=STORE)
    assert alone(replace(PLAIN, price_quantity=1000, price_minor=400), 1).total_minor == 0, "one gram rounds to nothing"
    lines = [RungLine("cheese", 1)] * 500
    quoted = store.read(lambda session: sale.quote(session, STORE, lines, at=store.now))
    assert quoted.basket.total_minor == 199

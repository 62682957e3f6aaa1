"""Of today's price and the price on the label at the shelf, the lower is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.money import amount_for
from pos.pricing.pricing import asked_minor


@pytest.mark.parametrize(
    ("price_minor", "per", "hung_minor", "hung_per", "asked"),
    [
        (259, 1, None, None, 259),  # no label is known
        (259, 1, 249, 1, 249),  # dearer, and the old label still hangs
        (229, 1, 249, 1, 229),  # cheaper: nobody waits for the label
        (249, 1, 0, 1, 0),
        (1_990, 1_000, 189, 100, 1_890),  # a label per 100 g of what is priced per kilogram
        (189, 100, 1_895, 1_000, 189),  # 189.5 is rounded down
    ],
)
def test_the_lower_of_both_prices_is_asked(price_minor, per, hung_minor, hung_per, asked):
    assert asked_minor(price_minor, per, hung_minor, hung_per) == asked


@given(
    price=st.integers(0, 10_000), hung=st.integers(0, 10_000), per=st.sampled_from([1, 100, 1_000]),
    hung_per=st.sampled_from([1, 100, 1_000]), qty=st.integers(1, 5_000),
)  # fmt: skip
def test_no_quantity_costs_more_than_the_label_says_nor_than_the_price_of_the_day(price, hung, per, hung_per, qty):
    charged = amount_for(qty, asked_minor(price, per, hung, hung_per), per)
    assert charged <= amount_for(qty, hung, hung_per)
    assert charged <= amount_for(qty, price, per)

"""The most of a product one customer may buy, counted over all lines of a basket."""

import pytest

from config.errors import Invalid
from pos.catalogue.catalogue import Product
from pos.sale import quoting
from pos.sale.sale_request import Promised, RungLine
from pos.sale.situation import look_at_shelf
from pos.till.counter import habits_of
from tests.builders import NOON, STORE


@pytest.fixture
def bounded(store):
    """Give a store that sells three of milk to a customer."""
    with store.write() as session:
        session.get_one(Product, "milk").maximum_qty = 3
    return store


def refused(store, lines):
    with pytest.raises(Invalid) as refusal:
        store.sell(lines)
    return refusal.value


def test_the_most_of_a_product_may_be_bought_and_not_one_more(bounded):
    assert bounded.sell([("milk", 3)]).sale.total_minor == 387
    refusal = refused(bounded, [("milk", 4)])
    assert (refusal.code, refusal.facts["most"], refusal.facts["qty"]) == ("bad-quantity", 3, 4)
    assert "Limit: 3 of Whole milk" in str(refusal)


def test_lines_of_the_same_product_count_together_whatever_they_cost(bounded):
    refusal = refused(bounded, [RungLine("milk", 2), RungLine("bread", 5), RungLine("milk", 2, discount_bp=100)])
    assert refusal.facts["qty"] == 4
    assert bounded.sell([RungLine("milk", 2), RungLine("bread", 5), RungLine("milk", 1, discount_bp=100)])


def test_what_was_agreed_with_an_order_is_handed_over_whatever_the_most_is_now(bounded):
    rung = [RungLine("milk", 5)]

    def priced(agreed):
        return bounded.read(
            lambda session: quoting.price(
                look_at_shelf(session, STORE, rung, habits_of(session, STORE), at=NOON, promised=Promised(agreed)),
                rung,
            )
        )

    with pytest.raises(Invalid):
        priced({})
    assert priced({"milk": 119}).basket.lines_minor == 595

"""New prices by a rule: they end as wished, never below it, and never by guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from pos.catalogue.repricing import ENDINGS, Priced, Rule, ended, margin_bp, reprice

MILK = Priced(price_minor=129, cost_minor=80, rate_bp=700, inclusive=True)


@pytest.mark.parametrize(
    ("rule", "price"),
    [
        (Rule("percent", 1000), 142),
        (Rule("percent", 1000, "9"), 139),
        (Rule("percent", -5000), 65),
        (Rule("amount", 20), 149),
        (Rule("amount", -200), 0),
        (Rule("amount", 21, "99"), 199),
        (Rule("margin", 3000), 122),
        (Rule("margin", 3000, "9"), 119),
    ],
)
def test_a_rule_says_a_price(rule, price):
    assert reprice(MILK, rule) == price


def test_a_margin_without_a_cost_has_no_price():
    assert reprice(Priced(129, None, 700, True), Rule("margin", 3000)) is None
    assert margin_bp(Priced(129, None, 700, True), 129) is None


@given(st.integers(1, 100_000), st.sampled_from(sorted(ENDINGS)))
def test_a_price_ends_as_wished_and_is_the_nearest_that_does(minor, ending):
    found = ended(minor, ending)
    if ENDINGS[ending] is None:
        assert found == minor
        return
    step, last = ENDINGS[ending]
    assert found > 0
    assert found % step == last
    assert abs(found - minor) <= step // 2 or found <= step


@given(st.integers(1, 100_000), st.integers(0, 9000), st.integers(0, 2500), st.booleans())
def test_a_price_for_a_margin_earns_that_margin(cost, margin, rate, inclusive):
    now = Priced(1, cost, rate, inclusive)
    price = reprice(now, Rule("margin", margin))
    net = price / (1 + rate / 10_000) if inclusive else price
    assert abs((net - cost) / net - margin / 10_000) <= 2 / net


@pytest.mark.parametrize("given_rule", [("percent", -10_001), ("margin", 10_000), ("margin", -1), ("magic", 1)])
def test_what_no_price_can_follow_is_refused(given_rule):
    with pytest.raises(Invalid):
        Rule(*given_rule)


def test_an_unknown_ending_is_refused():
    with pytest.raises(Invalid):
        Rule("percent", 100, "7")

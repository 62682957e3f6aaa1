"""A drawer is counted in pieces; what they are worth is never typed."""

import pytest

from config.errors import Invalid
from pos.till import denominations
from pos.till.denominations import Denomination


@pytest.mark.parametrize("currency", [*denominations._IN_USE, "XYZ", "BHD", "CLP"])
def test_every_currency_has_notes_then_coins_each_from_the_most_valuable_down(currency):
    found = denominations.of_currency(currency)
    for kind in ("note", "coin"):
        minors = [one.minor for one in found if one.kind == kind]
        assert minors == sorted(set(minors), reverse=True)
        assert all(minor > 0 for minor in minors)
    assert [one.kind for one in found] == sorted((one.kind for one in found), reverse=True)
    assert len({one.key for one in found}) == len(found)


def test_a_count_is_worth_the_sum_of_its_pieces():
    assert denominations.total("EUR", {"note-2000": 3, "coin-50": 7, "coin-1": 0}) == 6350
    assert denominations.total("JPY", {"note-10000": 1, "coin-500": 2}) == 11_000
    assert denominations.total("EUR", {}) == 0


def test_a_dollar_is_a_coin_and_a_note():
    assert {Denomination("coin", 100), Denomination("note", 100)} <= set(denominations.of_currency("USD"))
    assert denominations.total("USD", {"coin-100": 1, "note-100": 2}) == 300


@pytest.mark.parametrize(
    "pieces", [{"coin-3": 1}, {"note-2000": -1}, {"note-2000": 1.5}, {"note-2000": True}, {"note-2000": 100_001}]
)
def test_what_cannot_lie_in_a_drawer_is_refused(pieces):
    with pytest.raises(Invalid):
        denominations.total("EUR", pieces)


def test_a_currency_that_is_not_listed_counts_in_ones_twos_and_fives():
    assert [one.minor for one in denominations.of_currency("XYZ") if one.kind == "coin"] == [
        200, 100, 50, 20, 10, 5, 2, 1,
    ]  # fmt: skip
    assert [one.minor for one in denominations.of_currency("XYZ") if one.kind == "note"] == [
        10_000, 5_000, 2_000, 1_000, 500,
    ]  # fmt: skip


def test_a_tidy_count_leaves_out_what_is_not_there():
    assert list(denominations.tidy({"note-500": 2, "coin-50": 0, "coin-10": 1})) == ["coin-10", "note-500"]

"""Eight at once for the last unit, one collection, a group's last place, one refund: one winner, every round."""

import pytest

from tests.benchmarks import shop as bench

pytestmark = pytest.mark.faults
ROUNDS = 200


def test_every_race_of_the_online_shop_has_one_winner(tmp_path):
    found = bench.race_all(tmp_path, ROUNDS)
    assert set(found) == {"last_unit", "last_coupon", "collection", "group", "refund"}
    assert all(one == {"rounds": ROUNDS, "not_one_winner": 0} for one in found.values()), found


def test_ten_thousand_tries_sell_the_hundred_units_there_are(tmp_path):
    assert bench.oversell(tmp_path, 10_000) == {"oversold": 0, "undersold": 0, "tries": 10_000}

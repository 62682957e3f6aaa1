"""The weeks ahead: which level is told to serve best."""

import numpy as np

from supply.replenishment.scenarios import _best, _Sums


def level(*brings):
    found = _Sums(len(brings))
    found.brings = np.array(brings, dtype=float)
    return found


def test_the_leanest_level_is_best_than_which_none_surely_brings_more():
    lean, present, good, full = level(1, 2, 3), level(5, 5, 5), level(9, 9, 9), level(8, 10, 12)
    assert _best([lean, present, good, full], 1) == 2
    assert _best([lean, present, good, level(10, 11, 12)], 1) == 3


def test_the_present_level_stays_unless_another_surely_brings_more():
    assert _best([level(1, 2, 3), level(5, 5, 5), level(4, 9, 9)], 1) == 1
    assert _best([level(9, 9, 9), level(5, 5, 5)], 1) == 0

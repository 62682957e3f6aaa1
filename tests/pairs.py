"""Fewer cases than every combination: faults depend on one value or on two that meet."""

import itertools
from collections.abc import Iterable
from typing import Any


def pairwise(*axes: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return cases in which every two values of different axes meet: those that bring most new pairs first."""
    every = list(itertools.product(*axes))
    met: set[tuple[tuple[int, Any], ...]] = set()
    cases = []
    for least in range(len(axes) * (len(axes) - 1) // 2, 0, -1):
        for case in every:
            new = set(itertools.combinations(enumerate(case), 2)) - met
            if len(new) >= least:
                cases.append(case)
                met |= new
    return cases

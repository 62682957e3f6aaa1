"""Limits: in each future minimums and money leave of what is wanted what they leave of a proposal."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supply.replenishment import policy
from supply.replenishment.budget import Budget
from supply.replenishment.decide import Source, decide_sources
from supply.replenishment.policy import PolicyLine, Stands
from supply.replenishment.supplier_minimums import within_limits

FUTURES = 5


def lines(rng, supplier, count):
    """Products of one supplier, each with its own money."""
    found = []
    for n in range(count):
        mean, pack = float(rng.gamma(1.0, 6.0)) * (rng.random() > 0.1), int(rng.choice([1, 3, 6, 12]))
        cost = int(rng.integers(40, 400))
        line = PolicyLine(f"{supplier}{n}", mean, mean * 1.7, mean / 3, 6.0, 4.0, 0, pack, cost * pack, int(cost * 1.4))
        minimum, life, room = (some[rng.integers(4)] for some in ((1, 1, 1, 3), (None, None, 4, 20), (None, 30) * 2))
        found.append(
            line._replace(minimum_packs=minimum, shelf_life_days=life, capacity_qty=room, usual_a_day=mean / 6)
        )
    return found


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6), asks=st.lists(st.sampled_from([0, 3_000, 9_000, 30_000]), min_size=1, max_size=3),
    money=st.sampled_from([None, 0, 2_000, 8_000, 20_000, 10**7]), apart=st.booleans(),
)  # fmt: skip
@example(
    seed=269, asks=[0], money=8_000, apart=False
)  # what comes after a pack that is too dear does not come before it
@example(seed=640_621, asks=[9_000, 0, 0], money=2_000, apart=True)
def test_each_future_is_bounded_as_its_proposals_are(seed, asks, money, apart):
    rng = np.random.default_rng(seed)
    stores = {name: lines(rng, name, int(rng.integers(1, 9))) for name in "ABC"[: len(asks)]}
    paid = [not (apart and name == "B") for name in stores]
    here = {name: rng.integers(0, 12, (len(some), FUTURES)).astype(float) for name, some in stores.items()}
    wanted = [
        policy.wanted(some, Stands(here[name], np.zeros_like(here[name]), here[name])) for name, some in stores.items()
    ]
    left = None if money is None else np.full(FUTURES, float(money))
    packs = within_limits(wanted, asks, left, paid)
    budgets = [] if money is None else [Budget("budget", money, frozenset(np.array(list(stores))[paid].tolist()))]
    for future in range(FUTURES):
        sources = [
            Source(name, ask, False, [
                line._replace(position_qty=int(here[name][row, future])) for row, line in enumerate(some)
            ])
            for (name, some), ask in zip(stores.items(), asks, strict=True)
        ]  # fmt: skip
        decided = decide_sources(
            sources, {line.sku: [one.supplier_id] for one in sources for line in one.lines}, budgets
        )
        for found, one in zip(packs, sources, strict=True):
            assert [each.packs for each in decided[one.supplier_id]] == found[:, future].tolist()

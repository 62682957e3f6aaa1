"""What a comparison of stores can show before it is made: the smallest effect it would find, and the stores it takes.
Pure.

Rules
-----
1. The spread is of what `uplift` compares: the logarithm of a store's sales after over those before, about its group's
   mean, where nothing was changed. Several pairs of equally long periods are taken together.
2. An effect is found where `uplift` would claim it (CLAIM_LEVEL) in POWER of all cases, by the noncentral t
   distribution with Welch's degrees of freedom for two groups of one spread. With four stores a group it is up to five
   cases of a hundred fewer, for Welch's own degrees of freedom are guessed from so few.
3. Fewer than LEAST stores in either group find nothing, whatever the effect.

Source: B. L. Welch, Biometrika 34 (1947), for the degrees of freedom; J. Cohen, "Statistical Power Analysis for the
Behavioral Sciences", 2nd ed. (1988), chapter 2, for the noncentral t.
"""

import math

import numpy as np

from forecasting.experiments.uplift import CLAIM_LEVEL, HALF, LEAST, Array

POWER = 0.8
MOST_STORES = 4096


def spread(before: Array, after: Array) -> float | None:
    """Return the standard deviation of stores' log ratios (rule 1); None with fewer than LEAST stores in every pair.

    before, after: (n_pairs, n_stores) float64, units sold in periods of equal length; NaN = not observed.
    """
    squares = freedom = 0.0
    for earlier, later in zip(before, after, strict=True):
        seen = np.isfinite(earlier) & np.isfinite(later)
        if seen.sum() >= LEAST:
            ratio = np.log((later[seen] + HALF) / (earlier[seen] + HALF))
            squares += float(((ratio - ratio.mean()) ** 2).sum())
            freedom += len(ratio) - 1
    return math.sqrt(squares / freedom) if freedom else None


def detectable(deviation: float, with_it: int, without: int) -> float | None:
    """Return the smallest relative effect that so many stores with and without it find (rules 2, 3)."""
    if min(with_it, without) < LEAST:
        return None
    from scipy import optimize, stats

    parts = np.array([1 / with_it, 1 / without])
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([with_it, without]) - 1)).sum()
    claim = float(stats.t.ppf((1 + CLAIM_LEVEL) / 2, freedom))

    def lacking(shift: float) -> float:
        return float(stats.nct.sf(claim, freedom, shift)) - POWER

    shift = float(optimize.brentq(lacking, 0.0, 4 * claim + 8))
    return math.expm1(shift * deviation * math.sqrt(parts.sum()))


def stores_needed(deviation: float, effect: float, share_without: float) -> tuple[int, int] | None:
    """Return (with it, without) of the fewest stores that find an effect; None beyond MOST_STORES, or of no effect.

    share_without: of all, rounded down, as a hold-out is drawn.
    """

    def groups(stores: int) -> tuple[int, int]:
        without = math.floor(stores * share_without + 1e-9)
        return stores - without, without

    def finds(stores: int) -> bool:
        least = detectable(deviation, *groups(stores))
        return least is not None and least <= effect

    if effect <= 0 or not 0 < share_without < 1:
        return None
    high = 2 * LEAST
    while not finds(high):
        high *= 2
        if high > MOST_STORES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle, high)
    return groups(high)

"""A fair trial for what is new on a shelf: Thompson sampling over what a slot may sell. Pure.

Rules
-----
1. What a product sells a day in a slot is a rate with a gamma belief: the region's rate weighs as PRIOR_DAYS days of
   observation, the store's own days on the shelf add to it. The more was seen, the narrower the belief.
2. A slot goes to who draws the highest value (rate x contribution) from the beliefs. So a new product gets a slot as
   often as it is likely to be the best there, and loses it as the days tell.
3. The draw is seeded by store and week: the same week asked twice gives the same shelf.
4. After its TRIAL_DAYS a product stands by its own sales; `is_worse` tells whether it is likely (SURE) to sell
   less than another.

Source: W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two
samples", Biometrika 25 (1933); gamma-Poisson conjugacy.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
PRIOR_DAYS = 7.0
TRIAL_DAYS, SURE = 14, 0.9


@dataclass(frozen=True)
class Belief:
    """Gamma beliefs of n products. shape, rate: (n,) float64; the mean is shape / rate in units a day."""

    shape: Array
    rate: Array

    @property
    def mean(self) -> Array:
        """Return the expected units a day."""
        return self.shape / self.rate


def believe(region_per_day: Array, sold: Array, days: Array) -> Belief:
    """Return what is believed of each product (rule 1).

    region_per_day: (n,) units a day expected from the region, >= 0. sold, days: (n,) units sold in so many days on
    this shelf; 0 where it never stood there.
    """
    prior = np.maximum(region_per_day, 0.01)
    return Belief(prior * PRIOR_DAYS + np.maximum(sold, 0.0), PRIOR_DAYS + days)


def draw(belief: Belief, value: Array, *, store_id: str, week: int) -> Array:
    """Return one draw of what each product is worth a day (rules 2, 3). value: (n,) contribution of a unit."""
    seed = int.from_bytes(hashlib.sha256(f"{store_id}:{week}".encode()).digest()[:8], "big")
    rates = np.random.default_rng(seed).gamma(belief.shape, 1.0 / belief.rate)
    return np.asarray(rates * value, dtype=np.float64)


def is_worse(belief: Belief, n: int, units_per_day: float) -> bool:
    """Tell whether product n is likely to sell less than so much a day (rule 4)."""
    return bool(stats.gamma.cdf(units_per_day, belief.shape[n], scale=1.0 / belief.rate[n]) >= SURE)

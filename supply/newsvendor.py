"""The textbook's product: newsvendor, base stock, and (s, S) for orders that cost something each. PURE.

Rules
-----
1. Newsvendor and base stock (Snyder & Shen, eq. 4.30): stock up to the demand quantile at p / (p + h); with a lead time
   of L periods demand counts over L + 1 of them. Cost h E[left] + p E[lost], per period.
2. (s, S) by the power approximation (Ehrhardt & Mosier 1984): at s or below order up to S.

Letters: h holding cost a unit left, p cost a unit short, K cost an order, mean and sd of demand a period.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy.special import pdtr, pdtrik

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Stocking:
    """Up to how much to order, and what that is expected to cost a period."""

    level: float
    cost: float


def normal(h: float, p: float, mean: float, sd: float, lead_periods: int = 0) -> Stocking:
    """Return the best base stock for normal demand (rule 1)."""
    score = _NORMAL.inv_cdf(p / (p + h))
    mean, sd = mean * (lead_periods + 1), sd * math.sqrt(lead_periods + 1)
    return Stocking(mean + score * sd, (h + p) * _NORMAL.pdf(score) * sd)


def poisson(h: float, p: float, mean: float) -> Stocking:
    """Return the best base stock for Poisson demand: the fewest whole units whose probability suffices (rule 1)."""
    level = max(0, math.ceil(float(pdtrik(p / (p + h), mean)) - 1e-9))
    # E[(S - D)+] = (S - m) F(S) + m p(S), and E[(D - S)+] = that - S + m
    left = (level - mean) * float(pdtr(level, mean)) + mean * math.exp(
        level * math.log(mean) - mean - math.lgamma(level + 1)
    )
    return Stocking(float(level), h * left + p * (left - level + mean))


@dataclass(frozen=True)
class TwoLevels:
    """At `reorder` or below, order up to `up_to`."""

    reorder: float
    up_to: float


def power_approximation(
    h: float, p: float, order_cost: float, mean: float, sd: float, lead_periods: int = 0
) -> TwoLevels:
    """Return nearly the best (s, S) for orders that cost something each (rule 2); mean and sd above zero."""
    lead_mean, lead_sd = mean * (lead_periods + 1), sd * math.sqrt(lead_periods + 1)
    quantity = 1.30 * mean**0.494 * (order_cost / h) ** 0.506 * (1 + lead_sd**2 / mean**2) ** 0.116
    z = math.sqrt(quantity / lead_sd * h / p)
    reorder = 0.973 * lead_mean + lead_sd * (0.183 / z + 1.063 - 2.192 * z)
    return TwoLevels(reorder, reorder + quantity)

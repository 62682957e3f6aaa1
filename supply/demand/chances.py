"""How likely how much is wanted: many products' demand over an interval at once. PURE.

Rules
-----
1. Demand is negative binomial with a mean and a variance per product, in whole stock units; never less dispersed than
   chance alone (Poisson). Nothing is ever wanted of a product whose mean is zero.
2. A forecast tells a mean and quantiles; the variance is the one whose negative binomial has these quantiles, measured
   at FITTED levels in the middle of the step a whole unit makes. A quantile of zero tells nothing.
3. Losses are exact for whole units and straight between them: E[(D - x)+] = (m - x) P(D > x) + m (1 + x / r) p(x), for
   k p(k; r) = m p(k - 1; r + 1).

Letters: m mean, v variance, r = m^2 / (v - m) and p = m / v the distribution's shape; all arrays are (n,) float64, or
broadcast against it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln

from forecasting.series.panel import LEVELS, Floats

FITTED = (0.9, 0.99)
LEAST_SPREAD, MOST_SPREAD = 1.001, 1e7
"""Variance over mean: from nearly Poisson to what only a typing fault would show."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Demand:
    """Demand of n products summed over an interval each, in stock units (rule 1)."""

    mean: Floats
    variance: Floats

    def __post_init__(self) -> None:
        mean = np.maximum(np.asarray(self.mean, dtype=np.float64), 0.0)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", np.maximum(self.variance, mean * LEAST_SPREAD))

    @classmethod
    def of_quantiles(cls, mean: Floats, quantiles: Floats) -> "Demand":
        """Return the demand a forecast tells (rule 2); quantiles: (n, Q) at `forecasting.series.panel.LEVELS`."""
        mean = np.asarray(mean, dtype=np.float64)
        columns = [LEVELS.index(level) for level in FITTED]
        units = np.asarray(quantiles, dtype=np.float64)[:, columns]
        wanted = np.asarray(FITTED)
        told = units > 0
        low = np.full(len(mean), np.log(LEAST_SPREAD))
        steady = np.maximum(mean, 1e-9)[:, None]
        # up to about this spread a wider one leaves ever less at or below a high quantile; beyond it, ever more
        high = np.log(np.minimum(units[:, -1] + 2.0, MOST_SPREAD))
        for _ in range(11):
            spread = (low + high) / 2
            r, p = _shape(steady, steady * np.exp(spread)[:, None])
            reached = _at_most(r, p, units) - _exactly(r, p, units) / 2
            # the wider the spread, the less lies at or below a high quantile
            too_narrow = (told * (reached - wanted) / (1.0 - wanted)).sum(axis=1) > 0
            low, high = np.where(too_narrow, spread, low), np.where(too_narrow, high, spread)
        return cls(mean, mean * np.exp((low + high) / 2))

    def take(self, rows: npt.NDArray[np.intp] | Mask) -> "Demand":
        """Return the demand of these products."""
        return Demand(self.mean[rows], self.variance[rows])

    def scaled(self, share: Floats) -> "Demand":
        """Return the demand over a share of the interval: mean and variance in proportion."""
        return Demand(self.mean * share, self.variance * share)

    def beyond(self, units: Floats) -> Floats:
        """Return the probability that more than `units` are wanted."""
        r, p = self._shaped(units)
        return np.where(self._wanted(units), _above(r, p, np.floor(units)), np.where(units < 0, 1.0, 0.0))

    def lost(self, units: Floats) -> Floats:
        """Return the units expected to be wanted in vain when there are `units` (rule 3); below zero all are owed."""
        there = np.maximum(units, 0.0)
        whole = np.floor(there)
        r, p = self._shaped(units)
        more = _above(r, p, whole)
        lost = (self.mean - there) * more + self.mean * (1.0 + whole / r) * _exactly(r, p, whole)
        return np.asarray(np.where(self._wanted(units), np.maximum(lost, 0.0), 0.0) + np.maximum(-units, 0.0))

    def left(self, units: Floats) -> Floats:
        """Return the units expected to be left of `units`: E[(units - D)+]."""
        return np.asarray(units - self.mean + self.lost(units))

    def quantile(self, level: Floats | float) -> Floats:
        """Return the fewest whole units that suffice with this probability."""
        level = np.broadcast_to(np.asarray(level, dtype=np.float64), self.mean.shape)
        r, p = self._shaped(self.mean)
        low = np.full(self.mean.shape, -1.0)
        high = np.ceil(self.mean + 12.0 * np.sqrt(self.variance) + 12.0)
        while float((high - low).max(initial=0.0)) > 1.5:
            middle = np.floor((low + high) / 2)
            enough = (_at_most(r, p, middle) >= level) | (high - low < 1.5)
            low, high = np.where(enough, low, middle), np.where(enough & (high - low > 1.5), middle, high)
        return np.where(self.mean > 0, high, 0.0)

    def served(self, units: Floats) -> "Demand":
        """Return what is sold of `units`: the demand cut off there, its variance in proportion to its mean."""
        sold = np.maximum(self.mean - self.lost(np.maximum(units, 0.0)), 0.0)
        return self.scaled(np.divide(sold, self.mean, out=np.zeros_like(sold), where=self.mean > 0))

    def __add__(self, other: "Demand") -> "Demand":
        """Return the sum of two independent demands, as one negative binomial of that mean and variance."""
        return Demand(self.mean + other.mean, self.variance + other.variance)

    def _wanted(self, units: Floats) -> Mask:
        return np.broadcast_to(self.mean > 0, np.shape(units) or self.mean.shape)

    def _shaped(self, units: Floats) -> tuple[Floats, Floats]:
        r, p = _shape(np.maximum(self.mean, 1e-12), np.maximum(self.variance, 1e-12 * LEAST_SPREAD))
        return r, p


def poisson(mean: Floats, units_a_sale: Floats | float = 1.0) -> Demand:
    """Return demand of customers who come by chance and take so many units each: for when there is no forecast."""
    mean = np.asarray(mean, dtype=np.float64)
    return Demand(mean, mean * np.maximum(units_a_sale, 1.0))


def _shape(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    gap = np.maximum(variance - mean, mean * (LEAST_SPREAD - 1.0))
    return mean * mean / gap, mean / (mean + gap)


def _exactly(r: Floats, p: Floats, units: Floats) -> Floats:
    """P(D = units) for whole units, none or more."""
    ways = gammaln(units + r) - gammaln(units + 1.0) - gammaln(r)
    return np.asarray(np.exp(ways + r * np.log(p) + units * np.log1p(-p)))


def _at_most(r: Floats, p: Floats, units: Floats) -> Floats:
    """P(D <= units) for whole units; zero below none."""
    return np.asarray(np.where(units < 0, 0.0, betainc(r, np.maximum(units, 0.0) + 1.0, p)))


def _above(r: Floats, p: Floats, units: Floats) -> Floats:
    """P(D > units) for whole units; exact far out in the tail."""
    return np.asarray(np.where(units < 0, 1.0, betainc(np.maximum(units, 0.0) + 1.0, r, 1.0 - p)))

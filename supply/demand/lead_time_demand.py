"""Demand over an interval, and up to which position the next pack of a product still comes: all lines at once. PURE.

Rules
-----
1. The next pack comes as long as the chance that its units are wanted, on average over them, exceeds the least chance:
   floor and ceiling are thereby judged by what they cost. The reorder point is the highest position at which one still
   comes.
2. The least chance is 1 - service level at heart, and differs for four things. The intervals of orders that follow
   each other overlap, so a customer who buys much at once is feared in several and comes once: it rises with variance
   over mean. A pack that lasts for months may outlive its demand: it rises with the days the pack lasts. What is left
   of busy days goes slower afterwards: it rises with the interval's demand over that of usual days. And what varied
   more lately than it is told to is harder to foresee just now: it falls with that, as far as so few days can tell it
   of a line.
3. Of what is fresh a pack comes while it is likelier wanted than so many times spoilt, and demand is told higher or
   lower for what was sold lately.
4. Demand is negative binomial with a mean and a variance per product, in whole stock units; never less dispersed than
   chance alone (Poisson). Nothing is ever wanted of a product whose mean is zero.
5. A forecast tells a mean and quantiles; the variance is the one whose negative binomial has these quantiles, measured
   at FITTED levels in the middle of the step a whole unit makes. A quantile of zero tells nothing.
6. Losses are exact for whole units and straight between them: E[(D - x)+] = (m - x) P(D > x) + m (1 + x / r) p(x), for
   k p(k; r) = m p(k - 1; r + 1).

Letters: x position, Q pack; arrays of any one shape, float64, in stock units.

Letters: m mean, v variance, r = m^2 / (v - m) and p = m / v the distribution's shape; all arrays are (n,) float64, or
broadcast against it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln, ndtri

from forecasting.series.panel import LEVELS, SPREAD_DAYS, Floats

FRESH_DAYS = 7
"""What lives so long or less is fresh: bread, vegetables, ready meals."""
LATELY_DAYS, LATELY_SHARE, LATELY_SPREAD, LATELY_DOUBT = 14, 0.7, 1.4, 4.0
ONE_BURST = 0.45
"""By this power of variance over mean the least chance is higher where intervals overlap wholly."""
MONTH_DAYS, STAYS_DAYS = 30, 60
"""By one in STAYS_DAYS of what a pack lasts beyond a month the least chance is higher."""
LEAST_BUSY, MOST_BUSY = 0.5, 2.0
"""Between these the demand of the interval over that of usual days counts: days ahead may be closed."""
LIVELY, MOST_LIVELY = 0.5, 6.0
"""By the first power of how much more a product varied lately than told, as far as it is believed, the least odds are
lower."""
LINES_DIFFER = 0.08
"""Variance between lines of the logarithm of how much more they varied lately than told, beyond what chance makes:
from .02 to .12 by kind of store."""
KEPT_DAYS = 180
"""What has not sold after so many days costs no more to keep: by then somebody has marked it down."""

FITTED = (0.9, 0.99)
LEAST_SPREAD, MOST_SPREAD = 1.001, 1e7
"""Variance over mean: from nearly Poisson to what only a typing fault would show."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Demand:
    """Demand of n products summed over an interval each, in stock units (rule 4)."""

    mean: Floats
    variance: Floats

    def __post_init__(self) -> None:
        mean = np.maximum(np.asarray(self.mean, dtype=np.float64), 0.0)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", np.maximum(self.variance, mean * LEAST_SPREAD))

    @classmethod
    def of_quantiles(cls, mean: Floats, quantiles: Floats) -> "Demand":
        """Return the demand a forecast tells (rule 5); quantiles: (n, Q) at `forecasting.series.panel.LEVELS`."""
        mean = np.asarray(mean, dtype=np.float64)
        columns = [LEVELS.index(level) for level in FITTED]
        units = np.asarray(quantiles, dtype=np.float64)[:, columns]
        wanted = np.asarray(FITTED)
        reported = units > 0
        low = np.full(len(mean), np.log(LEAST_SPREAD))
        steady = np.maximum(mean, 1e-9)[:, None]
        # up to about this spread a wider one leaves ever less at or below a high quantile; beyond it, ever more
        high = np.log(np.minimum(units[:, -1] + 2.0, MOST_SPREAD))
        for _ in range(11):
            spread = (low + high) / 2
            r, p = _shape(steady, steady * np.exp(spread)[:, None])
            reached = _at_most(r, p, units) - _exactly(r, p, units) / 2
            # the wider the spread, the less lies at or below a high quantile
            too_narrow = (reported * (reached - wanted) / (1.0 - wanted)).sum(axis=1) > 0
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
        """Return the units expected to be wanted in vain when there are `units` (rule 6); below zero all are owed."""
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


def critical_ratio(under: Floats, over: Floats) -> Floats:
    """Return the newsvendor's service level; 1 where nothing costs anything."""
    total = np.asarray(under, dtype=np.float64) + over
    return np.divide(under, total, out=np.ones_like(total), where=total > 0)


def least_chance(
    demand: Demand,
    pack_qty: Floats | float,
    level: Floats | float,
    *,
    days: Floats | float,
    held_days: Floats | float,
    usual: Floats | float = 0.0,
    lately_spread: Floats | float = np.nan,
) -> Floats:
    """Return the chance that a pack's units are wanted above which it comes (rule 2).

    demand: over the interval, `days` long; held_days: from one delivery to the next; usual: the demand of a usual day,
    0 where it is not known; lately_spread: variance over mean of its units in the last SPREAD_DAYS, NaN where it is not
    known; all broadcast against demand.
    """
    spread = np.divide(demand.variance, demand.mean, out=np.ones_like(demand.mean), where=demand.mean > 0)
    overlap = np.clip(1.0 - np.asarray(held_days) / np.maximum(days, 1e-9), 0.0, 1.0)
    lasts = np.asarray(pack_qty) * days / np.maximum(demand.mean, 1e-9)
    odds = (1.0 - np.asarray(level)) / np.maximum(level, 0.01) * spread ** (ONE_BURST * overlap)
    odds = odds * (1.0 + np.clip(lasts - MONTH_DAYS, 0.0, KEPT_DAYS) / STAYS_DAYS)
    as_usual = np.broadcast_to(np.asarray(usual) * days, demand.mean.shape)
    usually = np.where(as_usual > 1e-9, as_usual, demand.mean)
    busy = np.divide(demand.mean, usually, out=np.ones_like(demand.mean), where=usually > 0)
    odds = odds * np.clip(busy, LEAST_BUSY, MOST_BUSY)
    lively = np.minimum(lately_spread / spread, MOST_LIVELY)
    trust = spread_trust(usually / np.maximum(days, 1e-9), spread)
    odds = odds / (1.0 + trust * np.where(np.isnan(lively), 0.0, lively - 1.0)) ** LIVELY
    return np.asarray(odds / (1.0 + odds))


def spread_trust(a_day: Floats, spread: Floats) -> Floats:
    """Return how far, 0..1, the variance over mean of SPREAD_DAYS is believed against the one that was told.

    As far as lines differ by more than chance makes of so few days: the ratio of a sample of a negative binomial has
    the relative variance (2 + (3 s - 1)(s - 1) / (m s)) / days, s the variance over mean told and m units a day (delta
    method, from the cumulants). A line that rarely sells, or sells much at once, shows little in six weeks.
    """
    spread = np.maximum(spread, 1.0)
    bursts = (3.0 * spread - 1.0) * (spread - 1.0) / (np.maximum(a_day, 1e-9) * spread)
    return np.asarray(LINES_DIFFER / (LINES_DIFFER + (2.0 + bursts) / SPREAD_DAYS))


def reorder_point(demand: Demand, pack_qty: Floats | float, least: Floats | float) -> Floats:
    """Return the highest whole position at which one more pack is worth its place (rule 1); -1 where none is.

    least: the chance its units must be wanted with. demand of any shape; pack_qty and least are broadcast against it.
    """
    shape = demand.mean.shape
    demand = Demand(demand.mean.ravel(), demand.variance.ravel())
    pack = np.broadcast_to(np.asarray(pack_qty, dtype=np.float64), shape).ravel()
    least = np.broadcast_to(np.asarray(least, dtype=np.float64), shape).ravel()
    mean, spread = demand.mean, np.sqrt(demand.variance)
    guess = np.floor(mean - ndtri(np.clip(least, 0.0001, 0.999)) * spread - pack / 2)
    reach = np.floor(2.0 + spread / 3)
    far = np.ceil(mean + 12.0 * spread + 12.0)
    low = np.clip(guess - reach, -1.0, far - 1.0)
    high = np.clip(guess + reach, low + 1.0, far)
    # the answer lies between; where the guess was wrong, anywhere
    low = np.where((low < 0) | _worth_a_pack(demand, low, pack, least), low, -1.0)
    high = np.where(_worth_a_pack(demand, high, pack, least), far, high)
    rows = np.flatnonzero(high - low > 1.5)
    while rows.size:
        middle = np.floor((low[rows] + high[rows]) / 2)
        worth = _worth_a_pack(demand.take(rows), middle, pack[rows], least[rows])
        low[rows], high[rows] = np.where(worth, middle, low[rows]), np.where(worth, high[rows], middle)
        rows = rows[high[rows] - low[rows] > 1.5]
    return np.where(mean > 0, low, -1.0).reshape(shape)


def lately_factor(sold: Any, level: Any, days: float = LATELY_DAYS) -> Any:
    """Return by how much fresh goods' demand is told higher or lower, for what was sold lately.

    sold: a day over `days` days; level: what the forecast tells of a usual day. The less chance alone explains the
    distance (its square over the variance of a sum of sales), the farther the demand goes along with it: up to
    LATELY_SHARE of the way, within half and twice the forecast. Both numbers, or arrays of one shape.
    """
    sold, level = np.asarray(sold, dtype=np.float64), np.asarray(level, dtype=np.float64)
    distance = days * (sold - level)
    surprise = distance**2 / (LATELY_SPREAD * days * np.maximum(level, 0.0) + 1.0)
    reported = np.divide(sold, level, out=np.ones_like(sold), where=level > 1e-9)
    found = np.clip(1.0 + LATELY_SHARE * surprise / (surprise + LATELY_DOUBT) * (reported - 1.0), 0.5, 2.0)
    return found if found.ndim else float(found)


def spoiling_point(
    demand: Demand, lasting: Demand, pack_qty: Floats | float, weight: Floats | float, keeping: float = 0.0
) -> Floats:
    """Return the highest whole position at which one more pack is still likelier wanted than `weight` times spoilt.

    demand: until the delivery after the next; lasting: until a pack that comes now is over, of the same shape. Wanted
    and spoilt on average over the pack's units; -1 where none is worth it. keeping is added to the chance to spoil.
    """
    shape = demand.mean.shape
    pack, times = np.broadcast_to(pack_qty, shape), np.broadcast_to(weight, shape)
    low = np.full(shape, -1.0)
    high = np.ceil(lasting.mean + 12.0 * np.sqrt(lasting.variance) + 12.0)
    while float((high - low).max(initial=0.0)) > 1.5:
        middle = np.floor((low + high) / 2)
        wanted = (demand.lost(middle) - demand.lost(middle + pack)) / pack
        spoilt = 1.0 - (lasting.lost(middle) - lasting.lost(middle + pack)) / pack
        worth_it = (wanted >= times * (spoilt + keeping)) & (high - low > 1.5)
        low, high = np.where(worth_it, middle, low), np.where(worth_it | (high - low <= 1.5), high, middle)
    return np.where(demand.mean > 0, low, -1.0)


def packs_to(point: Floats, position: Floats, pack_qty: Floats | float) -> Floats:
    """Return the fewest packs that lift the position above the reorder point; none at or above it."""
    return np.maximum(0.0, np.floor((point - position) / pack_qty) + 1.0)


# --- inside ---


def _worth_a_pack(demand: Demand, units: Floats, pack: Floats, least: Floats) -> Mask:
    """Tell whether the units of one more pack on top of `units` are wanted with an average chance above the least."""
    return np.asarray((demand.lost(units) - demand.lost(units + pack)) / pack > least)


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

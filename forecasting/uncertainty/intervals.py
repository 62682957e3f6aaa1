"""How uncertain demand is: dispersion, and negative binomial quantiles of a day and of a sum of days.

Rules
-----
1. Var = a mu + b mu^2, pooled over all series from past forecasts, separately for sums of different length,
   for the errors of one level are shared by all its days.
2. Each series has its own factor on that variance, shrunk by PRIOR_WINDOWS to its product's in the region's other
   series, and these to 1. Windows count by what they tell: a square of slow sales is mostly chance (`telling`).
3. Demand is never less dispersed than Poisson, never normal: quantiles are whole units, >= 0, rising.
4. What past sums were, seen as quantiles of what had been said of them, corrects the levels: a 90 % that held 94 % of
   the sums is asked for less, a 99 % that held 97 % for more (for each length, pooled over a group of series, shrunk by
   LEVEL_PSEUDO sums to all series' and these to no correction); but none of the history's first FIRST_DAYS days, whose
   levels were still being found. Past days were measured with them, days to come are not: where the level and not
   chance makes the error, in BUSY groups, the odds are drawn apart, by OPTIMISM over a week or more, and before by the
   square of the part of a week.
5. A product that may be gone (`State.alive`) has a mixture: nothing, or what one that sells has. So its high quantiles
   keep what it would sell if it is there, and its low ones are nothing. What comes back (`Fate`) begins geometrically:
   half of it with more than half of a usual selling day, a quarter with more than a whole one.
6. Quantiles of up to about COUNTED_UNITS are counted out, exactly; those of more by mean, variance and skewness where
   it is mild, else one by one; above LARGE_MEAN units the gamma distribution, the continuous limit, stands in.
7. All this is measured on levels that own sales told. What is borrowed for want of them is in doubt by a factor that
   all days share.
8. What all series of a panel meet at once (weather, a street that is closed) is what the square of their summed errors
   is above the sum of their variances, over the products of each two's means (a part ALONE of the square of the summed
   means at least); errors drawn apart as in rule 4. It is a part of each one's variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from forecasting.series.classify import ERRATIC, SMOOTH, number
from forecasting.series.kernels import window_sums
from forecasting.series.panel import LEVELS, Floats, Ints
from forecasting.series.pools import ratio, sums
from forecasting.uncertainty.evaluate import window_sums_seen

PRIOR_WINDOWS = 2.0
LARGE_MEAN = 1e5
COUNTED_UNITS = 200
MILD_SKEW = 1.2
BLOCK = 4096
POISSON_GAP = 1e-3
MEMORY_DAYS = 364
FIRST_DAYS = 28
MOST_PLACES = 8_000
LEVEL_PSEUDO = 300.0
FARTHEST = 50.0
OPTIMISM, OPTIMISM_DAYS = 0.12, 7.0
ALONE = 0.1
BUSY = number((SMOOTH, ERRATIC))


@dataclass(frozen=True)
class Dispersion:
    """Variance of the sum over a number of days, given its mean.

    days   : (w,) lengths that were measured, rising
    a, b   : (w,) coefficients at these lengths
    factor : (n,) each series' own factor
    asked  : (g, w, Q) the level to ask of the law for each of LEVELS, empty = the level itself
    group  : (n,) each series' group among those, empty = the first
    doubt  : (n,) relative variance of a level that was not measured on its own sales (rule 7), empty = none
    common : (w,) variance of the factor on sums of these lengths that all series meet at once (rule 8), empty = none
    """

    days: Floats
    a: Floats
    b: Floats
    factor: Floats
    asked: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))
    group: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    doubt: Floats = field(default_factory=lambda: np.zeros(0))
    common: Floats = field(default_factory=lambda: np.zeros(0))

    def levels(self, days: Floats, levels: tuple[float, ...]) -> Floats:
        """Return (n, Q, H) the corrected levels to ask for over each of `days` days (rule 4)."""
        n, wanted = len(self.factor), logit(np.clip(np.array(levels), 1e-6, 1 - 1e-6))
        if not self.asked.size:
            return np.broadcast_to(expit(wanted)[None, :, None], (n, len(levels), len(days))).copy()
        known, groups = logit(np.array(LEVELS)), []
        for asked in self._odds(days):
            moved = np.stack([np.interp(wanted, known, column - known) for column in asked.T], axis=1)
            groups.append(expit(wanted[:, None] + moved))
        return np.stack(groups)[self._groups(n)]

    def levels_at(self, places: Floats, days: Floats) -> Floats:
        """Return (n, H) the levels for which these places in the law are asked, over its days: `levels` undone."""
        if not self.asked.size:
            return places
        known, groups = logit(np.array(LEVELS)), self._groups(len(places))
        odds = logit(np.clip(places, 1e-12, 1 - 1e-12))
        for group, asked in enumerate(self._odds(days)):
            rows = groups == group
            for at, column in enumerate(asked.T):
                odds[rows, at] += np.interp(odds[rows, at], column, known - column)
        return expit(odds)

    def _odds(self, days: Floats) -> Floats:
        """Return (g, Q, H) the log odds to ask for LEVELS over each of `days` days."""
        known = logit(np.array(LEVELS))[:, None]
        shift = logit(self.asked).transpose(0, 2, 1) - known
        return np.asarray(known + np.array([[np.interp(days, self.days, line) for line in group] for group in shift]))

    def _groups(self, n: int) -> Ints:
        return self.group if len(self.group) else np.zeros(n, dtype=np.int64)

    def select(self, rows: Ints) -> Dispersion:
        """Return the same of these series, in this order."""
        group = self.group[rows] if len(self.group) else self.group
        return replace(
            self, factor=self.factor[rows], group=group, doubt=self.doubt[rows] if len(self.doubt) else self.doubt
        )

    def variance(self, mean: Floats, days: Floats | float) -> Floats:
        """Return the variance of sums with this mean (n, ...) over `days` days (broadcast against mean)."""
        a = np.interp(days, self.days, self.a)
        b = np.interp(days, self.days, self.b)
        tall = (-1,) + (1,) * (mean.ndim - 1)
        found = np.maximum((a * mean + b * mean**2) * self.factor.reshape(tall), mean * (1 + POISSON_GAP))
        return np.asarray(found + self.doubt.reshape(tall) * mean**2 if len(self.doubt) else found)


@dataclass(frozen=True)
class Fate:
    """What may be gone, and may come back in the H days ahead (rule 5).

    alive (n,) : chance that it still sells    returned (n, H) : that it is gone and has come back by that day
    size (n,)  : units that half of what comes back exceeds
    """

    alive: Floats
    returned: Floats
    size: Floats

    def at_most(self, units: Floats) -> Floats:
        """Return (n, H) the chance that no more than so many units (n, H) have come back by each day."""
        return np.asarray(1.0 - self.returned * 0.5 ** (np.maximum(units, 0.0) / np.maximum(self.size, 1e-9)[:, None]))

    def quantiles(self, chance: Floats, levels: tuple[float, ...]) -> Floats:
        """Return (n, Q, H) whole units of what comes back with this chance (n, H)."""
        halvings = np.log2(np.maximum(chance[:, None] / (1.0 - np.array(levels))[:, None], 1.0))
        return np.asarray(np.ceil(halvings * self.size[:, None, None]))


def fit_dispersion(
    y: Floats,
    levels: Floats,
    exposure: Floats,
    horizon_days: int,
    group: Ints | None = None,
    product: Ints | None = None,
) -> Dispersion:
    """Measure the dispersion of past errors: level known before a day, against what the next days brought.

    y, exposure : (n, T); levels : (n, T + 1) as the filters return them; group : (n,) series of like demand, whose
    levels are corrected together (rule 4); product : (n,) series that vary alike (rule 2), None = none do. Only windows
    that were wholly observed count, of the last MEMORY_DAYS days. With no window at all the law is a = 1.5, b = 0.3.
    """
    n, days = y.shape
    lengths = [length for length in (1, 2, 4, 7, 14, 28) if length <= max(horizon_days, 1)]
    kept: list[tuple[int, float, float]] = []
    found, windows = np.zeros(n), np.zeros(n)
    for length in lengths:
        if days < length + 7:
            continue
        first = max(7, days - MEMORY_DAYS)
        whole = window_sums(np.isnan(y[:, first:]).astype(np.float64), length) == 0
        actual = window_sums(np.nan_to_num(y[:, first:]), length)
        mean = levels[:, first : first + actual.shape[1]] * window_sums(exposure[:, first:], length)
        use = whole & (mean > 1e-6)
        if use.sum() < 10:
            continue
        square = (actual - mean) ** 2
        a, b = _law(mean[use], square[use])
        kept.append((length, a, b))
        variance = np.maximum(a * mean + b * mean**2, 1e-12)
        reported = np.where(use, telling(mean, variance), 0.0)
        # Overlapping windows of one length hold only as many independent ones as fit side by side.
        found += (reported * np.minimum(square / variance, FARTHEST)).sum(axis=1) / length
        windows += reported.sum(axis=1) / length
    if not kept:
        return Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.3]), np.ones(n))
    found, windows = found / len(kept), windows / len(kept)
    alike = np.ones(n)
    if product is not None:
        due, came = ((sums(grid, product)[product] - grid) for grid in (windows, found))
        alike = ratio(came, due, PRIOR_WINDOWS, 1.0)
    factor = ratio(found, windows, PRIOR_WINDOWS, alike)
    table = np.array(kept, dtype=np.float64)
    law = Dispersion(table[:, 0], table[:, 1], table[:, 2], np.clip(factor, 0.2, 20.0))
    group = np.zeros(n, dtype=np.int64) if group is None else group
    common = _common(law, y, levels, exposure)
    return replace(law, asked=_asked(law, y, levels, exposure, group), group=group, common=common)


def _common(law: Dispersion, y: Floats, levels: Floats, exposure: Floats) -> Floats:
    """Return (w,) the variance of what all series meet at once, over each of the law's lengths (rule 8)."""
    first, found = max(7, y.shape[1] - MEMORY_DAYS), np.zeros(len(law.days))
    for at, length in enumerate(law.days.astype(np.int64)):
        step = slice(None, None, max(1, int(length) // 2))  # windows between tell next to nothing more
        actual = window_sums_seen(y[:, first:], int(length))[:, step]
        mean = window_sums(exposure[:, first:], int(length))[:, step]
        mean = mean * levels[:, first : y.shape[1] - length + 1][:, step]
        use = np.isfinite(actual)
        error = np.where(use, actual - mean, 0.0).sum(axis=0)
        variance = np.where(use, law.variance(mean, float(length)), 0.0).sum(axis=0)
        mean = np.where(use, mean, 0.0)
        square = mean.sum(axis=0) ** 2
        pairs = np.maximum(square - (mean**2).sum(axis=0), ALONE * square)
        apart = 1.0 + OPTIMISM * min(length / OPTIMISM_DAYS, 1.0) ** 2
        found[at] = max(0.0, float(((apart * error) ** 2 - variance).sum() / max(pairs.sum(), 1e-12)))
    return found


def telling(mean: Floats, variance: Floats) -> Floats:
    """Return what a squared error tells of the variance, 1 where the negative binomial is as flat as the normal.

    That is 2 / (2 + its excess kurtosis), the normal's variance of a squared error over its own.
    """
    mean = np.maximum(mean, 1e-9)
    variance = np.maximum(variance, mean * (1 + POISSON_GAP))
    return np.asarray(2.0 / (2.0 + 6.0 * (variance - mean) / mean**2 + 1.0 / variance))


def _asked(law: Dispersion, y: Floats, levels: Floats, exposure: Floats, group: Ints) -> Floats:
    """Return (g, w, Q) corrected levels: the quantiles of where past sums fell in what the law said (rule 4)."""
    first = max(7, min(FIRST_DAYS, y.shape[1] // 3), y.shape[1] - MEMORY_DAYS)
    groups = int(group.max(initial=0)) + 1
    asked = np.empty((groups, len(law.days), len(LEVELS)))
    for at, length in enumerate(law.days.astype(np.int64)):
        step = slice(first, None, max(int(length), 2))
        windows = max(1, len(range(first, y.shape[1], max(int(length), 2))))
        rows = np.arange(len(y))[:: max(1, -(-len(y) * windows // MOST_PLACES))]
        actual = window_sums_seen(y[rows], int(length))[:, step]
        mean = (levels[rows, : y.shape[1] - length + 1] * window_sums(exposure[rows], int(length)))[:, step]
        use = np.isfinite(actual) & (mean > 0.05)
        if use.sum() < 100:
            asked[:, at] = LEVELS
            continue
        part = replace(law, factor=np.broadcast_to(law.factor[rows][:, None], mean.shape)[use])
        owner = np.broadcast_to(group[rows][:, None], mean.shape)[use]
        place = cumulative(actual[use], mean[use], part.variance(mean[use], float(length)))
        whole = _shrunk(place, int(length), np.array(LEVELS))
        for each in range(groups):
            mine = place[owner == each]
            asked[each, at] = _shrunk(mine, int(length), whole) if len(mine) else whole
    apart = OPTIMISM * np.minimum(law.days / OPTIMISM_DAYS, 1.0) ** 2 * np.isin(np.arange(groups), BUSY)[:, None]
    odds = logit(asked)
    return expit(odds + apart[:, :, None] * (odds - odds[:, :, :1]))


def _shrunk(place: Floats, length: int, parent: Floats) -> Floats:
    """Return (Q,) the quantiles of the places of sums over so many days, shrunk to the parent's, never falling."""
    count = len(place) / length**0.5
    mixed = (count * logit(np.quantile(place, LEVELS)) + LEVEL_PSEUDO * logit(parent)) / (count + LEVEL_PSEUDO)
    return np.asarray(np.maximum.accumulate(expit(mixed)))


def cumulative(units: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return where whole units fall in the negative binomial, 0..1.

    A whole number covers a stretch; where in it is told by far digits of the mean, which fill 0..1 evenly, so that the
    places of right forecasts do too, whatever the order of the series.
    """
    at = np.floor(np.maximum(units, 0.0))
    lower, upper = at_most(at - 1.0, mean, variance), at_most(at, mean, variance)
    part = (mean * 9973.0 + at * 0.6180339887498949) % 1.0
    return np.asarray(np.clip(lower + part * (upper - lower), 1e-4, 1 - 1e-4))


def at_most(units: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the chance of no more than so many units in the negative binomial; none of less than nothing."""
    from scipy.special import betainc

    r, chance = shape_of(mean, variance)
    at = np.floor(units)
    return np.where(at < 0, 0.0, betainc(r, np.maximum(at, 0.0) + 1.0, chance))


def logit(share: Floats) -> Floats:
    """Return the log odds of shares in 0..1."""
    return np.asarray(np.log(share) - np.log1p(-np.asarray(share)))


def expit(value: Floats) -> Floats:
    """Return the shares of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-value)))


def law_of_pairs(pairs: Sequence[tuple[Floats, Floats]], factor: Floats) -> Dispersion:
    """Measure the law on forecasts that were made: (mean, actual), each (n, H), against the series' known factors."""
    horizon = min(mean.shape[1] for mean, _ in pairs)
    table = []
    for length in (1, 2, 3, 5, 7, 10, 14, 21, 28):
        if length > horizon:
            break
        mean = np.concatenate([mean[:, :length].sum(axis=1) for mean, _ in pairs])
        square = (np.concatenate([actual[:, :length].sum(axis=1) for _, actual in pairs]) - mean) ** 2
        square = square / np.tile(factor, len(pairs))
        use = np.isfinite(square) & (mean > 1e-6)
        if use.sum() >= 10:
            table.append((length, *_law(mean[use], square[use])))
    if not table:
        return Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.3]), factor)
    columns = np.array(table, dtype=np.float64).T
    return Dispersion(columns[0], columns[1], columns[2], factor)


def _law(mean: Floats, square: Floats) -> tuple[float, float]:
    """Fit square ~ a mean + b mean^2, and again with no square beyond FARTHEST variances of it.

    At first without means far below the usual: one sale where none was thought possible must not decide for all.
    """
    usual = mean > 0.1 * np.median(mean)
    a, b = _fitted(mean[usual], square[usual])
    return _fitted(mean, np.minimum(square, FARTHEST * (a * mean + b * mean**2)))


def _fitted(mean: Floats, square: Floats) -> tuple[float, float]:
    """Fit square / mean ~ a + b mean by least squares, a >= 0.5, b >= 0.

    Weighted by what a square tells: little where the mean is small, and not so much of a few very busy series that
    they decide for all.
    """
    size = mean / np.median(mean)
    weight = size / (1.0 + size) ** 3
    target = square / mean
    target = np.minimum(target, np.quantile(target, 0.999))
    w, wx = weight.sum(), (weight * mean).sum()
    wxx, wy, wxy = (weight * mean**2).sum(), (weight * target).sum(), (weight * mean * target).sum()
    spread = w * wxx - wx**2
    b = (w * wxy - wx * wy) / spread if spread > 1e-12 * w * wxx else 0.0
    b = max(float(b), 0.0)
    a = float((wy - b * wx) / w)
    if a < 0.5:
        a = 0.5
        b = max(float((wxy - a * wx) / wxx), 0.0)
    return a, b


def shape_of(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return (r, p) of the negative binomial with this mean and variance; nearly Poisson if it must be."""
    mean = np.maximum(mean, 1e-12)
    variance = np.maximum(variance, mean * (1 + POISSON_GAP))
    r = mean**2 / (variance - mean)
    return np.asarray(r), np.asarray(mean / variance)


def surprise_of_none(mean: Floats, variance: Floats) -> Floats:
    """Return -log of the chance that nothing is sold: the mean where units come singly, less in bursts."""
    r, chance = shape_of(mean, variance)
    return np.asarray(np.where(mean > 0, -r * np.log(chance), 0.0))


def negative_binomial_quantiles(mean: Floats, variance: Floats, levels: tuple[float, ...] | Floats) -> Floats:
    """Return whole-unit quantiles, one more axis (Q) inserted after the first.

    mean, variance : (n, ...); levels : (Q,) or (n, Q, ...); returns (n, Q, ...), rising along axis 1, finite, >= 0.
    """
    level = np.asarray(levels)
    level = level if level.ndim == 1 else np.moveaxis(level, 1, -1)
    wanted = np.broadcast_to(level, (*mean.shape, level.shape[-1])).reshape(-1, level.shape[-1])
    found = _of_cells(mean.ravel(), np.broadcast_to(variance, mean.shape).ravel(), wanted)
    quantile = np.moveaxis(found.reshape(*mean.shape, -1), -1, 1)
    return np.asarray(np.maximum.accumulate(np.maximum(quantile, 0.0), axis=1))


def _of_cells(mean: Floats, variance: Floats, levels: Floats) -> Floats:
    """Return (c, Q) quantiles of c means and variances: counted, by its skewness, or one by one (rule 6)."""
    from scipy.special import gammaincinv
    from scipy.stats import nbinom

    found = np.zeros(levels.shape)
    some = np.flatnonzero(mean > 1e-9)
    r, p = shape_of(mean[some], variance[some])
    spread = np.sqrt(r * (1 - p)) / p
    skew = (2 - p) / np.maximum(np.sqrt(r * (1 - p)), 1e-12)
    large = mean[some] > LARGE_MEAN
    counted = ~large & (mean[some] + 6.0 * spread < COUNTED_UNITS)
    mild = ~large & ~counted & (skew <= MILD_SKEW)
    single = ~large & ~counted & ~mild
    found[some[counted]] = _counted(r[counted], p[counted], levels[some[counted]])
    found[some[mild]] = _by_skewness(mean[some[mild]], spread[mild], skew[mild], levels[some[mild]])
    found[some[single]] = nbinom.ppf(levels[some[single]], r[single, None], p[single, None])
    if large.any():
        m, v = mean[some[large], None], np.maximum(variance[some[large]], mean[some[large]])[:, None]
        found[some[large]] = np.ceil(gammaincinv(m**2 / v, levels[some[large]]) * v / m)
    normal = np.ceil(mean + 3.0 * np.sqrt(variance))[:, None]
    return np.where(np.isfinite(found), found, normal)


def _counted(r: Floats, p: Floats, levels: Floats) -> Floats:
    """Add the chances of 0, 1, 2 ... units up until every level is reached, in blocks of alike cells."""
    found = np.zeros(levels.shape)
    order = np.argsort(r * (1 - p) / p + 4.0 * np.sqrt(r * (1 - p)) / p, kind="stable")
    for first in range(0, len(order), BLOCK):
        at = order[first : first + BLOCK]
        size, fail, wanted = r[at], 1 - p[at], np.minimum(levels[at], 1 - 1e-12)
        chance = np.exp(size * np.log1p(-fail))
        total, units = chance.copy(), np.zeros(wanted.shape)
        for step in range(4 * COUNTED_UNITS):
            short = total[:, None] < wanted
            units += short
            if step % 4 == 0:
                on = short.any(axis=1)
                if on.mean() < 0.7:
                    found[at[~on]] = units[~on]
                    at, size, fail, wanted = at[on], size[on], fail[on], wanted[on]
                    chance, total, units = chance[on], total[on], units[on]
                    if not len(at):
                        break
            chance = chance * ((step + size) / (step + 1) * fail)
            total = total + chance
        found[at] = units
    return found


def _by_skewness(mean: Floats, spread: Floats, skew: Floats, levels: Floats) -> Floats:
    """Return quantiles of the gamma law with the same three moments (Wilson and Hilferty 1931), at whole units.

    Of more than COUNTED_UNITS it is within a unit or a hundredth of the exact one.
    """
    from scipy.special import ndtri

    s, z = skew[:, None], ndtri(levels)
    at = (2.0 / s) * ((1.0 + s * z / 6.0 - s**2 / 36.0) ** 3 - 1.0)
    return np.asarray(np.ceil(mean[:, None] + spread[:, None] * at - 0.5))


def quantiles(
    mean: Floats, dispersion: Dispersion, levels: tuple[float, ...], fate: Fate | None = None
) -> tuple[Floats, Floats]:
    """Return (n, Q, H) quantiles of each day and of the sum up to each day; the sum never falls with days.

    fate : what of it may be gone, in `mean` already (rule 5); None = all sells for certain
    """
    horizon = mean.shape[1]
    days = np.arange(1.0, horizon + 1.0)
    one = np.repeat(dispersion.levels(days[:1], levels), horizon, axis=2)
    asked = dispersion.levels(days, levels)
    back = back_by = np.zeros_like(mean)[:, None]
    if fate is not None:
        chance = np.maximum(fate.alive, 1e-9)[:, None]
        mean = mean / chance
        one, asked = (np.maximum(1.0 - (1.0 - grid) / chance[:, None], 0.0) for grid in (one, asked))
        back, back_by = (
            fate.quantiles(grid, levels) for grid in (np.diff(fate.returned, axis=1, prepend=0.0), fate.returned)
        )
    daily = negative_binomial_quantiles(mean, dispersion.variance(mean, 1.0), one)
    total = np.cumsum(mean, axis=1)
    sums = negative_binomial_quantiles(total, dispersion.variance(total, days), asked)
    return np.maximum(daily, back), np.asarray(np.maximum.accumulate(np.maximum(sums, back_by), axis=2))


def chances(sums: Floats, mean: Floats, dispersion: Dispersion, fate: Fate | None = None) -> Floats:
    """Return (n, H) the chance of at most these sums (n, H) up to each day, by the law whose `quantiles` are said."""
    days = np.arange(1.0, mean.shape[1] + 1.0)
    alive = np.ones((len(mean), 1)) if fate is None else np.maximum(fate.alive, 1e-9)[:, None]
    total = np.cumsum(mean, axis=1) / alive
    place = 1.0 - alive + alive * at_most(sums, total, dispersion.variance(total, days))
    level = dispersion.levels_at(place, days)
    if fate is not None:
        level = np.minimum(level, fate.at_most(sums))
    return np.where(sums < 0, 0.0, level)

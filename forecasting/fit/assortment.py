"""Which stores of a chain have which products, and how much of them: an incomplete table of logarithms.

Rules
-----
1. What a store sells of a product is, in logarithms, the product's usual in the region, the store's size times the
   product's slope, and its own deviation. A slope above 1: what large stores sell more than in proportion.
2. A store's size is one for all its products and, within LINE_SPREAD, one for each line: products of a category whose
   prices lie within LINE_WIDTH, which are mostly kinds of one thing (`lines`). An average store has size 0: the mean of
   the region's stores, not their median, for a new store's size is unknown for all its products together.
3. A region's usual is shrunk to the chain's by how much regions differ, so that few sellers tell little and a region
   without a seller has the chain's. A cell counts by the units behind it. A usual is a median: one store that sells
   ten times as much as others makes no product a bestseller.
4. How far stores of one region, and regions, differ in a product is measured on all pairs of stores that have it,
   shrunk to STORES_DIFFER and REGIONS_DIFFER by PSEUDO_PAIRS; so it is known how uncertain a product's level is in a
   store that begins to sell it.
5. A product that began within the window is compared by its days since. So is one whose first sale came later than
   chance explains; else a slow one.

Variances are those of natural logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.series.panel import Floats, Ints
from forecasting.series.pools import sums

WINDOW_DAYS = 56
ROUNDS = 12
SIZE_SPREAD, LINE_SPREAD, SLOPE_SPREAD = 0.5, 0.15, 0.05
LINE_WIDTH = 0.1
STORES_DIFFER, REGIONS_DIFFER = 0.2, 0.2
LEAST_SPREAD, MOST_SPREAD = 0.02, 1.0
PSEUDO_PAIRS, LEAST_FREE = 20.0, 0.25
MOST_DOUBT, DRIFT = 1.5, 0.05
"""No doubt is taken for more; and what a level changes by from these weeks to the next."""
BURST = 3.0
"""Variance of a month's units to their mean; what n units tell of a rate has variance BURST / n."""
CHANCE = 0.01


@dataclass(frozen=True)
class Usual:
    """What is expected of a product in an average store of a region that begins to sell it.

    sellers: how many average stores of the region sell it    rate: units a day    slope: see rule 1
    doubt  : variance of the logarithm of what such a store will sell, given its size; 0 = unknown
    line   : number of the product's line (see `lines`); 0 = unknown
    """

    sellers: float
    rate: float
    slope: float = 1.0
    doubt: float = 0.0
    line: int = 0


@dataclass(frozen=True)
class Assortment:
    """What s stores of r regions tell of p products.

    sellers : (r, p) average stores of the region that sell it    rate : (r, p) units a day in an average one
    slope   : (p,)    doubt : (r, p)    line : (p,), see `Usual`
    """

    sellers: Floats
    rate: Floats
    slope: Floats
    doubt: Floats
    line: Ints

    @classmethod
    def of(cls, units: Floats, silent: Ints, region: Ints, line: Ints) -> Assortment:
        """Read what stores sold in the last WINDOW_DAYS.

        units: (s, p), 0 = the store does not have it    silent: (s, p) days before its first sale there
        region: (s,) row of the store's region           line  : (p,) see `lines`
        """
        has, noise, regions = (units > 0).astype(np.float64), blur(units), int(region.max(initial=-1)) + 1
        gap = np.log(np.maximum(units, 1e-9) / _days(units, silent))
        some = has.sum(axis=1) > 0
        size, slope, own, apart = np.zeros(units.shape), np.ones(units.shape[1]), STORES_DIFFER, REGIONS_DIFFER
        for _ in range(ROUNDS if some.any() else 1):
            weight = has / (own + noise)
            usual, behind, chain = _usual(weight, gap - slope * size, region, regions, apart)
            left = np.where(has > 0, gap - usual[region], 0.0)
            slope, bent = _slopes(left, weight, size)
            size, unsure = sizes(left, weight, slope, line)
            size = np.where(some[:, None], size - (size[some].mean() if some.any() else 0.0), 0.0)
            taken = float((weight * (slope**2 * unsure + size**2 * bent)).sum()) / max(float(has.sum()), 1.0)
            own, apart = _differ(weight, gap - slope * size, noise, region, regions, max(1.0 - taken, LEAST_FREE))
        selling = np.bincount(region, weights=some, minlength=regions) * units.shape[1]
        mean = _by(some[:, None] * np.exp(size), region, regions).sum(axis=1) / np.maximum(selling, 1.0)
        here = np.log(np.where(mean > 0, mean, 1.0))
        trust = 1.0 / (1.0 + apart * behind)
        doubt = own + DRIFT + np.where(behind > 0, apart * trust, apart) + trust**2 / np.maximum(chain, 1e-9)
        return cls(
            sellers=_by(np.exp(size - here[region][:, None]) * has, region, regions),
            rate=np.where(chain > 0, np.exp(usual + slope * here[:, None]), 0.0),
            slope=slope,
            doubt=np.minimum(doubt, MOST_DOUBT),
            line=line,
        )

    def usual(self, row: int) -> list[Usual]:
        """Return what a region's stores may expect of each product."""
        columns = self.sellers[row], self.rate[row], self.slope, self.doubt[row], self.line
        return [
            Usual(float(sellers), float(rate), float(slope), float(doubt), int(line))
            for sellers, rate, slope, doubt, line in zip(*columns, strict=True)
        ]


def lines(top_category: Ints, price: Floats) -> Ints:
    """Return (p,) numbers from 1: the products of a category from the cheapest of a line to LINE_WIDTH above it.

    price: (p,) of one stock unit, NaN = unknown; those of a category without a price are one line.
    """
    number, found = 0, np.zeros(len(top_category), dtype=np.int64)
    here, most = -1, np.nan
    for at in np.lexsort((price, top_category)):
        unknown = np.isnan(price[at]) and np.isnan(most)
        if top_category[at] != here or not (unknown or price[at] <= most):
            number, here, most = number + 1, top_category[at], price[at] * (1.0 + LINE_WIDTH)
        found[at] = number
    return found


def sizes(gap: Floats, weight: Floats, slope: Floats, line: Ints, spread: float = SIZE_SPREAD) -> tuple[Floats, Floats]:
    """Return (s, p) each store's size for each product, and its variance (rule 2).

    gap: (s, p) logarithm of what a store sells over the usual; weight: one over its variance, 0 = not sold there.
    """
    reported, worth, line = _by_line(gap, weight, slope, line)
    # A line's own deviation is taken out of what its products tell of the whole store.
    part = 1.0 / (1.0 + LINE_SPREAD * worth)
    doubt = 1.0 / ((worth * part).sum(axis=1) + 1.0 / spread)
    size = (reported * part).sum(axis=1) * doubt
    more = (reported - worth * size[:, None]) * LINE_SPREAD * part
    return (size[:, None] + more)[:, line], (doubt[:, None] * part**2 + LINE_SPREAD * part)[:, line]


def reported_in_all(gap: Floats, weight: Floats, slope: Floats, line: Ints) -> tuple[Floats, Floats]:
    """Return (s,) what a store's sales tell of its size, times its worth, and the worth: one over its variance."""
    reported, worth, _ = _by_line(gap, weight, slope, line)
    part = 1.0 / (1.0 + LINE_SPREAD * worth)
    return (reported * part).sum(axis=1), (worth * part).sum(axis=1)


def blur(units: Floats) -> Floats:
    """Return the variance of the logarithm of a rate of which so many units tell."""
    return np.asarray(BURST / (np.maximum(units, 0.0) + 0.5))


def _by_line(gap: Floats, weight: Floats, slope: Floats, line: Ints) -> tuple[Floats, Floats, Ints]:
    """Return (s, l) what each line tells of the size, times its worth, the worth, and (p,) the line of each product."""
    line = np.unique(line, return_inverse=True)[1]
    return sums((weight * slope * gap).T, line).T, sums((weight * slope**2).T, line).T, line


def _days(units: Floats, silent: Ints) -> Floats:
    """Return (s, p) the days a product was on sale within the window (rule 5)."""
    left = np.maximum(WINDOW_DAYS - silent, 1)
    by_chance = (left / WINDOW_DAYS) ** (units / BURST) >= CHANCE
    return np.where(by_chance, WINDOW_DAYS, left).astype(np.float64)


def _by(grid: Floats, group: Ints, groups: int) -> Floats:
    """Return (g, p) the sums over each group's stores."""
    out = np.zeros((groups, grid.shape[1]))
    np.add.at(out, group, grid)
    return out


def _usual(weight: Floats, level: Floats, region: Ints, regions: int, apart: float) -> tuple[Floats, Floats, Floats]:
    """Return (r, p) the usual, (r, p) the weight behind it in its own region, (p,) that behind the chain's (rule 3)."""
    behind = _by(weight, region, regions)
    mean = _by(weight * level, region, regions) / np.maximum(behind, 1e-12)
    each = behind / (1.0 + apart * behind)
    chain = (each * mean).sum(axis=0) / np.maximum(each.sum(axis=0), 1e-12)
    return chain + (mean - chain) * apart * behind / (1.0 + apart * behind), behind, each.sum(axis=0)


def _slopes(left: Floats, weight: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Return (p,) the products' slopes, 1 on average, and the variance they keep (rule 1)."""
    bent = 1.0 / ((weight * size**2).sum(axis=0) + 1.0 / SLOPE_SPREAD)
    slope = 1.0 + (weight * size * (left - size)).sum(axis=0) * bent
    whole = weight.sum(axis=0)
    return slope / (float(whole @ slope / whole.sum()) if whole.any() else 1.0), bent


def _differ(
    weight: Floats, level: Floats, noise: Floats, region: Ints, regions: int, free: float
) -> tuple[float, float]:
    """Return the variance of a product's level between stores of a region, and what regions add (rule 4).

    free: part of the cells that is left for it once sizes and slopes are fitted to the same cells.
    """
    inside = np.zeros(3)
    for row in range(regions):
        of = region == row
        inside += _pairs(weight[of], level[of], noise[of])
    near, near_blur, pairs = inside
    far, far_blur, far_pairs = np.array(_pairs(weight, level, noise)) - inside
    pseudo = PSEUDO_PAIRS * (weight.sum() / max(float((weight > 0).sum()), 1.0)) ** 2 + 1e-9
    own = (near / free - near_blur + pseudo * STORES_DIFFER) / (pairs + pseudo)
    both = (far / free - far_blur + pseudo * (STORES_DIFFER + REGIONS_DIFFER)) / (far_pairs + pseudo)
    own = float(np.clip(own, LEAST_SPREAD, MOST_SPREAD))
    return own, float(np.clip(both - own, LEAST_SPREAD, MOST_SPREAD))


def _pairs(weight: Floats, level: Floats, noise: Floats) -> tuple[float, float, float]:
    """Return sums over a product's pairs of stores, weighted: squared difference, its noise, twice the weights."""
    whole = weight.sum(axis=0)
    square = whole * (weight * level**2).sum(axis=0) - (weight * level).sum(axis=0) ** 2
    blur = whole * (weight * noise).sum(axis=0) - (weight**2 * noise).sum(axis=0)
    return float(square.sum()), float(blur.sum()), float((whole**2 - (weight**2).sum(axis=0)).sum())

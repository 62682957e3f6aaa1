"""Who belongs together: the groups whose sales are pooled, and shrinkage towards them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.series.panel import DemandPanel, Floats, Ints


@dataclass(frozen=True)
class Pools:
    """Group numbers (n,) of each series, counted from 0.

    product  : the same product in one region           store   : the key's scope
    category : the category in one region               region : the region
    """

    product: Ints
    store: Ints
    category: Ints
    region: Ints

    @classmethod
    def of(cls, panel: DemandPanel) -> Pools:
        """Return the groups of a panel."""
        return cls.of_names(panel.keys, panel.category, panel.region)

    @classmethod
    def of_names(cls, keys: Sequence[tuple[str, str]], categories: Sequence[str], regions: Sequence[str]) -> Pools:
        """Return the groups of series with these keys, categories and regions."""
        return cls(
            _numbers(list(zip(regions, (sku for _, sku in keys), strict=True))),
            _numbers([scope for scope, _ in keys]),
            _numbers(list(zip(regions, categories, strict=True)) if _many(regions, categories) else list(categories)),
            _numbers(list(regions)),
        )

    @staticmethod
    def of_shelf(panel: DemandPanel) -> Ints:
        """Return group numbers (n,): a store's products of one category."""
        return _numbers([(scope, name) for (scope, _), name in zip(panel.keys, panel.category, strict=True)])

    @classmethod
    def apart(cls, group: Ints) -> Pools:
        """Return pools of series that are whole regions already: only categories (n,) are shared."""
        one = np.zeros(len(group), dtype=np.int64)
        return cls(np.arange(len(group), dtype=np.int64), one, group, one)

    @property
    def categories(self) -> int:
        return int(self.category.max(initial=-1)) + 1

    def of_store(self, grid: Floats) -> Floats:
        """Return each series' store total."""
        return sums(grid, self.store)[self.store]

    def of_category(self, grid: Floats) -> Floats:
        """Return each series' category total."""
        return sums(grid, self.category)[self.category]

    def parent(self, own: Floats, due: Floats, pseudo: float, whole: Floats) -> Floats:
        """Return (n, k) what a series without sales of its own would have, own and due being (n, k).

        Category shrunk to the whole, product in the region to its category, times how the store differs from the whole.
        A group with a single series tells nothing that the series does not: it is passed over.
        """
        category = ratio(self.of_category(own), self.of_category(due), pseudo, whole)
        sold_there, due_there = (sums(grid, self.product)[self.product] for grid in (own, due))
        product = ratio(sold_there, due_there, pseudo, category)
        shared = (np.bincount(self.product)[self.product] > 1)[:, None]
        product = np.where(shared, product, category)
        if int(self.store.max(initial=0)) == 0:
            return np.asarray(product)
        store = ratio(self.of_store(own), self.of_store(due), pseudo, whole)
        return np.asarray(product * np.clip(store / np.maximum(whole, 1e-3), 0.0, 5.0))


def ratio(units: Any, due: Any, pseudo: Any, parent: Any) -> Any:
    """Return units to units due, shrunk to the parent by `pseudo` units; 0 where nothing is due and nothing known."""
    return (units + pseudo * parent) / np.maximum(due + pseudo, 1e-12)


def sums(grid: Floats, group: Ints) -> Floats:
    """Return (g, ...) sums over each group's rows."""
    groups = int(group.max(initial=-1)) + 1
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups))
    return np.asarray(np.add.reduceat(grid[order], starts, axis=0) if groups else np.zeros((0, *grid.shape[1:])))


def _many(regions: Sequence[str], categories: Sequence[str]) -> bool:
    """Tell whether a region's category has enough series to be a group of its own."""
    return len(set(zip(regions, categories, strict=True))) * 8 <= len(regions)


def _numbers(names: list[Any]) -> Ints:
    place = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names], dtype=np.int64)

"""What goes into the forecasting core and what comes out of it.

Rules
-----
1. Arrays in, arrays out: nothing here knows a database, a clock or the web.
2. NaN in `y` means "not observed" (store closed, product not yet on sale); zero means "nobody bought".
3. A panel that cannot be right (negative, infinite or misshapen) is refused at the door, naming wanted and got.
4. Quantiles rise with their level and are finite and never negative (K12); `Forecast` checks it on creation.

Units: the product's stock unit per day, as float. A day is a business day; arrays run forward in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from forecasting.uncertainty.intervals import Dispersion, Fate

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LEVELS: tuple[float, ...] = (0.5, 0.75, 0.9, 0.95, 0.99)
SPREAD_DAYS = 42
"""The last days of which a forecast tells how its series spread, about what each of them usually brings."""
LARGEST_DAY = 1e12
"""More units than this on one day are a typing fault, not demand."""


class PanelFault(ValueError):
    """An input that cannot be right; `code` is stable, the message names wanted and got."""

    def __init__(self, code: str, wanted: str, got: str) -> None:
        super().__init__(f"{code}: wanted {wanted}, got {got}")
        self.code = code
        self.wanted = wanted
        self.got = got


@dataclass(frozen=True)
class Ahead:
    """What is known today about the days to come; None or absent = nothing.

    on_offer : (n, H) bool       price : (n, H), NaN = as now
    features : name -> (n, H), the panel's features of those names
    closed   : (n, H) bool; the store will not open: demand is zero
    lift     : (n, H) factor on an ordinary day that is known beforehand (a campaign's)
    """

    on_offer: Flags | None = None
    price: Floats | None = None
    features: dict[str, Floats] = field(default_factory=dict)
    closed: Flags | None = None
    lift: Floats | None = None


@dataclass(frozen=True)
class DemandPanel:
    """Daily demand of many series over the same days.

    keys         : n pairs (scope, sku); scope is a store or a region
    y            : (n, T) float64, units; NaN = not observed
    on_offer     : (n, T) bool or None; sold at a promoted price that day
    price        : (n, T) float64 or None, NaN allowed
    category     : n names, or empty for "all one category"
    region       : n names, or empty for "all one region"
    out_of_stock : (n, T) bool or None; the shelf was empty for part of the day, so y is a lower bound
    out_share    : (n, T) float64 or None; the share of the day the shelf was empty, 0..1
    features     : name -> (n, T) numbers that are known in advance (pay-days, school holidays, a fair)
    lift         : (n, T) float64 > 0 or None; the factor a day was expected to have (a campaign's): the level is what
                   is left of the sales without it
    """

    keys: tuple[tuple[str, str], ...]
    first_day: date
    y: Floats
    on_offer: Flags | None = None
    price: Floats | None = None
    category: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    out_of_stock: Flags | None = None
    out_share: Floats | None = None
    features: dict[str, Floats] = field(default_factory=dict)
    lift: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.keys)
        y = np.asarray(self.y, dtype=np.float64)
        if y.ndim != 2 or y.shape[0] != n:
            raise PanelFault("shape", f"y of shape ({n}, days)", str(y.shape))
        if len(set(self.keys)) != n:
            twice = next(key for key in self.keys if self.keys.count(key) > 1)
            raise PanelFault("keys", "every key once", f"{twice} twice")
        _refuse_where(self.keys, y < 0, "negative", "units of zero or more", y)
        _refuse_where(self.keys, np.isinf(y) | (y > LARGEST_DAY), "too_large", f"at most {LARGEST_DAY:g} a day", y)
        put = object.__setattr__
        put(self, "y", y)
        for name, kind in _GRIDS.items():
            grid = getattr(self, name)
            if grid is not None:
                put(self, name, _shaped(name, grid, kind, y.shape))
        put(self, "features", {k: _shaped(k, v, np.float64, y.shape) for k, v in sorted(self.features.items())})
        for name in ("category", "region"):
            names = tuple(getattr(self, name)) or ("",) * n
            if len(names) != n:
                raise PanelFault("shape", f"{n} names in {name}", str(len(names)))
            put(self, name, names)

    @property
    def n_series(self) -> int:
        return len(self.keys)

    @property
    def n_days(self) -> int:
        return int(self.y.shape[1])

    @property
    def next_day(self) -> date:
        """The first day after the panel: where a forecast begins."""
        return self.first_day + timedelta(days=self.n_days)

    def select(self, rows: list[int]) -> DemandPanel:
        """Return the panel of these rows, in this order."""
        return replace(
            self,
            keys=tuple(self.keys[row] for row in rows),
            y=self.y[rows],
            category=tuple(self.category[row] for row in rows),
            region=tuple(self.region[row] for row in rows),
            features={name: grid[rows] for name, grid in self.features.items()},
            **{name: grid[rows] for name, grid in self._grids()},
        )

    def between(self, first: int, last: int) -> DemandPanel:
        """Return the panel of days first..last-1, counted from its own first day."""
        first, last = max(first, 0), min(last, self.n_days)
        return replace(
            self,
            first_day=self.first_day + timedelta(days=first),
            y=self.y[:, first:last],
            features={name: grid[:, first:last] for name, grid in self.features.items()},
            **{name: grid[:, first:last] for name, grid in self._grids()},
        )

    def ahead(self, first: int, last: int) -> Ahead:
        """Return what was known in advance about days first..last-1: offers, prices, features; never sales."""
        return Ahead(
            None if self.on_offer is None else self.on_offer[:, first:last],
            None if self.price is None else self.price[:, first:last],
            {name: grid[:, first:last] for name, grid in self.features.items()},
            lift=None if self.lift is None else self.lift[:, first:last],
        )

    def _grids(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _GRIDS if getattr(self, name) is not None]


_GRIDS: dict[str, type[np.generic]] = {
    "on_offer": np.bool_,
    "price": np.float64,
    "out_of_stock": np.bool_,
    "out_share": np.float64,
    "lift": np.float64,
}


def _shaped(name: str, grid: Any, kind: type[np.generic], shape: tuple[int, ...]) -> Any:
    grid = np.asarray(grid, dtype=kind)
    if grid.shape != shape:
        raise PanelFault("shape", f"{name} of shape {shape}", str(grid.shape))
    return grid


def _refuse_where(keys: tuple[tuple[str, str], ...], bad: Flags, code: str, wanted: str, y: Floats) -> None:
    if bad.any():
        row, day = (int(v) for v in np.argwhere(bad)[0])
        raise PanelFault(code, wanted, f"{y[row, day]:g} for {keys[row]} on day {day} ({int(bad.sum())} such)")


@dataclass(frozen=True)
class Forecast:
    """Demand of the days first_day .. first_day + H - 1, with its uncertainty and its reasons.

    mean            : (n, H) units a day
    quantiles       : (n, Q, H) units not exceeded on that day with probability levels[q]
    cumulative      : (n, Q, H) the same for the SUM of the first h+1 days
    model, reason   : n stable codes each; see `forecasting.run` for the list
    kind            : n demand classes; see `forecasting.series.classify`
    level           : (n,) units on an ordinary day
    weekday_profile : (n, 7) factors, Monday first, mean 1
    regional_share  : (n,) weight 0..1 the region has in the level
    spread          : how uncertain sums of any length are (see `intervals`)
    fate            : what may be gone and come back, None = nothing (see `intervals`)
    lately_spread   : (n,) variance over mean of a day's units in the last SPREAD_DAYS; NaN = not known (see `state`)
    moved           : what surrounds the store (see `surroundings`) -> (n, H) the factor it is of each day's mean
    """

    keys: tuple[tuple[str, str], ...]
    first_day: date
    mean: Floats
    quantiles: Floats
    cumulative: Floats
    model: tuple[str, ...]
    reason: tuple[str, ...]
    kind: tuple[str, ...]
    level: Floats
    weekday_profile: Floats
    regional_share: Floats
    levels: tuple[float, ...] = LEVELS
    spread: Dispersion | None = None
    fate: Fate | None = None
    lately_spread: Floats = field(default_factory=lambda: np.ones(0))
    moved: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, horizon = self.mean.shape
        wanted = (n, len(self.levels), horizon)
        for name in ("quantiles", "cumulative"):
            grid = getattr(self, name)
            if grid.shape != wanted:
                raise PanelFault("shape", f"{name} of shape {wanted}", str(grid.shape))
            if not np.isfinite(grid).all() or (grid < 0).any() or (np.diff(grid, axis=1) < 0).any():
                raise PanelFault("quantiles", f"finite, rising {name} of zero or more", "others (K12)")
        if not np.isfinite(self.mean).all() or (self.mean < 0).any():
            raise PanelFault("mean", "a finite mean of zero or more", "others (K12)")

    @property
    def horizon_days(self) -> int:
        return int(self.mean.shape[1])

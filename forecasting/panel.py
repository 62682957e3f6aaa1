"""What goes into the forecasting core and what comes out of it.

Rules
-----
1. Arrays in, arrays out: nothing here knows a database, a clock or the web.
2. NaN in `y` means "not observed" (shop closed, product not yet on sale); zero means "nobody bought".
3. A panel that cannot be right (negative, infinite or misshapen) is refused at the door, naming wanted and got.
4. Quantiles rise with their level and are finite and never negative (K12); `Forecast` checks it on creation.

Units: the product's stock unit per day, as float. A day is a business day; arrays run forward in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

LEVELS: tuple[float, ...] = (0.5, 0.75, 0.9, 0.95, 0.99)
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
class DemandPanel:
    """Daily demand of many series over the same days.

    keys         : n pairs (scope, sku); scope is a store or a region
    y            : (n, T) float64, units; NaN = not observed
    on_offer     : (n, T) bool or None; sold at a promoted price that day
    price        : (n, T) float64 or None, NaN allowed; used to see offers when on_offer is None
    category     : n names, or empty for "all one category"
    region       : n names, or empty for "all one region"
    out_of_stock : (n, T) bool or None; the shelf was empty for part of the day, so y is a lower bound
    """

    keys: tuple[tuple[str, str], ...]
    first_day: date
    y: Floats
    on_offer: Flags | None = None
    price: Floats | None = None
    category: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    out_of_stock: Flags | None = None

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
        for name, kind in (("on_offer", np.bool_), ("price", np.float64), ("out_of_stock", np.bool_)):
            grid = getattr(self, name)
            if grid is not None:
                grid = np.asarray(grid, dtype=kind)
                if grid.shape != y.shape:
                    raise PanelFault("shape", f"{name} of shape {y.shape}", str(grid.shape))
                put(self, name, grid)
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
        return DemandPanel(
            keys=tuple(self.keys[row] for row in rows),
            first_day=self.first_day,
            y=self.y[rows],
            on_offer=None if self.on_offer is None else self.on_offer[rows],
            price=None if self.price is None else self.price[rows],
            category=tuple(self.category[row] for row in rows),
            region=tuple(self.region[row] for row in rows),
            out_of_stock=None if self.out_of_stock is None else self.out_of_stock[rows],
        )

    def between(self, first: int, last: int) -> DemandPanel:
        """Return the panel of days first..last-1, counted from its own first day."""
        first, last = max(first, 0), min(last, self.n_days)
        return DemandPanel(
            keys=self.keys,
            first_day=self.first_day + timedelta(days=first),
            y=self.y[:, first:last],
            on_offer=None if self.on_offer is None else self.on_offer[:, first:last],
            price=None if self.price is None else self.price[:, first:last],
            category=self.category,
            region=self.region,
            out_of_stock=None if self.out_of_stock is None else self.out_of_stock[:, first:last],
        )


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
    kind            : n demand classes; see `forecasting.classify`
    level           : (n,) units on an ordinary day
    weekday_profile : (n, 7) factors, Monday first, mean 1
    regional_share  : (n,) weight 0..1 the region has in the level
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

    def row(self, key: tuple[str, str]) -> int:
        """Return the row of a key; KeyError if the forecast does not have it."""
        try:
            return self.keys.index(key)
        except ValueError:
            raise KeyError(key) from None

    def sum_quantile(self, key: tuple[str, str], days: int, level: float) -> float:
        """Return the units not exceeded over the first `days` days with probability `level`.

        Between the stored levels it is interpolated; outside them the nearest is used. More days than
        the horizon are refused.
        """
        if not 1 <= days <= self.horizon_days:
            raise PanelFault("days", f"1..{self.horizon_days} days", str(days))
        return float(np.interp(level, self.levels, self.cumulative[self.row(key), :, days - 1]))


@dataclass(frozen=True)
class RegionalSignal:
    """What the network publishes about regions, and a store pulls to forecast with.

    Groups are region x category, products are region x sku. Travels between nodes as plain JSON.

    keys             : m pairs (region, category)
    mean             : (m, H) units a day of the whole region, from first_day on
    weekday_profile  : (m, 7) Monday first, mean 1
    month_profile    : (m, 31) factor by day of the month
    events           : event code -> m factors (0 = closed); codes as in `forecasting.calendar`
    level, trend     : (m,) units on an ordinary day, and their change a day
    model, reason    : m codes each
    stores           : (m,) shops in the region, 0 = unknown
    products         : p pairs (region, sku)
    product_group    : (p,) row of the product's group in `keys`
    product_share    : (p,) share of the group's demand, shrunk; sums to 1 in a group
    product_level    : (p,) units on an ordinary day now
    product_slow     : (p,) the same over the long run
    product_weekday  : (p, 7)
    """

    first_day: date
    keys: tuple[tuple[str, str], ...]
    mean: Floats
    weekday_profile: Floats
    month_profile: Floats
    level: Floats
    trend: Floats
    model: tuple[str, ...]
    reason: tuple[str, ...]
    stores: Ints
    products: tuple[tuple[str, str], ...]
    product_group: Ints
    product_share: Floats
    product_level: Floats
    product_slow: Floats
    product_weekday: Floats
    events: dict[str, Floats] = field(default_factory=dict)
    country: str | None = None
    subdivision: str | None = None

    def __post_init__(self) -> None:
        m, p = len(self.keys), len(self.products)
        for name, rows in _SIGNAL_ARRAYS.items():
            grid = getattr(self, name)
            if len(grid) != (m if rows == "m" else p):
                raise PanelFault("shape", f"{m if rows == 'm' else p} rows in {name}", str(len(grid)))
            if not np.isfinite(grid).all() or (name != "trend" and (np.asarray(grid) < 0).any()):
                raise PanelFault("signal", f"finite {name} of zero or more", "others")
        for code, factors in self.events.items():
            if len(factors) != m or not np.isfinite(factors).all() or (np.asarray(factors) < 0).any():
                raise PanelFault("signal", f"{m} finite factors for event {code}", f"{len(factors)} or others")
        if p and not ((self.product_group >= 0) & (self.product_group < m)).all():
            raise PanelFault("signal", f"product_group within 0..{m - 1}", "others")

    def for_region(self, region: str) -> RegionalSignal:
        """Return the part one region's stores need."""
        groups = [row for row, key in enumerate(self.keys) if key[0] == region]
        place = {row: at for at, row in enumerate(groups)}
        rows = [row for row, group in enumerate(self.product_group) if int(group) in place]
        picked: dict[str, Any] = {
            name: getattr(self, name)[groups if kind == "m" else rows] for name, kind in _SIGNAL_ARRAYS.items()
        }
        picked["product_group"] = np.array([place[int(self.product_group[row])] for row in rows], dtype=np.int64)
        return RegionalSignal(
            first_day=self.first_day,
            keys=tuple(self.keys[row] for row in groups),
            model=tuple(self.model[row] for row in groups),
            reason=tuple(self.reason[row] for row in groups),
            products=tuple(self.products[row] for row in rows),
            events={code: factors[groups] for code, factors in self.events.items()},
            country=self.country,
            subdivision=self.subdivision,
            **picked,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain dict of JSON types; numbers are kept to six significant digits."""
        wire: dict[str, Any] = {
            "version": 1,
            "first_day": self.first_day.isoformat(),
            "country": self.country,
            "subdivision": self.subdivision,
            "keys": [list(key) for key in self.keys],
            "products": [list(key) for key in self.products],
            "model": list(self.model),
            "reason": list(self.reason),
            "events": {code: _rounded(factors) for code, factors in sorted(self.events.items())},
        }
        for name in _SIGNAL_ARRAYS:
            grid = getattr(self, name)
            wire[name] = grid.tolist() if grid.dtype == np.int64 else _rounded(grid)
        return wire

    @classmethod
    def from_json(cls, wire: dict[str, Any]) -> RegionalSignal:
        """Read what `to_json` wrote; PanelFault if it is another version or misshapen."""
        if wire.get("version") != 1:
            raise PanelFault("version", "a regional signal of version 1", str(wire.get("version")))
        m, p = len(wire["keys"]), len(wire["products"])
        width = {"mean": -1, "weekday_profile": 7, "month_profile": 31, "product_weekday": 7}
        grids: dict[str, Any] = {}
        for name, kind in _SIGNAL_ARRAYS.items():
            whole = name in ("stores", "product_group")
            grid = np.array(wire[name], dtype=np.int64 if whole else np.float64)
            if name in width:
                rows = m if kind == "m" else p
                grid = grid.reshape(rows, width[name] if width[name] > 0 or rows else 0)
            grids[name] = grid
        return cls(
            first_day=date.fromisoformat(wire["first_day"]),
            keys=tuple((str(a), str(b)) for a, b in wire["keys"]),
            products=tuple((str(a), str(b)) for a, b in wire["products"]),
            model=tuple(wire["model"]),
            reason=tuple(wire["reason"]),
            events={code: np.array(v, dtype=np.float64) for code, v in wire["events"].items()},
            country=wire["country"],
            subdivision=wire["subdivision"],
            **grids,
        )


_SIGNAL_ARRAYS = {
    "mean": "m",
    "weekday_profile": "m",
    "month_profile": "m",
    "level": "m",
    "trend": "m",
    "stores": "m",
    "product_group": "p",
    "product_share": "p",
    "product_level": "p",
    "product_slow": "p",
    "product_weekday": "p",
}


def _rounded(grid: Floats) -> Any:
    """Return nested lists with six significant digits: enough for demand, a third of the bytes."""
    flat = [float(f"{value:.6g}") for value in np.asarray(grid, dtype=np.float64).ravel()]
    return np.array(flat).reshape(np.shape(grid)).tolist()

"""What a region tells its stores: fitted at the network, carried as plain JSON, read at a store.

Rules
-----
1. A signal that cannot be right (negative, infinite, misshapen, another version) is refused at the door.
2. A store needs only its own region's part (`for_region`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from forecasting.fit.effects import MOST_SLOPE
from forecasting.series.panel import Floats, Ints, PanelFault


@dataclass(frozen=True)
class RegionalSignal:
    """What the network publishes about regions, and a store pulls to forecast with.

    Groups are region x category, products are region x sku. Travels between nodes as plain JSON.

    keys             : m pairs (region, category)
    mean             : (m, H) units a day of the whole region, from first_day on
    weekday_profile  : (m, 7) Monday first, mean 1
    month_profile    : (m, 31) factor by day of the month
    holiday_like     : (m, 2) how far holidays are like Sundays and eves like Saturdays, 0..1 (see
    `forecasting.fit.events`) events           : event code -> m factors beyond that (0 = closed); codes as in
    `forecasting.series.calendar`, and
                       `events.ANY_HOLIDAY`
    slopes           : feature of `effects.HANDED_ON` -> (m,) change of log demand per unit of it, by what stores tell
    of
                       their own days; none = no store told any
    level, trend     : (m,) units on an ordinary day, and their change a day
    model, reason    : m codes each
    stores           : (m,) stores in the region, 0 = unknown
    products         : p pairs (region, sku)
    product_group    : (p,) row of the product's group in `keys`
    product_share    : (p,) share of the group's demand, shrunk; sums to 1 in a group
    product_level    : (p,) units on an ordinary day now
    product_slow     : (p,) the same over the long run
    product_weekday  : (p, 7)
    product_stores   : (p,) how many average stores sell the product, 0 = unknown
    product_rate     : (p,) units a day in an average store of the region that has it, 0 = unknown
    product_slope    : (p,) how its logarithm grows with that of the store's size, 0 = unknown
    product_doubt    : (p,) variance of the logarithm of what a store that begins will sell, 0 = unknown
    product_line     : (p,) number of its line (see `forecasting.fit.assortment`), 0 = unknown
    """

    first_day: date
    keys: tuple[tuple[str, str], ...]
    mean: Floats
    weekday_profile: Floats
    month_profile: Floats
    holiday_like: Floats
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
    product_stores: Floats
    product_rate: Floats
    product_slope: Floats
    product_doubt: Floats
    product_line: Ints
    events: dict[str, Floats] = field(default_factory=dict)
    slopes: dict[str, Floats] = field(default_factory=dict)
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
        for name, slopes in self.slopes.items():
            if len(slopes) != m or not (np.abs(slopes) <= MOST_SLOPE).all():
                raise PanelFault("signal", f"{m} slopes of {name} within {MOST_SLOPE:g}", f"{len(slopes)} or others")
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
            slopes={name: slopes[groups] for name, slopes in self.slopes.items()},
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
            "slopes": {name: _rounded(slopes) for name, slopes in sorted(self.slopes.items())},
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
        width = {"mean": -1, "weekday_profile": 7, "month_profile": 31, "product_weekday": 7, "holiday_like": 2}
        grids: dict[str, Any] = {}
        for name, kind in _SIGNAL_ARRAYS.items():
            whole = name in ("stores", "product_group", "product_line")
            rows = m if kind == "m" else p
            missing = [0] * rows * _LATER.get(name, 0)  # older signals do not tell
            reported = wire.get(name, missing) if name in _LATER else wire[name]
            grid = np.array(reported, dtype=np.int64 if whole else np.float64)
            if name in width:
                grid = grid.reshape(rows, width[name] if width[name] > 0 or rows else 0)
            grids[name] = grid
        return cls(
            first_day=date.fromisoformat(wire["first_day"]),
            keys=tuple((str(a), str(b)) for a, b in wire["keys"]),
            products=tuple((str(a), str(b)) for a, b in wire["products"]),
            model=tuple(wire["model"]),
            reason=tuple(wire["reason"]),
            events={code: np.array(v, dtype=np.float64) for code, v in wire["events"].items()},
            slopes={name: np.array(v, dtype=np.float64) for name, v in wire.get("slopes", {}).items()},
            country=wire["country"],
            subdivision=wire["subdivision"],
            **grids,
        )


_SIGNAL_ARRAYS = {
    "mean": "m",
    "weekday_profile": "m",
    "month_profile": "m",
    "holiday_like": "m",
    "level": "m",
    "trend": "m",
    "stores": "m",
    "product_group": "p",
    "product_share": "p",
    "product_level": "p",
    "product_slow": "p",
    "product_weekday": "p",
    "product_stores": "p",
    "product_rate": "p",
    "product_slope": "p",
    "product_doubt": "p",
    "product_line": "p",
}
_LATER = {
    "product_stores": 1, "product_rate": 1, "product_slope": 1, "product_doubt": 1, "product_line": 1,
    "holiday_like": 2,
}  # fmt: skip


def _rounded(grid: Floats) -> Any:
    """Return nested lists with six significant digits: enough for demand, a third of the bytes."""
    flat = [float(f"{value:.6g}") for value in np.asarray(grid, dtype=np.float64).ravel()]
    return np.array(flat).reshape(np.shape(grid)).tolist()

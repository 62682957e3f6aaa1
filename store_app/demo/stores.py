"""The demonstration's stores: the panel's stores pooled into twenty, in five regions.

Rules
-----
1. Every store of the panel is used, none twice.
2. A region is a neighbourhood: stores that the same households visit belong together. Of the stores with
   half a hundredth of all baskets or more, five are anchors: the busiest, then each time the one that shares
   the fewest households with the anchors so far. The others, busiest first, join the region whose
   households they share most. Then stores move to the region their households use most until nothing
   moves. No region may hold more than 1.1 times its even share of the baskets.
3. Within a region each store, busiest first, goes to the store with the fewest baskets so far; four stores.
4. Two stores live on as stores of their own: from two regions, the ones nearest the median size.
5. Names, towns and addresses are invented. No chance is involved: ties go to the lower store number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

REGIONS = 5
STORES_PER_REGION = 4
REGION_CAP = 1.1
ANCHOR_SHARE = 0.005
ROUNDS = 12

REGION_NAMES = ("Harbor Side", "Mill Valley", "Northgate", "Orchard Hills", "Old Town")
STORE_NAMES = (
    ("Anchor Street Corner", "Pier Road Market", "Lighthouse Grocery", "Ferry Lane Store"),
    ("Millrace Corner", "Weaver's Row Market", "Bridge Street Grocery", "Watergate Store"),
    ("Northgate Corner", "Maple Avenue Market", "Station Road Grocery", "Summit Street Store"),
    ("Orchard Lane Corner", "Cider Hill Market", "Blossom Road Grocery", "Pear Tree Store"),
    ("Market Square Corner", "Cobbler's Lane Market", "Chapel Street Grocery", "Clock Tower Store"),
)


@dataclass(frozen=True)
class Region:
    """One neighbourhood of the demonstration: 'R1'..'R5'."""

    id: str
    name: str


@dataclass(frozen=True)
class DemoStore:
    """One store of the demonstration: 'S01'..'S20', and the panel's stores whose baskets it rings up."""

    id: str
    name: str
    region_id: str
    panel_stores: tuple[int, ...]
    slug: str
    address: str
    baskets_per_day: float
    is_live: bool


def neighbourhoods(visits: pd.DataFrame) -> pd.Series:
    """Give every panel store its region number 0..4 (rules 1, 2).

    visits: one row a basket with store_id and household_id. Returns a Series indexed by store_id, busiest
    store first.
    """
    table = visits.groupby(["store_id", "household_id"]).size().unstack(fill_value=0)
    busiest = table.sum(axis=1).reset_index(name="baskets")
    busiest = busiest.sort_values(["baskets", "store_id"], ascending=[False, True])
    shared = table.loc[busiest["store_id"]].to_numpy(dtype=float)
    weight = shared.sum(axis=1)
    cap = REGION_CAP * weight.sum() / REGIONS
    region = _grow(shared, weight, _anchors(shared, weight), cap)
    region = _settle(shared, weight, region, cap)
    order = [int(np.flatnonzero(region == number)[0]) for number in range(REGIONS)]
    rank = {number: place for place, number in enumerate(np.argsort(order))}
    return pd.Series([rank[number] for number in region], index=busiest["store_id"].to_numpy())


def loyalty(visits: pd.DataFrame, region: pd.Series) -> float:
    """Say what share of all baskets was bought in the region its household uses most."""
    counted = visits.assign(region=visits["store_id"].map(region))
    table = counted.groupby(["household_id", "region"]).size().unstack(fill_value=0)
    return float(table.max(axis=1).sum() / len(visits))


def pool(baskets: pd.Series, region: pd.Series, days: int) -> tuple[DemoStore, ...]:
    """Pool the panel's stores into the twenty stores (rules 1, 3, 4).

    baskets: baskets kept per panel store (0 allowed), indexed by store_id. days: days of the panel, for
    baskets_per_day.
    """
    pooled: dict[tuple[int, int], list[int]] = {}
    size: dict[tuple[int, int], int] = {}
    for number in range(REGIONS):
        keys = [(number, place) for place in range(STORES_PER_REGION)]
        pooled.update({key: [] for key in keys})
        size.update(dict.fromkeys(keys, 0))
        stores = [int(store) for store in region.index[region == number]]
        for store in sorted(stores, key=lambda store: (-int(baskets.get(store, 0)), store)):
            smallest = min(keys, key=lambda key: (size[key], len(pooled[key]), key))
            pooled[smallest].append(store)
            size[smallest] += int(baskets.get(store, 0))
    live = _live(size)
    return tuple(
        _store(index, key, pooled[key], size[key] / days, key in live) for index, key in enumerate(sorted(pooled))
    )


# --- inside ---


def _anchors(shared: np.ndarray, weight: np.ndarray) -> list[int]:
    unit = shared / np.linalg.norm(shared, axis=1, keepdims=True)
    alike = unit @ unit.T
    candidates = np.flatnonzero(weight >= ANCHOR_SHARE * weight.sum())
    anchors = [0]
    while len(anchors) < REGIONS:
        left = [int(store) for store in candidates if store not in anchors]
        anchors.append(min(left, key=lambda store: (alike[store, anchors].max().round(9), store)))
    return anchors


def _grow(shared: np.ndarray, weight: np.ndarray, anchors: list[int], cap: float) -> np.ndarray:
    region = np.full(len(weight), -1)
    region[anchors] = range(REGIONS)
    homes = shared[anchors].copy()
    size = weight[anchors].copy()
    for store in range(len(weight)):
        if region[store] < 0:
            chosen = _best(homes.astype(bool) @ shared[store], size, weight[store], cap)
            region[store] = chosen
            homes[chosen] += shared[store]
            size[chosen] += weight[store]
    return region


def _settle(shared: np.ndarray, weight: np.ndarray, region: np.ndarray, cap: float) -> np.ndarray:
    region = region.copy()
    homes = np.stack([shared[region == number].sum(axis=0) for number in range(REGIONS)])
    size = np.array([weight[region == number].sum() for number in range(REGIONS)])
    share = shared / shared.sum(axis=0)
    for _ in range(ROUNDS):
        moved = False
        for store, old in enumerate(region.tolist()):
            homes[old] -= shared[store]
            size[old] -= weight[store]
            chosen = _best(homes @ share[store], size, weight[store], cap)
            region[store] = chosen
            homes[chosen] += shared[store]
            size[chosen] += weight[store]
            moved = moved or chosen != old
        if not moved:
            break
    return region


def _best(score: np.ndarray, size: np.ndarray, weight: float, cap: float) -> int:
    full = size + weight > cap
    return min(range(REGIONS), key=lambda number: (full[number], -score[number].round(9), size[number], number))


def _live(size: dict[tuple[int, int], int]) -> set[tuple[int, int]]:
    median = float(np.median(list(size.values())))
    nearest = sorted(size, key=lambda key: (abs(size[key] - median), key))
    first = nearest[0]
    second = next(key for key in nearest if key[0] != first[0])
    return {first, second}


def _store(index: int, key: tuple[int, int], stores: list[int], per_day: float, is_live: bool) -> DemoStore:
    region, place = key
    name = STORE_NAMES[region][place]
    street = name.removesuffix(" Corner").removesuffix(" Market").removesuffix(" Grocery").removesuffix(" Store")
    return DemoStore(
        id=f"S{index + 1:02d}",
        name=name,
        region_id=f"R{region + 1}",
        panel_stores=tuple(sorted(stores)),
        slug=name.lower().replace("'", "").replace(" ", "-"),
        address=f"{11 + 7 * index} {street}, {REGION_NAMES[region]}",
        baskets_per_day=round(per_day, 2),
        is_live=is_live,
    )

"""What offers and prices made of a day in each shop, as shops tell it, and as a region hands it on.

Rules
-----
1. A shop tells with its forecast, of each aisle, what its own days alone say of an offer and of a price
   (`forecasting.fit.effects.Factors.evidence`): what they are worth, in sales on such days, and that times the slope,
   the change of the logarithm of demand for one more of it. Such pairs add up. The newest word replaces the one before.
2. A slope beyond MOST_SLOPE either way is none that is found in trade, and is left out: an offer that brings more than
   six times as much, a price of which a tenth less does nearly half as much again. Of an aisle a shop counts for
   MOST_WORTH sales at most, so that none decides for a region whose shops tell much.
3. What was told KEPT_DAYS ago and more counts no longer.
"""

import datetime as dt
import math
import sys
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base
from config.errors import Invalid
from pos.store.store import Store

OFFER, PRICE = "on_offer", "price"
FEATURES = (OFFER, PRICE)
MOST_SLOPE = {OFFER: math.log(6.0), PRICE: 4.0}
MOST_WORTH = 200.0
KEPT_DAYS = 56
MOST_AISLES, LONGEST_NAME = 2_000, 200

Pair = tuple[float, float]
"""Worth in sales, and that times the slope."""


class ToldEffect(Base):
    """What a shop told of a feature in an aisle."""

    __tablename__ = "told_effect"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    aisle: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    """One of FEATURES."""
    worth: Mapped[float] = mapped_column(sa.Double)
    moved: Mapped[float] = mapped_column(sa.Double)
    """Worth times the slope."""
    origin_day: Mapped[dt.date]
    """The last day its forecast saw."""


def read(told: Any) -> dict[tuple[str, str], Pair]:
    """Return what a shop tells by aisle and feature, bounded (rule 2); raises Invalid for what cannot be."""
    found: dict[tuple[str, str], Pair] = {}
    if not isinstance(told, Mapping) or len(told) > MOST_AISLES:
        raise _not_told()
    for aisle, features in told.items():
        if not isinstance(features, Mapping) or len(aisle) > LONGEST_NAME or "\0" in aisle:
            raise _not_told()
        for name in FEATURES:
            if name in features and (pair := _bounded(features[name], MOST_SLOPE[name])) is not None:
                found[aisle, name] = pair
    return found


def keep(session: Session, store_id: str, told: Mapping[tuple[str, str], Pair], origin: dt.date) -> None:
    """Keep what was read instead of what a shop told before; origin: the last day its forecast saw."""
    rows = [
        {"store_id": store_id, "aisle": aisle, "feature": name, "worth": worth, "moved": moved, "origin_day": origin}
        for (aisle, name), (worth, moved) in sorted(told.items())
    ]
    session.execute(sa.delete(ToldEffect).where(ToldEffect.store_id == store_id))
    write_many(session, ToldEffect, rows)


def of_region(session: Session, region_id: str, day: dt.date) -> dict[tuple[str, str], dict[str, Pair]]:
    """Return by (region, aisle) and feature the sum of what its shops told by a day (rule 3)."""
    row, found = ToldEffect, dict[tuple[str, str], dict[str, Pair]]()
    query = sa.select(row.aisle, row.feature, sa.func.sum(row.worth), sa.func.sum(row.moved))
    query = query.join(Store, Store.id == row.store_id).where(Store.region_id == region_id)
    query = query.where(row.origin_day > day - dt.timedelta(days=KEPT_DAYS)).group_by(row.aisle, row.feature)
    for aisle, feature, worth, moved in session.execute(query):
        found.setdefault((region_id, aisle), {})[feature] = worth, moved
    return found


def times(signal: Mapping[str, Any] | None, aisle: str) -> float | None:
    """Return how many times as much an aisle sells on offer, as its region's signal hands it on; None: nobody told."""
    slopes = (signal or {}).get("slopes", {}).get(OFFER)
    aisles = [name for _region, name in signal["keys"]] if signal and slopes else []
    return math.exp(slopes[aisles.index(aisle)]) if slopes and aisle in aisles else None


# --- inside ---


def _not_told() -> Invalid:
    words = "What offers brought is told by aisle: what it is worth in sales, and that times the slope."
    return Invalid("told-no-effects", words)


def _bounded(pair: Any, most_slope: float) -> Pair | None:
    """Return a pair by rule 2, None for one that tells nothing; Invalid, too, for a whole number beyond all floats."""
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise _not_told()
    if not all(type(one) in (int, float) and abs(one) <= sys.float_info.max for one in pair):
        raise _not_told()
    worth, moved = float(pair[0]), float(pair[1])
    if worth < 0:
        raise _not_told()
    if worth == 0 or abs(moved) > most_slope * worth:
        return None
    kept = min(worth, MOST_WORTH)
    return kept, moved * (kept / worth)

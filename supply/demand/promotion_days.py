"""On which days a store's products were and will be on offer, and at which price, and what offers and
prices made of them, as stores tell it and as a region hands it on: for its forecast.

Rules
-----
1. A product is on offer where an offer of single products or packs names it that any customer gets: without a coupon,
   not for members alone, not of one batch or of what expires. It holds from the day it was made or begins, whichever is
   later, until its last day or the one somebody ended it on, on its weekdays.
2. The days of a campaign are told as what it is expected to bring (`campaign_uplift`) and not as an offer, too.
3. A price is the store's own from its first own price on, before it the network's; what is typed for later is known
   now.
4. Prices that never change say nothing and are left out. An offer that holds on all these days does not: the level a
   state keeps is that of days without it.
5. A store tells with its forecast, of each category, what its own days alone say of an offer and of a price
   (`forecasting.fit.effects.Factors.evidence`): what they are worth, in sales on such days, and that times the slope,
   the change of the logarithm of demand for one more of it. Such pairs add up. The newest word replaces the one before.
6. A slope beyond MOST_SLOPE either way is none that is found in trade, and is left out: an offer that brings more than
   six times as much, a price of which a tenth less does nearly half as much again. Of a category a store counts for
   MOST_WORTH sales at most, so that none decides for a region whose stores tell much.
7. What was told KEPT_DAYS ago and more counts no longer.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day, day_start
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Price, Product
from pos.catalogue.offers import StandingOffer, as_offer
from pos.pricing.promises import BASKET_KINDS, Offer
from pos.pricing.promotions import Offers
from pos.store.store import Store

if TYPE_CHECKING:
    from forecasting.series.panel import Ahead, DemandPanel, Flags, Floats
import math
import sys
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from config.bulk import write_many
from config.database import Base
from config.errors import Invalid

OFFER, PRICE = "on_offer", "price"
FEATURES = (OFFER, PRICE)
MOST_SLOPE = {OFFER: math.log(6.0), PRICE: 4.0}
MOST_WORTH = 200.0
KEPT_DAYS = 56
MOST_TOP_CATEGORIES, LONGEST_NAME = 2_000, 200

Pair = tuple[float, float]
"""Worth in sales, and that times the slope."""


class ReportedEffect(Base):
    """What a store told of a feature in a category."""

    __tablename__ = "reported_effect"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    top_category: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    """One of FEATURES."""
    worth: Mapped[float] = mapped_column(sa.Double)
    moved: Mapped[float] = mapped_column(sa.Double)
    """Worth times the slope."""
    origin_day: Mapped[dt.date]
    """The last day its forecast saw."""


def reported(
    session: Session, store_id: str, panel: "DemandPanel", ahead: "Ahead", days: int
) -> "tuple[DemandPanel, Ahead]":
    """Return the panel with the offers and prices of its days, and what is known of as many days ahead."""
    on, price = _offered(session, store_id, panel, days), _prices(session, store_id, panel, days)
    if on is not None:
        if panel.lift is not None and ahead.lift is not None:
            on[:, : panel.n_days] &= panel.lift == 1.0
            on[:, panel.n_days :] &= ahead.lift == 1.0
        panel = replace(panel, on_offer=on[:, : panel.n_days])
        ahead = replace(ahead, on_offer=on[:, panel.n_days :])
    if price is not None:
        panel = replace(panel, price=price[:, : panel.n_days])
        ahead = replace(ahead, price=price[:, panel.n_days :])
    return panel, ahead


def named(
    session: Session, store_id: str, sku: str, first: dt.date, last: dt.date, *, made_by: dt.datetime
) -> list[tuple[str, dt.date, dt.date]]:
    """Return a product's offers, made by then, that begin or end between two days: name, first and last day there."""
    product = session.get_one(Product, sku)
    return [
        (offer.name, begins, ends)
        for offer, begins, ends in _standing(session, store_id, first, last, made_by=made_by)
        if (begins, ends) != (first, last)
        and Offers([offer]).of(sku, product.category, product.department, product.brand)
    ]


def read_effects(reported: Any) -> dict[tuple[str, str], Pair]:
    """Return what a store tells by category and feature, bounded (rule 6); raises Invalid for what cannot be."""
    found: dict[tuple[str, str], Pair] = {}
    if not isinstance(reported, Mapping) or len(reported) > MOST_TOP_CATEGORIES:
        raise _not_reported()
    for top_category, features in reported.items():
        if not isinstance(features, Mapping) or len(top_category) > LONGEST_NAME or "\0" in top_category:
            raise _not_reported()
        for name in FEATURES:
            if name in features and (pair := _bounded(features[name], MOST_SLOPE[name])) is not None:
                found[top_category, name] = pair
    return found


def keep_effects(session: Session, store_id: str, reported: Mapping[tuple[str, str], Pair], origin: dt.date) -> None:
    """Keep what was read instead of what a store told before; origin: the last day its forecast saw."""
    rows = [
        {
            "store_id": store_id,
            "top_category": top_category,
            "feature": name,
            "worth": worth,
            "moved": moved,
            "origin_day": origin,
        }
        for (top_category, name), (worth, moved) in sorted(reported.items())
    ]
    session.execute(sa.delete(ReportedEffect).where(ReportedEffect.store_id == store_id))
    write_many(session, ReportedEffect, rows)


def effects_of_region(session: Session, region_id: str, day: dt.date) -> dict[tuple[str, str], dict[str, Pair]]:
    """Return by (region, category) and feature the sum of what its stores told by a day (rule 7)."""
    row, found = ReportedEffect, dict[tuple[str, str], dict[str, Pair]]()
    query = sa.select(row.top_category, row.feature, sa.func.sum(row.worth), sa.func.sum(row.moved))
    query = query.join(Store, Store.id == row.store_id).where(Store.region_id == region_id)
    query = query.where(row.origin_day > day - dt.timedelta(days=KEPT_DAYS)).group_by(row.top_category, row.feature)
    for top_category, feature, worth, moved in session.execute(query):
        found.setdefault((region_id, top_category), {})[feature] = worth, moved
    return found


def effect_times(signal: Mapping[str, Any] | None, top_category: str) -> float | None:
    """Return how many times as much a category sells on offer, as its region's signal hands it on.

    None: nobody told.
    """
    slopes = (signal or {}).get("slopes", {}).get(OFFER)
    top_categories = [name for _region, name in signal["keys"]] if signal and slopes else []
    return math.exp(slopes[top_categories.index(top_category)]) if slopes and top_category in top_categories else None


# --- inside ---


def _standing(
    session: Session, store_id: str, first: dt.date, last: dt.date, *, made_by: dt.datetime | None = None
) -> Iterator[tuple[Offer, dt.date, dt.date]]:
    """Yield the offers of rule 1 that hold between two days, with their days there."""
    store, row = session.get_one(Store, store_id), StandingOffer
    query = sa.select(row).where(
        row.owner_id.in_((store_id, EVERYONE)), row.needs_coupon.is_(False), row.kind.not_in(BASKET_KINDS),
        sa.or_(row.from_day.is_(None), row.from_day <= last), sa.or_(row.until_day.is_(None), row.until_day >= first),
        sa.or_(row.ended_at.is_(None), row.ended_at >= day_start(first, store.tz, store.rollover_hour)),
    ).order_by(row.id)  # fmt: skip
    if made_by is not None:
        query = query.where(row.made_at <= made_by)
    for found in session.scalars(query):
        offer = as_offer(found)
        begins = max(first, business_day(found.made_at, store.tz, store.rollover_hour), offer.from_day or first)
        ends = min(last, offer.until_day or last)
        if found.ended_at is not None:
            ends = min(ends, business_day(found.ended_at, store.tz, store.rollover_hour))
        if begins <= ends and not offer.members_only and not offer.is_bound:
            yield offer, begins, ends


def _offered(session: Session, store_id: str, panel: "DemandPanel", days: int) -> "Flags | None":
    """Return (n, T + days) whether a product is on offer; None where nothing is."""
    import numpy as np

    first, length = panel.first_day, panel.n_days + days
    spells = list(_standing(session, store_id, first, first + dt.timedelta(days=length - 1)))
    if not spells:
        return None
    weekdays = (first.weekday() + np.arange(length)) % 7
    holds = {}
    for offer, begins, ends in spells:
        days_on = np.zeros(length, dtype=np.bool_)
        days_on[(begins - first).days : (ends - first).days + 1] = True
        holds[offer.id] = days_on & (np.isin(weekdays, list(offer.weekdays)) if offer.weekdays else True)
    offers = Offers([offer for offer, _begins, _ends in spells])
    names = sa.select(Product.sku, Product.category, Product.department, Product.brand)
    of = {sku: offers.of(sku, *words) for sku, *words in session.execute(names)}
    on = np.zeros((panel.n_series, length), dtype=np.bool_)
    for row, (_, sku) in enumerate(panel.keys):
        for _place, _part, offer, _sort, _bound in of.get(sku, ()):
            on[row] |= holds[offer.id]
    return on if on.any() else None


def _prices(session: Session, store_id: str, panel: "DemandPanel", days: int) -> "Floats | None":
    """Return (n, T + days) prices, NaN where there is none; None where none changes (rules 3 and 4)."""
    import numpy as np

    first, length = panel.first_day, panel.n_days + days
    place = {sku: row for row, (_, sku) in enumerate(panel.keys)}
    price = np.full((panel.n_series, length), np.nan)
    for scope in (EVERYONE, store_id):
        query = sa.select(Price.sku, Price.from_day, Price.price_minor).where(Price.scope_id == scope)
        for sku, from_day, minor in session.execute(query.order_by(Price.from_day)):
            if sku in place:
                price[place[sku], max(0, (from_day - first).days) :] = minor
    known = np.where(np.isnan(price), np.nanmax(price, axis=1, initial=0.0)[:, None], price)
    return price if (known != known[:, :1]).any() else None


def _not_reported() -> Invalid:
    return Invalid(
        "incomplete-effects",
        "Report promotion effects per category: the value in sales, and the value times the slope.",
    )


def _bounded(pair: Any, most_slope: float) -> Pair | None:
    """Return a pair by rule 6, None for one that tells nothing; Invalid, too, for a whole number beyond all floats."""
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise _not_reported()
    if not all(type(one) in (int, float) and abs(one) <= sys.float_info.max for one in pair):
        raise _not_reported()
    worth, moved = float(pair[0]), float(pair[1])
    if worth < 0:
        raise _not_reported()
    if worth == 0 or abs(moved) > most_slope * worth:
        return None
    kept = min(worth, MOST_WORTH)
    return kept, moved * (kept / worth)

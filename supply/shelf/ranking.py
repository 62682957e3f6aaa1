"""Which products belong on the bestseller shelf, and why: the region's sales beside the store's own.

Rules
-----
1. Sales of the last 28 days up to `day` count, the newest fully, the oldest a twenty-eighth of it. A rate is units a
   day and open store, in thousandths of a portion (one piece, or the price quantity of weighed goods).
2. A product the store carries stands for the mean of its own rate and the region's. One it does not carry is estimated
   from the region: three quarters of its rate there, because nobody asked for it here yet, times how well the store
   sells its category beside the region's stores, drawn towards one the less the store sold of it. Only what at least
   ANONYMOUS stores sold on one day counts there, so that no neighbour's sales can be read off. Where there is no
   region, and for a product of the store's own, which nobody else can sell, the store's own rate counts.
3. Online orders and margin lift a product by up to a half each, a place on an outside list (`external_rankings`) by up
   to a quarter; the margin of a producer's goods is the commission, and where a cost is unknown the median of the
   known.
4. Only products with a price are ranked. Ties go by SKU, so that the same sales give the same shelf.
5. A slot gets facings for two days of sales, DEPTH portions behind each, one to four facings.
6. Of every six slots one is a trial: it goes to a product that has had fewer than `trial.TRIAL_DAYS` days on this
   shelf, by Thompson sampling (`forecasting.experiments.trial`), so that what is new gets the chance its promise
   deserves.
"""

import datetime as dt
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.money import BASIS, divide_half_up
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.producers.producers import Producer, ProducerProduct
from pos.store.store import Store
from supply.demand.history import LEAST_STORES, DailyDemand, RegionalDemand, StoreDay
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.shelf import external_rankings

WINDOW_DAYS = 28
RECENT_DAYS = 7
DEPTH = 6
MOST_FACINGS = 4
ANONYMOUS = LEAST_STORES
"""So many stores must have sold what is shown of a neighbourhood."""
TRIAL_EVERY, MOST_FRESH = 6, 40
PULL_PRIOR, PULL_LEAST, PULL_MOST = 5_000, 5_000, 15_000
"""The prior weighs like five portions a day; the pull lies between a half and one and a half."""
MILLI = 1000


@dataclass(frozen=True)
class Ranked:
    """A product's place. why: region_per_day_milli, own_per_day_milli, online_share_bp, trend_bp, margin_bp, stocked.

    Rates are thousandths of a portion a day; trend is the last week against the three before; margin_bp is None where
    the cost is unknown.
    """

    place: int
    sku: str
    name: str
    score: int
    facings: int
    fill_qty: int
    why: dict[str, Any]


@dataclass
class _Sums:
    """One product's units over the window: weighted, plain, online, of the last week; per open store in thousandths."""

    weighted: int = 0
    plain: int = 0
    online: int = 0
    recent: int = 0
    most_stores: int = 0
    """The most stores that sold it on one day."""


# --- questions ---


def rank(
    session: Session,
    store_id: str,
    *,
    day: dt.date,
    price_day: dt.date | None = None,
    slots: int = 12,
    shown_days: Mapping[str, int] | None = None,
) -> list[Ranked]:
    """Return the best places, at most `slots`, best first, the trials last (rules 1 to 6).

    price_day: whose prices count (day's). shown_days: SKU -> days it has stood on this shelf; None: no trials.
    """
    store = session.get_one(Store, store_id)
    region = _regional(session, store.region_id, day)
    own = _own(session, store_id, day)
    found = _ranked(session, store_id, price_day or day, region, own, set(region) | set(own))
    best = sorted((ranked for ranked in found if ranked.score > 0), key=lambda ranked: (-ranked.score, ranked.sku))
    chosen = best[:slots] if shown_days is None else _with_trials(best, slots, shown_days, store_id, day)
    return [replace(ranked, place=place) for place, ranked in enumerate(chosen, 1)]


def ranked_product(session: Session, store_id: str, sku: str, *, day: dt.date, price_day: dt.date) -> Ranked:
    """Return what the ranking knows of one product, place 0; it may sell nothing, but it must have a price."""
    store = session.get_one(Store, store_id)
    region = _regional(session, store.region_id, day)
    own = _own(session, store_id, day)
    found = _ranked(session, store_id, price_day, region, own, {sku})
    if not found:
        raise Refused("price-missing", "This product has no price here. Set one before it goes on the shelf.", sku=sku)
    return found[0]


# --- inside ---


def _with_trials(
    best: list[Ranked], slots: int, shown_days: Mapping[str, int], store_id: str, day: dt.date
) -> list[Ranked]:
    """Give a sixth of the slots to what is new here, by drawing from what is believed of each (rule 6)."""
    import numpy as np  # what ranks is loaded with every page; its arithmetic only where a shelf is planned

    from forecasting.experiments import trial

    trials = slots // TRIAL_EVERY
    proven = [one for one in best if one.why["stocked"] or shown_days.get(one.sku, 0) >= trial.TRIAL_DAYS]
    firm = proven[: slots - trials]
    taken = {one.sku for one in firm}
    fresh = [one for one in best if one.sku not in taken and shown_days.get(one.sku, 0) < trial.TRIAL_DAYS][:MOST_FRESH]
    if fresh and trials:
        rates = [max(one.why["region_per_day_milli"], one.why["own_per_day_milli"]) / MILLI for one in fresh]
        days = [float(shown_days.get(one.sku, 0)) for one in fresh]
        sold = [one.why["own_per_day_milli"] / MILLI * shown for one, shown in zip(fresh, days, strict=True)]
        value = [one.score / max(1.0, rate * MILLI) for one, rate in zip(fresh, rates, strict=True)]
        belief = trial.believe(np.array(rates), np.array(sold), np.array(days))
        drawn = trial.draw(belief, np.array(value), store_id=store_id, week=day.toordinal() // 7)
        order = sorted(range(len(fresh)), key=lambda n: (-drawn[n], fresh[n].sku))[:trials]
        tried = [replace(fresh[n], why={**fresh[n].why, "trial": True}) for n in order]
    else:
        tried = []
    used = taken | {one.sku for one in tried}
    rest = [one for one in best if one.sku not in used]
    return firm + rest[: slots - len(firm) - len(tried)] + tried


def _pulls(products: Mapping[str, Product], region: Mapping[str, _Sums], own: Mapping[str, _Sums]) -> dict[str, int]:
    """Return category -> how well the store sells it beside the region's stores, in basis points, drawn towards one."""
    here: dict[str, int] = {}
    there: dict[str, int] = {}
    for sku, product in products.items():
        here[product.category] = here.get(product.category, 0) + _rate(own.get(sku, _Sums()).weighted, product)
        if sku in own:
            there[product.category] = there.get(product.category, 0) + _rate(region.get(sku, _Sums()).weighted, product)
    return {
        category: max(PULL_LEAST, min(PULL_MOST, (here.get(category, 0) + PULL_PRIOR) * BASIS // (rate + PULL_PRIOR)))
        for category, rate in there.items()
    }


def _ranked(
    session: Session,
    store_id: str,
    day: dt.date,
    region: Mapping[str, _Sums],
    own: Mapping[str, _Sums],
    skus: set[str],
) -> list[Ranked]:
    prices = catalogue.prices_on(session, store_id, day, sorted(skus))
    products = _products(session, prices)
    stocked = set(session.scalars(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active)))
    ending = sa.select(Listing.sku).where(Listing.store_id == store_id, ~Listing.ordered)
    products = {sku: one for sku, one in products.items() if sku not in set(session.scalars(ending))}
    margins = _margins(session, store_id, products, prices, day)
    usual = int(statistics.median(margins.values())) if margins else 0
    pulls, elsewhere = _pulls(products, region, own), external_rankings.ranks(session, day)
    found = []
    for sku, product in products.items():
        there, here = region.get(sku, _Sums()), own.get(sku, _Sums())
        region_rate = _rate(there.weighted, product)
        own_rate = _rate(here.weighted, product)
        if not region or product.owner_id == store_id:
            rate = own_rate
        elif sku in stocked:
            rate = (own_rate + region_rate) // 2
        else:
            seen = there.most_stores >= ANONYMOUS
            pull_bp = pulls.get(product.category, BASIS)
            rate = region_rate * 3 // 4 * pull_bp // BASIS if seen else 0
            region_rate = region_rate if seen else 0
        both = there if there.plain else here
        online_bp = both.online * BASIS // both.plain if both.plain > 0 else 0
        margin_bp = margins.get(sku)
        lift = BASIS + min(BASIS, max(0, online_bp)) // 2 + _between(margin_bp if margin_bp is not None else usual) // 2
        listed = elsewhere.get(sku)
        lift += listed.weight_bp // 4 if listed else 0
        facings = max(1, min(MOST_FACINGS, -(-2 * rate // (DEPTH * MILLI))))
        why: dict[str, Any] = {
            "region_per_day_milli": region_rate,
            "own_per_day_milli": own_rate,
            "online_share_bp": online_bp,
            "trend_bp": _trend(both),
            "margin_bp": margin_bp,
            "stocked": sku in stocked,
        }
        if listed:
            why |= {"outside": listed.source, "external_rank": listed.place}
        fill_qty = facings * DEPTH * product.price_quantity
        found.append(Ranked(0, sku, product.name, rate * lift // BASIS, facings, fill_qty, why))
    return found


def _products(session: Session, prices: Mapping[str, int]) -> dict[str, Product]:
    products = session.scalars(sa.select(Product).where(Product.active).order_by(Product.sku))
    return {product.sku: product for product in products if product.sku in prices}


def _regional(session: Session, region_id: str, day: dt.date) -> dict[str, _Sums]:
    first = day - dt.timedelta(days=WINDOW_DAYS - 1)
    rows = session.execute(
        sa.select(
            RegionalDemand.sku,
            RegionalDemand.business_day,
            RegionalDemand.sold_qty,
            RegionalDemand.pickup_qty,
            RegionalDemand.stores_open,
            RegionalDemand.stores_selling,
        ).where(RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, day))
    )
    return _add_up(rows, day, WINDOW_DAYS)


def _own(session: Session, store_id: str, day: dt.date) -> dict[str, _Sums]:
    first = day - dt.timedelta(days=WINDOW_DAYS - 1)
    rows = session.execute(
        sa.select(
            DailyDemand.sku,
            DailyDemand.business_day,
            DailyDemand.sold_qty,
            DailyDemand.pickup_qty,
            sa.literal(1),
            sa.literal(1),
        ).where(DailyDemand.store_id == store_id, DailyDemand.business_day.between(first, day))
    )
    closed = session.scalars(
        sa.select(StoreDay.business_day).where(
            StoreDay.store_id == store_id, StoreDay.business_day.between(first, day), StoreDay.open.is_(False)
        )
    ).all()
    return _add_up(rows, day, WINDOW_DAYS, closed)


def _add_up(
    rows: Iterable[tuple[str, dt.date, int, int, int, int]], day: dt.date, days: int, closed: Iterable[dt.date] = ()
) -> dict[str, _Sums]:
    """Return weighted units a day (thousandths, per open store) and plain sums.

    rows: SKU, day, units sold, of these online, stores open, stores that sold it.
    """
    shut = set(closed)
    weights = sum(days - age for age in range(days) if day - dt.timedelta(days=age) not in shut) or 1
    sums: dict[str, _Sums] = {}
    for sku, sold_on, sold, online, stores, selling in rows:
        age = (day - sold_on).days
        entry = sums.setdefault(sku, _Sums())
        entry.weighted += (days - age) * sold * MILLI // max(1, stores)
        entry.plain += sold
        entry.online += online
        entry.most_stores = max(entry.most_stores, selling)
        entry.recent += sold if age < RECENT_DAYS else 0
    for entry in sums.values():
        entry.weighted = max(0, entry.weighted) // weights
    return sums


def _rate(units_milli: int, product: Product) -> int:
    return divide_half_up(units_milli, product.price_quantity)


def _trend(sums: _Sums) -> int:
    """Return the last week's rate against the three weeks before, in basis points, -10,000 to 10,000."""
    before = sums.plain - sums.recent
    if before <= 0:
        return BASIS if sums.recent > 0 else 0
    weeks = WINDOW_DAYS // RECENT_DAYS - 1
    return max(-BASIS, min(BASIS, (sums.recent * weeks - before) * BASIS // before))


def _margins(
    session: Session, store_id: str, products: Mapping[str, Product], prices: Mapping[str, int], day: dt.date
) -> dict[str, int]:
    """Return SKU -> margin in basis points, from the cheapest supplier or a producer's terms; only where known."""
    rows = session.execute(
        sa.select(SupplierProduct.sku, SupplierProduct.pack_qty, SupplierProduct.pack_cost_minor)
        .join(Supplier, Supplier.id == SupplierProduct.supplier_id)
        .where(
            Supplier.owner_id.in_(["*", store_id]),
            sa.or_(SupplierProduct.valid_from.is_(None), SupplierProduct.valid_from <= day),
        )
    )
    margins: dict[str, int] = {}
    for sku, pack_qty, pack_cost_minor in rows:
        if sku not in products or not prices[sku]:
            continue
        cost_minor = divide_half_up(pack_cost_minor * products[sku].price_quantity, pack_qty)
        margin_bp = (prices[sku] - cost_minor) * BASIS // prices[sku]
        margins[sku] = max(margins.get(sku, margin_bp), margin_bp)
    theirs = sa.select(ProducerProduct.sku, Producer.commission_bp).join(
        Producer, sa.and_(Producer.store_id == ProducerProduct.store_id, Producer.id == ProducerProduct.producer_id)
    )
    agreed = session.execute(theirs.where(ProducerProduct.store_id == store_id)).all()
    return margins | {sku: commission_bp for sku, commission_bp in agreed if sku in products}


def _between(margin_bp: int) -> int:
    return max(0, min(BASIS, margin_bp))

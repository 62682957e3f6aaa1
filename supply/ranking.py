"""Which products belong on the bestseller shelf, and why: the region's sales beside the shop's own.

Rules
-----
1. Sales of the last 28 days up to `day` count, the newest fully, the oldest a twenty-eighth of it. A rate is units a
   day and open shop, in thousandths of a portion (one piece, or the price quantity of weighed goods).
2. A product the shop carries stands for the mean of its own rate and the region's; one it does not carry for three
   quarters of the region's, because nobody asked for it here yet. Where there is no region, the shop's own rate counts.
3. Online orders and margin lift a product by up to a half each; where the cost is unknown the margin is taken as the
   median of the known ones.
4. Only products with a price are ranked. Ties go by SKU, so that the same sales give the same shelf.
5. A slot gets facings for two days of sales, DEPTH portions behind each, one to four facings.
"""

import datetime as dt
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.money import BASIS, divide_half_up
from pos import catalogue
from pos.catalogue import Listing, Product
from pos.store import Store
from supply.demand import DailyDemand, RegionalDemand, StoreDay
from supply.suppliers import Supplier, SupplierProduct

WINDOW_DAYS = 28
RECENT_DAYS = 7
DEPTH = 6
MOST_FACINGS = 4
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
    """One product's units over the window: weighted, plain, online, of the last week; per open shop in thousandths."""

    weighted: int = 0
    plain: int = 0
    online: int = 0
    recent: int = 0


# --- questions ---


def rank(
    session: Session, store_id: str, *, day: dt.date, price_day: dt.date | None = None, slots: int = 12
) -> list[Ranked]:
    """Return the best places, at most `slots`, best first (rules 1 to 5); price_day: whose prices count (day's)."""
    store = session.get_one(Store, store_id)
    region = _regional(session, store.region_id, day)
    own = _own(session, store_id, day)
    found = _ranked(session, store_id, price_day or day, region, own, set(region) | set(own))
    best = sorted((ranked for ranked in found if ranked.score > 0), key=lambda ranked: (-ranked.score, ranked.sku))
    return [Ranked(**{**ranked.__dict__, "place": place}) for place, ranked in enumerate(best[:slots], 1)]


def ranked_product(session: Session, store_id: str, sku: str, *, day: dt.date, price_day: dt.date) -> Ranked:
    """Return what the ranking knows of one product, place 0; it may sell nothing, but it must have a price."""
    store = session.get_one(Store, store_id)
    region = _regional(session, store.region_id, day)
    own = _own(session, store_id, day)
    found = _ranked(session, store_id, price_day, region, own, {sku})
    if not found:
        raise Refused("price-missing", "This product has no price here: set one before it goes on the shelf.", sku=sku)
    return found[0]


# --- inside ---


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
    margins = _margins(session, store_id, products, prices, day)
    usual = int(statistics.median(margins.values())) if margins else 0
    found = []
    for sku, product in products.items():
        there, here = region.get(sku, _Sums()), own.get(sku, _Sums())
        region_rate = _rate(there.weighted, product)
        own_rate = _rate(here.weighted, product)
        if not region:
            rate = own_rate
        elif sku in stocked:
            rate = (own_rate + region_rate) // 2
        else:
            rate = region_rate * 3 // 4
        both = there if there.plain else here
        online_bp = both.online * BASIS // both.plain if both.plain > 0 else 0
        margin_bp = margins.get(sku)
        lift = BASIS + min(BASIS, max(0, online_bp)) // 2 + _between(margin_bp if margin_bp is not None else usual) // 2
        facings = max(1, min(MOST_FACINGS, -(-2 * rate // (DEPTH * MILLI))))
        why = {
            "region_per_day_milli": region_rate,
            "own_per_day_milli": own_rate,
            "online_share_bp": online_bp,
            "trend_bp": _trend(both),
            "margin_bp": margin_bp,
            "stocked": sku in stocked,
        }
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
        ).where(DailyDemand.store_id == store_id, DailyDemand.business_day.between(first, day))
    )
    closed = session.scalars(
        sa.select(StoreDay.business_day).where(
            StoreDay.store_id == store_id, StoreDay.business_day.between(first, day), StoreDay.open.is_(False)
        )
    ).all()
    return _add_up(rows, day, WINDOW_DAYS, closed)


def _add_up(
    rows: Iterable[tuple[str, dt.date, int, int, int]], day: dt.date, days: int, closed: Iterable[dt.date] = ()
) -> dict[str, _Sums]:
    """Return weighted units a day (thousandths, per open shop) and plain sums; rows: sku, day, sold, online, shops."""
    shut = set(closed)
    weights = sum(days - age for age in range(days) if day - dt.timedelta(days=age) not in shut) or 1
    sums: dict[str, _Sums] = {}
    for sku, sold_on, sold, online, shops in rows:
        age = (day - sold_on).days
        entry = sums.setdefault(sku, _Sums())
        entry.weighted += (days - age) * sold * MILLI // max(1, shops)
        entry.plain += sold
        entry.online += online
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
    """Return SKU -> margin on the shelf price in basis points, from the cheapest supplier; only where it is known."""
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
    return margins


def _between(margin_bp: int) -> int:
    return max(0, min(BASIS, margin_bp))

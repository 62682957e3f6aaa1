"""What a promotion is expected to bring before it is made: sales and margin by store, stock, and whether it can be
measured.

Rules
-----
1. What a store usually sells a day is what is kept of it (`stockouts.keep_rates`): the mean of the first week of its
   forecast, else its own sales of the last weeks. Where it sells none, it is what the stores that sell it sell on
   average, and the row says so.
2. Expected are so many days of that, times what the promotion brings: what the operator typed; of a price promotion
   what stores' own past ones brought in the category (`promotion_days`), of its region; where nobody told, what
   campaigns usually bring (`campaigns.usual_uplift_bp`). Which it was stands beside the figure.
3. Sales are at the store's price less the discount, with tax; the margin is the net price less the network's cost.
   What has no price counts for nothing; what has no cost has no margin, and the store's sum says so by being partial.
4. What a promotion needs of the warehouse is what its stores are expected to sell beyond what they have and await.
5. Whether a hold-out can show anything is said by what the stores' own sales of these products did from one such period
   to the next, PAIRS times (`forecasting.experiments.power`), against the uplift that is expected.

Units: *_minor minor units, *_bp basis points, quantities in stock units.
"""

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from config.ids import NETWORK
from config.money import BASIS
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Price, Product, TaxClass
from pos.store.store import Store
from supply.demand import history, promotion_days
from supply.demand.history import SellingRate
from supply.demand.promotion_days import OFFER, Pair
from supply.network.offers import campaigns
from supply.network.warehouse import dispatch
from supply.orders import purchases
from supply.orders.suppliers import Supplier, SupplierProduct, costs_begun, warehouses
from supply.replenishment import stockouts

PAIRS = 4
SOURCES = ("typed", "learnt", "usual", "none")
"""Whence an uplift: typed, learnt from stores' own past promotions, usual of campaigns, or none is expected."""


@dataclass(frozen=True)
class Promoted:
    """A product of a promotion. percent_bp: off its price; uplift_bp None: as it is known (rule 2)."""

    sku: str
    percent_bp: int = 0
    uplift_bp: int | None = None


@dataclass(frozen=True)
class AtStore:
    """A store's part: sales with tax and margin over the days, usual and with the promotion.

    partial: some product has no known cost; borrowed: some product it does not sell is taken from other stores.
    """

    store_id: str
    name: str
    usual_minor: int
    expected_minor: int
    usual_margin_minor: int
    expected_margin_minor: int
    partial: bool
    borrowed: bool
    expected_qty: float
    """Units of all its products together: of use where there is one."""


@dataclass(frozen=True)
class OfProduct:
    """A product's part over all stores. need_qty: of the warehouses (rule 4); there_qty: promised to nobody there."""

    sku: str
    name: str
    stock_unit: str
    portion: int
    usual_qty: int
    expected_qty: int
    uplift_bp: int
    source: str
    need_qty: int
    there_qty: int
    coming_qty: int


@dataclass(frozen=True)
class Power:
    """Whether a hold-out can show the effect (rule 5).

    verdict: enough; blind (only an effect of `least` would be seen); few (too few stores in a group); unknown (no
    sales to judge by). needed: (asked, held out) that would do; None where none would.
    """

    verdict: str
    asked: int
    held: int
    effect: float
    spread: float | None
    least: float | None
    needed: tuple[int, int] | None


@dataclass(frozen=True)
class Expectation:
    """What a promotion is expected to bring in so many days."""

    days: int
    stores: tuple[AtStore, ...]
    products: tuple[OfProduct, ...]

    @property
    def uplift(self) -> float:
        """By how much more is expected to sell, in portions of all products, as it is measured afterwards."""
        usual = sum(one.usual_qty / one.portion for one in self.products)
        return sum(one.expected_qty / one.portion for one in self.products) / usual - 1 if usual else 0.0

    @property
    def usual_minor(self) -> int:
        """Usual sales of all stores."""
        return sum(one.usual_minor for one in self.stores)

    @property
    def expected_minor(self) -> int:
        """Expected sales of all stores."""
        return sum(one.expected_minor for one in self.stores)

    @property
    def usual_margin_minor(self) -> int:
        """Usual margin of all stores."""
        return sum(one.usual_margin_minor for one in self.stores)

    @property
    def expected_margin_minor(self) -> int:
        """Expected margin of all stores."""
        return sum(one.expected_margin_minor for one in self.stores)


# --- questions ---


def expected(
    session: Session, promoted: Sequence[Promoted], store_ids: Collection[str], *, days: int, at: dt.datetime
) -> Expectation:
    """Return what products on promotion are expected to bring at some stores (rules 1 to 4)."""
    stores = session.execute(
        sa.select(Store.id, Store.name, Store.region_id).where(among(session, Store.id, store_ids)).order_by(Store.name)
    ).all()
    terms = _read(session, promoted, [one.id for one in stores], {one.region_id for one in stores}, days, at)
    parts = {one.id: [_part(terms, thing, one.id, one.region_id) for thing in promoted] for one in stores}
    rows = []
    for one in stores:
        mine = parts[one.id]
        money = [round(sum(part.minor[n] for part in mine)) for n in range(4)]
        partial, borrowed = any(part.partial for part in mine), any(part.borrowed for part in mine)
        rows.append(
            AtStore(
                one.id,
                one.name,
                money[0],
                money[1],
                money[2],
                money[3],
                partial,
                borrowed,
                sum(part.expected for part in mine),
            )
        )
    there = _warehouses(session, terms.skus, at)
    products = []
    for n, thing in enumerate(promoted):
        mine, product = [some[n] for some in parts.values()], terms.products[thing.sku][0]
        usual, more = sum(part.usual for part in mine), sum(part.expected for part in mine)
        lifts = list(terms.lifts[thing.sku].values())
        lift_bp = round(BASIS * (more / usual - 1)) if usual else lifts[0][0] if lifts else 0
        source = min((one for _, one in lifts), key=SOURCES.index, default="none")
        need = math.ceil(round(sum(part.need for part in mine), 6))
        products.append(
            OfProduct(thing.sku, product.shown, product.stock_unit, product.price_quantity, round(usual), round(more),
                      lift_bp, source, need, *there[thing.sku])
        )  # fmt: skip
    return Expectation(days, tuple(rows), tuple(products))


def power(
    session: Session, skus: Collection[str], store_ids: Sequence[str], *, days: int, hold_out_bp: int, effect: float,
    today: dt.date,
) -> Power:  # fmt: skip
    """Return whether a hold-out of some stores can show an effect (rule 5)."""
    from forecasting.experiments import power as arithmetic
    from forecasting.experiments.uplift import LEAST

    held = campaigns.held_count(len(store_ids), hold_out_bp)
    asked = len(store_ids) - held
    spread = _spread(session, skus, store_ids, days, today)
    share = hold_out_bp / BASIS if hold_out_bp else 0.25
    needed = None if spread is None else arithmetic.stores_needed(spread, effect, share)
    least = None if spread is None else arithmetic.detectable(spread, asked, held)
    if min(asked, held) < LEAST:
        verdict = "few"
    elif least is None:
        verdict = "unknown"
    else:
        verdict = "enough" if least <= effect else "blind"
    return Power(verdict, asked, held, effect, spread, least, needed)


# --- inside ---


@dataclass(frozen=True)
class _Terms:
    """What is known of the products: rates and elsewhere a day, prices by scope, cost of a unit, uplift by region."""

    skus: list[str]
    days: int
    products: Mapping[str, tuple[Product, TaxClass]]
    rates: Mapping[tuple[str, str], float]
    elsewhere: Mapping[str, float]
    prices: Mapping[tuple[str, str], int]
    costs: Mapping[str, float]
    lifts: Mapping[str, Mapping[str, tuple[int, str]]]
    have: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class _Part:
    """A product at a store, in units; minor: sales usual and expected, then margin usual and expected."""

    usual: float
    expected: float
    need: float
    minor: tuple[float, float, float, float]
    partial: bool
    borrowed: bool


def _read(
    session: Session, promoted: Sequence[Promoted], store_ids: Sequence[str], regions: Collection[str], days: int,
    at: dt.datetime,
) -> _Terms:  # fmt: skip
    today, skus = at.date(), [one.sku for one in promoted]
    query = sa.select(Product, TaxClass).join(TaxClass, TaxClass.id == Product.tax_class_id)
    products = {row.sku: (row, tax) for row, tax in session.execute(query.where(Product.sku.in_(skus)))}
    effects = {region: promotion_days.effects_of_region(session, region, today) for region in regions}
    usual_bp = campaigns.usual_uplift_bp(session)
    lifts = {
        one.sku: {region: _uplift(one, products[one.sku][0], region, effects[region], usual_bp) for region in regions}
        for one in promoted
    }
    rates, elsewhere = _rates(session, skus, store_ids)
    have = stockouts.positions(session, today, stores=store_ids, skus=skus)
    return _Terms(
        skus, days, products, rates, elsewhere, _prices(session, skus, today), _costs(session, skus, today), lifts, have
    )


def _part(terms: _Terms, one: Promoted, store_id: str, region: str) -> _Part:
    product, tax = terms.products[one.sku]
    rate, cost = terms.rates.get((store_id, one.sku), 0.0), terms.costs.get(one.sku)
    usual = terms.days * (rate if rate > 0 else terms.elsewhere[one.sku])
    more = usual * (1 + terms.lifts[one.sku][region][0] / BASIS)
    price = terms.prices.get((store_id, one.sku), terms.prices.get((EVERYONE, one.sku)))
    sales, margins = [0.0, 0.0], [0.0, 0.0]
    if price is not None:
        for n, (qty, unit_minor) in enumerate(((usual, price), (more, price * (BASIS - one.percent_bp) / BASIS))):
            taxed = (BASIS + tax.rate_bp) / BASIS
            gross, net = (unit_minor, unit_minor / taxed) if tax.inclusive else (unit_minor * taxed, unit_minor)
            sales[n] = qty / product.price_quantity * gross
            margins[n] = 0.0 if cost is None else qty / product.price_quantity * net - qty * cost
    need = max(0.0, more - max(0, terms.have.get((store_id, one.sku), 0)))
    borrowed = rate <= 0 < terms.elsewhere[one.sku]
    return _Part(
        usual, more, need, (sales[0], sales[1], margins[0], margins[1]), price is not None and cost is None, borrowed
    )


def _rates(
    session: Session, skus: Sequence[str], store_ids: Collection[str]
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Return what stores sell a day, and what those that sell it sell on average, of all stores (rule 1)."""
    row = SellingRate
    query = sa.select(row.store_id, row.sku, row.per_day).where(
        row.sku.in_(skus), among(session, row.store_id, store_ids)
    )
    rates = {(store, sku): float(per_day) for store, sku, per_day in session.execute(query)}
    mean = sa.select(row.sku, sa.func.avg(row.per_day)).where(row.sku.in_(skus), row.per_day > 0).group_by(row.sku)
    return rates, dict.fromkeys(skus, 0.0) | {sku: float(per_day) for sku, per_day in session.execute(mean)}


def _prices(session: Session, skus: Sequence[str], day: dt.date) -> dict[tuple[str, str], int]:
    """Return the price in force by scope, a store's or EVERYONE's, and SKU."""
    query = sa.select(Price.scope_id, Price.sku, Price.price_minor).where(Price.sku.in_(skus), Price.from_day <= day)
    return {(scope, sku): minor for scope, sku, minor in session.execute(query.order_by(Price.from_day))}


def _costs(session: Session, skus: Sequence[str], day: dt.date) -> dict[str, float]:
    """Return what a stock unit costs the stores on the network's list, where it is cheapest."""
    row = SupplierProduct
    query = sa.select(row.supplier_id, row.sku, row.pack_qty, row.pack_cost_minor).join(
        Supplier, Supplier.id == row.supplier_id
    )
    rows = session.execute(query.where(Supplier.kind == NETWORK, Supplier.active, row.sku.in_(skus))).all()
    begun = costs_begun(session, sorted({one.supplier_id for one in rows}), day)
    found: dict[str, float] = {}
    for supplier_id, sku, pack_qty, minor in rows:
        unit = begun.get((supplier_id, sku), minor) / pack_qty
        found[sku] = min(unit, found.get(sku, unit))
    return found


def _uplift(
    one: Promoted, product: Product, region: str, effects: Mapping[tuple[str, str], Mapping[str, Pair]], usual_bp: int
) -> tuple[int, str]:
    """Return what a promotion brings of a product in a region, and whence that is known (rule 2)."""
    if one.uplift_bp is not None:
        proposed = usual_bp // 100 * 100  # as the form proposes it, in whole percent
        return one.uplift_bp, "none" if not one.uplift_bp else "usual" if one.uplift_bp == proposed else "typed"
    top = history.top_category(product.department, product.category, product.stock_unit)
    worth, moved = effects.get((region, top), {}).get(OFFER, (0.0, 0.0))
    return (round(BASIS * math.expm1(moved / worth)), "learnt") if worth > 0 else (usual_bp, "usual")


def _warehouses(session: Session, skus: Sequence[str], at: dt.datetime) -> dict[str, tuple[int, int]]:
    """Return what is promised to nobody in all warehouses, and what they await, by SKU."""
    free = dispatch.free_stock(session, at, skus)
    coming = [purchases.to_come(session, house, at.date()) for house in warehouses(session)]
    return {
        sku: (
            sum(max(0, qty) for (_, one), qty in free.items() if one == sku),
            sum(some.get(sku, 0) for some in coming),
        )
        for sku in skus
    }


def _spread(
    session: Session, skus: Collection[str], store_ids: Sequence[str], days: int, today: dt.date
) -> float | None:
    """Return how far stores' sales of products went apart from one period of so many days to the next (rule 5)."""
    import numpy as np

    from forecasting.experiments import power as arithmetic

    newest = history.whole_day(session, today)
    if newest is None or not store_ids:
        return None
    ends = [newest - dt.timedelta(days=n * days) for n in range(PAIRS + 1)]
    sums = [
        campaigns.portions_sold(session, skus, store_ids, end - dt.timedelta(days=days - 1), end + dt.timedelta(days=1))
        for end in ends
    ]
    while sums and not sums[-1]:
        sums.pop()
    if len(sums) < 2:
        return None

    pairs = list(zip(sums[1:], sums[:-1], strict=True))
    rows = [
        [[one.get(store, 0.0) if store in earlier or store in later else np.nan for store in store_ids]
         for one in (earlier, later)]
        for earlier, later in pairs
    ]  # fmt: skip
    grid = np.array(rows, dtype=np.float64)
    return arithmetic.spread(grid[:, 0], grid[:, 1])

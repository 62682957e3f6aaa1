"""The store's online shop, as the network serves it: what can be ordered, within the allowance the store published.

Rules
-----
1. The store is the authority on its stock. It publishes per product how many units may be promised; the network
   sells against that and never more (an order takes from it in one conditional update).
2. A newer allowance replaces an older one, less what was ordered since it was made: taken is the sum over the living
   orders the store had not seen when it counted.
3. Prices are the till's: the store publishes them with the allowance.
4. The allowance is what is available less the shopkeeper's hold-back and a safety share, because records are never
   quite right. Weighed goods are sold in steps of a tenth of their price quantity; age-restricted goods may be
   ordered and the age is checked at the counter.
5. A publication leaves only when something a customer would notice has changed: a price, a rank, a product coming or
   going, a scarce allowance by any unit, a plentiful one by more than a quarter.

Units: qty in the product's stock unit; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import outbox
from config.clock import as_utc, business_day
from config.database import Base, lock_rows
from config.errors import NotFound, Refused
from config.ids import new_id
from config.journal import Actor, record
from config.money import BASIS
from config.node import NETWORK
from pos import catalogue, pricing, stock
from pos.catalogue import Listing, Product
from pos.store import Store
from supply import shelf
from supply.online_facts import SHOP_PUBLISHED, Offer, ShopPublished
from supply.pickup_order import GIVEN_BACK, PickupLine, PickupOrder, price

SCARCE_STEPS = 12
"""Below so many steps every unit counts for a customer (rule 5)."""
LINE_STEPS = 99
"""The most steps one order line may have, where the product sets no maximum."""


@dataclass(frozen=True)
class ShopPolicy:
    """How careful the online promise is. safety_bp: share of the available units never promised online."""

    safety_bp: int = 1_000


class ShopFront(Base):
    """One store's online shop as a whole: open or not, its editions, its order numbers."""

    __tablename__ = "shop_front"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    taking_orders: Mapped[bool] = mapped_column(default=True)
    edition: Mapped[int] = mapped_column(default=0)
    """At the store: the last edition published. At the network: the newest one taken."""
    last_order_no: Mapped[int] = mapped_column(default=0)
    """At the network: the number of the last order placed."""


class ShopOffer(Base):
    """A product in a store's online shop: price, allowance, and how much of it was taken since."""

    __tablename__ = "shop_offer"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    price_minor: Mapped[int]
    allowance_qty: Mapped[int]
    taken_qty: Mapped[int] = mapped_column(default=0)
    shelf_rank: Mapped[int | None]
    """Slot on the live bestseller shelf."""
    published_at: Mapped[dt.datetime]
    listed: Mapped[bool] = mapped_column(default=True)
    edition: Mapped[int] = mapped_column(default=0)
    """The publication this offer is from; a late older one is passed over."""
    seen_through: Mapped[int] = mapped_column(default=0)
    """The allowance leaves out the orders numbered up to here …"""
    seen_also: Mapped[list[Any]] = mapped_column(default=list)
    """… and these."""


@dataclass(frozen=True)
class Ware:
    """A product as a customer sees it. left_qty: what can still be ordered; step_qty: the smallest portion."""

    sku: str
    name: str
    brand: str
    category: str
    pack_text: str
    stock_unit: str
    price_minor: int
    price_quantity: int
    minimum_age: int | None
    maximum_qty: int | None
    left_qty: int
    step_qty: int
    shelf_rank: int | None


# --- verbs, store ---


def publish(
    session: Session, store_id: str, *, at: dt.datetime, policy: ShopPolicy = ShopPolicy()
) -> ShopPublished | None:
    """Tell the network what may be promised now; None when nothing a customer would notice has changed (rule 5)."""
    store = _store(session, store_id)
    front = _front(session, store_id)
    known = {offer.sku: offer for offer in session.scalars(sa.select(ShopOffer).where(ShopOffer.store_id == store_id))}
    through, also = _seen(session, store_id, max((offer.seen_through for offer in known.values()), default=0))
    today = business_day(at, store.tz, store.rollover_hour)
    fresh = _offers_now(session, store_id, today, policy)
    gone = [
        Offer(sku, offer.price_minor, 0, None, listed=False)
        for sku, offer in sorted(known.items())
        if offer.listed and sku not in fresh
    ]
    steps = _steps(session, fresh)
    changed = [offer for sku, offer in sorted(fresh.items()) if _differs(known.get(sku), offer, steps[sku])] + gone
    if not changed and front.edition:
        return None
    # Rising even after a restore from a copy: an edition is the time in milliseconds, or one more than the last.
    front.edition = max(front.edition + 1, int(as_utc(at).timestamp() * 1000))
    fact = ShopPublished(
        store_id=store_id,
        edition=front.edition,
        taking_orders=front.taking_orders,
        published_at=_text(at),
        seen_through=through,
        seen_also=also,
        offers=tuple(changed),
    )
    _keep(session, fact, known, at)
    _send(session, fact, today, at)
    return fact


def set_taking_orders(session: Session, store_id: str, taking: bool, *, actor: Actor, at: dt.datetime) -> None:
    """Open or close the store's online shop; what was ordered before stays ordered."""
    store = _store(session, store_id)
    front = _front(session, store_id)
    if front.taking_orders == taking:
        return
    front.taking_orders = taking
    front.edition = max(front.edition + 1, int(as_utc(at).timestamp() * 1000))
    record(session, actor=actor, at=at, verb="shop.opened" if taking else "shop.closed", subject=f"shop:{store_id}")
    through, also = _seen(session, store_id, 0)
    fact = ShopPublished(store_id, front.edition, taking, _text(at), through, also, ())
    _send(session, fact, business_day(at, store.tz, store.rollover_hour), at)


# --- verbs, network ---


def take_offers(session: Session, store_id: str, fact: ShopPublished) -> None:
    """Take over what a store published (rule 2); older editions of an offer are passed over."""
    front = _front(session, store_id)
    if fact.edition > front.edition:
        front.edition, front.taking_orders = fact.edition, fact.taking_orders
    skus = [offer.sku for offer in fact.offers]
    known = _lock(session, store_id, skus)
    newer = {
        offer.sku: offer for offer in fact.offers if offer.sku not in known or known[offer.sku].edition < fact.edition
    }
    at = dt.datetime.fromisoformat(fact.published_at)
    _keep(session, ShopPublished(**{**fact.__dict__, "offers": tuple(newer.values())}), known, at)
    session.flush()
    recount(session, store_id, newer)


def recount(session: Session, store_id: str, skus: Iterable[str]) -> None:
    """Set what was taken from each allowance anew, from the living orders its publication had not seen (rule 2)."""
    offers = _lock(session, store_id, skus)
    taken = taken_by_orders(session, store_id, offers)
    for sku, offer in offers.items():
        offer.taken_qty = taken.get(sku, 0)
    session.flush()


def next_number(session: Session, store_id: str) -> int:
    """Return the number of the next order of a store, given once."""
    update = (
        sa.update(ShopFront)
        .where(ShopFront.store_id == store_id)
        .values(last_order_no=ShopFront.last_order_no + 1)
        .returning(ShopFront.last_order_no)
        .execution_options(synchronize_session=False)
    )
    return session.execute(update).scalar_one()


def number_used(session: Session, store_id: str, number: int) -> None:
    """Note that an order number is taken: a network restored from a copy learns it from the store."""
    front = _front(session, store_id)
    front.last_order_no = max(front.last_order_no, number)


def take(session: Session, store_id: str, lines: Sequence[tuple[str, int]]) -> None:
    """Take the lines of one order from the allowances, all or none; names every line that is short.

    One conditional update a line, in one lock order: of many customers at once only those within the allowance get
    through.
    """
    short: list[tuple[str, int]] = []
    for sku, qty in sorted(lines):
        update = (
            sa.update(ShopOffer)
            .where(
                ShopOffer.store_id == store_id,
                ShopOffer.sku == sku,
                ShopOffer.listed,
                ShopOffer.allowance_qty - ShopOffer.taken_qty >= qty,
            )
            .values(taken_qty=ShopOffer.taken_qty + qty)
            .returning(ShopOffer.sku)
            .execution_options(synchronize_session=False)
        )
        if session.execute(update).first() is None:
            short.append((sku, qty))
    if not short:
        return
    left = {ware.sku: ware for ware in wares(session, store_id, [sku for sku, _ in short])}
    lines_short = [
        {"sku": sku, "name": left[sku].name, "wanted": qty, "available": left[sku].left_qty}
        if sku in left
        else {"sku": sku, "name": sku, "wanted": qty, "available": 0}
        for sku, qty in short
    ]
    names = ", ".join(f"{line['name']} (wanted {line['wanted']}, left {line['available']})" for line in lines_short)
    raise Refused("not-available", f"The shop cannot promise this many just now: {names}.", short=lines_short)


# --- questions ---


def is_taking_orders(session: Session, store_id: str) -> bool:
    """Tell whether customers may order here: the shopkeeper has published offers and has not closed the shop."""
    front = session.get(ShopFront, store_id)
    return front is not None and front.edition > 0 and front.taking_orders


def listing(
    session: Session,
    store_id: str,
    *,
    text: str = "",
    category: str | None = None,
    limit: int = 60,
    offset: int = 0,
) -> list[Ware]:
    """Return what the online shop shows: first what is in stock, the bestseller shelf in its order, then by name.

    text looks in names, brands, categories and pinyin, every word must occur; its letters mean themselves.
    """
    query = _wares(store_id)
    for word in text.casefold().split():
        query = query.where(Product.search_text.contains(word, autoescape=True))
    if category:
        query = query.where(Product.category == category)
    left = ShopOffer.allowance_qty - ShopOffer.taken_qty
    query = query.order_by(
        sa.case((left > 0, 0), else_=1),
        sa.case((ShopOffer.shelf_rank.is_(None), 1), else_=0),
        ShopOffer.shelf_rank,
        Product.name,
        Product.sku,
    )
    return [_ware(offer, product) for offer, product in session.execute(query.limit(limit).offset(offset))]


def categories(session: Session, store_id: str) -> list[tuple[str, int]]:
    """Return the categories of the online shop with how many products each has, by name."""
    rows = session.execute(
        sa.select(Product.category, sa.func.count())
        .join(ShopOffer, ShopOffer.sku == Product.sku)
        .where(ShopOffer.store_id == store_id, ShopOffer.listed)
        .group_by(Product.category)
        .order_by(Product.category)
    )
    return [(name, count) for name, count in rows]


def product(session: Session, store_id: str, sku: str) -> Ware:
    """Return one product of the online shop."""
    found = wares(session, store_id, [sku])
    if not found:
        raise NotFound("not-sold-online", "This product is not in this online shop. Look for another one.", sku=sku)
    return found[0]


def wares(session: Session, store_id: str, skus: Iterable[str]) -> list[Ware]:
    """Return the named products, those that are in the online shop, by SKU."""
    query = _wares(store_id).where(ShopOffer.sku.in_(list(skus))).order_by(ShopOffer.sku)
    return [_ware(offer, product) for offer, product in session.execute(query)]


def quote(session: Session, store_id: str, lines: Sequence[tuple[str, int]]) -> pricing.PricedBasket:
    """Return lines, tax and total at the published prices, as the till will ring them."""
    prices = {ware.sku: ware.price_minor for ware in wares(session, store_id, [sku for sku, _ in lines])}
    return price(session, lines, prices)


def step_of(product: Product) -> int:
    """Return the smallest portion sold online (rule 4)."""
    return 1 if product.stock_unit == "each" else max(1, product.price_quantity // 10)


def taken_by_orders(session: Session, store_id: str, offers: Mapping[str, ShopOffer]) -> dict[str, int]:
    """Return per SKU what living orders hold that the offer's publication had not seen (rule 2)."""
    if not offers:
        return {}
    lines = session.execute(
        sa.select(PickupOrder.number, PickupLine.sku, sa.func.coalesce(PickupLine.picked_qty, PickupLine.qty))
        .join(PickupLine, sa.and_(PickupLine.store_id == PickupOrder.store_id, PickupLine.order_id == PickupOrder.id))
        .where(
            PickupOrder.store_id == store_id,
            PickupOrder.state.not_in(GIVEN_BACK),
            PickupOrder.number > min(offer.seen_through for offer in offers.values()),
            PickupLine.sku.in_(list(offers)),
        )
    )
    taken: dict[str, int] = {}
    for number, sku, qty in lines:
        offer = offers[sku]
        if number > offer.seen_through and number not in offer.seen_also:
            taken[sku] = taken.get(sku, 0) + qty
    return taken


# --- inside ---


def _store(session: Session, store_id: str) -> Store:
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-shop", "There is no such shop. Check the address.", store=store_id)
    return store


def _front(session: Session, store_id: str) -> ShopFront:
    front = session.get(ShopFront, store_id)
    if front is None:
        front = ShopFront(store_id=store_id, taking_orders=True, edition=0, last_order_no=0)
        session.add(front)
    return front


def _offers_now(session: Session, store_id: str, today: dt.date, policy: ShopPolicy) -> dict[str, Offer]:
    rows = session.execute(
        sa.select(Product, Listing.hold_back_qty)
        .join(Listing, Listing.sku == Product.sku)
        .where(Listing.store_id == store_id, Listing.active, Product.active)
    ).all()
    skus = [product.sku for product, _ in rows]
    prices = catalogue.prices_on(session, store_id, today, skus)
    levels = stock.levels(session, store_id, skus)
    ranks = shelf.ranks(session, store_id)
    offers = {}
    for product, hold_back_qty in rows:
        price_minor = prices.get(product.sku)
        if price_minor is None:
            continue
        level = levels.get(product.sku)
        free = max(0, (level.available if level else 0) - hold_back_qty)
        free -= free * policy.safety_bp // BASIS
        free -= free % step_of(product)
        offers[product.sku] = Offer(product.sku, price_minor, free, ranks.get(product.sku), listed=True)
    return offers


def _steps(session: Session, skus: Iterable[str]) -> dict[str, int]:
    products = session.scalars(sa.select(Product).where(Product.sku.in_(list(skus))))
    return {product.sku: step_of(product) for product in products}


def _differs(known: ShopOffer | None, fresh: Offer, step_qty: int) -> bool:
    if known is None:
        return True
    if (known.listed, known.price_minor, known.shelf_rank) != (fresh.listed, fresh.price_minor, fresh.shelf_rank):
        return True
    gap = abs(known.allowance_qty - fresh.allowance_qty)
    scarce = min(known.allowance_qty, fresh.allowance_qty) <= SCARCE_STEPS * step_qty
    return gap > 0 if scarce else 4 * gap > known.allowance_qty


def _seen(session: Session, store_id: str, through: int) -> tuple[int, tuple[int, ...]]:
    numbers = session.scalars(
        sa.select(PickupOrder.number)
        .where(PickupOrder.store_id == store_id, PickupOrder.number > through)
        .order_by(PickupOrder.number)
    ).all()
    also = []
    for number in numbers:
        if number == through + 1:
            through = number
        else:
            also.append(number)
    return through, tuple(also)


def _lock(session: Session, store_id: str, skus: Iterable[str]) -> dict[str, ShopOffer]:
    query = (
        sa.select(ShopOffer)
        .where(ShopOffer.store_id == store_id, ShopOffer.sku.in_(list(skus)))
        .order_by(ShopOffer.sku)
        .execution_options(populate_existing=True)
    )
    return {offer.sku: offer for offer in session.scalars(lock_rows(session, query))}


def _keep(session: Session, fact: ShopPublished, known: Mapping[str, ShopOffer], at: dt.datetime) -> None:
    for offer in fact.offers:
        row = known.get(offer.sku)
        if row is None:
            row = ShopOffer(store_id=fact.store_id, sku=offer.sku, taken_qty=0)
            session.add(row)
        row.price_minor, row.allowance_qty = offer.price_minor, offer.allowance_qty
        row.shelf_rank, row.listed = offer.shelf_rank, offer.listed
        row.published_at, row.edition = at, fact.edition
        row.seen_through, row.seen_also = fact.seen_through, list(fact.seen_also)


def _send(session: Session, fact: ShopPublished, today: dt.date, at: dt.datetime) -> None:
    outbox.append(
        session,
        to_node=NETWORK,
        topic=SHOP_PUBLISHED,
        version=1,
        body=fact.to_body(),
        id=new_id(),
        subject=f"shop:{fact.store_id}",
        business_day=today,
        at=at,
    )


def _wares(store_id: str) -> sa.Select[ShopOffer, Product]:
    return (
        sa.select(ShopOffer, Product)
        .join(Product, Product.sku == ShopOffer.sku)
        .where(ShopOffer.store_id == store_id, ShopOffer.listed)
        .execution_options(populate_existing=True)
    )


def _ware(offer: ShopOffer, product: Product) -> Ware:
    left = max(0, offer.allowance_qty - offer.taken_qty)
    return Ware(
        sku=product.sku,
        name=product.name,
        brand=product.brand,
        category=product.category,
        pack_text=product.pack_text,
        stock_unit=product.stock_unit,
        price_minor=offer.price_minor,
        price_quantity=product.price_quantity,
        minimum_age=product.minimum_age,
        maximum_qty=product.maximum_qty,
        left_qty=left,
        step_qty=step_of(product),
        shelf_rank=offer.shelf_rank,
    )


def _text(at: dt.datetime) -> str:
    return as_utc(at).isoformat(timespec="microseconds")

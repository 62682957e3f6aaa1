"""The store's online store, as the network serves it: what can be ordered, within the allowance the store published.

Rules
-----
1. The store is the authority on its stock. It publishes per product how many units may be promised; the network
   sells against that and never more (an order takes from it in one conditional update), less by the hour while the
   store is silent, and nothing after two days.
2. A newer allowance replaces an older one, less what was ordered since it was made: taken is the sum over the living
   orders the store had not seen when it counted. A share of a group buy takes from no allowance: its goods are held
   apart (`sync.groups`).
3. Prices are the till's: the store publishes them with the allowance, deposits and its own offers with them, so that
   `products.quote` charges what the till would. What has no fixed price is not sold online.
4. The allowance is what is available less what is over its last day (`pos.stock.batches`), the shopkeeper's hold-back
   and a safety share, because records are never quite right; of what is recalled it is nothing (`pos.stock.recall`).
   Weighed goods are sold in steps of a tenth of their price quantity; age-restricted goods may be ordered and the age
   is checked at the counter.
5. A publication leaves only when something a customer would notice has changed: a price, a rank, a product coming or
   going, an offer or a rule, a coupon's uses, a member, a scarce allowance by any unit, a plentiful one by more than a
   quarter.
6. What the store orders in (`order_in`) is offered whether it is here or not, with the days it takes.

Units: qty in the product's stock unit; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import as_utc, business_day
from config.database import lock_rows, table_of
from config.errors import NotFound, Refused
from config.money import BASIS, MAX_MINOR
from config.nodes import door
from config.nodes.facts import applies
from config.nodes.journal import Context, record
from config.prepared import Prepared
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Listing, Product
from pos.stock import batches, recall, stock
from pos.store.store import PARTICULARS, Store, refuse_particular, send_fact
from supply.demand import closed_days, stated_sales
from supply.online.orders import GIVEN_BACK, PickupLine, PickupOrder
from supply.online.storefront import coupons as online_coupons
from supply.online.storefront import members as online_members
from supply.online.storefront import order_in
from supply.online.storefront.availability import (
    OnlineListing,
    Storefront,
    left_of,
    portion,
    rules_of,
    silence_of,
    worth_s_of,
)
from supply.online.storefront.listing import products
from supply.online.storefront.time_slots import PickupRules
from supply.online_facts import Offer, StorefrontPublished
from supply.shelf import plan

SCARCE_STEPS = 12
"""Below so many steps every unit counts for a customer (rule 5)."""
LINE_STEPS = 99
"""The most steps one order line may have, where the product sets no maximum."""


@dataclass(frozen=True)
class StorefrontPolicy:
    """How careful the online promise is. safety_bp: share of the available units never promised online."""

    safety_bp: int = 1_000


@dataclass(frozen=True)
class News:
    """What a store has to tell of itself, all of one moment.

    promotions_token: of its own offers, where they changed.
    """

    seen_through: int
    seen_also: tuple[int, ...]
    offers: tuple[Offer, ...]
    promotions_token: str | None
    coupons: list[list[Any]]
    members: list[list[Any]]


# --- verbs, store ---


def look(
    session: Session, store_id: str, *, at: dt.datetime, policy: StorefrontPolicy = StorefrontPolicy()
) -> News | None:
    """Look for what the network is to be told; None when nothing a customer would notice has changed (rule 5).

    Changes nothing: a store with thousands of products looks beside its tills, and lets none wait.
    """
    store = _store(session, store_id)
    front = session.get(Storefront, store_id)
    known = _known(session, store_id)
    through, also = _seen(session, store_id, max((row.seen_through for row in known.values()), default=0))
    fresh, steps = _offers_now(session, store_id, business_day(at, store.tz, store.rollover_hour), policy)
    changed = [offer for sku, offer in sorted(fresh.items()) if _differs(known.get(sku), offer, steps[sku])]
    gone = [
        Offer(sku, row.price_minor, 0, None, listed=False)
        for sku, row in sorted(known.items())
        if row.listed and sku not in fresh
    ]
    token = offers.token_of(session, store_id)
    new_token = token if token != (front.promotions_token if front else "") else None
    coupons, members = online_coupons.to_send(session, store_id), online_members.to_send(session, store_id)
    if not (changed or gone or coupons or members) and new_token is None and front and front.edition:
        return None
    return News(through, also, (*changed, *gone), new_token, coupons, members)


def publish(session: Session, store_id: str, news: News, *, at: dt.datetime) -> StorefrontPublished:
    """Tell the network what may be promised, as it was looked at."""
    store, front = _store(session, store_id), front_of(session, store_id)
    promotions = None
    if news.promotions_token is not None:
        front.promotions_token = news.promotions_token
        promotions = offers.edition(session, store_id) or None
    # Rising even after a restore from a copy: an edition is the time in milliseconds, or one more than the last.
    front.edition = max(front.edition + 1, int(as_utc(at).timestamp() * 1000))
    fact = StorefrontPublished(
        store_id=store_id,
        edition=front.edition,
        taking_orders=front.taking_orders,
        published_at=_text(at),
        seen_through=news.seen_through,
        seen_also=news.seen_also,
        offers=news.offers,
        rules=front.rules,
        promotions=promotions,
        coupons=news.coupons,
        members=news.members,
        closed_days=_closed(session, store, at),
        usual_sales_minor=store.usual_sales_minor,
    )
    online_coupons.take_reported(session, store_id, news.coupons, 0)
    online_members.take_reported(session, store_id, news.members, 0)
    _keep(session, fact, _lock(session, store_id, [offer.sku for offer in news.offers]), at)
    send_fact(session, fact, subject=f"store:{store_id}", at=at)
    return fact


def set_taking_orders(ctx: Context, store_id: str, taking: bool) -> None:
    """Open or close the store's online store; what was ordered before stays ordered."""
    front = front_of(ctx.session, store_id)
    if front.taking_orders == taking:
        return
    front.taking_orders = taking
    record(ctx, verb="store.opened" if taking else "store.closed", subject=f"store:{store_id}")
    _send_front(ctx.session, front, ctx.at)


def set_rules(ctx: Context, store_id: str, rules: PickupRules) -> None:
    """Settle the store's rules for online orders; they hold for orders placed from now on."""
    front = front_of(ctx.session, store_id)
    if front.rules == rules.to_body():
        return
    before, front.rules = front.rules, rules.to_body()
    record(ctx, verb="store.rules", subject=f"store:{store_id}", before=before, after=front.rules)
    _send_front(ctx.session, front, ctx.at)


def close_days(ctx: Context, store_id: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Settle closed days (`closed_days.close`) and tell the network."""
    fresh = closed_days.close(ctx, store_id, first, last)
    if fresh:
        _send_front(ctx.session, front_of(ctx.session, store_id), ctx.at)
    return fresh


def reopen_days(ctx: Context, store_id: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Take closed days back (`closed_days.reopen`) and tell the network."""
    found = closed_days.reopen(ctx, store_id, first, last)
    if found:
        _send_front(ctx.session, front_of(ctx.session, store_id), ctx.at)
    return found


def send_particulars(ctx: Context, store_id: str, said: dict[str, str]) -> None:
    """Tell the network what the store says of itself (`particulars.change`)."""
    _send_front(ctx.session, front_of(ctx.session, store_id), ctx.at, said)


def state_sales(ctx: Context, store_id: str, sales_minor: int) -> None:
    """Say what the store takes on a usual day (`stated_sales.state`) and tell the network."""
    if stated_sales.state(ctx, store_id, sales_minor):
        _send_front(ctx.session, front_of(ctx.session, store_id), ctx.at)


# --- verbs, network ---


@applies(StorefrontPublished)
def take_offers(ctx: Context, fact: StorefrontPublished) -> None:
    """Take over what a store published (rule 2); older editions of an offer are passed over.

    The offers are locked before the front, as by who orders.
    """
    at = ctx.at
    store_id = fact.store_id
    known = _lock(ctx.session, store_id, [offer.sku for offer in fact.offers])
    front = front_of(ctx.session, store_id)
    if fact.edition > front.edition:
        front.edition, front.taking_orders = fact.edition, fact.taking_orders
        if fact.rules is not None:
            PickupRules.read(fact.rules)  # refuses what is none
            front.rules = fact.rules
        if fact.closed_days is not None:
            _take_closed(ctx.session, _store(ctx.session, store_id), fact)
        if fact.usual_sales_minor is not None:
            reported = door.number(fact.usual_sales_minor, "usual_sales_minor", most=MAX_MINOR)
            _store(ctx.session, store_id).usual_sales_minor = reported
        for name, said in (fact.particulars or {}).items():
            if name in PARTICULARS:
                refuse_particular(name, door.text(said, name, PARTICULARS[name]))
                setattr(_store(ctx.session, store_id), name, said)
    if fact.promotions is not None and fact.edition > front.promotions_edition:
        front.promotions_edition = fact.edition
        offers.take_edition(ctx.session, fact.promotions, store_id)
    newer = {
        offer.sku: offer for offer in fact.offers if offer.sku not in known or known[offer.sku].edition < fact.edition
    }
    at = dt.datetime.fromisoformat(fact.published_at)
    _keep(ctx.session, replace(fact, offers=tuple(newer.values())), known, at)
    ctx.session.flush()
    recount(ctx.session, store_id, newer)
    online_coupons.take_reported(ctx.session, store_id, fact.coupons, fact.edition)
    online_members.take_reported(ctx.session, store_id, fact.members, fact.edition)


def recount(session: Session, store_id: str, skus: Iterable[str]) -> None:
    """Set what was taken from each allowance again, from the living orders its publication had not seen (rule 2)."""
    offers = _lock(session, store_id, skus)
    taken = taken_by_orders(session, store_id, offers)
    for sku, offer in offers.items():
        offer.taken_qty = taken.get(sku, 0)
    session.flush()


def next_number(session: Session, store_id: str) -> int:
    """Return the number of the next order of a store, given once."""
    return int(_NEXT_NUMBER.first(session, {"store": store_id})[0])


def number_used(session: Session, store_id: str, number: int) -> None:
    """Note that an order number is taken: a network restored from a copy learns it from the store."""
    front = front_of(session, store_id)
    front.last_order_no = max(front.last_order_no, number)


def take(session: Session, store_id: str, lines: Sequence[tuple[str, int]], *, at: dt.datetime) -> None:
    """Take the lines of one order from the allowances, all or none; names every line that is short.

    What may be taken falls with the store's silence (`availability.safe_qty`).

    One conditional update a line, in one lock order: of many customers at once only those within the allowance get
    through.
    """
    short: list[tuple[str, int]] = []
    worth_s = worth_s_of(silence_of(session, store_id, at))
    for sku, qty in sorted(lines):
        if _TAKE.first(session, {"store": store_id, "wanted": sku, "much": qty, "worth_s": worth_s}) is None:
            short.append((sku, qty))
    if not short:
        return
    there = {product.sku: product for product in products(session, store_id, [sku for sku, _ in short], at=at)}
    lines_short = [
        {"sku": sku, "name": there[sku].name, "wanted": qty, "available": there[sku].left_qty}
        if sku in there
        else {"sku": sku, "name": sku, "wanted": qty, "available": 0}
        for sku, qty in short
    ]
    names = ", ".join(f"{line['name']} (wanted {line['wanted']}, left {line['available']})" for line in lines_short)
    raise Refused(
        "not-available", "The store does not have that many available: %(names)s.", names=names, short=lines_short
    )


# --- questions ---


def front_of(session: Session, store_id: str) -> Storefront:
    """Return the front of a store's online store, made where there is none yet."""
    front = session.get(Storefront, store_id)
    if front is None:
        front = Storefront(
            store_id=store_id, taking_orders=True, edition=0, last_order_no=0, rules={}, promotions_token="",
            promotions_edition=0,
        )  # fmt: skip
        session.add(front)
    return front


def taken_by_orders(session: Session, store_id: str, offers: Mapping[str, OnlineListing]) -> dict[str, int]:
    """Return per SKU what living orders hold that the offer's publication had not seen (rule 2)."""
    if not offers:
        return {}
    lines = session.execute(
        sa.select(PickupOrder.number, PickupLine.sku, sa.func.coalesce(PickupLine.picked_qty, PickupLine.qty))
        .join(PickupLine, sa.and_(PickupLine.store_id == PickupOrder.store_id, PickupLine.order_id == PickupOrder.id))
        .where(
            PickupOrder.store_id == store_id,
            PickupOrder.state.not_in(GIVEN_BACK),
            PickupOrder.group_id.is_(None),  # a group's goods are held apart, and stand in no publication
            PickupLine.awaited.is_(False),
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

_front, _offer, _product, _listing = table_of(Storefront), table_of(OnlineListing), table_of(Product), table_of(Listing)
_GOODS = (
    sa.select(
        *(_product.c[name] for name in ("sku", "kind", "deposit_sku", "price_typed", "stock_unit", "price_quantity")),
        _listing.c.sku.is_not(None).label("listed"),
        sa.func.coalesce(_listing.c.hold_back_qty, 0).label("hold_back_qty"),
    )
    .outerjoin(
        _listing,
        sa.and_(
            _listing.c.sku == _product.c.sku, _listing.c.store_id == sa.bindparam("store", type_=sa.Text),
            _listing.c.active,
        ),
    )
    .where(_product.c.active)
)  # fmt: skip
_REPORTED = sa.select(
    *(
        _offer.c[name]
        for name in ("sku", "listed", "price_minor", "shelf_rank", "order_days", "available_qty", "seen_through")
    )
).where(_offer.c.store_id == sa.bindparam("store", type_=sa.Text))
_NEXT_NUMBER = Prepared(
    sa.update(_front)
    .where(_front.c.store_id == sa.bindparam("store"))
    .values(last_order_no=_front.c.last_order_no + 1)
    .returning(_front.c.last_order_no)
)
_TAKE = Prepared(
    sa.update(_offer)
    .where(
        _offer.c.store_id == sa.bindparam("store"),
        _offer.c.sku == sa.bindparam("wanted"),
        _offer.c.listed,
        left_of(_offer.c, sa.bindparam("worth_s", type_=sa.BigInteger)) >= sa.bindparam("much"),
    )
    .values(taken_qty=_offer.c.taken_qty + sa.bindparam("much"))
    .returning(_offer.c.sku)
)


def _store(session: Session, store_id: str) -> Store:
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-store", "Store not found. Check the address.", store=store_id)
    return store


def _send_front(
    session: Session, front: Storefront, at: dt.datetime, particulars: dict[str, str] | None = None
) -> None:
    """Tell the network of the front alone; the offers stand."""
    store = _store(session, front.store_id)
    front.edition = max(front.edition + 1, int(as_utc(at).timestamp() * 1000))
    through, also = _seen(session, front.store_id, 0)
    fact = StorefrontPublished(
        front.store_id, front.edition, front.taking_orders, _text(at), through, also, (), rules=front.rules,
        closed_days=_closed(session, store, at), usual_sales_minor=store.usual_sales_minor, particulars=particulars,
    )  # fmt: skip
    send_fact(session, fact, subject=f"store:{front.store_id}", at=at)


def _take_closed(session: Session, store: Store, fact: StorefrontPublished) -> None:
    reported_on = business_day(dt.datetime.fromisoformat(fact.published_at), store.tz, store.rollover_hour)
    days = map(dt.date.fromisoformat, fact.closed_days or ())
    closed_days.take_reported(session, store.id, reported_on, days)


def _closed(session: Session, store: Store, at: dt.datetime) -> list[str]:
    today = business_day(at, store.tz, store.rollover_hour)
    return [day.isoformat() for day in sorted(closed_days.since(session, store.id, today))]


def _offers_now(
    session: Session, store_id: str, today: dt.date, policy: StorefrontPolicy
) -> tuple[dict[str, Offer], dict[str, int]]:
    """Return SKU -> offer, and SKU -> the smallest portion it is sold in."""
    order_days = order_in.days_of(session, store_id, today) if rules_of(session, store_id).order_in else {}
    rows = session.execute(_GOODS, {"store": store_id}).all()
    wanted = {row.sku for row in rows if row.listed or row.sku in order_days}
    wanted |= {row.deposit_sku for row in rows if row.sku in wanted and row.deposit_sku}
    rows = [row for row in rows if row.sku in wanted]
    skus = [row.sku for row in rows]
    prices = catalogue.asked_on(session, store_id, today, skus)
    levels = stock.levels(session, store_id, skus)
    ranks, off_sale = plan.ranks(session, store_id), recall.off_sale(session, store_id)
    over = batches.over(session, store_id, day=today, forgets=True)
    found, steps = {}, {}
    for row in rows:
        price_minor = prices.get(row.sku)
        if price_minor is None or row.price_typed or row.kind not in ("goods", "deposit"):
            continue
        steps[row.sku] = step = portion(row.stock_unit, row.price_quantity)
        if row.kind == "deposit":  # its price is charged with what it belongs to; nobody orders it
            found[row.sku] = Offer(row.sku, price_minor, 0, None, listed=False)
            continue
        level = levels.get(row.sku)
        kept_qty = row.hold_back_qty + over.get(row.sku, 0)
        free = 0 if row.sku in off_sale else max(0, (level.available if level else 0) - kept_qty)
        free -= free * policy.safety_bp // BASIS
        free -= free % step
        days = None if row.sku in off_sale else order_days.get(row.sku)
        found[row.sku] = Offer(row.sku, price_minor, free, ranks.get(row.sku), listed=True, order_days=days)
    return found, steps


def _known(session: Session, store_id: str) -> dict[str, sa.Row[Any]]:
    """Return SKU -> what the network was last told."""
    return {row.sku: row for row in session.execute(_REPORTED, {"store": store_id})}


def _differs(known: sa.Row[Any] | None, fresh: Offer, step_qty: int) -> bool:
    if known is None:
        return True
    was = (known.listed, known.price_minor, known.shelf_rank, known.order_days)
    if was != (fresh.listed, fresh.price_minor, fresh.shelf_rank, fresh.order_days):
        return True
    gap = abs(known.available_qty - fresh.available_qty)
    scarce = min(known.available_qty, fresh.available_qty) <= SCARCE_STEPS * step_qty
    return bool(gap > 0 if scarce else 4 * gap > known.available_qty)


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


def _lock(session: Session, store_id: str, skus: Iterable[str]) -> dict[str, OnlineListing]:
    query = (
        sa.select(OnlineListing)
        .where(OnlineListing.store_id == store_id, OnlineListing.sku.in_(list(skus)))
        .order_by(OnlineListing.sku)
        .execution_options(populate_existing=True)
    )
    return {offer.sku: offer for offer in session.scalars(lock_rows(session, query))}


def _keep(session: Session, fact: StorefrontPublished, known: Mapping[str, OnlineListing], at: dt.datetime) -> None:
    for offer in fact.offers:
        row = known.get(offer.sku)
        if row is None:
            row = OnlineListing(store_id=fact.store_id, sku=offer.sku, taken_qty=0)
            session.add(row)
        row.price_minor, row.available_qty = offer.price_minor, offer.available_qty
        row.shelf_rank, row.listed = offer.shelf_rank, offer.listed
        row.published_at, row.edition = at, fact.edition
        row.seen_through, row.seen_also = fact.seen_through, list(fact.seen_also)
        row.order_days = offer.order_days


def _text(at: dt.datetime) -> str:
    return as_utc(at).isoformat(timespec="microseconds")

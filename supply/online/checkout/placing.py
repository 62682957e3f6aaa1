"""Placing an order in a store's online store: the network's half of a pickup.

Rules
-----
1. An order takes from the published allowance, all its lines or none, and goes to its store as one message with the
   prices, savings and deposits promised: what the till would charge at this moment. The page makes the id; the same
   id with the same content is the same order.
2. The token (128 random bits) is the customer's key to the order: it stands in the QR and in the address of the
   status page. The code is derived from it by HMAC with the order's id, so the status page can always show the code
   although neither is stored, only their hashes. A page that makes the token before it sends the order (`new_token`)
   gets token and code again when it sends twice; without one, a repeat cannot show them.
3. How the order goes on is the store's to say; `order_copy` mirrors it.
4. Cancelling is a wish until the store answers: it may have handed the order over a moment ago, and then its word
   counts.
5. A pickup window is chosen at placing, the earliest free one if none is wished for; the last place of a window is
   given once, because a store's orders are numbered one after the other (`time_slots` says which windows there are).
6. An order paid online goes to its store once its money is in escrow; until then it holds its units, its window and
   its number, a quarter of an hour at most.
7. Of a product with too little left the whole line is ordered in, where the store does so (`order_in`): it takes from
   no allowance, and the order is collected from the day its goods are there.
8. An order that is brought home (`home_delivery`) takes a time of those (`delivery_rules`) and its fee in the total.
9. A coupon is taken from what is left of it, as units are from an allowance (`coupons`); who proved a member's
   phone gets the prices for members.
10. Of what is paid later one phone number puts aside a little: what waits for one is gone for everybody else.
11. One phone number has at most MOST_ORDERS orders open in a store that are to be paid at the counter, or at the door,
   and together at most MOST_THINGS pieces or portions in them.
12. Who let such an order expire has one at a time, for NO_SHOW after it.
13. What is paid online is not bounded, but no more than MOST_ORDERS of a number wait for their money at once; nor is
   what a store takes at its own counter. A store that asks for no code to the phone (`phone_codes`) trusts the numbers
   that are typed.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day, day_start
from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, is_id
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Product
from pos.store.store import Store, send_fact
from supply.money import escrow
from supply.money.held_payments import Escrow
from supply.online import home_delivery
from supply.online.checkout.order_keys import check_person, code_hash, code_of, new_token, salt_for, token_hash
from supply.online.orders import (
    BEFORE_READY,
    CUSTOMER_CANCELLED,
    OPEN,
    PickupLine,
    PickupOrder,
    facts_of,
    lines_of,
    subject_of,
    text_of,
    text_or_none,
    write_down,
)
from supply.online.storefront import availability, coupons, delivery_rules, listing, storefront
from supply.online.storefront.availability import step_of
from supply.online.storefront.delivery_rules import Address, DeliveryRules
from supply.online.storefront.price import promised_lines
from supply.online.storefront.time_slots import Window, windows
from supply.online_facts import (
    OrderLine,
    PickupCancelled,
    PickupPlaced,
)

MOST_LINES = 40
DAYS_FOR_ORDERED_IN = 3
"""What was ordered in can be fetched on that day and so many after it."""
CUSTOMER = Actor(id="customer", name="customer", role="customer", node=NETWORK)
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+\.)+[A-Za-z]{2,20}"
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
IF_SHORT = ("less", "similar", "cancel")


@dataclass(frozen=True)
class Preferences:
    """What the customer wishes.

    window_from: the start of the window to collect in, or to be brought in. if_short: what to do when something is
    missing. email, language: where and how to be told. deliver_to: where to bring it; None: it is collected. coupons:
    codes typed. member: whose phone was proved is one.
    """

    window_from: dt.datetime | None = None
    if_short: str = "less"
    email: str = ""
    language: str = ""
    deliver_to: Address | None = None
    coupons: tuple[str, ...] = ()
    member: bool = False

    def __post_init__(self) -> None:
        if self.if_short not in IF_SHORT:
            raise Invalid("bad-choice", "Choose what to do if something is missing.", field="if_short")
        if self.email and (len(self.email) > 254 or not _EMAIL.fullmatch(self.email)):
            raise Invalid(
                "bad-email", "Enter an email address such as name@example.com, or leave it empty.", field="email"
            )


NO_PREFERENCES = Preferences()


@dataclass(frozen=True)
class OrderRequest:
    """What the page asks for when a customer orders.

    id: made by the page. lines: [(sku, qty)], 1 to 40 different products. shown_total_minor: what the page showed; if
    it has changed since, nothing is placed. pay_with: the provider it is paid online with; '' at the counter.
    """

    id: str
    name: str
    phone: str
    lines: Sequence[tuple[str, int]]
    token: str | None = None
    preferences: Preferences = NO_PREFERENCES
    shown_total_minor: int | None = None
    pay_with: str = ""


@dataclass(frozen=True)
class Placed:
    """An order just placed. code and token are for the customer, now; None when a repeat did not bring its token."""

    order: PickupOrder
    code: str | None
    token: str | None
    repeated: bool


@dataclass(frozen=True)
class OrderStatus:
    """An order as its customer sees it. may_cancel: the wish would still come in time, as far as the network knows."""

    order: PickupOrder
    lines: tuple[PickupLine, ...]
    code: str
    token: str
    may_cancel: bool
    escrow: Escrow | None = None
    """Its money, where it is paid online."""
    home: home_delivery.HomeDelivery | None = None
    """Its way, where it is brought home."""


MOST_ORDERS, MOST_THINGS = 3, 60
NO_SHOW = dt.timedelta(days=30)


# --- verbs, network ---


def place(session: Session, store_id: str, asked: OrderRequest, *, at: dt.datetime) -> Placed:
    """Place a customer's order (rules 1, 2, 5, 9).

    Refuses a closed store, what is short, with every line named, a full window; the same id with other content is a
    Conflict.
    """
    order_id, token, preferences, pay_with = asked.id, asked.token, asked.preferences, asked.pay_with
    store = _open_store(session, store_id, order_id, token)
    (name, phone), wanted = check_person(asked.name, asked.phone, store.tz), _lines(asked.lines)
    if known := session.get(PickupOrder, (store_id, order_id)):
        return _repeated(session, known, name, phone, wanted, token)
    if escrow.escrow_of(session, order_id) is not None:  # somebody's share of a group buy, which becomes an order too
        raise Conflict("id-in-use", "This page has expired. Go back to your basket and order again.")
    if not availability.is_taking_orders(session, store_id, at):
        raise Refused("store-closed", "%(name)s is closed for online orders. Try again later.", name=store.name)
    token, kept_code = _keys(store_id, order_id, token, at)  # slow: before anything is locked
    promised, total, comes_on, used = _promised(session, store, wanted, preferences, at)
    _refuse_another_total(asked.shown_total_minor, total)
    storefront.take(session, store_id, [(line.sku, line.qty) for line in promised if not line.awaited], at=at)
    coupons.take(session, store_id, used, order_id, at=at)
    number = storefront.next_number(session, store_id)
    home = _brought(session, store, preferences.deliver_to, total, pay_with)
    refuse_hoarding(session, store_id, phone, [] if pay_with else wanted, at=at)
    find = delivery_windows if home else free_windows
    window = _chosen(store, find(session, store, at, comes_on), preferences.window_from)
    placed = PickupPlaced(
        store_id=store_id,
        order_id=order_id,
        number=number,
        order_no=f"{store_id}-{number:04d}",
        customer_name=name,
        customer_phone=phone,
        code_hash=kept_code,
        token_hash=token_hash(token),
        currency=store.currency,
        total_minor=total + (home["charged_minor"] if home else 0),
        placed_at=text_of(at),
        lines=promised,
        window_from=text_of(window.start),
        window_until=text_of(window.end),
        if_short=preferences.if_short,
        comes_on=comes_on.isoformat() if comes_on else None,
        coupons=used,
        member=preferences.member,
        delivery=home,
    )
    order = _written(session, store, placed, preferences, pay_with, at)
    return Placed(order, code_of(order_id, token), token, repeated=False)


def ask_to_cancel(session: Session, store_id: str, token: str, *, at: dt.datetime) -> PickupOrder:
    """Pass the customer's wish to cancel to the store (rule 4); asking twice is asking once.

    Refuses an order that is ready or over, as far as the network knows.
    """
    order = _by_token(session, store_id, token, lock=True)
    if order.cancel_asked_at is not None or order.state == "cancelled":
        return order
    if order.state not in BEFORE_READY:
        raise Refused(
            "too-late-to-cancel",
            "Order %(order_no)s is %(state)s and can no longer be canceled here. Tell the shopkeeper.",
            order_no=order.order_no, state=order.state,
        )  # fmt: skip
    order.cancel_asked_at = at
    ctx = Context(session, CUSTOMER, at)
    journal.record(ctx, verb="pickup order.cancel_asked", subject=subject_of(order))
    if awaits_money(session, order):
        unpaid(ctx, order, why=CUSTOMER_CANCELLED)
        return order
    fact = _as_cancelled(session, order, at)
    send_fact(session, fact, subject=subject_of(order), at=at)
    return order


def call_off(session: Session, order: PickupOrder, *, at: dt.datetime) -> None:
    """Tell the store that the network has decided about an order it did not hand over: it is off for good."""
    fact = replace(_as_cancelled(session, order, at), decided=True)
    send_fact(session, fact, subject=subject_of(order), id=f"decided-{order.id}", at=at)


def paid(session: Session, order: PickupOrder, *, at: dt.datetime) -> None:
    """Send the store an order whose money has come in (rule 6)."""
    order.paid_minor = order.total_minor
    journal.record(Context(session, CUSTOMER, at), verb="pickup order.paid", subject=subject_of(order))
    send_fact(session, as_placed(session, order), subject=subject_of(order), id=f"placed-{order.id}", at=at)


def unpaid(ctx: Context, order: PickupOrder, *, why: str) -> None:
    """Call off an order whose money did not come in: the store never had it, and is only told its number (rule 6)."""
    escrow.lapse(ctx, order.id)
    journal.move(ctx, order, "cancelled", subject=subject_of(order), why=why)
    order.why, order.moved_at = why, ctx.at
    home_delivery.order_moved(ctx, order.store_id, order.id, True)
    fact = _as_cancelled(ctx.session, order, ctx.at)
    send_fact(ctx.session, fact, subject=subject_of(order), id=f"unpaid-{order.id}", at=ctx.at)
    ctx.session.flush()
    storefront.recount(ctx.session, order.store_id, [line.sku for line in lines_of(ctx.session, order)])
    coupons.give_back(ctx.session, order.store_id, order.id, at=ctx.at)


# --- questions ---


def status(session: Session, store_id: str, token: str) -> OrderStatus:
    """Return the order a token opens, with its code (rule 2)."""
    order = _by_token(session, store_id, token, lock=False)
    return OrderStatus(
        order=order,
        lines=tuple(lines_of(session, order)),
        code=code_of(order.id, token),
        token=token,
        may_cancel=order.state in BEFORE_READY and order.cancel_asked_at is None,
        escrow=escrow.escrow_of(session, order.id),
        home=home_delivery.of_order(session, store_id, order.id),
    )


def free_windows(session: Session, store: Store, at: dt.datetime, comes_on: dt.date | None = None) -> list[Window]:
    """Return the store's windows from now on, or from a day on, with how many more orders each takes (rule 5)."""
    brought = home_delivery.live_ids(session, store.id)
    query = sa.select(PickupOrder.id, PickupOrder.window_from)
    rows = session.execute(query.where(PickupOrder.store_id == store.id, PickupOrder.state.in_(OPEN)))
    waiting = [None if order_id in brought else start for order_id, start in rows]
    rules, since = availability.rules_of(session, store.id), at
    if comes_on is not None:
        since = max(at, day_start(comes_on, store.tz, store.rollover_hour))
        rules = replace(rules, days_ahead=max(rules.days_ahead, DAYS_FOR_ORDERED_IN))
    return windows(rules, availability.hours_of(session, store, since), since, waiting)


def window_for(
    session: Session, store: Store, wanted: dt.datetime | None, at: dt.datetime, comes_on: dt.date | None = None
) -> Window:
    """Return the window wished for, or the earliest free one (rule 5)."""
    return _chosen(store, free_windows(session, store, at, comes_on), wanted)


def delivery_windows(session: Session, store: Store, at: dt.datetime, comes_on: dt.date | None = None) -> list[Window]:
    """Return the times the store brings orders in, from now on or from a day on, and how many more each takes."""
    rules = DeliveryRules.read(availability.rules_of(session, store.id).delivery)
    brought = home_delivery.live_ids(session, store.id)
    query = sa.select(PickupOrder.window_from).where(PickupOrder.store_id == store.id, PickupOrder.id.in_(brought))
    waiting, since = session.scalars(query).all(), at
    if comes_on is not None:
        since = max(at, day_start(comes_on, store.tz, store.rollover_hour))
    return (
        delivery_rules.windows(rules, availability.hours_of(session, store, since), since, waiting) if rules.on else []
    )


def _chosen(store: Store, found: Sequence[Window], wanted: dt.datetime | None) -> Window:
    chosen = next((one for one in found if one.left and wanted in (None, one.start)), None)
    if chosen is None and wanted is None:
        raise Refused("no-window", "%(name)s has no pickup times left. Try again later.", name=store.name)
    if chosen is None:
        raise Refused("window-full", "This pickup time is full or past. Choose another one.", field="window")
    return chosen


def as_placed(session: Session, order: PickupOrder) -> PickupPlaced:
    """Return an order as it travels to its store."""
    return PickupPlaced(
        store_id=order.store_id,
        order_id=order.id,
        number=order.number,
        order_no=order.order_no,
        customer_name=order.customer_name,
        customer_phone=order.customer_phone,
        code_hash=order.code_hash,
        token_hash=order.token_hash,
        currency=order.currency,
        total_minor=order.total_minor,
        placed_at=text_of(order.placed_at),
        lines=facts_of(session, order),
        window_from=text_or_none(order.window_from),
        window_until=text_or_none(order.window_until),
        if_short=order.if_short,
        paid_minor=order.paid_minor,
        group_id=order.group_id,
        comes_on=order.comes_on.isoformat() if order.comes_on else None,
        coupons=list(order.coupons),
        member=order.member,
        delivery=home_delivery.as_placed(session, order.store_id, order.id),
    )


def _as_cancelled(session: Session, order: PickupOrder, at: dt.datetime) -> PickupCancelled:
    """Return the wish to cancel as it travels: its order without the address, which goes once alone."""
    placed = as_placed(session, order)
    if placed.delivery is not None:
        placed = replace(placed, delivery={**placed.delivery, **home_delivery.NOWHERE})
    return PickupCancelled(order=placed, asked_at=text_of(at))


def awaits_money(session: Session, order: PickupOrder) -> bool:
    """Tell whether an order still waits for its money (rule 6)."""
    found = escrow.escrow_of(session, order.id)
    return found is not None and found.state == "awaited"


def refuse_hoarding(
    session: Session, store_id: str, phone: str, wanted: Sequence[tuple[str, int]], *, at: dt.datetime
) -> None:
    """Refuse an order that is one too many, or too large, for its phone number in E.164 (rules 11 to 13).

    wanted: [(sku, qty)] of an order to be paid later; nothing for one that is paid online. To be asked when the order
    has its number: a store gives one after the other, so of two orders of one phone at once the second sees the first.
    """
    of_theirs = sa.and_(PickupOrder.store_id == store_id, PickupOrder.number > 0, PickupOrder.customer_phone == phone)
    query = sa.select(PickupOrder.id).where(of_theirs, PickupOrder.state.in_(OPEN), PickupOrder.paid_minor == 0)
    if not wanted:
        query = query.where(sa.exists().where(Escrow.id == PickupOrder.id, Escrow.state == "awaited"))
    waiting = session.scalars(query).all()
    if len(waiting) >= MOST_ORDERS:
        raise Refused(
            "too-many-unpaid",
            "You have %(waiting)s unpaid orders waiting here. Pick one up first, or pay this one online "
            "if offered.", waiting=len(waiting), most=MOST_ORDERS, field="pay",
        )  # fmt: skip
    if not wanted:
        return
    if waiting and _has_missed_one(session, of_theirs, at):
        raise Refused(
            "missed-one",
            "A recent order with this number was not picked up, so you can have only one unpaid order at a time. "
            "Pick it up first, or pay online if offered.",
            field="pay",
        )  # fmt: skip
    things = _things(session, [*wanted, *_lines_of(session, store_id, waiting)])
    if things > MOST_THINGS:
        raise Refused(
            "too-much-unpaid",
            "Without prepayment, one number can reserve up to %(most)s items; this order would make "
            "%(things)s. Order less, or pay online if offered.", most=MOST_THINGS, things=things,
            field="pay",
        )  # fmt: skip


# --- inside ---


def _written(
    session: Session, store: Store, placed: PickupPlaced, preferences: Preferences, pay_with: str, at: dt.datetime
) -> PickupOrder:
    """Write an order down and send it on, or let it wait for its money (rule 6)."""
    order = write_down(session, placed, email=preferences.email, language=preferences.language)
    order.return_days = availability.rules_of(session, store.id).return_days
    ctx = Context(session, CUSTOMER, at)
    journal.record(ctx, verb="pickup order.placed", subject=subject_of(order), total_minor=order.total_minor)
    if pay_with:
        if not availability.rules_of(session, store.id).pay_online:
            raise Refused(
                "no-online-payment", "%(name)s accepts payment only at the counter.", name=store.name, field="pay"
            )
        escrow.open_for(
            ctx,
            order.id,
            store.id,
            "pickup",
            order.total_minor,
            currency=store.currency,
            provider=pay_with,
        )
    else:
        send_fact(session, placed, subject=subject_of(order), id=f"placed-{order.id}", at=at)
    session.flush()
    return order


def _keys(store_id: str, order_id: str, token: str | None, at: dt.datetime) -> tuple[str, str]:
    """Return an order's token, made where the page brought none, and how the code that belongs to it is kept."""
    token = token or new_token()
    return token, code_hash(salt_for(store_id, at), code_of(order_id, token))


def _brought(
    session: Session, store: Store, wanted: Address | None, goods_minor: int, pay_with: str
) -> dict[str, Any] | None:
    """Return the way of an order that is to be brought, as it travels; refuses what the store does not do (rule 8)."""
    if wanted is None:
        return None
    rules = DeliveryRules.read(availability.rules_of(session, store.id).delivery)
    address = delivery_rules.located(rules, wanted, goods_minor)
    if not pay_with and not rules.cash_at_door:
        raise Refused("pay-first", "%(name)s delivers only orders paid online.", name=store.name, field="pay")
    fee_minor, charged_minor = rules.fee_for(goods_minor)
    return {**asdict(address), "fee_minor": fee_minor, "charged_minor": charged_minor}


def _refuse_another_total(shown_minor: int | None, total_minor: int) -> None:
    if shown_minor not in (None, total_minor):
        raise Refused(
            "total-changed",
            "A price has changed. Check the new total, then order again.",
            total_minor=total_minor,
            shown_minor=shown_minor,
        )


def _open_store(session: Session, store_id: str, id: str, token: str | None) -> Store:
    if token is not None and not _TOKEN.fullmatch(token):
        raise Invalid("bad-token", "This order can’t be verified. Reload the page.")
    if not is_id(id):
        raise Invalid("bad-id", "This order has no valid ID. Reload the page.")
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-store", "Store not found. Check the address.", store=store_id)
    return store


def _lines(lines: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid(
            "bad-basket", "An order can have 1 to %(most)s products; this one has %(lines)s.", most=MOST_LINES,
            lines=len(lines),
        )  # fmt: skip
    if len({sku for sku, _ in lines}) < len(lines):
        raise Invalid("bad-basket", "A product is listed twice in the order. Combine the quantities.")
    return sorted(lines)


def _promised(
    session: Session, store: Store, wanted: list[tuple[str, int]], preferences: Preferences, at: dt.datetime
) -> tuple[tuple[OrderLine, ...], int, dt.date | None, list[str]]:
    """Return the lines as they are promised, their cost, the day what is ordered in comes on, and the codes used."""
    found = {product.sku: product for product in listing.products(session, store.id, [sku for sku, _ in wanted], at=at)}
    unknown = sorted(sku for sku, _ in wanted if sku not in found)
    if unknown:
        names = dict(session.execute(sa.select(Product.sku, Product.shown).where(Product.sku.in_(unknown))).all())
        words = ", ".join(names.get(sku, sku) for sku in unknown)
        raise NotFound(
            "not-sold-online", "Not sold online in this store: %(words)s. Remove from the basket.", words=words,
            skus=unknown,
        )  # fmt: skip
    for sku, qty in wanted:
        product = found[sku]
        most = product.maximum_qty or storefront.LINE_STEPS * product.step_qty
        if not 0 < qty <= most or qty % product.step_qty:
            raise Invalid(
                "bad-quantity", "%(name)s: order %(step_qty)s to %(most)s, in steps of %(step_qty)s.",
                name=product.name, step_qty=product.step_qty, sku=sku, qty=qty, most=most,
            )  # fmt: skip
    quoted = listing.quote(session, store.id, wanted, coupons=preferences.coupons, member=preferences.member, at=at)
    priced = quoted.basket
    days = [found[sku].days_for(qty) for sku, qty in wanted]
    comes = listing.comes_on(business_day(at, store.tz, store.rollover_hour), days)
    lines = [replace(line, awaited=bool(found[line.sku].days_for(line.qty))) for line in promised_lines(priced)]
    return tuple(lines), priced.total_minor, comes, sorted(quoted.coupons_used)


def _repeated(
    session: Session, order: PickupOrder, name: str, phone: str, wanted: list[tuple[str, int]], token: str | None
) -> Placed:
    there = [(line.sku, line.qty) for line in lines_of(session, order) if line.instead_of is None]
    forgotten = order.customer_name == ""
    same_person = forgotten or (order.customer_name, order.customer_phone) == (name, phone)
    other_token = token is not None and token_hash(token) != order.token_hash
    if there != wanted or not same_person or other_token:
        raise Conflict(
            "order-content-differs",
            "Order %(order_no)s was already placed with different content. Start a new order.",
            order_no=order.order_no,
        )
    return Placed(order, code_of(order.id, token) if token else None, token, repeated=True)


def _by_token(session: Session, store_id: str, token: str, *, lock: bool) -> PickupOrder:
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.token_hash == token_hash(token))
    order = session.scalar(lock_rows(session, query) if lock else query)
    if order is None:
        raise NotFound("unknown-order", "Order not found at this store. Use the link you got when ordering.")
    return order


def _has_missed_one(session: Session, of_theirs: sa.ColumnElement[bool], at: dt.datetime) -> bool:
    missed = sa.select(PickupOrder.id).where(
        of_theirs, PickupOrder.state == "expired", PickupOrder.paid_minor == 0, PickupOrder.moved_at > at - NO_SHOW
    )
    return session.scalar(missed.limit(1)) is not None


def _lines_of(session: Session, store_id: str, order_ids: Sequence[str]) -> list[tuple[str, int]]:
    if not order_ids:
        return []
    query = sa.select(PickupLine.sku, PickupLine.qty)
    found = session.execute(query.where(PickupLine.store_id == store_id, PickupLine.order_id.in_(order_ids)))
    return [(sku, qty) for sku, qty in found]


def _things(session: Session, lines: Sequence[tuple[str, int]]) -> int:
    if (most := sum(qty for _, qty in lines)) <= MOST_THINGS:
        return most  # a thing is one unit or more: there is nothing to look up
    products = session.scalars(sa.select(Product).where(Product.sku.in_({sku for sku, _ in lines})))
    steps = {product.sku: step_of(product) for product in products}
    return sum(-(-qty // steps.get(sku, 1)) for sku, qty in lines)

"""Placing an order in a store's online shop: the network's half of a pickup.

Rules
-----
1. An order takes from the published allowance, all its lines or none, and goes to its store as one message with the
   prices promised. The page makes the id; the same id with the same content is the same order.
2. The token (128 random bits) is the customer's key to the order: it stands in the QR and in the address of the
   status page. The code is derived from it by HMAC with the order's id, so the status page can always show the code
   although neither is stored, only their hashes. A page that makes the token before it sends the order (`new_token`)
   gets token and code again when it sends twice; without one, a repeat cannot show them.
3. The network mirrors what the store tells: the highest step wins. What a refused, cancelled or expired order had
   taken from an allowance goes back.
4. Cancelling is a wish until the store answers: it may have handed the order over a moment ago, and then its word
   counts.
"""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import journal, outbox
from config.clock import business_day
from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import is_id, new_id, pickup_code_of
from config.journal import Actor
from config.node import NETWORK
from pos.catalogue import Product
from pos.store import Store
from supply import shop
from supply.online_facts import PICKUP_CANCELLED, PICKUP_PLACED, OrderLine, PickupCancelled, PickupMoved, PickupPlaced
from supply.pickup_order import (
    BEFORE_READY,
    PickupLine,
    PickupOrder,
    facts_of,
    lines_of,
    price,
    subject_of,
    text_of,
    write_down,
)

NAME_LENGTH = 80
MOST_LINES = 40
CUSTOMER = Actor(id="customer", name="customer", role="customer", node=NETWORK)
_PHONE = re.compile(r"[0-9+()/. -]{5,20}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


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
    at_shop: bool
    """The store has got the order."""


# --- verbs, network ---


def new_token() -> str:
    """Make a token of 128 random bits, 22 characters."""
    return secrets.token_urlsafe(16)


def place(
    session: Session,
    store_id: str,
    *,
    id: str,
    name: str,
    phone: str,
    lines: Sequence[tuple[str, int]],
    at: dt.datetime,
    token: str | None = None,
) -> Placed:
    """Place a customer's order (rules 1, 2).

    id: made by the page. lines: [(sku, qty)], 1 to 40 different products. Refuses a shop that takes no orders, and
    quantities beyond the allowance with every short line named; an id that came with another content is a Conflict.
    """
    store = _open_shop(session, store_id, id)
    name, phone = _person(name, phone)
    wanted = _lines(lines)
    if token is not None and not _TOKEN.fullmatch(token):
        raise Invalid("bad-token", "The page sent an unusable key for this order. Load it again.")
    if known := session.get(PickupOrder, (store_id, id)):
        return _repeated(session, known, name, phone, wanted, token)
    if not shop.is_taking_orders(session, store_id):
        raise Refused("shop-closed", f"{store.name} takes no online orders just now. Try again later.", store=store_id)
    promised = _promised(session, store_id, wanted)
    total = price(session, wanted, {line.sku: line.price_minor for line in promised}).total_minor
    shop.take(session, store_id, wanted)
    token = token or new_token()
    number = shop.next_number(session, store_id)
    placed = PickupPlaced(
        store_id=store_id,
        order_id=id,
        number=number,
        order_no=f"{store_id}-{number:04d}",
        customer_name=name,
        customer_phone=phone,
        code_hash=code_hash(id, code_of(id, token)),
        token_hash=token_hash(token),
        currency=store.currency,
        total_minor=total,
        placed_at=text_of(at),
        lines=promised,
    )
    order = write_down(session, placed)
    journal.record(
        session, actor=CUSTOMER, at=at, verb="pickup order.placed", subject=subject_of(order), total_minor=total
    )
    _send(session, store, order, PICKUP_PLACED, placed.to_body(), id=f"placed-{order.id}", at=at)
    session.flush()
    return Placed(order, code_of(id, token), token, repeated=False)


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
            f"Order {order.order_no} is {order.state}: it cannot be cancelled here any more. Tell the shopkeeper.",
            state=order.state,
        )
    order.cancel_asked_at = at
    journal.record(session, actor=CUSTOMER, at=at, verb="pickup order.cancel_asked", subject=subject_of(order))
    fact = PickupCancelled(order=_as_placed(session, order), asked_at=text_of(at))
    store = session.get_one(Store, store_id)
    _send(session, store, order, PICKUP_CANCELLED, fact.to_body(), id=new_id(), at=at)
    return order


def mirror(session: Session, moved: PickupMoved) -> None:
    """Take over how an order stands at its store (rule 3); an older step changes nothing."""
    order = session.scalar(
        lock_rows(
            session,
            sa.select(PickupOrder).where(PickupOrder.store_id == moved.store_id, PickupOrder.id == moved.order_id),
        ).execution_options(populate_existing=True)
    )
    if order is None:
        order = write_down(session, _without_person(moved))
        shop.number_used(session, moved.store_id, moved.number)
    if moved.step <= order.step:
        return
    # The store made the move and journalled it; here it is a copy, whose steps may arrive in any order.
    session.execute(
        sa.update(PickupOrder)
        .where(PickupOrder.store_id == moved.store_id, PickupOrder.id == moved.order_id)
        .values(state=moved.state)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order, ["state"])
    order.step, order.why, order.total_minor = moved.step, moved.why, moved.total_minor
    order.moved_at = dt.datetime.fromisoformat(moved.moved_at)
    order.ready_by, order.ready_at = _instant(moved.ready_by), _instant(moved.ready_at)
    order.hold_until, order.collected_at = _instant(moved.hold_until), _instant(moved.collected_at)
    order.collected_by, order.sale_id = moved.collected_by, moved.sale_id
    picked = {line.sku: line.picked_qty for line in moved.lines}
    for line in lines_of(session, order):
        line.picked_qty = picked.get(line.sku, line.picked_qty)
    session.flush()
    shop.recount(session, moved.store_id, picked)


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
        at_shop=order.step > 0,
    )


def code_of(order_id: str, token: str) -> str:
    """Return the 8-character code that belongs to a token (rule 2)."""
    return pickup_code_of(hmac.new(token.encode(), f"pickup code {order_id}".encode(), hashlib.sha256).digest())


def code_hash(order_id: str, code: str) -> str:
    """Return how a code is kept: hashed together with its order."""
    return hashlib.sha256(f"{order_id}:{code}".encode()).hexdigest()


def token_hash(token: str) -> str:
    """Return how a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


# --- inside ---


def _open_shop(session: Session, store_id: str, id: str) -> Store:
    if not is_id(id):
        raise Invalid("bad-id", "The page sent an order without a proper id. Load it again.")
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-shop", "There is no such shop. Check the address.", store=store_id)
    return store


def _person(name: str, phone: str) -> tuple[str, str]:
    name, phone = " ".join(name.split()), phone.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise Invalid("bad-name", f"Give the name under which you collect: 1 to {NAME_LENGTH} letters.")
    if not _PHONE.fullmatch(phone) or sum(letter.isdigit() for letter in phone) < 5:
        raise Invalid("bad-phone", "Give a phone number: 5 to 20 digits, blanks and + - / ( ) are fine.")
    return name, phone


def _lines(lines: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid("bad-basket", f"An order has 1 to {MOST_LINES} products; this one has {len(lines)}.")
    if len({sku for sku, _ in lines}) < len(lines):
        raise Invalid("bad-basket", "A product stands in the order twice. Add its quantities up.")
    return sorted(lines)


def _promised(session: Session, store_id: str, wanted: list[tuple[str, int]]) -> tuple[OrderLine, ...]:
    found = {ware.sku: ware for ware in shop.wares(session, store_id, [sku for sku, _ in wanted])}
    unknown = sorted(sku for sku, _ in wanted if sku not in found)
    if unknown:
        names = dict(session.execute(sa.select(Product.sku, Product.name).where(Product.sku.in_(unknown))).all())
        words = ", ".join(names.get(sku, sku) for sku in unknown)
        raise NotFound(
            "not-sold-online", f"This shop does not sell online: {words}. Take it out of the basket.", skus=unknown
        )
    promised = []
    for sku, qty in wanted:
        ware = found[sku]
        most = ware.maximum_qty or shop.LINE_STEPS * ware.step_qty
        if not 0 < qty <= most or qty % ware.step_qty:
            steps = f" in steps of {ware.step_qty}" if ware.step_qty > 1 else ""
            raise Invalid(
                "bad-quantity", f"{ware.name}: order {ware.step_qty} to {most}{steps}.", sku=sku, qty=qty, most=most
            )
        promised.append(OrderLine(sku, ware.name, qty, ware.price_minor, ware.price_quantity))
    return tuple(promised)


def _repeated(
    session: Session, order: PickupOrder, name: str, phone: str, wanted: list[tuple[str, int]], token: str | None
) -> Placed:
    there = [(line.sku, line.qty) for line in lines_of(session, order)]
    forgotten = order.customer_name == ""
    same_person = forgotten or (order.customer_name, order.customer_phone) == (name, phone)
    other_token = token is not None and token_hash(token) != order.token_hash
    if there != wanted or not same_person or other_token:
        raise Conflict(
            "order-content-differs",
            f"Order {order.order_no} was already placed with another content. Begin a new order for this one.",
            order_no=order.order_no,
        )
    return Placed(order, code_of(order.id, token) if token else None, token, repeated=True)


def _send(
    session: Session, store: Store, order: PickupOrder, topic: str, body: dict[str, object], *, id: str, at: dt.datetime
) -> None:
    outbox.append(
        session,
        to_node=store.id,
        topic=topic,
        version=1,
        body=body,
        id=id,
        subject=subject_of(order),
        business_day=business_day(at, store.tz, store.rollover_hour),
        at=at,
    )


def _by_token(session: Session, store_id: str, token: str, *, lock: bool) -> PickupOrder:
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.token_hash == token_hash(token))
    order = session.scalar(lock_rows(session, query) if lock else query)
    if order is None:
        raise NotFound("unknown-order", "There is no such order in this shop. Use the link you got when ordering.")
    return order


def _as_placed(session: Session, order: PickupOrder) -> PickupPlaced:
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
    )


def _without_person(moved: PickupMoved) -> PickupPlaced:
    return PickupPlaced(
        store_id=moved.store_id,
        order_id=moved.order_id,
        number=moved.number,
        order_no=moved.order_no,
        customer_name="",
        customer_phone="",
        code_hash=moved.code_hash,
        token_hash=moved.token_hash,
        currency=moved.currency,
        total_minor=moved.total_minor,
        placed_at=moved.placed_at,
        lines=moved.lines,
    )


def _instant(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None

"""Handing an online order over at the counter: the right code at the right store, one sale, once.

Rules
-----
1. A customer shows a code (typed, with a check character) or a token (in the QR). Codes of another store are simply
   not found here; the sentence says so.
2. Codes that fit no order are counted: after 20 in ten minutes or 200 in a day in one store the counter waits. At that
   rate and with 50 orders waiting a guess succeeds less than once in a million store days (31^7 codes). A slip the
   check character shows, or a token, is no guess and is not counted.
3. A try must be remembered although it is refused, and a refusal that is raised undoes its transaction. So `find`
   and `collect` return a wrong code's refusal instead of raising it; the edge commits, then calls `or_raise()`.
4. Collecting rings a sale at the agreed prices and fulfils the reservation in the same transaction. The same sale id
   again is the same sale; another one is refused, with when and by whom it was collected. What was paid online is
   paid: nothing more is taken, whatever the page says, and an order that costs more is not handed over.
5. An order past its time is still handed over while it stands in the bin: expiring is a move of its own.
6. A typed code is for the counter alone. The token proves the hand-over to the network too: it goes there with the
   collection of what was paid online, and the money comes earlier (`time_slots` rule 5).
"""

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound, Refused
from config.ids import new_id, tidy_pickup_code
from config.nodes.journal import Context, record
from pos.customers import customers
from pos.payments.tenders import PREPAID
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.sold import Completed
from pos.store.store import Store
from supply.online import home_delivery
from supply.online.checkout.order_keys import code_hash, salt_of, token_hash
from supply.online.orders import (
    OPEN,
    PickupOrder,
    PickupTry,
    lines_of,
    move,
    order_for_update,
)
from supply.online.storefront.availability import rules_of
from supply.online.storefront.delivery_rules import fee_of
from supply.online.storefront.price import promise_of

TRIES_PER_SPELL = 20
SPELL = dt.timedelta(minutes=10)
TRIES_PER_DAY = 200
REMEMBER_DAYS = 30
"""So long a code still finds its ended order, to say what became of it."""


@dataclass(frozen=True)
class Handover:
    """What a code led to: the order (and its sale, when collected), or the refusal of a wrong code (rule 3).

    token: what was scanned, where it was no typed code (rule 6).
    """

    order: PickupOrder | None = None
    token: str = ""
    completed: Completed | None = None
    refusal: DomainError | None = None

    def or_raise(self) -> "Handover":
        """Raise the refusal, if there is one; to be called after the commit."""
        if self.refusal is not None:
            raise self.refusal
        return self


# --- verbs, store ---


def find(ctx: Context, store_id: str, code_or_token: str, *, order_id: str | None = None) -> Handover:
    """Return the order a code or token opens, ended ones too, or a wrong code's refusal (rules 1 to 3).

    order_id: the order open on the page; the code must then be that order's. Raises only when locked.
    """
    _refuse_when_locked(ctx.session, store_id, ctx.at)
    text = "".join(code_or_token.split())
    code = tidy_pickup_code(text)
    if code is None and len(text) < 22:
        return Handover(refusal=NotFound("no-such-code", "A pickup code has 8 letters and digits. Check it again."))
    order = _by_code(ctx.session, store_id, code, ctx.at) if code else _by_token(ctx.session, store_id, text)
    if order is not None and order_id in (None, order.id):
        return Handover(order=order, token="" if code else text)
    if order is None and code is None:
        return Handover(
            refusal=NotFound(
                "not-come-yet",
                "No order here has this code. It is for another store, or has not arrived yet. Check the "
                "customer's order page.",
            )
        )
    ctx.session.add(PickupTry(store_id=store_id, id=new_id(), at=ctx.at, actor_id=ctx.actor.id))
    record(ctx, verb="pickup order.wrong_code", subject=f"pickup:{order_id or 'unknown'}")
    if order is not None:
        return Handover(
            refusal=Refused("other-order", "This code belongs to order %(order_no)s.", order_no=order.order_no)
        )
    return Handover(
        refusal=NotFound("wrong-code", "This code is not for this store. Check it, or ask for the QR code.")
    )


def collect(ctx: Context, code_or_token: str, request: SaleRequest, *, order_id: str | None = None) -> Handover:
    """Hand a ready order over and ring its sale (rule 4). request: as in `hand_over`.

    Refuses orders that are not ready, already collected or ended, and whatever `sale.complete` refuses (total shown,
    cash, age, shift). A wrong code comes back as `Handover.refusal` (rule 3).
    """
    found = find(ctx, request.store_id, code_or_token, order_id=order_id)
    if found.order is None:
        return found
    if home_delivery.is_live(home_delivery.of_order(ctx.session, request.store_id, found.order.id)):
        raise Refused(
            "brought-home", "Order %(order_no)s is for delivery. Change it to pickup first.",
            order_no=found.order.order_no,
        )  # fmt: skip
    return hand_over(ctx, found.order.id, request, token=found.token)


def hand_over(ctx: Context, order_id: str, request: SaleRequest, *, token: str = "") -> Handover:
    """Ring the sale of an order whose customer is known, by its code or at the door (rule 4). token: as scanned.

    request: the sale without lines: they, their prices and the customer are the order's.
    """
    order = order_for_update(ctx.session, request.store_id, order_id)
    again = order.state == "collected" and order.sale_id == request.id
    if not again:
        _refuse_unless_ready(ctx.session, order)
        refuse_unpaid(order)
    promise = promise_of(lines_of(ctx.session, order), fee_of(ctx.session, order))
    request = replace(
        request,
        lines=promise.lines,
        tenders=[(PREPAID, order.total_minor)] if order.paid_minor else request.tenders,
        channel="pickup",
        order_id=order.id,
        order_no=order.order_no,
        customer_id=_member_of(ctx.session, order),
        agreed_prices=promise.prices,
        agreed_savings=promise.savings,
        agreed_deposits=promise.deposits,
    )
    completed = sale.complete(ctx, request)
    if again:
        return Handover(order=order, completed=completed)
    order.sale_id, order.collected_at, order.collected_by = request.id, ctx.at, ctx.actor.name
    order.return_until = ctx.at + dt.timedelta(days=rules_of(ctx.session, request.store_id).return_days)
    if token:
        order.proved_at, order.proved_by = ctx.at, "token"
    proof = token if order.paid_minor and order.number > 0 else ""  # nobody else needs it
    move(ctx, order, "collected", why=order.why, proof=proof)
    return Handover(order=order, completed=completed)


def forget_tries(session: Session, store_id: str, *, at: dt.datetime) -> None:
    """Drop the tries of days gone by; the journal keeps that they happened."""
    session.execute(
        sa.delete(PickupTry).where(PickupTry.store_id == store_id, PickupTry.at < at - dt.timedelta(days=2))
    )


def refuse_unpaid(order: PickupOrder) -> None:
    """Refuse an order paid beforehand that costs more than was paid: nobody has the rest (rule 4)."""
    if 0 < order.paid_minor < order.total_minor:
        raise Refused(
            "above-paid", "Order %(order_no)s was prepaid and would now cost more. Hand over less, or cancel it.",
            order_no=order.order_no, paid_minor=order.paid_minor, total_minor=order.total_minor,
        )  # fmt: skip


def refuse_square(session: Session, store_id: str, scanned: str) -> None:
    """Say of what a till has scanned for goods that it is an order's square, where it is one."""
    order = _by_token(session, store_id, scanned.rstrip("/").rpartition("/")[2])
    if order is not None:
        raise Refused(
            "orders-square", "This is order %(order_no)s: hand it over under Pickup.", order_no=order.order_no
        )


def hash_ahead(session: Session, store_id: str, code_or_token: str, *, at: dt.datetime) -> None:
    """Hash a typed code before anything is locked for it: that takes a moment, and a till may want to write."""
    if code := tidy_pickup_code("".join(code_or_token.split())):
        _by_code(session, store_id, code, at)


# --- inside ---


def _refuse_when_locked(session: Session, store_id: str, at: dt.datetime) -> None:
    for limit, spell in ((TRIES_PER_SPELL, SPELL), (TRIES_PER_DAY, dt.timedelta(days=1))):
        oldest = session.scalar(
            sa.select(PickupTry.at)
            .where(PickupTry.store_id == store_id, PickupTry.at > at - spell)
            .order_by(PickupTry.at.desc(), PickupTry.id.desc())
            .offset(limit - 1)
            .limit(1)
        )
        if oldest is not None:
            until = oldest + spell
            raise Refused(
                "codes-locked", "Too many wrong codes. Try again from %(until)s.", until=until.isoformat(),
            )  # fmt: skip


def _by_token(session: Session, store_id: str, token: str) -> PickupOrder | None:
    return session.scalar(
        sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.token_hash == token_hash(token))
    )


def _by_code(session: Session, store_id: str, code: str, at: dt.datetime) -> PickupOrder | None:
    """Look through the open and lately ended orders, week by week of their codes' salts, those that are ready first."""
    lately = at - dt.timedelta(days=REMEMBER_DAYS)
    query = sa.select(PickupOrder.id, PickupOrder.code_hash, PickupOrder.state)
    here = sa.or_(PickupOrder.state.in_(OPEN), PickupOrder.moved_at >= lately)
    rows = session.execute(query.where(PickupOrder.store_id == store_id, here).order_by(PickupOrder.placed_at.desc()))
    likely = sorted((state != "ready", state not in OPEN, order_id, kept) for order_id, kept, state in rows)
    for salt in dict.fromkeys(salt_of(kept) for *_, kept in likely):
        hashed = code_hash(salt, code)
        if fitting := [order_id for *_, order_id, kept in likely if kept == hashed]:
            return session.get(PickupOrder, (store_id, fitting[0]))
    return None


def _member_of(session: Session, order: PickupOrder) -> str | None:
    """Return the customer whose order it is, by name or where it has the prices for members: the points are theirs."""
    if order.customer_id is not None:
        return order.customer_id if customers.is_known(session, order.store_id, order.customer_id) else None
    if not order.member or not order.customer_phone:
        return None
    key = customers.key_of(order.store_id, session.get_one(Store, order.store_id).tz, order.customer_phone)
    return customers.online_members(session, order.store_id, key).get(key)


def _refuse_unless_ready(session: Session, order: PickupOrder) -> None:
    if order.state == "ready":
        return
    facts = {"order_no": order.order_no, "state": order.state}
    if order.collected_at is not None:
        tz = session.get_one(Store, order.store_id).tz
        when = f"{order.collected_at.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M}"
        raise Refused(
            "already-collected", "Order %(order_no)s was handed over on %(when)s by %(collected_by)s.",
            when=when, collected_by=order.collected_by, **facts,
        )  # fmt: skip
    if order.state in OPEN:
        raise Refused(
            "not-ready", "Order %(order_no)s is not ready yet: it is %(state)s.", **facts,
        )  # fmt: skip
    if order.paid_minor:
        raise Refused(
            "ended-paid-back",
            "Order %(order_no)s is %(state)s and its payment is being refunded. If the customer still "
            "wants the products, sell them at the till.", **facts,
        )  # fmt: skip
    raise Refused("order-ended", "Order %(order_no)s is %(state)s. %(why)s", why=order.why or "", **facts)

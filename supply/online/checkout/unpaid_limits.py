"""How much one customer may have put aside without having paid: what waits for one is gone for everybody else.

Rules
-----
1. One phone number has at most MOST_ORDERS orders open in a shop that are to be paid at the counter, or at the door,
   and together at most MOST_THINGS pieces or portions in them.
2. Who let such an order expire has one at a time, for NO_SHOW after it.
3. What is paid online is not bounded, but no more than MOST_ORDERS of a number wait for their money at once; nor is
   what a shop takes at its own counter. A shop that asks for no code to the phone (`phone_codes`) trusts the numbers
   that are typed.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from pos.catalogue.catalogue import Product
from supply.money.escrow import Escrow
from supply.online.orders import OPEN, PickupLine, PickupOrder
from supply.online.storefront.availability import step_of

MOST_ORDERS, MOST_THINGS = 3, 60
NO_SHOW = dt.timedelta(days=30)


def refuse_hoarding(
    session: Session, store_id: str, phone: str, wanted: Sequence[tuple[str, int]], *, at: dt.datetime
) -> None:
    """Refuse an order that is one too many, or too large, for its phone number in E.164 (rules 1 to 3).

    wanted: [(sku, qty)] of an order to be paid later; nothing for one that is paid online. To be asked when the order
    has its number: a shop gives one after the other, so of two orders of one phone at once the second sees the first.
    """
    of_theirs = sa.and_(PickupOrder.store_id == store_id, PickupOrder.number > 0, PickupOrder.customer_phone == phone)
    query = sa.select(PickupOrder.id).where(of_theirs, PickupOrder.state.in_(OPEN), PickupOrder.paid_minor == 0)
    if not wanted:
        query = query.where(sa.exists().where(Escrow.id == PickupOrder.id, Escrow.state == "awaited"))
    waiting = session.scalars(query).all()
    if len(waiting) >= MOST_ORDERS:
        raise Refused(
            "too-many-unpaid",
            f"{len(waiting)} unpaid orders wait here under this number. Collect one first, or pay this one online where"
            " the shop offers it.",
            most=MOST_ORDERS, field="pay",
        )  # fmt: skip
    if not wanted:
        return
    if waiting and _has_missed_one(session, of_theirs, at):
        raise Refused(
            "missed-one",
            "An order under this number was not collected lately, so one waits unpaid at a time. Collect it first, or"
            " pay this one online where the shop offers it.",
            field="pay",
        )  # fmt: skip
    things = _things(session, [*wanted, *_lines_of(session, store_id, waiting)])
    if things > MOST_THINGS:
        raise Refused(
            "too-much-unpaid",
            f"Without paying before, at most {MOST_THINGS} things are put aside for one number; with this order it"
            f" would be {things}. Order less, or pay online where the shop offers it.",
            most=MOST_THINGS, things=things, field="pay",
        )  # fmt: skip


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

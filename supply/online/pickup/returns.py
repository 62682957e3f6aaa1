"""Goods of a collected order that come back within the store's time: asked for, taken back or refused.

Rules
-----
1. Goods come back until `return_until`, by the customer's wish from the order's page or straight at the counter; what
   is left of them may come back another time. Each return is one, however often it is sent.
2. Taking back is a return of the order's sale: stock, money, receipt and journal are the till's. What was paid at the
   counter goes back there; what was paid online the network sends back from the escrow.
3. Refusing needs a reason, which the customer reads; then what was paid online may be disputed.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.nodes.facts import applies
from config.nodes.journal import Context
from pos.payments.tenders import CASH
from pos.sale import returns
from pos.sale.refund_routes import returned_qty
from pos.sale.sale_request import ReturnRequest
from pos.sold import Completed, Sale, SaleLine
from supply.online.orders import PickupOrder, lines_of, move, order_for_update, send
from supply.online_facts import ReturnAsked

MAY_COME_BACK = ("collected", "returned")


@applies(ReturnAsked)
def customer_asks(ctx: Context, asked: ReturnAsked) -> PickupOrder:
    """Take in a customer's wish to bring goods back (rule 1); out of time it changes nothing, and the store says so."""
    order = order_for_update(ctx.session, asked.store_id, asked.order_id)
    in_time = _in_time(order, dt.datetime.fromisoformat(asked.asked_at))
    if order.state in MAY_COME_BACK and in_time and left_of(ctx.session, order):
        return move(ctx, order, "return_asked", why=asked.why)
    send(ctx.session, order, ctx.at)
    return order


def ask(ctx: Context, store_id: str, order_id: str, *, why: str) -> PickupOrder:
    """Begin to take goods back at the counter (rule 1)."""
    order = order_for_update(ctx.session, store_id, order_id)
    if order.state in MAY_COME_BACK and not _in_time(order, ctx.at):
        raise Refused(
            "too-late-to-return", "The return period for order %(order_no)s has ended.",
            order_no=order.order_no,
        )  # fmt: skip
    if order.state in MAY_COME_BACK and not left_of(ctx.session, order):
        raise Refused("all-came-back", "Order %(order_no)s has already been fully refunded.", order_no=order.order_no)
    return move(ctx, order, "return_asked", why=why.strip()[:300])


def take_back(
    ctx: Context,
    store_id: str,
    order_id: str,
    lines: Sequence[tuple[str, int, bool]],
    *,
    return_id: str,
    till_id: str,
    tender: str = CASH,
    approvals: Sequence[str] = (),
) -> Completed:
    """Take goods back and return their money (rule 2).

    lines: (sku, qty, whether it can be sold again). return_id: made by the page; the same again is the same return.
    """
    order = order_for_update(ctx.session, store_id, order_id)
    again = ctx.session.get(Sale, (store_id, return_id)) is not None
    if not again:
        order.STATES.require(order.state, "returned")
    if not lines:
        raise Invalid("nothing-back", "Enter what is being returned, and how many.")
    rows = ctx.session.execute(
        sa.select(SaleLine.sku, SaleLine.n)
        .where(SaleLine.store_id == store_id, SaleLine.sale_id == order.sale_id, SaleLine.price_type != "deposit")
        .order_by(SaleLine.n.desc())
    )
    numbers: dict[str, int] = {row.sku: row.n for row in rows}
    if unknown := [sku for sku, _, _ in lines if sku not in numbers]:
        raise Invalid(
            "not-in-order", "This was not in order %(order_no)s: %(skus)s.", order_no=order.order_no, skus=unknown
        )
    request = ReturnRequest(
        id=return_id,
        store_id=store_id,
        till_id=till_id,
        sale_id=str(order.sale_id),
        lines=[(numbers[sku], qty, restock) for sku, qty, restock in lines],
        tender=tender,
        why=order.why,
        approvals=approvals,
        online=order.paid_minor > 0,
    )
    completed = returns.take_back(ctx, request)
    if not again:
        order.returned_minor -= completed.sale.total_minor
        move(ctx, order, "returned", why=order.why)
    return completed


def refuse(ctx: Context, store_id: str, order_id: str, *, why: str) -> PickupOrder:
    """Say no to goods that should come back (rule 3)."""
    order = order_for_update(ctx.session, store_id, order_id)
    if not why.strip():
        raise Invalid("reason-missing", "Enter a reason. The customer will see it.")
    return move(ctx, order, "return_refused", why=why.strip()[:300])


# --- questions ---


def left_of(session: Session, order: PickupOrder) -> dict[str, int]:
    """Return SKU -> how much of what was handed over has not come back, of the products of which any is left."""
    back = returned_qty(session, order.store_id, str(order.sale_id))
    rows = session.execute(
        sa.select(SaleLine.n, SaleLine.sku, SaleLine.qty).where(
            SaleLine.store_id == order.store_id, SaleLine.sale_id == order.sale_id, SaleLine.price_type != "deposit"
        )
    )
    ordered = {line.sku for line in lines_of(session, order)}
    return {sku: qty - back.get(n, 0) for n, sku, qty in rows if sku in ordered and qty > back.get(n, 0)}


# --- inside ---


def _in_time(order: PickupOrder, at: dt.datetime) -> bool:
    return order.return_until is not None and at < order.return_until

"""A store's order as the network takes it in: at its own prices, for the day it says, or not at all.

Rules
-----
1. What an order costs stands in the network's own list, of the day it arrives or the two weeks before it: the store may
   not have heard of a change. Any other cost or pack is charged by the unit at the list, so that none makes it cheaper;
   what is not on the list is not promised.
2. For which day it counts the network says, and tells the store where that is another than it named (`order_days`).
   Within its route it stands where it reached the network, whenever the store says that it was sent.
3. Of a store that was put back from its copy and numbers again the network tells two orders of one number apart.
4. An order whose days are far from today, or whose reasons are no figures and days, is not taken in: rationing,
   loading and the routes reckon with all stores' orders at once.
5. What the network promises, loads and hears of it afterwards is the order's own story (`orders`).
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, Refused
from config.ids import NETWORK
from config.nodes import door, journal
from config.nodes.journal import Context
from pos.stock.ledger import MOST_QTY
from pos.store.store import day_of, send_fact
from supply.facts import OrderAcknowledged, OrderCancelled, Ordered, OrderSent
from supply.orders import order_days
from supply.orders.delivery_calendar import LONGEST_LEAD_DAYS, MOST_WEEKS
from supply.orders.orders import (
    STATES,
    OrderLine,
    ReplenishmentOrder,
    acknowledged,
    cost_of,
    lines_of,
    put_on,
    settle,
    subject_of,
)
from supply.orders.suppliers import MOST_PACKS, Supplier, Terms, supplier_of, terms_for, was_listed

REPORTED_APART = 1_000_000
FIGURES = ("on_hand", "reserved", "on_the_way", "required_qty", "target", "per_day")
"""What of a line's reasons the network reckons with."""
OURS = ("scarce",)
"""What of a line's reasons the network alone writes."""
FARTHEST = dt.timedelta(weeks=MOST_WEEKS + 1)
"""So far ahead of its arrival an order's day may be: a clock is wrong."""

# --- verbs ---


def arrive(ctx: Context, fact: OrderSent) -> ReplenishmentOrder:
    """Take a store's order in, for the day it counts for (rules 1, 2); the same order again changes nothing."""
    is_new = ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id)) is None
    order = write_down(ctx, fact)
    if is_new and order.state == "sent":
        said = order_days.of(order)
        put_on(
            order,
            order_days.counted(ctx.session, supplier_of(ctx.session, order.supplier_id), said, order.store_id, ctx.at),
        )
        if order.order_day != said.order_day:
            order_days.send(ctx, order)
        ctx.session.flush()
    return order


def write_down(ctx: Context, fact: OrderSent) -> ReplenishmentOrder:
    """Write a store's order at this node's prices, for the day it names (rule 1); again changes nothing."""
    order = ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id))
    if order is not None:
        known = {(line.sku, line.pack_qty) for line in lines_of(ctx.session, order)}
        if order.order_no % REPORTED_APART != fact.order_no or known != {
            (line.sku, line.pack_qty) for line in fact.lines
        }:
            raise Conflict(
                "order-content-differs",
                "Order %(order_no)s already arrived with different content.",
                order_no=fact.order_no,
            )
        return order
    today, lead = day_of(ctx.session, fact.store_id, ctx.at), dt.timedelta(days=LONGEST_LEAD_DAYS)
    lines, oldest = _at_our_prices(ctx.session, fact, today), today - 2 * lead
    order = ReplenishmentOrder(
        store_id=fact.store_id, id=fact.order_id, supplier_id=fact.supplier_id, state="sent",
        order_no=_reported_apart(ctx.session, fact),
        order_day=door.day(fact.order_day, "order_day", today + FARTHEST, first=oldest),
        delivery_day=door.day(fact.delivery_day, "delivery_day", today + FARTHEST + lead, first=oldest),
        next_delivery_day=door.day(
            fact.next_delivery_day, "next_delivery_day", today + 2 * (FARTHEST + lead), first=oldest
        ),
        cost_minor=cost_of(lines),
        proposed_at=dt.datetime.fromisoformat(fact.proposed_at), sent_at=ctx.at,
        forecast_age_days=fact.forecast_age_days,
    )  # fmt: skip
    ctx.session.add(order)
    ctx.session.flush()
    ctx.session.add_all(lines)
    packs = sum(line.packs for line in lines)
    journal.record(ctx, verb="order.arrived", subject=subject_of(order), packs=packs)
    ctx.session.flush()
    settle(ctx, fact.store_id, order.id)
    return order


def called_off(ctx: Context, fact: OrderCancelled) -> None:
    """Take a store's cancellation, also before the order; what has left the warehouse goes on (`orders`, rule 7)."""
    order = arrive(ctx, fact.order)
    if STATES.legal(order.state, "cancelled"):
        journal.move(ctx, order, "cancelled", subject=subject_of(order), why=fact.why)


def answer_nothing(ctx: Context, order: ReplenishmentOrder) -> None:
    """Answer an order that is not paid for: nothing of it comes, and the store proposes again."""
    nothing = tuple((line.sku, 0) for line in lines_of(ctx.session, order))
    fact = OrderAcknowledged(store_id=order.store_id, order_id=order.id, packs=nothing)
    acknowledged(ctx, fact)
    send_fact(ctx.session, fact, subject=subject_of(order), at=ctx.at)


# --- inside ---


def _at_our_prices(session: Session, fact: OrderSent, day: dt.date) -> list[OrderLine]:
    """Return the lines of a store's order as the network sells them that day (rule 1)."""
    supplier = session.get(Supplier, fact.supplier_id)
    if supplier is None or supplier.kind != NETWORK:
        raise Refused(
            "not-our-supplier", "%(supplier_id)s does not deliver for the network.", supplier_id=fact.supplier_id
        )
    ours = {one.sku: one for one in terms_for(session, supplier.id, [line.sku for line in fact.lines], day)}
    lines = []
    for reported in fact.lines:
        _refuse_odd(reported)
        why = {name: value for name, value in reported.why.items() if name not in OURS}
        line = OrderLine(store_id=fact.store_id, order_id=fact.order_id, **vars(reported) | {"why": why})
        terms = ours.get(reported.sku)
        if terms is None:
            line.packs = line.pack_cost_minor = 0
        elif not _is_fair(session, terms, reported, day):
            line.pack_cost_minor = -(-terms.pack_cost_minor * reported.pack_qty // terms.pack_qty)
        lines.append(line)
    return lines


def _refuse_odd(reported: Ordered) -> None:
    """Refuse counts nobody can have typed and reasons that are no figures (rule 4)."""
    bounds = (
        (reported.pack_qty, 1, MOST_QTY),
        (reported.packs, 0, MOST_PACKS),
        (reported.packs_proposed, 0, MOST_PACKS),
    )
    if any(type(number) is not int or not least <= number <= most for number, least, most in bounds):
        raise Invalid(
            "bad-quantity", "You can’t order %(packs)s packs of %(pack_qty)s of %(sku)s.", packs=reported.packs,
            pack_qty=reported.pack_qty, sku=reported.sku,
        )  # fmt: skip
    for name in FIGURES:
        figure = reported.why.get(name, 0)
        is_figure = figure is None or (isinstance(figure, int | float) and abs(figure) <= MOST_QTY)
        if not is_figure or isinstance(figure, bool):
            raise Invalid(
                "bad-reason", "The order for %(sku)s has no number for %(name)s.", sku=reported.sku, name=name
            )
    try:
        dt.date.fromisoformat(reported.why.get("runs_out_day") or "2000-01-01")
    except (TypeError, ValueError) as fault:
        raise Invalid("bad-reason", "The order for %(sku)s has no stock-out date.", sku=reported.sku) from fault


def _is_fair(session: Session, terms: Terms, reported: Ordered, day: dt.date) -> bool:
    """Tell whether pack and cost are what the list says, or said when the store looked."""
    asked = terms._replace(pack_qty=reported.pack_qty, pack_cost_minor=reported.pack_cost_minor)
    return asked == terms or was_listed(session, asked, day)


def _reported_apart(session: Session, fact: OrderSent) -> int:
    """Return the number of a store's order here: its own, or, where another order has it, one a million on (rule 3)."""
    numbers = ReplenishmentOrder.order_no, ReplenishmentOrder.order_no % REPORTED_APART == fact.order_no
    taken = set(session.scalars(sa.select(numbers[0]).where(ReplenishmentOrder.store_id == fact.store_id, numbers[1])))
    number = door.number(fact.order_no, "order_no", 1, REPORTED_APART - 1)
    while number in taken:
        number += REPORTED_APART
    return number

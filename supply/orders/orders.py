"""A replenishment order from proposal to goods on the shelf, as the store and as the network sees it.

Rules
-----
1. The store proposes, changes, approves and sends; the supplier acknowledges, dispatches or rejects; goods received
   move it to part_received or received.
2. A line keeps what was proposed beside what was ordered, with the reason for a change; quantities are whole packs,
   at least the minimum, unless a person overrode it by name (K11).
3. Received over all deliveries = the line's received quantity (K10).
4. A supplier on paper or e-mail never acknowledges; its goods are expected as ordered from the moment of sending, and
   a message is written (`supplier_messages`).
5. Goods of an order come in one delivery or more. What the last one lacks does not come: the order is closed short.
6. The other node's word may arrive twice, or after a later one: every effect looks at what is there.
7. Cancelling is the store's word. If the vehicle had left before the network heard it, the goods come all the same and
   the order goes on as dispatched, at both nodes.
8. An order whose vehicle turned back with all of it is acknowledged again, with what was loaded: that is loaded again.
9. A store that was put back from its copy knows nothing of what it sent since: the goods of a lost order are expected
   without it.
10. For which day an order counts is one rule (`order_days`); how the network takes it in stands in `arrivals`.
11. Its fill rate is the value received of the value ordered, at the order's own costs: of each line no more than was
    ordered, rounded down. What was cut, rejected or did not come lowers it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import NETWORK, new_id
from config.money import exponent
from config.nodes import journal
from config.nodes.facts import stamp
from config.nodes.journal import Context
from config.states import StateTable
from pos.reports.slips import head
from pos.store.store import send_fact, store_of
from supply.facts import (
    Advised,
    Dispatched,
    OrderAcknowledged,
    OrderCancelled,
    Ordered,
    OrderMoved,
    OrderSent,
)
from supply.orders import deliveries, order_days, supplier_messages
from supply.orders.deliveries import ON_ITS_WAY, Advice, Delivery, DeliveryLine, expect
from supply.orders.delivery_calendar import OrderCycle
from supply.orders.suppliers import Supplier, supplier_of

STATES = StateTable(
    "order",
    "proposed",
    {
        "proposed": ["approved", "dropped"],
        "approved": ["sent", "dropped"],
        "sent": ["acknowledged", "rejected", "part_received", "received", "cancelled", "closed_short"],
        "acknowledged": ["dispatched", "part_received", "received", "cancelled", "closed_short"],
        "dispatched": ["part_received", "received", "closed_short", "acknowledged"],
        "part_received": ["received", "closed_short"],
        "cancelled": ["dispatched"],
    },
    resting=["cancelled"],
)
COSTS_NOTHING = ("proposed", "dropped", "rejected", "cancelled")
"""The states in which an order takes none of the money there is for orders."""
TO_SEND = ("proposed", "approved")
"""The states of an order that is not sent yet."""
ON_THE_WAY = ("approved", "sent", "acknowledged", "dispatched", "part_received")
ANSWERED = ("acknowledged", "dispatched", "part_received")
"""The states of an open order that was answered: it costs what was promised."""


class ReplenishmentOrder(Base):
    """Our order to a supplier or the network. order_no is the human number, per store."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "replenishment_order"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "order_no"),
        sa.Index("ix_replenishment_order_state", "store_id", "state"),
        sa.Index("ix_replenishment_order_delivery", "delivery_day"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_no: Mapped[int]
    supplier_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    order_day: Mapped[dt.date]
    delivery_day: Mapped[dt.date]
    next_delivery_day: Mapped[dt.date]
    """The delivery after this one: stock must last until then."""
    cost_minor: Mapped[int] = mapped_column(default=0)
    ordered_minor: Mapped[int | None]
    """What its packs were ordered for, once it was answered; received_minor: what of that came (rule 11)."""
    received_minor: Mapped[int | None]
    proposed_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    forecast_run_id: Mapped[str | None]
    forecast_age_days: Mapped[int | None]
    promise_step: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often an operator of the network changed its promise (`promise_changes`)."""
    postponed: Mapped[bool] = mapped_column(default=False)
    """The basket is below the supplier's minimum, and waiting for the next order day costs less than filling it."""
    by_rule: Mapped[bool] = mapped_column(default=False)
    """It went by the shopkeeper's rule, unseen (`auto_approval`)."""


class OrderLine(Base):
    """One product of an order. why: the facts behind the proposal, as the page's sentence tells them."""

    __tablename__ = "order_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "order_id"], ["replenishment_order.store_id", "replenishment_order.id"]),
        sa.CheckConstraint("packs >= 0", name="packs_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    minimum_packs: Mapped[int] = mapped_column(default=1)
    packs_proposed: Mapped[int]
    packs: Mapped[int]
    changed_why: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[str] = mapped_column(default="")
    teaches: Mapped[bool] = mapped_column(default=False)
    """The reason says that the quantity was wrong as such: approving takes it as a lesson (`service_targets`)."""
    packs_acknowledged: Mapped[int | None]
    qty_received: Mapped[int] = mapped_column(default=0)
    why: Mapped[dict[str, Any]]

    @property
    def packs_expected(self) -> int:
        """Packs as the supplier promised them; before that, as they were ordered."""
        return self.packs if self.packs_acknowledged is None else self.packs_acknowledged


# --- verbs, store ---


def send(ctx: Context, store_id: str, order_id: str) -> ReplenishmentOrder:
    """Send an approved order: to the network as a fact, else its goods are expected as ordered (rule 4).

    Refuses an empty one, and one below the supplier's minimum unless a person changed a line of it.
    """
    order = order_of(ctx.session, store_id, order_id)
    if order.state in STATES.ends:
        raise Conflict(
            "order-over", "Order %(order_no)s has lapsed and is no longer sent. Suggest a new one.",
            order_no=order.order_no,
        )  # fmt: skip
    STATES.require(order.state, "sent")
    lines = [line for line in lines_of(ctx.session, order) if line.packs]
    if not lines:
        raise Refused("empty-order", "Nothing is ordered. Enter at least one pack, or discard the order.")
    supplier = supplier_of(ctx.session, order.supplier_id)
    if not supplier.active:
        raise Refused("put-aside", "%(name)s is paused. Reactivate it, or discard the order.", name=supplier.name)
    order.cost_minor = cost_of(lines)
    _refuse_below_minimum(ctx.session, order, supplier)
    order.sent_at = ctx.at
    put_on(order, order_days.counted(ctx.session, supplier, order_days.of(order), store_id, ctx.at))
    journal.move(ctx, order, "sent", subject=subject_of(order), cost_minor=order.cost_minor)
    if supplier.kind == NETWORK:
        send_fact(ctx.session, _fact(ctx.session, order, ctx.at), subject=subject_of(order), id=order.id, at=ctx.at)
    else:
        advised = [Advised(line.sku, line.name, line.pack_qty, line.packs * line.pack_qty) for line in lines]
        advice = Advice(supplier.id, advised, order.delivery_day, order_id=order.id)
        expect(ctx, store_id, new_id(), advice)
        reported = supplier_messages.Ordered(
            store_id, order.id, order.order_no, order.order_day, order.delivery_day, order.cost_minor,
            head(store_of(ctx.session, store_id), ctx.actor, ctx.at),
        )  # fmt: skip
        supplier_messages.write(ctx.session, reported, supplier, lines, at=ctx.at)
    return order


def cancel(ctx: Context, store_id: str, order_id: str, *, why: str) -> ReplenishmentOrder:
    """Call off an order that was sent, as long as nothing of it is on the way (rule 7)."""
    order = order_of(ctx.session, store_id, order_id)
    if order.state in TO_SEND:
        raise Refused(
            "not-sent", "Order %(order_no)s was not sent yet. Discard it instead.", order_no=order.order_no,
            state=order.state,
        )  # fmt: skip
    STATES.require(order.state, "cancelled")
    why = stated(why, Invalid("no-reason", "Enter a reason for canceling the order."), 300)
    for delivery in _deliveries(ctx.session, order, ON_ITS_WAY):
        if delivery.state == "counting":
            raise Refused(
                "being-counted", "The delivery for order %(order_no)s is being counted. Post it first.",
                order_no=order.order_no,
            )  # fmt: skip
        subject = deliveries.subject_of(delivery)
        journal.move(ctx, delivery, "refused", subject=subject, why=why)
    journal.move(ctx, order, "cancelled", subject=subject_of(order), why=why)
    if supplier_of(ctx.session, order.supplier_id).kind == NETWORK:
        fact = OrderCancelled(order=_fact(ctx.session, order, ctx.at), why=why, cancelled_at=stamp(ctx.at))
        send_fact(ctx.session, fact, subject=subject_of(order), at=ctx.at)
    else:
        supplier_messages.call_off(ctx, store_id, order.id, why=why)
    return order


def acknowledged(ctx: Context, fact: OrderAcknowledged) -> None:
    """Take over what the supplier promises, at either node (rules 6, 9); nothing promised at all is a rejection."""
    if ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id)) is None:
        return
    order = order_of(ctx.session, fact.store_id, fact.order_id)
    if order.state != "sent":
        return
    promised = dict(fact.packs)
    for line in lines_of(ctx.session, order):
        line.packs_acknowledged = promised.get(line.sku, 0)
    target = "acknowledged" if any(promised.values()) else "rejected"
    packs = sum(promised.values())
    order.cost_minor = cost_of(lines_of(ctx.session, order))
    _value(order, lines_of(ctx.session, order))
    journal.move(ctx, order, target, subject=subject_of(order), packs=packs)


def moved(ctx: Context, fact: OrderMoved) -> None:
    """Take over for which day an order counts at the network; once its goods have left, their own day counts."""
    order = ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id))
    days = OrderCycle(
        *(dt.date.fromisoformat(one) for one in (fact.order_day, fact.delivery_day, fact.next_delivery_day))
    )
    if order is None or order.state not in ("sent", "acknowledged") or order_days.of(order) == days:
        return
    before = order.delivery_day.isoformat()
    put_on(order, days)
    journal.record(
        ctx, verb="order.moved", subject=subject_of(order), before=before,
        why="late-for-vehicle", delivery_day=fact.delivery_day)  # fmt: skip


def dispatched(ctx: Context, fact: Dispatched) -> Delivery:
    """Expect goods that have left the supplier, at either node (rules 6, 9)."""
    here = fact.order_id is not None and ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id)) is not None
    advice = Advice(
        fact.supplier_id, fact.lines, dt.date.fromisoformat(fact.expected_day), fact.order_id if here else None,
        fact.network_offer_id,
    )  # fmt: skip
    advised_at = dt.datetime.fromisoformat(fact.advised_at)
    delivery = expect(replace(ctx, at=advised_at), fact.store_id, fact.delivery_id, advice)
    if fact.order_id is not None and here:
        promise = OrderAcknowledged(fact.store_id, fact.order_id, fact.acknowledged)
        acknowledged(ctx, promise)
        order = order_of(ctx.session, fact.store_id, fact.order_id)
        if fact.promise_step > order.promise_step:  # it has overtaken a change of the promise
            order.promise_step = fact.promise_step
            promise_again(ctx.session, order, dict(fact.acknowledged))
        if delivery.state != "turned_back" and STATES.legal(order.state, "dispatched"):
            journal.move(ctx, order, "dispatched", subject=subject_of(order), delivery=delivery.id)
    return delivery


# --- verbs, both ---


def settle(ctx: Context, store_id: str, order_id: str) -> None:
    """Sum an order's received units over its deliveries, and move it where that puts it (rules 3, 5, 7, 8)."""
    order = ctx.session.get(ReplenishmentOrder, (store_id, order_id))
    if order is None:
        return
    received = received_of(ctx.session, store_id, order_id)
    complete, lines = True, lines_of(ctx.session, order)
    for line in lines:
        line.qty_received = received.get(line.sku, 0)
        complete = complete and line.qty_received >= promised_qty(line)
    _value(order, lines)
    ended = _deliveries(ctx.session, order, deliveries.CLOSED)
    if not (closed := {delivery.state for delivery in ended}):
        return
    if closed == {"turned_back"}:
        if STATES.legal(order.state, "acknowledged") and not _deliveries(ctx.session, order, ON_ITS_WAY):
            loaded = {one.sku: one.advised_qty for one in deliveries.lines_of(ctx.session, ended[-1])}
            for line in lines:
                line.packs_acknowledged = min(promised_qty(line), loaded.get(line.sku, 0)) // line.pack_qty
            order.cost_minor = cost_of(lines)
            journal.move(ctx, order, "acknowledged", subject=subject_of(order), why="turned back")
        return
    if order.state == "cancelled" and "posted" in closed:
        journal.move(ctx, order, "dispatched", subject=subject_of(order))
    if complete:
        target = "received"
    elif _deliveries(ctx.session, order, ON_ITS_WAY):
        target = "part_received" if "posted" in closed else order.state
    else:
        target = "closed_short"
    if STATES.legal(order.state, target):
        units = sum(received.values())
        journal.move(ctx, order, target, subject=subject_of(order), units=units)
    ctx.session.flush()


# --- parts of other verbs ---


def _value(order: ReplenishmentOrder, lines: Iterable[OrderLine]) -> None:
    """Note what an order's packs were ordered for, and what of them came (rule 11)."""
    some = list(lines)
    order.ordered_minor = sum(line.packs * line.pack_cost_minor for line in some)
    order.received_minor = sum(
        min(line.qty_received, line.packs * line.pack_qty) * line.pack_cost_minor // line.pack_qty for line in some
    )


def promise_again(session: Session, order: ReplenishmentOrder, packs: Mapping[str, int]) -> None:
    """Promise an answered order so many packs of these lines, and reckon its cost again (rule 12)."""
    lines = lines_of(session, order)
    for line in lines:
        line.packs_acknowledged = packs.get(line.sku, line.packs_acknowledged)
    order.cost_minor = cost_of(lines)
    _value(order, lines)
    session.flush()


def put_on(order: ReplenishmentOrder, days: OrderCycle) -> None:
    """Let an order count for these days."""
    order.order_day, order.delivery_day = days.order_day, days.delivery_day
    order.next_delivery_day = days.next_delivery_day


# --- questions ---


def order_of(session: Session, store_id: str, order_id: str) -> ReplenishmentOrder:
    """Return an order of this store, locked; NotFound when there is none."""
    query = sa.select(ReplenishmentOrder)
    order: ReplenishmentOrder | None = session.scalar(
        lock_rows(session, query.where(ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.id == order_id))
    )
    if order is None:
        raise NotFound("unknown-order", "Order not found at this store.", order_id=order_id)
    return order


def lines_of(session: Session, order: ReplenishmentOrder) -> list[OrderLine]:
    """Return an order's lines, the dearest first, then by name."""
    query = sa.select(OrderLine).where(OrderLine.store_id == order.store_id, OrderLine.order_id == order.id)
    cost = OrderLine.packs * OrderLine.pack_cost_minor
    return list(session.scalars(query.order_by(cost.desc(), OrderLine.name, OrderLine.sku)))


def open_orders(session: Session, store_id: str) -> list[ReplenishmentOrder]:
    """Return the orders that are not at their end, the next delivery first."""
    query = sa.select(ReplenishmentOrder).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(["proposed", *ON_THE_WAY])
    )
    return list(session.scalars(query.order_by(ReplenishmentOrder.delivery_day, ReplenishmentOrder.order_no)))


def on_the_way(session: Session, store_id: str) -> frozenset[str]:
    """Return the ids of a store's orders that are approved and not over."""
    mine = (ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(ON_THE_WAY))
    return frozenset(session.scalars(sa.select(ReplenishmentOrder.id).where(*mine)))


def promised_qty(line: OrderLine) -> int:
    """Return the units that are to come for a line: acknowledged, or ordered while nobody answered."""
    packs = line.packs if line.packs_acknowledged is None else line.packs_acknowledged
    return packs * line.pack_qty


def received_of(session: Session, store_id: str, order_id: str) -> dict[str, int]:
    """Return the units of an order's posted deliveries, by SKU."""
    rows = session.execute(
        sa.select(DeliveryLine.sku, sa.func.sum(DeliveryLine.counted_qty))
        .join(Delivery, sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id))
        .where(Delivery.store_id == store_id, Delivery.order_id == order_id, Delivery.state == "posted")
        .group_by(DeliveryLine.sku)
    )
    return {sku: int(qty or 0) for sku, qty in rows}


def next_no(session: Session, store_id: str) -> int:
    """Return the store's next human order number."""
    query = sa.select(sa.func.max(ReplenishmentOrder.order_no)).where(ReplenishmentOrder.store_id == store_id)
    return int(session.scalar(query) or 0) + 1


def cost_of(lines: Iterable[OrderLine]) -> int:
    """Return what lines cost: as promised, before that as ordered."""
    return sum(line.packs_expected * line.pack_cost_minor for line in lines)


def subject_of(order: ReplenishmentOrder) -> str:
    """Return an order as the journal names it."""
    return f"order:{order.id}"


# --- inside ---


def _refuse_below_minimum(session: Session, order: ReplenishmentOrder, supplier: Supplier) -> None:
    if order.cost_minor >= supplier.minimum_minor or any(line.changed_by for line in lines_of(session, order)):
        return
    currency = store_of(session, order.store_id).currency
    least, asked = (Decimal(one).scaleb(-exponent(currency)) for one in (supplier.minimum_minor, order.cost_minor))
    raise Refused(
        "below-minimum",
        "%(name)s has a minimum order of %(least)s %(currency)s; this order is %(asked)s %(currency)s. Add "
        "packs, or discard it and order next time.", name=supplier.name, least=least, currency=currency, asked=asked,
        minimum_minor=supplier.minimum_minor, cost_minor=order.cost_minor,
    )  # fmt: skip


def _deliveries(session: Session, order: ReplenishmentOrder, states: Iterable[str]) -> list[Delivery]:
    query = sa.select(Delivery).where(
        Delivery.store_id == order.store_id, Delivery.order_id == order.id, Delivery.state.in_(states)
    )
    return list(session.scalars(query.order_by(Delivery.id)))


def _fact(session: Session, order: ReplenishmentOrder, at: dt.datetime) -> OrderSent:
    return OrderSent(
        store_id=order.store_id, order_id=order.id, order_no=order.order_no, supplier_id=order.supplier_id,
        order_day=order.order_day.isoformat(), delivery_day=order.delivery_day.isoformat(),
        next_delivery_day=order.next_delivery_day.isoformat(), sent_at=stamp(order.sent_at or at),
        proposed_at=stamp(order.proposed_at), cost_minor=order.cost_minor, forecast_age_days=order.forecast_age_days,
        lines=tuple(
            Ordered(line.sku, line.name, line.pack_qty, line.pack_cost_minor, line.minimum_packs, line.packs_proposed,
                    line.packs, line.changed_why, line.changed_by, line.why)
            for line in lines_of(session, order)
        ),
    )  # fmt: skip

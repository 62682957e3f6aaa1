"""What an operator of the network changed in what an order was promised, with the reason its store reads.

Rules
-----
1. A change is of one line, in packs, with a reason. The network makes it (`network.warehouse.promising`) and tells the
   store; both keep the last one of each line.
2. Changes of an order are counted in `promise_step`. The store takes over what has a higher step than it knows, with
   the packs of all lines, so that none is lost and an older one that arrives late changes nothing.
3. A dispatch carries promise and step, and is the last word on both: of a change that arrives after it only the reason
   is kept.
"""

import datetime as dt
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes import journal
from config.nodes.journal import Context
from supply.facts import OrderAcknowledged, OrderPromised, PackChange
from supply.orders import orders
from supply.orders.orders import ReplenishmentOrder


class PromiseChange(Base):
    """A line's packs as an operator set them. rule_packs: what the rule gave; None: it was not asked yet.

    by: at the network, who set them.
    """

    __tablename__ = "promise_change"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["store_id", "order_id", "sku"], ["order_line.store_id", "order_line.order_id", "order_line.sku"]
        ),
        sa.CheckConstraint("packs >= 0", name="packs_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    packs: Mapped[int]
    rule_packs: Mapped[int | None]
    why: Mapped[str]
    by: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]


def take(ctx: Context, fact: OrderPromised) -> None:
    """Take over at the store what the network changed (rules 2, 3); a second copy changes nothing."""
    order = ctx.session.get(ReplenishmentOrder, (fact.store_id, fact.order_id))
    if order is None or fact.step < order.promise_step:
        return
    if fact.step > order.promise_step:
        order.promise_step = fact.step
        if order.state == "sent":
            orders.acknowledged(ctx, OrderAcknowledged(fact.store_id, fact.order_id, fact.packs))
        elif order.state != "cancelled":
            orders.promise_again(ctx.session, order, dict(fact.packs))
            journal.record(ctx, verb="order.promised", subject=orders.subject_of(order), step=fact.step)
    _keep(ctx, order, fact.changes)


def of_order(session: Session, store_id: str, order_id: str) -> dict[str, PromiseChange]:
    """Return an order's changes by SKU."""
    row = PromiseChange
    query = sa.select(row).where(row.store_id == store_id, row.order_id == order_id)
    return {one.sku: one for one in session.scalars(query)}


def of_orders(session: Session, found: Collection[ReplenishmentOrder]) -> dict[tuple[str, str, str], PromiseChange]:
    """Return the changes of some orders by store, order and SKU."""
    row, keys = PromiseChange, {(one.store_id, one.id) for one in found}
    states = {one.state for one in found}
    query = (
        sa.select(row)
        .join(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == row.store_id, ReplenishmentOrder.id == row.order_id),
        )
        .where(ReplenishmentOrder.state.in_(states))
    )
    return {
        (one.store_id, one.order_id, one.sku): one
        for one in (session.scalars(query) if keys else ())
        if (one.store_id, one.order_id) in keys
    }


def fact_of(session: Session, order: ReplenishmentOrder) -> OrderPromised:
    """Return what the store is told of an order's promise."""
    return OrderPromised(
        store_id=order.store_id, order_id=order.id, step=order.promise_step,
        packs=tuple((line.sku, line.packs_expected) for line in orders.lines_of(session, order)),
        changes=tuple(
            PackChange(sku, one.packs, one.rule_packs, one.why)
            for sku, one in sorted(of_order(session, order.store_id, order.id).items())
        ),
    )  # fmt: skip


# --- inside ---


def _keep(ctx: Context, order: ReplenishmentOrder, changes: Collection[PackChange]) -> None:
    known = of_order(ctx.session, order.store_id, order.id)
    lines = {line.sku for line in orders.lines_of(ctx.session, order)}
    told: Mapping[str, PackChange] = {one.sku: one for one in changes if one.sku in lines}
    for sku, row in known.items():
        if sku not in told:
            ctx.session.delete(row)
    for sku, one in told.items():
        if sku not in known or (known[sku].packs, known[sku].why) != (one.packs, one.why):
            ctx.session.merge(
                PromiseChange(
                    store_id=order.store_id, order_id=order.id, sku=sku, packs=one.packs, rule_packs=one.rule_packs,
                    why=one.why, by="", at=ctx.at,
                )
            )  # fmt: skip
    ctx.session.flush()

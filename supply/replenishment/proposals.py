"""Proposals: what a store should order from which supplier, why, and what the shopkeeper changes.

Rules
-----
1. One proposal per supplier, for its next order day, today included. It covers demand until the delivery after the
   one it orders. Proposing again drops the proposals nobody confirmed, with what was changed on them.
2. Demand comes from the store's own published run, at most OLDEST_DAYS old. The run's sum up to the last day is used;
   what of it is past (whole days, and today by the share of the opening hours that are over) is taken off the mean,
   and the distance of each quantile from the mean shrinks with the root of it. Beyond the horizon it grows likewise.
3. Without such a run, or for a product it does not know: the mean of the last 28 days, with sales that come by chance
   (Poisson) in the usual size of a sale; the line says so ('mean28'). A store without a day of its own takes
   what a store of its region sold a day, as large as it says it is, with twice the variance ('region28').
4. Position = what is there and not promised, and what is on the way and due by the last day that is covered: what
   comes later serves later days. A book below zero counts as an empty shelf; what should have come and did not is not
   counted, and the line says so (`open_orders`).
5. `why` keeps the facts of a line as they were when it was proposed: numbers and codes; the page words them, and
   `effect` reads them again. Rates and sums of demand carry three decimals; `_milli` is a thousandth.
6. Only a proposal is changed, and never without a reason and a name.
7. Each product is proposed at the supplier that serves it at the least total cost, late goods counted as lost margin,
   and not where it would wait for a minimum while another brings it in time (`decide`). The line tells what the others
   cost and when they come.
8. All proposals together keep within the week's money and the network's line (`budget`), what brings most for it
   first; what a basket that waits would have cost goes to the others. What did not fit stays on the proposal with what
   did, none where none did, and says so.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.bulk import write_many
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context
from pos.store.store import day_of
from supply.orders import order_days, orders
from supply.orders.orders import (
    TO_SEND,
    OrderLine,
    ReplenishmentOrder,
    cost_of,
    lines_of,
    next_no,
    on_the_way,
    order_of,
    subject_of,
)
from supply.orders.suppliers import MOST_PACKS, Supplier, supplier_of, terms_of
from supply.orders.supply_routes import suppliers_for
from supply.replenishment import service_targets
from supply.replenishment.look import look

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.replenishment.decide import Draft


@dataclass(frozen=True)
class Edit:
    """Another number of packs, and why if it was said. teaches: the quantity was wrong as such (`service_targets`)."""

    packs: int
    why: str = ""
    teaches: bool = False


# --- verbs ---


def propose(ctx: Context, store_id: str) -> list[ReplenishmentOrder]:
    """Propose one order per supplier that has something the store needs (rule 1).

    Returns them, the next vehicle first.
    """
    return write(ctx, store_id, draft(ctx.session, store_id, at=ctx.at))


def draft(session: Session, store_id: str, *, at: dt.datetime) -> "list[Draft]":
    """Look at all there is and decide what to order, writing nothing: the long part, during which others may sell."""
    from supply.replenishment import decide  # numpy

    return decide.drafts(look(session, store_id, at=at))


def write(ctx: Context, store_id: str, drafts: "Sequence[Draft]") -> list[ReplenishmentOrder]:
    """Write drafts as proposals in place of those nobody confirmed (rule 1).

    Where an order was sent, or ended, since they were drafted, they are drafted again, here and now.
    """
    if drafts and drafts[0].counted_on != on_the_way(ctx.session, store_id):
        drafts = draft(ctx.session, store_id, at=ctx.at)
    for old in proposals(ctx.session, store_id):
        journal.move(ctx, old, "dropped", subject=subject_of(old), why="replaced")
    ctx.session.flush()
    made = []
    for one in drafts:
        if one.postponed:
            _note_postponed(ctx, one)
        order = ReplenishmentOrder(
            store_id=store_id, id=new_id(), order_no=next_no(ctx.session, store_id), supplier_id=one.supplier_id,
            order_day=one.days.order_day, delivery_day=one.days.delivery_day,
            next_delivery_day=one.days.next_delivery_day, proposed_at=ctx.at, state=orders.STATES.first,
            cost_minor=sum(line["packs"] * line["pack_cost_minor"] for line in one.lines),
            postponed=one.postponed, forecast_run_id=one.basis.run_id,
            forecast_age_days=one.basis.age_days,
        )  # fmt: skip
        ctx.session.add(order)
        ctx.session.flush()
        write_many(ctx.session, OrderLine, [line | {"store_id": store_id, "order_id": order.id} for line in one.lines])
        journal.record(
            ctx, verb="order.proposed", subject=subject_of(order), lines=len(one.lines),
            cost_minor=order.cost_minor, forecast_age_days=one.basis.age_days)  # fmt: skip
        made.append(order)
    return made


def change(ctx: Context, store_id: str, order_id: str, sku: str, edit: Edit) -> OrderLine:
    """Order another number of packs than proposed, or none; back to what was proposed clears the reason."""
    order, packs = _proposal(ctx.session, store_id, order_id), edit.packs
    _refuse_packs(packs)
    why = _tidy(edit.why)
    line = _line_of(ctx.session, order, sku)
    before, line.packs = line.packs, packs
    changed = packs != line.packs_proposed
    line.changed_why, line.changed_by = (why, ctx.actor.name) if changed else ("", "")
    line.teaches = edit.teaches and changed
    _renew_cost(ctx.session, order)
    journal.record(
        ctx, verb="order.changed", subject=subject_of(order), sku=sku, before=before,
        packs=packs, proposed=line.packs_proposed, why=why)  # fmt: skip
    return line


def undo(ctx: Context, store_id: str, order_id: str, sku: str) -> OrderLine:
    """Go back to what was proposed of a line; one that was added to the proposal goes off it again."""
    order = _proposal(ctx.session, store_id, order_id)
    line = _line_of(ctx.session, order, sku)
    before, line.packs = line.packs, line.packs_proposed
    line.changed_why, line.changed_by, line.teaches = "", "", False
    if not line.packs_proposed:
        ctx.session.delete(line)
    _renew_cost(ctx.session, order)
    journal.record(
        ctx, verb="order.change_undone", subject=subject_of(order), sku=sku, before=before,
        packs=line.packs_proposed)  # fmt: skip
    return line


def add_line(ctx: Context, store_id: str, order_id: str, sku: str, packs: int) -> OrderLine:
    """Put a product on a proposal that was not proposed; its supplier must sell it."""
    from supply.replenishment import decide  # numpy

    order = _proposal(ctx.session, store_id, order_id)
    _refuse_packs(packs)
    if ctx.session.get(OrderLine, (store_id, order_id, sku)) is not None:
        raise Conflict(
            "already-on-order", "This product is already on order %(order_no)s. Change it there.",
            order_no=order.order_no,
        )  # fmt: skip
    offer = terms_of(ctx.session, order.supplier_id, sku, order.order_day)
    if offer is None:
        supplier = supplier_of(ctx.session, order.supplier_id)
        raise NotFound("not-sold-by-supplier", "%(name)s does not sell this product.", sku=sku, name=supplier.name)
    its_days = {order.supplier_id: order_days.of(order)}
    columns = decide.line_of(look(ctx.session, store_id, terms={order.supplier_id: [offer]}, days=its_days, at=ctx.at))
    if columns is None:
        raise Refused(
            "not-listed-here", "This store does not sell this product. Add it and set a price first.", sku=sku
        )
    columns |= {"packs_proposed": 0, "packs": packs}
    line = OrderLine(store_id=store_id, order_id=order.id, changed_by=ctx.actor.name, **columns)
    ctx.session.add(line)
    ctx.session.flush()
    _renew_cost(ctx.session, order)
    journal.record(ctx, verb="order.line_added", subject=subject_of(order), sku=sku, packs=packs)
    return line


def approve(ctx: Context, store_id: str, order_id: str) -> ReplenishmentOrder:
    """Approve a proposal as it stands.

    Refuses an empty one, one whose order day is over, and one to a warehouse that supplies the store no more.
    """
    order = order_of(ctx.session, store_id, order_id)
    orders.STATES.require(order.state, "approved")
    if is_over(ctx.session, order, ctx.at):
        raise Refused(
            "order-day-over", "The order date was %(day)s. Suggest again to update dates and quantities.",
            day=order.order_day.isoformat(),
        )  # fmt: skip
    if order.supplier_id not in {one.id for one in suppliers_for(ctx.session, store_id)}:
        raise Refused("another-warehouse", "Another warehouse supplies you now. Suggest again, then approve.")
    if not any(line.packs for line in lines_of(ctx.session, order)):
        raise Refused("empty-order", "Nothing is ordered. Enter at least one pack, or discard the order.")
    _renew_cost(ctx.session, order)
    if ctx.actor.role != "system":
        service_targets.learn(ctx.session, order, at=ctx.at)
    journal.move(ctx, order, "approved", subject=subject_of(order), cost_minor=order.cost_minor)
    return order


def drop(ctx: Context, store_id: str, order_id: str, *, why: str) -> ReplenishmentOrder:
    """Drop an order that was not sent, with a reason; one that is dropped already stays as it is."""
    order = order_of(ctx.session, store_id, order_id)
    why = _tidy(why)
    if not why:
        raise Invalid("no-reason", "Enter a reason for discarding the order.")
    if order.state not in (*TO_SEND, "dropped"):
        raise Refused(
            "order-gone",
            "Order %(order_no)s was already sent. Cancel it instead, unless part of it has shipped.",
            order_no=order.order_no,
        )
    if order.state != "dropped":
        journal.move(ctx, order, "dropped", subject=subject_of(order), why=why)
    return order


# --- questions ---


def is_over(session: Session, order: ReplenishmentOrder, at: dt.datetime) -> bool:
    """Tell whether the day on which an order's supplier takes it has gone by, or its cut-off on that day."""
    supplier = session.get(Supplier, order.supplier_id)
    if supplier is None:
        return order.order_day < day_of(session, order.store_id, at)
    return order_days.is_over(session, supplier, order.order_day, order.store_id, at)


def proposals(session: Session, store_id: str) -> list[ReplenishmentOrder]:
    """Return the proposals that wait for the shopkeeper, the next delivery first."""
    query = sa.select(ReplenishmentOrder).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state == "proposed"
    )
    return list(session.scalars(query.order_by(ReplenishmentOrder.delivery_day, ReplenishmentOrder.order_no)))


# --- inside ---


def _note_postponed(ctx: Context, draft: "Draft") -> None:
    journal.record(
        ctx, verb="order.postponed", subject=f"supplier:{draft.supplier_id}",
        lines=len(draft.lines), minimum_minor=draft.minimum_minor)  # fmt: skip


def _line_of(session: Session, order: ReplenishmentOrder, sku: str) -> OrderLine:
    line = session.get(OrderLine, (order.store_id, order.id, sku))
    if line is None:
        raise NotFound(
            "not-on-order", "This product is not on order %(order_no)s. Add it to the order first.", sku=sku,
            order_no=order.order_no,
        )  # fmt: skip
    return line


def _proposal(session: Session, store_id: str, order_id: str) -> ReplenishmentOrder:
    order = order_of(session, store_id, order_id)
    if order.state != "proposed":
        raise Refused(
            "not-proposed", "Order %(order_no)s can no longer be changed.",
            state=order.state, order_no=order.order_no,
        )  # fmt: skip
    return order


def _refuse_packs(packs: int) -> None:
    if isinstance(packs, bool) or not isinstance(packs, int) or not 0 <= packs <= MOST_PACKS:
        raise Invalid("bad-packs", "Enter a whole number of packs, 0 to %(most)s.", packs=packs, most=MOST_PACKS)


def _tidy(why: str) -> str:
    return " ".join(why.split())[:300]


def _renew_cost(session: Session, order: ReplenishmentOrder) -> None:
    session.flush()
    order.cost_minor = cost_of(lines_of(session, order))

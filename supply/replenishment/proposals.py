"""Proposals: what a store should order of whom, why, and what a shopkeeper makes of it.

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
   and not where it would wait for a minimum while another brings it in time (`sources`). The line tells what the others
   cost and when they come.
8. All proposals together keep within the week's money and the network's line (`budget`), what brings most for it
   first; what a basket that waits would have cost goes to the others. What did not fit stays on the proposal with what
   did, none where none did, and says so.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.bulk import write_many
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor
from pos.store.store import day_of, store_of
from supply.demand.expected import Basis
from supply.orders import delivery_calendar, order_days, orders
from supply.orders.delivery_calendar import OrderCycle
from supply.orders.lead_times import measured
from supply.orders.orders import (
    ON_THE_WAY,
    OrderLine,
    ReplenishmentOrder,
    cost_of,
    lines_of,
    next_no,
    order_of,
    subject_of,
)
from supply.orders.suppliers import MOST_PACKS, Supplier, supplier_of, terms_of
from supply.orders.supply_routes import suppliers_for
from supply.replenishment import auto_approval, budget, service_targets
from supply.replenishment.candidates import wants_of
from supply.replenishment.requirements import Alternative, Need, needs_of

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.replenishment.policy import Decision


# --- verbs ---


@dataclass(frozen=True)
class Draft:
    """A proposal worked out and not yet written: what is wanted of one supplier, and on what it stands.

    lines: the columns of its lines, without the order they will belong to.
    """

    supplier_id: str
    minimum_minor: int
    days: OrderCycle
    basis: Basis
    lines: Sequence[dict[str, Any]]
    postponed: bool
    counted_on: frozenset[str]
    """The orders that were on their way."""


def propose(session: Session, store_id: str, *, at: dt.datetime, actor: Actor) -> list[ReplenishmentOrder]:
    """Propose one order per supplier that has something the store needs (rule 1).

    Returns them, the next vehicle first.
    """
    return write_down(session, store_id, work_out(session, store_id, at=at), at=at, actor=actor)


def work_out(session: Session, store_id: str, *, at: dt.datetime) -> list[Draft]:
    """Work the proposals out to the last column and write nothing: the long part, during which others may sell."""
    from supply.replenishment.policy import storefront_policy
    from supply.replenishment.sourcing import decide_sources

    counted_on, found = _on_the_way(session, store_id), wants_of(session, store_id, at=at)
    suppliers, days, offers, ranks = found.suppliers, found.days, found.offers, found.ranks
    budgets = budget.budgets(session, store_id, found.basis.today)
    policy = storefront_policy(service_targets.service_of(session, store_id))
    drafts = []
    for supplier_id, decisions in decide_sources(found.sources, ranks, budgets, policy).items():
        its_days, wanted = days[supplier_id], []
        for decision in decisions:
            if decision.wanted_packs or decision.cut_packs:
                need, others = offers[supplier_id, decision.line.sku], ranks[decision.line.sku]
                reported = [
                    _alternative(suppliers[other], offers[other, decision.line.sku], days[other])
                    for other in others
                    if other != supplier_id
                ]
                wanted.append(_line(its_days, need._replace(others=tuple(reported)), decision))
        if wanted:
            waits = any(one.reason == "postponed" for one in decisions)
            minimum = suppliers[supplier_id].minimum_minor
            drafts.append(Draft(supplier_id, minimum, its_days, found.basis, wanted, waits, counted_on))
    return drafts


def write_down(
    session: Session, store_id: str, drafts: Sequence[Draft], *, at: dt.datetime, actor: Actor
) -> list[ReplenishmentOrder]:
    """Write worked-out proposals in place of those nobody confirmed (rule 1).

    Where an order was sent, or ended, since they were worked out, they are worked out again, here and now.
    """
    if drafts and drafts[0].counted_on != _on_the_way(session, store_id):
        drafts = work_out(session, store_id, at=at)
    for old in proposals(session, store_id):
        journal.move(session, old, "dropped", actor=actor, at=at, subject=subject_of(old), why="replaced")
    session.flush()
    made = []
    for draft in drafts:
        if draft.postponed:
            _note_postponed(session, draft, actor=actor, at=at)
        order = ReplenishmentOrder(
            store_id=store_id, id=new_id(), order_no=next_no(session, store_id), supplier_id=draft.supplier_id,
            order_day=draft.days.order_day, delivery_day=draft.days.delivery_day,
            next_delivery_day=draft.days.next_delivery_day, proposed_at=at, state=orders.STATES.first,
            cost_minor=sum(line["packs"] * line["pack_cost_minor"] for line in draft.lines),
            postponed=draft.postponed, forecast_run_id=draft.basis.run_id,
            forecast_age_days=draft.basis.age_days,
        )  # fmt: skip
        session.add(order)
        session.flush()
        write_many(session, OrderLine, [line | {"store_id": store_id, "order_id": order.id} for line in draft.lines])
        journal.record(
            session, actor=actor, at=at, verb="order.proposed", subject=subject_of(order), lines=len(draft.lines),
            cost_minor=order.cost_minor, forecast_age_days=draft.basis.age_days,
        )  # fmt: skip
        made.append(order)
    return made


def change(
    session: Session,
    store_id: str,
    order_id: str,
    sku: str,
    *,
    packs: int,
    why: str,
    teaches: bool = False,
    actor: Actor,
    at: dt.datetime,
) -> OrderLine:
    """Order another number of packs than proposed, or none, with a reason; back to what was proposed clears it.

    teaches: the reason says that the quantity was wrong as such, not that something happened once (`auto_approval`).
    """
    order = _proposal(session, store_id, order_id)
    _refuse_packs(packs)
    why = _reason(why, "Say why you order another quantity.")
    line = _line_of(session, order, sku)
    before, line.packs = line.packs, packs
    changed = packs != line.packs_proposed
    line.changed_why, line.changed_by = (why, actor.name) if changed else ("", "")
    line.teaches = teaches and changed
    _renew_cost(session, order)
    journal.record(
        session, actor=actor, at=at, verb="order.changed", subject=subject_of(order), sku=sku, before=before,
        packs=packs, proposed=line.packs_proposed, why=why,
    )  # fmt: skip
    return line


def undo(session: Session, store_id: str, order_id: str, sku: str, *, actor: Actor, at: dt.datetime) -> OrderLine:
    """Go back to what was proposed of a line; one that was added to the proposal goes off it again."""
    order = _proposal(session, store_id, order_id)
    line = _line_of(session, order, sku)
    before, line.packs = line.packs, line.packs_proposed
    line.changed_why, line.changed_by, line.teaches = "", "", False
    if not line.packs_proposed:
        session.delete(line)
    _renew_cost(session, order)
    journal.record(
        session, actor=actor, at=at, verb="order.change_undone", subject=subject_of(order), sku=sku, before=before,
        packs=line.packs_proposed,
    )  # fmt: skip
    return line


def add_line(
    session: Session, store_id: str, order_id: str, sku: str, *, packs: int, why: str, actor: Actor, at: dt.datetime
) -> OrderLine:
    """Put a product on a proposal that was not proposed; its supplier must sell it."""
    from supply.replenishment.policy import decide, storefront_policy

    order = _proposal(session, store_id, order_id)
    _refuse_packs(packs)
    why = _reason(why, "Say why you add it.")
    if session.get(OrderLine, (store_id, order_id, sku)) is not None:
        raise Conflict(
            "already-on-order", f"This product is on order {order.order_no} already. Change it there.",
            order_no=order.order_no,
        )  # fmt: skip
    offer = terms_of(session, order.supplier_id, sku, order.order_day)
    if offer is None:
        supplier = supplier_of(session, order.supplier_id)
        raise NotFound(
            "not-sold-by-supplier", f"{supplier.name} does not sell this product.", sku=sku, name=supplier.name
        )
    days = OrderCycle(order.order_day, order.delivery_day, order.next_delivery_day)
    store = store_of(session, store_id)
    leads = measured(session, store_id, [supplier_of(session, order.supplier_id)], at=at)
    _, needs = needs_of(session, store, {order.supplier_id: [offer]}, {order.supplier_id: days}, leads, at=at)
    if not needs[order.supplier_id]:
        raise Refused("not-listed-here", "This store does not sell this product. List it and price it first.", sku=sku)
    need = needs[order.supplier_id][0]
    policy = storefront_policy(service_targets.service_of(session, store_id))
    reported = _line(days, need, decide(need.line, policy)) | {"packs_proposed": 0, "packs": packs}
    line = OrderLine(store_id=store_id, order_id=order.id, changed_why=why, changed_by=actor.name, **reported)
    session.add(line)
    session.flush()
    _renew_cost(session, order)
    journal.record(
        session, actor=actor, at=at, verb="order.line_added", subject=subject_of(order), sku=sku, packs=packs, why=why
    )
    return line


def approve(session: Session, store_id: str, order_id: str, *, actor: Actor, at: dt.datetime) -> ReplenishmentOrder:
    """Approve a proposal as it stands.

    Refuses an empty one, one whose order day is over, and one to a warehouse that supplies the store no more.
    """
    order = order_of(session, store_id, order_id)
    orders.STATES.require(order.state, "approved")
    if is_over(session, order, at):
        reported = (
            f"This was to be ordered by {order.order_day:%Y-%m-%d}. Propose again: days and quantities have moved on."
        )
        raise Refused("order-day-over", reported, day=order.order_day.isoformat())
    if order.supplier_id not in {one.id for one in suppliers_for(session, store_id)}:
        raise Refused("another-warehouse", "Your goods come from another warehouse now. Propose again, then approve.")
    if not any(line.packs for line in lines_of(session, order)):
        raise Refused("empty-order", "Nothing is ordered: put at least one pack on a line, or drop the order.")
    _renew_cost(session, order)
    if actor.role != "system":
        auto_approval.learn(session, order, at=at)
    journal.move(session, order, "approved", actor=actor, at=at, subject=subject_of(order), cost_minor=order.cost_minor)
    return order


def drop(
    session: Session, store_id: str, order_id: str, *, why: str, actor: Actor, at: dt.datetime
) -> ReplenishmentOrder:
    """Drop an order that was not sent, with a reason; one that is dropped already stays as it is."""
    order = order_of(session, store_id, order_id)
    why = _reason(why, "Say why the order is dropped.")
    if order.state not in ("proposed", "approved", "dropped"):
        raise Refused(
            "order-gone",
            f"Order {order.order_no} was sent already. Call it off instead, as long as nothing of it is on its way.",
            order_no=order.order_no,
        )
    if order.state != "dropped":
        journal.move(session, order, "dropped", actor=actor, at=at, subject=subject_of(order), why=why)
    return order


# --- questions ---


def is_over(session: Session, order: ReplenishmentOrder, at: dt.datetime) -> bool:
    """Tell whether the day on which an order's supplier takes it has gone by, or its cut-off on that day."""
    today, supplier = day_of(session, order.store_id, at), session.get(Supplier, order.supplier_id)
    if supplier is None:
        return order.order_day < today
    minute = order_days.minute_by(session, supplier, order.store_id, today, at)
    return delivery_calendar.is_over(supplier.order_calendar, order.order_day, today, minute)


def proposals(session: Session, store_id: str) -> list[ReplenishmentOrder]:
    """Return the proposals that wait for the shopkeeper, the next delivery first."""
    query = sa.select(ReplenishmentOrder).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state == "proposed"
    )
    return list(session.scalars(query.order_by(ReplenishmentOrder.delivery_day, ReplenishmentOrder.order_no)))


def runs_out(
    daily: Sequence[float],
    rate: float,
    units: float,
    first: dt.date,
    most_days: int,
    coming: Mapping[dt.date, int] | None = None,
) -> dt.date | None:
    """Return the first day whose mean demand finds less than it wants; after `daily` the rate goes on.

    coming: units that are there from the morning of their day on.
    """
    for n in range(most_days):
        day = first + dt.timedelta(days=n)
        units += (coming or {}).get(day, 0) - (daily[n] if n < len(daily) else rate)
        if units < -1e-9:
            return day
    return None


# --- inside ---


def _on_the_way(session: Session, store_id: str) -> frozenset[str]:
    query = sa.select(ReplenishmentOrder.id).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(ON_THE_WAY)
    )
    return frozenset(session.scalars(query))


def _alternative(supplier: Supplier, need: Need, days: OrderCycle) -> Alternative:
    return Alternative(supplier.id, supplier.name, need.line.pack_qty, need.line.pack_cost_minor, days.delivery_day)


def _line(days: OrderCycle, need: Need, decision: "Decision") -> dict[str, Any]:
    """Return a line's columns, without the order's."""
    line = need.line
    return {
        "sku": line.sku, "name": need.name, "pack_qty": line.pack_qty, "pack_cost_minor": line.pack_cost_minor,
        "minimum_packs": line.minimum_packs, "packs_proposed": decision.wanted_packs, "packs": decision.wanted_packs,
        "why": _why(days, need, decision),
    }  # fmt: skip


def _why(days: OrderCycle, need: Need, decision: "Decision") -> dict[str, Any]:
    """Return the facts behind a line (rule 5)."""
    line = need.line
    rate = line.mean / line.interval_days if line.interval_days > 0 else 0.0
    span = (days.next_delivery_day - need.first_day).days
    coming = sum(need.on_the_way.values())
    here = max(0, line.position_qty - coming)
    day = runs_out(need.daily, rate, here, need.first_day, span, need.on_the_way) if rate > 0 else None
    counted = decision.counted_qty
    reported: dict[str, Any] = {
        "per_day": round(rate, 3),
        "on_hand": need.on_hand,
        "reserved": need.reserved,
        "on_the_way": coming,
        "expected": round(line.mean, 3),
        "target": decision.target_qty,
        "need_qty": max(0, decision.target_qty - line.position_qty),
        "service_bp": round(decision.service_level * 10_000),
        "risk_bp": decision.risk_bp,
        "runs_out_day": day.isoformat() if day else None,
        "method": need.method,
        "model": need.model,
        "regional_share_bp": need.regional_share_bp,
        "reason": decision.reason,
        "stock_unit": need.stock_unit,
        "packs": decision.wanted_packs,
        "pack_qty": line.pack_qty,
        "cost_minor": decision.wanted_packs * line.pack_cost_minor,
        "adjusted_qty": need.adjusted_qty,
        "show_qty": line.presentation_qty - need.adjusted_qty,
        "first_day": need.first_day.isoformat(),
        "delivery_day": days.delivery_day.isoformat(),
        "next_delivery_day": days.next_delivery_day.isoformat(),
        "cover_days_milli": round(1000 * (counted + decision.wanted_packs * line.pack_qty) / rate)
        if rate > 0
        else None,
        "counted_qty_milli": round(1000 * counted),
        "daily_milli": [round(1000 * units) for units in need.daily],
        "risks_bp": list(decision.risks_bp),
    }
    if decision.cut_packs:
        reported |= {"cut_packs": decision.cut_packs, "cut_by": decision.cut_by}
    if line.slot_qty is not None:
        reported["slot_qty"] = line.slot_qty
    if need.consigned:
        reported["consigned"] = [need.consigned[0], need.consigned[1].isoformat()]
    if line.outdating_qty >= 0.5:
        reported["outdating"] = round(line.outdating_qty, 1)
    if need.missed:
        reported["missed"] = [one.reported() for one in need.missed]
    if need.others:
        reported["others"] = [one.reported() for one in need.others]
    return reported


def _note_postponed(session: Session, draft: Draft, *, actor: Actor, at: dt.datetime) -> None:
    journal.record(
        session, actor=actor, at=at, verb="order.postponed", subject=f"supplier:{draft.supplier_id}",
        lines=len(draft.lines), minimum_minor=draft.minimum_minor,
    )  # fmt: skip


def _line_of(session: Session, order: ReplenishmentOrder, sku: str) -> OrderLine:
    line = session.get(OrderLine, (order.store_id, order.id, sku))
    if line is None:
        words = f"This product is not on order {order.order_no}. Add it to the order first."
        raise NotFound("not-on-order", words, sku=sku, order_no=order.order_no)
    return line


def _proposal(session: Session, store_id: str, order_id: str) -> ReplenishmentOrder:
    order = order_of(session, store_id, order_id)
    if order.state != "proposed":
        raise Refused(
            "not-proposed", f"Order {order.order_no} is no proposal any more; only a proposal is changed.",
            state=order.state, order_no=order.order_no,
        )  # fmt: skip
    return order


def _refuse_packs(packs: int) -> None:
    if isinstance(packs, bool) or not isinstance(packs, int) or not 0 <= packs <= MOST_PACKS:
        raise Invalid("bad-packs", f"Type a whole number of packs, 0 to {MOST_PACKS}.", packs=packs, most=MOST_PACKS)


def _reason(why: str, ask: str) -> str:
    why = " ".join(why.split())[:300]
    if not why:
        raise Invalid("no-reason", ask)
    return why


def _renew_cost(session: Session, order: ReplenishmentOrder) -> None:
    session.flush()
    order.cost_minor = cost_of(lines_of(session, order))

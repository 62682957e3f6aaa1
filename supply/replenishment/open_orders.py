"""What a store waits for: goods still to come, and goods that should be here and did not come.

Rules
-----
1. To come is of orders what was promised, else ordered; of the network's offers what was loaded, else accepted; of
   neighbours what was agreed.
2. An order is due on its delivery day, on the day its goods were announced for, or as many days after its order day as
   its supplier takes (`lead_times`), whichever is last. An offer's goods are due on the day they were announced for, at
   the latest LOAD_DAYS after the last day to answer (`push`, rule 6); a neighbour's on the last day to fetch them.
3. No proposal counts any more on what did not come (`lead_times`, rule 4): it is named, to be taken in or called off.
   Of the other orders of a supplier that loses some it counts on the share that is likely to come (rule 5 there).
4. What is being counted, or what the driver says he left, is here: it is counted on until it is posted.
5. What is due comes on its day; today comes what is overdue, what was announced for no day, and what a neighbour holds
   ready, for it can be fetched.

Quantities in stock units.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import day_of
from supply.orders import lead_times, transfers
from supply.orders.deliveries import ON_ITS_WAY, Delivery, DeliveryLine
from supply.orders.lead_times import LEAST_PATIENCE_DAYS, LeadTime, measured, patience_days
from supply.orders.network_offers import LOAD_DAYS, NetworkOffer
from supply.orders.orders import ON_THE_WAY, OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier
from supply.receiving.vehicle_arrivals import LEFT_HERE, DeliveryTracking


@dataclass(frozen=True)
class Missed:
    """Goods that did not come. order_no: 0 where they were an offer's, -1 where a neighbour's."""

    sku: str
    qty: int
    due_day: dt.date
    order_no: int = 0

    def reported(self) -> list[Any]:
        """Return it as a line keeps it."""
        return [self.order_no, self.qty, self.due_day.isoformat()]


@dataclass(frozen=True)
class MissedOrder:
    """An order that did not come. delivery_id: the note its goods are counted by; may_cancel: it can be called off."""

    order_id: str
    order_no: int
    due_day: dt.date
    delivery_id: str | None
    may_cancel: bool


@dataclass
class ToCome:
    """What a store waits for. missed: what is not counted on.

    coming: units by SKU and day (rules 1, 5); of a supplier that loses orders, the likely share (rule 3).
    """

    coming: dict[str, dict[dt.date, int]] = field(default_factory=dict)
    missed: dict[str, list[Missed]] = field(default_factory=dict)


def to_come(session: Session, store_id: str, *, at: dt.datetime) -> ToCome:
    """Return what a store can count on to come and when, and what it cannot count on (rules 1 to 5)."""
    due, late, chances = _due(session, store_id, at)
    found, today = ToCome(), day_of(session, store_id, at)
    least = today - dt.timedelta(days=LEAST_PATIENCE_DAYS)
    for sku, qty, fetch_by in transfers.coming(session, store_id):
        _add(found, sku, qty, today, fetch_by if fetch_by < least else None, -1)
    packs = sa.func.coalesce(OrderLine.packs_acknowledged, OrderLine.packs)
    rest = packs * OrderLine.pack_qty - OrderLine.qty_received
    on_the_way = sa.select(ReplenishmentOrder.id, ReplenishmentOrder.order_no).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(ON_THE_WAY)
    )
    # the orders first: of the lines of years few are on their way
    for order_id, order_no in session.execute(on_the_way.order_by(ReplenishmentOrder.order_no)).all():
        lines = sa.select(OrderLine.sku, rest).where(
            OrderLine.store_id == store_id, OrderLine.order_id == order_id, rest > 0
        )
        for sku, qty in session.execute(lines.order_by(OrderLine.sku)):
            likely = int(qty) if order_id in late else round(int(qty) * chances.get(order_id, 1.0))
            _add(found, sku, likely, max(today, due[order_id]), late.get(order_id), order_no)
    note, line, offer = Delivery, DeliveryLine, NetworkOffer
    offered = (
        sa.select(offer.sku, sa.func.coalesce(line.advised_qty, offer.packs * offer.pack_qty), offer.id, note.id)
        .join(
            note,
            sa.and_(note.store_id == offer.store_id, note.network_offer_id == offer.id, note.state != "turned_back"),
            isouter=True,
        )
        .join(
            line,
            sa.and_(line.store_id == note.store_id, line.delivery_id == note.id, line.sku == offer.sku),
            isouter=True,
        )
        .where(offer.store_id == store_id, offer.state.in_(["accepted", "dispatched"]))
        .order_by(offer.id)
    )
    for sku, qty, network_offer_id, note_id in session.execute(offered):
        day = due.get(network_offer_id, today) if note_id else today
        _add(found, sku, int(qty), max(today, day), late.get(network_offer_id))
    return found


def missed_orders(session: Session, store_id: str, *, at: dt.datetime) -> list[MissedOrder]:
    """Return the orders that did not come, the longest awaited first (rule 3)."""
    _, late, _ = _due(session, store_id, at)
    noted = sa.select(Delivery.order_id, Delivery.id).where(
        Delivery.store_id == store_id, Delivery.order_id.in_(late), Delivery.state.in_(ON_ITS_WAY)
    )
    notes = dict(session.execute(noted).all())
    rows = session.scalars(
        sa.select(ReplenishmentOrder).where(ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.id.in_(late))
    )
    found = [
        MissedOrder(
            row.id, row.order_no, late[row.id], notes.get(row.id),
            row.state != "approved" and row.STATES.legal(row.state, "cancelled"),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.due_day, one.order_no))


# --- inside ---


def _add(found: ToCome, sku: str, qty: int, day: dt.date, late_since: dt.date | None, order_no: int = 0) -> None:
    """Count goods as coming on a day, or, where they are late, as missed."""
    if late_since is None:
        days = found.coming.setdefault(sku, {})
        days[day] = days.get(day, 0) + qty
    else:
        found.missed.setdefault(sku, []).append(Missed(sku, qty, late_since, order_no))


def _due(
    session: Session, store_id: str, at: dt.datetime
) -> tuple[dict[str, dt.date], dict[str, dt.date], dict[str, float]]:
    """Return when what is to come is due, by the id of its order or offer, which did not come, and chances (rules 2-4).

    The chances are those of orders whose supplier lost some.
    """
    today = day_of(session, store_id, at)
    least = today - dt.timedelta(days=LEAST_PATIENCE_DAYS)
    orders = session.scalars(
        sa.select(ReplenishmentOrder).where(
            ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(ON_THE_WAY)
        )
    ).all()  # fmt: skip
    due: dict[str, tuple[str, dt.date]] = {row.id: (row.supplier_id, row.delivery_day) for row in orders}
    accepted = sa.select(NetworkOffer).where(NetworkOffer.store_id == store_id, NetworkOffer.state == "accepted")
    due |= {
        row.id: (row.supplier_id, row.answer_by + dt.timedelta(days=LOAD_DAYS)) for row in session.scalars(accepted)
    }
    announced = (
        sa.select(Delivery, DeliveryTracking.state)
        .join(
            DeliveryTracking,
            sa.and_(DeliveryTracking.store_id == Delivery.store_id, DeliveryTracking.delivery_id == Delivery.id),
            isouter=True,
        )
        .where(Delivery.store_id == store_id, Delivery.state.in_(ON_ITS_WAY))
    )
    for delivery, vehicle_state in session.execute(announced):
        source = delivery.order_id or delivery.network_offer_id
        if source is None or (delivery.order_id is not None and source not in due):
            continue
        if delivery.state == "counting" or vehicle_state in LEFT_HERE:
            due[source] = (delivery.supplier_id, today)
        else:
            latest = max(delivery.expected_day, due.get(source, ("", delivery.expected_day))[1])
            due[source] = (delivery.supplier_id, latest)
    past = {source: supplier_id for source, (supplier_id, day) in due.items() if day < least}
    leads = _leads(session, store_id, set(past.values()), at) if past else {}
    chances: dict[str, float] = {}
    for row in orders:
        if row.sent_at is not None and row.supplier_id in leads:
            lead = leads[row.supplier_id]
            began = lead_times.began(row.order_day, day_of(session, store_id, row.sent_at))
            if lead.lost:
                chances[row.id] = lead.chance((today - began).days)
            if row.id in past:
                due[row.id] = (row.supplier_id, max(due[row.id][1], began + dt.timedelta(days=lead.days)))
    days = {source: day for source, (_, day) in due.items()}
    patience = {source: patience_days(leads.get(supplier_id)) for source, supplier_id in past.items()}
    late = {source: days[source] for source in past if (today - days[source]).days > patience[source]}
    return days, late, chances


def _leads(session: Session, store_id: str, supplier_ids: set[str], at: dt.datetime) -> dict[str, LeadTime]:
    suppliers: Sequence[Supplier] = session.scalars(sa.select(Supplier).where(Supplier.id.in_(supplier_ids))).all()
    return measured(session, store_id, suppliers, at=at)

"""The supply side's invariants: K5 (promises), K8 (deliveries), K10, K11, K12, K13 (escrow), K14 (ledgers), K16
(money for orders), K17 (goods on sale or return), K19 (coupons online), K20 (the points stores share), K21 (what
stores sell a day, kept), K22 (what suppliers make good) and K23 (what goes back to them).

Each returns what does not hold.

Movements and facts of a store are whole only at its own node (rule 5 of the outbox: they may still be on their way), so
K8 and the booking of deliveries are looked at there.
"""

import datetime as dt
from itertools import pairwise
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.finding import Finding
from config.ids import NETWORK
from config.nodes.node import this_node
from config.nodes.outbox import OutboxMessage
from pos.stock import consignment_stock
from pos.stock.ledger import Reservation, StockMovement
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.facts import DeliveryPosted
from supply.money import escrow, ledger, points_pool
from supply.money.ledger import Account, LedgerEntry
from supply.network.recalls import upstream_claims, upstream_returns
from supply.online.groups import groups, holding
from supply.online.groups.groups import GroupOffer
from supply.online.orders import OPEN, PickupLine, PickupOrder
from supply.online.pickup import counter_orders, order_copy
from supply.online.storefront import coupons
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine
from supply.replenishment import stockouts

Query = TypeVar("Query", bound=sa.Select[*tuple[Any, ...]])


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return every invariant of supply that does not hold, of one store or of all that are kept here."""
    here = this_node(session).id
    return [
        *_promises(session, here, store_id),
        *_posted(session, here, store_id),
        *_received(session, store_id),
        *_ordered(session, store_id),
        *_quantiles(session, store_id),
        *escrow.findings(session, store_id),
        *order_copy.findings(session, here, store_id),
        *groups.findings(session, store_id),
        *counter_orders.findings(session, here, store_id),
        *_ledgers(session, here, store_id),
        *consignment_stock.findings(session, here, store_id),
        *coupons.findings(session, here, store_id),
        *points_pool.findings(session, here, store_id),
        *stockouts.findings(session, store_id),
        *upstream_claims.findings(session),
        *upstream_returns.findings(session),
    ]


def _promises(session: Session, here: str, store_id: str | None) -> list[Finding]:
    """K5: units are held for open pickup orders alone, and each has exactly what its lines still ask for.

    Goods of a group that is ordered or being dealt out are held under the group's id, at most as many as were ordered
    (`groups.holding`).
    """
    reply = sa.orm.aliased(Reservation)
    answered = sa.exists().where(reply.store_id == Reservation.store_id, reply.answers_id == Reservation.id)
    of_group = sa.exists().where(
        GroupOffer.store_id == here, GroupOffer.id == Reservation.order_id, GroupOffer.sku == Reservation.sku,
        GroupOffer.state.in_(holding.HOLDING), Reservation.qty <= GroupOffer.cases * GroupOffer.case_qty,
    )  # fmt: skip
    held = sa.select(Reservation.order_id, Reservation.sku, Reservation.qty).where(
        Reservation.store_id == here, Reservation.kind == "held", ~answered, ~of_group
    )
    wanted = (
        sa.select(PickupLine.order_id, PickupLine.sku, -_wanted_qty())
        .join(PickupOrder, sa.and_(PickupOrder.store_id == PickupLine.store_id, PickupOrder.id == PickupLine.order_id))
        .where(PickupOrder.store_id == here, PickupOrder.state.in_(OPEN), PickupLine.awaited.is_(False))
    )
    if store_id is not None and store_id != here:
        return []
    both = sa.union_all(held, wanted).subquery()
    difference = sa.func.sum(both.c.qty)
    query = sa.select(both.c.order_id, both.c.sku, difference).group_by(both.c.order_id, both.c.sku)
    return [
        Finding("K5", f"order:{order_id}/{sku}", "held is what the order asks for", f"{int(qty)} held too many")
        for order_id, sku, qty in session.execute(query.having(difference != 0))
    ]


def _wanted_qty() -> sa.ColumnElement[int]:
    """Return what a line holds: what was found once the order was settled, else what was ordered."""
    settled = sa.and_(PickupOrder.state.in_(["short", "ready"]), PickupLine.picked_qty.is_not(None))
    return sa.case((settled, PickupLine.picked_qty), else_=PickupLine.qty)


def _posted(session: Session, here: str, store_id: str | None) -> list[Finding]:
    """K8 and K3's edge: a posted delivery has one fact, and its movements are what was counted."""
    facts = sa.select(sa.func.count()).where(
        OutboxMessage.id == Delivery.id, OutboxMessage.topic == DeliveryPosted.TOPIC
    )  # fmt: skip
    query = sa.select(Delivery.id, facts.scalar_subquery()).where(Delivery.store_id == here, Delivery.state == "posted")
    found = [
        Finding("K8", f"delivery:{delivery_id}", "1 fact", f"{count} facts")
        for delivery_id, count in session.execute(_of(query, Delivery.store_id, store_id))
        if count != 1
    ]
    counted = sa.select(DeliveryLine.delivery_id, DeliveryLine.sku, DeliveryLine.counted_qty).join(
        Delivery, sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id)
    )
    counted = counted.where(Delivery.store_id == here, Delivery.state == "posted", DeliveryLine.counted_qty > 0)
    said = {
        (delivery_id, sku): qty for delivery_id, sku, qty in session.execute(_of(counted, Delivery.store_id, store_id))
    }
    moved = sa.select(StockMovement.source_id, StockMovement.sku, sa.func.sum(StockMovement.qty)).where(
        StockMovement.store_id == here, StockMovement.source_kind == "delivery", StockMovement.reason == "received",
        StockMovement.source_id.in_(sa.select(Delivery.id).where(Delivery.store_id == here)),
    ).group_by(StockMovement.source_id, StockMovement.sku)  # fmt: skip
    booked = {
        (source, sku): int(qty) for source, sku, qty in session.execute(_of(moved, StockMovement.store_id, store_id))
    }
    return found + [
        Finding("K10", f"delivery:{key[0]}/{key[1]}", f"{said.get(key, 0)} counted", f"{booked.get(key, 0)} booked")
        for key in sorted({*said, *booked})
        if said.get(key, 0) != booked.get(key, 0)
    ]


def _received(session: Session, store_id: str | None) -> list[Finding]:
    """K10: received over deliveries is the order line's, and never negative."""
    came = (
        sa.select(
            Delivery.store_id, Delivery.order_id, DeliveryLine.sku, sa.func.sum(DeliveryLine.counted_qty).label("qty")
        )
        .join(Delivery, sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id))
        .where(Delivery.state == "posted")
        .group_by(Delivery.store_id, Delivery.order_id, DeliveryLine.sku)
        .subquery()
    )
    qty = sa.func.coalesce(came.c.qty, 0)
    query = (
        sa.select(OrderLine.order_id, OrderLine.sku, OrderLine.qty_received, qty)
        .outerjoin(
            came,
            sa.and_(
                came.c.store_id == OrderLine.store_id,
                came.c.order_id == OrderLine.order_id,
                came.c.sku == OrderLine.sku,
            ),
        )
        .where(sa.or_(OrderLine.qty_received != qty, OrderLine.qty_received < 0))
    )
    return [
        Finding("K10", f"order:{order_id}/{sku}", f"{int(expected)} over its deliveries", f"{received} on the line")
        for order_id, sku, received, expected in session.execute(_of(query, OrderLine.store_id, store_id))
    ]


def _ordered(session: Session, store_id: str | None) -> list[Finding]:
    """K11: whole packs of at least the minimum, or zero, unless a person overrode it by name."""
    query = sa.select(OrderLine.order_id, OrderLine.sku, OrderLine.minimum_packs, OrderLine.packs).where(
        sa.or_(
            OrderLine.packs < 0,
            sa.and_(OrderLine.packs != 0, OrderLine.packs < OrderLine.minimum_packs, OrderLine.changed_by == ""),
        )
    )
    found = [
        Finding("K11", f"order:{order_id}/{sku}", f"{minimum} packs or more", f"{packs} packs")
        for order_id, sku, minimum, packs in session.execute(_of(query, OrderLine.store_id, store_id))
    ]
    changed = sa.select(OrderLine.order_id, OrderLine.sku).where(
        OrderLine.packs != OrderLine.packs_proposed, OrderLine.changed_by == ""
    )
    found += [
        Finding("K11", f"order:{order_id}/{sku}", "the name of who changed it", "nobody")
        for order_id, sku in session.execute(_of(changed, OrderLine.store_id, store_id))
    ]
    return found


def _quantiles(session: Session, store_id: str | None) -> list[Finding]:
    """K12: quantiles rise with q and are finite and not negative, in every published run."""
    row = ForecastQuantile
    levels: tuple[Any, ...] = (row.q50, row.q75, row.q90, row.q95, row.q99)
    bad = [row.mean < 0, row.mean > sa.literal(1e300), row.q50 < 0, row.q99 > sa.literal(1e300)]
    bad += [low > high for low, high in pairwise(levels)]
    bad += [column != column for column in (row.mean, *levels)]  # NaN differs from itself, where it can be kept
    query = (
        sa.select(ForecastRun.scope_id, row.sku, row.first_day, row.last_day)
        .join(ForecastRun, ForecastRun.id == row.run_id)
        .where(ForecastRun.state == "published", sa.or_(*bad))
        .limit(100)
    )
    return [
        Finding("K12", f"forecast:{scope}/{sku}", "rising quantiles of zero or more", _span(first, last))
        for scope, sku, first, last in session.execute(_of(query, ForecastRun.scope_id, store_id))
    ]


def _ledgers(session: Session, here: str, store_id: str | None) -> list[Finding]:
    """K14: no funds above zero, no invoice below, invoices and accounts agree, and at the network no number missing."""
    found = []
    every = sa.select(LedgerEntry.store_id).distinct()
    for store in [store_id] if store_id is not None else session.scalars(every).all():
        standing = ledger.balances(session, str(store))
        left = ledger.open_invoices(session, str(store))
        on_credit = sum(one.left_minor for one in left if one.invoice.on_credit)
        on_account = sum(one.left_minor for one in left if not one.invoice.on_credit)
        wrong = [
            standing["funds"] > 0, standing["advance"] < 0, any(one.left_minor < 0 for one in left),
            on_credit != standing["credit"], on_account != standing["invoiced"], sum(standing.values()) != 0,
            here == NETWORK and _has_gap(session, str(store)),
        ]  # fmt: skip
        if any(wrong):
            found.append(Finding("K14", f"account:{store}", "a ledger that balances", f"{standing}"))
    return found


def _has_gap(session: Session, store_id: str) -> bool:
    query = sa.select(sa.func.count(), sa.func.max(LedgerEntry.n)).where(LedgerEntry.store_id == store_id)
    count, last = session.execute(query).one()
    account = session.get(Account, store_id)
    return count != (last or 0) or account is None or account.last_n != count


def _of(query: Query, column: Any, store_id: str | None) -> Query:
    return query if store_id is None else query.where(column == store_id)


def _span(first: dt.date, last: dt.date) -> str:
    return f"others on {first}" if first == last else f"others from {first} to {last}"

"""What a shopkeeper wants of all orders: how much money a week, and for single products room, show and service.

Rules
-----
1. The week's money is what orders of the last WEEK_DAYS, today included, and those confirmed already for a later order
   day may cost together, over all suppliers. Orders the supplier rejected or the shop called off do not count. No row:
   money does not limit. For a proposal that is left which the other proposals, as they stand, leave; what waits for its
   supplier's minimum takes nothing. A person may go beyond; the page says so.
2. room_qty is the most there is place for; show_qty stands for show and is ordered up to on top of demand; service_bp
   is the share of demand the shopkeeper wants served, 5,000 to 9,950. What is not said follows from the policy.
3. A wish without any content is no wish: its row goes.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.journal import Actor, record
from config.money import MAX_MINOR
from pos.catalogue import Product
from pos.ledger import MOST_QTY
from supply import orders
from supply.orders import ReplenishmentOrder

WEEK_DAYS = 7
LEAST_SERVICE_BP, MOST_SERVICE_BP = 5_000, 9_950


class OrderBudget(Base):
    """The money a store's orders may cost in a week (rule 1)."""

    __tablename__ = "order_budget"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    week_minor: Mapped[int]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


class OrderWish(Base):
    """A store's wish for one product (rule 2)."""

    __tablename__ = "order_wish"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    room_qty: Mapped[int | None]
    show_qty: Mapped[int] = mapped_column(default=0)
    service_bp: Mapped[int | None]


# --- verbs ---


def set_budget(session: Session, store_id: str, week_minor: int | None, *, actor: Actor, at: dt.datetime) -> None:
    """Limit what a week's orders may cost together; None lifts the limit (rule 1)."""
    if week_minor is not None and not 0 <= week_minor <= MAX_MINOR:
        raise Invalid("bad-budget", "A limit is an amount of zero or more.", field="week_budget")
    row = session.get(OrderBudget, store_id)
    if week_minor is None:
        if row is not None:
            session.delete(row)
    else:
        row = row or OrderBudget(store_id=store_id)
        row.week_minor, row.set_by, row.set_at = week_minor, actor.name, at
        session.add(row)
    session.flush()
    subject = f"store:{store_id}"
    record(session, actor=actor, at=at, verb="order.budget_set", subject=subject, week_minor=week_minor)


def set_wish(
    session: Session,
    store_id: str,
    sku: str,
    *,
    room_qty: int | None = None,
    show_qty: int = 0,
    service_bp: int | None = None,
    actor: Actor,
    at: dt.datetime,
) -> OrderWish | None:
    """Say how a product is to be ordered (rules 2, 3); returns the wish, None where nothing is wished."""
    if session.get(Product, sku) is None:
        raise NotFound("unknown-product", f"There is no product {sku}.", skus=[sku])
    if room_qty is not None and not 0 < room_qty <= MOST_QTY:
        raise Invalid(
            "bad-room", "Type how many there is room for, 1 or more; leave it empty for no limit.", field="room"
        )
    if not 0 <= show_qty <= MOST_QTY or (room_qty is not None and show_qty > room_qty):
        raise Invalid("bad-show", "What stands for show is 0 or more, and fits into the room there is.", field="show")
    if service_bp is not None and not LEAST_SERVICE_BP <= service_bp <= MOST_SERVICE_BP:
        raise Invalid("bad-service", "Service is 50 to 99.5 of 100 wanted units; leave it empty to have it worked out.",
                      field="service")  # fmt: skip
    row = session.get(OrderWish, (store_id, sku)) or OrderWish(store_id=store_id, sku=sku)
    row.room_qty, row.show_qty, row.service_bp = room_qty, show_qty, service_bp
    record(
        session, actor=actor, at=at, verb="order.wish_set", subject=f"product:{sku}", room_qty=room_qty,
        show_qty=show_qty, service_bp=service_bp,
    )  # fmt: skip
    if room_qty is None and not show_qty and service_bp is None:
        if sa.inspect(row).persistent:
            session.delete(row)
            session.flush()
        return None
    session.add(row)
    session.flush()
    return row


# --- questions ---


def wishes(session: Session, store_id: str) -> dict[str, OrderWish]:
    """Return a store's wishes by SKU."""
    return {row.sku: row for row in session.scalars(sa.select(OrderWish).where(OrderWish.store_id == store_id))}


def week_limit(session: Session, store_id: str) -> int | None:
    """Return what a week's orders may cost together; None where money does not limit."""
    row = session.get(OrderBudget, store_id)
    return None if row is None else row.week_minor


def left_to_spend(session: Session, store_id: str, today: dt.date) -> int | None:
    """Return what this week's orders may still cost, never below zero; None where money does not limit (rule 1)."""
    limit = week_limit(session, store_id)
    if limit is None:
        return None
    order = ReplenishmentOrder
    since = today - dt.timedelta(days=WEEK_DAYS)
    return max(0, limit - spent(session, order.store_id == store_id, order.order_day > since))


def left_for(session: Session, order: ReplenishmentOrder, today: dt.date) -> int | None:
    """Return what a proposal may cost within the week's money, never below zero; None where money does not limit."""
    left = left_to_spend(session, order.store_id, today)
    if left is None:
        return None
    other = ReplenishmentOrder
    query = sa.select(sa.func.sum(other.cost_minor)).where(
        other.store_id == order.store_id, other.state == "proposed", other.id != order.id, other.postponed.is_(False)
    )
    return max(0, left - int(session.scalar(query) or 0))


def spent(session: Session, *which: sa.SQLColumnExpression[bool]) -> int:
    """Return what some orders cost, or will: as counted once they are over, as promised once they are answered."""
    line, order = orders.OrderLine, ReplenishmentOrder
    counted = line.qty_received * line.pack_cost_minor // line.pack_qty
    promised = sa.func.coalesce(line.packs_acknowledged, line.packs) * line.pack_cost_minor
    cost = sa.case((order.state.in_(["received", "closed_short"]), counted), else_=promised)
    query = sa.select(sa.func.sum(cost)).join(
        order, sa.and_(order.store_id == line.store_id, order.id == line.order_id)
    )
    return int(session.scalar(query.where(order.state.not_in(orders.COSTS_NOTHING), *which)) or 0)

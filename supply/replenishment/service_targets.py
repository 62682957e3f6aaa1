"""What a shopkeeper wants of the orders: room, show and service of products, service of all, and what edits taught.

Rules
-----
1. room_qty is the most there is place for; show_qty stands for show and is ordered up to on top of demand; service_bp
   is the share of demand the shopkeeper wants served, 5,000 to 9,950. What is not said follows from the policy.
2. A preference without any content is no preference: its row goes.
3. The store's service_bp, 7,500 to 9,950, is the most any product is ordered to whose own is not said: each as far as
   its margin earns its keeping. Not said, it is USUAL_SERVICE_BP.
4. An edit teaches when its reason says that the quantity was wrong as such (TEACHING: too many, not enough, no room)
   and it went that way, not when something happened once. On approval the product's taught units move by half of the
   difference between ordered and proposed, and stay within one pack or MOST_TAUGHT_DAYS days of demand, whichever is
   more.
5. What was taught counts in full for LESSON_DAYS after the last edit that taught it, by half for as many again, and
   then not at all: what is not confirmed is forgotten. Taught units are added to the shelf a product is ordered up to,
   and every line says them.
"""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.nodes.journal import Context, record
from pos.catalogue.catalogue import Product
from pos.stock.ledger import MOST_QTY
from supply.orders.orders import ReplenishmentOrder, lines_of

LEAST_SERVICE_BP, MOST_SERVICE_BP = 5_000, 9_950
LEAST_STORE_BP, USUAL_SERVICE_BP = 7_500, 9_800
TEACHING = {"change-too-many": -1, "change-no-room": -1, "change-too-few": 1}
"""reason -> whether it asks for less or for more."""
MOST_TAUGHT_DAYS = 2
LESSON_DAYS = 56


class OrderPreference(Base):
    """A store's preference for one product (rule 1)."""

    __tablename__ = "order_preference"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    room_qty: Mapped[int | None]
    show_qty: Mapped[int] = mapped_column(default=0)
    service_bp: Mapped[int | None]


class OrderService(Base):
    """The service a store's orders aim at, at most (rule 3)."""

    __tablename__ = "order_service"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    service_bp: Mapped[int]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


class OrderAdjustment(Base):
    """Units a shopkeeper's edits taught to hold more, or less, of a product (rule 4)."""

    __tablename__ = "order_adjustment"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    adjusted_qty: Mapped[int]
    adjusted_at: Mapped[dt.datetime]


class Preference(NamedTuple):
    """What a store set for a product (rule 1)."""

    room_qty: int | None
    show_qty: int
    service_bp: int | None


# --- verbs ---


def set_service(ctx: Context, store_id: str, service_bp: int) -> None:
    """Say how much service a store's orders aim at (rule 3)."""
    if not LEAST_STORE_BP <= service_bp <= MOST_SERVICE_BP:
        raise Invalid("bad-store-service", "Enter a service level from 75 to 99.5 percent.", field="service_bp")
    row = ctx.session.get(OrderService, store_id) or OrderService(store_id=store_id)
    row.service_bp, row.set_by, row.set_at = service_bp, ctx.actor.name, ctx.at
    ctx.session.add(row)
    ctx.session.flush()
    record(ctx, verb="order.service_set", subject=f"store:{store_id}", service_bp=service_bp)


def set_preference(
    ctx: Context,
    store_id: str,
    sku: str,
    *,
    room_qty: int | None = None,
    show_qty: int = 0,
    service_bp: int | None = None,
) -> OrderPreference | None:
    """Say how a product is to be ordered (rules 1, 2); returns the preference, None where nothing is set."""
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    if room_qty is not None and not 0 < room_qty <= MOST_QTY:
        raise Invalid("bad-room", "Enter the shelf space, 1 or more, or leave it empty for no limit.", field="room")
    if not 0 <= show_qty <= MOST_QTY or (room_qty is not None and show_qty > room_qty):
        raise Invalid("bad-show", "Enter a display stock of 0 or more that fits the shelf space.", field="show")
    if service_bp is not None and not LEAST_SERVICE_BP <= service_bp <= MOST_SERVICE_BP:
        raise Invalid(
            "bad-service", "Enter a service level from 50 to 99.5 percent, or leave it empty to have it calculated.",
            field="service",
        )  # fmt: skip
    row = ctx.session.get(OrderPreference, (store_id, sku)) or OrderPreference(store_id=store_id, sku=sku)
    row.room_qty, row.show_qty, row.service_bp = room_qty, show_qty, service_bp
    record(
        ctx, verb="order.preference_set", subject=f"product:{sku}", room_qty=room_qty,
        show_qty=show_qty, service_bp=service_bp)  # fmt: skip
    if room_qty is None and not show_qty and service_bp is None:
        if sa.inspect(row).persistent:
            ctx.session.delete(row)
            ctx.session.flush()
        return None
    ctx.session.add(row)
    ctx.session.flush()
    return row


def learn(session: Session, order: ReplenishmentOrder, *, at: dt.datetime) -> None:
    """Take what an approved order's lines teach (rule 4)."""
    known = lessons(session, order.store_id, at)
    for line in lines_of(session, order):
        if line.teaches and line.packs != line.packs_proposed:
            moved = known.get(line.sku, 0) + (line.packs - line.packs_proposed) * line.pack_qty / 2
            bound = max(line.pack_qty, round(MOST_TAUGHT_DAYS * float(line.why.get("per_day") or 0)))
            taught = round(min(bound, max(-bound, moved)))
            session.merge(OrderAdjustment(store_id=order.store_id, sku=line.sku, adjusted_qty=taught, adjusted_at=at))
    session.flush()


# --- questions ---


def does_teach(reason: str, difference: int) -> bool:
    """Tell whether an edit teaches (rule 4). difference: packs ordered less packs proposed."""
    return TEACHING.get(reason, 0) * difference > 0


def lessons(session: Session, store_id: str, at: dt.datetime) -> dict[str, int]:
    """Return the units a store's edits taught and that still count, by SKU (rule 5)."""
    rows = session.execute(
        sa.select(OrderAdjustment.sku, OrderAdjustment.adjusted_qty, OrderAdjustment.adjusted_at).where(
            OrderAdjustment.store_id == store_id, OrderAdjustment.adjusted_at > at - dt.timedelta(days=2 * LESSON_DAYS)
        )
    )
    fresh = at - dt.timedelta(days=LESSON_DAYS)
    counted = {sku: int(qty) if adjusted_at > fresh else int(qty / 2) for sku, qty, adjusted_at in rows}
    return {sku: qty for sku, qty in counted.items() if qty}


def service_of(session: Session, store_id: str) -> int:
    """Return the service a store's orders aim at, in 1/10,000 (rule 3)."""
    row = session.get(OrderService, store_id)
    return row.service_bp if row else USUAL_SERVICE_BP


def preferences(session: Session, store_id: str) -> dict[str, Preference]:
    """Return a store's preferences by SKU."""
    row = OrderPreference
    query = sa.select(row.sku, row.room_qty, row.show_qty, row.service_bp).where(row.store_id == store_id)
    return {sku: Preference(room, show, service) for sku, room, show, service in session.execute(query)}

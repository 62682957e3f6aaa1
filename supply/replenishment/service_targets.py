"""What a shopkeeper wants of the orders: room, show and service of single products, and of all together service.

Rules
-----
1. room_qty is the most there is place for; show_qty stands for show and is ordered up to on top of demand; service_bp
   is the share of demand the shopkeeper wants served, 5,000 to 9,950. What is not said follows from the policy.
2. A wish without any content is no wish: its row goes.
3. The store's service_bp, 7,500 to 9,950, is the most any product is ordered to whose own is not said: each as far as
   its margin earns its keeping. Not said, it is USUAL_SERVICE_BP.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.nodes.journal import Actor, record
from pos.catalogue.catalogue import Product
from pos.stock.ledger import MOST_QTY

LEAST_SERVICE_BP, MOST_SERVICE_BP = 5_000, 9_950
LEAST_STORE_BP, USUAL_SERVICE_BP = 7_500, 9_800


class OrderPreference(Base):
    """A store's wish for one product (rule 1)."""

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


# --- verbs ---


def set_service(session: Session, store_id: str, service_bp: int, *, actor: Actor, at: dt.datetime) -> None:
    """Say how much service a store's orders aim at (rule 3)."""
    if not LEAST_STORE_BP <= service_bp <= MOST_SERVICE_BP:
        raise Invalid(
            "bad-store-service", "A store's orders aim at 75 to 99.5 of 100 wanted units.", field="service_bp"
        )
    row = session.get(OrderService, store_id) or OrderService(store_id=store_id)
    row.service_bp, row.set_by, row.set_at = service_bp, actor.name, at
    session.add(row)
    session.flush()
    record(
        session, actor=actor, at=at, verb="order.service_set", subject=f"store:{store_id}", service_bp=service_bp
    )  # fmt: skip


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
) -> OrderPreference | None:
    """Say how a product is to be ordered (rules 1, 2); returns the wish, None where nothing is wished."""
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
    row = session.get(OrderPreference, (store_id, sku)) or OrderPreference(store_id=store_id, sku=sku)
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


def service_of(session: Session, store_id: str) -> int:
    """Return the service a store's orders aim at, in 1/10,000 (rule 3)."""
    row = session.get(OrderService, store_id)
    return row.service_bp if row else USUAL_SERVICE_BP


def wishes(session: Session, store_id: str) -> dict[str, OrderPreference]:
    """Return a store's wishes by SKU."""
    return {
        row.sku: row for row in session.scalars(sa.select(OrderPreference).where(OrderPreference.store_id == store_id))
    }

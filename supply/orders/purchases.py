"""The book of purchases: what a warehouse proposed to buy upstream, ordered, and took in (`purchasing`).

Rules
-----
1. A purchase is of one upstream supplier, or of nobody known here. It is numbered within its warehouse.
2. One that is due for longer than PATIENCE_DAYS did not come: it is not counted on any more, and a person takes it in
   or calls it off.

Quantities in stock units, *_minor minor units of the network's currency.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound
from config.states import StateTable
from pos.store.store import day_of
from supply.orders import lead_times
from supply.orders.lead_times import LeadTime, Trip
from supply.orders.suppliers import Supplier

STATES = StateTable(
    "purchase",
    "proposed",
    {"proposed": ["ordered", "dropped"], "ordered": ["received", "cancelled"]},
)
PATIENCE_DAYS = 2


class Purchase(Base):
    """Goods a warehouse buys upstream. store_id is the warehouse's id."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "purchase"
    __table_args__ = (sa.Index("ix_purchase_state", "state", "expected_day"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    purchase_no: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    supplier_id: Mapped[str | None]
    """Whom it is bought from; None: nobody known here."""
    order_day: Mapped[dt.date | None]
    expected_day: Mapped[dt.date]
    cost_minor: Mapped[int] = mapped_column(default=0)
    proposed_at: Mapped[dt.datetime]
    ordered_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime | None]


class PurchaseLine(Base):
    """One product of a purchase. why: what it was worked out from (`purchasing.requirements`)."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "purchase_id"], ["purchase.store_id", "purchase.id"]),
        sa.CheckConstraint("packs >= 0", name="packs_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    purchase_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    packs: Mapped[int]
    received_qty: Mapped[int | None]
    expires_on: Mapped[dt.date | None]
    why: Mapped[dict[str, Any]]


# --- questions ---


def purchases(
    session: Session, states: list[str], *, warehouse_id: str | None = None, limit: int = 50
) -> list[Purchase]:
    """Return purchases in these states, what comes first first."""
    query = sa.select(Purchase).where(Purchase.state.in_(states))
    if warehouse_id is not None:
        query = query.where(Purchase.store_id == warehouse_id)
    return list(session.scalars(query.order_by(Purchase.expected_day.desc(), Purchase.id.desc()).limit(limit)))


def purchase_of(session: Session, warehouse_id: str, purchase_id: str) -> Purchase:
    """Return a purchase, locked; NotFound when there is none."""
    query = sa.select(Purchase).where(Purchase.store_id == warehouse_id, Purchase.id == purchase_id)
    found: Purchase | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-purchase", "Purchase not found.", purchase_id=purchase_id)
    return found


def lines_of(session: Session, purchase: Purchase) -> list[PurchaseLine]:
    """Return a purchase's lines, the dearest first."""
    query = sa.select(PurchaseLine).where(
        PurchaseLine.store_id == purchase.store_id, PurchaseLine.purchase_id == purchase.id
    )
    cost = PurchaseLine.packs * PurchaseLine.pack_cost_minor
    return list(session.scalars(query.order_by(cost.desc(), PurchaseLine.name, PurchaseLine.sku)))


def leads(session: Session, sellers: Sequence[Supplier], *, at: dt.datetime) -> dict[str, LeadTime]:
    """Return how long each of these upstream suppliers takes, as purchases of all warehouses came (`lead_times`)."""
    found = trips(session, sellers, Purchase.ordered_at > at - dt.timedelta(days=lead_times.LOOK_BACK_DAYS))
    return lead_times.from_trips({seller.id: seller.calendar.lead_days for seller in sellers}, found)


def trips(session: Session, sellers: Sequence[Supplier], *which: sa.ColumnElement[bool]) -> list[Trip]:
    """Return the ways of what came of these suppliers, the last ordered first. which: of which purchases."""
    query = sa.select(
        Purchase.store_id, Purchase.supplier_id, Purchase.order_day, Purchase.ordered_at, Purchase.received_at,
        Purchase.expected_day,
    ).where(Purchase.state == "received", Purchase.supplier_id.in_([one.id for one in sellers]), *which)  # fmt: skip
    return [
        Trip(
            seller, lead_times.began(order_day, day_of(session, house, ordered)), day_of(session, house, received),
            promised,
        )
        for house, seller, order_day, ordered, received, promised in session.execute(
            query.order_by(Purchase.ordered_at.desc(), Purchase.id)
        )
        if seller is not None and ordered is not None and received is not None
    ]  # fmt: skip


def to_come(session: Session, warehouse_id: str, today: dt.date) -> dict[str, int]:
    """Return what is to come from upstream, and did not fail to (rule 2)."""
    least = today - dt.timedelta(days=PATIENCE_DAYS)
    query = (
        sa.select(PurchaseLine.sku, sa.func.sum(PurchaseLine.packs * PurchaseLine.pack_qty))
        .join(Purchase, sa.and_(Purchase.store_id == PurchaseLine.store_id, Purchase.id == PurchaseLine.purchase_id))
        .where(Purchase.store_id == warehouse_id, Purchase.state == "ordered", Purchase.expected_day >= least)
        .group_by(PurchaseLine.sku)
    )
    return {sku: int(qty) for sku, qty in session.execute(query)}


def number_of(purchase: Purchase) -> str:
    """Return a purchase's number as its message has it."""
    return f"{purchase.store_id}-{purchase.purchase_no}"


def subject_of(purchase: Purchase) -> str:
    """Return how the journal names a purchase."""
    return f"purchase:{purchase.id}"

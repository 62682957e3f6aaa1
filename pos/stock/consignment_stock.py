"""Goods that stand in the store and are not the store's: whose they are, from their arrival to the last unit.

Rules
-----
1. Goods taken on sale or return belong to their owner until they are sold, bought or back. Each lot of them is one row,
   and whatever happens to it is a row of its own book: came, sold, back, bought. The four always add up (K17).
2. A barcode does not say whose a unit is. What came first is taken as sold first: the store's own units that stood here
   when the goods came go first, then the goods, then what came after them. Of two lots the older one goes first.
3. The sale writes it, in its own transaction. Who sells a unit has bought it: what a customer brings back is the
   store's.
4. What is neither sold nor there any more when the lot ends (written off, missing) was bought by the store.
5. Nobody gives away what is not theirs: of what stands in the store only what no lot has left may be passed on.

Units: quantities in stock units; pack_cost_minor per pack_qty units.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Refused
from config.finding import Finding
from config.ids import new_id
from config.money import amount_for
from config.nodes.append_only import append_only
from config.prepared import PreparedForSome

GONE = ("sold", "back", "bought")


class Consignment(Base):
    """A lot of somebody else's goods (rule 1). id: that of the offer it came by."""

    __tablename__ = "consigned"
    __table_args__ = (
        sa.CheckConstraint(
            "came_qty = left_qty + sold_qty + back_qty + bought_qty and left_qty >= 0 and ahead_qty >= 0",
            name="adds_up",
        ),
        sa.Index("ix_consigned_left", "store_id", "sku", "left_qty"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    owner: Mapped[str]
    """The node the goods belong to."""
    supplier_id: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    came_on: Mapped[dt.date]
    came_at: Mapped[dt.datetime]
    until: Mapped[dt.date]
    """The last day on which they may go back."""
    came_qty: Mapped[int]
    ahead_qty: Mapped[int]
    """The store's own units that are taken as sold before (rule 2)."""
    left_qty: Mapped[int]
    sold_qty: Mapped[int] = mapped_column(default=0)
    back_qty: Mapped[int] = mapped_column(default=0)
    bought_qty: Mapped[int] = mapped_column(default=0)
    reported_step: Mapped[int] = mapped_column(default=0)
    """How much of its book was told: the sum of what had gone; at the network of what arrived."""
    charged_qty: Mapped[int] = mapped_column(default=0)
    """At the network: the units invoiced; those told as gone back that did not come are among them."""


@append_only()
class ConsignmentMovement(Base):
    """One line of a lot's book: qty units sold, sent back or bought. source_id: the sale, the return."""

    __tablename__ = "consignment_movement"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.Index("ix_consigned_move_lot", "store_id", "consigned_id"),
        sa.Index("ix_consigned_move_source", "store_id", "source_id"),
        sa.Index("ix_consigned_move_day", "store_id", "business_day"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    consigned_id: Mapped[str]
    kind: Mapped[str]
    """sold | back | bought"""
    qty: Mapped[int]
    source_id: Mapped[str]
    business_day: Mapped[dt.date]
    at: Mapped[dt.datetime]


@dataclass(frozen=True)
class OwnerSum:
    """What a day's sales took of an owner's goods: units, and what they cost the store."""

    name: str
    qty: int
    cost_minor: int


# --- verbs ---


def sold(
    session: Session,
    store_id: str,
    lines: Sequence[tuple[str, int]],
    lots: Sequence[tuple[str, str]],
    *,
    sale_id: str,
    day: dt.date,
    at: dt.datetime,
) -> None:
    """Note whose the sold units were (rules 2, 3). lots: (id, SKU), as `LEFT` finds them for these products."""
    wanted: dict[str, int] = {}
    for sku, qty in lines:
        wanted[sku] = wanted.get(sku, 0) + qty
    for lot_id, sku in lots:
        lot = session.get_one(Consignment, (store_id, lot_id))
        own = min(lot.ahead_qty, wanted[sku])
        lot.ahead_qty -= own
        wanted[sku] -= own
        part = min(lot.left_qty, wanted[sku])
        if part:
            wanted[sku] -= part
            take(session, lot, "sold", part, source_id=sale_id, day=day, at=at)
    session.flush()


def pass_on(session: Session, store_id: str, units: Mapping[str, int], on_hand: Mapping[str, int]) -> None:
    """Let the store's own units of what is on hand go unsold (rule 5); those that stand before a lot go first.

    Refuses, naming it, what is more than the store's own.
    """
    theirs = not_ours(session, store_id)
    for lot in lots(session, store_id, only_left=True):
        qty = units.get(lot.sku, 0)
        own = max(0, on_hand[lot.sku] - theirs[lot.sku]) if qty else 0
        if qty > own:
            raise Refused(
                "not-ours",
                "%(theirs)s of %(name)s are on consignment and not yours. Hand over up to %(own)s, or buy "
                "them first.", sku=lot.sku, name=lot.name, theirs=theirs[lot.sku], own=own,
            )  # fmt: skip
        lot.ahead_qty = max(0, lot.ahead_qty - qty)
    session.flush()


def take(
    session: Session, lot: Consignment, kind: str, qty: int, *, source_id: str, day: dt.date, at: dt.datetime
) -> None:
    """Write in a lot's book that units are sold, sent back or bought (rule 1)."""
    if kind not in GONE or not 0 < qty <= lot.left_qty:
        raise ValueError(f"{qty} units of {lot.id} cannot be {kind}")
    lot.left_qty -= qty
    if kind == "sold":
        lot.sold_qty += qty
    elif kind == "back":
        lot.back_qty += qty
    else:
        lot.bought_qty += qty
    session.add(
        ConsignmentMovement(
            store_id=lot.store_id, id=new_id(), consigned_id=lot.id, kind=kind, qty=qty, source_id=source_id,
            business_day=day, at=at,
        )
    )  # fmt: skip


# --- questions ---


def lots(session: Session, store_id: str, *, only_left: bool = False) -> list[Consignment]:
    """Return a store's lots, what must be settled first first."""
    query = sa.select(Consignment).where(Consignment.store_id == store_id)
    if only_left:
        query = query.where(Consignment.left_qty > 0)
    return list(session.scalars(query.order_by(Consignment.left_qty == 0, Consignment.until, Consignment.id)))


def not_ours(session: Session, store_id: str) -> dict[str, int]:
    """Return the units in the store that are not its own, by SKU."""
    return {sku: qty for sku, (qty, _) in standing(session, store_id).items()}


def standing(session: Session, store_id: str) -> dict[str, tuple[int, dt.date]]:
    """Return SKU -> units in the store that are not its own, and the first day that is the last to send some back."""
    query = sa.select(Consignment.sku, sa.func.sum(Consignment.left_qty), sa.func.min(Consignment.until))
    query = query.where(Consignment.store_id == store_id, Consignment.left_qty > 0).group_by(Consignment.sku)
    return {sku: (int(qty), until) for sku, qty, until in session.execute(query)}


def cost(lot: Consignment, qty: int) -> int:
    """Return what so many units of a lot cost."""
    return amount_for(qty, lot.pack_cost_minor, lot.pack_qty)


def charged(lot: Consignment) -> int:
    """Return the units the store owes: sold and bought."""
    return lot.sold_qty + lot.bought_qty


def of_sale(session: Session, store_id: str, sale_id: str) -> list[tuple[str, int]]:
    """Return (name, units) of a sale's goods that were not the store's."""
    query = (
        sa.select(Consignment.name, sa.func.sum(ConsignmentMovement.qty))
        .join(Consignment, _of_lot())
        .where(
            ConsignmentMovement.store_id == store_id,
            ConsignmentMovement.source_id == sale_id,
            ConsignmentMovement.kind == "sold",
        )
        .group_by(Consignment.name)
        .order_by(Consignment.name)
    )
    return [(name, int(qty)) for name, qty in session.execute(query)]


def of_day(session: Session, store_id: str, day: dt.date) -> list[OwnerSum]:
    """Return what a day sold of other owners' goods, and what the store owes for it, by name."""
    sums = (
        sa.select(ConsignmentMovement.consigned_id, sa.func.sum(ConsignmentMovement.qty).label("qty"))
        .where(
            ConsignmentMovement.store_id == store_id,
            ConsignmentMovement.business_day == day,
            ConsignmentMovement.kind == "sold",
        )
        .group_by(ConsignmentMovement.consigned_id)
        .subquery()
    )
    query = sa.select(Consignment, sums.c.qty).join(sums, sums.c.consigned_id == Consignment.id)
    rows = session.execute(query.where(Consignment.store_id == store_id))
    found = [OwnerSum(lot.name, int(qty), cost(lot, int(qty))) for lot, qty in rows]
    return sorted(found, key=lambda one: one.name)


def findings(session: Session, here: str, store_id: str | None = None) -> list[Finding]:
    """K17: at its store a lot's book is what the lot says, and no invoice at the network is for more than it took."""
    kinds = {
        kind: sa.func.coalesce(
            sa.func.sum(sa.case((ConsignmentMovement.kind == kind, ConsignmentMovement.qty), else_=0)), 0
        )
        for kind in GONE
    }
    book = (
        sa.select(Consignment.id, *(kinds[kind].label(kind) for kind in GONE))
        .outerjoin(ConsignmentMovement, _of_lot())
        .where(Consignment.store_id == here)
        .group_by(Consignment.id)
        .subquery()
    )
    query = sa.select(Consignment, *(book.c[kind] for kind in GONE)).join(book, book.c.id == Consignment.id)
    wrong = [
        Finding("K17", f"consigned:{lot.id}", "a lot and its book agree", f"sold {sold}, back {back}, bought {bought}")
        for lot, sold, back, bought in session.execute(query.where(Consignment.store_id == here))
        if (lot.sold_qty, lot.back_qty, lot.bought_qty) != (sold, back, bought)
    ]
    gone = Consignment.sold_qty + Consignment.bought_qty + Consignment.back_qty
    over = sa.select(Consignment).where(Consignment.charged_qty > gone)
    if store_id is not None:
        over = over.where(Consignment.store_id == store_id)
    return wrong + [
        Finding("K17", f"consigned:{lot.id}", "no more charged than gone", f"{lot.charged_qty} units")
        for lot in session.scalars(over)
    ]


def _of_lot() -> sa.ColumnElement[bool]:
    return sa.and_(
        Consignment.store_id == ConsignmentMovement.store_id, Consignment.id == ConsignmentMovement.consigned_id
    )


_lot = table_of(Consignment).c
# every sale asks this, so the statement is made once
LEFT = PreparedForSome(
    lambda skus: (
        sa.select(_lot.id, _lot.sku)
        .where(_lot.store_id == sa.bindparam("store", type_=sa.Text), _lot.sku.in_(skus), _lot.left_qty > 0)
        .order_by(_lot.came_at, _lot.id)
    )
)

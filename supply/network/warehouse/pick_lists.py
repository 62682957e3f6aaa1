"""A pick list: what is gathered in one warehouse for one route of the vehicles, product by product and store by store.

`picking` has the verbs and the rules; this file holds the rows, and what else in the warehouse has to know of them.
"""

import datetime as dt
import re
from collections.abc import Collection
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Context, record
from config.states import StateTable
from pos.catalogue.catalogue import Product
from supply.network.routes import routes
from supply.orders.suppliers import require_warehouse

STATES = StateTable(
    "pick list",
    "picking",
    {"picking": ["picked", "dropped"], "picked": ["picking", "dispatched", "dropped"]},
)
OPEN = ("picking", "picked")
SOURCES = ("order", "offer", "replacement")
"""What a line is picked for: a store's order, an accepted offer, goods of a claim that are sent again."""
REASONS = ("missing", "damaged", "expired", "left")
"""Why less is picked: it is not there; it broke or spoilt; it is over; it stays for the next route."""
LONGEST_BAY = 20
ROUTE_DAYS = 28
Goods = tuple[str, str]
"""(warehouse id, SKU)"""


class PickList(Base):
    """What is gathered in a warehouse at once. pick_no: the human number, per warehouse."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "pick_list"
    __table_args__ = (
        sa.UniqueConstraint("warehouse_id", "pick_no"),
        sa.Index("ix_pick_list_state", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    warehouse_id: Mapped[str]
    pick_no: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str]
    sent_at: Mapped[dt.datetime | None]


class PickLine(Base):
    """One product for one order, offer or claim, in stock units. picked_qty None: nobody has been there yet."""

    __tablename__ = "pick_line"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("picked_qty between 0 and qty", name="picked_within"),
        sa.Index("ix_pick_line_source", "store_id", "source_id"),
    )

    pick_id: Mapped[str] = mapped_column(sa.ForeignKey("pick_list.id"), primary_key=True)
    store_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    """One of SOURCES."""
    source_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    qty: Mapped[int]
    picked_qty: Mapped[int | None]
    short_why: Mapped[str] = mapped_column(default="")
    """One of REASONS where less was picked."""
    picked_by: Mapped[str] = mapped_column(default="")
    lost_qty: Mapped[int] = mapped_column(default=0, server_default="0")
    """What is written off when the list leaves, as it was when it was picked."""
    lots: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """From which lots it is to be taken, the first to leave first: [lot id or '', units]."""

    @property
    def lots_kept(self) -> list[tuple[str, int]]:
        """Return what the line keeps of its lots: of what was picked short the first ones."""
        rest, kept = self.qty if self.picked_qty is None else self.picked_qty, list[tuple[str, int]]()
        for lot_id, qty in self.lots:
            if part := min(rest, qty):
                kept.append((lot_id, part))
                rest -= part
        return kept


class Bay(Base):
    """Where in a warehouse a product stands, as its signs say it: A-03-2."""

    __tablename__ = "bay"

    warehouse_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    name: Mapped[str]


def settle_bay(ctx: Context, warehouse_id: str, sku: str, name: str) -> None:
    """Note where a product stands; '': nowhere in particular."""
    require_warehouse(ctx.session, warehouse_id)
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    name = " ".join(name.split()).upper()
    if len(name) > LONGEST_BAY:
        raise Invalid("too-long", "That is too long. Use up to %(most)s characters.", field="bay", most=LONGEST_BAY)
    row = ctx.session.get(Bay, (warehouse_id, sku))
    if (row.name if row else "") == name:
        return
    if row is not None and not name:
        ctx.session.delete(row)
    else:
        ctx.session.merge(Bay(warehouse_id=warehouse_id, sku=sku, name=name))
    ctx.session.flush()
    record(ctx, verb="bay.settled", subject=f"product:{sku}", warehouse=warehouse_id, bay=name)


def bays(session: Session, warehouse_id: str, skus: Collection[str]) -> dict[str, str]:
    """Return where products stand, of those that stand somewhere in particular."""
    query = sa.select(Bay.sku, Bay.name).where(Bay.warehouse_id == warehouse_id, Bay.sku.in_(skus))
    return dict(session.execute(query).all())


def way(bay: str) -> tuple[object, ...]:
    """Return a bay's place on the way through a warehouse: A-2 before A-10, and what stands nowhere last."""
    parts = re.findall(r"\d+|\D+", bay)
    return (not bay, [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts])


def pick_of(session: Session, pick_id: str) -> PickList:
    """Return a pick list, locked; NotFound when there is none."""
    found: PickList | None = session.scalar(lock_rows(session, sa.select(PickList).where(PickList.id == pick_id)))
    if found is None:
        raise NotFound("unknown-pick", "Pick list not found. Reload the page.", pick_id=pick_id)
    return found


def lines_of(session: Session, pick: PickList) -> list[PickLine]:
    """Return a list's lines in the order they are walked: by bay, then product, then as the vehicles are loaded."""
    lines = session.scalars(sa.select(PickLine).where(PickLine.pick_id == pick.id)).all()
    where = bays(session, pick.warehouse_id, {line.sku for line in lines})
    stores = {
        store_id: place for place, store_id in enumerate(load_order(session, pick, {one.store_id for one in lines}))
    }
    return sorted(
        lines,
        key=lambda one: (
            way(where.get(one.sku, "")), one.name, one.sku, stores[one.store_id], one.source, one.source_id
        ),
    )  # fmt: skip


def load_order(session: Session, pick: PickList, stores: Collection[str]) -> list[str]:
    """Return stores in the order in which their goods go onto the vehicles: vehicle by vehicle, the last stop first.

    A store's vehicle and stop are those it had last; stores that were on no route of the last ROUTE_DAYS come last.
    """
    known = route(session, pick)
    driven = sorted((known[one][0], -known[one][1], one) for one in stores if one in known)
    return [one for _vehicle, _n, one in driven] + sorted(one for one in stores if one not in known)


def route(session: Session, pick: PickList) -> dict[str, tuple[str, int]]:
    """Return the vehicle and the stop each store of a list's warehouse had last, of the last ROUTE_DAYS."""
    return routes.route_of(session, pick.warehouse_id, pick.made_at.date() - dt.timedelta(days=ROUTE_DAYS))


def open_lists(session: Session, warehouse_id: str | None = None) -> list[PickList]:
    """Return the lists that have not left, the oldest first."""
    query = sa.select(PickList).where(PickList.state.in_(OPEN)).order_by(PickList.id)
    return list(session.scalars(query if warehouse_id is None else query.where(PickList.warehouse_id == warehouse_id)))


def being_picked(session: Session) -> set[tuple[str, str, str]]:
    """Return what stands on open lists: (source, store id, its id)."""
    query = sa.select(PickLine.source, PickLine.store_id, PickLine.source_id).join(PickList)
    return {
        (source, store, source_id)
        for source, store, source_id in session.execute(query.where(PickList.state.in_(OPEN)).distinct())
    }


def held(session: Session, *, sources: Collection[str] = SOURCES) -> dict[Goods, int]:
    """Return what open lists keep for their stores: what was picked, else what is to be."""
    units = sa.func.sum(sa.func.coalesce(PickLine.picked_qty, PickLine.qty))
    query = (
        sa.select(PickList.warehouse_id, PickLine.sku, units)
        .join(PickLine, PickLine.pick_id == PickList.id)
        .where(PickList.state.in_(OPEN), PickLine.source.in_(sources))
        .group_by(PickList.warehouse_id, PickLine.sku)
    )
    return {(house, sku): int(qty) for house, sku, qty in session.execute(query)}


def in_hand(session: Session, warehouse_id: str) -> dict[str, int]:
    """Return what was picked in a warehouse and has not left, by SKU."""
    query = (
        sa.select(PickLine.sku, sa.func.sum(PickLine.picked_qty))
        .join(PickList)
        .where(PickList.warehouse_id == warehouse_id, PickList.state.in_(OPEN), PickLine.picked_qty > 0)
        .group_by(PickLine.sku)
    )
    return {sku: int(qty or 0) for sku, qty in session.execute(query)}


def lots_kept(session: Session, warehouse_id: str, skus: Collection[str]) -> dict[tuple[str, str], int]:
    """Return what open lists keep of lots: (SKU, lot id or '') -> units."""
    query = sa.select(PickLine).join(PickList).where(PickLine.sku.in_(skus))
    kept: dict[tuple[str, str], int] = {}
    for line in session.scalars(query.where(PickList.warehouse_id == warehouse_id, PickList.state.in_(OPEN))):
        for lot_id, qty in line.lots_kept:
            kept[line.sku, lot_id] = kept.get((line.sku, lot_id), 0) + qty
    return kept


def lost(session: Session, warehouse_id: str, sku: str) -> int:
    """Return what of a product open lists are to write off."""
    query = sa.select(sa.func.sum(PickLine.lost_qty)).join(PickList)
    query = query.where(PickList.warehouse_id == warehouse_id, PickList.state.in_(OPEN), PickLine.sku == sku)
    return int(session.scalar(query) or 0)


def picked_for(session: Session, store_id: str, order_id: str, *, is_open: bool = False) -> list[PickLine]:
    """Return what was or is picked for an order, on lists that were not dropped or on open ones, the oldest first."""
    query = (
        sa.select(PickLine)
        .join(PickList)
        .where(PickLine.store_id == store_id, PickLine.source == "order", PickLine.source_id == order_id)
        .where(PickList.state.in_(OPEN) if is_open else PickList.state != "dropped")
        .order_by(PickList.id, PickLine.sku)
    )
    return list(session.scalars(query))


# --- parts of other verbs ---


def refuse_closed(found: PickList) -> None:
    """Raise Conflict when a list has left or was given up."""
    if found.state not in OPEN:
        raise Conflict(
            "pick-over", "Pick list %(no)s is %(state)s and can no longer be changed.", no=found.pick_no,
            state=found.state,
        )  # fmt: skip


def of_product(session: Session, found: PickList, sku: str) -> list[PickLine]:
    """Return a product's lines; NotFound when it is not on the list."""
    lines = [line for line in lines_of(session, found) if line.sku == sku]
    if not lines:
        raise NotFound("not-on-pick", "This product is not on the list.", sku=sku)
    return lines


def to_pick(session: Session, found: PickList, sku: str) -> list[PickLine]:
    """Return the lines of a product nobody has picked yet; Conflict with who was first."""
    refuse_closed(found)
    lines = of_product(session, found, sku)
    if lines[0].picked_qty is not None:
        name, who = lines[0].name, lines[0].picked_by
        raise Conflict(
            "already-picked", "%(who)s already picked %(name)s. Reload the list, or undo it to change it.",
            name=name, who=who,
        )  # fmt: skip
    return lines


def subject_of(pick: PickList) -> str:
    """Return how the journal names a list."""
    return f"pick:{pick.id}"

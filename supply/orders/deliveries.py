"""The delivery note: goods announced to a store, its lines, and the one pen that opens it.

`receiving` has the verbs a store uses and its rules 1 to 5; this file holds the tables.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound
from config.nodes.journal import Context, record
from config.states import StateTable
from pos.stock.batches import Lot
from supply.facts import Advised

STATES = StateTable(
    "delivery",
    "expected",
    {"expected": ["counting", "refused", "turned_back"], "counting": ["posted", "refused"]},
)
CLOSED = ("posted", "refused", "turned_back")
ON_ITS_WAY = ("expected", "counting")


class Delivery(Base):
    """Goods on their way or in the store. source: the order or push offer they answer."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "delivery"
    __table_args__ = (sa.Index("ix_delivery_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    order_id: Mapped[str | None]
    network_offer_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=STATES.first)
    expected_day: Mapped[dt.date]
    advised_at: Mapped[dt.datetime]
    posted_at: Mapped[dt.datetime | None]
    posted_by: Mapped[str | None]


class DeliveryLine(Base):
    """One product of a delivery, in stock units."""

    __tablename__ = "delivery_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "delivery_id"], ["delivery.store_id", "delivery.id"]),
        sa.CheckConstraint("counted_qty is null or counted_qty >= 0", name="counted_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    advised_qty: Mapped[int]
    counted_qty: Mapped[int | None]
    difference_why: Mapped[str] = mapped_column(default="")
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    """The last day its units may be sold, as the packs say; None: nobody wrote it down. Of several lots the first."""
    lots: Mapped[list[Any] | None]
    """[units, batch, last day] of each lot as advised, what ends first first; None: it is one."""
    promised_qty: Mapped[int | None]
    """What was promised, where the sender picked less; None: it comes as promised."""
    less_why: Mapped[str] = mapped_column(default="", server_default="")
    """Why less was picked (`pick_lists.REASONS`)."""

    def lots_of(self, qty: int) -> list[Lot]:
        """Return the lots of so many units of the line.

        Of several lots what is missing is of those that end last, and what is too much of the first: so that nothing
        is believed to keep longer than it may.
        """
        if not self.lots:
            return [Lot(self.sku, qty, self.batch, self.expires_on)]
        found, rest = [], qty
        for advised, batch, until in self.lots:
            found.append(Lot(self.sku, min(rest, advised), batch, dt.date.fromisoformat(until) if until else None))
            rest -= min(rest, advised)
        found[0] = replace(found[0], qty=found[0].qty + rest)
        return [lot for lot in found if lot.qty]


@dataclass(frozen=True)
class Advice:
    """What a supplier says that it brings, of an order or of an offer of the network's."""

    supplier_id: str
    lines: Sequence[Advised]
    expected_day: dt.date
    order_id: str | None = None
    network_offer_id: str | None = None


def expect(ctx: Context, store_id: str, delivery_id: str, advice: Advice) -> Delivery:
    """Write a supplier's advice down; the same delivery again is the one that is there."""
    delivery = ctx.session.get(Delivery, (store_id, delivery_id))
    if delivery is not None:
        return delivery
    delivery = Delivery(
        store_id=store_id,
        id=delivery_id,
        supplier_id=advice.supplier_id,
        order_id=advice.order_id,
        network_offer_id=advice.network_offer_id,
        state=STATES.first,
        expected_day=advice.expected_day,
        advised_at=ctx.at,
    )
    ctx.session.add(delivery)
    ctx.session.flush()
    rows = [
        DeliveryLine(
            store_id=store_id, delivery_id=delivery_id, sku=line.sku, name=line.name, pack_qty=line.pack_qty,
            advised_qty=line.qty, difference_why="", batch=line.batch,
            expires_on=dt.date.fromisoformat(line.expires_on) if line.expires_on else None,
            lots=[list(lot) for lot in line.lots] or sa.null(), promised_qty=line.promised_qty, less_why=line.less_why,
        )
        for line in advice.lines
    ]  # fmt: skip
    ctx.session.add_all(rows)
    subject, units = subject_of(delivery), sum(row.advised_qty for row in rows)
    record(ctx, verb="delivery.expected", subject=subject, lines=len(rows), units=units)
    ctx.session.flush()
    return delivery


def advise_again(ctx: Context, delivery: Delivery, lines: Mapping[str, Advised], expected_day: dt.date) -> None:
    """Let an expected delivery bring what its sender says now, by SKU; what it no longer names doesn't come with it."""
    before = {line.sku: line for line in lines_of(ctx.session, delivery)}
    for sku, line in before.items():
        now = lines[sku].qty if sku in lines else 0
        if now < line.advised_qty:
            line.promised_qty = line.advised_qty if line.promised_qty is None else line.promised_qty
        line.advised_qty = now
    ctx.session.add_all(
        DeliveryLine(store_id=delivery.store_id, delivery_id=delivery.id, sku=sku, name=line.name,
                     pack_qty=line.pack_qty, advised_qty=line.qty)
        for sku, line in lines.items() if sku not in before
    )  # fmt: skip
    delivery.expected_day = expected_day
    ctx.session.flush()
    units = sum(line.qty for line in lines.values())
    record(ctx, verb="delivery.advised", subject=subject_of(delivery), lines=len(lines), units=units)


def delivery_of(session: Session, store_id: str, delivery_id: str) -> Delivery:
    """Return a delivery of this store, locked; one of another store is not found here."""
    delivery: Delivery | None = session.scalar(
        lock_rows(session, sa.select(Delivery).where(Delivery.store_id == store_id, Delivery.id == delivery_id))
    )
    if delivery is None:
        raise NotFound(
            "unknown-delivery",
            "Delivery not found at this store. Check the delivery slip: it may be for another store.",
            delivery_id=delivery_id,
        )
    return delivery


def lines_of(session: Session, delivery: Delivery) -> list[DeliveryLine]:
    """Return a delivery's lines, by name."""
    query = sa.select(DeliveryLine).where(
        DeliveryLine.store_id == delivery.store_id, DeliveryLine.delivery_id == delivery.id
    )
    return list(session.scalars(query.order_by(DeliveryLine.name, DeliveryLine.sku)))


def subject_of(delivery: Delivery) -> str:
    """Return a delivery as the journal names it."""
    return f"delivery:{delivery.id}"

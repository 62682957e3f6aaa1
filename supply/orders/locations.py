"""Where a warehouse is, as its messages to suppliers say it, and whether its goods leave by pick lists alone.

Rules
-----
1. Every warehouse has one address and one telephone, or none yet; the last ones written hold.
2. A message keeps those of its day (`supplier_messages`).
3. From a warehouse that works by lists only what was picked leaves (`picking`); from any other everything that is due
   leaves by itself (`warehouse`), but on no day on which none of its vehicles goes.
4. Who shares out, lists or loads a warehouse's goods does so alone: what he reads stays true until he has written.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of
from config.errors import Invalid
from config.nodes.journal import Context, record
from pos.reports.slips import wall_time
from pos.store.store import Store, day_of, usual_currency
from supply.orders.suppliers import Supplier, require_warehouse

LONGEST = {"address": 200, "phone": 40}


class Premises(Base):
    """A warehouse's address and telephone, and how its goods leave."""

    __tablename__ = "premises"

    warehouse_id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    phone: Mapped[str]
    by_list: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Rule 3."""


def settle(ctx: Context, warehouse_id: str, *, address: str, phone: str) -> Premises:
    """Write a warehouse's address and telephone down (rule 1); an empty one is left out on messages."""
    require_warehouse(ctx.session, warehouse_id)
    reported = {"address": " ".join(address.split()), "phone": " ".join(phone.split())}
    for field, text in reported.items():
        if len(text) > LONGEST[field]:
            raise Invalid(
                "too-long", "That is too long. Use up to %(most)s characters.", field=field, most=LONGEST[field]
            )
    row = ctx.session.get(Premises, warehouse_id) or Premises(warehouse_id=warehouse_id, address="", phone="")
    if {"address": row.address, "phone": row.phone} != reported:
        row.address, row.phone = reported["address"], reported["phone"]
        ctx.session.add(row)
        record(ctx, verb="warehouse.settled", subject=f"warehouse:{warehouse_id}", **reported)
    ctx.session.flush()
    return row


def work_by_list(ctx: Context, warehouse_id: str, by_list: bool) -> None:
    """Settle whether a warehouse's goods leave by pick lists alone (rule 3)."""
    require_warehouse(ctx.session, warehouse_id)
    row = ctx.session.get(Premises, warehouse_id) or Premises(warehouse_id=warehouse_id, address="", phone="")
    if bool(row.by_list) != by_list:
        row.by_list = by_list
        ctx.session.add(row)
        ctx.session.flush()
        subject = f"warehouse:{warehouse_id}"
        record(ctx, verb="warehouse.by_list", subject=subject, by_list=by_list)


def alone(session: Session) -> None:
    """Wait until nobody else shares out, lists or loads goods, and keep others waiting (rule 4); ask before reading."""
    if dialect_of(session) != "sqlite":  # its writer is alone anyway
        houses = sa.select(Supplier.id).where(Supplier.warehouse_id.is_not(None)).order_by(Supplier.id)
        session.execute(houses.with_for_update(key_share=True)).all()


def by_list(session: Session) -> set[str]:
    """Return the warehouses whose goods leave by pick lists alone (rule 3)."""
    return set(session.scalars(sa.select(Premises.warehouse_id).where(Premises.by_list)))


def resting(session: Session, *, at: dt.datetime) -> set[str]:
    """Return the warehouses from which no vehicle goes today, by their own clock (rule 3)."""
    vehicles: dict[str, list[Supplier]] = {}
    for row in session.scalars(sa.select(Supplier).where(Supplier.warehouse_id.is_not(None))):
        vehicles.setdefault(str(row.warehouse_id), []).append(row)
    return {
        house
        for house, rows in vehicles.items()
        if all(day_of(session, house, at) in row.calendar.closed for row in rows)
    }


def head(ctx: Context, warehouse_id: str) -> dict[str, Any]:
    """Return a slip's head (`pos.reports.slips.head`) for a warehouse, under the name that stores know it by."""
    name = ctx.session.scalar(
        sa.select(Supplier.name).where(Supplier.warehouse_id == warehouse_id).order_by(Supplier.id).limit(1)
    )
    store = ctx.session.scalars(sa.select(Store).order_by(Store.id).limit(1)).one()
    house = premises(ctx.session).get(warehouse_id)
    sender = {
        "id": warehouse_id, "name": name or warehouse_id, "address": house.address if house else "",
        "phone": house.phone if house else "", "tz": store.tz, "currency": usual_currency(ctx.session),
        "language": store.language,
    }  # fmt: skip
    return {"store": sender, "local_time": wall_time(ctx.at, store.tz), "by": ctx.actor.name}


def premises(session: Session) -> dict[str, Premises]:
    """Return every warehouse's that is known."""
    return {row.warehouse_id: row for row in session.scalars(sa.select(Premises))}

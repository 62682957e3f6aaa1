"""What is in the shop: an append-only ledger of movements, its cached levels, and promises to customers.

Rules
-----
1. A movement takes qty > 0 of a product from one place to another for a reason; the outside world is places too,
   so goods are neither made nor lost (K4). Movements are never changed, only answered.
2. StockLevel is a cache beside the ledger, written in the same function and recomputed by K3.
3. The till may drive the floor below zero (the loaf is in the customer's hand); that opens a count task.
4. A reservation is held, then answered once by another row: fulfilled, released or expired (K5). Only what is
   available may be reserved.
5. on hand = backroom + floor + shelf + bin; available = on hand - held.
"""

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base


class Place(enum.StrEnum):
    """Where goods are; the second half is the outside world."""

    BACKROOM = "backroom"
    FLOOR = "floor"
    SHELF = "shelf"
    BIN = "bin"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    WASTE = "waste"
    UNEXPLAINED = "unexplained"
    DISPATCHED = "dispatched"
    """Left a network warehouse for a shop."""


INSIDE = (Place.BACKROOM, Place.FLOOR, Place.SHELF, Place.BIN)


class StockMovement(Base):
    """qty units from one place to another."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("from_place <> to_place", name="places_differ"),
        sa.Index("ix_stock_movement_source", "store_id", "source_kind", "source_id"),
        sa.Index("ix_stock_movement_sku", "store_id", "sku", "business_day"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str]
    qty: Mapped[int]
    from_place: Mapped[str]
    to_place: Mapped[str]
    reason: Mapped[str]
    """sold, returned, received, moved, counted, wasted, opening, dispatched …"""
    source_kind: Mapped[str]
    """sale, delivery, count, refill, order, opening …"""
    source_id: Mapped[str]
    business_day: Mapped[dt.date]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


class StockLevel(Base):
    """Units of a product in a place: the sum of its movements."""

    __tablename__ = "stock_level"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]


class Reservation(Base):
    """Units promised to a pickup order (kind 'held'), or the answer to such a promise (answers_id set)."""

    __tablename__ = "reservation"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("(kind = 'held') = (answers_id is null)", name="answer_names_promise"),
        sa.UniqueConstraint("store_id", "answers_id"),
        sa.Index("ix_reservation_order", "store_id", "order_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    sku: Mapped[str]
    qty: Mapped[int]
    kind: Mapped[str]
    """held | fulfilled | released | expired"""
    answers_id: Mapped[str | None]
    at: Mapped[dt.datetime]


class CountTask(Base):
    """A product whose record is doubtful and wants counting."""

    __tablename__ = "count_task"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    opened_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]

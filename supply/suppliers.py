"""Who we buy from, in what packs, at what cost, and on which days.

Rules
-----
1. A supplier belongs to the network ('*') or to one store. The network itself is a supplier of kind 'network'.
2. Orders are taken on the supplier's order days and arrive lead_time_days later.
3. A product comes in packs of pack_qty stock units at pack_cost_minor a pack.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.publication import EVERYONE


class Supplier(Base):
    """Somebody we order from."""

    __tablename__ = "supplier"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    """network | own"""
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    lead_time_days: Mapped[int]
    order_weekdays: Mapped[list[Any]]
    """Weekdays (0 = Monday) on which an order is taken."""
    minimum_minor: Mapped[int] = mapped_column(default=0)
    warehouse_id: Mapped[str | None]
    """A network supplier's warehouse: its stock is kept in the stock ledger under this id."""


class SupplierProduct(Base):
    """A product as one supplier sells it."""

    __tablename__ = "supplier_product"
    __table_args__ = (sa.CheckConstraint("pack_qty > 0", name="pack_qty_positive"),)

    supplier_id: Mapped[str] = mapped_column(sa.ForeignKey("supplier.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    minimum_packs: Mapped[int] = mapped_column(default=1)
    valid_from: Mapped[dt.date | None]

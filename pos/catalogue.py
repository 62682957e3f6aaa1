"""What can be sold: products, their barcodes, dated prices, tax classes, and which shop lists what.

Rules
-----
1. One SKU is one stock; many barcodes may lead to it, each with the stock units it stands for (a case of 12).
2. A price is minor units per price quantity (1 each, 1000 g), valid from a business day; a shop's own price goes
   before the network's ('*'), the newest valid day before older ones. Prices are never edited, only dated anew.
3. A shop sells what it lists; an unlisted or priceless product is refused with a sentence that says what to do.
4. Barcodes and SKUs are text, leading zeros kept. A GTIN (8, 12, 13 or 14 digits) must have its check digit right
   (GS1 General Specifications 7.9).
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.publication import EVERYONE


class TaxClass(Base):
    """Names a rate and whether shown prices include it."""

    __tablename__ = "tax_class"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    rate_bp: Mapped[int]
    inclusive: Mapped[bool]


class Product(Base):
    """A thing sold and stocked under one SKU. Quantities count in its stock unit."""

    __tablename__ = "product"
    __table_args__ = (
        sa.CheckConstraint("stock_unit in ('each', 'gram', 'millilitre')", name="stock_unit_known"),
        sa.CheckConstraint("price_quantity > 0", name="price_quantity_positive"),
    )

    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    brand: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(index=True)
    department: Mapped[str] = mapped_column(default="")
    pack_text: Mapped[str] = mapped_column(default="")
    """What one unit is, for people: '1 l', '12 oz'."""
    stock_unit: Mapped[str] = mapped_column(default="each")
    price_quantity: Mapped[int] = mapped_column(default=1)
    tax_class_id: Mapped[str] = mapped_column(sa.ForeignKey("tax_class.id"))
    minimum_age: Mapped[int | None]
    maximum_qty: Mapped[int | None]
    shelf_life_days: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(default="")
    """Lower-case name, brand, category, pinyin and pinyin initials: what the search looks in."""
    active: Mapped[bool] = mapped_column(default=True)
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    """'*' the network's catalogue, else the store whose own product it is."""


class Barcode(Base):
    """A scannable code and the stock units it stands for."""

    __tablename__ = "barcode"

    code: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), index=True)
    qty: Mapped[int] = mapped_column(default=1)


class Price(Base):
    """Minor units per price quantity from a business day on, for one store or for all ('*')."""

    __tablename__ = "price"
    __table_args__ = (sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),)

    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    scope_id: Mapped[str] = mapped_column(primary_key=True, default=EVERYONE)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    price_minor: Mapped[int]


class Listing(Base):
    """A product this store sells, with the shop's own wishes for it."""

    __tablename__ = "listing"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    active: Mapped[bool] = mapped_column(default=True)
    hold_back_qty: Mapped[int] = mapped_column(default=0)
    """Units kept from the online shop, because records are never quite right."""
    quick_key: Mapped[int | None]
    """Place on the till's touch grid; None: not on it."""

"""A photo of a product, as this store took it: kept with its books, shown wherever the product stands.

Rules
-----
1. One photo to a product and store; a new one takes the place of the old. It is this store's alone and does not travel.
2. It is kept as `pictures.square` made it. Its mark is its content's: a photo under its mark never changes.
"""

import hashlib

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue import till_edition
from pos.catalogue.catalogue import Product


class ProductPhoto(Base):
    """A store's photo of a product (rule 1)."""

    __tablename__ = "product_photo"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    mark: Mapped[str]
    webp: Mapped[bytes]


# --- verbs ---


def put(ctx: Context, store_id: str, sku: str, webp: bytes) -> ProductPhoto:
    """Keep a product's photo, as `pictures.square` made it; the same photo again changes nothing."""
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    mark = hashlib.sha256(webp).hexdigest()[:16]
    row = ctx.session.get(ProductPhoto, (store_id, sku))
    if row is not None and row.mark == mark:
        return row
    row = row or ProductPhoto(store_id=store_id, sku=sku)
    row.mark, row.webp = mark, webp
    ctx.session.add(row)
    _changed(ctx, store_id, sku, "product.photo put", mark)
    return row


def remove(ctx: Context, store_id: str, sku: str) -> None:
    """Take a product's photo away; without one nothing changes."""
    if (row := ctx.session.get(ProductPhoto, (store_id, sku))) is not None:
        ctx.session.delete(row)
        _changed(ctx, store_id, sku, "product.photo removed", row.mark)


# --- questions ---


def photo(session: Session, store_id: str, sku: str, mark: str) -> bytes:
    """Return a photo under its mark, or NotFound: it was replaced or removed."""
    row = session.get(ProductPhoto, (store_id, sku))
    if row is None or row.mark != mark:
        raise NotFound("not-found-here", "Picture not found.")
    return row.webp


def marks(session: Session, store_id: str) -> dict[str, str]:
    """Return the marks of a store's photos by SKU."""
    query = sa.select(ProductPhoto.sku, ProductPhoto.mark).where(ProductPhoto.store_id == store_id)
    return dict(session.execute(query).all())


# --- inside ---


def _changed(ctx: Context, store_id: str, sku: str, verb: str, mark: str) -> None:
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb=verb, subject=f"product:{sku}", mark=mark)

"""A photo of a product, as this store took it: kept with its books, shown wherever the product stands.

Rules
-----
1. One photo to a product and store; a new one takes the place of the old.
2. It is kept as `pictures.square` made it. Its mark is its content's: a photo under its mark never changes.
3. The network hears of it for the store's pages online, and the store has it back from there. The newest stands; of one
   that was removed its day alone is kept there, so that no older one comes back.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, applies, recovers
from config.nodes.journal import Context
from config.prepared import PreparedForSome
from pos.catalogue import till_edition
from pos.catalogue.catalogue import Product
from pos.store.pictures import TILE_BYTES
from pos.store.store import send_fact


class PhotoReported(Fact, topic="product.photo", said_by=STORE):
    """A product's photo. webp: base64; '' as its mark is: it has none any more."""

    store_id: str
    sku: str
    mark: str
    put_at: Instant
    webp: str


class ProductPhoto(Base):
    """A store's photo of a product (rule 1)."""

    __tablename__ = "product_photo"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str]
    """'': it was removed (rule 3)."""
    webp: Mapped[bytes]
    put_at: Mapped[dt.datetime]


# --- verbs ---


def put(ctx: Context, store_id: str, sku: str, webp: bytes) -> ProductPhoto:
    """Keep a product's photo, as `pictures.square` made it; the same photo again changes nothing."""
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    mark = _mark_of(webp)
    row = ctx.session.get(ProductPhoto, (store_id, sku))
    if row is not None and row.mark == mark:
        return row
    row = row or ProductPhoto(store_id=store_id, sku=sku)
    row.mark, row.webp, row.put_at = mark, webp, ctx.at
    ctx.session.add(row)
    _changed(ctx, store_id, sku, "product.photo put", mark, webp)
    return row


def remove(ctx: Context, store_id: str, sku: str) -> None:
    """Take a product's photo away; without one nothing changes."""
    if (row := ctx.session.get(ProductPhoto, (store_id, sku))) is not None:
        ctx.session.delete(row)
        _changed(ctx, store_id, sku, "product.photo removed", row.mark)


@applies(PhotoReported)
def take_reported(ctx: Context, fact: PhotoReported) -> None:
    """Take over a store's photo of a product, or that it has none (rule 3)."""
    webp = base64.b64decode(fact.webp)
    is_photo = webp[:4] == b"RIFF" and webp[8:12] == b"WEBP" and len(webp) <= TILE_BYTES
    if fact.mark != _mark_of(webp) or (webp and not is_photo):
        raise Invalid("bad-photo", "This picture differs from what the store announced.", id=fact.mark)
    row = ctx.session.get(ProductPhoto, (fact.store_id, fact.sku))
    if row is None or (row.put_at, row.mark) < (fact.put_at, fact.mark):
        new = ProductPhoto(store_id=fact.store_id, sku=fact.sku, mark=fact.mark, webp=webp, put_at=fact.put_at)
        ctx.session.merge(new)
        ctx.session.flush()


@recovers(PhotoReported)
def write_again(ctx: Context, fact: PhotoReported) -> None:
    """Write a photo again into books put back from an older copy."""
    take_reported(ctx, fact)
    till_edition.begin(ctx.session, fact.store_id)


# --- questions ---


def photo(session: Session, store_id: str, sku: str, mark: str) -> bytes:
    """Return a photo under its mark, or NotFound: it was replaced or removed."""
    row = session.get(ProductPhoto, (store_id, sku))
    if row is None or row.mark != mark or not mark:
        raise NotFound("not-found-here", "Picture not found.")
    return row.webp


def marks(session: Session, store_id: str, skus: Collection[str] | None = None) -> dict[str, str]:
    """Return the marks of a store's photos by SKU; skus: of these products alone."""
    if skus is not None:
        return dict(_OF_SOME.all(session, {"store": store_id}, list(skus)))
    return dict(session.execute(_MARKS.where(ProductPhoto.store_id == store_id)).all())


# --- inside ---

_MARKS = sa.select(ProductPhoto.sku, ProductPhoto.mark).where(ProductPhoto.mark != "")
_OF_SOME = PreparedForSome(
    lambda some: _MARKS.where(ProductPhoto.store_id == sa.bindparam("store"), ProductPhoto.sku.in_(some))
)


def _mark_of(webp: bytes) -> str:
    return hashlib.sha256(webp).hexdigest()[:16] if webp else ""


def _changed(ctx: Context, store_id: str, sku: str, verb: str, mark: str, webp: bytes = b"") -> None:
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb=verb, subject=f"product:{sku}", mark=mark)
    fact = PhotoReported(store_id, sku, _mark_of(webp), ctx.at, base64.b64encode(webp).decode("ascii"))
    send_fact(ctx.session, fact, subject=f"product:{sku}", at=ctx.at)

"""The story of a producer's goods, as customers of the online store read it: words and pictures, told to the network.

Rules
-----
1. The store writes it; the network shows it beside the product. The product itself, the store's own, comes along: so it
   can be ordered online, stand on the shelf and be bought in groups like any other.
2. A picture is read by its content, made smaller than SIDE and written again (`pictures.small`): what a camera hid
   in it does not travel. Three at most. It is sent once, by itself; the story names its pictures.
3. Of a producer only the name, what they are and where they are from travel; no phone, no account, no commission.
4. The newest edition stands; an older one changes nothing.
5. The store's tax class comes along and is kept under the store's name: what one store says of tax is no other store's.
"""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc
from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.money import BASIS
from config.nodes import door
from config.nodes.facts import STORE, Count, Day, Fact, Flag, Instant, applies
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product, TaxClass, own_tax_class_id
from pos.producers.producers import ProducerProduct, producer_of
from pos.stock.producer_lots import ProducerLot
from pos.store.pictures import KEPT_BYTES
from pos.store.store import send_fact

MOST_PICTURES, SIDE = 3, 900
_PRODUCT = (
    "sku", "name", "brand", "category", "department", "pack_text", "stock_unit", "price_quantity", "tax_class_id",
    "minimum_age", "maximum_qty", "shelf_life_days", "search_text", "active", "kind", "price_typed",
    "names",
)  # fmt: skip


@dataclass(frozen=True)
class ReportedTax:
    """A tax class of a store's own."""

    id: str
    name: Annotated[str, Field(min_length=1, max_length=60)]
    rate_bp: Annotated[int, Field(strict=True, ge=0, le=BASIS)]
    inclusive: Flag


class StoryReported(Fact, topic="produce.reported", said_by=STORE):
    """A product of a store's own with its story; the highest edition stands."""

    store_id: str
    edition: Count
    product: dict[str, Any]
    tax_class: ReportedTax
    producer: str
    kind: str
    place: str
    story: str
    lot_code: str
    harvested_on: Day | None
    pictures: list[str]


class PictureSent(Fact, topic="produce.picture", said_by=STORE):
    """A picture of a story. jpeg: base64; id: the beginning of its hash."""

    store_id: str
    sku: str
    id: str
    put_at: Instant
    jpeg: str


class ProducerPicture(Base):
    """A picture of a product's story, as JPEG; on both nodes."""

    __tablename__ = "producer_picture"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The first letters of its SHA-256: the same picture is one."""
    jpeg: Mapped[bytes]
    put_at: Mapped[dt.datetime]


class ReportedStory(Base):
    """At the network: the story of a product of a store's own."""

    __tablename__ = "reported_story"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[int]
    producer: Mapped[str]
    kind: Mapped[str]
    place: Mapped[str]
    story: Mapped[str]
    lot_code: Mapped[str]
    """The newest lot."""
    harvested_on: Mapped[dt.date | None]
    pictures: Mapped[list[Any]]


@dataclass(frozen=True)
class Story:
    """What a customer reads beside a product. pictures: their ids."""

    producer: str
    kind: str
    place: str
    story: str
    lot_code: str
    harvested_on: dt.date | None
    pictures: tuple[str, ...]


# --- verbs, store ---


def add_picture(session: Session, store_id: str, sku: str, jpeg: bytes, *, at: dt.datetime) -> ProducerPicture:
    """Keep a picture of a product's story, made small before, and send it (rule 2); the same picture again is one."""
    if session.get(ProducerProduct, (store_id, sku)) is None:
        raise NotFound("not-produce", "This product is not from a local producer.", sku=sku)
    name = _name_of(jpeg)
    known = session.get(ProducerPicture, (store_id, sku, name))
    if known is not None:
        return known
    if len(pictures_of(session, store_id, sku)) >= MOST_PICTURES:
        raise Refused("enough-pictures", "You can have up to three pictures. Remove one first.", most=MOST_PICTURES)
    row = ProducerPicture(store_id=store_id, sku=sku, id=name, jpeg=jpeg, put_at=at)
    session.add(row)
    session.flush()
    fact = PictureSent(store_id, sku, name, at, base64.b64encode(jpeg).decode("ascii"))
    send_fact(session, fact, subject=f"product:{sku}", at=at)
    return row


def take_out_picture(session: Session, store_id: str, sku: str, id: str) -> None:
    """Take a picture out of the story."""
    row = session.get(ProducerPicture, (store_id, sku, id))
    if row is not None:
        session.delete(row)
        session.flush()


def send(session: Session, store_id: str, sku: str, *, at: dt.datetime) -> None:
    """Tell the network the story of a product as it is now (rules 1, 3)."""
    goods, product = session.get_one(ProducerProduct, (store_id, sku)), session.get_one(Product, sku)
    producer = producer_of(session, store_id, goods.producer_id)
    newest = session.scalars(
        sa.select(ProducerLot)
        .where(ProducerLot.store_id == store_id, ProducerLot.sku == sku)
        .order_by(ProducerLot.came_at.desc())
        .limit(1)
    ).first()
    tax = session.get_one(TaxClass, product.tax_class_id)
    fact = StoryReported(
        store_id=store_id, edition=int(as_utc(at).timestamp() * 1000),
        product={name: getattr(product, name) for name in _PRODUCT},
        tax_class=ReportedTax(tax.id, tax.name, tax.rate_bp, tax.inclusive),
        producer=producer.name, kind=producer.kind, place=producer.place, story=goods.story,
        lot_code=newest.code if newest else "", harvested_on=newest.harvested_on if newest else None,
        pictures=[row.id for row in pictures_of(session, store_id, sku)],
    )  # fmt: skip
    send_fact(session, fact, subject=f"product:{sku}", at=at)


def send_taxed(session: Session, store_id: str, tax_class_id: str, *, at: dt.datetime) -> None:
    """Tell the network that a tax class is another one now, with every product that has it (rule 5)."""
    goods = sa.select(ProducerProduct.sku).join(Product, Product.sku == ProducerProduct.sku)
    goods = goods.where(ProducerProduct.store_id == store_id, Product.tax_class_id == tax_class_id)
    for sku in session.scalars(goods.order_by(ProducerProduct.sku)).all():
        send(session, store_id, sku, at=at)


# --- verbs, network ---


@applies(StoryReported)
def take_reported(ctx: Context, fact: StoryReported) -> None:
    """Take over a store's own product with its story (rules 1, 4)."""
    store_id, sku = fact.store_id, str(fact.product["sku"])
    reported_at = dt.datetime.fromtimestamp(fact.edition / 1000, dt.UTC)
    door.moment(reported_at, "edition", ctx.at)
    known = ctx.session.get(ReportedStory, (store_id, sku))
    if known is not None and known.edition >= fact.edition:
        return
    product = ctx.session.get(Product, sku)
    if product is not None and product.owner_id != store_id:
        raise Refused(
            "not-yours-to-say", "%(sku)s is not one of %(store_id)s's own products.", store_id=store_id, sku=sku
        )
    tax_class_id = _take_tax_class(ctx.session, store_id, fact.tax_class)
    ctx.session.merge(Product(**fact.product | {"tax_class_id": tax_class_id}, owner_id=store_id))
    story = {name: value for name, value in vars(fact).items() if name not in ("product", "tax_class")}
    ctx.session.merge(ReportedStory(sku=sku, **story))
    for row in pictures_of(ctx.session, store_id, sku):
        if row.id not in fact.pictures and row.put_at <= reported_at:
            ctx.session.delete(row)
    ctx.session.flush()


@applies(PictureSent)
def take_picture(ctx: Context, fact: PictureSent) -> None:
    """Keep a picture of a store's story (rule 2), which may come before the story that names it."""
    key, jpeg = (fact.store_id, fact.sku, fact.id), base64.b64decode(fact.jpeg)
    if len(jpeg) > KEPT_BYTES or not jpeg.startswith(b"\xff\xd8") or _name_of(jpeg) != key[2]:
        raise Invalid("bad-photo", "This picture differs from what the store announced.", id=key[2])
    if ctx.session.get(ProducerPicture, key) is None:
        ctx.session.add(ProducerPicture(store_id=key[0], sku=key[1], id=key[2], jpeg=jpeg, put_at=fact.put_at))
        ctx.session.flush()


# --- questions ---


def pictures_of(session: Session, store_id: str, sku: str) -> list[ProducerPicture]:
    """Return the pictures of a product's story, the first one first."""
    query = sa.select(ProducerPicture).where(ProducerPicture.store_id == store_id, ProducerPicture.sku == sku)
    return list(session.scalars(query.order_by(ProducerPicture.put_at, ProducerPicture.id)))


def story_of(session: Session, store_id: str, sku: str) -> Story | None:
    """Return what a customer reads beside a product, at the network, with the pictures that are here.

    None where it is no producer's.
    """
    row = session.get(ReportedStory, (store_id, sku))
    if row is None:
        return None
    query = sa.select(ProducerPicture.id).where(ProducerPicture.store_id == store_id, ProducerPicture.sku == sku)
    here = set(session.scalars(query))
    pictures = tuple(one for one in map(str, row.pictures) if one in here)
    return Story(row.producer, row.kind, row.place, row.story, row.lot_code, row.harvested_on, pictures)


# --- inside ---


def _name_of(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()[:24]


def _take_tax_class(session: Session, store_id: str, said: ReportedTax) -> str:
    """Keep a store's tax class under the store's name, as it is now (rule 5); returns its id here."""
    kept_id = own_tax_class_id(store_id, said.id)
    session.merge(TaxClass(**vars(said) | {"id": kept_id}, owner_id=store_id))
    session.flush()
    return kept_id

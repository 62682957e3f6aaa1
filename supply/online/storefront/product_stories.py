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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc
from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.money import BASIS
from config.nodes import outbox
from config.nodes.inbox import refuse_newer, refuse_stranger
from config.nodes.outbox import Message
from pos.catalogue.catalogue import Product, TaxClass, own_tax_class_id
from pos.producers.producers import ProducerProduct, producer_of
from pos.stock.producer_lots import ProducerLot
from pos.store.pictures import KEPT_BYTES
from pos.store.store import day_of

MOST_PICTURES, SIDE = 3, 900
STORY_REPORTED, PICTURE_SENT = "produce.reported", "produce.picture"
VERSION = 1
_PRODUCT = (
    "sku", "name", "brand", "category", "department", "pack_text", "stock_unit", "price_quantity", "tax_class_id",
    "minimum_age", "maximum_qty", "shelf_life_days", "search_text", "active", "kind", "price_typed",
)  # fmt: skip


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
        raise NotFound("not-produce", "This product is not sold for a producer.", sku=sku)
    name = _name_of(jpeg)
    known = session.get(ProducerPicture, (store_id, sku, name))
    if known is not None:
        return known
    if len(pictures_of(session, store_id, sku)) >= MOST_PICTURES:
        raise Refused("enough-pictures", "Three pictures at most. Take one out first.", most=MOST_PICTURES)
    row = ProducerPicture(store_id=store_id, sku=sku, id=name, jpeg=jpeg, put_at=at)
    session.add(row)
    session.flush()
    body = {
        "store_id": store_id, "sku": sku, "id": name, "put_at": as_utc(at).isoformat(),
        "jpeg": base64.b64encode(jpeg).decode("ascii"),
    }  # fmt: skip
    _send(session, store_id, sku, PICTURE_SENT, body, at)
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
    body = {
        "store_id": store_id, "edition": int(as_utc(at).timestamp() * 1000),
        "product": {name: getattr(product, name) for name in _PRODUCT},
        "tax_class": {"id": tax.id, "name": tax.name, "rate_bp": tax.rate_bp, "inclusive": tax.inclusive},
        "producer": producer.name, "kind": producer.kind, "place": producer.place, "story": goods.story,
        "lot_code": newest.code if newest else "",
        "harvested_on": newest.harvested_on.isoformat() if newest and newest.harvested_on else None,
        "pictures": [row.id for row in pictures_of(session, store_id, sku)],
    }  # fmt: skip
    _send(session, store_id, sku, STORY_REPORTED, body, at)


def send_taxed(session: Session, store_id: str, tax_class_id: str, *, at: dt.datetime) -> None:
    """Tell the network that a tax class is another one now, with every product that has it (rule 5)."""
    goods = sa.select(ProducerProduct.sku).join(Product, Product.sku == ProducerProduct.sku)
    goods = goods.where(ProducerProduct.store_id == store_id, Product.tax_class_id == tax_class_id)
    for sku in session.scalars(goods.order_by(ProducerProduct.sku)).all():
        send(session, store_id, sku, at=at)


# --- verbs, network ---


def take_reported(session: Session, body: dict[str, Any]) -> None:
    """Take over a store's own product with its story (rules 1, 4)."""
    store_id, sku = str(body["store_id"]), str(body["product"]["sku"])
    known = session.get(ReportedStory, (store_id, sku))
    if known is not None and known.edition >= body["edition"]:
        return
    product = session.get(Product, sku)
    if product is not None and product.owner_id != store_id:
        raise Refused("not-yours-to-say", "%(sku)s is no product of %(store_id)s's own.", store_id=store_id, sku=sku)
    tax_class_id = _take_tax_class(session, store_id, body["tax_class"])
    session.merge(Product(**body["product"] | {"tax_class_id": tax_class_id}, owner_id=store_id))
    names = ("producer", "kind", "place", "story", "lot_code", "edition")
    harvested = dt.date.fromisoformat(body["harvested_on"]) if body["harvested_on"] else None
    session.merge(
        ReportedStory(
            store_id=store_id, sku=sku, harvested_on=harvested, pictures=body["pictures"],
            **{name: body[name] for name in names},
        )
    )  # fmt: skip
    reported_at = dt.datetime.fromtimestamp(body["edition"] / 1000, dt.UTC)
    for row in pictures_of(session, store_id, sku):
        if row.id not in body["pictures"] and row.put_at <= reported_at:
            session.delete(row)
    session.flush()


def take_picture(session: Session, body: dict[str, Any]) -> None:
    """Keep a picture of a store's story (rule 2), which may come before the story that names it."""
    key, jpeg = (str(body["store_id"]), str(body["sku"]), str(body["id"])), base64.b64decode(body["jpeg"])
    if len(jpeg) > KEPT_BYTES or not jpeg.startswith(b"\xff\xd8") or _name_of(jpeg) != key[2]:
        raise Invalid("bad-photo", "This picture is not what the store says it is.", id=key[2])
    if session.get(ProducerPicture, key) is None:
        put_at = as_utc(dt.datetime.fromisoformat(body["put_at"]))
        session.add(ProducerPicture(store_id=key[0], sku=key[1], id=key[2], jpeg=jpeg, put_at=put_at))
        session.flush()


def _take(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    refuse_newer(message.topic, message.version, VERSION)
    refuse_stranger(from_node, message.body["store_id"])
    (take_reported if message.topic == STORY_REPORTED else take_picture)(session, message.body)


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {STORY_REPORTED: _take, PICTURE_SENT: _take}


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


def _send(session: Session, store_id: str, sku: str, topic: str, body: dict[str, Any], at: dt.datetime) -> None:
    outbox.append(
        session, to_node=NETWORK, topic=topic, version=VERSION, body=body, id=new_id(), subject=f"product:{sku}",
        business_day=day_of(session, store_id, at), at=at,
    )  # fmt: skip


def _take_tax_class(session: Session, store_id: str, said: dict[str, Any]) -> str:
    """Keep a store's tax class under the store's name, as it is now (rule 5); returns its id here."""
    rate_bp, name = said["rate_bp"], str(said["name"])
    if type(rate_bp) is not int or not 0 <= rate_bp <= BASIS or not 0 < len(name) <= 60:
        raise Invalid(
            "bad-rate", "%(sender)s says a tax of %(rate_bp)s; a rate is 0 to %(basis)s.", rate_bp=rate_bp, basis=BASIS,
            sender=store_id,
        )  # fmt: skip
    kept_id = own_tax_class_id(store_id, str(said["id"]))
    inclusive = said["inclusive"] is True
    session.merge(TaxClass(id=kept_id, name=name, rate_bp=rate_bp, inclusive=inclusive, owner_id=store_id))
    session.flush()
    return kept_id

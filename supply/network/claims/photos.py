"""Photos of what is wrong with a delivery: made small and harmless when they are taken, and sent in pieces.

Rules
-----
1. A claim has at most MOST_PHOTOS, each as `pictures.small` makes it, of at most SIDE dots a side.
2. It leaves in pieces that fit into a message, each once, in any order; the receiver puts them together and believes
   them only if they are what the sender says they are.
3. Only the store it belongs to and the operator are shown it.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.ids import new_id
from config.nodes import facts
from config.nodes.facts import STORE, Count, Fact, applies
from config.nodes.journal import Context
from config.nodes.node import this_node
from pos.store import pictures
from pos.store.store import day_of

MOST_PHOTOS, SIDE = 3, 1600
PIECE_BYTES = 150_000
MOST_PIECES = pictures.KEPT_BYTES * 3 // PIECE_BYTES + 1


class PhotoPiece(Fact, topic="claim.photo", said_by=STORE):
    """A piece of a photo of a claim. data: base64."""

    store_id: str
    id: str
    claim_id: str
    n: Count
    sha256: str
    pieces: Annotated[int, Field(strict=True, ge=1, le=MOST_PIECES)]
    piece: Count
    data: str


class ClaimPhoto(Base):
    """One photo of a claim. data: None while pieces of it are still on their way."""

    __tablename__ = "claim_photo"
    __table_args__ = (sa.Index("ix_claim_photo_claim", "store_id", "claim_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    claim_id: Mapped[str]
    n: Mapped[int]
    sha256: Mapped[str]
    pieces: Mapped[int]
    data: Mapped[bytes | None]


class ClaimPhotoPiece(Base):
    """A piece of a photo that is not whole yet."""

    __tablename__ = "claim_photo_piece"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    photo_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]


# --- verbs ---


def keep(session: Session, store_id: str, claim_id: str, photos: Sequence[bytes]) -> bool:
    """Keep a claim's photos, as `pictures.small` made them; a second time adds nothing, and says so."""
    known = sa.select(sa.func.count()).where(ClaimPhoto.store_id == store_id, ClaimPhoto.claim_id == claim_id)
    if session.scalar(known):
        return False
    for n, data in enumerate(photos[:MOST_PHOTOS]):
        pieces = [data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES)]
        photo = ClaimPhoto(
            store_id=store_id, id=new_id(), claim_id=claim_id, n=n, sha256=hashlib.sha256(data).hexdigest(),
            pieces=len(pieces), data=data,
        )  # fmt: skip
        session.add(photo)
        session.flush()
    return bool(photos)


def send(session: Session, store_id: str, claim_id: str, *, at: dt.datetime) -> None:
    """Send a claim's photos to the network, in pieces (rule 2)."""
    if this_node(session).id != store_id:
        return
    day = day_of(session, store_id, at)
    for photo in photos_of(session, store_id, claim_id):
        data = photo.data or b""
        for n in range(photo.pieces):
            piece = data[n * PIECE_BYTES : (n + 1) * PIECE_BYTES]
            fact = PhotoPiece.of_row(photo, piece=n, data=base64.b64encode(piece).decode("ascii"))
            facts.send(session, fact, id=f"{photo.id}-{n}", subject=f"claim:{claim_id}", day=day, at=at)


@applies(PhotoPiece)
def take_piece(ctx: Context, fact: PhotoPiece) -> None:
    """Keep a piece, and put the photo together once all are here (rule 2); a second copy changes nothing."""
    store_id, photo_id = fact.store_id, fact.id
    if fact.piece >= fact.pieces:
        raise Invalid("bad-photo", "The parts of this photo do not fit together.", id=photo_id)
    photo = ctx.session.get(ClaimPhoto, (store_id, photo_id))
    if photo is None:
        photo = ClaimPhoto(
            store_id=store_id, id=photo_id, claim_id=fact.claim_id, n=fact.n, sha256=fact.sha256, pieces=fact.pieces,
            data=None,
        )  # fmt: skip
        ctx.session.add(photo)
        ctx.session.flush()
    key = (store_id, photo_id, fact.piece)
    if photo.data is not None or ctx.session.get(ClaimPhotoPiece, key) is not None:
        return
    data = base64.b64decode(fact.data)
    ctx.session.add(ClaimPhotoPiece(store_id=store_id, photo_id=photo_id, n=key[2], data=data))
    ctx.session.flush()
    query = sa.select(ClaimPhotoPiece).where(ClaimPhotoPiece.store_id == store_id, ClaimPhotoPiece.photo_id == photo_id)
    here = list(ctx.session.scalars(query.order_by(ClaimPhotoPiece.n)))
    if len(here) < photo.pieces:
        return
    whole = b"".join(piece.data for piece in here)
    if hashlib.sha256(whole).hexdigest() != photo.sha256:
        raise Invalid("bad-photo", "The parts of this photo differ from what the store sent.", id=photo_id)
    photo.data = whole
    for piece in here:
        ctx.session.delete(piece)
    ctx.session.flush()


# --- questions ---


def photos_of(session: Session, store_id: str, claim_id: str) -> list[ClaimPhoto]:
    """Return a claim's photos in their order, those that are here."""
    query = sa.select(ClaimPhoto).where(ClaimPhoto.store_id == store_id, ClaimPhoto.claim_id == claim_id)
    return list(session.scalars(query.order_by(ClaimPhoto.n)))


def first_photo(session: Session, store_id: str, claim_id: str) -> str:
    """Return the id of a claim's first photo that is here, '' for none."""
    query = sa.select(ClaimPhoto.id).where(
        ClaimPhoto.store_id == store_id, ClaimPhoto.claim_id == claim_id, ClaimPhoto.data.is_not(None)
    )
    return session.scalar(query.order_by(ClaimPhoto.n).limit(1)) or ""


def photo_of(session: Session, store_id: str, photo_id: str) -> bytes:
    """Return a photo; NotFound while it is not here, or another store's (rule 3)."""
    found = session.get(ClaimPhoto, (store_id, photo_id))
    if found is None or found.data is None:
        raise NotFound("no-such-photo", "This photo has not arrived yet.", photo_id=photo_id)
    return found.data

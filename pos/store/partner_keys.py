"""Keys by which a partner's program reads a store and writes to it, within scopes and until a day.

Rules
-----
1. A key is 256 random bits, shown once; only its SHA-256 is kept. It opens what its scopes name and nothing else.
2. It ends by itself at its expiry, at the latest after a year, and at once when it is revoked. Its row stays: whoever
   asks with it is told which of both it was.
3. What a partner's program does is journalled under the key's name.
4. The answer to what a key wrote is kept with the name the program gave its request, so that a request sent again does
   nothing twice.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Actor, Context, record

PREFIX = "csk_"
READ = ("products:read", "prices:read", "stock:read", "sales:read", "orders:read", "deliveries:read", "customers:read")
WRITE = ("products:write", "prices:write", "orders:write", "deliveries:write")
SCOPES = READ + WRITE
"""What a key may open, in the order of the page."""
LASTS_DAYS = (30, 90, 365)
NOTED_EVERY = dt.timedelta(minutes=10)
LONGEST_NAME, LONGEST_REQUEST = 60, 80
KEEP = dt.timedelta(days=30)
"""How long a request is known by its name."""


class PartnerKey(Base):
    """A partner's key to a store's interface."""

    __tablename__ = "partner_key"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    scopes: Mapped[list[Any]]
    key_sha256: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    used_at: Mapped[dt.datetime | None]
    """When it was last used, to NOTED_EVERY."""

    @property
    def actor(self) -> Actor:
        """Return who acts by it."""
        return Actor(id=f"partner:{self.id}", name=self.name, role="partner", node=self.store_id)


class PartnerRequest(Base):
    """A request that wrote something, by the name its program gave it, with its answer."""

    __tablename__ = "partner_request"
    __table_args__ = (sa.Index("ix_partner_request_at", "at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    asked: Mapped[str]
    """The SHA-256 of what was asked."""
    answer: Mapped[str]
    at: Mapped[dt.datetime]


# --- verbs ---


def make(ctx: Context, store_id: str, id: str, name: str, scopes: Collection[str], days: int) -> str:
    """Make a key and return it, this once (rule 1). id: the command's."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("bad-name", "Enter the partner’s name.", field="name")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid("no-scope", "Choose what the key may open.", field="scope")
    if days not in LASTS_DAYS:
        raise Invalid("bad-expiry", "Choose when the key expires.", field="days")
    if ctx.session.get(PartnerKey, (store_id, id)) is not None:
        raise Conflict("key-made", "This key was created already and is shown only once. Revoke it and create another.")
    key, kept = PREFIX + secrets.token_urlsafe(32), [scope for scope in SCOPES if scope in scopes]
    until = ctx.at + dt.timedelta(days=days)
    row = PartnerKey(store_id=store_id, id=id, name=name.strip(), scopes=kept, key_sha256=_hash(key), made_at=ctx.at,
                     expires_at=until)  # fmt: skip
    ctx.session.add(row)
    record(ctx, verb="partner key.created", subject=_subject(id), name=row.name, scopes=kept, until=until)
    return key


def revoke(ctx: Context, store_id: str, id: str) -> None:
    """Make a key useless from now on (rule 2)."""
    row = ctx.session.get(PartnerKey, (store_id, id))
    if row is None:
        raise NotFound("no-key", "Key not found. Reload the page.")
    if row.revoked_at is None:
        row.revoked_at = ctx.at
        record(ctx, verb="partner key.revoked", subject=_subject(id), name=row.name)


def note_used(session: Session, key: PartnerKey, *, at: dt.datetime) -> None:
    """Remember that a key is in use."""
    session.get_one(PartnerKey, (key.store_id, key.id)).used_at = at


def keep_answer(ctx: Context, key: PartnerKey, name: str, asked: str, answer: str) -> None:
    """Keep the answer to a request (rule 4)."""
    row = PartnerRequest(store_id=key.store_id, key_id=key.id, name=name, asked=asked, answer=answer, at=ctx.at)
    ctx.session.add(row)


def forget(session: Session, *, at: dt.datetime) -> None:
    """Forget the answers that no program asks for again."""
    session.execute(sa.delete(PartnerRequest).where(PartnerRequest.at <= at - KEEP))


# --- questions ---


def answer_of(session: Session, key: PartnerKey, name: str, asked: str) -> str | None:
    """Return the answer kept for a request; None for a new one. A name used for something else is refused."""
    row = session.get(PartnerRequest, (key.store_id, key.id, name))
    if row is not None and row.asked != asked:
        raise Invalid(
            "idempotency-key-reused", "This Idempotency-Key was used for another request. Send a new one.", name=name
        )
    return row.answer if row is not None else None


def keys_of(session: Session, store_id: str) -> list[PartnerKey]:
    """Return a store's keys, the newest first."""
    query = sa.select(PartnerKey).where(PartnerKey.store_id == store_id)
    return list(session.scalars(query.order_by(PartnerKey.made_at.desc(), PartnerKey.id)))


def opens(session: Session, store_id: str, scope: str, *, at: dt.datetime) -> bool:
    """Tell whether a key that holds opens a scope."""
    keys = keys_of(session, store_id)
    return any(scope in key.scopes and key.revoked_at is None and at < key.expires_at for key in keys)


def known(session: Session, store_id: str, key: str) -> PartnerKey | None:
    """Return the row of a key, whether or not it still opens anything; None for one that never was."""
    query = sa.select(PartnerKey).where(PartnerKey.store_id == store_id, PartnerKey.key_sha256 == _hash(key))
    return session.scalar(query)


def refuse(key: PartnerKey, scope: str, *, at: dt.datetime) -> None:
    """Refuse a key that has ended, or that does not open this (rules 1, 2)."""
    if key.revoked_at is not None:
        raise Refused("key-revoked", "The key “%(name)s” was revoked. Ask the store for a new one.", name=key.name)
    if key.expires_at <= at:
        raise Refused("key-expired", "The key “%(name)s” has expired. Ask the store for a new one.", name=key.name)
    if scope not in key.scopes:
        raise Refused(
            "key-lacks-scope", "The key “%(name)s” lacks the scope %(scope)s. Ask the store for a key that has it.",
            name=key.name, scope=scope,
        )  # fmt: skip


def is_noted(key: PartnerKey, *, at: dt.datetime) -> bool:
    """Tell whether it is remembered already that the key was used just now."""
    return key.used_at is not None and at - key.used_at < NOTED_EVERY


# --- inside ---


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _subject(id: str) -> str:
    return f"partner:{id}"

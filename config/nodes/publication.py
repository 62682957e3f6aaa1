"""What the network publishes and a store pulls: whole, versioned, and switched in one step.

Rules
-----
1. A publication is a kind (catalogue, demand, forecast …) for a scope (a region, a store, or `*`), with a rising
   version and the SHA-256 of its body; publishing the same body again changes nothing.
2. A pull is atomic and monotonic (I19): the store checks the hash, refuses a lower version, writes the effect and
   notes the version in one transaction; a broken pull leaves the old one.
3. What was refused is kept with its reason until an edition of the kind is taken over, and shown.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from config.database import Base
from config.errors import Conflict, DomainError, Invalid, Refused, kept
from config.nodes.journal import Context, canonical, record

EVERYONE = "*"
NEEDS_LEAVE = ("edition-price-jump",)
"""Refusals of an edition that may be meant: the shopkeeper decides."""


class Publication(Base):
    """The network's present edition of one kind for one scope."""

    __tablename__ = "publication"

    kind: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    sha256: Mapped[str]
    made_at: Mapped[dt.datetime]
    body: Mapped[str]


class Pulled(Base):
    """The edition a store has taken over."""

    __tablename__ = "pulled"

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    sha256: Mapped[str]
    made_at: Mapped[dt.datetime]
    pulled_at: Mapped[dt.datetime]


class RefusedEdition(Base):
    """The edition of a kind that a store did not take over, until it takes over one: shown to the shopkeeper."""

    __tablename__ = "refused_edition"

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    sha256: Mapped[str]
    code: Mapped[str]
    reported: Mapped[str]
    facts: Mapped[dict[str, Any]]
    """What the sentence is made of."""
    refused_at: Mapped[dt.datetime]
    allowed_at: Mapped[dt.datetime | None]
    """When the shopkeeper gave leave for this very edition."""

    def as_refusal(self) -> Invalid:
        """Return its sentence and facts."""
        return Invalid(self.code, self.reported, **self.facts)


def publish(session: Session, kind: str, scope_id: str, body: dict[str, Any], *, at: dt.datetime) -> Publication:
    """Make `body` the present edition; the version rises only when the body changed."""
    text = canonical(body)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    edition = session.get(Publication, (kind, scope_id))
    if edition is None:
        edition = Publication(kind=kind, scope_id=scope_id, version=1, sha256=sha256, made_at=at, body=text)
        session.add(edition)
    elif edition.sha256 != sha256:
        edition.version += 1
        edition.sha256, edition.made_at, edition.body = sha256, at, text
    return edition


def listed(session: Session, kinds: Sequence[str], scopes: Sequence[str]) -> list[Publication]:
    """Return the edition of each kind of the first scope in `scopes` that has one (the nearest first), without bodies.

    Every store asks this at every contact, and all its bodies together are megabytes.
    """
    query = sa.select(Publication).where(Publication.kind.in_(kinds), Publication.scope_id.in_(scopes))
    nearest: dict[str, Publication] = {}
    for edition in session.scalars(query.options(defer(Publication.body, raiseload=True))):
        known = nearest.setdefault(edition.kind, edition)
        if scopes.index(edition.scope_id) < scopes.index(known.scope_id):
            nearest[edition.kind] = edition
    return [nearest[kind] for kind in kinds if kind in nearest]


def edition_for(session: Session, kind: str, scopes: Sequence[str]) -> Publication | None:
    """Return the edition of the first scope in `scopes` that has one (the nearest first), with its body."""
    found = listed(session, [kind], scopes)
    return session.get(Publication, (kind, found[0].scope_id), populate_existing=True) if found else None


def take_over(
    session: Session,
    kind: str,
    version: int,
    sha256: str,
    made_at: dt.datetime,
    text: str,
    effect: Callable[[Session, dict[str, Any]], None],
    *,
    at: dt.datetime,
) -> bool:
    """Check and apply a pulled edition (rule 2); False when we already have it."""
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise Invalid("broken-pull", "The %(kind)s arrived damaged; the old version stays in use.", kind=kind)
    have = session.get(Pulled, kind)
    if have is not None and have.version > version:
        raise Conflict(
            "older-edition", "The network sent an older %(kind)s (%(theirs)s) than ours (%(ours)s).", kind=kind,
            ours=have.version, theirs=version,
        )  # fmt: skip
    if have is not None and have.version == version and have.sha256 == sha256:
        return False
    effect(session, json.loads(text))
    session.merge(Pulled(kind=kind, version=version, sha256=sha256, made_at=made_at, pulled_at=at))
    session.execute(sa.delete(RefusedEdition).where(RefusedEdition.kind == kind))
    return True


def note_refused(
    session: Session, kind: str, version: int, sha256: str, refusal: Exception, *, at: dt.datetime
) -> RefusedEdition:
    """Write down that an edition was refused and why; the same one again keeps its first moment, and a leave."""
    row = session.get(RefusedEdition, kind)
    if row is None or row.sha256 != sha256:
        row = session.merge(RefusedEdition(kind=kind, version=version, sha256=sha256, refused_at=at, allowed_at=None,
                                           code="", reported="", facts={}))  # fmt: skip
    if not isinstance(refusal, DomainError):
        refusal = Invalid(
            "edition-unreadable", "The network's %(edition)s cannot be read (%(name)s).", edition=kind,
            name=type(refusal).__name__,
        )  # fmt: skip
    said = kept(refusal)
    row.code, row.reported, row.facts = said["code"], said["why"], said["facts"] | {"edition": kind}
    session.flush()
    return row


def refused(session: Session) -> list[RefusedEdition]:
    """Return the editions that are not taken over."""
    return list(session.scalars(sa.select(RefusedEdition).order_by(RefusedEdition.kind)))


def allow(ctx: Context, kind: str, sha256: str) -> None:
    """Give leave to take over a refused edition that only needs it; of another one meanwhile, it is asked again."""
    row = ctx.session.get(RefusedEdition, kind)
    if row is None or row.sha256 != sha256:
        raise Conflict("edition-gone", "The network has published a newer version since. Check this one.")
    if row.code not in NEEDS_LEAVE:
        raise Refused("edition-broken", "This version has an error you cannot approve. Call the network's operator.")
    if row.allowed_at is None:
        row.allowed_at = ctx.at
        record(ctx, verb="edition.allowed", subject=f"edition:{kind}", version=row.version)

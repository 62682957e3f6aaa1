"""What a node remembers of another node's journal: its end at each contact, so that no tail is cut off unseen.

Rules
-----
1. Each contact names the end of the journal (number and hash), and proves an end named before: the hash its entry
   has now. Ends older than the one that was proved are forgotten.
2. An end that went back, an entry that became another, a proof that fails, or one that is missing although the node
   knows which end it owes, is a doubt: it is kept, journalled, and a
   finding until a person has looked into it. Nothing is refused, so that no fact waits for it.
3. After a doubt the node's journal is followed from where it is now: each break is told once.
"""

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.finding import Finding
from config.ids import new_id
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context

KEPT = 50
"""Ends remembered per node at most: each lost answer lets it prove an older one."""


class JournalAnchor(Base):
    """An end of another node's journal, as it was named at a contact."""

    __tablename__ = "journal_anchor"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str]
    epoch: Mapped[str]
    heard_at: Mapped[dt.datetime]


@append_only("seen_at")
class JournalDoubt(Base):
    """A journal that is not what it was."""

    __tablename__ = "journal_doubt"

    id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(index=True)
    n: Mapped[int]
    what: Mapped[str]
    heard_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]
    """When a person looked into it."""


# --- verbs ---


def hear(
    ctx: Context,
    node_id: str,
    n: int,
    hash: str,
    *,
    epoch: str,
    proof: tuple[int, str] | None,
    owes_proof: bool = False,
) -> JournalDoubt | None:
    """Take the end a node names of its journal; returns the doubt it raises, if any (rules 1 to 3).

    owes_proof: it has had an answer that told which end is known here.
    """
    query = sa.select(JournalAnchor).where(JournalAnchor.node_id == node_id).order_by(JournalAnchor.n.desc())
    kept = list(ctx.session.scalars(query))
    doubt = None
    if (what := _odd(kept, n, hash, epoch, proof, owes_proof)) is not None:
        doubt = JournalDoubt(id=new_id(), node_id=node_id, n=n, what=what, heard_at=ctx.at, seen_at=None)
        ctx.session.add(doubt)
        journal.record(ctx, verb="journal.doubted", subject=f"node:{node_id}", n=n, what=what)
    is_new = all(row.n != n for row in kept)
    proved_n = proof[0] if proof else 0
    for place, row in enumerate(kept):
        if doubt is not None or row.n < proved_n or place >= KEPT - is_new:
            ctx.session.delete(row)
    ctx.session.flush()
    if n and (doubt is not None or is_new):
        ctx.session.add(JournalAnchor(node_id=node_id, n=n, hash=hash, epoch=epoch, heard_at=ctx.at))
    return doubt


def settle(ctx: Context, node_id: str) -> None:
    """Note that a person has looked into all open doubts about a node's journal."""
    for doubt in doubts(ctx.session, node_id):
        doubt.seen_at = ctx.at
        about = {"subject": f"node:{node_id}", "doubt": doubt.id}
        journal.record(ctx, verb="journal.looked_into", **about)


# --- questions ---


def last(session: Session, node_id: str) -> JournalAnchor | None:
    """Return the end of a node's journal as it was named last."""
    query = sa.select(JournalAnchor).where(JournalAnchor.node_id == node_id)
    return session.scalar(query.order_by(JournalAnchor.n.desc()).limit(1))


def doubts(session: Session, node_id: str | None = None) -> list[JournalDoubt]:
    """Return the doubts no person has looked into, the oldest first; of one node or of all."""
    query = sa.select(JournalDoubt).where(JournalDoubt.seen_at.is_(None)).order_by(JournalDoubt.heard_at)
    return list(session.scalars(query if node_id is None else query.where(JournalDoubt.node_id == node_id)))


def findings(session: Session) -> Iterator[Finding]:
    """Yield every doubt no person has looked into."""
    for doubt in doubts(session):
        subject = f"node:{doubt.node_id}"
        yield Finding(
            "J1", subject, "a journal only grows", f"{doubt.what} (heard {doubt.heard_at:%Y-%m-%d %H:%M} UTC)"
        )


# --- inside ---


def _odd(
    kept: list[JournalAnchor], n: int, hash: str, epoch: str, proof: tuple[int, str] | None, owes_proof: bool
) -> str | None:
    if not kept:
        return None
    newest = kept[0]
    if n < newest.n:
        why = "" if epoch == newest.epoch else ": its database was put back from a copy"
        return f"it went back from entry {newest.n} to entry {n}{why}"
    known = {row.n: row.hash for row in kept}
    for number, hashed in ((n, hash), proof or (0, "")):
        if known.get(number, hashed) != hashed:
            return f"its entry {number} is not the one it was"
    if owes_proof and (proof is None or proof[0] not in known):
        return f"it does not prove entry {newest.n}, which it told before: it may have been written again"
    return None

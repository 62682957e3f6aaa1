"""Files that came by themselves, by e-mail or into a folder: taken in, or waiting for a person.

Rules
-----
1. A file is known by its content: what was added, or removed by a person, comes in no second time.
2. It becomes a document by itself only where its supplier is known by number; a shipping notice never does. Whatever
   else is wrong waits with its sentence. A person adds it, choosing the supplier where needed, or removes it.
3. Who sent it is shown and proves nothing. A file is not kept: only what was read of it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, DomainError, NotFound, kept, kept_again
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from supply.receiving.documents import document as papers
from supply.receiving.documents import supplier_documents
from supply.receiving.documents.document import SupplierDocument
from supply.receiving.documents.supplier_documents import SupplierPaper

STATES = StateTable("incoming file", "waiting", {"waiting": ["taken", "abandoned"]})
LONGEST = 120


@dataclass(frozen=True)
class Arrival:
    """A file as it came. sha256: of its content; source: mailbox or folder; sender: who an e-mail says it is from."""

    sha256: str
    name: str
    source: str
    sender: str = ""


class IncomingFile(Base):
    """A file that came by itself."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "incoming_file"
    __table_args__ = (sa.Index("ix_incoming_file_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    source: Mapped[str]
    sender: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    came_at: Mapped[dt.datetime]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    """Why it waits (`errors.kept`)."""
    said: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    """The document, while it waits and could be read."""
    paper_id: Mapped[str | None]

    @property
    def why(self) -> DomainError:
        """Why it waits."""
        return kept_again(self.refusal or {"why": ""})

    @property
    def document(self) -> SupplierDocument | None:
        """What was read."""
        return papers.from_json(self.said) if self.said else None


class IncomingCheck(Base):
    """When a source was looked into last, and what was wrong."""

    __tablename__ = "incoming_check"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[dt.datetime]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)

    @property
    def why(self) -> DomainError | None:
        """What was wrong, None where nothing was."""
        return kept_again(self.refusal) if self.refusal else None


# --- verbs ---


def arrive(
    ctx: Context, store_id: str, came: Arrival, document: SupplierDocument | None, refusal: DomainError | None
) -> IncomingFile:
    """Write a file down, and take its document in where nobody has to look (rules 1, 2). refusal: of its reader."""
    row = ctx.session.get(IncomingFile, (store_id, came.sha256))
    if row is not None and row.state != STATES.first:
        return row
    if row is None:
        row = IncomingFile(
            store_id=store_id, sha256=came.sha256, name=came.name[:LONGEST], source=came.source,
            sender=came.sender[:LONGEST], state=STATES.first, came_at=ctx.at, paper_id=None,
        )  # fmt: skip
        ctx.session.add(row)
    if document is not None:
        try:
            paper = supplier_documents.take(ctx, store_id, document, id=came.sha256, is_seen=False)
        except DomainError as fault:
            refusal = fault
        else:
            return _taken(ctx, row, paper)
    row.refusal, row.said = kept(refusal) if refusal else None, papers.as_json(document) if document else None
    ctx.session.flush()
    return row


def add(ctx: Context, store_id: str, sha256: str, supplier_id: str) -> SupplierPaper:
    """Take in what waits, as a person says whose it is (rule 2)."""
    row = _waiting(ctx.session, store_id, sha256)
    if row.document is None:
        raise row.why
    paper = supplier_documents.take(ctx, store_id, row.document, id=sha256, supplier_id=supplier_id)
    _taken(ctx, row, paper)
    return paper


def remove(ctx: Context, store_id: str, sha256: str) -> None:
    """Put aside what waits (rule 1)."""
    row = _waiting(ctx.session, store_id, sha256)
    journal.move(ctx, row, "abandoned", subject=_subject(row))
    row.said = None
    ctx.session.flush()


def note_check(ctx: Context, store_id: str, source: str, fault: DomainError | None) -> None:
    """Note that a source was looked into."""
    ctx.session.merge(IncomingCheck(
        store_id=store_id, source=source, checked_at=ctx.at, refusal=kept(fault) if fault else None))  # fmt: skip
    ctx.session.flush()


# --- questions ---


def waiting(session: Session, store_id: str, most: int = 50) -> list[IncomingFile]:
    """Return what waits for a person, the latest first."""
    query = sa.select(IncomingFile).where(IncomingFile.store_id == store_id, IncomingFile.state == STATES.first)
    return list(session.scalars(query.order_by(IncomingFile.came_at.desc(), IncomingFile.sha256).limit(most)))


def checks(session: Session, store_id: str) -> dict[str, IncomingCheck]:
    """Return the last look into each source."""
    rows = session.scalars(sa.select(IncomingCheck).where(IncomingCheck.store_id == store_id))
    return {row.source: row for row in rows}


# --- inside ---


def _taken(ctx: Context, row: IncomingFile, paper: SupplierPaper) -> IncomingFile:
    row.paper_id, row.refusal, row.said = paper.id, None, None
    ctx.session.flush()
    journal.move(ctx, row, "taken", subject=_subject(row), source=row.source)
    ctx.session.flush()
    return row


def _waiting(session: Session, store_id: str, sha256: str) -> IncomingFile:
    query = sa.select(IncomingFile).where(IncomingFile.store_id == store_id, IncomingFile.sha256 == sha256)
    row: IncomingFile | None = session.scalar(lock_rows(session, query))
    if row is None:
        raise NotFound("unknown-file", "This file is no longer here. Reload the page.")
    if row.state != STATES.first:
        raise Conflict("file-over", "This file is already settled. Reload the page.", state=row.state)
    return row


def _subject(row: IncomingFile) -> str:
    return f"incoming:{row.sha256}"

"""Paper: a queue that never lies, and the ESC/POS drivers behind it.

Rules
-----
1. A job is queued in the sale's transaction and printed after it; a dead printer leaves a failed job and a
   banner, the sale stands.
2. queued → sending → printed | failed | unconfirmed. Failed before the first byte is tried again with back-off;
   what may have printed is unconfirmed and waits for a person; an old ticket expires.
3. The drawer opens only with the first print of a cash sale, never with a reprint; reprints are marked and counted.
4. One connection per job and one buffered write; no data byte below 0x20 but LF reaches the printer.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import new_id
from config.states import StateTable

STATES = StateTable(
    "print job",
    "queued",
    {
        "queued": ["sending", "dropped", "expired"],
        "sending": ["printed", "failed", "unconfirmed"],
        "failed": ["queued", "dropped", "expired"],
        "unconfirmed": ["printed", "queued", "dropped"],
    },
)


class PrintJob(Base):
    """One document to be put on paper. document is the frozen snapshot it is laid out from."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "print_job"
    __table_args__ = (sa.Index("ix_print_job_due", "store_id", "state", "due_at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    kind: Mapped[str]
    """receipt | label | pickup | z"""
    source_id: Mapped[str] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    copy_no: Mapped[int] = mapped_column(default=0)
    opens_drawer: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=STATES.first)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    queued_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    printed_at: Mapped[dt.datetime | None]
    paper: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    """The very bytes that were sent."""


# --- verbs ---


def queue(
    session: Session,
    store_id: str,
    till_id: str,
    kind: str,
    source_id: str,
    document: dict[str, Any],
    *,
    opens_drawer: bool = False,
    at: dt.datetime,
) -> PrintJob:
    """Put a document in the printer's queue, in the caller's transaction (rule 1).

    kind: receipt | pickup | bin | label | x | z. document: the frozen snapshot it is laid out from. It is what the
    caller's own verb journals, so nothing is journalled here.
    """
    job = PrintJob(
        store_id=store_id,
        id=new_id(),
        till_id=till_id,
        kind=kind,
        source_id=source_id,
        document=document,
        copy_no=0,
        opens_drawer=opens_drawer,
        state=STATES.first,
        attempts=0,
        queued_at=at,
        due_at=at,
    )
    session.add(job)
    return job

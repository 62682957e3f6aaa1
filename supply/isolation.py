"""Who was left out: what could not be done for one store, so that it was done for the others.

Rules
-----
1. Where the network works for all stores in one transaction, each store's part stands in a savepoint (`apart`): what
   trips over one store's odd row is undone for that store alone, and the others' part is done.
2. It is journalled, twice a day at most for the same work and store, and stands before the operator until LATELY has
   passed without it. The next run tries it again.
3. What is cheaper for all stores at once is done so (`together`), and store by store only where that trips.
4. A database that is busy or away is nobody's odd row: the whole work waits.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from config.errors import DomainError, kept, kept_again
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry

SUBJECT, VERB = "left-out", "store.left_out"
LATELY = dt.timedelta(hours=26)
"""A night and a little more."""
NOT_AGAIN = dt.timedelta(hours=12)
REPORTED = 50
log = structlog.get_logger()


@dataclass
class Part:
    """A store's part of some work; done: it was not left out."""

    done: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A store that was left out of some work lately, and what it tripped over."""

    store_id: str
    work: str
    why: DomainError
    at: dt.datetime


# --- verbs ---


@contextmanager
def apart(ctx: Context, work: str, store_id: str) -> Iterator[Part]:
    """Do a store's part of some work by itself (rule 1); what fails in it is noted and goes no further."""
    part = Part()
    try:
        with ctx.session.begin_nested():
            yield part
            ctx.session.flush()
        part.done = True
    except Exception as fault:  # whatever one store's rows are, the others' work is done
        if is_away(fault):
            raise
        note(ctx, work, store_id, fault)


def note(ctx: Context, work: str, store_id: str, fault: Exception) -> None:
    """Note what some work tripped over at one store, or one region (rule 2); for what is not done in a savepoint."""
    log.error("left out", store=store_id, work=work, exc_info=fault)
    if (store_id, work) not in {(one.store_id, one.work) for one in lately(ctx.session, at=ctx.at, within=NOT_AGAIN)}:
        journal.record(ctx, verb=VERB, subject=SUBJECT, store=store_id, work=work, **kept(fault))


def together(ctx: Context, work: str, store_ids: Sequence[str], do: Callable[[Sequence[str]], None]) -> list[str]:
    """Do some work for all stores at once, and where that trips for each by itself (rule 3).

    Returns who still trips.
    """
    try:
        with ctx.session.begin_nested():
            do(store_ids)
            ctx.session.flush()
    except Exception as fault:
        if is_away(fault):
            raise
        left = []
        for store_id in store_ids:
            with apart(ctx, work, store_id) as part:
                do([store_id])
            left += [] if part.done else [store_id]
        return left
    return []


# --- questions ---


def is_away(fault: Exception) -> bool:
    """Tell whether it is the database that is busy or away (rule 4): of a file's, an overflow is no such thing."""
    if not isinstance(fault, sa.exc.OperationalError):
        return False
    return getattr(fault.orig, "sqlite_errorname", "") != "SQLITE_ERROR"


def lately(session: Session, *, at: dt.datetime, within: dt.timedelta = LATELY) -> list[LeftOut]:
    """Return who was left out lately, the newest first (rule 2)."""
    query = sa.select(JournalEntry.at, JournalEntry.body).where(
        JournalEntry.subject == SUBJECT, JournalEntry.verb == VERB, JournalEntry.at > at - within
    )
    found: dict[tuple[str, str], LeftOut] = {}
    for when, body in session.execute(query.order_by(JournalEntry.n.desc()).limit(REPORTED)):
        said = json.loads(body)
        place = said["store"], said["work"]
        found.setdefault(place, LeftOut(*place, kept_again(said), when))
    return list(found.values())

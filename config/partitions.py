"""The network's large books by weeks: range partitions on PostgreSQL, so that a day costs the same whatever the past.

Rules
-----
1. A partitioned book's key begins with the store and the business day: what is written today lies together, in small
   indexes, and what is asked of a day touches one week. SQLite keeps each book in one piece.
2. A week begins on Monday. Partitions are made ahead by a job; what falls outside of them lies in the rest, and the job
   moves it out into weeks of its own, so that a late import or a job that did not run costs time, never a fact.
3. The partitions live in a schema of their own and are nobody's concern but this file's. Old weeks are detached into
   another one (`pos/put_away.py`), from which the operator keeps them elsewhere (`docs/operating.md`).
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import dialect_of
from config.errors import NotFound, Refused

BOOKS = ("sale", "sale_line", "stock_movement")
SCHEMA, AWAY = "weeks", "away"
AHEAD_WEEKS = 4


def keep(session: Session, today: dt.date) -> list[str]:
    """Make the weeks of every book from this one on, and those of what lies in the rest; returns what was made."""
    if dialect_of(session) != "postgresql":
        return []
    made = []
    this_week = monday(today)
    ahead = {this_week + dt.timedelta(weeks=n) for n in range(AHEAD_WEEKS + 1)}
    for book in BOOKS:
        if not _is_partitioned(session, book):
            continue
        stray = f"SELECT DISTINCT date_trunc('week', business_day)::date FROM {SCHEMA}.{book}_rest"  # noqa: S608
        wanted = ahead | set(session.scalars(sa.text(stray)))
        made += [_make(session, book, week) for week in sorted(wanted - _weeks(session, book))]
    return made


def hold(session: Session, week: dt.date) -> None:
    """Let nobody write in a week until this transaction ends; NotFound where a book has no partition of it."""
    for book in BOOKS:
        if week not in _weeks(session, book):
            raise NotFound("no-such-week", f"There is no partition of the week of {week}. Nothing of it is here.")
        session.execute(sa.text(f"LOCK TABLE {_name(book, week)} IN SHARE ROW EXCLUSIVE MODE"))


def detach(session: Session, week: dt.date) -> list[str]:
    """Take a week's partitions out of their books, into the schema AWAY; returns what they are called there."""
    session.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {AWAY}"))
    found = []
    for book in BOOKS:
        name = _name(book, week)
        there = name.replace(SCHEMA, AWAY, 1)
        if session.scalar(sa.text("SELECT to_regclass(:there)"), {"there": there}) is not None:
            raise Refused("still-there", f"{there} lies there from before. Dump and drop it first.")
        session.execute(sa.text(f"ALTER TABLE {book} DETACH PARTITION {name}"))
        session.execute(sa.text(f"ALTER TABLE {name} SET SCHEMA {AWAY}"))
        found.append(there)
    return found


def monday(day: dt.date) -> dt.date:
    """Return the day a day's week begins with."""
    return day - dt.timedelta(days=day.weekday())


# --- inside ---


def _is_partitioned(session: Session, book: str) -> bool:
    kind = sa.text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:book)")
    return bool(session.scalar(kind, {"book": book}))


def _weeks(session: Session, book: str) -> set[dt.date]:
    names = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:book)")
    ends = (str(name).rpartition("_")[2] for name in session.scalars(names, {"book": book}))
    return {dt.datetime.strptime(end, "%Y%m%d").date() for end in ends if end.isdigit()}  # noqa: DTZ007


def _name(book: str, week: dt.date) -> str:
    return f"{SCHEMA}.{book}_{week:%Y%m%d}"


def _make(session: Session, book: str, week: dt.date) -> str:
    """Make one week's partition, with what the rest holds of it; waits for whoever writes in the book now."""
    name, until = _name(book, week), week + dt.timedelta(weeks=1)
    session.execute(sa.text(f"CREATE TABLE {name} (LIKE {book} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    session.execute(sa.text(f"LOCK TABLE {book} IN SHARE ROW EXCLUSIVE MODE"))
    rest = f"{SCHEMA}.{book}_rest WHERE business_day >= '{week}' AND business_day < '{until}'"
    moved = f"WITH moved AS (DELETE FROM {rest} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608
    session.execute(sa.text(moved))
    session.execute(sa.text(f"ALTER TABLE {book} ATTACH PARTITION {name} FOR VALUES FROM ('{week}') TO ('{until}')"))
    return f"{book} {week}"

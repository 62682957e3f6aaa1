"""The network's large books by weeks: range partitions on PostgreSQL, so that a day costs the same whatever the past.

Rules
-----
1. A partitioned book's key begins with the store and the business day: what is written today lies together, in small
   indexes, and what is asked of a day touches one week. SQLite keeps each book in one piece.
2. A week begins on Monday. A job makes partitions ahead, one week in a transaction. Everything outside of them lies in
   the rest, the default partition.
3. The network's own clock decides which weeks there are: those from its founding to the coming ones. A week that the
   job missed gets its partition later, with its rows from the rest. Rows of any other day stay in the rest, whatever a
   store reports, so no store's facts make a table or hold a lock.
4. The partitions live in a schema of their own, known to this file alone and read from their bounds, never from their
   names. Old weeks are detached into another schema (`pos/sync/archive.py`), from which the operator keeps them
   elsewhere (`docs/manual/en/system/postgresql.md`).
"""

import datetime as dt
import re
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import dialect_of
from config.errors import NotFound, Refused
from config.nodes.journal import Actor, Context, amending
from config.nodes.node import this_node

BOOKS = ("sale", "sale_line", "stock_movement")
SCHEMA, AWAY = "weeks", "away"
AHEAD_WEEKS = 4
WEEK = dt.timedelta(weeks=1)
LONGEST_WAIT_S = 10
_BOUNDS = re.compile(r"FOR VALUES FROM \('(\d{4}-\d\d-\d\d)'\) TO \('\d{4}-\d\d-\d\d'\)")


def keep(session: Session, today: dt.date, *, since: dt.date, away: Collection[dt.date] = ()) -> list[str]:
    """Make the next week that is missing, in every book (rules 2, 3); returns what was made, nothing when all is there.

    The coming weeks come first, then the missed ones from `since` on, the newest first. away: weeks that were put away.
    """
    if dialect_of(session) != "postgresql":
        return []
    books = {book: _weeks(session, book).keys() for book in BOOKS if _is_partitioned(session, book)}
    this_week = monday(today)
    for week in [this_week + n * WEEK for n in range(AHEAD_WEEKS + 1)]:
        if lacking := [book for book, there in books.items() if week not in there]:
            return _make_week(session, lacking, week)
    missed = {(week, book) for book in books for week in _in_rest(session, book, monday(since), this_week)}
    missed = {(week, book) for week, book in missed if week not in books[book] and week not in away}
    if not missed:
        return []
    newest = max(week for week, _ in missed)
    return _make_week(session, [book for week, book in sorted(missed) if week == newest], newest)


def hold(session: Session, week: dt.date) -> None:
    """Let nobody write in a week until this transaction ends; NotFound where a book has no partition of it."""
    for book in BOOKS:
        if (name := _weeks(session, book).get(week)) is None:
            raise NotFound(
                "no-such-week", "There is no partition for the week of %(week)s, so it cannot be archived.", week=week
            )
        session.execute(sa.text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))


def detach(session: Session, week: dt.date) -> list[str]:
    """Take a week's partitions out of their books, into the schema AWAY; returns what they are called there."""
    session.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {AWAY}"))
    found = []
    for book in BOOKS:
        name = _weeks(session, book)[week]
        there = name.replace(SCHEMA, AWAY, 1)
        if session.scalar(sa.text("SELECT to_regclass(:there)"), {"there": there}) is not None:
            raise Refused("still-there", "%(there)s is left over from before. Dump and drop it first.", there=there)
        session.execute(sa.text(f"ALTER TABLE {book} DETACH PARTITION {name}"))
        session.execute(sa.text(f"ALTER TABLE {name} SET SCHEMA {AWAY}"))
        found.append(there)
    return found


def lying_away(session: Session) -> dict[str, dict[dt.date, str]]:
    """Return the weeks that still lie in the schema AWAY: book -> Monday -> table."""
    found: dict[str, dict[dt.date, str]] = {}
    if dialect_of(session) == "postgresql":
        for name in session.scalars(
            sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :away"), {"away": AWAY}
        ):
            book, _, week = str(name).rpartition("_")
            if book in BOOKS and week.isdecimal():
                found.setdefault(book, {})[dt.datetime.strptime(week, "%Y%m%d").date()] = f"{AWAY}.{name}"  # noqa: DTZ007
    return found


def monday(day: dt.date) -> dt.date:
    """Return the day a day's week begins with."""
    return day - dt.timedelta(days=day.weekday())


# --- inside ---


def _is_partitioned(session: Session, book: str) -> bool:
    kind = sa.text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:book)")
    return bool(session.scalar(kind, {"book": book}))


def _weeks(session: Session, book: str) -> dict[dt.date, str]:
    """Return a book's weeks with their partitions' names; a partition of anything but one week is none of ours."""
    parts = sa.text(
        "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, inhrelid) "
        "FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = to_regclass(:book)"
    )
    found = ((str(name), _BOUNDS.fullmatch(bounds or "")) for name, bounds in session.execute(parts, {"book": book}))
    return {dt.date.fromisoformat(week[1]): name for name, week in found if week is not None}


def _in_rest(session: Session, book: str, first: dt.date, until: dt.date) -> list[dt.date]:
    """Return the weeks from `first` to before `until` of which the rest holds rows."""
    stray = (
        f"SELECT DISTINCT date_trunc('week', business_day)::date FROM {SCHEMA}.{book}_rest "  # noqa: S608
        "WHERE business_day >= :first AND business_day < :until"
    )
    return list(session.scalars(sa.text(stray), {"first": first, "until": until}))


def _name(book: str, week: dt.date) -> str:
    return f"{SCHEMA}.{book}_{week.isoformat().replace('-', '')}"


def _make_week(session: Session, books: Collection[str], week: dt.date) -> list[str]:
    # whoever waits for a lock keeps others waiting: after a while it is left for the job's next run
    session.execute(sa.text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_S}s'"))
    return [_make(session, book, week) for book in books]


def _make(session: Session, book: str, week: dt.date) -> str:
    """Make one week's partition, with what the rest holds of it; waits for whoever writes in the book now."""
    name, until = _name(book, week), week + WEEK
    session.execute(sa.text(f"CREATE TABLE {name} (LIKE {book} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    session.execute(sa.text(f"LOCK TABLE {book} IN SHARE ROW EXCLUSIVE MODE"))
    rest = f"{SCHEMA}.{book}_rest WHERE business_day >= '{week}' AND business_day < '{until}'"
    if session.scalar(sa.text(f"SELECT 1 FROM {rest} LIMIT 1")):  # noqa: S608
        moved = f"WITH moved AS (DELETE FROM {rest} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608
        why = f"rows of the week of {week} moved into its partition"
        at = session.scalars(sa.select(sa.func.now())).one()
        actor = Actor.system("weeks", this_node(session).id)
        with amending(Context(session, actor, at), f"table:{book}", why, rows=()):  # they move as they are
            session.execute(sa.text(moved))
    session.execute(sa.text(f"ALTER TABLE {book} ATTACH PARTITION {name} FOR VALUES FROM ('{week}') TO ('{until}')"))
    return f"{book} {week}"

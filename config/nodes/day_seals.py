"""Seals on the days of the append-only books: the hash of each row, under a digest that the journal keeps.

Rules
-----
1. Every table declared append-only is sealed by days, in the columns that never change. The journal is a chain already.
2. A night seals the days that are over, and adds what came late for an earlier one. It takes nothing out of a seal.
3. `journal.amending` alone replaces what a seal has of a row, and journals that with its reason.
4. The journal has each seal's digest, so a seal that was changed along with its rows shows as well.
5. A seal names the columns it was made over: one that a table gets later is sealed from the next day on. A migration
   that changes rows of these books, or takes a sealed column away, has to seal their days again.
6. A row that was put in is sealed like one that came late: this finds what was changed or taken out.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, UtcDateTime, dialect_of
from config.nodes.append_only import declared

SEALED = "books.sealed"
"""The verb of the entries that keep digests: their `sealed` is table -> day -> [rows, digest]."""
ROWS_AT_ONCE = 200_000
KEYS_AT_ONCE = 200
SIZE = 16
Digests = dict[str, dict[str, list[Any]]]


class DaySeal(Base):
    """A table's rows of one day, as they were when the day was sealed."""

    __tablename__ = "day_seal"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    """YYYY-MM-DD: the business day, or the day in UTC; empty for a table without either."""
    columns: Mapped[str]
    rows: Mapped[int]
    hashes: Mapped[bytes] = mapped_column(sa.LargeBinary)
    """The first SIZE bytes of each row's SHA-256, one row after the other."""

    @property
    def digest(self) -> list[Any]:
        """Return what the journal keeps of it: how many rows, and the hash of it all."""
        return [self.rows, hashlib.sha256(f"{self.columns}:".encode() + self.hashes).hexdigest()]

    def each(self) -> Iterator[bytes]:
        """Yield the hashes of its rows."""
        return (self.hashes[at : at + SIZE] for at in range(0, len(self.hashes), SIZE))


def covered() -> dict[str, sa.Table]:
    """Return the tables whose days are sealed (rule 1): name -> table."""
    return {name: table for name, table in sorted(declared().items()) if name != "journal_entry"}


def unsealed(session: Session, until: str) -> list[list[tuple[str, str]]]:
    """Return (table, day) of what is to be sealed up to a day, in bunches of ROWS_AT_ONCE rows (rule 2)."""
    sealed = {(name, day): rows for name, day, rows in session.execute(_HAVE)}
    bunches: list[list[tuple[str, str]]] = []
    room = 0
    for name, table in covered().items():
        day = _day(session, table)
        query = sa.select(day, sa.func.count()).select_from(table).group_by(day).order_by(day)
        for found, rows in session.execute(query):
            if found <= until and rows > sealed.get((name, found), 0):
                if room <= 0:
                    bunches.append([])
                    room = ROWS_AT_ONCE
                bunches[-1].append((name, found))
                room -= rows
    return bunches


def seal(session: Session, bunch: Iterable[tuple[str, str]]) -> Digests:
    """Seal days of tables, or add to their seals what they lack (rule 2); returns what the journal keeps of them.

    Nobody may amend the books meanwhile: hold the journal's head.
    """
    digests: Digests = {}
    for name, pairs in groupby(bunch, itemgetter(0)):
        table = covered()[name]
        seals = {day: _seal_of(session, table, day) for _, day in pairs}
        columns_of = attrgetter("columns")
        for columns, those in groupby(sorted(seals.values(), key=columns_of), columns_of):
            wanted = {one.day: set(one.each()) for one in those}
            more: dict[str, list[bytes]] = {day: [] for day in wanted}
            for day, hashed in _hashed(session, table, columns, wanted):
                if hashed not in wanted[day]:
                    more[day].append(hashed)
            for day, hashes in more.items():
                _set(seals[day], [seals[day].hashes, *hashes])
        digests[name] = {day: one.digest for day, one in seals.items()}
    session.flush()
    return digests


@contextmanager
def following(session: Session, rows: Sequence[Base]) -> Iterator[Digests]:
    """Let seals follow what is done inside to these rows (rule 3); fills what the journal keeps of them afterwards."""
    session.flush()
    before = list(_sealed_rows(session, rows))
    digests: Digests = {}
    yield digests
    for table, found, keys, was in before:
        now = _by_key(session, table, found.columns, keys)
        others = {hashed: now.get(key) for key, hashed in was.items() if now.get(key) != hashed}
        if others.keys() & set(found.each()):
            _set(found, filter(None, (others.get(hashed, hashed) for hashed in found.each())))
            digests.setdefault(table.name, {})[found.day] = found.digest
    session.flush()


def faults(
    session: Session, reported: Mapping[tuple[str, str], list[Any]], *, away: Mapping[str, Collection[str]],
    is_gone: Callable[[str, str], bool],
) -> Iterator[str]:  # fmt: skip
    """Yield every sealed day whose rows, or whose seal, are not what they were.

    told: (table, day) -> the digest the journal has. away: table -> partitions of it that lie elsewhere in this
    database. is_gone: whether the rows of a table's day were lawfully taken elsewhere.
    """
    left = set(reported)
    have = session.execute(_HAVE.add_columns(DaySeal.columns).order_by(DaySeal.table_name, DaySeal.day)).all()
    for (name, columns), rows in groupby(have, lambda row: (row.table_name, row.columns)):
        for days in _bunches(rows):
            left -= {(name, day) for day in days}
            yield from _compare(session, name, columns, days, reported, away.get(name, ()), is_gone)
    for name, day in sorted(left):
        yield f"The seal of {_named(name, day)} is in the journal, but was taken out of the books"


# --- inside ---

_HAVE = sa.select(DaySeal.table_name, DaySeal.day, DaySeal.rows)


def _compare(
    session: Session, name: str, columns: str, days: Collection[str], reported: Mapping[tuple[str, str], list[Any]],
    away: Collection[str], is_gone: Callable[[str, str], bool],
) -> Iterator[str]:  # fmt: skip
    seals = session.scalars(
        sa.select(DaySeal)
        .where(DaySeal.table_name == name, DaySeal.day.between(min(days), max(days)), DaySeal.columns == columns)
        .order_by(DaySeal.day)
    ).all()
    wanted: dict[str, set[bytes]] = {}
    for one in seals:
        if reported.get((name, one.day)) != one.digest:
            yield f"The seal of {_named(name, one.day)} is not the one in the journal"
        elif not is_gone(name, one.day):
            wanted[one.day] = set(one.each())
        session.expunge(one)
    table = covered().get(name)
    if table is None or not set(columns.split(",")) <= set(table.columns.keys()):
        yield f"Rows of {_named(name, min(days))} were sealed with columns that are gone"
        return
    for source in (None, *away) if wanted else ():
        for day, hashed in _hashed(session, table, columns, wanted, source):
            wanted[day].discard(hashed)
    for day, missing in wanted.items():
        if missing:
            rows = "1 row" if len(missing) == 1 else f"{len(missing)} rows"
            yield f"{rows} of {_named(name, day)} changed or went after the day was sealed"


def _bunches(rows: Iterable[Any]) -> Iterator[list[str]]:
    days: list[str] = []
    room = ROWS_AT_ONCE
    for row in rows:
        days.append(row.day)
        room -= row.rows
        if room <= 0:
            yield days
            days, room = [], ROWS_AT_ONCE
    if days:
        yield days


def _named(name: str, day: str) -> str:
    return f"{name} of {day}" if day else name


def _seal_of(session: Session, table: sa.Table, day: str) -> DaySeal:
    found = session.get(DaySeal, (table.name, day))
    if found is None:
        later = table.info["append_only"]
        columns = ",".join(name for name in table.columns.keys() if name not in later)  # noqa: SIM118
        found = DaySeal(table_name=table.name, day=day, columns=columns, rows=0, hashes=b"")
        session.add(found)
    return found


def _set(seal: DaySeal, hashes: Iterable[bytes]) -> None:
    seal.hashes = b"".join(hashes)
    seal.rows = len(seal.hashes) // SIZE


def _sealed_rows(
    session: Session, rows: Sequence[Base]
) -> Iterator[tuple[sa.Table, DaySeal, list[Any], dict[Any, bytes]]]:
    """Yield table, seal, keys and key -> hash of the rows whose days are sealed."""
    keys: dict[sa.Table, list[Any]] = {}
    for row in rows:
        state: Any = sa.inspect(row)
        keys.setdefault(state.mapper.local_table, []).append(tuple(state.identity))
    for table, those in keys.items():
        days: dict[str, list[Any]] = {}
        for day, *key in _of_keys(session, table, those, _day(session, table)):
            days.setdefault(day, []).append(tuple(key))
        for day, mine in days.items():
            if (found := session.get(DaySeal, (table.name, day))) is not None:
                yield table, found, mine, _by_key(session, table, found.columns, mine)


def _by_key(session: Session, table: sa.Table, columns: str, keys: list[Any]) -> dict[Any, bytes]:
    text = _text(session, table, columns)
    return {tuple(key): _hash(said) for said, *key in _of_keys(session, table, keys, text)}


def _of_keys(session: Session, table: sa.Table, keys: list[Any], what: Any) -> Iterator[Any]:
    key = tuple(table.primary_key)
    for first in range(0, len(keys), KEYS_AT_ONCE):
        those = sa.tuple_(*key).in_(keys[first : first + KEYS_AT_ONCE])
        yield from session.execute(sa.select(what, *key).where(those)).all()


def _hashed(
    session: Session, table: sa.Table, columns: str, days: Collection[str], source: str | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield day and hash of each row of these days. source: the partition to read in the table's place."""
    day = _day(session, table)
    query = sa.select(day, _text(session, table, columns)).select_from(sa.text(source) if source else table)
    query = query.where(_between(session, table, min(days), max(days)))
    for found, said in session.connection().execute(query, execution_options={"yield_per": 1000}):
        if found in days:
            yield found, _hash(said)


def _hash(said: bytes | str) -> bytes:
    return hashlib.sha256(said.encode() if isinstance(said, str) else said).digest()[:SIZE]


def _dated_by(table: sa.Table) -> sa.Column[Any] | None:
    """Return the column that says a row's day: the business day, or else the first instant."""
    always = [one for one in table.columns if not one.nullable and one.name not in table.info["append_only"]]
    return next((one for kind in (sa.Date, UtcDateTime) for one in always if isinstance(one.type, kind)), None)


def _day(session: Session, table: sa.Table) -> Any:
    column = _dated_by(table)
    if column is None:
        return sa.literal_column("CAST('' AS TEXT)")
    if dialect_of(session) == "sqlite":
        return sa.literal_column(f'substr("{column.name}", 1, 10)')
    return sa.literal_column(f"to_char({_utc(column)}, 'YYYY-MM-DD')")


def _between(session: Session, table: sa.Table, first: str, last: str) -> Any:
    column = _dated_by(table)
    if column is not None and isinstance(column.type, sa.Date):  # so that the week's partition is found, or an index
        kind = sa.Text if dialect_of(session) == "sqlite" else sa.Date
        ends: Any = [sa.cast(sa.literal(end), kind) for end in (first, last)]
        return sa.literal_column(f'"{column.name}"').between(*ends)
    return _day(session, table).between(first, last)


def _text(session: Session, table: sa.Table, columns: str) -> Any:
    """Return a row's text, the same for the same values alone, whatever a bit that flipped has made of them."""
    kept = [table.columns[name] for name in columns.split(",")]
    if dialect_of(session) == "sqlite":
        joined = "||','||".join(f'quote("{one.name}")' for one in kept)
        return sa.literal_column(f"CAST({joined} AS BLOB)")
    return sa.literal_column(f"json_build_array({', '.join(map(_utc, kept))})::text")


def _utc(column: sa.Column[Any]) -> str:
    zone = " AT TIME ZONE 'UTC'" if isinstance(column.type, UtcDateTime) else ""
    return f'("{column.name}"{zone})'

"""Statements of the till's fast path: compiled once, then handed to the driver as they are.

Rules
-----
1. A `Prepared` is a Core statement with bound parameters and no list of them. SQLAlchemy makes its text and converts
   its values as ever; what is left out, on SQLite, is the ceremony around each execution, which costs ten times the
   statement itself. Other databases execute it as usual.
2. A list is a `PreparedForSome`: made for 1, 2, 4, 8 … values, the last one repeated to fill it up.
3. It runs in the session's own transaction, after whatever the session has still to write.
4. A fault of the driver comes as SQLAlchemy's own.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from config.database import dialect_of, driver_of

Values = Mapping[str, Any]
_DIALECT = sqlite.dialect()


class Prepared:
    """A statement that is executed again and again."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def run(self, session: Session, rows: Values | Sequence[Values]) -> None:
        """Execute it once, or once per row; every row has the same names. Without any row nothing is done."""
        if not rows:
            return
        if dialect_of(session) != "sqlite":
            session.execute(self._statement, rows)
            return
        if isinstance(rows, Mapping):
            plan = self._plan(rows)
            _guarded(plan, _driver(session).execute, plan.bound(rows))
        else:
            plan = self._plan(rows[0])
            _guarded(plan, _driver(session).executemany, [plan.bound(row) for row in rows])

    def all(self, session: Session, values: Values) -> Sequence[Any]:
        """Execute it and return every row as a tuple."""
        if dialect_of(session) != "sqlite":
            return session.execute(self._statement, values).all()
        plan = self._plan(values)
        rows: list[Any] = _guarded(plan, _driver(session).execute, plan.bound(values)).fetchall()
        return [plan.read(row) for row in rows] if plan.reads else rows

    def first(self, session: Session, values: Values) -> Any:
        """Execute it and return its first row as a tuple; None where there is none."""
        if dialect_of(session) != "sqlite":
            return session.execute(self._statement, values).first()
        plan = self._plan(values)
        row = _guarded(plan, _driver(session).execute, plan.bound(values)).fetchone()
        return plan.read(row) if plan.reads and row is not None else row

    def _plan(self, values: Values) -> "_Plan":
        names = tuple(values)
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = _Plan(self._statement, names)
        return plan


class PreparedForSome:
    """A statement about some values, asked again and again (rule 2). make: bound parameters -> the statement."""

    def __init__(self, make: Callable[[Sequence[Any]], Any]) -> None:
        self._make = make
        self._sized: dict[int, tuple[list[str], Prepared]] = {}

    def all(self, session: Session, values: Values, some: Sequence[Any]) -> Sequence[Any]:
        """Execute it for `some` and return every row as a tuple; for nobody there is none."""
        if not some:
            return []
        size = 1 << (len(some) - 1).bit_length()
        if size not in self._sized:
            names = [f"some_{n}" for n in range(size)]
            self._sized[size] = names, Prepared(self._make([sa.bindparam(name) for name in names]))
        names, prepared = self._sized[size]
        filled = zip_longest(names, some, fillvalue=some[-1])
        return prepared.all(session, {**values, **dict(filled)})


class _Plan:
    """A statement's text for SQLite, where each of its values comes from, and how rows are read."""

    def __init__(self, statement: Any, names: tuple[str, ...]) -> None:
        inserts = isinstance(statement, sa.Insert)
        compiled: Any = statement.compile(dialect=_DIALECT, column_keys=list(names) if inserts else None)
        self.text = str(compiled)
        if "POSTCOMPILE" in self.text:
            raise ValueError("a prepared statement takes no list")
        fixed = dict(compiled.params)
        for column in compiled.insert_prefetch if inserts else ():
            fixed[column.key] = column.default.arg  # a plain value: a callable one is the ORM's business
        order = tuple(compiled.positiontup or ())
        converts = [compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name in order]
        self._fixed = {name: fixed[name] for name in order if name not in names}
        self._converts: list[tuple[int, Any]] = [(place, convert) for place, convert in enumerate(converts) if convert]
        self._pick: Any = itemgetter(*order) if len(order) > 1 else lambda values: tuple(values[name] for name in order)
        reads = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
            for column in getattr(statement, "selected_columns", None) or statement.exported_columns
        ] if isinstance(statement, sa.Select) else []  # fmt: skip
        self.reads: list[tuple[int, Any]] = [(place, convert) for place, convert in enumerate(reads) if convert]

    def bound(self, values: Values) -> list[Any]:
        """Return the values in the order of the text."""
        bound = list(self._pick({**values, **self._fixed} if self._fixed else values))
        for place, convert in self._converts:
            bound[place] = convert(bound[place])
        return bound

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return a row's values as Python's."""
        values = list(row)
        for place, convert in self.reads:
            values[place] = convert(values[place])
        return tuple(values)


def _driver(session: Session) -> Any:
    if session.autoflush:
        session.flush()
    return driver_of(session)


def _guarded(plan: _Plan, execute: Callable[[str, Any], Any], values: Any) -> Any:
    try:
        return execute(plan.text, values)
    except sqlite3.Error as fault:
        raise sa.exc.DBAPIError.instance(plan.text, values, fault, sqlite3.Error, True, dialect=_DIALECT) from fault

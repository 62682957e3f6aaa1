"""Many rows of one table at once: COPY on PostgreSQL, one statement for all elsewhere.

Rules
-----
1. Every row has the same names. What a row does not name gets the column's plain default, or nothing.
2. It writes in the session's own transaction, after whatever the session has still to write, and a broken constraint
   comes as SQLAlchemy's own error, as from any other insert.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from config.database import Base, dialect_of, driver_of, table_of
from config.prepared import Prepared


def write_many(session: Session, noun: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one noun."""
    if not rows:
        return
    if dialect_of(session) != "postgresql":
        _insert(noun).run(session, rows)
        return
    import psycopg  # takes its time and memory, and a store does without

    if session.autoflush:
        session.flush()
    statement, pick, fixed, as_json = _copy(noun, tuple(rows[0]))
    try:
        with driver_of(session).cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                values = pick(row)
                if as_json:
                    values = tuple(
                        json.dumps(value) if place in as_json and value is not None else value
                        for place, value in enumerate(values)
                    )
                copy.write_row(values + fixed)
    except psycopg.Error as fault:
        raise sa.exc.DBAPIError.instance(
            statement, None, fault, psycopg.Error, dialect=session.get_bind().dialect
        ) from fault


# --- inside ---


@cache
def _insert(noun: type[Base]) -> Prepared:
    return Prepared(sa.insert(table_of(noun)))


@cache
def _copy(
    noun: type[Base], names: tuple[str, ...]
) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]], tuple[Any, ...], frozenset[int]]:
    """Return the statement, what picks a row's values, the defaults of what it does not name, and the places of JSON.

    A row names more than one column.
    """
    table = table_of(noun)
    defaults = {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in names and isinstance(column.default, ScalarElementColumnDefault)
    }
    columns = ", ".join(f'"{name}"' for name in (*names, *defaults))
    as_json = frozenset(place for place, name in enumerate(names) if isinstance(table.c[name].type, sa.JSON))
    return f'COPY "{table.name}" ({columns}) FROM STDIN', itemgetter(*names), tuple(defaults.values()), as_json

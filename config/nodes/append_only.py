"""Append-only books: the database itself refuses to change or delete their rows.

Rules
-----
1. A table is declared append-only beside its definition (`@append_only`), with the columns that may be set later, such
   as the mark that a message was delivered. Triggers made from that refuse every other UPDATE and every DELETE, whoever
   asks: our code, a tool, a person at the database's own prompt. An INSERT meets no trigger.
2. What must change such rows all the same (forgetting a person, books put back from a copy, weeks moved between
   partitions) goes through one door, `config.nodes.journal.amending`, which leaves an entry. The door holds for one
   transaction: SQLite's triggers ask a function of the connection, PostgreSQL's a setting that ends with it.
3. Triggers are made with the table, by `create_all` and by migrations alike (`lay`), from the columns the table has.
   One that is missing, switched off or not as it should be is a finding (J2).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from config.database import AMENDING, Base, dialect_of, driver_of, table_of
from config.finding import Finding

PREFIX = "append_only_"
_SETTING = f"cornerstore.{AMENDING}"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('{_SETTING}', true) = 'yes' THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$"""
Noun = TypeVar("Noun", bound=type[Base])


def append_only(*later: str) -> Callable[[Noun], Noun]:
    """Declare a noun's table append-only. later: the columns that may be set after a row was written (rule 1)."""

    def declare(noun: Noun) -> Noun:
        table = table_of(noun)
        if unknown := set(later) - set(table.c.keys()):
            raise ValueError(f"{table.name} has no {sorted(unknown)}")
        table.info["append_only"] = later
        return noun

    return declare


def declared() -> dict[str, sa.Table]:
    """Return the append-only tables there are: name -> table."""
    return {name: table for name, table in Base.metadata.tables.items() if "append_only" in table.info}


def lay(connection: Connection, name: str, later: Iterable[str] = ()) -> None:
    """Rebuild a table's triggers from its present columns (rule 3); for migrations."""
    _lay(connection, name, [column["name"] for column in sa.inspect(connection).get_columns(name)], later)


def lift(connection: Connection, name: str) -> None:
    """Take the triggers off a table; for migrations back."""
    for verb in ("update", "delete", "truncate"):
        on = "" if connection.dialect.name == "sqlite" else f" ON {name}"
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {PREFIX}{name}_{verb}{on}")


def laid(connection: Connection) -> dict[str, str]:
    """Return the triggers an SQLite file has: name -> SQL."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: sql for name, sql in rows if name.startswith(PREFIX)}


def unprotected(session: Session) -> list[str]:
    """Return the append-only tables whose triggers are not there, or not as they should be."""
    tables = sorted(declared())
    if dialect_of(session) != "sqlite":
        return _off_on_postgres(session, tables)
    there = laid(session.connection())
    return [name for name in tables if any(there.get(sql.split()[2]) != sql for sql in _of_sqlite(name, *_of(name)))]


def protect(session: Session) -> list[str]:
    """Lay what is missing again; returns of which tables."""
    off = unprotected(session)
    for name in off:
        _lay(session.connection(), name, *_of(name))
    return off


def findings(session: Session) -> Iterator[Finding]:
    """Yield every append-only table that can be changed."""
    for name in unprotected(session):
        yield Finding("J2", f"table:{name}", "rows can't be changed or deleted", "the protection is missing")


@contextmanager
def unlocked(session: Session) -> Iterator[None]:
    """Let this transaction change append-only rows inside; only `config.nodes.journal.amending` opens it."""
    session.flush()
    if dialect_of(session) != "sqlite":
        ask = sa.text("SELECT set_config(:name, :value, true)")
        session.execute(ask, {"name": _SETTING, "value": "yes"})
        yield  # a fault ends the transaction, and the setting with it
        session.flush()
        session.execute(ask, {"name": _SETTING, "value": ""})
        return
    driver = driver_of(session)
    driver.execute(f"SELECT {AMENDING}(1)")
    try:
        yield
        session.flush()
    finally:
        with suppress(Exception):
            driver.execute(f"SELECT {AMENDING}(0)")


# --- inside ---


def _of(name: str) -> tuple[list[str], tuple[str, ...]]:
    table = Base.metadata.tables[name]
    return [column.name for column in table.columns], table.info["append_only"]


def _lay(connection: Connection, name: str, columns: Iterable[str], later: Iterable[str]) -> None:
    lift(connection, name)
    if connection.dialect.name == "sqlite":
        statements = _of_sqlite(name, columns, later)
    else:
        statements = [_FUNCTION, *_of_postgres(name, columns, later)]
    for statement in statements:
        connection.exec_driver_sql(statement)


def _of_sqlite(name: str, columns: Iterable[str], later: Iterable[str]) -> list[str]:
    kept = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in sorted(set(columns) - set(later)))
    refused = f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    return [
        f"CREATE TRIGGER {PREFIX}{name}_update BEFORE UPDATE ON {name} WHEN ({kept}) AND NOT {AMENDING}() {refused}",
        f"CREATE TRIGGER {PREFIX}{name}_delete BEFORE DELETE ON {name} WHEN NOT {AMENDING}() {refused}",
    ]


def _of_postgres(name: str, columns: Iterable[str], later: Iterable[str]) -> list[str]:
    kept = sorted(set(columns) - set(later))
    was, becomes = (", ".join(f'{row}."{column}"::text' for column in kept) for row in ("OLD", "NEW"))
    does = "EXECUTE FUNCTION append_only()"
    differs = f"ROW({was}) IS DISTINCT FROM ROW({becomes})"
    return [
        f"CREATE TRIGGER {PREFIX}{name}_update BEFORE UPDATE ON {name} FOR EACH ROW WHEN ({differs}) {does}",
        f"CREATE TRIGGER {PREFIX}{name}_delete BEFORE DELETE ON {name} FOR EACH ROW {does}",
        f"CREATE TRIGGER {PREFIX}{name}_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT {does}",
    ]


def _off_on_postgres(session: Session, names: list[str]) -> list[str]:
    """Return the tables where one of the triggers is missing or off, in the table or in one of its partitions."""
    query = sa.text("""
        SELECT book.name FROM unnest(CAST(:names AS text[])) AS book (name)
        CROSS JOIN LATERAL (
            SELECT to_regclass(book.name)::oid AS part UNION
            SELECT relid::oid FROM pg_partition_tree(to_regclass(book.name))
        ) AS parts
        CROSS JOIN unnest(ARRAY['update', 'delete']) AS verb
        WHERE part IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = part AND tgname = :prefix || book.name || '_' || verb AND tgenabled IN ('O', 'A')
            AND tgfoid = to_regproc('append_only')
        )""")
    return sorted(set(session.scalars(query, {"names": names, "prefix": PREFIX})))


@event.listens_for(Base.metadata, "after_create")
def _with_the_tables(_target: Any, connection: Connection, tables: Any = None, **_: Any) -> None:
    for table in tables or ():
        if "append_only" in table.info:
            _lay(connection, table.name, *_of(table.name))

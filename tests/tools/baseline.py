"""What the baseline migration lays: the statements that make today's tables, for each database."""

import itertools
import re

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from config.database import Base
from store_app.runtime import tables

KEYS = {
    "sale": ("store_id, business_day, id", "store_id, till_id, receipt_no, epoch, business_day"),
    "sale_line": ("store_id, business_day, sale_id, n", ""),
    "stock_movement": ("store_id, business_day, id", ""),
}
"""A book by weeks -> its primary and its unique key, which must hold the day that its partitions go by."""


def baseline(engine: Engine) -> str:
    """Make every table in an empty database; returns the statements that did."""
    tables.known()
    said: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement.replace("%%", "%"))

    Base.metadata.create_all(engine, tables=Base.metadata.sorted_tables)  # else in the order of their imports
    sa.event.remove(engine, "before_cursor_execute", _hear)
    made = [_plain(one) for one in said if one.lstrip().startswith("CREATE")]
    runs = itertools.groupby(made, lambda one: one.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")))
    made = [one for is_index, run in runs for one in (sorted(run) if is_index else run)]
    if engine.dialect.name == "postgresql":
        made = ["CREATE SCHEMA weeks", *(part for one in made for part in _by_weeks(one))]
    return "".join(f"{one};\n\n" for one in dict.fromkeys(made))


def _plain(statement: str) -> str:
    """Write a statement without blank lines or spaces at the ends of lines."""
    return "\n".join(line.rstrip().replace("\t", "  ") for line in statement.strip().splitlines() if line.strip())


def _by_weeks(statement: str) -> list[str]:
    """Return a table's statement, and of a book by weeks also its rest and the index its key no longer is."""
    found = re.match(r"CREATE TABLE (\w+) \(", statement)
    if found is None or (book := found[1]) not in KEYS:
        return [statement]
    key, unique = KEYS[book]
    statement = re.sub(rf"(CONSTRAINT pk_{book} PRIMARY KEY) \([^)]*\)", rf"\1 ({key})", statement)
    statement = re.sub(rf"(CONSTRAINT uq_{book}\w* UNIQUE) \([^)]*\)", rf"\1 ({unique})", statement)
    rest = f"CREATE TABLE weeks.{book}_rest PARTITION OF {book} DEFAULT"
    by_id = ["CREATE INDEX ix_sale_id ON sale (store_id, id)"] if book == "sale" else []
    return [f"{statement} PARTITION BY RANGE (business_day)", rest, *by_id]

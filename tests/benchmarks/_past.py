"""The past of a network for measuring: millions of sale lines written inside the server, as COPY would leave them.

Every store's 300 sales a day, its lines spread over the products as unevenly as on a shelf (half of them on the best
quarter), are in all books that a fact is written to, numbered without gaps, and added up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import sqlalchemy as sa

from config.database import AMENDING, Base, Database
from config.nodes import partitions
from config.nodes.inbox import InboxHead, InboxMessage
from config.nodes.journal import GENESIS, canonical
from pos.payments.payments import Payment
from pos.sold import Sale, SaleLine
from pos.stock import changed_days
from pos.stock.ledger import StockLevel, StockMovement
from pos.store.store import Store
from pos.till.shift_book import CashMovement
from supply.demand import rollups
from tests.network_facts import message, sales

STORES, LINES, A_DAY = 1000, 4, 300_000
LAST_DAY = dt.date(2026, 2, 28)
"""The newest day of the past; each day holds A_DAY sales over all stores."""
KEY = "'S' || lpad(CAST(s.k % g.stores AS text), 4, '0')"
ID = "'past' || lpad(CAST(s.k AS text), 22, '0')"
DAY = f"DATE '{LAST_DAY}' - CAST(s.k / {A_DAY} AS int)"
AT = f"CAST({DAY} AS timestamptz) + (s.k % {A_DAY}) * interval '0.14 s'"
NUMBER = "s.k / g.stores + 1"
SPREAD = "CAST(hashint8extended(s.k * 4 + l.n, 7) & 1048575 AS float8) / 1048576"
COMMON = {
    "store_id": KEY, "id": ID, "sale_id": ID, "business_day": DAY,
    "sku": f"'P' || lpad(CAST(CAST(floor(1000 * pow({SPREAD}, 2)) AS int) AS text), 5, '0')",
}  # fmt: skip
ROWS: dict[type[Base], dict[str, str]] = {
    SaleLine: {
        "n": "l.n", "name": "'Product of the shelf'", "stock_unit": "'each'", "qty": "1",
        "unit_price_minor": "499", "price_quantity": "1", "discount_minor": "0", "offer": "''",
        "total_minor": "499", "net_minor": "466", "tax_minor": "33", "tax_class_id": "'food'", "rate_bp": "700",
        "kind": "'goods'", "list_price_minor": "499", "price_type": "'list'", "manual_discount_minor": "0",
        "reason": "''", "note": "''", "amount_minor": "499", "top_category": "'Category'",
    },
    StockMovement: {
        "id": f"{ID} || '-' || l.n", "qty": "1", "from_place": "'floor'", "to_place": "'customer'",
        "reason": "'sold'", "source_kind": "'sale'", "source_id": ID, "at": AT, "actor_id": "'ana'",
    },
    InboxMessage: {
        "from_node": KEY, "epoch": "'past'", "n": NUMBER, "topic": "'sale.completed'", "version": "2",
        "made_at": "''", "business_day": f"CAST({DAY} AS text)", "body": "b.body",
        "hash": ID, "state": "'taken'", "received_at": AT,
    },
    Sale: {
        "till_id": "'T1'", "shift_id": "'past'", "epoch": "'past'", "receipt_no": NUMBER, "state": "'completed'",
        "kind": "'sale'", "channel": "'counter'", "completed_at": AT, "cashier_id": "'ana'",
        "cashier_name": "'Ana'", "currency": "'EUR'", "lines_minor": "1996", "rounding_minor": "0",
        "total_minor": "1996", "tax_minor": "132", "note": "''", "request_hash": ID,
    },
    Payment: {
        "tender": "'cash'", "amount_minor": "1996", "is_change": "false", "state": "'captured'",
        "reference": "''", "at": AT,
    },
    CashMovement: {
        "shift_id": "'past'", "kind": "'sale'", "amount_minor": "1996", "source_id": ID, "why": "''",
        "at": AT, "actor_id": "'ana'",
    },
}  # fmt: skip


def lay_in(database: Database, lines: int, stores: int) -> None:
    """Write that many sale lines of the past, dealt out to the stores, with all their rows, and add them up."""
    count = lines // LINES
    body = canonical(message(next(sales("S0000", 1)), 1).body)
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE past_body AS SELECT CAST(:body AS text) AS body"), {"body": body})
    work: list[Callable[[], None]] = []
    for noun in ROWS:
        if noun.__tablename__ in partitions.BOOKS:
            work += [partial(_week, database, noun, stores, week, *some) for week, some in _weeks(count).items()]
        else:
            work.append(partial(_whole, database, noun, stores, count))
    with ThreadPoolExecutor(2) as both_cores:
        list(both_cores.map(lambda one: one(), work))
    _caches(database, stores, count)
    tidy(database)
    _add_up(database, _days(count))
    tidy(database)


def tidy(database: Database) -> None:
    """Leave the books as a night's vacuum would, and on the disk."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (FREEZE, ANALYZE)"))
        connection.execute(sa.text("CHECKPOINT"))


# --- inside ---


def _days(count: int) -> list[dt.date]:
    return [LAST_DAY - dt.timedelta(days=n) for n in range((count - 1) // A_DAY + 1)]


def _weeks(count: int) -> dict[dt.date, tuple[int, int]]:
    """Return which sales each week holds: the first, and the first that is not its own any more."""
    weeks: dict[dt.date, tuple[int, int]] = {}
    for n, day in enumerate(_days(count)):
        first, _ = weeks.get(partitions.monday(day), (n * A_DAY, 0))
        weeks[partitions.monday(day)] = first, min(count, (n + 1) * A_DAY)
    return weeks


def _week(database: Database, noun: type[Base], stores: int, week: dt.date, first: int, end: int) -> None:
    """Write a week of a partitioned book; its indexes are built once over all of it, as it is attached."""
    book, until = noun.__tablename__, week + dt.timedelta(weeks=1)
    name = f"{partitions.SCHEMA}.{book}_{week:%Y%m%d}"
    with _fast(database) as connection:
        connection.execute(sa.text(f"CREATE TABLE {name} (LIKE {book} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
        _insert(connection, noun, name, stores, first, end)
        connection.execute(
            sa.text(f"ALTER TABLE {book} ATTACH PARTITION {name} FOR VALUES FROM ('{week}') TO ('{until}')")
        )


def _whole(database: Database, noun: type[Base], stores: int, count: int) -> None:
    with _fast(database) as connection, _without_keys(connection, noun.__tablename__):
        connection.execute(sa.text(f"SET LOCAL cornerstore.{AMENDING} = 'yes'"))
        connection.execute(sa.text(f"TRUNCATE {noun.__tablename__}"))  # new in this transaction: nothing to log
        _insert(connection, noun, noun.__tablename__, stores, 0, count)


def _insert(connection: sa.Connection, noun: type[Base], into: str, stores: int, first: int, end: int) -> None:
    values = {column.name: (COMMON | ROWS[noun]).get(column.name) for column in noun.__table__.columns}
    values = {name: value for name, value in values.items() if value is not None}
    source = _numbered(stores, first, end)
    if noun in (SaleLine, StockMovement):
        source += f" CROSS JOIN generate_series(1, {LINES}) AS l(n)"
    if noun is InboxMessage:
        source += " CROSS JOIN past_body AS b"  # lies there pressed already, and is copied as it lies
    connection.execute(
        sa.text(f"INSERT INTO {into} ({', '.join(values)}) SELECT {', '.join(map(str, values.values()))} {source}")
    )


def _numbered(stores: int, first: int, end: int) -> str:
    return (
        f"FROM (SELECT {stores} AS stores) AS g CROSS JOIN generate_series(CAST({first} AS bigint), {end - 1}) AS s(k)"
    )


def _caches(database: Database, stores: int, count: int) -> None:
    """Write what stands beside the books: how far each store was heard, and its levels."""
    levels, heads, moved = StockLevel.__tablename__, InboxHead.__tablename__, StockMovement.__tablename__
    with _fast(database) as connection:
        connection.execute(
            sa.text(
                f"INSERT INTO {levels} (store_id, sku, place, qty) SELECT store_id, sku, 'floor', -sum(qty) "
                f"FROM {moved} WHERE reason = 'sold' GROUP BY store_id, sku"
            )
        )
        connection.execute(
            sa.text(
                f"INSERT INTO {heads} (from_node, epoch, count, n, head, sent) SELECT {KEY}, 'past', count(*), "
                f"count(*), '{GENESIS}', count(*) {_numbered(stores, 0, count)} GROUP BY 1"
            )
        )


def _add_up(database: Database, days: list[dt.date]) -> None:
    at = dt.datetime.combine(LAST_DAY, dt.time(12), dt.UTC) + dt.timedelta(days=2)
    with database.write() as session:
        for store_id in session.scalars(sa.select(Store.id).where(Store.has_node)).all():
            changed_days.mark(session, store_id, days, at=at)
    left = 1
    while left:
        with database.write() as session:
            left = rollups.roll_fresh(session, at=at)


@contextmanager
def _fast(database: Database) -> Iterator[sa.Connection]:
    """Give a transaction with room for building indexes."""
    with database.engine.begin() as connection:
        for setting in ("maintenance_work_mem = '512MB'", "work_mem = '256MB'"):
            connection.execute(sa.text(f"SET LOCAL {setting}"))
        yield connection


@contextmanager
def _without_keys(connection: sa.Connection, table: str) -> Iterator[None]:
    """Take a table's keys and indexes away while it is filled, and build them once over all that lies there."""
    of_table = {"name": table}
    keys = connection.execute(
        sa.text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = to_regclass(:name) AND contype IN ('p', 'u')"
        ),
        of_table,
    ).all()
    indexes = connection.execute(
        sa.text(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = to_regclass(:name) "
            "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
        ),
        of_table,
    ).all()
    for name, _ in keys:
        connection.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    for name, _ in indexes:
        connection.execute(sa.text(f"DROP INDEX {name}"))
    yield
    for name, of_key in keys:
        connection.execute(sa.text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {of_key}"))
    for _, made in indexes:
        connection.execute(sa.text(made))

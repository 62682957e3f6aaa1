"""The past of a network for measuring: millions of sale lines laid in inside the server, as COPY would leave them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import sqlalchemy as sa

from config.database import Base, Database
from config.inbox import InboxMessage
from config.journal import canonical
from pos.ledger import StockMovement
from pos.payments import Payment
from pos.sale_rows import Sale, SaleLine
from pos.shift_book import CashMovement
from tests.network_facts import message, sales

STORES, A_DAY = 1000, 300_000
LAST_DAY = dt.date(2026, 2, 28)
"""The newest day of the past; each day holds A_DAY sales over all shops."""


def lay_in(database: Database, first: int, last: int) -> None:
    """Write sales `first` to `last` - 1 of the past, dealt out to the shops, with all their rows."""
    body = canonical(message(next(sales("S0000", 1)), 1).body)
    key = f"'S' || lpad(CAST(s.k % {STORES} AS text), 4, '0')"
    id_ = "'past' || lpad(CAST(s.k AS text), 22, '0')"  # in the order of time, as a shop's own are
    common = {
        "store_id": key, "id": id_, "sale_id": id_,
        "business_day": f"DATE '{LAST_DAY}' - CAST(s.k / {A_DAY} AS int)",
        "sku": "'P' || lpad(CAST((s.k * 7 + l.n * 13) % 1000 AS text), 5, '0')",
    }  # fmt: skip
    at = f"CAST(DATE '{LAST_DAY}' - CAST(s.k / {A_DAY} AS int) AS timestamptz)"
    rows: dict[type[Base], dict[str, str]] = {
        Sale: {
            "till_id": "'T1'", "shift_id": "'past'", "epoch": "'past'", "receipt_no": "s.k", "state": "'completed'",
            "kind": "'sale'", "channel": "'counter'", "completed_at": at, "cashier_id": "'ana'",
            "cashier_name": "'Ana'", "currency": "'EUR'", "lines_minor": "1996", "rounding_minor": "0",
            "total_minor": "1996", "tax_minor": "131", "note": "''", "request_hash": common["id"],
        },
        SaleLine: {
            "n": "l.n", "name": "'Product of the shelf'", "stock_unit": "'each'", "qty": "1",
            "unit_price_minor": "499", "price_quantity": "1", "discount_minor": "0", "offer": "''",
            "total_minor": "499", "net_minor": "466", "tax_minor": "33", "tax_class_id": "'food'", "rate_bp": "700",
            "kind": "'goods'", "list_price_minor": "499", "price_type": "'list'", "manual_discount_minor": "0",
            "reason": "''", "note": "''", "amount_minor": "499", "aisle": "'Aisle'",
        },
        Payment: {
            "tender": "'cash'", "amount_minor": "1996", "is_change": "false", "state": "'captured'",
            "reference": "''", "at": at,
        },
        CashMovement: {
            "shift_id": "'past'", "kind": "'sale'", "amount_minor": "1996", "source_id": common["id"], "why": "''",
            "at": at, "actor_id": "'ana'",
        },
        StockMovement: {
            "id": f"{common['id']} || '-' || l.n", "qty": "1", "from_place": "'floor'", "to_place": "'customer'",
            "reason": "'sold'", "source_kind": "'sale'", "source_id": common["id"], "at": at, "actor_id": "'ana'",
        },
        InboxMessage: {
            "from_node": key, "epoch": "'past'", "n": "s.k", "topic": "'sale.completed'", "version": "2",
            "made_at": "''", "business_day": f"CAST({common['business_day']} AS text)", "body": "b.body",
            "hash": common["id"], "state": "'taken'", "received_at": at,
        },
    }  # fmt: skip

    def fill(noun: type[Base]) -> None:
        values = {column.name: (common | rows[noun]).get(column.name) for column in noun.__table__.columns}
        values = {name: value for name, value in values.items() if value is not None}
        source = f"FROM generate_series({first}, {last - 1}) AS s(k)"
        if noun in (SaleLine, StockMovement):
            source += " CROSS JOIN generate_series(1, 4) AS l(n)"
        if noun is InboxMessage:
            source += " CROSS JOIN past_body AS b"  # lies there pressed already, and is copied as it lies
        statement = (
            f"INSERT INTO {noun.__tablename__} ({', '.join(values)}) SELECT {', '.join(values.values())} {source}"
        )
        with _at_once(database) as connection, _without_keys(connection, noun.__tablename__):
            connection.execute(sa.text(statement))

    with _at_once(database) as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS past_body"))
        connection.execute(sa.text("CREATE TABLE past_body AS SELECT CAST(:body AS text) AS body"), {"body": body})
    with ThreadPoolExecutor(2) as both_cores:
        list(both_cores.map(fill, rows))
    with _at_once(database) as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
        connection.execute(sa.text("CHECKPOINT"))


@contextmanager
def _at_once(database: Database) -> Iterator[sa.Connection]:
    """Give a connection of its own on which every statement stands by itself."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("maintenance_work_mem = '512MB'", "synchronous_commit = off"):
            connection.execute(sa.text(f"SET {setting}"))
        yield connection
        for setting in ("maintenance_work_mem", "synchronous_commit"):
            connection.execute(sa.text(f"RESET {setting}"))


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
        connection.execute(sa.text(made.replace(" ON ONLY ", " ON ")))

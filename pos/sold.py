"""The rows of a completed sale: the same here and at the network, because both are written from its fact."""

import datetime as dt
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, table_of
from config.errors import DomainError, NotFound
from config.nodes.append_only import append_only
from config.nodes.inbox import PARKED, TURNED_DOWN, InboxMessage
from config.nodes.outbox import OutboxMessage
from config.prepared import Prepared
from pos.facts import SaleCompleted, SoldLine
from pos.payments.payments import Payment
from pos.till.shift_book import CashMovement

_MEMBERS, _RETURNS = sa.text("customer_id IS NOT NULL"), sa.text("returns_sale_id IS NOT NULL")
"""What a sale of nobody known, and a line that is no return, are no entry of an index for."""


@append_only()
class Sale(Base):
    """A completed sale, return or exchange."""

    __tablename__ = "sale"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "till_id", "epoch", "receipt_no"),
        sa.Index("ix_sale_day", "store_id", "business_day"),
        sa.Index("ix_sale_shift", "store_id", "shift_id"),
        sa.Index("ix_sale_customer", "store_id", "customer_id", sqlite_where=_MEMBERS),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    shift_id: Mapped[str]
    epoch: Mapped[str]
    receipt_no: Mapped[int]
    state: Mapped[str] = mapped_column(default="completed")
    kind: Mapped[str] = mapped_column(default="sale")
    """sale | return | exchange"""
    channel: Mapped[str] = mapped_column(default="counter")
    """counter | pickup"""
    order_id: Mapped[str | None]
    """The pickup order that was collected."""
    business_day: Mapped[dt.date]
    completed_at: Mapped[dt.datetime]
    cashier_id: Mapped[str]
    cashier_name: Mapped[str]
    currency: Mapped[str]
    lines_minor: Mapped[int]
    rounding_minor: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int]
    """lines + rounding: what was paid."""
    tax_minor: Mapped[int]
    age_checked: Mapped[int | None]
    """The highest minimum age confirmed for this sale."""
    age_how: Mapped[str | None]
    """looked | document: how the age was checked; nothing of the person is kept."""
    customer_id: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="", server_default="")
    request_hash: Mapped[str]


@append_only()
class SaleLine(Base):
    """Product, quantity, price, discount and tax, all as charged."""

    __tablename__ = "sale_line"
    __table_args__ = (
        sa.Index("ix_sale_line_sku", "store_id", "sku"),
        sa.Index("ix_sale_line_day", "store_id", "business_day"),
        sa.Index("ix_sale_line_returns", "store_id", "returns_sale_id", sqlite_where=_RETURNS),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    stock_unit: Mapped[str]
    qty: Mapped[int]
    unit_price_minor: Mapped[int]
    price_quantity: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    offer: Mapped[str] = mapped_column(default="")
    total_minor: Mapped[int]
    """What the customer pays for the line, tax included."""
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_class_id: Mapped[str]
    rate_bp: Mapped[int]
    returns_sale_id: Mapped[str | None]
    returns_n: Mapped[int | None]
    kind: Mapped[str] = mapped_column(default="goods", server_default="goods")
    list_price_minor: Mapped[int | None]
    """The catalogue's price that day; None: it had none."""
    price_type: Mapped[str] = mapped_column(default="list", server_default="list")
    """list | override | typed | label | agreed | deposit | empties"""
    manual_discount_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """What the cashier took off by hand; part of discount_minor."""
    reason: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    amount_minor: Mapped[int | None]
    """The line before anything was taken off, in the shown kind of price."""
    deposit_of: Mapped[int | None]
    """The line whose containers this deposit is for."""
    cost_minor: Mapped[int | None]
    """What the line's units cost the store; None: not known."""
    top_category: Mapped[str] = mapped_column(default="", server_default="")
    """Under which category it was sold, as it was called that day."""
    business_day: Mapped[dt.date]
    """The sale's: the network keeps its lines by weeks (`config/nodes/partitions.py`)."""


@dataclass(frozen=True)
class Completed:
    """A completed sale with the document its receipt is laid out from. repeated: it was completed before."""

    sale: SaleCompleted
    document: dict[str, Any]
    repeated: bool


OF_PRODUCT = SaleLine.sku.concat(sa.literal_column("''"))
"""A line's SKU, to group the lines of some days by: by the column itself SQLite reads every line the store ever sold,
in the order of the products, because it does not know how many there are."""


# --- verbs ---


def write_rows(session: Session, fact: SaleCompleted, held: frozenset[str] = frozenset()) -> None:
    """Write a sale's rows from its fact: sale, lines, payments and cash movements (rule 7).

    held: payments that are in the books already, captured by a provider before the sale was completed.
    """
    row, lines, paid, moved = _rows_of(fact, held)
    _SALE.run(session, row)
    _LINES.run(session, lines)
    _PAYMENTS.run(session, paid)
    _CASH.run(session, moved)


def write_all(session: Session, facts: Sequence[SaleCompleted]) -> None:
    """Write the rows of many sales, none of which is here yet."""
    nouns: tuple[type[Base], ...] = (Sale, SaleLine, Payment, CashMovement)
    rows: list[list[dict[str, Any]]] = [[], [], [], []]
    for fact in facts:
        row, *many = _rows_of(fact)
        rows[0].append(row)
        for kept, more in zip(rows[1:], many, strict=True):
            kept += more
    for noun, of_noun in zip(nouns, rows, strict=True):
        write_many(session, noun, of_noun)


# --- questions ---


def document_of(session: Session, sale: Sale) -> dict[str, Any]:
    """Return the frozen document of a completed sale: the very fact that was told of it."""
    body = session.scalar(sa.select(OutboxMessage.body).where(OutboxMessage.id == sale.id))
    if body is None:
        arrived = InboxMessage.from_node == sale.store_id, InboxMessage.id == sale.id
        body = session.scalar(sa.select(InboxMessage.body).where(*arrived))
    if body is None:
        raise NotFound("no-such-sale", "This sale's receipt is not stored here.", sale_id=sale.id)
    document: dict[str, Any] = json.loads(body)
    return document


NEWEST_FIRST = Sale.business_day.desc(), Sale.completed_at.desc(), Sale.id.desc()


def newest_first(query: sa.Select[Any]) -> sa.Select[Any]:
    """Ask for the newest sales first, by their days; that a day is any day has SQLite look where days are in order.

    By their moments alone it put all sales ever made in order, for the twenty that are shown.
    """
    return query.where(Sale.business_day > dt.date.min).order_by(*NEWEST_FIRST)


def lines_of(session: Session, sale: Sale) -> list[SaleLine]:
    """Return a sale's lines in the order they were rung."""
    query = sa.select(SaleLine).where(
        SaleLine.store_id == sale.store_id, SaleLine.business_day == sale.business_day, SaleLine.sale_id == sale.id
    )
    return list(session.scalars(query.order_by(SaleLine.n)))


def bought_by(session: Session, store_id: str, customer_id: str, limit: int) -> list[list[tuple[str, int]]]:
    """Return what a customer's last sales were of, SKU and quantity, the newest first."""
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.customer_id == customer_id, Sale.kind == "sale")
    sales = session.scalars(newest_first(query).limit(limit))
    return [[(line.sku, line.qty) for line in lines_of(session, sale) if line.kind == "goods"] for sale in sales]


def set_aside(session: Session, stores: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (store, body) of sales that were set aside or turned down: receipts and cash that are in no book here."""
    row = InboxMessage
    query = sa.select(row.from_node, row.body).where(
        row.from_node.in_(stores), row.topic == SaleCompleted.TOPIC, row.state.in_((PARKED, TURNED_DOWN))
    )
    for store_id, text in session.execute(query).all() if stores else ():
        body = json.loads(text)
        try:
            SaleCompleted.from_body(body)
        except (DomainError, LookupError, TypeError, ValueError):
            continue
        yield store_id, body


# --- inside ---

_SALE, _LINES = Prepared(sa.insert(table_of(Sale))), Prepared(sa.insert(table_of(SaleLine)))
_PAYMENTS, _CASH = Prepared(sa.insert(table_of(Payment))), Prepared(sa.insert(table_of(CashMovement)))
_SAME = (
    "id", "till_id", "shift_id", "epoch", "receipt_no", "kind", "channel", "order_id", "cashier_id", "cashier_name",
    "currency", "lines_minor", "rounding_minor", "total_minor", "tax_minor", "age_checked", "age_how", "note",
    "request_hash",
)  # fmt: skip
"""What a sale's row and its fact call by the same name."""


def _rows_of(
    fact: SaleCompleted, held: frozenset[str] = frozenset()
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of a sale: itself, its lines, its payments and its cash movements."""
    store_id, at = fact.store["id"], dt.datetime.fromisoformat(fact.completed_at)
    row = {name: getattr(fact, name) for name in _SAME} | {
        "store_id": store_id,
        "state": "completed",
        "business_day": dt.date.fromisoformat(fact.business_day),
        "completed_at": at,
        "customer_id": fact.customer["id"] if fact.customer else None,
    }
    key: dict[str, Any] = {"store_id": store_id, "sale_id": fact.id}
    paid = [vars(row) | key | {"state": "captured", "at": at} for row in fact.payments if row.id not in held]
    common = {"store_id": store_id, "shift_id": fact.shift_id, "source_id": fact.id, "why": "", "at": at}
    common["actor_id"] = fact.cashier_id
    moved = [{"id": key, "kind": kind, "amount_minor": minor} | common for key, kind, minor in fact.cash]
    key["business_day"] = row["business_day"]
    return row, [_line_row(line, key) for line in fact.lines], paid, moved


def _line_row(line: SoldLine, key: dict[str, Any]) -> dict[str, Any]:
    row = vars(line) | key
    del row["tax_letter"], row["offers"]
    if line.expires_on is not None:
        row["expires_on"] = dt.date.fromisoformat(line.expires_on)
    return row

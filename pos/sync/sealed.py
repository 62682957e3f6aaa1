"""Compare every sealed sale with the rows it left, in one walk over both.

Rules
-----
1. Journal entries and rows are read side by side in the order of the sales' ids, a thousand at a time: memory does
   not grow with the books.
2. A sale is whole when the seal in its entry is the seal of its rows. Entries older than seals vouch for the number,
   the total and the count of lines they name.
3. What differs is looked up in the sale's document, which carries the same seal: so the very value is named.
4. A sale without an entry was put in; an entry without a sale tells of one that was taken out.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.nodes.journal import JournalEntry
from config.nodes.outbox import OutboxMessage
from pos.facts import SaleCompleted
from pos.payments.payments import Payment
from pos.sale import seal
from pos.sold import Sale, SaleLine
from pos.till.shift_book import CashMovement

VERBS = tuple(f"{kind}.{verb}" for kind in ("sale", "return", "exchange") for verb in ("completed", "recovered"))
"""What a sale is journalled as: when it was completed, or when lost books got it back (`recovered`)."""
AT_ONCE = 1000
HEAD = ("store_id", "completed_at", "customer_id")
END = "\U0010ffff"
"""Sorts behind every id."""


@dataclass(frozen=True)
class Broken:
    """One sale that does not hold. n: its journal entry; None where there is none. at: 'YYYY-MM-DD HH:MM:SS', UTC."""

    n: int | None
    sale_id: str
    till_id: str
    receipt_no: int | None
    at: str
    what: str


@dataclass
class Tally:
    """How many sales were compared, and how many of them carried a seal."""

    sales: int = 0
    sealed: int = 0


def broken(session: Session, store_id: str, tally: Tally) -> Iterator[Broken]:
    """Yield every sale of this store's node whose rows and journal entry do not agree (rules 2 to 4)."""
    entries = _Feed(_entries(session, store_id))
    sales = _sales(session, store_id)
    lines, paid, moved = (_Feed(rows(session, store_id)) for rows in (_lines, _payments, _cash))
    for row, state in sales:
        _, at, _, sale_id, till_id, shift_id, _, receipt_no, *_ = row
        yield from _taken_out(entries.before(sale_id))
        yield from _loose(sale_id, lines, paid, moved)
        here = entries.take(sale_id)
        rows = _Rows(row, lines.take(sale_id), paid.take(sale_id), moved.take(sale_id))
        if not here and state != "completed":
            continue
        tally.sales += 1
        if not here:
            said = "is not in the journal: it was put in beside the till"
            yield Broken(None, sale_id, till_id, receipt_no, at[:19], said)
        for _, n, _, body in here:
            facts = json.loads(body)
            tally.sealed += "seal" in facts
            fault = _fault(session, rows, facts, shift_id)
            if state != "completed":
                fault = f"was changed: it is {state}, was completed"
            if fault is not None:
                yield Broken(n, sale_id, till_id, receipt_no, at[:19], fault)
        if len(here) > 1:
            said = f"stands {len(here)} times in the journal"
            yield Broken(here[1][1], sale_id, till_id, receipt_no, at[:19], said)
    yield from _taken_out(entries.before(END))
    yield from _loose(END, lines, paid, moved)


# --- inside ---


@dataclass(frozen=True)
class _Rows:
    """A sale's rows as they lie in the books; cash with what must be the sale's own."""

    sale: tuple[Any, ...]
    lines: list[Any]
    payments: list[Any]
    cash: list[Any]

    def seal(self, form: str) -> str:
        return seal.of_values(
            self.sale,
            (tuple(row)[1:-1] for row in self.lines),
            (tuple(row)[1:-2] for row in self.payments),
            (tuple(row)[1:4] for row in self.cash),
            form,
        )


class _Feed:
    """Rows in the order of their first value, taken key by key."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = iter(rows)
        self._next: Any = next(self._rows, None)

    def take(self, key: str) -> list[Any]:
        """Return the rows of this key, which is the smallest not taken yet."""
        found = []
        while self._next is not None and self._next[0] == key:
            found.append(self._next)
            self._next = next(self._rows, None)
        return found

    def before(self, key: str) -> Iterator[Any]:
        """Yield the rows of every smaller key."""
        while self._next is not None and self._next[0] < key:
            row, self._next = self._next, next(self._rows, None)
            yield row


def _fault(session: Session, rows: _Rows, facts: dict[str, Any], shift_id: str) -> str | None:
    """Return what does not hold of a sale and its entry; None when all does."""
    if "seal" in facts and rows.seal(seal.form_of(facts["seal"])) != facts["seal"]:
        return _difference(session, rows, facts["seal"])
    at, cashier = rows.sale[1], rows.sale[3 + seal.SALE.index("cashier_id")]
    for row in rows.cash:
        if (row.shift_id, _instant(row.at), row.actor_id) != (shift_id, at, cashier):
            where = "in another shift, at another time or with another person"
            return f"was changed: its cash movement {row.id} lies {where}"
    for row in rows.payments:
        if row[-2] is None and _instant(row[-1]) != at:
            return f"was changed: its payment {row[1]} lies at another time"
    day = rows.sale[3 + seal.SALE.index("business_day")]
    for row in rows.lines:
        if row[-1] != day:
            return f"was changed: its line {row[1]} lies on another day"
    if "seal" in facts:
        return None
    reported = {
        "receipt_no": rows.sale[3 + seal.SALE.index("receipt_no")],
        "total_minor": rows.sale[3 + seal.SALE.index("total_minor")],
        "lines": len(rows.lines),
    }
    odd = [
        f"{name} is {reported[name]}, was {facts[name]}"
        for name in reported
        if facts.get(name, reported[name]) != reported[name]
    ]
    return f"was changed: {'; '.join(odd)}" if odd else None


def _difference(session: Session, rows: _Rows, sealed: str) -> str:
    """Name the values that differ from the sale's document, if that still carries the seal (rule 3)."""
    body = session.scalar(sa.select(OutboxMessage.body).where(OutboxMessage.id == rows.sale[3]))
    try:
        fact = SaleCompleted.from_body(json.loads(body or "{}"))
        whole = seal.of_sale(fact, seal.form_of(sealed)) == sealed
    except (DomainError, KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        return "was changed, and its document too" if body else "was changed, and its document is gone"
    odd = _unlike("", (*HEAD, *seal.SALE), rows.sale, (*seal.head(fact), *seal.of_columns(fact, seal.SALE)))
    for word, names, here, there in (
        ("line", seal.LINE, rows.lines, [seal.of_columns(line, seal.LINE) for line in fact.lines]),
        ("payment", seal.PAYMENT, rows.payments, [seal.of_columns(one, seal.PAYMENT) for one in fact.payments]),
        ("cash", seal.CASH, rows.cash, fact.cash),
    ):
        kept = {row[1]: tuple(row)[1 : 1 + len(names)] for row in here}
        was = {row[0]: tuple(row) for row in there}
        odd += [f"{word} {key} is gone" for key in was if key not in kept]
        odd += [f"{word} {key} was put in" for key in kept if key not in was]
        for key in sorted(kept.keys() & was.keys()):
            odd += _unlike(f"{word} {key}: ", names, kept[key], was[key])
    return f"was changed: {'; '.join(odd[:8])}" if odd else "was changed"


def _unlike(about: str, names: Iterable[str], here: Iterable[Any], there: Iterable[Any]) -> list[str]:
    return [
        f"{about}{name} is {kept!r}, was {was!r}"
        for name, kept, was in zip(names, here, there, strict=True)
        if kept != was
    ]


def _taken_out(entries: Iterator[Any]) -> Iterator[Broken]:
    for sale_id, n, at, body in entries:
        number = json.loads(body).get("receipt_no")
        yield Broken(n, sale_id, "", number, _instant(at)[:19], "is in the journal, but was taken out of the books")


def _loose(sale_id: str, lines: _Feed, paid: _Feed, moved: _Feed) -> Iterator[Broken]:
    """Yield what belongs to no sale at all."""
    for word, feed in (("a line", lines), ("a payment", paid), ("a cash movement", moved)):
        for loose, rows in groupby(feed.before(sale_id), key=itemgetter(0)):
            which = ", ".join(str(row[1]) for row in islice(rows, 8))
            yield Broken(None, loose, "", None, "", f"does not exist, yet {word} of it does ({which})")


def _entries(session: Session, store_id: str) -> Iterator[Any]:
    subject = _sorted(session, JournalEntry.subject)
    query = sa.select(JournalEntry.subject, JournalEntry.n, _raw(JournalEntry.at), JournalEntry.body)
    query = query.where(JournalEntry.node_id == store_id, JournalEntry.verb.in_(VERBS)).order_by(
        subject, JournalEntry.n
    )
    for name, n, at, body in _stream(session, query):
        yield name.removeprefix("sale:"), n, at, body


def _sales(session: Session, store_id: str) -> Iterator[Any]:
    columns = [_raw(Sale.business_day) if name == "business_day" else getattr(Sale, name) for name in seal.SALE]
    query = sa.select(Sale.store_id, _raw(Sale.completed_at), Sale.customer_id, *columns, Sale.state)
    query = query.where(Sale.store_id == store_id).order_by(_sorted(session, Sale.id))
    day = 3 + seal.SALE.index("business_day")
    for row in _stream(session, query):
        values = list(row)
        values[1], values[day] = _instant(row[1]), _day(row[day])
        state = values.pop()
        yield tuple(values), state


def _lines(session: Session, store_id: str) -> Iterator[Any]:
    columns = [_raw(SaleLine.expires_on) if name == "expires_on" else getattr(SaleLine, name) for name in seal.LINE]
    query = sa.select(SaleLine.sale_id, *columns, _raw(SaleLine.business_day))
    query = query.where(SaleLine.store_id == store_id)
    query = query.order_by(_sorted(session, SaleLine.sale_id), SaleLine.n)
    expires = 1 + seal.LINE.index("expires_on")
    for row in _stream(session, query):
        if isinstance(row[-1], str) and (row[expires] is None or isinstance(row[expires], str)):
            yield row
        else:
            last_day = None if row[expires] is None else _day(row[expires])
            yield (*row[:expires], last_day, *row[expires + 1 : -1], _day(row[-1]))


def _payments(session: Session, store_id: str) -> Iterator[Any]:
    """Yield the payments a sale is paid with: its own captured ones, and those of a provider it has claimed."""
    own = sa.and_(Payment.provider.is_(None), Payment.state.in_(("captured", "reversed")))
    columns = (getattr(Payment, name) for name in seal.PAYMENT)
    query = sa.select(Payment.sale_id, *columns, Payment.provider, _raw(Payment.at))
    query = query.where(Payment.store_id == store_id, sa.or_(own, Payment.claimed_by == Payment.sale_id))
    yield from _stream(session, query.order_by(_sorted(session, Payment.sale_id), _sorted(session, Payment.id)))


def _cash(session: Session, store_id: str) -> Iterator[Any]:
    query = sa.select(
        CashMovement.source_id, CashMovement.id, CashMovement.kind, CashMovement.amount_minor,
        CashMovement.shift_id, _raw(CashMovement.at).label("at"), CashMovement.actor_id,
    )  # fmt: skip
    kinds = ("sale", "change", "refund")
    query = query.where(CashMovement.store_id == store_id, CashMovement.kind.in_(kinds))
    yield from _stream(session, query.order_by(_sorted(session, CashMovement.source_id), CashMovement.id))


def _stream(session: Session, query: sa.Select[Any]) -> Iterator[Any]:
    return iter(session.connection().execute(query, execution_options={"yield_per": AT_ONCE}))


def _raw(column: Any) -> sa.ColumnElement[Any]:
    """Return a column as the driver gives it: instants and days are only turned into text here."""
    return sa.type_coerce(column, sa.String())


def _sorted(session: Session, column: Any) -> Any:
    """Return the column to order by so that it sorts as Python does, by code points."""
    return column if session.get_bind().dialect.name == "sqlite" else column.collate("C")


def _instant(value: Any) -> str:
    return seal.instant(value) if isinstance(value, dt.datetime) else str(value)


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)

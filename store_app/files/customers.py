"""Customers brought in as a file, from another till or from the old book: what each agreed to, and what each owes.

Rules
-----
1. A row is a customer the store does not have yet: one whose number is known here, or without a number whose name is,
   is a fault of its row.
2. Only what stands in `agreed` is kept, as if the customer had said so on the day of the file; a number, a limit or a
   debt without it is a fault. Member prices online are agreed to at the till alone.
3. What is owed is carried over since `owed_since`, within the limit.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import money
from config.clock import business_day
from config.errors import DomainError, Invalid
from config.ids import new_id
from config.nodes.journal import Context
from config.words import LANGUAGES
from pos.customers import customers, tab
from pos.customers.customers import Customer, Particulars
from pos.store.store import Store
from store_app.files import cells
from store_app.files.cells import spoken
from store_app.words.refusals import sentence_of

NAME = cells.text(customers.NAME_LETTERS)
MAY_AGREE = ("phone", "tab", "points", "messages")


def _phone(cell: str) -> str:
    return str(NAME(cell.removesuffix(".0")))  # as a spreadsheet writes a number


def _agreed(cell: str) -> frozenset[str]:
    found = frozenset(re.split(r"[\s,;+|]+", cell.casefold().strip()))
    if not found <= set(MAY_AGREE):
        raise ValueError(f"some of {', '.join(MAY_AGREE)}, with blanks between them")
    return found


CELLS: tuple[dict[str, Callable[[str], Any]], dict[str, Callable[[str], Any]]] = (
    {"name": NAME},
    {
        "phone": _phone, "agreed": _agreed, "language": spoken, "limit": cells.price, "owed": cells.price,
        "owed_since": cells.day,
    },
)  # fmt: skip
"""Needed columns, possible columns, each with what reads its cells."""


def beside(session: Session, row: dict[str, Any], store_id: str, at: dt.datetime) -> Iterator[tuple[str, str]]:
    """Yield (column, what is wrong) of a row beside what is already here (rules 1 to 3)."""
    store = session.get(Store, store_id)
    if store is None or "name" not in row:
        return
    agreed, known = row.get("agreed", frozenset()), {"phone": "phone", "limit": "tab", "owed": "tab"}
    for column in (column for column, purpose in known.items() if row.get(column) and purpose not in agreed):
        yield column, f"is kept only where {known[column]} stands in agreed"
    for column in ("limit", "owed"):
        if row.get(column) and row[column] * 10 ** money.exponent(store.currency) % 1:
            yield column, f"has more than {money.exponent(store.currency)} decimals"
    if row.get("owed", 0) > row.get("limit", 0):
        yield "owed", "is more than the limit"
    if row.get("owed_since", dt.date.min) > business_day(at, store.tz, store.rollover_hour):
        yield "owed_since", "lies ahead"
    try:
        tidy = customers.tidied(_particulars(row, store), store.tz)
    except DomainError as refusal:
        yield str(refusal.facts.get("field", "name")), sentence_of(refusal)
        return
    same = Customer.phone == tidy.phone if tidy.phone else Customer.name == tidy.name
    query = sa.select(Customer.name).where(Customer.store_id == store_id, Customer.erased_at.is_(None), same)
    if (there := session.scalar(query.limit(1))) is not None:
        yield "phone" if tidy.phone else "name", f"is {there}'s, who is a customer here already"


def write(ctx: Context, row: dict[str, Any], store_id: str) -> None:
    """Add one customer, with what is owed (rules 2, 3)."""
    store = ctx.session.get(Store, store_id)
    if store is None:
        raise Invalid("of-a-store", "Customers belong to a store. Import the file on its node.")
    for column, words in beside(ctx.session, row, store_id, ctx.at):
        raise Invalid("bad-row", "%(column)s: %(words)s.", column=column, words=words.rstrip("."))
    added = customers.add(ctx, store, new_id(), _particulars(row, store))
    if owed_minor := _minor(row, "owed", store):
        since = row.get("owed_since") or business_day(ctx.at, store.tz, store.rollover_hour)
        tab.carry_over(ctx, store, added.id, owed_minor, since, id=new_id())


# --- inside ---


def _particulars(row: dict[str, Any], store: Store) -> Particulars:
    agreed = row.get("agreed", frozenset())
    return Particulars(
        name=row["name"],
        phone=row.get("phone", "") if "phone" in agreed else "",
        language=row.get("language", store.language if store.language in LANGUAGES else "en"),
        agreed=agreed,
        limit_minor=_minor(row, "limit", store) if "tab" in agreed else 0,
    )


def _minor(row: dict[str, Any], column: str, store: Store) -> int:
    return int(row.get(column, Decimal(0)).scaleb(money.exponent(store.currency)))

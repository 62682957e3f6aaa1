"""The counter a sale is rung at: store, till, open shift and what the person there may do, read in one statement."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import dialect_of, insert_into, table_of
from config.errors import Refused
from config.nodes.node import Node
from config.prepared import Prepared
from pos.store.permissions import SETTLED_SO, Limit, Rights
from pos.store.store import ReceiptCounter, Store, Till, store_of
from pos.till.shift_book import Shift


class Counter(NamedTuple):
    """The counter a sale is rung at, read in one statement and its shift locked: see `at_counter`."""

    shift_id: str
    state: str
    expected_minor: int
    totals: dict[str, Any]
    till_id: str
    till_name: str
    epoch: str
    store_id: str
    name: str
    address: str
    phone: str
    currency: str
    tz: str
    language: str
    rollover_hour: int
    smallest_coin_minor: int
    receipts_at: str
    tax_number: str
    logo_id: str | None
    sells_beyond: bool
    rights: Rights
    """Of the person who rings it."""


def at_counter(session: Session, store_id: str, till_id: str, role: str) -> Counter | None:
    """Return the counter with the till's unclosed shift, its row locked; None where no shift is open."""
    row = _COUNTER.first(session, {"store": store_id, "till": till_id, "role": role})
    if row is None:
        return None
    known = len(Counter._fields) - 1
    settled = None if row[known] is None else row[known:]
    counter = Counter._make((*row[:known], Rights(role, row[_CURRENCY], settled)))
    session.info["epoch"] = counter.epoch
    return counter


class Habits(NamedTuple):
    """What of a store a price, and whether something is sold, depends on."""

    tz: str
    rollover_hour: int
    smallest_coin_minor: int
    sells_beyond: bool


def habits_of(session: Session, store_id: str) -> Habits:
    """Return a store's habits; NotFound when there is no such store."""
    row = _HABITS.first(session, {"store": store_id})
    if row is None:
        store_of(session, store_id)  # says what is wrong
    return Habits(*row)


def open_counter(counter: Counter | None, till_id: str) -> Counter:
    """Return a counter that sells, or refuse with what to do first."""
    if counter is None:
        raise Refused("no-open-shift", "The till is closed. Open it with its float first.", till_id=till_id)
    if counter.state != "open":
        raise Refused(
            "no-open-shift", "The drawer is being counted. Finish or cancel the count first.", till_id=till_id
        )
    return counter


def next_receipt_no(session: Session, counter: Counter) -> int:
    """Raise the till's receipt counter and return the number: gapless, because it rises in the sale's transaction."""
    key = {"store_id": counter.store_id, "till_id": counter.till_id, "epoch": counter.epoch}
    return int(_raised(dialect_of(session)).first(session, key)[0])


@cache
def _raised(dialect: str) -> Prepared:
    counter, insert = table_of(ReceiptCounter), insert_into(ReceiptCounter, dialect)
    values: dict[str, Any] = {name: sa.bindparam(name) for name in ("store_id", "till_id", "epoch")}
    return Prepared(
        insert.values(**values, last_no=1)
        .on_conflict_do_update(index_elements=["store_id", "till_id", "epoch"], set_={"last_no": counter.c.last_no + 1})
        .returning(counter.c.last_no)
    )


_shift, _till, _store, _node = table_of(Shift), table_of(Till), table_of(Store), table_of(Node)
_limits, _CURRENCY = table_of(Limit).c, Counter._fields.index("currency")
_HABITS = Prepared(sa.select(*(_store.c[name] for name in Habits._fields)).where(_store.c.id == sa.bindparam("store")))
_COUNTER = Prepared(
    sa.select(
        *(_shift.c[name] for name in ("id", "state", "expected_minor", "totals")),
        *(_till.c[name] for name in ("id", "name")),
        _node.c.epoch,
        *(_store.c[name] for name in ("id", "name", "address", "phone", "currency", "tz", "language")),
        *(
            _store.c[name]
            for name in ("rollover_hour", "smallest_coin_minor", "receipts_at", "tax_number", "logo_id", "sells_beyond")
        ),
        *(_limits[name] for name in SETTLED_SO),
    )
    .select_from(_shift)
    .join(_store, _store.c.id == _shift.c.store_id)
    .join(_till, sa.and_(_till.c.store_id == _shift.c.store_id, _till.c.id == _shift.c.till_id))
    .join(_node, sa.true())
    .outerjoin(table_of(Limit), sa.and_(_limits.store_id == _store.c.id, _limits.role == sa.bindparam("role")))
    .where(
        _shift.c.store_id == sa.bindparam("store"),
        _shift.c.till_id == sa.bindparam("till"),
        _shift.c.state != "closed",
    )
    .with_for_update(of=_shift)
)

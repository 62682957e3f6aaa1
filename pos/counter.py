"""The counter a sale is rung at: shop, till and open shift, read in one statement."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.errors import Refused
from config.node import Node
from pos.shift import Shift
from pos.store import ReceiptCounter, Store, Till


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

    def snapshot(self) -> dict[str, Any]:
        """Return what a document prints about the store, as `store.snapshot` does."""
        names = ("name", "address", "phone", "currency", "tz", "language")
        return {"id": self.store_id} | {name: getattr(self, name) for name in names}


def at_counter(session: Session, store_id: str, till_id: str) -> Counter | None:
    """Return the counter with the till's unclosed shift, its row locked; None where no shift is open."""
    row = session.execute(_counter(session.get_bind().dialect.name), {"store": store_id, "till": till_id}).first()
    return None if row is None else Counter(*row)


def open_counter(counter: Counter | None, till_id: str) -> Counter:
    """Return a counter that sells, or refuse with what to do first."""
    if counter is None or counter.state != "open":
        told = (
            "is not open. Open it with its float"
            if counter is None
            else "is being counted. Finish or put off the count"
        )
        raise Refused("no-open-shift", f"This till {told}, then sell.", till_id=till_id)
    return counter


def next_receipt_no(session: Session, counter: Counter) -> int:
    """Raise the till's receipt counter and return the number: gapless, because it rises in the sale's transaction."""
    key = {"store_id": counter.store_id, "till_id": counter.till_id, "epoch": counter.epoch}
    return int(session.execute(_raised(session.get_bind().dialect.name), key).scalar_one())


@cache
def _raised(dialect: str) -> Any:
    counter = ReceiptCounter.__table__
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(counter)
    values: dict[str, Any] = {name: sa.bindparam(name) for name in ("store_id", "till_id", "epoch")}
    return (
        insert.values(**values, last_no=1)
        .on_conflict_do_update(index_elements=["store_id", "till_id", "epoch"], set_={"last_no": counter.c.last_no + 1})
        .returning(counter.c.last_no)
    )


@cache
def _counter(dialect: str) -> sa.Select[*tuple[Any, ...]]:
    query = (
        sa.select(
            Shift.id,
            Shift.state,
            Shift.expected_minor,
            Shift.totals,
            Till.id,
            Till.name,
            Node.epoch,
            Store.id,
            Store.name,
            Store.address,
            Store.phone,
            Store.currency,
            Store.tz,
            Store.language,
            Store.rollover_hour,
            Store.smallest_coin_minor,
        )
        .select_from(Shift)
        .join(Store, Store.id == Shift.store_id)
        .join(Till, sa.and_(Till.store_id == Shift.store_id, Till.id == Shift.till_id))
        .join(Node, sa.true())
        .where(Shift.store_id == sa.bindparam("store"), Shift.till_id == sa.bindparam("till"), Shift.state != "closed")
    )
    return query if dialect == "sqlite" else query.with_for_update(of=Shift)

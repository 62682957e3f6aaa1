"""Books of a busy store for measuring: thousands of completed sales with seals, journal and totals, written in bulk.

Every row is what the till itself would have written (`pos.sold.write_rows`, `pos.sale.seal`, `pos.till.totals`); only
the transactions are fewer.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Database, make_engine
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry, JournalHead
from config.nodes.node import this_node
from pos.facts import Paid, SaleCompleted, SoldLine, TaxRow
from pos.sale import seal
from pos.sold import write_rows
from pos.store.store import ReceiptCounter, snapshot, store_of
from pos.till import shift, totals
from pos.till.shift_book import Shift
from tests.benchmarks._node import STORE, TILL, fill

LINES, AT_ONCE = 5, 2000
BEGAN = dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)


def open_books(url: str) -> Database:
    """Found a small store with an open till."""
    fill(url, 50)
    return Database(make_engine(url))


def sell_many(database: Database, sales: int, first: int = 1) -> None:
    """Write sales `first`, `first` + 1, ... into the open shift, with journal, receipt counter and totals."""
    dice = random.Random(first)
    with database.write() as session:
        till_shift = shift.current(session, STORE, TILL)
        assert till_shift is not None
        about = {
            "store": snapshot(store_of(session, STORE)),
            "shift_id": till_shift.id,
            "epoch": this_node(session).epoch,
        }
    for start in range(first, first + sales, AT_ONCE):
        with database.write() as session:
            numbers = range(start, min(start + AT_ONCE, first + sales))
            _write(session, [_fact(number, about, dice) for number in numbers])


def _write(session: Session, facts: list[SaleCompleted]) -> None:
    till_shift = shift.current(session, STORE, TILL)
    head = session.get_one(JournalHead, STORE)
    assert till_shift is not None
    sums, entries, n, before = till_shift.totals, [], head.n, head.hash
    for fact in facts:
        write_rows(session, fact)
        sums, n = totals.with_sale(sums, fact), n + 1
        till_shift.expected_minor += sum(amount_minor for _, _, amount_minor in fact.cash)
        entry = {
            "node_id": STORE, "n": n, "at": dt.datetime.fromisoformat(fact.completed_at), "actor_id": fact.cashier_id,
            "actor_name": fact.cashier_name, "verb": f"{fact.kind}.completed", "subject": f"sale:{fact.id}",
            "body": journal.canonical({"receipt_no": fact.receipt_no, "total_minor": fact.total_minor,
                                       "lines": len(fact.lines), "seal": seal.of_sale(fact)}),
        }  # fmt: skip
        entry["hash"] = before = journal._hash(before, *entry.values())
        entries.append(entry)
    till_shift.totals, head.n, head.hash = sums, n, before
    session.execute(sa.insert(JournalEntry), entries)
    last = facts[-1]
    counter = session.get(ReceiptCounter, (STORE, TILL, last.epoch))
    if counter is None:
        session.add(ReceiptCounter(store_id=STORE, till_id=TILL, epoch=last.epoch, last_no=last.receipt_no))
    else:
        counter.last_no = last.receipt_no


def _fact(number: int, about: dict[str, Any], dice: random.Random) -> SaleCompleted:
    lines = tuple(_line(n, dice) for n in range(1, LINES + 1))
    total_minor, tax_minor = sum(line.total_minor for line in lines), sum(line.tax_minor for line in lines)
    given_minor = -(-total_minor // 500) * 500
    paid = [Paid(new_id(), "cash", given_minor, False, "")]
    if given_minor != total_minor:
        paid.append(Paid(new_id(), "cash", total_minor - given_minor, True, ""))
    at = BEGAN + dt.timedelta(seconds=number * 3)
    return SaleCompleted(
        **about,
        id=f"{dice.getrandbits(128):032x}",
        kind="sale",
        channel="counter",
        order_id=None,
        order_no=None,
        till_id=TILL,
        till_name="Till 1",
        receipt_no=number,
        cashier_id="ana",
        cashier_name="Ana",
        completed_at=at.isoformat(timespec="microseconds"),
        local_time=f"{at:%Y-%m-%d %H:%M}",
        business_day=at.date().isoformat(),
        currency="EUR",
        lines=lines,
        taxes=(TaxRow("A", "food", 700, total_minor - tax_minor, tax_minor, total_minor),),
        payments=tuple(paid),
        lines_minor=total_minor,
        rounding_minor=0,
        total_minor=total_minor,
        tax_minor=tax_minor,
        paid_minor=given_minor,
        change_minor=given_minor - total_minor,
        age_checked=None,
        returns_receipt_no=None,
        request_hash=f"{dice.getrandbits(256):064x}",
        cash=tuple((new_id(), "change" if row.is_change else "sale", row.amount_minor) for row in paid),
        movements=(),
    )


def _line(n: int, dice: random.Random) -> SoldLine:
    rank, qty = dice.randrange(50), dice.randint(1, 3)
    unit_minor = 99 + rank
    total_minor = qty * unit_minor
    tax_minor = (total_minor * 700 + 5350) // 10_700
    return SoldLine(
        n=n,
        sku=f"P{rank:05d}",
        name=f"Product {rank} of the shelf",
        qty=qty,
        stock_unit="each",
        unit_price_minor=unit_minor,
        price_quantity=1,
        discount_minor=0,
        offer="",
        total_minor=total_minor,
        net_minor=total_minor - tax_minor,
        tax_minor=tax_minor,
        tax_class_id="food",
        tax_letter="A",
        rate_bp=700,
        amount_minor=total_minor,
        list_price_minor=unit_minor,
    )


def closed(database: Database, counted_minor: int | None = None) -> Shift:
    """Count to the cent and close the open shift."""
    from config.nodes.journal import Actor

    actor = Actor("ana", "Ana", "shopkeeper", STORE)
    with database.write() as session:
        till_shift = shift.current(session, STORE, TILL)
        assert till_shift is not None
        counted = till_shift.expected_minor if counted_minor is None else counted_minor
        return shift.close(Context(session, actor, BEGAN + dt.timedelta(days=9)), till_shift, counted)

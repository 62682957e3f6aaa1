"""Another node's facts, written into these tables with that store's id.

Rules
-----
1. The rows are the same as at the store, ids included: written from the fact by the verbs that wrote them there.
2. A fact is applied once however often it comes, and in any order: every effect is a row with its own id or a sum
   of such rows (K9).
3. Stock moves here only by `sale.completed`, `stock.counted` and `stock.moved`, so that levels are those of the
   store once all its facts have arrived (K3 on both sides).
4. A batch of sales is written all at once where nothing is odd about it (`take_sales`); the rows are those of
   `take_sale`, and whatever is odd is left to it.
   One whose figures contradict each other is set aside, and counted nowhere.
5. A receipt number that a copied or restored till gave twice is no reason to lose the second sale: it is kept in an
   epoch of its own, and journalled.

The network keeps no receipt counter, no print job and no promise of a store's; those are the store's own.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from config.errors import Conflict, Invalid
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import applies, recovers
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message
from pos.facts import Moved, SaleCompleted, ShiftClosed, StockCounted, StockMoved
from pos.sold import Sale, write_all, write_rows
from pos.stock import changed_days
from pos.stock.ledger import Booking, Place, Source, book_many, replay
from pos.till.shift import keep_late
from pos.till.shift_book import CashMovement, Shift


@applies(SaleCompleted)
def take_sale(ctx: Context, fact: SaleCompleted) -> None:
    """Write a store's completed sale or return: rows, payments, drawer and stock."""
    store_id = fact.of()
    if (odd := fact.contradiction()) is not None:
        raise Invalid("sale-contradicts", "This sale contradicts itself: %(odd)s.", odd=odd, id=fact.id)
    day = dt.date.fromisoformat(fact.business_day)
    here = sa.select(Sale).where(Sale.store_id == store_id, Sale.business_day == day, Sale.id == fact.id)
    if (known := ctx.session.scalar(here)) is not None:
        if known.request_hash != fact.request_hash or known.total_minor != fact.total_minor:
            raise Conflict("sale-content-differs", "Sale %(id)s is already here with different content.", id=fact.id)
        return
    fact = _reported_apart(ctx.session, fact, ctx.at)
    write_rows(ctx.session, fact)
    keep_late(ctx.session, fact, at=ctx.at)
    changed_days.mark(ctx.session, store_id, [day], at=ctx.at)
    for booking in bookings_of(fact):
        replay(ctx.session, store_id, booking.moves, booking.source, day=day, at=booking.at, actor_id=booking.actor_id)


def take_sales(
    session: Session, messages: Sequence[Message], from_node: str, arrived_at: dt.datetime
) -> Sequence[Message]:
    """Write the completed sales among a store's facts all at once (rule 4); returns what is left to be taken singly."""
    read = {
        message.id: (message, SaleCompleted.from_body(message.body))
        for message in messages
        if message.topic == SaleCompleted.TOPIC
    }
    plain = {
        id_: fact
        for id_, (_, fact) in read.items()
        if (id_, read[id_][0].business_day) == (fact.id, fact.business_day)
        and fact.of() == from_node
        and fact.contradiction() is None
    }
    days = {dt.date.fromisoformat(fact.business_day) for fact in plain.values()}
    here = sa.select(Sale.id).where(
        Sale.store_id == from_node, Sale.business_day.in_(days), among(session, Sale.id, plain)
    )
    closed = sa.select(Shift.id).where(
        Shift.store_id == from_node, Shift.id.in_({fact.shift_id for fact in plain.values()}), Shift.state == "closed"
    )
    known, late = set(session.scalars(here)), set(session.scalars(closed))
    facts = [fact for fact in plain.values() if fact.id not in known and fact.shift_id not in late]
    if facts:
        write_all(session, facts)
        book_many(session, from_node, [booking for fact in facts for booking in bookings_of(fact)])
        changed_days.mark(session, from_node, days, at=arrived_at)
    taken = {fact.id for fact in facts}
    return [message for message in messages if message.id not in taken]


@applies(ShiftClosed)
def take_shift(ctx: Context, fact: ShiftClosed) -> None:
    """Write a store's closed shift and the cash that moved apart from its sales."""
    here = ctx.session.get(Shift, (fact.store_id, fact.id))
    if here is None or here.state != "closed":
        write_shift(ctx.session, fact)


def write_shift(session: Session, fact: ShiftClosed) -> None:
    """Write a shift as it was closed, over one that is still open here, and the cash that moved apart from sales."""
    values = {name: getattr(fact, name) for name in _SHIFT_SAME} | {
        "opened_at": dt.datetime.fromisoformat(fact.opened_at),
        "business_day": dt.date.fromisoformat(fact.business_day),
        "closed_at": dt.datetime.fromisoformat(fact.closed_at),
    }
    row = session.merge(Shift(**values, store_id=fact.store_id, id=fact.id))
    journal.mirror(row, "closed")
    session.flush()
    here = set(
        session.scalars(
            sa.select(CashMovement.id).where(
                CashMovement.store_id == fact.store_id, CashMovement.id.in_([row[0] for row in fact.cash])
            )
        )
    )
    session.add_all(
        CashMovement(
            store_id=fact.store_id,
            id=key,
            shift_id=fact.id,
            kind=kind,
            amount_minor=amount_minor,
            source_id=source_id,
            why=why,
            at=dt.datetime.fromisoformat(moved_at),
            actor_id=actor_id,
        )
        for key, kind, amount_minor, source_id, why, moved_at, actor_id in fact.cash
        if key not in here
    )
    session.flush()


@applies(StockCounted)
@recovers(StockCounted)
def take_count(ctx: Context, fact: StockCounted) -> None:
    """Write what a store's stock count found missing or too many."""
    _move(ctx.session, fact, Source("counted", "count", fact.id))


@applies(StockMoved)
@recovers(StockMoved)
def take_movements(ctx: Context, fact: StockMoved) -> None:
    """Write a store's other movements: opening, received, carried, wasted."""
    _move(ctx.session, fact, Source(fact.reason, fact.source_kind, fact.source_id))


def bookings_of(fact: SaleCompleted) -> list[Booking]:
    """Return what a sale moved: what went out, and what came back."""
    at, day = dt.datetime.fromisoformat(fact.completed_at), dt.date.fromisoformat(fact.business_day)
    out: list[Moved] = []
    back: list[Moved] = []
    for row in fact.movements:
        (out if row[4] == Place.CUSTOMER else back).append(row)
    return [
        Booking(moves, Source(reason, "sale", fact.id), day, at, fact.cashier_id)
        for reason, moves in (("sold", out), ("returned", back))
        if moves
    ]


# --- inside ---

_SHIFT_SAME = (
    "till_id", "opened_by", "opened_by_name", "expected_minor", "counted_minor", "over_short_minor", "z_no", "z_report",
    "totals", "held_by", "held_by_name", "counted_times",
)  # fmt: skip
"""What a shift's row and its fact call by the same name."""


def _reported_apart(session: Session, fact: SaleCompleted, at: dt.datetime) -> SaleCompleted:
    """Return the fact.

    Where its receipt number was given twice, by a copy of the store's books, in an epoch of its own.

    Both sales happened, so both are kept; the journal says so (rule 5).
    """
    store_id = fact.of()
    given = sa.select(Sale.id).where(
        Sale.store_id == store_id, Sale.till_id == fact.till_id, Sale.epoch == fact.epoch,
        Sale.receipt_no == fact.receipt_no,
    )  # fmt: skip
    first = session.scalar(given)
    if first is None:
        return fact
    journal.record(
        Context(session, Actor.system("sync", NETWORK), at), verb="receipt.given_twice", subject=f"store:{store_id}",
        till=fact.till_id, receipt_no=fact.receipt_no, first=first, second=fact.id)  # fmt: skip
    return dataclasses.replace(fact, epoch=f"{fact.epoch}+{fact.id}")


def _move(session: Session, fact: StockCounted | StockMoved, source: Source) -> None:
    at, day = dt.datetime.fromisoformat(fact.at), dt.date.fromisoformat(fact.business_day)
    replay(session, fact.store_id, fact.movements, source, day=day, at=at, actor_id=fact.actor_id)

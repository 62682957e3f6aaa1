"""The stock ledger: the book itself, its cached levels, promises and count tasks, and the one pen that writes in it.

`stock` has the verbs a store uses and its rules 1 to 7; this file holds them.

Units: quantities are stock units, > 0 in a movement; the direction is in its places.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, dialect_of, insert_into, table_of
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import facts, journal, outbox
from config.nodes.append_only import append_only
from config.nodes.facts import stamp
from config.nodes.journal import Context
from config.prepared import Prepared, PreparedForSome
from pos.catalogue.catalogue import Product
from pos.facts import Moved, StockCounted, StockMoved
from pos.store.store import Store, day_of

MOST_QTY = 10**9
"""No single movement is larger; anything above is a slip."""
MOVES_A_FACT = 1000


class Place(enum.StrEnum):
    """Where goods are; the second half is the outside world."""

    BACKROOM = "backroom"
    FLOOR = "floor"
    SHELF = "shelf"
    BIN = "bin"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    WASTE = "waste"
    UNEXPLAINED = "unexplained"
    DISPATCHED = "dispatched"
    """Left a network warehouse for a store."""


INSIDE = (Place.BACKROOM, Place.FLOOR, Place.SHELF, Place.BIN)


@append_only()
class StockMovement(Base):
    """qty units from one place to another."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("from_place <> to_place", name="places_differ"),
        sa.Index("ix_stock_movement_source", "store_id", "source_kind", "source_id"),
        sa.Index("ix_stock_movement_sku", "store_id", "sku", "business_day"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str]
    qty: Mapped[int]
    from_place: Mapped[str]
    to_place: Mapped[str]
    reason: Mapped[str]
    """sold, returned, received, moved, counted, wasted, opening, dispatched …"""
    source_kind: Mapped[str]
    """sale, delivery, count, refill, order, opening …"""
    source_id: Mapped[str]
    business_day: Mapped[dt.date]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


class StockLevel(Base):
    """Units of a product in a place: the sum of its movements."""

    __tablename__ = "stock_level"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]


@append_only()
class Reservation(Base):
    """Units promised to a pickup order (kind 'held'), or the answer to such a promise (answers_id set)."""

    __tablename__ = "reservation"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("(kind = 'held') = (answers_id is null)", name="answer_names_promise"),
        sa.UniqueConstraint("store_id", "answers_id"),
        sa.Index("ix_reservation_order", "store_id", "order_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    sku: Mapped[str]
    qty: Mapped[int]
    kind: Mapped[str]
    """held | fulfilled | released | expired"""
    answers_id: Mapped[str | None]
    at: Mapped[dt.datetime]


class CountTask(Base):
    """A product whose record is doubtful and wants counting."""

    __tablename__ = "count_task"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    opened_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]


@append_only()
class StockCount(Base):
    """What somebody counted of a product, also when the record was right; never changed."""

    __tablename__ = "stock_count"
    __table_args__ = (sa.Index("ix_stock_count_sku", "store_id", "sku", "at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The source of its movements, if there are any."""
    sku: Mapped[str]
    counted_qty: Mapped[int]
    before_qty: Mapped[int]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


@dataclass(frozen=True)
class Source:
    """Why goods move: the reason, and the document behind it. One source is booked once."""

    reason: str
    kind: str
    id: str


@dataclass(frozen=True)
class Booking:
    """Movements of one source, as they are written: (id, sku, qty, from place, to place) each."""

    moves: Sequence[Moved]
    source: Source
    day: dt.date
    at: dt.datetime
    actor_id: str


Lines = Iterable[tuple[str, int]]
Places = dict[str, dict[str, int]]
"""sku -> inside place -> units"""


class Holding(NamedTuple):
    """What is here of some products, and promised of them. promises: those of the order that is handed over."""

    places: Places
    held: dict[str, int]
    promises: Sequence[Reservation] = ()


# --- verbs ---


def book_and_report(
    ctx: Context, store_id: str, moves: list[Moved], source: Source, *, why: str = "", lot: str = "", **facts: Any
) -> None:
    """Write movements, journal them and tell the network (rule 7). why, lot: as the fact says them."""
    day = day_of(ctx.session, store_id, ctx.at)
    book(ctx.session, store_id, moves, source, day=day, at=ctx.at, actor_id=ctx.actor.id)
    subject = f"{source.kind}:{source.id}"
    facts |= {"why": why} if why else {}
    facts |= {"store": store_id, "lines": len(moves), "units": sum(row[2] for row in moves)}
    journal.record(ctx, verb=f"stock.{source.reason}", subject=subject, **facts)
    for start in range(0, len(moves), MOVES_A_FACT):
        fact = StockMoved(
            id=new_id(),
            store_id=store_id,
            reason=source.reason,
            source_kind=source.kind,
            source_id=source.id,
            business_day=day.isoformat(),
            at=stamp(ctx.at),
            actor_id=ctx.actor.id,
            movements=tuple(moves[start : start + MOVES_A_FACT]),
            why=why,
            lot=lot,
        )
        send(ctx.session, store_id, fact, subject, day, ctx.at)


def send(
    session: Session, store_id: str, fact: StockCounted | StockMoved, subject: str, day: dt.date, at: dt.datetime
) -> None:
    """Append a store's fact for the network; a warehouse's book stays at home (rule 7)."""
    if session.get(Store, store_id) is None:
        return
    facts.send(session, fact, id=fact.id, subject=subject, day=day, at=at)


def book(
    session: Session,
    store_id: str,
    moves: Sequence[Moved],
    source: Source,
    *,
    day: dt.date,
    at: dt.datetime,
    actor_id: str,
) -> None:
    """Write movements and levels together (rule 2)."""
    if not moves:
        return
    booking = Booking(moves, source, day, at, actor_id)
    _MOVED.run(session, _movement_rows(store_id, booking))
    _add_to_levels(dialect_of(session)).run(session, _level_rows(store_id, moves))


def book_many(session: Session, store_id: str, bookings: Sequence[Booking]) -> None:
    """Write many bookings and what they do to the levels together (rule 2)."""
    write_many(session, StockMovement, [row for one in bookings for row in _movement_rows(store_id, one)])
    rows = _level_rows(store_id, [move for one in bookings for move in one.moves])
    if dialect_of(session) == "postgresql":
        skus, places, qtys = ([row[name] for row in rows] for name in ("sku", "place", "qty"))
        session.execute(_ADD_ALL_TO_LEVELS, {"store": store_id, "skus": skus, "places": places, "qtys": qtys})
    elif rows:
        _add_to_levels(dialect_of(session)).run(session, rows)


def replay(
    session: Session,
    store_id: str,
    moves: Sequence[Moved],
    source: Source,
    *,
    day: dt.date,
    at: dt.datetime,
    actor_id: str,
) -> int:
    """Write another node's movements as they are, each once; returns how many were new (rule 7)."""
    known: set[str] = set()
    for start in range(0, len(moves), MOVES_A_FACT):
        ids = [row[0] for row in moves[start : start + MOVES_A_FACT]]
        known.update(
            session.scalars(
                sa.select(StockMovement.id).where(
                    StockMovement.store_id == store_id, StockMovement.business_day == day, StockMovement.id.in_(ids)
                )
            )
        )
    fresh = [row for row in moves if row[0] not in known]
    book(session, store_id, fresh, source, day=day, at=at, actor_id=actor_id)
    return len(fresh)


def open_count_tasks(session: Session, store_id: str, places: Places, at: dt.datetime) -> None:
    """Ask for a count of what is below zero or promised beyond what is there (rules 3, 5)."""
    ask_for_counts(session, store_id, doubtful(places, held_of(session, store_id, list(places))), at)


def ask_for_counts(session: Session, store_id: str, reasons: Mapping[str, str], at: dt.datetime) -> None:
    """Ask for a count of products, unless one is asked for already. reasons: SKU -> why."""
    for sku, reason in reasons.items():
        task = session.get(CountTask, (store_id, sku))
        if task is None:
            task = CountTask(store_id=store_id, sku=sku)
            session.add(task)
        elif task.done_at is None:
            continue
        task.reason, task.opened_at, task.done_at = reason, at, None


def answer_all(session: Session, promises: Sequence[Reservation], kind: str, *, at: dt.datetime) -> int:
    """Answer promises that nobody has answered (rule 4); returns how many there were."""
    session.add_all(
        Reservation(
            store_id=row.store_id, id=new_id(), order_id=row.order_id, sku=row.sku, qty=row.qty, kind=kind,
            answers_id=row.id, at=at,
        )
        for row in promises
    )  # fmt: skip
    session.flush()
    return len(promises)


# --- questions ---


def look(session: Session, store_id: str, skus: Sequence[str], order_id: str | None = None) -> Holding:
    """Return what is here and promised of some products, the levels locked. order_id: the order that takes its own."""
    promises = open_promises(session, store_id, order_id) if order_id else []
    places, held = locked(session, store_id, skus), held_of(session, store_id, skus)
    for one in promises:
        held[one.sku] = held.get(one.sku, 0) - one.qty
    return Holding(places, held, promises)


def leaving(holding: Holding, sold: Sequence[tuple[str, int]], *, from_bin: bool) -> tuple[list[Moved], dict[str, str]]:
    """Return the movements of what is sold (`stock`, rule 6), and which products want counting afterwards, and why.

    sold: as `tidy` sums it up. It never refuses: the loaf is in the customer's hand.
    """
    order = (Place.BIN,) * from_bin + (Place.FLOOR, Place.SHELF, Place.BACKROOM)
    moves: list[Moved] = []
    for sku, qty in sold:
        there, rest = holding.places[sku], qty
        parts: dict[Place, int] = {}
        for place in order:
            if part := min(rest, max(0, there.get(place, 0))):
                parts[place] = part
                rest -= part
        if rest:
            parts[Place.FLOOR] = parts.get(Place.FLOOR, 0) + rest
        moves += [(new_id(), sku, part, place, Place.CUSTOMER) for place, part in parts.items()]
    after = {sku: dict(by_place) for sku, by_place in holding.places.items()}
    shift_places(after, moves)
    return moves, doubtful(after, holding.held)


def doubtful(places: Places, held: Mapping[str, int]) -> dict[str, str]:
    """Return the products whose record is below zero, or of which more is promised than is there: SKU -> why."""
    found = {}
    for sku, by_place in places.items():
        if sum(by_place.values()) < held.get(sku, 0) > 0:
            found[sku] = "held-beyond-stock"
        elif any(qty < 0 for qty in by_place.values()):
            found[sku] = "below-zero"
    return found


def locked(session: Session, store_id: str, skus: Sequence[str]) -> Places:
    """Return what is where, the rows locked until the transaction ends."""
    places: Places = {sku: {} for sku in skus}
    for sku, place, qty in _LOCKED.all(session, {"store": store_id}, skus):
        places[sku][place] = qty
    return places


def shift_places(places: Places, moves: Sequence[Moved]) -> None:
    """Move units between the inside places of `places`, in memory."""
    for _, sku, qty, from_place, to_place in moves:
        by_place = places.setdefault(sku, {})
        for place, change in ((str(from_place), -qty), (str(to_place), qty)):
            if place in INSIDE:
                by_place[place] = by_place.get(place, 0) + change


def held_of(session: Session, store_id: str, skus: Sequence[str] | None) -> dict[str, int]:
    """Return the units promised and not yet answered, by SKU."""
    if skus is None:
        rows: Iterable[Any] = session.execute(_HELD, {"store": store_id})
    else:
        rows = _HELD_OF.all(session, {"store": store_id}, skus)
    return {sku: int(qty) for sku, qty in rows}


def unanswered(store_id: str, query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """Narrow a query of reservations to the promises nobody answered."""
    return query.where(Reservation.store_id == store_id, *_unanswered(Reservation, sa.orm.aliased(Reservation)))


def open_promises(session: Session, store_id: str, order_id: str) -> list[Reservation]:
    """Return an order's promises that nobody answered."""
    query = unanswered(store_id, sa.select(Reservation)).where(Reservation.order_id == order_id)
    return list(session.scalars(query.order_by(Reservation.sku)))


def tidy(lines: Lines) -> list[tuple[str, int]]:
    """Sum repeated products and sort by SKU: one lock order everywhere."""
    sums: dict[str, int] = {}
    for sku, qty in lines:
        if isinstance(qty, bool) or not isinstance(qty, int) or not 0 < qty <= MOST_QTY:
            raise Invalid("bad-quantity", "The quantity of %(sku)s must be 1 or more, not %(qty)s.", sku=sku, qty=qty)
        sums[sku] = sums.get(sku, 0) + qty
    if not sums:
        raise Invalid("no-lines", "Nothing to post. Add at least one product.")
    return sorted(sums.items())


def refuse_if_booked(session: Session, store_id: str, source: Source) -> None:
    """Raise Conflict when this source was booked before."""
    query = sa.select(StockMovement.id).where(
        StockMovement.store_id == store_id,
        StockMovement.source_kind == source.kind,
        StockMovement.source_id == source.id,
        StockMovement.reason == source.reason,
    )
    booked = session.scalar(query.limit(1)) is not None
    if booked or (source.kind == "count" and session.get(outbox.OutboxMessage, source.id) is not None):
        raise Conflict("already-booked", "This was already recorded.", kind=source.kind, id=source.id)


def refuse_unknown(session: Session, skus: Sequence[str]) -> None:
    """Raise NotFound, naming every SKU that is no product."""
    known: set[str] = set()
    for start in range(0, len(skus), MOVES_A_FACT):
        known.update(session.scalars(sa.select(Product.sku).where(Product.sku.in_(skus[start : start + MOVES_A_FACT]))))
    if missing := [sku for sku in skus if sku not in known]:
        raise NotFound(
            "unknown-product", "Product not found: %(missing)s.", missing=", ".join(missing[:10]), skus=missing
        )


def refuse_short(session: Session, short: list[tuple[str, int, int]]) -> None:
    """Refuse when anything is short: (sku, wanted, available) of every such line."""
    if not short:
        return
    query = sa.select(Product.sku, Product.shown).where(Product.sku.in_([sku for sku, _, _ in short]))
    names = dict(session.execute(query).all())
    raise Refused(
        "not-available",
        "Not enough stock at that location: %(short)s.",
        short=[
            {"sku": sku, "name": names.get(sku, sku), "wanted": wanted, "available": there}
            for sku, wanted, there in short
        ],
    )


def units_inside(session: Session, store_id: str, skus: Sequence[str]) -> dict[str, int]:
    """Return SKU -> the units in all rooms of a store together."""
    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == store_id, StockLevel.sku.in_(skus), StockLevel.place.in_(INSIDE)
    )
    return {sku: int(qty) for sku, qty in session.execute(query.group_by(StockLevel.sku))}


# --- inside ---


def _movement_rows(store_id: str, booking: Booking) -> list[dict[str, Any]]:
    source = booking.source
    common: dict[str, Any] = {
        "store_id": store_id, "reason": source.reason, "source_kind": source.kind, "source_id": source.id,
        "business_day": booking.day, "at": booking.at, "actor_id": booking.actor_id,
    }  # fmt: skip
    return [
        common | {"id": id_, "sku": sku, "qty": qty, "from_place": str(from_place), "to_place": str(to_place)}
        for id_, sku, qty, from_place, to_place in booking.moves
    ]


def _level_rows(store_id: str, moves: Sequence[Moved]) -> list[dict[str, Any]]:
    changes: Places = {}
    shift_places(changes, moves)
    return [
        {"store_id": store_id, "sku": sku, "place": place, "qty": qty}
        for sku, by_place in sorted(changes.items())
        for place, qty in sorted(by_place.items())
    ]


@cache
def _add_to_levels(dialect: str) -> Prepared:
    insert = insert_into(StockLevel, dialect)
    added = StockLevel.__table__.c.qty + insert.excluded.qty
    return Prepared(insert.on_conflict_do_update(index_elements=["store_id", "sku", "place"], set_={"qty": added}))


def _unanswered(promise: Any, reply: Any) -> tuple[sa.ColumnElement[bool], ...]:
    answered = sa.exists().where(reply.store_id == promise.store_id, reply.answers_id == promise.id)
    return promise.kind == "held", ~answered


_level, _promise = table_of(StockLevel).c, table_of(Reservation).c
_STORE = sa.bindparam("store", type_=sa.Text)
# every sale asks these, so the statements are made once
_MOVED = Prepared(sa.insert(table_of(StockMovement)))
_ADD_ALL_TO_LEVELS = sa.text(
    "INSERT INTO stock_level (store_id, sku, place, qty) SELECT CAST(:store AS text), * "
    "FROM unnest(CAST(:skus AS text[]), CAST(:places AS text[]), CAST(:qtys AS bigint[])) "
    "ON CONFLICT (store_id, sku, place) DO UPDATE SET qty = stock_level.qty + excluded.qty"
)
_LOCKED = PreparedForSome(
    lambda skus: (
        sa.select(_level.sku, _level.place, _level.qty)
        .where(_level.store_id == _STORE, _level.sku.in_(skus))
        .order_by(_level.sku, _level.place)
        .with_for_update()
    )
)
_HELD = (
    sa.select(_promise.sku, sa.func.sum(_promise.qty))
    .where(_promise.store_id == _STORE, *_unanswered(_promise, table_of(Reservation).alias().c))
    .group_by(_promise.sku)
)
_HELD_OF = PreparedForSome(lambda skus: _HELD.where(_promise.sku.in_(skus)))

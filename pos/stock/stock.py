"""What is in the store: an append-only ledger of movements, its cached levels, and promises to customers.

Rules
-----
1. A movement takes qty > 0 of a product from one place to another for a reason; the outside world is places too,
   so goods are neither made nor lost (K4). Movements are never changed, only answered.
2. StockLevel is a cache beside the ledger, written in the same function and recomputed by K3.
3. The till may drive the floor below zero (the loaf is in the customer's hand); that opens a count task. A store may
   settle that its tills stop at what the books have (`store.sell_beyond`, `quoting.refuse_beyond`).
4. A reservation is held, then answered once by another row: fulfilled, released or expired (K5). Only what is
   available may be reserved.
5. on hand = backroom + floor + shelf + bin; available = on hand - held. Held more than on hand opens a count task.
6. The till takes from the bin first when it hands over an order, then from floor, shelf and backroom as far as they
   reach; what is still missing comes off the floor.
7. A store's movements reach the network inside the fact they belong to: a sale's, a count's, else `stock.moved`. So
   both hold the same ledger, and no other fact moves stock there. A warehouse is no store; its book stays at home.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid
from config.ids import new_id
from config.nodes import journal
from config.nodes.facts import stamp
from config.nodes.journal import Context
from pos.facts import Moved, StockCounted
from pos.stock import producer_lots
from pos.stock.ledger import (
    INSIDE,
    MOST_QTY,
    CountTask,
    Lines,
    Place,
    Places,
    Reservation,
    Source,
    StockCount,
    StockLevel,
    StockMovement,
    answer_all,
    book,
    book_and_report,
    held_of,
    locked,
    open_count_tasks,
    open_promises,
    refuse_if_booked,
    refuse_short,
    refuse_unknown,
    send,
    shift_places,
    tidy,
)
from pos.store.store import day_of


@dataclass(frozen=True)
class Level:
    """How much of a product a store has (rule 5)."""

    on_hand: int
    held: int
    available: int
    by_place: dict[str, int]


# --- verbs ---


def open_stock(ctx: Context, store_id: str, lines: Lines, *, source_id: str) -> list[Moved]:
    """Lay in what is there when the book is opened: unexplained → backroom."""
    source = Source("opening", "opening", source_id)
    return _bring(ctx, store_id, lines, Place.UNEXPLAINED, Place.BACKROOM, source)


def undo_opening(ctx: Context, store_id: str, *, source_id: str) -> list[Moved]:
    """Take back what was laid in under this source: backroom → unexplained; refuses more than is there."""
    opened = sa.select(StockMovement.sku, StockMovement.qty).where(
        StockMovement.store_id == store_id, StockMovement.source_kind == "opening",
        StockMovement.source_id == source_id, StockMovement.reason == "opening",
    )  # fmt: skip
    lines = [(sku, qty) for sku, qty in ctx.session.execute(opened)]
    source = Source("undone", "opening", source_id)
    return _carry(ctx, store_id, lines, Place.BACKROOM, Place.UNEXPLAINED, source) if lines else []


def receive(ctx: Context, store_id: str, lines: Lines, *, source_kind: str = "delivery", source_id: str) -> list[Moved]:
    """Bring delivered units into the backroom (rules 1, 7).

    lines: [(sku, qty)], qty > 0 in stock units. Receiving the same source twice is a Conflict.
    """
    source = Source("received", source_kind, source_id)
    return _bring(ctx, store_id, lines, Place.SUPPLIER, Place.BACKROOM, source)


def move(
    ctx: Context,
    store_id: str,
    sku: str,
    qty: int,
    from_place: Place,
    to_place: Place,
    *,
    source: Source | None = None,
) -> list[Moved]:
    """Carry units from one place inside the store to another; refuses more than are there. source: None: a refill."""
    if from_place not in INSIDE or to_place not in INSIDE or from_place == to_place:
        raise Invalid("bad-place", "Choose two different places in the store.", places=[from_place, to_place])
    source = source or Source("moved", "refill", new_id())
    return _carry(ctx, store_id, [(sku, qty)], from_place, to_place, source)


def waste(
    ctx: Context,
    store_id: str,
    sku: str,
    qty: int,
    from_place: Place = Place.BACKROOM,
    *,
    why: str = "",
    source_id: str | None = None,
) -> list[Moved]:
    """Write units off as waste; refuses more than are in that place."""
    source = Source("wasted", "waste", source_id or new_id())
    return _carry(ctx, store_id, [(sku, qty)], from_place, Place.WASTE, source, why=why)


def dispatch(ctx: Context, warehouse_id: str, lines: Lines, *, source_id: str) -> list[Moved]:
    """Send units from a warehouse to a store: backroom → dispatched; refuses, naming every short line."""
    source = Source("dispatched", "order", source_id)
    return _carry(ctx, warehouse_id, lines, Place.BACKROOM, Place.DISPATCHED, source)


def count(
    ctx: Context,
    store_id: str,
    sku: str,
    counted_qty: int,
    *,
    count_id: str | None = None,
    found_in: Place = Place.FLOOR,
) -> StockCounted:
    """Post what was counted in the whole store: the difference becomes movements, the count task is done.

    Places below zero are put right first; missing units come off floor, shelf, backroom, bin in that order, found
    ones are put in found_in. count_id: the command's own id; the same one again answers Conflict.
    """
    if isinstance(counted_qty, bool) or not isinstance(counted_qty, int) or not 0 <= counted_qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter a count of 0 or more.", sku=sku, qty=counted_qty)
    source = Source("counted", "count", count_id or new_id())
    refuse_if_booked(ctx.session, store_id, source)
    refuse_unknown(ctx.session, [sku])
    before = locked(ctx.session, store_id, [sku])[sku]
    moves: list[Moved] = []
    for place, target in _spread(before, counted_qty, found_in).items():
        change = target - before.get(place, 0)
        if change > 0:
            moves.append((new_id(), sku, change, Place.UNEXPLAINED, place))
        elif change < 0:
            moves.append((new_id(), sku, -change, place, Place.UNEXPLAINED))
    day = day_of(ctx.session, store_id, ctx.at)
    book(ctx.session, store_id, moves, source, day=day, at=ctx.at, actor_id=ctx.actor.id)
    producer_lots.counted(ctx.session, store_id, sku, counted_qty)
    ctx.session.execute(
        sa.update(CountTask)
        .where(CountTask.store_id == store_id, CountTask.sku == sku, CountTask.done_at.is_(None))
        .values(done_at=ctx.at)
    )
    open_count_tasks(ctx.session, store_id, {sku: {Place.FLOOR: counted_qty}}, ctx.at)
    fact = StockCounted(
        id=source.id,
        store_id=store_id,
        sku=sku,
        counted_qty=counted_qty,
        on_hand_before=sum(before.values()),
        business_day=day.isoformat(),
        at=stamp(ctx.at),
        actor_id=ctx.actor.id,
        movements=tuple(moves),
    )
    facts = {"counted": counted_qty, "before": fact.on_hand_before}
    ctx.session.add(
        StockCount(
            store_id=store_id,
            id=source.id,
            sku=sku,
            counted_qty=counted_qty,
            before_qty=fact.on_hand_before,
            at=ctx.at,
            actor_id=ctx.actor.id,
        )
    )
    journal.record(ctx, verb="stock.counted", subject=f"product:{sku}", **facts)
    send(ctx.session, store_id, fact, f"count:{source.id}", day, ctx.at)
    return fact


def reserve(ctx: Context, store_id: str, order_id: str, lines: Lines) -> list[Reservation]:
    """Promise units to a pickup order (rule 4); refuses, naming every line that is short."""
    wanted = tidy(lines)
    if open_promises(ctx.session, store_id, order_id):
        raise Conflict("already-reserved", "The units for this order are already reserved.", order_id=order_id)
    skus = [sku for sku, _ in wanted]
    places = locked(ctx.session, store_id, skus)
    held = held_of(ctx.session, store_id, skus)
    available = {sku: sum(places[sku].values()) - held.get(sku, 0) for sku in skus}
    refuse_short(ctx.session, [(sku, qty, max(0, available[sku])) for sku, qty in wanted if qty > available[sku]])
    rows = [
        Reservation(store_id=store_id, id=new_id(), order_id=order_id, sku=sku, qty=qty, kind="held", at=ctx.at)
        for sku, qty in wanted
    ]
    ctx.session.add_all(rows)
    facts = {"units": sum(qty for _, qty in wanted)}
    journal.record(ctx, verb="stock.reserved", subject=f"order:{order_id}", **facts)
    ctx.session.flush()
    return rows


def answer(session: Session, store_id: str, order_id: str, kind: str, *, at: dt.datetime) -> int:
    """Answer an order's open promises: fulfilled, released or expired (rule 4); returns how many there were.

    An order without open promises is left as it is, so asking twice changes nothing.
    """
    if kind not in ("fulfilled", "released", "expired"):
        raise ValueError(f"a promise is not {kind}")
    return answer_all(session, open_promises(session, store_id, order_id), kind, at=at)


# --- questions ---


def levels(session: Session, store_id: str, skus: Sequence[str] | None = None) -> dict[str, Level]:
    """Return how much there is of every product that ever moved, or of the given ones (rule 5)."""
    query = sa.select(StockLevel.sku, StockLevel.place, StockLevel.qty).where(StockLevel.store_id == store_id)
    places: Places = {sku: {} for sku in skus or ()}
    for sku, place, qty in session.execute(query if skus is None else query.where(StockLevel.sku.in_(skus))):
        places.setdefault(sku, {})[place] = qty
    held = held_of(session, store_id, skus)
    return {
        sku: Level(on_hand := sum(by_place.values()), held.get(sku, 0), on_hand - held.get(sku, 0), by_place)
        for sku, by_place in places.items()
    }


# --- inside ---


def _bring(
    ctx: Context, store_id: str, lines: Lines, from_place: Place, to_place: Place, source: Source
) -> list[Moved]:
    wanted = tidy(lines)
    refuse_if_booked(ctx.session, store_id, source)
    refuse_unknown(ctx.session, [sku for sku, _ in wanted])
    moves: list[Moved] = [(new_id(), sku, qty, from_place, to_place) for sku, qty in wanted]
    book_and_report(ctx, store_id, moves, source)
    return moves


def _carry(
    ctx: Context, store_id: str, lines: Lines, from_place: Place, to_place: Place, source: Source, **facts: Any
) -> list[Moved]:
    wanted = tidy(lines)
    refuse_if_booked(ctx.session, store_id, source)
    places = locked(ctx.session, store_id, [sku for sku, _ in wanted])
    there = {sku: max(0, places[sku].get(from_place, 0)) for sku, _ in wanted}
    refuse_short(ctx.session, [(sku, qty, there[sku]) for sku, qty in wanted if qty > there[sku]])
    moves: list[Moved] = [(new_id(), sku, qty, from_place, to_place) for sku, qty in wanted]
    book_and_report(ctx, store_id, moves, source, **facts)
    if to_place not in INSIDE:
        producer_lots.gone(ctx.session, store_id, moves)
        shift_places(places, moves)
        open_count_tasks(ctx.session, store_id, places, ctx.at)
    return moves


def _spread(before: dict[str, int], counted_qty: int, found_in: Place) -> dict[str, int]:
    """Share a counted total over the places (see `count`)."""
    target = {place: max(0, qty) for place, qty in before.items()}
    surplus = counted_qty - sum(target.values())
    if surplus > 0:
        target[found_in] = target.get(found_in, 0) + surplus
    for place in (Place.FLOOR, Place.SHELF, Place.BACKROOM, Place.BIN):
        lost = min(target.get(place, 0), max(0, -surplus))
        if lost:
            target[place] -= lost
            surplus += lost
    return {str(place): qty for place, qty in target.items()}

"""Picking: what a warehouse's shops are to get is gathered by a list, and what was gathered leaves.

Rules
-----
1. A list takes what could be loaded now (`warehouse.ready`): confirmed orders that are due, accepted offers, goods of
   claims. What is on an open list is on no other, is loaded by nobody else, and stays promised until the list is done.
2. A product is picked once, for all its shops: who comes second is told who was first, and changes nothing. To change
   it, it is first put back and picked again, as long as the list has not left.
3. What is picked short has a reason, and is whole packs where whole packs were to go. Once every product was picked the
   list is picked; then it leaves, in one transaction: what was picked is loaded, and the shops are told what comes,
   what was promised and why less comes.
4. What is not picked is promised no longer once its order has left. Where it is missing the warehouse has no more of
   it: what no list has in hand is written off, but what is over, which stands there. Damaged and expired packs are
   written off. What is left for the next round is free again.
5. An order that was called off meanwhile, or of which nothing was picked, does not leave; the order then still waits.
   One shop's odd row keeps no other's goods waiting (`left_out`).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import journal
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.journal import Actor
from pos import batches
from pos.store import day_of
from supply import claim_book, left_out, pick_list, push, replacing, warehouse, warehouse_stock
from supply.claim_book import Claim
from supply.facts import Advised
from supply.orders import ReplenishmentOrder
from supply.pick_list import REASONS, STATES, PickLine, PickList, lines_of, pick_of, subject_of
from supply.suppliers import is_warehouse

Place = tuple[str, str, str]
"""Whom a line is for: (source, store id, source id)."""
WRITTEN_OFF = {"missing": "other", "damaged": "damaged", "expired": "expired"}


# --- verbs ---


def make(
    session: Session,
    warehouse_id: str,
    day: dt.date | None = None,
    *,
    shops: Collection[str] | None = None,
    actor: Actor,
    at: dt.datetime,
) -> PickList:
    """Put what can be loaded of a warehouse on a list (rule 1).

    day: as in `warehouse.dispatch_day`; shops: of whom alone; None: of all.
    """
    if not is_warehouse(session, warehouse_id):
        raise NotFound("unknown-warehouse", f"No supplier delivers from {warehouse_id}.", warehouse_id=warehouse_id)
    loads = [
        one for one in warehouse.ready(session, warehouse_id, day, at=at) if shops is None or one.store_id in shops
    ]
    if not loads:
        raise Refused("nothing-to-gather", "Nothing waits to be picked here. Share out and confirm the orders first.")
    number = sa.select(sa.func.max(PickList.pick_no)).where(PickList.warehouse_id == warehouse_id)
    made = PickList(
        id=new_id(), warehouse_id=warehouse_id, pick_no=int(session.scalar(number) or 0) + 1, state=STATES.first,
        made_at=at, made_by=actor.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(
        PickLine(
            pick_id=made.id, store_id=load.store_id, source=load.source, source_id=load.id, sku=line.sku,
            name=line.name, pack_qty=line.pack_qty, qty=line.qty,
        )
        for load in loads
        for line in load.lines
    )  # fmt: skip
    session.flush()
    journal.record(
        session, actor=actor, at=at, verb="pick list.made", subject=subject_of(made), warehouse=warehouse_id,
        shops=len({one.store_id for one in loads}), units=sum(line.qty for one in loads for line in one.lines),
    )  # fmt: skip
    return made


def pick(
    session: Session,
    pick_id: str,
    sku: str,
    picked: Mapping[Place, tuple[int, str]] | None = None,
    *,
    actor: Actor,
    at: dt.datetime,
) -> PickList:
    """Confirm a product for all its shops, once (rules 2, 3).

    picked: (units, why less) where it is not what the list says; whom it does not name gets all.
    """
    found = pick_of(session, pick_id)
    _refuse_closed(found)
    lines = _of_product(session, found, sku)
    if lines[0].picked_qty is not None:
        name, who = lines[0].name, lines[0].picked_by
        words = f"{who} picked {name} before. Open the list once more, or put it back to change it."
        raise Conflict("already-picked", words, name=name, who=who)
    for line in lines:
        qty, why = (picked or {}).get((line.source, line.store_id, line.source_id), (line.qty, ""))
        _confirm(line, qty, why, actor)
    told = [[one.store_id, one.qty, one.picked_qty, one.short_why] for one in lines]
    journal.record(session, actor=actor, at=at, verb="pick list.line", subject=subject_of(found), sku=sku, picked=told)
    _end_if_whole(session, found, actor, at)
    return found


def pick_rest(session: Session, pick_id: str, *, actor: Actor, at: dt.datetime) -> PickList:
    """Confirm everything nobody has picked yet as the list says it."""
    found = pick_of(session, pick_id)
    _refuse_closed(found)
    rest = [line for line in lines_of(session, found) if line.picked_qty is None]
    for line in rest:
        _confirm(line, line.qty, "", actor)
    units = sum(line.qty for line in rest)
    journal.record(session, actor=actor, at=at, verb="pick list.rest", subject=subject_of(found), units=units)
    _end_if_whole(session, found, actor, at)
    return found


def put_back(session: Session, pick_id: str, sku: str, *, actor: Actor, at: dt.datetime) -> PickList:
    """Let a product be picked again (rule 2)."""
    found = pick_of(session, pick_id)
    _refuse_closed(found)
    for line in _of_product(session, found, sku):
        line.picked_qty, line.short_why, line.picked_by = None, "", ""
    journal.record(session, actor=actor, at=at, verb="pick list.put_back", subject=subject_of(found), sku=sku)
    if found.state == "picked":
        journal.move(session, found, "picking", actor=actor, at=at, subject=subject_of(found))
    session.flush()
    return found


def drop(session: Session, pick_id: str, *, why: str, actor: Actor, at: dt.datetime) -> PickList:
    """Give a list up: what was on it waits to be loaded as before."""
    found = pick_of(session, pick_id)
    if not (why := " ".join(why.split())[:200]):
        raise Invalid("no-reason", "Say why the list is given up: the journal keeps it.", field="why")
    journal.move(session, found, "dropped", actor=actor, at=at, subject=subject_of(found), why=why)
    session.flush()
    return found


def send_off(session: Session, pick_id: str, *, actor: Actor, at: dt.datetime) -> list[str]:
    """Load what was picked and tell the shops (rules 3 to 5); returns the shop of each delivery that left."""
    found = pick_of(session, pick_id)
    if found.state == "picking":
        raise Refused("not-picked", "Not everything on this list was picked yet. Confirm the rest first.")
    lines = lines_of(session, found)
    loads: dict[Place, list[PickLine]] = {}
    for line in lines:
        loads.setdefault((line.source, line.store_id, line.source_id), []).append(line)
    journal.move(session, found, "dispatched", actor=actor, at=at, subject=subject_of(found))
    found.sent_at, gone = at, []
    for (source, store_id, source_id), mine in loads.items():
        with left_out.apart(session, "loading", store_id, actor=actor, at=at) as part:
            left = _load(session, found.warehouse_id, source, store_id, source_id, mine, actor=actor, at=at)
        if part.done and left:
            gone.append(store_id)
    _write_off(session, found, lines, actor, at)
    session.flush()
    return gone


# --- inside ---


def _refuse_closed(found: PickList) -> None:
    if found.state not in pick_list.OPEN:
        words = f"Pick list {found.pick_no} is {found.state}: nothing on it can be changed any more."
        raise Conflict("pick-over", words, no=found.pick_no, state=found.state)


def _of_product(session: Session, found: PickList, sku: str) -> list[PickLine]:
    lines = [line for line in lines_of(session, found) if line.sku == sku]
    if not lines:
        raise NotFound("not-on-pick", "This product is not on the list.", sku=sku)
    return lines


def _confirm(line: PickLine, qty: int, why: str, actor: Actor) -> None:
    if isinstance(qty, bool) or not 0 <= qty <= line.qty:
        words = f"{line.name}: type how many were picked, 0 to {line.qty}."
        raise Invalid("bad-pick", words, name=line.name, most=line.qty, sku=line.sku)
    if qty % line.pack_qty and not line.qty % line.pack_qty:
        words = f"{line.name} goes in whole packs of {line.pack_qty}."
        raise Invalid("not-whole-packs", words, name=line.name, pack_qty=line.pack_qty, sku=line.sku)
    if qty < line.qty and why not in REASONS:
        raise Invalid("no-short-reason", f"{line.name}: say why less was picked.", name=line.name, sku=line.sku)
    line.picked_qty, line.short_why, line.picked_by = qty, why if qty < line.qty else "", actor.name


def _end_if_whole(session: Session, found: PickList, actor: Actor, at: dt.datetime) -> None:
    session.flush()
    waits = sa.select(PickLine.sku).where(PickLine.pick_id == found.id, PickLine.picked_qty.is_(None)).limit(1)
    if found.state == "picking" and session.scalar(waits) is None:
        journal.move(session, found, "picked", actor=actor, at=at, subject=subject_of(found))
        session.flush()


def _load(
    session: Session,
    warehouse_id: str,
    source: str,
    store_id: str,
    source_id: str,
    lines: Sequence[PickLine],
    *,
    actor: Actor,
    at: dt.datetime,
) -> bool:
    """Load one shop's part of a list (rule 5); tells whether anything left."""
    told = [_advised(line) for line in lines]
    if not any(one.qty for one in told):
        return False
    if source == "order":
        order = session.get_one(ReplenishmentOrder, (store_id, source_id))
        if order.state != "acknowledged":
            return False
        warehouse.send_off(session, warehouse_id, order, told, actor=actor, at=at)
    elif source == "offer":
        offer = push.offer_of(session, store_id, source_id)
        if offer.state != "accepted":
            return False
        warehouse.send_off_offer(session, warehouse_id, offer, told[0], actor=actor, at=at)
    else:
        claim = session.get_one(Claim, (store_id, source_id))
        if claim not in claim_book.replacements_due(session):
            return False
        replacing.send_off(session, warehouse_id, claim, [one for one in told if one.qty], actor=actor, at=at)
    return True


def _advised(line: PickLine) -> Advised:
    """Return a line as its shop is told of it."""
    qty = line.picked_qty or 0
    promised = line.qty if qty < line.qty else None
    return Advised(line.sku, line.name, line.pack_qty, qty, promised_qty=promised, less_why=line.short_why)


def _write_off(session: Session, found: PickList, lines: Sequence[PickLine], actor: Actor, at: dt.datetime) -> None:
    """Write off what was found missing, damaged or expired (rule 4)."""
    short: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.short_why in WRITTEN_OFF:
            rest = line.qty - (line.picked_qty or 0)
            short[line.sku, line.short_why] = short.get((line.sku, line.short_why), 0) + rest
    house = found.warehouse_id
    in_hand, today = pick_list.in_hand(session, house), day_of(session, house, at)
    for sku, why in sorted(short, key=lambda one: (one[1] == "missing", one)):
        held = [
            one
            for one in batches.standing(session, house, [sku], day=today, forgets=False)[sku]
            if one.expires_on is None or one.expires_on >= today
        ]
        free = max(0, sum(one.qty for one in held) - in_hand.get(sku, 0))
        rest = free if why == "missing" else min(free, short[sku, why])
        for one in held:
            if qty := min(rest, one.qty):
                rest -= qty
                warehouse_stock.write_off(
                    session, house, sku, qty, lot_id=one.batch_id or "", reason=WRITTEN_OFF[why],
                    note=f"Pick list {found.pick_no}: {why}", id=new_id(), actor=actor, at=at,
                )  # fmt: skip

"""Picking: what a warehouse's stores are to get is gathered by a list, and what was gathered leaves.

Rules
-----
1. A list takes what could be loaded now (`warehouse.ready`): confirmed orders, accepted offers, goods of claims.
   What is on an open list is on no other, is loaded by nobody else, and stays promised until the list is done.
2. A list says from which lots its goods are taken, the first to leave first of those no other open list keeps; the
   store is told these lots. What its lots have no more of is taken from others. A product is picked once, for all its
   stores: who comes second is told who was first, and changes nothing. To change it, it is first put back and picked
   again, as long as the list has not left.
3. What is picked short has a reason, and is whole packs where whole packs were to go. Once every product was picked the
   list is picked; then it leaves, in one transaction: what was picked is loaded, and the stores are told what comes,
   what was promised and why less comes. What has passed its last day or was recalled since, or is in the book no more,
   stays.
4. What is not picked is promised no longer once its order has left. Where it is missing the warehouse has no more of
   it: what stood in the book when it was picked and no list had in hand is written off, but what is over or recalled,
   which stands there, and what came since. Damaged and expired packs are written off. What is left for the next route
   is free again.
5. What was called off meanwhile, waits for credit (`warehouse`, rule 3) or has nothing to load does not leave, and
   whoever sends the list off is told why (`STAYS`); it then still waits. One store's odd row keeps no other's goods
   waiting (`isolation`). A list of which nothing leaves is given up.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused, stated
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.stock import batches
from pos.stock.batches import Held
from pos.stock.waste import WriteOff
from pos.store.store import day_of
from supply import isolation
from supply.facts import Advised
from supply.money import credit
from supply.network.warehouse import dispatch, lots, pick_lists, pick_lots, replacements
from supply.network.warehouse.pick_lists import REASONS, STATES, PickLine, PickList, lines_of, pick_of, subject_of
from supply.orders import claims, locations, network_offers
from supply.orders.claims import Claim
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import require_warehouse

Place = tuple[str, str, str]
"""Whom a line is for: (source, store id, source id)."""
WRITTEN_OFF = {"missing": "other", "damaged": "damaged", "expired": "expired"}
STAYS = ("nothing", "called_off", "held", "over", "recalled", "gone", "odd")
"""Why a store's part stays: nothing was picked; it waits no more; its credit is held; what was picked is over,
recalled, or gone from the book; its rows cannot be worked on."""


@dataclass(frozen=True)
class SentOff:
    """What became of a list. gone: the store of each delivery that left; stayed: (store, one of STAYS) of the rest."""

    gone: tuple[str, ...]
    stayed: tuple[tuple[str, str], ...]


# --- verbs ---


def make(ctx: Context, warehouse_id: str, *, stores: Collection[str] | None = None) -> PickList:
    """Put what can be loaded of a warehouse on a list (rule 1). stores: of whom alone; None: of all."""
    require_warehouse(ctx.session, warehouse_id)
    locations.alone(ctx.session)
    loads = [
        one for one in dispatch.ready(ctx.session, warehouse_id, at=ctx.at) if stores is None or one.store_id in stores
    ]
    if not loads:
        raise Refused("nothing-to-gather", "Nothing to pick. Allocate and confirm the orders first.")
    number = sa.select(sa.func.max(PickList.pick_no)).where(PickList.warehouse_id == warehouse_id)
    made = PickList(
        id=new_id(), warehouse_id=warehouse_id, pick_no=int(ctx.session.scalar(number) or 0) + 1, state=STATES.first,
        made_at=ctx.at, made_by=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    lots = pick_lots.first_to_leave(ctx.session, warehouse_id, [line for load in loads for line in load.lines], ctx.at)
    ctx.session.add_all(
        PickLine(
            pick_id=made.id, store_id=load.store_id, source=load.source, source_id=load.id, sku=line.sku,
            name=line.name, pack_qty=line.pack_qty, qty=line.qty, lots=pick_lots.dealt(lots[line.sku], line.qty),
        )
        for load in loads
        for line in load.lines
    )  # fmt: skip
    ctx.session.flush()
    journal.record(
        ctx,
        verb="pick list.made",
        subject=subject_of(made),
        warehouse=warehouse_id,
        stores=len({one.store_id for one in loads}),
        units=sum(line.qty for one in loads for line in one.lines),
    )
    return made


def pick(ctx: Context, pick_id: str, sku: str, picked: Mapping[Place, tuple[int, str]] | None = None) -> PickList:
    """Confirm a product for all its stores, once (rules 2, 3).

    picked: (units, why less) where it is not what the list says; whom it does not name gets all.
    """
    found = pick_of(ctx.session, pick_id)
    lines = pick_lists.to_pick(ctx.session, found, sku)
    for line in lines:
        qty, why = (picked or {}).get((line.source, line.store_id, line.source_id), (line.qty, ""))
        _confirm(line, qty, why, ctx.actor)
    ctx.session.flush()
    _settle_lost(ctx.session, found, lines, ctx.at)
    reported = [[one.store_id, one.qty, one.picked_qty, one.short_why] for one in lines]
    journal.record(ctx, verb="pick list.line", subject=subject_of(found), sku=sku, picked=reported)
    _end_if_whole(ctx, found)
    return found


def pick_rest(ctx: Context, pick_id: str) -> PickList:
    """Confirm everything nobody has picked yet as the list says it."""
    found = pick_of(ctx.session, pick_id)
    pick_lists.refuse_closed(found)
    rest = [line for line in lines_of(ctx.session, found) if line.picked_qty is None]
    for line in rest:
        _confirm(line, line.qty, "", ctx.actor)
    units = sum(line.qty for line in rest)
    journal.record(ctx, verb="pick list.rest", subject=subject_of(found), units=units)
    _end_if_whole(ctx, found)
    return found


def put_back(ctx: Context, pick_id: str, sku: str) -> PickList:
    """Let a product be picked again (rule 2)."""
    found = pick_of(ctx.session, pick_id)
    pick_lists.refuse_closed(found)
    for line in pick_lists.of_product(ctx.session, found, sku):
        line.picked_qty, line.short_why, line.picked_by, line.lost_qty = None, "", "", 0
    journal.record(ctx, verb="pick list.put_back", subject=subject_of(found), sku=sku)
    if found.state == "picked":
        journal.move(ctx, found, "picking", subject=subject_of(found))
    ctx.session.flush()
    return found


def drop(ctx: Context, pick_id: str, *, why: str) -> PickList:
    """Give a list up: what was on it waits to be loaded as before."""
    found = pick_of(ctx.session, pick_id)
    why = stated(why, Invalid("no-reason", "Enter a reason. It will be recorded in the journal.", field="why"))
    journal.move(ctx, found, "dropped", subject=subject_of(found), why=why)
    ctx.session.flush()
    return found


def send_off(ctx: Context, pick_id: str) -> SentOff:
    """Load what was picked and tell the stores (rules 3 to 5)."""
    found = pick_of(ctx.session, pick_id)
    pick_lists.refuse_closed(found)
    if found.state == "picking":
        raise Refused("not-picked", "Some products on this list are not picked yet. Confirm them first.")
    locations.alone(ctx.session)
    lines, loads = lines_of(ctx.session, found), dict[Place, list[PickLine]]()
    for line in lines:
        loads.setdefault((line.source, line.store_id, line.source_id), []).append(line)
    kept, gone, stayed = pick_lists.in_hand(ctx.session, found.warehouse_id), list[str](), list[tuple[str, str]]()
    for place, mine in loads.items():
        lots, reported, why = *_taken(ctx.session, found, mine, ctx.at), "odd"
        with isolation.apart(ctx, "loading", place[1]) as part:
            why = _load(ctx, found, place, mine, reported, lots)
        if not part.done or why:
            stayed.append((place[1], why if part.done else "odd"))
            continue
        gone.append(place[1])
        for line, one in zip(mine, reported, strict=True):
            line.lots = []
            kept[one.sku] = kept.get(one.sku, 0) - one.qty
    found.sent_at = ctx.at if gone else None
    ends = "dispatched" if gone else "dropped"
    journal.move(ctx, found, ends, subject=subject_of(found), stayed=stayed)
    _write_off(ctx, found, lines, kept)
    ctx.session.flush()
    return SentOff(tuple(gone), tuple(stayed))


# --- inside ---


def _confirm(line: PickLine, qty: int, why: str, actor: Actor) -> None:
    if isinstance(qty, bool) or not 0 <= qty <= line.qty:
        raise Invalid(
            "bad-pick", "%(name)s: enter how many were picked, 0 to %(most)s.", name=line.name, most=line.qty,
            sku=line.sku,
        )  # fmt: skip
    if qty % line.pack_qty and not line.qty % line.pack_qty:
        raise Invalid(
            "not-whole-packs", "%(name)s is sold in whole packs of %(pack_qty)s.",
            name=line.name, pack_qty=line.pack_qty, sku=line.sku,
        )  # fmt: skip
    if qty < line.qty and why not in REASONS:
        raise Invalid("no-short-reason", "%(name)s: choose why less was picked.", name=line.name, sku=line.sku)
    line.picked_qty, line.short_why, line.picked_by = qty, why if qty < line.qty else "", actor.name


def _end_if_whole(ctx: Context, found: PickList) -> None:
    ctx.session.flush()
    waits = sa.select(PickLine.sku).where(PickLine.pick_id == found.id, PickLine.picked_qty.is_(None)).limit(1)
    if found.state == "picking" and ctx.session.scalar(waits) is None:
        journal.move(ctx, found, "picked", subject=subject_of(found))
        ctx.session.flush()


def _load(
    ctx: Context,
    found: PickList,
    place: Place,
    lines: Sequence[PickLine],
    reported: Sequence[Advised],
    lots: Sequence[Held],
) -> str:
    """Load one store's part of a list (rule 5); returns why it stays, '': it left."""
    (source, store_id, source_id), house = place, found.warehouse_id
    if not any(line.picked_qty for line in lines):
        return "nothing"
    whys = {one.less_why for one in reported}
    lost = "over" if "expired" in whys else "recalled" if "recalled" in whys else "gone"
    empty = "" if any(one.qty for one in reported) else lost
    if source == "order":
        order = ctx.session.get_one(ReplenishmentOrder, (store_id, source_id))
        if order.state != "acknowledged" or empty:
            return empty if order.state == "acknowledged" else "called_off"
        dispatch.send_off(ctx, house, order, reported, lots=lots)
    elif source == "offer":
        offer = network_offers.offer_of(ctx.session, store_id, source_id)
        if offer.state != "accepted" or empty:
            return empty if offer.state == "accepted" else "called_off"
        if dispatch.waits_for_credit(offer, credit.held_stores(ctx.session)):
            return "held"
        dispatch.send_off_offer(ctx, house, offer, reported[0], lots=lots)
    else:
        claim = ctx.session.get_one(Claim, (store_id, source_id))
        is_due = claim in claims.replacements_due(ctx.session)
        if not is_due or empty:
            return empty if is_due else "called_off"
        some = [one for one in reported if one.qty]
        replacements.send_off(ctx, house, claim, some, lots=lots)
    return ""


def _taken(
    session: Session, found: PickList, lines: Sequence[PickLine], at: dt.datetime
) -> tuple[list[Held], list[Advised]]:
    """Return from which lots one store's part leaves, and its lines as the store is told of them (rules 2, 3)."""
    house, today, skus = found.warehouse_id, day_of(session, found.warehouse_id, at), [line.sku for line in lines]
    standing = batches.standing(session, house, skus, day=today, forgets=False)
    sound = {
        sku: {one.batch_id for one in some} for sku, some in batches.sound(session, house, skus, day=today).items()
    }
    others = pick_lists.lots_kept(session, house, skus)
    taken, reported = list[Held](), list[Advised]()
    for line in lines:
        mine, bad, rest, why = dict[str, int](), 0, line.picked_qty or 0, ""
        lots = {one.batch_id or "": one for one in standing[line.sku]}
        for lot_id, part in line.lots_kept:
            others[line.sku, lot_id] -= part
            held = lots.get(lot_id)
            if held is not None and held.batch_id not in sound[line.sku]:
                bad += part
                why = why or _why_unsound(held, today)
            elif held is not None:
                mine[lot_id] = min(part, held.qty)
        for lot_id, held in lots.items():
            if held.batch_id in sound[line.sku]:
                free = max(0, held.qty - others.get((line.sku, lot_id), 0) - mine.get(lot_id, 0))
                mine[lot_id] = mine.get(lot_id, 0) + min(rest - bad - sum(mine.values()), free)
        qty = sum(mine.values())
        if not why and qty < rest > sum(part for _lot_id, part in line.lots_kept):  # of the rest no lot was named
            unsound = (held for held in lots.values() if held.batch_id not in sound[line.sku])
            why = next((_why_unsound(held, today) for held in unsound), "")
        spare = qty % line.pack_qty if qty < rest and line.qty % line.pack_qty == 0 else 0
        for lot_id in reversed(mine):
            off = min(spare, mine[lot_id])
            mine[lot_id], spare = mine[lot_id] - off, spare - off
        taken += [replace(held, qty=mine[lot_id]) for lot_id, held in lots.items() if mine.get(lot_id)]
        reported.append(_advised(line, sum(mine.values()), why=why))
    return taken, reported


def _why_unsound(held: Held, today: dt.date) -> str:
    return "expired" if held.expires_on is not None and held.expires_on < today else "recalled"


def _advised(line: PickLine, qty: int, *, why: str) -> Advised:
    """Return a line as its store is told of it. qty: what leaves of it; why: why something picked may not leave."""
    why = (why or "missing") if qty < (line.picked_qty or 0) else line.short_why
    promised = line.qty if qty < line.qty else None
    return Advised(line.sku, line.name, line.pack_qty, qty, promised_qty=promised, less_why=why)


def _sound(session: Session, house: str, skus: Sequence[str], at: dt.datetime) -> dict[str, list[Held]]:
    return batches.sound(session, house, skus, day=day_of(session, house, at))


def _settle_lost(session: Session, found: PickList, lines: Sequence[PickLine], at: dt.datetime) -> None:
    """Note what a product's lines will write off, as the book is now (rule 4)."""
    house, sku = found.warehouse_id, lines[0].sku
    for line in lines:
        line.lost_qty = line.qty - (line.picked_qty or 0) if line.short_why in ("damaged", "expired") else 0
    session.flush()
    first = next((line for line in lines if line.short_why == "missing"), None)
    if first is not None:
        stands = sum(one.qty for one in _sound(session, house, [sku], at)[sku])
        kept = pick_lists.in_hand(session, house).get(sku, 0) + pick_lists.lost(session, house, sku)
        first.lost_qty = max(0, stands - kept)


def _write_off(ctx: Context, found: PickList, lines: Sequence[PickLine], kept: Mapping[str, int]) -> None:
    """Write off what was found missing, damaged or expired (rule 4). kept: by SKU, what was picked and has not left."""
    short: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.lost_qty:
            short[line.sku, line.short_why] = short.get((line.sku, line.short_why), 0) + line.lost_qty
    house = found.warehouse_id
    for sku, why in sorted(short, key=lambda one: (one[1] == "missing", one)):
        held = _sound(ctx.session, house, [sku], ctx.at)[sku]
        rest = min(max(0, sum(one.qty for one in held) - kept.get(sku, 0)), short[sku, why])
        for one in held:
            if qty := min(rest, one.qty):
                rest -= qty
                note = f"Pick list {found.pick_no}: {why}"
                lots.write_off(ctx, house, WriteOff(sku, qty, WRITTEN_OFF[why], note, lot_id=one.batch_id), id=new_id())

"""The network's warehouse: what it has is shared out over the shops' orders, confirmed, and loaded on the van.

Rules
-----
1. Filling shares the free stock of each warehouse over all waiting orders at once (`allocation`), by what the network's
   own books say each shop needs (`fair_needs`). Free is what stands in the warehouse, can still be sold, and is
   promised to no confirmed order and no accepted offer.
2. An order gets its confirmed packs; one that gets nothing at all is rejected, and the shop proposes anew. One whose
   credit, or what is owed on account, waits for the operator waits too (`account_orders`).
3. Dispatching takes the goods out of the warehouse's book and tells the shop what is coming, in one transaction. What
   is no longer there is not loaded; the delivery says so. Offers that were accepted travel after the orders, likewise;
   one that is bought waits while its shop's credit is held.
4. A shop that sells a product and has no order waiting takes part with what it will need until the van after next:
   its share is kept back for it (`allocation`, rule 3). So who orders early gets no more than who orders later.
5. What leaves is taken from the lots that expire first, and the shop is told their day. A lot that is over is neither
   promised nor loaded nor bought for. What a shop sends back goes to the lots it left from.
6. An order is due as many days after its order day as the supplier promises, however late the shop has learnt to
   expect it: else late vans once would make every later order late by plan, and no shop would ever learn better.
7. What cannot be confirmed or loaded for one shop keeps nobody else's goods waiting (`left_out`).
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import journal, outbox
from config.database import lock_rows
from config.ids import new_id
from config.journal import Actor, JournalEntry
from config.node import NETWORK
from pos import batches, stock
from pos.batches import Held, Lot
from pos.stock import Place, StockLevel
from pos.store import day_of
from supply import account_orders, claim_book, claims, credit, deliveries, fair_needs, left_out, orders, push
from supply.allocation import fair_share
from supply.deliveries import Delivery
from supply.facts import (
    DELIVERY_DISPATCHED,
    ORDER_ACKNOWLEDGED,
    ORDER_DISPATCHED,
    VERSION,
    Advised,
    GoodsDispatched,
    OrderAcknowledged,
    stamp,
)
from supply.fair_needs import FairNeeds, Goods
from supply.orders import OrderLine, ReplenishmentOrder
from supply.push import PushOffer
from supply.suppliers import Supplier

# --- verbs ---


def fill(session: Session, *, actor: Actor | None = None, at: dt.datetime) -> list[ReplenishmentOrder]:
    """Share the stock out over every waiting order and confirm them (rules 1, 2); returns them."""
    actor = actor or Actor.system("warehouse", NETWORK)
    sent = _orders(session, "sent")
    on_hold = account_orders.hold_back(session, [order for order, _ in sent], actor=actor, at=at)
    waiting = [row for row in sent if (row[0].store_id, row[0].id) not in on_hold]
    lines = _lines(session, [order for order, _ in waiting])
    wanted: dict[Goods, list[OrderLine]] = {}
    for order, warehouse_id in waiting:
        for line in lines[order.store_id, order.id]:
            wanted.setdefault((warehouse_id, line.sku), []).append(line)
    needs = fair_needs.read(session, wanted, {order.store_id for order, _ in waiting}, at=at)
    given = _share(_free(session, at), wanted, needs)
    confirmed = []
    for order, _ in waiting:
        packs = tuple(
            (line.sku, given.get((line.store_id, line.order_id, line.sku), 0))
            for line in lines[order.store_id, order.id]
        )
        fact = OrderAcknowledged(store_id=order.store_id, order_id=order.id, packs=packs)
        with left_out.apart(session, "orders", fact.store_id, actor=actor, at=at) as part:
            orders.acknowledged(session, fact, actor=actor, at=at)
            _tell(session, fact.store_id, ORDER_ACKNOWLEDGED, fact, orders.subject_of(order), at, id=new_id())
        if part.done:
            confirmed.append(order)
    return confirmed


def dispatch_day(
    session: Session, day: dt.date | None = None, *, actor: Actor | None = None, at: dt.datetime
) -> list[ReplenishmentOrder]:
    """Load the confirmed orders due by the day after `day` (None: all of them) and the accepted offers (rules 3, 6).

    Returns the orders that left; one of which nothing is there any more waits.
    """
    actor = actor or Actor.system("warehouse", NETWORK)
    ready = _orders(session, "acknowledged")
    there = _in_stock(session, at)
    lines = _lines(session, [order for order, _ in ready])
    gone = []
    for order, warehouse_id in ready:
        with left_out.apart(session, "loading", order.store_id, actor=actor, at=at) as part:
            is_due = day is None or _due_day(session, order) <= day + dt.timedelta(days=1)
            loaded = _there(lines[order.store_id, order.id], warehouse_id, there) if is_due else []
            if loaded:
                _send_off(session, warehouse_id, order, loaded, actor=actor, at=at)
        if part.done and loaded:
            gone.append(order)
            for one in loaded:
                there[warehouse_id, one.sku] -= one.qty
    _dispatch_offers(session, actor=actor, at=at)
    _dispatch_replacements(session, actor=actor, at=at)
    return gone


def take_back(session: Session, delivery: Delivery, *, actor: Actor, at: dt.datetime) -> None:
    """Put goods a shop sent back at the door into the warehouse again, once."""
    supplier = session.get(Supplier, delivery.supplier_id)
    if supplier is None or supplier.warehouse_id is None:
        return
    movement = stock.StockMovement
    booked = sa.select(movement.id).where(
        movement.store_id == supplier.warehouse_id, movement.source_kind == "refused",
        movement.source_id == delivery.id,
    )  # fmt: skip
    sent = sa.select(movement.sku, movement.qty).where(
        movement.store_id == supplier.warehouse_id, movement.to_place == Place.DISPATCHED,
        movement.source_id == delivery.id,
    )  # fmt: skip
    lines = session.execute(sent).all()
    if lines and session.scalar(booked.limit(1)) is None:
        house = supplier.warehouse_id
        stock.receive(session, house, lines, source_kind="refused", source_id=delivery.id, at=at, actor=actor)
        back = lots_back(session, delivery, [(sku, qty) for sku, qty in lines])
        batches.lay_in(session, house, back, source_kind="refused", source_id=delivery.id, at=at)


# --- questions ---


def lots_back(session: Session, delivery: Delivery, back: Iterable[tuple[str, int]]) -> list[Lot]:
    """Return the lots in which goods of a delivery come back, as they left (rule 5). back: (SKU, units)."""
    told = {line.sku: line for line in deliveries.lines_of(session, delivery)}
    left: dict[str, list[tuple[int, str | None, str | None]]] = {}
    for sku, qty, batch, until in _lots_loaded(session, delivery):
        left.setdefault(sku, []).append((qty, batch, until))
    found = []
    for sku, units in back:
        rest = units
        for qty, batch, until in left.get(sku, ()):
            part = min(rest, qty)
            rest -= part
            found.append(Lot(sku, part, batch, dt.date.fromisoformat(until) if until else None))
        line = told.get(sku) if sku not in left else None  # what left without a lot, or before lots were written down
        found.append(Lot(sku, rest, line.batch, line.expires_on) if line else Lot(sku, rest))
    return [lot for lot in found if lot.qty]


def promised_of(session: Session, warehouse_id: str) -> dict[str, int]:
    """Return what a warehouse has promised to confirmed orders and accepted offers, by SKU."""
    sums: dict[str, int] = {}
    offers = [((house, offer.sku), offer.packs * offer.pack_qty) for offer, house in _accepted(session)]
    for (house, sku), qty in [*_promised(session).items(), *offers]:
        if house == warehouse_id:
            sums[sku] = sums.get(sku, 0) + qty
    return sums


# --- inside ---


def _orders(session: Session, state: str) -> list[tuple[ReplenishmentOrder, str]]:
    """Return the network's orders in a state with their warehouse, the longest waiting first, locked."""
    query = (
        sa.select(ReplenishmentOrder, Supplier.warehouse_id)
        .join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.state == state, Supplier.kind == NETWORK, Supplier.warehouse_id.is_not(None))
        .order_by(ReplenishmentOrder.sent_at, ReplenishmentOrder.store_id, ReplenishmentOrder.id)
    )
    return [(order, str(warehouse_id)) for order, warehouse_id in session.execute(lock_rows(session, query))]


def _lines(session: Session, found: Sequence[ReplenishmentOrder]) -> dict[tuple[str, str], list[OrderLine]]:
    lines: dict[tuple[str, str], list[OrderLine]] = {(order.store_id, order.id): [] for order in found}
    if not found:
        return lines
    states = {order.state for order in found}
    query = (
        sa.select(OrderLine)
        .join(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == OrderLine.store_id, ReplenishmentOrder.id == OrderLine.order_id),
        )
        .where(ReplenishmentOrder.state.in_(states))
        .order_by(OrderLine.name, OrderLine.sku)
    )
    for line in session.scalars(query):
        if (line.store_id, line.order_id) in lines:
            lines[line.store_id, line.order_id].append(line)
    return lines


def _share(
    free: Mapping[Goods, int], wanted: Mapping[Goods, Sequence[OrderLine]], needs: FairNeeds
) -> dict[tuple[str, str, str], int]:
    """Return the packs of every line; of a shop's lines the longest waiting first. A silent share stays where it is."""
    given: dict[tuple[str, str, str], int] = {}
    for goods, lines in wanted.items():
        by_shop: dict[tuple[str, int], list[OrderLine]] = {}
        for line in sorted(lines, key=lambda one: one.pack_qty):
            by_shop.setdefault((line.store_id, line.pack_qty), []).append(line)
        claims, asked = [], dict[str, int]()
        for (shop, pack_qty), mine in by_shop.items():
            claim = needs.claim(goods, mine, asked.get(shop, 0))
            asked[shop] = asked.get(shop, 0) + min(claim.packs, claim.need_packs) * pack_qty
            claims.append(claim)
        every = [*claims, *needs.silent_claims(goods)]
        shares = fair_share(free.get(goods, 0), every, needs.usual_qty(goods))[: len(claims)]
        for mine, share in zip(by_shop.values(), shares, strict=True):
            for line in mine:
                packs = min(line.packs, share)
                given[line.store_id, line.order_id, line.sku] = packs
                share -= packs
    return given


def _in_stock(session: Session, at: dt.datetime) -> dict[Goods, int]:
    """Return what stands ready in every warehouse and can still be sold (rule 5)."""
    query = sa.select(Supplier.warehouse_id).where(Supplier.warehouse_id.is_not(None)).distinct()
    houses = [str(one) for one in session.scalars(query)]
    ready = sa.select(StockLevel.store_id, StockLevel.sku, StockLevel.qty).where(
        StockLevel.store_id.in_(houses), StockLevel.place == Place.BACKROOM
    )
    there = {(house, sku): qty for house, sku, qty in session.execute(ready)}
    for house in houses:
        for sku, qty in batches.over(session, house, day=day_of(session, house, at)).items():
            there[house, sku] = max(0, there.get((house, sku), 0) - qty)
    return there


def _promised(session: Session) -> dict[Goods, int]:
    """Return what confirmed orders still have to get."""
    packs = sa.func.coalesce(OrderLine.packs_acknowledged, 0)
    query = (
        sa.select(Supplier.warehouse_id, OrderLine.sku, sa.func.sum(packs * OrderLine.pack_qty))
        .join(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == OrderLine.store_id, ReplenishmentOrder.id == OrderLine.order_id),
        )
        .join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.state == "acknowledged", Supplier.warehouse_id.is_not(None))
        .group_by(Supplier.warehouse_id, OrderLine.sku)
    )
    return {(str(warehouse_id), sku): int(qty) for warehouse_id, sku, qty in session.execute(query)}


def _accepted(session: Session) -> list[tuple[PushOffer, str]]:
    query = (
        sa.select(PushOffer, Supplier.warehouse_id)
        .join(Supplier, Supplier.id == PushOffer.supplier_id)
        .where(PushOffer.state == "accepted", PushOffer.terms.is_not(None), Supplier.warehouse_id.is_not(None))
        .order_by(PushOffer.offered_at, PushOffer.store_id, PushOffer.id)
    )
    return [(offer, str(warehouse_id)) for offer, warehouse_id in session.execute(lock_rows(session, query))]


def _free(session: Session, at: dt.datetime) -> dict[Goods, int]:
    free = _in_stock(session, at)
    for goods, qty in _promised(session).items():
        free[goods] = free.get(goods, 0) - qty
    for offer, warehouse_id in _accepted(session):
        goods = (warehouse_id, offer.sku)
        free[goods] = free.get(goods, 0) - offer.packs * offer.pack_qty
    return free


def _there(lines: Sequence[OrderLine], warehouse_id: str, there: Mapping[Goods, int]) -> list[Advised]:
    """Return what of an order's promised packs is there."""
    found = []
    for line in lines:
        packs = min(line.packs_acknowledged or 0, there.get((warehouse_id, line.sku), 0) // line.pack_qty)
        if packs > 0:
            found.append(Advised(line.sku, line.name, line.pack_qty, packs * line.pack_qty))
    return found


def _due_day(session: Session, order: ReplenishmentOrder) -> dt.date:
    """Return the day an order is to be at its shop (rule 6)."""
    promised = session.get_one(Supplier, order.supplier_id).lead_time_days
    return min(order.delivery_day, order.order_day + dt.timedelta(days=promised))


def _send_off(
    session: Session,
    warehouse_id: str,
    order: ReplenishmentOrder,
    loaded: Sequence[Advised],
    *,
    actor: Actor,
    at: dt.datetime,
) -> None:
    fact = GoodsDispatched(
        store_id=order.store_id,
        delivery_id=new_id(),
        supplier_id=order.supplier_id,
        order_id=order.id,
        push_id=None,
        expected_day=max(_due_day(session, order), day_of(session, order.store_id, at)).isoformat(),
        advised_at=stamp(at),
        acknowledged=tuple((line.sku, line.packs_acknowledged or 0) for line in orders.lines_of(session, order)),
        lines=tuple(_dated(session, warehouse_id, loaded, at)),
    )
    _load(session, warehouse_id, fact, actor=actor, at=at)
    _tell(session, order.store_id, ORDER_DISPATCHED, fact, orders.subject_of(order), at, id=fact.delivery_id)


def _dispatch_offers(session: Session, *, actor: Actor, at: dt.datetime) -> None:
    """Load of every accepted offer what is there beside what is promised to orders, in whole packs (`push`, rule 6)."""
    there = _in_stock(session, at)
    promised, held = _promised(session), credit.held_shops(session)
    for offer, warehouse_id in _accepted(session):
        if offer.return_until is None and offer.store_id in held:  # bought on account; it waits, as an order would
            push.call_off_if_over(session, offer, actor=actor, at=at)
            continue
        goods = (warehouse_id, offer.sku)
        packs = min(offer.packs, (there.get(goods, 0) - promised.get(goods, 0)) // offer.pack_qty)
        if packs <= 0:
            push.call_off_if_over(session, offer, actor=actor, at=at)
            continue
        qty = packs * offer.pack_qty
        fact = GoodsDispatched(
            store_id=offer.store_id,
            delivery_id=new_id(),
            supplier_id=offer.supplier_id,
            order_id=None,
            push_id=offer.id,
            expected_day=(day_of(session, offer.store_id, at) + dt.timedelta(days=1)).isoformat(),
            advised_at=stamp(at),
            acknowledged=(),
            lines=tuple(_dated(session, warehouse_id, [Advised(offer.sku, offer.name, offer.pack_qty, qty)], at)),
        )
        with left_out.apart(session, "loading", fact.store_id, actor=actor, at=at):
            _load(session, warehouse_id, fact, actor=actor, at=at)
            push.dispatched(session, offer.store_id, offer.id, actor=actor, at=at)
            _tell(session, offer.store_id, DELIVERY_DISPATCHED, fact, push.subject_of(offer), at, id=fact.delivery_id)
            there[goods] -= qty


def _dispatch_replacements(session: Session, *, actor: Actor, at: dt.datetime) -> None:
    """Load the replacement of every claim that is to get one and whose goods are all there."""
    there, promised = _in_stock(session, at), _promised(session)
    for claim in claim_book.replacements_due(session):
        supplier, delivery_id = session.get(Supplier, claim.supplier_id), claim_book.replacement_id(claim.id)
        if supplier is None or supplier.warehouse_id is None:
            continue
        wanted: dict[str, Advised] = {}
        for line in claim_book.lines_of(session, claim):
            if line.granted_qty and line.kind != "over":
                qty = line.granted_qty + (wanted[line.sku].qty if line.sku in wanted else 0)
                wanted[line.sku] = Advised(line.sku, line.name, line.pack_qty, qty)
        goods = {sku: (supplier.warehouse_id, sku) for sku in wanted}
        if not wanted:  # granted before what came too many was refused a replacement: its money is there already
            claims.end(session, claim, "compensated", actor=actor, at=at)
            continue
        if any(there.get(goods[sku], 0) - promised.get(goods[sku], 0) < one.qty for sku, one in wanted.items()):
            continue
        fact = GoodsDispatched(
            store_id=claim.store_id,
            delivery_id=delivery_id,
            supplier_id=supplier.id,
            order_id=None,
            push_id=None,
            expected_day=(day_of(session, claim.store_id, at) + dt.timedelta(days=1)).isoformat(),
            advised_at=stamp(at),
            acknowledged=(),
            lines=tuple(_dated(session, supplier.warehouse_id, list(wanted.values()), at)),
        )
        with left_out.apart(session, "loading", fact.store_id, actor=actor, at=at):
            _load(session, supplier.warehouse_id, fact, actor=actor, at=at)
            _tell(session, fact.store_id, DELIVERY_DISPATCHED, fact, claim_book.subject_of(claim), at, id=delivery_id)
            for sku, one in wanted.items():
                there[goods[sku]] -= one.qty


def _dated(session: Session, warehouse_id: str, lines: Sequence[Advised], at: dt.datetime) -> list[Advised]:
    """Return the lines with the first last day of the lots they are taken from (rule 5)."""
    first: dict[str, Held] = {}
    for held in _lots(session, warehouse_id, lines, at):
        if held.expires_on is not None:
            first.setdefault(held.sku, held)
    told = []
    for line in lines:
        known = first.get(line.sku)
        until = known.expires_on.isoformat() if known and known.expires_on else None
        told.append(replace(line, batch=known.batch if known else None, expires_on=until))
    return told


def _lots(session: Session, warehouse_id: str, lines: Sequence[Advised], at: dt.datetime) -> list[Held]:
    """Return what of which lots is taken, first to leave first; a lot that is over is left (rule 5)."""
    today = day_of(session, warehouse_id, at)
    standing = batches.standing(session, warehouse_id, [line.sku for line in lines], day=today, forgets=False)
    taken = []
    for line in lines:
        rest = line.qty
        for held in standing[line.sku]:
            if rest and (held.expires_on is None or held.expires_on >= today):
                taken.append(replace(held, qty=min(rest, held.qty)))
                rest -= min(rest, held.qty)
    return taken


def _load(session: Session, warehouse_id: str, fact: GoodsDispatched, *, actor: Actor, at: dt.datetime) -> None:
    lines = [(line.sku, line.qty) for line in fact.lines]
    taken = [held for held in _lots(session, warehouse_id, fact.lines, at) if held.batch_id]
    batches.take_from(session, warehouse_id, [(str(held.batch_id), held.qty) for held in taken])
    stock.dispatch(session, warehouse_id, lines, source_id=fact.delivery_id, at=at, actor=actor)
    orders.dispatched(session, fact, actor=actor, at=at)
    units = sum(qty for _, qty in lines)
    journal.record(
        session, actor=actor, at=at, verb="warehouse.dispatched", subject=f"delivery:{fact.delivery_id}",
        store=fact.store_id, units=units,
        lots=[[one.sku, one.qty, one.batch, one.expires_on.isoformat() if one.expires_on else None] for one in taken],
    )  # fmt: skip


def _lots_loaded(session: Session, delivery: Delivery) -> list[list[Any]]:
    """Return the lots a delivery was loaded from: [SKU, units, batch, last day]."""
    query = sa.select(JournalEntry.body).where(
        JournalEntry.subject == deliveries.subject_of(delivery), JournalEntry.verb == "warehouse.dispatched"
    )
    body = session.scalars(query.limit(1)).first()
    return list(json.loads(body).get("lots", [])) if body else []


def _tell(
    session: Session,
    store_id: str,
    topic: str,
    fact: OrderAcknowledged | GoodsDispatched,
    subject: str,
    at: dt.datetime,
    *,
    id: str,
) -> None:
    outbox.append(
        session, to_node=store_id, topic=topic, version=VERSION, body=fact.to_body(), id=id, subject=subject,
        business_day=day_of(session, store_id, at), at=at,
    )  # fmt: skip

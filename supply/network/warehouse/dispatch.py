"""The network's warehouse: what it has is shared out over the stores' orders, confirmed, and loaded on the vehicle.

Rules
-----
1. Filling shares the free stock of each warehouse over all waiting orders at once (`allocation`), by what the network's
   own books say each store needs (`allocation`). Free is what stands in the warehouse, can still be sold, and is
   promised to no confirmed order and no accepted offer.
2. An order gets its confirmed packs; one that gets nothing at all is rejected, and the store proposes again. One whose
   credit, or what is owed on account, waits for the operator waits too (`account_orders`).
3. From a warehouse that works by lists only what was picked leaves (`picking`, `locations`); from any other everything
   that is due can be loaded at once, but for what stands on a list. Dispatching takes the goods out of the warehouse's
   book and tells the store what is coming, in one transaction. What is no longer there is not loaded; the delivery says
   so. Offers that were accepted travel after the orders, likewise; one that is bought waits while its store's credit is
   held. Last go replacements of claims (`replacements`).
4. A store that sells a product and has no order for it waiting takes part with what it will need until the vehicle
   after next: its share is kept back for it (`allocation`, rule 3). So who orders early gets no more than who orders
   later.
5. What leaves is taken from lots (`loading`). A lot that is over or recalled is neither promised nor loaded, and what
   it holds is bought again.
6. To which route an order belongs, and when it is due, is the network's to say (`order_days`); the longest waiting of a
   route is loaded first.
7. Sharing out, listing and loading go one after the other, so that no goods are taken twice (`locations`, rule 4).
8. What cannot be confirmed or loaded for one store keeps nobody else's goods waiting (`isolation`).
9. A line whose packs an operator has set (`promising`) gets those, as far as they are there; the rest is shared as if
   they were gone.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.ids import NETWORK, new_id
from config.nodes.facts import stamp
from config.nodes.journal import Context
from pos.stock import batches, stock
from pos.stock.batches import Held
from pos.stock.ledger import Place, StockLevel, StockMovement
from pos.store.store import day_of, send_fact
from supply import isolation
from supply.facts import (
    Advised,
    OrderAcknowledged,
    OrderDispatched,
)
from supply.money import account_orders, credit
from supply.network.warehouse import allocation, loading, pick_lists, replacements
from supply.network.warehouse.allocation import Goods, Scarcity, Share
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders import claims, locations, network_offers, order_days, orders, promise_changes
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.promise_changes import PromiseChange
from supply.orders.suppliers import Supplier

Key = tuple[str, str, str]
"""(store id, order id, SKU)"""


@dataclass(frozen=True)
class Shared:
    """How stock is shared over waiting orders.

    packs: of every line; by_rule: of the lines an operator set, what they would have got; shares: those the rule made
    of what was left.
    """

    packs: Mapping[Key, int]
    by_rule: Mapping[Key, int]
    scarce: Mapping[Goods, Scarcity]
    shares: Mapping[Goods, Sequence[Share]]


@dataclass(frozen=True)
class Load:
    """What goes to a store at once. source, id: one of `pick_lists.SOURCES` and which it is."""

    source: str
    store_id: str
    id: str
    lines: tuple[Advised, ...]


# --- verbs ---


def fill(ctx: Context) -> list[ReplenishmentOrder]:
    """Share the stock out over every waiting order and confirm them (rules 1, 2, 9); returns them."""
    locations.alone(ctx.session)
    sent = _orders(ctx.session, "sent")
    on_hold = account_orders.hold_back(ctx, [order for order, _ in sent])
    waiting = [row for row in sent if (row[0].store_id, row[0].id) not in on_hold]
    lines = _lines(ctx.session, [order for order, _ in waiting])
    changes = promise_changes.of_orders(ctx.session, [order for order, _ in sent])
    shared = share(ctx.session, waiting, lines, changes, at=ctx.at)
    confirmed = []
    for order, warehouse_id in waiting:
        mine = lines[order.store_id, order.id]
        packs = tuple((line.sku, shared.packs.get((line.store_id, line.order_id, line.sku), 0)) for line in mine)
        fact = OrderAcknowledged(store_id=order.store_id, order_id=order.id, packs=packs)
        with isolation.apart(ctx, "orders", fact.store_id) as part:
            orders.acknowledged(ctx, fact)
            for line in mine:
                change = changes.get((line.store_id, line.order_id, line.sku))
                if change is not None:
                    change.rule_packs = shared.by_rule.get((line.store_id, line.order_id, line.sku), 0)
                    change.packs = line.packs_expected
                elif line.packs_expected < line.packs:
                    line.why = line.why | {"scarce": asdict(shared.scarce[warehouse_id, line.sku])}
            send_fact(ctx.session, fact, subject=orders.subject_of(order), at=ctx.at)
            if order.promise_step:
                send_promise(ctx, order)
        if part.done:
            confirmed.append(order)
    return confirmed


def dispatch_day(ctx: Context, *, everything: bool = False) -> list[ReplenishmentOrder]:
    """Load the confirmed orders due by tomorrow, or all of them, and the accepted offers (rules 3, 6).

    Tomorrow is by each warehouse's clock; on a day on which none of its vehicles goes only everything leaves it.
    Returns the orders that left; one of which nothing is there any more waits.
    """
    locations.alone(ctx.session)
    picking, by_list = pick_lists.being_picked(ctx.session), locations.by_list(ctx.session)
    if not everything:
        by_list |= locations.resting(ctx.session, at=ctx.at)
    ready = [
        (order, house)
        for order, house in _orders(ctx.session, "acknowledged")
        if house not in by_list and ("order", order.store_id, order.id) not in picking
    ]
    there = _loadable(ctx.session, ctx.at)
    lines = _lines(ctx.session, [order for order, _ in ready])
    gone = []
    for order, warehouse_id in ready:
        with isolation.apart(ctx, "loading", order.store_id) as part:
            tomorrow = day_of(ctx.session, warehouse_id, ctx.at) + dt.timedelta(days=1)
            is_due = everything or order_days.due_day(ctx.session, order) <= tomorrow
            loaded = _there(lines[order.store_id, order.id], warehouse_id, there) if is_due else []
            if loaded:
                send_off(ctx, warehouse_id, order, loaded)
        if part.done and loaded:
            gone.append(order)
            for one in loaded:
                there[warehouse_id, one.sku] -= one.qty
    _dispatch_offers(ctx, by_list)
    promised = _promised(ctx.session, is_listed=False)
    replacements.dispatch(ctx, _loadable(ctx.session, ctx.at), promised, by_list)
    return gone


def take_back(ctx: Context, delivery: Delivery) -> None:
    """Put goods a store sent back at the door into the warehouse again, once."""
    supplier = ctx.session.get(Supplier, delivery.supplier_id)
    if supplier is None or supplier.warehouse_id is None:
        return
    movement = StockMovement
    booked = sa.select(movement.id).where(
        movement.store_id == supplier.warehouse_id, movement.source_kind == "refused",
        movement.source_id == delivery.id,
    )  # fmt: skip
    sent = sa.select(movement.sku, movement.qty).where(
        movement.store_id == supplier.warehouse_id, movement.to_place == Place.DISPATCHED,
        movement.source_id == delivery.id,
    )  # fmt: skip
    lines = ctx.session.execute(sent).all()
    if lines and ctx.session.scalar(booked.limit(1)) is None:
        house = supplier.warehouse_id
        stock.receive(ctx, house, lines, source_kind="refused", source_id=delivery.id)
        back = loading.lots_back(ctx.session, delivery, [(sku, qty) for sku, qty in lines])
        batches.lay_in(ctx.session, house, back, source_kind="refused", source_id=delivery.id, at=ctx.at)


# --- questions ---


def share(
    session: Session, waiting: Sequence[tuple[ReplenishmentOrder, str]],
    lines: Mapping[tuple[str, str], Sequence[OrderLine]], changes: Mapping[Key, PromiseChange], *, at: dt.datetime,
    only_these: bool = False,
) -> Shared:  # fmt: skip
    """Return how the free stock is shared over waiting orders (rules 1, 9); lines: of each, all or those of interest.

    changes: of all waiting orders, those that wait for credit too: their goods are kept for them. only_these: look at
    no other products.
    """
    wanted: dict[Goods, list[OrderLine]] = {}
    for order, warehouse_id in waiting:
        for line in lines[order.store_id, order.id]:
            wanted.setdefault((warehouse_id, line.sku), []).append(line)
    ordering = {(line.store_id, line.sku) for found in wanted.values() for line in found}
    requirements = allocation.read_requirements(
        session, wanted, ordering, order_days.reaches(session, waiting, at), at=at
    )
    left = free_stock(session, at, {sku for _, sku in wanted} if only_these else None)
    packs: dict[Key, int] = {}
    by_rule: dict[Key, int] = {}
    if changes:
        scarce_goods = {goods: found for goods, found in wanted.items() if any(_key(one) in changes for one in found)}
        given = allocation.share_out(left, scarce_goods, requirements)[0]
        by_rule = {key: given[key] for key in changes if key in given}
        packs = _take_out(session, changes, left)
    rest = {goods: [one for one in found if _key(one) not in changes] for goods, found in wanted.items()}
    shares = allocation.shares(left, rest, requirements)
    given, scarce = allocation.scarcity(left, shares)
    return Shared(given | packs, by_rule, scarce, shares)


def free_stock(session: Session, at: dt.datetime, skus: Collection[str] | None = None) -> dict[Goods, int]:
    """Return what stands in every warehouse, can be sold and is promised to nobody; below zero where too much is.

    skus: of these alone; None: of all.
    """
    free = _in_stock(session, at, skus)
    for kept in (_promised(session, skus=skus), pick_lists.held(session, sources=["replacement"])):
        for goods, qty in kept.items():
            free[goods] = free.get(goods, 0) - qty
    for offer, warehouse_id in _accepted(session):
        goods = (warehouse_id, offer.sku)
        free[goods] = free.get(goods, 0) - offer.packs * offer.pack_qty
    return free


def set_aside(session: Session) -> dict[Goods, int]:
    """Return what operators have set for lines of orders that wait (rule 9)."""
    kept: dict[Goods, int] = {}
    for line, change, house in _set_lines(session):
        kept[house, line.sku] = kept.get((house, line.sku), 0) + change.packs * line.pack_qty
    return kept


def promised_of(session: Session, warehouse_id: str) -> dict[str, int]:
    """Return what a warehouse has promised to confirmed orders, accepted offers and claims on a list, by SKU."""
    sums: dict[str, int] = {}
    offers = [((house, offer.sku), offer.packs * offer.pack_qty) for offer, house in _accepted(session)]
    claims = pick_lists.held(session, sources=["replacement"])
    for (house, sku), qty in [*_promised(session).items(), *offers, *claims.items()]:
        if house == warehouse_id:
            sums[sku] = sums.get(sku, 0) + qty
    return sums


def ready(session: Session, warehouse_id: str, *, at: dt.datetime) -> list[Load]:
    """Return what could be loaded of a warehouse now, in the order in which it would be (rules 3, 6); it may be none.

    What stands on a pick list is not among it.
    """
    picking, there = pick_lists.being_picked(session), _loadable(session, at)
    promised, on_hold = _promised(session, is_listed=False), credit.held_stores(session)
    found = []

    def load(source: str, store_id: str, id: str, lines: Sequence[Advised]) -> None:
        found.append(Load(source, store_id, id, tuple(lines)))
        for one in lines:
            there[warehouse_id, one.sku] -= one.qty

    confirmed = [order for order, house in _orders(session, "acknowledged") if house == warehouse_id]
    lines = _lines(session, confirmed)
    for order in confirmed:
        if ("order", order.store_id, order.id) not in picking:
            mine = _there(lines[order.store_id, order.id], warehouse_id, there)
            load("order", order.store_id, order.id, mine)
            for one in mine:
                promised[warehouse_id, one.sku] -= one.qty
    for offer, house in _accepted(session):
        if house == warehouse_id and ("offer", offer.store_id, offer.id) not in picking:
            goods = (house, offer.sku)
            qty = _offered_now(offer, there.get(goods, 0) - promised.get(goods, 0), on_hold)
            mine = [Advised(offer.sku, offer.name, offer.pack_qty, qty)] if qty else []
            load("offer", offer.store_id, offer.id, mine)
    for claim in claims.replacements_due(session):
        is_here = replacements.warehouse_of(session, claim) == warehouse_id
        if is_here and ("replacement", claim.store_id, claim.id) not in picking:
            load("replacement", claim.store_id, claim.id, replacements.goes_now(session, claim, there, promised, at))
    return [one for one in found if one.lines]


def waits_for_credit(offer: NetworkOffer, on_hold: Collection[str]) -> bool:
    """Tell whether an accepted offer is bought on account by a store whose credit is held (rule 3)."""
    return offer.return_until is None and offer.store_id in on_hold


# --- parts of other verbs ---


def send_promise(ctx: Context, order: ReplenishmentOrder) -> None:
    """Tell a store what an operator changed in its order's promise."""
    ctx.session.flush()
    fact = promise_changes.fact_of(ctx.session, order)
    send_fact(ctx.session, fact, subject=orders.subject_of(order), at=ctx.at)


def send_off(
    ctx: Context,
    warehouse_id: str,
    order: ReplenishmentOrder,
    loaded: Sequence[Advised],
    *,
    lots: Sequence[Held] | None = None,
) -> None:
    """Load what there is of an order and tell its store (rule 3). lots: as in `loading.send_off`."""
    fact = OrderDispatched(
        store_id=order.store_id,
        delivery_id=new_id(),
        supplier_id=order.supplier_id,
        order_id=order.id,
        network_offer_id=None,
        expected_day=max(
            order_days.due_day(ctx.session, order), day_of(ctx.session, order.store_id, ctx.at)
        ).isoformat(),
        advised_at=stamp(ctx.at),
        acknowledged=tuple((line.sku, line.packs_acknowledged or 0) for line in orders.lines_of(ctx.session, order)),
        lines=tuple(loaded),
        promise_step=order.promise_step,
    )
    loading.send_off(ctx, warehouse_id, fact, orders.subject_of(order), lots=lots)


def send_off_offer(
    ctx: Context, warehouse_id: str, offer: NetworkOffer, loaded: Advised, *, lots: Sequence[Held] | None = None
) -> None:
    """Load what there is of an accepted offer and tell its store (rule 3)."""
    fact = loading.without_order(
        ctx.session, offer.store_id, new_id(), offer.supplier_id, [loaded], network_offer_id=offer.id, at=ctx.at
    )
    loading.send_off(ctx, warehouse_id, fact, network_offers.subject_of(offer), lots=lots)
    network_offers.dispatched(ctx, offer.store_id, offer.id)


# --- inside ---


def _orders(session: Session, state: str) -> list[tuple[ReplenishmentOrder, str]]:
    """Return the network's orders in a state with their warehouse, those of the first route first, locked."""
    found = session.execute(lock_rows(session, in_turn(state)))
    return [(order, str(warehouse_id)) for order, warehouse_id in found]


def in_turn(state: str) -> sa.Select[ReplenishmentOrder, str | None]:
    """Ask for the network's orders in a state with their warehouse, those of the first route first."""
    return (
        sa.select(ReplenishmentOrder, Supplier.warehouse_id)
        .join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.state == state, Supplier.kind == NETWORK, Supplier.warehouse_id.is_not(None))
        .order_by(ReplenishmentOrder.order_day, ReplenishmentOrder.sent_at, ReplenishmentOrder.store_id)
        .order_by(ReplenishmentOrder.id)
    )


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


def _in_stock(session: Session, at: dt.datetime, skus: Collection[str] | None = None) -> dict[Goods, int]:
    """Return what stands ready in every warehouse and can still be sold (rule 5)."""
    query = sa.select(Supplier.warehouse_id).where(Supplier.warehouse_id.is_not(None)).distinct()
    houses = [str(one) for one in session.scalars(query)]
    ready = sa.select(StockLevel.store_id, StockLevel.sku, StockLevel.qty).where(
        StockLevel.store_id.in_(houses), StockLevel.place == Place.BACKROOM, *_of(StockLevel.sku, skus)
    )
    there = {(house, sku): qty for house, sku, qty in session.execute(ready)}
    for house in houses:
        for sku, qty in batches.unsound(session, house, day=day_of(session, house, at)).items():
            if skus is not None and sku not in skus:
                continue
            there[house, sku] = max(0, there.get((house, sku), 0) - qty)
    return there


def _loadable(session: Session, at: dt.datetime) -> dict[Goods, int]:
    """Return what can be loaded of every warehouse's goods that no pick list keeps."""
    there = _in_stock(session, at)
    for goods, qty in pick_lists.held(session).items():
        there[goods] = there.get(goods, 0) - qty
    return there


def _promised(session: Session, *, is_listed: bool = True, skus: Collection[str] | None = None) -> dict[Goods, int]:
    """Return what confirmed orders still have to get; is_listed False: those on no pick list."""
    on_list = (
        sa.exists()
        .where(PickLine.source == "order", PickLine.store_id == OrderLine.store_id)
        .where(PickLine.source_id == OrderLine.order_id, PickList.id == PickLine.pick_id)
        .where(PickList.state.in_(pick_lists.OPEN))
    )
    packs = sa.func.coalesce(OrderLine.packs_acknowledged, 0)
    query = (
        sa.select(Supplier.warehouse_id, OrderLine.sku, sa.func.sum(packs * OrderLine.pack_qty))
        .join(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == OrderLine.store_id, ReplenishmentOrder.id == OrderLine.order_id),
        )
        .join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.state == "acknowledged", Supplier.warehouse_id.is_not(None))
        .where(*([] if is_listed else [~on_list]), *_of(OrderLine.sku, skus))
        .group_by(Supplier.warehouse_id, OrderLine.sku)
    )
    return {(str(warehouse_id), sku): int(qty) for warehouse_id, sku, qty in session.execute(query)}


def _accepted(session: Session) -> list[tuple[NetworkOffer, str]]:
    query = (
        sa.select(NetworkOffer, Supplier.warehouse_id)
        .join(Supplier, Supplier.id == NetworkOffer.supplier_id)
        .where(NetworkOffer.state == "accepted", NetworkOffer.terms.is_not(None), Supplier.warehouse_id.is_not(None))
        .order_by(NetworkOffer.offered_at, NetworkOffer.store_id, NetworkOffer.id)
    )
    return [(offer, str(warehouse_id)) for offer, warehouse_id in session.execute(lock_rows(session, query))]


def _of(column: Any, skus: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if skus is None else [column.in_(skus)]


def _key(line: OrderLine) -> Key:
    return line.store_id, line.order_id, line.sku


def _set_lines(session: Session) -> list[tuple[OrderLine, PromiseChange, str]]:
    """Return the lines of waiting orders that an operator set, with their warehouse, the first set first."""
    line, order, change = OrderLine, ReplenishmentOrder, PromiseChange
    query = (
        sa.select(line, change, Supplier.warehouse_id)
        .join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
        .join(Supplier, Supplier.id == order.supplier_id)
        .join(change, sa.and_(
            change.store_id == line.store_id, change.order_id == line.order_id, change.sku == line.sku))
        .where(order.state == "sent", Supplier.warehouse_id.is_not(None))
        .order_by(change.at, change.store_id, change.order_id, change.sku)
    )  # fmt: skip
    return [(one, known, str(house)) for one, known, house in session.execute(query)]


def _take_out(session: Session, changes: Collection[Key], left: dict[Goods, int]) -> dict[Key, int]:
    """Return the packs of the lines an operator set, as far as they are there, and take them out of what is left."""
    packs = {}
    for one, change, house in _set_lines(session):
        goods = (house, one.sku)
        if _key(one) not in changes:
            continue
        packs[_key(one)] = n = max(0, min(change.packs, left.get(goods, 0) // one.pack_qty))
        left[goods] = left.get(goods, 0) - n * one.pack_qty
    return packs


def _there(lines: Sequence[OrderLine], warehouse_id: str, there: Mapping[Goods, int]) -> list[Advised]:
    """Return what of an order's promised packs is there."""
    found = []
    for line in lines:
        packs = min(line.packs_acknowledged or 0, there.get((warehouse_id, line.sku), 0) // line.pack_qty)
        if packs > 0:
            found.append(Advised(line.sku, line.name, line.pack_qty, packs * line.pack_qty))
    return found


def _dispatch_offers(ctx: Context, by_list: Collection[str]) -> None:
    """Load of every accepted offer what is there beside what is promised to orders, in whole packs (`push`, rule 6)."""
    there, picking = _loadable(ctx.session, ctx.at), pick_lists.being_picked(ctx.session)
    promised, on_hold = _promised(ctx.session, is_listed=False), credit.held_stores(ctx.session)
    for offer, warehouse_id in _accepted(ctx.session):
        store_id, goods = offer.store_id, (warehouse_id, offer.sku)
        if ("offer", store_id, offer.id) in picking:
            continue
        with isolation.apart(ctx, "loading", store_id) as part:
            qty = _offered_now(offer, there.get(goods, 0) - promised.get(goods, 0), on_hold)
            if qty and warehouse_id not in by_list:
                loaded = Advised(offer.sku, offer.name, offer.pack_qty, qty)
                send_off_offer(ctx, warehouse_id, offer, loaded)
            elif not qty:
                network_offers.cancel_if_ended(ctx, offer)
        if part.done and qty and warehouse_id not in by_list:
            there[goods] -= qty


def _offered_now(offer: NetworkOffer, free: int, on_hold: Collection[str]) -> int:
    """Return the units of an accepted offer that can be loaded, in whole packs; what waits for credit is not."""
    if waits_for_credit(offer, on_hold):
        return 0
    return max(0, min(offer.packs, free // offer.pack_qty)) * offer.pack_qty

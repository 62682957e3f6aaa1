"""A group's goods in the store: held for its members from the moment they are posted, until each share has its own.

Rules
-----
1. While a group is ordered, what a delivery brings of its product is held under the group's id, up to its cases: no
   stranger orders it online. Several groups of one product: the one that closed first is served first.
2. When the shopkeeper says how much came, just that much is held, out of what nobody else is promised; where the
   records lack it, it is refused: post the delivery first. What was held beyond it is free again.
3. A share takes its units out of the hold as it arrives, so a store with its last units held refuses no member. What no
   share takes, the store's own part or a failed group's, is free as soon as the network has told.
4. What is held is no planned demand any more (`known_events`).

Units: qty in the product's stock unit.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import day_start
from config.errors import Refused
from config.nodes.journal import Context
from pos.stock import ledger, stock
from pos.store.store import store_of
from supply.demand import known_events
from supply.online.groups import groups
from supply.online.groups.groups import GroupOffer
from supply.online.orders import PickupLine, PickupOrder, held_until

HOLDING = ("ordered", "arrived")
"""In these states goods may be held under a group's id."""


# --- verbs, store ---


def goods_received(ctx: Context, store_id: str, came: Sequence[tuple[str, int]]) -> None:
    """Hold what was posted, (SKU, qty), for the groups that wait for it (rule 1)."""
    left = dict(came)
    for group in groups.of_store(ctx.session, store_id, ("ordered",)):
        if group.arrived_qty is None and left.get(group.sku):
            held = held_qty(ctx.session, group)
            more = min(left[group.sku], max(0, group.cases * group.case_qty - held))
            left[group.sku] -= more
            _hold(ctx, group, held + more)
            plan(ctx.session, group)


def reserve_arrival(ctx: Context, group: GroupOffer, qty: int) -> None:
    """Hold just what the shopkeeper says has come (rule 2); refuses more than nobody else is promised."""
    free = stock.levels(ctx.session, group.store_id, [group.sku])[group.sku].available + held_qty(ctx.session, group)
    if qty > free:
        raise Refused(
            "goods-not-posted",
            "Only %(available)s of %(name)s are free in stock. Post the delivery or count it, then "
            "confirm arrival.", available=max(0, free), wanted=qty, name=group.name,
        )  # fmt: skip
    _hold(ctx, group, qty)


def plan(session: Session, group: GroupOffer) -> None:
    """Let the next order carry what an ordered group still waits for (rule 4)."""
    waits = group.state == "ordered" and group.arrived_qty is None
    wanted = group.cases * group.case_qty - held_qty(session, group) if waits else 0
    known_events.plan(session, group.store_id, groups.subject_of(group), {group.sku: wanted}, day=group.vehicle_day)


def settle(ctx: Context, group: GroupOffer, dealt_qty: int) -> None:
    """Free what no share will take (rule 3). dealt_qty: of all shares, those on their way too."""
    taken = ctx.session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(PickupLine.qty), 0))
        .join(PickupOrder, sa.and_(PickupOrder.store_id == PickupLine.store_id, PickupOrder.id == PickupLine.order_id))
        .where(
            PickupOrder.store_id == group.store_id, PickupOrder.group_id == group.id, PickupLine.instead_of.is_(None)
        )
    )
    left = max(0, dealt_qty - int(taken or 0))
    if held_qty(ctx.session, group) > left:
        _hold(ctx, group, left)


@contextmanager
def opened(ctx: Context, order: PickupOrder, qty: int) -> Iterator[None]:
    """Let an order that is a share of a group reserve its units out of what is held for the group (rule 3)."""
    group = ctx.session.get(GroupOffer, order.group_id) if order.group_id else None
    held = held_qty(ctx.session, group) if group else 0
    if group is None or not held:
        yield
        return
    stock.answer(ctx.session, group.store_id, group.id, "released", at=ctx.at)
    try:
        yield
    finally:
        _hold(ctx, group, max(0, held - qty))


# --- questions ---


def held_qty(session: Session, group: GroupOffer) -> int:
    """Return how much is held under a group's id."""
    return sum(row.qty for row in ledger.open_promises(session, group.store_id, group.id))


def share_until(session: Session, order: PickupOrder, at: dt.datetime) -> dt.datetime:
    """Return until when a share is kept: through the group's last pickup day, and no shorter than any order."""
    until = held_until(session, order.store_id, at)
    group = session.get(GroupOffer, order.group_id) if order.group_id else None
    if group is None:
        return until
    store = store_of(session, order.store_id)
    last = day_start(group.pickup_until + dt.timedelta(days=1), store.tz, store.rollover_hour)
    return max(until, last)


# --- inside ---


def _hold(ctx: Context, group: GroupOffer, qty: int) -> None:
    """Hold so much under the group's id instead of what was held before, as far as it is there."""
    stock.answer(ctx.session, group.store_id, group.id, "released", at=ctx.at)
    qty = min(qty, stock.levels(ctx.session, group.store_id, [group.sku])[group.sku].available)
    if qty > 0:
        stock.reserve(ctx, group.store_id, group.id, [(group.sku, qty)])

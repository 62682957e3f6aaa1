"""Bringing online orders home: who sets out with which, in which order, and what happened at each door.

Rules
-----
1. Only what is ready is taken along. Those that set out together are one trip, numbered in the order they are called
   at (`stop_order`), each with the time it should be there: RIDE_KMH on the way, AT_DOOR at each door.
2. At the door the customer shows the code, or somebody says a name: then who took it is written down. Handing over
   rings the sale as collecting does; what was not paid online is paid in cash, into the drawer of the till.
3. Who is not met is written with a reason, and the order is held as if it were ready only now. It is tried again,
   collected in the store (the fee falls away, and what of it was paid goes back) or called off (all of it goes back).
4. The code is tried like any other: wrong ones are counted (`handover`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import as_utc
from config.errors import Conflict, Invalid, Refused
from config.ids import new_id
from config.money import round_cash
from config.nodes.journal import Context
from pos.payments.tenders import CASH
from pos.sale.sale_request import SaleRequest
from pos.store.store import Store
from supply.online import home_delivery
from supply.online.home_delivery import HomeDelivery
from supply.online.orders import PickupOrder, held_until, lines_of, order_for_update, send
from supply.online.pickup import handover
from supply.online.pickup.handover import Handover
from supply.online.storefront import availability
from supply.online.storefront.delivery_rules import DeliveryRules, fee_of
from supply.online.storefront.price import cost, promise_of
from supply.routing.distances import Point, way_m
from supply.routing.stop_order import Door

RIDE_KMH = 12
AT_DOOR = dt.timedelta(minutes=3)


@dataclass(frozen=True)
class Way:
    """An order with its way home."""

    order: PickupOrder
    home: HomeDelivery


# --- verbs, store ---


def set_out(ctx: Context, store_id: str, order_ids: Sequence[str]) -> list[HomeDelivery]:
    """Set out with some orders, to be called at in this order (rule 1)."""
    if not order_ids:
        raise Invalid("nothing-to-take", "Choose at least one order to take along.")
    ways = [_locked(ctx.session, store_id, order_id) for order_id in order_ids]
    if unready := [way.order.order_no for way in ways if way.order.state != "ready"]:
        raise Refused("not-packed", "Not ready yet: %(names)s. Pack it first.", names=", ".join(unready))
    here, trip, clock = _store_at(ctx.session, store_id), new_id(), ctx.at
    for n, way in enumerate(ways, 1):
        clock += dt.timedelta(seconds=way_m(here, way.home.at) * 3.6 / RIDE_KMH)
        clock = max(clock, way.order.window_from or clock)
        home_delivery.move(ctx, way.home, "on_the_way")
        way.home.trip_id, way.home.n, way.home.comes_at = trip, n, clock
        here, clock = way.home.at, clock + AT_DOOR
    ctx.session.flush()
    for way in ways:
        send(ctx.session, way.order, ctx.at)
    return [way.home for way in ways]


def hand_over(
    ctx: Context,
    store_id: str,
    order_id: str,
    *,
    code: str = "",
    receiver: str = "",
    sale_id: str,
    till_id: str,
    age_confirmed: int | None = None,
) -> Handover:
    """Hand an order over at the door (rule 2). A wrong code comes back as `Handover.refusal`, to be raised after."""
    way = _locked(ctx.session, store_id, order_id)
    again, token = way.order.state == "collected" and way.order.sale_id == sale_id, ""
    if not again:
        home_delivery.STATES.require(way.home.state, "delivered")
        if not code.strip() and not receiver.strip():
            raise Invalid(
                "no-taker", "Enter the customer's code, or the name of the person who takes it.", field="code"
            )
        found = Handover()
        if code.strip():
            found = handover.find(ctx, store_id, code, order_id=order_id)
            if found.refusal is not None:
                return found
        token = found.token
    due = due_minor(ctx.session, way.order)
    shown_minor = way.order.total_minor if way.order.paid_minor else due
    request = SaleRequest(sale_id, store_id, till_id, [], [(CASH, due)], shown_minor, age_confirmed)
    handed = handover.hand_over(ctx, order_id, request, token=token)
    if not again:
        home_delivery.move(ctx, way.home, "delivered")
        way.home.receiver = receiver.strip()[:60]
        send(ctx.session, way.order, ctx.at)
        _send_others(ctx.session, way.home, ctx.at)
    return handed


def fail(ctx: Context, store_id: str, order_id: str, *, why: str) -> HomeDelivery:
    """Write that an order could not be handed over (rule 3); it comes back to the store."""
    way = _locked(ctx.session, store_id, order_id)
    if way.home.state == "failed":
        return way.home
    if not why.strip():
        raise Invalid("reason-missing", "Enter a reason. The customer will see it.", field="reason")
    home_delivery.move(ctx, way.home, "failed", why=why.strip()[:200])
    way.order.hold_until = held_until(ctx.session, store_id, ctx.at)
    send(ctx.session, way.order, ctx.at)
    _send_others(ctx.session, way.home, ctx.at)
    return way.home


def try_again(ctx: Context, store_id: str, order_id: str) -> HomeDelivery:
    """Let an order that came back be taken along again."""
    way = _locked(ctx.session, store_id, order_id)
    home_delivery.move(ctx, way.home, "asked")
    send(ctx.session, way.order, ctx.at)
    return way.home


def to_collect(ctx: Context, store_id: str, order_id: str) -> HomeDelivery:
    """Let the customer collect an order that was to be brought: its fee falls away (rule 3)."""
    way = _locked(ctx.session, store_id, order_id)
    home_delivery.move(ctx, way.home, "to_collect")
    lines = lines_of(ctx.session, way.order)
    way.order.total_minor = cost(ctx.session, promise_of(lines, fee_of(ctx.session, way.order))).total_minor
    send(ctx.session, way.order, ctx.at)
    return way.home


# --- questions ---


def ways_of(session: Session, store_id: str) -> list[Way]:
    """Return the orders still to be brought: those on the way first, by their stop; then by the time promised."""
    query = (
        sa.select(PickupOrder, HomeDelivery)
        .join(
            HomeDelivery,
            sa.and_(HomeDelivery.store_id == PickupOrder.store_id, HomeDelivery.order_id == PickupOrder.id),
        )
        .where(PickupOrder.store_id == store_id, HomeDelivery.state.in_(home_delivery.LIVE))
        .order_by(HomeDelivery.trip_id, HomeDelivery.n, PickupOrder.window_from, PickupOrder.number, PickupOrder.id)
    )
    return [Way(order, home) for order, home in session.execute(query)]


def door_of(way: Way) -> Door:
    """Return an order's door, for the order of calls."""
    return Door(way.order.id, way.home.at, way.order.window_from)


def is_overdue(way: Way, at: dt.datetime) -> bool:
    """Tell whether an order is on its way for longer than the store holds one."""
    held = way.order.hold_until
    return way.home.state == "on_the_way" and held is not None and as_utc(held) <= at


def due_minor(session: Session, order: PickupOrder) -> int:
    """Return what is to be taken at the door, rounded to the smallest coin; 0: it was paid before."""
    if order.paid_minor:
        return 0
    return round_cash(order.total_minor, session.get_one(Store, order.store_id).smallest_coin_minor)


def rules_of(session: Session, store_id: str) -> DeliveryRules:
    """Return how the store brings orders home."""
    return DeliveryRules.read(availability.rules_of(session, store_id).delivery)


# --- inside ---


def _locked(session: Session, store_id: str, order_id: str) -> Way:
    order = order_for_update(session, store_id, order_id)
    home = home_delivery.of_order(session, store_id, order_id)
    if home is None:
        raise Conflict("not-brought", "Order %(order_no)s is for pickup, not delivery.", order_no=order.order_no)
    return Way(order, home)


def _store_at(session: Session, store_id: str) -> Point:
    found = rules_of(session, store_id).at
    if found is None:
        raise Refused("no-store-place", "Set your store's location first; routes need it.", field="lat")
    return found


def _send_others(session: Session, done: HomeDelivery, at: dt.datetime) -> None:
    """Tell the network of those who wait behind a door that is done: fewer stops come before them."""
    query = sa.select(HomeDelivery.order_id).where(
        HomeDelivery.store_id == done.store_id, HomeDelivery.trip_id == done.trip_id,
        HomeDelivery.state == "on_the_way",
    )  # fmt: skip
    for order_id in session.scalars(query.order_by(HomeDelivery.n)).all():
        send(session, order_for_update(session, done.store_id, order_id), at)

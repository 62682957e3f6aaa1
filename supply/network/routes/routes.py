"""Routes: what stands loaded in a warehouse is driven to the stores, stop by stop, and each stop is confirmed.

Rules
-----
1. A plan takes every delivery that has left the warehouse's book, is expected at its store and is on no route yet
   (`loads`). It is computed apart (`planning`), never beyond a vehicle's load or a store's window.
2. Planning a day again drops its routes that have not left, and those of days gone by; one that has left is finished as
   it is, and its vehicle is there again when it is back (`loads`). No day that is over is planned, and no vehicle is
   sent off while it is on another route.
3. A person may change the order of the stops ahead; what then comes too early or too late is said, not refused.
4. Sending a route off tells each store when the vehicle comes. The driver has a key (128 bits) to that route alone, of
   which the hash is kept.
5. A stop is confirmed once: delivered, short or refused, with who took it, or not reached, with why. The phone's time
   counts where it lies between leaving and now. The same word again changes nothing; another one is refused.
6. What was refused, or did not reach its store, goes back by the store's own word: it hears of it and closes the
   delivery, which puts the goods into the warehouse's book again. What was not reached is promised as before, to be
   loaded and planned again; a claim's replacement stays loaded.
7. A person ends a route that does not go on: the stops ahead were not reached, but where the store has taken all in.

Units: seconds of the store's local day, metres, packs.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import stamp
from config.nodes.journal import Actor, Context
from config.states import StateTable
from pos.store.store import Store, send_fact
from supply.facts import StopReported
from supply.network.routes import vehicles
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.suppliers import Supplier
from supply.routing.vehicle_routes import Call, Distances, Route, Spot, timed
from supply.routing.vehicle_routes import Vehicle as PlanVehicle

STATES = StateTable(
    "route",
    "planned",
    {"planned": ["on_the_way", "dropped"], "on_the_way": ["done"]},
)
OUTCOMES = ("delivered", "short", "refused", "not_reached")
NOBODY_TOOK_IT = ("refused", "not_reached")
PACK_SECONDS = 15
"""How long one pack takes from the vehicle into the store."""


class RoutePlan(Base):
    """A wish to plan a warehouse's day, and what came of it; done_at None: it waits for the job."""

    __tablename__ = "route_plan"

    id: Mapped[str] = mapped_column(primary_key=True)
    warehouse_id: Mapped[str]
    day: Mapped[dt.date]
    asked_at: Mapped[dt.datetime]
    begun_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    fault: Mapped[str]
    """Why nothing came of it."""
    calls: Mapped[int]
    metres: Mapped[int]
    left_out: Mapped[list[Any]]
    """[[store id, why]]: no-place | no-van"""


class DeliveryRoute(Base):
    """What one vehicle does in a day."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "delivery_route"
    __table_args__ = (
        sa.Index("ix_vehicle_round_day", "warehouse_id", "day"),
        sa.Index("ix_vehicle_round_token", "token_hash"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str]
    warehouse_id: Mapped[str]
    day: Mapped[dt.date]
    vehicle_id: Mapped[str]
    vehicle_name: Mapped[str]
    vehicle_packs: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    packs: Mapped[int]
    metres: Mapped[int]
    leaves_s: Mapped[int]
    back_s: Mapped[int]
    driver: Mapped[str] = mapped_column(default="")
    token_hash: Mapped[str] = mapped_column(default="")
    left_at: Mapped[dt.datetime | None]


class RouteStop(Base):
    """A call of a route. n: 1, 2, 3 …; outcome: '' while it is ahead, else one of OUTCOMES."""

    __tablename__ = "route_stop"
    __table_args__ = (sa.ForeignKeyConstraint(["route_id"], ["delivery_route.id"]),)

    route_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    packs: Mapped[int]
    urgency: Mapped[int]
    metres: Mapped[int]
    begins_s: Mapped[int]
    leaves_s: Mapped[int]
    from_s: Mapped[int]
    until_s: Mapped[int]
    step: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(default="")
    receiver: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    done_at: Mapped[dt.datetime | None]


class RouteLoad(Base):
    """That a delivery is on a route (rule 1)."""

    __tablename__ = "route_load"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    route_id: Mapped[str] = mapped_column(index=True)


# --- verbs: before it leaves ---


def move_stop(ctx: Context, route_id: str, store_id: str, by: int) -> DeliveryRoute:
    """Move a stop ahead up or down among the stops ahead, and time the route again (rule 3)."""
    row = _locked(ctx.session, route_id)
    if row.state not in ("planned", "on_the_way"):
        raise Refused("route-over", "This route is over, so its order cannot change.")
    stops = stops_of(ctx.session, row)
    ahead = [stop for stop in stops if not stop.outcome]
    here = next((n for n, stop in enumerate(ahead) if stop.store_id == store_id), None)
    if here is None:
        raise NotFound("no-such-stop", "This store is no longer ahead on this route.")
    there = min(len(ahead) - 1, max(0, here + by))
    ahead.insert(there, ahead.pop(here))
    done = [stop for stop in stops if stop.outcome]
    _retime(ctx.session, row, [*done, *ahead])
    if there != here:
        journal.record(ctx, verb="route.reordered", subject=subject_of(row), store=store_id, place=there + 1)
        if row.state == "on_the_way":
            for stop in ahead:
                _send(ctx.session, row, stop, "on_the_way", ctx.at)
    return row


def drop(ctx: Context, route_id: str) -> DeliveryRoute:
    """Drop a planned route: what it was to carry may be planned again. One dropped already stays as it is."""
    row = _locked(ctx.session, route_id)
    if row.state != "dropped":
        STATES.require(row.state, "dropped")
        drop_route(ctx, row, "")
    return row


def drop_route(ctx: Context, row: DeliveryRoute, why: str) -> None:
    """Let a planned route go, and free what it was to carry."""
    ctx.session.execute(sa.delete(RouteLoad).where(RouteLoad.route_id == row.id))
    journal.move(ctx, row, "dropped", subject=subject_of(row), why=why or None)
    ctx.session.flush()


# --- verbs: driving ---


def send_off(ctx: Context, route_id: str, driver: str) -> str:
    """Let a route leave and tell its stores (rule 4); returns the driver's key. Again: another key voids the first.

    Refuses one whose day is over, and one whose vehicle is still away (rule 2).
    """
    row = _locked(ctx.session, route_id)
    driver = " ".join(driver.split())
    if not 1 <= len(driver) <= 60:
        raise Invalid("no-driver", "Enter the driver’s name. The stores will see it.", field="driver")
    token = secrets.token_urlsafe(16)
    if row.state == "planned":
        if row.day < clock_of(ctx.session, ctx.at)[0]:
            raise Refused(
                "route-day-over", "This route was for %(day)s, which has passed. Plan the routes again.",
                day=row.day.isoformat(),
            )  # fmt: skip
        away = sa.and_(DeliveryRoute.vehicle_id == row.vehicle_id, DeliveryRoute.state == "on_the_way")
        if ctx.session.scalar(sa.select(DeliveryRoute.id).where(away).limit(1)):
            raise Refused(
                "vehicle-away",
                "%(vehicle)s is still on another route. Confirm its stops or end that route first.",
                vehicle=row.vehicle_name,
            )
        journal.move(ctx, row, "on_the_way", subject=subject_of(row), driver=driver)
        row.left_at = ctx.at
    elif row.state != "on_the_way":
        raise Refused("route-over", "This route is over, so its order cannot change.")
    row.driver, row.token_hash = driver, _hash(token)
    ctx.session.flush()
    for stop in stops_of(ctx.session, row):
        if not stop.outcome:
            _send(ctx.session, row, stop, "on_the_way", ctx.at)
    return token


def confirm(
    session: Session,
    token: str,
    store_id: str,
    outcome: str,
    *,
    receiver: str = "",
    note: str = "",
    done_at: dt.datetime | None = None,
    at: dt.datetime,
) -> RouteStop:
    """Write down what became of a stop, on the driver's word (rule 5), and tell the store (rule 6)."""
    row = route_for(session, token, lock=True)
    if outcome not in OUTCOMES:
        raise Invalid("bad-outcome", "Choose delivered, incomplete, refused or not reached.")
    receiver, note = " ".join(receiver.split())[:60], " ".join(note.split())[:200]
    stop = session.get(RouteStop, (row.id, store_id))
    if stop is None:
        raise NotFound("no-such-stop", "This store is no longer ahead on this route.")
    if outcome not in NOBODY_TOOK_IT and not receiver:
        raise Invalid("no-receiver", "Enter the name of the person who received the delivery.", field="receiver")
    if outcome != "delivered" and not note:
        raise Invalid("no-reason", "Enter what is missing, or why it was refused.", field="note")
    if stop.outcome:
        if (stop.outcome, stop.receiver, stop.note) != (outcome, receiver, note):
            raise Conflict(
                "stop-confirmed", "This stop was already confirmed: %(outcome)s, %(receiver)s.",
                receiver=stop.receiver or stop.note, outcome=stop.outcome,
            )  # fmt: skip
        return stop
    stop.receiver = receiver
    actor = Actor(id=f"driver:{row.vehicle_id}", name=row.driver, role="driver", node=NETWORK)
    when = done_at if done_at and row.left_at and row.left_at <= done_at <= at else at
    ctx = Context(session, actor, at)
    _write(ctx, row, stop, outcome, note, when)
    _end_if_over(ctx, row)
    return stop


def end(ctx: Context, route_id: str, *, why: str) -> DeliveryRoute:
    """End a route that does not go on (rule 7); one that is over already stays as it is. why: the stores read it."""
    row = _locked(ctx.session, route_id)
    if row.state == "done":
        return row
    STATES.require(row.state, "done")
    why = stated(why, Invalid("no-reason", "Enter a reason. The stores will see it.", field="why"))
    for stop in stops_of(ctx.session, row):
        if not stop.outcome:
            stop.receiver = _taken_in_by(ctx.session, row, stop)
            outcome, note = ("delivered", "") if stop.receiver else ("not_reached", why)
            _write(ctx, row, stop, outcome, note, ctx.at)
    _end_if_over(ctx, row)
    return row


# --- questions ---


def clock_of(session: Session, at: dt.datetime) -> tuple[dt.date, int]:
    """Return the day it is where the network drives, and the seconds since its midnight."""
    tz = session.scalar(sa.select(Store.tz).order_by(Store.id).limit(1)) or "UTC"
    local = at.astimezone(ZoneInfo(tz))
    return local.date(), local.hour * 3600 + local.minute * 60 + local.second


def waiting_deliveries(
    session: Session, warehouse_id: str, *, with_planned: bool = False, plan: RoutePlan | None = None
) -> list[Delivery]:
    """Return what stands loaded and is on no route.

    with_planned: or on one that has not left; plan: or on one that this plan drops.
    """
    taken = sa.select(RouteLoad.delivery_id).where(
        RouteLoad.store_id == Delivery.store_id, RouteLoad.delivery_id == Delivery.id
    )
    if with_planned or plan is not None:
        free = DeliveryRoute.state == "planned" if plan is None else replanned(session, plan.day, plan.asked_at)
        taken = taken.join(DeliveryRoute, DeliveryRoute.id == RouteLoad.route_id).where(~free)
    query = (
        sa.select(Delivery)
        .join(Supplier, Supplier.id == Delivery.supplier_id)
        .where(Supplier.warehouse_id == warehouse_id, Delivery.state == "expected", ~taken.exists())
        .order_by(Delivery.store_id, Delivery.id)
    )
    return list(session.scalars(query))


def replanned(session: Session, day: dt.date, at: dt.datetime) -> sa.ColumnElement[bool]:
    """Return the condition for routes a plan of a day drops (rule 2)."""
    today, _ = clock_of(session, at)
    return sa.and_(DeliveryRoute.state == "planned", sa.or_(DeliveryRoute.day == day, DeliveryRoute.day < today))


def routes_of(session: Session, warehouse_id: str, day: dt.date | None = None) -> list[DeliveryRoute]:
    """Return a warehouse's routes that are planned or on the way, and with `day` that day's that are done."""
    live = DeliveryRoute.state.in_(["planned", "on_the_way"])
    wanted = sa.or_(live, sa.and_(DeliveryRoute.state == "done", DeliveryRoute.day == day)) if day else live
    query = sa.select(DeliveryRoute).where(DeliveryRoute.warehouse_id == warehouse_id, wanted)
    return list(
        session.scalars(
            query.order_by(DeliveryRoute.day, DeliveryRoute.leaves_s, DeliveryRoute.vehicle_name, DeliveryRoute.id)
        )
    )


def route_of(session: Session, warehouse_id: str, since: dt.date) -> dict[str, tuple[str, int]]:
    """Return the vehicle and the stop with which each store was on a warehouse's routes last, of those since a day."""
    query = (
        sa.select(RouteStop.store_id, DeliveryRoute.vehicle_name, RouteStop.n)
        .join(DeliveryRoute, DeliveryRoute.id == RouteStop.route_id)
        .where(DeliveryRoute.warehouse_id == warehouse_id, DeliveryRoute.day >= since, DeliveryRoute.state != "dropped")
        .order_by(DeliveryRoute.day, DeliveryRoute.id)
    )
    return {store_id: (vehicle, n) for store_id, vehicle, n in session.execute(query)}


def stops_of(session: Session, row: DeliveryRoute) -> list[RouteStop]:
    """Return a route's stops in their order."""
    return list(session.scalars(sa.select(RouteStop).where(RouteStop.route_id == row.id).order_by(RouteStop.n)))


def said_of(session: Session, delivery: Delivery) -> str:
    """Return what the driver said of a delivery: one of OUTCOMES; '' where it is on no route, or still ahead."""
    on = sa.and_(RouteStop.route_id == RouteLoad.route_id, RouteStop.store_id == RouteLoad.store_id)
    query = sa.select(RouteStop.outcome).join(RouteLoad, on)
    mine = query.where(RouteLoad.store_id == delivery.store_id, RouteLoad.delivery_id == delivery.id)
    return session.scalar(mine) or ""


def counted_less(session: Session, since: dt.datetime) -> list[tuple[str, int]]:
    """Return the stores that counted less than a driver left with them since a moment, and the units missing."""
    on = sa.and_(RouteStop.route_id == RouteLoad.route_id, RouteStop.store_id == RouteLoad.store_id)
    loaded = sa.and_(RouteLoad.store_id == Delivery.store_id, RouteLoad.delivery_id == Delivery.id)
    line = sa.and_(DeliveryLine.store_id == Delivery.store_id, DeliveryLine.delivery_id == Delivery.id)
    missing = sa.func.sum(DeliveryLine.advised_qty - sa.func.coalesce(DeliveryLine.counted_qty, 0))
    query = sa.select(Delivery.store_id, missing).join(RouteLoad, loaded).join(RouteStop, on).join(DeliveryLine, line)
    query = query.where(Delivery.state == "posted", Delivery.posted_at > since, RouteStop.outcome == "delivered")
    less = query.group_by(Delivery.store_id, Delivery.id).having(missing > 0).order_by(Delivery.store_id, Delivery.id)
    return [(store_id, int(qty)) for store_id, qty in session.execute(less)]


def route_for(session: Session, token: str, *, lock: bool = False) -> DeliveryRoute:
    """Return the route a driver's key opens."""
    query = sa.select(DeliveryRoute).where(DeliveryRoute.token_hash == _hash(token), DeliveryRoute.token_hash != "")
    row: DeliveryRoute | None = session.scalar(lock_rows(session, query) if lock else query)
    if row is None:
        raise NotFound("no-such-route", "This link is not valid. Ask the warehouse for a new one.")
    return row


def out_of_window(stop: RouteStop) -> bool:
    """Tell whether a stop, as its route is timed now, comes too early or too late (rule 3)."""
    return not stop.outcome and not stop.from_s <= stop.begins_s <= stop.until_s


def subject_of(row: DeliveryRoute) -> str:
    """Return a route as the journal names it."""
    return f"route:{row.id}"


# --- inside ---


def _write(ctx: Context, row: DeliveryRoute, stop: RouteStop, outcome: str, note: str, when: dt.datetime) -> None:
    """Write down what became of a stop, and tell its store (rules 5, 6)."""
    stop.outcome, stop.note, stop.done_at = outcome, note, when
    journal.record(
        ctx, verb=f"stop.{outcome}", subject=subject_of(row), store=stop.store_id,
        receiver=stop.receiver, note=note, done_at=when.isoformat())  # fmt: skip
    _send(ctx.session, row, stop, outcome, ctx.at)
    ctx.session.flush()
    if outcome == "not_reached":  # what nothing ends but its arrival stays loaded, and is free to be planned
        stays = sa.select(Delivery.id).where(
            Delivery.store_id == stop.store_id, Delivery.order_id.is_(None), Delivery.network_offer_id.is_(None)
        )
        ctx.session.execute(
            sa.delete(RouteLoad).where(
                RouteLoad.route_id == row.id, RouteLoad.store_id == stop.store_id, RouteLoad.delivery_id.in_(stays)
            )
        )


def _taken_in_by(session: Session, row: DeliveryRoute, stop: RouteStop) -> str:
    """Return who took all of a stop's deliveries in, as the store told; '' where it did not."""
    loaded = sa.and_(RouteLoad.store_id == Delivery.store_id, RouteLoad.delivery_id == Delivery.id)
    query = sa.select(Delivery.state, Delivery.posted_by).join(RouteLoad, loaded)
    found = session.execute(query.where(RouteLoad.route_id == row.id, RouteLoad.store_id == stop.store_id)).all()
    return str(found[0].posted_by) if found and all(state == "posted" for state, _ in found) else ""


def _end_if_over(ctx: Context, row: DeliveryRoute) -> None:
    if all(one.outcome for one in stops_of(ctx.session, row)):
        journal.move(ctx, row, "done", subject=subject_of(row))


def _locked(session: Session, route_id: str) -> DeliveryRoute:
    row: DeliveryRoute | None = session.scalar(
        lock_rows(session, sa.select(DeliveryRoute).where(DeliveryRoute.id == route_id))
    )
    if row is None:
        raise NotFound("no-such-route", "Route not found. Reload the page.")
    return row


def _retime(session: Session, row: DeliveryRoute, stops: Sequence[RouteStop]) -> None:
    """Number and time a route's stops in this order."""
    ids = [row.warehouse_id, *(stop.store_id for stop in stops)]
    places = vehicles.places_of(session, ids)
    spots = {one: Spot(one, places[one].lat_e6 / 1e6, places[one].lon_e6 / 1e6) for one in ids}
    ways = Distances(list(spots.values()), vehicles.legs_between(session, ids))
    calls = [
        Call(spots[stop.store_id], stop.packs, stop.from_s, stop.until_s, stop.leaves_s - stop.begins_s)
        for stop in stops
    ]
    first = row.leaves_s if row.state == "on_the_way" else 0
    one: Route = timed(ways, row.warehouse_id, PlanVehicle(row.vehicle_id, row.vehicle_packs, first, 86_400), calls)
    row.metres, row.leaves_s, row.back_s = one.metres, one.leaves_s, one.back_s
    for n, (stop, visit) in enumerate(zip(stops, one.visits, strict=True), 1):
        stop.n, stop.metres, stop.begins_s, stop.leaves_s = n, visit.metres, visit.begins_s, visit.leaves_s
    session.flush()


def _send(session: Session, row: DeliveryRoute, stop: RouteStop, state: str, at: dt.datetime) -> None:
    """Tell a store how its stop stands; the highest step counts."""
    stop.step += 1
    store = session.get_one(Store, stop.store_id)
    loads = sa.select(RouteLoad.delivery_id).where(RouteLoad.route_id == row.id, RouteLoad.store_id == stop.store_id)
    midnight = dt.datetime.combine(row.day, dt.time(), ZoneInfo(store.tz))
    fact = StopReported(
        store_id=stop.store_id, route_id=row.id, step=stop.step, state=state,
        delivery_ids=tuple(session.scalars(loads.order_by(RouteLoad.delivery_id))),
        comes_at=stamp(as_utc(midnight + dt.timedelta(seconds=stop.begins_s))), n=stop.n, vehicle=row.vehicle_name,
        driver=row.driver, receiver=stop.receiver, note=stop.note, reported_at=stamp(stop.done_at or at),
    )  # fmt: skip
    send_fact(session, fact, subject=subject_of(row), at=at)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

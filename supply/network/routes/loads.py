"""A day's plan of routes: asked for, made from what stands loaded, the places and the vehicles, and written down.

Rules
-----
1. All deliveries of a store go to one stop; where the largest vehicle does not hold them, to as few as hold whole
   deliveries, each with another vehicle.
2. A delivery is the more urgent the sooner its order said that something is sold out.
3. Today a vehicle leaves from now on, and one that is on the way when it is back; what is left of its day is planned.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.ids import NETWORK, new_id
from config.nodes import journal
from config.nodes.journal import Actor, Context
from supply.network.routes import vehicles
from supply.network.routes.routes import (
    PACK_SECONDS,
    DeliveryRoute,
    RouteLoad,
    RoutePlan,
    RouteStop,
    clock_of,
    drop_route,
    replanned,
    waiting_deliveries,
)
from supply.network.routes.vehicles import Vehicle
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine
from supply.routing.vehicle_routes import MOST_URGENT, Call, Day, Loaded, Planned, Spot, legs_of_calls, split
from supply.routing.vehicle_routes import Vehicle as PlanVehicle

# --- verbs ---


def ask(ctx: Context, warehouse_id: str, day: dt.date | None = None) -> RoutePlan:
    """Ask for a day's routes (None: today's); a job computes them. One that is asked for already is that one."""
    today, _ = clock_of(ctx.session, ctx.at)
    day = day or today
    if day < today:
        raise Refused("day-over", "%(day)s has passed. Plan the routes for today or later.", day=day.isoformat())
    waits = ctx.session.scalar(
        sa.select(RoutePlan).where(RoutePlan.warehouse_id == warehouse_id, RoutePlan.done_at.is_(None)).limit(1)
    )
    if waits is not None:
        return waits
    if not vehicles.vehicles_of(ctx.session, warehouse_id):
        raise Refused("no-vehicles", "There is no vehicle yet. Add one, then plan the routes.")
    if not vehicles.places_of(ctx.session, [warehouse_id]):
        raise Refused("warehouse-nowhere", "The warehouse has no location yet. Enter it first.")
    plan = RoutePlan(
        id=new_id(), warehouse_id=warehouse_id, day=day, asked_at=ctx.at, fault="", calls=0, metres=0, left_out=[]
    )
    ctx.session.add(plan)
    journal.record(ctx, verb="routes.asked", subject=f"warehouse:{warehouse_id}", day=str(day))
    ctx.session.flush()
    return plan


def load(session: Session, plan: RoutePlan, *, at: dt.datetime) -> Loaded:
    """Read what a plan is made from (rules 1, 3)."""
    waiting = waiting_deliveries(session, plan.warehouse_id, plan=plan)
    by_store: dict[str, list[Delivery]] = {}
    for delivery in waiting:
        by_store.setdefault(delivery.store_id, []).append(delivery)
    places = vehicles.places_of(session, [plan.warehouse_id, *by_store])
    packs, urgency = _packs(session, waiting), _urgency(session, waiting, plan.day)
    fleet = _vehicles_left(session, plan, at)
    most = max((vehicle.packs for vehicle in fleet), default=0)
    calls: list[Call] = []
    parts: dict[str, tuple[str, frozenset[str]]] = {}
    for store_id, here in sorted((key, places[key]) for key in by_store if key in places):
        found = {one.id: packs[store_id, one.id] for one in by_store[store_id]}
        for n, ids in enumerate(split(found, most), 1):
            key = store_id if n == 1 else f"{store_id}#{n}"
            parts[key] = (store_id, frozenset(ids))
            load_packs = sum(found[one] for one in ids)
            calls.append(
                Call(
                    Spot(key, here.lat_e6 / 1e6, here.lon_e6 / 1e6), load_packs, here.from_minute * 60,
                    here.until_minute * 60, here.service_minutes * 60 + PACK_SECONDS * load_packs,
                    max(urgency.get((store_id, one), 0) for one in ids),
                )
            )  # fmt: skip
    depot = places[plan.warehouse_id]
    where = {plan.warehouse_id: plan.warehouse_id} | {key: store_id for key, (store_id, _) in parts.items()}
    legs = legs_of_calls(vehicles.legs_between(session, [plan.warehouse_id, *by_store]), where)
    day = Day(Spot(depot.id, depot.lat_e6 / 1e6, depot.lon_e6 / 1e6), tuple(calls), fleet, legs)
    return Loaded(day, parts, tuple(store_id for store_id in sorted(by_store) if store_id not in places))


def write_down(
    session: Session, plan: RoutePlan, loaded: Loaded, planned: Planned, *, at: dt.datetime
) -> list[DeliveryRoute]:
    """Write planned routes in place of those that have not left (`routes` rule 2)."""
    actor = Actor.system("routes", NETWORK)
    replaced = sa.and_(DeliveryRoute.warehouse_id == plan.warehouse_id, replanned(session, plan.day, at))
    ctx = Context(session, actor, at)
    for old in session.scalars(sa.select(DeliveryRoute).where(replaced)).all():
        drop_route(ctx, old, "planned again")
    waiting = {(one.store_id, one.id) for one in waiting_deliveries(session, plan.warehouse_id)}
    day, parts = loaded.day, loaded.parts
    calls = {call.spot.key: call for call in day.calls}
    fleet = {vehicle.id: vehicle for vehicle in _fleet(session, day)}
    made = []
    for one in planned.routes:
        vehicle = fleet[one.vehicle]
        row = DeliveryRoute(
            id=new_id(),
            plan_id=plan.id,
            warehouse_id=plan.warehouse_id,
            day=plan.day,
            vehicle_id=vehicle.id,
            vehicle_name=vehicle.name,
            vehicle_packs=vehicle.packs,
            packs=one.packs,
            metres=one.metres,
            leaves_s=one.leaves_s,
            back_s=one.back_s,
            state=DeliveryRoute.STATES.first,
        )
        session.add(row)
        session.flush()
        for n, visit in enumerate(one.visits, 1):
            call = calls[visit.key]
            session.add(
                RouteStop(
                    route_id=row.id, store_id=parts[visit.key][0], n=n, packs=call.packs, urgency=call.urgency,
                    metres=visit.metres, begins_s=visit.begins_s, leaves_s=visit.leaves_s, from_s=call.from_s,
                    until_s=call.until_s,
                )
            )  # fmt: skip
        session.add_all(
            RouteLoad(store_id=store_id, delivery_id=delivery_id, route_id=row.id)
            for store_id, ids in (parts[visit.key] for visit in one.visits)
            for delivery_id in sorted(ids)
            if (store_id, delivery_id) in waiting
        )
        made.append(row)
    plan.done_at, plan.metres, plan.calls = at, planned.metres, len(day.calls)
    plan.left_out = [[one, "no-place"] for one in loaded.nowhere] + [
        [one, "no-vehicle"] for one in dict.fromkeys(parts[key][0] for key in planned.left_out)
    ]
    journal.record(
        ctx, verb="routes.planned", subject=f"warehouse:{plan.warehouse_id}", routes=len(made),
        calls=len(day.calls), metres=planned.metres, left_out=len(plan.left_out))  # fmt: skip
    session.flush()
    return made


def give_up(plan: RoutePlan, fault: str, *, at: dt.datetime) -> None:
    """Write down why nothing came of a plan; the routes stay as they were."""
    plan.done_at, plan.fault = at, fault[:300]


# --- questions ---


def asked(session: Session) -> list[RoutePlan]:
    """Return the plans that wait for the job, the oldest first."""
    return list(session.scalars(sa.select(RoutePlan).where(RoutePlan.done_at.is_(None)).order_by(RoutePlan.id)))


def newest_plan(session: Session, warehouse_id: str) -> RoutePlan | None:
    """Return the plan last asked for."""
    query = sa.select(RoutePlan).where(RoutePlan.warehouse_id == warehouse_id).order_by(RoutePlan.id.desc())
    return session.scalars(query.limit(1)).first()


# --- inside ---


def _vehicles_left(session: Session, plan: RoutePlan, at: dt.datetime) -> tuple[PlanVehicle, ...]:
    """Return the vehicles with what their day still has (rule 3)."""
    today, now_s = clock_of(session, at)
    away = sa.select(DeliveryRoute.vehicle_id, sa.func.max(DeliveryRoute.back_s)).where(
        DeliveryRoute.warehouse_id == plan.warehouse_id,
        DeliveryRoute.state == "on_the_way",
        DeliveryRoute.day == plan.day,
    )
    back_s = dict(session.execute(away.group_by(DeliveryRoute.vehicle_id)).all())
    fleet = []
    for vehicle in vehicles.vehicles_of(session, plan.warehouse_id):
        from_s = max(vehicle.from_minute * 60, back_s.get(vehicle.id, 0), now_s if plan.day == today else 0)
        if from_s < vehicle.until_minute * 60:
            fleet.append(PlanVehicle(vehicle.id, vehicle.packs, from_s, vehicle.until_minute * 60))
    return tuple(fleet)


def _packs(session: Session, some: Sequence[Delivery]) -> dict[tuple[str, str], int]:
    """Return how many packs each delivery has; a broken one counts whole."""
    packs = dict.fromkeys([(one.store_id, one.id) for one in some], 0)
    query = sa.select(DeliveryLine).where(DeliveryLine.delivery_id.in_([one.id for one in some]))
    for line in session.scalars(query):
        if (line.store_id, line.delivery_id) in packs:
            packs[line.store_id, line.delivery_id] += -(-line.advised_qty // max(1, line.pack_qty))
    return packs


def _urgency(session: Session, some: Sequence[Delivery], day: dt.date) -> dict[tuple[str, str], int]:
    """Return how urgent each delivery is: MOST_URGENT where its order said something is sold out by that day.

    A day its order gave and nobody can read is not urgent.
    """
    orders = {(one.store_id, one.order_id): (one.store_id, one.id) for one in some if one.order_id}
    query = sa.select(OrderLine.store_id, OrderLine.order_id, OrderLine.why).where(
        OrderLine.order_id.in_([order_id for _, order_id in orders])
    )
    found: dict[tuple[str, str], int] = {}
    for store_id, order_id, why in session.execute(query):
        key = orders.get((store_id, order_id))
        if key is None or not why.get("runs_out_day"):
            continue
        try:
            days = (dt.date.fromisoformat(why["runs_out_day"]) - day).days
        except (TypeError, ValueError):
            continue
        found[key] = max(found.get(key, 0), MOST_URGENT - max(0, min(MOST_URGENT, days)))
    return found


def _fleet(session: Session, day: Day) -> Sequence[Vehicle]:
    return session.scalars(sa.select(Vehicle).where(Vehicle.id.in_([vehicle.key for vehicle in day.vehicles]))).all()

"""What a plan of rounds is made from: what stands loaded, where it goes, and the vans.

Rules
-----
1. All deliveries of a shop go to one stop; where the largest van does not hold them, to as few as hold whole
   deliveries, each with another van.
2. A delivery is the more urgent the sooner its order said that something is sold out.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from supply import vans
from supply.deliveries import Delivery, DeliveryLine
from supply.orders import OrderLine
from supply.round_plan import MOST_URGENT, Call, Day, Loaded, Spot, legs_of_calls, split
from supply.round_plan import Van as PlanVan
from supply.rounds import PACK_SECONDS, RoundPlan, waiting_deliveries


def load(session: Session, plan: RoundPlan) -> Loaded:
    """Read what a plan is made from (rule 1)."""
    waiting = waiting_deliveries(session, plan.warehouse_id, with_planned=True)
    by_store: dict[str, list[Delivery]] = {}
    for delivery in waiting:
        by_store.setdefault(delivery.store_id, []).append(delivery)
    places = vans.places_of(session, [plan.warehouse_id, *by_store])
    packs, urgency = _packs(session, waiting), _urgency(session, waiting, plan.day)
    fleet = tuple(
        PlanVan(van.id, van.packs, van.from_minute * 60, van.until_minute * 60)
        for van in vans.vans_of(session, plan.warehouse_id)
    )
    most = max((van.packs for van in fleet), default=0)
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
    at = {plan.warehouse_id: plan.warehouse_id} | {key: store_id for key, (store_id, _) in parts.items()}
    legs = legs_of_calls(vans.legs_between(session, [plan.warehouse_id, *by_store]), at)
    day = Day(Spot(depot.id, depot.lat_e6 / 1e6, depot.lon_e6 / 1e6), tuple(calls), fleet, legs)
    return Loaded(day, parts, tuple(store_id for store_id in sorted(by_store) if store_id not in places))


# --- inside ---


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

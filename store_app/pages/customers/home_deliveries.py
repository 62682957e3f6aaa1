"""Home deliveries: what is to be brought, in the order of its doors; the doors on a phone; and the rules."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product, TaxClass
from pos.catalogue.selling_hours import clock_text
from pos.stock import recall
from store_app.pages.common import form
from store_app.pages.common.own_till import till_of
from store_app.pages.goods.products import amount_text
from store_app.runtime.child_process import compute_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import words
from supply.online.orders import lines_of
from supply.online.pickup import delivery
from supply.online.pickup.delivery import Way
from supply.online.storefront import delivery_rules
from supply.online.storefront.delivery_rules import (
    MOST_LEAD,
    MOST_ORDERS,
    MOST_RADIUS_M,
    MOST_WINDOWS,
    DeliveryRules,
    read_places,
    read_point,
)
from supply.routing import stop_order
from supply.routing.distances import Point
from supply.routing.stop_order import Door

bp = Blueprint("home_deliveries", __name__, url_prefix="/home-deliveries")
NUMBERS = {"radius_m": MOST_RADIUS_M, "window_orders": MOST_ORDERS, "lead_minutes": MOST_LEAD, "days_ahead": 14}
SIDE, EDGE = 320, 28
"""The picture from above: its side, and how far the outermost door stays from it."""


@dataclass(frozen=True)
class DoorView:
    """An order to be brought, as its card shows it.

    n: its stop; age: from which something in it is sold; is_overdue: out longer than an order is held;
    recalled: what in it may not be handed over any more.
    """

    way: Way
    n: int
    due_minor: int
    age: int | None
    things: str
    is_overdue: bool
    recalled: list[str]


@dataclass(frozen=True)
class Picture:
    """The doors from above: (x, y, n) each, the way over them, and the store."""

    doors: list[tuple[int, int, int]]
    points: str
    store: tuple[int, int]
    metres: int


@bp.get("/")
@requires("pickup")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what is on the way, what can be taken along, what came back, and what is not packed yet."""
    store_id = str(place().store_id)
    with read() as session:
        rules = delivery.rules_of(session, store_id)
        ways = delivery.ways_of(session, store_id)
        here = rules.at or (0.0, 0.0)
        going = [way for way in ways if way.home.state == "on_the_way"]
        packed = {way.order.id: way for way in ways if way.home.state == "asked" and way.order.state == "ready"}
        ordered = [
            packed[door.key] for door in stop_order.in_order(here, [delivery.door_of(w) for w in packed.values()])
        ]
        shown = going or ordered
        stopped = recall.off_sale(session, store_id)
        views = [_view(session, way, n, stopped) for n, way in enumerate(shown, 1)]
        back = [_view(session, way, 0, stopped) for way in ways if way.home.state == "failed"]
    if going:
        g.hands.note_road(browser["id"], doors().now())
    return page(
        "customers/home_deliveries/list.html",
        rules=rules,
        is_under_way=bool(going),
        stops=views,
        back=back,
        later=[way for way in ways if way.home.state == "asked" and way.order.id not in packed],
        waiting=len(ordered) if going else 0,
        picture=_picture(here, [view.way.home.at for view in views]) if views and rules.at else None,
        reasons=words.NOT_MET_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/set-out")
@requires("pickup")
@form.answers_on(overview)
def set_out() -> ResponseReturnValue:
    """Set out with the orders that are ticked, by the shortest way."""
    chosen, store_id, at = set(request.form.getlist("order")), str(place().store_id), doors().now()
    with read() as session:
        rules = delivery.rules_of(session, store_id)
        found = [delivery.door_of(way) for way in delivery.ways_of(session, store_id) if way.order.id in chosen]
        already = any(way.home.state == "on_the_way" for way in delivery.ways_of(session, store_id))
    if already:  # the second click
        return redirect(url_for(".overview"), 303)
    order = _planned(rules.at or (0.0, 0.0), found)
    with write() as session:
        delivery.set_out(Context(session, g.actor, at), store_id, order)
    return redirect(url_for(".overview"), 303)


@bp.post("/<order_id>/hand-over")
@requires("pickup")
@form.names_command
@form.answers_on(overview)
def hand_over(order_id: str) -> ResponseReturnValue:
    """Hand an order over at the door, by the customer's code or to somebody by name; the same again is once."""
    command, store_id = form.command_id(), str(place().store_id)
    code = form.text("code", most=400).rstrip("/").rpartition("/")[2]
    receiver = form.text("receiver", most=60)
    age = form.whole("age", most=150) if request.form.get("age") else None
    with write() as session:
        handed = delivery.hand_over(
            acting(session), store_id, order_id, code=code, receiver=receiver, sale_id=command,
            till_id=till_of(session, store_id), age_confirmed=age)  # fmt: skip
    order = handed.or_raise().order
    assert order is not None
    return form.done(_("%(no)s handed over.", no=order.order_no), ".overview")


@bp.post("/<order_id>/not-met")
@requires("pickup")
@form.names_command
@form.answers_on(overview)
def not_met(order_id: str) -> ResponseReturnValue:
    """Write that nobody took an order; it comes back to the store."""
    return _do(order_id, delivery.fail, why=form.reason(words.NOT_MET_REASONS))


@bp.post("/<order_id>/again")
@requires("pickup")
@form.answers_on(overview)
def again(order_id: str) -> ResponseReturnValue:
    """Bring it again."""
    return _do(order_id, delivery.try_again)


@bp.post("/<order_id>/collect")
@requires("pickup")
@form.answers_on(overview)
def collect(order_id: str) -> ResponseReturnValue:
    """Let the customer collect it in the store; the fee falls away."""
    return _do(order_id, delivery.to_collect)


@bp.get("/rules")
@requires("settings")
def rules(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show where, when and for how much the store brings orders home."""
    store_id = str(place().store_id)
    with read() as session:
        found = delivery.rules_of(session, store_id)
        fee = delivery_rules.fee_product(session, store_id)
        taxes = session.scalars(sa.select(TaxClass).order_by(TaxClass.name)).all()
    return page(
        "customers/home_deliveries/rules.html",
        rules=found,
        windows=[*((clock_text(start), clock_text(end)) for start, end in found.windows), ("", "")][:MOST_WINDOWS],
        places_text="\n".join(f"{one.name}, {one.lat_e6 / 1e6:.6f}, {one.lon_e6 / 1e6:.6f}" for one in found.places),
        fee_name=fee.name if fee else _("Delivery fee"),
        tax_class_id=fee.tax_class_id if fee else "",
        taxes=taxes,
        typed=amount_text,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/rules")
@requires("settings")
@form.answers_on(rules)
def settle() -> ResponseReturnValue:
    """Settle where, when and for how much the store brings orders home."""
    currency, store_id = place().currency, str(place().store_id)
    given = {name: form.whole(name, most=most) for name, most in NUMBERS.items()}
    name = form.text("fee_name", most=60, required=_("Enter the name for the receipt."))
    lat, lon = form.text("lat", most=20), form.text("lon", most=20)
    point = read_point(lat, lon)
    if (lat or lon) and point is None:
        raise Invalid("bad-point", "Enter degrees such as 31.2304 and 121.4737.", field="lat")
    free = form.amount("free_from", currency) if request.form.get("free_from", "").strip() else None
    wanted = DeliveryRules(
        on=request.form.get("on") == "yes", lat_e6=point[0] if point else None, lon_e6=point[1] if point else None,
        fee_minor=form.amount("fee", currency), free_from_minor=free, minimum_minor=form.amount("minimum", currency),
        windows=_windows(),
        places=read_places(request.form.get("places", "")[:20_000]),
        cash_at_door=request.form.get("cash_at_door") == "yes", **given,
    )  # fmt: skip
    with write() as session:
        tax = form.one_of(
            "tax_class_id", tuple(session.scalars(sa.select(TaxClass.id))), sentence=_("Choose the tax for the fee.")
        )
        delivery_rules.settle_fee(acting(session), store_id, wanted, name, tax)
    return form.done(_("Saved for orders from now on."), ".rules")


# --- inside ---


def _do(order_id: str, verb: Any, **given: Any) -> ResponseReturnValue:
    with write() as session:
        verb(acting(session), str(place().store_id), order_id, **given)
    return redirect(url_for(".overview"), 303)


def _windows() -> tuple[tuple[int, int], ...]:
    """Return the times typed, in order; a row left empty is none."""
    rows = [(f"from-{n}", f"until-{n}") for n in range(MOST_WINDOWS)]
    typed = [row for row in rows if any(map(form.text, row))]
    return tuple(sorted((form.minute(begins), form.minute(ends)) for begins, ends in typed))


def _planned(here: Point, found: list[Door]) -> list[str]:
    """Return the doors in their order; many of one time are planned by PyVRP, in a child."""
    if not stop_order.many(found):
        return [door.key for door in stop_order.in_order(here, found)]
    order = compute_apart(stop_order.planned, (here, tuple(found)))
    return list(order)


def _view(session: Any, way: Way, n: int, stopped: set[str]) -> DoorView:
    lines = [line for line in lines_of(session, way.order) if line.picked_qty != 0]
    ages = session.scalars(
        sa.select(Product.minimum_age).where(
            Product.sku.in_([line.sku for line in lines]), Product.minimum_age.is_not(None)
        )
    )
    things = _(", ").join(line.name for line in lines)
    overdue = delivery.is_overdue(way, doors().now())
    due = delivery.due_minor(session, way.order)
    recalled = [line.name for line in lines if line.sku in stopped]
    return DoorView(way, way.home.n or n, due, max(ages, default=None), things, overdue, recalled)


def _picture(here: Point, found: list[Point]) -> Picture:
    """Draw the doors around the store to one scale, north above."""
    lats, lons = zip(here, *found, strict=True)
    span = max(max(lats) - min(lats), (max(lons) - min(lons)) * 0.8, 1e-4)
    scale = (SIDE - 2 * EDGE) / span

    def spot(point: Point) -> tuple[int, int]:
        x = EDGE + ((point[1] - min(lons)) * 0.8 + (span - (max(lons) - min(lons)) * 0.8) / 2) * scale
        y = SIDE - EDGE - ((point[0] - min(lats)) + (span - (max(lats) - min(lats))) / 2) * scale
        return round(x), round(y)

    line = " ".join(f"{x},{y}" for x, y in map(spot, [here, *found, here]))
    some = [Door(str(n), point) for n, point in enumerate(found)]
    return Picture(
        [(*spot(point), n) for n, point in enumerate(found, 1)], line, spot(here), stop_order.length_m(here, some)
    )

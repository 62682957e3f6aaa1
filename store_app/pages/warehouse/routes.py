"""The vehicles' day: what stands loaded, the routes planned for it, their picture, and the driver's sheet."""

import math
import re
from dataclasses import dataclass
from typing import Any

import segno
import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue.selling_hours import clock_text
from pos.store.store import Store
from store_app.files import tables
from store_app.pages.common import form
from store_app.runtime.doors import acting, clock, doors, read, wake_worker_after, write
from store_app.web.presenting import minute, page, today
from store_app.web.security import requires
from store_app.words import supply
from supply.network.routes import loads, routes, vehicles
from supply.network.routes.routes import DeliveryRoute, RoutePlan, RouteStop
from supply.network.routes.vehicles import MapPoint
from supply.orders import suppliers

bp = Blueprint("console_routes", __name__, url_prefix="/console/routes")
WIDTH, HEIGHT, MARGIN = 640, 420, 26
COLOURS = 6
PLACE_FIELDS = ("degrees", "from", "until", "service")
_DEGREES = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,6})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,6})?)\s*")
EXPECTED_S = 10
"""How long planning takes, as the page's bar shows it."""


@dataclass(frozen=True)
class StopView:
    """A stop as the page and the sheet show it. late: it comes outside its window."""

    stop: RouteStop
    name: str
    address: str
    comes: str
    window: str
    late: bool


@dataclass(frozen=True)
class RouteView:
    """A route with its stops; colour: 1 to COLOURS."""

    row: DeliveryRoute
    stops: list[StopView]
    colour: int
    leaves: str
    back: str


@dataclass(frozen=True)
class PlaceRow:
    """A store or a warehouse in the list of places. shown: its fields as the page writes them (PLACE_FIELDS)."""

    id: str
    name: str
    shown: dict[str, str]
    is_known: bool


@bp.get("/")
@requires("network.supply")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what waits, the vehicles, and the routes with their picture."""
    with read() as session:
        warehouse = _warehouse(session)
        plan = loads.newest_plan(session, warehouse)
        shown = _views(session, warehouse)
        picture = _picture(session, warehouse, shown)
        waiting = routes.waiting_deliveries(session, warehouse, with_planned=True)
        left_out = _left_out(session, plan)
        fleet = vehicles.vehicles_of(session, warehouse)
        depot = vehicles.places_of(session, [warehouse]).get(warehouse)
    return page(
        "warehouse/routes/routes.html", warehouse=warehouse,
        warehouses=_warehouses(), plan=plan, share=_share(plan), shown=shown, picture=picture, waiting=waiting,
        left_out=left_out, fleet=fleet, depot=depot, fault=fault, metres=sum(view.row.metres for view in shown),
        day=today(), waiting_words=supply.waiting(len(waiting)),
    )  # fmt: skip


@bp.post("/plan")
@requires("network.supply.change")
@form.answers_on(overview)
def plan() -> ResponseReturnValue:
    """Ask for the day's routes; the worker computes them."""
    form.command_id()
    with write() as session:
        loads.ask(acting(session), _warehouse(session), form.date("day"))
        wake_worker_after(session)
    return redirect(url_for("console_routes.overview", warehouse=request.args.get("warehouse")), 303)


@bp.post("/<route_id>/move/<store_id>")
@requires("network.supply.change")
@form.answers_on(overview)
def move(route_id: str, store_id: str) -> ResponseReturnValue:
    """Move a stop one place up or down."""
    by = form.one_of("by", ("-1", "1"), sentence=_("Use one of the two arrows."))
    with write() as session:
        row = routes.move_stop(acting(session), route_id, store_id, int(by))
        wake_worker_after(session)
    return redirect(url_for("console_routes.overview", warehouse=row.warehouse_id) + f"#round-{route_id}", 303)


@bp.post("/<route_id>/send-off")
@requires("network.supply.change")
@form.answers_on(overview)
def send_off(route_id: str) -> ResponseReturnValue:
    """Let a route leave; the answer is the driver's sheet with the key, this once."""
    driver = form.text("driver", most=60)
    with write() as session:
        key = routes.send_off(acting(session), route_id, driver)
        wake_worker_after(session)
    return _sheet(route_id, key)


@bp.post("/<route_id>/end")
@requires("network.supply.change")
@form.answers_on(overview)
def end(route_id: str) -> ResponseReturnValue:
    """End a route that does not go on; a second click finds it ended."""
    why = form.text("why", most=200, required=_("Enter a reason. The shopkeeper will see it."))
    with write() as session:
        row = routes.end(acting(session), route_id, why=why)
        turned = sum(stop.outcome == "not_reached" for stop in routes.stops_of(session, row))
        wake_worker_after(session)
    reported = ngettext(
        "%(num)d store was not reached and has been notified.",
        "%(num)d stores were not reached and have been notified.",
        turned,
    )
    flash(_("%(vehicle)s’s route has ended.", vehicle=row.vehicle_name) + (f" {reported}" if turned else ""), "good")
    return redirect(url_for("console_routes.overview", warehouse=row.warehouse_id) + f"#round-{route_id}", 303)


@bp.post("/<route_id>/drop")
@requires("network.supply.change")
@form.answers_on(overview)
def drop(route_id: str) -> ResponseReturnValue:
    """Drop a planned route; a second click finds it dropped."""
    with write() as session:
        row = routes.drop(acting(session), route_id)
    return form.done(
        _("%(vehicle)s’s route canceled. Its load can be planned again.", vehicle=row.vehicle_name),
        "console_routes.overview",
        warehouse=row.warehouse_id,
    )


@bp.get("/<route_id>/sheet")
@requires("network.supply")
def sheet(route_id: str) -> ResponseReturnValue:
    """Show a route's sheet to print; the driver's key stands on the one that came when it was sent off."""
    return _sheet(route_id, "")


@bp.post("/vehicles")
@requires("network.supply.change")
@form.answers_on(overview)
def add_vehicle() -> ResponseReturnValue:
    """Take a vehicle into service."""
    form.command_id()
    with write() as session:
        vehicles.add_vehicle(
            acting(session), _warehouse(session), form.text("name", most=40),
            form.whole("packs", least=1, most=vehicles.MOST_PACKS),
            day=(form.minute("from"), form.minute("until")))  # fmt: skip
    return redirect(url_for("console_routes.overview", warehouse=request.args.get("warehouse")), 303)


@bp.post("/vehicles/<vehicle_id>/retire")
@requires("network.supply.change")
def retire(vehicle_id: str) -> ResponseReturnValue:
    """Take a vehicle out of service."""
    with write() as session:
        vehicles.retire_vehicle(acting(session), vehicle_id)
    return redirect(url_for("console_routes.overview"), 303)


@bp.get("/places")
@requires("network.supply")
def places(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show where the stores and warehouses are, and when they take goods; what was typed and refused is still there."""
    with read() as session:
        named = [(house, _("Warehouse %(id)s", id=house)) for house in suppliers.warehouses(session)]
        named += [(store.id, store.name) for store in _stores(session)]
        known = vehicles.places_of(session, [one for one, _name in named])
        measured = len(vehicles.legs_between(session, [one for one, _name in named]))
    rows = [PlaceRow(one, name, _as_typed(known.get(one)), one in known) for one, name in named]
    rows.sort(key=lambda row: row.is_known)
    return page(
        "warehouse/routes/stops.html", rows=rows, missing=len(rows) - len(known), measured=measured, fault=fault,
        typed=request.form if fault else {}, generated=any(row.source == "generated" for row in known.values()),
    )  # fmt: skip


@bp.post("/places")
@requires("network.supply.change")
@form.answers_on(places)
def put_places() -> ResponseReturnValue:
    """Keep every place that was changed on the page, or none; others stay as somebody else left them meanwhile."""
    form.command_id()
    changed = 0
    with write() as session:
        for place_id in request.form.getlist("place"):
            typed = tuple(request.form.get(f"{field}-{place_id}", "").strip() for field in PLACE_FIELDS)
            if "|".join(typed) == request.form.get(f"was-{place_id}"):
                continue
            _put_place(session, place_id)
            changed += 1
    return form.done(
        ngettext("%(num)d location saved.", "%(num)d locations saved.", changed) if changed else _("Nothing changed."),
        "console_routes.places",
    )


@bp.post("/matrix")
@requires("network.supply.change")
@form.answers_on(places)
def matrix() -> ResponseReturnValue:
    """Take measured ways in from a CSV file."""
    form.command_id()
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", "Choose a file first.", field="file")
    rows = tables.table(sent.read(), sent.filename.lower())[1]
    with write() as session:
        count = vehicles.bring_in_legs(acting(session), rows)
    flash(ngettext("%(num)d measured distance in use.", "%(num)d measured distances in use.", count), "good")
    return redirect(url_for("console_routes.places"), 303)


# --- inside ---


def _sheet(route_id: str, key: str) -> ResponseReturnValue:
    with read() as session:
        row = session.get(DeliveryRoute, route_id)
        if row is None or row.state == "dropped":
            raise NotFound("no-such-route", "Route not found. Reload the page.")
        view = view_of(session, row, 1)
    base = (doors().settings.public_url or request.url_root).rstrip("/")
    link = f"{base}{url_for('drive.stops', key=key)}" if key else ""
    drawn = segno.make(link, error="m").svg_inline(scale=4, border=2, omitsize=True) if link else ""
    return page("warehouse/routes/sheet.html", view=view, link=link, code=Markup(drawn))  # noqa: S704  our own drawing


def _warehouses() -> list[str]:
    with read() as session:
        return suppliers.warehouses(session)


def _warehouse(session: Session) -> str:
    """Return the warehouse the address names, else the first."""
    known = suppliers.warehouses(session)
    if not known:
        raise NotFound("no-warehouse", "No supplier delivers from a network warehouse yet.")
    return request.args.get("warehouse", "") if request.args.get("warehouse") in known else known[0]


def _stores(session: Session) -> list[Store]:
    return list(session.scalars(sa.select(Store).order_by(Store.name, Store.id)))


def _views(session: Session, warehouse: str) -> list[RouteView]:
    found = routes.routes_of(session, warehouse, today())
    return [view_of(session, row, n % COLOURS + 1) for n, row in enumerate(found)]


def view_of(session: Session, row: DeliveryRoute, colour: int) -> RouteView:
    """Return a route as its page, its sheet and the driver's phone show it."""
    stops = []
    for stop in routes.stops_of(session, row):
        store = session.get_one(Store, stop.store_id)
        window = f"{minute(stop.from_s // 60)}–{minute(stop.until_s // 60)}"
        stops.append(
            StopView(stop, store.name, store.address, minute(stop.begins_s // 60), window, routes.out_of_window(stop))
        )
    return RouteView(row, stops, colour, minute(row.leaves_s // 60), minute(row.back_s // 60))


def projected(known: dict[str, MapPoint]) -> dict[str, tuple[float, float]]:
    """Return where places are in a drawing of WIDTH x HEIGHT: north is up."""
    squeeze = math.cos(math.radians(sum(row.lat_e6 for row in known.values()) / len(known) / 1e6))
    flat = {key: (row.lon_e6 * squeeze, -row.lat_e6) for key, row in known.items()}
    left, top = (min(point[n] for point in flat.values()) for n in (0, 1))
    wide, high = (max(point[n] for point in flat.values()) - low for n, low in ((0, left), (1, top)))
    scale = min((WIDTH - 2 * MARGIN) / (wide or 1), (HEIGHT - 2 * MARGIN) / (high or 1))
    return {
        key: (round(MARGIN + (x - left) * scale, 1), round(MARGIN + (y - top) * scale, 1))
        for key, (x, y) in flat.items()
    }


def _left_out(session: Session, found: RoutePlan | None) -> list[tuple[str, str]]:
    names = {store.id: store.name for store in _stores(session)}
    words = {
        "no-place": _("not on the map yet"),
        "no-vehicle": _("no vehicle can carry that much there in time"),
    }
    return [(names.get(store_id, store_id), words[why]) for store_id, why in (found.left_out if found else [])]


def _share(found: RoutePlan | None) -> int | None:
    """Return how far planning is, in percent; None where nothing is planned just now."""
    if found is None or found.done_at is not None:
        return None
    begun = found.begun_at or found.asked_at
    return min(95, 5 + round(90 * (clock.now() - begun).total_seconds() / EXPECTED_S))


def _picture(session: Session, warehouse: str, shown: list[RouteView]) -> dict[str, Any] | None:
    """Return the routes as lines of a drawing: north is up, the warehouse a square."""
    keys = [warehouse, *(stop.stop.store_id for view in shown for stop in view.stops)]
    known = vehicles.places_of(session, keys)
    if warehouse not in known or len(known) < 2:
        return None
    at = projected(known)
    lines = []
    for view in shown:
        points = [at[warehouse], *(at[stop.stop.store_id] for stop in view.stops), at[warehouse]]
        lines.append(
            {
                "colour": view.colour, "points": " ".join(f"{x},{y}" for x, y in points),
                "stops": [(*at[stop.stop.store_id], stop.stop.n, stop.name) for stop in view.stops],
            }
        )  # fmt: skip
    return {"width": WIDTH, "height": HEIGHT, "lines": lines, "depot": at[warehouse]}


def _as_typed(row: MapPoint | None) -> dict[str, str]:
    """Return a place as its fields show it; one that nobody has said yet takes goods from six to six."""
    return {
        "degrees": f"{row.lat_e6 / 1e6:.6f}, {row.lon_e6 / 1e6:.6f}" if row else "",
        "from": clock_text(row.from_minute if row else vehicles.FROM_MINUTE),
        "until": clock_text(min(row.until_minute if row else vehicles.UNTIL_MINUTE, 24 * 60 - 1)),
        "service": str(row.service_minutes if row else vehicles.SERVICE_MINUTES),
    }


def _put_place(session: Session, id: str) -> None:
    """Say where a store or a warehouse is, as its fields say it; a refusal names the field with the place's id."""
    found = _DEGREES.fullmatch(request.form.get(f"degrees-{id}", ""))
    if found is None:
        words = _("Enter latitude and longitude, such as 31.2304, 121.4737.")
        raise Invalid("bad-degrees", words, field=f"degrees-{id}")
    lat_e6, lon_e6 = (round(float(text) * 1_000_000) for text in found.groups())
    window = (form.minute(f"from-{id}"), form.minute(f"until-{id}"))
    try:
        vehicles.place(
            acting(session), id, lat_e6, lon_e6, window=window,
            service_minutes=form.whole(f"service-{id}", most=240))  # fmt: skip
    except Invalid as fault:
        field = str(fault.facts.get("field", "degrees")).removesuffix(f"-{id}")
        raise Invalid(fault.code, fault.sentence, **{**fault.facts, "field": f"{field}-{id}"}) from fault

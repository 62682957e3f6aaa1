"""What orders could be: with less and more service in the weeks ahead, and in others' ways over the last weeks."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound, Refused
from pos.catalogue.catalogue import Product
from pos.store.store import Region, usual_currency
from store_app.pages.common import form
from store_app.pages.orders import curve_chart
from store_app.runtime import job_runs
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import money, number, page, percent, place, today
from store_app.web.security import requires
from supply.demand import forecasts
from supply.replenishment import order_simulation, replays, service_targets
from supply.replenishment.order_simulation import WeeksAhead
from supply.replenishment.replays import OrderReplay

bp = Blueprint("replays", __name__)
JOB = "weeks-ahead"
WAYS = {
    "ours": _l("Suggested orders"),
    "mean_normal": _l("Four-week average with safety stock"),
    "rolling_minmax": _l("Minimum and maximum from the last four weeks"),
    "static_minmax": _l("Fixed minimum and maximum"),
    "what_sold": _l("Reordering what was sold"),
    "perfect": _l("Perfect foresight"),
}
NAMES = {
    "ours": _l("Suggestions"),
    "mean_normal": _l("Four-week average"),
    "rolling_minmax": _l("Rolling min and max"),
    "static_minmax": _l("Fixed min and max"),
    "what_sold": _l("Sales replaced"),
    "perfect": _l("Perfect foresight"),
}
"""The ways as short as a curve is named."""


@bp.get("/orders/proof")
@requires("order")
def store(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the store's weeks ahead at several levels of service, and its own replay."""
    store_id = str(place().store_id)
    with read() as session:
        found, ahead = replays.newest(session, "store", store_id), order_simulation.newest(session, store_id)
        present_bp = service_targets.service_of(session, store_id)
        names = _names(session, ahead.body["matters"]) if ahead else {}
        playing = _playing(session)
    return _shown(found, place().currency, "", ahead=_ahead(ahead, present_bp, names), playing=playing, fault=fault)


@bp.post("/orders/service")
@requires("settings")
@form.answers_on(store)
def set_service() -> ResponseReturnValue:
    """Say how much service the store's orders aim at."""
    service_bp = form.whole("service_bp", least=1)
    with write() as session:
        service_targets.set_service(acting(session), str(place().store_id), service_bp)
    return form.done(_("Saved. Future suggestions will use it."), ".store")


@bp.post("/orders/look-again")
@requires("order")
@form.answers_on(store)
def look_again() -> ResponseReturnValue:
    """Have the weeks ahead looked at now, by the worker."""
    yesterday = today() - dt.timedelta(days=1)
    with write() as session:
        run = forecasts.published(session, "store", str(place().store_id))
        if run is None or run.origin_day < yesterday:
            reported = _("Last night’s forecast is not ready yet. It runs automatically at night; check again later.")
            raise Refused("no-forecast-yet", reported)
        job_runs.ask(session, doors().settings.node_id, JOB, yesterday, at=doors().now())
        wake_worker_after(session)
    return redirect(url_for(".store"), 303)


@bp.get("/console/proof/<region_id>")
@requires("network.demand")
def region(region_id: str) -> ResponseReturnValue:
    """Show the replay of all of a region's stores together."""
    with read() as session:
        here = session.get(Region, region_id)
        if here is None:
            raise NotFound("no-region", "Region %(id)s not found.", id=region_id[:40])
        found = replays.newest(session, "region", region_id)
        currency, name = usual_currency(session), here.name
    return _shown(found, currency, name)


# --- inside ---


def _names(session: Session, matters: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return name and stock unit of the products that matter."""
    query = sa.select(Product.sku, Product.shown, Product.stock_unit)
    return {
        sku: (name, unit)
        for sku, name, unit in session.execute(query.where(Product.sku.in_([one["sku"] for one in matters])))
    }


def _playing(session: Session) -> dict[str, Any]:
    """Return how the look ahead of last night's forecast stands; state: "" where none was taken or asked for."""
    run = job_runs.run_of(session, doors().settings.node_id, JOB, today() - dt.timedelta(days=1))
    if run is None:
        return {"state": ""}
    return {
        "state": "failed" if run.is_cut_off(doors().now()) else run.state,
        "at": run.began_at,
        "so_far": run.so_far,
        "whole": run.whole,
    }


def _ahead(found: WeeksAhead | None, present_bp: int, names: dict[str, tuple[str, str]]) -> dict[str, Any] | None:
    """Return the weeks ahead as they are shown; what was chosen since they were played is the present level."""
    if found is None or not found.body["products"]:
        return None
    body = found.body
    levels = {one["service_bp"]: one for one in body["levels"]}
    matters = [
        one | {"name": names[one["sku"]][0], "unit": names[one["sku"]][1]}
        for one in body["matters"]
        if one["sku"] in names
    ]
    return body | {
        "last_day": found.first_day + dt.timedelta(days=body["days"] - 1), "matters": matters,
        "present_bp": present_bp, "played_bp": body["present_bp"], "best": levels[body["best_bp"]],
        "chosen": levels.get(present_bp), "is_old": found.first_day < today(),
    }  # fmt: skip


def _shown(
    found: OrderReplay | None,
    currency: str,
    region_name: str,
    *,
    ahead: dict[str, Any] | None = None,
    playing: dict[str, Any] | None = None,
    fault: DomainError | None = None,
) -> ResponseReturnValue:
    body = found.body if found else None
    rows, short = [], []
    if body:
        for name, words in WAYS.items():
            way = body["ways"].get(name)
            if way and way["stock_value"] is None:
                short.append(words)
            elif way:
                rows.append({"name": name, "words": words, **way})
    return page(
        "orders/replays/proof.html", replay=body, last_day=found.last_day if found else None, rows=rows,
        currency=currency, region_name=region_name, ahead=ahead, playing=playing, fault=fault, better=_better(rows),
        short=short, chart=_chart(body, currency, curve_chart.WIDE) if body else None, narrow=_chart(body, currency,
        curve_chart.NARROW) if body else None,
    )  # fmt: skip


def _better(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the rule that would have needed less stock than the proposals, if one would; foresight is no rule."""
    found = {row["name"]: row for row in rows}
    mine, known = found.get("ours"), found.get("perfect")
    rivals = [row for name, row in found.items() if name not in ("ours", "perfect")]
    if mine is None or known is None or not rivals:
        return None
    best = min(rivals, key=lambda row: row["stock_value"])
    less = round(mine["stock_value"] - best["stock_value"])
    reported = {"words": best["words"], "less_minor": less, "least_days": number(known["cover_days"], 1)}
    return reported if less > 0 else None


def _chart(body: dict[str, Any], currency: str, size: curve_chart.Size) -> dict[str, Any]:
    """Return the curves as a picture of the share sold and the money in stock."""
    curves = {name: [(fill, stock) for fill, stock in points] for name, points in body["curves"].items()}
    names = {name: str(words) for name, words in NAMES.items()}
    return curve_chart.picture(curves, names, body["fill"], lambda minor: money(round(minor), currency), percent, size)

"""What the last weeks would have needed: our orders and others', over the shop's or the region's own sales."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import NotFound
from pos.store import Region
from store_app import curve_chart
from store_app.extensions import read
from store_app.presenting import money, number, page, place
from store_app.security import requires
from supply import overview, replays
from supply.replays import OrderReplay

bp = Blueprint("replays", __name__)
WAYS = {
    "ours": _l("The proposals"),
    "mean_normal": _l("Four weeks’ mean with a safety stock"),
    "rolling_minmax": _l("Minimum and maximum by the last four weeks"),
    "static_minmax": _l("Fixed minimum and maximum"),
    "what_sold": _l("Ordering what was sold"),
    "perfect": _l("If one had known"),
}
NAMES = {
    "ours": _l("Proposals"),
    "mean_normal": _l("Four weeks’ mean"),
    "rolling_minmax": _l("Moving min and max"),
    "static_minmax": _l("Fixed min and max"),
    "what_sold": _l("What was sold"),
    "perfect": _l("If one had known"),
}
"""The ways as short as a curve is named."""


@bp.get("/orders/proof")
@requires("order")
def shop() -> Any:
    """Show the shop's own replay."""
    with read() as session:
        found = replays.newest(session, "store", str(place().store_id))
    return _shown(found, place().currency, "")


@bp.get("/console/proof/<region_id>")
@requires("network.demand")
def region(region_id: str) -> Any:
    """Show the replay of all of a region's shops together."""
    with read() as session:
        here = session.get(Region, region_id)
        if here is None:
            raise NotFound("no-region", _("There is no region %(id)s.", id=region_id[:40]))
        found = replays.newest(session, "region", region_id)
        currency, name = overview.currency(session), here.name
    return _shown(found, currency, name)


# --- inside ---


def _shown(found: OrderReplay | None, currency: str, region_name: str) -> Any:
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
        "replays/proof.html", replay=body, last_day=found.last_day if found else None, rows=rows, currency=currency,
        region_name=region_name, better=_better(rows), short=short,
        chart=_chart(body, currency, curve_chart.WIDE) if body else None,
        narrow=_chart(body, currency, curve_chart.NARROW) if body else None,
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
    told = {"words": best["words"], "less_minor": less, "least_days": number(known["cover_days"], 1)}
    return told if less > 0 else None


def _chart(body: dict[str, Any], currency: str, size: curve_chart.Size) -> dict[str, Any]:
    """Return the curves as a picture of the share sold and the money in stock."""
    curves = {name: [(fill, stock) for fill, stock in points] for name, points in body["curves"].items()}
    names = {name: str(words) for name, words in NAMES.items()}
    return curve_chart.picture(curves, names, body["fill"], lambda minor: money(round(minor), currency), size)

"""What the last weeks would have needed: our orders and others', over the shop's or the region's own sales."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import NotFound
from pos.store import Region
from store_app.extensions import read
from store_app.presenting import number, page, place
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
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 300, 92, 34


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
    rows = []
    if body:
        for name, words in WAYS.items():
            way = body["ways"].get(name)
            if way and way["stock_value"] is not None:
                rows.append({"name": name, "words": words, **way})
    return page(
        "replays/proof.html", replay=body, last_day=found.last_day if found else None, rows=rows, currency=currency,
        region_name=region_name, better=_better(rows), chart=_chart(body) if body else None,
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


def _chart(body: dict[str, Any]) -> dict[str, Any]:
    """Return the curves as points of a picture: sold share to the right, money in stock upwards."""
    drawn = {
        name: points for name, points in body["curves"].items() if name in ("ours", "mean_normal", "rolling_minmax")
    }
    low = 0.9
    kept = {name: sorted(point for point in points if point[0] >= low) for name, points in drawn.items()}
    most = max((stock for points in kept.values() for fill, stock in points if fill <= 0.995), default=0) or 1

    def at(fill: float, stock: float) -> str:
        x = LEFT + (fill - low) / (1 - low) * (WIDTH - LEFT - 12)
        return f"{x:.1f},{12 + (1 - min(stock / most, 1.0)) * (HEIGHT - BOTTOM - 12):.1f}"

    return {
        "lines": {name: " ".join(at(fill, stock) for fill, stock in points) for name, points in kept.items() if points},
        "most_minor": round(most), "width": WIDTH, "height": HEIGHT, "left": LEFT, "floor": HEIGHT - BOTTOM,
        "ticks": [(float(at(fill, 0).split(",")[0]), f"{fill:.0%}") for fill in (0.9, 0.92, 0.94, 0.96, 0.98, 1.0)],
    }  # fmt: skip

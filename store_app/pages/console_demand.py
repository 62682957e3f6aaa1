"""The regions' demand: what sold, and what the published forecast expects."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _

from config.errors import NotFound
from pos.store import Region
from store_app.extensions import read
from store_app.pages import form
from store_app.presenting import LARGE, page, today
from store_app.security import requires
from supply import overview

bp = Blueprint("console_demand", __name__, url_prefix="/console/demand")


@bp.get("/")
@requires("network.demand")
def regions() -> Any:
    """Go to the first region."""
    return to_first_region("console_demand.region")


@bp.get("/<region_id>")
@requires("network.demand")
def region(region_id: str) -> Any:
    """Show one region: an aisle's chart, and what sells most."""
    with read() as session:
        found = overview.regions(session, today())
        here = region_of(found, region_id)
        aisles = overview.aisles(session, region_id)
        aisle = request.args.get("aisle", "")
        if aisle not in aisles:
            aisle = aisles[0] if aisles else ""
        series = overview.aisle_series(session, region_id, aisle)
        products = overview.top_products(session, region_id)
        currency = overview.currency(session)
    return page(
        "console/regions.html",
        region=here,
        regions=found,
        aisles=[(name, _aisle_words(name)) for name in aisles],
        aisle=aisle,
        aisle_words=_aisle_words(aisle),
        unit=_unit(aisle),
        recent=list(zip(series.days, series.sold, strict=True))[-14:],
        coming=list(zip(series.expected_days, series.expected, strict=True)),
        products=products,
        currency=currency,
    )


@bp.get("/<region_id>/series")
@requires("network.demand")
def series(region_id: str) -> Any:
    """Answer an aisle's series for the chart: seconds since 1970, units sold, units expected."""
    with read() as session:
        if session.get(Region, region_id) is None:
            raise _no_region(region_id)
        found = overview.aisle_series(session, region_id, request.args.get("aisle", ""))
    days = [*found.days, *found.expected_days]
    stamps = [int(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC).timestamp()) for day in days]
    unit = _unit(request.args.get("aisle", ""))
    size = LARGE[unit][1] if unit in LARGE else 1
    sold = [None if qty is None else qty / size for qty in found.sold]
    expected: list[float | None] = [None] * len(sold)
    if sold and found.expected:
        expected[-1] = sold[-1]  # the two lines meet
    return {
        "days": stamps,
        "sold": [*sold, *[None] * len(found.expected)],
        "expected": [*expected, *[qty / size for qty in found.expected]],
    }


# --- inside ---


def to_first_region(endpoint: str) -> Any:
    """Send to a page of the network's first region."""
    with read() as session:
        first = session.scalar(sa.select(Region.id).order_by(Region.name).limit(1))
    if first is None:
        raise NotFound("no-region", _("This network has no region yet. Add one with its first shop."))
    return redirect(url_for(endpoint, region_id=first))


def region_of(regions: list[overview.RegionView], region_id: str) -> overview.RegionView:
    """Return one of the regions, or refuse with a sentence."""
    found = next((one for one in regions if one.id == region_id), None)
    if found is None:
        raise _no_region(region_id)
    return found


def _no_region(region_id: str) -> NotFound:
    return NotFound("no-region", _("There is no region %(id)s.", id=form.tidy(region_id)[:40]))


def _unit(aisle: str) -> str:
    """Return what an aisle's goods are counted in: weighed goods stand apart, under their unit."""
    unit = aisle.rpartition(", ")[2]
    return unit if unit in LARGE else "each"


def _aisle_words(aisle: str) -> str:
    unit = _unit(aisle)
    return aisle if unit == "each" else _("%(name)s, by weight", name=aisle.removesuffix(f", {unit}"))

"""The regions' demand: what sold, and what their stores are expected to sell."""

import datetime as dt

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import NotFound
from config.words import UNITS
from pos.store.store import Region, usual_currency
from store_app.pages.common import form
from store_app.runtime import job_runs
from store_app.runtime.doors import doors, read
from store_app.web.presenting import category, page, today
from store_app.web.security import requires
from store_app.words import forecast, words
from supply.demand import category_demand, promotion_days, reported_forecasts
from supply.demand.category_demand import Ahead
from supply.demand.forecasts import published
from supply.membership import overview

bp = Blueprint("console_demand", __name__, url_prefix="/console/demand")
WEEK_DAYS, DOUBTED_SHOWN = 7, 8


@bp.get("/")
@requires("network.demand")
def regions() -> ResponseReturnValue:
    """Go to the first region."""
    return to_first_region("console_demand.region")


@bp.get("/regions/all")
@requires("network.demand")
def network() -> ResponseReturnValue:
    """Show what all regions are expected to sell of a category, and their sum."""
    with read() as session:
        regions = overview.regions(session, today())
        top_categories = category_demand.top_categories(session, today())
        top_category = _chosen(top_categories)
        ahead = category_demand.ahead(session, top_category)
    return page(
        "console/network_demand.html",
        regions=regions,
        top_categories=[(name, _top_category_words(name)) for name in top_categories],
        top_category=top_category,
        top_category_words=_top_category_words(top_category),
        unit=_unit(top_category),
        week=ahead.days[:WEEK_DAYS],
        rows=[(one, _of_week(ahead, one.id)) for one in regions],
        total=_of_week(ahead),
    )


@bp.get("/<region_id>")
@requires("network.demand")
def region(region_id: str) -> ResponseReturnValue:
    """Show one region: a category's chart, what each store is expected to sell of it, and what sells most."""
    with read() as session:
        found = overview.regions(session, today())
        here = region_of(found, region_id)
        top_categories = category_demand.top_categories(session, today(), region_id)
        top_category = _chosen(top_categories)
        sold = category_demand.sold(session, region_id, top_category, today())
        ahead = category_demand.ahead(session, top_category, region_id)
        products = overview.top_products(session, region_id, today())
        currency = usual_currency(session)
        doubted = reported_forecasts.doubted(session, region_id)
        said = published(session, "region", region_id)
        night = job_runs.run_of(session, doors().settings.node_id, "forecast-stores", today() - dt.timedelta(days=1))
        on_offer = promotion_days.effect_times(said.signal if said else None, top_category)
    return page(
        "console/regions.html",
        region=here,
        regions=found,
        top_categories=[(name, _top_category_words(name)) for name in top_categories],
        top_category=top_category,
        top_category_words=_top_category_words(top_category),
        unit=_unit(top_category),
        recent=sold[-14:],
        seen_day=ahead.seen_day,
        coming=list(zip(ahead.days, map(ahead.units, ahead.total()), strict=True)),
        week=ahead.days[:WEEK_DAYS],
        stores=[(one, ahead.units(sum(one.parts[:WEEK_DAYS]))) for one in ahead.stores],
        total=_of_week(ahead),
        on_offer=on_offer,
        night=night if night and night.state == "running" and night.whole else None,
        doubted=[(name, words.few(skus, 5), forecast.not_taken(why)) for name, skus, why in doubted[:DOUBTED_SHOWN]],
        more_doubted=max(0, len(doubted) - DOUBTED_SHOWN),
        products=products,
        currency=currency,
    )


@bp.get("/<region_id>/series")
@requires("network.demand")
def series(region_id: str) -> ResponseReturnValue:
    """Answer a category's series for the chart: seconds since 1970, units sold, units expected."""
    top_category = request.args.get("top_category", "")
    with read() as session:
        if session.get(Region, region_id) is None:
            raise _no_region(region_id)
        known = category_demand.sold(session, region_id, top_category, today())
        ahead = category_demand.ahead(session, top_category, region_id)
    days = [*(day for day, _ in known), *ahead.days]
    stamps = [int(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC).timestamp()) for day in days]
    unit = _unit(top_category)
    size = 1000 if unit in UNITS else 1
    sold = [None if qty is None else qty / size for _, qty in known]
    expected: list[float | None] = [None] * len(sold)
    if sold and ahead.days:
        expected[-1] = sold[-1]  # the two lines meet
    return {
        "days": stamps,
        "sold": [*sold, *[None] * len(ahead.days)],
        "expected": [*expected, *[ahead.units(parts) / size for parts in ahead.total()]],
    }


# --- inside ---


def _chosen(top_categories: list[str]) -> str:
    """Return the category that is asked for, else the first."""
    top_category = request.args.get("top_category", "")
    return top_category if top_category in top_categories else next(iter(top_categories), "")


def _of_week(ahead: Ahead, region_id: str | None = None) -> float:
    """Return the units a region's stores, or all, are expected to sell in the week ahead."""
    return ahead.units(sum(ahead.total(region_id)[:WEEK_DAYS]))


def to_first_region(endpoint: str) -> ResponseReturnValue:
    """Send to a page of the network's first region."""
    with read() as session:
        first = session.scalar(sa.select(Region.id).order_by(Region.name).limit(1))
    if first is None:
        raise NotFound("no-region", "This network has no region yet. One is created with the first store.")
    return redirect(url_for(endpoint, region_id=first))


def region_of(regions: list[overview.RegionView], region_id: str) -> overview.RegionView:
    """Return one of the regions, or refuse with a sentence."""
    found = next((one for one in regions if one.id == region_id), None)
    if found is None:
        raise _no_region(region_id)
    return found


def _no_region(region_id: str) -> NotFound:
    return NotFound("no-region", "Region %(id)s not found.", id=form.tidy(region_id)[:40])


def _unit(top_category: str) -> str:
    """Return what a category's goods are counted in: weighed goods stand apart, under their unit."""
    unit = top_category.rpartition(", ")[2]
    return unit if unit in UNITS else "each"


def _top_category_words(top_category: str) -> str:
    unit = _unit(top_category)
    name = category(top_category.removesuffix(f", {unit}"))
    return name if unit == "each" else _("%(name)s, by weight", name=name)

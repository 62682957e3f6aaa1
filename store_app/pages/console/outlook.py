"""A region's outlook: what will run out where, before the next vehicles can come."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from store_app.pages.console.demand import region_of, to_first_region
from store_app.runtime.doors import clock, read
from store_app.web.presenting import number, page
from store_app.web.security import requires
from supply.membership import overview
from supply.replenishment import stockouts

ALL = "all"
bp = Blueprint("console_outlook", __name__, url_prefix="/console/outlook")


@bp.get("/")
@requires("network.demand")
def regions() -> ResponseReturnValue:
    """Go to the first region."""
    return to_first_region("console_outlook.region")


@bp.get("/<region_id>")
@requires("network.demand")
def region(region_id: str) -> ResponseReturnValue:
    """Show what runs out within so many days in a region's stores, or in those of all regions."""
    asked = request.args.get("days", "3")
    days = int(asked) if asked in {str(one) for one in stockouts.HORIZONS} else 3
    with read() as session:
        today = clock.now().date()
        found = overview.regions(session, today)
        here = None if region_id == ALL and all(one.id != ALL for one in found) else region_of(found, region_id)
        regions = [one.id for one in found] if here is None else [here.id]
        seen_at, rows = stockouts.runs_out(
            session, regions, days=days, today=today, warehouses=stockouts.warehouses(session, regions)
        )
    return page(
        "console/outlook.html",
        region=here,
        regions=found,
        days=days,
        seen_at=seen_at,
        choices=[(one, ngettext("%(num)d day", "%(num)d days", one)) for one in stockouts.HORIZONS],
        rows=[
            {
                "sku": row.sku,
                "name": row.name,
                "unit": row.stock_unit,
                "stores": row.short,
                "of": row.of,
                "share": round(100 * row.short / max(1, row.of)),
                "where": _(", ").join(_where(name, left) for name, left in row.stores),
                "more": row.short - len(row.stores),
                "missing_qty": row.missing_qty,
                "warehouse_qty": row.warehouse_qty,
                "is_short": row.warehouse_qty < row.missing_qty,
            }
            for row in rows
        ],
    )


def _where(name: str, left: float) -> str:
    if left < 0.05:  # less than half an hour of trade: written as days it would be none
        return _("%(store)s (sold out)", store=name)
    return _("%(store)s (%(left)s d)", store=name, left=number(left, 1))

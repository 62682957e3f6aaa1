"""Which warehouse supplies which store, and when: settled for a region, and for a store where it differs."""

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import DomainError
from pos.store.store import Region, Store, zone_of
from store_app.jobs import publishing
from store_app.pages.common import form
from store_app.pages.orders import suppliers as supplier_pages
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from supply.orders import suppliers, supply_routes
from supply.orders.suppliers import Supplier

bp = Blueprint("console_serving", __name__, url_prefix="/console/supplied")


@bp.get("/")
@requires("network.supply")
def listed(fault: DomainError | None = None, warehouse_id: str = "") -> ResponseReturnValue:
    """Show from where regions are supplied, which stores differ, and how many stores each warehouse supplies."""
    with read() as session:
        houses = suppliers.warehouses(session)
        known = supply_routes.settled(session)
        house_of = supply_routes.served(session)
        usual = supply_routes.usual_warehouse(session)
        regions = session.scalars(sa.select(Region).order_by(Region.name, Region.id)).all()
        vehicles = session.scalars(sa.select(Supplier).where(Supplier.warehouse_id.is_not(None)).order_by(Supplier.id))
        calendars = {str(one.warehouse_id): one for one in vehicles}
        clocks = {house: zone_of(session, house) or "" for house in houses}
        alone = [of_id for kind, of_id in known if kind == "store"]
        stores = session.scalars(sa.select(Store).where(Store.id.in_(alone)).order_by(Store.name, Store.id)).all()
    counts = list(house_of.values())
    return page(
        "warehouse/supplied.html",
        houses=[(house, counts.count(house)) for house in houses],
        usual=usual,
        calendars=calendars,
        clocks=clocks,
        typed=supplier_pages.calendar_shown,
        fault=fault,
        at_fault=warehouse_id,
        regions=[(one, known.get(("region", one.id), "")) for one in regions],
        stores=[(one, house_of.get(one.id, "")) for one in stores],
    )


@bp.post("/regions/<region_id>")
@requires("network.supply.change")
def settle_region(region_id: str) -> ResponseReturnValue:
    """Settle from where a region's stores are supplied, but those with a warehouse of their own."""
    with write() as session:
        supply_routes.supply_region(acting(session), region_id, _chosen())
    publishing.publish_terms(doors())
    return form.done(_("These stores’ new orders come from there."), "console_serving.listed")


@bp.post("/stores/<store_id>")
@requires("network.supply.change")
def settle_store(store_id: str) -> ResponseReturnValue:
    """Settle from where one store is supplied; what it ordered before comes from where it was ordered."""
    with write() as session:
        house = _chosen()
        missed = supply_routes.unlisted(session, store_id, house) if house else 0
        supply_routes.supply_store(acting(session), store_id, house)
    publishing.publish_terms(doors())
    flash(_("This store’s new orders come from there."), "good")
    if missed:
        reported = ngettext(
            "%(num)d product it could order is not on that warehouse’s list.",
            "%(num)d products it could order are not on that warehouse’s list.",
            missed,
        )
        flash(reported, "warn")
    return redirect(url_for("console_stores.store", store_id=store_id), 303)


@bp.post("/warehouses/<warehouse_id>")
@requires("network.supply.change")
@form.answers_on(listed)
def settle_calendar(warehouse_id: str) -> ResponseReturnValue:
    """Settle on which days no vehicle leaves a warehouse, until when stores' orders count, and by whose clock."""
    said = supplier_pages.calendar_typed()
    with write() as session:
        tz = form.tidy(request.form.get("tz", ""))
        suppliers.settle_calendar(acting(session), warehouse_id, said, tz=tz)
    publishing.publish_terms(doors())
    return form.done(_("Saved. The stores have been notified."), "console_serving.listed")


def _chosen() -> str | None:
    return form.tidy(request.form.get("warehouse", "")) or None

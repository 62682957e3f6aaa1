"""Whom the network buys from: its upstream suppliers with their terms and price lists, and what its messages say of it.

The pages of a store's own suppliers serve here too (`suppliers`), of the network's own and for who settles its supply.
"""

import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from store_app.pages.common import form
from store_app.pages.orders import suppliers
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words.supply import takes_orders
from supply.orders import locations, supply_routes
from supply.orders.suppliers import SupplierProduct, warehouses, way_of

bp = Blueprint("console_upstream", __name__, url_prefix="/console/upstream")


@bp.get("/")
@requires("network.buying")
def listed(fault: DomainError | None = None, warehouse_id: str = "") -> ResponseReturnValue:
    """List whom the network buys from, and the warehouses that write to them."""
    with read() as session:
        rows = supply_routes.upstream_suppliers(session)
        count = sa.select(SupplierProduct.supplier_id, sa.func.count()).group_by(SupplierProduct.supplier_id)
        counts = dict(session.execute(count).all())
        leads = suppliers.taken(session, rows)
        known, houses = locations.premises(session), warehouses(session)
    cards = [
        {
            "row": row, "way": suppliers.WAYS_ALL[way_of(row)], "days": takes_orders(row.calendar, today()),
            "products": counts.get(row.id, 0), "lead": suppliers.lead_words(leads[row.id]),
            "is_late": leads[row.id].days > leads[row.id].promised_days,
        }
        for row in rows
    ]  # fmt: skip
    return page(
        "warehouse/upstream.html", suppliers=cards, currency=place().currency, longest=locations.LONGEST,
        warehouses=[(house, known.get(house)) for house in houses], fault=fault, at_fault=warehouse_id,
    )  # fmt: skip


@bp.post("/warehouses/<warehouse_id>")
@requires("network.buying.change")
@form.answers_on(listed)
def settle(warehouse_id: str) -> ResponseReturnValue:
    """Write down where a warehouse is and how it is called, for its messages."""
    reported = {name: form.text(name, most=most) for name, most in locations.LONGEST.items()}
    with write() as session:
        locations.settle(acting(session), warehouse_id, **reported)
    return form.done(_("Saved for future orders."), "console_upstream.listed")


def _here(permission: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view of a store's as one of who buys for the network."""

    @functools.wraps(view)
    def seen(**asked: Any) -> Any:
        return view(**asked)

    return requires(permission)(seen)


LOOK, CHANGE = "network.buying", "network.buying.change"
for _method, _rule, _permission, _view in (
    ("GET", "/new", LOOK, suppliers.new),
    ("POST", "/new", CHANGE, suppliers.add),
    ("GET", "/<supplier_id>", LOOK, suppliers.supplier),
    ("GET", "/<supplier_id>/change", LOOK, suppliers.change_page),
    ("POST", "/<supplier_id>/change", CHANGE, suppliers.save),
    ("POST", "/<supplier_id>/prices", CHANGE, suppliers.set_price),
    ("POST", "/<supplier_id>/prices/<sku>/coming", CHANGE, suppliers.set_coming_cost),
    ("POST", "/<supplier_id>/prices/<sku>/drop", CHANGE, suppliers.drop_price),
    ("POST", "/<supplier_id>/price-list", CHANGE, suppliers.bring_prices_in),
):
    bp.add_url_rule(_rule, view_func=_here(_permission, _view), methods=[_method])

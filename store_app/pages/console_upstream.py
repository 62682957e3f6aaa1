"""Whom the network buys from: its upstream suppliers with their terms and price lists.

The pages of a shop's own suppliers serve here too (`suppliers`), of the network's own and for who settles its supply.
"""

import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint

from store_app.extensions import read
from store_app.pages import form, suppliers
from store_app.presenting import page, place
from store_app.security import requires
from supply import upstream
from supply.suppliers import SupplierProduct, way_of

bp = Blueprint("console_upstream", __name__, url_prefix="/console/upstream")
bp.before_request(form.know_the_place)


@bp.get("/")
@requires("network.supply")
def listed() -> Any:
    """List whom the network buys from."""
    with read() as session:
        rows = upstream.upstream_suppliers(session)
        count = sa.select(SupplierProduct.supplier_id, sa.func.count()).group_by(SupplierProduct.supplier_id)
        counts = dict(session.execute(count).all())
    cards = [
        {
            "row": row, "way": suppliers.WAYS_ALL[way_of(row)], "days": suppliers.weekdays(row.order_weekdays),
            "products": counts.get(row.id, 0),
        }
        for row in rows
    ]  # fmt: skip
    return page("console/upstream.html", suppliers=cards, currency=place().currency)


def _here(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view of a shop's as one of who settles the network's supply."""

    @functools.wraps(view)
    def seen(**asked: Any) -> Any:
        return view(**asked)

    return requires("network.supply")(seen)


for _method, _rule, _view in (
    ("GET", "/new", suppliers.new),
    ("POST", "/new", suppliers.add),
    ("GET", "/<supplier_id>", suppliers.supplier),
    ("GET", "/<supplier_id>/change", suppliers.change_page),
    ("POST", "/<supplier_id>/change", suppliers.save),
    ("POST", "/<supplier_id>/prices", suppliers.set_price),
    ("POST", "/<supplier_id>/prices/<sku>/coming", suppliers.set_coming_cost),
    ("POST", "/<supplier_id>/prices/<sku>/drop", suppliers.drop_price),
    ("POST", "/<supplier_id>/price-list", suppliers.bring_prices_in),
):
    bp.add_url_rule(_rule, view_func=_here(_view), methods=[_method])

"""Orders from the stores: shared out, confirmed, loaded."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from pos.store.store import usual_currency
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from supply.membership import overview
from supply.money import credit
from supply.network.warehouse import dispatch as warehouse
from supply.network.warehouse import pick_lists
from supply.orders import claims, locations, supplier_returns, suppliers

bp = Blueprint("console_supply", __name__, url_prefix="/console/supply")


@bp.get("/")
@requires("network.supply")
def orders() -> ResponseReturnValue:
    """List the orders and what is scarce."""
    with read() as session:
        found = overview.orders(session)
        scarce = overview.scarcest(session)
        currency = usual_currency(session)
        lists, listed = len(pick_lists.open_lists(session)), locations.by_list(session)
        all_by_list = listed.issuperset(suppliers.warehouses(session))
        claims_waiting = len(claims.claims_in(session, claims.WAITING)) + len(supplier_returns.returns(session, "sent"))
    states = [order.state for order in found]
    return page(
        "warehouse/supply.html",
        orders=found,
        scarce=scarce,
        currency=currency,
        claims_waiting=claims_waiting,
        waiting=states.count("sent"),
        to_dispatch=states.count("acknowledged"),
        lists=lists,
        all_by_list=all_by_list,
    )


@bp.post("/fill")
@requires("network.supply.change")
def fill() -> ResponseReturnValue:
    """Share the warehouse out over all waiting orders and confirm them."""
    with write() as session:
        done = warehouse.fill(acting(session))
        held = len(credit.held_draws(session))
    if done or not held:
        flash(ngettext("%(num)d order confirmed.", "%(num)d orders confirmed.", len(done)), "good")
    if held:
        flash(
            ngettext(
                "%(num)d order is on credit hold. Release or decline it under Money.",
                "%(num)d orders are on credit hold. Release or decline them under Money.",
                held,
            ),
            "warn",
        )
    return redirect(url_for("console_supply.orders"), 303)


@bp.post("/dispatch")
@requires("network.supply.change")
def dispatch() -> ResponseReturnValue:
    """Load the vehicle with every confirmed order that is on no list."""
    with write() as session:
        done = warehouse.dispatch_day(acting(session), everything=True)
    return form.done(ngettext("%(num)d order loaded.", "%(num)d orders loaded.", len(done)), "console_supply.orders")

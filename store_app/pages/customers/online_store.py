"""The store's own online store: open or closed, its address and square, and the rules for orders."""

from typing import Any

import segno
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from pos.store.store import Store
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.online.storefront import availability, storefront
from supply.online.storefront.availability import Storefront
from supply.online.storefront.time_slots import LENGTHS, MOST_RETURN_DAYS, PickupRules

bp = Blueprint("online_store", __name__, url_prefix="/settings/online-shop")
NUMBERS = {
    "lead_minutes": 24 * 60, "window_orders": 200, "shelf_places": 500, "days_ahead": 14, "accept_minutes": 24 * 60,
    "return_days": MOST_RETURN_DAYS,
}  # fmt: skip


@bp.get("/")
@requires("settings")
def rules(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show whether the online store is open, its address, and its rules."""
    store_id = str(place().store_id)
    with read() as session:
        front = session.get(Storefront, store_id)
        found = availability.rules_of(session, store_id)
        slug = session.get_one(Store, store_id).slug
    settings = doors().settings
    base = settings.public_url or settings.network_url
    address = f"{base.rstrip('/')}/shop/{slug}/" if base else ""
    square = segno.make(address, error="m", micro=False) if address else None
    return page(
        "store/settings/online_store.html",
        is_open=front is None or front.taking_orders,
        rules=found,
        lengths=LENGTHS,
        address=address,
        in_network=bool(settings.network_url),
        square=square.svg_inline(border=2, svgclass=None, lineclass=None, omitsize=True) if square else "",
        fault=fault,
    )


@bp.post("/")
@requires("settings")
@form.answers_on(rules)
def settle() -> ResponseReturnValue:
    """Settle the rules for online orders."""
    given: dict[str, Any] = {name: form.whole(name, most=most) for name, most in NUMBERS.items()}
    length = form.whole("window_minutes", most=max(LENGTHS))
    wanted = PickupRules(
        window_minutes=length, **given, confirm_phone=request.form.get("confirm_phone") == "yes",
        pay_online=request.form.get("pay_online") == "yes", order_in=request.form.get("order_in") == "yes",
    )  # fmt: skip
    with write() as session:
        storefront.set_rules(acting(session), str(place().store_id), wanted)
        wake_worker_after(session)
    flash(_("Saved for orders from now on."), "good")
    return redirect(url_for(".rules"), 303)


@bp.post("/open")
@requires("settings")
@form.answers_on(rules)
def take_orders() -> ResponseReturnValue:
    """Open or close the online store."""
    wanted = request.form.get("open") == "yes"
    with write() as session:
        storefront.set_taking_orders(acting(session), str(place().store_id), wanted)
        wake_worker_after(session)
    flash(
        _("Your online store is open for orders.") if wanted else _("Your online store is closed for orders."), "good"
    )
    return redirect(url_for(".rules"), 303)

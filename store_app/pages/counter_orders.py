"""An online order taken at the counter, for a customer without a phone: search, how much, when, who, and paying.

Rules
-----
1. What was chosen lives in this browser's session until the order is taken; the page works without script.
2. The customer's slip is printed by itself. Its code is shown on the page that follows, to this browser alone.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask import session as browser
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, Refused, ShopError
from pos import catalogue
from pos.catalogue import Product
from pos.store import Store
from store_app.extensions import doors, read, wake_worker_after, write
from store_app.pages import form
from store_app.pages.till import own_till
from store_app.presenting import page, place, today
from store_app.security import requires
from store_app.sentences import sentence_of
from supply import counter_orders, online_price, placing, shop, slips
from supply.counter_orders import CounterMoney, Ware
from supply.pickup_order import PickupOrder

bp = Blueprint("counter_orders", __name__, url_prefix="/counter-order")
bp.before_request(form.know_the_place)
FOUND = 12
MOST_STEPS = 99
_FIELDS = {"bad-name": "name", "bad-phone": "phone", "window-full": "window"}


@bp.get("/")
@requires("pickup")
def take(fault: ShopError | None = None, **_place: Any) -> Any:
    """Show what can be ordered, what is chosen, and ask for the rest."""
    store_id, at = str(place().store_id), doors().now()
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    chosen = _chosen()
    with read() as session:
        store = session.get_one(Store, store_id)
        found = counter_orders.wares(session, store_id, list(chosen), at=at)
        lines = [_line(found[sku], steps) for sku, steps in chosen.items() if sku in found]
        wanted = [(line["ware"].sku, line["qty"]) for line in lines]
        prices = {sku: ware.price_minor for sku, ware in found.items()}
        prices |= _deposits(session, store_id, list(found))
        total = online_price.quote(session, store, wanted, prices, at=at).basket.total_minor if wanted else 0
        comes_on = shop.comes_on(today(), [line["ware"].days_for(line["qty"]) for line in lines])
        windows = [one for one in placing.free_windows(session, store, at, comes_on) if one.left]
        hits = counter_orders.search(session, store_id, text, at=at, limit=FOUND) if text else []
    return page(
        "pickup/take.html",
        text=text,
        hits=[(ware, shop.comes_on(today(), [ware.order_days])) for ware in hits],
        lines=lines,
        total_minor=total,
        comes_on=comes_on,
        windows=windows,
        today=today(),
        currency=store.currency,
        field=fault.facts.get("field", _FIELDS.get(fault.code)) if fault else None,
        fault=fault,
    )


@bp.post("/put")
@requires("pickup")
@form.answers_on(take)
def put() -> Any:
    """Choose one more of a product; by its button, or by scanning it."""
    store_id, at = str(place().store_id), doors().now()
    sku, text = request.form.get("sku", ""), form.text("q")
    with read() as session:
        if not sku and text:
            hits = counter_orders.search(session, store_id, text, at=at, limit=2)
            try:
                sku = catalogue.find_by_scan(session, store_id, text, today()).product.sku
            except ShopError:
                sku = hits[0].sku if len(hits) == 1 else ""
        if not sku:
            return redirect(url_for(".take", q=text), 303)
        ware = counter_orders.wares(session, store_id, [sku], at=at).get(sku)
    if ware is None:
        raise NotFound("not-to-be-had", _("This is not in the shop, and no supplier brings it."))
    chosen = _chosen()
    if sku not in chosen and len(chosen) >= placing.MOST_LINES:
        raise Invalid("full-basket", _("Forty different things are the most for one order. Order these first."))
    _keep(chosen | {sku: min(MOST_STEPS, chosen.get(sku, 0) + 1)})
    return redirect(url_for(".take", q=text or None), 303)


@bp.post("/change/<sku>")
@requires("pickup")
@form.answers_on(take)
def change(sku: str) -> Any:
    """Change how much of a product is wanted; nothing takes it out."""
    steps = form.whole("steps", most=MOST_STEPS)
    chosen = _chosen()
    if steps:
        chosen[form.tidy(sku)] = steps
    else:
        chosen.pop(form.tidy(sku), None)
    _keep(chosen)
    return redirect(url_for(".take", q=request.form.get("q") or None), 303)


@bp.post("/")
@requires("pickup")
@form.answers_on(take)
def order() -> Any:
    """Take the order, with the money if it is paid now, and print its slip; the same command again is one order."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    name = form.text("name", most=80, required=_("Type the name under which it is collected."))
    tender = form.one_of("pay", ("", *counter_orders.TENDERS), sentence=_("Say how it is paid."))
    phone, shown = form.text("phone", most=20), form.whole("shown_total")
    chosen = _chosen()
    with write() as session:
        if not chosen and session.get(PickupOrder, (store_id, command)) is not None:
            return redirect(url_for(".taken", order_id=command), 303)
        if not chosen:
            raise Invalid("empty-basket", _("Choose something first."))
        till = own_till(session, store_id)
        found = counter_orders.wares(session, store_id, list(chosen), at=at)
        lines = [(sku, steps * (found[sku].step_qty if sku in found else 1)) for sku, steps in chosen.items()]
        done = counter_orders.take(
            session, store_id, id=command, till_id=till.id, name=name, phone=phone, lines=lines, window_from=_window(),
            tender=tender, shown_total_minor=shown, actor=g.actor, at=at,
        )  # fmt: skip
        if done.code is not None:
            address = _address(session.get_one(Store, store_id).slug, str(done.token))
            slips.customer_slip(
                session, till, done.order, done.code, address, command=f"slip-{command}", tender=tender, at=at
            )
            browser["counter_taken"] = [command, done.code]
        wake_worker_after(session)
    _keep({})
    return redirect(url_for(".taken", order_id=command), 303)


@bp.get("/<order_id>")
@requires("pickup")
def taken(order_id: str) -> Any:
    """Show the order just taken: what to take, its code, and when it is collected."""
    store_id = str(place().store_id)
    with read() as session:
        row = session.get(PickupOrder, (store_id, order_id))
        if row is None or row.number >= 0:
            raise NotFound("unknown-order", _("There is no such order in this shop."))
        paid = session.get(CounterMoney, (store_id, order_id))
    kept = browser.get("counter_taken")
    code = str(kept[1]) if isinstance(kept, list) and kept[0] == order_id else ""
    return page(
        "pickup/taken.html",
        order=row,
        code=code,
        tender=paid.tender if paid else "",
        cash_minor=paid.amount_minor + paid.rounding_minor if paid else 0,
        currency=place().currency,
    )


@bp.post("/<order_id>/give-back")
@requires("take_back")
def give_back(order_id: str) -> Any:
    """Give back what was paid and is no longer owed."""
    command, store_id = form.command_id(), str(place().store_id)
    tender = form.one_of("tender", counter_orders.TENDERS, sentence=_("Say how it is given back."))
    try:
        with write() as session:
            till = own_till(session, store_id)
            counter_orders.give_back(
                session, store_id, order_id, id=command, till_id=till.id, tender=tender, actor=g.actor, at=doors().now()
            )
            wake_worker_after(session)
    except Refused as fault:
        flash(sentence_of(fault), "bad")
    else:
        flash(_("Noted: the money was given back."), "good")
    return redirect(url_for("pickup.order", order_id=order_id), 303)


# --- inside ---


def _chosen() -> dict[str, int]:
    return {str(sku): int(steps) for sku, steps in browser.get("counter_order", {}).items()}


def _keep(chosen: dict[str, int]) -> None:
    browser["counter_order"] = chosen


def _line(ware: Ware, steps: int) -> dict[str, Any]:
    wanted = steps * ware.step_qty
    return {
        "ware": ware, "steps": steps, "qty": wanted, "comes_on": shop.comes_on(today(), [ware.days_for(wanted)]),
        "is_short": wanted > ware.here_qty and ware.order_days is None,
    }  # fmt: skip


def _deposits(session: Session, store_id: str, skus: list[str]) -> dict[str, int]:
    query = sa.select(Product.deposit_sku).where(Product.sku.in_(skus), Product.deposit_sku.is_not(None))
    return catalogue.prices_on(session, store_id, today(), [str(sku) for sku in session.scalars(query)])


def _window() -> dt.datetime | None:
    wished = request.form.get("window", "")
    try:
        start = dt.datetime.fromisoformat(wished) if wished else None
    except ValueError as fault:
        raise Invalid("bad-window", _("Choose when it is collected."), field="window") from fault
    if start is not None and start.tzinfo is None:
        raise Invalid("bad-window", _("Choose when it is collected."), field="window")
    return start


def _address(slug: str, token: str) -> str:
    """Return what the slip's square holds: the order's page, or the token alone where the shop has no address."""
    base = (doors().settings.public_url or doors().settings.network_url).rstrip("/")
    return f"{base}/shop/{slug}/order/{token}" if base else token

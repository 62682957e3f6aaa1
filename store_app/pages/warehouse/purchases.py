"""The network's own purchasing: what to buy upstream and why, what is on its way, taking it in."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError
from pos.messages import OutgoingMessage
from pos.store.store import usual_currency
from store_app.pages.common import form, lists
from store_app.pages.common.waiting import stock_units
from store_app.pages.orders.order_messages import as_paper
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, state_word, today
from store_app.web.security import requires
from store_app.words.messages import message_sentence
from supply.network.purchasing import purchasing
from supply.network.recalls import upstream_returns
from supply.orders import purchases, supplier_messages
from supply.orders.purchases import Purchase
from supply.orders.suppliers import Supplier, warehouses

bp = Blueprint("console_purchases", __name__, url_prefix="/console/purchases")
PATIENCE = dt.timedelta(days=purchases.PATIENCE_DAYS)
OPEN, PAST = ["proposed", "ordered"], ["received", "cancelled"]


@bp.get("/")
@requires("network.buying")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """List what is to decide, what is on its way, and what came."""
    with read() as session:
        waiting = [_view(session, one) for one in purchases.purchases(session, OPEN)]
        past = lists.show(_past(session), sa.select(Purchase).where(Purchase.state.in_(PAST)), at=url_for(".listed"))
        off = supplier_messages.not_sent(session, "cancellation")
        money = usual_currency(session)
    waiting.sort(key=lambda one: (one["state"] != "proposed", one["expected_day"]))
    return past.file or page(
        "warehouse/purchases.html",
        waiting=waiting,
        past=past,
        currency=money,
        fault=fault,
        off=off,
        message_words=message_sentence,
        email=request.form.get("email"),
    )


@bp.post("/propose")
@requires("network.buying.change")
@form.answers_on(listed)
def propose() -> ResponseReturnValue:
    """Work out again what every warehouse should buy."""
    with read() as session:
        houses = warehouses(session)
    made = 0
    for house in houses:
        with write() as session:
            made += len(purchasing.propose(acting(session), house))
    if made:
        flash(ngettext("%(num)d purchase suggested.", "%(num)d purchases suggested.", made), "good")
    else:
        flash(_("Nothing to buy: stores and warehouses have enough."), "info")
    return redirect(url_for("console_purchases.listed"), 303)


@bp.post("/<warehouse_id>/<purchase_id>/order")
@requires("network.buying.change")
@form.answers_on(listed)
def order(warehouse_id: str, purchase_id: str) -> ResponseReturnValue:
    """Order a purchase with the packs typed."""
    with write() as session:
        found = purchases.purchase_of(session, warehouse_id, purchase_id)
        if found.state == "proposed":
            packs = {sku: form.whole(f"packs-{n}", most=999) for n, sku in _typed()}
            purchasing.order(acting(session), warehouse_id, purchase_id, packs)
        number = found.purchase_no
    return form.done(_("Purchase %(no)s placed.", no=number), "console_purchases.listed")


@bp.post("/<warehouse_id>/<purchase_id>/receive")
@requires("network.supply.change")
@form.answers_on(listed)
def receive(warehouse_id: str, purchase_id: str) -> ResponseReturnValue:
    """Take a purchase in as counted, with the dates on the packs."""
    counts = {sku: (form.whole(f"qty-{n}"), form.date_on_pack(f"until-{n}")) for n, sku in _typed()}
    with write() as session:
        found = purchasing.receive(acting(session), warehouse_id, purchase_id, counts)
        number = found.purchase_no
        stopped = upstream_returns.recalled_purchases(session, found)
        names = [one.name for one in purchases.lines_of(session, found) if one.sku in stopped and one.received_qty]
    flash(_("Purchase %(no)s received.", no=number), "good")
    if names:
        words = _("Recalled: %(names)s. Set these aside and check the warehouse.", names=", ".join(names))
        flash(words, "warn")
    return redirect(url_for("console_purchases.listed"), 303)


@bp.post("/<warehouse_id>/<purchase_id>/drop")
@requires("network.buying.change")
@form.answers_on(listed)
def drop(warehouse_id: str, purchase_id: str) -> ResponseReturnValue:
    """Drop a proposal, or call an ordered purchase off, with a reason."""
    why = form.text("why", required=_("Enter a reason for discarding the purchase."))
    with write() as session:
        purchasing.drop(acting(session), warehouse_id, purchase_id, why=why)
    return form.done(_("Discarded."), "console_purchases.listed", "info")


@bp.get("/<warehouse_id>/messages/<message_id>.<kind>")
@requires("network.buying")
def paper(warehouse_id: str, message_id: str, kind: str) -> Response:
    """Give a message as it was sent: `pdf` for people, `csv` for a supplier's program."""
    with read() as session:
        document = supplier_messages.message_of(session, warehouse_id, message_id).body
    return as_paper(document, kind)


@bp.post("/<warehouse_id>/messages/<message_id>/left")
@requires("network.buying.change")
@form.answers_on(listed)
def left(warehouse_id: str, message_id: str) -> ResponseReturnValue:
    """Note that a purchase was handed over by hand, or told by telephone."""
    with write() as session:
        message = supplier_messages.left(acting(session), warehouse_id, message_id)
        home = _home(session, message)
    flash(_("Saved. The supplier has it."), "good")
    return redirect(home, 303)


@bp.post("/<warehouse_id>/messages/<message_id>/again")
@requires("network.buying.change")
@form.answers_on(listed)
def again(warehouse_id: str, message_id: str) -> ResponseReturnValue:
    """Send a message again, to the address typed."""
    typed = request.form.get("email", "")
    with write() as session:
        message = supplier_messages.again(acting(session), warehouse_id, message_id, how="email", address=typed)
        home = _home(session, message)
    flash(_("Resent."), "good")
    return redirect(home, 303)


# --- inside ---


def _past(session: Session) -> lists.Table:
    """Return the list of purchases that came or were called off, the latest first."""
    names: dict[str, str] = dict(session.execute(sa.select(Supplier.id, Supplier.name)).all())
    sellers = session.scalars(sa.select(Purchase.supplier_id).distinct())
    choices = sorted(((one, names.get(one, one)) for one in sellers if one), key=lambda one: one[1])
    name = sa.select(Supplier.name).where(Supplier.id == Purchase.supplier_id).scalar_subquery()
    return lists.Table(
        "purchases",
        (
            lists.Column(
                "number",
                _("Supplier order"),
                by=Purchase.purchase_no,
                value=lambda one: f"{one.store_id}-{one.purchase_no}",
                look="lead",
            ),
            lists.Column("supplier", _("Supplier"), by=name, value=lambda one: names.get(one.supplier_id or "")),
            lists.Column("state", _("State"), by=Purchase.state, value=lambda one: state_word(one.state)),
            lists.Column("ordered_at", _("Ordered"), "time", by=Purchase.ordered_at, shown=False, look="said"),
            lists.Column("expected_day", _("Day"), "date", by=Purchase.expected_day),
            lists.Column("received_at", _("Received"), "time", by=Purchase.received_at, shown=False, look="said"),
            lists.Column("cost_minor", _("Amount"), "money", by=Purchase.cost_minor, look="sum"),
        ),
        (
            lists.Filter(
                "supplier",
                _("Supplier"),
                "choice",
                lambda one: Purchase.supplier_id == one,
                [("", _("All suppliers")), *choices],
            ),
            lists.Filter(
                "state",
                _("State"),
                "choice",
                lambda one: Purchase.state == one,
                [("", _("Every state")), *((one, state_word(one)) for one in PAST)],
            ),
            lists.Filter("first", _("From"), "date", lambda day: Purchase.expected_day >= day),
            lists.Filter("last", _("To"), "date", lambda day: Purchase.expected_day <= day),
        ),
        (Purchase.expected_day.desc(), Purchase.store_id, Purchase.id.desc()),
        below=True,
    )


def _home(session: Session, message: OutgoingMessage) -> str:
    """Return where a message is shown: with the purchases, or what goes back on its recall's page."""
    if message.kind not in supplier_messages.OF_RETURNS:
        return url_for("console_purchases.listed")
    found = upstream_returns.return_of(session, message.store_id, message.about)
    return url_for("console_recalls.one", recall_id=found.recall_id)


def _typed() -> list[tuple[int, str]]:
    found = ((n, request.form.get(f"sku-{n}")) for n in range(2000))
    return [(n, sku) for n, sku in found if sku is not None]


def _view(session: Any, one: purchases.Purchase) -> dict[str, Any]:
    lines = purchases.lines_of(session, one)
    units = stock_units(session, [line.sku for line in lines])
    stopped = upstream_returns.recalled_purchases(session, one)
    return {
        "id": one.id,
        "warehouse_id": one.store_id,
        "number": one.purchase_no,
        "state": one.state,
        "expected_day": one.expected_day,
        "cost_minor": one.cost_minor,
        "missed": one.state == "ordered" and one.expected_day < today() - PATIENCE,
        "supplier": session.get(Supplier, one.supplier_id) if one.supplier_id else None,
        "order_day": one.order_day,
        "messages": supplier_messages.messages_of(session, one.store_id, one.id),
        "recalled": [(line.name, stopped[line.sku]) for line in lines if line.sku in stopped],
        "lines": [{"row": line, "unit": units.get(line.sku, "each")} for line in lines],
    }

"""Orders: what is proposed and why, changing it, approving and sending it, and what became of it."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.ids import NETWORK
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue.catalogue import find_code, search
from store_app.pages.common import form, waiting
from store_app.pages.common.timeline import timeline
from store_app.pages.orders import order_lines
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import RAIL_COUNTS, page, place, today
from store_app.web.security import requires
from store_app.words import words
from store_app.words.messages import message_sentence
from store_app.words.refusals import sentence_of
from supply.money import credit
from supply.orders import network_offers, supplier_messages, suppliers, transfers
from supply.orders import orders as supply_orders
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier
from supply.replenishment import auto_approval, open_orders, proposals, service_targets
from supply.replenishment.proposals import Edit

bp = Blueprint("ordering", __name__, url_prefix="/orders")
RAIL_COUNTS["orders"] = waiting.orders
LATER = tuple(state for state in supply_orders.STATES.states if state != "proposed")


@bp.get("/")
@requires("order")
def orders(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what is to decide now, offers first, then the orders so far."""
    store_id = str(place().store_id)
    with read() as session:
        names = order_lines.supplier_names(session)
        proposals = [_view(session, row) for row in order_lines.orders_in(session, store_id, ["proposed"])]
        unsent = supplier_messages.unsent(session, store_id)
        rows = [
            {
                "id": row.id,
                "order_no": row.order_no,
                "state": row.state,
                "delivery_day": row.delivery_day,
                "cost_minor": row.cost_minor,
                "by_rule": row.by_rule,
                "is_unsent": row.id in unsent,
                "supplier_name": names.get(row.supplier_id, row.supplier_id),
            }
            for row in order_lines.orders_in(session, store_id, LATER)
        ]
        offers = order_lines.offers(session, store_id)
        neighbours = transfers.unanswered(session, store_id)
        missed = open_orders.missed_orders(session, store_id, at=doors().now())
        not_coming = network_offers.not_coming(session, store_id, today())
        said = [
            order_lines.forecast_sentence(session, store_id, today=today()),
            order_lines.night_sentence(session, doors().settings.node_id, today=today(), at=doors().now()),
            *order_lines.watched(session, store_id),
        ]
        missing = order_lines.missing(session, store_id)
        credit_for_all = order_lines.credit_for_all(session, store_id, proposals)
    return page(
        "orders/ordering/orders.html",
        credit_for_all=credit_for_all,
        proposals=sorted(proposals, key=lambda view: (view.delivery_day, view.supplier_name)),
        orders=rows,
        offers=offers,
        neighbours=neighbours,
        missed=missed,
        not_coming=not_coming,
        forecast_sentence="" if missing else " ".join(filter(None, said)),
        missing=missing,
        decline_reasons=words.DECLINE_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.get("/<order_id>")
@requires("order")
def order(order_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show one order: to decide, or what was ordered and what happened."""
    with read() as session:
        view = _view(session, _row(session, order_id))
        steps = timeline(session, f"order:{order_id}")
        messages = supplier_messages.messages_of(session, str(place().store_id), order_id)
    return page(
        "orders/ordering/order.html",
        order=view,
        steps=steps,
        messages=messages,
        message_words=message_sentence,
        email=request.form.get("email"),
        currency=place().currency,
        fault=fault,
    )


@bp.post("/propose")
@requires("order")
@form.answers_on(orders)
def propose() -> ResponseReturnValue:
    """Work out proposals now, in place of those nobody confirmed yet."""
    form.command_id()
    store_id, at = str(place().store_id), doors().now()
    with read() as session:
        drafts = proposals.draft(session, store_id, at=at)
        missing = order_lines.missing(session, store_id)
    with write() as session:
        made = proposals.write(Context(session, g.actor, at), store_id, drafts)
    if made:
        flash(ngettext("%(num)d suggested order is ready.", "%(num)d suggested orders are ready.", len(made)), "good")
    elif not missing:  # else the page says what must be there first
        flash(_("Nothing to order now. Stock lasts beyond the next delivery."), "info")
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<order_id>/approve")
@requires("order")
@form.answers_on(order)
def approve(order_id: str) -> ResponseReturnValue:
    """Approve an order and send it, on account or on credit; a second click finds it sent."""
    store_id, at = str(place().store_id), doors().now()
    on_credit = request.form.get("pay") == "credit"
    with write() as session:
        row = _row(session, order_id)
        ctx = Context(session, g.actor, at)
        if row.state == "proposed":
            proposals.approve(ctx, store_id, order_id)
        if row.state not in supply_orders.ON_THE_WAY or row.state == "approved":
            if on_credit:
                credit.draw(ctx, store_id, order_id)
            supply_orders.send(ctx, store_id, order_id)
        on_paper = any(
            one.carrier == "paper" and one.state == "waiting"
            for one in supplier_messages.messages_of(session, store_id, order_id)
        )
    if on_paper:
        flash(_("Order %(no)s approved. Print it and hand it over.", no=row.order_no), "info")
    else:
        flash(_("Order %(no)s sent.", no=row.order_no), "good")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/approve-all")
@requires("order")
@form.answers_on(orders)
def approve_all() -> ResponseReturnValue:
    """Approve and send every proposal that may go; one that is refused, empty or waits for its minimum stays, and why.

    Those to the network are paid as was chosen. Each order is its own: what one is refused for takes nothing from the
    others.
    """
    form.command_id()
    store_id, at, on_credit = str(place().store_id), doors().now(), request.form.get("pay") == "credit"
    sent, left, late = 0, 0, 0
    refused: list[tuple[int, DomainError]] = []
    with write() as session:
        for row in proposals.proposals(session, store_id):
            if proposals.is_over(session, row, at):
                late += 1
                continue
            lines = supply_orders.lines_of(session, row)
            short = sum(line.packs * line.pack_cost_minor for line in lines) < _minimum(session, row)
            if not any(line.packs for line in lines) or (short and not any(line.changed_by for line in lines)):
                left += 1
                continue
            order_no = row.order_no
            try:
                with session.begin_nested():
                    ctx = Context(session, g.actor, at)
                    proposals.approve(ctx, store_id, row.id)
                    if on_credit and suppliers.supplier_of(session, row.supplier_id).kind == NETWORK:
                        credit.draw(ctx, store_id, row.id)
                    supply_orders.send(ctx, store_id, row.id)
                sent += 1
            except DomainError as fault:
                refused.append((order_no, fault))
    if sent:
        flash(ngettext("%(num)d order sent.", "%(num)d orders sent.", sent), "good")
    for order_no, refusal in refused:
        flash(_("Order %(no)s was not sent: %(why)s", no=order_no, why=sentence_of(refusal)), "warn")
    if late:
        flash(
            ngettext(
                "%(num)d order was not sent: its order day is over. Suggest it again.",
                "%(num)d orders were not sent: their order day is over. Suggest them again.",
                late,
            ),
            "warn",
        )
    if left:
        flash(
            ngettext(
                "%(num)d order was not sent: it is empty or below the supplier’s minimum.",
                "%(num)d orders were not sent: they are empty or below their supplier’s minimum.",
                left,
            ),
            "info",
        )
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<order_id>/drop")
@requires("order")
@form.answers_on(order)
def drop(order_id: str) -> ResponseReturnValue:
    """Drop an order nobody sent yet, with a reason."""
    why = form.text("why", required=_("Enter a reason. Future suggestions will learn from it."))
    with write() as session:
        row = _row(session, order_id)
        if row.state != "dropped":
            proposals.drop(acting(session), str(place().store_id), order_id, why=why)
    return form.done(_("Order %(no)s discarded.", no=row.order_no), "ordering.orders", "info")


@bp.post("/<order_id>/cancel")
@requires("order")
@form.answers_on(orders)
def cancel(order_id: str) -> ResponseReturnValue:
    """Call off an order that did not come; a second click finds it called off."""
    with write() as session:
        row = _row(session, order_id)
        if row.state != "cancelled":
            supply_orders.cancel(acting(session), str(place().store_id), order_id, why=N_("It did not arrive."))
    return form.done(_("Order %(no)s canceled.", no=row.order_no), "ordering.orders")


@bp.post("/<order_id>/lines/<sku>")
@requires("order")
@form.answers_on(order)
def change(order_id: str, sku: str) -> ResponseReturnValue:
    """Change how many packs of a line are ordered; a reason may say why."""
    packs, why = form.whole("packs", most=999), form.reason(words.CHANGE_REASONS, needed=False)
    store_id, reason = str(place().store_id), request.form.get("reason", "")
    with write() as session:
        line = session.get(OrderLine, (store_id, order_id, sku))
        teaches = line is not None and service_targets.does_teach(reason, packs - line.packs_proposed)
        edit = Edit(packs, why, teaches)
        proposals.change(acting(session), store_id, order_id, sku, edit)
    return _back_to(order_id, f"line-{sku}")


@bp.post("/<order_id>/lines/<sku>/undo")
@requires("order")
@form.answers_on(order)
def undo(order_id: str, sku: str) -> ResponseReturnValue:
    """Go back to what was proposed of a line."""
    with write() as session:
        proposals.undo(acting(session), str(place().store_id), order_id, sku)
    return _back_to(order_id, f"basket-{order_id}")


@bp.post("/<order_id>/add")
@requires("order")
@form.answers_on(order)
def add_line(order_id: str) -> ResponseReturnValue:
    """Put a product on a proposal: by barcode, code or name."""
    wanted = form.text("product", most=100, required=_("Enter the product’s name, or scan its code."))
    packs = form.whole("packs", least=1, most=999)
    with write() as session:
        sku = one_product(session, wanted)
        proposals.add_line(acting(session), str(place().store_id), order_id, sku, packs)
    return _back_to(order_id, f"line-{sku}")


@bp.post("/rules/<supplier_id>")
@requires("settings")
@form.answers_on(orders)
def set_rule(supplier_id: str) -> ResponseReturnValue:
    """Let a supplier's orders go by themselves up to an amount; zero withdraws it."""
    order_minor = form.amount("most_order", place().currency)
    week_minor = form.amount("most_week", place().currency)
    with write() as session:
        rule = auto_approval.set_rule(
            acting(session),
            str(place().store_id),
            supplier_id,
            most_order_minor=order_minor,
            most_week_minor=week_minor,
        )
    if rule is None:
        flash(_("Every order now needs your approval."), "info")
    else:
        flash(_("Within these limits, orders are sent automatically on their order day. All are listed below."), "good")
    return redirect(url_for("ordering.orders"), 303)


# --- inside ---


def _row(session: Session, order_id: str) -> ReplenishmentOrder:
    found = session.get(ReplenishmentOrder, (str(place().store_id), order_id))
    if found is None:
        raise NotFound("unknown-order", "Order not found at this store.")
    return found


def _view(session: Session, row: ReplenishmentOrder) -> order_lines.OrderView:
    return order_lines.order_view(session, row, today=today(), currency=place().currency)


def _back_to(order_id: str, anchor: str) -> ResponseReturnValue:
    if request.form.get("from") == "ordering.orders" and "HX-Request" not in request.headers:
        return redirect(url_for("ordering.orders", _anchor=anchor), 303)
    return redirect(url_for("ordering.order", order_id=order_id, _anchor=anchor), 303)


def _minimum(session: Session, row: ReplenishmentOrder) -> int:
    supplier = session.get(Supplier, row.supplier_id)
    return supplier.minimum_minor if supplier else 0


def one_product(session: Session, wanted: str) -> str:
    """Return the SKU of the one product that is meant."""
    store_id = str(place().store_id)
    scanned = find_code(session, store_id, [wanted], today())
    if scanned is not None:
        return scanned.product.sku
    found = search(session, store_id, wanted, today(), limit=5)
    known = [(one, {text.casefold() for text in (one.shown, one.name, one.sku)}) for one in found]
    named = [one for one, texts in known if wanted.casefold() in texts] or found
    if not named:
        raise NotFound("unknown-product", "Product not found. Search by name.")
    if len(named) > 1:
        names = _(", ").join(one.shown for one in named)
        raise Invalid("many-products", "Several products match: %(names)s. Enter more of the name.", names=names)
    return named[0].sku

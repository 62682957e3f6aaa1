"""A customer's order at an online store: its code, its money, how far it is, and what may still be asked.

The page's address carries the order's token: whoever has it sees the code, nobody else.
"""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from store_app.pages.common import form
from store_app.pages.storefront import visitors
from store_app.payments import escrow as escrow_payments
from store_app.runtime.doors import clock, doors, read, wake_worker_after, write
from store_app.web.presenting import page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from supply.money import escrow
from supply.online import orders
from supply.online.checkout import placing
from supply.online.home_delivery import LIVE
from supply.online.orders import OPEN
from supply.online.pickup import order_copy
from supply.online.storefront import reviews
from supply.sync import online

bp = Blueprint("storefront_orders", __name__, url_prefix="/shop/<slug>/order/<token>")
HOME_STEPS = ("placed", "accepted", "ready", "on_the_way", "collected")
REFUNDED = ("cancelled", "refused")
"""Of these all that was paid goes back; the page looks on by itself until it has."""
STEPS_DONE = {"placed": 1, "accepted": 2, "picking": 2, "short": 2, "ready": 3, "collected": 4}


@bp.get("")
@public
def order(slug: str, token: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show an order's code, its money and how far it is."""
    at = clock.now()
    with read() as session:
        here = visitors.store_at(session, slug)
        found = placing.status(session, here.id, token)
        money = found.escrow
        query = sa.select(Product).where(Product.sku.in_([line.sku for line in found.lines]))
        products = {product.sku: product for product in session.scalars(query)}
        kept_until = found.order.hold_until and orders.kept_until(here, found.order.hold_until)
        reviewed = reviews.of_order(session, found.order)
        is_overdue = order_copy.is_overdue(session, found.order, at)
        refund = _refund(session, found)
        is_late = money is not None and escrow.may_dispute_late(session, money, at)
        passed_on_at = order_copy.released_at(session, found.order, at)
    one = found.order
    is_unpaid, is_kept = (money is not None and money.state == state for state in ("awaited", "held"))
    is_brought = found.home is not None and found.home.state in (*LIVE, "delivered")
    done = ("placed", "accepted", "ready", "collected")[: STEPS_DONE.get(one.state, 1)]
    if is_brought and found.home is not None:
        gone = {"on_the_way": 4, "delivered": 5}.get(found.home.state, min(3, STEPS_DONE.get(one.state, 1)))
        done = HOME_STEPS[:gone]
    return page(
        "storefront/order.html",
        "order_card",
        kept_until=kept_until,
        store=here,
        cart=visitors.Cart(),
        order=one,
        found=found,
        money=money,
        is_unpaid=is_unpaid,
        **visitors.paying(money),
        **refund,
        is_cancelled=one.state == "cancelled" and one.why == orders.CUSTOMER_CANCELLED,
        names={sku: product.shown for sku, product in products.items()},
        units={sku: product.stock_unit for sku, product in products.items()},
        reviewed=reviewed,
        may_review=found.order.state in reviews.REVIEWED,
        steps_done=done,
        home=found.home,
        is_brought=is_brought,
        home_words=_home_words(found),
        is_open=one.state in OPEN,
        may_return=order_copy.may_ask_return(one, at),
        awaits_answer=order_copy.awaits_answer(one),
        is_declined=order_copy.is_declined(one),
        may_dispute=is_kept and (order_copy.is_declined(one) or is_overdue or one.state == "returned"),
        may_confirm=is_kept and one.state == "collected" and one.proved_at is None and not one.reported_by_store,
        may_object=(is_kept and one.state == "collected" and not order_copy.is_declined(one)) or is_late,
        passed_on_at=passed_on_at,
        is_kept=is_kept,
        qr=visitors.square(found.token),
        fault=sentence_of(fault) if fault else None,
    )


def _refund(session: Session, found: placing.OrderStatus) -> dict[str, Any]:
    """Return what of the money is back, what goes back, and whether the page waits for it."""
    one, money = found.order, found.escrow
    if money is None:
        return {"gone_minor": 0, "going_minor": 0, "is_refunding": False}
    gone_minor, going_minor = escrow.gone_back(session, one.id), escrow.total_of(session, [one.id], "due")
    is_refunding = one.state in REFUNDED and (going_minor > 0 or money.state == "held")
    if is_refunding and not gone_minor:
        going_minor = going_minor or one.paid_minor
    return {"gone_minor": gone_minor, "going_minor": going_minor, "is_refunding": is_refunding}


def _home_words(found: placing.OrderStatus) -> str:
    """Say in one sentence how far an order is on its way home."""
    if found.home is None:
        return ""
    if found.home.state == "failed":
        return _("We came, but no one was there to receive it. The store will contact you.")
    if found.home.state == "on_the_way":
        return _("On its way to you. Show this at the door.")
    if found.order.state == "ready":
        return _("Packed, out for delivery soon.")
    return _("The store is preparing your order for delivery.")


@bp.post("/cancel")
@public
@form.answers_on(order)
def cancel(slug: str, token: str) -> ResponseReturnValue:
    """Ask the store to cancel an order that is not ready yet."""
    with write() as session:
        here = visitors.store_at(session, slug)
        placing.ask_to_cancel(session, here.id, token, at=clock.now())
        wake_worker_after(session)
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.post("/pay")
@public
@form.answers_on(order)
def pay(slug: str, token: str) -> ResponseReturnValue:
    """Ask the payment service now how far the payment is, rather than wait for the worker."""
    return paid(slug, token)


@bp.get("/paid")
@public
def paid(slug: str, token: str) -> ResponseReturnValue:
    """Ask the payment service now, for its page sent the customer back here; that they came says nothing."""
    with read() as session:
        here = visitors.store_at(session, slug)
        found = placing.status(session, here.id, token)
    if found.escrow is not None:
        escrow_payments.ask(doors(), found.order.id)
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.post("/return")
@public
@form.answers_on(order)
def bring_back(slug: str, token: str) -> ResponseReturnValue:
    """Ask the store to take goods back."""
    why = form.text("why", most=300, required=_("Describe what is wrong with the products."))
    with write() as session:
        here = visitors.store_at(session, slug)
        order_copy.ask_return(session, here.id, token, why, at=clock.now())
        wake_worker_after(session)
    flash(_("The store has been notified and will reply here. Bring the products with you."), "good")
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.post("/review")
@public
@form.answers_on(order)
def review(slug: str, token: str) -> ResponseReturnValue:
    """Review a product that was collected."""
    sku, stars = form.text("sku", most=64), form.whole("stars", least=1, most=5)
    words = form.text("words", most=reviews.MOST_WORDS)
    with write() as session:
        here = visitors.store_at(session, slug)
        found = placing.status(session, here.id, token)
        row = reviews.write(Context(session, placing.CUSTOMER, clock.now()), found.order, sku, stars, words)
        online.send_review(session, row, clock.now())
        wake_worker_after(session)
    flash(_("Thank you. Your review will appear with the product."), "good")
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.post("/confirm")
@public
@form.answers_on(order)
def confirm(slug: str, token: str) -> ResponseReturnValue:
    """Say that the goods are here, so that the store gets its money sooner."""
    with write() as session:
        here = visitors.store_at(session, slug)
        order_copy.confirm(session, here.id, token, at=clock.now())
    flash(_("Thank you. The store will now get its money sooner."), "good")
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.post("/dispute")
@public
@form.answers_on(order)
def dispute(slug: str, token: str) -> ResponseReturnValue:
    """Ask the network to decide."""
    why = form.text("why", most=300, required=_("Explain what is wrong."))
    with write() as session:
        here = visitors.store_at(session, slug)
        order_copy.dispute(session, here.id, token, why, at=clock.now())
    return redirect(url_for(".order", slug=slug, token=token), 303)

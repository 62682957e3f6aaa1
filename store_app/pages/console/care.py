"""What the operator decides for customers, and what the shelves bring: disputes, reports, effects, unsent messages."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from config.nodes.publication import EVERYONE
from pos import messages
from pos.catalogue.catalogue import Product, TaxClass, shared_tax_classes
from pos.store.store import usual_currency
from store_app.pages.common import form
from store_app.payments import escrow as escrow_payments
from store_app.runtime.doors import acting, clock, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words.refusals import sentence_of
from supply.demand import history
from supply.money import escrow, refunds
from supply.money.held_payments import Escrow, EscrowEntry
from supply.money.refunds import Refund
from supply.online.pickup import escrow_release
from supply.online.storefront import reviews
from supply.orders.suppliers import CasePack, Supplier
from supply.shelf import effect, external_rankings
from supply.sync import online

_CARRIED = ("category", "tax_class_id", "supplier_id")
bp = Blueprint("console_care", __name__, url_prefix="/console/customers")


@bp.get("/")
@requires("network.customers")
def overview_page(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what waits for a decision, and how the shelves do."""
    with read() as session:
        disputed = session.scalars(sa.select(Escrow).where(Escrow.state == "disputed").order_by(Escrow.opened_at)).all()
        left = {row.id: escrow.balance(session, row.id) for row in disputed}
        day = history.whole_day(session, today()) or today()
        effects = effect.region_effects(session, day)
        held = session.scalars(sa.select(Escrow.id).where(Escrow.state.in_(["held", "disputed"]))).all()
        kept_minor = escrow.total_of(session, held, "escrow")
        passed_minor = _passed(session, clock.now() - dt.timedelta(days=7))
        waiting = reviews.reported(session)
        unsent = messages.undelivered(session)
        late_money = escrow.waits_too_long(session, clock.now())
        going_back = refunds.not_back(session)
        wanted = [
            (row, external_rankings.likely(session, row.name))
            for row in external_rankings.unmatched(session, clock.now().date())[:20]
        ]
        choices: dict[str, Any] = {
            "taxes": session.scalars(shared_tax_classes()).all(),
            "sellers": session.scalars(sa.select(Supplier).where(Supplier.owner_id == EVERYONE)).all(),
            "top_categories": session.scalars(sa.select(Product.category).distinct().order_by(Product.category)).all(),
        }
    return page(
        "console/care.html",
        disputed=disputed,
        left=left,
        effects=effects,
        kept_minor=kept_minor,
        passed_minor=passed_minor,
        reported=waiting,
        unsent=unsent,
        late_money=late_money,
        going_back=going_back,
        refused=refunds.REFUSED,
        wanted=wanted,
        **choices,
        currency=place().currency,
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/disputes/<escrow_id>")
@requires("network.customers.change")
@form.answers_on(overview_page)
def resolve(escrow_id: str) -> ResponseReturnValue:
    """Decide a dispute: so much goes back, the rest on to the store."""
    why = form.text("why", required=_("Enter a reason for the record."))
    with write() as session:
        row = escrow.locked(session, escrow_id)
        refund_minor = form.amount("refund", row.currency)
        escrow_release.decide(acting(session), escrow_id, refund_minor, why=why)
        wake_worker_after(session)
    return form.done(_("Decided."), ".overview_page")


@bp.post("/refunds/<refund_id>")
@requires("network.money.change")
@form.answers_on(overview_page)
def ask_again(refund_id: str) -> ResponseReturnValue:
    """Ask the payment service at once to give money back."""
    with write() as session:
        refunds.ask_now(acting(session), refund_id)
    if escrow_payments.send_back(doors(), refund_id) == "waiting":
        with read() as session:
            said = session.get_one(Refund, refund_id).reason
        flash(_("Not yet: %(answer)s", answer=said or _("the payment service gave no reason.")), "warn")
    else:
        flash(_("The customer has been refunded."), "good")
    return redirect(url_for(".overview_page", _anchor="going-back"), 303)


@bp.post("/refunds/<refund_id>/by-hand")
@requires("network.money.change")
@form.answers_on(overview_page)
def paid_by_hand(refund_id: str) -> ResponseReturnValue:
    """Note how a person has paid money back that the payment service does not give back."""
    reference = form.text("reference", most=200, required=_("Enter how it was paid, such as the transfer number."))
    with write() as session:
        escrow.paid_by_hand(acting(session), refund_id, reference, looked=request.form.get("looked") == "yes")
        online.send_refund(session, session.get_one(Refund, refund_id), clock.now())
    return form.done(_("Recorded. The refund will no longer be retried."), ".overview_page", _anchor="going-back")


@bp.post("/reviews/<store_id>/<order_id>/<sku>")
@requires("network.customers.change")
@form.answers_on(overview_page)
def decide(store_id: str, order_id: str, sku: str) -> ResponseReturnValue:
    """Hide a reported review, or let it stand."""
    why = form.text("why", required=_("Enter a reason for the record."))
    hide = request.form.get("hide") == "yes"
    with write() as session:
        row = reviews.review_of(session, store_id, order_id, sku)
        reviews.decide(acting(session), row, hide=hide, why=why)
        online.send_review(session, row, clock.now())
        wake_worker_after(session)
    return form.done(_("Decided."), ".overview_page")


@bp.post("/outside")
@requires("network.catalogue")
@form.answers_on(overview_page)
def match() -> ResponseReturnValue:
    """Say by hand which product a place on an outside list is."""
    source, name = form.text("source", most=40), form.text("name", most=160)
    sku = form.text("sku", most=64, required=_("Choose the product."))
    with write() as session:
        external_rankings.match(acting(session), source, name, sku)
    return form.done(_("Matched. It will be in the next ranking."), ".overview_page")


@bp.post("/outside/carry")
@requires("network.catalogue")
@form.answers_on(overview_page)
def carry() -> ResponseReturnValue:
    """Take what sells elsewhere into the catalogue, so that stores can order it in."""
    source, name = form.text("source", most=40), form.text("name", most=160)
    given = {key: form.text(key, most=64, required=_("Complete every field.")) for key in _CARRIED}
    with write() as session:
        currency = usual_currency(session)
        if session.get(TaxClass, given["tax_class_id"]) is None or session.get(Supplier, given["supplier_id"]) is None:
            raise Invalid("bad-choice", "Choose the tax and the supplier from the lists.")
        external_rankings.carry(
            acting(session),
            source,
            name,
            **given,
            price_minor=form.amount("price", currency),
            pack=CasePack(form.whole("pack_qty", least=1, most=10_000), form.amount("pack_cost", currency)),
        )
        wake_worker_after(session)
    return form.done(_("Added to the catalog. Every store can order it after the next update."), ".overview_page")


def _passed(session: Any, since: dt.datetime) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(EscrowEntry.amount_minor), 0)).where(
        EscrowEntry.to_account.in_(["store", "leader"]), EscrowEntry.at >= since
    )
    return int(session.scalar(query) or 0)

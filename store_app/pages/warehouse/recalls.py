"""The network's recalls: call one, look through the warehouses, see which stores looked, credit them, and lift it.

What it cost is claimed of the suppliers here, and settled.
"""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue import gs1
from pos.catalogue.catalogue import Barcode, Product, matches
from pos.stock import batches, recall
from pos.store.store import day_of, usual_currency
from store_app.pages.common import form
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import money, page
from store_app.web.security import requires
from store_app.words import stock
from store_app.words.messages import message_sentence
from supply.network.recalls import recalls, upstream_claims, upstream_returns
from supply.orders import supplier_messages
from supply.orders.suppliers import Supplier

bp = Blueprint("console_recalls", __name__, url_prefix="/console/recalls")
SHOWN = 12


@bp.get("/")
@requires("network.recalls")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the recalls, and the form that calls one once its product is known."""
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    with read() as session:
        product = session.get(Product, form.tidy(request.values.get("sku", "")))
        found = _found(session, text) if text and product is None else []
        rows, names = recalls.called(session), _names(session)
    if len(found) == 1:
        product, found = found[0], []
    elif text and product is None and not found:
        fault = NotFound("unknown-product", "Product not found. Search by name.")
    return page(
        "warehouse/recalls.html",
        product=product, found=found, text=text, rows=rows, names=names, words=stock.AFTERWARDS, fault=fault,
    )  # fmt: skip


@bp.post("/")
@requires("network.recalls.change")
@form.answers_on(listed)
def call() -> ResponseReturnValue:
    """Call a product or a batch back from every warehouse and store; a second click changes nothing."""
    command, sku = form.command_id(), form.text("sku", most=64)
    why = form.text("why", required=_("Enter a reason for the recall."))
    afterwards = form.one_of("afterwards", recall.AFTERWARDS, sentence=_("Choose what stores do with the products."))
    with write() as session:
        if not any(row.id == command for row, _looked, _all in recalls.called(session)):
            recalls.call(
                acting(session), sku, form.text("batch", most=40) or None, id=command, why=why,
                called_by=form.text("called_by"), afterwards=afterwards)  # fmt: skip
    flash(_("Warehouses no longer ship it, and the stores have been notified. Check the warehouses now."), "warn")
    return redirect(url_for("console_recalls.one", recall_id=command), 303)


@bp.get("/<recall_id>")
@requires("network.recalls")
def one(recall_id: str, fault: DomainError | None = None, **place: Any) -> ResponseReturnValue:
    """Show a recall: what the warehouses have of it, which stores looked, and what each is to be credited."""
    with read() as session:
        stores, houses = recalls.stores(session, recall_id), recalls.in_houses(session, recall_id)
        row = (houses or [store.row for store in stores])[0]
        product = session.get_one(Product, row.sku)
        stands = {house.store_id: _stands(session, house) for house in houses}
        currency, owed = usual_currency(session), upstream_claims.owed(session, recall_id, at=clock.now())
        coming = upstream_returns.coming_purchases(session, recall_id)
        returnable = upstream_returns.returnable(session, recall_id, at=clock.now())
        returns = [_return_view(session, one) for one in upstream_returns.returns_of(session, recall_id)]
        claims = [
            (one, session.get_one(Supplier, one.supplier_id)) for one in upstream_claims.claims_of(session, recall_id)
        ]
    return page(
        "warehouse/recall.html",
        recall=row, name=product.shown, unit=product.stock_unit, houses=houses, stands=stands, stores=stores,
        looked=sum(1 for store in stores if store.row.cleared_at), taken=sum(store.row.taken_qty or 0 for store in
        stores), sent=sum(store.sent_qty for store in stores), words=stock.AFTERWARDS, currency=currency,
        lift_reasons=stock.LIFT_REASONS, fault=fault, owed=owed, claims=claims, coming=coming, returnable=returnable,
        returns=returns, message_words=message_sentence, open_of=[one.supplier_id for one, _seller in claims if
        one.state == "open"], at_fault=place.get("store_id", "") + place.get("warehouse_id", "") + place.get("claim_id",
        ""),
    )  # fmt: skip


@bp.post("/<recall_id>/warehouses/<warehouse_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def look_through(recall_id: str, warehouse_id: str) -> ResponseReturnValue:
    """Say that a warehouse was looked through; a second click changes nothing."""
    found = form.whole("qty")
    with write() as session:
        if recall.recall_of(session, warehouse_id, recall_id).state == "called":
            recalls.look_through(acting(session), warehouse_id, recall_id, found)
    flash(_("Thanks. The recalled units have been written off and cannot be shipped."), "good")
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/purchases/<warehouse_id>/<purchase_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def call_off(recall_id: str, warehouse_id: str, purchase_id: str) -> ResponseReturnValue:
    """Call off a purchase that brings what is recalled; a second click changes nothing."""
    with write() as session:
        found = upstream_returns.call_off_purchase(acting(session), recall_id, warehouse_id, purchase_id)
        number = found.purchase_no
    flash(_("Purchase %(no)s canceled. Its other products will be suggested again.", no=number), "info")
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/send-back/<house_id>/<supplier_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def send_back(recall_id: str, house_id: str, supplier_id: str) -> ResponseReturnValue:
    """Propose a return to a supplier, with its message; a second click changes nothing."""
    qty = form.whole("qty")
    with write() as session:
        made = upstream_returns.propose(acting(session), house_id, recall_id, supplier_id, qty, id=form.command_id())
        number = upstream_returns.number_of(made)
    flash(_("Return %(no)s is ready. Hand over the products with its page, then confirm it here.", no=number), "good")
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/returns/<house_id>/<return_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def hand_over(recall_id: str, house_id: str, return_id: str) -> ResponseReturnValue:
    """Note that a return was handed over; a second click changes nothing."""
    with write() as session:
        if upstream_returns.return_of(session, house_id, return_id).state != "handed_over":
            upstream_returns.hand_over(acting(session), house_id, return_id)
    return form.done(_("It has left the warehouse. Claim it from the supplier below."), ".one", recall_id=recall_id)


@bp.post("/<recall_id>/returns/<house_id>/<return_id>/drop")
@requires("network.recalls.change")
@form.answers_on(one)
def drop(recall_id: str, house_id: str, return_id: str) -> ResponseReturnValue:
    """Give a return up with a reason; a second click changes nothing."""
    why = form.text("why", required=_("Enter a reason for canceling the return."))
    with write() as session:
        if upstream_returns.return_of(session, house_id, return_id).state != "dropped":
            upstream_returns.drop(acting(session), house_id, return_id, why=why)
    return form.done(_("Discarded."), "console_recalls.one", "info", recall_id=recall_id)


@bp.post("/<recall_id>/stores/<store_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def settle(recall_id: str, store_id: str) -> ResponseReturnValue:
    """Credit a store what was destroyed or came back."""
    with write() as session:
        amount = recalls.settle(acting(session), recall_id, store_id, form.whole("qty"))
        currency = usual_currency(session)
    return form.done(_("%(amount)s credited.", amount=money(amount, currency)), ".one", recall_id=recall_id)


@bp.post("/<recall_id>/told")
@requires("network.recalls.change")
@form.answers_on(one)
def send(recall_id: str) -> ResponseReturnValue:
    """Note which stores without a node somebody told; a second click changes nothing."""
    chosen = list(dict.fromkeys(request.form.getlist("store")))
    if not chosen:
        raise Invalid("no-store-chosen", "Select the stores you notified.", field="store")
    with write() as session:
        recalls.send_by_hand(acting(session), recall_id, chosen)
    flash(ngettext("Saved: %(num)d store notified.", "Saved: %(num)d stores notified.", len(chosen)), "good")
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/stores/<store_id>/looked")
@requires("network.recalls.change")
@form.answers_on(one)
def looked(recall_id: str, store_id: str) -> ResponseReturnValue:
    """Note how many a store without a node says it took away; a second click changes nothing."""
    taken = form.whole("qty")
    with write() as session:
        if recall.recall_of(session, store_id, recall_id).state == "called":
            recalls.note_looked(acting(session), recall_id, store_id, taken)
    return form.done(_("Saved: the store has checked."), "console_recalls.one", recall_id=recall_id)


@bp.post("/<recall_id>/suppliers/<supplier_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def claim(recall_id: str, supplier_id: str) -> ResponseReturnValue:
    """Claim of a supplier what is not claimed yet; a second click changes nothing."""
    with write() as session:
        made = upstream_claims.claim(acting(session), recall_id, supplier_id, id=form.command_id())
        amount, currency = made.claimed_minor, usual_currency(session)
    flash(
        _(
            "Claim for %(amount)s created. Write to the supplier and enter the response here.",
            amount=money(amount, currency),
        )
    )
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/claims/<claim_id>")
@requires("network.recalls.change")
@form.answers_on(one)
def settle_claim(recall_id: str, claim_id: str) -> ResponseReturnValue:
    """Note what a supplier makes good of a claim, and what it says."""
    with write() as session:
        currency = usual_currency(session)
        credit = form.amount("amount", currency)
        answer = form.text("answer", required=_("Enter the supplier’s response."))
        found = upstream_claims.settle(acting(session), claim_id, credit, answer=answer)
        refused = found.state == "refused"
    if refused:
        flash(_("Saved: the supplier declined the claim. You bear the loss."), "warn")
    else:
        flash(_("Supplier credit of %(amount)s recorded.", amount=money(credit, currency)), "good")
    return redirect(url_for("console_recalls.one", recall_id=recall_id), 303)


@bp.post("/<recall_id>/lift")
@requires("network.recalls.change")
@form.answers_on(one)
def lift(recall_id: str) -> ResponseReturnValue:
    """Let it leave the warehouses and be sold again."""
    why = form.reason(stock.LIFT_REASONS)
    with write() as session:
        recalls.lift(acting(session), recall_id, why=why)
    return form.done(_("Recall lifted. The stores have been notified."), ".one", "info", recall_id=recall_id)


# --- inside ---


def _found(session: Session, text: str) -> list[Product]:
    """Return the products a code, a number or a part of a name means."""
    known = sa.select(Barcode.sku).where(Barcode.code.in_(gs1.spellings(text)))
    exact = list(session.scalars(sa.select(Product).where(sa.or_(Product.sku == text, Product.sku.in_(known)))))
    named = sa.select(Product).where(matches(text))
    return exact or list(session.scalars(named.order_by(Product.name, Product.sku).limit(SHOWN)))


def _names(session: Session) -> dict[str, str]:
    query = sa.select(Product.sku, Product.shown).join(recall.Recall, recall.Recall.sku == Product.sku)
    return dict(session.execute(query.distinct()).all())


def _return_view(session: Session, row: upstream_returns.UpstreamReturn) -> dict[str, Any]:
    lines = upstream_returns.lines_of(session, row)
    messages = supplier_messages.messages_of(session, row.store_id, row.id)
    return {
        "row": row, "number": upstream_returns.number_of(row), "seller": session.get_one(Supplier, row.supplier_id),
        "qty": sum(line.qty for line in lines), "batches": sorted({line.batch for line in lines if line.batch}),
        "messages": [one for one in messages if row.state == "proposed" or one.state in supplier_messages.UNSENT],
    }  # fmt: skip


def _stands(session: Session, row: recall.Recall) -> tuple[int, int]:
    """Return what stands in a warehouse: surely of the recall less what goes back, and of no known batch."""
    day = day_of(session, row.store_id, clock.now())
    lots = batches.standing(session, row.store_id, [row.sku], day=day, forgets=False)[row.sku]
    away = upstream_returns.on_open(session, row.store_id, row.sku)
    sure = sum(lot.qty - away[lot.batch_id or ""] for lot in lots if row.means(lot.batch))
    return sure, sum(lot.qty for lot in lots if row.batch is not None and lot.batch is None)

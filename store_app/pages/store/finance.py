"""Money with the network, at the store: what is owed, the credit and its limit's story, statements, objections."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, NotFound
from pos.store.countries import country_of
from pos.store.store import snapshot, store_of
from store_app.pages.common import form, money_views
from store_app.pages.customers.statements import table
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import money
from supply.membership import objections
from supply.money import advances, credit, invoice_ubl, ledger, lost_entries, payouts
from supply.money.credit import CreditLine
from supply.money.ledger import Account

bp = Blueprint("finance", __name__, url_prefix="/finance")


@bp.get("/")
@requires("reports.money")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what is owed and when it falls due, the credit and how its limit came about."""
    store_id = str(place().store_id)
    with read() as session:
        standing = ledger.balances(session, store_id)
        line = session.get(CreditLine, store_id)
        pending = credit.pending(session, store_id)
        left = credit.available(session, store_id)
        shown: dict[str, Any] = {
            "owed_minor": ledger.owed(standing),
            "standing": standing,
            "line": line,
            "gauge": money_views.gauge(line.limit_minor, standing["credit"], pending, left) if line else None,
            "steps": money_views.steps_of(line) if line else [],
            "held": money.held_sentence(line.held_why) if line and line.state == "held" else "",
            "invoices": money_views.open_with_lateness(session, store_id, today()),
            "lost": lost_entries.waiting(session, store_id),
            "advance": advances.latest(session, store_id),
            "account": session.get(Account, store_id),
            "objections": objections.of_store(session, store_id, "limit", "account"),
            "subjects": money.SUBJECTS,
            "fault": fault,
        }
    return page("store/finance/overview.html", **shown)


@bp.get("/statement")
@requires("reports.money")
def statement() -> ResponseReturnValue:
    """Show the account over some days."""
    first, last = money_views.period(request.args, today())
    with read() as session:
        found = money_views.statement(session, str(place().store_id), first, last)
    return page("store/finance/statement.html", statement=found)


@bp.get("/statement.csv")
@requires("reports.money")
def statement_table() -> Response:
    """Answer every entry of some days as a table."""
    first, last = money_views.period(request.args, today())
    with read() as session:
        rows = money_views.ledger_rows(session, str(place().store_id), first, last, place().currency)
    return table(rows, f"account-{last.isoformat()}.csv")


@bp.get("/everything.json")
@requires("reports.money")
def everything() -> Response:
    """Answer every figure the limit and the account stand on, for a program to recompute."""
    with read() as session:
        answer = jsonify(credit.export(session, str(place().store_id)))
    answer.headers["Content-Disposition"] = "attachment; filename=credit.json"
    return answer


@bp.get("/invoices/<invoice_id>")
@requires("reports.money")
def invoice(invoice_id: str) -> ResponseReturnValue:
    """Show an invoice: what came, what it costs, what was paid."""
    store_id = str(place().store_id)
    with read() as session:
        try:
            found = ledger.invoice_of(session, store_id, invoice_id)
        except NotFound as fault:
            raise NotFound("not-found-here", "Invoice not found at this store.") from fault
        entries = [one for one in ledger.entries_of(session, store_id) if one.invoice_id == invoice_id]
        shown: dict[str, Any] = {
            "found": found,
            "is_called_in": ledger.is_called_in(found.invoice),
            "lateness": money_views.lateness(found, today()),
            "entries": [(one, money.kind_word(one.kind), ledger.effect(one)) for one in entries],
        }
    return page("store/finance/invoice.html", **shown)


@bp.get("/invoices/<invoice_id>.xml")
@requires("reports.money")
def e_invoice(invoice_id: str) -> Response:
    """Answer an invoice as a file for the bookkeeper's program."""
    store_id = str(place().store_id)
    with read() as session:
        try:
            found = ledger.invoice_of(session, store_id, invoice_id).invoice
        except NotFound as fault:
            raise NotFound("not-found-here", "Invoice not found at this store.") from fault
        store = store_of(session, store_id)
        made = invoice_ubl.invoice(found, snapshot(store), _("Network"), country_of(store.tz), _("Advance to repay"))
    answer = Response(made, mimetype="application/xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="invoice-{found.no}.xml"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/advance")
@requires("reports.money")
@form.answers_on(overview)
def ask_advance() -> ResponseReturnValue:
    """Ask for an advance on what customers have paid online and collected."""
    amount_minor = form.amount("amount", place().currency)
    with write() as session:
        advances.ask(acting(session), str(place().store_id), amount_minor, id=form.command_id())
    return form.done(_("Requested. You’ll get a response at the next sync, within a minute."), ".overview", "info")


@bp.post("/bank")
@requires("settings")
@form.answers_on(overview)
def say_bank() -> ResponseReturnValue:
    """Say where the store's money is paid out to."""
    payee = form.text("payee", most=140, required=_("Enter the account holder’s name."))
    account = form.text("account", most=60, required=_("Enter the account number."))
    with write() as session:
        payouts.set_account(
            acting(session),
            str(place().store_id),
            payee=payee,
            account=account,
            bic=form.text("bic", most=20),
        )
    return form.done(_("The network now pays out to this account."), ".overview")


@bp.post("/objections")
@requires("reports.money")
@form.answers_on(overview)
def object_to() -> ResponseReturnValue:
    """Object to the limit or to something on the account."""
    about = form.one_of("about", ("limit", "account"), sentence=_("Choose the limit or the account."))
    words = form.text("words", most=500, required=_("Explain what is wrong."))
    with write() as session:
        objections.raise_objection(
            acting(session),
            str(place().store_id),
            id=form.command_id(),
            about=about,
            words=words,
        )
    return form.done(_("Your dispute has been sent. You will see the response here."), ".overview")

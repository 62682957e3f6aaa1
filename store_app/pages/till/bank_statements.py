"""Bank statements: uploaded, matched with the transfers customers paid by, and what does not match."""

import contextlib
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import DomainError, Invalid
from pos.payments.bank_codes import reference_of
from pos.payments.payments import Payment
from pos.sold import Sale
from store_app.pages.common import form
from store_app.payments.amount_qr import account_of
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import money, page, place, today
from store_app.web.security import requires
from supply.money.bank import matching, reading, statement, statements

bp = Blueprint("bank_statements", __name__, url_prefix="/bank-statements")
ROWS, LATEST, CHOICES = 50, 30, 200
UPLOAD_BYTES = reading.MOST_BYTES + 100_000
HOW_WORDS = {
    matching.REFERENCE: lazy("By reference"),
    matching.AMOUNT: lazy("By amount and day"),
    statements.HAND: lazy("By hand"),
    statements.ASIDE: lazy("Set aside"),
}


@bp.url_value_preprocessor
def let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form with a statement be larger than others, before anybody reads it."""
    if endpoint == "bank_statements.take":
        request.max_content_length = UPLOAD_BYTES


@bp.get("/")
@requires("reports.money")
def overview(fault: DomainError | None = None, **_place: str) -> ResponseReturnValue:
    """Show what does not match, with what to do about it, then what does, and the statements."""
    store_id = str(place().store_id)
    with read() as session:
        found = statements.overview(session, store_id, today())
        made = statements.standing(session, store_id)
        gaps = statements.gaps(session, store_id)
        latest = session.scalars(statements.latest(store_id).limit(LATEST)).all()
        shown = [one.row for one in (*found.missing, *found.differing)]
        shown += [one.payment for one in (*made[:LATEST], *found.unclaimed) if one.payment is not None]
        receipts = _receipts(session, store_id, shown)
    labels = {one.id: _label(one, receipts) for one in shown}
    choices = [(one.row.id, f"{labels[one.row.id]} · {money(one.missing_minor)}") for one in found.missing]
    choices += [(one.row.id, f"{labels[one.row.id]} · {money(one.missing_minor)}") for one in found.differing]
    return page(
        "till/bank_statements.html", found=found, entries=form.paged(found.without_sale, ROWS), made=made[:LATEST],
        gaps=gaps, latest=latest, labels=labels, choices=choices[:CHOICES], how_words=HOW_WORDS,
        reference_of=reference_of, account=account_of(doors().settings)[-4:], fault=fault,
    )  # fmt: skip


@bp.post("/")
@requires("reports.money")
@form.answers_on(overview)
def take() -> ResponseReturnValue:
    """Take a file in, and match what can be."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("no-file", "Choose a file first.", field="file")
    with contextlib.closing(file):
        raw: bytes = file.read(reading.MOST_BYTES + 1)
    try:
        found = [statement.from_json(one) for one in read_apart(reading.read, raw)]
        with write() as session:
            taken = statements.take(acting(session), str(place().store_id), account_of(doors().settings), found, raw)
    except DomainError as refusal:
        refusal.facts.setdefault("field", "file")
        raise
    if taken.known:
        flash(_("Entries already on record, not added again: %(num)s.", num=taken.known), "info")
    return form.done(
        _("New entries: %(new)s. Matched with sales: %(matched)s.", new=taken.new, matched=taken.matched), ".overview"
    )


@bp.post("/match")
@requires("reports.money")
@form.answers_on(overview)
def match() -> ResponseReturnValue:
    """Match an entry with a sale by hand."""
    with write() as session:
        statements.match_by_hand(acting(session), str(place().store_id), form.text("entry"), form.text("payment"))
    return form.done(_("Matched."), ".overview")


@bp.post("/aside")
@requires("reports.money")
@form.answers_on(overview)
def set_aside() -> ResponseReturnValue:
    """Say that an entry belongs to no sale, or that a transfer will not come."""
    why, store_id = form.text("why", most=80), str(place().store_id)
    with write() as session:
        if entry := form.text("entry"):
            statements.set_aside(acting(session), store_id, entry, why)
        else:
            statements.write_off(acting(session), store_id, form.text("payment"), why)
    return form.done(_("Saved with your name."), ".overview")


@bp.post("/undo")
@requires("reports.money")
@form.answers_on(overview)
def undo() -> ResponseReturnValue:
    """Take a match back."""
    with write() as session:
        statements.undo(acting(session), str(place().store_id), form.text("match"))
    return form.done(_("Undone."), ".overview", "info")


# --- inside ---


def _receipts(session: Any, store_id: str, payments: list[Payment]) -> dict[str, int]:
    """Return sale -> number of its receipt."""
    ids = {one.claimed_by for one in payments if one.claimed_by}
    query = sa.select(Sale.id, Sale.receipt_no).where(Sale.store_id == store_id, Sale.id.in_(ids))
    return {sale: number for sale, number in session.execute(query) if number is not None}


def _label(payment: Payment, receipts: dict[str, int]) -> str:
    number = receipts.get(payment.claimed_by or "")
    return _("Receipt %(no)s", no=number) if number else reference_of(payment.id)

"""Suppliers' invoices and despatch advices: uploaded, compared line by line, each difference answered, approved."""

import contextlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.words import language
from store_app.pages.common import form, lists
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, state_word, today
from store_app.web.security import can, requires
from store_app.words import invoices as words
from supply.network.claims import credit_memos, handling
from supply.network.claims.credit_memos import Comparison
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier, supplier_of
from supply.receiving.documents import document, incoming, matching, reading, supplier_documents
from supply.receiving.documents.matching import Matched
from supply.receiving.documents.supplier_documents import NewCost, SupplierPaper
from supply.receiving.notes import paper_notes, picture

bp = Blueprint("invoices", __name__, url_prefix="/invoices")
UPLOAD_BYTES = reading.MOST_BYTES + 100_000


@bp.url_value_preprocessor
def let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form with a PDF be larger than others, before anybody reads it."""
    if endpoint == "invoices.take":
        request.max_content_length = UPLOAD_BYTES


@dataclass(frozen=True)
class DifferenceView:
    """A difference as its row shows it. may_claim: money can be asked back; cost: what taking it over would change."""

    key: str
    name: str
    sentence: str
    answer: str
    may_claim: bool
    cost: NewCost | None


@bp.get("/")
@requires("order")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """List the documents taken in, the latest first, and ask for another."""
    store_id = str(place().store_id)
    with read() as session:
        mine = sa.select(Supplier.id, Supplier.name).where(Supplier.owner_id == store_id, Supplier.active)
        waiting = incoming.waiting(session, store_id)
        photographed = len(paper_notes.waiting(session, store_id))
        suppliers = [(one, name) for one, name in session.execute(mine.order_by(Supplier.name))]
        names: dict[str, str] = dict(session.execute(sa.select(Supplier.id, Supplier.name)).all())
        shown = lists.show(
            _table(suppliers, names), supplier_documents.papers_of(store_id), at=url_for("invoices.listed")
        )
    return shown.file or page("orders/invoices/list.html", shown=shown, suppliers=suppliers, kinds=words.KINDS,
                waiting=waiting, photographed=photographed, reads_photos=picture.is_installed(),
                fault=fault)  # fmt: skip


@bp.post("/")
@requires("order")
@form.answers_on(listed)
def take() -> ResponseReturnValue:
    """Take a document in; the command's id is the document's."""
    command, supplier_id = form.command_id(), form.text("supplier")
    found = document.from_json(next(read_apart(reading.read, _sent())))
    with write() as session:
        row = supplier_documents.take(acting(session), str(place().store_id), found, id=command,
                                      supplier_id=supplier_id)  # fmt: skip
        number = row.number
    return form.done(_("%(number)s added.", number=number), ".paper", paper_id=command)


@bp.get("/<paper_id>")
@requires("order")
def paper(paper_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a document: ordered, received and billed side by side, and what is to be answered."""
    store_id = str(place().store_id)
    with read() as session:
        row = session.get(SupplierPaper, (store_id, paper_id))
        if row is None:
            raise NotFound("not-found-here", "Document not found at this store.")
        lines = supplier_documents.matched(session, row)
        views = [(one, [_difference(session, row, one, two) for two in one.differences]) for one in lines]
        supplier = session.get(Supplier, row.supplier_id)
        order = session.get(ReplenishmentOrder, (store_id, row.order_id or ""))
        choices = supplier_documents.orders_of(session, store_id, row.supplier_id)
        receipts = supplier_documents.receipts_of(session, row)
        note = paper_notes.note_behind(session, row)
        memos = supplier_documents.credited_by(session, row)
        left_minor = row.payable_minor - sum(one.payable_minor for one in memos)
        memo = _memo(session, row) if row.kind == document.CREDIT and row.state == "open" else None
        twins = supplier_documents.alike(session, row) if row.state == "open" and row.kind != document.ADVICE else []
        settled = credit_memos.settled_by(session, row)
        lowered = session.get(SupplierPaper, (store_id, row.invoice_id or ""))
    return page(
        "orders/invoices/paper.html", paper=row, document=row.document, lines=views, kinds=words.KINDS, order=order,
        note=note,
        supplier_name=supplier.name if supplier else row.supplier_id, receipts=receipts,
        orders=[(one.id, _("Order %(no)s", no=one.order_no)) for one in choices],
        left=len(supplier_documents.open_differences(row, lines)), memos=memos, left_minor=left_minor, memo=memo,
        memo_notes=words.memo_notes(memo, row) if memo else [], settled=settled, lowered=lowered, twins=twins,
        fault=fault,
    )  # fmt: skip


@bp.post("/<paper_id>/order")
@requires("order")
@form.answers_on(paper)
def choose_order(paper_id: str) -> ResponseReturnValue:
    """Say which order it bills."""
    with write() as session:
        supplier_documents.choose_order(acting(session), str(place().store_id), paper_id, form.text("order"))
    return form.done(_("Saved."), ".paper", paper_id=paper_id)


@bp.post("/<paper_id>/accept")
@requires("order")
@form.answers_on(paper)
def accept(paper_id: str) -> ResponseReturnValue:
    """Accept a difference as it is."""
    with write() as session:
        supplier_documents.answer(acting(session), str(place().store_id), paper_id, form.text("difference"),
                                  supplier_documents.ACCEPTED)  # fmt: skip
    return form.done(_("Accepted."), ".paper", paper_id=paper_id)


@bp.post("/<paper_id>/cost")
@requires("settings")
@form.answers_on(paper)
def take_cost(paper_id: str) -> ResponseReturnValue:
    """Let the billed cost count from today, with the price that keeps the margin where wished."""
    price_too = request.form.get("then") == "price" and can("catalogue")
    with write() as session:
        supplier_documents.take_cost(acting(session), str(place().store_id), paper_id, form.text("difference"),
                                     price_too=price_too)  # fmt: skip
    said = _("Cost and price changed. Print the new label.") if price_too else _("Cost changed.")
    return form.done(said, ".paper", paper_id=paper_id)


@bp.post("/<paper_id>/claim")
@requires("order")
@form.answers_on(paper)
def claim(paper_id: str) -> ResponseReturnValue:
    """Claim from the supplier what a line asks too much."""
    command, key, store_id = form.command_id(), form.text("difference"), str(place().store_id)
    with write() as session:
        ctx = acting(session)
        one = supplier_documents.answer(ctx, store_id, paper_id, key, f"{supplier_documents.CLAIM}{command}")
        row = supplier_documents.paper_of(session, store_id, paper_id)
        asked = _claim(session, row, one, key)
        handling.file(ctx, store_id, asked, id=command)
    return form.done(_("The claim has been sent. You will see the response here."), "claims.claim", claim_id=command)


@bp.post("/<paper_id>/approve")
@requires("order")
@form.answers_on(paper)
def approve(paper_id: str) -> ResponseReturnValue:
    """Approve the document, or discard it; a credit memo is settled against what was chosen."""
    if request.form.get("then") == "compare":
        chosen, invoice_id = request.form.getlist("claim"), form.text("invoice")
        return redirect(url_for(".paper", paper_id=paper_id, claim=chosen, invoice=invoice_id), 303)
    store_id, discard = str(place().store_id), request.form.get("then") == "discard"
    with write() as session:
        ctx = acting(session)
        if discard:
            supplier_documents.discard(ctx, store_id, paper_id)
        elif supplier_documents.paper_of(session, store_id, paper_id).kind == document.CREDIT:
            credit_memos.settle(ctx, store_id, paper_id, request.form.getlist("claim"), form.text("invoice"),
                                is_all=request.form.get("then") == "all")  # fmt: skip
        else:
            supplier_documents.approve(ctx, store_id, paper_id)
    return form.done(_("Discarded.") if discard else _("Approved."), ".listed", "info" if discard else "good")


# --- inside ---


def _table(suppliers: list[tuple[str, str]], names: dict[str, str]) -> lists.Table:
    paper = SupplierPaper
    name = sa.select(Supplier.name).where(Supplier.id == paper.supplier_id).scalar_subquery()
    states = [(one, state_word(one)) for one in supplier_documents.STATES.states]
    return lists.Table(
        "invoices",
        (
            lists.Column("number", _("Document"), by=paper.number, look="lead"),
            lists.Column("kind", _("Kind"), by=paper.kind, value=lambda one: words.KINDS[one.kind], shown=False),
            lists.Column("supplier", _("Supplier"), by=name, value=lambda one: names.get(one.supplier_id)),
            lists.Column("day", _("Date"), "date", by=paper.day),
            lists.Column("payable_minor", _("Total"), "money", by=paper.payable_minor, value=_payable, look="said"),
            lists.Column("state", _("State"), by=paper.state, value=lambda one: state_word(one.state), look="sum"),
        ),
        (
            lists.Filter("q", _("Number"), "text", lambda text: paper.number.icontains(text, autoescape=True)),
            lists.Filter(
                "of", _("Supplier"), "choice", lambda one: paper.supplier_id == one,
                [("", _("All suppliers")), *suppliers],
            ),
            lists.Filter(
                "state", _("State"), "choice", lambda one: paper.state == one, [("", _("Every state")), *states],
            ),
            lists.Filter("first", _("From"), "date", lambda day: paper.day >= day),
            lists.Filter("last", _("To"), "date", lambda day: paper.day <= day),
        ),
        (paper.taken_at.desc(), paper.id.desc()),
        below=True,
    )  # fmt: skip


def _payable(paper: SupplierPaper) -> int | None:
    return None if paper.kind == "advice" else paper.payable_minor


def _sent() -> bytes:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("no-file", "Choose a file first.", field="file")
    with contextlib.closing(file):
        raw: bytes = file.read(reading.MOST_BYTES + 1)
    return raw


def _memo(session: Session, row: SupplierPaper) -> Comparison:
    """Return a credit memo beside what the page's form chose, at first beside what it refers to."""
    if "invoice" not in request.values:
        return credit_memos.compare(session, row)
    return credit_memos.compare(session, row, request.values.getlist("claim"), request.values["invoice"])


def _difference(session: Session, row: SupplierPaper, one: Matched, difference: matching.Difference) -> DifferenceView:
    key, store_id = supplier_documents.key_of(one, difference), str(place().store_id)
    cost = None
    if difference.kind == matching.PRICE and row.state == "open":
        cost = supplier_documents.new_cost(session, store_id, one, today())
    may_claim = difference.excess_minor > 0 and bool(supplier_documents.receipts_of(session, row))
    return DifferenceView(
        key, _(words.DIFFERENCES[difference.kind]), words.sentence(one, difference, row.document.currency),
        row.answers.get(key, ""), may_claim, cost,
    )  # fmt: skip


def _claim(session: Session, row: SupplierPaper, one: Matched, key: str) -> handling.ClaimRequest:
    """Return the claim about one difference, said in the supplier's language."""
    difference = next(two for two in one.differences if supplier_documents.key_of(one, two) == key)
    sku = one.sold.sku if one.sold else ""
    delivery = supplier_documents.receipt_with(session, row, sku)
    say = language(supplier_of(session, row.supplier_id).language)
    told = words.complaint(say, row.number, difference.kind, difference.excess_minor, row.document.currency)
    billed = {sku: (difference.units, difference.excess_minor)}
    return handling.ClaimRequest(delivery.id, [], "money", told, billed=billed)

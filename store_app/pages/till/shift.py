"""Money: the shift of this till, its drawer, today's receipts and the shifts that are closed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound, Refused
from config.money import exponent
from pos import messages
from pos.payments import vouchers
from pos.payments.tenders import TENDERS, tender_of
from pos.printing import queue
from pos.printing.queue import PrintJob
from pos.reports import slips
from pos.reports.slips import CopyRequest
from pos.sale import refund_routes, returns
from pos.sale.sale_request import ReturnRequest
from pos.sold import Sale, lines_of
from pos.stock import consignment_stock
from pos.store import approvals
from pos.store.approvals import Need
from pos.store.store import Staff
from pos.till import hand_cash, shift
from pos.till.shift_book import CashMovement, Shift
from store_app.mail import envelopes
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.payments.providers import terminals
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import money as money_text
from store_app.web.presenting import page, place, today
from store_app.web.security import proven_by_pin, requires
from store_app.words.messages import message_sentence
from store_app.words.words import cash_word, event_word, tender_choices, tender_word

bp = Blueprint("shift", __name__, url_prefix="/money")
RECEIPTS_SHOWN, SHIFTS_SHOWN = 60, 30
PAYING: dict[str, Callable[..., CashMovement]] = {
    hand_cash.PAY_IN: hand_cash.pay_in, hand_cash.PAY_OUT: hand_cash.pay_out, hand_cash.DROP: hand_cash.drop
}  # fmt: skip
ANSWERS: dict[str, queue.Choice] = {"printed": "printed", "again": "again", "drop": "dropped"}


@dataclass(frozen=True)
class LineView:
    """A line of a receipt; left: stock units that may still come back."""

    n: int
    name: str
    stock_unit: str
    qty: int
    total_minor: int
    returned: int
    left: int


@bp.get("/")
@requires("shift")
def money(fault: DomainError | None = None, **_refused: str) -> Response:
    """Show what the drawer needs now, today's receipts and the closed shifts; _refused: whose command failed."""
    store_id, day = str(place().store_id), today()
    with read() as look:
        till = own_till(look, store_id)
        now_open = shift.current(look, store_id, till.id)
        report = shift.x_seen_by(look, now_open, g.actor) if now_open is not None else None
        strange = shift.stranger(acting(look), now_open) if now_open is not None else None
        receipts = look.scalars(
            sa.select(Sale)
            .where(Sale.store_id == store_id, Sale.business_day == day, Sale.state == "completed")
            .order_by(Sale.completed_at.desc(), Sale.receipt_no.desc())
            .limit(RECEIPTS_SHOWN)
        ).all()
        closed = look.scalars(
            sa.select(Shift)
            .where(Shift.store_id == store_id, Shift.state == "closed")
            .order_by(Shift.closed_at.desc())
            .limit(SHIFTS_SHOWN)
        ).all()
        doubtful = look.scalars(
            sa.select(PrintJob)
            .where(PrintJob.store_id == store_id, PrintJob.state.in_(("unconfirmed", "failed")))
            .order_by(PrintJob.queued_at)
            .limit(5)
        ).all()
        agree = approvals.approvers(look, store_id, _paying() or hand_cash.PAY_OUT)
        lend = approvals.approvers(look, store_id, shift.OTHERS)
        left_minor = shift.float_left(look, store_id, till.id)
        tolerance_minor = shift.tolerance_minor(look, store_id)
    return page(
        "till/shift/money.html",
        left_minor=left_minor,
        left="" if left_minor is None else form.as_typed(left_minor, place().currency) or "0",
        tolerance_minor=tolerance_minor,
        till=till,
        shift=now_open,
        report=report,
        receipts=receipts,
        closed=closed,
        doubtful=doubtful,
        approvers=agree,
        lenders=lend,
        strange=strange,
        paying=_paying(),
        tender_word=tender_word,
        example="20.50"[: 3 + exponent(place().currency)] if exponent(place().currency) else "20",
        fault=fault,
    )


@bp.post("/open")
@requires("shift")
@form.answers_on(money)
def open_till() -> ResponseReturnValue:
    """Open the till with its float."""
    float_minor = form.amount("float", place().currency)
    with write() as session:
        till = own_till(session, str(place().store_id))
        shift.open_shift(acting(session), till.store_id, till.id, float_minor)
    flash(_("The till is open. Have a good day!"), "good")
    return redirect(form.inside(request.form.get("next", "")) or url_for("shift.money"), 303)


@bp.post("/drop")
@requires("shift")
@form.answers_on(money)
def drop() -> ResponseReturnValue:
    """Move cash from the drawer to the safe."""
    amount_minor = _pay(hand_cash.DROP)
    return form.done(_("Moved to the safe: %(amount)s.", amount=money_text(amount_minor)), "shift.money")


@bp.post("/pay-in")
@requires("shift")
@form.answers_on(money)
def pay_in() -> ResponseReturnValue:
    """Put cash into the drawer, and say where it comes from."""
    amount_minor = _pay(hand_cash.PAY_IN, _("Enter where the money comes from."))
    return form.done(_("Paid in: %(amount)s.", amount=money_text(amount_minor)), "shift.money")


@bp.post("/pay-out")
@requires("shift")
@form.answers_on(money)
def pay_out() -> ResponseReturnValue:
    """Pay something from the drawer, with its reason."""
    amount_minor = _pay(hand_cash.PAY_OUT, _("Enter what the money is for."))
    return form.done(_("Paid out: %(amount)s.", amount=money_text(amount_minor)), "shift.money")


@bp.post("/count")
@requires("shift")
@form.answers_on(money)
def begin_count() -> ResponseReturnValue:
    """Begin the blind count; the till does not sell meanwhile."""
    agreeing = approver()
    with write() as session:
        found = shift_here(session)
        allow_drawer(session, found, agreeing)
        shift.begin_count(acting(session), found)
    return redirect(url_for("drawer.counting"), 303)


@bp.post("/go-on")
@requires("shift")
@form.answers_on(money)
def go_on() -> ResponseReturnValue:
    """Leave the count and sell on."""
    with write() as session:
        shift.go_back(acting(session), shift_here(session))
    return redirect(url_for("shift.money"), 303)


@bp.post("/x")
@requires("over_short")
@form.answers_on(money)
def print_x() -> ResponseReturnValue:
    """Print the shift so far, for those who may know what the drawer holds: others count blind."""
    with write() as session:
        shift.print_x(acting(session), shift_here(session))
    return form.done(_("The X report is printing."), "shift.money")


@bp.get("/shifts/<shift_id>")
@requires("shift")
def z_report(shift_id: str) -> Response:
    """Show the frozen Z report of a closed shift."""
    with read() as look:
        found = _closed(look, shift_id)
        job = queue.latest(look, found.store_id, shift_id, "z")
        tolerance_minor = shift.tolerance_minor(look, found.store_id)
    return page(
        "till/shift/report.html",
        shift=found,
        report=found.z_report,
        tolerance_minor=tolerance_minor,
        has_terminal=bool(terminals(doors().settings)),
        paper=job.id if job is not None and job.paper is not None else None,
        tender_word=tender_word,
        cash_word=cash_word,
        event_word=event_word,
    )


@bp.post("/shifts/<shift_id>/reprint")
@requires("print")
def reprint_z(shift_id: str) -> ResponseReturnValue:
    """Print a Z report again, marked as a copy."""
    with write() as session:
        found = _closed(session, shift_id)
        queue.reprint(acting(session), found.store_id, shift_id, kind="z")
    return form.done(_("Z report %(n)s is printing again.", n=found.z_no), "shift.z_report", shift_id=shift_id)


@bp.get("/receipts/<sale_id>")
@requires("sell")
def receipt(sale_id: str, fault: DomainError | None = None) -> Response:
    """Show one receipt with its lines and its paper."""
    store_id = str(place().store_id)
    with read() as look:
        found = _sale(look, sale_id)
        lines = _lines(look, found)
        job = queue.latest(look, store_id, sale_id)
        has_shift = shift.current(look, store_id, own_till(look, store_id).id) is not None
        has_voucher = vouchers.issued_by(look, store_id, sale_id)
        not_ours = consignment_stock.of_sale(look, store_id, sale_id)
        no_hand = found.kind == "sale" and refund_routes.needs_no_hand(refund_routes.look(look, store_id, sale_id))
        written = messages.written_about(look, store_id, sale_id)
    return page(
        "till/shift/receipt.html",
        sale=found,
        lines=lines,
        paper=job.id if job is not None and job.paper is not None else None,
        has_shift=has_shift,
        has_voucher=has_voucher,
        not_ours=not_ours,
        no_hand=no_hand,
        tenders=tender_choices("receipt"),
        messages=[message_sentence(one) for one in written],
        sends_mail=envelopes.sends_mail(doors().settings),
        fault=fault,
    )


@bp.post("/receipts/<sale_id>/reprint")
@requires("print")
def reprint(sale_id: str) -> ResponseReturnValue:
    """Print a receipt again, marked as a copy."""
    with write() as session:
        found = _sale(session, sale_id)
        asked = CopyRequest(sale_id, found.store_id, whole="whole" in request.form)
        job = slips.copy_receipt(acting(session), asked)
        hand_cash.note_event(session, found.store_id, job.till_id, "reprint")
    return form.done(_("Receipt %(n)s is printing again.", n=found.receipt_no), "shift.money")


@bp.post("/receipts/<sale_id>/return")
@requires("take_back")
@form.answers_on(receipt)
def take_back(sale_id: str) -> ResponseReturnValue:
    """Take lines of a receipt back and give their money back."""
    command = form.command_id()
    refunding = [name for name, row in TENDERS.items() if row.refunds]
    tender = form.one_of("tender", refunding, sentence=_("Choose the refund method."))
    with write() as session:
        found = _sale(session, sale_id)
        asked = [
            (line.n, form.number(request.form.get(f"back-{line.n}") or "0", line.name))
            for line in lines_of(session, found)
        ]
        wanted = [(n, qty) for n, qty in asked if qty]
        if not wanted:
            raise Invalid("nothing-back", "Enter a quantity for at least one line.")
        request_back = ReturnRequest(
            id=command,
            store_id=found.store_id,
            till_id=own_till(session, found.store_id).id,
            sale_id=sale_id,
            lines=wanted,
            tender=tender,
            restock="waste" not in request.form,
        )
        done = returns.take_back(acting(session), request_back)
    flash(_("Refunded."), "good")
    for paid in done.document["payments"]:
        flash(_(tender_of(paid["tender"]).says("gone"), amount=money_text(-paid["amount_minor"])), "good")
    return redirect(url_for("shift.receipt", sale_id=sale_id), 303)


@bp.post("/paper/<job_id>")
@requires("print")
@form.answers_on(money)
def paper_answer(job_id: str) -> ResponseReturnValue:
    """Say what became of a print nobody is sure of."""
    answer = form.one_of("answer", tuple(ANSWERS), sentence=_("Choose what happened to the print."))
    with write() as session:
        queue.resolve(acting(session), str(place().store_id), job_id, ANSWERS[answer])
    return redirect(url_for("shift.money"), 303)


def proven(who: str = "approver", pin: str = "pin") -> Staff:
    """Return the person of the form, known by the PIN that was typed beside the name."""
    return proven_by_pin(request.form.get(who, ""), request.form.get(pin, "")[:12])


def approver() -> Staff | None:
    """Return who agrees, known by their PIN; None where nobody was asked."""
    return proven() if request.form.get("approver") and request.form.get("pin") else None


def allow_drawer(session: Session, found: Shift, agreeing: Staff | None) -> None:
    """Grant leave to handle somebody else's drawer, where this person needs it and somebody agrees."""
    need = shift.stranger(acting(session), found)
    agreed(session, agreeing, [need] if need else [], found.id, "")


def agreed(session: Session, agreeing: Staff | None, needs: list[Need], subject_id: str, why: str) -> list[str]:
    """Grant what this form's approver agrees to; returns the approvals' ids, none without an approver."""
    if agreeing is None:
        return []
    by_permission: dict[str, list[Need]] = {}
    for need in needs:
        by_permission.setdefault(need.permission, []).append(need)
    given: dict[str, Any] = {"sale_id": subject_id, "asked_by": g.actor, "at": doors().now()}
    rows = [
        approvals.grant(
            session,
            agreeing,
            permission=permission,
            why=why,
            covers=[need.covers for need in some],
            **given,
        )
        for permission, some in by_permission.items()
    ]
    session.flush()
    return [row.id for row in rows]


# --- inside ---


def shift_here(session: Session) -> Shift:
    """Return the shift at the till this browser stands at."""
    till = own_till(session, str(place().store_id))
    found = shift.current(session, till.store_id, till.id)
    if found is None:
        raise NotFound("no-open-shift", "The till is closed.")
    return found


def _paying() -> str | None:
    """Return which movement of cash the form that was sent asks for; None for any other."""
    return next((kind for kind in PAYING if kind in request.form), None)


def _pay(kind: str, asks_why: str = "") -> int:
    """Move the form's amount in or out of the drawer, with the leave that was given on it; returns the amount."""
    command, amount_minor = form.command_id(), form.amount(kind, place().currency)
    why, agreeing = form.text("why", required=asks_why), approver()
    with _noting_refused(kind, amount_minor), write() as session:
        if not _already(session, command):
            now_open = shift_here(session)
            need = hand_cash.wanted_leave(session, now_open, kind, amount_minor, g.actor)
            granted = agreed(session, agreeing, [need] if need else [], command, why)
            moved = PAYING[kind](acting(session), now_open, amount_minor, why=why, id=command, approvals=granted)
            _slip(session, moved)
    return amount_minor


@contextmanager
def _noting_refused(kind: str, amount_minor: int) -> Iterator[None]:
    """Journal inside what asks for more than the drawer should hold; it is refused all the same."""
    try:
        yield
    except Refused as refusal:
        if refusal.code == "not-in-drawer":
            with write() as session:
                hand_cash.note_refused(acting(session), shift_here(session), kind, amount_minor)
        raise


def _slip(session: Session, moved: CashMovement) -> None:
    """Print the slip to be signed for cash that was put into the drawer or left it."""
    slips.cash_slip(acting(session), own_till(session, moved.store_id), moved)


def _already(session: Session, command: str) -> bool:
    query = sa.select(CashMovement.id).where(
        CashMovement.store_id == str(place().store_id), CashMovement.source_id == command
    )
    return session.scalar(query.limit(1)) is not None


def _closed(session: Session, shift_id: str) -> Shift:
    found = session.get(Shift, (str(place().store_id), shift_id))
    if found is None or found.state != "closed":
        raise NotFound("no-z-report", "Shift not found at this store, or still open.")
    return found


def _sale(session: Session, sale_id: str) -> Sale:
    found = session.get(Sale, (str(place().store_id), sale_id))
    if found is None or found.state != "completed":
        raise NotFound("not-found-here", "Receipt not found at this store.")
    return found


def _lines(session: Session, found: Sale) -> list[LineView]:
    back = refund_routes.returned_qty(session, found.store_id, found.id)
    return [
        LineView(
            row.n, row.name, row.stock_unit, row.qty, row.total_minor, back.get(row.n, 0), row.qty - back.get(row.n, 0)
        )
        for row in lines_of(session, found)
    ]

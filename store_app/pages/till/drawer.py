"""The drawer: opened with a counted float, counted blind in coins and notes, settled, closed or handed over."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from config.money import exponent
from config.nodes.journal import Actor
from pos.reports import slips
from pos.store import approvals
from pos.store.store import staff_of
from pos.till import denominations, shift, shift_report
from pos.till.shift import OVER_SHORT
from pos.till.shift_book import Shift
from store_app.pages.common import charts, form
from store_app.pages.common.own_till import own_till
from store_app.pages.till.shift import agreed, allow_drawer, approver, proven, shift_here
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import day, money, page, place
from store_app.web.security import can, requires
from store_app.words.words import cash_word, event_word, tender_word

bp = Blueprint("drawer", __name__, url_prefix="/money/drawer")
MOST_PIECES = 9_999
REPORTS_SHOWN, BARS = 60, 30


@bp.get("/open")
@requires("shift")
def opening(fault: DomainError | None = None, **_refused: str) -> Response:
    """Ask for the float in coins and notes."""
    with read() as look:
        till = own_till(look, str(place().store_id))
        now_open = shift.current(look, till.store_id, till.id)
        left_minor = shift.float_left(look, till.store_id, till.id)
    if now_open is not None:
        return redirect(url_for("shift.money"), 303)  # type: ignore[return-value]
    return page(
        "till/shift/opening.html",
        till=till,
        pieces=_kinds(),
        places=exponent(place().currency),
        left_minor=left_minor,
        typed=request.form,
        fault=fault,
    )


@bp.post("/open")
@requires("shift")
@form.answers_on(opening)
def open_counted() -> ResponseReturnValue:
    """Open the till with the float that was counted."""
    counted = _counted()
    with write() as session:
        till = own_till(session, str(place().store_id))
        shift.open_shift(acting(session), till.store_id, till.id, counted)
    return form.done(_("The till is open. Have a good day!"), "shift.money")


@bp.get("/count")
@requires("shift")
def counting(fault: DomainError | None = None, **_refused: str) -> Response:
    """Show what the count needs now: pieces, a second count, the end of it, or somebody's agreement."""
    store_id = str(place().store_id)
    with read() as look:
        till = own_till(look, store_id)
        now_open = shift.current(look, store_id, till.id)
        last = shift.last_count(look, now_open) if now_open is not None and now_open.counted_times else None
        tolerance_minor = shift.tolerance_minor(look, store_id)
        agree = approvals.approvers(look, store_id, OVER_SHORT)
        lend = approvals.approvers(look, store_id, shift.OTHERS)
        everybody = [one for one in staff_of(look, store_id) if now_open and one.id != g.actor.id]
        strange = shift.stranger(acting(look), now_open) if now_open is not None else None
    if now_open is None or now_open.state != "counting":
        return redirect(url_for("shift.money"), 303)  # type: ignore[return-value]
    counted_minor = last.total_minor if last is not None else now_open.counted_minor or 0
    again = request.args.get("again") == "1" and now_open.counted_times < shift.MOST_COUNTS
    return page(
        "till/shift/counting.html",
        till=till,
        shift=now_open,
        last=last,
        ask_again=again and not now_open.is_settled,
        may_again=now_open.counted_times < shift.MOST_COUNTS,
        tolerance_minor=tolerance_minor,
        approvers=agree,
        lenders=lend,
        everybody=everybody,
        may_settle=can(OVER_SHORT),
        strange=strange,
        pieces=_kinds(),
        places=exponent(place().currency),
        typed=request.values,
        keep=form.as_typed(shift.usual_float(now_open, counted_minor), place().currency) or "0",
        counted_minor=counted_minor,
        fault=fault,
    )


@bp.post("/count")
@requires("shift")
@form.answers_on(counting)
def count() -> ResponseReturnValue:
    """Write down what was counted, blind."""
    command, counted, agreeing = form.command_id(), _counted(), approver()
    with write() as session:
        found = shift_here(session)
        allow_drawer(session, found, agreeing)
        row = shift.count(acting(session), found, counted, id=command)
    return form.done(_("Counted: %(amount)s.", amount=money(row.total_minor)), "drawer.counting")


@bp.post("/close")
@requires("shift")
@form.answers_on(counting)
def close() -> ResponseReturnValue:
    """Let the count stand and close the till, or hand it over; beyond the tolerance somebody has to agree first."""
    to = _taker() if request.form.get("to") else None
    put_away = _put_away() if to is not None or "keep" in request.form else None
    why, agreeing = form.text("why"), approver()
    with write() as session:
        found = shift_here(session)
        allow_drawer(session, found, agreeing)
        was_settled = found.is_settled
        ctx = acting(session)
        shift.settle(ctx, found)
        if not was_settled and shift.wanted_leave(session, found) is not None:
            asked: dict[str, Any] = {
                name: request.form[name] for name in ("keep", "away", "to") if name in request.form
            }
            # the count stands; who may settle it is asked now
            return redirect(url_for("drawer.counting", **asked), 303)
        need = shift.wanted_leave(session, found)
        granted = agreed(session, agreeing, [need] if need else [], found.id, why)
        if to is not None and put_away is not None:
            shift.relieve(ctx, found, to, put_away.keep_minor, why=why, approvals=granted, put_away=put_away)
        else:
            shift.close(ctx, found, why=why, approvals=granted, put_away=put_away)
        slips.put_away_slip(ctx, own_till(session, found.store_id), found)
    flash(_("The till is closed, Z %(n)s.", n=found.z_no), "good")
    if to is not None:
        flash(_("The till is open again for %(who)s.", who=to.name), "good")
    return redirect(url_for("shift.z_report", shift_id=found.id), 303)


@bp.get("/hand-over")
@requires("shift")
def handing_over(fault: DomainError | None = None, **_refused: str) -> Response:
    """Ask who takes the drawer over, and how."""
    with read() as look:
        till = own_till(look, str(place().store_id))
        now_open = shift.current(look, till.store_id, till.id)
        everybody = staff_of(look, till.store_id)
        strange = shift.stranger(acting(look), now_open) if now_open is not None else None
        agree = approvals.approvers(look, till.store_id, shift.OTHERS)
    if now_open is None or now_open.state != "open":
        return redirect(url_for("shift.money"), 303)  # type: ignore[return-value]
    holder = now_open.held_by or now_open.opened_by
    return page(
        "till/shift/hand_over.html",
        till=till,
        shift=now_open,
        everybody=[one for one in everybody if one.id != holder],
        strange=strange,
        approvers=agree,
        typed=request.form,
        fault=fault,
    )


@bp.post("/hand-over")
@requires("shift")
@form.answers_on(handing_over)
def hand_over() -> ResponseReturnValue:
    """Sign the drawer over to the person whose PIN was typed; an X report is printed."""
    agreeing, to = approver(), _taker()
    with write() as session:
        found = shift_here(session)
        allow_drawer(session, found, agreeing)
        shift.sign_over(acting(session), found, to)
    return form.done(_("%(who)s has the drawer now. The X report is printing.", who=to.name), "shift.money")


@bp.get("/x")
@requires("over_short")
def x_report() -> Response:
    """Show the shift so far to those who may know what the drawer holds: others count blind."""
    with read() as look:
        till = own_till(look, str(place().store_id))
        now_open = shift.current(look, till.store_id, till.id)
        report = shift_report.x_report(look, now_open) if now_open is not None else None
    if report is None:
        return redirect(url_for("shift.money"), 303)  # type: ignore[return-value]
    return page(
        "till/shift/x_report.html",
        shift=now_open,
        report=report,
        tender_word=tender_word,
        cash_word=cash_word,
        event_word=event_word,
    )


@bp.get("/reports")
@requires("shift")
def reports(fault: DomainError | None = None, **_refused: str) -> Response:
    """List the closed shifts with their over and short."""
    store_id = str(place().store_id)
    with read() as look:
        query = sa.select(Shift).where(Shift.store_id == store_id, Shift.state == "closed")
        closed = look.scalars(query.order_by(Shift.closed_at.desc(), Shift.id).limit(REPORTS_SHOWN)).all()
        tolerance_minor = shift.tolerance_minor(look, store_id)
    last = closed[BARS - 1 :: -1] if len(closed) >= BARS else closed[::-1]
    over_short = charts.amounts(_("Over or short"), (one.over_short_minor or 0 for one in last))
    return page(
        "till/shift/reports.html",
        closed=closed,
        last=last,
        most_minor=max((abs(one.over_short_minor or 0) for one in last), default=0),
        drawing=charts.drawing(
            _("Z report"),
            [f"Z {one.z_no}, {day(one.business_day)}" for one in last],
            over_short,
            hrefs=[url_for("shift.z_report", shift_id=one.id) for one in last],
        ),
        tolerance_minor=tolerance_minor,
        typed=request.form,
        fault=fault,
    )


@bp.post("/tolerance")
@requires("settings")
@form.answers_on(reports)
def set_tolerance() -> ResponseReturnValue:
    """Settle by how much a drawer may be off before somebody else has to agree."""
    minor = form.amount("tolerance", place().currency)
    with write() as session:
        shift.set_tolerance(acting(session), str(place().store_id), minor)
    return form.done(_("Differences up to %(amount)s no longer need approval.", amount=money(minor)), "drawer.reports")


# --- inside ---


def _kinds() -> tuple[denominations.Denomination, ...]:
    return denominations.of_currency(place().currency)


def _counted() -> shift.Counted:
    """Return the pieces of the form, or the sum where one was typed instead."""
    if request.form.get("sum", "").strip():
        return form.amount("sum", place().currency)
    pieces = {}
    for one in _kinds():
        raw = request.form.get(one.key, "").strip()
        pieces[one.key] = form.number(raw or "0", one.key, most=MOST_PIECES)
    return pieces


def _put_away() -> shift.PutAway:
    """Return what stays of the count and where the rest goes."""
    to = form.one_of("away", shift.AWAY, sentence=_("Choose the safe or the bank."))
    return shift.PutAway(form.amount("keep", place().currency), to)


def _taker() -> Actor:
    """Return who takes the drawer over, known by their PIN."""
    known = proven("to", "to_pin")
    return Actor(id=known.id, name=known.name, role=known.role, node=str(place().store_id))

"""Cards and wallets: money on its way, money that pays for no sale yet, and money going back."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, Refused
from config.nodes import journal
from config.nodes.journal import JournalEntry
from pos.payments import bank_codes, requests, unclaimed
from pos.payments.payments import Payment
from pos.payments.providers import BANK_CODE
from pos.payments.requests import OPEN
from pos.payments.unclaimed import BY_SERVICE, IN_CASH
from pos.reports import slips
from pos.till import hand_cash, parked
from pos.till.parked import Basket
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.pages.till.shift import shift_here
from store_app.payments.providers import asker, terminals
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words.money import payment_reason

bp = Blueprint("payments", __name__, url_prefix="/payments")
LATEST = 30
WAY_WORDS = {
    "terminal": lazy("Card"),
    "customer_code": lazy("Customer’s phone code"),
    "store_code": lazy("Store code"),
    "bank_code": lazy("Bank transfer"),
    requests.BACK: lazy("Refunded"),
}
STATE_WORDS = {
    "requested": (lazy("pending"), "info"),
    "unknown": (lazy("no response"), "warn"),
    "captured": (lazy("paid"), "good"),
    "declined": (lazy("refused"), ""),
    "cancelled": (lazy("canceled"), ""),
    "reversed": (lazy("refunded"), ""),
    requests.BY_HAND: (lazy("refunded by hand"), ""),
}


@dataclass(frozen=True)
class Row:
    """A payment in words. kind: open | unused | back_unused | going_back | contradicted | done."""

    id: str
    kind: str
    amount_minor: int
    way: str
    at: dt.datetime
    till_id: str
    reference: str
    state: str
    tag: str
    words: str
    reason: str
    unwanted: bool
    slip: str | None
    may_by_hand: bool
    is_transfer: bool


@bp.get("/")
@requires("sell")
def overview(fault: DomainError | None = None, **_place: str) -> ResponseReturnValue:
    """Show what needs a person, what is still open, and the latest payments."""
    store_id = str(place().store_id)
    with read() as session:
        rows = [_row(session, payment) for payment in unclaimed.unresolved(session, store_id)]
        baskets = parked.parked(session, store_id) if any(row.kind == "unused" for row in rows) else []
        latest = [_row(session, payment) for payment in session.scalars(_latest(store_id))]
        by_hand = [_by_hand(*one) for one in unclaimed.refunded_by_hand(session, store_id, most=LATEST)]
    return page(
        "till/payments.html",
        needs=[row for row in rows if row.kind in ("unused", "back_unused", "contradicted")],
        waiting=[row for row in rows if row.kind in ("open", "going_back")],
        latest=latest,
        by_hand=by_hand,
        has_terminal=bool(terminals(doors().settings)),
        baskets=baskets,
        fault=fault,
        typed=request.form if fault else {},
        refused=_place.get("payment_id"),
    )


@bp.post("/<payment_id>/ask")
@requires("sell")
@form.answers_on(overview)
def ask(payment_id: str) -> ResponseReturnValue:
    """Ask the terminal or wallet now."""
    payment = asker(doors()).ask_again(payment_id, actor=g.actor)
    if payment.state in OPEN:
        flash(_("Still no response. It will be retried automatically."), "info")
    else:
        flash(_("The response is: %(state)s.", state=STATE_WORDS[payment.state][0]), "good")
    return _back()


@bp.post("/<payment_id>/back")
@requires("sell")
@form.answers_on(overview)
def give_back(payment_id: str) -> ResponseReturnValue:
    """Give money back that pays for no sale, or stop what is still open."""
    why = form.text("why", most=120) or "given back on the page of payments"
    payment = asker(doors()).cancel(payment_id, why=why, actor=g.actor)
    if payment.state == "captured":
        flash(_("The refund failed. It stays on this page until it succeeds."), "warn")
    elif payment.state == "unknown":
        flash(_("No response. If the money is taken after all, it will be refunded automatically."), "info")
    elif payment.state == "reversed":
        flash(_("The customer has been refunded."), "good")
    else:
        flash(_("Canceled. No money was taken."), "good")
    return _back()


@bp.post("/<payment_id>/use")
@requires("sell")
@form.answers_on(overview)
def use(payment_id: str) -> ResponseReturnValue:
    """Use money whose basket was lost for a basket that is set aside."""
    store_id, basket_id = str(place().store_id), request.form.get("basket", "")
    with write() as session:
        found = session.get(Basket, (store_id, basket_id))
        if found is None or found.state != "parked":
            raise Invalid("no-such-basket", "Choose the basket.", field="basket")
        unclaimed.move_to(acting(session), store_id, payment_id, basket_id)
    return form.done(_("The payment is assigned to that basket. Resume the basket at the till."), ".overview")


@bp.post("/<payment_id>/slip")
@requires("take_back")
@form.answers_on(overview)
def same_as_slip(payment_id: str) -> ResponseReturnValue:
    """Say that it is the payment whose slip number was typed."""
    with write() as session:
        unclaimed.same_as_slip(acting(session), str(place().store_id), payment_id)
    return form.done(_("Saved as the same payment. Nothing will be refunded."), ".overview")


@bp.post("/<payment_id>/decide")
@requires("take_back")
@form.answers_on(overview)
def decide(payment_id: str) -> ResponseReturnValue:
    """Settle what is never answered, from the terminal's own list."""
    with write() as session:
        unclaimed.decide(acting(session), str(place().store_id), payment_id, request.form.get("state", ""))
        wake_worker_after(session)
    return form.done(_("Saved with your name."), ".overview")


@bp.post("/<payment_id>/by-hand")
@requires("take_back.blind")
@form.answers_on(overview)
def refund_by_hand(payment_id: str) -> ResponseReturnValue:
    """Say that money the service does not give back went back by hand."""
    how = form.one_of("how", (BY_SERVICE, IN_CASH), sentence=_("Choose how it was refunded."))
    why = form.text("why", required=_("Enter why it was refunded by hand."))
    with write() as session:
        shift = shift_here(session) if how == IN_CASH else None
        moved = hand_cash.refund_by_hand(
            acting(session), str(place().store_id), payment_id, shift=shift, why=why, number=form.text("number")
        )
        if moved is not None:
            slips.cash_slip(acting(session), own_till(session, moved.store_id), moved)
    return form.done(_("Saved with your name."), ".overview")


@bp.post("/<payment_id>/told")
@requires("sell")
@form.answers_on(overview)
def told(payment_id: str) -> ResponseReturnValue:
    """Say whether a bank transfer was seen in the banking app."""
    with write() as session:
        bank_codes.tell(acting(session), str(place().store_id), payment_id, paid=request.form.get("paid") == "yes")
        wake_worker_after(session)
    return form.done(_("Saved with your name."), ".overview")


@bp.post("/terminal/check")
@requires("sell")
@form.answers_on(overview)
def check_terminal() -> ResponseReturnValue:
    """Ask the card terminal of this till whether it is ready."""
    with read() as session:
        till_id = own_till(session, str(place().store_id)).id
    for terminal in terminals(doors().settings):
        _refuse(terminal.check(till_id, place().currency))
    return form.done(_("The card terminal is ready."), ".overview")


@bp.post("/terminal/close-day")
@requires("shift")
@form.answers_on(overview)
def close_terminal() -> ResponseReturnValue:
    """Have the card terminal of this till hand in what it has taken."""
    with read() as session:
        till_id = own_till(session, str(place().store_id)).id
    for terminal in terminals(doors().settings):
        _refuse(terminal.close_day(till_id, place().currency))
    with write() as session:
        journal.record(acting(session), verb="terminal.day_closed", subject=f"till:{till_id}")
    return form.done(_("The card terminal’s end of day is done."), ".overview")


@bp.post("/<payment_id>/seen")
@requires("take_back")
@form.answers_on(overview)
def seen(payment_id: str) -> ResponseReturnValue:
    """Say that a contradiction was looked into."""
    with write() as session:
        unclaimed.seen(acting(session), str(place().store_id), payment_id)
    return form.done(_("Saved with your name."), ".overview")


# --- inside ---


def _back() -> ResponseReturnValue:
    return redirect(url_for("payments.overview"), 303)


def _refuse(words: str) -> None:
    if words:
        raise Refused("terminal-refused", words)


def _latest(store_id: str) -> sa.Select[Payment]:
    query = sa.select(Payment).where(Payment.store_id == store_id, Payment.provider.is_not(None))
    return query.order_by(Payment.requested_at.desc(), Payment.id.desc()).limit(LATEST)


def _row(session: Session, payment: Payment) -> Row:
    kind = _kind(payment)
    slip = requests.slip_of(session, payment) if kind == "unused" else None
    state, tag = STATE_WORDS[payment.state]
    return Row(
        id=payment.id,
        kind=kind,
        amount_minor=payment.amount_minor,
        way=str(WAY_WORDS.get(payment.way or "", payment.way)),
        at=payment.requested_at or payment.at,
        till_id=payment.till_id or "",
        reference=payment.reference,
        state=str(state),
        tag=tag,
        words=_words(payment, kind, slip),
        reason=payment_reason(payment),
        unwanted=payment.unwanted_since is not None,
        slip=slip.reference if slip else None,
        may_by_hand=unclaimed.can_refund_by_hand(payment, doors().now()),
        is_transfer=payment.way == BANK_CODE,
    )


def _by_hand(payment: Payment, entry: JournalEntry) -> dict[str, Any]:
    """Return what the page names of money that went back by hand: who, when, how and why."""
    said = json.loads(entry.body)
    how = _("In cash") if said["how"] == IN_CASH else said["number"]
    return {
        "at": entry.at, "who": entry.actor_name, "how": how, "why": said["why"], "amount_minor": payment.amount_minor
    }  # fmt: skip


def _kind(payment: Payment) -> str:
    if payment.state in OPEN:
        return "open"
    if requests.goes_back(payment):
        return "going_back"
    if payment.contradicted and payment.contradicted not in unclaimed.SETTLED:
        return "contradicted"
    if payment.state == "captured" and not payment.claimed_by and not payment.same_as:
        return "back_unused" if payment.gives_back else "unused"
    return "done"


def _words(payment: Payment, kind: str, slip: Payment | None) -> str:
    if kind == "open":
        if payment.unwanted_since:
            return _(
                "Canceled, but not confirmed yet. If the money is taken after all, it will be refunded automatically."
            )
        if payment.state == "requested":
            return _("Waiting for the customer.")
        return _("It is unclear whether the money was taken. The till keeps checking.")
    if kind == "going_back":
        if payment.ask_again_at is None:
            return _("The payment went through, but the refund failed. Try again, or call the bank.")
        return _("The money was taken and is being refunded.")
    if kind == "contradicted" and payment.contradicted == requests.TWICE:
        return _("It was refunded by hand, and then by the service as well. Ask the customer for the money back.")
    if kind == "contradicted":
        return _("The service gave two responses: first “%(first)s”, then “%(then)s”. Ask the bank.",
                 first=STATE_WORDS[payment.state][0], then=STATE_WORDS[payment.contradicted or ""][0])  # fmt: skip
    if kind == "back_unused":
        return _("A customer was refunded, but no return was recorded. Record the return at the till.")
    if kind == "unused" and slip:
        return _("The money was taken. Its sale has a slip for the same amount. Is it the same payment?")
    if kind == "unused":
        return _("The money was taken, but no sale was completed with it. Complete the sale, or refund it.")
    return ""

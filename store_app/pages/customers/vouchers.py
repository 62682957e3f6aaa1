"""Vouchers: what a code is worth, where it was spent, and its slip again. Codes are never listed."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import DomainError
from pos.payments import vouchers
from pos.payments.vouchers import Voucher, VoucherMovement
from pos.reports import statement
from pos.store.store import store_of
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.runtime.doors import doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("vouchers", __name__, url_prefix="/vouchers")
MOST_TYPED = 40
KIND_WORDS = {"gift": lazy("Gift voucher"), "credit": lazy("Store credit")}
MOVED_WORDS = {"issued": lazy("Issued"), "redeemed": lazy("Spent")}


@dataclass(frozen=True)
class MovementRow:
    """A movement of a voucher in words; receipt_no None: its sale is not known here."""

    moved: VoucherMovement
    words: str
    receipt_no: int | None


@bp.get("/")
@requires("sell")
def look_up(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what the code in the address is worth, and how it came to that."""
    typed = form.tidy(request.values.get("code", ""))[:MOST_TYPED]
    store_id = str(place().store_id)
    voucher: Voucher | None = None
    rows: list[MovementRow] = []
    with read() as session:
        outstanding_minor = vouchers.outstanding_minor(session, store_id, today())
        if typed:
            try:
                voucher = vouchers.find(session, store_id, typed)
                rows = _rows(session, voucher)
            except DomainError as unknown:
                fault = fault or unknown
    return page(
        "customers/vouchers.html",
        typed=typed,
        voucher=voucher,
        kind_word=KIND_WORDS[voucher.kind] if voucher else "",
        spoken=vouchers.spoken(vouchers.tidy_code(typed) or ""),
        is_expired=voucher is not None and vouchers.is_expired(voucher, today()),
        rows=rows,
        outstanding_minor=outstanding_minor,
        fault=fault,
        status=form.status_of(fault) if fault else 200,
    )


@bp.post("/print")
@requires("sell")
@form.answers_on(look_up)
def print_slip() -> ResponseReturnValue:
    """Print the slip of a voucher again, with what is left on it."""
    code = form.text("code", most=MOST_TYPED, required=_("Enter or scan the voucher code."))
    with write() as session:
        till = own_till(session, str(place().store_id))
        store = store_of(session, till.store_id)
        voucher = vouchers.find(session, store.id, code)
        statement.print_voucher(session, store, voucher, till_id=till.id, at=doors().now())
    return form.done(_("The voucher is printing."), "vouchers.look_up", code=code)


def _rows(session: Any, voucher: Voucher) -> list[MovementRow]:
    moved = vouchers.movements(session, voucher)
    numbers = statement.receipt_numbers(session, voucher.store_id, (row.sale_id for row in moved))
    return [MovementRow(row, str(MOVED_WORDS[row.kind]), numbers.get(row.sale_id)) for row in moved]

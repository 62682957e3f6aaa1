"""The seal of a sale: one digest over the values of its rows. Pure: no database, no clock, no web.

Rules
-----
1. Sealed is what the rows hold (sale, lines with their taxes, captured payments, cash movements), never ids alone.
2. The same text is made from the fact at completion and from the rows later; it is JSON of plain values in the order
   of the tables' columns named here, payments and cash by their ids, lines by their number.
3. The seal names its form, 'v2:...': a later form never makes an earlier sale look changed. Form v1 knew no category.

The seal goes into the journal's entry of the sale, in the sale's transaction; the journal's chain guards it there.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from pos.facts import SaleCompleted

FORM, FORM_1 = "v2:", "v1:"
Rows = Iterable[tuple[Any, ...]]

SALE = (
    "id", "till_id", "shift_id", "epoch", "receipt_no", "kind", "channel", "order_id", "business_day", "cashier_id",
    "cashier_name", "currency", "lines_minor", "rounding_minor", "total_minor", "tax_minor", "age_checked",
    "age_how", "note", "request_hash",
)  # fmt: skip
"""The sale's columns as sealed; its store, its instant and its customer go before them."""
LINE = (
    "n", "sku", "name", "stock_unit", "qty", "unit_price_minor", "price_quantity", "discount_minor", "offer",
    "total_minor", "net_minor", "tax_minor", "tax_class_id", "rate_bp", "returns_sale_id", "returns_n", "kind",
    "amount_minor", "list_price_minor", "price_type", "manual_discount_minor", "reason", "note", "batch", "expires_on",
    "deposit_of", "cost_minor", "top_category",
)  # fmt: skip
PAYMENT = ("id", "tender", "amount_minor", "is_change", "reference")
CASH = ("id", "kind", "amount_minor")

_sale_of, _line_of, _paid_of = attrgetter(*SALE), attrgetter(*LINE), attrgetter(*PAYMENT)
_text = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def of_sale(fact: SaleCompleted, form: str = FORM) -> str:
    """Return the seal of a sale as it is completed, or as an earlier form has it (rule 3)."""
    return of_values(
        (*head(fact), *_sale_of(fact)),
        map(_line_of, fact.lines),
        map(_paid_of, fact.payments),
        fact.cash,
        form,
    )


def head(fact: SaleCompleted) -> tuple[str, str, str | None]:
    """Return what stands before a sale's columns: store, instant, customer id."""
    customer = fact.customer
    return fact.store["id"], _instant(fact.completed_at), customer["id"] if customer else None


def of_columns(row: object, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return a row's values in the order of `names`."""
    return tuple(getattr(row, name) for name in names)


def of_values(sale: tuple[Any, ...], lines: Rows, payments: Rows, cash: Rows, form: str = FORM) -> str:
    """Return the seal of plain values.

    sale: (store, instant, customer id, *SALE); then rows of LINE, of PAYMENT and of CASH. Values are
    JSON's own, instants as `instant()` writes them, days ISO dates; lines come in the order of their n.
    """
    sealed = tuple(row[:-1] for row in lines) if form == FORM_1 else tuple(lines)
    content = _text((sale, sealed, sorted(payments), sorted(cash)))
    return form + hashlib.sha256(content.encode()).hexdigest()


def form_of(sealed: str) -> str:
    """Return the form a seal names; one nobody knows is today's, so that it fits nothing."""
    return FORM_1 if sealed.startswith(FORM_1) else FORM


def instant(at: dt.datetime) -> str:
    """Return an instant as it is sealed: 'YYYY-MM-DD HH:MM:SS.ffffff' in UTC."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}"


def _instant(text: str) -> str:
    """Return a fact's ISO instant in UTC as it is sealed."""
    return f"{text[:10]} {text[11:26]}"

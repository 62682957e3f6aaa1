"""What each role may do, as a table to be changed: permissions to tick, limits to type.

Rules
-----
1. Every permission of a store is a row, in words. What a store cannot settle (`permissions`, rule 2) stands there too.
2. What was typed is still there when it is refused.
"""

import re
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.money import BASIS, exponent
from config.nodes.journal import Context
from pos.pricing.pricing import MOST_EMPTIES
from pos.store import permissions
from pos.store.permissions import FIXED, PAYS, SETTLED
from pos.store.roles import STORE_ROLES as ROLES
from pos.till.hand_cash import DROP, PAY_IN, PAY_OUT
from store_app.pages.common import form
from store_app.pages.goods.taxes import rate_text
from store_app.web.presenting import place
from store_app.words import words as general_words

BY_PIN = frozenset(
    {
        "price.override", "discount", "void", "no_sale", "take_back", "take_back.blind", "over_short", "pay_in",
        "pay_out", "drop", "empties",
        "drawer.others", "baskets.others", "voucher.code",
    }
)  # fmt: skip
"""What a person may do all the same when somebody who may types their PIN."""
MATRIX: tuple[tuple[Any, tuple[tuple[str, Any], ...]], ...] = (
    (
        lazy("At the till"),
        (
            ("sell", lazy("Sell, check prices, accept vouchers")),
            ("practice", lazy("Practice only, not recorded")),
            ("tab", lazy("Find customers, charge tabs, take repayments")),
            ("customers", lazy("Add, change and delete customers")),
            ("discount", lazy("Manual discount")),
            ("price.override", lazy("Override price")),
            ("void", lazy("Void a sale")),
            ("take_back", lazy("Refund with the receipt")),
            ("empties", lazy("Empties taken back in one sale")),
            ("take_back.blind", lazy("Refund without a receipt")),
            ("no_sale", lazy("Open the drawer without a sale")),
            ("print", lazy("Reprint")),
            ("voucher.code", lazy("Reprint a voucher’s whole code")),
            ("pickup", lazy("Hand out online orders")),
        ),
    ),
    (
        lazy("Money"),
        (
            ("shift", lazy("Open, count and close a drawer")),
            ("pay_in", lazy("Put cash in the drawer")),
            ("pay_out", lazy("Pay out from the drawer")),
            ("drop", lazy("Put cash in the safe")),
            ("drawer.others", lazy("Count and close another person’s drawer")),
            ("baskets.others", lazy("Take over a basket from another till")),
            ("over_short", lazy("See expected cash, accept overages and shortages")),
            ("reports", lazy("See reports")),
            ("reports.money", lazy("See margins, write off debts")),
        ),
    ),
    (
        lazy("Stock"),
        (
            ("stock.look", lazy("See stock and expiry")),
            ("stock.count", lazy("Count and correct stock")),
            ("stock.waste", lazy("Write off products")),
            ("stock.receive", lazy("Receive without an order")),
            ("stock.send_back", lazy("Return products to a supplier")),
            ("receive", lazy("Receive deliveries")),
            ("shelf", lazy("Plan and refill the shelf, print labels")),
            ("order", lazy("Order from suppliers")),
            ("network_offer", lazy("Respond to network offers")),
            ("recall", lazy("Block a recalled product")),
        ),
    ),
    (
        lazy("The store"),
        (
            ("catalogue", lazy("Products, prices and taxes")),
            ("offers", lazy("Promotions and coupons")),
            ("import", lazy("Import files")),
            ("staff", lazy("People, roles and PINs")),
            ("settings", lazy("Store settings, printers and network")),
        ),
    ),
)
"""Every permission of a store's people, in words."""


@dataclass(frozen=True)
class Cell:
    """What one role may do of one row. sort: limit | tick | yes | no; value: what stands in the field, or 'on'."""

    sort: str
    name: str = ""
    label: str = ""
    value: str = ""
    sign: str = ""
    by_pin: bool = False


@dataclass(frozen=True)
class Row:
    """A permission in words, and a cell for each role."""

    permission: str
    words: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Typed:
    """What the form said. permissions: role -> those that were ticked; None where the form had nothing to tick."""

    discounts_bp: dict[str, int]
    pays_minor: dict[tuple[str, str], int]
    empties: dict[str, int]
    permissions: dict[str, list[str]] | None


def shown(session: Session, store_id: str) -> list[tuple[str, list[Row]]]:
    """Return the table, with what was typed over what is settled (rule 2)."""
    now = {role: permissions.permitted(session, store_id, role) for role in ROLES}
    if request.form.get("ticks"):
        now |= {role: now[role] & FIXED | set(request.form.getlist(f"may-{role}")) for role in SETTLED}
    return [
        (title, [Row(name, words, tuple(_cell(session, store_id, name, words, role, now) for role in ROLES))
                 for name, words in rows])
        for title, rows in MATRIX
    ]  # fmt: skip


def typed() -> Typed:
    """Return what the form said; raises Invalid beside the field."""
    sent, currency = request.form, place().currency
    return Typed(
        {role: _percent(f"limit-{role}") for role in ROLES},
        {
            (role, kind): form.amount(f"{kind}-{role}", currency)
            for kind in PAYS for role in SETTLED if f"{kind}-{role}" in sent
        },
        {role: form.whole(f"empties-{role}", most=MOST_EMPTIES) for role in SETTLED if f"empties-{role}" in sent},
        {role: sent.getlist(f"may-{role}") for role in SETTLED} if sent.get("ticks") else None,
    )  # fmt: skip


def settle(ctx: Context, store_id: str, typed: Typed) -> None:
    """Settle what is not so yet."""
    for role, ticked in (typed.permissions or {}).items():
        permissions.settle(ctx, store_id, role, ticked)
    for role, rate_bp in typed.discounts_bp.items():
        if rate_bp != permissions.rights_of(ctx.session, store_id, role).discount_bp:
            permissions.set_discount_limit(ctx, store_id, role, rate_bp)
    for (role, kind), minor in typed.pays_minor.items():
        if minor != permissions.rights_of(ctx.session, store_id, role).pay_minor(kind):
            permissions.set_pay_limit(ctx, store_id, role, kind, minor)
    for role, qty in typed.empties.items():
        if qty != permissions.rights_of(ctx.session, store_id, role).empties:
            permissions.set_empties_limit(ctx, store_id, role, qty)


# --- inside ---


def _cell(session: Session, store_id: str, name: str, words: Any, role: str, now: dict[str, frozenset[str]]) -> Cell:
    role_words = general_words.role_word(role)
    if name == "discount":
        rate_bp = permissions.rights_of(session, store_id, role).discount_bp
        label = _("Maximum discount per line, percent: %(role)s", role=role_words)
        return _limit(f"limit-{role}", label, rate_text(rate_bp), "%")
    if role in SETTLED and name in PAYS:
        minor = permissions.rights_of(session, store_id, role).pay_minor(name)
        label = {
            PAY_IN: _("Maximum cash into one drawer: %(role)s", role=role_words),
            PAY_OUT: _("Maximum cash out of one drawer: %(role)s", role=role_words),
            DROP: _("Maximum cash from one drawer into the safe: %(role)s", role=role_words),
        }[name]
        return _limit(f"{name}-{role}", label, _amount_text(minor))
    if role in SETTLED and name == "empties":
        label = _("Maximum empties taken back in one sale: %(role)s", role=role_words)
        return _limit(f"empties-{role}", label, str(permissions.rights_of(session, store_id, role).empties))
    if role not in SETTLED or name in FIXED:
        return Cell("yes" if name in now[role] else "no")
    return Cell(
        "tick", f"may-{role}", f"{words}: {role_words}", "on" if name in now[role] else "", by_pin=name in BY_PIN
    )


def _limit(name: str, label: str, settled: str, sign: str = "") -> Cell:
    return Cell("limit", name, label, request.form.get(name, settled), sign)


def _percent(name: str) -> int:
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?", request.form.get(name, "").strip().rstrip("% "), re.ASCII)
    rate_bp = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    if not 0 <= rate_bp <= BASIS:
        raise Invalid("bad-discount-limit", "Enter a percentage from 0 to 100.", field=name)
    return rate_bp


def _amount_text(minor: int) -> str:
    whole, part = divmod(minor, 10 ** (decimals := exponent(place().currency)))
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)

"""Who works here: names, roles and PINs, what each role may do, and how far it may go with discounts."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import Invalid, ShopError
from config.money import BASIS, exponent
from pos import approvals, badges
from pos.hand_cash import PAY_IN, PAY_OUT
from pos.rung import MOST_EMPTIES
from pos.store import Staff, may
from store_app import security, staff, wording
from store_app.extensions import doors, read, write
from store_app.pages import form
from store_app.presenting import page, place
from store_app.security import requires
from store_app.staff import STORE_ROLES

bp = Blueprint("people", __name__, url_prefix="/people")
bp.before_request(form.know_the_place)
BY_PIN = frozenset(
    {
        "price.override", "discount", "void", "no_sale", "take_back", "take_back.blind", "over_short", "pay_in",
        "pay_out", "empties",
        "drawer.others", "baskets.others", "voucher.code",
    }
)  # fmt: skip
"""What a person may do all the same when somebody who may types their PIN."""
PAYS = (PAY_IN, PAY_OUT)
MATRIX: tuple[tuple[Any, tuple[tuple[str, Any], ...]], ...] = (
    (
        lazy("At the till"),
        (
            ("sell", lazy("Sell, look prices up, take vouchers")),
            ("practice", lazy("Practise without booking anything")),
            ("tab", lazy("Find customers, put on the tab, take repayments")),
            ("customers", lazy("Add, change and forget customers")),
            ("discount", lazy("Take something off by hand")),
            ("price.override", lazy("Type another price")),
            ("void", lazy("Give up a basket")),
            ("take_back", lazy("Take goods back with the receipt")),
            ("empties", lazy("Empties taken back in one sale")),
            ("take_back.blind", lazy("Take goods back without a receipt")),
            ("no_sale", lazy("Open the drawer without a sale")),
            ("print", lazy("Print again")),
            ("voucher.code", lazy("Print a voucher’s whole code again")),
            ("pickup", lazy("Hand out orders from the online shop")),
        ),
    ),
    (
        lazy("Money"),
        (
            ("shift", lazy("Open, count and close a drawer")),
            ("pay_in", lazy("Put cash in the drawer")),
            ("pay_out", lazy("Pay out from the drawer")),
            ("drawer.others", lazy("Count and close another person’s drawer")),
            ("baskets.others", lazy("Take a basket out of another till’s hands")),
            ("over_short", lazy("See what the drawer should hold, accept one that is over or short")),
            ("reports", lazy("See reports")),
            ("reports.money", lazy("See margins, write off debts")),
        ),
    ),
    (
        lazy("Goods"),
        (
            ("stock.look", lazy("See stock and dates")),
            ("stock.count", lazy("Count and correct stock")),
            ("stock.waste", lazy("Write goods off")),
            ("stock.receive", lazy("Take goods in without an order")),
            ("stock.send_back", lazy("Send goods back to a supplier")),
            ("receive", lazy("Take deliveries in")),
            ("shelf", lazy("Plan and refill the shelf, print labels")),
            ("order", lazy("Order from suppliers")),
            ("push", lazy("Answer the network’s offers")),
            ("recall", lazy("Stop the sale of a recalled product")),
        ),
    ),
    (
        lazy("The shop"),
        (
            ("catalogue", lazy("Products, prices and taxes")),
            ("offers", lazy("Special offers and coupons")),
            ("import", lazy("Bring in files")),
            ("staff", lazy("People, roles and PINs")),
            ("settings", lazy("The shop’s settings, printer and network")),
        ),
    ),
)
"""Every permission of a shop's people, in words."""


@dataclass(frozen=True)
class Person:
    """Somebody who works here, or worked here. locked_until: None when the name is not locked."""

    id: str
    name: str
    role: str
    role_word: str
    active: bool
    tries: int
    locked_until: dt.datetime | None
    is_you: bool
    badge_given_at: dt.datetime | None


@bp.get("/", endpoint="everybody")
@requires("staff")
def everybody(fault: ShopError | None = None) -> Any:
    """Show who works here, and what each role may do."""
    store_id = str(place().store_id)
    with read() as session:
        people = _people(session)
        limits = [(role, wording.role_word(role), approvals.discount_bp_of(session, store_id, role)) for role in ROLES]
        pays = {
            kind: [_amount_text(approvals.pay_minor_of(session, store_id, role, kind)) for role in ROLES]
            for kind in PAYS
        }
        empties = approvals.empties_of(session, store_id, "cashier")
        rules = [(role, wording.role_word(role), badges.asks(session, store_id, role)) for role in ROLES]
    return page(
        "people/everybody.html",
        working=[one for one in people if one.active],
        left=[one for one in people if not one.active],
        roles=[(role, wording.role_word(role)) for role in ROLES],
        matrix=[
            (title, [(words, [_mark(role, permission) for role in ROLES]) for permission, words in rows])
            for title, rows in MATRIX
        ],
        limits=[(role, words, _percent_text(rate_bp)) for role, words, rate_bp in limits],
        pays=pays,
        empties=empties,
        badge_rules=rules,
        fault=fault,
    )


@bp.post("/")
@requires("staff")
@form.answers_on(everybody)
def add() -> Any:
    """Let a person sign in here."""
    name = form.text("name", most=60, required=_("Type the person’s name."))
    role, pin = _role(), request.form.get("pin", "")
    with write() as session:
        made = staff.add(session, doors().settings.node_id, name, role, pin, actor=g.actor, at=doors().now())
        name = made.name
    flash(_("%(name)s can sign in now.", name=name), "good")
    return redirect(url_for("people.everybody"), 303)


@bp.post("/limits")
@requires("staff")
@form.answers_on(everybody)
def limits() -> Any:
    """Settle how much of a line each role takes off by hand, pays in and out of a drawer, and a cashier's empties."""
    wished = [(role, _percent(f"limit-{role}")) for role in ROLES]
    paid = [
        (role, kind, form.amount(field, place().currency))
        for kind in PAYS
        for role in ROLES
        if (field := f"{kind}-{role}") in request.form
    ]
    empties = form.whole("empties-cashier", most=MOST_EMPTIES) if "empties-cashier" in request.form else None
    store_id = str(place().store_id)
    with write() as session:
        if empties not in (None, approvals.empties_of(session, store_id, "cashier")):
            approvals.set_empties_limit(session, store_id, empties, actor=g.actor, at=doors().now())
        for role, rate_bp in wished:
            if rate_bp != approvals.discount_bp_of(session, store_id, role):
                approvals.set_limit(session, store_id, role, rate_bp, actor=g.actor, at=doors().now())
        for role, kind, minor in paid:
            if minor != approvals.pay_minor_of(session, store_id, role, kind):
                approvals.set_pay_limit(session, store_id, role, kind, minor, actor=g.actor, at=doors().now())
    flash(_("The limits are saved."), "good")
    return redirect(url_for("people.everybody", _anchor="roles-title"), 303)


@bp.get("/<staff_id>", endpoint="person")
@requires("staff")
def one(staff_id: str, fault: ShopError | None = None, asked: str = "") -> Any:
    """Show one person and what can be changed."""
    with read() as session:
        found = _seen(staff.known(session, doors().settings.node_id, staff_id))
        asks_pin = badges.asks(session, doors().settings.node_id, found.role)
    return page(
        "people/person.html",
        person=found,
        badge_asks_pin=asks_pin,
        roles=[(role, wording.role_word(role)) for role in ROLES],
        fault=fault,
        asked=asked or (request.endpoint or "").rpartition(".")[2],
    )


@bp.post("/<staff_id>/role")
@requires("staff")
@form.answers_on(one)
def role(staff_id: str) -> Any:
    """Let a person do more or less."""
    wished = _role()
    with write() as session:
        changed = staff.change_role(
            session, doors().settings.node_id, staff_id, wished, actor=g.actor, at=doors().now()
        )
        name = changed.name
    flash(_("%(name)s is %(role)s now.", name=name, role=wording.role_word(wished)), "good")
    return redirect(url_for("people.person" if security.may(wished, "staff") or staff_id != g.actor.id
                            else "more.places", staff_id=staff_id), 303)  # fmt: skip


@bp.post("/<staff_id>/pin")
@requires("staff")
@form.answers_on(one)
def new_pin(staff_id: str) -> Any:
    """Give a person another PIN, for one that was forgotten or seen."""
    pin = _typed_twice()
    with write() as session:
        changed = staff.change_pin(session, doors().settings.node_id, staff_id, pin, actor=g.actor, at=doors().now())
    if staff_id == g.actor.id:
        security.sign_in(changed)
    flash(_("%(name)s signs in with the new PIN from now on.", name=changed.name), "good")
    return redirect(url_for("people.person", staff_id=staff_id), 303)


@bp.post("/<staff_id>/unlock")
@requires("staff")
@form.answers_on(one)
def unlock(staff_id: str) -> Any:
    """Let a person try again at once."""
    with write() as session:
        name = staff.unlock(session, doors().settings.node_id, staff_id, actor=g.actor, at=doors().now()).name
    flash(_("%(name)s can try again.", name=name), "good")
    return redirect(url_for("people.everybody"), 303)


@bp.post("/<staff_id>/leave")
@requires("staff")
@form.answers_on(one)
def leave(staff_id: str) -> Any:
    """End a person's right to sign in; what they did stays in the books."""
    with write() as session:
        name = staff.leave(session, doors().settings.node_id, staff_id, actor=g.actor, at=doors().now()).name
    flash(_("%(name)s can no longer sign in.", name=name), "good")
    return redirect(url_for("people.everybody"), 303)


@bp.post("/<staff_id>/come-back")
@requires("staff")
@form.answers_on(one)
def come_back(staff_id: str) -> Any:
    """Let a person who had left work here again."""
    pin = _typed_twice()
    with write() as session:
        name = staff.come_back(session, doors().settings.node_id, staff_id, pin, actor=g.actor, at=doors().now()).name
    flash(_("%(name)s can sign in now.", name=name), "good")
    return redirect(url_for("people.person", staff_id=staff_id), 303)


@bp.get("/your-pin", endpoint="your_pin")
@requires("sell")
def your_pin(fault: ShopError | None = None) -> Any:
    """Ask for the old and the new PIN of the person at this page."""
    return page("people/your_pin.html", fault=fault)


@bp.post("/your-pin", endpoint="change_your_pin")
@requires("sell")
@form.answers_on(your_pin)
def change_your_pin() -> Any:
    """Change one's own PIN; the old one proves who it is, and a wrong one counts as a wrong sign-in."""
    pin, node_id = _typed_twice(), doors().settings.node_id
    try:
        staff.check_pin(doors(), node_id, g.actor.id, request.form.get("old", "")[:12])
    except ShopError as refusal:
        if refusal.code != "wrong-pin":
            raise
        raise Invalid("wrong-old-pin", _("That is not your PIN of today. Type it again."), field="old") from refusal
    with write() as session:
        changed = staff.change_pin(session, node_id, g.actor.id, pin, actor=g.actor, at=doors().now())
    security.sign_in(changed)
    flash(_("Your new PIN counts from now on."), "good")
    return redirect(url_for("more.places"), 303)


# --- inside ---

ROLES = STORE_ROLES


def _people(session: Any) -> list[Person]:
    query = sa.select(Staff).where(Staff.node_id == doors().settings.node_id)
    return [_seen(row) for row in session.scalars(query.order_by(Staff.name, Staff.id))]


def _seen(row: Staff) -> Person:
    locked = row.locked_until if row.locked_until is not None and row.locked_until > doors().now() else None
    return Person(
        row.id, row.name, row.role, wording.role_word(row.role), row.active, row.failed_tries, locked,
        row.id == g.actor.id, row.badge_given_at,
    )  # fmt: skip


def _mark(role: str, permission: str) -> str:
    """Return 'yes', the kind of limit, 'pin' (when somebody who may types their PIN) or 'no'."""
    if permission == "discount":  # everybody up to a limit of their own
        return "limit"
    if permission in PAYS and role != "shopkeeper":
        return permission
    if permission == "empties" and role == "cashier":
        return "empties"
    return "yes" if may(role, permission) else "pin" if permission in BY_PIN else "no"


def _role() -> str:
    return form.one_of("role", ROLES, sentence=_("Choose what the person may do."))


def _typed_twice() -> str:
    pin = request.form.get("pin", "")
    if not re.fullmatch(r"\d{4,12}", pin, re.ASCII):
        raise Invalid("bad-pin", _("A PIN has 4 to 12 digits."), field="pin")
    if request.form.get("again", "") != pin:
        raise Invalid("pin-differs", _("The two are not the same. Type the new PIN twice."), field="again")
    return pin


def _percent(name: str) -> int:
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?", request.form.get(name, "").strip().rstrip("% "), re.ASCII)
    rate_bp = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    if not 0 <= rate_bp <= BASIS:
        raise Invalid("bad-discount-limit", _("Type a percentage from 0 to 100."), field=name)
    return rate_bp


def _amount_text(minor: int) -> str:
    whole, part = divmod(minor, 10 ** (decimals := exponent(place().currency)))
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def _percent_text(rate_bp: int) -> str:
    return f"{rate_bp // 100}" if rate_bp % 100 == 0 else f"{rate_bp / 100:.2f}"

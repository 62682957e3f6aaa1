"""Who works here: names, roles and PINs, what each role may do, and how far it may go with discounts."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from pos.store import badges, device_codes
from pos.store.permissions import AT_FIRST
from pos.store.roles import STORE_ROLES as ROLES
from pos.store.store import Staff
from store_app.pages.common import form
from store_app.pages.store import role_table
from store_app.runtime.doors import acting, doors, own_doors, read, write
from store_app.web import security, signed_in, staff
from store_app.web.presenting import page, place
from store_app.web.security import not_in_practice, requires
from store_app.words import words

bp = Blueprint("people", __name__, url_prefix="/people")


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
    has_second_factor: bool


SIGN_IN_CHANGES: dict[str, Any] = {
    "staff.added": _l("Added"),
    "staff.came back": _l("Reinstated"),
    "staff.pin changed": _l("New passphrase"),
    "staff.second factor set up": _l("Authenticator app connected"),
    "staff.second factor reset": _l("Authenticator app reset"),
    "staff.unlocked": _l("Unlocked"),
    "staff.signed out": _l("Signed out on other devices"),
}
"""What the journal says of a person's sign-in, in words."""


@bp.get("/", endpoint="everybody")
@requires("staff")
def everybody(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show who works here, and what each role may do."""
    store_id = str(place().store_id)
    with read() as session:
        people, table = everybody_of(session), role_table.shown(session, store_id)
        rules = [(role, words.role_word(role), badges.asks(session, store_id, role)) for role in ROLES]
    return page(
        "store/people/everybody.html",
        working=[one for one in people if one.active],
        left=[one for one in people if not one.active],
        roles=[(role, words.role_word(role)) for role in ROLES],
        table=table,
        badge_rules=rules,
        fault=fault,
    )


@bp.post("/")
@requires("staff")
@form.answers_on(everybody)
def add() -> ResponseReturnValue:
    """Let a person sign in here."""
    name = form.text("name", most=60, required=_("Enter the person’s name."))
    role, pin = _role(), request.form.get("pin", "")
    return form.done(_("%(name)s can sign in now.", name=do(staff.add, name, role, pin).name), "people.everybody")


@bp.post("/roles")
@requires("staff")
@form.answers_on(everybody)
def roles() -> ResponseReturnValue:
    """Settle what each role may do, and how far it goes."""
    typed = role_table.typed()
    with write() as session:
        role_table.settle(acting(session), str(place().store_id), typed)
    return form.done(_("Permissions saved."), "people.everybody", _anchor="roles-title")


@bp.get("/<staff_id>", endpoint="person")
@requires("staff")
def one(staff_id: str, fault: DomainError | None = None, asked: str = "") -> ResponseReturnValue:
    """Show one person and what can be changed."""
    with read() as session:
        found = seen(staff.known(session, doors().settings.node_id, staff_id))
        asks_pin = badges.asks(session, doors().settings.node_id, found.role)
        sessions = signed_in.shown(session, staff_id)
    return page(
        "store/people/person.html",
        person=found,
        badge_asks_pin=asks_pin,
        roles=[(role, words.role_word(role)) for role in ROLES],
        fault=fault,
        sessions=sessions,
        is_this=signed_in.is_this,
        asked=asked or (request.endpoint or "").rpartition(".")[2],
    )


@bp.post("/<staff_id>/role")
@requires("staff")
@form.answers_on(one)
def role(staff_id: str) -> ResponseReturnValue:
    """Let a person do more or less."""
    asked = _role()
    changed = do(staff.change_role, staff_id, asked)
    flash(_("%(name)s is now %(role)s.", name=changed.name, role=words.role_word(asked)), "good")
    return redirect(url_for("people.person" if "staff" in AT_FIRST[asked] or staff_id != g.actor.id
                            else "more.places", staff_id=staff_id), 303)  # fmt: skip


@bp.post("/<staff_id>/pin")
@requires("staff")
@form.answers_on(one)
def new_pin(staff_id: str) -> ResponseReturnValue:
    """Give a person another PIN, for one that was forgotten or seen."""
    give_pin(staff_id, typed_twice())
    return redirect(url_for("people.person", staff_id=staff_id), 303)


@bp.post("/<staff_id>/sign-out")
@requires("staff")
@form.answers_on(one)
def sign_out(staff_id: str) -> ResponseReturnValue:
    """End a person's sessions."""
    signed_in.end(staff_id, actor=g.actor)
    return form.done(_("Signed out everywhere."), "people.person", staff_id=staff_id)


@bp.post("/device-code")
@requires("staff")
@not_in_practice
def device_code() -> ResponseReturnValue:
    """Make the code that lets a device in which is not in the store, and show it this once."""
    with write() as session:
        code = device_codes.make(acting(session), doors().settings.node_id)
    return page("store/people/device_code.html", code=code, minutes=device_codes.HOLDS.seconds // 60)


@bp.post("/<staff_id>/unlock")
@requires("staff")
@form.answers_on(one)
def unlock(staff_id: str) -> ResponseReturnValue:
    """Let a person try again at once."""
    return form.done(_("%(name)s can try again.", name=do(staff.unlock, staff_id).name), "people.everybody")


@bp.post("/<staff_id>/leave")
@requires("staff")
@form.answers_on(one)
def leave(staff_id: str) -> ResponseReturnValue:
    """End a person's right to sign in; what they did stays in the books."""
    return form.done(_("%(name)s can no longer sign in.", name=do(staff.leave, staff_id).name), "people.everybody")


@bp.post("/<staff_id>/come-back")
@requires("staff")
@form.answers_on(one)
def come_back(staff_id: str) -> ResponseReturnValue:
    """Let a person who had left work here again."""
    flash(_("%(name)s can sign in now.", name=do(staff.come_back, staff_id, typed_twice()).name), "good")
    return redirect(url_for("people.person", staff_id=staff_id), 303)


@bp.get("/your-pin", endpoint="your_pin")
@requires("sell")
@not_in_practice
def your_pin(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for the old and the new PIN of the person at this page, and say where they are signed in."""
    with own_doors().read() as session:
        sessions = signed_in.shown(session, g.actor.id)
    return page("store/people/your_pin.html", fault=fault, sessions=sessions, is_this=signed_in.is_this)


@bp.post("/your-sessions/<handle>/end")
@requires("sell")
@not_in_practice
def end_session(handle: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    signed_in.end(g.actor.id, handle=handle, actor=g.actor)
    return form.done(_("Session ended."), "people.your_pin", _anchor="sessions-title")


@bp.post("/your-sessions/others")
@requires("sell")
@not_in_practice
@form.answers_on(your_pin)
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    signed_in.end(g.actor.id, actor=g.actor)
    return form.done(_("You are signed out everywhere else."), "people.your_pin", _anchor="sessions-title")


@bp.post("/your-pin", endpoint="change_your_pin")
@requires("sell")
@not_in_practice
@form.answers_on(your_pin)
def change_your_pin() -> ResponseReturnValue:
    """Change one's own PIN; the old one proves who it is, and a wrong one counts as a wrong sign-in."""
    pin, node_id = typed_twice(), doors().settings.node_id
    try:
        staff.check_pin(own_doors(), node_id, g.actor.id, form.secret("old"))
    except DomainError as refusal:
        if refusal.code != "wrong-pin":
            raise
        raise Invalid("wrong-old-pin", "That is not your current PIN. Enter it again.", field="old") from refusal
    with write() as session:
        changed = staff.change_pin(acting(session), node_id, g.actor.id, pin)
    security.sign_in(changed)
    return form.done(_("Your new PIN is active."), "more.places")


def everybody_of(session: Session) -> list[Person]:
    """Return who may sign in at this node, or could before, by name."""
    query = sa.select(Staff).where(Staff.node_id == doors().settings.node_id)
    return [seen(row) for row in session.scalars(query.order_by(Staff.name, Staff.id))]


def seen(row: Staff) -> Person:
    """Return a person as the pages show them."""
    locked = staff.locked_until(row, doors().now())
    return Person(
        row.id, row.name, row.role, words.role_word(row.role), row.active, row.failed_tries, locked,
        row.id == g.actor.id, row.badge_given_at, row.totp_salt is not None,
    )  # fmt: skip


def typed_twice(*, is_passphrase: bool = False) -> str:
    """Return the new PIN or passphrase of a form, typed twice."""
    pin = form.secret("pin")
    if not is_passphrase and not re.fullmatch(r"\d{4,12}", pin, re.ASCII):
        raise Invalid("bad-pin", "A PIN has 4 to 12 digits.", field="pin")
    if request.form.get("again", "") != pin:
        differ = _("The PINs don’t match. Enter the new one twice.")
        if is_passphrase:
            differ = _("The passphrases don’t match. Enter the new one twice.")
        raise Invalid("pin-differs", differ, field="again")
    return pin


def do(verb: Callable[..., Staff], *given: str, **fields: str) -> Staff:
    """Do one of `staff`'s verbs as the person at this page. given: whom it is about, and what else the verb takes."""
    with write() as session:
        return verb(acting(session), doors().settings.node_id, *given, **fields)


def give_pin(staff_id: str, pin: str) -> None:
    """Give a person another PIN, and say so; who gives it to themselves stays signed in."""
    changed = do(staff.change_pin, staff_id, pin)
    if staff_id == g.actor.id:
        security.sign_in(changed)
    flash(_("%(name)s now signs in with the new PIN.", name=changed.name), "good")


# --- inside ---


def _role() -> str:
    return form.one_of("role", ROLES, sentence=_("Choose a role."))

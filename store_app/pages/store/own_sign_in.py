"""An operator's own sign-in: passphrase, second factor, and where they are signed in.

Who has a PIN of before, or no second factor yet, comes here first and gets nowhere else. Each change takes the
passphrase and a code, as signing in does; a wrong one counts as one there.
"""

import datetime as dt
from typing import Any

import segno
import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, Refused
from config.nodes.journal import Context, JournalEntry
from pos.store import pins, second_factor
from pos.store.store import Staff
from store_app.pages.common import form
from store_app.pages.store import people
from store_app.runtime.doors import doors, own_doors, read, write
from store_app.web import security, signed_in, staff
from store_app.web.presenting import page as show
from store_app.web.security import not_in_practice, requires, while_setting_up

bp = Blueprint("own_sign_in", __name__, url_prefix="/console/sign-in")
PROVED_FOR = dt.timedelta(minutes=10)
"""So long after passphrase and code another app may be set up."""
ENTRIES = 5


@bp.get("/", endpoint="page")
@requires("network.look")
@not_in_practice
@while_setting_up
def page(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one's own sign-in, and what has still to be set up."""
    with read() as look:
        me = staff.working(look, g.actor.node, g.actor.id)
        app = _app(look, me) if g.must == "code" or (_may_set_up() and not g.must) else None
        facts: dict[str, Any] = {
            "me": me, "app": app, "sessions": signed_in.shown(look, me.id), "entries": _entries(look, me.id),
            "recovery_codes": second_factor.recovery_codes_left(look, me),
        }  # fmt: skip
    return show(
        "store/people/own_sign_in.html", must=g.must, fault=fault, least=pins.PASSPHRASE_LEAST,
        is_this=signed_in.is_this, changes=people.SIGN_IN_CHANGES, **facts,
    )  # fmt: skip


@bp.post("/passphrase")
@requires("network.look")
@not_in_practice
@while_setting_up
@form.answers_on(page)
def passphrase() -> ResponseReturnValue:
    """Change one's own passphrase; the old one and a code prove who it is."""
    pin = people.typed_twice(is_passphrase=True)
    prove()
    changed = people.do(staff.change_pin, g.actor.id, pin)
    security.sign_in(changed)
    return form.done(_("Passphrase changed. You are signed out everywhere else."), "own_sign_in.page")


@bp.post("/another-app")
@requires("network.look")
@not_in_practice
@form.answers_on(page)
def another_app() -> ResponseReturnValue:
    """Allow another app to be set up, by passphrase and a code; the old one counts until then."""
    prove()
    session["may_set_up"] = int(own_doors().now().timestamp())
    return redirect(url_for("own_sign_in.page", _anchor="app-title"), 303)


@bp.post("/app")
@requires("network.look")
@not_in_practice
@while_setting_up
@form.answers_on(page)
def app() -> ResponseReturnValue:
    """Let the app whose code was typed count from now on, and show the recovery codes this once."""
    if g.must == "passphrase" or not (g.must == "code" or _may_set_up()):
        raise Refused("set-up-first", "Enter your passphrase and a code first.")
    salt, at = str(session.get("app_salt", "")), doors().now()
    with write() as books:
        codes = staff.set_up_code(Context(books, g.actor, at), g.actor.node, g.actor.id, salt, form.secret("code"))
        me = staff.working(books, g.actor.node, g.actor.id)
    security.sign_in(me)
    return show("store/people/recovery_codes.html", codes=codes)


@bp.post("/sessions/<handle>/end")
@requires("network.look")
@not_in_practice
def end(handle: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    signed_in.end(g.actor.id, handle=handle, actor=g.actor)
    return form.done(_("Session ended."), "own_sign_in.page", _anchor="sessions-title")


@bp.post("/sessions/others")
@requires("network.look")
@not_in_practice
@form.answers_on(page)
def end_others() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    signed_in.end(g.actor.id, actor=g.actor)
    return form.done(_("You are signed out everywhere else."), "own_sign_in.page", _anchor="sessions-title")


def prove(field: str = "own") -> None:
    """Refuse without the passphrase of whoever is signed in, and a code where they have a second factor."""
    at, code = own_doors().now(), form.secret("code")
    try:
        security.proven_by_pin(
            g.actor.id, form.secret(field), beside=lambda books, me: second_factor.take(books, me, code, at=at)
        )
    except DomainError as refusal:
        if refusal.code != "wrong-pin":
            raise
        reported = _("Wrong passphrase or code. Enter both again. Each code works once.")
        raise Invalid("wrong-own-pin", reported, field=field) from refusal


# --- inside ---


def _may_set_up() -> bool:
    proved = session.get("may_set_up")
    return isinstance(proved, int) and own_doors().now().timestamp() - proved < PROVED_FOR.total_seconds()


def _app(look: Session, me: Staff) -> dict[str, str]:
    """Return the QR code of the app to be set up, and its secret for who cannot scan."""
    salt = session.setdefault("app_salt", second_factor.new_salt())
    address = second_factor.address(look, me, salt, request.host)
    drawn = segno.make_qr(address, error="m").svg_inline(border=4, svgclass=None, lineclass=None, omitsize=True)
    secret = second_factor.secret(look, me, salt)
    return {"drawn": drawn, "secret": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))}


def _entries(look: Session, staff_id: str) -> list[JournalEntry]:
    """Return what was last changed about a person's sign-in, and by whom."""
    query = sa.select(JournalEntry).where(
        JournalEntry.node_id == g.actor.node, JournalEntry.subject == f"staff:{staff_id}",
        JournalEntry.verb.in_(people.SIGN_IN_CHANGES),
    )  # fmt: skip
    return list(look.scalars(query.order_by(JournalEntry.n.desc()).limit(ENTRIES)))

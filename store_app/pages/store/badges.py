"""Badges: given and shown once, printed at once, withdrawn; and which roles type their PIN as well.

A badge's paper goes straight to the printer: the queue keeps what it prints, and a badge is kept nowhere.
"""

from typing import Any

import segno
from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import Conflict, DomainError, Unreachable
from config.nodes import journal
from pos.documents import badge
from pos.store import badges
from pos.store.roles import STORE_ROLES
from pos.store.store import Staff, Store, snapshot
from store_app.pages.common import form
from store_app.pages.store import people
from store_app.runtime.doors import acting, doors, read, write
from store_app.web import staff
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("badges", __name__, url_prefix="/people")


@bp.post("/<staff_id>/badge")
@requires("staff")
@form.answers_on(people.one)
def give(staff_id: str) -> ResponseReturnValue:
    """Give a person a badge and show it, this once; the one before is of no use any more."""
    settings = doors().settings
    with write() as session:
        person = staff.working(session, settings.node_id, staff_id)
        code = badges.give(acting(session), person)
    return _shown(person, code)


def _shown_again(staff_id: str, fault: DomainError | None = None) -> Any:
    code = request.form.get("badge", "")
    with read() as session:
        owner = badges.whose(session, doors().settings.node_id, code)
    if owner is None or owner.id != staff_id:
        return people.one(staff_id, fault=fault)
    return _shown(owner, code, fault)


@bp.post("/<staff_id>/badge/print")
@requires("staff")
@form.answers_on(_shown_again)
def print_badge(staff_id: str) -> ResponseReturnValue:
    """Print the badge that is on the screen."""
    settings, code = doors().settings, request.form.get("badge", "")
    with read() as session:
        owner = badges.whose(session, settings.node_id, code)
        if owner is None or owner.id != staff_id:
            raise Conflict("old-badge", "This badge no longer works. Create a new one.")
        document = {"store": snapshot(session.get_one(Store, str(place().store_id))), "name": owner.name, "code": code}
    _print(document)
    with write() as session:
        facts = {"subject": f"staff:{staff_id}", "name": owner.name}
        journal.record(acting(session), verb="badge.printed", **facts)
    flash(_("The badge is printing."), "good")
    return _shown(owner, code)


@bp.post("/<staff_id>/badge/withdraw")
@requires("staff")
@form.answers_on(people.one)
def withdraw(staff_id: str) -> ResponseReturnValue:
    """Make a lost badge useless."""
    with write() as session:
        person = staff.known(session, doors().settings.node_id, staff_id)
        badges.withdraw(acting(session), person)
        name = person.name
    return form.done(_("%(name)s’s badge no longer works.", name=name), "people.person", staff_id=staff_id)


@bp.post("/badges")
@requires("staff")
@form.answers_on(people.everybody)
def rules() -> ResponseReturnValue:
    """Settle which roles type their PIN after the badge."""
    with write() as session:
        for role in STORE_ROLES:
            asks = request.form.get(f"badge-{role}") == "pin"
            badges.set_rule(acting(session), doors().settings.node_id, role, asks)
    return form.done(_("Saved."), "people.everybody", _anchor="badges-title")


# --- inside ---


def _shown(person: Staff, code: str, fault: DomainError | None = None) -> ResponseReturnValue:
    drawn = segno.make_qr(code, error="m").svg_inline(border=4, svgclass=None, lineclass=None, omitsize=True)
    return page(
        "store/people/badge.html",
        person=person,
        code=code,
        drawn=drawn,
        has_printer=bool(doors().settings.printer),
        fault=fault,
    )


def _print(document: dict[str, Any]) -> None:
    from pos.documents import paper  # the printer's library takes a second to load
    from pos.printing import escpos
    from store_app.node.printers import printers_in_force

    with read() as session:
        outlets = printers_in_force(session, doors().settings)
    outlet = next((one for one in outlets if one.papers != "labels"), None)
    if outlet is None:
        raise Unreachable("no-printer", "No printer is set up. Sales continue; receipts wait.")
    model = outlet.driver.model
    slip = badge.badge_slip(document, columns=model.columns, language=paper.language_of(document))
    outlet.driver.send(escpos.encode(slip, model))

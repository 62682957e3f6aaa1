"""Two operators who agree at one page: whoever is signed in and another one type their passphrases."""

from flask import g
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, Refused
from pos.store.permissions import AT_FIRST
from pos.store.store import Staff, staff_of
from store_app.pages.common import form
from store_app.runtime.doors import doors, read
from store_app.web.security import proven_by_pin


def others(session: Session) -> list[Staff]:
    """Return who may agree with the person at this page: who may do the same."""
    here = staff_of(session, doors().settings.node_id)
    return [one for one in here if one.id != g.actor.id and "staff" in AT_FIRST[one.role]]


def agree() -> None:
    """Refuse where not two operators type their passphrases."""
    with read() as session:
        known = {one.id for one in others(session)}
    if not known:
        raise Refused("second-operator", "The only operator must use the server: cornerstore staff.")
    other = form.one_of("other", known, sentence=_("Choose the operator who approves."))
    confirm_own()
    _check(other, "other_pin")


def confirm_own() -> None:
    """Refuse without the passphrase of whoever is signed in."""
    _check(g.actor.id, "own")


# --- inside ---


def _check(staff_id: str, field: str) -> None:
    """Check a passphrase that was typed for leave; a wrong one counts against it."""
    try:
        proven_by_pin(staff_id, form.secret(field))
    except DomainError as refusal:
        if refusal.code != "wrong-pin":
            raise
        raise Invalid("wrong-own-pin", "Wrong passphrase. Enter it again.", field=field) from refusal

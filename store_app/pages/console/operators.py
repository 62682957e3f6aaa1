"""Who may sign in at the network, and as what: operators let people in, give roles and passphrases, and end a right.

Each change asks for the passphrase of whoever makes it: a screen somebody walked away from lets nobody in. What could
make one person two (a new one, another's new passphrase, second factor or role, one who comes back) or two one
(leaving) takes two operators who agree: another one types a passphrase as well. Where there is one alone, it is done
at the server, by `cornerstore staff`.
"""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import DomainError, Refused
from pos.store.permissions import AT_FIRST
from pos.store.roles import NETWORK_ROLES
from store_app.pages.common import form, two_operators
from store_app.pages.store import people
from store_app.runtime.doors import doors, read
from store_app.web import signed_in, staff
from store_app.web.presenting import page
from store_app.web.security import requires
from store_app.words import words

bp = Blueprint("operators", __name__, url_prefix="/console/people")
AREAS: tuple[tuple[Any, str, str], ...] = (
    (_l("Today, demand and products"), "network.look", ""),
    (_l("Suppliers, price lists, purchasing"), "network.buying", "network.buying.change"),
    (_l("Warehouse, allocation, picking, routes"), "network.supply", "network.supply.change"),
    (_l("Recalls"), "network.recalls", "network.recalls.change"),
    (_l("Claims"), "network.claims", "network.claims.change"),
    (_l("Network offers and campaigns"), "network.push", "network.push.change"),
    (_l("Promotions and coupons"), "", "offers"),
    (_l("Products for the catalog"), "", "network.catalogue"),
    (_l("Stores and lessons"), "network.stores", "network.stores.change"),
    (_l("Add stores, invitations, keys"), "", "network.members"),
    (_l("Look inside a store, if it allows"), "", "network.support"),
    (_l("Customers: disputes and reviews"), "network.customers", "network.customers.change"),
    (_l("Messages held for review"), "network.facts", "network.facts.change"),
    (_l("Money: propose and approve"), "network.money", "network.money.change"),
    (_l("Audit log"), "network.audit", ""),
    (_l("Payment services, holidays and weather"), "", "settings"),
    (_l("People and roles"), "", "staff"),
)
"""What is done at the network, in words: what lets one look at it, and what lets one do it ('' for none)."""


@bp.get("/", endpoint="everybody")
@requires("staff")
def everybody(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show who may sign in at the network, and who could before."""
    with read() as session:
        found, others = people.everybody_of(session), two_operators.others(session)
    return page(
        "store/people/operators.html",
        working=[one for one in found if one.active],
        left=[one for one in found if not one.active],
        others=others,
        roles=_role_words(),
        areas=[(words, [_cell(role, look, change) for role in NETWORK_ROLES]) for words, look, change in AREAS],
        fault=fault,
    )


@bp.post("/")
@requires("staff")
@form.answers_on(everybody)
def add() -> ResponseReturnValue:
    """Let another person in."""
    name = form.text("name", most=60, required=_("Enter the person’s name."))
    role, pin = _role(), people.typed_twice(is_passphrase=True)
    two_operators.agree()
    return form.done(_("%(name)s can sign in now.", name=people.do(staff.add, name, role, pin).name), ".everybody")


@bp.get("/<staff_id>", endpoint="person")
@requires("staff")
def one(staff_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one operator and what can be changed."""
    with read() as session:
        others = two_operators.others(session)
        known = staff.known(session, doors().settings.node_id, staff_id)
        found, is_last = people.seen(known), known.active and staff.is_last_keeper(session, known)
        sessions = signed_in.shown(session, staff_id)
    asked = (request.endpoint or "").rpartition(".")[2]
    return page(
        "store/people/operator.html",
        person=found,
        is_last=is_last,
        others=others,
        roles=_role_words(),
        sessions=sessions,
        is_this=signed_in.is_this,
        fault=fault,
        asked=asked,
    )


@bp.post("/<staff_id>/role")
@requires("staff")
@form.answers_on(one)
def change_role(staff_id: str) -> ResponseReturnValue:
    """Let another person do more or less."""
    role = _role()
    if staff_id == g.actor.id:
        raise Refused("yourself", "You cannot change your own role. Ask another operator.")
    two_operators.agree()
    changed = people.do(staff.change_role, staff_id, role)
    said = _("%(name)s is now %(role)s.", name=changed.name, role=words.role_word(role))
    return form.done(said, "operators.person", staff_id=staff_id)


@bp.post("/<staff_id>/pin")
@requires("staff")
@form.answers_on(one)
def new_pin(staff_id: str) -> ResponseReturnValue:
    """Give another operator another passphrase, for one that was forgotten or seen."""
    pin = people.typed_twice(is_passphrase=True)
    if staff_id == g.actor.id:
        raise Refused("yourself", "Change yours under “Your sign-in”.")
    two_operators.agree()
    people.give_pin(staff_id, pin)
    return redirect(url_for("operators.person", staff_id=staff_id), 303)


@bp.post("/<staff_id>/reset-code")
@requires("staff")
@form.answers_on(one)
def reset_code(staff_id: str) -> ResponseReturnValue:
    """Let another operator connect an app again at the next sign-in, where the phone is lost."""
    if staff_id == g.actor.id:
        raise Refused("yourself", "Change yours under “Your sign-in”.")
    two_operators.agree()
    changed = people.do(staff.reset_code, staff_id)
    flash(_("%(name)s connects an app at the next sign-in.", name=changed.name), "good")
    return redirect(url_for("operators.person", staff_id=staff_id), 303)


@bp.post("/<staff_id>/sign-out")
@requires("staff")
@form.answers_on(one)
def sign_out(staff_id: str) -> ResponseReturnValue:
    """End another operator's sessions."""
    two_operators.confirm_own()
    signed_in.end(staff_id, actor=g.actor)
    return form.done(_("Signed out everywhere."), "operators.person", staff_id=staff_id)


@bp.post("/<staff_id>/unlock")
@requires("staff")
@form.answers_on(one)
def unlock(staff_id: str) -> ResponseReturnValue:
    """Let an operator try again at once."""
    two_operators.confirm_own()
    flash(_("%(name)s can try again.", name=people.do(staff.unlock, staff_id).name), "good")
    return redirect(url_for("operators.person", staff_id=staff_id), 303)


@bp.post("/<staff_id>/leave")
@requires("staff")
@form.answers_on(one)
def leave(staff_id: str) -> ResponseReturnValue:
    """End an operator's right to sign in, wherever they are signed in; what they did stays in the books."""
    two_operators.agree()
    return form.done(_("%(name)s can no longer sign in.", name=people.do(staff.leave, staff_id).name), ".everybody")


@bp.post("/<staff_id>/come-back")
@requires("staff")
@form.answers_on(one)
def come_back(staff_id: str) -> ResponseReturnValue:
    """Let a person who had left in again, with a new passphrase."""
    role, pin = _role(), people.typed_twice(is_passphrase=True)
    two_operators.agree()
    came = people.do(staff.come_back, staff_id, pin, role=role)
    return form.done(_("%(name)s can sign in now.", name=came.name), "operators.person", staff_id=staff_id)


# --- inside ---


def _role() -> str:
    return form.one_of("role", NETWORK_ROLES, sentence=_("Choose a role."))


def _role_words() -> list[tuple[str, str]]:
    return [(role, words.role_word(role)) for role in NETWORK_ROLES]


def _cell(role: str, look: str, change: str) -> str:
    """Return how far a role goes: change | look | no."""
    if change and change in AT_FIRST[role]:
        return "change"
    return "look" if look in AT_FIRST[role] else "no"

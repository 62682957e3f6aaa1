"""Sign in by name and PIN, or by badge, and sign out.

At a network that is no practice by name, passphrase and second factor. At a store from outside its own network, on a
device nobody has signed in with before, by PIN and device code: two things, for the internet guesses four digits.
"""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Refused
from config.nodes.journal import Actor, Context
from pos.store import badges, device_codes, pins, second_factor
from pos.store.store import Staff, Till, staff_of
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.pages.common.refusals import status_of
from store_app.roles import is_network, role_of
from store_app.runtime.doors import Doors, doors, own_doors, read, write
from store_app.web import devices, forgotten, security, staff
from store_app.web.presenting import page
from store_app.web.security import not_in_practice, public
from store_app.web.strangers import address_range, concerns_others
from store_app.words.refusals import sentence_of

bp = Blueprint("signin", __name__)


@bp.get("/")
@public
def start() -> ResponseReturnValue:
    """Send everybody to where they begin."""
    if g.actor is None:
        return redirect(url_for("signin.people"))
    return redirect(_home())


@bp.get("/signin")
@public
@not_in_practice
def people() -> ResponseReturnValue:
    """Show who works here."""
    return _show()


@bp.get("/signin/<staff_id>")
@public
@not_in_practice
def pin_pad(staff_id: str) -> ResponseReturnValue:
    """Show the number pad for one person."""
    if _names_are_typed():
        return redirect(url_for("signin.people", next=form.inside(request.args.get("next", "")) or None))
    with read() as look:
        person = security.find_staff(look, doors().settings.node_id, staff_id)
    return _show(person=person)


@bp.post("/signin")
@public
@not_in_practice
def by_name() -> ResponseReturnValue:
    """Check the name and the PIN and begin, where names are typed."""
    return enter(staff.id_of(request.form.get("name", "")[:60]))


@bp.post("/signin/<staff_id>")
@public
@not_in_practice
def enter(staff_id: str) -> ResponseReturnValue:
    """Check the PIN and begin."""
    node_id, device = own_doors().settings.node_id, devices.of_request(staff_id)
    try:
        person = staff.check_pin(
            own_doors(),
            node_id,
            staff_id,
            typed := form.secret("pin"),
            asked_by=device,
            stranger="" if device else address_range() or "unknown",
            beside=_beside(),
        )
    except DomainError as refusal:
        if _names_are_typed():  # the same for every refusal: nobody learns who works here
            return _show(refusal=_("Wrong name, passphrase or code, or too many attempts. Try again in 15 minutes, "
                                   "or use a device you have signed in on before."),
                         status=status_of(refusal))  # fmt: skip
        with read() as look:
            person = security.find_staff(look, node_id, staff_id)
        return _show(person=person, refusal=sentence_of(refusal), status=status_of(refusal))
    asks_more = person.role != "cashier"  # who only sells keeps a PIN of before until the next one
    weak = (
        asks_more and not own_doors().settings.practice and not pins.is_good(typed, person.role, (person.name, node_id))
    )
    security.sign_in(person, weak=weak and _names_are_typed())
    if weak and not _names_are_typed():  # chosen before such PINs were refused
        return form.done(_("Your PIN is easy to guess. Choose another one."), "people.your_pin", "warn")
    return redirect(form.inside(request.form.get("next", "")) or _home(person.role), 303)


@bp.post("/signin/<staff_id>/forgotten")
@public
@not_in_practice
def write_code(staff_id: str) -> ResponseReturnValue:
    """Write a code for a new PIN to a file of this computer."""
    return _of_forgotten(staff_id, forgotten.write_code)


@bp.post("/signin/<staff_id>/new-pin")
@public
@not_in_practice
def new_pin(staff_id: str) -> ResponseReturnValue:
    """Take the code of that file for a new PIN, and sign in with it."""
    pin, code = form.secret("pin"), form.secret("code")
    pins.refuse_weak(pin, "shopkeeper")  # before the code is used up
    return _of_forgotten(staff_id, lambda here, books, person: forgotten.set_pin(here, books, person, code, pin))


@bp.post("/first")
@public
@not_in_practice
def first() -> ResponseReturnValue:
    """Let a store's first person in: on the store's own computer, and only while nobody works here."""
    settings = doors().settings
    try:
        with write() as books:
            if not _may_begin(books):
                raise Refused(
                    "not-the-first",
                    "People already work here, or this is not the store’s computer. Sign in instead.",
                )
            name, pin = form.text("name", most=60), form.secret("pin")
            actor = Actor.system("first", settings.node_id)
            person = staff.add(Context(books, actor, doors().now()), settings.node_id, name, "shopkeeper", pin)
    except DomainError as refusal:
        return _show(refusal=sentence_of(refusal), status=status_of(refusal))
    security.sign_in(person)
    return redirect(url_for("first_steps.overview"), 303)


@bp.post("/badge")
@public
@not_in_practice
def badge() -> ResponseReturnValue:
    """Check a scanned badge, and begin, or ask for the PIN as well."""
    next_address = form.inside(request.form.get("next", ""))
    try:
        devices.refuse_from_outside()
        person, asks_pin = staff.check_badge(
            own_doors(), own_doors().settings.node_id, request.form.get("badge", "").strip()
        )
    except DomainError as refusal:
        return _show(refusal=sentence_of(refusal), status=status_of(refusal))
    if asks_pin:
        return redirect(url_for("signin.pin_pad", staff_id=person.id, next=next_address or None), 303)
    security.sign_in(person, by_badge=True)
    return redirect(next_address or _home(person.role), 303)


@bp.post("/lock")
@public
def lock() -> ResponseReturnValue:
    """Lock the page: the session is over, and the number pad asks for the same person first."""
    if g.actor is None:
        return redirect(url_for("signin.people"), 303)
    staff_id = g.actor.id
    security.lock(g.actor)
    return redirect(url_for("signin.pin_pad", staff_id=staff_id), 303)


@bp.get("/lock")
@public
def touched() -> ResponseReturnValue:
    """Answer nothing: a page says that hands are on it, in a header that the guard reads."""
    return "", 204


@bp.post("/signout")
@public
def leave() -> ResponseReturnValue:
    """End the session, and let the browser forget its pages."""
    security.sign_out()
    answer = redirect(url_for("signin.people"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"' if is_network(own_doors().settings) else '"cache"'
    return answer


def _of_forgotten(staff_id: str, verb: Callable[[Doors, Session, Staff], Staff | None]) -> ResponseReturnValue:
    """Do what a forgotten PIN asks for, on the store's own computer alone, and answer on the number pad."""
    here = own_doors()
    try:
        if not _is_here():
            raise Refused("not-here", "This works only on the store’s own computer.")
        with here.write() as books:
            changed = verb(here, books, security.find_staff(books, here.settings.node_id, staff_id))
    except DomainError as refusal:
        with read() as look:
            person = security.find_staff(look, here.settings.node_id, staff_id)
        return _show(person=person, refusal=sentence_of(refusal), status=status_of(refusal))
    if changed is not None:
        security.sign_in(changed)
        return redirect(_home(changed.role), 303)
    return redirect(url_for("signin.pin_pad", staff_id=staff_id), 303)


def _show(person: Staff | None = None, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    settings = doors().settings
    name_is_typed = _names_are_typed()
    with read() as look:
        everybody, takes_badges = staff_of(look, settings.node_id), badges.in_use(look, settings.node_id)
        locked = _locked(look, everybody)
        may_forget = person is not None and _is_here() and staff.is_last_keeper(look, person)
    return page(
        "store/signin.html",
        status=status,
        everybody=everybody,
        name_is_typed=name_is_typed,
        person=person,
        takes_badges=takes_badges,
        asks_device_code=devices.asks_code(),
        refusal=refusal,
        locked=locked,
        next=form.inside(request.values.get("next", "")),
        may_begin=not everybody and _is_here(),
        code_file=forgotten.place_of(own_doors()) if may_forget else None,
        code_waits=may_forget and forgotten.is_written(own_doors()),
        practice_pins=staff.PRACTICE_PINS if settings.practice else {},
    )


def _locked(books: Session, everybody: list[Staff]) -> dict[str, str] | None:
    """Return whose till is locked here, and where the browser keeps what is scanned meanwhile; None where none is."""
    name = next((one.name for one in everybody if one.id == session.get("locked")), None)
    if name is None:
        return None
    settings = doors().settings
    till = own_till(books, settings.node_id) if books.scalar(sa.select(Till.id).limit(1)) else None
    scans = f"cornerstore.scans.{settings.node_id}.{till.id}" if till else ""
    return {"name": name, "till": till.name if till else settings.node_id, "scans": scans}


def _names_are_typed() -> bool:
    """Tell whether a name is typed rather than chosen: the network's sign-in stands on the internet."""
    return security.asks_second_factor(own_doors().settings)


def _beside() -> staff.Beside | None:
    """Return what is asked for beside the PIN or passphrase here."""
    code, at = form.secret("code"), own_doors().now()
    if _names_are_typed():
        return lambda books, person: second_factor.take(books, person, code, at=at)
    if devices.asks_code():
        return lambda books, person: device_codes.take(books, person.node_id, code, at=at)
    return None


def _may_begin(books: Session) -> bool:
    """Tell whether whoever asks may be the first: nobody works here, and it is the store's own computer that asks."""
    return _is_here() and not staff_of(books, doors().settings.node_id)


def _is_here() -> bool:
    """Tell whether the request comes from this very computer, and not through something that stands before it.

    What stands before the network may tell nothing of whom it asks for: there the first person comes by a command.
    """
    if is_network(doors().settings) or request.remote_addr not in ("127.0.0.1", "::1"):
        return False
    return not concerns_others()


def _home(role: str | None = None) -> str:
    homes = role_of(doors().settings).home
    return url_for(homes.get(role or g.actor.role, next(iter(homes.values()))))

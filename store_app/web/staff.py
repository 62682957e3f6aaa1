"""Who works here, and how they prove it: names, PINs, passphrases, second factors and badges.

Rules
-----
1. A PIN is kept as pos.store.pins says; one kept in an older way is rehashed when it is typed. The same refusal for
   a wrong name and a wrong PIN.
2. Five wrong tries in a row lock the name for half a minute, each further one twice as long, up to 15 minutes. A try
   is counted before the PIN is looked at: guesses side by side have no more tries than guesses one by one. Wrong PINs
   typed for somebody's leave are counted apart, per person who asks, and so are those typed on a device on which the
   person has signed in before: who guesses is stopped, the right person still signs in.
3. Every sign-in, good or refused, leaves a journal entry; so does every change of a person. Strangers, on devices the
   person never signed in with, have STRANGERS_MOST wrong tries from one range of addresses within STRANGERS_WITHIN,
   whatever names they type, and STRANGERS_IN_ALL from everywhere: then they wait, without a hash or a row, and the
   journal and `doctor` say so once.
4. A badge stands for a name, and for some roles for the PIN too (pos.store.badges). Whoever is locked out by wrong PINs
   is locked out with the badge; a good badge forgets no wrong PIN; unknown badges lock the reading of badges as wrong
   PINs lock a name.
5. A node always keeps somebody who may change people: the last one neither leaves nor takes a smaller role.
6. A PIN that is tried first is refused to everybody; the network's people have passphrases (pos.store.pins).
7. PINs and badges are checked and counted in the node's own books alone: a practice store holds none, and refuses.
8. Whatever else a sign-in asks for beside the PIN or passphrase (`beside`: an operator's second factor, the code of a
   device outside the store) is used up in the same transaction, and counts as a wrong PIN where it is wrong.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.store import badges, pins, second_factor
from pos.store.badges import BadgeReader
from pos.store.permissions import AT_FIRST
from pos.store.roles import NETWORK_ROLES, STORE_ROLES
from pos.store.store import PinTries, Staff, add_staff, set_pin, staff_of
from store_app.runtime.doors import Doors

TRIES = 5
STRANGERS_MOST, STRANGERS_IN_ALL, STRANGERS_NOTED, STRANGERS_WITHIN = 30, 300, 10, dt.timedelta(minutes=15)
LOCK_S, LOCK_MOST_S = 30, 900
Beside = Callable[[Session, Staff], bool]
"""Uses up what a sign-in asks for beside the PIN, and tells whether it was right (rule 8)."""
LESSON_PIN = "0000"
"""What everybody types for leave inside a practice store; opens nothing."""
PRACTICE_PINS = {"cashier": "1111", "supervisor": "4444", "shopkeeper": "2222", "operator": "3333"}
_KEEPERS = [role for role, permissions in AT_FIRST.items() if "staff" in permissions]


def add(ctx: Context, node_id: str, name: str, role: str, pin: str, *, weak: bool = False) -> Staff:
    """Let a person sign in at a node, and journal who let them.

    weak: the PIN need not be good, because everybody is shown it (practice).
    """
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise Invalid("bad-name", "Enter a name of 1 to 60 characters.", field="name")
    staff_id = id_of(name)
    if not weak:
        pins.refuse_weak(pin, role, (name, node_id))
    staff = add_staff(ctx.session, node_id, staff_id, name, role, pin)
    journal.record(ctx, verb="staff.added", subject=f"staff:{staff_id}", name=name, role=role, seal=staff.seal)
    return staff


def change_role(ctx: Context, node_id: str, staff_id: str, role: str) -> Staff:
    """Let a person do more or less than before (rule 5)."""
    person = working(ctx.session, node_id, staff_id)
    if role not in (roles := NETWORK_ROLES if node_id == NETWORK else STORE_ROLES):
        named = ", ".join(roles)
        raise Invalid(
            "unknown-role", "Role %(role)s not found. Choose %(named)s.", named=named, role=role, field="role"
        )
    if person.role != role:
        _keep_one(ctx.session, person, role)
        before, person.role = person.role, role
        _record(ctx, person, "staff.role changed", before=before, after=role)
    return person


def change_pin(ctx: Context, node_id: str, staff_id: str, pin: str) -> Staff:
    """Give a person another PIN or passphrase; who is signed in with the old one has to sign in again."""
    person = working(ctx.session, node_id, staff_id)
    pins.refuse_weak(pin, person.role, (person.name, node_id))
    set_pin(person, pin)
    _forget_tries(ctx.session, person)
    _record(ctx, person, "staff.pin changed")
    return person


def set_up_code(ctx: Context, node_id: str, staff_id: str, salt: str, code: str) -> list[str]:
    """Let a person's authenticator app count from now on; returns the recovery codes, this once."""
    person = working(ctx.session, node_id, staff_id)
    codes = second_factor.set_up(ctx.session, person, salt, code, at=ctx.at)
    if codes is None:
        raise Invalid("wrong-app-code", "Wrong code. Enter the one the app shows now.", field="code")
    _record(ctx, person, "staff.second factor set up")
    return codes


def reset_code(ctx: Context, node_id: str, staff_id: str) -> Staff:
    """Let a person set up another app at the next sign-in; the old one and its recovery codes open nothing any more."""
    person = working(ctx.session, node_id, staff_id)
    second_factor.withdraw(ctx.session, person)
    _record(ctx, person, "staff.second factor reset")
    return person


def unlock(ctx: Context, node_id: str, staff_id: str) -> Staff:
    """Let a person try again at once after too many wrong PINs (rule 2)."""
    person = working(ctx.session, node_id, staff_id)
    _forget_tries(ctx.session, person)
    if person.failed_tries:
        tries, person.failed_tries, person.locked_until = person.failed_tries, 0, None
        _record(ctx, person, "staff.unlocked", tries=tries)
    return person


def leave(ctx: Context, node_id: str, staff_id: str) -> Staff:
    """End a person's right to sign in; what they did stays in the books. Refuses oneself, and the last one (rule 5)."""
    person = known(ctx.session, node_id, staff_id)
    if person.id == ctx.actor.id:
        raise Refused("yourself", "You cannot deactivate yourself. Ask someone else.")
    if person.active:
        _keep_one(ctx.session, person, "")
        badges.withdraw(ctx, person)
        person.active = False
        _record(ctx, person, "staff.deactivated")
    return person


def come_back(ctx: Context, node_id: str, staff_id: str, pin: str, *, role: str = "cashier") -> Staff:
    """Let a person who had left work here again, with a new PIN."""
    person = known(ctx.session, node_id, staff_id)
    if person.active:
        raise Conflict("works-here", "%(name)s already works here.", name=person.name)
    pins.refuse_weak(pin, role, (person.name, node_id))
    set_pin(person, pin)
    second_factor.withdraw(ctx.session, person)
    person.active, person.role = True, role
    _record(ctx, person, "staff.came back", role=person.role)
    return person


def note_ended(ctx: Context, staff_id: str, many: int) -> None:
    """Journal that sessions of a person were ended."""
    _record(ctx, known(ctx.session, ctx.actor.node, staff_id), "staff.signed out", sessions=many)


def is_last_keeper(session: Session, person: Staff) -> bool:
    """Tell whether nobody else could change people here (rule 5)."""
    others = [one for one in staff_of(session, person.node_id) if one.id != person.id]
    return person.role in _KEEPERS and not any(one.role in _KEEPERS for one in others)


def id_of(name: str) -> str:
    """Return the id of whoever has, or typed, this name."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-") or "person"


def known(session: Session, node_id: str, staff_id: str) -> Staff:
    """Return a person of a node, whether still working there or not."""
    person = session.get(Staff, (node_id, staff_id))
    if person is None:
        raise NotFound("unknown-person", "No one with that name works here.")
    return person


def locked_until(person: Staff, at: dt.datetime) -> dt.datetime | None:
    """Return until when strangers' wrong PINs lock a person's name; None when it is not locked."""
    return person.locked_until if person.locked_until is not None and person.locked_until > at else None


def working(session: Session, node_id: str, staff_id: str) -> Staff:
    """Return a person who works at a node now."""
    person = known(session, node_id, staff_id)
    if not person.active:
        raise Refused("left", "%(name)s no longer works here.", name=person.name)
    return person


def check_pin(
    doors: Doors, node_id: str, staff_id: str, pin: str, *, asked_by: str = "", stranger: str = "",
    beside: Beside | None = None,
) -> Staff:  # fmt: skip
    """Return the person whose PIN or passphrase this is, or refuse (rules 1 to 3, 8).

    asked_by: whose tries are counted apart: who wants this person's leave, or the device the person knows; empty for
    any other sign-in. stranger: the range of addresses a stranger asks from (rule 3). The try is claimed in a short
    transaction, the slow hash runs outside of any, and a third step says how it went. A stranger's try takes as long
    for a locked name as for any other.
    """
    _refuse_practice(doors)
    at = doors.now()
    if stranger:
        with doors.read() as look:
            _refuse_flood([look.get(PinTries, (node_id, *key)) for key in _counted(stranger)], at)
    one = _Try(node_id, staff_id, asked_by, stranger, at)
    kept, refusal = _claim(doors, one)
    right = pins.is_right(pin, kept) if refusal is None or stranger else False
    if refusal is not None:
        raise refusal
    renewed = pins.hashed(pin) if kept and right and pins.is_dated(kept) else ""
    found = _reported(doors, one, right, beside, is_known=bool(kept), renewed=renewed)
    if found is None:
        raise Refused("wrong-pin", "Name and PIN do not match. Try again.")
    return found


@dataclass(frozen=True)
class _Try:
    """A PIN typed for a person; asked_by, stranger: as in `check_pin`."""

    node_id: str
    staff_id: str
    asked_by: str
    stranger: str
    at: dt.datetime


def _claim(doors: Doors, one: _Try) -> tuple[str | None, Refused | None]:
    """Count a try before the PIN is looked at; returns the hash it must fit (None: there is nobody), or a refusal."""
    with doors.write() as session:
        strangers = _strangers(session, one.node_id, one.stranger, one.at)
        staff = session.get(Staff, (one.node_id, one.staff_id), with_for_update=True)
        _refuse_flood(strangers, one.at)
        for row in strangers:
            row.failed_tries += 1
        if staff is None or not staff.active:
            return None, None
        tried = _tries_of(session, staff, one.asked_by)
        refusal = _locked(tried, one.at)
        if refusal is None:
            _count(tried, False, one.at)
        return staff.pin_hash, refusal


def _reported(
    doors: Doors, one: _Try, right: bool, beside: Beside | None, *, is_known: bool, renewed: str
) -> Staff | None:
    """Journal how a try went, and take it off the counters where all was right; returns whose it was then.

    is_known: there was a hash to compare; renewed: the hash that takes its place, '' to leave it.
    """
    node_id, at = one.node_id, one.at
    with doors.write() as session:
        strangers = _strangers(session, node_id, one.stranger, at)
        found = session.get(Staff, (node_id, one.staff_id), with_for_update=True) if is_known else None
        right = right and (beside is None or (found is not None and beside(session, found)))
        for row in strangers:
            row.failed_tries -= right
            if not right and row.failed_tries == _most(row):
                _note_stranger(session, node_id, "signin.guessing", at, tries=_most(row))
        if found is None:
            if not strangers or strangers[-1].failed_tries <= STRANGERS_NOTED:
                _note_stranger(session, node_id, "signin.refused", at)
            return None
        tried = _tries_of(session, found, one.asked_by)
        if right:
            _count(tried, True, at)
            found.pin_hash = renewed or found.pin_hash
        asked = ({"asked_by": one.asked_by} if one.asked_by else {}) | ({"seal": found.seal} if renewed else {})
        verb = "signin.good" if right else "signin.refused"
        _sign(session, found, verb, at, by="pin", tries=tried.failed_tries, **asked)
        return found if right else None


def check_badge(doors: Doors, node_id: str, code: str) -> tuple[Staff, bool]:
    """Return whose badge this is and whether the PIN is wanted too, or refuse (rules 2 to 4)."""
    _refuse_practice(doors)
    at = doors.now()
    with doors.write() as session:
        reader = session.get(BadgeReader, node_id, with_for_update=True) or BadgeReader(node_id=node_id, failed_tries=0)
        session.add(reader)
        refusal = _locked(reader, at)
        person = badges.whose(session, node_id, code) if refusal is None else None
        asks_pin = person is not None and badges.asks(session, node_id, person.role)
        if person is not None:
            _count(reader, True, at)
            refusal = _locked(person, at)
            verb = "signin.refused" if refusal else "badge.read" if asks_pin else "signin.good"
            _sign(session, person, verb, at, by="badge")
        elif refusal is None:
            _count(reader, False, at)
            _note_stranger(session, node_id, "signin.refused", at, by="badge")
    if refusal is not None:
        raise refusal
    if person is None:
        raise Refused("unknown-badge", "Unknown badge. Sign in with name and PIN.")
    return person, asks_pin


def guesses(look: Session, node_id: str, at: dt.datetime) -> int:
    """Return how many wrong PINs strangers typed at a node within STRANGERS_WITHIN (rule 3)."""
    row = look.get(PinTries, (node_id, *_STRANGERS))
    return row.failed_tries if row is not None and row.locked_until is not None and row.locked_until > at else 0


def _refuse_practice(doors: Doors) -> None:
    if doors.is_practice:
        raise Refused("practicing", "This is closed in practice mode. Stop practicing first.")


_STRANGERS = ("*", "strangers")
"""Where all strangers' tries are counted; its `locked_until` is when counting begins again."""


def _counted(stranger: str) -> list[tuple[str, str]]:
    """Return where a stranger's tries are counted: with everybody's, and with those of the same range."""
    return [_STRANGERS, (_STRANGERS[0], f"{_STRANGERS[1]} {stranger}")] if stranger else []


def _most(row: PinTries) -> int:
    return STRANGERS_IN_ALL if row.asked_by == _STRANGERS[1] else STRANGERS_MOST


def _strangers(session: Session, node_id: str, stranger: str, at: dt.datetime) -> list[PinTries]:
    """Return what counts a stranger's tries, locked; of ranges nobody asks from any more nothing is kept."""
    rows = []
    for key in _counted(stranger):
        row = session.get(PinTries, (node_id, *key), with_for_update=True)
        if row is None:
            over = sa.and_(PinTries.staff_id == _STRANGERS[0], PinTries.node_id == node_id, PinTries.locked_until <= at)
            session.execute(sa.delete(PinTries).where(over, PinTries.asked_by != _STRANGERS[1]))
            row = PinTries(node_id=node_id, staff_id=key[0], asked_by=key[1], failed_tries=0)
            session.add(row)
        if row.locked_until is None or row.locked_until <= at:
            row.failed_tries, row.locked_until = 0, at + STRANGERS_WITHIN
        rows.append(row)
    return rows


def _refuse_flood(strangers: Sequence[PinTries | None], at: dt.datetime) -> None:
    for row in strangers:
        if row is not None and row.failed_tries >= _most(row) and (refusal := _locked(row, at)) is not None:
            raise refusal


def _note_stranger(session: Session, node_id: str, verb: str, at: dt.datetime, **facts: object) -> None:
    who = Actor.system("sign-in", node_id)
    journal.record(Context(session, who, at), verb=verb, subject="staff:unknown", **facts)


def _tries_of(session: Session, staff: Staff, asked_by: str) -> Staff | PinTries:
    """Return what counts the tries (rule 2); the person's row is locked, so that nobody else makes it meanwhile."""
    if not asked_by:
        return staff
    key = (staff.node_id, staff.id, asked_by)
    row = session.get(PinTries, key, with_for_update=True)
    if row is None:
        row = PinTries(node_id=staff.node_id, staff_id=staff.id, asked_by=asked_by, failed_tries=0)
        session.add(row)
    return row


def _forget_tries(session: Session, person: Staff) -> None:
    mine = sa.and_(PinTries.node_id == person.node_id, PinTries.staff_id == person.id)
    session.execute(sa.delete(PinTries).where(mine))


def _count(tried: Staff | PinTries | BadgeReader, right: bool, at: dt.datetime) -> None:
    """Count wrong tries in a row, and lock from the fifth on (rule 2)."""
    tried.failed_tries = 0 if right else tried.failed_tries + 1
    over = tried.failed_tries - TRIES
    locked_s = min(LOCK_MOST_S, LOCK_S * 2 ** min(over, 10)) if over >= 0 else 0
    tried.locked_until = at + dt.timedelta(seconds=locked_s) if locked_s else None


def _locked(tried: Staff | PinTries | BadgeReader, at: dt.datetime) -> Refused | None:
    """Return the refusal while too many tries were wrong; None when it is not locked."""
    if tried.locked_until is None or tried.locked_until <= at:
        return None
    wait_s = int((tried.locked_until - at).total_seconds()) + 1
    if isinstance(tried, BadgeReader):
        return Refused(
            "badges-locked",
            "Too many unknown badges. Sign in with name and PIN, or try again in %(wait_s)s seconds.",
            wait_s=wait_s,
        )
    return Refused("locked", "Too many wrong PINs. Try again in %(wait_s)s seconds.", wait_s=wait_s)


def _sign(session: Session, staff: Staff, verb: str, at: dt.datetime, **facts: object) -> None:
    who = Actor(id=staff.id, name=staff.name, role=staff.role, node=staff.node_id)
    reported = {"tries": staff.failed_tries} | facts
    journal.record(Context(session, who, at), verb=verb, subject=f"staff:{staff.id}", **reported)


def _keep_one(session: Session, person: Staff, role: str) -> None:
    """Refuse when nobody could change people any more (rule 5)."""
    if not is_last_keeper(session, person) or role in _KEEPERS:
        return
    if person.role == "operator":
        raise Refused(
            "last-operator", "%(name)s is the last operator here. Add another one first: cornerstore staff add.",
            name=person.name, field="role",
        )  # fmt: skip
    raise Refused(
        "last-shopkeeper", "%(name)s is the last shopkeeper here. Make someone else shopkeeper first.",
        name=person.name, field="role",
    )  # fmt: skip


def _record(ctx: Context, person: Staff, verb: str, **facts: object) -> None:
    reported = {"name": person.name, "seal": person.seal, **facts}
    journal.record(ctx, verb=verb, subject=f"staff:{person.id}", **reported)

"""Who may do what: the one place that decides, by default no.

Rules
-----
1. Every route carries a rule: `@requires("permission")`, `@public`, `@device`, `@print_agent`, `@partner("scope")` or
   `@watcher`. Without one it is refused.
2. `g.actor` is a plain Actor, read before the view in a look of its own. Whoever is not signed in is sent to the
   sign-in page, a script gets 401.
3. A store's node is known by its bearer key; what it says about itself is never believed. Where it names itself and
   the key is another store's, it is refused: its settings hold the wrong key. A store that signs is refused whatever it
   did not sign (`sync/signed.py`).
4. A POST needs the CSRF token, in the form or as `X-CSRF-Token`; only a device's key is exempt, because a browser
   never sends one by itself.
5. A session ends for good by signing out, by a new PIN, and when the person leaves: a copy of its cookie is nobody's.
   So does a customer's in an online store (`supply.online.customer_sessions`). People see and end theirs (`signed_in`).
6. Who signed in by the badge alone is asked for the PIN before the pages about people and the store's settings; what
   was begun with a badge ends with it.
7. The policy for pages is strict (self and this answer's nonce; the manual's search brings styles of its own), and a
   name that is not ours is not answered (DNS rebinding); addresses in numbers are.
8. A page that nobody touches is locked after the store's minutes (`idle`): its session is ended, journalled, and whose
   till it was is kept for the number pad.
9. Nobody signs in, changes a PIN or shows a badge from inside practice (`@not_in_practice`); leave is given there with
   a made-up PIN (`proven_by_pin`).
10. WebAssembly runs in one worker, the one that reads codes in the camera's picture; its script alone is served with
   that leave. No page has it.
11. On a network that is no practice, who has a PIN of before or no second factor yet reaches only what is marked
    `@while_setting_up`.
12. A partner's program has a key with scopes (`pos/store/partner_keys.py`). Unknown ones are answered WRONG_A_MINUTE
   times a minute, whoever sends them; good ones go on meanwhile.
13. Signing out clears the browser's cache of this node, and at the network what pages kept there too. A store's till
    keeps its basket and unsent sales, and a device stays known.
"""

import datetime as dt
import functools
import ipaddress
import secrets
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import sqlalchemy as sa
import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.database import table_of
from config.errors import NotFound, Refused
from config.nodes import journal, signing_keys
from config.nodes.journal import Actor, Context
from config.prepared import Prepared
from config.settings import Settings
from pos.printing import agents
from pos.store import partner_keys, staff_sessions
from pos.store.partner_keys import PartnerKey
from pos.store.permissions import AT_FIRST, permitted
from pos.store.staff_sessions import SignedOut
from pos.store.store import Staff, Store, store_for_key
from store_app.runtime.doors import View, csrf, doors, own_doors, read
from store_app.sync import receiver, signed, wire
from store_app.web import devices, signed_in
from store_app.web import staff as people
from store_app.web.idle import Hands
from store_app.web.pace import Pace
from store_app.web.sessions import KeptSessions
from store_app.web.signed_in import Seen
from supply.online import customer_sessions

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TLS_FOR_S = 365 * 86_400
"""So long a browser that saw this node over TLS goes there no other way."""
PIN_WANTED = frozenset({"staff", "settings"})
"""What a badge alone does not open (rule 6)."""
CLOSED_IN_PRACTICE = frozenset({"staff", "settings", "import"})
"""Permissions whose pages are closed while a browser practices; single routes: `@not_in_practice`."""
OPEN_ENDPOINTS = frozenset({"static", "bootstrap.static"})
WRONG_A_MINUTE = 60
READER = "built/camera/reader.js"
_NO_ONE: tuple[None, frozenset[str]] = None, frozenset()

log = structlog.get_logger()


def requires(permission: str) -> Callable[[View], View]:
    """Let only people with `permission` (`pos.store.permissions`) use the route."""

    def mark(view: View) -> View:
        view.rule = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Let anybody use the route."""
    view.rule = "public"  # type: ignore[attr-defined]
    return view


def device(view: View) -> View:
    """Let only a store's node use the route, by its bearer key and its signature; sets g.store_id and g.signed_by."""
    view.rule = "device"  # type: ignore[attr-defined]
    csrf.exempt(view)
    return view


def introduces(view: View) -> View:
    """Let a store's node use the route with a signing key that nobody knows yet, as `device` otherwise."""
    view.introduces = True  # type: ignore[attr-defined]
    return device(view)


def print_agent(view: View) -> View:
    """Let only the print agent of a printer use the route, by its bearer key; sets g.printer_id."""
    view.rule = "agent"  # type: ignore[attr-defined]
    csrf.exempt(view)
    return view


def partner(scope: str) -> Callable[[View], View]:
    """Let only a partner's program use the route, by a key with `scope`; sets g.actor and g.partner_key."""

    def mark(view: View) -> View:
        view.rule, view.scope = "partner", scope  # type: ignore[attr-defined]
        csrf.exempt(view)
        return view

    return mark


def watcher(view: View) -> View:
    """Let only whoever has the settings' metrics key use the route; without such a key nobody."""
    view.rule = "watcher"  # type: ignore[attr-defined]
    csrf.exempt(view)
    return view


def not_in_practice(view: View) -> View:
    """Close the route to a browser that practices."""
    view.closed_in_practice = True  # type: ignore[attr-defined]
    return view


def while_setting_up(view: View) -> View:
    """Let who has still to set up their sign-in use the route (rule 11)."""
    view.while_setting_up = True  # type: ignore[attr-defined]
    return view


def asks_second_factor(settings: Settings) -> bool:
    """Tell whether people of this node sign in by passphrase and second factor: it stands on the internet."""
    return settings.role == "network" and not settings.practice


def rule_of(app: Flask, endpoint: str) -> str | None:
    """Return the rule of a route, None when it has none."""
    if endpoint in OPEN_ENDPOINTS:
        return "public"
    return getattr(app.view_functions.get(endpoint), "rule", None)


def can(permission: str) -> bool:
    """Tell whether the person at this page has `permission`."""
    return permission in g.get("permissions", ())


def looks_only() -> bool:
    """Tell whether the person at this page may look at it and change nothing there (`permissions.NETWORK`)."""
    changes = f"{rule_of(current_app, request.endpoint or '')}.change"
    return changes in AT_FIRST["operator"] and not can(changes)


def sign_in(staff: Staff, *, by_badge: bool = False, weak: bool = False) -> None:
    """Begin a session for this member of staff; the browser stays at its till. weak: a new passphrase is due first."""
    sign_out()
    session.permanent = True
    session["staff"] = staff.id
    session["id"], session["since"] = secrets.token_urlsafe(16), _second()
    session["by"] = "badge" if by_badge else "pin"
    session["stamp"] = signed_in.stamps_of(staff)[session["by"]]
    if weak:
        session["weak"] = 1
    signed_in.begin(staff)
    current_app.extensions["cornerstore_seen"].is_due(session["id"], own_doors().now())
    if not by_badge:
        devices.remember(staff.id)


def sign_out() -> None:
    """End the session for good (rule 5); which till the browser stands at is not the person's."""
    if ended := session.get("id"):
        with own_doors().write() as books:
            staff_sessions.end_session(books, ended, at=dt.datetime.now(dt.UTC))
    _forget()


def proven_by_pin(staff_id: str, pin: str, *, beside: people.Beside | None = None) -> Staff:
    """Return the person who gives leave at this page, known by their PIN; in practice by the made-up one.

    A real PIN is counted in the node's own books, per person who asks; one typed in practice is compared with nothing.
    """
    here = doors()
    if not here.is_practice:
        return people.check_pin(here, here.settings.node_id, staff_id, pin, asked_by=g.actor.id, beside=beside)
    with here.read() as look:
        person = find_staff(look, here.settings.node_id, staff_id)
    if pin != people.LESSON_PIN:
        raise Refused(
            "practice-pin", "While you practice, everyone’s PIN is %(pin)s. Don’t type a real PIN here.",
            pin=people.LESSON_PIN,
        )  # fmt: skip
    return person


def lock(actor: Actor) -> None:
    """End the session of who has left the page alone, and keep whose it was (rule 8)."""
    with own_doors().write() as books:
        if ended := session.get("id"):
            staff_sessions.end_session(books, ended, at=dt.datetime.now(dt.UTC))
        subject = f"till:{session.get('till_id', '')}"
        journal.record(Context(books, actor, own_doors().now()), verb="till.locked", subject=subject)
    _forget()
    session["locked"] = actor.id


def set_up(app: Flask, settings: Settings) -> None:
    """Put the guards before every request and the headers on every answer."""
    names, hands = _our_names(settings), Hands()
    app.session_interface = KeptSessions()
    app.extensions["wrong_partner_keys"] = Pace(WRONG_A_MINUTE)
    app.extensions["cornerstore_seen"] = Seen()

    def guard() -> Any:
        if not _is_ours(request.host, names):
            # plain words: a page would build its addresses on the very name that is refused
            return Response("This address is not one of this store's.", status=400, mimetype="text/plain")
        if "\x00" in request.path or b"%00" in request.query_string:
            abort(400, description=lazy("This address contains a character that is not allowed."))
        rule = rule_of(app, request.endpoint) if request.endpoint else "public"
        if rule == "device":
            is_introduced = getattr(app.view_functions.get(request.endpoint or ""), "introduces", False)
            g.actor, (g.store_id, g.signed_by) = None, _store_of_key(is_introduced=is_introduced)
            return None
        if rule == "agent":
            g.actor, g.printer_id = None, _printer_of_key(settings.node_id)
            return None
        if rule == "partner":
            g.partner_key = _partner_of_key(settings.node_id, app.view_functions[str(request.endpoint)])
            g.actor = g.partner_key.actor
            return None
        if rule == "watcher":
            g.actor = None
            _let_watcher(settings.metrics_key)
            return None
        g.hands, g.must = hands, ""
        g.actor, g.permissions = _NO_ONE if request.endpoint in OPEN_ENDPOINTS else _person(settings.node_id, hands)
        return _decide(rule, is_closed_in_practice(app, request.endpoint))

    # the guard goes before Flask-WTF's own, so that a stranger learns nothing about tokens
    app.before_request_funcs.setdefault(None, []).insert(0, guard)
    cover(app, settings)
    app.jinja_env.globals.update(can=can, looks_only=looks_only)


def cover(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer (rule 7)."""
    app.after_request(_headers)
    over_tls = ("Strict-Transport-Security", f"max-age={TLS_FOR_S}; includeSubDomains")
    app.wsgi_app = Covered(app.wsgi_app, (*_HEADERS, *([over_tls] if settings.secure_cookies else [])))  # type: ignore[method-assign]
    app.jinja_env.globals.update(csp_nonce=csp_nonce)


def is_closed_in_practice(app: Flask, endpoint: str | None) -> bool:
    """Tell whether a browser that practices may not use the route."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, "rule", None) in CLOSED_IN_PRACTICE or getattr(view, "closed_in_practice", False)


def asks_for_json() -> bool:
    """Tell whether whoever asks is a program."""
    return request.path.startswith("/api/") or request.path == "/health"


# --- inside ---


def _decide(rule: str | None, is_closed: bool) -> Any:
    closed = Refused("practicing", "This is closed in practice mode. Stop practicing first.")
    if rule == "public":
        if is_closed and session.get("practice"):
            raise closed
        return None
    if g.actor is None:
        if asks_for_json():
            abort(401, description=lazy("You are not signed in. Sign in and try again."))
        there = url_for("signin.people", next=request.full_path.rstrip("?") if request.method == "GET" else None)
        return _go(there)
    if rule is None or rule not in g.permissions:
        log.warning("refused", route=request.endpoint, permission=rule, staff=g.actor.id, role=g.actor.role)
        raise Refused(
            "not-allowed", "%(name)s can’t do this. Ask someone who can, or sign in as someone else.",
            name=g.actor.name, permission=rule or "none",
        )  # fmt: skip
    if is_closed and session.get("practice"):
        raise closed
    if g.must and not getattr(current_app.view_functions.get(request.endpoint or ""), "while_setting_up", False):
        if asks_for_json():
            raise Refused("set-up-first", "Set up your sign-in first.")
        return _go(url_for("own_sign_in.page"))
    if rule in PIN_WANTED and session.get("by") == "badge":
        return _ask_pin()
    return None


def _go(there: str) -> Any:
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": there})
    return redirect(there, 303)


def _ask_pin() -> Any:
    """Send who came by badge to the number pad, and back to the page afterwards."""
    if asks_for_json():
        raise Refused("pin-wanted", "A badge alone is not enough. Enter your PIN first.")
    there = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("signin.pin_pad", staff_id=g.actor.id, next=there), 303)


def _forget() -> None:
    till_id, practice = session.get("till_id"), session.get("practice")
    session.clear()
    if practice:
        current_app.extensions["cornerstore_practice"].close(practice)
    if till_id is not None:
        session["till_id"] = till_id


def _person(node_id: str, hands: Hands) -> tuple[Actor | None, frozenset[str]]:
    staff_id = session.get("staff")
    if staff_id is None:
        _forget_ended_visitor()
        return _NO_ONE
    doors()  # where a practice store is gone, its pages' tokens go with it before any is looked at
    ask = (node_id, staff_id, session.get("id", ""))
    known = own_doors().database.remembered(("staff", *ask), functools.partial(_known, *ask))
    if known is None or session.get("stamp") != known[1][session.get("by", "pin")] or _is_over(known[0].role):
        _forget()
        session.modified = False  # asked before the next person signed in, the answer would sign them out
        return _NO_ONE
    actor, _, permissions, minutes, has_second = known
    if minutes and hands.are_off(session.get("id", ""), minutes, own_doors().now()):
        lock(actor)
        return _NO_ONE
    if current_app.extensions["cornerstore_seen"].is_due(session.get("id", ""), own_doors().now()):
        signed_in.see(actor)
    g.lock_minutes = minutes
    if asks_second_factor(own_doors().settings):
        g.must = "passphrase" if session.get("weak") else "" if has_second else "code"
    return actor, permissions


def _forget_ended_visitor() -> None:
    """Let a customer's cookie whose session was ended open nothing (rule 5)."""
    if (mark := session.get("mark")) is None:
        return
    with own_doors().read() as look:
        is_over = customer_sessions.is_over(look, mark)
    if is_over:
        session.clear()


def _is_over(role: str) -> bool:
    """Tell whether the session began, or an operator's was used, so long ago that its person signs in again."""
    longest, idle = signed_in.lasts(role)
    used_at = getattr(session, "signed_at", None)
    if used_at is not None and dt.datetime.now(dt.UTC) - used_at > idle:
        return True
    return _second() - (session.get("since") or 0) > longest.total_seconds()


def _second() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp())


def _known(
    node_id: str, staff_id: str, session_id: str, look: Session
) -> tuple[Actor, dict[str, str], frozenset[str], int, bool] | None:
    """Return who this is, the stamps of a valid session, what they may do, after how many minutes it is locked, and
    whether they have a second factor.

    None for who does not work here, and for a session that was ended.
    """
    staff = _STAFF.first(look, {"node": node_id, "id": staff_id, "session": session_id})
    if staff is None:
        return None
    name, role, pin_hash, totp_salt, badge_hash, minutes = staff
    stamps = {by: signed_in.stamp(pin_hash, totp_salt, badge_hash, by) for by in ("pin", "badge")}
    actor = Actor(id=staff_id, name=name, role=role, node=node_id)
    return actor, stamps, permitted(look, node_id, role), minutes or 0, totp_salt is not None


def _printer_of_key(store_id: str) -> str:
    with read() as look:
        printer_id = agents.printer_for_key(look, store_id, _bearer("Send the print agent's key."))
    if printer_id is None:
        abort(401, description="This key is unknown or was withdrawn.")
    return printer_id


def _partner_of_key(store_id: str, view: Any) -> PartnerKey:
    given = _bearer(lazy("Send your partner key as a bearer token."))
    with read() as look:
        key = partner_keys.known(look, store_id, given)
        if key is None:
            current_app.extensions["wrong_partner_keys"].take("")
            abort(401, description=lazy("This key is unknown. Check it, or ask the store for a new one."))
        partner_keys.refuse(key, view.scope, at=doors().now())
    return key


def _let_watcher(key: str) -> None:
    given = _bearer("Send the metrics key.")
    if not key or not secrets.compare_digest(given.encode(), key.encode()):
        abort(401, description="This key is unknown or was withdrawn.")


def _bearer(wanted: Any) -> str:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key:
        abort(401, description=wanted)
    return key.strip()


def _store_of_key(*, is_introduced: bool = False) -> tuple[str, str | None]:
    """Return which store speaks, and the signing key it speaks with: one of its good ones where it has any."""
    with read() as look:
        store_id = store_for_key(look, _bearer("Send the store's key."))
    if store_id is None:
        abort(401, description="This key is unknown or was withdrawn.")
    named = request.headers.get(wire.STORE_NAMED)
    if named is not None and named != quote(store_id):
        raise Refused(
            wire.ANOTHERS_KEY,
            "This key does not belong to %(named)s. Nothing was accepted or returned.",
            named=f"{named:.60}",
        )
    place = request.method, request.path, request.query_string
    try:
        public = signed.signed_by(request.headers.get(signed.HEADER), *place, request.get_data())
        if not is_introduced:
            with read() as look:
                signing_keys.require(look, store_id, public)
    except Refused as refusal:
        receiver.note_unsigned(doors(), store_id, refusal.code)
        raise
    return store_id, public


def _our_names(settings: Settings) -> frozenset[str]:
    names = {"localhost", settings.host.lower(), socket.gethostname().lower()}
    names.add((urlsplit(settings.public_url).hostname or "localhost").lower())
    names.add((urlsplit(settings.network_url).hostname or "localhost").lower() if settings.role == "network" else "")
    return frozenset(names - {""})


@functools.lru_cache(maxsize=256)
def _is_ours(host: str, names: frozenset[str]) -> bool:
    name = (urlsplit(f"//{host}").hostname or "").lower()
    if name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


_staff, _store = table_of(Staff).c, table_of(Store).c
_STAFF = Prepared(
    sa.select(
        _staff.name,
        _staff.role,
        _staff.pin_hash,
        _staff.totp_salt,
        _staff.badge_hash,
        sa.select(_store.lock_minutes).where(_store.id == sa.bindparam("node")).scalar_subquery(),
    ).where(
        _staff.node_id == sa.bindparam("node"),
        _staff.id == sa.bindparam("id"),
        _staff.active.is_(True),
        ~sa.exists().where(table_of(SignedOut).c.session_id == sa.bindparam("session")),
    )
)


def csp_nonce() -> str:
    """Return this answer's nonce, made when a page first needs one."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _headers(answer: Response) -> Response:
    """Put on what differs from answer to answer; `Covered` adds the rest."""
    if "nonce" in g:
        nonce = f" 'nonce-{g.nonce}'"
        answer.headers.setdefault("Content-Security-Policy", _POLICY.format(script=nonce, style=nonce))
    elif request.endpoint == "static" and request.view_args:
        name = str(request.view_args["filename"])
        script = " 'wasm-unsafe-eval'" if name == READER else ""
        style = " 'unsafe-inline'" if name.startswith("manual/") else ""
        answer.headers.setdefault("Content-Security-Policy", _POLICY.format(script=script, style=style))
    if request.endpoint not in OPEN_ENDPOINTS:
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer


class Covered:
    """Puts on every answer, as it leaves, the headers it does not carry yet."""

    def __init__(self, app: "WSGIApplication", headers: Sequence[tuple[str, str]]) -> None:
        self._app, self._headers = app, headers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            there = {name for name, _ in headers}
            return start_response(status, [*headers, *(one for one in self._headers if one[0] not in there)], *fault)

        return self._app(environ, begin)


_POLICY = (
    "default-src 'self'; script-src 'self'{script}; style-src 'self'{style}; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()"),
    ("Content-Security-Policy", _POLICY.format(script="", style="")),
)


def find_staff(look: Any, node_id: str, staff_id: str) -> Staff:
    """Return an active member of staff, or refuse with a sentence."""
    staff: Staff | None = look.get(Staff, (node_id, staff_id))
    if staff is None or not staff.active:
        raise NotFound("unknown-person", "No one with that name works here. Choose a name from the list.")
    return staff

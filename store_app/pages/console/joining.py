"""A store comes into the network: added, invited by a link, and followed to its first sync, sale and order.

Rules
-----
1. The invitation is shown this once, to who made it: its link holds the code behind the '#', which no server is sent.
   The store's new computer takes the link in its first-run screens (`store_app.node.joining`).
2. Another invitation makes the one before useless (`pos.store.joining`).
3. A region is the one that is there, however its name is typed (`region_named`).
"""

from typing import Any
from zoneinfo import available_timezones

import segno
import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from config import words
from config.errors import Conflict, DomainError, NotFound, Refused
from config.nodes import journal
from config.words import LANGUAGES
from pos.store import countries
from pos.store import joining as store_joining
from pos.store.store import Region, Store, found_store, keys_of, store_of, usual_currency
from store_app.node import joining
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, speech
from store_app.web.security import public, requires
from supply.membership import first_steps
from supply.orders import suppliers

bp = Blueprint("console_joining", __name__)
MILESTONES: dict[str, tuple[Any, Any]] = {
    "invited": (_l("Invited"), _l("Not invited yet.")),
    "joined": (_l("Joined"), _l("The store’s computer has not used the invitation yet.")),
    "heard": (_l("Last sync"), _l("Never connected. Start Cornerstore on the store’s computer.")),
    "sale": (_l("First sale"), _l("No sale yet.")),
    "order": (_l("First order"), _l("No order yet.")),
}
"""A step of a store on its way: in words, and what is missing before it."""


@bp.get("/console/stores/new")
@requires("network.members")
def new(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for the store that comes."""
    with read() as session:
        regions = session.scalars(sa.select(Region.name).order_by(Region.name)).all()
        usual = {"store_id": _next_id(session), "currency": usual_currency(session), "tz": place().tz}
    return page(
        "console/joining/new.html", fault=fault, regions=regions, values=usual | request.form.to_dict(),
        zones=sorted(available_timezones()), currencies=countries.currencies(speech().locale),
        languages=[(code, words.language(code, "").name) for code in LANGUAGES],
    )  # fmt: skip


@bp.post("/console/stores/new")
@requires("network.members")
@form.answers_on(new)
def add() -> ResponseReturnValue:
    """Add a store, and go on to its invitation."""
    store_id = form.text("store_id", most=20, required=_("Enter a store ID."))
    name = form.text("name", most=80, required=_("Enter the store’s name."))
    region = form.text("region", most=80, required=_("Enter the region’s name."))
    language = form.one_of("language", LANGUAGES, sentence=_("Choose a language."))
    currency, tz = form.text("currency", most=3), form.text("tz", most=40)
    with write() as session:
        ctx = acting(session)
        if suppliers.is_warehouse(session, store_id):
            raise Conflict("store-exists", "%(store_id)s is already a warehouse. Choose another ID.", store_id=store_id)
        store = found_store(
            session, store_id, name, region=region, currency=currency, tz=tz, language=language, at=ctx.at
        )
        journal.record(ctx, verb="store.added", subject=f"store:{store.id}", name=store.name, region=store.region_id)
    return form.done(_("Added. Now invite the store’s computer."), ".road", store_id=store_id)


@bp.get("/console/stores/<store_id>/joining")
@requires("network.stores")
def road(store_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show how far a store has come."""
    with read() as session:
        store = _store(session, store_id)
        steps = first_steps.milestones(session, store.id)
        has_key = any(key.revoked_at is None for key in keys_of(session, store.id))
        until = first_steps.invitation_until(session, store.id, doors().now())
    return page(
        "console/joining/road.html", store=store, fault=fault, until=until,
        has_key=has_key,
        steps=[(*MILESTONES[one.name], one.at) for one in steps],
    )  # fmt: skip


@bp.post("/console/stores/<store_id>/joining")
@requires("network.members")
@form.answers_on(road)
def invite(store_id: str) -> ResponseReturnValue:
    """Make an invitation, and show it this once."""
    settings = doors().settings
    url = settings.public_url or settings.network_url or request.host_url.rstrip("/")
    joining.refuse_open_line(url)
    with write() as session:
        store = _store(session, store_id)
        if store.left_on is not None:
            raise Refused("store-left", "This store has left the network.")
        code = store_joining.invite(acting(session), store.id)
    pinned = joining.fingerprint(settings.network_ca.read_text("ascii")) if settings.network_ca else ""
    link = joining.link(url, code, pinned)
    drawn = segno.make_qr(link, error="m").svg_inline(border=4, svgclass=None, lineclass=None, omitsize=True)
    return page(
        "console/joining/invitation.html", store=store, link=link, drawn=drawn, code=code, url=url, fingerprint=pinned
    )


@bp.get("/join")
@public
def invited() -> ResponseReturnValue:
    """Say to who opens an invitation's link what to do with it."""
    return page("console/joining/invited.html")


# --- inside ---


def _store(session: Session, store_id: str) -> Store:
    try:
        return store_of(session, store_id)
    except NotFound as fault:
        raise NotFound("not-found-here", "Store not found in this network.") from fault


def _next_id(session: Session) -> str:
    """Return an id that is free and follows the usual ones: S01, S02, …"""
    taken = set(session.scalars(sa.select(Store.id)))
    return next(one for number in range(1, 10_000) if (one := f"S{number:02}") not in taken)

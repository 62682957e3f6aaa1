"""School holidays and weather: told by hand or by a file, of the store; at the network's node of a region."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.ids import NETWORK
from pos.store.store import Region, Store
from store_app.files import importing
from store_app.files.sheet import Fault, Sheet
from store_app.files.surroundings import CELLS
from store_app.pages.common import form, uploads
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import words
from supply.demand import surroundings

bp = Blueprint("surroundings", __name__, url_prefix="/settings/surroundings")
FAULTS_SHOWN = 100
GONE_BY_DAYS = 800
SPELLS_SHOWN = 4


@dataclass(frozen=True)
class Spell:
    """School holidays of one name. is_own: they are told here and can be taken back here."""

    name: str
    first: dt.date
    last: dt.date
    words: str
    is_own: bool


@bp.get("/")
@requires("settings")
def listed(fault: DomainError | None = None, faults: list[Fault] | None = None) -> ResponseReturnValue:
    """Show the school holidays and of which days the weather is known, with forms and a file for more."""
    with read() as session:
        scope_id, regions = _scope(session)
        spells = _spells(session, scope_id, is_own=True)
        known = surroundings.known_weather(session, scope_id)
        theirs = None
        if not regions:
            region_id = session.get_one(Store, scope_id).region_id
            spells += _spells(session, region_id, is_own=False)
            theirs = surroundings.known_weather(session, region_id)
    spells.sort(key=lambda one: (one.first, one.name))
    return page(
        "store/settings/surroundings.html",
        status=422 if faults else 200,
        ahead=[one for one in spells if one.last >= today()],
        gone_by=[one for one in reversed(spells) if one.last < today()],
        known=known,
        theirs=theirs,
        regions=regions,
        scope_id=scope_id,
        faults=(faults or [])[:FAULTS_SHOWN],
        more_faults=max(0, len(faults or []) - FAULTS_SHOWN),
        fault=fault,
    )


@bp.post("/")
@requires("settings")
@form.answers_on(listed)
def send() -> ResponseReturnValue:
    """Note school holidays from a day until another."""
    name = form.text("name", most=surroundings.LONGEST_NAME, required=_("Name the holidays."))
    missing = _("Choose the first and last day of the holidays.")
    first, last = form.day("from", missing), form.day("to", missing)
    with write() as session:
        scope_id, _regions = _scope(session)
        surroundings.add_school_holiday(acting(session), scope_id, name, first, last)
    flash(_("%(name)s, %(days)s: saved.", name=name, days=words.days(first, last)), "good")
    return _back()


@bp.post("/take-back")
@requires("settings")
@form.answers_on(listed)
def take_back() -> ResponseReturnValue:
    """Take school holidays back."""
    missing = _("Choose the holidays to remove.")
    first, last = form.day("from_day", missing), form.day("until_day", missing)
    with write() as session:
        scope_id, _regions = _scope(session)
        gone = surroundings.remove_school_holiday(acting(session), scope_id, first, last)
    flash(_("Removed.") if gone else _("They were already removed."), "good")
    return _back()


@bp.post("/weather/forget")
@requires("settings")
@form.answers_on(listed)
def forget_weather() -> ResponseReturnValue:
    """Take all weather back that was told here."""
    with write() as session:
        scope_id, _regions = _scope(session)
        surroundings.forget_weather(acting(session), scope_id)
    flash(_("All weather data removed."), "good")
    return _back()


@bp.post("/file")
@requires("settings")
@form.answers_on(listed)
def bring_in() -> ResponseReturnValue:
    """Take a file of school holidays or weather, whole or with every fault named; show first what a calendar holds."""
    sent = uploads.sent(_read)
    sheet = sent.sheet
    with read() as session:
        scope_id, _regions = _scope(session)
        importing.look_around(session, sheet, scope_id, at=doors().now())
    if sheet.faults:
        return listed(faults=sheet.faults)
    if sheet.is_calendar:
        sent.keep()
        return _choice(sheet, sent.id)
    return _written(sheet)


@bp.post("/calendar")
@requires("settings")
@form.answers_on(listed)
def choose() -> ResponseReturnValue:
    """Take the school holidays of a calendar whose names were ticked."""
    file_id, names = request.form.get("file_id", ""), request.form.getlist("name")
    sheet = uploads.kept(file_id, _read).sheet
    if not names:
        return _choice(sheet, file_id, is_empty=True)
    sheet.keep(names)
    answer = _written(sheet)
    uploads.give_up(file_id)
    return answer


# --- inside ---


@dataclass(frozen=True)
class Named:
    """What a calendar holds of one name: its next stretches in words, how many more, and how many days in all."""

    name: str
    spells: list[str]
    more: int
    days: int


def _choice(sheet: Sheet, file_id: str, *, is_empty: bool = False) -> ResponseReturnValue:
    named = defaultdict[str, list[tuple[dt.date, dt.date]]](list)
    for row in sheet.values:
        named[row["name"]].append((row["from"], row["to"]))
    found = []
    for name, spells in named.items():
        nearest = sorted(spells, key=lambda one: (one[1] < today(), abs(one[0] - today())))
        shown = [words.days(*one) for one in sorted(nearest[:SPELLS_SHOWN])]
        days = sum((last - first).days + 1 for first, last in spells)
        found.append(Named(name, shown, len(spells) - len(shown), days))
    return page(
        "store/settings/calendar.html",
        status=422 if is_empty else 200,
        found=sorted(found, key=lambda one: -one.days),
        described=sheet.described,
        file_id=file_id,
        region=request.form.get("region", ""),
        is_empty=is_empty,
    )


def _written(sheet: Sheet) -> ResponseReturnValue:
    with write() as session:
        scope_id, _regions = _scope(session)
        importing.write(acting(session), sheet, scope_id)
    flash(ngettext("%(num)d row imported.", "%(num)d rows imported.", sheet.rows), "good")
    return _back()


def _read(raw: bytes, name: str, **how: Any) -> Sheet:
    """Return the file, of school holidays or of weather as its columns tell."""
    for kind in CELLS:
        try:
            return importing.read(kind, raw, name, today=doors().now().date(), **how)
        except Invalid as fault:
            if fault.code != "wrong-columns":
                raise
            read_as = fault.facts.get("encoding", "")
    words = _("Columns for school holidays: name, from, to. Columns for weather: day, temperature, rain.")
    raise Invalid("wrong-columns", words, encoding=read_as)


def _scope(session: Session) -> tuple[str, list[tuple[str, str]]]:
    """Return whose days these are: the store's, or those of the region that was chosen; and the regions there are."""
    if doors().settings.node_id != NETWORK:
        return str(place().store_id), []
    regions = [(one.id, one.name) for one in session.scalars(sa.select(Region).order_by(Region.name, Region.id))]
    if not regions:
        raise NotFound("no-region", "There is no region yet. Add a store first.")
    wanted = request.values.get("region") or regions[0][0]
    if wanted not in dict(regions):
        raise NotFound("unknown-region", "Region not found. Go back and choose another.")
    return wanted, regions


def _spells(session: Session, scope_id: str, *, is_own: bool) -> list[Spell]:
    since = today() - dt.timedelta(days=GONE_BY_DAYS)
    return [
        Spell(name, first, last, words.days(first, last), is_own)
        for name, first, last in surroundings.school_holiday_spells(session, scope_id, since)
    ]


def _back() -> ResponseReturnValue:
    return redirect(url_for(".listed", region=request.form.get("region") or None), 303)

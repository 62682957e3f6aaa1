"""Closed days of the store: settled from one day until another, and taken back."""

import datetime as dt

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import DomainError
from pos.store.store import Store
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import words
from supply.demand import closed_days
from supply.online import orders
from supply.online.storefront import storefront

bp = Blueprint("closed_days", __name__, url_prefix="/settings/closed-days")


@bp.get("/")
@requires("settings")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the closed days ahead, the online orders promised then, and a form for more."""
    store_id = str(place().store_id)
    with read() as session:
        store = session.get_one(Store, store_id)
        ahead = closed_days.spells(closed_days.since(session, store_id, today()))
        spells = [(*spell, words.days(*spell), orders.promised_between(session, store, *spell)) for spell in ahead]
    most = today() + dt.timedelta(days=closed_days.MOST_AHEAD)
    return page("store/settings/closed_days.html", spells=spells, first=today(), most=most, fault=fault)


@bp.post("/")
@requires("settings")
@form.answers_on(listed)
def close() -> ResponseReturnValue:
    """Settle that the store stays closed from a day until another; without a second one for that day alone."""
    first, last = typed()
    with write() as session:
        storefront.close_days(acting(session), str(place().store_id), first, last)
    flash(_("Closed: %(days)s. Your orders assume no sales on these days.", days=words.days(first, last)), "good")
    return redirect(url_for(".listed"), 303)


@bp.post("/take-back")
@requires("settings")
@form.answers_on(listed)
def take_back() -> ResponseReturnValue:
    """Open the store again on days that were settled as closed."""
    first, last = chosen()
    with write() as session:
        found = storefront.reopen_days(acting(session), str(place().store_id), first, last)
    reported = ngettext(
        "%(num)d day is open again. Your orders include it from tonight’s forecast.",
        "%(num)d days are open again. Your orders include them from tonight’s forecast.",
        len(found),
    )
    return form.done(reported if found else _("You were already open on these days."), ".listed")


def typed() -> tuple[dt.date, dt.date]:
    """Return the first and the last day that somebody typed; without a second one that day alone."""
    first = form.day("first_day", _("Choose the first closed day."))
    return first, form.date("last_day") or first


def chosen() -> tuple[dt.date, dt.date]:
    """Return the stretch of closed days that is taken back."""
    words = _("Choose the closed days to remove.")
    return form.day("from_day", words), form.day("until_day", words)

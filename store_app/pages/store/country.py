"""When the store is open, and what its first run settled: language, country and time zone, currency."""

import functools
from typing import Any

from babel.dates import get_timezone_location
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config import words
from config.errors import Conflict, DomainError
from config.words import LANGUAGES
from pos.store import countries, opening_hours
from pos.store.store import store_of
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import hours_of_day, page, percent, place, speech, weekdays
from store_app.web.security import requires
from supply.online.storefront import particulars

bp = Blueprint("country", __name__, url_prefix="/settings/country")


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show opening hours, language, country, time zone and currency, each to be changed."""
    locale, store_id = speech().locale, str(place().store_id)
    is_typed = fault is not None and fault.facts.get("field") == "opening_hours"
    with read() as session:
        store = store_of(session, store_id)
        hours = [_typed(n) for n in range(7)] if is_typed else store.week.days
        closed = [request.form.get(f"closed_{n}") if is_typed else not hours[n] for n in range(7)]
        has_amounts = particulars.has_amounts(session, store_id)
    cities = functools.partial(get_timezone_location, locale=locale, return_city=True)
    zones = [
        (name, [(zone, cities(zone)) for zone in countries.zones_of(code)])
        for code, name in countries.countries(locale)
    ]
    return page(
        "store/settings/country.html",
        store=store,
        closed_words=hours_of_day(()),  # written as a constant in the template, it would be said in one language
        week=[(n, name, [*hours[n], *[("", "")] * (2 - len(hours[n]))], bool(closed[n])) for n, name in weekdays()],
        has_breaks=request.form.get("breaks") if is_typed else any(len(spans) > 1 for spans in hours),
        languages=list(words.names().items()),
        zones=zones if countries.country_of(store.tz) else [("", [(store.tz, store.tz)]), *zones],
        currencies=countries.currencies(locale),
        has_amounts=has_amounts or bool(doors().settings.network_url),
        fault=fault,
    )


@bp.post("/hours")
@requires("settings")
@form.answers_on(show)
def set_hours() -> ResponseReturnValue:
    """Settle when the store is open in a week."""
    days = (
        opening_hours.CLOSED if request.form.get(f"closed_{n}") else ",".join(map("-".join, _typed(n)))
        for n in range(7)
    )
    return _changed(_("Saved."), opening_hours=str(opening_hours.week(" ".join(days))))


@bp.post("/language")
@requires("settings")
@form.answers_on(show)
def set_language() -> ResponseReturnValue:
    """Settle which language screens and receipts speak."""
    return _changed(_("Saved."), language=form.one_of("language", LANGUAGES, sentence=_("Choose a language.")))


@bp.post("/zone")
@requires("settings")
@form.answers_on(show)
def set_zone() -> ResponseReturnValue:
    """Settle the time zone, and with it the country (`countries`, rule 3)."""
    tz, before = request.form.get("tz", ""), countries.country_of(place().tz)
    if (country := countries.country_of(tz)) == before:
        return _changed(_("Saved."), tz=tz)
    rates = _(", ").join(percent(one) for one in countries.TAX_RATES.get(country, ())) or _("unknown")
    return _changed(_("Saved. Usual tax rates there: %(rates)s. Check yours under Taxes.", rates=rates), tz=tz)


@bp.post("/currency")
@requires("settings")
@form.answers_on(show)
def set_currency() -> ResponseReturnValue:
    """Settle the currency, while no amount is on record."""
    known = [code for code, _name in countries.currencies(speech().locale)]
    currency = form.one_of("currency", known, sentence=_("Choose your currency."))
    if doors().settings.network_url:
        raise Conflict("network-currency", "Your network keeps its records in %(currency)s. Ask its operator.",
                       field="currency", currency=place().currency)  # fmt: skip
    with write() as session:
        particulars.change_currency(acting(session), str(place().store_id), currency)
    return form.done(_("Saved."), ".show")


def _typed(n: int) -> list[opening_hours.Span]:
    """Return the hours typed for a weekday; what is behind a break counts where the store makes one."""
    said = request.form
    spans = list(zip(said.getlist(f"opens_{n}"), said.getlist(f"closes_{n}"), strict=False))
    return [span for span in spans if any(span)] if said.get("breaks") else spans[:1]


def _changed(reported: str, **said: Any) -> ResponseReturnValue:
    with write() as session:
        particulars.change(acting(session), str(place().store_id), **said)
        wake_worker_after(session)
    return form.done(reported, ".show")

"""How pages are answered, and how money, quantities and time are written: by filters, nowhere else.

Rules
-----
1. `page(template, block)` answers a script (htmx) with just the block and everybody else with the whole page; a plain
   POST that names `go` is answered 303.
2. Money, days and times are written in the store's currency and zone and the reader's language; the customer's pages
   say `at_store(store)` first.
3. The look, light or dark, is what this browser chose (a cookie), else 'auto': as the device.
4. The language is the one in the address (`?lang=`), then the cookie, then on a customer's pages (`/shop/<slug>`) the
   first that the browser reads, then the store's. The customer's screen speaks the store's, as paper does.
"""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel import dates
from babel.lists import format_list
from babel.support import NullTranslations
from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import Domain, get_locale, pgettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config import money as minor_units
from config import words
from config.clock import as_utc, business_day
from config.database import table_of
from config.errors import NotFound
from config.ids import new_id
from config.prepared import Prepared
from config.settings import Settings
from config.words import Language
from pos.catalogue.catalogue import category_names
from pos.reasons import reason_word
from pos.store.opening_hours import Hours, Week
from pos.store.store import Store
from store_app.roles import is_network
from store_app.runtime.doors import babel, doors, read
from store_app.web import assets, icons
from store_app.web.own_store import no_store_yet

JUST_NOW = dt.timedelta(seconds=5)
LOOKS = ("light", "dark", "auto")
STATE_WORDS = {
    "open": lazy("open"), "parked": lazy("parked"), "tendering": lazy("being paid"), "completed": lazy("completed"),
    "voided": lazy("voided"), "counting": lazy("being counted"), "closed": lazy("closed"), "placed": lazy("new"),
    "accepted": lazy("accepted"), "picking": lazy("being picked"), "ready": lazy("ready"), "short": lazy("short"),
    "collected": lazy("collected"), "expired": lazy("expired"), "cancelled": lazy("canceled"),
    "refunded_by_hand": lazy("refunded by hand"), "refused": lazy("refused"),
    "return_asked": lazy("refund requested"), "returned": lazy("returned"),
    "return_refused": lazy("refund declined"), "filling": lazy("filling the last case"),
    "over": lazy("ended"), "called_off": lazy("canceled"), "to_collect": lazy("to pick up"),
    "ordered": lazy("ordered"), "arrived": lazy("arrived"), "settled": lazy("settled"), "held": lazy("held"),
    "shown": lazy("shown"), "reported": lazy("reported"), "hidden": lazy("hidden"),
    "disputed": lazy("disputed"), "awaited": lazy("not paid yet"), "lapsed": lazy("not paid"),
    "forfeited": lazy("not refunded"), "left": lazy("left the network"),
    "proposed": lazy("suggested"), "approved": lazy("approved"),
    "dropped": lazy("canceled"), "sent": lazy("sent"), "acknowledged": lazy("acknowledged"),
    "rejected": lazy("rejected"), "dispatched": lazy("on the way"), "part_received": lazy("partly received"),
    "received": lazy("received"), "closed_short": lazy("closed incomplete"), "expected": lazy("expected"),
    "posted": lazy("in the backroom"), "drafted": lazy("draft"), "live": lazy("on the shelf"),
    "retired": lazy("retired"), "queued": lazy("waiting"), "sending": lazy("printing"), "printed": lazy("printed"),
    "failed": lazy("failed"), "unconfirmed": lazy("needs a check"), "offered": lazy("offered"),
    "postponed": lazy("put off"),
    "declined": lazy("declined"), "pending": lazy("waiting"), "delivered": lazy("delivered"), "stuck": lazy("stuck"),
    "withdrawn": lazy("withdrawn"),
    "asked": lazy("asked"), "granted": lazy("approved"), "given": lazy("given"), "raised": lazy("needs a response"),
    "measured": lazy("measured"), "upheld": lazy("upheld"), "turned_down": lazy("rejected"), "made": lazy("created"),
    "filed": lazy("filed"), "under_review": lazy("being looked into"), "part_accepted": lazy("partly accepted"),
    "compensated": lazy("paid back"), "replaced": lazy("sent again"), "contested": lazy("contested"),
    "kept": lazy("kept"), "picked": lazy("picked"),
    "paid": lazy("paid"), "planned": lazy("planned"), "on_the_way": lazy("on the way"), "done": lazy("done"),
    "not_reached": lazy("not reached"), "turned_back": lazy("the vehicle turned back"),
    "moved": lazy("comes with a later vehicle"), "good": lazy("good"),
    "changed": lazy("changed"),
    "taken": lazy("received"), "written_off": lazy("written off"), "unknown": lazy("unknown"),
    "waiting": lazy("waiting"), "waits": lazy("waiting"), "requested": lazy("requested"),
    "captured": lazy("paid"), "reversed": lazy("canceled"), "by_hand": lazy("paid manually"),
    "called": lazy("active"), "cleared": lazy("removed"), "lifted": lazy("lifted"), "counted": lazy("counted"),
    "recounted": lazy("recounted"), "left_out": lazy("left out"), "credited": lazy("credited"),
    "agreed": lazy("agreed"), "handed_over": lazy("handed over"), "taken_back": lazy("reclaimed"),
    "confirmed": lazy("confirmed"), "posting": lazy("being recorded"), "abandoned": lazy("discarded"),
    "running": lazy("running"), "published": lazy("published"), "superseded": lazy("replaced"),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a page speaks from: names, money and time of one store, or of the network."""

    store_id: str | None
    name: str
    currency: str
    tz: str
    rollover_hour: int
    language: str

    @classmethod
    def of(cls, store: Any) -> "Place":
        """Return the place of a store."""
        return cls(store.id, store.name, store.currency, store.tz, store.rollover_hour, store.language)


def page(
    template: str, block: str | list[str] | None = None, *, go: str | None = None, status: int = 200, **context: Any
) -> Response:
    """Answer with a page, or with the block(s) of it that a script asked for (rule 1)."""
    by_script = bool(request.headers.get("HX-Request")) and request.headers.get("HX-Request-Type") != "full"
    if go and request.method == "POST" and not by_script and status < 400:
        return redirect(go, 303)  # type: ignore[return-value]
    if by_script and block:
        text = _blocks(template, [block] if isinstance(block, str) else block, context)
    else:
        text = render_template(template, **context)
    return make_response(text, status)


def place() -> Place:
    """Return the place this answer speaks from."""
    if "place" not in g:
        g.place = _own_place(doors().settings)
    found: Place = g.place
    return found


def at_store(store: Store) -> None:
    """Let this answer speak from `store`: its name, money, zone and language, and its online store as the start."""
    g.place, g.start = Place.of(store), url_for("storefront.home", slug=store.slug)


def as_paper() -> None:
    """Let this answer speak the store's language, whatever the person who is signed in reads (rule 4)."""
    g.language = words.known(place().language) or "en"


def speak(tag: str) -> None:
    """Let this answer speak a language that its address names; one that we don't speak is not there."""
    g.language = words.known(tag)
    if not g.language:
        raise NotFound("not-found", "Page not found.")


def about_store(store: Store) -> None:
    """Let a page of the network tell of `store` in its money and days; name and language stay the network's."""
    own = place()
    g.place = replace(Place.of(store), name=own.name, language=own.language)


def today() -> dt.date:
    """Return the business day it is now at this place."""
    here = place()
    return business_day(doors().now(), here.tz, here.rollover_hour)


def language() -> str:
    """Return the code of the reader's language."""
    if "language" not in g:
        asked = words.known(request.args.get("lang") or request.cookies.get(_cookie(), ""))
        if not asked and "slug" in (request.view_args or {}):
            asked = next(filter(None, (words.known(tag) for tag, quality in request.accept_languages if quality)), "")
        g.language = asked or words.known(place().language) or "en"
    return str(g.language)


def speech() -> Language:
    """Return the reader's language, as this place's country writes it."""
    return words.language(language(), place().tz)


def look() -> str:
    """Return the look this browser chose: 'light', 'dark' or 'auto' (rule 3)."""
    asked = request.cookies.get(look_cookie(), "")
    return asked if asked in LOOKS else "auto"


def look_cookie() -> str:
    """Return the name of the cookie that keeps the look."""
    return f"{current_app.config['SESSION_COOKIE_NAME']}_look"


class Catalogues(Domain):
    """The sentences of `config.words`, which Flask-Babel would read a second time."""

    def get_translations(self) -> NullTranslations:
        """Return those of the language that the answer is in."""
        locale = get_locale()
        return words.catalogue(locale.language if locale else "en")


def set_up(app: Flask, settings: Settings) -> None:
    """Give the templates their filters and words."""
    babel.init_app(app, locale_selector=lambda: speech().locale, timezone_selector=lambda: place().tz)
    babel.domain_instance = Catalogues()  # type: ignore[no-untyped-call]
    words.reader = lambda: language() if request else ""
    app.jinja_env.filters.update(
        money=money, qty=qty, day=day, clock_time=clock_time, hour=hour, why_words=why_words, since=since,
        number=number, percent=percent, category=category, minute=minute,
        opening_hours=opening_hours,
        hours_of_day=hours_of_day,
    )  # fmt: skip
    app.jinja_env.globals.update(
        **icons.drawers(), language=language, speech=speech, new_command_id=new_id, state_word=state_word,
        node_name=lambda: place().name, on_network=lambda: is_network(settings), place_here=place, today=today,
        other_languages=other_languages, start_url=lambda: g.get("start", "/"), look=look, rail_count=rail_count,
    )  # fmt: skip
    assets.install(app)

    @app.before_request
    def _know_the_place() -> None:
        if request.endpoint not in ("static", "bootstrap.static"):
            here = place()  # in a look of its own, before a view opens one
            if here.store_id is None and not is_network(settings):
                raise no_store_yet(settings)

    @app.after_request
    def _keep_language(answer: Response) -> Response:
        if asked := words.known(request.args.get("lang", "")):
            answer.set_cookie(
                _cookie(), asked, max_age=31_536_000, samesite="Lax", httponly=True,
                secure=settings.secure_cookies,
            )  # fmt: skip
        return answer


# --- filters ---


def money(amount_minor: int | None, currency: str | None = None) -> str:
    """Write minor units as money in the reader's language, the sign as the till has it: '$12.50'; None → '–'."""
    if amount_minor is None:
        return "–"
    return speech().money(amount_minor, currency or place().currency)


def money_form(currency: str) -> dict[str, str]:
    """Return how `money` writes an amount, for a page that writes its own: what stands around, between and in it."""
    places = minor_units.exponent(currency)
    written = money(1_000 * 10**places, currency)
    first, last = written.index("1"), written.rindex("0")
    figures = written[first : last + 1]
    return {
        "before": written[:first],
        "after": written[last + 1 :],
        "group": figures[1 : -places - 4] if places else figures[1:-3],
        "point": figures[-places - 1] if places else "",
    }


def qty(units: int | float | None, stock_unit: str = "each") -> str:
    """Write a quantity with its unit: 3, '350 g', '1.25 kg'; None → '–'."""
    return "–" if units is None else speech().quantity(units, stock_unit)


def category(name: str) -> str:
    """Write what the reader calls a category or a department; asked once an answer."""
    if "categories" not in g:
        with read() as look:
            g.categories = category_names(look)
    return words.called(name, g.categories.get(name))


def number(value: float | None, places: int = 0, *, plus: bool = False) -> str:
    """Write a number with at most `places` decimals; None → '–'. plus: as a change, '+3', '−3'."""
    if value is None:
        return "–"
    value = round(value, places)
    sign = "" if not plus or not value else "+" if value > 0 else "−"
    return sign + speech().number(abs(value) if sign else value, places)


def percent(rate_bp: float | None, places: int = 2, *, plus: bool = False) -> str:
    """Write basis points as a percentage: '5%', '5,5 %'; None → '–'. plus: as a change, '+5%'."""
    return "–" if rate_bp is None else speech().percent(rate_bp, places, plus=plus)


def day(value: dt.date | str | None) -> str:
    """Write a business day with its weekday: 'Mon, Mar 2'; of another year with the year; None → '–'."""
    if value is None:
        return "–"
    date = dt.date.fromisoformat(value) if isinstance(value, str) else value
    skeleton = "MMMEd" if date.year == today().year else "yMMMEd"
    # a sentence has its own full stop after an abbreviated month
    return str(dates.format_skeleton(skeleton, date, locale=speech().locale)).removesuffix(".")


def clock_time(at: dt.datetime | str | None, with_day: bool = False) -> str:
    """Write the time of an instant in the store's zone; `with_day` puts the day before it."""
    if at is None:
        return "–"
    instant = as_utc(dt.datetime.fromisoformat(at) if isinstance(at, str) else at)
    local = instant.astimezone(ZoneInfo(place().tz))
    written = speech().time(local.time())
    return f"{day(local.date())} {written}" if with_day else written


def hour(text: str) -> str:
    """Write an hour of opening, kept as '23:30', as every other time is written: '11:30 PM'."""
    hours, minutes = (int(part) for part in text.split(":")[:2])
    return minute(60 * hours + minutes)


def weekdays() -> list[tuple[int, str]]:
    """Return the weekdays by their short names, beginning with the one the reader's week begins with; 0 is Monday."""
    locale = speech().locale
    names = dates.get_day_names("abbreviated", locale=locale)
    return [(n % 7, str(names[n % 7])) for n in range(locale.first_week_day, locale.first_week_day + 7)]


def hours_of_day(hours: Hours) -> str:
    """Write when a store is open on a day: '7:00 AM – 10:00 PM', '9:00 AM – 1:00 PM and 4:00 PM – 8:00 PM'."""
    spans = [_("24 hours") if opens == closes else f"{hour(opens)} – {hour(closes)}" for opens, closes in hours]
    return str(format_list(spans, locale=speech().locale)) if spans else pgettext("hours", "closed")


def opening_hours(week: Week) -> str:
    """Write when a store is open: 'Open daily 7:00 AM – 10:00 PM', 'Mon–Fri 7:00 AM – 10:00 PM, Sat–Sun closed'."""
    if week.daily:
        return _("Open daily %(hours)s", hours=hours_of_day(week.daily))
    names, said = dict(weekdays()), []
    for first, last, hours in week.spells():
        days = names[first] if first == last else f"{names[first]}–{names[last]}"
        said.append(f"{days} {hours_of_day(hours)}")
    return _(", ").join(said)


def minute(of_day: int) -> str:
    """Write a minute of the day as a time."""
    return speech().time(dt.time(of_day // 60 % 24, of_day % 60))


def since(at: dt.datetime | str | None) -> str:
    """Write how long ago (or until when) an instant is: 'just now', '5 minutes ago'; None → 'not yet'."""
    if at is None:
        return _("not yet")
    instant = as_utc(dt.datetime.fromisoformat(at) if isinstance(at, str) else at)
    away = instant - doors().now()
    if abs(away) < JUST_NOW:
        return _("just now")
    return dates.format_timedelta(away, add_direction=True, locale=speech().locale)


def state_word(state: str) -> str:
    """Write a state in the reader's language."""
    return str(STATE_WORDS.get(state, state.replace("_", " ")))


def why_words(why: str | None) -> str:
    """Write a reason: one of our own in the reader's language, what a person typed as it was typed."""
    return reason_word(why, speech())


# --- the frame ---


def other_languages() -> list[tuple[Language, str]]:
    """Return each other language with the address of this page in it."""
    others = [words.language(code, place().tz) for code in words.LANGUAGES if code != language()]
    if request.endpoint and request.method == "GET":
        arguments = {**request.args.to_dict(), **(request.view_args or {})}
        return [(one, url_for(request.endpoint, **{**arguments, "lang": one.code})) for one in others]
    return [(one, f"/?lang={one.code}") for one in others]


RAIL_COUNTS: dict[str, Callable[[Any, str], int]] = {}
"""What waits at a place of the rail: name -> question(session, store_id). Pages add theirs when they are imported."""


def rail_count(name: str) -> int:
    """Return how much waits at a place of the rail; asked once an answer."""
    question = RAIL_COUNTS.get(name)
    here = place().store_id
    if question is None or here is None:
        return 0
    counts: dict[str, int] = g.setdefault("rail_counts", {})
    if name not in counts:
        with read() as look:
            counts[name] = question(look, here)
    return counts[name]


# --- inside ---


def _blocks(template: str, names: list[str], context: dict[str, Any]) -> str:
    current_app.update_template_context(context)
    found = current_app.jinja_env.get_template(template)
    frame = found.new_context(context)
    # one step of the page runs what stands above its blocks: imports and sets, of every parent too
    whole = found.root_render_func(frame)
    next(whole, None)
    whole.close()  # type: ignore[attr-defined]
    return "".join("".join(frame.blocks[name][0](frame)) for name in names)


def _own_place(settings: Settings) -> Place:
    return doors().database.remembered("place", functools.partial(_asked_place, settings))


def _asked_place(settings: Settings, look: Session) -> Place:
    own = None if is_network(settings) else _STORE.first(look, {"id": settings.node_id})
    if own is not None:
        return Place(*own)
    first = _FIRST_STORE.first(look, {})
    habits = first[2:] if first is not None else ("USD", "UTC", 4, "en")
    return Place(None, _title(settings), *habits)


_store = table_of(Store).c
_PLACE = sa.select(_store.id, _store.name, _store.currency, _store.tz, _store.rollover_hour, _store.language)
_STORE = Prepared(_PLACE.where(_store.id == sa.bindparam("id")))
_FIRST_STORE = Prepared(_PLACE.order_by(_store.id).limit(1))


def _title(settings: Settings) -> str:
    return "Cornerstore network" if is_network(settings) else settings.node_id


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}_language"

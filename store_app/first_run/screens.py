"""The three screens that make a store: what and where it is, what paper and tax office ask, who keeps it.

The next two, printer and products, are the store's own (`store_app/pages/store/first_steps.py`): by then it is founded.
"""

from pathlib import Path
from typing import Any

import flask
from flask import Blueprint, Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config import words
from config.errors import DomainError, Invalid
from config.settings import is_country
from config.words import LANGUAGES
from pos.store import countries, pins
from pos.store.store import LONGEST_NAME, refuse_name
from store_app.first_run.entrance import entrance
from store_app.node.founding import FIRST_STORE, NewStore, found_store_node, move_store_node
from store_app.pages.common import form
from store_app.pages.goods.taxes import rate, rate_text
from store_app.pages.store import first_steps
from store_app.web import presenting, security
from store_app.web.presenting import Place, page
from store_app.web.security import find_staff

bp = Blueprint("first_run", __name__)
SCREENS = ("store", "papers", "person")
MOVED = ("copy", "url", "code", "fingerprint")
MOST_ADDRESS, MOST_TAX_NUMBER = 160, 40
BEGINS_AT = "/first-steps/printer"


def speak() -> None:
    """Let this answer speak the reader's language, as the country that was chosen writes it."""
    said = entrance().answers()
    tongue = request.accept_languages.best_match(list(LANGUAGES)) or "en"
    g.place = Place(FIRST_STORE, "Cornerstore", said.get("currency") or "USD", said.get("tz") or "UTC", 4,
                    said.get("language") or tongue)  # fmt: skip
    g.actor, g.permissions = None, frozenset()


@bp.get("/")
def start() -> ResponseReturnValue:
    """Go on with the first screen that was not answered yet."""
    said = entrance().answers()
    return redirect(url_for(f"first_run.{_next(said)}"))


@bp.get("/set-up/store")
def store(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask what the store is called, where it is, and which language it speaks."""
    regions = (tag.partition("-")[2].upper() for tag in request.accept_languages.values())
    most = {"de": "DE", "es": "ES", "zh": "CN"}.get(presenting.language(), "US")
    country = countries.here() or next(filter(is_country, regions), most)
    usual = {"name": "", "country": country, "language": presenting.language()}
    return _screen("store", fault, usual, countries=countries.countries(presenting.speech().locale))


@bp.post("/set-up/store")
@form.answers_on(store)
def keep_store() -> ResponseReturnValue:
    """Keep it; another country replaces what it proposes."""
    name = form.text("name", most=LONGEST_NAME, required=_("Enter your store’s name."))
    refuse_name(name)
    country = request.form.get("country", "")
    if not is_country(country) or not countries.zones_of(country):
        raise Invalid("bad-choice", _("Choose your country."), field="country")
    language = form.one_of("language", LANGUAGES, sentence=_("Choose a language."))
    said = entrance().answers()
    reset = {} if said.get("country") == country else {"currency": None, "tz": None, "rates": None, "inclusive": None}
    entrance().keep(name=name, country=country, language=language, **reset)
    return redirect(url_for("first_run.papers", lang=language), 303)


@bp.get("/set-up/papers")
def papers(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for address and tax number, and show what the country proposes."""
    country = entrance().answers().get("country")
    if not country:
        return redirect(url_for("first_run.store"))
    known = countries.preset(country)
    usual = {
        "address": "", "tax_number": "", "currency": known.currency, "tz": known.tz,
        "rates": [rate_text(one) for one in known.rates_bp], "inclusive": known.inclusive,
    }  # fmt: skip
    zones = [(zone, zone.replace("_", " ")) for zone in known.zones]
    return _screen("papers", fault, usual, zones=zones, currencies=countries.currencies(presenting.speech().locale))


@bp.post("/set-up/papers")
@form.answers_on(papers)
def keep_papers() -> ResponseReturnValue:
    """Keep it."""
    country = entrance().answers().get("country", "")
    known = [code for code, _name in countries.currencies(presenting.speech().locale)]
    typed = [one.strip() for one in request.form.getlist("rates")[: countries.MOST_RATES]]
    entrance().keep(
        address=form.text("address", most=MOST_ADDRESS), tax_number=form.text("tax_number", most=MOST_TAX_NUMBER),
        currency=form.one_of("currency", known, sentence=_("Choose your currency.")),
        tz=form.one_of("tz", countries.zones_of(country), sentence=_("Choose your time zone.")),
        rates=[rate_text(rate(one, "rates")) for one in typed if one] or ["0"],
        inclusive=form.one_of(
            "prices", ("inclusive", "exclusive"), sentence=_("Choose whether prices include the tax.")) == "inclusive",
    )  # fmt: skip
    return redirect(url_for("first_run.person"), 303)


@bp.get("/set-up/person")
def person(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask who keeps the store."""
    missing = _next(entrance().answers())
    if missing != "person":
        return redirect(url_for(f"first_run.{missing}"))
    return _screen("person", fault, {"person": ""})


@bp.post("/set-up/person")
@form.answers_on(person)
def begin() -> ResponseReturnValue:
    """Found the store, and go on in it as its shopkeeper."""
    said, door = entrance().answers(), entrance()
    if (missing := _next(said)) != "person":
        return redirect(url_for(f"first_run.{missing}"), 303)
    name, pin = form.text("person", most=60, required=_("Enter your name.")), form.secret("pin")
    door.keep(person=name)
    pins.refuse_weak(pin, "shopkeeper")
    new = NewStore(
        name=said["name"], country=said["country"], language=said["language"], currency=said["currency"],
        tz=said["tz"], address=said["address"], tax_number=said["tax_number"], inclusive=said["inclusive"],
        rates_bp=tuple(rate(one, "rates") for one in said["rates"]),
        smallest_coin_minor=countries.COINS.get(said["currency"], 1),
    )  # fmt: skip
    return hand_over(door.begin(lambda: found_store_node(door.folder, new, name, pin, port=door.port)), name)


@bp.get("/set-up/move")
def move(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask where the store is that moves to this computer."""
    return page("first_run/move.html", fault=fault, step=1, steps=1, values=dict.fromkeys(MOVED, "") | request.form)


@bp.post("/set-up/move")
@form.answers_on(move)
def keep_move() -> ResponseReturnValue:
    """Bring the store here, from its copy or its network; people sign in as they did."""
    from store_app.node import joining  # brings an HTTP client along, and a store's web process has no use for one

    said, door = {name: form.text(name, most=500) for name in MOVED}, entrance()
    copy = Path(said["copy"]).expanduser() if said["copy"] else None
    if copy is None and not (said["url"] and said["code"]) and not joining.of_link(said["url"]):
        raise Invalid("nothing-to-move", "Name the backup, or enter the network’s address and code.")
    if copy is not None and copy.is_dir():
        copy = max(copy.glob("*.db"), default=copy, key=lambda one: one.stat().st_mtime)
    network = {name: said[name] for name in ("url", "code", "fingerprint")}
    if invited := joining.of_link(said["url"]):
        network = dict(zip(network, invited, strict=True))
    door.begin(lambda: move_store_node(door.folder, copy=copy, port=door.port, **network))
    return redirect("/", 303)


def hand_over(store: Flask, name: str) -> ResponseReturnValue:
    """Answer as the store that has just been founded, to the browser of its first person, who is signed in."""
    from store_app.runtime.doors import own_doors
    from store_app.web import staff

    origin = {"REMOTE_ADDR": request.remote_addr or "", "HTTP_USER_AGENT": request.headers.get("User-Agent", "")}
    with store.test_request_context("/", environ_base=origin):
        with own_doors().read() as look:
            keeper = find_staff(look, own_doors().settings.node_id, staff.id_of(name))
        security.sign_in(keeper)
        return store.process_response(flask.make_response(redirect(BEGINS_AT, 303)))


# --- inside ---


def _next(said: dict[str, Any]) -> str:
    """Return the first screen that was not answered."""
    if not all(said.get(name) for name in ("name", "country", "language")):
        return "store"
    return "person" if said.get("currency") and said.get("tz") and said.get("rates") else "papers"


def _screen(name: str, fault: DomainError | None, usual: dict[str, Any], **choices: Any) -> ResponseReturnValue:
    """Show a screen with what was typed just now, else what was kept, else what is usual."""
    said = {key: value for key, value in entrance().answers().items() if value is not None}
    values = usual | {key: said[key] for key in usual if key in said}
    if request.method == "POST":
        values |= {key: request.form.get(key, "") for key in usual if key not in ("rates", "inclusive")}
        if "rates" in usual:
            values |= {"rates": request.form.getlist("rates"), "inclusive": request.form.get("prices") == "inclusive"}
    return page(
        f"first_run/{name}.html", values=values, fault=fault, step=SCREENS.index(name) + 1, steps=first_steps.SCREENS,
        languages=list(words.names().items()), **choices,
    )  # fmt: skip

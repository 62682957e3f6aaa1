"""Quick keys: the shopkeeper puts what has no barcode where the hand finds it.

A key is taken up by its link, and put down by pressing a place: that works by mouse, touch and keyboard, and without
any script. With one, keys are dragged, and Alt with an arrow moves the key that has the focus.
"""

import re
from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import DomainError, Invalid
from config.nodes.journal import Context
from pos.catalogue import catalogue, quick_keys
from pos.catalogue.quick_keys import COLOURS, LONGEST_LABEL, LONGEST_NAME, PAGES, PLACES, Key, Page, Spot
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("quick_keys", __name__, url_prefix="/quick-keys")
FOUND = 12
COLOUR_WORDS = {
    "paper": lazy("White"),
    "jade": lazy("Green"),
    "amber": lazy("Amber"),
    "brick": lazy("Red"),
    "sky": lazy("Blue"),
    "ink": lazy("Dark"),
}


@dataclass(frozen=True)
class Taken:
    """The key that is taken up, and where it lies."""

    spot: Spot
    key: Key

    @property
    def text(self) -> str:
        """Return its spot as the address carries it."""
        return f"{self.spot[0]}-{self.spot[1]}"


@bp.get("/", endpoint="arrange")
@requires("catalogue")
def arrange(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a page of keys; `key` is taken up, `free` is the empty place a product is looked for, `q` what for."""
    shown = _page_no(request.values.get("page", "1"))
    store_id, sought = str(place().store_id), form.tidy(request.values.get("q", ""))[:80]
    with read() as session:
        pages = quick_keys.layout(session, store_id)
        found = catalogue.search(session, store_id, sought, today(), limit=FOUND) if sought else []
    taken = _taken(pages, request.values.get("key", ""))
    free = request.values.get("free", "")
    keys = {key.place: key for key in pages[shown - 1].keys}
    return page(
        "till/quick_keys.html",
        pages=pages,
        shown=pages[shown - 1],
        spots=[(n, keys.get(n)) for n in range(PLACES)],
        taken=taken,
        free=int(free) if re.fullmatch(r"\d{1,2}", free, re.ASCII) and int(free) < PLACES else None,
        sought=sought,
        found=found,
        colours=[(colour, COLOUR_WORDS[colour]) for colour in COLOURS],
        longest_label=LONGEST_LABEL,
        longest_name=LONGEST_NAME,
        fault=fault,
    )


@bp.post("/move")
@requires("catalogue")
@form.answers_on(arrange)
def move() -> ResponseReturnValue:
    """Put a key down on another place, or a page's first free one; a key there changes places with it."""
    source, to = _spot("from"), re.fullmatch(r"(\d)-(\d{1,2}|free)", request.form.get("to", ""), re.ASCII)
    if to is None:
        raise Invalid("bad-spot", "Choose a slot on a page of keys.", field="to")
    shown, on = int(to[1]), None if to[2] == "free" else int(to[2])
    with write() as session:
        quick_keys.move(acting(session), str(place().store_id), source, shown, on)
    return _back(shown)


@bp.post("/put")
@requires("catalogue")
@form.answers_on(arrange)
def put() -> ResponseReturnValue:
    """Put a product on a place, or on the first free one of a page."""
    sku = form.text("sku", most=80, required=_("Choose a product."))
    shown = form.whole("page", least=1, most=PAGES)
    free = form.whole("free", least=0, most=PLACES - 1) if request.form.get("free") else None
    with write() as session:
        quick_keys.put(acting(session), str(place().store_id), sku, shown, free)
    return _back(shown)


@bp.post("/change")
@requires("catalogue")
@form.answers_on(arrange)
def change() -> ResponseReturnValue:
    """Give a key a label and a colour."""
    spot, label = _spot("key"), form.text("label", most=LONGEST_LABEL)
    colour = form.one_of("colour", COLOURS, sentence=_("Choose a color."))
    with write() as session:
        at = doors().now()
        quick_keys.change(Context(session, g.actor, at), str(place().store_id), spot, label=label, colour=colour)
    return _back(spot[0])


@bp.post("/remove")
@requires("catalogue")
@form.answers_on(arrange)
def remove() -> ResponseReturnValue:
    """Take a key away; the product stays in the store."""
    spot = _spot("key")
    with write() as session:
        quick_keys.remove(acting(session), str(place().store_id), spot)
    return _back(spot[0])


@bp.post("/name")
@requires("catalogue")
@form.answers_on(arrange)
def name() -> ResponseReturnValue:
    """Give a page of keys a name."""
    shown, words = form.whole("page", least=1, most=PAGES), form.text("name", most=LONGEST_NAME)
    with write() as session:
        quick_keys.name_page(acting(session), str(place().store_id), shown, words)
    flash(_("Page name saved."), "good")
    return _back(shown)


# --- inside ---


def _back(shown: int) -> ResponseReturnValue:
    return redirect(url_for("quick_keys.arrange", page=shown if shown > 1 else None), 303)


def _page_no(raw: str) -> int:
    return int(raw) if re.fullmatch(r"[1-9]", raw, re.ASCII) and int(raw) <= PAGES else 1


def _spot(field: str) -> Spot:
    """Return the spot a form names, as '2-7': page 2, place 7."""
    found = re.fullmatch(r"(\d)-(\d{1,2})", request.form.get(field, ""), re.ASCII)
    if found is None:
        raise Invalid("bad-spot", "Choose a slot on a page of keys.", field=field)
    return int(found[1]), int(found[2])


def _taken(pages: list[Page], raw: str) -> Taken | None:
    found = re.fullmatch(r"([1-9])-(\d{1,2})", raw, re.ASCII)
    if found is None or int(found[1]) > len(pages):
        return None
    spot = int(found[1]), int(found[2])
    key = next((key for key in pages[spot[0] - 1].keys if key.place == spot[1]), None)
    return Taken(spot, key) if key else None

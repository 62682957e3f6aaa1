"""Weighed goods: how the store's own labels are read, what boxes weigh, and whether the scale answers."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import DomainError, Refused
from config.nodes.journal import Context
from pos.catalogue import gs1, own_labels, scan
from pos.catalogue.catalogue import Listing, Product, Scanned, matches
from pos.catalogue.own_labels import STEPS, Scheme
from pos.till import scale
from pos.till.scale import PracticeScale
from pos.till.scale_drivers import MOST_GRAMS, Weighing
from store_app.api.scale import is_there, scale_of
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import money, page, place, qty, today
from store_app.web.security import requires
from store_app.words.refusals import sentence_of

bp = Blueprint("weighed", __name__, url_prefix="/weighed")
SHOWN = 60
SAMPLE = {"weight": 312, "price": 499, "count": 3}
USUAL = (
    ("21{item:5}{weight:5}", 1, lazy("EAN-13 with a weight in grams")),
    ("22{item:5}{price:5}", 1, lazy("EAN-13 with a price")),
    ("22{item:5}{check}{price:4}", 1, lazy("EAN-13 with a price and check digit")),
    ("2{item:5}{price:5}", 1, lazy("UPC-A with a price")),
    ("2{item:5}{check}{price:4}", 1, lazy("UPC-A with a price and check digit")),
)
PART_WORDS = {
    "fixed": lazy("always"),
    "item": lazy("product"),
    "weight": lazy("weight"),
    "price": lazy("price"),
    "count": lazy("units"),
    "check": lazy("price check digit"),
    "any": lazy("ignored"),
    "last": lazy("check digit"),
}


@dataclass(frozen=True)
class Piece:
    """Some digits of a sample label and what they are."""

    kind: str
    digits: str

    @property
    def words(self) -> Any:
        """Return what the digits are, in the reader's language."""
        return PART_WORDS[self.kind]


@dataclass(frozen=True)
class Way:
    """A scheme with a sample of its labels."""

    id: str
    name: str
    pattern: str
    code: str
    pieces: list[Piece]
    means: str


@dataclass(frozen=True)
class Tried:
    """What a code would become at the till, or why nothing."""

    name: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    fault: str = ""


@bp.get("/")
@requires("catalogue")
def overview(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the ways to read labels, a field to try a code in, the scale and the tares. q: a product sought."""
    store_id, sought = str(place().store_id), form.tidy(request.args.get("q", ""))[:80]
    with read() as session:
        ways = [_way(row) for row in scan.scheme_rows(session, store_id)]
        known = scale.tares(session, store_id)
        query = (
            sa.select(Product.sku, Product.shown.label("name"), Product.category)
            .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
            .where(Product.active, Listing.active, Product.stock_unit == "gram", matches(sought))
            .order_by(Product.sku.not_in(list(known)), Product.name)
        )
        goods = session.execute(query.limit(SHOWN + 1)).all()
    here = {way.pattern for way in ways}
    setting = scale.setting_for(doors().settings.scale, request.args.get("till_id", ""))
    return page(
        "till/weighed/overview.html",
        ways=ways,
        usual=[(pattern, step, words) for pattern, step, words in USUAL if pattern not in here],
        steps=STEPS,
        code=_code(),
        tried=_tried(_code()),
        goods=goods[:SHOWN],
        has_more=len(goods) > SHOWN,
        sought=sought,
        tares=known,
        has_scale=is_there(),
        is_practice=setting == "practice",
        weighing=_weighed() if request.args.get("weigh") and request.method == "GET" else None,
        most_grams=MOST_GRAMS,
        fault=fault,
    )


@bp.get("/try", endpoint="try_code")
@requires("catalogue")
def try_code() -> ResponseReturnValue:
    """Answer what a code would become, as the page's field is typed in."""
    return page("till/weighed/tried.html", tried=_tried(_code()))


def _refused(fault: DomainError, **_place: Any) -> Any:
    return overview(fault)


@bp.post("/schemes")
@requires("catalogue")
@form.answers_on(overview)
def add() -> ResponseReturnValue:
    """Read labels of one more pattern."""
    pattern, name = form.text("pattern", most=64, required=_("Enter a pattern.")), form.text("name", most=60)
    step = form.whole("step", least=1, most=max(STEPS))
    with write() as session:
        at = doors().now()
        scan.add_scheme(Context(session, g.actor, at), str(place().store_id), name, pattern, step)
    flash(_("The till now reads these labels."), "good")
    return _back()


@bp.post("/schemes/<scheme_id>/raise", endpoint="raise_scheme")
@requires("catalogue")
@form.answers_on(_refused)
def raise_scheme(scheme_id: str) -> ResponseReturnValue:
    """Try this scheme before the one above it."""
    with write() as session:
        scan.raise_scheme(acting(session), str(place().store_id), scheme_id)
    return _back()


@bp.post("/schemes/<scheme_id>/remove")
@requires("catalogue")
@form.answers_on(_refused)
def remove(scheme_id: str) -> ResponseReturnValue:
    """Read labels of this scheme no more."""
    with write() as session:
        scan.remove_scheme(acting(session), str(place().store_id), scheme_id)
    flash(_("The till no longer reads these labels."), "info")
    return _back()


@bp.post("/tares")
@requires("catalogue")
@form.answers_on(overview)
def tare() -> ResponseReturnValue:
    """Say what the box of a product weighs."""
    sku, grams = form.text("sku", most=80), form.whole("tare_grams", least=0, most=MOST_GRAMS)
    with write() as session:
        scale.set_tare(acting(session), str(place().store_id), sku, grams)
    flash(_("Tare saved."), "good")
    return redirect(url_for("weighed.overview", q=form.tidy(request.form.get("q", ""))[:80] or None) + "#tares", 303)


@bp.post("/practice")
@requires("catalogue")
@form.answers_on(overview)
def lay() -> ResponseReturnValue:
    """Lay something on the practice scale."""
    grams = form.whole("grams", least=0, most=MOST_GRAMS)
    found = scale_of(request.form.get("till_id", ""))
    if not isinstance(found, PracticeScale):
        raise Refused("real-scale", "This till has a scale connected. Place the product on it.")
    found.put(grams)
    return redirect(url_for("weighed.overview", weigh=1) + "#scale", 303)


# --- inside ---


def _back() -> ResponseReturnValue:
    return redirect(url_for("weighed.overview"), 303)


def _code() -> str:
    return request.args.get("code", "").strip(" \t\r\n")[: gs1.LONGEST]


def _tried(code: str) -> Tried | None:
    if not code:
        return None
    try:
        with read() as session:
            found = scan.read(session, str(place().store_id), code, today())
    except DomainError as fault:
        return Tried(fault=sentence_of(fault))
    return Tried(found.product.shown, _facts(found))


def _facts(found: Scanned) -> tuple[tuple[str, str], ...]:
    product = found.product
    facts = [(_("Quantity"), qty(found.qty, product.stock_unit))]
    if found.amount_minor is not None:
        facts.append((_("Price on the label"), money(found.amount_minor)))
    if found.batch:
        facts.append((_("Batch"), found.batch))
    if found.expires_on:
        facts.append((_("Good until"), found.expires_on.isoformat()))
    kinds = {
        "gtin": _("a catalog barcode"),
        "sku": _("the product’s own number"),
        "embedded": _("a label of the store"),
        "gs1": _("a GS1 code"),
    }
    return (*facts, (_("Read as"), kinds[found.source]))


def _way(row: scan.ScanScheme) -> Way:
    made = own_labels.scheme(row.pattern, row.step)
    value = min(SAMPLE[made.kind], 10**made.value.width - 1) * made.step
    number = "12345678"[: made.number.width]
    code = own_labels.build(made, number, value)
    means = {"weight": qty(value, "gram"), "price": money(value), "count": qty(value)}[made.kind]
    return Way(row.id, row.name, row.pattern, code, _pieces(made, code), means)


def _pieces(made: Scheme, code: str) -> list[Piece]:
    """Cut a sample into its fixed digits, its fields and the check digit."""
    digits = "0" + code if made.is_upc else code
    pieces: list[Piece] = []
    at = 1 if made.is_upc else 0
    for field in (*made.fields, None):
        until = field.start if field else 12
        if until > at:
            pieces.append(Piece("fixed", digits[at:until]))
        if field:
            pieces.append(Piece(field.kind, digits[field.start : field.start + field.width]))
            at = field.start + field.width
    return [*pieces, Piece("last", digits[12])]


def _weighed() -> Weighing | str:
    """Return what lies on the scale, or the sentence that says why it does not answer."""
    try:
        return scale_of(request.args.get("till_id", "")).weigh()
    except DomainError as fault:
        return sentence_of(fault)

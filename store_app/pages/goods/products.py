"""What this store sells: the list, and one product with its prices, cost, barcodes, wishes and label."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.words import LANGUAGES, language
from pos.catalogue import assortment, catalogue, public_products, quick_keys
from pos.catalogue.catalogue import Barcode, Listing, Price, Product
from pos.catalogue.public_products import CREDIT, SOURCE
from pos.documents import labels
from pos.stock import stock
from store_app.files import exporting
from store_app.files.products import NAMED
from store_app.pages.common import form, labelling
from store_app.pages.goods import product_list
from store_app.pages.goods.product_list import FILTERS, Asked
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.days import day_of
from store_app.web.presenting import day as day_text
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("products", __name__, url_prefix="/products")
bp.before_request(form.know_the_place)
ROWS = 50
HISTORY = 12
FILTER_WORDS = {
    "all": lazy("All"),
    "own": lazy("Our own"),
    "priceless": lazy("No price"),
    "codeless": lazy("No barcode"),
    "costless": lazy("No cost"),
    "unlisted": lazy("Not sold here"),
}
KIND_WORDS = {
    "goods": lazy("Product"),
    "deposit": lazy("Container deposit"),
    "service": lazy("Service (no stock)"),
    "voucher": lazy("Gift voucher"),
}
UNIT_WORDS = {"each": lazy("pieces"), "gram": lazy("weight, in grams"), "millilitre": lazy("volume, in milliliters")}
PER_WORDS = {"each": lazy("each"), "gram": lazy("per kg"), "millilitre": lazy("per liter")}

WIDE, HIGH, EDGE = 600, 120, 14


@dataclass(frozen=True)
class Dated:
    """A price as its line shows it. state: 'coming' | 'now' | 'past' | 'hidden' (the store's own goes before it)."""

    from_day: dt.date
    price_minor: int
    is_own: bool
    state: str


@dataclass(frozen=True)
class Step:
    """A place where the price changes: where in the picture, from which day, how much."""

    x: float
    y: float
    day: dt.date
    price_minor: int
    coming: bool


@dataclass(frozen=True)
class Chart:
    """A line in steps, past and coming apart. x of today."""

    past: str
    coming: str
    steps: list[Step]
    today_x: float
    wide: int = WIDE
    high: int = HIGH


@bp.get("/", endpoint="listed")
@requires("catalogue")
def listed() -> ResponseReturnValue:
    """List what this store sells, filtered by the address."""
    store_id, asked = str(place().store_id), asked_for()
    with read() as session:
        query = product_list.products(store_id, asked, today())
        found = form.paged(query.with_only_columns(Product.sku), ROWS)
        rows = product_list.rows(session, store_id, query.where(Product.sku.in_(found.items)), today())
        numbers = product_list.counts(session, store_id, today())
        top_categories = product_list.named(session, store_id, Product.category)
    return page(
        "goods/products/list.html",
        rows=rows,
        found=found,
        asked=asked,
        top_categories=top_categories,
        filters=[(show, FILTER_WORDS[show], numbers[show]) for show in FILTERS],
        per_words=PER_WORDS,
        page_address=lambda number: url_for("products.listed", page=number, **address_of(asked)),
        here=address_of(asked),
    )


@bp.get("/products.<suffix>")
@requires("catalogue")
def export(suffix: str) -> Response:
    """Give the list as a file: csv or xlsx, with the columns that can be brought in again."""
    if suffix not in ("csv", "xlsx"):
        raise NotFound("no-such-file", "File not found. Choose CSV or XLSX.")
    store_id, currency = str(place().store_id), place().currency
    money_columns = ("price", "cost")
    with read() as session:
        query = product_list.products(store_id, asked_for(), today())
        rows = [
            [
                exporting.cell(value, "money" if name in money_columns else "", currency)
                for name, value in zip(product_list.TABLE, row, strict=True)
            ]
            for row in product_list.table(session, store_id, query, today())
        ]
    answer = exporting.csv_answer if suffix == "csv" else exporting.xlsx_answer
    return answer(f"products-{today().isoformat()}", product_list.TABLE, rows)


@bp.get("/<sku>", endpoint="product")
@requires("catalogue")
def product(sku: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one product: price, cost, codes, what the store wishes for it, and what it is."""
    store_id, day = str(place().store_id), today()
    with read() as session:
        found = _found(session, store_id, sku)
        row, thing, tax, listing = found
        prices = assortment.prices_of(session, store_id, sku)
        codes = session.scalars(sa.select(Barcode).where(Barcode.sku == sku).order_by(Barcode.qty, Barcode.code)).all()
        level = stock.levels(session, store_id, [sku]).get(sku)
        deposit = session.get(Product, thing.deposit_sku) if thing.deposit_sku else None
        keys = [
            (shown.page, key.place) for shown in quick_keys.layout(session, store_id) for key in shown.keys
            if key.sku == sku
        ]  # fmt: skip
        priced = labelling.documents(session, [sku]) if row.price_minor is not None else []
        names = product_list.other_names(thing, catalogue.category_names(session))
        label = labels.label_svg(priced[0], place().language) if priced else None
    dated = _dated(prices, store_id, day)
    return page(
        "goods/products/product.html",
        row=row,
        product=thing,
        tax=tax,
        listing=listing,
        coming=[one for one in reversed(dated) if one.state == "coming"],
        history=[one for one in dated if one.state != "coming"][:HISTORY],
        chart=price_steps(dated, day),
        codes=codes,
        level=level,
        deposit=deposit,
        names=names,
        longest=assortment.LONGEST,
        languages=[language(code) for code in LANGUAGES if code != place().language],
        keys=keys,
        label=label,
        credited=row.is_own and any(public_products.of_code(doors().settings.state_folder, one.code) for one in codes),
        credit=CREDIT,
        source=SOURCE,
        per=PER_WORDS[thing.stock_unit],
        unit_word=UNIT_WORDS[thing.stock_unit],
        kind_word=KIND_WORDS[thing.kind],
        decimals=exponent(place().currency),
        typed=amount_text,
        fault=fault,
        asked=(request.endpoint or "").rpartition(".")[2],
    )


@bp.post("/<sku>/price")
@requires("catalogue")
@form.answers_on(product)
def price(sku: str) -> ResponseReturnValue:
    """Date a price of the store's own from a day on."""
    price_minor, from_day = form.amount("price", place().currency), day_typed("from_day")
    with write() as session:
        _found(session, str(place().store_id), sku)
        assortment.set_price(acting(session), str(place().store_id), sku, price_minor, from_day, today=today())
    if from_day == today():
        flash(_("The new price applies now. Print its label."), "good")
    else:
        flash(_("The new price starts on %(day)s.", day=day_text(from_day)), "good")
    return redirect(url_for("products.product", sku=sku), 303)


@bp.post("/<sku>/price/take-back")
@requires("catalogue")
@form.answers_on(product)
def take_price_back(sku: str) -> ResponseReturnValue:
    """Take a coming price back."""
    from_day = day_typed("day")
    with write() as session:
        assortment.withdraw_price(acting(session), str(place().store_id), sku, from_day, today=today())
    flash(_("Future price canceled."), "good")
    return redirect(url_for("products.product", sku=sku), 303)


@bp.post("/<sku>/wishes")
@requires("catalogue")
@form.answers_on(product)
def wishes(sku: str) -> ResponseReturnValue:
    """Settle whether the store sells it, what it keeps from the online store, and what it costs."""
    active, hold_back = request.form.get("sold") == "yes", form.whole("hold_back")
    cost_minor = form.amount("cost", place().currency) if request.form.get("cost", "").strip() else None
    with write() as session:
        _found(session, str(place().store_id), sku)
        assortment.settle(
            acting(session),
            str(place().store_id),
            sku,
            active=active,
            hold_back_qty=hold_back,
            cost_minor=cost_minor,
        )
    flash(_("Saved.") if active else _("Saved. The till no longer sells it."), "good")
    return redirect(url_for("products.product", sku=sku), 303)


@bp.post("/<sku>/codes")
@requires("catalogue")
@form.answers_on(product)
def add_code(sku: str) -> ResponseReturnValue:
    """Let a further barcode lead to the product, a pack's with how many are in it."""
    code = form.text("code", most=catalogue.LONGEST_CODE, required=_("Scan the barcode."))
    qty = form.whole("qty", least=1, most=1_000_000)
    try:
        with write() as session:
            assortment.add_code(acting(session), str(place().store_id), sku, code, qty)
    except DomainError as refusal:
        raise beside(refusal, "code") from refusal
    flash(_("Barcode %(code)s added.", code=code), "good")
    return redirect(url_for("products.product", sku=sku, _anchor="codes-title"), 303)


@bp.post("/<sku>/codes/remove")
@requires("catalogue")
@form.answers_on(product)
def remove_code(sku: str) -> ResponseReturnValue:
    """Let a barcode of the store's own product lead nowhere any more."""
    code = form.text("code", most=catalogue.LONGEST_CODE, required=_("Choose a barcode."))
    with write() as session:
        if session.get(Barcode, code) is not None:  # a second click finds it gone
            assortment.remove_code(acting(session), str(place().store_id), code)
    flash(_("Barcode %(code)s removed.", code=code), "good")
    return redirect(url_for("products.product", sku=sku, _anchor="codes-title"), 303)


@bp.post("/<sku>/names")
@requires("catalogue")
@form.answers_on(product)
def name(sku: str) -> ResponseReturnValue:
    """Say what a product of the store's own, its category and its department are called in other languages."""
    store_id = str(place().store_id)
    said = {
        of: {code: form.text(f"{of}_{code}", most=most) for code in LANGUAGES if f"{of}_{code}" in request.form}
        for of, most in assortment.LONGEST.items()
        if of in NAMED
    }
    with write() as session:
        ctx, thing = acting(session), assortment.own_product(session, store_id, sku)
        assortment.name_product(ctx, store_id, sku, said["name"])
        for of in ("category", "department"):
            catalogue.name_category(ctx, getattr(thing, of), said[of], owner_id=store_id)
    flash(_("Saved."), "good")
    return redirect(url_for("products.product", sku=sku), 303)


@bp.post("/<sku>/key")
@requires("catalogue")
@form.answers_on(product)
def touch_key(sku: str) -> ResponseReturnValue:
    """Put the product on the first free touch key of the first page."""
    with write() as session:
        quick_keys.put(acting(session), str(place().store_id), sku, 1)
    flash(_("Added to the touch keys."), "good")
    return redirect(url_for("products.product", sku=sku), 303)


@bp.post("/<sku>/label")
@requires("catalogue")
@form.answers_on(product)
def print_label(sku: str) -> ResponseReturnValue:
    """Queue the product's shelf label."""
    command = form.command_id()
    with write() as session:
        _found(session, str(place().store_id), sku)
        labelling.queue(session, [sku], command)
    flash(_("The label is printing."), "good")
    return redirect(url_for("products.product", sku=sku), 303)


# --- shared with the other pages of products ---


def asked_for() -> Asked:
    """Return what the address asks for."""
    given = {name: form.tidy(request.values.get(name, ""))[:120] for name in ("top_category", "brand", "tax")}
    show = request.values.get("show", "all")
    text = form.tidy(request.values.get("q", ""))[: form.WORDS]
    return Asked(text=text, show=show if show in FILTERS else "all", **given)


def address_of(asked: Asked) -> dict[str, Any]:
    """Return the arguments of an address that asks for the same."""
    show = "" if asked.show == "all" else asked.show
    found = {"q": asked.text, "top_category": asked.top_category, "brand": asked.brand, "tax": asked.tax, "show": show}
    return {name: value for name, value in found.items() if value}


def day_typed(name: str) -> dt.date:
    """Return the day of the form; Invalid beside its field."""
    if (found := day_of(form.tidy(request.values.get(name, ""))[:10])) is None:
        raise beside(Invalid("bad-day", "That is not a date. Choose one from the calendar."), name)
    return found


def beside(fault: DomainError, field: str) -> DomainError:
    """Return a refusal that is said beside a field, unless it names one itself."""
    fault.facts.setdefault("field", field)
    return fault


def amount_text(amount_minor: int | None) -> str:
    """Return an amount as it is typed: '12.50'; '' for none."""
    decimals = exponent(place().currency)
    return "" if amount_minor is None else f"{amount_minor / 10**decimals:.{decimals}f}"


def price_steps(dated: Sequence[Dated], day: dt.date, most: int = 12) -> Chart | None:
    """Return the picture of dated prices (from_day, price_minor, state; newest first); None for fewer than two.

    Prices that are hidden by the store's own have no step.
    """
    shown = [one for one in reversed(dated) if one.state != "hidden"][-most:]
    if len(shown) < 2:
        return None
    first = shown[0].from_day
    last = max(day, shown[-1].from_day) + dt.timedelta(days=7)
    span = max(1, (last - first).days)
    low, high = min(one.price_minor for one in shown), max(one.price_minor for one in shown)
    room = max(1, high - low)

    def across(when: dt.date) -> float:
        return round(EDGE + (WIDE - 2 * EDGE) * (when - first).days / span, 1)

    def up(minor: int) -> float:
        return round(HIGH - 2 * EDGE - (HIGH - 4 * EDGE) * (minor - low) / room, 1)

    found = [
        Step(across(one.from_day), up(one.price_minor), one.from_day, one.price_minor, one.state == "coming")
        for one in shown
    ]
    today_x = across(day)
    past = coming = ""
    for step, after in zip(found, [*found[1:], None], strict=True):
        until = after.x if after else across(last)
        if step.coming:
            coming += f"{'V' if coming else 'M'}{f'{step.x} ' if not coming else ''}{step.y} H{until} "
        else:
            cut = min(until, today_x) if after is None or after.coming else until
            past += f"{'V' if past else 'M'}{f'{step.x} ' if not past else ''}{step.y} H{cut} "
            if cut < until:
                coming += f"M{cut} {step.y} H{until} "
    return Chart(past.strip(), coming.strip(), found, today_x)


# --- inside ---


def _found(session: Session, store_id: str, sku: str) -> tuple[product_list.Row, Product, Any, Listing | None]:
    found = product_list.one(session, store_id, sku, today())
    if found is None:
        raise NotFound("unknown-product", "Product not found. Search by name.")
    return found


def _dated(prices: list[Price], store_id: str, day: dt.date) -> list[Dated]:
    """Return the prices, newest first.

    One network price below the store's own in force is hidden (pos.catalogue.catalogue 2).
    """
    answer: list[Dated] = []
    own_rules = any(one.scope_id == store_id and one.from_day <= day for one in prices)
    found_now = False
    for one in prices:
        is_own = one.scope_id == store_id
        if one.from_day > day:
            state = "coming" if is_own or not own_rules else "hidden"
        elif own_rules and not is_own:
            state = "hidden"
        else:
            state, found_now = ("past" if found_now else "now"), True
        answer.append(Dated(one.from_day, one.price_minor, is_own, state))
    return answer

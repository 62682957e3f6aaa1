"""One product, all on one page: price, stock, sales with their forecast, supplier, and what is done about each.

Rules
-----
1. Whoever may look at the stock may open it; each part shows and offers what the person may see and do.
2. A refused command answers on this page, beside its field; `asked` names the command.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.words import LANGUAGES, language
from pos.catalogue import assortment, catalogue, photos, public_products, quick_keys, shelf_labels
from pos.catalogue.catalogue import Barcode, Listing, Price, Product
from pos.catalogue.public_products import CREDIT, SOURCE
from pos.documents import labels
from pos.stock import batches, stock
from pos.stock import waste as wastes
from pos.stock.ledger import INSIDE, CountTask, Place, StockMovement
from store_app.files.products import NAMED
from store_app.pages.common import charts, find_product, form, labelling
from store_app.pages.goods import product_list
from store_app.pages.goods.products import KIND_WORDS, PER_WORDS, UNIT_WORDS, amount_text, beside, day_typed
from store_app.pages.goods.stock import inside, is_recorded
from store_app.runtime.doors import acting, doors, read, write
from store_app.web import presenting
from store_app.web.presenting import day as day_text
from store_app.web.presenting import page, place, qty, today
from store_app.web.security import can, requires
from store_app.words import stock as stock_words
from store_app.words import words
from store_app.words.forecast import age_sentence, forecast_sentences
from supply.demand import forecasts
from supply.online.storefront import product_stories
from supply.orders import order_days, suppliers, supply_routes
from supply.orders.lead_times import measured
from supply.replenishment import open_orders, service_targets
from supply.replenishment.service_targets import OrderPreference

bp = Blueprint("product", __name__, url_prefix="/products")
HISTORY, MOVES, SHOWN_DAYS, WEEK = 12, 20, 28, 7


@dataclass(frozen=True)
class Dated:
    """A price as its line shows it. state: 'coming' | 'now' | 'past' | 'hidden' (the store's own goes before it)."""

    from_day: dt.date
    price_minor: int
    is_own: bool
    state: str


@dataclass(frozen=True)
class MovementRow:
    """One movement of a product, in words. sign says whether the store got more or less."""

    at: dt.datetime
    words: str
    from_word: str
    to_word: str
    qty: int
    sign: str


@dataclass(frozen=True)
class Source:
    """A supplier that sells the product: its pack, and the days of the next order there."""

    supplier_id: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    order_day: dt.date
    delivery_day: dt.date


@bp.get("/<sku>", endpoint="page")
@requires("stock.look")
def show(sku: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one product: price, stock, sales and forecast, supplier, codes, label and what it is."""
    store_id, day = str(place().store_id), today()
    with read() as session:
        found = _found(session, store_id, sku)
        row, thing, tax, listing = found
        dated = _dated(assortment.prices_of(session, store_id, sku), store_id, day)
        codes = session.scalars(sa.select(Barcode).where(Barcode.sku == sku).order_by(Barcode.qty, Barcode.code)).all()
        deposit = session.get(Product, thing.deposit_sku) if thing.deposit_sku else None
        keys = [
            (shown.page, key.place) for shown in quick_keys.layout(session, store_id) for key in shown.keys
            if key.sku == sku
        ]  # fmt: skip
        priced = labelling.documents(session, [sku]) if row.price_minor is not None else []
        unhung = next(iter(shelf_labels.stops(session, store_id, day, skus=[sku])), None)
        names = product_list.other_names(thing, catalogue.category_names(session))
        label = labels.label_svg(priced[0], place().language) if priced else None
        pictured = photos.marks(session, store_id)
        parts = _stock(session, store_id, thing) | (_supply(session, store_id, thing) if can("order") else {})
    return page(
        "goods/product/page.html",
        row=row,
        photos=pictured,
        product=thing,
        tax=tax,
        listing=listing,
        coming=[one for one in reversed(dated) if one.state == "coming"],
        history=[one for one in dated if one.state != "coming"][:HISTORY],
        chart=price_steps(dated, day),
        codes=codes,
        deposit=deposit,
        names=names,
        longest=assortment.LONGEST,
        credited=row.is_own and any(public_products.of_code(doors().settings.state_folder, one.code) for one in codes),
        credit=CREDIT,
        source=SOURCE,
        languages=[language(code) for code in LANGUAGES if code != place().language],
        keys=keys,
        label=label,
        unhung=unhung,
        per=PER_WORDS[thing.stock_unit],
        per_words=PER_WORDS,
        unit_words=UNIT_WORDS[thing.stock_unit],
        kind_word=KIND_WORDS[thing.kind],
        decimals=exponent(place().currency),
        typed=amount_text,
        fault=fault,
        asked=(request.endpoint or "").rpartition(".")[2],
        **parts,
    )


@bp.post("/<sku>/price")
@requires("catalogue")
@form.answers_on(show)
def price(sku: str) -> ResponseReturnValue:
    """Date a price of the store's own from a day on."""
    price_minor, from_day = form.amount("price", place().currency), day_typed("from_day")
    with write() as session:
        _found(session, str(place().store_id), sku)
        assortment.set_price(acting(session), str(place().store_id), sku, price_minor, from_day, today=today())
    if from_day == today():
        flash(_("The new price applies now. Print its label."), "good")
    else:
        flash(_("The new price will start on %(day)s.", day=day_text(from_day)), "good")
    return _back(sku)


@bp.post("/<sku>/price/take-back")
@requires("catalogue")
@form.answers_on(show)
def take_price_back(sku: str) -> ResponseReturnValue:
    """Take a coming price back."""
    from_day = day_typed("day")
    with write() as session:
        assortment.withdraw_price(acting(session), str(place().store_id), sku, from_day, today=today())
    return form.done(_("Future price canceled."), ".page", sku=sku)


@bp.post("/<sku>/wishes")
@requires("catalogue")
@form.answers_on(show)
def wishes(sku: str) -> ResponseReturnValue:
    """Settle whether the store sells and orders it, what it keeps from the online store, and what it costs."""
    active, hold_back = request.form.get("sold") == "yes", form.whole("hold_back")
    ordered = request.form.get("ordered") == "yes"
    cost_minor = form.amount("cost", place().currency) if request.form.get("cost", "").strip() else None
    with write() as session:
        _found(session, str(place().store_id), sku)
        assortment.settle(
            acting(session),
            str(place().store_id),
            sku,
            active=active,
            ordered=ordered,
            hold_back_qty=hold_back,
            cost_minor=cost_minor,
        )
    return form.done(_("Saved.") if active else _("Saved. The till no longer sells it."), ".page", sku=sku)


@bp.post("/<sku>/codes")
@requires("catalogue")
@form.answers_on(show)
def add_code(sku: str) -> ResponseReturnValue:
    """Let a further barcode lead to the product, a pack's with how many are in it."""
    code = form.text("code", most=catalogue.LONGEST_CODE, required=_("Scan the barcode."))
    qty = form.whole("qty", least=1, most=1_000_000)
    try:
        with write() as session:
            assortment.add_code(acting(session), str(place().store_id), sku, code, qty)
    except DomainError as refusal:
        raise beside(refusal, "code") from refusal
    return form.done(_("Barcode %(code)s added.", code=code), ".page", sku=sku, _anchor="codes-title")


@bp.post("/<sku>/codes/remove")
@requires("catalogue")
@form.answers_on(show)
def remove_code(sku: str) -> ResponseReturnValue:
    """Let a barcode of the store's own product lead nowhere any more."""
    code = form.text("code", most=catalogue.LONGEST_CODE, required=_("Choose a barcode."))
    with write() as session:
        if session.get(Barcode, code) is not None:  # a second click finds it gone
            assortment.remove_code(acting(session), str(place().store_id), code)
    return form.done(_("Barcode %(code)s removed.", code=code), ".page", sku=sku, _anchor="codes-title")


@bp.post("/<sku>/names")
@requires("catalogue")
@form.answers_on(show)
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
    return form.done(_("Saved."), ".page", sku=sku)


@bp.post("/<sku>/key")
@requires("catalogue")
@form.answers_on(show)
def touch_key(sku: str) -> ResponseReturnValue:
    """Put the product on the first free touch key of the first page."""
    with write() as session:
        quick_keys.put(acting(session), str(place().store_id), sku, 1)
    return form.done(_("Added to the touch keys."), ".page", sku=sku)


@bp.post("/<sku>/label")
@requires("catalogue")
@form.answers_on(show)
def print_label(sku: str) -> ResponseReturnValue:
    """Queue the product's shelf label."""
    command = form.command_id()
    with write() as session:
        _found(session, str(place().store_id), sku)
        labelling.queue(session, [sku], command)
    return form.done(_("The label is printing."), ".page", sku=sku)


@bp.post("/<sku>/waste")
@requires("stock.waste")
@form.answers_on(show)
def waste(sku: str) -> ResponseReturnValue:
    """Write off what cannot be sold any more."""
    command, wasted, (reason, note) = form.command_id(), form.whole("qty", least=1), _waste_reason()
    from_place = form.one_of("place", INSIDE, sentence=_("Choose where it was."))
    with write() as session:
        product = find_product.product_of(session, sku)
        if not is_recorded(session, command):
            what = wastes.WriteOff(sku, wasted, reason, note, from_place=Place(from_place))
            wastes.write_off(acting(session), str(place().store_id), what, id=command)
    flash(_("Written off: %(qty)s of %(name)s.", qty=qty(wasted, product.stock_unit), name=product.shown), "good")
    return _back(sku, "stock-title", written=command)


@bp.post("/<sku>/preference")
@requires("settings")
@form.answers_on(show)
def set_preference(sku: str) -> ResponseReturnValue:
    """Keep what the shopkeeper wants of a product: room, show, service; an empty field follows from the policy."""
    room = form.whole("room", least=1) if request.form.get("room", "").strip() else None
    show = form.whole("show") if request.form.get("show", "").strip() else 0
    service = form.share("service") if request.form.get("service", "").strip() else None
    with write() as session:
        service_targets.set_preference(
            acting(session),
            str(place().store_id),
            sku,
            room_qty=room,
            show_qty=show,
            service_bp=service,
        )
    return form.done(_("Saved. Future suggestions will use it."), ".page", sku=sku, _anchor="preference-title")


@bp.get("/<sku>/outlook.json")
@requires("order")
def outlook(sku: str) -> ResponseReturnValue:
    """Give a chart its numbers: days as seconds of noon UTC, sold, where the shelf was empty, the forecast's band.

    Weighed goods count in kilograms and litres.
    """
    with read() as session:
        unit = find_product.product_of(session, sku).stock_unit
        seen = forecasts.as_seen(session, str(place().store_id), sku)
    size = 1 if unit == "each" else 1000
    past = {day: None if sold is None else sold / size for day, sold in seen["history"]}
    ahead = {day: (mean / size, high / size) for day, mean, _middle, high in seen["ahead"]}
    days = sorted({*past, *ahead})
    named = {"gram": _("Sold, kg"), "millilitre": _("Sold, l")}
    return jsonify(
        days=[_seconds(day) for day in days],
        sold=[past.get(day) for day in days],
        empty=[past.get(day) if day in seen["empty"] else None for day in days],
        high=[ahead[day][1] if day in ahead else None for day in days],
        expected=[ahead[day][0] if day in ahead else None for day in days],
        today=_seconds(today()),
        words={
            "language": presenting.language(),
            "day": _("Day"),
            "sold": named.get(unit, _("Sold")),
            "empty": _("Shelf empty part of the day"),
            "high": _("Busy-day limit"),
            "expected": _("Expected"),
            "today": _("today"),
        },
    )


def price_steps(dated: Sequence[Dated], day: dt.date, most: int = 12) -> dict[str, Any] | None:
    """Return the chart of dated prices (from_day, price_minor, state; newest first); None for fewer than two.

    Prices that are hidden by the store's own have no step.
    """
    shown = [one for one in reversed(dated) if one.state != "hidden"][-most:]
    if len(shown) < 2:
        return None
    last = max(day, shown[-1].from_day) + dt.timedelta(days=7)
    days = sorted({*(one.from_day for one in shown), max(day, shown[0].from_day), last})
    asked = [next(one.price_minor for one in reversed(shown) if one.from_day <= at) for at in days]
    lines = [charts.amounts(_("Price"), (minor if at <= day else None for at, minor in zip(days, asked, strict=True)))]
    if shown[-1].from_day > day:
        coming = (minor if at >= day else None for at, minor in zip(days, asked, strict=True))
        lines.append(charts.amounts(_("Planned price"), coming))
    return charts.drawing(_("Day"), [presenting.day(at) for at in days], *lines, days=days)


# --- inside ---


def _back(sku: str, part: str = "", *, written: str = "") -> ResponseReturnValue:
    """Go back to the product's page, to a part of it."""
    return redirect(url_for("product.page", sku=sku, written=written or None, _anchor=part or None), 303)


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


def _stock(session: Session, store_id: str, thing: Product) -> dict[str, Any]:
    """Return what the part of the stock shows: how many are where, lots, movements, and whether to count."""
    sku, may_count = thing.sku, can("stock.count")
    level = stock.levels(session, store_id, [sku])[sku]
    task = session.get(CountTask, (store_id, sku))
    rooms = inside(level.by_place) if may_count else []
    lots = batches.standing(session, store_id, [sku], day=today())[sku] if may_count else []
    moved = form.paged(_moved(store_id, sku), MOVES)
    return {
        "level": level,
        "places": [(words.place_word(name), stock_words.room_qty(number, thing.stock_unit)) for name, number in rooms],
        "task": words.count_reason(task.reason) if task is not None and task.done_at is None else None,
        "lots": lots if any(lot.batch_id for lot in lots) else [],
        "moved": moved,
        "movements": [_movement(one) for one in moved],
        "page_address": lambda number: url_for("product.page", sku=sku, page=number, _anchor="moves-title"),
        "unit_word": words.unit_word(thing.stock_unit),
        "waste_places": [(str(name), words.place_word(name)) for name in INSIDE if level.by_place.get(name, 0) > 0],
        "waste_reasons": stock_words.WASTE_REASONS,
    }


def _supply(session: Session, store_id: str, thing: Product) -> dict[str, Any]:
    """Return what the parts of sales and ordering show: history, forecast and its reasons, suppliers, deliveries."""
    sku, at = thing.sku, doors().now()
    seen = forecasts.as_seen(session, store_id, sku)
    preference = session.get(OrderPreference, (store_id, sku))
    sold = [number for _day, number in seen["history"] if number is not None]
    origin = seen["origin_day"]

    def shown(units: float) -> str:
        return qty(round(units) if units >= 10 else round(units, 1), thing.stock_unit)

    return {
        "past": [
            {"day": day, "sold": number, "empty": round(100 * seen["empty"].get(day, 0))}
            for day, number in seen["history"][: -1 - SHOWN_DAYS : -1]
        ],
        "ahead": [
            {"day": day, "expected": shown(mean), "high": shown(high)} for day, mean, _middle, high in seen["ahead"]
        ],
        "sold": (sum(sold), sum(number or 0 for _day, number in seen["history"][-WEEK:])),
        "sentence": age_sentence(max(0, (today() - origin).days - 1) if origin else None),
        "why": forecast_sentences(seen, shown),
        "sources": _sources(session, store_id, sku),
        "on_order": sorted(open_orders.to_come(session, store_id, at=at).coming.get(sku, {}).items()),
        "picture": next(iter(product_stories.pictures_of(session, store_id, sku)), None),
        "preference": {
            "room": preference.room_qty if preference and preference.room_qty else "",
            "show": preference.show_qty if preference and preference.show_qty else "",
            "service": f"{preference.service_bp / 100:g}" if preference and preference.service_bp else "",
        }
        | {name: request.form[name] for name in ("room", "show", "service") if name in request.form},
    }


def _sources(session: Session, store_id: str, sku: str) -> list[Source]:
    """Return who sells the product to this store, the next delivery first."""
    offers = [
        (one, terms)
        for one in supply_routes.suppliers_for(session, store_id)
        if one.active and (terms := suppliers.terms_of(session, one.id, sku, today())) is not None
    ]
    leads, at = measured(session, store_id, [one for one, _terms in offers], at=doors().now()), doors().now()
    found = []
    for one, terms in offers:
        days = order_days.next_days(session, one, store_id, leads[one.id].days, at)
        found.append(Source(one.id, one.name, terms.pack_qty, terms.pack_cost_minor, days.order_day, days.delivery_day))
    return sorted(found, key=lambda one: one.delivery_day)


def _waste_reason() -> tuple[str, str]:
    """Return the chosen reason and the person's own words; words alone are another reason."""
    own, choice = form.text("words"), request.form.get("reason", "")
    known = choice in wastes.REASONS and choice != "other"
    if not known and not own:
        raise Invalid("no-reason", "Choose a reason or write your own.", field="reason")
    return (choice if known else "other"), own


def _moved(store_id: str, sku: str) -> sa.Select[StockMovement]:
    return (
        sa.select(StockMovement)
        .where(StockMovement.store_id == store_id, StockMovement.sku == sku)
        .order_by(StockMovement.at.desc(), StockMovement.id.desc())
    )


def _movement(row: StockMovement) -> MovementRow:
    return MovementRow(
        at=row.at,
        words=words.movement_word(row.reason),
        from_word=words.place_word(row.from_place),
        to_word=words.place_word(row.to_place),
        qty=row.qty,
        sign={(True, False): "−", (False, True): "+"}.get((row.from_place in INSIDE, row.to_place in INSIDE), ""),
    )


def _seconds(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp())

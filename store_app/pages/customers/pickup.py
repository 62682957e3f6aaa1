"""The pickup counter: new, to pick, ready; and handing over to the customer who has the code."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.ids import new_id, tidy_pickup_code
from config.money import exponent, likely_notes, round_cash
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Product
from pos.payments import slip_numbers
from pos.payments.payments import Payment, Tendered
from pos.payments.tenders import CASH, PREPAID, offered, tender_of
from pos.sale.sale_request import SaleRequest
from pos.stock import recall, stock
from pos.store.store import Store
from pos.till import shift
from store_app.pages.common import form, lists, waiting
from store_app.pages.common.own_till import till_of
from store_app.pages.common.timeline import Step, timeline
from store_app.payments.providers import providers
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import RAIL_COUNTS, page, place, qty, since, state_word, today
from store_app.web.security import requires
from store_app.words import words
from supply.money import refunds
from supply.online import home_delivery
from supply.online.orders import (
    OPEN,
    STATES,
    PickupLine,
    PickupOrder,
    asked_back,
    kept_until,
    lines_of,
    open_orders,
    order_for_update,
)
from supply.online.pickup import counter_orders, delivery, handover, pickup, returns
from supply.online.storefront import availability, order_in
from supply.online.storefront.delivery_rules import fee_of
from supply.online.storefront.price import charged, promise_of
from supply.online.storefront.time_slots import FULL_TERM, LEAST_TERM, passed_on_at

bp = Blueprint("pickup", __name__, url_prefix="/pickup")
RAIL_COUNTS["pickups"] = waiting.pickups
OVER = [one for one in STATES.states if one not in OPEN]
PAST = lists.Table(
    "orders",
    (
        lists.Column("order_no", _l("Order"), by=PickupOrder.number, look="lead"),
        lists.Column("placed_at", _l("Ordered"), "time", by=PickupOrder.placed_at),
        lists.Column("collected_at", _l("Collected"), "time", by=PickupOrder.collected_at, shown=False, look="said"),
        lists.Column("state", _l("State"), by=PickupOrder.state, value=lambda one: state_word(one.state)),
        lists.Column("total_minor", _l("Total"), "money", by=PickupOrder.total_minor, look="sum"),
    ),
    (
        lists.Filter("q", _l("Order"), "text", lambda text: PickupOrder.order_no.icontains(text, autoescape=True)),
        lists.Filter(
            "state", _l("State"), "choice", lambda one: PickupOrder.state == one,
            [("", _l("Every state")), *((one, LazyString(state_word, one)) for one in OVER)],
        ),
    ),
    (PickupOrder.placed_at.desc(), PickupOrder.id.desc()),
)  # fmt: skip
"""The orders that are over."""
TO_PICK = ("accepted", "picking", "short")
JUST_NOW = dt.timedelta(minutes=1)
NOTES = (5, 10, 20, 50, 100)
MOST_SIMILAR = 8


@dataclass(frozen=True)
class LineView:
    """A line of an order. where_text: where to look for it; total_minor: all it costs, taxed, with its deposits."""

    sku: str
    name: str
    stock_unit: str
    qty: int
    picked_qty: int | None
    total_minor: int
    where_text: str
    minimum_age: int | None
    instead_of: str | None
    awaited: bool
    pack_qty: int | None
    """How many its supplier packs together, where it has to be ordered in."""
    similar: tuple[tuple[str, str], ...]
    """(SKU, name) of what could stand in for it."""


@dataclass(frozen=True)
class OrderView:
    """An order as cards and pages show it."""

    id: str
    order_no: str
    state: str
    customer_name: str
    customer_phone: str
    total_minor: int
    placed_at: dt.datetime
    hold_until: dt.datetime | None
    sale_id: str | None
    window_from: dt.datetime | None
    window_until: dt.datetime | None
    answer_by: dt.datetime | None
    return_until: dt.datetime | None
    if_short: str
    why: str
    is_paid: bool
    is_from_here: bool
    """Taken at the counter."""
    proved_at: dt.datetime | None
    """When its customer's code was scanned as it was handed over."""
    paid_on_at: dt.datetime | None
    """When the network passes on what was paid online, as far as is known here; None before the hand-over."""
    comes_on: dt.date | None
    when_text: str
    lines: list[LineView]


@bp.get("/")
@requires("pickup")
def orders(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what waits, by what there is to do, and the field for the customer's code."""
    store_id = str(place().store_id)
    with read() as look:
        found = [_view(look, order) for order in open_orders(look, store_id)]
        back = asked_back(look, store_id)
        to_bring = home_delivery.live_ids(look, store_id)
        brings_home = bool(to_bring) or delivery.rules_of(look, store_id).on
    return page(
        "customers/pickup/orders.html",
        new=[order for order in found if order.state == "placed"],
        to_pick=[order for order in found if order.state in TO_PICK],
        ready=[order for order in found if order.state == "ready"],
        asked_back=back,
        to_bring=to_bring,
        brings_home=brings_home,
        refuse_reasons=words.REFUSE_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.get("/past")
@requires("pickup")
def past() -> ResponseReturnValue:
    """Show the orders that are over, the newest first."""
    query = sa.select(PickupOrder).where(PickupOrder.store_id == str(place().store_id), PickupOrder.state.not_in(OPEN))
    with read():
        shown = lists.show(PAST, query)
    return shown.file or page("customers/pickup/past.html", shown=shown)


@bp.get("/<order_id>")
@requires("pickup")
def order(order_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one order, and what can be done with it."""
    with read() as look:
        found = _order(look, order_id)
        row = look.get_one(PickupOrder, (str(place().store_id), order_id))
        back_minor = counter_orders.due_back_minor(look, row)
        steps = timeline(look, f"pickup:{order_id}")
        home = home_delivery.of_order(look, row.store_id, order_id)
        left = returns.left_of(look, row) if row.sale_id else {}
        going_back = refunds.of_escrow(look, order_id)
        stopped = recall.off_sale(look, row.store_id) if row.state in OPEN else set()
    ordered = _("Ordered at the counter") if found.is_from_here else _("Ordered online")
    return page(
        "customers/pickup/order.html",
        order=found,
        checked=request.form.getlist("picked")
        if request.method == "POST"
        else [line.sku for line in found.lines if line.picked_qty == line.qty],
        steps=[Step(ordered, found.placed_at, found.customer_name or _("Customer"), ""), *steps],
        back_minor=back_minor,
        home=home,
        refuse_reasons=words.REFUSE_REASONS,
        cancel_reasons=words.CANCEL_REASONS,
        order_back=words.tender_choices("order-back"),
        pickup_back=words.tender_choices("pickup-back"),
        left=left,
        going_back=going_back,
        recalled=[line.name for line in found.lines if line.sku in stopped],
        may_return=bool(left) and found.return_until is not None and doors().now() < found.return_until,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/<order_id>/accept")
@requires("pickup")
@form.answers_on(order)
def accept(order_id: str) -> ResponseReturnValue:
    """Promise the customer the order."""
    return _do(order_id, pickup.accept, already=("accepted", *TO_PICK, "ready"), go="pickup.orders")


@bp.post("/<order_id>/refuse")
@requires("pickup")
@form.answers_on(order)
def refuse(order_id: str) -> ResponseReturnValue:
    """Say no to an order, with a reason the customer reads."""
    why = form.reason(words.REFUSE_REASONS)
    return _do(order_id, pickup.refuse, already=("refused",), go="pickup.orders", why=why)


@bp.post("/<order_id>/pick")
@requires("pickup")
@form.answers_on(order)
def pick(order_id: str) -> ResponseReturnValue:
    """Begin to gather an accepted order."""
    without = request.form.get("without") == "yes"
    return _do(order_id, pickup.start_picking, already=("picking",), without=without)


@bp.post("/<order_id>/picked")
@requires("pickup")
@form.answers_on(order)
def picked(order_id: str) -> ResponseReturnValue:
    """Note what was found; then the order is ready, or the customer is to be asked."""
    then = form.one_of("then", ("ready", "short", "cancelled"), sentence=_("Choose one of the two."))
    instead = {
        key.removeprefix("instead-"): sku for key, sku in request.form.items() if key.startswith("instead-") and sku
    }
    found, at, store_id = set(request.form.getlist("picked")), doors().now(), str(place().store_id)
    with write() as session:
        row = order_for_update(session, store_id, order_id)
        if row.state != then:
            lines = lines_of(session, row)
            missing = [line.name for line in lines if line.sku not in found]
            if then == "ready" and missing:
                raise Invalid("not-all-picked", "Not in the bag yet: %(names)s.", names=_(", ").join(missing))
            ctx = Context(session, g.actor, at)
            for line in lines:
                had = line.qty if line.sku in found else 0
                pickup.pick_line(ctx, store_id, order_id, line.sku, had)
            if then == "ready":
                pickup.ready(ctx, store_id, order_id)
            elif then == "cancelled":
                pickup.cancel(ctx, store_id, order_id, why="cancel-not-there")
            else:
                missed = {sku: other for sku, other in instead.items() if sku not in found}
                agreed = request.form.get("agreed") == "yes"
                pickup.short(ctx, store_id, order_id, instead=missed, agreed=agreed)
    if then == "short":
        return redirect(url_for("pickup.order", order_id=order_id), 303)
    if then == "cancelled":
        flash(_("%(no)s canceled. The customer has been notified.", no=row.order_no), "good")
    else:
        flash(_("%(no)s is ready. The customer can see it.", no=row.order_no), "good")
    return redirect(url_for("pickup.orders"), 303)


@bp.post("/<order_id>/ready")
@requires("pickup")
@form.answers_on(order)
def ready(order_id: str) -> ResponseReturnValue:
    """Put what there is into the bin; the customer agreed to less."""
    return _do(order_id, pickup.ready, already=("ready",), go="pickup.orders")


@bp.post("/<order_id>/cancel")
@requires("pickup")
@form.answers_on(order)
def cancel(order_id: str) -> ResponseReturnValue:
    """Call an order off; its units are free again."""
    why = form.reason(words.CANCEL_REASONS)
    return _do(order_id, pickup.cancel, already=("cancelled",), go="pickup.orders", why=why)


@bp.post("/find")
@requires("pickup")
@form.answers_on(orders)
def find() -> ResponseReturnValue:
    """Look for the order of a code; every try is counted."""
    code = form.text("code", most=400, required=_("Scan the customer’s code, or enter its eight characters."))
    if code.startswith("order:"):  # a slip or a bag of the store's own: look at it, hand nothing over
        return redirect(url_for("pickup.order", order_id=code.removeprefix("order:")), 303)
    code = code.rstrip("/").rpartition("/")[2]  # the QR holds the address of the customer's own page
    with read() as look:
        handover.hash_ahead(look, str(place().store_id), code, at=doors().now())
    with write() as session:
        found = handover.find(acting(session), str(place().store_id), code)
    order = found.or_raise().order
    assert order is not None
    if order.state != "ready":
        flash(_("%(no)s: %(state)s.", no=order.order_no, state=state_word(order.state)), "warn")
        return redirect(url_for("pickup.order", order_id=order.id), 303)
    browser["hand_over"] = [order.id, code]
    return redirect(url_for("pickup.hand_over", order_id=order.id), 303)


@bp.get("/<order_id>/hand-over")
@requires("pickup")
def hand_over(order_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what is in the bag and what to pay; needs the code that was just scanned or typed."""
    with read() as look:
        found = _order(look, order_id)
        store_id = str(place().store_id)
        is_open = shift.current(look, store_id, till_of(look, store_id)) is not None
    if _code_for(order_id) is None or found.state != "ready":
        return redirect(url_for("pickup.order", order_id=order_id), 303)
    decimals = exponent(place().currency)
    notes = [note * 10**decimals for note in NOTES]
    ages = [line.minimum_age for line in found.lines if line.minimum_age]
    with read() as look:
        days = availability.rules_of(look, store_id).return_days
    return page(
        "customers/pickup/hand_over.html",
        order=found,
        is_scanned=tidy_pickup_code(_code_for(order_id) or "") is None,
        days_proved=max(days, LEAST_TERM.days),
        days_unproved=max(days, FULL_TERM.days),
        is_open=is_open,
        minimum_age=max(ages, default=None),
        tenders=words.tender_choices("pickup"),
        exact_text=_amount_text(found.total_minor, decimals),
        likely=[_amount_text(amount, decimals) for amount in likely_notes(found.total_minor, notes)],
        command_id=request.form.get("command_id") or new_id(),
        currency=place().currency,
        fault=fault,
    )


@bp.post("/<order_id>/collect")
@requires("pickup")
@form.answers_on(hand_over)
def collect(order_id: str) -> ResponseReturnValue:
    """Ring the sale and hand the order over; the same command twice is one sale."""
    command = form.command_id()
    with read() as look:
        is_paid = _order(look, order_id).is_paid
    tender = PREPAID if is_paid else form.one_of("tender", offered("pickup"), sentence=_("Choose how it was paid."))
    given = form.amount("given", place().currency) if tender == CASH else 0
    slip = form.text("reference", most=40) if tender_of(tender).slip else ""
    slip_numbers.refuse_unnumbered([Tendered(tender, 1, slip)], providers(doors().settings))
    age = form.whole("age", most=150) if request.form.get("age") else None
    code = _code_for(order_id)
    if code is None:
        raise Invalid("no-code", "Scan or enter the customer’s code first.")
    store_id = str(place().store_id)
    with write() as session:
        row = order_for_update(session, store_id, order_id)
        total = _to_pay(session, row, tender)
        paid = (tender, given if tender == CASH else total, slip)
        asked = SaleRequest(command, store_id, till_of(session, store_id), [], [paid], total, age)
        found = handover.collect(acting(session), code, asked, order_id=order_id)
    found.or_raise()
    return redirect(url_for("pickup.done", order_id=order_id), 303)


@bp.get("/<order_id>/done")
@requires("pickup")
def done(order_id: str) -> ResponseReturnValue:
    """Show the change to give, large."""
    store_id = str(place().store_id)
    with read() as look:
        found = _order(look, order_id)
        change = look.scalar(
            sa.select(sa.func.sum(Payment.amount_minor)).where(
                Payment.store_id == store_id, Payment.sale_id == found.sale_id, Payment.is_change
            )
        )
    if found.sale_id is None:
        return redirect(url_for("pickup.order", order_id=order_id), 303)
    return page("customers/pickup/done.html", order=found, change_minor=-(change or 0), currency=place().currency)


# --- questions ---


# --- inside ---


def _do(order_id: str, verb: Any, *, already: tuple[str, ...], go: str = "", **given: Any) -> ResponseReturnValue:
    """Move an order unless a first click has; then go to the list or back to the order."""
    with write() as session:
        row = order_for_update(session, str(place().store_id), order_id)
        if row.state not in already:
            verb(acting(session), str(place().store_id), order_id, **given)
    return redirect(url_for(go) if go else url_for("pickup.order", order_id=order_id), 303)


def _code_for(order_id: str) -> str | None:
    found = browser.get("hand_over")
    return str(found[1]) if isinstance(found, list) and len(found) == 2 and found[0] == order_id else None


def _to_pay(session: Session, row: PickupOrder, tender: str) -> int:
    """Return what is to pay: cash is rounded to the smallest coin."""
    coin = session.get_one(Store, row.store_id).smallest_coin_minor
    return round_cash(row.total_minor, coin) if tender == CASH else row.total_minor


def _order(session: Session, order_id: str) -> OrderView:
    row = session.get(PickupOrder, (str(place().store_id), order_id))
    if row is None:
        raise NotFound("unknown-order", "Order not found at this store.")
    return _view(session, row, costed=True)


def _view(session: Session, row: PickupOrder, *, costed: bool = False) -> OrderView:
    lines = lines_of(session, row)
    skus = [line.sku for line in lines]
    products = {product.sku: product for product in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}
    levels = stock.levels(session, row.store_id, skus) if row.state == "picking" else {}
    packs = order_in.packs_of(session, row.store_id, today()) if any(line.awaited for line in lines) else {}
    taken = set(skus)
    similar = {
        sku: _similar(session, row.store_id, products[sku], taken)
        for sku in (skus if row.state == "picking" else ())
        if sku in products
    }
    costs = charged(session, promise_of(lines, fee_of(session, row))) if costed else {}
    return OrderView(
        id=row.id,
        order_no=row.order_no,
        state=row.state,
        customer_name=row.customer_name,
        customer_phone=row.customer_phone,
        total_minor=row.total_minor,
        placed_at=row.placed_at,
        hold_until=row.hold_until and kept_until(session.get_one(Store, row.store_id), row.hold_until),
        sale_id=row.sale_id,
        window_from=row.window_from,
        window_until=row.window_until,
        answer_by=row.answer_by,
        return_until=row.return_until,
        if_short=row.if_short,
        why=row.why,
        is_paid=row.paid_minor > 0,
        is_from_here=row.number < 0,
        proved_at=row.proved_at,
        paid_on_at=_paid_on_at(row),
        comes_on=row.comes_on if any(line.awaited for line in lines) else None,
        when_text=_("ordered %(when)s", when=since(row.placed_at))
        if doors().now() - row.placed_at >= JUST_NOW
        else _("ordered just now"),
        lines=[
            _line(
                line,
                products.get(line.sku),
                levels.get(line.sku),
                similar.get(line.sku, ()),
                packs.get(line.sku),
                costs.get(line.sku, 0),
            )
            for line in lines
        ],
    )


def _paid_on_at(row: PickupOrder) -> dt.datetime | None:
    if not row.paid_minor or row.number < 0 or row.collected_at is None or row.return_until is None:
        return None
    days = (row.return_until - row.collected_at).days
    return passed_on_at(row.collected_at, row.proved_at, days, row.window_from, row.window_until)


def _similar(session: Session, store_id: str, product: Product, taken: set[str]) -> tuple[tuple[str, str], ...]:
    """Return what of the same category and unit is there, the best sellers of the shelf first."""
    rows = session.execute(
        sa.select(Product.sku, Product.shown)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id, Listing.active))
        .where(
            Product.category == product.category, Product.stock_unit == product.stock_unit, Product.active,
            Product.price_quantity == product.price_quantity, Product.kind == "goods", Product.sku.not_in(taken),
        )
        .order_by(Product.name)
        .limit(60)
    ).all()  # fmt: skip
    levels = stock.levels(session, store_id, [sku for sku, _ in rows])
    return tuple((sku, name) for sku, name in rows if sku in levels and levels[sku].available > 0)[:MOST_SIMILAR]


def _line(
    line: PickupLine,
    product: Product | None,
    level: Any,
    similar: tuple[tuple[str, str], ...],
    pack_qty: int | None,
    total_minor: int,
) -> LineView:
    unit = product.stock_unit if product else "each"
    places = [(name, level.by_place.get(name, 0)) for name in ("shelf", "floor", "backroom")] if level else []
    return LineView(
        sku=line.sku,
        name=line.name,
        stock_unit=unit,
        qty=line.qty,
        picked_qty=line.picked_qty,
        total_minor=total_minor,
        where_text=" · ".join(f"{words.place_word(name)} {qty(number, unit)}" for name, number in places if number > 0),
        minimum_age=product.minimum_age if product else None,
        instead_of=line.instead_of,
        awaited=line.awaited,
        pack_qty=pack_qty,
        similar=similar,
    )


def _amount_text(amount_minor: int, decimals: int) -> str:
    if not decimals:
        return str(amount_minor)
    return f"{amount_minor // 10**decimals}.{amount_minor % 10**decimals:0{decimals}d}"

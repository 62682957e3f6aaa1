"""Goods in: what is expected, counting it line by line, and posting what came."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.nodes.journal import Context, JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product, TaxClass
from pos.catalogue.repricing import Priced, margin_bp
from pos.stock.batches import Lot
from pos.store.store import day_of
from store_app.pages.common import find_product, form, waiting
from store_app.pages.common.timeline import timeline
from store_app.runtime.doors import acting, doors, read, write
from store_app.web import presenting
from store_app.web.presenting import RAIL_COUNTS, clock_time, page, place, qty, state_word, today
from store_app.web.security import requires
from store_app.words import supply
from store_app.words import words as general_words
from supply.orders import claims
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier
from supply.receiving import receiving, vehicle_arrivals
from supply.receiving.notes import picture
from supply.receiving.vehicle_arrivals import DeliveryTracking

bp = Blueprint("receiving", __name__, url_prefix="/deliveries")
RAIL_COUNTS["deliveries"] = waiting.deliveries
PAST = 20
TURNED_HOURS = 48
"""So long the page says at its head that a vehicle turned back."""
WAITING = ("expected", "counting")


@dataclass(frozen=True)
class DeliveryView:
    """A delivery as a card or a head shows it."""

    id: str
    state: str
    supplier_name: str
    day_text: str
    is_due: bool
    lines: int
    source_text: str
    vehicle_text: str
    order_id: str | None
    posted_at: dt.datetime | None
    posted_by: str | None


@dataclass(frozen=True)
class LineView:
    """A line as the count page shows it. typed: what stands in the field.

    less_text: what was promised and why less comes, '' where nothing is missing; lots_text: of which lots it is made,
    '' where it is one; until, batch: what stands in the fields of one lot.
    """

    sku: str
    name: str
    stock_unit: str
    advised_qty: int
    advised_text: str
    counted_qty: int | None
    difference_why: str
    typed: str
    why_key: str
    until: str
    batch: str
    lots_text: str
    less_text: str


MOST_NEW_COSTS = 200


@dataclass(frozen=True)
class NewCost:
    """A product that costs more or less than before, per price quantity; margins in basis points, None unknown."""

    sku: str
    name: str
    before_minor: int
    cost_minor: int
    price_minor: int
    before_bp: int | None
    after_bp: int | None


@bp.get("/")
@requires("receive")
def deliveries(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what is on its way, and what was taken in last."""
    with read() as session:
        waiting = _views(session, Delivery.state.in_(WAITING), order=(Delivery.expected_day, Delivery.id), most=100)
        newest = (Delivery.posted_at.desc().nulls_last(), Delivery.id.desc())
        past = _views(session, Delivery.state.not_in(WAITING), order=newest, most=PAST)
    since = doors().now() - dt.timedelta(hours=TURNED_HOURS)
    turned = [one for one in past if one.state == "turned_back" and one.posted_at and one.posted_at > since]
    return page("orders/receiving/deliveries.html", waiting=waiting, past=past, turned=turned,
                reads_photos=picture.is_installed(), fault=fault)  # fmt: skip


@bp.get("/<delivery_id>")
@requires("receive")
def delivery(delivery_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one delivery: what is coming, the count, or what came."""
    looked_for = form.tidy(request.args.get("code", ""))[: form.WORDS]
    with read() as session:
        found = _views(session, Delivery.id == delivery_id, order=(Delivery.id,), most=1)
        if not found:
            raise NotFound("unknown-delivery", "Delivery not found at this store.")
        lines = _lines(session, delivery_id)
        row = session.get(Delivery, (str(place().store_id), delivery_id))
        costs = new_costs_of(session, row) if row is not None else []
        complaints = claims.claims_about(session, str(place().store_id), delivery_id)
        steps = timeline(session, f"delivery:{delivery_id}") if found[0].state == "refused" else []
        hit = _hit(session, looked_for) if looked_for else None
    here = _line_of(lines, looked_for, hit) if looked_for else None
    if here is not None and fault is None and request.args.get("at") != here.sku:
        there = url_for("receiving.delivery", delivery_id=delivery_id, code=looked_for, at=here.sku)
        return redirect(f"{there}#line-{here.sku}", 303)
    extra = None if here or hit is None else hit.product
    return page(
        "orders/receiving/delivery.html",
        delivery=found[0],
        lines=lines,
        claims=complaints,
        sent_back=steps[-1] if steps else None,
        costs=costs,
        differences=sum(line.counted_qty != line.advised_qty for line in lines),
        difference_reasons=general_words.DIFFERENCE_REASONS,
        send_back_reasons=general_words.SEND_BACK_REASONS,
        found_sku=here.sku if here else request.args.get("at"),
        extra=extra,
        looked_for=looked_for,
        not_here=None if here or not looked_for else _not_here(looked_for, extra.name if extra else ""),
        fault=fault,
    )


@bp.post("/<delivery_id>/begin")
@requires("receive")
@form.answers_on(delivery)
def begin(delivery_id: str) -> ResponseReturnValue:
    """Begin to count a delivery that is here."""
    with write() as session:
        if _state(session, delivery_id) != "counting":
            receiving.begin_count(acting(session), str(place().store_id), delivery_id)
    return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)


@bp.post("/<delivery_id>/count")
@requires("receive")
@form.answers_on(delivery)
def count(delivery_id: str) -> ResponseReturnValue:
    """Keep the count with what was scanned to it, and post it when asked to: everything or nothing.

    A form sent twice counts its scan once: it is added to the number the form shows.
    """
    text, sku_here = form.tidy(request.form.get("code", ""))[: form.WORDS], None
    buttons = ("post", "keep", "scan")
    then = "scan" if text else form.one_of("then", buttons, sentence=_("Choose one of the two."))
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        if then == "post" and _state(session, delivery_id) == "posted":
            return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)
        advised = {line.sku: line for line in _rows(session, delivery_id)}
        before: dict[str, int] = {}
        ctx = Context(session, g.actor, at)
        for sku, counted, why, until, batch, is_as_shown in _typed():
            line = advised.get(sku)
            before[sku] = 0 if is_as_shown else counted
            if line is not None and is_as_shown and until in (None, line.expires_on) and batch in (None, line.batch):
                continue
            if then == "post" and line is not None and counted != line.advised_qty and not why:
                raise Invalid(
                    "no-reason", "%(name)s: expected %(advised)s. Why is it different?", name=line.name,
                    advised=qty(line.advised_qty, waiting.stock_units(session, [sku]).get(sku, 'each')), sku=sku,
                )  # fmt: skip
            receiving.count_line(
                ctx,
                store_id,
                delivery_id,
                sku,
                counted,
                why=why,
                batch=batch,
                expires_on=until,
            )
        if text:
            sku_here = _scanned(session, delivery_id, text, before, at)
        if then == "post":
            receiving.post(ctx, store_id, delivery_id)
    if then == "scan":
        where = {"code": text} if text and sku_here is None else {"at": sku_here, "_anchor": f"line-{sku_here}"}
        return redirect(url_for("receiving.delivery", delivery_id=delivery_id, **(where if text else {})), 303)
    if then == "keep":
        return form.done(_("Your count is saved. Continue any time."), "receiving.deliveries", "info")
    flash(_("Received. The products are in the backroom and in your stock."), "good")
    return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)


@bp.post("/<delivery_id>/add")
@requires("receive")
@form.answers_on(delivery)
def add(delivery_id: str) -> ResponseReturnValue:
    """Put a product that came and nobody advised on the delivery, as the wrong one."""
    with write() as session:
        hit = find_product.find(session, request.form.get("code", ""))
        sku = hit.product.sku
        if all(line.sku != sku for line in _rows(session, delivery_id)):
            receiving.count_line(
                acting(session),
                str(place().store_id),
                delivery_id,
                sku,
                hit.qty or 0,
                batch=hit.batch,
                expires_on=hit.expires_on,
                why="difference-wrong",
            )
    return redirect(url_for("receiving.delivery", delivery_id=delivery_id, at=sku, _anchor=f"line-{sku}"), 303)


@bp.post("/<delivery_id>/refuse")
@requires("receive")
@form.answers_on(delivery)
def refuse(delivery_id: str) -> ResponseReturnValue:
    """Send a delivery back at the door."""
    why = form.reason(general_words.SEND_BACK_REASONS)
    with write() as session:
        if _state(session, delivery_id) != "refused":
            vehicle_arrivals.send_back(acting(session), str(place().store_id), delivery_id, why=why)
    return form.done(_("Sent back. Nothing was added to your stock."), "receiving.deliveries", "info")


def new_costs_of(session: Session, delivery: Delivery) -> list[NewCost]:
    """Return what posting a delivery learnt of costs, the worst first; what nobody knew before is no change."""
    if delivery.posted_at is None:
        return []
    goods = sa.select(sa.literal("product:") + DeliveryLine.sku).where(
        DeliveryLine.store_id == delivery.store_id, DeliveryLine.delivery_id == delivery.id
    )  # the journal is long, and found by its subjects
    entries = session.execute(
        sa.select(JournalEntry.subject, JournalEntry.body)
        .where(
            JournalEntry.subject.in_(goods), JournalEntry.node_id == delivery.store_id,
            JournalEntry.verb == "cost.learnt", JournalEntry.at == delivery.posted_at,
        )
        .limit(MOST_NEW_COSTS)
    ).all()  # fmt: skip
    reported = {subject.removeprefix("product:"): json.loads(body) for subject, body in entries}
    before = {sku: one["before_minor"] for sku, one in reported.items() if one.get("before_minor") is not None}
    prices = catalogue.prices_on(
        session, delivery.store_id, day_of(session, delivery.store_id, delivery.posted_at), list(before)
    )
    rows = session.execute(
        sa.select(Product, TaxClass)
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .where(Product.sku.in_(list(before)))
    )
    found = []
    for product, tax in rows:
        cost, price = int(reported[product.sku]["cost_minor"]), prices.get(product.sku, 0)
        margins = [
            margin_bp(Priced(price, minor, tax.rate_bp, tax.inclusive), price) for minor in (before[product.sku], cost)
        ]
        found.append(NewCost(product.sku, product.shown, before[product.sku], cost, price, *margins))
    return sorted(found, key=lambda one: (one.after_bp if one.after_bp is not None else 0, one.name))


# --- inside ---


def _scanned(session: Session, delivery_id: str, text: str, before: dict[str, int], at: dt.datetime) -> str | None:
    """Add what a code stands for to what was counted before; return the product of its line, None where there is none.

    A part of a name, and goods that are weighed, only lead to the line.
    """
    rows = {row.sku: row for row in _rows(session, delivery_id)}
    if (named := next((row.sku for row in rows.values() if text.lower() in row.name.lower()), None)) is not None:
        return named
    hit = _hit(session, text)
    if hit is None or hit.product.sku not in rows:
        return None
    sku = hit.product.sku
    if hit.qty is not None and any(letter.isdigit() for letter in text):
        scanned = Lot(sku, hit.qty, hit.batch, hit.expires_on)
        counted = before.get(sku, rows[sku].counted_qty or 0)
        receiving.count_scan(session, str(place().store_id), delivery_id, scanned, counted, at=at)
    return sku


def _hit(session: Session, text: str) -> find_product.Hit | None:
    """Return what a text stands for as the till reads it, None where that is no product."""
    try:
        return find_product.find(session, text)
    except NotFound:
        return None


def _typed() -> list[tuple[str, int, str, dt.date | None, str | None, bool]]:
    """Return (sku, counted, reason, last day of sale, batch, as shown) of every numbered line of the form.

    as shown: nobody had counted it, and the number is still the advised one; then it is still not counted.
    """
    typed = []
    for n in range(2000):
        sku = request.form.get(f"sku-{n}")
        if sku is None:
            break
        try:
            counted, until = form.whole(f"qty-{n}"), form.date_on_pack(f"until-{n}")
            batch = form.text(f"batch-{n}", most=40) or None
        except Invalid as fault:
            raise Invalid(fault.code, fault.sentence, **{**fault.facts, "sku": sku}) from fault
        choice = request.form.get(f"why-{n}", "")
        typed.append(
            (
                sku,
                counted,
                choice if choice in general_words.DIFFERENCE_REASONS else "",
                until,
                batch,
                request.form.get(f"shown-{n}") == str(counted),
            )
        )
    return typed


def _state(session: Session, delivery_id: str) -> str | None:
    found = session.get(Delivery, (str(place().store_id), delivery_id))
    return found.state if found else None


def _rows(session: Session, delivery_id: str) -> list[DeliveryLine]:
    return list(
        session.scalars(
            sa.select(DeliveryLine)
            .where(DeliveryLine.store_id == str(place().store_id), DeliveryLine.delivery_id == delivery_id)
            .order_by(DeliveryLine.name, DeliveryLine.sku)
        )
    )


def _lines(session: Session, delivery_id: str) -> list[LineView]:
    rows = _rows(session, delivery_id)
    skus = [row.sku for row in rows]
    units = waiting.stock_units(session, skus)
    views = []
    for n, row in enumerate(rows):
        unit = units.get(row.sku, "each")
        counted = row.advised_qty if row.counted_qty is None else row.counted_qty
        again = request.method == "POST" and request.form.get(f"sku-{n}") == row.sku
        views.append(
            LineView(
                sku=row.sku,
                name=row.name,
                stock_unit=unit,
                advised_qty=row.advised_qty,
                advised_text=_advised(row, unit),
                counted_qty=row.counted_qty,
                difference_why=row.difference_why,
                typed=request.form.get(f"qty-{n}", "") if again else str(counted),
                why_key=request.form.get(f"why-{n}", "") if again else row.difference_why,
                until=request.form.get(f"until-{n}", "")
                if again
                else row.expires_on.isoformat()
                if row.expires_on and not row.lots
                else "",
                batch=request.form.get(f"batch-{n}", "") if again else "" if row.lots else row.batch or "",
                lots_text=_lots(row, unit),
                less_text=_less(row, unit),
            )
        )
    return views


def _lots(row: DeliveryLine, unit: str) -> str:
    """Say how many units of a line are of which day."""
    lots = row.lots_of(row.advised_qty if row.counted_qty is None else row.counted_qty) if row.lots else []
    return _(", ").join(
        _("%(qty)s until %(day)s", qty=qty(lot.qty, unit), day=presenting.day(lot.expires_on))
        if lot.expires_on
        else _("%(qty)s without a date", qty=qty(lot.qty, unit))
        for lot in lots
    )


def _less(row: DeliveryLine, unit: str) -> str:
    """Say why less comes than was promised, as the sender told it."""
    if row.promised_qty is None:
        return ""
    why = supply.LESS_WORDS.get(row.less_why, _("Another reason"))
    return _("Promised: %(qty)s. Less is coming: %(why)s.", qty=qty(row.promised_qty, unit), why=str(why).lower())


def _advised(row: DeliveryLine, unit: str) -> str:
    packs, rest = divmod(row.advised_qty, row.pack_qty)
    if row.pack_qty > 1 and packs and not rest:
        return (
            f"{qty(row.advised_qty, unit)} ({general_words.packs_text(packs, row.pack_qty, qty(row.pack_qty, unit))})"
        )
    return qty(row.advised_qty, unit)


def _line_of(lines: list[LineView], text: str, hit: find_product.Hit | None) -> LineView | None:
    exact = (line for line in lines if hit is not None and line.sku == hit.product.sku)
    return next(exact, None) or next((line for line in lines if text.lower() in line.name.lower()), None)


def _views(session: Session, which: Any, *, order: Any, most: int) -> list[DeliveryView]:
    store_id = str(place().store_id)
    lines = (
        sa.select(sa.func.count())
        .where(DeliveryLine.store_id == store_id, DeliveryLine.delivery_id == Delivery.id)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(Delivery, Supplier.name, ReplenishmentOrder.order_no, lines)
        .outerjoin(Supplier, Supplier.id == Delivery.supplier_id)
        .outerjoin(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.id == Delivery.order_id),
        )
        .where(Delivery.store_id == store_id, which)
        .order_by(*order)
        .limit(most)
    ).all()
    calls = vehicle_arrivals.calls_of(session, store_id, [row.id for row, *_rest in rows])
    left = {delivery_id for delivery_id, call in calls.items() if call.state in ("delivered", "short")}
    return [
        DeliveryView(
            id=row.id,
            state=row.state,
            supplier_name=supplier or row.supplier_id,
            day_text=state_word("delivered") if row.id in left else _day_text(row.expected_day),
            is_due=row.state in WAITING and (row.id in left or row.expected_day <= today()),
            lines=number,
            source_text=_source(row, order_no),
            vehicle_text=_vehicle_text(calls.get(row.id)),
            order_id=row.order_id if order_no is not None else None,
            posted_at=row.posted_at,
            posted_by=row.posted_by,
        )
        for row, supplier, order_no, number in rows
    ]


def _day_text(day: dt.date) -> str:
    if day < today():
        return _("was due on %(day)s", day=presenting.day(day))
    return _("arrives %(day)s", day=general_words.day_or_weekday(day, today()))


def _vehicle_text(call: DeliveryTracking | None) -> str:
    """Return what the vehicle says of the delivery."""
    if call is None:
        return ""
    if call.state == "on_the_way":
        return _("%(vehicle)s is on its way, due about %(time)s.", vehicle=call.vehicle, time=clock_time(call.comes_at))
    said = {"vehicle": call.vehicle, "time": clock_time(call.reported_at), "who": call.receiver or call.driver}
    if call.state == "delivered":
        return _("%(vehicle)s left it with %(who)s at %(time)s.", **said)
    if call.state == "short":
        return _("%(vehicle)s left it with %(who)s at %(time)s, incomplete: %(note)s.", note=call.note, **said)
    if call.state == "not_reached":
        return _(
            "%(vehicle)s did not reach you: %(note)s. Your order stays reserved and will come with a later vehicle.",
            vehicle=call.vehicle, note=call.note,
        )  # fmt: skip
    return _("%(vehicle)s took it back at %(time)s: %(note)s.", vehicle=call.vehicle, time=said["time"], note=call.note)


def _source(row: Delivery, order_no: int | None) -> str:
    if claims.replaces(row.id):
        return _("Replacement after a claim")
    if row.network_offer_id:
        return _("An offer you accepted")
    return _("Order %(no)s", no=order_no) if order_no is not None else _("Without an order")


def _not_here(looked_for: str, name: str) -> str:
    """Say that nobody advised what was scanned and what to do with it; name: the product's, '' where none is known."""
    if not name:
        return _("“%(text)s” is not on this delivery. Set it aside and ask the supplier.", text=looked_for)
    return _(
        "%(name)s is not on this delivery. Add it as a wrong product, or set it aside and ask the supplier.",
        name=name,
    )

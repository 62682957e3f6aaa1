"""Goods in: what is expected, counting it line by line, and posting what came."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, ShopError
from pos.catalogue import Barcode
from store_app import presenting, wording
from store_app.extensions import doors, read, wake_worker_after, write
from store_app.pages import form, new_costs, waiting
from store_app.presenting import RAIL_COUNTS, clock_time, page, place, qty, state_word, today
from store_app.security import requires
from supply import claim_book, receiving, van_calls
from supply.orders import ReplenishmentOrder
from supply.receiving import Delivery, DeliveryLine
from supply.suppliers import Supplier
from supply.van_calls import VanCall

bp = Blueprint("receiving", __name__, url_prefix="/deliveries")
bp.before_request(form.know_the_place)
RAIL_COUNTS["deliveries"] = waiting.deliveries
PAST = 20
TURNED_HOURS = 48
"""So long the page says at its head that a van turned back."""
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
    van_text: str
    order_id: str | None
    posted_at: dt.datetime | None
    posted_by: str | None


@dataclass(frozen=True)
class LineView:
    """A line as the count page shows it. typed: what stands in the field; codes: barcodes that jump to it.

    lots_text: of which lots it is made, '' where it is one.
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
    lots_text: str
    codes: str


@bp.get("/")
@requires("receive")
def deliveries(fault: ShopError | None = None) -> Any:
    """Show what is on its way, and what was taken in last."""
    with read() as session:
        waiting = _views(session, Delivery.state.in_(WAITING), order=(Delivery.expected_day, Delivery.id), most=100)
        newest = (Delivery.posted_at.desc().nulls_last(), Delivery.id.desc())
        past = _views(session, Delivery.state.not_in(WAITING), order=newest, most=PAST)
    since = doors().now() - dt.timedelta(hours=TURNED_HOURS)
    turned = [one for one in past if one.state == "turned_back" and one.posted_at and one.posted_at > since]
    return page("receiving/deliveries.html", waiting=waiting, past=past, turned=turned, fault=fault)


@bp.get("/<delivery_id>")
@requires("receive")
def delivery(delivery_id: str, fault: ShopError | None = None) -> Any:
    """Show one delivery: what is coming, the count, or what came."""
    looked_for = form.tidy(request.args.get("code", ""))[: form.WORDS]
    with read() as session:
        found = _views(session, Delivery.id == delivery_id, order=(Delivery.id,), most=1)
        if not found:
            raise NotFound("unknown-delivery", _("There is no such delivery in this shop."))
        lines = _lines(session, delivery_id)
        row = session.get(Delivery, (str(place().store_id), delivery_id))
        costs = new_costs.of_delivery(session, row) if row is not None else []
        complaints = claim_book.claims_about(session, str(place().store_id), delivery_id)
    here = _line_of(lines, looked_for) if looked_for else None
    if here is not None and fault is None and request.args.get("at") != here.sku:
        there = url_for("receiving.delivery", delivery_id=delivery_id, code=looked_for, at=here.sku)
        return redirect(f"{there}#line-{here.sku}", 303)
    return page(
        "receiving/delivery.html",
        delivery=found[0],
        lines=lines,
        claims=complaints,
        costs=costs,
        differences=sum(line.counted_qty != line.advised_qty for line in lines),
        difference_reasons=wording.DIFFERENCE_REASONS,
        send_back_reasons=wording.SEND_BACK_REASONS,
        found_sku=here.sku if here else None,
        not_here=None
        if here or not looked_for
        else _("“%(text)s” is not on this delivery. Put it aside and ask the supplier.", text=looked_for),
        fault=fault,
    )


@bp.post("/<delivery_id>/begin")
@requires("receive")
@form.answers_on(delivery)
def begin(delivery_id: str) -> Any:
    """Begin to count a delivery that is here."""
    with write() as session:
        if _state(session, delivery_id) != "counting":
            receiving.begin_count(session, str(place().store_id), delivery_id, actor=g.actor, at=doors().now())
    return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)


@bp.post("/<delivery_id>/count")
@requires("receive")
@form.answers_on(delivery)
def count(delivery_id: str) -> Any:
    """Keep the count, and post it when asked to: everything or nothing."""
    then = form.one_of("then", ("post", "keep"), sentence=_("Press one of the two buttons."))
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        if then == "post" and _state(session, delivery_id) == "posted":
            return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)
        advised = {line.sku: line for line in _rows(session, delivery_id)}
        for sku, counted, why, until in _typed():
            line = advised.get(sku)
            if then == "post" and line is not None and counted != line.advised_qty and not why:
                raise Invalid(
                    "no-reason",
                    _("%(name)s: %(advised)s was advised. Say why it is different.", name=line.name,
                      advised=qty(line.advised_qty, waiting.stock_units(session, [sku]).get(sku, "each"))),
                    sku=sku,
                )  # fmt: skip
            receiving.count_line(
                session, store_id, delivery_id, sku, counted, why=why, expires_on=until, actor=g.actor, at=at
            )
        if then == "post":
            receiving.post(session, store_id, delivery_id, actor=g.actor, at=at)
            wake_worker_after(session)
    if then == "keep":
        flash(_("The count is kept. Go on whenever you like."), "info")
        return redirect(url_for("receiving.deliveries"), 303)
    flash(_("Taken in: the goods are in the backroom and in your stock."), "good")
    return redirect(url_for("receiving.delivery", delivery_id=delivery_id), 303)


@bp.post("/<delivery_id>/refuse")
@requires("receive")
@form.answers_on(delivery)
def refuse(delivery_id: str) -> Any:
    """Send a delivery back at the door."""
    why = form.reason(wording.SEND_BACK_REASONS)
    with write() as session:
        if _state(session, delivery_id) != "refused":
            van_calls.send_back(session, str(place().store_id), delivery_id, why=why, actor=g.actor, at=doors().now())
        wake_worker_after(session)
    flash(_("Sent back: nothing of it is in your stock."), "info")
    return redirect(url_for("receiving.deliveries"), 303)


# --- inside ---


def _typed() -> list[tuple[str, int, str, dt.date | None]]:
    """Return (sku, counted, reason, last day of sale) of every numbered line of the form."""
    typed = []
    for n in range(2000):
        sku = request.form.get(f"sku-{n}")
        if sku is None:
            break
        try:
            counted, until = form.whole(f"qty-{n}"), form.date(f"until-{n}")
        except Invalid as fault:
            raise Invalid(fault.code, fault.message, **{**fault.facts, "sku": sku}) from fault
        choice = request.form.get(f"why-{n}", "")
        typed.append(
            (
                sku,
                counted,
                str(wording.DIFFERENCE_REASONS[choice]) if choice in wording.DIFFERENCE_REASONS else "",
                until,
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
    codes: dict[str, list[str]] = {}
    for sku, code in session.execute(sa.select(Barcode.sku, Barcode.code).where(Barcode.sku.in_(skus))):
        codes.setdefault(sku, [sku.lower()]).append(code)
    words = {str(words): key for key, words in wording.DIFFERENCE_REASONS.items()}
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
                why_key=request.form.get(f"why-{n}", "") if again else words.get(row.difference_why, ""),
                until=request.form.get(f"until-{n}", "")
                if again
                else row.expires_on.isoformat()
                if row.expires_on and not row.lots
                else "",
                lots_text=_lots(row, unit),
                codes=" ".join(codes.get(row.sku, [row.sku.lower()])),
            )
        )
    return views


def _lots(row: DeliveryLine, unit: str) -> str:
    """Say how many units of a line are of which day."""
    lots = row.lots_of(row.advised_qty if row.counted_qty is None else row.counted_qty) if row.lots else []
    return _(", ").join(
        _("%(qty)s until %(day)s", qty=qty(lot.qty, unit), day=presenting.day(lot.expires_on))
        if lot.expires_on
        else _("%(qty)s without a day", qty=qty(lot.qty, unit))
        for lot in lots
    )


def _advised(row: DeliveryLine, unit: str) -> str:
    packs, rest = divmod(row.advised_qty, row.pack_qty)
    if row.pack_qty > 1 and packs and not rest:
        return f"{qty(row.advised_qty, unit)} ({wording.packs_text(packs, row.pack_qty, qty(row.pack_qty, unit))})"
    return qty(row.advised_qty, unit)


def _line_of(lines: list[LineView], text: str) -> LineView | None:
    text = text.lower()
    exact = (line for line in lines if text in line.codes.split())
    return next(exact, None) or next((line for line in lines if text in line.name.lower()), None)


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
    calls = van_calls.calls_of(session, store_id, [row.id for row, *_rest in rows])
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
            van_text=_van_text(calls.get(row.id)),
            order_id=row.order_id if order_no is not None else None,
            posted_at=row.posted_at,
            posted_by=row.posted_by,
        )
        for row, supplier, order_no, number in rows
    ]


def _day_text(day: dt.date) -> str:
    if day < today():
        return _("was due on %(day)s", day=presenting.day(day))
    return _("comes %(day)s", day=wording.day_or_weekday(day, today()))


def _van_text(call: VanCall | None) -> str:
    """Return what the van says of the delivery."""
    if call is None:
        return ""
    if call.state == "on_the_way":
        return _("%(van)s is on the way: here about %(time)s.", van=call.van, time=clock_time(call.comes_at))
    said = {"van": call.van, "time": clock_time(call.told_at), "who": call.receiver or call.driver}
    if call.state == "delivered":
        return _("%(van)s left it with %(who)s at %(time)s.", **said)
    if call.state == "short":
        return _("%(van)s left it with %(who)s at %(time)s, short: %(note)s.", note=call.note, **said)
    if call.state == "not_reached":
        return _(
            "%(van)s did not reach you: %(note)s. The goods are promised as before and come with a later van.",
            van=call.van, note=call.note,
        )  # fmt: skip
    return _("%(van)s took it back at %(time)s: %(note)s.", van=call.van, time=said["time"], note=call.note)


def _source(row: Delivery, order_no: int | None) -> str:
    if claim_book.replaces(row.id):
        return _("Replacement after a claim")
    if row.push_id:
        return _("An offer you accepted")
    return _("Order %(no)s", no=order_no) if order_no is not None else _("Without an order")

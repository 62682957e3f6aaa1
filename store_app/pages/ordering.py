"""Orders: what is proposed and why, changing it, approving and sending it, and what became of it."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import NotFound, ShopError
from pos.catalogue import Product
from store_app import wording
from store_app.extensions import doors, read, wake_worker_after, write
from store_app.pages import baskets, form, waiting
from store_app.pages.timeline import timeline
from store_app.presenting import RAIL_COUNTS, language, number, page, place, qty, today
from store_app.security import requires
from store_app.wording_forecast import forecast_sentences
from supply import forecasts, replenishment
from supply import orders as supply_orders
from supply.demand import DailyDemand, StoreDay
from supply.forecasts import ForecastQuantile, ForecastRun
from supply.orders import ReplenishmentOrder

bp = Blueprint("ordering", __name__, url_prefix="/orders")
bp.before_request(form.know_the_place)
RAIL_COUNTS["orders"] = waiting.orders
HISTORY_DAYS = 56
TO_DECIDE = ("proposed", "approved")
LATER = tuple(state for state in supply_orders.STATES.states if state != "proposed")


@bp.get("/")
@requires("order")
def orders(fault: ShopError | None = None) -> Any:
    """Show what is to decide now, offers first, then the orders so far."""
    store_id = str(place().store_id)
    with read() as session:
        names = baskets.supplier_names(session)
        proposals = [_view(session, row) for row in baskets.orders_in(session, store_id, ["proposed"])]
        rows = [
            {
                "id": row.id,
                "order_no": row.order_no,
                "state": row.state,
                "delivery_day": row.delivery_day,
                "cost_minor": row.cost_minor,
                "supplier_name": names.get(row.supplier_id, row.supplier_id),
            }
            for row in baskets.orders_in(session, store_id, LATER)
        ]
        offers = baskets.offers(session, store_id)
        sentence = baskets.forecast_sentence(session, store_id, today=today())
    return page(
        "ordering/orders.html",
        proposals=sorted(proposals, key=lambda view: (view.delivery_day, view.supplier_name)),
        orders=rows,
        offers=offers,
        forecast_sentence=sentence,
        change_reasons=wording.CHANGE_REASONS,
        decline_reasons=wording.DECLINE_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.get("/<order_id>")
@requires("order")
def order(order_id: str, fault: ShopError | None = None, **_place: Any) -> Any:
    """Show one order: to decide, or what was ordered and what happened."""
    with read() as session:
        view = _view(session, _row(session, order_id))
        steps = timeline(session, f"order:{order_id}")
    return page(
        "ordering/order.html",
        order=view,
        steps=steps,
        change_reasons=wording.CHANGE_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/propose")
@requires("order")
@form.answers_on(orders)
def propose() -> Any:
    """Work out proposals now, in place of those nobody confirmed yet."""
    form.command_id()
    with write() as session:
        made = replenishment.propose(session, str(place().store_id), actor=g.actor, at=doors().now())
    if made:
        flash(ngettext("%(num)d proposal is ready.", "%(num)d proposals are ready.", len(made)), "good")
    else:
        flash(_("Nothing needs ordering just now: the stock lasts beyond the next van."), "info")
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<order_id>/approve")
@requires("order")
@form.answers_on(order)
def approve(order_id: str) -> Any:
    """Approve an order and send it; a second click finds it sent."""
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        row = _row(session, order_id)
        if row.state == "proposed":
            replenishment.approve(session, store_id, order_id, actor=g.actor, at=at)
        if row.state not in supply_orders.ON_THE_WAY or row.state == "approved":
            supply_orders.send(session, store_id, order_id, actor=g.actor, at=at)
        wake_worker_after(session)
    flash(_("Order %(no)s is sent.", no=row.order_no), "good")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/<order_id>/drop")
@requires("order")
@form.answers_on(order)
def drop(order_id: str) -> Any:
    """Drop an order nobody sent yet, with a reason."""
    why = form.text("why", required=_("Say why, so that the next proposal can learn from it."))
    with write() as session:
        row = _row(session, order_id)
        if row.state != "dropped":
            replenishment.drop(session, str(place().store_id), order_id, why=why, actor=g.actor, at=doors().now())
    flash(_("Order %(no)s is dropped.", no=row.order_no), "info")
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<order_id>/lines/<sku>")
@requires("order")
@form.answers_on(order)
def change(order_id: str, sku: str) -> Any:
    """Change how many packs of a line are ordered, with a reason."""
    packs, why = form.whole("packs", most=999), form.reason(wording.CHANGE_REASONS)
    with write() as session:
        replenishment.change(
            session, str(place().store_id), order_id, sku, packs=packs, why=why, actor=g.actor, at=doors().now()
        )
    if request.form.get("from") == "ordering.orders":
        return redirect(url_for("ordering.orders", _anchor=f"line-{sku}"), 303)
    return redirect(url_for("ordering.order", order_id=order_id, _anchor=f"line-{sku}"), 303)


@bp.get("/products/<sku>/outlook.json")
@requires("order")
def outlook(sku: str) -> Any:
    """Give a chart its numbers: days as seconds of noon UTC, sold, and the forecast with its band."""
    with read() as session:
        _ware(session, sku)
        past, ahead = _past(session, sku), _ahead(session, sku)
    days = sorted({*past, *ahead})
    return jsonify(
        days=[_seconds(day) for day in days],
        sold=[past.get(day) for day in days],
        high=[ahead[day][1] if day in ahead else None for day in days],
        middle=[ahead[day][0] if day in ahead else None for day in days],
        today=_seconds(today()),
        words={
            "language": language(),
            "day": _("Day"),
            "sold": _("Sold"),
            "high": _("Nine days in ten stay below"),
            "middle": _("Most likely"),
            "today": _("today"),
        },
    )


@bp.get("/products/<sku>")
@requires("order")
def outlook_page(sku: str) -> Any:
    """Show the same numbers as a table."""
    with read() as session:
        product = _ware(session, sku)
        past, ahead = _past(session, sku), _ahead(session, sku)
        why = forecasts.as_seen(session, str(place().store_id), sku, days=1)["why"]
        sentence = baskets.forecast_sentence(session, str(place().store_id), today=today())
    return page(
        "ordering/outlook.html",
        product=product,
        past=[{"day": day, "sold": past[day]} for day in sorted(past, reverse=True)[:28]],
        ahead=[
            {"day": day, "middle": number(middle, 1), "high": number(high, 1)}
            for day, (middle, high) in sorted(ahead.items())
        ],
        sentence=sentence,
        why=forecast_sentences(why, lambda units: qty(units if units >= 10 else round(units, 1), product.stock_unit)),
    )


# --- inside ---


def _row(session: Session, order_id: str) -> ReplenishmentOrder:
    found = session.get(ReplenishmentOrder, (str(place().store_id), order_id))
    if found is None:
        raise NotFound("unknown-order", _("There is no such order in this shop."))
    return found


def _view(session: Session, row: ReplenishmentOrder) -> baskets.OrderView:
    return baskets.order_view(session, row, today=today(), currency=place().currency)


def _ware(session: Session, sku: str) -> Product:
    found = session.get(Product, sku)
    if found is None:
        raise NotFound("unknown-product", _("There is no such product here. Search for it by name."))
    return found


def _past(session: Session, sku: str) -> dict[dt.date, int | None]:
    """Return what was sold on each day the shop knows of: 0 on open days without a sale, None when it was closed."""
    store_id, since = str(place().store_id), today() - dt.timedelta(days=HISTORY_DAYS)
    days: dict[dt.date, int | None] = {
        day: 0 if was_open else None
        for day, was_open in session.execute(
            sa.select(StoreDay.business_day, StoreDay.open).where(
                StoreDay.store_id == store_id, StoreDay.business_day >= since
            )
        )
    }
    sold = session.execute(
        sa.select(DailyDemand.business_day, DailyDemand.sold_qty).where(
            DailyDemand.store_id == store_id, DailyDemand.sku == sku, DailyDemand.business_day >= since
        )
    )
    return days | dict(sold.all())


def _ahead(session: Session, sku: str) -> dict[dt.date, tuple[float, float]]:
    """Return the forecast of single days: most likely (mean) and the day only one in ten is above."""
    run_id = session.scalar(
        sa.select(ForecastRun.id)
        .where(ForecastRun.scope_id == str(place().store_id), ForecastRun.state == "published")
        .order_by(ForecastRun.origin_day.desc())
        .limit(1)
    )
    rows = session.execute(
        sa.select(ForecastQuantile.first_day, ForecastQuantile.mean, ForecastQuantile.q90).where(
            ForecastQuantile.run_id == run_id,
            ForecastQuantile.sku == sku,
            ForecastQuantile.first_day == ForecastQuantile.last_day,
        )
    )
    return {day: (mean, high) for day, mean, high in rows}


def _seconds(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp())

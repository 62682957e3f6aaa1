"""Find a receipt, see what of it can come back, take goods back with it or without."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify, request
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound
from config.ids import is_id
from config.nodes.journal import Context
from pos.payments.payments import Payment
from pos.sale import refund_routes, returns
from pos.sale.sale_request import BlindReturnRequest, ReturnRequest
from pos.sold import Completed, Sale, SaleLine, lines_of, newest_first
from pos.till.counter import habits_of
from store_app.api.bodies import BackBody, BlindReturnBody, ReturnBody, ReturnPlanBody, asks, takes
from store_app.api.sales import done_json, open_for_practice
from store_app.practice.practice import booked
from store_app.runtime.doors import acting, doors, read, wake_worker_after
from store_app.web.days import day_of
from store_app.web.security import requires

bp = Blueprint("api_returns", __name__, url_prefix="/api")
MOST_FOUND = 20


@bp.get("/receipts")
@requires("sell")
@asks(no="receipt number", day="YYYY-MM-DD", sku="a product on it", text="a product's word, or a gift receipt's code")
def find() -> Response:
    """Find sales by receipt number (`no`), day, SKU, or `text`: a product's word, or a gift receipt's code."""
    with read() as session:
        found = list(session.scalars(_query(doors().settings.node_id)))
    return jsonify(sales=[_found_json(row) for row in found])


@bp.get("/sales/<sale_id>/returnable")
@requires("sell")
def returnable(sale_id: str) -> Response:
    """Answer what of a sale can still come back, line by line."""
    store_id = doors().settings.node_id
    with read() as session:
        found = session.get(Sale, (store_id, sale_id))
        if found is None or found.kind == "return":
            raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=sale_id)
        back = refund_routes.returned_qty(session, store_id, sale_id)
        lines = [_line_json(line, back.get(line.n, 0)) for line in lines_of(session, found) if line.qty > 0]
        tenders = _tenders(session, found)
    return jsonify(_found_json(found) | {"lines": lines, "tenders": tenders})


@bp.post("/returns/plan")
@requires("sell")
@takes(ReturnPlanBody)
def plan(body: ReturnPlanBody) -> Response:
    """Answer how the money of these lines would go back; nothing is written and nobody is asked for money.

    return_id: the id the return must have, that of one for which money was given back already, else the page's own.
    ways: how: account, given (by a terminal, before), ask (the payment of payment_id), hand.
    """
    store_id, lines = doors().settings.node_id, [(line.n, line.qty) for line in body.lines]
    with read() as session:
        receipt = refund_routes.look(session, store_id, body.sale_id, body.tender)
        return_id = receipt.under_way or _checked(body.id)
        coin_minor = habits_of(session, store_id).smallest_coin_minor
        planned = returns.planned(receipt, lines, body.tender, return_id, coin_minor=coin_minor)
    ways = [dataclasses.asdict(way) for way in planned.ways]
    return jsonify(return_id=return_id, total_minor=planned.total_minor, ways=ways)


@bp.post("/returns")
@requires("sell")
@takes(ReturnBody)
def take_back(body: ReturnBody) -> Response:
    """Take goods back with their receipt; the same id again answers the same return."""
    wanted = ReturnRequest(
        id=_checked(body.id),
        store_id=doors().settings.node_id,
        till_id=body.till_id,
        sale_id=body.sale_id,
        lines=[(line.n, line.qty, line.restock) for line in body.lines],
        tender=body.tender,
        reference=body.reference,
        why=body.why,
        approvals=body.approvals,
        customer_id=body.customer_id,
    )
    return _booked(body, partial(returns.take_back, request=wanted))


@bp.post("/returns/blind")
@requires("sell")
@takes(BlindReturnBody)
def take_back_blind(body: BlindReturnBody) -> Response:
    """Take goods back without a receipt, by those who may."""
    wanted = BlindReturnRequest(
        id=_checked(body.id),
        store_id=doors().settings.node_id,
        till_id=body.till_id,
        lines=[(line.sku, line.qty, line.price_minor, line.restock) for line in body.lines],
        why=body.why,
        tender=body.tender,
        reference=body.reference,
        approvals=body.approvals,
        customer_id=body.customer_id,
    )
    return _booked(body, partial(returns.take_back_blind, request=wanted))


# --- inside ---


def _checked(given: str) -> str:
    if not is_id(given):
        raise Invalid("bad-sale-id", "A sale ID has 8 to 40 letters, digits or hyphens.")
    return given


def _booked(body: BackBody, take: Callable[[Context], Completed]) -> Response:
    with booked(body.till_id, practice=body.practice) as session:
        if body.practice:
            open_for_practice(session, doors().settings.node_id, body.till_id)
        done = take(acting(session))
        reported = done_json(session, done, practice=body.practice)
        wake_worker_after(session)
    answer = jsonify(reported)
    answer.status_code = 200 if reported["repeated"] else 201
    return answer


def _query(store_id: str) -> sa.Select[Any]:
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.kind != "return")
    asked = {name: request.args.get(name, "").strip()[:80] for name in ("no", "day", "sku", "text")}
    if asked["no"]:
        query = query.where(Sale.receipt_no == _number(asked["no"]))
    if asked["day"]:
        query = query.where(Sale.business_day == _day(asked["day"]))
    if asked["sku"] or asked["text"]:
        fits = SaleLine.sku == asked["sku"] if asked["sku"] else SaleLine.name.icontains(asked["text"], autoescape=True)
        bought = sa.exists().where(SaleLine.store_id == Sale.store_id, SaleLine.sale_id == Sale.id, fits)
        query = query.where(sa.or_(Sale.id == asked["text"], bought) if is_id(asked["text"]) else bought)
    return newest_first(query).limit(MOST_FOUND)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Invalid("bad-receipt-no", "A receipt number has digits only. Enter it as printed.", no=text)
    return int(text)


def _day(text: str) -> dt.date:
    if (found := day_of(text)) is None:
        raise Invalid("bad-day", "Enter a date such as 2026-03-02.", day=text)
    return found


def _found_json(row: Sale) -> dict[str, Any]:
    return {
        "id": row.id,
        "receipt_no": row.receipt_no,
        "till_id": row.till_id,
        "kind": row.kind,
        "business_day": row.business_day.isoformat(),
        "completed_at": row.completed_at.isoformat(),
        "cashier_name": row.cashier_name,
        "total_minor": row.total_minor,
        "customer_id": row.customer_id,
    }


def _line_json(line: SaleLine, back_qty: int) -> dict[str, Any]:
    names = (
        "n",
        "sku",
        "name",
        "qty",
        "stock_unit",
        "unit_price_minor",
        "price_quantity",
        "total_minor",
        "kind",
        "deposit_of",
    )
    return {name: getattr(line, name) for name in names} | {"left": line.qty - back_qty}


def _tenders(session: Session, found: Sale) -> dict[str, int]:
    query = sa.select(Payment.tender, sa.func.sum(Payment.amount_minor)).where(
        Payment.store_id == found.store_id, Payment.sale_id == found.id, Payment.state == "captured"
    )
    return {tender: int(minor) for tender, minor in session.execute(query.group_by(Payment.tender))}

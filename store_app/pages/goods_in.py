"""Goods without an order: in by hand, line by line with a scanner; and back to the supplier."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Invalid, ShopError
from config.money import exponent
from pos import goods_in
from pos.catalogue import Product
from pos.goods_in import GoodsLine, LineSum
from store_app.extensions import doors, read, write
from store_app.pages import form, wares
from store_app.presenting import page, place, today
from store_app.security import requires
from supply.suppliers import Supplier

bp = Blueprint("goods_in", __name__, url_prefix="/stock/in")
bp.before_request(form.know_the_place)


@bp.get("/")
@requires("stock.receive")
def notes(fault: ShopError | None = None) -> Any:
    """Show the notes being scanned and those that are over, and the form that begins one."""
    store_id = str(place().store_id)
    with read() as session:
        rows = goods_in.notes(session, store_id, limit=40)
        known = goods_in.suppliers_known(session, store_id)
        known += [
            name for name in session.scalars(sa.select(Supplier.name).order_by(Supplier.name)) if name not in known
        ]
        sizes = _sizes(session, store_id, [row.id for row in rows])
    return page(
        "goods_in/notes.html",
        at_work=[row for row in rows if row.state == "open"],
        over=[row for row in rows if row.state != "open"],
        sizes=sizes,
        suppliers=known,
        fault=fault,
    )


@bp.post("/")
@requires("stock.receive")
@form.answers_on(notes)
def begin() -> Any:
    """Begin a note."""
    command = form.command_id()
    way = form.one_of("way", goods_in.WAYS, sentence=_("Choose whether goods come in or go back."))
    name = form.text("supplier", most=80, required=_("Say who brings it, or takes it back."))
    with write() as session:
        goods_in.begin(
            session, str(place().store_id), id=command, way=way, supplier_name=name, why=form.text("words", most=80),
            paper_no=form.text("paper", most=80), actor=g.actor, at=doors().now(),
        )  # fmt: skip
    return redirect(url_for("goods_in.note", note_id=command), 303)


@bp.get("/<note_id>")
@requires("stock.receive")
def note(note_id: str, fault: ShopError | None = None) -> Any:
    """Show a note: the scan field, the last line with its details, and all lines."""
    text = form.tidy(request.values.get("code", ""))[: form.WORDS]
    with read() as session:
        found = goods_in.note_of(session, str(place().store_id), note_id)
        lines = goods_in.sums_of(session, found)
        asked = session.get(Product, request.values.get("sku", "")) if request.values.get("sku") else None
        several = fault is not None and fault.code == "several-products"
        options = wares.choices(session, text) if several else []
    ns = request.values.get("ns", "")
    chosen = next((line for line in lines if ns == _key(line)), lines[0] if lines else None)
    costs = [line.total_cost_minor for line in lines if line.total_cost_minor is not None]
    return page(
        "goods_in/note.html",
        "lines",
        note=found,
        lines=[(line, _key(line)) for line in lines],
        chosen=chosen,
        chosen_key=_key(chosen) if chosen else "",
        asked=asked,
        options=options,
        total_minor=sum(costs) if costs else None,
        without_cost=len(lines) - len(costs),
        cost_text=_amount_text(chosen.total_cost_minor if chosen else None),
        unit_words={"gram": "g", "millilitre": "ml", "each": _("pieces")},
        earliest=(today() - dt.timedelta(days=366)).isoformat(),
        latest=(today() + dt.timedelta(days=3660)).isoformat(),
        currency=place().currency,
        fault=fault,
    )


@bp.post("/<note_id>/scan")
@requires("stock.receive")
@form.answers_on(note)
def scan(note_id: str) -> Any:
    """Keep one scan; a weighed product asks for its weight."""
    command, store_id = form.command_id(), str(place().store_id)
    times = form.whole("times", least=1, most=9999) if request.form.get("times") else 1
    with write() as session:
        hit = wares.find(session, request.form.get("code", ""))
        if hit.qty is not None:
            goods_in.add(
                session, store_id, note_id, hit.product.sku, hit.qty * times, line_id=command, batch=hit.batch,
                expires_on=hit.expires_on, actor=g.actor, at=doors().now(),
            )  # fmt: skip
    sku = hit.product.sku if hit.qty is None else None
    return redirect(url_for("goods_in.note", note_id=note_id, sku=sku), 303)


@bp.post("/<note_id>/add")
@requires("stock.receive")
@form.answers_on(note)
def add(note_id: str) -> Any:
    """Keep a typed quantity of a chosen product."""
    command, units = form.command_id(), form.whole("qty", least=1)
    with write() as session:
        ware = wares.ware_of(session, request.form.get("product", ""))
        goods_in.add(
            session, str(place().store_id), note_id, ware.sku, units, line_id=command, actor=g.actor, at=doors().now()
        )
    return redirect(url_for("goods_in.note", note_id=note_id), 303)


@bp.post("/<note_id>/line")
@requires("stock.receive")
@form.answers_on(note)
def change(note_id: str) -> Any:
    """Keep what stands on pack and paper for a line: quantity, last day, batch, and what it cost together."""
    store_id, ns = str(place().store_id), _scans(request.form.get("ns", ""))
    if request.form.get("then") == "strike":
        with write() as session:
            goods_in.strike(session, store_id, note_id, ns)
        return redirect(url_for("goods_in.note", note_id=note_id), 303)
    units, batch, last_day = form.whole("qty", least=1), form.text("batch", most=40), form.date("expires_on")
    total = form.amount("cost", place().currency) if request.form.get("cost", "").strip() else None
    with write() as session:
        ware = wares.ware_of(session, request.form.get("product", ""))
        cost = None if total is None else goods_in.cost_of(total, units, ware.price_quantity)
        goods_in.change(
            session, store_id, note_id, ns, units, cost_minor=cost, batch=batch or None, expires_on=last_day,
            actor=g.actor, at=doors().now(),
        )  # fmt: skip
    return redirect(url_for("goods_in.note", note_id=note_id), 303)


@bp.post("/<note_id>/post")
@requires("stock.receive")
@form.answers_on(note)
def post(note_id: str) -> Any:
    """Book the note, or give it up."""
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        found = goods_in.note_of(session, store_id, note_id)
        if request.form.get("then") == "drop":
            if found.state != "dropped":
                goods_in.drop(session, store_id, note_id, actor=g.actor, at=at)
        elif found.state != "posted":
            goods_in.post(session, store_id, note_id, actor=g.actor, at=at)
    if request.form.get("then") == "drop":
        flash(_("Given up: nothing of it is in your stock."), "info")
        return redirect(url_for("goods_in.notes"), 303)
    flash(
        _("Taken in: the goods are in the backroom and in your stock.")
        if found.way == "in"
        else _("Sent back: the goods are out of your stock."),
        "good",
    )
    return redirect(url_for("goods_in.note", note_id=note_id), 303)


# --- inside ---


def _sizes(session: Session, store_id: str, ids: list[str]) -> dict[str, int]:
    query = sa.select(GoodsLine.note_id, sa.func.count(sa.distinct(GoodsLine.sku))).where(
        GoodsLine.store_id == store_id, GoodsLine.note_id.in_(ids)
    )
    return dict(session.execute(query.group_by(GoodsLine.note_id)).all())


def _key(line: LineSum) -> str:
    return "-".join(str(n) for n in line.ns)


def _scans(text: str) -> list[int]:
    parts = text.split("-")[:2000]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise Invalid("bad-choice", _("Choose a line of this note."), field="ns")
    return [int(part) for part in parts]


def _amount_text(minor: int | None) -> str:
    """Return an amount as it is typed."""
    if minor is None:
        return ""
    decimals = exponent(place().currency)
    whole, rest = divmod(minor, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)

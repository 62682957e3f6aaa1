"""Shelf labels with the phone: the walk from label to label, and the inspection of a random sample."""

import datetime as dt
import secrets
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.money import MAX_MINOR
from pos.catalogue import catalogue, shelf_labels
from pos.catalogue.catalogue import Product
from pos.catalogue.label_walk import PASSING_BP, Stop, in_order
from pos.catalogue.shelf_labels import LabelLook, Shown
from store_app.pages.common import find_product, form, labelling
from store_app.pages.goods import product_list
from store_app.pages.goods.products import PER_WORDS
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from supply.shelf import plan

bp = Blueprint("shelf_labels", __name__, url_prefix="/labels")
AHEAD, LISTED = 8, 20
ONE_WALK = dt.timedelta(hours=12)
"""A label looked at within it is not visited again on a walk past all labels."""
VERDICTS = {
    "right": lazy("Right"), "over": lazy("Overcharge"), "under": lazy("Undercharge"), "missing": lazy("No label"),
}  # fmt: skip


@bp.get("/")
@requires("shelf")
def walk(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what the last scan found and where to go next."""
    store_id, day, scope = str(place().store_id), today(), _scope()
    text, sku = form.tidy(request.form.get("code", ""))[: form.WORDS], request.values.get("sku", "")
    with read() as session:
        stops = _ahead(session, store_id, scope)
        last = session.get(LabelLook, (store_id, request.args["look"])) if request.args.get("look") else None
        seen = session.get(Product, last.sku) if last else None
        asked = session.get(Product, sku) if sku else None
        asked_minor = catalogue.price_on(session, store_id, sku, day) if asked else None
        several = fault is not None and fault.code == "several-products"
        options = find_product.choices(session, text) if several else []
    return page(
        "goods/labels/walk.html",
        "walking",
        scope=scope,
        stops=stops[:AHEAD],
        many=len(stops),
        last=last,
        seen=seen,
        asked=asked if asked_minor is not None else None,
        asked_minor=asked_minor,
        options=options,
        most=labelling.MOST_LABELS,
        longest=shelf_labels.LONGEST_PLACE,
        per_words=PER_WORDS,
        fault=fault,
    )


@bp.post("/scan")
@requires("shelf")
@form.answers_on(walk)
def scan() -> ResponseReturnValue:
    """Look at a scanned label; a product's own barcode says no price, so the page asks what the label shows."""
    command, text, scope = form.command_id(), form.tidy(request.form.get("code", "")), _scope()
    shown = shelf_labels.read_code(text)
    if shown is not None:
        return _looked(shown, command, scope)
    with read() as session:
        sku = find_product.find(session, text).product.sku
    return redirect(url_for(".walk", sku=sku, **scope), 303)


@bp.post("/look")
@requires("shelf")
@form.answers_on(walk)
def look() -> ResponseReturnValue:
    """Keep what a person reads on a label: the price asked for, another one, or that no label hangs."""
    command, sku, scope = form.command_id(), form.text("product", most=80), _scope()
    says = form.one_of("says", ("price", "other", "none"), sentence=_("Choose what the label shows."))
    with read() as session:
        per = find_product.product_of(session, sku).price_quantity
    if says == "none":
        return _looked(Shown(sku, None), command, scope)
    price_minor = form.whole("minor", most=MAX_MINOR) if says == "price" else form.amount("price", place().currency)
    return _looked(Shown(sku, price_minor, per), command, scope)


@bp.post("/print")
@requires("shelf")
@form.answers_on(walk)
def print_labels() -> ResponseReturnValue:
    """Queue the label of one product, or of all on the walk, in its order."""
    command, only, scope = form.command_id(), request.form.get("product", ""), _scope()
    with write() as session:
        skus = [only] if only else [stop.sku for stop in _ahead(session, str(place().store_id), scope)]
        many = labelling.queue(session, skus, command)
    return form.done(ngettext("Printing %(num)d label.", "Printing %(num)d labels.", many), ".walk", **scope)


@bp.post("/hung")
@requires("shelf")
def hung() -> ResponseReturnValue:
    """Say that the labels of the prices that begin today hang at the shelf."""
    command, store_id = form.command_id(), str(place().store_id)
    with write() as session:
        skus = product_list.beginning(session, store_id, today())
        many = shelf_labels.hang_all(acting(session), store_id, skus, today(), command=command)
    flash(ngettext("%(num)d label is on the shelf.", "%(num)d labels are on the shelf.", many), "good")
    return redirect(url_for("prices.labels"), 303)


@bp.get("/inspections")
@requires("shelf")
def inspections(fault: DomainError | None = None) -> ResponseReturnValue:
    """List the inspections with what each found, and the form that draws a sample."""
    store_id = str(place().store_id)
    with read() as session:
        pages = form.paged(shelf_labels.inspections(session, store_id), LISTED)
        rows = [(row, shelf_labels.accuracy(shelf_labels.looks(session, store_id, row.id))) for row in pages.items]
    return page(
        "goods/labels/inspections.html", found=pages, rows=rows, sizes=shelf_labels.SIZES, limit=PASSING_BP,
        page_address=lambda number: url_for(".inspections", page=number), fault=fault,
    )  # fmt: skip


@bp.post("/inspections")
@requires("shelf")
@form.answers_on(inspections)
def draw() -> ResponseReturnValue:
    """Draw a sample by a seed nobody chose."""
    command, size = form.command_id(), form.whole("size", most=max(shelf_labels.SIZES))
    with write() as session:
        shelf_labels.draw(
            acting(session), str(place().store_id), today(), id=command, size=size, seed=secrets.randbits(31)
        )
    return redirect(url_for(".inspection", inspection_id=command), 303)


@bp.get("/inspections/<inspection_id>")
@requires("shelf")
def inspection(inspection_id: str) -> ResponseReturnValue:
    """Show the sheet of an inspection: accuracy against the limit, and each label of the sample."""
    store_id = str(place().store_id)
    with read() as session:
        found = shelf_labels.inspection_of(session, store_id, inspection_id)
        looks = shelf_labels.looks(session, store_id, found.id)
        query = sa.select(Product.sku, Product.shown, Product.stock_unit).where(Product.sku.in_(found.skus))
        known = {row.sku: row for row in session.execute(query)}
    rows = [(known[sku], looks.get(sku)) for sku in found.skus if sku in known]
    return page(
        "goods/labels/inspection.html", inspection=found, result=shelf_labels.accuracy(looks), verdicts=VERDICTS,
        rows=sorted(rows, key=lambda row: (row[0].shown, row[0].sku)), per_words=PER_WORDS, limit=PASSING_BP,
    )  # fmt: skip


# --- inside ---


def _scope() -> dict[str, Any]:
    """Return which labels are walked past, and where the person stands, as the address has it."""
    said = {
        "all": "1" if request.args.get("all") else "",
        "inspection": request.args.get("inspection", "")[: form.WORDS],
        "place": form.tidy(request.args.get("place", ""))[: shelf_labels.LONGEST_PLACE],
    }
    return {name: value for name, value in said.items() if value}


def _ahead(session: Session, store_id: str, scope: dict[str, Any]) -> list[Stop]:
    """Return the labels still to look at, in the order of the walk; the bestseller shelf is a place, too."""
    day, everything, skus = today(), "all" in scope, None
    since = doors().now() - ONE_WALK if everything else None
    if "inspection" in scope:
        found = shelf_labels.inspection_of(session, store_id, scope["inspection"])
        done = shelf_labels.looks(session, store_id, found.id)
        everything, skus, since = True, [sku for sku in found.skus if sku not in done], None
    slots, last = plan.ranks(session, store_id), shelf_labels.last_seen(session, store_id)
    stops = [
        replace(stop, place=_("Bestseller shelf"), position=slots[stop.sku])
        if not stop.place and stop.sku in slots
        else stop
        for stop in shelf_labels.stops(session, store_id, day, everything=everything, skus=skus, unseen_since=since)
    ]
    return in_order(stops, (last.place, last.position) if last else None)


def _looked(shown: Shown, command: str, scope: dict[str, Any]) -> ResponseReturnValue:
    with write() as session:
        shelf_labels.look_at(
            acting(session), str(place().store_id), shown, today(), id=command, place=scope.get("place", ""),
            inspection_id=scope.get("inspection", ""),
        )  # fmt: skip
    return redirect(url_for(".walk", look=command, **scope), 303)

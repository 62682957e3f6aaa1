"""The bestseller shelf: as it stands, the next plan with its reasons, what to bring, and the labels."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue import catalogue, photos
from pos.catalogue.catalogue import Listing, Product
from pos.documents import labels
from pos.stock import stock
from pos.stock.ledger import Place
from store_app.pages.common import form, labelling
from store_app.pages.common.waiting import stock_units
from store_app.runtime.doors import acting, read, wake_worker_after, write
from store_app.web.presenting import money, page, place, qty, today
from store_app.web.security import requires
from store_app.words import words
from supply.shelf import effect
from supply.shelf import plan as shelf_plan
from supply.shelf import swaps as shelf_swaps
from supply.shelf.plan import ShelfPlan

bp = Blueprint("shelf", __name__, url_prefix="/shelf")
CHOICES = 12


@dataclass(frozen=True)
class SlotView:
    """A slot of a plan. on_shelf: units the records have there; is_new: another product stands there now."""

    slot: int
    sku: str
    name: str
    category: str
    stock_unit: str
    facings: int
    fill_qty: int
    on_shelf: int
    sentence: str
    swap: str
    """What it stands in for, and what is expected of that;  where it is no swap."""
    is_new: bool


@dataclass(frozen=True)
class PlanView:
    """A plan with its slots in order."""

    id: str
    from_day: dt.date
    based_on_day: dt.date
    slots: list[SlotView]
    changes: int


@dataclass(frozen=True)
class RefillView:
    """Something to bring to the shelf."""

    sku: str
    name: str
    slot: int
    qty: int
    qty_text: str
    backroom_text: str
    is_gap: bool


@bp.get("/")
@requires("shelf")
def plan(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the shelf: a plan to agree to, what to bring, and the picture."""
    store_id = str(place().store_id)
    with read() as session:
        live, now = shelf_plan.live_plan(session, store_id), shelf_plan.ranks(session, store_id)
        drafts = shelf_plan.plans(session, store_id, "drafted")
        coming = shelf_plan.plans(session, store_id, "approved")
        shown = _plan(session, live, now) if live else None
        draft = _plan(session, drafts[0], now) if drafts else None
        refills = _refills(session, store_id)
        yesterday = today() - dt.timedelta(days=1)
        results = effect.slot_results(session, store_id, yesterday)
        swaps = shelf_swaps.swaps_of(session, store_id, yesterday)
        pictured = photos.marks(session, store_id)
    return page(
        "goods/shelf/plan.html",
        photos=pictured,
        results=results,
        swaps=swaps,
        least_days=shelf_swaps.LEAST_DAYS,
        most_facings=shelf_plan.MOST_FACINGS,
        currency=place().currency,
        live=shown,
        draft=draft,
        coming=coming[0] if coming else None,
        refills=refills,
        fault=fault,
    )


@bp.post("/draft")
@requires("shelf")
@form.answers_on(plan)
def draft() -> ResponseReturnValue:
    """Rank the products again and draft a plan."""
    form.command_id()
    with write() as session:
        shelf_plan.draft(acting(session), str(place().store_id))
    return redirect(url_for("shelf.plan"), 303)


@bp.post("/swap")
@requires("shelf")
@form.answers_on(plan)
def swap() -> ResponseReturnValue:
    """Look for what should make room this week."""
    form.command_id()
    with write() as session:
        made = shelf_swaps.draft_swaps(acting(session), str(place().store_id))
    if made is None:
        flash(_("No product would clearly sell better. The shelf will stay as it is."), "info")
    return redirect(url_for("shelf.plan"), 303)


@bp.post("/<plan_id>/arrange")
@requires("shelf")
@form.answers_on(plan)
def arrange(plan_id: str) -> ResponseReturnValue:
    """Put the products of a draft into another order, with other facings."""
    skus, facings = request.form.getlist("sku")[: shelf_plan.MOST_SLOTS], request.form.getlist("facings")
    if len(facings) < len(skus):
        raise Invalid("bad-number", "Enter the facings for each product.", field="facings")
    wanted = [
        (form.tidy(sku), form.number(text, "facings", least=1, most=shelf_plan.MOST_FACINGS))
        for sku, text in zip(skus, facings, strict=False)
    ]
    typed = request.form.getlist("place")  # without a script: the order they name
    if len(typed) == len(wanted):
        places = [form.number(text, "place", least=1, most=shelf_plan.MOST_SLOTS) for text in typed]
        wanted = [one for _n, one in sorted(zip(places, wanted, strict=True), key=lambda pair: pair[0])]
    with write() as session:
        found = shelf_plan.plan_of(session, str(place().store_id), plan_id)
        shelf_plan.rearrange(acting(session), found, wanted)
    flash(_("Arrangement saved."), "good")
    return redirect(url_for("shelf.plan") + "#draft-title", 303)


@bp.post("/<plan_id>/approve")
@requires("shelf")
@form.answers_on(plan)
def approve(plan_id: str) -> ResponseReturnValue:
    """Agree to a plan, from tomorrow or at once."""
    when = form.one_of("from", ("tomorrow", "today"), sentence=_("Choose when the plan starts: tomorrow or now."))
    from_day = today() + dt.timedelta(days=when == "tomorrow")
    store_id = str(place().store_id)
    with write() as session:
        if shelf_plan.plan_of(session, store_id, plan_id).state not in ("approved", "live"):
            shelf_plan.approve(acting(session), store_id, plan_id, from_day=from_day)
        wake_worker_after(session)
    if when == "today":
        flash(_("The plan is active. Print its labels and fill the shelf."), "good")
    else:
        flash(_("The plan will start tomorrow. You can print its labels then."), "good")
    return redirect(url_for("shelf.plan"), 303)


@bp.post("/<plan_id>/drop")
@requires("shelf")
@form.answers_on(plan)
def drop(plan_id: str) -> ResponseReturnValue:
    """Throw a draft away."""
    store_id = str(place().store_id)
    with write() as session:
        if shelf_plan.plan_of(session, store_id, plan_id).state != "dropped":
            shelf_plan.drop(acting(session), store_id, plan_id)
    return form.done(_("The shelf will stay as it is."), "shelf.plan", "info")


@bp.get("/<plan_id>/slots/<int:slot>")
@requires("shelf")
def slot(plan_id: str, slot: int, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what else could stand in a slot of a draft."""
    text, store_id = form.tidy(request.args.get("q", ""))[: form.WORDS], str(place().store_id)
    with read() as session:
        found = shelf_plan.plan_of(session, store_id, plan_id)
        view = _plan(session, found, shelf_plan.ranks(session, store_id))
        here = next((one for one in view.slots if one.slot == slot), None)
        if here is None:
            raise NotFound("no-such-slot", "Slot not found in this plan.")
        choices = _choices(session, store_id, text, here.sku)
    return page("goods/shelf/slot.html", plan_id=plan_id, slot=here, text=text, choices=choices, fault=fault)


@bp.post("/<plan_id>/slots/<int:slot>")
@requires("shelf")
@form.answers_on(slot)
def replace(plan_id: str, slot: int) -> ResponseReturnValue:
    """Put another product into a slot of a draft."""
    sku = form.text("sku", most=80, required=_("Choose a product."))
    with write() as session:
        found = shelf_plan.plan_of(session, str(place().store_id), plan_id)
        chosen = shelf_plan.replace(acting(session), found, slot, sku)
        name = chosen.name
    return form.done(_("%(name)s is in slot %(slot)s of the new plan.", name=name, slot=slot), "shelf.plan")


@bp.post("/refill/<sku>")
@requires("shelf")
@form.answers_on(plan)
def refill(sku: str) -> ResponseReturnValue:
    """Note that something was brought to the shelf."""
    command, brought = form.command_id(), form.whole("qty", least=1)
    with write() as session:
        shelf_plan.refill(acting(session), str(place().store_id), sku, brought, id=command)
    return redirect(url_for("shelf.plan"), 303)


@bp.get("/labels", endpoint="labels")
@requires("shelf")
def labels_page(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the labels of the shelf as they will print."""
    with read() as session:
        skus = [*shelf_plan.ranks(session, str(place().store_id))]
        shown = labelling.documents(session, skus) if skus else []
    pictures = [(one, labels.label_svg(one, place().language)) for one in shown]
    return page("goods/shelf/labels.html", labels=pictures, fault=fault)


@bp.post("/labels/print")
@requires("shelf")
@form.answers_on(labels_page)
def print_labels() -> ResponseReturnValue:
    """Queue the labels of the shelf, or of one product on it."""
    command, only = form.command_id(), request.form.get("sku", "")
    with write() as session:
        skus = [sku for sku in shelf_plan.ranks(session, str(place().store_id)) if only in ("", sku)]
        if not skus:
            raise NotFound("no-label", "There is no label: this product is not on the shelf.")
        many = labelling.queue(session, skus, command)
    return form.done(ngettext("Printing %(num)d label.", "Printing %(num)d labels.", many), "shelf.labels")


# --- inside ---


def _plan(session: Session, found: ShelfPlan, now: Mapping[str, int]) -> PlanView:
    rows = shelf_plan.slots_of(session, found)
    skus = [row.sku for row in rows]
    units = stock_units(session, skus)
    shelved = session.execute(sa.select(Product.sku, Product.category).where(Product.sku.in_(skus)))
    category_of = {row.sku: row.category for row in shelved}
    levels = stock.levels(session, found.store_id, skus)
    slots = [
        SlotView(
            slot=row.slot,
            sku=row.sku,
            name=row.name,
            category=category_of.get(row.sku, ""),
            stock_unit=units.get(row.sku, "each"),
            facings=row.facings,
            fill_qty=row.fill_qty,
            on_shelf=levels[row.sku].by_place.get(Place.SHELF, 0) if row.sku in levels else 0,
            sentence=words.shelf_sentence(row.why),
            swap=words.swap_sentence(row.why),
            is_new=now.get(row.sku) != row.slot,
        )
        for row in rows
    ]
    return PlanView(found.id, found.from_day, found.based_on_day, slots, sum(view.is_new for view in slots))


def _refills(session: Session, store_id: str) -> list[RefillView]:
    tasks = shelf_plan.refill_tasks(session, store_id)
    units = stock_units(session, [task.sku for task in tasks])
    return [
        RefillView(
            sku=task.sku,
            name=task.name,
            slot=task.slot,
            qty=task.qty,
            qty_text=qty(task.qty, units.get(task.sku, "each")),
            backroom_text=qty(task.backroom_qty + task.floor_qty, units.get(task.sku, "each")),
            is_gap=task.is_gap,
        )
        for task in tasks
    ]


def _choices(session: Session, store_id: str, text: str, standing: str) -> list[dict[str, str]]:
    """Return products with a price: those that fit the search, else the store's own."""
    query = sa.select(Product).where(Product.active, Product.sku != standing)
    if text:
        query = query.where(catalogue.matches(text))
    else:
        query = query.join(Listing, sa.and_(Listing.store_id == store_id, Listing.sku == Product.sku, Listing.active))
    products = session.scalars(query.order_by(Product.name, Product.sku).limit(4 * CHOICES)).all()
    prices = catalogue.prices_on(session, store_id, today(), [product.sku for product in products])
    return [
        {"sku": product.sku, "name": product.shown, "words": f"{product.category} · {money(prices[product.sku])}"}
        for product in products
        if product.sku in prices
    ][:CHOICES]

"""Whom the store buys from: how orders reach them, on which days, how long they really take, and what they charge."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config import words
from config.errors import DomainError, Invalid, NotFound
from config.ids import NETWORK
from config.money import exponent
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Product, matches
from pos.store.countries import holidays_of
from store_app.files import importing, network
from store_app.pages.common import form, uploads
from store_app.pages.orders import ordering
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import number, page, place, today, weekdays
from store_app.web.security import requires
from store_app.words.supply import takes_orders
from supply.orders import delivery_calendar, lead_times, purchases, suppliers, supply_routes
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.lead_times import LeadTime
from supply.orders.suppliers import CasePack, Contact, Supplier, SupplierCost, SupplierProduct
from supply.replenishment import budget as order_budget

bp = Blueprint("suppliers", __name__, url_prefix="/suppliers")
WAYS = {"email": _l("By email, with PDF and spreadsheet"), "paper": _l("On paper")}
WAYS_ALL: Mapping[str, Any] = {**WAYS, "network": _l("Automatically, through the network")}
PRICES_SHOWN = 100
CLOSED_SHOWN = 12
HOLIDAYS_AHEAD = 365
FAULTS_SHOWN = 50


@dataclass(frozen=True)
class PriceRow:
    """A product as a supplier sells it, with the next cost that begins."""

    sku: str
    name: str
    stock_unit: str
    article_no: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int
    coming_minor: int | None
    coming_from: dt.date | None


@bp.get("/")
@requires("order")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """List everybody we order from, and the money a week's orders may cost."""
    store_id = owner()
    with read() as session:
        rows = sorted(supply_routes.suppliers_for(session, store_id), key=lambda one: (not one.active, one.name))
        leads = taken(session, rows)
        counts = dict(
            session.execute(
                sa.select(SupplierProduct.supplier_id, sa.func.count()).group_by(SupplierProduct.supplier_id)
            ).all()
        )
        budget = order_budget.week_of(session, store_id)
        left = order_budget.left_to_spend(session, store_id, today())
        line = order_budget.line_left(session, store_id)
    cards = [
        {
            "id": row.id, "name": row.name, "active": row.active, "is_network": row.owner_id == EVERYONE,
            "way": WAYS_ALL[suppliers.way_of(row)], "email": row.email, "days": takes_orders(row.calendar, today()),
            "minimum_minor": row.minimum_minor, "products": counts.get(row.id, 0), "lead": lead_words(leads[row.id]),
            "is_late": leads[row.id].days > leads[row.id].promised_days,
        }
        for row in rows
    ]  # fmt: skip
    limit = None if budget is None else budget.week_minor
    typed = "" if limit is None else str(Decimal(limit).scaleb(-exponent(place().currency)))
    return page(
        "orders/suppliers/list.html", suppliers=cards, currency=place().currency, fault=fault, week_limit=limit,
        week_left=left, typed=request.form.get("week_budget", typed), line=line,
        network_too=budget is None or budget.network_too,
    )  # fmt: skip


@bp.post("/budget")
@requires("settings")
@form.answers_on(listed)
def set_budget() -> ResponseReturnValue:
    """Limit what a week's orders may cost together; an empty field lifts the limit."""
    form.command_id()
    limit = form.amount("week_budget", place().currency) if request.form.get("week_budget", "").strip() else None
    with write() as session:
        order_budget.set_budget(
            acting(session),
            owner(),
            limit,
            network_too=request.form.get("network_too") == "yes",
        )
    flash(_("Orders no longer have a budget.") if limit is None else _("Future suggestions stay within it."), "good")
    return redirect(url_for(".listed"), 303)


@bp.get("/new")
@requires("settings")
def new(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a new supplier."""
    return _form_page(None, fault)


@bp.post("/new")
@requires("settings")
@form.answers_on(new)
def add() -> ResponseReturnValue:
    """Add a supplier of the store's own; the command's id is the supplier's."""
    command, contact = form.command_id(), _contact(active=True)
    with write() as session:
        row = suppliers.write_contact(acting(session), owner(), command, contact)
        name = row.name
    return form.done(_("%(name)s added. Now add what they sell.", name=name), ".supplier", supplier_id=command)


@bp.get("/<supplier_id>")
@requires("order")
def supplier(
    supplier_id: str, fault: DomainError | None = None, faults: list[Any] | None = None, **_line: Any
) -> ResponseReturnValue:
    """Show one supplier: how long they take, and the price list."""
    store_id = owner()
    with read() as session:
        row = _known(session, supplier_id)
        lead = taken(session, [row])[row.id]
        text = form.tidy(request.args.get("q", ""))[: form.WORDS]
        prices = _prices(session, row.id, text)
    return page(
        "orders/suppliers/supplier.html", supplier=row, is_own=row.owner_id == store_id, lead=lead_words(lead),
        late=_late_words(lead), way=WAYS_ALL[suppliers.way_of(row)], days=takes_orders(row.calendar, today()),
        closed=calendar_shown(row.calendar)["closed_days"].split()[:CLOSED_SHOWN],
        prices=prices[:PRICES_SHOWN], many=len(prices), text=text,
        currency=place().currency, fault=fault, faults=(faults or [])[:FAULTS_SHOWN],
        columns=importing.COLUMNS["price-list"], status=422 if faults else 200,
    )  # fmt: skip


@bp.get("/<supplier_id>/change")
@requires("settings")
def change_page(supplier_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask what is to change of a supplier of the store's own."""
    with read() as session:
        row = suppliers.own_supplier(session, owner(), supplier_id)
    return _form_page(row, fault)


@bp.post("/<supplier_id>/change")
@requires("settings")
@form.answers_on(change_page)
def save(supplier_id: str) -> ResponseReturnValue:
    """Change a supplier, or put it aside."""
    contact, store_id = _contact(active=request.form.get("active") == "yes"), owner()
    with write() as session:
        suppliers.own_supplier(session, store_id, supplier_id)
        suppliers.write_contact(acting(session), store_id, supplier_id, contact)
    return form.done(_("Saved."), ".supplier", supplier_id=supplier_id)


@bp.post("/<supplier_id>/prices")
@requires("settings")
@form.answers_on(supplier)
def set_price(supplier_id: str) -> ResponseReturnValue:
    """Note how they sell a product: pack, cost, at least so many, their number."""
    wanted = form.text("product", most=100, required=_("Enter the product’s name, or scan its code."))
    cost = form.amount("pack_cost", place().currency)
    pack = CasePack(
        pack_qty=form.whole("pack_qty", least=1, most=suppliers.MOST_PACK_QTY), pack_cost_minor=cost,
        minimum_packs=form.whole("minimum_packs", least=1, most=suppliers.MOST_PACKS),
        article_no=form.text("article_no", most=suppliers.LONGEST["article_no"]),
    )  # fmt: skip
    with write() as session:
        suppliers.own_supplier(session, owner(), supplier_id)
        sku = (ordering if place().store_id else network).one_product(session, wanted)
        suppliers.offer_from_today(acting(session), supplier_id, sku, pack, today())
    flash(_("Saved. Future suggestions will use it."), "good")
    return redirect(url_for(".supplier", supplier_id=supplier_id, q=request.args.get("q"), _anchor=f"price-{sku}"), 303)


@bp.post("/<supplier_id>/prices/<sku>/coming")
@requires("settings")
@form.answers_on(supplier)
def set_coming_cost(supplier_id: str, sku: str) -> ResponseReturnValue:
    """Note what a pack will cost from a day on."""
    cost, day = form.amount("pack_cost", place().currency), form.date("from_day")
    if day is None:
        raise Invalid("bad-date", "Choose the day the cost starts.", field="from_day")
    with write() as session:
        suppliers.own_supplier(session, owner(), supplier_id)
        suppliers.set_cost(acting(session), supplier_id, sku, cost, day, today=today())
    flash(_("Saved. The new cost takes effect on the day you chose."), "good")
    return redirect(url_for(".supplier", supplier_id=supplier_id, q=request.args.get("q"), _anchor=f"price-{sku}"), 303)


@bp.post("/<supplier_id>/prices/<sku>/drop")
@requires("settings")
@form.answers_on(supplier)
def drop_price(supplier_id: str, sku: str) -> ResponseReturnValue:
    """Note that they do not sell a product any more."""
    with write() as session:
        suppliers.own_supplier(session, owner(), supplier_id)
        suppliers.drop_product(acting(session), supplier_id, sku)
    return form.done(_("You no longer order it there."), ".supplier", "info", supplier_id=supplier_id)


@bp.post("/<supplier_id>/price-list")
@requires("settings")
@form.answers_on(supplier)
def bring_prices_in(supplier_id: str) -> ResponseReturnValue:
    """Take a price list in as a file: all of it, or, with every fault said, nothing."""
    sent = uploads.sent(partial(importing.read, "price-list"))
    sheet = sent.sheet
    if sheet.faults:
        return supplier(supplier_id, faults=sheet.faults)
    store_id = owner()
    with write() as session:
        suppliers.own_supplier(session, store_id, supplier_id)
        ctx = acting(session)
        importing.rehearse(ctx, sheet, store_id, supplier_id=supplier_id)
        if not sheet.faults:
            importing.write(ctx, sheet, store_id, supplier_id=supplier_id)
    if sheet.faults:
        return supplier(supplier_id, faults=sheet.faults)
    uploads.give_up(sent.id)
    flash(ngettext("%(num)d price imported.", "%(num)d prices imported.", sheet.rows), "good")
    return redirect(url_for(".supplier", supplier_id=supplier_id), 303)


def lead_words(lead: LeadTime) -> str:
    """Say how long a supplier takes: measured where deliveries came, else as promised."""
    if lead.mean_days is None:
        return ngettext(
            "Promised: %(num)d day. Nothing measured yet.", "Promised: %(num)d days. Nothing measured yet.",
            lead.promised_days,
        )  # fmt: skip
    return ngettext(
        "Takes %(mean)s days, plus or minus %(spread)s (%(num)d delivery; promised: %(promised)s).",
        "Takes %(mean)s days, plus or minus %(spread)s (%(num)d deliveries; promised: %(promised)s).",
        lead.count, mean=number(lead.mean_days, 1), spread=number(lead.spread_days, 1), promised=lead.promised_days,
    )  # fmt: skip


def owner() -> str:
    """Return whose suppliers these are: this store's, or at the network's node the network's (`console.upstream`)."""
    return place().store_id or NETWORK


def taken(session: Session, rows: Sequence[Supplier]) -> dict[str, LeadTime]:
    """Return how long these suppliers take to whoever they belong to here (`owner`)."""
    store_id, at = place().store_id, doors().now()
    return lead_times.measured(session, store_id, rows, at=at) if store_id else purchases.leads(session, rows, at=at)


def _contact(*, active: bool) -> Contact:
    return Contact(
        name=form.text("name", most=suppliers.LONGEST["name"], required=_("Enter the supplier’s name.")),
        calendar=delivery_calendar.read(calendar_typed()),
        minimum_minor=form.amount("minimum", place().currency) if request.form.get("minimum", "").strip() else 0,
        send_by=form.one_of("send_by", tuple(WAYS), sentence=_("Choose how orders reach this supplier.")),
        email=form.text("email", most=suppliers.LONGEST["email"]),
        customer_no=form.text("customer_no", most=suppliers.LONGEST["customer_no"]),
        language=form.one_of("language", tuple(words.LANGUAGES), sentence=_("Choose a language.")),
        active=active,
    )


def calendar_typed() -> dict[str, str]:
    """Return what the form says of a calendar; days that are over are forgotten, holidays added where it asks so."""
    said = {field: request.form.get(field, "") for field in delivery_calendar.FIELDS if field in request.form}
    if "lead_days" in said:
        said["order_days"] = " ".join(request.form.getlist("order_days"))
    if "closed_days" in said or "holidays" in request.form:
        closed = delivery_calendar.read(said | {"every_weeks": "1"}).closed
        if request.form.get("holidays") == "yes":
            closed |= holidays()
        said["closed_days"] = calendar_shown(DeliveryCalendar(closed=closed))["closed_days"]
    return said


def calendar_choices() -> dict[str, Any]:
    """Return what a form of a calendar's days chooses from, and the fields it has."""
    weeks = [("1", _("every week"))]
    weeks += [(str(n), _("every %(num)d weeks", num=n)) for n in range(2, delivery_calendar.MOST_WEEKS + 1)]
    return {
        "weekdays": [(delivery_calendar.WEEKDAYS[n], name) for n, name in weekdays()],
        "weeks": weeks, "calendar_texts": tuple(delivery_calendar.FIELDS),
    }  # fmt: skip


def holidays() -> frozenset[dt.date]:
    """Return the public holidays of the next twelve months where this store is."""
    from forecasting.series.calendar import public_holidays

    return frozenset(public_holidays(today(), HOLIDAYS_AHEAD, holidays_of(doors().settings.country, place().tz)))


def calendar_shown(calendar: DeliveryCalendar) -> dict[str, str]:
    """Return a calendar as a form shows it, its closed days ahead alone, one a line."""
    ahead = replace(calendar, closed=frozenset(day for day in calendar.closed if day >= today()))
    said = delivery_calendar.written(ahead)
    return said | {"closed_days": said["closed_days"].replace(" ", "\n")}


def _form_page(row: Supplier | None, fault: DomainError | None) -> ResponseReturnValue:
    places = exponent(place().currency)
    values: dict[str, Any] = {"send_by": "email", "language": place().language[:2], "active": True}
    values |= calendar_shown(DeliveryCalendar(frozenset(range(6))))
    if row is not None:
        values = {name: getattr(row, name) for name in Contact.__dataclass_fields__} | calendar_shown(row.calendar)
        values["minimum"] = str(Decimal(row.minimum_minor).scaleb(-places)) if row.minimum_minor else ""
    if request.method == "POST":
        values |= dict(request.form.items()) | {
            "order_days": " ".join(request.form.getlist("order_days")),
            "active": request.form.get("active") == "yes",
        }
    return page(
        "orders/suppliers/form.html", supplier=row, values=values, ways=list(WAYS.items()), **calendar_choices(),
        languages=list(words.names().items()), currency=place().currency, fault=fault,
    )  # fmt: skip


def _prices(session: Session, supplier_id: str, text: str) -> list[PriceRow]:
    coming: dict[str, tuple[int, dt.date]] = {}
    later = sa.select(SupplierCost).where(SupplierCost.supplier_id == supplier_id, SupplierCost.from_day > today())
    for cost in session.scalars(later.order_by(SupplierCost.from_day.desc())):
        coming[cost.sku] = (cost.pack_cost_minor, cost.from_day)
    rows = session.execute(
        sa.select(SupplierProduct, Product.shown.label("name"), Product.stock_unit)
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(
            SupplierProduct.supplier_id == supplier_id,
            matches(text) | (SupplierProduct.article_no == text),
        )
        .order_by(Product.name, Product.sku)
    ).all()
    now = {one.sku: one for one in suppliers.terms_for(session, supplier_id, [row.sku for row, _, _ in rows], today())}
    return [
        PriceRow(row.sku, name, unit, row.article_no, row.pack_qty, now[row.sku].pack_cost_minor, row.minimum_packs,
                 *coming.get(row.sku, (None, None)))
        for row, name, unit in rows
    ]  # fmt: skip


# --- inside ---


def _late_words(lead: LeadTime) -> str:
    if lead.days == lead.promised_days:
        return ""
    return ngettext(
        "Orders allow %(num)d day, as measured.", "Orders allow %(num)d days, as measured.",
        lead.days,
    )  # fmt: skip


def _known(session: Session, supplier_id: str) -> Supplier:
    row = session.get(Supplier, supplier_id)
    if row is None or row.owner_id not in (EVERYONE, owner()):
        raise NotFound("not-found-here", "Supplier not found. Choose one from the list.")
    return row

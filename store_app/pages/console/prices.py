"""What the network sells to its stores: each supplier's terms and price list, and new lists and products by file.

Rules
-----
1. A file is looked at before anything is written: what it would change, row by row, or every row that cannot be.
2. A day chosen for a price list is that of every row without one of its own.
3. What one person may not change alone waits for a second one as the very file (`supply.orders.price_list`).
"""

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from store_app.files import importing, network
from store_app.files.sheet import Sheet
from store_app.pages.common import form, lists, uploads
from store_app.pages.orders.suppliers import calendar_choices, calendar_typed
from store_app.runtime.doors import acting, clock, doors, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from store_app.words.supply import takes_orders
from supply import two_people
from supply.orders import delivery_calendar, price_list, suppliers
from supply.orders.price_list import Change, Limits, Listed, PriceFile, PriceProposal
from supply.orders.suppliers import Contact, Supplier, SupplierProduct

bp = Blueprint("console_prices", __name__, url_prefix="/console/prices")
ROWS_SHOWN = 200
KINDS = {"price-list": _l("A price list"), "products": _l("Products")}
WHAT = {
    price_list.NEW: _l("new"), price_list.DEARER: _l("increased"), price_list.CHEAPER: _l("reduced"),
    price_list.REPACKED: _l("different pack"), price_list.SAME: _l("unchanged"),
}  # fmt: skip
"""What a row of a new list does."""
SHOWN = {
    "changed": _l("Changed in the last 28 days"), "coming": _l("Future changes"), "low": _l("Margin below 10%"),
    "unpriced": _l("No price"),
}  # fmt: skip
"""What of a list can be asked for alone (`price_list`)."""


@bp.get("/")
@requires("network.buying")
def listed(fault: DomainError | None = None, supplier_id: str = "", **_place: Any) -> ResponseReturnValue:
    """Show a supplier's terms and its price list, with every cost that is to come."""
    with read() as session:
        every, chosen = _chosen(session, supplier_id or request.args.get("supplier", ""))
        currency, day = network.money_and_day(session, EVERYONE, clock.now())
        query = price_list.listed(chosen.id)
        categories = session.scalars(query.with_only_columns(Product.category).distinct().order_by(Product.category))
        shown = lists.show(
            _table(chosen.id, day, lists.categories(categories)), query,
            lambda skus: price_list.rows(session, chosen.id, day, skus), currency=currency, at=url_for(".listed"),
        )  # fmt: skip
        waiting = two_people.waiting(session, PriceProposal)
    places = exponent(currency)
    terms = delivery_calendar.written(chosen.calendar) | {
        "name": chosen.name,
        "minimum": str(Decimal(chosen.minimum_minor).scaleb(-places)) if chosen.minimum_minor else "",
    }
    if request.method == "POST" and "lead_days" in request.form:
        terms = dict(request.form.items()) | calendar_typed()
    return shown.file or page(
        "console/prices.html",
        suppliers=every, supplier=chosen, days=takes_orders(chosen.calendar, day), terms=terms, **calendar_choices(),
        shown=shown, currency=currency, waiting=waiting, fault=fault, at_fault=request.form.get("sku", ""),
    )  # fmt: skip


@bp.post("/<supplier_id>/terms")
@requires("network.buying.change")
@form.answers_on(listed)
def set_terms(supplier_id: str) -> ResponseReturnValue:
    """Change a supplier's name, order days, days to the store and least order."""
    with write() as session:
        currency, _day = network.money_and_day(session, EVERYONE, clock.now())
        before = price_list.network_supplier(session, supplier_id).calendar
        terms = Contact(
            name=form.text("name", most=suppliers.LONGEST["name"], required=_("Enter the supplier’s name.")),
            calendar=delivery_calendar.read(calendar_typed(), before),
            minimum_minor=form.amount("minimum", currency) if request.form.get("minimum", "").strip() else 0,
        )
        price_list.set_terms(acting(session), supplier_id, terms)
    flash(_("Saved. Stores will see it within minutes; open orders keep their price."), "good")
    return redirect(url_for("console_prices.listed", supplier=supplier_id), 303)


@bp.post("/<supplier_id>/cost")
@requires("network.buying.change")
@form.answers_on(listed)
def set_cost(supplier_id: str) -> ResponseReturnValue:
    """Note what a pack costs from a day on."""
    sku, from_day = form.text("sku", most=64), form.date("from_day")
    if from_day is None:
        raise Invalid("bad-date", "Choose the day the cost starts.", field="from_day")
    with write() as session:
        price_list.network_supplier(session, supplier_id)
        currency, today = network.money_and_day(session, EVERYONE, clock.now())
        cost = form.amount("pack_cost", currency)
        terms = suppliers.terms_of(session, supplier_id, sku, max(from_day, today))
        pack_qty = terms.pack_qty if terms else 0
        found = price_list.changes(session, supplier_id, [Listed(1, sku, pack_qty, cost, from_day)], today=today)
        waits = None
        if _may(session, found if terms else [], supplier_id):
            suppliers.set_cost(acting(session), supplier_id, sku, cost, from_day, today=today)
        else:
            row = (sku, pack_qty, Decimal(cost).scaleb(-exponent(currency)), from_day.isoformat())
            raw = _written(("sku", "pack_qty", "pack_cost", "from_day"), row)
            waits = _propose(session, form.command_id(), found, PriceFile("price-list", supplier_id, None, ".csv", raw))
    if waits:
        return _reported_to_wait(waits)
    flash(_("Saved. The new cost takes effect on the day you chose."), "good")
    there: dict[str, Any] = request.args.to_dict(flat=False) | {"supplier": supplier_id}
    return redirect(url_for("console_prices.listed", **there), 303)


@bp.get("/file")
@requires("network.buying")
def upload(fault: DomainError | None = None, **_file: str) -> ResponseReturnValue:
    """Ask for a file, and say what it has to hold."""
    with read() as session:
        every = price_list.network_suppliers(session)
    return page(
        "console/prices_file.html",
        sheet=None,
        suppliers=every,
        choices=[(one.id, one.name) for one in every],
        kinds=KINDS,
        columns=importing.COLUMNS,
        fault=fault,
    )


@bp.post("/file")
@requires("network.buying.change")
@form.answers_on(upload)
def look() -> ResponseReturnValue:
    """Keep the file, and show what it would change or every row that cannot be (rule 1)."""
    sent = uploads.sent(_read())
    sheet = sent.sheet
    with write() as session:
        supplier_id = _chosen(session, request.form.get("supplier", ""))[1].id
        currency, today = network.money_and_day(session, EVERYONE, clock.now())
        _date(sheet, form.date("from_day"))
        whose = _whose(sheet, supplier_id)
        found = [] if sheet.faults else _changes(session, sheet, supplier_id)
        if not sheet.faults:
            importing.rehearse(acting(session), sheet, EVERYONE, supplier_id=whose)
        trial = session.begin_nested()
        waits = not _may(session, found, whose)
        trial.rollback()
    sent.keep()
    return page(
        "console/prices_file.html", supplier_id=supplier_id, from_day=request.form.get("from_day", ""),
        currency=currency, today=today, waits=waits, **sent.shown(), **_reported(found),
    )  # fmt: skip


@bp.post("/file/<file_id>")
@requires("network.buying.change")
@form.answers_on(upload)
def bring_in(file_id: str) -> ResponseReturnValue:
    """Write the file that was looked at: whole, or not at all."""
    sent, from_day = uploads.kept(file_id, _read()), form.date("from_day")
    sheet = sent.sheet
    with write() as session:
        supplier_id = _chosen(session, request.form.get("supplier", ""))[1].id
        _date(sheet, from_day)
        found = [] if sheet.faults else _changes(session, sheet, supplier_id)
        waits = None
        if _may(session, found, _whose(sheet, supplier_id)):
            _bring_in(session, sheet, supplier_id)
        else:
            held = PriceFile(sheet.kind, supplier_id, from_day, sent.suffix, sent.raw)
            waits = _propose(session, file_id, found, held)
    uploads.give_up(file_id)
    if waits:
        return _reported_to_wait(waits)
    flash(ngettext("%(num)d row imported.", "%(num)d rows imported.", sheet.rows), "good")
    return redirect(url_for("console_prices.listed", supplier=supplier_id), 303)


@bp.post("/file/<file_id>/give-up")
@requires("network.buying.change")
@form.answers_on(upload)
def give_up(file_id: str) -> ResponseReturnValue:
    """Throw the file away that was looked at."""
    uploads.give_up(file_id)
    return redirect(url_for("console_prices.upload"), 303)


@bp.get("/proposals/<proposal_id>")
@requires("network.buying")
def proposed(proposal_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a list that waits for a second person: what it would change by what holds now."""
    with read() as session:
        row = two_people.found(session, PriceProposal, proposal_id)
        sheet = _sheet(row)
        currency, today = network.money_and_day(session, EVERYONE, clock.now())
        found = _changes(session, sheet, row.supplier_id) if row.state == price_list.STATES.first else []
    return page(
        "console/price_proposal.html", row=row, sheet=sheet, currency=currency, today=today, fault=fault,
        is_own=row.proposed_by == g.actor.id, is_open=row.state == price_list.STATES.first, kinds=KINDS,
        **_reported(found),
    )  # fmt: skip


@bp.post("/proposals/<proposal_id>/confirm")
@requires("network.buying.change")
@form.answers_on(proposed)
def confirm(proposal_id: str) -> ResponseReturnValue:
    """Write a list somebody else proposed: whole, or not at all."""
    with read() as session:
        sheet = _sheet(two_people.found(session, PriceProposal, proposal_id))
    with write() as session:
        row = two_people.confirm(acting(session), PriceProposal, proposal_id)
        _bring_in(session, sheet, row.supplier_id)
        supplier_id = row.supplier_id
    return form.done(_("Approved. The list is imported."), "console_prices.listed", supplier=supplier_id)


@bp.post("/proposals/<proposal_id>/drop")
@requires("network.buying.change")
@form.answers_on(proposed)
def drop(proposal_id: str) -> ResponseReturnValue:
    """Turn a proposed list down, or withdraw one's own."""
    with write() as session:
        supplier_id = two_people.drop(acting(session), PriceProposal, proposal_id).supplier_id
    return form.done(_("Rejected. The list was not imported."), "console_prices.listed", supplier=supplier_id)


# --- inside ---


def _table(supplier_id: str, day: dt.date, categories: lists.Choices) -> lists.Table:
    sold = SupplierProduct
    price, parts = catalogue.price_of(EVERYONE, day), [("", _("All")), *SHOWN.items()]
    return lists.Table(
        f"prices-{supplier_id}",
        (
            lists.Column("name", _("Product"), by=Product.shown, look="lead"),
            lists.Column("sku", _("SKU"), by=Product.sku, shown=False, look="said"),
            lists.Column("article_no", _("Supplier’s number"), by=sold.article_no, shown=False, look="said"),
            lists.Column("pack_qty", _("Pack size"), "qty", by=sold.pack_qty, look="said"),
            lists.Column("minimum_packs", _("Minimum packs"), "number", by=sold.minimum_packs, look="said"),
            lists.Column("pack_cost_minor", _("Cost per pack"), "money", by=price_list.cost_on(day), look="sum"),
            lists.Column("price_minor", _("Store price"), "money", by=price, look="said"),
            lists.Column("margin_minor", _("Margin without tax"), "money", look="said"),
            lists.Column("margin_bp", _("Margin, percent"), "share", look="said"),
            lists.Column("changed_on", _("Last changed"), "date", look="said"),
            lists.Column("begins", _("Sold from"), "date", by=sold.valid_from, shown=False, look="said"),
            lists.Column("edit", _("Edit"), "act", look="whole"),
        ),
        (
            lists.Filter("q", _("Name or number"), "text", price_list.named),
            lists.Filter("category", _("Category"), "choice", lambda one: Product.category == one, categories),
            lists.Filter("show", _("Only"), "chips", lambda one: price_list.shows(one, day), parts),
        ),
        (Product.name, Product.sku),
        keeps=("supplier",),
        below=True,
    )  # fmt: skip


def _may(session: Session, found: Sequence[Change], of: str) -> bool:
    limits = Limits(doors().settings.prices_alone, doors().settings.prices_alone_percent)
    return price_list.may_write(acting(session), found, limits, of=of)


def _propose(session: Session, id: str, found: Sequence[Change], sent: PriceFile) -> str:
    return price_list.propose(acting(session), id, found, sent).id


def _reported_to_wait(proposal_id: str) -> ResponseReturnValue:
    flash(_("A second person must approve this: it exceeds what one person can change."), "warn")
    return redirect(url_for("console_prices.proposed", proposal_id=proposal_id), 303)


def _sheet(row: PriceProposal) -> Sheet:
    sheet = uploads.read_as(partial(importing.read, row.kind), row.file, row.suffix)
    _date(sheet, row.from_day)
    return sheet


def _bring_in(session: Session, sheet: Sheet, supplier_id: str) -> None:
    whose = _whose(sheet, supplier_id)
    importing.write(acting(session), sheet, EVERYONE, supplier_id=whose)


def _whose(sheet: Sheet, supplier_id: str) -> str:
    """Return the supplier whose list a file changes, '' where it holds products."""
    return supplier_id if sheet.kind == "price-list" else ""


def _written(*rows: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _reported(found: Sequence[Change]) -> dict[str, Any]:
    """Return what the pages say of a list's changes, the largest first: of a long list no other rows are shown."""
    counts = Counter(one.kind for one in found)
    loud = sorted(found, key=lambda one: (one.kind == price_list.SAME, -price_list.most_percent([one]), one.row))
    reported = [(WHAT[kind], counts[kind]) for kind in WHAT if counts[kind]]
    return {"rows": loud[:ROWS_SHOWN], "counts": reported, "what": WHAT}


def _chosen(session: Session, asked: str) -> tuple[list[Supplier], Supplier]:
    """Return the network's suppliers, and the one that is asked for, else the first."""
    every = price_list.network_suppliers(session)
    if not every:
        raise NotFound("no-warehouse", "No warehouse yet. Create one on this node: cornerstore warehouse add.")
    return every, next((one for one in every if one.id == asked), every[0])


def _read() -> uploads.Reading:
    return partial(importing.read, form.one_of("kind", tuple(KINDS), sentence=_("Choose what the file contains.")))


def _date(sheet: Sheet, chosen: dt.date | None) -> None:
    """Let a price list begin on the day that was chosen (rule 2)."""
    if chosen is not None and sheet.kind == "price-list":
        for row in sheet.values:
            row.setdefault("from_day", chosen)


def _changes(session: Session, sheet: Sheet, supplier_id: str) -> list[Change]:
    """Return what a file would change; an amount finer than the currency is said by the rehearsal."""
    currency, today = network.money_and_day(session, EVERYONE, clock.now())
    places = exponent(currency)
    is_list = sheet.kind == "price-list"
    listed = [
        Listed(
            number, row["sku"], row["pack_qty"] if is_list else row.get("price_quantity", 0),
            int(row["pack_cost" if is_list else "price"].scaleb(places)), row.get("from_day"), row.get("name", ""),
            row.get("stock_unit", ""),
        )
        for number, row in zip(sheet.numbers, sheet.values, strict=True)
    ]  # fmt: skip
    if is_list:
        return price_list.changes(session, supplier_id, listed, today=today)
    return price_list.product_changes(session, listed, today=today)

"""The assortment: what regions and stores carry, what they miss, what does not sell, and proposals about it.

Rules
-----
1. Nothing here changes a store's assortment: a proposal asks, and its shopkeeper answers.
2. Figures of comparable stores go to a store only where LEAST_STORES of them stand behind them.
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store, usual_currency
from store_app.files import exporting
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import money, page, qty, today
from store_app.web.security import requires
from store_app.words.claims import NETWORK_OFFER_KINDS
from supply.demand import history
from supply.demand.history import LEAST_STORES
from supply.membership import assortment_review
from supply.membership.assortment_review import DAYS, AssortmentFinding, AssortmentLine, Which
from supply.orders import network_offers
from supply.orders.network_offers import NetworkOffer

bp = Blueprint("console_assortment", __name__, url_prefix="/console/assortment")
ROWS, STORES, ANSWER_DAYS, MOST_ANSWER_DAYS, MOST_EXPORTED = 50, 50, 14, 60, 50_000
VIEWS = {"carried": _l("Carried"), "gap": _l("Gaps"), "dead": _l("Dead stock")}
IDLE = (28, 56, 91, 182)
PROPOSES = {"gap": "list", "dead": "delist"}


@bp.get("/")
@requires("network.demand")
def overview() -> ResponseReturnValue:
    """Show what stores carry, their gaps or their dead stock, filtered by the address."""
    view = _view()
    with read() as session:
        which, store = _which(session)
        day = history.whole_day(session, today())
        query = _query(view, which, day or today())
        found = form.paged(query, ROWS)
        skus = list(found)
        if view == "carried":
            rows: list[Any] = assortment_review.carried_rows(session, skus, which, day or today())
        else:
            rows = assortment_review.found_rows(session, view, skus, which)
        chosen = _choices(session, which)
        seen_on = session.scalar(sa.select(sa.func.max(AssortmentFinding.seen_on)))
        is_known = session.scalar(sa.select(AssortmentLine.sku).limit(1)) is not None
        currency = usual_currency(session)
    return page(
        "console/assortment.html", view=view, views=VIEWS, which=which, store=store, found=found, rows=rows, idle=IDLE,
        seen_on=seen_on, is_known=is_known, currency=currency, days=DAYS, address=_address(which), **chosen,
        page_address=lambda number: _address(which)(view=view, page=number),
    )  # fmt: skip


@bp.get("/assortment.csv")
@requires("network.demand")
def table() -> ResponseReturnValue:
    """Answer with what the page shows as a file: all its products, or each gap and dead stock by store."""
    view = _view()
    with read() as session:
        which, _store = _which(session)
        currency = usual_currency(session)
        day = history.whole_day(session, today()) or today()
        head, rows = (
            _carried_table(session, which, day) if view == "carried" else _found_table(session, view, which, currency)
        )
    return exporting.csv_answer(f"{view}-{today().isoformat()}", head, rows)


@bp.get("/<kind>/<sku>")
@requires("network.demand")
def one(kind: str, sku: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the stores that miss a product or do not sell it, with what was proposed to them."""
    with read() as session:
        product = _product(session, kind, sku)
        which, store = _which(session)
        found = form.paged(assortment_review.at_stores(kind, which, sku), STORES)
        rows = list(found)
        stores = {row.id: row for row in session.scalars(sa.select(Store).where(
            Store.id.in_([row.store_id for row in rows])))}  # fmt: skip
        asked = network_offers.last_proposals(session, list(stores), sku)
        currency = usual_currency(session)
        at = doors().now()
        may = {
            row.store_id: stores[row.store_id].has_node and not _is_settled(asked.get(row.store_id), at) for row in rows
        }
    reason = _reason(kind, rows)
    return page(
        "console/assortment_product.html", kind=kind, product=product, which=which, store=store, found=found, rows=rows,
        stores=stores, asked=asked, may=may, currency=currency, fault=fault, days=DAYS, views=VIEWS,
        given=request.form if request.method == "POST" else {"why": reason},
        chosen=request.form.getlist("store_id") if request.method == "POST" else [which.store_id],
        answer_by=(today() + dt.timedelta(days=ANSWER_DAYS)).isoformat(), address=_address(which),
        page_address=lambda number: url_for(".one", kind=kind, sku=sku, region=which.region_id or None, page=number),
    )  # fmt: skip


@bp.post("/<kind>/<sku>")
@requires("network.push.change")
@form.answers_on(one)
def propose(kind: str, sku: str) -> ResponseReturnValue:
    """Propose to the ticked stores to list or delist a product; those asked already are passed over, and named."""
    command = form.command_id()
    why = form.text("why", required=_("Enter a short reason. The shopkeeper will see it."))
    answer_by = form.day("answer_by", _("Choose a day."))
    if answer_by > today() + dt.timedelta(days=MOST_ANSWER_DAYS):
        raise Invalid(
            "bad-day", "Choose a day within the next %(days)d days.", days=MOST_ANSWER_DAYS, field="answer_by"
        )
    chosen, passed = list(dict.fromkeys(request.form.getlist("store_id"))), list[str]()
    if not chosen:
        raise Invalid("no-store", "Choose at least one store.", field="store_id")
    with write() as session:
        product = _product(session, kind, sku)
        with_node = dict(
            session.execute(sa.select(Store.id, Store.name).where(Store.id.in_(chosen), Store.has_node)).all()
        )
        for store_id in chosen:
            if store_id not in with_node:
                raise Invalid("no-store", "One of these stores cannot receive offers. Choose again.", field="store_id")
            before = network_offers.last_proposal(session, store_id, sku)
            made_by_this = before is not None and before.id == f"{command}-{store_id}"
            if _is_settled(before, doors().now()) and not made_by_this:
                passed.append(with_node[store_id])
                continue
            figures = _figures(session.get(AssortmentFinding, (store_id, sku)), product)
            network_offers.propose(
                acting(session), store_id, PROPOSES[kind], sku, f"{why} {figures}".strip(), answer_by,
                id=f"{command}-{store_id}",
            )  # fmt: skip
    asked = len(chosen) - len(passed)
    if asked:
        flash(ngettext("Proposed to %(num)d store.", "Proposed to %(num)d stores.", asked), "good")
    if passed:
        flash(_("Already asked, or declined recently: %(names)s.", names=", ".join(passed)), "info")
    return form.done(_("The stores answer under Orders."), ".proposals", "info")


@bp.get("/proposals")
@requires("network.demand")
def proposals(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what was proposed to stores and what they answered, the newest first."""
    with read() as session:
        found = form.paged(network_offers.proposals(), ROWS)
        rows = list(found)
        names = dict(session.execute(sa.select(Store.id, Store.name).where(
            Store.id.in_([row.store_id for row in rows]))).all())  # fmt: skip
    return page(
        "console/assortment_proposals.html", found=found, rows=rows, names=names, fault=fault, views=VIEWS,
        kind_of=lambda row: network_offers.terms_from(row.terms).kind, kinds=NETWORK_OFFER_KINDS,
        address=_address(Which()),
        page_address=lambda number: url_for(".proposals", page=number),
    )  # fmt: skip


@bp.post("/proposals/<store_id>/<offer_id>/withdraw")
@requires("network.push.change")
@form.answers_on(proposals)
def withdraw(store_id: str, offer_id: str) -> ResponseReturnValue:
    """Withdraw a proposal nobody has answered yet; a second click finds it withdrawn."""
    with write() as session:
        found = network_offers.offer_of(session, store_id, offer_id)
        if found.state != "withdrawn":
            network_offers.withdraw(acting(session), store_id, offer_id)
    words = _("%(name)s is withdrawn. If the store has already responded, its response counts.", name=found.name)
    return form.done(words, ".proposals")


# --- inside ---


def _view() -> str:
    return next((one for one in VIEWS if one == request.args.get("view")), "carried")


def _query(view: str, which: Which, day: dt.date) -> sa.Select[str]:
    return assortment_review.carried(which, day) if view == "carried" else assortment_review.found(view, which)


def _which(session: Session) -> tuple[Which, Store | None]:
    """Read the filter; what it says that cannot be is passed over. A store's region goes with it."""
    said = {name: form.tidy(request.args.get(name, ""))[: form.WORDS] for name in ("department", "category")}
    store = session.get(Store, request.args.get("store", ""))
    region = session.get(Region, request.args.get("region", ""))
    region_id = region.id if region else store.region_id if store else ""
    if store is not None and region is not None and store.region_id != region.id:
        store = None
    idle = next((days for days in IDLE if str(days) == request.args.get("idle")), 0)
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    which = Which(region_id, store.id if store else "", text=text, idle_days=idle, **said)
    return which, store


def _choices(session: Session, which: Which) -> dict[str, Any]:
    """Return what the filter offers: a region's stores alone, and a department's categories."""
    shared = (Product.owner_id == EVERYONE, Product.active, Product.kind == "goods")
    department = history.department()
    categories = sa.select(Product.category).where(*shared).distinct().order_by(Product.category)
    if which.department:
        categories = categories.where(department == which.department)
    stores = sa.select(Store.id, Store.name).where(Store.left_on.is_(None), Store.region_id == which.region_id)
    return {
        "regions": session.execute(sa.select(Region.id, Region.name).order_by(Region.name)).all(),
        "stores": session.execute(stores.order_by(Store.name)).all() if which.region_id else [],
        "departments": session.scalars(sa.select(department).where(*shared).distinct().order_by(department)).all(),
        "categories": session.scalars(categories).all(),
    }


def _address(which: Which) -> Any:
    said = {"region": which.region_id, "store": which.store_id, "department": which.department,
            "category": which.category, "q": which.text, "idle": which.idle_days}  # fmt: skip
    kept: dict[str, Any] = {name: value for name, value in said.items() if value}

    def address(endpoint: str = ".overview", **more: Any) -> str:
        return url_for(endpoint, **kept | more)

    return address


def _product(session: Session, kind: str, sku: str) -> Product:
    found = session.get(Product, sku)
    if kind not in PROPOSES or found is None:
        raise NotFound("not-found-here", "Product not found. Search by name.")
    return found


def _is_settled(before: NetworkOffer | None, at: dt.datetime) -> bool:
    """Tell whether a store is not to be asked now: it was, or declined lately."""
    return before is not None and (before.state in network_offers.OPEN or network_offers.rests(before, at))


def _reason(kind: str, rows: Iterable[AssortmentFinding]) -> str:
    if kind == "gap":
        return _("Comparable stores nearby sell it well.")
    least = min((row.idle_days for row in rows if row.idle_days is not None), default=DAYS)
    return _("It has not sold in your store for %(days)s days or more.", days=least)


def _figures(found: AssortmentFinding | None, product: Product) -> str:
    """Say what is expected of a gap, where enough stores stand behind it (rule 2)."""
    if found is None or found.kind != "gap" or found.selling < LEAST_STORES:
        return ""
    units = qty(round(found.qty_milli / 1000, 1 if product.stock_unit == "each" else 0), product.stock_unit)
    return _("Expected: %(units)s and %(margin)s margin a week.", units=units, margin=money(found.worth_minor))


def _carried_table(session: Session, which: Which, day: dt.date) -> tuple[list[str], list[list[exporting.Cell]]]:
    head = [
        _("SKU"), _("Product"), _("Department"), _("Category"), _("Unit"), _("Stores"), _("Listed"),
        _("Stores selling"), _("Sold"), _("Stores with stock"), _("Stock"), _("Gaps"), _("Dead stock"),
    ]  # fmt: skip
    skus = list(session.scalars(assortment_review.carried(which, day).limit(MOST_EXPORTED)))
    rows: list[list[exporting.Cell]] = [
        [
            exporting.tamed(row.sku), exporting.tamed(row.name), exporting.tamed(row.department),
            exporting.tamed(row.category), row.stock_unit, row.stores, row.listed, row.selling, row.sold_qty,
            row.stocked, row.stock_qty, row.gaps, row.dead,
        ]
        for start in range(0, len(skus), 500)
        for row in assortment_review.carried_rows(session, skus[start : start + 500], which, day)
    ]  # fmt: skip
    return head, rows


def _found_table(
    session: Session, kind: str, which: Which, currency: str
) -> tuple[list[str], list[list[exporting.Cell]]]:
    is_gap = kind == "gap"
    head = [
        _("Store"), _("Store name"), _("SKU"), _("Product"), _("Category"), _("Unit"),
        _("Expected a week") if is_gap else _("Stock"), _("Margin a week") if is_gap else _("Value at cost"),
        *((_("Comparable stores"), _("Stores selling")) if is_gap else (_("Days without a sale"), _("Days of supply"))),
    ]  # fmt: skip
    found = session.scalars(assortment_review.at_stores(kind, which).limit(MOST_EXPORTED)).all()
    stores = dict(session.execute(sa.select(Store.id, Store.name)).all())
    skus = sorted({row.sku for row in found})
    products = {
        one.sku: one
        for start in range(0, len(skus), 500)
        for one in session.scalars(sa.select(Product).where(Product.sku.in_(skus[start : start + 500])))
    }
    rows: list[list[exporting.Cell]] = []
    for row in found:
        product = products[row.sku]
        units = Decimal(row.qty_milli).scaleb(-3)
        ends = (
            (row.peers, row.selling) if is_gap
            else (row.idle_days, None if row.supply_days is None else round(row.supply_days))
        )  # fmt: skip
        rows.append([
            exporting.tamed(row.store_id), exporting.tamed(stores.get(row.store_id, "")), exporting.tamed(row.sku),
            exporting.tamed(product.shown), exporting.tamed(product.category), product.stock_unit, units,
            exporting.cell(row.worth_minor, "money", currency), *ends,
        ])  # fmt: skip
    return head, rows

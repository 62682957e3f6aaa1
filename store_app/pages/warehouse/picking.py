"""Pick lists: what goes to the stores is gathered product by product, on a phone or on paper, and then leaves."""

import itertools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue.catalogue import Product
from pos.stock.batches import FOR_EVER, Batch, Held
from pos.stock.recall import in_force
from pos.store.store import Store, usual_currency
from store_app.pages.common import form
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from store_app.words import supply, words
from supply.network.routes import routes
from supply.network.warehouse import dispatch, order_status, pick_lists, pick_lots, picking
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders import locations
from supply.orders.suppliers import warehouses

bp = Blueprint("console_picking", __name__, url_prefix="/console/picking")
LATELY, MOST_NAMED = 20, 10


@bp.get("/")
@requires("network.supply")
def overview_page(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show each warehouse's open lists, what waits for one, and the lists that left lately."""
    with read() as session:
        by_list, names = locations.by_list(session), _names(session)
        houses = []
        for house in warehouses(session):
            waits = dispatch.ready(session, house, at=clock.now())
            stores = sorted({one.store_id for one in waits}, key=lambda one: names.get(one, one))
            houses.append(
                (house, house in by_list, [(one, names.get(one, one)) for one in stores], _open(session, house))
            )
        done = sa.select(PickList).where(PickList.state == "dispatched").order_by(PickList.sent_at.desc())
        lately = session.scalars(done.limit(LATELY)).all()
    return page("warehouse/picking.html", houses=houses, lately=lately, fault=fault)


@bp.post("/<warehouse_id>/make")
@requires("network.supply.change")
@form.answers_on(overview_page)
def make(warehouse_id: str) -> ResponseReturnValue:
    """Put what waits on a list, of all stores or of those chosen."""
    stores = request.form.getlist("store")
    with write() as session:
        made = picking.make(acting(session), warehouse_id, stores=stores or None)
        pick_id = made.id
    return redirect(url_for("console_picking.walk", pick_id=pick_id), 303)


@bp.post("/<warehouse_id>/way")
@requires("network.supply.change")
@form.answers_on(overview_page)
def settle_way(warehouse_id: str) -> ResponseReturnValue:
    """Settle whether goods leave a warehouse by pick lists alone."""
    with write() as session:
        is_by_list = request.form.get("by_list") == "1"
        locations.work_by_list(acting(session), warehouse_id, is_by_list)
    return redirect(url_for("console_picking.overview_page"), 303)


@bp.get("/<pick_id>")
@requires("network.supply")
def walk(pick_id: str, sku: str = "", fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a list in the order in which it is walked, with the lots that leave first; the page is the paper, too."""
    with read() as session:
        found = session.get(PickList, form.tidy(pick_id))
        if found is None:
            raise NotFound("unknown-pick", "Pick list not found. Reload the page.")
        lines = pick_lists.lines_of(session, found)
        skus = {line.sku for line in lines}
        bays, names = pick_lists.bays(session, found.warehouse_id, skus), _names(session)
        stores = pick_lists.load_order(session, found, {line.store_id for line in lines})
        route = pick_lists.route(session, found)
        units = dict(session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(skus))).all())
        is_open = found.state in pick_lists.OPEN
        lots = _lots(session, lines) if is_open else {}
        others = _other_lots(session, found, lines) if is_open else {}
        called = in_force(session, found.warehouse_id, sorted(skus)) if is_open else []
    products = [
        _product(one, list(mine), bays.get(one, ""), units.get(one, "each"), names, lots.get(one, []))
        | {"others": others.get(one, []), "recalls": [row for row in called if row.sku == one]}
        for one, mine in itertools.groupby(lines, key=lambda line: line.sku)
    ]
    totals = [
        (names.get(store, store), route.get(store), sum(1 for _line in mine),
         sum(-(-line.qty // line.pack_qty) for line in mine))
        for store, mine in ((store, [line for line in lines if line.store_id == store]) for store in stores)
    ]  # fmt: skip
    return page(
        "warehouse/pick.html", pick=found, products=products, stores=totals, fault=fault,
        left=sum(1 for one in products if not one["is_done"]), reasons=supply.PICK_REASONS,
        at_fault=sku,
    )  # fmt: skip


@bp.post("/<pick_id>/products/<sku>")
@requires("network.supply.change")
@form.answers_on(walk)
def pick(pick_id: str, sku: str) -> ResponseReturnValue:
    """Confirm a product for all its stores."""
    with write() as session:
        picking.pick(acting(session), pick_id, sku, _picked(session, pick_id, sku))
    return redirect(url_for("console_picking.walk", pick_id=pick_id) + "#next", 303)


@bp.post("/<pick_id>/products/<sku>/lot")
@requires("network.supply.change")
@form.answers_on(walk)
def take_lot(pick_id: str, sku: str) -> ResponseReturnValue:
    """Take a product from another lot than the sheet names, all that is there of it or so many packs."""
    units = form.whole("units", least=1) if request.form.get("units", "").strip() else None
    with write() as session:
        pick_lots.take_from(acting(session), pick_id, sku, request.form.get("lot_id", ""), units)
    return redirect(url_for("console_picking.walk", pick_id=pick_id) + f"#sku-{sku}", 303)


@bp.post("/<pick_id>/scan")
@requires("network.supply.change")
@form.answers_on(walk)
def scan(pick_id: str) -> ResponseReturnValue:
    """Find the product that was scanned, and take its lot where the code says one."""
    code = request.form.get("code", "")  # as it was scanned: a field's end is a control character
    if not code.strip():
        raise Invalid("empty-field", "Scan a pack, or enter the number under its barcode.", field="code")
    with write() as session:
        sku = pick_lots.take_scanned(acting(session), pick_id, code)
    return redirect(url_for("console_picking.walk", pick_id=pick_id) + f"#sku-{sku}", 303)


@bp.post("/<pick_id>/products/<sku>/put-back")
@requires("network.supply.change")
@form.answers_on(walk)
def put_back(pick_id: str, sku: str) -> ResponseReturnValue:
    """Let a product be picked again."""
    with write() as session:
        picking.put_back(acting(session), pick_id, sku)
    return redirect(url_for("console_picking.walk", pick_id=pick_id) + "#next", 303)


@bp.post("/<pick_id>/rest")
@requires("network.supply.change")
@form.answers_on(walk)
def pick_rest(pick_id: str) -> ResponseReturnValue:
    """Confirm the rest as the list says it."""
    with write() as session:
        picking.pick_rest(acting(session), pick_id)
    return redirect(url_for("console_picking.walk", pick_id=pick_id), 303)


@bp.post("/<pick_id>/send")
@requires("network.supply.change")
@form.answers_on(walk)
def send(pick_id: str) -> ResponseReturnValue:
    """Load what was picked and tell the stores."""
    with write() as session:
        sent, names = picking.send_off(acting(session), pick_id), _names(session)
        house = session.get_one(PickList, pick_id).warehouse_id
        waiting = len(routes.waiting_deliveries(session, house, with_planned=True))
    if sent.gone:
        many = len(sent.gone)
        reported = ngettext("%(num)d delivery loaded.", "%(num)d deliveries loaded.", many)
        flash(words.joined([reported, supply.waiting(waiting)]), "good")
    else:
        flash(_("Nothing was sent. The list was discarded; what is left goes on the next one."), "warn")
    for why in picking.STAYS:
        stores = sorted({names.get(store, store) for store, reason in sent.stayed if reason == why})
        if stores:
            reported = ", ".join(stores[:MOST_NAMED]) + (" …" if len(stores) > MOST_NAMED else "")
            flash(_("Not sent: %(stores)s – %(why)s.", stores=reported, why=supply.STAYS_WORDS[why]), "warn")
    return redirect(url_for("console_picking.overview_page"), 303)


@bp.post("/<pick_id>/drop")
@requires("network.supply.change")
@form.answers_on(walk)
def drop(pick_id: str) -> ResponseReturnValue:
    """Give a list up, with a reason."""
    why = form.text("why", required=_("Enter a reason. It will be recorded in the journal."))
    with write() as session:
        picking.drop(acting(session), pick_id, why=why)
    return form.done(_("List discarded. Its orders are waiting again."), "console_picking.overview_page", "info")


@bp.get("/orders/<store_id>/<order_id>")
@requires("network.supply")
def order(store_id: str, order_id: str) -> ResponseReturnValue:
    """Show one order: what was asked, promised, picked, sent and counted, and why less."""
    with read() as session:
        found = order_status.sheet(session, store_id, order_id)
        currency, names = usual_currency(session), _names(session)
    why = supply.LESS_WORDS
    return page("warehouse/order.html", sheet=found, store=names.get(store_id, store_id), currency=currency, why=why,
                shortage=supply.shortage)  # fmt: skip


# --- inside ---


def _names(session: Session) -> dict[str, str]:
    return dict(session.execute(sa.select(Store.id, Store.name)).all())


def _open(session: Session, house: str) -> list[tuple[PickList, int, int]]:
    """Return a warehouse's open lists with how many products are picked, and of how many."""
    found = []
    for one in pick_lists.open_lists(session, house):
        lines = pick_lists.lines_of(session, one)
        done = {line.sku for line in lines if line.picked_qty is not None}
        found.append((one, len(done), len({line.sku for line in lines})))
    return found


def _lots(session: Session, lines: list[PickLine]) -> dict[str, list[tuple[int, Batch | None]]]:
    """Return the lots a list is taken from, what ends first first, by product: units, and the lot where it is known."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        for lot_id, qty in line.lots:
            sums[line.sku, lot_id] = sums.get((line.sku, lot_id), 0) + qty
    query = sa.select(Batch).where(Batch.id.in_({lot_id for _sku, lot_id in sums}))
    rows = {row.id: row for row in session.scalars(query)}
    lots: dict[str, list[tuple[int, Batch | None]]] = {}
    for (sku, lot_id), qty in sums.items():
        lots.setdefault(sku, []).append((qty, rows.get(lot_id)))
    for found in lots.values():
        found.sort(key=lambda one: one[1].leaves_on if one[1] else FOR_EVER)
    return lots


def _other_lots(session: Session, found: PickList, lines: list[PickLine]) -> dict[str, list[Held]]:
    """Return the lots that products nobody picked yet could be taken from instead of those the sheet names."""
    named = {(line.sku, lot_id) for line in lines for lot_id, _qty in line.lots}
    skus = sorted({line.sku for line in lines if line.picked_qty is None})
    return {
        sku: [one for one in lots if (sku, one.batch_id or "") not in named]
        for sku, lots in pick_lots.choices(session, found, skus, clock.now()).items()
    }


def _product(
    sku: str, lines: list[PickLine], bay: str, unit: str, names: Mapping[str, str], lots: list[tuple[int, Batch | None]]
) -> dict[str, Any]:
    """Return a product of a list as the page shows it; a store's goods are typed in packs where they go in packs."""
    rows = []
    for line in lines:
        of = _packed(line)
        rows.append(
            {
                "key": _key(line), "store": names.get(line.store_id, line.store_id), "packs": line.qty // of, "of": of,
                "picked": None if line.picked_qty is None else line.picked_qty // of, "why": line.short_why,
                "who": line.picked_by,
            }
        )  # fmt: skip
    return {
        "sku": sku, "name": lines[0].name, "bay": bay, "unit": unit, "qty": sum(line.qty for line in lines),
        "pack_qty": lines[0].pack_qty, "rows": rows, "lots": lots, "who": lines[0].picked_by,
        "is_done": lines[0].picked_qty is not None,
    }  # fmt: skip


def _picked(session: Session, pick_id: str, sku: str) -> dict[picking.Place, tuple[int, str]]:
    """Return what was typed for each store of a product, in units; a field that is not there means all."""
    found, typed = pick_lists.pick_of(session, pick_id), {}
    for line in pick_lists.of_product(session, found, sku):
        of, key = _packed(line), _key(line)
        if f"packs-{key}" in request.form:
            packs = form.whole(f"packs-{key}", most=line.qty // of)
            typed[line.source, line.store_id, line.source_id] = (packs * of, request.form.get(f"why-{key}", ""))
    return typed


def _packed(line: PickLine) -> int:
    """Return in what a line is counted: in packs where it goes in packs, else by the unit."""
    return line.pack_qty if line.qty % line.pack_qty == 0 else 1


def _key(line: PickLine) -> str:
    """Return a line's name in a form: for whom it is, for the order of the lines may change meanwhile."""
    return f"{line.source}.{line.store_id}.{line.source_id}"

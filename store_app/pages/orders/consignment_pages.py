"""Goods that are the network's until they sell: what they came to, and what goes back."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.nodes.journal import Context
from pos.printing import queue
from pos.stock import consignment_stock, stock
from pos.stock.consignment_stock import Consignment
from store_app.pages.common import form, waiting
from store_app.pages.common.own_till import own_till
from store_app.pages.orders import note_pages
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import claims, words
from supply.money import consignment
from supply.network.warehouse import returns
from supply.orders import supplier_returns
from supply.orders.supplier_returns import SupplierReturn, SupplierReturnLine

bp = Blueprint("consigned", __name__, url_prefix="/stock/network")
MOST_OVER = 20


@dataclass(frozen=True)
class LotView:
    """A lot as a card: what of it is sold, back, bought and left, and what is owed for it."""

    lot: Consignment
    stock_unit: str
    sentence: str
    owed_minor: int
    proposed: bool


@dataclass(frozen=True)
class GoingView:
    """A return: its lines with where they lie, and what became of it."""

    found: SupplierReturn
    lines: list[tuple[SupplierReturnLine, str, dict[str, int], int]]
    """(line, its stock unit, where its units lie, how many may go back now)"""


@bp.get("/")
@requires("stock.send_back")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what is to go back, then the lots, then what went."""
    store_id = str(place().store_id)
    with read() as session:
        going = supplier_returns.returns(session, "proposed", store_id=store_id)
        gone = supplier_returns.returns(session, "sent", "received", store_id=store_id)
        proposed = {one.id for one in going}
        lots = [_lot(session, lot, lot.id in proposed) for lot in consignment_stock.lots(session, store_id)]
        shown: dict[str, Any] = {
            "going": [_going(session, one) for one in going],
            "days": [
                (day, consignment_stock.of_day(session, store_id, day))
                for day in (today(), today() - dt.timedelta(days=1))
            ],
            "gone": [_going(session, one) for one in gone[:MOST_OVER]],
            "lots": [one for one in lots if one.lot.left_qty],
            "over": [one for one in lots if not one.lot.left_qty][:MOST_OVER],
        }
    return page(
        "orders/consignment.html",
        **shown,
        place_word=words.place_word,
        has_printer=bool(doors().settings.printer),
        today=today(),
        fault=fault,
    )


@bp.post("/<lot_id>/propose")
@requires("stock.send_back")
@form.answers_on(overview)
def propose(lot_id: str) -> ResponseReturnValue:
    """Begin to send back what is left of a lot."""
    with write() as session:
        consignment.propose_now(acting(session), str(place().store_id), lot_id)
    return redirect(url_for("consigned.overview", _anchor=f"return-{lot_id}"), 303)


@bp.post("/returns/<return_id>/send")
@requires("stock.send_back")
@form.answers_on(overview)
def send(return_id: str) -> ResponseReturnValue:
    """Hand goods over to the driver, with a slip to sign if it is wished."""
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        found = supplier_returns.return_of(session, store_id, return_id)
        if found.state != "sent":
            counts = {
                line.sku: form.whole(f"qty-{n}", most=line.qty)
                for n, line in enumerate(supplier_returns.lines_of(session, found))
            }
            returns.send(Context(session, g.actor, at), store_id, return_id, counts)
            if request.form.get("slip"):
                till = own_till(session, store_id)
                document = returns.slip_of(session, found)
                queue.queue(session, store_id, till.id, queue.Printout(note_pages.SLIP, return_id, document), at=at)
    return form.done(_("Handed over. The products have left your stock and belong to the network again."), ".overview")


@bp.post("/<lot_id>/keep")
@requires("stock.send_back")
@form.answers_on(overview)
def keep(lot_id: str) -> ResponseReturnValue:
    """Keep what is left, and buy it."""
    with write() as session:
        lot = consignment.keep(acting(session), str(place().store_id), lot_id)
    return form.done(_("You’re keeping the rest of %(name)s. It will be invoiced.", name=lot.name), ".overview")


# --- inside ---


def _lot(session: Session, lot: Consignment, proposed: bool) -> LotView:
    unit = waiting.stock_units(session, [lot.sku]).get(lot.sku, "each")
    days = (lot.until - today()).days
    owed_minor = consignment_stock.cost(lot, consignment_stock.charged(lot))
    return LotView(lot, unit, claims.lot_sentence(lot.left_qty, days), owed_minor, proposed)


def _going(session: Session, found: SupplierReturn) -> GoingView:
    lines = supplier_returns.lines_of(session, found)
    skus = [line.sku for line in lines]
    units, levels = waiting.stock_units(session, skus), stock.levels(session, found.store_id, skus)
    return GoingView(
        found,
        [
            (
                line,
                units.get(line.sku, "each"),
                {name: qty for name, qty in levels[line.sku].by_place.items() if qty > 0},
                returns.most_back(session, found, line),
            )
            for line in lines
        ],
    )

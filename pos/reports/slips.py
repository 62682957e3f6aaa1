"""Slips somebody asks for: documents frozen from the store's books, and their way to the printer.

Rules
-----
1. A document is frozen when it is asked for; its layout reads nothing else.
2. The print job has the command's id: the same command again prints nothing more.
3. Cash that is put into the drawer or leaves it leaves a slip to be signed, without being asked.
4. A copy of a receipt shows of a voucher's code its end; the whole code is for who may, or by leave.
5. A count sheet tells nothing of what the records expect.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, Refused
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.payments import requests, vouchers
from pos.payments.providers import BANK_CODE
from pos.printing import queue
from pos.printing.queue import PrintJob, Queued
from pos.sold import Sale, document_of
from pos.stock import stocktake
from pos.store import approvals
from pos.store.approvals import Need
from pos.store.permissions import may
from pos.store.store import Store, Till, snapshot, store_of
from pos.till.shift import sees_cash
from pos.till.shift_book import CashMovement, Shift
from pos.till.shift_report import blinded

MOST_LINES = 400
"""Lines of a list on paper: three metres and more."""


# --- verbs ---


def enqueue_once(
    session: Session,
    till: Till,
    kind: str,
    source_id: str,
    document: dict[str, Any],
    *,
    command: str,
    at: dt.datetime,
) -> Queued:
    """Queue a document that was asked for; the same command again is the job that is there (rule 2)."""
    if (known := session.get(PrintJob, (till.store_id, command))) is not None:
        return Queued.of(known)
    last = queue.latest(session, till.store_id, source_id, kind)
    copy_no = last.copy_no + 1 if last is not None and last.document == document else 0
    printout = queue.Printout(kind, source_id, document, copy_no=copy_no)
    return queue.queue(session, till.store_id, till.id, printout, id=command, at=at)


@dataclass(frozen=True)
class CopyRequest:
    """The wish for a copy of a receipt, as `approvals` knows it. whole: with the vouchers' whole codes."""

    id: str
    store_id: str
    whole: bool = False
    approvals: Sequence[str] = ()


def copy_receipt(ctx: Context, request: CopyRequest) -> Queued:
    """Queue a copy of a sale's receipt (rule 4)."""
    found = ctx.session.get(Sale, (request.store_id, request.id))
    if found is None:
        raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=request.id)
    document = document_of(ctx.session, found)
    hidden = vouchers.masked(document)
    if request.whole and hidden != document:
        approvals.require(ctx, request, [Need("voucher.code")])
        if not vouchers.is_whole(vouchers.revealed(ctx.session, document)):
            raise vouchers.not_derived()
        hidden = document | {"whole": True}
    return queue.reprint(ctx, request.store_id, request.id, document=hidden)


def gift_receipt(session: Session, till: Till, sale_id: str, *, command: str, at: dt.datetime) -> Queued:
    """Queue the gift receipt of a sale; a second one is marked as a copy."""
    sale = session.get(Sale, (till.store_id, sale_id))
    if sale is None or sale.kind == "return":
        raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=sale_id)
    return enqueue_once(session, till, "gift", sale_id, document_of(session, sale), command=command, at=at)


def transfer_code(ctx: Context, till: Till, payment_id: str, *, command: str) -> Queued:
    """Queue the code of a bank transfer that is waited for."""
    payment = requests.payment_of(ctx.session, till.store_id, payment_id)
    if payment.way != BANK_CODE or payment.state != "requested" or payment.unwanted_since or not payment.shown_code:
        raise Refused("transfer-settled", "This transfer is already settled. Check the payment again.")
    store = store_of(ctx.session, till.store_id)
    document = {
        "store": snapshot(store), "language": store.language, "code": payment.shown_code,
        "reference": payment.provider_ref or "", "amount_minor": payment.amount_minor,
        "local_time": f"{ctx.at.astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}",
    }  # fmt: skip
    return enqueue_once(ctx.session, till, "transfer", payment_id, document, command=command, at=ctx.at)


def cash_slip(ctx: Context, till: Till, movement: CashMovement) -> Queued:
    """Queue the slip of cash that was put in the safe, paid in or paid out (rule 3)."""
    about = {"kind": movement.kind, "amount_minor": abs(movement.amount_minor), "why": movement.why}
    return _cash(ctx, till, movement.source_id, about)


def put_away_slip(ctx: Context, till: Till, closed: Shift) -> Queued | None:
    """Queue the slip of the cash that a close puts in the safe or takes to the bank; None where nothing leaves."""
    report = closed.z_report or {}
    if not report.get("put_away_minor"):
        return None
    about = {
        "kind": report["put_away_to"], "why": "", "amount_minor": report["put_away_minor"], "z_no": closed.z_no,
        "counted_minor": closed.counted_minor, "kept_minor": report["kept_minor"],
    }  # fmt: skip
    return _cash(ctx, till, closed.id, about)


def count_sheet(ctx: Context, till: Till, take_id: str, section_n: int, category: str = "", *, command: str) -> Queued:
    """Queue the sheet to count a section on: the products of a category, else all the take is about (rule 4)."""
    take = stocktake.take_of(ctx.session, till.store_id, take_id)
    section = stocktake.section_of(ctx.session, take, section_n)
    wanted = [category] if category else take.categories
    query = (
        sa.select(Product)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == take.store_id))
        .where(Product.active, Product.kind == "goods")
    )
    if wanted:
        query = query.where(Product.category.in_(wanted))
    rows = ctx.session.scalars(query.limit(MOST_LINES + 1)).all()
    if len(rows) > MOST_LINES:
        raise Invalid(
            "sheet-too-long", "More than %(most)s products. Choose a category for the sheet.", most=MOST_LINES
        )
    if not rows:
        raise NotFound("nothing-to-count", "There are no products in this category.")
    store = store_of(ctx.session, take.store_id)
    named = sorted((one.category, one.called(store.language), one.sku, one.stock_unit) for one in rows)
    lines = [{"name": name, "sku": sku, "stock_unit": unit} for _category, name, sku, unit in named]
    document = head(store, ctx.actor, ctx.at)
    document |= {"take_name": take.name, "section": section.name, "lines": lines}
    return enqueue_once(
        ctx.session, till, "count_sheet", f"{take_id}/{section_n}", document, command=command, at=ctx.at
    )


def price_batch(
    ctx: Context, till: Till, skus: Sequence[str], day: dt.date, places: dict[str, int], *, command: str
) -> Queued:
    """Queue the list of prices that begin on a day, as their labels hang. places: SKU -> slot of the shelf."""
    store, wanted = store_of(ctx.session, till.store_id), list(skus)[:MOST_LINES]
    if not wanted:
        raise NotFound("no-new-price", "No prices start on this day, so there is nothing to print.")
    new, old = (catalogue.prices_on(ctx.session, store.id, one, wanted) for one in (day, day - dt.timedelta(days=1)))
    products = ctx.session.scalars(sa.select(Product).where(Product.sku.in_(wanted)))
    named = [(places.get(one.sku, 10**6), one.category, one.called(store.language), one.sku, one) for one in products]
    lines = [
        {
            "name": name,
            "place": str(places.get(sku, "")),
            "stock_unit": one.stock_unit,
            "old_minor": old.get(sku),
            "new_minor": new[sku],
        }
        for _slot, _category, name, sku, one in sorted(named)
        if sku in new
    ]
    document = head(store, ctx.actor, ctx.at) | {"from_day": day.isoformat(), "lines": lines}
    return enqueue_once(ctx.session, till, "price_batch", f"prices:{day}", document, command=command, at=ctx.at)


# --- questions ---


def seen_by(session: Session, job: PrintJob, actor: Actor) -> dict[str, Any]:
    """Return a print's document as this person may see it again: no whole code, no cash before the count (rule 4)."""
    whole = may(session, job.store_id, actor.role, "voucher.code")
    document = vouchers.revealed(session, job.document) if whole else vouchers.masked(job.document)
    if job.kind == "x" and not document.get("blind"):
        found = session.get(Shift, (job.store_id, job.source_id))
        if found is not None and not sees_cash(session, found, actor):
            document = blinded(document)
    return document


def local(at: dt.datetime, store: Store) -> str:
    """Return an instant as it is printed: on the store's wall."""
    return wall_time(at, store.tz)


def wall_time(at: dt.datetime, tz: str) -> str:
    """Return an instant as it is printed in a time zone."""
    return f"{at.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M}"


def head(store: Store, actor: Actor, at: dt.datetime) -> dict[str, Any]:
    """Return what every slip of the store's own says of itself."""
    return {"store": snapshot(store), "local_time": local(at, store), "by": actor.name}


# --- inside ---


def _cash(ctx: Context, till: Till, source_id: str, about: dict[str, Any]) -> Queued:
    store = store_of(ctx.session, till.store_id)
    document = head(store, ctx.actor, ctx.at) | {"till_name": till.name, "cashier_name": ctx.actor.name} | about
    return queue.queue(ctx.session, store.id, till.id, queue.Printout("cash", source_id, document), at=ctx.at)

"""What the pages of goods in and of goods back share: a note scanned line by line, and booked once.

`way` is the note's, 'in' or 'back'; it names the blueprint too: goods_in, goods_back. A note of the other way is not
found here, because the two ways have permissions of their own.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.nodes.journal import Context
from pos.catalogue.catalogue import Barcode, Product
from pos.printing import queue
from pos.stock import batches, delivery_notes, stock
from pos.stock.batches import Batch, Held, Lot
from pos.stock.delivery_notes import DeliveryNote, LineSum, Total
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import stock as stock_words
from supply.orders.suppliers import Supplier

MOST_NOTES = 40
SLIP = "goods_back"


@dataclass(frozen=True)
class NoteRow:
    """A note in the list, and what is on it."""

    note: DeliveryNote
    products: int
    total: Total


def rows(session: Session, way: str) -> list[NoteRow]:
    """Return the latest notes of a way, the newest first."""
    store_id = str(place().store_id)
    found = delivery_notes.notes(session, store_id, way=way, limit=MOST_NOTES)
    lines = delivery_notes.sums_of_all(session, store_id, [row.id for row in found])
    return [
        NoteRow(row, len({line.sku for line in lines[row.id]}), delivery_notes.total_of(lines[row.id])) for row in found
    ]


def suppliers(session: Session) -> list[str]:
    """Return the names to choose a supplier from: those of notes first."""
    known = delivery_notes.suppliers_known(session, str(place().store_id))
    named = session.scalars(sa.select(Supplier.name).order_by(Supplier.name))
    return known + [name for name in named if name not in known]


def serve(bp: Blueprint, way: str, permission: str) -> Callable[..., ResponseReturnValue]:
    """Serve what both ways do with a note; returns the note's own page, on which other forms answer, too."""

    @bp.get("/<note_id>", endpoint="note")
    @requires(permission)
    def shown(note_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
        return note(way, note_id, fault)

    for where, verb in (("scan", scan), ("add", add), ("line", change)):
        answer = form.answers_on(shown)(partial(verb, way))
        bp.post(f"/<note_id>/{where}", endpoint=verb.__name__)(requires(permission)(answer))
    return shown


def note(way: str, note_id: str, fault: DomainError | None) -> ResponseReturnValue:
    """Show a note: the scan field, the last line with its details, and all lines."""
    text, store_id = form.tidy(request.values.get("code", ""))[: form.WORDS], str(place().store_id)
    with read() as session:
        found = _note_of(session, way, note_id)
        lines = delivery_notes.sums_of(session, found)
        asked = session.get(Product, request.values.get("sku", "")) if request.values.get("sku") else None
        several = fault is not None and fault.code == "several-products"
        options = find_product.choices(session, text) if several else []
        ns = request.values.get("ns", "")
        chosen = next((line for line in lines if ns == _key(line)), lines[0] if lines else None)
        on_hand = _on_hand(session, lines) if way == "back" and found.state == "open" else {}
        lots = batches.standing(session, store_id, [chosen.sku], day=today())[chosen.sku] if chosen and on_hand else ()
        packs = _packs(session, chosen.sku) if chosen else []
        printed = found.state == "posted" and queue.latest(session, store_id, note_id, SLIP) is not None
    return page(
        "orders/delivery_notes/note.html",
        "lines",
        note=found,
        number=delivery_notes.short_no(found),
        reason=stock_words.back_word(found.reason),
        lines=[(line, _key(line)) for line in lines],
        chosen=chosen,
        chosen_key=_key(chosen) if chosen else "",
        asked=asked,
        options=options,
        total=delivery_notes.total_of(lines),
        short=_short(lines, on_hand),
        lots=[lot for lot in lots if lot.batch_id and chosen and not _is_of(chosen, lot)],
        packs=packs,
        printed=printed,
        has_printer=bool(doors().settings.printer),
        cost_text=_amount_text(chosen.total_cost_minor if chosen else None),
        unit_words={"gram": "g", "millilitre": "ml", "each": _("units")},
        earliest=(today() - dt.timedelta(days=366)).isoformat(),
        latest=(today() + dt.timedelta(days=3660)).isoformat(),
        currency=place().currency,
        fault=fault,
    )  # fmt: skip


def scan(way: str, note_id: str) -> ResponseReturnValue:
    """Keep one scan; a weighed product asks for its weight."""
    command, store_id = form.command_id(), str(place().store_id)
    times = form.whole("times", least=1, most=9999) if request.form.get("times") else 1
    with write() as session:
        _note_of(session, way, note_id)
        hit = find_product.find(session, request.form.get("code", ""))
        if hit.qty is not None:
            lot = Lot(hit.product.sku, hit.qty * times, hit.batch, hit.expires_on)
            delivery_notes.add(acting(session), store_id, note_id, lot, line_id=command)
    sku = hit.product.sku if hit.qty is None else None
    return redirect(url_for(f"goods_{way}.note", note_id=note_id, sku=sku), 303)


def add(way: str, note_id: str) -> ResponseReturnValue:
    """Keep a typed quantity of a chosen product."""
    command, units = form.command_id(), form.whole("qty", least=1)
    with write() as session:
        _note_of(session, way, note_id)
        put(session, note_id, command, request.form.get("product", ""), units)
    return redirect(url_for(f"goods_{way}.note", note_id=note_id), 303)


def put(session: Session, note_id: str, command: str, sku: str, units: int) -> None:
    """Put what a form says of a product on a note: so many units, with batch and last day where it has them."""
    product = find_product.product_of(session, sku)
    lot = Lot(product.sku, units, form.text("batch", most=40) or None, form.date_on_pack("expires_on"))
    delivery_notes.add(acting(session), str(place().store_id), note_id, lot, line_id=command)


def change(way: str, note_id: str) -> ResponseReturnValue:
    """Keep what stands on pack and paper for a line: quantity, last day, batch, and what it cost together."""
    store_id, ns = str(place().store_id), _scans(request.form.get("ns", ""))
    with write() as session:
        _note_of(session, way, note_id)
        if request.form.get("then") == "strike":
            delivery_notes.strike(session, store_id, note_id, ns)
        else:
            product = find_product.product_of(session, request.form.get("product", ""))
            units = form.whole("qty", least=1) * _pack(session, product.sku)
            batch, last_day = _lot(session, store_id, product.sku)
            total = form.amount("cost", place().currency) if request.form.get("cost", "").strip() else None
            cost = None if total is None else delivery_notes.cost_of(total, units, product.price_quantity)
            delivery_notes.change(
                acting(session),
                store_id,
                note_id,
                ns,
                units,
                cost_minor=cost,
                batch=batch,
                expires_on=last_day,
            )
    return redirect(url_for(f"goods_{way}.note", note_id=note_id), 303)


def close(way: str, note_id: str, *, drop: bool, also: Callable[[Session], None] | None = None) -> None:
    """Book a note or give it up, and do `also` in the same transaction; nothing happens when it was before."""
    store_id, at = str(place().store_id), doors().now()
    with write() as session:
        found = _note_of(session, way, note_id)
        if found.state == ("dropped" if drop else "posted"):
            return
        verb = delivery_notes.drop if drop else delivery_notes.post
        verb(Context(session, g.actor, at), store_id, note_id)
        if also is not None:
            also(session)


def dropped(way: str) -> ResponseReturnValue:
    """Say that a note was given up, on the list."""
    return form.done(_("Discarded. Nothing was posted."), f"goods_{way}.notes", "info")


# --- inside ---


def _note_of(session: Session, way: str, note_id: str) -> DeliveryNote:
    found = delivery_notes.note_of(session, str(place().store_id), note_id)
    if found.way != way:
        raise NotFound("unknown-note", "Slip not found at this store.", note_id=note_id)
    return found


def _on_hand(session: Session, lines: list[LineSum]) -> dict[str, int]:
    skus = sorted({line.sku for line in lines})
    levels = stock.levels(session, str(place().store_id), skus) if skus else {}
    return {sku: levels[sku].on_hand for sku in skus}


def _short(lines: list[LineSum], on_hand: dict[str, int]) -> dict[str, int]:
    """Return what is here of the products of which more stands on the note."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.qty
    return {sku: on_hand[sku] for sku, qty in wanted.items() if sku in on_hand and qty > on_hand[sku]}


def _is_of(line: LineSum, lot: Held) -> bool:
    return (line.batch, line.expires_on) == (lot.batch, lot.expires_on)


def _packs(session: Session, sku: str) -> list[int]:
    query = sa.select(Barcode.qty).where(Barcode.sku == sku, Barcode.qty > 1).distinct()
    return sorted(session.scalars(query))


def _pack(session: Session, sku: str) -> int:
    """Return how many units the form counts in: 1, or a case the product has a code for."""
    size = form.whole("pack", least=1) if request.form.get("pack") else 1
    if size != 1 and size not in _packs(session, sku):
        raise Invalid("bad-choice", "Choose units or a case of this product.", field="pack")
    return size


def _lot(session: Session, store_id: str, sku: str) -> tuple[str | None, dt.date | None]:
    """Return batch and last day: of the lot that was tapped, else as they were typed."""
    lot = session.get(Batch, (store_id, request.form["lot"])) if request.form.get("lot") else None
    if lot is not None and lot.sku == sku:
        return lot.batch, lot.expires_on
    return form.text("batch", most=40) or None, form.date_on_pack("expires_on")


def _key(line: LineSum) -> str:
    return "-".join(str(n) for n in line.ns)


def _scans(text: str) -> list[int]:
    parts = text.split("-")[:2000]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise Invalid("bad-choice", "Choose a line on this slip.", field="ns")
    return [int(part) for part in parts]


def _amount_text(minor: int | None) -> str:
    """Return an amount as it is typed."""
    if minor is None:
        return ""
    decimals = exponent(place().currency)
    whole, rest = divmod(minor, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)

"""Suppliers' notes on paper: photographed, confirmed line by line beside the picture, then a document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.ids import new_id
from config.money import MAX_MINOR, exponent
from pos.store import pictures
from pos.store.countries import country_of
from store_app.pages.common import find_product, form, uploads
from store_app.pages.orders import claims
from store_app.runtime.child_process import read_page_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.receiving.documents import supplier_documents
from supply.receiving.documents.document import ADVICE, INVOICE
from supply.receiving.notes import columns, paper_notes, picture, products
from supply.receiving.notes.columns import NoteLine
from supply.receiving.notes.paper_notes import Confirmation, ConfirmedLine, PaperNote
from supply.receiving.notes.products import Proposal

bp = Blueprint("paper_notes", __name__, url_prefix="/invoices/notes")
UPLOAD_BYTES = pictures.PHOTO_BYTES + 200_000
HEAD = ("kind", "number", "day", "order", "tax", "total", "gap")
FIELDS = ("name", "sku", "qty", "unit", "price", "amount", "aside", "find")
FIGURES = ("qty", "price", "amount")
MOST_ADDED = 20
_AROUND, _WIDE = 10, 720
"""Dots around a line in its picture; how wide a whole page would be shown there."""
_FIGURE = re.compile(r"\d{1,7}(?:[.,]\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Crop:
    """A line's place on the photo: left, top, width, height in the page's dots, and how large it is shown."""

    box: str
    width: int
    height: int


@dataclass(frozen=True)
class LineView:
    """A line on the form. kind: sure | ask | unknown | added; said: what stands in its fields.

    is_doubtful: nothing proves its figures, and they are as they were read.
    """

    n: int
    kind: str
    is_doubtful: bool
    crop: Crop | None
    name: str
    codes: str
    options: list[tuple[str, str]]
    said: Mapping[str, str]


@bp.url_value_preprocessor
def admit_photo(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a photo's form be larger than others, before anybody reads it."""
    if endpoint == "paper_notes.take":
        request.max_content_length = UPLOAD_BYTES


@bp.get("/")
@requires("order")
def overview(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a photo, and list the notes that nobody confirmed yet."""
    store_id = str(place().store_id)
    with read() as session:
        notes = paper_notes.waiting(session, store_id)
        names = {one.id: one.name for one in paper_notes.suppliers_of(session, store_id)}
    reads = picture.is_installed()
    return page("orders/paper_notes/list.html", notes=notes, names=names, reads=reads, fault=fault)


@bp.post("/")
@requires("order")
@form.answers_on(overview)
def take() -> ResponseReturnValue:
    """Read a photo and keep it; the command's id is the note's."""
    command, store_id, raw = form.command_id(), str(place().store_id), uploads.photo()
    with read() as session:
        known = paper_notes.known_photo(session, store_id, raw)
    if known is not None:
        return form.done(_("This photo is already here."), ".note", "info", note_id=known.id)
    picture.require_installed()
    found = list(read_page_apart(picture.read, raw))
    with write() as session:
        note_id = paper_notes.take(acting(session), store_id, raw, found, id=command).id
    return form.done(_("Photo read. Check each line, then confirm."), ".note", note_id=note_id)


@bp.get("/<note_id>")
@requires("order")
def note(note_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a note beside its photo, to be confirmed line by line."""
    store_id = str(place().store_id)
    with read() as session:
        row = paper_notes.note_of(session, store_id, note_id)
        suppliers = [(one.id, one.name) for one in paper_notes.suppliers_of(session, store_id)]
        by = paper_notes.recognized(session, store_id, row.said["rows"])
        orders, lines, head = list[tuple[str, str]](), list[LineView](), _head(session, row)
        is_counted = paper_notes.is_counted(session, store_id, head["order"])
        if row.supplier_id:
            found = supplier_documents.orders_of(session, store_id, row.supplier_id)
            orders = [(one.id, _("Order %(no)s", no=one.order_no)) for one in found]
        lines = _lines(session, row, head["order"])
    return page(
        "orders/paper_notes/note.html", note=row, suppliers=suppliers, sums=_sums(lines, head),
        recognized=by[1] if by[0] == row.supplier_id else "",
        orders=orders, lines=lines, head=head, kinds=_kinds(),
        asides=[(key, _(said)) for key, said in paper_notes.ASIDE.items()], units=_units(),
        added=sum(line.kind == "added" for line in lines), most_added=MOST_ADDED, is_counted=is_counted,
        fault=fault,
    )  # fmt: skip


@bp.post("/<note_id>")
@requires("order")
@form.answers_on(note)
def save(note_id: str) -> ResponseReturnValue:
    """Keep what was entered; then look a product up, add a line, or confirm the note."""
    command, store_id, then = form.command_id(), str(place().store_id), request.form.get("then", "")
    with read() as session:
        row = paper_notes.note_of(session, store_id, note_id)
        over = _next(session, row) if row.state == "confirmed" else None
    if over is not None:  # a second click
        return redirect(url_for(over[0], **over[1]), 303)
    entered = _entered(row, one_more=then == "add")
    at = str(len(entered["lines"]) - 1) if then == "add" else then.removeprefix("find:")
    with write() as session:
        if then.startswith("find:"):
            _choose_only_hit(session, entered["lines"], at)
        paper_notes.enter(acting(session), store_id, note_id, entered)
    if then != "confirm":
        return redirect(url_for(".note", note_id=note_id, _anchor=f"line-{at}" if at.isdecimal() else "sums"), 303)
    said = _confirmation(row, entered)
    with write() as session:
        done = paper_notes.confirm(acting(session), store_id, note_id, said, ids=(command, new_id()))
        endpoint, values = _next(session, done)
    return form.done(_("%(number)s added.", number=said.number), endpoint, **values)


@bp.post("/<note_id>/supplier")
@requires("order")
@form.answers_on(note)
def choose_supplier(note_id: str) -> ResponseReturnValue:
    """Say whose note it is."""
    with write() as session:
        paper_notes.choose_supplier(acting(session), str(place().store_id), note_id, form.text("supplier"))
    return form.done(_("Saved."), ".note", note_id=note_id)


@bp.post("/<note_id>/discard")
@requires("order")
@form.answers_on(note)
def discard(note_id: str) -> ResponseReturnValue:
    """Discard a note."""
    with write() as session:
        paper_notes.discard(acting(session), str(place().store_id), note_id)
    return form.done(_("Discarded."), ".overview", "info")


@bp.get("/<note_id>/photo.jpg")
@requires("order")
def photo(note_id: str) -> Response:
    """Give a note's photo."""
    with read() as session:
        data = paper_notes.note_of(session, str(place().store_id), note_id).photo
    return claims.picture(data)


# --- inside ---


def _next(session: Session, row: PaperNote) -> tuple[str, dict[str, Any]]:
    """Return the page where a confirmed note goes on: the delivery to be counted, else the invoice."""
    if row.advice_id is None:
        return "invoices.paper", {"paper_id": row.invoice_id}
    advice = supplier_documents.paper_of(session, row.store_id, row.advice_id)
    return "receiving.delivery", {"delivery_id": advice.delivery_id}


def _choose_only_hit(session: Session, lines: list[dict[str, str]], at: str) -> None:
    """Choose what a search found for a line, where it is one product."""
    line = lines[int(at)] if at.isdecimal() and int(at) < len(lines) else None
    if line is not None and len(found := _looked_up(session, line["find"])) == 1:
        line |= {"sku": found[0].sku, "aside": ""}


def _kinds() -> list[tuple[str, str]]:
    return [(ADVICE, _("Delivery note: expect and count these products")),
            (INVOICE, _("Invoice: compare it with order and receipt")),
            (paper_notes.BOTH, _("Both: delivery note and invoice"))]  # fmt: skip


def _units() -> list[tuple[str, str]]:
    return [(products.PACK, _("Cases")), (products.PIECE, _("Pieces")), (products.KILO, "kg"), ("GRM", "g"),
            (products.LITRE, "l"), ("DZN", _("Dozens"))]  # fmt: skip


def _head(session: Session, row: PaperNote) -> dict[str, str]:
    """Return what stands above and below the lines: as entered, else as arithmetic proves what was read."""
    store_id = row.store_id
    is_us = (country_of(place().tz) or doors().settings.nation) == "US"
    day = columns.day_of(row.said["above"], month_first=is_us)
    read_as = {"number": row.number, "day": day.isoformat() if day else ""} | _proven(row)
    if row.supplier_id:
        read_as["order"] = paper_notes.usual_order(session, store_id, row.supplier_id)
    return dict.fromkeys(HEAD, "") | read_as | {name: row.entered[name] for name in HEAD if name in row.entered}


def _proven(row: PaperNote) -> dict[str, str]:
    """Return tax and total where the amounts of the lines come to a sum, and tax and that sum to the largest."""
    amounts, sums = [line.amount for line in row.lines], row.sums
    net = sum((one or Decimal() for one in amounts), Decimal())
    if not amounts or None in amounts or net not in sums:
        return {}
    tax = sums[-1] - net
    return {"total": str(sums[-1]), "tax": str(tax)} if tax == 0 or tax in sums else {}


def _lines(session: Session, row: PaperNote, order_id: str) -> list[LineView]:
    found = paper_notes.proposals(session, row, order_id)
    entered: list[dict[str, str]] = row.entered.get("lines") or [_said(one) for one in found]
    skus = [sku for one in found for sku in one.choices] + [one["sku"] for one in entered if one["sku"]]
    names = {sku: name for sku, (name, _unit) in find_product.names(session, list(dict.fromkeys(skus))).items()}
    views = []
    for n, said in enumerate(entered):
        one = found[n] if n < len(found) else None
        doubtful = one is not None and not one.line.is_checked and one.kind != products.SURE
        as_read = _said(one) if one else {}
        options = {sku: names.get(sku, sku) for sku in (one.choices if one else ())}
        options |= {hit.sku: hit.shown for hit in _looked_up(session, said["find"])}
        if said["sku"] and said["sku"] in names:
            options.setdefault(said["sku"], names[said["sku"]])
        views.append(LineView(
            n, one.kind if one else "added", doubtful and all(said[name] == as_read[name] for name in FIGURES),
            _crop(row, one.line) if one else None,
            one.line.name if one else said["name"],
            " ".join(one.line.codes) if one else "", list(options.items()), said,
        ))  # fmt: skip
    return views


def _said(one: Proposal) -> dict[str, str]:
    """Return what a line's fields say before anybody entered something: a product only where it is sure."""
    line = one.line
    figures = dict(zip(FIGURES, (line.qty, line.price, line.amount), strict=True))
    unit = one.unit if one.kind == products.SURE else line.unit
    return dict.fromkeys(FIELDS, "") | {"sku": one.sku, "unit": unit, "name": line.name} | {
        name: "" if value is None else f"{value:f}" for name, value in figures.items()
    }  # fmt: skip


def _looked_up(session: Session, text: str) -> list[Any]:
    if not text:
        return []
    try:
        return [find_product.find(session, text).product]
    except NotFound:
        return find_product.choices(session, text)


def _crop(row: PaperNote, line: NoteLine) -> Crop | None:
    left, top, width, height = line.box
    x, y = max(0, left - _AROUND), max(0, top - _AROUND)
    wide, high = min(width + 2 * _AROUND, row.width - x), min(height + 2 * _AROUND, row.height - y)
    if wide <= 0 or high <= 0:
        return None
    scale = _WIDE / max(row.width, 1)
    return Crop(f"{x} {y} {wide} {high}", max(1, round(wide * scale)), max(1, round(high * scale)))


def _entered(row: PaperNote, *, one_more: bool) -> dict[str, Any]:
    """Return the form as it was typed; lines that were read cannot be left out."""
    read_lines = row.lines
    added = form.whole("added", most=MOST_ADDED) if request.form.get("added") else 0
    lines = []
    for n in range(len(read_lines) + min(added + one_more, MOST_ADDED)):
        said = {name: form.tidy(request.form.get(f"{name}-{n}", ""))[: form.WORDS] for name in FIELDS}
        if n < len(read_lines):
            said["name"] = read_lines[n].name
        lines.append(said)
    return {name: form.tidy(request.form.get(name, ""))[: form.WORDS] for name in HEAD} | {"lines": lines}


def _confirmation(row: PaperNote, entered: dict[str, Any]) -> Confirmation:
    currency, is_bill = place().currency, entered["kind"] != ADVICE
    lines = [_confirmed(n, said, currency, is_bill=is_bill) for n, said in enumerate(entered["lines"])
             if n < len(row.said["lines"]) or any(said[name] for name in FIELDS)]  # fmt: skip
    if entered["kind"] not in paper_notes.KINDS:
        raise Invalid("no-kind", "Say whether this is a delivery note, an invoice, or both.", field="kind")
    return Confirmation(
        entered["kind"], entered["number"][:60], form.day("day", _("Enter the date of the note.")), lines,
        entered["order"], _signed(entered["tax"] or "0", "tax", currency) if is_bill else 0,
        _signed(entered["total"], "total", currency) if is_bill else 0, bool(entered["gap"]),
    )  # fmt: skip


def _confirmed(n: int, said: dict[str, str], currency: str, *, is_bill: bool) -> ConfirmedLine:
    if said["aside"] == paper_notes.NO_LINE:
        return ConfirmedLine(n, said["name"], said["sku"], aside=said["aside"])
    if said["unit"] and said["unit"] not in dict(_units()):
        raise Invalid("bad-choice", "Choose a unit.", field=f"unit-{n}")
    qty, price = _figure(said["qty"], f"qty-{n}"), _figure(said["price"], f"price-{n}") if is_bill else None
    amount = None
    if is_bill and said["amount"]:
        amount = _signed(said["amount"], f"amount-{n}", currency)
    elif is_bill and qty is not None and price is not None:
        amount = int((qty * price).scaleb(exponent(currency)).to_integral_value())
    if amount is not None and abs(amount) > MAX_MINOR:
        raise Invalid("bad-amount", "That amount is too large. Check it and enter it again.", field=f"amount-{n}")
    return ConfirmedLine(n, said["name"], said["sku"], qty, said["unit"], price, amount, said["aside"])


def _figure(raw: str, name: str) -> Decimal | None:
    """Return a quantity or a price as typed, None for none."""
    if not raw:
        return None
    if not _FIGURE.fullmatch(raw):
        raise Invalid("bad-figure", "Enter a number such as 12 or 1.5.", field=name)
    return Decimal(raw.replace(",", "."))


def _signed(raw: str, name: str, currency: str) -> int:
    """Return an amount that may be below zero."""
    bare = raw.lstrip("-−")
    return form.amount_of(bare, name, currency) * (-1 if bare != raw else 1)


def _sums(lines: list[LineView], head: Mapping[str, str]) -> dict[str, int] | None:
    """Return what the page says of its amounts: lines with charges, tax, total and what is missing; None: not known."""
    currency = place().currency
    try:
        said = [_confirmed(line.n, dict(line.said), currency, is_bill=True) for line in lines]
        counted = sum(one.amount_minor or 0 for one in said if one.aside != paper_notes.NO_LINE)
        total, tax = _signed(head["total"], "total", currency), _signed(head["tax"] or "0", "tax", currency)
    except Invalid:
        return None
    return {"lines": counted, "tax": tax, "total": total, "gap": total - tax - counted}

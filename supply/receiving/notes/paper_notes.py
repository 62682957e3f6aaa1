"""Notes on paper as they were photographed: kept with what was read, confirmed line by line, then documents.

Rules
-----
1. A photo is known by its content: the same one again is the note there, unless that was discarded. Its picture and
   what was read of it never change; what a person enters stands beside it.
2. Whose note it is, is proposed where exactly one supplier fits: by a tax number of its e-invoices, its e-mail address,
   a phone number on a note confirmed before, or its name. A person confirms it; a tax number read here is not learned.
3. Nothing is booked before it is confirmed. Every line read is given a product or set aside with a reason (`ASIDE`);
   lines that were not read are added by hand.
4. A bill adds up: lines, charges and tax are the total, or a person says that the difference is a charge or a discount.
   Neither total nor tax is below zero.
5. Confirmed, it is a shipping notice, an invoice, or both, as the person says (`supplier_documents.take`); what was
   confirmed of a wording is remembered (`lessons`).
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from rapidfuzz import fuzz
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import exponent
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from config.states import StateTable
from config.words import N_
from pos.store.store import day_of, store_of
from supply.orders import orders
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.receiving.documents import matching, supplier_documents
from supply.receiving.documents.document import (
    ADVICE,
    INVOICE,
    DocumentLine,
    Extra,
    Party,
    SupplierDocument,
    plain,
)
from supply.receiving.documents.supplier_documents import SupplierPaper
from supply.receiving.notes import columns, lessons, products
from supply.receiving.notes.columns import NoteLine, Page, Word
from supply.receiving.notes.products import Known, Lesson, Proposal

STATES = StateTable("paper note", "open", {"open": ["confirmed", "abandoned"]})
BOTH = "both"
KINDS = (ADVICE, INVOICE, BOTH)
CHARGE, NOT_SOLD, NO_LINE = "charge", "not_sold", "no_line"
ASIDE = {
    CHARGE: N_("Freight, deposit or fee"), NOT_SOLD: N_("A product we do not sell"),
    NO_LINE: N_("Not a product, or crossed out"),
}  # fmt: skip
MOST_LINES = 220
_BY_TAX, _BY_EMAIL, _BY_PHONE, _BY_NAME = N_("tax number"), N_("email"), N_("phone number"), N_("name")
_PHONE = re.compile(r"(?:tel|phone|fon|mob|电话|手机|☎)\D{0,20}(\+?[\d\s()/.-]{7,24})", re.IGNORECASE)
_LEAST, _LEAST_NAME, _ALIKE, _NOTES = 6, 4, 92, 100


@append_only("state", "supplier_id", "entered", "invoice_id", "advice_id")
class PaperNote(Base):
    """A photographed note. width, height: of the page in which lines have their places, not of the picture."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "paper_note"
    __table_args__ = (
        sa.Index("ix_paper_note_photo", "store_id", "sha256", unique=True,
                 sqlite_where=sa.text("state <> 'abandoned'")),
        sa.Index("ix_paper_note_taken", "store_id", "state", "taken_at"),
    )  # fmt: skip

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    sha256: Mapped[str]
    """Of the photo as it was sent."""
    photo: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    said: Mapped[dict[str, Any]]
    """What was read: lines, above, sums, and the texts of all rows."""
    supplier_id: Mapped[str | None]
    entered: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    """What a person typed so far, as the form names it."""
    invoice_id: Mapped[str | None]
    advice_id: Mapped[str | None]
    taken_at: Mapped[dt.datetime]
    taken_by: Mapped[str]

    @property
    def lines(self) -> list[NoteLine]:
        """The lines that were read."""
        return [_line_of(one) for one in self.said["lines"]]

    @property
    def number(self) -> str:
        """The number read, '' for none."""
        return columns.number_of(self.said["above"])

    @property
    def sums(self) -> list[Decimal]:
        """The figures read below the lines."""
        return [Decimal(one) for one in self.said["sums"]]


@dataclass(frozen=True)
class ConfirmedLine:
    """A line as a person confirmed it: a product, or aside: why it is none. n: its place on the note, from 0."""

    n: int
    name: str
    sku: str = ""
    qty: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    amount_minor: int | None = None
    aside: str = ""


@dataclass(frozen=True)
class Confirmation:
    """A note as a person confirmed it. takes_gap: the difference to the total is a charge or a discount (rule 4)."""

    kind: str
    number: str
    day: dt.date
    lines: Sequence[ConfirmedLine]
    order_id: str = ""
    tax_minor: int = 0
    total_minor: int = 0
    takes_gap: bool = False


# --- verbs ---


def take(ctx: Context, store_id: str, raw: bytes, read: Sequence[Any], *, id: str) -> PaperNote:
    """Keep a photo and what was read of it (`picture.read`); the same photo or id again is the note there (rule 1)."""
    known = ctx.session.get(PaperNote, (store_id, id)) or known_photo(ctx.session, store_id, raw)
    if known is not None:
        return known
    photo, (width, height), *told = read
    words = [Word(*word) for word in told]
    found, rows = columns.page_of(words), [row.text for row in columns.rows_of(words)]
    row = PaperNote(
        store_id=store_id, id=id, state=STATES.first, sha256=_mark(raw), photo=photo, width=width, height=height,
        said=_said(found, rows), supplier_id=None, entered={}, invoice_id=None, advice_id=None, taken_at=ctx.at,
        taken_by=ctx.actor.name,
    )  # fmt: skip
    row.supplier_id = recognized(ctx.session, store_id, rows)[0] or None
    ctx.session.add(row)
    journal.record(ctx, verb="paper note.taken", subject=subject_of(row), lines=len(found.lines))
    ctx.session.flush()
    return row


def choose_supplier(ctx: Context, store_id: str, id: str, supplier_id: str) -> PaperNote:
    """Say whose note it is; what was entered of another supplier's lines is cleared."""
    row = _open(ctx.session, store_id, id)
    _own(ctx.session, store_id, supplier_id)
    if row.supplier_id != supplier_id:
        row.supplier_id = supplier_id
        row.entered = {name: said for name, said in row.entered.items() if name not in ("lines", "order")}
        ctx.session.flush()
    return row


def enter(ctx: Context, store_id: str, id: str, entered: dict[str, Any]) -> PaperNote:
    """Keep what a person has entered so far."""
    row = _open(ctx.session, store_id, id)
    row.entered = entered
    ctx.session.flush()
    return row


def discard(ctx: Context, store_id: str, id: str) -> PaperNote:
    """Discard a note; its photo may be added again."""
    row = _open(ctx.session, store_id, id)
    journal.move(ctx, row, "abandoned", subject=subject_of(row))
    ctx.session.flush()
    return row


def confirm(ctx: Context, store_id: str, id: str, said: Confirmation, *, ids: tuple[str, str]) -> PaperNote:
    """Make a note the documents a person confirmed (rules 3 to 5). ids: of the invoice and of the shipping notice."""
    row = _open(ctx.session, store_id, id)
    supplier = _own(ctx.session, store_id, row.supplier_id or "")
    _check(ctx, store_id, row, said)
    order = None
    if said.order_id:
        order = next((one for one in supplier_documents.orders_of(ctx.session, store_id, supplier.id)
                      if one.id == said.order_id), None)  # fmt: skip
        if order is None:
            raise NotFound("unknown-order", "Order not found at this store.", field="order")
    _check_units(ctx.session, store_id, supplier.id, said)
    if said.kind != ADVICE:
        document = _invoice(ctx.session, store_id, supplier, said, order)
        row.invoice_id = supplier_documents.take(ctx, store_id, document, id=ids[0], supplier_id=supplier.id).id
    if said.kind != INVOICE:
        document = _advice(ctx.session, store_id, supplier, said, order)
        row.advice_id = supplier_documents.take(ctx, store_id, document, id=ids[1], supplier_id=supplier.id).id
    for line in said.lines:
        if line.sku:
            lessons.teach(ctx, store_id, supplier.id, Lesson(line.name, line.sku, line.unit))
    journal.move(
        ctx, row, "confirmed", subject=subject_of(row), supplier=supplier.id, kind=said.kind, number=said.number
    )
    ctx.session.flush()
    return row


# --- questions ---


def note_of(session: Session, store_id: str, id: str) -> PaperNote:
    """Return a note of this store; NotFound for any other."""
    row = session.get(PaperNote, (store_id, id))
    if row is None:
        raise NotFound("not-found-here", "Note not found at this store.")
    return row


def known_photo(session: Session, store_id: str, raw: bytes) -> PaperNote | None:
    """Return the note that a photo is already, None for a new one (rule 1)."""
    query = sa.select(PaperNote).where(
        PaperNote.store_id == store_id, PaperNote.sha256 == _mark(raw), PaperNote.state != "abandoned"
    )
    found: PaperNote | None = session.scalar(query)
    return found


def note_behind(session: Session, paper: SupplierPaper) -> PaperNote | None:
    """Return the note that a document was confirmed from, None for one that came as a file."""
    query = sa.select(PaperNote).where(
        PaperNote.store_id == paper.store_id, sa.or_(PaperNote.invoice_id == paper.id, PaperNote.advice_id == paper.id)
    )
    found: PaperNote | None = session.scalar(query)
    return found


def waiting(session: Session, store_id: str, most: int = 50) -> list[PaperNote]:
    """Return the notes that nobody confirmed yet, the latest first."""
    query = sa.select(PaperNote).where(PaperNote.store_id == store_id, PaperNote.state == STATES.first)
    return list(session.scalars(query.order_by(PaperNote.taken_at.desc(), PaperNote.id.desc()).limit(most)))


def suppliers_of(session: Session, store_id: str) -> list[Supplier]:
    """Return the suppliers a note may be of, by name."""
    query = sa.select(Supplier).where(Supplier.owner_id == store_id, Supplier.active)
    return list(session.scalars(query.order_by(Supplier.name, Supplier.id)))


def recognized(session: Session, store_id: str, rows: Sequence[str]) -> tuple[str, str]:
    """Return the one supplier a page names, and by what; ('', '') for none or several (rule 2)."""
    mine = suppliers_of(session, store_id)
    texts, ours = [plain(row) for row in rows], _digits(store_of(session, store_id).phone)
    numbers, _ = supplier_documents.numbers_of(session, store_id)
    said, phones = _phones(rows) - {ours}, _phones_of(session, store_id)
    ways: list[tuple[str, list[str]]] = [
        (_BY_TAX, [one.id for one in mine if any(len(plain(number)) >= _LEAST and plain(number) in text
                                                 for number in numbers.get(one.id, ()) for text in texts)]),
        (_BY_EMAIL, [one.id for one in mine if len(plain(one.email)) >= _LEAST
                     and any(plain(one.email) in text for text in texts)]),
        (_BY_PHONE, [one.id for one in mine if said & phones.get(one.id, set())]),
        (_BY_NAME, [one.id for one in mine if _is_named(plain(one.name), texts)]),
    ]  # fmt: skip
    return next(((found[0], by) for by, found in ways if len(found) == 1), ("", ""))


def proposals(session: Session, row: PaperNote, order_id: str) -> list[Proposal]:
    """Return what each line read is taken for, with an order as evidence."""
    if row.supplier_id is None:
        return [Proposal(line, products.UNKNOWN, unit=line.unit) for line in row.lines]
    order = session.get(ReplenishmentOrder, (row.store_id, order_id))
    ordered = {line.sku: orders.promised_qty(line) for line in orders.lines_of(session, order)} if order else {}
    taught, today = lessons.taught(session, row.store_id, row.supplier_id), day_of(session, row.store_id, row.taken_at)
    codes = {code for line in row.lines for code in line.codes if code.isdigit() and len(code) >= 8}
    sold = supplier_documents.sold_by(session, row.store_id, row.supplier_id, today, order_id=order_id, gtins=codes,
                                      skus={one.sku for one in taught})  # fmt: skip
    known = [
        Known(one.sku, one.name, one.pack_qty, one.pack_cost_minor, one.article_no, one.codes, ordered.get(one.sku),
              stock_unit=one.stock_unit)
        for one in sold
    ]  # fmt: skip
    places = exponent(store_of(session, row.store_id).currency)
    return products.propose(row.lines, known, taught, places)


def usual_order(session: Session, store_id: str, supplier_id: str) -> str:
    """Return the one order of a supplier that is still to come, '' for none or several."""
    there = [one.id for one in supplier_documents.orders_of(session, store_id, supplier_id)
             if one.state in orders.ON_THE_WAY]  # fmt: skip
    return there[0] if len(there) == 1 else ""


def is_counted(session: Session, store_id: str, order_id: str) -> bool:
    """Tell whether a delivery of an order is being counted, or was: a shipping notice is then one more delivery."""
    query = sa.select(Delivery.id).where(
        Delivery.store_id == store_id, Delivery.order_id == order_id, Delivery.state.in_(("counting", "posted"))
    )
    return session.scalar(query.limit(1)) is not None


def gap_of(said: Confirmation) -> int:
    """Return by how much the total is more than lines, charges and tax come to (rule 4)."""
    counted = sum(line.amount_minor or 0 for line in said.lines if line.aside != NO_LINE)
    return said.total_minor - said.tax_minor - counted


def subject_of(row: PaperNote) -> str:
    """Return a note as the journal names it."""
    return f"note:{row.id}"


# --- inside ---


def _open(session: Session, store_id: str, id: str) -> PaperNote:
    query = sa.select(PaperNote).where(PaperNote.store_id == store_id, PaperNote.id == id)
    row: PaperNote | None = session.scalar(lock_rows(session, query))
    if row is None:
        raise NotFound("not-found-here", "Note not found at this store.")
    if row.state != STATES.first:
        raise Conflict("note-over", "This note is already settled. Reload the page.", state=row.state)
    return row


def _own(session: Session, store_id: str, supplier_id: str) -> Supplier:
    supplier = session.get(Supplier, supplier_id)
    if supplier is None or supplier.owner_id != store_id or not supplier.active:
        raise Invalid("no-supplier", "Choose the supplier of this note.", field="supplier")
    return supplier


def _check(ctx: Context, store_id: str, row: PaperNote, said: Confirmation) -> None:
    """Refuse what is not whole (rules 3, 4)."""
    if said.kind not in KINDS:
        raise Invalid("no-kind", "Say whether this is a delivery note, an invoice, or both.", field="kind")
    if not said.number:
        raise Invalid("no-note-number", "Enter the note’s number. If it has none, enter its date.", field="number")
    if said.day > day_of(ctx.session, store_id, ctx.at):
        raise Invalid("note-of-tomorrow", "The date is in the future. Check it against the note.", field="day")
    if missing := set(range(len(row.said["lines"]))) - {line.n for line in said.lines}:
        raise Conflict("note-line-missing", "A line of this note is missing. Reload the page.", line=min(missing) + 1)
    is_bill = said.kind != ADVICE
    for line in said.lines:
        _check_line(line, is_bill=is_bill)
    if not any(line.sku for line in said.lines):
        raise Invalid("note-without-products", "Choose a product for at least one line.")
    if is_bill and min(said.total_minor, said.tax_minor) < 0:
        raise Invalid("note-below-zero", "Total and tax can’t be below zero. Ask the supplier for the credit memo as "
                      "an e-invoice.", field="total" if said.total_minor < 0 else "tax")  # fmt: skip
    if is_bill and gap_of(said) and not said.takes_gap:
        raise Refused("note-gap", "Lines and tax come to %(reckoned_minor)s, but the total is %(said_minor)s. Check "
                      "amounts, tax and total. If a charge or discount is not on a line, tick the box.",
                      reckoned_minor=said.total_minor - gap_of(said), said_minor=said.total_minor,
                      currency=store_of(ctx.session, store_id).currency, field="total")  # fmt: skip


def _check_line(line: ConfirmedLine, *, is_bill: bool) -> None:
    if line.aside and line.aside not in ASIDE:
        raise Invalid("bad-choice", "Choose a reason.", field=f"aside-{line.n}")
    if not line.sku and not line.aside:
        raise Invalid("line-undecided", "Choose the product of line %(line)s, or say why it is none.",
                      line=line.n + 1, field=f"sku-{line.n}")  # fmt: skip
    if line.sku and line.aside:
        raise Invalid("line-twice", "Line %(line)s has a product and a reason to set it aside. Keep one.",
                      line=line.n + 1, field=f"aside-{line.n}")  # fmt: skip
    if line.aside != NO_LINE and line.aside != CHARGE and not (line.qty and line.qty > 0 and line.unit):
        raise Invalid("line-uncounted", "Enter quantity and unit of line %(line)s.", line=line.n + 1,
                      field=f"qty-{line.n}")  # fmt: skip
    if is_bill and line.aside != NO_LINE and line.amount_minor is None:
        raise Invalid("line-without-amount", "Enter the amount of line %(line)s.", line=line.n + 1,
                      field=f"amount-{line.n}")  # fmt: skip
    if line.sku and (line.amount_minor or 0) < 0:
        raise Invalid("line-below-zero", "A product line can’t be below zero. Set line %(line)s aside.",
                      line=line.n + 1, field=f"amount-{line.n}")  # fmt: skip


def _check_units(session: Session, store_id: str, supplier_id: str, said: Confirmation) -> None:
    skus = {line.sku for line in said.lines if line.sku}
    sold = {one.sku: one for one in supplier_documents.sold_by(session, store_id, supplier_id, said.day, skus=skus)}
    query = sa.select(SupplierProduct.sku).where(SupplierProduct.supplier_id == supplier_id)
    listed = set(session.scalars(query))
    for line in said.lines:
        if not line.sku:
            continue
        if line.sku not in sold:
            raise NotFound("unknown-product", "Product %(sku)s not found.", sku=line.sku, field=f"sku-{line.n}")
        if line.unit == products.PACK and line.sku not in listed:
            raise Invalid("no-pack-known", "%(name)s has no pack size on this supplier’s price list. Enter line "
                          "%(line)s in pieces, or add the product to the list.", line=line.n + 1,
                          name=sold[line.sku].name, field=f"unit-{line.n}")  # fmt: skip
        if matching.units_of(_advised(line), sold[line.sku]) is None:
            raise Invalid("line-in-parts", "Line %(line)s is not a whole number of units of %(name)s. Check quantity "
                          "and unit.", line=line.n + 1, name=sold[line.sku].name, field=f"qty-{line.n}")  # fmt: skip


def _parties(session: Session, store_id: str, supplier: Supplier) -> tuple[Party, Party]:
    """Return seller and buyer; without a tax number, so that none is learned (rule 2)."""
    return Party((supplier.name,)), Party((store_of(session, store_id).name,))


def _advice(
    session: Session, store_id: str, supplier: Supplier, said: Confirmation, order: ReplenishmentOrder | None
) -> SupplierDocument:  # fmt: skip
    seller, buyer = _parties(session, store_id, supplier)
    lines = tuple(_advised(line) for line in said.lines if line.aside in ("", NOT_SOLD))
    return SupplierDocument(ADVICE, said.number, said.day, seller, buyer, lines,
                            order_ref=str(order.order_no) if order else "")  # fmt: skip


def _invoice(
    session: Session, store_id: str, supplier: Supplier, said: Confirmation, order: ReplenishmentOrder | None
) -> SupplierDocument:  # fmt: skip
    seller, buyer = _parties(session, store_id, supplier)
    currency = store_of(session, store_id).currency
    lines = tuple(_document_line(line, exponent(currency)) for line in said.lines if line.aside in ("", NOT_SOLD))
    charges = [line.amount_minor or 0 for line in said.lines if line.aside == CHARGE] + [gap_of(said)]
    extras = tuple(Extra("", 0, minor) for minor in charges if minor)
    return SupplierDocument(
        INVOICE, said.number, said.day, seller, buyer, lines, order_ref=str(order.order_no) if order else "",
        currency=currency, extras=extras, net_minor=said.total_minor - said.tax_minor, tax_minor=said.tax_minor,
        payable_minor=said.total_minor,
    )  # fmt: skip


def _document_line(line: ConfirmedLine, places: int) -> DocumentLine:
    """Return a line as a document has it; a price that was not read is its amount's part."""
    qty, total = line.qty or Decimal(0), line.amount_minor or 0
    price, base, extra = line.price, Decimal(1), 0
    if price is None:
        price, base = Decimal(total).scaleb(-places), qty or Decimal(1)
    else:
        extra = total - int((qty * price).scaleb(places).quantize(Decimal(1), ROUND_HALF_UP))
    return DocumentLine(str(line.n + 1), "", "", line.name, qty, line.unit, price, base, extra, total_minor=total,
                        sku=line.sku)  # fmt: skip


def _advised(line: ConfirmedLine) -> DocumentLine:
    """Return a line without its money."""
    return _document_line(replace(line, price=Decimal(0), amount_minor=0), 0)


def _is_named(name: str, texts: Sequence[str]) -> bool:
    if len(name) < (2 if name and name[0] > "⺀" else _LEAST_NAME):
        return False
    return any(name in text or (len(name) >= _LEAST and fuzz.partial_ratio(name, text) >= _ALIKE
                                and len(text) >= len(name)) for text in texts)  # fmt: skip


def _phones(rows: Sequence[str]) -> set[str]:
    return {_digits(found) for row in rows for found in _PHONE.findall(row)} - {""}


def _digits(text: str) -> str:
    """Return the last digits of a phone number, so that it is one with its country and without."""
    return "".join(one for one in text if one.isdecimal())[-8:]


def _phones_of(session: Session, store_id: str) -> dict[str, set[str]]:
    """Return the phone numbers on suppliers' notes that were confirmed."""
    query = sa.select(PaperNote.supplier_id, PaperNote.said).where(
        PaperNote.store_id == store_id, PaperNote.state == "confirmed"
    )
    found: dict[str, set[str]] = {}
    for supplier_id, said in session.execute(query.order_by(PaperNote.taken_at.desc()).limit(_NOTES)):
        found.setdefault(supplier_id, set()).update(_phones(said["rows"]))
    return found


def _mark(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _said(page: Page, rows: Sequence[str]) -> dict[str, Any]:
    lines = [{name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(line).items()}
             for line in page.lines]  # fmt: skip
    return {"lines": lines, "above": list(page.above), "sums": [str(one) for one in page.sums], "rows": list(rows)}


def _line_of(said: dict[str, Any]) -> NoteLine:
    figures = {name: None if said[name] is None else Decimal(said[name]) for name in ("qty", "price", "amount")}
    left, top, width, height = said["box"]
    return NoteLine(**said | figures | {"codes": tuple(said["codes"]), "box": (left, top, width, height)})

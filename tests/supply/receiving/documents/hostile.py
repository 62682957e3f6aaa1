"""Invoices with one seeded fault each, as careless or dishonest suppliers send them; and the honest one they spoil."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from pypdf import PdfWriter
from sqlalchemy.orm import Session

from config.database import Base
from config.errors import DomainError
from config.ids import new_id
from config.nodes.journal import Context
from config.words import language
from pos.catalogue.catalogue import Barcode
from store_app.runtime.child_process import read_apart
from supply.orders.suppliers import Supplier
from supply.receiving.documents import document, reading, supplier_documents
from supply.receiving.documents.document import CREDIT, SupplierDocument
from supply.receiving.documents.supplier_documents import SupplierPaper
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper
from tests.supply.road import AT, FARM, KEEPER, make_country

BREAD, TEA, MILK = "4006381333931", "4006381333948", "4006381333955"
_OF_PAPERS = {"supplier_document", "journal_entry", "journal_head"}
REFUSED, SHOWN, LESS, PASSED = "refused", "shown", "asks for less", "passed"
HONEST_MINOR = 4_687


def honest(rng: Random, number: str) -> Paper:
    """Return an invoice for the two products of order 1, at the cost and in the quantity that came."""
    lines = [Line("", 2, "9.00", "XBX", rate=9, gtin=BREAD), Line("", 1, "25.00", "XBX", rate=9, gtin=TEA)]
    return Paper(rng.sample(lines, 2), number, "Farm", "DE123", "Store S1", order="No. 1", currency="EUR")


def _text(before: str, after: str) -> Callable[[Random, Paper], bytes]:
    """Change a text of the file and nothing else."""

    def spoil(rng: Random, paper: Paper) -> bytes:
        raw = made.ubl(paper).decode()
        assert before in raw, before
        return raw.replace(before, after.format(rng.randint(2, 99)), 1).encode()

    return spoil


def _paper(**changed) -> Callable[[Random, Paper], bytes]:
    return lambda rng, paper: rng.choice((made.ubl, made.cii))(replace(paper, **changed))


def _line(**changed) -> Callable[[Random, Paper], bytes]:
    return lambda rng, paper: rng.choice((made.ubl, made.cii))(
        replace(paper, lines=[replace(paper.lines[0], **changed), paper.lines[1]])
    )


def _encoded(*names: str) -> Callable[[Random, Paper], bytes]:
    """Declare an encoding that the file is not in, or that nobody reads."""

    def spoil(rng: Random, paper: Paper) -> bytes:
        return made.ubl(paper).replace(b"UTF-8", rng.choice(names).encode()).replace(b"Tea", b"T\xe9\xff")

    return spoil


def _charged(rng: Random, paper: Paper) -> bytes:
    """Charge something beside the lines, so that all sums are right."""
    fee = Decimal(rng.randint(1, 90))
    net, tax = paper.net + fee, made.tax(paper.net + fee, 9)
    one = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator>"
        f'<cbc:Amount currencyID="EUR">{fee}</cbc:Amount><cac:TaxCategory><cbc:ID>S</cbc:ID>'
        "<cbc:Percent>9</cbc:Percent></cac:TaxCategory></cac:AllowanceCharge>"
    )
    raw = made.ubl(paper).decode().replace("<cac:TaxTotal>", f"{one}<cac:TaxTotal>")
    raw = raw.replace(f'TaxAmount currencyID="EUR">{paper.tax}', f'TaxAmount currencyID="EUR">{tax}')
    for tag, before, after in (
        ("TaxableAmount", paper.net, net), ("TaxExclusiveAmount", paper.net, net),
        ("PayableAmount", paper.net + paper.tax, net + tax),
    ):  # fmt: skip
        raw = raw.replace(f'{tag} currencyID="EUR">{before}', f'{tag} currencyID="EUR">{after}')
    return raw.encode()


def _deep(rng: Random, paper: Paper) -> bytes:
    depth = rng.randint(10_000, 200_000)
    return made.ubl(paper).replace(b"</Invoice>", b"<x>" * depth + b"</x>" * depth + b"</Invoice>").replace(
        b"PayableAmount", b"Payable", 1)  # fmt: skip


def _entities(rng: Random, paper: Paper) -> bytes:
    names = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 9}">' for n in range(rng.randint(3, 12)))
    doctype = f'<!DOCTYPE Invoice [<!ENTITY a0 "lol">{names}]>'.encode()
    return doctype + made.ubl(paper).partition(b"?>")[2].replace(b"Tea", b"&a3;")


def _zipped(rng: Random, paper: Paper) -> bytes:
    """Attach an invoice that is small in its PDF and far too large outside of it."""
    writer, page = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    bomb = made.ubl(paper) + b" " * rng.randint(6_000_000, 30_000_000)
    writer.add_attachment("bomb.xml", bomb)
    for one in writer._objects:
        if hasattr(one, "flate_encode") and len(one.get_data()) > 1_000_000:
            writer._replace_object(one.indirect_reference, one.flate_encode())
    writer.write(page)
    return page.getvalue()


def _torn(rng: Random, paper: Paper) -> bytes:
    raw = rng.choice((made.ubl, made.cii, lambda one: made.pdf(invoice=made.cii(one))))(paper)
    return raw[: rng.randint(1, len(raw) - 12)]


def _sum(tag: str, before: str, after: str) -> Callable[[Random, Paper], bytes]:
    """Change an amount of the file and nothing else."""
    return _text(f'{tag} currencyID="EUR">{before}', f'{tag} currencyID="EUR">{after}')


def _beside(tag: str, minor: str, payable: str) -> Callable[[Random, Paper], bytes]:
    """Ask for another sum, and explain it by an amount beside it."""
    amount = '<cbc:{} currencyID="EUR">{}'
    asked = amount.format("PayableAmount", "46.87")
    return _text(asked, f"{amount.format(tag, minor)}</cbc:{tag}>{amount.format('PayableAmount', payable)}")


def _forged(rng: Random, paper: Paper) -> bytes:
    return _paper(forged=Decimal(rng.choice((-1, 1)) * rng.randint(1, 9_999)) / 100)(rng, paper)


def _more(rng: Random, paper: Paper) -> bytes:
    return _line(qty=int(paper.lines[0].qty) + rng.randint(1, 40))(rng, paper)


def _dearer(rng: Random, paper: Paper) -> bytes:
    return _line(price=str(Decimal(paper.lines[0].price) + rng.randint(1, 40)))(rng, paper)


def _all_below(_rng: Random, paper: Paper) -> bytes:
    return made.ubl(replace(paper, lines=[replace(one, qty=-one.qty) for one in paper.lines]))


def _fetching(_rng: Random, paper: Paper) -> bytes:
    return b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">' + made.ubl(paper).partition(b"?>")[2]


def _two(_rng: Random, paper: Paper) -> bytes:
    return made.pdf(one=made.cii(paper), two=made.cii(replace(paper, number="X")))


_CODE, _CURRENCY = "<cbc:InvoiceTypeCode>325</cbc:InvoiceTypeCode>", "<cbc:DocumentCurrencyCode>"
_LINE_ID, _PART = "</cbc:ID><cbc:InvoicedQuantity", "</cac:TaxSubtotal>"
_EMPTY_PART = (
    "<cac:TaxSubtotal><cbc:TaxableAmount>0</cbc:TaxableAmount><cbc:TaxAmount>{}</cbc:TaxAmount></cac:TaxSubtotal>"
)
FAULTS: dict[str, tuple[str, Callable[[Random, Paper], bytes]]] = {
    "sum of a line": (REFUSED, _sum("LineExtensionAmount", "18.00", "{}18.00")),
    "sum of all lines": (REFUSED, _sum("TaxExclusiveAmount", "43.00", "{}43.00")),
    "sum to pay": (REFUSED, _forged),
    "tax": (REFUSED, _sum("TaxAmount", "3.87", "{}3.87")),
    "tax twice": (REFUSED, _text(_PART, _PART + _EMPTY_PART)),
    "currency": (REFUSED, _paper(currency="USD")),
    "an amount in another currency": (REFUSED, _text('PayableAmount currencyID="EUR', 'PayableAmount currencyID="KWD')),
    "a price in another currency": (REFUSED, _text('PriceAmount currencyID="EUR', 'PriceAmount currencyID="JPY')),
    "quantity below zero": (LESS, _line(qty=-2)),
    "price below zero": (SHOWN, _line(price="-9.00")),
    "all below zero": (SHOWN, _all_below),
    "huge quantity": (REFUSED, _line(qty=99_999_999)),
    "huge price": (REFUSED, _line(price="99999999999.00")),
    "too many digits": (REFUSED, _text(">18.00<", ">18000000000000000{}<")),
    "number in words": (REFUSED, _text(">18.00<", ">1e{}<")),
    "not a number": (REFUSED, _text(">18.00<", ">NaN<")),
    "line twice": (REFUSED, _text(f">2{_LINE_ID}", f">1{_LINE_ID}")),
    "same number": (REFUSED, _paper(number="R-0")),
    "same number, spelled otherwise": (SHOWN, _paper(number="r 0")),
    "other tax number": (REFUSED, _paper(seller_tax="DE999")),
    "seller nobody knows": (REFUSED, _paper(seller="Frm", seller_tax="DE998")),
    "tax number of another supplier": (SHOWN, _paper(seller_tax="DE777")),
    "other buyer": (REFUSED, _paper(buyer="Store S2")),
    "no buyer": (REFUSED, _paper(buyer="")),
    "no number": (REFUSED, _paper(number="")),
    "no lines": (REFUSED, lambda _rng, paper: made.ubl(replace(paper, lines=[]))),
    "day that is none": (REFUSED, _text("2026-03-02", "2026-02-30")),
    "pro forma": (REFUSED, _text(_CURRENCY, _CODE + _CURRENCY)),
    "more than came": (SHOWN, _more),
    "dearer": (SHOWN, _dearer),
    "product nobody ordered": (SHOWN, _line(gtin=MILK)),
    "product nobody knows": (SHOWN, _line(gtin="", article_no="X")),
    "other tax rate": (SHOWN, _line(rate=19)),
    "rate above a hundred": (REFUSED, _line(rate=900)),
    "rate below zero": (REFUSED, _line(rate=-9)),
    "charge beside the lines": (SHOWN, _charged),
    "paid more than owed": (REFUSED, _beside("PrepaidAmount", "50.00", "-3.13")),
    "paid less than nothing": (REFUSED, _beside("PrepaidAmount", "-50.00", "96.87")),
    "rounded by much": (REFUSED, _beside("PayableRoundingAmount", "53.13", "100.00")),
    "deep": (REFUSED, _deep),
    "entities": (REFUSED, _entities),
    "foreign entity": (REFUSED, _fetching),
    "zip bomb": (REFUSED, _zipped),
    "two in one": (REFUSED, _two),
    "torn": (REFUSED, _torn),
    "noise": (REFUSED, lambda rng, _paper: rng.randbytes(rng.randint(0, 5_000))),
    "wrong encoding": (REFUSED, _encoded("UTF-8", "UTF-16", "US-ASCII")),
    "strange encoding": (REFUSED, _encoded("gb2312", "utf-7", "idna", "x-none", "zlib")),
}
"""What is wrong -> what has to become of it, and how it is put in."""


class Court:
    """A store that was brought order 1 of the farm, and knows the farm and another supplier by their tax numbers."""

    def __init__(self, folder: Path) -> None:
        country = make_country(folder)
        self.store = country.stores["S1"]
        country.order("S1", {"bread": 2, "tea": 1}, supplier=FARM)
        country.take_in("S1")
        with self.store.write() as session:
            session.add(Supplier(id="mill", name="Mill", kind="own", owner_id="S1"))
            session.add_all([Barcode(code=TEA, sku="tea"), Barcode(code=MILK, sku="milk")])
        known = replace(honest(Random(0), "R-0"), order="", day="2026-01-02")
        for supplier, tax in ((FARM, "DE123"), ("mill", "DE777")):
            said = _read(made.ubl(replace(known, seller_tax=tax, lines=[replace(known.lines[0], qty=1)])))
            with self.store.write() as session:
                _take(session, said, supplier)
        with self.store.read() as session:
            self.books = _books(session)

    def judge(self, raw: bytes) -> tuple[str, str]:
        """Return what becomes of a file, and the sentence a person reads; whatever was written is undone."""
        try:
            said, found = _read(raw), list[tuple[str, str]]()
            with contextlib.suppress(_UndoneError), self.store.write() as session:
                found.append(self._shown(session, _take(session, said)))
                raise _UndoneError
            return found[0]
        except DomainError as fault:
            return REFUSED, fault.said(language("en"))

    def _shown(self, session: Session, row: SupplierPaper) -> tuple[str, str]:
        assert row.state == "open"
        books = _books(session)
        moved = [name for name, rows in self.books.items() if rows != books[name]]
        assert not moved, f"a paper that nobody answered changed {moved}"
        lines = supplier_documents.matched(session, row)
        said = [one.kind for one in supplier_documents.open_differences(row, lines)]
        said += ["a credit memo waits for its claims"] if row.kind == CREDIT else []
        said += [f"looks like {one.number}" for one in supplier_documents.alike(session, row)]
        said += [] if row.order_id else ["names no order of this supplier"]
        return (SHOWN, ", ".join(said)) if said else (LESS if row.payable_minor < HONEST_MINOR else PASSED, "")


def _read(raw: bytes) -> SupplierDocument:
    return document.from_json(next(read_apart(reading.read, raw, limit_s=200)))


def _take(session: Session, said: SupplierDocument, supplier: str = "") -> SupplierPaper:
    return supplier_documents.take(Context(session, KEEPER["S1"], AT), "S1", said, id=new_id(), supplier_id=supplier)


class _UndoneError(Exception):
    """Undoes what a judged file wrote."""


def seeded(seed: int) -> tuple[str, str, bytes]:
    """Return the fault of a seed, what has to become of it, and its file."""
    rng, kind = Random(seed), list(FAULTS)[seed % len(FAULTS)]
    wanted, spoil = FAULTS[kind]
    return kind, wanted, spoil(rng, honest(rng, f"R-{seed + 1}"))


def is_right(wanted: str, found: str, sentence: str) -> bool:
    """Tell whether a file came to what it has to, with its sentence whole; what asks for less may be shown as well."""
    if found == LESS:
        return wanted == LESS
    is_said = bool(sentence) and "%(" not in sentence and (found != REFUSED or sentence.endswith("."))
    return is_said and found in ((LESS, SHOWN) if wanted == LESS else (wanted,))


def _books(session: Session) -> dict[str, list[Any]]:
    session.flush()
    return {
        table.name: sorted(map(repr, session.execute(sa.select(table))))
        for table in Base.metadata.sorted_tables if table.name not in _OF_PAPERS
    }  # fmt: skip

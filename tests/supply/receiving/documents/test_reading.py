"""Suppliers' files read strictly: three kinds of UBL, CII, PDF; and what cannot be believed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from config.errors import Invalid
from supply.receiving.documents import document, reading
from supply.receiving.documents.document import Party
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper

LINES = (Line("A-1", 10, "9.28", gtin="4006381333931"), Line("A-2", Decimal("2.5"), "3.1400", "KGM", rate=7))
PAPER = Paper(LINES, order="PO 7", buyer_tax="DE 99/88")
PREPAID, ROUNDED = '<cbc:PrepaidAmount currencyID="USD">', '<cbc:PayableRoundingAmount currencyID="USD">'
PAYABLE = '</cbc:PrepaidAmount><cbc:PayableAmount currencyID="USD">'
ROUNDED_PAYABLE = PAYABLE.replace("Prepaid", "PayableRounding")


def read(raw: bytes) -> document.SupplierDocument:
    (said,) = reading.read(raw)
    return document.from_json(said)


def test_an_invoice_says_the_same_as_ubl_as_cii_and_inside_a_pdf():
    found = read(made.ubl(PAPER))
    assert (found.kind, found.number, found.day, found.currency, found.order_ref) == (
        "invoice", "4711", dt.date(2026, 3, 2), "USD", "PO 7",
    )  # fmt: skip
    assert found.seller == Party(("Mill Farm",), ("DE123456789",))
    first, second = found.lines
    assert (first.article_no, first.gtin, first.qty, first.unit, first.total_minor, first.rate_bp) == (
        "A-1", "4006381333931", 10, "XBX", 9280, 2000,
    )  # fmt: skip
    assert (second.qty, second.total_minor, second.name) == (Decimal("2.5"), 785, "Tea & biscuits")
    assert (found.net_minor, found.tax_minor, found.payable_minor) == (10065, 1911, 11976)
    assert read(made.cii(PAPER)) == read(made.pdf(invoice=made.cii(PAPER), notes=b"<notes/>")) == found


def test_a_credit_note_and_a_despatch_advice_are_told_apart():
    assert read(made.ubl(PAPER, "CreditNote")).kind == read(made.cii(PAPER, "381")).kind == "credit"
    found = read(made.advice(PAPER))
    assert (found.kind, found.arrives, [line.qty for line in found.lines]) == (
        "advice", dt.date(2026, 3, 5), [10, Decimal("2.5")],
    )  # fmt: skip


def test_a_credit_note_says_what_it_refers_to_in_either_format():
    paper = replace(PAPER, refs=("4711", "R 12"), buyer_ref="Claim 3")
    for raw in (made.ubl(paper, "CreditNote"), made.cii(paper, "381")):
        found = read(raw)
        assert (found.invoice_refs, found.buyer_ref) == (("4711", "R 12"), "Claim 3")


def test_an_invoice_below_zero_is_the_credit_memo_it_takes_back():
    negative = replace(PAPER, lines=tuple(replace(one, qty=-one.qty) for one in LINES))
    for raw in (made.ubl(negative), made.cii(negative)):
        assert read(raw) == read(made.ubl(PAPER, "CreditNote"))


def test_what_was_read_is_the_same_after_it_was_kept():
    for raw in (made.ubl(PAPER), made.advice(PAPER)):
        found = read(raw)
        assert document.from_json(document.as_json(found)) == found


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "no-xml"),
        (b"<a/>", "no-invoice"),
        (made.ubl(PAPER)[:-20], "no-xml"),
        (made.pdf(notes=b"<notes/>"), "no-invoice"),
        (made.pdf(one=made.cii(PAPER), two=made.ubl(PAPER)), "two-invoices"),
        (b"x" * (reading.MOST_BYTES + 1), "file-too-large"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + made.ubl(PAPER).partition(b"?>")[2], "xml-with-doctype"),
        (b'<!DOCTYPE a SYSTEM "http://x/">' + made.ubl(PAPER).partition(b"?>")[2], "xml-with-doctype"),
        (made.ubl(PAPER).replace(b"2026-03-02", b"2026-02-30"), "element-missing"),
        (made.ubl(PAPER).replace(b">9.28<", b">9,28<"), "element-missing"),
        (made.ubl(PAPER).replace(b">10<", b">1e9<"), "element-missing"),
        (made.ubl(Paper(())), "document-without-lines"),
        (made.ubl(replace(PAPER, seller="")), "document-incomplete"),
        (made.ubl(replace(PAPER, number="")), "document-incomplete"),
        (made.ubl(PAPER).replace(b">2</cbc:ID>", b">1</cbc:ID>"), "document-line-twice"),
        (made.ubl(replace(PAPER, lines=[replace(LINES[0], qty=-10)]), "CreditNote"), "credit-gives-nothing"),
        (made.ubl(Paper([Line("A-1", 10_000_000, "0.01")])), "figure-too-large"),
        (made.ubl(Paper([Line("A-1", 9_000_000, "9000")])), "figure-too-large"),
    ],
)
def test_a_file_that_is_no_single_whole_document_is_refused(raw, code):
    with pytest.raises(Invalid) as refusal:
        read(raw)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (">9.28<", ">9.30<", "line-does-not-add-up"),
        (">92.80<", ">92.85<", "line-does-not-add-up"),
        (">92.80<", ">92.81<", "sum-does-not-add-up"),  # a cent of rounding in a line shows in the sum
        (">18.56<", ">18.70<", "tax-does-not-add-up"),
        (">19.11<", ">20.11<", "tax-does-not-add-up"),
        (">7</cbc:Percent></cac:Classified", ">20</cbc:Percent></cac:Classified", "tax-does-not-add-up"),
        (">119.76</cbc:Payable", ">219.76</cbc:Payable", "sum-does-not-add-up"),
        (">100.65</cbc:TaxExclusive", ">100.66</cbc:TaxExclusive", "sum-does-not-add-up"),
        ('<cbc:PayableAmount currencyID="USD">119.76', f"{PREPAID}-9.00{PAYABLE}128.76", "below-zero"),
        ('<cbc:PayableAmount currencyID="USD">119.76', f"{PREPAID}219.76{PAYABLE}-100.00", "below-zero"),
        ('<cbc:PayableAmount currencyID="USD">119.76', f"{ROUNDED}5.01{ROUNDED_PAYABLE}124.77", "rounds-too-much"),
    ],
)  # fmt: skip
def test_a_forged_figure_is_found(before, after, code):
    raw = made.ubl(PAPER).decode()
    assert before in raw
    with pytest.raises(Invalid) as refusal:
        read(raw.replace(before, after).encode())
    assert refusal.value.code == code


def test_the_tax_of_a_rate_is_charged_once():
    raw, part = made.ubl(PAPER).decode(), "<cac:TaxSubtotal>"
    first = part + raw.split(part)[1]
    forged = raw.replace(first, first + first).replace('USD">19.11', 'USD">37.67').replace(">119.76<", ">138.32<")
    with pytest.raises(Invalid, match="The tax of this invoice does not add up"):
        read(forged.encode())


def test_discounts_charges_and_a_cent_of_rounding_add_up():
    lines = (Line("A-1", 3, "3.333", "C62", extra=Decimal("-1.00")), Line("A-2", 1, "5.00", extra=Decimal("0.25")))
    assert read(made.ubl(Paper(lines))).net_minor == 1000 - 100 + 525


@pytest.mark.parametrize(
    ("name", "number", "is_it"),
    [
        ("Store S01", "", True),
        ("  STORE-s01 ", "", True),
        ("Corner Store", "", False),
        ("Corner Store", "9988", True),  # without its country
        ("Corner Store", "de99-88", True),
        ("Store S01", "AT9988", False),
        ("Store S01", "8", False),
    ],
)
def test_the_buyer_is_known_by_tax_number_before_name(name, number, is_it):
    assert document.is_same(read(made.ubl(PAPER)).buyer, name, number) is is_it

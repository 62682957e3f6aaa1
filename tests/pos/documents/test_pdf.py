"""A4 for stores without a label printer: every label in its place, every document whole, the same bytes again."""

import datetime as dt
import io
import re

import pypdf
import pytest

from config import words
from config.errors import Invalid
from pos.documents import pdf, producer_statement_pages
from pos.documents.paper import CUT, PaperLine
from pos.printing.queue import lay_out
from tests.pos import paper_documents as documents

A4 = pdf.A4_MM


def pages(made: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", made))


@pytest.mark.parametrize("kind", pdf.SHEETS)
def test_labels_stand_apart_and_on_the_page(kind):
    sheet = pdf.SHEETS[kind]
    corners = list(pdf.places(sheet, sheet.count))
    assert {page for page, _, _ in corners} == {0}
    for _, left, top in corners:
        assert left >= 0
        assert top >= 0
        assert left + sheet.width <= A4[0] + 0.01
        assert top + sheet.height <= A4[1] + 0.51
    for n, (_, left, top) in enumerate(corners):
        for _, other_left, other_top in corners[n + 1 :]:
            assert (
                other_left >= left + sheet.width - 0.01 or other_top >= top + sheet.height - 0.01 or other_left < left
            )


@pytest.mark.parametrize(("count", "skip", "sheets"), [(1, 0, 1), (21, 0, 1), (22, 0, 2), (20, 2, 2)])
def test_used_places_of_the_first_sheet_stay_empty(count, skip, sheets):
    made = pdf.label_sheets([documents.label()] * count, pdf.SHEETS["plain"], skip=skip)
    assert made.startswith(b"%PDF-")
    assert pages(made) == sheets
    assert made == pdf.label_sheets([documents.label()] * count, pdf.SHEETS["plain"], skip=skip)


@pytest.mark.parametrize("skip", [-1, 21])
def test_a_place_that_is_not_on_the_sheet_is_refused(skip):
    with pytest.raises(Invalid, match="0 to 20"):
        pdf.label_sheets([documents.label()], pdf.SHEETS["plain"], skip=skip)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("z", documents.full_z()),
        ("statement", documents.statement()),
        ("count_sheet", documents.count_sheet()),
        ("pick_list", documents.pick_list()),
        ("label", documents.label()),
        ("receipt", documents.british_sale()),
    ],
)
def test_any_document_is_a_page(kind, document, language):
    lines = lay_out(kind, document | {"language": language}, columns=pdf.COLUMNS)
    assert pages(pdf.document_pages(lines, kind)) >= 1


def test_a_long_document_goes_on_on_the_next_page_and_a_cut_ends_one():
    many = [PaperLine(f"line {n}") for n in range(200)]
    assert pages(pdf.document_pages([*many, CUT], "long")) == 4
    assert pages(pdf.document_pages([PaperLine("a"), CUT, PaperLine("b"), CUT], "two")) == 2


def copied(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())


@pytest.mark.parametrize(
    ("language", "tz", "day"), [("de", "Europe/Berlin", "24.11.2026"), ("es", "Europe/Madrid", "24 nov 2026")]
)
def test_every_kind_of_page_writes_figures_as_the_stores_country_does(language, tz, day):
    at_home = {"currency": "EUR", "tz": tz, "language": language}
    weighed = {"unit_price_minor": None, "stock_unit": "gram", "price_quantity": 1000}
    label = copied(pdf.label_sheets([documents.label() | at_home | weighed], pdf.SHEETS["plain"]))
    assert label.count("1,20 €") == 2
    assert "1,20 €/kg" in label
    sale = documents.british_sale()
    sale |= {"store": sale["store"] | at_home, "language": language}
    receipt = copied(pdf.document_pages(lay_out("receipt", sale, columns=pdf.COLUMNS), "receipt"))
    assert "8,95 €" in receipt
    assert f"{day}, 14:32" in receipt
    say = words.language(language, tz)
    row = {"day": say.day(dt.date(2026, 11, 24)), "receipt": "1-7", "product": "Jam", "lot": "", "qty": 2,
           "stock_unit": "each", "net_minor": 123_450, "due_minor": 98_760}  # fmt: skip
    statement = {
        "title": "1",
        "store": "S",
        "producer": "P",
        "until": "",
        "sums": [("Net", 123_450, True)],
        "rows": [row],
    }
    page = copied(producer_statement_pages.pages(statement | at_home, say))
    assert all(text in page for text in ("1.234,50 €", "987,60", day))

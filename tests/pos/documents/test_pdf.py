"""A4 for stores without a label printer: every label in its place, every document whole, the same bytes again."""

import re

import pytest

from config.errors import Invalid
from pos.documents import pdf
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

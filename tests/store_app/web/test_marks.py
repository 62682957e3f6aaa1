"""A number is read by the mark that its column tells; where the column tells none, nobody guesses."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from store_app.files import importing
from store_app.files.sheet import Sheet
from store_app.web import marks
from store_app.web.marks import COMMA, POINT

GROUPS = {POINT: ("", ",", " ", "’"), COMMA: ("", ".", "\u202f", "'")}


def written(value: Decimal, mark: str, group: str) -> str:
    """Write a number as a program of some country does."""
    text = f"{value:,f}"
    return text.replace(",", "G").replace(".", "." if mark == POINT else ",").replace("G", group)


@given(
    st.lists(st.decimals(-10_000_000, 10_000_000, places=3) | st.integers(-9_999, 9_999).map(Decimal), max_size=8),
    st.lists(st.sampled_from([0, 1, 2, 3]), min_size=8, max_size=8),
    st.sampled_from([(mark, group) for mark in marks.MARKS for group in GROUPS[mark]]),
)
def test_a_column_is_read_as_it_was_written_or_asked_for_and_never_otherwise(values, places, how):
    values = [round(value, some) for value, some in zip(values, places, strict=False)]
    texts = [written(value, *how) for value in values]
    reported, either = marks.reported(texts)
    assert (reported == "") == (either != "")
    assert [Decimal(str(marks.plain(text, reported or how[0]))) for text in texts] == values


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1,5", "2"], COMMA),
        (["1.5", "2"], POINT),
        (["1.234", "1.234,50"], COMMA),
        (["1,234", "1,234.5"], POINT),
        (["1,234", "0,500"], COMMA),
        (["1.234", "1.234.567"], COMMA),
        (["1,234", "12,3456"], COMMA),
        (["1,5", "2,5", "2.5"], COMMA),
        (["12", "1’000", "x", ""], POINT),
        (["1,234", "", "2"], ""),
        (["1.234"], ""),
        (["-12,000"], ""),
    ],
)
def test_one_text_that_can_be_read_in_one_way_alone_tells_its_column(texts, mark):
    assert marks.reported(texts)[0] == mark


@pytest.mark.parametrize("text", ["1,2,3", "1.2.3", "1,23,456", "0,123,456", "1 23", "1,234.567,8", ",5", "1,", "1e3"])
def test_what_no_country_writes_is_no_number(text):
    assert [marks.plain(text, mark) for mark in marks.MARKS] == [None, None]


def sold(text: str, **said: str) -> Sheet:
    return importing.read("sales", ("day;sku;sold;sales_amount\n" + text).encode(), "s.csv", **said)


def test_each_column_has_its_own_mark_and_what_differs_from_it_is_a_fault():
    sheet = sold("2026-01-01;a;1,5;1,234.50\n2026-01-02;a;1.000;2.50\n2026-01-03;a;.5;3\n")
    assert [row.get("sold") for row in sheet.values] == [Decimal("1.5"), 1000, None]
    assert [row["sales_amount"] for row in sheet.values] == [Decimal("1234.50"), Decimal("2.50"), 3]
    assert [(fault.row, fault.column) for fault in sheet.faults] == [(4, "sold")]
    assert sheet.texts[0]["sales_amount"] == "1234.50", "a preview shows what was understood"
    mixed = sold("2026-01-01;a;1,5;\n2026-01-02;a;2,5;\n2026-01-03;a;2.25;\n")
    assert [str(fault) for fault in mixed.faults] == [
        "Row 4, sold: '2.25' uses a different decimal mark from most of this column"
    ]


def test_a_column_that_tells_no_mark_is_asked_for_and_read_as_was_said():
    text = "2026-01-01;a;1,234;2,5\n2026-01-02;a;2;1,000\n"
    with pytest.raises(Invalid, match=r"Column sold: 1,234 can be 1234 or 1\.234\. Choose the") as refusal:
        sold(text)
    assert refusal.value.code == "which-mark"
    for mark, value in ((COMMA, Decimal("1.234")), (POINT, 1234)):
        sheet = sold(text, mark=mark)
        assert [row["sold"] for row in sheet.values] == [value, 2]
        assert [row["sales_amount"] for row in sheet.values] == [Decimal("2.5"), 1], "what the column tells stands"


def test_a_number_that_a_spreadsheet_keeps_as_one_asks_nobody():
    book = openpyxl.Workbook()
    for row in (["day", "sku", "sold"], [dt.date(2026, 1, 1), "a", 1.234], [dt.date(2026, 1, 2), "a", "2,5"]):
        book.active.append(row)
    packed = io.BytesIO()
    book.save(packed)
    sheet = importing.read("sales", packed.getvalue(), "s.xlsx")
    assert [row["sold"] for row in sheet.values] == [Decimal("1.234"), Decimal("2.5")]

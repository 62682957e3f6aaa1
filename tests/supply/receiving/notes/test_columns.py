"""Rows, columns and figures of a note, without a reader."""

import datetime as dt
from decimal import Decimal

import pytest

from supply.receiving.notes.columns import Word, day_of, figure, number_of, page_of


def printed(*rows, step=40):
    """Words of rows, each a list of (left, text); a letter is ten dots wide."""
    return [Word(text, left, n * step, len(text) * 10, 20) for n, row in enumerate(rows) for left, text in row]


HEADINGS = [(0, "Menge"), (100, "Art.-Nr."), (250, "Bezeichnung"), (600, "Preis"), (750, "Gesamt")]
TOTAL = [(500, "Summe netto"), (750, "10,47")]


def test_headings_name_the_columns_and_arithmetic_checks_the_line():
    page = page_of(printed(
        [(0, "Keller GmbH")], HEADINGS, [(20, "3"), (100, "4711"), (250, "Vollmilch 3,5 % 1 l"), (600, "3,49"),
                                         (750, "10,47")], TOTAL))  # fmt: skip
    (line,) = page.lines
    assert (line.qty, line.price, line.amount) == (3, Decimal("3.49"), Decimal("10.47"))
    assert (line.name, line.codes, line.is_checked) == ("Vollmilch 3,5 % 1 l", ("4711",), True)
    assert page.is_whole
    assert page.above == ("Keller GmbH",)


def test_a_misread_digit_leaves_the_line_unchecked():
    page = page_of(printed(HEADINGS, [(20, "3"), (250, "Vollmilch"), (600, "3,49"), (750, "10,46")], TOTAL))
    assert [line.is_checked for line in page.lines] == [False]
    assert not page.is_whole


def test_figures_below_their_names_belong_to_them():
    page = page_of(printed(
        [(0, "Van Sales Ltd")], [(0, "Oat milk 1 l")], [(30, "2 cs6 x 9.00"), (400, "18.00")],
        [(0, "Rye bread")], [(30, "4 pc x 1.50"), (400, "6.00")], [(0, "TOTAL"), (400, "24.00")]))  # fmt: skip
    assert [(one.name, one.qty, one.unit, one.pack_qty) for one in page.lines] == [
        ("Oat milk 1 l", 2, "CT", 6), ("Rye bread", 4, "EA", None)]  # fmt: skip


def test_a_name_that_goes_on_below_is_one_line():
    page = page_of(
        printed(
            HEADINGS,
            [(20, "3"), (250, "Vollmilch aus dem"), (600, "3,49"), (750, "10,47")],
            [(250, "Schwarzwald")],
            TOTAL,
        )
    )
    assert [line.name for line in page.lines] == ["Vollmilch aus dem Schwarzwald"]


def test_nothing_below_the_total_is_a_line():
    page = page_of(printed(HEADINGS, [(20, "3"), (250, "Vollmilch"), (600, "3,49"), (750, "10,47")], TOTAL,
                           [(0, "2"), (250, "Pfandkisten leer"), (600, "1,50"), (750, "3,00")]))  # fmt: skip
    assert [line.name for line in page.lines] == ["Vollmilch"]


def test_chinese_columns():
    page = page_of(printed(
        [(0, "货号"), (120, "品名"), (400, "数量"), (480, "单位"), (600, "单价"), (750, "金额")],
        [(0, "76491"), (120, "红烧牛肉面"), (420, "6"), (480, "箱"), (600, "4.58"), (750, "27.48")],
        [(0, "合计"), (750, "¥27.48")]))  # fmt: skip
    (line,) = page.lines
    assert (line.name, line.qty, line.unit, line.codes, page.is_whole) == ("红烧牛肉面", 6, "CT", ("76491",), True)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("3,49", "3.49"), ("¥12.50", "12.50"), ("1.234", "1234"),
     ("1O,50", "10.50"), ("12", "12"), ("Milch", None), ("", None)],
)  # fmt: skip
def test_a_figure_in_any_country_s_writing(text, value):
    assert figure(text) == (None if value is None else Decimal(value))


def test_number_and_day_stand_above():
    above = ("Tel. 0711 123456", "Lieferschein Nr. 290990", "Datum 03.12.2026")
    assert (number_of(above), day_of(above)) == ("290990", dt.date(2026, 12, 3))
    assert (number_of(("单号:923590",)), day_of(("日期:2026年12月3日",))) == ("923590", dt.date(2026, 12, 3))


def test_an_empty_page_has_no_lines():
    assert page_of([]).lines == ()

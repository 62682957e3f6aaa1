"""Columns and lines: what fits on the paper and what becomes of text that does not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.documents import paper
from tests.readable import as_text


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("milk", 4),
        ("牛奶", 4),
        ("é", 2),
        ("£1", 3),
        ("¥1", 3),
        ("￥1", 3),
        ("€", 2),
        ("ñ", 1),
        ("한", 2),
        ("e\u0301", 1),
    ],
)
def test_width_is_what_a_chinese_printer_needs(text, columns):
    assert paper.width(text) == columns


def test_half_width_yen_and_pound_are_never_four_bytes():
    assert paper.gb_bytes("¥") == b"\xa3\xa4"
    assert paper.gb_bytes("£") == b"\xa1\xea"
    assert paper.gb_bytes("€") == b"\xa2\xe3"
    assert paper.gb_bytes("ñ") is None


def test_control_and_invisible_characters_are_taken_out():
    assert paper.tidy("a\x1b@b\tc\nd\u202ee\u200bf\x7f") == "a@b c def"


def test_text_breaks_between_words_and_between_chinese_characters():
    assert paper.wrap("premium light soy sauce", 14) == ["premium light", "soy sauce"]
    assert paper.wrap("特级鲜味生抽酱油", 7) == ["特级鲜", "味生抽", "酱油"]


def test_a_figure_that_does_not_fit_beside_its_name_stands_on_the_last_line():
    lines = paper.pair("A name that is much too long for it", "12.34", 20)
    assert [(line.text, line.right) for line in lines] == [
        ("A name that is", ""),
        ("much too long", ""),
        ("for it", "12.34"),
    ]


def test_a_big_figure_is_made_narrower_before_it_is_broken():
    (line,) = paper.pair("TOTAL", "£1,234,567,890.12", 32, wide=2, tall=2)
    assert (line.wide, line.tall, line.right) == (1, 2, "£1,234,567,890.12")


@given(st.text(), st.integers(2, 48))
def test_wrapping_loses_nothing_and_never_exceeds_the_columns(text, columns):
    lines = paper.wrap(text, columns)
    assert all(paper.width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(paper.tidy(text).split())


@given(st.text(max_size=80), st.text(max_size=30), st.sampled_from(paper.COLUMNS), st.sampled_from([1, 2]))
def test_a_pair_never_overlaps(left, right, columns, wide):
    for line in paper.pair(left, right, columns, wide=wide):
        across = columns // line.wide
        assert paper.width(line.text) + paper.width(line.right) + bool(line.text and line.right) <= across
        assert paper.width(paper.composed(line, columns)) <= across


@given(st.characters())
def test_drawn_letters_never_take_more_than_printed_ones(char):
    if char == paper.tidy(char):
        assert paper.drawn_width(char) <= max(paper.cell_width(char), 1)
        assert paper.drawn_width(char) <= paper.cell_width(char) or unicodedata.category(char) in ("Mn", "Me")


def test_a_table_that_is_too_wide_becomes_blocks_of_pairs():
    rows = [("%", "Net", "Tax", "Gross"), ("A 0%", "1,000,000.00", "100,000.00", "1,100,000.00")]
    text = as_text(paper.table(rows, 32), 32)
    assert text.splitlines()[1].split() == ["Net", "1,000,000.00"]
    assert all(len(line) <= 32 for line in text.splitlines())

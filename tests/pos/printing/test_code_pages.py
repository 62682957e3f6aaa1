"""A western printer's own letters: which page has them, and the bytes that choose it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.documents.paper import PaperLine
from pos.printing import escpos, preview
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from tests.pos.documents.test_printer_paper import printed
from tests.pos.documents.test_printer_paper import tool as tool

EPSON = "TM-T88V"


@pytest.mark.parametrize(
    ("text", "profile", "is_drawn"),
    [
        ("Zażółć gęślą jaźń", "default", False),
        ("Хлеб ржаной 1,20", "default", False),
        ("Φέτα ελληνική", "default", True),
        ("Φέτα ελληνική", EPSON, False),
        ("Żurek, хлеб, crème €5", EPSON, False),
        ("حليب", EPSON, True),
        ("김치", EPSON, True),
        ("Pho bò ₫", EPSON, True),
        ("Preis 1,20 €", "ZJ-5870", False),
        ("Preis 1,20 €", "simple", True),
    ],
)
def test_a_line_is_printed_by_letters_the_profile_has_and_else_drawn(tool, text, profile, is_drawn):
    paper = encode([PaperLine(text), PaperLine(kind="cut")], PrinterModel(48, chinese=False, profile=profile))
    machine, problems = printed(tool, paper, 48, chinese=False)
    assert problems == []
    assert ("image" in [event["event"] for event in machine.event_log]) is is_drawn
    if not is_drawn:
        assert text in machine.ticket_text(machine.tickets[0])
        assert preview.read(paper, profile)[0].text == text


def test_a_printer_nobody_named_is_trusted_with_the_common_numbers_only():
    assert {number for number, _codec in escpos.pages_of("default")} <= {0, 2, 3, 4, 5, 16, 17, 18, 19}


@pytest.mark.parametrize(("text", "shown"), [("￥5", "¥5"), ("￡5", "£5"), ("€5", "€5"), ("£5", "£5"), ("¥5", "¥5")])
def test_the_signs_of_money_are_printed_by_letters(tool, text, shown):
    paper = encode([PaperLine(text), PaperLine(kind="cut")], PrinterModel(48, chinese=False))
    machine, problems = printed(tool, paper, 48, chinese=False)
    assert problems == []
    assert shown in machine.ticket_text(machine.tickets[0])


@given(st.text(max_size=40), st.sampled_from(["default", EPSON, "POS-5890", "simple"]))
def test_what_is_written_is_read_back_letter_by_letter(text, profile):
    first = escpos.pages_of(profile)[0][0]
    coded = escpos.written(text, profile, first)
    if coded is None:
        return
    read, codec, at = "", escpos.codec_of(first, profile), 0
    while at < len(coded[0]):
        if coded[0][at : at + 2] == b"\x1bt":
            codec, at = escpos.codec_of(coded[0][at + 2], profile), at + 3
            continue
        read, at = read + coded[0][at : at + 1].decode(codec), at + 1
    assert read == text.replace("￥", "¥").replace("￡", "£")

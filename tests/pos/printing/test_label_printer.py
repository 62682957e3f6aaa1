"""Label printers: one picture of dots in the size of the label loaded, and only labels go there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from config.errors import Invalid
from pos.documents import labels
from pos.printing import label_printer, preview, print_worker
from pos.printing import queue as print_queue
from pos.printing.label_printer import LABEL_PRINTERS
from pos.printing.models import PrinterModel
from pos.printing.printers import Outlet
from pos.printing.wires import NetworkPrinter, PracticePaper
from tests.pos import paper_documents as documents
from tests.pos.printing.test_printer import STORE, clock, database, jobs, nobody_listens, queue  # noqa: F401 - fixtures

WIDE = "ZPL-203 62x40"


def black_runs(picture: Image.Image, y: int, left: int, right: int) -> list[tuple[bool, int]]:
    """Return (black, dots) along a row of the picture."""
    runs: list[tuple[bool, int]] = []
    for x in range(left, right):
        black = bool(picture.getpixel((x, y)))
        runs = [*runs[:-1], (black, runs[-1][1] + 1)] if runs and runs[-1][0] == black else [*runs, (black, 1)]
    return runs


@pytest.mark.parametrize("profile", LABEL_PRINTERS)
def test_a_label_fills_its_size_and_its_bars_are_the_standards_in_whole_dots(profile):
    picture = label_printer.picture_of(label_printer.encode(documents.label(), profile))
    paper = LABEL_PRINTERS[profile]
    assert picture.size == paper.dots
    scale = min(paper.width_mm / 62, paper.height_mm / 40) * label_printer.DOTS_PER_MM[paper.dpi]
    left, top = ((dots - mm * scale) / 2 for dots, mm in zip(paper.dots, labels.LABEL_MM, strict=True))
    runs = black_runs(picture, round(top + 35 * scale), 0, round(left + 45 * scale))
    (white, margin), *bars, (_white, quiet) = runs
    dots = bars[0][1]
    assert not white
    assert "".join(("1" if black else "0") * (long // dots) for black, long in bars) == labels.bars("5000128104449")
    assert all(long % dots == 0 for _black, long in bars)
    assert dots * 25.4 / paper.dpi >= 0.24  # millimetres: a scanner of a till reads no finer ones
    assert margin >= 7 * dots
    assert quiet >= 7 * dots


def test_the_codes_picture_is_the_qr_code_itself():
    picture = label_printer.picture_of(label_printer.encode(documents.label(), WIDE))
    rows = labels.qr_rows(documents.label()["url"])
    dots = 18 * 8 // len(rows)
    left, top = (round((mm + 9) * 8 - dots * len(rows) / 2) for mm in (42, 16))
    seen = [bytes(bool(picture.getpixel((left + x * dots, top + y * dots))) for x in range(len(rows)))
            for y in range(len(rows))]  # fmt: skip
    assert seen == rows


@pytest.mark.parametrize(
    ("digit", "times", "written"), [("6", 7, "M6"), ("B", 327, "vMB"), ("0", 2, "00"), ("F", 420, "zgF")]
)
def test_digits_are_counted_as_the_language_counts_them(digit, times, written):
    assert label_printer._repeated(digit, times) == written


@given(st.lists(st.binary(min_size=9, max_size=9) | st.sampled_from([b"\0" * 9, b"\xff" * 9]), max_size=12))
def test_rows_packed_are_read_back_whole(rows):
    assert list(label_printer._unpacked("".join(label_printer._packed(rows)), 9)) == rows


@given(st.text(max_size=80))
def test_any_name_makes_a_label_of_the_languages_letters_alone(name):
    content = label_printer.encode(documents.label() | {"name": name or "x", "place": name}, WIDE)
    assert content.isascii()
    assert content.count(b"^XA") == content.count(b"^XZ") == 1
    assert label_printer.picture_of(content).size == (496, 320)


def test_the_preview_is_the_label_and_what_is_none_is_refused():
    content = print_queue.paper_of(
        "test", {"name": "Zebra", "wire": "paper", "local_time": "now"}, PrinterModel(profile=WIDE)
    )
    (mark,) = preview.read(content)
    assert mark.picture.size == (496, 320)
    with pytest.raises(Invalid, match="not a label printed here"):
        label_printer.picture_of(b"^XA^FDmilk^FS^XZ")


def test_a_label_printer_prints_the_label_and_stands_in_for_no_receipt(database, clock):  # noqa: F811
    queue(database, clock)
    queue(database, clock, "milk", kind="label", document=documents.label(), opens_drawer=False)
    outlets = [
        Outlet(NetworkPrinter("127.0.0.1", nobody_listens(), reports=False), "till", fallback_id="labels"),
        Outlet(PracticePaper(PrinterModel(profile=WIDE)), "labels", (), "labels"),
    ]
    done = print_worker.print_due(database, STORE, outlets, now=clock.now)
    assert (done.printed, done.failed) == (1, 1)
    found = {job.kind: job for job in jobs(database)}
    assert (found["receipt"].state, found["receipt"].printer_id) == ("failed", "till")
    assert found["label"].paper == label_printer.encode(documents.label(), WIDE)

"""A few real pages, read in a child process as a store reads them."""

import io
import random

import pytest
from PIL import Image, ImageDraw, ImageFont

from config.errors import Invalid
from store_app.runtime.child_process import read_page_apart
from supply.receiving.notes import picture
from supply.receiving.notes.columns import Word, page_of

ROWS = ["Northgate Wholesale", "Delivery note 48213", "Qty  Description        Price   Amount",
        "3    Whole milk          1.20     3.60", "12   Rye bread           2.10    25.20",
        "Total                        28.80"]  # fmt: skip


def photo(turn=0.0):
    page = Image.new("RGB", (1000, 520), "white")
    font = ImageFont.load_default(32)
    pen = ImageDraw.Draw(page)
    for n, row in enumerate(ROWS):
        at = 0
        for part in row.split("  "):
            if part.strip():
                pen.text((50 + at * 21, 40 + n * 70), part.strip(), "black", font)
            at += len(part) + 2
    file = io.BytesIO()
    page.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor="white").save(file, "JPEG", quality=70)
    return file.getvalue()


def read(raw):
    jpeg, size, *words = read_page_apart(picture.read, raw)
    return jpeg, size, page_of(Word(*word) for word in words)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 180, 90, -6])
def test_a_page_is_read_however_it_was_held(turn):
    jpeg, size, page = read(photo(turn))
    assert [(line.name, int(line.qty or 0), line.is_checked) for line in page.lines] == [
        ("Whole milk", 3, True), ("Rye bread", 12, True)]  # fmt: skip
    assert page.is_whole
    with Image.open(io.BytesIO(jpeg)) as kept:
        assert kept.format == "JPEG"
        assert kept.width / kept.height == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.slow
def test_a_picture_of_nothing_is_refused():
    dots = random.Random(3).randbytes(300 * 300 * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (300, 300), dots).save(file, "PNG")
    with pytest.raises(Invalid, match="No text can be read"):
        list(read_page_apart(picture.read, file.getvalue()))


def test_a_bomb_and_a_file_that_is_no_picture_are_refused():
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    for raw, sentence in ((file.getvalue(), "too many pixels"), (b"%PDF-1.7 no picture", "cannot be shown")):
        with pytest.raises(Invalid, match=sentence):
            list(read_page_apart(picture.read, raw))

"""A product's photo: a small square of the picture's middle, upright, without what the camera wrote beside it."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from config.errors import Invalid
from pos.store import pictures
from store_app.runtime.child_process import read_apart

RED, BLUE = (200, 20, 20), (20, 20, 200)
ORIENTATION = 0x0112


def squared(raw: bytes) -> Any:
    (made,) = pictures.square(raw)
    assert len(made) <= pictures.TILE_BYTES
    return Image.open(io.BytesIO(made))


def written(picture: Any, kind: str, **how: Any) -> bytes:
    page = io.BytesIO()
    picture.save(page, kind, **how)
    return page.getvalue()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 900), st.integers(1, 900), st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"]),
    st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(1, 8), st.integers(0, 255),
)  # fmt: skip
def test_any_photo_becomes_a_square_of_at_most_12_kb_without_a_trace(wide, high, mode, kind, orientation, sigma):
    noise = Image.effect_noise((wide, high), sigma)
    picture = Image.merge("RGB", (noise, noise.rotate(90).resize(noise.size), noise)).convert(mode)
    if (kind == "JPEG" and mode in ("RGBA", "LA", "P")) or (kind == "PNG" and mode == "CMYK"):
        picture = picture.convert("RGB")
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010F] = orientation, "A camera"
    shown = squared(written(picture, kind, exif=exif))
    assert (shown.format, shown.width) == ("WEBP", shown.height)
    assert shown.width <= pictures.TILE_SIDE
    assert not {"exif", "xmp", "icc_profile"} & shown.info.keys()


@pytest.mark.parametrize(("orientation", "red_at"), [(1, (10, 160)), (3, (310, 160)), (6, (160, 10)), (8, (160, 310))])
def test_it_shows_the_middle_as_the_phone_was_held(orientation, red_at):
    picture = Image.new("RGB", (1600, 800), (0, 0, 0))  # its ends, which are cut off, are black
    picture.paste(RED, (400, 0, 800, 800))
    picture.paste(BLUE, (800, 0, 1200, 800))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    shown = squared(written(picture, "JPEG", quality=95, exif=exif)).convert("RGB")
    assert shown.size == (pictures.TILE_SIDE, pictures.TILE_SIDE)
    other = tuple(pictures.TILE_SIDE - at for at in red_at)
    assert all(abs(seen - meant) < 30 for seen, meant in zip(shown.getpixel(red_at), RED, strict=True))
    assert all(abs(seen - meant) < 30 for seen, meant in zip(shown.getpixel(other), BLUE, strict=True))


def test_what_is_clear_is_white():
    shown = squared(written(Image.new("RGBA", (400, 400), (0, 0, 0, 0)), "PNG")).convert("RGB")
    assert min(shown.getpixel((160, 160))) > 250


def bomb(across: int, down: int) -> bytes:
    """Return the beginning of a PNG of so many dots."""
    head = b"IHDR" + struct.pack(">IIBBBBB", across, down, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\x08IDAT"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"<svg/>", "cannot be shown"),
        (b"", "cannot be shown"),
        (b"\xff\xd8\xff\xe0 torn", "cannot be shown"),
        (written(Image.new("RGB", (64, 64)), "JPEG")[:200], "cannot be shown"),
        (bomb(5_000, 4_000), "too many pixels"),
        (bomb(100_000, 100_000), "too many pixels"),
        (written(Image.new("L", (10_000, 8_300)), "JPEG"), "too many pixels"),
        (written(Image.new("L", (8_160, 6_144)), "JPEG", progressive=True), "too many pixels"),
        (b"\xff" * (pictures.PHOTO_BYTES + 1), "up to 20 MB"),
    ],
)
def test_what_is_no_photo_or_far_too_large_a_one_is_refused_in_a_sentence(raw, sentence):
    with pytest.raises(Invalid, match=sentence):
        next(pictures.square(raw))


@pytest.mark.parametrize(("across", "down", "how"), [(8_160, 6_144, {}), (4_096, 3_072, {"progressive": True})])
def test_a_phones_photo_is_read_in_the_little_memory_of_a_reader(across, down, how):
    raw = written(Image.effect_noise((across // 8, down // 8), 60).resize((across, down)).convert("RGB"), "JPEG", **how)
    (made,) = read_apart(pictures.square, raw)
    assert Image.open(io.BytesIO(made)).format == "WEBP"

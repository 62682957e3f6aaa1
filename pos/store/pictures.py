"""Pictures that others send: the one place where their files are opened.

Rules
-----
1. A file is taken only for a picture of the kinds that were asked for.
2. Its dots are counted before one is unpacked: a small file can hold a picture larger than the machine's memory.
3. `small`, `upright`, `square` and `dotted` are what a child process of little memory does
   (`store_app.runtime.child_process`): they yield what was made.
4. A photo is a JPEG, PNG or WebP of at most PHOTO_BYTES and PHOTO_DOTS. A phone's JPEG is read smaller at once; what
   must be unpacked whole, another kind or a progressive JPEG, needs at most UNPACKED_BYTES. What is kept is a new JPEG,
   drawn from the picture's dots alone: where it was taken, and whatever else was in the file, is left behind.
5. A photo of a product is a WebP of TILE_SIDE dots a side and at most TILE_BYTES: its middle, as it is held upright, on
   white where it is clear; written coarser, then smaller, until it is.
6. A logo is a PNG of at most LOGO_BYTES and LOGO_SIDE dots a side.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from config.errors import Invalid
from config.words import N_

PHOTO_BYTES, PHOTO_DOTS, KEPT_BYTES = 20_000_000, 80_000_000, 400_000
"""A photo is written coarser until it needs no more than KEPT_BYTES."""
UNPACKED_BYTES = 100_000_000
TILE_BYTES, TILE_SIDE = 12_000, 320
LOGO_BYTES, LOGO_SIDE, LEAST_INK = 500_000, 4_000, 60
NARROW, WIDE = (320, 160), (432, 200)
"""The dots a logo may take on paper of 32 columns, and of more."""


def small(raw: bytes, side: int) -> Iterator[bytes]:
    """Yield a photo as it is kept (rule 4), at most `side` dots a side; what is no picture is refused."""
    from PIL import Image, ImageOps  # large: only who takes photos needs it

    with _photo(raw) as picture:
        picture.draft("RGB", (side, side))
        plain = picture if picture.mode == "RGB" else picture.convert("RGB")
        plain.thumbnail((side, side))
        upright = ImageOps.exif_transpose(plain)
    made = b""
    for quality in (80, 60, 40, 25):
        page = io.BytesIO()
        Image.frombytes("RGB", upright.size, upright.tobytes()).save(page, "JPEG", quality=quality, optimize=True)
        made = page.getvalue()
        if len(made) <= KEPT_BYTES:
            break
    yield made


def upright(raw: bytes, side: int) -> Any:
    """Return a photo as it is held upright (Pillow's, in colors), at most `side` dots a side; refuse what is none."""
    from PIL import Image, ImageOps

    with _photo(raw) as picture:
        picture.draft("RGB", (side, side))
        plain = picture if picture.mode == "RGB" else picture.convert("RGB")
        plain.thumbnail((side, side), Image.Resampling.LANCZOS)
        return ImageOps.exif_transpose(plain)


def square(raw: bytes) -> Iterator[bytes]:
    """Yield a photo as a product's tile has it (rule 5); refuse a file that is not a picture."""
    from PIL import Image, ImageOps

    with _photo(raw) as picture:
        picture.draft("RGB", (TILE_SIDE, TILE_SIDE))
        clear = "A" in picture.getbands() or "transparency" in picture.info
        plain = ImageOps.fit(picture.convert("RGBA" if clear else "RGB"), (TILE_SIDE, TILE_SIDE))
        upright = ImageOps.exif_transpose(plain)
    drawn = Image.new("RGB", upright.size, "white")
    drawn.paste(upright, mask=upright.getchannel("A") if clear else None)
    made = b""
    for part, quality in ((1, 80), (1, 60), (1, 40), (2, 60), (4, 40)):
        page = io.BytesIO()
        drawn.resize((TILE_SIDE // part, TILE_SIDE // part)).save(page, "WEBP", quality=quality, method=6)
        made = page.getvalue()
        if len(made) <= TILE_BYTES:
            break
    yield made


def dotted(png: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield a logo as dots for narrow and for wide paper, as `encoding.Raster`, or refuse it (rule 6)."""
    from PIL import Image, ImageOps

    too_large = Invalid("logo-too-large", _TOO_LARGE)
    unreadable = Invalid("logo-not-png", "That is not a PNG image. Save the logo as PNG, then choose it again.")
    if len(png) > LOGO_BYTES:
        raise too_large
    fits = lambda picture: max(picture.size) <= LOGO_SIDE  # noqa: E731
    with _opened(png, ("PNG",), fits, too_large=too_large, unreadable=unreadable) as sent:
        clear = "A" in sent.getbands() or "transparency" in sent.info
        drawn = sent.convert("RGBA" if clear else "L")
        grey = Image.new("L", drawn.size, 255)
        grey.paste(drawn.convert("L"), mask=drawn.getchannel("A") if clear else None)
    box = ImageOps.invert(grey).point([0] * 24 + [255] * 232).getbbox()
    if box is None:
        raise Invalid("logo-blank", _BLANK)
    for room in (NARROW, WIDE):
        yield _fitted(grey.crop(box), room)


# --- inside ---

_TOO_LARGE = N_("The image is too large. The limit is 500 KB and 4,000 pixels a side.")
_BLANK = N_("The image would be too faint on paper. Use a darker one.")


@contextmanager
def _photo(raw: bytes) -> Iterator[Any]:
    """Open a photo, or refuse it (rule 4)."""
    unreadable = Invalid("no-photo", "This photo cannot be shown. Use a JPEG, PNG or WebP.", field="photo")
    too_large = Invalid("photo-too-large", "This photo has too many pixels. Set the camera to 12 megapixels or less, "
                        "and take it again.", field="photo")  # fmt: skip
    if len(raw) > PHOTO_BYTES:
        raise Invalid("photo-too-large", "A photo can be up to 20 MB. Set the camera to 12 megapixels or less, "
                      "and take it again.", field="photo")  # fmt: skip
    with _opened(raw, ("JPEG", "PNG", "WEBP"), _has_few_dots, too_large=too_large, unreadable=unreadable) as picture:
        yield picture


@contextmanager
def _opened(
    raw: bytes, kinds: tuple[str, ...], fits: Callable[[Any], bool], *, too_large: Invalid, unreadable: Invalid
) -> Iterator[Any]:
    """Open an uploaded picture; what stumbles over its dots inside is refused as `unreadable` too.

    fits: told the picture (Pillow's, not unpacked), whether its dots are few enough.
    """
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(raw), formats=kinds)
        if not fits(picture):
            raise too_large
        yield picture
    except (Image.DecompressionBombError, MemoryError) as fault:
        raise too_large from fault
    except (OSError, SyntaxError, ValueError) as fault:
        raise unreadable from fault


def _has_few_dots(picture: Any) -> bool:
    """Tell whether a picture can be read (rule 4): 8 bytes a dot where it is drawn twice, 6 until a JPEG is whole."""
    dots = picture.width * picture.height
    whole = 6 if "progressive" in picture.info else 0 if picture.format == "JPEG" else 8
    return bool(dots <= PHOTO_DOTS and dots * whole <= UNPACKED_BYTES)


def _fitted(grey: Any, room: tuple[int, int]) -> tuple[int, bytes]:
    from PIL import Image, ImageChops

    scale = min(room[0] / grey.width, room[1] / grey.height)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    small = grey.resize(size, Image.Resampling.LANCZOS).convert("1", dither=Image.Dither.FLOYDSTEINBERG)
    dots = ImageChops.invert(small)
    rows = dots.tobytes()
    if sum(byte.bit_count() for byte in rows) < LEAST_INK:
        raise Invalid("logo-blank", _BLANK)
    return (dots.width + 7) // 8, rows

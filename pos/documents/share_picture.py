"""The picture that stands for a product where its link is shared: store, product and price, in our PDFs' fonts."""

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pos.documents import letters
from pos.documents.paper import tidy

SIZE = (1200, 630)
_PAPER, _JADE, _INK, _GREY = "#fbfaf7", "#0b7a5b", "#1d2421", "#5b6661"
_EDGE, _LINES = 90, 3
_MOST_LETTERS = 160


def draw(store: str, product: str, price: str) -> bytes:
    """Return the picture as PNG; a name that is too long for it ends with an ellipsis."""
    picture = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=_JADE)
    _write(pen, _fitted(store, 40, bold=False)[0], 120, 40, _GREY, bold=False)
    for n, line in enumerate(_fitted(product, 76, bold=True)):
        _write(pen, line, 240 + 92 * n, 76, _INK, bold=True)
    _write(pen, price, SIZE[1] - 70, 72, _JADE, bold=True)
    with io.BytesIO() as file:
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=32).save(file, "PNG", optimize=True)
        return file.getvalue()


def _fitted(text: str, size: int, *, bold: bool) -> list[str]:
    """Return a text as lines that fit the picture; the last one that is shown ends with what was left out."""
    room = SIZE[0] - 2 * _EDGE
    lines: list[str] = []
    rest = tidy(text)[:_MOST_LETTERS]
    while rest:
        fits = len(rest)
        while fits > 1 and _width(rest[:fits], size, bold=bold) > room:
            fits -= 1
        if fits < len(rest) and len(lines) == _LINES - 1:
            lines.append(rest[: max(1, fits - 1)].rstrip() + "…")
            break
        if fits < len(rest):
            fits = max(rest.rfind(" ", 0, fits + 1), 0) or fits
        lines.append(rest[:fits].strip())
        rest = rest[fits:].strip()
    return lines or [""]


def _width(text: str, size: int, *, bold: bool) -> float:
    return sum(_font(file, size).getlength(part) for file, part in letters.drawn_with(text, bold))


def _write(pen: ImageDraw.ImageDraw, text: str, base: int, size: int, color: str, *, bold: bool) -> None:
    at = float(_EDGE)
    for file, part in letters.drawn_with(text, bold):
        font = _font(file, size)
        pen.text((at, base), part, fill=color, font=font, anchor="ls")
        at += font.getlength(part)


@lru_cache(maxsize=32)
def _font(file: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)

"""Paper: the elements every printed document is made of, the columns they take, and figures as people read them.

Rules
-----
1. A printed column is one cell of the printer's font A. A plain letter takes one; a letter the Chinese font
   prints (GB18030, two bytes) takes two, also `é`, `×` and `£`; so a line that fits here fits on any printer.
2. Nothing overlaps and nothing is lost: a name that is too long goes on, on the next line.
3. Text is tidied before it is measured: composed (NFC), tabs and line ends become blanks, control and invisible
   formatting characters go. A replacement character is never made up.

Everything here is pure.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from config import words
from config.words import UNITS, Language

Align = Literal["left", "center", "right"]
Kind = Literal["text", "rule", "barcode", "qr", "image", "cut"]
COLUMNS = (32, 42, 48)
DOTS_PER_COLUMN = 12
_WORDS = re.compile("[^ \u1100-\u11ff\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]+|.")
"""What is not broken: a run of letters that is neither a blank nor written without blanks (Chinese, kana)."""


@dataclass(frozen=True)
class PaperLine:
    """One element of a document, top to bottom.

    kind text: `text` at the left (or as `align` says) and `right` at the right edge of the same line. cells: the same
    as `right` for a row of figures, each with the columns between its end and the edge. rule: a line
    across, a double one if bold. barcode, qr: `text` is the content. image: the picture of that name (see `logo`), in
    the middle. cut: the paper is cut here. wide, tall: 1..8 times the letter. struck: crossed out, as an old price is.
    """

    text: str = ""
    right: str = ""
    cells: tuple[tuple[str, int], ...] = ()
    align: Align = "left"
    bold: bool = False
    wide: int = 1
    tall: int = 1
    kind: Kind = "text"
    struck: bool = False


BLANK = PaperLine()
RULE = PaperLine(kind="rule")
DOUBLE_RULE = PaperLine(kind="rule", bold=True)
CUT = PaperLine(kind="cut")


def tidy(text: str) -> str:
    """Return the text as it can be printed: composed, on one line, without control or invisible characters."""
    if text.isascii() and text.isprintable():
        return text  # nearly every line is this, and a receipt has many
    return _tidied(text)


@lru_cache(maxsize=4096)
def _tidied(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if c in "\t\n\r\v\f" or unicodedata.category(c) in ("Zs", "Zl", "Zp") else c for c in composed)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


@lru_cache(maxsize=8192)
def cell_width(char: str) -> int:
    """Return the columns one character takes on paper (rule 1); 0 for an accent that stands on another letter."""
    if " " <= char <= "~":
        return 1
    return 2 if gb_bytes(char) is not None else drawn_width(char)


@lru_cache(maxsize=8192)
def drawn_width(char: str) -> int:
    """Return the columns a character takes where the line is drawn: never more than `cell_width`, so it fits too."""
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


@lru_cache(maxsize=8192)
def gb_bytes(char: str) -> bytes | None:
    """Return the one or two bytes a Chinese printer prints the character by, or None when its font has no such.

    The half-width ¥ and £ would take four bytes; their full-width sisters are meant and printed.
    """
    coded = {"¥": "￥", "£": "￡"}.get(char, char).encode("gb18030", "ignore")
    if len(coded) == 1:
        return coded if 0x20 <= coded[0] < 0x7F else None
    if len(coded) != 2 or unicodedata.category(char) in ("Co", "Cn", "Mn", "Me"):
        return None
    # A two-byte font is at least GBK; the euro sign came with GB18030 and is in every font since.
    try:
        return coded if char in "€¥£" or char.encode("gbk") == coded else None
    except UnicodeEncodeError:
        return None


def width(text: str, measure: Callable[[str], int] = cell_width) -> int:
    """Return the columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(measure, text))


def cut_to(text: str, columns: int) -> str:
    """Return the longest beginning of the text that fits, never half a character."""
    taken = 0
    for position, char in enumerate(text):
        taken += cell_width(char)
        if taken > columns:
            return text[:position]
    return text


def wrap(text: str, columns: int) -> list[str]:
    """Break a text into lines that fit: between say, between Chinese letters, and within a giant word."""
    tidied = tidy(text)
    if width(tidied) <= columns:
        return [tidied.strip(" ")]
    lines = [""]
    for word in _WORDS.findall(tidied):
        rest = word
        if width(lines[-1] + rest) > columns and lines[-1]:
            lines.append("")
        while width(rest) > columns:
            head = cut_to(rest, columns)
            if not head:
                break
            lines[-1], rest = head, rest[len(head) :]
            lines.append("")
        if lines[-1] or rest != " ":
            lines[-1] += rest
    return [line.rstrip() for line in lines if line.strip()] or [""]


def centred(
    text: str, columns: int, *, bold: bool = False, wide: int = 1, tall: int = 1, struck: bool = False
) -> list[PaperLine]:
    """Return the text in the middle of the paper, on as many lines as it needs."""
    style = PaperLine(align="center", bold=bold, wide=wide, tall=tall, struck=struck)
    return [replace(style, text=line) for line in wrap(text, columns // wide)]


def pair(left: str, right: str, columns: int, *, bold: bool = False, wide: int = 1, tall: int = 1) -> list[PaperLine]:
    """Return the left text with the right one at the edge of its last line, or on a line of its own.

    The left text wraps in what the right one leaves, so that figures stand in a column of their own. Letters that
    would be too big for the figure are made narrower.
    """
    right = tidy(right)
    if wide > 1 and right and width(tidy(left)) + width(right) + 1 > columns // wide:
        return pair(left, right, columns, bold=bold, wide=1, tall=tall)
    across = columns // wide
    style = PaperLine(bold=bold, wide=wide, tall=tall)
    if not right:
        return [replace(style, text=line) for line in wrap(left, across)]
    room = across - width(right) - 1
    if room < min(8, width(tidy(left))):
        above = [replace(style, text=line) for line in wrap(left, across)] if tidy(left).strip() else []
        return [*above, *(replace(style, text=line, align="right") for line in wrap(right, across))]
    lines = wrap(left, room)
    return [*(replace(style, text=line) for line in lines[:-1]), replace(style, text=lines[-1], right=right)]


def indented(text: str, right: str, columns: int) -> list[PaperLine]:
    """Return a pair set in by two columns."""
    return [
        line if line.align == "right" else replace(line, text=f"  {line.text}")
        for line in pair(text, right, columns - 2)
    ]


def table(rows: Iterable[tuple[str, ...]], columns: int, *, bold_head: bool = True) -> list[PaperLine]:
    """Return rows of one left and several right-aligned cells, all cells of a column equally wide.

    What cannot stand side by side is never squeezed: then each row becomes a block of pairs under its first cell.
    """
    tidied = [tuple(map(tidy, row)) for row in rows]
    widths = [max(width(row[n]) for row in tidied) for n in range(len(tidied[0]))]
    spare = columns - sum(widths) - (len(widths) - 1)
    if spare < 0:
        head, *body = tidied
        return [
            line
            for row in body
            for line in [
                *(PaperLine(text, bold=True) for text in wrap(row[0], columns)),
                *(line for name, value in zip(head[1:], row[1:], strict=True) for line in pair(name, value, columns)),
            ]
        ]
    gap = 1 + spare // (len(widths) - 1)
    lines = []
    for number, row in enumerate(tidied):
        cells = "".join(" " * (gap + widths[n] - width(row[n])) + row[n] for n in range(1, len(row)))
        ends = tuple((row[n], sum(gap + one for one in widths[n + 1 :])) for n in range(1, len(row)))
        lines.append(PaperLine(row[0], right=cells.lstrip(), cells=ends, bold=bold_head and number == 0))
    return lines


def composed(line: PaperLine, columns: int, measure: Callable[[str], int] = cell_width) -> str:
    """Return one line as it stands on the paper, its blanks included; measured by rule 1 unless told otherwise."""
    across = columns // line.wide
    if line.kind == "rule":
        return ("=" if line.bold else "-") * columns
    if line.kind != "text":
        return f"[{line.kind} {line.text}]" if line.text else f"[{line.kind}]"
    spare = across - width(line.text, measure) - width(line.right, measure)
    if line.right or line.align == "right":
        return line.text + " " * spare + line.right if line.right else " " * spare + line.text
    return " " * (spare // 2) + line.text if line.align == "center" else line.text


SIGNED = frozenset({"USD", "GBP", "EUR", "CNY", "JPY", "CAD", "AUD", "HKD"})
"""Currencies whose sign every printer has; the others stand by their code."""


def said_in(document: dict[str, Any], language: str = "") -> Language:
    """Return the language a document is printed in: the one given, its own, its store's, else English."""
    store = document.get("store", document)
    return words.language(language or language_of(document), store.get("tz", ""))


def language_of(document: dict[str, Any]) -> str:
    """Return the code of the language a document asks for: its own, else its store's, else English."""
    return words.known(str(document.get("language") or document.get("store", {}).get("language") or "")) or "en"


def price(say: Language, minor: int, currency: str) -> str:
    """Return an amount with its sign, `£13.12`, or its code where no printer has the sign, `KRW 1,200`."""
    return tidy(say.money(minor, currency, by_code=currency not in SIGNED))


def quantity(say: Language, qty: int, stock_unit: str) -> str:
    """Return a quantity as a customer reads it: `3`, `0.482 kg`, `1.5 l`."""
    if stock_unit not in UNITS:
        return say.quantity(qty)
    return f"{say.number(Decimal(qty) / 1000, 3)} {UNITS[stock_unit][1]}"


def unit_price(say: Language, minor: int, price_quantity: int, stock_unit: str, currency: str) -> str:
    """Return the price of one of what it is sold by: `1.20`, `3.99/kg`, `0.45/100 g`."""
    return say.amount(minor, currency) + per_unit(price_quantity, stock_unit)


def per_unit(price_quantity: int, stock_unit: str) -> str:
    """Return what follows the price of one of what it is sold by: `/kg`, `/100 g`; nothing for a piece."""
    if stock_unit in UNITS:
        return f"/{UNITS[stock_unit][1]}" if price_quantity == 1000 else f"/{price_quantity} {UNITS[stock_unit][0]}"
    return "" if price_quantity == 1 else f"/{price_quantity}"


def store_head(store: dict[str, Any], columns: int, *, logo: bool = True) -> list[PaperLine]:
    """Return the head of what customers take home: the logo, the store's name large, where it is."""
    shown = logo and store.get("logo")
    lines = [PaperLine(store["logo"], align="center", kind="image"), BLANK] if shown else []
    lines += centred(store["name"], columns, bold=True, wide=2, tall=2)
    for text in (store.get("address"), store.get("phone"), store.get("tax_number")):
        if text:
            lines += [line for part in str(text).splitlines() for line in centred(part, columns)]
    return [*lines, BLANK]


def copy_mark(copy_no: int, say: Language, columns: int) -> list[PaperLine]:
    """Return the mark of a copy with its number; nothing for the first print."""
    if not copy_no:
        return []
    return [*centred("*** " + say("COPY") + f" {copy_no} ***", columns, bold=True, wide=2, tall=2), BLANK]


def first_name(name: str) -> str:
    """Return what a customer may be called by on paper: the first word of a name; a Chinese name whole."""
    parts = tidy(name).split()
    return parts[0] if parts else ""


def tax_letters(taxes: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """Return the letter of each tax: (tax class, rate) -> letter."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return {(tax["tax_class_id"], tax["rate_bp"]): tax.get("letter") or alphabet[n % 26] for n, tax in enumerate(taxes)}


def tax_table(
    taxes: Sequence[dict[str, Any]],
    letters: dict[tuple[str, int], str],
    say: Language,
    currency: str,
    columns: int,
) -> list[PaperLine]:
    """Lay out the taxes: letter and rate, net, tax, gross."""
    rows = [("%", say("Net"), say("Tax"), say("Gross"))]
    for tax in taxes:
        letter = letters[(tax["tax_class_id"], tax["rate_bp"])]
        figures = (say.amount(tax[name], currency) for name in ("net_minor", "tax_minor", "gross_minor"))
        rows.append((f"{letter} {say.percent(tax['rate_bp'])}", *figures))  # type: ignore[arg-type]
    return table(rows, columns)

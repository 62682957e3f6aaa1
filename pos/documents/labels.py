"""Shelf labels: name, price, price per unit, barcode and a code a phone can open; on paper and on the screen.

Rules
-----
1. The price is the biggest thing; the price per kilo, litre or piece stands beside it.
2. The QR code says what the label promises (`shelf_labels`), in plain ASCII (Chinese in a QR code is read wrongly by
   many phones): an address with other letters is refused.
3. A barcode is printed only when it is right: a number whose check digit is wrong gets no bars.
4. The picture in the browser is made of the same content as the paper, with no font, script or address of its own.

document: name, price_minor, currency, and where known: brand, pack_text, stock_unit, price_quantity,
unit_price_minor with unit_price_text (`per kg`), barcode (GTIN text), sku, url, place (`A2-3`), language.
"""

from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from config.errors import Invalid
from config.words import Language
from pos.documents.paper import CUT, PaperLine, centred, pair, per_unit, price, said_in, tidy, width, wrap

LABEL_MM = (62, 40)
MOST_BIG = 6


def layout(document: dict[str, Any], *, columns: int, language: str = "en") -> list[PaperLine]:
    """Lay out a label for the receipt printer's paper."""
    say = said_in(document, language)
    large = len(wrap(document["name"], columns // 2)) <= 2
    lines = centred(document["name"], columns, bold=True, wide=2 if large else 1, tall=2)
    if about := _about(document):
        lines += centred(about, columns, bold="was_minor" in document, tall=2 if "was_minor" in document else 1)
    if (was_minor := document.get("was_minor")) is not None:
        lines += centred(price(say, was_minor, document["currency"]), columns, bold=True, wide=2, tall=2, struck=True)
    shown = price(say, document["price_minor"], document["currency"])
    big = _big(width(shown), columns)
    lines += centred(shown, columns, bold=True, wide=big, tall=big)
    lines += centred(unit_text(document, say), columns)
    if code := gtin(document):
        lines.append(PaperLine(code, align="center", kind="barcode"))
    if document.get("url"):
        lines.append(PaperLine(qr_text(document), align="center", kind="qr"))
    lines += pair(document.get("sku", ""), document.get("place", ""), columns)
    return [*lines, CUT]


def unit_text(document: dict[str, Any], say: Language) -> str:
    """Return the price per unit in words: the one given, else the one of what it is sold by."""
    currency = document["currency"]
    if document.get("unit_price_minor") is not None:
        return f"{price(say, document['unit_price_minor'], currency)} {document.get('unit_price_text', '')}".strip()
    unit, quantity = document.get("stock_unit", "each"), document.get("price_quantity", 1)
    if unit == "each" and quantity == 1:
        return say("each")
    return price(say, document["price_minor"], currency) + per_unit(quantity, unit)


def gtin(document: dict[str, Any]) -> str | None:
    """Return the barcode as 13 or 8 digits, or None when it has no bars to print (rule 3)."""
    code = str(document.get("barcode") or "")
    if not (code.isascii() and code.isdigit()) or len(code) not in (8, 12, 13, 14):
        return None
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(code[:-1])))
    if (-total) % 10 != int(code[-1]):
        return None
    if len(code) == 8:
        return code
    return code.zfill(13) if len(code) < 14 else code[1:] if code[0] == "0" else None


def qr_text(document: dict[str, Any]) -> str:
    """Return the address in the QR code; raises Invalid where it is not plain ASCII (rule 2)."""
    url = str(document["url"])
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 300:
        raise Invalid(
            "label-address",
            "The label for %(name)s cannot hold the address %(url)s. Use up to 300 plain characters.",
            name=document["name"], url=url,
        )  # fmt: skip
    return url


def bars(code: str) -> str:
    """Return the modules of an EAN-13 or EAN-8 code as text of `1` (black) and `0`."""
    import barcode  # brings a drawing library along, and only labels need it

    kind = "ean8" if len(code) == 8 else "ean13"
    built: list[str] = barcode.get(kind, code).build()
    return built[0].replace("G", "1")


@dataclass(frozen=True)
class LabelPart:
    """A piece of a label in mm from its upper left corner; y: of a text's base line, of a picture's top.

    size: of the letters, of one bar, of a square's side. most: how wide a text may be, 0 for no matter.
    """

    kind: Literal["text", "bars", "qr"]
    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    quiet: bool = False
    struck: bool = False
    at_end: bool = False
    """It ends at x instead of beginning there."""
    high: float = 0
    most: float = 0


def parts(document: dict[str, Any], language: str | None = None) -> list[LabelPart]:
    """Return what stands where on a label of `LABEL_MM`, whatever draws it."""
    say = said_in(document, language or "")
    across = LABEL_MM[0]
    code, url, names = gtin(document), document.get("url"), _name_lines(document["name"])
    found = [LabelPart("text", 3, 6 + 4.6 * n, 4.2, text, bold=True, most=56) for n, text in enumerate(names)]
    is_reduced = document.get("was_minor") is not None
    about = _about(document)
    if about and not (is_reduced and len(names) > 1):  # the old price stands there
        found.append(LabelPart("text", 3, 6 + 4.6 * len(names) - 0.6, 2.8, about, quiet=True, most=56))
    if is_reduced:
        was = price(say, document["was_minor"], document["currency"])
        found.append(LabelPart("text", 3, 16.4, 4, was, quiet=True, struck=True))
    shown = price(say, document["price_minor"], document["currency"])
    room = 36 if url else 56
    size = min(11.0, room / (0.58 * max(1, width(shown))))
    found.append(LabelPart("text", 3, 25, size, shown, bold=True, most=room))
    found.append(LabelPart("text", 3, 28.9, 2.8, unit_text(document, say), quiet=True, most=room))
    if code:
        found.append(LabelPart("bars", 3, 30.4, 0.3, code, high=5.8))
        found.append(LabelPart("text", 3, 38.6, 2.2, code))
    if url:
        found.append(LabelPart("qr", 42, 16, 18, qr_text(document)))
    if foot := " · ".join(filter(None, (str(document.get("sku", "")), str(document.get("place", ""))))):
        found.append(LabelPart("text", across - 3, 37.8, 2.2, foot, quiet=True, at_end=True, most=56))
    return found


def qr_rows(text: str) -> list[bytes]:
    """Return the rows of a QR code; a byte above 0 is a black module."""
    import segno

    return [bytes(row) for row in segno.make_qr(text, error="m").matrix]


def label_svg(document: dict[str, Any], language: str | None = None) -> str:
    """Return the label as an SVG picture of 62 x 40 mm, the size of a common shelf rail label.

    It holds no style attribute, script, font or address to load, so it may stand in any page.
    """
    across, high = LABEL_MM
    say = said_in(document, language or "")
    drawn = [f'<rect width="{across}" height="{high}" rx="1.5" fill="#fff" stroke="#bbb" stroke-width="0.2"/>']
    drawn += [_DRAWN[part.kind](part) for part in parts(document, language)]
    title = escape(f"{tidy(document['name'])} {price(say, document['price_minor'], document['currency'])}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="shelf-label" role="img" viewBox="0 0 {across} {high}" '
        f'width="{across}mm" height="{high}mm"><title>{title}</title>{"".join(drawn)}</svg>'
    )


# --- inside ---


def _big(letters: int, columns: int) -> int:
    """Return how large a text is printed: as large as it fits, and stands in the middle by whole letters."""
    for big in range(MOST_BIG, 1, -1):
        spare = columns // big - letters
        if spare >= 0 and columns - big * (2 * (spare // 2) + letters) <= 4:
            return big
    return 1


def _about(document: dict[str, Any]) -> str:
    known = [str(document.get("brand") or ""), str(document.get("pack_text") or "")]
    return tidy(" · ".join(text for text in known if text and text.lower() not in document["name"].lower()))


def _name_lines(name: str) -> list[str]:
    lines = wrap(name, 26)
    if len(lines) <= 2:
        return lines
    kept = lines[1]
    while width(kept) > 24:
        kept = kept[:-1]
    return [lines[0], kept.rstrip() + "…"]


def _text(part: LabelPart) -> str:
    weight = (' font-weight="700"' if part.bold else "") + (' text-decoration="line-through"' if part.struck else "")
    fill, anchor = "#444" if part.quiet else "#000", "end" if part.at_end else "start"
    # the browser's letters are not known here: wide ones take three fifths of their size
    size = min(part.size, part.most / (0.6 * max(1, width(part.text)))) if part.most else part.size
    return (
        f'<text x="{part.x:g}" y="{part.y:g}" font-family="sans-serif" font-size="{size:.2f}" fill="{fill}" '
        f'text-anchor="{anchor}"{weight}>{escape(tidy(part.text))}</text>'
    )


def _bars_svg(part: LabelPart) -> str:
    x, y, module, high = part.x, part.y, part.size, part.high
    path, modules = [], bars(part.text)
    start = None
    for position, black in enumerate(modules + "0"):
        if black == "1" and start is None:
            start = position
        elif black != "1" and start is not None:
            path.append(
                f"M{x + start * module:.2f} {y:g}h{(position - start) * module:.2f}v{high:g}H{x + start * module:.2f}z"
            )
            start = None
    return f'<path class="bars" d="{"".join(path)}" fill="#000"/>'


def _qr_svg(part: LabelPart) -> str:
    rows = qr_rows(part.text)
    module = part.size / len(rows)
    path = [
        f"M{part.x + column * module:.3f} {part.y + line * module:.3f}h{module:.3f}v{module:.3f}h-{module:.3f}z"
        for line, row in enumerate(rows)
        for column, black in enumerate(row)
        if black
    ]
    return f'<path class="qr" d="{"".join(path)}" fill="#000" shape-rendering="crispEdges"/>'


_DRAWN = {"text": _text, "bars": _bars_svg, "qr": _qr_svg}

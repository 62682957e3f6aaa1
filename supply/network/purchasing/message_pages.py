"""An order to a supplier, or what goes back to one, as A4 pages: who orders what of whom, for which day. PURE.

Rules
-----
1. The page says what the message's frozen document says, in the supplier's language, and reads nothing else.
2. The same document gives the same bytes. Every page has the order's number and its own.
"""

from typing import Any

from config.words import N_, Language
from pos.documents.paper import quantity, said_in
from pos.documents.pdf import A4_MM, MM, Pen

_LEFT, _RIGHT = 18 * MM, A4_MM[0] * MM - 18 * MM
_BOTTOM = A4_MM[1] * MM - 24 * MM
_ROW = 17.0
_Columns = tuple[tuple[str, float, bool], ...]
# title of a column, its edge in mm from the left margin, and whether the edge is its right one
_COLUMNS = (
    ("article_no", 0.0, False), ("product", 25.0, False), ("packs", 108.0, True), ("per_pack", 125.0, True),
    ("units", 145.0, True), ("total", 174.0, True),
)  # fmt: skip
_RETURNED = (
    ("purchase", 0.0, False), ("product", 32.0, False), ("batch", 108.0, False), ("best_before", 134.0, False),
    ("units", 174.0, True),
)  # fmt: skip
"""Of what goes back."""
TITLES = {
    "article_no": N_("Your no."), "product": N_("Product"), "packs": N_("Packs"), "per_pack": N_("Per pack"),
    "units": N_("Units"), "total": N_("TOTAL"), "purchase": N_("Our order"), "batch": N_("Batch"),
    "best_before": N_("best before"),
}  # fmt: skip
_NAME_WIDE = 70 * MM
_SMALL = ("article_no", "purchase")


def pages(document: dict[str, Any]) -> bytes:
    """Return an order or a return, or the word that it is called off, as a PDF file.

    document: as `orders.supplier_messages` freezes it; one without a day of delivery is of goods that go back.
    """
    say, is_order = said_in(document), "delivery_day" in document
    off, columns = "called_off" in document, _COLUMNS if is_order else _RETURNED
    pen = Pen(_title(document, say))
    y = _head(pen, document, say, off=off)
    if off:
        pen.text(
            _LEFT,
            y + 10,
            say("Please do not deliver this order.")
            if is_order
            else say("These products will not be returned to you."),
            13,
            bold=True,
        )
        pen.text(_LEFT, y + 32, document["called_off"], 11)
        y += 60
    number = 1
    y = _titles(pen, say, columns, y)
    for line in document["lines"]:
        if y > _BOTTOM:
            number = _turn(pen, document, say, number)
            y = _titles(pen, say, columns, 22 * MM)
        cells = _ordered(line, say, document["store"]["currency"]) if is_order else _returned(line, say)
        _cells(pen, y, columns, cells, struck=off)
        y += _ROW
    pen.box(_LEFT, y - 10, _RIGHT - _LEFT, 0.8)
    if not off and not is_order:
        pen.text(_LEFT, y + 14, say("Reason") + f": {document['why']}", 11)
        pen.text(_LEFT, y + 40, say("Please sign for the products you collect."), 10)
        pen.box(_LEFT, y + 96, 80 * MM, 0.6)
    elif not off:
        currency = document["store"]["currency"]
        total = f"{say.amount(document['total_minor'], currency)} {currency}"
        pen.text(_LEFT + 25 * MM, y + 8, say("TOTAL"), 12, bold=True)
        pen.text(_RIGHT - pen.width(total, 12, bold=True), y + 8, total, 12, bold=True)
        pen.text(_LEFT, y + 36, say("Please deliver on the requested day."), 10)
    _foot(pen, document, say, number)
    return pen.finish()


# --- inside ---


def _title(document: dict[str, Any], say: Language) -> str:
    return (say("Order") if "delivery_day" in document else say("Return")) + f" {document['order_no']}"


def _ordered(line: dict[str, Any], say: Language, currency: str) -> tuple[str, ...]:
    return (
        line["article_no"] or line["barcode"], line["name"], str(line["packs"]),
        quantity(say, line["pack_qty"], line["stock_unit"]),
        quantity(say, line["packs"] * line["pack_qty"], line["stock_unit"]),
        say.amount(line["packs"] * line["pack_cost_minor"], currency),
    )  # fmt: skip


def _returned(line: dict[str, Any], say: Language) -> tuple[str, ...]:
    units = quantity(say, line["qty"], line["stock_unit"])
    return line["purchase_no"], line["name"], line["batch"], say.moment(line["expires_on"]), units


def _head(pen: Pen, document: dict[str, Any], say: Language, *, off: bool) -> float:
    store, y = document["store"], 24 * MM
    pen.text(_LEFT, y, store["name"], 17, bold=True)
    for text in (store["address"], store["phone"]):
        if text:
            y += 15
            pen.text(_LEFT, y, text, 10, grey=0.3)
    is_order = "delivery_day" in document
    ordered = say("ORDER CANCELLED") if off else say("ORDER")
    returned = say("RETURN CANCELLED") if off else say("SUPPLIER RETURN")
    title = ordered if is_order else returned
    pen.text(_RIGHT - pen.width(title, 17, bold=True), 24 * MM, title, 17, bold=True)
    no = _title(document, say)
    pen.text(_RIGHT - pen.width(no, 12), 24 * MM + 19, no, 12)
    y = max(y, 24 * MM + 19) + 34
    pen.text(_LEFT, y, say("Supplier"), 9, grey=0.4)
    pen.text(_LEFT, y + 16, document["supplier_name"], 13, bold=True)
    facts = [
        *([(say("Deliver on"), say.moment(document["delivery_day"]))] if is_order else []),
        (say("Ordered on") if is_order else say("Written on"), say.moment(document["order_day"])),
        (say("Ordered by") if is_order else say("Written by"), document["by"]),
        *([(say("Customer no."), document["customer_no"])] if document["customer_no"] else []),
    ]
    for n, (name, value) in enumerate(facts):
        pen.text(_LEFT + 100 * MM, y + n * 16, name, 9, grey=0.4)
        pen.text(_RIGHT - pen.width(value, 11, bold=n == 0), y + n * 16, value, 11, bold=n == 0)
    return y + max(2, len(facts)) * 16 + 24


def _titles(pen: Pen, say: Language, columns: _Columns, y: float) -> float:
    for name, edge, at_end in columns:
        x = _LEFT + edge * MM
        pen.text(x - pen.width(say(TITLES[name]), 9) if at_end else x, y, say(TITLES[name]), 9, grey=0.4)
    pen.box(_LEFT, y + 5, _RIGHT - _LEFT, 0.8)
    return y + 21


def _cells(pen: Pen, y: float, columns: _Columns, cells: tuple[str, ...], *, struck: bool) -> None:
    for (name, edge, at_end), text in zip(columns, cells, strict=True):
        x, size, bold = _LEFT + edge * MM, 9.0 if name in _SMALL else 10.5, name in ("packs", "product")
        if name == "product":
            text = _fitted(pen, text, size)
        wide = pen.width(text, size, bold=bold)
        pen.text(x - wide if at_end else x, y, text, size, bold=bold)
    if struck:
        pen.box(_LEFT, y - 3.5, _RIGHT - _LEFT, 0.6)


def _fitted(pen: Pen, text: str, size: float) -> str:
    """Return a name cut to its column, with an ellipsis."""
    if pen.width(text, size, bold=True) <= _NAME_WIDE:
        return text
    while text and pen.width(f"{text}…", size, bold=True) > _NAME_WIDE:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _turn(pen: Pen, document: dict[str, Any], say: Language, number: int) -> int:
    _foot(pen, document, say, number)
    pen.next_page()
    return number + 1


def _foot(pen: Pen, document: dict[str, Any], say: Language, number: int) -> None:
    y = A4_MM[1] * MM - 12 * MM
    pen.text(_LEFT, y, f"{document['store']['name']} · {_title(document, say)}", 8, grey=0.4)
    page = say("Page") + f" {number}"
    pen.text(_RIGHT - pen.width(page, 8), y, page, 8, grey=0.4)

"""Paper for those who work with the goods: what to gather, what came, what is missing, what goes back, what to count,
prices.

Rules
-----
1. As with the receipt: a layout reads its frozen document alone and prints in the store's language.
2. What is to be done has a box to tick or to write into; what was done has a line to sign.
3. A count sheet is blind: it shows no figure the records have.
4. Figures of one kind stand under each other, whatever the names are.
5. Of goods that go back to a supplier every line says how much goes, of which batch and day where that is known, and
   what the store expects back for it; what has no known cost says so and is left out of the total.
6. Both sides sign. A copy is marked.

Everything here is pure. Money comes in minor units of the store's currency; columns are 32, 42 or 48.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from config.words import N_, Language
from pos.documents.paper import (
    BLANK,
    CUT,
    RULE,
    PaperLine,
    centred,
    copy_mark,
    first_name,
    indented,
    pair,
    price,
    quantity,
    said_in,
    tidy,
    width,
    wrap,
)
from pos.documents.words import code_word
from pos.reasons import reason_word

LEAST_NAME = 14
"""Columns a name needs beside figures; with less it stands above them."""

PLACES = {
    "shelf": N_("Bestseller shelf"),
    "floor": N_("Store floor"),
    "backroom": N_("Backroom"),
    "": N_("Please check"),
}
WHY_BACK = {
    "damaged": N_("Damaged"), "expired": N_("Past its date"), "recalled": N_("Recalled"),
    "wrong_delivery": N_("Wrong delivery"), "sale_or_return": N_("On consignment"), "other": N_("Another reason"),
}  # fmt: skip


def pick_list(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what to gather for several pickup orders, place by place.

    document: store, local_time, by, orders [{order_no, customer_name}], places [{place, slot, lines [{name, qty,
    stock_unit, orders [[order_no, qty]]}]}]. place: `shelf`, `floor`, `backroom`, or '' where nobody knows; slot: of
    the shelf, or 0.
    """
    say = said_in(document, language)
    lines = _head(document, say("PICK LIST"), say, columns, copy_no)
    for order in document["orders"]:
        lines += pair(str(order["order_no"]), first_name(order["customer_name"]), columns, bold=True)
    several = len(document["orders"]) > 1
    for group in document["places"]:
        where = code_word(PLACES, group["place"], say) + (f" {group['slot']}" if group["slot"] else "")
        lines += [RULE, *pair(where, "", columns, bold=True)]
        for line in group["lines"]:
            lines += _ticked(f"{quantity(say, line['qty'], line['stock_unit'])} x {line['name']}", columns)
            if several:
                shares = (f"{no}: {quantity(say, qty, line['stock_unit'])}" for no, qty in line["orders"])
                lines += _set_in("   ".join(shares), columns)
    return [*lines, BLANK, *_to_sign(say("Picked by"), columns), CUT]


def delivery_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what came against what was ordered.

    document: store, local_time, by, supplier_name, order_no (or ''), state, lines [{name, stock_unit, advised_qty,
    counted_qty, why, expires_on (ISO day or ''), lots [[qty, ISO day or '']] where it is of several}].
    """
    say = said_in(document, language)
    lines = _head(document, say("DELIVERY"), say, columns, copy_no)
    lines += [*_from(document, say, columns), RULE]
    figures = [_compared(line, say) for line in document["lines"]]
    lines += _listed(document["lines"], [(say("Ordered"), say("Arrived"), "+/-"), *figures], say, columns)
    off = sum(line["advised_qty"] != line["counted_qty"] for line in document["lines"])
    lines += [RULE, *pair(say("Products"), str(len(document["lines"])), columns)]
    lines += pair(
        say("Differences") if off else say("Everything came as ordered."), str(off) if off else "", columns, bold=True
    )
    return [*lines, BLANK, *_to_sign(say("Driver"), columns), *_to_sign(say("Received by"), columns), CUT]


def claim_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what a supplier is asked to make good: the lines that differ. document: as `delivery_slip`."""
    say = said_in(document, language)
    off = [line for line in document["lines"] if line["advised_qty"] != line["counted_qty"]]
    lines = _head(document, say("CLAIM"), say, columns, copy_no)
    lines += [*_from(document, say, columns), RULE]
    lines += _listed(
        off, [(say("Ordered"), say("Arrived"), "+/-"), *(_compared(line, say) for line in off)], say, columns
    )
    lines += [
        RULE,
        *(
            PaperLine(text)
            for text in wrap(say("Please credit or send what is missing, and collect any surplus."), columns)
        ),
    ]
    return [*lines, BLANK, *_to_sign(say("Driver"), columns), *_to_sign(say("Received by"), columns), CUT]


def order_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out an order to a supplier, or that it is called off, to hand over at the counter or to the driver.

    document: store, local_time, by, supplier_name, customer_no, order_no, delivery_day (ISO), total_minor, called_off
    (only where it is), lines [{name, article_no, packs, pack_qty, stock_unit, pack_cost_minor}].
    """
    say, off = said_in(document, language), "called_off" in document
    lines = _head(document, say("ORDER CANCELED") if off else say("ORDER"), say, columns, copy_no)
    lines += _from(document, say, columns)
    if document["customer_no"]:
        lines += pair(say("Customer no."), document["customer_no"], columns)
    lines += [*pair(say("Deliver on"), say.moment(document["delivery_day"]), columns, bold=True), RULE]
    if off:
        said = [
            *wrap(say("Please do not deliver this order."), columns),
            *wrap(reason_word(document["called_off"], say), columns),
        ]
        return [*lines, *(PaperLine(text, bold=True) for text in said), BLANK, CUT]
    figures = [(say("Packs"), say("Per pack"), say("Units"))]
    for line in document["lines"]:
        each = quantity(say, line["pack_qty"], line["stock_unit"])
        figures.append((str(line["packs"]), each, quantity(say, line["packs"] * line["pack_qty"], line["stock_unit"])))
    head, *shown = _aligned(figures)
    lines.append(PaperLine("", right=head))
    for line, text in zip(document["lines"], shown, strict=True):
        lines += _beside(line["name"], text, columns, bold=True)
        if line["article_no"]:
            lines += _set_in(say("Your item no.") + f" {line['article_no']}", columns)
    lines += [RULE, *pair(say("Products"), str(len(document["lines"])), columns)]
    lines += pair(say("TOTAL"), say.amount(document["total_minor"], document["store"]["currency"]), columns, bold=True)
    return [*lines, BLANK, *_to_sign(say("Ordered by"), columns), CUT]


def count_sheet(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what to count in a section, with a box for each figure (rule 3).

    document: store, local_time, by, take_name, section, lines [{name, sku, stock_unit}].
    """
    say = said_in(document, language)
    lines = _head(document, say("COUNT SHEET"), say, columns, copy_no)
    lines += centred(document["section"], columns, bold=True, wide=2, tall=2)
    lines += [*pair(say("Stock take"), document["take_name"], columns), RULE]
    for line in [*document["lines"], *[{"name": "." * (LEAST_NAME + 2), "sku": "", "stock_unit": "each"}] * 3]:
        unit = {"gram": " g", "millilitre": " ml"}.get(line["stock_unit"], "   ")
        lines += [*_beside(line["name"], f"[______]{unit}", columns), BLANK]
    lines += [RULE, *pair(say("Products"), str(len(document["lines"])), columns)]
    return [*lines, BLANK, *_to_sign(say("Counted by"), columns), CUT]


def price_batch(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the prices that begin on a day, a box for each label to be changed.

    document: store, local_time, by, from_day (ISO), lines [{name, place, stock_unit, old_minor (or None), new_minor}].
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _head(document, say("NEW PRICES"), say, columns, copy_no)
    lines += [*pair(say("Valid from"), say.moment(document["from_day"]), columns, bold=True), RULE]
    figures = [(say("Was"), say.pgettext("paper", "New"))]
    for line in document["lines"]:
        old = "-" if line["old_minor"] is None else say.amount(line["old_minor"], currency)
        figures.append((old, say.amount(line["new_minor"], currency)))
    aligned = _aligned(figures)
    lines.append(PaperLine("", right=aligned[0]))
    for line, shown in zip(document["lines"], aligned[1:], strict=True):
        name = line["name"] + (f" ({line['place']})" if line.get("place") else "")
        lines += _ticked(name, columns, shown)
    lines += [RULE, *pair(say("Products"), str(len(document["lines"])), columns)]
    return [*lines, BLANK, *_to_sign(say("Labels replaced by"), columns), CUT]


def back_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what a driver signs for (rules 6, 7).

    document: store, number, supplier, paper_no, reason, why, by, local_time, lines [{name, qty, stock_unit, batch,
    expires_on, cost_minor}], total_minor, unknown.
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _return_head(document, say, columns, copy_no)
    for row in document["lines"]:
        cost = say("price to be agreed") if row["cost_minor"] is None else say.amount(row["cost_minor"], currency)
        lines += pair(f"{quantity(say, row['qty'], row['stock_unit'])} {row['name']}", cost, columns)
        batch = say("Batch") + f" {row['batch']}" if row["batch"] else ""
        until = say("best before") + f" {say.moment(row['expires_on'])}" if row["expires_on"] else ""
        if batch or until:
            lines += indented(", ".join(part for part in (batch, until) if part), "", columns)
    lines += [RULE, *pair(say("Lines"), str(len(document["lines"])), columns)]
    if document["unknown"]:
        lines += pair(say("Lines without a price"), str(document["unknown"]), columns)
    lines += pair(
        say("Expected credit"), price(say, document["total_minor"], currency), columns, bold=True, wide=2, tall=2
    )
    lines += [RULE, *pair(say("For the store"), document["by"], columns), BLANK, *_to_write(say("Signature"), columns)]
    lines += [BLANK, PaperLine(say("Taken by"), bold=True), BLANK, *_to_write(say("Name"), columns), BLANK, BLANK]
    return [
        *lines,
        *_to_write(say("Signature"), columns),
        BLANK,
        *centred(say("Please credit these products."), columns),
        CUT,
    ]


LAYOUTS: dict[str, Callable[..., list[PaperLine]]] = {
    "pick_list": pick_list,
    "delivery": delivery_slip,
    "claim": claim_slip,
    "supplier_order": order_slip,
    "count_sheet": count_sheet,
    "price_batch": price_batch,
    "goods_back": back_slip,
}
"""kind of print job -> its layout."""


# --- inside ---


def _head(document: dict[str, Any], title: str, say: Language, columns: int, copy_no: int) -> list[PaperLine]:
    lines = [*centred(document["store"]["name"], columns), *centred(title, columns, bold=True, wide=2, tall=2)]
    lines += copy_mark(copy_no, say, columns)
    return [*lines, *pair(say.moment(document["local_time"]), document["by"], columns)]


def _from(document: dict[str, Any], say: Language, columns: int) -> list[PaperLine]:
    lines = pair(say("Supplier"), document["supplier_name"], columns, bold=True)
    if document.get("order_no"):
        lines += pair(say.pgettext("paper", "Order"), str(document["order_no"]), columns)
    if document.get("state") == "refused":
        lines += centred(say("REFUSED AT THE DOOR"), columns, bold=True, tall=2)
    return lines


def _compared(line: dict[str, Any], say: Language) -> tuple[str, ...]:
    unit, off = line["stock_unit"], line["counted_qty"] - line["advised_qty"]
    shown = [quantity(say, line["advised_qty"], unit), quantity(say, line["counted_qty"], unit)]
    return (*shown, f"{'+' if off > 0 else ''}{quantity(say, off, unit)}" if off else "")


def _listed(
    rows: Sequence[dict[str, Any]], figures: Sequence[tuple[str, ...]], say: Language, columns: int
) -> list[PaperLine]:
    head, *shown = _aligned(figures)
    lines = [PaperLine("", right=head)] if width(head) <= columns else []
    for row, text in zip(rows, shown, strict=True):
        lines += _beside(row["name"], text, columns, bold=row["counted_qty"] != row["advised_qty"])
        for qty, until in row.get("lots") or [(None, row.get("expires_on"))]:
            if until:
                units = "" if qty is None else f"{quantity(say, qty, row['stock_unit'])}  "
                lines += _set_in(units + say("best before") + f" {say.moment(until)}", columns)
        if row.get("why"):
            lines += _set_in(reason_word(row["why"], say), columns)
    return lines


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return each row's figures as one text, every column as wide as its widest (rule 4)."""
    widths = [max(width(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  ".join(" " * (wide - width(cell)) + cell for cell, wide in zip(row, widths, strict=True)) for row in rows
    ]


def _beside(name: str, figures: str, columns: int, *, bold: bool = False) -> list[PaperLine]:
    """Return a name with figures at the right edge: beside its end, or below it where it would be broken for them."""
    room = columns - width(figures) - 1
    name = tidy(name)
    if width(name) <= room or (room >= LEAST_NAME + 6 and width(name) > columns):
        return pair(name, figures, columns, bold=bold)
    above = [PaperLine(text, bold=bold) for text in wrap(name, columns)]
    return [*above, *pair("", figures, columns, bold=bold)]


def _ticked(text: str, columns: int, figures: str = "") -> list[PaperLine]:
    """Return a line with a box before it; what goes on stands under the say, not under the box."""
    lines = _beside(text, figures, columns - 4, bold=True) if figures else pair(text, "", columns - 4, bold=True)
    marks = ["[ ] ", *["    "] * (len(lines) - 1)]
    return [
        line if line.align == "right" else replace(line, text=mark + line.text)
        for mark, line in zip(marks, lines, strict=True)
    ]


def _set_in(text: str, columns: int) -> list[PaperLine]:
    return [PaperLine(f"    {line}") for line in wrap(text, columns - 4)]


def _to_sign(word: str, columns: int) -> list[PaperLine]:
    return [BLANK, PaperLine(f"{word} " + "." * max(8, columns - width(word) - 1))]


def _return_head(document: dict[str, Any], say: Language, columns: int, copy_no: int) -> list[PaperLine]:
    lines = centred(document["store"]["name"], columns, bold=True, wide=2, tall=2)
    for text in (document["store"].get("address"), document["store"].get("phone")):
        if text:
            lines += [line for part in str(text).splitlines() for line in centred(part, columns)]
    lines += [BLANK, *centred(say("SUPPLIER RETURN"), columns, bold=True, wide=2, tall=2)]
    if copy_no:
        lines += centred("*** " + say("COPY") + f" {copy_no} ***", columns, bold=True, wide=2, tall=2)
    lines += pair(say.pgettext("paper", "To"), document["supplier"], columns, bold=True)
    lines += pair(say.pgettext("paper", "Note"), document["number"], columns)
    if document["paper_no"]:
        lines += pair(say("Their reference"), document["paper_no"], columns)
    lines += pair(say("Reason"), code_word(WHY_BACK, document["reason"], say), columns)
    if document["why"]:
        lines += indented(document["why"], "", columns)
    return [*lines, *centred(say.moment(document["local_time"]), columns), RULE]


def _to_write(word: str, columns: int) -> list[PaperLine]:
    """Return a dotted line behind a word, as wide as the paper lets it."""
    return [PaperLine(f"{word} " + "." * (columns - 12))]

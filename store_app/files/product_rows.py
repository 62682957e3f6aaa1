"""The rows of somebody's list of products, as our own list would have them.

Rules
-----
1. Rows of one handle are variants of one product: what only the first says (title, brand, category, tax) counts for
   all, and each becomes a product of its own, named by its title and its options. A row without a name, price and code
   of its own (a picture, a part of a bundle) is none.
2. A product that is not for sale in the store is left out, a category is the end of its path, a stock below zero none.
3. Codes lose the apostrophe that keeps spreadsheets from rounding them; a code that was rounded is a fault.
4. An amount stands without its currency, a price of none ("variable", or empty) is typed at the till, a cost of zero is
   not known. Grams and millilitres are the size of a piece: a price is never of one of them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from pos.catalogue.gs1 import is_gtin
from store_app.files.product_columns import FIELDS, NO, YES, Columns
from store_app.files.sheet import Sheet
from store_app.files.tables import Number

_PLAIN_OPTIONS = ("default title", "default", "regular", "regulär", "normal", "standard")
_INHERITED = ("name", "brand", "category", "department", "supplier", "tax_class", "taxable", "by_weight", "on_sale")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE | re.ASCII)
_CURRENCY = r"(?:[$€£¥₩₹₽₺₴฿₫₱₪元円]|[A-Z]{2,3}\$?|kr\.?|zł|Kč|Ft|lei|Fr\.?|R\$)"
_AMOUNT = re.compile(rf"{_CURRENCY}?\s*(-?)\s*{_CURRENCY}?\s*([\d.,'’ \u00a0\u2009\u202f]*\d)\s*{_CURRENCY}?")
_NO_PRICE = ("variable", "variabel", "open", "-", "—", "可变")
_WEIGHED = ("kg", "kilogram", "kilogramm", "kilogramo", "kilo", "公斤", "千克")
_SIZED = ("g", "ml")
_ALL = ("all", "saleable", "alle", "verkaufbar", "todo", "todos", "全部", "可销售")


class Row(NamedTuple):
    """A row as our own list has it: its number in the table and its texts by column."""

    number: int
    texts: dict[str, str]


class Rows:
    """The rows of a list, one after the other; faults and counts of what was left out are filled on the way."""

    def __init__(self, sheet: Sheet, columns: Columns) -> None:
        self.sheet, self.columns, self.counts = sheet, columns, Counter[str]()

    def read(self, lines: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
        """Yield the products of a table's lines (rules 1 to 4)."""
        handle, first = "", dict[str, str]()
        for number, cells in lines:
            padded = [*map(_tidy, cells), *[""] * (len(self.columns.titles) - len(cells))]
            said = {of: cell for of in self.columns.of if (cell := self.columns.cell(padded, of))}
            said |= self._taxed(padded)
            options = [cell for place in self.columns.of.get("option", ()) if (cell := padded[place])]
            is_new = "name" in said and not (said.get("handle") and said["handle"] == handle)
            if not (is_new or options or any(of in said for of in ("sku", "barcode", "price"))):
                continue
            if said.get("handle") and said["handle"] == handle:
                said = {of: first[of] for of in _INHERITED if of in first and of not in said} | said
            else:
                handle, first = said.get("handle", ""), said
            if said.get("on_sale", "").casefold() in NO and not self.sheet.asks:
                self.counts["not-for-sale"] += 1
                continue
            yield Row(number, self._row(number, said, options))

    def notes(self) -> list[str]:
        """Say what was left out or read in a way that somebody should know."""
        said = {
            "not-for-sale": ngettext(
                "%(num)d product is not for sale there and will be skipped.",
                "%(num)d products are not for sale there and will be skipped.", self.counts["not-for-sale"],
            ),
            "no-price": ngettext(
                "%(num)d product has no price. The till will ask for one.",
                "%(num)d products have no price. The till will ask for one.", self.counts["no-price"],
            ),
            "below-zero": ngettext(
                "%(num)d product has stock below zero and will start with no stock.",
                "%(num)d products have stock below zero and will start with no stock.", self.counts["below-zero"],
            ),
            "weighed": ngettext(
                "%(num)d product is sold by weight, so its price is per kilogram.",
                "%(num)d products are sold by weight, so their prices are per kilogram.", self.counts["weighed"],
            ),
        }  # fmt: skip
        return [words for key, words in said.items() if self.counts[key]]

    def _taxed(self, cells: Sequence[str]) -> dict[str, str]:
        """Return what the columns with a rate in their name say (`Columns.rates`)."""
        said = [rate for place, rate in self.columns.rates.items() if cells[place].casefold() in YES]
        if not any(cells[place] for place in self.columns.rates):
            return {}
        names = " + ".join(name for name, _rate in said if name)
        return {"tax_class": f"{names} {Decimal(sum(rate for _name, rate in said)) / 100:f}%".strip()}

    def _row(self, number: int, said: dict[str, str], options: Sequence[str]) -> dict[str, str]:
        row = {of: cell for of, cell in said.items() if of in FIELDS}
        row["name"] = _named(said.get("name", ""), options)
        department, row["category"] = _category(said.get("category", ""))
        row["department"] = said.get("department", "") or department
        for of in ("sku", "barcode"):
            row[of] = said.get(of, "").lstrip("'’")
            if _ROUNDED.fullmatch(row[of]):
                words = _(
                    "%(code)s was rounded by a spreadsheet. Format the column as text, enter the code again, "
                    "or clear the cell", code=row[of],
                )  # fmt: skip
                self.sheet.fault(number, of, words)
                row[of] = ""
        row["barcode"] = row["barcode"] or (row["sku"] if is_gtin(row["sku"]) else "")
        if said.get("taxable", "").casefold() in NO:
            row["tax_class"] = "0%"
        for of in ("price", "cost", "pack_cost"):
            row[of] = _amount(said.get(of, ""))
        if row["price"].casefold() in ("", *_NO_PRICE):
            row["price"], self.counts["no-price"] = "", self.counts["no-price"] + 1
        if not row["cost"].strip("0.,"):
            row["cost"] = ""
        return self._measured(row, said)

    def _measured(self, row: dict[str, str], said: dict[str, str]) -> dict[str, str]:
        """Return a row with its unit and stock as stock units."""
        unit = said.get("stock_unit", "").casefold().rstrip(".")
        weighed = said.get("by_weight", "").casefold() in YES or unit in _WEIGHED
        row["stock_unit"] = "gram" if weighed else ""
        if unit in _SIZED and (size := row.get("pack_text", "")) and not any(map(str.isalpha, size)):
            row["pack_text"] = f"{size} {unit}"
        row["price_quantity"] = "1000" if weighed else ""
        self.counts["weighed"] += weighed
        stock = _amount(said.get("stock", ""))
        if stock.startswith("-"):
            self.counts["below-zero"] += 1
            stock = ""
        row["stock"] = stock if stock.strip("0.,") else ""
        return row


# --- inside ---


def _tidy(cell: str) -> str:
    return cell if isinstance(cell, Number) else " ".join(cell.split())


def _named(title: str, options: Sequence[str]) -> str:
    """Return what a product is called: its title, and the options that the title does not end with."""
    name = title
    for option in options:
        if option.casefold() not in _PLAIN_OPTIONS and not name.casefold().endswith(option.casefold()):
            name = f"{name} {option}".strip()
    return name


def _category(path: str) -> tuple[str, str]:
    """Return the department and the category that a path ends with; both '' where it names none."""
    steps = [step.strip() for step in re.split(r"\s[/>]\s", path) if step.strip().casefold() not in ("", *_ALL)]
    return ["", "", *steps][-2], steps[-1] if steps else ""


def _amount(cell: str) -> str:
    """Return an amount without its currency; anything else as it is."""
    if isinstance(cell, Number) or not (found := _AMOUNT.fullmatch(cell)):
        return cell
    return found[1] + (found[2] if found[2][0].isdigit() else f"0{found[2]}")

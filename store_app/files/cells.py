"""What reads one cell of a table: a ValueError says in the reader's words what was expected, an Invalid what to do."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from config import money
from config.errors import Invalid
from config.words import LANGUAGES

UNITS = ("each", "gram", "millilitre")
Cell = Callable[[str], Any]
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3})(?:[.,](\d{1,4}))?\s*[%％]")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?!\d)", re.ASCII)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?!\d)", re.ASCII)


@dataclass(frozen=True)
class Figure:
    """What reads a number that may have decimals, of which a file has its own way of writing (`marks`)."""

    read: Cell

    def __call__(self, cell: str) -> Any:
        """Read it as a point writes it."""
        return self.read(cell)


def text(most: int) -> Cell:
    """Return what reads at most so many printable letters."""

    def read_text(cell: str) -> str:
        if len(cell) > most or not cell.isprintable():
            raise ValueError(_("up to %(most)s printable characters", most=most))
        return cell

    return read_text


def whole(least: int, most: int) -> Cell:
    """Return what reads a whole number within its bounds."""

    def read_whole(cell: str) -> int:
        # a spreadsheet writes 3 as 3.0
        tidy = cell.removesuffix(".0")
        if not re.fullmatch(r"-?\d{1,13}", tidy, re.ASCII) or not least <= int(tidy) <= most:
            raise ValueError(_("a whole number from %(least)s to %(most)s", least=least, most=most))
        return int(tidy)

    return read_whole


def decimal(least: int, most: int) -> Cell:
    """Return what reads a number with decimals within its bounds."""

    def read_decimal(cell: str) -> Decimal:
        if not re.fullmatch(r"-?\d{1,12}(\.\d{1,20})?", cell, re.ASCII) or not least <= Decimal(cell) <= most:
            raise ValueError(_("a number such as 3 or 1.25"))
        return Decimal(cell)

    return Figure(read_decimal)


@Figure
def price(cell: str) -> Decimal:
    """Read an amount of money."""
    # spreadsheets write 1.2 as 1.2000000000000002, which the currency's places refuse later; 1e3 is a barcode's ruin
    if not re.fullmatch(r"\d{1,12}(\.\d{1,20})?", cell, re.ASCII) or Decimal(cell) > money.MAX_MINOR // 1000:
        raise ValueError(_("an amount of money such as 12.50"))
    return Decimal(cell)


def day(cell: str) -> dt.date:
    """Read a day, with or without its time: year first, or with dots day first; with slashes that is not certain."""
    found = _YEAR_FIRST.match(cell) or _DAY_FIRST.match(cell)
    try:
        if found is None:
            return dt.date.fromisoformat(cell[:10])
        return dt.date(*(int(found[name]) for name in ("year", "month", "day")))
    except ValueError:
        raise ValueError(_("a day such as 2026-03-02")) from None


def percents(cell: str) -> list[int]:
    """Return the rates a text names in basis points, '7,5 %' as 750; none where one is finer or above a hundred."""
    found = [(int(whole), part.rstrip("0")) for whole, part in _PERCENT.findall(cell)]
    rates = [whole * 100 + int(part.ljust(2, "0")) for whole, part in found if len(part) <= 2]
    return rates if len(rates) == len(found) and all(rate <= money.BASIS for rate in rates) else []


def unit(cell: str) -> str:
    """Read a stock unit."""
    if cell not in UNITS:
        raise ValueError(_("one of %(units)s", units=", ".join(UNITS)))
    return cell


def spoken(cell: str) -> str:
    """Read a language."""
    if cell not in LANGUAGES:
        raise ValueError(f"one of {', '.join(LANGUAGES)}")
    return cell


def in_minor(amount: Decimal, currency: str, sku: str = "") -> int:
    """Return an amount in minor units; Invalid where it is finer than the currency."""
    places = money.exponent(currency)
    minor = amount.scaleb(places)
    if minor != minor.to_integral_value():
        words = _("%(amount)s has more than %(places)s decimals.", amount=amount, places=places)
        raise Invalid("bad-price", words, sku=sku)
    return int(minor)

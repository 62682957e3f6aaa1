"""What all paper shares: figures as people read them, the shop's head, the mark of a copy, the table of taxes. Pure."""

from collections.abc import Sequence
from typing import Any

from config.money import BASIS, exponent
from pos.documents.paper import BLANK, PaperLine, centred, table, tidy

SIGNS = {"USD": "$", "GBP": "£", "EUR": "€", "CNY": "¥", "JPY": "¥", "CAD": "$", "AUD": "$", "HKD": "HK$", "SGD": "S$"}
UNITS = {"gram": ("kg", 1000), "millilitre": ("l", 1000)}


def language_of(document: dict[str, Any]) -> str:
    """Return the language a document is printed in: its own, else its store's, else English."""
    wanted = document.get("language") or document.get("store", {}).get("language") or "en"
    return "zh" if str(wanted).lower().startswith("zh") else "en"


def amount(minor: int, currency: str) -> str:
    """Return an amount as figures alone, `-1,234.50`."""
    places = exponent(currency)
    whole, part = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole:,}" + (f".{part:0{places}d}" if places else "")


def price(minor: int, currency: str) -> str:
    """Return an amount with its sign, `£13.12`, or its code where no printer has the sign, `KRW 1,200`."""
    sign = SIGNS.get(currency, f"{currency} ")
    return f"{'-' if minor < 0 else ''}{sign}{amount(abs(minor), currency)}"


def quantity(qty: int, stock_unit: str) -> str:
    """Return a quantity as a customer reads it: `3`, `0.482 kg`, `1.5 l`."""
    if stock_unit not in UNITS:
        return f"{qty:,}"
    unit, per = UNITS[stock_unit]
    whole, part = divmod(abs(qty), per)
    figures = f"{whole:,}.{part:03d}".rstrip("0").rstrip(".")
    return f"{'-' if qty < 0 else ''}{figures} {unit}"


def unit_price(minor: int, price_quantity: int, stock_unit: str, currency: str) -> str:
    """Return the price of one of what it is sold by: `1.20`, `3.99/kg`, `0.45/100 g`."""
    figures = amount(minor, currency)
    if stock_unit in UNITS:
        unit, per = UNITS[stock_unit]
        return f"{figures}/{unit}" if price_quantity == per else f"{figures}/{price_quantity} {stock_unit}"
    return figures if price_quantity == 1 else f"{figures}/{price_quantity}"


def shop_head(store: dict[str, Any], columns: int, *, logo: bool = True) -> list[PaperLine]:
    """Return the head of what customers take home: the logo, the shop's name large, where it is."""
    shown = logo and store.get("logo")
    lines = [PaperLine(store["logo"], align="center", kind="image"), BLANK] if shown else []
    lines += centred(store["name"], columns, bold=True, wide=2, tall=2)
    for text in (store.get("address"), store.get("phone"), store.get("tax_number")):
        if text:
            lines += [line for part in str(text).splitlines() for line in centred(part, columns)]
    return [*lines, BLANK]


def copy_mark(copy_no: int, words: dict[str, str], columns: int) -> list[PaperLine]:
    """Return the mark of a copy with its number; nothing for the first print."""
    if not copy_no:
        return []
    return [*centred(f"*** {words['copy']} {copy_no} ***", columns, bold=True, wide=2, tall=2), BLANK]


def first_name(name: str) -> str:
    """Return what a customer may be called by on paper: the first word of a name; a Chinese name whole."""
    words = tidy(name).split()
    return words[0] if words else ""


def tax_letters(taxes: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """Return the letter of each tax: (tax class, rate) -> letter."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return {(tax["tax_class_id"], tax["rate_bp"]): tax.get("letter") or alphabet[n % 26] for n, tax in enumerate(taxes)}


def tax_table(
    taxes: Sequence[dict[str, Any]],
    letters: dict[tuple[str, int], str],
    words: dict[str, str],
    currency: str,
    columns: int,
) -> list[PaperLine]:
    """Lay out the taxes: letter and rate, net, tax, gross."""
    rows = [("%", words["net"], words["tax"], words["gross"])]
    for tax in taxes:
        letter = letters[(tax["tax_class_id"], tax["rate_bp"])]
        figures = (amount(tax[name], currency) for name in ("net_minor", "tax_minor", "gross_minor"))
        rows.append((f"{letter} {_percent(tax['rate_bp'])}", *figures))  # type: ignore[arg-type]
    return table(rows, columns)


# --- inside ---


def _percent(rate_bp: int) -> str:
    whole, part = divmod(rate_bp, BASIS // 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"

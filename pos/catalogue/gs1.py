"""GS1 codes: item numbers (GTIN), and codes that also hold batch, expiry, weight, price and count. Pure.

Rules
-----
1. Read are GS1-128, DataBar Expanded, DataMatrix and QR element strings, with FNC1 as GS (0x1D), the bracketed text
   printed under them, and GS1 Digital Link addresses. Symbology identifiers (]C1 ]e0 ]d2 ]Q3 ...) announce them.
2. Of the application identifiers, these are used: 01, or 02 with count 37; batch 10; day 17, else 16, else 15; net
   weight 310x and 320x in grams; price 392x and 393x; count 30. The others are read over.
3. A check digit, a day or a field that cannot be right makes the whole code a misread one.
4. Some scanners drop FNC1, and a batch then runs into the fields behind it. Whoever knows which batches there are can
   read it all the same (`readings`).

Source: GS1 General Specifications 3 (application identifiers; 3.3 GTIN), 7.8 (element strings), 7.9.1
(check digit), 5.4 (symbology identifiers).
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from config.errors import Invalid
from config.money import divide_half_up

LENGTHS = (8, 12, 13, 14)


def check_digit(body: str) -> str:
    """Return the check digit of a GTIN without it (weights 3, 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def has_digits(code: str) -> bool:
    """Tell whether a code has as many digits as a GTIN, and nothing else."""
    return len(code) in LENGTHS and code.isascii() and code.isdigit()


def is_gtin(code: str) -> bool:
    """Tell whether a code is a GTIN: 8, 12, 13 or 14 digits with the right check digit."""
    return has_digits(code) and check_digit(code[:-1]) == code[-1]


def spellings(code: str) -> list[str]:
    """Return the code and the same number with other leading zeros; any other text as it is."""
    if not has_digits(code):
        return [code]
    bare = code.lstrip("0")
    return list(dict.fromkeys([code, *(bare.zfill(length) for length in LENGTHS if length >= len(bare))]))


SEPARATOR = "\x1d"
"""FNC1 between two fields, as scanners send it."""
LONGEST = 400
_SYMBOLOGY = re.compile(r"\][A-Za-z]\d", re.ASCII)
_CARRIERS = ("]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1")
_ADDRESS = re.compile(r"https?://[^\s]+/(?:01|gtin)/\d{8,14}", re.ASCII | re.IGNORECASE)
_POUND_IN_TEN_MICROGRAMS = 45_359_237


@dataclass(frozen=True)
class Amount:
    """A price as it is printed: digits with so many decimals, and the currency's ISO 4217 number, 0 without one."""

    digits: int
    decimals: int
    currency: int = 0


@dataclass(frozen=True)
class Elements:
    """What a GS1 code says; None where it says nothing."""

    gtin: str | None = None
    count: int | None = None
    batch: str | None = None
    expires_on: dt.date | None = None
    weight_grams: int | None = None
    price: Amount | None = None


def announced(code: str) -> tuple[str, bool]:
    """Return a scan without symbology identifier, leading FNC1 and blanks; and whether it was announced as GS1."""
    text = code.strip(" \t\r\n\x00")
    reported = text.startswith(_CARRIERS)
    if _SYMBOLOGY.match(text):
        text = text[3:]
    if text.startswith(SEPARATOR):
        reported = True
    return text.strip(), reported


def looks_like_one(text: str) -> bool:
    """Tell whether a text nobody announced can only be a GS1 code: fields, brackets, an address, 01 and more digits."""
    if SEPARATOR in text or re.match(r"\(\d{2,4}\)", text, re.ASCII) or _ADDRESS.match(text):
        return True
    return len(text) >= 16 and re.match(r"0[12]\d{14}", text, re.ASCII) is not None


def elements(text: str) -> Elements:
    """Return what a GS1 code says (rules 1, 2); Invalid when it was misread (rule 3)."""
    from biip import ParseError  # its tables are large, and few scans need them

    try:
        said: dict[str, Any] = {}
        for one in _parsed(text):
            said.setdefault(one.ai.ai, one)
        number = said.get("01") or said.get("02")
        counted = said.get("30") if "01" in said else said.get("37")
        day = next((said[ai] for ai in ("17", "16", "15") if ai in said), None)
        found = Elements(
            gtin=number.value if number else None,
            count=int(counted.value) if counted else None,
            batch=said["10"].value if "10" in said else None,
            expires_on=day.date if day else None,
            weight_grams=_grams(said),
            price=_price(said),
        )
    except (ParseError, ValueError, ArithmeticError) as fault:
        raise misread(text) from fault
    if found.gtin is not None and not is_gtin(found.gtin):
        raise misread(text)
    return found


def readings(text: str, batches: Collection[str]) -> list[Elements]:
    """Return how a code without its separators reads if it names one of these batches (rule 4), the longest first.

    batches: in upper case. A code that has its separators reads in one way: none of these.
    """
    if SEPARATOR in text or not re.match(r"0[12]\d{14}", text, re.ASCII):
        return []
    found = []
    for batch in sorted(batches, key=len, reverse=True):
        end = text.upper().find(f"10{batch}", 16) + 2 + len(batch)
        if end <= 16 or end >= len(text):
            continue
        with suppress(Invalid):
            said = elements(text[:end] + SEPARATOR + text[end:])
            if said.batch is not None and said.batch.upper() == batch:
                found.append(said)
    return found


def misread(text: str) -> Invalid:
    """Return the refusal of a code that is damaged or was read wrongly."""
    return Invalid(
        "misread-code",
        "The code was misread or is damaged. Scan again, or enter the number under the plain barcode.",
        barcode="".join(sign if sign.isprintable() else " " for sign in text[:64]),
    )


# --- inside ---


def _parsed(text: str) -> Iterable[Any]:
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_messages import GS1Message

    if text[:4].lower() == "http":
        return GS1DigitalLinkURI.parse(text).element_strings
    if text.startswith("("):
        return GS1Message.parse_hri(text).element_strings
    return GS1Message.parse(text).element_strings


def _grams(said: dict[str, Any]) -> int | None:
    for ai, one in said.items():
        if len(ai) == 4 and ai.startswith("310"):
            return divide_half_up(int(one.value) * 1000, 10 ** int(ai[3]))
        if len(ai) == 4 and ai.startswith("320"):
            return divide_half_up(int(one.value) * _POUND_IN_TEN_MICROGRAMS, 100_000 * 10 ** int(ai[3]))
    return None


def _price(said: dict[str, Any]) -> Amount | None:
    for ai, one in said.items():
        if len(ai) == 4 and ai.startswith("392"):
            return Amount(int(one.value), int(ai[3]))
        if len(ai) == 4 and ai.startswith("393"):
            return Amount(int(one.value[3:]), int(ai[3]), int(one.value[:3]))
    return None

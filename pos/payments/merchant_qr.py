"""The QR code a store shows for being paid: EMVCo's merchant-presented mode, built and drawn.

Rules
-----
1. A payload is a row of objects: two digits of id, two digits of length in characters, the value; `00` comes first
   and `63`, the checksum, last.
2. The checksum is CRC-16/CCITT-FALSE (polynomial 1021, from FFFF, not reflected) over the UTF-8 bytes of everything
   before its value, its own id and length included, as four upper-case hex digits.
3. An amount is written in the currency's own decimals, without a sign or separators: 1250 cents are `12.50`.

Source: EMV QR Code Specification for Payment Systems, Merchant-Presented Mode 1.0 and 1.1, sections 3 and 4.
"""

import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import segno

from config.errors import Invalid
from config.money import MAX_MINOR, exponent

LONGEST_PAYLOAD = 512
LONGEST_VALUE = 99
FORMAT, METHOD, ACCOUNTS, CATEGORY = "00", "01", range(2, 52), "52"
CURRENCY, AMOUNT, COUNTRY, NAME, CITY = "53", "54", "58", "59", "60"
ADDITIONAL, CHECKSUM = "62", "63"
STATIC, DYNAMIC = "11", "12"
CURRENCY_NUMBERS = {
    "AUD": "036", "BRL": "986", "CAD": "124", "CHF": "756", "CNY": "156", "CZK": "203", "DKK": "208", "EUR": "978",
    "GBP": "826", "HKD": "344", "HUF": "348", "IDR": "360", "INR": "356", "JPY": "392", "KRW": "410", "MXN": "484",
    "MYR": "458", "NOK": "578", "NZD": "554", "PHP": "608", "PLN": "985", "SEK": "752", "SGD": "702", "THB": "764",
    "TWD": "901", "USD": "840", "VND": "704", "ZAR": "710",
}  # fmt: skip
"""ISO 4217 letters -> number."""


@dataclass(frozen=True)
class MerchantQr:
    """What a payload says. amount_minor None: the customer types it. accounts: id -> text or the objects in it."""

    name: str
    city: str
    country: str
    currency: str
    accounts: Mapping[str, str | Mapping[str, str]]
    amount_minor: int | None = None
    category: str = "5411"
    additional: Mapping[str, str] = field(default_factory=dict)


def build(code: MerchantQr) -> str:
    """Return the payload (rules 1 to 3); a code with an amount is dynamic: good for one payment."""
    if not code.accounts:
        raise Invalid("qr-value", "A payment code needs an account to pay into.")
    objects: dict[str, str | Mapping[str, str]] = {FORMAT: "01"}
    objects[METHOD] = STATIC if code.amount_minor is None else DYNAMIC
    for tag in sorted(code.accounts):
        if not re.fullmatch(r"[0-9]{2}", tag) or int(tag) not in ACCOUNTS:
            raise Invalid("qr-value", "The account ID in a payment code is 02 to 51, not %(tag)s.", tag=tag)
        objects[tag] = code.accounts[tag]
    objects[CATEGORY] = code.category
    objects[CURRENCY] = _currency_number(code.currency)
    if code.amount_minor is not None:
        objects[AMOUNT] = _amount_text(code.amount_minor, code.currency)
    objects |= {COUNTRY: code.country, NAME: code.name, CITY: code.city}
    if code.additional:
        objects[ADDITIONAL] = dict(code.additional)
    text = "".join(_written(tag, value) for tag, value in objects.items()) + CHECKSUM + "04"
    payload = text + checksum(text)
    if len(payload) > LONGEST_PAYLOAD:
        raise Invalid(
            "qr-value", "A payment code can have up to %(most)s characters. Shorten it.", most=LONGEST_PAYLOAD
        )
    return payload


def checksum(text: str) -> str:
    """Return the CRC-16/CCITT-FALSE of a text's UTF-8 bytes as four hex digits (rule 2)."""
    remainder = 0xFFFF
    for byte in text.encode():
        remainder ^= byte << 8
        for _ in range(8):
            remainder = (remainder << 1) ^ 0x1021 if remainder & 0x8000 else remainder << 1
        remainder &= 0xFFFF
    return f"{remainder:04X}"


def draw(payload: str) -> str:
    """Return the code as a whole SVG picture that scales to its box; a quiet zone of four modules is part of it."""
    picture = io.BytesIO()
    segno.make_qr(payload, error="m", boost_error=False, encoding=None if payload.isascii() else "utf-8").save(
        picture, kind="svg", xmldecl=False, border=4, svgclass=None, lineclass=None, omitsize=True, light="#fff",
        dark="#000", nl=False,
    )  # fmt: skip
    return picture.getvalue().decode()


def plain(words: str, longest: int) -> str:
    """Return a name as every wallet reads it: printable ASCII, accents dropped, cut to its room; never empty."""
    bare = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    tidy = " ".join("".join(letter for letter in bare if letter.isprintable()).split())
    return tidy[:longest].strip() or "-"


# --- inside ---


def _written(tag: str, value: str | Mapping[str, str]) -> str:
    text = value if isinstance(value, str) else "".join(_written(key, value[key]) for key in sorted(value))
    if not 0 < len(text) <= LONGEST_VALUE:
        raise Invalid(
            "qr-value", "Object %(object)s in a payment code must have 1 to %(most)s characters.", most=LONGEST_VALUE,
            object=tag,
        )  # fmt: skip
    return f"{tag}{len(text):02}{text}"


def _amount_text(amount_minor: int, currency: str) -> str:
    if not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "A payment code needs an amount above zero.", amount_minor=amount_minor)
    places = exponent(currency)
    whole, part = divmod(amount_minor, 10**places)
    return f"{whole}.{part:0{places}d}" if places else str(whole)


def _currency_number(currency: str) -> str:
    if currency not in CURRENCY_NUMBERS:
        raise Invalid("qr-value", "There is no payment code number for the currency %(currency)s.", currency=currency)
    return CURRENCY_NUMBERS[currency]

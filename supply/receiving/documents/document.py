"""What a supplier's paper says, whatever format it came in. PURE.

Rules
-----
1. An invoice or credit note adds up: every line, the lines and charges, the tax of each rate, and what is to pay. A
   line and the tax of a rate may be off by one minor unit, as people round at different places; sums may not.
2. A party is known by one of its tax numbers, written with or without its country; where either side has none, by one
   of its names, spelled alike but for capitals, blanks and signs.
3. An invoice whose sum is below zero is a credit memo of what it takes back, and is kept as one (`turned`). After that
   nothing asks for less than nothing, and no figure is larger than a store's could be.

Units: *_minor in the document's currency; qty in the unit the line names (UN/ECE Recommendation 20).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from config.errors import Invalid
from config.money import BASIS, MAX_MINOR, exponent, tax_on
from config.words import N_

KINDS = INVOICE, CREDIT, ADVICE = "invoice", "credit", "advice"
MOST_QTY = 9_999_999
MOST_ROUNDING = 5
"""In the currency's main unit: more than cash is rounded by anywhere."""
_COUNTRY = 2


@dataclass(frozen=True)
class Party:
    """Seller or buyer: every name and every tax number the document gives, and its addresses (`scheme:number`)."""

    names: tuple[str, ...]
    tax_numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """GLN, or where its e-invoices are sent: what a paper without a tax number, as a shipping notice, is known by."""


@dataclass(frozen=True)
class DocumentLine:
    """A product as billed or advised. price: net, of `base` units; extra_minor: its charges less its discounts."""

    id: str
    article_no: str
    gtin: str
    name: str
    qty: Decimal
    unit: str
    price: Decimal = Decimal(0)
    base: Decimal = Decimal(1)
    extra_minor: int = 0
    tax: str = ""
    """The tax category, S where the standard or a reduced rate is charged."""
    rate_bp: int = 0
    total_minor: int = 0
    sku: str = ""
    """The product, where a person said so; no file does."""


@dataclass(frozen=True)
class Extra:
    """A charge on the whole document, or below zero a discount."""

    tax: str
    rate_bp: int
    minor: int


@dataclass(frozen=True)
class TaxSum:
    """What is taxed at a rate, and the tax."""

    tax: str
    rate_bp: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True)
class SupplierDocument:
    """An invoice, credit note or despatch advice; a despatch advice has no money, and alone the day it arrives."""

    kind: str
    number: str
    day: dt.date
    seller: Party
    buyer: Party
    lines: tuple[DocumentLine, ...]
    order_ref: str = ""
    invoice_refs: tuple[str, ...] = ()
    """The invoices that a credit note is about."""
    buyer_ref: str = ""
    """What the buyer asked to be quoted, such as a claim's number."""
    currency: str = ""
    extras: tuple[Extra, ...] = ()
    taxes: tuple[TaxSum, ...] = ()
    net_minor: int = 0
    tax_minor: int = 0
    prepaid_minor: int = 0
    rounding_minor: int = 0
    payable_minor: int = 0
    arrives: dt.date | None = None


def check(document: SupplierDocument) -> SupplierDocument:
    """Return a document that adds up; raises Invalid for any other (rule 1)."""
    if not document.number or not any(document.seller.names) or not any(document.buyer.names):
        raise Invalid("document-incomplete", "This file lacks a number, the seller or the buyer. Ask the supplier.")
    if not document.lines:
        raise Invalid("document-without-lines", "This document lists no products. Ask the supplier for one that does.")
    if len({line.id for line in document.lines}) < len(document.lines):
        raise Invalid("document-line-twice", "Two lines of this document have the same number. Ask the supplier.")
    if any(abs(line.qty) > MOST_QTY for line in document.lines):
        raise _too_large()
    if document.kind == ADVICE:
        return document
    places = exponent(document.currency)
    if any(abs(amount) > MAX_MINOR for amount in _amounts(document)):
        raise _too_large()
    for line in document.lines:
        worth = line.qty * line.price * 10**places
        if line.base <= 0 or abs(worth - (line.total_minor - line.extra_minor) * line.base) > line.base:
            raise Invalid("line-does-not-add-up", "Line %(line)s does not add up: quantity times price is not its "
                          "total. Ask the supplier for a correct invoice.", line=line.id)  # fmt: skip
    goods = sum(line.total_minor for line in document.lines) + sum(one.minor for one in document.extras)
    if goods != document.net_minor:
        raise _wrong_sum(N_("The lines come to %(reckoned_minor)s, but the invoice says %(said_minor)s before tax. Ask "
                            "the supplier for a correct invoice."), goods, document.net_minor, document)  # fmt: skip
    _check_taxes(document)
    payable = document.net_minor + document.tax_minor - document.prepaid_minor + document.rounding_minor
    if payable != document.payable_minor:
        raise _wrong_sum(N_("With tax it comes to %(reckoned_minor)s, but the invoice asks for %(said_minor)s. Ask the "
                            "supplier for a correct invoice."), payable, document.payable_minor, document)  # fmt: skip
    _check_sense(document, places)
    return document


def turned(document: SupplierDocument) -> SupplierDocument:
    """Return an invoice whose sum is below zero as the credit memo it is, any other document as it is (rule 3)."""
    if document.kind != INVOICE or document.net_minor >= 0:
        return document
    return replace(
        document, kind=CREDIT,
        lines=tuple(replace(one, qty=-one.qty, extra_minor=-one.extra_minor, total_minor=-one.total_minor)
                    for one in document.lines),
        extras=tuple(replace(one, minor=-one.minor) for one in document.extras),
        taxes=tuple(replace(one, net_minor=-one.net_minor, tax_minor=-one.tax_minor) for one in document.taxes),
        net_minor=-document.net_minor, tax_minor=-document.tax_minor, prepaid_minor=-document.prepaid_minor,
        rounding_minor=-document.rounding_minor, payable_minor=-document.payable_minor,
    )  # fmt: skip


def is_same(party: Party, name: str, tax_number: str) -> bool:
    """Tell whether a party is the one of this name and tax number (rule 2)."""
    if plain(tax_number) and any(map(plain, party.tax_numbers)):
        return any(_same_number(one, tax_number) for one in party.tax_numbers)
    return plain(name) in set(map(plain, party.names)) - {""}


def share_a_number(some: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether one of these tax numbers is one of the others."""
    return any(_same_number(one, other) for one in some for other in others if plain(one) and plain(other))


def plain(text: str) -> str:
    """Return a name or number as it is compared: small letters and digits alone."""
    return "".join(mark for mark in text.casefold() if mark.isalnum())


def as_json(document: SupplierDocument) -> dict[str, Any]:
    """Return a document as JSON carries it."""
    return {name: _told(value) for name, value in asdict(document).items()}


def from_json(said: dict[str, Any]) -> SupplierDocument:
    """Return the document that `as_json` told."""
    decimals = ("qty", "price", "base")
    rest = said | {
        "day": dt.date.fromisoformat(said["day"]),
        "arrives": dt.date.fromisoformat(said["arrives"]) if said["arrives"] else None,
        "lines": tuple(
            DocumentLine(**line | {name: Decimal(line[name]) for name in decimals}) for line in said["lines"]
        ),
        "invoice_refs": tuple(said["invoice_refs"]),
        "extras": tuple(Extra(**one) for one in said["extras"]),
        "taxes": tuple(TaxSum(**one) for one in said["taxes"]),
    }
    for side in ("seller", "buyer"):
        rest[side] = Party(*(tuple(said[side][name]) for name in ("names", "tax_numbers", "addresses")))
    return SupplierDocument(**rest)


def price_of(line: DocumentLine, currency: str) -> tuple[Fraction, Fraction]:
    """Return the least and the most that one unit of a line costs in minor units, as its price was rounded."""
    if line.extra_minor and line.qty:
        qty = Fraction(line.qty)
        ends = [(line.total_minor + Fraction(side, 2)) / qty for side in (-1, 1)]
        return min(ends), max(ends)
    places = exponent(currency)
    decimals = max(places, -int(line.price.as_tuple().exponent))
    price, half = Fraction(line.price) * 10**places, Fraction(10**places, 2 * 10**decimals)
    return (price - half) / Fraction(line.base), (price + half) / Fraction(line.base)


# --- inside ---


def _check_taxes(document: SupplierDocument) -> None:
    taxed: dict[tuple[str, int], int] = {}
    for line in document.lines:
        taxed[line.tax, line.rate_bp] = taxed.get((line.tax, line.rate_bp), 0) + line.total_minor
    for one in document.extras:
        taxed[one.tax, one.rate_bp] = taxed.get((one.tax, one.rate_bp), 0) + one.minor
    said = {(one.tax, one.rate_bp): one.net_minor for one in document.taxes}
    fair = len(said) == len(document.taxes) and all(
        0 <= one.rate_bp <= BASIS and abs(tax_on(one.net_minor, one.rate_bp) - one.tax_minor) <= 1
        for one in document.taxes
    )
    if taxed != said or not fair or sum(one.tax_minor for one in document.taxes) != document.tax_minor:
        raise Invalid("tax-does-not-add-up", "The tax of this invoice does not add up. Ask the supplier for a correct "
                      "invoice.")  # fmt: skip


def _check_sense(document: SupplierDocument, places: int) -> None:
    """Refuse what adds up and can't be meant (rule 3)."""
    if document.kind == CREDIT and document.net_minor <= 0:
        raise Invalid("credit-gives-nothing", "This credit memo gives nothing back. Ask the supplier what it is.")
    if document.payable_minor < 0 or document.prepaid_minor < 0:
        raise Invalid("below-zero", "This document asks for less than nothing. Ask the supplier for a correct one.")
    if abs(document.rounding_minor) > MOST_ROUNDING * 10**places:
        raise Invalid("rounds-too-much", "This document rounds its total by %(rounding_minor)s. Ask the supplier for a "
                      "correct one.", rounding_minor=document.rounding_minor, currency=document.currency)  # fmt: skip


def _amounts(document: SupplierDocument) -> Iterable[int]:
    yield from (document.net_minor, document.tax_minor, document.prepaid_minor, document.payable_minor)
    yield from (one.total_minor for one in document.lines)
    yield from (one.minor for one in document.extras)


def _too_large() -> Invalid:
    return Invalid("figure-too-large", "A figure in this document is too large to be right. Ask the supplier.")


def _wrong_sum(sentence: str, reckoned: int, said: int, document: SupplierDocument) -> Invalid:
    return Invalid(
        "sum-does-not-add-up", sentence, reckoned_minor=reckoned, said_minor=said, currency=document.currency
    )


def _same_number(one: str, other: str) -> bool:
    """Tell whether two tax numbers are one, of which either may lack its country."""
    short, long = sorted((plain(one), plain(other)), key=len)
    return short == long or (long[:_COUNTRY].isalpha() and long[_COUNTRY:] == short)


def _told(value: Any) -> Any:
    if isinstance(value, Decimal | dt.date):
        return str(value)
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items()}
    return [_told(one) for one in value] if isinstance(value, tuple | list) else value

"""A supplier's document beside what was ordered and what came: whose products it bills, and what is wrong. PURE.

Rules
-----
1. A line is the product a person said, else by the supplier's own number for it, else by a barcode.
2. Its quantity counts packs or pieces as its price tells, where the price is the pack's or the piece's; else as its
   unit and its barcode say. As many pieces as were expected, billed at the price of packs, are pack for piece.
3. A line has at most one difference of quantity: not received, not ordered, short (fewer came than are billed) or over
   (more than was ordered came and is billed). What earlier documents billed of the same order is taken off first, and
   lines of one product share what is left. Without an order or a receipt nothing is said that only they can tell.
4. A price is right when it is the order's cost, rounded as the document writes it. Tax is compared where the document
   charges it and the store's own shelf price has it inside. A product without a known cost has no wrong price.
5. A credit note is matched to products only: it gives back, and nothing of it is owed.
6. What an invoice charges beside its lines is a difference of its own (`charge`), as nobody ordered it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from config.money import amount_for, tax_on
from supply.receiving.documents.document import (
    ADVICE,
    CREDIT,
    INVOICE,
    DocumentLine,
    SupplierDocument,
    plain,
    price_of,
)

KINDS = UNKNOWN, PACK, NOT_RECEIVED, NOT_ORDERED, SHORT, OVER, PRICE, TAX, CHARGE = (
    "unknown", "pack_for_piece", "not_received", "not_ordered", "short", "over", "price", "tax", "charge",
)  # fmt: skip
_MEASURES = {"gram": {"KGM": 1000, "GRM": 1, "HGM": 100}, "millilitre": {"LTR": 1000, "MLT": 1, "CLT": 10, "DLT": 100}}
_PACKS = frozenset({"BX", "CR", "CS", "CT", "PA", "PK", "PC", "SA", "TY"})
_DOZEN = {"DZN": 12}


@dataclass(frozen=True)
class Sold:
    """A product as the supplier sells it. codes: barcode -> units; rate_bp: the tax in its shelf price, None: none."""

    sku: str
    name: str
    stock_unit: str
    pack_qty: int
    pack_cost_minor: int
    article_no: str = ""
    codes: Mapping[str, int] | None = None
    rate_bp: int | None = None


@dataclass(frozen=True)
class Ordered:
    """What was ordered of a product: so many units, at so much a pack."""

    units: int
    pack_qty: int
    pack_cost_minor: int


@dataclass(frozen=True)
class Difference:
    """What is wrong with a line: of so many units, and what it costs too much (below zero: too little)."""

    kind: str
    units: int
    excess_minor: int


@dataclass(frozen=True)
class Matched:
    """A line with what was ordered, received and billed of it, in stock units; None: nothing to compare with."""

    line: DocumentLine
    sold: Sold | None
    ordered: int | None
    received: int | None
    billed: int | None
    differences: tuple[Difference, ...]
    cost: Ordered | None = None
    """At which cost a pack was expected."""


def compare(
    document: SupplierDocument,
    sold: Sequence[Sold],
    ordered: Mapping[str, Ordered] | None = None,
    received: Mapping[str, int] | None = None,
    billed_before: Mapping[str, int] | None = None,
) -> list[Matched]:
    """Return a document's lines with their products and all differences (rules 1 to 5)."""
    by_sku = {one.sku: one for one in sold}
    by_number = {plain(one.article_no): one for one in sold if plain(one.article_no)}
    by_code = {code.lstrip("0"): one for one in sold for code in one.codes or {}}
    left = _Left(ordered, received, dict(billed_before or {}))
    found = []
    for line in document.lines:
        one = by_sku.get(line.sku) or by_number.get(plain(line.article_no)) or by_code.get(line.gtin.lstrip("0"))
        found.append(_unknown(line) if one is None else _matched(document, line, one, left))
    return found


def charged(document: SupplierDocument) -> list[Matched]:
    """Return what an invoice charges beside its lines as a line without a product (rule 6)."""
    minor = sum(max(0, one.minor) for one in document.extras) if document.kind == INVOICE else 0
    line = DocumentLine("", "", "", "", Decimal(0), "", total_minor=minor)
    return [Matched(line, None, None, None, None, (Difference(CHARGE, 0, 0),))] if minor else []


def units_of(line: DocumentLine, sold: Sold) -> int | None:
    """Return how many stock units a line names by its unit and barcode; None where it can't be told (rule 2)."""
    measures = _MEASURES.get(sold.stock_unit)
    by_code = {code.lstrip("0"): units for code, units in (sold.codes or {}).items()}.get(line.gtin.lstrip("0"), 1)
    if measures and line.unit in measures:
        factor = measures[line.unit]
    elif measures or _is_pack(line.unit):
        factor = sold.pack_qty
    else:
        factor = _DOZEN.get(line.unit, by_code)
    return _whole(line.qty * factor)


# --- inside ---


class _Left:
    """What is left of an order and its receipt after the lines before."""

    def __init__(self, ordered: Mapping[str, Ordered] | None, received: Mapping[str, int] | None,
                 billed: dict[str, int]) -> None:  # fmt: skip
        self.ordered, self.received, self.billed = ordered, received, billed

    def of(self, sku: str) -> tuple[int | None, int | None]:
        """Return the units ordered and received, and not billed yet."""
        before = self.billed.get(sku, 0)
        wanted = (
            None if self.ordered is None else max(0, self.ordered[sku].units - before if sku in self.ordered else 0)
        )
        came = None if self.received is None else max(0, self.received.get(sku, 0) - before)
        return wanted, came


def _unknown(line: DocumentLine) -> Matched:
    return Matched(line, None, None, None, None, (Difference(UNKNOWN, 0, 0),))


def _matched(document: SupplierDocument, line: DocumentLine, sold: Sold, left: _Left) -> Matched:
    wanted, came = left.of(sold.sku)
    cost = (left.ordered or {}).get(sold.sku) or Ordered(0, sold.pack_qty, sold.pack_cost_minor)
    if document.kind == ADVICE:
        units = units_of(line, sold)
        return Matched(line, sold, wanted, came, units, () if units else (Difference(UNKNOWN, 0, 0),), cost)
    units, is_pack = _counted(document.currency, line, sold, cost, (wanted, came))
    if units is None:
        return Matched(line, sold, wanted, came, None, (Difference(UNKNOWN, 0, 0),), cost)
    differences: list[Difference] = []
    if document.kind != CREDIT:
        left.billed[sold.sku] = left.billed.get(sold.sku, 0) + units
        differences = _differences(document.currency, line, sold, cost, (units, is_pack, wanted, came))
    return Matched(line, sold, wanted, came, units, tuple(differences), cost)


def _counted(
    currency: str, line: DocumentLine, sold: Sold, cost: Ordered, expected: tuple[int | None, int | None]
) -> tuple[int | None, bool]:
    """Return a line's units, and whether it is pack for piece (rule 2)."""
    if sold.stock_unit == "each" and cost.pack_qty > 1 and cost.pack_cost_minor:
        pieces, packs = line.qty, line.qty * cost.pack_qty
        least, most = price_of(line, currency)
        if least <= cost.pack_cost_minor <= most:
            is_pack = pieces > 0 and pieces in expected and packs not in expected
            return _whole(pieces if is_pack else packs), is_pack
        if least <= Fraction(cost.pack_cost_minor, cost.pack_qty) <= most:
            return _whole(pieces), False
    return units_of(line, sold), False


def _differences(
    currency: str, line: DocumentLine, sold: Sold, cost: Ordered, counted: tuple[int, bool, int | None, int | None]
) -> list[Difference]:
    units, is_pack, wanted, came = counted
    if not cost.pack_cost_minor and units > 0:
        cost = Ordered(0, units, line.total_minor)
    found, expected = [], amount_for(units, cost.pack_cost_minor, cost.pack_qty)
    if is_pack:
        found.append(Difference(PACK, units, line.total_minor - expected))
    elif not _is_right(currency, line, units, cost):
        found.append(Difference(PRICE, units, line.total_minor - expected))
    if (quantity := _of_quantity(units, wanted, came)) is not None:
        kind, of = quantity
        found.insert(0, Difference(kind, of, 0 if kind in (NOT_ORDERED, OVER) else amount_for(
            of, cost.pack_cost_minor, cost.pack_qty)))  # fmt: skip
    if line.tax == "S" and sold.rate_bp is not None and line.rate_bp != sold.rate_bp:
        taxes = [tax_on(line.total_minor, rate) for rate in (line.rate_bp, sold.rate_bp)]
        found.append(Difference(TAX, units, taxes[0] - taxes[1]))
    return found


def _of_quantity(units: int, wanted: int | None, came: int | None) -> tuple[str, int] | None:
    """Return what is wrong with a quantity, and with how many units (rule 3)."""
    if units <= 0:
        return None
    if came == 0:
        return NOT_RECEIVED, units
    if came is not None and came < units:
        return SHORT, units - came
    if wanted == 0:
        return NOT_ORDERED, units
    if wanted is not None and units > wanted:
        return OVER, units - wanted
    return None


def _is_right(currency: str, line: DocumentLine, units: int, cost: Ordered) -> bool:
    """Tell whether a line costs what was agreed, as its price is rounded (rule 4)."""
    if not line.qty or not units:
        return True
    least, most = price_of(line, currency)
    return least <= Fraction(cost.pack_cost_minor, cost.pack_qty) * units / Fraction(line.qty) <= most


def _is_pack(unit: str) -> bool:
    return unit in _PACKS or (len(unit) == 3 and unit.startswith("X"))


def _whole(units: Decimal) -> int | None:
    return int(units) if units == int(units) else None

"""Labels a store prints itself: a product's number and its weight, price or count inside one EAN-13 or UPC-A code.

Pure: no database, no clock, no web.

Rules
-----
1. A scheme is a pattern of fixed digits and fields, without the check digit: '21{item:5}{weight:5}' is an EAN-13,
   '2{item:5}{check}{price:4}' a UPC-A. Fields: item, one of weight | price | count, check (the price's own digit,
   GS1 General Specifications 7.9.5), any (digits nobody reads).
2. Only numbers kept for use inside a store may be read this way: an EAN-13 beginning with 02, 04 or 20 to 29, a UPC-A
   beginning with 2 or 4 (GS1 General Specifications 1.4). What a maker numbered is never taken apart.
3. Schemes are tried in their order; the first that fits wins and matching stops there.
4. The check digit of the code, and of the price where the scheme has one, must be right.
5. One in the value field stands for `step` grams, minor units or pieces.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from config.errors import Invalid
from config.words import N_
from pos.catalogue.gs1 import check_digit

FIELDS = ("item", "weight", "price", "count", "check", "any")
VALUES = ("weight", "price", "count")
STEPS = (1, 10, 100, 1000)
LENGTHS = {12: "EAN-13", 11: "UPC-A"}
"""Digits of a pattern, its check digit not counted -> the kind of code."""
LONGEST_PATTERN = 64
_PARTS = re.compile(r"(\d+)|\{([a-z]+)(?::(\d{1,2}))?\}", re.ASCII)
_TIMES_2 = (0, 2, 4, 6, 8, 9, 1, 3, 5, 7)
_TIMES_3 = (0, 3, 6, 9, 2, 5, 8, 1, 4, 7)
_TIMES_5_MINUS = (0, 5, 9, 4, 8, 3, 7, 2, 6, 1)
_TIMES_5_PLUS = (0, 5, 1, 6, 2, 7, 3, 8, 4, 9)


@dataclass(frozen=True)
class Field:
    """Where in the thirteen digits a field lies."""

    kind: str
    start: int
    width: int


@dataclass(frozen=True)
class Scheme:
    """A pattern made ready: the fixed digits and the fields, over thirteen digits (a UPC-A has a zero before it)."""

    pattern: str
    step: int
    fixed: str
    """Thirteen signs: a digit that must be there, or a dot."""
    fields: tuple[Field, ...]

    @property
    def value(self) -> Field:
        """Return the field of the weight, price or count."""
        return next(field for field in self.fields if field.kind in VALUES)

    @property
    def number(self) -> Field:
        """Return the field of the product's number."""
        return next(field for field in self.fields if field.kind == "item")

    @property
    def kind(self) -> str:
        """Return what a label of this scheme carries: weight, price or count."""
        return self.value.kind

    @property
    def is_upc(self) -> bool:
        """Tell whether its labels have twelve digits."""
        return self.fixed.startswith("0") and sum(field.width for field in self.fields) + len(self.prefix) == 11

    @property
    def prefix(self) -> str:
        """Return the fixed digits as they were written."""
        return "".join(text for text, _, _ in _PARTS.findall(self.pattern))

    def fits(self, code: str) -> bool:
        """Tell whether thirteen digits have the fixed ones of this scheme."""
        return all(wanted in (".", found) for wanted, found in zip(self.fixed, code, strict=True))


@dataclass(frozen=True)
class Label:
    """What a label says: the product's number and `value` grams, minor units or pieces."""

    scheme: Scheme
    code: str
    number: str
    kind: str
    value: int

    def keys(self) -> tuple[str, ...]:
        """Return the codes under which the catalogue may know the product, the surest first.

        The label with zeros for its value and the check digit that then fits, with 13 or 12 digits; the fixed digits
        and the number; the number alone, with and without its leading zeros.
        """
        value = self.scheme.value
        body = list(self.code[:12])
        for field in self.scheme.fields:
            if field.kind in ("check", "any") or field is value:
                body[field.start : field.start + field.width] = "0" * field.width
        zeros = "".join(body)
        zeros += check_digit(zeros)
        spelt = [zeros, zeros[1:]] if zeros.startswith("0") else [zeros]
        bare = self.number.lstrip("0")
        return tuple(dict.fromkeys([*spelt, self.scheme.prefix + self.number, self.number, *([bare] if bare else [])]))


@cache
def scheme(pattern: str, step: int = 1) -> Scheme:
    """Read a pattern (rules 1, 2, 5); one that cannot be read is Invalid with a sentence that says what is wrong."""
    fields, fixed, total = _read(pattern)
    if total not in LENGTHS:
        raise _bad(
            N_("The pattern has %(total)s digits. An EAN-13 needs 12 and a UPC-A 11, without the check digit."),
            total=total,
        )
    kinds = [field.kind for field in fields]
    values = [field for field in fields if field.kind in VALUES]
    if kinds.count("item") != 1 or len(values) != 1:
        raise _bad(
            N_("A pattern needs the product number {item:5} once and one of {weight:5}, {price:5} or {count:5}.")
        )
    if kinds.count("check") > 1 or ("check" in kinds and (values[0].kind != "price" or values[0].width not in (4, 5))):
        raise _bad(N_("Use the price check digit {check} only with a price of 4 or 5 digits."))
    if step not in STEPS:
        raise _bad(N_("A 1 on the label can stand for 1, 10, 100 or 1000 grams, cents or units."))
    if total == 11:  # the thirteen digits of a UPC-A begin with a zero
        fields = [Field(field.kind, field.start + 1, field.width) for field in fields]
        fixed = "0" + fixed
    if not re.match(r"0[24]|2[\d.]", fixed):
        raise _bad(
            N_(
                "Only in-store numbers can carry a weight or price. Those are EAN-13 codes starting with 02, 04 or 20 "
                "to 29, and UPC-A codes starting with 2 or 4."
            )
        )
    return Scheme(pattern, step, fixed + ".", tuple(fields))


def thirteen(code: str) -> str | None:
    """Return the thirteen digits of an EAN-13, of a UPC-A or of either with zeros before it; None for anything else."""
    if not (code.isascii() and code.isdigit()):
        return None
    if len(code) == 12:
        return "0" + code
    if len(code) == 14 and code.startswith("0"):
        return code[1:]
    return code if len(code) == 13 else None


def is_in_store(code: str) -> bool:
    """Tell whether a code is a number kept for use inside a store (rule 2)."""
    digits = thirteen(code)
    return digits is not None and re.match(r"0[24]|2\d", digits) is not None


def parse(code: str, schemes: Iterable[Scheme]) -> Label | None:
    """Take a label apart by the first scheme that fits (rule 3); None when none does.

    A wrong check digit, of the code or of its price, and a value of zero are Invalid (rule 4).
    """
    digits = thirteen(code)
    if digits is None:
        return None
    for one in schemes:
        if one.fits(digits):
            return _taken_apart(code, digits, one)
    return None


def build(scheme: Scheme, number: int | str, value: int) -> str:
    """Return the label's code for a product's number and a value in grams, minor units or pieces; the way back.

    Invalid where number or value do not fit into their fields.
    """
    text, field = str(number), scheme.number
    counted, remainder = divmod(value, scheme.step)
    worth = str(counted)
    if not (text.isascii() and text.isdigit()) or len(text) > field.width:
        raise _bad(N_("Enter a product number of up to %(most)s digits."), most=field.width)
    if value <= 0 or remainder or len(worth) > scheme.value.width:
        raise _bad(
            N_("The label holds %(room)s digits in steps of %(step)s."),
            room=scheme.value.width,
            step=scheme.step,
        )
    texts = {"item": text.zfill(field.width), scheme.kind: worth.zfill(scheme.value.width)}
    body = list(scheme.fixed[:12])
    for part in scheme.fields:
        filled = texts.get(part.kind, "0" * part.width)
        if part.kind == "check":
            filled = price_check_digit(texts["price"])
        body[part.start : part.start + part.width] = filled
    digits = "".join(body)
    code = digits + check_digit(digits)
    return code[1:] if scheme.is_upc else code


def price_check_digit(price: str) -> str:
    """Return the check digit of a price of four or five digits (GS1 General Specifications 7.9.5)."""
    digits = [int(digit) for digit in price]
    if len(digits) == 4:
        tables = (_TIMES_2, _TIMES_2, _TIMES_3, _TIMES_5_MINUS)
        return str(sum(table[digit] for table, digit in zip(tables, digits, strict=True)) * 3 % 10)
    tables5 = (_TIMES_5_PLUS, _TIMES_2, _TIMES_5_MINUS, _TIMES_5_PLUS, _TIMES_2)
    total = sum(table[digit] for table, digit in zip(tables5, digits, strict=True))
    return str(_TIMES_5_MINUS.index(-total % 10))


# --- inside ---


def _read(pattern: str) -> tuple[list[Field], str, int]:
    fields: list[Field] = []
    fixed, at = "", 0
    if not pattern or len(pattern) > LONGEST_PATTERN:
        raise _bad(N_("Enter a pattern such as 21{item:5}{weight:5}."))
    while at < len(pattern):
        part = _PARTS.match(pattern, at)
        if part is None:
            raise _bad(
                N_("The pattern cannot be read at “%(there)s”. Use digits and fields in braces."),
                there=pattern[at : at + 12],
            )
        digits, kind, width = part.groups()
        if digits:
            fixed += digits
        else:
            if kind not in FIELDS:
                raise _bad(
                    N_("There is no field “%(kind)s”. Valid fields: %(fields)s."), kind=kind, fields=list(FIELDS)
                )
            wide = int(width or 1)
            if not 1 <= wide <= 7 or (kind == "check" and wide != 1):
                raise _bad(N_("Each field must be 1 to 7 digits; the price check digit must be 1 digit."))
            fields.append(Field(kind, len(fixed), wide))
            fixed += "." * wide
        at = part.end()
    return fields, fixed, len(fixed)


def _taken_apart(code: str, digits: str, scheme: Scheme) -> Label:
    if check_digit(digits[:12]) != digits[12]:
        raise Invalid(
            "wrong-check-digit", "The label %(barcode)s was misread: its last digit does not match. Scan it again.",
            barcode=code, expected=check_digit(digits[:12]),
        )  # fmt: skip
    texts = {field.kind: digits[field.start : field.start + field.width] for field in scheme.fields}
    if "check" in texts and price_check_digit(texts["price"]) != texts["check"]:
        raise Invalid(
            "wrong-price-check",
            "The price on the label %(barcode)s was misread: its check digit does not match. Scan it "
            "again, or weigh again.", barcode=code,
        )  # fmt: skip
    value = int(texts[scheme.kind]) * scheme.step
    if value == 0:
        raise Invalid("empty-label", "The label %(barcode)s has no weight. Print a new one.", barcode=code)
    return Label(scheme, digits, texts["item"], scheme.kind, value)


def _bad(sentence: str, **facts: object) -> Invalid:
    return Invalid("bad-pattern", sentence, **facts)

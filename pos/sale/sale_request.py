"""What the page asks for: lines as they were rung, and the whole sale when the customer pays.

Rules
-----
1. The shapes hold what a person or a label said, never what the store knows: list prices, taxes, offers and deposits
   are added by `quoting`.
2. The hash of a request is over its content, so that the same command is known again.
3. A voucher's typed code becomes its mark as the request is made: nothing behind it knows the code (`vouchers` rule 7).
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.errors import Invalid, Refused
from config.nodes import journal
from pos.payments import vouchers
from pos.payments.tenders import CASH, tender_of
from pos.pricing.pricing import MOST_LINES, PricedBasket, Saved

MOST_QTY = {"each": 10_000, "gram": 1_000_000, "millilitre": 1_000_000}
LONGEST_NOTE, LONGEST_NAME = 200, 120


class RungLine(NamedTuple):
    """qty stock units of a product, and what was said about them.

    price_minor: the price typed for this line. amount_minor: what a price label says the whole line costs. code: what
    was scanned, where amount, batch or last day are its word (`quoting`, rule 7).
    discount_minor or discount_bp: taken off by hand. qty is negative for empties alone. called: what a product
    without a fixed price is called on this line.
    """

    sku: str
    qty: int
    price_minor: int | None = None
    amount_minor: int | None = None
    discount_minor: int = 0
    discount_bp: int = 0
    reason: str = ""
    note: str = ""
    batch: str | None = None
    expires_on: dt.date | None = None
    code: str = ""
    called: str = ""


class BroughtBack(NamedTuple):
    """Units of a receipt's line brought back within a new sale: an exchange."""

    sale_id: str
    n: int
    qty: int
    restock: bool = True


class Promised(NamedTuple):
    """What was promised with an online order: SKU -> price, savings, and the deposit's SKU."""

    prices: Mapping[str, int] = {}
    savings: Mapping[str, Sequence[Saved]] = {}
    deposits: Mapping[str, str] = {}


@dataclass(frozen=True)
class SaleRequest:
    """What the page asks for when the customer pays.

    lines: RungLines, or (sku, qty) pairs. tenders: (tender, amount_minor[, reference[, payment_id]]), negative where
    money is given back. shown_total_minor: what the customer was shown, before or after cash rounding.
    agreed_prices, agreed_savings, agreed_deposits: sku -> price_minor, savings and deposit's sku as promised with a
    pickup order. approvals: ids of what a supervisor granted.
    """

    id: str
    store_id: str
    till_id: str
    lines: Sequence[RungLine | tuple[str, int]]
    tenders: Sequence[tuple[str, int] | tuple[str, int, str] | tuple[str, int, str, str]]
    shown_total_minor: int
    age_confirmed: int | None = None
    age_how: str | None = None
    channel: str = "counter"
    order_id: str | None = None
    order_no: str | None = None
    agreed_prices: Mapping[str, int] | None = None
    agreed_savings: Mapping[str, Sequence[Saved]] | None = None
    agreed_deposits: Mapping[str, str] | None = None
    customer_id: str | None = None
    coupons: Sequence[str] = ()
    brought_back: Sequence[BroughtBack] = ()
    approvals: Sequence[str] = ()
    note: str = ""
    corrections: Sequence[tuple[str, int] | tuple[str, int, int]] = ()
    """(sku, qty[, amount_minor as shown]) taken off again before it was paid."""
    rung: tuple[RungLine, ...] = field(init=False, repr=False)
    """The lines in their full shape."""
    promised: Promised = field(init=False, repr=False)
    """What a pickup order promised."""

    def __post_init__(self) -> None:
        """Give lines their full shape, and put marks in the place of typed codes (rule 3)."""
        rung = tuple([line if isinstance(line, RungLine) else RungLine(*line) for line in self.lines])
        promised = Promised(self.agreed_prices or {}, self.agreed_savings or {}, self.agreed_deposits or {})
        object.__setattr__(self, "rung", rung)
        object.__setattr__(self, "promised", promised)
        if any(tender_of(row[0]).pane == "code" for row in self.tenders):
            object.__setattr__(self, "tenders", [self._marked(*row) for row in self.tenders])

    def _marked(self, tender: str, amount_minor: int, reference: str = "", *more: str) -> tuple[Any, ...]:
        if tender_of(tender).pane == "code" and reference and not isinstance(reference, vouchers.Mark):
            reference = vouchers.mark_of(self.store_id, reference)
        return tender, amount_minor, reference, *more

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = vars(self) | {
            "lines": [list(row) for row in self.rung],
            "tenders": [list(row) for row in self.tenders],
            "brought_back": [list(row) for row in self.brought_back],
            "corrections": [list(row) for row in self.corrections],
            "coupons": list(self.coupons),
        }
        del (
            content["rung"],
            content["promised"],
            content["agreed_savings"],
        )  # they belong to the order, which cannot change once it is ready
        del content["agreed_deposits"]
        del content["approvals"]  # asking again with a fresh approval is the same sale
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class ReturnRequest:
    """What comes back of one sale, and how the money is given back.

    lines: (line number on the receipt, qty > 0[, restock]); restock: what lines say that do not say it themselves.
    """

    id: str
    store_id: str
    till_id: str
    sale_id: str
    lines: Sequence[tuple[int, int] | tuple[int, int, bool]]
    tender: str = CASH
    reference: str = ""
    restock: bool = True
    why: str = ""
    approvals: Sequence[str] = ()
    customer_id: str | None = None
    online: bool = False
    """It was paid online, and the network gives the money back ."""

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines]}
        del content["approvals"], content["online"]
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class BlindReturnRequest:
    """What comes back without a receipt: (sku, qty > 0, price_minor typed, restock)."""

    id: str
    store_id: str
    till_id: str
    lines: Sequence[tuple[str, int, int, bool]]
    why: str
    tender: str = CASH
    reference: str = ""
    approvals: Sequence[str] = ()
    customer_id: str | None = None

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines]}
        del content["approvals"]
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


def check_lines(lines: Sequence[RungLine], *, may_be_empty: bool = False) -> None:
    """Raise Invalid for a basket no store can have rung."""
    if not lines and not may_be_empty:
        raise Invalid("empty-basket", "The basket is empty. Scan something first.")
    if len(lines) > MOST_LINES:
        raise Invalid(
            "too-many-lines", "A sale can have up to %(most)s lines. Ring up the rest as another sale.", most=MOST_LINES
        )
    most = MOST_QTY["gram"]
    for line in lines:
        qty = line.qty
        if type(qty) is not int or not qty or not -most <= qty <= most:
            raise Invalid(
                "bad-quantity", "The quantity of %(sku)s must be a whole number above zero.", sku=line.sku, qty=qty,
            )  # fmt: skip
        if not 0 <= line.discount_bp <= 10_000 or line.discount_minor < 0 or (line.discount_bp and line.discount_minor):
            raise Invalid("bad-discount", "Enter a discount of up to 100 percent, or an amount.", sku=line.sku)
        priced = line.price_minor is not None or line.amount_minor is not None
        if qty < 0 and (priced or line.discount_minor or line.discount_bp):
            raise Invalid(
                "empties-priced",
                "Empties are refunded at their deposit. Remove the price and the discount.",
                sku=line.sku,
            )
        for typed in (line.price_minor, line.amount_minor):
            if typed is not None and not 0 <= typed <= 10**12:
                raise Invalid("bad-price", "Enter a price of zero or more. That one looks too high.", sku=line.sku)
        if len(line.called) > LONGEST_NAME:
            raise Invalid("bad-name", "Enter a name of up to %(most)s characters.", most=LONGEST_NAME, sku=line.sku)
        if len(line.note) > LONGEST_NOTE or len(line.reason) > LONGEST_NOTE:
            raise Invalid("bad-note", "Enter a note of up to %(most)s characters.", most=LONGEST_NOTE, sku=line.sku)


def check_age(request: SaleRequest, priced: PricedBasket) -> None:
    """Raise Refused where the highest age of a basket is not confirmed, Invalid for no known way of checking it."""
    minimum_age = priced.minimum_age
    if minimum_age and (request.age_confirmed or 0) < minimum_age:
        names = {line.product.shown for line in priced.lines if line.product.minimum_age}
        raise Refused(
            "age-check", "Check the customer's age: at least %(minimum_age)s for %(names)s.",
            names=", ".join(sorted(names)), minimum_age=minimum_age,
        )  # fmt: skip
    if request.age_how not in (None, "looked", "document"):
        raise Invalid("bad-age-check", "Check the customer’s age by appearance or ID.", age_how=request.age_how)

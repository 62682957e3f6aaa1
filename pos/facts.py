"""What leaves the counter: frozen, versioned snapshots of things that happened.

Rules
-----
1. A fact carries everything its readers need: the receipt is laid out from it, and the network writes the very same
   rows from it. Nothing in it is looked up again.
2. Movements travel with their ids, so that stock is the same on both sides however often a fact arrives.
3. A fact's id is the id of what it tells of: the sale's, the shift's, the count's.
4. A quantity or an amount no till can ring is refused in reading, not when all stores' days are added up.

Instants are ISO texts in UTC, days ISO dates, amounts minor units, quantities stock units. A return has negative
quantities and amounts.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from config import words
from config.money import amount_for
from config.nodes.facts import STORE, DayText, Fact, InstantText, Whole
from pos.pricing.pricing import PricedLine

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_RUNG = 10_000_000
"""Of one line, in any unit."""
MOST_MOVED = 10**9
"""Of one movement."""

Moved = tuple[str, str, Annotated[int, Field(strict=True, ge=1, le=MOST_MOVED)], str, str]
"""(movement id, sku, qty > 0, from place, to place)"""
CashMoved = tuple[str, str, Whole]
"""(cash movement id, kind, signed amount)"""
DrawerMoved = tuple[str, str, Whole, str, str, InstantText, str]
"""(cash movement id, kind, signed amount, source id, why, at, actor id)"""


@dataclass(frozen=True)
class SoldLine:
    """A line as charged. tax_letter is what the receipt prints beside it."""

    n: Whole
    sku: str
    name: str
    qty: Annotated[int, Field(strict=True, ge=-MOST_RUNG, le=MOST_RUNG)]
    stock_unit: str
    unit_price_minor: Whole
    price_quantity: Whole
    discount_minor: Whole
    offer: str
    total_minor: Whole
    net_minor: Whole
    tax_minor: Whole
    tax_class_id: str
    tax_letter: str
    rate_bp: Whole
    returns_sale_id: str | None = None
    returns_n: Whole | None = None
    kind: str = "goods"
    amount_minor: Whole | None = None
    list_price_minor: Whole | None = None
    price_type: str = "list"
    manual_discount_minor: Whole = 0
    reason: str = ""
    note: str = ""
    batch: str | None = None
    expires_on: str | None = None
    deposit_of: Whole | None = None
    cost_minor: Whole | None = None
    offers: tuple[tuple[str, str, Whole], ...] = ()
    """(offer id, its name, what it took off)"""
    top_category: str = ""
    """Under which category it was sold; '': sold before that was kept."""


@dataclass(frozen=True)
class TaxRow:
    """The tax of one class over a whole sale."""

    letter: str
    tax_class_id: str
    rate_bp: Whole
    net_minor: Whole
    tax_minor: Whole
    gross_minor: Whole


@dataclass(frozen=True)
class Paid:
    """One payment; change is a negative one in cash."""

    id: str
    tender: str
    amount_minor: Whole
    is_change: bool
    reference: str


class SaleCompleted(Fact, topic="sale.completed", said_by=STORE, version=2, named=True):
    """A sale, a return or an exchange as it was completed.

    store: pos.store.store.snapshot. local_time: 'YYYY-MM-DD HH:MM' on the store's wall. returns_receipt_no: the number
    on the receipt a return answers. paid_minor: handed over, change not yet taken off. customer: id, points_earned,
    points_balance and tab_balance_minor; the person's name never travels. vouchers: issued with this sale. card_slips:
    what card terminals want under the receipt.
    """

    id: str
    kind: str
    channel: str
    order_id: str | None
    order_no: str | None
    store: dict[str, Any]
    till_id: str
    till_name: str
    shift_id: str
    epoch: str
    receipt_no: Whole
    cashier_id: str
    cashier_name: str
    completed_at: InstantText
    local_time: str
    business_day: DayText
    currency: str
    lines: tuple[SoldLine, ...]
    taxes: tuple[TaxRow, ...]
    payments: tuple[Paid, ...]
    lines_minor: Whole
    rounding_minor: Whole
    total_minor: Whole
    tax_minor: Whole
    paid_minor: Whole
    change_minor: Whole
    age_checked: Whole | None
    returns_receipt_no: Whole | None
    request_hash: str
    cash: tuple[CashMoved, ...]
    movements: tuple[Moved, ...]
    age_how: str | None = None
    customer: dict[str, Any] | None = None
    note: str = ""
    saved_minor: Whole = 0
    vouchers: tuple[dict[str, Any], ...] = ()
    coupons: tuple[str, ...] = ()
    card_slips: tuple[str, ...] = ()

    def of(self) -> str:
        """Return the store that sold."""
        return str(self.store["id"])

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values: every sale does, and by hand it takes a third of the time."""
        return vars(self) | {
            "lines": [vars(line) | {"offers": [list(row) for row in line.offers]} for line in self.lines],
            "vouchers": [dict(row) for row in self.vouchers],
            "coupons": list(self.coupons),
            "card_slips": list(self.card_slips),
            "taxes": [dict(vars(row)) for row in self.taxes],
            "payments": [dict(vars(row)) for row in self.payments],
            "cash": [list(row) for row in self.cash],
            "movements": [list(row) for row in self.movements],
        }

    def contradiction(self) -> str | None:
        """Say which of its figures contradict each other; None where the sale holds together (K1)."""
        lines = self.lines
        reported = {
            "its lines do not sum to their total": sum(line.total_minor for line in lines) - self.lines_minor,
            "its lines and its rounding are not its total": self.lines_minor + self.rounding_minor - self.total_minor,
            "net and tax of its lines are not their total": sum(
                abs(line.net_minor + line.tax_minor - line.total_minor) for line in lines
            ),
            "the tax of its lines is not its tax": sum(line.tax_minor for line in lines) - self.tax_minor,
            "its payments do not sum to its total": sum(one.amount_minor for one in self.payments) - self.total_minor,
            "its time is not of its day": abs((_day(self.completed_at) - _day(self.business_day)).days) > 2,
            "it is below zero, and nothing came back": self.total_minor < 0 and all(line.qty > 0 for line in lines),
        }
        return next((fault for fault, off in reported.items() if off), None) or self._odd_line()

    def _odd_line(self) -> str | None:
        """Say what no line of any sale can be; None where every line is one."""
        is_return = self.kind == "return"
        for line in self.lines:
            qty = line.qty
            if qty == 0 or line.unit_price_minor < 0 or line.total_minor * qty < 0:
                return "a line has no quantity, or a price or an amount below zero"
            if qty < 0 and not is_return and line.returns_sale_id is None and line.price_type != "empties":
                return "a line brings something back, and it is no return"
            if line.price_type != "label" and line.amount_minor is not None:
                most = amount_for(abs(qty), line.unit_price_minor, line.price_quantity)
                if abs(line.amount_minor) > most + len(self.lines):
                    return "a line costs more than its price and its quantity make"
            if line.amount_minor is not None and abs(line.total_minor) > abs(line.amount_minor) + abs(line.tax_minor):
                return "a line costs more than its price and its quantity make"
        return None


class ShiftClosed(Fact, topic="shift.closed", said_by=STORE, version=2, named=True):
    """A closed shift with its frozen Z report and its totals. cash: what moved apart from sales, see DrawerMoved."""

    id: str
    store_id: str
    till_id: str
    opened_by: str
    opened_by_name: str
    opened_at: InstantText
    closed_by: str
    closed_at: InstantText
    business_day: DayText
    z_no: Whole
    expected_minor: Whole
    counted_minor: Whole
    over_short_minor: Whole
    z_report: dict[str, Any]
    cash: tuple[DrawerMoved, ...]
    totals: dict[str, Any] = field(default_factory=dict)
    held_by: str | None = None
    held_by_name: str | None = None
    counted_times: Whole = 1


class StockCounted(Fact, topic="stock.counted", said_by=STORE, named=True):
    """A product was counted; movements is the difference, empty when the record was right."""

    id: str
    store_id: str
    sku: str
    counted_qty: Whole
    on_hand_before: Whole
    business_day: DayText
    at: InstantText
    actor_id: str
    movements: tuple[Moved, ...]


class StockMoved(Fact, topic="stock.moved", said_by=STORE, version=2, named=True):
    """Goods moved other than by a sale or a count: opening stock, received, put elsewhere, wasted.

    why: what the store gave as its reason for letting them go; lot: of which they were known to be. '': not known.
    """

    id: str
    store_id: str
    reason: str
    source_kind: str
    source_id: str
    business_day: DayText
    at: InstantText
    actor_id: str
    movements: tuple[Moved, ...]
    why: str = ""
    lot: str = ""


def sold_line(n: int, line: PricedLine, language: str) -> SoldLine:
    """Return a priced line as the n-th of a sale, named in its receipt's language; its tax letter follows later."""
    product, rung = line.product, line.line
    return SoldLine(
        n=n,
        sku=product.sku,
        name=words.called(product.name, product.names, language),
        qty=line.qty,
        stock_unit=product.stock_unit,
        unit_price_minor=product.price_minor,
        price_quantity=product.price_quantity,
        discount_minor=line.discount_minor,
        offer=line.offer,
        total_minor=line.total_minor,
        net_minor=line.net_minor,
        tax_minor=line.tax_minor,
        tax_class_id=product.tax_class_id,
        tax_letter="",
        rate_bp=product.rate_bp,
        kind=product.kind,
        amount_minor=line.amount_minor,
        list_price_minor=rung.list_price_minor if rung else product.price_minor,
        price_type=rung.price_type if rung else "list",
        manual_discount_minor=line.manual_discount_minor,
        reason=rung.reason if rung else "",
        note=rung.note if rung else "",
        batch=rung.batch if rung else None,
        expires_on=rung.expires_on.isoformat() if rung and rung.expires_on else None,
        deposit_of=rung.deposit_of if rung else None,
        cost_minor=None
        if product.cost_minor is None
        else amount_for(line.qty, product.cost_minor, product.price_quantity),
        offers=tuple((row.offer_id, row.name, row.amount_minor) for row in line.offers),
        top_category=product.department or product.category,
    )


def lettered(lines: Sequence[SoldLine]) -> tuple[tuple[SoldLine, ...], tuple[TaxRow, ...]]:
    """Return the lines with their tax letters, and the tax rows those letters stand for, by class and rate."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for line in lines:
        net_minor, tax_minor = sums.get((line.tax_class_id, line.rate_bp), (0, 0))
        sums[line.tax_class_id, line.rate_bp] = (net_minor + line.net_minor, tax_minor + line.tax_minor)
    rows = {
        key: TaxRow(LETTERS[n % len(LETTERS)], *key, net_minor, tax_minor, gross_minor=net_minor + tax_minor)
        for n, (key, (net_minor, tax_minor)) in enumerate(sorted(sums.items()))
    }
    for line in lines:  # a line was made for this sale a moment ago; nobody else holds it yet
        object.__setattr__(line, "tax_letter", rows[line.tax_class_id, line.rate_bp].letter)
    return tuple(lines), tuple(rows.values())


def _day(reported: str) -> dt.date:
    return dt.datetime.fromisoformat(reported).date()

"""What a basket costs. Pure: no database, no clock, no web.

Rules
-----
1. A line costs qty x price / price quantity, rounded half away from zero, once.
2. Tax is computed per line. Inside the shown price: net = gross - tax, so the shelf price never moves. Added to it:
   gross = net + tax.
3. Cash is rounded to the smallest coin as an amount of its own beside the lines, never inside them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.money import amount_for, divide_half_up, round_cash, tax_inside, tax_on


@dataclass(frozen=True)
class ProductView:
    """A product as a shop sells it on a day: its price and tax are settled."""

    sku: str
    name: str
    brand: str
    category: str
    pack_text: str
    stock_unit: str
    price_quantity: int
    price_minor: int
    minimum_age: int | None
    maximum_qty: int | None
    tax_class_id: str
    rate_bp: int
    inclusive: bool
    quick_key: int | None = None
    barcode: str | None = None
    search_text: str = ""
    codes: tuple[tuple[str, int], ...] = ()
    """Every scannable code with the stock units it stands for."""
    department: str = ""
    """The aisle, coarser than the category; empty where the shop has none."""
    kind: str = "goods"
    deposit_sku: str | None = None
    price_typed: bool = False
    cost_minor: int | None = None


@dataclass(frozen=True)
class BasketLine:
    """qty stock units of a product, not yet priced."""

    sku: str
    qty: int
    product: ProductView


@dataclass(frozen=True)
class PricedLine:
    """A line with what it costs: total = net + tax."""

    product: ProductView
    qty: int
    total_minor: int
    net_minor: int
    tax_minor: int
    discount_minor: int = 0
    offer: str = ""


@dataclass(frozen=True)
class TaxSum:
    """The tax of one class over a basket."""

    tax_class_id: str
    rate_bp: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True)
class PricedBasket:
    """A priced basket: lines + rounding = total. minimum_age: the highest of its products, None without any."""

    lines: tuple[PricedLine, ...]
    lines_minor: int
    tax_minor: int
    rounding_minor: int
    total_minor: int
    minimum_age: int | None


def price_basket(lines: Iterable[BasketLine], *, smallest_coin_minor: int = 1, cash: bool = False) -> PricedBasket:
    """Price a basket, rounded to the smallest coin when it is paid in cash."""
    priced = tuple(price_line(line.product, line.qty) for line in lines)
    lines_minor = sum(line.total_minor for line in priced)
    rounding_minor = round_cash(lines_minor, smallest_coin_minor) - lines_minor if cash else 0
    ages = [line.product.minimum_age for line in priced if line.product.minimum_age]
    return PricedBasket(
        lines=priced,
        lines_minor=lines_minor,
        tax_minor=sum(line.tax_minor for line in priced),
        rounding_minor=rounding_minor,
        total_minor=lines_minor + rounding_minor,
        minimum_age=max(ages, default=None),
    )


def price_line(product: ProductView, qty: int) -> PricedLine:
    """Price `qty` stock units of a product (rules 1, 2)."""
    shown_minor = amount_for(qty, product.price_minor, product.price_quantity)
    if product.inclusive:
        tax_minor = tax_inside(shown_minor, product.rate_bp)
        return PricedLine(product, qty, shown_minor, shown_minor - tax_minor, tax_minor)
    tax_minor = tax_on(shown_minor, product.rate_bp)
    return PricedLine(product, qty, shown_minor + tax_minor, shown_minor, tax_minor)


def part_of(amount_minor: int, whole_qty: int, before_qty: int, qty: int) -> int:
    """Return what `qty` of a line's `whole_qty` units are worth, when `before_qty` of them were settled before.

    However a line is taken apart, its parts sum to its whole.
    """
    upto = divide_half_up(amount_minor * (before_qty + qty), whole_qty)
    return upto - divide_half_up(amount_minor * before_qty, whole_qty)


def sum_taxes(rows: Sequence[tuple[str, int, int, int]]) -> list[TaxSum]:
    """Sum (tax class, rate_bp, net, tax) by class and rate, in the order of the class ids."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for tax_class_id, rate_bp, net_minor, tax_minor in rows:
        net, tax = sums.get((tax_class_id, rate_bp), (0, 0))
        sums[tax_class_id, rate_bp] = (net + net_minor, tax + tax_minor)
    return [TaxSum(key, rate_bp, net, tax) for (key, rate_bp), (net, tax) in sorted(sums.items())]

"""What a basket costs. Pure: no database, no clock, no web.

Rules
-----
1. A line costs qty x price / price quantity, rounded half away from zero, once.
2. Tax is computed per line. Inside the shown price: net = gross - tax, so the shelf price never moves. Added to it:
   gross = net + tax. A deposit is a gross amount under either: what was charged for it comes back for its empty.
3. Cash is rounded to the smallest coin as an amount of its own beside the lines, never inside them.
4. What is taken off by hand comes first, then what offers save; together never more than the line costs.
5. A line with a price label costs what the label says, whatever its quantity.
6. Lines of one weighed product at one price cost together at most one minor unit less than one line of all they weigh:
   what rounding would lose beyond that is added to the line that loses it.
7. A customer pays no more than the label at the shelf says: of today's price and the label's the lower counts. A label
   for another quantity (per 100 g) is brought to the product's, rounded down.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from config.money import BASIS, amount_for, divide_half_up, round_cash, tax_inside, tax_on

MOST_LINES, MOST_EMPTIES = 500, 1000
"""Lines of one sale, and empties it takes back, all kinds together."""


@dataclass(frozen=True)
class ProductView:
    """A product as a store sells it on a day: its price and tax are settled."""

    sku: str
    name: str
    shown: str
    """Its name in the reader's language."""
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
    """The category, coarser than the category; empty where the store has none."""
    kind: str = "goods"
    deposit_sku: str | None = None
    price_typed: bool = False
    cost_minor: int | None = None
    names: Mapping[str, str] | None = None
    """What it is called in other languages."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What one offer takes off a line."""

    offer_id: str
    name: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BasketLine:
    """qty stock units of a product, not yet priced.

    product.price_minor is what is charged; list_price_minor what the catalogue says. asked: the index of the page's
    line, None for a deposit that was added. See `rung.RungLine` for the rest.
    """

    sku: str
    qty: int
    product: ProductView
    price_type: str = "list"
    list_price_minor: int | None = None
    amount_minor: int | None = None
    discount_minor: int = 0
    discount_bp: int = 0
    reason: str = ""
    note: str = ""
    batch: str | None = None
    expires_on: dt.date | None = None
    code: str = ""
    deposit_of: int | None = None
    asked: int | None = None
    made_up_minor: int = 0
    """What rule 6 adds to it."""


@dataclass(frozen=True)
class PricedLine:
    """A line with what it costs: total = net + tax."""

    product: ProductView
    qty: int
    total_minor: int
    net_minor: int
    tax_minor: int
    discount_minor: int = 0
    """All that is taken off, by hand and by offers."""
    offer: str = ""
    amount_minor: int = 0
    """The line before anything is taken off, in the shown kind of price."""
    manual_discount_minor: int = 0
    offers: tuple[Saved, ...] = ()
    line: BasketLine | None = None


@dataclass(frozen=True)
class PricedBasket:
    """A priced basket: lines + rounding = total. minimum_age: the highest of its products, None without any."""

    lines: tuple[PricedLine, ...]
    lines_minor: int
    tax_minor: int
    rounding_minor: int
    total_minor: int
    minimum_age: int | None


def price_basket(
    lines: Iterable[BasketLine],
    offers: Mapping[int, tuple[Saved, ...]] | None = None,
    *,
    smallest_coin_minor: int = 1,
    cash: bool = False,
) -> PricedBasket:
    """Price a basket, rounded to the smallest coin when it is paid in cash. offers: line number, from 1 -> savings."""
    saved = offers or {}
    priced = tuple(charge(line, saved.get(n, ())) for n, line in enumerate(lines, 1))
    lines_minor = sum(line.total_minor for line in priced)
    rounding_minor = round_cash(lines_minor, smallest_coin_minor) - lines_minor if cash else 0
    ages = [line.product.minimum_age for line in priced if line.product.minimum_age and line.qty > 0]
    return PricedBasket(
        lines=priced,
        lines_minor=lines_minor,
        tax_minor=sum(line.tax_minor for line in priced),
        rounding_minor=rounding_minor,
        total_minor=lines_minor + rounding_minor,
        minimum_age=max(ages, default=None),
    )


def charge(line: BasketLine, offers: tuple[Saved, ...] = ()) -> PricedLine:
    """Price a line with what is taken off it (rules 1, 2, 4, 5)."""
    product, amount_minor = line.product, before_savings(line)
    manual_minor = line.discount_minor
    if line.discount_bp:
        manual_minor = divide_half_up(amount_minor * line.discount_bp, BASIS)
    manual_minor = min(manual_minor, max(0, amount_minor))
    saved_minor = min(sum(row.amount_minor for row in offers), max(0, amount_minor - manual_minor)) if offers else 0
    shown_minor = amount_minor - manual_minor - saved_minor
    if product.inclusive or product.kind == "deposit":
        tax_minor = tax_inside(shown_minor, product.rate_bp)
        total_minor, net_minor = shown_minor, shown_minor - tax_minor
    else:
        tax_minor = tax_on(shown_minor, product.rate_bp)
        total_minor, net_minor = shown_minor + tax_minor, shown_minor
    return PricedLine(
        product=product,
        qty=line.qty,
        total_minor=total_minor,
        net_minor=net_minor,
        tax_minor=tax_minor,
        discount_minor=manual_minor + saved_minor,
        offer=", ".join(dict.fromkeys(row.name for row in offers)),
        amount_minor=amount_minor,
        manual_discount_minor=manual_minor,
        offers=offers,
        line=line,
    )


def asked_minor(price_minor: int, price_quantity: int, hung_minor: int | None, hung_quantity: int | None) -> int:
    """Return what is asked per price quantity while a label hangs (rule 7); hung_minor None: none is known to hang."""
    if hung_minor is None or not hung_quantity:
        return price_minor
    return min(price_minor, hung_minor * price_quantity // hung_quantity)


def before_savings(line: BasketLine) -> int:
    """Return what a line costs before anything is taken off (rules 1, 5, 6)."""
    if line.amount_minor is not None:
        return line.amount_minor
    return amount_for(line.qty, line.product.price_minor, line.product.price_quantity) + line.made_up_minor


def made_up(lines: list[BasketLine]) -> list[BasketLine]:
    """Return the lines with what rule 6 adds, in their order; those of whole pieces are never rounded."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for at, line in enumerate(lines):
        price_minor, per = line.product.price_minor, line.product.price_quantity
        if per == 1 or line.qty <= 0 or line.amount_minor is not None:
            continue
        qty, charged_minor = sums.get((line.sku, price_minor), (0, 0))
        qty += line.qty
        own_minor = amount_for(line.qty, price_minor, per)
        short_minor = amount_for(qty, price_minor, per) - 1 - charged_minor - own_minor
        if short_minor > 0:
            lines[at] = replace(line, made_up_minor=short_minor)
            own_minor += short_minor
        sums[line.sku, price_minor] = (qty, charged_minor + own_minor)
    return lines

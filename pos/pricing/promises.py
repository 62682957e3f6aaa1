"""What an offer is: which products, which kind of saving, when, and for whom. Pure.

Rules
-----
1. An offer holds on the business day (a window over midnight belongs to the day it began), on its weekdays, within
   its hours, for its members, and with its coupon.
2. What could never apply, or save anything, is refused where it is made.
"""

import datetime as dt
from dataclasses import dataclass

from config.errors import Invalid
from config.money import BASIS, MAX_MINOR

UNIT_KINDS = ("percent", "amount", "price")
PACK_KINDS = ("nth", "pack_price")
BUNDLE_KINDS = ("bundle", "together")
BASKET_KINDS = ("basket_percent", "basket_amount")
MOST_SIZE, MOST_PARTS, MOST_TIMES, MOST_DAYS = 12, 4, 99, 60
LONGEST_NAME = 60
KINDS = UNIT_KINDS + PACK_KINDS + BUNDLE_KINDS + BASKET_KINDS


@dataclass(frozen=True)
class Choice:
    """Which products: any of those named, but those excepted; nothing named and `everything`: all."""

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    everything: bool = False
    but_skus: frozenset[str] = frozenset()
    but_categories: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[frozenset[str], ...]:
        """The products, categories, departments and brands it names, in the order in which a product has them."""
        return self.skus, self.categories, self.departments, self.brands

    @property
    def is_empty(self) -> bool:
        """Tell whether it names nothing."""
        return not (self.everything or self.skus or self.categories or self.departments or self.brands)

    def holds(self, sku: str, category: str, department: str, brand: str) -> bool:
        """Tell whether a product is among them."""
        if sku in self.but_skus or category in self.but_categories:
            return False
        return (
            self.everything
            or sku in self.skus
            or category in self.categories
            or department in self.departments
            or brand in self.brands
        )


@dataclass(frozen=True)
class Part:
    """What a bundle needs: qty pieces of a choice; `off_bp` less for these where the kind is 'together'."""

    choice: Choice
    qty: int = 1
    off_bp: int = 0


@dataclass(frozen=True)
class Offer:
    """One promise to the customer.

    kind: percent (percent_bp off), amount (amount_minor off each), price (each costs amount_minor), nth (of every
    `size` the `reduced` cheapest cost percent_bp less), pack_price (every `size` cost amount_minor), bundle (one of
    each part costs amount_minor), together (each part at its own reduction), basket_percent, basket_amount (off all
    of the choice, once minimum_minor is spent on it). Amounts of goods by weight are per price quantity.
    """

    id: str
    name: str
    kind: str
    parts: tuple[Part, ...]
    percent_bp: int = 0
    amount_minor: int = 0
    size: int = 1
    reduced: int = 1
    minimum_minor: int = 0
    most_times: int | None = None
    stackable: bool = False
    members_only: bool = False
    codes: frozenset[str] | None = None
    """Coupon codes any of which opens it; None: it needs none."""
    from_day: dt.date | None = None
    until_day: dt.date | None = None
    weekdays: frozenset[int] = frozenset()
    """0 is Monday; none named: every day."""
    from_minute: int | None = None
    until_minute: int | None = None
    """Local minutes of the day; until before from: over midnight. The last minute is not included."""
    batch: str | None = None
    expires_on: dt.date | None = None
    expires_within_days: int | None = None

    @property
    def is_bound(self) -> bool:
        """Tell whether it asks for a batch or an expiry day."""
        return self.batch is not None or self.expires_on is not None or self.expires_within_days is not None


def clean_code(text: str) -> str:
    """Return a coupon code as it is kept: capitals and digits, whatever blanks and dashes it was typed with."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def check(offer: Offer) -> None:
    """Refuse an offer that could never apply or save anything, naming the field to mend."""
    if not offer.name.strip() or len(offer.name) > LONGEST_NAME:
        raise Invalid("empty-field", "Name the promotion; the name is printed on the receipt.", field="name")
    if offer.kind not in KINDS:
        raise Invalid("bad-choice", "Choose the kind of promotion.", field="kind")
    for n, part in enumerate(offer.parts or (Part(Choice()),)):
        if part.choice.is_empty:
            raise Invalid("no-products", "Choose the products in the promotion.", field=f"products{n}")
        if not 1 <= part.qty <= MOST_SIZE:
            raise _number(f"part_qty{n}", 1, MOST_SIZE)
    _check_terms(offer)
    _check_time(offer)


def _check_terms(offer: Offer) -> None:
    if offer.kind in ("percent", "nth", "basket_percent") and not 0 < offer.percent_bp <= BASIS:
        raise Invalid("bad-reduction", "Enter a percentage from 1 to 100.", field="percent")
    if offer.kind in ("amount", "basket_amount") and not 0 < offer.amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Enter the amount off.", field="amount")
    if offer.kind in ("price", "pack_price", "bundle") and not 0 <= offer.amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Enter the price.", field="amount")
    if offer.kind in PACK_KINDS and not 2 <= offer.size <= MOST_SIZE:
        raise _number("size", 2, MOST_SIZE)
    if offer.kind == "nth" and not 1 <= offer.reduced <= offer.size:
        raise _number("reduced", 1, offer.size)
    if offer.kind in BUNDLE_KINDS and not 2 <= len(offer.parts) <= MOST_PARTS:
        raise Invalid("no-products", "A bundle has two to four parts. Choose products for each.", field="products1")
    if offer.kind == "together" and not any(0 < part.off_bp <= BASIS for part in offer.parts):
        raise Invalid("bad-reduction", "Choose which part is discounted, by 1 to 100 percent.", field="off1")
    if offer.kind not in BUNDLE_KINDS and len(offer.parts) != 1:
        raise Invalid("no-products", "Choose the products in the promotion.", field="products0")
    if offer.most_times is not None and not 1 <= offer.most_times <= MOST_TIMES:
        raise _number("most_times", 1, MOST_TIMES)
    if offer.minimum_minor < 0 or offer.minimum_minor > MAX_MINOR:
        raise Invalid("bad-amount", "Enter the minimum spend, or leave it empty.", field="minimum")


def _check_time(offer: Offer) -> None:
    if offer.from_day and offer.until_day and offer.until_day < offer.from_day:
        raise Invalid("bad-days", "The last day is before the first.", field="until_day")
    if (offer.from_minute is None) != (offer.until_minute is None) or (
        offer.from_minute is not None and offer.from_minute == offer.until_minute
    ):
        raise Invalid("bad-hours", "Enter both a start and an end time, or leave both empty.", field="until_time")
    if not offer.weekdays <= frozenset(range(7)):
        raise Invalid("bad-choice", "Choose days of the week.", field="weekdays")
    if offer.expires_within_days is not None and not 0 <= offer.expires_within_days <= MOST_DAYS:
        raise _number("expires_within_days", 0, MOST_DAYS)


def _number(field: str, least: int, most: int) -> Invalid:
    return Invalid(
        "bad-number", "Enter a whole number from %(least)s to %(most)s.", field=field, least=least, most=most
    )

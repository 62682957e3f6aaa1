"""What an offer is: which products, which kind of saving, when, and for whom. Pure.

Rules
-----
1. An offer holds on the business day (a window over midnight belongs to the day it began), on its weekdays, within
   its hours, for its members, and with its coupon.
2. A product counts for the first part of a bundle that names it.
3. Offers come in one order wherever they were listed: those that need no coupon first, then by id.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

UNIT_KINDS = ("percent", "amount", "price")
PACK_KINDS = ("nth", "pack_price")
BUNDLE_KINDS = ("bundle", "together")
BASKET_KINDS = ("basket_percent", "basket_amount")
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
    def bound(self) -> bool:
        """Tell whether it asks for a batch or an expiry day."""
        return self.batch is not None or self.expires_on is not None or self.expires_within_days is not None


class Offers(Sequence[Offer]):
    """Offers made ready: those of a product are found once, not at every sale. day: the business day they are for."""

    def __init__(self, offers: Iterable[Offer], day: dt.date | None = None) -> None:
        self._offers = tuple(sorted(offers, key=lambda offer: (offer.codes is not None, offer.id)))
        self.day = day
        self._known: dict[tuple[str, str, str, str], tuple[tuple[int, int, Offer], ...]] = {}

    @overload
    def __getitem__(self, place: int) -> Offer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Offer]: ...
    def __getitem__(self, place: int | slice) -> Offer | Sequence[Offer]:
        return self._offers[place]

    def __len__(self) -> int:
        return len(self._offers)

    def of(self, sku: str, category: str, department: str, brand: str) -> tuple[tuple[int, int, Offer], ...]:
        """Return (place, part, offer) of every offer that names a product; of several parts the first."""
        key = (sku, category, department, brand)
        found = self._known.get(key)
        if found is None:
            found = tuple(
                (place, next(n for n, part in enumerate(offer.parts) if part.choice.holds(*key)), offer)
                for place, offer in enumerate(self._offers)
                if any(part.choice.holds(*key) for part in offer.parts)
            )
            self._known[key] = found
        return found


def clean_code(text: str) -> str:
    """Return a coupon code as it is kept: capitals and digits, whatever blanks and dashes it was typed with."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def holds_at(offer: Offer, at: dt.datetime, day: dt.date) -> bool:
    """Tell whether an offer holds at a local time of a business day (rule 6)."""
    minute = at.hour * 60 + at.minute
    since, until = offer.from_minute, offer.until_minute
    if since is not None and until is not None:
        if since < until:
            if not since <= minute < until:
                return False
        elif minute < until:
            day = at.date() - dt.timedelta(days=1)
        elif minute < since:
            return False
    if (offer.from_day and day < offer.from_day) or (offer.until_day and day > offer.until_day):
        return False
    return not offer.weekdays or day.weekday() in offer.weekdays

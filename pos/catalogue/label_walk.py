"""The way past the shelf labels to look at, and what an inspection of them found. Pure: no database, no clock, no web.

Rules
-----
1. The walk goes from place to place in the order a person names them (A2 before A10), from where the last label was
   scanned, and comes round to those before it. Within a place it begins at the nearer end. What has no place comes
   last, by department, category and name.
2. A label is right when it shows what the till asks. It overcharges when the till asks more, and undercharges when the
   till asks less. Accuracy is right labels per label looked at, rounded down, so that no 97.99 % passes for 98; a place
   without a label does not count (NIST Handbook 130, Examination Procedure for Price Verification).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from config.money import BASIS

PASSING_BP = 9_800


@dataclass(frozen=True)
class Stop:
    """A label to look at: where it hangs, as far as that is known, and its price per price quantity."""

    sku: str
    name: str
    category: str
    department: str
    stock_unit: str
    price_minor: int
    price_quantity: int
    hung_minor: int | None = None
    hung_quantity: int | None = None
    place: str = ""
    position: int = 0


@dataclass(frozen=True)
class Accuracy:
    """What an inspection found, in labels. missing: where none hangs."""

    right: int
    overcharges: int
    undercharges: int
    missing: int

    @property
    def looked_at(self) -> int:
        """How many labels were looked at."""
        return self.right + self.overcharges + self.undercharges

    @property
    def accuracy_bp(self) -> int | None:
        """The right ones in basis points; None before the first (rule 2)."""
        return self.right * BASIS // self.looked_at if self.looked_at else None

    @property
    def passes(self) -> bool:
        """Tell whether the store keeps the limit."""
        return (self.accuracy_bp or 0) >= PASSING_BP


def in_order(stops: Iterable[Stop], here: tuple[str, int] | None = None) -> list[Stop]:
    """Return the stops in the order of the walk (rule 1). here: place and position of the last scan."""
    rows = sorted(stops, key=lambda stop: (_place(stop), stop.position, stop.name, stop.sku))
    places = [list(group) for _key, group in groupby(rows, key=_place)]
    if here is not None and here[0]:
        first = next((n for n, group in enumerate(places) if _natural(group[0].place) >= _natural(here[0])), 0)
        places = places[first:] + places[:first]
    position, found = here[1] if here else 0, []
    for group in places:
        if abs(group[-1].position - position) < abs(group[0].position - position):
            group.reverse()
        found += group
        position = group[-1].position
    return found


def judged(shown_minor: int | None, shown_quantity: int, asked_minor: int, price_quantity: int) -> str:
    """Return right | over | under | missing: what a label shows beside what the till asks (rule 2)."""
    if shown_minor is None:
        return "missing"
    shown, asked = shown_minor * price_quantity, asked_minor * shown_quantity
    return "right" if shown == asked else "over" if asked > shown else "under"


def accuracy(verdicts: Sequence[str]) -> Accuracy:
    """Count the verdicts of an inspection."""
    many = Counter(verdicts)
    return Accuracy(many["right"], many["over"], many["under"], many["missing"])


# --- inside ---


def _place(stop: Stop) -> tuple[bool, list[tuple[int, str]], str, str]:
    named = stop.place != ""
    return not named, _natural(stop.place), "" if named else stop.department, "" if named else stop.category


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a text so that its numbers sort as numbers."""
    return [(int(digits or 0), word.casefold()) for word, digits in re.findall(r"([^0-9]*)([0-9]*)", text)]

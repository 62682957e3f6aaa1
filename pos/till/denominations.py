"""The coins and notes of a currency, for counting a drawer. Pure: no database, no clock, no web.

Rules
-----
1. A count names pieces, not amounts: {'note-2000': 3} is three notes of 20.00; its sum is ours to make.
2. A coin and a note of the same worth are two denominations (a dollar is both).
3. A currency that is not in the table counts in coins and notes of 1, 2 and 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.errors import Invalid
from config.money import exponent

MOST_PIECES = 100_000

_IN_USE = {
    "AED": ("25 50 100", "500 1000 2000 5000 10000 20000 50000 100000"),
    "AUD": ("5 10 20 50 100 200", "500 1000 2000 5000 10000"),
    "BRL": ("5 10 25 50 100", "200 500 1000 2000 5000 10000 20000"),
    "CAD": ("5 10 25 100 200", "500 1000 2000 5000 10000"),
    "CHF": ("5 10 20 50 100 200 500", "1000 2000 5000 10000 20000 100000"),
    "CNY": ("10 50 100", "100 500 1000 2000 5000 10000"),
    "CZK": ("100 200 500 1000 2000 5000", "10000 20000 50000 100000 200000 500000"),
    "DKK": ("50 100 200 500 1000 2000", "5000 10000 20000 50000"),
    "EUR": ("1 2 5 10 20 50 100 200", "500 1000 2000 5000 10000 20000"),
    "GBP": ("1 2 5 10 20 50 100 200", "500 1000 2000 5000"),
    "HKD": ("10 20 50 100 200 500 1000", "1000 2000 5000 10000 50000 100000"),
    "HUF": ("500 1000 2000 5000 10000 20000", "50000 100000 200000 500000 1000000 2000000"),
    "IDR": ("10000 20000 50000 100000", "100000 200000 500000 1000000 2000000 5000000 10000000"),
    "INR": ("100 200 500 1000 2000", "1000 2000 5000 10000 20000 50000"),
    "JPY": ("1 5 10 50 100 500", "1000 2000 5000 10000"),
    "KRW": ("10 50 100 500", "1000 5000 10000 50000"),
    "KWD": ("5 10 20 50 100", "250 500 1000 5000 10000 20000"),
    "MXN": ("50 100 200 500 1000", "2000 5000 10000 20000 50000 100000"),
    "MYR": ("5 10 20 50", "100 500 1000 2000 5000 10000"),
    "NOK": ("100 500 1000 2000", "5000 10000 20000 50000 100000"),
    "NZD": ("10 20 50 100 200", "500 1000 2000 5000 10000"),
    "PHP": ("5 25 100 500 1000 2000", "2000 5000 10000 20000 50000 100000"),
    "PLN": ("1 2 5 10 20 50 100 200 500", "1000 2000 5000 10000 20000 50000"),
    "SEK": ("100 200 500 1000", "2000 5000 10000 20000 50000 100000"),
    "SGD": ("5 10 20 50 100", "200 500 1000 5000 10000"),
    "THB": ("25 50 100 200 500 1000", "2000 5000 10000 50000 100000"),
    "TRY": ("5 10 25 50 100 500", "500 1000 2000 5000 10000 20000"),
    "TWD": ("100 500 1000 5000", "10000 20000 50000 100000 200000"),
    "USD": ("1 5 10 25 50 100", "100 200 500 1000 2000 5000 10000"),
    "VND": ("", "1000 2000 5000 10000 20000 50000 100000 200000 500000"),
    "ZAR": ("10 20 50 100 200 500", "1000 2000 5000 10000 20000"),
}
"""Currency -> (coins, notes) in minor units, as they are in circulation."""


@dataclass(frozen=True)
class Denomination:
    """A coin or a note. kind: 'coin' | 'note'."""

    kind: str
    minor: int

    @property
    def key(self) -> str:
        """The name a count knows it by: 'coin-50'."""
        return f"{self.kind}-{self.minor}"


def of_currency(currency: str) -> tuple[Denomination, ...]:
    """Return the coins and notes of a currency, the most valuable note first, coins after notes."""
    coins, notes = (
        [int(minor) for minor in text.split()] for text in _IN_USE.get(currency) or _plain(exponent(currency))
    )
    rows = (("note", notes), ("coin", coins))
    return tuple(Denomination(kind, minor) for kind, minors in rows for minor in reversed(minors))


def total(currency: str, pieces: Mapping[str, int]) -> int:
    """Return what the pieces of a count are worth in minor units; refuses what is none of the currency's."""
    worth = {one.key: one.minor for one in of_currency(currency)}
    sum_minor = 0
    for key, many in pieces.items():
        if key not in worth:
            raise Invalid(
                "unknown-denomination", "%(currency)s has no coin or bill %(key)s.",
                currency=currency, key=key,
            )  # fmt: skip
        if isinstance(many, bool) or not isinstance(many, int) or not 0 <= many <= MOST_PIECES:
            raise Invalid("bad-quantity", "Enter the number of coins or bills as a whole number, 0 or more.", key=key)
        sum_minor += worth[key] * many
    return sum_minor


def tidy(pieces: Mapping[str, int]) -> dict[str, int]:
    """Return a count without what is not there, in a fixed order."""
    return {key: many for key, many in sorted(pieces.items()) if many}


def _plain(places: int) -> tuple[str, str]:
    unit = 10**places
    smallest = max(1, unit // 100)
    steps = [digit * 10**power for power in range(12) for digit in (1, 2, 5)]
    coins = " ".join(str(step) for step in steps if smallest <= step <= 2 * unit)
    notes = " ".join(str(step) for step in steps if 5 * unit <= step <= 100 * unit)
    return coins, notes

"""Money as integers of the currency's smallest unit.

Rules
-----
1. Amounts are `int` minor units, names end `_minor`; rates are basis points (`rate_bp`, 10,000 = 100 %).
2. Every division is rounded half away from zero, so that a return is the mirror of its sale.
3. A split never makes or loses a unit: `share_out` uses the largest remainder, ties by position (Hamilton).
4. Tax inside a gross price: net = gross - tax, so the shelf price never moves.
"""

from collections.abc import Sequence

BASIS = 10_000
MAX_MINOR = 10**12
"""No single amount in a store is larger; anything above is a slip and refused at the edge."""

_EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}


def exponent(currency: str) -> int:
    """Return how many decimals the currency (ISO 4217) has."""
    return _EXPONENTS.get(currency, 2)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half away from zero; denominator > 0."""
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    quotient, remainder = divmod(abs(numerator), denominator)
    rounded = quotient + (2 * remainder >= denominator)
    return rounded if numerator >= 0 else -rounded


def amount_for(qty: int, price_minor: int, price_quantity: int) -> int:
    """Return what `qty` stock units cost at `price_minor` per `price_quantity` units."""
    return divide_half_up(qty * price_minor, price_quantity)


def tax_inside(gross_minor: int, rate_bp: int) -> int:
    """Return the tax contained in a gross amount."""
    return divide_half_up(gross_minor * rate_bp, BASIS + rate_bp)


def tax_on(net_minor: int, rate_bp: int) -> int:
    """Return the tax to add to a net amount."""
    return divide_half_up(net_minor * rate_bp, BASIS)


def round_cash(amount_minor: int, smallest_coin_minor: int) -> int:
    """Return the cash amount rounded to the smallest coin, half away from zero."""
    if smallest_coin_minor <= 1:
        return amount_minor
    return divide_half_up(amount_minor, smallest_coin_minor) * smallest_coin_minor


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to non-negative `weights`; the parts always sum to `total`.

    Largest remainder, ties by position. Weights that are all zero share equally; no weights and a total
    other than zero is refused.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if not weights:
        if total:
            raise ValueError("nobody to share with")
        return []
    weighed = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(weighed)
    sign = -1 if total < 0 else 1
    parts = [abs(total) * weight // whole for weight in weighed]
    rest = abs(total) - sum(parts)
    order = sorted(range(len(weighed)), key=lambda i: (-(abs(total) * weighed[i] % whole), i))
    for i in order[:rest]:
        parts[i] += 1
    return [sign * part for part in parts]


def part_of(amount_minor: int, whole_qty: int, before_qty: int, qty: int) -> int:
    """Return what `qty` of a line's `whole_qty` units are worth, when `before_qty` of them were settled before.

    However a line is taken apart, its parts sum to its whole.
    """
    upto = divide_half_up(amount_minor * (before_qty + qty), whole_qty)
    return upto - divide_half_up(amount_minor * before_qty, whole_qty)


def median(values: Sequence[int]) -> int:
    """Return the middle value; of an even number, the mean of the two in the middle, rounded half up."""
    ranked, half = sorted(values), len(values) // 2
    return ranked[half] if len(ranked) % 2 else divide_half_up(ranked[half - 1] + ranked[half], 2)


def likely_notes(due_minor: int, notes_minor: Sequence[int]) -> list[int]:
    """Return the amounts a customer is likely to hand over for `due_minor`, rising, at most four.

    For each note: the least multiple of it that covers the amount; the exact amount itself is left out.
    """
    if due_minor <= 0:
        return []
    covers = {-(-due_minor // note) * note for note in notes_minor}
    return sorted(amount for amount in covers if amount != due_minor)[:4]

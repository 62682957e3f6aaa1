"""New prices for many products by one rule. Pure: no database, no clock, no web.

Rules
-----
1. A rule raises or lowers by a part or an amount, or aims at a margin of the net price over a known cost.
2. A price ends as the store likes it: the nearest one with the wanted last digits, the higher of two equally near;
   without a wish it stays as calculated. It never falls below the smallest that ends so.
3. A product without what the rule needs (a cost) has no new price: None, never a guess.

Margins are on the net price: net = cost / (1 - margin). Percentages are basis points.
"""

from dataclasses import dataclass
from typing import Literal

from config.errors import Invalid
from config.money import BASIS, MAX_MINOR, divide_half_up, tax_on

Kind = Literal["percent", "amount", "margin"]
ENDINGS: dict[str, tuple[int, int] | None] = {
    "none": None,
    "0": (10, 0),
    "5": (10, 5),
    "9": (10, 9),
    "50": (100, 50),
    "90": (100, 90),
    "95": (100, 95),
    "99": (100, 99),
    "00": (100, 0),
}
"""Name -> (step, the last digits within it)."""


@dataclass(frozen=True)
class Rule:
    """percent, margin: value in basis points; amount: in minor units."""

    kind: Kind
    value: int
    ending: str = "none"

    def __post_init__(self) -> None:
        """Refuse what no price can follow."""
        most = {"percent": 100 * BASIS, "amount": MAX_MINOR, "margin": BASIS - 1}
        if self.kind not in most or self.ending not in ENDINGS:
            raise Invalid("bad-rule", "Choose how the prices change.")
        least = 0 if self.kind == "margin" else -BASIS if self.kind == "percent" else -MAX_MINOR
        if not least <= self.value <= most[self.kind]:
            raise Invalid("bad-rule", "That change is not valid. Enter it again.", field="value")


@dataclass(frozen=True)
class Priced:
    """What a product costs now. cost_minor: per price quantity, None unknown."""

    price_minor: int
    cost_minor: int | None
    rate_bp: int
    inclusive: bool


def reprice(now: Priced, rule: Rule) -> int | None:
    """Return the new price of a product; None where the rule cannot say one (rule 3)."""
    if rule.kind == "margin":
        if now.cost_minor is None:
            return None
        net_minor = divide_half_up(now.cost_minor * BASIS, BASIS - rule.value)
        wanted = net_minor + tax_on(net_minor, now.rate_bp) if now.inclusive else net_minor
    elif rule.kind == "percent":
        wanted = divide_half_up(now.price_minor * (BASIS + rule.value), BASIS)
    else:
        wanted = now.price_minor + rule.value
    return min(MAX_MINOR, ended(max(0, wanted), rule.ending))


def ended(minor: int, ending: str) -> int:
    """Return the nearest amount with the wanted last digits, the higher of two equally near (rule 2)."""
    asked = ENDINGS[ending]
    if asked is None:
        return minor
    step, last = asked
    below = (minor - last) // step * step + last
    above = below if below == minor else below + step
    nearest = above if above - minor <= minor - below else below
    return nearest if nearest > 0 else nearest + step


def margin_bp(now: Priced, price_minor: int) -> int | None:
    """Return the margin of a price on its net; None without a cost or a price."""
    if now.cost_minor is None or price_minor <= 0:
        return None
    net_minor = net_of(now, price_minor)
    return divide_half_up((net_minor - now.cost_minor) * BASIS, net_minor) if net_minor > 0 else None


def margin_minor(now: Priced, price_minor: int) -> int | None:
    """Return the margin of a price, of its price quantity without tax; None without a cost."""
    return None if now.cost_minor is None else net_of(now, price_minor) - now.cost_minor


def net_of(now: Priced, price_minor: int) -> int:
    """Return a price without tax."""
    return divide_half_up(price_minor * BASIS, BASIS + now.rate_bp) if now.inclusive else price_minor

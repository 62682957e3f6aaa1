"""Figures of many shops that give none of them away, and what a change would bring: pure.

Rules
-----
1. A figure is the median over shops. It is published for SHOPS shops or more, so that a shop which takes its own value
   out still has five others before it.
2. No two published figures of one thing may differ by few shops, or the one less the other would tell of these. A set
   of shops is published only if, beside every set that ever was for the same thing, in whatever scope, it is the same
   or differs by SHOPS or more on each side that differs; else the old figure stands, with its day.
3. A figure has one scope: the regions where every region has SHOPS shops or more, else the whole network; never both.
4. Gains are a week's margin, of prices without tax. A product that is taken in is reckoned at half of what a typical
   shop sells; a price moved to the nearby one at a demand that falls by as much, in per cent, as the price rises.

Units: *_minor minor units; rates in thousandths of a stock unit a day (*_milli).
"""

from collections.abc import Iterable, Sequence, Set

from config.money import amount_for, divide_half_up

SHOPS = 6


def median(values: Sequence[int]) -> int:
    """Return the middle value; of an even number, the mean of the two in the middle, rounded half up."""
    ranked, half = sorted(values), len(values) // 2
    return ranked[half] if len(ranked) % 2 else divide_half_up(ranked[half - 1] + ranked[half], 2)


def may_publish(shops: Set[str], published: Iterable[Set[str]]) -> bool:
    """Tell whether a figure over `shops` may stand beside all those that were published (rules 1, 2)."""
    if len(shops) < SHOPS:
        return False
    sides = (side for one in published for side in (shops - one, one - shops))
    return all(not side or len(side) >= SHOPS for side in sides)


def scope_of(region_sizes: Sequence[int]) -> str:
    """Return whether figures are the regions' or the network's (rule 3)."""
    return "region" if region_sizes and min(region_sizes) >= SHOPS else "network"


def gain_of_adding(rate_milli: int, price_minor: int, cost_minor: int, price_quantity: int) -> int:
    """Return the weekly margin of taking a product in (rule 4); price and cost are per price_quantity units."""
    return divide_half_up(amount_for(7 * rate_milli, price_minor - cost_minor, price_quantity), 2 * 1000)


def gain_of_pricing(rate_milli: int, price_minor: int, nearby_minor: int, cost_minor: int, price_quantity: int) -> int:
    """Return the weekly margin of moving a price to the nearby one, less what the present price brings (rule 4)."""
    moved = max(0, 2 * price_minor - nearby_minor)
    rate_then = divide_half_up(rate_milli * moved, price_minor) if price_minor else 0
    now = amount_for(7 * rate_milli, price_minor - cost_minor, price_quantity)
    then = amount_for(7 * rate_then, nearby_minor - cost_minor, price_quantity)
    return divide_half_up(then - now, 1000)

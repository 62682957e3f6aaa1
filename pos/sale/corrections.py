"""What was taken off a basket again after it had been rung: a lower quantity, or a line removed.

Rules
-----
1. Every piece is told with its product, its quantity and what it was shown to cost, when the basket is paid and when it
   is given up; the journal names each product once, with the sums.
2. The page's word counts for products there are. An older page says no amount: its pieces count, with no value.
3. The shift keeps how many corrections each person made, and their value. Empties count with no value, so that they
   make no other's smaller.

Units: qty in stock units; amounts in minor units.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from config.nodes.journal import Actor
from pos.till import totals

Body = tuple[str, int] | tuple[str, int, int]
"""(sku, qty[, amount_minor]) as the page says it."""


@dataclass(frozen=True)
class Corrections:
    """The corrections of one basket. lines: (sku, qty, value_minor), a product once; value_minor: of all together."""

    count: int = 0
    value_minor: int = 0
    lines: tuple[tuple[str, int, int], ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return what the journal says of them; nothing where there are none."""
        return (
            {"taken_off": [list(line) for line in self.lines], "taken_off_minor": self.value_minor}
            if self.lines
            else {}
        )

    def counted_in(self, sums: totals.Totals, by: Actor) -> totals.Totals:
        """Return a shift's totals with them, as corrections of whoever had the basket (rule 3)."""
        if not self.count:
            return sums
        return totals.with_corrections(sums, by.id, by.name, self.count, self.value_minor)


NONE = Corrections()


def of(reported: Sequence[Body], known: Collection[str]) -> Corrections:
    """Return the corrections of products there are (rule 2). known: the SKUs of these."""
    if not reported:
        return NONE
    count, sums = 0, dict[str, tuple[int, int]]()
    for sku, qty, *amount in reported:
        if sku not in known:
            continue
        count += 1
        had_qty, had_minor = sums.get(sku, (0, 0))
        sums[sku] = had_qty + qty, had_minor + (max(0, amount[0]) if amount else 0)
    value_minor = sum(minor for _, minor in sums.values())
    return Corrections(count, value_minor, tuple((sku, qty, minor) for sku, (qty, minor) in sums.items()))

"""A shop's level from what it did: pure, thresholds public.

Rules
-----
1. Five measures, each so many good of so many: counts (products that sold lately and were counted lately), pickups
   (ready by the promised time), shelf (slots whose product sold), trouble (collected orders without complaint or
   return), repayment (of what fell due, paid in time).
2. A measure with fewer than LEAST cases is not known, and speaks neither for nor against.
3. A level is reached when every known measure reaches its threshold and at least KNOWN of them are known. The level is
   the highest one reached; 0 is where everybody begins. How much a shop buys is no measure and never will be.

Units: *_bp basis points.
"""

from dataclasses import dataclass

MEASURES = ("counts", "pickups", "shelf", "trouble", "repayment")
LEAST = {"counts": 10, "pickups": 5, "shelf": 4, "trouble": 5, "repayment": 1}
LEVELS: tuple[dict[str, int], ...] = (
    {"counts": 4_000, "pickups": 8_000, "shelf": 6_000, "trouble": 9_000, "repayment": 8_000},
    {"counts": 6_000, "pickups": 9_000, "shelf": 7_500, "trouble": 9_500, "repayment": 9_000},
    {"counts": 8_000, "pickups": 9_700, "shelf": 9_000, "trouble": 9_800, "repayment": 9_800},
)
"""Levels 1 to 3: measure -> least value."""
KNOWN = (2, 3, 4)


@dataclass(frozen=True)
class Measure:
    """One measure: good of all cases; value_bp None while too few are known (rule 2)."""

    name: str
    good: int
    cases: int

    @property
    def value_bp(self) -> int | None:
        """The share of good cases, rounded down."""
        return self.good * 10_000 // self.cases if self.cases >= LEAST[self.name] else None


def level_of(measures: dict[str, Measure]) -> int:
    """Return the level a shop's measures reach (rule 3)."""
    values = {name: one.value_bp for name, one in measures.items()}
    known = {name: value for name, value in values.items() if value is not None}
    reached = 0
    for n, thresholds in enumerate(LEVELS):
        if len(known) >= KNOWN[n] and all(value >= thresholds[name] for name, value in known.items()):
            reached = n + 1
    return reached


def missing(measures: dict[str, Measure], level: int) -> list[str]:
    """Return the measures that keep a shop from a level: those below its threshold."""
    thresholds = LEVELS[level - 1]
    return [name for name, one in measures.items() if one.value_bp is not None and one.value_bp < thresholds[name]]

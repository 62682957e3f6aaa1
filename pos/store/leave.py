"""What leave is asked for, in figures, and whether what was granted covers it. Pure.

Rules
-----
1. A need says what would be done: whose line, how many, from which price to which, how much off, what comes back. Words
   for it are the reader's affair; the facts are all there.
2. What was granted covers exactly that or less harm: as few or fewer, as dear or dearer, as little or less off, of the
   same product or receipt. A fact that was not granted is not covered. A price above the shelf's is covered as it is.
3. Each thing granted serves one need.
4. A price typed below the one on the books takes off what lies between them, like a discount; a higher one takes off
   nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.money import BASIS

Facts = Mapping[str, Any]
AT_MOST = frozenset({"qty", "list_price_minor", "discount_minor", "discount_bp", "amount_minor", "total_minor"}) | {
    "over_minor",
    "short_minor",
}
AT_LEAST = frozenset({"price_minor"})


@dataclass(frozen=True)
class Need:
    """A permission that is wanted. covers: what is compared (rule 2); about: what words need beside it."""

    permission: str
    why: str
    line: int = 0
    covers: Facts = field(default_factory=dict)
    about: Facts = field(default_factory=dict)

    @property
    def discount_bp(self) -> int:
        """How much of what its line costs on the books is taken off by hand (rule 4)."""
        return taken_off_bp(self.covers)

    def facts(self) -> dict[str, Any]:
        """Return the need as the page words it."""
        return {
            "permission": self.permission, "line": self.line, "covers": dict(self.covers), "about": dict(self.about),
        }  # fmt: skip


def takes_back(sale_id: str, lines: Iterable[tuple[int, int]]) -> Need:
    """Return the need of taking goods of a receipt back. lines: (line number, qty)."""
    covers = {"sale_id": sale_id, "lines": [[str(n), qty, 0] for n, qty in lines]}
    return Need("take_back", "goods brought back", covers=covers)


def taken_off_bp(facts: Facts) -> int:
    """Return how much of a line's price on the books a need takes off, in basis points, rounded up (rule 4)."""
    if "discount_bp" in facts:
        return int(facts["discount_bp"])
    list_minor, price_minor = facts.get("list_price_minor", 0), facts.get("price_minor")
    if price_minor is None or price_minor >= list_minor:
        return 0
    return int(-(-(list_minor - price_minor) * BASIS // list_minor))


def covered(need: Facts, given: Facts) -> bool:
    """Tell whether what was granted allows this or worse (rule 2)."""
    return all(name in given and _no_worse(name, fact, given[name]) for name, fact in need.items())


def matched(needs: Sequence[Need], given: Iterable[tuple[str, Facts]]) -> dict[int, int]:
    """Return for each need that is covered which of (permission, facts) covers it, by place; the exact one first."""
    open_ = dict(enumerate(given))
    found: dict[int, int] = {}
    for exactly in (True, False):
        for at, need in enumerate(needs):
            if at in found:
                continue
            for place, (permission, facts) in open_.items():
                fits = covered(need.covers, facts) and (not exactly or covered(facts, need.covers))
                if permission == need.permission and fits:
                    found[at] = place
                    del open_[place]
                    break
    return found


# --- inside ---


def _no_worse(name: str, fact: Any, given: Any) -> bool:
    if name in AT_MOST:
        return bool(fact <= given)
    if name in AT_LEAST:
        return bool(fact >= given)
    if name == "lines":
        return _sums(fact) <= _sums(given)
    return bool(fact == given)


def _sums(lines: Iterable[Sequence[Any]]) -> Counter[tuple[str, int]]:
    """Sum (key, qty, price_minor) by key and price."""
    sums: Counter[tuple[str, int]] = Counter()
    for key, qty, price_minor in lines:
        sums[str(key), price_minor] += qty
    return sums

"""A purse: what orders to some suppliers may cost together. PURE; `budget` fills it, `sourcing` spends it."""

from typing import NamedTuple


class Purse(NamedTuple):
    """left_minor: below zero counts as nothing. suppliers: those whose orders it pays for, by id."""

    name: str
    left_minor: int
    suppliers: frozenset[str]

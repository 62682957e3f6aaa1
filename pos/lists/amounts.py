"""How much of a product a line asks for. PURE.

Rules
-----
1. "2 kg" of a product in packs of 500 g is four packs; of what is sold by weight it is two kilos.
2. An amount that comes out in no whole packs, or pieces of what is sold by weight, is not exact: somebody has to look.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from pos.catalogue.search_index import words_of
from pos.lists import message
from pos.lists.message import Measure, Pack, Reading

ALIKE = Fraction(1, 20)
"""Sizes that differ by less are the same: a pound and 450 g."""
FEW = 3
"""So many pieces of what comes in packs of pieces may be packs."""
USUAL_STEPS = 5
"""Portions of what is sold by weight where no weight is said: half a kilo."""


@dataclass(frozen=True)
class Ware:
    """A product as a list may name it. left: how much can be had now; None: as much as is wanted.

    step: the smallest portion of what is sold by weight, 1 for a piece.
    """

    sku: str
    names: tuple[str, ...]
    brand: str = ""
    category: str = ""
    pack_text: str = ""
    stock_unit: str = "each"
    step: int = 1
    left: int | None = None

    @property
    def is_here(self) -> bool:
        """Tell whether at least one portion can be had."""
        return self.left is None or self.left >= self.step

    @cached_property
    def name_words(self) -> tuple[tuple[str, ...], ...]:
        return tuple(message.name_words(name) for name in self.names)

    @cached_property
    def beside(self) -> frozenset[str]:
        return frozenset(words_of(f"{self.brand} {self.category}"))

    @cached_property
    def brand_words(self) -> frozenset[str]:
        return frozenset(words_of(self.brand))

    @cached_property
    def packs(self) -> tuple[Pack, ...]:
        """What one of it holds, as its pack and its names say."""
        said = (message.pack_of(text) for text in (self.pack_text, *self.names) if text)
        return tuple(one for one in said if one is not None)

    @property
    def pack(self) -> Pack | None:
        return self.packs[0] if self.packs else None


@dataclass(frozen=True)
class Amount:
    """How much of a product a line asks for. is_exact: it comes out as asked; makes: as `Choice`."""

    qty: int
    is_exact: bool = True
    makes: Measure | None = None


def amount_of(reading: Reading, ware: Ware) -> Amount:
    """Return how much of a product a reading asks for (rule 2)."""
    count, measure = reading.count, reading.measure
    if ware.stock_unit != "each":
        return _weighed(reading, ware)
    packs = max(1, ceil(count)) if count is not None else 1
    is_whole = count is None or (count.denominator == 1 and count > 0)
    pack = ware.pack
    if measure is None:
        if pack is not None and pack.kind == "pieces" and count is not None and count > 1:
            return _of_pieces(count, pack.pieces)
        return Amount(packs, is_whole)
    if measure.kind == "pieces":
        held = pack.pieces if pack is not None and (pack.kind == "pieces" or pack.pieces > 1) else Fraction(1)
        number = max(1, ceil(measure.size * packs / held))
        made = Measure("pieces", number * held)
        return Amount(number, made.size == measure.size * packs, made if held > 1 else None)
    if pack is None or pack.kind == "pieces":
        return Amount(packs, not measure.kind and is_whole)
    if _is_multipack(reading, pack):
        return Amount(1 if reading.pieces is None else packs, is_whole)
    if any(_alike(measure, one.total, one.kind) for one in ware.packs):
        return Amount(packs, is_whole)
    if pack.pieces > 1 and _alike(measure, pack.each, pack.kind):
        return Amount(packs, count is None)
    if not measure.kind:
        return Amount(packs, is_exact=False)
    asked = measure.size * packs * (reading.pieces or 1)
    number = max(1, round(asked / pack.total))
    made = Measure(pack.kind, number * pack.total)
    return Amount(number, _alike(Measure(measure.kind, asked), made.size, pack.kind) and is_whole, made)


def _of_pieces(count: Fraction, held: Fraction) -> Amount:
    """Return how many packs "12 eggs" are; few pieces (2 eggs) may be as many packs."""
    if count <= FEW and count < held:
        return Amount(ceil(count), is_exact=False)
    number = ceil(count / held)
    return Amount(number, number * held == count, Measure("pieces", number * held))


def _weighed(reading: Reading, ware: Ware) -> Amount:
    """Return how much of a product sold by weight or volume, in whole portions."""
    measure = reading.measure
    unit = "g" if ware.stock_unit == "gram" else "ml"
    if measure is None or measure.kind not in (unit, ""):
        return Amount(USUAL_STEPS * ware.step, reading.count is None and measure is None)
    asked = measure.size * max(1, ceil(reading.count or 1))
    steps = max(1, floor(asked / ware.step + Fraction(1, 2)))
    return Amount(steps * ware.step, abs(steps * ware.step - asked) * 2 <= ware.step)


def _alike(measure: Measure, size: Fraction, kind: str) -> bool:
    return abs(measure.size - size) <= ALIKE * size and (
        measure.kind == kind or (kind != "pieces" and not (measure.kind and kind))
    )


def _is_multipack(reading: Reading, pack: Pack) -> bool:
    """Tell whether "6 x 330 ml" is one pack of six."""
    measure = reading.measure
    held = reading.pieces or reading.count
    return measure is not None and 1 < pack.pieces == held and _alike(measure, pack.each, pack.kind)


def size_fit(reading: Reading, ware: Ware) -> int:
    """Return how well a product's size fits: 4 the very pack, 3 that size, 2 divides the amount, 1 no, 0 not said."""
    if reading.measure is None:
        return 0
    if ware.stock_unit != "each":
        return 2
    pack = ware.pack
    if pack is None:
        return 0
    if _is_multipack(reading, pack) or (reading.measure.kind == "pieces" and pack.pieces == reading.measure.size):
        return 4
    if any(_alike(reading.measure, one.total, one.kind) for one in ware.packs):
        return 3
    return 2 if amount_of(reading, ware).is_exact else 1


def size_of(ware: Ware) -> Fraction:
    """Return what one of a product holds, 0 where nothing says so."""
    return ware.pack.total if ware.pack else Fraction(0)

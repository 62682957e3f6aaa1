"""The lines of a note become products: sure, asked with choices, or unknown; none is dropped. PURE.

Rules
-----
1. A line's evidence: what a person taught of this supplier's wording, the supplier's own number, the barcode, the words
   of the name (rare ones count more, a figure in it must be the same), the price, and what was ordered.
2. Sure is a line whose name and one more piece of evidence mean the same product, no other fits nearly as well, and
   whose figures arithmetic or the order confirms. A size or number that contradicts the product's makes it no longer
   sure, whatever its name. A number alone makes nothing sure.
3. Everything else is asked with at most MOST_CHOICES, the best first, or unknown where nothing fits.
4. One unit of a line is a pack, or a piece, as it says itself, else as its price or the order tells; where neither
   does, it is asked.
5. Figures are never made up: what was not read stays empty and is asked.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from rapidfuzz import fuzz

from supply.receiving.notes.columns import NoteLine, fold

SURE, ASK, UNKNOWN = "sure", "ask", "unknown"
PACK, PIECE, KILO, LITRE = "CT", "EA", "KGM", "LTR"
MOST_CHOICES = 5
FOUND, SAME, CLEARLY, TAUGHT = 0.45, 0.8, 0.12, 0.94
"""How well a name has to fit to be a choice, and to be sure; by how much better than the next; a wording taught."""
_WORDS = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+")
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(kg|g|gr|ml|cl|l|lt|oz)\b", re.IGNORECASE)
_BASE = {"kg": ("g", 1000), "g": ("g", 1), "gr": ("g", 1), "l": ("ml", 1000), "lt": ("ml", 1000), "cl": ("ml", 10),
         "ml": ("ml", 1), "oz": ("oz", 1)}  # fmt: skip
_HAN = "⺀"


@dataclass(frozen=True)
class Known:
    """A product a note may mean. cost_minor: of a pack; ordered: units of the open order; is_listed: the supplier's."""

    sku: str
    name: str
    pack_qty: int = 1
    cost_minor: int = 0
    article_no: str = ""
    codes: Mapping[str, int] | None = None
    ordered: int | None = None
    is_listed: bool = True
    stock_unit: str = "each"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words its name has."""
        return words_of(self.name)


@dataclass(frozen=True)
class Lesson:
    """What a person taught: this wording of the supplier's is that product, counted in this unit."""

    wording: str
    sku: str
    unit: str


@dataclass(frozen=True)
class Proposal:
    """What a line is taken for. kind: sure | ask | unknown; choices: SKUs, the best first; unit: '' where not known."""

    line: NoteLine
    kind: str
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def sku(self) -> str:
        """The product it is sure of, or ''."""
        return self.choices[0] if self.kind == SURE else ""


@dataclass(frozen=True)
class _Fit:
    """How a product fits a line. name: 0..1; by_code: 2 of number or barcode, 0 none; against: its size is another."""

    known: Known
    name: float
    by_code: int
    price: bool
    as_ordered: bool
    taught: float
    against: bool

    @property
    def worth(self) -> float:
        return (
            self.name + 0.35 * bool(self.by_code) + 0.12 * self.price + 0.08 * (self.known.ordered is not None)
            + 0.08 * self.as_ordered + (self.taught if self.taught >= TAUGHT else 0) - 0.2 * self.against
        )  # fmt: skip


def propose(
    lines: Sequence[NoteLine],
    known: Sequence[Known],
    lessons: Sequence[Lesson] = (),
    places: int = 2,
) -> list[Proposal]:
    """Return what each line is taken for, in their order (rules 1 to 5). places: decimals of the currency."""
    rare = _rarity(known)
    return [_proposal(line, known, lessons, rare, places) for line in lines]


def words_of(text: str) -> tuple[str, ...]:
    """Return a name's words, a Chinese one's signs, its sizes written in one way."""
    sized = _SIZE.sub(lambda one: f" {_measure(one)} ", text)
    found = list[str]()
    for word in _WORDS.findall(fold(sized, keep=True)):
        found.extend(word if word[0] >= _HAN else [word])
    return tuple(found)


def unit_of(line: NoteLine, known: Known, places: int = 2) -> str:
    """Return what one of a line's quantity is, '' where that is not known (rule 4)."""
    if known.stock_unit != "each":
        return line.unit if line.unit in (KILO, LITRE, "GRM") else KILO if known.stock_unit == "gram" else LITRE
    if known.pack_qty == 1:
        return PIECE
    if line.unit in (PACK, PIECE):
        return line.unit
    by_price = {unit for unit in (PACK, PIECE) if _is_cost(line, known, unit, places)}
    if len(by_price) == 1:
        return by_price.pop()
    if known.ordered is not None and line.qty is not None:
        by_order = {unit for unit, size in ((PACK, known.pack_qty), (PIECE, 1)) if line.qty * size == known.ordered}
        if len(by_order) == 1:
            return by_order.pop()
    return ""


# --- inside ---


def _measure(found: re.Match[str]) -> str:
    base, factor = _BASE[found[2].casefold()]
    return f"{Decimal(found[1].replace(',', '.')) * factor:f}".rstrip("0").rstrip(".").replace(".", "p") + base


def _sizes(text: str) -> set[str]:
    return {_measure(one) for one in _SIZE.finditer(text)}


def _rarity(known: Sequence[Known]) -> dict[str, float]:
    counts = Counter(word for one in known for word in set(one.words))
    return {word: math.log(1 + len(known) / count) for word, count in counts.items()}


def _proposal(
    line: NoteLine, known: Sequence[Known], lessons: Sequence[Lesson], rare: Mapping[str, float], places: int
) -> Proposal:  # fmt: skip
    words = words_of(line.name)
    taught = {one: fuzz.ratio(fold(line.name), fold(one.wording)) / 100 for one in lessons}
    by_sku = dict[str, float]()
    for lesson, nearness in taught.items():
        by_sku[lesson.sku] = max(by_sku.get(lesson.sku, 0.0), nearness)
    fits = sorted((_fit(line, words, one, rare, by_sku.get(one.sku, 0.0), places) for one in known),
                  key=lambda fit: -fit.worth)  # fmt: skip
    fits = [fit for fit in fits if fit.name >= FOUND or fit.by_code or fit.taught >= TAUGHT][:MOST_CHOICES]
    if not fits:
        return Proposal(line, UNKNOWN, unit=line.unit)
    best = fits[0]
    units = (one.unit for one, nearness in taught.items() if one.sku == best.known.sku and nearness >= TAUGHT)
    unit = (next(units, "") if not line.unit else "") or unit_of(line, best.known, places)
    is_sure = _is_sure(best, fits[1:]) and _is_counted(line, best, unit)
    return Proposal(line, SURE if is_sure else ASK, tuple(fit.known.sku for fit in fits), unit)


def _fit(
    line: NoteLine, words: Sequence[str], known: Known, rare: Mapping[str, float], taught: float, places: int
) -> _Fit:
    codes = {fold(code) for code in line.codes if len(fold(code)) > 2}
    gtins = {code.lstrip("0") for code in known.codes or {}}
    by_code = 2 * bool(
        (fold(known.article_no) in codes and known.article_no) or gtins & {one.lstrip("0") for one in codes}
    )
    sizes, own = _sizes(line.name), _sizes(known.name)
    price = any(_is_cost(line, known, unit, places) for unit in (PACK, PIECE))
    as_ordered = known.ordered is not None and line.qty is not None and known.ordered in (
        line.qty, line.qty * known.pack_qty)  # fmt: skip
    return _Fit(known, _likeness(words, known.words, rare), by_code, price, as_ordered, taught,
                bool(sizes and own and not sizes & own))  # fmt: skip


def _likeness(said: Sequence[str], own: Sequence[str], rare: Mapping[str, float]) -> float:
    """Return how well the words of a line are a product's, 0..1, and its are the line's; the last may be cut."""
    if not said or not own:
        return 0.0
    usual = max(rare.values(), default=1.0)
    joined = "".join(own)
    found = whole = 0.0
    for n, word in enumerate(said):
        weight = rare.get(word, usual) * (0.5 if len(word) == 1 and word < _HAN else 1.0)
        best = max(_alike(word, other) for other in own)
        if best < 0.75 and len(word) > 4 and word in joined:
            best = 0.9
        if n >= len(said) - 3 and best < 0.9 and len(word) >= 2 and any(other.startswith(word) for other in own):
            best = 0.9  # cut to its column
        found, whole = found + weight * best, whole + weight
    back = sum(rare.get(word, usual) * max(_alike(word, other) for other in said) for word in own)
    covered = back / sum(rare.get(word, usual) for word in own)
    return 0.8 * found / whole + 0.2 * covered


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if min(len(one), len(other)) < 3 or one[0].isdigit() or other[0].isdigit() or one[0] >= _HAN:
        return 0.0
    return max(0.0, fuzz.ratio(one, other) / 50 - 1)


def _is_cost(line: NoteLine, known: Known, unit: str, places: int) -> bool:
    if line.price is None or not known.cost_minor:
        return False
    of = known.cost_minor / (1 if unit == PACK else known.pack_qty)
    return bool(abs(float(line.price) * 10**places - of) <= 0.51)


def _is_sure(best: _Fit, others: Sequence[_Fit]) -> bool:
    """Tell whether a product is beyond doubt (rule 2)."""
    if best.against:
        return False
    if any(one.by_code and one.known.sku != best.known.sku for one in others) and not best.taught >= TAUGHT:
        return False
    if best.taught >= TAUGHT:
        return not any(one.taught >= TAUGHT for one in others)
    gap = best.name - max((one.name for one in others), default=0.0)
    if best.by_code:
        return best.name >= FOUND + 0.1 and gap > -0.05
    if best.name < SAME or gap < CLEARLY:
        return False
    return best.price or best.as_ordered or (best.known.ordered is not None and best.name >= 0.88)


def _is_counted(line: NoteLine, best: _Fit, unit: str) -> bool:
    """Tell whether a line's figures need no question (rules 2, 4)."""
    if line.qty is None or line.qty <= 0 or not unit:
        return False
    return line.is_checked or (line.price is None and line.amount is None and best.as_ordered)

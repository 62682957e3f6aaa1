"""Products found by words as people type them: with letters swapped, doubled or left out, without accents, half typed.

Rules
-----
1. A typed word fits a product's word that equals it, begins with it, holds it (from HELD letters on), or differs
   in no more letters than `_typos` allows for its length; a swap of neighbors is one. It fits the better, the closer.
2. Every typed word must fit. Where no product fits all, one word may be missing, so that a word too many finds
   something.
3. A name counts more than a brand or a category. Among equals the product comes first whose name holds least besides:
   "butter" finds butter before peanut butter cookies.
4. Letters are compared in lower case and without accents; what is written without blanks is looked for inside.
"""

import heapq
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import CategoryNames, Product, category_names

MOST_TYPED, MOST_WORDS = 80, 8
"""Letters and words of a search; what is beyond is not looked for."""
HELD = 3
_WORD = re.compile(r"\w+(?:[.,]\w+)*")
_PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "'": "", "’": ""})
_EQUAL, _BEGINS, _HOLDS, _TYPO = 1.0, 0.92, 0.7, 0.85
_BESIDE = 0.8
"""What a word of a brand or a category counts, beside one of the name."""
_FULL = 0.15
"""What a name made of nothing but the typed words counts more than one that holds much besides."""


class Found(NamedTuple):
    """A product and how well it fits: 1 and more is word for word."""

    sku: str
    score: float


class SearchIndex:
    """The words of a catalogue, and where they are. It is not changed: a new catalogue has a new one."""

    def __init__(self, products: Iterable[tuple[str, str, str]]) -> None:
        """products: (SKU, names, other words)."""
        self._products: list[tuple[list[str], list[str]]] = []
        self._place_of: dict[str, int] = {}
        self._places: dict[str, list[int]] = {}
        kept: dict[str, str] = {}  # each word once, however many products have it
        for place, (sku, names, others) in enumerate(products):
            named = [kept.setdefault(word, word) for word in words_of(names)]
            beside = [kept.setdefault(word, word) for word in words_of(others) if word not in named]
            self._products.append((named, beside))
            self._place_of[sku] = place
            for word in (*named, *beside):
                self._places.setdefault(word, []).append(place)
        self._words = list(self._places)

    def __contains__(self, word: str) -> bool:
        """Tell whether a product has this very word."""
        return word in self._places

    def search(self, text: str, among: Sequence[str] | None, most: int = 500) -> list[Found]:
        """Return what fits of these SKUs, None: of all, best first, equals in their order."""
        return self.rank([self.near(word) for word in words_of(text[:MOST_TYPED])[:MOST_WORDS]], among, most)

    def rank(self, near: list[dict[str, float]], among: Sequence[str] | None, most: int = 500) -> list[Found]:
        """Return what fits words as `near` knows them, as `search` does."""
        among = list(self._place_of) if among is None else among
        order = {self._place_of[sku]: rank for rank, sku in enumerate(among) if sku in self._place_of}
        near = sorted(near, key=lambda words: sum(len(self._places[word]) for word in words))  # the rarest first
        for missing in range(min(len(near), 2)):
            rare = dict.fromkeys(word for words in near[: missing + 1] for word in words)
            places = {place for word in rare for place in self._places[word] if place in order}
            scored = ((self._score(place, near, len(near) - missing), -order[place]) for place in places)
            if found := heapq.nlargest(most, (one for one in scored if one[0])):
                return [Found(among[-rank], score) for score, rank in found]
        return []

    def near(self, typed: str) -> dict[str, float]:
        """Return the words that fit a typed one, and how well (rule 1)."""
        is_short = len(typed) < HELD and typed.isascii()
        near = {
            word: _BEGINS if word.startswith(typed) else _HOLDS
            for word in self._words
            if typed in word and (not is_short or word.startswith(typed))
        }
        if most := _typos(typed):
            from rapidfuzz import process  # 7 MiB that a store's till never needs
            from rapidfuzz.distance import OSA

            alike = process.extract(typed, self._words, scorer=OSA.distance, score_cutoff=most, limit=None)
            for word, distance, _ in alike:
                near[word] = max(near.get(word, 0.0), _TYPO - distance / (2 * len(typed)))
        if typed in near:
            near[typed] = _EQUAL
        return near

    def _score(self, place: int, near: Sequence[dict[str, float]], least: int) -> float:
        """Return how well a product fits (rules 2, 3); 0 where it does not."""
        named, beside = self._products[place]
        fits = []
        for words in near:
            fit = max((words.get(word, 0.0) for word in named), default=0.0)
            if fit < _EQUAL and beside:
                fit = max(fit, _BESIDE * max(words.get(word, 0.0) for word in beside))
            if fit:
                fits.append(fit)
        if len(fits) < least:
            return 0.0
        return round(sum(fits) / len(near) + _FULL * len(fits) / max(len(named), len(near)), 3)


def read(session: Session) -> SearchIndex:
    """Return the index of all products."""
    others = {name: " ".join(names.values()) for name, names in category_names(session).items()}
    rows = session.execute(
        sa.select(
            Product.sku, Product.name, Product.names, Product.brand, Product.category, Product.department,
            Product.search_text,
        ).order_by(Product.sku)
    )  # fmt: skip
    return SearchIndex(
        (
            sku,
            " ".join((name, *(names or {}).values())),
            " ".join((sku, brand, category, others.get(category, ""), others.get(department, ""), sounds)),
        )
        for sku, name, names, brand, category, department, sounds in rows
    )


def stamp(session: Session) -> tuple[int, ...]:
    """Return what changes when a product or a category comes or is called otherwise."""
    letters = sa.func.length(Product.name) + sa.func.length(Product.search_text)
    products = session.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(letters), 0))).one()
    categories = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(CategoryNames.search_text)), 0))
    return *map(int, products), *map(int, session.execute(categories).one())


def words_of(text: str) -> list[str]:
    """Return a text's words as they are compared (rule 4), each once."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return list(dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", plain))))


def _typos(word: str) -> int:
    """Return how many letters may differ."""
    return 0 if len(word) < HELD or word.isdigit() else 1 if len(word) < 6 else 2

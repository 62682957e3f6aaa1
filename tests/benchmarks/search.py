"""The online store's search: products found by words with typos, among 20,000 made of real names.

Names, brands and sizes of `openfoodfacts_products.csv.gz` are combined by seed. A query is up to four words of a
product's name, one or two of which carry a typo: two letters swapped, one left out, doubled, or hit beside its key. It
is found where a product of that name is among the first three. The reference, rapidfuzz's WRatio over all names, gets
the same queries.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from pos.catalogue.search_index import SearchIndex, words_of
from tests.benchmarks import _folders, _retail
from tests.benchmarks._node import percentile

FILE = "openfoodfacts_products.csv.gz"
PRODUCTS, QUERIES = 20_000, 200
SIZES = ("100 g", "250 g", "500 g", "1 kg", "330 ml", "1 l", "6 x 330 ml")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
Product = tuple[str, str, str]
"""(SKU, name, brand with size)"""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a quarter of the queries go to the reference")
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    try:
        result = measure(PRODUCTS, QUERIES, asked.seed, QUERIES // 4 if asked.quick else QUERIES)
    except FileNotFoundError as gone:
        _retail.stop_if_missing([str(gone)])
        return
    if asked.json:
        print(json.dumps(result))
        return
    for name, one in {"ours": result["ours"], **result["reference"]}.items():
        print(f"{name}: first three {one['hit_rate_3']:.3f}, first {one['hit_rate_1']:.3f}, p99 {one['p99_ms']:.1f} ms")


def measure(products: int, queries: int, seed: int = 5, to_reference: int = QUERIES) -> dict[str, Any]:
    """Ask for the same names of our index and of the reference, by turns."""
    from rapidfuzz import fuzz, process, utils

    dice = random.Random(seed)
    made = _made(dice, products)
    index, skus = SearchIndex(made), [sku for sku, _, _ in made]
    name_of = {sku: name.casefold() for sku, name, _ in made}
    names = [f"{name} {beside}" for _, name, beside in made]

    def ours(text: str) -> list[str]:
        return [one.sku for one in index.search(text, skus, most=24)]

    def ratio(text: str) -> list[str]:
        best = process.extract(text, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=3)
        return [skus[place] for _, _, place in best]

    asked = [typed(dice, name) for _, name, _ in dice.choices(made, k=queries)]
    ours(asked[0][1])  # warm
    found = {"ours": _Tries(ours, name_of), "wratio": _Tries(ratio, name_of)}
    for n, query in enumerate(asked):
        found["ours"].ask(*query)
        if n < to_reference:
            found["wratio"].ask(*query)
    of = {name: tries.figures() for name, tries in found.items()}
    return {
        "bench": "search",
        "ours": of["ours"],
        "reference": {"wratio": of["wratio"]},
        "ratio": {
            "hit_rate_3": round(of["ours"]["hit_rate_3"] / max(of["wratio"]["hit_rate_3"], 0.001), 3),
            "p99_ms": round(of["ours"]["p99_ms"] / of["wratio"]["p99_ms"], 4),
        },
        "settings": {
            "products": products,
            "queries": queries,
            "to_reference": min(queries, to_reference),
            "seed": seed,
        },
    }


class _Tries:
    """One way to search: how often it found what was meant, and how long it took."""

    def __init__(self, search: Callable[[str], Sequence[str]], name_of: dict[str, str]) -> None:
        self._search, self._name_of = search, name_of
        self._first: list[bool] = []
        self._third: list[bool] = []
        self._spent_ms: list[float] = []

    def ask(self, meant: str, typed: str) -> None:
        began = time.perf_counter()
        found = self._search(typed)[:3]
        self._spent_ms.append((time.perf_counter() - began) * 1000)
        names = [self._name_of[sku] for sku in found]
        self._first.append(names[:1] == [meant.casefold()])
        self._third.append(meant.casefold() in names)

    def figures(self) -> dict[str, float]:
        asked = len(self._first)
        return {
            "hit_rate_3": round(sum(self._third) / asked, 3),
            "hit_rate_1": round(sum(self._first) / asked, 3),
            "p50_ms": round(percentile(self._spent_ms, 0.5), 2),
            "p99_ms": round(percentile(self._spent_ms, 0.99), 2),
        }


def names_and_brands() -> tuple[list[str], list[str]]:
    """Return the real names and brands, each once."""
    path = _folders.data() / FILE
    if not path.is_file():
        raise FileNotFoundError(f"no {FILE} in {path.parent} (RETAIL_DATA names another folder)")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["product_name"].strip() for row in rows if len(row["product_name"].strip()) > 3})
    return names, sorted({row["brands"].split(",")[0].strip() for row in rows} - {""})


def _made(dice: random.Random, products: int) -> list[Product]:
    names, brands = names_and_brands()
    picked = dict[tuple[str, str, str], None]()
    while len(picked) < products:
        picked[dice.choice(names), dice.choice(brands), dice.choice(SIZES)] = None
    return [(f"P{n:05d}", name, f"{brand} {size}") for n, (name, brand, size) in enumerate(picked)]


def typed(dice: random.Random, name: str) -> tuple[str, str]:
    """Return the name, and up to four of its words with one or two typos."""
    words = words_of(name)[:4]
    long = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha() and word.isascii()]
    for place in dice.sample(long, min(len(long), dice.choice((1, 2)))):
        words[place] = _mistyped(dice, words[place])
    return name, " ".join(words)


def _mistyped(dice: random.Random, word: str) -> str:
    at = dice.randrange(1, len(word) - 1)
    head, letter, tail = word[:at], word[at], word[at + 1 :]
    match dice.choice(("swap", "drop", "double", "beside")):
        case "swap":
            return head + tail[0] + letter + tail[1:]
        case "drop":
            return head + tail
        case "double":
            return head + letter + letter + tail
    row = next(one for one in ROWS if letter in one)
    return head + row[max(0, row.index(letter) - 1) or 1] + tail


if __name__ == "__main__":
    main()

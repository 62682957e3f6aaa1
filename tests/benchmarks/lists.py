"""Shopping lists as customers write them: each line found, asked back or named as not here, and none dropped.

The products are the real names of `openfoodfacts_products.csv.gz`, each in one to three packs, as in a store. A list is
made by seed in English, Spanish, German or Chinese: a greeting, three to nine lines in many forms (amount before or
behind, in words, a unit, a pack's size, bullets, commas), up to four words of a name with the typos of `bench search`,
and thanks. A line is right where the first product named for it is the one meant, in the size said. One line in ten
is of a product the store does not carry: wrong where another is taken without asking. `--lists FILE` asks
lists somebody wrote instead: JSON of {"lists": [{"text": ..., "lines": [{"line": ..., "skus": [...]}]}]}, with
"products": [[SKU, name, brand, pack]] where they are others than `--products` prints. The reference, rapidfuzz's WRatio
over all names, gets the same lines, cut and without their amounts as they were made.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pos.catalogue.search_index import SearchIndex, words_of
from pos.lists.amounts import Ware
from pos.lists.matching import Line, match
from tests.benchmarks import _retail
from tests.benchmarks._node import percentile
from tests.benchmarks.search import SIZES, names_and_brands, typed

LISTS = 500
FORMS = {
    "en": (
        "{name}", "{n} {name}", "{n}x {name}", "{name} x{n}", "{word} {name}", "{name} ({n})", "{n} packs of {name}",
        "{size} {name}", "{name} {size}", "{n} x {size} {name}", "{n} {name} {size}", "some {name} please", "a {name}",
        "{n} boxes {name}", "{name}: {n}",
    ),
    "es": (
        "{name}", "{n} {name}", "{word} {name}", "{name} x {n}", "{n} paquetes de {name}", "{n} uds {name}",
        "{size} de {name}", "{name} {size}", "{n} {name} de {size}", "un paquete de {name}",
        "{n} botes {name} por favor",
    ),
    "de": (
        "{name}", "{n} {name}", "{word} {name}", "{n}x {name}", "{name} {n} Stück", "{n} Packungen {name}",
        "{size} {name}", "{name} {size}", "{n} Dosen {name} {size}", "eine Packung {name}", "{n} Stk. {name}",
    ),
    "zh": ("{name}", "{n}包{name}", "{name} {n}盒", "{hanzi}瓶{name}", "要{hanzi}个 {name}", "{name} {size}"),
}  # fmt: skip
WORDS = {
    "en": ("one", "two", "three", "four", "five"), "es": ("un", "dos", "tres", "cuatro", "cinco"),
    "de": ("ein", "zwei", "drei", "vier", "fünf"), "zh": ("一", "两", "三", "四", "五"),
}  # fmt: skip
FRAMES = {
    "en": ("Hi, can I have", "Hello!", "Good morning, please send me:", "", "", "Thanks!", "Kind regards"),
    "es": ("Hola, quiero", "Buenos días", "Necesito:", "", "", "Muchas gracias", "Saludos"),
    "de": ("Hallo, ich brauche", "Guten Tag!", "Bitte:", "", "", "Danke", "Viele Grüße"),
    "zh": ("你好", "老板,我要", "麻烦帮我拿", "", "", "谢谢", "多谢"),
}
"""Five beginnings, then two ends."""


@dataclass(frozen=True)
class Written:
    """A list with what it means: of each line the words, the products it may mean, and how many of them ('' 0)."""

    text: str
    lines: tuple[tuple[str, frozenset[str], int], ...]


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a fifth of the lists")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--lists", type=Path, help="lists somebody wrote")
    parser.add_argument("--products", action="store_true", help="print the products as CSV, for who writes lists")
    asked = parser.parse_args()
    try:
        if asked.products:
            rows = ([ware.sku, ware.names[0], ware.brand, ware.pack_text] for ware in stock(asked.seed)[0])
            csv.writer(sys.stdout).writerows(rows)
            return
        result = measure(LISTS // 5 if asked.quick else LISTS, asked.seed, written=asked.lists)
    except FileNotFoundError as gone:
        _retail.stop_if_missing([str(gone)])
        return
    if asked.json:
        print(json.dumps(result))
        return
    ours = result["ours"]
    print(f"right {ours['right']:.3f}, amount {ours['right_amount']:.3f}, sure {ours['sure']:.3f}")
    print(f"wrong unasked {ours['wrong_unasked']:.3f}, dropped {ours['dropped']}, p99 {ours['p99_ms']:.0f} ms a list")
    print(f"wratio: right {result['reference']['wratio']['right']:.3f}")


def measure(lists: int, seed: int = 5, *, to_reference: int = 200, written: Path | None = None) -> dict[str, Any]:
    """Match lists, and ask the reference for some of their lines."""
    from rapidfuzz import fuzz, process, utils

    dice = random.Random(seed)
    given = json.loads(written.read_text()) if written else {}
    stocked, absent_names = stock(seed)
    wares = [Ware(sku, (name,), brand, "", pack) for sku, name, brand, pack in given.get("products", ())] or stocked
    asked = [made(dice, wares, absent_names, ("en", "es", "de", "zh")[n % 4]) for n in range(lists)]
    asked = _given(given) if written else asked
    by_sku = {ware.sku: ware for ware in wares}
    skus = list(by_sku)
    index = SearchIndex((ware.sku, " ".join(ware.names), ware.brand) for ware in wares)
    seen, spent_ms = list[tuple[str, bool, bool]](), list[float]()
    dropped = absent = absent_sure = 0
    for one in asked:
        began = time.perf_counter()
        found = match(one.text, index, skus, lambda some: {sku: by_sku[sku] for sku in some})
        spent_ms.append((time.perf_counter() - began) * 1000)
        for text, meant, qty in one.lines:
            line = _line_of(text, found)
            if line is None:
                dropped += 1
                continue
            if not meant:
                absent, absent_sure = absent + 1, absent_sure + (line.kind == "sure")
                continue
            first = line.choices[0] if line.choices else None
            is_right = first is not None and first.sku in meant and line.kind in ("sure", "ask")
            seen.append((line.kind, is_right, is_right and (not qty or bool(first and first.qty == qty))))
    names = [" ".join((*ware.names, ware.brand, ware.pack_text)) for ware in wares]
    lines = [(text, meant) for one in asked for text, meant, _ in one.lines if meant][:to_reference]
    best = (process.extractOne(text, names, scorer=fuzz.WRatio, processor=utils.default_process) for text, _ in lines)
    right_there = sum(skus[hit[2]] in meant for hit, (_, meant) in zip(best, lines, strict=True)) / max(1, len(lines))
    count = max(1, len(seen) + dropped)
    wrong = sum(kind == "sure" and not right for kind, right, _ in seen)
    ours = {
        "right": round(sum(right for _, right, _ in seen) / count, 3),
        "right_amount": round(sum(amount for *_, amount in seen) / count, 3),
        "sure": round(sum(kind == "sure" for kind, *_ in seen) / count, 3),
        "wrong_unasked": round((wrong + absent_sure) / (count + absent), 3),
        "dropped": dropped,
        "p50_ms": round(percentile(spent_ms, 0.5), 1),
        "p99_ms": round(percentile(spent_ms, 0.99), 1),
    }
    return {
        "bench": "lists",
        "ours": ours,
        "reference": {"wratio": {"right": round(right_there, 3)}},
        "ratio": {"right": round(ours["right"] / max(right_there, 0.001), 3)},
        "settings": {
            "products": len(wares), "lists": len(asked), "lines": count + absent, "to_reference": len(lines),
            "seed": seed,
            "written": str(written or ""),
        },
    }  # fmt: skip


def stock(seed: int) -> tuple[list[Ware], list[str]]:
    """Return the products, of nine names in ten, of one brand each and in one to three sizes; and the other names."""
    dice = random.Random(seed)
    names, brands = names_and_brands()
    found, absent = list[Ware](), list[str]()
    for name in filter(words_of, names):
        if dice.random() < 0.1:
            absent.append(name)
            continue
        brand = dice.choice(brands)
        for size in dice.sample(SIZES, dice.choice((1, 1, 2, 3))):
            found.append(Ware(f"P{len(found):05d}", (name,), brand, "", size))
    return found, absent


def made(dice: random.Random, wares: Sequence[Ware], absent: Sequence[str], language: str) -> Written:
    """Make a list in a language, with what it means; of `absent` names no product."""
    meant = list[tuple[str, frozenset[str], int]]()
    for ware in dice.sample(wares, min(len(wares), dice.randint(3, 9))):
        if absent and dice.random() < 0.1:
            ware = Ware("", (dice.choice(absent),), "", "", dice.choice(SIZES))
        form, n = dice.choice(FORMS[language]), dice.randint(1, 5)
        words = typed(dice, ware.names[0])[1]
        text = form.format(name=words, n=n, word=WORDS[language][n - 1], hanzi=WORDS["zh"][n - 1], size=ware.pack_text)
        same = words_of(ware.names[0])
        skus = (
            one.sku
            for one in wares
            if words_of(one.names[0]) == same and ("{size}" not in form or one.pack_text == ware.pack_text)
        )
        says_n = any(part in form for part in ("{n}", "{word}", "{hanzi}"))
        meant.append((text, frozenset(skus), n if says_n else 1))
    *begins, one_end, other_end = FRAMES[language]
    shape = dice.choice(("\n{}", "\n- {}", "\n{n}. {}", "\n• {}", ", {}", "; {}"))
    body = "".join(shape.format(text, n=n) for n, (text, *_) in enumerate(meant, 1))
    begin = dice.choice(begins)
    if not begin or not shape.startswith("\n"):
        body = body.lstrip("\n,; ")
    return Written(f"{begin} {body}\n{dice.choice((one_end, other_end, ''))}", tuple(meant))


def _given(given: dict[str, Any]) -> list[Written]:
    return [
        Written(
            one["text"],
            tuple((line["line"], frozenset(line["skus"]), int(line.get("qty", 0))) for line in one["lines"]),
        )
        for one in given["lists"]
    ]


def _line_of(text: str, found: Sequence[Line]) -> Line | None:
    """Return the line with this text, or most of its words; None where none has any."""
    for line in found:
        if text in line.text:
            return line
    words = text.split()
    shares = [(sum(word in line.text for word in words), -n) for n, line in enumerate(found)]
    most, at = max(shares, default=(0, 0))
    return found[-at] if most else None


if __name__ == "__main__":
    main()

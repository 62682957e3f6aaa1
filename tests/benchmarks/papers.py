"""Suppliers' invoices with a seeded fault each, read and taken in as a store does it: what becomes of them.

`hostile` has the faults: wrong sums, currencies, signs, sizes, numbers and parties, charges, bombs, torn files, strange
encodings. An invoice is booked wrongly where it passes without a sentence and asks for as much as the honest one.
`--seed` starts elsewhere.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.benchmarks._node import percentile
from tests.supply.receiving.documents import hostile

PAPERS, QUICK = 1_000, 100


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} invoices")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--papers", type=int, default=PAPERS)
    asked = parser.parse_args()
    result = measure(QUICK if asked.quick else asked.papers, asked.seed)
    if asked.json:
        print(json.dumps(result))
        return
    ours = result["ours"]
    print(f"{ours['papers']} invoices: {ours['refused']} refused, {ours['shown']} shown with a sentence, "
          f"{ours['asks_for_less']} ask for less, {ours['booked_wrongly']} booked wrongly")  # fmt: skip
    print(f"{ours['ms_p50']} ms each, {ours['ms_p99']} ms at the 99th percentile")
    for kind in result["settings"]["other_than_meant"]:
        print(f"other than meant: {kind}")


def measure(papers: int, seed: int = 0) -> dict[str, Any]:
    """Make and judge so many invoices."""
    counts, spent_ms, other = Counter[str](), list[float](), set[str]()
    with tempfile.TemporaryDirectory() as folder:
        court = hostile.Court(Path(folder))
        for n in range(seed, seed + papers):
            kind, wanted, raw = hostile.seeded(n)
            began = time.perf_counter()
            found, sentence = court.judge(raw)
            spent_ms.append((time.perf_counter() - began) * 1_000)
            counts[found] += 1
            if not hostile.is_right(wanted, found, sentence):
                other.add(f"{kind} (seed {n}): {found} {sentence}")
        court.store.engine.dispose()
    return {
        "bench": "papers",
        "ours": {
            "papers": papers, "refused": counts[hostile.REFUSED], "shown": counts[hostile.SHOWN],
            "asks_for_less": counts[hostile.LESS], "booked_wrongly": counts[hostile.PASSED],
            "other_than_meant": len(other), "ms_p50": round(percentile(spent_ms, 0.5)),
            "ms_p99": round(percentile(spent_ms, 0.99)),
        },
        "reference": {}, "ratio": {},
        "settings": {"seed": seed, "faults": len(hostile.FAULTS), "other_than_meant": sorted(other)},
    }  # fmt: skip


if __name__ == "__main__":
    main()

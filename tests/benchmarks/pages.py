"""How long the operator waits for a page: 1,000 stores, 10 M sale lines (--quick: 1 M) on PostgreSQL, rolled up."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import httpx2

from store_app.demo.visitor import sign_in
from tests.benchmarks._network import PIN, pasts
from tests.benchmarks._node import percentile
from tests.benchmarks._past import STORES

ROUNDS = 40
PAGES = (
    "/console/", "/console/dashboard/", "/console/dashboard/?region=R1&days=91",
    "/console/dashboard/department?name=Category+1", "/console/outlook/all",
    "/console/stores/", "/console/stores/S0007", "/console/demand/", "/console/demand/R1",
    "/console/demand/R1/series", "/console/products/",
    "/console/products/P00001", "/console/products/P00001?region=R1", "/console/products/P00001/outlook.json",
    "/console/assortment/", "/console/assortment/?region=R1", "/console/assortment/?store=S0007",
    "/console/assortment/?view=gap", "/console/assortment/?view=dead&region=R1", "/console/assortment/dead/P00001",
    "/console/assortment/proposals", "/console/scorecards/", "/console/prices/", "/console/prices/?show=low",
    "/console/supply/", "/console/offers/", "/console/money/", "/console/claims/",
    "/console/campaigns/", "/console/customers/", "/console/outlook/", "/console/purchases/", "/console/routes/",
    "/console/transfers/", "/console/warehouse/", "/console/warehouse/stock", "/console/lessons/",
)  # fmt: skip


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="1 M lines, fewer rounds")
    asked = parser.parse_args()
    result = measure(1_000_000 if asked.quick else 10_000_000, ROUNDS // 4 if asked.quick else ROUNDS)
    if asked.json:
        print(json.dumps(result))
        return
    print(f"operator's pages: p99 {result['ours']['p99_ms']} ms; " + json.dumps(result["ours"]["by_page"]))


def measure(lines: int, rounds: int, stores: int = STORES) -> dict[str, Any]:
    """Ask for every page of a network with that past again and again."""
    with pasts(lines, stores=stores) as kept, kept.node(lines, writes=False) as node:
        spent = _ask(node.address, rounds)
    every = [ms for page in spent.values() for ms in page]
    return {
        "bench": "pages",
        "ours": {
            "p50_ms": round(percentile(every, 0.5), 1),
            "p99_ms": round(percentile(every, 0.99), 1),
            "by_page": {path: round(percentile(page, 0.99), 1) for path, page in spent.items()},
        },
        "reference": {},
        "ratio": {},
        "settings": {"stores": stores, "lines": lines, "rounds": rounds, "pages": len(spent)},
    }


def _ask(address: str, rounds: int) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {}
    with httpx2.Client(base_url=address, follow_redirects=True, timeout=60) as client:
        sign_in(client, "olga", PIN)
        for n in range(rounds + 1):
            for path in PAGES:
                began = time.perf_counter()
                answer = client.get(path)
                ms = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200, f"{path} answered {answer.status_code}"
                assert "sign-in" not in answer.url.path, f"{path} led to {answer.url.path}"
                if n:  # the first round warms
                    spent.setdefault(path, []).append(ms)
    return spent


if __name__ == "__main__":
    main()

"""Sharing 500 scarce products out over 1,000 stores: seconds from the claims to the packs of each."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np

from supply.network.warehouse.allocation import Claim, fair_share

PRODUCTS, STORES, ROUNDS, PACK = 500, 1_000, 3, 6


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="one round")
    asked = parser.parse_args()
    result = measure(1 if asked.quick else ROUNDS)
    print(json.dumps(result) if asked.json else f"{result['ours']['seconds']:.2f} s")


def measure(rounds: int, products: int = PRODUCTS, stores: int = STORES) -> dict[str, Any]:
    """Share out after a warm-up; half of what is needed is there."""
    random = np.random.default_rng(4)
    goods = [_claims(random, stores) for _ in range(products)]
    fair_share(10, goods[0], PACK)
    seconds, cpu = [], []
    for _ in range(rounds):
        began, before = time.perf_counter(), time.process_time()
        for claims in goods:
            available = sum(claim.required_packs for claim in claims) * PACK // 2
            assert sum(fair_share(available, claims, PACK)) * PACK <= available
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - before)
    return {
        "bench": "allocate",
        "ours": {"seconds": round(statistics.median(seconds), 3), "cpu_s": round(statistics.median(cpu), 3)},
        "reference": {}, "ratio": {},
        "settings": {"products": products, "stores": stores, "rounds": rounds, "scarcity": 0.5},
    }  # fmt: skip


def _claims(random: np.random.Generator, stores: int) -> list[Claim]:
    rates = np.exp(random.uniform(-2, 3, stores))
    needs = np.ceil(rates * 4 / PACK).astype(int).tolist()
    have = (rates * random.uniform(0, 3, stores)).astype(int).tolist()
    extra = random.integers(0, 9, stores).tolist()
    return [
        Claim(f"S{n:04d}", needs[n] + extra[n], needs[n], have[n], float(rates[n]), PACK, on_route=n % 7 > 0)
        for n in range(stores)
    ]


if __name__ == "__main__":
    main()

"""Look-up of one barcode over HTTP against a running store node, beside a bare Core read in the same run."""

from __future__ import annotations

import argparse
import json
import random
import statistics
import threading
import time
from typing import Any

import sqlalchemy as sa

from config.database import make_engine
from pos.catalogue.catalogue import Barcode, Price, Product
from tests.benchmarks._node import Served, code_of, percentile, store_node

PRODUCTS = 5_000


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds, per_round = (3, 150) if asked.quick else (5, 600)
    result = measure(rounds, per_round)
    if asked.json:
        print(json.dumps(result))
    else:
        ours, core = result["ours"], result["reference"]["core"]
        print(
            f"look-up: {ours['cpu_ms']:.2f} ms CPU (floor {core['cpu_ms']:.2f}), p50 {ours['p50_ms']:.2f} ms, "
            f"p99 {ours['p99_ms']:.2f} ms, {ours['per_s_1']:.0f}/s with 1 till, {ours['per_s_4']:.0f}/s with 4"
        )


def measure(rounds: int, per_round: int, products: int = PRODUCTS) -> dict[str, Any]:
    """Interleave our look-ups with the floor's and return medians over the rounds."""
    with store_node(products) as (served, url):
        return _measured(served, url, rounds, per_round, products)


def _measured(served: Served, url: str, rounds: int, per_round: int, products: int) -> dict[str, Any]:
    dice = random.Random(7)
    till = served.till()
    for _ in range(100):
        assert till.get(f"/api/scan/{code_of(dice.randrange(products))}")[0] == 200
    cpu, core_cpu, rate_1, rate_4, times = [], [], [], [], []
    engine = make_engine(url)
    for _ in range(rounds):
        codes = [code_of(dice.randrange(products)) for _ in range(per_round)]
        before, began = served.cpu_s(), time.perf_counter()
        for code in codes:
            status, found, spent_ms = till.get(f"/api/scan/{code}")
            assert status == 200
            assert found["product"]["sku"]
            times.append(spent_ms)
        rate_1.append(per_round / (time.perf_counter() - began))
        cpu.append((served.cpu_s() - before) * 1000 / per_round)
        core_cpu.append(_floor(engine, codes))
        rate_4.append(_together(served, codes))
    engine.dispose()
    ours = {
        "cpu_ms": round(statistics.median(cpu), 3),
        "p50_ms": round(percentile(times, 0.5), 2),
        "p99_ms": round(percentile(times, 0.99), 2),
        "per_s_1": round(statistics.median(rate_1), 1),
        "per_s_4": round(statistics.median(rate_4), 1),
    }
    core = {"cpu_ms": round(statistics.median(core_cpu), 3)}
    return {
        "bench": "lookup",
        "ratio": {"cpu": round(ours["cpu_ms"] / core["cpu_ms"], 2)},
        "ours": ours,
        "reference": {"core": core},
        "settings": {"products": products, "rounds": rounds, "per_round": per_round, "synchronous": "FULL"},
    }


def _floor(engine: sa.Engine, codes: list[str]) -> float:
    query = (
        sa.select(Product.sku, Product.name, Barcode.qty, Price.price_minor)
        .join(Barcode, Barcode.sku == Product.sku)
        .join(Price, Price.sku == Product.sku)
        .where(Barcode.code == sa.bindparam("code"))
        .order_by(Price.from_day.desc())
        .limit(1)
    )
    began = time.process_time()
    for code in codes:
        with engine.connect() as connection:
            assert connection.execute(query, {"code": code}).one().sku
    return (time.process_time() - began) * 1000 / len(codes)


def _together(served: Served, codes: list[str]) -> float:
    def ask(part: list[str]) -> None:
        till = served.till()
        for code in part:
            assert till.get(f"/api/scan/{code}")[0] == 200

    threads = [threading.Thread(target=ask, args=(codes[n::4],)) for n in range(4)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(codes) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

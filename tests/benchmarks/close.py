"""Closing a shift with 10,000 sales, beside one with 100: the time must not grow with the sales."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from config.database import Database
from config.nodes.journal import Actor, Context
from pos.till import shift
from tests.benchmarks._books import BEGAN, LINES, closed, open_books, sell_many
from tests.benchmarks._node import STORE, TILL

SALES, FEW = 10_000, 100


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    result = measure(1 if asked.quick else 3)
    if asked.json:
        print(json.dumps(result))
    else:
        ours = result["ours"]
        print(
            f"close of {SALES} sales: {ours['seconds'] * 1000:.1f} ms, "
            f"of {FEW} sales: {ours['seconds_few'] * 1000:.1f} ms, "
            f"{ours['bytes_z']} bytes of Z"
        )


def measure(rounds: int, sales: int = SALES, few: int = FEW) -> dict[str, Any]:
    """Close big and small shifts in turn; medians over the rounds."""
    big: list[float] = []
    small: list[float] = []
    size = 0
    with tempfile.TemporaryDirectory(prefix="cornerstore-close-") as folder:
        database = open_books(f"sqlite:///{Path(folder) / 'store.db'}")
        number = 1
        for _ in range(rounds):
            for count, times in ((few, small), (sales, big)):
                sell_many(database, count, number)
                number += count
                began = time.perf_counter()
                report = closed(database).z_report or {}
                times.append(time.perf_counter() - began)
                assert report["sales_count"] == count, "Z counts every sale"
                size = len(json.dumps(report))
                _open_again(database)
        database.engine.dispose()
    return {
        "bench": "close",
        "ours": {
            "seconds": round(statistics.median(big), 4),
            "seconds_few": round(statistics.median(small), 4),
            "bytes_z": size,
        },
        "reference": {},
        "ratio": {},
        "settings": {"sales": sales, "few": few, "lines": LINES, "rounds": rounds, "synchronous": "FULL"},
    }


def _open_again(database: Database) -> None:
    with database.write() as session:
        shift.open_shift(Context(session, Actor("ana", "Ana", "cashier", STORE), BEGAN), STORE, TILL, 10_000)


if __name__ == "__main__":
    main()

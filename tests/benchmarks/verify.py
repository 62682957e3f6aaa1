"""Verifying a store's books: 100,000 sealed sales in 20 shifts, chain, rows, sealed days, Z reports and anchors."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from config.database import AMENDING, Database, make_engine
from config.nodes import day_seals, journal
from config.nodes.journal import Actor, Context
from pos.till import shift
from store_app.node import verifying
from store_app.runtime import tables
from tests.benchmarks._books import BEGAN, LINES, closed, open_books, sell_many
from tests.benchmarks._node import STORE, TILL

SALES, A_SHIFT = 100_000, 5_000


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="20,000 sales")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_once(asked.one)))
        return
    result = measure(SALES // 5 if asked.quick else SALES, 1 if asked.quick else 3)
    if asked.json:
        print(json.dumps(result))
    else:
        ours = result["ours"]
        print(
            f"verify of {result['settings']['sales']} sales: {ours['seconds']:.2f} s, {ours['rss_mib']:.0f} MiB; "
            f"{ours['rows_sealed']} rows sealed in {ours['seconds_to_seal']:.2f} s; "
            f"a tampered sale found in {ours['seconds_tampered']:.2f} s"
        )


def measure(sales: int, rounds: int, a_shift: int = A_SHIFT) -> dict[str, Any]:
    """Fill the books once, then verify them in processes of their own; medians over the rounds."""
    with tempfile.TemporaryDirectory(prefix="cornerstore-verify-") as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        database = open_books(url)
        for first in range(1, sales + 1, a_shift):
            sell_many(database, a_shift, first)
            closed(database)
            with database.write() as session:
                actor = Actor("ana", "Ana", "cashier", STORE)
                shift.open_shift(Context(session, actor, BEGAN), STORE, TILL, 10_000)
        began, rows = time.perf_counter(), _seal(database)
        sealing = time.perf_counter() - began
        whole = [_apart(url) for _ in range(rounds)]
        assert all(row["faults"] == [] and row["sealed"] == sales for row in whole), whole[0]["faults"][:3]
        _tamper(database, sales // 2)
        tampered = _once(url)
        assert len(tampered["faults"]) == 2, tampered["faults"]
        assert f"Receipt {sales // 2} of till" in tampered["faults"][0]
        assert tampered["faults"][1].startswith("1 row of sale_line of ")
        database.engine.dispose()
    return {
        "bench": "verify",
        "ours": {
            "seconds": round(statistics.median(row["seconds"] for row in whole), 2),
            "cpu_s": round(statistics.median(row["cpu_s"] for row in whole), 2),
            "seconds_to_seal": round(sealing, 2),
            "rows_sealed": rows,
            "seconds_tampered": round(tampered["seconds"], 2),
            "rss_mib": round(max(row["rss_mib"] for row in whole), 1),
        },
        "reference": {},
        "ratio": {},
        "settings": {"sales": sales, "lines": LINES, "shifts": sales // a_shift, "rounds": rounds},
    }


def _seal(database: Database) -> int:
    tables.known()
    rows = 0
    with database.read() as session:
        bunches = day_seals.unsealed(session, "2099-12-31")
    for bunch in bunches:
        with database.write() as session:
            sealed = day_seals.seal(session, bunch)
            actor = Actor.system("seal", STORE)
            journal.record(Context(session, actor, BEGAN), verb=day_seals.SEALED, subject="node", sealed=sealed)
            rows += sum(many for days in sealed.values() for many, _ in days.values())
    return rows


def _apart(url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.verify", "--one", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _once(url: str) -> dict[str, Any]:
    tables.known()
    database = Database(make_engine(url))
    began, before = time.perf_counter(), time.process_time()
    with database.read() as session:
        report = verifying.verify_in(session, STORE)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - before,
        "faults": report.faults,
        "sealed": report.sealed,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _tamper(database: Database, receipt_no: int) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT {AMENDING}(1)")
        connection.exec_driver_sql(
            "UPDATE sale_line SET total_minor = total_minor + 1 WHERE n = 3 AND sale_id = "
            "(SELECT id FROM sale WHERE receipt_no = ?)",
            (receipt_no,),
        )
        connection.commit()


if __name__ == "__main__":
    main()

"""A five-line cash sale over HTTP, durable before the answer, beside the same rows by Core and by `sqlite3` alone."""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import make_url

from config.database import Base, make_engine
from config.ids import new_id
from pos.sold import Sale
from tests.benchmarks._node import STORE, TILL, Served, code_of, filled, percentile, serving

PRODUCTS, LINES = 5_000, 5
WRITTEN = (
    "sale", "sale_line", "payment", "stock_movement", "stock_level", "cash_movement", "shift", "receipt_counter",
    "journal_entry", "journal_head", "outbox_message", "outbox_head", "print_job",
)  # fmt: skip


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds, per_round = (3, 60) if asked.quick else (5, 200)
    result = measure(rounds, per_round)
    if asked.json:
        print(json.dumps(result))
        return
    ours, floor = result["ours"], {name: one["cpu_ms"] for name, one in result["reference"].items()}
    print(
        f"five-line sale: {ours['cpu_ms']:.2f} ms CPU (Core {floor['core']:.2f}, sqlite3 {floor['raw']:.2f}), "
        f"p50 {ours['p50_ms']:.1f} ms, "
        f"p99 {ours['p99_ms']:.1f} ms, {ours['per_s_1']:.0f}/s with 1 till, {ours['per_s_4']:.0f}/s with 4, "
        f"lost {ours['lost']}, doubled {ours['doubled']}, {ours['pss_mib']:.0f} MiB, "
        f"{ours['start_s']:.1f} s from start to the first sale ({ours['founding_start_s']:.1f} s the first time)"
    )


def measure(rounds: int, per_round: int, products: int = PRODUCTS) -> dict[str, Any]:
    """Start and sell once a round, then interleave our sales with the floor's; medians over the rounds."""
    with filled(products) as (folder, url):
        starts = []
        for _ in range(rounds):
            with serving(folder, url) as served:
                starts.append(_first_sale(served))
        with serving(folder, url) as served:
            starts.append(_first_sale(served))
            result = _measured(served, url, rounds, per_round, products)
    result["ours"] |= {"start_s": round(statistics.median(starts[1:]), 2), "founding_start_s": round(starts[0], 2)}
    return result


def _measured(served: Served, url: str, rounds: int, per_round: int, listed: int) -> dict[str, Any]:
    """Interleave our sales with the floor's; medians over the rounds, then count what the books hold."""
    dice = random.Random(11)
    till = served.till()
    ranks = dice.sample(range(listed), min(400, listed))
    products = [till.get(f"/api/scan/{code_of(rank)}")[1]["product"] for rank in ranks]
    for _ in range(30):
        _sell(till, _basket(dice, products), [])
    acknowledged: list[str] = []
    faults: list[int] = []
    cpu, core_cpu, raw_cpu, rate_1, rate_4, core_rate, times, times_4 = [], [], [], [], [], [], [], []
    with tempfile.TemporaryDirectory(prefix="cornerstore-floor-") as folder:
        floor = Floor(f"sqlite:///{Path(folder) / 'floor.db'}", url)
        for _ in range(rounds):
            baskets = [_basket(dice, products) for _ in range(per_round)]
            before, began = served.cpu_s(), time.perf_counter()
            times += [_sell(till, basket, acknowledged, faults) for basket in baskets]
            rate_1.append(per_round / (time.perf_counter() - began))
            cpu.append((served.cpu_s() - before) * 1000 / per_round)
            began, before = time.perf_counter(), time.process_time()
            for _ in range(per_round):
                floor.write()
            core_cpu.append((time.process_time() - before) * 1000 / per_round)
            core_rate.append(per_round / (time.perf_counter() - began))
            before = time.process_time()
            for _ in range(per_round):
                floor.write_raw()
            raw_cpu.append((time.process_time() - before) * 1000 / per_round)
            spent, rate = _four(served, [_basket(dice, products) for _ in range(per_round)], acknowledged, faults)
            times_4 += spent
            rate_4.append(rate)
        floor.close()
    lost, doubled = _books(url, acknowledged)
    ours = {
        "cpu_ms": round(statistics.median(cpu), 2),
        "p50_ms": round(percentile(times, 0.5), 2),
        "p99_ms": round(percentile(times, 0.99), 2),
        "per_s_1": round(statistics.median(rate_1), 1),
        "per_s_4": round(statistics.median(rate_4), 1),
        "p99_ms_4": round(percentile(times_4, 0.99), 2),
        "lost": lost,
        "doubled": doubled,
        "server_errors": sum(status >= 500 for status in faults),
        "pss_mib": round(served.pss_mib(), 1),
    }
    core = {"cpu_ms": round(statistics.median(core_cpu), 2), "per_s_1": round(statistics.median(core_rate), 1)}
    raw = {"cpu_ms": round(statistics.median(raw_cpu), 2)}
    return {
        "bench": "checkout",
        "ratio": {
            "cpu": round(ours["cpu_ms"] / core["cpu_ms"], 2),
            "cpu_raw": round(ours["cpu_ms"] / raw["cpu_ms"], 2),
        },
        "ours": ours,
        "reference": {"core": core, "raw": raw},
        "settings": {
            "products": listed, "lines": LINES, "rounds": rounds, "per_round": per_round, "synchronous": "FULL",
        },
    }  # fmt: skip


def _first_sale(served: Served) -> float:
    """Sell once; returns the seconds since the node was started."""
    till = served.till()
    products = [till.get(f"/api/scan/{code_of(rank)}")[1]["product"] for rank in range(LINES)]
    _sell(till, _basket(random.Random(11), products), [])
    return time.perf_counter() - served.began


def _basket(dice: random.Random, products: list[dict[str, Any]]) -> dict[str, Any]:
    chosen = dice.sample(products, LINES)
    total = sum(product["price_minor"] for product in chosen)
    return {
        "id": str(uuid.uuid4()),
        "till_id": TILL,
        "lines": [{"sku": product["sku"], "qty": 1} for product in chosen],
        "tenders": [{"tender": "cash", "amount_minor": -(-total // 1000) * 1000}],
        "shown_total_minor": total,
    }


def _sell(till: Any, basket: dict[str, Any], acknowledged: list[str], faults: list[int] | None = None) -> float:
    status, answer, spent_ms = till.post("/api/sales", basket)
    if status in (200, 201):
        acknowledged.append(basket["id"])
    elif faults is None:
        raise RuntimeError(f"the sale was refused: {status} {answer}")
    else:
        faults.append(status)
    return float(spent_ms)


def _four(
    served: Served, baskets: list[dict[str, Any]], acknowledged: list[str], faults: list[int]
) -> tuple[list[float], float]:
    spent: list[float] = []

    def trade(till: Any, part: list[dict[str, Any]]) -> None:
        spent.extend(_sell(till, basket, acknowledged, faults) for basket in part)

    tills = [served.till() for _ in range(4)]  # signing in is no part of a sale
    threads = [threading.Thread(target=trade, args=(till, baskets[n::4])) for n, till in enumerate(tills)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return spent, len(baskets) / (time.perf_counter() - began)


def _books(url: str, acknowledged: list[str]) -> tuple[int, int]:
    engine = make_engine(url)
    with engine.connect() as connection:
        ids = list(connection.scalars(sa.select(Sale.id).where(Sale.store_id == STORE)))
    engine.dispose()
    kept = set(ids)
    return sum(sale_id not in kept for sale_id in acknowledged), len(ids) - len(kept)


class Floor:
    """Writes the very rows of a recorded sale again and again, with SQLAlchemy Core or with `sqlite3` alone.

    No HTTP, no rules, no look-ups: what is left is the database's own work.
    """

    def __init__(self, url: str, recorded_url: str) -> None:
        self._engine = make_engine(url)
        Base.metadata.create_all(self._engine)
        self._rows = self._record(recorded_url)
        self._raw = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        self._raw.execute("PRAGMA synchronous=FULL")
        self._inserts = [self._insert(table, rows) for table, rows in self._rows]

    def write(self) -> None:
        """Write one sale's rows under new ids in one durable transaction."""
        mark = new_id()
        with self._engine.connect().execution_options(sqlite_begin="IMMEDIATE") as connection, connection.begin():
            for table, rows in self._rows:
                fresh = [self._renamed(table, row, mark) for row in rows]
                connection.execute(table.insert(), fresh)

    def write_raw(self) -> None:
        """Write the same rows by `sqlite3`, in one durable transaction."""
        mark = new_id()
        self._raw.execute("BEGIN IMMEDIATE")
        for words, rows, renamed in self._inserts:
            self._raw.executemany(
                words,
                [[f"{value[:26]}{mark}" if n in renamed else value for n, value in enumerate(row)] for row in rows],
            )
        self._raw.execute("COMMIT")

    def close(self) -> None:
        """Close the floor's database."""
        self._raw.close()
        self._engine.dispose()

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> tuple[str, list[list[Any]], set[int]]:
        """Return the statement, the rows as SQLite has them, and which of their values are renamed each time."""
        mark = new_id()
        with self._engine.connect() as connection, connection.begin() as changes:
            connection.execute(table.insert(), [self._renamed(table, row, mark) for row in rows])
            whole = connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()  # nothing else is in it yet
            changes.rollback()
        names = [column.name for column in table.columns]
        renamed = {n for n, one in enumerate(whole[0]) if isinstance(one, str) and one.endswith(mark)}
        words = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        return words, [list(row) for row in whole], renamed

    def _record(self, url: str) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
        source = make_engine(url)
        tables = Base.metadata.tables
        with source.connect() as connection:
            sale = connection.execute(sa.select(tables["sale"]).limit(1)).mappings().one()
            found = []
            for name in WRITTEN:
                table = tables[name]
                query = sa.select(table)
                if "sale_id" in table.c:
                    query = query.where(table.c.sale_id == sale["id"])
                elif "subject" in table.c:
                    query = query.where(table.c.subject == f"sale:{sale['id']}")
                elif "source_id" in table.c:
                    query = query.where(table.c.source_id == sale["id"])
                elif name == "sale":
                    query = query.where(table.c.id == sale["id"])
                elif name == "stock_level":
                    query = query.limit(LINES)
                else:
                    query = query.limit(1)
                found.append((table, [dict(row) for row in connection.execute(query).mappings()]))
        source.dispose()
        return [(table, rows) for table, rows in found if rows]

    @staticmethod
    def _renamed(table: sa.Table, row: dict[str, Any], mark: str) -> dict[str, Any]:
        fresh = dict(row)
        for column in (*table.primary_key.columns, *(c for c in table.c if c.unique)):
            if isinstance(fresh[column.name], str):
                fresh[column.name] = f"{fresh[column.name][:26]}{mark}"
        for name in ("epoch", "till_id", "order_no"):
            if name in fresh and isinstance(fresh[name], str):
                fresh[name] = f"{fresh[name][:20]}{mark}"
        return fresh


if __name__ == "__main__":
    main()

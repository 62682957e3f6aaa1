"""Reordering a whole store: 5,000 products from the ledger to written proposals, and sales going on meanwhile.

The reference ("core") writes the very rows of the proposals with bare SQLAlchemy Core. `network` proposes for many
stores from forecasts already published, as the operator's node does for stores without a node of their own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from config.database import Database, make_engine, table_of
from config.migrate import upgrade
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.stock import stock
from pos.store.store import Region, Store
from supply.demand.forecasts import ForecastQuantile, ForecastRun, ForecastSeries
from supply.demand.history import StoreDay
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import proposals
from tests.stock_sold import sell_goods

STORE = "B01"
PRODUCTS, ROUNDS = 5_000, 5
STORES, STORE_PRODUCTS, SLICE = 1_000, 2_000, 50
HORIZON = 14
DAWN = dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC)
TODAY = DAWN.date()
ACTOR = Actor.system("bench", STORE)


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="three rounds, 20 stores at the network")
    parser.add_argument("--stores", type=int, help="stores at the network")
    parser.add_argument("--propose", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.propose:
        print(json.dumps(_proposed(asked.propose)))
        return
    result = measure(3 if asked.quick else ROUNDS, asked.stores or (20 if asked.quick else STORES))
    print(json.dumps(result) if asked.json else json.dumps(result, indent=1))


def measure(
    rounds: int, stores: int, *, products: int = PRODUCTS, store_products: int = STORE_PRODUCTS, calm_sales: int = 200
) -> dict[str, Any]:
    """One store in processes of its own, each round on a fresh start; then the network's stores one after the other."""
    with tempfile.TemporaryDirectory(prefix="cornerstore-reorder-") as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        database = founded(url, {STORE: products})
        core = [_core(database) for _ in range(rounds + 1)][1:]
        calm, busy = _sales_meanwhile(database, url, calm_sales, min(4, rounds))  # warms up what is measured next
        runs = [_apart(url) for _ in range(rounds)]
        database.engine.dispose()
    network = _network(stores, store_products)
    ours = {
        "seconds": round(statistics.median(run["seconds"] for run in runs), 3),
        "cpu_s": round(statistics.median(run["cpu_s"] for run in runs), 3),
        "lines": runs[0]["lines"],
        "peak_mib": round(max(run["peak_mib"] for run in runs), 1),
        "sale_p99_ms": busy, "sale_p99_ms_calm": calm, "network": network,
    }  # fmt: skip
    seconds = round(statistics.median(core), 3)
    return {
        "bench": "reorder", "ours": ours, "reference": {"core": {"seconds": seconds}},
        "ratio": {"seconds": round(ours["seconds"] / seconds, 2)},
        "settings": {"products": products, "rounds": rounds, "stores": stores, "store_products": store_products},
    }  # fmt: skip


def founded(url: str, stores: dict[str, int]) -> Database:
    """Found stores that list so many products each, with stock, prices, a supplier and a published forecast."""
    upgrade(url)
    database = Database(make_engine(url))
    most = max(stores.values())
    skus = [f"P{n:05d}" for n in range(most)]
    since = TODAY - dt.timedelta(days=300)
    with database.write() as session:
        found(session, STORE, at=DAWN)
        session.add_all([Region(id="R", name="Bench"), TaxClass(id="food", name="Food", rate_bp=700, inclusive=True)])
        session.flush()
        session.execute(
            sa.insert(Product),
            [{"sku": sku, "name": f"Product {sku}", "category": f"C{n % 20}", "tax_class_id": "food",
              "search_text": sku, "shelf_life_days": 6 if n % 10 == 0 else None} for n, sku in enumerate(skus)],
        )  # fmt: skip
        session.execute(
            sa.insert(Price),
            [
                {"sku": sku, "scope_id": "*", "from_day": since, "price_minor": 150 + n % 300}
                for n, sku in enumerate(skus)
            ],
        )
        session.add(
            Supplier(
                id="vehicle",
                name="Vehicle",
                kind="network",
                calendar=DeliveryCalendar(lead_days=2),
                minimum_minor=9_000,
            )
        )
        session.flush()
        session.execute(
            sa.insert(SupplierProduct),
            [{"supplier_id": "vehicle", "sku": sku, "pack_qty": pack, "pack_cost_minor": 90 * pack}
             for sku, pack in zip(skus, [1, 6, 12] * most, strict=False)],
        )  # fmt: skip
    for store_id, count in stores.items():
        _found_store(database, store_id, skus[:count])
    return database


def _found_store(database: Database, store_id: str, skus: list[str]) -> None:
    random = np.random.default_rng(zlib.crc32(store_id.encode()))
    rates = np.exp(random.uniform(-3, 2.5, len(skus)))
    origin, first = TODAY - dt.timedelta(days=1), TODAY
    with database.write() as session:
        session.add(
            Store(
                id=store_id,
                name=store_id,
                slug=store_id.lower(),
                region_id="R",
                currency="EUR",
                tz="UTC",
                joined_at=DAWN,
            )
        )
        session.flush()
        session.execute(sa.insert(Listing), [{"store_id": store_id, "sku": sku} for sku in skus])
        have = np.rint(rates * random.uniform(0, 5, len(skus))).astype(int).tolist()
        opening = [(sku, qty) for sku, qty in zip(skus, have, strict=True) if qty]
        stock.open_stock(Context(session, ACTOR, DAWN), store_id, opening, source_id=f"open-{store_id}")
        session.add_all(
            StoreDay(store_id=store_id, business_day=TODAY - dt.timedelta(days=n), open=True, sales=50, revenue_minor=1)
            for n in range(1, 29)
        )
        run_id = f"run-{store_id}"
        session.add(
            ForecastRun(id=run_id, scope_kind="store", scope_id=store_id, state="published", origin_day=origin,
                        horizon_days=HORIZON, started_at=DAWN, series=len(skus))
        )  # fmt: skip
        session.flush()
        how = {"model": "level", "reason": "own_history", "regional_share": 0.2, "weekday_profile": [1] * 7}
        session.execute(
            sa.insert(ForecastSeries),
            [
                {"run_id": run_id, "sku": sku, "level": rate, **how}
                for sku, rate in zip(skus, rates.tolist(), strict=True)
            ],
        )
        spread = np.array([0.0, 0.67, 1.28, 1.64, 2.33])
        for n in range(1, HORIZON + 1):
            mean = rates * n
            levels = np.rint(np.maximum(mean[:, None] + spread * np.sqrt(1.4 * mean)[:, None], 0))
            last = first + dt.timedelta(days=n - 1)
            rows = [
                {"run_id": run_id, "sku": sku, "first_day": first, "last_day": last, "mean": at,
                 "q50": q[0], "q75": q[1], "q90": q[2], "q95": q[3], "q99": q[4]}
                for sku, at, q in zip(skus, mean.tolist(), levels.tolist(), strict=True)
            ]  # fmt: skip
            session.execute(sa.insert(ForecastQuantile), rows)


def _apart(url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.reorder", "--propose", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _proposed(url: str) -> dict[str, Any]:
    """Propose once in this process, everything loaded: what the worker does each night."""
    from store_app.runtime import tables
    from supply.replenishment import policy  # noqa: F401 - loaded by the worker before

    tables.known()
    database = Database(make_engine(url))
    with database.read() as session:
        session.execute(sa.select(Store)).all()
    gc.freeze()  # as the child that keeps the nights does
    began, before = time.perf_counter(), time.process_time()
    with database.read() as session:
        drafts = proposals.draft(session, STORE, at=DAWN)
    with database.write() as session:
        made = proposals.write(Context(session, ACTOR, DAWN), STORE, drafts)
        count = session.scalar(sa.select(sa.func.count()).where(OrderLine.order_id.in_([order.id for order in made])))
    seconds, cpu = time.perf_counter() - began, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu_s": cpu, "lines": count, "peak_mib": peak}


def _core(database: Database) -> float:
    """Write as many order lines with bare Core, without any arithmetic."""
    with database.read() as session:
        rows = [dict(row) for row in session.execute(sa.select(table_of(OrderLine))).mappings()]
        order = session.execute(sa.select(table_of(ReplenishmentOrder))).mappings().first()
    if order is None:
        with database.write() as session:
            proposals.propose(Context(session, ACTOR, DAWN), STORE)
        return _core(database)
    head = dict(order)
    rows = [row for row in rows if row["order_id"] == head["id"]]
    began = time.perf_counter()
    with database.write() as session:
        number = time.perf_counter_ns()
        again = head | {"id": f"core{number}", "order_no": number % 10**9, "state": "dropped"}
        session.execute(sa.insert(table_of(ReplenishmentOrder)), again)
        session.execute(sa.insert(table_of(OrderLine)), [row | {"order_id": again["id"]} for row in rows])
    return time.perf_counter() - began


def _sales_meanwhile(database: Database, url: str, calm_sales: int, nights: int) -> tuple[float, float]:
    """Return the p99 of a sale's stock transaction in milliseconds, alone and while a proposal is made beside it."""

    def sell(n: int) -> float:
        began = time.perf_counter()
        with database.write() as session:
            sale_id = f"sale-{n}-{time.perf_counter_ns()}"
            sell_goods(Context(session, ACTOR, DAWN), STORE, [("P00001", 1)], sale_id=sale_id, day=TODAY)
        return 1000 * (time.perf_counter() - began)

    calm = [sell(n) for n in range(calm_sales)]
    busy: list[float] = []
    for _ in range(nights):
        worker = threading.Thread(target=_apart, args=(url,))
        worker.start()
        while worker.is_alive():
            busy.append(sell(len(busy)))
        worker.join()
    return tuple(round(float(np.percentile(times, 99)), 1) for times in (calm, busy))  # type: ignore[return-value]


def _network(stores: int, products: int) -> dict[str, Any]:
    """Propose for many stores of one node, a store a transaction, from forecasts already published.

    They come in slices, each a network of its own, so that no disk need hold them all; what each took is told at once.
    """
    seconds = cpu = 0.0
    lines = done = 0
    while done < stores:
        names = [f"S{n:04d}" for n in range(done, min(done + SLICE, stores))]
        took = _slice(names, products)
        done, seconds, cpu, lines = done + len(names), seconds + took[0], cpu + took[1], lines + took[2]
        reported = f"{done} of {stores} stores: {seconds:.1f} s, {cpu:.1f} CPU-s, {lines} lines"
        print(reported, file=sys.stderr, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": round(seconds, 1), "cpu_s": round(cpu, 1), "stores": stores, "lines": lines,
        "peak_mib": round(peak, 1), "minutes_1000_stores": round(seconds / stores * 1000 / 60, 2),
    }  # fmt: skip


def _slice(names: list[str], products: int) -> tuple[float, float, int]:
    """Return seconds, CPU seconds and lines of proposing for these stores; laying them out does not count."""
    with tempfile.TemporaryDirectory(prefix="cornerstore-reorder-") as folder:
        database = founded(f"sqlite:///{Path(folder) / 'network.db'}", dict.fromkeys(names, products))
        began, before = time.perf_counter(), time.process_time()
        for name in names:
            with database.write() as session:
                proposals.propose(Context(session, ACTOR, DAWN), name)
        seconds, cpu = time.perf_counter() - began, time.process_time() - before
        with database.read() as session:
            lines = session.scalar(sa.select(sa.func.count()).select_from(OrderLine)) or 0
        database.engine.dispose()
    return seconds, cpu, lines


if __name__ == "__main__":
    main()

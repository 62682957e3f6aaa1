"""Parts of the forecast's benchmark about size: a store's nights on SQLite, 100,000 series, a Dask cluster."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from config.nodes.journal import Actor, Context
from forecasting import run
from forecasting.fit.state import CONTEXT_DAYS, KEPT_DAYS, from_bytes, moved_on, to_bytes
from forecasting.series.panel import DemandPanel, Floats
from pos.catalogue.catalogue import Listing, Product
from supply.demand import forecast_store, forecasts, rollups
from tests.supply.sold import AT, DAY, make_node

PRODUCTS, DAYS, NIGHTS = 3_000, 728, 3
TOP_CATEGORIES = 30
NIGHT = Actor.system("forecast", "S1")


def trade(products: int, days: int, seed: int) -> Floats:
    """Return (n, T) made-up sales of a corner store: most products slow, a week's shape, drifting levels."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(0.5, 1.6, products)[:, None] * np.exp(np.cumsum(rng.normal(0, 0.01, (products, days)), axis=1))
    week = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.5, 0.8])[np.arange(days) % 7]
    return np.asarray(rng.poisson(level * week), dtype=np.float64)


def store(products: int, seed: int) -> DemandPanel:
    """Return a made-up store's panel."""
    keys = tuple((f"S{seed}", f"P{row:05d}") for row in range(products))
    top_categories = tuple(f"category {row % TOP_CATEGORIES}" for row in range(products))
    first = DAY - dt.timedelta(days=DAYS - 1)
    return DemandPanel(keys, first, trade(products, DAYS, seed), category=top_categories, region=("R",) * products)


def nights(products: int = PRODUCTS) -> dict[str, float]:
    """Time a store's nights on SQLite: read, compute, write; one that measures all, and the nights after it
    (median)."""
    with tempfile.TemporaryDirectory() as folder:
        database = make_node(Path(folder) / "store.db", "S1", ["S1"])
        y = trade(products, DAYS, 1)
        with database.write() as session:
            session.add_all(
                Product(
                    sku=f"P{row:05d}",
                    name=f"P{row}",
                    category="things",
                    department=f"category {row % TOP_CATEGORIES}",
                    stock_unit="each",
                    tax_class_id="std",
                    search_text="p",
                )
                for row in range(products)
            )
            session.flush()
            session.add_all(Listing(store_id="S1", sku=f"P{row:05d}") for row in range(products))
            sold = ((row, day) for row, day in np.argwhere(y > 0).tolist())
            rollups.import_history(
                session,
                (
                    ("S1", f"P{row:05d}", DAY - dt.timedelta(days=DAYS - 1 - day), int(y[row, day]), 100, 1)
                    for row, day in sold
                ),
            )
        spent = []
        for back in range(NIGHTS, -1, -1):
            began = time.perf_counter(), time.process_time()
            with database.read() as session:
                loaded = forecasts.load_store(session, "S1", DAY - dt.timedelta(days=back))
            computed = forecasts.compute_store(loaded)
            with database.write() as session:
                forecast_store.store_store(Context(session, NIGHT, AT - dt.timedelta(days=back)), computed)
            whole = loaded.state is None
            spent.append((whole, time.perf_counter() - began[0], time.process_time() - began[1]))
        database.engine.dispose()
    later = sorted((wall, cpu) for whole, wall, cpu in spent if not whole)
    first = max((wall, cpu) for whole, wall, cpu in spent if whole)
    return {
        "store_night_s": round(later[len(later) // 2][0], 2),
        "store_night_cpu_s": round(later[len(later) // 2][1], 2),
        "measuring_night_s": round(first[0], 2),
        "measuring_night_cpu_s": round(first[1], 2),
    }


def memory(stores: int, products: int) -> dict[str, float]:
    """Measure and move on so many stores of so many products, one after the other, in a child; its greatest size."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory, (stores, products))


def _memory(stores: int, products: int) -> dict[str, float]:
    began = time.process_time()
    for seed in range(stores):
        panel = store(products, seed)
        kept = to_bytes(run.measure(panel.between(0, DAYS - 1), horizon_days=14, country="US", kept_days=KEPT_DAYS))
        state = from_bytes(kept)
        assert state is not None
        recent = panel.between(DAYS - 1 - CONTEXT_DAYS, DAYS)
        run.say(moved_on(state, recent), horizon_days=14, panel=recent)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"series": stores * products, "rss_mib": round(mib, 1), "cpu_s": round(time.process_time() - began, 1)}


def cluster(stores: int = 4, products: int = 300) -> dict[str, Any]:
    """Forecast some stores here and on two local Dask workers, and compare every digit."""
    from distributed import LocalCluster

    loaded = [
        forecasts.Loaded("store", f"S{seed}", DAY, store(products, seed), "US") for seed in range(stores)
    ]  # fmt: skip
    here, seconds = _timed(lambda: forecasts.compute_stores(loaded))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers:
        there, far = _timed(lambda: forecasts.compute_stores(loaded, cluster=workers.scheduler_address))
    same = all(
        np.array_equal(a.forecast.mean, b.forecast.mean)
        and np.array_equal(a.forecast.cumulative, b.forecast.cumulative)
        for a, b in zip(here, there, strict=True)
        if a.forecast is not None and b.forecast is not None
    )
    return {"same_to_the_last_digit": same, "workers": 2, "here_s": round(seconds, 2), "workers_s": round(far, 2)}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began

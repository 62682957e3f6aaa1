"""How long the operator waits for a page: 1,000 shops, 10 M sale lines (--quick: 1 M) on PostgreSQL, rolled up."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from typing import Any

import httpx2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import partitions
from config.database import Database, make_engine
from config.journal import Actor
from config.node import NETWORK
from pos import fresh_days, stock
from pos.catalogue import Product
from pos.store import Store
from store_app.demo.visitor import sign_in
from supply import rolling, suppliers, vans
from tests.benchmarks._network import PIN, network_node
from tests.benchmarks._node import percentile
from tests.benchmarks._past import A_DAY, LAST_DAY, lay_in

STORES, LINES, ROUNDS, WAREHOUSE = 1000, 4, 40, "WH1"
PAGES = (
    "/console/", "/console/shops/", "/console/shops/S0007", "/console/demand/", "/console/demand/R1",
    "/console/demand/R1/series", "/console/supply/", "/console/offers/", "/console/money/", "/console/claims/",
    "/console/campaigns/", "/console/customers/", "/console/outlook/", "/console/purchases/", "/console/rounds/",
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


def measure(lines: int, rounds: int) -> dict[str, Any]:
    """Lay the past in, add it up, ask for every page again and again."""
    started = time.monotonic()
    with network_node(STORES) as node:
        database = Database(make_engine(node.database_url))
        sales = lines // LINES
        days = [LAST_DAY - dt.timedelta(days=n) for n in range((sales - 1) // A_DAY + 1)]
        with database.write() as session:
            for day in days[::7]:
                partitions.keep(session, day)
            _open_warehouse(session)
        lay_in(database, 0, sales)
        print(f"[{time.monotonic() - started:6.1f} s] {lines:,} lines lie there", file=sys.stderr, flush=True)
        began = time.perf_counter()
        _add_up(database, days)
        rolled_s = time.perf_counter() - began
        print(f"[{time.monotonic() - started:6.1f} s] added up", file=sys.stderr, flush=True)
        spent = _ask(node.address, rounds)
        database.engine.dispose()
    every = [ms for page in spent.values() for ms in page]
    return {
        "bench": "pages",
        "ours": {
            "p50_ms": round(percentile(every, 0.5), 1),
            "p99_ms": round(percentile(every, 0.99), 1),
            "by_page": {path: round(percentile(page, 0.99), 1) for path, page in spent.items()},
            "rollup_days_per_s": round(len(days) * STORES / rolled_s, 1),
        },
        "reference": {},
        "ratio": {},
        "settings": {"stores": STORES, "lines": lines, "days": len(days), "rounds": rounds, "pages": len(spent)},
    }


def _open_warehouse(session: Session) -> None:
    """Give the network a warehouse full of goods, every shop a place on the map, and two vans."""
    given: dict[str, Any] = {
        "actor": Actor.system("bench", NETWORK),
        "at": dt.datetime.combine(LAST_DAY, dt.time(6), dt.UTC),
    }
    suppliers.found_warehouse(session, WAREHOUSE, "Network supply", id="supply", **given)
    skus = session.scalars(sa.select(Product.sku).order_by(Product.sku)).all()
    for sku in skus:
        suppliers.offer_product(session, "supply", sku, pack_qty=12, pack_cost_minor=2_400, **given)
    stock.open_stock(session, WAREHOUSE, [(sku, 1200) for sku in skus], source_id="opening", **given)
    vans.place(session, WAREHOUSE, 52_500_000, 13_400_000, **given)
    for n, store_id in enumerate(session.scalars(sa.select(Store.id).order_by(Store.id)).all()):
        vans.place(session, store_id, 52_400_000 + n % 32 * 7_000, 13_200_000 + n // 32 * 11_000, **given)
    for name in ("Van 1", "Van 2"):
        vans.add_van(session, WAREHOUSE, name, 400, **given)


def _add_up(database: Database, days: list[dt.date]) -> None:
    at = dt.datetime.combine(LAST_DAY, dt.time(12), dt.UTC) + dt.timedelta(days=2)
    with database.write() as session:
        for store_id in session.scalars(sa.select(Store.id)).all():
            fresh_days.mark(session, store_id, days, at=at)
    while True:
        with database.write() as session:
            if not rolling.roll_fresh(session, at=at):
                break
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


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
                if n:  # the first round warms
                    spent.setdefault(path, []).append(ms)
    return spent


if __name__ == "__main__":
    main()

"""How long the operator waits for a page: 1,000 stores, 10 M sale lines (--quick: 1 M) on PostgreSQL, rolled up.

Then for lists of 20,000 rows, sorted and filtered by each kind of column, on a copy.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import time
from typing import Any

import httpx2
import sqlalchemy as sa

from config.database import Database, make_engine
from config.ids import NETWORK
from config.nodes.journal import JournalEntry
from pos.catalogue.catalogue import Price, Product
from pos.stock.ledger import StockLevel
from store_app.demo.visitor import sign_in
from supply.orders.suppliers import SupplierProduct
from tests.benchmarks._network import PIN, WAREHOUSE, pasts
from tests.benchmarks._node import percentile
from tests.benchmarks._past import LAST_DAY, STORES

ROUNDS = 40
BEYOND = 10**9
"""Where made-up entries of the journal begin: its own go on below."""
WORDS = ("Cheese", "Milk", "Bread", "Rice", "Tea", "Soap", "Apple", "Bean", "Cocoa", "Flour", "Honey", "Juice")
PAGES = (
    "/console/", "/console/dashboard/", "/console/dashboard/?region=R1&days=91",
    "/console/dashboard/department?name=Category+1", "/console/outlook/all",
    "/console/stores/", "/console/stores/S0007", "/console/demand/R1",
    "/console/demand/R1/series", "/console/products/",
    "/console/products/P00001", "/console/products/P00001?region=R1", "/console/products/P00001/outlook.json",
    "/console/assortment/", "/console/assortment/?region=R1", "/console/assortment/?store=S0007",
    "/console/assortment/?view=gap", "/console/assortment/?view=dead&region=R1", "/console/assortment/dead/P00001",
    "/console/assortment/proposals", "/console/scorecards/", "/console/prices/", "/console/prices/?show=low",
    "/console/supply/", "/console/supply/allocation/", "/console/promotions/", "/console/money/", "/console/claims/",
    "/console/promotions/campaigns/new", "/console/customers/", "/console/purchases/", "/console/routes/",
    "/console/transfers/", "/console/warehouse/", "/console/warehouse/stock", "/console/lessons/",
)  # fmt: skip
ROWS = 20_000
LISTS = (
    "/console/products/?sort=shown", "/console/products/?sort=-shown&page=200", "/console/products/?sort=-category",
    "/console/products/?sort=shelf_life_days", "/console/products/?q=cheese", "/console/products/?category=Kind+7",
    "/console/prices/?sort=-pack_cost_minor", "/console/prices/?sort=price_minor", "/console/prices/?sort=pack_qty",
    "/console/prices/?sort=begins&columns=begins", "/console/prices/?q=L00777", "/console/warehouse/stock?sort=qty",
    "/console/warehouse/stock?sort=-pack_qty&gone=1", "/console/warehouse/stock?q=cheese&category=Kind+7",
    "/console/audit/?sort=verb&who=", "/console/audit/?sort=-at&who=", "/console/audit/?q=L00777&who=",
    "/console/stores/?sort=-week_minor", "/console/stores/?sort=heard_at", "/console/stores/?sort=state&find=7",
    "/console/money/?sort=-late_minor", "/console/purchases/?sort=-cost_minor", "/console/claims/?sort=-answered_at",
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


def measure(lines: int, rounds: int, stores: int = STORES, rows: int = ROWS) -> dict[str, Any]:
    """Ask for every page of a network with that past again and again."""
    with pasts(lines, stores=stores) as kept:
        with kept.node(lines, writes=False) as node:
            spent = _ask(node.address, rounds, PAGES)
        with kept.node(lines, writes=True) as node:
            _fill_lists(node.database_url, rows)
            spent |= _ask(node.address, rounds, LISTS)
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
        "settings": {"stores": stores, "lines": lines, "rounds": rounds, "rows": rows, "pages": len(spent)},
    }


def _fill_lists(database_url: str, rows: int) -> None:
    """Give the network's supplier and its warehouse that many more products, and its journal an entry about each."""
    database = Database(make_engine(database_url))
    at = dt.datetime.combine(LAST_DAY, dt.time(6), dt.UTC)
    dice = random.Random(3)
    made: list[dict[str, Any]] = [
        {
            "sku": f"L{n:05d}", "name": f"{dice.choice(WORDS)} {dice.choice(WORDS)} {n % 97}", "tax_class_id": "food",
            "category": f"Kind {n % 40}", "shelf_life_days": n % 30 or None,
        }
        for n in range(rows)
    ]  # fmt: skip
    for one in made:
        one["search_text"] = f"{one['name']} {one['category']}".lower()
    with database.write() as session:
        session.execute(sa.insert(Product), made)
        some = [(one["sku"], dice.randrange(1_000)) for one in made]
        session.execute(sa.insert(Price), [{"sku": sku, "from_day": LAST_DAY, "price_minor": n} for sku, n in some])
        terms = {"supplier_id": "supply", "pack_qty": 12, "minimum_packs": 1}
        session.execute(
            sa.insert(SupplierProduct), [terms | {"sku": sku, "pack_cost_minor": 10 * n} for sku, n in some]
        )
        there = {"store_id": WAREHOUSE, "place": "floor"}
        session.execute(sa.insert(StockLevel), [there | {"sku": sku, "qty": n % 50} for sku, n in some])
        entry = {
            "node_id": NETWORK, "at": at, "actor_id": "olga", "actor_name": "Olga",
            "body": "{}", "hash": "made up",
        }  # fmt: skip
        entries = [
            entry | {"n": BEYOND + n, "verb": f"price.set-{n % 7}", "subject": f"product:{one['sku']}"}
            for n, one in enumerate(made)
        ]
        session.execute(sa.insert(JournalEntry), entries)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    database.engine.dispose()


def _ask(address: str, rounds: int, pages: tuple[str, ...]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {}
    with httpx2.Client(base_url=address, timeout=60) as client:
        sign_in(client, "olga", PIN)
        for n in range(rounds + 1):
            for path in pages:
                began = time.perf_counter()
                answer = client.get(path)
                ms = (time.perf_counter() - began) * 1000
                assert answer.status_code == 200, f"{path} answered {answer.status_code}, not with the page"
                if n:  # the first round warms
                    spent.setdefault(path, []).append(ms)
    return spent


if __name__ == "__main__":
    main()

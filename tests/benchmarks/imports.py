"""Bringing in another till's export of 5,000 products: from its bytes to the preview, and from there to the books.

What reads a file is loaded once before: the web server has done so with the first file it was sent.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

PRODUCTS = 5_000
STORE = "S1"


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
        for of, ours in result["ours"].items():
            print(f"{of:<12} " + ", ".join(f"{name.removesuffix('_s')} {value:.2f} s" for name, value in ours.items()))


def measure(rounds: int, products: int = PRODUCTS) -> dict[str, Any]:
    """Bring a list of each program into empty books; medians over the rounds."""
    from store_app.files import importing  # late: a child that reads a file imports this module again
    from tests.store_app.files import more_item_exports
    from tests.store_app.files.item_exports import gtin

    goods = [
        more_item_exports.Item(
            f"Product no. {n} Größe M", f"A{n:05}", gtin(n), f"Category {n % 60}", f"{1 + n % 40}.{n % 100:02}",
            f"{n % 30}.{n % 100:02}", str(n % 50), "7" if n % 3 else "19", f"Supplier {n % 12}",
        )
        for n in range(1, products + 1)
    ]  # fmt: skip
    ours = {}
    importing.read("products", more_item_exports.square(goods[:2]).encode(), "items.csv")
    for name in ("square", "shopify", "loyverse", "odoo", "lightspeed_r"):
        raw = getattr(more_item_exports, name)(goods).encode()
        times = [_brought(raw) for _ in range(rounds)]
        preview_s, write_s, cpu_s = (round(statistics.median(column), 3) for column in zip(*times, strict=True))
        ours[name] = {"preview_s": preview_s, "write_s": write_s, "cpu_s": cpu_s}
    return {
        "bench": "imports", "ours": ours, "reference": {}, "ratio": {},
        "settings": {"products": products, "rounds": rounds},
    }  # fmt: skip


def _brought(raw: bytes) -> tuple[float, float, float]:
    """Preview a list and write it, as the page does: read twice. Returns the seconds of both, and of this process."""
    import datetime as dt

    from config.nodes.journal import Actor, Context
    from config.nodes.node import found
    from pos.store.store import found_store
    from store_app.files import importing
    from tests.empty import empty_database

    at, answers = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), {"tax.": "19", "tax.Item": "19"}
    with tempfile.TemporaryDirectory(prefix="cornerstore-imports-") as folder:
        database = empty_database(Path(folder) / "store.db")
        with database.write() as session:
            found(session, STORE, at=at)
            found_store(session, STORE, "Corner", region="North", currency="USD", tz="UTC", at=at)
        began, cpu = time.perf_counter(), time.process_time()
        sheet = importing.read("products", raw, "items.csv", answers=answers)
        with database.read() as session:
            importing.look_around(session, sheet, STORE, at=at)
        previewed = time.perf_counter()
        sheet = importing.read("products", raw, "items.csv", answers=answers)
        with database.write() as session:
            importing.write(Context(session, Actor("ana", "Ana", "shopkeeper", STORE), at), sheet, STORE)
        written = time.perf_counter()
        database.engine.dispose()
        return previewed - began, written - previewed, time.process_time() - cpu


if __name__ == "__main__":
    main()

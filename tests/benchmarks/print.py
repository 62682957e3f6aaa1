"""Paper: from Pay to the printer's first byte, also while the nightly forecast runs, and what a dead printer costs.

`first_byte`: Pay pressed to the receipt's first byte, each sale when the one before is printed, beside a bare
connection that sends a receipt to the same printer at the same time (`reference`). `stages` split it: the sale's
answer, the worker's wake and claim, the connection, the printer's state asked. `till`: one sale after another without
a pause, in turns with a printer that works, one that refuses and one that hangs. `cpu_ms`: a 40-line receipt from its
document to its bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

import sqlalchemy as sa

from config.database import Database, make_engine
from config.nodes.journal import JournalEntry
from pos.documents import receipt
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.printing.queue import PrintJob
from supply.demand.history import DailyDemand, StoreDay
from tests.benchmarks._node import STORE, TILL, Served, code_of, percentile, store_node

PRODUCTS, LINES, COLUMNS, PATIENCE_S, DAYS = 500, 40, 48, 120.0, 365
BEGIN, STATUS, DONE = b"\x1b@", b"\x10\x04", b"\x1dr"
MODES = ("ready", "refusing", "hanging")
BARS = {"first_byte_p99_ms": 200, "first_byte_p99_ms_forecast": 200, "till_p99_dead_printer": 1.1, "cpu_ms": 3}


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds, sales = (3, 45) if asked.quick else (12, 300)
    result = measure(rounds, sales)
    if asked.json:
        print(json.dumps(result))
        return
    for name, bar in result["bars"].items():
        print(f"{name}: {bar['is']} (at most {bar['at_most']}): {'held' if bar['held'] else 'NOT held'}")


def measure(rounds: int, sales: int, products: int = PRODUCTS, days: int = DAYS) -> dict[str, Any]:
    """Take all in turns: quiet, with the forecast, the till with each kind of printer; encode between them."""
    printer = SocketPrinter()
    with store_node(products, printer=f"net:127.0.0.1:{printer.port}") as (served, url):
        database = Database(make_engine(url))
        remember(database, products, days)
        result = _measured(served, url, database, printer, rounds, sales)
        database.engine.dispose()
    result["settings"] |= {"products": products, "history_days": days}
    return result


def _measured(
    served: Served, url: str, database: Database, printer: SocketPrinter, rounds: int, sales: int
) -> dict[str, Any]:
    dice, till = random.Random(11), served.till()
    products = [till.get(f"/api/scan/{code_of(rank)}")[1]["product"] for rank in range(60)]
    bare = encode(receipt.layout(document(), columns=COLUMNS), PrinterModel(COLUMNS))
    for _ in range(5):
        printed_sale(till, printer, dice.sample(products, 5))
    quiet, busy, bare_ms = list[Printed](), list[Printed](), dict[bool, list[float]]({False: [], True: []})
    at_till, cpu = dict[str, list[float]]({mode: [] for mode in MODES}), dict[bool, list[float]]({True: [], False: []})
    spent_s, each, forecasts = 0.0, sales // rounds, 0
    for _ in range(rounds):
        began = served.cpu_s()
        for _ in range(each):
            quiet.append(printed_sale(till, printer, dice.sample(products, 5)))
            bare_ms[False].append(bare_send(printer, bare))
        spent_s += served.cpu_s() - began
        with forecasting(url) as running:
            for _ in range(each):
                busy.append(printed_sale(till, printer, dice.sample(products, 5)))
                bare_ms[True].append(bare_send(printer, bare))
        forecasts += running.begun
        for mode in MODES:
            at_till[mode] += till_sales(till, printer, mode, products, dice, each)
        for chinese, spent in cpu.items():
            spent.append(encoding_ms(PrinterModel(COLUMNS, chinese)))
    stages = split(database, quiet)
    ours: dict[str, Any] = {
        "first_byte_p50_ms": middle([one.first_byte_ms for one in quiet]),
        "first_byte_p99_ms": worst([one.first_byte_ms for one in quiet]),
        "first_byte_p50_ms_forecast": middle([one.first_byte_ms for one in busy]),
        "first_byte_p99_ms_forecast": worst([one.first_byte_ms for one in busy]),
        "stages_p50_ms": {name: middle(times) for name, times in stages.items()},
        "stages_p99_ms": {name: worst(times) for name, times in stages.items()},
        "till_p50_ms": {mode: middle(times) for mode, times in at_till.items()},
        "till_p99_ms": {mode: worst(times) for mode, times in at_till.items()},
        "cpu_ms": round(statistics.median(cpu[True]), 3),
        "cpu_ms_western": round(statistics.median(cpu[False]), 3),
        "cpu_ms_sale_and_paper": round(spent_s * 1000 / len(quiet), 1),
    }
    reference = {
        "bare_send_p50_ms": middle(bare_ms[False]),
        "bare_send_p99_ms": worst(bare_ms[False]),
        "bare_send_p50_ms_forecast": middle(bare_ms[True]),
        "bare_send_p99_ms_forecast": worst(bare_ms[True]),
    }
    ratio = {
        "till_p99_dead_printer": round(
            max(ours["till_p99_ms"][mode] for mode in MODES[1:]) / ours["till_p99_ms"]["ready"], 2
        ),
        "first_byte_p99_to_bare_send": round(ours["first_byte_p99_ms"] / reference["bare_send_p99_ms"], 1),
    }
    found = {**ours, **ratio}
    bars = {name: {"is": found[name], "at_most": most, "held": found[name] <= most} for name, most in BARS.items()}
    settings = {
        "lines": LINES, "columns": COLUMNS, "rounds": rounds, "sales": len(quiet), "forecasts_begun": forecasts,
    }  # fmt: skip
    return {
        "bench": "print", "ratio": ratio, "bars": bars, "ours": ours, "reference": reference, "settings": settings,
    }  # fmt: skip


class SocketPrinter:
    """A printer that is ready and prints at once, or refuses, or hangs; it knows when each job's first byte came."""

    def __init__(self) -> None:
        self.mode = "ready"
        self.events: dict[str, list[float]] = {"connected": [], "begun": [], "done": []}
        self.done = threading.Semaphore(0)
        self.bare = threading.Semaphore(0)
        self.bare_at = 0.0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._serve, args=[self._door], daemon=True).start()

    def become(self, mode: str) -> None:
        """Work, refuse or hang from now on."""
        if mode == "refusing" and self.mode != mode:
            self._door.shutdown(socket.SHUT_RDWR)
            self._door.close()
        elif self.mode == "refusing" != mode:
            self._door = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._serve, args=[self._door], daemon=True).start()
        self.mode = mode

    def _serve(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _address = door.accept()
                with wire, contextlib.suppress(OSError):
                    self._answer(wire, time.perf_counter())

    def _answer(self, wire: socket.socket, connected: float) -> None:
        heard, asked, begun = b"", False, False
        while got := wire.recv(65536):
            at = time.perf_counter()
            if self.mode != "ready":
                continue
            heard += got
            if not asked and heard.startswith(BEGIN):  # nobody asked first: the bare connection
                self.bare_at = at
                self.bare.release()
                return
            if not begun and BEGIN in heard:
                begun = True
                self.events["connected"].append(connected)
                self.events["begun"].append(at)
            if not begun:
                wire.sendall(b"\x12" * heard.count(STATUS))
                heard, asked = b"", True
            elif heard.endswith(DONE + b"\x01"):
                wire.sendall(b"\x00")
                self.events["done"].append(at)
                self.done.release()
                heard = b""


class Printed:
    """When a sale's paper reached each stage, in seconds of one clock."""

    def __init__(self, sale_id: str, pressed: float, answered: float, connected: float, begun: float) -> None:
        self.sale_id, self.pressed, self.answered = sale_id, pressed, answered
        self.connected, self.begun = connected, begun

    @property
    def first_byte_ms(self) -> float:
        """Return Pay to the first byte."""
        return (self.begun - self.pressed) * 1000


def printed_sale(till: Any, printer: SocketPrinter, chosen: list[dict[str, Any]]) -> Printed:
    """Sell, wait for the paper, and say when what happened."""
    before, pressed = len(printer.events["begun"]), time.perf_counter()
    sale_id = sell(till, chosen)
    answered = time.perf_counter()
    if not printer.done.acquire(timeout=PATIENCE_S):
        raise RuntimeError("the receipt was not printed")
    return Printed(sale_id, pressed, answered, printer.events["connected"][before], printer.events["begun"][before])


def sell(till: Any, chosen: list[dict[str, Any]]) -> str:
    """Sell these products for cash."""
    total_minor = sum(product["price_minor"] for product in chosen)
    basket = {
        "id": str(uuid.uuid4()),
        "till_id": TILL,
        "lines": [{"sku": product["sku"], "qty": 1} for product in chosen],
        "tenders": [{"tender": "cash", "amount_minor": total_minor}],
        "shown_total_minor": total_minor,
    }
    status, answer, _spent_ms = till.post("/api/sales", basket)
    if status != 201:
        raise RuntimeError(f"not sold: {status} {answer}")
    return str(basket["id"])


def bare_send(printer: SocketPrinter, paper: bytes) -> float:
    """Return the milliseconds from opening a bare connection to its first byte at the printer."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", printer.port)) as wire:
        wire.sendall(paper)
        if not printer.bare.acquire(timeout=PATIENCE_S):
            raise RuntimeError("the bare connection did not come through")
    return (printer.bare_at - began) * 1000


def till_sales(
    till: Any, printer: SocketPrinter, mode: str, products: list[dict[str, Any]], dice: random.Random, count: int
) -> list[float]:
    """Return the milliseconds of sales one after another, with this kind of printer; then let it print them all."""
    printer.become(mode)
    times = []
    for _ in range(count):
        chosen, began = dice.sample(products, 5), time.perf_counter()
        sell(till, chosen)
        times.append((time.perf_counter() - began) * 1000)
    printer.become("ready")
    sell(till, dice.sample(products, 5))  # the first to print makes the failed ones due
    for _ in range(count + 1):
        if not printer.done.acquire(timeout=PATIENCE_S):
            raise RuntimeError("a receipt was lost")
    return times


class Forecasting:
    """The nightly forecast, run again and again in a process of its own, as the night's child runs it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.begun, self._environment = 0, environment

    def __enter__(self) -> Forecasting:
        command = [sys.executable, "-c", "from tests.benchmarks.print import forecast_on; forecast_on()"]
        self._running = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._count_first()
        return self

    def __exit__(self, *_: object) -> None:
        failed = self._running.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)  # with the child that computes
        self.begun += len(self._running.communicate()[0].split())
        if failed is not None:
            raise RuntimeError("the forecast failed")

    def _count_first(self) -> None:
        assert self._running.stdout is not None
        if self._running.stdout.readline() != "begun\n":
            raise RuntimeError("the forecast did not begin")
        self.begun += 1


def forecast_on() -> None:
    """Forecast the store the settings name without end."""
    from config import settings
    from store_app.jobs.desk import Desk
    from store_app.jobs.forecast import forecast_store
    from store_app.runtime.doors import open_doors

    desk = Desk(open_doors(settings.load()))
    while True:
        print("begun", flush=True)
        forecast_store(desk, dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))


def forecasting(url: str) -> Forecasting:
    """Return a forecast of the bench's store, to be run while a block lasts."""
    folder = url.removeprefix("sqlite:///").rsplit("/", 1)[0]
    return Forecasting(
        os.environ
        | {
            "CORNERSTORE_ROLE": "store", "CORNERSTORE_NODE_ID": STORE, "CORNERSTORE_DATABASE_URL": url,
            "CORNERSTORE_STATE_FOLDER": folder, "CORNERSTORE_SECRET_KEY": "bench" * 8,
        }
    )  # fmt: skip


def remember(database: Database, products: int, days: int) -> None:
    """Give the store a past of sold products, so that a forecast has something to do."""
    dice, last = random.Random(5), dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    for n in range(days):
        known = {"store_id": STORE, "business_day": last - dt.timedelta(days=n), "imported": True}
        sold = [
            {"sku": f"P{rank:05d}", "sold_qty": 1 + dice.randrange(9), "revenue_minor": 100, "sales": 1}
            for rank in range(products)
        ]
        with database.write() as session:
            session.execute(sa.insert(StoreDay), {**known, "open": True, "sales": 100, "revenue_minor": 100})
            session.execute(sa.insert(DailyDemand), [{**known, **one} for one in sold])


def split(database: Database, printed: list[Printed]) -> dict[str, list[float]]:
    """Return the milliseconds of each stage: pay, wake and claim, connect, status."""
    wall = time.time() - time.perf_counter()
    with database.read() as session:
        jobs = {row.source_id: row.id for row in session.execute(sa.select(PrintJob.source_id, PrintJob.id))}
        query = sa.select(JournalEntry.subject, JournalEntry.at).where(JournalEntry.verb.like("%sending%"))
        claimed = {subject: at.timestamp() - wall for subject, at in session.execute(query)}
    stages: dict[str, list[float]] = {"pay": [], "claim": [], "connect": [], "status": []}
    for one in printed:
        at = claimed.get(f"print:{jobs[one.sale_id]}")
        stages["pay"].append((one.answered - one.pressed) * 1000)
        if at is not None:
            stages["claim"].append((at - one.pressed) * 1000)
            stages["connect"].append((one.connected - at) * 1000)
        stages["status"].append((one.begun - one.connected) * 1000)
    return stages


def middle(values: list[float]) -> float:
    """Return the median, to a tenth."""
    return round(percentile(values, 0.5), 1)


def worst(values: list[float]) -> float:
    """Return the 99th percentile, to a tenth."""
    return round(percentile(values, 0.99), 1)


def encoding_ms(model: PrinterModel, times: int = 50) -> float:
    """Return the CPU milliseconds one receipt of 40 lines takes from its document to its bytes."""
    snapshot = document()
    began = time.process_time()
    for _ in range(times):
        encode(receipt.layout(snapshot, columns=model.columns), model)
    return (time.process_time() - began) * 1000 / times


def document() -> dict[str, Any]:
    lines: list[dict[str, Any]] = [
        {
            "name": f"Product number {n} of the shelf, crème",
            "qty": 1 + n % 3,
            "stock_unit": "each",
            "unit_price_minor": 199,
            "price_quantity": 1,
            "discount_minor": 20 if n % 5 == 0 else 0,
            "offer": "",
            "total_minor": 199 * (1 + n % 3) - (20 if n % 5 == 0 else 0),
            "tax_class_id": "food",
            "rate_bp": 700,
        }
        for n in range(LINES)
    ]
    total_minor = sum(line["total_minor"] for line in lines)
    tax = {"tax_class_id": "food", "rate_bp": 700, "net_minor": total_minor, "tax_minor": 0, "gross_minor": total_minor}
    return {
        "store": {"name": "Corner Store", "address": "12 High Street", "phone": "", "currency": "EUR"},
        "till_name": "Till 1",
        "receipt_no": 1,
        "cashier_name": "Ana",
        "local_time": "2026-11-24 14:32",
        "kind": "sale",
        "lines": lines,
        "taxes": [tax],
        "payments": [{"tender": "cash", "amount_minor": total_minor, "is_change": False}],
        "rounding_minor": 0,
        "total_minor": total_minor,
    }


if __name__ == "__main__":
    main()

"""Paper: the CPU a 40-line receipt takes to lay out and encode, and how long after Pay a printer hears of it."""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import threading
import time
import uuid
from typing import Any

from pos import receipt
from pos.encoding import encode
from pos.printer_model import PrinterModel
from tests.benchmarks._node import TILL, code_of, percentile, store_node

PRODUCTS, LINES, COLUMNS, PATIENCE_S = 500, 40, 48, 60.0
BEGIN, STATUS, DONE = b"\x1b@", b"\x10\x04", b"\x1dr"


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds, sales = (5, 60) if asked.quick else (15, 300)
    printer = SocketPrinter()
    with store_node(PRODUCTS, printer=f"net:127.0.0.1:{printer.port}") as (served, _url):
        result = measure(served.till(), printer, rounds, sales)
    if asked.json:
        print(json.dumps(result))
        return
    ours = result["ours"]
    print(
        f"40-line receipt: {ours['cpu_ms']:.2f} ms CPU in Chinese mode, {ours['cpu_ms_western']:.2f} ms by code page; "
        f"Pay to first byte p50 {ours['first_byte_p50_ms']:.0f} ms, p99 {ours['first_byte_p99_ms']:.0f} ms"
    )


def measure(till: Any, printer: SocketPrinter, rounds: int, sales: int) -> dict[str, Any]:
    """Sell one basket after another, each when the one before is printed; encode between them."""
    dice = random.Random(11)
    products = [till.get(f"/api/scan/{code_of(rank)}")[1]["product"] for rank in range(60)]
    for _ in range(5):
        _first_byte_ms(till, printer, dice.sample(products, 5))
    times, cpu = [], dict[bool, list[float]]({True: [], False: []})
    for _ in range(rounds):
        times += [_first_byte_ms(till, printer, dice.sample(products, 5)) for _ in range(sales // rounds)]
        for chinese, spent in cpu.items():
            spent.append(_encoding_ms(PrinterModel(COLUMNS, chinese)))
    ours = {
        "cpu_ms": round(statistics.median(cpu[True]), 3),
        "cpu_ms_western": round(statistics.median(cpu[False]), 3),
        "first_byte_p50_ms": round(percentile(times, 0.5), 1),
        "first_byte_p99_ms": round(percentile(times, 0.99), 1),
    }
    settings = {"lines": LINES, "columns": COLUMNS, "rounds": rounds, "sales": len(times), "products": PRODUCTS}
    return {"bench": "print", "ours": ours, "reference": {}, "ratio": {}, "settings": settings}


class SocketPrinter:
    """A printer that is always ready, prints at once, and knows when a job's first byte came."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.begun: list[float] = []
        self.done = threading.Semaphore(0)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            wire, _address = self._door.accept()
            with wire:
                self._answer(wire)

    def _answer(self, wire: socket.socket) -> None:
        heard, begun = b"", False
        while got := wire.recv(65536):
            at = time.perf_counter()
            heard += got
            if not begun and BEGIN in heard:
                begun = True
                self.begun.append(at)
            if not begun:
                wire.sendall(b"\x12" * heard.count(STATUS))
                heard = b""
            elif heard.endswith(DONE + b"\x01"):
                wire.sendall(b"\x00")
                self.done.release()
                heard = b""


# --- inside ---


def _first_byte_ms(till: Any, printer: SocketPrinter, chosen: list[dict[str, Any]]) -> float:
    """Return the milliseconds from pressing Pay to the receipt's first byte at the printer."""
    total_minor = sum(product["price_minor"] for product in chosen)
    basket = {
        "id": str(uuid.uuid4()),
        "till_id": TILL,
        "lines": [{"sku": product["sku"], "qty": 1} for product in chosen],
        "tenders": [{"tender": "cash", "amount_minor": total_minor}],
        "shown_total_minor": total_minor,
    }
    before, pressed = len(printer.begun), time.perf_counter()
    status, answer, _spent_ms = till.post("/api/sales", basket)
    if status != 201:
        raise RuntimeError(f"not sold: {status} {answer}")
    if not printer.done.acquire(timeout=PATIENCE_S):
        raise RuntimeError("the receipt was not printed")
    return (printer.begun[before] - pressed) * 1000


def _encoding_ms(model: PrinterModel, times: int = 50) -> float:
    """Return the CPU milliseconds one receipt of 40 lines takes from its document to its bytes."""
    document = _document()
    began = time.process_time()
    for _ in range(times):
        encode(receipt.layout(document, columns=model.columns), model)
    return (time.process_time() - began) * 1000 / times


def _document() -> dict[str, Any]:
    lines = [
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

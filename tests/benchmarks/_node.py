"""A store node of its own for measuring: 5,000 products, real server process, a signed-in till at its side."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import sqlalchemy as sa

from config.database import Database, make_engine
from config.migrate import upgrade
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass, search_text_for
from pos.catalogue.gs1 import check_digit
from pos.stock import stock
from pos.store.store import Region, Store, Till, add_staff
from pos.till import shift
from store_app.demo.visitor import sign_in

STORE, TILL, PIN = "B01", "T1", "2468"
START_S = 60.0


def code_of(rank: int) -> str:
    """Return the in-store GTIN-13 of a product."""
    body = f"20{rank:010d}"
    return body + check_digit(body)


def fill(database_url: str, products: int, at: dt.datetime | None = None) -> None:
    """Found a store that lists `products` products, with stock and an open till; at: when, instead of now."""
    upgrade(database_url)
    database = Database(make_engine(database_url))
    at = at or dt.datetime.now(dt.UTC)
    today = at.date() - dt.timedelta(days=2)
    actor = Actor.system("bench", STORE)
    skus = [f"P{rank:05d}" for rank in range(products)]
    with database.write() as session:
        found(session, STORE, at=at)
        session.add(Region(id="R", name="Bench"))
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        session.add(
            Store(id=STORE, name="Bench corner", slug="bench", region_id="R", currency="EUR", tz="UTC", joined_at=at)
        )
        session.flush()
        session.add(Till(store_id=STORE, id=TILL, name="Till 1"))
        add_staff(session, STORE, "ana", "Ana", "shopkeeper", PIN)
        session.execute(
            sa.insert(Product),
            [
                {
                    "sku": sku,
                    "name": f"Product {rank} of the shelf",
                    "category": f"Category {rank % 40}",
                    "tax_class_id": "food",
                    "search_text": search_text_for(f"Product {rank}", "", f"Category {rank % 40}"),
                }
                for rank, sku in enumerate(skus)
            ],
        )
        session.execute(
            sa.insert(Barcode), [{"code": code_of(rank), "sku": sku, "qty": 1} for rank, sku in enumerate(skus)]
        )
        session.execute(
            sa.insert(Price),
            [
                {"sku": sku, "scope_id": "*", "from_day": today, "price_minor": 99 + rank % 700}
                for rank, sku in enumerate(skus)
            ],
        )
        session.execute(sa.insert(Listing), [{"store_id": STORE, "sku": sku} for sku in skus])
    with database.write() as session:
        stock.open_stock(Context(session, actor, at), STORE, [(sku, 5000) for sku in skus], source_id="bench")
        shift.open_shift(Context(session, Actor("ana", "Ana", "shopkeeper", STORE), at), STORE, TILL, 10_000)
    database.engine.dispose()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """A running store node and what a signed-in till knows about it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, headers: dict[str, str], began: float) -> None:
        self.process, self.port, self.headers, self.began = process, port, headers, began
        self._tills: list[Asking] = []

    def till(self) -> Asking:
        """Return one till's connection, kept open as a browser keeps it."""
        self._tills.append(Asking(self.port, self.headers))
        return self._tills[-1]

    def close(self) -> None:
        """Close the tills' connections."""
        for till in self._tills:
            till.close()

    def cpu_s(self) -> float:
        """Return the CPU seconds the server's process tree has used so far."""
        root = psutil.Process(self.process.pid)
        total = 0.0
        for process in [root, *root.children(recursive=True)]:
            times = process.cpu_times()
            total += times.user + times.system
        return total

    def pss_mib(self) -> float:
        """Return the proportional memory of the web process."""
        root = psutil.Process(self.process.pid)
        tree = [root, *root.children(recursive=True)]
        return float(max(process.memory_full_info().pss for process in tree) / 2**20)


class Asking:
    """One keep-alive connection that answers (status, JSON, milliseconds)."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = headers

    def get(self, path: str) -> tuple[int, Any, float]:
        """Ask for a page of the API."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any) -> tuple[int, Any, float]:
        """Send a command."""
        return self._ask("POST", path, json.dumps(body).encode())

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, Any, float]:
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        began = time.perf_counter()
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        text = answer.read()
        spent_ms = (time.perf_counter() - began) * 1000
        return answer.status, json.loads(text) if text else None, spent_ms


@contextmanager
def store_node(products: int = 5_000, *, printer: str | None = None) -> Iterator[tuple[Served, str]]:
    """Serve a filled store node from a temporary folder; gives (the server, its database address)."""
    with filled(products) as (folder, url), serving(folder, url, printer=printer) as served:
        yield served, url


@contextmanager
def filled(products: int) -> Iterator[tuple[Path, str]]:
    """Found a store in a temporary folder; gives (the folder, its database address)."""
    with tempfile.TemporaryDirectory(prefix="cornerstore-bench-") as folder:
        url = f"sqlite:///{folder}/{STORE}.db"
        fill(url, products)
        yield Path(folder), url


@contextmanager
def serving(folder: Path, url: str, *, printer: str | None = None) -> Iterator[Served]:
    """Serve a founded store and sign in.

    printer: the setting of a printer that its worker prints on; without one no worker runs.
    """
    port = free_port()
    environment = os.environ | {
        "CORNERSTORE_ROLE": "store",
        "CORNERSTORE_NODE_ID": STORE,
        "CORNERSTORE_DATABASE_URL": url,
        "CORNERSTORE_STATE_FOLDER": str(folder),
        "CORNERSTORE_SECRET_KEY": "bench" * 8,
        "CORNERSTORE_PORT": str(port),
        "CORNERSTORE_LOG_LEVEL": "WARNING",
    }
    environment |= {"CORNERSTORE_PRINTER": printer} if printer else {}
    began = time.perf_counter()
    command = [sys.executable, "-m", "store_app", "serve", *([] if printer else ["--no-work"])]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        try:
            headers = _sign_in(f"http://127.0.0.1:{port}", process, folder / "server.log")
            with closing(Served(process, port, headers, began)) as served:
                yield served
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _sign_in(base: str, process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_S
    with httpx2.Client(base_url=base, follow_redirects=True) as client:
        while True:
            try:
                client.get("/health").raise_for_status()
                break
            except httpx2.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the node did not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.05)
        token = sign_in(client, "ana", PIN)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return {"Cookie": cookie, "X-CSRF-Token": token, "Host": base.removeprefix("http://")}


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

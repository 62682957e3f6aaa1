"""A store and its network for `pair_scenarios.py`: sell, who has what, how much waits. Also founds and serves both.

`python pair.py store PORT` and `python pair.py net PORT` found their node in $FAULT_DATA_DIR where there is none yet,
and serve it with its worker; the store finds its network at $NETWORK_URL. With $DATABASE_URL the network is on
PostgreSQL. With $FAULT_DAYS both nodes see so many days pass while the store sells cut off, on the clock a practice
network shares: under libfaketime one sale in twenty takes ten times its processor, and selling is timed here. What a
computer's own clock does to a node, `clock_*` tries.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from config.clock import PracticeClock  # noqa: E402  found from here: a tool loads this file alone
from tests.faults import counter, founding  # noqa: E402
from tests.faults.adapter import KEY, _signed_in  # noqa: E402
from tests.faults.counter import STORE  # noqa: E402
from tests.faults.founding import STORE_KEY  # noqa: E402

ON_POSTGRES = "database-url"
WORKER_S = 60.0
DAYS = int(os.environ.get("FAULT_DAYS", "0"))
BEFORE = 200
"""The tool's scenario `partition` sells so much before it cuts the line."""
SOLD_A_DAY = 700
CLOCK = "clock.json"


# --- what the tool calls ---


async def setup(ctx: Any) -> None:
    """Sign the cashier in at the store; the cookie holds for its copy as well."""
    ctx.base = ctx.store
    ctx.ben = await _signed_in(ctx, "ben")
    ends = time.monotonic() + WORKER_S
    heard = "select 1 from node where last_contact_at is not null"
    while not _ask(_folder(ctx, ctx.store) / f"{STORE}.db", heard) and time.monotonic() < ends:
        await asyncio.sleep(0.1)  # the worker is still starting: what is measured is a store that is up


async def sell(ctx: Any, base: str, sale_id: str) -> str:
    """Ring up a plain sale; only a JSON answer that names it is an acknowledgement.

    Now and then somebody presses *Send now*: on a line that is bad most of the time the waits would grow to minutes.
    """
    if sale_id.startswith("0"):
        _send_now(_folder(ctx, base) / f"{STORE}.db")
    _let_days_pass(ctx)
    body = json.dumps(counter.basket(sale_id, "", "plain")).encode()
    for may_sign_in in (True, False):
        headers = ctx.ben | {"Host": base.removeprefix("http://")}
        status, _, answer = await ctx.http("POST", f"{base}/api/sales", body, headers=headers, timeout=8)
        if status != 401 or not may_sign_in:
            break
        ctx.ben = await _signed_in(ctx, "ben")  # the evening before was long ago
    return "ack" if status in (200, 201) and json.loads(answer).get("id") == sale_id else "unknown"


def store_ids(ctx: Any, base: str) -> list[str]:
    """Return every sale in the store's books."""
    return _ask(_folder(ctx, base) / f"{STORE}.db", "select id from sale")


def network_ids(ctx: Any) -> list[str]:
    """Return every sale in the network's books."""
    return _ask_network(ctx, "select id from sale")


def parked_ids(ctx: Any) -> list[str]:
    """Return what a person is shown at the network: set aside, or contradicting."""
    return _ask_network(ctx, "select id from inbox_message where state = 'parked'")


def pending(ctx: Any, base: str) -> int:
    """Return how many messages of a store wait, those of both kinds."""
    query = "select id from outbox_message where to_node = 'network' and state <> 'delivered'"
    return len(_ask(_folder(ctx, base) / f"{STORE}.db", query))


def backup(ctx: Any, which: str, dest: str) -> None:
    """Copy the files of a stopped node, whoever owns them: a PostgreSQL's are not ours."""
    shutil.rmtree(dest, ignore_errors=True)
    subprocess.run(["cp", "-a", ctx.dirs[which], dest], check=True)


def restore(ctx: Any, which: str, src: str) -> None:
    """Put a copy back in the place of a node's files."""
    shutil.rmtree(ctx.dirs[which])
    subprocess.run(["cp", "-a", src, ctx.dirs[which]], check=True)


# --- inside ---


def _folder(ctx: Any, base: str) -> Path:
    return Path(ctx.dirs["store" if base == ctx.store else "clone"])


def _ask_network(ctx: Any, query: str) -> list[Any]:
    folder = Path(ctx.dirs["net"])
    if not (folder / ON_POSTGRES).exists():
        return _ask(folder / "network.db", query)
    import psycopg

    with psycopg.connect((folder / ON_POSTGRES).read_text("utf-8")) as connection:
        return [row[0] for row in connection.execute(query)]


def _let_days_pass(ctx: Any) -> None:
    """Set both nodes' clocks on by a day after so many sales, as long as the line is cut."""
    ctx.sold = ctx.get("sold", 0) + 1
    day, rest = divmod(ctx.sold - BEFORE, SOLD_A_DAY)
    if rest == 0 and 0 < day <= DAYS:
        _set_clock(Path(ctx.dirs["store"]).parent, day)


def _set_clock(beside: Path, days: int) -> None:
    """Let the nodes whose folders lie here live so many days from now."""
    PracticeClock(beside / CLOCK).set(dt.datetime.now(dt.UTC) + dt.timedelta(days=days))


def _send_now(book: Path) -> None:
    connection = sqlite3.connect(book, timeout=20)
    try:
        with connection:
            connection.execute("update node set last_fault = null")
    finally:
        connection.close()


def _ask(book: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(book, timeout=20)
    try:
        return [row[0] for row in connection.execute(query)]
    finally:
        connection.close()


def serve(which: str, port: str) -> None:
    """Found the node where there is none, then become `cornerstore serve`."""
    folder = Path(os.environ["FAULT_DATA_DIR"])
    node_id = STORE if which == "store" else "network"
    url, given = f"sqlite:///{folder}/{node_id}.db", {"role": which, "node_id": node_id}
    if which == "store":
        given |= {"network_url": os.environ["NETWORK_URL"], "network_key": STORE_KEY}
        founding.place("store", folder)
    else:
        given["role"] = "network"
        if reported := os.environ.get("DATABASE_URL"):
            (folder / ON_POSTGRES).write_text(reported, "utf-8")
            url = founding.on_postgres(reported)  # founded already, and copied
        else:
            founding.place("net", folder)
    if DAYS:
        given["practice_clock"] = str(folder.parent / CLOCK)
    given |= {"database_url": url, "state_folder": str(folder), "secret_key": KEY, "port": port, "log_level": "WARNING"}
    os.environ.update({f"CORNERSTORE_{name.upper()}": value for name, value in given.items()})
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "store_app", "serve"])


if __name__ == "__main__":
    serve(*sys.argv[1:3])

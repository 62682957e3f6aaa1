"""A network node on a PostgreSQL of its own for `crashloop.py`: facts in, who has what. Also serves it.

`python net.py PORT` serves the network that was founded in $DATABASE_URL. What is submitted is a store's sale as it
travels; acknowledged is what an answer names with its content hash, and nothing else.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from config.nodes.outbox import Message  # noqa: E402  found from here: a tool loads this file alone
from tests.faults import founding  # noqa: E402
from tests.faults.adapter import KEY  # noqa: E402
from tests.faults.counter import STORE  # noqa: E402
from tests.faults.founding import STORE_KEY  # noqa: E402
from tests.network_facts import message, sales  # noqa: E402

ADDRESS = "database-url"
EPOCH = "e" * 16
SAME = {
    "facts": "inbox_message where state = 'taken'",
    "payments' sales": "(select distinct sale_id from payment) as paid",
    "lines' sales": "(select distinct sale_id from sale_line) as sold",
}
"""What must be there as often as there are sales: a fact, and all it says, or none of it."""


def setup(ctx: Any) -> None:
    """Begin to count what is said."""
    ctx.said = {}


async def submit(ctx: Any, sale_id: str) -> str:
    """Tell the network of a sale: a new one, or one that was told before, in the very same words."""
    from store_app.sync import wire

    reported = ctx.said.setdefault(sale_id, None) or _sale(sale_id, len(ctx.said))
    ctx.said[sale_id] = reported
    body, headers = wire.pack(
        {
            "protocol": wire.PROTOCOL, "speaking": EPOCH, "epoch": EPOCH, "from_n": reported.n, "count": len(ctx.said),
            "head": "", "rows": [vars(reported)],
        }
    )  # fmt: skip
    headers |= {"Host": ctx.base.removeprefix("http://"), "Authorization": f"Bearer {STORE_KEY}"}
    status, _, answer = await ctx.http("POST", f"{ctx.base}/api/sync/messages", body, headers=headers, timeout=20)
    if status != 200:
        return "unknown"
    taken = {one.id: one.hash for one in wire.Answer.model_validate_json(answer).taken}
    return "ack" if taken.get(sale_id) == reported.hash else "unknown"


def listing(ctx: Any) -> list[str]:
    """Return every sale in the network's books."""
    return [row[0] for row in _ask(ctx, "select id from sale")]


def check(ctx: Any) -> list[str]:
    """Compare what a fact writes everywhere with how many sales there are, then check all the books.

    Receipts without a gap (K7) are not asked for: of what was cut off some are never told again.
    """
    from store_app.node import checking

    many = _ask(ctx, "select count(*) from sale")[0][0]
    broken = [
        f"{many} sales, but {there} of {name}"
        for name, rows in SAME.items()
        if (there := _ask(ctx, f"select count(*) from {rows}")[0][0]) != many
    ]
    with _doors(ctx) as opened:
        found = (str(one) for one in checking.findings(opened) if one.code != "K7")
        return [*broken, *found, *checking.chain_faults(opened)]


# --- inside ---


def _sale(sale_id: str, number: int) -> Message:
    fact = next(sales(STORE, 1, first=number, day=dt.datetime.now(dt.UTC).date()))
    return message(replace(fact, id=sale_id), number)


def _ask(ctx: Any, query: str) -> list[Any]:
    import psycopg

    with psycopg.connect((Path(ctx.data) / ADDRESS).read_text("utf-8")) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


@contextmanager
def _doors(ctx: Any) -> Iterator[Any]:
    from config.settings import Settings
    from store_app.runtime import tables
    from store_app.runtime.doors import open_doors

    tables.known()
    opened = open_doors(Settings(**_given(ctx.data, (Path(ctx.data) / ADDRESS).read_text("utf-8"))))
    try:
        yield opened
    finally:
        opened.database.engine.dispose()


def _given(folder: str, url: str) -> dict[str, Any]:
    url = founding.on_postgres(url)
    return {"role": "network", "node_id": "network", "database_url": url, "state_folder": folder, "secret_key": KEY}


def serve(port: str) -> None:
    """Become `cornerstore serve --no-work` over the PostgreSQL beside this process."""
    folder, url = os.environ["FAULT_DATA_DIR"], os.environ["DATABASE_URL"]
    (Path(folder) / ADDRESS).write_text(url, "utf-8")
    given = _given(folder, url) | {"port": port, "log_level": "WARNING"}
    os.environ.update({f"CORNERSTORE_{name.upper()}": value for name, value in given.items()})
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "store_app", "serve", "--no-work"])


if __name__ == "__main__":
    serve(sys.argv[1])

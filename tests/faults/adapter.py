"""What the fault tools ask of a store node: sell, list, check. A program of theirs imports this file; `races` too.

`python adapter.py` founds the node in $FAULT_DATA_DIR when there is none yet, and serves it. Baskets are `counter`'s:
deposits, prices under approval, split tenders, vouchers, tabs and coupons, at four tills. After every start the
product's own checks run over the file: K1 and the others, the receipts' numbers, and the journal with its seals.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from tests.faults import counter, founding  # noqa: E402  found from here: a tool loads this file alone
from tests.faults.counter import PIN, STORE  # noqa: E402

PORT = int(os.environ.get("FAULT_PORT", "5077"))
KEY = "faults" * 8
_TOKEN = re.compile(rb'name="csrf-token" content="([^"]+)"')


# --- what the tools call ---


async def setup(ctx: Any) -> None:
    """Sign the cashier and the shopkeeper in; the cookies outlive every kill, because the signing key is given."""
    ctx.ben, ctx.ana = [await _signed_in(ctx, name) for name in ("ben", "ana")]
    ctx.voucher = (Path(ctx.data) / "voucher").read_text()


async def submit(ctx: Any, sale_id: str) -> str:
    """Ring a mixed basket up; only a JSON answer that names the sale is an acknowledgement."""
    body = counter.basket(sale_id, ctx.voucher)
    if counter.kind_of(sale_id) == "override":
        leave = {"staff_id": "ana", "pin": PIN, "permission": "price.override", "sale_id": sale_id, "till_id": "T1"}
        leave["covers"] = counter.COVERS
        status, granted = await post(ctx, "ben", "/api/approvals", leave)
        if granted.get("error", {}).get("code") == "locked":  # cut off while PINs were checked: each counts as wrong
            await asyncio.sleep(granted["error"]["facts"]["wait_s"])
            status, granted = await post(ctx, "ben", "/api/approvals", leave)
        if status != 200:
            return "unknown"
        body["approvals"] = [granted["id"]]
    status, answer = await post(ctx, "ben", "/api/sales", body)
    if status in (200, 201) and answer["id"] == sale_id and answer["total_minor"] == body["shown_total_minor"]:
        return "ack"
    return "reject" if 400 <= status < 500 else "unknown"


def listing(ctx: Any) -> list[str]:
    """Return every sale in the books, read from the file itself."""
    with _book(ctx) as ask:
        return [row[0] for row in ask("select id from sale")]


def check(ctx: Any) -> list[str]:
    """Compare what a sale writes everywhere with how many sales there are (I4), receipt numbers without a gap (I6)."""
    with _book(ctx) as ask:
        sales = ask("select count(*) from sale")[0][0]
        same = (
            "outbox_message where topic = 'sale.completed'",
            "print_job where kind = 'receipt' and copy_no = 0",
            "journal_entry where verb in ('sale.completed', 'return.completed', 'exchange.completed')",
        )
        broken = [
            f"{sales} sales, but {there} of {rows}"
            for rows in same
            if (there := ask(f"select count(*) from {rows}")[0][0]) != sales
        ]
        for till_id, count, numbers, last in ask(
            "select till_id, count(*), count(distinct receipt_no), max(receipt_no) from sale group by till_id, epoch"
        ):
            if not count == numbers == last:
                broken.append(f"till {till_id}: {count} sales, {numbers} numbers, the last is {last}")
    return broken


def offline_check(ctx: Any) -> list[str]:
    """Check the file itself while the node is down, then all the books in it and the journal over them."""
    with _book(ctx) as ask:
        answer = ask("pragma integrity_check")[0][0]
    return ([] if answer == "ok" else [f"integrity_check: {answer}"]) + check(ctx) + all_books(ctx)


def all_books(ctx: Any) -> list[str]:
    """Return every invariant that does not hold, and all that `cornerstore verify` finds."""
    from store_app.node import checking

    with doors(ctx) as opened:
        return [*map(str, checking.findings(opened)), *checking.chain_faults(opened)]


# --- what the races use as well ---


async def post(ctx: Any, who: str, address: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Send a command as Ben or Ana, who sign in again where their time is up; returns status and JSON."""
    sent = json.dumps(body).encode()
    for may_sign_in in (True, False):
        status, _, answer = await ctx.http("POST", f"{ctx.base}{address}", sent, headers=ctx[who], timeout=20)
        if status != 401 or not may_sign_in:
            break
        ctx[who] = await _signed_in(ctx, who)
    return status, json.loads(answer)


@contextmanager
def doors(ctx: Any) -> Iterator[Any]:
    """Open the node's database beside the node."""
    from config.settings import Settings
    from store_app.runtime import tables
    from store_app.runtime.doors import open_doors

    tables.known()
    opened = open_doors(Settings(**_given(ctx.data)))
    try:
        yield opened
    finally:
        opened.database.engine.dispose()


# --- inside ---


async def _signed_in(ctx: Any, name: str) -> dict[str, str]:
    headers = {"Host": ctx.base.removeprefix("http://"), "Accept": "text/html"}
    address = f"{ctx.base}/signin/{name}"
    status, answered, page = await ctx.http("GET", address, headers=headers)
    assert status == 200, page
    form = urllib.parse.urlencode({"csrf_token": _token(page), "pin": PIN}).encode()
    typed = headers | {"Cookie": _cookie(answered), "Content-Type": "application/x-www-form-urlencoded"}
    status, answered, page = await ctx.http("POST", address, form, headers=typed)
    assert status == 303, page
    signed_in = headers | {"Cookie": _cookie(answered)}
    status, answered, page = await ctx.http("GET", f"{ctx.base}/signin", headers=signed_in)
    assert status == 200, page
    again = _cookie(answered) if "set-cookie" in answered else signed_in["Cookie"]
    return headers | {"Cookie": again, "X-CSRF-Token": _token(page), "Content-Type": "application/json"}


def _cookie(answered: Any) -> str:
    return str(answered["set-cookie"]).split(";", 1)[0]


def _token(page: bytes) -> str:
    found = _TOKEN.search(page)
    assert found, page[:500]
    return found[1].decode()


@contextmanager
def _book(ctx: Any) -> Iterator[Callable[[str], list[Any]]]:
    """Open the node's file for one look: all questions see the same moment."""
    book = sqlite3.connect(Path(ctx.data) / f"{STORE}.db", timeout=20, isolation_level=None)
    try:
        book.execute("begin")
        yield lambda query: book.execute(query).fetchall()
    finally:
        book.close()


def _given(folder: str) -> dict[str, Any]:
    url = f"sqlite:///{folder}/{STORE}.db"
    return {"role": "store", "node_id": STORE, "database_url": url, "state_folder": folder, "secret_key": KEY}


def serve() -> None:
    """Found the node where there is none, then become `cornerstore serve --no-work`."""
    folder = os.environ["FAULT_DATA_DIR"]
    given = _given(folder) | {"port": str(PORT), "log_level": "WARNING"}
    founding.place("counter", Path(folder))
    os.environ.update({f"CORNERSTORE_{name.upper()}": value for name, value in given.items()})
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "store_app", "serve", "--no-work"])


if __name__ == "__main__":
    serve()

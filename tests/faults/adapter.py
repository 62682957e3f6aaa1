"""What the fault tools ask of a store node: sell, list, check. A program of theirs imports this file.

`python adapter.py` founds the node in $FAULT_DATA_DIR when there is none yet, and serves it.
The price of a loaf is known, so that a cashier needs no quote; every sale sells one loaf and one bottle.
"""

from __future__ import annotations

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
STORE, PIN, PORT = "B01", "2468", int(os.environ.get("FAULT_PORT", "5077"))
_TOKEN = re.compile(rb'name="csrf-token" content="([^"]+)"')
SALE = {
    "till_id": "T1",
    "lines": [{"sku": "P00001", "qty": 1}, {"sku": "P00002", "qty": 1}],
    "tenders": [{"tender": "cash", "amount_minor": 500, "reference": ""}],
    "shown_total_minor": 201,  # 1.00 and 1.01
}


# --- what the tools call ---


async def setup(ctx: Any) -> None:
    """Sign the cashier in; the cookie outlives every kill, because the signing key is given."""
    headers = _browser(ctx.base)
    status, answered, page = await ctx.http("GET", f"{ctx.base}/signin/ana", headers=headers)
    assert status == 200, page
    cookie, token = _cookie(answered), _token(page)
    form = urllib.parse.urlencode({"csrf_token": token, "pin": PIN}).encode()
    typed = headers | {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    status, answered, page = await ctx.http("POST", f"{ctx.base}/signin/ana", form, headers=typed)
    assert status == 303, page
    signed_in = _cookie(answered)
    status, answered, page = await ctx.http("GET", f"{ctx.base}/till/", headers=headers | {"Cookie": signed_in})
    assert status == 200, page
    ctx.headers = headers | {
        "Cookie": _cookie(answered),
        "X-CSRF-Token": _token(page),
        "Content-Type": "application/json",
    }


async def submit(ctx: Any, sale_id: str) -> str:
    """Ring a sale up; only a JSON answer that names the sale is an acknowledgement."""
    body = json.dumps(SALE | {"id": sale_id}).encode()
    status, _, answer = await ctx.http("POST", f"{ctx.base}/api/sales", body, headers=ctx.headers, timeout=8)
    if status in (200, 201) and json.loads(answer)["id"] == sale_id:
        return "ack"
    return "reject" if 400 <= status < 500 else "unknown"


def listing(ctx: Any) -> list[str]:
    """Return every sale in the books, read from the file itself."""
    with _book(ctx) as ask:
        return [row[0] for row in ask("select id from sale")]


def check(ctx: Any) -> list[str]:
    """Compare what one sale writes everywhere with how many sales there are, in one look at the file (I4, I6)."""
    with _book(ctx) as ask:
        count, total, distinct, last = ask(
            "select count(*), coalesce(sum(total_minor), 0), count(distinct receipt_no), coalesce(max(receipt_no), 0)"
            " from sale"
        )[0]
        expected = {
            "select count(*) from sale_line": 2 * count,
            "select coalesce(sum(amount_minor), 0) from payment": total,
            "select coalesce(sum(qty), 0) from stock_movement where source_kind = 'sale'": 2 * count,
            "select count(*) from outbox_message where topic = 'sale.completed'": count,
            "select count(*) from print_job where kind = 'receipt'": count,
            "select coalesce(sum(expected_minor), 0) - 10000 from shift": total,
            "select count(*) from journal_entry where verb = 'sale.completed'": count,
        }
        broken = [
            f"{query}: {found}, not {right}"
            for query, right in expected.items()
            if (found := ask(query)[0][0]) != right
        ]
    if not count == distinct == last:
        broken.append(f"{count} sales, {distinct} receipt numbers, the last is {last}")
    return broken


def offline_check(ctx: Any) -> list[str]:
    """Check the file itself while the node is down, then what is in it."""
    with _book(ctx) as ask:
        answer = ask("pragma integrity_check")[0][0]
    return ([] if answer == "ok" else [f"integrity_check: {answer}"]) + check(ctx)


async def pay_prepare(ctx: Any, k: int) -> str:
    """Return the id of a fresh sale, which every finger on the Pay button sends."""
    return f"race-{ctx.data[-6:].strip('_')}-{k:05d}".replace("_", "-")


async def pay_try(ctx: Any, token: str, _i: int) -> str:
    """Press Pay: who gets 201 has won; the others must be answered the same receipt, as a repeat."""
    body = json.dumps(SALE | {"id": token}).encode()
    status, _, answer = await ctx.http("POST", f"{ctx.base}/api/sales", body, headers=ctx.headers, timeout=30)
    told = json.loads(answer)
    ctx.__dict__.setdefault("receipts", {}).setdefault(token, set()).add(told.get("receipt_no"))
    if status == 200 and told["repeated"]:
        return "lost"
    return "won" if status == 201 else f"{status} {answer[:200]!r}"


async def pay_after(ctx: Any, token: str) -> list[str]:
    """Look that all fingers were answered one receipt, and that the books hold one sale."""
    told = ctx.receipts[token]
    wrong = [] if len(told) == 1 and None not in told else [f"{token} was answered as receipts {told}"]
    return wrong + check(ctx)


# --- inside ---


def _browser(base: str) -> dict[str, str]:
    return {"Host": base.removeprefix("http://"), "Accept": "text/html"}


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


def serve() -> None:
    """Found the node where there is none, then become `cornerstore serve --no-work`."""
    folder = os.environ["FAULT_DATA_DIR"]
    url = f"sqlite:///{folder}/{STORE}.db"
    sys.path.insert(0, str(ROOT))
    if not (Path(folder) / "founded").exists():
        from tests.benchmarks._node import fill

        fill(url, 20)
        (Path(folder) / "founded").touch()
    given = {
        "ROLE": "store", "NODE_ID": STORE, "DATABASE_URL": url, "STATE_FOLDER": folder, "SECRET_KEY": "faults" * 8,
        "PORT": str(PORT), "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    os.environ.update({f"CORNERSTORE_{name}": value for name, value in given.items()})
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "store_app.cli", "serve", "--no-work"])


if __name__ == "__main__":
    serve()

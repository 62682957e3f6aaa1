"""How many sale lines a second a network takes from its stores: PostgreSQL, gunicorn, four senders, durable, each once.

Each store sends its day of 300 sales of 4 lines in two pushes, on top of books that hold 1 M lines and, by turns, of
others that hold 10 M (--quick: 0.1 M and 1 M). The reference is a bare COPY of the very same rows into tables with the
same keys and indexes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import http.client
import json
import secrets
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from config.bulk import write_many
from config.database import Base, Database, make_engine
from config.nodes import outbox
from config.nodes.inbox import InboxMessage
from config.nodes.journal import GENESIS, canonical
from config.nodes.outbox import Message
from config.nodes.signing import Signer
from pos.payments.payments import Payment
from pos.sold import Sale, SaleLine, _rows_of
from pos.stock import changed_days
from pos.stock.ledger import StockMovement, _movement_rows
from pos.sync.replica import bookings_of
from pos.till.shift_book import CashMovement
from store_app.sync import signed
from supply.demand import rollups
from tests import network_facts
from tests.benchmarks._network import Network, keys_of, pasts
from tests.benchmarks._past import LINES, STORES
from tests.network_facts import message, push

SALES, SENDERS, A_PUSH = 300, 4, 200
ROUNDS, A_ROUND = 6, 14
"""100,000 lines on either past, a round's stores at a time."""
TODAY = dt.date(2026, 3, 2)
DemoStore = tuple[str, str, Signer, list[dict[str, Any]]]
"""(store id, key, signing key, [push, push ...])"""
BARE: tuple[type[Base], ...] = (Sale, SaleLine, Payment, CashMovement, StockMovement, InboxMessage)


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="on top of 0.1 M and 1 M lines, a third of the stores")
    asked = parser.parse_args()
    steps = {"1m": 100_000, "10m": 1_000_000} if asked.quick else {"1m": 1_000_000, "10m": 10_000_000}
    result = measure(steps, *((4, 7) if asked.quick else (ROUNDS, A_ROUND)))
    if asked.json:
        print(json.dumps(result))
        return
    ours, copy = result["ours"], result["reference"]["copy"]
    print(
        f"{ours['lines_per_s']} lines/s ({ours['lines_per_s_1m']} and {ours['lines_per_s_10m']}), "
        f"{ours['cpu_ms_per_sale_1m']} and {ours['cpu_ms_per_sale_10m']} ms CPU a sale, "
        f"roll-up {ours['rollup_s']} s; bare COPY {copy['lines_per_s']} lines/s; "
        f"lost {ours['lost']}, doubled {ours['doubled']}"
    )


def measure(
    steps: dict[str, int], rounds: int, a_round: int, *, stores: int = STORES, sales: int = SALES
) -> dict[str, Any]:
    """Send the same stores' days to a short and to a long past, by turns; the first round warms both."""
    with ExitStack() as stack:
        kept = stack.enter_context(pasts(*steps.values(), stores=stores))
        sides = {
            name: stack.enter_context(_side(stack.enter_context(kept.node(lines, writes=True)), sales))
            for name, lines in steps.items()
        }
        for n in range(rounds + 1):
            which = range(n * a_round, (n + 1) * a_round)
            for name in sorted(sides, reverse=bool(n % 2)):
                window = sides[name].day(which)
                _say(f"{name}: {window['lines_per_s']:.0f} lines/s, {_cpu_ms([window])} ms CPU a sale")
                if n:
                    sides[name].windows.append(window)
        for side in sides.values():
            side.again()
    windows = {name: side.windows for name, side in sides.items()}
    every = [window for side in windows.values() for window in side]
    cpu = {name: _cpu_ms(side) for name, side in windows.items()}
    lines_per_s, copy_per_s = _rate(every), round(statistics.median(one["copy_per_s"] for one in every))
    return {
        "bench": "ingest",
        "ours": {
            "lines_per_s": lines_per_s,
            **{f"lines_per_s_{name}": _rate(side) for name, side in windows.items()},
            **{f"cpu_ms_per_sale_{name}": value for name, value in cpu.items()},
            "cost_growth": round(cpu["10m"] / cpu["1m"], 3),
            "cost_growth_by_round": [
                round(long["cpu_s"] / short["cpu_s"], 2)
                for short, long in zip(windows["1m"], windows["10m"], strict=True)
            ],
            "bytes_per_sale": round(sum(one["bytes"] for one in every) * LINES / sum(one["lines"] for one in every)),
            "p99_push_ms": round(max(one["p99_ms"] for one in every)),
            "rollup_s": round(max(one["rollup_s"] for one in every), 2),
            "rollup_cpu_ms_per_sale": round(
                sum(one["rollup_cpu_s"] for one in every) * 1000 * LINES / sum(one["lines"] for one in every), 3
            ),
            "lost": sum(side.lost for side in sides.values()),
            "doubled": sum(side.doubled for side in sides.values()),
        },
        "reference": {"copy": {"lines_per_s": copy_per_s}},
        "ratio": {"lines_per_s": round(lines_per_s / copy_per_s, 3)},
        "settings": {
            "stores": stores, "senders": SENDERS, "sales_a_push": A_PUSH, "lines_a_sale": LINES, "rounds": rounds,
            "lines_sent_a_step": rounds * a_round * sales * LINES, "laid_in": steps,
            "laid_in_by": "INSERT ... SELECT inside the server, days before the measured one",
        },
    }  # fmt: skip


class Side:
    """One of the two networks that are measured by turns."""

    def __init__(self, node: Network, database: Database, sales: int) -> None:
        self.node, self.database, self.sales = node, database, sales
        self.windows: list[dict[str, float]] = []
        self.lost = self.doubled = 0
        self._sent: list[DemoStore] = []

    def day(self, which: range) -> dict[str, float]:
        """Send some stores' day, add it up, and COPY the very same rows bare."""
        pushes = _pushes(keys_of(self.database, which), self.sales)
        before = _size(self.database)
        window = _send(self.node, pushes)
        window["bytes"] = _size(self.database) - before
        cpu_before = self.node.cpu_s()
        window |= _rolled(self.database)
        window["rollup_cpu_s"] = self.node.cpu_s() - cpu_before
        window["copy_per_s"] = _bare_copy(self.database, which, self.sales)
        self._count(pushes)
        self._sent = pushes[:2]
        return window

    def again(self) -> None:
        """Send some of it again, as after a lost answer: nothing may be there twice."""
        _send(self.node, self._sent)
        self._count(self._sent)

    def _count(self, pushes: list[DemoStore]) -> None:
        """Count what of the stores' day is not there, and what is there more than once."""
        with self.database.read() as session:
            for store_id, _, _, bodies in pushes:
                mine = sa.select(Sale.id).where(Sale.store_id == store_id, Sale.business_day == TODAY)
                here, sent = list(session.scalars(mine)), set[str]().union(*(body["ids"] for body in bodies))
                self.lost += len(sent - set(here))
                self.doubled += len(here) - len(set(here))
                lines = sa.select(sa.func.count()).where(SaleLine.store_id == store_id, SaleLine.business_day == TODAY)
                self.doubled += abs((session.scalar(lines) or 0) - self.sales * LINES)


@contextmanager
def _side(node: Network, sales: int) -> Iterator[Side]:
    database = Database(make_engine(node.database_url))
    try:
        yield Side(node, database, sales)
    finally:
        database.engine.dispose()


def _rate(windows: list[dict[str, float]]) -> int:
    return round(sum(one["lines"] for one in windows) / sum(one["seconds"] for one in windows))


def _cpu_ms(windows: list[dict[str, float]]) -> float:
    """Return the processor's milliseconds a sale, gunicorn and PostgreSQL together."""
    return round(sum(one["cpu_s"] for one in windows) * 1000 * LINES / sum(one["lines"] for one in windows), 3)


# --- what is sent ---


def _pushes(keys: dict[str, tuple[str, Signer]], sales: int) -> list[DemoStore]:
    """Return each store's pushes; nonces are put in when they are known."""
    made = []
    for store_id, (key, signer) in keys.items():
        messages = [message(fact, at) for at, fact in enumerate(_facts(store_id, sales), 1)]
        head = GENESIS
        for one in messages:
            head = outbox.chain(head, one.hash)
        mine = f"epoch-{store_id}"
        made.append(
            (
                store_id,
                key,
                signer,
                [
                    _push(store_id, messages[first : first + A_PUSH], signer, mine, len(messages), head)
                    for first in range(0, len(messages), A_PUSH)
                ],
            )
        )  # fmt: skip
    return made


def _push(store_id: str, some: Sequence[Message], signer: Signer, epoch: str, count: int, head: str) -> dict[str, Any]:
    reported = {"epochs": [epoch], "from_n": some[0].n, "waiting": count - some[0].n + 1, "count": count, "head": head}
    envelope = push(store_id, some, epoch=epoch, signer=signer, **reported)
    return {"rows": canonical(envelope.pop("rows")), "envelope": envelope, "ids": {one.id for one in some}}


def _facts(store_id: str, sales: int) -> list[Any]:
    return list(network_facts.sales(store_id, sales, first=1, day=TODAY))


def _send(node: Network, pushes: list[DemoStore]) -> dict[str, float]:
    """Send everything with SENDERS at once; every row must be confirmed by name."""
    spent_ms: list[float] = []
    address = urlsplit(node.address)

    def one_store(task: DemoStore) -> int:
        _, key, signer, bodies = task
        line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
        nonce, confirmed = "", 0
        for body in bodies:
            envelope = json.dumps(body["envelope"] | {"nonce": nonce, "token": secrets.token_hex(8)})
            raw = gzip.compress(f'{envelope[:-1]}, "rows": {body["rows"]}}}'.encode(), 1)
            headers = {
                "Authorization": f"Bearer {key}", "Content-Type": "application/json", "Content-Encoding": "gzip",
                "Host": f"127.0.0.1:{address.port}",
            }  # fmt: skip
            raw = body.setdefault("sent", raw)  # sent again it is the very same request
            headers |= signed.headers_for(signer, "POST", "/api/sync/messages", raw)
            began = time.perf_counter()
            line.request("POST", "/api/sync/messages", raw, headers)
            answer = line.getresponse()
            text = answer.read()
            spent_ms.append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, text[:300]
            said = json.loads(text)
            assert {one["id"] for one in said["taken"]} == body["ids"], said["parked"][:1]
            nonce, confirmed = said["nonce"], confirmed + len(said["taken"])
        line.close()
        return confirmed

    cpu_before, began = node.cpu_s(), time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        confirmed = sum(senders.map(one_store, pushes))
    seconds = time.perf_counter() - began
    ordered = sorted(spent_ms)
    return {
        "lines": confirmed * LINES, "seconds": seconds, "lines_per_s": confirmed * LINES / seconds,
        "cpu_s": node.cpu_s() - cpu_before, "p99_ms": ordered[int(0.99 * (len(ordered) - 1))],
    }  # fmt: skip


# --- what is compared ---


def _rolled(database: Database) -> dict[str, float]:
    """Add up what has arrived, as the network's worker does every 20 s; seconds until all is current."""
    began = time.perf_counter()
    while True:
        with database.write() as session:
            days = rollups.roll_fresh(session, at=dt.datetime.now(dt.UTC))
            if changed_days.oldest(session) is None:
                return {"rollup_s": time.perf_counter() - began}
        assert days, "days that have arrived are not added up"


def _bare_copy(database: Database, which: Sequence[int], sales: int) -> float:
    """COPY the rows of these stores' sales into bare tables, a push a transaction; returns sale lines a second."""
    batches: list[list[list[dict[str, Any]]]] = []
    for n in which:
        facts = _facts(f"S{n:04d}", sales)
        batches += [_bare_rows(facts[first : first + A_PUSH], first + 1) for first in range(0, len(facts), A_PUSH)]
    with database.write() as session:
        session.execute(sa.text("CREATE SCHEMA IF NOT EXISTS bare"))
        for noun in BARE:
            name = noun.__tablename__
            session.execute(sa.text(f"CREATE TABLE IF NOT EXISTS bare.{name} (LIKE public.{name} INCLUDING ALL)"))
            session.execute(sa.text(f"TRUNCATE bare.{name}"))
    began, lines = time.perf_counter(), 0
    for rows in batches:
        with database.write() as session:
            session.execute(sa.text("SET LOCAL search_path TO bare, public"))
            for noun, of_noun in zip(BARE, rows, strict=True):
                write_many(session, noun, of_noun)
        lines += len(rows[1])
    return lines / (time.perf_counter() - began)


def _bare_rows(facts: list[Any], first: int) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = [[] for _ in BARE]
    for n, fact in enumerate(facts, first):
        row, lines, paid, moved = _rows_of(fact)
        whole: Message = message(fact, n)
        rows[0].append(row)
        for kept, more in zip(rows[1:4], (lines, paid, moved), strict=True):
            kept += more
        rows[4] += [one for booking in bookings_of(fact) for one in _movement_rows(fact.store["id"], booking)]
        rows[5].append(
            vars(whole) | {"from_node": fact.store["id"], "epoch": "bare", "body": canonical(whole.body),
                           "state": "taken", "reason": None, "received_at": dt.datetime.now(dt.UTC)}
        )  # fmt: skip
    return rows


def _size(database: Database) -> int:
    """Return the bytes of the database on the disk, the log apart."""
    with database.read() as session:
        return int(session.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""The online store under load: list pages and orders over HTTP, tries beyond what there is, and races with one winner.

A network node serves 2,000 products from a real server process. 200 customers keep a connection each and browse;
orders are placed with a basket of three. Then, in this process and on the same kind of database: thousands of tries
for 100 units, and rounds of eight at once for the last unit, a collection, a group's last case, and a refund.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import http.client
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import sqlalchemy as sa
from playwright import sync_api as playwright

from config.database import Database, make_engine
from config.errors import DomainError
from config.ids import NETWORK, new_id
from config.migrate import upgrade
from config.nodes import node
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.catalogue import Product, TaxClass, search_text_for
from pos.payments.providers import Outcome
from pos.pricing.promises import Choice, Offer, Part
from pos.store.opening_hours import every_day
from pos.store.store import Region, Store, Till
from supply.money import escrow
from supply.online import orders
from supply.online.checkout import placing
from supply.online.groups import groups
from supply.online.groups.groups import GroupMember, GroupTerms
from supply.online.orders import PickupOrder
from supply.online.pickup.handover import SPELL, TRIES_PER_DAY, TRIES_PER_SPELL
from supply.online.storefront.availability import OnlineListing, Storefront
from supply.online.storefront.time_slots import PickupRules
from supply.sync import groups as group_facts
from tests.benchmarks._node import free_port, percentile
from tests.benchmarks._paint import LOADS, chromium, paints
from tests.supply.online_store import ANA, AT, STORE, Town, later, make_town

SLUG, CUSTOMERS, LINES, AT_ONCE = "bench", 200, 8, 8
IDLE_S = 60
"""A server lets go of a line nobody used for longer; a browser does so first."""
_numbers = itertools.count()
RULES = PickupRules(window_orders=200, shelf_places=500, days_ahead=14, confirm_phone=False)


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--products", type=int, default=2_000)
    asked = parser.parse_args()
    rounds, views, orders = (2, 400, 80) if asked.quick else (5, 2_000, 300)
    tries, races = (1_000, 10) if asked.quick else (10_000, 200)
    with playwright.sync_playwright() as player:
        path = chromium()
        browser = player.chromium.launch(executable_path=path) if path else None
        result = measure(
            browser, products=asked.products, rounds=rounds, views=views, orders=orders, tries=tries, races=races
        )
    ours = result["ours"]
    if asked.json:
        print(json.dumps(result))
    else:
        print(
            f"online store: {ours['views_per_s']:.0f} pages/s (p50 {ours['p50_ms_view']} ms, p99 {ours['p99_ms_view']} "
            f"ms, {ours['cpu_ms_view']} ms CPU), {ours['orders_per_s']:.0f} orders/s (p50 {ours['p50_ms_order']} ms, "
            f"p99 {ours['p99_ms_order']} ms, {ours['cpu_ms_order']} ms CPU); oversold {ours['oversold']} in "
            f"{ours['tries']} tries; races {ours['races']}; {ours['guessed_per_store_day']:.1e} guessed collections a "
            f"store and day; first paint at a sixth of the CPU {ours['first_paint']}"
        )


def measure(
    browser: playwright.Browser | None, *, products: int, rounds: int, views: int, orders: int, tries: int, races: int,
    loads: int = LOADS,
) -> dict[str, Any]:  # fmt: skip
    """Browse and order over HTTP, then race in this process; without a browser no paint is measured."""
    with tempfile.TemporaryDirectory(prefix="cornerstore-bench-") as folder:
        with network_node(Path(folder), products) as (server, url):
            front = f"http://127.0.0.1:{server.port}/shop/{SLUG}/"
            pages = {"list": front, "product": f"{front}p/P00001", "basket": f"{front}basket"}
            painted = paints(browser, pages, loads)
            ours = browse_and_order(server, url, products, rounds, views, orders) | {"first_paint": painted}
        ours |= oversell(Path(folder), tries)
        ours["races"] = race_all(Path(folder), races)
    ours["guessed_per_store_day"] = guesses()
    return {
        "bench": "shop", "ours": ours, "reference": {}, "ratio": {},
        "settings": {"products": products, "customers": CUSTOMERS, "rounds": rounds, "views": views, "orders": orders,
                     "tries": tries, "race_rounds": races, "database": "sqlite"},
    }  # fmt: skip


# --- over HTTP ---


class Server:
    """A running network node."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def cpu_s(self) -> float:
        """Return the CPU seconds of the server's process tree."""
        root = psutil.Process(self.process.pid)
        return sum(sum(one.cpu_times()[:2]) for one in [root, *root.children(recursive=True)])


@contextlib.contextmanager
def network_node(folder: Path, products: int) -> Iterator[tuple[Server, str]]:
    """Serve a network node with one store's offers."""
    url = f"sqlite:///{folder}/network.db"
    fill(url, products)
    port = free_port()
    environment = os.environ | {
        "CORNERSTORE_ROLE": "network", "CORNERSTORE_NODE_ID": "network", "CORNERSTORE_DATABASE_URL": url,
        "CORNERSTORE_STATE_FOLDER": str(folder), "CORNERSTORE_SECRET_KEY": "bench" * 8, "CORNERSTORE_PORT": str(port),
        "CORNERSTORE_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    command = [sys.executable, "-m", "store_app", "serve", "--no-work"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        try:
            until = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), contextlib.closing(Browser(port)) as visitor:
                    if visitor.get(f"/shop/{SLUG}/")[0] == 200:
                        break
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((folder / "server.log").read_text()[-2000:])
                time.sleep(0.05)
            yield Server(process, port), url
        finally:
            process.terminate()
            process.wait(20)


def fill(url: str, products: int) -> None:
    """Found a network with one store whose offers are published."""
    upgrade(url)
    database, at = Database(make_engine(url)), dt.datetime.now(dt.UTC)
    with database.write() as session:
        node.found(session, NETWORK, at=at)
        session.add_all([Region(id="R", name="Bench"), TaxClass(id="food", name="Food", rate_bp=700, inclusive=True)])
        session.flush()
        session.add(
            Store(id="B01", name="Bench corner", slug=SLUG, region_id="R", currency="EUR", tz="UTC", joined_at=at,
                  opening_hours=every_day("00:00", "23:59"))
        )  # fmt: skip
        session.flush()
        session.add(Till(store_id="B01", id="T1", name="Till 1"))
        session.add(Storefront(store_id="B01", taking_orders=True, edition=1, last_order_no=0, rules=RULES.to_body(),
                              promotions_token="", promotions_edition=0))  # fmt: skip
        session.execute(
            sa.insert(Product),
            [{"sku": f"P{n:05d}", "name": f"Product {n} of the shelf", "category": f"Category {n % 40}",
              "tax_class_id": "food", "search_text": search_text_for(f"Product {n}", "", f"Category {n % 40}")}
             for n in range(products)],
        )  # fmt: skip
        session.execute(
            sa.insert(OnlineListing),
            [{"store_id": "B01", "sku": f"P{n:05d}", "price_minor": 99 + n % 700, "available_qty": 1_000_000,
              "shelf_rank": n + 1 if n < 12 else None, "published_at": at, "edition": 1} for n in range(products)],
        )  # fmt: skip
    database.engine.dispose()


class Browser:
    """One customer's keep-alive connection with its cookie."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._line, self.cookie = http.client.HTTPConnection("127.0.0.1", port, timeout=60), cookie
        self._used = time.monotonic()

    def get(self, path: str) -> tuple[int, str, float]:
        """Open a page; gives (status, text, milliseconds)."""
        return self._ask("GET", path, None)

    def post(self, path: str, **fields: str) -> tuple[int, str, float]:
        """Send a form."""
        return self._ask("POST", path, urlencode(fields).encode())

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, str, float]:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() - self._used > IDLE_S:
            self._line.close()  # the next request opens a new one
        began = time.perf_counter()
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        text = answer.read().decode()
        spent_ms, self._used = (time.perf_counter() - began) * 1000, time.monotonic()
        for header in answer.headers.get_all("Set-Cookie") or []:
            if header.startswith(("session=", "cornerstore")) or "session" in header.split("=")[0]:
                self.cookie = header.split(";")[0]
        return answer.status, text, spent_ms


def browse_and_order(server: Server, url: str, products: int, rounds: int, views: int, orders: int) -> dict[str, Any]:
    """Interleave browsing and ordering; medians over the rounds."""
    dice = random.Random(7)
    customers = [Browser(server.port) for _ in range(CUSTOMERS)]
    buyers = [_with_basket(server.port, products, dice) for _ in range(LINES)]
    rates: dict[str, list[float]] = {"view": [], "order": []}
    cpu: dict[str, list[float]] = {"view": [], "order": []}
    times: dict[str, list[float]] = {"view": [], "order": []}
    database = Database(make_engine(url))
    for turn in range(rounds + 1):
        paths = [f"/shop/{SLUG}/?page={dice.randint(1, max(1, products // 50))}" for _ in range(views)]
        for kind, work in (("view", _views(customers, paths)), ("order", _orders(buyers, orders))):
            before, began = server.cpu_s(), time.perf_counter()
            spent = _in_lines(work)
            if turn:  # the first round warms up
                rates[kind].append(len(spent) / (time.perf_counter() - began))
                cpu[kind].append((server.cpu_s() - before) * 1000 / len(spent))
                times[kind] += spent
        with database.write() as session:  # they were collected: the pickup shelf is free again
            session.execute(sa.update(PickupOrder).values(state="collected"))
    database.engine.dispose()
    for browser in (*customers, *(buyer for buyer, _ in buyers)):
        browser.close()
    found: dict[str, Any] = {}
    for kind in ("view", "order"):
        found[f"{kind}s_per_s"] = round(statistics.median(rates[kind]), 1)
        found[f"p50_ms_{kind}"] = round(percentile(times[kind], 0.5), 1)
        found[f"p99_ms_{kind}"] = round(percentile(times[kind], 0.99), 1)
        found[f"cpu_ms_{kind}"] = round(statistics.median(cpu[kind]), 2)
    return found


def _with_basket(port: int, products: int, dice: random.Random) -> tuple[Browser, str]:
    """Return a customer with three things in the basket, and the token of their forms."""
    browser = Browser(port)
    token = _token(browser.get(f"/shop/{SLUG}/")[1])
    for _ in range(3):
        status, _, _ = browser.post(
            f"/shop/{SLUG}/p/P{dice.randrange(products):05d}", csrf_token=token, command_id=new_id(), steps="1"
        )
        assert status == 303, status
    return browser, token


def _token(text: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert found
    return found[1]


def _views(customers: list[Browser], paths: list[str]) -> list[list[Callable[[], float]]]:
    """Share the pages over the lines; each line goes through its part of the customers."""

    def look(browser: Browser, path: str) -> Callable[[], float]:
        def ask() -> float:
            status, text, spent_ms = browser.get(path)
            assert status == 200, status
            assert "product-title" in text
            return spent_ms

        return ask

    return [
        [look(customers[(line + LINES * n) % CUSTOMERS], path) for n, path in enumerate(paths[line::LINES])]
        for line in range(LINES)
    ]


def _orders(buyers: list[tuple[Browser, str]], count: int) -> list[list[Callable[[], float]]]:
    def order(browser: Browser, token: str) -> Callable[[], float]:
        def ask() -> float:
            basket = browser.cookie  # the same basket again: each command is an order of its own
            status, text, spent_ms = browser.post(
                f"/shop/{SLUG}/order", csrf_token=token, command_id=new_id(), name="Li",
                phone=f"+1 555 {next(_numbers):07d}",
            )  # fmt: skip
            browser.cookie = basket
            assert status == 303, text[-800:]
            return spent_ms

        return ask

    return [[order(*buyers[line]) for _ in range(count // LINES)] for line in range(LINES)]


def _in_lines(work: list[list[Callable[[], float]]]) -> list[float]:
    """Do each line's work after one another, all lines at once; gives every time."""
    spent: list[float] = []
    faults: list[BaseException] = []

    def line(part: list[Callable[[], float]]) -> None:
        try:
            spent.extend([one() for one in part])
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=line, args=(part,)) for part in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return spent


# --- in this process ---


def oversell(folder: Path, tries: int) -> dict[str, int]:
    """Try to order one of 100 units far too often, eight at once; gives how many too many were promised."""
    town = _town(folder / "oversell")
    with town.network.write() as session:
        session.get_one(OnlineListing, (STORE, "tea")).available_qty = 100
    placed = [0] * AT_ONCE

    def many(line: int) -> None:
        for _ in range(tries // AT_ONCE):
            with contextlib.suppress(DomainError):
                town.place(new_id(), [("tea", 1)])
                placed[line] += 1

    threads = [threading.Thread(target=many, args=(line,)) for line in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"oversold": max(0, sum(placed) - 100), "undersold": max(0, 100 - sum(placed)), "tries": tries}


def race_all(folder: Path, rounds: int) -> dict[str, dict[str, int]]:
    """Run every race; gives rounds, and those that did not have exactly one winner."""
    town = _town(folder / "races")
    town.open_till()
    found = {}
    races = (("last_unit", _last_unit), ("last_coupon", _last_coupon), ("collection", _collection), ("group", _group),
             ("refund", _refund))  # fmt: skip
    for name, begin in races:
        bad = sum(_winners(*begin(town, n)) != 1 for n in range(rounds))
        found[name] = {"rounds": rounds, "not_one_winner": bad}
    return found


def _town(folder: Path) -> Town:
    folder.mkdir(parents=True, exist_ok=True)
    town = make_town(folder)
    with town.network.write() as session:
        session.get_one(Storefront, STORE).rules = RULES.to_body()
    return town


def _winners(attempt: Callable[[int], bool], over: Callable[[], None]) -> int:
    gate, won = threading.Barrier(AT_ONCE), [False] * AT_ONCE

    def run(line: int) -> None:
        gate.wait()
        with contextlib.suppress(DomainError):
            won[line] = attempt(line)

    threads = [threading.Thread(target=run, args=(line,)) for line in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over()
    return sum(won)


Race = tuple[Callable[[int], bool], Callable[[], None]]


def _last_unit(town: Town, _n: int) -> Race:
    """Eight customers, one unit left."""
    with town.network.write() as session:
        offer = session.get_one(OnlineListing, (STORE, "bread"))
        offer.available_qty = offer.taken_qty + 1

    def attempt(_line: int) -> bool:
        return not town.place(new_id(), [("bread", 1)]).repeated

    return attempt, lambda: _collected(town.network)


def _last_coupon(town: Town, n: int) -> Race:
    """Eight customers, one use left of a coupon."""
    code, everything = f"LAST{n:05d}", (Part(Choice(everything=True)),)
    half = Offer("half-price", "Half price", "percent", everything, percent_bp=5_000, codes=frozenset())
    with town.network.write() as session:
        offers.make(Context(session, ANA, AT), STORE, half)
        offers.make_coupons(Context(session, ANA, AT), STORE, half.id, codes=[code])
        offer = session.get_one(OnlineListing, (STORE, "bread"))
        offer.available_qty = offer.taken_qty + AT_ONCE

    def attempt(_line: int) -> bool:
        with town.network.write() as session:
            preferences = placing.Preferences(coupons=(code,))
            asked = placing.OrderRequest(
                id=new_id(), name="Li", phone="555 0100", lines=[("bread", 1)], preferences=preferences
            )
            placing.place(session, STORE, asked, at=AT)
        return True

    return attempt, lambda: _collected(town.network)


def _collection(town: Town, n: int) -> Race:
    """Eight tills with one customer's code, each with a sale of its own."""
    from pos.stock import stock

    order_id, at = f"collect-{n:05d}", later(minutes=n)
    with town.store.write() as session:
        stock.receive(Context(session, ANA, at), STORE, [("milk", 1)], source_kind="delivery", source_id=order_id)
    with town.network.write() as session:
        session.get_one(OnlineListing, (STORE, "milk")).available_qty += 1
    code = town.ready_order(order_id, [("milk", 1)]).code or ""

    def attempt(_line: int) -> bool:
        done = town.collect(code, new_id(), 129)
        return done.completed is not None and not done.completed.repeated

    return attempt, lambda: _collected(town.network)


def _group(town: Town, n: int) -> Race:
    """Eight neighbours, one place in the last case."""
    at = later(hours=1)
    terms = GroupTerms(
        id=f"group-{n:05d}", store_id=STORE, owner=STORE, sku="milk", name="Milk", steps=((1, 100),), threshold_qty=5,
        case_qty=6, minimum_cases=1, closes_at=at, vehicle_day=dt.date(2026, 3, 4), pickup_until=dt.date(2026, 3, 6),
    )  # fmt: skip

    def join(id: str, want: int, when: dt.datetime) -> None:
        member = GroupMember(id=id, name="Li", phone="555 0100", email="", language="en", token_hash=new_id(),
                             code_hash="", want_qty=want, maximum_qty=want)  # fmt: skip
        with town.network.write() as session:
            groups.join(Context(session, placing.CUSTOMER, when), terms.id, member, provider="practice")
            escrow.settle_outcome(Context(session, placing.CUSTOMER, when), id, Outcome("captured", "P"))
            groups.paid(session, id, at=when)

    with town.network.write() as session:
        groups.open_group(Context(session, ANA, AT), terms)
    join(new_id(), 5, AT)
    with town.network.write() as session:
        group_facts.close_due(session, at=at)

    def attempt(_line: int) -> bool:
        join(new_id(), 1, at)
        return True

    return attempt, lambda: None


def _refund(town: Town, n: int) -> Race:
    """Eight workers sending the same money back."""
    escrow_id = f"refund-{n:05d}"
    with town.network.write() as session:
        escrow.open_for(Context(session, ANA, AT), escrow_id, STORE, "pickup", 500, currency="CNY", provider="practice")
        escrow.settle_outcome(Context(session, ANA, AT), escrow_id, Outcome("captured", "P"))
        entry = escrow.refund(Context(session, ANA, AT), escrow_id, None, why="race")
    assert entry is not None
    entry_id = entry.id

    def attempt(_line: int) -> bool:
        with town.network.write() as session:
            return escrow.refunded(Context(session, ANA, AT), entry_id)

    return attempt, lambda: None


def _collected(database: Database) -> None:
    with database.write() as session:
        session.execute(sa.update(PickupOrder).where(PickupOrder.state.in_(orders.OPEN)).values(state="collected"))


def guesses() -> float:
    """Return the collections a guesser may expect in a store and day with 50 orders waiting, at the allowed rate."""
    per_day = min(TRIES_PER_DAY, TRIES_PER_SPELL * (dt.timedelta(days=1) // SPELL))
    return per_day * 50 / 31**7


if __name__ == "__main__":
    main()

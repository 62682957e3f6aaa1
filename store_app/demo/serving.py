"""Serves the demonstration: one process a node, and a day played whenever somebody asks for it."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from config.clock import PracticeClock, day_start
from config.errors import DomainError
from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos.store.store import show_receipts
from store_app.demo.build import PINS, place_of
from store_app.demo.member import Member
from store_app.demo.panel import ROLLOVER_HOUR, ZONE, DemoPanel
from store_app.demo.road import Road
from store_app.pages.store.demo import notices, put_up, wish
from store_app.runtime.doors import open_doors

START_S = 60.0
SECRET = "practice-only-" * 3
OPEN_AT = dt.timedelta(hours=8)


def serve(
    state: Path, panel: DemoPanel, *, port: int, network_database: str | None, console: Console, began: float
) -> None:
    """Serve the network and the live stores until Ctrl-C; plays a day when the demo page asks for one."""
    state = state.resolve()
    keys = notices(state)["keys"]
    nodes = [NETWORK, *(store.id for store in panel.live_stores())]
    ports = dict(zip(nodes, _free_ports(port, len(nodes)), strict=True))
    urls = {node: f"http://127.0.0.1:{number}" for node, number in ports.items()}
    put_up(
        state,
        urls=urls,
        names={store.id: store.name for store in panel.live_stores()},
        slugs={store.id: store.slug for store in panel.live_stores()},
        network_database=network_database,
        playing=None,
        fault=None,
        last_day=panel.last_day.isoformat(),
    )
    wish(state).unlink(missing_ok=True)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for node in nodes:
            given: dict[str, Any] = {"port": ports[node], "public_url": urls[NETWORK]}
            if node != NETWORK:
                given |= {"network_url": urls[NETWORK], "network_key": keys[node]}
            settings = settings_for(state, node, database_url=network_database if node == NETWORK else None, **given)
            processes[node] = _start(settings, state / f"{node}.log")
        for node in nodes:
            _wait(urls[node], processes[node], state / f"{node}.log")
        _show_receipts(panel, state, urls[NETWORK])
        _say(console, panel, urls, state, began)
        _watch(state, panel, keys, urls, processes)
    except KeyboardInterrupt:
        console.print("\nClosing the stores …")
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def left_to_visitors(panel: DemoPanel) -> frozenset[str]:
    """Return the store whose orders and goods wait for whoever looks: the first live one."""
    return frozenset({panel.live_stores()[0].id})


def over_http(state: Path, panel: DemoPanel, keys: dict[str, str], urls: dict[str, str], reported: Any) -> Road:
    """Open the road over the nodes that are being served: their pages by HTTP, their books beside them."""
    clock = PracticeClock(state / "clock.json")
    base = settings_for(state, NETWORK, database_url=notices(state).get("network_database"))
    network = Member(base, clock, httpx2.Client(base_url=urls[NETWORK], timeout=60))
    stores = {}
    for store in panel.stores:
        settings = settings_for(
            state, store.id, network_url=urls[NETWORK], network_key=keys[store.id], public_url=urls[NETWORK]
        )
        client = httpx2.Client(base_url=urls[store.id], timeout=60) if store.is_live else None
        stores[store.id] = Member(settings, clock, client, store.slug)
    return Road(panel, network, stores, set_clock=clock.set, progress=reported, left_to_people=left_to_visitors(panel))


def settings_for(
    state: Path, node_id: str, *, clock_file: bool = True, database_url: str | None = None, **given: Any
) -> Settings:
    """Return the settings of a demonstration node."""
    place = place_of(state.resolve(), node_id, database_url)
    return Settings(
        role="network" if node_id == NETWORK else "store",
        node_id=node_id,
        database_url=place.database_url,
        state_folder=place.folder,
        secret_key=SECRET,
        practice=True,
        practice_clock=state.resolve() / "clock.json" if clock_file else None,
        printer="" if node_id == NETWORK else "paper",
        log_level="WARNING",
        **given,
    )


def morning(day: dt.date) -> dt.datetime:
    """Return eight o'clock of a demonstration day."""
    return day_start(day, ZONE, ROLLOVER_HOUR) - dt.timedelta(hours=ROLLOVER_HOUR) + OPEN_AT


# --- inside ---


def _show_receipts(panel: DemoPanel, state: Path, network: str) -> None:
    """Print on the live stores' receipts a code that leads to them; the address is another at every start."""
    for store in panel.live_stores():
        doors = open_doors(settings_for(state, store.id))
        with doors.write() as session:
            address = f"{network}/shop/{store.slug}/receipts"
            show_receipts(Context(session, Actor.system("demo", store.id), doors.now()), store.id, address)
        doors.database.engine.dispose()


def _start(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    for name, value in settings.model_dump(exclude_defaults=True).items():
        if value is not None:
            environment[f"CORNERSTORE_{name.upper()}"] = str(value)
    command = [sys.executable, "-m", "store_app", "serve"]
    with log.open("wb") as file:
        # a session of its own: Ctrl-C is for the command, which then ends the nodes one by one
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{url}/health", timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            if process.poll() is not None:
                break
        time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-1500:]
    raise SystemExit(f"A node did not start; its log {log} ends:\n{tail}")


def _watch(
    state: Path, panel: DemoPanel, keys: dict[str, str], urls: dict[str, str], processes: dict[str, Any]
) -> None:
    while all(process.poll() is None for process in processes.values()):
        time.sleep(0.5)
        if wish(state).exists():
            wish(state).unlink(missing_ok=True)
            _play(state, panel, keys, urls)
    gone = ", ".join(node for node, process in processes.items() if process.poll() is not None)
    raise SystemExit(f"{gone} has stopped; its log lies in {state}.")


def _play(state: Path, panel: DemoPanel, keys: dict[str, str], urls: dict[str, str]) -> None:
    day = dt.date.fromisoformat(notices(state)["day"]) + dt.timedelta(days=1)
    if day > panel.last_day:
        put_up(state, fault="The real baskets end here. Start again with --fresh.")
        return

    def reported(words: str, done: int, of: int) -> None:
        put_up(state, playing={"words": words, "done": done, "of": of})

    reported("Opening the stores …", 0, 0)
    road = over_http(state, panel, keys, urls, reported)
    try:
        road.walk(day)
    except (DomainError, httpx2.HTTPError) as fault:
        road.tally.missing.append(str(fault))
    put_up(state, playing=None, day=day.isoformat(), fault="; ".join(road.tally.missing[:3]) or None)
    road.network.doors.clock.set(morning(day + dt.timedelta(days=1)))  # type: ignore[attr-defined]


def _free_ports(first: int, count: int) -> list[int]:
    found: list[int] = []
    for number in range(first, first + 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) != 0:
                found.append(number)
        if len(found) == count:
            return found
    raise SystemExit(f"No {count} free ports from {first} on; name another with --port.")


def _say(console: Console, panel: DemoPanel, urls: dict[str, str], state: Path, began: float) -> None:
    figures = panel.figures
    console.print(f"\n[b green]The stores are open[/b green] (ready in {time.perf_counter() - began:.0f} s).\n")
    console.print(f"  Start here            [b]{urls[NETWORK]}/demo[/b]")
    console.print(f"  The network           {urls[NETWORK]}/console/   Olivia, PIN {PINS['operator']}")
    for store in panel.live_stores():
        console.print(
            f"  {store.name:<21} {urls[store.id]}/   Ana (cashier) PIN {PINS['cashier']}, "
            f"Sue (supervisor) PIN {PINS['supervisor']}, "
            f"Wei (shopkeeper) PIN {PINS['shopkeeper']}"
        )
    console.print(
        f"\n  Real sales: {figures['history_lines']:,} basket lines of the past in {len(panel.stores)} stores, "
        f"{len(panel.products)} products.\n  Everything lies in {state}. Ctrl-C ends it.\n"
    )

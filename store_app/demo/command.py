"""`cornerstore demo`: builds the demonstration network, walks it through its first days, and serves it.

Rules
-----
1. Everything lives in one folder, named at the start; `--fresh` begins again. A half-built network is built again.
2. `--once` walks the road without serving and ends with what happened; exit 1 if anything did not.
3. Serving is one process a node: the network and the two live stores, each with its worker. Ctrl-C ends all.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import httpx2
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from waitress import create_server

from config import log
from config.clock import FrozenClock, PracticeClock, day_start
from config.ids import NETWORK
from store_app.app import create_app
from store_app.demo.build import build_network, build_store, catalogue_edition, place_of
from store_app.demo.member import Member
from store_app.demo.panel import ROLLOVER_HOUR, ZONE, DemoPanel
from store_app.demo.pooling import load_panel
from store_app.demo.products import TAX_CLASSES
from store_app.demo.road import Road, Tally
from store_app.demo.serving import left_to_visitors, morning, serve, settings_for
from store_app.pages.store.demo import notices, put_up


def run(
    *, state: Path, fresh: bool, once: bool, as_json: bool, days: int, port: int, network_database: str | None
) -> None:
    """Show a network and two stores trading on real sales."""
    log.set_up(level="WARNING", for_people=True)
    console = Console(stderr=True)
    began = time.perf_counter()
    if once:
        state = state / "once"
    with _alone(state):
        if (fresh or once) and state.exists():
            shutil.rmtree(state)
        state.mkdir(parents=True, exist_ok=True)
        console.print(f"The demonstration lives in [b]{state.resolve()}[/b]")
        with _reported(console) as reported:
            panel = _panel((state.parent if once else state) / "panel", reported)
            walked = _prepare(state, panel, days, network_database, reported, serving=not once)
        if not once:
            serve(state, panel, port=port, network_database=network_database, console=console, began=began)
            return
    assert walked is not None
    walked.seconds = round(time.perf_counter() - began, 1)
    if as_json:
        click.echo(json.dumps(walked.as_json()))
    else:
        _print_tally(console, walked)
    sys.exit(1 if walked.missing else 0)


# --- inside ---


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Keep a second demonstration out of the same folder."""
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(state.parent / f".{state.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise click.ClickException(f"Another demonstration runs in {state}. End it first, or name --state.") from None
    try:
        yield
    finally:
        lock.release()


def _panel(cache: Path, reported: Callable[[str, int, int], None]) -> DemoPanel:
    try:
        return load_panel(cache, progress=lambda words: reported(words, 0, 0))
    except ImportError as missing:
        raise click.ClickException(str(missing)) from missing


def _prepare(
    state: Path,
    panel: DemoPanel,
    days: int,
    network_database: str | None,
    reported: Callable[[str, int, int], None],
    *,
    serving: bool,
) -> Tally | None:
    """Build and walk the first days, unless that was done; returns the tally of what was walked now."""
    if notices(state).get("ready"):
        return None
    for part in state.iterdir():
        if part.name != "panel":
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    keys = build(state, panel, network_database=network_database, reported=reported)
    put_up(state, keys=keys, figures=panel.figures | {"tax_bp": TAX_CLASSES["general"][1]}, day=None, ready=False)
    left = left_to_visitors(panel) if serving else frozenset[str]()
    with all_here(state, panel, keys, network_database, reported, left) as road:
        road.begin()
        for n in range(days):
            road.walk(panel.cut_off + dt.timedelta(days=n))
        tally = road.finish()
        order = road.leave_to_bring() if serving else ""
    last = panel.cut_off + dt.timedelta(days=days - 1)
    put_up(state, ready=True, day=last.isoformat(), tally=tally.as_json(), to_bring=order)
    PracticeClock(state / "clock.json").set(morning(last + dt.timedelta(days=1)))
    return tally


def build(
    state: Path, panel: DemoPanel, *, network_database: str | None, reported: Callable[[str, int, int], None]
) -> dict[str, str]:
    """Build every node's database; returns the stores' keys."""
    at = day_start(panel.cut_off, ZONE, ROLLOVER_HOUR)
    reported("Founding the network …", 0, 0)
    keys = build_network(
        panel, place_of(state, NETWORK, network_database), at=at, progress=lambda words: reported(words, 0, 0)
    )
    edition = catalogue_edition(place_of(state, NETWORK, network_database), panel.stores[0].id, panel.cut_off)
    for n, store in enumerate(panel.stores):
        reported(f"Founding {store.name} …", n, len(panel.stores))
        build_store(panel, store, place_of(state, store.id), at=at, edition=edition)
    return keys


@contextmanager
def all_here(
    state: Path,
    panel: DemoPanel,
    keys: dict[str, str],
    network_database: str | None,
    reported: Callable[[str, int, int], None],
    left: frozenset[str] = frozenset(),
) -> Iterator[Road]:
    """Open all nodes in this process, the network behind a real HTTP server, on one clock that is set by hand."""
    clock = FrozenClock(day_start(panel.cut_off, ZONE, ROLLOVER_HOUR))
    base = settings_for(state, NETWORK, clock_file=False, database_url=network_database)
    with _served(create_app(base, clock)) as url, ExitStack() as stack:
        network_client = stack.enter_context(httpx2.Client(base_url=url, timeout=30))
        network = Member(base.model_copy(update={"public_url": url}), clock, network_client)
        stores = {}
        for store in panel.stores:
            settings = settings_for(
                state, store.id, clock_file=False, network_url=url, network_key=keys[store.id], public_url=url
            )
            client = None
            if store.is_live:
                transport = httpx2.WSGITransport(app=create_app(settings, clock))
                client = stack.enter_context(httpx2.Client(transport=transport, base_url="http://127.0.0.1"))
            stores[store.id] = Member(settings, clock, client, store.slug)
        for member in [network, *stores.values()]:
            stack.callback(member.close)
        yield Road(panel, network, stores, set_clock=clock.set, progress=reported, left_to_people=left)


@contextmanager
def _served(app: Any) -> Iterator[str]:
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(5)


@contextmanager
def _reported(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Starting …", total=None)

        def send(words: str, done: int, of: int) -> None:
            bar.update(task, description=words, completed=done, total=of or None)

        yield send


def _print_tally(console: Console, tally: Tally) -> None:
    for name, value in tally.as_json().items():
        if name != "missing":
            console.print(f"{name.replace('_', ' '):<18} {value}")
    for name in tally.missing:
        console.print(f"[red]did not happen: {name}[/red]")

"""The web server of a node, with its worker as a child of its own.

A store serves with waitress: pure Python, one process on one core, so that SQLite's writers queue at one lock. The
network may use gunicorn instead. SIGTERM ends both after the running requests.
"""

import atexit
import contextlib
import ctypes
import errno
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
import structlog
from filelock import FileLock, Timeout
from flask import Flask

from config import log as logs
from config import private, settings
from config.database import refuse_unsafe
from config.errors import Conflict, Invalid, Unreachable
from store_app.app import create_app
from store_app.first_run.application import entrance_of
from store_app.node import founding, leaving
from store_app.runtime import known_past, metrics
from store_app.runtime.doors import Doors, open_doors
from store_app.sync import restored
from store_app.web import own_store

log = structlog.get_logger()
PORT, LOG_NAME, LONGEST_LOG = 8000, "cornerstore.log", 10_000_000
SIDECAR_S = 1.0
"""How often the server looks whether the journal has grown beyond the sidecar file."""
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""M_ARENA_MAX and M_MMAP_THRESHOLD of glibc's mallopt(3)."""
_GIVEN_BACK = 1 << 20
"""Bytes from which a piece of memory goes back to the machine when it is done with: checking a PIN takes 19 MiB."""


def serve(doors: Doors, *, work: bool = True, gunicorn: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; these books are nobody else's to serve meanwhile."""
    with alone(doors):
        refuse_port(doors.settings.host, doors.settings.port)
        with metrics.added_up(doors.settings) if gunicorn else contextlib.nullcontext():
            _serve(doors, work=work, gunicorn=gunicorn)


def open_here(*, port: int | None, browser: bool) -> None:
    """Open this computer's store in the browser and serve it; where there is none yet, its first run.

    The console shows one address; what is logged goes to a file beside the books.
    """
    if "CORNERSTORE_SETTINGS" not in os.environ:
        _first_run(founding.home(), port=port or PORT, browser=browser)
        return
    doors = open_doors(settings.load())
    founding.set_up(doors)
    own_store.founded(doors)
    address = f"http://{doors.settings.host}:{doors.settings.port}/"

    try:
        with alone(doors):
            refuse_port(doors.settings.host, doors.settings.port)
            _log_to(doors.settings.state_folder / LOG_NAME, doors.settings.log_level)
            _serve(doors, work=True, gunicorn=False, ready=lambda: _show(address, browser=browser))
    except Conflict as refusal:
        if refusal.code != "served-already":
            raise
        _show(address, browser=browser)


def _first_run(folder: Path, *, port: int, browser: bool) -> None:
    """Ask what the store is on the very port on which it answers afterwards."""
    host = settings.Settings.model_fields["host"].default
    private.folder(folder)
    with contextlib.ExitStack() as running:
        try:
            running.enter_context(FileLock(folder / "first-run.lock", timeout=0))
        except Timeout as fault:
            raise Conflict("set-up-open", "The set-up is already open in another window of this computer.") from fault
        refuse_port(host, port)

        def opened(file: Path) -> Flask:
            os.environ["CORNERSTORE_SETTINGS"] = str(file)
            doors = open_doors(settings.load())
            _log_to(doors.settings.state_folder / LOG_NAME, doors.settings.log_level)
            running.enter_context(alone(doors))
            app = _ready(doors)
            running.enter_context(_worker())
            running.enter_context(sidecar_kept(doors))
            return app

        entrance = entrance_of(folder, opened, port=port)
        server = web_server(entrance, host, port, threads=8)
        _end_on_signals()
        _log_to(folder / LOG_NAME, "INFO")
        running.callback(entrance.page.unlink, missing_ok=True)
        _show(f"http://{host}:{port}/?key={entrance.key}", browser=browser, by=entrance.page_to)
        server.run()


def _show(address: str, *, browser: bool, by: Callable[[str], str] = str) -> None:
    """Say the address, and open it where there is a screen to open it on; by: what leads a browser to it."""
    click.echo(address)
    if browser and (
        sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        with contextlib.suppress(OSError):  # a home nobody writes to: the address can be typed
            threading.Thread(target=webbrowser.open, args=(by(address),), daemon=True).start()


def _log_to(file: Path, level: str) -> None:
    """Send what this process and its worker log to a file; a long one of before is put aside."""
    with contextlib.suppress(FileNotFoundError):
        if file.stat().st_size > LONGEST_LOG:
            file.replace(file.with_suffix(".old.log"))
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)
    logs.set_up(level=level)


@contextlib.contextmanager
def alone(doors: Doors) -> Iterator[None]:
    """Hold an SQLite database's place for its one server; Conflict where another process has it.

    The lock is the system's: it goes with the process, however that ends.
    """
    if doors.server_lock is None:
        yield
        return
    lock = FileLock(doors.server_lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as fault:
        raise Conflict(
            "served-already",
            "Another server on this computer already uses this database. Use that one, or stop it first.",
        ) from fault
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def sidecar_kept(doors: Doors) -> Iterator[None]:
    """Keep the sidecar file up to date meanwhile, and follow a store that leaves, whether a worker runs or not."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(SIDECAR_S):
            try:
                restored.keep_sidecar(doors)
                leaving.follow(doors)
            except (OSError, sa.exc.SQLAlchemyError) as fault:  # it tries again, and selling goes on
                log.warning("the sidecar could not be written", why=str(fault))

    keeper = threading.Thread(target=keep, name="sidecar", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
        with contextlib.suppress(OSError, sa.exc.SQLAlchemyError):
            restored.keep_sidecar(doors)


def _ready(doors: Doors) -> Flask:
    """Put the application together over books that may be served."""
    _share_memory()
    refuse_unsafe(doors.database.engine)
    known_past.hold(doors)
    restored.restart_if_restored(doors)
    leaving.follow(doors)
    app = create_app(doors.settings, doors.clock)
    gc.freeze()  # what is there now stays for ever: looking through it again and again would make a sale wait
    log.info("serving", node=doors.settings.node_id, address=f"http://{doors.settings.host}:{doors.settings.port}/")
    return app


def _serve(doors: Doors, *, work: bool, gunicorn: bool, ready: Callable[[], None] = lambda: None) -> None:
    app, settings = _ready(doors), doors.settings
    with _worker() if work else contextlib.nullcontext():
        if gunicorn:
            _gunicorn(app, settings.host, settings.port, settings.threads)
        else:
            pin_to_one_core()
            server = web_server(app, settings.host, settings.port, settings.threads)
            _end_on_signals()
            ready()
            with sidecar_kept(doors):
                server.run()


def _end_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def web_server(app: Any, host: str, port: int, threads: int) -> Any:
    """Return waitress on a port, ready to run."""
    from waitress import create_server

    return create_server(
        app, host=host, port=port, threads=threads, ident=None, max_request_body_size=21_000_000,
        # whose word counts is decided where it is asked (`strangers`); that a proxy stands between must show
        clear_untrusted_proxy_headers=False,
        # every customer's browser keeps a connection: waitress's usual hundred would leave the others outside
        connection_limit=2_000, asyncore_use_poll=True,
    )  # fmt: skip


def refuse_port(host: str, port: int) -> None:
    """Refuse (Unreachable) a port that another program has, or that is not to be had at this address."""
    try:
        for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as tried:
                if os.name == "posix":  # elsewhere it would let two programs have the same port
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise Unreachable(
                "port-taken",
                "Another program uses port %(port)s. If the store is already running, open "
                "http://127.0.0.1:%(port)s/. Otherwise close that program, or set another port.", port=port,
            ) from fault  # fmt: skip
        raise Unreachable(
            "port-refused",
            "Port %(port)s at %(host)s is not available: %(strerror)s. Set another host "
            "or port.", host=host, strerror=fault.strerror, port=port,
        ) from fault  # fmt: skip


def pin_to_one_core() -> None:
    """Keep the threads begun from here on one core, where the system lets us.

    They take turns at Python's one lock: a second core brings them nothing, and to hand the lock over between cores
    costs more than to look a product up.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def _share_memory() -> None:
    """Let all threads draw from one pool of memory, and give large pieces back.

    glibc has a pool for each thread, where much lies idle, and keeps a piece as large as it once gave back.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such pools
        glibc = ctypes.CDLL("libc.so.6")
        glibc.mallopt(_ARENA_MAX, 1)
        glibc.mallopt(_MMAP_THRESHOLD, _GIVEN_BACK)


@contextlib.contextmanager
def _worker() -> Iterator[None]:
    command = [sys.executable, "-m", "store_app", "work", "--with-parent", str(os.getpid())]
    worker = subprocess.Popen(command, env=os.environ)
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=60)
        except subprocess.TimeoutExpired:
            worker.kill()


def _keep_sidecar(worker: Any) -> None:
    """Keep the sidecar in a process of gunicorn's until it ends: threads begun before it was forked are not in it."""
    kept = sidecar_kept(worker.app.callable.extensions["cornerstore"])
    kept.__enter__()
    atexit.register(kept.__exit__, None, None, None)


def _gunicorn(app: Any, host: str, port: int, threads: int) -> None:
    try:
        from gunicorn.app.base import BaseApplication
    except ImportError as fault:
        raise Invalid("no-gunicorn", "gunicorn is not installed on this computer. Serve without --gunicorn.") from fault

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {"bind": f"{host}:{port}", "workers": 2, "threads": threads}.items():
                self.cfg.set(name, value)
            self.cfg.set("post_worker_init", _keep_sidecar)

        def load(self) -> Any:
            return app

    Server().run()

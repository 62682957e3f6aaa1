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
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import structlog
from filelock import FileLock, Timeout

from config.database import refuse_unsafe
from config.errors import Conflict, Invalid, Unreachable
from store_app.app import create_app
from store_app.runtime import known_past, metrics
from store_app.runtime.doors import Doors
from store_app.sync import restored

log = structlog.get_logger()
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
    """Keep the sidecar file up to date meanwhile, whether a worker runs or not."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(SIDECAR_S):
            try:
                restored.keep_sidecar(doors)
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


def _serve(doors: Doors, *, work: bool, gunicorn: bool) -> None:
    _share_memory()
    refuse_unsafe(doors.database.engine)
    known_past.hold(doors)
    restored.restart_if_restored(doors)
    app = create_app(doors.settings, doors.clock)
    gc.freeze()  # what is there now stays for ever: looking through it again and again would make a sale wait
    settings = doors.settings
    log.info("serving", node=settings.node_id, address=f"http://{settings.host}:{settings.port}/")
    with _worker() if work else contextlib.nullcontext():
        if gunicorn:
            _gunicorn(app, settings.host, settings.port, settings.threads)
        else:
            pin_to_one_core()
            server = web_server(app, settings.host, settings.port, settings.threads)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: sys.exit(0))
            with sidecar_kept(doors):
                server.run()


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
                "http://127.0.0.1:%(port)s/. Otherwise end that program, or set another port.", port=port,
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

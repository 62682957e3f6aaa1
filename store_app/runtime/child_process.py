"""Work in child processes, so that neither a sale nor paper waits: long computations, and files from outside.

Rules
-----
1. A computation takes as long as COMPUTE_LIMIT_S and what memory it needs: its data are our own.
2. A file somebody sent is read in a child with READ_BYTES of memory, READ_CPU_S of a core and READ_LIMIT_S by
   the clock, at most READ_AT_ONCE at a time, below the tills' priority. The child is killed when it takes more, and
   the file refused: the web process itself parses none.
3. What comes back from reading is JSON: data, never objects.
4. The photo of a page is read as files are, one at a time, with PAGE_BYTES of memory and PAGE_LIMIT_S by the clock.
5. Where the system has no such limit (Windows: memory and CPU; macOS: memory), the clock and the size of the file bound
   what it costs.
"""

import base64
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from config.errors import DomainError, Invalid, Unreachable, kept, kept_again

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
COMPUTE_LIMIT_S = 900.0
REPORTED_S = 1.0
"""So often a child tells how far it is."""
Far = Callable[[int, int], None]
"""Is told how much is done, of how much."""
READ_CPU_S, READ_LIMIT_S, READ_BYTES, READ_AT_ONCE = 10, 20.0, 100 << 20, 2
"""READ_BYTES: beside what the child starts with, some 35 MiB."""
PAGE_LIMIT_S, PAGE_BYTES = 60.0, 900 << 20
"""PAGE_BYTES is what is asked for; half of it is used."""
WAIT_FOR_TURN_S, START_S = 3.0, 30.0
_READ_NICE, _DONE = 5, b"null"
_OUT_OF_TIME = getattr(signal, "SIGXCPU", 0)
_PART = 500
"""So many rows travel at once."""
_LOADED_ONCE = [
    "store_app.runtime.child_process",
    "store_app.files.tables",
    "store_app.files.encodings",
    "openpyxl",
    "PIL.Image",
]
"""What the server that readers are forked from has loaded already."""


def compute_apart(function: Callable[..., Any], loaded: Any, far: Far | None = None) -> Any:
    """Run a pure computation in a child of its own, pinned to one thread, and return what it answers.

    far: the function is given `progress=` and what it tells that arrives here, from time to time.
    """
    os.environ.update(ONE_THREAD)  # the child reads it before it loads any arithmetic
    context = multiprocessing.get_context("spawn")
    ear, mouth = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(mouth,))
    asked = (function, loaded) if far is None else (_telling, (function, loaded))
    until = time.monotonic() + COMPUTE_LIMIT_S
    try:
        running = pool.submit(*asked)
        while not running.done() and time.monotonic() < until:
            wait([running], timeout=COMPUTE_LIMIT_S if far is None else REPORTED_S)
            while far is not None and ear.poll():
                far(*ear.recv())
        return running.result(timeout=0)
    except BrokenProcessPool as fault:
        raise Unreachable("computing-stopped", "The computation stopped early.") from fault
    except TimeoutError as fault:
        for child in list(multiprocessing.active_children()):
            child.terminate()
        raise Unreachable(
            "computing-too-slow", "The computation took longer than %(compute_limit_s)s s.",
            compute_limit_s=f"{COMPUTE_LIMIT_S:.0f}",
        ) from fault  # fmt: skip
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ear.close()
        mouth.close()


def compute_here(function: Callable[..., Any], loaded: Any, far: Far | None = None) -> Any:
    """Run a computation at once, in this process: for who has nothing else to do."""
    return function(loaded) if far is None else function(loaded, progress=far)


def read_apart(function: Callable[..., Iterable[Any]], *given: Any, limit_s: float = READ_LIMIT_S) -> Iterator[Any]:
    """Read what somebody sent, in a child (rule 2): return all that the function yields, as JSON carries it, or bytes.

    Never call it inside a transaction. The function's own refusals (DomainError) are raised here.
    limit_s: for whom no till waits, with as much more of a core.
    """
    from config.database import is_writing  # which a child would load, too

    if is_writing():
        raise RuntimeError("a file is read while the books are locked")
    if not _turns.acquire(timeout=WAIT_FOR_TURN_S):
        raise Unreachable("reading-busy", "Other files are being read. Try again in a few seconds.")
    try:
        parts = _read_all(function, given, limit_s)
    finally:
        _turns.release()
    return (item for part in parts for item in json.loads(part, object_hook=_with_bytes))


def read_page_apart(function: Callable[..., Iterable[Any]], *given: Any) -> Iterator[Any]:
    """Read the photo of a page in a child (rule 4), as `read_apart` does."""
    from config.database import is_writing

    if is_writing():
        raise RuntimeError("a photo is read while the books are locked")
    if not _page_turn.acquire(timeout=WAIT_FOR_TURN_S):
        raise Unreachable("reading-busy", "Other files are being read. Try again in a few seconds.")
    try:
        parts = _read_all(function, given, PAGE_LIMIT_S, PAGE_BYTES)
    finally:
        _page_turn.release()
    return (item for part in parts for item in json.loads(part, object_hook=_with_bytes))


def step_back() -> None:
    """Let every other program of the machine go first."""
    if sys.platform == "win32":
        import ctypes

        this, below_normal = ctypes.c_void_p(-1), 0x4000
        ctypes.windll.kernel32.SetPriorityClass(this, below_normal)
    else:
        os.nice(19)


# --- inside ---

_turns, _page_turn = threading.BoundedSemaphore(READ_AT_ONCE), threading.BoundedSemaphore(1)


def _context() -> Any:
    """Return how readers are started: forked from a small server that has loaded the parsers, or again each time."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    os.environ.update(ONE_THREAD)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED_ONCE)
    return context


def _read_all(
    function: Callable[..., Iterable[Any]], given: tuple[Any, ...], limit_s: float, most: int = READ_BYTES
) -> list[bytes]:
    context = _context()
    ear, mouth = context.Pipe(duplex=False)
    child = context.Process(target=_read, args=(mouth, function, given, limit_s, most), daemon=True)
    parts: list[bytes] = []
    try:
        child.start()
        mouth.close()
        if ear.poll(START_S):
            ear.recv_bytes()
        until = time.monotonic() + limit_s
        while ear.poll(max(0.0, until - time.monotonic())):
            part = ear.recv_bytes()
            if part == _DONE:
                return parts
            if part.startswith(b"{"):
                raise kept_again(json.loads(part))
            if part:  # a child that began late says so only now
                parts.append(part)
        raise _too_much(slow=True)
    except (EOFError, OSError) as fault:  # it was killed: by a limit, or by the system
        child.join(READ_LIMIT_S)
        raise _too_much(slow=child.exitcode == -_OUT_OF_TIME) from fault
    finally:
        if child.pid is not None:
            child.kill()
            child.join()
        child.close()
        ear.close()
        mouth.close()


def _with_bytes(said: dict[str, Any]) -> Any:
    return base64.b64decode(said["base64"]) if said.keys() == {"base64"} else said


def _too_much(*, slow: bool = False) -> Invalid:
    if slow:
        return Invalid("file-too-slow", "This file takes too long to read. Make it smaller and try again.")
    return Invalid("file-takes-too-much", "This file needs too much memory. Make it smaller and try again.")


# --- inside, in the child ---


def _read(
    mouth: Connection, function: Callable[..., Iterable[Any]], given: tuple[Any, ...], limit_s: float, most: int
) -> None:
    _limit(int(limit_s / READ_LIMIT_S * READ_CPU_S), most)
    mouth.send_bytes(b"")  # it has begun: on a busy machine, to start it takes longer than to read
    try:
        items = iter(function(*given))
        while part := list(islice(items, _PART)):
            mouth.send_bytes(json.dumps(part, default=_plain).encode())
    except DomainError as refusal:
        refused = refusal
    except MemoryError:
        refused = _too_much()
    except Exception as fault:  # a torn or hostile file: its reader may stumble in any way
        refused = Invalid(
            "unreadable-file", "This file cannot be read (%(name)s). Save it again.", name=type(fault).__name__
        )
    else:
        mouth.send_bytes(_DONE)
        return
    mouth.send_bytes(json.dumps(kept(refused)).encode())


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else str(value)


def _limit(cpu_s: int, most_bytes: int = READ_BYTES) -> None:
    """Bound what this process may cost (rules 2, 4), and let tills go first."""
    if sys.platform == "win32":
        step_back()
        return
    os.nice(_READ_NICE)
    if hasattr(os, "sched_setaffinity"):  # the web server keeps to one core, and its children would share it
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
    import resource

    for what, most in (
        (resource.RLIMIT_DATA, _held() + most_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most + (what == resource.RLIMIT_CPU)))


_mouth: list[Connection] = []


def _held() -> int:
    """Return how much memory of its own this process has asked for."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no Linux
        return 0


def _begin(mouth: Connection) -> None:
    _mouth.append(mouth)
    step_back()


def _telling(asked: tuple[Callable[..., Any], Any]) -> Any:
    function, loaded = asked
    reported = [float("-inf")]

    def progress(so_far: int, whole: int) -> None:
        if time.monotonic() >= reported[0] + REPORTED_S:
            reported[0] = time.monotonic()
            _mouth[0].send((so_far, whole))

    return function(loaded, progress=progress)

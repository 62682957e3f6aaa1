"""Arithmetic apart: a long computation in a child of its own, so that neither paper nor a sale waits for it."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

from config.errors import Unreachable

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
COMPUTE_LIMIT_S = 900.0
TOLD_S = 1.0
"""So often a child tells how far it is."""
Far = Callable[[int, int], None]
"""Is told how much is done, of how much."""


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
            wait([running], timeout=COMPUTE_LIMIT_S if far is None else TOLD_S)
            while far is not None and ear.poll():
                far(*ear.recv())
        return running.result(timeout=0)
    except BrokenProcessPool as fault:
        raise Unreachable("computing-stopped", "The computation stopped before it was done.") from fault
    except TimeoutError as fault:
        for child in list(multiprocessing.active_children()):
            child.terminate()
        raise Unreachable("computing-too-slow", f"The computation took longer than {COMPUTE_LIMIT_S:.0f} s.") from fault
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ear.close()
        mouth.close()


def compute_here(function: Callable[..., Any], loaded: Any, far: Far | None = None) -> Any:
    """Run a computation at once, in this process: for who has nothing else to do."""
    return function(loaded) if far is None else function(loaded, progress=far)


def step_back() -> None:
    """Let every other program of the machine go first."""
    if sys.platform == "win32":
        import ctypes

        this, below_normal = ctypes.c_void_p(-1), 0x4000
        ctypes.windll.kernel32.SetPriorityClass(this, below_normal)
    else:
        os.nice(19)


# --- inside, in the child ---

_mouth: list[Connection] = []


def _begin(mouth: Connection) -> None:
    _mouth.append(mouth)
    step_back()


def _telling(asked: tuple[Callable[..., Any], Any]) -> Any:
    function, loaded = asked
    told = [float("-inf")]

    def progress(so_far: int, whole: int) -> None:
        if time.monotonic() >= told[0] + TOLD_S:
            told[0] = time.monotonic()
            _mouth[0].send((so_far, whole))

    return function(loaded, progress=progress)

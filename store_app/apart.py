"""Arithmetic apart: a long computation in a child of its own, so that neither paper nor a sale waits for it."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from config.errors import Unreachable

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
COMPUTE_LIMIT_S = 900.0


def compute_apart(function: Callable[[Any], Any], loaded: Any) -> Any:
    """Run a pure computation in a child of its own, pinned to one thread, and return what it answers."""
    os.environ.update(ONE_THREAD)  # the child reads it before it loads any arithmetic
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=step_back)
    try:
        return pool.submit(function, loaded).result(timeout=COMPUTE_LIMIT_S)
    except BrokenProcessPool as fault:
        raise Unreachable("computing-stopped", "The computation stopped before it was done.") from fault
    except TimeoutError as fault:
        for child in list(multiprocessing.active_children()):
            child.terminate()
        raise Unreachable("computing-too-slow", f"The computation took longer than {COMPUTE_LIMIT_S:.0f} s.") from fault
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def step_back() -> None:
    """Let every other program of the machine go first."""
    if sys.platform == "win32":
        import ctypes

        this, below_normal = ctypes.c_void_p(-1), 0x4000
        ctypes.windll.kernel32.SetPriorityClass(this, below_normal)
    else:
        os.nice(19)

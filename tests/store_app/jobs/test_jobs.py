"""Nights run once, are made up when missed, and one worker leads."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.clock import day_start
from config.errors import Refused, Unreachable
from pos.store.store import Store, found_store
from store_app.commands import cli
from store_app.jobs import forecast, jobs
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS, Job
from store_app.jobs.worker import Worker, leadership
from store_app.node import doctor
from store_app.roles import ROLES
from store_app.runtime import job_runs
from store_app.runtime.child_process import compute_apart
from store_app.runtime.doors import open_doors
from store_app.runtime.metrics import JobTimes
from supply.demand import forecasts
from supply.membership.benchmarks import BenchmarkFigure
from supply.online.orders import PickupTry
from tests.builders import NOON
from tests.empty import empty_database
from tests.store_app.far import counted
from tests.store_app.office import words

DAY = dt.date(2026, 3, 1)
TOMORROW = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=1)


class Diary:
    """A job that writes down when it ran."""

    def __init__(self, *faults: Exception) -> None:
        self.days: list[dt.date] = []
        self.faults = list(faults)

    def __call__(self, desk, day):
        self.days.append(day)
        if self.faults:
            raise self.faults.pop(0)
        return "written"


def worker_with(house, *table: Job) -> Worker:
    return Worker(house.doors, list(table))


def environment_of(house) -> dict[str, str]:
    return os.environ | {
        "CORNERSTORE_ROLE": "store", "CORNERSTORE_NODE_ID": "S01", "CORNERSTORE_PRACTICE": "true",
        "CORNERSTORE_STATE_FOLDER": str(house.doors.settings.state_folder),
    }  # fmt: skip


@contextmanager
def planned(worker: Worker):
    """Give the worker's scheduler its jobs; it runs none of them."""
    worker.plan()
    worker.scheduler.start(paused=True)
    yield
    worker.end()


def test_every_job_is_one_of_a_role_that_there_is():
    assert {role for job in JOBS.values() for role in job.roles} == set(ROLES)


def test_a_job_is_one_row_of_the_table(house, network, monkeypatch):
    diary = Diary()
    monkeypatch.setitem(JOBS, "diary", Job("diary", diary, roles=("store",)))
    assert JOBS["diary"] in Worker(house.doors).table
    assert JOBS["diary"] not in Worker(network.doors).table
    said = CliRunner(env=environment_of(house)).invoke(cli.main, ["job", "diary", "--day", DAY.isoformat()])
    assert (said.exit_code, said.output, diary.days) == (0, "diary: written\n", [DAY])
    with house.doors.read() as session:
        assert job_runs.run_of(session, "S01", "diary", DAY).state == "done"


def test_wrong_codes_are_forgotten_once_no_limit_counts_them(house):
    now = house.clock.now()
    with house.doors.write() as session:
        for name, age in (("old", 49), ("new", 1)):
            at = now - dt.timedelta(hours=age)
            session.add(PickupTry(store_id="S01", id=name, at=at, actor_id="ana"))
    jobs.forget_people(Desk(house.doors), DAY)
    with house.doors.read() as session:
        assert session.scalars(sa.select(PickupTry.id)).all() == ["new"]


def test_a_night_of_forecasts_that_broke_off_says_how_far_it_was_and_goes_on_from_there(network, monkeypatch):
    monkeypatch.setattr(forecast, "AT_ONCE", 1)
    asked, broken = [], [False, True]

    def compute(function, loaded):
        asked.extend(loaded[1])
        if broken and broken.pop(0):
            raise Unreachable("computing-stopped", "The computation stopped early.")
        return function(loaded)

    with network.doors.write() as session:
        session.execute(sa.update(Store).values(has_node=False))
        stores = session.scalars(sa.select(Store.id).order_by(Store.id)).all()
        assert job_runs.take(session, "network", "forecast-stores", DAY, at=NOON)
    desk = Desk(network.doors, compute=compute)
    with pytest.raises(Unreachable):
        forecast.forecast_stores(desk, DAY)
    (word,) = [word for word in doctor.examine(network.doors, outside=False) if word.thing == "jobs"]
    assert f"forecast-stores for Mar 1, 2026 is running: 1 of {len(stores)} stores." in word.sentence
    shown = words(network.signed_in("operator").get("/console/demand/north"))
    assert f"Tonight’s forecasts: 1 of {len(stores)} stores" in shown
    forecast.forecast_stores(desk, DAY)
    assert asked == [*stores[:2], *stores[1:]]
    with network.doors.read() as session:
        assert all(forecasts.has_run(session, store, DAY) for store in stores)
    with network.doors.write() as session:
        forecasts.published(session, "store", stores[0]).reason = "fell_back:smooth,drifts:lumpy"
    (word,) = [word for word in doctor.examine(network.doors, outside=False) if word.thing == "forecasts"]
    assert (word.light, word.value) == ("warn", 1.0)
    assert f"{len(stores)} stores have forecasts, the latest through Mar 1, 2026" in word.sentence
    assert "differed from the forecast in 1 stores; 1 use the four-week average for some products." in word.sentence


def test_a_shop_or_region_that_cannot_be_forecast_keeps_no_other_one_waiting(network):
    odd = {"south"}

    def compute(function, asked):
        if odd.intersection(asked[1]):
            raise ValueError("a row nobody understands")
        return function(asked)

    with network.doors.write() as session:
        found_store(session, "S99", "Hill", region=("south", "South"), currency="USD", tz="UTC", at=NOON, slug="s99")
        session.execute(sa.update(Store).values(has_node=False))
        stores = session.scalars(sa.select(Store.id).order_by(Store.id)).all()
    odd.add(stores[0])
    desk = Desk(network.doors, compute=compute)
    assert forecast.forecast_regions(desk, DAY) == f"1 regions from {DAY}"
    assert forecast.forecast_stores(desk, DAY) == f"{len(stores) - 1} stores from {DAY}"
    with network.doors.read() as session:
        assert [store for store in stores if not forecasts.has_run(session, store, DAY)] == [stores[0]]
    shown = words(network.signed_in("operator").get("/console/"))
    assert "Sales for South could not be forecast: ValueError: a row nobody understands." in shown
    odd.update(stores, ["north"])
    with pytest.raises(RuntimeError, match="none of 2 regions"):
        forecast.forecast_regions(desk, DAY)


def test_a_night_begun_again_says_nothing_of_the_one_before_and_one_cut_off_says_so(network):
    def words() -> str:
        (word,) = [word for word in doctor.examine(network.doors, outside=False) if word.thing == "jobs"]
        return word.sentence

    def take(hours: int) -> None:
        at = network.doors.now() - dt.timedelta(hours=hours)
        with network.doors.write() as session:
            assert job_runs.take(session, "network", "forecast-stores", DAY, at=at)

    take(9)
    with network.doors.write() as session:
        job_runs.note(session, "network", "forecast-stores", DAY, at=NOON, done=False, outcome="It broke.")
    take(6)
    assert "It broke." not in words(), "it runs again"
    take(3)
    with network.doors.write() as session:
        job_runs.report_progress(session, "network", "forecast-stores", DAY, 2, 9, "stores")
    assert "forecast-stores for Mar 1, 2026 was interrupted: 2 of 9 stores" in words()
    assert "is running" not in words()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_of_sixteen_that_take_a_night_at_one_instant_one_has_it(request, tmp_path, kind):
    url = request.getfixturevalue("postgres_database") if kind == "postgresql" else tmp_path / "jobs.db"
    database, gate, taken = empty_database(url), threading.Barrier(16), []

    def take(day: dt.date) -> None:
        gate.wait()
        with database.write() as session:
            taken.append((day, job_runs.take(session, "S01", "check", day, at=NOON)))

    days = [DAY + dt.timedelta(days=n) for n in range(3)]
    for day in days:
        threads = [threading.Thread(target=take, args=(day,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(taken) == 48
    assert [day for day, has_it in taken if has_it] == days


def test_a_night_is_done_once_whoever_asks(house):
    diary = Diary()
    job = Job("diary", diary)
    for _ in range(3):
        worker_with(house, job).night()
    assert diary.days == [DAY]


def test_missed_days_are_made_up_oldest_first_where_each_day_counts(house):
    each, last = Diary(), Diary()
    table = (Job("each", each, each_day=True), Job("last", last))
    worker_with(house, *table).night()
    house.clock.advance(3 * 86_400)
    worker_with(house, *table).night()
    assert each.days == [DAY + dt.timedelta(days=n) for n in range(4)]
    assert last.days == [DAY, DAY + dt.timedelta(days=3)]


def test_a_failed_night_is_tried_three_times_with_a_wait_and_those_after_it_wait_so_long(house):
    diary, after = Diary(*[Refused("no", "Not today.")] * 3), Diary()
    table = (Job("diary", diary), Job("after", after))
    for tried in range(1, 7):
        worker_with(house, *table).night()
        assert (len(diary.days), len(after.days)) == (min(tried, 3), int(tried > 3))
        worker_with(house, *table).night()
        house.clock.advance(601)
    with house.doors.read() as session:
        (run,) = job_runs.failed(session, "S01", at=house.clock.now())
    assert (run.job, run.outcome) == ("diary", "no: Not today.")
    house.clock.advance(86_400)
    worker_with(house, *table).night()
    with house.doors.read() as session:
        assert not job_runs.failed(session, "S01", at=house.clock.now()), "a later day makes up for it"


def test_a_day_that_cannot_be_kept_is_tried_again_each_night_and_keeps_no_copy_of_the_books_waiting(house):
    odd, copies = Diary(), Diary()

    def run(desk, day):
        odd.days.append(day)
        if day == DAY and odd.days.count(DAY) <= 5:
            raise ValueError("one odd row")
        return "written"

    table = (Job("credit", run, each_day=True), Job("copies", copies))
    lights = []
    for _ in range(4 * 144):
        worker_with(house, *table).night()
        house.clock.advance(600)
        if not house.clock.now().hour + house.clock.now().minute:
            lights.append(next(word.light for word in doctor.examine(house.doors) if word.thing == "jobs"))
    assert copies.days == [DAY + dt.timedelta(days=n) for n in range(len(copies.days))]
    assert len(copies.days) >= 4
    assert odd.days[:3] == [DAY] * 3, "three times in the first night"
    assert odd.days.count(DAY) == 6, "and once in each after it"
    later = [day for day in odd.days if day != DAY]
    assert later == copies.days[1:], "while its later days are kept in their own nights"
    assert lights[0] == "warn"
    assert lights[1] == "bad", "a later day does not make up for it"
    assert lights[-1] == "good"


def test_nights_kept_on_a_clock_that_ran_ahead_stand_in_nobodys_way(house):
    diary = Diary()
    with house.doors.write() as session:
        job_runs.note(session, "S01", "diary", dt.date(2099, 12, 30), at=house.clock.now(), done=True, outcome="")
    worker_with(house, Job("diary", diary, each_day=True)).night()
    assert diary.days == [DAY]


def test_only_one_of_many_workers_takes_a_night(house):
    taken = []

    def ask():
        with house.doors.write() as session:
            taken.append(job_runs.take(session, "S01", "diary", DAY, at=house.clock.now()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_a_shop_that_has_nothing_new_to_tell_its_customers_looks_without_taking_the_tills_turn(house):
    desk, reported = Desk(house.doors), []
    assert JOBS["storefront-publish"].run(desk, DAY) == "published"
    look = threading.Thread(target=lambda: reported.append(JOBS["storefront-publish"].run(desk, DAY)), daemon=True)
    with house.doors.write():
        look.start()
        look.join(timeout=30)
    assert reported == ["nothing changed"]


def test_what_a_shop_can_spare_is_worked_out_before_the_tills_turn_is_taken(house):
    in_turns = []

    @sa.event.listens_for(house.doors.database.engine, "before_cursor_execute")
    def _note(connection, _cursor, statement, *_rest):
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            in_turns.append(statement)

    assert JOBS["report-spares"].run(Desk(house.doors), DAY) == "0 to spare, 0 wanted"
    assert in_turns
    assert not [statement for statement in in_turns if "supplier_product" in statement]


def test_a_second_worker_waits_until_the_first_is_gone(house):
    stop = threading.Event()
    stop.set()
    with leadership(house.doors, threading.Event()) as first:
        assert first
        with leadership(house.doors, stop) as second:
            assert not second
    with leadership(house.doors, threading.Event()) as again:
        assert again


def test_a_computation_runs_apart_and_its_end_is_a_refusal():
    assert compute_apart(eval, "__import__('os').getpid()") != os.getpid(), "a child that loads nothing of ours"
    with pytest.raises(Unreachable, match="The computation stopped early"):
        compute_apart(os._exit, 3)


def test_a_computation_apart_tells_how_far_it_is():
    heard = []
    assert compute_apart(counted, 7, lambda *far: heard.append(far)) == 7
    assert heard == [(1, 7)]


def test_a_sale_rings_the_bell(house):
    before = house.doors.bell.file.exists()
    house.doors.ring()
    assert not before
    assert house.doors.bell.file.exists()


def test_the_worker_stops_gracefully_when_told(house):
    worker = subprocess.Popen(
        [sys.executable, "-m", "store_app", "work"], env=environment_of(house), stderr=subprocess.PIPE, text=True
    )
    try:
        for line in worker.stderr:
            if "working" in line:
                break
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    finally:
        worker.kill()
        worker.stderr.close()


def test_a_job_that_is_rung_for_while_it_runs_looks_once_more(house):
    looks, looked_twice = [], threading.Event()

    def look(_desk, _day):
        looks.append(len(looks))
        if looks == [0]:
            worker.ring()  # a sale is saved after this job's last look
        else:
            looked_twice.set()
        return "looked"

    worker = worker_with(house, Job("print", look, every_s=3600, after_ring_s=0))
    worker.plan()
    worker.scheduler.start()
    assert looked_twice.wait(60)
    worker.end()
    assert looks == [0, 1]


def test_the_bell_brings_a_job_forward_and_never_puts_it_off(house):
    def at(name: str) -> dt.datetime:
        return worker.scheduler.get_job(name).next_run_time

    table = [Job(name, Diary(), every_s=3600, after_ring_s=after) for name, after in (("print", 0), ("send", 600))]
    worker = worker_with(house, *table, Job("expire", Diary(), every_s=3600))
    with planned(worker):
        for job in worker.scheduler.get_jobs():
            job.modify(next_run_time=TOMORROW)
        began = dt.datetime.now(dt.UTC)
        worker.ring()
        assert began <= at("print") <= dt.datetime.now(dt.UTC) < began + dt.timedelta(seconds=600) <= at("send")
        assert at("expire") == TOMORROW
        first = at("send")
        worker.ring()
        assert at("send") == first


def test_the_nights_are_planned_by_the_nodes_clock_and_for_the_next_try_of_what_failed(house):
    def planned_in() -> dt.timedelta:
        began = dt.datetime.now(dt.UTC)
        worker.nights()
        wait = worker.scheduler.get_job("nights").next_run_time - began
        return dt.timedelta(minutes=round(wait / dt.timedelta(minutes=1)))

    diary = Diary(*[Refused("no", "Not today.")] * 3)
    worker = worker_with(house, Job("diary", diary))
    with house.doors.read() as session:
        store = session.get_one(Store, "S01")
    night = day_start(DAY + dt.timedelta(days=2), store.tz, store.rollover_hour)
    house.clock.set(night - dt.timedelta(hours=6))
    with planned(worker):
        worker.night()
        assert planned_in() == job_runs.TRY_AGAIN
        for _ in range(2):
            house.clock.advance(600)
            worker.night()
        assert len(diary.days) == 3
        assert planned_in() == night - house.clock.now(), "what is given up waits for the next night"
        house.clock.set(night)
        worker.night()
        assert diary.days[3:] == [DAY + dt.timedelta(days=1)]
        assert planned_in() == dt.timedelta(days=1)


def test_a_clock_that_jumps_makes_every_job_look_at_once(house):
    looks = [threading.Event(), threading.Event()]

    def look(_desk, _day):
        next(event for event in looks if not event.is_set()).set()
        return "looked"

    worker = worker_with(house, Job("expire", look, every_s=3600))
    running = threading.Thread(target=worker.run)
    running.start()
    assert looks[0].wait(60)
    house.clock.advance(3600)
    jumped = looks[1].wait(60)
    worker.stop.set()
    running.join()
    assert jumped


def test_a_ring_is_heard_in_another_process(house):
    ringing = (
        "from pathlib import Path; from config.nodes.bell import Bell; "
        f"Bell(Path({str(house.doors.bell.file)!r})).ring()"
    )
    with house.doors.bell.listening() as ear:
        assert not ear.wait(0)
        subprocess.run([sys.executable, "-c", ringing], check=True)
        assert ear.wait(60)
        assert not ear.wait(0)


def test_a_ring_whose_datagram_is_lost_is_seen_at_the_file(house):
    with house.doors.bell.listening() as ear:
        house.doors.bell.file.write_text("", encoding="ascii")  # nobody knows the port
        assert ear.wait(60)
    assert house.doors.bell.file.read_text(encoding="ascii") == ""


def test_a_night_is_kept_apart_from_the_printer(house):
    doors = open_doors(house.doors.settings)  # the machine's own clock, as the child's
    worker = Worker(doors, [JOBS["roll-up"], JOBS["forget-people"]])
    worker.times = JobTimes(doors.settings)
    worker.night_apart()
    worker.times.write()
    reported = (doors.settings.state_folder / "S01.jobs.prom").read_text("utf-8")
    assert 'cornerstore_job_seconds_count{job="forget-people",state="done"} 1.0' in reported
    day = jobs.last_day(doors)
    with doors.read() as session:
        run = job_runs.run_of(session, "S01", "forget-people", day)
        assert run is not None
        assert run.state == "done"
    assert worker.next_night() is None


def test_a_forecast_steps_back_for_the_till():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert compute_apart(os.nice, 0) > before  # nice(0) tells where one stands


def test_the_neighbours_figures_are_read_before_the_books_are_held(network):
    sunday, said = dt.date(2026, 3, 1), []
    with network.doors.write() as session:
        session.add(BenchmarkFigure(scope_id="*", name="rate", sku="milk", value=1, day=sunday, sets=[]))
    engine = network.doors.database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *reported: said.append(reported[2]))
    sa.event.listen(engine, "begin", lambda books: said.append(f"begin {books.get_execution_options()}"))
    assert JOBS["compare"].run(Desk(network.doors), sunday - dt.timedelta(days=1)) == "not this day"
    assert not any("daily_demand" in one for one in said)
    assert JOBS["compare"].run(Desk(network.doors), sunday).endswith("figures")
    held = next(n for n, one in enumerate(said) if one.startswith("begin") and "IMMEDIATE" in one)
    read = [n for n, one in enumerate(said) if "daily_demand" in one]
    assert read
    assert max(read) < held

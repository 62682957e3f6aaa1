"""The queue that never lies: what is printed, what failed, what nobody can know."""

import atexit
import datetime as dt
import socket
import threading
from functools import cache

import pytest
import sqlalchemy as sa

from config.clock import FrozenClock
from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Actor, Context, verify
from pos.printing import print_worker
from pos.printing import queue as print_queue
from pos.printing.models import PrinterModel
from pos.printing.print_worker import PrintRound
from pos.printing.printers import Outlet
from pos.printing.wires import (
    CupsPrinter,
    FilePrinter,
    NetworkPrinter,
    PracticePaper,
    SerialPrinter,
    UsbPrinter,
    WindowsPrinter,
    driver_for,
)
from tests.empty import empty_database
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture
from tests.readable import paper_text

NOW = dt.datetime(2026, 11, 24, 14, 32, tzinfo=dt.UTC)
STORE = "s1"
ANNA = Actor("anna", "Anna", "cashier", STORE)


@pytest.fixture
def clock():
    return FrozenClock(NOW)


@pytest.fixture
def database(tmp_path):
    return empty_database(tmp_path / "store.db")


@pytest.fixture
def machine(tool):  # noqa: F811
    """Give a virtual printer on a free port."""
    with tool.VirtualPrinter(paper=80) as virtual:
        yield virtual


def network(machine, **other):
    return NetworkPrinter(
        machine.host, machine.port, model=PrinterModel(48), **{"answer_s": 60.0, "print_s": 60.0, **other}
    )


def queue(database, clock, source_id="sale-1", *, kind="receipt", document=None, opens_drawer=True):
    with database.write() as session:
        printout = print_queue.Printout(
            kind, source_id, document or documents.british_sale(), opens_drawer=opens_drawer
        )
        job = print_queue.queue(session, STORE, "t1", printout, at=clock.now())
        return job.id


def jobs(database):
    with database.read() as session:
        found = session.scalars(sa.select(print_queue.PrintJob).order_by(print_queue.PrintJob.id)).all()
        session.expunge_all()
    return found


def run(database, clock, driver):
    return print_worker.print_due(database, STORE, [Outlet(driver)], now=clock.now)


def states(database):
    return [(job.state, job.reason) for job in jobs(database)]


def status(database, clock):
    with database.read() as session:
        return print_queue.status(session, STORE, at=clock.now())


def claim(session, job, clock):
    return print_worker.claim(
        session, job, "", b"paper", until=clock.now() + print_worker.SENDING_AT_MOST, at=clock.now()
    )


@cache
def nobody_listens():
    """Return a port that refuses: bound as long as the tests run, so that no server gets it meanwhile."""
    place = socket.socket()
    atexit.register(place.close)
    place.bind(("127.0.0.1", 0))
    return place.getsockname()[1]


def test_the_states_can_be_reached_and_end():
    assert print_queue.STATES.validate() == []


def test_a_receipt_is_printed_once_and_its_bytes_are_kept(database, clock, machine):
    queue(database, clock)
    assert run(database, clock, network(machine)).printed == 1
    assert run(database, clock, network(machine)).printed == 0
    assert machine.wait_idle(60)
    (job,) = jobs(database)
    assert (job.state, job.attempts, job.printed_at) == ("printed", 1, NOW)
    assert job.paper in machine.raw
    assert machine.raw.count(job.paper) == 1
    assert machine.problems() == []
    assert len(machine.events("drawer")) == len(machine.events("cut")) == 1
    assert status(database, clock).colour == "green"


def test_a_refused_connection_is_tried_again_with_longer_waits(database, clock):
    queue(database, clock)
    driver = NetworkPrinter("127.0.0.1", nobody_listens(), answer_s=60.0)
    waits = []
    for _ in range(8):
        assert run(database, clock, driver).failed == 1
        (job,) = jobs(database)
        assert (job.state, job.reason) == ("failed", "printer-refused")
        waits.append((job.due_at - clock.now()).total_seconds())
        assert run(database, clock, driver).failed == 0
        clock.set(job.due_at)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert status(database, clock).code == "printer-refused"
    assert status(database, clock).colour == "red"


def test_a_printer_that_comes_back_prints_all_that_waited_and_leaves_the_drawer_shut(database, clock, machine):
    off = NetworkPrinter("127.0.0.1", nobody_listens(), answer_s=60.0)
    for n in range(3):
        queue(database, clock, f"sale-{n}")
        run(database, clock, off)
    clock.advance(200)
    queue(database, clock, "sale-fresh")
    assert run(database, clock, network(machine)).printed == 4
    assert machine.wait_idle(60)
    assert len(machine.events("cut")) == 4
    assert len(machine.events("drawer")) == 1, "only the fresh sale opens the drawer"


@pytest.mark.parametrize(
    ("fault", "reason"), [("paper", "paper-out"), ("cover", "cover-open"), ("mute", "printer-silent")]
)
def test_a_printer_that_is_not_ready_gets_not_one_byte_of_paper(database, clock, machine, fault, reason):
    queue(database, clock)
    match fault:
        case "paper":
            machine.paper_out()
        case "cover":
            machine.status.cover_open = True
        case "mute":
            machine.status.mute = True
    run(database, clock, network(machine, **({"answer_s": 0.3} if fault == "mute" else {})))
    assert states(database) == [("failed", reason)]
    assert b"\x1b@" not in machine.raw
    machine.load_paper()
    machine.status.cover_open = machine.status.mute = False
    clock.advance(10)
    assert run(database, clock, network(machine)).printed == 1
    assert machine.wait_idle(60)
    assert len(machine.events("cut")) == 1


@pytest.mark.parametrize("mode", ["rst", "fin"])
@pytest.mark.parametrize("after", [20, 200, 900])
def test_a_connection_lost_midway_waits_for_a_person_and_never_prints_twice(database, clock, tool, after, mode):  # noqa: F811
    queue(database, clock)
    with tool.VirtualPrinter(paper=80, drop_after=after, drop_mode=mode) as machine:
        run(database, clock, network(machine))
        assert states(database) == [("unconfirmed", "connection-lost")]
        clock.advance(3600)
        assert run(database, clock, network(machine)) == PrintRound()
    assert status(database, clock).colour == "amber"


def test_paper_that_runs_out_midway_is_said_so(database, clock, machine):
    queue(database, clock)
    machine.paper_out(after_lines=5)
    run(database, clock, network(machine, print_s=0.5))
    assert states(database) == [("unconfirmed", "paper-out-midway")]


@pytest.mark.parametrize(("choice", "state"), [("printed", "printed"), ("again", "queued"), ("dropped", "dropped")])
def test_a_person_decides_what_became_of_an_unconfirmed_receipt(database, clock, choice, state):
    job_id = queue(database, clock)
    with database.write() as session:
        job = session.get(print_queue.PrintJob, (STORE, job_id))
        assert claim(session, job, clock) == "claimed"
    with database.write() as session:
        assert print_queue.recover(session, STORE, at=clock.now()) == 1
    assert states(database) == [("unconfirmed", "stopped-midway")]
    with database.write() as session:
        print_queue.resolve(Context(session, ANNA, clock.now()), STORE, job_id, choice)
    (job,) = jobs(database)
    assert job.state == state
    if choice == "again":
        assert run(database, clock, PracticePaper()).printed == 1
        assert "[drawer]" not in paper_text(jobs(database)[0].paper)
    with database.read() as session:
        assert verify(session, STORE) == []


def test_a_worker_that_hangs_leaves_an_unconfirmed_job_after_two_minutes(database, clock):
    job_id = queue(database, clock)
    with database.write() as session:
        claim(session, session.get(print_queue.PrintJob, (STORE, job_id)), clock)
    clock.advance(60)
    run(database, clock, PracticePaper())
    assert states(database)[0][0] == "sending"
    clock.advance(61)
    run(database, clock, PracticePaper())
    assert states(database)[0][0] == "unconfirmed"


def test_a_finished_job_is_not_decided_again(database, clock):
    job_id = queue(database, clock)
    run(database, clock, PracticePaper())
    with database.write() as session:
        with pytest.raises(Conflict):
            print_queue.resolve(Context(session, ANNA, clock.now()), STORE, job_id, "again")
        with pytest.raises(Invalid):
            print_queue.resolve(Context(session, ANNA, clock.now()), STORE, job_id, "perhaps")
        with pytest.raises(NotFound):
            print_queue.resolve(Context(session, ANNA, clock.now()), STORE, "nothing", "again")


def test_an_old_ticket_expires_and_can_be_reprinted(database, clock):
    queue(database, clock)
    clock.advance(12 * 3600)
    assert run(database, clock, PracticePaper()) == PrintRound()
    assert states(database) == [("expired", None)]
    with database.write() as session:
        print_queue.reprint(Context(session, ANNA, clock.now()), STORE, "sale-1")
    assert run(database, clock, PracticePaper()).printed == 1


def test_reprints_are_marked_counted_and_leave_the_drawer_shut(database, clock):
    queue(database, clock)
    run(database, clock, PracticePaper())
    for _ in range(2):
        with database.write() as session:
            print_queue.reprint(Context(session, ANNA, clock.now()), STORE, "sale-1")
        run(database, clock, PracticePaper())
    papers = [paper_text(job.paper) for job in jobs(database)]
    assert [text.count("COPY") for text in papers] == [0, 2, 2]
    assert "COPY 2" in papers[2]
    assert ["[drawer]" in text for text in papers] == [True, False, False]
    with database.write() as session, pytest.raises(NotFound):
        print_queue.reprint(Context(session, ANNA, clock.now()), STORE, "sale-unknown")


def test_a_sale_that_is_rolled_back_leaves_no_paper(database, clock):
    def fails():
        with database.write() as session:
            printout = print_queue.Printout("receipt", "sale-1", documents.british_sale())
            print_queue.queue(session, STORE, "t1", printout, at=clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert jobs(database) == []


def test_one_document_that_cannot_be_laid_out_does_not_hold_up_the_others(database, clock):
    queue(database, clock, "broken", document={"store": {"currency": "GBP"}})
    queue(database, clock, "sound")
    assert run(database, clock, PracticePaper()) == PrintRound(printed=1, failed=1)
    assert states(database) == [("failed", "unprintable"), ("printed", None)]


def test_two_workers_never_print_the_same_job(database, clock):
    for n in range(12):
        queue(database, clock, f"sale-{n}")
    rounds = []
    workers = [
        threading.Thread(target=lambda: rounds.append(run(database, clock, PracticePaper()).printed)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(rounds) == 12
    assert {(job.state, job.attempts) for job in jobs(database)} == {("printed", 1)}


def test_jobs_that_wait_long_are_shown(database, clock):
    queue(database, clock)
    assert status(database, clock).colour == "green"
    clock.advance(61)
    assert (status(database, clock).colour, status(database, clock).code) == ("amber", "slow")


@pytest.mark.parametrize(
    ("kind", "make", "word"),
    [
        ("pickup", documents.pickup_order, "PICKUP ORDER"),
        ("bin", documents.pickup_order, "P-1042"),
        ("label", documents.label, "[qr https://shop.example/shop/corner/p/MILK-1L]"),
        ("z", documents.till_report, "Z REPORT 7"),
        ("x", lambda: documents.till_report(None), "X REPORT"),
    ],
)
def test_every_kind_of_job_prints(database, clock, kind, make, word):
    queue(database, clock, kind=kind, document=make(), opens_drawer=False)
    assert run(database, clock, PracticePaper()).printed == 1
    assert word in paper_text(jobs(database)[0].paper)


def test_a_file_keeps_every_job(database, clock, tmp_path):
    driver = FilePrinter(str(tmp_path / "paper.bin"))
    for n in range(2):
        queue(database, clock, f"sale-{n}")
    assert run(database, clock, driver).printed == 2
    assert (tmp_path / "paper.bin").read_bytes() == b"".join(job.paper for job in jobs(database))


def test_a_device_that_is_not_there_is_a_failed_job(database, clock, tmp_path):
    queue(database, clock)
    run(database, clock, FilePrinter(str(tmp_path / "missing" / "lp0")))
    assert states(database) == [("failed", "printer-off")]


@pytest.mark.parametrize("setting", ["serial:/dev/none", "usb:04b8:0e15"])
def test_a_cable_that_is_not_there_is_a_failed_job(database, clock, setting):
    queue(database, clock)
    run(database, clock, driver_for(setting, PrinterModel()))
    ((state, reason),) = states(database)
    assert state == "failed"
    assert reason in ("printer-off", "printer-library")


def test_settings_name_the_driver():
    model = PrinterModel(32, chinese=False)
    assert driver_for("", model) is None
    assert driver_for("paper", model) == PracticePaper(model)
    assert driver_for("net:10.0.0.7:9101", model) == NetworkPrinter("10.0.0.7", 9101, model=model, reports=None)
    assert driver_for("net:printer.lan", model) == NetworkPrinter("printer.lan", 9100, model=model, reports=None)
    assert driver_for("serial:COM3:19200", model) == SerialPrinter("COM3", 19200, model=model)
    assert driver_for("usb:04b8:0e15:J7", model) == UsbPrinter(0x04B8, 0x0E15, "J7", model=model)
    assert driver_for("cups:till", model) == CupsPrinter("till", model)
    assert driver_for("windows:Epson TM-T20", model) == WindowsPrinter("Epson TM-T20", model)
    assert driver_for("file:/dev/usb/lp0", model=model) == FilePrinter("/dev/usb/lp0", model=model)
    for wrong in ("papr", "net:", "net:host:port", "usb:04b8", "usb:x:y", "file:", "cups:-d", "net:h:99999", "paper:x"):
        with pytest.raises(Invalid, match="Unknown printer setting"):
            driver_for(wrong, model)

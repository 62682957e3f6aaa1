"""Several printers, several processes: whose turn it is, who stands in, and that nothing prints twice."""

import datetime as dt
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config.clock import SystemClock
from config.errors import Conflict, Invalid
from config.nodes.journal import Actor, Context, JournalEntry
from pos.documents import test_page
from pos.printing import preview, print_worker, printers
from pos.printing import queue as print_queue
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.printing.printers import Outlet, PrinterFacts, outlet_for
from pos.printing.wires import FilePrinter, NetworkPrinter, PracticePaper
from pos.store.store import Region, Store
from tests.pairs import pairwise
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import DOCUMENTS, printed, tool  # noqa: F401 - a fixture
from tests.pos.printing.test_printer import (  # noqa: F401 - fixtures among them
    ANNA,
    STORE,
    clock,
    database,
    jobs,
    machine,
    network,
    nobody_listens,
    queue,
    states,
    status,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def second(tool):  # noqa: F811
    """Give another printer, a narrow one."""
    with tool.VirtualPrinter(paper=58) as virtual:
        yield virtual


def narrow(machine, **other):  # noqa: F811
    return NetworkPrinter(
        machine.host, machine.port, model=PrinterModel(32), **{"answer_s": 60.0, "print_s": 60.0, **other}
    )


def dead():
    return NetworkPrinter("127.0.0.1", nobody_listens(), answer_s=60.0)


def work(database, clock, *outlets):  # noqa: F811
    return print_worker.print_due(database, STORE, outlets, now=clock.now)


def found_store(database):  # noqa: F811
    with database.write() as session:
        session.add(Region(id="r1", name="North"))
        session.add(
            Store(
                id=STORE, name="Corner", slug="corner", region_id="r1", currency="GBP", tz="UTC",
                joined_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            )
        )  # fmt: skip


def test_the_narrowest_printer_that_fits_comes_first():
    anywhere, at_two = Outlet(PracticePaper(), "any"), Outlet(PracticePaper(), "two", ("t2",))
    labels = Outlet(PracticePaper(), "labels", (), "labels")
    receipts = Outlet(PracticePaper(), "receipts", (), "receipts")
    assert outlet_for([anywhere, at_two, labels], "receipt", "t1") is anywhere
    assert outlet_for([anywhere, at_two, labels], "receipt", "t2") is at_two
    assert outlet_for([anywhere, labels], "label", "t1") is labels
    assert outlet_for([anywhere, receipts], "z", "t1") is receipts
    assert outlet_for([at_two, labels], "receipt", "t1") is None


def test_labels_come_out_of_the_label_printer_at_its_own_width(database, clock, machine, second):  # noqa: F811
    queue(database, clock)
    queue(database, clock, "milk", kind="label", document=documents.label(), opens_drawer=False)
    outlets = [
        Outlet(network(machine), "till", (), "receipts"),
        Outlet(narrow(second), "labels", (), "labels"),
    ]
    assert work(database, clock, *outlets).printed == 2
    assert machine.wait_idle(60)
    assert second.wait_idle(60)
    assert machine.problems() == second.problems() == []
    assert [len(machine.events("qr")), len(second.events("qr"))] == [0, 1]


def test_a_document_no_printer_is_for_waits(database, clock):  # noqa: F811
    queue(database, clock)
    assert work(database, clock, Outlet(PracticePaper(), "labels", (), "labels")).printed == 0
    assert states(database) == [("queued", None)]


def test_the_fallback_prints_at_once_what_the_first_printer_refused_before_the_first_byte(
    database,  # noqa: F811
    clock,  # noqa: F811
    machine,  # noqa: F811
    second,
):
    machine.paper_out()
    queue(database, clock)
    outlets = [Outlet(network(machine), "till", ("t1",), "both", "spare"), Outlet(narrow(second), "spare", ("t2",))]
    assert work(database, clock, *outlets).printed == 1
    assert second.wait_idle(60)
    assert b"\x1b@" not in machine.raw
    assert second.problems() == []
    assert len(second.events("cut")) == 1
    assert second.events("drawer") == [], "the drawer of another till stays shut"
    assert [(job.state, job.printer_id) for job in jobs(database)] == [("printed", "spare")]


def test_a_failing_printer_is_left_alone_for_half_a_minute_and_then_tried_again(
    database,  # noqa: F811
    clock,  # noqa: F811
    machine,  # noqa: F811
    second,
):
    machine.paper_out()
    outlets = [Outlet(network(machine), "till", (), "both", "spare"), Outlet(narrow(second), "spare", ("t9",))]
    for n in range(2):
        queue(database, clock, f"sale-{n}")
        assert work(database, clock, *outlets).printed == 1
    assert len(machine.jobs) == 1, "asked once"
    machine.load_paper()
    clock.advance(31)
    queue(database, clock, "sale-3")
    assert work(database, clock, *outlets).printed == 1
    assert [job.printer_id for job in jobs(database)] == ["spare", "spare", "till"]


def test_after_the_first_byte_no_other_printer_prints_it(database, clock, tool, second):  # noqa: F811
    queue(database, clock)
    with tool.VirtualPrinter(paper=80, drop_after=200) as breaking:
        outlets = [Outlet(network(breaking), "till", (), "both", "spare"), Outlet(narrow(second), "spare")]
        assert work(database, clock, *outlets).unconfirmed == 1
        clock.advance(3600)
        assert work(database, clock, *outlets) == print_worker.PrintRound()
    assert second.raw == b""


def test_where_both_fail_the_job_waits_and_is_printed_once_when_one_is_back(database, clock, machine):  # noqa: F811
    machine.paper_out()
    queue(database, clock)
    outlets = [Outlet(network(machine), "till", (), "both", "spare"), Outlet(dead(), "spare", ("t9",))]
    assert work(database, clock, *outlets).failed == 1
    assert states(database) == [("failed", "printer-refused")]
    machine.load_paper()
    clock.advance(300)
    assert work(database, clock, *outlets).printed == 1
    assert machine.wait_idle(60)
    assert len(machine.events("cut")) == 1


def test_a_dead_printer_does_not_hold_up_another(database, clock, machine):  # noqa: F811
    with database.write() as session:
        for n, till in enumerate(["t1", "t2", "t1", "t2"]):
            printout = print_queue.Printout("receipt", f"sale-{n}", documents.british_sale())
            print_queue.queue(session, STORE, till, printout, at=clock.now())
    outlets = [Outlet(dead(), "one", ("t1",)), Outlet(network(machine), "two", ("t2",))]
    assert work(database, clock, *outlets) == print_worker.PrintRound(printed=2, failed=1)


def test_what_comes_while_another_printer_hangs_is_printed_at_once(database, clock, machine):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as server:
        hanging = NetworkPrinter("127.0.0.1", server.getsockname()[1], answer_s=60.0)
        outlets = [Outlet(hanging, "one", ("t1",)), Outlet(network(machine), "two", ("t2",))]
        queue(database, clock)
        rounds = []
        worker = threading.Thread(target=lambda: rounds.append(work(database, clock, *outlets)))
        worker.start()
        guest = server.accept()[0]
        with database.write() as session:
            print_queue.queue(
                session, STORE, "t2", print_queue.Printout("receipt", "later", documents.british_sale()), at=clock.now()
            )
        assert machine.wait_for(lambda _: machine.events("cut"), timeout=60)
        assert rounds == [], "the first printer still hangs"
        guest.close()
        worker.join()
    assert rounds == [print_worker.PrintRound(printed=1, failed=1)]


@pytest.mark.parametrize(("name", "columns", "chinese"), pairwise(DOCUMENTS, (32, 42, 48), (True, False)))
def test_the_preview_knows_every_command_of_every_document(name, columns, chinese):
    layout, make = DOCUMENTS[name]
    paper = encode(layout(make(), columns=columns, language="zh"), PrinterModel(columns, chinese), opens_drawer=True)
    assert "unknown" not in {mark.kind for mark in preview.read(paper)}
    assert preview.preview_png(paper, columns).startswith(b"\x89PNG")


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_the_test_page_prints_without_a_problem_on_every_width_and_kind_of_printer(tool, columns):  # noqa: F811
    page = test_page.layout({"name": "Till 收银", "wire": "net:10.0.0.7", "local_time": "2026-11-24"}, columns=columns)
    for chinese in (True, False):
        read, problems = printed(tool, encode(page, PrinterModel(columns, chinese)), columns, chinese)
        assert problems == []
        kinds = [event["event"] for event in read.event_log]
        assert [kinds.count(kind) for kind in ("barcode", "qr", "cut")] == [1, 1, 1]


def test_a_printer_at_work_takes_no_second_job(database, clock):  # noqa: F811
    queue(database, clock, "one")
    queue(database, clock, "two")
    with database.write() as session:
        first, _ = session.scalars(print_queue.waiting(STORE).order_by(print_queue.PrintJob.id)).all()
        until = clock.now() + print_worker.SENDING_AT_MOST
        assert print_worker.claim(session, first, "", b"paper", until=until, at=clock.now()) == "claimed"
    assert work(database, clock, Outlet(PracticePaper())) == print_worker.PrintRound()
    assert work(database, clock, Outlet(PracticePaper(), "another")).printed == 1


@pytest.mark.parametrize("wire", ["network", "file"])
def test_two_processes_print_every_job_once_and_never_into_each_other(database, machine, tmp_path, wire):  # noqa: F811
    real = SystemClock()
    for n in range(8):
        queue(database, real, f"sale-{n}", opens_drawer=False)
    kept = tmp_path / "paper.bin"
    where = f"net:{machine.host}:{machine.port}" if wire == "network" else f"file:{kept}"
    words = [sys.executable, "-m", "tests.pos.print_process", str(database.engine.url), STORE, where]
    workers = [
        subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        shares = [int(worker.communicate(timeout=120)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert sum(shares) == 8
    done = jobs(database)
    assert {(job.state, job.attempts) for job in done} == {("printed", 1)}
    if wire == "network":
        assert machine.wait_idle(60)
        assert machine.problems() == []
        assert len(machine.events("cut")) == 8
    else:
        assert len(kept.read_bytes()) == sum(len(job.paper) for job in done)
        assert kept.read_bytes().count(done[0].paper) == 8


def test_tickets_expire_within_hours_and_reports_wait_over_the_weekend(database, clock):  # noqa: F811
    for kind, document in (("receipt", documents.british_sale()), ("z", documents.till_report())):
        queue(database, clock, kind, kind=kind, document=document, opens_drawer=False)
    clock.advance(4 * 3600)
    assert work(database, clock, Outlet(PracticePaper())).printed == 1
    assert states(database) == [("expired", None), ("printed", None)]


def test_paper_that_runs_low_is_amber_until_a_new_roll_is_in(database, clock, machine):  # noqa: F811
    machine.status.paper = "near_end"
    queue(database, clock)
    assert work(database, clock, Outlet(network(machine))).printed == 1
    assert (status(database, clock).colour, status(database, clock).code) == ("amber", "paper-low")
    machine.status.paper = "ok"
    queue(database, clock, "sale-2")
    work(database, clock, Outlet(network(machine)))
    assert status(database, clock).colour == "green"


# --- the printers as the shopkeeper sets them up ---

FACTS = PrinterFacts("Till", "net:10.0.0.7:9100")


def test_the_printer_of_the_settings_serves_until_one_is_set_up(database, clock):  # noqa: F811
    found_store(database)
    with database.write() as session:
        (first,) = printers.outlets(session, STORE, "paper", PrinterModel(42))
        assert first == Outlet(PracticePaper(PrinterModel(42)))
        assert printers.outlets(session, STORE, "", PrinterModel()) == []
        row = printers.add(Context(session, ANNA, clock.now()), STORE, FACTS)
        (own,) = printers.outlets(session, STORE, "paper", PrinterModel(42))
        assert own == Outlet(NetworkPrinter("10.0.0.7", 9100, model=PrinterModel(), reports=None), row.id)
        printers.remove(Context(session, ANNA, clock.now()), STORE, row.id)
        assert printers.outlets(session, STORE, "paper", PrinterModel(42)) == [first]


def test_a_printer_that_prints_in_silence_is_not_waited_for_again_until_it_fails(database, clock):  # noqa: F811
    def known():
        with database.read() as session:
            (outlet,) = printers.outlets(session, STORE, "net:10.0.0.7", PrinterModel())
            return outlet.driver.reports, outlet.driver.patient

    def note(**how):
        with database.write() as session:
            printers.note_health(session, STORE, printers.FIRST, **how, at=clock.now())

    found_store(database)
    assert known() == (None, True)
    note(fault=None)
    assert known() == (None, False)
    note(fault="printer-off")
    assert known() == (None, True)
    note(fault=None, answered=True)
    assert known() == (True, True)


def test_a_printer_that_just_failed_is_not_tried_by_every_sale(database, clock):  # noqa: F811
    found_store(database)

    def round_of_sale(number):
        queue(database, clock, f"sale-{number}")
        with database.read() as session:
            outlets = printers.outlets(session, STORE, f"net:127.0.0.1:{nobody_listens()}", PrinterModel())
        return work(database, clock, *outlets).failed

    assert [round_of_sale(1), round_of_sale(2)] == [1, 0]
    clock.advance(2)
    assert round_of_sale(3) == 1


def test_every_change_of_a_printer_is_journalled(database, clock):  # noqa: F811
    found_store(database)
    with database.write() as session:
        row = printers.add(Context(session, ANNA, clock.now()), STORE, FACTS)
        wished = PrinterFacts("Till", "net:10.0.0.8:9100", columns=32, drawer_pin=5, pulse_ms=200)
        printers.change(Context(session, ANNA, clock.now()), STORE, row.id, wished)
        printers.change(Context(session, ANNA, clock.now()), STORE, row.id, wished)
        printers.remove(Context(session, ANNA, clock.now()), STORE, row.id)
        verbs = [entry.verb for entry in session.query(JournalEntry).order_by(JournalEntry.n)]
    assert verbs == ["printer.added", "printer.changed", "printer.removed"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"wire": ""}, "where"),
        ({"columns": 40}, "columns"),
        ({"profile": "none"}, "profile"),
        ({"drawer_pin": 3}, "drawer_pin"),
        ({"pulse_ms": 5000}, "pulse_ms"),
        ({"fallback_id": "nobody"}, "fallback_id"),
    ],
)
def test_a_printer_that_cannot_be_meant_is_refused(database, clock, wrong, field):  # noqa: F811
    found_store(database)
    wished = PrinterFacts(**{"name": "Till", "wire": "paper", **wrong})
    with database.write() as session, pytest.raises(Invalid) as refused:
        printers.add(Context(session, ANNA, clock.now()), STORE, wished)
    assert refused.value.facts["field"] == field


def test_two_printers_do_not_share_a_name_and_a_removed_one_is_nobodys_fallback(database, clock):  # noqa: F811
    found_store(database)
    with database.write() as session:
        spare = printers.add(Context(session, ANNA, clock.now()), STORE, PrinterFacts("Spare", "paper"))
        till = PrinterFacts("Till", "paper", fallback_id=spare.id)
        row = printers.add(Context(session, ANNA, clock.now()), STORE, till)
        with pytest.raises(Conflict):
            printers.add(Context(session, ANNA, clock.now()), STORE, PrinterFacts("Till", "paper"))
        printers.remove(Context(session, ANNA, clock.now()), STORE, spare.id)
        assert row.fallback_id == ""


def test_a_printer_that_has_answered_once_must_answer(database, clock, machine):  # noqa: F811
    """Silence is unknown at first, and a fault afterwards."""
    found_store(database)
    with database.write() as session:
        facts = PrinterFacts("Till", f"net:{machine.host}:{machine.port}")
        printers.add(Context(session, ANNA, clock.now()), STORE, facts)
    machine.status.mute = True
    assert [in_force(database).driver.reports, round_of(database, clock)] == [None, print_worker.PrintRound(printed=1)]
    assert in_force(database).driver.reports is None
    machine.status.mute = False
    assert round_of(database, clock).printed == 1
    assert in_force(database).driver.reports is True


def in_force(database):  # noqa: F811
    with database.read() as session:
        (found,) = printers.outlets(session, STORE, "", PrinterModel())
    return found


def round_of(database, clock):  # noqa: F811
    queue(database, clock, f"sale-{len(jobs(database))}")
    return work(database, clock, in_force(database))


def test_with_several_printers_the_light_names_the_one_that_fails(database, clock, second):  # noqa: F811
    found_store(database)
    with database.write() as session:
        spare = printers.add(
            Context(session, ANNA, clock.now()),
            STORE,
            PrinterFacts("Spare", f"net:{second.host}:{second.port}", columns=32),
        )
        first = PrinterFacts("Till", f"net:127.0.0.1:{nobody_listens()}", tills=("t1",))
        row = printers.add(Context(session, ANNA, clock.now()), STORE, first)
    queue(database, clock)
    assert round_all(database, clock).failed == 1
    found = status(database, clock)
    assert (found.colour, found.code, found.printer) == ("red", "printer-refused", "Till")
    with database.write() as session:
        wished = PrinterFacts(first.name, first.wire, tills=("t1",), fallback_id=spare.id)
        printers.change(Context(session, ANNA, clock.now()), STORE, row.id, wished)
    clock.advance(10)
    assert round_all(database, clock).printed == 1
    found = status(database, clock)
    assert (found.colour, found.code, found.printer) == ("amber", "elsewhere", "Till")


def round_all(database, clock):  # noqa: F811
    with database.read() as session:
        outlets = printers.outlets(session, STORE, "", PrinterModel())
    return work(database, clock, *outlets)


def test_a_test_page_goes_to_its_own_printer_and_is_never_tried_again(database, clock, machine):  # noqa: F811
    found_store(database)
    at = clock.now
    with database.write() as session:
        facts = PrinterFacts("Till", f"net:{machine.host}:{machine.port}", drawer_pin=5, pulse_ms=200)
        row = printers.add(Context(session, ANNA, at()), STORE, facts)
        other = printers.add(Context(session, ANNA, at()), STORE, PrinterFacts("Other", "paper"))
        page = {"name": row.name, "wire": row.wire, "local_time": "2026-11-24 14:32"}
        test = print_worker.queue_test(Context(session, ANNA, at()), row, page, only_drawer=False)
        pulse = print_worker.queue_test(Context(session, ANNA, at()), row, page, only_drawer=True)
        own, _ = printers.outlets(session, STORE, "", PrinterModel())
        assert other.id != own.id
    for job_id in (test.id, pulse.id):
        assert print_worker.print_test(database, STORE, job_id, own, now=at).state == "printed"
    assert machine.wait_idle(60)
    assert machine.problems() == []
    assert len(machine.events("barcode")) == len(machine.events("qr")) == len(machine.events("cut")) == 1
    (event,) = machine.events("drawer")
    assert (event["pin"], event["on_ms"]) == (5, 200)
    machine.paper_out()
    with database.write() as session:
        test = print_worker.queue_test(Context(session, Actor.system("x", STORE), at()), row, page, only_drawer=False)
    done = print_worker.print_test(database, STORE, test.id, own, now=at)
    assert (done.state, done.reason) == ("dropped", "paper-out")


def test_a_file_keeps_no_questions(database, clock, tmp_path):  # noqa: F811
    queue(database, clock)
    work(database, clock, Outlet(FilePrinter(str(tmp_path / "paper.bin"))))
    assert (tmp_path / "paper.bin").read_bytes() == jobs(database)[0].paper

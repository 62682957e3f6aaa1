"""A printer that breaks at any byte: nothing prints twice, nothing is lost, and printing goes on without a restart.

The quick runs break at some seeded places; those marked `faults` break at every byte of a receipt, at every command of
every other document, and at a hundred places of a job of pictures.
"""

import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from config.nodes.journal import Actor, Context
from pos.documents import labels, receipt
from pos.printing import preview, print_worker, queue
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.printing.printers import Outlet
from pos.printing.wires import NetworkPrinter
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture
from tests.pos.printing.test_printer import STORE, clock, database  # noqa: F401 - fixtures

QUESTIONS = 6
"""Bytes asked before the first byte of paper."""
ASKED_AFTER = 3
SEED = 20261125


def korean() -> dict[str, Any]:
    """Return a receipt whose lines a western printer can only print as pictures."""
    document = documents.british_sale()
    document["lines"] = [documents.line(f"한국어 김치 {n}", 1, 100, 100) for n in range(6)]
    return document


DOCUMENTS: dict[str, tuple[str, Any, PrinterModel]] = {
    "receipt": ("receipt", documents.british_sale, PrinterModel(48)),
    "chinese": ("receipt", documents.chinese_sale, PrinterModel(32)),
    "return": ("receipt", documents.british_return, PrinterModel(42, chinese=False)),
    "label": ("label", documents.label, PrinterModel(48)),
    "pickup": ("pickup", documents.pickup_order, PrinterModel(48)),
    "bin": ("bin", documents.pickup_order, PrinterModel(48)),
    "z": ("z", documents.till_report, PrinterModel(48)),
    "pictures": ("receipt", korean, PrinterModel(48, chinese=False)),
}


class Steps(preview._Reader):
    """Reads paper and notes where each command and each line ends."""

    def __init__(self, paper: bytes) -> None:
        super().__init__(paper)
        self.ends: set[int] = set()

    def _command(self) -> None:
        self.ends.add(self.at)
        super()._command()
        self.ends.add(self.at)

    def _print_line(self) -> None:
        self.ends.add(self.at + 1)
        super()._print_line()


def paper_of(name: str) -> bytes:
    kind, make, model = DOCUMENTS[name]
    return encode(queue.lay_out(kind, make(), columns=model.columns), model)


def ends_of(name: str) -> list[int]:
    steps = Steps(paper_of(name))
    steps.read()
    return sorted(end for end in steps.ends if 0 < end <= len(steps.paper))


def some(choices: list[int], count: int) -> list[int]:
    return sorted(random.Random(SEED).sample(choices, min(count, len(choices))))


def breaks(tool, database, clock, name: str, places: list[int]) -> Iterator[tuple[int, str]]:  # noqa: F811
    """Break the printer after so many bytes of paper, each with a job of its own; yield what became of each."""
    kind, make, model = DOCUMENTS[name]
    whole = len(paper_of(name))
    paper = 58 if model.columns == 32 else 80
    with tool.VirtualPrinter(paper=paper) as sound, tool.VirtualPrinter(paper=paper) as breaking:
        for number, place in enumerate(places):
            clock.advance(600)
            with database.write() as session:
                job_id = queue.queue(
                    session, STORE, "t1", queue.Printout(kind, f"{name}-{place}", make()), at=clock.now()
                ).id
            breaking.drop_after, breaking.drop_mode = QUESTIONS + place, ("rst", "fin")[number % 2]
            work(database, clock, breaking, model)
            assert breaking.wait_idle(60)
            reached = breaking.jobs[-1]["bytes"] - QUESTIONS
            state = state_of(database, job_id)
            assert state == "failed" or place >= 0, f"{place}: not a byte of paper was sent, and it is {state}"
            assert state != "failed" or reached <= 0, f"{place}: {reached} bytes had left, and it would print again"
            assert state != "printed" or reached >= whole, f"{place}: {reached} of {whole} bytes are no print"
            before = len(sound.jobs)
            clock.advance(600)
            work(database, clock, sound, model)
            assert len(sound.jobs) - before == (state == "failed"), f"{place}: {state}, and then printed again"
            if state == "failed":
                assert sound.wait_idle(60)
                assert state_of(database, job_id) == "printed"
            else:
                with database.write() as session:
                    if state == "unconfirmed":
                        queue.resolve(Context(session, Actor.system("a", STORE), clock.now()), STORE, job_id, "printed")
            yield place, state


def work(database, clock, machine, model, **other) -> print_worker.PrintRound:  # noqa: F811
    driver = NetworkPrinter(machine.host, machine.port, model=model, **{"answer_s": 2.0, "print_s": 5.0, **other})
    return print_worker.print_due(database, STORE, [Outlet(driver)], now=clock.now)


def state_of(database, job_id: str) -> str:  # noqa: F811
    with database.read() as session:
        return session.get_one(queue.PrintJob, (STORE, job_id)).state


def test_every_kind_of_job_is_looked_at():
    assert {kind for kind, _, _ in DOCUMENTS.values()} <= {"label", *receipt.LAYOUTS}
    assert labels.layout(documents.label(), columns=48)


def test_a_receipt_broken_anywhere_is_neither_lost_nor_printed_twice(tool, database, clock):  # noqa: F811
    whole = len(paper_of("receipt"))
    places = [-3, 0, 1, whole - 1, whole, whole + ASKED_AFTER, *some(list(range(2, whole)), 10)]
    found = dict(breaks(tool, database, clock, "receipt", places))
    assert found[-3] == "failed"
    assert {found[place] for place in places if 0 < place < whole} == {"unconfirmed"}


@pytest.mark.parametrize("name", ["label", "pictures"])
def test_other_documents_broken_between_two_commands_are_neither_lost_nor_printed_twice(
    tool,  # noqa: F811
    database,  # noqa: F811
    clock,  # noqa: F811
    name,
):
    assert {state for _, state in breaks(tool, database, clock, name, some(ends_of(name)[:-1], 4))} == {"unconfirmed"}


@pytest.mark.faults
def test_a_receipt_broken_at_every_byte(tool, database, clock):  # noqa: F811
    places = list(range(1 - QUESTIONS, len(paper_of("receipt")) + ASKED_AFTER + 1))
    found = dict(breaks(tool, database, clock, "receipt", places))
    assert len(found) == len(places)


@pytest.mark.faults
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in ("receipt", "pictures")])
def test_every_other_document_broken_after_every_command(tool, database, clock, name):  # noqa: F811
    places = ends_of(name)
    assert len(dict(breaks(tool, database, clock, name, places))) == len(places) > 10


@pytest.mark.faults
def test_a_job_of_pictures_broken_at_a_hundred_places(tool, database, clock):  # noqa: F811
    places = some(list(range(1, len(paper_of("pictures")))), 100)
    assert {state for _, state in breaks(tool, database, clock, "pictures", places)} == {"unconfirmed"}


def queued(database, clock) -> str:  # noqa: F811
    with database.write() as session:
        return queue.queue(
            session, STORE, "t1", queue.Printout("receipt", "sale", documents.british_sale()), at=clock.now()
        ).id


def test_a_slow_printer_is_waited_for(tool, database, clock):  # noqa: F811
    job_id = queued(database, clock)
    with tool.VirtualPrinter(bytes_per_second=4000) as slow:
        work(database, clock, slow, PrinterModel(48))
        assert slow.wait_idle(60)
        assert len(slow.events("cut")) == 1
    assert state_of(database, job_id) == "printed"


def test_a_printer_slower_than_anybody_waits_is_unconfirmed(tool, database, clock):  # noqa: F811
    job_id = queued(database, clock)
    with tool.VirtualPrinter(bytes_per_second=200) as slow:
        work(database, clock, slow, PrinterModel(48), print_s=0.2, bytes_per_s=1e9, answer_s=0.2)
        assert state_of(database, job_id) == "unconfirmed"
        assert work(database, clock, slow, PrinterModel(48)) == print_worker.PrintRound()


def test_a_host_that_is_gone_costs_its_patience_and_no_ticket(tool, database, clock):  # noqa: F811
    job_id = queued(database, clock)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for guest in waiting:  # whoever comes after them is not answered at all
            guest.setblocking(False)
            guest.connect_ex(full.getsockname())
        gone = NetworkPrinter(*full.getsockname(), model=PrinterModel(48), answer_s=0.3)
        assert print_worker.print_due(database, STORE, [Outlet(gone)], now=clock.now).failed == 1
        for guest in waiting:
            guest.close()
    with tool.VirtualPrinter() as sound:
        clock.advance(10)
        assert work(database, clock, sound, PrinterModel(48)).printed == 1
        assert sound.wait_idle(60)
        assert len(sound.events("cut")) == 1
    assert state_of(database, job_id) == "printed"


@pytest.mark.parametrize("fault", ["paper out", "cover open", "offline", "cutter", "silent"])
def test_after_every_state_of_the_printer_the_same_worker_goes_on(tool, database, clock, fault):  # noqa: F811
    job_id = queued(database, clock)
    with tool.VirtualPrinter() as machine:
        status = machine.status
        match fault:
            case "paper out":
                machine.paper_out()
            case "cover open":
                status.cover_open = True
            case "offline":
                status.offline = True
            case "cutter":
                status.cutter_error = True
            case "silent":
                status.mute = True
        assert work(database, clock, machine, PrinterModel(48), answer_s=0.3).failed == 1
        assert machine.wait_idle(60)  # it has seen us hang up before it is put right
        machine.load_paper()
        status.cover_open = status.offline = status.cutter_error = status.mute = False
        clock.advance(10)
        assert work(database, clock, machine, PrinterModel(48)).printed == 1
        assert machine.wait_idle(60)
        assert len(machine.events("cut")) == 1
        assert machine.problems() == []
    assert state_of(database, job_id) == "printed"

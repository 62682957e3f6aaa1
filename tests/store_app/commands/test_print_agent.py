"""The print agent against a served store node and a printer: on paper once, or a person is asked."""

import threading

import httpx2
import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from config.errors import Invalid, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.printing import agents, print_worker, printers
from pos.printing import queue as print_queue
from pos.printing.printers import PrinterFacts
from pos.printing.queue import PrintJob
from pos.printing.wires import NetworkPrinter
from store_app.commands import print_agent
from store_app.node.printers import printers_in_force
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture
from tests.pos.printing.test_printer import nobody_listens
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import send, words

ANNA = Actor.system("test", STORE)


class PowerCutError(BaseException):
    """The agent is gone from one moment to the next."""


@pytest.fixture
def machine(tool):  # noqa: F811
    with tool.VirtualPrinter(paper=80) as virtual:
        yield virtual


@pytest.fixture
def key(house: House) -> str:
    return keyed(house, "Till")[1]


@pytest.fixture
def served(house: House):
    """Serve the node on a free port."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def keyed(house: House, name: str, **facts):
    with house.doors.write() as session:
        row = printers.add(Context(session, ANNA, NOON), STORE, PrinterFacts(name, "agent", **facts))
        return row.id, agents.give_key(Context(session, ANNA, NOON), STORE, row.id)


def queue(house: House, source: str = "sale-1") -> str:
    with house.doors.write() as session:
        printout = print_queue.Printout("receipt", source, documents.british_sale(), opens_drawer=True)
        return print_queue.queue(session, STORE, "1", printout, at=house.clock.now()).id


def states(house: House):
    with house.doors.read() as session:
        return list(session.execute(sa.select(PrintJob.state, PrintJob.reason).order_by(PrintJob.id)))


def agent_at(served, key, machine, tmp_path, name="agent", hooks=None):
    (tmp_path / "key").write_text(key)
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    client = print_agent.client_for(served, tmp_path / "key")
    client.event_hooks = hooks or {}
    where = machine if isinstance(machine, str) else f"net:{machine.host}:{machine.port}"
    return print_agent.Agent(client, where, folder)


def cuts(machine) -> int:
    assert machine.wait_idle(60)
    assert machine.problems() == []
    return len(machine.events("cut"))


def test_an_agents_printer_is_left_to_its_agent_which_prints_once_and_opens_the_drawer(
    house, served, key, machine, tmp_path
):
    queue(house)
    with house.doors.read() as session:
        outlets = printers_in_force(session, house.doors.settings)
    assert (
        print_worker.print_due(house.doors.database, STORE, outlets, now=house.clock.now) == print_worker.PrintRound()
    )
    agent = agent_at(served, key, machine, tmp_path)
    for _ in range(2):
        agent.turn(0)
    assert states(house) == [("printed", None)]
    assert (cuts(machine), len(machine.events("drawer"))) == (1, 1)


def test_paper_that_comes_while_the_agent_waits_is_printed(house, served, key, machine, tmp_path):
    agent = agent_at(served, key, machine, tmp_path)
    waiting = threading.Thread(target=agent.turn)
    waiting.start()
    queue(house)
    house.doors.ring()
    waiting.join(60)
    assert cuts(machine) == 1


@pytest.mark.parametrize("lost", ["/jobs", "/outcome"])
def test_a_lost_answer_is_asked_for_again_and_prints_once(house, served, key, machine, tmp_path, lost):
    queue(house)
    losing = [True]

    def lose(answer):
        if losing and answer.request.url.path.endswith(lost):
            losing.pop()
            raise httpx2.ReadError("the line broke")

    agent = agent_at(served, key, machine, tmp_path, hooks={"response": [lose]})
    with pytest.raises(httpx2.ReadError):
        agent.turn(0)
    agent = agent_at(served, key, machine, tmp_path)
    agent.turn(0)
    assert states(house) == [("printed", None)]
    assert cuts(machine) == 1


def test_killed_before_its_note_the_agent_prints_after_all(house, served, key, machine, tmp_path, monkeypatch):
    queue(house)
    agent = agent_at(served, key, machine, tmp_path)
    with monkeypatch.context() as cut:
        cut.setattr(agent, "_print", power_cut)
        with pytest.raises(PowerCutError):
            agent.turn(0)
    agent_at(served, key, machine, tmp_path).turn(0)
    assert states(house) == [("printed", None)]
    assert cuts(machine) == 1


@pytest.mark.parametrize("moment", ["before the first byte", "after the last"])
def test_killed_while_it_prints_the_agent_tells_that_a_person_must_look(
    house, served, key, machine, tmp_path, monkeypatch, moment
):
    queue(house)
    agent = agent_at(served, key, machine, tmp_path)
    with monkeypatch.context() as cut:
        if moment == "before the first byte":
            cut.setattr(NetworkPrinter, "send", power_cut)
        else:
            cut.setattr(agent, "_keep_outcome", power_cut)
        with pytest.raises(PowerCutError):
            agent.turn(0)
    for _ in range(2):
        agent_at(served, key, machine, tmp_path).turn(0)
    assert states(house) == [("unconfirmed", "stopped-midway")]
    assert (b"\x1dV" in machine.raw) == (moment == "after the last")
    assert machine.raw.count(b"\x1b@") == (moment == "after the last")


def power_cut(*_, **__):
    raise PowerCutError


def test_a_printer_that_is_off_fails_and_is_tried_again(house, served, key, machine, tmp_path):
    queue(house)
    agent_at(served, key, f"net:127.0.0.1:{nobody_listens()}", tmp_path).turn(0)
    assert states(house) == [("failed", "printer-refused")]
    house.clock.advance(10)
    agent_at(served, key, machine, tmp_path).turn(0)
    assert states(house) == [("printed", None)]
    assert cuts(machine) == 1


def test_two_agents_with_one_key_print_every_job_once(house, served, key, machine, tmp_path):
    for n in range(4):
        queue(house, f"sale-{n}")
    both = [agent_at(served, key, machine, tmp_path, name) for name in ("one", "two")]

    def work(agent):
        while {state for state, _ in states(house)} != {"printed"}:
            agent.turn(0)

    threads = [threading.Thread(target=work, args=(agent,)) for agent in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert cuts(machine) == 4


def test_a_job_whose_agent_was_away_for_long_is_settled_by_its_late_word(house, served, key, machine, tmp_path):
    queue(house)
    agent = agent_at(served, key, machine, tmp_path)
    agent._send_later, agent._send = agent._send, lambda: None
    agent.turn(0)
    house.clock.advance(600)
    with house.doors.write() as session:
        assert print_queue.recover(session, STORE, at=house.clock.now()) == 0, "a worker's start leaves agents alone"
        assert print_queue.recover(session, STORE, at=house.clock.now(), stopped=False) == 1
    agent._send_later()
    assert states(house) == [("printed", None)]


def test_a_withdrawn_key_stops_the_agent_with_a_sentence(house, served, key, machine, tmp_path):
    agent = agent_at(served, key, machine, tmp_path)
    with house.doors.write() as session:
        (row,) = printers.printers_of(session, STORE)
        agents.withdraw_key(Context(session, ANNA, NOON), STORE, row.id)
    with pytest.raises(Refused, match="was revoked"):
        agent.turn(0)


def test_the_key_of_another_printer_gets_nothing(house, key, served, machine, tmp_path):
    other = keyed(house, "Labels", papers="labels")[1]
    job_id = queue(house)
    agent_at(served, other, machine, tmp_path).turn(0)
    assert states(house) == [("queued", None)]
    answer = httpx2.post(
        f"{served}/api/print-agent/jobs/{job_id}/outcome",
        headers={"Authorization": f"Bearer {other}"}, json={"claim": "somebody-else", "outcome": "printed"},
    )  # fmt: skip
    assert answer.status_code == 404


def test_what_is_no_call_of_an_agent_is_refused(house, key):
    ask = house.visitor().post
    known = {"Authorization": f"Bearer {key}"}
    assert ask("/api/print-agent/jobs", json={"claim": "a-claim-of-mine"}).status_code == 401
    assert ask("/api/print-agent/jobs", headers=known, json={"claim": "x"}).status_code == 422
    assert ask("/api/print-agent/jobs", headers=known, data=b"x" * 5000).status_code == 413


def test_the_light_is_red_while_paper_waits_and_the_agent_does_not_call(house, served, key, machine, tmp_path):
    agent_at(served, key, machine, tmp_path).turn(0)
    house.clock.advance(121)
    queue(house)
    with house.doors.read() as session:
        found = print_queue.status(session, STORE, at=house.clock.now())
    assert (found.colour, found.code) == ("red", "agent-silent")
    agent_at(served, key, f"net:127.0.0.1:{nobody_listens()}", tmp_path, "two").turn(0)
    with house.doors.read() as session:
        assert print_queue.status(session, STORE, at=house.clock.now()).code == "printer-refused"


@pytest.mark.parametrize("server", ["http://shop.example", "ftp://127.0.0.1", "store.example", "http://10.0.0.7:8000"])
def test_an_agent_speaks_https_or_to_its_own_computer(tmp_path, server):
    (tmp_path / "key").write_text("a-key")
    with pytest.raises(Invalid):
        print_agent.client_for(server, tmp_path / "key")


def test_the_page_shows_a_key_once_and_withdraws_it(house):
    printer_id, old = keyed(house, "Till")
    client = house.signed_in()
    shown = send(client, f"/settings/printers/{printer_id}/key")
    assert shown.status_code == 200
    assert "cornerstore print-agent" in words(shown)
    with house.doors.read() as session:
        assert agents.printer_for_key(session, STORE, old) is None
    assert "cornerstore print-agent" not in words(client.get(f"/settings/printers/{printer_id}"))
    assert send(client, f"/settings/printers/{printer_id}/key/withdraw").status_code == 303
    with house.doors.read() as session:
        verbs = list(session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.like("printer.agent%"))))
        assert printers.printer_of(session, STORE, printer_id).agent_key_sha256 is None
    assert verbs == ["printer.agent_key_given"] * 2 + ["printer.agent_key_withdrawn"]

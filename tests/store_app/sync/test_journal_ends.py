"""A store tells the end of its journal with every push; the network remembers it, and `verify` asks for it."""

import httpx2
import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from config.nodes import journal
from config.nodes.journal import Actor, Context, JournalHead
from config.nodes.node import this_node
from store_app.node import verifying
from store_app.node.checking import findings
from store_app.sync import receiver, sender, wire
from tests.store_app.conftest import KEY, NOON, STORE, House
from tests.store_app.sync.test_sync import talk
from tests.tampering import thief


def act(house: House, times: int = 1, verb: str = "done") -> None:
    for _ in range(times):
        with house.doors.write() as session:
            actor = Actor.system("test", STORE)
            journal.record(Context(session, actor, house.clock.now()), verb=verb, subject="thing:1")


def end_of(house: House) -> tuple[int, str]:
    with house.doors.read() as session:
        head = session.get_one(JournalHead, STORE)
        return head.n, head.hash


def cut(house: House, n: int) -> None:
    """Cut the journal off after entry n and set its head back, as who owns the database can."""
    with thief(house.doors.database) as connection:
        connection.execute("DELETE FROM journal_entry WHERE n > ?", (n,))
        connection.execute("UPDATE journal_head SET n = ?, hash = (SELECT hash FROM journal_entry WHERE n = ?)", (n, n))


def known_end(network: House) -> dict:
    with network.doors.read() as session:
        return receiver.known_end(session, STORE)


@pytest.fixture
def joined(build, network: House, served: str) -> House:
    """Give a store that knows where its network is."""
    house = build(network_url=served, network_key=KEY)
    act(house, 5)
    talk(house, served)
    return house


def test_every_contact_tells_the_end_and_proves_the_one_before(joined: House, network: House, served: str):
    assert (known_end(network)["n"], known_end(network)["hash"]) == end_of(joined)
    act(joined, 3)
    assert talk(joined, served).fault is None
    assert (known_end(network)["n"], known_end(network)["hash"]) == end_of(joined)
    with joined.doors.read() as session:
        reported = this_node(session).peer_journal_n
    assert reported == end_of(joined)[0]
    assert findings(network.doors) == []


def test_a_tail_that_was_cut_off_is_named_by_verify_and_by_the_network(joined: House, network: House, served: str):
    n, _ = end_of(joined)
    joined.doors.settings.sidecar.unlink()
    cut(joined, n - 2)
    assert verifying.verify(joined.doors).faults == [], "alone, nobody can tell"
    outside, reported = verifying.ask_network(joined.doors)
    assert reported is None
    (fault,) = verifying.verify(joined.doors, outside).faults
    assert fault.startswith(f"Entries {n - 1} to {n} are missing: the tail was cut off. The network (heard 2026-03-02")
    assert talk(joined, served).fault is None, "and no fact waits for it"
    assert [(row.code, row.subject) for row in findings(network.doors)] == [("J1", f"node:{STORE}")]


def test_the_file_beside_the_database_remembers_the_end_too(joined: House):
    n, _ = end_of(joined)
    cut(joined, n - 1)
    (fault,) = verifying.verify(joined.doors).faults
    assert fault == f"Entry {n} is missing: the tail was cut off. The file beside the database remembers entry {n}"


def test_a_journal_written_anew_fails_the_proof_although_it_is_longer(joined: House, network: House, served: str):
    n, _ = end_of(joined)
    cut(joined, n - 1)
    act(joined, 4, "undone")
    assert talk(joined, served).fault is None
    (finding,) = findings(network.doors)
    assert f"its entry {n} is not the one it was" in finding.found


def test_a_network_that_cannot_be_asked_is_said_and_the_rest_is_verified(build):
    house = build(network_url="http://127.0.0.1:9", network_key=KEY)
    outside, reported = verifying.ask_network(house.doors)
    assert outside == []
    assert reported == "The network could not be asked for its records."


def test_a_store_on_its_own_asks_nobody(house: House):
    assert verifying.ask_network(house.doors) == ([], None)


def test_older_stores_and_networks_are_still_understood(network: House):
    push = {"speaking": "e" * 32, "epoch": "e" * 32, "from_n": 0, "count": 0, "head": "0" * 64}
    with network.doors.write() as session:
        answer = receiver.take(session, STORE, wire.Push.model_validate(push), at=NOON)
    assert answer["journal_n"] == 0
    del answer["journal_n"]
    assert wire.Answer.model_validate(answer).journal_n is None


@pytest.mark.parametrize("end", [{"n": -1, "hash": "h"}, {"n": 1}, {"n": 1, "hash": "h", "proof_n": 0}, "x"])
def test_an_odd_end_is_no_push(end):
    push = {"speaking": "e" * 32, "epoch": "e" * 32, "from_n": 0, "count": 0, "head": "0" * 64, "journal": end}
    with pytest.raises(ValidationError):
        wire.Push.model_validate(push)


def test_a_strangers_key_learns_nothing_of_a_journals_end(network: House, served: str):
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        with httpx2.Client(base_url=served, headers=headers) as client:
            assert client.get("/api/sync/journal").status_code == 401
    with pytest.raises(sender.Unreachable):
        sender.ask_end(network.doors.settings)


def test_the_heads_of_all_stores_are_kept_apart(network: House):
    for store_id, n in ((STORE, 5), ("S02", 3)):
        with network.doors.write() as session:
            end = wire.JournalEnd(n=n, hash="h" * 64)
            receiver._hear_journal(session, store_id, end, "e" * 32, NOON)
    with network.doors.read() as session:
        rows = session.execute(sa.text("SELECT node_id, n FROM journal_anchor ORDER BY node_id")).all()
    assert [tuple(row) for row in rows] == [("S01", 5), ("S02", 3)]

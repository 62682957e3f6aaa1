"""Facts on their way: once, in any order, and never lost in silence."""

import datetime as dt
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config import digest
from config.database import Database
from config.errors import Refused
from config.nodes import door, inbox, outbox
from config.nodes.inbox import InboxAlarm, InboxMessage
from config.nodes.journal import GENESIS, Actor, Context, JournalEntry, record, verify
from config.nodes.node import Peer, found, new_epoch, this_node
from config.nodes.outbox import Message, OutboxMessage
from config.nodes.publication import Publication
from tests.arriving import apply_once, content_hash, reapply
from tests.builders import NOON, open_database
from tests.empty import empty_database
from tests.tampering import unlocked

FACTS, SECOND = 8, dt.timedelta(seconds=1)


@pytest.fixture(scope="module")
def sender(tmp_path_factory) -> Database:
    """Give a store's database with facts for the network."""
    return begun(tmp_path_factory.mktemp("sender"), FACTS)


def begun(folder: Path, facts: int) -> Database:
    """Return a store's database with so many facts for the network."""
    database = open_database(folder / "store.db")
    with database.write() as session:
        found(session, "S01", at=NOON)
        for n in range(facts):
            append(session, f"fact-{n}", {"n": n, "名": "牛奶"})
    return database


def append(session, id: str, body: dict, *, to_node: str = "network", at: dt.datetime = NOON) -> int:
    fact = outbox.Outgoing(topic="noted", version=1, body=body, id=id, subject=id, business_day=NOON.date())
    return outbox.append(session, fact, to_node=to_node, at=at)


def sent(database: Database) -> list[Message]:
    with database.read() as session:
        rows = outbox.after(session, "network", this_node(session).epoch, 0)
        return [Message(**outbox.to_wire(row)) for row in rows]


def note(session, message: Message) -> None:
    """Write a row named by the fact: applied twice it would break its key."""
    if message.body.get("refuse"):
        raise Refused("not-now", "The network does not take this.")
    session.add(Publication(kind=message.id, scope_id="*", version=message.body["n"], sha256="", made_at=NOON, body=""))


def take(database: Database, message: Message, from_node: str = "S01") -> tuple[str, str | None]:
    with database.write() as session:
        return apply_once(session, from_node, "epoch", message, note, at=NOON)


def noted(database: Database) -> dict[str, int]:
    with database.read() as session:
        return dict(session.execute(sa.select(Publication.kind, Publication.version)).all())


def head(database: Database) -> tuple[int, int, str]:
    with database.read() as session:
        return inbox.received_head(session, "S01", "epoch")


def test_facts_are_numbered_chained_and_whole(sender):
    messages, chained = sent(sender), GENESIS
    assert [message.n for message in messages] == list(range(1, FACTS + 1))
    for message in messages:
        assert message.is_whole()
        chained = outbox.chain(chained, message.hash)
        with sender.read() as session:
            assert outbox.head_at(session, "network", this_node(session).epoch, message.n) == chained
    with sender.read() as session:
        ends = [outbox.head_at(session, "network", this_node(session).epoch, n) for n in (0, FACTS + 1)]
    assert ends == [GENESIS, None], "nothing is behind the last, and the beginning before the first"


def test_another_algorithm_may_follow_and_what_it_chains_is_good_beside_the_old(tmp_path, monkeypatch):
    store, network = open_database(tmp_path / "store.db"), open_database(tmp_path / "network.db")
    with store.write() as session:
        found(session, "S01", at=NOON)
    for n, today in enumerate(("", "sha3", "sha3", "")):
        monkeypatch.setattr(digest, "TODAY", today)
        with store.write() as session:
            append(session, f"fact-{n}", {"n": n})
            record(Context(session, Actor.system("test", "S01"), NOON), verb="noted", subject=f"fact:{n}")
    messages = sent(store)
    assert [message.hash[:5] == "sha3:" for message in messages] == [False, True, True, False]
    for message in messages:
        assert take(network, message) == ("taken", None)
        left = {outbox.FORGOTTEN: 0} | json.loads(outbox.emptied(message.hash, {"n": 0}))
        assert replace(message, body=left).is_whole()
        assert not replace(message, body={"n": 7}).is_whole()
        assert not replace(message, hash=f"md5:{message.hash[-32:]}").is_whole(), "nobody knows this algorithm"
    with store.read() as session:
        count, ours = outbox.sent_head(session, "network", this_node(session).epoch)
        assert verify(session, "S01") == []
    assert head(network) == (count, count, ours), "both ends reckon alike, whatever either holds for today's"
    with store.write() as session, unlocked(session):
        session.execute(sa.update(JournalEntry).where(JournalEntry.subject == "fact:1").values(verb="edited"))
        assert "was changed" in verify(session, "S01")[0]


def test_a_fact_of_a_transaction_that_fails_never_was(tmp_path):
    database = open_database(tmp_path / "store.db")
    with database.write() as session:
        found(session, "S01", at=NOON)

    def fail() -> None:
        with database.write() as session:
            append(session, "lost", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.write() as session:
        assert append(session, "kept", {}) == 1


@given(arriving=st.lists(st.integers(0, FACTS - 1), max_size=14).flatmap(
    lambda extra: st.permutations([*range(FACTS), *extra])
))  # fmt: skip
def test_any_permutation_with_repetition_gives_the_same_state(sender, tmp_path_factory, arriving):
    messages = sent(sender)
    database = open_database(tmp_path_factory.mktemp("receiver") / "network.db")
    seen = set()
    for index in arriving:
        expected = "already" if index in seen else "taken"
        assert take(database, messages[index]) == (expected, None)
        seen.add(index)
    assert noted(database) == {f"fact-{n}": n for n in range(FACTS)}
    with sender.read() as session:
        count, ours = outbox.sent_head(session, "network", this_node(session).epoch)
    assert head(database) == (count, count, ours)
    database.engine.dispose()


def test_the_head_waits_at_a_gap_and_goes_on_when_it_is_filled(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    for index in (0, 1, 3, 4):
        take(database, messages[index])
    assert head(database)[:2] == (4, 2)
    take(database, messages[2])
    assert head(database)[:2] == (5, 5)


def test_the_same_id_with_another_content_is_parked_with_an_alarm(sender, tmp_path):
    database, first = open_database(tmp_path / "network.db"), sent(sender)[0]
    take(database, first)
    other = replace(first, body={"n": 99})
    other = replace(other, hash=content_hash(other))
    assert take(database, other) == ("parked", "the same ID arrived with different content")
    assert take(database, other)[0] == "parked"
    assert noted(database) == {"fact-0": 0}
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(InboxAlarm).where(~inbox.is_repeated())) == 1


def test_the_head_goes_on_over_what_contradicts_or_came_before_under_another_number(sender, tmp_path):
    """Else its sender would offer the same 200 rows for ever, and nothing behind them would arrive."""
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    with database.write() as session:
        apply_once(session, "S01", "before", messages[0], note, at=NOON)
    other = replace(messages[1], id=messages[0].id)
    other = replace(other, hash=content_hash(other))
    assert take(database, other)[0] == "parked"
    assert take(database, messages[2])[0] == "taken"
    assert head(database)[:2] == (1, 0), "number 1 is still on its way"
    assert take(database, messages[0])[0] == "already"
    ours = GENESIS
    for message in (messages[0], other, messages[2]):
        ours = outbox.chain(ours, message.hash)
    assert head(database) == (1, 3, ours), "the end of the chain as its sender has it"


@pytest.mark.parametrize("odd", [door.MOST + 1, -(2**62), 1e300, 2**80])
def test_a_figure_no_shop_can_have_is_set_aside_before_it_is_added_up_with_others(sender, tmp_path, odd):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    wild = replace(messages[0], body={"n": 1, "lines": [{"qty": odd}]})
    wild = replace(wild, hash=content_hash(wild))
    assert take(database, wild) == ("parked", inbox.ABSURD)
    with database.write() as session:
        assert inbox.try_parked(session, "S01", note) == (0, 1), "nor is it taken when it is tried again"
        assert [row.reason for row in inbox.set_aside(session, "S01", [wild.id])] == [inbox.ABSURD]
    assert take(database, messages[1])[0] == "taken"
    largest = replace(messages[2], body={"n": 2, "lines": [{"qty": door.number(door.MOST, "qty")}]})
    largest = replace(largest, hash=content_hash(largest))
    assert take(database, largest)[0] == "taken", "what the door lets in is not set aside"
    assert noted(database) == {"fact-1": 1, "fact-2": 2}
    assert head(database)[:2] == (3, 3)


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_is_no_number_is_set_aside_and_kept_as_none(sender, tmp_path, odd):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    wild = replace(messages[0], body={"n": 1, "lines": [{"qty": odd}]})
    assert take(database, replace(wild, hash=content_hash(wild))) == ("parked", inbox.ABSURD)
    with database.read() as session:
        assert session.scalars(sa.select(InboxMessage.body)).one() == '{"lines":[{"qty":null}],"n":1}'


def test_a_fault_on_the_way_of_a_fact_is_logged_by_its_place_and_not_by_what_the_fact_says(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)

    def trips(_session, _message):
        raise ValueError("+49 170 1234567")

    with capture_logs() as lines, database.write() as session:
        assert apply_once(session, "S01", "epoch", messages[0], trips, at=NOON)[0] == "parked"
    (line,) = lines
    assert (line["topic"], line["fault"]) == (messages[0].topic, "ValueError")
    assert line["place"].startswith("test_outbox.py:")
    assert "1234567" not in str(line)


@pytest.mark.parametrize("body", [{"name": "a\x00b"}, {"lines": [{"name\x00": "a"}]}])
def test_a_text_with_nul_is_set_aside_on_both_databases_alike(sender, tmp_path, postgres_database, body):
    messages = sent(sender)
    odd = replace(messages[0], body=body)
    odd = replace(odd, hash=content_hash(odd))
    plain = replace(messages[1], body={"n": 1, "name": "a\\u0000b"})
    plain = replace(plain, hash=content_hash(plain))
    for database in (open_database(tmp_path / "network.db"), empty_database(postgres_database)):
        assert take(database, odd) == ("parked", inbox.NUL)
        with database.write() as session:
            assert inbox.try_parked(session, "S01", note) == (0, 1)
        assert take(database, plain)[0] == "taken", "a backslash before u0000 is a text like any other"


def test_the_same_number_with_another_id_is_parked_with_an_alarm(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    take(database, messages[0])
    rival = replace(messages[1], n=1)
    assert take(database, rival) == ("parked", "number-used: 1")
    assert noted(database) == {"fact-0": 0}


def test_what_is_still_here_of_an_epoch_ends_before_its_first_gap_and_counts_for_its_receiver_alone(tmp_path):
    store = begun(tmp_path, 3)
    with store.write() as session:
        epoch = this_node(session).epoch
        append(session, "fact-9", {}, to_node="another")
    here = []
    for lost in ("none", "fact-1", "fact-0"):
        with store.write() as session:
            with unlocked(session):
                session.execute(sa.delete(outbox.OutboxMessage).where(outbox.OutboxMessage.id == lost))
            here.append((outbox.still_here(session, "network"), outbox.epochs_of(session, "network")))
    assert here == [({epoch: 3}, [epoch]), ({epoch: 1}, [epoch]), ({epoch: 0}, [epoch])]
    with store.read() as session:
        assert outbox.epochs_of(session, "never written to") == []


def test_a_row_twice_in_one_batch_is_taken_once_and_a_bad_one_is_set_aside_both_times(sender, tmp_path):
    database, good = open_database(tmp_path / "network.db"), sent(sender)[0]
    bad = replace(sent(sender)[1], body={"n": 5})
    with database.write() as session:
        outcomes = inbox.take(session, inbox.Arrival("S01", "epoch", [good, good, bad, bad]), note, at=NOON)
    assert [outcome.state for outcome in outcomes] == ["taken", "already", "parked", "parked"]
    assert noted(database) == {"fact-0": 0}


def test_a_node_is_told_its_own_facts_after_the_one_it_still_has(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    for message in messages:
        take(database, message)
    with database.read() as session:
        reported = inbox.reported_after(session, "S01", "epoch", 1, 10, 10**6)
        assert [row["n"] for row in reported] == list(range(2, FACTS + 1))
        assert len(inbox.reported_after(session, "S01", "epoch", 0, 10, 1)) == 1, "never less than one, however large"
        two = sum(len(row.body) for row in session.scalars(sa.select(InboxMessage).where(InboxMessage.n <= 2)))
        found_by_bytes = [len(inbox.reported_after(session, "S01", "epoch", 0, 10, two + more)) for more in (-1, 0)]
        assert found_by_bytes == [1, 2]


def test_however_many_waited_for_the_first_the_chain_goes_on_over_them_all(sender, tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "LOOKED_AT", 3)
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    for message in reversed(messages):
        take(database, message)
    with sender.read() as session:
        count, ours = outbox.sent_head(session, "network", this_node(session).epoch)
    assert head(database) == (FACTS, count, ours)


def test_what_a_node_says_it_has_written_is_kept_whether_anything_comes_with_it_or_less_is_said_later(sender, tmp_path):
    database, first = open_database(tmp_path / "network.db"), sent(sender)[:1]
    with database.write() as session:
        for messages, said in (((), 5), (first, 1)):
            inbox.take(session, inbox.Arrival("S01", "epoch", messages, sent=said), note, at=NOON)
        head = session.get_one(inbox.InboxHead, ("S01", "epoch"))
        assert (head.sent, head.count, head.n) == (5, 1, 1)
        another_s = sa.update(inbox.InboxHead).values(sent=9).execution_options(synchronize_session=False)
        session.execute(another_s)
        inbox.take(session, inbox.Arrival("S01", "epoch", (), sent=7), note, at=NOON)
        assert head.sent == 9, "as it stands, whatever was read of it before"


def test_what_is_signed_later_is_known_by_that_signature_and_no_other_node_s_with_it(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)
    for from_node in ("S01", "S02"):
        take(database, messages[0], from_node)
    with database.write() as session:
        for batch in ("signed", "again"):
            inbox.take(session, inbox.Arrival("S01", "epoch", messages[:2], batch=batch), note, at=NOON)
        kept = sa.select(InboxMessage.from_node, InboxMessage.id, InboxMessage.batch)
        assert set(session.execute(kept).all()) == {
            ("S01", "fact-0", "signed"), ("S01", "fact-1", "signed"), ("S02", "fact-0", None),
        }  # fmt: skip
        assert [row["batch"] for row in inbox.reported_after(session, "S01", "epoch", 0, 9, 10**6)] == ["signed"] * 2
        assert [row["batch"] for row in inbox.reported_after(session, "S02", "epoch", 0, 9, 10**6)] == [""]


def test_a_refusal_is_kept_with_its_facts_and_a_huge_one_as_its_reason_alone(sender, tmp_path):
    database, messages = open_database(tmp_path / "network.db"), sent(sender)

    def refuse(_session, message: Message) -> None:
        raise Refused("odd", "That is odd.", what="x" * 4_000 if message.body["n"] else {0})

    with database.write() as session:
        arrival = inbox.Arrival("S01", "epoch", messages[:2])
        assert [one.state for one in inbox.take(session, arrival, refuse, at=NOON)] == ["parked"] * 2
        kept = [session.get_one(InboxMessage, ("S01", f"fact-{n}")) for n in range(2)]
        assert [(row.reason, row.refusal and row.refusal["facts"]) for row in kept] == [
            ("odd: That is odd.", {"what": "{0}"}), ("odd: That is odd.", None),
        ]  # fmt: skip


def test_what_is_set_aside_is_found_by_its_reason_the_oldest_day_first_and_turned_down_once(tmp_path):
    store, database = open_database(tmp_path / "store.db"), open_database(tmp_path / "network.db")
    with store.write() as session:
        found(session, "S01", at=NOON)
        for n, body in enumerate(({"refuse": True}, {}, {"refuse": True}, {"n": 3})):
            append(session, f"fact-{n}", body)
    messages = sent(store)
    messages[0] = replace(messages[0], business_day="2026-03-09")
    messages[0] = replace(messages[0], hash=content_hash(messages[0]))
    assert [take(database, message)[0] for message in messages] == ["parked", "parked", "parked", "taken"]
    ids = [message.id for message in messages]
    with database.write() as session:
        waiting = {why: [one.id for one in inbox.waiting_of(session, "S01", why=why)] for why in ("", "not-now", "odd")}
        assert waiting == {"": ids[:3], "not-now": ["fact-2", "fact-0"], "odd": []}
        assert [one.id for one in inbox.waiting_of(session, "S01", why="not-now", most=1)] == ["fact-2"]
        assert inbox.waiting_of(session, "S02") == []
        assert inbox.taken_of(session, "S01", ids) == {"fact-3": messages[3].hash}
        assert inbox.turn_down(session, "S01", ["fact-0", "fact-3"]) == ["fact-0"]
        assert inbox.turn_down(session, "S01", ids) == ["fact-1", "fact-2"]
        declined = inbox.declined_of(session, "S01", ids)
        assert set(declined) == {"fact-0", "fact-1", "fact-2"}
        assert declined["fact-0"] == f"{inbox.DECLINED}: not-now: The network does not take this."
        assert inbox.declined_of(session, "S02", ids) == inbox.taken_of(session, "S02", ids) == {}
    with database.write() as session:
        arrival = inbox.Arrival("S01", "epoch", messages[:1])
        (again,) = inbox.take(session, arrival, note, at=NOON)
        assert (again.state, again.kind) == ("parked", inbox.DECLINED)


def test_who_says_another_node_s_id_first_keeps_its_own_fact_out_no_more(sender, tmp_path):
    database, first = open_database(tmp_path / "network.db"), sent(sender)[0]
    squatted = replace(first, body={})
    assert take(database, replace(squatted, hash=content_hash(squatted)), from_node="S02")[0] == "parked"
    assert take(database, first) == ("taken", None)
    assert take(database, first)[0] == "already"
    assert noted(database) == {"fact-0": 0}


def test_what_went_on_into_a_later_epoch_is_counted_there_alone(tmp_path):
    store = open_database(tmp_path / "store.db")
    with store.write() as session:
        found(session, "S01", at=NOON)
        for id_ in ("reported", "late", "later"):
            append(session, id_, {"n": 1})
        before = this_node(session).epoch
        outbox.acknowledge(session, ["reported"], at=NOON)
        after = new_epoch(session)
        assert outbox.leave(session, "network", before) == 2
        both = [(before, 1, 3), (after, 0, 2)]
        for epoch, confirmed, written in both:
            assert outbox.confirmed(session, "network", epoch) == confirmed
            assert outbox.sent_head(session, "network", epoch)[0] == written


def test_a_node_is_heard_in_full_once_all_that_it_says_it_has_written_is_here(sender, tmp_path):
    database = open_database(tmp_path / "network.db")
    for message, is_all in zip(sent(sender)[:2], (False, True), strict=True):
        with database.write() as session:
            session.merge(Peer(id="S01", epoch="first", nonce="", heard_at=NOON))
            inbox.take(session, inbox.Arrival("S01", "first", [message], sent=2), note, at=NOON)
        with database.read() as session:
            for since, expected in ((NOON, is_all), (NOON + SECOND, False)):
                assert session.scalar(sa.select(inbox.heard_in_full("S01", since))) == expected


def test_a_content_that_does_not_fit_its_hash_is_parked(sender, tmp_path):
    database, first = open_database(tmp_path / "network.db"), sent(sender)[0]
    for _ in range(2):  # it is not taken either when it comes again as it was
        assert take(database, replace(first, body={"n": 5})) == ("parked", "the content does not match its hash")
    assert noted(database) == {}
    with database.write() as session:
        found(session, "network", at=NOON)
    assert take(database, first) == ("taken", None)
    with database.read() as session:
        (kept,) = session.scalars(sa.select(InboxMessage))
        assert inbox.inbox_message(kept).is_whole(), "what came whole is what is kept, for whoever has lost it"


@pytest.mark.parametrize("body", [{"refuse": True}, {}, {"n": None}])
def test_a_row_that_cannot_be_applied_is_parked_and_the_others_pass(tmp_path, body):
    store, database = open_database(tmp_path / "store.db"), open_database(tmp_path / "network.db")
    with store.write() as session:
        found(session, "S01", at=NOON)
        append(session, "bad", body)
        append(session, "good", {"n": 1})
    states = [take(database, message)[0] for message in sent(store)]
    assert states == ["parked", "taken"]
    assert noted(database) == {"good": 1}
    assert head(database)[:2] == (2, 2)
    with database.read() as session:
        assert session.get_one(InboxMessage, ("S01", "bad")).reason


def test_a_fact_leaves_the_queue_only_when_confirmed_and_a_refused_one_waits_for_a_person(tmp_path):
    store = begun(tmp_path, 3)
    with store.write() as session:
        assert [row.id for row in outbox.due(session, "network")] == ["fact-0", "fact-1", "fact-2"]
        outbox.acknowledge(session, ["fact-0"], at=NOON)
        outbox.mark_stuck(session, "fact-1", "not-now")
    with store.write() as session:
        assert [row.id for row in outbox.due(session, "network")] == ["fact-2"]
        waiting = outbox.waiting(session, "network")
        assert (waiting["pending"], waiting["stuck"], waiting["oldest"]) == (1, 1, NOON)
        outbox.send_again(Context(session, Actor.system("test", "S01"), NOON), "fact-1")
        assert outbox.rewind(session, "network", this_node(session).epoch, 0) == 1
    with store.read() as session:
        assert [row.id for row in outbox.due(session, "network")] == ["fact-0", "fact-1", "fact-2"]


def test_numbers_a_copy_has_used_are_given_anew_in_the_order_the_facts_were_made(tmp_path):
    store = begun(tmp_path, 3)
    with store.write() as session:
        outbox.acknowledge(session, ["fact-0"], at=NOON)
        outbox.mark_stuck(session, "fact-1", "not-now")
        middle = new_epoch(session)
        append(session, "newer", {"n": 1}, at=NOON + SECOND)
        assert outbox.renumber(session, ["newer"]) == 0, "the present epoch's are left"
        new_epoch(session)
        assert outbox.renumber(session, ["newer", "fact-2", "fact-1", "fact-0"]) == 3
        assert outbox.sent_head(session, "network", middle) == (1, outbox.chain(GENESIS, stored(session, "newer").hash))
        assert outbox.confirmed(session, "network", middle) == 0
    rows, chained = sent(store), GENESIS
    assert [(row.n, row.id) for row in rows] == [(1, "fact-1"), (2, "fact-2"), (3, "newer")]
    with store.read() as session:
        for row in rows:
            chained = outbox.chain(chained, row.hash)
            assert (stored(session, row.id).head, stored(session, row.id).state) == (chained, "pending")


def test_what_goes_on_into_an_epoch_follows_what_stands_there_whatever_was_read_of_it_before(tmp_path):
    store = open_database(tmp_path / "store.db")
    with store.write() as session:
        before = found(session, "S01", at=NOON).epoch
        append(session, "old", {"n": 0})
        now = new_epoch(session)
        append(session, "first", {"n": 1})
        assert outbox.sent_head(session, "network", now)[0] == 1
        append(session, "second", {"n": 2})
        assert outbox.leave(session, "network", before) == 1
    assert [(row.n, row.id) for row in sent(store)] == [(1, "first"), (2, "second"), (3, "old")]


def test_what_follows_another_end_of_the_chain_is_numbered_from_there_at_once(tmp_path):
    store = begun(tmp_path, 3)
    with store.write() as session:
        epoch = this_node(session).epoch
        assert outbox.follow(session, "network", epoch, 5, GENESIS) == 3
        chained = GENESIS
        for row, n in zip(outbox.after(session, "network", epoch, 5), (6, 7, 8), strict=True):
            chained = outbox.chain(chained, row.hash)
            assert (row.n, row.id, row.head) == (n, f"fact-{n - 6}", chained)
        assert outbox.sent_head(session, "network", epoch) == (8, chained)
        outbox.acknowledge(session, ["fact-2"], at=NOON)
        assert outbox.follow(session, "network", epoch, 7, GENESIS) == 0, "what it has confirmed is not undone"
        assert outbox.follow(session, "network", epoch, 8, chained) == 2, "it goes on after the last confirmed one"


def test_a_confirmed_message_is_remembered_once(tmp_path):
    store = begun(tmp_path, 1)
    message = sent(store)[0]
    with store.write() as session:
        epoch = this_node(session).epoch
        assert not outbox.remember(session, "network", epoch, message), "it is here"
        assert outbox.remember(session, "network", epoch, replace(message, id="fact-lost", n=2))
        assert stored(session, "fact-lost").state == "delivered"


def test_what_is_left_of_a_forgotten_message_is_told_as_it_lies_there(tmp_path):
    message = sent(begun(tmp_path, 1))[0]
    text = outbox.emptied(message.hash, {"n": 0})
    whole = message.id, message.topic, message.version, message.made_at, message.business_day
    assert outbox.text_fits(*whole, text, message.hash)
    assert not outbox.text_fits(*whole, text.replace('"n":0', '"n":1'), message.hash)


def stored(session, id: str) -> OutboxMessage:
    return session.get_one(OutboxMessage, id)


def test_however_much_goes_on_into_a_later_epoch_the_books_are_held_for_a_few_statements(tmp_path):
    store, asked = begun(tmp_path, 20), []
    with store.write() as session:
        before = this_node(session).epoch
        new_epoch(session)
    sa.event.listen(store.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    with store.write() as session:
        assert outbox.leave(session, "network", before) == 20
    assert len(asked) < 20
    assert [message.id for message in sent(store)] == [f"fact-{n}" for n in range(20)]


def test_a_batch_is_bounded_in_rows_and_bytes(tmp_path):
    store = begun(tmp_path, outbox.MAX_ROWS + 5)
    with store.read() as session:
        assert len(outbox.due(session, "network")) == outbox.MAX_ROWS
    with store.write() as session:
        outbox.acknowledge(session, [f"fact-{n}" for n in range(outbox.MAX_ROWS + 5)], at=NOON)
        for n in range(3):
            append(session, f"big-{n}", {"text": "x" * (outbox.MAX_BYTES // 2)})
    with store.read() as session:
        assert len(outbox.due(session, "network")) == 1


def test_a_batch_holds_what_fits_into_its_bytes_to_the_last_one(tmp_path):
    store = begun(tmp_path, 3)
    with store.write() as session:
        two = sum(len(stored(session, f"fact-{n}").body) for n in range(2))
        assert [len(outbox.due(session, "network", (), two + more)) for more in (-1, 0)] == [1, 2]


def test_of_a_refused_fact_the_newest_reason_is_kept_and_each_new_one_is_counted(tmp_path):
    store = open_database(tmp_path / "store.db")
    with store.write() as session:
        found(session, "S01", at=NOON)
        append(session, "fact", {"n": 1})
        for reason, attempts in (("not-now", 1), ("not-now", 1), ("bad-body", 2)):
            outbox.mark_stuck(session, "fact", reason)
            session.expire_all()
            row = stored(session, "fact")
            assert (row.state, row.reason, row.attempts) == ("stuck", reason, attempts)
        outbox.acknowledge(session, ["fact"], at=NOON)
        outbox.mark_stuck(session, "fact", "late")
        session.expire_all()
        assert (stored(session, "fact").state, stored(session, "fact").reason) == ("delivered", None)


def test_what_has_waited_longest_goes_first_whatever_numbers_its_epoch_has_reached(tmp_path):
    store = begun(tmp_path, 4)
    with store.write() as session:
        outbox.acknowledge(session, ["fact-0", "fact-1"], at=NOON)
        new_epoch(session)
        append(session, "new", {"n": 1})
        with unlocked(session):
            session.execute(sa.update(OutboxMessage).where(OutboxMessage.id == "new").values(made_at=NOON + SECOND))
    with store.read() as session:
        assert [row.id for row in outbox.due(session, "network")] == ["fact-2", "fact-3"]
        assert [row.id for row in outbox.due(session, "network", {"fact-2", "fact-3"})] == ["new"]
        assert outbox.waiting(session, "network")["oldest"] == NOON


def test_a_contact_looks_at_what_waits_and_not_at_all_that_was_ever_sent(tmp_path):
    def steps(sent: int) -> int:
        """Return how much SQLite does for the questions of a contact after so many facts."""
        store, done = open_database(tmp_path / f"{sent}.db"), []
        with store.write() as session:
            found(session, "S01", at=NOON)
            for n in range(sent):
                append(session, f"fact-{n}", {"n": n})
            outbox.acknowledge(session, [f"fact-{n}" for n in range(sent)], at=NOON)
            append(session, "last", {"n": 1})
        with store.read() as session:
            epoch = this_node(session).epoch
            (opened := session.connection().connection.dbapi_connection).set_progress_handler(lambda: done.append(1), 1)
            outbox.confirmed(session, "network", epoch)
            outbox.waiting(session, "network")
            outbox.due(session, "network")
            outbox.stuck(session, "network", 50)
            opened.set_progress_handler(None, 1)
        return len(done)

    assert steps(400) < 1.2 * steps(40)


def test_applying_all_again_reaches_every_taken_message(sender, tmp_path):
    database, seen = open_database(tmp_path / "network.db"), []
    messages = sent(sender)
    random.Random(3).shuffle(messages)
    for message in messages:
        take(database, message)
    with database.write() as session:
        assert reapply(session, lambda _, message: seen.append(message)) == FACTS
    assert sorted(seen, key=lambda m: m.n) == sent(sender)

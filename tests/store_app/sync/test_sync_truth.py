"""What a store says is held against what is known: its journal, its days, its sums, its copies."""

import datetime as dt
import json
import shutil

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy import text

import config.nodes.journal
from config.database import make_engine, refuse_unsafe
from config.errors import Invalid
from config.nodes import anchor, outbox, signing
from config.nodes.anchor import JournalDoubt
from config.nodes.journal import GENESIS, JournalEntry
from config.nodes.node import COPY_SPEAKS, EPOCH_BEGUN, WAIT_THERE, Peer, this_node
from config.nodes.outbox import Message, OutboxHead, hash_of
from config.nodes.signing import Signer
from pos.sold import Sale
from pos.store.store import give_key
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS, jobs_of
from store_app.node import verifying
from store_app.sync import receiver, restored, sender, signed
from store_app.web.pace import Pace
from tests import network_facts
from tests.network_facts import message, sales
from tests.store_app.conftest import KEY, NOON, STORE, House, post
from tests.store_app.sync.test_sync import append, arrived, copy, epoch, put_back, talk, topic

__all__ = ["topic"]
MINE = {"Authorization": f"Bearer {KEY}"}


def push(
    network: House, *messages: Message, key: str = KEY, signer: Signer | None = None, **changed: object
) -> httpx2.Response:
    body = network_facts.push(
        STORE, messages, epoch="e" * 8, signer=signer, **{"head": "", "from_n": 1, "count": len(messages), **changed}
    )
    raw, headers = json.dumps(body).encode(), {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if signer is not None:
        headers |= signed.headers_for(signer, "POST", "/api/sync/messages", raw)
    return network.visitor().post("/api/sync/messages", data=raw, headers=headers)


def doubts(network: House) -> list[str]:
    with network.doors.read() as session:
        return list(session.scalars(sa.select(JournalDoubt.what)))


def write_anew(house: House) -> None:
    """Change an old entry and chain all of them again, as who owns the database can."""
    with house.doors.write() as session:
        for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE journal_entry SET actor_name = 'nobody' WHERE n = 2"))
        before = GENESIS
        for entry in session.scalars(sa.select(JournalEntry).order_by(JournalEntry.n)).all():
            session.refresh(entry)
            before = config.nodes.journal._hash_of(entry, before)
            session.execute(text("UPDATE journal_entry SET hash = :h WHERE n = :n"), {"h": before, "n": entry.n})
        session.execute(text("UPDATE journal_head SET hash = :h"), {"h": before})


@pytest.mark.parametrize("proves", [None, 1])
def test_a_journal_written_anew_is_doubted_although_the_shop_forgets_which_end_it_owes(house, network, served, proves):
    append(house, 3)
    talk(house, served)
    talk(house, served)
    write_anew(house)
    with house.doors.write() as session:
        this_node(session).peer_journal_n = proves
    append(house, 1)
    assert talk(house, served).fault is None, "no fact waits for it"
    (what,) = doubts(network)
    assert "written again" in what or "journal differs from the last sync, and" in what
    operator = network.signed_in("operator")
    assert "has changed. Someone may have altered its books" in operator.get("/console/").text, "within one contact"
    assert "books changed?" in operator.get("/console/stores/").text
    assert "run Verify there" in operator.get(f"/console/stores/{STORE}").text
    assert post(operator, f"/console/stores/{STORE}/looked-into").status_code == 303
    assert "Needs a check" not in operator.get(f"/console/stores/{STORE}").text
    with network.doors.read() as session:
        assert anchor.doubts(session) == []


def test_lost_answers_are_no_reason_to_doubt_a_journal(house, network, served):
    class Deaf(httpx2.HTTPTransport):
        def handle_request(self, request):
            answer = super().handle_request(request)
            if request.method == "POST":
                answer.read()
                raise httpx2.ReadError("the line dropped", request=request)
            return answer

    append(house, 1)
    with httpx2.Client(base_url=served, headers=MINE, transport=Deaf()) as deaf:
        for _ in range(2):
            sender.contact(house.doors.database, house.doors.settings, deaf, house.clock)
            append(house, 1)
        talk(house, served)
        for _ in range(10):
            append(house, 1)
            sender.contact(house.doors.database, house.doors.settings, deaf, house.clock)
    append(house, 1)
    assert talk(house, served).fault is None
    assert doubts(network) == []


def test_that_a_copy_speaks_stands_until_a_person_has_seen_it(house, network, served, build, tmp_path):
    append(house, 2)
    talk(house, served)
    copy(house, tmp_path / "twin.db")
    settings = house.doors.settings.model_copy(update={"state_folder": tmp_path})
    shutil.copy(house.doors.settings.signing_key, settings.signing_key)
    twin = House(house.app, sender.Doors(_database(tmp_path / "twin.db"), house.clock, settings), house.clock)
    append(house, 1)
    talk(house, served)
    for n in range(15):
        talk((twin, house)[n % 2], served)
        with network.doors.read() as session:
            assert session.get_one(Peer, STORE).alarm == COPY_SPEAKS
    for said in (EPOCH_BEGUN, None):  # the store parts from the copy, which then speaks no more
        with network.doors.write() as session:
            session.get_one(Peer, STORE).alarm = None  # as the operator's page does
        talk(house, served)
        with network.doors.read() as session:
            assert session.get_one(Peer, STORE).alarm == said
    twin.doors.database.engine.dispose()


def test_a_sale_of_a_day_far_ahead_waits_for_that_day_and_is_then_taken_by_itself(network):
    ahead = NOON.date() + dt.timedelta(days=40)
    fact = next(sales(STORE, 1, day=ahead))
    sent = message(fact, 1)
    others = [message(one, n) for n, one in enumerate(sales(STORE, 2), 2)]
    answer = push(network, sent, *others).json
    assert [one["id"] for one in answer["parked"]] == [fact.id]
    assert "Check the store's clock" in answer["parked"][0]["reason"]
    assert len(answer["taken"]) == 2
    job = JOBS["new-day"]
    assert job.run(Desk(network.doors), NOON.date()) == "0 taken, 1 still wait"
    network.clock.advance(39 * 86_400)
    assert job.run(Desk(network.doors), ahead) == "1 taken, 0 still wait"
    with network.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 3


def test_a_sale_two_days_ahead_is_taken_and_a_shop_with_a_slow_clock_takes_what_the_network_says(network):
    ahead = NOON.date() + dt.timedelta(days=2)
    assert push(network, message(next(sales(STORE, 1, day=ahead)), 1)).json["parked"] == []
    reported = Message("m-1", 1, "noted", 1, NOON.isoformat(), "2027-01-01", {}, "")
    with network.doors.write() as session:
        receiver.effect_of("network", NOON)(session, reported)


def spoilt(kind):
    body = next(sales("S02", 1)).to_body()
    if kind == "total":
        body |= {"total_minor": -500_000}
    elif kind == "payments":
        body |= {"payments": []}
    elif kind == "lines":
        body["lines"] = [line | {"total_minor": -(10**9)} for line in body["lines"]]
    elif kind == "time":
        body |= {"completed_at": "2031-01-01T00:00:00+00:00"}
    elif kind == "tax":
        body |= {"tax_minor": body["tax_minor"] + 1}
    else:  # all of it agrees, and yet nothing came back
        sums = ("lines_minor", "total_minor", "tax_minor")
        body |= {name: -body[name] for name in sums}
        body["lines"] = [
            line | {name: -line[name] for name in ("total_minor", "net_minor", "tax_minor")} for line in body["lines"]
        ]
        body["payments"] = [one | {"amount_minor": -one["amount_minor"]} for one in body["payments"]]
    return body


@pytest.mark.parametrize("kind", ["total", "payments", "lines", "tax", "time", "nothing-back"])
def test_a_sale_that_contradicts_itself_is_set_aside_and_counted_nowhere(network, kind):
    with network.doors.write() as session:
        key = give_key(session, "S02", NOON)
    odd, good = (message(one, n) for n, one in enumerate(sales("S02", 2), 1))
    bare = Message(**vars(odd) | {"body": spoilt(kind)})
    odd = Message(**vars(bare) | {"hash": hash_of(bare, config.nodes.journal.canonical(bare.body))})
    answer = push(network, odd, good, key=key).json
    assert [one["id"] for one in answer["parked"]] == [odd.id]
    assert answer["parked"][0]["reason"].startswith("sale-contradicts: ")
    with network.doors.read() as session:
        assert session.scalars(sa.select(Sale.id)).all() == [good.id]


@pytest.mark.parametrize(
    "reported", [{"epochs": ["a\x00b"]}, {"stuck": ["a\x00b"]}, {"head": "\x00"}, {"stuck": ["x" * 81]}]
)
def test_a_push_with_a_sign_no_database_can_hold_is_refused_in_words(network, reported):
    answer = push(network, **reported)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad-push")


def test_a_shop_on_its_own_notices_a_database_put_back_by_hand(build):
    house = build(is_new=True)
    desk = Desk(house.doors)
    JOBS["send"].run(desk, NOON.date())
    copy(house, house.doors.settings.state_folder / "copy.db")
    append(house, 2)
    assert JOBS["send"].run(desk, NOON.date()) == "on its own"
    before = epoch(house)
    put_back(house)
    assert restored.restart_if_restored(house.doors)
    assert epoch(house) != before
    assert not restored.restart_if_restored(house.doors), "and only once"


def test_a_network_notices_books_put_back_while_it_runs_however_long_ago_it_started(network):
    assert JOBS["notice-restore"] in jobs_of(network.doors.settings)
    look, desk = JOBS["notice-restore"], Desk(network.doors)
    look.run(desk, NOON.date())
    append(network, 2, to_node=STORE)
    look.run(desk, NOON.date())
    copy(network, network.doors.settings.state_folder / "copy.db")
    append(network, 1, to_node=STORE)
    assert look.run(desk, NOON.date()) == "as they were"
    before = epoch(network)
    put_back(network)
    assert look.run(desk, NOON.date()) == "put back from a copy"
    assert epoch(network) != before


@pytest.mark.parametrize("is_noticed", [True, False])
def test_what_a_network_put_back_says_next_is_heard_although_it_had_used_those_numbers(
    house, network, served, is_noticed
):
    said = append(network, 3, to_node=STORE)
    talk(house, served)  # pulled, and not confirmed yet
    restored.keep_sidecar(network.doors)
    copy(network, network.doors.settings.state_folder / "copy.db")
    said += append(network, 2, to_node=STORE)
    restored.keep_sidecar(network.doors)
    talk(house, served)
    put_back(network)
    if is_noticed:
        assert restored.restart_if_restored(network.doors)
    said += append(network, 4, to_node=STORE)
    for _ in range(2):
        house.clock.advance(60)
        assert talk(house, served).fault is None
    said += append(network, 1, to_node=STORE)
    for _ in range(2):
        house.clock.advance(60)
        talk(house, served)
    assert sorted(arrived(house)) == sorted(said)
    with network.doors.read() as session:
        assert outbox.waiting(session, STORE)["pending"] == 0
        assert not (session.get_one(Peer, STORE).alarm or "").endswith(WAIT_THERE)


def test_a_shop_that_tells_of_a_chain_nobody_made_changes_its_own_numbers_alone(house, network, served):
    append(network, 3, to_node=STORE)
    append(network, 2, to_node="S02")
    for _ in range(2):
        talk(house, served)
    ours = epoch(network)

    def heads() -> list[tuple[str, int, str]]:
        with network.doors.read() as session:
            return [(row.to_node, row.n, row.head) for row in session.scalars(sa.select(OutboxHead))]

    before = heads()
    for n in (1, 2, 3):
        reported = [{"epoch": ours, "n": n, "head": "f" * 64}]
        assert push(network, have=reported, signer=signing.load(house.doors.settings.signing_key)).status_code == 200
    assert heads()[1:] == before[1:]
    append(network, 1, to_node=STORE)
    talk(house, served)
    assert len(arrived(house)) == 4


@pytest.mark.parametrize("content", ["[]", "{}", '{"epoch": 1}', "5", "rubbish", '{"epoch": "", "n": "1", "head": ""}'])
def test_a_damaged_sidecar_is_said_and_written_anew(house, content):
    sidecar = house.doors.settings.sidecar
    sidecar.write_text(content)
    assert any("next to the database is damaged" in fault for fault in verifying.verify(house.doors).faults)
    before = epoch(house)
    assert not restored.restart_if_restored(house.doors)
    assert epoch(house) == before
    assert verifying.verify(house.doors).faults == []
    with house.doors.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb)).all()
    assert verbs.count("sidecar.damaged") == 1


def test_what_a_shop_asks_in_a_minute_is_bounded_like_what_it_pushes(network):
    network.app.extensions["sync_asks"] = Pace(1, lambda: 10.0)
    visitor, places = network.visitor(), ("messages", "own", "publications", "journal", "publications/none")
    try:
        for where in places:
            assert visitor.get(f"/api/sync/{where}", headers=MINE).status_code in (200, 404)
        for where in places:
            answer = visitor.get(f"/api/sync/{where}", headers=MINE)
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "50")
        points = {"step": "query", "id": "x" * 10}
        asked = [visitor.post("/api/sync/points", json=points, headers=MINE).status_code for _ in range(2)]
        assert asked == [200, 429]
        reported = [visitor.post("/api/sync/forecast", json={}, headers=MINE).status_code for _ in range(2)]
        assert reported == [422, 429]
        assert push(network).status_code == 200, "pushes have a pace of their own"
    finally:
        network.app.extensions["sync_asks"] = Pace(10_000)


@pytest.mark.postgres
def test_a_postgresql_that_would_forget_what_it_confirmed_is_refused(postgres_database):
    engine = make_engine(postgres_database)
    refuse_unsafe(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off'))
    engine.dispose()
    with pytest.raises(Invalid, match="synchronous_commit is off, not on"):
        refuse_unsafe(engine)
    engine.dispose()


def _database(path):
    from config.database import Database

    return Database(make_engine(f"sqlite:///{path}"))

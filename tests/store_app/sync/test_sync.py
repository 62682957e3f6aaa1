"""Facts between a real store's database and a real network's server: each once, whatever the line does."""

import contextlib
import datetime as dt
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from config.errors import Refused
from config.ids import NETWORK, new_id
from config.nodes import journal, node, outbox, publication
from config.nodes.inbox import InboxAlarm, InboxMessage
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.node import Node, Peer
from config.nodes.outbox import Message, OutboxMessage
from config.nodes.publication import Publication
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.stock import recall, stock
from pos.stock.ledger import StockLevel
from pos.store.store import Store
from store_app.jobs import publishing
from store_app.sync import receiver, restored, sender
from store_app.web.pace import MINUTE_S, Pace
from supply import isolation
from supply.network import founding
from supply.network.recalls import recalls
from supply.orders.suppliers import Contact
from supply.sync import recovered
from tests.arriving import know
from tests.store_app.conftest import KEY, NOON, STORE, House

DAY = dt.date(2026, 3, 2)


def note(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Apply a fact the simplest real way: one journal entry; an odd one is refused."""
    if message.body.get("odd"):
        raise Refused("odd", "This fact cannot be meant.")
    actor = Actor.system("test", from_node)
    journal.record(Context(session, actor, at), verb="noted", subject=f"fact:{message.id}")


@pytest.fixture(autouse=True)
def topic(monkeypatch):
    know(monkeypatch, "noted", note)


def append(house: House, count: int = 1, to_node: str = NETWORK, **body: object) -> list[str]:
    """Write facts in transactions of their own."""
    made = []
    for n in range(count):
        fact_id = new_id()
        with house.doors.write() as session:
            fact = outbox.Outgoing(
                topic="noted", version=1, body={"n": n, **body}, id=fact_id, subject=f"fact:{fact_id}", business_day=DAY
            )
            outbox.append(session, fact, to_node=to_node, at=house.clock.now())
            actor = Actor.system("test", house.doors.settings.node_id)
            journal.record(Context(session, actor, house.clock.now()), verb="said", subject=f"fact:{fact_id}")
        made.append(fact_id)
    return made


def talk(house: House, address: str, key: str = KEY) -> sender.Contact:
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        return sender.contact(house.doors.database, house.doors.settings, client, house.clock)


def arrived(house: House) -> list[str]:
    """Return the subjects that were noted, with repetitions."""
    with house.doors.read() as session:
        return [
            subject.removeprefix("fact:")
            for subject in session.scalars(sa.select(JournalEntry.subject).where(JournalEntry.verb == "noted"))
        ]


def states(house: House) -> dict[str, int]:
    with house.doors.read() as session:
        rows = session.execute(sa.select(OutboxMessage.state, sa.func.count()).group_by(OutboxMessage.state))
        return dict(rows.all())


def epoch(house: House) -> str:
    with house.doors.read() as session:
        return node.this_node(session).epoch


def test_everything_that_waits_is_sent_once_and_confirmed(house, network, served):
    ids = append(house, 450)
    contact = talk(house, served)
    assert (contact.delivered, contact.fault) == (450, None)
    assert sorted(arrived(network)) == sorted(ids)
    assert states(house) == {"delivered": 450}
    assert talk(house, served).delivered == 0


def test_a_row_the_network_cannot_apply_waits_at_both_nodes_and_the_rest_pass(house, network, served):
    good = append(house, 2)
    append(house, 1, odd=True)
    good += append(house, 2)
    contact = talk(house, served)
    assert (contact.delivered, contact.parked) == (4, 1)
    assert sorted(arrived(network)) == sorted(good)
    assert states(house) == {"delivered": 4, "stuck": 1}
    with network.doors.read() as session:
        assert session.scalar(sa.select(InboxMessage.reason).where(InboxMessage.state == "parked")).startswith("odd:")


def test_a_lost_answer_changes_nothing_but_the_sender_s_patience(house, network, served):
    ids = append(house, 3)

    class Deaf(httpx2.HTTPTransport):
        def handle_request(self, request):
            super().handle_request(request).read()
            raise httpx2.ReadError("the line dropped", request=request)

    with httpx2.Client(base_url=served, headers={"Authorization": f"Bearer {KEY}"}, transport=Deaf()) as client:
        for _ in range(3):
            assert sender.contact(house.doors.database, house.doors.settings, client, house.clock).fault
    assert states(house) == {"pending": 3}
    before = epoch(house)
    assert talk(house, served).delivered == 3
    assert sorted(arrived(network)) == sorted(ids)
    assert epoch(house) == before, "a lost answer is no copy of the database"


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", "<html>Free WiFi</html>"),
        (200, "application/json", '{"ok": true}'),
        (302, "text/html", ""),
        (503, "text/plain", "busy"),
    ],
)
def test_only_an_answer_that_names_the_ids_confirms(house, status, kind, body):
    append(house, 2)

    def portal(request):
        return httpx2.Response(status, headers={"Content-Type": kind, "Location": "/login"}, text=body)

    with httpx2.Client(base_url="http://network", transport=httpx2.MockTransport(portal)) as client:
        contact = sender.contact(house.doors.database, house.doors.settings, client, house.clock)
    assert contact.fault
    assert states(house) == {"pending": 2}
    with house.doors.read() as session:
        assert session.scalars(sa.select(Node)).one().last_fault == contact.fault


def test_a_confirmation_with_another_hash_is_none(house, network, served):
    append(house, 1)

    class Liar(httpx2.HTTPTransport):
        def handle_request(self, request):
            answer = super().handle_request(request)
            body = json.loads(answer.read())
            for one in body.get("taken", []):
                one["hash"] = "0" * 64
            return httpx2.Response(200, json=body, request=request)

    with httpx2.Client(base_url=served, headers={"Authorization": f"Bearer {KEY}"}, transport=Liar()) as client:
        assert sender.contact(house.doors.database, house.doors.settings, client, house.clock).fault
    assert states(house) == {"pending": 1}


def test_a_withdrawn_key_pauses_and_keeps_the_queue(house, network, served):
    append(house, 2)
    contact = talk(house, served, key="another")
    assert contact.paused
    assert states(house) == {"pending": 2}


def test_the_store_is_who_its_key_says_whatever_the_body_claims(house, network, served):
    append(house, 1)
    talk(house, served)
    with network.doors.read() as session:
        assert session.scalars(sa.select(InboxMessage.from_node)).all() == [STORE]


def test_messages_of_the_network_arrive_once_and_are_confirmed_with_the_next_push(house, network, served):
    ids = append(network, 45, to_node=STORE)
    append(network, 1, to_node="S02")
    assert talk(house, served).pulled == 45
    assert talk(house, served).pulled == 0
    assert sorted(arrived(house)) == sorted(ids)
    with network.doors.read() as session:
        assert outbox.waiting(session, STORE)["pending"] == 0
        assert outbox.waiting(session, "S02")["pending"] == 1


def test_a_network_put_back_from_a_copy_is_repaired_by_the_stores(house, network, served):
    first = append(house, 3)
    talk(house, served)
    copy(network, network.doors.settings.state_folder / "copy.db")
    later = append(house, 4)
    talk(house, served)
    put_back(network)
    house.clock.advance(60)
    talk(house, served)
    assert sorted(arrived(network)) == sorted(first + later)
    assert talk(house, served).fault is None


def test_a_store_put_back_from_a_copy_begins_a_new_epoch_and_loses_nothing(house, network, served):
    append(house, 3)
    talk(house, served)
    copy(house, house.doors.settings.state_folder / "copy.db")
    append(house, 2)
    talk(house, served)
    old = epoch(house)
    put_back(house)
    assert restored.restart_if_restored(house.doors)
    assert epoch(house) != old
    fresh = append(house, 3)
    assert talk(house, served).fault is None
    assert set(fresh) <= set(arrived(network))
    assert len(arrived(network)) == 8
    with network.doors.read() as session:
        assert session.get(Peer, STORE).alarm == "began a new epoch"


def test_a_copy_that_speaks_beside_the_shop_raises_an_alarm_and_nothing_is_dropped(house, network, build, served):
    append(house, 2)
    talk(house, served)
    folder = house.doors.settings.state_folder.parent
    copy(house, folder / "twin.db")
    twin = House(house.app, sender.Doors(_database(folder / "twin.db"), house.clock, house.doors.settings), house.clock)
    for one in (house, twin, house, twin):
        append(one, 1)
        talk(one, served)
    for one in (house, twin):
        talk(one, served)
        assert states(one).get("pending", 0) == 0
    assert epoch(house) != epoch(twin)
    with network.doors.read() as session:
        alarms = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == "peer.alarm")).all()
        kept = session.scalar(sa.select(sa.func.count()).select_from(InboxAlarm))
    assert any("copy" in alarm for alarm in alarms)
    assert len(arrived(network)) + kept >= 6


def test_an_edition_of_a_network_put_back_is_taken_and_one_that_is_refused_spoils_no_contact(
    house, network, served, monkeypatch
):
    taken = []
    monkeypatch.setattr(sender, "effect_of_edition", lambda kind, sha256, at: lambda session, body: taken.append(body))
    for n in range(3):
        with network.doors.write() as session:
            publication.publish(session, "lessons", "*", {"n": n}, at=NOON)
        talk(house, served)
    with network.doors.write() as session:  # the copy knows the first version only
        session.execute(sa.delete(Publication))
        publication.publish(session, "lessons", "*", {"n": 7}, at=NOON)
    house.clock.advance(60)
    done = talk(house, served)
    assert done.fault is None
    assert len(done.refused) == 1
    with house.doors.read() as session:
        assert node.this_node(session).last_contact_at == house.clock.now()
    with network.doors.write() as session:
        recovered.after_a_restore(session, NETWORK, at=house.clock.now())
    assert talk(house, served).editions == ["lessons"]
    assert taken == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 7}]


def test_an_edition_is_taken_over_whole_and_only_when_it_is_newer(house, network, served, monkeypatch):
    taken = []
    monkeypatch.setattr(sender, "effect_of_edition", lambda kind, sha256, at: lambda session, body: taken.append(body))
    for body in ({"products": 1}, {"products": 2}):
        with network.doors.write() as session:
            publication.publish(session, "catalogue", STORE, body, at=NOON)
        assert talk(house, served).editions == ["catalogue"]
        assert talk(house, served).editions == []
    assert taken == [{"products": 1}, {"products": 2}]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"epoch": 5}', b"\x1f\x8b broken"])
def test_what_is_no_push_is_refused_with_a_sentence(network, raw):
    for encoding in ("", "gzip", "br"):
        answer = network.visitor().post(
            "/api/sync/messages", data=raw,
            headers={"Authorization": f"Bearer {KEY}", "Content-Encoding": encoding},
        )  # fmt: skip
        assert answer.status_code == 422
        assert answer.json["error"]["message"]


def test_after_faults_the_next_try_waits_longer_and_success_resets(house):
    line, now = sender.Line(), NOON
    waits = []
    for _ in range(12):
        line.note(sender.Contact(fault="gone"), now)
        waits.append((line.not_before - now).total_seconds())
    assert all(1 <= wait <= 300 for wait in waits)
    assert not line.may_try(now)
    assert line.may_try(now - dt.timedelta(days=365)), "a wait begun on a clock set back since is no wait for a year"
    line.note(sender.Contact(delivered=20, fault="gone"), now)
    assert (line.not_before - now).total_seconds() <= 2, "a bad line that lets some through is tried again soon"
    line.note(sender.Contact(), now)
    assert line.may_try(now)


def test_a_shop_that_tells_too_much_in_a_minute_is_asked_to_wait_and_loses_nothing(house, network, served):
    seconds = iter([10.0] * 3 + [70.0] * 3)
    network.app.extensions["sync_paces"] = Pace(1000), Pace(450, lambda: next(seconds))
    ids, line = append(house, 600), sender.Line()
    contact = talk(house, served)
    assert (contact.delivered, contact.paused, states(house)) == (400, False, {"delivered": 400, "pending": 200})
    assert contact.pause_s == MINUTE_S - 10
    line.note(contact, NOON)
    assert line.not_before > NOON + dt.timedelta(seconds=contact.pause_s), "so long as it was asked for"
    assert talk(house, served).delivered == 200
    assert sorted(arrived(network)) == sorted(ids)


def test_a_caller_has_its_minute_for_itself_and_a_call_larger_than_it_once():
    pace = Pace(3, lambda: 119.5)
    for _ in range(3):
        pace.take("a-store")
    with pytest.raises(TooManyRequests) as refused:
        pace.take("a-store")
    assert refused.value.retry_after == 1
    pace.take("another-shop", 200)
    with pytest.raises(TooManyRequests):
        pace.take("another-shop")


@pytest.mark.faults
def test_a_line_that_drops_doubles_and_lies_delivers_each_fact_once(house, network, served, shared_folder):
    tool = shared_folder / "tools" / "faults" / "flaky_proxy.py"
    if not tool.exists():
        pytest.skip("the proxy that misbehaves is not at hand")
    listen, control = free_port(), free_port()
    command = [sys.executable, tool, "--listen", str(listen), "--upstream", served, "--control", str(control)]
    proxy = subprocess.Popen([*command, "--seed", "7", "--max-seconds", "120"])
    try:
        wait_for(control)
        faults = ("drop_request", "drop_response", "duplicate", "replay", "cut_request", "cut_response", "captive")
        chances = dict.fromkeys([*faults, "error", "error_after"], 0.06)
        set_proxy(control, {**chances, "replay_after_s": 0.05})
        ids = []
        for _ in range(60):
            ids += append(house, 3)
            talk(house, f"http://127.0.0.1:{listen}")
        set_proxy(control, dict.fromkeys(chances, 0.0))
        contact = talk(house, f"http://127.0.0.1:{listen}")
    finally:
        proxy.terminate()
        proxy.wait(10)
    assert contact.fault is None
    assert states(house) == {"delivered": 180}
    assert sorted(arrived(network)) == sorted(ids)


def copy(one: House, target: Path) -> None:
    """Copy a node's database, as a backup does."""
    with contextlib.closing(sqlite3.connect(one.doors.database.engine.url.database)) as source:
        source.execute("VACUUM INTO ?", (str(target),))


def put_back(one: House) -> None:
    """Replace a node's database by its copy, as a person with a backup would."""
    engine = one.doors.database.engine
    engine.dispose()
    name = engine.url.database
    shutil.copy(one.doors.settings.state_folder / "copy.db", name)
    for end in ("-wal", "-shm"):
        (one.doors.settings.state_folder / (name.rsplit("/", 1)[1] + end)).unlink(missing_ok=True)


def _database(path):
    from config.database import Database, make_engine

    return Database(make_engine(f"sqlite:///{path}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError("the proxy did not start")


def set_proxy(port: int, wanted: dict[str, object]) -> None:
    body = json.dumps(wanted).encode()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/set", data=body), timeout=5).close()


def test_a_shop_that_got_recalled_goods_from_elsewhere_hears_of_it_in_the_contact_that_tells_of_them(
    house, network, served
):
    by = {"actor": Actor.system("test", NETWORK), "at": NOON}
    for node_of in (house, network):
        with node_of.doors.write() as session:
            session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
            session.flush()
            session.add(Product(sku="milk", name="Milk", category="Dairy", tax_class_id="food", search_text="milk"))
    with network.doors.write() as session:
        founding.found_warehouse(Context(session, **by), "WH1", Contact("Vehicle"))
        recalls.call(Context(session, **by), "milk", None, id="r1", why="Glass", called_by="", afterwards="destroy")
    talk(house, served)
    for times in (0, 1):
        with house.doors.write() as session:
            assert len(recall.in_force(session, STORE)) == times
            if not times:
                stock.open_stock(Context(session, **by), STORE, [("milk", 5)], source_id="x")
        assert talk(house, served).fault is None


def test_a_recall_that_trips_over_a_shop_s_row_refuses_nothing_of_what_the_shop_says(house, network, served):
    by = {"actor": Actor.system("test", NETWORK), "at": NOON}
    with network.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        session.flush()
        session.add(Product(sku="milk", name="Milk", category="Dairy", tax_class_id="food", search_text="milk"))
        founding.found_warehouse(Context(session, **by), "WH1", Contact("Vehicle"))
        recalls.call(Context(session, **by), "milk", None, id="r1", why="Glass", called_by="", afterwards="destroy")
        session.add(StockLevel(store_id=STORE, sku="milk", place="shelf", qty=3))
        mine = f"NEW.store_id = '{STORE}'"
        session.execute(
            sa.text(f"CREATE TRIGGER odd BEFORE INSERT ON recall WHEN {mine} BEGIN SELECT RAISE(ABORT, 'odd'); END")
        )
    append(house)
    assert talk(house, served).fault is None
    assert arrived(network)
    with network.doors.read() as session:
        assert [(one.store_id, one.work) for one in isolation.lately(session, at=NOON)] == [(STORE, "recalls")]


def test_what_was_told_of_a_product_before_the_catalogue_came_is_taken_with_it(house, network, served):
    by = {"actor": Actor.system("test", NETWORK), "at": NOON}
    with network.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        session.flush()
        session.add(Product(sku="milk", name="Milk", category="Dairy", tax_class_id="food", search_text="milk"))
        session.flush()
        session.add_all([StockLevel(store_id=STORE, sku="milk", place="shelf", qty=3)])
        session.add_all([Listing(store_id=STORE, sku="milk"), Price(sku="milk", from_day=DAY, price_minor=129)])
        session.flush()
        recalls.call(Context(session, **by), "milk", None, id="r1", why="Glass", called_by="", afterwards="destroy")
    for states in (["parked"], ["taken"]):
        assert talk(house, served).fault is None
        with house.doors.read() as session:
            reported = sa.select(InboxMessage.state).where(InboxMessage.topic == "recall.reported")
            assert session.scalars(reported).all() == states
            assert len(recall.in_force(session, STORE)) == states.count("taken")
        publishing.publish_all(network.doors, DAY)


def test_a_night_makes_what_the_shops_of_a_region_share_once(network):
    asked = []
    with network.doors.write() as session:
        session.execute(sa.update(Store).values(region_id="north", has_node=True))
        stores = session.scalar(sa.select(sa.func.count()).select_from(Store))
    sa.event.listen(network.doors.database.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    assert publishing.publish_all(network.doors, DAY) == stores > 1
    for what in ("school_holiday", "tax_class"):
        assert sum(f"FROM {what}" in one for one in asked) == 1, what


def test_what_is_published_for_a_shop_is_listed_at_a_contact_without_reading_it(network):
    with network.doors.write() as session:
        for scope in ("*", STORE):
            publication.publish(session, "catalogue", scope, {"for": scope}, at=network.doors.now())
    asked: list[str] = []
    sa.event.listen(network.doors.database.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    with network.doors.read() as session:
        (found,) = receiver.editions(session, STORE)
        assert found.scope_id == STORE
    assert sum("FROM publication" in one for one in asked) == 1
    assert not any("publication.body" in one for one in asked)

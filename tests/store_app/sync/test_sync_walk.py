"""Whatever the line does, whoever is put back from a copy or copied: every fact arrives once (I12, I15, I17, I18)."""

import contextlib
import datetime as dt
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.clock import FrozenClock
from config.database import Database, make_engine
from config.errors import Refused
from config.ids import NETWORK, new_id
from config.nodes import inbox, journal, outbox
from config.nodes.inbox import InboxHead, InboxMessage
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.node import Peer, this_node
from config.nodes.outbox import OutboxMessage
from config.settings import Settings
from store_app.runtime.doors import Doors
from store_app.sync import receiver, restored, sender, signing_key, wire
from tests.arriving import know
from tests.store_app.conftest import NOON, STORE

DAY = dt.date(2026, 3, 2)
FAULTS = ("drop_request", "drop_response", "duplicate", "replay", "portal")


def note(session, message, from_node, at) -> None:
    if message.body.get("odd") and not session.info.get("upgraded"):
        raise Refused("odd", "This fact cannot be meant.")
    journal.record(Context(session, Actor.system("test", from_node), at), verb="noted", subject=message.id)


@dataclass
class Line(httpx2.BaseTransport):
    """The way between a store and the network's receiver: each request may meet one fault."""

    network: Doors
    faults: list[str] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    most_bytes: int = 1_000_000
    """What is let through of a push, unpacked."""
    too_large: int = 0
    """How many pushes were not."""
    refused: str = ""
    """The id of a fact that the network refuses by name."""
    meanwhile: Callable[[], object] = bool
    """What happens at the store whenever a push is answered."""
    date: str = ""
    """When the network says that it answered."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "drop_request":
            raise httpx2.ConnectError("gone", request=request)
        if fault == "portal":
            return httpx2.Response(200, headers={"Content-Type": "text/html"}, text="<html>Hello</html>")
        raw = request.read()
        pushed = wire.unpack(raw, request.headers.get("Content-Encoding", "")) if raw else b""
        if len(pushed) > self.most_bytes:
            self.too_large += 1
            return httpx2.Response(413, headers={"Content-Type": "text/html"}, text="<html>No</html>")
        if self.refused and self.refused.encode() in pushed:
            reported = {"code": "unreadable", "message": "No.", "facts": {"rows": [self.refused]}}
            return httpx2.Response(422, json={"error": reported})
        if fault == "replay" and self.kept:
            self._answer("POST", "/api/sync/messages", self.kept[0], {})
        path, given = request.url.path, request.url.params
        if fault == "duplicate":
            self._answer(request.method, path, raw, request.headers, given)
        answer = self._answer(request.method, path, raw, request.headers, given)
        if fault == "drop_response":
            raise httpx2.ReadError("gone", request=request)
        if pushed:
            self.meanwhile()
        return httpx2.Response(200, json=answer, request=request, headers={"Date": self.date})

    def _answer(self, method, path, raw, headers, given=None) -> dict:
        at = self.network.now()
        if method == "POST":
            body = wire.unpack(raw, headers.get("Content-Encoding", ""))
            self.kept.append(body)
            with self.network.write() as session:
                return receiver.take(session, STORE, wire.Push.model_validate_json(body), at=at)
        with self.network.read() as session:
            if path.endswith("/publications"):
                return {"incarnation": this_node(session).epoch, "editions": []}
            have = dict(zip(given.get_list("epoch"), map(int, given.get_list("after_n")), strict=True))
            if path.endswith("/own"):
                return receiver.own_facts(session, STORE, have)
            return receiver.hand_over(session, STORE, have, given.get("mine", ""))


@dataclass
class World:
    """A network, a store, perhaps a copy of it, and what was ever said."""

    folder: Path
    network: Doors
    stores: list[Doors]
    clock: FrozenClock
    said: set[str] = field(default_factory=set)
    line: Line | None = None
    """The way of the last contact."""
    copies: dict[str, Path] = field(default_factory=dict)
    is_unsure: bool = False
    """A store was put back without anything that tells it: it may as well be a second one."""

    def doors(self, node_id: str, path: Path) -> Doors:
        given = Settings(
            role="network" if node_id == NETWORK else "store", node_id=node_id, state_folder=path.parent,
            database_url=f"sqlite:///{path}", practice=True,
        )  # fmt: skip
        return Doors(Database(make_engine(given.database_url)), self.clock, given)

    def say(self, store: Doors, count: int = 1, *, odd: bool = False, size: int = 0) -> list[str]:
        ids = [new_id() for _ in range(count)]
        for id_ in ids:
            with store.write() as session:
                outgoing = outbox.Outgoing(
                    topic="noted",
                    version=1,
                    body={"odd": odd, "text": "x" * size},
                    id=id_,
                    subject=id_,
                    business_day=DAY,
                )
                outbox.append(session, outgoing, to_node=NETWORK, at=self.clock.now())
                actor = Actor.system("test", STORE)
                journal.record(Context(session, actor, self.clock.now()), verb="said", subject=id_)
        self.said.update(ids)
        return ids

    def talk(self, store: Doors, *faults: str, **wishes: Any) -> sender.Contact:
        self.clock.advance(1)
        self.line = Line(self.network, list(faults), **wishes)
        with httpx2.Client(base_url="http://network", transport=self.line) as client:
            return sender.contact(store.database, store.settings, client, self.clock)

    def copy(self, doors: Doors, name: str) -> None:
        path = self.folder / f"{name}.copy"
        path.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(doors.database.engine.url.database)) as source:
            source.execute("VACUUM INTO ?", (str(path),))
        self.copies[name] = path

    def put_back(self, doors: Doors, name: str, *, with_sidecar: bool) -> None:
        """Replace a database by its copy; what it alone knew since is gone."""
        if name not in self.copies:
            return
        doors.database.engine.dispose()
        file = Path(doors.database.engine.url.database)
        for end in ("-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        shutil.copy(self.copies[name], file)
        if not with_sidecar:
            doors.settings.sidecar.unlink(missing_ok=True)
        restored.restart_if_restored(doors)

    def clone(self) -> None:
        if len(self.stores) > 1:
            return
        self.copy(self.stores[0], "twin")
        (self.folder / "twin").mkdir()
        signing_key.present(self.stores[0])  # whoever copies a disk copies the key on it
        key = self.stores[0].settings.signing_key
        shutil.copy(key, self.folder / "twin" / key.name)
        shutil.copy(self.copies["twin"], self.folder / "twin" / "store.db")
        self.stores.append(self.doors(STORE, self.folder / "twin" / "store.db"))

    def heal(self) -> None:
        """Talk until nobody has anything to say; a handful of contacts must do."""
        for _ in range(12):
            contacts = [self.talk(store) for store in self.stores]
            if not any(one.delivered or one.parked or one.rewound or one.fault for one in contacts):
                return
        raise AssertionError("the nodes never come to rest")

    def written(self) -> set[str]:
        ids: set[str] = set()
        for store in self.stores:
            with store.read() as session:
                ids |= set(session.scalars(sa.select(OutboxMessage.id)))
        return ids

    def noted(self) -> Counter[str]:
        with self.network.read() as session:
            return Counter(session.scalars(sa.select(JournalEntry.subject).where(JournalEntry.verb == "noted")))

    def close(self) -> None:
        for doors in (self.network, *self.stores):
            doors.database.engine.dispose()


@pytest.fixture(autouse=True)
def topic(monkeypatch):
    know(monkeypatch, "noted", note)


@pytest.fixture
def worlds(founded, tmp_path_factory):
    """Give a maker of worlds, each in a folder of its own, closed at its end."""

    @contextlib.contextmanager
    def make() -> Iterator[World]:
        folder, clock = tmp_path_factory.mktemp("world"), FrozenClock(NOON)
        world = World(folder, None, [], clock)  # type: ignore[arg-type]
        for name, role, node_id in (("network", "network", NETWORK), ("store", "store", STORE)):
            (folder / name).mkdir()
            shutil.copy(founded(role, node_id), folder / name / f"{name}.db")
            doors = world.doors(node_id, folder / name / f"{name}.db")
            restored.keep_sidecar(doors)
            if role == "network":
                world.network = doors
            else:
                world.stores.append(doors)
        try:
            yield world
        finally:
            world.close()

    return make


line = st.lists(st.sampled_from(FAULTS), max_size=4)
step = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 1), st.integers(1, 4)),
    st.tuples(st.just("talk"), st.integers(0, 1), line),
    st.tuples(st.just("copy network"), st.just(0), st.none()),
    st.tuples(st.just("copy store"), st.just(0), st.none()),
    st.tuples(st.just("network back"), st.just(0), st.booleans()),
    st.tuples(st.just("store back"), st.just(0), st.booleans()),
    st.tuples(st.just("clone"), st.just(0), st.none()),
)


def walk(world: World, steps) -> None:
    for kind, which, given_ in steps:
        store = world.stores[min(which, len(world.stores) - 1)]
        match kind:
            case "say":
                world.say(store, given_)
            case "talk":
                world.talk(store, *given_)
            case "copy network":
                world.copy(world.network, "network")
            case "copy store":
                world.copy(world.stores[0], "store")
            case "network back":
                world.put_back(world.network, "network", with_sidecar=given_)
            case "store back":
                world.is_unsure |= not given_
                world.put_back(world.stores[0], "store", with_sidecar=given_)
            case "clone":
                world.clone()


@settings(max_examples=25)
@given(steps=st.lists(step, min_size=4, max_size=14))
def test_after_any_walk_of_faults_copies_and_restores_each_fact_is_there_once(worlds, steps):
    with worlds() as world:
        walk(world, steps)
        world.heal()
        noted = world.noted()
        assert set(noted.values()) <= {1}, "applied twice"
        assert world.written() <= set(noted), "a fact its store still has is not at the network"
        if len(world.stores) == 1 and not world.is_unsure:
            assert world.written() == set(noted), "a fact its store has lost did not come home"
        for store in world.stores:
            with store.read() as session:
                assert set(session.scalars(sa.select(OutboxMessage.state))) <= {"delivered"}


@settings(max_examples=8)
@given(sizes=st.lists(st.sampled_from([0, 200, 4_000, 30_000, 70_000]), min_size=1, max_size=9))
def test_facts_too_large_for_the_line_wait_alone_and_all_the_others_arrive_once(worlds, sizes):
    narrow = 20_000
    with worlds() as world:
        (store,) = world.stores
        ids = {id_: size for size in sizes for id_ in world.say(store, size=size)}
        large = {id_ for id_, size in ids.items() if size > narrow}
        contact = world.talk(store, most_bytes=narrow)
        assert set(world.noted()) == ids.keys() - large
        is_known = bool(ids.keys() - large)
        assert (contact.delivered, contact.parked) == (len(ids) - len(large), len(large) * is_known)
        assert bool(contact.fault) == (not is_known), "where all are too large the line may be to blame"
        with store.read() as session:
            waits = session.execute(sa.select(OutboxMessage.id, OutboxMessage.state, OutboxMessage.reason)).all()
        expected = ("stuck", wire.TOO_LARGE) if is_known else ("pending", None)
        assert {row.id: (row.state, row.reason) for row in waits if row.state != "delivered"} == dict.fromkeys(
            large, expected
        )
        for id_ in large if is_known else ():
            with store.write() as session:
                outbox.send_again(Context(session, Actor.system("test", STORE), world.clock.now()), id_)
        world.heal()
        assert world.noted() == Counter(dict.fromkeys(world.said, 1)), "a wider line takes them all"


def test_a_line_too_narrow_for_any_fact_parks_none_and_is_given_up_after_few_tries(worlds):
    with worlds() as world:
        world.say(world.stores[0], 60, size=2_000)
        contact = world.talk(world.stores[0], most_bytes=1_500)
        assert (contact.delivered, contact.parked, contact.fault) == (0, 0, wire.TOO_LARGE)
        assert world.line.too_large < 12


def test_a_shop_that_sells_without_a_pause_hears_the_network_all_the_same(worlds):
    with worlds() as world:
        (store,) = world.stores
        sales = iter(range(5))

        def sell() -> None:
            world.clock.advance(1)
            world.say(store, int(next(sales, None) is not None))

        world.say(store, 3)
        contact = world.talk(store, meanwhile=sell)
        assert (contact.delivered, contact.fault) == (3, None)
        assert world.talk(store).delivered == 1


def test_a_contact_brings_all_that_was_written_before_it_though_the_clock_was_set_back_since(worlds):
    with worlds() as world:
        (store,) = world.stores
        world.clock.advance(86_400)
        world.say(store, 4, size=outbox.MAX_BYTES // 2)
        world.clock.advance(-86_400)
        world.say(store)
        assert world.talk(store).delivered == 5


def test_a_contact_is_dated_no_later_than_the_network_says_that_it_was(worlds):
    with worlds() as world:
        world.talk(world.stores[0], date="Mon, 02 Mar 2026 08:00:00 GMT")
        with world.stores[0].read() as session:
            assert this_node(session).last_contact_at == dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


def test_a_line_that_lets_not_even_an_empty_push_through_is_at_fault_and_parks_nothing(worlds):
    with worlds() as world:
        contact = world.talk(world.stores[0], most_bytes=10)
        assert (contact.fault, contact.parked) == (wire.TOO_LARGE, 0)


def test_a_fact_the_network_refuses_by_name_proves_the_line_and_is_asked_about_once_a_contact(worlds):
    with worlds() as world:
        (store,) = world.stores
        (odd,), (large,) = world.say(store), world.say(store, size=30_000)
        contact = world.talk(store, most_bytes=20_000, refused=odd)
        assert (contact.fault, contact.parked) == (None, 1)
        with store.read() as session:
            waits = {row.id: (row.state, row.attempts) for row in session.scalars(sa.select(OutboxMessage))}
        assert waits == {odd: ("pending", 1), large: ("stuck", 1)}


def test_what_alone_is_too_large_holds_back_nothing_the_network_has_for_the_shop(worlds):
    with worlds() as world:
        world.say(world.stores[0], size=30_000)
        with world.network.write() as session:
            fact = outbox.Outgoing(topic="noted", version=1, body={}, id="for-the-store", subject="x", business_day=DAY)
            outbox.append(session, fact, to_node=STORE, at=world.clock.now())
        contact = world.talk(world.stores[0], most_bytes=20_000)
        assert (contact.pulled, contact.parked, contact.fault) == (1, 0, wire.TOO_LARGE)


def test_what_a_copy_had_confirmed_before_the_network_was_put_back_is_sent_again_though_its_numbers_are_taken(worlds):
    with worlds() as world:
        (store,) = world.stores
        world.say(store, 2)
        world.copy(world.network, "network")
        world.clone()
        world.say(store, 3)
        world.say(world.stores[1])
        world.talk(world.stores[1])
        world.put_back(world.network, "network", with_sidecar=False)  # nothing tells anybody
        world.heal()
        assert set(world.noted()) == world.written() == world.said


def test_a_clone_is_told_apart_its_sales_get_new_numbers_and_the_operator_hears_of_it(worlds):
    with worlds() as world:
        world.say(world.stores[0], 3)
        world.talk(world.stores[0])
        world.clone()
        for store in world.stores:
            world.say(store, 5)
        world.heal()
        assert world.noted() == Counter(dict.fromkeys(world.said, 1))
        epochs = set()
        for store in world.stores:
            with store.read() as session:
                epochs.add(this_node(session).epoch)
        assert len(epochs) == 2
        with world.network.read() as session:
            assert session.get_one(Peer, STORE).alarm
            assert "peer.alarm" in session.scalars(sa.select(JournalEntry.verb)).all()


def test_the_network_says_how_many_facts_are_still_on_their_way(worlds):
    with worlds() as world:
        world.say(world.stores[0], 450)
        world.talk(world.stores[0], "", "", "drop_request")
        with world.network.read() as session:
            head = session.scalars(sa.select(InboxHead)).one()
            assert (head.count, head.sent) == (200, 450)
        world.heal()
        with world.network.read() as session:
            head = session.scalars(sa.select(InboxHead)).one()
            assert (head.count, head.sent) == (450, 450)


def test_a_network_that_lost_an_old_epoch_s_facts_gets_them_again_from_the_next_contact(worlds):
    with worlds() as world:
        store = world.stores[0]
        world.say(store, 3)
        world.copy(world.network, "network")
        world.talk(store)
        with store.write() as session:
            restored.new_epoch(session, STORE, "as after a restore", store)
        world.say(store, 2)
        world.talk(store)
        world.put_back(world.network, "network", with_sidecar=False)
        world.talk(store)
        world.heal()
        assert world.noted() == Counter(dict.fromkeys(world.said, 1))


def test_what_was_set_aside_is_taken_after_an_upgrade_and_the_store_hears_of_it(worlds):
    with worlds() as world:
        store = world.stores[0]
        world.say(store, 1, odd=True)
        world.say(store, 2)
        world.talk(store)
        with world.network.write() as session:
            assert inbox.try_parked(session, STORE, receiver.effect_of(STORE, NOON)) == (0, 1)
        with world.network.write() as session:
            session.info["upgraded"] = True
            assert inbox.try_parked(session, STORE, receiver.effect_of(STORE, NOON)) == (1, 0)
        world.talk(store)
        with store.read() as session:
            assert set(session.scalars(sa.select(OutboxMessage.state))) == {"delivered"}
        with world.network.read() as session:
            assert set(session.scalars(sa.select(InboxMessage.state))) == {"taken"}
        assert world.noted() == Counter(dict.fromkeys(world.said, 1))


@pytest.mark.parametrize("older", ["protocol", "epochs", "stuck", "seal"])
def test_a_store_of_an_older_version_is_understood(worlds, older):
    with worlds() as world:
        world.say(world.stores[0], 2)
        talk = sender._Talk(world.stores[0], None)
        talk.signer = signing_key.present(world.stores[0])
        with world.stores[0].read() as session:
            body = talk._body(session, this_node(session).epoch, outbox.due(session, NETWORK))
        del body[older]
        with world.network.write() as session:
            answer = receiver.take(session, STORE, wire.Push.model_validate(body), at=NOON)
        assert len(answer["taken"]) == 2
        assert answer["protocol"] <= wire.PROTOCOL

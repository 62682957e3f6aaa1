"""A store whose keys an attacker holds for a day: whatever it reports, no other store's books move, and it is named.

The facts are generated from a seed, over every topic the network knows: true ones that stores sent in a day of trade,
and shapes the appliers themselves ask for, then spoilt.
"""

import contextlib
import copy
import dataclasses
import datetime as dt
import hashlib
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Base
from config.errors import DomainError
from config.ids import NETWORK
from config.nodes import facts, outbox, signing_keys
from config.nodes.facts import FACTS
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context, canonical
from config.nodes.node import EPOCH_BEGUN, KEY_MISUSED, Peer
from config.nodes.outbox import Message, OutboxMessage
from config.nodes.signing import Signer
from pos.facts import SaleCompleted
from pos.store.store import Store, StoreKey, Till
from store_app.sync import receiver, signed, wire
from store_app.web import staff
from supply.demand import day_reports, plausibility, rollups
from supply.money import escrow, ledger
from supply.money.held_payments import Escrow
from supply.money.points import PointsLink
from supply.network.warehouse import allocation
from supply.online.checkout import placing
from supply.orders.transfers import Transfer
from supply.replenishment import stockouts
from tests.empty import database_from, made_once
from tests.faults.adversary.test_hostile_store_sales import counted_stock
from tests.faults.adversary.test_hostile_store_sales import fact as sold
from tests.network_facts import push
from tests.store_app.house import House, open_house
from tests.supply import online_store
from tests.supply.money.test_money_walk import Walk
from tests.supply.money.test_shared_points import Street
from tests.supply.receiving.test_consignment import bring, sell
from tests.supply.road import AT, DAY, OPERATOR, Country, make_country

ROGUE, OTHERS = "S1", ("S2", "S3", "S4")
SOLD = ("bread", "milk")
KEY, PAST_DAYS = "a-key-of-the-first-store", 30
NOW = AT + dt.timedelta(hours=10)
EPOCH, PUBLISHED = "epoch-of-the-thief", "storefront.published"
SPEAKERS = ("store_id", "from_node", "to_node", "node_id", "giver_id", "taker_id", "owner_id", "owner")
"""Columns that name whose a row is."""
OF_THE_NETWORK = {"journal_entry", "journal_head"}
"""Books of the network's own that every fact is written in, whoever sends it."""
WALK = (
    ("order", 3), ("order_on_credit", 2), ("order", 1), ("carry", 1), ("send_out", 1), ("carry", 1), ("take_in", 1),
    ("take_in", 4), ("carry", 1), ("complain", 1), ("complain", 3), ("carry", 1), ("answer", 2), ("carry", 1),
    ("send_back", 0), ("online", 3), ("online", 2), ("pass_on", 1), ("ask_advance", 2), ("order", 2), ("carry", 1),
    ("call_off", 0), ("pay", 3), ("part", 1), ("carry", 1),
)  # fmt: skip
"""What the rogue's store and the network did before, as `Walk` names it: there are true facts of each to spoil."""


@dataclass
class Trade:
    """A network's node in front of an attacker, and what was true before."""

    house: House
    signer: Signer
    true: dict[str, list[dict[str, Any]]]
    operator: Any
    before: dict[str, Counter[tuple[Any, ...]]] = field(default_factory=dict)
    money: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """Return every row of every table that is not the rogue's own."""
        found = {}
        with self.house.doors.read() as session:
            theirs = sa.select(PointsLink.member_id).where(PointsLink.store_id != ROGUE)
            members = sa.select(PointsLink.member_id).where(PointsLink.member_id.not_in(theirs))
            paid = sa.select(Escrow.id).where(Escrow.store_id == ROGUE)
            own = {"points_member": {*session.scalars(members)}, "escrow_entry": {*session.scalars(paid)}}
        with self.house.doors.database.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                rows = connection.execute(table.select()).mappings().all()
                found[table.name] = Counter(
                    repr(sorted(row.items()))
                    for row in rows
                    if not is_rogues(table.name, dict(row), own.get(table.name, ()))
                )
        return found

    def sums(self) -> dict[str, Any]:
        """Return the money of each other store, and of all customers' payments kept for them."""
        with self.house.doors.read() as session:
            kept = sa.select(Escrow.store_id, Escrow.id).where(Escrow.store_id != ROGUE)
            return {
                "ledgers": {store: ledger.balances(session, store) for store in OTHERS},
                "escrow": {id_: escrow.balance(session, id_) for _store, id_ in session.execute(kept)},
            }

    def shares(self) -> dict[str, dict[str, float]]:
        """Return what of each store's sales counts where a product is scarce: product -> store -> units a day."""
        found: dict[str, dict[str, float]] = {sku: {} for sku in SOLD}
        with self.house.doors.read() as session:
            rates = stockouts.rates(session, DAY + dt.timedelta(days=1), skus=set(SOLD), by_their_word=False)
            for (store_id, sku), per_day in allocation.counted(session, rates).items():
                found[sku][store_id] = per_day
        return found

    def ask(self, method: str, path: str, body: dict[str, Any], *, bearer: str = KEY, signer: Signer | None = None):
        raw = json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        if signer is not None:
            headers |= signed.headers_for(signer, method, path, raw)
        return self.house.visitor().open(path, method=method, data=raw, headers=headers)

    def send(self, facts: list[Message], *, bearer: str = KEY, signer: Signer | None = None, epoch: str = EPOCH):
        body = push(ROGUE, facts, epoch=epoch, signer=signer)
        return self.ask("POST", "/api/sync/messages", body, bearer=bearer, signer=signer)


def is_rogues(table: str, row: dict[str, Any], own: Collection[str]) -> bool:
    """Return whether a row is the rogue's alone: it names the rogue and no other store, or is of one of its own."""
    if own:
        return row.get("escrow_id", row.get("id")) in own
    if table in ("store", "peer"):
        return bool(row["id"] == ROGUE)
    named = {row[name] for name in SPEAKERS if row.get(name)} - {NETWORK}
    return named == {ROGUE} or (not named and table in OF_THE_NETWORK)


# --- what was true before ---


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Signer, dict[str, list[dict[str, Any]]]]:
    """Give the database of a network of four stores with books of every kind, the rogue's key, and true facts."""
    folder = tmp_path_factory.mktemp("made")
    with made_once():
        country = make_country(folder / "country")
        bring(country)
        sell(country, 3, "sale-00001")
        street = Street(country, agreed=False)
        for store, who in ((ROGUE, 0), ("S2", 1)):
            street.agree(store, who)
            street.sell(store, who, 2_000)
        walk = Walk(country, 0, dt.timedelta(0))
        for what, size in WALK:
            with contextlib.suppress(DomainError):
                getattr(walk, what)(size)
        country.order("S2", {"bread": 1, "milk": 2}, id="order-of-S2")
        country.deliver()
        true = _reported(country)
        _found_the_rest(country)
        _go_online(country, folder, true)
        _sell_for_a_month(country)
        with country.network.write() as session:
            session.add(StoreKey(sha256=hashlib.sha256(KEY.encode()).hexdigest(), store_id=ROGUE, made_at=AT))
            pin = staff.PRACTICE_PINS["operator"]
            staff.add(Context(session, OPERATOR, AT), NETWORK, "operator", "operator", pin, weak=True)
    return folder / "country" / f"{NETWORK}.db", Signer.make(), true


@pytest.fixture
def trade(made, tmp_path) -> Iterator[Trade]:
    """Give that network's node in front of the attacker."""
    file, signer, true = made
    url = database_from(file, tmp_path / "network.db").engine.url.render_as_string(hide_password=False)
    house = open_house(tmp_path / "node", NOW, role="network", node_id=NETWORK, database_url=url)
    given = Trade(house, signer, true, house.signed_in("operator"))
    assert given.send([], signer=signer, epoch="epoch-of-the-store").status_code == 200, "the store speaks, and signs"
    with house.doors.write() as session:
        rollups.roll_fresh(session, at=house.clock.now(), most=100_000)
        plausibility.refresh(session, DAY)
    given.before, given.money = given.rows(), given.sums()
    yield given
    house.doors.database.engine.dispose()


def _found_the_rest(country: Country) -> None:
    with country.network.write() as session:
        for store_id in OTHERS[1:]:
            session.add(
                Store(id=store_id, name=f"Store {store_id}", slug=store_id.lower(), region_id="R1", currency="EUR",
                      tz="UTC", joined_at=AT)
            )  # fmt: skip
            session.flush()
            session.add(Till(store_id=store_id, id="T1", name="Till 1"))
        row = {
            "giver_name": "B", "taker_name": "C", "metres": 1, "state": "agreed", "proposed_at": AT, "answer_by": DAY,
            "fetch_by": DAY, "giver_minor": 1, "taker_minor": 1, "giver_yes": True, "taker_yes": True, "why": "",
            "declined_by": "", "code_hash": "", "cost_minor": 5,
        }  # fmt: skip
        session.add_all(
            [Transfer(id="theirs", giver_id="S2", taker_id="S3", **row),
             Transfer(id="given", giver_id=ROGUE, taker_id="S2", **row)]
        )  # fmt: skip


def _reported(country: Country) -> dict[str, list[dict[str, Any]]]:
    """Return what stores and the network told each other, by topic."""
    true: dict[str, list[dict[str, Any]]] = {}
    for database in country.nodes().values():
        with database.read() as session:
            for row in session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.n)):
                true.setdefault(row.topic, []).append(outbox.to_wire(row)["body"])
    true["stock.counted"] = [counted_stock(12).body | {"sku": "bread"}]
    sums = dict.fromkeys(day_reports.SUMS, 7) | {"listed": 40}
    true[day_reports.DayReported.TOPIC] = [
        {"store_id": ROGUE, "business_day": DAY.isoformat(), "reported_at": AT.isoformat(), **sums}
    ]
    return true


def _go_online(country: Country, folder: Any, true: dict[str, list[dict[str, Any]]]) -> None:
    """Let two stores sell online, and customers have paid them."""
    town = online_store.make_town(folder / "town")
    town.open_till()
    town.deliver()
    placed = town.ready_order("order-in-town", [("bread", 2)])
    town.collect(placed.code, "sale-in-town", 500)
    for database in (town.network, town.store):
        with database.read() as session:
            for row in session.scalars(sa.select(OutboxMessage)):
                body = json.loads(canonical(outbox.to_wire(row)["body"]).replace(online_store.STORE, ROGUE))
                true.setdefault(row.topic, []).append(body)
    for store_id in (ROGUE, "S2"):
        (shown,) = true[PUBLISHED][:1]
        body = json.loads(canonical(shown).replace(f'"{ROGUE}"', f'"{store_id}"'))
        with country.network.write() as session:
            bare = Message(f"shown-{store_id}", 1, PUBLISHED, 1, "", DAY.isoformat(), body, "")
            facts.apply(session, bare, store_id, AT)
            for n in range(3):
                key = f"online-{store_id}-{n}"
                asked = placing.OrderRequest(id=key, name="Li Wei", phone=f"+1 213 555 010{n}", lines=[("milk", 1 + n)])
                placing.place(session, store_id, asked, at=AT)
                row = escrow.open_for(
                    Context(session, OPERATOR, AT),
                    f"paid-{key}",
                    store_id,
                    "pickup",
                    129 * (1 + n),
                    currency="EUR",
                    provider="practice",
                )
                escrow.settle_outcome(Context(session, OPERATOR, AT), row.id, escrow.Outcome("captured"))


def _sell_for_a_month(country: Country) -> None:
    for store_id in (ROGUE, *OTHERS):
        days = [DAY - dt.timedelta(days=back) for back in range(PAST_DAYS, 0, -1)]
        some = [sold(12, sku=sku, day=day, store_id=store_id) for day in days for sku in SOLD]
        rows = [wire.Row(**vars(one)) for one in some]
        reported = wire.Push(protocol=wire.PROTOCOL, speaking=f"epoch-{store_id}", epoch=f"epoch-{store_id}", from_n=0,
                         count=max(row.n for row in rows), head="0" * 64, rows=rows)  # fmt: skip
        with country.network.write() as session:
            assert not receiver.take(session, store_id, reported, at=AT)["parked"]


# --- the attacker ---


class Asked(dict):
    """A body that answers whatever an applier asks of it, by the name of what it asks for."""

    def __init__(self, guess) -> None:
        super().__init__()
        self._guess = guess

    def __missing__(self, key):
        value = self[key] = self._guess(key)
        return value

    def get(self, key, default=None):
        return self[key]


class Attacker:
    """Facts of every topic from a seed."""

    def __init__(self, trade: Trade, seed: int) -> None:
        self.trade, self.chance, self.n, self.sent = trade, random.Random(seed), 0, []
        self.sizes = itertools.cycle((10**7, 12, 0, 200, 900, 0, 1, 10_000, 0))
        self.known, self.named = self._look_around()
        self.shapes = {topic: [*trade.true.get(topic, ()), *self._shapes(topic)] for topic in sorted(FACTS)}

    def facts(self, count: int) -> list[Message]:
        """Return so many facts, every topic as often as any other."""
        topics = sorted(self.shapes)
        return [self._fact(topics[self.n % len(topics)]) for _ in range(count)]

    def _look_around(self) -> tuple[list[str], dict[str, list[Any]]]:
        """Return every key of the network's books, and what stands in each column by its name."""
        keys, named = set(), {}
        with self.trade.house.doors.database.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for row in connection.execute(table.select().limit(200)).mappings():
                    for column in table.columns:
                        value = row[column.name]
                        if isinstance(value, dt.date):
                            value = value.isoformat()
                        if isinstance(value, (str, int)) and len(str(value)) <= 80:
                            named.setdefault(column.name, []).append(value)
                            if column.primary_key and isinstance(value, str):
                                keys.add(value)
        return sorted(keys), named

    def _shapes(self, topic: str) -> list[dict[str, Any]]:
        """Return bodies of the shape a topic's applier asks for; nothing of them is kept."""
        found = []
        for _ in range(4):
            body = Asked(self._guess)
            body["store_id"] = ROGUE
            for _again in range(6):
                bare = Message(f"look-{self.n}", 1, topic, 1, AT.isoformat(), DAY.isoformat(), body, "")
                session = Session(self.trade.house.doors.database.engine)
                try:
                    facts.apply(session, bare, ROGUE, AT)
                except Exception as fault:
                    missing = re.findall(r"'(\w+)'", str(fault)) if "missing" in str(fault) else []
                    for name in missing:
                        body[name] = self._guess(name)
                    if not missing:
                        break
                else:
                    break
                finally:
                    session.rollback()
                    session.close()
            found.append(json.loads(json.dumps(body, default=str)))
        return found

    def _guess(self, key: Any) -> Any:
        name = str(key)
        if name in ("lines", "parts", "entries", "rows", "items", "steps", "movements", "reported", "counts"):
            return [Asked(self._guess) for _ in range(2)]
        if self.named.get(name) and self.chance.random() < 0.8:
            return self.chance.choice(self.named[name])
        if name.endswith("_at") or name == "at":
            return (AT + dt.timedelta(days=self.chance.randint(-3, 3))).isoformat()
        if "day" in name or name.endswith("until"):
            return (DAY + dt.timedelta(days=self.chance.randint(-3, 3))).isoformat()
        if name.endswith(("_minor", "qty", "count", "packs", "points", "_no", "n", "amount", "version")):
            return self.chance.choice((0, 1, 2, 5, 100, 10_000))
        if name.startswith(("is_", "has_")):
            return True
        return self.chance.choice(self.known)

    def _fact(self, topic: str) -> Message:
        self.n += 1
        chance = self.chance
        if self.sent and self.n % 17 == 0:  # said again, perhaps otherwise, perhaps under another number
            old = chance.choice(self.sent)
            body = old.body if chance.random() < 0.4 else self._spoil(copy.deepcopy(old.body))
            return self._whole(dataclasses.replace(old, n=chance.choice((old.n, self.n)), body=body))
        if topic == SaleCompleted.TOPIC and (qty := next(self.sizes)):  # whole in its figures, as large as he likes
            sku = chance.choice(SOLD)
            made = sold(qty, sku=sku, price=chance.choice((0, 100)), day=DAY - dt.timedelta(days=chance.randint(0, 5)))
            return self._whole(dataclasses.replace(made, n=self.n))
        true = self.trade.true.get(topic)
        body = copy.deepcopy(chance.choice(true if true and chance.random() < 0.7 else self.shapes[topic]))
        key = f"hostile-{self.n:06d}"
        if chance.random() < 0.6 and "id" in body:
            body["id"] = key
        elif isinstance(body.get("id"), str):
            key = body["id"] if len(body["id"]) in range(1, 80) else key
        for _ in range(chance.choice((0, 0, 0, 1, 1, 1, 2, 4))):
            body = self._spoil(body)
        past = DAY - dt.timedelta(days=chance.randint(1, PAST_DAYS))
        day = str(chance.choice((past, chance.choice(self._odd_days()), *[DAY] * 8)))
        version = chance.choice((*[1] * 4, *[FACTS[topic].VERSION] * 4, chance.randint(2, 999)))
        made = Message(key, self.n, topic, version, AT.isoformat(), day, body, "")
        return self._whole(made)

    def _whole(self, bare: Message) -> Message:
        hash_ = outbox.hash_of(bare, canonical(bare.body)) if self.chance.random() < 0.98 else "0" * 64
        self.sent.append(one := dataclasses.replace(bare, hash=hash_))
        return one

    def _odd_days(self) -> tuple[str, ...]:
        return "0001-01-01", "1900-01-05", "9999-12-31", (DAY + dt.timedelta(days=9)).isoformat()

    def _spoil(self, body: Any) -> Any:
        """Change one thing in a body, however deep it stands."""
        chance, here, key = self.chance, body, None
        path = []
        while isinstance(here, (dict, list)) and here:
            key = chance.choice(sorted(here, key=str)) if isinstance(here, dict) else chance.randrange(len(here))
            path.append((here, key))
            here = here[key]
        if not path:
            return body
        inside, key = path[-1]
        how = chance.randrange(10)
        if how == 0:
            if isinstance(inside, dict):
                del inside[key]
            else:
                inside.pop(key)
        elif how == 1:
            inside[key] = chance.choice((None, True, [], {}, "", "x" * 5_000, "\u202egnp.\x1b[2J", 1.5))
        elif how == 2 and isinstance(inside, list):
            inside.extend(copy.deepcopy(inside)[:50])
        elif how == 3:
            body["store_id"] = chance.choice((*OTHERS, NETWORK, ROGUE))
        elif isinstance(here, bool) or here is None:
            inside[key] = chance.choice((True, False, None, 1, "yes"))
        elif isinstance(here, int):
            inside[key] = chance.choice((-1, 0, -here, here * 2, here * 1_000, 10**9, 10**14, 2**63, -(10**6)))
        elif re.match(r"\d{4}-\d\d-\d\d", str(here)):
            days = (AT + dt.timedelta(days=days) for days in (-700, -40, 40, 3_000))
            inside[key] = chance.choice([*self._odd_days(), *(day.isoformat()[: len(str(here))] for day in days)])
        else:
            inside[key] = chance.choice((how < 8 and self.named.get(str(key))) or self.known)
        return body


# --- the day ---


def attack(trade: Trade, count: int, *, seed: int, at_once: int = 100) -> Counter[str]:
    """Send so many facts as the store, in batches that come in any order; return what became of them."""
    attacker, became = Attacker(trade, seed), Counter[str]()
    for first in range(0, count, at_once):
        facts = attacker.facts(min(at_once, count - first))
        if attacker.chance.random() < 0.3:
            facts.reverse()
        answer = trade.send(facts, signer=trade.signer)
        assert answer.status_code == 200, answer.text
        if not first:
            assert is_named(trade, EPOCH_BEGUN, f"Store {ROGUE} seems to be running on two computers"), (
                "within one contact"
            )
        became += Counter(taken=len(answer.json["taken"]), parked=len(answer.json["parked"]))
        trade.house.clock.advance(1)
    return became


def is_named(trade: Trade, alarm: str, words: str) -> bool:
    """Return whether the operator's first page names the store in these words, and no other store has an alarm."""
    with trade.house.doors.read() as session:
        alarms = dict(session.execute(sa.select(Peer.id, Peer.alarm).where(Peer.alarm.is_not(None))).all())
    page = trade.operator.get("/console/").text
    return alarms == {ROGUE: alarm} and words in page


def look_after(trade: Trade) -> None:
    """Compare what others have with what they had, to the row and the cent."""
    after = trade.rows()
    changed = {
        name: ([*(trade.before[name] - rows)][:3], [*(rows - trade.before[name])][:3])
        for name, rows in after.items()
        if rows != trade.before[name]
    }
    assert changed == {}
    assert trade.sums() == trade.money


# A key column that is None is refused by the database, beside a warning that a run of the tests takes for a fault.
pytestmark = pytest.mark.filterwarnings("ignore:Column .* is marked as a member of the primary key")
COUNTS = (300, pytest.param(10_000, marks=pytest.mark.faults))


@pytest.mark.parametrize("count", COUNTS)
def test_a_store_whose_keys_somebody_holds_for_a_day_changes_no_other_s_books_and_is_named_at_once(trade, count):
    shares = trade.shares()
    became = attack(trade, count, seed=23)
    assert became["taken"] >= count // 20, "it is no attack where nothing gets in"
    assert became["parked"] > count // 2
    look_after(trade)
    with trade.house.doors.write() as session:
        topics = set(session.scalars(sa.select(InboxMessage.topic).where(InboxMessage.epoch == EPOCH)))
        held = session.scalars(sa.select(InboxMessage.reason).where(InboxMessage.reason.startswith("implausible")))
        assert topics == set(FACTS)
        assert len(held.all()) >= count // 1_000 + 1
        rollups.roll_fresh(session, at=trade.house.clock.now(), most=100_000)
        plausibility.refresh(session, DAY + dt.timedelta(days=1))
        larger = max(1.0, plausibility.sizes(session)[ROGUE])
    for sku, before in shares.items():
        now = trade.shares()[sku]
        assert {store: now[store] for store in OTHERS} == {store: before[store] for store in OTHERS}
        middle = sorted(before[store] for store in OTHERS)[1]
        assert now[ROGUE] <= min(allocation.MOST_TIMES, allocation.SUDDEN * larger) * middle, sku
    page = trade.operator.get("/console/held/").text
    assert f"Store {ROGUE}" in page
    assert not any(f"Store {store}" in page for store in OTHERS)


@pytest.mark.parametrize("count", COUNTS)
def test_with_one_of_the_two_keys_no_fact_of_a_day_gets_in(trade, count):
    attacker, thiefs = Attacker(trade, 29), Signer.make()
    for _ in range(0, count, 100):
        facts = attacker.facts(100)
        assert trade.send(facts).json["error"]["code"] == signing_keys.UNSIGNED
        assert is_named(trade, KEY_MISUSED, f"used the key of Store {ROGUE} without a valid signature"), "at once"
        assert trade.send(facts, signer=thiefs).json["error"]["code"] == signing_keys.UNKNOWN
        for bearer in ("none", trade.signer.public):
            assert trade.send(facts, bearer=bearer, signer=trade.signer).status_code == 401
    with trade.house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(InboxMessage.epoch == EPOCH)) == 0
    look_after(trade)

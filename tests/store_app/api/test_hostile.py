"""Every route of both roles, asked by everybody with what an attacker or a cat on the keyboard would send.

The corpus is `tests/tools/hostile.py`; the routes, the forms' fields and the people's rights are
read from the application itself, so that a new route is attacked on the day it is written.
"""

import copy
import hashlib
import itertools
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from config.clock import FrozenClock
from config.nodes import outbox
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message, OutboxMessage
from config.settings import Settings
from pos.printing.queue import PrintJob
from pos.store.permissions import AT_FIRST
from pos.store.store import StoreKey
from store_app.app import create_app
from store_app.sync import receiver
from store_app.web import staff
from store_app.web.pace import Pace
from store_app.web.security import rule_of
from supply.shelf.plan import ShelfPlan
from tests.arriving import apply_once, content_hash
from tests.conftest import ROOT
from tests.store_app import office
from tests.store_app.conftest import House, token
from tests.supply import online_store
from tests.tools import hostile

PAGES = ROOT / "store_app" / "pages"
READS = re.compile(r'(?:text|whole|amount|one_of|get|getlist|_day)\(\s*"(\w+)"')
TRACES = ("Traceback (most recent", 'File "/', "sqlalchemy.", "sqlite3.")
KNOWN = frozenset().union(*AT_FIRST.values()) | {"public", "device", "agent", "watcher", "partner"}
LONGEST_ADDRESS = 12_000  # a server refuses longer ones before we see them
NUMBERS = ("slot", "receipt_no")
"""Places of an address that take whole numbers alone."""
OTHER_KEY = "the-key-of-another-store"
OUTSIDE = ("stranger", "device")
"""Who comes without a session."""
ENDINGS = ("signin.leave", "signin.lock")
REAL = {
    "store": {
        "staff_id": "spare", "sku": "milk", "order_id": "order-P1", "delivery_id": "D1", "network_offer_id": "O1",
        "sale_id": "0190b3a2-7c1e-7b5a", "till_id": "1", "code": "4006381333931", "slot": "1", "receipt_no": "1",
        "filename": "till/till.css",
    },
    "network": {
        "staff_id": "operator", "region_id": "r1", "slug": "harbour-7", "sku": "milk", "token": "never-made",
        "kind": "catalogue", "filename": "till/till.css",
    },
}  # fmt: skip
"""What stands in an address when the body is the attack."""
GOOD = {
    "steps": "1", "qty": "1", "packs": "1", "name": "Li", "phone": "+1 555 0100", "why": "because", "words": "because",
    "float": "10", "drop": "1", "pay_out": "1", "counted": "1", "given": "20", "tender": "cash", "then": "ready",
    "pin": "9999", "reason": "other", "role": "cashier", "sku": "milk", "answer_by": "2026-03-05", "store_id": "S07",
}  # fmt: skip
"""What a friendly person types into the fields that are not attacked."""
BODIES: dict[str, dict[str, Any]] = {
    "/api/quote": {"lines": [{"sku": "milk", "qty": 1}], "cash": True},
    "/api/sales": {
        "id": "0190b3a2-7c1e-7b5a", "till_id": "1", "lines": [{"sku": "milk", "qty": 1}], "age_confirmed": 21,
        "tenders": [{"tender": "cash", "amount_minor": 500, "reference": ""}], "shown_total_minor": 129,
    },
    "/api/shifts": {"till_id": "1", "float_minor": 5000},
    "/api/shifts/no-such-shift/close": {"counted_minor": 5000},
    "/api/sync/messages": {
        "speaking": "epoch-of-the-store", "epoch": "epoch-of-the-store", "from_n": 0, "count": 1, "head": "0" * 64,
        "nonce": "", "token": "", "parked": 0, "waiting": 0, "have": [{"epoch": "epoch-x", "n": 1, "head": "1" * 64}],
        "rows": [{
            "id": "fact-0001", "n": 1, "topic": "sale.completed", "version": 1, "business_day": "2026-03-02",
            "made_at": "2026-03-02T12:00:00.000000+00:00", "hash": "0" * 64, "body": {"id": "x", "lines": []},
        }],
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    """Give the corpus of hostile strings and numbers."""
    return hostile


@dataclass
class Attack:
    """One node under attack, and what it answered badly."""

    role: str
    house: House
    real: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def people(self) -> dict[str, FlaskClient]:
        """Return a browser of everybody who may come, by who they are; a device of another store among them."""
        roles = ("operator",) if self.role == "network" else ("cashier", "shopkeeper")
        found = {"stranger": self.house.visitor()} | {role: self.house.signed_in(role) for role in roles}
        found["device"] = self.house.visitor()
        for client in found.values():
            client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
        found["device"].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {OTHER_KEY}"
        return found

    def rules(self) -> list[Rule]:
        """Return every route but those that end the session the attack needs."""
        return [rule for rule in self.house.app.url_map.iter_rules() if rule.endpoint not in ENDINGS]

    def signed_out(self, people: dict[str, FlaskClient]) -> list[str]:
        """Return who is signed in no more: whatever was asked since as such a person was asked as a stranger."""
        home = "/console/" if self.role == "network" else "/more/"
        return [who for who in people if who not in OUTSIDE and people[who].get(home).status_code != 200]

    def ask(self, who: str, client: FlaskClient, method: str, address: str, **given: Any) -> int:
        """Send one request; a 5xx, or an answer that shows our inside, is noted. Returns the status."""
        answer = client.open(address, method=method, **given)
        body = answer.get_data()[:200_000].decode("utf-8", "replace") if answer.status_code >= 400 else ""
        answer.close()
        if answer.status_code >= 500 or any(trace in body for trace in TRACES):
            self.faults.append(f"{answer.status_code} {who} {method} {address[:120]} {str(given)[:160]}")
        return answer.status_code


@pytest.fixture(params=["store", "network"])
def attack(request: pytest.FixtureRequest) -> Attack:
    """Give a node of each role with something on every page."""
    if request.param == "store":
        house: House = request.getfixturevalue("house")
        office.fill(house)
        with house.doors.write() as session:
            office.proposal(session)
            system = Actor.system("test", house.doors.settings.node_id)
            staff.add(Context(session, system, house.clock.now()), "S01", "Spare", "cashier", "7531")
        return Attack("store", house, REAL["store"] | trade(house))
    return Attack("network", network_house(request.getfixturevalue("tmp_path")), REAL["network"])


def trade(house: House) -> dict[str, str]:
    """Open the till, sell, draft a shelf; returns the ids of what there is now."""
    client = house.signed_in()
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    opened = client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).json
    assert client.post("/api/sales", json=BODIES["/api/sales"]).status_code == 201
    assert client.post("/shelf/draft", data={"command_id": "draft-0001"}).status_code == 303
    with house.doors.read() as session:
        plan, job, message = (
            session.scalars(sa.select(column)).first() for column in (ShelfPlan.id, PrintJob.id, OutboxMessage.id)
        )
    return {"shift_id": opened["id"], "plan_id": str(plan), "job_id": str(job), "message_id": str(message)}


def network_house(folder: Path, url: str = "") -> House:
    """Return a network's node with a store that sells online, an operator, and another store's key."""
    town = online_store.make_town(folder)
    town.deliver()
    settings = Settings(
        role="network", node_id="network", state_folder=folder / "state", practice=True,
        database_url=url or town.network.engine.url.render_as_string(hide_password=False),
    )  # fmt: skip
    clock = FrozenClock(online_store.AT)
    app = create_app(settings, clock)
    doors = app.extensions["cornerstore"]
    with doors.write() as session:
        digest = hashlib.sha256(OTHER_KEY.encode()).hexdigest()
        session.add(StoreKey(sha256=digest, store_id=online_store.OTHER, made_at=online_store.AT))
        system = Actor.system("test", "network")
        staff.add(
            Context(session, system, clock.now()),
            "network",
            "operator",
            "operator",
            staff.PRACTICE_PINS["operator"],
            weak=True,
        )
    return House(app, doors, clock)


def fields_read() -> dict[str, list[str]]:
    """Return the fields that each page's module reads of a form or an address."""
    common = {"command_id", "page", "lang", "till", "next"}
    texts = [path.read_text("utf-8") for path in PAGES.rglob("*.py")]
    return {
        name: sorted(common | set(READS.findall(text)))
        for text in texts for name in re.findall(r'Blueprint\(\s*"(\w+)"', text)
    }  # fmt: skip


def addresses(attack: Attack, rule: Rule, values: Sequence[str]) -> Iterator[str]:
    """Return the rule's address with each of the values in all its places, and once with what is really there."""
    adapter = attack.house.app.url_map.bind("localhost")
    real = {name: attack.real.get(name, "1" if name in NUMBERS else "x") for name in rule.arguments}
    yield adapter.build(rule.endpoint, real, method=method_of(rule))
    for value in values if rule.arguments else ():
        if 0 < len(value) < LONGEST_ADDRESS:
            given = {name: 99999999999999999999 if name in NUMBERS else value for name in rule.arguments}
            yield adapter.build(rule.endpoint, given, method=method_of(rule))


def method_of(rule: Rule) -> str:
    return next((one for one in ("POST", "PUT", "PATCH") if one in (rule.methods or ())), "GET")


def writable(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")


def test_every_route_carries_a_rule(attack: Attack):
    app = attack.house.app
    assert [rule.rule for rule in app.url_map.iter_rules() if rule_of(app, rule.endpoint) not in KNOWN] == []


def test_nobody_gets_further_than_the_rule_of_the_route(attack: Attack):
    wrong = []
    for who, client in attack.people().items():
        for rule in attack.rules():
            needed, address = str(rule_of(attack.house.app, rule.endpoint)), next(addresses(attack, rule, ()))
            if needed in ("public", "device") and (needed == "public" or who == "device"):
                continue
            if who not in ("stranger", "device") and needed in AT_FIRST[who]:
                continue
            status = attack.ask(who, client, method_of(rule), address)
            by_key, signed_out = needed in ("device", "agent", "watcher", "partner"), who in ("stranger", "device")
            allowed = {401} if by_key else {303, 401} if signed_out else {403}
            if status not in allowed:
                wrong.append(f"{status} {who} {method_of(rule)} {address}")
    assert wrong == []
    assert attack.faults == []


def test_every_page_that_needs_a_sign_in_offers_to_sign_out(attack: Attack):
    people, without, seen = attack.people(), [], 0
    for who in people.keys() - OUTSIDE:
        for rule in attack.rules():
            needed = rule_of(attack.house.app, rule.endpoint)
            if "GET" not in (rule.methods or ()) or needed not in AT_FIRST[who]:
                continue
            address = next(addresses(attack, rule, ()))
            with people[who].get(address) as answer:
                if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
                    seen += 1
                    without += [address] if 'action="/signout"' not in answer.text else []
    first_run = ["/first-steps/printer", "/first-steps/products"]  # one way on, to the till
    of_store = [*first_run, "/till/display"]  # customers stand before that one
    assert sorted(set(without)) == of_store * (attack.role == "store")
    assert seen > 25


@pytest.mark.parametrize("tries", [1, pytest.param(8, marks=pytest.mark.faults)])
def test_no_address_breaks_a_page(attack: Attack, corpus: ModuleType, tries: int):
    values = [writable(value) for value in {**corpus.strings(), **corpus.numbers()}.values()]
    values += ["//[", "http://[::1", "%ED%A0%80", "9" * 400, "a\x00b"]
    chosen = random.Random(1)
    reads = fields_read()
    people = attack.people()
    asked: set[tuple[str, str]] = set()
    for who, client in people.items():
        for rule in attack.rules():
            needed = rule_of(attack.house.app, rule.endpoint)
            refused = needed != "public" and (who in OUTSIDE or needed not in AT_FIRST[who])
            if not refused and tries == 1 and (rule.endpoint, rule.rule) in asked:
                continue  # another who is let in has asked it
            asked |= set() if refused else {(rule.endpoint, rule.rule)}
            wanted = chosen.sample(values, 1 if refused or rule.rule.endswith(".png") else tries)
            for address in addresses(attack, rule, wanted):
                attack.ask(who, client, method_of(rule), address)
            names = reads.get(rule.endpoint.split(".")[0], ["q", "limit", "till", "epoch", "after_n", "mine", "next"])
            address = next(addresses(attack, rule, ()))
            for value in wanted if method_of(rule) == "GET" else ():
                if len(value) < LONGEST_ADDRESS:
                    attack.ask(who, client, "GET", address, query_string=dict.fromkeys(names, value))
    assert attack.faults == []
    assert attack.signed_out(people) == []


@pytest.mark.parametrize("tries", [1, pytest.param(40, marks=pytest.mark.faults)])
def test_no_form_breaks_a_page(attack: Attack, corpus: ModuleType, tries: int):
    values = [writable(value) for value in {**corpus.strings(), **corpus.numbers()}.values()] + ["//[", "a\x00b"]
    chosen, reads = random.Random(2), fields_read()
    people = attack.people()
    asked: set[tuple[str, str]] = set()
    for who in [name for name in people if name not in ("stranger", "device")] + ["stranger"]:
        for rule in attack.rules():
            needed = rule_of(attack.house.app, rule.endpoint)
            module = rule.endpoint.split(".")[0]
            if method_of(rule) != "POST" or module not in reads or not (needed == "public" or who != "stranger"):
                continue
            if tries == 1 and (rule.endpoint, rule.rule) in asked:
                continue  # another who is let in has sent it
            asked |= {(rule.endpoint, rule.rule)} if needed == "public" or needed in AT_FIRST[who] else set()
            address, back = next(addresses(attack, rule, ())), [f"back-{n}" for n in range(3)]
            for n, value in enumerate(chosen.sample(values, tries)):
                form = {**dict.fromkeys([*reads[module], *back], "1"), **GOOD, "command_id": f"command-{n:05d}"}
                for name in chosen.sample(sorted(form), len(form) // 3):
                    form[name] = value
                attack.ask(who, people[who], "POST", address, data=form)
    assert attack.faults == []
    assert attack.signed_out(people) == []


@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.faults)])
def test_no_json_breaks_the_api(attack: Attack, corpus: ModuleType, each: int):
    """each: every value takes so many-th of the texts, one after the other all of them."""
    texts = [json.dumps(value) for value in corpus.strings().values()] + list(corpus.numbers().values())
    texts += ['"a\\u0000b"', "1" + "0" * 25, "[" * 3000 + "]" * 3000, '{"a":' * 150 + "1" + "}" * 150]
    people = attack.people()
    attack.house.app.extensions["sync_paces"] = Pace(10**6), Pace(10**6)  # or what it asks were mostly how often it may
    for address, body in BODIES.items():
        device = "sync" in address
        if device is not (attack.role == "network"):
            continue
        who = "device" if device else "cashier"
        for n, place in enumerate(leaves(body)):
            for text in texts[n % each :: each]:
                raw = json.dumps(put(body, place, "@@here@@")).replace('"@@here@@"', text)
                attack.ask(who, people[who], "POST", address, data=raw.encode("utf-8", "replace"))
    assert attack.faults == []


def test_no_method_breaks_a_route(attack: Attack):
    client = attack.people()["operator" if attack.role == "network" else "shopkeeper"]
    unknown = itertools.cycle(("PUT", "DELETE", "PATCH", "TRACE", "BREW"))
    for rule in attack.rules():
        for method in ("OPTIONS", "HEAD", next(unknown)):
            attack.ask("signed in", client, method, next(addresses(attack, rule, ())))
    assert attack.faults == []


def test_no_header_breaks_a_page(attack: Attack):
    client = attack.people()["operator" if attack.role == "network" else "shopkeeper"]
    for name, value in itertools.product(
        ("Host", "Accept-Language", "Accept-Encoding", "Cookie", "If-None-Match", "Content-Type", "HX-Request",
         "Authorization", "Content-Encoding", "X-CSRF-Token", "Referer", "Origin", "Range"),
        ("[::1", "a b", "localhost:99999", "x" * 5000, "\xff\xfe", "multipart/form-data", "gzip", "*;q=nan", "="),
    ):  # fmt: skip
        for method, address in (("GET", "/signin"), ("POST", "/signin/spare"), ("POST", "/api/sync/messages")):
            attack.ask("signed in", client, method, address, headers={name: value})
    assert attack.faults == []


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # a key that is nothing is the attack here
def test_no_fact_of_a_store_blocks_the_others(tmp_path: Path, corpus: ModuleType):
    """A fact that cannot be meant is kept aside with its reason; those around it are taken (I16)."""
    town = online_store.make_town(tmp_path)
    town.deliver()
    town.open_till()
    town.ready_order("order-0001", [("bread", 2)])
    with town.store.read() as session:
        rows = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.n)).all()
        real = [Message(**outbox.to_wire(row)) for row in rows]
    effect, refused = receiver.effect_of(online_store.STORE, online_store.AT), 0
    hard = [None, 2**63, -(2**70), [], {}, writable(corpus.strings()["lone surrogate"])]
    topics = {one.topic: one for one in real}
    attempts = [(one, place, value) for one in topics.values() for place in leaves(one.body) for value in hard]
    for n, (message, place, value) in enumerate(attempts, 1000):
        made = replace(message, id=f"hostile-{n}", n=n, body=put(message.body, place, value))
        made = replace(made, hash=content_hash(made))
        with town.network.write() as session:
            taken, reason = apply_once(session, online_store.STORE, "epoch-hostile", made, effect, at=online_store.AT)
        assert taken in ("taken", "already") or reason
        refused += taken == "parked"
    assert refused > 100


def leaves(body: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every value of a body, containers included."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inside:
        yield (*before, key)
        yield from leaves(value, (*before, key))


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of a body with one value replaced."""
    made = copy.deepcopy(body)
    here = made
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return made

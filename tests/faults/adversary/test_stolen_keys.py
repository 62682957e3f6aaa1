"""An attacker with a store's bearer key, its signing key, or both: what it writes, and what comes home of it."""

import dataclasses
import datetime as dt
import json

import httpx2
import pytest
import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes import append_only, inbox, outbox, signing, signing_keys
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Actor, Context, canonical
from config.nodes.node import COPY_SPEAKS, KEY_ASKS, KEY_MISUSED, Peer
from config.nodes.signing import Signer
from config.nodes.signing_keys import SignedBatch, SigningKey
from pos.sold import Sale
from pos.store import joining
from store_app.node import verifying
from store_app.sync import homecoming, receiver, sender, signed, signing_key, wire
from tests.arriving import content_hash
from tests.builders import STORE
from tests.network_facts import message, push, sales
from tests.store_app.conftest import KEY, House, post
from tests.store_app.sync.test_homecoming import Lost, lost

__all__ = ["lost"]
OLGA = Actor("olga", "Olga", "operator", NETWORK)
FORGED = "epoch-of-a-thief"


class Thief:
    """Who speaks to the network with what was stolen."""

    def __init__(self, network: House, bearer: str = KEY, signer: Signer | None = None) -> None:
        self.network, self.bearer, self.signer = network, bearer, signer

    def ask(self, method: str, path: str, body: dict | None = None):
        raw = json.dumps(body).encode() if body is not None else b""
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        place, _, query = path.partition("?")
        if self.signer is not None:
            headers |= signed.headers_for(self.signer, method, place, raw, query.encode())
        return self.network.visitor().open(path, method=method, data=raw, headers=headers)

    def forge(self, count: int = 26, first: int = 1):
        facts = [message(fact, n) for n, fact in enumerate(sales(STORE, count, first=first), 1)]
        return self.ask("POST", "/api/sync/messages", push(STORE, facts, epoch=FORGED, signer=self.signer))


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json.get("error", {}).get("code", "")


def sold(network: House) -> int:
    with network.doors.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Sale).where(Sale.store_id == STORE))


def alarm(network: House) -> str | None:
    with network.doors.read() as session:
        return session.get_one(Peer, STORE).alarm


def keys(network: House) -> dict[str, str]:
    with network.doors.read() as session:
        return {key.public: key.state for key in signing_keys.of(session, STORE)}


def own_key(lost: Lost) -> Signer:
    return signing.load(lost.doors.settings.signing_key)


def try_to_talk(lost: Lost) -> sender.Contact:
    lost.store.clock.advance(1)
    with httpx2.Client(base_url=lost.served, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        return sender.contact(lost.store.database, lost.doors.settings, client, lost.store.clock)


def with_the_database(session) -> None:
    """Do what whoever holds the network's database does first: take the triggers off."""
    for name in ("inbox_message", "signed_batch"):
        append_only.lift(session.connection(), name)


def settle(network: House, public: str, verb, **wishes) -> None:
    with network.doors.write() as session:
        key = signing_keys.named(session, STORE, signing.name_of(public))
        verb(Context(session, OLGA, network.doors.now()), key, **wishes)
        receiver.settle_key(session, STORE)


def sold_here(lost: Lost) -> set[str]:
    with lost.store.database.read() as session:
        return set(session.scalars(sa.select(Sale.id)))


def oddities(lost: Lost) -> list[str]:
    with lost.store.database.read() as session:
        found = homecoming.last(session, STORE)
    return [one["no"] for one in found[1]["odd"] if one.get("refusal", {}).get("code") == "not-signed"] if found else []


def test_the_bearer_key_alone_opens_nothing_and_the_operator_sees_it_within_one_contact(lost, network):
    lost.store.sell([("milk", 1)])
    lost.talk()
    before, thief = sold(network), Thief(network)
    asked = {"step": "begin", "id": "01J0000000000000000000ASK", "amount_minor": 500}
    for answer in (
        thief.forge(),
        thief.ask("GET", "/api/sync/messages?mine=x"),
        thief.ask("GET", "/api/sync/own"),
        thief.ask("POST", "/api/sync/points", asked),
        thief.ask("POST", "/api/sync/forecast", {"version": 1, "run_id": "r", "origin_day": "", "products": {}}),
    ):
        assert code_of(answer) == (403, signing_keys.UNSIGNED)
    assert alarm(network) == KEY_MISUSED
    page = network.signed_in("operator").get(f"/console/stores/{STORE}").text
    assert "used this store’s key without its signature" in page
    assert "without a valid signature. Nothing was accepted" in network.signed_in("operator").get("/console/").text
    assert sold(network) == before
    assert try_to_talk(lost).fault is None, "the store itself goes on"


def test_a_key_of_the_thief_s_own_writes_nothing_until_somebody_allows_it(lost, network):
    lost.talk()
    thief = Thief(network, signer=Signer.make())
    assert code_of(thief.forge()) == (403, signing_keys.UNKNOWN)
    assert thief.ask("POST", "/api/sync/key", {"chain": []}).json == {"state": "asked"}
    forged_vouch = [{"key": thief.signer.public, "by": own_key(lost).public, "vouch": "00" * 64}]
    assert thief.ask("POST", "/api/sync/key", {"chain": forged_vouch}).json == {"state": "asked"}
    assert code_of(thief.forge()) == (403, signing_keys.UNKNOWN)
    assert (alarm(network), sold(network)) == (KEY_ASKS, 0)
    operator = network.signed_in("operator")
    assert signing.fingerprint(thief.signer.public) in operator.get(f"/console/stores/{STORE}").text
    name = signing.name_of(thief.signer.public)
    assert post(operator, f"/console/stores/{STORE}/signing-keys/{name}/refuse").status_code == 303
    assert alarm(network) is None
    assert code_of(thief.forge()) == (403, signing_keys.WITHDRAWN)
    for n in range(9):
        assert Thief(network, signer=Signer.make()).ask("POST", "/api/sync/key", {"chain": []}).status_code == 200, n
    assert list(keys(network).values()).count("asked") == signing_keys.MOST_ASKED


def test_the_signing_key_alone_opens_nothing(lost, network):
    lost.talk()
    assert Thief(network, bearer="none", signer=own_key(lost)).forge().status_code == 401
    assert sold(network) == 0


def test_another_request_or_other_facts_under_a_signature_are_refused(lost, network):
    lost.talk()
    signer, thief = own_key(lost), Thief(network, signer=own_key(lost))
    facts = [message(fact, n) for n, fact in enumerate(sales(STORE, 2), 1)]
    body = push(STORE, facts[:1], epoch=FORGED, signer=signer)
    assert code_of(thief.ask("POST", "/api/sync/messages", body | {"rows": [vars(one) for one in facts]})) == (
        403, signing_keys.WRONG,
    )  # fmt: skip
    said = signed.headers_for(signer, "POST", "/api/sync/messages", b"{}")
    answer = network.visitor().post("/api/sync/messages", json=body, headers={"Authorization": f"Bearer {KEY}", **said})
    assert code_of(answer) == (403, signing_keys.WRONG)
    theirs = push("S02", facts[:1], epoch=FORGED, signer=signer)
    assert code_of(thief.ask("POST", "/api/sync/messages", theirs)) == (403, signing_keys.WRONG)
    assert sold(network) == 0


def test_with_both_keys_history_is_written_but_named_at_once_and_never_comes_home_once_withdrawn(lost, network):
    lost.store.sell([("milk", 1)])
    lost.talk()
    lost.copy()
    real = lost.store.sell([("bread", 1)]).sale.id
    lost.talk()
    network.clock.advance(60)
    stolen_at = network.doors.now()
    thief = Thief(network, signer=own_key(lost))
    assert thief.forge().status_code == 200
    assert sold(network) == 28
    assert try_to_talk(lost).fault is None
    assert alarm(network) == COPY_SPEAKS, "within one contact"
    settle(network, own_key(lost).public, signing_keys.withdraw, since=stolen_at)
    assert code_of(thief.forge(first=50)) == (403, signing_keys.WITHDRAWN)
    assert "revoked this computer's signing key" in try_to_talk(lost).fault
    lost.put_back()
    new = signing_key.change(lost.doors, actor=Actor.system("test", STORE))
    assert "new signing key" in try_to_talk(lost).fault
    settle(network, new.public, signing_keys.allow)
    assert try_to_talk(lost).fault is None
    mine = sold_here(lost)
    assert len(mine) == 2
    assert real in mine
    assert lost.faults() == []


@pytest.mark.parametrize("how", ["unsigned", "changed", "emptied", "by-another-key"])
def test_a_history_forged_at_the_network_does_not_come_home(lost, network, how):
    lost.store.sell([("milk", 1)])
    lost.talk()
    lost.copy()
    real = lost.store.sell([("bread", 1)]).sale.id
    lost.talk()
    at, effect = network.doors.now(), receiver.effect_of(STORE, network.doors.now())
    with network.doors.write() as session:
        with_the_database(session)
        row = session.get_one(InboxMessage, (STORE, real))
        if how == "emptied":
            row.body, forged = outbox.emptied(row.hash, json.loads(row.body) | {"total_minor": 1_000_000_000}), [real]
        elif how == "changed":
            row.body = canonical(json.loads(row.body) | {"total_minor": 1_000_000_000})
            row.hash = content_hash(inbox.inbox_message(row))
            forged = [real]
        else:
            late = dt.datetime(2030, 1, 1, tzinfo=dt.UTC).isoformat()
            facts = [message(fact, n) for n, fact in enumerate(sales(STORE, 3), 1)]
            facts = [dataclasses.replace(one, made_at=late, hash="") for one in facts]
            facts = [dataclasses.replace(one, hash=content_hash(one)) for one in facts]
            batch = None
            if how == "by-another-key":
                thief = Signer.make()
                body = push(STORE, facts, epoch=FORGED, signer=thief)
                text = wire.signed_text(
                    STORE, thief.public, FORGED, body["count"], body["head"], [(one.n, one.hash) for one in facts]
                )
                batch = signing_keys.batch_id(text)
                signing_keys.keep_batch(session, STORE, thief.public, text, body["seal"]["signature"], at)
            inbox.take(session, inbox.Arrival(STORE, FORGED, facts, batch=batch), effect, at=at)
            forged = [one.id for one in facts]
    lost.put_back()
    lost.talk()
    mine = sold_here(lost)
    assert not mine & set(forged)
    assert (real in mine) == (how in ("unsigned", "by-another-key"))
    assert sorted(oddities(lost)) == sorted(forged)
    assert lost.faults() == []
    if how in ("changed", "by-another-key"):
        assert verifying.verify(network.doors).faults, "the network's own verify names it"


def test_a_thief_with_both_keys_who_changes_the_key_is_named_by_the_store_s_next_contact(lost, network):
    lost.store.sell([("milk", 1)])
    lost.talk()
    lost.copy()
    real, mine = lost.store.sell([("bread", 1)]).sale.id, own_key(lost)
    lost.talk()
    network.clock.advance(60)
    stolen_at, thief = network.doors.now(), Thief(network, signer=Signer.make())
    vouch = mine.sign(signing.statement("next key", STORE, thief.signer.public))
    chain = [{"key": thief.signer.public, "by": mine.public, "vouch": vouch}]
    assert thief.ask("POST", "/api/sync/key", {"chain": chain}).json == {"state": "good"}
    assert thief.forge().status_code == 200
    assert "revoked this computer's signing key" in try_to_talk(lost).fault
    assert alarm(network) == KEY_MISUSED
    settle(network, thief.signer.public, signing_keys.withdraw, since=stolen_at)
    lost.put_back()
    new = signing_key.change(lost.doors, actor=Actor.system("test", STORE))
    assert "new signing key" in try_to_talk(lost).fault
    settle(network, new.public, signing_keys.allow)
    assert try_to_talk(lost).fault is None
    assert len(sold_here(lost)) == 2
    assert real in sold_here(lost)


def test_a_key_changed_in_peace_takes_the_other_s_place_by_itself_and_the_past_comes_home(lost, network):
    lost.talk()
    lost.copy()
    first, old = lost.store.sell([("milk", 1)]).sale.id, own_key(lost)
    lost.talk()
    new = signing_key.change(lost.doors, actor=Actor.system("test", STORE))
    second = lost.store.sell([("milk", 1)]).sale.id
    lost.talk()
    assert keys(network) == {old.public: "withdrawn", new.public: "good"}
    assert alarm(network) is None
    assert code_of(Thief(network, signer=old).forge()) == (403, signing_keys.WITHDRAWN)
    lost.put_back()
    lost.talk()
    assert {first, second} <= sold_here(lost)
    assert oddities(lost) == []
    assert verifying.verify(network.doors).faults == []


def test_a_lost_key_is_made_again_and_waits_for_the_operator_s_yes(lost, network):
    lost.copy()
    sale = lost.store.sell([("milk", 1)]).sale.id
    lost.talk()
    first = own_key(lost)
    lost.doors.settings.signing_key.unlink()
    later = lost.store.sell([("milk", 1)]).sale.id
    for _ in range(2):
        contact = try_to_talk(lost)
        assert (contact.paused, contact.delivered) == (True, 0)
    new = own_key(lost)
    assert keys(network) == {first.public: "good", new.public: "asked"}
    assert alarm(network) == KEY_ASKS
    operator = network.signed_in("operator")
    name = signing.name_of(new.public)
    assert post(operator, f"/console/stores/{STORE}/signing-keys/{name}/allow").status_code == 303
    assert try_to_talk(lost).delivered >= 1
    assert alarm(network) is None
    # put back from a copy of before there was any key, only what the present key signed is recognised by itself
    lost.put_back()
    lost.talk()
    assert sale in oddities(lost)
    assert sold_here(lost) == {later}
    with lost.store.write() as session:
        fingerprint = signing.fingerprint(first.public)
        signing_key.trust(session, lost.doors, fingerprint, actor=lost.store.wei)
    lost.talk()
    assert sold_here(lost) == {sale, later}
    assert oddities(lost) == []
    assert lost.faults() == []


def test_what_was_told_before_there_were_signatures_still_comes_home(lost, network):
    lost.copy()
    sale = lost.store.sell([("milk", 1)]).sale.id
    lost.talk()
    with network.doors.write() as session:  # as an older network kept it
        with_the_database(session)
        session.execute(sa.update(InboxMessage).values(batch=None))
        session.execute(sa.delete(SignedBatch))
        session.execute(sa.update(SigningKey).values(made_at=lost.store.now))
    lost.put_back()
    lost.talk()
    assert sale in sold_here(lost)


def test_a_network_that_has_forgotten_the_key_learns_it_again(lost, network):
    lost.talk()
    old = own_key(lost)
    signing_key.change(lost.doors, actor=Actor.system("test", STORE))
    new = own_key(lost)  # the network, put back from a copy, knows the one before
    lost.talk()
    assert keys(network) == {old.public: "withdrawn", new.public: "good"}
    with network.doors.write() as session:
        session.execute(sa.delete(SigningKey))
    lost.store.sell([("milk", 1)])
    lost.talk()
    assert keys(network) == {new.public: "good"}
    with network.doors.read() as session:
        assert session.scalars(sa.select(InboxMessage).where(InboxMessage.batch.is_(None))).all() == []


def test_a_code_to_join_with_lets_a_new_computer_s_key_sign(network, lost):
    lost.talk()
    signer = Signer.make()
    with network.doors.write() as session:
        code = joining.invite(Context(session, OLGA, network.doors.now()), STORE)
    raw = json.dumps({"code": code}).encode()
    headers = signed.headers_for(signer, "POST", "/api/join", raw) | {"Content-Type": "application/json"}
    answer = network.visitor().post("/api/join", data=raw, headers=headers).json
    assert {one["key"] for one in answer["signing_keys"]} == {signer.public, own_key(lost).public}
    assert keys(network) == {signer.public: "good", own_key(lost).public: "good"}
    assert Thief(network, answer["key"], signer).ask("GET", "/api/sync/own").status_code == 200


def test_signatures_are_kept_verified_and_doubted_on_postgresql_too(build, postgres_database):
    network = build(role="network", node_id=NETWORK, url=postgres_database)
    at, signer, other = network.doors.now(), Signer.make(), Signer.make()
    facts = [message(fact, n) for n, fact in enumerate(sales(STORE, 6), 1)]
    first = Thief(network, signer=signer)
    sent = [push(STORE, some, epoch=FORGED, signer=signer) for some in (facts[:3], facts[3:])]
    assert first.ask("POST", "/api/sync/messages", sent[0]).status_code == 200
    network.clock.advance(60)
    assert first.ask("POST", "/api/sync/messages", sent[1] | {"count": 7}).status_code == 403, "another count"
    assert first.ask("POST", "/api/sync/messages", sent[1]).status_code == 200
    assert code_of(Thief(network, signer=other).forge()) == (403, signing_keys.UNKNOWN)
    assert Thief(network, signer=other).ask("POST", "/api/sync/key", {"chain": []}).json == {"state": "asked"}
    reported = first.ask("GET", "/api/sync/own").json
    assert [len(reported["batches"][0]["rows"]), len(reported["seals"])] == [6, 2]
    assert verifying.verify(network.doors).faults == []
    settle(network, other.public, signing_keys.allow)
    settle(network, signer.public, signing_keys.withdraw, since=at + dt.timedelta(seconds=30))
    reported = Thief(network, signer=other).ask("GET", "/api/sync/own").json
    assert [row["n"] for row in reported["batches"][0]["rows"]] == [1, 2, 3]
    with network.doors.write() as session:
        with_the_database(session)
        session.execute(sa.update(InboxMessage).where(InboxMessage.n == 2).values(hash="0" * 64))
        session.execute(sa.update(SignedBatch).values(signature="00" * 64))
    faults = " ".join(verifying.verify(network.doors).faults)
    assert "does not fit its signature" in faults
    assert "did not sign it" in faults

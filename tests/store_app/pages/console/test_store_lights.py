"""How a store's computer is, as it says at each contact: the operator's lights, and the doctor's at the store."""

import datetime as dt
import hashlib

import pytest
from flask_babel import force_locale

from config.nodes import publication
from config.nodes.journal import Actor, Context
from config.nodes.node import Peer, this_node
from config.nodes.publication import Pulled
from pos.store import joining
from pos.store.store import keys_of
from store_app.node import doctor
from store_app.pages.console import store_lights
from store_app.runtime import job_runs
from tests.store_app.conftest import KEY, NOON, STORE, House, post
from tests.store_app.sync.test_sync import append, talk, topic

__all__ = ["topic"]
HOUR_S = 3600


def peer(network: House, **changed: object) -> Peer:
    with network.doors.write() as session:
        found = session.get_one(Peer, STORE)
        for name, value in changed.items():
            setattr(found, name, value)
        session.flush()
        session.expunge(found)
    return found


def lights(network: House, newest: dt.datetime | None = None, **changed: object) -> dict[str, tuple[str, str]]:
    found = peer(network, **changed)
    with network.app.test_request_context(), force_locale("en"):
        return {
            one.thing: (one.light, one.sentence) for one in store_lights.of_store(found, newest, network.doors.now())
        }


def test_a_contact_tells_how_the_shop_s_computer_is(house, network, served):
    at = NOON - dt.timedelta(hours=9)
    with house.doors.write() as session:
        job_runs.note(session, STORE, "check", at.date(), at=at, done=True, outcome="0 findings")
        session.add(Pulled(kind="catalogue", version=1, sha256="0" * 64, made_at=at, pulled_at=NOON))
    append(house, 1)
    house.clock.advance(30)
    talk(house, served)
    reported = peer(network)
    assert (reported.checked_at, reported.catalogue_at, reported.oldest_at) == (at, at, NOON)
    assert reported.free_bytes > 0
    assert reported.clock_off_s == 30, "the store's clock was set on, ours was not"
    talk(house, served)
    assert peer(network).oldest_at is None


@pytest.mark.parametrize(
    ("hours", "light", "to_do"),
    [
        (0.5, "good", ""),
        (2, "warn", "Ask whether its internet is down. It can still"),
        (30, "bad", "Call the store"),
        (216, "bad", "Visit the store or get it online: its orders"),
    ],
)
def test_a_silent_shop_is_amber_after_an_hour_red_after_a_day_and_wants_something_else_after_a_week(
    house, network, served, hours, light, to_do
):
    append(house, 1)
    talk(house, served)
    network.clock.advance(int(hours * HOUR_S))
    reported = lights(network)["Messages"]
    assert reported[0] == light
    assert to_do in reported[1]
    operator = network.signed_in("operator")
    listed = operator.get("/console/stores/").text
    assert (f"tag-{light}" in listed and "complete through" in listed) == (light != "good")
    assert to_do in operator.get(f"/console/stores/{STORE}").text


def test_a_shop_that_speaks_while_its_oldest_message_waits_is_late_all_the_same(house, network, served):
    talk(house, served)
    assert lights(network, oldest_at=NOON - dt.timedelta(hours=25))["Messages"][0] == "bad"


def test_catalogue_books_disk_and_clock_have_a_light_each(house, network, served):
    talk(house, served)
    well = {"catalogue_at": NOON, "checked_at": NOON, "free_bytes": 10**10, "clock_off_s": 0}
    assert {light for light, _ in lights(network, NOON, **well).values()} == {"good"}
    assert lights(network, NOON, catalogue_at=NOON - dt.timedelta(days=9))["Catalog"][0] == "good", "it comes at once"
    ill = {"checked_at": NOON - dt.timedelta(days=3), "free_bytes": 10**8, "clock_off_s": -900}
    found = lights(network, NOON - dt.timedelta(hours=2), **well | ill | {"catalogue_at": NOON - dt.timedelta(days=9)})
    assert {thing: light for thing, (light, _) in found.items() if light != "good"} == {
        "Catalog": "warn", "Books": "warn", "Disk": "bad", "Clock": "warn",
    }  # fmt: skip
    assert "900 s behind" in found["Clock"][1]


def test_a_shop_whose_program_tells_nothing_yet_is_asked_to_be_brought_up_to_date(house, network, served):
    talk(house, served)
    assert lights(network, free_bytes=None)["Computer"][0] == "warn"
    with network.doors.write() as session:
        publication.publish(session, "catalogue", "*", {}, at=NOON)
    assert "Update its software" in network.signed_in("operator").get(f"/console/stores/{STORE}").text


@pytest.mark.parametrize(
    ("hours", "light", "words"),
    [(0.5, "good", "messages are waiting"), (2, "warn", "an hour"), (30, "bad", "a day"), (200, "bad", "a week")],
)
def test_the_doctor_says_something_else_after_an_hour_a_day_and_a_week(build, hours, light, words):
    house = build(network_url="https://network.example")
    append(house, 1)
    with house.doors.write() as session:
        this_node(session).peer_nonce = "n t"
    house.clock.advance(int(hours * HOUR_S))
    (word,) = [one for one in doctor.examine(house.doors, outside=False) if one.thing == "queue"]
    assert word.light == light
    assert words in word.sentence


def test_a_shop_that_joins_again_needs_the_operator_until_its_old_key_is_withdrawn(network):
    operator = network.signed_in("operator")
    assert "active keys. Revoke the old one" not in operator.get("/console/").text
    with network.doors.write() as session:
        code = joining.invite(Context(session, Actor.system("test", "network"), NOON), STORE)
    fresh = network.visitor().post("/api/join", json={"code": code}).json["key"]
    assert "joined again, so it has 2 active keys" in operator.get("/console/").text
    page = operator.get(f"/console/stores/{STORE}").text
    with network.doors.read() as session:
        (old,) = [key.name for key in keys_of(session, STORE) if key.sha256 == hashlib.sha256(KEY.encode()).hexdigest()]
    assert old in page
    assert post(operator, f"/console/stores/{STORE}/keys/{old}/withdraw").status_code == 303
    assert "active keys. Revoke the old one" not in operator.get("/console/").text
    asked = {
        key: network.visitor().get("/api/sync/journal", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (KEY, fresh)
    }
    assert asked == {KEY: 401, fresh: 200}
    assert post(operator, f"/console/stores/{STORE}/keys/nonsense/withdraw").status_code == 404

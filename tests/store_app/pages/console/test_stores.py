"""The operator sees what of a store's messages needs a person, and has it tried again; a store has its line tried."""

import datetime as dt
import json

import sqlalchemy as sa

from config.errors import Refused
from config.ids import new_id
from config.nodes import inbox, publication
from config.nodes.inbox import InboxMessage
from config.nodes.journal import GENESIS, Actor, Context, JournalEntry
from config.nodes.node import COPY_SPEAKS, WAIT_THERE, Peer, this_node
from config.nodes.outbox import Message
from pos.store.store import zone_of
from store_app.sync import receiver, sender, wire
from supply.demand import closed_days
from supply.network import founding
from supply.orders import suppliers, supply_routes
from supply.orders.suppliers import Contact
from tests.arriving import content_hash, know
from tests.store_app.conftest import NOON, STORE, add_store, post
from tests.store_app.office import send, words
from tests.store_app.operator import furnish


def arrive(network, **body) -> None:
    bare = Message("m-1", 1, "noted", 1, NOON.isoformat(), "2026-03-02", body, "")
    whole = Message(**vars(bare) | {"hash": content_hash(bare)})
    with network.doors.write() as session:
        session.add(Peer(id=STORE, epoch="e", nonce="", heard_at=NOON, waiting=3, alarm=None))
        inbox.take(session, inbox.Arrival(STORE, "epoch", [whole], sent=4), receiver.effect_of(STORE, NOON), at=NOON)


def test_a_shop_s_page_says_what_is_on_its_way_and_what_was_set_aside_and_why(network):
    arrive(network)
    page = network.signed_in("operator").get(f"/console/stores/{STORE}").text
    assert "3 messages are still on their way." in page
    assert "does not know this kind of message" in page
    assert "Try again" in page
    assert network.signed_in("operator").get("/console/stores/S99").status_code == 404
    assert "Never connected" in network.signed_in("operator").get("/console/stores/S02").text


def test_a_shop_s_page_says_on_which_days_it_stays_closed(network):
    days = [NOON.date() + dt.timedelta(days=n) for n in (3, 4, 8)]
    with network.doors.write() as session:
        closed_days.take_reported(session, STORE, NOON.date(), days)
    page = words(network.signed_in("operator").get(f"/console/stores/{STORE}"))
    assert "Closed: Thu, Mar 5 – Fri, Mar 6 · Tue, Mar 10." in page


def test_what_was_set_aside_is_tried_again_on_a_click(network, monkeypatch):
    arrive(network)
    taken = []

    def note(session, message, from_node, at) -> None:
        if message.id in taken:
            raise Refused("twice", "Once is enough.")
        taken.append(message.id)

    client = network.signed_in("operator")
    assert post(client, f"/console/stores/{STORE}/try-again").status_code == 303
    assert "1 still waiting." in client.get(f"/console/stores/{STORE}").text
    know(monkeypatch, "noted", note)
    post(client, f"/console/stores/{STORE}/try-again")
    assert "1 message accepted." in client.get(f"/console/stores/{STORE}").text
    post(client, f"/console/stores/{STORE}/try-again")
    assert taken == ["m-1"]
    with network.doors.read() as session:
        assert session.scalars(sa.select(InboxMessage.state)).all() == ["taken"]


def test_an_alarm_goes_when_nothing_waits_there_or_when_a_person_has_looked_into_it(network):
    arrive(network)
    with network.doors.write() as session:
        session.get_one(Peer, STORE).epoch = EPOCH
    client = network.signed_in("operator")
    for waiting, alarm in ((2, f"2{WAIT_THERE}"), (0, None)):
        nonce = alarms(network)[1]
        push(network, parked=waiting, nonce=nonce)
        assert alarms(network)[0] == alarm
    with network.doors.write() as session:
        session.get_one(Peer, STORE).alarm = COPY_SPEAKS
    push(network, parked=1, nonce=alarms(network)[1])
    assert alarms(network)[0] == COPY_SPEAKS, "what is worse stays"
    assert "key, or one runs a copy of its database. Find out" in client.get(f"/console/stores/{STORE}").text
    assert post(client, f"/console/stores/{STORE}/looked-into").status_code == 303
    assert alarms(network)[0] is None
    assert "key, or one runs a copy of its database. Find out" not in client.get(f"/console/stores/{STORE}").text
    with network.doors.read() as session:
        reported = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == "peer.looked_into")).all()
    assert len(reported) == 1


def alarms(network) -> tuple[str | None, str]:
    with network.doors.read() as session:
        peer = session.get_one(Peer, STORE)
        return peer.alarm, peer.nonce.split(" ")[0]


EPOCH = "epoch-of-the-shop"


def push(network, *, parked: int, nonce: str) -> None:
    reported = {
        "protocol": wire.PROTOCOL, "epochs": [EPOCH], "speaking": EPOCH, "epoch": EPOCH, "from_n": 4, "count": 4,
        "head": GENESIS, "nonce": nonce, "token": new_id(), "parked": parked, "waiting": 0, "rows": [],
    }  # fmt: skip
    with network.doors.write() as session:
        receiver.take(session, STORE, wire.Push.model_validate(reported), at=NOON)


def test_the_page_speaks_chinese(network):
    arrive(network)
    client = network.signed_in("operator")
    client.get("/signin?lang=zh")
    page = client.get(f"/console/stores/{STORE}").text
    assert "未能接收" in page


def test_send_now_ends_the_wait_after_a_fault(house):
    with house.doors.write() as session:
        this_node(session).last_fault = "gone"
        this_node(session).last_contact_at = NOON
    assert not sender.is_requested(house.doors)
    assert post(house.signed_in(), "/settings/send-now").status_code == 303
    assert sender.is_requested(house.doors)


def test_a_line_that_is_down_is_tried_at_least_every_minute_a_network_in_trouble_less_often(house):
    for cut_off, most in ((True, sender.LONGEST_CUT_OFF_S), (False, sender.LONGEST_WAIT_S)):
        line, waits = sender.Line(), []
        for _ in range(60):
            line.note(sender.Contact(fault="gone", cut_off=cut_off), NOON)
            waits.append((line.not_before - NOON).total_seconds())
        assert max(waits) <= most
        assert max(waits) > most / 2


def test_of_many_shops_a_page_shows_fifty_those_that_need_somebody_first_and_any_can_be_found(network):
    with network.doors.write() as session:
        for n in range(120):
            add_store(session, f"M{n:03d}", "north")
        session.add(Peer(id="M111", epoch="e", nonce="", heard_at=NOON, waiting=0, alarm="a copy"))
    client = network.signed_in("operator")
    first = client.get("/console/stores/").text
    assert first.count("/console/stores/M") + first.count("/console/stores/S") == 50
    assert "M111" in first
    last = client.get("/console/stores/?page=3").text
    assert "M119" in last
    assert "Page 3 of 3" in last
    found = client.get("/console/stores/?find=m077").text
    assert "M077" in found
    assert 'value="m077"' in found, "the field keeps what was searched for"
    for odd in ("0", "-1", "x", "99999", "1e9", "١"):
        assert client.get(f"/console/stores/?page={odd}").status_code == 200


def test_a_shop_or_a_region_is_supplied_from_the_warehouse_the_operator_chooses_and_stores_hear_it(network):
    furnish(network)
    by = {"actor": Actor.system("test", "network"), "at": NOON}
    client = network.signed_in("operator")
    assert "Supplied from" not in client.get(f"/console/stores/{STORE}").text, "with one warehouse there is no choice"
    with network.doors.write() as session:
        founding.found_warehouse(Context(session, **by), "WH2", Contact("Second"))
        publication.publish(session, "suppliers", "*", supply_routes.edition(session, NOON.date()), at=NOON)
    assert send(client, f"/console/supplied/stores/{STORE}", warehouse="WH2").status_code == 303
    page = words(client.get(f"/console/stores/{STORE}"))
    assert "orders from warehouse WH2" in page
    assert "6 products it could order are not on that warehouse’s list." in page
    assert send(client, "/console/supplied/regions/south", warehouse="WH2").status_code == 303
    assert "2 stores supplied from here" in words(client.get("/console/supplied/"))
    assert send(client, f"/console/supplied/stores/{STORE}", warehouse="WH9").status_code == 404
    with network.doors.read() as session:
        reported = json.loads(publication.edition_for(session, "suppliers", ["*"]).body)
    assert ["region", "south", "WH2"] in reported["served"]
    assert ["store", STORE, "WH2"] in reported["served"]


def test_a_warehouse_s_days_without_vans_and_its_hour_of_orders_are_settled_for_all_its_shops(network):
    furnish(network)
    client, day = network.signed_in("operator"), (NOON.date() + dt.timedelta(days=3)).isoformat()
    at = "/console/supplied/warehouses/WH1"
    refused = send(client, at, closed_days="soon", order_by="14:00")
    assert refused.status_code == 422
    assert "soon is not a date" in words(refused)
    nowhere = send(client, at, closed_days=day, order_by="14:00", tz="Mars/Base")
    assert nowhere.status_code == 422
    assert "Mars/Base is not a time zone" in words(nowhere)
    assert send(client, at, closed_days=day, order_by="14:00", tz="Asia/Shanghai").status_code == 303
    page = client.get("/console/supplied/").text
    assert day in page
    assert "14:00" in page
    assert "Asia/Shanghai" in page
    with network.doors.read() as session:
        assert zone_of(session, "WH1") == "Asia/Shanghai"
        vehicle = session.get_one(suppliers.Supplier, "net")
    assert (vehicle.calendar.closed, vehicle.calendar.cut_off_minute) == ({dt.date.fromisoformat(day)}, 840)

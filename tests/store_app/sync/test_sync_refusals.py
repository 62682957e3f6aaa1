"""What counts as the network's refusal: its own JSON that names what it is about, and nothing a box in between says."""

import ssl

import httpx2
import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes import outbox
from config.nodes.facts import FACTS
from config.nodes.inbox import InboxMessage
from config.nodes.node import this_node
from config.nodes.outbox import MOST_REFUSALS, Message, OutboxMessage
from pos.facts import SaleCompleted
from pos.store.store import give_key
from store_app.sync import receiver, sender, wire
from tests.store_app.conftest import KEY, NOON, House
from tests.store_app.sync.test_sync import append, arrived, states, talk, topic
from tests.tampering import unlocked

__all__ = ["topic"]


def talk_through(house: House, address: str, change) -> sender.Contact:
    """Make one contact with something between the store and the network; change(request, next) answers."""

    class Box(httpx2.HTTPTransport):
        def handle_request(self, request):
            return change(request, super().handle_request)

    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, transport=Box()) as client:
        return sender.contact(house.doors.database, house.doors.settings, client, house.clock)


def page_of_a_box(status):
    return lambda request, _next: httpx2.Response(status, headers={"Content-Type": "text/html"}, text="<html>No</html>")


@pytest.mark.parametrize("status", [401, 403, 413, 422, 426])
def test_the_page_of_a_box_in_between_parks_nothing_and_is_a_fault_of_the_line(house, network, served, status):
    append(house, 6)
    for _ in range(MOST_REFUSALS + 1):
        contact = talk_through(house, served, page_of_a_box(status))
        assert (bool(contact.fault), contact.paused, contact.parked) == (True, False, 0)
    assert states(house) == {"pending": 6}
    assert talk(house, served).delivered == 6


def test_a_batch_too_large_for_the_line_goes_in_halves(house, network, served):
    ids = append(house, 9)

    def narrow(request, go_on):
        rows = (
            request.method == "POST"
            and wire.Push.model_validate_json(
                wire.unpack(request.read(), request.headers.get("Content-Encoding", ""))
            ).rows
        )
        return httpx2.Response(413, text="too large") if rows and len(rows) > 2 else go_on(request)

    contact = talk_through(house, served, narrow)
    assert (contact.delivered, contact.parked, contact.fault) == (9, 0, None)
    assert sorted(arrived(network)) == sorted(ids)


def test_the_shops_page_says_in_both_languages_why_a_fact_too_large_waits(house):
    (large,) = append(house)
    house.doors.settings.network_url = "https://network.example"
    with house.doors.write() as session:
        outbox.mark_stuck(session, large, wire.TOO_LARGE)
    for language, words in (("en", "Something between this store and the network"), ("zh", "2 MB")):
        page = house.signed_in("shopkeeper").get(f"/settings/?lang={language}").text
        assert words in page
        assert (wire.TOO_LARGE in page) == (language == "en")


def test_a_row_the_network_cannot_read_lets_the_rest_pass_and_waits_for_a_person_after_several_refusals(
    house, network, served
):
    good = append(house, 2)
    (bad,) = append(house)
    good += append(house, 2)
    with house.doors.write() as session, unlocked(session):
        session.get_one(OutboxMessage, bad).topic = "a" * 81
    for contact_n in range(1, MOST_REFUSALS + 1):
        contact = talk(house, served)
        assert contact.fault is None
        assert contact.parked == (contact_n == MOST_REFUSALS)
    assert sorted(arrived(network)) == sorted(good)
    assert states(house) == {"delivered": 4, "stuck": 1}


def test_a_program_too_old_for_the_network_pauses_and_goes_on_by_itself(house, network, served, monkeypatch):
    append(house, 3)
    with monkeypatch.context() as upgraded:
        upgraded.setattr(wire, "OLDEST_PROTOCOL", wire.PROTOCOL + 1)
        for _ in range(MOST_REFUSALS):
            contact = talk(house, served)
            assert (contact.paused, contact.fault) == (True, wire.PAUSES[wire.TOO_OLD])
        assert states(house) == {"pending": 3}
    assert (talk(house, served).fault, states(house)) == (None, {"delivered": 3})


def test_a_program_so_old_that_its_push_cannot_be_read_is_told_that_it_is_too_old(network, monkeypatch):
    monkeypatch.setattr(wire, "OLDEST_PROTOCOL", 2)
    answer = network.visitor().post(
        "/api/sync/messages", json={"protocol": 1, "rows": [{"id": "x"}]}, headers={"Authorization": f"Bearer {KEY}"}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (426, wire.TOO_OLD)


def test_a_network_too_old_for_the_shop_pauses_it_and_confirms_nothing(house, network, served):
    append(house, 2)

    def old(request, go_on):
        answer = go_on(request)
        return httpx2.Response(200, json=httpx2.Response(200, content=answer.read()).json() | {"protocol": 0})

    contact = talk_through(house, served, old)
    assert (contact.paused, contact.fault) == (True, wire.PAUSES[wire.NETWORK_TOO_OLD])
    assert states(house) == {"pending": 2}
    assert talk(house, served).delivered == 2


def test_with_another_shops_key_nothing_is_sent_or_fetched_and_the_shop_says_so(house, network, served):
    with network.doors.write() as session:
        others = give_key(session, "S02", NOON)
    append(network, 1, to_node="S02")
    append(house, 2)
    contact = talk(house, served, others)
    assert (contact.paused, contact.pulled, contact.fault) == (True, 0, wire.PAUSES[wire.ANOTHERS_KEY])
    assert states(house) == {"pending": 2}
    assert arrived(house) == []
    with network.doors.read() as session:
        assert session.scalars(sa.select(InboxMessage)).all() == []
        assert outbox.waiting(session, "S02")["pending"] == 1
    with house.doors.read() as session:
        assert this_node(session).last_fault == contact.fault
        assert outbox.waiting(session, NETWORK)["pending"] == 2


def test_the_shops_page_says_why_contacts_pause(build):
    house = build(network_url="https://network.example")
    with house.doors.write() as session:
        node = this_node(session)
        node.last_contact_at, node.last_fault = NOON, wire.PAUSES[wire.ANOTHERS_KEY]
    page = house.signed_in("shopkeeper").get("/settings/").text
    assert "belongs to another store" in page.replace("&#39;", "’").replace("'", "’")


def test_what_unpacks_to_more_than_the_limit_is_refused(network, monkeypatch):
    monkeypatch.setattr(wire, "MAX_UNPACKED", 10_000)
    body, headers = wire.pack({"nothing": " " * 20_000})
    assert len(body) < 1000
    answer = network.visitor().post(
        "/api/sync/messages", data=body, headers={"Authorization": f"Bearer {KEY}", **headers}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "body-too-large")


def test_the_line_takes_no_tls_below_1_2_whatever_the_system_allows(monkeypatch):
    def lax(**_given):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        return context

    monkeypatch.setattr(ssl, "create_default_context", lax)
    assert sender.trusted(None).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_fact_in_a_form_of_a_newer_program_waits_whatever_its_topic(network):
    for name in FACTS:
        for said_by in ("S01", NETWORK):
            message = Message("m", 1, name, 999, NOON.isoformat(), "2026-03-02", {"store_id": "S01"}, "")
            with pytest.raises((Invalid, Refused)) as refusal, network.doors.write() as session:
                receiver.effect_of(said_by, NOON)(session, message)
            assert refusal.value.code == "newer-version", name


def test_sales_in_a_newer_form_are_left_by_the_bulk_too(network):
    message = Message("m", 1, SaleCompleted.TOPIC, 999, NOON.isoformat(), "2026-03-02", {}, "")
    with network.doors.write() as session:
        assert receiver.bulk_of("S01", NOON)(session, [message]) == [message]

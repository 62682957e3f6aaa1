"""The shop's own page: staff, the queue to the network, the printer, the books."""

import pytest

from config import outbox
from pos.printer import PrintJob
from pos.store import Staff
from tests.store_app.conftest import NOON, STORE, post
from tests.store_app.office import fill, picture_of, send, words


@pytest.fixture
def office(build):
    house = build(network_url="http://network.example", printer="paper")
    fill(house)
    return house


def test_the_page_says_how_the_shop_stands_in_sentences(office):
    found = words(office.signed_in().get("/settings/"))
    for sentence in ("has not been reached yet", "practice printer", "Shop S01", "America/New_York"):
        assert sentence in found


def test_a_new_person_can_sign_in(office):
    assert send(office.signed_in(), "/settings/staff", name="Bo 波", role="cashier", pin="4711").status_code == 303
    assert post(office.visitor(), "/signin/bo-波", pin="4711").status_code == 303


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "role": "cashier", "pin": "4711"},
        {"name": "Bo", "role": "operator", "pin": "4711"},
        {"name": "Bo", "role": "cashier", "pin": "12"},
        {"name": "Bo", "role": "cashier", "pin": "٤٧١١"},
        {"name": "x" * 61, "role": "cashier", "pin": "4711"},
        {"name": "cashier", "role": "cashier", "pin": "4711"},
        {"name": "\x00\x01", "role": "cashier", "pin": "4711"},
        {},
    ],
)
def test_a_person_who_cannot_be_added_is_a_sentence_beside_the_form(office, fields):
    client = office.signed_in()
    before = picture_of(office)
    refused = send(client, "/settings/staff", **fields)
    assert refused.status_code in (409, 422)
    assert "<details open>" in refused.text
    assert picture_of(office) == before


def test_someone_who_left_can_no_longer_sign_in_and_a_second_click_is_no_fault(office):
    client = office.signed_in()
    for _ in range(2):
        assert send(client, "/settings/staff/cashier/deactivate").status_code == 303
    assert post(office.visitor(), "/signin/cashier", pin="1111").status_code >= 400
    with office.doors.read() as session:
        assert not session.get(Staff, (STORE, "cashier")).active


def test_nobody_sends_themselves_away(office):
    assert send(office.signed_in(), "/settings/staff/shopkeeper/deactivate").status_code == 422


def test_a_stuck_message_is_shown_with_its_reason_and_sent_again(office):
    with office.doors.write() as session:
        outbox.append(
            session,
            to_node="network",
            topic="sale.completed",
            version=1,
            body={"a": 1},
            id="fact-0001",
            subject="sale:1",
            business_day=NOON.date(),
            at=NOON,
        )
        session.flush()
        outbox.mark_stuck(session, "fact-0001", "The network does not know <this> product.")
    client = office.signed_in()
    found = client.get("/settings/").text
    assert "&lt;this&gt; product" in found
    for _ in range(2):
        assert send(client, "/settings/messages/fact-0001/send-again").status_code == 303
    with office.doors.read() as session:
        assert session.get(outbox.OutboxMessage, "fact-0001").state == "pending"


@pytest.mark.parametrize("message", ["nothing", "x" * 500])
def test_an_unknown_message_is_a_sentence(office, message):
    assert send(office.signed_in(), f"/settings/messages/{message}/send-again").status_code == 404


def test_a_failed_print_job_is_told_as_a_sentence(office):
    with office.doors.write() as session:
        session.add(
            PrintJob(
                store_id=STORE,
                id="job-0001",
                till_id="1",
                kind="receipt",
                source_id="s",
                document={},
                state="failed",
                reason="no paper",
                queued_at=NOON,
                due_at=NOON,
            )
        )
    assert "does not print" in words(office.signed_in().get("/settings/"))


def test_the_books_are_added_up_on_request(office):
    assert "Everything agrees" in words(office.signed_in().get("/settings/?check=1"))


def test_a_cashier_has_no_business_here(office):
    client = office.signed_in("cashier")
    assert client.get("/settings/").status_code == 403
    assert send(client, "/settings/staff", name="Bo", role="shopkeeper", pin="4711").status_code == 403

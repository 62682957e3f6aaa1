"""The store's own page: the queue to the network, the printer, the books."""

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.nodes import journal, outbox
from config.nodes.facts import not_recovered
from config.nodes.journal import Actor, Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import selling_hours
from pos.printing.queue import PrintJob
from pos.store.store import snapshot, store_of
from store_app.sync import homecoming
from supply.demand import reported_forecasts
from supply.demand.history import StoreDay
from tests.store_app.conftest import NOON, STORE, token
from tests.store_app.office import fill, send, words


@pytest.fixture
def office(build):
    house = build(network_url="https://network.example", printer="paper")
    fill(house)
    return house


def test_the_page_says_how_the_shop_stands_in_sentences(office):
    found = words(office.signed_in().get("/settings/"))
    for sentence in (
        "Not connected to the network yet. The till",
        "Practice printer: prints appear on screen only",
        "Store S01",
        "America/New York",
    ):
        assert sentence in found


OF_NETWORK = ("/campaigns/", "/groups/", "/reviews/", "/settings/online-shop/", "/stock/network/", "/transfers/",
              "/compare/", "/finance/", "/standing/", "/support/")  # fmt: skip
"""The places that only a member of a network has a use for."""


def test_a_store_on_its_own_hears_of_no_messages_and_is_led_to_nothing_of_a_network(build, office):
    own = build(printer="paper")
    fill(own)
    shown = {}
    for house in (own, office):
        with house.doors.write() as session:
            outgoing = outbox.Outgoing(
                topic="sale.completed", version=1, body={}, id="fact-0009", subject="sale:9", business_day=NOON.date()
            )
            outbox.append(session, outgoing, to_node="network", at=NOON)
        client = house.signed_in()
        shown[house is own] = {address for address in OF_NETWORK if f'href="{address}"' in client.get("/more/").text}
        assert ("to be sent" in words(client.get("/settings/"))) is (house is office)
    assert shown == {True: set(), False: set(OF_NETWORK)}


@pytest.mark.parametrize(("language", "said"), [("en", "it is too large to send"), ("zh", "线路传不过去")])
def test_a_forecast_that_the_network_did_not_take_is_told_with_why_in_the_reader_s_language(office, language, said):
    client = office.signed_in()
    assert said not in words(client.get(f"/settings/?lang={language}"))
    with office.doors.write() as session:
        reported_forecasts.note_answer(session, STORE, "run-1", "too-large: The line lets it not through.")
    assert said in words(client.get(f"/settings/?lang={language}"))


def test_the_page_leads_to_the_people(office):
    assert 'href="/people/"' in office.signed_in().get("/settings/").text


def test_a_stuck_message_is_shown_with_its_reason_and_sent_again(office):
    with office.doors.write() as session:
        fact = outbox.Outgoing(
            topic="sale.completed", version=1, body={"a": 1}, id="fact-0001", subject="sale:1", business_day=NOON.date()
        )
        outbox.append(session, fact, to_node="network", at=NOON)
        session.flush()
        outbox.mark_stuck(session, "fact-0001", "The network does not know <this> product.")
    client = office.signed_in()
    found = client.get("/settings/").text
    assert "&lt;this&gt; product" in found
    for _ in range(2):
        assert send(client, "/settings/messages/fact-0001/send-again").status_code == 303
    with office.doors.read() as session:
        assert session.get(outbox.OutboxMessage, "fact-0001").state == "pending"


def test_what_the_network_turned_down_is_put_away_once_and_is_no_longer_shown(office):
    with office.doors.write() as session:
        for n, reason in enumerate(("turned-down: implausible-line: 9", "unreadable: x")):
            outgoing = outbox.Outgoing(
                topic="sale.completed", version=1, body={}, id=f"f{n}", subject="x", business_day=NOON.date()
            )
            outbox.append(session, outgoing, to_node="network", at=NOON)
            outbox.mark_stuck(session, f"f{n}", reason)
    client = office.signed_in()
    sentence = "The network rejected this: its figures are larger than your sales suggest. It stays on record here."
    assert sentence in words(client.get("/settings/"))
    assert "总部没有接受这条消息：数字比您平常的销售大得多。您自己的账里仍然保留。" in words(
        client.get("/settings/?lang=zh")
    )
    found = client.get("/settings/?lang=en").text
    assert ("/messages/f0/put-away" in found, "/messages/f0/send-again" in found) == (True, False)
    assert "/messages/f1/put-away" not in found
    for _ in range(2):
        assert send(client, "/settings/messages/f0/put-away").status_code == 303
    assert send(client, "/settings/messages/f1/put-away").status_code == 409, "it may still be taken"
    assert sentence not in words(client.get("/settings/"))
    with office.doors.read() as session:
        assert session.get_one(OutboxMessage, "f0").state == "written_off"
        assert outbox.waiting(session, "network")["stuck"] == 1


@pytest.mark.parametrize("message", ["nothing", "x" * 500])
@pytest.mark.parametrize("verb", ["send-again", "archive"])
def test_an_unknown_message_is_a_sentence(office, message, verb):
    assert send(office.signed_in(), f"/settings/messages/{message}/{verb}").status_code == 404


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
                reason="paper-out",
                queued_at=NOON,
                due_at=NOON,
            )
        )
    assert "The printer is out of paper. Insert a new roll; printing" in words(office.signed_in().get("/settings/"))


def test_the_books_are_added_up_on_request(office):
    assert "Everything matches" in words(office.signed_in().get("/settings/?check=1"))


def test_a_cashier_has_no_business_here(office):
    client = office.signed_in("cashier")
    assert client.get("/settings/").status_code == 403
    assert send(client, "/people/", name="Bo", role="shopkeeper", pin="4711").status_code == 403


# --- hours of sale ---


def test_hours_of_sale_are_set_shown_and_lifted(office):
    client = office.signed_in()
    assert 'href="/settings/hours/"' in client.get("/settings/").text
    assert "Everything can be sold at any time." in words(client.get("/settings/hours/"))
    with office.doors.read() as session:
        top_category = selling_hours.kinds(session)[0]
    given = {"kind": top_category, "from_time": "08:00", "until_time": "22:00"}
    assert send(client, "/settings/hours/", **given).status_code == 303
    assert f"{top_category} 8:00 AM – 10:00 PM" in words(client.get("/settings/hours/"))
    assert send(client, "/settings/hours/lift", kind=top_category).status_code == 303
    assert "Everything can be sold at any time." in words(client.get("/settings/hours/"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": ""}, "Choose a category."),
        ({"kind": "nowhere"}, "There are no products in that category. Choose a category from"),
        ({"from_time": "soon"}, "Enter a time such as 07:30."),
        ({"until_time": "25:00"}, "Enter a time such as 07:30."),
        ({"until_time": "08:00"}, "Enter both a start and an end time"),
    ],
)
def test_wrong_hours_of_sale_are_said_beside_their_field(office, wrong, said):
    client = office.signed_in()
    with office.doors.read() as session:
        top_category = selling_hours.kinds(session)[0]
    refused = send(
        client, "/settings/hours/", **{"kind": top_category, "from_time": "08:00", "until_time": "22:00"} | wrong
    )
    assert refused.status_code in (404, 422)
    assert said in words(refused)


# --- what the store takes ---


def test_what_the_shop_takes_is_said_told_to_the_network_shown_and_taken_back_until_its_sales_tell(office):
    client = office.signed_in()
    assert 'name="sales_amount"' not in client.get("/settings/").text
    assert "its own sales" in words(send(client, "/settings/usual-sales", sales_amount="1200.50"))
    with office.doors.write() as session:
        session.execute(sa.delete(StoreDay))
    refused = send(client, "/settings/usual-sales", sales_amount="a lot")
    assert refused.status_code == 422
    assert "Enter an amount" in words(refused)
    assert send(client, "/settings/usual-sales", sales_amount="1200.50").status_code == 303
    assert (
        'name="sales_amount" inputmode="decimal" autocomplete="off" size="9" value="1200.50"'
        in client.get("/settings/").text
    )
    with office.doors.read() as session:
        (reported,) = session.scalars(
            sa.select(OutboxMessage.body).where(OutboxMessage.topic == "storefront.published")
        )
    assert json.loads(reported)["usual_sales_minor"] == 120_050
    assert send(client, "/settings/usual-sales", sales_amount="").status_code == 303
    assert 'value="1200.50"' not in client.get("/settings/").text


# --- closed days ---


def day_from_now(n):
    return (NOON.date() + dt.timedelta(days=n)).isoformat()


def test_closed_days_are_settled_told_to_the_network_shown_and_taken_back(office):
    client = office.signed_in()
    first, last = day_from_now(3), day_from_now(4)
    assert 'href="/settings/closed-days/"' in client.get("/settings/").text
    assert send(client, "/settings/closed-days/", first_day=first, last_day=last).status_code == 303
    assert "Closed: Thu, Mar 5 – Fri, Mar 6." in words(client.get("/settings/"))
    with office.doors.read() as session:
        (reported,) = session.scalars(
            sa.select(OutboxMessage.body).where(OutboxMessage.topic == "storefront.published")
        )
    assert json.loads(reported)["closed_days"] == [first, last]
    assert send(client, "/settings/closed-days/take-back", from_day=first, until_day=last).status_code == 303
    assert "No closed days set." in words(client.get("/settings/closed-days/"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"first_day": "soon"}, "Choose the first closed day."),
        ({"first_day": day_from_now(-1)}, "be in the past. Choose today or later"),
        ({"first_day": day_from_now(2), "last_day": day_from_now(1)}, "is before the first"),
        ({"first_day": day_from_now(1), "last_day": day_from_now(400)}, "up to 366 days ahead"),
    ],
)
def test_closed_days_that_cannot_be_are_said_beside_their_field(office, given, said):
    refused = send(office.signed_in(), "/settings/closed-days/", **given)
    assert refused.status_code == 422
    assert said in words(refused)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "returned 3 messages, including 2 for sales",
                "Till 1: 2 sales from a shift",
                "count the drawer",
                "$50.00 (Float) belongs",
                "Sale 17, ",
                "Refund exactly $1,234.50.",
            ),
        ),
        (
            "zh",
            (
                "送回了 3 条消息，其中 2 条是销售",
                "有 2 笔销售所属的班次尚未结账",
                "（备用金）",
                "销售 17：",
                "$1,234.50",
            ),
        ),
    ],
)
def test_books_put_back_are_told_with_what_somebody_must_look_at(office, language, said):
    with office.doors.write() as session:
        odd = [
            {"kind": "late", "till_id": "1", "sales": 2, "total_minor": 500},
            {"kind": "drawer", "till_id": "1", "moved": "float", "amount_minor": 5000},
            {"kind": "refused", "topic": "sale.completed", "no": "17", "day": "2026-03-02", "code": "unknown-customer",
             "why": "This customer is not on record here. Search again.", "facts": {}},
            not_recovered("sale.completed", "18", "2026-03-02",
                          Refused("odd", "Refund exactly %(rounded_minor)s.", rounded_minor=123_450)),
        ]  # fmt: skip
        journal.record(
            Context(session, Actor.system("sync", STORE), NOON), verb=homecoming.VERB, subject=f"node:{STORE}",
            topics={"sale.completed": 2, "shift.closed": 1}, odd=odd, odd_many=3)  # fmt: skip
    client = office.signed_in()
    shown = words(client.get(f"/settings/?lang={language}"))
    assert [one for one in said if one not in shown] == []


def test_the_shopkeeper_lets_the_tills_stop_at_what_the_books_have_and_sell_on(office):
    keeper = office.signed_in()
    for wanted, stands, reported in (("no", False, "Allow"), ("yes", True, "Block")):
        assert send(keeper, "/settings/beyond-stock", wanted=wanted).status_code == 303
        with office.doors.read() as session:
            assert store_of(session, STORE).sells_beyond is stands
        assert reported in words(keeper.get("/settings/"))


def test_what_paper_says_of_the_store_is_changed_here_and_journalled(office):
    client = office.signed_in()
    sent = {"csrf_token": token(client)}
    said = {"name": "Corner and Co", "address": "Main St 1", "phone": "555 0100", "tax_number": "DE123456789"}
    assert client.post("/settings/particulars", data=sent | said).status_code == 303
    assert "Corner and Co" in words(client.get("/settings/"))
    refused = client.post("/settings/particulars", data=sent | said | {"name": ""})
    assert (refused.status_code, "Enter your store’s name." in words(refused)) == (422, True)
    with office.doors.read() as session:
        kept = snapshot(store_of(session, STORE))
        entry = session.scalars(
            sa.select(journal.JournalEntry).where(journal.JournalEntry.verb == "store.particulars changed")
        ).one()
    assert {name: kept[name] for name in said} == said
    assert json.loads(entry.body)["tax_number"] == "DE123456789"

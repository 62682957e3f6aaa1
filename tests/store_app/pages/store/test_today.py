"""Today as it is answered: who sees it, where its rows lead, and the summary at night."""

import datetime as dt
import email
import re
from email import policy

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context
from pos.messages import OutgoingMessage
from pos.sold import Sale
from pos.store.permissions import Limit
from pos.store.store import Store
from pos.till import shift
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS
from store_app.mail import sending
from store_app.web import staff
from supply.membership import day_summary
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, post
from tests.store_app.office import send, words

SHOPKEEPER = Actor("shopkeeper", "shopkeeper", "shopkeeper", STORE)
LI = "li@example.com"


@pytest.fixture
def filled(house):
    """Give a store with something on every page."""
    office.fill(house)
    return house


def closed_short(house, minor=750, at=NOON - dt.timedelta(days=1)):
    """Let yesterday's shift have been closed so much short."""
    with house.doors.write() as session:
        opened = shift.open_shift(Context(session, SHOPKEEPER, at), STORE, "1", 10_000)
        shift.close(Context(session, SHOPKEEPER, at), opened, 10_000 - minor, why="as counted")
        return opened.id


def row(text, title):
    """Return the address and the words of the row with a title."""
    [found] = [one for one in re.findall(r'<a class="card today-row.*?</a>', text, re.DOTALL) if f"<b>{title}" in one]
    said = re.sub("<svg.*?</svg>|<[^>]+>", " ", found, flags=re.DOTALL)
    return re.search('href="([^"]+)"', found)[1], " ".join(said.split())


def test_a_shopkeeper_begins_at_today_and_a_cashier_at_the_till(house):
    assert post(house.visitor(), "/signin/shopkeeper", pin=staff.PRACTICE_PINS["shopkeeper"]).location == "/today/"
    assert post(house.visitor(), "/signin/cashier", pin=staff.PRACTICE_PINS["cashier"]).location == "/till/"
    assert house.signed_in("cashier").get("/today/").status_code == 403
    assert "/today/" not in house.signed_in("cashier").get("/stock/").text
    assert 'href="/today/"' in house.signed_in().get("/till/").text


def test_each_row_leads_where_it_is_done(filled):
    text = filled.signed_in().get("/today/").text
    assert row(text, "Deliveries due") == ("/deliveries/D1", "Deliveries due Cornerstore Supply Receive")
    assert row(text, "Online orders (3)") == ("/pickup/", "Online orders (3) Li Wei Pick")
    assert row(text, "Network offers") == ("/orders/", "Network offers 绿茶 Green tea · by Thu, Mar 5 Respond")
    assert row(text, "Till 1") == ("/money/", "Till 1 The till is closed Open the till")
    assert "Items to count" not in text


def test_a_row_a_person_may_not_act_on_is_absent(filled):
    with filled.doors.write() as session:
        session.add(Limit(store_id=STORE, role="supervisor", discount_bp=0, allowed=["reports"], denied=["receive"]))
    text = filled.signed_in("supervisor").get("/today/").text
    assert "Online orders" in text
    assert "Deliveries due" not in text


def test_the_last_close_is_one_tap_away_and_warns_only_beyond_the_tolerance(filled):
    closed = closed_short(filled)
    text = filled.signed_in().get("/today/").text
    assert row(text, "Z 1") == (f"/money/shifts/{closed}", "Z 1, Sun, Mar 1 $0.00 · $7.50 short View")
    assert text.count("is-warn") == 1
    with filled.doors.write() as session:
        session.get_one(Store, STORE).cash_tolerance_minor = 750
    assert "is-warn" not in filled.signed_in().get("/today/").text


def test_a_till_left_open_since_yesterday_asks_to_be_closed(filled):
    with filled.doors.write() as session:
        shift.open_shift(Context(session, SHOPKEEPER, NOON - dt.timedelta(days=1)), STORE, "1", 10_000)
    text = filled.signed_in().get("/today/").text
    assert "Still open: shopkeeper, since Sun, Mar 1" in row(text, "Till 1")[1]


def test_the_page_asks_for_itself_again(filled):
    text = filled.signed_in().get("/today/").text
    assert 'id="today" hx-get="/today/" hx-trigger="every 15s" hx-select="#today"' in text


# --- at night ---


def summarized(house, days=0):
    return JOBS["summary"].run(Desk(house.doors), NOON.date() + dt.timedelta(days=days))


def test_the_summary_leaves_once_a_day_where_it_is_wished(filled, mail_server):
    carrier, kept, _ = mail_server
    closed_short(filled)
    assert summarized(filled) == "not wished"
    client = filled.signed_in()
    assert send(client, "/today/summary", email=f" {LI} ").status_code == 303
    for _run in range(2):
        assert summarized(filled, -1) == "written"
    assert sending.send_due(filled.doors, [carrier]) == (1, 0)
    mail = email.message_from_bytes(kept[0], policy=policy.default)
    assert (mail["To"], mail["Subject"]) == (LI, "Store S01, Mar 1, 2026")
    assert mail.get_body().get_content().splitlines() == [
        "Sales: $0.00", "Customers: 0", "Z 1: $7.50 short", "", "Waiting for you", "- Deliveries due: 1",
        "- Online orders: 3", "- Network offers: 1",
    ]  # fmt: skip
    send(client, "/today/summary", email="")
    assert summarized(filled, 1) == "not wished"


def test_the_summary_speaks_the_store_s_language_and_names_no_customer(filled, mail_server):
    carrier, kept, _ = mail_server
    with filled.doors.write() as session:
        store = session.get_one(Store, STORE)
        store.language, store.summary_email = "de", LI
    summarized(filled)
    sending.send_due(filled.doors, [carrier])
    text = email.message_from_bytes(kept[0], policy=policy.default).get_body().get_content()
    assert "- Onlinebestellungen: 3" in text
    assert "Li Wei" not in text


def test_a_summary_that_is_a_day_late_is_given_up_and_its_address_goes(filled):
    with filled.doors.write() as session:
        session.get_one(Store, STORE).summary_email = LI
    summarized(filled)
    filled.clock.set(NOON + dt.timedelta(days=1))
    assert sending.send_due(filled.doors, []) == (0, 1)
    with filled.doors.read() as session:
        [row] = session.scalars(sa.select(OutgoingMessage).where(OutgoingMessage.kind == day_summary.KIND))
    assert (row.state, row.email) == ("failed", "")


def test_sunday_s_summary_has_the_week_and_no_other_night_s(filled, mail_server):
    carrier, kept, _ = mail_server
    with filled.doors.write() as session:
        session.get_one(Store, STORE).summary_email = LI
        day, at = NOON.date() - dt.timedelta(days=2), NOON - dt.timedelta(days=2)
        session.add(Sale(
            store_id=STORE, id="sale-week", till_id="1", shift_id="x", epoch="e", receipt_no=9_001, business_day=day,
            completed_at=at, cashier_id="c", cashier_name="C", currency="USD", lines_minor=500, total_minor=500,
            tax_minor=0, request_hash="x",
        ))  # fmt: skip
    for days in (-2, -1):
        summarized(filled, days)
    sending.send_due(filled.doors, [carrier])
    saturday, sunday = (
        email.message_from_bytes(one, policy=policy.default).get_body().get_content().splitlines() for one in kept
    )
    assert "The week" not in saturday
    assert sunday[sunday.index("The week") :][:2] == ["The week", "- Sales: $5.00"]


def test_who_wishes_it_weekly_gets_the_week_on_sunday_night_alone(filled, mail_server):
    carrier, kept, _ = mail_server
    closed_short(filled)
    assert send(filled.signed_in(), "/today/summary", email=LI, often="week").status_code == 303
    assert summarized(filled, -1) == "not wished", "nothing was sold in that week"
    with filled.doors.write() as session:
        day, at = NOON.date() - dt.timedelta(days=2), NOON - dt.timedelta(days=2)
        session.add(Sale(
            store_id=STORE, id="sale-week", till_id="1", shift_id="x", epoch="e", receipt_no=9_001, business_day=day,
            completed_at=at, cashier_id="c", cashier_name="C", currency="USD", lines_minor=500, total_minor=500,
            tax_minor=0, request_hash="x",
        ))  # fmt: skip
    assert [summarized(filled, days) for days in (-2, -1, 0)] == ["not wished", "written", "not wished"]
    assert sending.send_due(filled.doors, [carrier]) == (1, 0)
    mail = email.message_from_bytes(kept[0], policy=policy.default)
    said = mail.get_body().get_content().splitlines()
    assert (mail["Subject"], said[:2]) == ("Store S01, Feb 23, 2026 – Mar 1, 2026", ["The week", "- Sales: $5.00"])
    assert "Z 1: $7.50 short" in said
    assert [line for line in said if line.startswith("Customers")] == []
    assert "selected" in filled.signed_in().get("/today/").text.partition('value="week"')[2][:20]


def test_yesterday_s_sales_are_on_the_page_itself(filled):
    with filled.doors.write() as session:
        day, at = NOON.date() - dt.timedelta(days=1), NOON - dt.timedelta(days=1)
        session.add(Sale(
            store_id=STORE, id="sale-old", till_id="1", shift_id="x", epoch="e", receipt_no=9_001, business_day=day,
            completed_at=at, cashier_id="c", cashier_name="C", currency="USD", lines_minor=700, total_minor=700,
            tax_minor=0, request_hash="x",
        ))  # fmt: skip
    assert "Yesterday : $7.00" in words(filled.signed_in().get("/today/")).replace("Yesterday:", "Yesterday :")


def test_what_is_no_address_is_refused_on_the_page(filled):
    answer = send(filled.signed_in(), "/today/summary", email="li at example")
    assert answer.status_code == 422
    assert "Enter an email address" in words(answer)
    assert 'value="li at example"' in answer.text
    assert send(filled.signed_in("supervisor"), "/today/summary", email=LI).status_code == 403

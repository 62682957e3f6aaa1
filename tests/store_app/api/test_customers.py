"""The till asks for customers and vouchers: found, never tried out; tab repaid once; only who may."""

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context
from config.words import language
from pos.customers import consent, customers, loyalty, points_terms, tab
from pos.customers.customers import Particulars
from pos.customers.tab import TabEntry
from pos.payments import vouchers
from pos.printing.queue import PrintJob
from pos.store.store import store_of
from pos.till import shift
from tests.builders import voucher_code
from tests.store_app.conftest import NOON, STORE, House, token

ROSA = "customer-rosa-lind-0001"
SYSTEM = Actor.system("test", STORE)


def know_rosa(house: House, *, owes_minor: int = 2_500) -> None:
    with house.doors.write() as session:
        store = store_of(session, STORE)
        agreed = frozenset({"phone", "tab", "points"})
        wished = Particulars("Rosa Lind", "+49 170 555 0123", agreed=agreed, limit_minor=10_000)
        customers.add(Context(session, SYSTEM, NOON), store, ROSA, wished)
        terms = points_terms.terms_of(STORE, True, 1, 100, 5, 10)
        points_terms.set_terms(Context(session, SYSTEM, NOON), terms)
        loyalty.earn(Context(session, SYSTEM, NOON), store, ROSA, 4_200, sale_id="s0")
        if owes_minor:
            tab.charge(Context(session, SYSTEM, NOON), store, ROSA, owes_minor, sale_id="s1")
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, "1", 5_000)


def browser(house: House, role: str = "cashier"):
    client = house.signed_in(role)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    return client


def test_a_customer_is_found_by_name_or_last_digits_and_shown_without_the_number(house: House):
    know_rosa(house)
    client = browser(house)
    for text in ("rosa", "0123", "LIND rosa"):
        (found,) = client.get("/api/customers", query_string={"q": text}).json["customers"]
        assert (found["id"], found["phone_end"], found["tab_left_minor"]) == (ROSA, "0123", 7_500)
    for text in ("", "123", "%", "+49", "1", "x" * 5_000):
        assert client.get("/api/customers", query_string={"q": text}).json == {"customers": []}
    whole = client.get("/api/customers?q=rosa").text + client.get(f"/api/customers/{ROSA}").text
    assert "5550123" not in whole


def test_how_a_customer_stands_is_answered(house: House):
    know_rosa(house)
    answer = browser(house).get(f"/api/customers/{ROSA}").json
    assert answer == {
        "customer": {"id": ROSA, "name": "Rosa Lind", "member": True},
        "standing": {
            "name": "Rosa Lind", "member": True, "points": 42, "points_worth_minor": 210,
            "tab_balance_minor": 2_500, "tab_left_minor": 7_500, "points_name": "", "points_to_confirm": False,
        },
        "online": {
            "since": None, "asked": consent.ASKED["online"], "language": "en", "phone_end": "0123",
        },
    }  # fmt: skip
    unknown = browser(house).get("/api/customers/nobody-at-all")
    assert (unknown.status_code, unknown.json["error"]["code"]) == (404, "unknown-customer")


def test_the_consent_for_the_online_shop_is_noted_at_the_till_in_its_words_and_taken_back(house: House):
    know_rosa(house, owes_minor=0)
    client, address = browser(house, "supervisor"), f"/api/customers/{ROSA}/online"
    assert browser(house).post(address, json={"given": True}).status_code == 403
    answer = client.post(address, json={"given": True}).json
    assert answer["online"] | {"since": NOON.date().isoformat()} == answer["online"]
    with house.doors.read() as session:
        kept = consent.in_force(session, STORE, ROSA)["online"]
        assert (kept.words, kept.at) == (answer["online"]["asked"], NOON)
        assert list(customers.online_members(session, STORE).values()) == [ROSA]
    assert client.post(address, json={"given": False}).json["online"]["since"] is None
    with house.doors.read() as session:
        assert customers.online_members(session, STORE) == {}
        assert {"phone", "points", "tab"} <= consent.agreed(session, STORE, ROSA).keys()
        reported = [
            row["words"] for row in customers.everything_about(session, store_of(session, STORE), ROSA)["agreed"]
        ]
    assert kept.words in reported


def test_the_consent_for_the_online_shop_wants_a_number_and_brings_points_with_it(house: House):
    with house.doors.write() as session:
        customers.add(
            Context(session, SYSTEM, NOON), store_of(session, STORE), ROSA, Particulars("Rosa", language="zh")
        )
    client, address = browser(house, "supervisor"), f"/api/customers/{ROSA}/online"
    refused = client.post(address, json={"given": True})
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "phone-needed")
    answer = client.post(address, json={"given": True, "phone": "555 0100"}).json
    assert (answer["customer"]["member"], answer["online"]["language"]) == (True, "zh")
    assert answer["online"]["asked"] == language("zh")(consent.ASKED["online"])


def test_a_repayment_is_booked_and_printed_once_however_often_it_is_sent(house: House):
    know_rosa(house)
    client, command = browser(house), new_id()
    body = {"id": command, "till_id": "1", "amount_minor": 1_000}
    first = client.post(f"/api/customers/{ROSA}/repayments", json=body)
    again = client.post(f"/api/customers/{ROSA}/repayments", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["balance_minor"] == again.json["balance_minor"] == 1_500
    assert [(row["amount_minor"], row["left_minor"]) for row in first.json["paid"]] == [(1_000, 1_500)]
    other = client.post(f"/api/customers/{ROSA}/repayments", json=body | {"amount_minor": 999})
    assert (other.status_code, other.json["error"]["code"]) == (409, "command-content-differs")
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(PrintJob.kind == "tab_paid")) == 1
        assert session.scalar(sa.select(sa.func.count()).where(TabEntry.kind == "repayment")) == 1


@pytest.mark.parametrize(
    "wish",
    [{"amount_minor": 0}, {"amount_minor": -5}, {"amount_minor": 1.5}, {"amount_minor": True}, {"amount_minor": "5"},
     {"tender": "shells"}, {"till_id": "9"}, {"id": "x"}, {"amount_minor": 10**15}, {"id": "../../../etc"},
     {"reference": "x" * 41}, {"more": 1}, {"amount_minor": 2_501}],
)  # fmt: skip
def test_an_impossible_repayment_is_refused_and_books_nothing(house: House, wish):
    know_rosa(house)
    body = {"id": new_id(), "till_id": "1", "amount_minor": 100} | wish
    answer = browser(house).post(f"/api/customers/{ROSA}/repayments", json=body)
    assert 400 <= answer.status_code < 500
    assert answer.json["error"]["message"]
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(TabEntry.kind == "repayment")) == 0


def test_who_may_not_add_customers_does_not(house: House):
    body = {"id": new_id(), "name": "Jun Sato", "agreed": ["points"]}
    assert browser(house, "cashier").post("/api/customers", json=body).status_code == 403
    shopkeeper = browser(house, "shopkeeper")
    made = shopkeeper.post("/api/customers", json=body)
    assert (made.status_code, made.json["customer"]["name"]) == (201, "Jun Sato")
    assert shopkeeper.post("/api/customers", json=body).json == made.json
    assert house.visitor().get("/api/customers?q=sato").status_code == 401


@pytest.mark.parametrize(
    "wish",
    [{"name": ""}, {"name": "\x00"}, {"name": "x" * 81}, {"phone": "1" * 8}, {"agreed": ["soul"]}, {"language": "xx"},
     {"limit_minor": 5}, {"limit_minor": -1}, {"id": "short"}, {"name": "\ud800"}],
)  # fmt: skip
def test_an_impossible_customer_is_refused(house: House, wish):
    body = {"id": new_id(), "name": "Jun Sato"} | wish
    assert 400 <= browser(house, "shopkeeper").post("/api/customers", json=body).status_code < 500


def test_a_voucher_says_what_it_is_worth_until_it_expires(house: House):
    with house.doors.write() as session:
        store = store_of(session, STORE)
        ctx, until = Context(session, SYSTEM, NOON), NOON.date()
        code = vouchers.issue(ctx, store, 2_000, kind="gift", sale_id="s2", expires_on=until).code
    client = browser(house)
    answer = client.get(f"/api/vouchers/{vouchers.spoken(code).lower()}").json
    assert (answer["code"], answer["balance_minor"], answer["kind"]) == (code, 2_000, "gift")
    assert client.get("/api/vouchers/AAAA").json["error"]["code"] == "voucher-misread"
    assert client.get(f"/api/vouchers/{voucher_code()}").status_code == 404
    house.clock.advance(2 * 86_400)
    late = browser(house).get(f"/api/vouchers/{code}")
    assert (late.status_code, late.json["error"]["code"]) == (409, "voucher-expired")

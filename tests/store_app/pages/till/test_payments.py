"""Cards and wallets: what needs a person is seen, said plainly, and settled with one press."""

import html
import re

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.payments import requests
from pos.payments.practice_terminal import SCRIPTED
from pos.payments.providers import Outcome
from pos.payments.requests import Wanted
from pos.sale import basket
from pos.sale.basket import Parking
from pos.till import shift
from pos.till.shift_book import CashMovement
from store_app.payments.providers import asker
from tests.store_app.api.test_payments import browser, sell, stock_milk, take, work
from tests.store_app.conftest import NOON, STORE, post


@pytest.fixture
def house(build):
    """Give a store's node with a scripted terminal and an open till."""
    house = build(payment_service="practice-scripted")
    stock_milk(house)
    browser(house).post("/api/shifts", json={"till_id": "1", "float_minor": 5000})
    return house


@pytest.fixture
def till(house):
    """Give the cashier's browser."""
    return browser(house)


def asked(house, amount_minor, **other):
    """Ask the terminal, as the till does."""
    given = {"id": new_id(), "store_id": STORE, "sale_id": new_id(), "till_id": "1", "tender": "card"}
    wanted = Wanted(**given | {"way": "terminal", "amount_minor": amount_minor, "provider": SCRIPTED} | other)
    return asker(house.doors).pay(wanted, actor=_ana())


def _ana():
    return Actor(id="cashier", name="Ana", role="cashier", node=STORE)


def state(house, payment_id):
    with house.doors.read() as session:
        return requests.payment_of(session, STORE, payment_id)


def words(answer):
    """Return what a person reads on a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text)))


def test_an_empty_page_says_what_will_be_here(till):
    answer = till.get("/payments/")
    assert answer.status_code == 200
    assert "No card or wallet payments yet" in words(answer)
    assert "Cards and wallets" in words(till.get("/more/"))


def test_money_without_a_sale_is_shown_and_goes_back_with_one_press(house, till):
    payment = take(till)
    found = words(till.get("/payments/"))
    assert "The money was taken, but no sale was completed" in found
    assert "3.00" in found
    answer = post(till, f"/payments/{payment['id']}/back")
    assert answer.status_code == 303
    assert "The customer has been refunded" in words(till.get("/payments/"))
    assert state(house, payment["id"]).state == "reversed"


def test_money_that_paid_for_its_sale_needs_nobody(house, till):
    payment = take(till)
    sell(till, payment["sale_id"], payment)
    assert "Every payment belongs to a sale. Nothing is" in words(till.get("/payments/"))
    refused = post(till, f"/payments/{payment['id']}/back")
    assert refused.status_code == 409
    assert "Refund the products" in words(refused)


def test_money_of_a_lost_basket_is_used_for_one_set_aside(house, till):
    payment, again = take(till), new_id()
    with house.doors.write() as session:
        basket.park(Context(session, _ana(), NOON), Parking(again, STORE, "1", 300, {}, "Mrs Li"))
    assert "Mrs Li" in words(till.get("/payments/"))
    assert post(till, f"/payments/{payment['id']}/use", basket="nowhere").status_code == 422
    assert post(till, f"/payments/{payment['id']}/use", basket=again).status_code == 303
    assert state(house, payment["id"]).sale_id == again


def test_a_typed_slip_over_the_same_amount_is_a_question_for_who_may_answer_it(house, till):
    payment = take(till)
    slip = {"tender": "card", "amount_minor": 300, "reference": "slip 7"}
    body = {"id": payment["sale_id"], "till_id": "1", "lines": [{"sku": "MILK", "qty": 3}], "tenders": [slip]}
    assert till.post("/api/sales", json=body | {"shown_total_minor": 300}).status_code == 201
    work(house)
    assert "The money was taken. Its sale has a slip for" in words(till.get("/payments/"))
    assert post(till, f"/payments/{payment['id']}/slip").status_code == 403
    keeper = house.signed_in()
    assert "slip 7" in words(keeper.get("/payments/"))
    assert post(keeper, f"/payments/{payment['id']}/slip").status_code == 303
    assert "Nothing will be refunded" in words(keeper.get("/payments/"))


def test_what_has_no_answer_is_asked_again_or_stopped(house, till):
    late, silent = asked(house, 303), asked(house, 310)
    assert "It is unclear whether the money was taken. The" in words(till.get("/payments/"))
    for _ in range(2):
        post(till, f"/payments/{late.id}/ask")
    assert "The response is" in words(till.get("/payments/"))
    assert state(house, late.id).state == "captured"
    assert post(till, f"/payments/{silent.id}/back").status_code == 303
    assert "refunded automatically" in words(till.get("/payments/"))
    assert state(house, silent.id).unwanted_since is not None


def test_what_is_never_answered_a_supervisor_decides_by_name(house, till):
    silent = asked(house, 310)
    assert "No response received" not in words(till.get("/payments/"))
    assert post(till, f"/payments/{silent.id}/decide", state="declined").status_code == 403
    keeper = house.signed_in()
    assert "No response received" in words(keeper.get("/payments/"))
    assert post(keeper, f"/payments/{silent.id}/decide", state="reversed").status_code == 422
    assert post(keeper, f"/payments/{silent.id}/decide", state="declined").status_code == 303
    assert state(house, silent.id).reason == "decided by shopkeeper"


def test_a_refused_giving_back_stays_here(house, till):
    payment = take(till, 311)
    post(till, f"/payments/{payment['id']}/back")
    found = words(till.get("/payments/"))
    assert "The refund failed" in found
    assert "The payment went through, but the refund failed. Try" in found


def refused_back(house, till, amount_minor=311):
    payment = take(till, amount_minor)
    post(till, f"/payments/{payment['id']}/back")
    return payment["id"]


def test_what_the_service_refuses_to_refund_is_refunded_by_hand_and_named(house, till):
    refused, keeper = refused_back(house, till), house.signed_in()
    given = {"how": "service", "number": "4711", "why": "Terminal was replaced"}
    assert post(till, f"/payments/{refused}/by-hand", **given).status_code == 403
    assert "Refunded by hand" not in words(till.get("/payments/"))
    assert post(keeper, f"/payments/{refused}/by-hand", **given | {"number": ""}).status_code == 422
    assert post(keeper, f"/payments/{refused}/by-hand", **given | {"why": ""}).status_code == 422
    assert post(keeper, f"/payments/{refused}/by-hand", **given).status_code == 303
    assert state(house, refused).state == requests.BY_HAND
    shown = words(till.get("/payments/"))
    assert "shopkeeper 4711 Terminal was replaced" in shown
    assert "Needs attention" not in shown
    assert post(keeper, f"/payments/{refused}/by-hand", **given).status_code == 409
    with house.doors.read() as session:
        now_open = shift.current(session, STORE, "1")
        assert now_open.totals["events"][requests.BY_HAND] == [1, 311]


def test_refunded_by_hand_in_cash_it_leaves_the_drawer_with_its_name_and_once(house, till):
    refused, keeper = refused_back(house, till), house.signed_in()
    for status in (303, 409):
        assert post(keeper, f"/payments/{refused}/by-hand", how="cash", why="No card").status_code == status
    with house.doors.read() as session:
        moved = session.scalars(sa.select(CashMovement).where(CashMovement.source_id == refused)).one()
        assert (moved.kind, moved.amount_minor, moved.actor_id) == ("pay_out", -311, "shopkeeper")


def test_nothing_is_refunded_by_hand_that_a_sale_has_or_the_service_may_still_refund(house, till):
    payment, keeper = take(till), house.signed_in()
    given = {"how": "service", "number": "1", "why": "x"}
    assert post(keeper, f"/payments/{payment['id']}/by-hand", **given).status_code == 409
    sell(till, payment["sale_id"], payment)
    assert post(keeper, f"/payments/{payment['id']}/by-hand", **given).status_code == 409
    assert state(house, payment["id"]).state == "captured"


def test_a_refund_by_hand_that_the_service_made_too_needs_somebody(house, till):
    refused, keeper = refused_back(house, till), house.signed_in()
    post(keeper, f"/payments/{refused}/by-hand", how="service", number="4711", why="x")
    with house.doors.write() as session:
        requests.settle_reversal(Context(session, _ana(), NOON), STORE, refused, Outcome("captured"))
    assert "by the service as well" in words(till.get("/payments/"))
    assert post(keeper, f"/payments/{refused}/seen").status_code == 303
    assert "by the service as well" not in words(till.get("/payments/"))


def test_two_answers_that_contradict_each_other_stay_until_somebody_asked_the_bank(house, till):
    payment = take(till)
    sell(till, payment["sale_id"], payment)
    with house.doors.write() as session:
        requests.settle_outcome(Context(session, _ana(), NOON), STORE, payment["id"], Outcome("declined"))
    assert "first “paid”, then “refused”" in words(till.get("/payments/"))
    keeper = house.signed_in()
    for _ in range(2):
        assert post(keeper, f"/payments/{payment['id']}/seen").status_code == 303
    assert "Every payment belongs to a sale. Nothing is" in words(keeper.get("/payments/"))


def test_money_given_back_without_a_return_is_told(house, till):
    payment = take(till)
    sell(till, payment["sale_id"], payment)
    keeper = browser(house, "shopkeeper")
    body = {"id": new_id(), "return_id": new_id(), "till_id": "1", "amount_minor": 100}
    body |= {"sale_id": payment["sale_id"], "lines": [{"n": 1, "qty": 1}]}
    keeper.post(f"/api/payments/{payment['id']}/give-back", json=body)
    assert "no return was recorded" in words(keeper.get("/payments/"))
    assert post(keeper, f"/payments/{body['id']}/back").status_code == 409


@pytest.mark.parametrize("act", ["ask", "back", "use", "slip", "decide", "seen", "by-hand"])
@pytest.mark.parametrize("payment_id", ["nothing", "9" * 400, "%F0%9F%A5%9B"])
def test_an_unknown_payment_is_a_sentence(house, act, payment_id):
    assert 400 <= post(house.signed_in(), f"/payments/{payment_id}/{act}").status_code < 500

"""The till's way to terminals and wallets: one payment per id, strict bodies, and what is known after every answer."""

import datetime as dt

import pytest
from pydantic import ValidationError

from config.ids import new_id
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.payments.payments import Payment
from pos.payments.practice_terminal import PracticeTerminal
from pos.payments.providers import NEVER_SEEN
from pos.reports import reports
from pos.stock import stock
from pos.store.store import store_of
from pos.till import shift, shift_report
from store_app.jobs import jobs
from store_app.jobs.desk import Desk
from store_app.payments.providers import providers
from tests.store_app.conftest import NOON, STORE, token

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def house(build):
    """Give a store's node with a scripted terminal."""
    return build(payment_service="practice-scripted")


@pytest.fixture
def till(house):
    """Give a browser of a cashier at an open till that sells milk at 1.00."""
    stock_milk(house)
    client = browser(house)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    return client


def stock_milk(house):
    actor = Actor.system("test", STORE)
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        catalogue.add_product(Context(session, actor, NOON), "MILK", "Milk", category="dairy", tax_class_id="food")
        catalogue.set_price(Context(session, actor, NOON), "MILK", 100, dt.date(2026, 3, 1))
        catalogue.list_product(Context(session, actor, NOON), STORE, "MILK")
        stock.open_stock(Context(session, actor, NOON), STORE, [("MILK", 99)], source_id="opening")


def browser(house, role="cashier"):
    client = house.signed_in(role)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    return client


def wish(amount_minor=300, **other):
    given = {"id": new_id(), "sale_id": new_id(), "till_id": "1", "tender": "card", "way": "terminal"}
    return given | {"amount_minor": amount_minor} | other


def take(till, amount_minor=300, **other):
    """Have money captured."""
    asked = till.post("/api/payments", json=wish(amount_minor, **other)).json
    return till.get(f"/api/payments/{asked['id']}").json


def sell(till, sale_id, *payments):
    """Sell milk for what the payments come to."""
    total_minor = sum(payment["amount_minor"] for payment in payments)
    tenders = [
        {name: one[name] for name in ("tender", "amount_minor", "reference")} | {"payment_id": one["id"]}
        for one in payments
    ]
    body = {"id": sale_id, "till_id": "1", "lines": [{"sku": "MILK", "qty": total_minor // 100}], "tenders": tenders}
    return till.post("/api/sales", json=body | {"shown_total_minor": total_minor})


def work(house, seconds=60):
    house.clock.advance(seconds)
    return jobs.ask_payments(Desk(house.doors), DAY)


def held(house, payment):
    return PracticeTerminal(house.doors.settings.state_folder, scripted=True).holds_minor(payment["id"])


def test_a_card_is_asked_for_waited_for_and_pays_for_its_sale(till, house):
    asked = wish()
    first = till.post("/api/payments", json=asked)
    assert (first.status_code, first.json["state"], first.json["qr"]) == (201, "requested", None)
    waited = till.get(f"/api/payments/{asked['id']}").json
    assert (waited["state"], waited["reference"]) == ("captured", "P000001")
    assert sell(till, asked["sale_id"], waited).status_code == 201
    assert till.get(f"/api/payments/{asked['id']}").json["used"] is True
    assert till.get("/api/payments?unused=1").json == {"payments": []}


def test_a_double_click_asks_once_and_another_content_is_a_conflict(till, house):
    asked = wish()
    till.post("/api/payments", json=asked)
    again = till.post("/api/payments", json=asked)
    assert (again.status_code, again.json["id"]) == (200, asked["id"])
    other = till.post("/api/payments", json=asked | {"amount_minor": 301})
    assert (other.status_code, other.json["error"]["code"]) == (409, "payment-content-differs")
    assert held(house, asked) in (0, 300)


def test_the_shops_own_code_is_a_picture_for_as_long_as_it_is_to_be_scanned(till):
    asked = till.post("/api/payments", json=wish(tender="wallet", way="store_code")).json
    assert asked["qr"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert asked["qr_text"].startswith("000201")
    states = [till.get(f"/api/payments/{asked['id']}").json for _ in range(2)]
    assert [(one["state"], one["qr"] is None) for one in states] == [("requested", False), ("captured", True)]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("134567890123456789", 201, None), ("288888888888888888", 201, None),
     ("4006381333931", 422, "wallet-code-is-product"), ("hello", 422, "wallet-code-unknown"),
     ("", 422, "wallet-code-missing")],
)  # fmt: skip
def test_a_customers_code_pays_at_once_and_a_barcode_does_not(till, code, status, error):
    answer = till.post("/api/payments", json=wish(tender="wallet", way="customer_code", code=code))
    assert answer.status_code == status
    if error:
        assert answer.json["error"]["code"] == error
    else:
        assert answer.json["state"] == "captured"
        assert code not in answer.text


def test_a_declined_card_says_why_in_words_never_in_a_code(till, house):
    answer = till.post("/api/payments", json=wish(301)).json
    assert (answer["state"], answer["reason"]) == ("declined", "not enough money")
    with house.doors.write() as session:
        session.get_one(Payment, (STORE, answer["id"])).reason = NEVER_SEEN
    assert till.get(f"/api/payments/{answer['id']}").json["reason"] == ""


def test_no_answer_is_unknown_the_cashier_takes_cash_and_the_late_money_goes_back(till, house):
    asked = wish(303)
    assert till.post("/api/payments", json=asked).json["state"] == "unknown"
    cash = {"tender": "cash", "amount_minor": 300}
    body = {"id": asked["sale_id"], "till_id": "1", "lines": [{"sku": "MILK", "qty": 3}], "tenders": [cash]}
    assert till.post("/api/sales", json=body | {"shown_total_minor": 300}).status_code == 201
    for _ in range(4):
        work(house)
    assert till.get(f"/api/payments/{asked['id']}").json["state"] == "reversed"
    assert held(house, asked) == 0


def test_cancelling_stops_it_and_an_unknown_one_is_let_go_of(till, house):
    asked = till.post("/api/payments", json=wish(302)).json
    assert till.post(f"/api/payments/{asked['id']}/cancel", json={}).json["state"] == "cancelled"
    silent = till.post("/api/payments", json=wish(310)).json
    let_go = till.post(f"/api/payments/{silent['id']}/cancel", json={"why": "paid in cash"}).json
    assert (let_go["state"], let_go["unwanted"]) == ("unknown", True)


def test_money_that_pays_for_nothing_goes_back_or_pays_for_the_basket_rung_again(till, house):
    first, second = take(till), take(till, 400)
    found = till.get("/api/payments?unused=1").json["payments"]
    assert [one["id"] for one in found] == [first["id"], second["id"]]
    assert till.post(f"/api/payments/{first['id']}/reverse", json={}).json["state"] == "reversed"
    again = new_id()
    moved = till.post(f"/api/payments/{second['id']}/claim", json={"sale_id": again}).json
    assert moved["sale_id"] == again
    assert [one["id"] for one in till.get(f"/api/payments?sale_id={again}").json["payments"]] == [second["id"]]
    assert sell(till, again, moved).status_code == 201
    refused = till.post(f"/api/payments/{second['id']}/reverse", json={})
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "payment-used")


def test_one_payment_does_not_pay_for_two_sales(till):
    payment = take(till)
    assert sell(till, new_id(), payment).json["error"]["code"] == "payment-elsewhere"
    assert sell(till, payment["sale_id"], payment).status_code == 201
    second = sell(till, payment["sale_id"], payment)
    assert (second.status_code, second.json["repeated"]) == (200, True)


def test_giving_back_wants_somebody_who_may(till, house):
    payment = take(till)
    sell(till, payment["sale_id"], payment)
    body = {"id": new_id(), "return_id": new_id(), "till_id": "1", "amount_minor": 100}
    body |= {"sale_id": payment["sale_id"], "lines": [{"n": 1, "qty": 1}]}
    refused = till.post(f"/api/payments/{payment['id']}/give-back", json=body)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "needs-approval")
    keeper = browser(house, "shopkeeper")
    for _ in range(2):
        back = keeper.post(f"/api/payments/{payment['id']}/give-back", json=body).json
        assert (back["state"], back["amount_minor"], back["gives_back"]) == ("captured", -100, payment["id"])
    assert held(house, payment) == 200
    too_much = keeper.post(
        f"/api/payments/{payment['id']}/give-back", json=body | {"id": new_id(), "amount_minor": 201}
    )
    assert (too_much.status_code, too_much.json["error"]["facts"]["most_minor"]) == (409, 0)


def test_money_goes_back_for_the_goods_of_its_own_sale_and_no_further(till, house):
    payment, other = take(till), take(till)
    for one in (payment, other):
        sell(till, one["sale_id"], one)
    keeper = browser(house, "shopkeeper")
    body = {"id": new_id(), "return_id": new_id(), "till_id": "1", "lines": [{"n": 1, "qty": 1}]}
    body |= {"sale_id": payment["sale_id"], "amount_minor": 100}
    foreign = keeper.post(f"/api/payments/{other['id']}/give-back", json=body)
    assert (foreign.status_code, foreign.json["error"]["code"]) == (409, "payment-of-another-sale")
    more = keeper.post(f"/api/payments/{payment['id']}/give-back", json=body | {"amount_minor": 101})
    assert (more.status_code, more.json["error"]["code"]) == (409, "more-than-returned")
    back = keeper.post(f"/api/payments/{payment['id']}/give-back", json=body).json
    asked = {"id": new_id(), "sale_id": payment["sale_id"], "lines": [{"n": 1, "qty": 1}], "tender": "card"}
    reported = keeper.post("/api/returns/plan", json=asked).json
    assert (reported["return_id"], reported["total_minor"]) == (body["return_id"], 100)
    assert reported["ways"][0] | {"payment_id": back["id"]} == reported["ways"][0]
    mine = asked | {"till_id": "1", "why": "sour"}
    refused = keeper.post("/api/returns", json=mine)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "return-under-way")
    done = keeper.post("/api/returns", json=mine | {"id": reported["return_id"]})
    assert (done.status_code, done.json["total_minor"]) == (201, -100)


def test_a_restart_between_question_and_answer_loses_nothing(till, house, build):
    asked = till.post("/api/payments", json=wish(303)).json
    house.doors.database.engine.dispose()
    providers.__globals__["_providers"].cache_clear()
    for _ in range(3):
        work(house)
    assert till.get(f"/api/payments/{asked['id']}").json["state"] == "captured"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"amount_minor": 0}, 422), ({"amount_minor": "300"}, 422), ({"amount_minor": 2**60}, 422), ({"id": "x"}, 422),
     ({"id": "!!!!!!!!!"}, 422), ({"way": "cheque"}, 422), ({"tender": "cash"}, 422), ({"till_id": "9"}, 404),
     ({"code": "134567890123456789"}, 422), ({"more": 1}, 422), ({"sale_id": "\x00" * 9}, 422)],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(till, change, status):
    answer = till.post("/api/payments", json=wish() | change)
    assert answer.status_code == status, answer.text
    assert answer.json["error"]["message"]


def test_unknown_payments_and_lists_are_refused(till):
    for address in (f"/api/payments/{new_id()}", "/api/payments/" + "9" * 300):
        assert till.get(address).status_code == 404
        assert till.post(address + "/cancel", json={}).status_code == 404
    assert till.get("/api/payments").status_code == 422


def test_without_a_terminal_the_slip_number_is_typed(build):
    house = build(payment_service="none")
    stock_milk(house)
    till = browser(house)
    till.post("/api/shifts", json={"till_id": "1", "float_minor": 5000})
    assert till.post("/api/payments", json=wish()).json["error"]["code"] == "no-provider"
    slip = {"tender": "card", "amount_minor": 300, "reference": "slip 7"}
    body = {"id": new_id(), "till_id": "1", "lines": [{"sku": "MILK", "qty": 3}], "tenders": [slip]}
    assert till.post("/api/sales", json=body | {"shown_total_minor": 300}).status_code == 201


def pay_by_slip(till, qty=1, **slip):
    """Sell milk for a card's slip that was typed; returns its status and the code of a refusal."""
    tender = {"tender": "card", "amount_minor": 100 * qty} | slip
    body = {"id": new_id(), "till_id": "1", "lines": [{"sku": "MILK", "qty": qty}], "tenders": [tender]}
    answer = till.post("/api/sales", json=body | {"shown_total_minor": 100 * qty})
    return answer.status_code, answer.json.get("error", {}).get("code")


def test_where_there_is_a_terminal_what_is_typed_in_its_place_names_its_slip(till, house):
    for tender in ("card", "wallet"):
        for reference in ("", " 7 "):
            assert pay_by_slip(till, tender=tender, reference=reference) == (422, "slip-needed")
    owed = {"id": new_id(), "till_id": "1", "amount_minor": 100, "tender": "card"}
    refused = house.signed_in("supervisor")
    refused.environ_base["HTTP_X_CSRF_TOKEN"] = token(refused)
    reported = refused.post("/api/customers/nobody/repayments", json=owed)
    assert reported.json["error"]["code"] == "slip-needed"
    assert pay_by_slip(till, reference="71") == (201, None)


def test_a_slip_pays_once_a_day(till):
    assert pay_by_slip(till, reference="slip 7") == (201, None)
    assert pay_by_slip(till, reference="SLIP 7 ") == (409, "slip-used")
    assert pay_by_slip(till, qty=2, reference="slip 7") == (201, None)
    assert pay_by_slip(till, reference="slip 8") == (201, None)


def test_what_was_typed_stands_apart_on_x_and_in_the_report_of_tenders(till, house):
    assert pay_by_slip(till, reference="slip 7") == (201, None)
    sale_id = new_id()
    assert sell(till, sale_id, take(till, 300, sale_id=sale_id)).status_code == 201
    with house.doors.read() as session:
        report = shift_report.x_report(session, shift.current(session, STORE, "1"))
        day = shift.current(session, STORE, "1").business_day
        [row] = reports.report(session, store_of(session, STORE), "tender", day, day).rows
    assert (report["tenders"], report["typed"]) == ({"card": 400}, {"card": 100})
    assert (row["total_minor"], row["typed_minor"]) == (400, 100)


def test_a_terminal_that_moves_no_money_is_refused_in_a_real_shop():
    real = {"node_id": STORE, "secret_key": "k" * 40}
    with pytest.raises(ValidationError, match="moves no money"):
        Settings(**real, payment_service="practice")
    assert providers(Settings(**real)).names() == ()


def test_nobody_asks_for_money_who_is_not_signed_in(house):
    stranger = house.visitor()
    assert stranger.get("/api/payments/whatever").status_code == 401

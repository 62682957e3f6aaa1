"""The pickup counter's pages: from a new order to the customer's bag, each verb through its page."""

import datetime as dt
import re

import pytest

from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue.catalogue import TaxClass
from pos.payments import slip_numbers
from pos.payments.payments import Tendered
from pos.sold import Sale
from pos.stock import recall
from pos.store.store import Store, Till
from pos.till import shift
from supply.online.home_delivery import HomeDelivery
from supply.online.orders import PickupLine, PickupOrder, kept_until
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import CUSTOMER_TOKEN, SYSTEM, code_for, fill, picture_of, send, words

FIRST, BEER = "order-0001", "order-0002"


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, "1", 10_000)
    return house


def state(house, id=FIRST):
    with house.doors.read() as session:
        return session.get(PickupOrder, (STORE, id)).state


def sales(house):
    with house.doors.read() as session:
        return session.query(Sale).count()


def make_ready(client, id, skus):
    assert send(client, f"/pickup/{id}/accept").status_code == 303
    assert send(client, f"/pickup/{id}/pick").status_code == 303
    assert send(client, f"/pickup/{id}/picked", picked=skus, then="ready").status_code == 303


def test_the_counter_shows_new_orders_with_what_is_wanted(office):
    found = words(office.signed_in("cashier").get("/pickup/"))
    assert f"{STORE}-0001" in found
    assert "Li Wei" in found
    assert "2 Whole milk" in found


def test_an_order_s_square_scanned_at_the_till_leads_to_pickup(office):
    client = office.signed_in("cashier")
    for scanned in (CUSTOMER_TOKEN + FIRST, f"https://shop.example/shop/corner/order/{CUSTOMER_TOKEN}{FIRST}"):
        answer = client.get(f"/api/scan/{scanned}")
        assert answer.status_code == 409
        assert f"This is order {STORE}-0001: hand it over under Pickup." in answer.get_data(as_text=True)
    assert client.get(f"/api/scan/{CUSTOMER_TOKEN}nobody").status_code in (404, 422)


def test_what_was_paid_online_says_when_its_money_comes_by_how_it_was_handed_over(office):
    client = office.signed_in("cashier")
    with office.doors.write() as session:
        for order_id in (FIRST, BEER):
            row = session.get(PickupOrder, (STORE, order_id))
            row.paid_minor = row.total_minor
    make_ready(client, FIRST, ["milk", "tea"])
    for shown, said in ((code_for(FIRST), "holds the money for 14 days"), (CUSTOMER_TOKEN + FIRST, "after 7 days")):
        assert said in words(client.get(send(client, "/pickup/find", code=shown).location))
    assert send(client, f"/pickup/{FIRST}/collect").status_code == 303
    assert "code. The network pays out about" in words(client.get(f"/pickup/{FIRST}"))
    with office.doors.read() as session:
        reported = [row.body for row in session.query(OutboxMessage).filter_by(topic="pickup.moved")]
    assert sum(CUSTOMER_TOKEN + FIRST in body for body in reported) == 1, "the token leaves the store once"


def test_an_order_is_accepted_picked_made_ready_and_handed_over_with_change(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    found = send(client, "/pickup/find", code=code_for(FIRST))
    assert found.status_code == 303
    assert found.location.endswith(f"/pickup/{FIRST}/hand-over")
    assert "$6.53" in words(client.get(found.location))
    paid = send(client, f"/pickup/{FIRST}/collect", tender="cash", given="10")
    assert paid.status_code == 303, words(paid)
    assert "$3.47" in words(client.get(paid.location))
    assert state(office) == "collected"


def test_why_an_order_ended_is_said_in_the_readers_language_and_typed_words_stay(office):
    client = office.signed_in("cashier")
    for why, said in (("No one picked it up in time.", "逾期无人领取。"), ("Sold out, sorry", "Sold out, sorry")):
        with office.doors.write() as session:
            order = session.get(PickupOrder, (STORE, FIRST))
            order.state, order.why = "cancelled", why
        assert said in words(client.get(f"/pickup/{FIRST}?lang=zh"))


def test_what_is_in_the_bag_costs_together_what_is_to_pay(office):
    with office.doors.write() as session:
        session.get(TaxClass, "food").inclusive, session.get(TaxClass, "food").rate_bp = False, 1_000
        session.get(PickupLine, (STORE, FIRST, "milk")).saved = [["o1", "A coupon", 100]]
        milk, tea = (session.get(PickupLine, (STORE, FIRST, sku)) for sku in ("milk", "tea"))
        net = (milk.qty * milk.price_minor - 100, tea.qty * tea.price_minor)
        session.get(PickupOrder, (STORE, FIRST)).total_minor = sum(round(1.1 * minor) for minor in net)
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    shown = words(client.get(send(client, "/pickup/find", code=code_for(FIRST)).location))
    for minor in net:
        assert f"${round(1.1 * minor) / 100:.2f}" in shown
    assert f"${sum(round(1.1 * minor) for minor in net) / 100:.2f}" in shown


def test_a_card_read_elsewhere_hands_over_against_its_slip_alone(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    here = send(client, "/pickup/find", code=code_for(FIRST)).location
    assert 'name="reference"' in client.get(here).text
    collect = f"/pickup/{FIRST}/collect"
    refused = send(client, collect, tender="card", given="")
    assert "Enter the slip number as proof of payment" in words(refused)
    with office.doors.write() as session:
        slip_numbers.take(session, STORE, [Tendered("card", 653, "71-A")], day=NOON.date(), source="sale:another")
    assert "This slip number was already used for the same amount" in words(
        send(client, collect, tender="card", reference="71a")
    )
    assert state(office) == "ready"
    assert send(client, collect, tender="card", reference="72A").status_code == 303
    assert state(office) == "collected"


def test_before_the_till_is_open_no_money_is_asked_for_and_opening_it_leads_back(house):
    fill(house)
    client = house.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    here = send(client, "/pickup/find", code=code_for(FIRST)).location
    page = client.get(here).text
    assert f"/pickup/{FIRST}/collect" not in page
    way = f"/money/?next={here}"
    assert f'href="{way}"' in page
    assert f'name="next" value="{here}"' in client.get(way).text
    assert send(client, "/money/open", float="100", next=here).location == here
    assert f"/pickup/{FIRST}/collect" in client.get(here).text


def test_a_ready_order_is_said_to_be_kept_until_the_shop_closes(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    with office.doors.read() as session:
        order = session.get(PickupOrder, (STORE, FIRST))
        until = kept_until(session.get(Store, STORE), order.hold_until)
    assert (until.strftime("%H:%M"), order.hold_until - until) == ("22:00", dt.timedelta(hours=6))
    said = words(client.get("/pickup/"))
    assert "10:00" in said.partition("Kept until")[2][:40]


def test_paying_twice_with_one_click_is_one_sale(office):
    client, command = office.signed_in("cashier"), new_id()
    make_ready(client, FIRST, ["milk", "tea"])
    send(client, "/pickup/find", code=code_for(FIRST))
    for _ in range(2):
        paid = send(client, f"/pickup/{FIRST}/collect", command_id=command, tender="cash", given="10")
        assert paid.status_code == 303, words(paid)
    assert sales(office) == 1


@pytest.mark.parametrize("spelling", ["lower", "spaced", "token", "address"])
def test_the_code_is_taken_as_people_and_phones_give_it(office, spelling):
    client, code = office.signed_in("cashier"), code_for(FIRST)
    make_ready(client, FIRST, ["milk", "tea"])
    given = {
        "lower": code.lower(),
        "spaced": f" {code[:4]} {code[4:]} ",
        "token": CUSTOMER_TOKEN + FIRST,
        "address": f"http://shop.example/shop/s01/orders/{CUSTOMER_TOKEN}{FIRST}",
    }[spelling]
    assert send(client, "/pickup/find", code=given).location.endswith("/hand-over")


@pytest.mark.parametrize("code", ["", "12", "AAAAAAAA", "' or 1=1 --", "🍎" * 8, "\x00" * 8, "x" * 399])
def test_a_wrong_code_is_a_sentence_and_opens_nothing(office, code):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    refused = send(client, "/pickup/find", code=code)
    assert 400 <= refused.status_code < 500
    assert client.get(f"/pickup/{FIRST}/hand-over").status_code == 303


def test_without_the_code_nothing_is_handed_over(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    refused = send(client, f"/pickup/{FIRST}/collect", tender="cash", given="10")
    assert state(office) == "ready"
    assert sales(office) == 0
    assert 300 <= refused.status_code < 500


def test_too_little_cash_is_refused_and_the_order_stays_ready(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    send(client, "/pickup/find", code=code_for(FIRST))
    refused = send(client, f"/pickup/{FIRST}/collect", tender="cash", given="1")
    assert 400 <= refused.status_code < 500
    assert state(office) == "ready"
    assert 'value="1"' in refused.text


@pytest.mark.parametrize("given", ["", "-5", "ten", "1e9", "9" * 30, "5.005", "<i>"])
def test_an_amount_that_is_no_money_is_a_sentence(office, given):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    send(client, "/pickup/find", code=code_for(FIRST))
    refused = send(client, f"/pickup/{FIRST}/collect", tender="cash", given=given)
    assert refused.status_code == 422
    assert sales(office) == 0


def test_beer_needs_the_age_to_be_seen(office):
    client = office.signed_in("cashier")
    make_ready(client, BEER, ["beer"])
    send(client, "/pickup/find", code=code_for(BEER))
    assert "at least 21" in words(client.get(f"/pickup/{BEER}/hand-over"))
    refused = send(client, f"/pickup/{BEER}/collect", tender="cash", given="10")
    assert 400 <= refused.status_code < 500
    assert state(office, BEER) == "ready"
    assert send(client, f"/pickup/{BEER}/collect", tender="cash", given="10", age="21").status_code == 303


def test_a_missing_line_keeps_the_order_from_ready_and_settles_for_less(office):
    client = office.signed_in("cashier")
    send(client, f"/pickup/{FIRST}/accept")
    send(client, f"/pickup/{FIRST}/pick")
    refused = send(client, f"/pickup/{FIRST}/picked", picked=["milk"], then="ready")
    assert refused.status_code == 422
    assert "绿茶" in words(refused)
    assert send(client, f"/pickup/{FIRST}/picked", picked=["milk"], then="short").status_code == 303
    assert state(office) == "short"
    assert send(client, f"/pickup/{FIRST}/ready").status_code == 303
    assert "$2.58" in words(client.get(f"/pickup/{FIRST}"))


def test_who_wants_all_or_nothing_gets_it_cancelled_with_one_button(office):
    client = office.signed_in("cashier")
    with office.doors.write() as session:
        session.get(PickupOrder, (STORE, FIRST)).if_short = "cancel"
    for step in ("accept", "pick"):
        send(client, f"/pickup/{FIRST}/{step}")
    assert 'value="cancelled"' in client.get(f"/pickup/{FIRST}").text
    refused = send(client, f"/pickup/{FIRST}/picked", picked=["milk"], then="short")
    assert "everything or nothing" in words(refused)
    for _ in range(2):
        assert send(client, f"/pickup/{FIRST}/picked", picked=["milk"], then="cancelled").status_code == 303
    assert state(office) == "cancelled"


@pytest.mark.parametrize(("own", "opened", "rung"), [("2", "2", "2"), ("1", "2", "2"), ("2", "1", "1")])
def test_an_order_is_rung_at_the_browsers_own_till_or_at_one_that_is_open(house, own, opened, rung):
    fill(house)
    with house.doors.write() as session:
        session.add(Till(store_id=STORE, id="2", name="Till 2"))
        session.flush()
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, opened, 10_000)
    client = house.signed_in("cashier")
    with client.session_transaction() as browser:
        browser["till_id"] = own
    make_ready(client, FIRST, ["milk", "tea"])
    send(client, "/pickup/find", code=code_for(FIRST))
    assert send(client, f"/pickup/{FIRST}/collect", tender="cash", given="10").status_code == 303
    with house.doors.read() as session:
        assert session.query(Sale.till_id).scalar() == rung
    send(client, f"/pickup/{FIRST}/return/ask", why="Sour")
    assert 'name="back-milk"' in client.get(f"/pickup/{FIRST}").text
    assert "“Sour”" in words(client.get("/pickup/")), "who works at the pickup sees what needs a response"


def test_refusing_needs_a_reason_and_frees_the_units(office):
    client = office.signed_in("cashier")
    client.get("/pickup/?lang=zh")
    assert send(client, f"/pickup/{FIRST}/refuse").status_code == 422
    assert send(client, f"/pickup/{FIRST}/refuse", reason="refuse-closing").status_code == 303
    assert state(office) == "refused"
    for language, said in (("en", "We are closing"), ("de", "Wir schließen gerade"), ("es", "Estamos cerrando")):
        page = words(client.get(f"/pickup/{FIRST}?lang={language}"))
        assert page.count(said) == 2, "with the order, and in its history"


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("picked", {"then": "ready", "picked": "milk"}),
        ("ready", {}),
        ("pick", {}),
        ("collect", {"tender": "cash", "given": "10"}),
        ("picked", {"then": "nothing"}),
    ],
)
def test_a_step_out_of_order_is_a_sentence_and_changes_nothing(office, step, fields):
    client = office.signed_in("cashier")
    before = picture_of(office)
    refused = send(client, f"/pickup/{FIRST}/{step}", **fields)
    assert 300 <= refused.status_code < 500
    assert picture_of(office) == before


def test_a_double_click_on_accept_is_no_fault(office):
    client = office.signed_in("cashier")
    for _ in range(2):
        assert send(client, f"/pickup/{FIRST}/accept").status_code == 303
    assert state(office) == "accepted"


def test_a_cancelled_order_is_found_under_done(office):
    client = office.signed_in("cashier")
    send(client, f"/pickup/{FIRST}/accept")
    assert send(client, f"/pickup/{FIRST}/cancel", reason="cancel-customer").status_code == 303
    assert f"{STORE}-0001" in words(client.get("/pickup/past"))


@pytest.mark.parametrize("id", ["nothing", "x" * 900])
def test_an_unknown_order_is_a_sentence(office, id):
    client = office.signed_in("cashier")
    assert client.get(f"/pickup/{id}").status_code == 404
    for step in ("accept", "pick", "ready", "collect", "cancel"):
        assert (
            300
            <= send(client, f"/pickup/{id}/{step}", tender="cash", given="1", reason="cancel-customer").status_code
            < 500
        )


def test_an_order_of_what_was_recalled_since_says_so_and_is_not_handed_over(office):
    client = office.signed_in("cashier")
    make_ready(client, FIRST, ["milk", "tea"])
    assert "Recalled" not in words(client.get(f"/pickup/{FIRST}"))
    with office.doors.write() as session:
        recall.call(Context(session, SYSTEM, NOON), STORE, "milk", None, why="Glass", called_by="")
        door = {
            "place": "Hill",
            "street": "House 2",
            "note": "",
            "lat_e6": 1,
            "lon_e6": 1,
            "fee_minor": 0,
            "charged_minor": 0,
        }
        session.add(HomeDelivery(store_id=STORE, order_id=FIRST, **door))
    for page in (f"/pickup/{FIRST}", "/home-deliveries/"):
        assert "Recalled: Whole milk. Do not hand these over" in words(client.get(page)), page
    with office.doors.write() as session:  # it is collected after all
        session.get_one(HomeDelivery, (STORE, FIRST)).state = "to_collect"
    there = send(client, "/pickup/find", code=code_for(FIRST)).location
    refused = send(client, there.replace("hand-over", "collect"), tender="cash", given="10")
    assert refused.status_code == 409, words(refused)
    assert "Whole milk is recalled" in words(refused)
    assert (state(office), sales(office)) == ("ready", 0)


def test_delivery_times_are_typed_and_shown_as_the_browser_writes_a_time(office):
    client = office.signed_in()
    with office.doors.read() as session:
        rest = {"tax_class_id": session.query(TaxClass).first().id, "fee": "1", "minimum": "0", "fee_name": "Way"}
    rest |= {"radius_m": "900", "window_orders": "6", "lead_minutes": "45", "days_ahead": "2"}
    times = {"from-0": "17:00", "until-0": "20:00", "from-2": "11:00", "until-2": "13:00"}
    assert send(client, "/home-deliveries/rules", **times, **rest).status_code == 303
    shown = client.get("/home-deliveries/rules").text
    typed = re.findall(r'type="time" name="([\w-]+)" aria-label="(\w+)" value="([\d:]*)"', shown)
    assert typed == [("from-0", "From", "11:00"), ("until-0", "Until", "13:00"), ("from-1", "From", "17:00"),
                     ("until-1", "Until", "20:00"), ("from-2", "From", ""), ("until-2", "Until", "")]  # fmt: skip
    for odd in ({"from-0": "11:00"}, {"from-0": "13:00", "until-0": "11:00"}, {}):
        assert send(client, "/home-deliveries/rules", **odd, **rest).status_code == 422

"""An order taken at the counter through its page: chosen, paid or not, its slip printed, its money given back."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.catalogue import Price, Product
from pos.catalogue.offers import Coupon
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.payments import slip_numbers
from pos.payments.payments import Tendered
from pos.pricing.promises import Choice, Offer, Part
from pos.printing.queue import PrintJob
from pos.sold import Sale, SaleLine
from pos.store.store import store_of
from pos.till import shift
from supply.online.orders import PickupOrder, lines_of
from supply.orders import suppliers
from supply.orders.suppliers import CasePack
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, send, words


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, "1", 10_000)
        tax_class_id = session.get_one(Product, "milk").tax_class_id
        session.add(Product(sku="robot", name="Toy robot", category="Toys", tax_class_id=tax_class_id,
                            search_text="toy robot"))  # fmt: skip
        session.flush()
        session.add(Price(sku="robot", scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=2_000))
        suppliers.offer_product(
            Context(session, SYSTEM, NOON), "net", "robot", CasePack(pack_qty=6, pack_cost_minor=6_000)
        )
    return house


def order(client, *, command="", **fields):
    page = client.get("/counter-order/").text
    given = {"name": "Grandma Wu", "pay": "", "shown_total": re.search(r'shown_total" value="(\d+)"', page)[1]}
    return send(client, "/counter-order/", command_id=command, **(given | fields))


def the_order(house):
    with house.doors.read() as session:
        return session.scalar(sa.select(PickupOrder).where(PickupOrder.number < 0))


def drawer(house):
    with house.doors.read() as session:
        return shift.current(session, STORE, "1").expected_minor


def test_what_is_here_and_what_is_ordered_in_make_one_order_with_its_slip(office):
    client = office.signed_in("cashier")
    assert "in store from" in words(client.get("/counter-order/?q=robot"))
    for sku in ("milk", "milk", "robot"):
        assert send(client, "/counter-order/put", sku=sku).status_code == 303
    done = order(client, pay="cash")
    assert done.status_code == 303, words(done)
    shown = words(client.get(done.location))
    found = the_order(office)
    assert f"{STORE}-C0001 saved" in shown
    assert (found.state, found.comes_on is not None) == ("accepted", True)
    assert drawer(office) == 10_000 + found.total_minor
    with office.doors.read() as session:
        assert [(line.sku, line.qty, line.awaited) for line in lines_of(session, found)] == [
            ("milk", 2, False), ("robot", 1, True),
        ]  # fmt: skip
        job = session.scalar(sa.select(PrintJob).where(PrintJob.source_id == found.id))
    assert job.opens_drawer
    assert job.document["customer"]["code"] in shown
    assert "on order" in words(client.get("/pickup/"))
    assert "on order · packed by 6" in words(client.get(f"/pickup/{found.id}"))


def test_an_order_paid_by_card_names_its_slip_which_pays_for_nothing_else(office):
    client = office.signed_in("cashier")
    send(client, "/counter-order/put", sku="robot")
    assert "Enter the slip number as proof of payment" in words(order(client, pay="card"))
    assert order(client, pay="card", reference="A 17").status_code == 303
    with office.doors.write() as session, pytest.raises(Refused) as refusal:
        slip_numbers.take(session, STORE, [Tendered("card", 2_000, "a17")], day=NOON.date(), source="sale:another")
    assert refusal.value.code == "slip-used"


def test_what_was_chosen_is_said_and_the_search_is_over(office):
    client = office.signed_in("cashier")
    put = send(client, "/counter-order/put", q="milk", sku="milk")
    assert put.location == "/counter-order/"  # at its top, where the order stands, and not at the hits again
    assert "Whole milk is in the order." in words(client.get(put.location))
    assert 'href="#order-title"' in client.get("/counter-order/?q=robot").text


def test_while_the_till_is_closed_no_money_is_offered_to_be_taken(house):
    fill(house)
    client = house.signed_in("cashier")
    send(client, "/counter-order/put", sku="milk")
    shown = client.get("/counter-order/")
    assert "Open the till to take payment." in words(shown)
    assert re.findall(r'name="pay" value="(\w*)"[^>]* disabled', shown.text) == ["cash", "card"]
    assert order(client).status_code == 303, "what is paid later can be ordered"


def test_a_click_sent_twice_is_one_order_and_scanning_chooses_too(office):
    client, command = office.signed_in("cashier"), new_id()
    with office.doors.read() as session:
        code = session.scalar(sa.text("select code from barcode where sku = 'milk' and qty = 1"))
    assert send(client, "/counter-order/put", q=code).status_code == 303
    assert order(client, command=command).status_code == 303
    assert (
        send(client, "/counter-order/", command_id=command, name="Grandma Wu", pay="", shown_total="1").status_code
        == 303
    )
    with office.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(PickupOrder.number < 0)) == 1


def test_nothing_chosen_no_name_and_what_cannot_be_had_are_said_and_kept(office):
    client = office.signed_in("cashier")
    assert send(client, "/counter-order/", name="Wu", pay="", shown_total="0").status_code == 422
    assert send(client, "/counter-order/put", sku="nothing").status_code == 404
    send(client, "/counter-order/put", sku="milk")
    refused = order(client, name="")
    assert refused.status_code == 422
    assert "Enter the name" in words(refused)
    assert send(client, "/counter-order/change/milk", steps="0").status_code == 303
    assert "No products yet" in words(client.get("/counter-order/"))


def test_what_was_paid_goes_back_when_the_order_is_cancelled_and_its_code_leaves_the_slip(office):
    client = office.signed_in("supervisor")
    send(client, "/counter-order/put", sku="milk")
    order(client, pay="cash")
    order_id = the_order(office).id
    assert send(client, f"/pickup/{order_id}/cancel", reason="cancel-customer").status_code == 303
    assert "is due for refund" in words(client.get(f"/pickup/{order_id}"))
    for _ in range(2):  # the second one finds nothing due and says so
        assert send(client, f"/counter-order/{order_id}/give-back", tender="cash").status_code == 303
    assert drawer(office) == 10_000
    with office.doors.read() as session:
        assert "customer" not in session.scalar(sa.select(PrintJob).where(PrintJob.source_id == order_id)).document


def test_a_known_customer_and_a_coupon_lower_the_total_and_an_unusable_coupon_says_why(office):
    everything = (Part(Choice(everything=True)),)
    half = Offer("half", "Half price", "percent", everything, percent_bp=5_000, codes=frozenset())
    tenth = Offer("tenth", "For members", "percent", everything, percent_bp=1_000, members_only=True)
    with office.doors.write() as session:
        for offer in (half, tenth):
            offers.make(Context(session, SYSTEM, NOON), STORE, offer)
        offers.make_coupons(Context(session, SYSTEM, NOON), STORE, "half", codes=["HALF"], most_uses=1)
        for name in ("Rosa Lind", "Rosa Meyer"):
            wished = Particulars(name, agreed=frozenset({"points"}))
            customers.add(Context(session, SYSTEM, NOON), store_of(session, STORE), new_id(), wished)
    client = office.signed_in("cashier")

    def total():
        return int(re.search(r'shown_total" value="(\d+)"', client.get("/counter-order/").text)[1])

    send(client, "/counter-order/put", sku="milk")
    full = total()
    several = send(client, "/counter-order/customer", who="rosa").location
    assert "Rosa Meyer" in words(client.get(several))
    assert send(client, "/counter-order/customer", who="lind").status_code == 303
    assert "Rosa Lind gets member prices" in words(client.get("/counter-order/"))
    assert total() == full - round(full / 10)
    refused = send(client, "/counter-order/coupons", coupon="none")
    assert (refused.status_code, "Coupon not found. Check the code" in words(refused)) == (422, True)
    assert send(client, "/counter-order/coupons", coupon="half").status_code == 303
    assert total() == full // 2
    send(client, "/counter-order/coupons/HALF/out")
    assert total() == full - round(full / 10)
    send(client, "/counter-order/coupons", coupon="half")
    assert order(client).status_code == 303
    found = the_order(office)
    assert (found.coupons, found.member, found.total_minor) == (["HALF"], True, full // 2)
    with office.doors.read() as session:
        assert session.get_one(Coupon, (STORE, "HALF")).uses == 1
    send(client, "/counter-order/put", sku="milk")  # the next customer: nothing of the last one's is left
    assert (total(), "Rosa" in words(client.get("/counter-order/"))) == (full, False)
    assert "used up" in words(send(client, "/counter-order/coupons", coupon="half"))


# --- a customer's message ---


def test_a_message_becomes_an_order_where_it_is_sure_and_chosen(office):
    client = office.signed_in("cashier")
    assert "/counter-order/message" in client.get("/counter-order/").text
    answer = send(client, "/counter-order/message", list="Hi!\n2 toy robots\n3 whole milk\nunicorn")
    assert re.findall(r'data-line="(\w+)"', answer.text) == ["note", "sure", "sure", "missing"], words(answer)
    picks = dict(re.findall(r'name="(pick-\d+)" value="([^"]+)" checked', answer.text))
    assert set(picks.values()) == {"robot 2", "milk 3"}
    assert send(client, "/counter-order/message/order", **picks).status_code == 303
    assert order(client).status_code == 303
    found = the_order(office)
    with office.doors.read() as session:
        assert [(line.sku, line.qty) for line in lines_of(session, found)] == [("milk", 3), ("robot", 2)]


def test_a_choice_that_cannot_be_had_is_named_and_a_message_too_long_is_refused(office):
    client = office.signed_in("cashier")
    assert send(client, "/counter-order/message/order", **{"pick-0": "nothing 1"}).status_code == 303
    assert "nothing is out of stock." in words(client.get("/counter-order/"))
    refused = send(client, "/counter-order/message", list="x" * 5_000)
    assert refused.status_code == 422
    assert "Split it in two." in words(refused)
    assert "Choose at least one product first." in words(send(client, "/counter-order/message/order", list="milk"))


def test_the_same_as_last_time_is_what_the_known_customer_bought(office):
    with office.doors.write() as session:
        ctx, wished = Context(session, SYSTEM, NOON), Particulars("Rosa Lind", agreed=frozenset({"points"}))
        customers.add(ctx, store_of(session, STORE), rosa := new_id(), wished)
        sale = dict.fromkeys(("till_id", "shift_id", "epoch", "cashier_id", "cashier_name", "request_hash"), "1")
        session.add(Sale(store_id=STORE, id="sale-rosa", receipt_no=999, business_day=NOON.date(), completed_at=NOON,
                         currency="USD", lines_minor=0, total_minor=0, tax_minor=0, customer_id=rosa,
                         **sale))  # fmt: skip
        session.add(SaleLine(store_id=STORE, sale_id="sale-rosa", n=1, sku="milk", name="Milk", stock_unit="each",
                             qty=4, unit_price_minor=1, price_quantity=1, total_minor=4, net_minor=4, tax_minor=0,
                             tax_class_id="x", rate_bp=0, business_day=NOON.date()))  # fmt: skip
    client = office.signed_in("cashier")
    assert "There is no earlier order" in words(send(client, "/counter-order/message", list="same as last time"))
    assert "Find a customer" in words(client.get("/counter-order/"))
    assert send(client, "/counter-order/customer", who="lind").status_code == 303
    assert 'value="milk 4" checked' in send(client, "/counter-order/message", list="same as last time").text

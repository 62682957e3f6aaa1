"""Reviews on the order's and the product's page, and what the operator decides."""

from config.ids import new_id
from config.nodes.journal import Context
from store_app.web import staff
from supply.money import escrow
from supply.money.held_payments import Escrow
from supply.online.checkout import placing
from supply.online.orders import PickupOrder, order_for_update
from supply.online.storefront.reviews import Review
from tests.store_app.conftest import post
from tests.store_app.town import ONLINE, code_on
from tests.supply.online_store import AT, STORE


def operator(market):
    client = market.house.app.test_client()
    assert post(client, "/signin/operator", pin=staff.PRACTICE_PINS["operator"]).status_code == 303
    return client


def collected(market, customer, *, online=False):
    town = market.town
    town.open_till()
    address = customer.order(("milk", 1), **({"pay": "online"} if online else {})).location
    with town.network.read() as session:
        order_id = session.query(PickupOrder).one().id
    if online:
        for _ in range(3):
            customer.send(f"{address}/pay")
    town.deliver()
    town.make_ready(order_id)
    town.collect(code_on(customer.look(address)), new_id(), 129)
    town.deliver()
    return order_id, address


def test_a_review_is_written_on_the_orders_page_and_read_on_the_products(market):
    customer = market.customer()
    order_id, address = collected(market, customer)
    assert "How was it?" in customer.look(address).text
    assert customer.send(f"{address}/review", sku="milk", stars=5, words="Very fresh.").status_code == 303
    shown = market.customer().look(f"{ONLINE}/p/milk").text
    assert "Very fresh." in shown
    assert market.customer().send(f"{ONLINE}/p/milk/reviews/{order_id}/report", why="Spam.").status_code == 303
    client = operator(market)
    assert "Spam." in client.get("/console/customers/").text
    hidden = market.customer()
    hidden.browser = client
    assert (
        hidden.send(f"/console/customers/reviews/{STORE}/{order_id}/milk", why="It is spam.", hide="yes").status_code
        == 303
    )
    assert "Very fresh." not in market.customer().look(f"{ONLINE}/p/milk").text
    with market.town.network.read() as session:
        assert session.get(Review, (STORE, order_id, "milk")).decided_why == "It is spam."


def test_a_dispute_is_decided_by_the_operator_and_the_money_goes_both_ways(market):
    customer = market.customer()
    order_id, _ = collected(market, customer, online=True)
    with market.town.network.write() as session:
        order_for_update(session, STORE, order_id)
        escrow.dispute(Context(session, placing.CUSTOMER, AT), order_id, why="Sour.")
    helper = market.customer()
    helper.browser = operator(market)
    assert "Sour." in helper.look("/console/customers/").text
    assert helper.send(f"/console/customers/disputes/{order_id}", refund="9.00", why="Half.").status_code == 409
    assert helper.send(f"/console/customers/disputes/{order_id}", refund="0.60", why="Half.").status_code == 303
    with market.town.network.read() as session:
        assert session.get(Escrow, order_id).state == "settled"
        assert escrow.total_of(session, [order_id], "store") == 69


def test_odd_reviews_are_sentences(market):
    customer = market.customer()
    _, address = collected(market, customer)
    for fields in ({"sku": "milk", "stars": "9"}, {"sku": "milk", "stars": "x"}, {"sku": "no", "stars": "3"}):
        assert 400 <= customer.send(f"{address}/review", **fields).status_code < 500

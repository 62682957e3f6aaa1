"""One product on one page: each part for those who may see it, and its name leading there from everywhere."""

import pytest

from config.nodes.journal import Context
from supply.orders import orders
from supply.replenishment import proposals
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, proposal, words


@pytest.fixture
def office(build):
    house = build(network_url="https://network.example", printer="paper")
    fill(house)
    with house.doors.write() as session:
        proposal(session)
    return house


def test_the_shopkeeper_finds_price_stock_sales_supplier_codes_and_label_on_one_page(office):
    with office.doors.write() as session:
        proposals.approve(Context(session, SYSTEM, NOON), STORE, "order-P1")
        orders.send(Context(session, SYSTEM, NOON), STORE, "order-P1")
    found = words(office.signed_in().get("/products/milk"))
    for part in (
        "New price", "free to sell 7", "sold in 7 days 43", "sold in 8 weeks 344",
        "12 on order for Tue, Mar 3", "Cornerstore Supply", "Next delivery", "Ordering rules", "Cost each, before tax",
        "4006381333931", "Print label", "Opening stock",
    ):  # fmt: skip
        assert part in found, part


def test_a_cashier_sees_price_and_stock_and_neither_cost_nor_sales_nor_a_form_to_change_them(office):
    answer = office.signed_in("cashier").get("/products/milk")
    found = words(answer)
    assert "$1.29" in found
    assert "free to sell 7" in found
    for part in ("Cost", "margin", "Supplier", "Sales", "Write off", "Print label"):
        assert part not in found, part
    assert 'action="/products/' not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/stock/",
        "/products/",
        "/orders/",
        "/deliveries/D1",
        "/suppliers/net",
        "/pickup/order-0001",
        "/stock/milk/count",
    ],
)
def test_a_product_s_name_leads_to_its_page(office, address):
    assert 'href="/products/milk"' in office.signed_in().get(address).text

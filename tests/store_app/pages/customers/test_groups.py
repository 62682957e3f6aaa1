"""A group buy on its pages: opened at the counter, joined and paid on a phone, dealt out when the vehicle has come."""

import datetime as dt

import pytest

from config.errors import DomainError
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product, TaxClass
from pos.stock import stock
from supply.online.groups import groups
from supply.online.groups.groups import GroupOffer, GroupTerms
from supply.online.orders import PickupOrder
from supply.sync import groups as group_facts
from tests.store_app.office import House, send, words
from tests.store_app.pages.customers.test_pickup import office  # noqa: F401  the furnished store
from tests.store_app.town import ONLINE, OTHER_ONLINE, code_on
from tests.supply.online_store import ANA, AT, STORE, later

GROUP = "group-00001"


@pytest.fixture
def market(market):
    terms = GroupTerms(
        id=GROUP, store_id=STORE, owner=STORE, sku="milk", name="Milk together", steps=((1, 120), (6, 100)),
        threshold_qty=6, case_qty=6, minimum_cases=1, closes_at=later(hours=2), vehicle_day=dt.date(2026, 3, 4),
        pickup_until=dt.date(2026, 3, 6), commission_bp=500, leader="Auntie Chen", leader_token="leader-link",
    )  # fmt: skip
    with market.town.store.write() as session:
        group_facts.open_at_store(Context(session, ANA, AT), terms)
    market.town.deliver()
    return market


def joined(market, want=6, **more):
    customer = market.customer()
    answer = customer.send(f"{ONLINE}/group/{GROUP}", want=want, name="Li", phone="555 0100", **more)
    assert answer.status_code == 303, answer.text
    return customer, answer.location


def test_a_neighbour_joins_pays_and_collects_by_the_very_same_address(market):
    assert "Milk together" in market.customer().look().text
    customer, address = joined(market)
    assert "Pay to join" in customer.look(address).text
    for _ in range(3):
        customer.send(f"{address}/pay")
    assert "You’re in." in customer.look(address).text
    with market.town.network.write() as session:
        group_facts.close_due(session, at=later(hours=2))
    market.town.deliver()
    with market.town.store.write() as session:
        stock.receive(Context(session, ANA, AT), STORE, [("milk", 6)], source_kind="delivery", source_id="vehicle")
        group_facts.say_arrived(Context(session, ANA, AT), STORE, GROUP, 6)
    market.town.deliver()
    order = customer.look(address)
    assert order.status_code == 303
    shown = customer.look(order.location)
    assert len(code_on(shown)) == 8
    assert "Paid online" in shown.text


def test_an_id_that_stands_on_a_bag_opens_nobodys_order_and_jams_no_group(market):
    neighbour = market.customer()
    mine = neighbour.order(("milk", 1), name="Wang Fang")
    with market.town.network.read() as session:
        order_id = session.query(PickupOrder.id).scalar()
    _, address = joined(market, command_id=order_id)
    token = address.rpartition("/")[2]
    assert token not in mine.location
    stranger = market.customer()
    assert stranger.look(f"{ONLINE}/order/{token}").status_code == 404
    assert "Wang Fang" not in stranger.look(address).text
    answer = stranger.order(("milk", 1), command_id=order_id, name="Wang Fang")
    assert answer.location != mine.location


def test_one_page_sent_twice_is_one_share_and_another_visitors_page_is_another(market):
    customer, address = joined(market, command_id="01JNA00000000000000000JOIN")
    for want, status in ((6, 303), (5, 409)):
        again = customer.send(
            f"{ONLINE}/group/{GROUP}", command_id="01JNA00000000000000000JOIN", want=want, name="Li", phone="555 0100"
        )
        assert (again.status_code, again.location) == (status, address if status == 303 else None)
    _, other = joined(market, command_id="01JNA00000000000000000JOIN")
    assert other != address


def test_a_page_that_joined_a_group_may_order_too(market):
    customer, address = joined(market, command_id="01JNA00000000000000000BOTH")
    answer = customer.order(("milk", 1), command_id="01JNA00000000000000000BOTH")
    assert answer.status_code == 303
    assert answer.location.rpartition("/")[2] != address.rpartition("/")[2]


def test_a_group_is_joined_at_its_own_shop_alone(market):
    customer = market.customer()
    assert customer.look(f"{OTHER_ONLINE}/group/{GROUP}").status_code == 404
    answer = customer.send(f"{OTHER_ONLINE}/group/{GROUP}", want=1, name="Li", phone="555 0100")
    assert answer.status_code == 404


def test_the_leaders_link_shows_what_is_earned_and_no_neighbour(market):
    joined(market)
    shown = market.customer().look(f"{ONLINE}/leader/leader-link").text
    assert "Auntie Chen leads this group" in shown
    assert "No payout account yet. Give the store your" in shown
    assert "555 0100" not in shown
    for wrong in (f"{ONLINE}/leader/other", f"{OTHER_ONLINE}/leader/leader-link"):
        assert market.customer().look(wrong).status_code == 404


def test_who_leaves_is_told_so_and_two_clicks_are_one(market):
    customer, address = joined(market, want=2)
    for _ in range(2):
        assert customer.send(f"{address}/leave").status_code == 303
    reported = words(customer.look(address))
    assert "You left this group." in reported
    assert "in for" not in reported


def test_each_price_of_a_group_is_what_is_paid_with_its_tax(market):
    with market.town.network.write() as session:
        session.get_one(TaxClass, session.get_one(Product, "milk").tax_class_id).rate_bp = 1_000
        session.get_one(TaxClass, session.get_one(Product, "milk").tax_class_id).inclusive = False
    reported = words(market.customer().look(f"{ONLINE}/group/{GROUP}"))
    for price in ("at 1 or more in total: ¥1.32 each", "at 6 or more in total: ¥1.10 each", "Tax and deposit included"):
        assert price in reported
    customer, address = joined(market, want=2)
    assert "¥2.64" in words(customer.look(address))


def test_a_closed_group_takes_nobody_and_says_so(market):
    with market.town.network.write() as session:
        groups.fail(Context(session, ANA, AT), GROUP, why="No.")
    answer = market.customer().send(f"{ONLINE}/group/{GROUP}", want=1, name="Li", phone="555 0100")
    assert answer.status_code == 409
    assert "This group has closed" in answer.text


@pytest.mark.parametrize(
    "fields", [{"want": "0"}, {"want": "x"}, {"want": "1", "upto": "5000"}, {"want": "1", "phone": "a"}]
)
def test_odd_wishes_are_sentences(market, fields):
    answer = market.customer().send(f"{ONLINE}/group/{GROUP}", **{"name": "Li", "phone": "555 0100", **fields})
    assert answer.status_code == 422


GIVEN = {
    "name": "Milk together", "sku": "milk", "from-1": "1", "price-1": "1.20", "from-2": "12", "price-2": "1.00",
    "threshold": "12", "case": "6", "closes_day": "2026-03-05", "closes_time": "20:00", "vehicle_day": "2026-03-07",
    "pickup_until": "2026-03-09",
}  # fmt: skip


def test_a_shopkeeper_opens_a_group_once(office: House):  # noqa: F811
    client = office.signed_in()
    for _ in range(2):
        assert send(client, "/groups/", command_id="01JNA00000000000000000GRPA", **GIVEN).status_code == 303
    with office.doors.read() as session:
        (row,) = session.query(GroupOffer).all()
        assert (row.steps, row.case_qty) == ([[1, 120], [12, 100]], 6)
    assert "Milk together" in words(client.get("/groups/"))


def test_the_shopkeeper_says_where_the_leaders_commission_goes_at_once_or_later(office: House):  # noqa: F811
    client = office.signed_in()
    assert send(client, "/groups/", **GIVEN, leader="Auntie Chen").status_code == 422  # a leader for nothing
    assert send(client, "/groups/", **GIVEN, leader="Auntie Chen", commission="5").status_code == 303
    assert "Enter where the commission goes" in client.get("/groups/").text
    with office.doors.read() as session:
        address = f"/groups/{session.query(GroupOffer).one().id}/leader"
    assert send(client, address, leader_account="DE89370400440532013001").status_code == 422
    assert send(client, address, leader_account="DE89 3704 0044 0532 0130 00").status_code == 303
    assert "…3000" in client.get("/groups/").text


@pytest.mark.parametrize(
    "odd",
    [
        {"price-2": "2.00"},
        {"sku": "nothing"},
        {"vehicle_day": "2026-03-01"},
        {"closes_time": "x"},
        {"threshold": "0"},
        {"closes_day": "2026-02-01"},
    ],
)
def test_terms_no_group_could_keep_are_sentences(office: House, odd):  # noqa: F811
    client = office.signed_in()
    assert send(client, "/groups/", **{**GIVEN, **odd}).status_code == 422
    with office.doors.read() as session:
        assert session.query(GroupOffer).count() == 0


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"vehicle_day": "soon"}, "Enter a date such as 2026-12-31."),
        ({"closes_day": "soon"}, "Choose the day the group buy closes."),
        (
            {"closes_day": "9999-12-31", "vehicle_day": "", "pickup_until": ""},
            "Choose the day the group buy closes.",
        ),
    ],
)
def test_a_day_that_is_none_is_told_as_what_it_is_for(office: House, odd, said):  # noqa: F811
    assert said in words(send(office.signed_in(), "/groups/", **{**GIVEN, **odd}))


def test_a_cashier_opens_no_group(office: House):  # noqa: F811
    assert send(office.signed_in("cashier"), "/groups/", **GIVEN).status_code == 403


def test_arriving_before_ordering_is_refused(market):
    with market.town.store.write() as session, pytest.raises(DomainError, match="nothing is on its way"):
        group_facts.say_arrived(Context(session, ANA, AT), STORE, GROUP, 6)

"""A page that nobody touches: locked at the server after the store's minutes, for whoever has the cookie."""

import sqlalchemy as sa

from config.nodes.journal import JournalEntry
from pos.store.store import Store
from store_app.web.idle import TOUCHED
from supply.online.home_delivery import HomeDelivery
from supply.online.orders import PickupOrder
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import send, words

STATUS = "/api/status?till=1"


def lock_after(house, minutes):
    assert send(house.signed_in(), "/settings/lock", minutes=str(minutes)).status_code == 303


def test_what_scripts_ask_keeps_nothing_open_and_a_locked_session_is_over_for_every_copy_of_its_cookie(house):
    lock_after(house, 5)
    client = house.signed_in("cashier")
    assert client.get("/till/").status_code == 200
    copy = house.app.test_client()
    name = house.app.config["SESSION_COOKIE_NAME"]
    copy.set_cookie(name, client.get_cookie(name).value)
    house.clock.advance(299)
    assert client.get(STATUS).status_code == 200
    house.clock.advance(1)
    assert client.get(STATUS).status_code == 401
    assert copy.get(STATUS).status_code == 401
    assert copy.get("/money/").status_code == 303
    page = words(client.get("/till/", follow_redirects=True))
    assert "is locked" in page
    assert "was here last" in page
    with house.doors.read() as session:
        found = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "till.locked")).one()
    assert found.actor_id == "cashier"


def test_hands_keep_a_page_open_by_what_its_script_says_of_them(house):
    lock_after(house, 1)
    client = house.signed_in("cashier")
    client.get("/till/")
    for touched in ("10", "0", "59"):
        house.clock.advance(40)
        assert client.get(STATUS, headers={TOUCHED: touched}).status_code == 200
    house.clock.advance(20)
    assert client.get(STATUS, headers={TOUCHED: "0"}).status_code == 401, "hands that come too late open nothing"


def test_who_brings_orders_home_is_left_signed_in_at_the_doors_until_another_page_is_opened(house):
    lock_after(house, 1)
    client = house.signed_in("cashier")
    assert 'id="locked"' in client.get("/home-deliveries/").text, "nothing is on its way"
    with house.doors.write() as session:
        order = {"customer_name": "Wang", "customer_phone": "", "code_hash": "", "token_hash": "", "currency": "CNY"}
        session.add(
            PickupOrder(
                store_id=STORE, id="o1", number=1, order_no="A1", state="ready", total_minor=0, placed_at=NOON,
                moved_at=NOON, **order,
            )
        )  # fmt: skip
        door = {"place": "", "street": "4 / 1202", "note": "", "fee_minor": 0, "charged_minor": 0}
        session.add(HomeDelivery(store_id=STORE, order_id="o1", state="on_the_way", n=1, lat_e6=0, lon_e6=0, **door))
    for _ in range(2):
        page = client.get("/home-deliveries/")
        assert page.status_code == 200
        assert 'id="locked"' not in page.text
        house.clock.advance(3600)
    assert 'id="locked"' in client.get("/money/").text
    house.clock.advance(60)
    assert client.get("/money/").status_code == 303


def test_another_person_goes_on_at_the_same_till_by_a_pin(house):
    lock_after(house, 1)
    client = house.signed_in("cashier")
    client.get("/till/?till=1")
    assert send(client, "/lock").location.endswith("/signin/cashier")
    assert client.get(STATUS).status_code == 401
    assert send(client, "/signin/supervisor", pin="4444", next="/till/").location == "/till/"
    assert client.get(STATUS).status_code == 200
    assert "is locked" not in words(client.get("/signin"))


def test_nothing_locks_itself_at_first_and_only_listed_times_are_settled(house):
    client = house.signed_in("cashier")
    client.get("/till/")
    house.clock.advance(86_000)
    assert client.get(STATUS).status_code == 200
    assert send(house.signed_in(), "/settings/lock", minutes="7").status_code == 422
    assert send(client, "/settings/lock", minutes="5").status_code == 403
    with house.doors.read() as session:
        assert session.get_one(Store, STORE).lock_minutes == 0

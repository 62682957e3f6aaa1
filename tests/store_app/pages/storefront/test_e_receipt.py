"""The receipt on the customer's phone: who has the address sees the paper, everybody else learns nothing."""

import pytest

from config.nodes.journal import Context
from pos.documents import receipt
from pos.store.store import show_receipts, store_of
from tests.builders import NOON, Network, open_store
from tests.store_app.conftest import STORE, post
from tests.store_app.office import words

AT = f"http://localhost/shop/{STORE.lower()}/receipts"


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path)
    with found.write() as session:
        show_receipts(Context(session, found.wei, NOON), STORE, AT)
    yield found
    found.database.engine.dispose()


@pytest.fixture
def network(build):
    return build("network", "network")


def test_the_page_is_the_paper_once_the_sale_has_arrived(store, network):
    sold = store.sell([("milk", 3), ("bread", 1)]).document
    address = receipt.e_receipt_address(sold).removeprefix("http://localhost")
    missing = network.visitor().get(address)
    assert missing.status_code == 404
    for message in store.messages():
        Network(network.doors.database).take(message)
    answer = network.visitor().get(address)
    assert answer.status_code == 200
    assert "7,36" in words(answer)
    assert "milk" in words(answer).lower()
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert AT not in answer.text


def test_a_wrong_end_and_an_unknown_number_are_answered_alike(store, network):
    sold = store.sell([("milk", 1)]).document
    for message in store.messages():
        Network(network.doors.database).take(message)
    address = receipt.e_receipt_address(sold).removeprefix("http://localhost")
    visitor = network.visitor()
    wrong = [address[:-1] + ("a" if address[-1] != "a" else "b"), address.replace("T1-1/", "T1-2/"),
             address.replace("T1-1/", f"T1-{2**40}/"), address.replace("/s01/", "/s99/")]  # fmt: skip
    reported = {words(visitor.get(one)) for one in wrong}
    assert {visitor.get(one).status_code for one in wrong} == {404}
    assert len(reported) == 1


def test_the_shopkeeper_lets_receipts_carry_the_code_and_stops_it(build):
    house = build(public_url="https://shops.example")
    keeper = house.signed_in()
    for wanted, stands in (("yes", f"https://shops.example/shop/{STORE.lower()}/receipts"), ("no", "")):
        assert post(keeper, "/settings/receipts-online", wanted=wanted).status_code == 303
        with house.doors.read() as session:
            assert store_of(session, STORE).receipts_at == stands
        assert keeper.get("/settings/paper/48.png").data.startswith(b"\x89PNG")
    assert "Print the code" in words(keeper.get("/settings/"))


def test_without_a_network_there_is_no_place_for_receipts(build):
    keeper = build().signed_in()
    answer = post(keeper, "/settings/receipts-online", wanted="yes")
    assert answer.status_code == 409
    assert "No network is set" in words(answer)

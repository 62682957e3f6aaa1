"""The last two screens of a first run: a printer that is found or named and tried, and products to ring up."""

import pytest
import sqlalchemy as sa

from pos.catalogue import samples
from pos.catalogue.catalogue import Listing, Price, Product
from pos.printing.printers import Printer
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture
from tests.store_app.conftest import STORE, House
from tests.store_app.office import send, words

HERE = "/first-steps/printer"


@pytest.fixture
def house(build) -> House:
    """Give a store that looks for printers nowhere but on this computer."""
    return build(printer_search="127.0.0.1/32")


def test_samples_come_in_once_with_price_and_key_and_the_till_is_next(house: House):
    client = house.signed_in()
    assert "Add a tax class first." in words(send(client, "/first-steps/products"))
    send(client, "/taxes/", name="Food", rate="7", prices="inclusive")
    for _ in range(2):
        assert send(client, "/first-steps/products").location == "/till/"
    with house.doors.read() as session:
        query = sa.select(Listing.quick_key).join(Product, Product.sku == Listing.sku)
        keys = session.scalars(query.where(Product.owner_id == STORE).order_by(Listing.quick_key)).all()
        prices = session.scalars(sa.select(Price.price_minor).where(Price.scope_id == STORE)).all()
    assert keys == list(range(len(samples.SAMPLES)))
    assert sorted(prices) == sorted(one.cents for one in samples.SAMPLES)


def test_a_printer_is_set_up_by_its_address_and_prints_a_test_page_and_again_is_the_same_printer(house: House, tool):  # noqa: F811
    client = house.signed_in()
    with tool.VirtualPrinter(paper=80) as machine:
        for _ in range(2):
            assert send(client, HERE, where=f"127.0.0.1:{machine.port}").location == HERE
            assert "Test page printed" in words(client.get(HERE))
        machine.wait_idle()
        assert machine.text().count("TEST") == 2
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Printer)) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Enter the printer’s address, or search for it."), ("127.0.0.1:99999999", "127.0.0.1:99999999")],
)
def test_an_address_that_is_none_is_a_sentence_and_stays_typed(house: House, typed: str, sentence: str):
    answer = send(house.signed_in(), HERE, where=typed)
    assert (answer.status_code, f'value="{typed}"' in answer.text) == (422, True)
    assert sentence in words(answer)


def test_a_search_that_finds_nothing_says_what_to_look_at(house: House):
    assert "No printer found. Is it on" in words(send(house.signed_in(), f"{HERE}/look"))

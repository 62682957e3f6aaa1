"""Products brought in as a file: many at once, so that no till waits long, and nothing for what stands already."""

import pytest
import sqlalchemy as sa

from config.errors import Conflict
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product, TaxClass
from store_app.files import importing
from tests.store_app.conftest import NOON, STORE
from tests.store_app.house import House

BY = Actor.system("test", STORE)


@pytest.fixture
def taxed(house: House) -> House:
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
    return house


def brought(house: House, skus: list[str], price: str = "2.50", **more: str) -> int:
    """Bring products in as a file; return how many statements it took."""
    heading = ["sku", "name", "category", "tax_class", "price", *more]
    lines = [heading, *([sku, sku, "TopCategory", "food", price, *more.values()] for sku in skus)]
    sheet, asked = importing.read("products", "\n".join(map(",".join, lines)).encode(), "list.csv"), list[str]()

    def note(*reported: str) -> None:
        asked.append(reported[2])

    with house.doors.write() as session:
        engine = session.connection().engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            importing.write(Context(session, BY, NOON), sheet, STORE)
            session.flush()
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
    return len(asked)


def entries(house: House) -> int:
    with house.doors.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(JournalEntry)) or 0


def test_a_long_list_asks_no_more_than_a_short_one_and_the_same_list_again_writes_nothing(taxed: House):
    few, many = (brought(taxed, [f"{name}-{n}" for n in range(count)]) for name, count in (("a", 3), ("b", 300)))
    assert many <= few + 2
    before = entries(taxed)
    brought(taxed, [f"b-{n}" for n in range(300)])
    assert entries(taxed) == before
    brought(taxed, ["b-7"], price="3.50")
    brought(taxed, ["b-8"], cost="1.10")
    with taxed.doors.read() as session:
        prices = catalogue.prices_on(session, STORE, NOON.date(), ["b-7", "b-8"])
        assert prices == {"b-7": 350, "b-8": 250}
        assert session.get_one(Listing, (STORE, "b-8")).cost_minor == 110


def test_what_is_sold_no_more_is_sold_again_when_it_is_brought_in(taxed: House):
    brought(taxed, ["b-1"])
    with taxed.doors.write() as session:
        catalogue.list_product(Context(session, BY, NOON), STORE, "b-1", active=False)
    brought(taxed, ["b-1"])
    with taxed.doors.read() as session:
        assert session.get_one(Listing, (STORE, "b-1")).active


def test_a_row_that_cannot_come_in_is_named_by_its_number_and_keeps_all_out(taxed: House):
    with pytest.raises(Conflict, match=r"Row 3, barcode: 5000000000012 is also the barcode in row 2. Nothing"):
        brought(taxed, ["x-1", "x-2"], barcode="5000000000012")
    with taxed.doors.read() as session:
        assert session.get(Product, "x-1") is None

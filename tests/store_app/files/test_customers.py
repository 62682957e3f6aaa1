"""Customers brought in as a file: only what they agreed to, what they owe, all of the file or none of it."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import DomainError, Invalid
from config.nodes.journal import Actor, Context, JournalEntry
from pos.customers import consent, customers, tab
from pos.customers.customers import Customer
from pos.store.store import Store
from store_app.files import importing
from tests.store_app.conftest import NOON, STORE
from tests.store_app.house import House

HEAD = "name,phone,language,agreed,limit,owed,owed_since\n"
BY = Actor.system("test", STORE)


def brought(house: House, text: str) -> list[str]:
    """Bring a file in as the command does; returns its faults."""
    sheet = importing.read("customers", (HEAD + text).encode(), "customers.csv")
    with house.doors.read() as session:
        importing.look_around(session, sheet, STORE, at=NOON)
    if not sheet.faults:
        with house.doors.write() as session:
            importing.write(Context(session, BY, NOON), sheet, STORE)
    return [str(fault) for fault in sheet.faults]


def people(house: House) -> dict[str, Customer]:
    with house.doors.read() as session:
        return {one.name: one for one in session.scalars(sa.select(Customer))}


def test_the_old_book_comes_over_with_what_each_agreed_to(house: House):
    faults = brought(
        house, "Li Wei,+1 555 0100,zh,phone tab points,50,12.50,2026-02-01\nAnn,,,,,,\nBo,5550123.0,en,phone,,,\n"
    )
    assert faults == []
    known = people(house)
    assert {name: one.phone for name, one in known.items()} == {"Li Wei": "+15550100", "Ann": "", "Bo": "+15550123"}
    with house.doors.read() as session:
        store_id, li = STORE, known["Li Wei"].id
        standing = customers.standing(session, session.get_one(Store, store_id), li, at=NOON)
        assert (standing.tab_balance_minor, standing.tab_left_minor, standing.member) == (1250, 3750, True)
        owed = [entry.business_day for entry in session.scalars(sa.select(tab.TabEntry))]
        assert owed == [dt.date(2026, 2, 1)]  # it ages from the day of the old book
        assert set(consent.agreed(session, store_id, li)) == {"name", "phone", "tab", "points"}
        reported = "".join(entry.body for entry in session.scalars(sa.select(JournalEntry)))
    assert "Li Wei" not in reported


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Cy,5550111,,,,,", "Row 2, phone: is kept only where phone stands in agreed"),
        ("Cy,,,,20,,", "Row 2, limit: is kept only where tab stands in agreed"),
        ("Cy,,,tab,20,20.01,", "Row 2, owed: is more than the limit"),
        ("Cy,,,tab,20.0051,,", "Row 2, limit: has more than 2 decimals"),
        ("Cy,,,tab,20,1,2026-03-09", "Row 2, owed_since: lies ahead"),
        ("Cy,,,online,,,", "Row 2, agreed"),
        ("Cy,,fr,,,,", "Row 2, language"),
        ("Cy,12,,phone,,,", "Row 2, phone"),
        (",,zh,,,,", "Row 2, name"),
        ("Cy,,,tab,1e9,,", "Row 2, limit"),
        ("Cy,,,tab,-5,,", "Row 2, limit"),
        ("Li Wei,,,,,,", "Row 2, name: is Li Wei's, who is a customer here already"),
        ("Other,+1-555-0100,,phone,,,", "Row 2, phone: is Li Wei's"),
    ],
)
def test_a_fault_is_named_by_row_and_column_and_nothing_is_kept(house: House, row: str, words: str):
    wished = customers.Particulars("Li Wei", "+15550100", agreed=frozenset({"phone"}))
    with house.doors.write() as session:
        store = session.get_one(Store, STORE)
        customers.add(Context(session, BY, NOON), store, "customer-0001", wished)
        customers.add(Context(session, BY, NOON), store, "customer-0002", customers.Particulars("Li Wei"))
    faults = brought(house, row + "\nDee,,,,,,\n")
    assert len(faults) == 1, faults
    assert words in faults[0]
    assert set(people(house)) == {"Li Wei"}


def test_one_number_twice_in_a_file_is_refused_whole(house: House):
    with pytest.raises(Invalid, match=r"Row 3: phone: is Cy.s.*Nothing was saved"):
        brought(house, "Cy,5550111,,phone,,,\nCyrus,555-0111,,phone,,,\n")
    assert people(house) == {}


def test_the_network_keeps_no_customers(network: House):
    sheet = importing.read("customers", HEAD.encode() + b"Cy,,,,,,\n", "customers.csv")
    with network.doors.write() as session, pytest.raises(DomainError, match="belong to a store"):
        importing.write(Context(session, BY, NOON), sheet, "*")

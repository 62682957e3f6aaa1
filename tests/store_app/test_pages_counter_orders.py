"""An order taken at the counter through its page: chosen, paid or not, its slip printed, its money given back."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.ids import new_id
from pos import shift
from pos.catalogue import Price, Product
from pos.printer import PrintJob
from supply import suppliers
from supply.pickup import PickupOrder, lines_of
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, send, words


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        shift.open_shift(session, STORE, "1", 10_000, actor=SYSTEM, at=NOON)
        tax_class_id = session.get_one(Product, "milk").tax_class_id
        session.add(Product(sku="robot", name="Toy robot", category="Toys", tax_class_id=tax_class_id,
                            search_text="toy robot"))  # fmt: skip
        session.flush()
        session.add(Price(sku="robot", scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=2_000))
        suppliers.offer_product(session, "net", "robot", pack_qty=6, pack_cost_minor=6_000, actor=SYSTEM, at=NOON)
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
    assert "ordered in: here from" in words(client.get("/counter-order/?q=robot"))
    for sku in ("milk", "milk", "robot"):
        assert send(client, "/counter-order/put", sku=sku).status_code == 303
    done = order(client, pay="cash")
    assert done.status_code == 303, words(done)
    shown = words(client.get(done.location))
    found = the_order(office)
    assert f"{STORE}-C0001 is taken" in shown
    assert (found.state, found.comes_on is not None) == ("accepted", True)
    assert drawer(office) == 10_000 + found.total_minor
    with office.doors.read() as session:
        assert [(line.sku, line.qty, line.awaited) for line in lines_of(session, found)] == [
            ("milk", 2, False), ("robot", 1, True),
        ]  # fmt: skip
        job = session.scalar(sa.select(PrintJob).where(PrintJob.source_id == found.id))
    assert job.opens_drawer
    assert job.document["customer"]["code"] in shown
    assert "to be ordered in" in words(client.get("/pickup/"))
    assert "to be ordered in · packed by 6" in words(client.get(f"/pickup/{found.id}"))


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
    assert "Type the name" in words(refused)
    assert send(client, "/counter-order/change/milk", steps="0").status_code == 303
    assert "Nothing chosen yet" in words(client.get("/counter-order/"))


def test_what_was_paid_goes_back_when_the_order_is_cancelled_and_its_code_leaves_the_slip(office):
    client = office.signed_in("supervisor")
    send(client, "/counter-order/put", sku="milk")
    order(client, pay="cash")
    order_id = the_order(office).id
    assert send(client, f"/pickup/{order_id}/cancel", reason="customer").status_code == 303
    assert "is to be given back" in words(client.get(f"/pickup/{order_id}"))
    for _ in range(2):  # the second one finds nothing due and says so
        assert send(client, f"/counter-order/{order_id}/give-back", tender="cash").status_code == 303
    assert drawer(office) == 10_000
    with office.doors.read() as session:
        assert "customer" not in session.scalar(sa.select(PrintJob).where(PrintJob.source_id == order_id)).document

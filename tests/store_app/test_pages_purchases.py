"""The operator's purchasing and the outlook of a region through their pages."""

import datetime as dt

import pytest
import sqlalchemy as sa

from pos.batches import Batch
from supply import purchasing
from supply.purchasing import Purchase
from tests.store_app.conftest import NOON
from tests.store_app.office import send, words
from tests.store_app.operator import furnish


@pytest.fixture
def console(network):
    furnish(network)
    return network


def the_purchase(console) -> Purchase:
    with console.doors.read() as session:
        return session.scalars(sa.select(Purchase).where(Purchase.state != "dropped")).one()


def test_a_purchase_is_proposed_changed_ordered_and_taken_in_with_its_dates(console):
    client = console.signed_in("operator")
    with console.doors.write() as session:  # an empty warehouse
        session.execute(sa.text("update stock_level set qty = 0 where store_id = 'WH1'"))
    assert send(client, "/console/purchases/propose").status_code == 303
    made = the_purchase(console)
    assert "Purchase 1 for WH1" in words(client.get("/console/purchases/"))
    at = f"/console/purchases/WH1/{made.id}"
    with console.doors.read() as session:
        sku = purchasing.lines_of(session, made)[0].sku
    assert send(client, f"{at}/order", **{"sku-0": sku, "packs-0": "-2"}).status_code == 422
    assert send(client, f"{at}/order", **{"sku-0": sku, "packs-0": "4"}).status_code == 303
    until = (NOON.date() + dt.timedelta(days=20)).isoformat()
    taken = {"sku-0": sku, "qty-0": "7", "until-0": until}
    assert send(client, f"{at}/receive", **taken).status_code == 303
    assert send(client, f"{at}/receive", **taken).status_code == 409
    with console.doors.read() as session:
        lot = session.scalars(sa.select(Batch).where(Batch.sku == sku, Batch.store_id == "WH1")).one()
        assert (lot.received_qty, lot.expires_on.isoformat()) == (7, until)


def test_a_purchase_is_dropped_with_a_reason_and_only_with_one(console):
    client = console.signed_in("operator")
    with console.doors.write() as session:
        session.execute(sa.text("update stock_level set qty = 0 where store_id = 'WH1'"))
    send(client, "/console/purchases/propose")
    made = the_purchase(console)
    at = f"/console/purchases/WH1/{made.id}/drop"
    assert send(client, at).status_code == 422
    assert send(client, at, why="We close").status_code == 303
    assert "Nothing to buy just now" in words(client.get("/console/purchases/"))


def test_the_outlook_names_shops_and_days_and_forgives_a_strange_address(console):
    client = console.signed_in("operator")
    region = client.get("/console/outlook/").headers["Location"]
    shown = words(client.get(f"{region}?days=7"))
    assert "What runs out in" in shown
    assert "Whole milk" in shown
    assert client.get(f"{region}?days=many").status_code == 200
    assert client.get("/console/outlook/nowhere").status_code == 404

"""The operator's purchasing and the outlook of a region through their pages."""

import datetime as dt
import email
import io
import re
from email import policy

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import JournalEntry
from pos.stock import batches, stock
from pos.stock.batches import Batch, Lot
from pos.stock.waste import Waste
from store_app.jobs import jobs
from store_app.jobs.desk import Desk
from store_app.mail import sending
from supply.orders import purchases
from supply.orders.delivery_calendar import WEEKDAYS
from supply.orders.purchases import Purchase
from supply.orders.suppliers import SupplierProduct
from tests.store_app.conftest import NOON
from tests.store_app.office import send, token, words
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
        sku = purchases.lines_of(session, made)[0].sku
    assert send(client, f"{at}/order", **{"sku-0": sku, "packs-0": "-2"}).status_code == 422
    assert send(client, f"{at}/order", **{"sku-0": sku, "packs-0": "4"}).status_code == 303
    assert "did not arrive" not in words(client.get("/console/purchases/"))
    with console.doors.write() as session:
        session.get(Purchase, ("WH1", made.id)).expected_day = NOON.date() - dt.timedelta(days=3)
    assert "did not arrive" in words(client.get("/console/purchases/"))
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
    assert "Nothing to buy now" in words(client.get("/console/purchases/"))


def test_what_is_over_in_the_warehouse_is_written_off_by_its_lot_with_a_reason_and_what_it_cost(console):
    client, over = console.signed_in("operator"), NOON.date() - dt.timedelta(days=1)
    with console.doors.write() as session:
        lots = [Lot("milk", 24, "L7", over), Lot("milk", 24, "L7", over + dt.timedelta(days=90))]
        batches.lay_in(session, "WH1", lots, source_kind="purchase", source_id="p", at=NOON - dt.timedelta(days=9))
        lot_id = session.scalars(sa.select(Batch.id).where(Batch.expires_on == over)).one()
    # the lots are what stands there last; the rest of the milk has no lot
    assert "1 product in warehouse WH1 has expired" in words(client.get("/console/"))
    at = "/console/warehouse/WH1/write-off"
    given = {"sku": "milk", "lot_id": lot_id, "qty": "4", "reason": "expired", "command_id": new_id()}
    for wrong, sentence in (
        ({"qty": "25"}, "Only 24 of this lot are left"), ({"reason": "other"}, "Enter a short reason"),
        ({"reason": "boredom"}, "Choose a reason"), ({"sku": "nothing"}, "Product not found"),
        ({"lot_id": "x"}, "Only 0 of this lot are left"),
    ):  # fmt: skip
        answer = send(client, at, **given | wrong | {"command_id": new_id()})
        assert answer.status_code in (404, 409, 422)
        assert sentence in words(answer)
    assert send(client, "/console/warehouse/WH9/write-off", **given | {"command_id": new_id()}).status_code == 404
    for _click in range(2):
        assert send(client, at, **given).status_code == 303
    shown = words(client.get("/console/warehouse/"))
    assert "Past its date" in shown
    assert "Lost in the last 30 days" in shown
    with console.doors.read() as session:
        (row,) = session.scalars(sa.select(Waste).where(Waste.store_id == "WH1")).all()
        pack = session.get_one(SupplierProduct, ("net", "milk"))
        assert (row.qty, row.batch, row.cost_minor) == (4, "L7", round(4 * pack.pack_cost_minor / pack.pack_qty))
        assert {one.id: one.gone_qty for one in session.scalars(sa.select(Batch))}[lot_id] == 4, "this very lot"
        assert stock.levels(session, "WH1", ["milk"])["milk"].on_hand == 476
    assert "date unknown" in words(client.get("/console/warehouse/?q=whole+milk&warehouse=WH1"))
    assert "None in stock" in words(client.get("/console/warehouse/?q=caviar"))


def test_what_stands_in_the_warehouse_is_put_right_by_a_count_with_a_reason_once(console):
    client = console.signed_in("operator")
    page = client.get("/console/warehouse/stock")
    assert re.search(r"Whole milk milk – 12 0 – 480\b", words(page))
    assert 'href="/console/supplied/"' in page.text, "one warehouse's vehicles have their days there, too"
    at, given = "/console/warehouse/WH1/count?q=milk", {"sku": "milk", "qty": "475", "command_id": new_id()}
    refused = send(client, at, **given)
    assert (refused.status_code, "Enter a reason for the count. It will be recorded" in words(refused)) == (422, True)
    assert 'value="475"' in refused.text, "what was typed is still there"
    for wrong, status in ({"sku": "nothing"}, 404), ({"qty": "-1"}, 422):
        assert send(client, at, **given | {"why": "Count"} | wrong | {"command_id": new_id()}).status_code == status
    assert send(client, "/console/warehouse/WH9/count", **given, why="Count").status_code == 404
    for _click in range(2):
        assert send(client, at, **given, why="Broken in the rack").status_code == 303
    shown = words(client.get("/console/warehouse/stock?q=milk&warehouse=WH1"))
    assert "475 now on record. 5 less than before." in shown
    assert "Green tea" not in shown
    assert "Nothing found" in words(client.get("/console/warehouse/stock?q=caviar"))
    assert "Nothing found" in words(client.get("/console/warehouse/stock?gone=1"))
    with console.doors.read() as session:
        entry = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "warehouse.counted")).one()
        assert "Broken in the rack" in entry.body
        assert stock.levels(session, "WH1", ["milk"])["milk"].by_place == {"backroom": 475}
    nothing = given | {"qty": "0", "command_id": new_id()}
    assert send(client, at, **nothing, why="Water in the cellar").status_code == 303
    assert "Out of stock in warehouse WH1: Whole milk." in words(client.get("/console/"))
    gone = words(client.get("/console/warehouse/stock?gone=1"))
    assert "none on order: go to purchasing" in gone
    assert "Green tea" not in gone


def test_the_outlook_names_shops_and_days_and_forgives_a_strange_address(console):
    client = console.signed_in("operator")
    region = client.get("/console/outlook/").headers["Location"]
    assert "Not calculated yet" in words(client.get(region))
    desk = Desk(console.doors)
    assert jobs.look_ahead(desk, NOON.date()) == "2 regions looked at"
    shown = words(client.get(f"{region}?days=7"))
    assert "Upcoming stock-outs in" in shown
    assert "Whole milk" in shown
    assert "as of" in shown
    assert client.get(f"{region}?days=many").status_code == 200
    assert client.get("/console/outlook/nowhere").status_code == 404


def test_whom_the_network_buys_from_is_added_with_prices_and_gets_a_purchase_as_a_message(console, mail_server):
    client = console.signed_in("operator")
    assert "No suppliers yet" in words(client.get("/console/upstream/"))
    typed = {
        "name": "Dairy Union", "lead_days": "2", "order_days": list(WEEKDAYS), "minimum": "10",
        "send_by": "email", "email": "", "customer_no": "77", "language": "en", "command_id": new_id(),
    }  # fmt: skip
    assert send(client, "/console/upstream/new", **typed).status_code == 422, "an e-mail address is missing"
    typed["email"] = "orders@dairy.example"
    for _click in range(2):
        assert send(client, "/console/upstream/new", **typed).status_code == 303
    at = f"/console/upstream/{typed['command_id']}"
    price = {"product": "whole milk", "pack_qty": "24", "pack_cost": "12.00", "minimum_packs": "1"}
    assert send(client, f"{at}/prices", **price | {"product": "caviar"}).status_code == 404
    assert send(client, f"{at}/prices", **price).status_code == 303
    file = (io.BytesIO(b"sku,pack_qty,pack_cost\nmilk,24,11.50\nnothing,6,4\n"), "list.csv")
    assert "Product nothing not found" in words(send(client, f"{at}/price-list", file=file))
    assert "Whole milk" in words(client.get(at))
    shown = words(client.get("/console/upstream/"))
    assert "Dairy Union" in shown
    assert "Promised: 2 days. Nothing measured yet." in shown
    for phone, answer in (("1" * 60, 422), ("0211-4400", 303)):
        typed_place = {"address": "Quay 4, 40221 Port", "phone": phone}
        saved = client.post("/console/upstream/warehouses/WH1", data=typed_place | {"csrf_token": token(client)})
        assert saved.status_code == answer
    assert "Quay 4, 40221 Port" in client.get("/console/upstream/").text
    with console.doors.write() as session:
        session.execute(sa.text("update stock_level set qty = 0 where store_id = 'WH1'"))
    send(client, "/console/purchases/propose")
    with console.doors.read() as session:
        made = session.scalars(sa.select(Purchase).where(Purchase.supplier_id == typed["command_id"])).one()
        assert [line.pack_qty for line in purchases.lines_of(session, made)] == [24]
    shown = words(client.get("/console/purchases/"))
    assert "Dairy Union" in shown
    assert "None of your suppliers carry these. Order" in shown, "what nobody known sells"
    assert (
        send(client, f"/console/purchases/WH1/{made.id}/order", **{"sku-0": "milk", "packs-0": "3"}).status_code == 303
    )
    assert "Waiting to be sent." in words(client.get("/console/purchases/"))
    carrier, kept, state = mail_server
    unsent, state["answer"] = "1 supplier message was not sent", b"550 no such box"
    assert unsent not in words(client.get("/console/"))
    assert sending.send_due(console.doors, [carrier]) == (0, 1)
    assert unsent in words(client.get("/console/"))
    state["answer"] = b"250 fine"
    again = f"/console/purchases/WH1/messages/{made.id}/again"
    assert send(client, again, email="orders@dairy.example").status_code == 303
    assert unsent not in words(client.get("/console/"))
    assert sending.send_due(console.doors, [carrier]) == (1, 0)
    (raw,) = kept
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"].startswith(f"Order WH1-{made.purchase_no} from ")
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        f"order-WH1-{made.purchase_no}.{kind}" for kind in ("pdf", "csv", "xml")
    ]
    assert "Sent to orders@dairy.example" in words(client.get("/console/purchases/"))
    paper = client.get(f"/console/purchases/WH1/messages/{made.id}.csv")
    assert b",3,24,each,12.00,36.00," in paper.data

"""The operator calls goods back: warehouses are looked through, the stores told, credited, and told when it is over."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.ids import NETWORK, new_id
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.stock import batches, recall
from pos.stock.batches import Lot
from pos.store.store import Store
from supply.orders import suppliers
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine
from supply.orders.purchases import Purchase, PurchaseLine
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, send, words
from tests.store_app.operator import furnish


@pytest.fixture
def console(network):
    furnish(network)
    with network.doors.write() as session:
        day = NOON.date()
        lots = [Lot("milk", 24, "L7", day + dt.timedelta(days=9)), Lot("milk", 400, "L8", day + dt.timedelta(days=12))]
        batches.lay_in(session, "WH1", lots, source_kind="purchase", source_id="po-1", at=NOON)
        session.add(Delivery(store_id=STORE, id="d", supplier_id="net", state="posted", expected_day=day,
                             advised_at=NOON))  # fmt: skip
        session.flush()
        session.add(DeliveryLine(store_id=STORE, delivery_id="d", sku="milk", name="Whole milk", pack_qty=12,
                                 advised_qty=12, counted_qty=12, batch="L7"))  # fmt: skip
        session.get_one(OrderLine, (STORE, "order-0001", "milk")).qty_received = 12
    return network


def test_a_batch_is_called_back_looked_for_credited_and_lifted_on_the_page(console):
    client, command = console.signed_in("operator"), new_id()
    send(client, "/console/supply/fill")
    sheet = send(client, "/console/picking/WH1/make", store=STORE).location
    assert "is recalled" not in words(client.get(sheet))
    assert "No such" not in words(client.get("/console/recalls/?q=milk"))
    assert "Product not found. Search by name" in words(client.get("/console/recalls/?q=xyzzy"))
    said = {"command_id": command, "sku": "milk", "batch": "L7", "why": "Glass", "called_by": "Dairy"}
    refused = send(client, "/console/recalls/", **said)
    assert (refused.status_code, "Choose what stores do with the products" in words(refused)) == (422, True)
    for _click in range(2):
        called = send(client, "/console/recalls/", **said, afterwards="send_back")
        assert called.location == f"/console/recalls/{command}"
    assert "some warehouses or stores have not checked" in words(client.get("/console/"))
    assert "Batch L7 is recalled: leave it where it is" in words(client.get(sheet)), "the picker reads it"
    at = f"/console/recalls/{command}"
    page = words(client.get(at))
    assert "24 in stock, plus 56 from an unknown batch" in page
    assert "12 shipped" in page
    assert "0 of 2 locations checked" in words(client.get("/console/recalls/"))
    for typed, status in (("999", 409), ("x", 422)):
        assert send(client, f"{at}/warehouses/WH1", qty=typed).status_code == status
    assert send(client, f"{at}/stores/{STORE}", qty="1").status_code == 409, "nobody has looked there yet"
    for _click in range(2):
        assert send(client, f"{at}/warehouses/WH1", qty="24").status_code == 303
    with console.doors.write() as session:
        reported = session.scalars(sa.select(OutboxMessage.topic).where(OutboxMessage.to_node == STORE)).all()
        assert reported.count("recall.reported") == 1, "a second click calls nothing back again"
        recall.clear(Context(session, SYSTEM, NOON), STORE, command, 5)
    page = words(client.get(at))
    assert "24 removed" in page
    assert "Quantity returned" in page
    assert send(client, f"{at}/stores/{STORE}", qty="6").status_code == 422
    assert send(client, f"{at}/stores/{STORE}", qty="4").status_code == 303
    assert "4 credited." in words(client.get(at))
    assert send(client, f"{at}/lift", reason="lift-all-well").status_code == 303
    assert "Lifted" in words(client.get(at))


def test_what_the_network_recalls_is_shown_at_the_shop_and_lifted_by_the_network_alone(house):
    fill(house)
    with house.doors.write() as session:
        recall.call(
            Context(session, SYSTEM, NOON), STORE, "milk", "L7", id=new_id(), why="Glass", afterwards="send_back"
        )
    client = house.signed_in("shopkeeper")
    assert "Recalls 1" in words(client.get("/stock/"))
    with house.doors.read() as session:
        (row,) = recall.in_force(session, STORE)
    at = f"/stock/recalls/{row.id}"
    page = words(client.get(at))
    assert "issued by the network" in page
    assert "Lift the recall" not in page
    assert send(client, f"{at}/lift", reason="lift-mistake").status_code == 409
    assert send(client, f"{at}/clear", qty="2").status_code == 303
    assert "Give it to the driver" in words(client.get(at))
    with house.doors.read() as session:
        (message,) = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic == "recall.cleared"))
        assert '"taken_qty":2' in message.body


def test_a_shop_without_a_node_is_told_by_hand_looks_and_hears_that_it_is_lifted(console):
    client = console.signed_in("operator")
    with console.doors.write() as session:
        store = session.get_one(Store, STORE)
        store.has_node, store.phone = False, "555 0101"
    said = {"command_id": new_id(), "sku": "milk", "why": "Glass", "afterwards": "destroy"}
    at = send(client, "/console/recalls/", **said).location
    page = words(client.get(at))
    assert "Stores to call" in page
    assert "555 0101" in page
    assert send(client, f"{at}/stores/{STORE}/looked", qty="1").status_code == 409, "it was not told yet"
    assert send(client, f"{at}/told").status_code == 422, "nobody is ticked"
    assert send(client, f"{at}/told", store=["nobody", STORE]).status_code == 404
    assert send(client, f"{at}/told", store=[STORE, STORE]).status_code == 303
    assert "tores to call" not in words(client.get(at))
    assert send(client, f"{at}/stores/{STORE}/looked", qty="x").status_code == 422
    for _click in range(2):
        assert send(client, f"{at}/stores/{STORE}/looked", qty="3").status_code == 303
    assert "3 removed" in words(client.get(at))
    assert send(client, f"{at}/lift", reason="lift-all-well").status_code == 303
    assert "Tell each store the recall is lifted, and select" in words(client.get(at))
    assert send(client, f"{at}/told", store=STORE).status_code == 303
    assert "Tell each store the recall is lifted, and select" not in words(client.get(at))


def test_a_purchase_of_what_is_recalled_is_called_off_on_either_page_and_warned_of_when_it_comes(console):
    client, day = console.signed_in("operator"), NOON.date()
    with console.doors.write() as session:
        for n in (1, 2, 3):
            session.add(Purchase(store_id="WH1", id=f"po-{n}", purchase_no=n, state="ordered", expected_day=day,
                                 proposed_at=NOON, ordered_at=NOON))  # fmt: skip
            session.flush()
            session.add(PurchaseLine(store_id="WH1", purchase_id=f"po-{n}", sku="milk", name="Milk", pack_qty=12,
                                     pack_cost_minor=600, packs=2, why={"per_day": 1, "in_stores": 0,
                                                                         "in_warehouse": 0}))  # fmt: skip
    said = {"command_id": new_id(), "sku": "milk", "why": "Glass", "afterwards": "destroy"}
    at = send(client, "/console/recalls/", **said).location
    page = words(client.get(at))
    assert "On order" in page
    assert "Purchase 1 for WH1" in page
    assert send(client, f"{at}/purchases/WH1/nothing").status_code == 404
    for _click in range(2):
        assert send(client, f"{at}/purchases/WH1/po-1").status_code == 303
    assert "Purchase 1 for WH1" not in words(client.get(at))
    listed = client.get("/console/purchases/")
    assert words(listed).count("Milk is recalled: Glass. Deliveries of it stay in the warehouse.") == 2
    assert f'action="{at}/purchases/WH1/po-2"' in listed.text
    received = {"sku-0": "milk", "qty-0": "24", "until-0": ""}
    assert send(client, "/console/purchases/WH1/po-3/receive", **received).status_code == 303
    assert "Recalled: Milk. Set these aside and check the warehouse." in words(client.get("/console/purchases/"))


def called_of_the_dairy(console) -> str:
    """Call back a batch that a purchase of the dairy's brought; gives the recall's page."""
    client = console.signed_in("operator")
    with console.doors.write() as session:
        suppliers.write_contact(Context(session, SYSTEM, NOON), NETWORK, "dairy", suppliers.Contact("Dairy"))
        day = NOON.date()
        session.add(Purchase(store_id="WH1", id="po-1", purchase_no=1, state="received", supplier_id="dairy",
                             expected_day=day, proposed_at=NOON, received_at=NOON))  # fmt: skip
        session.flush()
        session.add(PurchaseLine(store_id="WH1", purchase_id="po-1", sku="milk", name="Milk", pack_qty=12,
                                 pack_cost_minor=600, packs=2, received_qty=24, why={}))  # fmt: skip
    said = {"command_id": new_id(), "sku": "milk", "batch": "L7", "why": "Glass", "afterwards": "destroy"}
    return str(send(client, "/console/recalls/", **said).location)


def test_recalled_goods_go_back_to_the_supplier_with_a_message_and_its_claim_names_them(console):
    client, at = console.signed_in("operator"), called_of_the_dairy(console)
    assert "24 in warehouse WH1" in words(client.get(at))
    command = new_id()
    for qty, status in (("25", 422), ("x", 422), ("20", 303), ("20", 303)):
        assert send(client, f"{at}/send-back/WH1/dairy", qty=qty, command_id=command).status_code == status
    page = words(client.get(at))
    assert "Dairy to hand over Return WH1-R1 · batch L7 20" in page
    assert "4 in stock" in page
    assert "Spreadsheet (CSV)" not in page
    paper = f"/console/purchases/WH1/messages/{command}"
    assert client.get(f"{paper}.pdf").data.startswith(b"%PDF-")
    assert client.get(f"{paper}.csv").status_code == 404
    assert send(client, f"{at}/returns/WH1/{command}/drop", why=" ").status_code == 422
    for _click in range(2):
        assert send(client, f"{at}/returns/WH1/{command}").status_code == 303
    page = words(client.get(at))
    assert "Dairy handed over" in page
    assert "Page (PDF)" in page, "its letter is seen again"
    assert "20 written off, returned or credited to stores" in page
    assert "4 in warehouse WH1" in page
    send(client, f"{at}/suppliers/dairy")
    assert words(client.get(at)).count("Return WH1-R1") == 2, "the claim names it"
    send(client, f"{at}/send-back/WH1/dairy", qty="4", command_id=(second := new_id()))
    left = send(client, f"/console/purchases/WH1/messages/{second}/left")
    assert left.location == at, "a return's letter stands on its recall's page"
    for _click in range(2):
        assert send(client, f"{at}/returns/WH1/{second}/drop", why="Burst").status_code == 303
    assert "Cancellation message" in words(client.get(at))


def test_what_a_recall_cost_is_claimed_of_the_supplier_and_settled_with_what_it_says(console):
    client = console.signed_in("operator")
    at = called_of_the_dairy(console)
    assert "Supplier claims" not in words(client.get(at))
    send(client, f"{at}/warehouses/WH1", qty="24")
    assert "24 written off, returned or credited to stores, at cost $12.00" in words(client.get(at))
    assert send(client, f"{at}/suppliers/nobody").status_code == 409
    command = new_id()
    for _click in range(2):
        assert send(client, f"{at}/suppliers/dairy", command_id=command).status_code == 303
    assert "$12.00 claimed and open" in words(client.get("/console/money/"))
    settling = f"{at}/claims/{command}"
    for amount, answer, status in (
        ("13", "Yes", 422),
        ("x", "Yes", 422),
        ("9.50", "", 422),
        ("9.50", "Less a case", 303),
    ):
        assert send(client, settling, amount=amount, answer=answer).status_code == status
    page = words(client.get(at))
    assert "Less a case $12.00 $9.50 credited" in page
    assert send(client, settling, amount="1", answer="Again").status_code == 409
    assert "$0.00 claimed and open, $9.50 credited" in words(client.get("/console/money/"))

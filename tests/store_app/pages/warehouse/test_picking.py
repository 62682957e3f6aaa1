"""The operator picks by a list on a phone or on paper, sends it off, and opens an order to see what became of it."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context
from pos.stock import batches, stock
from pos.stock.batches import Lot
from pos.store.store import Store
from store_app.jobs import jobs
from store_app.jobs.desk import Desk
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders.deliveries import DeliveryLine
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import send, words
from tests.store_app.operator import furnish

MILK = [f"{field}-order.{STORE}.order-0001" for field in ("packs", "why")]
ORDER = f"/console/picking/orders/{STORE}/order-0001"


@pytest.fixture
def console(network):
    furnish(network)
    return network


def the_list(console) -> str:
    with console.doors.read() as session:
        return session.scalars(sa.select(PickList.id)).one()


def test_an_order_is_picked_short_with_a_reason_sent_off_and_says_why_less(console):
    client = console.signed_in("operator")
    assert f"{STORE}-1" in words(client.get(ORDER))
    send(client, "/console/supply/fill")
    with console.doors.write() as session:
        lot = Lot("milk", 480, "B7", NOON.date() + dt.timedelta(days=9))
        batches.lay_in(session, "WH1", [lot], source_kind="purchase", source_id="po-1", at=NOON)
    assert "Orders for 1 store ready to pick" in words(client.get("/console/picking/"))
    assert send(client, "/console/warehouse/WH1/bay", sku="milk", bay="b-02").status_code == 303
    made = send(client, "/console/picking/WH1/make", store=STORE)
    at = f"/console/picking/{the_list(console)}"
    assert made.location == at
    page = words(client.get(at))
    assert page.index("Whole milk") < page.index("Apples, red"), "what stands in a bay comes first"
    assert "B-02" in page
    assert "batch B7" in page
    for code, says in (
        ("4000000000006", "Unknown code. Search the product by name and"),
        (" ", "Scan a pack"),
        ("9" * 999, "misread"),
    ):
        odd = send(client, f"{at}/scan", code=code)
        assert odd.status_code in (404, 422)
        assert says in words(odd)
    with console.doors.write() as session:
        stock.receive(Context(session, Actor.system("test", "network"), NOON), "WH1", [("milk", 48)], source_id="po-2")
        lot = Lot("milk", 48, "C1", NOON.date() + dt.timedelta(days=20))
        (other,) = batches.lay_in(session, "WH1", [lot], source_kind="purchase", source_id="po-2", at=NOON)
        lot_id = other.id
    assert "batch C1" in words(client.get(at))
    assert send(client, f"{at}/products/milk/lot", lot_id=lot_id, units="9999").status_code == 422
    assert send(client, f"{at}/products/milk/lot", lot_id=lot_id).status_code == 303
    assert "batch B7, " in words(client.get(at)), "it is the other one now"
    scanned = "]C101040063813339" + "3110B7\x1d" + f"17{NOON.date() + dt.timedelta(days=9):%y%m%d}"
    assert send(client, f"{at}/scan", code=scanned).status_code == 303
    assert "batch C1, " in words(client.get(at)), "and back: the end of a field is kept"
    refused = send(client, f"{at}/products/milk", **{MILK[0]: "0"})
    assert refused.status_code == 422
    assert "choose why less was picked" in words(refused)
    assert send(client, f"{at}/products/milk", **{MILK[0]: "0", MILK[1]: "damaged"}).status_code == 303
    again = send(client, f"{at}/products/milk", **{MILK[0]: "1"})
    assert again.status_code == 409
    assert "already picked Whole milk." in words(again)
    assert send(client, f"{at}/send").status_code == 409
    assert send(client, f"{at}/products/milk/put-back").status_code == 303
    assert send(client, f"{at}/products/milk", **{MILK[0]: "0", MILK[1]: "damaged"}).status_code == 303
    assert send(client, f"{at}/rest").status_code == 303
    assert send(client, f"{at}/send").status_code == 303
    assert "1 delivery loaded. 1 delivery loaded, waiting for a vehicle." in words(client.get("/console/picking/"))
    assert "1 delivery loaded, waiting for a vehicle. Due" in words(client.get("/console/routes/"))
    reported = words(client.get(ORDER))
    assert "Damaged or spoiled" in reported
    assert "Short in the warehouse" not in reported
    with console.doors.read() as session:
        assert stock.levels(session, "WH1", ["milk"])["milk"].on_hand == 480 + 48 - 12
        lines = {row.sku: row for row in session.scalars(sa.select(DeliveryLine)).all()}
    assert (lines["milk"].advised_qty, lines["milk"].promised_qty, lines["milk"].less_why) == (0, 12, "damaged")


def test_the_page_says_which_shop_did_not_leave_and_why(console):
    client = console.signed_in("operator")
    send(client, "/console/supply/fill")
    send(client, "/console/picking/WH1/make")
    at = f"/console/picking/{the_list(console)}"
    with console.doors.read() as session:
        lines = session.execute(sa.select(PickLine.sku, PickLine.source, PickLine.store_id, PickLine.source_id)).all()
    for sku in {line.sku for line in lines}:
        keys = [".".join(line[1:]) for line in lines if line.sku == sku]
        typed = {f"packs-{key}": "0" for key in keys} | {f"why-{key}": "left" for key in keys}
        assert send(client, f"{at}/products/{sku}", **typed).status_code == 303
    assert send(client, f"{at}/send").status_code == 303
    page = words(client.get("/console/picking/"))
    assert "Nothing was sent. The list was discarded; what" in page
    assert "on its way" not in page
    with console.doors.read() as session:
        name = session.get_one(Store, lines[0].store_id).name
    assert f"Not sent: {name} – nothing was picked for it." in page


def test_the_one_next_step_is_to_share_out_then_to_pick_or_to_load(console):
    client = console.signed_in("operator")

    def go() -> list[str]:
        page = client.get("/console/supply/").text.split("</header>")[0]
        return [one for one in ("/fill", "/picking/", "/dispatch") if _is_go(page, one)]

    assert go() == ["/fill"]
    send(client, "/console/supply/fill")
    assert go() == ["/dispatch"]
    send(client, "/console/picking/WH1/make")
    assert go() == ["/picking/"]
    assert send(client, f"/console/picking/{the_list(console)}/drop", why="").status_code == 422
    assert send(client, f"/console/picking/{the_list(console)}/drop", why="Rain").status_code == 303
    send(client, "/console/picking/WH1/way", by_list="1")
    assert go() == ["/picking/"]
    jobs.warehouse(Desk(console.doors), NOON.date())
    assert "acknowledged" in words(client.get(ORDER)), "nothing leaves without a list"


def test_a_shop_reads_on_its_delivery_what_was_promised_and_why_less_comes(house):
    office.fill(house)
    with house.doors.write() as session:
        line = session.get_one(DeliveryLine, (STORE, "D1", "milk"))
        line.promised_qty, line.less_why = 36, "expired"
    page = words(house.signed_in("shopkeeper").get("/deliveries/D1"))
    assert "Promised: 36. Less is coming: past its date." in page


def _is_go(page: str, address: str) -> bool:
    """Tell whether the way to an address is the green one."""
    if (at := page.find(address + '"')) < 0:
        return False
    around = page[page.rindex("<", 0, at) : page.index("</", at)]
    return "btn-go" in around

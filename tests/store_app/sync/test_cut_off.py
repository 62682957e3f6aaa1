"""A store without its network: it sells, takes back, closes its shift and prints, and all of it arrives later, once."""

import sqlalchemy as sa

from config.nodes.outbox import OutboxMessage
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.stock import stock
from pos.till.shift_book import Shift
from supply.orders import deliveries
from supply.orders.deliveries import Delivery
from tests.store_app import operator
from tests.store_app.api.test_counter import BACK, SALE, body, store
from tests.store_app.conftest import STORE
from tests.store_app.office import fill, send, words
from tests.store_app.sync.test_sync import talk

__all__ = ["store"]
NOWHERE = "http://127.0.0.1:9"


def test_a_shop_that_reaches_nobody_sells_and_closes_and_all_of_it_arrives_later_once(store, house, network, served):
    assert talk(house, NOWHERE).fault is not None
    assert store.post("/api/sales", json=body()).status_code == 201
    assert store.post("/api/quote", json={"lines": [{"sku": "COLA", "qty": 1}]}).json["total_minor"] == 175
    card = [{"tender": "card", "amount_minor": 175, "reference": "777"}]
    cola = body(id=BACK, lines=[{"sku": "COLA", "qty": 1}], tenders=card, shown_total_minor=175)
    assert store.post("/api/sales", json=cola).status_code == 201
    assert talk(house, NOWHERE).fault is not None
    here = store.get("/api/shifts/current/1").json["id"]
    closed = store.post(f"/api/shifts/{here}/close", json={"counted_minor": 5258})
    assert (closed.status_code, closed.json["z_no"], closed.json["over_short_minor"]) == (200, 1, 0)
    with house.doors.read() as session:
        assert sorted(session.scalars(sa.select(PrintJob.kind))) == ["receipt", "receipt", "z"]
    with network.doors.read() as session:
        assert session.scalars(sa.select(Sale.id)).all() == []

    for _ in range(2):
        assert talk(house, served).fault is None
    with network.doors.read() as session:
        assert sorted(session.scalars(sa.select(Sale.id))) == sorted([SALE, BACK])
        there = session.get_one(Shift, (STORE, here))
        assert (there.state, there.z_no, there.z_report["total_minor"]) == ("closed", 1, 258 + 175)
    with house.doors.read() as session:
        assert set(session.scalars(sa.select(OutboxMessage.state))) == {"delivered"}
        assert there.z_report == session.get_one(Shift, (STORE, here)).z_report


def test_goods_are_taken_in_without_a_line_and_the_network_hears_of_them_once_when_it_is_back(house, network, served):
    fill(house)
    operator.furnish(network)
    keeper = house.signed_in()
    assert talk(house, NOWHERE).fault is not None
    assert "Cornerstore Supply" in words(keeper.get("/deliveries/"))
    assert send(keeper, "/deliveries/D1/begin").status_code == 303
    count = {"then": "post"}
    for n, (sku, qty) in enumerate({"apple": 8000, "bread": 10, "milk": 24}.items()):
        count |= {f"sku-{n}": sku, f"qty-{n}": str(qty), f"shown-{n}": str(qty)}
    assert send(keeper, "/deliveries/D1/count", **count).status_code == 303
    assert "Everything arrived as expected" in words(keeper.get("/deliveries/D1"))
    with house.doors.read() as session:
        assert stock.levels(session, STORE, ["milk"])["milk"].on_hand == 9 + 24
    assert talk(house, NOWHERE).fault is not None
    with network.doors.read() as session:
        assert session.get(Delivery, (STORE, "D1")) is None

    for _ in range(2):
        assert talk(house, served).fault is None
    with network.doors.read() as session:
        there = session.get_one(Delivery, (STORE, "D1"))
        assert (there.state, there.posted_by) == ("posted", "shopkeeper")
        counted = {line.sku: line.counted_qty for line in deliveries.lines_of(session, there)}
        assert counted == {"apple": 8000, "bread": 10, "milk": 24}
    with house.doors.read() as session:
        posted = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic == "delivery.posted")).all()
        assert [one.state for one in posted] == ["delivered"]

"""The operator's pages of allocation: who gets what and why, set by hand with a reason, and taken back."""

import sqlalchemy as sa

from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.promise_changes import PromiseChange
from tests.store_app.conftest import STORE
from tests.store_app.office import send, words
from tests.store_app.operator import furnish


def test_the_operator_sees_who_gets_what_sets_packs_with_a_reason_and_takes_them_back(network):
    furnish(network)
    client = network.signed_in("operator")
    with network.doors.read() as session:
        line = session.scalars(sa.select(OrderLine)).first()
        order = session.get_one(ReplenishmentOrder, (line.store_id, line.order_id))
        key, sku, asked = (line.store_id, line.order_id, line.sku), line.sku, line.packs
    listed = words(client.get("/console/supply/allocation/"))
    assert ("enough" in listed, "not enough" in listed) == (True, False)
    assert f"{STORE}-{order.order_no}" in words(client.get(f"/console/supply/allocation/{sku}"))
    address = f"/console/supply/allocation/{sku}"
    given = {"store_id": key[0], "order_id": key[1], "step": "0", "packs": "0", "why": "Kept for the fair"}
    assert send(client, f"{address}/set", **given | {"why": " "}).status_code == 422
    beyond = send(client, f"{address}/set", **given | {"packs": str(asked + 1)})
    assert (beyond.status_code, "not confirmed yet" in words(beyond)) == (409, True)
    assert send(client, f"{address}/set", **given).status_code == 303
    page = words(client.get(address))
    assert "Kept for the fair" in page
    stale = send(client, f"{address}/set", **given | {"packs": "1", "why": "Another"})
    assert (stale.status_code, "Someone else just changed this order" in words(stale)) == (409, True)
    order_page = words(client.get(f"/console/picking/orders/{key[0]}/{key[1]}"))
    assert "Stock allocation" in order_page
    assert send(client, f"{address}/take-back", **given | {"step": "1"}).status_code == 303
    with network.doors.read() as session:
        assert session.get(PromiseChange, key) is None
    assert client.get("/console/supply/allocation/nothing-such").status_code == 404
    assert send(client, f"{address}/set", **given | {"order_id": "none", "step": "2"}).status_code == 404

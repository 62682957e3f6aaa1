"""The scorecards' pages: every buyer's to look at, linked to what the figures come from."""

import datetime as dt

from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier
from tests.store_app.conftest import NOON, House
from tests.store_app.office import words
from tests.store_app.operator import furnish


def test_a_late_purchase_stands_on_its_supplier_s_card_with_the_price_it_changed(network: House):
    furnish(network)
    with network.doors.write() as session:
        session.add(Supplier(id="mill", name="The mill", kind="own", owner_id="network"))
        for n, cost in enumerate((1000, 1100)):
            ordered = NOON - dt.timedelta(days=40 - 20 * n)
            session.add(
                Purchase(store_id="WH1", id=f"p{n}", purchase_no=n, supplier_id="mill", state="received",
                         expected_day=ordered.date(), proposed_at=ordered, ordered_at=ordered,
                         received_at=ordered + dt.timedelta(days=4))
            )  # fmt: skip
            session.flush()
            session.add(PurchaseLine(store_id="WH1", purchase_id=f"p{n}", sku="milk", name="Milk", pack_qty=12,
                                     pack_cost_minor=cost, packs=1, received_qty=9, why={}))  # fmt: skip
    client = network.signed_in("operator")
    listed = client.get("/console/scorecards/?days=28")
    assert "The mill" in words(listed)
    assert "4 ± 0 days" in words(listed)
    page = client.get("/console/scorecards/mill?days=28")
    seen = words(page)
    assert "WH1-1" in seen
    assert "+10%" in seen
    assert "75%" in seen
    assert client.get("/console/scorecards/nobody").status_code == 404
    assert "The mill" not in words(client.get("/console/scorecards/?from=2025-01-01&to=2025-01-31"))

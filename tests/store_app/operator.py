"""A network with something on every page of the operator's: sales, an order that waits, an open offer, a warehouse."""

import datetime as dt

from config.nodes.journal import Context
from pos.stock import stock
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import SupplierProduct
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, House


def furnish(house: House) -> None:
    """Lay in goods, eight weeks of sales, an order of two lines, an offer, and what the warehouse has."""
    office.fill(house, _lay_in)


def _lay_in(house: House) -> None:
    with house.doors.write() as session:
        office.goods(session)
        office.history(session)
        session.add(office.offer("offer-0001"))
        warehouse_of = [(sku, 480 if sku != "apple" else 60_000) for sku in ("milk", "bread", "apple", "tea")]
        stock.open_stock(Context(session, office.SYSTEM, NOON), "WH1", warehouse_of, source_id="first")
        session.add(
            ReplenishmentOrder(
                store_id=STORE,
                id="order-0001",
                order_no=1,
                supplier_id="net",
                state="sent",
                order_day=NOON.date(),
                delivery_day=NOON.date() + dt.timedelta(days=1),
                next_delivery_day=NOON.date() + dt.timedelta(days=2),
                cost_minor=2_000,
                proposed_at=NOON,
                forecast_age_days=0,
            )
        )
        session.flush()
        for sku in ("milk", "apple"):
            pack = session.get_one(SupplierProduct, ("net", sku))
            session.add(
                OrderLine(
                    store_id=STORE,
                    order_id="order-0001",
                    sku=sku,
                    name=office.GOODS[sku][0],
                    pack_qty=pack.pack_qty,
                    pack_cost_minor=pack.pack_cost_minor,
                    packs_proposed=1,
                    packs=1,
                    why={},
                )
            )

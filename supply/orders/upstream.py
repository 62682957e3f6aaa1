"""Whom the network itself buys from: its upstream suppliers, and where each product is bought.

Rules
-----
1. An upstream supplier is a supplier whose owner is the network node ('network'). Its terms, its price list and its
   dated costs are those of any supplier (`suppliers`); shops never hear of it.
2. A product is bought where a unit of it costs least on the day, of suppliers that are not put aside and sell it
   already; at the same cost the first by id.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from supply.orders import supply_routes
from supply.orders.suppliers import Supplier, Terms


def upstream_suppliers(session: Session) -> list[Supplier]:
    """Return whom the network buys from, by name; those put aside last."""
    query = sa.select(Supplier).where(Supplier.owner_id == NETWORK)
    return list(session.scalars(query.order_by(Supplier.active.desc(), Supplier.name, Supplier.id)))


def cheapest(session: Session, day: dt.date) -> dict[str, Terms]:
    """Return where each product is bought on a day, by SKU (rule 2)."""
    ours = {one.id for one in upstream_suppliers(session)}
    found: dict[str, Terms] = {}
    for supplier_id, terms in sorted(supply_routes.offered(session, NETWORK, day).items()):
        for one in terms if supplier_id in ours else ():
            known = found.get(one.sku)
            if known is None or one.pack_cost_minor * known.pack_qty < known.pack_cost_minor * one.pack_qty:
                found[one.sku] = one
    return found

"""Founding a warehouse: its supplier, the regions it serves, and the recalls in force there."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid
from config.ids import NETWORK, is_store_id
from config.nodes.journal import Actor
from config.nodes.publication import EVERYONE
from pos.store.store import Region, Store, keep_clock
from supply.network.recalls import recalls
from supply.orders import supply_routes
from supply.orders.suppliers import Contact, Supplier, add_supplier, is_warehouse


def found_warehouse(
    session: Session,
    warehouse_id: str,
    contact: Contact,
    *,
    tz: str = "",
    id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> Supplier:
    """Found a warehouse with its supplier (rule 5); Conflict when a store or a warehouse has its id.

    tz: by whose clock it works; '': that of the network's first store, where there is one.
    """
    if not is_store_id(warehouse_id):
        raise Invalid(
            "bad-warehouse", "A warehouse's id has up to 20 letters and digits, such as WH1.", warehouse_id=warehouse_id
        )
    if is_warehouse(session, warehouse_id) or session.get(Store, warehouse_id) is not None:
        raise Conflict(
            "warehouse-exists", "%(warehouse_id)s is a store or a warehouse already. Choose another id.",
            warehouse_id=warehouse_id,
        )  # fmt: skip
    known, usual = supply_routes.settled(session), supply_routes.usual_warehouse(session)
    if usual is not None:
        for region_id in session.scalars(sa.select(Region.id).order_by(Region.id)).all():
            if ("region", region_id) not in known:
                supply_routes.supply_region(session, region_id, usual, actor=actor, at=at)
    keep_clock(session, warehouse_id, tz or session.scalar(sa.select(Store.tz).order_by(Store.id).limit(1)) or "")
    made = add_supplier(session, EVERYONE, contact, kind=NETWORK, warehouse_id=warehouse_id, id=id, actor=actor, at=at)
    recalls.take_up(session, warehouse_id, at=at)
    return made

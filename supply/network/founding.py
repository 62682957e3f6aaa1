"""Founding a warehouse: its supplier, the regions it serves, and the recalls in force there."""

import sqlalchemy as sa

from config.errors import Conflict, Invalid
from config.ids import NETWORK, is_store_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.store.store import Region, Store, keep_clock
from supply.network.recalls import recalls
from supply.orders import supply_routes
from supply.orders.suppliers import Contact, Supplier, add_supplier, is_warehouse


def found_warehouse(
    ctx: Context, warehouse_id: str, contact: Contact, *, tz: str = "", id: str | None = None
) -> Supplier:
    """Found a warehouse with its supplier (rule 5); Conflict when a store or a warehouse has its id.

    tz: by whose clock it works; '': that of the network's first store, where there is one.
    """
    if not is_store_id(warehouse_id):
        raise Invalid(
            "bad-warehouse",
            "Enter a warehouse ID of up to 20 letters and digits, such as WH1.",
            warehouse_id=warehouse_id,
        )
    if is_warehouse(ctx.session, warehouse_id) or ctx.session.get(Store, warehouse_id) is not None:
        raise Conflict(
            "warehouse-exists", "%(warehouse_id)s is already a store or a warehouse. Choose another ID.",
            warehouse_id=warehouse_id,
        )  # fmt: skip
    known, usual = supply_routes.settled(ctx.session), supply_routes.usual_warehouse(ctx.session)
    if usual is not None:
        for region_id in ctx.session.scalars(sa.select(Region.id).order_by(Region.id)).all():
            if ("region", region_id) not in known:
                supply_routes.supply_region(ctx, region_id, usual)
    keep_clock(
        ctx.session, warehouse_id, tz or ctx.session.scalar(sa.select(Store.tz).order_by(Store.id).limit(1)) or ""
    )
    made = add_supplier(ctx, EVERYONE, contact, kind=NETWORK, warehouse_id=warehouse_id, id=id)
    recalls.take_up(ctx.session, warehouse_id, at=ctx.at)
    return made

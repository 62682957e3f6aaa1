"""The network's own files at its node: its catalogue, what its supplier sells, and what stands in a warehouse.

Rules
-----
1. What is the network's belongs to everybody ('*'). It is no store: its amounts are in the currency most of its stores
   trade in, its day is its first store's. So a store is founded first.
2. A product that is here already takes over what the file says of it; one that is a single store's own is refused. What
   a product costs the network's stores stands in the price list.
3. A stock file is a count of one warehouse, with why (`lots`, rule 4).
"""

import datetime as dt
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Conflict, Invalid, NotFound
from config.ids import NETWORK, new_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Barcode, Product, matches
from pos.store.store import Store, store_of, usual_currency


def owner_of(node_id: str) -> str:
    """Return whose the files of a node are: its store's, or everybody's at the network."""
    return EVERYONE if node_id == NETWORK else node_id


def money_and_day(session: Session, owner_id: str, at: dt.datetime) -> tuple[str, dt.date]:
    """Return in which currency and from which business day on a file of this owner counts (rule 1)."""

    if owner_id in (EVERYONE, NETWORK):
        store = session.scalar(sa.select(Store).order_by(Store.id).limit(1))
        if store is None:
            raise NotFound("no-store-yet", "Add a store first: cornerstore store add. Amounts are in its currency.")
        return usual_currency(session), business_day(at, store.tz, store.rollover_hour)
    store = store_of(session, owner_id)
    return store.currency, business_day(at, store.tz, store.rollover_hour)


def counted_warehouse(session: Session, said: str, why: str) -> str:
    """Return the warehouse a stock file is of: the one named, or the only one (rule 3)."""
    from supply.orders.suppliers import warehouses

    if not why.strip():
        words = _("Enter the reason for the count: --why 'opening stock'. It will be recorded in the journal.")
        raise Invalid("no-reason", words, field="why")
    known = warehouses(session)
    if not said and len(known) == 1:
        return known[0]
    if said in known:
        return said
    there = _(", ").join(known) or _("none yet (cornerstore warehouse add)")
    words = _("Choose a warehouse with --warehouse. Available: %(there)s.", there=there)
    raise NotFound("unknown-warehouse", words, warehouse_id=said)


def renew_product(ctx: Context, product: Product, row: dict[str, Any]) -> None:
    """Let a product of the network's take over what a row says of it (rule 2)."""
    from pos.catalogue import assortment, catalogue

    if product.owner_id != EVERYONE:
        words = _(
            "%(sku)s belongs to store %(store)s alone. Give the network's product another number.",
            sku=product.sku, store=product.owner_id,
        )  # fmt: skip
        raise Conflict("product-exists", words, sku=product.sku)
    said = row | {"tax_class_id": row["tax_class"]}
    kept = {one.name: getattr(product, one.name) for one in fields(assortment.ProductDetails)}
    details = assortment.ProductDetails(**(kept | {name: value for name, value in said.items() if name in kept}))
    assortment.change(ctx, EVERYONE, product.sku, details)
    assortment.name_product(ctx, EVERYONE, product.sku, row.get("names", {}))
    if row.get("barcode"):
        catalogue.add_code(ctx.session, product.sku, row["barcode"])


def one_product(session: Session, wanted: str) -> str:
    """Return the SKU of the one product of the network's that is meant: by number, code or name."""
    wanted = " ".join(wanted.split()).casefold()
    coded = sa.select(Barcode.sku).where(Barcode.code == wanted, Barcode.qty == 1)
    query = sa.select(Product.sku, Product.shown).where(Product.owner_id == EVERYONE, Product.active)
    called = [sa.func.lower(one) == wanted for one in (Product.sku, Product.name, Product.shown)]
    found = session.execute(query.where(sa.or_(Product.sku.in_(coded), *called)).limit(2)).all() or session.execute(
        query.where(matches(wanted)).order_by(Product.shown).limit(5)
    ).all()  # fmt: skip
    if not found:
        raise NotFound("unknown-product", "Product not found. Search by name.", field="product")
    if len(found) > 1:
        names = _(", ").join(name for _sku, name in found)
        words = _("Several products match: %(names)s. Enter more of the name.", names=names)
        raise Invalid("many-products", words, field="product")
    return str(found[0][0])


def refuse_cost(row: dict[str, Any]) -> None:
    """Refuse what a product costs where it is not a store's (rule 2)."""
    if "cost" in row:
        raise Invalid("bad-cost", "Costs are set per store; the network's are in its price list. Leave it out.")


def count(ctx: Context, row: dict[str, Any], warehouse_id: str, why: str) -> None:
    """Put one product of a warehouse right (rule 3)."""
    from supply.network.warehouse import lots

    lots.count(ctx, warehouse_id, row["sku"], row["qty"], why=why, id=new_id())

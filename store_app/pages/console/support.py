"""A look into one store by its shopkeeper's leave: how its node is, its last sales, its stock, what is on its way.

Only reads. A look is opened by a press, so that it is written at both ends; without one these pages are not there.
"""

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product, matches
from pos.sold import Sale, SaleLine, newest_first
from pos.stock.ledger import INSIDE, StockLevel
from pos.store.store import Store, store_of
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import about_store, page
from store_app.web.security import requires
from store_app.words.health import health
from supply.membership import support
from supply.online.orders import OPEN, PickupOrder
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder

bp = Blueprint("console_support", __name__, url_prefix="/console/stores/<store_id>/support")
ROWS = 25


@bp.get("/")
@requires("network.support")
def door(store_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show whether the store lets itself be looked into, and who has looked; an open look leads in."""
    at = doors().now()
    with read() as session:
        store = store_of(session, form.tidy(store_id))
        if fault is None and support.looking(Context(session, g.actor, at), store.id) is not None:
            return redirect(url_for(".inside", store_id=store.id), 303)
        leave, looks = support.in_force(session, store.id, at), support.looks_of(session, store.id)
    return page("console/support_door.html", store=store, leave=leave, looks=looks, fault=fault)


@bp.post("/look")
@requires("network.support")
@form.answers_on(door)
def look(store_id: str) -> ResponseReturnValue:
    """Open a look: written in the journal here and in the store's."""
    with write() as session:
        store = store_of(session, form.tidy(store_id))
        support.look(acting(session), store.id)
    return redirect(url_for(".inside", store_id=store.id), 303)


@bp.get("/inside")
@requires("network.support")
def inside(store_id: str) -> ResponseReturnValue:
    """Show the store as its shopkeeper lets it be seen; nothing here can be pressed."""
    find = form.tidy(request.args.get("find", ""))[:60]
    with read() as session:
        store = store_of(session, form.tidy(store_id))
        about_store(store)
        at = doors().now()
        ctx = Context(session, g.actor, at)
        leave = support.require_look(ctx, store.id)
        seen = support.looking(ctx, store.id)
        shown = _sales(session, store), _stock(session, store, find), _coming(session, store)
        waiting = session.scalars(
            sa.select(PickupOrder)
            .where(PickupOrder.store_id == store.id, PickupOrder.state.in_(OPEN))
            .order_by(PickupOrder.placed_at)
            .limit(ROWS)
        ).all()
    sales, levels, (orders, deliveries) = shown
    return page(
        "console/support.html",
        store=store,
        leave=leave,
        until=seen.until if seen else None,
        sales=sales,
        levels=levels,
        orders=orders,
        deliveries=deliveries,
        waiting=waiting,
        find=find,
        health=health,
    )


# --- inside ---


def _sales(session: Session, store: Store) -> list[tuple[Sale, str]]:
    """Return the last sales with their products."""
    rows = session.scalars(newest_first(sa.select(Sale).where(Sale.store_id == store.id)).limit(ROWS)).all()
    names: dict[str, list[str]] = {}
    query = sa.select(SaleLine.sale_id, SaleLine.name).where(
        SaleLine.store_id == store.id, SaleLine.sale_id.in_([row.id for row in rows])
    )
    for sale_id, name in session.execute(query.order_by(SaleLine.sale_id, SaleLine.n)):
        names.setdefault(sale_id, []).append(name)
    return [(row, ", ".join(names.get(row.id, []))) for row in rows]


def _stock(session: Session, store: Store, find: str) -> list[tuple[Product, int]]:
    """Return what there is of the products searched for; without a search what the book has least of."""
    sums = (
        sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty).label("qty"))
        .where(StockLevel.store_id == store.id, StockLevel.place.in_(list(INSIDE)))
        .group_by(StockLevel.sku)
        .subquery()
    )
    query = (
        sa.select(Product, sums.c.qty)
        .join(sums, sums.c.sku == Product.sku)
        .order_by(sums.c.qty, Product.sku)
        .limit(ROWS)
    )
    return [(product, int(qty)) for product, qty in session.execute(query.where(matches(find)))]


def _coming(session: Session, store: Store) -> tuple[list[ReplenishmentOrder], list[Delivery]]:
    """Return the newest orders and deliveries."""
    orders = sa.select(ReplenishmentOrder).where(ReplenishmentOrder.store_id == store.id)
    deliveries = sa.select(Delivery).where(Delivery.store_id == store.id)
    return (
        list(session.scalars(orders.order_by(ReplenishmentOrder.proposed_at.desc()).limit(10))),
        list(session.scalars(deliveries.order_by(Delivery.advised_at.desc()).limit(10))),
    )

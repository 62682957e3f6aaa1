"""What every store would get of a product, and gets, and why: read before and after it is confirmed.

Rules
-----
1. What waiting orders would get is what `dispatch.fill` would give them now: the same rule, the same stock, the same
   orders, but for one product. Nothing is written.
2. A confirmed order shows what it was promised, until its goods have left.
3. An order that waits for credit or its account gets nothing before it is let go (`account_orders`).
4. Why a line gets what it gets is one of WHYS; days of supply are what the store has and awaits over what it sells a
   day, before and with what it would get.

Quantities in packs or, named *_qty, in stock units.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from pos.catalogue.catalogue import Product
from pos.stock.ledger import Place, StockLevel
from pos.store.store import Store
from supply.money import account_orders
from supply.network.warehouse import dispatch, pick_lists
from supply.network.warehouse.allocation import Scarcity, Share
from supply.network.warehouse.dispatch import Key
from supply.orders import promise_changes
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.promise_changes import PromiseChange
from supply.orders.suppliers import Supplier

WHYS = ("all", "above", "shared", "met", "set", "credit", "none")
"""All that was ordered, within the need; all, above the need; short of the need, shared by need; the need and no more;
set by an operator; waits for credit; nothing is there."""


@dataclass(frozen=True)
class Line:
    """One line of an order.

    packs: what it gets, or would get; needed, have_qty, per_day: as the rule sees its store, None once confirmed; most:
    packs it could be set to; why: one of WHYS, '' for a confirmed line that got all.
    """

    order: ReplenishmentOrder
    line: OrderLine
    store_name: str
    packs: int
    most: int
    why: str
    needed: int | None = None
    have_qty: int | None = None
    per_day: float | None = None
    change: PromiseChange | None = None
    is_picked: bool = False
    scarce: Scarcity | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell whether it is not confirmed yet."""
        return self.order.state == "sent"

    def days(self, packs: int = 0) -> float | None:
        """Return the days of supply with so many packs; None where the store sells none (rule 4)."""
        if self.have_qty is None or not self.per_day or self.per_day <= 0:
            return None
        return max(0.0, (self.have_qty + packs * self.line.pack_qty) / self.per_day)


@dataclass(frozen=True)
class Kept:
    """What is kept for a store that has no order waiting."""

    store_id: str
    store_name: str
    packs: int
    units: int
    have_qty: int
    per_day: float


@dataclass(frozen=True)
class Preview:
    """A product in one warehouse.

    there_qty: promised to nobody; set_qty: of it, set for lines that wait; lines: those that wait first, by store.
    """

    warehouse_id: str
    there_qty: int
    set_qty: int
    lines: tuple[Line, ...]
    kept: tuple[Kept, ...]

    @property
    def asked_qty(self) -> int:
        """Units that waiting orders ask for."""
        return sum(one.line.packs * one.line.pack_qty for one in self.lines if one.is_waiting)

    @property
    def given_qty(self) -> int:
        """Units that waiting orders would get."""
        return sum(one.packs * one.line.pack_qty for one in self.lines if one.is_waiting)

    @property
    def promised_qty(self) -> int:
        """Units that confirmed orders wait for."""
        return sum(one.packs * one.line.pack_qty for one in self.lines if not one.is_waiting)

    @property
    def kept_qty(self) -> int:
        """Units kept for stores without an order."""
        return sum(one.units for one in self.kept)

    @property
    def left_qty(self) -> int:
        """Units nobody gets and nobody is kept."""
        return max(0, self.there_qty) - self.given_qty - self.kept_qty


# --- questions ---


def products() -> sa.Select[*tuple[Any, ...]]:
    """Ask what orders wait for by warehouse and product, what is shortest first.

    Columns: warehouse id, SKU, name, stores, units that waiting orders ask, that confirmed ones ask, and were promised.
    """
    line, order = OrderLine, ReplenishmentOrder
    asked = line.packs * line.pack_qty
    waiting = sa.func.sum(sa.case((order.state == "sent", asked), else_=0))
    confirmed = sa.func.sum(sa.case((order.state == "sent", 0), else_=asked))
    promised = sa.func.sum(
        sa.case((order.state == "sent", 0), else_=sa.func.coalesce(line.packs_acknowledged, 0) * line.pack_qty)
    )
    there = (
        sa.select(sa.func.coalesce(sa.func.sum(StockLevel.qty), 0))
        .where(StockLevel.store_id == Supplier.warehouse_id, StockLevel.sku == line.sku)
        .where(StockLevel.place == Place.BACKROOM)
        .scalar_subquery()
    )
    stores = sa.func.count(sa.distinct(line.store_id))
    return (
        sa.select(Supplier.warehouse_id, line.sku, sa.func.max(line.name), stores, waiting, confirmed, promised)
        .join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
        .join(Supplier, Supplier.id == order.supplier_id)
        .where(order.state.in_(["sent", "acknowledged"]), Supplier.kind == NETWORK, line.packs > 0)
        .where(Supplier.warehouse_id.is_not(None))
        .group_by(Supplier.warehouse_id, line.sku)
        .order_by((waiting + confirmed - there).desc(), line.sku)
    )


def of_product(session: Session, product: Product, *, at: dt.datetime) -> list[Preview]:
    """Return how a product is shared, warehouse by warehouse (rules 1 to 4)."""
    waiting = _with_product(session, "sent", product.sku)
    confirmed = _with_product(session, "acknowledged", product.sku)
    stores = {order.store_id for order, _, _ in waiting}
    others = session.scalars(
        sa.select(ReplenishmentOrder)
        .join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.state == "sent", ReplenishmentOrder.store_id.in_(stores))
        .where(Supplier.kind == NETWORK, Supplier.warehouse_id.is_not(None))
    ).all()
    held = account_orders.on_hold(session, others, at)
    changes = promise_changes.of_orders(session, [order for order, _, _ in (*waiting, *confirmed)])
    filled = [row for row in waiting if (row[0].store_id, row[0].id) not in held]
    shared = dispatch.share(
        session, [(order, house) for order, house, _ in filled],
        {(order.store_id, order.id): [line] for order, _, line in filled},
        {key: one for key, one in changes.items() if key[2] == product.sku}, at=at, only_these=True,
    )  # fmt: skip
    free = dispatch.free_stock(session, at, [product.sku])
    aside, picked = dispatch.set_aside(session), pick_lists.being_picked(session)
    names = dict(session.execute(sa.select(Store.id, Store.name)).all())
    found = []
    for house in sorted({house for _, house, _ in (*waiting, *confirmed)}):
        goods = (house, product.sku)
        there, set_qty = free.get(goods, 0), aside.get(goods, 0)
        some = shared.shares.get(goods, ())
        share_of = {(line.store_id, line.order_id, line.sku): one for one in some for line in one.lines}
        lines = [
            _line(order, line, names, max(0, there - set_qty), shared, share_of, changes, picked, held)
            for order, at_house, line in (*waiting, *confirmed) if at_house == house
        ]  # fmt: skip
        kept = tuple(
            Kept(one.store_id, names.get(one.store_id, one.store_id), one.packs, one.units, one.claim.have_qty,
                 one.claim.per_day)
            for one in some if not one.lines and one.packs
        )  # fmt: skip
        lines.sort(key=lambda one: (not one.is_waiting, one.store_name, one.order.order_no))
        found.append(Preview(house, there, set_qty, tuple(lines), kept))
    return found


# --- inside ---


def _with_product(session: Session, state: str, sku: str) -> list[tuple[ReplenishmentOrder, str, OrderLine]]:
    line, order = OrderLine, ReplenishmentOrder
    query = dispatch.in_turn(state).join(line, sa.and_(line.store_id == order.store_id, line.order_id == order.id))
    rows = session.execute(query.add_columns(line).where(line.sku == sku, line.packs > 0))
    return [(one, str(house), mine) for one, house, mine in rows]


def _line(
    order: ReplenishmentOrder, line: OrderLine, names: Mapping[str, str], spare_qty: int, shared: dispatch.Shared,
    share_of: Mapping[Key, Share], changes: Mapping[Key, PromiseChange], picked: set[tuple[str, str, str]],
    held: set[tuple[str, str]],
) -> Line:  # fmt: skip
    key = (line.store_id, line.order_id, line.sku)
    change, name = changes.get(key), names.get(line.store_id, line.store_id)
    is_waiting = order.state == "sent"
    packs = shared.packs.get(key, 0) if is_waiting else line.packs_acknowledged or 0
    holds = (change.packs if change else 0) if is_waiting else packs
    most = holds + spare_qty // line.pack_qty
    if not is_waiting:
        why = "set" if change else "" if packs >= line.packs else "shared"
        scarce = Scarcity(**line.why["scarce"]) if "scarce" in line.why else None
        is_picked = ("order", line.store_id, line.order_id) in picked
        return Line(order, line, name, packs, most, why, change=change, is_picked=is_picked, scarce=scarce)
    share = share_of.get(key)
    if (line.store_id, line.order_id) in held:
        why = "credit"
    elif change is not None:
        why = "set"
    else:
        why = _why(line.packs, packs, share.claim.required_packs if share else 0)
    claim = share.claim if share else None
    return Line(
        order, line, name, packs, min(most, line.packs), why,
        claim.required_packs if claim else None, claim.have_qty if claim else None, claim.per_day if claim else None,
        change,
    )  # fmt: skip


def _why(asked: int, packs: int, needed: int) -> str:
    """Return why a line that the rule shares gets what it gets (rule 4)."""
    if packs >= asked:
        return "above" if asked > needed else "all"
    if not packs:
        return "none"
    return "met" if packs >= needed else "shared"

"""What a group buy comes to: the price that so many units reach, full cases, fair shares, and what a share costs.

Rules
-----
1. A share is a promised line like any of an online order; what it costs is the till's own arithmetic
   (`storefront.price`).
2. Of a share the leader earns on its goods alone, as they were promised, without tax and deposit (rule 8).
3. No share costs more than its member has paid: where a deposit or a tax has risen since, the price of a unit falls.
4. The price falls with what the group takes together: the last step reached holds for everybody.
5. Cases are full. What is missing to the next full case is filled by those who said they would take more ("2, up to
   5"), each in proportion to how much more, the earlier member first where shares are equal; if that is not enough, by
   the store itself as far as it said. Else the last case is left out, and what it would have held is taken off those
   who joined last.
6. When fewer units arrive than were ordered, everybody keeps one before anybody keeps two: units are dealt out in
   rounds, in the order of joining.
7. What is left over belongs to the store. Nobody gets more than they said, and together never more than there is.
8. The leader's commission is reckoned on the price of the goods alone, without tax and deposit. Where a part of a
   share's money went back, so much of its goods counts as brought back.

Units: *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from config.money import BASIS, share_out
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from pos.store.store import day_of
from supply.online.orders import PickupOrder, lines_of
from supply.online.storefront.availability import OnlineListing
from supply.online.storefront.price import cost, promise_of
from supply.online_facts import OrderLine


@dataclass(frozen=True)
class Demand:
    """What a member wants: `want` for sure, `upto` at most. In the order of joining."""

    id: str
    want: int
    upto: int


@dataclass(frozen=True)
class Filled:
    """cases to order, what each member gets of them, and what the store takes itself."""

    cases: int
    gets: dict[str, int]
    store_qty: int


def share(
    session: Session, store_id: str, sku: str, qty: int, price_minor: int, *, most_minor: int | None = None,
    at: dt.datetime,
) -> tuple[OrderLine, int]:  # fmt: skip
    """Return a share's line and what it costs in all; most_minor: what was paid for it (rule 3)."""
    line = _line(session, store_id, sku, qty, price_minor, at)
    total_minor = _total(session, line)
    while most_minor is not None and total_minor > most_minor:
        fewer = max(1, (total_minor - most_minor) // qty)
        if line.price_minor > fewer:
            line = replace(line, price_minor=line.price_minor - fewer)
        else:
            line = replace(line, deposit_sku=None, deposit_minor=None)
        total_minor = _total(session, line)
    return line, total_minor


def leaders_part(session: Session, store_id: str, order_id: str, left_minor: int, commission_bp: int) -> int:
    """Return what a leader earns on a share of which so much was not sent back (rule 2)."""
    order = session.get(PickupOrder, (store_id, order_id))
    if order is None or not commission_bp:
        return 0
    priced = cost(session, promise_of(lines_of(session, order)))
    goods_minor = sum(line.net_minor for line in priced.lines if line.product.kind != "deposit")
    return commission(goods_minor, priced.total_minor, left_minor, commission_bp)


def _total(session: Session, line: Any) -> int:
    return cost(session, promise_of([line])).total_minor


def _line(session: Session, store_id: str, sku: str, qty: int, price_minor: int, at: dt.datetime) -> OrderLine:
    product = session.get_one(Product, sku)
    line = OrderLine(sku, product.name, qty, price_minor, product.price_quantity)
    deposit_sku = product.deposit_sku
    if deposit_sku is None:
        return line
    offer = session.get(OnlineListing, (store_id, deposit_sku))
    asked = (
        offer.price_minor
        if offer
        else catalogue.price_on(session, store_id, deposit_sku, day_of(session, store_id, at))
    )
    return line if asked is None else replace(line, deposit_sku=deposit_sku, deposit_minor=asked)


def price_at(steps: Sequence[tuple[int, int]], qty: int) -> int:
    """Return the price of a unit when the group takes `qty` together (rule 4); steps: (from quantity, price_minor)."""
    reached = [price_minor for from_qty, price_minor in steps if from_qty <= qty]
    return reached[-1] if reached else steps[0][1]


def commission(goods_minor: int, total_minor: int, left_minor: int, commission_bp: int) -> int:
    """Return the leader's part of a share (rule 8), rounded down.

    goods_minor: its goods without tax and deposit, of total_minor in all; left_minor: what was not sent back of that.
    """
    return goods_minor * left_minor * commission_bp // (total_minor * BASIS) if total_minor else 0


def fill(demands: Sequence[Demand], case_qty: int, store_takes: int = 0) -> Filled:
    """Fill cases with what the members want (rule 5)."""
    gets = {demand.id: demand.want for demand in demands}
    total = sum(gets.values())
    missing = -total % case_qty
    spare = [demand.upto - demand.want for demand in demands]
    if missing and sum(spare) + store_takes >= missing:
        more = min(missing, sum(spare))
        for demand, extra in zip(demands, share_out(more, spare) if more else [0] * len(spare), strict=True):
            gets[demand.id] += extra
        return Filled((total + missing) // case_qty, gets, missing - more)
    over = total % case_qty
    for demand in reversed(demands):
        cut = min(over, gets[demand.id])
        gets[demand.id] -= cut
        over -= cut
    return Filled(total // case_qty, gets, 0)


def deal(wanted: Sequence[tuple[str, int]], arrived: int) -> dict[str, int]:
    """Deal arrived units out in rounds, in the order of joining (rule 6); never more than wanted."""
    gets = dict.fromkeys((member for member, _ in wanted), 0)
    left = max(0, arrived)
    while left:
        open_qty = [(member, qty - gets[member]) for member, qty in wanted if gets[member] < qty]
        if not open_qty:
            break
        rounds = max(1, min(left // len(open_qty), min(qty for _, qty in open_qty)))
        for member, _ in open_qty[:left]:
            gets[member] += rounds
            left -= rounds
    return gets

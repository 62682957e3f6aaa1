"""Orders on account: which of them wait for the operator, as those do whose credit is beyond the line.

Rules
-----
1. An order to the network that draws no credit is on account. It waits while the store's line is held, or when it would
   bring what the store owes on account, with what is confirmed or on its way on account, above the terms' most.
2. It waits as a draw of nothing among the held ones (`credit` rule 2): the operator lets it go, on account, or refuses
   it, and the store reads either. It goes by itself as soon as there is no reason any more.
3. What an order costs beyond its draw is on account too. Where that is above the terms' most, or the draw was refused
   before the order came, the order is answered with nothing.
4. A store whose orders cannot be looked at waits with all of them, and the others' are filled (`isolation`).

Units: *_minor minor units of the store's currency.
"""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import Context
from supply import isolation
from supply.money import credit, ledger, terms
from supply.money.credit import CreditDraw
from supply.orders import arrivals
from supply.orders.orders import OrderLine, ReplenishmentOrder

Key = tuple[str, str]
"""(store id, order id)"""


def hold_back(ctx: Context, waiting: Sequence[ReplenishmentOrder]) -> set[Key]:
    """Hold or let go what waits to be filled (rules 1, 2, 4); returns the orders that may not be filled.

    Those whose credit waits for the operator are among them.
    """
    by_store: dict[str, list[ReplenishmentOrder]] = {}
    for order in sorted(waiting, key=lambda one: (one.store_id, one.sent_at or ctx.at, one.order_no)):
        by_store.setdefault(order.store_id, []).append(order)
    back: set[Key] = set()

    def look(stores: Sequence[str]) -> None:
        back.update(_held_of(ctx, {store: by_store[store] for store in stores}))

    for store in isolation.together(ctx, "orders", list(by_store), look):
        back |= {(store, order.id) for order in by_store[store]}
    return back


def costs_of_waiting(session: Session) -> dict[str, int]:
    """Return what the orders on account that wait for the operator cost, by order."""
    query = (
        sa.select(ReplenishmentOrder.id, ReplenishmentOrder.cost_minor)
        .join(
            CreditDraw,
            sa.and_(ReplenishmentOrder.store_id == CreditDraw.store_id, ReplenishmentOrder.id == CreditDraw.order_id),
        )
        .where(CreditDraw.state == "held", CreditDraw.amount_minor == 0)
    )
    return {order_id: int(minor) for order_id, minor in session.execute(query)}


# --- inside ---


def _held_of(ctx: Context, by_store: Mapping[str, Sequence[ReplenishmentOrder]]) -> set[Key]:
    """Hold or let go the orders of some stores, each store's oldest first; returns those that may not be filled."""
    most_minor = terms.in_force(ctx.session)[1].account_most_minor
    held_lines = credit.held_stores(ctx.session)
    draws, owed = _draws(ctx.session, by_store), _owed(ctx.session, list(by_store))
    back: set[Key] = set()
    for order in (order for orders_of_store in by_store.values() for order in orders_of_store):
        key, draw = (order.store_id, order.id), draws.get((order.store_id, order.id))
        if draw is not None and draw.amount_minor:
            after_minor = owed.get(order.store_id, 0) + max(0, order.cost_minor - draw.amount_minor)
            is_beyond = draw.amount_minor < order.cost_minor and after_minor > most_minor
            if draw.state == "refused" or (draw.state == "granted" and is_beyond):
                arrivals.answer_nothing(ctx, order)
            if draw.state != "granted" or is_beyond:
                back.add(key)
            else:
                owed[order.store_id] = after_minor
            continue
        after_minor = owed.get(order.store_id, 0) + order.cost_minor
        why = "held" if order.store_id in held_lines else "account" if after_minor > most_minor else ""
        if why and (draw is None or draw.state == "held"):
            back.add(key)
            if draw is None:
                credit.hold_on_account(ctx, order, why=why)
            continue
        if draw is not None and draw.state == "held":
            credit.let_go(ctx, *key)
        owed[order.store_id] = after_minor
    return back


def _draws(session: Session, stores: Iterable[str]) -> dict[Key, CreditDraw]:
    query = sa.select(CreditDraw).join(
        ReplenishmentOrder,
        sa.and_(ReplenishmentOrder.store_id == CreditDraw.store_id, ReplenishmentOrder.id == CreditDraw.order_id),
    )
    query = query.where(ReplenishmentOrder.state == "sent", CreditDraw.store_id.in_(stores))
    return {(one.store_id, one.order_id): one for one in session.scalars(query)}


def _owed(session: Session, stores: Sequence[str]) -> dict[str, int]:
    """Return what each store owes on account, with what is confirmed or on its way to it on account (rules 1, 3)."""
    order, drawn = ReplenishmentOrder, sa.func.coalesce(sa.func.max(CreditDraw.amount_minor), 0)
    coming = (
        sa.select(order.store_id, sa.func.sum(OrderLine.packs_acknowledged * OrderLine.pack_cost_minor), drawn)
        .join(OrderLine, sa.and_(OrderLine.store_id == order.store_id, OrderLine.order_id == order.id))
        .outerjoin(CreditDraw, sa.and_(CreditDraw.store_id == order.store_id, CreditDraw.order_id == order.id))
        .where(order.store_id.in_(stores), order.state.in_(["acknowledged", "dispatched"]))
        .group_by(order.store_id, order.id)
    )
    booked = ledger.balances_by_store(session, stores)
    found = {store: booked[store]["invoiced"] for store in stores if store in booked}
    for store, cost_minor, drawn_minor in session.execute(coming):
        found[store] = found.get(store, 0) + max(0, int(cost_minor or 0) - int(drawn_minor))
    return found

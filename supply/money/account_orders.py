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

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
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
    by_store = _by_store(waiting, ctx.at)
    back: set[Key] = set()

    def look(stores: Sequence[str]) -> None:
        back.update(_held_of(ctx, {store: by_store[store] for store in stores}))

    for store in isolation.together(ctx, "orders", list(by_store), look):
        back |= {(store, order.id) for order in by_store[store]}
    return back


def on_hold(session: Session, waiting: Sequence[ReplenishmentOrder], at: dt.datetime) -> set[Key]:
    """Return the orders that would not be filled now (rules 1 to 3); nothing is held, let go or answered."""
    return {
        (order.store_id, order.id)
        for order, _draw, verdict, _why in _verdicts(session, _by_store(waiting, at))
        if verdict != "fill"
    }


def refuse_beyond(session: Session, order: ReplenishmentOrder) -> None:
    """Refuse an order that was promised more than its store asked for, where what it owes would grow too much (rule 3).

    To be asked once the promise is written.
    """
    session.flush()
    most_minor, owed = terms.in_force(session)[1].account_most_minor, _owed(session, [order.store_id])
    if order.store_id in credit.held_stores(session) or owed.get(order.store_id, 0) > most_minor:
        raise Refused(
            "beyond-account", "%(store)s has no room on its account for more than it ordered. Promise what it ordered.",
            store=order.store_id,
        )  # fmt: skip


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


def _by_store(waiting: Sequence[ReplenishmentOrder], at: dt.datetime) -> dict[str, list[ReplenishmentOrder]]:
    found: dict[str, list[ReplenishmentOrder]] = {}
    for order in sorted(waiting, key=lambda one: (one.store_id, one.sent_at or at, one.order_no)):
        found.setdefault(order.store_id, []).append(order)
    return found


def _held_of(ctx: Context, by_store: Mapping[str, Sequence[ReplenishmentOrder]]) -> set[Key]:
    """Hold or let go the orders of some stores, each store's oldest first; returns those that may not be filled."""
    back: set[Key] = set()
    for order, draw, verdict, why in list(_verdicts(ctx.session, by_store)):
        if verdict != "fill":
            back.add((order.store_id, order.id))
        if verdict == "nothing":
            arrivals.answer_nothing(ctx, order)
        elif verdict == "hold" and draw is None:
            credit.hold_on_account(ctx, order, why=why)
        elif verdict == "fill" and draw is not None and draw.state == "held":
            credit.let_go(ctx, order.store_id, order.id)
    return back


def _verdicts(
    session: Session, by_store: Mapping[str, Sequence[ReplenishmentOrder]]
) -> Iterator[tuple[ReplenishmentOrder, CreditDraw | None, str, str]]:
    """Yield of each order its draw, whether it is to `fill`, to `hold` or answered with `nothing`, and why it waits."""
    most_minor = terms.in_force(session)[1].account_most_minor
    held_lines = credit.held_stores(session)
    draws, owed = _draws(session, by_store), _owed(session, list(by_store))
    for order in (order for orders_of_store in by_store.values() for order in orders_of_store):
        draw = draws.get((order.store_id, order.id))
        if draw is not None and draw.amount_minor:
            after_minor = owed.get(order.store_id, 0) + max(0, order.cost_minor - draw.amount_minor)
            is_beyond = draw.amount_minor < order.cost_minor and after_minor > most_minor
            if draw.state == "refused" or (draw.state == "granted" and is_beyond):
                yield order, draw, "nothing", ""
            elif draw.state != "granted":
                yield order, draw, "hold", ""
            else:
                owed[order.store_id] = after_minor
                yield order, draw, "fill", ""
            continue
        after_minor = owed.get(order.store_id, 0) + order.cost_minor
        why = "held" if order.store_id in held_lines else "account" if after_minor > most_minor else ""
        if why and (draw is None or draw.state == "held"):
            yield order, draw, "hold", why
            continue
        owed[order.store_id] = after_minor
        yield order, draw, "fill", ""


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

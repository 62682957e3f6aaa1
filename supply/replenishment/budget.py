"""What a store's orders may cost: the week's money, and what the network lets it buy without paying at once.

Rules
-----
1. The week's money is what orders of the last WEEK_DAYS, today included, and those confirmed already for a later order
   day may cost together, over all suppliers; where the shopkeeper says so, without those to the network, which are paid
   later. Orders the supplier rejected or the store called off do not count. No row: money does not limit.
2. Orders to the network may cost what is left of its line: of the credit line (`credit`), or of what may be owed on
   account (the terms' most, less what is owed and what open orders will bring on account), whichever is more, for an
   order is paid in one of the two ways. Before a line is known, and while it is held, the line bounds nothing: what is
   needed is proposed, and waits for the network (`account_orders`).
3. For a proposal that is left which the other proposals, as they stand, leave; what waits for its supplier's minimum
   takes nothing. A person may go beyond; the page says so.

Units: *_minor minor units of the store's currency.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from config.ids import NETWORK
from config.money import MAX_MINOR
from config.nodes.journal import Context, record
from supply.money import credit, ledger
from supply.money.credit import CreditDraw, CreditLine
from supply.orders import orders
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier

WEEK_DAYS = 7
WEEK, LINE = "budget", "line"
"""The purses: the week's money and the network's line."""


class OrderBudget(Base):
    """The money a store's orders may cost in a week (rule 1)."""

    __tablename__ = "order_budget"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    week_minor: Mapped[int]
    network_too: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    """Whether orders to the network count, though they are paid later."""
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


class Budget(NamedTuple):
    """What orders to some suppliers may cost together.

    left_minor: below zero counts as nothing. suppliers: those whose orders it pays for, by id.
    """

    name: str
    left_minor: int
    suppliers: frozenset[str]


@dataclass(frozen=True)
class Line:
    """What a store may still buy of the network, in either way (rule 2)."""

    account_minor: int
    credit_minor: int

    @property
    def left_minor(self) -> int:
        """What one order may cost."""
        return max(self.account_minor, self.credit_minor)


# --- verbs ---


def set_budget(ctx: Context, store_id: str, week_minor: int | None, *, network_too: bool = True) -> None:
    """Limit what a week's orders may cost together; None lifts the limit (rule 1)."""
    if week_minor is not None and not 0 <= week_minor <= MAX_MINOR:
        raise Invalid("bad-budget", "Enter a limit of zero or more.", field="week_budget")
    row = ctx.session.get(OrderBudget, store_id)
    if week_minor is None:
        if row is not None:
            ctx.session.delete(row)
    else:
        row = row or OrderBudget(store_id=store_id)
        row.week_minor, row.network_too, row.set_by, row.set_at = week_minor, network_too, ctx.actor.name, ctx.at
        ctx.session.add(row)
    ctx.session.flush()
    record(ctx, verb="order.budget_set", subject=f"store:{store_id}", week_minor=week_minor, network_too=network_too)


# --- questions ---


def week_of(session: Session, store_id: str) -> OrderBudget | None:
    """Return what a week's orders may cost together; None where money does not limit."""
    return session.get(OrderBudget, store_id)


def left_to_spend(session: Session, store_id: str, today: dt.date) -> int | None:
    """Return what this week's orders may still cost, never below zero; None where money does not limit (rule 1)."""
    budget = week_of(session, store_id)
    return None if budget is None else max(0, budget.week_minor - sum(week_spent(session, store_id, today).values()))


def week_spent(session: Session, store_id: str, today: dt.date) -> dict[dt.date, int]:
    """Return what this week's orders cost of its money, by their order day (rule 1)."""
    order, budget = ReplenishmentOrder, week_of(session, store_id)
    counted = [order.store_id == store_id, order.order_day > today - dt.timedelta(days=WEEK_DAYS)]
    if budget is not None and not budget.network_too:
        counted.append(order.supplier_id.not_in(_network_ids()))
    rows = session.execute(_cost_of(order.order_day, *counted).group_by(order.order_day))
    return {day: int(minor or 0) for day, minor in rows}


def line_left(session: Session, store_id: str) -> Line | None:
    """Return what the network lets a store buy; None where its line bounds nothing (rule 2)."""
    line = session.get(CreditLine, store_id)
    if line is None or line.state == "held" or "account_most_minor" not in line.terms:
        return None
    owed_minor = ledger.balances(session, store_id)["invoiced"] + _coming_on_account(session, store_id)
    account_minor = int(line.terms["account_most_minor"]) - owed_minor
    return Line(max(0, account_minor), credit.available(session, store_id))


def budgets(session: Session, store_id: str, today: dt.date) -> list[Budget]:
    """Return what limits a store's orders: none, the week's money, the network's line, or both."""
    week_minor, line = left_to_spend(session, store_id, today), line_left(session, store_id)
    if week_minor is None and line is None:
        return []
    kinds = dict(session.execute(sa.select(Supplier.id, Supplier.kind)).all())
    of_network = frozenset(one for one, kind in kinds.items() if kind == NETWORK)
    found = []
    if week_minor is not None:
        budget = session.get_one(OrderBudget, store_id)
        paid = frozenset(kinds) if budget.network_too else frozenset(kinds) - of_network
        found.append(Budget(WEEK, week_minor, paid))
    if line is not None:
        found.append(Budget(LINE, line.left_minor, of_network))
    return found


def left_for(session: Session, order: ReplenishmentOrder, today: dt.date) -> list[Budget]:
    """Return what each purse that pays for a proposal has left for it (rule 3)."""
    other = ReplenishmentOrder
    asked = sa.select(other.supplier_id, sa.func.sum(other.cost_minor)).where(
        other.store_id == order.store_id, other.state == "proposed", other.id != order.id, other.postponed.is_(False)
    )
    paying = [one for one in budgets(session, order.store_id, today) if order.supplier_id in one.suppliers]
    others = {supplier: int(minor) for supplier, minor in session.execute(asked.group_by(other.supplier_id))}
    return [
        one._replace(left_minor=max(0, one.left_minor - sum(others[each] for each in others if each in one.suppliers)))
        for one in paying
    ]


def spent(session: Session, *which: sa.SQLColumnExpression[bool]) -> int:
    """Return what some orders cost, or will: as counted once they are over, as promised once they are answered."""
    return int(session.execute(_cost_of(sa.func.count(), *which)).one()[1] or 0)


# --- inside ---


def _cost_of(what: sa.SQLColumnExpression[Any], *which: sa.SQLColumnExpression[bool]) -> sa.Select[Any, int]:
    """Select what some orders cost, or will, beside a column."""
    line, order = orders.OrderLine, ReplenishmentOrder
    counted = line.qty_received * line.pack_cost_minor // line.pack_qty
    cost = sa.case((order.state.in_(["received", "closed_short"]), counted), else_=_promised())
    query = sa.select(what, sa.func.sum(cost)).select_from(line)
    query = query.join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
    return query.where(order.state.not_in(orders.COSTS_NOTHING), *which)


def _network_ids() -> sa.Select[str]:
    return sa.select(Supplier.id).where(Supplier.kind == NETWORK)


def _promised() -> sa.SQLColumnExpression[int]:
    line = orders.OrderLine
    return sa.func.coalesce(line.packs_acknowledged, line.packs) * line.pack_cost_minor


def _coming_on_account(session: Session, store_id: str) -> int:
    """Return what open orders to the network will bring on account: what each costs beyond its draw."""
    line, order = orders.OrderLine, ReplenishmentOrder
    drawn = sa.func.coalesce(sa.func.max(CreditDraw.amount_minor), 0)
    mine = sa.and_(
        CreditDraw.store_id == order.store_id, CreditDraw.order_id == order.id,
        CreditDraw.state.not_in(["refused", "called_off"]),
    )  # fmt: skip
    query = (
        sa.select(sa.func.sum(_promised()), drawn)
        .select_from(order)
        .join(line, sa.and_(line.store_id == order.store_id, line.order_id == order.id))
        .outerjoin(CreditDraw, mine)
        .where(
            order.store_id == store_id, order.state.in_(["approved", "sent", "acknowledged", "dispatched"]),
            order.supplier_id.in_(_network_ids()),
        )
        .group_by(order.id)
    )  # fmt: skip
    return sum(max(0, int(cost or 0) - int(drawn_minor)) for cost, drawn_minor in session.execute(query))

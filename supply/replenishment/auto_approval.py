"""What a shopkeeper lets happen without asking.

Rules
-----
1. A rule lets a supplier's proposals go by themselves, on their order day, as long as the order costs at most
   most_order_minor and all orders that went by it within WEEK_DAYS at most most_week_minor together; those rejected or
   called off do not count. What is dearer, postponed, changed by a person or stands on no fresh forecast (older than
   FRESH_DAYS) waits for the shopkeeper.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Actor, Context
from supply.orders import orders
from supply.orders.orders import ReplenishmentOrder, lines_of, subject_of
from supply.orders.suppliers import supplier_of
from supply.replenishment import budget, proposals

WEEK_DAYS = 7
FRESH_DAYS = 1


class OrderRule(Base):
    """How far a supplier's orders may go without asking (rule 1)."""

    __tablename__ = "order_rule"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    supplier_id: Mapped[str] = mapped_column(primary_key=True)
    most_order_minor: Mapped[int]
    most_week_minor: Mapped[int]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


# --- verbs ---


def set_rule(
    ctx: Context, store_id: str, supplier_id: str, *, most_order_minor: int, most_week_minor: int
) -> OrderRule | None:
    """Let a supplier's orders go by themselves up to these amounts; zero for an order withdraws the rule."""
    supplier = supplier_of(ctx.session, supplier_id)
    if not 0 <= most_order_minor <= MAX_MINOR or not 0 <= most_week_minor <= MAX_MINOR:
        raise Invalid("bad-limit", "Enter a limit of zero or more.")
    if most_order_minor and most_week_minor < most_order_minor:
        raise Invalid("week-below-order", "The weekly limit must be at least the limit per order.")
    rule = ctx.session.get(OrderRule, (store_id, supplier_id))
    journal.record(
        ctx, verb="order.rule_set", subject=f"supplier:{supplier.id}",
        most_order_minor=most_order_minor, most_week_minor=most_week_minor)  # fmt: skip
    if not most_order_minor:
        if rule is not None:
            ctx.session.delete(rule)
            ctx.session.flush()
        return None
    rule = rule or OrderRule(store_id=store_id, supplier_id=supplier_id)
    rule.most_order_minor, rule.most_week_minor = most_order_minor, most_week_minor
    rule.set_by, rule.set_at = ctx.actor.name, ctx.at
    ctx.session.add(rule)
    ctx.session.flush()
    return rule


def send_by_rule(
    session: Session, store_id: str, made: Sequence[ReplenishmentOrder], today: dt.date, *, at: dt.datetime
) -> list[ReplenishmentOrder]:
    """Approve and send those proposals of today that a rule lets go (rule 1); returns them."""
    gone = []
    for order in made:
        rule = session.get(OrderRule, (store_id, order.supplier_id))
        if rule is None or why_not(session, rule, order, today):
            continue
        actor = Actor("order-rule", f"rule of {rule.set_by}", "system", store_id)
        ctx = Context(session, actor, at)
        proposals.approve(ctx, store_id, order.id)
        try:
            orders.send(ctx, store_id, order.id)
        except Refused as refused:  # below the minimum: approved, it waits for a person
            journal.record(ctx, verb="order.rule_stopped", subject=subject_of(order), why=refused.code)
            continue
        order.by_rule = True
        gone.append(order)
    session.flush()
    return gone


# --- questions ---


def why_not(session: Session, rule: OrderRule, order: ReplenishmentOrder, today: dt.date) -> str:
    """Return why an order does not go by its rule: a code, '' when it goes (rule 1)."""
    if order.state != "proposed" or order.postponed:
        return "postponed"
    if not order.cost_minor:
        return "empty"
    if order.order_day != today:
        return "not-today"
    if order.forecast_age_days is None or order.forecast_age_days > FRESH_DAYS:
        return "no-fresh-forecast"
    if order.cost_minor > rule.most_order_minor:
        return "too-dear"
    since = today - dt.timedelta(days=WEEK_DAYS - 1)
    spent = budget.spent(
        session, ReplenishmentOrder.store_id == rule.store_id, ReplenishmentOrder.supplier_id == rule.supplier_id,
        ReplenishmentOrder.by_rule, ReplenishmentOrder.order_day >= since,
    )  # fmt: skip
    if spent + order.cost_minor > rule.most_week_minor:
        return "week-spent"
    if any(line.changed_by for line in lines_of(session, order)):
        return "changed"
    return ""

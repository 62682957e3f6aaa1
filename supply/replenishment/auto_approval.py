"""What a shopkeeper lets happen without asking, and what the orders learn from what they change.

Rules
-----
1. A rule lets a supplier's proposals go by themselves, on their order day, as long as the order costs at most
   most_order_minor and all orders that went by it within WEEK_DAYS at most most_week_minor together; those rejected or
   called off do not count. What is dearer, postponed, changed by a person or stands on no fresh forecast (older than
   FRESH_DAYS) waits for the shopkeeper.
2. An edit teaches when its reason says that the quantity was wrong as such (TEACHING: too many, not enough, no room)
   and it went that way, not when something happened once. On approval the product's taught units move by half of the
   difference between ordered and proposed, and stay within one pack or MOST_TAUGHT_DAYS days of demand, whichever is
   more.
3. What was taught counts in full for LESSON_DAYS after the last edit that taught it, by half for as many again, and
   then not at all: what is not confirmed is forgotten.
4. Taught units are added to the shelf a product is ordered up to, and every line says them.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Actor
from supply.orders import orders
from supply.orders.orders import ReplenishmentOrder, lines_of, subject_of
from supply.orders.suppliers import supplier_of
from supply.replenishment import budget

TEACHING = {"too-many": -1, "no-room": -1, "too-few": 1}
"""reason -> whether it asks for less or for more."""
MOST_TAUGHT_DAYS = 2
LESSON_DAYS = 56
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


class OrderAdjustment(Base):
    """Units a shopkeeper's edits taught to hold more, or less, of a product (rule 2)."""

    __tablename__ = "order_adjustment"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    adjusted_qty: Mapped[int]
    adjusted_at: Mapped[dt.datetime]


# --- verbs ---


def set_rule(
    session: Session,
    store_id: str,
    supplier_id: str,
    *,
    most_order_minor: int,
    most_week_minor: int,
    actor: Actor,
    at: dt.datetime,
) -> OrderRule | None:
    """Let a supplier's orders go by themselves up to these amounts; zero for an order withdraws the rule."""
    supplier = supplier_of(session, supplier_id)
    if not 0 <= most_order_minor <= MAX_MINOR or not 0 <= most_week_minor <= MAX_MINOR:
        raise Invalid("bad-limit", "A limit is an amount of zero or more.")
    if most_order_minor and most_week_minor < most_order_minor:
        raise Invalid("week-below-order", "The week's limit is at least that of one order.")
    rule = session.get(OrderRule, (store_id, supplier_id))
    journal.record(
        session, actor=actor, at=at, verb="order.rule_set", subject=f"supplier:{supplier.id}",
        most_order_minor=most_order_minor, most_week_minor=most_week_minor,
    )  # fmt: skip
    if not most_order_minor:
        if rule is not None:
            session.delete(rule)
            session.flush()
        return None
    rule = rule or OrderRule(store_id=store_id, supplier_id=supplier_id)
    rule.most_order_minor, rule.most_week_minor = most_order_minor, most_week_minor
    rule.set_by, rule.set_at = actor.name, at
    session.add(rule)
    session.flush()
    return rule


def send_by_rule(
    session: Session, store_id: str, made: Sequence[ReplenishmentOrder], today: dt.date, *, at: dt.datetime
) -> list[ReplenishmentOrder]:
    """Approve and send those proposals of today that a rule lets go (rule 1); returns them."""
    from supply.replenishment.proposals import approve

    gone = []
    for order in made:
        rule = session.get(OrderRule, (store_id, order.supplier_id))
        if rule is None or why_not(session, rule, order, today):
            continue
        actor = Actor("order-rule", f"rule of {rule.set_by}", "system", store_id)
        approve(session, store_id, order.id, actor=actor, at=at)
        try:
            orders.send(session, store_id, order.id, actor=actor, at=at)
        except Refused as refused:  # below the minimum: approved, it waits for a person
            journal.record(session, actor=actor, at=at, verb="order.rule_stopped", subject=subject_of(order),
                           why=refused.code)  # fmt: skip
            continue
        order.by_rule = True
        gone.append(order)
    session.flush()
    return gone


def learn(session: Session, order: ReplenishmentOrder, *, at: dt.datetime) -> None:
    """Take what an approved order's lines teach (rule 2)."""
    known = lessons(session, order.store_id, at)
    for line in lines_of(session, order):
        if line.teaches and line.packs != line.packs_proposed:
            moved = known.get(line.sku, 0) + (line.packs - line.packs_proposed) * line.pack_qty / 2
            bound = max(line.pack_qty, round(MOST_TAUGHT_DAYS * float(line.why.get("per_day") or 0)))
            taught = round(min(bound, max(-bound, moved)))
            session.merge(OrderAdjustment(store_id=order.store_id, sku=line.sku, adjusted_qty=taught, adjusted_at=at))
    session.flush()


# --- questions ---


def does_teach(reason: str, difference: int) -> bool:
    """Tell whether an edit teaches (rule 2). difference: packs ordered less packs proposed."""
    return TEACHING.get(reason, 0) * difference > 0


def lessons(session: Session, store_id: str, at: dt.datetime) -> dict[str, int]:
    """Return the units a store's edits taught and that still count, by SKU (rule 3)."""
    rows = session.execute(
        sa.select(OrderAdjustment.sku, OrderAdjustment.adjusted_qty, OrderAdjustment.adjusted_at).where(
            OrderAdjustment.store_id == store_id, OrderAdjustment.adjusted_at > at - dt.timedelta(days=2 * LESSON_DAYS)
        )
    )
    fresh = at - dt.timedelta(days=LESSON_DAYS)
    counted = {sku: int(qty) if adjusted_at > fresh else int(qty / 2) for sku, qty, adjusted_at in rows}
    return {sku: qty for sku, qty in counted.items() if qty}


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

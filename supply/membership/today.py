"""What waits for a store's people today, and the one piece of advice that is worth most.

Rules
-----
1. What waits is what its page lists, of deliveries and expiry what is due today; the rail counts by the same rule. The
   most pressing comes first; what does not wait is absent.
2. Advice is a product to act on, with what it is worth: a sold-out product the sales of a week, one that expires before
   it is sold its price, a suggestion of the network's (`suggestions`) the margin of a week. The highest worth is given.
3. A sold-out product that is on an open order needs no advice, nor does one whose price is already reduced.
4. A store that has sold nothing yet is advised to go on with its first steps.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.money import amount_for
from pos.catalogue import shelf_labels
from pos.catalogue.catalogue import Listing, Product, prices_on
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.stock import batches, markdown, recall
from pos.stock.ledger import INSIDE, CountTask, StockLevel
from pos.store.store import day_of
from supply.demand.campaign_uplift import CampaignAsk
from supply.demand.history import DailyDemand
from supply.membership.suggestions import Suggestion
from supply.online.orders import TO_DO, PickupOrder
from supply.orders import network_offers, order_days, supplier_messages, transfers
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import ON_THE_WAY, TO_SEND, OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier

LOOK_BACK_DAYS = 28
SOON_DAYS = 2


@dataclass(frozen=True)
class Waiting:
    """One thing that waits. kind: a stable word a page has a sentence for; about: the one row's id, '' for several.

    names: whom or what it is about; until: when it is too late, where that is known.
    """

    kind: str
    count: int
    names: tuple[str, ...] = ()
    about: str = ""
    amount_minor: int | None = None
    until: dt.datetime | dt.date | None = None


@dataclass(frozen=True)
class Advice:
    """One thing to do. kind: first-steps | order | reduce | add | price; facts: the reason's figures."""

    kind: str
    worth_minor: int = 0
    sku: str = ""
    name: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def waiting(session: Session, store_id: str, at: dt.datetime) -> list[Waiting]:
    """Return what waits, the most pressing first (rule 1)."""
    day = day_of(session, store_id, at)
    found = (
        Waiting("recall", recall.to_look_through(session, store_id)),
        _orders(session, store_id, at, day),
        _deliveries(session, store_id, day),
        _pickups(session, store_id, day),
        _offers(session, store_id, day),
        _campaigns(session, store_id, day),
        _transfers(session, store_id),
        _expiring(session, store_id, day),
        _counts(session, store_id, day),
        Waiting("label", shelf_labels.waiting(session, store_id, day)),
        _messages(session, store_id),
        Waiting("print", count(session, "print", store_id, day)),
    )
    return [one for one in found if one.count]


def count(session: Session, kind: str, store_id: str, day: dt.date) -> int:
    """Count what waits of a kind of `_waits` (rule 1)."""
    return session.scalar(sa.select(sa.func.count()).where(_waits(kind, store_id, day))) or 0


def advice(session: Session, store_id: str, day: dt.date) -> Advice | None:
    """Return the advice that is worth most (rules 2 to 4)."""
    if session.scalar(sa.select(Sale.id).where(Sale.store_id == store_id).limit(1)) is None:
        return Advice("first-steps")
    found = [*_sold_out(session, store_id, day), *_overstocked(session, store_id, day), *_suggested(session, store_id)]
    return max(found, key=lambda one: (one.worth_minor, one.sku), default=None)


def advice_of(row: Suggestion) -> Advice:
    """Return the network's suggestion as advice (rule 2)."""
    return Advice(row.kind, row.expected_minor, row.sku, row.name, row.facts)


# --- what waits ---


def _waits(kind: str, store_id: str, day: dt.date) -> sa.ColumnElement[bool]:
    """Return which rows wait (rule 1)."""
    due = sa.or_(Delivery.state == "counting", sa.and_(Delivery.state == "expected", Delivery.expected_day <= day))
    return {
        "order": sa.and_(ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(TO_SEND)),
        "delivery": sa.and_(Delivery.store_id == store_id, due),
        "pickup": sa.and_(PickupOrder.store_id == store_id, PickupOrder.state.in_(TO_DO)),
        "offer": network_offers.waits(store_id, day),
        "campaign": sa.and_(CampaignAsk.store_id == store_id, CampaignAsk.state == "asked"),
        "count": sa.and_(CountTask.store_id == store_id, CountTask.done_at.is_(None)),
        "print": sa.and_(PrintJob.store_id == store_id, PrintJob.state.in_(("unconfirmed", "failed"))),
    }[kind]


def _orders(session: Session, store_id: str, at: dt.datetime, today: dt.date) -> Waiting:
    query = sa.select(ReplenishmentOrder, Supplier).join(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
    query = query.where(_waits("order", store_id, today))
    rows = session.execute(query.order_by(ReplenishmentOrder.order_day, ReplenishmentOrder.order_no)).all()
    if not rows:
        return Waiting("order", 0)
    cut_offs = [(row.order_day, order_days.closes_at(session, of, store_id, row.order_day)) for row, of in rows]
    ahead = [(day, closes) for day, closes in cut_offs if closes is None or closes > at]
    day, closes = min(ahead, key=lambda one: (one[0], one[1] is None, one[1] or at), default=(None, None))
    return Waiting(
        "order", len(rows), tuple(dict.fromkeys(of.name for _row, of in rows)),
        about=rows[0][0].id if len(rows) == 1 else "", amount_minor=sum(row.cost_minor for row, _of in rows),
        until=closes or day,
    )  # fmt: skip


def _deliveries(session: Session, store_id: str, day: dt.date) -> Waiting:
    query = sa.select(Delivery.id, sa.func.coalesce(Supplier.name, Delivery.supplier_id))
    query = query.outerjoin(Supplier, Supplier.id == Delivery.supplier_id)
    query = query.where(_waits("delivery", store_id, day))
    return _of("delivery", session.execute(query.order_by(Delivery.expected_day, Delivery.id)).all())


def _pickups(session: Session, store_id: str, day: dt.date) -> Waiting:
    query = sa.select(PickupOrder.id, PickupOrder.customer_name).where(_waits("pickup", store_id, day))
    return _of("pickup", session.execute(query.order_by(PickupOrder.placed_at, PickupOrder.id)).all())


def _offers(session: Session, store_id: str, day: dt.date) -> Waiting:
    query = sa.select(NetworkOffer.id, NetworkOffer.name, NetworkOffer.answer_by)
    query = query.where(_waits("offer", store_id, day))
    return _of("offer", session.execute(query.order_by(NetworkOffer.answer_by, NetworkOffer.id)).all())


def _campaigns(session: Session, store_id: str, day: dt.date) -> Waiting:
    query = sa.select(CampaignAsk.campaign_id, CampaignAsk.name, CampaignAsk.answer_by)
    query = query.where(_waits("campaign", store_id, day))
    return _of("campaign", session.execute(query.order_by(CampaignAsk.answer_by, CampaignAsk.campaign_id)).all())


def _transfers(session: Session, store_id: str) -> Waiting:
    return Waiting("transfer", transfers.unanswered(session, store_id))


def _expiring(session: Session, store_id: str, day: dt.date) -> Waiting:
    names = dict.fromkeys(row.name for row in batches.expiring(session, store_id, day=day, within_days=0))
    return Waiting("expiry", len(names), tuple(names))


def _counts(session: Session, store_id: str, day: dt.date) -> Waiting:
    query = sa.select(CountTask.sku, Product).join(Product, Product.sku == CountTask.sku)
    query = query.where(_waits("count", store_id, day))
    rows = session.execute(query.order_by(CountTask.opened_at, CountTask.sku))
    return _of("count", [(sku, product.shown) for sku, product in rows])


def _messages(session: Session, store_id: str) -> Waiting:
    found = sorted(supplier_messages.unsent(session, store_id))
    return Waiting("message", len(found), about=found[0] if len(found) == 1 else "")


def _of(kind: str, rows: Any) -> Waiting:
    """Return rows of (id, name) or (id, name, answer by), sorted, as one thing that waits."""
    return Waiting(
        kind, len(rows), tuple(dict.fromkeys(row[1] for row in rows)), about=rows[0][0] if len(rows) == 1 else "",
        until=rows[0][2] if rows and len(rows[0]) > 2 else None,
    )  # fmt: skip


# --- advice ---


def _sold_out(session: Session, store_id: str, day: dt.date) -> Iterator[Advice]:
    """Yield what sold in the last weeks, is not there and is on no order."""
    on_hand = sa.select(StockLevel.sku).where(StockLevel.store_id == store_id, StockLevel.place.in_(INSIDE))
    gone = on_hand.group_by(StockLevel.sku).having(sa.func.sum(StockLevel.qty) <= 0)
    ordered = sa.select(OrderLine.sku).join(
        ReplenishmentOrder,
        sa.and_(ReplenishmentOrder.store_id == OrderLine.store_id, ReplenishmentOrder.id == OrderLine.order_id),
    )
    ordered = ordered.where(
        OrderLine.store_id == store_id, OrderLine.packs > 0, ReplenishmentOrder.state.in_(("proposed", *ON_THE_WAY))
    )
    query = (
        sa.select(Product, sa.func.sum(DailyDemand.revenue_minor))
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .join(DailyDemand, sa.and_(DailyDemand.store_id == store_id, DailyDemand.sku == Product.sku))
        .where(
            Product.active, Listing.active, Listing.ordered,
            DailyDemand.business_day.between(day - dt.timedelta(days=LOOK_BACK_DAYS), day),
            Product.sku.in_(gone), Product.sku.not_in(ordered),
        )
        .group_by(Product.sku)
    )  # fmt: skip
    for product, minor in session.execute(query):
        week_minor = int(minor) * 7 // LOOK_BACK_DAYS
        if week_minor > 0:
            yield Advice("order", week_minor, product.sku, product.shown)


def _overstocked(session: Session, store_id: str, day: dt.date) -> Iterator[Advice]:
    """Yield what expires within SOON_DAYS and will not be sold by then at the pace of the last weeks."""
    rows = [row for row in batches.expiring(session, store_id, day=day, within_days=SOON_DAYS) if row.days_left >= 0]
    skus = sorted({row.sku for row in rows})
    sold = sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty)).where(
        DailyDemand.store_id == store_id, DailyDemand.sku.in_(skus),
        DailyDemand.business_day.between(day - dt.timedelta(days=LOOK_BACK_DAYS), day - dt.timedelta(days=1)),
    )  # fmt: skip
    pace = {sku: int(qty) / LOOK_BACK_DAYS for sku, qty in session.execute(sold.group_by(DailyDemand.sku))}
    prices, reduced = prices_on(session, store_id, day, skus), markdown.running(session, store_id, day)
    for row in rows:
        a_day = pace.get(row.sku, 0.0)
        left = row.qty - round(a_day * (row.days_left + 1))
        if left > 0 and row.sku in prices and (row.sku, row.expires_on) not in reduced:
            facts = {"qty": row.qty, "a_day": a_day, "stock_unit": row.stock_unit, "expires_on": row.expires_on}
            yield Advice("reduce", amount_for(left, prices[row.sku], row.price_quantity), row.sku, row.name, facts)


def _suggested(session: Session, store_id: str) -> Iterator[Advice]:
    query = sa.select(Suggestion).where(Suggestion.store_id == store_id, Suggestion.state == "open")
    yield from map(advice_of, session.scalars(query))

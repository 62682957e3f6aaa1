"""What needs a person at the network: messages, stores, goods, orders, claims, money, forecasts that wait for one.

Read-only; as many questions as kinds, not as stores. What a store is asked about stands here no longer than it is
asked.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.inbox import InboxAlarm, InboxMessage
from config.nodes.node import Peer
from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store, StoreKey
from supply import isolation, two_people
from supply.demand import history
from supply.membership import exposure, objections, overview
from supply.money import credit, escrow, lost_entries, refunds
from supply.money.held_payments import Escrow
from supply.money.proposals import MoneyProposal
from supply.network.recalls import recalls
from supply.network.recalls.upstream_returns import UpstreamReturn
from supply.network.routes import routes
from supply.network.warehouse import lots
from supply.online.storefront import reviews
from supply.orders import supplier_messages, suppliers, transfers
from supply.orders.claims import WAITING, Claim
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import OPEN, NetworkOffer
from supply.orders.orders import ReplenishmentOrder
from supply.orders.price_list import PriceProposal
from supply.orders.purchases import Purchase

SILENT_AFTER_S = 3600
STALE_FORECAST_DAYS = 2
UNCOUNTED_DAYS, LATELY_DAYS = 2, 7


@dataclass(frozen=True)
class Attention:
    """One thing a person should look at. kind is a stable word the page has a sentence for."""

    kind: str
    subject: str
    facts: dict[str, Any]


def needing_a_person(session: Session, *, at: dt.datetime) -> list[Attention]:
    """List what needs a person, the most pressing first."""
    return [
        *_recalls(session),
        *_messages(session),
        *[Attention("left-out", one.store_id, vars(one)) for one in isolation.lately(session, at=at)],
        *_accounts(session),
        *_silent(session, at),
        *_scarce(session),
        *_goods(session, at),
        *_supplier_messages(session),
        *_decisions(session, at),
        *_old_forecasts(session, at),
    ]


def of_store(session: Session, store_id: str, *, at: dt.datetime) -> list[Attention]:
    """List what of one store needs somebody: its silence, goods not counted, what nobody has answered."""
    return [*_silent(session, at, store_id), *_not_counted(session, at, store_id), *_unanswered(session, store_id)]


# --- inside ---


def _messages(session: Session) -> list[Attention]:
    """What contradicts, runs or has joined twice, or was set aside."""
    odd = sa.select(InboxAlarm.from_node, sa.func.count(), sa.func.max(InboxAlarm.reason))
    odd = odd.group_by(InboxAlarm.from_node).order_by(sa.func.max(InboxAlarm.at).desc()).limit(20)
    found = [
        Attention("contradiction", store_id, {"count": count, "reason": reason})
        for store_id, count, reason in session.execute(odd)
    ]
    forks = session.scalars(sa.select(Peer).where(Peer.alarm.is_not(None)))
    found += [Attention("fork", peer.id, {"reason": peer.alarm}) for peer in forks]
    open_keys = sa.select(StoreKey.store_id, sa.func.count()).where(StoreKey.revoked_at.is_(None))
    twice = open_keys.group_by(StoreKey.store_id).having(sa.func.count() > 1)
    found += [Attention("keys", store_id, {"count": count}) for store_id, count in session.execute(twice)]
    parked = session.execute(
        sa.select(InboxMessage.from_node, sa.func.count(), sa.func.min(InboxMessage.reason))
        .where(InboxMessage.state == "parked")
        .group_by(InboxMessage.from_node)
    )
    return found + [Attention("parked", node, {"count": count, "reason": reason}) for node, count, reason in parked]


def _recalls(session: Session) -> list[Attention]:
    """Recalls for which not every place was looked through."""
    called = recalls.called(session)
    waiting = [row for row, looked, places in called if row.state != "lifted" and looked < places]
    return [Attention("recall-open", waiting[0].id, {"count": len(waiting)})] if waiting else []


def _supplier_messages(session: Session) -> list[Attention]:
    """Messages to upstream suppliers that did not leave: of purchases to come or called off; of returns, by recall.

    A return's page leaves with its goods.
    """
    count = Counter[str]()
    for message in supplier_messages.left_behind(session):
        about = (message.store_id, message.about)
        if message.kind == "return" and message.state == "waiting":
            continue
        if message.kind in supplier_messages.OF_RETURNS:
            count[session.get_one(UpstreamReturn, about).recall_id] += 1
        elif message.kind == "cancellation" or session.get_one(Purchase, about).state == "ordered":
            count[""] += 1
    return [Attention("messages-left", recall_id, {"count": waiting}) for recall_id, waiting in count.items()]


def _accounts(session: Session) -> list[Attention]:
    """What was lost of accounts when the books were put back, and who has not told yet: nobody of them is paid out."""
    waiting = Counter(one.store_id for one in lost_entries.waiting(session))
    found = [Attention("lost-entries", store, {"count": count}) for store, count in waiting.items()]
    return found + [Attention("account-silent", store, {}) for store in lost_entries.silent(session)]


def _only(store_id: str | None, column: Any) -> Any:
    """Return the condition that asks about one store; None: about all."""
    return sa.true() if store_id is None else column == store_id


def _silent(session: Session, at: dt.datetime, store_id: str | None = None) -> list[Attention]:
    """Stores that have not been heard for long."""
    silent_before = at - dt.timedelta(seconds=SILENT_AFTER_S)
    silent = (
        sa.select(Peer.id, Peer.heard_at)
        .join(Store, Store.id == Peer.id)
        .where(Peer.heard_at < silent_before, Store.has_node, _only(store_id, Peer.id))
        .order_by(Peer.heard_at)
    )
    return [Attention("silent", peer, {"since": heard_at}) for peer, heard_at in session.execute(silent)]


def _scarce(session: Session) -> list[Attention]:
    """Warehouse goods that are gone."""
    gone = {house: _gone(session, house) for house in suppliers.warehouses(session)}
    return [
        Attention("warehouse-empty", house, {"count": len(rows), "names": [row.name for row in rows]})
        for house, rows in gone.items()
        if rows
    ]


def _gone(session: Session, house: str) -> list[lots.Kept]:
    of = lots.keeping(house)
    skus = session.scalars(of.query.where(of.is_gone).order_by(Product.name, Product.sku).limit(1000))
    return lots.kept(session, house, list(skus))


def _goods(session: Session, at: dt.datetime) -> list[Attention]:
    """Goods that are over or were not counted, and what nobody has answered."""
    over = lots.over_counts(session, at=at)
    found = [Attention("warehouse-over", house, {"count": count}) for house, count in over.items()]
    lately = at - dt.timedelta(days=LATELY_DAYS)
    found += [Attention("counted-less", store, {"count": qty}) for store, qty in routes.counted_less(session, lately)]
    found += _not_counted(session, at)
    for kind, rows in (
        ("missing", transfers.missing(session, at=at)),
        ("unreported", transfers.not_reported(session, at=at)),
    ):
        found += [
            Attention(f"transfer-{kind}", one.giver_id, {"to": one.taker_name, "reason": one.why}) for one in rows
        ]
    return found + _unanswered(session)


def _unanswered(session: Session, store_id: str | None = None) -> list[Attention]:
    """Orders, offers and claims nobody has answered."""
    order, offer = ReplenishmentOrder, NetworkOffer
    orders = session.execute(
        sa.select(order.store_id, order.order_no).where(order.state == "sent", _only(store_id, order.store_id))
    )
    found = [Attention("order-waits", store, {"order_no": number}) for store, number in orders]
    offers = session.execute(
        sa.select(offer.store_id, offer.name, offer.answer_by)
        .where(offer.state.in_(OPEN), _only(store_id, offer.store_id))
        .order_by(offer.answer_by)
    )
    found += [Attention("offer-open", store, {"name": name, "answer_by": day}) for store, name, day in offers]
    claims = sa.select(Claim.store_id, sa.func.count()).where(Claim.state.in_(WAITING), _only(store_id, Claim.store_id))
    rows = session.execute(claims.group_by(Claim.store_id))
    return found + [Attention("claims-wait", store, {"count": count}) for store, count in rows]


def _not_counted(session: Session, at: dt.datetime, store_id: str | None = None) -> list[Attention]:
    """Stores that have not counted what was due long ago, with how many deliveries."""
    due = at.astimezone(dt.UTC).date() - dt.timedelta(days=UNCOUNTED_DAYS)
    query = sa.select(Delivery.store_id, sa.func.count()).where(
        Delivery.state == "expected", Delivery.expected_day < due, _only(store_id, Delivery.store_id)
    )
    rows = session.execute(query.group_by(Delivery.store_id).order_by(Delivery.store_id))
    return [Attention("not-counted", store, {"count": int(count)}) for store, count in rows]


def _decisions(session: Session, at: dt.datetime) -> list[Attention]:
    """Money that is late, and what waits for the operator's word: orders on hold, objections, customers' matters."""
    found = [Attention("draw-held", one.store_id, {}) for one in credit.held_draws(session)]
    found += [Attention("objection", one.store_id, {}) for one in objections.waiting(session)]
    found += [Attention("money-late", store, {}) for store in exposure.late_by_store(session, at.date())]
    disputed = session.scalar(sa.select(sa.func.count()).select_from(Escrow).where(Escrow.state == "disputed")) or 0
    others = (reviews.reported(session), refunds.not_back(session), escrow.waits_too_long(session, at))
    if count := disputed + sum(len(one) for one in others):
        found.append(Attention("customers-wait", "", {"count": count}))
    for kind, noun in (("prices-wait", PriceProposal), ("money-waits", MoneyProposal)):
        if count := len(two_people.waiting(session, noun)):
            found.append(Attention(kind, "", {"count": count}))
    return found


def _old_forecasts(session: Session, at: dt.datetime) -> list[Attention]:
    """Regions whose forecast is missing or behind their sales."""
    newest, seen = history.whole_day(session, at.date()), overview.forecast_days(session)
    if newest is None:
        return []
    oldest = newest - dt.timedelta(days=STALE_FORECAST_DAYS)
    return [
        Attention("forecast-old", region.id, {"name": region.name, "day": seen.get(region.id)})
        for region in session.scalars(sa.select(Region).order_by(Region.name))
        if seen.get(region.id, dt.date.min) < oldest
    ]

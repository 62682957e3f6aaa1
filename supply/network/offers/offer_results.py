"""What became of offered goods, and what the network pays for those that stayed; at the network.

Rules
-----
1. Of a lot on sale or return the store tells what was sold (`consignment`). Of goods a store has bought, what it sold
   of the product since they came counts as theirs, at most what came.
2. The fee for the place is paid once, when the goods were taken in. Bought goods are looked at once, on the day their
   terms say (`network_offers`, rule 9), and what is due then is paid into the store's ledger. Units a claim was granted
   for are not looked at again, and both payments together stay within what the goods cost. Nobody looks before the
   store's sales until that day are here: what is not known as sold may be.
3. Who cannot be looked at keeps nobody else waiting (`isolation`).
4. Offers made together are one push: their ids differ in the store alone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from config.errors import NotFound
from config.money import amount_for
from config.nodes import journal
from config.nodes.journal import Context
from pos.stock.consignment_stock import Consignment
from pos.store.store import day_of
from supply import isolation
from supply.demand.history import DailyDemand, StoreDay
from supply.money import ledger
from supply.orders import network_offers
from supply.orders.claims import Claim, ClaimLine
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.network_offers import Lot, NetworkOffer, looked_at_on, paid_for, terms_from

MOST_ON_THE_WAY_DAYS = 30
ANSWERS = ("accepted", "declined", "expired", "withdrawn", "called_off", "postponed", "offered")


@dataclass(frozen=True)
class StoreResult:
    """One store's part in a push. answer: one of ANSWERS; came, sold: units, None while nothing came."""

    offer: NetworkOffer
    answer: str
    came_qty: int | None
    sold_qty: int
    back_qty: int


@dataclass(frozen=True)
class OfferResult:
    """One push: the offers made together, the stores in the order of their ids (rule 4)."""

    id: str
    name: str
    why: str
    kind: str
    return_until: dt.date | None
    stores: list[StoreResult]

    def count(self, answer: str) -> int:
        """Return how many stores gave an answer."""
        return sum(store.answer == answer for store in self.stores)

    @property
    def came_qty(self) -> int:
        """Units the stores took in."""
        return sum(store.came_qty or 0 for store in self.stores)

    @property
    def sold_qty(self) -> int:
        """Units of them that sold."""
        return sum(store.sold_qty for store in self.stores)

    @property
    def care_minor(self) -> int:
        """What was paid for those that stayed."""
        return sum(store.offer.care_minor or 0 for store in self.stores)


@dataclass(frozen=True)
class PushSummary:
    """A push in a list. offer: one of its offers; answers: how many stores gave which of ANSWERS."""

    id: str
    offer: NetworkOffer
    answers: Mapping[str, int]

    @property
    def stores(self) -> int:
        """To how many stores it went."""
        return sum(self.answers.values())


# --- verbs ---


def goods_received(ctx: Context, delivery: Delivery) -> None:
    """Pay the fee for the place of offered goods, once (rule 2)."""
    offer = ctx.session.get(NetworkOffer, (delivery.store_id, delivery.network_offer_id or ""))
    if offer is None or _came(ctx.session, [offer]).get((offer.store_id, offer.id), (None, 0))[1] <= 0:
        return
    fee_minor = terms_from(offer.terms).slot_fee_minor
    ledger.given(ctx, offer.store_id, "slot", fee_minor, why=offer.name, id=f"slot-{offer.id}")


def look_after(ctx: Context) -> int:
    """Look at the bought goods whose day has come, and pay what is due (rule 2); returns how many were looked at."""
    query = sa.select(NetworkOffer).where(
        NetworkOffer.state == "received", NetworkOffer.return_until.is_(None), NetworkOffer.care_minor.is_(None),
        NetworkOffer.terms.is_not(None),
    )  # fmt: skip
    by_store: dict[str, list[NetworkOffer]] = {}
    for offer in ctx.session.scalars(query.order_by(NetworkOffer.store_id, NetworkOffer.id)):
        by_store.setdefault(offer.store_id, []).append(offer)
    looked_at = 0
    for store_id, waiting in by_store.items():
        with isolation.apart(ctx, "network-offers", store_id) as part:
            due = _due(ctx.session, waiting, ctx.at)
            for offer, here, day in due:
                _look_at(ctx, offer, here, day)
        looked_at += len(due) if part.done else 0
    return looked_at


# --- questions ---


def summaries(session: Session) -> list[PushSummary]:
    """Return every push with how its stores answered, the newest first (rule 4)."""
    row, tail = NetworkOffer, sa.literal("-") + NetworkOffer.store_id
    is_pushed = row.id.endswith(tail)
    push = sa.case((is_pushed, sa.func.substr(row.id, 1, sa.func.length(row.id) - sa.func.length(tail))), else_=row.id)
    counted = sa.select(push.label("push"), row.state, sa.func.count(), sa.func.min(row.id))
    counted = counted.where(row.packs > 0).group_by(push, row.state)
    answers: dict[str, dict[str, int]] = {}
    first: dict[str, str] = {}
    for push_id, state, count, one in session.execute(counted):
        answer = state if state in ANSWERS else "accepted"
        mine = answers.setdefault(push_id, {})
        mine[answer] = mine.get(answer, 0) + int(count)
        first[push_id] = min(one, first.get(push_id, one))
    named = {one.id: one for one in session.scalars(sa.select(row).where(among(session, row.id, first.values())))}
    found = [PushSummary(push_id, named[one], answers[push_id]) for push_id, one in first.items()]
    return sorted(found, key=lambda one: (one.offer.offered_at, one.id), reverse=True)


def push_id_of(store_id: str, offer_id: str) -> str:
    """Return the push that a store's offer belongs to (rule 4)."""
    return offer_id.removesuffix(f"-{store_id}")


def push_of(session: Session, push_id: str) -> OfferResult:
    """Return one push with what each store made of it; NotFound when there is none (rules 1, 4)."""
    row = NetworkOffer
    mine = (row.id == push_id) | (row.id == sa.literal(f"{push_id}-") + row.store_id)
    query = sa.select(row).where(mine, row.packs > 0)
    found = _results(session, list(session.scalars(query.order_by(row.store_id))))
    if not found:
        raise NotFound("unknown-offer", "Offer not found. Check the list of promotions.", offer_id=push_id)
    return found[0]


# --- inside ---


def _results(session: Session, offers: Sequence[NetworkOffer]) -> list[OfferResult]:
    """Return offers with what became of them, push by push (rules 1, 3)."""
    came = _came(session, offers)
    lots = {
        (lot.store_id, lot.id): lot
        for lot in session.scalars(sa.select(Consignment).where(Consignment.id.in_([one.id for one in offers])))
    }
    sold = _sold(session, [one for one in offers if (one.store_id, one.id) not in lots], came)
    groups: dict[str, list[StoreResult]] = {}
    for offer in offers:
        key, lot = (offer.store_id, offer.id), lots.get((offer.store_id, offer.id))
        here = came.get(key)
        store = StoreResult(
            offer, offer.state if offer.state in ANSWERS else "accepted",
            lot.came_qty if lot else here[1] if here else None,
            lot.sold_qty if lot else sold.get(key, 0), lot.back_qty if lot else 0,
        )  # fmt: skip
        groups.setdefault(push_id_of(offer.store_id, offer.id), []).append(store)
    return [
        OfferResult(network_offer_id, stores[0].offer.name, stores[0].offer.why, terms_from(stores[0].offer.terms).kind,
               stores[0].offer.return_until, sorted(stores, key=lambda one: one.offer.store_id))
        for network_offer_id, stores in groups.items()
    ]  # fmt: skip


def _due(
    session: Session, waiting: Sequence[NetworkOffer], at: dt.datetime
) -> list[tuple[NetworkOffer, tuple[dt.date, int], dt.date]]:
    """Return the offers of a store that are looked at now, with what came and the day their terms say (rule 2)."""
    came, heard = _came(session, waiting), _heard_until(session, waiting)
    found = []
    for offer in waiting:
        here = came.get((offer.store_id, offer.id))
        day = looked_at_on(terms_from(offer.terms), here[0]) if here else None
        if here is None or day is None or day_of(session, offer.store_id, at) < day:
            continue
        if heard.get(offer.store_id, dt.date.min) >= day - dt.timedelta(days=1):
            found.append((offer, here, day))
    return found


def _look_at(ctx: Context, offer: NetworkOffer, here: tuple[dt.date, int], day: dt.date) -> None:
    """Pay what is due for an offer's goods that stayed (rule 2). here: when they came, and how many."""
    sold = _sold(ctx.session, [offer], {(offer.store_id, offer.id): here}, until=day)
    claimed, granted_minor = _granted(ctx.session, offer)
    left = max(0, here[1] - claimed)
    lot = Lot(here[0], left, min(left, sold[offer.store_id, offer.id]), offer.pack_qty, offer.pack_cost_minor)
    rest_minor = amount_for(here[1], offer.pack_cost_minor, offer.pack_qty) - granted_minor if here[1] else 0
    rest_minor = max(0, min(rest_minor, ledger.left_to_credit(ctx.session, offer.store_id)))
    offer.care_minor = min(paid_for(terms_from(offer.terms), lot), rest_minor)
    journal.record(
        ctx, verb="push offer.looked_at", subject=network_offers.subject_of(offer),
        came=lot.came_qty, sold=lot.sold_qty, paid_minor=offer.care_minor)  # fmt: skip
    ledger.given(ctx, offer.store_id, "care", offer.care_minor, why=offer.name, id=f"care-{offer.id}")


def _came(session: Session, offers: Sequence[NetworkOffer]) -> dict[tuple[str, str], tuple[dt.date, int]]:
    """Return on which day and how many units came of each offer that was taken in."""
    query = (
        sa.select(Delivery, DeliveryLine.sku, DeliveryLine.counted_qty)
        .join(
            DeliveryLine,
            sa.and_(DeliveryLine.store_id == Delivery.store_id, DeliveryLine.delivery_id == Delivery.id),
        )
        .where(Delivery.network_offer_id.in_([one.id for one in offers]), Delivery.state == "posted")
    )
    wanted = {(one.store_id, one.id): one.sku for one in offers}
    found: dict[tuple[str, str], tuple[dt.date, int]] = {}
    for delivery, sku, counted in session.execute(query):
        key = (delivery.store_id, str(delivery.network_offer_id))
        if wanted.get(key) == sku and delivery.posted_at is not None:
            reported, sent = (
                day_of(session, delivery.store_id, one) for one in (delivery.posted_at, delivery.advised_at)
            )
            # the store's clock may be wrong: nothing came before it was sent, or weeks after
            found[key] = (min(max(reported, sent), sent + dt.timedelta(days=MOST_ON_THE_WAY_DAYS)), int(counted or 0))
    return found


def _heard_until(session: Session, offers: Sequence[NetworkOffer]) -> dict[str, dt.date]:
    """Return the last day on which each store is known to have been open."""
    query = sa.select(StoreDay.store_id, sa.func.max(StoreDay.business_day)).where(
        StoreDay.store_id.in_({one.store_id for one in offers}), StoreDay.open
    )
    return dict(session.execute(query.group_by(StoreDay.store_id)).all())


def _granted(session: Session, offer: NetworkOffer) -> tuple[int, int]:
    """Return the units of an offer's goods that claims were granted for, and what they cost the store (rule 2)."""
    query = (
        sa.select(ClaimLine)
        .join(Claim, sa.and_(Claim.store_id == ClaimLine.store_id, Claim.id == ClaimLine.claim_id))
        .join(Delivery, sa.and_(Delivery.store_id == Claim.store_id, Delivery.id == Claim.delivery_id))
        .where(
            Delivery.store_id == offer.store_id, Delivery.network_offer_id == offer.id, ClaimLine.sku == offer.sku,
            ClaimLine.kind != "short", ClaimLine.granted_qty > 0,
        )
    )  # fmt: skip
    lines = list(session.scalars(query))
    units = sum(line.granted_qty or 0 for line in lines)
    return units, sum(line.worth(line.granted_qty or 0) for line in lines)


def _sold(
    session: Session,
    offers: Sequence[NetworkOffer],
    came: dict[tuple[str, str], tuple[dt.date, int]],
    *,
    until: dt.date | None = None,
) -> dict[tuple[str, str], int]:
    """Return what was sold of bought goods since they came, before a day, at most what came (rule 1)."""
    found = {}
    for offer in offers:
        here = came.get((offer.store_id, offer.id))
        if here is None:
            continue
        query = sa.select(sa.func.coalesce(sa.func.sum(DailyDemand.sold_qty), 0)).where(
            DailyDemand.store_id == offer.store_id, DailyDemand.sku == offer.sku, DailyDemand.business_day >= here[0]
        )
        if until is not None:
            query = query.where(DailyDemand.business_day < until)
        found[offer.store_id, offer.id] = max(0, min(here[1], int(session.scalar(query) or 0)))
    return found

"""A new member's first steps: from the goods to the first online order, each ticked by what the books say.

Rules
-----
1. A step is done when its row is there: nobody ticks anything by hand.
2. The next step is the first one that is not done; none of them is a condition of another.
3. A store on its own has no online store: its steps leave it out.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.node import Peer
from pos.catalogue.catalogue import Listing
from pos.sold import Sale
from pos.stock.ledger import StockLevel
from pos.store.joining import GOOD_FOR, Invitation
from pos.till.shift_book import Shift
from supply.membership.training import LessonDone
from supply.online.orders import PickupOrder
from supply.online.storefront.availability import Storefront
from supply.orders.orders import ReplenishmentOrder

ONLINE = ("online", "online-order")
STEPS = ("goods", "stock", "till", "sale", "proposal", *ONLINE, "lesson")


@dataclass(frozen=True)
class Step:
    """One step. number: what stands behind it, such as how many goods."""

    name: str
    done: bool
    number: int = 0


def steps(session: Session, store_id: str, *, in_network: bool) -> list[Step]:
    """Return the steps of a store in their order (rules 1, 3)."""
    counts = {
        "goods": _count(session, Listing, Listing.store_id == store_id, Listing.active.is_(True)),
        "lesson": _count(session, LessonDone, LessonDone.store_id == store_id),
        "stock": _count(session, StockLevel, StockLevel.store_id == store_id, StockLevel.qty > 0),
        "till": _count(session, Shift, Shift.store_id == store_id),
        "sale": _count(session, Sale, Sale.store_id == store_id, Sale.state == "completed"),
        "proposal": _count(session, ReplenishmentOrder, ReplenishmentOrder.store_id == store_id),
        "online": _count(session, Storefront, Storefront.store_id == store_id, Storefront.edition > 0),
        "online-order": _count(session, PickupOrder, PickupOrder.store_id == store_id),
    }
    return [Step(name, counts[name] > 0, counts[name]) for name in STEPS if in_network or name not in ONLINE]


@dataclass(frozen=True)
class Milestone:
    """A step of a store on its way into the network, as the network knows it. at: None before it."""

    name: str
    at: dt.datetime | None


def milestones(session: Session, store_id: str) -> list[Milestone]:
    """Return how far a store has come: invited, joined, heard, first sale, first order to the network."""
    invited = sa.select(sa.func.max(Invitation.made_at)).where(Invitation.store_id == store_id)
    joined = sa.select(sa.func.min(Invitation.used_at)).where(Invitation.store_id == store_id)
    peer = session.get(Peer, store_id)
    sold = sa.select(sa.func.min(Sale.completed_at)).where(Sale.store_id == store_id, Sale.state == "completed")
    order = ReplenishmentOrder
    ordered = sa.select(sa.func.min(order.sent_at)).where(order.store_id == store_id)
    return [
        Milestone("invited", session.scalar(invited)), Milestone("joined", session.scalar(joined)),
        Milestone("heard", peer.heard_at if peer else None), Milestone("sale", session.scalar(sold)),
        Milestone("order", session.scalar(ordered)),
    ]  # fmt: skip


def invitation_until(session: Session, store_id: str, at: dt.datetime) -> dt.datetime | None:
    """Return until when a store's open invitation is good; None where there is none."""
    query = sa.select(sa.func.max(Invitation.made_at)).where(
        Invitation.store_id == store_id, Invitation.used_at.is_(None), Invitation.made_at >= at - GOOD_FOR
    )
    made_at = session.scalar(query)
    return made_at + GOOD_FOR if made_at else None


def _count(session: Session, noun: type, *which: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(noun).where(*which)) or 0

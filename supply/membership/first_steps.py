"""A new member's first steps: from the goods to the first online order, each ticked by what the books say.

Rules
-----
1. A step is done when its row is there: nobody ticks anything by hand.
2. The next step is the first one that is not done; none of them is a condition of another.
3. A store on its own has no online store: its steps leave it out.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Listing
from pos.sold import Sale
from pos.stock.ledger import StockLevel
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


def _count(session: Session, noun: type, *which: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(noun).where(*which)) or 0

"""What a store could order now, of whom, and on what each product's demand stands: before anything is decided.

Rules
-----
1. Of every supplier that serves the store, for its next order day, planned with the lead time that was measured.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from config.clock import business_day
from pos.store.store import store_of
from supply.demand.expected import Basis
from supply.orders import order_days
from supply.orders.delivery_calendar import OrderCycle
from supply.orders.lead_times import LeadTime, measured
from supply.orders.suppliers import Supplier, supplier_of
from supply.orders.supply_routes import offered
from supply.replenishment.requirements import Need, needs_of

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.replenishment.sourcing import Source


@dataclass(frozen=True)
class OrderCandidates:
    """What a store could order of whom, before anything is decided. offers: what it needs, by supplier and SKU.

    days, leads: by supplier. ranks: a product's suppliers, the best first; sources: the next vehicle first.
    """

    basis: Basis
    suppliers: Mapping[str, Supplier]
    days: Mapping[str, OrderCycle]
    leads: Mapping[str, LeadTime]
    offers: Mapping[tuple[str, str], Need]
    sources: "Sequence[Source]"
    ranks: Mapping[str, Sequence[str]]


def wants_of(session: Session, store_id: str, *, at: dt.datetime) -> OrderCandidates:
    """Return what a store could order now, of whom, and on what each product's demand stands."""
    from supply.replenishment.sourcing import Source, ranked

    store = store_of(session, store_id)
    today = business_day(at, store.tz, store.rollover_hour)
    terms = offered(session, store_id, today)
    suppliers = {supplier_id: supplier_of(session, supplier_id) for supplier_id in terms}
    leads = measured(session, store_id, list(suppliers.values()), at=at)
    days = {one.id: order_days.next_days(session, one, store_id, leads[one.id].days, at) for one in suppliers.values()}
    basis, found = needs_of(session, store, terms, days, leads, at=at)
    soonest = sorted(found, key=lambda one: (days[one].delivery_day, one))
    sources = [
        Source(one, suppliers[one].minimum_minor, suppliers[one].owner_id == store_id, [need.line for need in needs])
        for one, needs in ((one, found[one]) for one in soonest)
    ]
    offers = {(one, need.line.sku): need for one in soonest for need in found[one]}
    return OrderCandidates(basis, suppliers, days, leads, offers, sources, ranked(sources))

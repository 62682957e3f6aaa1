"""How suppliers did in a period: lead time, fill rate, price changes and claims, from the network's books.

Rules
-----
1. Counted are purchases that were promised for a day of the period and came, or are due for longer than PATIENCE_DAYS
   and did not; one that somebody called off is left out. Of those who deliver to the stores it is the stores' orders
   that are over.
2. Lead time: business days from the day an order counted for, or was sent if that was later, to the day it was taken in
   (`lead_times`, rule 1), over all that came in the period: mean, and spread about the mean. Late: after its day, or
   not at all.
3. Fill rate by lines: lines of which at least what was ordered came. By units: what came of what was ordered, never
   more than that, in packs, because grams and pieces cannot be added. Of stores' orders: by value (`dashboard`, 4).
4. A price change: the unit cost of a product in a purchase ordered in the period is another one than in the purchase
   of it before from the same supplier, at most BEFORE_DAYS before the period. Its size is a share of the cost before;
   the effect is what the purchase cost more at the new one. The network sets its own prices: of stores' suppliers none.
5. Claims are those made in the period: of recalled products upstream (`upstream_claims`), of deliveries to stores.
6. Promised is what was ordered, received what somebody counted. No figure is a supplier's own word.

Read-only. Units: *_minor minor units, *_bp basis points.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.money import BASIS, divide_half_up
from config.nodes.publication import EVERYONE
from pos.reports.figures import share_bp
from pos.store.store import day_of
from supply.membership.dashboard import OVER
from supply.network.recalls.upstream_claims import UpstreamClaim
from supply.orders import lead_times, purchases
from supply.orders.claims import WAITING, Claim
from supply.orders.deliveries import Delivery
from supply.orders.lead_times import LeadTime, Trip
from supply.orders.orders import ReplenishmentOrder
from supply.orders.purchases import PATIENCE_DAYS, Purchase, PurchaseLine
from supply.orders.suppliers import Supplier

BEFORE_DAYS = 182
MOST_ORDERS = 20_000
"""So many orders of stores at most are read, the latest."""


@dataclass(frozen=True)
class PriceChange:
    """A product that cost another amount than before (rule 4). before_minor, after_minor: a pack of pack_qty units."""

    supplier_id: str
    warehouse_id: str
    purchase_id: str
    purchase_no: int
    sku: str
    name: str
    on: dt.date
    pack_qty: int
    before_minor: int
    after_minor: int
    change_bp: int
    effect_minor: int


@dataclass(frozen=True)
class Claims:
    """Claims of a period (rule 5)."""

    made: int = 0
    open: int = 0
    claimed_minor: int = 0
    granted_minor: int = 0

    @property
    def settled(self) -> int:
        """How many are answered."""
        return self.made - self.open


@dataclass(frozen=True)
class Scorecard:
    """A supplier's figures. due: of what was promised (rule 1); packs: in millionths; lines None: not known."""

    supplier: Supplier
    lead: LeadTime
    due: int = 0
    lines: int | None = None
    lines_full: int = 0
    ordered_packs: int = 0
    filled_packs: int = 0
    ordered_minor: int = 0
    received_minor: int = 0
    changes: tuple[PriceChange, ...] = ()
    claims: Claims = field(default_factory=Claims)

    @property
    def upstream(self) -> bool:
        """Whether it sells to the network, and not to the stores."""
        return self.supplier.owner_id == NETWORK

    @property
    def late_bp(self) -> int | None:
        """The share of what was due that came late or not at all."""
        return share_bp(self.lead.late + self.lead.lost, self.due)

    @property
    def lines_bp(self) -> int | None:
        """The fill rate by lines (rule 3)."""
        return share_bp(self.lines_full, self.lines) if self.lines else None

    @property
    def units_bp(self) -> int | None:
        """The fill rate by units; of who delivers to the stores by value (rule 3)."""
        if not self.upstream:
            return share_bp(self.received_minor, self.ordered_minor)
        return share_bp(self.filled_packs, self.ordered_packs)

    @property
    def change_bp(self) -> int | None:
        """The mean size of the price changes, ups and downs against each other."""
        changes = self.changes
        return divide_half_up(sum(one.change_bp for one in changes), len(changes)) if changes else None

    @property
    def effect_minor(self) -> int:
        """What the price changes cost (rule 4)."""
        return sum(one.effect_minor for one in self.changes)


# --- questions ---


def look(session: Session, first: dt.date, last: dt.date, *, at: dt.datetime) -> list[Scorecard]:
    """Return the scorecard of each supplier of the network and of the stores that had anything due, by name."""
    known = list(session.scalars(sa.select(Supplier).where(Supplier.owner_id.in_((NETWORK, EVERYONE)))))
    above = [one for one in known if one.owner_id == NETWORK]
    below = [one for one in known if one.owner_id == EVERYONE]
    found = [*_upstream(session, above, first, last, at), *_to_stores(session, below, first, last)]
    return sorted(found, key=lambda one: (not one.upstream, one.supplier.name, one.supplier.id))


def due(supplier_id: str, first: dt.date, last: dt.date, *, at: dt.datetime) -> sa.Select[Purchase]:
    """Return a supplier's purchases of a period (rule 1) as a query, the latest first."""
    query = sa.select(Purchase).where(Purchase.supplier_id == supplier_id, *_due(first, last, at))
    return query.order_by(Purchase.expected_day.desc(), Purchase.id)


def claims_of(session: Session, supplier_id: str, first: dt.date, last: dt.date) -> list[UpstreamClaim]:
    """Return the claims made of an upstream supplier in a period, the newest first."""
    row = UpstreamClaim
    query = sa.select(row).where(row.supplier_id == supplier_id, *_within(row.claimed_at, first, last))
    return list(session.scalars(query.order_by(row.claimed_at.desc(), row.id).limit(100)))


# --- inside ---


def _due(first: dt.date, last: dt.date, at: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    patient = at.date() - dt.timedelta(days=PATIENCE_DAYS)
    missed = sa.and_(Purchase.state == "ordered", Purchase.expected_day < patient)
    return Purchase.expected_day.between(first, last), sa.or_(Purchase.state == "received", missed)


def _within(instant: sa.SQLColumnExpression[Any], first: dt.date, last: dt.date) -> tuple[
    sa.ColumnElement[bool], sa.ColumnElement[bool]
]:  # fmt: skip
    begins, ends = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (first, last + dt.timedelta(days=1)))
    return instant >= begins, instant < ends


def _upstream(
    session: Session, sellers: Sequence[Supplier], first: dt.date, last: dt.date, at: dt.datetime
) -> list[Scorecard]:
    ids, of = [one.id for one in sellers], _due(first, last, at)
    came = purchases.trips(session, sellers, Purchase.expected_day.between(first, last))
    missed = sa.select(Purchase.supplier_id, sa.func.count()).where(Purchase.supplier_id.in_(ids), *of)
    counts = dict(session.execute(missed.group_by(Purchase.supplier_id)).all())
    absent = missed.where(Purchase.state == "ordered").group_by(Purchase.supplier_id)
    lost = {str(one): count for one, count in session.execute(absent)}
    leads = lead_times.from_trips(_promised(sellers), came, lost, most=float("inf"))
    fills = _fills(session, ids, of)
    changes = _changes(session, ids, first, last)
    claims = _claims(
        session, UpstreamClaim, UpstreamClaim.claimed_at, UpstreamClaim.state == "open", UpstreamClaim.credited_minor,
        first, last,
    )  # fmt: skip
    return [
        Scorecard(
            one, leads[one.id], counts.get(one.id, 0), *fills.get(one.id, (0, 0, 0, 0)),
            changes=tuple(changes.get(one.id, ())), claims=claims.get(one.id, Claims()),
        )
        for one in sellers
        if counts.get(one.id) or changes.get(one.id) or one.id in claims
    ]  # fmt: skip


def _fills(
    session: Session, ids: Sequence[str], of: tuple[sa.ColumnElement[bool], ...]
) -> dict[str, tuple[int, int, int, int]]:
    """Return each supplier's lines, those filled, and the packs ordered and filled in millionths (rule 3)."""
    line, scale = PurchaseLine, 1_000_000
    asked = line.packs * line.pack_qty
    here = sa.func.coalesce(line.received_qty, 0)
    filled = sa.case((here >= asked, line.packs * scale), else_=here * scale // line.pack_qty)
    query = (
        sa.select(
            Purchase.supplier_id, sa.func.count(), sa.func.sum(sa.case((here >= asked, 1), else_=0)),
            sa.func.sum(line.packs) * scale, sa.func.sum(filled),
        )
        .join(Purchase, sa.and_(Purchase.store_id == line.store_id, Purchase.id == line.purchase_id))
        .where(Purchase.supplier_id.in_(ids), line.packs > 0, *of)
        .group_by(Purchase.supplier_id)
    )  # fmt: skip
    return {str(one): (int(a), int(b), int(c), int(d)) for one, a, b, c, d in session.execute(query)}


def _changes(
    session: Session, ids: Sequence[str], first: dt.date, last: dt.date
) -> dict[str, list[PriceChange]]:  # fmt: skip
    """Return each supplier's price changes, the largest effect first (rule 4)."""
    line, since = PurchaseLine, first - dt.timedelta(days=BEFORE_DAYS)
    query = (
        sa.select(
            Purchase.supplier_id, Purchase.store_id, Purchase.id, Purchase.purchase_no, Purchase.ordered_at,
            line.sku, line.name, line.packs, line.pack_qty, line.pack_cost_minor,
        )
        .join(Purchase, sa.and_(Purchase.store_id == line.store_id, Purchase.id == line.purchase_id))
        .where(
            Purchase.supplier_id.in_(ids), Purchase.state.in_(("ordered", "received")), line.packs > 0,
            *_within(Purchase.ordered_at, since, last),
        )
        .order_by(Purchase.supplier_id, line.sku, Purchase.ordered_at, Purchase.id)
    )  # fmt: skip
    found: dict[str, list[PriceChange]] = {}
    before: tuple[str, str, int, int] | None = None
    for seller, house, purchase_id, number, ordered_at, sku, name, packs, pack_qty, cost in session.execute(query):
        if ordered_at is None or seller is None:
            continue
        on = ordered_at.date()
        if before is not None and before[:2] == (seller, sku) and on >= first:
            was, now = before[3] * pack_qty, cost * before[2]  # both for the same units
            if was != now and was:
                change = divide_half_up((now - was) * BASIS, was)
                old_pack = divide_half_up(was, before[2])
                made = PriceChange(
                    seller, house, purchase_id, number, sku, name, on, pack_qty, old_pack, cost, change,
                    packs * (cost - old_pack),
                )  # fmt: skip
                found.setdefault(seller, []).append(made)
        before = (seller, sku, pack_qty, cost)
    return {seller: sorted(some, key=lambda one: -abs(one.effect_minor)) for seller, some in found.items()}


def _to_stores(session: Session, sellers: Sequence[Supplier], first: dt.date, last: dt.date) -> list[Scorecard]:
    ids, order = [one.id for one in sellers], ReplenishmentOrder
    over = (
        order.supplier_id.in_(ids), order.delivery_day.between(first, last), order.state.in_(OVER),
        order.ordered_minor.is_not(None),
    )  # fmt: skip
    sums = sa.select(
        order.supplier_id, sa.func.count(), sa.func.sum(order.ordered_minor), sa.func.sum(order.received_minor),
        sa.func.sum(sa.case((order.received_minor == 0, 1), else_=0)),
    ).where(*over)  # fmt: skip
    fills = {row[0]: tuple(map(int, row[1:])) for row in session.execute(sums.group_by(order.supplier_id))}
    posted = (
        sa.select(
            order.store_id, order.supplier_id, order.order_day, order.sent_at, order.delivery_day,
            sa.func.min(Delivery.posted_at),
        )
        .join(Delivery, sa.and_(Delivery.store_id == order.store_id, Delivery.order_id == order.id))
        .where(*over, order.sent_at.is_not(None), Delivery.state == "posted")
        .group_by(
            order.store_id, order.supplier_id, order.id, order.order_day, order.sent_at, order.delivery_day
        )
        .order_by(order.delivery_day.desc())
        .limit(MOST_ORDERS)
    )  # fmt: skip
    ways = (
        Trip(seller, lead_times.began(order_day, day_of(session, store, sent)), day_of(session, store, came), promised)
        for store, seller, order_day, sent, promised, came in session.execute(posted)
        if sent is not None and came is not None
    )
    lost = {one: some[3] for one, some in fills.items()}
    leads = lead_times.from_trips(_promised(sellers), ways, lost, most=float("inf"))
    claims = _claims(
        session, Claim, Claim.filed_at, Claim.state.in_(WAITING), Claim.granted_minor, first, last
    )  # fmt: skip
    return [
        Scorecard(
            one, leads[one.id], fills.get(one.id, (0, 0, 0, 0))[0], ordered_minor=fills.get(one.id, (0, 0, 0, 0))[1],
            received_minor=fills.get(one.id, (0, 0, 0, 0))[2], claims=claims.get(one.id, Claims()),
        )
        for one in sellers
        if one.id in fills or one.id in claims
    ]  # fmt: skip


def _promised(sellers: Sequence[Supplier]) -> dict[str, int]:
    return {one.id: one.calendar.lead_days for one in sellers}


def _claims(
    session: Session,
    row: type[UpstreamClaim] | type[Claim],
    made_at: sa.SQLColumnExpression[dt.datetime],
    is_open: sa.ColumnElement[bool],
    granted: sa.SQLColumnExpression[int],
    first: dt.date,
    last: dt.date,
) -> dict[str, Claims]:
    sums = (sa.func.count(), sa.func.sum(sa.case((is_open, 1), else_=0)), sa.func.sum(row.claimed_minor),
            sa.func.sum(granted))  # fmt: skip
    query = sa.select(row.supplier_id, *sums).where(*_within(made_at, first, last)).group_by(row.supplier_id)
    return {one: Claims(*map(int, some)) for one, *some in session.execute(query)}

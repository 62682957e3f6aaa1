"""The network's own purchasing: what its warehouses buy upstream, from what their shops sell and have.

Rules
-----
1. A warehouse buys for the whole chain behind it (echelon): what counts is what stands in it and is not over, what is
   ordered upstream, and what stands in the shops it supplies (`serving`) or is on its way to them, of each as much as
   it will sell until then. So a full shop is not bought for twice, one that runs out is bought for whatever the others
   have, and an order a shop inflates buys nothing. What is wholly recalled is not bought.
2. Demand is the sum of what those shops sell, until the delivery after next and over the way to the shop until the van
   after; its variance is the sum of theirs, by chance in whole units at least. Each product is bought of one upstream
   supplier (`upstream`), a purchase for each, in its
   packs, on its order days, from its least amount on; its days are those its deliveries took, whose spread widens
   demand (`lead_times`). What none of them sells is bought in a purchase without one, in
   the warehouse's own packs, after UPSTREAM_DAYS.
3. A purchase is proposed, changed and ordered by the operator, who writes a letter with it (`order_letters`), in the
   name the warehouse has for the shops, from its address (`premises`). It is received once, line by line as counted,
   with the dates on the packs. More or less than ordered is taken as it came; what nobody counted came as ordered.
4. Proposing again drops the purchases nobody ordered.
5. A shop whose figures nobody can reckon with is left out of the sums (`left_out`), and the others are bought for.
6. A purchase that is due for longer than PATIENCE_DAYS did not come: it is not counted on any more, and a person takes
   it in or calls it off.

Quantities in stock units.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.journal import Actor
from config.node import NETWORK
from config.states import StateTable
from pos import batches, recall, stock
from pos.batches import Lot
from pos.catalogue import Product
from pos.ledger import INSIDE, MOST_QTY, StockLevel
from pos.slips import wall_time
from pos.store import Store, day_of
from supply import lead_times, left_out, order_days, order_letters, outlook, overview, premises, serving, upstream
from supply.lead_times import LeadTime, Trip
from supply.rhythm import is_over, next_rhythm
from supply.suppliers import MOST_PACKS, Supplier, SupplierProduct, Terms, require_warehouse, supplier_of

if TYPE_CHECKING:
    from supply.policy import Decision

STATES = StateTable(
    "purchase",
    "proposed",
    {"proposed": ["ordered", "dropped"], "ordered": ["received", "cancelled"]},
)
UPSTREAM_DAYS = 1
PATIENCE_DAYS = 2
SERVICE_LEVEL = 0.98
MARGIN_BP = 2_500
"""What a unit is taken to earn the network on its cost, where the policy weighs a pack."""


class Purchase(Base):
    """Goods a warehouse buys upstream. store_id is the warehouse's id."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "purchase"
    __table_args__ = (sa.Index("ix_purchase_state", "state", "expected_day"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    purchase_no: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    supplier_id: Mapped[str | None]
    """Whom it is bought from; None: nobody known here (rule 2)."""
    order_day: Mapped[dt.date | None]
    expected_day: Mapped[dt.date]
    cost_minor: Mapped[int] = mapped_column(default=0)
    proposed_at: Mapped[dt.datetime]
    ordered_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime | None]


class PurchaseLine(Base):
    """One product of a purchase. why: what it was worked out from (rules 1, 2)."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "purchase_id"], ["purchase.store_id", "purchase.id"]),
        sa.CheckConstraint("packs >= 0", name="packs_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    purchase_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    packs: Mapped[int]
    received_qty: Mapped[int | None]
    expires_on: Mapped[dt.date | None]
    why: Mapped[dict[str, Any]]


@dataclass(frozen=True)
class _Source:
    """Whom something is bought from, and its days.

    interval_days: until the delivery after this one; lead_variance: of the days until goods come, squared.
    """

    supplier_id: str | None
    order_day: dt.date | None
    delivery_day: dt.date
    lead_days: int
    interval_days: int
    minimum_minor: int
    lead_variance: float = 0.0

    @classmethod
    def of(cls, seller: Supplier, took: LeadTime, today: dt.date, minute: int) -> "_Source":
        """Return a supplier with the days of the next order it takes, as long as its goods really take."""
        days = next_rhythm(seller.calendar, today, took.days, minute=minute)
        lead, interval = (days.delivery_day - today).days, (days.next_delivery_day - today).days
        return cls(seller.id, days.order_day, days.delivery_day, lead, interval, seller.minimum_minor, took.variance)

    @classmethod
    def unknown(cls, today: dt.date) -> "_Source":
        """Return whoever sells what no upstream supplier does."""
        return cls(None, None, today + dt.timedelta(days=UPSTREAM_DAYS), UPSTREAM_DAYS, UPSTREAM_DAYS + 1, 0)


@dataclass(frozen=True)
class _Need:
    """A product to decide on. line: for the policy; why: what it was worked out from."""

    name: str
    line: Any
    why: dict[str, Any]


@dataclass(slots=True)
class _Shops:
    """What shops sell of a product a day, and have; counted: of each as much as it sells in the days that count."""

    per_day: float = 0.0
    have: float = 0.0
    counted: float = 0.0


# --- verbs ---


def propose(session: Session, warehouse_id: str, *, actor: Actor | None = None, at: dt.datetime) -> list[Purchase]:
    """Propose what a warehouse should buy now, of each supplier (rules 1, 2, 4); none where nothing is needed."""
    from supply.policy import decide_basket

    actor = actor or Actor.system("purchasing", NETWORK)
    for old in purchases(session, ["proposed"], warehouse_id=warehouse_id):
        journal.move(session, old, "dropped", actor=actor, at=at, subject=subject_of(old), why="replaced")
    made = []
    for source, needs in _needs(session, warehouse_id, actor, at):
        decided = decide_basket([need.line for need in needs], source.minimum_minor)
        wanted = [(need, one) for need, one in zip(needs, decided, strict=True) if one.packs]
        if wanted:
            made.append(_write(session, warehouse_id, source, wanted, actor=actor, at=at))
    session.flush()
    return made


def order(
    session: Session,
    warehouse_id: str,
    purchase_id: str,
    packs: Mapping[str, int] | None = None,
    *,
    actor: Actor | None = None,
    at: dt.datetime,
) -> Purchase:
    """Order a proposed purchase. packs: where the operator wants another number, by SKU (rule 3)."""
    found = purchase_of(session, warehouse_id, purchase_id)
    STATES.require(found.state, "ordered")
    lines = {line.sku: line for line in lines_of(session, found)}
    for sku, count in (packs or {}).items():
        if sku not in lines:
            raise NotFound("not-on-purchase", "This product is not on the purchase.", sku=sku)
        if isinstance(count, bool) or not 0 <= count <= MOST_PACKS:
            raise Invalid(
                "bad-packs", f"Type a whole number of packs, 0 to {MOST_PACKS}.", sku=sku, packs=count, most=MOST_PACKS
            )
        lines[sku].packs = count
    found.cost_minor = sum(line.packs * line.pack_cost_minor for line in lines.values())
    if not any(line.packs for line in lines.values()):
        raise Refused("empty-order", "Nothing is ordered: put at least one pack on a line, or drop the order.")
    seller = _seller(session, found, at)
    found.ordered_at = at
    actor = actor or Actor.system("purchasing", NETWORK)
    journal.move(session, found, "ordered", actor=actor, at=at, subject=subject_of(found), cost_minor=found.cost_minor)
    session.flush()
    if seller is not None:
        wanted = [line for line in lines.values() if line.packs]
        order_letters.write(session, _as_letter(session, found, actor, at), seller, wanted, at=at)
    return found


def drop(session: Session, warehouse_id: str, purchase_id: str, *, why: str, actor: Actor, at: dt.datetime) -> Purchase:
    """Drop a proposed purchase, or call off an ordered one, with a reason."""
    found = purchase_of(session, warehouse_id, purchase_id)
    if not (why := " ".join(why.split())[:300]):
        raise Invalid("no-reason", "Say why the purchase is dropped.")
    target = "dropped" if found.state == "proposed" else "cancelled"
    journal.move(session, found, target, actor=actor, at=at, subject=subject_of(found), why=why)
    order_letters.call_off(session, warehouse_id, purchase_id, why=why, actor=actor, at=at)
    return found


def receive(
    session: Session,
    warehouse_id: str,
    purchase_id: str,
    counts: Mapping[str, tuple[int, dt.date | None]] | None = None,
    *,
    actor: Actor | None = None,
    at: dt.datetime,
) -> Purchase:
    """Take a purchase in, once: (units, last day of sale) by SKU; what is not named came as ordered (rule 3)."""
    found = purchase_of(session, warehouse_id, purchase_id)
    if found.state == "received":
        raise Conflict("already-posted", f"Purchase {found.purchase_no} was already taken in.", state=found.state)
    STATES.require(found.state, "received")
    lines = {line.sku: line for line in lines_of(session, found)}
    today = day_of(session, warehouse_id, at)
    for sku, (units, until) in (counts or {}).items():
        if sku not in lines:
            raise NotFound("not-on-purchase", "This product is not on the purchase.", sku=sku)
        if isinstance(units, bool) or not 0 <= units <= MOST_QTY:
            raise Invalid("bad-quantity", f"{lines[sku].name}: type how many came, 0 or more.", sku=sku, qty=units)
        batches.refuse_strange_day(until, today)
        lines[sku].received_qty, lines[sku].expires_on = units, until
    for line in lines.values():
        line.received_qty = line.packs * line.pack_qty if line.received_qty is None else line.received_qty
    actor = actor or Actor.system("purchasing", NETWORK)
    came = [(line.sku, line.received_qty) for line in lines.values() if line.received_qty]
    if came:
        stock.receive(session, warehouse_id, came, source_kind="purchase", source_id=found.id, at=at, actor=actor)
        lots = [Lot(line.sku, line.received_qty or 0, None, line.expires_on) for line in lines.values()]
        batches.lay_in(session, warehouse_id, lots, source_kind="purchase", source_id=found.id, at=at)
    found.received_at = at
    units = sum(qty or 0 for _, qty in came)
    journal.move(session, found, "received", actor=actor, at=at, subject=subject_of(found), units=units)
    session.flush()
    return found


# --- questions ---


def purchases(
    session: Session, states: list[str], *, warehouse_id: str | None = None, limit: int = 50
) -> list[Purchase]:
    """Return purchases in these states, what comes first first."""
    query = sa.select(Purchase).where(Purchase.state.in_(states))
    if warehouse_id is not None:
        query = query.where(Purchase.store_id == warehouse_id)
    return list(session.scalars(query.order_by(Purchase.expected_day.desc(), Purchase.id.desc()).limit(limit)))


def purchase_of(session: Session, warehouse_id: str, purchase_id: str) -> Purchase:
    """Return a purchase, locked; NotFound when there is none."""
    query = sa.select(Purchase).where(Purchase.store_id == warehouse_id, Purchase.id == purchase_id)
    found: Purchase | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-purchase", "There is no such purchase.", purchase_id=purchase_id)
    return found


def lines_of(session: Session, purchase: Purchase) -> list[PurchaseLine]:
    """Return a purchase's lines, the dearest first."""
    query = sa.select(PurchaseLine).where(
        PurchaseLine.store_id == purchase.store_id, PurchaseLine.purchase_id == purchase.id
    )
    cost = PurchaseLine.packs * PurchaseLine.pack_cost_minor
    return list(session.scalars(query.order_by(cost.desc(), PurchaseLine.name, PurchaseLine.sku)))


def leads(session: Session, sellers: Sequence[Supplier], *, at: dt.datetime) -> dict[str, LeadTime]:
    """Return how long each of these upstream suppliers takes, as purchases of all warehouses came (`lead_times`)."""
    query = sa.select(
        Purchase.store_id, Purchase.supplier_id, Purchase.order_day, Purchase.ordered_at, Purchase.received_at,
        Purchase.expected_day,
    ).where(
        Purchase.state == "received", Purchase.supplier_id.in_([one.id for one in sellers]),
        Purchase.ordered_at > at - dt.timedelta(days=lead_times.LOOK_BACK_DAYS),
    ).order_by(Purchase.ordered_at.desc(), Purchase.id)  # fmt: skip
    trips = (
        Trip(
            seller, lead_times.began(order_day, day_of(session, house, ordered)), day_of(session, house, received),
            promised,
        )
        for house, seller, order_day, ordered, received, promised in session.execute(query)
        if seller is not None and ordered is not None and received is not None
    )  # fmt: skip
    return lead_times.from_trips(sellers, trips)


def subject_of(purchase: Purchase) -> str:
    """Return how the journal names a purchase."""
    return f"purchase:{purchase.id}"


# --- inside ---


def _needs(session: Session, warehouse_id: str, actor: Actor, at: dt.datetime) -> list[tuple["_Source", list["_Need"]]]:
    """Return of whom a warehouse buys what, of every product it carries that somebody sells (rules 1, 2)."""
    require_warehouse(session, warehouse_id)
    vans = session.scalars(sa.select(Supplier).where(Supplier.warehouse_id == warehouse_id)).all()
    today = day_of(session, warehouse_id, at)
    way = max(
        (one.next_delivery_day - one.order_day).days for one in (next_rhythm(van.calendar, today) for van in vans)
    )
    sellers = [one for one in upstream.upstream_suppliers(session) if one.active]
    took = leads(session, sellers, at=at)
    minute = order_days.minute_at(session, warehouse_id, today, at)
    sources = {one.id: _Source.of(one, took[one.id], today, minute) for one in sellers}
    unknown = _Source.unknown(today)
    sold = upstream.cheapest(session, today)
    listed = [(sku, name, sold.get(sku, own)) for sku, name, own in _listed(session, [van.id for van in vans])]
    of = {sku: sources.get(terms.supplier_id, unknown) for sku, _name, terms in listed}
    days = {sku: source.interval_days + way for sku, source in of.items()}
    of_shops = _of_shops(session, warehouse_id, days, today, actor, at)
    there, coming = _standing(session, warehouse_id, today), _ordered(session, warehouse_id, today)
    called_back = {row.sku for row in recall.in_force(session, warehouse_id) if row.batch is None}
    found: dict[str | None, list[_Need]] = {}
    for sku, name, terms in listed:
        shops, source = of_shops[sku], of[sku]
        if shops.per_day <= 0 or sku in called_back:
            continue
        counted = round(shops.counted)
        why = {
            "per_day": round(shops.per_day, 2), "days": days[sku], "in_warehouse": there.get(sku, 0),
            "in_shops": round(shops.have), "counted": counted, "coming": coming.get(sku, 0),
        }  # fmt: skip
        position = there.get(sku, 0) + coming.get(sku, 0) + counted
        line = _policy_line(terms, source, shops.per_day, way, position=position)
        found.setdefault(source.supplier_id, []).append(_Need(name, line, why))
    return [(one, found[one.supplier_id]) for one in (*sources.values(), unknown) if one.supplier_id in found]


def _listed(session: Session, van_ids: Sequence[str]) -> list[tuple[str, str, Terms]]:
    """Return what a warehouse carries, (SKU, name, its own largest pack at its own cost)."""
    packed = (
        sa.select(
            SupplierProduct.sku, Product.name, sa.func.max(SupplierProduct.pack_qty),
            sa.func.max(SupplierProduct.pack_cost_minor * 1.0 / SupplierProduct.pack_qty),
        )
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(SupplierProduct.supplier_id.in_(van_ids))
        .group_by(SupplierProduct.sku, Product.name)
        .order_by(SupplierProduct.sku)
    )  # fmt: skip
    return [
        (sku, name, Terms("", sku, pack_qty, max(1, round(unit_cost * pack_qty)), 1))
        for sku, name, pack_qty, unit_cost in session.execute(packed)
    ]


def _policy_line(terms: Terms, source: "_Source", rate: float, way: int, *, position: int) -> Any:
    from supply.policy import PolicyLine

    interval, cost = source.interval_days + way, max(1, terms.pack_cost_minor)
    return PolicyLine(
        sku=terms.sku, mean=rate * interval, variance=rate * interval * 1.5 + rate**2 * source.lead_variance,
        mean_before=rate * source.lead_days,
        interval_days=float(interval), held_days=1.0, position_qty=position, pack_qty=terms.pack_qty,
        pack_cost_minor=cost, price_minor=round(cost * (10_000 + MARGIN_BP) / 10_000), price_quantity=terms.pack_qty,
        service_level=SERVICE_LEVEL, minimum_packs=terms.minimum_packs,
    )  # fmt: skip


def _write(
    session: Session, warehouse_id: str, source: "_Source", wanted: "Sequence[tuple[_Need, Decision]]", *, actor: Actor,
    at: dt.datetime,
) -> Purchase:  # fmt: skip
    """Write one proposal down and journal it."""
    number = sa.select(sa.func.max(Purchase.purchase_no)).where(Purchase.store_id == warehouse_id)
    made = Purchase(
        store_id=warehouse_id, id=new_id(), purchase_no=int(session.scalar(number) or 0) + 1, state=STATES.first,
        supplier_id=source.supplier_id, order_day=source.order_day, expected_day=source.delivery_day, proposed_at=at,
        cost_minor=sum(one.cost_minor for _, one in wanted),
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(
        PurchaseLine(
            store_id=warehouse_id, purchase_id=made.id, sku=need.line.sku, name=need.name, pack_qty=need.line.pack_qty,
            pack_cost_minor=need.line.pack_cost_minor, packs=one.packs, why=need.why | {"target": one.target_qty},
        )
        for need, one in wanted
    )  # fmt: skip
    journal.record(
        session, actor=actor, at=at, verb="purchase.proposed", subject=subject_of(made), lines=len(wanted),
        cost_minor=made.cost_minor, supplier=source.supplier_id or "",
    )  # fmt: skip
    session.flush()
    return made


def _seller(session: Session, found: Purchase, at: dt.datetime) -> Supplier | None:
    """Return whom a purchase is ordered of now; refused where they do not take it as it stands (rule 2)."""
    if found.supplier_id is None:
        return None
    seller = supplier_of(session, found.supplier_id)
    if not seller.active:
        words = f"{seller.name} is put aside. Take it up again, or drop the order."
        raise Refused("put-aside", words, name=seller.name)
    today = day_of(session, found.store_id, at)
    minute = order_days.minute_at(session, found.store_id, today, at)
    if found.order_day is not None and is_over(seller.calendar, found.order_day, today, minute):
        words = "Its order day is over. Propose anew: days and quantities have moved on."
        raise Refused("order-day-over", words, day=found.order_day.isoformat())
    if found.cost_minor < seller.minimum_minor:
        words = f"{seller.name} delivers from a higher amount on. Add packs, or drop it and buy next time."
        raise Refused("below-minimum", words, minimum_minor=seller.minimum_minor, cost_minor=found.cost_minor)
    return seller


def _as_letter(session: Session, found: Purchase, actor: Actor, at: dt.datetime) -> order_letters.Ordered:
    """Return a purchase as its letter tells it, with who writes (rule 3)."""
    name = session.scalar(
        sa.select(Supplier.name).where(Supplier.warehouse_id == found.store_id).order_by(Supplier.id).limit(1)
    )
    shop = session.scalars(sa.select(Store).order_by(Store.id).limit(1)).one()
    house = premises.premises(session).get(found.store_id)
    sender = {
        "id": found.store_id, "name": name or found.store_id, "address": house.address if house else "",
        "phone": house.phone if house else "", "tz": shop.tz, "currency": overview.currency(session),
        "language": shop.language,
    }  # fmt: skip
    return order_letters.Ordered(
        found.store_id, found.id, f"{found.store_id}-{found.purchase_no}", found.order_day or found.expected_day,
        found.expected_day, found.cost_minor,
        {"store": sender, "local_time": wall_time(at, shop.tz), "by": actor.name},
    )  # fmt: skip


def _of_shops(
    session: Session, warehouse_id: str, days: Mapping[str, int], today: dt.date, actor: Actor, at: dt.datetime
) -> dict[str, _Shops]:
    """Return what a warehouse's shops sell and have of each product, for so many days (rules 1, 5)."""
    found = {sku: _Shops() for sku in days}

    def add(stores: Sequence[str]) -> None:
        rates, have = (told(session, today, stores=stores) for told in (outlook.rates, outlook.positions))
        for (store_id, sku), units in chain(rates.items(), have.items()):
            if not 0 <= units <= MOST_QTY:
                raise Invalid("told-no-number", f"{sku} of {store_id} is {units}, which no shop sells or has.", sku=sku)
        for (_, sku), units in have.items():
            if sku in found:
                found[sku].have += units
        for place, per_day in rates.items():
            if (shops := found.get(place[1])) is not None:
                shops.per_day += per_day
                shops.counted += min(have.get(place, 0), per_day * days[place[1]])

    left_out.together(session, "purchasing", serving.shops_of(session, warehouse_id), add, actor=actor, at=at)
    return found


def _standing(session: Session, warehouse_id: str, today: dt.date) -> dict[str, int]:
    """Return what stands in a warehouse, is sound, and is promised to no shop, which counts it as on its way."""
    from supply.warehouse import promised_of

    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == warehouse_id, StockLevel.place.in_(INSIDE)
    )
    promised, unsound = promised_of(session, warehouse_id), batches.unsound(session, warehouse_id, day=today)
    rows = session.execute(query.group_by(StockLevel.sku))
    return {sku: int(qty) - promised.get(sku, 0) - unsound.get(sku, 0) for sku, qty in rows}


def _ordered(session: Session, warehouse_id: str, today: dt.date) -> dict[str, int]:
    """Return what is to come from upstream, and did not fail to (rule 6)."""
    least = today - dt.timedelta(days=PATIENCE_DAYS)
    query = (
        sa.select(PurchaseLine.sku, sa.func.sum(PurchaseLine.packs * PurchaseLine.pack_qty))
        .join(Purchase, sa.and_(Purchase.store_id == PurchaseLine.store_id, Purchase.id == PurchaseLine.purchase_id))
        .where(Purchase.store_id == warehouse_id, Purchase.state == "ordered", Purchase.expected_day >= least)
        .group_by(PurchaseLine.sku)
    )
    return {sku: int(qty) for sku, qty in session.execute(query)}

"""The bestseller shelf: what the region buys, in slots the shopkeeper agreed to, and what its labels say.

Rules
-----
1. The ranking (`ranking`) joins regional sales, online orders, the store's own sales and what it does not carry yet;
   each place has its reason as facts, which the page puts into words.
2. A plan is drafted by the system, approved by the shopkeeper, live from a day, retired by the next one.
3. The refill list is what the shelf should hold (facings x depth) less what it holds, as far as backroom and floor
   have it.
4. The store tells the network each move of an approved plan; there it is a copy, and what came furthest stands.
5. A person may give a product 1 to MOST_FACINGS facings and any slot. Less than one facing is a gap, filled first.

Units: qty in the product's stock unit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc, business_day
from config.database import Base, among
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.facts import applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue import catalogue, shelf_labels
from pos.catalogue.catalogue import Barcode, Product
from pos.stock import stock
from pos.stock.ledger import Place, Source, StockMovement
from pos.store.store import Store, send_fact
from supply.online_facts import ShelfApproved, Slot
from supply.shelf.ranking import DEPTH, Ranked, rank, ranked_product

STATES = StateTable(
    "shelf plan",
    "drafted",
    {"drafted": ["approved", "dropped"], "approved": ["live", "dropped"], "live": ["retired"]},
)
_AS_REPORTED = ("approved", "dropped", "live", "retired")
"""How far a plan has come, in the order the network believes it."""
MOST_SLOTS = 60
MOST_FACINGS = 8


class ShelfPlan(Base):
    """Which product is in which slot from which day."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "shelf_plan"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    from_day: Mapped[dt.date]
    drafted_at: Mapped[dt.datetime]
    based_on_day: Mapped[dt.date]
    """The last business day the ranking saw."""


class ShelfSlot(Base):
    """A position on the shelf."""

    __tablename__ = "shelf_slot"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "plan_id"], ["shelf_plan.store_id", "shelf_plan.id"]),
        sa.UniqueConstraint("store_id", "plan_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    facings: Mapped[int]
    fill_qty: Mapped[int]
    """Units the slot holds when full."""
    score: Mapped[int]
    why: Mapped[dict[str, Any]]

    @property
    def front_qty(self) -> int:
        """Units that stand in front: the first portion of each facing."""
        return self.fill_qty // DEPTH


@dataclass(frozen=True)
class RefillTask:
    """Bring qty units to a slot. backroom_qty, floor_qty: where the records have some; is_gap: less than a facing."""

    slot: int
    sku: str
    name: str
    qty: int
    fill_qty: int
    backroom_qty: int
    floor_qty: int
    is_gap: bool


# --- verbs ---


def draft(ctx: Context, store_id: str, *, slots: int = 12, from_day: dt.date | None = None) -> ShelfPlan:
    """Draft a plan from the ranking until yesterday; an older draft is dropped. from_day: tomorrow if not said."""
    if not 1 <= slots <= MOST_SLOTS:
        raise Invalid("bad-slots", "Enter 1 to %(most)s slots.", slots=slots, most=MOST_SLOTS)
    today = _today(ctx.session, store_id, ctx.at)
    yesterday, shown = today - dt.timedelta(days=1), days_shown(ctx.session, store_id, today)
    places = rank(ctx.session, store_id, day=yesterday, price_day=today, slots=slots, shown_days=shown)
    if not places:
        raise Refused(
            "nothing-to-rank",
            "Nothing to rank yet: no sales of priced products in the last four weeks.",
        )
    for old in plans(ctx.session, store_id, "drafted"):
        _move(ctx, old, "dropped")
    plan = ShelfPlan(
        store_id=store_id,
        id=new_id(),
        state=STATES.first,
        from_day=from_day or today + dt.timedelta(days=1),
        drafted_at=ctx.at,
        based_on_day=today - dt.timedelta(days=1),
    )
    ctx.session.add(plan)
    ctx.session.flush()
    for place in places:
        ctx.session.add(_slot(plan, place.place, place))
    journal.record(ctx, verb="shelf plan.drafted", subject=_subject(plan), slots=len(places))
    ctx.session.flush()
    return plan


def replace(ctx: Context, plan: ShelfPlan, slot: int, sku: str) -> ShelfSlot:
    """Put another product into a slot of a draft; if it already stands in another slot, the two change places."""
    _require_drafted(plan)
    there = {row.slot: row for row in slots_of(ctx.session, plan)}
    if slot not in there:
        raise NotFound("no-such-slot", "This plan has no slot %(slot)s.", slot=slot)
    if there[slot].sku == sku:
        return there[slot]
    swapped = next((row for row in there.values() if row.sku == sku), None)
    fresh = ranked_product(
        ctx.session, plan.store_id, sku, day=plan.based_on_day, price_day=_today(ctx.session, plan.store_id, ctx.at)
    )
    old = there[slot]
    former = _copy(old)
    ctx.session.delete(old)
    if swapped is not None:
        ctx.session.delete(swapped)
    ctx.session.flush()
    chosen = _slot(plan, slot, fresh)
    ctx.session.add(chosen)
    if swapped is not None:
        former["slot"] = swapped.slot
        ctx.session.add(ShelfSlot(**former))
    journal.record(ctx, verb="shelf plan.changed", subject=_subject(plan), slot=slot, sku=sku, before=former["sku"])
    ctx.session.flush()
    return chosen


def rearrange(ctx: Context, plan: ShelfPlan, wanted: Sequence[tuple[str, int]]) -> list[ShelfSlot]:
    """Put the products of a draft into another order, each with so many facings (rule 5). wanted: (SKU, facings).

    Refuses an order that leaves a product out or names one twice, and facings outside 1 to MOST_FACINGS.
    """
    _require_drafted(plan)
    there = {row.sku: row for row in slots_of(ctx.session, plan)}
    if sorted(sku for sku, _ in wanted) != sorted(there):
        raise Conflict("plan-changed", "The plan has changed. Check it, then arrange it.")
    if wrong := [there[sku].name for sku, facings in wanted if not 1 <= facings <= MOST_FACINGS]:
        raise Invalid(
            "bad-facings", "Enter 1 to %(most)s facings: %(wrong)s.", wrong=", ".join(wrong), most=MOST_FACINGS
        )
    before = [(row.sku, row.facings) for row in there.values()]
    if before == list(wanted):
        return list(there.values())
    kept = {sku: _copy(row) for sku, row in there.items()}
    for row in there.values():
        ctx.session.delete(row)
    ctx.session.flush()
    for (sku, facings), slot in zip(wanted, sorted(row["slot"] for row in kept.values()), strict=True):
        portion = kept[sku]["fill_qty"] // kept[sku]["facings"]
        ctx.session.add(ShelfSlot(**kept[sku] | {"slot": slot, "facings": facings, "fill_qty": facings * portion}))
    journal.record(ctx, verb="shelf plan.arranged", subject=_subject(plan), before=before, after=list(wanted))
    ctx.session.flush()
    return slots_of(ctx.session, plan)


def approve(
    ctx: Context, store_id: str, plan_id: str, *, from_day: dt.date | None = None, keeps_waiting: bool = False
) -> ShelfPlan:
    """Agree to a plan, live from from_day (the plan's own if not said); today's goes live at once.

    Another approved plan that waits for the same day or a later one is dropped, unless it keeps waiting.
    """
    plan = plan_of(ctx.session, store_id, plan_id)
    _require_drafted(plan)
    today = _today(ctx.session, store_id, ctx.at)
    plan.from_day = max(from_day or plan.from_day, today)
    for waiting in plans(ctx.session, store_id, "approved"):
        if waiting.from_day >= plan.from_day and not keeps_waiting:
            _move(ctx, waiting, "dropped")
    _move(ctx, plan, "approved")
    go_live(ctx, store_id)
    return plan


def drop(ctx: Context, store_id: str, plan_id: str) -> ShelfPlan:
    """Throw a draft away; the shelf stays as it is."""
    plan = plan_of(ctx.session, store_id, plan_id)
    _require_drafted(plan)
    _move(ctx, plan, "dropped")
    return plan


def go_live(ctx: Context, store_id: str) -> ShelfPlan | None:
    """Let the newest approved plan whose day has come go live and retire the former; None when there is none."""
    today = _today(ctx.session, store_id, ctx.at)
    come = [plan for plan in plans(ctx.session, store_id, "approved") if plan.from_day <= today]
    if not come:
        return None
    *passed, newest = sorted(come, key=lambda plan: (plan.from_day, plan.id))
    for plan in passed:
        _move(ctx, plan, "dropped")
    for former in plans(ctx.session, store_id, "live"):
        _move(ctx, former, "retired")
    _move(ctx, newest, "live")
    ctx.session.flush()
    return newest


def refill(ctx: Context, store_id: str, sku: str, qty: int, *, id: str) -> None:
    """Note that qty units were brought to the shelf, from the backroom first, then the floor.

    id: made by the page; the same id again changes nothing. Refuses more than backroom and floor hold.
    """
    done = ctx.session.scalars(
        sa.select(StockMovement).where(
            StockMovement.store_id == store_id,
            StockMovement.source_kind == "refill",
            StockMovement.source_id.in_([f"{id}/{Place.BACKROOM}", f"{id}/{Place.FLOOR}"]),
        )
    ).all()
    if done:
        if {row.sku for row in done} != {sku} or sum(row.qty for row in done) != qty:
            raise Conflict("refill-differs", "This refill was already saved with another quantity. Reload the page.")
        return
    level = stock.levels(ctx.session, store_id, [sku]).get(sku)
    backroom, floor = (max(0, level.by_place.get(place, 0)) if level else 0 for place in (Place.BACKROOM, Place.FLOOR))
    if qty < 1 or qty > backroom + floor:
        raise Refused(
            "not-available", "Up to %(available)s can be refilled. If there are more, count the product.",
            wanted=qty, available=backroom + floor,
        )  # fmt: skip
    for place, part in ((Place.BACKROOM, min(qty, backroom)), (Place.FLOOR, max(0, qty - backroom))):
        if part:
            source = Source("moved", "refill", f"{id}/{place}")
            stock.move(ctx, store_id, sku, part, place, Place.SHELF, source=source)


# --- verbs, network ---


@applies(ShelfApproved)
def mirror(ctx: Context, fact: ShelfApproved) -> None:
    """Keep a store's plan as it told it last (rule 4); a second or older copy changes nothing."""
    plan = ctx.session.get(ShelfPlan, (fact.store_id, fact.plan_id))
    if plan is None:
        plan = ShelfPlan(
            store_id=fact.store_id,
            id=fact.plan_id,
            state="approved",
            from_day=dt.date.fromisoformat(fact.from_day),
            drafted_at=dt.datetime.fromisoformat(fact.drafted_at),
            based_on_day=dt.date.fromisoformat(fact.based_on_day),
        )
        ctx.session.add(plan)
        ctx.session.flush()
        ctx.session.add_all(
            ShelfSlot(store_id=fact.store_id, plan_id=fact.plan_id, **asdict(slot)) for slot in fact.slots
        )
    if fact.state:
        if _AS_REPORTED.index(fact.state) > _AS_REPORTED.index(plan.state):
            journal.mirror(plan, fact.state)
        return
    copies = ctx.session.scalars(sa.select(ShelfPlan).where(ShelfPlan.store_id == fact.store_id)).all()
    newest = max(copies, key=lambda one: (one.from_day, one.id))
    for one in copies:
        journal.mirror(one, "live" if one is newest else "retired")


# --- questions ---


def plan_of(session: Session, store_id: str, plan_id: str) -> ShelfPlan:
    """Return a plan by its id."""
    plan = session.get(ShelfPlan, (store_id, plan_id))
    if plan is None:
        raise NotFound("unknown-plan", "Shelf plan not found.", plan=plan_id)
    return plan


def plans(session: Session, store_id: str, state: str) -> list[ShelfPlan]:
    """Return the plans in a state, the newest first."""
    return list(
        session.scalars(
            sa.select(ShelfPlan)
            .where(ShelfPlan.store_id == store_id, ShelfPlan.state == state)
            .order_by(ShelfPlan.from_day.desc(), ShelfPlan.id.desc())
        )
    )


def live_plan(session: Session, store_id: str) -> ShelfPlan | None:
    """Return the plan the shelf stands by."""
    return next(iter(plans(session, store_id, "live")), None)


def places_on(session: Session, store_id: str, day: dt.date) -> dict[str, tuple[int, int]]:
    """Return SKU -> front row and place on the shelf plan of a day: the newest approved one begun then, or the live."""
    begun = [plan for plan in plans(session, store_id, "approved") if plan.from_day <= day]
    plan = begun[0] if begun else live_plan(session, store_id)
    return {} if plan is None else {row.sku: (row.front_qty, row.fill_qty) for row in slots_of(session, plan)}


def slots_of(session: Session, plan: ShelfPlan) -> list[ShelfSlot]:
    """Return the slots of a plan in their order."""
    return list(
        session.scalars(
            sa.select(ShelfSlot)
            .where(ShelfSlot.store_id == plan.store_id, ShelfSlot.plan_id == plan.id)
            .order_by(ShelfSlot.slot)
        )
    )


def ranks(session: Session, store_id: str) -> dict[str, int]:
    """Return SKU -> slot on the live shelf."""
    plan = live_plan(session, store_id)
    return {row.sku: row.slot for row in slots_of(session, plan)} if plan else {}


def days_shown(session: Session, store_id: str, today: dt.date) -> dict[str, int]:
    """Return SKU -> days it has stood on this shelf until yesterday, over all plans that went live."""
    gone = sorted(
        (*plans(session, store_id, "retired"), *plans(session, store_id, "live")), key=lambda plan: plan.from_day
    )
    days: dict[str, int] = {}
    for plan, follower in zip(gone, [*gone[1:], None], strict=False):
        until = min(today, follower.from_day) if follower else today
        days[plan.id] = max(0, (until - plan.from_day).days)
    shown: dict[str, int] = {}
    rows = sa.select(ShelfSlot.plan_id, ShelfSlot.sku).where(ShelfSlot.store_id == store_id)
    for plan_id, sku in session.execute(rows):
        shown[sku] = shown.get(sku, 0) + days.get(plan_id, 0)
    return shown


def refill_tasks(session: Session, store_id: str) -> list[RefillTask]:
    """Return what to bring to the shelf, gaps first, in slot order (rules 3, 5)."""
    plan = live_plan(session, store_id)
    rows = slots_of(session, plan) if plan else []
    levels = stock.levels(session, store_id, [row.sku for row in rows])
    tasks = []
    for row in rows:
        by_place = levels[row.sku].by_place if row.sku in levels else {}
        backroom, floor, there = (
            max(0, by_place.get(place, 0)) for place in (Place.BACKROOM, Place.FLOOR, Place.SHELF)
        )
        qty = min(row.fill_qty - there, backroom + floor)
        if qty > 0:
            is_gap = there < row.fill_qty // row.facings
            tasks.append(RefillTask(row.slot, row.sku, row.name, qty, row.fill_qty, backroom, floor, is_gap))
    return sorted(tasks, key=lambda task: (not task.is_gap, task.slot))


def label_documents(
    session: Session, store_id: str, skus: Sequence[str], public_url: str, *, at: dt.datetime
) -> dict[str, dict[str, Any]]:
    """Return SKU -> what its shelf label prints: name, price, unit, barcode, and the code in its QR (`shelf_labels`).

    A product without a price has no label.
    """
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-store", "Store not found.", store=store_id)
    prices = catalogue.prices_on(session, store_id, business_day(at, store.tz, store.rollover_hour), skus)
    codes = sa.select(Barcode.sku, Barcode.code).where(among(session, Barcode.sku, skus))
    first: dict[str, str] = dict(session.execute(codes.order_by(Barcode.qty.desc(), Barcode.code.desc())).all())
    slots = ranks(session, store_id)
    shop = public_url and f"{public_url.rstrip('/')}/shop/{store.slug}"
    return {
        product.sku: {
            "sku": product.sku,
            "name": product.called(store.language),
            "brand": product.brand,
            "pack_text": product.pack_text,
            "price_minor": prices[product.sku],
            "price_quantity": product.price_quantity,
            "stock_unit": product.stock_unit,
            "currency": store.currency,
            "language": store.language,
            "barcode": first.get(product.sku),
            "place": str(slots.get(product.sku, "")),
            "url": shelf_labels.code_of(product.sku, prices[product.sku], product.price_quantity, shop),
        }
        for product in session.scalars(sa.select(Product).where(among(session, Product.sku, [*prices])))
    }


# --- inside ---


def _today(session: Session, store_id: str, at: dt.datetime) -> dt.date:
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-store", "Store not found.", store=store_id)
    return business_day(at, store.tz, store.rollover_hour)


def _require_drafted(plan: ShelfPlan) -> None:
    if plan.state != "drafted":
        raise Conflict("not-a-draft", "This plan is %(state)s; draft a new one to change it.", state=plan.state)


def _slot(plan: ShelfPlan, slot: int, place: Ranked) -> ShelfSlot:
    return ShelfSlot(
        store_id=plan.store_id,
        plan_id=plan.id,
        slot=slot,
        sku=place.sku,
        name=place.name,
        facings=place.facings,
        fill_qty=place.fill_qty,
        score=place.score,
        why=place.why,
    )


def _copy(row: ShelfSlot) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(ShelfSlot).columns}


def _move(ctx: Context, plan: ShelfPlan, target: str) -> None:
    """Move a plan on, and tell the network where it knows it (rule 4)."""
    is_reported = target == "approved" or plan.state != "drafted"
    journal.move(ctx, plan, target, subject=_subject(plan))
    if not is_reported:
        return
    fact = ShelfApproved(
        store_id=plan.store_id,
        plan_id=plan.id,
        from_day=plan.from_day.isoformat(),
        drafted_at=as_utc(plan.drafted_at).isoformat(timespec="microseconds"),
        based_on_day=plan.based_on_day.isoformat(),
        slots=tuple(
            Slot(row.slot, row.sku, row.name, row.facings, row.fill_qty, row.score, row.why)
            for row in slots_of(ctx.session, plan)
        ),
        state=target,
    )
    send_fact(ctx.session, fact, subject=_subject(plan), at=ctx.at)


def _subject(plan: ShelfPlan) -> str:
    return f"shelf:{plan.id}"

"""An online order to be collected in the store, from arriving at the store to waiting in the bin.

The whole noun is reached from here: `online.orders` has its tables, `placing` the network's half (the customer orders
and cancels), `handover` the last step at the counter; this file is the work between.

Rules
-----
1. Placing takes from the network's allowance; the order is a message the store pulls, once. Arriving it is
   reserved, all of it or nothing, and uses its coupons up: what is short is refused with every short line named.
   Accepting confirms; refusing, cancelling, falling short and expiring give the units back.
2. Collecting fulfils the reservation and rings a sale; it needs the right code at the right store, and one of many
   at once wins.
3. The code is kept hashed together with the order; the short form is typed, the long token is in the QR. Tries are
   counted and limited.
4. After `hold until` an uncollected order expires and its units return; one that is on its way home does not, its
   units are with whoever brings it. An order the store does not answer within its time (`time_slots`) is refused by
   itself. A share of a group buy waits for no answer: it is accepted as it arrives, out of what is held for its group
   (`groups.holding`), and kept through the group's last pickup day; not ready by then it is cancelled.
5. Name, phone and address are kept for open orders, and 30 days longer for questions; then they are forgotten, here and
   in the facts that told them.
6. Each move at the store raises the order's step and tells the network the whole state; the highest step wins, so
   that a late older message never turns an order back. The network only mirrors; the store's state is the order's.
7. What is missing is left out or, where the customer wished so at ordering or says so now, replaced by something
   similar, never dearer than what it stands in for (rules 9 to 11). An order that was to be all or nothing is
   cancelled instead, unless its customer says otherwise now. Until it is in the bag the customer may still cancel.
8. What the store has to order in (`order_in`) is held when it comes; without it the order is not gathered, unless the
   shopkeeper says that it will not come.
9. Nothing stands in without the customer's wish: given with the order, or said just now. Who wants all of it or nothing
   gets nothing else.
10. It is another product with a price, sold in the same unit, and not in the order already.
11. With its deposit, its tax and without what an offer had saved, it costs no more than what is missing would have cost
   with all that: its price is lowered until it fits. Where the deposit alone is more, it is refused.

Units: qty in the product's stock unit; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import lock_rows
from config.errors import DomainError, Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.facts import applies
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Product
from pos.printing.queue import OLD_LISTS, PrintJob
from pos.stock import stock
from pos.stock.ledger import Place, Source
from pos.store.store import Store, day_of
from supply.online import erasure, home_delivery
from supply.online.groups import holding
from supply.online.orders import (
    BEFORE_READY,
    CUSTOMER_CANCELLED,
    HAS_PERSON,
    OPEN,
    STATES,
    PickupLine,
    PickupOrder,
    kept_lines,
    lines_of,
    move,
    order_for_update,
    send,
    subject_of,
    write_down,
)
from supply.online.pickup.handover import refuse_unpaid
from supply.online.storefront import availability, order_in
from supply.online.storefront.delivery_rules import fee_of
from supply.online.storefront.price import cost, promise_of
from supply.online.storefront.time_slots import answer_by
from supply.online_facts import PickupCancelled, PickupPlaced

KEEP_PEOPLE_DAYS = 30
"""How long the name and phone of an ended order are kept."""


# --- verbs, store ---


@applies(PickupPlaced)
def arrive(ctx: Context, placed: PickupPlaced) -> PickupOrder:
    """Take in an order from the network and reserve it (rule 1); a second copy changes nothing."""
    if known := ctx.session.get(PickupOrder, (placed.store_id, placed.order_id)):
        if known.state in OPEN and not known.customer_name:  # a store put back from a copy got it from its own facts
            known.customer_name, known.customer_phone = placed.customer_name, placed.customer_phone
        return known
    order = write_down(ctx.session, placed)
    ctx.session.flush()
    if not placed.customer_name:  # forgotten meanwhile: it was over long ago, only this restored store does not know
        return move(ctx, order, "cancelled")
    store = ctx.session.get_one(Store, order.store_id)
    try:
        here = [(line.sku, line.qty) for line in placed.lines if not line.awaited]
        units = sum(qty for _, qty in here)
        with holding.opened(ctx, order, units), ctx.session.begin_nested():
            if here:
                stock.reserve(ctx, order.store_id, order.id, here)
            if placed.coupons:
                ordered_on = day_of(ctx.session, store.id, order.placed_at)
                offers.use_coupons(ctx.session, store, placed.coupons, order.id, ctx.at, day=ordered_on)
    except Refused as refusal:
        move(ctx, order, "refused", why=_shortage(placed, refusal))
        return order
    if order.group_id:
        order.hold_until = holding.share_until(ctx.session, order, ctx.at)
        return move(ctx, order, "accepted")
    order.answer_by = answer_by(
        availability.rules_of(ctx.session, store.id), availability.hours_of(ctx.session, store, ctx.at), ctx.at
    )
    journal.record(ctx, verb="pickup order.arrived", subject=subject_of(order))
    send(ctx.session, order, ctx.at)
    return order


def accept(ctx: Context, store_id: str, order_id: str, *, ready_by: dt.datetime | None = None) -> PickupOrder:
    """Promise the customer the order; ready_by is when, if the shopkeeper says so."""
    order = order_for_update(ctx.session, store_id, order_id)
    order.ready_by = ready_by
    order_in.expect(ctx, order)
    return move(ctx, order, "accepted")


def refuse(ctx: Context, store_id: str, order_id: str, *, why: str) -> PickupOrder:
    """Say no to an order; the customer reads why, the units are free again."""
    order = order_for_update(ctx.session, store_id, order_id)
    if not why.strip():
        raise Invalid("reason-missing", "Enter a reason. The customer will see it.")
    move(ctx, order, "refused", why=why.strip()[:300])
    _give_back(ctx, order, "released", from_bin=False)
    return order


def start_picking(ctx: Context, store_id: str, order_id: str, *, without: bool = False) -> PickupOrder:
    """Begin to gather an accepted order. without: what was ordered in will not come; the rest is given (rule 8)."""
    order = order_for_update(ctx.session, store_id, order_id)
    STATES.require(order.state, "picking")
    if not order_in.hold(ctx, order):
        if not without:
            raise _not_here(ctx.session, order)
        order_in.forget(ctx.session, order)
    return move(ctx, order, "picking")


def pick_line(ctx: Context, store_id: str, order_id: str, sku: str, qty: int) -> PickupLine:
    """Note how much of a line was found, 0 to what was ordered; may be corrected until the order is ready or short."""
    order = order_for_update(ctx.session, store_id, order_id)
    if order.state != "picking":
        raise Refused(
            "not-picking", "Order %(order_no)s is %(state)s; start picking first.", order_no=order.order_no,
            state=order.state,
        )  # fmt: skip
    line = ctx.session.get(PickupLine, (store_id, order_id, sku))
    if line is None:
        raise NotFound(
            "not-in-order", "This product is not in order %(order_no)s. Put it back.", order_no=order.order_no, sku=sku
        )
    if not 0 <= qty <= line.qty:
        raise Invalid("bad-quantity", "%(name)s: pick 0 to %(wanted)s.", name=line.name, sku=sku, wanted=line.qty)
    if line.awaited and qty and not order_in.hold(ctx, order):
        raise _not_here(ctx.session, order)
    line.picked_qty = qty
    journal.record(ctx, verb="pickup order.picked", subject=subject_of(order), sku=sku, picked=qty)
    return line


def short(
    ctx: Context, store_id: str, order_id: str, *, instead: Mapping[str, str] | None = None, agreed: bool = False
) -> PickupOrder:
    """Settle for less: the customer gets what was picked, the rest is free again, the total falls (rule 7).

    instead: SKU that is missing -> SKU that replaces what is missing of it. agreed: the customer said yes just now.
    Refuses an order that is complete, one of which nothing was found or replaced (cancel that one), and one whose
    customer wanted all of it or nothing and was not asked.
    """
    order = order_for_update(ctx.session, store_id, order_id)
    STATES.require(order.state, "short")
    found = lines_of(ctx.session, order)
    _leave_out_awaited(ctx.session, order)
    missing = [line for line in found if line.picked_qty is not None and line.picked_qty < line.qty]
    if not missing:
        raise Refused("nothing-short", "Order %(order_no)s is complete: make it ready.", order_no=order.order_no)
    for line in found:
        line.picked_qty = line.qty if line.picked_qty is None else line.picked_qty
    refuse_unwished(order, agreed=agreed, instead=bool(instead))
    for line in missing:
        if sku := (instead or {}).get(line.sku):
            found.append(replace_missing(ctx.session, order, found, line, sku, ctx.at))
    kept = kept_lines(found)
    if not kept:
        raise Refused(
            "nothing-picked",
            "Nothing in order %(order_no)s was found. Cancel it and give a reason.",
            order_no=order.order_no,
        )
    stock.answer(ctx.session, store_id, order_id, "released", at=ctx.at)
    stock.reserve(ctx, store_id, order_id, kept)
    order.total_minor = cost(ctx.session, promise_of(found, fee_of(ctx.session, order))).total_minor
    refuse_unpaid(order)
    names = ", ".join(f"{line.name} {line.picked_qty} of {line.qty}" for line in missing)
    journal.record(ctx, verb="pickup order.settled", subject=subject_of(order), instead=instead)
    return move(ctx, order, "short", why=names)


def ready(ctx: Context, store_id: str, order_id: str) -> PickupOrder:
    """Put the gathered order into the bin and tell the customer to come; lines nobody marked count as found.

    Refuses while a line is marked as less than ordered: that is for `short` to settle first.
    """
    order = order_for_update(ctx.session, store_id, order_id)
    STATES.require(order.state, "ready")
    found = lines_of(ctx.session, order)
    lacking = [
        line for line in found if line.awaited or (line.picked_qty or line.qty) < line.qty or line.picked_qty == 0
    ]
    if order.state == "picking" and lacking:
        names = ", ".join(f"{line.name} {line.picked_qty or 0} of {line.qty}" for line in lacking)
        raise Refused(
            "lines-short", "Some items are missing: %(names)s. Hand over less, or pick the rest.", names=names
        )
    for line in found:
        line.picked_qty = line.qty if line.picked_qty is None else line.picked_qty
    for sku, qty in kept_lines(found):
        _to_bin(ctx, order, sku, qty)
    order.ready_at, order.hold_until = ctx.at, holding.share_until(ctx.session, order, ctx.at)
    return move(ctx, order, "ready", why=order.why)


def cancel(ctx: Context, store_id: str, order_id: str, *, why: str) -> PickupOrder:
    """Call an order off at the store, on the customer's or the shopkeeper's word; the units are free again."""
    order = order_for_update(ctx.session, store_id, order_id)
    was = order.state
    move(ctx, order, "cancelled", why=why)
    _give_back(ctx, order, "released", from_bin=was == "ready")
    return order


@applies(PickupCancelled)
def customer_cancels(ctx: Context, fact: PickupCancelled) -> PickupOrder:
    """Take the customer's wish to cancel: done while the order is not ready, else the store's state stands.

    decided: the network's operator has said so; then a ready order is called off too, unless somebody is on the way
    with it. The wish may arrive before the order: then the order is written down cancelled, and reserves nothing.
    """
    placed, decided = fact.order, fact.decided
    why = N_("The network decided this.") if decided else CUSTOMER_CANCELLED
    order = ctx.session.get(PickupOrder, (placed.store_id, placed.order_id))
    if order is None:
        order = write_down(ctx.session, placed)
        order.cancel_asked_at = ctx.at
        return move(ctx, order, "cancelled", why=why)
    if order.cancel_asked_at is not None and not decided:
        return order
    order.cancel_asked_at = ctx.at
    on_the_way = ctx.session.scalars(home_delivery.under_way(order.store_id)).all()
    if order.state in BEFORE_READY or (decided and order.state == "ready" and order.id not in on_the_way):
        return cancel(ctx, order.store_id, order.id, why=why)
    send(ctx.session, order, ctx.at)
    return order


def expire_due(ctx: Context, store_id: str) -> list[PickupOrder]:
    """Give back what nobody collected, refuse what nobody answered, cancel what nobody made ready in time (rule 4)."""
    store = ctx.session.get_one(Store, store_id)
    patience = ctx.at - dt.timedelta(days=store.pickup_hold_days)
    unanswered = sa.or_(
        PickupOrder.answer_by <= ctx.at, sa.and_(PickupOrder.answer_by.is_(None), PickupOrder.placed_at <= patience)
    )
    overdue = sa.or_(
        sa.and_(
            PickupOrder.state == "ready",
            PickupOrder.hold_until <= ctx.at,
            PickupOrder.id.not_in(home_delivery.under_way(store_id)),
        ),
        sa.and_(PickupOrder.state == "placed", unanswered),
        sa.and_(PickupOrder.state.in_(("accepted", "picking", "short")), _forgotten(patience, ctx.at)),
    )
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, overdue).order_by(PickupOrder.id)
    orders = list(ctx.session.scalars(lock_rows(ctx.session, query)))
    for order in orders:
        if order.state == "ready":
            move(ctx, order, "expired", why=N_("No one picked it up in time."))
            _give_back(ctx, order, "expired", from_bin=True)
        elif order.state == "placed":
            move(ctx, order, "refused", why=N_("The store did not respond in time."))
            _give_back(ctx, order, "released", from_bin=False)
        else:
            cancel(ctx, store_id, order.id, why=N_("The store did not prepare it in time."))
    return orders


def forget_people(session: Session, store_id: str | None = None, *, at: dt.datetime) -> int:
    """Empty name, phone and address of orders that ended 30 days ago or earlier (rule 5); returns of how many."""
    update = sa.update(PickupOrder).where(
        PickupOrder.state.not_in(OPEN), PickupOrder.moved_at <= at - dt.timedelta(days=KEEP_PEOPLE_DAYS), HAS_PERSON
    )
    if store_id is not None:
        update = update.where(PickupOrder.store_id == store_id)
    emptied = update.values(customer_name="", customer_phone="", email="")
    orders = session.execute(emptied.returning(PickupOrder.store_id, PickupOrder.id)).all()
    for first in range(0, len(orders), erasure.AT_ONCE):
        some = [(store_id, order_id) for store_id, order_id in orders[first : first + erasure.AT_ONCE]]
        home_delivery.forget(session, some)
        of_orders = PrintJob.kind.in_(("pickup", "bin")), PrintJob.source_id.in_([order_id for _, order_id in some])
        _forget_paper(session, *of_orders)
    before = at - dt.timedelta(days=KEEP_PEOPLE_DAYS)
    _forget_paper(session, OLD_LISTS, PrintJob.queued_at <= before)
    erasure.forget(session, before=before, at=at)
    return len(orders)


# --- verbs, store ---


def refuse_unwished(order: PickupOrder, *, agreed: bool, instead: bool) -> None:
    """Refuse what the customer did not wish for: something else, or less of an order that was all or nothing (rule 9).

    agreed: the customer said yes just now.
    """
    if agreed:
        return
    if order.if_short == "cancel":
        raise Refused(
            "all-or-nothing",
            "The customer of order %(order_no)s wants everything or nothing. Cancel it, or ask first and confirm here.",
            order_no=order.order_no,
        )
    if instead and order.if_short != "similar":
        raise Refused(
            "not-wished",
            "The customer of order %(order_no)s did not ask for substitutes. Ask first and confirm here.",
            order_no=order.order_no,
        )


def replace_missing(
    session: Session, order: PickupOrder, found: Sequence[PickupLine], line: PickupLine, sku: str, at: dt.datetime
) -> PickupLine:
    """Write the line that stands in for what is missing of another (rules 10, 11)."""
    product, was = session.get(Product, sku), session.get_one(Product, line.sku)
    store = session.get_one(Store, order.store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    price_minor = catalogue.asked_on(session, store.id, day, [sku]).get(sku)
    if product is None or price_minor is None or product.price_typed or any(one.sku == sku for one in found):
        raise Invalid(
            "not-a-replacement", "Choose a substitute for %(name)s: another product with a price.", name=line.name
        )
    if (product.stock_unit, product.price_quantity) != (was.stock_unit, line.price_quantity):
        raise Invalid(
            "not-a-replacement", "%(name)s is sold in a different unit than %(other)s.", name=product.name,
            other=line.name,
        )  # fmt: skip
    missing_qty = line.qty - (line.picked_qty or 0)
    row = PickupLine(
        store_id=order.store_id,
        order_id=order.id,
        sku=sku,
        name=product.name,
        qty=missing_qty,
        picked_qty=missing_qty,
        price_minor=min(price_minor, line.price_minor),
        price_quantity=product.price_quantity,
        saved=[],
        instead_of=line.sku,
    )
    if product.deposit_sku is not None:
        row.deposit_sku = product.deposit_sku
        row.deposit_minor = catalogue.price_on(session, store.id, product.deposit_sku, day) or 0
    _bring_down(session, order, found, line, row)
    session.add(row)
    session.flush()
    return row


# --- inside ---


def _forgotten(patience: dt.datetime, at: dt.datetime) -> sa.ColumnElement[bool]:
    """Tell of an accepted order whether its time is long over, and that of the goods it waited for."""
    came = sa.func.coalesce(PickupOrder.window_until, PickupOrder.ready_by, PickupOrder.placed_at) <= patience
    is_here = sa.or_(PickupOrder.comes_on.is_(None), PickupOrder.comes_on <= patience.date())
    return sa.case((PickupOrder.group_id.is_not(None), PickupOrder.hold_until <= at), else_=sa.and_(came, is_here))


def _forget_paper(session: Session, *which: sa.ColumnElement[bool] | sa.TextClause) -> None:
    """Take the names off slips, and off lists to pick by, that are kept to be printed again."""
    for job in session.scalars(sa.select(PrintJob).where(*which)):
        nameless = [one | {"customer_name": ""} for one in job.document.get("orders", [])]
        job.document = job.document | ({"orders": nameless} if nameless else {"customer_name": ""})
        job.paper = None


def _to_bin(ctx: Context, order: PickupOrder, sku: str, qty: int) -> None:
    """Move from shelf, floor and backroom what the records have there; what they lack was found on the floor."""
    by_place = stock.levels(ctx.session, order.store_id, [sku])[sku].by_place
    parts = {}
    left = qty
    for source in (Place.SHELF, Place.FLOOR, Place.BACKROOM):
        parts[source] = min(left, max(0, by_place.get(source, 0)))
        left -= parts[source]
    if left:
        name = ctx.session.get_one(PickupLine, (order.store_id, order.id, sku)).name
        raise Refused(
            "count-first",
            "%(name)s: only %(available)s of the %(wanted)s picked are in stock. Count it, then make the "
            "order ready.", name=name, sku=sku, wanted=qty, available=qty - left,
        )  # fmt: skip
    for source, part in parts.items():
        if part:
            _shift(ctx, order, sku, part, source, Place.BIN)


def _give_back(ctx: Context, order: PickupOrder, kind: str, *, from_bin: bool) -> None:
    """Give its goods back: what the records have of them in the bin, for a count may have missed the bag."""
    if from_bin:
        kept = kept_lines(lines_of(ctx.session, order))
        levels = stock.levels(ctx.session, order.store_id, [sku for sku, _ in kept])
        for sku, qty in kept:
            if there := min(qty, max(0, levels[sku].by_place.get(Place.BIN, 0))):
                _shift(ctx, order, sku, there, Place.BIN, Place.FLOOR)
    stock.answer(ctx.session, order.store_id, order.id, kind, at=ctx.at)
    order_in.forget(ctx.session, order)
    offers.give_back_coupons(ctx.session, order.store_id, order.id, at=ctx.at)


def _not_here(session: Session, order: PickupOrder) -> Refused:
    names = ", ".join(line.name for line in order_in.awaited(session, order))
    return Refused(
        "goods-not-here", "Not here yet: %(names)s. Wait for the delivery, or hand over the rest.", names=names
    )


def _leave_out_awaited(session: Session, order: PickupOrder) -> None:
    for line in order_in.awaited(session, order):
        line.awaited, line.picked_qty = False, 0


def _shift(ctx: Context, order: PickupOrder, sku: str, qty: int, source: Place, target: Place) -> None:
    booked_as = Source("moved", "pickup", f"{order.id}/{sku}/{source}-{target}")
    stock.move(ctx, order.store_id, sku, qty, source, target, source=booked_as)


def _shortage(placed: PickupPlaced, refusal: DomainError) -> str:
    if "coupon" in refusal.facts:
        return f"gone-coupon: {refusal.facts['coupon']}"
    names = {line.sku: line.name for line in placed.lines}
    short_lines = refusal.facts.get("short") or []
    words = ", ".join(f"{names.get(line['sku'], line['sku'])}" for line in short_lines if "sku" in line)
    return f"gone-products: {words}" if words else refusal.message


def _bring_down(
    session: Session, order: PickupOrder, found: Sequence[PickupLine], line: PickupLine, row: PickupLine
) -> None:
    """Lower the price until the order costs no more than it would with the line in full (rule 11)."""
    had, line.picked_qty = line.picked_qty, line.qty
    most_minor, line.picked_qty = _total(session, order, found), had
    while (over_minor := _total(session, order, [*found, row]) - most_minor) > 0:
        if row.price_minor == 0:
            raise Refused(
                "replacement-dearer",
                "%(name)s costs more than %(other)s with its deposit. Choose another substitute, or hand over the "
                "rest.",
                name=row.name, other=line.name,
            )  # fmt: skip
        row.price_minor = max(0, row.price_minor + over_minor * row.price_quantity // -row.qty)


def _total(session: Session, order: PickupOrder, lines: Sequence[PickupLine]) -> int:
    return cost(session, promise_of(lines, fee_of(session, order))).total_minor

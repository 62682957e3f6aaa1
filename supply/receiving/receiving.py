"""Goods that arrive: advised, counted, posted.

Rules
-----
1. A delivery is expected (the supplier's advice), counted line by line, and posted once: supplier → backroom.
2. What was counted is what is booked; a difference from the advice is kept as a discrepancy with its reason. More
   than was advised, and a product nobody advised, is taken in like anything else, and said. Scans add up, from none,
   each to the lot its code names.
3. Posting moves the order to received, or part_received while something is still to come.
4. A delivery belongs to one store; posting it twice or elsewhere is refused.
5. What was not counted by hand counts as advised. A delivery refused at the door brings nothing. One that the vehicle
   turned back with brings nothing either, and what it was for is still promised (`orders`, rule 8; `push`, rule 6).
6. What customers wait for is held for them as soon as it is posted (`order_in`).
7. Posting writes the lots down, each with batch and date where its line has them, and what each product costs at its
   supplier. Goods on sale or return open a lot of the network's (`consignment`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound
from config.nodes import journal
from config.nodes.facts import stamp
from config.nodes.journal import Context
from config.nodes.node import this_node
from pos.catalogue.catalogue import Product
from pos.stock import batches, delivery_notes, stock
from pos.stock.batches import Lot
from pos.stock.recall import tidy_batch
from pos.store.store import day_of, send_fact
from supply.facts import Advised, Counted, DeliveryClosed, DeliveryPosted, DeliveryRefused
from supply.money import consignment
from supply.online.groups import holding
from supply.online.storefront import order_in
from supply.orders import deliveries, network_offers, orders, suppliers
from supply.orders.deliveries import (
    ON_ITS_WAY,
    STATES,
    Advice,
    Delivery,
    DeliveryLine,
    delivery_of,
    lines_of,
    subject_of,
)
from supply.orders.suppliers import SupplierProduct

MOST_COUNTED = 1_000_000


# --- verbs ---


def begin_count(ctx: Context, store_id: str, delivery_id: str) -> Delivery:
    """Begin to count a delivery that is here."""
    delivery = delivery_of(ctx.session, store_id, delivery_id)
    _refuse_closed(delivery)
    journal.move(ctx, delivery, "counting", subject=subject_of(delivery))
    return delivery


def count_line(
    ctx: Context,
    store_id: str,
    delivery_id: str,
    sku: str,
    counted_qty: int,
    *,
    why: str = "",
    batch: str | None = None,
    expires_on: dt.date | None = None,
) -> DeliveryLine:
    """Keep what was counted of a product and what its packs say (None leaves that as it was, also of several lots).

    A difference may wait for its reason until posting (rule 2).
    """
    delivery = delivery_of(ctx.session, store_id, delivery_id)
    _refuse_unless_counting(delivery)
    line = ctx.session.get(DeliveryLine, (store_id, delivery_id, sku)) or _extra_line(ctx.session, delivery, sku)
    if isinstance(counted_qty, bool) or not isinstance(counted_qty, int) or not 0 <= counted_qty <= MOST_COUNTED:
        raise Invalid(
            "bad-quantity", "%(name)s: enter how many arrived, 0 or more.", name=line.name, sku=sku, qty=counted_qty
        )
    batches.refuse_strange_day(expires_on, day_of(ctx.session, store_id, ctx.at))
    if expires_on is not None or tidy_batch(batch):
        line.lots = None
    line.batch, line.expires_on = tidy_batch(batch) or line.batch, expires_on or line.expires_on
    why = " ".join(why.split()) if counted_qty != line.advised_qty else ""
    if (line.counted_qty, line.difference_why) == (counted_qty, why):
        return line
    line.counted_qty, line.difference_why = counted_qty, why
    if counted_qty != line.advised_qty:
        journal.record(
            ctx, verb="delivery.discrepancy", subject=subject_of(delivery), sku=sku,
            advised=line.advised_qty, counted=counted_qty, why=why)  # fmt: skip
    return line


def count_scan(
    session: Session,
    store_id: str,
    delivery_id: str,
    scan: Lot,
    before: int,
    *,
    at: dt.datetime,
) -> DeliveryLine:
    """Add the units of one scan to those counted before, and to the lot the code names, if any (rule 2)."""
    sku, counted_qty = scan.sku, before + scan.qty
    delivery = delivery_of(session, store_id, delivery_id)
    _refuse_unless_counting(delivery)
    line = session.get(DeliveryLine, (store_id, delivery_id, sku)) or _extra_line(session, delivery, sku)
    if scan.qty <= 0 or counted_qty > MOST_COUNTED:
        raise Invalid(
            "bad-quantity", "%(name)s: enter how many arrived, 0 or more.", name=line.name, sku=sku, qty=counted_qty
        )
    batches.refuse_strange_day(scan.expires_on, day_of(session, store_id, at))
    if tidy_batch(scan.batch) or scan.expires_on:
        _lay_aside(line, before, scan.qty, tidy_batch(scan.batch), scan.expires_on)
    line.counted_qty = counted_qty
    if line.counted_qty == line.advised_qty:
        line.difference_why = ""
    return line


def post(ctx: Context, store_id: str, delivery_id: str) -> Delivery:
    """Book what was counted into the backroom, settle the order and tell the network, once (rules 1 to 5).

    Refuses while a difference has no reason, naming every such line.
    """
    delivery = delivery_of(ctx.session, store_id, delivery_id)
    _refuse_unless_counting(delivery)
    lines = lines_of(ctx.session, delivery)
    for line in lines:
        line.counted_qty = line.advised_qty if line.counted_qty is None else line.counted_qty
    unsaid = [line for line in lines if line.counted_qty != line.advised_qty and not line.difference_why]
    if unsaid:
        reported = "; ".join(f"{line.name}: {line.advised_qty} advised, {line.counted_qty} counted" for line in unsaid)
        raise Invalid(
            "no-reason", "Why is it different? %(reported)s.", reported=reported, skus=[line.sku for line in unsaid]
        )
    came = [(line.sku, line.counted_qty) for line in lines if line.counted_qty]
    if came:
        stock.receive(ctx, store_id, came, source_id=delivery.id)
        lots = [lot for line in lines for lot in line.lots_of(line.counted_qty or 0)]
        batches.lay_in(ctx.session, store_id, lots, source_kind="delivery", source_id=delivery.id, at=ctx.at)
        day = day_of(ctx.session, store_id, ctx.at)
        costs = _costs(ctx.session, delivery, [sku for sku, _ in came], day)
        delivery_notes.learn_costs(ctx, store_id, costs)
    _close(ctx, delivery, "posted", units=sum(qty for _, qty in came))
    if came:
        holding.goods_received(ctx, store_id, [(sku, int(qty or 0)) for sku, qty in came])
        order_in.goods_received(ctx, store_id)
    return delivery


def refuse(ctx: Context, store_id: str, delivery_id: str, *, why: str) -> Delivery:
    """Send a delivery back at the door: nothing is booked, and its order gets nothing from it (rule 5)."""
    delivery = delivery_of(ctx.session, store_id, delivery_id)
    _refuse_closed(delivery)
    if not why.strip():
        raise Invalid("no-reason", "Enter a reason for refusing the delivery.")
    for line in lines_of(ctx.session, delivery):
        line.counted_qty, line.difference_why = 0, why.strip()
    _close(ctx, delivery, "refused", why=why.strip())
    return delivery


def turn_back(ctx: Context, store_id: str, delivery_id: str, *, why: str) -> Delivery:
    """Close a delivery that its vehicle did not reach the store with (rule 5); twice is once."""
    delivery = delivery_of(ctx.session, store_id, delivery_id)
    if delivery.state == "turned_back":
        return delivery
    STATES.require(delivery.state, "turned_back")
    for line in lines_of(ctx.session, delivery):
        line.counted_qty, line.difference_why = 0, why
    _close(ctx, delivery, "turned_back", why=why)
    return delivery


def mirror(ctx: Context, fact: DeliveryClosed) -> None:
    """Write down at the network what a store counted or refused; its stock comes by its own fact."""
    lines = [Advised(line.sku, line.name, line.pack_qty, line.advised_qty) for line in fact.lines]
    expected_day, advised_at = dt.date.fromisoformat(fact.expected_day), dt.datetime.fromisoformat(fact.advised_at)
    advice = Advice(fact.supplier_id, lines, expected_day, fact.order_id, fact.network_offer_id)
    delivery = deliveries.expect(replace(ctx, at=advised_at), fact.store_id, fact.delivery_id, advice)
    if delivery.state not in ON_ITS_WAY:
        return
    for line in fact.lines:
        row = ctx.session.get(DeliveryLine, (fact.store_id, fact.delivery_id, line.sku))
        if row is None:
            row = _line(delivery, line.sku, line.name, line.pack_qty)
            ctx.session.add(row)
        row.counted_qty, row.difference_why = line.counted_qty, line.difference_why
    if delivery.state == "expected" and fact.state == "posted":
        journal.move(ctx, delivery, "counting", subject=subject_of(delivery))
    # claims are in time by this moment: none that has not come
    delivery.posted_at, delivery.posted_by = min(dt.datetime.fromisoformat(fact.posted_at), ctx.at), fact.posted_by
    journal.move(ctx, delivery, fact.state, subject=subject_of(delivery))
    _answer_source(ctx, delivery)


# --- questions ---


def expected(session: Session, store_id: str) -> list[Delivery]:
    """Return what is on its way to a store or being counted, the earliest first."""
    query = sa.select(Delivery).where(Delivery.store_id == store_id, Delivery.state.in_(ON_ITS_WAY))
    return list(session.scalars(query.order_by(Delivery.expected_day, Delivery.id)))


# --- inside ---


def _costs(session: Session, delivery: Delivery, skus: Sequence[str], day: dt.date) -> dict[str, int | None]:
    """Return what the price quantity of products costs: as the offer says, else at the supplier on that day."""
    quantities = dict(
        session.execute(sa.select(Product.sku, Product.price_quantity).where(Product.sku.in_(skus))).all()
    )
    terms = suppliers.terms_for(session, delivery.supplier_id, skus, day)
    packs = {one.sku: (one.pack_cost_minor, one.pack_qty) for one in terms}
    offer = session.get(network_offers.NetworkOffer, (delivery.store_id, delivery.network_offer_id or ""))
    if offer is not None:
        packs[offer.sku] = (offer.pack_cost_minor, offer.pack_qty)
    return {sku: delivery_notes.cost_of(*packs[sku], quantities[sku]) for sku in skus if sku in packs}


def _extra_line(session: Session, delivery: Delivery, sku: str) -> DeliveryLine:
    """Add a product nobody advised; its pack is the supplier's, else one unit."""
    product = session.get(Product, sku)
    if product is None:
        raise NotFound(
            "not-on-delivery", "%(sku)s is not on this delivery. Set it aside and ask the supplier.", sku=sku
        )
    source = session.get(SupplierProduct, (delivery.supplier_id, sku))
    line = _line(delivery, sku, product.name, source.pack_qty if source else 1)
    session.add(line)
    session.flush()
    return line


def _lay_aside(line: DeliveryLine, before: int, units: int, batch: str | None, expires_on: dt.date | None) -> None:
    """Put units with those scanned of the same lot. Several lots stand as advised for as long as these fit in them."""
    advised = [(row[1], row[2]) for row in line.lots or ()]
    scanned = (batch, expires_on.isoformat() if expires_on else None)
    if scanned in advised and sum(row[0] for row in line.lots or ()) >= before + units:
        return
    lots = {(lot.batch, lot.expires_on): lot.qty for lot in line.lots_of(before)} if before else {}
    lots[batch, expires_on] = lots.get((batch, expires_on), 0) + units
    ordered = sorted(lots.items(), key=lambda lot: (lot[0][1] or dt.date.max, lot[0][0] or ""))
    (line.batch, line.expires_on), _ = ordered[0]
    several = [[qty, batch, until.isoformat() if until else None] for (batch, until), qty in ordered]
    line.lots = several if len(several) > 1 else None


def _line(delivery: Delivery, sku: str, name: str, pack_qty: int) -> DeliveryLine:
    return DeliveryLine(
        store_id=delivery.store_id, delivery_id=delivery.id, sku=sku, name=name, pack_qty=pack_qty, advised_qty=0,
        counted_qty=None, difference_why="",
    )  # fmt: skip


def _close(ctx: Context, delivery: Delivery, state: str, **facts: int | str) -> None:
    delivery.posted_at, delivery.posted_by = ctx.at, ctx.actor.name
    journal.move(ctx, delivery, state, subject=subject_of(delivery), **facts)  # type: ignore[arg-type]
    ctx.session.flush()
    _answer_source(ctx, delivery)
    if this_node(ctx.session).id != delivery.store_id:
        return
    kind = DeliveryPosted if state == "posted" else DeliveryRefused
    fact = kind(
        store_id=delivery.store_id,
        delivery_id=delivery.id,
        supplier_id=delivery.supplier_id,
        order_id=delivery.order_id,
        network_offer_id=delivery.network_offer_id,
        state=state,
        expected_day=delivery.expected_day.isoformat(),
        advised_at=stamp(delivery.advised_at),
        posted_at=stamp(ctx.at),
        posted_by=ctx.actor.name,
        lines=tuple(
            Counted(line.sku, line.name, line.pack_qty, line.advised_qty, line.counted_qty or 0, line.difference_why)
            for line in lines_of(ctx.session, delivery)
        ),
    )
    send_fact(ctx.session, fact, subject=subject_of(delivery), id=delivery.id, at=ctx.at)


def _answer_source(ctx: Context, delivery: Delivery) -> None:
    ctx.session.flush()
    if delivery.order_id is not None:
        orders.settle(ctx, delivery.store_id, delivery.order_id)
    if delivery.network_offer_id is not None:
        consignment.take_in(ctx.session, delivery, at=ctx.at)
        network_offers.arrived(ctx, delivery.store_id, delivery.network_offer_id)


def _refuse_closed(delivery: Delivery) -> None:
    if delivery.state in ON_ITS_WAY:
        return
    if delivery.state == "posted" and delivery.posted_at:
        raise Conflict(
            "already-posted", "This delivery was already received on %(when)s by %(posted_by)s.",
            when=f"{delivery.posted_at:%Y-%m-%d}", posted_by=delivery.posted_by, state=delivery.state,
        )  # fmt: skip
    raise Conflict("already-posted", "This delivery went back and can no longer be received.", state=delivery.state)


def _refuse_unless_counting(delivery: Delivery) -> None:
    _refuse_closed(delivery)
    if delivery.state != "counting":
        raise Conflict("not-counting", "Start counting this delivery first.", state=delivery.state)

"""Goods on sale or return, from the offer to the last unit: the network's until they sell.

Rules
-----
1. Taking such a delivery in opens a lot of the network's goods (`pos.stock.consignment_stock`), and nothing is
   invoiced.
2. When a day is closed the store tells what its lots came to, and the network invoices what was sold since, by the
   unit, due as any invoice on account. Whatever was told twice, late or in another order is invoiced once.
3. From the last day on which goods may go back what is left is proposed as a return. The store sends it back, or keeps
   it and buys it; without a word for GRACE_DAYS it has kept it. It may also send back earlier.
4. What is not sent back of what is left was bought, also what is not there any more.
5. What such goods are and cost stands in the network's offer; a store tells units alone. What does not add up, goes
   back on what it told, or differs from its count of the delivery waits for a person.
6. Of what a store tells as gone back the network believes what its warehouse counted and what it granted on claims.
   From WORD_DAYS after the grace the rest is invoiced as if bought, with what it has told nothing of; what is counted
   later, or told as gone back, is credited.
7. What a claim that is not answered is about stays in the lot until it is: granted it is the network's loss.

Units: quantities in stock units.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import NotFound, Refused
from config.ids import NETWORK, new_id
from config.nodes import journal
from config.nodes.facts import STORE, Count, Day, Fact, Instant, Whole, applies
from config.nodes.journal import Context
from config.nodes.node import this_node
from pos.stock import consignment_stock, stock
from pos.stock.consignment_stock import Consignment
from pos.store.store import day_of, send_fact
from supply.money import ledger, terms
from supply.money.ledger import Booking, Wanted
from supply.orders import claims, supplier_returns
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.network_offers import NetworkOffer
from supply.orders.supplier_returns import Going, ReturnRequest, SupplierReturn, SupplierReturnLine

GRACE_DAYS = 3
WORD_DAYS = 14
"""So much longer the network waits for the goods, and the word, of a store that is cut off."""
WORD_ENDS = dt.timedelta(days=GRACE_DAYS + WORD_DAYS)
_GONE = ("sold_qty", "back_qty", "bought_qty")
_UNITS = ("came_qty", "left_qty", *_GONE)


class ConsignedReported(Fact, topic="consigned.reported", said_by=STORE):
    """What a lot on sale or return has come to."""

    store_id: str
    id: str
    sku: str
    name: str
    owner: str
    supplier_id: str
    pack_qty: Whole
    pack_cost_minor: Whole
    came_at: Instant
    until: Day
    came_qty: Count
    left_qty: Count
    sold_qty: Count
    back_qty: Count
    bought_qty: Count


# --- verbs, both ---


def take_in(session: Session, delivery: Delivery, *, at: dt.datetime) -> Consignment | None:
    """Open the lot of a posted delivery on sale or return, once (rule 1); None for any other."""
    offer = session.get(NetworkOffer, (delivery.store_id, delivery.network_offer_id or ""))
    if offer is None or offer.return_until is None or delivery.state != "posted":
        return None
    known = session.get(Consignment, (delivery.store_id, offer.id))
    line = session.get(DeliveryLine, (delivery.store_id, delivery.id, offer.sku))
    came = (line.counted_qty or 0) if line is not None else 0
    if known is not None and known.came_qty != came:
        raise Refused(
            "lot-differs", "%(came_qty)s units of %(name)s were reported, but %(came)s were counted.",
            came_qty=known.came_qty, name=known.name, came=came,
        )  # fmt: skip
    if known is not None or not came:
        return known
    made = Consignment(
        store_id=delivery.store_id, id=offer.id, sku=offer.sku, name=offer.name, owner=NETWORK,
        supplier_id=offer.supplier_id, pack_qty=offer.pack_qty, pack_cost_minor=offer.pack_cost_minor,
        came_on=day_of(session, delivery.store_id, at), came_at=at, until=offer.return_until, came_qty=came,
        ahead_qty=_ahead(session, delivery.store_id, offer.sku, came), left_qty=came, sold_qty=0, back_qty=0,
        bought_qty=0, reported_step=0, charged_qty=0,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


# --- verbs, store ---


def close_day(ctx: Context, store_id: str) -> int:
    """Tell what the lots came to, and propose or end what is due (rules 2, 3); returns how many lots are open."""
    today, open_lots = day_of(ctx.session, store_id, ctx.at), 0
    for lot in consignment_stock.lots(ctx.session, store_id):
        if lot.left_qty:
            open_lots += 1
            _believe_the_shelf(ctx.session, lot)
            if today >= lot.until:
                _propose(ctx, lot)
            if today > lot.until + dt.timedelta(days=GRACE_DAYS):
                keep(ctx, store_id, lot.id)
        send(ctx.session, lot, at=ctx.at)
    return open_lots


def propose_now(ctx: Context, store_id: str, lot_id: str) -> SupplierReturn:
    """Propose what is left for going back before its last day, because the shopkeeper says so (rule 3)."""
    lot = lot_of(ctx.session, store_id, lot_id)
    if not lot.left_qty:
        raise Refused("lot-empty", "No %(name)s is left to return.", name=lot.name)
    if day_of(ctx.session, store_id, ctx.at) > lot.until + dt.timedelta(days=GRACE_DAYS):
        raise Refused("past-return-day", "%(name)s could be returned until %(until)s. It is yours now.",
                      name=lot.name, until=lot.until.isoformat())  # fmt: skip
    return _propose(ctx, lot)


def keep(ctx: Context, store_id: str, lot_id: str) -> Consignment:
    """Keep what is left and buy it (rules 3, 4); twice is once."""
    lot = lot_of(ctx.session, store_id, lot_id)
    supplier_returns.give_up(ctx, store_id, lot_id)
    buy_rest(ctx, lot, source_id=lot_id)
    return lot


def buy_rest(ctx: Context, lot: Consignment, *, source_id: str) -> None:
    """Buy what is left of a lot and under no claim, and tell the network (rules 4, 7)."""
    rest = lot.left_qty - claimed(ctx.session, lot)
    if rest > 0:
        day = day_of(ctx.session, lot.store_id, ctx.at)
        consignment_stock.take(ctx.session, lot, "bought", rest, source_id=source_id, day=day, at=ctx.at)
        journal.record(ctx, verb="consigned.bought", subject=subject_of(lot), units=rest)
    send(ctx.session, lot, at=ctx.at)


def send(session: Session, lot: Consignment, *, at: dt.datetime) -> None:
    """Tell the network what a lot came to, if that has changed (rule 2)."""
    session.flush()
    step = lot.sold_qty + lot.back_qty + lot.bought_qty
    if step == lot.reported_step or this_node(session).id != lot.store_id:
        return
    lot.reported_step = step
    send_fact(session, ConsignedReported.of_row(lot), subject=subject_of(lot), at=at)


# --- verbs, network ---


@applies(ConsignedReported)
def take_reported(ctx: Context, fact: ConsignedReported) -> None:
    """Take over what a store's lot came to, and invoice what was sold and bought since (rules 2, 5)."""
    store_id, lot_id = fact.store_id, fact.id
    offer, lot = ctx.session.get(NetworkOffer, (store_id, lot_id)), ctx.session.get(Consignment, (store_id, lot_id))
    values = {name: getattr(fact, name) for name in _UNITS}
    if offer is None or offer.return_until is None:
        raise Refused(
            "no-such-lot", "The network has no consignment stock %(lot_id)s in %(store_id)s.", lot_id=lot_id,
            store_id=store_id,
        )  # fmt: skip
    step = sum(values[name] for name in _GONE)
    if step + values["left_qty"] != values["came_qty"]:
        raise Refused("lot-differs", "The units of %(name)s do not add up.", name=offer.name)
    if lot is None:
        lot = Consignment(
            store_id=store_id, id=lot_id, came_at=fact.came_at, came_on=day_of(ctx.session, store_id, fact.came_at),
            sku=offer.sku, name=offer.name, owner=NETWORK, supplier_id=offer.supplier_id, pack_qty=offer.pack_qty,
            pack_cost_minor=offer.pack_cost_minor, until=offer.return_until, ahead_qty=0, reported_step=step,
            charged_qty=0, **values,
        )  # fmt: skip
        ctx.session.add(lot)
        ctx.session.flush()
    elif values["came_qty"] != lot.came_qty:
        raise Refused(
            "lot-differs", "%(came_qty)s units of %(name)s arrived, not %(stated_qty)s.", came_qty=lot.came_qty,
            name=lot.name, stated_qty=values["came_qty"],
        )  # fmt: skip
    elif step > lot.reported_step:
        if any(values[name] < getattr(lot, name) for name in _GONE):
            raise Refused(
                "lot-differs", "Fewer units of %(name)s were removed than previously reported.", name=lot.name
            )
        lot.reported_step = step
        for name, value in values.items():
            setattr(lot, name, value)
        ctx.session.flush()
    charge(ctx, lot)


def charge(ctx: Context, lot: Consignment) -> None:
    """Invoice what is owed for a lot beyond what was charged, or credit what was charged beyond it (rules 2, 6).

    Under the lot's lock: a count in the warehouse and the store's own word may come at one moment.
    """
    ctx.session.flush()
    mine = sa.select(Consignment).where(Consignment.store_id == lot.store_id, Consignment.id == lot.id)
    ctx.session.scalar(lock_rows(ctx.session, mine).execution_options(populate_existing=True))
    owed, before = consignment_stock.charged(lot) + _not_come(ctx.session, lot, ctx.at), lot.charged_qty
    amount_minor = consignment_stock.cost(lot, owed) - consignment_stock.cost(lot, before)
    lot.charged_qty = owed
    back_minor = min(-amount_minor, ledger.left_to_credit(ctx.session, lot.store_id))
    if back_minor > 0:
        ledger.credit_note(ctx, lot.store_id, back_minor, why="credit-returned", id=new_id())
    if amount_minor <= 0:
        return
    book = Booking(ctx, lot.store_id)
    due = book.day + dt.timedelta(days=terms.in_force(ctx.session)[1].account_days)
    lines = [(lot.sku, lot.name, owed - before, amount_minor)]
    book.invoice(Wanted(new_id(), amount_minor, due, False, None, None, lines))
    book.pay(by_day=book.day)
    book.close("invoiced", amount_minor=amount_minor, consigned=lot.id)


# --- questions ---


def lot_of(session: Session, store_id: str, lot_id: str) -> Consignment:
    """Return a lot of this store; NotFound for any other."""
    found = session.get(Consignment, (store_id, lot_id))
    if found is None:
        raise NotFound("unknown-consigned", "Consignment stock not found at this store.", lot_id=lot_id)
    return found


def claimed(session: Session, lot: Consignment) -> int:
    """Return the units of a lot that are left and about which a claim waits for its answer (rule 7)."""
    about = sa.select(Delivery.id).where(Delivery.store_id == lot.store_id, Delivery.network_offer_id == lot.id)
    units = 0
    for delivery_id in session.scalars(about):
        for claim in claims.claims_about(session, lot.store_id, delivery_id):
            if claim.state in claims.WAITING:
                lines = claims.lines_of(session, claim)
                units += sum(
                    one.qty - (one.granted_qty or 0) for one in lines if one.sku == lot.sku and one.kind != "short"
                )
    return min(units, lot.left_qty)


def subject_of(lot: Consignment) -> str:
    """Return a lot as the journal names it: by its offer, whose story it goes on with."""
    return f"network_offer:{lot.id}"


# --- inside ---


def _ahead(session: Session, store_id: str, sku: str, came: int) -> int:
    """Return the store's own units that stood here when the goods came; see `pos.stock.consignment_stock`, rule 2."""
    level = stock.levels(session, store_id, [sku])[sku]
    others = sa.select(sa.func.coalesce(sa.func.sum(Consignment.left_qty), 0)).where(
        Consignment.store_id == store_id, Consignment.sku == sku
    )
    return max(0, level.on_hand - came - int(session.scalar(others) or 0))


def _believe_the_shelf(session: Session, lot: Consignment) -> None:
    """Forget own units ahead that are not there any more: they were written off, or counted away."""
    level = stock.levels(session, lot.store_id, [lot.sku])[lot.sku]
    lot.ahead_qty = max(0, min(lot.ahead_qty, level.on_hand - lot.left_qty))


def _propose(ctx: Context, lot: Consignment) -> SupplierReturn:
    going = Going(lot.sku, lot.name, lot.left_qty, lot.pack_qty, lot.pack_cost_minor, charged=False)
    send_by = lot.until + dt.timedelta(days=GRACE_DAYS)
    wanted = ReturnRequest("network_offer", lot.supplier_id, [going], send_by)
    return supplier_returns.propose(ctx, lot.store_id, lot.id, wanted)


def _not_come(session: Session, lot: Consignment, at: dt.datetime) -> int:
    """Return what a store still has by its word, or told as gone back and the network has not got (rules 6, 7).

    Nothing before its time is over.
    """
    is_over = day_of(session, lot.store_id, at) > lot.until + WORD_ENDS
    silent = lot.left_qty - claimed(session, lot) if is_over and lot.left_qty else 0
    is_due = is_over or lot.charged_qty > consignment_stock.charged(
        lot
    )  # once charged stays due, whatever the clock says now
    if not lot.back_qty or not is_due:
        return silent
    known = _counted(session, lot.store_id, lot.id, lot.sku)
    offered = sa.select(Delivery.id).where(Delivery.store_id == lot.store_id, Delivery.network_offer_id == lot.id)
    for delivery_id in session.scalars(offered).all():
        for claim in claims.claims_about(session, lot.store_id, delivery_id):
            known += _by_claim(session, claim, lot.sku)
    return silent + max(0, lot.back_qty - known)


def _by_claim(session: Session, claim: claims.Claim, sku: str) -> int:
    """Return the units a claim took off its lot: granted, and where they were to come back also counted."""
    waits = claim.state in ("accepted", "part_accepted")
    lines = [one for one in claims.lines_of(session, claim) if one.sku == sku and one.kind != "short"]
    stay = sum(one.granted_qty or 0 for one in lines if waits or not claims.goes_back(claim, one))
    return stay if waits else stay + _counted(session, claim.store_id, claim.id, sku)


def _counted(session: Session, store_id: str, return_id: str, sku: str) -> int:
    line = session.get(SupplierReturnLine, (store_id, return_id, sku))
    return (line.received_qty or 0) if line is not None else 0

"""Goods that go back to the network: handed over by the store in time, counted at the warehouse, and what follows.

Rules
-----
1. What the store hands over leaves its stock and its lots in one transaction; of goods on sale or return no more goes
   than is left of the lot, units of the store's own never, and what stays is bought (`consignment`, rule 4).
2. What the warehouse counts is credited where it had been charged, and put back into its stock where it is fit to be
   sold, with the day it left with. More than was sent is refused. What is missing is not credited; of goods on sale or
   return it is charged like goods the store has bought (`consignment`, rule 6), and the store may object.
3. A claim whose goods came back is at its end.
4. What a return costs and whether it is credited stands in the network's own offer or claim. Goods on sale or return
   were never charged and are never credited; of a claim no more comes than was granted to go back.
5. After a claim answered with `return` the store hands the goods over within SEND_BACK_DAYS of hearing it. What it has
   not handed over by then it keeps, at what it was charged.
6. The network waits WORD_DAYS longer for a store that is cut off. Then the claim is forfeited: what was to go back is
   not credited, what else was granted stays paid, and both sides read it.
7. What is on its way waits for the warehouse, which counts what came, also nothing. Goods that come after their claim
   was forfeited are counted and credited all the same.
8. How goods on sale or return end is charged in `consignment`, rule 6; here the lots are found whose time has come.
9. What cannot be ended for one store keeps nobody else's waiting (`isolation`).
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, Refused
from config.money import amount_for
from config.nodes.facts import applies
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue.catalogue import Product
from pos.reports.slips import local
from pos.stock import batches, consignment_stock, stock, waste
from pos.stock.consignment_stock import Consignment
from pos.stock.ledger import Place, Source
from pos.store.store import day_of, snapshot, store_of
from supply import isolation
from supply.money import consignment, ledger
from supply.money.consignment import WORD_DAYS, WORD_ENDS
from supply.network.claims import handling
from supply.network.warehouse import loading
from supply.orders import claims, supplier_returns
from supply.orders.claims import SEND_BACK_DAYS, Claim
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.supplier_returns import (
    Going,
    ReturnReceived,
    ReturnSent,
    SupplierReturn,
    SupplierReturnLine,
    lines_of,
    return_of,
)
from supply.orders.suppliers import Supplier

SOURCE_KIND = "supplier_return"

LOOKED_BACK_DAYS = 60
"""So long after its time a lot is still looked at each night; what is told later is charged as it arrives."""


# --- verbs, store ---


def send(ctx: Context, store_id: str, return_id: str, counts: dict[str, int]) -> SupplierReturn:
    """Hand goods over to go back (rule 1). counts: units by SKU; a line that is not named goes whole."""
    found = return_of(ctx.session, store_id, return_id)
    if found.state != "proposed":
        raise Conflict("return-over", "This return was already sent, or the products were kept.", state=found.state)
    sent = {}
    for line in lines_of(ctx.session, found):
        most = most_back(ctx.session, found, line)
        qty = counts.get(line.sku, most)
        if isinstance(qty, bool) or not 0 <= qty <= most:
            raise Invalid("more-than-proposed", "%(name)s: return 0 to %(most)s units.", sku=line.sku,
                          name=line.name, most=most)  # fmt: skip
        sent[line.sku] = qty
    going = [(sku, qty) for sku, qty in sent.items() if qty]
    if not going:
        raise Invalid("no-lines", "The quantity is zero. Keep the products instead.")
    source = Source("sent_back", SOURCE_KIND, found.id)
    waste.take_out(ctx, store_id, going, Place.SUPPLIER, source)
    supplier_returns.note_sent(ctx, found, sent, by=ctx.actor.name, sent_at=ctx.at)
    lot = ctx.session.get(Consignment, (store_id, return_id)) if found.source == "network_offer" else None
    if lot is not None:
        back = min(sent.get(lot.sku, 0), lot.left_qty)
        if back:
            day = day_of(ctx.session, store_id, ctx.at)
            consignment_stock.take(ctx.session, lot, "back", back, source_id=found.id, day=day, at=ctx.at)
        consignment.buy_rest(ctx, lot, source_id=found.id)
    supplier_returns.send(ctx.session, found, ReturnSent, at=ctx.at)
    return found


@applies(ReturnReceived)
def take_received(ctx: Context, fact: ReturnReceived) -> None:
    """Take over what the warehouse counted; a second copy changes nothing."""
    found = ctx.session.get(SupplierReturn, (fact.store_id, fact.id))
    if found is not None and found.state == "sent":
        counts = {row.sku: (row.received_qty or 0, row.fit_qty or 0) for row in fact.lines}
        supplier_returns.note_received(ctx, found, counts, words=fact.words, by=fact.received_by)


# --- verbs, network ---


@applies(ReturnSent)
def take_sent(ctx: Context, fact: ReturnSent) -> None:
    """Expect what a store has sent back. Refuses what was never agreed to go back (rule 4)."""
    supplier_returns.write_down(ctx, fact, _agreed(ctx.session, fact))


def receive(
    ctx: Context, store_id: str, return_id: str, counts: dict[str, tuple[int, int]], *, words: str = ""
) -> SupplierReturn:
    """Take goods that came back into the warehouse and credit them (rule 2). counts: (came, fit to be sold) by SKU."""
    found = return_of(ctx.session, store_id, return_id)
    if found.state != "sent":
        raise Conflict("return-over", "These were already counted, or never sent.", state=found.state)
    words = " ".join(words.split())[:200]
    credit_minor, lines = 0, lines_of(ctx.session, found)
    for line in lines:
        came, fit = counts.get(line.sku, (0, 0))
        if not 0 <= fit <= came <= (line.sent_qty or 0):
            words = N_("%(name)s: %(sent)s were sent. Count again.")
            raise Invalid("more-than-sent", words, sku=line.sku, name=line.name, sent=line.sent_qty or 0)
        if came < (line.sent_qty or 0) and not words:
            raise Invalid("no-reason", "%(name)s: tell the shopkeeper what is missing.", name=line.name, sku=line.sku)
        if line.charged and came:
            credit_minor += amount_for(came, line.pack_cost_minor, line.pack_qty)
    if credit_minor and found.source == "claim":
        claim = claims.claim_of(ctx.session, store_id, return_id)
        credit_minor = min(credit_minor, claims.left_to_pay(ctx.session, claim))
    credit_minor = min(credit_minor, ledger.left_to_credit(ctx.session, store_id))  # what was given up was never paid
    _into_stock(ctx, found, counts)
    supplier_returns.note_received(ctx, found, counts, words=words, by=ctx.actor.name)
    if credit_minor:
        ledger.credit_note(ctx, store_id, credit_minor, why="credit-returned", id=f"return-{found.id}")
    if found.source == "claim":
        handling.goods_returned(ctx, store_id, return_id, credit_minor)
    lot = _lot_of(ctx.session, found)
    if lot is not None:
        consignment.charge(ctx, lot)
    supplier_returns.send(ctx.session, found, ReturnReceived, at=ctx.at)
    return found


# --- questions ---


def most_back(session: Session, found: SupplierReturn, line: SupplierReturnLine) -> int:
    """Return how many units of a proposed line may go back: of goods on sale or return what is left of them now."""
    lot = session.get(Consignment, (found.store_id, found.id)) if found.source == "network_offer" else None
    return line.qty if lot is None else min(line.qty, lot.left_qty)


def slip_of(session: Session, found: SupplierReturn) -> dict[str, Any]:
    """Return the frozen document of what a driver signs for; see `documents.goods.back_slip`."""
    store, supplier = store_of(session, found.store_id), session.get(Supplier, found.supplier_id)
    lines = [(line, line.qty if line.sent_qty is None else line.sent_qty) for line in lines_of(session, found)]
    units = dict(
        session.execute(
            sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_([line.sku for line, _ in lines]))
        ).all()
    )
    reported = [
        {
            "name": line.name, "qty": qty, "stock_unit": units.get(line.sku, "each"), "batch": None, "expires_on": None,
            "cost_minor": amount_for(qty, line.pack_cost_minor, line.pack_qty) if qty else 0,
        }
        for line, qty in lines
    ]  # fmt: skip
    return {
        "store": snapshot(store),
        "number": found.id[-6:].upper(),
        "supplier": supplier.name if supplier else found.supplier_id,
        "paper_no": "",
        "reason": "sale_or_return" if found.source == "network_offer" else "wrong_delivery",
        "why": "",
        "by": found.sent_by,
        "local_time": local(found.sent_at or found.proposed_at, store),
        "lines": reported,
        "total_minor": sum(int(str(line["cost_minor"])) for line in reported),
        "unknown": 0,
    }


def keep_unsent(ctx: Context, store_id: str) -> int:
    """Keep at the store what a claim's return did not take in time (rule 5); returns how many returns."""
    today = day_of(ctx.session, store_id, ctx.at)
    late = sa.select(SupplierReturn.id).where(
        SupplierReturn.store_id == store_id, SupplierReturn.state == "proposed", SupplierReturn.source == "claim",
        SupplierReturn.send_by < today,
    )  # fmt: skip
    return sum(supplier_returns.give_up(ctx, store_id, one) for one in ctx.session.scalars(late).all())


def end_overdue(ctx: Context) -> int:
    """End the claims whose goods did not come, and charge what did not come of lots (rules 6 to 8).

    Returns how many claims were forfeited.
    """
    forfeited = 0
    for claim in _unanswered(ctx.session, ctx.at):
        with isolation.apart(ctx, "returns", claim.store_id) as part:
            handling.end(ctx, claim, "forfeited")
        forfeited += part.done
    today = ctx.at.date()
    ended = sa.select(Consignment).where(
        sa.or_(Consignment.back_qty > 0, Consignment.left_qty > 0),
        Consignment.until < today - WORD_ENDS,
        Consignment.until >= today - WORD_ENDS - dt.timedelta(days=LOOKED_BACK_DAYS),
    )
    for lot in ctx.session.scalars(ended.order_by(Consignment.store_id, Consignment.id)).all():
        with isolation.apart(ctx, "returns", lot.store_id):
            consignment.charge(ctx, lot)
    return forfeited


# --- inside ---


def _agreed(session: Session, fact: ReturnSent) -> list[Going]:
    """Return the lines of a return a store tells of, as this node agreed to them (rule 4)."""
    store_id, return_id = fact.store_id, fact.id
    offer = session.get(NetworkOffer, (store_id, return_id)) if fact.source == "network_offer" else None
    claim = session.get(claims.Claim, (store_id, return_id)) if fact.source == "claim" else None
    most: dict[str, Going] = {}
    if offer is not None and offer.return_until is not None:
        lot, whole = session.get(Consignment, (store_id, return_id)), sum(row.qty for row in fact.lines)
        qty = min(whole, lot.came_qty) if lot is not None else whole  # the store's count may still be on its way
        most[offer.sku] = Going(offer.sku, offer.name, qty, offer.pack_qty, offer.pack_cost_minor, charged=False)
    elif claim is not None:
        most = {one.sku: one for one in claims.going_of(session, claim)}
    for row in fact.lines:
        if row.sku not in most or row.sent_qty is None or row.sent_qty > most[row.sku].qty:
            raise Refused(
                "not-agreed", "%(store_id)s cannot return %(sent_qty)s of %(sku)s.", store_id=store_id,
                sent_qty=row.sent_qty, sku=row.sku,
            )  # fmt: skip
    return list(most.values())


def _lot_of(session: Session, found: SupplierReturn) -> Consignment | None:
    """Return the lot of goods on sale or return that a return takes from, None where it takes from none."""
    if found.source == "network_offer":
        return session.get(Consignment, (found.store_id, found.id))
    delivery = _delivery_of(session, found)
    return session.get(Consignment, (found.store_id, (delivery.network_offer_id if delivery else None) or ""))


def _delivery_of(session: Session, found: SupplierReturn) -> Delivery | None:
    """Return the delivery the goods of a return came with."""
    if found.source == "network_offer":
        came = sa.select(Delivery).where(Delivery.store_id == found.store_id, Delivery.network_offer_id == found.id)
        came = came.where(Delivery.state != "turned_back")
        delivery: Delivery | None = session.scalar(came.order_by(Delivery.id).limit(1))
        return delivery
    claim = session.get(claims.Claim, (found.store_id, found.id))
    return session.get(Delivery, (found.store_id, claim.delivery_id)) if claim is not None else None


def _into_stock(ctx: Context, found: SupplierReturn, counts: dict[str, tuple[int, int]]) -> None:
    supplier = ctx.session.get(Supplier, found.supplier_id)
    fit = [(sku, good) for sku, (_came, good) in counts.items() if good]
    if supplier is not None and supplier.warehouse_id is not None and fit:
        house, source = supplier.warehouse_id, f"{found.store_id}:{found.id}"
        stock.receive(ctx, house, fit, source_kind=SOURCE_KIND, source_id=source)
        delivery = _delivery_of(ctx.session, found)
        if delivery is not None:
            lots = loading.lots_back(ctx.session, delivery, fit)
            batches.lay_in(ctx.session, house, lots, source_kind=SOURCE_KIND, source_id=source, at=ctx.at)


def _unanswered(session: Session, at: dt.datetime) -> list[Claim]:
    """Return the claims whose goods were to be on their way by now, and are not."""
    on_its_way = sa.exists().where(SupplierReturn.store_id == Claim.store_id, SupplierReturn.id == Claim.id)
    query = sa.select(Claim).where(
        Claim.state.in_(["accepted", "part_accepted"]), Claim.remedy == "return", ~on_its_way,
        Claim.answered_at < at - dt.timedelta(days=SEND_BACK_DAYS + WORD_DAYS),
    )  # fmt: skip
    return list(session.scalars(query.order_by(Claim.store_id, Claim.id)))

"""A store's own facts, written again into books that were put back from an older copy.

Rules
-----
1. Rows are those of the fact, ids included, written as the network writes them (`replica`); each is written once.
2. What the store alone keeps beside them is written from the fact, too: the shift's running totals, the tab, points,
   vouchers, coupons, whose the goods were. A limit that has to be kept at the till is not asked here: it has happened.
3. The journal's entries of that time are gone; new ones at its end (`*.recovered`) carry the seals, so that `verify`
   guards what came back like all the rest.
4. A shift that nobody had closed is open again with its float (`drawer_cash`). Where it cannot be, its sales are late:
   the till's next Z lists them.
5. What cannot be written beside a sale leaves the sale in the books and is a sentence for the shopkeeper.
"""

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, DomainError
from config.nodes import journal
from config.nodes.facts import Odd, not_recovered, recovers
from config.nodes.journal import Actor, Context
from pos.catalogue import offers
from pos.customers import loyalty, tab
from pos.customers.tab import TabMoved
from pos.facts import SaleCompleted, ShiftClosed
from pos.payments import requests, slip_numbers, vouchers
from pos.payments.payments import Payment, Tendered
from pos.payments.tenders import POINTS, TAB, VOUCHERS, tender_of
from pos.producers import producers
from pos.sale import seal
from pos.sold import Sale, write_rows
from pos.stock import consignment_stock, stock
from pos.stock.ledger import locked, open_count_tasks, replay
from pos.store.store import store_of
from pos.sync import replica
from pos.till import drawer_cash, totals
from pos.till.drawer_cash import CashMoved
from pos.till.shift import keep_late
from pos.till.shift_book import LateSale, Shift
from pos.till.shift_report import z_hash


@recovers(SaleCompleted)
def take_sale(ctx: Context, fact: SaleCompleted) -> list[Odd]:
    """Write a sale, return or exchange again (rules 1 to 5); returns what of it could not be."""
    store_id = fact.of()
    if ctx.session.get(Sale, (store_id, fact.id)) is not None:
        return []
    write_rows(ctx.session, fact, held=_held(ctx, store_id, fact))
    for one in replica.bookings_of(fact):
        replay(ctx.session, store_id, one.moves, one.source, day=one.day, at=one.at, actor_id=one.actor_id)
    if fact.order_id is not None:
        stock.answer(ctx.session, store_id, fact.order_id, "fulfilled", at=ctx.at)
    paid = [Tendered(one.tender, one.amount_minor, one.reference) for one in fact.payments]
    day = dt.date.fromisoformat(fact.business_day)
    slip_numbers.take_again(ctx.session, store_id, paid, day=day, source=f"sale:{fact.id}")
    skus = sorted({move[1] for move in fact.movements})
    if skus:
        open_count_tasks(ctx.session, store_id, locked(ctx.session, store_id, skus), ctx.at)
    _into_shift(ctx.session, store_id, fact, ctx.at)
    journal.record(
        ctx, verb=f"{fact.kind}.recovered", subject=f"sale:{fact.id}",
        receipt_no=fact.receipt_no, total_minor=fact.total_minor, lines=len(fact.lines),
        cashier=fact.cashier_id, seal=seal.of_sale(fact))  # fmt: skip
    return _beside(ctx.session, store_id, fact)


@recovers(ShiftClosed)
def take_shift(ctx: Context, fact: ShiftClosed) -> None:
    """Close a shift again as it was closed, with its Z number and report."""
    here = ctx.session.scalar(
        lock_rows(ctx.session, sa.select(Shift).where(Shift.store_id == fact.store_id, Shift.id == fact.id))
    )
    if here is not None and here.state == "closed":
        raise Conflict(
            "shift-closed-twice", "This shift was closed as Z %(z_no)s, then closed again here as Z %(other_no)s.",
            z_no=fact.z_no, other_no=here.z_no,
        )  # fmt: skip
    replica.write_shift(ctx.session, fact)
    journal.record(
        ctx,
        verb="shift.recovered",
        subject=f"shift:{fact.id}",
        z_no=fact.z_no,
        counted_minor=fact.counted_minor,
        over_short_minor=fact.over_short_minor,
        z_hash=z_hash(fact.z_report),
    )


@recovers(CashMoved)
def take_cash(ctx: Context, fact: CashMoved) -> list[Odd]:
    """Move cash in a drawer again; with its float a shift nobody had closed is open again."""
    if drawer_cash.write_again(ctx, fact):
        return []
    return [{"kind": "drawer", "till_id": fact.till_id, "moved": fact.kind, "amount_minor": fact.amount_minor}]


def end(session: Session, store_id: str, at: dt.datetime) -> list[Odd]:
    """Note the sales of shifts nobody closed as late (rule 4); returns what a person must know of each.

    Odd is of kind `late` (till_id, sales, total_minor), `drawer` (till_id, moved, amount_minor) or `refused` (topic,
    no, day, code, why).
    """
    known = sa.exists().where(Shift.store_id == Sale.store_id, Shift.id == Sale.shift_id)
    noted = sa.exists().where(LateSale.store_id == Sale.store_id, LateSale.sale_id == Sale.id)
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.state == "completed", ~known, ~noted)
    taken: dict[tuple[str, str], list[int]] = {}
    for sale in session.scalars(query.order_by(Sale.completed_at)):
        session.add(
            LateSale(
                store_id=store_id, sale_id=sale.id, till_id=sale.till_id, shift_id=sale.shift_id,
                receipt_no=sale.receipt_no, total_minor=sale.total_minor, noted_at=at, reported_by=None,
            )
        )  # fmt: skip
        taken.setdefault((sale.till_id, sale.shift_id), []).append(sale.total_minor)
    session.flush()
    return [
        {"kind": "late", "till_id": till_id, "sales": len(sums), "total_minor": sum(sums)}
        for (till_id, _), sums in taken.items()
    ]


# --- inside ---


def _held(ctx: Context, store_id: str, fact: SaleCompleted) -> frozenset[str]:
    """Return the sale's payments that are here already, asked for at a provider before the copy; they were captured."""
    ids = [one.id for one in fact.payments]
    mine = (Payment.store_id == store_id, Payment.id.in_(ids))
    found = ctx.session.scalars(sa.select(Payment).where(*mine)).all()
    for payment in found:
        requests.claim_again(ctx, payment, fact.id)
    ctx.session.flush()
    return frozenset(payment.id for payment in found)


def _into_shift(session: Session, store_id: str, fact: SaleCompleted, at: dt.datetime) -> None:
    query = sa.select(Shift).where(Shift.store_id == store_id, Shift.id == fact.shift_id)
    shift = session.scalar(lock_rows(session, query))
    if shift is None:
        return  # its closing follows, or `end` finds it late
    if shift.state == "closed":
        keep_late(session, fact, at=at)
        return
    shift.totals = totals.with_sale(shift.totals, fact)
    shift.expected_minor += sum(amount_minor for _, _, amount_minor in fact.cash)
    session.flush()


def _beside(session: Session, store_id: str, fact: SaleCompleted) -> list[Odd]:
    """Write what the store keeps beside a sale, each book for itself (rule 5)."""
    at, day = dt.datetime.fromisoformat(fact.completed_at), dt.date.fromisoformat(fact.business_day)
    sold = [(line.sku, line.qty) for line in fact.lines if line.kind == "goods" and line.qty > 0]
    mine = {"store": store_id}
    lots = consignment_stock.LEFT.all(session, mine, sorted({sku for sku, _ in sold}))
    theirs = dict(producers.THEIRS.all(session, mine, sorted({one.sku for one in fact.lines if one.kind == "goods"})))
    books: list[Callable[[], object]] = [
        lambda: producers.settle(session, fact, theirs, at),
        lambda: _vouchers(session, store_id, fact, at),
        lambda: _customer(session, store_id, fact, at, day),
    ]
    if lots:
        books.append(lambda: consignment_stock.sold(session, store_id, sold, lots, sale_id=fact.id, day=day, at=at))
    if fact.coupons:
        books.append(lambda: offers.use_coupons(session, store_of(session, store_id), fact.coupons, fact.id, at))
    odd = []
    for write in books:
        try:
            with session.begin_nested():
                write()
                session.flush()
        except DomainError as refusal:
            odd.append(not_recovered(fact.TOPIC, str(fact.receipt_no), fact.business_day, refusal))
    return odd


def _vouchers(session: Session, store_id: str, fact: SaleCompleted, at: dt.datetime) -> None:
    store, actor = store_of(session, store_id), Actor.system("recovered", store_id)
    ctx = Context(session, actor, at)
    for row in fact.vouchers:
        vouchers.issue(
            ctx, store, int(row["amount_minor"]), kind=str(row["kind"]), sale_id=fact.id,
            mark=vouchers.mark_in(store_id, str(row["code"])))  # fmt: skip
    for paid in fact.payments:
        if tender_of(paid.tender).book == VOUCHERS and paid.amount_minor > 0:
            mark = vouchers.mark_in(store_id, paid.reference)
            vouchers.redeem(ctx, store, mark, paid.amount_minor, sale_id=fact.id)


def _customer(session: Session, store_id: str, fact: SaleCompleted, at: dt.datetime, day: dt.date) -> None:
    """Write what a sale did to a customer's tab and points, as its receipt says."""
    if fact.customer is None:
        return
    shared = "points_name" in fact.customer  # those are told by facts of their own
    customer_id, actor = str(fact.customer["id"]), Actor.system("recovered", store_id)
    on_tab = sum(paid.amount_minor for paid in fact.payments if tender_of(paid.tender).book == TAB)
    ctx = Context(session, actor, at)
    if on_tab:
        row = TabMoved(
            store_id=store_id, id="", customer_id=customer_id, kind="charge" if on_tab > 0 else "refund",
            amount_minor=on_tab, business_day=day, at=at, sale_id=fact.id,
        )  # fmt: skip
        tab.write_again(ctx, row)
    by_points = sum(paid.amount_minor for paid in fact.payments if tender_of(paid.tender).book == POINTS)
    earned = int(fact.customer.get("points_earned") or 0)
    if (earned or by_points) and not shared:
        loyalty.write_sale_again(ctx, store_id, customer_id, earned=earned, paid_minor=by_points, sale_id=fact.id)

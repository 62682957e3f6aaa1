"""The counter's invariants, K1 to K9: each is one or two statements that return what does not hold.

Those of running totals and of customers' books (K13 to K15) stand in `shift_checks` and `account_checks`.

Read-only. A store's node and the network run the same checks; at the network a receipt number or a fact that has not
arrived yet shows as a gap, which is what it is. A sale that was set aside or turned down is no gap.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from config.finding import Finding
from config.nodes.inbox import InboxMessage
from config.nodes.outbox import OutboxMessage
from pos.customers import checks as account_checks
from pos.facts import SaleCompleted, ShiftClosed
from pos.payments.payments import Payment, counts
from pos.producers import payouts, producers
from pos.sold import Sale, SaleLine, set_aside
from pos.stock.ledger import INSIDE, CountTask, Place, Reservation, StockLevel, StockMovement
from pos.sync import archive, shift_checks
from pos.sync.archive import ArchivedReceipts, ArchivedStock
from pos.till.shift_book import CashMovement, LateSale, Shift

ACTUAL = tuple(str(place) for place in INSIDE)


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return every invariant of the counter that does not hold, for one store or for all."""
    checks = (_sales, _moved_as_sold, _levels, _flows, _promises, _shifts, _receipt_numbers, _reported, _applied)
    found = [finding for check in checks for finding in check(session, store_id)]
    found += [*producers.findings(session, store_id), *payouts.findings(session, store_id)]
    return [*found, *shift_checks.findings(session, store_id), *account_checks.findings(session, store_id)]


def _sales(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K1: lines and rounding are the total, captured payments are the total, line taxes are the tax."""
    line = (
        sa.select(
            SaleLine.store_id,
            SaleLine.sale_id,
            sa.func.sum(SaleLine.total_minor).label("lines"),
            sa.func.sum(SaleLine.tax_minor).label("tax"),
            sa.func.sum(SaleLine.net_minor).label("net"),
        )
        .where(*_of(SaleLine, store_id))
        .group_by(SaleLine.store_id, SaleLine.sale_id)
        .subquery()
    )
    paid = (
        sa.select(Payment.store_id, Payment.sale_id, sa.func.sum(Payment.amount_minor).label("paid"))
        .where(counts(), *_of(Payment, store_id))
        .group_by(Payment.store_id, Payment.sale_id)
        .subquery()
    )
    sums = {name: sa.func.coalesce(line.c[name], 0) for name in ("lines", "tax", "net")}
    sums["paid"] = sa.func.coalesce(paid.c.paid, 0)
    query = (
        sa.select(Sale.store_id, Sale.id, Sale.lines_minor, Sale.rounding_minor, Sale.total_minor, Sale.tax_minor)
        .add_columns(*(value.label(name) for name, value in sums.items()))
        .outerjoin(line, sa.and_(line.c.store_id == Sale.store_id, line.c.sale_id == Sale.id))
        .outerjoin(paid, sa.and_(paid.c.store_id == Sale.store_id, paid.c.sale_id == Sale.id))
        .where(
            Sale.state == "completed",
            sa.or_(
                sums["lines"] != Sale.lines_minor,
                sums["net"] + sums["tax"] != Sale.lines_minor,
                sums["tax"] != Sale.tax_minor,
                sums["paid"] != Sale.total_minor,
                Sale.lines_minor + Sale.rounding_minor != Sale.total_minor,
            ),
            *_of(Sale, store_id),
        )
    )
    for row in session.execute(query):
        yield Finding(
            "K1",
            f"sale:{row.id}",
            f"lines {row.lines_minor} + rounding {row.rounding_minor} = total {row.total_minor}, tax {row.tax_minor}",
            f"lines {row.lines} (net {row.net}), paid {row.paid}, tax {row.tax}",
        )


def _moved_as_sold(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K2: what a sale's lines say went out, and what a return's lines say came in, is what moved."""
    sold = sa.select(SaleLine.store_id, SaleLine.sale_id, SaleLine.sku, SaleLine.qty.label("qty"))
    tracked = sa.or_(SaleLine.kind == "goods", SaleLine.price_type == "empties")
    sold = sold.where(tracked, *_of(SaleLine, store_id))
    out = sa.case(
        (StockMovement.to_place == Place.CUSTOMER, StockMovement.qty),
        (StockMovement.from_place == Place.CUSTOMER, -StockMovement.qty),
        else_=0,
    )
    moved = sa.select(StockMovement.store_id, StockMovement.source_id, StockMovement.sku, -out)
    moved = moved.where(StockMovement.source_kind == "sale", *_of(StockMovement, store_id))
    both = sa.union_all(sold, moved).subquery()
    net = sa.func.sum(both.c.qty)
    query = sa.select(both.c.sale_id, both.c.sku, net.label("net"))
    query = query.group_by(both.c.store_id, both.c.sale_id, both.c.sku).having(net != 0)
    for row in session.execute(query):
        yield Finding(
            "K2", f"sale:{row.sale_id}", f"{row.sku}: as many moved as sold", f"{row.net} more sold than moved"
        )


def _levels(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K3: a level is the sum of its movements."""
    parts = [
        sa.select(column_store, sku, place.label("place"), qty.label("qty"))
        for column_store, sku, place, qty in (
            (StockMovement.store_id, StockMovement.sku, StockMovement.to_place, StockMovement.qty),
            (StockMovement.store_id, StockMovement.sku, StockMovement.from_place, -StockMovement.qty),
            (StockLevel.store_id, StockLevel.sku, StockLevel.place, -StockLevel.qty),
        )
    ]
    away = ArchivedStock
    both = sa.union_all(*parts, sa.select(away.store_id, away.sku, away.place, away.qty)).subquery()
    net = sa.func.sum(both.c.qty)
    query = sa.select(both.c.store_id, both.c.sku, both.c.place, net.label("net")).where(both.c.place.in_(ACTUAL))
    if store_id is not None:
        query = query.where(both.c.store_id == store_id)
    for row in session.execute(query.group_by(both.c.store_id, both.c.sku, both.c.place).having(net != 0)):
        subject = f"level:{row.store_id}/{row.sku}/{row.place}"
        yield Finding("K3", subject, "the sum of its movements", f"{-row.net} off")


def _flows(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K4: over all places, outside included, goods are neither made nor lost."""
    known = tuple(str(place) for place in Place)
    strange = sa.select(StockMovement.id, StockMovement.from_place, StockMovement.to_place).where(
        sa.or_(
            StockMovement.from_place.not_in(known),
            StockMovement.to_place.not_in(known),
            sa.and_(
                StockMovement.from_place.not_in(ACTUAL),
                StockMovement.to_place.not_in(ACTUAL),
                sa.or_(StockMovement.from_place != Place.CUSTOMER, StockMovement.to_place != Place.WASTE),
            ),
            StockMovement.qty <= 0,
        ),
        *_of(StockMovement, store_id),
    )
    for odd in session.execute(strange):
        yield Finding(
            "K4", f"movement:{odd.id}", "into, out of or within the store", f"{odd.from_place} → {odd.to_place}"
        )
    inward = sa.case((StockMovement.to_place.in_(ACTUAL), StockMovement.qty), else_=0)
    outward = sa.case((StockMovement.from_place.in_(ACTUAL), StockMovement.qty), else_=0)
    crossed = sa.select(StockMovement.store_id, StockMovement.sku, (inward - outward).label("qty"))
    there = sa.select(StockLevel.store_id, StockLevel.sku, -StockLevel.qty)
    away = sa.select(ArchivedStock.store_id, ArchivedStock.sku, ArchivedStock.qty)
    both = sa.union_all(
        crossed.where(*_of(StockMovement, store_id)), there.where(*_of(StockLevel, store_id)),
        away.where(*_of(ArchivedStock, store_id)),
    ).subquery()  # fmt: skip
    net = sa.func.sum(both.c.qty)
    query = sa.select(both.c.store_id, both.c.sku, net.label("net")).group_by(both.c.store_id, both.c.sku)
    for row in session.execute(query.having(net != 0)):
        yield Finding("K4", f"product:{row.store_id}/{row.sku}", "what crossed the door is here", f"{row.net} missing")


def _promises(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K5: an answer fits its promise, and what is held is there or wants counting."""
    reply, again = aliased(Reservation), aliased(Reservation)
    fits = sa.and_(
        Reservation.id == reply.answers_id,
        Reservation.store_id == reply.store_id,
        Reservation.kind == "held",
        Reservation.sku == reply.sku,
        Reservation.qty == reply.qty,
    )
    odd = sa.select(reply.id, reply.kind).outerjoin(Reservation, fits)
    odd = odd.where(reply.answers_id.is_not(None), Reservation.id.is_(None), *_of(reply, store_id))
    for one in session.execute(odd):
        yield Finding(
            "K5", f"reservation:{one.id}", "answers a promise of as much", f"{one.kind} answers nothing like it"
        )
    unanswered = ~sa.exists().where(again.store_id == Reservation.store_id, again.answers_id == Reservation.id)
    held = (
        sa.select(Reservation.store_id, Reservation.sku, sa.func.sum(Reservation.qty).label("qty"))
        .where(Reservation.kind == "held", unanswered, *_of(Reservation, store_id))
        .group_by(Reservation.store_id, Reservation.sku)
        .subquery()
    )
    here = sa.and_(StockLevel.store_id == held.c.store_id, StockLevel.sku == held.c.sku)
    on_hand = sa.func.coalesce(sa.select(sa.func.sum(StockLevel.qty)).where(here).scalar_subquery(), 0)
    wanted = sa.exists().where(
        CountTask.store_id == held.c.store_id, CountTask.sku == held.c.sku, CountTask.done_at.is_(None)
    )
    query = sa.select(held.c.store_id, held.c.sku, held.c.qty, on_hand.label("there")).where(
        held.c.qty > on_hand, ~wanted
    )
    for row in session.execute(query):
        subject = f"product:{row.store_id}/{row.sku}"
        yield Finding("K5", subject, f"{row.qty} held are here, or a count is asked for", f"{row.there} on hand")


def _shifts(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K6: expected cash is the sum of the drawer's movements, and over/short is what the count found."""
    late = sa.exists().where(LateSale.store_id == CashMovement.store_id, LateSale.sale_id == CashMovement.source_id)
    cash = sa.select(sa.func.sum(CashMovement.amount_minor)).where(
        CashMovement.store_id == Shift.store_id, CashMovement.shift_id == Shift.id, ~late
    )
    moved = sa.func.coalesce(cash.scalar_subquery(), 0)
    uneven = sa.and_(Shift.state == "closed", Shift.expected_minor + Shift.over_short_minor != Shift.counted_minor)
    query = sa.select(Shift.id, Shift.expected_minor, Shift.over_short_minor, Shift.counted_minor, moved.label("moved"))
    columns = (Shift.store_id, uneven.label("uneven"))
    query = query.add_columns(*columns).where(sa.or_(moved != Shift.expected_minor, uneven), *_of(Shift, store_id))
    rows = session.execute(query).all()
    aside = Counter[tuple[str, str]]()
    for store, body in set_aside(session, {row.store_id for row in rows}):
        aside[store, str(body["shift_id"])] += sum(minor for _key, _kind, minor in body["cash"])
    for row in rows:
        if not row.uneven and row.moved + aside[row.store_id, row.id] == row.expected_minor:
            continue  # what is missing waits for a person
        yield Finding(
            "K6",
            f"shift:{row.id}",
            f"expected {row.expected_minor} + over/short {row.over_short_minor} = counted {row.counted_minor}",
            f"the drawer's movements sum to {row.moved}",
        )


def _receipt_numbers(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K7: receipt numbers of a till and epoch are 1, 2, 3 … without a gap."""
    no, away = Sale.receipt_no, ArchivedReceipts
    till = (Sale.store_id, Sale.till_id, Sale.epoch)
    here = sa.select(
        *till, sa.func.min(no).label("first"), sa.func.max(no).label("last"), sa.func.count().label("many")
    )
    here = here.where(Sale.state == "completed", *_of(Sale, store_id)).group_by(*till)
    kept = sa.select(away.store_id, away.till_id, away.epoch, away.first_no, away.last_no, away.sales)
    all_of_it = sa.union_all(here, kept.where(*_of(away, store_id))).subquery().c
    first, last, many = sa.func.min(all_of_it.first), sa.func.max(all_of_it.last), sa.func.sum(all_of_it.many)
    key = (all_of_it.store_id, all_of_it.till_id, all_of_it.epoch)
    query = sa.select(*key, first.label("first"), last.label("last"), many.label("many"))
    query = query.group_by(*key).having(sa.or_(first != 1, last != many))
    rows = session.execute(query).all()
    aside: dict[tuple[str, str, str], set[int]] = {}
    for store, body in set_aside(session, {row.store_id for row in rows}):
        aside.setdefault((store, str(body["till_id"]), str(body["epoch"])), set()).add(int(body["receipt_no"]))
    for row in rows:
        waiting = aside.get((row.store_id, row.till_id, row.epoch), set())
        numbers = waiting | {int(row.first), int(row.last)}
        if waiting and min(numbers) == 1 and row.many + len(waiting) == max(numbers):
            continue
        subject = f"till:{row.store_id}/{row.till_id}/{row.epoch[:8]}"
        yield Finding("K7", subject, "receipts 1, 2, 3 …", f"{row.many} receipts from {row.first} to {row.last}")


def _reported(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K8: every completed sale and closed shift has its fact, sent from here or arrived here."""
    nouns: tuple[tuple[str, Any, str, str], ...] = (
        ("sale", Sale, "completed", SaleCompleted.TOPIC),
        ("shift", Shift, "closed", ShiftClosed.TOPIC),
    )
    for word, noun, state, topic in nouns:
        sent = sa.exists().where(OutboxMessage.id == noun.id, OutboxMessage.topic == topic)
        arrived = sa.exists().where(
            InboxMessage.from_node == noun.store_id, InboxMessage.id == noun.id, InboxMessage.topic == topic
        )
        query = sa.select(noun.id).where(noun.state == state, ~sent, ~arrived, *_of(noun, store_id))
        for key in session.scalars(query):
            yield Finding("K8", f"{word}:{key}", f"a fact {topic}", "none")


def _applied(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K9: what was taken from another node is in the books, or was put away: of such weeks as many as were taken."""
    away = archive.weeks(session)
    for week in away:
        yield from _put_away(session, week, store_id)
    gone = sa.or_(sa.false(), *(InboxMessage.business_day.between(*_texts(week)) for week in away))
    nouns: tuple[tuple[str, Any, str], ...] = (
        ("sale", Sale, SaleCompleted.TOPIC),
        ("shift", Shift, ShiftClosed.TOPIC),
    )
    for word, noun, topic in nouns:
        here = sa.exists().where(noun.id == InboxMessage.id, noun.store_id == InboxMessage.from_node)
        query = sa.select(InboxMessage.id).where(InboxMessage.topic == topic, InboxMessage.state == "taken", ~here)
        if noun is Sale:
            query = query.where(~gone)
        if store_id is not None:
            query = query.where(InboxMessage.from_node == store_id)
        for key in session.scalars(query):
            yield Finding("K9", f"{word}:{key}", "written here", "taken, but not in the books")


def _put_away(session: Session, week: dt.date, store_id: str | None) -> Iterator[Finding]:
    """Compare how many sales of a week were taken, and how many were put away or are here, store by store."""
    first, last = week, week + archive.WEEK - archive.DAY
    came, kept = InboxMessage, ArchivedReceipts
    taken = sa.select(came.from_node.label("store_id"), sa.func.count().label("many")).where(
        came.topic == SaleCompleted.TOPIC, came.state == "taken", came.business_day.between(*_texts(week))
    )
    parts = [
        taken.group_by(came.from_node),
        sa.select(kept.store_id, -kept.sales).where(kept.week == week),
        sa.select(Sale.store_id, -sa.func.count())
        .where(Sale.state == "completed", Sale.business_day.between(first, last))
        .group_by(Sale.store_id),
    ]
    both = sa.union_all(*parts).subquery().c
    net = sa.func.sum(both.many)
    query = sa.select(both.store_id, net.label("net")).group_by(both.store_id).having(net != 0)
    if store_id is not None:
        query = query.where(both.store_id == store_id)
    for row in session.execute(query):
        subject = f"week:{row.store_id}/{week}"
        yield Finding("K9", subject, "as many put away as taken", f"{row.net} more taken than put away")


def _texts(week: dt.date) -> tuple[str, str]:
    return week.isoformat(), (week + archive.WEEK - archive.DAY).isoformat()


def _of(table: Any, store_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if store_id is None else [table.store_id == store_id]

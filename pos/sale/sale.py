"""A sale: rung up, paid, and from then on immutable.

Rules
-----
1. Everything that must be true together is written in one transaction: sale, lines, tax, payments, stock
   movements, the shift's cash and totals, receipt number, journal, the fact in the outbox and the print job (I4).
2. The id is made by the page and is the idempotency key: the same id with the same basket answers the same
   receipt (I2); with another basket it is a Conflict (I3).
3. The server's total is the one charged: if it is not the one shown, nothing is written and the page asks again.
4. Receipt numbers per till and epoch rise without gaps, in commit order (K7).
5. Σ lines = total; Σ captured - change = total; the lines' taxes sum to the sale's tax (K1).
6. A return is another sale of negative lines that point at the originals; never more than was sold (I9): `returns`.
   An exchange is both at once: what is brought back and what is bought are settled as one amount (`exchange`).
7. The rows are written from the fact, here and at the network, so both hold the same.
8. No more cash goes out than the drawer is expected to hold.
9. What needs somebody's leave (another price, a large discount) is written only with it: `approvals`.

A sale rung up in one go is born completed; until then it is a basket (`basket`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import table_of
from config.errors import Conflict, Refused
from config.ids import NETWORK, new_id
from config.money import round_cash
from config.nodes import journal, outbox
from config.nodes.journal import Actor
from config.prepared import Prepared
from pos.catalogue import offers
from pos.facts import CashMoved, Moved, Paid, SaleCompleted, SoldLine, lettered, sold_line
from pos.payments import slip_numbers
from pos.payments.payments import Settled, Tender, settle
from pos.printing import queue
from pos.producers import producers
from pos.sale import basket, corrections, quoting, seal, tenders
from pos.sale.corrections import NONE, Corrections
from pos.sale.quoting import Quote
from pos.sale.sale_request import RungLine, SaleRequest, check_age, check_lines
from pos.sold import Sale, document_of, write_rows
from pos.stock import markdown, stock
from pos.store import approvals
from pos.store.approvals import Need, takes_back
from pos.store.store import store_of
from pos.till import drawer_cash, totals
from pos.till.counter import Counter, at_counter, habits_of, next_receipt_no, open_counter
from pos.till.shift_book import Shift


@dataclass(frozen=True)
class Completed:
    """A completed sale with the document its receipt is laid out from. repeated: it was completed before."""

    sale: SaleCompleted
    document: dict[str, Any]
    repeated: bool


@dataclass(frozen=True)
class Draft:
    """A settled sale or return that has no number yet. returns_receipt_no, why: a return's."""

    id: str
    kind: str
    channel: str
    lines: tuple[SoldLine, ...]
    settled: Settled
    request_hash: str
    moves: tuple[Moved, ...]
    order_id: str | None = None
    order_no: str | None = None
    age_checked: int | None = None
    age_how: str | None = None
    returns_receipt_no: int | None = None
    why: str | None = None
    customer: dict[str, Any] | None = None
    note: str = ""
    vouchers: tuple[dict[str, Any], ...] = ()
    coupons: tuple[str, ...] = ()
    corrections: Corrections = NONE
    points_minor: int = 0
    """What of the value brought back had been paid with points."""
    labels: tuple[tuple[str, int, str], ...] = ()
    """(sku, qty, code) of the lines whose price or last day a scanned code said."""


# --- verbs ---


def complete(session: Session, request: SaleRequest, *, actor: Actor, at: dt.datetime) -> Completed:
    """Complete a sale or an exchange: everything in this transaction, or nothing (rules 1 to 9)."""
    rung = request.rung
    check_lines(rung, may_be_empty=bool(request.brought_back))
    counter = at_counter(session, request.store_id, request.till_id)
    request_hash = request.hash()
    if (again := known(session, request.store_id, request.id, request_hash)) is not None:
        return again
    basket.refuse_let_go(session, request.store_id, request.id, request.till_id)
    counter = open_counter(counter, request.till_id)
    day = business_day(at, counter.tz, counter.rollover_hour)
    request = _for_customer(session, request)
    quoted = _quoted(session, request, rung, counter, day, at)
    priced = quoted.basket
    lines = [sold_line(n, line) for n, line in enumerate(priced.lines, 1)]
    back = _brought_back(session, request, len(lines))
    lines_minor = priced.lines_minor + sum(line.total_minor for line, _ in back)
    _refuse_another_total(request, quoted, (lines_minor, round_cash(lines_minor, counter.smallest_coin_minor)))
    check_age(request, priced)
    sold = quoting.refuse_unsafe(session, request.store_id, quoted, day)
    if not (counter.sells_beyond or request.order_id):
        quoting.refuse_beyond(session, request.store_id, quoted)
    wanted = quoted.needs if lines_minor >= 0 else quoting.empties_needs(session, quoted.needs, counter, actor)
    if needs := (*wanted, *_leave_for([line for line, _ in back])):
        approvals.require(session, request, needs, actor=actor, at=at)
    paid = [Tender(*row) for row in request.tenders]
    slip_numbers.take(session, request.store_id, paid, day=day, source=f"sale:{request.id}")
    settled, points_minor = _paid(session, request, [line for line, _ in back], lines_minor, counter)
    _refuse_another_total(request, quoted, (lines_minor, settled.total_minor))
    moves = _moved(session, request, lines, back, day=day, at=at, actor=actor)
    if quoted.coupons_used:
        offers.use_coupons(session, store_of(session, request.store_id), quoted.coupons_used, request.id, at)
    markdown.take(session, request.store_id, quoted.marked)
    draft = Draft(
        id=request.id,
        kind="exchange" if back else "sale",
        channel=request.channel,
        order_id=request.order_id,
        order_no=request.order_no,
        lines=(*lines, *(line for line, _ in back)),
        settled=settled,
        age_checked=priced.minimum_age,
        age_how=(request.age_how or "looked") if priced.minimum_age else None,
        request_hash=request_hash,
        moves=tuple(moves),
        customer={"id": request.customer_id} if request.customer_id else None,
        note=request.note.strip(),
        coupons=tuple(sorted(quoted.coupons_used)),
        corrections=corrections.of(session, request.corrections),
        points_minor=points_minor,
        labels=tuple((line.sku, line.qty, line.code) for line in sold if line.code),
    )
    draft = tenders.settle_accounts(session, draft, request.store_id, at=at, actor=actor)
    return finish(session, draft, counter, day=day, at=at, actor=actor)


def finish(
    session: Session, draft: Draft, counter: Counter, *, day: dt.date, at: dt.datetime, actor: Actor
) -> Completed:
    """Number a settled sale or return, write its rows, journal it, tell it and queue its paper (rules 1, 4, 7)."""
    fact = _fact(session, draft, counter, day=day, at=at, actor=actor)
    moved_minor = sum(amount_minor for _, _, amount_minor in fact.cash)
    write_rows(session, fact, held=frozenset(row.payment_id for row in draft.settled.tenders if row.payment_id))
    _TO_SHIFT.run(
        session,
        {
            "at_store": counter.store_id,
            "at_shift": counter.shift_id,
            "expected_minor": counter.expected_minor + moved_minor,
            "totals": _totals(session, counter, draft, fact, actor, at),
        },
    )
    subject = f"sale:{fact.id}"
    journal.record(
        session,
        actor=actor,
        at=at,
        verb=f"{fact.kind}.completed",
        subject=subject,
        receipt_no=fact.receipt_no,
        total_minor=fact.total_minor,
        lines=len(fact.lines),
        age_checked=fact.age_checked,
        why=draft.why,
        corrections=draft.corrections.count,
        seal=seal.of_sale(fact),
        **draft.corrections.facts(),
        **({"labels": draft.labels} if draft.labels else {}),
    )
    producers.settle(session, fact, at)
    document = fact.to_body()
    outbox.append(
        session,
        to_node=NETWORK,
        topic=fact.TOPIC,
        version=fact.VERSION,
        body=document,
        id=fact.id,
        subject=subject,
        business_day=day,
        at=at,
    )
    opens_drawer = bool(fact.cash)
    queue.queue(session, fact.store["id"], fact.till_id, "receipt", fact.id, document, opens_drawer=opens_drawer, at=at)
    session.flush()
    return Completed(fact, document, repeated=False)


# --- questions ---


def known(session: Session, store_id: str, sale_id: str, request_hash: str) -> Completed | None:
    """Return the sale this very command completed before; Conflict when its content was another (rule 2)."""
    found = _KNOWN.first(session, {"store": store_id, "sale": sale_id})
    if found is None:
        return None
    sale = session.get_one(Sale, (store_id, sale_id))
    if found[0] != request_hash:
        raise Conflict(
            "sale-content-differs",
            f"This sale was already saved with another content, as receipt {sale.receipt_no}. Begin a new sale.",
            receipt_no=sale.receipt_no,
            total_minor=sale.total_minor,
        )
    document = document_of(session, sale)
    return Completed(SaleCompleted.from_body(document), document, repeated=True)


def quote(
    session: Session,
    store_id: str,
    lines: Sequence[RungLine | tuple[str, int]],
    *,
    at: dt.datetime,
    cash: bool = False,
    customer_id: str | None = None,
    coupons: Sequence[str] = (),
    back: Sequence[SoldLine] = (),
    for_sale: bool = True,
) -> Quote:
    """Price a basket as it would be charged now; writes nothing. back: the negative lines of an exchange.

    for_sale: False for goods that are only to be worth something, whether the books have them or not.
    """
    rung = tuple(line if isinstance(line, RungLine) else RungLine(*line) for line in lines)
    check_lines(rung, may_be_empty=bool(back))
    store = habits_of(session, store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    quoted = quoting.price(
        session,
        store_id,
        rung,
        tz=store.tz,
        day=day,
        at=at,
        member=tenders.is_member(session, store_id, customer_id),
        coupons=coupons,
        smallest_coin_minor=store.smallest_coin_minor,
        cash=cash,
    )
    quoting.refuse_unsafe(session, store_id, quoted, day)
    if for_sale and not store.sells_beyond:
        quoting.refuse_beyond(session, store_id, quoted)
    if not back:
        return quoted
    lines_minor = quoted.basket.lines_minor + sum(line.total_minor for line in back)
    rounding_minor = round_cash(lines_minor, store.smallest_coin_minor) - lines_minor if cash else 0
    priced = replace(
        quoted.basket,
        lines_minor=lines_minor,
        tax_minor=quoted.basket.tax_minor + sum(line.tax_minor for line in back),
        rounding_minor=rounding_minor,
        total_minor=lines_minor + rounding_minor,
    )
    return replace(quoted, basket=priced, needs=(*quoted.needs, *_leave_for(back)))


# --- inside ---

_shift, _sale = table_of(Shift), table_of(Sale)
_TO_SHIFT = Prepared(
    sa.update(_shift)
    .where(_shift.c.store_id == sa.bindparam("at_store"), _shift.c.id == sa.bindparam("at_shift"))
    .values(expected_minor=sa.bindparam("expected_minor"), totals=sa.bindparam("totals"))
)
_KNOWN = Prepared(
    sa.select(_sale.c.request_hash).where(_sale.c.store_id == sa.bindparam("store"), _sale.c.id == sa.bindparam("sale"))
)


def _quoted(
    session: Session, request: SaleRequest, rung: Sequence[RungLine], counter: Counter, day: dt.date, at: dt.datetime
) -> Quote:
    member = tenders.is_member(session, request.store_id, request.customer_id) if request.customer_id else False
    return quoting.price(
        session,
        request.store_id,
        rung,
        tz=counter.tz,
        day=day,
        at=at,
        agreed=request.agreed_prices,
        agreed_savings=request.agreed_savings,
        agreed_deposits=request.agreed_deposits,
        member=member,
        coupons=request.coupons,
    )


def _leave_for(back: Sequence[SoldLine]) -> list[Need]:
    """Return the leave an exchange wants for what is brought back of its receipt."""
    lines = [(line.returns_n or 0, -line.qty) for line in back]
    return [takes_back(str(back[0].returns_sale_id), lines)] if back else []


def _brought_back(session: Session, request: SaleRequest, before: int) -> list[tuple[SoldLine, bool]]:
    if not request.brought_back:
        return []
    from pos.sale import (
        returns,  # a return is a sale of negative lines and knows this file; only an exchange looks there
    )

    return returns.negative_lines(session, request.store_id, request.brought_back, first_n=before + 1)


def _for_customer(session: Session, request: SaleRequest) -> SaleRequest:
    if not request.brought_back:
        return request
    from pos.sale import exchange

    exchange.refuse_none_bought(request.rung)
    customer_id = exchange.customer_of(session, request.store_id, request.brought_back, request.customer_id)
    return replace(request, customer_id=customer_id)


def _paid(
    session: Session, request: SaleRequest, back: Sequence[SoldLine], due_minor: int, counter: Counter
) -> tuple[Settled, int]:
    """Settle what is due; with it, what of the value brought back had been paid with points."""
    tenders = [Tender(*row) for row in request.tenders]
    if back:
        from pos.sale import exchange

        paid = exchange.pay(session, tenders, back, due_minor, counter=counter, channel=request.channel)
        return paid.settled, paid.points_minor
    settled = settle(
        tenders,
        due_minor,
        smallest_coin_minor=counter.smallest_coin_minor,
        currency=counter.currency,
        channel=request.channel,
    )
    return settled, 0


def _moved(
    session: Session,
    request: SaleRequest,
    lines: Sequence[SoldLine],
    back: Sequence[tuple[SoldLine, bool]],
    *,
    day: dt.date,
    at: dt.datetime,
    actor: Actor,
) -> list[Moved]:
    """Move what goes out, and what comes in: empties, and goods brought back."""
    sold = [(line.sku, line.qty) for line in lines if line.kind == "goods"]
    moves: list[Moved] = []
    if sold:
        moves += stock.sell(
            session,
            request.store_id,
            sold,
            sale_id=request.id,
            order_id=request.order_id,
            day=day,
            at=at,
            actor=actor,
        )
    empties = [(line.sku, -line.qty) for line in lines if line.price_type == "empties"]
    whole = empties + [(line.sku, -line.qty) for line, restock in back if restock and line.kind == "goods"]
    spoilt = [(line.sku, -line.qty) for line, restock in back if not restock and line.kind == "goods"]
    for goods, restock in ((whole, True), (spoilt, False)):
        if goods:
            moves += stock.take_back(
                session, request.store_id, goods, sale_id=request.id, restock=restock, day=day, at=at, actor=actor
            )
    return moves


def _refuse_another_total(request: SaleRequest, quoted: Quote, totals_minor: tuple[int, int]) -> None:
    if request.shown_total_minor in totals_minor:
        return
    raise Refused(
        "total-changed",
        "A price has changed since it was scanned. Tell the customer the new total, then take the money.",
        total_minor=totals_minor[0],
        shown_minor=request.shown_total_minor,
        lines=[
            {
                "sku": line.product.sku,
                "name": line.product.name,
                "qty": line.qty,
                "unit_price_minor": line.product.price_minor,
                "total_minor": line.total_minor,
            }
            for line in quoted.basket.lines
        ],
    )


def _totals(
    session: Session, counter: Counter, draft: Draft, fact: SaleCompleted, by: Actor, at: dt.datetime
) -> dict[str, Any]:
    """Return the shift's totals with the sale; refuses cash that is not in the drawer to who sees it."""
    after = totals.with_sale(dict(counter.totals), fact)
    for row in filter(slip_numbers.is_typed, draft.settled.tenders):
        after = totals.with_typed(after, row.tender, row.amount_minor)
    out_minor = -sum(amount_minor for _, _, amount_minor in fact.cash)
    if drawer_cash.is_beyond(out_minor, counter.expected_minor):
        reported = "The drawer should not hold as much cash. Give the rest back another way, or put cash in first."
        refusal = Refused("drawer-too-empty", reported, held_minor=counter.expected_minor)
        of_shift = (counter.store_id, counter.shift_id, after, "refund", out_minor, refusal)
        after = drawer_cash.note_beyond(session, *of_shift, actor=by, at=at)
    return draft.corrections.counted_in(after, by)


def _fact(
    session: Session, draft: Draft, counter: Counter, *, day: dt.date, at: dt.datetime, actor: Actor
) -> SaleCompleted:
    settled = draft.settled
    lines, taxes = lettered(draft.lines)
    payments, cash = _payments(draft)
    return SaleCompleted(
        id=draft.id,
        kind=draft.kind,
        channel=draft.channel,
        order_id=draft.order_id,
        order_no=draft.order_no,
        store=counter.snapshot(),
        till_id=counter.till_id,
        till_name=counter.till_name,
        shift_id=counter.shift_id,
        epoch=counter.epoch,
        receipt_no=next_receipt_no(session, counter),
        cashier_id=actor.id,
        cashier_name=actor.name,
        completed_at=at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        local_time=f"{at.astimezone(ZoneInfo(counter.tz)):%Y-%m-%d %H:%M}",
        business_day=day.isoformat(),
        currency=counter.currency,
        lines=lines,
        taxes=taxes,
        payments=payments,
        lines_minor=settled.total_minor - settled.rounding_minor,
        rounding_minor=settled.rounding_minor,
        total_minor=settled.total_minor,
        tax_minor=sum(line.tax_minor for line in draft.lines),
        paid_minor=settled.paid_minor,
        change_minor=settled.change_minor,
        age_checked=draft.age_checked,
        returns_receipt_no=draft.returns_receipt_no,
        request_hash=draft.request_hash,
        cash=cash,
        movements=draft.moves,
        age_how=draft.age_how,
        customer=draft.customer,
        note=draft.note,
        saved_minor=sum(line.discount_minor for line in draft.lines if line.qty > 0),
        vouchers=draft.vouchers,
        coupons=draft.coupons,
    )


def _payments(draft: Draft) -> tuple[tuple[Paid, ...], tuple[CashMoved, ...]]:
    """Return the payments, change last, and what they move in the drawer."""
    settled = draft.settled
    paid = [
        Paid(row.payment_id or new_id(), row.tender, row.amount_minor, False, str(row.reference))
        for row in settled.tenders
    ]
    if settled.change_minor:
        paid.append(Paid(new_id(), "cash", -settled.change_minor, True, ""))
    cash = [
        (new_id(), "change" if row.is_change else "sale" if row.amount_minor > 0 else "refund", row.amount_minor)
        for row in paid
        if row.tender == "cash"
    ]
    return tuple(paid), tuple(cash)

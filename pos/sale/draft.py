"""The third stroke of a sale: what was decided is numbered, booked, told and printed, once.

Rules
-----
1. Everything that must be true together is written in one transaction: sale, lines, tax, payments, stock
   movements, the shift's cash and totals, receipt number, journal, the fact in the outbox and the print job (I4).
2. A sale, a return and an exchange are all a `Draft`; nothing is decided here any more. What may still refuse is what
   only one of several can have: a slip, a coupon, the last marked piece, a tab's limit, a voucher's rest.
3. Receipt numbers per till and epoch rise without gaps, in commit order (K7).
4. The rows are written from the fact, here and at the network, so both hold the same.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import table_of
from config.ids import NETWORK, new_id
from config.nodes import journal, outbox
from config.nodes.journal import Context
from config.nodes.outbox import Outgoing
from config.prepared import Prepared
from pos.catalogue import offers
from pos.facts import CashMoved, Moved, Paid, SaleCompleted, SoldLine, lettered
from pos.payments import slip_numbers
from pos.payments.payments import Settled, Tendered
from pos.payments.tenders import CASH, tender_of
from pos.printing import queue
from pos.printing.queue import Printout
from pos.producers import producers
from pos.sale import seal
from pos.sale.corrections import NONE, Corrections
from pos.sale.situation import Situation
from pos.sale.tenders import Booked, settle_accounts
from pos.sold import Completed, write_rows
from pos.stock import consignment_stock, ledger, markdown
from pos.stock.ledger import Source
from pos.store import approvals
from pos.store.approvals import Used
from pos.store.store import snapshot, store_of
from pos.till import drawer_cash, totals
from pos.till.counter import Counter, next_receipt_no
from pos.till.shift_book import Shift


@dataclass(frozen=True)
class Draft:
    """A sale, a return or an exchange as it was decided in a situation; it has no number yet.

    out: movements of what was sold; back: of what comes in. counts: SKU -> why it wants counting. returns_receipt_no,
    why: a return's. coupons, marked: what is used up. leave: whose leave is used up. points_minor: what of the value
    brought back had been paid with points. beyond_minor: cash that leaves the drawer beyond the books. labels: (sku,
    qty, code) of the lines whose price or last day a scanned code said.
    """

    id: str
    kind: str
    channel: str
    situation: Situation
    counter: Counter
    lines: tuple[SoldLine, ...]
    settled: Settled
    out: Sequence[Moved] = ()
    back: Sequence[Moved] = ()
    counts: Mapping[str, str] = field(default_factory=dict)
    leave: Sequence[Used] = ()
    order_id: str | None = None
    order_no: str | None = None
    age_checked: int | None = None
    age_how: str | None = None
    returns_receipt_no: int | None = None
    why: str | None = None
    note: str = ""
    coupons: tuple[str, ...] = ()
    marked: Mapping[str, int] = field(default_factory=dict)
    corrections: Corrections = NONE
    points_minor: int = 0
    beyond_minor: int = 0
    labels: tuple[tuple[str, int, str], ...] = ()

    @property
    def typed(self) -> list[Tendered]:
        """The money a person says was moved, and no provider."""
        return list(filter(slip_numbers.is_typed, self.settled.tenders))

    @property
    def is_plain(self) -> bool:
        """Whether it touches no customer's account, no voucher and no provider's payment."""
        return (
            self.situation.customer_id is None
            and all(not tender_of(row.tender).book and not row.payment_id for row in self.settled.tenders)
            and not any(line.kind == "voucher" for line in self.lines)
        )


def write(session: Session, draft: Draft) -> Completed:
    """Number what was decided, write its rows, journal it, tell it and queue its paper (rules 1, 3, 4)."""
    counter, actor, at = draft.counter, draft.situation.actor, draft.situation.at
    store_id, theirs = counter.store_id, draft.situation.theirs
    subject = f"sale:{draft.id}"
    _use_up(session, draft)
    _move(session, draft)
    booked = Booked(draft.settled) if draft.is_plain else settle_accounts(session, draft)
    fact = _fact(session, draft, booked)
    write_rows(session, fact, held=frozenset(row.payment_id for row in booked.settled.tenders if row.payment_id))
    expected_minor = counter.expected_minor + sum(amount_minor for _, _, amount_minor in fact.cash)
    to_shift = {"at_store": store_id, "at_shift": counter.shift_id, "expected_minor": expected_minor}
    _TO_SHIFT.run(session, to_shift | {"totals": _totals(session, draft, fact)})
    journal.record(
        Context(session, actor, at), verb=f"{fact.kind}.completed", subject=subject, receipt_no=fact.receipt_no,
        total_minor=fact.total_minor, lines=len(fact.lines), age_checked=fact.age_checked, why=draft.why,
        corrections=draft.corrections.count, seal=seal.of_sale(fact),
        **(draft.corrections.facts() if draft.corrections.count else {}),
        **({"labels": draft.labels} if draft.labels else {}))  # fmt: skip
    if theirs:
        producers.settle(session, fact, theirs, at)
    document = fact.to_body()
    outgoing = Outgoing(fact.id, fact.TOPIC, fact.VERSION, draft.situation.day, subject, document)
    outbox.append(session, outgoing, to_node=NETWORK, at=at)
    printout = Printout("receipt", fact.id, document, opens_drawer=bool(fact.cash))
    queue.queue(session, store_id, fact.till_id, printout, at=at)
    session.flush()
    return Completed(fact, document, repeated=False)


# --- inside ---

_shift = table_of(Shift)
_TO_SHIFT = Prepared(
    sa.update(_shift)
    .where(_shift.c.store_id == sa.bindparam("at_store"), _shift.c.id == sa.bindparam("at_shift"))
    .values(expected_minor=sa.bindparam("expected_minor"), totals=sa.bindparam("totals"))
)


def _use_up(session: Session, draft: Draft) -> None:
    """Use up the leave, slips, coupons and marked pieces it was decided with (rule 2)."""
    store_id, now = draft.counter.store_id, draft.situation
    if draft.leave:
        approvals.spend_all(Context(session, now.actor, now.at), draft.leave)
    if draft.kind != "return" and (typed := draft.typed):
        slip_numbers.take(session, store_id, typed, day=now.day, source=f"sale:{draft.id}")
    if draft.coupons:
        offers.use_coupons(session, store_of(session, store_id), draft.coupons, draft.id, now.at)
    if draft.marked:
        markdown.take(session, store_id, draft.marked)


def _move(session: Session, draft: Draft) -> None:
    """Move the goods, answer the order's promises, and ask for counts."""
    store_id, now = draft.counter.store_id, draft.situation
    if now.holding.promises:
        ledger.answer_all(session, now.holding.promises, "fulfilled", at=now.at)
    for reason, rows in (("sold", draft.out), ("returned", draft.back)):
        if rows:
            source = Source(reason, "sale", draft.id)
            ledger.book(session, store_id, rows, source, day=now.day, at=now.at, actor_id=now.actor.id)
    if now.lots:
        sold = [(sku, qty) for _, sku, qty, *_ in draft.out]
        consignment_stock.sold(session, store_id, sold, now.lots, sale_id=draft.id, day=now.day, at=now.at)
    if draft.counts:
        ledger.ask_for_counts(session, store_id, draft.counts, now.at)


def _totals(session: Session, draft: Draft, fact: SaleCompleted) -> dict[str, Any]:
    """Return the shift's totals with the sale."""
    counter, actor = draft.counter, draft.situation.actor
    after = totals.with_sale(dict(counter.totals), fact, draft.typed)
    if draft.beyond_minor:
        where = (counter.shift_id, after, "refund", draft.beyond_minor)
        after = drawer_cash.book_beyond(Context(session, actor, draft.situation.at), *where)
    return draft.corrections.counted_in(after, actor) if draft.corrections.count else after


def _fact(session: Session, draft: Draft, booked: Booked) -> SaleCompleted:
    settled, counter, now = booked.settled, draft.counter, draft.situation
    payments, cash = _payments(settled)
    lines, taxes = lettered(draft.lines)
    return SaleCompleted(
        id=draft.id, kind=draft.kind, channel=draft.channel, order_id=draft.order_id, order_no=draft.order_no,
        store=snapshot(counter, counter.store_id), till_id=counter.till_id, till_name=counter.till_name,
        shift_id=counter.shift_id, epoch=counter.epoch, receipt_no=next_receipt_no(session, counter),
        cashier_id=now.actor.id, cashier_name=now.actor.name,
        completed_at=now.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        local_time=f"{now.at.astimezone(ZoneInfo(counter.tz)):%Y-%m-%d %H:%M}", business_day=now.day.isoformat(),
        currency=counter.currency, lines=lines, taxes=taxes, payments=payments,
        lines_minor=settled.total_minor - settled.rounding_minor, rounding_minor=settled.rounding_minor,
        total_minor=settled.total_minor, tax_minor=sum(line.tax_minor for line in lines),
        paid_minor=settled.paid_minor, change_minor=settled.change_minor, age_checked=draft.age_checked,
        returns_receipt_no=draft.returns_receipt_no, request_hash=now.request_hash, cash=cash,
        movements=(*draft.out, *draft.back), age_how=draft.age_how, customer=booked.customer, note=draft.note,
        saved_minor=sum(line.discount_minor for line in lines if line.qty > 0), vouchers=booked.vouchers,
        coupons=draft.coupons, card_slips=tuple(row.paper for row in settled.tenders if row.paper),
    )  # fmt: skip


def _payments(settled: Settled) -> tuple[tuple[Paid, ...], tuple[CashMoved, ...]]:
    """Return the payments, change last, and what they move in the drawer."""
    paid = [
        Paid(row.payment_id or new_id(), row.tender, row.amount_minor, False, str(row.reference))
        for row in settled.tenders
    ]
    if settled.change_minor:
        paid.append(Paid(new_id(), CASH, -settled.change_minor, True, ""))
    cash = [
        (new_id(), "change" if row.is_change else "sale" if row.amount_minor > 0 else "refund", row.amount_minor)
        for row in paid
        if row.tender == CASH
    ]
    return tuple(paid), tuple(cash)

"""One ledger per store with the network: goods, credit, what the network keeps and pays, and what is left.

Rules
-----
1. Every entry moves an amount from one account to another, so that all accounts of a store together are always zero.
   The book only grows; a mistake is answered by another entry.
2. The store's side is four accounts: `invoiced` (owed for invoices on account), `credit` (owed for invoices on credit),
   `advance` (owed for money advanced on escrows) and `funds` (its money at the network, never above zero: the network
   owes it). Against them stand goods, returns, transfers (zero over all stores), escrow, commission, shelf, late, bank,
   loss, care, agents and overpaid (`agent_commissions`) and points (`points_pool`).
3. A posted delivery of the network makes one invoice of what was counted, at the order's cost; the part drawn on credit
   makes one of its own. Goods on sale or return are invoiced as they sell (`consignment`).
4. Money that comes in, and what is credited or given for goods, pays invoices at once, what is due first
   (rule 6): nobody is paid out for goods that are not paid. What no invoice needs stays in the funds.
   What customers paid online pays what is due by that day, and every night what is in the funds pays what fell due
   (`credit_review`): nothing is late while its money is here.
5. Entries are numbered per store without a gap, by the network alone; a store keeps a copy, which is all it needs to
   recompute every figure. What it told before it was put back from a copy counts no more (`lost_entries`).
6. A payment that is less than what is owed pays what is due first, at the same day the older number; part payment
   leaves the rest of one invoice open.
7. What is drawn on credit falls due when most of the goods are expected to be sold: the day by which SOLD_BP of their
   cost have left the shelf, counted from the forecast the order was made on, within the bounds of the terms.
8. Until its due day credit costs nothing. After that a day costs `rate_ppm` millionths of what is still open.
9. Age is counted from the due day: not due yet, then 1-7, 8-30, 31-60 and more days late.
10. An advance beyond the terms' share of what is still held of customers' payments (`held_payments`: the money went
    back, or is asked back) is called in: an invoice on account, which any money of the store pays at once, before it
    stays in the funds or is paid out.

Units: *_minor minor units of the store's currency. left: what of an invoice is unpaid, late fees included, *_milli
thousandths of a stock unit, *_bp basis points, *_ppm millionths.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, check_amount, stated
from config.ids import NETWORK, new_id
from config.money import BASIS, divide_half_up
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.facts import Day, Fact, Flag, Instant, Whole, send
from config.nodes.journal import Context
from pos.store.store import day_of, store_of
from supply.money import terms as money_terms
from supply.money.held_payments import share_of_held

OWN = ("invoiced", "credit", "advance", "funds")
"""The accounts that say what a store owes (rule 2)."""
KIND_AGAINST = {
    "transfers": "transfer", "agents": "agent", "escrow": "brought_back", "advance": "called_in", "funds": "owed_back",
    "points": "points"}  # fmt: skip
"""account an invoice stands against -> the kind of its entry; any other is goods."""
AGAINST = (
    "goods", "returns", "transfers", "escrow", "commission", "shelf", "late", "bank", "loss", "care", "agents",
    "overpaid", "points")  # fmt: skip
OPEN_AGAIN = "unpaid"
CALLED_IN = "advance-due-"
"""How the invoice of an advance that nothing is held for any more begins (rule 10)."""
T = TypeVar("T")


@dataclass(frozen=True)
class EntryMoved:
    """What an entry moved, as it travels."""

    id: str
    n: Whole
    kind: str
    from_account: str
    to_account: str
    amount_minor: Whole
    invoice_id: str | None
    source_id: str
    words: str


@dataclass(frozen=True)
class EntryReported(EntryMoved):
    """An entry as the network tells of it."""

    at: Instant
    business_day: Day


@dataclass(frozen=True)
class InvoiceReported:
    """An invoice as it travels."""

    id: str
    no: Whole
    on_credit: Flag
    amount_minor: Whole
    delivery_id: str | None
    order_id: str | None
    lines: list[Any]
    changed_n: Whole
    made_day: Day
    due_day: Day


class AccountBooked(Fact, topic="account.booked", said_by=NETWORK):
    """What the network booked for a store, and the invoices that changed."""

    store_id: str
    entries: tuple[EntryReported, ...]
    invoices: tuple[InvoiceReported, ...]


class Account(Base):
    """A store's account: the last numbers used, and where its money is paid out to ('' while unknown)."""

    __tablename__ = "settlement_account"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    last_n: Mapped[int] = mapped_column(default=0)
    last_invoice_no: Mapped[int] = mapped_column(default=0)
    payee: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    bic: Mapped[str] = mapped_column(default="")
    bank_reported_at: Mapped[dt.datetime | None]
    bank_rests_until: Mapped[dt.datetime | None]
    """At the network: nothing is paid out to a changed account before then."""
    put_back_at: Mapped[dt.datetime | None]
    """When the network's books were last put back from a copy (`lost_entries`)."""
    put_back_waits: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """At the network: its store has not answered since."""


@append_only()
class LedgerEntry(Base):
    """A movement between two accounts of a store; never changed. words: what a person wrote to it."""

    __tablename__ = "settlement_entry"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "n"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_settlement_entry_invoice", "store_id", "invoice_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    kind: Mapped[str]
    """goods | return | transfer | paid_in | paid | escrow | commission | shelf | late | loss | advance | repaid
    | payout | returned | slot | care | goodwill | agent | leader | brought_back | called_in | taken_back | unpaid
    | owed_back | points"""
    from_account: Mapped[str]
    to_account: Mapped[str]
    amount_minor: Mapped[int]
    invoice_id: Mapped[str | None]
    source_id: Mapped[str]
    words: Mapped[str] = mapped_column(default="")


class Invoice(Base):
    """What a store owes for one delivery. lines: [sku, name, units, stock cost in minor units] as counted."""

    __tablename__ = "settlement_invoice"
    __table_args__ = (sa.UniqueConstraint("store_id", "no"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    made_day: Mapped[dt.date]
    due_day: Mapped[dt.date]
    on_credit: Mapped[bool]
    amount_minor: Mapped[int]
    delivery_id: Mapped[str | None]
    order_id: Mapped[str | None]
    lines: Mapped[list[Any]]
    changed_n: Mapped[int]
    """The number of the entry that changed it last; of two copies the higher one stands."""


@dataclass(frozen=True)
class Standing:
    """An invoice and what is left of it."""

    invoice: Invoice
    left_minor: int


@dataclass(frozen=True)
class Wanted:
    """An invoice to be made: what it is for, when due, the account it stands against, and the words of its entry."""

    id: str
    amount_minor: int
    due_day: dt.date
    on_credit: bool
    delivery_id: str | None
    order_id: str | None
    lines: Sequence[Sequence[Any]]
    against: str = "goods"
    words: str = ""


# --- verbs, network ---


class Booking:
    """One transaction's entries in a store's book: opened, entered, closed, and told to the store as one fact.

    day: the business day they are of, where a day that is over is settled in the night after it; else the day of `at`.
    """

    def __init__(self, ctx: Context, store_id: str, *, day: dt.date | None = None) -> None:
        self.session, self.store_id, self.actor, self.at = ctx.session, store_id, ctx.actor, ctx.at
        today = day_of(ctx.session, store_id, ctx.at)
        self.day = min(day or today, today)
        self.day_is_over = self.day < today
        self.account = account_of(ctx.session, store_id)
        self.entries: list[LedgerEntry] = []
        self.invoices: dict[str, Invoice] = {}

    def knows(self, entry_id: str) -> bool:
        """Tell whether an entry of this id is in the book already."""
        return self.session.get(LedgerEntry, (self.store_id, entry_id)) is not None

    def enter(
        self,
        kind: str,
        source: str,
        target: str,
        amount_minor: int,
        *,
        source_id: str,
        id: str = "",
        invoice: Invoice | None = None,
        words: str = "",
    ) -> LedgerEntry:
        """Move an amount between two accounts (rule 1)."""
        self.account.last_n += 1
        entry = LedgerEntry(
            store_id=self.store_id, id=id or new_id(), n=self.account.last_n, at=self.at, business_day=self.day,
            kind=kind, from_account=source, to_account=target, amount_minor=amount_minor,
            invoice_id=invoice.id if invoice else None, source_id=source_id, words=words,
        )  # fmt: skip
        self.session.add(entry)
        if invoice is not None:
            self.invoices[invoice.id] = invoice
            invoice.changed_n = entry.n
        self.session.flush()
        self.entries.append(entry)
        return entry

    def invoice(self, wanted: Wanted) -> Invoice:
        """Make an invoice: goods on account, or drawn on credit (rule 3)."""
        self.account.last_invoice_no += 1
        made = Invoice(
            store_id=self.store_id, id=wanted.id, no=self.account.last_invoice_no, made_day=self.day,
            due_day=wanted.due_day, on_credit=wanted.on_credit, amount_minor=wanted.amount_minor,
            delivery_id=wanted.delivery_id, order_id=wanted.order_id, lines=[list(line) for line in wanted.lines],
            changed_n=0,
        )  # fmt: skip
        self.session.add(made)
        owed = "credit" if wanted.on_credit else "invoiced"
        kind, words = KIND_AGAINST.get(wanted.against, "goods"), wanted.words
        source_id = wanted.delivery_id or "" if kind == "goods" else wanted.id
        self.enter(kind, wanted.against, owed, made.amount_minor, source_id=source_id, invoice=made, words=words)
        return made

    def pay(self, *, by_day: dt.date | None = None, most_minor: int | None = None) -> int:
        """Pay open invoices from the funds, what is due first; returns how much.

        by_day: only what is due by then. most_minor: no more than this of the funds.
        An advance that is called in is paid whenever there is money. Of a day that is over, only what was in the funds
        at its end pays.
        """
        self._call_in()
        money = -balances(self.session, self.store_id)["funds"]
        money = money if most_minor is None else min(money, most_minor)
        if self.day_is_over:
            money = min(money, -balances(self.session, self.store_id, until=self.day)["funds"])
        rows = {one.invoice.id: one for one in open_invoices(self.session, self.store_id)}
        paid = share_payment(money, (one for one in rows.values() if self._may_pay(one.invoice, by_day)))
        for invoice_id, part_minor in paid:
            invoice = rows[invoice_id].invoice
            owed = "credit" if invoice.on_credit else "invoiced"
            self.enter("paid", owed, "funds", part_minor, source_id=invoice_id, invoice=invoice)
        return sum(part for _, part in paid)

    def _call_in(self) -> None:
        """Invoice what of the advances nothing is held for any more (rule 10)."""
        given_minor = balances(self.session, self.store_id)["advance"]
        if given_minor > 0:
            terms = money_terms.in_force(self.session)[1]
            beyond_minor = given_minor - share_of_held(self.session, self.store_id, terms.advance_bp)
            if beyond_minor > 0:
                due_day = self.day + dt.timedelta(days=terms.account_days)
                id_ = f"{CALLED_IN}{new_id()}"
                self.invoice(Wanted(id_, beyond_minor, due_day, False, None, None, [], against="advance"))

    def _may_pay(self, invoice: Invoice, by_day: dt.date | None) -> bool:
        if self.day_is_over and invoice.made_day > self.day:
            return False
        return by_day is None or invoice.due_day <= by_day or is_called_in(invoice)

    def close(self, verb: str, **facts: Any) -> None:
        """Journal what was done and tell the store (rule 5)."""
        if not self.entries:
            return
        journal.record(
            Context(self.session, self.actor, self.at), verb=f"account.{verb}", subject=f"account:{self.store_id}",
            entries=len(self.entries), **facts)  # fmt: skip
        entries = tuple(_same(EntryReported, one) for one in self.entries)
        fact = AccountBooked(self.store_id, entries, invoices_reported(self.invoices.values()))
        send(self.session, fact, subject=f"account:{self.store_id}", day=self.day, at=self.at)


SOLD_BP = 8_000
AGES = ((None, 0), (1, 7), (8, 30), (31, 60), (61, None))
"""(first, last) days late of each column of an ageing; None: no bound."""


@dataclass(frozen=True)
class Stocked:
    """A product of an order as the forecast saw it: the line's cost, units ordered, units before, units a day."""

    cost_minor: int
    qty: int
    before_milli: int
    per_day_milli: int


def money_in(ctx: Context, store_id: str, amount_minor: int, *, reference: str, id: str) -> int:
    """Book money a store has paid, and let it pay invoices (rule 4); returns how much of it did.

    The same id again changes nothing. reference: how the bank names it.
    """
    check_amount(amount_minor)
    reference = stated(reference, Invalid("no-reason", "Enter the bank's reference, so the payment can be found."))
    book = Booking(ctx, store_id)
    if book.knows(id):
        return 0
    book.enter("paid_in", "funds", "bank", amount_minor, source_id=id, id=id, words=reference)
    paid = book.pay()
    book.close("paid_in", amount_minor=amount_minor, reference=reference)
    return paid


def credit_note(ctx: Context, store_id: str, amount_minor: int, *, why: str, id: str) -> None:
    """Credit a store for goods that went back or were not as they should be (rule 4); the same id once.

    Never more than it was ever charged for goods, less what was credited, given or given up before.
    """
    check_amount(amount_minor)
    why = stated(why, Invalid("no-reason", "Enter what the credit is for."))
    book = Booking(ctx, store_id)
    if book.knows(id):
        return
    _refuse_more_than_charged(ctx.session, store_id, amount_minor)
    book.enter("return", "funds", "returns", amount_minor, source_id=id, id=id, words=why)
    book.pay(most_minor=amount_minor)
    book.pay(by_day=book.day)
    book.close("credited", amount_minor=amount_minor, why=why)


def shelf_paid(ctx: Context, store_id: str, amount_minor: int, *, week: str) -> bool:
    """Pay a store for the place its bestseller shelf gave in a week ('2026-W09'), once."""
    return given(ctx, store_id, "shelf", amount_minor, why="", id=f"shelf-{week}")


def given(ctx: Context, store_id: str, kind: str, amount_minor: int, *, why: str, id: str) -> bool:
    """Give a store money of the network's own, once per id: slot, shelf, care or goodwill; tells whether it did now."""
    book = Booking(ctx, store_id)
    if amount_minor <= 0 or book.knows(id):
        return False
    check_amount(amount_minor)
    if for_goods := kind not in ("slot", "shelf"):  # which has the limit of a credit note, and pays like one
        _refuse_more_than_charged(ctx.session, store_id, amount_minor)
    book.enter(kind, "funds", "care" if for_goods else "shelf", amount_minor, source_id=id, id=id, words=why)
    if for_goods:
        book.pay(most_minor=amount_minor)
    book.pay(by_day=book.day)
    book.close(kind, amount_minor=amount_minor, why=why)
    return True


def write_off(ctx: Context, store_id: str, invoice_id: str, *, why: str) -> int:
    """Give up what is left of an invoice, as a loss of the network's; returns how much."""
    why = stated(why, Invalid("no-reason", "Enter a reason for the write-off."))
    book = Booking(ctx, store_id)
    found = next((one for one in open_invoices(ctx.session, store_id) if one.invoice.id == invoice_id), None)
    if found is None:
        raise Conflict("nothing-left", "This invoice has no open amount. Reload the list.")
    owed = "credit" if found.invoice.on_credit else "invoiced"
    book.enter("loss", owed, "loss", found.left_minor, source_id=invoice_id, invoice=found.invoice, words=why)
    book.close("written_off", invoice=invoice_id, amount_minor=found.left_minor, why=why)
    return found.left_minor


# --- verbs, store ---


def take_booked(session: Session, fact: AccountBooked) -> None:
    """Keep the network's entries and invoices of this store; a second copy changes nothing (rule 5)."""
    store_id = fact.store_id
    for one in fact.invoices:
        known = session.get(Invoice, (store_id, one.id))
        if known is None:
            session.add(Invoice(store_id=store_id, **vars(one)))
        elif known.changed_n < one.changed_n:
            for name, value in vars(one).items():
                setattr(known, name, value)
    for entry in fact.entries:
        if session.get(LedgerEntry, (store_id, entry.id)) is None:
            session.add(LedgerEntry(store_id=store_id, **vars(entry)))
    session.flush()


# --- questions ---


def account_of(session: Session, store_id: str) -> Account:
    """Return a store's account, made when new, locked until the transaction ends."""
    store_of(session, store_id)
    query = lock_rows(session, sa.select(Account).where(Account.store_id == store_id))
    found: Account | None = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        found = Account(store_id=store_id, last_n=0, last_invoice_no=0, payee="", bank_account="", bic="")
        session.add(found)
        session.flush()
    return found


def balances(session: Session, store_id: str, *, until: dt.date | None = None) -> dict[str, int]:
    """Return what stands on each account of a store (in less out), at the end of a day (None: now)."""
    which = [LedgerEntry.store_id == store_id, *([] if until is None else [LedgerEntry.business_day <= until])]
    return _balances(session, which).get(store_id) or dict.fromkeys((*OWN, *AGAINST), 0)


def balances_by_store(session: Session, stores: Sequence[str] | None = None) -> dict[str, dict[str, int]]:
    """Return the balances of the stores named that have an entry (None: of all), in two questions however many."""
    return _balances(session, [] if stores is None else [LedgerEntry.store_id.in_(stores)])


def owed(found: dict[str, int]) -> int:
    """Return what a store owes the network by its balances; below zero the network owes the store."""
    return sum(found[name] for name in OWN)


def open_invoices(session: Session, store_id: str | None = None) -> list[Standing]:
    """Return the invoices with something left, of one store or of all, what is due first first."""
    session.flush()
    whose = [] if store_id is None else [LedgerEntry.store_id == store_id]
    signed = sa.func.sum(
        sa.case((LedgerEntry.to_account.in_(["invoiced", "credit"]), LedgerEntry.amount_minor), else_=0)
        - sa.case((LedgerEntry.from_account.in_(["invoiced", "credit"]), LedgerEntry.amount_minor), else_=0)
    )
    left = (
        sa.select(LedgerEntry.store_id, LedgerEntry.invoice_id, signed.label("left"))
        .where(LedgerEntry.invoice_id.is_not(None), *whose)
        .group_by(LedgerEntry.store_id, LedgerEntry.invoice_id)
        .having(signed != 0)
        .subquery()
    )
    query = (
        sa.select(Invoice, left.c.left)
        .join(left, sa.and_(left.c.store_id == Invoice.store_id, left.c.invoice_id == Invoice.id))
        .order_by(Invoice.due_day, Invoice.store_id, Invoice.no)
    )
    return [Standing(invoice, int(minor)) for invoice, minor in session.execute(query)]


def invoice_of(session: Session, store_id: str, invoice_id: str) -> Standing:
    """Return one invoice of a store and what is left of it; NotFound for any other."""
    found = session.get(Invoice, (store_id, invoice_id))
    if found is None:
        raise NotFound("unknown-invoice", "Invoice not found at this store.", invoice_id=invoice_id)
    left = next((one.left_minor for one in open_invoices(session, store_id) if one.invoice.id == invoice_id), 0)
    return Standing(found, left)


def entries_of(
    session: Session, store_id: str, first: dt.date | None = None, last: dt.date | None = None
) -> list[LedgerEntry]:
    """Return a store's entries of some days, both included, in their order."""
    query = sa.select(LedgerEntry).where(LedgerEntry.store_id == store_id)
    if first is not None:
        query = query.where(LedgerEntry.business_day >= first)
    if last is not None:
        query = query.where(LedgerEntry.business_day <= last)
    return list(session.scalars(query.order_by(LedgerEntry.n)))


def left_to_credit(session: Session, store_id: str) -> int:
    """Return what of the goods a store was charged for was neither credited, nor given back, nor given up."""
    known = balances(session, store_id)
    of_goods = sa.select(LedgerEntry.invoice_id).where(LedgerEntry.store_id == store_id, LedgerEntry.kind == "goods")
    lost = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.amount_minor), 0)).where(
        LedgerEntry.store_id == store_id, LedgerEntry.kind == "loss", LedgerEntry.invoice_id.in_(of_goods)
    )
    return max(0, -known["goods"] - known["returns"] - known["care"] - int(session.scalar(lost) or 0))


def is_called_in(invoice: Invoice) -> bool:
    """Tell whether an invoice asks an advance back."""
    return invoice.id.startswith(CALLED_IN)


def called_in_left(session: Session, store_id: str) -> int:
    """Return what of the advances that were called in a store has not repaid."""
    return sum(one.left_minor for one in open_invoices(session, store_id) if is_called_in(one.invoice))


def effect(entry: LedgerEntry) -> int:
    """Return by how much an entry changed what its store owes."""
    return entry.amount_minor * ((entry.to_account in OWN) - (entry.from_account in OWN))


def invoices_reported(invoices: Iterable[Invoice]) -> tuple[InvoiceReported, ...]:
    """Return invoices as they travel."""
    return tuple(_same(InvoiceReported, one) for one in invoices)


def share_payment(amount_minor: int, open_invoices: Iterable[Standing]) -> list[tuple[str, int]]:
    """Return which invoices an amount pays, and how much of each (rule 6)."""
    left, paid = amount_minor, []
    for one in sorted(open_invoices, key=lambda one: (one.invoice.due_day, one.invoice.no)):
        part = min(left, one.left_minor)
        if part > 0:
            paid.append((one.invoice.id, part))
            left -= part
    return paid


def sell_through_days(lines: Sequence[Stocked], *, least_days: int, most_days: int) -> int:
    """Return after how many days SOLD_BP of an order's cost are expected to be sold, within the bounds (rule 7)."""
    sold_after = sorted((_line_days(line, most_days), line.cost_minor) for line in lines if line.cost_minor > 0)
    whole = sum(cost for _, cost in sold_after)
    gone = 0
    for days, cost in sold_after:
        gone += cost
        if gone * BASIS >= whole * SOLD_BP:
            return max(least_days, min(most_days, days))
    return most_days


def day_fee(open_minor: int, rate_ppm: int) -> int:
    """Return what one day after the due day costs (rule 8)."""
    return divide_half_up(open_minor * rate_ppm, 1_000_000)


def ages(open_invoices: Iterable[Standing], today: dt.date) -> list[int]:
    """Return what is open by how late it is, one sum for each of AGES (rule 9)."""
    sums = [0] * len(AGES)
    for one in open_invoices:
        late = (today - one.invoice.due_day).days
        which = next(n for n, (_, last) in enumerate(AGES) if last is None or late <= last)
        sums[which] += one.left_minor
    return sums


# --- inside ---


def _balances(session: Session, which: Sequence[sa.ColumnElement[bool]]) -> dict[str, dict[str, int]]:
    session.flush()
    found: dict[str, dict[str, int]] = {}
    for column, sign in ((LedgerEntry.to_account, 1), (LedgerEntry.from_account, -1)):
        query = sa.select(LedgerEntry.store_id, column, sa.func.sum(LedgerEntry.amount_minor)).where(*which)
        for store, name, minor in session.execute(query.group_by(LedgerEntry.store_id, column)):
            accounts = found.setdefault(store, dict.fromkeys((*OWN, *AGAINST), 0))
            accounts[name] = accounts.get(name, 0) + sign * int(minor)
    return found


def _refuse_more_than_charged(session: Session, store_id: str, amount_minor: int) -> None:
    if amount_minor > (most := left_to_credit(session, store_id)):
        raise Refused(
            "more-than-delivered", "That exceeds everything charged to this store for products.", most_minor=most
        )


def _same(kind: type[T], row: object) -> T:
    return kind(**{name: getattr(row, name) for name in vars(kind)["__dataclass_fields__"]})


def _line_days(line: Stocked, most_days: int) -> int:
    if line.per_day_milli <= 0:
        return most_days
    units_milli = max(0, line.before_milli) + line.qty * 1000
    return min(most_days, -(-units_milli // line.per_day_milli))

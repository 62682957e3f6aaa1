"""What a network put back from a copy has forgotten of its stores' accounts, and how it comes into their books again.

Rules
-----
1. With its new epoch the network tells every store where its book ends. A store's copy is the network's book and no
   other, so what lies beyond is taken out of it and kept here; and what neither a fact nor a night makes again
   (BY_HAND) is told back.
2. No store's word books money, and one that was not asked for is refused: what it tells waits for the operator, who has
   the bank's statement. Taken over, an entry keeps its id and its day: it is booked once, and what was paid in time
   was. An invoice is paid as far as it is open.
3. Until a store has answered, and while anything of it waits, it is paid out nothing (its funds may hold what was paid
   out before) and charged nothing for being late, nor held for it.

Units: *_minor minor units of the store's currency.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused, stated
from config.ids import NETWORK
from config.money import MAX_MINOR
from config.nodes import door, journal
from config.nodes.facts import STORE, Day, Fact, Instant, Whole, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import Store, send_fact
from supply.money import ledger, payouts, wrong_payments
from supply.money.ledger import Account, Booking, Invoice, LedgerEntry, balances

STATES = StateTable("lost entry", "waits", {"waits": ["taken", "left_out"], "taken": [], "left_out": []})
BY_HAND: dict[str, tuple[tuple[str, str], ...]] = {
    "paid_in": (("funds", "bank"),),
    "paid": (("invoiced", "funds"), ("credit", "funds")),
    "return": (("funds", "returns"),),
    "goodwill": (("funds", "care"),),
    "payout": (("bank", "funds"), ("bank", "agents")),
    "returned": (("funds", "bank"), ("agents", "bank")),
    "loss": (("invoiced", "loss"), ("credit", "loss")),
    "late": (("late", "credit"),),
    "taken_back": (("bank", "funds"),),
}
"""The kinds of entries that are told back (rule 1), and between which accounts they move money."""
OF_AN_INVOICE = ("paid", "loss", "late")
_KEPT = tuple(ledger.EntryMoved.__dataclass_fields__)


@dataclass(frozen=True)
class LostLine(ledger.EntryMoved):
    """An entry the network has lost, as the store knows it."""

    day: Day


class AccountPutBack(Fact, topic="account.put_back", said_by=NETWORK):
    """Where a store's book ends now at the network, which was put back from a copy."""

    store_id: str
    reported_at: Instant
    last_n: Whole
    last_invoice_no: Whole
    invoices: tuple[ledger.InvoiceReported, ...]


class AccountLost(Fact, topic="account.lost", said_by=STORE):
    """What the store knows beyond that, and no other fact brings again."""

    store_id: str
    reported_at: Instant
    entries: tuple[LostLine, ...]


class LostAnswered(Fact, topic="account.lost_answered", said_by=NETWORK):
    """What the operator decided about a lost entry."""

    store_id: str
    id: str
    state: str
    why: str


class LostEntry(Base):
    """An entry the network had told a store and has no more, at both nodes; of BY_HAND alone at the network."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "lost_entry"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    business_day: Mapped[dt.date]
    kind: Mapped[str]
    from_account: Mapped[str]
    to_account: Mapped[str]
    amount_minor: Mapped[int]
    invoice_id: Mapped[str | None]
    source_id: Mapped[str]
    words: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    why: Mapped[str] = mapped_column(default="")


# --- verbs, network ---


def ask_all(session: Session, *, at: dt.datetime) -> None:
    """Tell every store where its book ends now, and wait for what it knows beyond (rules 1, 3)."""
    for store_id in session.scalars(sa.select(Store.id).where(Store.has_node).order_by(Store.id)).all():
        account = ledger.account_of(session, store_id)
        account.put_back_at, account.put_back_waits = at, True
        invoices = ledger.invoices_reported(one.invoice for one in ledger.open_invoices(session, store_id))
        _send(session, AccountPutBack.of_row(account, reported_at=at, invoices=invoices), at)


@applies(AccountLost)
def take_lost(ctx: Context, fact: AccountLost) -> None:
    """Write down what a store knows that this book does not; a second copy changes nothing (rule 2)."""
    store_id = fact.store_id
    account = ledger.account_of(ctx.session, store_id)
    for given in fact.entries:
        key = (store_id, given.id)
        if ctx.session.get(LedgerEntry, key) is None and ctx.session.get(LostEntry, key) is None:
            if not account.put_back_waits:
                raise Refused("nothing-lost", "%(sender)s was not asked for lost entries.", sender=store_id)
            door.number(given.amount_minor, "amount_minor", 1, MAX_MINOR)
            if not _is_by_hand(given):
                raise Invalid("not-by-hand", "Entries like these are restored automatically.", kind=given.kind)
            ctx.session.add(_row(store_id, given))
    if account.put_back_at == fact.reported_at:
        account.put_back_waits = False
    ctx.session.flush()


def take_over(ctx: Context, store_id: str, entry_id: str) -> LostEntry:
    """Enter what was lost into the book again (rule 2); what is in it already stays as it is."""
    row = _locked(ctx.session, store_id, entry_id)
    if row.state == "waits":
        if ctx.session.get(LedgerEntry, (store_id, entry_id)) is None:
            _enter(ctx, row)
        _answer(ctx, row, "taken")
    return row


def leave_out(ctx: Context, store_id: str, entry_id: str, *, why: str) -> LostEntry:
    """Leave out what a store told, with a reason it reads."""
    row = _locked(ctx.session, store_id, entry_id)
    if row.state == "waits":
        why = stated(why, Invalid("no-reason", "Enter a reason. The shopkeeper will see it.", field="why"))
        row.why = why
        _answer(ctx, row, "left_out")
    return row


# --- verbs, store ---


@applies(AccountPutBack)
def take_put_back(ctx: Context, fact: AccountPutBack) -> None:
    """Take out of the copy what the network's book does not have any more, and tell it (rule 1); once per restore."""
    store_id = fact.store_id
    account = ledger.account_of(ctx.session, store_id)
    if account.put_back_at is not None and account.put_back_at >= fact.reported_at:
        return
    account.put_back_at = fact.reported_at
    beyond = [one for one in ledger.entries_of(ctx.session, store_id) if one.n > fact.last_n]
    reported = [LostLine(**{name: getattr(one, name) for name in _KEPT}, day=one.business_day) for one in beyond]
    subject, why = f"account:{store_id}", "the network's books were put back from a copy"
    with journal.amending(ctx, subject, why, rows=beyond):
        for entry, given in zip(beyond, reported, strict=True):
            if ctx.session.get(LostEntry, (store_id, entry.id)) is None:
                ctx.session.add(_row(store_id, given))
            ctx.session.delete(entry)
        ctx.session.flush()
        mine = sa.and_(Invoice.store_id == store_id, Invoice.no > fact.last_invoice_no)
        ctx.session.execute(sa.delete(Invoice).where(mine))
    newer = sa.update(Invoice).where(Invoice.store_id == store_id, Invoice.changed_n > fact.last_n)
    ctx.session.execute(newer.values(changed_n=-1))
    ctx.session.expire_all()
    ledger.take_booked(ctx.session, ledger.AccountBooked(store_id, (), fact.invoices))
    journal.record(
        ctx, verb="account.put_back", subject=f"account:{store_id}", last_n=fact.last_n,
        taken_out=len(beyond))  # fmt: skip
    by_hand = tuple(one for one in reported if _is_by_hand(one))
    _send(ctx.session, AccountLost(store_id, fact.reported_at, by_hand), ctx.at)


@applies(ledger.AccountBooked)
def take_booked(ctx: Context, fact: ledger.AccountBooked) -> None:
    """Keep what the network booked, unless it told so before it was put back and has it no more (rule 1)."""
    query = sa.select(LostEntry.id, LostEntry.n).where(LostEntry.store_id == fact.store_id)
    lost = set(map(tuple, ctx.session.execute(query.where(LostEntry.id.in_([one.id for one in fact.entries])))))
    if not any((one.id, one.n) in lost for one in fact.entries):
        ledger.take_booked(ctx.session, fact)


@applies(LostAnswered)
def take_answered(ctx: Context, fact: LostAnswered) -> None:
    """Take over what the network decided about an entry; a second copy changes nothing."""
    row = ctx.session.get(LostEntry, (fact.store_id, fact.id))
    if row is not None and STATES.legal(row.state, fact.state):
        row.why = fact.why
        journal.move(ctx, row, fact.state, subject=_subject(row), why=row.why or None)


# --- questions ---


def waiting(session: Session, store_id: str | None = None) -> list[LostEntry]:
    """Return what waits for the operator, of one store or of all, in the order it was once booked."""
    query = sa.select(LostEntry).where(LostEntry.state == "waits", LostEntry.kind.in_(list(BY_HAND)))
    whose = query if store_id is None else query.where(LostEntry.store_id == store_id)
    return list(session.scalars(whose.order_by(LostEntry.store_id, LostEntry.n)))


def silent(session: Session) -> list[str]:
    """Return the stores that have not answered since the network's books were put back."""
    return list(session.scalars(sa.select(Account.store_id).where(Account.put_back_waits).order_by(Account.store_id)))


def unsettled(session: Session) -> set[str]:
    """Return the stores rule 3 is about."""
    rows = session.scalars(sa.select(LostEntry.store_id).where(LostEntry.state == "waits").distinct())
    return {*silent(session), *rows}


# --- inside ---


def _is_by_hand(given: LostLine) -> bool:
    return (given.from_account, given.to_account) in BY_HAND.get(given.kind, ())


def _row(store_id: str, given: LostLine) -> LostEntry:
    values = {name: getattr(given, name) for name in _KEPT}
    return LostEntry(store_id=store_id, business_day=given.day, state=STATES.first, why="", **values)


def _locked(session: Session, store_id: str, entry_id: str) -> LostEntry:
    query = sa.select(LostEntry).where(LostEntry.store_id == store_id, LostEntry.id == entry_id)
    row: LostEntry | None = session.scalar(lock_rows(session, query))
    if row is None:
        raise NotFound("unknown-entry", "Entry not found. Reload the list.")
    return row


def _enter(ctx: Context, row: LostEntry) -> None:
    """Book a lost entry as it was, of its own day, as far as the book is there again for it (rule 2)."""
    if row.kind == wrong_payments.TAKEN_BACK:
        entry_id, why = row.source_id, row.words
        wrong_payments.take_back(ctx, row.store_id, entry_id, why=why, day=row.business_day)
        return
    book = Booking(ctx, row.store_id, day=row.business_day)
    minor, found = row.amount_minor, None
    if row.kind in OF_AN_INVOICE:
        found = ctx.session.get(Invoice, (row.store_id, row.invoice_id or ""))
        if found is None:
            raise Refused(
                "no-invoice-yet",
                "The invoice this refers to is not here yet. Wait for the store's deliveries to arrive again.",
            )
        if row.kind != "late":  # what paid it meanwhile has paid it
            minor = min(minor, ledger.invoice_of(ctx.session, row.store_id, found.id).left_minor)
    if row.kind == "paid":
        minor = min(minor, -balances(ctx.session, row.store_id)["funds"])
    elif row.kind in ("return", "goodwill") and minor > (most := ledger.left_to_credit(ctx.session, row.store_id)):
        raise Refused(
            "more-than-delivered", "That exceeds everything charged to this store for products.", most_minor=most
        )
    elif row.kind == "returned":
        payouts.returned_again(ctx, row.store_id, row.source_id, why=row.words)
    elif row.kind == "payout":
        payouts.paid_again(ctx, row.store_id, row.id, minor, agent=row.words if row.to_account == "agents" else "")
    if minor > 0:
        source, target = row.from_account, row.to_account
        kept: dict[str, Any] = {"source_id": row.source_id, "id": row.id, "invoice": found, "words": row.words}
        book.enter(row.kind, source, target, minor, **kept)
    book.close("taken_over", entry=row.id)


def _answer(ctx: Context, row: LostEntry, state: str) -> None:
    journal.move(ctx, row, state, subject=_subject(row), why=row.why or None)
    _send(ctx.session, LostAnswered.of_row(row), ctx.at)


def _subject(row: LostEntry) -> str:
    return f"account:{row.store_id}"


def _send(session: Session, fact: Fact, at: dt.datetime) -> None:
    session.flush()
    send_fact(session, fact, subject=f"account:{fact.of()}", at=at)

"""A store's bank statements: taken in once, their entries matched with the transfers that paid for sales.

Rules
-----
1. A statement is of the store's own account and in its currency; a file that was taken in before changes nothing.
2. An entry comes once, however many statements hold it: account, day, amount, the bank's reference and its number among
   equals name it. A statement that continues the last one (its number is the next, it opens with that closing balance)
   counts on; one that overlaps counts again.
3. Nothing here changes a sale or a payment. A payment that somebody has seen counts at the till; whether the bank has
   it, too, stands here.
4. Entries, matches and what undoes a match are rows that stay. Σ matches of an entry never pass the entry, nor those of
   a payment its amount (`matching`). What belongs to no sale is set aside, by a person.
5. A statement that does not continue the one before it stays visible until the missing one is taken in (`gaps`): so a
   made-up file shows when the bank's next one comes.

Units: *_minor minor units of the account's currency.
"""

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import id_of, new_id
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from pos.payments.bank_codes import reference_of, references_in
from pos.payments.payments import Payment
from pos.payments.providers import BANK_CODE
from pos.store.store import day_of, store_of
from supply.money.bank import matching, statement
from supply.money.bank.matching import Open, Transfer
from supply.money.bank.statement import Statement, is_same_account, tidy_account

HAND, ASIDE, UNDONE = "hand", "aside", "undone"
"""How a person's match came about, beside `matching`'s; set aside, an entry or a payment has no other side."""
LATE_DAYS = 4
"""So many days after it was seen a transfer should stand in a statement."""
_AHEAD = dt.timedelta(days=3)


@append_only()
class BankStatement(Base):
    """A statement that was taken in. digest: of its file."""

    __tablename__ = "bank_statement"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    number: Mapped[str]
    currency: Mapped[str]
    opening_minor: Mapped[int | None]
    closing_minor: Mapped[int | None]
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    entries: Mapped[int]
    digest: Mapped[str]
    at: Mapped[dt.datetime]
    actor_name: Mapped[str]


@append_only()
class BankEntry(Base):
    """An entry (rule 2). mark: the bank's reference, or what stands in for it; ordinal: its number among equals."""

    __tablename__ = "bank_entry"
    __table_args__ = (
        sa.UniqueConstraint(
            "store_id", "account", "booked_on", "amount_minor", "mark", "ordinal", name="uq_bank_entry"
        ),
    )  # fmt: skip

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    statement_id: Mapped[str]
    account: Mapped[str]
    booked_on: Mapped[dt.date]
    amount_minor: Mapped[int]
    mark: Mapped[str]
    ordinal: Mapped[int]
    payer: Mapped[str]
    words: Mapped[str]


@append_only()
class BankMatch(Base):
    """What of an entry belongs to a payment; or that an entry, or a payment's missing rest, has no other side.

    undoes: the match this one takes back, with the opposite sign.
    """

    __tablename__ = "bank_match"
    __table_args__ = (
        sa.Index("ix_bank_match_entry", "store_id", "entry_id"),
        sa.Index("ix_bank_match_payment", "store_id", "payment_id"),
        sa.UniqueConstraint("store_id", "undoes"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str | None]
    payment_id: Mapped[str | None]
    amount_minor: Mapped[int]
    how: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    undoes: Mapped[str | None]
    at: Mapped[dt.datetime]
    actor_name: Mapped[str]


@dataclass(frozen=True)
class Taken:
    """What a file brought: entries that are new, that were known, and matches made."""

    new: int
    known: int
    matched: int


@dataclass(frozen=True)
class OpenEntry:
    """An entry with what is left of it. payment_id: the payment it is partly of, or names; '' for none."""

    row: BankEntry
    left_minor: int
    payment_id: str


@dataclass(frozen=True)
class OpenPayment:
    """A transfer somebody has seen, with what the bank has of it. is_late: it should be in a statement by now."""

    row: Payment
    came_minor: int
    is_late: bool

    @property
    def missing_minor(self) -> int:
        """What the bank does not have."""
        return self.row.amount_minor - self.came_minor


@dataclass(frozen=True)
class Made:
    """A match that stands, with its two sides."""

    row: BankMatch
    entry: BankEntry | None
    payment: Payment | None


@dataclass(frozen=True)
class Overview:
    """What stands open. unclaimed: entries of payments that no sale counts on: they were called off, or not seen."""

    missing: list[OpenPayment]
    differing: list[OpenPayment]
    over: list[OpenEntry]
    unclaimed: list[Made]
    without_sale: list[OpenEntry]


# --- verbs ---


def take(ctx: Context, store_id: str, account: str, found: Sequence[Statement], raw: bytes) -> Taken:
    """Take in the statements of a file, all or none (rules 1, 2), and match what can be. account: the store's own."""
    _check(ctx, store_id, account, found)
    digest = hashlib.sha256(raw).hexdigest()
    known = ctx.session.scalar(
        sa.select(BankStatement.at).where(BankStatement.store_id == store_id, BankStatement.digest == digest).limit(1)
    )
    if known is not None:
        day = day_of(ctx.session, store_id, known)
        raise Conflict(
            "statement-known", "This file was uploaded before, on %(day)s. Nothing was added.", day=f"{day:%Y-%m-%d}"
        )
    rows = [_booked(ctx, store_id, tidy_account(account), one, digest) for one in found]
    new, total = sum(rows), sum(len(one.entries) for one in found)
    return Taken(new, total - new, match(ctx, store_id))


def match(ctx: Context, store_id: str) -> int:
    """Match what surely belongs together; returns how many pairs it made."""
    entries, payments = _entries(ctx.session, store_id), _payments(ctx.session, store_id)
    sums, came, parted = _sums(ctx.session, store_id)
    opened = [
        Open(one.id, one.amount_minor - sums[one.id], not sums[one.id], one.booked_on, f"{one.payer} {one.words}")
        for one in entries if one.amount_minor != sums[one.id]
    ]  # fmt: skip
    asked = [
        Transfer(one.id, reference_of(one.id), one.amount_minor, came[one.id], day_of(ctx.session, store_id, one.at),
                 one.state == "captured")
        for one in payments
    ]  # fmt: skip
    pairs = matching.propose(opened, asked, parted)
    for pair in pairs:
        _write(ctx, store_id, pair.entry_id, pair.transfer_id, pair.amount_minor, pair.how)
    return len(pairs)


def match_by_hand(ctx: Context, store_id: str, entry_id: str, payment_id: str) -> BankMatch:
    """Match an entry with a transfer, as far as both go."""
    entry, payment = _entry(ctx.session, store_id, entry_id), _payment(ctx.session, store_id, payment_id)
    sums, came, _ = _sums(ctx.session, store_id)
    minor = matching.reach(entry.amount_minor - sums[entry.id], payment.amount_minor, came[payment.id])
    if not minor:
        raise Refused("nothing-to-match", "Nothing is left of this entry or of this sale. Reload the page.")
    return _write(ctx, store_id, entry.id, payment.id, minor, HAND)


def set_aside(ctx: Context, store_id: str, entry_id: str, why: str) -> BankMatch:
    """Say that what is left of an entry belongs to no sale."""
    entry = _entry(ctx.session, store_id, entry_id)
    sums, _, _ = _sums(ctx.session, store_id)
    if not (minor := entry.amount_minor - sums[entry.id]):
        raise Refused("nothing-to-match", "Nothing is left of this entry or of this sale. Reload the page.")
    if not why:
        raise Invalid("no-reason", "Choose a reason or write your own.", field="why")
    return _write(ctx, store_id, entry.id, None, minor, ASIDE, why)


def write_off(ctx: Context, store_id: str, payment_id: str, why: str) -> BankMatch:
    """Say that what is missing of a transfer will not come."""
    payment = _payment(ctx.session, store_id, payment_id)
    _, came, _ = _sums(ctx.session, store_id)
    if payment.state != "captured" or came[payment.id] >= payment.amount_minor:
        raise Refused("nothing-to-match", "Nothing is left of this entry or of this sale. Reload the page.")
    if not why:
        raise Invalid("no-reason", "Choose a reason or write your own.", field="why")
    return _write(ctx, store_id, None, payment.id, payment.amount_minor - came[payment.id], ASIDE, why)


def undo(ctx: Context, store_id: str, match_id: str) -> BankMatch:
    """Take a match back by another row; it is not made again by itself."""
    row = ctx.session.get(BankMatch, (store_id, match_id))
    if row is None or row.how == UNDONE:
        raise NotFound("no-such-match", "This match is not on record. Reload the page.")
    mine = sa.select(BankMatch.id).where(BankMatch.store_id == store_id, BankMatch.undoes == match_id)
    if ctx.session.scalar(mine):
        raise Refused("match-undone", "This match was undone before. Reload the page.")
    _, came, _ = _sums(ctx.session, store_id)
    if row.payment_id and came[row.payment_id] < row.amount_minor:
        raise Refused("match-needed", "Money went back for this sale. Undo that match first.")
    return _write(ctx, store_id, row.entry_id, row.payment_id, -row.amount_minor, UNDONE, undoes=row.id)


# --- questions ---


def overview(session: Session, store_id: str, today: dt.date) -> Overview:
    """Return what stands open (rule 3), oldest first."""
    entries, payments = _entries(session, store_id), _payments(session, store_id)
    sums, came, _ = _sums(session, store_id)
    made = standing(session, store_id)
    of_entry = {one.entry.id: one.payment.id for one in made if one.payment is not None and one.entry is not None}
    opened = [
        OpenPayment(one, came[one.id], (today - day_of(session, store_id, one.at)).days > LATE_DAYS)
        for one in payments if one.state == "captured" and came[one.id] != one.amount_minor
    ]  # fmt: skip
    named = {reference_of(one.id): one.id for one in payments}
    left = [
        OpenEntry(one, one.amount_minor - sums[one.id], of_entry.get(one.id) or _named(one, named))
        for one in entries if one.amount_minor != sums[one.id]
    ]  # fmt: skip
    stopped = {one.id for one in payments if one.state != "captured" and came[one.id]}
    return Overview(
        missing=[one for one in opened if not one.came_minor],
        differing=[one for one in opened if one.came_minor],
        over=[one for one in left if one.payment_id],
        unclaimed=[one for one in made if one.payment is not None and one.payment.id in stopped],
        without_sale=[one for one in left if not one.payment_id and one.left_minor > 0],
    )


def standing(session: Session, store_id: str) -> list[Made]:
    """Return the matches that stand, the latest first."""
    undone = sa.select(BankMatch.undoes).where(BankMatch.store_id == store_id, BankMatch.undoes.is_not(None))
    query = (
        sa.select(BankMatch, BankEntry, Payment)
        .outerjoin(BankEntry, sa.and_(BankEntry.store_id == BankMatch.store_id, BankEntry.id == BankMatch.entry_id))
        .outerjoin(Payment, sa.and_(Payment.store_id == BankMatch.store_id, Payment.id == BankMatch.payment_id))
        .where(BankMatch.store_id == store_id, BankMatch.how != UNDONE, BankMatch.id.not_in(undone))
    )
    rows = session.execute(query.order_by(BankMatch.at.desc(), BankMatch.id.desc()))
    return [Made(row, entry, payment) for row, entry, payment in rows]


def gaps(session: Session, store_id: str) -> list[tuple[Statement, Statement]]:
    """Return the statements between which some are missing (rule 5)."""
    by_account = defaultdict(list)
    for row in session.scalars(sa.select(BankStatement).where(BankStatement.store_id == store_id)):
        by_account[row.account].append(_read(row))
    return [gap for found in by_account.values() for gap in statement.gaps(found)]


def latest(store_id: str) -> sa.Select[BankStatement]:
    """Return the query of the statements taken in, the latest first."""
    query = sa.select(BankStatement).where(BankStatement.store_id == store_id)
    return query.order_by(BankStatement.last_day.desc(), BankStatement.id.desc())


# --- inside ---


def _check(ctx: Context, store_id: str, account: str, found: Sequence[Statement]) -> None:
    store = store_of(ctx.session, store_id)
    if not account:
        raise Refused("no-own-account", "Enter the store's account under “Payment services” first.")
    for one in found:
        if not is_same_account(one.account, account):
            raise Refused(
                "other-account", "This statement is of account %(stated)s, not of the store's account %(own)s. Choose "
                                 "another file, or change the account under “Payment services.”",
                stated=_ending(one.account), own=_ending(account),
            )  # fmt: skip
        if one.currency != store.currency:
            raise Refused(
                "other-currency", "This statement is in %(stated)s; the store's currency is %(own)s.",
                stated=one.currency, own=store.currency,
            )  # fmt: skip
        if one.last_day > day_of(ctx.session, store_id, ctx.at) + _AHEAD:
            raise Refused("statement-ahead", "This statement is of days to come. Check the file.")


def _ending(account: str) -> str:
    return f"…{tidy_account(account)[-4:]}"


def _booked(ctx: Context, store_id: str, account: str, one: Statement, digest: str) -> int:
    """Write a statement and those of its entries that are new; returns how many (rule 2)."""
    session, statement_id = ctx.session, new_id()
    mine = (BankEntry.store_id == store_id, BankEntry.account == account)
    within = BankEntry.booked_on.between(one.first_day, one.last_day)
    days = sa.select(BankEntry.booked_on, BankEntry.amount_minor, BankEntry.mark).where(*mine, within)
    before = Counter(tuple(row) for row in session.execute(days))
    follows = _follows(session, store_id, account, one)
    new = 0
    for mark, ordinal, entry in one.numbered():
        known = before[entry.booked_on, entry.amount_minor, mark]
        if not follows and ordinal <= known:
            continue
        new += 1
        number = ordinal + known if follows else ordinal
        seed = f"{store_id} {account} {entry.booked_on} {entry.amount_minor} {mark} {number}"
        session.add(BankEntry(
            store_id=store_id, id=id_of(hashlib.sha256(seed.encode()).digest()), statement_id=statement_id,
            account=account, booked_on=entry.booked_on, amount_minor=entry.amount_minor, mark=mark, ordinal=number,
            payer=entry.name, words=entry.text,
        ))  # fmt: skip
    session.add(BankStatement(
        store_id=store_id, id=statement_id, account=account, number=one.number, currency=one.currency,
        opening_minor=one.opening_minor, closing_minor=one.closing_minor, first_day=one.first_day,
        last_day=one.last_day, entries=len(one.entries), digest=digest, at=ctx.at, actor_name=ctx.actor.name,
    ))  # fmt: skip
    journal.record(ctx, verb="bank_statement.taken", subject=f"bank_statement:{statement_id}", number=one.number,
                   first_day=one.first_day.isoformat(), last_day=one.last_day.isoformat(), new=new)  # fmt: skip
    session.flush()
    return new


def _follows(session: Session, store_id: str, account: str, one: Statement) -> bool:
    """Tell whether a statement is the next of a day that was taken in in part (rule 2)."""
    query = sa.select(BankStatement).where(
        BankStatement.store_id == store_id, BankStatement.account == account, BankStatement.last_day == one.first_day
    )
    rows = [_read(row) for row in session.scalars(query)]
    if any(_same(row, one) for row in rows):
        return False
    return one.opening_minor is not None and any(
        row.closing_minor == one.opening_minor and statement.is_next(row.number, one.number) for row in rows
    )


def _same(one: Statement, two: Statement) -> bool:
    return (one.number, one.opening_minor, one.closing_minor) == (two.number, two.opening_minor, two.closing_minor)


def _read(row: BankStatement) -> Statement:
    return Statement(row.account, row.number, row.currency, row.opening_minor, row.closing_minor, row.first_day,
                     row.last_day, ())  # fmt: skip


def _write(
    ctx: Context, store_id: str, entry_id: str | None, payment_id: str | None, amount_minor: int, how: str,
    why: str = "", *, undoes: str | None = None,
) -> BankMatch:  # fmt: skip
    row = BankMatch(
        store_id=store_id, id=new_id(), entry_id=entry_id, payment_id=payment_id, amount_minor=amount_minor, how=how,
        why=why, undoes=undoes, at=ctx.at, actor_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    journal.record(ctx, verb=f"bank_match.{how}", subject=f"bank_match:{row.id}", entry=entry_id or "",
                   payment=payment_id or "", amount_minor=amount_minor, why=why)  # fmt: skip
    ctx.session.flush()
    return row


def _entries(session: Session, store_id: str) -> list[BankEntry]:
    query = sa.select(BankEntry).where(BankEntry.store_id == store_id)
    return list(session.scalars(query.order_by(BankEntry.booked_on, BankEntry.id)))


def _payments(session: Session, store_id: str) -> list[Payment]:
    query = sa.select(Payment).where(
        Payment.store_id == store_id, Payment.provider.is_not(None), Payment.way == BANK_CODE, Payment.amount_minor > 0
    )
    return list(session.scalars(query.order_by(Payment.at, Payment.id)))


def _entry(session: Session, store_id: str, entry_id: str) -> BankEntry:
    query = sa.select(BankEntry).where(BankEntry.store_id == store_id, BankEntry.id == entry_id)
    found = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("no-such-entry", "This entry is not on record. Reload the page.")
    return found


def _payment(session: Session, store_id: str, payment_id: str) -> Payment:
    query = sa.select(Payment).where(Payment.store_id == store_id, Payment.id == payment_id, Payment.way == BANK_CODE)
    found = session.scalar(lock_rows(session, query))
    if found is None:
        raise Invalid("no-such-payment", "Choose the sale.", field="payment")
    return found


def _sums(session: Session, store_id: str) -> tuple[Counter[str], Counter[str], set[tuple[str, str]]]:
    """Return what is matched by entry and by payment, and the pairs that a person parted."""
    by_entry, by_payment, parted = Counter[str](), Counter[str](), set[tuple[str, str]]()
    for row in session.scalars(sa.select(BankMatch).where(BankMatch.store_id == store_id)):
        if row.entry_id:
            by_entry[row.entry_id] += row.amount_minor
        if row.payment_id:
            by_payment[row.payment_id] += row.amount_minor
        if row.how == UNDONE and row.entry_id and row.payment_id:
            parted.add((row.entry_id, row.payment_id))
    return by_entry, by_payment, parted


def _named(entry: BankEntry, references: Mapping[str, str]) -> str:
    """Return the payment whose reference an entry names, '' for none: paid twice, say."""
    found = references_in(f"{entry.payer} {entry.words}") & references.keys()
    return references[min(found)] if found else ""

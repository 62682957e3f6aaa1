"""The tab: what regular customers take now and pay later, and who owes what since when.

Rules
-----
1. The book is append-only: charges, repayments, refunds. What a customer owes is its sum, kept beside it and checked.
2. The limit is hard: a charge that would pass it is refused whatever else was paid, on every till, with or without
   the network; two tills cannot pass it together, because the balance rises only where it still fits.
3. A repayment pays the oldest charge first, and which charges it paid is written down. A refund pays the charge of
   its own sale first, then the oldest. What of that sale was given up is owed again and taken off in the same breath:
   a debt given up never becomes money, nor pays another.
4. Nobody owes less than nothing: a repayment or refund of more than is owed is refused.
5. A repayment carries the page's command id: the same again answers the same, with other content it is a Conflict.
   Cash goes into the drawer of the open shift in the same transaction.
6. Age counts in business days from the charge that is still unpaid: 0 to 30, 31 to 60, 61 to 90, more.
7. What moves a tab apart from a sale is told, by the customer's id alone: it is kept for this store, should its books
   be lost (`write_again`), with its slip's number, and without its shift where that was closed again meanwhile. What
   was carried over or given up stays as it was then, whatever the limit is now.

The tab knows a customer by id alone; names are in `customers`. Units: *_minor, in an entry + owes more, - owes less.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, check_amount
from config.ids import is_id, new_id
from config.money import MAX_MINOR
from config.nodes import facts, journal
from config.nodes.append_only import append_only
from config.nodes.facts import STORE, Day, Fact, Instant, recovers
from config.nodes.journal import Context
from pos.payments import slip_numbers
from pos.payments.payments import Tendered
from pos.payments.tenders import CASH, offered
from pos.store.store import Store
from pos.till import shift as shifts
from pos.till.drawer_cash import note_again, take_apart

AGES = ((0, 30), (31, 60), (61, 90), (91, None))
"""Days a charge has been unpaid, both included."""


class TabMoved(Fact, topic="tab.moved", said_by=STORE, kept=True):
    """What moved a tab apart from a sale (+ owes more)."""

    store_id: str
    id: str
    customer_id: str
    kind: str
    amount_minor: Annotated[int, Field(strict=True, ge=-MAX_MINOR)]
    business_day: Day
    at: Instant
    tender: str | None = None
    reference: str = ""
    shift_id: str | None = None
    actor_id: str = ""
    sale_id: str | None = None


class TabAccount(Base):
    """What one customer owes, and may owe at most. balance_minor is the sum of the entries (rule 1)."""

    __tablename__ = "tab_account"
    __table_args__ = (sa.CheckConstraint("balance_minor >= 0", name="balance_not_negative"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    limit_minor: Mapped[int] = mapped_column(default=0)
    balance_minor: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    """How many entries there are; each takes the next number."""


@append_only()
class TabEntry(Base):
    """One line of the book; never changed."""

    __tablename__ = "tab_entry"
    __table_args__ = (sa.UniqueConstraint("store_id", "customer_id", "n"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Of a repayment: the page's command id."""
    customer_id: Mapped[str]
    n: Mapped[int]
    """1, 2, 3 … of this customer, in the order they were written."""
    kind: Mapped[str]
    """charge | carried_over | owed_again | repayment | refund | written_off"""
    amount_minor: Mapped[int]
    balance_minor: Mapped[int]
    """What was owed after it."""
    business_day: Mapped[dt.date]
    sale_id: Mapped[str | None]
    shift_id: Mapped[str | None]
    tender: Mapped[str | None]
    """cash | card, of a repayment."""
    reference: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]
    actor_name: Mapped[str]


@append_only()
class TabSettlement(Base):
    """How much of a charge an entry that lowers the tab has paid (rule 3); never changed."""

    __tablename__ = "tab_settlement"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_tab_settlement_charge", "store_id", "charge_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    credit_id: Mapped[str] = mapped_column(primary_key=True)
    charge_id: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]


@dataclass(frozen=True)
class Paid:
    """A charge a credit has paid: how much of it, and how much is left of it now."""

    charge_id: str
    sale_id: str | None
    day: dt.date
    amount_minor: int
    left_minor: int


@dataclass(frozen=True)
class Repayment:
    """A repayment as it was booked, oldest charge first. repeated: it was booked before."""

    entry: TabEntry
    paid: tuple[Paid, ...]
    repeated: bool


@dataclass(frozen=True)
class Debt:
    """Who owes how much, since the business day of the oldest unpaid charge; ages as in AGES."""

    customer_id: str
    owed_minor: int
    since: dt.date
    ages_minor: tuple[int, ...]


# --- verbs ---


def open_account(session: Session, store_id: str, customer_id: str, limit_minor: int) -> TabAccount:
    """Give a new customer a tab with its limit; 0 lets nothing be charged."""
    check_amount(limit_minor, least=0)
    account = TabAccount(store_id=store_id, customer_id=customer_id, limit_minor=limit_minor, balance_minor=0, lines=0)
    session.add(account)
    return account


def set_limit(session: Session, store_id: str, customer_id: str, limit_minor: int) -> None:
    """Change how much a customer may owe; below what is owed it only stops further charges."""
    check_amount(limit_minor, least=0)
    account(session, store_id, customer_id, lock=True).limit_minor = limit_minor
    session.flush()


def charge(ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str) -> int:
    """Put (part of) a sale on the tab; refused when it passes the limit (rule 2). Returns what is owed now."""
    check_amount(amount_minor)
    day = business_day(ctx.at, store.tz, store.rollover_hour)
    entry = TabEntry(kind="charge", amount_minor=amount_minor, business_day=day, sale_id=sale_id)
    return _charge(ctx, store.id, customer_id, entry).balance_minor


def carry_over(ctx: Context, store: Store, customer_id: str, amount_minor: int, day: dt.date, *, id: str) -> TabEntry:
    """Take over what a customer owed in the old book since `day`; within the limit, and once per command id."""
    check_amount(amount_minor)
    if day > business_day(ctx.at, store.tz, store.rollover_hour):
        raise Invalid("day-ahead", "That day is in the future. Choose the day the debt began.", field="day")
    account(ctx.session, store.id, customer_id, lock=True)
    if (known := _known(ctx.session, store.id, id)) is not None:
        return _same(known, customer_id, "carried_over", amount_minor)
    entry = TabEntry(id=id, kind="carried_over", amount_minor=amount_minor, business_day=day)
    _record(ctx, _charge(ctx, store.id, customer_id, entry))
    return entry


def repay(
    ctx: Context, store: Store, customer_id: str, amount_minor: int, *, id: str, till_id: str, tender: str = CASH,
    reference: str = "", ) -> Repayment:  # fmt: skip
    """Take money for the tab: oldest charges first, cash into the open drawer (rules 3 to 5)."""
    check_amount(amount_minor)
    if tender not in offered("tab"):
        raise Invalid("unknown-tender", "A tab can be paid in cash or by card.", tender=tender)
    shift = shifts.locked(ctx.session, store.id, till_id)
    owing = account(ctx.session, store.id, customer_id, lock=True)
    if (known := _known(ctx.session, store.id, id)) is not None:
        _same(known, customer_id, "repayment", -amount_minor)
        return Repayment(known, tuple(paid_by(ctx.session, store.id, [id]).get(id, ())), repeated=True)
    if shift is None or shift.state != "open":
        raise Refused("no-open-shift", "The till is closed. Open it with its float first.", till_id=till_id)
    day = business_day(ctx.at, store.tz, store.rollover_hour)
    paid = Tendered(tender, amount_minor, reference)
    slip_numbers.take(ctx.session, store.id, [paid], day=day, source=f"tab:{id}")
    entry = TabEntry(
        id=id, kind="repayment", amount_minor=-amount_minor, business_day=day, shift_id=shift.id, tender=tender,
        reference=reference,
    )  # fmt: skip
    _credit(ctx, owing, entry)
    take_apart(ctx, shift, "tabs", paid, id)
    _record(ctx, entry, tender=tender)
    ctx.session.flush()
    return Repayment(entry, tuple(paid_by(ctx.session, store.id, [id]).get(id, ())), repeated=False)


def give_back(
    ctx: Context, store: Store, customer_id: str, *, tab_minor: int, sale_id: str, of_sale_id: str | None = None
) -> int:
    """Take a returned sale off the tab; refused when more than is owed (rule 4). Returns what is owed now.

    sale_id: the return. of_sale_id: the sale that was charged, whose charge is paid first (rule 3).
    """
    check_amount(tab_minor)
    day = business_day(ctx.at, store.tz, store.rollover_hour)
    owing = account(ctx.session, store.id, customer_id, lock=True)
    first = of_sale_id or sale_id
    unpaid_minor, lost_minor = given_up_of(ctx.session, store.id, first)
    if again_minor := min(max(0, tab_minor - unpaid_minor), lost_minor):
        again = TabEntry(kind="owed_again", amount_minor=again_minor, business_day=day, sale_id=first)
        _record(ctx, _book(ctx, owing, again))
    entry = TabEntry(kind="refund", amount_minor=-tab_minor, business_day=day, sale_id=sale_id)
    return _credit(ctx, owing, entry, first=first).balance_minor


def write_off(ctx: Context, store: Store, customer_id: str, amount_minor: int, *, id: str, why: str) -> TabEntry:
    """Give up what a customer owes, oldest first, with the reason; once per command id."""
    check_amount(amount_minor)
    if not why.strip():
        raise Invalid("no-reason", "Enter a reason for writing this off.", field="why")
    owing = account(ctx.session, store.id, customer_id, lock=True)
    if (known := _known(ctx.session, store.id, id)) is not None:
        return _same(known, customer_id, "written_off", -amount_minor)
    day = business_day(ctx.at, store.tz, store.rollover_hour)
    entry = TabEntry(id=id, kind="written_off", amount_minor=-amount_minor, business_day=day, why=why.strip())
    _record(ctx, _credit(ctx, owing, entry), why=entry.why)
    return entry


@recovers(TabMoved)
def write_again(ctx: Context, fact: TabMoved) -> None:
    """Write an entry these books have lost (rule 7); never more off the tab than is owed. Without an id: a sale's."""
    store_id, amount_minor = fact.store_id, fact.amount_minor
    owing = account(ctx.session, store_id, fact.customer_id, lock=True)
    if fact.id and ctx.session.get(TabEntry, (store_id, fact.id)) is not None:
        return
    then = replace(ctx, at=fact.at)
    entry = TabEntry(
        id=fact.id or new_id(), kind=fact.kind, amount_minor=max(amount_minor, -owing.balance_minor),
        business_day=fact.business_day, sale_id=fact.sale_id,
    )  # fmt: skip
    if amount_minor > 0:
        _book(then, owing, entry)
    elif not owing.balance_minor:
        raise Refused(
            "more-than-owed", "The payment is %(amount_minor)s (in minor units) more than the tab balance.",
            amount_minor=-amount_minor,
        )  # fmt: skip
    else:
        if into := fact.shift_id:
            paid = Tendered(str(fact.tender), -amount_minor, fact.reference)
            slip_numbers.take_again(ctx.session, store_id, [paid], day=fact.business_day, source=f"tab:{entry.id}")
            is_open = note_again(ctx.session, store_id, into, "tabs", paid._replace(amount_minor=-entry.amount_minor))
            entry.tender, entry.reference, entry.shift_id = paid.tender, paid.reference, into if is_open else None
        _credit(then, owing, entry)
    ctx.session.flush()


# --- questions ---


def account(session: Session, store_id: str, customer_id: str, *, lock: bool = False) -> TabAccount:
    """Return a customer's account as it stands in the database now, locked if asked; NotFound without one."""
    query = sa.select(TabAccount).where(TabAccount.store_id == store_id, TabAccount.customer_id == customer_id)
    query = query.execution_options(populate_existing=True)
    found: TabAccount | None = session.scalar(lock_rows(session, query) if lock else query)
    if found is None:
        raise NotFound("unknown-customer", "This customer is not on record here. Search again.")
    return found


def given_up_minor(session: Session, store_id: str, sale_id: str) -> int:
    """Return how much of what a sale charged was given up: neither owed any more, nor paid, nor owed again."""
    charge, credit = orm.aliased(TabEntry), orm.aliased(TabEntry)
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(TabSettlement.amount_minor), 0))
        .join(charge, sa.and_(charge.store_id == TabSettlement.store_id, charge.id == TabSettlement.charge_id))
        .join(credit, sa.and_(credit.store_id == TabSettlement.store_id, credit.id == TabSettlement.credit_id))
        .where(TabSettlement.store_id == store_id, charge.sale_id == sale_id, credit.kind == "written_off")
    )
    again = sa.select(sa.func.coalesce(sa.func.sum(TabEntry.amount_minor), 0)).where(
        TabEntry.store_id == store_id, TabEntry.sale_id == sale_id, TabEntry.kind == "owed_again"
    )
    return int(session.scalar(query) or 0) - int(session.scalar(again) or 0)


def given_up_of(session: Session, store_id: str, sale_id: str) -> tuple[int, int]:
    """Return what of a sale's tab part is still unpaid, which goes back first, and what of it was given up."""
    unpaid = sa.select(sa.func.coalesce(sa.func.sum(_left()), 0)).where(
        TabEntry.store_id == store_id, TabEntry.sale_id == sale_id, TabEntry.amount_minor > 0
    )
    return int(session.scalar(unpaid) or 0), given_up_minor(session, store_id, sale_id)


def entries(
    session: Session, store_id: str, customer_id: str, first_day: dt.date | None = None, last_day: dt.date | None = None
) -> list[TabEntry]:
    """Return the lines of a customer's book in the order they were written, of these business days if given."""
    query = sa.select(TabEntry).where(TabEntry.store_id == store_id, TabEntry.customer_id == customer_id)
    if first_day is not None:
        query = query.where(TabEntry.business_day >= first_day)
    if last_day is not None:
        query = query.where(TabEntry.business_day <= last_day)
    return list(session.scalars(query.order_by(TabEntry.n)))


def paid_by(session: Session, store_id: str, credit_ids: Sequence[str]) -> dict[str, list[Paid]]:
    """Return which charges each of these credits has paid, oldest first."""
    if not credit_ids:
        return {}
    query = sa.select(TabSettlement, TabEntry, _left()).join(
        TabEntry, sa.and_(TabEntry.store_id == TabSettlement.store_id, TabEntry.id == TabSettlement.charge_id)
    )
    query = query.where(TabSettlement.store_id == store_id, TabSettlement.credit_id.in_(credit_ids))
    found: dict[str, list[Paid]] = {}
    for paid, entry, left in session.execute(query.order_by(TabEntry.business_day, TabEntry.n)):
        row = Paid(entry.id, entry.sale_id, entry.business_day, paid.amount_minor, int(left))
        found.setdefault(paid.credit_id, []).append(row)
    return found


def debts(session: Session, store_id: str, today: dt.date, customer_id: str | None = None) -> list[Debt]:
    """Return who owes what since when, who owes most first; of one customer if given (rule 6)."""
    left = _left()
    query = sa.select(TabEntry.customer_id, TabEntry.business_day, left.label("left")).join(
        TabAccount,
        sa.and_(TabAccount.store_id == TabEntry.store_id, TabAccount.customer_id == TabEntry.customer_id),
    )
    query = query.where(TabEntry.store_id == store_id, TabAccount.balance_minor > 0)
    query = query.where(TabEntry.amount_minor > 0, left > 0)
    if customer_id is not None:
        query = query.where(TabEntry.customer_id == customer_id)
    unpaid: dict[str, list[tuple[dt.date, int]]] = {}
    for owner, day, minor in session.execute(query):
        unpaid.setdefault(owner, []).append((day, int(minor)))
    found = [
        Debt(owner, sum(minor for _, minor in rows), min(day for day, _ in rows), by_age(rows, today))
        for owner, rows in unpaid.items()
    ]
    return sorted(found, key=lambda debt: (-debt.owed_minor, debt.since, debt.customer_id))


def by_age(unpaid: Iterable[tuple[dt.date, int]], today: dt.date) -> tuple[int, ...]:
    """Return how much is unpaid in each of AGES. unpaid: (business day, minor units)."""
    sums = [0] * len(AGES)
    for day, minor in unpaid:
        days = max(0, (today - day).days)
        sums[next(n for n, (_, last) in enumerate(AGES) if last is None or days <= last)] += minor
    return tuple(sums)


# --- inside ---

_REPORTED = (
    "store_id", "id", "customer_id", "kind", "amount_minor", "business_day", "tender", "reference", "shift_id",
    "actor_id", "sale_id",
)  # fmt: skip


def _charge(ctx: Context, store_id: str, customer_id: str, entry: TabEntry) -> TabEntry:
    """Raise a tab where the entry still fits (rule 2)."""
    balance = TabAccount.balance_minor + entry.amount_minor
    mine = (TabAccount.store_id == store_id, TabAccount.customer_id == customer_id)
    raised = sa.update(TabAccount).where(*mine, balance <= TabAccount.limit_minor)
    raised = raised.values(balance_minor=balance, lines=TabAccount.lines + 1)
    after = ctx.session.execute(
        raised.returning(TabAccount.balance_minor, TabAccount.lines), execution_options={"synchronize_session": False}
    ).one_or_none()
    if after is None:
        now = account(ctx.session, store_id, customer_id)
        left_minor = max(0, now.limit_minor - now.balance_minor)
        raise Refused(
            "tab-limit", "That exceeds the tab's limit. Take the rest another way.",
            wanted_minor=entry.amount_minor, left_minor=left_minor, limit_minor=now.limit_minor,
            balance_minor=now.balance_minor,
        )  # fmt: skip
    return _write(ctx, store_id, customer_id, entry, (after.balance_minor, after.lines))


def _credit(ctx: Context, owing: TabAccount, entry: TabEntry, *, first: str | None = None) -> TabEntry:
    """Lower a locked account by an entry and write down which charges that pays (rules 3, 4)."""
    rest = -entry.amount_minor
    if rest > owing.balance_minor:
        raise Refused(
            "more-than-owed",
            "That is more than the tab balance. Take or refund the rest another way.",
            owed_minor=owing.balance_minor,
            wanted_minor=rest,
        )
    _book(ctx, owing, entry)
    key = (owing.store_id, owing.customer_id)
    left = _left()
    query = sa.select(TabEntry.id, TabEntry.sale_id, left.label("left")).where(
        TabEntry.store_id == key[0], TabEntry.customer_id == key[1], TabEntry.amount_minor > 0, left > 0
    )
    unpaid = ctx.session.execute(query.order_by(TabEntry.business_day, TabEntry.n)).all()
    if first is not None:
        unpaid = sorted(unpaid, key=lambda row: row.sale_id != first)
    for row in unpaid:
        if rest == 0:
            break
        part = min(rest, int(row.left))
        ctx.session.add(TabSettlement(store_id=key[0], credit_id=entry.id, charge_id=row.id, amount_minor=part))
        rest -= part
    ctx.session.flush()
    return entry


def _book(ctx: Context, owing: TabAccount, entry: TabEntry) -> TabEntry:
    """Move a locked account by an entry."""
    owing.balance_minor += entry.amount_minor
    owing.lines += 1
    return _write(ctx, owing.store_id, owing.customer_id, entry, (owing.balance_minor, owing.lines))


def _write(ctx: Context, store_id: str, customer_id: str, entry: TabEntry, after: tuple[int, int]) -> TabEntry:
    entry.store_id, entry.customer_id, entry.id = store_id, customer_id, entry.id or new_id()
    entry.balance_minor, entry.n = after
    entry.at, entry.actor_id, entry.actor_name = ctx.at, ctx.actor.id, ctx.actor.name
    ctx.session.add(entry)
    ctx.session.flush()
    return entry


def _left() -> sa.ColumnElement[int]:
    """What is still unpaid of a charge."""
    paid = sa.select(sa.func.sum(TabSettlement.amount_minor)).where(
        TabSettlement.store_id == TabEntry.store_id, TabSettlement.charge_id == TabEntry.id
    )
    return TabEntry.amount_minor - sa.func.coalesce(paid.correlate(TabEntry).scalar_subquery(), 0)


def _known(session: Session, store_id: str, id: str) -> TabEntry | None:
    if not is_id(id):
        raise Invalid("no-command-id", "Reload the page, then try again.")
    return session.get(TabEntry, (store_id, id))


def _same(known: TabEntry, customer_id: str, kind: str, amount_minor: int) -> TabEntry:
    if (known.customer_id, known.kind, known.amount_minor) != (customer_id, kind, amount_minor):
        raise Conflict("command-content-differs", "This was already recorded with different details. Reload the page.")
    return known


def _record(ctx: Context, entry: TabEntry, **more: str) -> None:
    facts_of_all = {"entry": entry.id, "amount_minor": entry.amount_minor, "balance_minor": entry.balance_minor}
    subject = f"customer:{entry.customer_id}"
    journal.record(ctx, verb=f"tab.{entry.kind}", subject=subject, **facts_of_all, **more)
    fact = TabMoved(**{name: getattr(entry, name) for name in _REPORTED}, at=ctx.at)
    facts.send(ctx.session, fact, id=f"tab-{entry.id}", subject=subject, day=entry.business_day, at=ctx.at)

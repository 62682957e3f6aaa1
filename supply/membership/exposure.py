"""What the operator sees of all stores' money and conduct at once: ages, exposure, losses, what needs care. Read-only.

Exposure is what the network may lose: what is owed on credit and on account, advances, and goods drawn and on the way,
each store's own money at the network taken off. Units: *_minor minor units, summed as they are: one currency a network.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import Store
from supply.membership.level import LEVELS, CountsReported, LevelReview
from supply.money import credit
from supply.money.credit import CreditLine
from supply.money.ledger import OWN, LedgerEntry, Standing, ages, balances_by_store, open_invoices, owed


@dataclass(frozen=True)
class Debtor:
    """One store's money: its line, what it owes by age (`ledger.AGES`), and what of it is late."""

    id: str
    name: str
    limit_minor: int
    level: int
    state: str
    held_why: str
    owed_minor: int
    credit_minor: int
    pending_minor: int
    funds_minor: int
    ages_minor: tuple[int, ...]

    @property
    def late_minor(self) -> int:
        """What is late, however late."""
        return sum(self.ages_minor[1:])

    @property
    def exposure_minor(self) -> int:
        """What the network may lose with this store."""
        return max(0, self.owed_minor) + self.pending_minor


@dataclass(frozen=True)
class Losses:
    """What was given up, and what was lent, over the same days."""

    lost_minor: int
    invoiced_minor: int

    @property
    def share_bp(self) -> int:
        """Losses in basis points of what was invoiced."""
        return self.lost_minor * 10_000 // self.invoiced_minor if self.invoiced_minor else 0


def debtors(session: Session, today: dt.date) -> list[Debtor]:
    """Return every store with a line or an account, the latest money first, then the most exposed.

    As many questions as there are books, however many stores.
    """
    lines = {line.store_id: line for line in session.scalars(sa.select(CreditLine))}
    booked, drawn = balances_by_store(session), credit.pending_by_store(session)
    open_by: dict[str, list[Standing]] = {}
    for one in open_invoices(session):
        open_by.setdefault(one.invoice.store_id, []).append(one)
    found = []
    for store in session.scalars(sa.select(Store).order_by(Store.name)):
        line = lines.get(store.id)
        if line is None and store.id not in booked:
            continue
        standing = booked.get(store.id) or dict.fromkeys(OWN, 0)
        found.append(
            Debtor(
                store.id, store.name, line.limit_minor if line else 0, line.level if line else 0,
                line.state if line else "open", line.held_why if line else "", owed(standing), standing["credit"],
                drawn.get(store.id, 0), -standing["funds"],
                tuple(ages(open_by.get(store.id, []), today)),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (-one.late_minor, one.state != "held", -one.exposure_minor, one.name))


def losses(session: Session, since: dt.date) -> Losses:
    """Return what was given up since a day, beside what was invoiced."""
    query = (
        sa.select(LedgerEntry.kind, sa.func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.business_day >= since, LedgerEntry.kind.in_(["loss", "goods"]))
        .group_by(LedgerEntry.kind)
    )
    sums = {kind: int(minor) for kind, minor in session.execute(query)}
    return Losses(sums.get("loss", 0), sums.get("goods", 0))


@dataclass(frozen=True)
class Care:
    """What of a store's money and conduct may need somebody. counts_bp: counted of the products sold.

    None: not told.
    """

    late_minor: int
    held: bool
    limit_minor: int
    level: int | None
    counts_bp: int | None

    @property
    def is_stale(self) -> bool:
        """Whether fewer products were counted than even the first level asks for."""
        return self.counts_bp is not None and self.counts_bp < LEVELS[0]["counts"]

    @property
    def needs(self) -> int:
        """How many of these things need somebody."""
        return (self.late_minor > 0) + self.held + self.is_stale


def late_by_store(session: Session, today: dt.date, store_id: str | None = None) -> dict[str, int]:
    """Return what each store is late with, or one, those that are not left out."""
    late: dict[str, int] = {}
    for one in open_invoices(session, store_id):
        if one.invoice.due_day < today:
            late[one.invoice.store_id] = late.get(one.invoice.store_id, 0) + one.left_minor
    return late


def care(session: Session, today: dt.date, store_id: str | None = None) -> dict[str, Care]:
    """Return every store's care by id, or one's, in as many questions as there are books, however many stores."""
    late = late_by_store(session, today, store_id)

    def asked(column: Any) -> Any:
        return sa.true() if store_id is None else column == store_id

    lines = {
        store: (state == "held", limit)
        for store, state, limit in session.execute(
            sa.select(CreditLine.store_id, CreditLine.state, CreditLine.limit_minor).where(asked(CreditLine.store_id))
        )
    }
    reviewed = sa.select(LevelReview.store_id, LevelReview.level).where(asked(LevelReview.store_id))
    levels = dict(session.execute(reviewed).all())
    counts = {
        one.store_id: one.counted_products * 10_000 // one.sold_products
        for one in session.scalars(
            sa.select(CountsReported).where(CountsReported.sold_products > 0, asked(CountsReported.store_id))
        )
    }
    return {
        store: Care(late.get(store, 0), *lines.get(store, (False, 0)), levels.get(store), counts.get(store))
        for store in session.scalars(sa.select(Store.id).where(asked(Store.id)))
    }

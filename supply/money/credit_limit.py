"""How much a store may owe on credit, worked out from its own sales and repayments: every step named.

Rules
-----
1. A typical week is the median of the last WEEKS complete weeks' sales (net of returns, gross of tax), as the store's
   own facts added up to them. With fewer than LEAST_WEEKS weeks there is no credit yet.
2. The limit is a typical week x the weeks the network lends x steadiness x repayment x standing, each step rounded
   half up to the minor unit, then cut to the cap and down to a whole unit of the currency.
3. Steadiness is the lower quartile of these weeks over their median, at most 1: who has lean weeks borrows on them.
4. Repayment: of what fell due in the last REPAID_DAYS days, the share paid by its day. All of it is 1; half or less is
   0; between them in a straight line. Where nothing fell due yet, the terms say where a store begins.
5. A store's sales are its own word, so no word lifts a limit far. A day counts at most DAY_MOST times its middle day, a
   week from the fourth on at most GROWTH_BP of the middle one of the weeks before it; days and weeks without sales are
   not asked. And whatever it sells, a store may owe no more than the terms' first amount and PROVED times what it has
   paid on time in the same half year: money that came cannot be invented.
6. The same figures and terms give the same limit, to the minor unit: both travel with it, and may be recomputed by
   anybody.

Units: *_minor currency minor units; *_bp basis points (10,000 = 1).
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.money import BASIS, divide_half_up, median
from supply.money.ledger import OPEN_AGAIN, Invoice, LedgerEntry

WEEKS, LEAST_WEEKS = 13, 4
DAY_MOST, GROWTH_BP, PROVED = 3, 15_000, 2
REPAID_DAYS = 180


@dataclass(frozen=True)
class LimitTerms:
    """What the network lends on. whole_minor: the minor units of one unit of the currency (100 of a dollar).

    first_most_minor: the most a store may owe before it has paid anything back (rule 5).
    """

    weeks_bp: int
    first_bp: int
    cap_minor: int
    whole_minor: int
    first_most_minor: int


@dataclass(frozen=True)
class LimitFacts:
    """What a limit stands on. due_minor, on_time_minor: rule 4.

    weeks_minor: sales of the last complete weeks, the oldest first, of days as they count (rule 5).
    """

    weeks_minor: tuple[int, ...]
    due_minor: int
    on_time_minor: int
    standing_bp: int


@dataclass(frozen=True)
class Step:
    """One factor: its name, its value in basis points (None: an amount), and the limit after it."""

    name: str
    value_bp: int | None
    after_minor: int


def limit_of(facts: LimitFacts, terms: LimitTerms) -> tuple[int, list[Step]]:
    """Return the limit, and how it came about step by step (rules 1 to 4)."""
    weeks = counted_weeks(facts.weeks_minor[-WEEKS:])
    if len(weeks) < LEAST_WEEKS:
        return 0, [Step("too-few-weeks", None, 0)]
    typical = max(0, median(weeks))
    steps = [Step("typical-week", None, typical)]
    factors = (
        ("weeks", terms.weeks_bp),
        ("steady", _steady_bp(weeks, typical)),
        ("repaid", _repaid_bp(facts, terms)),
        ("standing", facts.standing_bp),
    )
    amount = typical
    for name, value_bp in factors:
        amount = divide_half_up(amount * value_bp, BASIS)
        steps.append(Step(name, value_bp, amount))
    if amount > (proved := terms.first_most_minor + PROVED * facts.on_time_minor):
        amount = proved
        steps.append(Step("proved", None, amount))
    if amount > terms.cap_minor:
        amount = terms.cap_minor
        steps.append(Step("cap", None, amount))
    limit = amount // terms.whole_minor * terms.whole_minor
    steps.append(Step("limit", None, limit))
    return limit, steps


def counted_days(days_minor: Sequence[int]) -> list[int]:
    """Return days' sales as they count (rule 5)."""
    traded = [one for one in days_minor if one > 0]
    most = DAY_MOST * median(traded) if traded else 0
    return [min(one, most) for one in days_minor]


def counted_weeks(weeks_minor: Sequence[int]) -> list[int]:
    """Return weeks' sales as they count, the oldest first (rule 5)."""
    counted: list[int] = []
    for week in weeks_minor:
        before = [one for one in counted if one > 0]
        most = divide_half_up(median(before) * GROWTH_BP, BASIS) if len(before) >= LEAST_WEEKS - 1 else week
        counted.append(min(week, most))
    return counted


def _steady_bp(weeks: Sequence[int], typical_minor: int) -> int:
    quartile = max(0, sorted(weeks)[len(weeks) // 4])
    return min(BASIS, divide_half_up(quartile * BASIS, typical_minor)) if typical_minor else 0


def _repaid_bp(facts: LimitFacts, terms: LimitTerms) -> int:
    if facts.due_minor <= 0:
        return terms.first_bp
    return max(0, 2 * divide_half_up(facts.on_time_minor * BASIS, facts.due_minor) - BASIS)


def repaid_of(session: Session, store_id: str, day: dt.date) -> tuple[int, int]:
    """Return what fell due in the last REPAID_DAYS days until `day`, and how much of it was paid by then.

    An invoice counts as far as it was paid by its own due day; a loss is no payment, nor is one that was taken back
    (`wrong_payments`).
    """
    since = day - dt.timedelta(days=REPAID_DAYS)
    invoices = session.scalars(
        sa.select(Invoice).where(Invoice.store_id == store_id, Invoice.due_day > since, Invoice.due_day <= day)
    ).all()
    row = LedgerEntry
    paid = sa.select(row.invoice_id, row.business_day, row.kind, row.amount_minor).where(
        row.store_id == store_id, row.kind.in_(["paid", OPEN_AGAIN]), row.invoice_id.in_([one.id for one in invoices])
    )
    due_days = {one.id: one.due_day for one in invoices}
    on_time = Counter[str]()
    for of_invoice, paid_day, kind, minor in session.execute(paid):
        invoice_id = str(of_invoice)
        if kind == OPEN_AGAIN:
            on_time[invoice_id] -= int(minor)
        elif paid_day <= due_days[invoice_id]:
            on_time[invoice_id] += int(minor)
    whole = sum(one.amount_minor for one in invoices)
    return whole, sum(max(0, min(one.amount_minor, on_time[one.id])) for one in invoices)

"""What the network works out of money every night: late days, each store's line, holds, the shelves' pay.

Rules
-----
1. A week counts once its Sunday is over, from the first in which the store's sales are known; a week between them
   without any is nought. The sums are the daily roll-ups', which are made of the store's own facts.
2. A store's standing is reviewed before its line is worked out, which counts it.
3. A day late is charged for each invoice on credit that was due before it, once per day, however often the night runs;
   not while the store's account is not whole since the network was put back from a copy (`lost_entries`).
4. Before a late day is charged or a line held, what stood in a store's funds at the day's end pays what was due by it,
   as of that day: what is paid from money the network kept is paid in time.
5. A store is paid the shelf money of each week in which its bestseller shelf stood and it traded, once what it sold is
   known: up to SHELF_WEEKS weeks later, where its word came late.
6. Each store's night is its own: what cannot be worked out for one keeps nobody else's waiting (`isolation`). A day
   that is made up after a later one leaves the line as the later one set it.
"""

import datetime as dt
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.money import BASIS, exponent
from config.nodes.journal import Context
from config.nodes.node import COPY_SPEAKS, Peer
from pos.store.store import Store
from supply import isolation
from supply.demand.history import StoreDay
from supply.membership import level as membership_level
from supply.money import advances, credit, ledger, lost_entries
from supply.money import terms as money_terms
from supply.money.credit_limit import WEEKS, LimitFacts, LimitTerms, counted_days, limit_of, repaid_of
from supply.money.ledger import Booking, day_fee
from supply.money.terms import Terms
from supply.shelf.plan import ShelfPlan

SHELF_WEEKS = 4


def close_day(ctx: Context, day: dt.date) -> int:
    """Do a day's money for every store (rules 1 to 6); returns how many have a line. Again changes nothing."""
    n, terms = money_terms.in_force(ctx.session)
    _pay_from_funds(ctx, day)
    unsettled = lost_entries.unsettled(ctx.session)
    late = _late(ctx.session, day, terms.grace_days) - unsettled
    alarmed = set(ctx.session.scalars(sa.select(Peer.id).where(Peer.alarm == COPY_SPEAKS)))
    shelved = _shelved_weeks(ctx.session, day)
    done = 0
    for store_id in ctx.session.scalars(sa.select(Store.id).order_by(Store.id)).all():
        with isolation.apart(ctx, "money", store_id) as part:
            if store_id not in unsettled:
                _charge_late(ctx, store_id, day, terms)
            for week in shelved.get(store_id, ()):
                ledger.shelf_paid(ctx, store_id, terms.shelf_week_minor, week=week)
            store, line = ctx.session.get_one(Store, store_id), credit.line_of(ctx.session, store_id)
            membership_level.review(ctx, store, day)
            if line is None or line.worked_out_on <= day:
                _set_line(ctx, store, day, n, terms)
                held_why = "contradiction" if store_id in alarmed else "late" if store_id in late else ""
                _hold_or_release(ctx, store_id, held_why)
        done += part.done
    return done


def weeks_of(session: Session, store_id: str, day: dt.date) -> list[int]:
    """Return a store's sales of the last complete weeks, the oldest first, of days as they count (rule 1)."""
    last_sunday = day - dt.timedelta(days=(day.weekday() + 1) % 7)
    first_monday = last_sunday - dt.timedelta(days=7 * WEEKS - 1)
    rows = session.execute(
        sa.select(StoreDay.business_day, StoreDay.revenue_minor).where(
            StoreDay.store_id == store_id, StoreDay.business_day.between(first_monday, last_sunday)
        )
    )
    known = {business_day: int(minor or 0) for business_day, minor in rows}
    sums: dict[int, int] = {}
    for business_day, minor in zip(known, counted_days(list(known.values())), strict=True):
        week = (business_day - first_monday).days // 7
        sums[week] = sums.get(week, 0) + minor
    return [sums.get(week, 0) for week in range(min(sums), WEEKS)] if sums else []


# --- inside ---


def _shelved_weeks(session: Session, day: dt.date) -> dict[str, list[str]]:
    """Return the weeks that ended until a day in which each store's shelf stood and it traded (rule 5)."""
    last_sunday = day - dt.timedelta(days=(day.weekday() + 1) % 7)
    found: dict[str, list[str]] = {}
    for n in range(SHELF_WEEKS):
        sunday = last_sunday - dt.timedelta(weeks=n)
        year, week, _ = sunday.isocalendar()
        traded = sa.select(StoreDay.store_id).where(
            StoreDay.sales > 0, StoreDay.business_day.between(sunday - dt.timedelta(days=6), sunday)
        )
        stood = sa.select(ShelfPlan.store_id).where(
            ShelfPlan.state.in_(["live", "retired"]), ShelfPlan.from_day <= sunday, ShelfPlan.store_id.in_(traded)
        )
        for store_id in session.scalars(stood.distinct()):
            found.setdefault(store_id, []).append(f"{year}-W{week:02d}")
    return found


def _late(session: Session, day: dt.date, grace_days: int) -> set[str]:
    """Return the stores with an invoice that is late beyond the grace days."""
    last = day - dt.timedelta(days=grace_days)
    return {one.invoice.store_id for one in ledger.open_invoices(session) if one.invoice.due_day < last}


def _pay_from_funds(ctx: Context, day: dt.date) -> None:
    for store_id, known in sorted(ledger.balances_by_store(ctx.session).items()):
        if known["funds"] < 0 or known["advance"] > 0:
            with isolation.apart(ctx, "money", store_id):
                book = Booking(ctx, store_id, day=day)
                book.pay(by_day=day)
                book.close("settled", day=day.isoformat())


def _hold_or_release(ctx: Context, store_id: str, why: str) -> None:
    if why:
        credit.hold(ctx, store_id, why=why, by_rule=True)
    else:
        credit.release(ctx, store_id, by_rule=True)


def _set_line(ctx: Context, store: Store, day: dt.date, n: int, terms: Terms) -> None:
    due_minor, on_time_minor = repaid_of(ctx.session, store.id, day)
    level = membership_level.level_now(ctx.session, store.id)
    facts = LimitFacts(
        tuple(weeks_of(ctx.session, store.id, day)), due_minor, on_time_minor, BASIS + level * terms.level_bp
    )
    lent = LimitTerms(
        terms.weeks_bp, terms.first_bp, terms.cap_minor, 10 ** exponent(store.currency), terms.first_most_minor
    )
    limit_minor, steps = limit_of(facts, lent)
    limit = credit.CreditLimit(
        limit_minor=limit_minor, level=level, facts=asdict(facts) | {"weeks_minor": list(facts.weeks_minor)},
        terms=asdict(lent) | _reported(terms, level), terms_n=n, steps=[asdict(step) for step in steps],
        worked_out_on=day, advance_most_minor=advances.most(ctx.session, store.id, terms.advance_bp),
    )  # fmt: skip
    credit.set_line(ctx, store.id, limit)


def _reported(terms: Terms, level: int) -> dict[str, int]:
    """Return the terms a store reads beside its limit."""
    return {
        "least_days": terms.least_days, "most_days": terms.free_days + level * terms.level_days,
        "free_days": terms.free_days, "level_days": terms.level_days, "level_bp": terms.level_bp,
        "account_days": terms.account_days, "account_most_minor": terms.account_most_minor,
        "late_ppm": terms.late_ppm, "grace_days": terms.grace_days,
        "commission_bp": terms.commission_bp, "advance_bp": terms.advance_bp,
        "shelf_week_minor": terms.shelf_week_minor, "claim_days": terms.claim_days,
    }  # fmt: skip


def _charge_late(ctx: Context, store_id: str, day: dt.date, terms: Terms) -> None:
    overdue = [one for one in ledger.open_invoices(ctx.session, store_id) if one.invoice.on_credit]
    overdue = [one for one in overdue if one.invoice.due_day < day]
    if not overdue:
        return
    book = Booking(ctx, store_id)
    for one in overdue:
        fee_minor, once = day_fee(one.left_minor, terms.late_ppm), f"late-{one.invoice.id}-{day}"
        if fee_minor and not book.knows(once):
            book.enter("late", "late", "credit", fee_minor, source_id=one.invoice.id, id=once, invoice=one.invoice)
    book.close("late", day=day.isoformat())

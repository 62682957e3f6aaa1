"""Money a customer paid online, kept apart until the goods are collected and may no longer come back.

Rules
-----
1. Each payment has an escrow of its own. Its book only grows: paid in, paid back, passed on; what is left is their
   sum, never below zero. An escrow is settled when it was paid and nothing is left.
2. Money comes in through the till's payment protocol: the first final answer counts. Of a lapsed escrow the provider
   is asked LATE_ANSWERS whatever it said, and until it gives a final no: no answer is no answer. What is captured
   after all goes back in full.
3. Money leaves in one of two ways, each named: back to the customer, or on to the store (of a group buy, a share of it
   for its leader), whose ledger it enters (`escrow_ledger`). What goes back is written as due, and as done when the
   provider confirms it or a person has paid it by hand, once per entry (`refunds`).
4. After a collection the money waits until its term is over (`order_copy` rule 7), and until the store was heard from
   after that with nothing of it still on its way, or SILENCE has passed. A return that is asked for stops that clock,
   and a dispute does until the operator decides (`escrow_release`): all, part or nothing goes back, the rest on to the
   store.
5. What turns out to be the customer's after it was passed on goes back all the same, and is taken from the store, and
   from a group's leader in proportion. A customer may dispute within LATE_DISPUTE, once: the money is taken from them
   at once, as with a card's chargeback, and goes back to them as far as the operator decides so. What the store is
   not good for (`credit`, rule 6) waits for the operator in the same way, whoever said that it is the customer's. So
   does, once and however late, what the customer's bank takes back.
6. A network put back from a copy learns of orders from their stores, with what was paid. Their escrows are opened
   again, the provider is asked, and what it has follows the order as it stands. A paid order without an escrow is a
   finding.

Units: *_minor currency minor units. Accounts: customer, escrow, due (to the customer), store, leader.
"""

import datetime as dt
from collections.abc import Callable, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.finding import Finding
from config.ids import new_id
from config.nodes import journal
from config.nodes.inbox import heard_in_full
from config.nodes.journal import Context
from config.words import N_
from pos.payments.providers import Outcome
from supply.money import escrow_ledger, refunds, terms
from supply.money.escrow_ledger import LeaderPart
from supply.money.held_payments import STATES, Escrow, EscrowEntry

PAY_WITHIN = dt.timedelta(minutes=15)
"""So long an order waits for its money before its units go back."""
LATE_ANSWERS = dt.timedelta(hours=2)
"""So long after its time a lapsed escrow is asked about even where the provider had said no."""
SILENCE = dt.timedelta(days=14)
"""So long the money waits at most for a store that is not heard from."""
SOONEST, LATEST = dt.timedelta(seconds=2), dt.timedelta(minutes=30)
LATE_DISPUTE = dt.timedelta(days=30)
"""So long after money was passed on its customer may still dispute it."""
MOST_ASKED = 500
"""Of so many payments of one store the provider is asked at a time: forgotten orders are known by its word alone."""
FORGOTTEN = dt.timedelta(days=30)
"""So long the provider is asked about a payment that a restore forgot."""
CHARGEBACK = N_("The customer disputed the payment at their bank, which is taking the money back.")


# --- verbs ---


def open_for(
    ctx: Context,
    id: str,
    store_id: str,
    purpose: str,
    amount_minor: int,
    *,
    currency: str,
    provider: str,
    pay_within: dt.timedelta = PAY_WITHIN,
) -> Escrow:
    """Open an escrow that waits for its money; commit, then ask the provider. The same id again is the same escrow."""
    if amount_minor <= 0:
        raise Invalid("nothing-to-pay", "Nothing to pay online.", amount_minor=amount_minor)
    if (known := ctx.session.get(Escrow, id)) is not None:
        if known.amount_minor != amount_minor:
            raise Conflict("escrow-differs", "The amount to pay has changed. Start again.")
        return known
    row = Escrow(
        id=id, store_id=store_id, purpose=purpose, amount_minor=amount_minor, currency=currency, provider=provider,
        state=STATES.first, opened_at=ctx.at, pay_by=ctx.at + pay_within, ask_again_at=ctx.at, tries=0, shown_code="",
        reference="", reason="", disputed_why="", proved=False,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="escrow.opened", subject=subject_of(row), amount_minor=amount_minor)
    return row


def open_again(ctx: Context, id: str, store_id: str, amount_minor: int, currency: str) -> None:
    """Open the escrow of a payment that a restore from a copy forgot: the provider is asked whether it has it (rule 6).

    The provider is the one that took money last; where none ever did here, `findings` tells.
    """
    provider = ctx.session.scalar(sa.select(Escrow.provider).order_by(Escrow.opened_at.desc(), Escrow.id).limit(1))
    asked = sa.select(sa.func.count()).where(Escrow.store_id == store_id, Escrow.state == "awaited")
    if provider is not None and (ctx.session.scalar(asked) or 0) < MOST_ASKED:
        row = open_for(
            ctx, id, store_id, "pickup", amount_minor, currency=currency, provider=provider, pay_within=FORGOTTEN
        )
        row.tries = 1  # asked, never begun again


def settle_outcome(ctx: Context, id: str, outcome: Outcome) -> str:
    """Write what the provider answered (rule 2); returns the state the escrow came into by it, '' for no change."""
    row = locked(ctx.session, id)
    row.tries += 1
    row.shown_code = outcome.shown_code or row.shown_code
    row.reason = outcome.reason or row.reason
    row.reference = outcome.reference or row.reference
    row.ask_again_at = _next_question(row, ctx.at)
    if outcome.state == "captured" and row.state in ("awaited", "lapsed"):
        row.ask_again_at = None
        _enter(ctx.session, row, "customer", "escrow", row.amount_minor, "paid", ctx.at)
        if row.state == "lapsed":
            refund(ctx, id, None, why="paid too late")
            return "settled"
        _move(ctx, row, "held")
        return "held"
    is_no = outcome.state in ("declined", "cancelled")
    if is_no and row.state == "lapsed" and ctx.at >= row.pay_by + LATE_ANSWERS:
        row.ask_again_at = None
    if is_no and row.state == "awaited":
        _move(ctx, row, "lapsed")
        return "lapsed"
    return ""


def lapse(ctx: Context, id: str) -> bool:
    """Give up waiting for the money; it is asked about for a while yet, in case it still comes (rule 2)."""
    row = locked(ctx.session, id)
    if row.state != "awaited":
        return False
    _move(ctx, row, "lapsed")
    row.ask_again_at = ctx.at + SOONEST
    return True


def refund(ctx: Context, id: str, amount_minor: int | None, *, why: str) -> EscrowEntry | None:
    """Send money back to the customer (rule 3): all that is left (None), or a part; nothing left is no entry."""
    row = locked(ctx.session, id)
    left_minor = balance(ctx.session, id)
    amount_minor = left_minor if amount_minor is None else amount_minor
    _refuse_more(amount_minor, left_minor)
    if amount_minor == 0:
        return None
    entry = _enter(ctx.session, row, "escrow", "due", amount_minor, why, ctx.at)
    refunds.begin(ctx.session, entry.id, id, row.store_id, amount_minor, row.currency, at=ctx.at)
    journal.record(ctx, verb="escrow.refund_due", subject=subject_of(row), amount_minor=amount_minor, why=why)
    _settle_if_empty(ctx, row)
    return entry


def refunded(ctx: Context, entry_id: str) -> bool:
    """Write that the provider gave the money of a due entry back; a second time changes nothing (rule 3)."""
    return _gone_back(ctx, entry_id, "done", "")


def paid_by_hand(ctx: Context, entry_id: str, reference: str, *, looked: bool = False) -> bool:
    """Write that a person has paid the money of a due entry back, and how; a second time changes nothing (rule 3).

    looked: the person saw at the payment service that it has not given it back.
    """
    locked(ctx.session, refunds.of_entry(ctx.session, entry_id).escrow_id)
    row = refunds.locked(ctx.session, entry_id)
    if row.state == "waiting":
        reference = refunds.check_by_hand(row, reference, looked=looked)
    return _gone_back(ctx, entry_id, "by_hand", reference)


def release(ctx: Context, id: str, *, leader: LeaderPart | None = None, why: str) -> int:
    """Pass on what is left to the store, a part of it to a group's leader; returns how much in all (rule 3)."""
    row = locked(ctx.session, id)
    if row.state not in ("held", "disputed"):
        raise Refused("nothing-held", "This escrow is %(state)s: nothing can be paid out.", state=row.state)
    left_minor, leader_minor = balance(ctx.session, id), leader.amount_minor if leader else 0
    _refuse_more(leader_minor, left_minor)
    if leader is not None:
        earned = _enter(ctx.session, row, "escrow", "leader", leader_minor, "commission", ctx.at)
        escrow_ledger.leader_earned(ctx.session, row.store_id, earned.id, leader, at=ctx.at)
    if left_minor - leader_minor:
        passed = _enter(ctx.session, row, "escrow", "store", left_minor - leader_minor, why, ctx.at)
        bp = terms.in_force(ctx.session)[1].commission_bp
        escrow_ledger.passed_on(ctx.session, row.store_id, passed.id, passed.amount_minor, bp, at=ctx.at)
    journal.record(
        ctx, verb="escrow.released", subject=subject_of(row), amount_minor=left_minor,
        leader_minor=leader_minor, why=why)  # fmt: skip
    _settle_if_empty(ctx, row)
    return left_minor


def take_back(
    ctx: Context, id: str, keep_minor: int, *, is_covered: Callable[[], bool], why: str, words: str
) -> EscrowEntry | None:
    """Send the customer what is theirs of money passed on already, at the cost of those who got it (rule 5).

    keep_minor: what the store may keep of all that was paid. words: of which order, for the store's ledger. is_covered:
    asked once the store is charged, whether the network has it from the store. None where nothing is owed, and where
    the money waits for the operator.
    """
    row = locked(ctx.session, id)
    paid_minor, back_minor = _total(ctx.session, id, "customer", "escrow"), _total(ctx.session, id, "escrow", "due")
    passed = _passed_on(ctx.session, id)
    owed_minor = min(paid_minor - back_minor - keep_minor, sum(passed.values()))
    if row.state != "settled" or owed_minor <= 0:
        return None
    _charge(ctx.session, row, owed_minor, passed["leader"], sum(passed.values()), why=why, words=words, at=ctx.at)
    if is_covered():
        return refund(ctx, id, owed_minor, why=why)
    _move(ctx, row, "disputed", why="more than the store can be charged for")
    return None


def set_clock(ctx: Context, id: str, until: dt.datetime | None, *, proved: bool = False) -> None:
    """Say when what is left goes on to the store; None stops the clock (rule 4). What is not kept any more stays."""
    row = locked(ctx.session, id)
    row.proved = row.proved or proved
    if row.state not in ("held", "disputed") or row.release_at == until:
        return
    row.release_at = until
    reported = until.isoformat() if until else None
    journal.record(ctx, verb="escrow.clock", subject=subject_of(row), until=reported)


def dispute(ctx: Context, id: str, *, why: str) -> Escrow:
    """Stop the clock: the customer and the store do not agree (rule 4). Asking twice is asking once."""
    row = locked(ctx.session, id)
    if row.state == "disputed":
        return row
    if row.state != "held":
        raise Refused("nothing-held", "This payment is no longer held, so there is nothing to decide.")
    if not why.strip():
        raise Invalid("reason-missing", "Explain what is wrong.", field="why")
    row.disputed_why = why.strip()[:300]
    _move(ctx, row, "disputed", why=row.disputed_why)
    return row


def dispute_late(ctx: Context, id: str, *, why: str, words: str) -> Escrow:
    """Dispute what was passed on already: it is taken from the store and waits for the operator (rule 5)."""
    row = locked(ctx.session, id)
    if row.state != "settled":
        return dispute(ctx, id, why=why)
    if row.disputed_why:
        raise Refused("decided-already", "The network has decided about this order. Contact it with any questions.")
    passed = _passed_on(ctx.session, id)
    if sum(passed.values()) <= 0 or ctx.at > last_passed_on(ctx.session, id) + LATE_DISPUTE:
        raise Refused("nothing-held", "This payment is no longer held, so there is nothing to decide.")
    if not why.strip():
        raise Invalid("reason-missing", "Explain what is wrong.", field="why")
    _dispute_passed_on(ctx, row, passed, why=why.strip()[:300], words=words)
    return row


def charged_back(ctx: Context, id: str, *, words: str) -> bool:
    """Let what the customer's bank takes back wait for the operator, once (rule 5); False where nothing is left."""
    row = locked(ctx.session, id)
    passed = _passed_on(ctx.session, id)
    if row.disputed_why == CHARGEBACK or (row.state == "settled" and sum(passed.values()) <= 0):
        return False
    if row.state == "settled":
        _dispute_passed_on(ctx, row, passed, why=CHARGEBACK, words=words)
    elif row.state == "disputed":
        row.disputed_why = CHARGEBACK
        journal.record(ctx, verb="escrow.charged_back", subject=subject_of(row))
    else:
        dispute(ctx, id, why=CHARGEBACK)
    return True


# --- questions ---


def holds(session: Session, id: str) -> bool:
    """Tell whether money waits in an escrow for what becomes of its goods."""
    row = escrow_of(session, id)
    return row is not None and row.state in ("held", "disputed")


def may_dispute_late(session: Session, row: Escrow, at: dt.datetime) -> bool:
    """Tell whether what was passed on may still be disputed (rule 5)."""
    if row.state != "settled" or row.disputed_why or sum(_passed_on(session, row.id).values()) <= 0:
        return False
    return at <= last_passed_on(session, row.id) + LATE_DISPUTE


def last_passed_on(session: Session, id: str) -> dt.datetime:
    """Return when money of an escrow was passed on last; it was."""
    query = sa.select(sa.func.max(EscrowEntry.at)).where(EscrowEntry.escrow_id == id)
    found = session.scalar(query.where(EscrowEntry.to_account.in_(["store", "leader"])))
    assert found is not None
    return found


def escrow_of(session: Session, id: str) -> Escrow | None:
    """Return the escrow of an order or membership, None where nothing is paid online."""
    return session.get(Escrow, id)


def locked(session: Session, id: str) -> Escrow:
    """Return an escrow, locked until the end of the transaction."""
    query = lock_rows(session, sa.select(Escrow).where(Escrow.id == id)).execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFound("unknown-escrow", "This was not paid online.", escrow=id)
    return row


def balance(session: Session, id: str) -> int:
    """Return what is left in an escrow (rule 1)."""
    session.flush()
    return _sum(session, EscrowEntry.escrow_id == id)


def waits_too_long(session: Session, at: dt.datetime, limit: int = 50) -> list[tuple[str, dt.datetime, Escrow]]:
    """Return (why, since, escrow) for a person to look at: unanswered | kept, the oldest first.

    A payment given up that its service has not answered for; money kept a month for what was not collected.
    """
    unanswered = sa.and_(Escrow.state == "lapsed", Escrow.ask_again_at.is_not(None), Escrow.pay_by <= at - LATE_ANSWERS)
    kept = sa.and_(Escrow.state == "held", Escrow.release_at.is_(None), Escrow.opened_at <= at - dt.timedelta(days=30))
    query = sa.select(Escrow).where(sa.or_(unanswered, kept)).order_by(Escrow.opened_at, Escrow.id).limit(limit)
    return [("kept" if row.state == "held" else "unanswered", row.opened_at, row) for row in session.scalars(query)]


def was_taken_back(session: Session, id: str) -> bool:
    """Tell whether what an escrow holds was passed on before, and taken back."""
    return _total(session, id, "store", "escrow") + _total(session, id, "leader", "escrow") > 0


def gone_back(session: Session, id: str) -> int:
    """Return how much of an escrow is back with its customer."""
    return _total(session, id, "due", "customer")


def to_ask(session: Session, at: dt.datetime, limit: int = 50) -> list[Escrow]:
    """Return the escrows whose provider is to be asked now: first those that wait, then the lapsed ones (rule 2)."""
    query = sa.select(Escrow).where(Escrow.state.in_(["awaited", "lapsed"]), Escrow.ask_again_at <= at)
    return list(session.scalars(query.order_by(Escrow.state, Escrow.ask_again_at, Escrow.id).limit(limit)))


def to_release(session: Session, at: dt.datetime, limit: int = 200) -> list[Escrow]:
    """Return the held escrows whose time to bring goods back is over, at stores heard from since (rule 4)."""
    heard = heard_in_full(Escrow.store_id, Escrow.release_at)
    over = sa.and_(Escrow.release_at <= at, sa.or_(heard, Escrow.release_at <= at - SILENCE))
    query = sa.select(Escrow).where(Escrow.state == "held", over).order_by(Escrow.release_at, Escrow.id)
    return list(session.scalars(query.limit(limit)))


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return escrows with less than nothing left, or with anything left that is settled or was never paid (rule 1)."""
    found = []
    query = sa.select(Escrow).order_by(Escrow.id)
    for row in session.scalars(query if store_id is None else query.where(Escrow.store_id == store_id)):
        left_minor = balance(session, row.id)
        whole = row.amount_minor if row.state in ("held", "disputed") else 0
        if (
            left_minor < 0
            or (row.state in ("settled", "lapsed", "awaited") and left_minor)
            or left_minor > row.amount_minor
        ):
            found.append(Finding("K13", subject_of(row), f"0 to {whole} left", f"{left_minor} left"))
        due_minor, going_minor = total_of(session, [row.id], "due"), refunds.going_back(session, row.id)
        if due_minor != going_minor:
            found.append(Finding("K13", subject_of(row), f"{due_minor} going back", f"{going_minor} asked for"))
    return found


def subject_of(row: Escrow) -> str:
    """Return an escrow as the journal names it."""
    return f"escrow:{row.id}"


# --- inside ---


def _passed_on(session: Session, id: str) -> dict[str, int]:
    """Return what of an escrow the store has, and a group's leader."""
    return {to: _total(session, id, "escrow", to) - _total(session, id, to, "escrow") for to in ("store", "leader")}


def _dispute_passed_on(ctx: Context, row: Escrow, passed: dict[str, int], *, why: str, words: str) -> None:
    """Take all that was passed on back, and let it wait for the operator."""
    row.disputed_why = why
    _charge(ctx.session, row, sum(passed.values()), passed["leader"], sum(passed.values()), why="disputed", words=words,
            at=ctx.at)  # fmt: skip
    _move(ctx, row, "disputed", why=why)


def _charge(
    session: Session, row: Escrow, owed_minor: int, leader_had: int, passed_minor: int, *, why: str, words: str,
    at: dt.datetime,
) -> None:  # fmt: skip
    """Take money that was passed on back into the escrow, from the store and in proportion from a leader (rule 5)."""
    leader_minor = owed_minor * leader_had // passed_minor
    if leader_minor:
        _enter(session, row, "leader", "escrow", leader_minor, why, at)
    taken = _enter(session, row, "store", "escrow", owed_minor - leader_minor, why, at)
    query = sa.select(EscrowEntry.id).where(EscrowEntry.escrow_id == row.id, EscrowEntry.from_account == "escrow")
    passed_ids = session.scalars(query.where(EscrowEntry.to_account.in_(["store", "leader"]))).all()
    escrow_ledger.taken_back(
        session, row.store_id, taken.id, owed_minor, passed_ids, words, leader_minor=leader_minor, at=at
    )  # fmt: skip


def _gone_back(ctx: Context, entry_id: str, state: str, reference: str) -> bool:
    entry = ctx.session.get_one(EscrowEntry, entry_id)
    row = locked(ctx.session, entry.escrow_id)
    if ctx.session.scalar(sa.select(EscrowEntry.id).where(EscrowEntry.answers_id == entry_id)) is not None:
        return False
    refunds.end(ctx, entry_id, state, reference=reference)
    _enter(ctx.session, row, "due", "customer", entry.amount_minor, entry.why, ctx.at, answers_id=entry_id)
    journal.record(ctx, verb="escrow.refunded", subject=subject_of(row), amount_minor=entry.amount_minor)
    return True


def _next_question(row: Escrow, at: dt.datetime) -> dt.datetime:
    over = at - row.pay_by
    if over < LATE_ANSWERS:
        return at + min(LATEST, SOONEST * (1 << min(row.tries, 10)))
    return at + (dt.timedelta(hours=1) if over < dt.timedelta(days=1) else dt.timedelta(days=1))


def _total(session: Session, id: str, source: str, target: str) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(EscrowEntry.amount_minor), 0)).where(
        EscrowEntry.escrow_id == id, EscrowEntry.from_account == source, EscrowEntry.to_account == target
    )
    return int(session.scalar(query) or 0)


def _sum(session: Session, *which: sa.ColumnElement[bool]) -> int:
    signed = sa.case(
        (EscrowEntry.to_account == "escrow", EscrowEntry.amount_minor),
        (EscrowEntry.from_account == "escrow", -EscrowEntry.amount_minor),
        else_=0,
    )
    return int(session.scalar(sa.select(sa.func.coalesce(sa.func.sum(signed), 0)).where(*which)) or 0)


def _refuse_more(amount_minor: int, left_minor: int) -> None:
    if not 0 <= amount_minor <= left_minor:
        raise Refused(
            "more-than-held", "That exceeds what is held of this payment.", left_minor=left_minor, wanted=amount_minor
        )


def _settle_if_empty(ctx: Context, row: Escrow) -> None:
    if balance(ctx.session, row.id) == 0 and row.state in ("held", "disputed", "lapsed"):
        row.release_at = None
        _move(ctx, row, "settled")


def _enter(
    session: Session,
    row: Escrow,
    source: str,
    target: str,
    amount_minor: int,
    why: str,
    at: dt.datetime,
    answers_id: str | None = None,
) -> EscrowEntry:
    entry = EscrowEntry(
        id=new_id(), escrow_id=row.id, from_account=source, to_account=target, amount_minor=amount_minor,
        why=why[:300], answers_id=answers_id, at=at,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    return entry


def _move(ctx: Context, row: Escrow, target: str, why: str | None = None) -> None:
    journal.move(ctx, row, target, subject=subject_of(row), why=why)


def total_of(session: Session, ids: Iterable[str], account: str) -> int:
    """Return what came to an account from some escrows, less what left it."""
    wanted = list(ids)
    signed = sa.case(
        (EscrowEntry.to_account == account, EscrowEntry.amount_minor),
        (EscrowEntry.from_account == account, -EscrowEntry.amount_minor),
        else_=0,
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(signed), 0)).where(EscrowEntry.escrow_id.in_(wanted))
    return int(session.scalar(query) or 0)

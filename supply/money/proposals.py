"""What moves the network's money and takes two people: one proposes, another approves (`supply.two_people`).

Rules
-----
1. Two people decide on what lets a store owe more (a held order let go, a line released, new terms), what gives a store
   money (a credit note, a payment moved to another store), what leaves the network (a payout run) and the account it
   leaves from. What holds back, and what only writes down what the bank did, takes one.
2. A proposal is tried when it is made and undone at once, so that what cannot be is said to who proposes it.
3. Of a payout run the approver agrees to what was seen: payee, account and amount of each payout. Where another one
   would be made by now, it is refused, and proposed again.
4. Where one person alone may move money, it is done at once; the journal marks it.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Refused
from config.nodes.journal import Context, record
from config.states import StateTable
from supply import two_people
from supply.money import credit, ledger, payment_runs, terms, wrong_payments

PERMISSION = "network.money.change"
STATES = StateTable("money proposal", "proposed", two_people.MOVES)
Asked = dict[str, Any]
_Do = Callable[[Context, str, str, Asked], Any]
DOES: dict[str, _Do] = {
    "draw": lambda ctx, _id, store_id, asked: credit.let_go(ctx, store_id, **asked),
    "release": lambda ctx, _id, store_id, _asked: credit.release(ctx, store_id),
    "terms": lambda ctx, _id, _store, asked: terms.set_terms(ctx, terms.terms_from(asked)),
    "credit_note": lambda ctx, once, store_id, asked: ledger.credit_note(ctx, store_id, id=once, **asked),
    "moved": lambda ctx, _id, store_id, asked: wrong_payments.take_back(ctx, store_id, **asked),
    "payer": lambda ctx, _id, _store, asked: payment_runs.say_payer(ctx, **asked),
    "payouts": lambda ctx, once, _store, asked: _pay_out(ctx, once, asked),
}
"""What is proposed -> what does it: of (context, the proposal's id, the store, the verb's other arguments)."""


class MoneyProposal(two_people.Proposal, Base):
    """Something about money that waits for a second person. kind: one of DOES; store_id: '' for none."""

    STATES: ClassVar[StateTable] = STATES
    PREFIX, PERMISSION = "money", PERMISSION
    __tablename__ = "money_proposal"

    kind: Mapped[str]
    store_id: Mapped[str]
    asked: Mapped[Asked] = mapped_column(sa.JSON())
    """The verb's other arguments; for payouts what would be paid to whom."""


class Answer(NamedTuple):
    """What became of what was asked. proposal: None where it was done at once; made: what the verb returned."""

    proposal: MoneyProposal | None
    made: Any = None


# --- verbs ---


def ask(ctx: Context, kind: str, id: str, *, store_id: str = "", **asked: Any) -> Answer:
    """Propose something, or do it where nobody could approve it (rule 4). The same id again is the same proposal."""
    known = ctx.session.get(MoneyProposal, id)
    if known is not None:
        return Answer(known)
    if two_people.is_alone(ctx.session, PERMISSION):
        made = DOES[kind](ctx, id, store_id, asked)
        record(ctx, verb="money proposal.alone", subject=f"{MoneyProposal.PREFIX}:{id}", kind=kind, store=store_id)
        return Answer(None, made)
    trial = ctx.session.begin_nested()
    try:
        made = DOES[kind](ctx, id, store_id, asked)
        paid = _seen(made) if kind == "payouts" else None
    finally:
        trial.rollback()
    if paid == []:
        raise Refused("nothing-to-pay", "There is nothing to pay out.")
    row = MoneyProposal(
        id=id, kind=kind, store_id=store_id, asked=asked if paid is None else {"payouts": paid},
        proposed_at=ctx.at, proposed_by=ctx.actor.id, proposed_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    record(ctx, verb="money proposal.proposed", subject=row.subject, kind=kind, store=store_id)
    return Answer(row, made)


def confirm(ctx: Context, id: str) -> MoneyProposal:
    """Approve somebody else's proposal, and do it."""
    row = two_people.confirm(ctx, MoneyProposal, id)
    DOES[row.kind](ctx, row.id, row.store_id, row.asked)
    return row


# --- questions ---


def waiting(session: Session) -> list[MoneyProposal]:
    """Return what waits for a second person, the oldest first."""
    return two_people.waiting(session, MoneyProposal)


# --- inside ---


def _pay_out(ctx: Context, id: str, asked: Asked) -> payment_runs.Run:
    payment_runs.payer_of(ctx.session)
    run = payment_runs.make_run(ctx, id=id)
    if "payouts" in asked and _seen(run) != asked["payouts"]:
        raise Conflict(
            "other-payouts", "The amounts or accounts have changed since. Reject this, and start a new payout run."
        )
    return run


def _seen(run: payment_runs.Run) -> list[list[Any]]:
    """Return what an approver sees of a run (rule 3): store, agent, payee, account, BIC, amount."""
    found = [[one.store_id, one.agent, one.payee, one.bank_account, one.bic, one.amount_minor] for one in run.payouts]
    return sorted(found)

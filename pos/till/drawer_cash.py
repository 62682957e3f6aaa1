"""Money that moves apart from sales: the float, drops, pay-ins, pay-outs, what a tab or an order was paid.

Rules
-----
1. A movement is a signed row of the drawer's book; the shift's expected cash and totals go along with it.
2. Each is told as it happens, with the shift it belongs to, and kept by the network for this store alone: a shift that
   was still open when the books were lost comes home open, with its float and all that moved (`write_again`).
3. A till that was opened again or closed meanwhile stays so: what moved is said to the shopkeeper, and the sales of a
   shift that is not here are late on the till's next Z.
4. What a tab or an order was paid, or gets back, runs along by its tender, cash into the drawer with it.
5. Cash beyond what a drawer should hold is refused to who may see what it holds, or acts with somebody's leave: it is a
   slip of the finger, or the books want a pay-in first.
6. Who counts blind is not: a refusal would tell what is in the drawer. It is booked like any other, for the cash in
   somebody's hand is the truth; over/short shows at the count what was not so.
7. What was booked so is journalled and named on Z with who, when and how much; nothing that a blind person is shown,
   told or handed says it.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Refused
from config.ids import new_id
from config.nodes import facts, journal
from config.nodes.facts import STORE, Day, Fact, Instant, Whole
from config.nodes.journal import Context
from pos.payments.payments import Tendered
from pos.payments.tenders import CASH
from pos.store import permissions
from pos.till import totals
from pos.till.shift_book import CashMovement, Shift

OF_SHIFT = ("till_id", "opened_by", "opened_by_name")


class CashMoved(Fact, topic="cash.moved", said_by=STORE, kept=True):
    """A movement of a drawer apart from sales, with who opened the shift when."""

    id: str
    store_id: str
    shift_id: str
    till_id: str
    opened_by: str
    opened_by_name: str
    opened_at: Instant
    business_day: Day
    kind: str
    amount_minor: Whole
    source_id: str
    why: str
    at: Instant
    actor_id: str


# --- verbs ---


def add_cash(
    ctx: Context, shift: Shift, kind: str, amount_minor: int, source_id: str, *, why: str = ""
) -> CashMovement:
    """Write a signed cash movement apart from sales, the shift's running sums with it, and tell it (rules 1, 2)."""
    fact = CashMoved(
        id=new_id(), store_id=shift.store_id, shift_id=shift.id, **{name: getattr(shift, name) for name in OF_SHIFT},
        opened_at=shift.opened_at, business_day=shift.business_day, kind=kind, amount_minor=amount_minor,
        source_id=source_id, why=why, at=ctx.at, actor_id=ctx.actor.id,
    )  # fmt: skip
    movement = _write(ctx.session, shift, fact)
    facts.send(ctx.session, fact, id=f"cash-{fact.id}", subject=f"shift:{shift.id}", day=shift.business_day, at=ctx.at)
    return movement


def take_apart(ctx: Context, shift: Shift, kind: str, paid: Tendered, source_id: str) -> None:
    """Note what a tab or an order was paid (rule 4). kind: one of `totals.APART`; paid: negative where it goes back."""
    shift.totals = totals.with_apart(shift.totals, kind, paid.tender, paid.amount_minor)
    if paid.tender == CASH:
        add_cash(ctx, shift, f"{kind.removesuffix('s')}_paid", paid.amount_minor, source_id)


def note_again(session: Session, store_id: str, shift_id: str, kind: str, paid: Tendered) -> bool:
    """Note by its tender what these books have lost, where its shift is open; False where that is closed here.

    Of a shift that is not here the closing brings the totals, should it come.
    """
    mine = sa.select(Shift).where(Shift.store_id == store_id, Shift.id == shift_id)
    shift = session.scalar(lock_rows(session, mine))
    if shift is not None and shift.state != "closed":
        shift.totals = totals.with_apart(shift.totals, kind, paid.tender, paid.amount_minor)
    return shift is None or shift.state != "closed"


def write_again(ctx: Context, fact: CashMoved) -> bool:
    """Write a movement these books have lost, and with a float the shift it began; False where rule 3 leaves it out."""
    if ctx.session.get(CashMovement, (fact.store_id, fact.id)) is not None:
        return True
    mine = sa.select(Shift).where(Shift.store_id == fact.store_id, Shift.id == fact.shift_id)
    shift = ctx.session.scalar(lock_rows(ctx.session, mine))
    if shift is None and fact.kind == "float":
        shift = _open_again(ctx.session, fact)
    if shift is None or shift.state == "closed":
        return False
    _write(ctx.session, shift, fact)
    journal.record(
        ctx, verb="cash.recovered", subject=f"shift:{shift.id}", kind=fact.kind,
        amount_minor=fact.amount_minor, movement=fact.id)  # fmt: skip
    ctx.session.flush()
    return True


SEES_DRAWER = "over_short"
"""The permission to see what a drawer should hold."""


def is_beyond(out_minor: int, held_minor: int) -> bool:
    """Tell whether a drawer that should hold so much cannot give so much."""
    return out_minor > max(0, held_minor)


def note_beyond(
    ctx: Context, store_id: str, shift_id: str, sums: totals.Totals, kind: str, out_minor: int, refusal: Refused,
    *, agreed: bool = False, ) -> totals.Totals:  # fmt: skip
    """Book cash that leaves a drawer beyond the books (`book_beyond`), or raise the refusal (rule 5)."""
    if agreed or permissions.may(ctx.session, store_id, ctx.actor.role, SEES_DRAWER):
        raise refusal
    return book_beyond(ctx, shift_id, sums, kind, out_minor)


def book_beyond(ctx: Context, shift_id: str, sums: totals.Totals, kind: str, out_minor: int) -> totals.Totals:
    """Journal cash that leaves a drawer beyond the books, and return the shift's totals with it (rules 6, 7)."""
    facts = {"kind": kind, "amount_minor": out_minor}
    journal.record(ctx, verb="shift.beyond_drawer", subject=f"shift:{shift_id}", **facts)
    return totals.with_beyond(sums, [ctx.actor.name, ctx.at.isoformat(), kind, out_minor])


# --- inside ---


def _write(session: Session, shift: Shift, fact: CashMoved) -> CashMovement:
    movement = CashMovement(
        store_id=fact.store_id, id=fact.id, shift_id=shift.id, kind=fact.kind, amount_minor=fact.amount_minor,
        source_id=fact.source_id, why=fact.why, at=fact.at, actor_id=fact.actor_id,
    )  # fmt: skip
    session.add(movement)
    shift.expected_minor += fact.amount_minor
    shift.totals = totals.with_cash(shift.totals, fact.kind, fact.amount_minor)
    return movement


def _open_again(session: Session, fact: CashMoved) -> Shift | None:
    """Open the lost shift again; None where its till has another that is open (rule 3)."""
    another = sa.exists().where(Shift.store_id == fact.store_id, Shift.till_id == fact.till_id, Shift.state != "closed")
    if session.scalar(sa.select(another)):
        return None
    shift = Shift(
        store_id=fact.store_id, id=fact.shift_id, **{name: getattr(fact, name) for name in OF_SHIFT},
        opened_at=fact.opened_at, business_day=fact.business_day,
        expected_minor=0, totals=totals.opening(), counted_times=0,
    )  # fmt: skip
    session.add(shift)
    session.flush()
    return shift

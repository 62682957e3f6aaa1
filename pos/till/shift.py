"""One spell at a till: from the float to the count.

Rules
-----
1. One shift is open per till at a time (a unique index says so); a sale belongs to the open shift of its till.
2. The drawer is a ledger of signed cash movements: float, sale, change, refund, drop, pay-in, pay-out. Expected cash is
   their sum; change is its own negative row.
3. Counting is blind: the drawer may be counted twice, then the count is settled, and only now expected is shown. A
   settled count stays: no further count, no going back to selling.
4. over/short = counted - expected (K6). Beyond the store's tolerance a person who may settle it agrees, with a reason.
5. Closing freezes Z with a number and a hash of its own; a closed shift never changes. A sale that arrives late is
   kept under its own shift and listed on the till's next Z.
6. Expected cash and totals run along with every sale, so closing never walks through the sales one by one.
7. Whoever takes over a drawer does so by name: by signing it over, or by a count, a close and a new float. Others may
   sell on it meanwhile, and X and Z name them; it is counted, settled, closed and signed over by its holder alone, by
   who may handle other people's drawers, or with such a person's leave.
8. Until the count is settled, what cash can be worked out from is kept from people who may not settle a drawer.
9. What was counted leaves as two sums: what stays as the next float, and what is put in the safe or taken to the bank;
   together they are the count, to the cent. The next shift of the till is offered the float that stayed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, check_amount
from config.ids import new_id
from config.money import exponent
from config.nodes import facts, journal
from config.nodes.journal import Actor, Context
from pos.facts import SaleCompleted
from pos.printing import queue
from pos.store import approvals as leave
from pos.store.approvals import Need
from pos.store.permissions import may
from pos.store.store import Till, day_of, store_of
from pos.till import denominations, shift_report, totals
from pos.till.drawer_cash import add_cash
from pos.till.shift_book import STATES, CashCount, LateSale, Shift
from pos.till.shift_report import x_report

MOST_COUNTS = 2
OVER_SHORT = "over_short"
"""The permission to settle a drawer that is off beyond the tolerance, and to see its cash before the count."""
OTHERS = "drawer.others"  # the permission to handle a drawer somebody else holds


@dataclass(frozen=True)
class Closing:
    """The command to close, as `approvals` knows it: leave is granted for the shift."""

    id: str
    store_id: str
    approvals: Sequence[str]


@dataclass(frozen=True)
class PutAway:
    """Where the counted cash goes (rule 9). keep_minor: what stays; to: where the rest goes, one of AWAY."""

    keep_minor: int
    to: str


AWAY = ("safe", "bank")
Counted = int | Mapping[str, int]
"""A sum in minor units, or pieces by denomination."""

# --- verbs ---


def open_shift(ctx: Context, store_id: str, till_id: str, float_counted: Counted) -> Shift:
    """Open a till with its float, a sum or pieces; Conflict while another shift is open there (rule 1)."""
    float_minor = _worth(ctx.session, store_id, float_counted)
    if ctx.session.get(Till, (store_id, till_id)) is None:
        raise NotFound("unknown-till", "Till %(till_id)s not found at this store.", till_id=till_id)
    if current(ctx.session, store_id, till_id) is not None:
        raise Conflict("shift-open", "This till is already open. Close it first.", till_id=till_id)
    shift = Shift(
        store_id=store_id,
        id=new_id(),
        till_id=till_id,
        state=STATES.first,
        opened_by=ctx.actor.id,
        opened_by_name=ctx.actor.name,
        opened_at=ctx.at,
        business_day=day_of(ctx.session, store_id, ctx.at),
        expected_minor=0,
        totals=totals.opening(),
        counted_times=0,
    )
    ctx.session.add(shift)
    ctx.session.flush()
    movement = add_cash(ctx, shift, "float", float_minor, shift.id)
    if not isinstance(float_counted, int):
        _keep_count(ctx, shift, "float", float_counted, float_minor, new_id())
    facts = {"till": till_id, "float_minor": float_minor, "movement": movement.id}
    if (left_minor := float_left(ctx.session, store_id, till_id)) is not None:
        facts["left_minor"] = left_minor
    journal.record(ctx, verb="shift.opened", subject=f"shift:{shift.id}", **facts)
    return shift


def begin_count(ctx: Context, shift: Shift) -> Shift:
    """Stop selling on this till so that its drawer can be counted; once it is so, nothing changes."""
    locked(ctx.session, shift.store_id, shift.till_id)
    _refuse_strangers(ctx, shift)
    if shift.state != "counting":
        journal.move(ctx, shift, "counting", subject=f"shift:{shift.id}")
    return shift


def go_back(ctx: Context, shift: Shift) -> Shift:
    """Go on selling: the count is put off, once. Refused once the count is settled (rule 3)."""
    locked(ctx.session, shift.store_id, shift.till_id)
    if shift.is_settled:
        raise Refused(
            "count-settled", "The count can’t be changed now that the expected amount has been shown. Close the till."
        )
    shift.counted_times = 0
    if shift.state != "open":
        journal.move(ctx, shift, "open", subject=f"shift:{shift.id}")
    return shift


def count(ctx: Context, shift: Shift, counted: Counted, *, id: str | None = None) -> CashCount:
    """Write down what was counted, blind (rule 3); a shift nobody began to count is counted now. id: the command."""
    total_minor = _worth(ctx.session, shift.store_id, counted)
    locked(ctx.session, shift.store_id, shift.till_id)
    if id is not None and (known := ctx.session.get(CashCount, (shift.store_id, id))) is not None:
        return known
    _refuse_strangers(ctx, shift)
    if shift.state == "open":
        begin_count(ctx, shift)
    if shift.state != "counting" or shift.is_settled:
        raise Refused(
            "count-settled", "The count can’t be changed now that the expected amount has been shown. Close the till."
        )
    if shift.counted_times >= MOST_COUNTS:
        raise Refused("counted-twice", "The drawer was already counted twice. Continue with the last count.")
    shift.counted_times += 1
    row = _keep_count(ctx, shift, "count", counted, total_minor, id or new_id())
    facts = {"counted_minor": total_minor, "pieces": row.pieces, "time": shift.counted_times}
    journal.record(ctx, verb="shift.drawer_counted", subject=f"shift:{shift.id}", **facts)
    return row


def settle(ctx: Context, shift: Shift) -> int:
    """Let the last count stand and return over/short: from now on expected is shown (rules 3, 4)."""
    locked(ctx.session, shift.store_id, shift.till_id)
    if not shift.is_settled:
        _refuse_strangers(ctx, shift)
        last = last_count(ctx.session, shift)
        if shift.state != "counting" or last is None:
            raise Refused("not-counted", "Count the drawer first, then close the till.")
        shift.counted_minor = last.total_minor
        shift.over_short_minor = last.total_minor - shift.expected_minor
        facts = {"counted_minor": shift.counted_minor, "expected_minor": shift.expected_minor}
        facts["over_short_minor"] = shift.over_short_minor
        journal.record(ctx, verb="shift.settled", subject=f"shift:{shift.id}", **facts)
    return shift.over_short_minor or 0


def close(
    ctx: Context,
    shift: Shift,
    counted: Counted | None = None,
    *,
    why: str = "",
    approvals: Sequence[str] = (),
    put_away: PutAway | None = None,
) -> Shift:
    """Close a shift: Z is frozen, printed and told to the network (rules 4 to 6).

    counted: counted and settled now, unless that happened before. why and approvals: for a drawer that is off beyond
    the tolerance; refused without a reason, or a person who may settle it. put_away: None where all of it stays, with
    nothing said of the next float (rule 9). The same again changes nothing.
    """
    locked(ctx.session, shift.store_id, shift.till_id)
    if counted is not None and not shift.is_settled:
        count(ctx, shift, counted)
    elif counted is not None and _worth(ctx.session, shift.store_id, counted) != shift.counted_minor:
        raise Conflict(
            "count-settled", "The count can’t be changed now that the expected amount has been shown. Close the till."
        )
    if shift.state == "closed":
        return shift
    _refuse_strangers(ctx, shift)
    over_short_minor = settle(ctx, shift)
    agreed_by = _agree(ctx, shift, why, approvals)
    last_no, before = _last_z(ctx.session, shift.store_id, shift.till_id)
    shift.closed_at, shift.z_no = ctx.at, last_no + 1
    last = last_count(ctx.session, shift)
    money = {"pieces": last.pieces if last is not None else {}} | _put_away(shift, put_away)
    late = _late(ctx.session, shift)
    shift.z_report = shift_report.z_report(
        ctx.session, shift, before, late, money, closed_by=ctx.actor.name, why=why, agreed_by=agreed_by
    )
    journal.move(
        ctx,
        shift,
        "closed",
        subject=f"shift:{shift.id}",
        why=why.strip() or None,
        z_no=shift.z_no,
        counted_minor=shift.counted_minor,
        over_short_minor=over_short_minor,
        z_hash=shift.z_report["hash"],
    )
    ctx.session.flush()
    printout = queue.Printout("z", shift.id, shift.z_report)
    queue.queue(ctx.session, shift.store_id, shift.till_id, printout, at=ctx.at)
    _send(ctx, shift)
    return shift


def sign_over(ctx: Context, shift: Shift, to: Actor) -> Shift:
    """Hand the open drawer to another person without a count: journalled with both names, an X report printed (rule 7).

    to: who takes it, after proving who they are.
    """
    locked(ctx.session, shift.store_id, shift.till_id)
    need_open(shift)
    if to.id == (shift.held_by or shift.opened_by):
        raise Refused("same-person", "%(name)s already has this drawer.", name=to.name)
    _refuse_strangers(ctx, shift)
    before, shift.held_by, shift.held_by_name = shift.holder, to.id, to.name
    note(shift, "hand_over")
    shift.totals = totals.with_holder(shift.totals, to.id)
    facts = {"from_name": before, "to": to.id, "to_name": to.name}
    journal.record(ctx, verb="shift.signed_over", subject=f"shift:{shift.id}", **facts)
    blind = not (sees_cash(ctx.session, shift, ctx.actor) and sees_cash(ctx.session, shift, to))
    print_x(ctx, shift, blind=blind)
    return shift


def relieve(
    ctx: Context,
    shift: Shift,
    to: Actor,
    float_counted: Counted,
    *,
    why: str = "",
    approvals: Sequence[str] = (),
    put_away: PutAway | None = None,
) -> Shift:
    """Close the counted shift and open the next one for who takes over, in one go (rule 7); returns the new shift."""
    close(ctx, shift, why=why, approvals=approvals, put_away=put_away)
    return open_shift(Context(ctx.session, to, ctx.at), shift.store_id, shift.till_id, float_counted)


def print_x(ctx: Context, shift: Shift, *, blind: bool | None = None) -> dict[str, Any]:
    """Print the shift so far; every X is counted and journalled. Expected cash is not on it (rule 3).

    blind: whether cash is left out (rule 8); unless told otherwise as the actor may see it.
    """
    locked(ctx.session, shift.store_id, shift.till_id)
    note(shift, "x_report")
    document = whole = x_report(ctx.session, shift)
    if blind or (blind is None and not sees_cash(ctx.session, shift, ctx.actor)):
        document = shift_report.blinded(whole)
    queue.queue(ctx.session, shift.store_id, shift.till_id, queue.Printout("x", shift.id, document), at=ctx.at)
    facts = {"time": shift.totals["events"]["x_report"][0], "total_minor": whole["total_minor"]}
    journal.record(ctx, verb="shift.x_printed", subject=f"shift:{shift.id}", **facts)
    return document


def note(shift: Shift, kind: str, amount_minor: int = 0) -> None:
    """Count an event of the till in its totals: a void, a no-sale, a reprint ... The caller has locked the shift."""
    shift.totals = totals.with_event(shift.totals, kind, amount_minor)


def keep_late(session: Session, fact: SaleCompleted, *, at: dt.datetime) -> LateSale | None:
    """Note a sale that arrived for a shift whose Z was frozen without it (rule 5); None for any other sale."""
    store_id = str(fact.store["id"])
    shift = session.get(Shift, (store_id, fact.shift_id))
    if shift is None or shift.state != "closed" or not shift.totals:
        return None
    first, last = shift.totals["first_receipt_no"], shift.totals["last_receipt_no"]
    if shift.totals["epoch"] == fact.epoch and first is not None and first <= fact.receipt_no <= last:
        return None  # Z counts it: the sale only travelled more slowly than the closing
    row = LateSale(
        store_id=store_id, sale_id=fact.id, till_id=fact.till_id, shift_id=fact.shift_id, receipt_no=fact.receipt_no,
        total_minor=fact.total_minor, noted_at=at, reported_by=None,
    )  # fmt: skip
    session.add(row)
    return row


def set_tolerance(ctx: Context, store_id: str, minor: int) -> None:
    """Settle by how much a drawer may be off before another person has to agree."""
    check_amount(minor, 0)
    store = store_of(ctx.session, store_id)
    facts = {"before_minor": tolerance_minor(ctx.session, store_id), "tolerance_minor": minor}
    store.cash_tolerance_minor = minor
    journal.record(ctx, verb="shift.tolerance_set", subject=f"store:{store_id}", **facts)


# --- questions ---


def current(session: Session, store_id: str, till_id: str) -> Shift | None:
    """Return the till's shift that is not closed yet."""
    return session.scalar(_of_till(store_id, till_id))


def locked(session: Session, store_id: str, till_id: str) -> Shift | None:
    """Return the till's shift that is not closed yet, its row locked: a sale and a closing wait for each other."""
    query = lock_rows(session, _of_till(store_id, till_id))
    return session.scalar(query.execution_options(populate_existing=True))


def last_count(session: Session, shift: Shift) -> CashCount | None:
    """Return how the drawer was counted last."""
    query = sa.select(CashCount).where(
        CashCount.store_id == shift.store_id, CashCount.shift_id == shift.id, CashCount.kind == "count"
    )
    return session.scalar(query.order_by(CashCount.id.desc()).limit(1))


def float_left(session: Session, store_id: str, till_id: str) -> int | None:
    """Return what stayed in a till's drawer when it was closed last (rule 9); None where nobody said."""
    _z_no, report = _last_z(session, store_id, till_id)
    left: int | None = (report or {}).get("kept_minor")
    return left


def usual_float(shift: Shift, counted_minor: int) -> int:
    """Return what to propose to stay of a count: as much as the shift began with, if there is so much."""
    began: int = shift.totals.get("cash", {}).get("float", 0)
    return min(began, counted_minor)


def tolerance_minor(session: Session, store_id: str) -> int:
    """Return by how much a drawer may be off before another person has to agree."""
    store = store_of(session, store_id)
    if store.cash_tolerance_minor is not None:
        return store.cash_tolerance_minor
    return int(5 * 10 ** max(2, exponent(store.currency)))


def x_seen_by(session: Session, shift: Shift, actor: Actor) -> dict[str, Any]:
    """Return the shift so far as this person may see it (rule 8)."""
    report = x_report(session, shift)
    return report if sees_cash(session, shift, actor) else shift_report.blinded(report)


def sees_cash(session: Session, shift: Shift, actor: Actor) -> bool:
    """Tell whether a person may see what cash the drawer should hold (rule 8)."""
    return shift.is_settled or may(session, shift.store_id, actor.role, OVER_SHORT)


def stranger(ctx: Context, shift: Shift) -> Need | None:
    """Return what handling this drawer asks of a person who does not hold it (rule 7); None for who may.

    Leave that was granted for the shift lasts as long as any, so that counting and closing ask for one PIN.
    """
    holds = ctx.actor.id == (shift.held_by or shift.opened_by)
    if holds or may(ctx.session, shift.store_id, ctx.actor.role, OTHERS):
        return None
    if leave.has_leave(ctx, shift.store_id, shift.id, OTHERS):
        return None
    return Need(OTHERS)


def wanted_leave(session: Session, shift: Shift) -> Need | None:
    """Return what closing asks of a person (rule 4); None while the drawer is within the tolerance."""
    if abs(shift.over_short_minor or 0) <= tolerance_minor(session, shift.store_id):
        return None
    off_minor = shift.over_short_minor or 0
    covers = {"over_minor" if off_minor > 0 else "short_minor": abs(off_minor)}
    return Need(OVER_SHORT, covers=covers)


# --- inside ---


def _of_till(store_id: str, till_id: str) -> sa.Select[Shift]:
    return sa.select(Shift).where(Shift.store_id == store_id, Shift.till_id == till_id, Shift.state != "closed")


def _worth(session: Session, store_id: str, counted: Counted) -> int:
    if isinstance(counted, Mapping):
        counted = denominations.total(store_of(session, store_id).currency, counted)
    check_amount(counted, 0)
    return counted


def _keep_count(ctx: Context, shift: Shift, kind: str, counted: Counted, total_minor: int, id: str) -> CashCount:
    row = CashCount(
        store_id=shift.store_id,
        id=id,
        shift_id=shift.id,
        kind=kind,
        pieces=denominations.tidy(counted) if isinstance(counted, Mapping) else {},
        total_minor=total_minor,
        at=ctx.at,
        actor_id=ctx.actor.id,
        actor_name=ctx.actor.name,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _refuse_strangers(ctx: Context, shift: Shift) -> None:
    """Refuse who neither holds this drawer nor may handle others' (rule 7)."""
    if (need := stranger(ctx, shift)) is not None:
        raise Refused(
            "not-your-drawer", "This is %(by)s's drawer. Ask them or a supervisor.",
            by=shift.holder, permissions=[need.permission], needs=[need.facts()],
        )  # fmt: skip


def _agree(ctx: Context, shift: Shift, why: str, approvals: Sequence[str]) -> str:
    """Refuse an uneven drawer that nobody answers for (rule 4); returns who agreed, '' where nobody had to."""
    need = wanted_leave(ctx.session, shift)
    if need is None:
        return ""
    if not why.strip():
        raise Invalid(
            "no-reason", "Explain the difference: it is above this store's tolerance.", field="why",
            over_short_minor=shift.over_short_minor,
        )  # fmt: skip
    used = leave.require(ctx, Closing(shift.id, shift.store_id, approvals), [need])
    return used[0].granted_by_name if used else ctx.actor.name


def _put_away(shift: Shift, wanted: PutAway | None) -> dict[str, Any]:
    """Return what a Z says of where the counted cash went (rule 9)."""
    if wanted is None:
        return {}
    check_amount(wanted.keep_minor, 0)
    counted_minor = shift.counted_minor or 0
    if wanted.keep_minor > counted_minor:
        raise Invalid("too-much-kept", "That is more than you counted. Enter the counted amount or less.", field="keep")
    if wanted.to not in AWAY:
        raise Invalid("bad-place", "Choose the safe or the bank.", field="away")
    rest_minor = counted_minor - wanted.keep_minor
    return {"kept_minor": wanted.keep_minor, "put_away_minor": rest_minor, "put_away_to": wanted.to}


def _last_z(session: Session, store_id: str, till_id: str) -> tuple[int, dict[str, Any] | None]:
    """Return a till's last Z number, and its report; 0 and None before its first."""
    query = sa.select(Shift.z_no, Shift.z_report).where(
        Shift.store_id == store_id, Shift.till_id == till_id, Shift.z_no.is_not(None)
    )
    last = session.execute(query.order_by(Shift.z_no.desc()).limit(1)).first()
    return (0, None) if last is None else (last.z_no or 0, last.z_report)


def _late(session: Session, shift: Shift) -> list[LateSale]:
    """Return the late sales that no Z of this till has listed yet, and note that this one does (rule 5)."""
    query = sa.select(LateSale).where(
        LateSale.store_id == shift.store_id, LateSale.till_id == shift.till_id, LateSale.reported_by.is_(None)
    )
    found = list(session.scalars(query.order_by(LateSale.receipt_no, LateSale.sale_id)))
    for row in found:
        row.reported_by = shift.id
    return found


def need_open(shift: Shift) -> None:
    """Refuse what only an open till does."""
    if shift.state != "open":
        raise Refused("no-open-shift", "The till is closed. Open it first.", till_id=shift.till_id)


def _send(ctx: Context, shift: Shift) -> None:
    fact = shift_report.fact_of(ctx.session, shift, closed_by=ctx.actor.id, at=ctx.at)
    facts.send(ctx.session, fact, id=shift.id, subject=f"shift:{shift.id}", day=shift.business_day, at=ctx.at)

"""One spell at a till: from the float to the count.

Rules
-----
1. One shift is open per till at a time (a unique index says so); a sale belongs to the open shift of its till.
2. The drawer is a ledger of signed cash movements: float, sale, change, refund, drop, pay-out. Expected cash is
   their sum; change is its own negative row.
3. Counting is blind: expected is shown after the count. Closing freezes Z with a number of its own; a closed
   shift never changes. A fact that arrives late is kept under its own shift and listed as late on the next Z.
4. over/short = counted - expected (K6).
5. The expected cash runs along with every movement, so closing never walks through the sales one by one.
"""

import datetime as dt
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal, outbox
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.journal import Actor
from config.money import MAX_MINOR
from config.node import NETWORK
from config.states import StateTable
from pos import printer
from pos.facts import ShiftClosed
from pos.payments import Payment
from pos.pricing import sum_taxes
from pos.store import Till, day_of, snapshot, store_of

STATES = StateTable("shift", "open", {"open": ["counting"], "counting": ["open", "closed"]})


class Shift(Base):
    """A spell at a till."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "shift"
    __table_args__ = (
        sa.Index(
            "uq_shift_one_open",
            "store_id",
            "till_id",
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        ),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    opened_by: Mapped[str]
    opened_by_name: Mapped[str]
    opened_at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    expected_minor: Mapped[int] = mapped_column(default=0)
    """Running sum of the shift's cash movements, float included."""
    counted_minor: Mapped[int | None]
    over_short_minor: Mapped[int | None]
    closed_at: Mapped[dt.datetime | None]
    z_no: Mapped[int | None]
    z_report: Mapped[dict[str, Any] | None]
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Running totals of the shift, so that closing reads no sale: `totals`."""


class CashMovement(Base):
    """Signed cash in (+) or out (-) of a drawer."""

    __tablename__ = "cash_movement"
    __table_args__ = (sa.Index("ix_cash_movement_shift", "store_id", "shift_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    shift_id: Mapped[str]
    kind: Mapped[str]
    """float | sale | change | refund | drop | pay_out"""
    amount_minor: Mapped[int]
    source_id: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


# --- verbs ---


def open_shift(
    session: Session, store_id: str, till_id: str, float_minor: int, *, actor: Actor, at: dt.datetime
) -> Shift:
    """Open a till with its float; Conflict while another shift is open there (rule 1)."""
    _check_amount(float_minor)
    if session.get(Till, (store_id, till_id)) is None:
        raise NotFound("unknown-till", f"There is no till {till_id} in this shop.", till_id=till_id)
    if current(session, store_id, till_id) is not None:
        raise Conflict("shift-open", "This till is already open. Close it first.", till_id=till_id)
    shift = Shift(
        store_id=store_id,
        id=new_id(),
        till_id=till_id,
        state=STATES.first,
        opened_by=actor.id,
        opened_by_name=actor.name,
        opened_at=at,
        business_day=day_of(session, store_id, at),
        expected_minor=0,
    )
    session.add(shift)
    session.flush()
    add_cash(session, shift, "float", float_minor, shift.id, at=at, actor=actor)
    facts = {"till": till_id, "float_minor": float_minor}
    journal.record(session, actor=actor, at=at, verb="shift.opened", subject=f"shift:{shift.id}", **facts)
    return shift


def begin_count(session: Session, shift: Shift, *, actor: Actor, at: dt.datetime) -> Shift:
    """Stop selling on this till so that its drawer can be counted."""
    locked(session, shift.store_id, shift.till_id)
    journal.move(session, shift, "counting", actor=actor, at=at, subject=f"shift:{shift.id}")
    return shift


def go_back(session: Session, shift: Shift, *, actor: Actor, at: dt.datetime) -> Shift:
    """Go on selling: the count is put off."""
    journal.move(session, shift, "open", actor=actor, at=at, subject=f"shift:{shift.id}")
    return shift


def close(session: Session, shift: Shift, counted_minor: int, *, actor: Actor, at: dt.datetime) -> Shift:
    """Close a shift with what was counted: Z is frozen, printed and told to the network (rules 3, 4).

    A shift nobody began to count is counted now.
    """
    _check_amount(counted_minor)
    locked(session, shift.store_id, shift.till_id)
    if shift.state == "open":
        begin_count(session, shift, actor=actor, at=at)
    last_z = sa.select(sa.func.max(Shift.z_no)).where(Shift.store_id == shift.store_id, Shift.till_id == shift.till_id)
    z_no = (session.scalar(last_z) or 0) + 1
    over_short_minor = counted_minor - shift.expected_minor
    journal.move(
        session,
        shift,
        "closed",
        actor=actor,
        at=at,
        subject=f"shift:{shift.id}",
        z_no=z_no,
        counted_minor=counted_minor,
        over_short_minor=over_short_minor,
    )
    shift.counted_minor, shift.over_short_minor, shift.closed_at, shift.z_no = counted_minor, over_short_minor, at, z_no
    shift.z_report = x_report(session, shift) | {"closed_by": actor.name}
    session.flush()
    document = shift.z_report
    printer.queue(session, shift.store_id, shift.till_id, "z", shift.id, document, opens_drawer=False, at=at)
    _tell(session, shift, actor, at)
    return shift


def drop(
    session: Session,
    shift: Shift,
    amount_minor: int,
    *,
    why: str = "",
    id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    """Move cash from the drawer to the safe; refuses more than the drawer should hold. id: the page's command."""
    return _take_out(session, shift, "drop", amount_minor, why, id or new_id(), actor, at)


def pay_out(
    session: Session,
    shift: Shift,
    amount_minor: int,
    *,
    why: str,
    id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    """Pay something from the drawer; it needs a reason, and no more than the drawer should hold. id: the command."""
    if not why.strip():
        raise Invalid("no-reason", "Say what the money was paid for.")
    return _take_out(session, shift, "pay_out", amount_minor, why, id or new_id(), actor, at)


def add_cash(
    session: Session,
    shift: Shift,
    kind: str,
    amount_minor: int,
    source_id: str,
    *,
    why: str = "",
    at: dt.datetime,
    actor: Actor,
) -> CashMovement:
    """Write a signed cash movement and the shift's running sum together (rules 2, 5)."""
    movement = CashMovement(
        store_id=shift.store_id,
        id=new_id(),
        shift_id=shift.id,
        kind=kind,
        amount_minor=amount_minor,
        source_id=source_id,
        why=why,
        at=at,
        actor_id=actor.id,
    )
    session.add(movement)
    shift.expected_minor += amount_minor
    return movement


# --- questions ---


def current(session: Session, store_id: str, till_id: str) -> Shift | None:
    """Return the till's shift that is not closed yet."""
    return session.scalar(_of_till(store_id, till_id))


def locked(session: Session, store_id: str, till_id: str) -> Shift | None:
    """Return the till's shift that is not closed yet, its row locked: a sale and a closing wait for each other."""
    query = lock_rows(session, _of_till(store_id, till_id))
    return session.scalar(query.execution_options(populate_existing=True))


def x_report(session: Session, shift: Shift) -> dict[str, Any]:
    """Return the shift's totals so far, as the report is laid out and the Z is kept.

    Expected, counted and over/short are None until the shift is closed: counting is blind.
    """
    from pos.sale import Sale, SaleLine  # a sale belongs to a shift and knows it; only this report looks back

    store = store_of(session, shift.store_id)
    mine = (Sale.store_id == shift.store_id, Sale.shift_id == shift.id, Sale.state == "completed")
    sums = sa.select(
        Sale.kind,
        sa.func.count(),
        sa.func.sum(Sale.total_minor),
        sa.func.sum(Sale.rounding_minor),
        sa.func.min(Sale.receipt_no),
        sa.func.max(Sale.receipt_no),
    )
    kinds = {row[0]: row for row in session.execute(sums.where(*mine).group_by(Sale.kind))}
    sold, back = (kinds.get(kind, (kind, 0, 0, 0, None, None)) for kind in ("sale", "return"))
    paid = sa.select(Payment.tender, sa.func.sum(Payment.amount_minor)).join(
        Sale, sa.and_(Sale.store_id == Payment.store_id, Sale.id == Payment.sale_id)
    )
    paid = paid.where(*mine, Payment.state == "captured").group_by(Payment.tender).order_by(Payment.tender)
    cash = sa.select(CashMovement.kind, sa.func.sum(CashMovement.amount_minor)).where(
        CashMovement.store_id == shift.store_id, CashMovement.shift_id == shift.id
    )
    receipts = [no for row in (sold, back) for no in row[4:6] if no is not None]
    return {
        "store": snapshot(store),
        "till_id": shift.till_id,
        "till_name": session.get_one(Till, (shift.store_id, shift.till_id)).name,
        "shift_id": shift.id,
        "z_no": shift.z_no,
        "business_day": shift.business_day.isoformat(),
        "opened_by": shift.opened_by_name,
        "opened_at": _local(shift.opened_at, store.tz),
        "closed_at": _local(shift.closed_at, store.tz),
        "sales_count": sold[1],
        "sales_minor": int(sold[2]),
        "returns_count": back[1],
        "returns_minor": int(back[2]),
        "total_minor": int(sold[2]) + int(back[2]),
        "rounding_minor": int(sold[3]) + int(back[3]),
        "first_receipt_no": min(receipts, default=None),
        "last_receipt_no": max(receipts, default=None),
        "tenders": {tender: int(minor) for tender, minor in session.execute(paid)},
        "taxes": _taxes(session, SaleLine, Sale, mine),
        "cash": {kind: int(minor) for kind, minor in session.execute(cash.group_by(CashMovement.kind))},
        "expected_minor": None if shift.closed_at is None else shift.expected_minor,
        "counted_minor": shift.counted_minor,
        "over_short_minor": shift.over_short_minor,
    }


# --- inside ---


def _of_till(store_id: str, till_id: str) -> sa.Select[Shift]:
    return sa.select(Shift).where(Shift.store_id == store_id, Shift.till_id == till_id, Shift.state != "closed")


def _taxes(session: Session, line: Any, sale: Any, mine: tuple[sa.ColumnElement[bool], ...]) -> list[dict[str, Any]]:
    sums = sa.select(line.tax_class_id, line.rate_bp, sa.func.sum(line.net_minor), sa.func.sum(line.tax_minor))
    sums = sums.join(sale, sa.and_(sale.store_id == line.store_id, sale.id == line.sale_id)).where(*mine)
    rows = session.execute(sums.group_by(line.tax_class_id, line.rate_bp))
    taxes = sum_taxes([(tax_class_id, rate_bp, int(net), int(tax)) for tax_class_id, rate_bp, net, tax in rows])
    return [vars(row) | {"gross_minor": row.net_minor + row.tax_minor} for row in taxes]


def _take_out(
    session: Session,
    shift: Shift,
    kind: str,
    amount_minor: int,
    why: str,
    source_id: str,
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    _check_amount(amount_minor)
    locked(session, shift.store_id, shift.till_id)
    if shift.state != "open":
        raise Refused("no-open-shift", "This till is not open. Open it first.", till_id=shift.till_id)
    if not 0 < amount_minor <= shift.expected_minor:
        raise Refused("not-in-drawer", "There cannot be that much in the drawer. Type the amount again.")
    movement = add_cash(session, shift, kind, -amount_minor, source_id, why=why.strip(), at=at, actor=actor)
    facts = {"amount_minor": amount_minor, "reason": why.strip()}
    journal.record(session, actor=actor, at=at, verb=f"shift.{kind}", subject=f"shift:{shift.id}", **facts)
    return movement


def _tell(session: Session, shift: Shift, actor: Actor, at: dt.datetime) -> None:
    apart = sa.select(CashMovement).where(
        CashMovement.store_id == shift.store_id,
        CashMovement.shift_id == shift.id,
        CashMovement.kind.in_(("float", "drop", "pay_out")),
    )
    fact = ShiftClosed(
        id=shift.id,
        store_id=shift.store_id,
        till_id=shift.till_id,
        opened_by=shift.opened_by,
        opened_by_name=shift.opened_by_name,
        opened_at=_stamp(shift.opened_at),
        closed_by=actor.id,
        closed_at=_stamp(at),
        business_day=shift.business_day.isoformat(),
        z_no=shift.z_no or 0,
        expected_minor=shift.expected_minor,
        counted_minor=shift.counted_minor or 0,
        over_short_minor=shift.over_short_minor or 0,
        z_report=shift.z_report or {},
        cash=tuple(
            (row.id, row.kind, row.amount_minor, row.source_id, row.why, _stamp(row.at), row.actor_id)
            for row in session.scalars(apart.order_by(CashMovement.id))
        ),
    )
    outbox.append(
        session,
        to_node=NETWORK,
        topic=fact.TOPIC,
        version=fact.VERSION,
        body=fact.to_body(),
        id=shift.id,
        subject=f"shift:{shift.id}",
        business_day=shift.business_day,
        at=at,
    )


def _check_amount(amount_minor: int) -> None:
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or not 0 <= amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Type an amount of money that is not negative.", amount_minor=amount_minor)


def _local(at: dt.datetime | None, tz: str) -> str | None:
    return None if at is None else f"{at.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M}"


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")

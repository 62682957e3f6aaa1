"""What producers are owed and were paid, and the way of a lot from producer to receipt and back.

Rules
-----
1. A statement takes every move of a producer up to a day that no other has taken, once; what came back later stands in
   the next one. So all statements and what is open are always all moves (K18). Agents' parts go to the network with it
   (`agents` rule 3).
2. A statement is made, then paid: by bank, or in cash out of the drawer as a pay-out. One that owes nothing, or less,
   is settled by being made: what is below zero is carried on.
3. A trace is one question: every move with its lot, producer and receipt.

Units: *_minor minor units.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused
from config.finding import Finding
from config.nodes import journal
from config.nodes.journal import Context
from pos.producers import agents
from pos.producers.producers import Producer, ProducerMovement, producer_of
from pos.sold import Sale, SaleLine
from pos.stock.producer_lots import ProducerLot
from pos.till import hand_cash, shift

HOW = ("bank", "cash")
_SUMS = ("net_minor", "commission_minor", "agent_minor", "due_minor")


class ProducerStatement(Base):
    """What a producer was told and paid for some days. carried_minor: what the one before left below zero."""

    __tablename__ = "producer_statement"
    __table_args__ = (sa.UniqueConstraint("store_id", "producer_id", "no"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    producer_id: Mapped[str]
    no: Mapped[int]
    until_day: Mapped[dt.date]
    net_minor: Mapped[int]
    commission_minor: Mapped[int]
    agent_minor: Mapped[int]
    due_minor: Mapped[int]
    carried_minor: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str]
    paid_at: Mapped[dt.datetime | None]
    paid_how: Mapped[str] = mapped_column(default="")

    @property
    def to_pay_minor(self) -> int:
        """What the producer gets."""
        return max(0, self.due_minor + self.carried_minor)


@dataclass(frozen=True)
class Open:
    """What of a producer no statement has taken yet. carried_minor: below zero, from the last statement."""

    net_minor: int
    commission_minor: int
    agent_minor: int
    due_minor: int
    carried_minor: int


@dataclass(frozen=True)
class Traced:
    """A part of a receipt that came of a lot (rule 3). lot_id, lot_code None: sold beyond all lots."""

    producer: str
    lot_id: str | None
    lot_code: str | None
    harvested_on: dt.date | None
    came_on: dt.date | None
    product: str
    qty: int
    sale_id: str
    till_id: str
    receipt_no: int
    sold_at: dt.datetime
    net_minor: int
    commission_minor: int
    due_minor: int


# --- verbs ---


def make(ctx: Context, store_id: str, producer_id: str, until_day: dt.date, *, id: str) -> ProducerStatement:
    """Make a producer's statement up to a day (rule 1); the same id again is the same one."""
    if (known := ctx.session.get(ProducerStatement, (store_id, id))) is not None:
        return known
    ctx.session.execute(lock_rows(ctx.session, sa.select(Producer.id).where(*_who(Producer.id, store_id, producer_id))))
    producer_of(ctx.session, store_id, producer_id)
    which = _open(store_id, producer_id, until_day)
    sums = [int(minor or 0) for minor in ctx.session.execute(sa.select(*_sums()).where(*which)).one()]
    last = _last(ctx.session, store_id, producer_id)
    if not ctx.session.scalar(sa.select(sa.func.count()).where(*which)):
        raise Refused("nothing-sold", "Nothing was sold or returned since the last statement.")
    row = ProducerStatement(
        store_id=store_id, id=id, producer_id=producer_id, no=(last.no if last else 0) + 1, until_day=until_day,
        **dict(zip(_SUMS, sums, strict=True)), carried_minor=_carried(last), made_at=ctx.at, made_by=ctx.actor.name,
        paid_how="",
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.execute(sa.update(ProducerMovement).where(*which).values(statement_id=id))
    agents.send_parts(ctx.session, store_id, id, agents_of(ctx.session, row), at=ctx.at)
    journal.record(ctx, verb="produce.stated", subject=f"producer:{producer_id}", no=row.no, due_minor=row.due_minor)
    return row


def pay(ctx: Context, store_id: str, statement_id: str, how: str, *, till_id: str = "") -> ProducerStatement:
    """Write that a statement was paid (rule 2); in cash the drawer gives it out. Paying twice is paying once."""
    row = statement_of(ctx.session, store_id, statement_id, lock=True)
    if row.paid_at is not None:
        return row
    if how not in HOW:
        raise Invalid("unknown-tender", "Producers are paid by bank or in cash.", field="how")
    if not row.to_pay_minor:
        raise Refused("nothing-to-pay-out", "Nothing to pay. The balance carries over to the next statement.")
    if how == "cash":
        drawer = shift.locked(ctx.session, store_id, till_id)
        if drawer is None or drawer.state != "open":
            raise Refused("no-open-shift", "The till is closed. Open it with its float first.", till_id=till_id)
        name = producer_of(ctx.session, store_id, row.producer_id).name
        hand_cash.pay_out(ctx, drawer, row.to_pay_minor, why=f"{name} {row.no}", id=f"produce-{row.id}")
    row.paid_at, row.paid_how = ctx.at, how
    journal.record(
        ctx, verb="produce.paid", subject=f"producer:{row.producer_id}", no=row.no, how=how,
        amount_minor=row.to_pay_minor)  # fmt: skip
    return row


# --- questions ---


def statement_of(session: Session, store_id: str, id: str, *, lock: bool = False) -> ProducerStatement:
    """Return a statement."""
    query = sa.select(ProducerStatement).where(ProducerStatement.store_id == store_id, ProducerStatement.id == id)
    row: ProducerStatement | None = session.scalar(lock_rows(session, query) if lock else query)
    if row is None:
        raise NotFound("unknown-statement", "Statement not found.", statement=id)
    return row


def statements_of(session: Session, store_id: str, producer_id: str) -> list[ProducerStatement]:
    """Return a producer's statements, the newest first."""
    query = sa.select(ProducerStatement).where(*_who(ProducerStatement.producer_id, store_id, producer_id))
    return list(session.scalars(query.order_by(ProducerStatement.no.desc()).limit(60)))


def agents_of(session: Session, statement: ProducerStatement) -> dict[str, int]:
    """Return each agent's part of a statement, those of nothing left out."""
    part = sa.func.sum(ProducerMovement.agent_minor)
    query = sa.select(ProducerMovement.agent_name, part).where(
        ProducerMovement.store_id == statement.store_id, ProducerMovement.statement_id == statement.id,
        ProducerMovement.agent_name != "",
    )  # fmt: skip
    rows = session.execute(
        query.group_by(ProducerMovement.agent_name).having(part != 0).order_by(ProducerMovement.agent_name)
    )
    return {name: int(minor) for name, minor in rows}


def open_of(session: Session, store_id: str, producer_id: str) -> Open:
    """Return what no statement has taken yet."""
    sums = session.execute(sa.select(*_sums()).where(*_open(store_id, producer_id, dt.date.max))).one()
    carried = _carried(_last(session, store_id, producer_id))
    net, commission, agent, due = (int(minor or 0) for minor in sums)
    return Open(net, commission, agent, due, carried)


def trace(
    session: Session,
    store_id: str,
    *,
    lot_id: str | None = None,
    receipt: tuple[str, int] | None = None,
    statement_id: str | None = None,
    limit: int = 2_000,
) -> list[Traced]:
    """Follow a lot to its receipts, a receipt (till, number) to its lots, or a statement to both (rule 3)."""
    query = (
        sa.select(
            Producer.name,
            ProducerLot.id,
            ProducerLot.code,
            ProducerLot.harvested_on,
            ProducerLot.came_on,
            SaleLine.name,
            ProducerMovement.qty,
            Sale.id,
            Sale.till_id,
            Sale.receipt_no,
            Sale.completed_at,
            ProducerMovement.net_minor,
            ProducerMovement.commission_minor,
            ProducerMovement.due_minor,
        )
        .join(
            Producer,
            sa.and_(Producer.store_id == ProducerMovement.store_id, Producer.id == ProducerMovement.producer_id),
        )
        .join(Sale, sa.and_(Sale.store_id == ProducerMovement.store_id, Sale.id == ProducerMovement.sale_id))
        .join(
            SaleLine,
            sa.and_(
                SaleLine.store_id == ProducerMovement.store_id,
                SaleLine.sale_id == ProducerMovement.sale_id,
                SaleLine.n == ProducerMovement.line_n,
            ),
        )
        .outerjoin(
            ProducerLot,
            sa.and_(ProducerLot.store_id == ProducerMovement.store_id, ProducerLot.id == ProducerMovement.lot_id),
        )
        .where(ProducerMovement.store_id == store_id)
        .order_by(Sale.completed_at, Sale.id, ProducerMovement.line_n, ProducerMovement.id)
        .limit(limit)
    )
    if lot_id is not None:
        query = query.where(ProducerMovement.lot_id == lot_id)
    if receipt is not None:
        query = query.where(Sale.till_id == receipt[0], Sale.receipt_no == receipt[1])
    if statement_id is not None:
        query = query.where(ProducerMovement.statement_id == statement_id)
    rows: Sequence[Any] = session.execute(query).all()
    return [Traced(*row) for row in rows]


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """K18: every statement is the sum of its moves."""
    moved = sa.select(ProducerMovement.store_id, ProducerMovement.statement_id, *_sums())
    moved = moved.where(ProducerMovement.statement_id.is_not(None))
    rows = session.execute(moved.group_by(ProducerMovement.store_id, ProducerMovement.statement_id))
    sums = {(store, key): [int(minor) for minor in minors] for store, key, *minors in rows}
    query = sa.select(ProducerStatement)
    if store_id is not None:
        query = query.where(ProducerStatement.store_id == store_id)
    found = []
    for row in session.scalars(query):
        said, there = [getattr(row, name) for name in _SUMS], sums.get((row.store_id, row.id))
        if said != there:
            found.append(Finding("K18", f"statement:{row.id}", f"{said}", f"{there} by its moves"))
    return found


# --- inside ---


def _sums() -> Sequence[sa.ColumnElement[int]]:
    return [sa.func.sum(getattr(ProducerMovement, name)) for name in _SUMS]


def _open(store_id: str, producer_id: str, until: dt.date) -> list[sa.ColumnElement[bool]]:
    return [
        ProducerMovement.store_id == store_id,
        ProducerMovement.producer_id == producer_id,
        ProducerMovement.statement_id.is_(None),
        ProducerMovement.business_day <= until,
    ]


def _who(column: sa.orm.InstrumentedAttribute[str], store_id: str, producer_id: str) -> list[sa.ColumnElement[bool]]:
    return [column.class_.store_id == store_id, column == producer_id]


def _last(session: Session, store_id: str, producer_id: str) -> ProducerStatement | None:
    query = sa.select(ProducerStatement).where(*_who(ProducerStatement.producer_id, store_id, producer_id))
    return session.scalars(query.order_by(ProducerStatement.no.desc()).limit(1)).first()


def _carried(last: ProducerStatement | None) -> int:
    return min(0, last.due_minor + last.carried_minor) if last is not None else 0

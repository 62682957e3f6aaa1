"""A store's credit with the network: one line, drawn inside an order, paid back as the goods sell.

Rules
-----
1. The network sets a store's line every night from figures the store can read and recompute (`credit_limit`), and tells
   it. What is available is the limit less what is owed on credit, advances called in, and what open orders have drawn
   and not yet brought. An answered order has drawn what its promised packs cost, at most what was granted.
2. Credit is drawn by an order to the network and by nothing else: at sending, for the order's whole cost. The network
   looks again; beyond the limit, or on a held line, the order waits until the operator lets it go or refuses it. A
   refused one is answered like an order nothing was there for: the store proposes again. With an order the store calls
   off its draw is called off.
3. A delivery of such an order makes an invoice on credit, due by expected sell-through (`road`, rule 10) and
   free of interest until then. What came beyond the draw is invoiced on account.
4. A line is held by rule while an invoice, on credit or on account, is late beyond the grace days or the store's
   messages contradict each other, and by the operator with a reason. A hold by rule ends by itself, the operator's by
   the operator. A held line draws nothing new, and orders on account wait (`account_orders`); what is owed stays as
   agreed.
5. Giving up what is left of an invoice is the network's loss in the store's book (`money.ledger`); it forgives nothing.
   The store's line is held by the operator until the operator releases it, though nothing is late any more: it draws no
   credit, and its orders on account wait.
6. A late return is charged to the store at once. The customer gets the money at once where the store is good for all
   that it then owes: by its funds, by the share of what is kept for goods that its customers have proved to have, and
   by its credit. Beyond that it waits for the operator, who decides how much the network pays.
7. So what a store that vanishes and its accomplices can cost the network by late returns is its credit limit.

Units: *_minor minor units of the store's currency.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import NETWORK
from config.money import MAX_MINOR, amount_for
from config.nodes import door, journal
from config.nodes.facts import STORE, Day, Fact, Instant, Whole, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.stock.consignment_stock import Consignment
from pos.store.store import send_fact
from supply.demand.history import StoreDay
from supply.money import ledger
from supply.money import terms as money_terms
from supply.money.credit_limit import REPAID_DAYS, WEEKS
from supply.money.held_payments import share_of_held
from supply.money.ledger import (
    Booking,
    Invoice,
    Stocked,
    Wanted,
    balances,
    called_in_left,
    entries_of,
    open_invoices,
    owed,
    sell_through_days,
)
from supply.orders import arrivals, deliveries, orders
from supply.orders.claims import costs_of
from supply.orders.deliveries import Delivery
from supply.orders.orders import ANSWERED, ON_THE_WAY, ReplenishmentOrder
from supply.orders.suppliers import Supplier

STATES = StateTable(
    "credit draw",
    "asked",
    {
        "asked": ["granted", "held", "called_off"],
        "held": ["granted", "refused", "called_off"],
        "granted": [],
        "refused": [],
        "called_off": [],
    },
)
LINE_STATES = StateTable("credit line", "open", {"open": ["held"], "held": ["open"]}, resting=["open", "held"])


class LineReported(Fact, topic="credit.reported", said_by=NETWORK):
    """A store's credit line as the network has it; the highest step stands."""

    store_id: str
    state: str
    limit_minor: Whole
    level: Whole
    held_by: str
    held_why: str
    facts: dict[str, Any]
    terms: dict[str, Any]
    terms_n: Whole
    steps: list[Any]
    worked_out_on: Day
    advance_most_minor: Whole
    step: Whole


class Draw(Fact):
    """An order that is to be paid on credit, whole."""

    store_id: str
    order_id: str
    order_no: Whole
    amount_minor: Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]
    asked_at: Instant
    state: str
    why: str


class DrawAsked(Draw, topic="credit.asked", said_by=STORE):
    """The store asks."""


class DrawAnswered(Draw, topic="credit.answered", said_by=NETWORK):
    """The network answers."""


class CreditLine(Base):
    """What a store may owe on credit, and every figure it was worked out from. step: rises with each change."""

    STATES: ClassVar[StateTable] = LINE_STATES
    __tablename__ = "credit_line"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=LINE_STATES.first)
    limit_minor: Mapped[int]
    level: Mapped[int]
    held_by: Mapped[str] = mapped_column(default="")
    """'' | rule | operator"""
    held_why: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]]
    terms: Mapped[dict[str, Any]]
    terms_n: Mapped[int]
    steps: Mapped[list[Any]]
    worked_out_on: Mapped[dt.date]
    advance_most_minor: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=1)


@dataclass(frozen=True)
class CreditLimit:
    """What a store may owe, as it was worked out on a day: the figures of its `CreditLine`."""

    limit_minor: int
    level: int
    facts: dict[str, Any]
    terms: dict[str, Any]
    terms_n: int
    steps: list[Any]
    worked_out_on: dt.date
    advance_most_minor: int = 0


class CreditDraw(Base):
    """One order that is to be paid on credit. amount_minor: 0 for one on account that waits (`account_orders`)."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "credit_draw"
    __table_args__ = (sa.Index("ix_credit_draw_state", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    order_no: Mapped[int]
    amount_minor: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    asked_at: Mapped[dt.datetime]
    why: Mapped[str] = mapped_column(default="")


# --- verbs, store ---


def draw(ctx: Context, store_id: str, order_id: str) -> CreditDraw:
    """Pay an approved order to the network on credit (rule 2); it is sent in the same transaction.

    Refuses another supplier's order, a held line, and more than is available. Drawing twice is drawing once.
    """
    order = orders.order_of(ctx.session, store_id, order_id)
    known = ctx.session.get(CreditDraw, (store_id, order_id))
    if known is not None:
        return known
    supplier = ctx.session.get(Supplier, order.supplier_id)
    if supplier is None or supplier.kind != NETWORK:
        raise Refused("not-on-credit", "Only orders to the network can be on credit. Send it without.")
    line = ctx.session.get(CreditLine, store_id)
    if line is not None and line.state == "held":
        raise Refused(
            "credit-held",
            "Your credit is on hold. Pay overdue invoices first; orders on account are held for the "
            "network's approval.",
        )
    cost_minor = orders.cost_of(orders.lines_of(ctx.session, order))
    left_minor = available(ctx.session, store_id)
    if cost_minor > left_minor:
        raise Refused(
            "beyond-credit", "The order exceeds your available credit. Order less, or send it on account.",
            cost_minor=cost_minor, left_minor=left_minor,
        )  # fmt: skip
    made = _begun(
        ctx.session, store_id=store_id, order_id=order_id, order_no=order.order_no, amount_minor=cost_minor,
        asked_at=ctx.at,
    )  # fmt: skip
    journal.record(ctx, verb="credit draw.asked", subject=subject_of(made), amount_minor=cost_minor)
    send_fact(ctx.session, DrawAsked.of_row(made), subject=f"credit:{store_id}", at=ctx.at)
    return made


@applies(LineReported)
def take_line(ctx: Context, fact: LineReported) -> None:
    """Keep the line as the network has it; an older word that arrives late changes nothing."""
    row = ctx.session.get(CreditLine, fact.store_id)
    if row is None or row.step < fact.step:
        values = {name: value for name, value in vars(fact).items() if name != "state"}
        journal.mirror(ctx.session.merge(CreditLine(**values)), fact.state)
    ctx.session.flush()


@applies(DrawAnswered)
def take_answer(ctx: Context, fact: DrawAnswered) -> None:
    """Take over what the network answered to a draw; a second copy changes nothing."""
    row = ctx.session.get(CreditDraw, (fact.store_id, fact.order_id))
    if row is None and not fact.amount_minor:  # the network's own word, on an order on account
        row = _begun(ctx.session, **vars(fact))
    if row is not None and STATES.legal(row.state, fact.state):
        row.why = fact.why
        if fact.state == "granted":  # let go on account before the network knew that credit was asked for
            row.amount_minor = fact.amount_minor
        journal.move(ctx, row, fact.state, subject=subject_of(row), why=row.why or None)
    elif row is not None and row.state == "asked" and fact.state == "refused":  # the hold was overtaken on its way
        journal.move(ctx, row, "held", subject=subject_of(row))
        take_answer(ctx, fact)


# --- verbs, network ---


@applies(DrawAsked)
def take_asked(ctx: Context, fact: DrawAsked) -> None:
    """Look at a store's draw again and grant it, or hold its order (rule 2); a second copy changes nothing."""
    store_id, order_id = fact.store_id, fact.order_id
    minor = door.number(fact.amount_minor, "amount_minor", 1)
    row = ctx.session.get(CreditDraw, (store_id, order_id))
    if row is not None and row.amount_minor:
        return
    left_minor = available(ctx.session, store_id)
    if row is None:
        row = _begun(ctx.session, **vars(fact))
    elif row.state == "held":  # the order came first, was taken as one on account, and waits
        row.amount_minor = minor
    else:  # it was answered as one on account, and is one
        return
    line, order = ctx.session.get(CreditLine, store_id), ctx.session.get(ReplenishmentOrder, (store_id, order_id))
    held = line is None or line.state == "held" or row.amount_minor > left_minor
    if held and order is not None and order.state not in ("sent", "cancelled"):
        row.amount_minor, held = 0, False  # it is on its way on account: there is nothing to hold any more
    target = "called_off" if order is not None and order.state == "cancelled" else "held" if held else "granted"
    if STATES.legal(row.state, target):
        row.why = ("held" if line is not None and line.state == "held" else "beyond") if target == "held" else ""
        _answer(ctx, row, target)


def hold_on_account(ctx: Context, order: ReplenishmentOrder, *, why: str) -> CreditDraw:
    """Let an order on account wait for the operator, as a draw of nothing; why: held | account."""
    row = _begun(
        ctx.session, store_id=order.store_id, order_id=order.id, order_no=order.order_no, amount_minor=0,
        asked_at=order.sent_at or ctx.at, why=why,
    )  # fmt: skip
    _answer(ctx, row, "held")
    return row


def called_off(ctx: Context, store_id: str, order_id: str) -> None:
    """Close the draw of an order the store has called off, if it still waits (rule 2)."""
    row = ctx.session.get(CreditDraw, (store_id, order_id))
    order = ctx.session.get(ReplenishmentOrder, (store_id, order_id))
    if row is not None and order is not None and order.state == "cancelled" and STATES.legal(row.state, "called_off"):
        row.why = ""
        _answer(ctx, row, "called_off")


def let_go(ctx: Context, store_id: str, order_id: str) -> CreditDraw:
    """Grant a held draw after all: the operator's word."""
    row = draw_of(ctx.session, store_id, order_id)
    _answer(ctx, row, "granted")
    return row


def refuse(ctx: Context, store_id: str, order_id: str, *, why: str) -> CreditDraw:
    """Refuse a held draw: its order is answered with nothing, and the store reads why (rule 2)."""
    row = draw_of(ctx.session, store_id, order_id)
    row.why = _reason(why)
    order = ctx.session.get(ReplenishmentOrder, (store_id, order_id))
    if order is not None and order.state != "sent":
        raise Conflict("order-moved-on", "This order is no longer waiting. Reload the list.")
    _answer(ctx, row, "refused")
    if order is not None:  # else it is answered once it comes (`account_orders`)
        arrivals.answer_nothing(ctx, order)
    return row


def set_line(ctx: Context, store_id: str, limit: CreditLimit) -> CreditLine:
    """Write a store's line as it was worked out for a day (rule 1), and tell the store what changed."""
    row, values = line_of(ctx.session, store_id), vars(limit)
    if row is None:
        row = CreditLine(store_id=store_id, state=LINE_STATES.first, held_by="", held_why="", step=1, **values)
        ctx.session.add(row)
    elif all(getattr(row, name) == value for name, value in values.items()):
        return row
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.step += 1
    ctx.session.flush()
    journal.record(
        ctx, verb="credit line.set", subject=f"credit:{store_id}", limit_minor=limit.limit_minor,
        level=limit.level, terms_n=limit.terms_n)  # fmt: skip
    _send_line(ctx.session, row, ctx.at)
    return row


def hold(ctx: Context, store_id: str, *, why: str, by_rule: bool = False) -> CreditLine:
    """Hold a line (rule 4); the operator's word stands over the rule's."""
    row = _line(ctx.session, store_id)
    why, who = _reason(why), "rule" if by_rule else "operator"
    if row.state == "held" and (by_rule or row.held_by == "operator"):
        return row
    row.held_by, row.held_why, row.step = who, why, row.step + 1
    if row.state != "held":
        journal.move(ctx, row, "held", subject=f"credit:{store_id}", why=why)
    _send_line(ctx.session, row, ctx.at)
    return row


def release(ctx: Context, store_id: str, *, by_rule: bool = False) -> CreditLine:
    """Let a held line draw again (rule 4); the rule never ends what the operator holds."""
    row = _line(ctx.session, store_id)
    if row.state == "open" or (by_rule and row.held_by == "operator"):
        return row
    row.held_by, row.held_why, row.step = "", "", row.step + 1
    journal.move(ctx, row, "open", subject=f"credit:{store_id}")
    _send_line(ctx.session, row, ctx.at)
    return row


def charge_delivery(ctx: Context, delivery: Delivery) -> None:
    """Invoice a posted delivery of the network, once: on credit as far as it was drawn, the rest on account."""
    supplier = ctx.session.get(Supplier, delivery.supplier_id)
    if delivery.state != "posted" or supplier is None or supplier.kind != NETWORK:
        return
    if ctx.session.get(Invoice, (delivery.store_id, delivery.id)) is not None:
        return
    lines = _priced(ctx.session, delivery)
    total_minor = sum(line[3] for line in lines)
    if total_minor == 0:
        return
    terms = money_terms.in_force(ctx.session)[1]
    book = Booking(ctx, delivery.store_id)
    drawn_minor = min(total_minor, _granted_left(ctx.session, delivery.store_id, delivery.order_id))
    if drawn_minor:
        most_days = terms.free_days + level_of(ctx.session, delivery.store_id) * terms.level_days
        days = _sell_through(ctx.session, delivery.store_id, delivery.order_id or "", terms.least_days, most_days)
        due = book.day + dt.timedelta(days=days)
        book.invoice(Wanted(delivery.id, drawn_minor, due, True, delivery.id, delivery.order_id, lines))
    if total_minor > drawn_minor:
        due = book.day + dt.timedelta(days=terms.account_days)
        of_rest = f"{delivery.id}-a" if drawn_minor else delivery.id
        book.invoice(Wanted(of_rest, total_minor - drawn_minor, due, False, delivery.id, delivery.order_id, lines))
    book.pay(by_day=book.day)
    book.close("invoiced", amount_minor=total_minor, drawn_minor=drawn_minor, delivery=delivery.id)


# --- questions ---


def line_of(session: Session, store_id: str) -> CreditLine | None:
    """Return a store's line, locked; None while none was set."""
    query = lock_rows(session, sa.select(CreditLine).where(CreditLine.store_id == store_id))
    found: CreditLine | None = session.scalar(query)
    return found


def level_of(session: Session, store_id: str) -> int:
    """Return the level a store's terms go by."""
    return session.scalar(sa.select(CreditLine.level).where(CreditLine.store_id == store_id)) or 0


def available(session: Session, store_id: str) -> int:
    """Return what a store may still draw (rule 1); nothing on a held line."""
    line = session.get(CreditLine, store_id)
    if line is None or line.state == "held":
        return 0
    owed_minor = balances(session, store_id)["credit"] + called_in_left(session, store_id)
    return max(0, line.limit_minor - owed_minor - pending(session, store_id))


def pending(session: Session, store_id: str) -> int:
    """Return what open orders of a store have drawn and not yet brought; refused draws are none."""
    return pending_by_store(session, store_id).get(store_id, 0)


def pending_by_store(session: Session, store_id: str | None = None) -> dict[str, int]:
    """Return what open orders have drawn and not yet brought, of one store or of all that drew, in two questions."""
    order = ReplenishmentOrder
    is_answered = order.state.in_(ANSWERED)
    drawn = sa.case((is_answered & (order.cost_minor < CreditDraw.amount_minor), order.cost_minor),
                    else_=CreditDraw.amount_minor)  # fmt: skip
    query = (
        sa.select(CreditDraw.store_id, CreditDraw.order_id, drawn, order.state)
        .outerjoin(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == CreditDraw.store_id, ReplenishmentOrder.id == CreditDraw.order_id),
        )
        .where(
            CreditDraw.state.not_in(["refused", "called_off"]),
            *([] if store_id is None else [CreditDraw.store_id == store_id]),
        )
    )
    brought, found = _brought(session, store_id), dict[str, int]()
    for store, order_id, amount, state in session.execute(query):
        if state is None or state in ON_THE_WAY:  # None: the order itself is still on its way here
            found[store] = found.get(store, 0) + max(0, amount - brought.get((store, order_id), 0))
    return found


def likely_due(session: Session, order: ReplenishmentOrder) -> dt.date | None:
    """Return the day an order would fall due if it were paid on credit and came as planned; None without a line."""
    line = session.get(CreditLine, order.store_id)
    if line is None:
        return None
    least_days, most_days = (int(line.terms.get(name, 14)) for name in ("least_days", "most_days"))
    days = _sell_through(session, order.store_id, order.id, least_days, most_days)
    return order.delivery_day + dt.timedelta(days=days)


def draw_of(session: Session, store_id: str, order_id: str) -> CreditDraw:
    """Return the draw of an order; NotFound when it is not paid on credit."""
    found = session.get(CreditDraw, (store_id, order_id))
    if found is None:
        raise NotFound("unknown-draw", "This order is not on credit.", order_id=order_id)
    return found


def held_draws(session: Session) -> list[CreditDraw]:
    """Return the draws that wait for the operator, the oldest first."""
    query = sa.select(CreditDraw).where(CreditDraw.state.in_(["asked", "held"]))
    return list(session.scalars(query.order_by(CreditDraw.asked_at)))


def held_stores(session: Session) -> set[str]:
    """Return the stores whose line is held: they get nothing more on credit or on account (rule 4)."""
    return set(session.scalars(sa.select(CreditLine.store_id).where(CreditLine.state == "held")))


def subject_of(row: CreditDraw) -> str:
    """Return how the journal names a draw: by its order, whose page tells of both."""
    return f"order:{row.order_id}"


def give_up(ctx: Context, store_id: str, invoice_id: str, *, why: str) -> int:
    """Give up what is left of an invoice and hold its store's line (rule 5); returns how much."""
    lost_minor = ledger.write_off(ctx, store_id, invoice_id, why=why)
    if line_of(ctx.session, store_id) is not None:
        hold(ctx, store_id, why=why)
    return lost_minor


def covers_late_refund(session: Session, store_id: str) -> bool:
    """Tell whether a store is good for all that it owes now (rule 6), at the network."""
    line = session.get(CreditLine, store_id)
    limit_minor = line.limit_minor if line is not None and line.state != "held" else 0
    held_minor = share_of_held(session, store_id, money_terms.in_force(session)[1].advance_bp)
    drawn_minor = pending(session, store_id)
    return owed(balances(session, store_id)) + drawn_minor <= held_minor + limit_minor


def export(session: Session, store_id: str) -> dict[str, Any]:
    """Return a store's line, the sales and invoices it stands on, and its whole ledger, as plain JSON values.

    Enough to work the limit out again (`credit_limit` rules 1 to 4), and the standing of every invoice.
    """
    line = session.get(CreditLine, store_id)
    day = line.worked_out_on if line else None
    left = {one.invoice.id: one.left_minor for one in open_invoices(session, store_id)}
    invoices = session.scalars(sa.select(Invoice).where(Invoice.store_id == store_id).order_by(Invoice.no))
    draws = session.scalars(sa.select(CreditDraw).where(CreditDraw.store_id == store_id).order_by(CreditDraw.asked_at))
    return {
        "store": store_id,
        "line": _line_exported(line) if line else None,
        "repaid_days": REPAID_DAYS,
        "weeks": WEEKS,
        "sales_by_day": _sales(session, store_id, day) if day else [],
        "invoices": [
            {
                "id": one.id, "no": one.no, "made_day": one.made_day.isoformat(), "due_day": one.due_day.isoformat(),
                "on_credit": one.on_credit, "amount_minor": one.amount_minor, "left_minor": left.get(one.id, 0),
                "order": one.order_id, "delivery": one.delivery_id, "lines": one.lines,
            }
            for one in invoices
        ],
        "draws": [
            {"order_no": one.order_no, "amount_minor": one.amount_minor, "state": one.state, "why": one.why}
            for one in draws
        ],
        "entries": [
            {
                "n": one.n, "day": one.business_day.isoformat(), "kind": one.kind, "from": one.from_account,
                "to": one.to_account, "amount_minor": one.amount_minor, "invoice": one.invoice_id, "words": one.words,
            }
            for one in entries_of(session, store_id)
        ],
    }  # fmt: skip


# --- inside ---


def _line(session: Session, store_id: str) -> CreditLine:
    row = line_of(session, store_id)
    if row is None:
        raise NotFound("no-credit-line", "This store has no credit line yet. It is calculated at night.")
    return row


def _begun(session: Session, **values: Any) -> CreditDraw:
    row = CreditDraw(**values | {"state": STATES.first})
    session.add(row)
    session.flush()
    return row


def _reason(why: str) -> str:
    return stated(why, Invalid("no-reason", "Enter a reason. The shopkeeper will see it."))


def _brought(session: Session, store_id: str | None) -> dict[tuple[str, str], int]:
    """Return what came of the orders on credit, by store and order."""
    query = sa.select(Invoice.store_id, Invoice.order_id, sa.func.sum(Invoice.amount_minor)).where(
        Invoice.on_credit, Invoice.order_id.is_not(None), *([] if store_id is None else [Invoice.store_id == store_id])
    )
    rows = session.execute(query.group_by(Invoice.store_id, Invoice.order_id))
    return {(store, str(order_id)): int(minor) for store, order_id, minor in rows}


def _granted_left(session: Session, store_id: str, order_id: str | None) -> int:
    row = session.get(CreditDraw, (store_id, order_id)) if order_id else None
    if row is None or row.state != "granted":
        return 0
    return max(0, row.amount_minor - _brought(session, store_id).get((store_id, row.order_id), 0))


def _priced(session: Session, delivery: Delivery) -> list[tuple[str, str, int, int]]:
    """Return (sku, name, counted units, cost) of what is to be paid: all that came but goods on sale or return."""
    costs = costs_of(session, delivery)
    lot = session.get(Consignment, (delivery.store_id, delivery.network_offer_id or ""))
    priced = []
    for line in deliveries.lines_of(session, delivery):
        if line.counted_qty and (lot is None or lot.sku != line.sku):
            cost, pack = costs.get(line.sku, (0, 1))
            priced.append((line.sku, line.name, line.counted_qty, amount_for(line.counted_qty, cost, pack)))
    return priced


def _sell_through(session: Session, store_id: str, order_id: str, least_days: int, most_days: int) -> int:
    order = session.get(ReplenishmentOrder, (store_id, order_id))
    lines = orders.lines_of(session, order) if order else []
    stocked = [
        Stocked(
            line.packs_expected * line.pack_cost_minor, line.packs_expected * line.pack_qty,
            int(line.why.get("counted_qty_milli") or 1000 * int(line.why.get("on_hand") or 0)),
            round(1000 * float(line.why.get("per_day") or 0)),
        )
        for line in lines
    ]  # fmt: skip
    return sell_through_days(stocked, least_days=least_days, most_days=most_days)


def _answer(ctx: Context, row: CreditDraw, state: str) -> None:
    journal.move(ctx, row, state, subject=subject_of(row), why=row.why or None)
    send_fact(ctx.session, DrawAnswered.of_row(row), subject=f"credit:{row.store_id}", at=ctx.at)


def _send_line(session: Session, row: CreditLine, at: dt.datetime) -> None:
    session.flush()
    send_fact(session, LineReported.of_row(row), subject=f"credit:{row.store_id}", at=at)


def _line_exported(line: CreditLine) -> dict[str, Any]:
    names = ("state", "limit_minor", "level", "held_by", "held_why", "facts", "terms", "terms_n", "steps")
    return {name: getattr(line, name) for name in names} | {"worked_out_on": line.worked_out_on.isoformat()}


def _sales(session: Session, store_id: str, day: dt.date) -> list[list[Any]]:
    since = day - dt.timedelta(weeks=WEEKS + 1)
    rows = session.execute(
        sa.select(StoreDay.business_day, StoreDay.revenue_minor)
        .where(StoreDay.store_id == store_id, StoreDay.business_day.between(since, day))
        .order_by(StoreDay.business_day)
    )
    return [[one.isoformat(), int(minor or 0)] for one, minor in rows]

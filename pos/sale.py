"""A sale: rung up, paid, and from then on immutable.

Rules
-----
1. Everything that must be true together is written in one transaction: sale, lines, tax, payments, stock
   movements, the shift's cash, receipt number, journal, the fact in the outbox and the print job (I4).
2. The id is made by the page and is the idempotency key: the same id with the same basket answers the same
   receipt (I2); with another basket it is a Conflict (I3).
3. The server's total is the one charged: if it is not the one shown, nothing is written and the page asks again.
4. Receipt numbers per till and epoch rise without gaps, in commit order (K7).
5. Σ lines = total; Σ captured - change = total; the lines' taxes sum to the sale's tax (K1).
6. A return is another sale of negative lines that point at the originals; never more than was sold (I9): `returns`.
7. The rows are written from the fact, here and at the network, so both hold the same.

A sale rung up in one go is born completed; it never rests in between.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal, outbox
from config.clock import business_day
from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.journal import Actor
from config.money import round_cash
from config.node import NETWORK, this_node
from config.outbox import InboxMessage, OutboxMessage
from config.states import StateTable
from pos import catalogue, printer, stock
from pos import shift as shifts
from pos.facts import CashMoved, Moved, Paid, SaleCompleted, SoldLine, lettered, sold_line
from pos.payments import Payment, Settled, Tender, settle
from pos.pricing import BasketLine, PricedBasket, price_basket
from pos.shift import CashMovement, Shift
from pos.store import ReceiptCounter, Store, Till, snapshot, store_of

MOST_LINES = 500
MOST_QTY = {"each": 10_000, "gram": 1_000_000, "millilitre": 1_000_000}

STATES = StateTable(
    "sale",
    "open",
    {
        "open": ["parked", "tendering", "voided"],
        "parked": ["open", "voided"],
        "tendering": ["open", "completed"],
        "completed": [],
        "voided": [],
    },
)


class Sale(Base):
    """A completed (or open, parked, voided) basket."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "sale"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "till_id", "epoch", "receipt_no"),
        sa.Index("ix_sale_day", "store_id", "business_day"),
        sa.Index("ix_sale_shift", "store_id", "shift_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    shift_id: Mapped[str]
    epoch: Mapped[str]
    receipt_no: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    kind: Mapped[str] = mapped_column(default="sale")
    """sale | return | exchange"""
    channel: Mapped[str] = mapped_column(default="counter")
    """counter | pickup"""
    order_id: Mapped[str | None]
    """The pickup order that was collected."""
    business_day: Mapped[dt.date]
    completed_at: Mapped[dt.datetime]
    cashier_id: Mapped[str]
    cashier_name: Mapped[str]
    currency: Mapped[str]
    lines_minor: Mapped[int]
    rounding_minor: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int]
    """lines + rounding: what was paid."""
    tax_minor: Mapped[int]
    age_checked: Mapped[int | None]
    """The highest minimum age confirmed for this sale."""
    age_how: Mapped[str | None]
    """looked | document: how the age was checked; nothing of the person is kept."""
    customer_id: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="", server_default="")
    request_hash: Mapped[str]


class SaleLine(Base):
    """Product, quantity, price, discount and tax, all as charged."""

    __tablename__ = "sale_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "sale_id"], ["sale.store_id", "sale.id"]),
        sa.Index("ix_sale_line_sku", "store_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    stock_unit: Mapped[str]
    qty: Mapped[int]
    unit_price_minor: Mapped[int]
    price_quantity: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    offer: Mapped[str] = mapped_column(default="")
    total_minor: Mapped[int]
    """What the customer pays for the line, tax included."""
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_class_id: Mapped[str]
    rate_bp: Mapped[int]
    returns_sale_id: Mapped[str | None]
    returns_n: Mapped[int | None]
    kind: Mapped[str] = mapped_column(default="goods", server_default="goods")
    list_price_minor: Mapped[int | None]
    """The catalogue's price that day; None: it had none."""
    price_type: Mapped[str] = mapped_column(default="list", server_default="list")
    """list | override | typed | label | agreed | deposit | empties"""
    manual_discount_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """What the cashier took off by hand; part of discount_minor."""
    reason: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    deposit_of: Mapped[int | None]
    """The line whose containers this deposit is for."""
    cost_minor: Mapped[int | None]
    """What the line's units cost the shop; None: not known."""


@dataclass(frozen=True)
class SaleRequest:
    """What the page asks for when the customer pays.

    lines: (sku, qty in stock units). tenders: (tender, amount_minor[, reference]). shown_total_minor: what the customer
    was shown, before or after cash rounding. agreed_prices: sku -> price_minor promised with a pickup order.
    """

    id: str
    store_id: str
    till_id: str
    lines: Sequence[tuple[str, int]]
    tenders: Sequence[tuple[str, int] | tuple[str, int, str]]
    shown_total_minor: int
    age_confirmed: int | None = None
    channel: str = "counter"
    order_id: str | None = None
    order_no: str | None = None
    agreed_prices: Mapping[str, int] | None = None

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines], "tenders": [list(t) for t in self.tenders]}
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class Completed:
    """A completed sale with the document its receipt is laid out from. repeated: it was completed before."""

    sale: Sale
    document: dict[str, Any]
    repeated: bool


@dataclass(frozen=True)
class Draft:
    """A settled sale or return that has no number yet. returns_receipt_no, why: a return's."""

    id: str
    kind: str
    channel: str
    lines: tuple[SoldLine, ...]
    settled: Settled
    request_hash: str
    moves: tuple[Moved, ...]
    order_id: str | None = None
    order_no: str | None = None
    age_checked: int | None = None
    returns_receipt_no: int | None = None
    why: str | None = None


# --- verbs ---


def complete(session: Session, request: SaleRequest, *, actor: Actor, at: dt.datetime) -> Completed:
    """Complete a sale: everything in this transaction, or nothing (rules 1 to 5)."""
    _check_lines(request.lines)
    shift = shifts.locked(session, request.store_id, request.till_id)
    request_hash = request.hash()
    if (known := session.get(Sale, (request.store_id, request.id))) is not None:
        return _again(session, known, request_hash)
    shift = _open(shift, request.till_id)
    store = store_of(session, request.store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    priced = _priced(session, request, day)
    if request.shown_total_minor not in (priced.lines_minor, round_cash(priced.lines_minor, store.smallest_coin_minor)):
        raise _total_changed(request, priced)
    _check_age(priced, request.age_confirmed)
    settled = settle(
        [Tender(*row) for row in request.tenders],
        priced.lines_minor,
        smallest_coin_minor=store.smallest_coin_minor,
        currency=store.currency,
        channel=request.channel,
    )
    if request.shown_total_minor not in (priced.lines_minor, settled.total_minor):
        raise _total_changed(request, priced)
    moves = stock.sell(
        session,
        store.id,
        request.lines,
        sale_id=request.id,
        order_id=request.order_id,
        day=day,
        at=at,
        actor=actor,
    )
    draft = Draft(
        id=request.id,
        kind="sale",
        channel=request.channel,
        order_id=request.order_id,
        order_no=request.order_no,
        lines=tuple(sold_line(n, line) for n, line in enumerate(priced.lines, 1)),
        settled=settled,
        age_checked=priced.minimum_age,
        request_hash=request_hash,
        moves=tuple(moves),
    )
    return finish(session, draft, store, shift, day=day, at=at, actor=actor)


def finish(
    session: Session, draft: "Draft", store: Store, shift: Shift, *, day: dt.date, at: dt.datetime, actor: Actor
) -> Completed:
    """Number a settled sale or return, write its rows, journal it, tell it and queue its paper (rules 1, 4, 7)."""
    fact = _fact(session, draft, store, shift, day=day, at=at, actor=actor)
    sale = write_rows(session, fact)
    shift.expected_minor += sum(amount_minor for _, _, amount_minor in fact.cash)
    subject = f"sale:{fact.id}"
    journal.record(
        session,
        actor=actor,
        at=at,
        verb=f"{fact.kind}.completed",
        subject=subject,
        receipt_no=fact.receipt_no,
        total_minor=fact.total_minor,
        lines=len(fact.lines),
        age_checked=fact.age_checked,
        why=draft.why,
    )
    document = fact.to_body()
    outbox.append(
        session,
        to_node=NETWORK,
        topic=fact.TOPIC,
        version=fact.VERSION,
        body=document,
        id=fact.id,
        subject=subject,
        business_day=day,
        at=at,
    )
    printer.queue(session, store.id, fact.till_id, "receipt", fact.id, document, opens_drawer=bool(fact.cash), at=at)
    session.flush()
    return Completed(sale, document, repeated=False)


def write_rows(session: Session, fact: SaleCompleted) -> Sale:
    """Write a sale's rows from its fact: sale, lines, payments and cash movements (rule 7)."""
    store_id, at = fact.store["id"], dt.datetime.fromisoformat(fact.completed_at)
    sale = Sale(
        store_id=store_id,
        state="completed",
        business_day=dt.date.fromisoformat(fact.business_day),
        completed_at=at,
        **{name: getattr(fact, name) for name in _SAME},
    )
    session.add(sale)
    session.flush()
    key = {"store_id": store_id, "sale_id": fact.id}
    lines = [{name: value for name, value in vars(line).items() if name != "tax_letter"} | key for line in fact.lines]
    session.execute(sa.insert(SaleLine.__table__), lines)  # type: ignore[arg-type]
    if fact.payments:
        paid = [vars(row) | key | {"state": "captured", "at": at} for row in fact.payments]
        session.execute(sa.insert(Payment.__table__), paid)  # type: ignore[arg-type]
    if fact.cash:
        common = {"store_id": store_id, "shift_id": fact.shift_id, "source_id": fact.id, "why": "", "at": at}
        common["actor_id"] = fact.cashier_id
        moved = [{"id": key, "kind": kind, "amount_minor": minor} | common for key, kind, minor in fact.cash]
        session.execute(sa.insert(CashMovement.__table__), moved)  # type: ignore[arg-type]
    return sale


# --- questions ---


def quote(
    session: Session, store_id: str, lines: Sequence[tuple[str, int]], *, at: dt.datetime, cash: bool = False
) -> PricedBasket:
    """Price a basket as it would be charged now; writes nothing."""
    _check_lines(lines)
    store = store_of(session, store_id)
    views = catalogue.to_sell(
        session, store_id, [sku for sku, _ in lines], business_day(at, store.tz, store.rollover_hour)
    )
    basket = [BasketLine(sku, qty, views[sku]) for sku, qty in lines]
    return price_basket(basket, smallest_coin_minor=store.smallest_coin_minor, cash=cash)


def document_of(session: Session, sale: Sale) -> dict[str, Any]:
    """Return the frozen document of a completed sale: the very fact that was told of it."""
    body = session.scalar(sa.select(OutboxMessage.body).where(OutboxMessage.id == sale.id))
    if body is None:
        body = session.scalar(sa.select(InboxMessage.body).where(InboxMessage.id == sale.id))
    if body is None:
        raise NotFound("no-such-sale", "The document of this sale is not kept here.", sale_id=sale.id)
    document: dict[str, Any] = json.loads(body)
    return document


def lines_of(session: Session, sale: Sale) -> list[SaleLine]:
    """Return a sale's lines in the order they were rung."""
    query = sa.select(SaleLine).where(SaleLine.store_id == sale.store_id, SaleLine.sale_id == sale.id)
    return list(session.scalars(query.order_by(SaleLine.n)))


# --- inside ---


def _check_lines(lines: Sequence[tuple[str, int]]) -> None:
    if not lines:
        raise Invalid("empty-basket", "There is nothing in the basket. Scan something first.")
    if len(lines) > MOST_LINES:
        raise Invalid("too-many-lines", f"A sale has at most {MOST_LINES} lines. Ring the rest as another sale.")
    for sku, qty in lines:
        if isinstance(qty, bool) or not isinstance(qty, int) or not 0 < qty <= MOST_QTY["gram"]:
            raise Invalid("bad-quantity", f"The quantity of {sku} must be a whole number above zero.", sku=sku, qty=qty)


def _open(shift: Shift | None, till_id: str) -> Shift:
    if shift is None or shift.state != "open":
        told = (
            "is not open. Open it with its float" if shift is None else "is being counted. Finish or put off the count"
        )
        raise Refused("no-open-shift", f"This till {told}, then sell.", till_id=till_id)
    return shift


def _again(session: Session, sale: Sale, request_hash: str) -> Completed:
    if sale.request_hash != request_hash:
        raise Conflict(
            "sale-content-differs",
            f"This sale was already saved with another content, as receipt {sale.receipt_no}. Begin a new sale.",
            receipt_no=sale.receipt_no,
            total_minor=sale.total_minor,
        )
    return Completed(sale, document_of(session, sale), repeated=True)


def _priced(session: Session, request: SaleRequest, day: dt.date) -> PricedBasket:
    views = catalogue.to_sell(session, request.store_id, [sku for sku, _ in request.lines], day)
    sums: dict[str, int] = {}
    for sku, qty in request.lines:
        sums[sku] = sums.get(sku, 0) + qty
    for sku, qty in sums.items():
        most = views[sku].maximum_qty or MOST_QTY[views[sku].stock_unit]
        if qty > most:
            raise Invalid(
                "bad-quantity", f"At most {most} of {views[sku].name} in one sale.", sku=sku, qty=qty, most=most
            )
    for sku, price_minor in (request.agreed_prices or {}).items():
        if sku in views:
            views[sku] = replace(views[sku], price_minor=price_minor)
    return price_basket(BasketLine(sku, qty, views[sku]) for sku, qty in request.lines)


def _check_age(priced: PricedBasket, age_confirmed: int | None) -> None:
    if priced.minimum_age and (age_confirmed or 0) < priced.minimum_age:
        names = {line.product.name for line in priced.lines if line.product.minimum_age}
        raise Refused(
            "age-check",
            f"Check the customer's age: at least {priced.minimum_age} for {', '.join(sorted(names))}.",
            minimum_age=priced.minimum_age,
        )


def _total_changed(request: SaleRequest, priced: PricedBasket) -> Refused:
    return Refused(
        "total-changed",
        "A price has changed since it was scanned. Tell the customer the new total, then take the money.",
        total_minor=priced.lines_minor,
        shown_minor=request.shown_total_minor,
        lines=[
            {
                "sku": line.product.sku,
                "name": line.product.name,
                "qty": line.qty,
                "unit_price_minor": line.product.price_minor,
                "total_minor": line.total_minor,
            }
            for line in priced.lines
        ],
    )


_SAME = (
    "id", "till_id", "shift_id", "epoch", "receipt_no", "kind", "channel", "order_id", "cashier_id", "cashier_name",
    "currency", "lines_minor", "rounding_minor", "total_minor", "tax_minor", "age_checked", "request_hash",
)  # fmt: skip
"""What a sale's row and its fact call by the same name."""


def _fact(
    session: Session, draft: Draft, store: Store, shift: Shift, *, day: dt.date, at: dt.datetime, actor: Actor
) -> SaleCompleted:
    settled = draft.settled
    lines, taxes = lettered(draft.lines)
    epoch = this_node(session).epoch
    payments, cash = _payments(draft)
    return SaleCompleted(
        id=draft.id,
        kind=draft.kind,
        channel=draft.channel,
        order_id=draft.order_id,
        order_no=draft.order_no,
        store=snapshot(store),
        till_id=shift.till_id,
        till_name=session.get_one(Till, (store.id, shift.till_id)).name,
        shift_id=shift.id,
        epoch=epoch,
        receipt_no=_next_receipt_no(session, store.id, shift.till_id, epoch),
        cashier_id=actor.id,
        cashier_name=actor.name,
        completed_at=at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        local_time=f"{at.astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}",
        business_day=day.isoformat(),
        currency=store.currency,
        lines=lines,
        taxes=taxes,
        payments=payments,
        lines_minor=settled.total_minor - settled.rounding_minor,
        rounding_minor=settled.rounding_minor,
        total_minor=settled.total_minor,
        tax_minor=sum(line.tax_minor for line in draft.lines),
        paid_minor=settled.paid_minor,
        change_minor=settled.change_minor,
        age_checked=draft.age_checked,
        returns_receipt_no=draft.returns_receipt_no,
        request_hash=draft.request_hash,
        cash=cash,
        movements=draft.moves,
    )


def _payments(draft: Draft) -> tuple[tuple[Paid, ...], tuple[CashMoved, ...]]:
    """Return the payments, change last, and what they move in the drawer."""
    settled = draft.settled
    paid = [Paid(new_id(), row.tender, row.amount_minor, False, row.reference) for row in settled.tenders]
    if settled.change_minor:
        paid.append(Paid(new_id(), "cash", -settled.change_minor, True, ""))
    taken = "sale" if draft.kind == "sale" else "refund"
    cash = [(new_id(), "change" if row.is_change else taken, row.amount_minor) for row in paid if row.tender == "cash"]
    return tuple(paid), tuple(cash)


def _next_receipt_no(session: Session, store_id: str, till_id: str, epoch: str) -> int:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    counter = ReceiptCounter.__table__
    raised = (
        dialect.insert(counter)
        .values(store_id=store_id, till_id=till_id, epoch=epoch, last_no=1)
        .on_conflict_do_update(index_elements=["store_id", "till_id", "epoch"], set_={"last_no": counter.c.last_no + 1})
        .returning(counter.c.last_no)
    )
    return int(session.execute(raised).scalar_one())

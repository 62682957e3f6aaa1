"""A pickup order: its tables, its states, and how a move is made and told.

Rules
-----
1. Each move at the store raises the order's step and tells the network the whole state; the highest step wins, so
   that a late older message never turns an order back. The network only mirrors; the store's state is the order's.
2. Lines keep the price promised; picked_qty is what the customer gets of what was ordered.
3. Code and token are kept hashed; neither can be read from a database (`order_keys`). The token travels once, as proof
   that its customer was there, with the hand-over of what was paid online.
4. Of an order taken at the counter both stand on the slip its customer takes home, in the printer's queue while the
   order is open, and are taken out when it ends.

Units: qty in the product's stock unit; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc, business_day, day_start
from config.database import Base, lock_rows
from config.errors import NotFound
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from config.words import N_
from pos.printing.queue import PrintJob
from pos.store.store import Store, send_fact
from supply.online import home_delivery
from supply.online_facts import OrderLine, PickupMoved, PickupPlaced

STATES = StateTable(
    "pickup order",
    "placed",
    {
        "placed": ["accepted", "refused", "cancelled"],
        "accepted": ["picking", "cancelled"],
        "picking": ["ready", "short", "cancelled"],
        "short": ["ready", "cancelled"],
        "ready": ["collected", "expired", "cancelled"],
        "collected": ["return_asked"],
        "return_asked": ["returned", "return_refused"],
        "returned": ["return_asked"],
    },
    resting=["collected", "returned"],
)
OPEN = ("placed", "accepted", "picking", "short", "ready")
BEFORE_READY = ("placed", "accepted", "picking", "short")
TO_DO = (*BEFORE_READY, "return_asked")
"""A person has to do something about it; a ready order waits for its customer."""
CUSTOMER_CANCELLED = N_("The customer canceled.")
"""Why an order ended that its customer called off, as it travels."""
GIVEN_BACK = ("refused", "cancelled", "expired")
"""Ends in which the units went back to the store."""


HAS_PERSON = sa.text("(customer_name <> '' OR customer_phone <> '')")
"""Which orders still say whose they are, in the words of the index they are found by."""


class PickupOrder(Base):
    """An order of a customer for one store. order_no: 'S07-1042', shown to people."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "pickup_order"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "order_no"),
        sa.Index("ix_pickup_order_state", "store_id", "state"),
        sa.Index("ix_pickup_order_number", "store_id", "number"),
        sa.Index("ix_pickup_order_token_hash", "token_hash"),
        sa.Index("ix_pickup_order_people", "moved_at", sqlite_where=HAS_PERSON),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    """1, 2, 3 … per store, given by the network, inside order_no; -1, -2 … for what the store took at its counter."""
    order_no: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    step: Mapped[int] = mapped_column(default=0)
    """How many moves the store has made; 0 at the network: the store has not got it yet (rule 6)."""
    why: Mapped[str] = mapped_column(default="")
    """Why it was refused, cancelled or short."""
    customer_name: Mapped[str]
    customer_phone: Mapped[str]
    code_hash: Mapped[str]
    """SHA-256 of order id and the 8-character code."""
    token_hash: Mapped[str]
    """SHA-256 of the 128-bit token in the QR and the status page's address."""
    total_minor: Mapped[int]
    currency: Mapped[str]
    placed_at: Mapped[dt.datetime]
    moved_at: Mapped[dt.datetime]
    cancel_asked_at: Mapped[dt.datetime | None]
    """At the network: when the customer asked to cancel; the store answers."""
    ready_by: Mapped[dt.datetime | None]
    ready_at: Mapped[dt.datetime | None]
    hold_until: Mapped[dt.datetime | None]
    collected_at: Mapped[dt.datetime | None]
    collected_by: Mapped[str | None]
    sale_id: Mapped[str | None]
    window_from: Mapped[dt.datetime | None]
    window_until: Mapped[dt.datetime | None]
    """When the customer means to collect it; None: whenever it is ready."""
    answer_by: Mapped[dt.datetime | None]
    """At the store: unanswered until then it is refused by itself."""
    if_short: Mapped[str] = mapped_column(default="less", server_default="less")
    """less | similar | cancel: what the customer wants when something is missing."""
    paid_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """What was paid online and waits in escrow; 0: it is paid at the counter."""
    group_id: Mapped[str | None]
    """The group buy it is a share of."""
    comes_on: Mapped[dt.date | None]
    """From this day on what had to be ordered in is expected to be there; None: all of it was in the store."""
    coupons: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """The coupon codes it used."""
    member: Mapped[bool] = mapped_column(default=False, server_default=sa.text("false"))
    """It has the prices for members."""
    customer_id: Mapped[str | None]
    """At the store: the known customer it was taken for at the counter; never told."""
    return_until: Mapped[dt.datetime | None]
    """Until when its goods may come back, once collected."""
    returned_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """What went back to the customer for goods brought back, all returns together."""
    return_asked_at: Mapped[dt.datetime | None]
    """At the network: when the customer asked last to bring goods back; the store answers."""
    return_asked_step: Mapped[int | None]
    """The step the order had then; one above it is the answer."""
    handed_at: Mapped[dt.datetime | None]
    """At the network: when it first heard, by its own clock, that the order was handed over."""
    proved_at: Mapped[dt.datetime | None]
    """When the hand-over was proved: at the network by its own clock, at the store when it scanned the token."""
    proved_by: Mapped[str] = mapped_column(default="", server_default="")
    """token | customer; '': only the store says so."""
    return_days: Mapped[int | None]
    """At the network: within how many days goods came back by the store's rules when the order was placed."""
    reported_by_store: Mapped[bool] = mapped_column(default=False, server_default=sa.text("false"))
    """At the network: it knows the order, and so the token's hash, from the store alone."""
    email: Mapped[str] = mapped_column(default="", server_default="")
    language: Mapped[str] = mapped_column(default="", server_default="")
    """At the network: where and in which language the customer wants to be told."""


class PickupLine(Base):
    """One product of an order, at the price promised."""

    __tablename__ = "pickup_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "order_id"], ["pickup_order.store_id", "pickup_order.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("picked_qty >= 0 and picked_qty <= qty", name="picked_at_most_ordered"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    qty: Mapped[int]
    picked_qty: Mapped[int | None]
    """What the customer gets; None: not gathered yet."""
    price_minor: Mapped[int]
    price_quantity: Mapped[int]
    saved: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """[[offer id, name, amount_minor]] that offers save on the whole line."""
    deposit_sku: Mapped[str | None]
    deposit_minor: Mapped[int | None]
    """The deposit on one unit."""
    instead_of: Mapped[str | None]
    """The product ordered that this one stands in for."""
    awaited: Mapped[bool] = mapped_column(default=False, server_default=sa.text("false"))
    """It has to be ordered in (`order_in`) and nothing is held for it yet. At the network it stays as it was placed."""


class PickupTry(Base):
    """A code at the counter that fitted no order: counted, so that nobody can guess (limits in `handover`)."""

    __tablename__ = "pickup_try"
    __table_args__ = (sa.Index("ix_pickup_try_at", "store_id", "at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


# --- moving, at the store ---


def move(ctx: Context, order: PickupOrder, target: str, *, why: str = "", proof: str = "") -> PickupOrder:
    """Move an order of this store on, and tell the network (rule 1). proof: the token its customer showed."""
    journal.move(ctx, order, target, subject=subject_of(order), why=why or None)
    order.why = why
    home_delivery.order_moved(ctx, order.store_id, order.id, target in GIVEN_BACK)
    if order.number < 0 and target not in OPEN:
        _forget_code(ctx.session, order)
    send(ctx.session, order, ctx.at, proof)
    return order


def send(session: Session, order: PickupOrder, at: dt.datetime, proof: str = "") -> None:
    """Tell the network how the order stands now (rule 1)."""
    order.step += 1
    order.moved_at = at
    session.flush()
    fact = PickupMoved(
        store_id=order.store_id,
        order_id=order.id,
        step=order.step,
        state=order.state,
        why=order.why,
        number=order.number,
        order_no=order.order_no,
        code_hash=order.code_hash,
        token_hash=order.token_hash,
        currency=order.currency,
        total_minor=order.total_minor,
        placed_at=text_of(order.placed_at),
        moved_at=text_of(at),
        ready_by=text_or_none(order.ready_by),
        ready_at=text_or_none(order.ready_at),
        hold_until=text_or_none(order.hold_until),
        collected_at=text_or_none(order.collected_at),
        collected_by=order.collected_by,
        sale_id=order.sale_id,
        lines=facts_of(session, order),
        answer_by=text_or_none(order.answer_by),
        return_until=text_or_none(order.return_until),
        returned_minor=order.returned_minor,
        window_from=text_or_none(order.window_from),
        window_until=text_or_none(order.window_until),
        if_short=order.if_short,
        paid_minor=order.paid_minor,
        group_id=order.group_id,
        comes_on=order.comes_on.isoformat() if order.comes_on else None,
        coupons=list(order.coupons),
        member=order.member,
        delivery=home_delivery.as_reported(session, order.store_id, order.id),
        proof=proof,
    )
    send_fact(session, fact, subject=subject_of(order), at=at)


# --- questions ---


def open_orders(session: Session, store_id: str) -> list[PickupOrder]:
    """Return the orders somebody still has to do something about, the oldest first."""
    return list(
        session.scalars(
            sa.select(PickupOrder)
            .where(PickupOrder.store_id == store_id, PickupOrder.state.in_(OPEN))
            .order_by(PickupOrder.placed_at, PickupOrder.number, PickupOrder.id)
        )
    )


def promised_between(session: Session, store: Store, first: dt.date, last: dt.date) -> int:
    """Return how many open orders are to be collected or brought on these business days."""
    begins = day_start(first, store.tz, store.rollover_hour)
    ends = day_start(last + dt.timedelta(days=1), store.tz, store.rollover_hour)
    here = (PickupOrder.store_id == store.id, PickupOrder.state.in_(OPEN))
    within = (PickupOrder.window_from >= begins, PickupOrder.window_from < ends)
    return session.scalar(sa.select(sa.func.count()).select_from(PickupOrder).where(*here, *within)) or 0


def asked_back(session: Session, store_id: str) -> list[PickupOrder]:
    """Return the orders whose customer wants to bring something back and has no answer yet, the oldest wish first."""
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.state == "return_asked")
    return list(session.scalars(query.order_by(PickupOrder.return_asked_at, PickupOrder.id)))


def of_phone(session: Session, store_id: str, phone: str, limit: int) -> list[PickupOrder]:
    """Return the orders placed with a number (E.164) in a store, the newest first."""
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.customer_phone == phone)
    return list(
        session.scalars(query.order_by(PickupOrder.placed_at.desc(), PickupOrder.number, PickupOrder.id).limit(limit))
    )


def bought_with(session: Session, store_id: str, phone: str, limit: int) -> list[list[tuple[str, int]]]:
    """Return what the last orders of a number (E.164) in a store were of, SKU and quantity, the newest first."""
    mine = [order for order in of_phone(session, store_id, phone, limit) if order.state not in GIVEN_BACK]
    return [[(line.sku, line.qty) for line in lines_of(session, order)] for order in mine]


def lines_of(session: Session, order: PickupOrder) -> list[PickupLine]:
    """Return the lines of an order, by SKU."""
    return list(
        session.scalars(
            sa.select(PickupLine)
            .where(PickupLine.store_id == order.store_id, PickupLine.order_id == order.id)
            .order_by(PickupLine.sku)
        )
    )


def kept_lines(lines: Sequence[PickupLine]) -> list[tuple[str, int]]:
    """Return what the customer gets: SKU and quantity, without the lines of which nothing was found."""
    kept = [(line.sku, line.qty if line.picked_qty is None else line.picked_qty) for line in lines]
    return [(sku, qty) for sku, qty in kept if qty > 0]


def held_until(session: Session, store_id: str, at: dt.datetime) -> dt.datetime:
    """Return until when a store holds an order that waits for its customer from now on: whole trading days."""
    store = session.get_one(Store, store_id)
    last_day = business_day(at, store.tz, store.rollover_hour) + dt.timedelta(days=store.pickup_hold_days)
    return day_start(last_day + dt.timedelta(days=1), store.tz, store.rollover_hour)


def kept_until(store: Store, hold_until: dt.datetime) -> dt.datetime:
    """Return until when a customer may come for what is held: closing time of the last day it is open on until then."""
    zone = ZoneInfo(store.tz)
    last = business_day(hold_until - dt.timedelta(seconds=1), store.tz, store.rollover_hour)
    while not (spans := store.week.instants(last, zone)):
        last -= dt.timedelta(days=1)
    return min(spans[-1][1], hold_until.astimezone(zone))


def order_for_update(session: Session, store_id: str, order_id: str) -> PickupOrder:
    """Return an order, locked until the end of the transaction."""
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.id == order_id)
    order = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if order is None:
        raise NotFound("unknown-order", "Order not found at this store.", order=order_id)
    return order


# --- both nodes ---


def write_down(session: Session, placed: PickupPlaced, *, email: str = "", language: str = "") -> PickupOrder:
    """Write an order and its lines as they were placed; email, language: how the network tells its customer.

    A network put back from a copy may give a number twice before its store is heard: the second order is -2 then.
    """
    order = PickupOrder(
        store_id=placed.store_id,
        id=placed.order_id,
        number=placed.number,
        order_no=_free_no(session, placed),
        state=STATES.first,
        step=0,
        why="",
        customer_name=placed.customer_name,
        customer_phone=placed.customer_phone,
        code_hash=placed.code_hash,
        token_hash=placed.token_hash,
        total_minor=placed.total_minor,
        currency=placed.currency,
        placed_at=dt.datetime.fromisoformat(placed.placed_at),
        moved_at=dt.datetime.fromisoformat(placed.placed_at),
        window_from=instant_of(placed.window_from),
        window_until=instant_of(placed.window_until),
        if_short=placed.if_short,
        paid_minor=placed.paid_minor,
        group_id=placed.group_id,
        comes_on=dt.date.fromisoformat(placed.comes_on) if placed.comes_on else None,
        coupons=list(placed.coupons),
        member=placed.member,
        returned_minor=0,
        proved_by="",
        reported_by_store=False,
        email=email,
        language=language,
    )
    session.add(order)
    session.flush()
    write_lines(session, order, placed.lines)
    if placed.delivery is not None:
        home_delivery.write_down(session, order.store_id, order.id, placed.delivery)
    return order


def _free_no(session: Session, placed: PickupPlaced) -> str:
    name, n = placed.order_no, 1
    used = sa.exists().where(PickupOrder.store_id == placed.store_id, PickupOrder.order_no == sa.bindparam("name"))
    while session.scalar(sa.select(used), {"name": name}):
        n += 1
        name = f"{placed.order_no}-{n}"
    return name


def write_lines(session: Session, order: PickupOrder, lines: Sequence[OrderLine]) -> None:
    """Write lines of an order as they travelled."""
    for line in lines:
        session.add(
            PickupLine(
                store_id=order.store_id,
                order_id=order.id,
                sku=line.sku,
                name=line.name,
                qty=line.qty,
                picked_qty=line.picked_qty,
                price_minor=line.price_minor,
                price_quantity=line.price_quantity,
                saved=line.saved,
                deposit_sku=line.deposit_sku,
                deposit_minor=line.deposit_minor,
                instead_of=line.instead_of,
                awaited=line.awaited,
            )
        )


def facts_of(session: Session, order: PickupOrder) -> tuple[OrderLine, ...]:
    """Return the lines of an order as they travel."""
    return tuple(
        OrderLine(
            line.sku,
            line.name,
            line.qty,
            line.price_minor,
            line.price_quantity,
            line.picked_qty,
            list(line.saved or []),
            line.deposit_sku,
            line.deposit_minor,
            line.instead_of,
            line.awaited,
        )
        for line in lines_of(session, order)
    )


def _forget_code(session: Session, order: PickupOrder) -> None:
    """Take the code off the slip its customer took home (rule 4)."""
    jobs = sa.select(PrintJob).where(PrintJob.store_id == order.store_id, PrintJob.source_id == order.id)
    for job in session.scalars(jobs.where(PrintJob.kind == "pickup")):
        job.document = {key: value for key, value in job.document.items() if key != "customer"}
        job.paper = None


def subject_of(order: PickupOrder) -> str:
    """Return the order as the journal names it."""
    return f"pickup:{order.id}"


def text_of(at: dt.datetime) -> str:
    """Return an instant as it travels."""
    return as_utc(at).isoformat(timespec="microseconds")


def text_or_none(at: dt.datetime | None) -> str | None:
    """Return an instant as it travels, where there is one."""
    return None if at is None else text_of(at)


def instant_of(text: str | None) -> dt.datetime | None:
    """Read an instant that travelled."""
    return dt.datetime.fromisoformat(text) if text else None

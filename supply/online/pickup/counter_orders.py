"""An online order taken at the counter, for a customer without a phone: written here, told to the network, paid or not.

Rules
-----
1. The store is the authority on its stock, so it takes the order by itself, with the internet away too: what is here is
   held at once, the rest is ordered in (`order_in`). It is accepted from the beginning. Its number is below zero and
   stands in no allowance: what it holds is off the next publication.
2. It costs what the till would charge this customer now, with the coupons handed over, and is from there on a pickup
   order like any other: window, code on the slip, hand-over, return. A coupon is used up by the order as by a sale, and
   given back when the order ends without goods; a customer known by name need have no phone.
3. Paid now, the money is in a book of its own, cash in the drawer of the open shift; the hand-over takes nothing more.
4. What was paid and is no longer owed (cancelled, expired, less than ordered, brought back) is given back at the
   counter, once, never more than was taken.
5. Each such sum is told, and kept by the network for this store alone: books that were put back from a copy have it
   again (`write_again`), with its shift's totals, or without a shift where that was closed again meanwhile.

Units: qty in the product's stock unit; *_minor currency minor units, in the book + taken, - given back.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base
from config.errors import Conflict, Invalid, Refused
from config.finding import Finding
from config.ids import is_id
from config.money import round_cash
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.facts import STORE, Day, Fact, Instant, Whole, recovers
from config.nodes.journal import Context
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Listing, Product
from pos.customers import customers
from pos.payments import slip_numbers
from pos.payments.payments import Tendered
from pos.payments.tenders import CASH, offered
from pos.sale.quoting import Quote
from pos.stock import batches, stock
from pos.store.store import Store, send_fact, store_of
from pos.till import drawer_cash, shift
from pos.till.shift_book import CashMovement, Shift
from supply.online import orders
from supply.online.checkout.order_keys import (
    check_person,
    code_hash,
    code_of,
    new_token,
    salt_for,
    tidy_name,
    token_hash,
)
from supply.online.checkout.placing import MOST_LINES, window_for
from supply.online.orders import GIVEN_BACK, PickupOrder, order_for_update, subject_of, text_of, write_down
from supply.online.pickup import pickup
from supply.online.storefront import availability, listing, order_in, price, storefront
from supply.online.storefront.price import promised_lines
from supply.online_facts import PickupTaken


class CounterMoneyMoved(Fact, topic="pickup.money", said_by=STORE, kept=True):
    """Money taken at the counter for an order, or given back (below zero)."""

    store_id: str
    id: str
    order_id: str
    tender: str
    amount_minor: Whole
    rounding_minor: Whole
    slip: str
    shift_id: str
    business_day: Day
    at: Instant
    actor_id: str


@append_only()
class CounterMoney(Base):
    """Money taken for an order before its goods were handed over, or given back; never changed."""

    __tablename__ = "counter_money"
    __table_args__ = (
        sa.CheckConstraint("amount_minor != 0", name="amount_not_zero"),
        sa.Index("ix_counter_money_order", "store_id", "order_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    tender: Mapped[str]
    amount_minor: Mapped[int]
    rounding_minor: Mapped[int] = mapped_column(default=0)
    """What the smallest coin adds to it in the drawer."""
    shift_id: Mapped[str]
    """'' where the shift was closed without it (rule 5)."""
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


@dataclass(frozen=True)
class For:
    """Whom an order is for: the name it is collected under, and a phone, if there is one.

    customer_id: the known customer, who has a member's prices and points where it is one. coupons: codes handed over.
    """

    name: str
    phone: str = ""
    customer_id: str | None = None
    coupons: tuple[str, ...] = ()


@dataclass(frozen=True)
class CounterRequest:
    """What is ordered at a till. tender: cash or card, paid now; '' when it is collected.

    reference: the number on the card's slip. window_from: the window to collect in; None: the earliest.
    """

    till_id: str
    whose: For
    lines: Sequence[tuple[str, int]]
    window_from: dt.datetime | None = None
    tender: str = ""
    reference: str = ""
    shown_total_minor: int | None = None


@dataclass(frozen=True)
class Taken:
    """An order just taken. code, token: for the slip, now; None when the page sent it twice."""

    order: PickupOrder
    code: str | None
    token: str | None


@dataclass(frozen=True)
class OnlineProduct:
    """What can be ordered at the counter. order_days: how long it takes where too little of it is here."""

    sku: str
    name: str
    stock_unit: str
    price_minor: int
    price_quantity: int
    here_qty: int
    step_qty: int
    order_days: int | None
    pack_text: str = ""

    def days_for(self, qty: int) -> int | None:
        """Return how many days so many have to be waited for; None: they are here, or cannot be had."""
        return self.order_days if qty > self.here_qty else None


# --- verbs ---


def take(ctx: Context, store_id: str, asked: CounterRequest, *, id: str) -> Taken:
    """Take an order at the counter (rules 1 to 3).

    id: made by the page; the same id again is the same order. Without a phone nobody is told. Refuses a coupon that is
    used up by now.
    """
    if not is_id(id):
        raise Invalid("bad-id", "This order has no valid ID. Reload the page.")
    whose, tender = _checked(asked.whose, store_of(ctx.session, store_id).tz), asked.tender
    if tender and tender not in offered("order"):
        raise Invalid("unknown-tender", "It can be paid now in cash or by card, or at pickup.", tender=tender)
    wanted = sorted(asked.lines)
    if (known := ctx.session.get(PickupOrder, (store_id, id))) is not None:
        if [(line.sku, line.qty) for line in orders.lines_of(ctx.session, known)] != wanted:
            raise Conflict(
                "order-content-differs", "Order %(order_no)s was already saved with other products.",
                order_no=known.order_no,
            )  # fmt: skip
        return Taken(known, None, None)
    store = store_of(ctx.session, store_id)
    placed, token = _placed(ctx.session, store, id, whose, wanted, asked.window_from, ctx.at)
    if asked.shown_total_minor not in (None, placed.total_minor):
        raise Refused(
            "total-changed", "A price has changed. Check the new total, then order again.",
            total_minor=placed.total_minor, shown_minor=asked.shown_total_minor,
        )  # fmt: skip
    order = write_down(ctx.session, placed)
    order.customer_id = whose.customer_id
    offers.use_coupons(ctx.session, store, placed.coupons, id, ctx.at)
    journal.record(ctx, verb="pickup order.taken", subject=subject_of(order))
    here = [(line.sku, line.qty) for line in placed.lines if not line.awaited]
    if here:
        stock.reserve(ctx, store_id, id, here)
    if tender and order.total_minor:
        into = _open_shift(ctx.session, store_id, asked.till_id)
        _book(ctx, order, into, id, Tendered(tender, order.total_minor, asked.reference), store)
        order.paid_minor = order.total_minor
        placed = replace(placed, paid_minor=order.paid_minor)
    send_fact(ctx.session, placed, subject=subject_of(order), id=f"taken-{id}", at=ctx.at)
    pickup.accept(ctx, store_id, id)
    return Taken(order, code_of(id, token), token)


def give_back(ctx: Context, store_id: str, order_id: str, *, id: str, till_id: str, tender: str) -> int:
    """Give back at the counter what was paid and is no longer owed (rule 4); returns how much. id: made by the page."""
    order = order_for_update(ctx.session, store_id, order_id)
    if (known := ctx.session.get(CounterMoney, (store_id, id))) is not None:
        return -known.amount_minor
    if tender not in offered("order-back"):
        raise Invalid("unknown-tender", "Refund in cash or to the card.", tender=tender)
    due_minor = due_back_minor(ctx.session, order)
    if due_minor <= 0:
        raise Refused("nothing-due", "Order %(order_no)s has nothing to refund.", order_no=order.order_no)
    found = _open_shift(ctx.session, store_id, till_id)
    if tender == CASH and drawer_cash.is_beyond(due_minor, found.expected_minor):
        refusal = Refused("drawer-lacks-cash", "The drawer does not have that much cash. Refund to the card.")
        of_shift = (store_id, found.id, found.totals, "order_paid", due_minor, refusal)
        found.totals = drawer_cash.note_beyond(ctx, *of_shift)
    _book(ctx, order, found, id, Tendered(tender, -due_minor), store_of(ctx.session, store_id))
    return due_minor


@recovers(CounterMoneyMoved)
def write_again(ctx: Context, fact: CounterMoneyMoved) -> None:
    """Write money these books have lost, as it was told (rule 5); cash comes into the drawer by its own fact."""
    names = ("store_id", "id", "order_id", "tender", "actor_id", "amount_minor", "rounding_minor", "at")
    row = CounterMoney(**{name: getattr(fact, name) for name in names})
    if ctx.session.get(CounterMoney, (row.store_id, row.id)) is not None:
        return
    paid = Tendered(row.tender, row.amount_minor, fact.slip)
    slip_numbers.take_again(ctx.session, row.store_id, [paid], day=fact.business_day, source=f"order:{row.order_id}")
    into, moved = fact.shift_id, Tendered(row.tender, row.amount_minor + row.rounding_minor)
    row.shift_id = into if drawer_cash.note_again(ctx.session, row.store_id, into, "orders", moved) else ""
    ctx.session.add(row)
    journal.record(
        replace(ctx, at=row.at), verb="order money.recovered", subject=f"pickup:{row.order_id}",
        tender=row.tender, amount_minor=row.amount_minor)  # fmt: skip
    ctx.session.flush()


# --- questions ---


def quote(
    session: Session,
    store_id: str,
    lines: Sequence[tuple[str, int]],
    *,
    customer_id: str | None = None,
    coupons: Sequence[str] = (),
    at: dt.datetime,
) -> Quote:
    """Price a basket as the till would this moment (rule 2), with the deposits it carries."""
    store = store_of(session, store_id)
    today = business_day(at, store.tz, store.rollover_hour)
    skus = [sku for sku, _ in lines]
    deposits = session.scalars(
        sa.select(Product.deposit_sku).where(Product.sku.in_(skus), Product.deposit_sku.is_not(None))
    )
    prices = catalogue.asked_on(session, store_id, today, [*skus, *(sku for sku in deposits if sku)])
    member = customer_id is not None and customers.is_member(session, store_id, customer_id)
    return price.quote(session, store, lines, prices, coupons=coupons, member=member, at=at)


def due_back_minor(session: Session, order: PickupOrder) -> int:
    """Return what of the money taken at the counter is no longer owed to the store (rule 4)."""
    taken = _taken_minor(session, order)
    return taken - (0 if order.state in GIVEN_BACK else order.total_minor - order.returned_minor) if taken > 0 else 0


def search(session: Session, store_id: str, text: str, *, at: dt.datetime, limit: int = 12) -> list[OnlineProduct]:
    """Return what can be ordered and has every word of the text in it, what is here first."""
    sold = Product.active, Product.kind == "goods", Product.price_typed.is_(False)
    query = sa.select(Product.sku).where(*sold, catalogue.matches(text))
    skus = session.scalars(query.order_by(Product.name, Product.sku).limit(20 * limit)).all()
    found = products(session, store_id, skus, at=at)
    return sorted(found.values(), key=lambda one: (one.here_qty < one.step_qty, one.name, one.sku))[:limit]


def sold_here(session: Session, store_id: str) -> list[str]:
    """Return the SKUs that may be ordered at all, in stock or not: what the store lists first, then by name."""
    query = sa.select(Product.sku).outerjoin(
        Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id, Listing.active)
    )
    query = query.where(Product.active, Product.kind == "goods", Product.price_typed.is_(False))
    return list(session.scalars(query.order_by(Listing.sku.is_(None), Product.name, Product.sku)))


def products(session: Session, store_id: str, skus: Sequence[str], *, at: dt.datetime) -> dict[str, OnlineProduct]:
    """Return the named products that can be ordered here, by SKU: what is here and not over, and what can be had."""
    today = business_day(at, (store := store_of(session, store_id)).tz, store.rollover_hour)
    days, levels = order_in.days_of(session, store_id, today), stock.levels(session, store_id, list(skus))
    prices = catalogue.asked_on(session, store_id, today, list(skus))
    over = batches.over(session, store_id, day=today, forgets=True)
    rows = session.scalars(
        sa.select(Product).where(Product.sku.in_(skus), Product.kind == "goods", Product.price_typed.is_(False))
    )
    found = {}
    for row in rows:
        here = max(0, levels[row.sku].available - over.get(row.sku, 0)) if row.sku in levels else 0
        if row.sku in prices and (here or row.sku in days):
            found[row.sku] = OnlineProduct(
                row.sku, row.shown, row.stock_unit, prices[row.sku], row.price_quantity, here,
                availability.step_of(row), days.get(row.sku), row.pack_text,
            )  # fmt: skip
    return found


def findings(session: Session, here: str, store_id: str | None = None) -> list[Finding]:
    """K16: never more given back than taken, and an order paid here, the drawers and shifts agree with the book.

    here: this node; the book is kept where the counter is. A shift that is not here says nothing (rule 5).
    """
    if store_id not in (None, here):
        return []
    book, found = CounterMoney, []
    mine = book.store_id == here
    sums = sa.select(book.order_id, sa.func.sum(book.amount_minor)).where(mine).group_by(book.order_id)
    for order_id, minor in session.execute(sums):
        if minor < 0:
            found.append(Finding("K16", f"order:{order_id}", "no more given back than taken", f"{int(minor)}"))
        order = session.get(PickupOrder, (here, order_id))
        first = sa.select(book.amount_minor).where(mine, book.id == order_id)
        if order is not None and session.scalar(first) != order.paid_minor:
            found.append(Finding("K16", f"order:{order_id}", "paid as its book says", f"{order.paid_minor}"))
    moved_minor = book.amount_minor + book.rounding_minor
    by_shift = sa.select(book.shift_id, book.tender, sa.func.sum(moved_minor)).where(mine)
    for shift_id, tender, minor in session.execute(by_shift.group_by(book.shift_id, book.tender)):
        into = session.get(Shift, (here, shift_id))
        kept = (into.totals or {}).get("orders") if into is not None else None
        if kept is not None and kept.get(tender, 0) != minor:
            reported = f"{kept.get(tender, 0)} in its totals"
            found.append(Finding("K16", f"shift:{shift_id}", f"{int(minor)} for orders by {tender}", reported))
    into_shift = sa.and_(Shift.store_id == book.store_id, Shift.id == book.shift_id)
    moved = sa.select(book.id, moved_minor).join(Shift, into_shift).where(mine, book.tender == CASH)
    drawer = sa.select(CashMovement.source_id, CashMovement.amount_minor)
    drawer = drawer.where(CashMovement.store_id == here, CashMovement.kind == "order_paid")
    said = {key: int(minor) for key, minor in session.execute(moved)}
    there = {key: int(minor) for key, minor in session.execute(drawer)}
    return found + [
        Finding("K16", f"order money:{key}", f"{said.get(key, 0)} in the drawer", f"{there.get(key, 0)}")
        for key in sorted({*said, *there})
        if said.get(key, 0) != there.get(key, 0)
    ]


# --- inside ---


def _checked(whose: For, tz: str) -> For:
    if not whose.phone.strip():
        return replace(whose, name=tidy_name(whose.name), phone="")
    name, phone = check_person(whose.name, whose.phone, tz)
    return replace(whose, name=name, phone=phone)


def _placed(
    session: Session, store: Store, id: str, whose: For, wanted: list[tuple[str, int]],
    window_from: dt.datetime | None, at: dt.datetime,
) -> tuple[PickupTaken, str]:  # fmt: skip
    """Return the order as it travels, and its token."""
    if not 1 <= len(wanted) <= MOST_LINES or len({sku for sku, _ in wanted}) < len(wanted):
        raise Invalid("bad-basket", "An order can have 1 to %(most)s different products.", most=MOST_LINES)
    found = products(session, store.id, [sku for sku, _ in wanted], at=at)
    short = [
        {"sku": sku, "name": found[sku].name if sku in found else sku, "wanted": qty,
         "available": found[sku].here_qty if sku in found else 0}
        for sku, qty in wanted
        if sku not in found or (qty > found[sku].here_qty and found[sku].order_days is None)
    ]  # fmt: skip
    if short:
        names = ", ".join(f"{line['name']} (wanted {line['wanted']}, here {line['available']})" for line in short)
        raise Refused("not-available", "Not in stock and not available to order: %(names)s.", names=names, short=short)
    if any(qty <= 0 or qty % found[sku].step_qty for sku, qty in wanted):
        raise Invalid("bad-quantity", "Each product needs a quantity of one or more.")
    today = business_day(at, store.tz, store.rollover_hour)
    comes_on = listing.comes_on(today, [found[sku].days_for(qty) for sku, qty in wanted])
    window = window_for(session, store, window_from, at, comes_on)
    quoted = quote(session, store.id, wanted, customer_id=whose.customer_id, coupons=whose.coupons, at=at)
    priced = quoted.basket
    storefront.front_of(session, store.id)
    session.flush()
    number, token = storefront.next_number(session, store.id), new_token()
    return PickupTaken(
        store_id=store.id, order_id=id, number=-number, order_no=f"{store.id}-C{number:04d}",
        customer_name=whose.name, customer_phone=whose.phone,
        code_hash=code_hash(salt_for(store.id, at), code_of(id, token)), token_hash=token_hash(token),
        currency=store.currency, total_minor=priced.total_minor, placed_at=text_of(at),
        lines=tuple(
            replace(line, awaited=bool(found[line.sku].days_for(line.qty))) for line in promised_lines(priced)
        ),
        window_from=text_of(window.start), window_until=text_of(window.end),
        comes_on=comes_on.isoformat() if comes_on else None, coupons=sorted(quoted.coupons_used),
        member=whose.customer_id is not None and customers.is_member(session, store.id, whose.customer_id),
    ), token  # fmt: skip


def _open_shift(session: Session, store_id: str, till_id: str) -> Shift:
    found = shift.locked(session, store_id, till_id)
    if found is None or found.state != "open":
        raise Refused("no-open-shift", "The till is closed. Open it with its float first.", till_id=till_id)
    return found


def _book(ctx: Context, order: PickupOrder, found: Shift, id: str, paid: Tendered, store: Store) -> None:
    """Write money taken or given back, cash into the drawer with it (rule 3)."""
    tender, amount_minor = paid.tender, paid.amount_minor
    moved = round_cash(amount_minor, store.smallest_coin_minor) if tender == CASH else amount_minor
    day = business_day(ctx.at, store.tz, store.rollover_hour)
    slip_numbers.take(ctx.session, store.id, [paid], day=day, source=f"order:{order.id}")
    ctx.session.add(
        CounterMoney(
            store_id=store.id, id=id, order_id=order.id, tender=tender, amount_minor=amount_minor,
            rounding_minor=moved - amount_minor, shift_id=found.id, at=ctx.at, actor_id=ctx.actor.id,
        )
    )  # fmt: skip
    drawer_cash.take_apart(ctx, found, "orders", Tendered(tender, moved), id)
    fact = CounterMoneyMoved(
        store_id=store.id, id=id, order_id=order.id, tender=tender, amount_minor=amount_minor,
        rounding_minor=moved - amount_minor, slip=paid.reference, shift_id=found.id, business_day=day, at=ctx.at,
        actor_id=ctx.actor.id,
    )  # fmt: skip
    send_fact(ctx.session, fact, subject=subject_of(order), id=f"order-money-{id}", at=ctx.at)
    facts = {"tender": tender, "amount_minor": amount_minor} | ({"slip": paid.reference} if paid.reference else {})
    journal.record(ctx, verb="pickup order.money", subject=subject_of(order), **facts)
    ctx.session.flush()


def _taken_minor(session: Session, order: PickupOrder) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(CounterMoney.amount_minor), 0)).where(
        CounterMoney.store_id == order.store_id, CounterMoney.order_id == order.id
    )
    return int(session.scalar(query) or 0)

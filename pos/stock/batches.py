"""Batches: what came in with which date, and what of it must still be on the shelf.

Rules
-----
1. Every lot that comes in is one row: product, quantity, and where known its batch and the last day it may be sold.
2. A common barcode carries no batch, so a sale says nothing of it. What is on hand is taken to be what expires last
   (first expired, first out): lots are filled up from the latest day backwards until what is on hand is used up. A
   question computes this from the levels and the lots; the sale writes nothing. What leaves by the name of its lot
   (written off, or back to the supplier) makes that lot smaller, and larger again when that is undone.
3. A lot without a date is ordered by the product's shelf life, else as one that keeps for ever. What is on hand beyond
   all lots has no known date. A lot that is over for FORGET_DAYS is not looked at any more, except where all that
   leaves is taken from its lot by name, as in a warehouse.
4. The last day itself is a day of sale. A unit whose code says that its day is over is refused.
5. A place that names its lots, as a warehouse, gives away what is sound: neither over nor recalled (`recall`, rule 2).

Units: quantities in stock units.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.ids import new_id
from pos.catalogue.catalogue import Product
from pos.stock.ledger import MOST_QTY, units_inside
from pos.stock.recall import goods_received, in_force, tidy_batch
from pos.store.store import day_of

FOR_EVER = dt.date(9999, 12, 31)
FORGET_DAYS = 60
FURTHEST_DAYS = 3660
"""No date further away is believed: it is a slip."""
_SKUS_A_LOOK = 500


class Batch(Base):
    """A lot that came in (rule 1); only what is known to have left of it ever changes."""

    __tablename__ = "batch"
    __table_args__ = (
        sa.CheckConstraint("received_qty > 0", name="received_positive"),
        sa.CheckConstraint("gone_qty between 0 and received_qty", name="gone_fits"),
        sa.Index("ix_batch_leaves", "store_id", "leaves_on"),
        sa.Index("ix_batch_sku", "store_id", "sku", "leaves_on"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    """The last day it may be sold; None: it has none, or nobody wrote it down."""
    leaves_on: Mapped[dt.date]
    """The day the first-expired order goes by (rule 3)."""
    received_qty: Mapped[int]
    gone_qty: Mapped[int] = mapped_column(default=0, server_default="0")
    """What is known to have left of this very lot (rule 2)."""
    received_on: Mapped[dt.date]
    source_kind: Mapped[str]
    source_id: Mapped[str]


@dataclass(frozen=True)
class Lot:
    """A lot as it comes in."""

    sku: str
    qty: int
    batch: str | None = None
    expires_on: dt.date | None = None


@dataclass(frozen=True)
class Held:
    """What is taken to be on hand of a lot. batch_id None: no lot is known for it."""

    sku: str
    qty: int
    batch: str | None
    expires_on: dt.date | None
    batch_id: str | None


@dataclass(frozen=True)
class Expiring:
    """A lot that must leave soon, or should have left. days_left < 0: its day is over."""

    sku: str
    name: str
    stock_unit: str
    price_quantity: int
    batch: str | None
    expires_on: dt.date
    qty: int
    days_left: int
    batch_id: str


# --- verbs ---


def lay_in(
    session: Session, store_id: str, lots: Iterable[Lot], *, source_kind: str, source_id: str, at: dt.datetime
) -> list[Batch]:
    """Write down the lots of goods that came in (rule 1); the movement itself is `stock.receive`."""
    day = day_of(session, store_id, at)
    wanted = [lot for lot in lots if lot.qty > 0]
    lives = _shelf_lives(session, [lot.sku for lot in wanted])
    rows = []
    for lot in wanted:
        refuse_strange_day(lot.expires_on, day)
        life = lives.get(lot.sku)
        guess = FOR_EVER if life is None else day + dt.timedelta(days=min(life, FURTHEST_DAYS))
        rows.append(
            Batch(
                store_id=store_id, id=new_id(), sku=lot.sku, batch=tidy_batch(lot.batch), expires_on=lot.expires_on,
                leaves_on=lot.expires_on or guess, received_qty=min(lot.qty, MOST_QTY), received_on=day,
                source_kind=source_kind, source_id=source_id,
            )
        )  # fmt: skip
    session.add_all(rows)
    session.flush()
    goods_received(session, store_id, {(row.sku, row.batch) for row in rows}, at=at)
    return rows


def let_go(session: Session, store_id: str, lots: Iterable[Lot]) -> None:
    """Make lots smaller by what left of them by name (rule 2); what names neither batch nor day names no lot."""
    for lot in lots:
        batch, rest = tidy_batch(lot.batch), lot.qty
        if batch is None and lot.expires_on is None:
            continue
        query = sa.select(Batch).where(
            Batch.store_id == store_id, Batch.sku == lot.sku, Batch.gone_qty < Batch.received_qty
        )
        if batch is not None:
            query = query.where(Batch.batch == batch)
        if lot.expires_on is not None:
            query = query.where(Batch.expires_on == lot.expires_on)
        for row in session.scalars(query.order_by(Batch.leaves_on, Batch.received_on, Batch.id)):
            part = min(rest, row.received_qty - row.gone_qty)
            row.gone_qty += part
            rest -= part
    session.flush()


def take_from(session: Session, store_id: str, taken: Iterable[tuple[str, int]]) -> None:
    """Make these very lots smaller: (batch id, units), never more than is left of each (rule 2)."""
    for batch_id, qty in taken:
        row = session.get_one(Batch, (store_id, batch_id))
        row.gone_qty = min(row.received_qty, row.gone_qty + qty)
    session.flush()


def put_back(session: Session, store_id: str, lot: Lot) -> None:
    """Make lots larger again by what `let_go` took of them by the name of their batch, the last of them first."""
    batch, rest = tidy_batch(lot.batch), lot.qty
    if batch is None:
        return
    query = sa.select(Batch).where(
        Batch.store_id == store_id, Batch.sku == lot.sku, Batch.batch == batch, Batch.gone_qty > 0
    )
    for row in session.scalars(query.order_by(Batch.leaves_on.desc(), Batch.received_on.desc(), Batch.id.desc())):
        part = min(rest, row.gone_qty)
        row.gone_qty -= part
        rest -= part
    session.flush()


# --- questions ---


def standing(
    session: Session, store_id: str, skus: Sequence[str], *, day: dt.date, forgets: bool = True
) -> dict[str, tuple[Held, ...]]:
    """Return which lots are taken to be on hand, first to leave first; what has no lot comes last (rules 2, 3).

    forgets: lots that are over for long are not looked at; False: they are, too.
    """
    since = day - dt.timedelta(days=FORGET_DAYS) if forgets else dt.date.min
    answer: dict[str, tuple[Held, ...]] = {}
    for start in range(0, len(skus), _SKUS_A_LOOK):
        some = list(skus[start : start + _SKUS_A_LOOK])
        lots: dict[str, list[Batch]] = {}
        query = sa.select(Batch).where(Batch.store_id == store_id, Batch.sku.in_(some), Batch.leaves_on >= since)
        for row in session.scalars(query.order_by(Batch.leaves_on.desc(), Batch.received_on.desc(), Batch.id.desc())):
            lots.setdefault(row.sku, []).append(row)
        on_hand = units_inside(session, store_id, some)
        answer |= {sku: _filled(sku, on_hand.get(sku, 0), lots.get(sku, [])) for sku in some}
    return answer


def over(session: Session, store_id: str, *, day: dt.date, forgets: bool = False) -> dict[str, int]:
    """Return SKU -> units on hand whose last day is over. forgets: as in `standing`, for a place that names no lots."""
    since = day - dt.timedelta(days=FORGET_DAYS) if forgets else dt.date.min
    dated = sa.select(Batch.sku).where(
        Batch.store_id == store_id, Batch.expires_on >= since, Batch.expires_on < day,
        Batch.gone_qty < Batch.received_qty,
    )  # fmt: skip
    lots = standing(session, store_id, sorted(session.scalars(dated.distinct())), day=day, forgets=forgets)
    sums = {
        sku: sum(one.qty for one in held if one.expires_on is not None and one.expires_on < day)
        for sku, held in lots.items()
    }
    return {sku: qty for sku, qty in sums.items() if qty}


def sound(session: Session, store_id: str, skus: Sequence[str], *, day: dt.date) -> dict[str, list[Held]]:
    """Return the lots that may leave a place that names them, first to leave first (rule 5)."""
    recalls = in_force(session, store_id, skus)
    return {
        sku: [
            one
            for one in held
            if (one.expires_on is None or one.expires_on >= day)
            and not any(row.sku == sku and row.stops(one.batch) for row in recalls)
        ]
        for sku, held in standing(session, store_id, skus, day=day, forgets=False).items()
    }


def unsound(session: Session, store_id: str, *, day: dt.date) -> dict[str, int]:
    """Return SKU -> units on hand of a place that names its lots which may not leave it (rule 5)."""
    skus = sorted({*over(session, store_id, day=day), *(row.sku for row in in_force(session, store_id))})
    fit = sound(session, store_id, skus, day=day)
    held = standing(session, store_id, skus, day=day, forgets=False)
    sums = {sku: sum(one.qty for one in held[sku]) - sum(one.qty for one in fit[sku]) for sku in skus}
    return {sku: qty for sku, qty in sums.items() if qty}


def dated(session: Session, store_id: str, today: dt.date, last: dt.date) -> dict[str, list[tuple[int, float]]]:
    """Return the lots on hand whose last day lies within the interval or is over: SKU -> (days left, units).

    What is recalled is not there, and does not expire.
    """
    since = today - dt.timedelta(days=FORGET_DAYS)
    dated = sa.select(Batch.sku).where(
        Batch.store_id == store_id, Batch.expires_on.between(since, last), Batch.gone_qty < Batch.received_qty
    )
    skus = sorted(session.scalars(dated.distinct()))
    called = in_force(session, store_id, skus)
    return {
        sku: [
            ((held.expires_on - today).days, float(held.qty))
            for held in lots
            if held.expires_on is not None
            and held.expires_on <= last
            and not any(row.sku == sku and row.means(held.batch) for row in called)
        ]
        for sku, lots in standing(session, store_id, skus, day=today).items()
    }


def recalled(session: Session, store_id: str, *, day: dt.date) -> dict[str, int]:
    """Return SKU -> units on hand that are recalled for certain: of a recalled lot, or of a product wholly recalled."""
    rows = in_force(session, store_id)
    lots = standing(session, store_id, sorted({row.sku for row in rows}), day=day)
    sums = {
        sku: sum(one.qty for one in held if any(row.sku == sku and row.means(one.batch) for row in rows))
        for sku, held in lots.items()
    }
    return {sku: qty for sku, qty in sums.items() if qty}


def expiring(session: Session, store_id: str, *, day: dt.date, within_days: int) -> list[Expiring]:
    """Return what leaves within so many days, and what should have left, the earliest first (rule 2)."""
    first, last = day - dt.timedelta(days=FORGET_DAYS), day + dt.timedelta(days=within_days)
    due = sa.select(Batch.sku).where(
        Batch.store_id == store_id, Batch.leaves_on.between(first, last), Batch.expires_on.is_not(None)
    )
    skus = sorted(session.scalars(due.distinct()))
    lots = standing(session, store_id, skus, day=day)
    here = [
        held
        for sku in skus
        for held in lots[sku]
        if held.batch_id and held.expires_on is not None and held.expires_on <= last
    ]
    products = _products(session, [held.sku for held in here])
    rows = [
        Expiring(
            sku=held.sku,
            name=products[held.sku].shown,
            stock_unit=products[held.sku].stock_unit,
            price_quantity=products[held.sku].price_quantity,
            batch=held.batch,
            expires_on=held.expires_on,
            qty=held.qty,
            days_left=(held.expires_on - day).days,
            batch_id=held.batch_id,
        )
        for held in here
        if held.expires_on is not None and held.batch_id is not None
    ]
    return sorted(rows, key=lambda row: (row.expires_on, row.name, row.sku, row.batch_id))


Dated = tuple[str, str | None, dt.date | None]
"""(sku, batch, expires_on) of a unit as its code or a person says it."""


def refuse_expired(
    session: Session, store_id: str, sku: str, batch: str | None, expires_on: dt.date | None, day: dt.date
) -> None:
    """Raise Refused for a scanned unit whose day is over, by its code or by its batch as it came in (rule 4)."""
    if batch or expires_on:
        unit = (sku, batch, expires_on)
        names = dict(session.execute(sa.select(Product.sku, Product.shown).where(Product.sku == sku)).all())
        refuse_over([unit], last_days(session, store_id, [unit]), names, day)


def last_days(session: Session, store_id: str, units: Iterable[Dated]) -> dict[tuple[str, str | None], dt.date]:
    """Return the last day of each (sku, batch) that says none, as its lots came in: of all that are dated the latest.

    Units that name no batch cost nothing.
    """
    found = {}
    for sku, batch, expires_on in units:
        if expires_on is not None or (known := tidy_batch(batch)) is None:
            continue
        days = session.scalars(
            sa.select(Batch.expires_on).where(Batch.store_id == store_id, Batch.sku == sku, Batch.batch == known)
        ).all()
        dated = [one for one in days if one is not None]
        if dated and len(dated) == len(days):
            found[sku, batch] = max(dated)
    return found


def refuse_over(
    units: Iterable[Dated], last: Mapping[tuple[str, str | None], dt.date], names: Mapping[str, str], day: dt.date
) -> None:
    """Raise Refused for the first unit whose day is over (rule 4). last: as `last_days` found it."""
    for sku, batch, expires_on in units:
        last_day = expires_on or last.get((sku, batch))
        if last_day is not None and last_day < day:
            raise _over(sku, batch, last_day, names.get(sku, sku))


def refuse_strange_day(expires_on: dt.date | None, day: dt.date) -> None:
    """Raise Invalid for a date no goods carry: more than ten years away, or over for longer than a year."""
    if expires_on is not None and not -366 <= (expires_on - day).days <= FURTHEST_DAYS:
        raise Invalid("bad-date", "Check the date on the pack.", field="expires_on")


# --- inside ---


def _over(sku: str, batch: str | None, last_day: dt.date, name: str) -> Refused:
    return Refused(
        "expired",
        "%(name)s expired on %(expires_on)s. Do not sell it: give the customer another one and write this one off.",
        sku=sku,
        name=name,
        expires_on=last_day.isoformat(),
        batch=batch,
        stopped=[(sku, batch)],
    )


def _filled(sku: str, on_hand: int, lots: list[Batch]) -> tuple[Held, ...]:
    """Fill lots, the latest first, with what is on hand (rule 2)."""
    rest, held = max(0, on_hand), []
    for lot in lots:
        part = min(rest, lot.received_qty - lot.gone_qty)
        if part:
            held.append(Held(sku, part, lot.batch, lot.expires_on, lot.id))
            rest -= part
    held.reverse()
    return (*held, Held(sku, rest, None, None, None)) if rest else tuple(held)


def _shelf_lives(session: Session, skus: Sequence[str]) -> dict[str, int]:
    query = sa.select(Product.sku, Product.shelf_life_days).where(
        Product.sku.in_(set(skus)), Product.shelf_life_days.is_not(None)
    )
    return {sku: int(days) for sku, days in session.execute(query) if days is not None}


def _products(session: Session, skus: Sequence[str]) -> dict[str, Product]:
    return {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(set(skus))))}

"""Loyalty points: earned on what was paid, redeemed as money, taken back with a return.

Rules
-----
1. The book is append-only; the points a member has are its sum, kept beside it and checked.
2. Points are earned on what is paid for goods, rounded down; the caller leaves out deposits and vouchers. Points never
   earn points.
3. Redeeming needs the least number the store asks for and never goes below zero, on however many tills at once.
4. A return takes the earned points back, also when they were redeemed meanwhile: then the balance is below zero, and
   the next purchases fill it first. Points that paid for the returned goods come back.
5. Each store sets its scheme; without one, or with it switched off, nothing is earned or redeemed.

The book knows a member by id alone. Units: points are whole, + for the member; *_minor currency minor units.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.ids import new_id
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from pos.store.store import Store

MOST_POINTS = 10**6


class LoyaltyScheme(Base):
    """How a store thanks its members: `points` for each `per_minor` paid, each worth `worth_minor`."""

    __tablename__ = "loyalty_scheme"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    active: Mapped[bool] = mapped_column(default=False)
    points: Mapped[int] = mapped_column(default=1)
    per_minor: Mapped[int]
    worth_minor: Mapped[int]
    least_points: Mapped[int]
    """Redeemed at once, at least."""


class PointsAccount(Base):
    """A customer's points. member: takes part and has agreed to it."""

    __tablename__ = "points_account"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    member: Mapped[bool] = mapped_column(default=False)
    points: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)


@append_only()
class PointsEntry(Base):
    """One line of the book of points; never changed."""

    __tablename__ = "points_entry"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "customer_id", "n"),
        sa.Index("ix_points_entry_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    n: Mapped[int]
    kind: Mapped[str]
    """earned | spent | taken_back | given_back | ended | carried"""
    points: Mapped[int]
    balance: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(default=0)
    """What was paid (earned, taken back) or what the points paid (spent, given back)."""
    sale_id: Mapped[str | None]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


@dataclass(frozen=True)
class Scheme:
    """A store's scheme as it is read; active False: nothing is earned or redeemed."""

    active: bool
    points: int
    per_minor: int
    worth_minor: int
    least_points: int

    def earned(self, base_minor: int) -> int:
        """Return the points for an amount that was paid, rounded down (rule 2)."""
        return max(0, base_minor) * self.points // self.per_minor if self.active else 0

    def needed(self, amount_minor: int) -> int:
        """Return the points that pay an amount, rounded up."""
        return -(-amount_minor // self.worth_minor)

    def worth(self, points: int) -> int:
        """Return what points are worth when they may be redeemed, else 0 (rule 3)."""
        return points * self.worth_minor if self.active and points >= max(1, self.least_points) else 0


NONE = Scheme(active=False, points=1, per_minor=100, worth_minor=1, least_points=100)


# --- verbs ---


def set_scheme(ctx: Context, store_id: str, wished: Scheme) -> Scheme:
    """Set a store's scheme (rule 5); refuses one that gives back more than was paid."""
    for name, most in (("points", MOST_POINTS), ("per_minor", MAX_MINOR), ("worth_minor", MAX_MINOR)):
        if not 1 <= getattr(wished, name) <= most:
            raise Invalid("bad-scheme", "Type whole numbers above zero.", field=name)
    if not 0 <= wished.least_points <= MOST_POINTS:
        raise Invalid("bad-scheme", "Type whole numbers above zero.", field="least_points")
    if wished.points * wished.worth_minor > wished.per_minor:
        raise Invalid("scheme-too-generous", "The points would be worth more than what was paid.", field="worth_minor")
    row = ctx.session.get(LoyaltyScheme, store_id) or LoyaltyScheme(store_id=store_id)
    for name, value in vars(wished).items():
        setattr(row, name, value)
    ctx.session.add(row)
    journal.record(ctx, verb="loyalty.set", subject=f"store:{store_id}", **vars(wished))
    ctx.session.flush()
    return wished


def open_account(session: Session, store_id: str, customer_id: str, *, member: bool) -> PointsAccount:
    """Give a new customer an account of points."""
    account = PointsAccount(store_id=store_id, customer_id=customer_id, member=member, points=0, lines=0)
    session.add(account)
    return account


def set_member(session: Session, store_id: str, customer_id: str, member: bool) -> None:
    """Let a customer take part, or not any more; what was earned stays until the customer is forgotten."""
    account_of(session, store_id, customer_id).member = member
    session.flush()


def earn(ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str) -> tuple[int, int]:
    """Give a member the points of a sale; returns (earned, balance), (0, balance) for who is no member (rules 2, 5)."""
    account = account_of(ctx.session, store.id, customer_id)
    earned = scheme(ctx.session, store.id).earned(base_minor) if account.member else 0
    if earned == 0:
        return 0, account.points
    return earned, _write(ctx, store.id, customer_id, "earned", earned, base_minor, sale_id)


def spend_points(ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str) -> tuple[int, int]:
    """Pay an amount with points; returns (points spent, balance). Refused with what could be paid (rule 3)."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Type an amount of money above zero.", amount_minor=amount_minor)
    rules, account = scheme(ctx.session, store.id), account_of(ctx.session, store.id, customer_id)
    if not rules.active or not account.member:
        raise Refused("no-points-here", "This customer collects no points here. Choose another way to pay.")
    points = rules.needed(amount_minor)
    if points < rules.least_points:
        raise Refused(
            "too-few-points", "Points are redeemed from %(least_points)s on. Choose another way to pay.",
            least_points=rules.least_points, points=account.points,
        )  # fmt: skip
    balance = _write(ctx, store.id, customer_id, "spent", -points, amount_minor, sale_id, covered=True)
    return points, balance


def take_points_back(
    ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Take back what returned goods had earned; returns (points taken, balance) (rule 4).

    base_minor: what is paid back, > 0. sale_id: the return. of_sale_id: the sale that earned them; then never more
    than it earned, at the rate of that day.
    """
    account = account_of(ctx.session, store.id, customer_id)
    points = _share(ctx.session, store.id, customer_id, base_minor, "earned", of_sale_id)
    if points <= 0:
        return 0, account.points
    return points, _write(ctx, store.id, customer_id, "taken_back", -points, base_minor, sale_id)


def give_points_back(
    ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Give back the points that paid for returned goods; returns (points given, balance) (rule 4).

    amount_minor: what the points had paid, > 0. of_sale_id: the sale they paid; then as many as it took.
    """
    if not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Type an amount of money above zero.", amount_minor=amount_minor)
    points = _share(ctx.session, store.id, customer_id, amount_minor, "spent", of_sale_id)
    return points, _write(ctx, store.id, customer_id, "given_back", points, amount_minor, sale_id)


def end(ctx: Context, store_id: str, customer_id: str) -> None:
    """End a membership: what points are left are gone, with a line that says so."""
    account = account_of(ctx.session, store_id, customer_id)
    if account.points:
        _write(ctx, store_id, customer_id, "ended", -account.points, 0, None)
    set_member(ctx.session, store_id, customer_id, False)


def carry_over(ctx: Context, store_id: str, customer_id: str) -> None:
    """Let all points go over into the network's (`shared_points`)."""
    account = account_of(ctx.session, store_id, customer_id)
    _write(ctx, store_id, customer_id, "carried", -account.points, 0, None, covered=True)


def write_again(ctx: Context, store_id: str, customer_id: str, *, earned: int, paid_minor: int, sale_id: str) -> None:
    """Write what a sale these books have lost had done to a member's points, as its receipt says.

    earned: below zero where a return took points back; paid_minor: what points paid, below zero where they came back.
    """
    account_of(ctx.session, store_id, customer_id)
    if earned:
        _write(ctx, store_id, customer_id, "earned" if earned > 0 else "taken_back", earned, 0, sale_id)
    if paid_minor:
        points = scheme(ctx.session, store_id).needed(abs(paid_minor))
        kind, moved = ("spent", -points) if paid_minor > 0 else ("given_back", points)
        _write(ctx, store_id, customer_id, kind, moved, abs(paid_minor), sale_id)


# --- questions ---


def scheme(session: Session, store_id: str) -> Scheme:
    """Return a store's scheme; one that is switched off when it never set any."""
    row = session.get(LoyaltyScheme, store_id)
    return NONE if row is None else Scheme(row.active, row.points, row.per_minor, row.worth_minor, row.least_points)


def account_of(session: Session, store_id: str, customer_id: str) -> PointsAccount:
    """Return a customer's account of points as it stands in the database now; NotFound without one."""
    query = sa.select(PointsAccount).where(PointsAccount.store_id == store_id, PointsAccount.customer_id == customer_id)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("unknown-customer", "This customer is not known here. Look the customer up again.")
    return found


def entries(session: Session, store_id: str, customer_id: str, limit: int | None = None) -> list[PointsEntry]:
    """Return a customer's lines, newest first."""
    query = sa.select(PointsEntry).where(PointsEntry.store_id == store_id, PointsEntry.customer_id == customer_id)
    return list(session.scalars(query.order_by(PointsEntry.n.desc()).limit(limit)))


# --- inside ---


def _share(session: Session, store_id: str, customer_id: str, minor: int, kind: str, of_sale_id: str | None) -> int:
    """Return the points that belong to part of a sale, at its own rate; without the sale, at today's."""
    if of_sale_id is None:
        rules = scheme(session, store_id)
        return rules.earned(minor) if kind == "earned" else rules.needed(minor)
    sums = sa.select(sa.func.sum(PointsEntry.points), sa.func.sum(PointsEntry.amount_minor)).where(
        PointsEntry.store_id == store_id,
        PointsEntry.customer_id == customer_id,
        PointsEntry.sale_id == of_sale_id,
        PointsEntry.kind == kind,
    )
    row = session.execute(sums).one()
    points, amount_minor = abs(int(row[0] or 0)), int(row[1] or 0)
    return min(points, minor * points // amount_minor) if amount_minor > 0 else 0


def _write(
    ctx: Context, store_id: str, customer_id: str, kind: str, points: int, amount_minor: int, sale_id: str | None,
    *, covered: bool = False,
) -> int:  # fmt: skip
    """Move the balance and write its line; covered: only where the points are there. Returns the balance."""
    after = PointsAccount.points + points
    where = [PointsAccount.store_id == store_id, PointsAccount.customer_id == customer_id]
    if covered:
        where.append(after >= 0)
    moved = sa.update(PointsAccount).where(*where).values(points=after, lines=PointsAccount.lines + 1)
    row = ctx.session.execute(
        moved.returning(PointsAccount.points, PointsAccount.lines), execution_options={"synchronize_session": False}
    ).one_or_none()
    if row is None:
        have = account_of(ctx.session, store_id, customer_id).points
        raise Refused("not-enough-points", "There are not enough points for that.", points=have, needed=-points)
    entry = PointsEntry(
        store_id=store_id,
        id=new_id(),
        customer_id=customer_id,
        n=row.lines,
        kind=kind,
        points=points,
        balance=row.points,
        amount_minor=amount_minor,
        sale_id=sale_id,
        at=ctx.at,
        actor_id=ctx.actor.id,
    )
    ctx.session.add(entry)
    ctx.session.flush()
    return int(row.points)

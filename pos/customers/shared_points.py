"""Points shared by the stores of the network: one scheme, one balance, earned and redeemed wherever a store takes part.

Rules
-----
1. The network founds the scheme. Its name and what a point is worth never change; the rest does from a day on.
2. A store takes part from the day it says so until the last day of its notice. Whoever agreed to it collects these
   points there and never, on the same sale, the store's own (`loyalty`); what a customer had of those comes along.
3. The network knows a member by a key of the phone number (`customers.key_of`), never by name or number. It connects a
   customer of this store with the member only after the member's consent: a code sent to the phone, or a yes online.
   Until then the customer has the points earned here, which can't be redeemed; consenting joins them to the others.
4. Earning and returns need no line: they are written here and told. Redeemed is only what the network has granted: a
   payment it captured (`asking`), so that nothing is spent twice however many stores are asked at once.
5. A return takes back what its goods had earned, and gives back what points had paid, at the sale's own rate; also
   after the store or the customer has left. The balance may fall below zero: the next purchases fill it. Each names the
   sale it answers, so that the network can check it.
6. The balance is what the network told last, with what it had not counted then.

Units: points are whole, + for the member; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.ids import NETWORK, new_id
from config.nodes import facts, journal
from config.nodes.append_only import append_only
from config.nodes.facts import STORE, Count, Day, Fact, Flag, Instant, Whole, applies, recovers
from config.nodes.journal import Context
from pos.customers import loyalty
from pos.customers.loyalty import Scheme
from pos.store.store import Store, day_of

FUNDED, PAID = ("earned", "brought", "taken_back"), ("spent", "given_back")
"""Kinds of movements a store pays the worth of, and those it is paid the worth of, returns taken off."""


class PointsMoved(Fact, topic="points.moved", said_by=STORE):
    """A member's points were earned, redeemed or came back."""

    store_id: str
    id: str
    customer_id: str
    key: str
    kind: str
    points: Whole
    amount_minor: Count
    sale_id: str
    at: Instant
    business_day: Day
    of_sale_id: str = ""


class MemberReported(Fact, topic="points.member", said_by=STORE):
    """A customer is a member by this key; '': no more."""

    store_id: str
    customer_id: str
    key: str
    reported_at: Instant


class PointsPart(Fact, topic="points.part", said_by=STORE):
    """A store takes part, or until when."""

    store_id: str
    from_day: Day
    until_day: Day | None
    reported_at: Instant


@dataclass(frozen=True)
class CountedEntry:
    """A movement as the network counted it."""

    id: str
    n: Whole
    kind: str
    points: Whole
    amount_minor: Whole
    sale_id: str
    of_sale_id: str
    at: Instant
    business_day: Day


class PointsReported(Fact, topic="points.reported", said_by=NETWORK):
    """A member's balance, and the movement of this store it counts now. reported: the highest one stands."""

    store_id: str
    customer_id: str
    points: Whole
    linked: Flag
    reported: Whole
    ended: Flag
    entry: CountedEntry | None


class SharedScheme(Base):
    """The network's scheme as it is from a day on. expiry_months: 0 for never; lapsed_to: stores | network."""

    __tablename__ = "shared_scheme"

    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    active: Mapped[bool]
    points: Mapped[int]
    per_minor: Mapped[int]
    worth_minor: Mapped[int]
    least_points: Mapped[int]
    expiry_months: Mapped[int]
    lapsed_to: Mapped[str]
    notice_days: Mapped[int]

    def rates(self) -> Scheme:
        """Return the scheme's arithmetic, which is that of a store's own."""
        return Scheme(self.active, self.points, self.per_minor, self.worth_minor, self.least_points)


class SharedPart(Base):
    """A time in which a store takes part; until_day: the last one, None while it has not given notice."""

    __tablename__ = "shared_part"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    until_day: Mapped[dt.date | None]
    reported_at: Mapped[dt.datetime]


class SharedAccount(Base):
    """A customer's shared points at a store.

    reported_points, reported_n: the network's last balance, and its number.
    """

    __tablename__ = "shared_account"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    """'' where the customer is no member, or not any more."""
    points: Mapped[int] = mapped_column(default=0)
    reported_points: Mapped[int] = mapped_column(default=0)
    reported_n: Mapped[int] = mapped_column(default=0)
    linked: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether the member has consented here, so that the points can be redeemed (rule 3)."""


@append_only("n", "sale_id")
class SharedEntry(Base):
    """One movement of points; never changed but for its number. At a store its own, at the network those of all.

    n: the member's number for it at the network, 0 where it has not counted it yet.
    """

    __tablename__ = "shared_points_entry"
    __table_args__ = (
        sa.Index("ix_shared_points_entry_sale", "store_id", "sale_id"),
        sa.Index("ix_shared_points_entry_of_sale", "store_id", "of_sale_id"),
        sa.Index("ix_shared_points_entry_customer", "store_id", "customer_id"),
        sa.Index("ix_shared_points_entry_member", "member_id", "n"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    member_id: Mapped[str] = mapped_column(default="")
    n: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str]
    """earned | brought | spent | taken_back | given_back | lapsed | called_off"""
    points: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(default=0)
    """What was paid (earned, taken back) or what the points paid (spent, given back)."""
    sale_id: Mapped[str] = mapped_column(default="")
    of_sale_id: Mapped[str] = mapped_column(default="", server_default="")
    """The sale whose points come back (taken back, given back)."""
    at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    actor_id: Mapped[str] = mapped_column(default="")
    """Whose hand it was, at the store alone."""


# --- verbs ---


def take_part(ctx: Context, store: Store) -> SharedPart:
    """Let a store take part from today on (rule 2); a notice that was given is taken back."""
    today = day_of(ctx.session, store.id, ctx.at)
    scheme = scheme_on(ctx.session, today)
    if scheme is None or not scheme.active:
        raise Refused("no-shared-points", "The network has no points of its own now. Ask again when it has.")
    if scheme.currency != store.currency:
        raise Refused("points-other-currency", "The network's points are worth another currency than this store's.")
    part = part_of(ctx.session, store.id, today)
    if part is None:
        part = SharedPart(store_id=store.id, from_day=today, reported_at=ctx.at)
        ctx.session.add(part)
    elif part.until_day is None:
        return part
    part.until_day, part.reported_at = None, ctx.at
    _send_part(ctx, part)
    return part


def give_notice(ctx: Context, store: Store) -> SharedPart:
    """Let a store leave when its notice is over (rule 2); given twice, the first counts."""
    today = day_of(ctx.session, store.id, ctx.at)
    part, scheme = part_of(ctx.session, store.id, today), scheme_on(ctx.session, today)
    if part is None or scheme is None:
        raise Refused("takes-no-part", "This store does not take part in the network's points.")
    if part.until_day is None:
        part.until_day, part.reported_at = today + dt.timedelta(days=scheme.notice_days), ctx.at
        _send_part(ctx, part)
    return part


def join(ctx: Context, store: Store, customer_id: str, key: str) -> None:
    """Make a customer a member under a key, or know the member by another one; the store's own points come along."""
    account = ctx.session.get(SharedAccount, (store.id, customer_id)) or _opened(ctx.session, store.id, customer_id)
    if account.key == key:
        return
    account.key = key
    _send_member(ctx.session, account, ctx.at)
    own, rates = loyalty.account_of(ctx.session, store.id, customer_id), loyalty.scheme(ctx.session, store.id)
    scheme = scheme_on(ctx.session, day_of(ctx.session, store.id, ctx.at))
    if own.points > 0 and rates.active and scheme is not None:
        worth_minor = own.points * rates.worth_minor
        loyalty.carry_over(ctx, store.id, customer_id)
        _write(ctx, account, "brought", worth_minor // scheme.worth_minor, worth_minor, "")


def quit_(session: Session, store_id: str, customer_id: str, *, at: dt.datetime) -> None:
    """End a customer's membership at this store: nothing more is told of the person, and nothing more earned."""
    account = session.get(SharedAccount, (store_id, customer_id))
    if account is not None and account.key:
        account.key = ""
        _send_member(session, account, at)


def earn(ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str) -> tuple[int, int]:
    """Give a member the points of a sale, also without a line (rule 4); returns (earned, balance)."""
    account = _account(ctx.session, store.id, customer_id)
    scheme = scheme_on(ctx.session, day_of(ctx.session, store.id, ctx.at))
    earned = scheme.rates().earned(base_minor) if scheme else 0
    if earned == 0:
        return 0, account.points
    return earned, _write(ctx, account, "earned", earned, base_minor, sale_id)


def spend(ctx: Context, store_id: str, customer_id: str, payment_id: str, amount_minor: int, *, sale_id: str) -> int:
    """Write the points the network granted for a payment (rule 4); returns the balance."""
    account = _account(ctx.session, store_id, customer_id)
    scheme = scheme_on(ctx.session, day_of(ctx.session, store_id, ctx.at))
    points = scheme.rates().needed(amount_minor) if scheme else 0
    return _write(ctx, account, "spent", -points, amount_minor, sale_id, id=payment_id)


def take_points_back(
    ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Take back what returned goods had earned (rule 5); returns (points taken, balance)."""
    account = _account(ctx.session, store.id, customer_id)
    points = _share(ctx.session, store.id, base_minor, "earned", of_sale_id or "")
    if points <= 0:
        return 0, account.points
    of = of_sale_id or ""
    return points, _write(ctx, account, "taken_back", -points, base_minor, sale_id, of_sale_id=of)


def give_points_back(
    ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Give back the points that paid for returned goods (rule 5); returns (points given, balance)."""
    account = _account(ctx.session, store.id, customer_id)
    points = _share(ctx.session, store.id, amount_minor, "spent", of_sale_id or "")
    of = of_sale_id or ""
    return points, _write(ctx, account, "given_back", points, amount_minor, sale_id, of_sale_id=of)


@applies(PointsReported)
def take_reported(ctx: Context, fact: PointsReported) -> None:
    """Take over a balance the network tells, and what of ours it has counted; an older word changes no balance."""
    account = ctx.session.get(SharedAccount, (fact.store_id, fact.customer_id))
    if account is None:
        return
    if (counted := fact.entry) is not None:
        row = ctx.session.get(SharedEntry, (fact.store_id, counted.id))
        if row is None:  # granted, and its sale is not completed yet; or of books put back from a copy
            row = _line_of(fact.store_id, fact.customer_id, counted)
            ctx.session.add(row)
        row.n = counted.n
    if fact.reported > account.reported_n:
        account.reported_points, account.reported_n, account.linked = fact.points, fact.reported, fact.linked
        if fact.ended:
            account.key = ""
    ctx.session.flush()
    _add_up(ctx.session, account)


@recovers(PointsPart)
def write_part_again(ctx: Context, fact: PointsPart) -> None:
    """Write again whether the store takes part."""
    ctx.session.merge(SharedPart(**vars(fact)))
    ctx.session.flush()


@recovers(MemberReported)
def write_member_again(ctx: Context, fact: MemberReported) -> None:
    """Write again who is a member."""
    _add_up(ctx.session, _known_again(ctx.session, fact))


@recovers(PointsMoved)
def write_again(ctx: Context, fact: PointsMoved) -> None:
    """Write again what moved a member's points into books put back from an older copy."""
    account = _known_again(ctx.session, fact)
    if ctx.session.get(SharedEntry, (fact.store_id, fact.id)) is None:
        ctx.session.add(_line_of(fact.store_id, fact.customer_id, fact))
        ctx.session.flush()
    _add_up(ctx.session, account)


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over the network's scheme, all its days."""
    session.execute(sa.delete(SharedScheme))
    for row in body["days"]:
        session.add(SharedScheme(**row | {"from_day": dt.date.fromisoformat(row["from_day"])}))
    session.flush()


# --- questions ---


def given(points: Mapping[str, int]) -> int:
    """Return the points earned of sums by kind, returns taken off."""
    return sum(points.get(kind, 0) for kind in FUNDED)


def taken(points: Mapping[str, int]) -> int:
    """Return the points redeemed of sums by kind, returns taken off."""
    return -sum(points.get(kind, 0) for kind in PAID)


def edition(session: Session) -> dict[str, Any]:
    """Return the scheme as it is published."""
    rows = session.scalars(sa.select(SharedScheme).order_by(SharedScheme.from_day))
    names = [column.key for column in sa.inspect(SharedScheme).columns]
    days = [{name: getattr(row, name) for name in names} for row in rows]
    return {"days": [row | {"from_day": row["from_day"].isoformat()} for row in days]}


def scheme_on(session: Session, day: dt.date) -> SharedScheme | None:
    """Return the network's scheme as it is on a day; None before there is one."""
    query = sa.select(SharedScheme).where(SharedScheme.from_day <= day).order_by(SharedScheme.from_day.desc())
    return session.scalars(query.limit(1)).first()


def part_of(session: Session, store_id: str, day: dt.date) -> SharedPart | None:
    """Return the time in which a store takes part on a day."""
    query = sa.select(SharedPart).where(
        SharedPart.store_id == store_id, SharedPart.from_day <= day,
        sa.or_(SharedPart.until_day.is_(None), SharedPart.until_day >= day),
    )  # fmt: skip
    return session.scalars(query.order_by(SharedPart.from_day.desc())).first()


def collects(session: Session, store_id: str, customer_id: str, at: dt.datetime) -> SharedAccount | None:
    """Return the shared account of a customer who collects these points here now; None: the store's own count."""
    account = session.get(SharedAccount, (store_id, customer_id))
    if account is None or not account.key:
        return None
    return account if part_of(session, store_id, day_of(session, store_id, at)) else None


def worth(session: Session, account: SharedAccount, at: dt.datetime) -> int:
    """Return what an account's points are worth, 0 while they cannot be redeemed."""
    scheme = scheme_on(session, day_of(session, account.store_id, at)) if account.linked else None
    return scheme.rates().worth(account.points) if scheme else 0


def name_of(session: Session, account: SharedAccount, at: dt.datetime) -> str:
    """Return what the network calls its points."""
    scheme = scheme_on(session, day_of(session, account.store_id, at))
    return scheme.name if scheme else ""


def is_of(session: Session, store_id: str, sale_id: str | None, kind: str) -> bool:
    """Tell whether a sale moved shared points in this way, so that its return does (rule 5)."""
    query = sa.select(SharedEntry.id).where(
        SharedEntry.store_id == store_id, SharedEntry.sale_id == sale_id, SharedEntry.kind == kind
    )
    return sale_id is not None and session.scalar(query.limit(1)) is not None


def entries(session: Session, store_id: str, customer_id: str, limit: int | None = None) -> list[SharedEntry]:
    """Return a customer's lines of this store, newest first."""
    query = sa.select(SharedEntry).where(
        SharedEntry.store_id == store_id, SharedEntry.customer_id == customer_id, SharedEntry.points != 0
    )
    return list(session.scalars(query.order_by(SharedEntry.at.desc(), SharedEntry.id.desc()).limit(limit)))


def members(session: Session, store_id: str) -> int:
    """Return how many customers of a store are members."""
    query = sa.select(sa.func.count()).where(SharedAccount.store_id == store_id, SharedAccount.key != "")
    return int(session.scalar(query) or 0)


def sums(session: Session, store_id: str) -> dict[str, int]:
    """Return what this store's sales did with shared points: kind -> points."""
    query = sa.select(SharedEntry.kind, sa.func.sum(SharedEntry.points)).where(SharedEntry.store_id == store_id)
    return {kind: int(points) for kind, points in session.execute(query.group_by(SharedEntry.kind))}


# --- inside ---

_SAME = ("id", "kind", "points", "amount_minor", "sale_id", "of_sale_id", "at", "business_day")
"""What a line and what is told of it call by the same name."""


def _line_of(store_id: str, customer_id: str, reported: PointsMoved | CountedEntry) -> SharedEntry:
    same = {name: getattr(reported, name) for name in _SAME}
    return SharedEntry(store_id=store_id, customer_id=customer_id, member_id="", n=0, **same)


def _known_again(session: Session, fact: MemberReported | PointsMoved) -> SharedAccount:
    found = session.get(SharedAccount, (fact.store_id, fact.customer_id))
    account = found or _opened(session, fact.store_id, fact.customer_id)
    account.key = fact.key
    session.flush()
    return account


def _account(session: Session, store_id: str, customer_id: str) -> SharedAccount:
    query = sa.select(SharedAccount).where(SharedAccount.store_id == store_id, SharedAccount.customer_id == customer_id)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Invalid("no-points-here", "This customer collects no points here. Choose another way to pay.")
    return found


def _opened(session: Session, store_id: str, customer_id: str) -> SharedAccount:
    account = SharedAccount(
        store_id=store_id, customer_id=customer_id, key="", points=0, reported_points=0, reported_n=0
    )
    session.add(account)
    session.flush()
    return account


def _share(session: Session, store_id: str, minor: int, kind: str, of_sale_id: str) -> int:
    """Return the points that belong to part of a sale, at its own rate; none where it moved none."""
    query = sa.select(sa.func.sum(SharedEntry.points), sa.func.sum(SharedEntry.amount_minor)).where(
        SharedEntry.store_id == store_id, SharedEntry.sale_id == of_sale_id, SharedEntry.kind == kind
    )
    row = session.execute(query).one()
    points, amount_minor = abs(int(row[0] or 0)), int(row[1] or 0)
    return min(points, minor * points // amount_minor) if amount_minor > 0 else 0


def _write(
    ctx: Context, account: SharedAccount, kind: str, points: int, amount_minor: int, sale_id: str, *,
    id: str = "", of_sale_id: str = "",
) -> int:  # fmt: skip
    """Write a line and tell it; one the network has told already is written. Returns the balance (rule 6)."""
    store_id, entry_id = account.store_id, id or new_id()
    day = day_of(ctx.session, store_id, ctx.at)
    row = ctx.session.get(SharedEntry, (store_id, entry_id))
    if row is None:
        row = SharedEntry(
            store_id=store_id,
            id=entry_id,
            customer_id=account.customer_id,
            kind=kind,
            points=points,
            amount_minor=amount_minor,
            sale_id=sale_id,
            of_sale_id=of_sale_id,
            at=ctx.at,
            business_day=day,
            member_id="",
            n=0,
            actor_id=ctx.actor.id,
        )
        ctx.session.add(row)
    row.sale_id = sale_id
    ctx.session.flush()
    fact = PointsMoved(
        store_id=store_id, id=entry_id, customer_id=account.customer_id, key=account.key, kind=kind, points=points,
        amount_minor=amount_minor, sale_id=sale_id, of_sale_id=of_sale_id, at=ctx.at, business_day=day,
    )  # fmt: skip
    _send(ctx.session, fact, entry_id, f"points:{account.customer_id}", ctx.at)
    return _add_up(ctx.session, account)


def _add_up(session: Session, account: SharedAccount) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(SharedEntry.points), 0)).where(
        SharedEntry.store_id == account.store_id, SharedEntry.customer_id == account.customer_id, SharedEntry.n == 0
    )
    account.points = account.reported_points + int(session.scalar(query) or 0)
    session.flush()
    return account.points


def _send_part(ctx: Context, part: SharedPart) -> None:
    fact = PointsPart(part.store_id, part.from_day, part.until_day, ctx.at)
    journal.record(
        ctx, verb="points.left" if part.until_day else "points.taking_part",
        subject=f"store:{part.store_id}", from_day=part.from_day, until_day=part.until_day)  # fmt: skip
    _send(ctx.session, fact, new_id(), f"store:{part.store_id}", ctx.at)


def _send_member(session: Session, account: SharedAccount, at: dt.datetime) -> None:
    fact = MemberReported(account.store_id, account.customer_id, account.key, at)
    _send(session, fact, new_id(), f"points:{account.customer_id}", at)


def _send(session: Session, fact: Fact, id: str, subject: str, at: dt.datetime) -> None:
    day = day_of(session, fact.of(), at)
    facts.send(session, fact, id=f"{fact.TOPIC}-{id}", subject=subject, day=day, at=at)
    session.flush()

"""Loyalty points: one scheme with a scope, the store's own or the network's, earned and redeemed as money.

Rules
-----
1. A scope is the id of whose points they are: a store's, or the network's. Each has its terms from a day on and its own
   balance; the name and worth of the network's points never change (`supply.money.points_pool`).
2. A customer collects one kind at a time: the network's while the customer is a member there and the store takes part,
   else the store's own. What a customer has of the store's own goes over on joining the network's.
3. Points are earned on what is paid for goods, rounded down; the caller leaves out deposits and vouchers. Points never
   earn points. Terms that are missing or switched off earn and redeem nothing.
4. Redeeming needs the least number of the terms. The store's own never go below zero, on however many tills at once;
   the network's need a payment that the network captured (`asking`), so that no two stores spend the same points.
5. A return takes back what its goods earned and gives back what points paid, in the scope and at the rate of its sale,
   also after the store or the customer has left. The balance may fall below zero: the next purchases fill it first.
6. A store takes part in the network's points until the last day of its notice. The network knows a member by a key of
   the phone number alone (`customers.key_of`), and links a customer only after the member's consent: a code sent to the
   phone, or a yes online. Until then the points earned here can't be redeemed; consent joins them to the others.
7. The book is append-only. A balance is what the network reported last and what it has not counted yet, kept beside
   the book and checked; the network counts nothing of a store's own points and never hears of them.

Units: points are whole, + for the member; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound, Refused, check_amount
from config.ids import NETWORK, new_id
from config.nodes import facts, journal
from config.nodes.append_only import append_only
from config.nodes.facts import STORE, Count, Day, Fact, Flag, Instant, Whole, applies, recovers
from config.nodes.journal import Context
from pos.customers.points_terms import PointsTerms, terms_in, terms_on
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
    """A member's balance, and the movement of this store it counts now. reported: the highest number wins."""

    store_id: str
    customer_id: str
    points: Whole
    linked: Flag
    reported: Whole
    ended: Flag
    entry: CountedEntry | None


class TakingPart(Base):
    """A time in which a store takes part; until_day: the last one, None while it has not given notice."""

    __tablename__ = "points_part"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    until_day: Mapped[dt.date | None]
    reported_at: Mapped[dt.datetime]


class PointsAccount(Base):
    """A customer's points of one scope. member: takes part and has agreed to it.

    reported_points, reported_n: the network's last balance and its number; 0 of the store's own points (rule 7).
    """

    __tablename__ = "points_account"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    member: Mapped[bool] = mapped_column(default=False)
    key: Mapped[str] = mapped_column(default="")
    """By which the network knows a member; '' else."""
    linked: Mapped[bool] = mapped_column(default=False)
    """Whether the points can be redeemed here: the store's own always, the network's once consented (rule 6)."""
    points: Mapped[int] = mapped_column(default=0)
    reported_points: Mapped[int] = mapped_column(default=0)
    reported_n: Mapped[int] = mapped_column(default=0)


@append_only("n", "sale_id")
class PointsEntry(Base):
    """One movement of points; never changed but for its number. At a store its own, at the network those of all.

    n: the member's number for it at the network, 0 where it has not counted it yet, or never does.
    """

    __tablename__ = "points_entry"
    __table_args__ = (
        sa.Index("ix_points_entry_sale", "store_id", "sale_id"),
        sa.Index("ix_points_entry_of_sale", "store_id", "of_sale_id"),
        sa.Index("ix_points_entry_customer", "store_id", "customer_id"),
        sa.Index("ix_points_entry_member", "member_id", "n"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(default=NETWORK)
    customer_id: Mapped[str] = mapped_column(default="")
    member_id: Mapped[str] = mapped_column(default="")
    n: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str]
    """earned | spent | taken_back | given_back | carried | brought | lapsed | called_off"""
    points: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(default=0)
    """What was paid (earned, taken back) or what the points paid (spent, given back)."""
    sale_id: Mapped[str] = mapped_column(default="")
    of_sale_id: Mapped[str] = mapped_column(default="")
    """The sale whose points come back (taken back, given back)."""
    at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    actor_id: Mapped[str] = mapped_column(default="")
    """Whose hand it was, at the store alone."""


@dataclass(frozen=True)
class Balance:
    """Somebody's points. name: the network's for them, '' for the store's own; worth_minor: 0 while not redeemable."""

    name: str
    points: int
    worth_minor: int
    to_confirm: bool = False


# --- verbs ---


def take_part(ctx: Context, store: Store) -> TakingPart:
    """Let a store take part from today on (rule 6); a notice that was given is taken back."""
    today = day_of(ctx.session, store.id, ctx.at)
    terms = terms_on(ctx.session, NETWORK, today)
    if terms is None or not terms.active:
        raise Refused("no-shared-points", "The network has no points program now. Try again once it does.")
    if terms.currency != store.currency:
        raise Refused("points-other-currency", "The network's points use a different currency from this store's.")
    part = part_of(ctx.session, store.id, today)
    if part is None:
        part = TakingPart(store_id=store.id, from_day=today)
        ctx.session.add(part)
    elif part.until_day is None:
        return part
    return _report_part(ctx, part, None)


def give_notice(ctx: Context, store: Store) -> TakingPart:
    """Let a store leave when its notice is over (rule 6); given twice, the first counts."""
    today = day_of(ctx.session, store.id, ctx.at)
    part, terms = part_of(ctx.session, store.id, today), terms_on(ctx.session, NETWORK, today)
    if part is None or terms is None:
        raise Refused("takes-no-part", "This store does not take part in the network's points.")
    return part if part.until_day else _report_part(ctx, part, today + dt.timedelta(days=terms.notice_days))


def enroll(ctx: Context, store: Store, customer_id: str, *, member: bool, key: str = "") -> None:
    """Let a customer take part, or not any more; key: by which the network knows a member, '' for none (rule 6).

    What was earned stays until the customer is forgotten; the store's own points go over with a first key.
    """
    own = _opened(ctx.session, store.id, customer_id, store.id)
    own.member = member
    shared = ctx.session.get(PointsAccount, (store.id, customer_id, NETWORK))
    if key == (shared.key if shared else ""):
        ctx.session.flush()
        return
    shared = shared or _opened(ctx.session, store.id, customer_id, NETWORK)
    shared.member, shared.key = bool(key), key
    _send(ctx.session, MemberReported(store.id, customer_id, key, ctx.at), new_id(), ctx.at)
    mine, theirs = _terms(ctx, own), terms_on(ctx.session, NETWORK, day_of(ctx.session, store.id, ctx.at))
    if key and own.points > 0 and mine.active and theirs is not None:
        worth_minor = own.points * mine.worth_minor
        _move(ctx, own, PointsEntry(kind="carried", points=-own.points), covered=True)
        points = worth_minor // theirs.worth_minor
        _move(ctx, shared, PointsEntry(kind="brought", points=points, amount_minor=worth_minor))


def end(ctx: Context, store: Store, customer_id: str) -> None:
    """End a customer's membership of both kinds: what is left of the store's own points lapses."""
    own = account_of(ctx.session, store.id, customer_id)
    _move(ctx, own, PointsEntry(kind="lapsed", points=-own.points))
    enroll(ctx, store, customer_id, member=False)


def earn(ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str) -> tuple[int, int]:
    """Give a member the points of a sale (rules 2, 3); returns (earned, balance), (0, balance) for who is none."""
    account = collects(ctx.session, store.id, customer_id, ctx.at)
    earned = _terms(ctx, account).earned(base_minor) if account.member else 0
    moved = PointsEntry(kind="earned", points=earned, amount_minor=base_minor, sale_id=sale_id)
    return _move(ctx, account, moved)


def spend(
    ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str, payment_id: str = ""
) -> tuple[int, int]:
    """Pay an amount with points; returns (points spent, balance). Refused with what could be paid (rule 4).

    payment_id: by which the network granted its points.
    """
    check_amount(amount_minor)
    if payment_id:
        account = account_of(ctx.session, store.id, customer_id, NETWORK)
        points = _terms(ctx, account).needed(amount_minor)
        spent = PointsEntry(id=payment_id, kind="spent", points=-points, amount_minor=amount_minor, sale_id=sale_id)
        return _move(ctx, account, spent)
    account = collects(ctx.session, store.id, customer_id, ctx.at)
    if account.scope == NETWORK:
        raise Refused("points-not-granted", "The network did not approve these points. Choose another payment method.")
    terms = _terms(ctx, account)
    points = terms.needed(amount_minor)
    if not terms.active or not account.member:
        raise Refused("no-points-here", "This customer does not collect points here. Choose another payment method.")
    if points < terms.least_points:
        raise Refused(
            "too-few-points", "At least %(least_points)s points are needed to redeem. Choose another payment method.",
            least_points=terms.least_points, points=account.points,
        )  # fmt: skip
    spent = PointsEntry(kind="spent", points=-points, amount_minor=amount_minor, sale_id=sale_id)
    return _move(ctx, account, spent, covered=True)


def take_back(
    ctx: Context, store: Store, customer_id: str, base_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Take back what returned goods had earned; returns (points taken, balance) (rule 5).

    base_minor: what is paid back, > 0. sale_id: the return. of_sale_id: the sale that earned them; then never more
    than it earned, at the rate of that day. The network takes nothing back without it.
    """
    account, points = _share(ctx, store.id, customer_id, base_minor, "earned", of_sale_id)
    sales = {"sale_id": sale_id, "of_sale_id": of_sale_id or ""}
    moved = PointsEntry(kind="taken_back", points=-points, amount_minor=base_minor, **sales)
    return _move(ctx, account, moved)


def give_back(
    ctx: Context, store: Store, customer_id: str, amount_minor: int, *, sale_id: str, of_sale_id: str | None = None
) -> tuple[int, int]:
    """Give back the points that paid for returned goods; returns (points given, balance) (rule 5).

    amount_minor: what the points had paid, > 0. of_sale_id: the sale they paid; then at most what it took.
    """
    check_amount(amount_minor)
    account, points = _share(ctx, store.id, customer_id, amount_minor, "spent", of_sale_id)
    sales = {"sale_id": sale_id, "of_sale_id": of_sale_id or ""}
    moved = PointsEntry(kind="given_back", points=points, amount_minor=amount_minor, **sales)
    return _move(ctx, account, moved)


def write_sale_again(
    ctx: Context, store_id: str, customer_id: str, *, earned: int, paid_minor: int, sale_id: str
) -> None:
    """Write what a sale these books have lost had done to the store's own points, as its receipt says.

    earned: below zero where a return took points back; paid_minor: what points paid, below zero where they came back.
    """
    account = account_of(ctx.session, store_id, customer_id)
    needed = _terms(ctx, account).needed(abs(paid_minor))
    kind = "earned" if earned > 0 else "taken_back"
    _move(ctx, account, PointsEntry(kind=kind, points=earned, sale_id=sale_id))
    kind, points = ("spent", -needed) if paid_minor > 0 else ("given_back", needed)
    _move(ctx, account, PointsEntry(kind=kind, points=points, amount_minor=abs(paid_minor), sale_id=sale_id))


@applies(PointsReported)
def take_reported(ctx: Context, fact: PointsReported) -> None:
    """Take over a balance the network reports, and which of our movements it counts; older reports change nothing."""
    account = ctx.session.get(PointsAccount, (fact.store_id, fact.customer_id, NETWORK))
    if account is None:
        return
    if (counted := fact.entry) is not None:
        # without a row: granted, and its sale is not completed yet; or of books put back from a copy
        row = ctx.session.get(PointsEntry, (fact.store_id, counted.id)) or _line_of(account, counted)
        ctx.session.add(row)
        row.n = counted.n
    if fact.reported > account.reported_n:
        account.reported_points, account.reported_n, account.linked = fact.points, fact.reported, fact.linked
        if fact.ended:
            account.member, account.key = False, ""
    _add_up(ctx.session, account)


@recovers(PointsPart)
def write_part_again(ctx: Context, fact: PointsPart) -> None:
    """Write again whether the store takes part."""
    ctx.session.merge(TakingPart(**vars(fact)))
    ctx.session.flush()


@recovers(MemberReported)
def write_member_again(ctx: Context, fact: MemberReported) -> None:
    """Write again who is a member."""
    _add_up(ctx.session, _known_again(ctx.session, fact))


@recovers(PointsMoved)
def write_again(ctx: Context, fact: PointsMoved) -> None:
    """Write again what moved a member's points into books put back from an older copy."""
    account = _known_again(ctx.session, fact)
    if ctx.session.get(PointsEntry, (fact.store_id, fact.id)) is None:
        ctx.session.add(_line_of(account, fact))
        if fact.kind == "brought":  # of the store's own, which no fact tells
            own = account_of(ctx.session, fact.store_id, fact.customer_id)
            carried = PointsEntry(kind="carried", points=-_terms(ctx, own).needed(fact.amount_minor))
            _move(ctx, own, carried)
    _add_up(ctx.session, account)


# --- questions ---


def given(points: Mapping[str, int]) -> int:
    """Return the points earned of sums by kind, returns taken off."""
    return sum(points.get(kind, 0) for kind in FUNDED)


def taken(points: Mapping[str, int]) -> int:
    """Return the points redeemed of sums by kind, returns taken off."""
    return -sum(points.get(kind, 0) for kind in PAID)


def part_of(session: Session, store_id: str, day: dt.date) -> TakingPart | None:
    """Return the time in which a store takes part on a day."""
    query = sa.select(TakingPart).where(
        TakingPart.store_id == store_id, TakingPart.from_day <= day,
        sa.or_(TakingPart.until_day.is_(None), TakingPart.until_day >= day),
    )  # fmt: skip
    return session.scalars(query.order_by(TakingPart.from_day.desc())).first()


def account_of(session: Session, store_id: str, customer_id: str, scope: str = "") -> PointsAccount:
    """Return a customer's account, of the store's own points without a scope."""
    found = session.get(PointsAccount, (store_id, customer_id, scope or store_id))
    if found is None:
        raise NotFound("unknown-customer", "This customer is not on record here. Search again.")
    return found


def collects(session: Session, store_id: str, customer_id: str, at: dt.datetime) -> PointsAccount:
    """Return the account a customer collects in here now (rule 2); who takes no part has the store's own."""
    shared = session.get(PointsAccount, (store_id, customer_id, NETWORK))
    if shared is not None and shared.member and part_of(session, store_id, day_of(session, store_id, at)):
        return shared
    return account_of(session, store_id, customer_id)


def balance(session: Session, account: PointsAccount, at: dt.datetime) -> Balance:
    """Return an account's points, their worth, and whether the phone is still to be confirmed."""
    terms = terms_in(session, account.scope, day_of(session, account.store_id, at))
    worth_minor = terms.worth(account.points) if account.member and account.linked else 0
    return Balance(terms.name or "", account.points, worth_minor, account.member and not account.linked)


def entries(
    session: Session, store_id: str, customer_id: str, scope: str = "", limit: int | None = None
) -> list[PointsEntry]:
    """Return a customer's movements at this store, newest first; of one scope alone where it is given."""
    query = sa.select(PointsEntry).where(PointsEntry.store_id == store_id, PointsEntry.customer_id == customer_id)
    if scope:
        query = query.where(PointsEntry.scope == scope)
    return list(session.scalars(query.order_by(PointsEntry.at.desc(), PointsEntry.id.desc()).limit(limit)))


def members(session: Session, store_id: str) -> int:
    """Return how many customers of a store are members of the network's points."""
    mine = PointsAccount.store_id == store_id, PointsAccount.scope == NETWORK, PointsAccount.member
    return int(session.scalar(sa.select(sa.func.count()).select_from(PointsAccount).where(*mine)) or 0)


def sums(session: Session, store_id: str) -> dict[str, int]:
    """Return what this store's sales did with the network's points: kind -> points."""
    query = sa.select(PointsEntry.kind, sa.func.sum(PointsEntry.points)).where(
        PointsEntry.store_id == store_id, PointsEntry.scope == NETWORK
    )
    return {kind: int(points) for kind, points in session.execute(query.group_by(PointsEntry.kind))}


# --- inside ---

_SAME = ("id", "kind", "points", "amount_minor", "sale_id", "of_sale_id", "at", "business_day")
"""The fields that an entry and its fact share."""


def _terms(ctx: Context, account: PointsAccount) -> PointsTerms:
    return terms_in(ctx.session, account.scope, day_of(ctx.session, account.store_id, ctx.at))


def _opened(session: Session, store_id: str, customer_id: str, scope: str) -> PointsAccount:
    account = session.get(PointsAccount, (store_id, customer_id, scope))
    if account is None:
        own = scope == store_id
        account = PointsAccount(store_id=store_id, customer_id=customer_id, scope=scope, linked=own)
        session.add(account)
        session.flush()
    return account


def _known_again(session: Session, fact: MemberReported | PointsMoved) -> PointsAccount:
    account = _opened(session, fact.store_id, fact.customer_id, NETWORK)
    account.member, account.key = bool(fact.key), fact.key
    return account


def _line_of(account: PointsAccount, reported: PointsMoved | CountedEntry) -> PointsEntry:
    same = {name: getattr(reported, name) for name in _SAME}
    return PointsEntry(store_id=account.store_id, customer_id=account.customer_id, scope=account.scope, n=0, **same)


def _share(
    ctx: Context, store_id: str, customer_id: str, minor: int, kind: str, of_sale_id: str | None
) -> tuple[PointsAccount, int]:
    """Return the points that belong to part of a sale, at its own rate, and of whose they are; else at today's."""
    if of_sale_id is None:
        own = account_of(ctx.session, store_id, customer_id)
        if kind == "spent":
            return own, _terms(ctx, own).needed(minor)
        account = collects(ctx.session, store_id, customer_id, ctx.at)
        return account, _terms(ctx, own).earned(minor) if account is own else 0
    query = sa.select(
        PointsEntry.scope, sa.func.sum(PointsEntry.points), sa.func.sum(PointsEntry.amount_minor)
    ).where(
        PointsEntry.store_id == store_id, PointsEntry.customer_id == customer_id, PointsEntry.sale_id == of_sale_id,
        PointsEntry.kind == kind,
    )  # fmt: skip
    row = ctx.session.execute(query.group_by(PointsEntry.scope)).first()
    scope, points, amount_minor = (row[0], abs(int(row[1])), int(row[2])) if row else ("", 0, 0)
    points = min(points, minor * points // amount_minor) if amount_minor > 0 else 0
    return account_of(ctx.session, store_id, customer_id, scope), points


def _move(ctx: Context, account: PointsAccount, moved: PointsEntry, *, covered: bool = False) -> tuple[int, int]:
    """Write a movement, and report one of the network's points; a movement the network reported is already here.

    covered: only where the points are there. Returns (points, balance), (0, balance) for none.
    """
    session = ctx.session
    if not moved.points:
        return 0, account.points
    session.refresh(account, with_for_update=True)
    if covered and account.points + moved.points < 0:
        raise Refused("not-enough-points", "Not enough points.", points=account.points, needed=-moved.points)
    row = session.get(PointsEntry, (account.store_id, moved.id)) if moved.id else None
    if row is None:
        row = moved
        row.id, row.at, row.actor_id = moved.id or new_id(), ctx.at, ctx.actor.id
        row.store_id, row.scope, row.customer_id = account.store_id, account.scope, account.customer_id
        row.business_day = day_of(session, account.store_id, ctx.at)
        session.add(row)
        account.points += row.points
    row.sale_id = moved.sale_id or ""
    session.flush()
    if account.scope == NETWORK:
        _send(session, PointsMoved.of_row(row, key=account.key), row.id, ctx.at)
    return abs(moved.points), account.points


def _add_up(session: Session, account: PointsAccount) -> None:
    """Set a balance to what the network reported and what it has not counted of this store (rule 7)."""
    session.flush()
    query = sa.select(sa.func.coalesce(sa.func.sum(PointsEntry.points), 0)).where(
        PointsEntry.store_id == account.store_id, PointsEntry.customer_id == account.customer_id,
        PointsEntry.scope == account.scope, PointsEntry.n == 0,
    )  # fmt: skip
    account.points = account.reported_points + int(session.scalar(query) or 0)
    session.flush()


def _report_part(ctx: Context, part: TakingPart, until_day: dt.date | None) -> TakingPart:
    part.until_day, part.reported_at = until_day, ctx.at
    journal.record(
        ctx, verb="points.left" if until_day else "points.taking_part", subject=f"store:{part.store_id}",
        from_day=part.from_day, until_day=until_day)  # fmt: skip
    _send(ctx.session, PointsPart.of_row(part), new_id(), ctx.at)
    return part


def _send(session: Session, fact: PointsMoved | MemberReported | PointsPart, id: str, at: dt.datetime) -> None:
    subject = f"store:{fact.store_id}" if isinstance(fact, PointsPart) else f"points:{fact.customer_id}"
    day = day_of(session, fact.store_id, at)
    facts.send(session, fact, id=f"{fact.TOPIC}-{id}", subject=subject, day=day, at=at)
    session.flush()

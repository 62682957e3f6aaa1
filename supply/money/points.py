"""The members of the points that stores share, and the one book of their movements, at the network.

Rules
-----
1. Every movement is of one member and one store and is booked once, by the id its store gave it, in any order. The
   points a member has are the sum of its lines, kept beside them and checked.
2. A store's customer is connected with the member of a phone number by the member's consent alone: a code sent to that
   phone and typed at the store, or a yes online (`consent`). Until then the customer is a member of that store alone,
   with the points earned there; consent adds them to the others. No store learns before whether a number is a member.
3. Who has left at every store is no member any more: the key is forgotten and what points are left lapse, as do those
   of who neither earned nor redeemed for the months of the scheme. Who comes back consents again.
4. What lapses goes back to the stores that paid for it, or to the network, as the scheme says; what is below zero is
   the network's loss.
5. Every store of a member is told the balance, and the store that told of a movement that it is counted; never what was
   moved at another store.
6. No store's word makes points. Earned is at most the scheme's rate on a sale of that customer in the network's books,
   once per sale; brought along is at most what the customer's sales here would have earned. Taken or given back is at
   most what the named sale earned or spent, once its return is in the books. Everything else waits (`PointsWaiting`):
   for its sale, or for the operator, who takes it in or turns it down.

Units: points are whole, + for the member; *_minor minor units of the network's currency.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, among, lock_rows
from config.errors import Invalid, NotFound
from config.ids import NETWORK, new_id
from config.money import share_out
from config.nodes import door, facts, journal
from config.nodes.facts import applies
from config.nodes.journal import Context
from pos.customers.loyalty import FUNDED, CountedEntry, MemberReported, PointsEntry, PointsMoved, PointsReported
from pos.customers.points_terms import PointsTerms, terms_on
from pos.payments.payments import Payment
from pos.payments.tenders import POINTS, of_book
from pos.sold import Sale, SaleLine
from pos.store.store import Store, day_of

MOST_POINTS = 10**9
SIGNS = {"earned": 1, "brought": 1, "spent": -1, "taken_back": -1, "given_back": 1}
"""What a store may tell of, and whether it adds or takes."""
STALE = dt.timedelta(days=60)
"""So long a store that is offline may go on by a scheme that was changed."""
ONE_DAY = dt.timedelta(days=1)
TRIED_AT_ONCE = 1_000
"""So many waiting movements of one store are tried again in a night."""
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class PointsMember(Base):
    """A person's points. key: None where it is forgotten; moved_on: when points were last earned or redeemed."""

    __tablename__ = "points_member"

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    points: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    moved_on: Mapped[dt.date | None]


class PointsLink(Base):
    """Which member a store's customer is. word_at: the store's last word of it; told: how many balances it was told.

    key: by which the store knows the customer; proved_key: of the number whose owner consented here (rule 2), else ''.
    """

    __tablename__ = "points_link"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(index=True)
    has_left: Mapped[bool] = mapped_column(default=False)
    word_at: Mapped[dt.datetime]
    reported: Mapped[int] = mapped_column(default=0)
    key: Mapped[str] = mapped_column(default="", server_default="", index=True)
    proved_key: Mapped[str] = mapped_column(default="", server_default="")

    @property
    def is_linked(self) -> bool:
        """Tell whether the owner of the number the store knows has consented here."""
        return self.proved_key != "" and self.proved_key == self.key


class PointsWaiting(Base):
    """A movement that is not counted (rule 6). waits_for: a sale's id, '' for the operator; why: a word of WAITS."""

    __tablename__ = "points_waiting"
    __table_args__ = (sa.Index("ix_points_waiting_sale", "store_id", "waits_for"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    waits_for: Mapped[str]
    why: Mapped[str]
    kind: Mapped[str]
    points: Mapped[int]
    business_day: Mapped[dt.date]
    body: Mapped[dict[str, Any]]
    since: Mapped[dt.datetime]


class Wait(NamedTuple):
    """Why a movement is not counted yet, and the sale it waits for; '' for the operator."""

    why: str
    sale_id: str = ""


# --- verbs ---


@applies(PointsMoved)
def take_moved(ctx: Context, fact: PointsMoved) -> None:
    """Book what a store tells was earned, redeemed or came back (rules 1, 6); a second copy changes nothing."""
    key = (fact.store_id, fact.id)
    if ctx.session.get(PointsEntry, key) is None and ctx.session.get(PointsWaiting, key) is None:
        row, link = _read(ctx.session, fact)
        if (wait := _count(ctx.session, row, link, ctx.at)) is None:
            _follow(ctx.session, row, link, ctx.at)
            return
        ctx.session.add(
            PointsWaiting(
                store_id=row.store_id, id=row.id, waits_for=wait.sale_id, why=wait.why, kind=row.kind,
                points=row.points, business_day=row.business_day, body=fact.to_body(), since=ctx.at,
            )
        )  # fmt: skip
        ctx.session.flush()


@applies(MemberReported)
def take_member(ctx: Context, fact: MemberReported) -> None:
    """Take a store's word that a customer is a member, by which key, or no more; an older word changes nothing."""
    key = fact.key
    link = _link(ctx.session, fact.store_id, fact.customer_id, key)
    if link.word_at >= fact.reported_at:
        return
    is_back = link.has_left and key
    link.word_at, link.has_left = fact.reported_at, not key
    if key:
        link.key = key
        if is_back and ctx.session.get_one(PointsMember, link.member_id).key is not None:
            link.member_id = _new_member(ctx.session).id  # consent ended with the membership
        _send(ctx.session, link.member_id, None, ctx.at)
    else:
        link.proved_key = ""
    end_if_left(ctx.session, link.member_id, ctx.at)


def consent(session: Session, store_id: str, customer_id: str, key: str, *, at: dt.datetime) -> PointsReported:
    """Connect a store's customer with the member of a number whose owner has just shown to agree (rule 2).

    Returns the balance as the store is told it.
    """
    link = _link(session, store_id, customer_id, key)
    link.has_left, link.key, link.proved_key = False, key, key
    mine, theirs = session.get_one(PointsMember, link.member_id, populate_existing=True), _by_key(session, key)
    session.flush()
    others = [one for one in _living(session, mine.id) if one is not link]
    if theirs is None and not others:
        mine.key = key
    elif theirs is None or theirs.id != mine.id:
        other = theirs or _new_member(session, key)
        link.member_id = other.id
        session.flush()
        if not others:
            mine.key, points = None, mine.points
            session.flush()
            if points:
                _move(session, mine.id, -points, at)
                _move(session, other.id, points, at)
    session.flush()
    _send(session, link.member_id, None, at)
    return _balance(link, session.get_one(PointsMember, link.member_id, populate_existing=True), None, ended=False)


def sales_came(session: Session, store_id: str, sale_ids: Collection[str], *, at: dt.datetime) -> None:
    """Count what waited for these sales of a store, which are in the books now (rule 6)."""
    if session.scalar(sa.select(PointsWaiting.id).where(PointsWaiting.store_id == store_id).limit(1)) is None:
        return  # mostly nothing waits, and asking about hundreds of sales takes longer
    query = sa.select(PointsWaiting).where(
        PointsWaiting.store_id == store_id, among(session, PointsWaiting.waits_for, sale_ids)
    )
    for waiting in session.scalars(query.order_by(PointsWaiting.since, PointsWaiting.id)).all():
        _try_again(session, waiting, at)


def try_waiting(session: Session, store_id: str, *, at: dt.datetime) -> int:
    """Try a store's waiting movements again, the oldest first; returns how many were counted."""
    query = sa.select(PointsWaiting).where(PointsWaiting.store_id == store_id)
    rows = session.scalars(query.order_by(PointsWaiting.since, PointsWaiting.id).limit(TRIED_AT_ONCE)).all()
    return sum(_try_again(session, waiting, at) for waiting in rows)


def decide(ctx: Context, store_id: str, id: str, *, take: bool) -> None:
    """Take a waiting movement in as it was told, or turn it down: then it is counted as no points, and closed."""
    waiting = ctx.session.get(PointsWaiting, (store_id, id))
    if waiting is None:
        raise NotFound("waiting-decided", "This was already decided or counted.")
    row, link = _read(ctx.session, PointsMoved.from_body(waiting.body))
    row.member_id = link.member_id
    journal.record(
        ctx, verb="points.taken_in" if take else "points.turned_down",
        subject=f"store:{store_id}", id=id, kind=row.kind, points=row.points, why=waiting.why)  # fmt: skip
    if not take:
        row.points = 0
    ctx.session.delete(waiting)
    book(ctx.session, row, covered=False, at=ctx.at)
    _follow(ctx.session, row, link, ctx.at)


def leave(session: Session, key: str, *, at: dt.datetime) -> bool:
    """End a membership at every store, because its owner wishes it (rule 3); tells whether there was one."""
    member = _by_key(session, key)
    links = [*(_living(session, member.id) if member else []), *asking(session, key)]
    for link in links:
        link.has_left, link.word_at, link.proved_key = True, at, ""
        _send_one(session, link, session.get_one(PointsMember, link.member_id), None, at, ended=True)
    for member_id in {*(link.member_id for link in links), *([member.id] if member else [])}:
        end_if_left(session, member_id, at)
    return bool(links) or member is not None


def lapse_old(session: Session, day: dt.date, *, at: dt.datetime) -> int:
    """Let points lapse that nobody moved for the months of the scheme (rule 3); returns how many members lost some."""
    scheme = terms_on(session, NETWORK, day)
    if scheme is None or not scheme.expiry_months:
        return 0
    query = sa.select(PointsMember).where(
        PointsMember.points > 0, PointsMember.moved_on < day - dt.timedelta(days=28 * scheme.expiry_months)
    )
    old = [row for row in session.scalars(query) if _months_later(row.moved_on or day, scheme.expiry_months) < day]
    for member in old:
        _lapse(session, member.id, at)
    return len(old)


def book(session: Session, row: PointsEntry, *, covered: bool, at: dt.datetime) -> bool:
    """Move a member's balance and write its line (rule 1); covered: only where the points are there, else False."""
    after = PointsMember.points + row.points
    moved = sa.update(PointsMember).where(PointsMember.id == row.member_id, *([after >= 0] if covered else []))
    values: dict[str, Any] = {"points": after, "lines": PointsMember.lines + 1}
    if row.kind in ("earned", "brought", "spent"):
        latest = sa.case((PointsMember.moved_on > row.business_day, PointsMember.moved_on), else_=row.business_day)
        values["moved_on"] = latest
    n = session.scalar(moved.values(values).returning(PointsMember.lines).execution_options(synchronize_session=False))
    if n is None:
        return False
    row.n = n
    session.add(row)
    session.flush()
    _send(session, row.member_id, row, at)
    return True


def end_if_left(session: Session, member_id: str, at: dt.datetime) -> None:
    """End a membership nobody keeps up any more (rule 3)."""
    if not _living(session, member_id):
        session.get_one(PointsMember, member_id).key = None
        _lapse(session, member_id, at)


# --- questions ---


def outstanding(session: Session) -> tuple[int, int]:
    """Return (members, the points they hold together, those below zero taken off)."""
    living = sa.func.count().filter(PointsMember.key.is_not(None))
    row = session.execute(sa.select(living, sa.func.coalesce(sa.func.sum(PointsMember.points), 0))).one()
    return int(row[0]), int(row[1])


def moved_by_day(session: Session, first: dt.date) -> list[tuple[dt.date, str, int]]:
    """Return (business day, kind, points) of what moved since a day, in order."""
    query = sa.select(PointsEntry.business_day, PointsEntry.kind, sa.func.sum(PointsEntry.points)).where(
        PointsEntry.business_day >= first, PointsEntry.points != 0
    )
    grouped = query.group_by(PointsEntry.business_day, PointsEntry.kind)
    return [(day, kind, int(points)) for day, kind, points in session.execute(grouped.order_by(sa.text("1, 2")))]


def balance_of(session: Session, key: str) -> int | None:
    """Return the points of a member; None for who is none."""
    member = _by_key(session, key)
    return member.points if member else None


def asking(session: Session, key: str) -> list[PointsLink]:
    """Return the stores' customers of this number whose owner has not consented there yet (rule 2)."""
    mine = (PointsLink.key == key, PointsLink.proved_key != key, PointsLink.has_left.is_(False))
    return list(session.scalars(sa.select(PointsLink).where(*mine).order_by(PointsLink.store_id))) if key else []


def waiting(session: Session, limit: int) -> tuple[list[PointsWaiting], int]:
    """Return the movements that wait, the oldest first, and how many there are (rule 6)."""
    rows = session.scalars(sa.select(PointsWaiting).order_by(PointsWaiting.since, PointsWaiting.id).limit(limit))
    return list(rows), session.scalar(sa.select(sa.func.count()).select_from(PointsWaiting)) or 0


def came_back(session: Session, store_id: str, of_sale_id: str, kind: str) -> int:
    """Return the points that were taken back, or given back, of a sale."""
    return abs(_sum(session, store_id, kind, PointsEntry.of_sale_id == of_sale_id))


# --- inside ---


def _read(session: Session, fact: PointsMoved) -> tuple[PointsEntry, PointsLink]:
    """Return a told movement, not in the book yet, and whose it is."""
    if fact.kind not in SIGNS:
        raise Invalid("bad-choice", "Points cannot be moved as %(kind)s.", kind=f"{fact.kind!r:.20}")
    door.number(SIGNS[fact.kind] * fact.points, "points", 0, MOST_POINTS)
    link = _link(session, fact.store_id, fact.customer_id, fact.key)
    values = {name: value for name, value in vars(fact).items() if name != "key"}
    return PointsEntry(**values, member_id=link.member_id), link


def _count(session: Session, row: PointsEntry, link: PointsLink, at: dt.datetime) -> Wait | None:
    """Count a movement, or say what it waits for (rule 6)."""
    wait = _check(session, row, link)
    # a redemption is known from its asking; told to books that were put back from a copy, it takes what is there
    if wait is None and not book(session, row, covered=row.kind == "spent", at=at):
        wait = Wait("balance")
    return wait


def _follow(session: Session, row: PointsEntry, link: PointsLink, at: dt.datetime) -> None:
    """Do what follows from a movement that counts now: what comes back of its sale may have come before."""
    end_if_left(session, link.member_id, at)
    sales_came(session, row.store_id, [row.sale_id], at=at)


def _try_again(session: Session, waiting: PointsWaiting, at: dt.datetime) -> bool:
    if waiting not in session:
        return False  # counted meanwhile, with another one
    row, link = _read(session, PointsMoved.from_body(waiting.body))
    if (wait := _count(session, row, link, at)) is not None:
        waiting.why, waiting.waits_for = wait.why, wait.sale_id
        return False
    session.delete(waiting)
    session.flush()
    _follow(session, row, link, at)
    return True


def _check(session: Session, row: PointsEntry, link: PointsLink) -> Wait | None:
    """Return what keeps a movement from counting; None: nothing (rule 6)."""
    match row.kind:
        case "earned":
            return _check_earned(session, row)
        case "brought":
            return Wait("brought") if row.points > _left_of_all(session, row) else None
        case "spent":
            return None if link.proved_key else Wait("consent")
        case "taken_back":
            return _check_back(session, row, "earned", "not-earned")
        case _:
            return _check_back(session, row, "spent", "not-spent")


def _check_earned(session: Session, row: PointsEntry) -> Wait | None:
    sale = _sale(session, row, row.sale_id)
    if sale is None:
        return Wait("sale", row.sale_id)
    if sale.customer_id != row.customer_id:
        return Wait("customer")
    if _sum(session, row.store_id, "earned", PointsEntry.sale_id == row.sale_id):
        return Wait("twice")
    base_minor = min(row.amount_minor, _earning(session, [sale]))
    if row.points > _most_earned(session, base_minor, row.business_day, since=row.business_day - STALE):
        return Wait("rate")
    brought = _sum(session, row.store_id, "brought", PointsEntry.customer_id == row.customer_id)
    return Wait("rate") if brought and row.points > _left_of_all(session, row) else None


def _left_of_all(session: Session, row: PointsEntry) -> int:
    """Return what all sales of a customer here would have earned at the best rate, less what came of them already."""
    theirs = (Sale.store_id == row.store_id, Sale.customer_id == row.customer_id, Sale.state == "completed")
    sales = session.scalars(sa.select(Sale).where(*theirs, Sale.business_day <= row.business_day + ONE_DAY)).all()
    mine = PointsEntry.customer_id == row.customer_id
    before = sum(_sum(session, row.store_id, kind, mine) for kind in ("earned", "brought"))
    return _most_earned(session, _earning(session, sales), row.business_day, since=dt.date.min) - before


def _check_back(session: Session, row: PointsEntry, first: str, why: str) -> Wait | None:
    """Check what comes back of a sale against what it moved first, and against the return it names."""
    there = abs(_sum(session, row.store_id, first, PointsEntry.sale_id == row.of_sale_id)) if row.of_sale_id else 0
    if not there:
        return Wait(why, row.of_sale_id)
    back = _sale(session, row, row.sale_id)
    if back is None:
        return Wait("sale", row.sale_id)
    of_it = sa.select(SaleLine.n).where(
        SaleLine.store_id == row.store_id, SaleLine.business_day == back.business_day, SaleLine.sale_id == back.id,
        SaleLine.returns_sale_id == row.of_sale_id,
    )  # fmt: skip
    is_return = session.scalar(of_it.limit(1)) is not None
    before = came_back(session, row.store_id, row.of_sale_id, row.kind)
    return None if is_return and before + abs(row.points) <= there else Wait(why)


def _sale(session: Session, row: PointsEntry, sale_id: str) -> Sale | None:
    """Return a sale of the movement's store and day, give or take one; a day finds it in its week."""
    near = Sale.business_day.between(row.business_day - ONE_DAY, row.business_day + ONE_DAY)
    query = sa.select(Sale).where(Sale.store_id == row.store_id, near, Sale.id == sale_id, Sale.state == "completed")
    found: Sale | None = session.scalar(query.limit(1))
    return found


def _earning(session: Session, sales: Sequence[Sale]) -> int:
    """Return what sales of one store earn points on: goods and services that were bought, less what points paid."""
    if not sales:
        return 0
    store_id, ids, days = sales[0].store_id, [sale.id for sale in sales], {sale.business_day for sale in sales}
    bought = sa.select(sa.func.coalesce(sa.func.sum(SaleLine.total_minor), 0)).where(
        SaleLine.store_id == store_id, SaleLine.business_day.between(min(days), max(days)),
        among(session, SaleLine.sale_id, ids), SaleLine.qty > 0, SaleLine.kind.in_(("goods", "service")),
    )  # fmt: skip
    by_points = sa.select(sa.func.coalesce(sa.func.sum(Payment.amount_minor), 0)).where(
        Payment.store_id == store_id, among(session, Payment.sale_id, ids), Payment.tender.in_(of_book(POINTS)),
        Payment.amount_minor > 0,
    )  # fmt: skip
    return max(0, int(session.scalar(bought) or 0) - int(session.scalar(by_points) or 0))


def _most_earned(session: Session, base_minor: int, day: dt.date, *, since: dt.date) -> int:
    """Return the most points an amount earns by one of the schemes that held between two days."""
    query = sa.select(PointsTerms).where(PointsTerms.scope == NETWORK, PointsTerms.from_day <= day)
    most, until = 0, dt.date.max
    for row in session.scalars(query.order_by(PointsTerms.from_day.desc())):
        if until <= since:
            break
        most, until = max(most, row.earned(base_minor)), row.from_day
    return most


def _sum(session: Session, store_id: str, kind: str, of: sa.ColumnElement[bool]) -> int:
    """Return the sum of a store's counted points of one kind."""
    query = sa.select(sa.func.coalesce(sa.func.sum(PointsEntry.points), 0))
    return int(session.scalar(query.where(PointsEntry.store_id == store_id, PointsEntry.kind == kind, of)) or 0)


def _link(session: Session, store_id: str, customer_id: str, key: str) -> PointsLink:
    """Return who a store's customer is, locked; a new one is nobody's but that store's (rule 2)."""
    query = sa.select(PointsLink).where(PointsLink.store_id == store_id, PointsLink.customer_id == customer_id)
    link: PointsLink | None = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if link is None:
        link = PointsLink(
            store_id=store_id, customer_id=customer_id, member_id=_new_member(session).id, has_left=False,
            word_at=NEVER, reported=0, key=key, proved_key="",
        )  # fmt: skip
        session.add(link)
        session.flush()
    return link


def _by_key(session: Session, key: str) -> PointsMember | None:
    if not key:
        return None
    query = sa.select(PointsMember).where(PointsMember.key == key)
    found: PointsMember | None = session.scalar(query.execution_options(populate_existing=True))
    return found


def _new_member(session: Session, key: str = "") -> PointsMember:
    member = PointsMember(id=new_id(), key=key or None, points=0, lines=0)
    session.add(member)
    session.flush()
    return member


def _living(session: Session, member_id: str) -> list[PointsLink]:
    query = sa.select(PointsLink).where(PointsLink.member_id == member_id, PointsLink.has_left.is_(False))
    return list(session.scalars(query.order_by(PointsLink.store_id, PointsLink.customer_id)))


def _lapse(session: Session, member_id: str, at: dt.datetime) -> None:
    """Let all of a member's points go where the scheme says (rule 4)."""
    session.flush()
    member = session.get_one(PointsMember, member_id, populate_existing=True)
    if not member.points:
        return
    scheme = terms_on(session, NETWORK, at.date())
    funded: Counter[str] = Counter()
    if member.points > 0 and scheme is not None and scheme.lapsed_to == "stores":
        mine = (PointsEntry.member_id == member_id, PointsEntry.kind.in_((*FUNDED, "lapsed")))
        query = sa.select(PointsEntry.store_id, sa.func.sum(PointsEntry.points)).where(*mine)
        funded.update({store: int(sum_) for store, sum_ in session.execute(query.group_by(PointsEntry.store_id))})
    weights = {store: points for store, points in sorted(funded.items()) if points > 0 and store != NETWORK}
    shares: Iterable[tuple[str, int]] = [(NETWORK, member.points)]
    if weights:
        shares = zip(weights, share_out(member.points, list(weights.values())), strict=True)
    for store, points in shares:
        if points:
            _move(session, member_id, -points, at, store_id=store)


def _move(session: Session, member_id: str, points: int, at: dt.datetime, *, store_id: str = NETWORK) -> None:
    row = PointsEntry(
        store_id=store_id, id=new_id(), kind="lapsed", points=points, at=at, business_day=at.date(),
        member_id=member_id,
    )  # fmt: skip
    book(session, row, covered=False, at=at)


def _send(session: Session, member_id: str, row: PointsEntry | None, at: dt.datetime) -> None:
    """Tell a member's stores the balance, and the store that told of a movement that it is counted."""
    member = session.get_one(PointsMember, member_id, populate_existing=True)
    reported = _living(session, member_id)
    own = session.get(PointsLink, (row.store_id, row.customer_id)) if row is not None else None
    for link in sorted(
        {*reported, *([own] if own is not None else [])}, key=lambda one: (one.store_id, one.customer_id)
    ):
        _send_one(session, link, member, row if link is own else None, at, ended=False)


def _send_one(
    session: Session, link: PointsLink, member: PointsMember, row: PointsEntry | None, at: dt.datetime, *, ended: bool
) -> None:
    if session.get(Store, link.store_id) is None:
        return
    link.reported += 1
    fact, day = _balance(link, member, row, ended=ended), day_of(session, link.store_id, at)
    facts.send(session, fact, id=f"{fact.TOPIC}-{new_id()}", subject=f"points:{link.customer_id}", day=day, at=at)
    session.flush()


def _balance(link: PointsLink, member: PointsMember, row: PointsEntry | None, *, ended: bool) -> PointsReported:
    entry = None if row is None else CountedEntry(**{name: getattr(row, name) for name in _COUNTED})
    points = 0 if link.has_left else member.points
    return PointsReported(link.store_id, link.customer_id, points, link.is_linked, link.reported, ended, entry)


_COUNTED = tuple(CountedEntry.__dataclass_fields__)


def _months_later(day: dt.date, months: int) -> dt.date:
    """Return the day some months later, of a shorter month its last."""
    year, month = divmod(day.month - 1 + months, 12)
    first_after = dt.date(day.year + year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(dt.date(day.year + year, month + 1, 1) + dt.timedelta(days=day.day - 1), first_after - dt.timedelta(1))

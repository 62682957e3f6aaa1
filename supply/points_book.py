"""The members of the points that shops share, and the one book of their movements, at the network.

Rules
-----
1. Every movement is of one member and one shop and is booked once, by the id its shop gave it, in any order. The points
   a member has are the sum of its lines, kept beside them and checked.
2. A member is found by the link of its shop, a new one by the key. Who has left at every shop is no member any more:
   the key is forgotten and what points are left lapse, as do those of who neither earned nor redeemed for the months
   of the scheme.
3. What lapses goes back to the shops that paid for it, or to the network, as the scheme says; what is below zero is the
   network's loss.
4. Every shop of a member is told the balance, and the shop that told of a movement that it is counted; never what was
   moved at another shop.

Units: points are whole, + for the member; *_minor minor units of the network's currency.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import door, outbox
from config.database import Base, lock_rows
from config.errors import Invalid, Refused
from config.ids import new_id
from config.money import share_out
from config.node import NETWORK
from pos.shared_points import FUNDED, TOLD, VERSION, SharedEntry, scheme_on
from pos.store import Store, day_of

MOST_POINTS = 10**9
SIGNS = {"earned": 1, "brought": 1, "spent": -1, "taken_back": -1, "given_back": 1}
"""What a shop may tell of, and whether it adds or takes."""
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
    """Which member a shop's customer is. word_at: the shop's last word of it; told: how many balances it was told."""

    __tablename__ = "points_link"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(index=True)
    has_left: Mapped[bool] = mapped_column(default=False)
    word_at: Mapped[dt.datetime]
    told: Mapped[int] = mapped_column(default=0)


# --- verbs ---


def take_moved(session: Session, body: dict[str, Any], *, at: dt.datetime) -> None:
    """Book what a shop tells was earned, redeemed or came back (rule 1); a second copy changes nothing."""
    store_id, entry_id, kind = str(body["store_id"]), str(body["id"]), str(body["kind"])
    if session.get(SharedEntry, (store_id, entry_id)) is not None:
        return
    if kind not in SIGNS:
        raise Invalid("bad-choice", f"No shop moves points as {kind!r:.20}.")
    points = SIGNS[kind] * door.number(SIGNS[kind] * body["points"], "points", 0, MOST_POINTS)
    link = _link(session, store_id, str(body["customer_id"]), str(body["key"]))
    row = SharedEntry(
        store_id=store_id, id=entry_id, customer_id=link.customer_id, kind=kind, points=points,
        amount_minor=door.number(body["amount_minor"], "amount_minor"), sale_id=str(body["sale_id"]),
        at=dt.datetime.fromisoformat(body["at"]), business_day=door.day(body["business_day"], "business_day"),
        member_id=link.member_id, n=0,
    )  # fmt: skip
    # a redemption is known from its asking; told to books that were put back from a copy, it takes what is there
    if not book(session, row, covered=kind == "spent", at=at):
        raise Refused("not-enough-points", "There are not enough points for that.", needed=-points)
    end_if_left(session, link.member_id, at)


def take_member(session: Session, body: dict[str, Any], *, at: dt.datetime) -> None:
    """Take a shop's word that a customer is a member, by which key, or no more; an older word changes nothing."""
    store_id, customer_id, key = str(body["store_id"]), str(body["customer_id"]), str(body["key"])
    word_at = dt.datetime.fromisoformat(body["told_at"])
    link = _link(session, store_id, customer_id, key)
    if link.word_at >= word_at:
        return
    link.word_at, link.has_left = word_at, not key
    if key:
        _know_by(session, link, key, at)
        _tell(session, link.member_id, None, at)
    end_if_left(session, link.member_id, at)


def leave(session: Session, key: str, *, at: dt.datetime) -> bool:
    """End a membership at every shop, because its owner wishes it (rule 2); tells whether there was one."""
    member = _by_key(session, key)
    if member is None:
        return False
    for link in _living(session, member.id):
        link.has_left, link.word_at = True, at
        _tell_one(session, link, member, None, at, ended=True)
    end_if_left(session, member.id, at)
    return True


def lapse_old(session: Session, day: dt.date, *, at: dt.datetime) -> int:
    """Let points lapse that nobody moved for the months of the scheme (rule 2); returns how many members lost some."""
    scheme = scheme_on(session, day)
    if scheme is None or not scheme.expiry_months:
        return 0
    query = sa.select(PointsMember).where(
        PointsMember.points > 0, PointsMember.moved_on < day - dt.timedelta(days=28 * scheme.expiry_months)
    )
    old = [row for row in session.scalars(query) if _months_later(row.moved_on or day, scheme.expiry_months) < day]
    for member in old:
        _lapse(session, member.id, at)
    return len(old)


def book(session: Session, row: SharedEntry, *, covered: bool, at: dt.datetime) -> bool:
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
    _tell(session, row.member_id, row, at)
    return True


def end_if_left(session: Session, member_id: str, at: dt.datetime) -> None:
    """End a membership nobody keeps up any more (rule 2)."""
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
    query = sa.select(SharedEntry.business_day, SharedEntry.kind, sa.func.sum(SharedEntry.points)).where(
        SharedEntry.business_day >= first, SharedEntry.points != 0
    )
    grouped = query.group_by(SharedEntry.business_day, SharedEntry.kind)
    return [(day, kind, int(points)) for day, kind, points in session.execute(grouped.order_by(sa.text("1, 2")))]


def balance_of(session: Session, key: str) -> int | None:
    """Return the points of a member; None for who is none."""
    member = _by_key(session, key)
    return member.points if member else None


# --- inside ---


def _link(session: Session, store_id: str, customer_id: str, key: str) -> PointsLink:
    """Return who a shop's customer is; a new one is the member of that key, or one nobody knows yet."""
    query = sa.select(PointsLink).where(PointsLink.store_id == store_id, PointsLink.customer_id == customer_id)
    link: PointsLink | None = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if link is None:
        member = _by_key(session, key) or _new_member(session, key)
        link = PointsLink(
            store_id=store_id, customer_id=customer_id, member_id=member.id, has_left=False, word_at=NEVER, told=0
        )  # fmt: skip
        session.add(link)
        session.flush()
    return link


def _know_by(session: Session, link: PointsLink, key: str, at: dt.datetime) -> None:
    """Let a link be of the member of a key: another number of the same person, or one that is known already."""
    theirs, mine = _by_key(session, key), session.get_one(PointsMember, link.member_id, populate_existing=True)
    if theirs is not None and theirs.id == mine.id:
        return
    if theirs is None and (mine.key is not None or not mine.lines):
        mine.key = key
        session.flush()
        return
    other = theirs or _new_member(session, key)
    link.member_id = other.id
    session.flush()
    if mine.key is not None and not _living(session, mine.id):  # one person under two numbers
        mine.key, points = None, mine.points
        _move(session, mine.id, -points, at)
        _move(session, other.id, points, at)


def _by_key(session: Session, key: str) -> PointsMember | None:
    if not key:
        return None
    query = sa.select(PointsMember).where(PointsMember.key == key)
    found: PointsMember | None = session.scalar(query.execution_options(populate_existing=True))
    return found


def _new_member(session: Session, key: str) -> PointsMember:
    member = PointsMember(id=new_id(), key=key or None, points=0, lines=0)
    session.add(member)
    session.flush()
    return member


def _living(session: Session, member_id: str) -> list[PointsLink]:
    query = sa.select(PointsLink).where(PointsLink.member_id == member_id, PointsLink.has_left.is_(False))
    return list(session.scalars(query.order_by(PointsLink.store_id, PointsLink.customer_id)))


def _lapse(session: Session, member_id: str, at: dt.datetime) -> None:
    """Let all of a member's points go where the scheme says (rule 3)."""
    session.flush()
    member = session.get_one(PointsMember, member_id, populate_existing=True)
    if not member.points:
        return
    scheme = scheme_on(session, at.date())
    funded: Counter[str] = Counter()
    if member.points > 0 and scheme is not None and scheme.lapsed_to == "shops":
        mine = (SharedEntry.member_id == member_id, SharedEntry.kind.in_((*FUNDED, "lapsed")))
        query = sa.select(SharedEntry.store_id, sa.func.sum(SharedEntry.points)).where(*mine)
        funded.update({shop: int(sum_) for shop, sum_ in session.execute(query.group_by(SharedEntry.store_id))})
    weights = {shop: points for shop, points in sorted(funded.items()) if points > 0 and shop != NETWORK}
    shares: Iterable[tuple[str, int]] = [(NETWORK, member.points)]
    if weights:
        shares = zip(weights, share_out(member.points, list(weights.values())), strict=True)
    for shop, points in shares:
        if points:
            _move(session, member_id, -points, at, store_id=shop)


def _move(session: Session, member_id: str, points: int, at: dt.datetime, *, store_id: str = NETWORK) -> None:
    row = SharedEntry(
        store_id=store_id, id=new_id(), customer_id="", kind="lapsed", points=points, amount_minor=0, sale_id="", at=at,
        business_day=at.date(), member_id=member_id, n=0,
    )  # fmt: skip
    book(session, row, covered=False, at=at)


def _tell(session: Session, member_id: str, row: SharedEntry | None, at: dt.datetime) -> None:
    """Tell a member's shops the balance, and the shop that told of a movement that it is counted."""
    member = session.get_one(PointsMember, member_id, populate_existing=True)
    told = _living(session, member_id)
    own = session.get(PointsLink, (row.store_id, row.customer_id)) if row is not None else None
    for link in sorted({*told, *([own] if own is not None else [])}, key=lambda one: (one.store_id, one.customer_id)):
        _tell_one(session, link, member, row if link is own else None, at, ended=False)


def _tell_one(
    session: Session, link: PointsLink, member: PointsMember, row: SharedEntry | None, at: dt.datetime, *, ended: bool
) -> None:
    if session.get(Store, link.store_id) is None:
        return
    link.told += 1
    body = {
        "store_id": link.store_id, "customer_id": link.customer_id, "points": 0 if link.has_left else member.points,
        "told": link.told, "ended": ended, "entry": None if row is None else _entry_body(row),
    }  # fmt: skip
    outbox.append(
        session, to_node=link.store_id, topic=TOLD, version=VERSION, body=body, id=f"{TOLD}-{new_id()}",
        subject=f"points:{link.customer_id}", business_day=day_of(session, link.store_id, at), at=at,
    )  # fmt: skip
    session.flush()


def _entry_body(row: SharedEntry) -> dict[str, Any]:
    names = ("id", "n", "kind", "points", "amount_minor", "sale_id")
    body = {name: getattr(row, name) for name in names}
    return body | {"at": row.at.isoformat(), "business_day": row.business_day.isoformat()}


def _months_later(day: dt.date, months: int) -> dt.date:
    """Return the day some months later, of a shorter month its last."""
    year, month = divmod(day.month - 1 + months, 12)
    first_after = dt.date(day.year + year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(dt.date(day.year + year, month + 1, 1) + dt.timedelta(days=day.day - 1), first_after - dt.timedelta(1))

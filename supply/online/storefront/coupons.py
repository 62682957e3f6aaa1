"""Coupons in the online store: how many uses of a limited code are left to be taken at the network.

Rules
-----
1. The store counts the uses of a code (`pos.catalogue.offers`). It tells the network how often each limited one was
   used beside the network's own orders; the network adds its living orders, and never takes more than the limit.
2. Arriving at the store an order uses its codes up there: a till that took the last one a moment ago wins, and the
   order is refused with that reason. An order that ends without goods gives its codes back at both.
3. A code of the network is counted store by store, online as at the till.

The network keeps which order took which code as the store does: `pos.catalogue.offers.CouponUse`, the order in the
sale's place.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.errors import Refused
from config.finding import Finding
from config.nodes.publication import EVERYONE
from pos.catalogue import offers
from pos.catalogue.offers import Coupon, CouponUse
from pos.pricing.promises import clean_code
from supply.online.orders import GIVEN_BACK, PickupOrder


class OnlineCoupon(Base):
    """What is known of a limited code's uses at a store."""

    __tablename__ = "online_coupon"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    counter_uses: Mapped[int] = mapped_column(default=0)
    """Used beside the network's orders. At the store: as it was told last; at the network: as it was heard last."""
    taken: Mapped[int] = mapped_column(default=0)
    """At the network: by its orders, without those that gave it back."""
    edition: Mapped[int] = mapped_column(default=0)
    """The publication counter_uses is from; a late older one is passed over."""


# --- verbs, store ---


def to_send(session: Session, store_id: str) -> list[list[Any]]:
    """Return [owner, code, uses] of the limited codes whose counter uses changed since they were told."""
    online = (
        sa.select(CouponUse.owner_id, CouponUse.code, sa.func.count().label("uses"))
        .join(PickupOrder, sa.and_(PickupOrder.store_id == CouponUse.store_id, PickupOrder.id == CouponUse.sale_id))
        .where(CouponUse.store_id == store_id, CouponUse.given_back_at.is_(None), PickupOrder.number > 0)
        .group_by(CouponUse.owner_id, CouponUse.code)
        .subquery()
    )
    reported = sa.and_(
        OnlineCoupon.store_id == store_id, OnlineCoupon.owner_id == Coupon.owner_id, OnlineCoupon.code == Coupon.code
    )
    counter_uses = Coupon.uses - sa.func.coalesce(online.c.uses, 0)
    query = (
        sa.select(Coupon.owner_id, Coupon.code, counter_uses)
        .outerjoin(online, sa.and_(online.c.owner_id == Coupon.owner_id, online.c.code == Coupon.code))
        .outerjoin(OnlineCoupon, reported)
        .where(
            Coupon.owner_id.in_((store_id, EVERYONE)),
            Coupon.most_uses.is_not(None),
            counter_uses != sa.func.coalesce(OnlineCoupon.counter_uses, 0),
        )
        .order_by(Coupon.owner_id, Coupon.code)
    )
    return [[owner_id, code, int(uses)] for owner_id, code, uses in session.execute(query)]


# --- verbs, network ---


def take_reported(session: Session, store_id: str, reported: Iterable[Sequence[Any]], edition: int) -> None:
    """Note at the store (edition 0) what it tells of its codes, or take it over at the network (rule 1)."""
    _note(session, store_id, reported, edition)


def take(session: Session, store_id: str, codes: Iterable[str], order_id: str, *, at: dt.datetime) -> None:
    """Take one use of each code for an order, all or none: one conditional update each (rule 1)."""
    for typed in sorted(codes):
        code = clean_code(typed)
        for owner_id, most_uses in _limits(session, store_id, [code]).get(code, []):
            if most_uses is None or _take_one(session, store_id, owner_id, code, most_uses):
                session.add(CouponUse(store_id=store_id, sale_id=order_id, code=code, at=at, owner_id=owner_id))
                break
        else:
            raise Refused(
                "coupon-used-up",
                "The coupon %(coupon)s is no longer valid. Remove it and check the new total.", coupon=typed,
            )  # fmt: skip
    session.flush()


def give_back(session: Session, store_id: str, order_id: str, *, at: dt.datetime) -> None:
    """Give back at the network what an order took (rule 2)."""
    for row in offers.give_back_coupons(session, store_id, order_id, at=at):
        less = sa.update(OnlineCoupon).where(
            OnlineCoupon.store_id == store_id, OnlineCoupon.owner_id == row.owner_id, OnlineCoupon.code == row.code,
            OnlineCoupon.taken > 0,
        )  # fmt: skip
        session.execute(less.values(taken=OnlineCoupon.taken - 1).execution_options(synchronize_session=False))


def learn(session: Session, store_id: str, codes: Sequence[str], order_id: str, *, at: dt.datetime) -> None:
    """Count the codes of an order the network did not know, restored from a copy: the store knows it well."""
    for typed in sorted(codes):
        code = clean_code(typed)
        for owner_id, most_uses in _limits(session, store_id, [code]).get(code, [])[:1]:
            if most_uses is not None:
                _add(session, store_id, owner_id, code)
            session.add(CouponUse(store_id=store_id, sale_id=order_id, code=code, at=at, owner_id=owner_id))
    session.flush()


# --- questions ---


def usable(session: Session, store_id: str, codes: Iterable[str], day: dt.date) -> dict[str, str]:
    """Return what is wrong with each typed code online on a day: '' nothing, 'unknown', 'used-up' or 'ended'."""
    if not (codes := list(codes)):
        return {}
    found = offers.usable(session, store_id, codes, day)
    cleaned = [clean_code(code) for code in found]
    limits = _limits(session, store_id, cleaned)
    rows = session.execute(
        sa.select(OnlineCoupon.owner_id, OnlineCoupon.code, OnlineCoupon.counter_uses + OnlineCoupon.taken).where(
            OnlineCoupon.store_id == store_id, OnlineCoupon.code.in_(cleaned)
        )
    )
    uses = {(owner_id, code): used for owner_id, code, used in rows}
    for typed, wrong in found.items():
        code = clean_code(typed)
        left = [one is None or uses.get((owner_id, code), 0) < one for owner_id, one in limits.get(code, [])]
        if not wrong and not any(left):
            found[typed] = "used-up"
    return found


def findings(session: Session, here: str, store_id: str | None) -> list[Finding]:
    """K19: at the network a code is taken as often as its living orders say."""
    wheres = [] if store_id is None else [OnlineCoupon.store_id == store_id]
    living = (
        sa.select(sa.func.count())
        .select_from(CouponUse)
        .join(PickupOrder, sa.and_(PickupOrder.store_id == CouponUse.store_id, PickupOrder.id == CouponUse.sale_id))
        .where(
            CouponUse.store_id == OnlineCoupon.store_id, CouponUse.owner_id == OnlineCoupon.owner_id,
            CouponUse.code == OnlineCoupon.code, CouponUse.given_back_at.is_(None),
            PickupOrder.state.not_in(GIVEN_BACK),
        )
        .scalar_subquery()
    )  # fmt: skip
    query = sa.select(OnlineCoupon, living).where(OnlineCoupon.store_id != here, OnlineCoupon.taken != living, *wheres)
    return [
        Finding("K19", f"coupon:{row.store_id}/{row.code}", f"taken {row.taken} times", f"{wanted} orders have it")
        for row, wanted in session.execute(query)
    ]


# --- inside ---


def _limits(session: Session, store_id: str, codes: Sequence[str]) -> dict[str, list[tuple[str, int | None]]]:
    """Return code -> (owner, most uses), the store's own before the network's."""
    query = sa.select(Coupon.owner_id, Coupon.code, Coupon.most_uses).where(
        Coupon.owner_id.in_((store_id, EVERYONE)), Coupon.code.in_(codes)
    )
    found: dict[str, list[tuple[str, int | None]]] = {}
    for owner_id, code, most_uses in sorted(session.execute(query).all(), key=lambda row: row[0] == EVERYONE):
        found.setdefault(code, []).append((owner_id, most_uses))
    return found


def _take_one(session: Session, store_id: str, owner_id: str, code: str, most_uses: int) -> bool:
    _begin(session, store_id, owner_id, code)
    update = (
        sa.update(OnlineCoupon)
        .where(
            OnlineCoupon.store_id == store_id, OnlineCoupon.owner_id == owner_id, OnlineCoupon.code == code,
            OnlineCoupon.counter_uses + OnlineCoupon.taken < most_uses,
        )
        .values(taken=OnlineCoupon.taken + 1)
        .returning(OnlineCoupon.code)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return session.execute(update).first() is not None


def _add(session: Session, store_id: str, owner_id: str, code: str) -> None:
    _begin(session, store_id, owner_id, code)
    more = sa.update(OnlineCoupon).where(
        OnlineCoupon.store_id == store_id, OnlineCoupon.owner_id == owner_id, OnlineCoupon.code == code
    )
    session.execute(more.values(taken=OnlineCoupon.taken + 1).execution_options(synchronize_session=False))


def _begin(session: Session, store_id: str, owner_id: str, code: str) -> None:
    key = {"store_id": store_id, "owner_id": owner_id, "code": code}
    row = key | {"counter_uses": 0, "taken": 0, "edition": 0}
    session.execute(insert_into(OnlineCoupon, dialect_of(session)).values(**row).on_conflict_do_nothing())


def _note(session: Session, store_id: str, reported: Iterable[Sequence[Any]], edition: int) -> None:
    """Write what was told of codes down; an older publication changes nothing."""
    for owner_id, code, uses in reported:
        _begin(session, store_id, owner_id, code)
        heard = sa.update(OnlineCoupon).where(
            OnlineCoupon.store_id == store_id, OnlineCoupon.owner_id == owner_id, OnlineCoupon.code == code,
            OnlineCoupon.edition <= edition,
        )  # fmt: skip
        session.execute(heard.values(counter_uses=uses, edition=edition).execution_options(synchronize_session=False))

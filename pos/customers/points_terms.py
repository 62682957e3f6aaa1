"""The terms of a points scheme from a day on: what is earned, what a point is worth, the least redeemed (`loyalty`)."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from config.ids import NETWORK
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Context
from pos.store.store import day_of

MOST_POINTS = 10**6


class PointsTerms(Base):
    """A scheme as it is from a day on: `points` for each `per_minor` paid, each worth `worth_minor`.

    What follows the least points redeemed at once is the network's alone. expiry_months: 0 for never; lapsed_to: stores
    | network.
    """

    __tablename__ = "points_terms"

    scope: Mapped[str] = mapped_column(primary_key=True)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    active: Mapped[bool]
    points: Mapped[int]
    per_minor: Mapped[int]
    worth_minor: Mapped[int]
    least_points: Mapped[int]
    name: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="")
    expiry_months: Mapped[int] = mapped_column(default=0)
    lapsed_to: Mapped[str] = mapped_column(default="")
    notice_days: Mapped[int] = mapped_column(default=0)

    def earned(self, base_minor: int) -> int:
        """Return the points for an amount that was paid, rounded down."""
        return max(0, base_minor) * self.points // self.per_minor if self.active else 0

    def needed(self, amount_minor: int) -> int:
        """Return the points that pay an amount, rounded up."""
        return -(-amount_minor // self.worth_minor)

    def worth(self, points: int) -> int:
        """Return what points are worth when they may be redeemed, else 0."""
        return points * self.worth_minor if self.active and points >= max(1, self.least_points) else 0


def terms_of(scope: str, active: bool, points: int, per_minor: int, worth_minor: int, least_points: int) -> PointsTerms:
    """Return the terms that every scope has, to be set (`set_terms`)."""
    rates = {"points": points, "per_minor": per_minor, "worth_minor": worth_minor, "least_points": least_points}
    return PointsTerms(scope=scope, active=active, **rates)


def set_terms(ctx: Context, wished: PointsTerms) -> PointsTerms:
    """Set a scope's terms from their day on, else from today; refuses those that give back more than was paid."""
    for name, least, most in (
        ("points", 1, MOST_POINTS), ("per_minor", 1, MAX_MINOR), ("worth_minor", 1, MAX_MINOR),
        ("least_points", 0, MOST_POINTS),
    ):  # fmt: skip
        if not least <= getattr(wished, name) <= most:
            raise Invalid("bad-scheme", "Enter whole numbers above zero.", field=name)
    if wished.points * wished.worth_minor > wished.per_minor:
        raise Invalid("scheme-too-generous", "The points would be worth more than the purchase.", field="worth_minor")
    wished.from_day = wished.from_day or day_of(ctx.session, wished.scope, ctx.at)
    later = PointsTerms.scope == wished.scope, PointsTerms.from_day >= wished.from_day
    ctx.session.execute(sa.delete(PointsTerms).where(*later))
    ctx.session.add(wished)
    ctx.session.flush()
    journal.record(ctx, verb="points.set", subject=f"points:{wished.scope}", **_values(wished))
    return wished


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over the network's terms, all their days."""
    session.execute(sa.delete(PointsTerms).where(PointsTerms.scope == NETWORK))
    for row in body["days"]:
        session.add(PointsTerms(scope=NETWORK, **row | {"from_day": dt.date.fromisoformat(row["from_day"])}))
    session.flush()


# --- questions ---


def edition(session: Session) -> dict[str, Any]:
    """Return the network's terms as they are published."""
    rows = session.scalars(sa.select(PointsTerms).where(PointsTerms.scope == NETWORK).order_by(PointsTerms.from_day))
    return {"days": [_values(row) for row in rows]}


def terms_on(session: Session, scope: str, day: dt.date) -> PointsTerms | None:
    """Return a scope's terms as they are on a day; None before there are any."""
    query = sa.select(PointsTerms).where(PointsTerms.scope == scope, PointsTerms.from_day <= day)
    return session.scalars(query.order_by(PointsTerms.from_day.desc()).limit(1)).first()


def terms_in(session: Session, scope: str, day: dt.date) -> PointsTerms:
    """Return a scope's terms on a day, else some that are switched off."""
    return terms_on(session, scope, day) or terms_of(scope, False, 1, 100, 1, 100)


# --- inside ---


def _values(terms: PointsTerms) -> dict[str, Any]:
    names = [column.key for column in sa.inspect(PointsTerms).columns if column.key not in ("scope", "from_day")]
    return {"from_day": terms.from_day.isoformat()} | {name: getattr(terms, name) for name in names}

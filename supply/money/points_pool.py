"""The pool of the points that stores share: the scheme, what is redeemed, and what the stores put in and are paid.

Rules
-----
1. A store owes the pool the worth of what was earned there and is owed the worth of what was redeemed there; returns
   take both back. So what all stores (and the network, for what lapses to it) owe together is the worth of all points
   outstanding, at every moment.
2. Redeeming is asked for while the till waits: one conditional update, so of two that ask for the last points one gets
   them. What the store lets go comes back by its word alone, however late: no clock gives back what a store without a
   line has sold for. Only who consented at that store is asked for (`points.consent`), and no more comes back of a
   sale than was redeemed for it, by whatever keys it is asked.
3. Every night a store's part is settled in its one ledger against `points`: what it owes by an invoice on account, what
   it is owed into its funds. A store that takes back more than it gave, or gives back more than it took, is not
   settled: it is a finding, and stops that store alone.

The members and their book are `points`. Units: points are whole, + for the member; *_minor minor units of the network's
currency.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Invalid
from config.finding import Finding
from config.ids import NETWORK
from config.nodes import door
from config.nodes.facts import applies
from config.nodes.journal import Context
from pos.customers import loyalty, points_terms
from pos.customers.loyalty import Balance, PointsEntry, PointsPart, TakingPart
from pos.customers.points_terms import PointsTerms, terms_on
from pos.payments.providers import NEVER_SEEN
from pos.store.store import day_of
from supply import isolation
from supply.money import points as network_points
from supply.money import terms
from supply.money.ledger import Booking, Invoice, Wanted, balances
from supply.money.points import PointsLink, PointsMember, PointsWaiting, book

TOO_MUCH_BACK = "no more back than was given"


@dataclass(frozen=True)
class Ask:
    """What a store asks of a redemption. step: begin | query | cancel | reverse; key: the id of what comes back."""

    step: str
    id: str
    customer_id: str = ""
    sale_id: str = ""
    amount_minor: int = 0
    key: str = ""


@dataclass(frozen=True)
class Answer:
    """A provider's outcome (`pos.payments.providers.Outcome`). reason: a code; points: the balance."""

    state: str
    reason: str = ""
    points: int = 0


@dataclass(frozen=True)
class StorePart:
    """A store's part of the pool, in points by kind. due_minor: what it owes the pool in all, below zero it is owed."""

    store_id: str
    points: dict[str, int]
    due_minor: int
    settled_minor: int

    @property
    def given(self) -> int:
        """Return the points earned there, returns taken off."""
        return loyalty.given(self.points)

    @property
    def taken(self) -> int:
        """Return the points redeemed there, returns taken off."""
        return loyalty.taken(self.points)

    @property
    def is_odd(self) -> bool:
        """Tell whether the store took back more than it gave, or gave back more than it took (rule 3)."""
        return self.given < 0 or self.taken < 0


# --- verbs ---


def found(ctx: Context, wished: PointsTerms) -> PointsTerms:
    """Found the scheme, or change it from a day on; later days that were planned are replaced.

    Name, currency and worth stay as founded: else points that people hold would be worth something else.
    """
    first = first_terms(ctx.session)
    soonest = ctx.at.date() if first is None else ctx.at.date() + dt.timedelta(days=1)
    if first is not None:
        wished.name, wished.currency, wished.worth_minor = first.name, first.currency, first.worth_minor
    if not wished.name.strip():
        raise Invalid("empty-field", "Name the points.", field="name")
    if wished.from_day < soonest:
        raise Invalid("day-over", "Changes apply from tomorrow, so stores can see them first.", field="from_day")
    if wished.lapsed_to not in ("stores", "network"):
        raise Invalid("bad-choice", "Choose who gets unredeemed points.", field="lapsed_to")
    return points_terms.set_terms(ctx, wished)


def ask(session: Session, store_id: str, asked: Ask, *, at: dt.datetime) -> Answer:
    """Answer a store that asks to redeem, what became of it, to stop it or to take it back (rule 2)."""
    known = session.get(PointsEntry, (store_id, asked.id))
    if asked.step == "reverse":
        return _reversed(session, store_id, known, asked, at)
    if known is not None:
        return Answer("captured" if known.kind == "spent" else "cancelled")
    if asked.step == "query":
        return Answer("declined", NEVER_SEEN)
    if asked.step == "cancel":  # what comes after it finds this
        row = PointsEntry(
            store_id=store_id, id=asked.id, kind="called_off", points=0, at=at,
            business_day=day_of(session, store_id, at),
        )  # fmt: skip
        session.add(row)
        return Answer("cancelled")
    if asked.step != "begin":
        raise Invalid("bad-request", "A store can begin, query, cancel or reverse.")
    return _granted(session, store_id, asked, at)


@applies(PointsPart)
def take_part(ctx: Context, fact: PointsPart) -> None:
    """Take a store's word that it takes part, or until when; an older word changes nothing."""
    door.moment(fact.reported_at, "reported_at", ctx.at)
    known = ctx.session.get(TakingPart, (fact.store_id, fact.from_day))
    if known is None or known.reported_at < fact.reported_at:
        ctx.session.merge(TakingPart(**vars(fact)))
        ctx.session.flush()


def settle(ctx: Context, store_id: str, day: dt.date) -> int:
    """Settle a store's part in its ledger (rule 3), once a day; returns what it was charged, below zero what it got."""
    part = next((one for one in parts(ctx.session, store_id) if one.store_id == store_id), None)
    if part is None or part.is_odd or part.due_minor == part.settled_minor:
        return 0
    entry_id, scheme = f"points-{day}", terms_on(ctx.session, NETWORK, day)
    name, minor = scheme.name if scheme else "", part.due_minor - part.settled_minor
    ledger = Booking(ctx, store_id)
    if ledger.knows(entry_id) or ctx.session.get(Invoice, (store_id, entry_id)) is not None:
        return 0
    if minor > 0:
        due_day = ledger.day + dt.timedelta(days=terms.in_force(ctx.session)[1].account_days)
        lines = [["", name, 1, minor]]
        ledger.invoice(Wanted(entry_id, minor, due_day, False, None, None, lines, against="points", words=name))
    else:
        ledger.enter("points", "funds", "points", -minor, source_id=entry_id, id=entry_id, words=name)
    ledger.pay(by_day=ledger.day)
    ledger.close("points", amount_minor=minor)
    return minor


def settle_all(ctx: Context, day: dt.date) -> int:
    """Settle every store's part, each by itself; returns for how many there was something to settle."""
    done = 0
    for store_id in ctx.session.scalars(
        sa.select(PointsEntry.store_id).distinct().order_by(PointsEntry.store_id)
    ).all():
        if store_id != NETWORK:
            with isolation.apart(ctx, "points", store_id):
                done += settle(ctx, store_id, day) != 0
    return done


def try_waiting(ctx: Context) -> int:
    """Try again what every store's movements wait for, each store by itself; returns how many were counted."""
    counted = 0
    stores = sa.select(PointsWaiting.store_id).distinct().order_by(PointsWaiting.store_id)
    for store_id in ctx.session.scalars(stores).all():
        with isolation.apart(ctx, "points", store_id):
            counted += network_points.try_waiting(ctx.session, store_id, at=ctx.at)
    return counted


# --- questions ---


def parts(session: Session, store_id: str | None = None) -> list[StorePart]:
    """Return every store's part of the pool, or one's; the network's own is what lapsed to it."""
    session.flush()
    mine = [] if store_id is None else [PointsEntry.store_id == store_id]
    points: dict[str, dict[str, int]] = {}
    query = sa.select(PointsEntry.store_id, PointsEntry.kind, sa.func.sum(PointsEntry.points)).where(*mine)
    for store, kind, moved in session.execute(query.group_by(PointsEntry.store_id, PointsEntry.kind)):
        points.setdefault(store, {})[kind] = int(moved)
    worth_minor = worth_of_one(session)
    return [
        StorePart(store, found, sum(found.values()) * worth_minor, -balances(session, store)["points"])
        for store, found in sorted(points.items())
    ]


def standing(session: Session, key: str, day: dt.date) -> Balance | None:
    """Return how a member stands, for the member; None for who is none, or where there is no scheme."""
    points, terms = network_points.balance_of(session, key), terms_on(session, NETWORK, day)
    return None if points is None or terms is None else Balance(terms.name, points, terms.worth(points))


def worth_of_one(session: Session) -> int:
    """Return what a point is worth; 0 before there is a scheme."""
    first = first_terms(session)
    return first.worth_minor if first else 0


def first_terms(session: Session) -> PointsTerms | None:
    """Return the terms the scheme was founded with, whose name, currency and worth stay."""
    query = sa.select(PointsTerms).where(PointsTerms.scope == NETWORK).order_by(PointsTerms.from_day)
    return session.scalars(query).first()


def taking_part(session: Session, day: dt.date) -> list[str]:
    """Return the stores that take part on a day."""
    query = sa.select(TakingPart.store_id).where(
        TakingPart.from_day <= day, sa.or_(TakingPart.until_day.is_(None), TakingPart.until_day >= day)
    )
    return sorted(set(session.scalars(query)))


def findings(session: Session, here: str, store_id: str | None) -> list[Finding]:
    """K20: a member's points are the sum of its lines, and no store took more back than it gave."""
    if here != NETWORK:
        return []
    sums = sa.select(PointsEntry.member_id, sa.func.sum(PointsEntry.points).label("points")).group_by(
        PointsEntry.member_id
    )
    lines = sums.subquery()
    query = (
        sa.select(PointsMember.id, PointsMember.points, sa.func.coalesce(lines.c.points, 0))
        .outerjoin(lines, lines.c.member_id == PointsMember.id)
        .where(PointsMember.points != sa.func.coalesce(lines.c.points, 0))
    )
    odd = [Finding("K20", f"points:{key}", f"{reported}, as its lines say", f"{have}") for key, have, reported in
           session.execute(query)]  # fmt: skip
    return odd + [
        Finding("K20", f"points:{part.store_id}", TOO_MUCH_BACK, f"{part.points}")
        for part in parts(session, store_id)
        if part.store_id != NETWORK and part.is_odd
    ]


# --- inside ---


def _granted(session: Session, store_id: str, asked: Ask, at: dt.datetime) -> Answer:
    """Take the points of a redemption, or say why not."""
    day = day_of(session, store_id, at)
    scheme, link = terms_on(session, NETWORK, day), session.get(PointsLink, (store_id, asked.customer_id))
    if scheme is None or not scheme.active or link is None or link.has_left:
        return Answer("declined", "no-points-here")
    if loyalty.part_of(session, store_id, day) is None:
        return Answer("declined", "no-points-here")
    if not link.proved_key:
        return Answer("declined", "points-not-linked")
    points = scheme.needed(door.number(asked.amount_minor, "amount_minor", 1))
    have = session.get_one(PointsMember, link.member_id).points
    if points < scheme.least_points:
        return Answer("declined", "too-few-points", have)
    row = PointsEntry(
        store_id=store_id, id=asked.id, customer_id=asked.customer_id, kind="spent", points=-points, at=at, n=0,
        amount_minor=asked.amount_minor, sale_id=asked.sale_id, business_day=day, member_id=link.member_id,
    )  # fmt: skip
    return (
        Answer("captured") if book(session, row, covered=True, at=at) else Answer("declined", "not-enough-points", have)
    )


def _reversed(session: Session, store_id: str, known: PointsEntry | None, asked: Ask, at: dt.datetime) -> Answer:
    """Give back the points of a redemption whose sale was given up, once per key."""
    if known is None or known.kind != "spent":
        return Answer("declined", NEVER_SEEN)
    if session.get(PointsEntry, (store_id, asked.key)) is None:
        link = session.scalars(
            lock_rows(
                session,
                sa.select(PointsLink).where(
                    PointsLink.store_id == store_id, PointsLink.customer_id == known.customer_id
                ),
            )
        ).one()
        spent = sa.select(sa.func.coalesce(sa.func.sum(PointsEntry.points), 0)).where(
            PointsEntry.store_id == store_id, PointsEntry.kind == "spent", PointsEntry.sale_id == known.sale_id
        )
        left = -int(session.scalar(spent) or 0) - network_points.came_back(
            session, store_id, known.sale_id, "given_back"
        )
        if -known.points > left:
            return Answer("declined", "came-back-already")
        row = PointsEntry(
            store_id=store_id, id=asked.key, customer_id=known.customer_id, kind="given_back", points=-known.points,
            at=at, n=0, amount_minor=known.amount_minor, sale_id=known.sale_id, of_sale_id=known.sale_id,
            member_id=link.member_id, business_day=day_of(session, store_id, at),
        )  # fmt: skip
        book(session, row, covered=False, at=at)
        network_points.end_if_left(session, link.member_id, at)
    return Answer("captured")

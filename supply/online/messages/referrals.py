"""Thanks to who brought a new customer: a code of their own for the one who passed theirs on.

Rules
-----
1. A newcomer is a customer whose first purchase ever took a friend's code and is theirs: rung or collected, and at
   least a part of it kept. It counts from the next business day on.
2. Who passed the code on gets one of the same offer, once for each newcomer and never more often than the code may be
   used; nothing for oneself, by whatever name: the same number is the same person.
3. Without consent to messages nothing is made or shown; who agrees later still gets it while the offer runs.
4. Nobody is left out of thanks by lot, as they were promised. What a message brought is measured as ever, by what those
   written to spent beside those left out (`messages.campaigns` rule 4); newcomers are counted, and what they spent.

Units: *_minor minor units.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound
from config.nodes import journal
from config.nodes.journal import Context
from config.words import N_, language
from pos.catalogue import offers
from pos.catalogue.offers import CouponUse
from pos.customers import consent
from pos.customers.customers import Customer
from pos.sold import Sale, SaleLine
from pos.store.store import day_of, store_of
from supply.online.messages.campaigns import FRIENDS, Message, Outreach, OutreachRecipient
from supply.online.orders import PickupOrder

THANKS = N_(
    "{store}: thank you, {name}! A friend used your code. Here is your personal code {code}, valid until {until}."
)
LONGEST_DAYS = 180
"""So long after a message a friend's first purchase is looked for."""


class ReferralReward(Base):
    """Thanks for one newcomer (rule 2). sale_id: their first purchase."""

    __tablename__ = "referral_reward"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    friend_id: Mapped[str] = mapped_column(primary_key=True)
    outreach_id: Mapped[str]
    customer_id: Mapped[str]
    sale_id: Mapped[str]
    code: Mapped[str]
    given_at: Mapped[dt.datetime]
    reported_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class Brought:
    """What a message's codes brought: newcomers, what they spent until now, and how many thanks were made."""

    newcomers: int
    spent_minor: int
    thanked: int


# --- verbs ---


def give(ctx: Context, store_id: str) -> int:
    """Make the thanks that are due (rules 1 to 3), at the store; returns how many. Again it makes none."""
    day = day_of(ctx.session, store_id, ctx.at)
    known = set(ctx.session.scalars(sa.select(ReferralReward.friend_id).where(ReferralReward.store_id == store_id)))
    given = 0
    for outreach in ctx.session.scalars(
        sa.select(Outreach).where(
            Outreach.store_id == store_id, Outreach.kind == "friend",
            Outreach.made_on >= day - dt.timedelta(days=LONGEST_DAYS),
        ).order_by(Outreach.made_at)
    ).all():  # fmt: skip
        if offers.standing(offers.offer_of(ctx.session, store_id, outreach.offer_id), day) != "live":
            continue
        for passer_id, sale in _first_purchases(ctx.session, outreach, day):
            if sale.customer_id in known or "messages" not in consent.agreed(ctx.session, store_id, passer_id):
                continue
            if _thanked(ctx.session, outreach, passer_id) >= FRIENDS:
                continue
            (code,) = offers.make_coupons(
                ctx, store_id, outreach.offer_id, until_day=_until(ctx.session, outreach, day)
            )
            friend_id = str(sale.customer_id)
            known.add(friend_id)
            ctx.session.add(
                ReferralReward(
                    store_id=store_id, friend_id=friend_id, outreach_id=outreach.id, customer_id=passer_id,
                    sale_id=sale.id, code=code, given_at=ctx.at,
                )
            )  # fmt: skip
            ctx.session.flush()
            journal.record(ctx, verb="outreach.thanked", subject=f"customer:{passer_id}", message=outreach.id)
            given += 1
    return given


def reported(ctx: Context, store_id: str, friend_id: str) -> ReferralReward:
    """Write that somebody was given their thanks; twice is once."""
    row = ctx.session.get(ReferralReward, (store_id, friend_id))
    if row is None:
        raise NotFound("not-in-message", "This message is not for this customer.", customer=friend_id)
    if row.reported_at is None:
        row.reported_at = ctx.at
        journal.record(ctx, verb="outreach.reported", subject=f"customer:{row.customer_id}", message=row.outreach_id)
    return row


# --- questions ---


def messages_of(session: Session, outreach: Outreach) -> list[tuple[str, Message]]:
    """Return the thanks for a message's newcomers, ready to send, with the newcomer's id (rule 3)."""
    store = store_of(session, outreach.store_id)
    query = (
        sa.select(ReferralReward, Customer, offers.Coupon.uses, offers.Coupon.until_day)
        .join(
            Customer,
            sa.and_(Customer.store_id == ReferralReward.store_id, Customer.id == ReferralReward.customer_id),
        )
        .join(
            offers.Coupon,
            sa.and_(offers.Coupon.owner_id == ReferralReward.store_id, offers.Coupon.code == ReferralReward.code),
        )
        .where(
            ReferralReward.store_id == outreach.store_id, ReferralReward.outreach_id == outreach.id,
            Customer.erased_at.is_(None), Customer.phone != "",
        )
        .order_by(ReferralReward.given_at, ReferralReward.friend_id)
    )  # fmt: skip
    found = []
    for row, customer, uses, until_day in session.execute(query):
        if "messages" in consent.agreed(session, outreach.store_id, customer.id):
            say = language(customer.language, store.tz)
            last = until_day or _until(session, outreach, day_of(session, outreach.store_id, row.given_at))
            text = say(THANKS).format(store=store.name, name=customer.name, code=row.code, until=say.day(last))
            one = Message(customer.id, customer.name, customer.phone, row.code, text, row.reported_at, uses)
            found.append((row.friend_id, one))
    return found


def brought_by(session: Session, outreach: Outreach, day: dt.date) -> Brought:
    """Return what a message's codes brought by a day (rule 4)."""
    newcomers = {str(sale.customer_id) for _passer, sale in _first_purchases(session, outreach, day)}
    spent = sa.select(sa.func.coalesce(sa.func.sum(Sale.total_minor), 0)).where(
        Sale.store_id == outreach.store_id, Sale.customer_id.in_(newcomers), Sale.state == "completed",
        Sale.business_day <= day,
    )  # fmt: skip
    thanks = sa.select(sa.func.count()).where(
        ReferralReward.store_id == outreach.store_id, ReferralReward.outreach_id == outreach.id
    )
    return Brought(len(newcomers), int(session.scalar(spent) or 0), int(session.scalar(thanks) or 0))


# --- inside ---


def _until(session: Session, outreach: Outreach, day: dt.date) -> dt.date:
    """Return the last day of thanks given on a day: they hold as long as the message's codes, and as the offer does."""
    last = offers.offer_of(session, outreach.store_id, outreach.offer_id).until_day
    until = day + dt.timedelta(days=outreach.days)
    return until if last is None else min(until, last)


def _first_purchases(session: Session, outreach: Outreach, day: dt.date) -> list[tuple[str, Sale]]:
    """Return who passed a code on, and the first purchase of the newcomer it brought, before a day (rules 1, 2)."""
    store_id = outreach.store_id
    collected = sa.and_(PickupOrder.store_id == CouponUse.store_id, PickupOrder.id == CouponUse.sale_id)
    query = (
        sa.select(OutreachRecipient.customer_id, Sale)
        .join(
            CouponUse,
            sa.and_(CouponUse.store_id == OutreachRecipient.store_id, CouponUse.code == OutreachRecipient.code),
        )
        .outerjoin(PickupOrder, collected)
        .join(
            Sale,
            sa.and_(
                Sale.store_id == CouponUse.store_id,
                Sale.id == sa.func.coalesce(PickupOrder.sale_id, CouponUse.sale_id),
            ),
        )
        .where(
            OutreachRecipient.store_id == store_id,
            OutreachRecipient.outreach_id == outreach.id,
            OutreachRecipient.code != "",
            CouponUse.owner_id == store_id,
            CouponUse.given_back_at.is_(None),
            Sale.state == "completed",
            Sale.business_day < day,
            Sale.customer_id.is_not(None),
            Sale.customer_id != OutreachRecipient.customer_id,
        )
        .order_by(Sale.completed_at, Sale.id)
    )
    found = []
    for passer_id, sale in session.execute(query):
        passer, friend = (session.get(Customer, (store_id, one)) for one in (passer_id, sale.customer_id))
        same = passer is not None and friend is not None and passer.phone and passer.phone == friend.phone
        if not same and _is_first(session, sale) and _kept_minor(session, sale) > 0:
            found.append((str(passer_id), sale))
    return found


def _is_first(session: Session, sale: Sale) -> bool:
    before = sa.select(Sale.id).where(
        Sale.store_id == sale.store_id, Sale.customer_id == sale.customer_id, Sale.kind == "sale",
        Sale.state == "completed",
        sa.or_(
            Sale.completed_at < sale.completed_at, sa.and_(Sale.completed_at == sale.completed_at, Sale.id < sale.id)
        ),
    )  # fmt: skip
    return session.scalar(before.limit(1)) is None


def _kept_minor(session: Session, sale: Sale) -> int:
    """Return what of a sale was not brought back."""
    back = sa.select(sa.func.coalesce(sa.func.sum(SaleLine.total_minor), 0)).where(
        SaleLine.store_id == sale.store_id, SaleLine.returns_sale_id == sale.id
    )
    return sale.total_minor + int(session.scalar(back) or 0)


def _thanked(session: Session, outreach: Outreach, passer_id: str) -> int:
    query = sa.select(sa.func.count()).where(
        ReferralReward.store_id == outreach.store_id, ReferralReward.outreach_id == outreach.id,
        ReferralReward.customer_id == passer_id,
    )  # fmt: skip
    return int(session.scalar(query) or 0)

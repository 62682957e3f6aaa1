"""Messages to customers: a welcome, a word to those who stay away, a code for a friend; and what they brought.

Rules
-----
1. Only who agreed to messages and left a number is written to, looked up again each time a message is shown; nobody is
   in two messages at once.
2. Each person gets a code of their own of an offer that needs one. The till takes it as any coupon. Who passes a
   friend's code on is thanked with one of their own (`referrals`).
3. Some are left out by lot, never by choice: without them nobody could say what a message brought. Below FEWEST people
   nobody is left out, and no number is shown.
4. The effect is of what people spent in as many days after as before, those written to against those left out
   (`forecasting.experiments.uplift`), with its interval; a gain is claimed only where the stricter interval is above
   nothing.
5. The words are the store's, in each customer's language; {name}, {store}, {code} and {until} are filled in.
"""

import datetime as dt
import hashlib
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from config.words import LANGUAGES, N_, language
from pos.catalogue import offers
from pos.catalogue.offers import Coupon
from pos.customers import consent
from pos.customers.customers import Customer
from pos.sold import Sale
from pos.store.store import day_of, store_of

if TYPE_CHECKING:  # arithmetic is loaded where an effect is worked out, not with every page
    from forecasting.experiments.uplift import Uplift

KINDS = ("welcome", "win_back", "friend")
NEW_DAYS, LONGEST_AWAY, REGULAR_DAYS, NOT_AGAIN_DAYS = 30, 365, 60, 90
FEWEST, LEAST_HELD, HELD_SHARE = 12, 3, 5
"""From so many people on one in HELD_SHARE is left out, three at least."""
FRIENDS = 5
"""How often a code for a friend may be used."""
MOST_WORDS = 400
FIELDS = frozenset({"name", "store", "code", "until"})
WORDS = {
    "welcome": N_("{store}: welcome, {name}! Show your personal code {code} at the till by {until}."),
    "win_back": N_("{store}: we have missed you, {name}. Your code {code} is valid until {until}."),
    "friend": N_(
        "{store}: thank you for coming so often, {name}. Share the code {code} with friends, valid "
        "until {until}. After a friend's first purchase, you get a code too."
    ),
}
"""Kind -> the usual words, which count where a shopkeeper gives none in a customer's language."""


class Outreach(Base):
    """A message to some customers. words: language -> text; days: how long its codes hold and its effect is counted."""

    __tablename__ = "outreach"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """welcome | win_back | friend"""
    offer_id: Mapped[str]
    words: Mapped[dict[str, Any]]
    away_days: Mapped[int]
    days: Mapped[int]
    made_on: Mapped[dt.date]
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str]

    @property
    def until(self) -> dt.date:
        """The last day of its codes."""
        return self.made_on + dt.timedelta(days=self.days)


class OutreachRecipient(Base):
    """Somebody a message is for, or who was left out by lot: code '' then."""

    __tablename__ = "outreach_recipient"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    outreach_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    reported_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class Message:
    """A message to one person, ready to send."""

    customer_id: str
    name: str
    phone: str
    code: str
    text: str
    reported_at: dt.datetime | None
    used: int


@dataclass(frozen=True)
class Effect:
    """What a message brought so far. bought: who bought since; uplift: None without enough people (rule 3)."""

    days: int
    written: int
    held: int
    bought_written: int
    bought_held: int
    used: int
    uplift: "Uplift | None"


@dataclass(frozen=True)
class Reachable:
    """Somebody who agreed to messages. away_days: since the last purchase; None: never bought here."""

    customer: Customer
    known_days: int
    away_days: int | None
    was_welcomed: bool

    def may_get(self, kind: str, least_away_days: int) -> bool:
        """Tell whether a message of this kind is for them (rule 1)."""
        if kind == "welcome":
            return self.known_days <= NEW_DAYS and not self.was_welcomed
        if self.away_days is None:
            return False
        return (
            least_away_days <= self.away_days <= LONGEST_AWAY if kind == "win_back" else self.away_days <= REGULAR_DAYS
        )


# --- verbs ---


def make(
    ctx: Context,
    store_id: str,
    kind: str,
    offer_id: str,
    words: dict[str, str],
    *,
    away_days: int = 30,
    days: int = 21,
    id: str,
) -> Outreach:
    """Make a message and a code for everybody it is for (rules 1 to 3); the same id again is the same message."""
    if (known := ctx.session.get(Outreach, (store_id, id))) is not None:
        return known
    if kind not in KINDS or not 7 <= away_days <= LONGEST_AWAY or not 3 <= days <= 90:
        raise Invalid(
            "bad-message", "Choose 7 to 365 days since the last visit, and 3 to 90 days for the codes.", field="days"
        )
    kept = {code: _tidy(said) for code, said in words.items() if code in LANGUAGES and said}
    offer, day = offers.offer_of(ctx.session, store_id, offer_id), day_of(ctx.session, store_id, ctx.at)
    if offer.until_day is not None and offer.until_day < day + dt.timedelta(days=days):
        raise Refused(
            "beyond-offer", "The promotion ends on %(until)s, before the codes expire. Choose fewer days.",
            until=offer.until_day.isoformat(), field="days",
        )  # fmt: skip
    people = [one.customer for one in reachable(ctx.session, store_id, day) if one.may_get(kind, away_days)]
    if not people:
        raise Refused("no-recipients", "No matching customers have agreed to receive messages.")
    held = _left_out(id, [one.id for one in people])
    written = [one for one in people if one.id not in held]
    uses = FRIENDS if kind == "friend" else 1
    until = day + dt.timedelta(days=days)
    codes = offers.make_coupons(ctx, store_id, offer.id, count=len(written), most_uses=uses, until_day=until)
    row = Outreach(
        store_id=store_id, id=id, kind=kind, offer_id=offer.id, words=kept, away_days=away_days, days=days,
        made_on=day, made_at=ctx.at, made_by=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    given = dict(zip([one.id for one in written], codes, strict=True))
    ctx.session.add_all(
        OutreachRecipient(store_id=store_id, outreach_id=id, customer_id=one.id, code=given.get(one.id, ""))
        for one in people
    )
    journal.record(
        ctx, verb="outreach.made", subject=f"outreach:{id}", kind=kind, people=len(people),
        left_out=len(held))  # fmt: skip
    ctx.session.flush()
    return row


def reported(ctx: Context, store_id: str, id: str, customer_id: str) -> None:
    """Write that somebody was sent their message; twice is once."""
    row = ctx.session.get(OutreachRecipient, (store_id, id, customer_id))
    if row is None or not row.code:
        raise NotFound("not-in-message", "This message is not for this customer.", customer=customer_id)
    if row.reported_at is None:
        row.reported_at = ctx.at
        journal.record(ctx, verb="outreach.reported", subject=f"customer:{customer_id}", message=id)


# --- questions ---


def reachable(session: Session, store_id: str, day: dt.date) -> list[Reachable]:
    """Return who agreed to messages, by id, with what decides which messages are for them (rule 1).

    It asks the same few questions however many they are.
    """
    agreed, store = consent.consented(session, store_id, "messages"), store_of(session, store_id)
    bought = sa.select(Sale.customer_id, sa.func.max(Sale.business_day)).where(
        Sale.store_id == store_id, Sale.customer_id.is_not(None), Sale.kind == "sale"
    )
    last: dict[str | None, dt.date] = dict(session.execute(bought.group_by(Sale.customer_id)).all())
    wrote = sa.select(OutreachRecipient.customer_id, Outreach.kind, Outreach.made_on).join(
        Outreach, sa.and_(Outreach.store_id == OutreachRecipient.store_id, Outreach.id == OutreachRecipient.outreach_id)
    )
    lately, welcomed = set(), set()
    for customer_id, kind, made_on in session.execute(wrote.where(Outreach.store_id == store_id)):
        if made_on > day - dt.timedelta(days=NOT_AGAIN_DAYS):
            lately.add(customer_id)
        if kind == "welcome":
            welcomed.add(customer_id)
    people = session.scalars(
        sa.select(Customer)
        .where(Customer.store_id == store_id, Customer.erased_at.is_(None), Customer.phone != "")
        .order_by(Customer.id)
    )
    return [
        Reachable(
            one, (day - business_day(one.added_at, store.tz, store.rollover_hour)).days,
            (day - last[one.id]).days if one.id in last else None, one.id in welcomed,
        )
        for one in people
        if one.id in agreed and one.id not in lately
    ]  # fmt: skip


def outreach_of(session: Session, store_id: str, id: str) -> Outreach:
    """Return a message."""
    row = session.get(Outreach, (store_id, id))
    if row is None:
        raise NotFound("unknown-message", "Message not found.", message=id)
    return row


def all_of(session: Session, store_id: str) -> list[Outreach]:
    """Return the messages, the newest first."""
    query = sa.select(Outreach).where(Outreach.store_id == store_id).order_by(Outreach.made_at.desc())
    return list(session.scalars(query.limit(50)))


def messages_of(session: Session, row: Outreach) -> list[Message]:
    """Return what is to be sent, to those who still agree (rules 1, 5)."""
    place = store_of(session, row.store_id)
    query = (
        sa.select(OutreachRecipient, Customer)
        .join(
            Customer,
            sa.and_(Customer.store_id == OutreachRecipient.store_id, Customer.id == OutreachRecipient.customer_id),
        )
        .where(
            OutreachRecipient.store_id == row.store_id,
            OutreachRecipient.outreach_id == row.id,
            OutreachRecipient.code != "",
            Customer.erased_at.is_(None),
            Customer.phone != "",
        )
        .order_by(Customer.name, Customer.id)
    )
    uses, agreed = _uses(session, row), consent.consented(session, row.store_id, "messages")
    found = []
    for person, customer in session.execute(query):
        if customer.id not in agreed:
            continue
        say = language(customer.language, place.tz)
        filled = {
            "name": customer.name,
            "store": place.name,
            "code": person.code,
            "until": say.long_day(row.until),
        }
        text = (row.words.get(say.code) or say(WORDS[row.kind])).format(**filled)
        found.append(
            Message(
                customer.id, customer.name, customer.phone, person.code, text, person.reported_at,
                uses.get(person.code, 0),
            )
        )  # fmt: skip
    return found


def effect_of(session: Session, row: Outreach, day: dt.date) -> Effect:
    """Return what a message brought until a day, at most its own days (rule 4)."""
    people = session.scalars(
        sa.select(OutreachRecipient).where(
            OutreachRecipient.store_id == row.store_id, OutreachRecipient.outreach_id == row.id
        )
    ).all()
    days = max(0, min(row.days, (day - row.made_on).days))
    since = _spent(session, row.store_id, row.made_on + dt.timedelta(days=1), row.made_on + dt.timedelta(days=days))
    before = _spent(session, row.store_id, row.made_on - dt.timedelta(days=days), row.made_on - dt.timedelta(days=1))
    written = [one.customer_id for one in people if one.code]
    held = [one.customer_id for one in people if not one.code]
    found = None
    if len(held) >= LEAST_HELD and days:
        import numpy as np

        from forecasting.experiments.uplift import uplift

        every = [*written, *held]
        then, now = (np.array([float(sums.get(one, 0)) / 100 for one in every]) for sums in (before, since))
        found = uplift(then, now, np.array([one in set(written) for one in every]))
    return Effect(
        days, len(written), len(held), sum(since.get(one, 0) > 0 for one in written),
        sum(since.get(one, 0) > 0 for one in held), sum(_uses(session, row).values()), found,
    )  # fmt: skip


# --- inside ---


def _left_out(id: str, people: list[str]) -> set[str]:
    """Draw who gets no message: by lot, and the same for the same message (rule 3)."""
    if len(people) < FEWEST:
        return set()
    drawn = sorted(people, key=lambda one: hashlib.sha256(f"{id} {one}".encode()).digest())
    return set(drawn[: max(LEAST_HELD, len(people) // HELD_SHARE)])


def _tidy(words: str) -> str:
    words = " ".join(words.split())
    try:
        named = {name for _, name, spec, turn in string.Formatter().parse(words) if name is not None or spec or turn}
    except ValueError:
        named = {"?"}
    if not words or len(words) > MOST_WORDS or not named <= FIELDS or "code" not in named:
        raise Invalid(
            "bad-words", "The text needs {code} and may contain {name}, {store} and {until}; up to 400 characters.",
            field="words",
        )  # fmt: skip
    return words


def _spent(session: Session, store_id: str, first: dt.date, last: dt.date) -> dict[str, int]:
    query = (
        sa.select(Sale.customer_id, sa.func.sum(Sale.total_minor))
        .where(
            Sale.store_id == store_id, Sale.customer_id.is_not(None), Sale.state == "completed",
            Sale.business_day.between(first, last),
        )
        .group_by(Sale.customer_id)
    )  # fmt: skip
    return {str(customer_id): int(minor) for customer_id, minor in session.execute(query)}


def _uses(session: Session, row: Outreach) -> dict[str, int]:
    codes = sa.select(OutreachRecipient.code).where(
        OutreachRecipient.store_id == row.store_id,
        OutreachRecipient.outreach_id == row.id,
        OutreachRecipient.code != "",
    )
    query = sa.select(Coupon.code, Coupon.uses).where(Coupon.owner_id == row.store_id, Coupon.code.in_(codes))
    return dict(session.execute(query).all())

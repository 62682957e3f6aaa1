"""Customers the store knows by name: what they agreed to, and how they stand with it.

Rules
-----
1. Only what somebody agreed to is kept: a name, and each with its day and the words it was asked in a phone number, a
   tab, points, messages, member prices online, the network's points, partners' programs. What is agreed to no longer
   is gone at once; a tab is settled first.
2. Names and numbers stay in this file's rows and on the store's own paper: no fact, journal entry or message has them.
   Who agrees to member prices online, or to the network's points, lets the network know a key made of the number, slow
   to make, and no more: it recognizes the number there when its owner has proved it. The number itself goes to the
   network only to send the code by which its owner lets this store use the network's points.
3. Who wants to be forgotten is: name and number go, from the paper kept here too; the books stay, by id alone. Not
   while the tab is unpaid.
4. Nobody can try numbers: a search needs four last digits or a word of the name, answers a few people, and shows of
   a number its end.

The tab's book is `tab`, the points' `loyalty`; what a sale asks of them is named here too.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from config import phones
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, is_id
from config.nodes import journal
from config.nodes.journal import Context
from config.words import LANGUAGES
from pos.catalogue.catalogue import search_text_for
from pos.customers import loyalty, tab
from pos.customers.consent import PURPOSES, Consent, agreed, note
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.store.store import Store

MOST_FOUND, RECENT_SALES = 20, 500
LEAST_DIGITS, WHOLE_FROM = 4, 7
"""Digits a number is looked up by; from how many on it may be a whole one, with the 0 of its country before it."""
NAME_LETTERS = 80
PAPERS = ("tab_paid", "statement")


class Customer(Base):
    """A person the store knows. erased_at: forgotten; the row stays for the books, without name and number."""

    __tablename__ = "customer"
    __table_args__ = (sa.Index("ix_customer_name", "store_id", "name"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    """Digits, with a leading + when it was typed."""
    language: Mapped[str] = mapped_column(default="en")
    online_key: Mapped[str] = mapped_column(default="", server_default="", index=True)
    """What the network may know of the number (rule 2); '' where it may know nothing."""
    search_text: Mapped[str] = mapped_column(default="")
    added_at: Mapped[dt.datetime]
    erased_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class Particulars:
    """What a form says of a customer. agreed: of PURPOSES; what is not agreed to is not kept."""

    name: str
    phone: str = ""
    language: str = "en"
    agreed: frozenset[str] = frozenset()
    limit_minor: int = 0


@dataclass(frozen=True)
class Standing:
    """How a customer stands with the store, as the till shows it.

    points_worth_minor: 0 while they cannot be redeemed. points_name: what the network calls its points, else ''.
    """

    name: str
    member: bool
    points: int
    points_worth_minor: int
    tab_balance_minor: int
    tab_left_minor: int
    points_name: str = ""
    points_to_confirm: bool = False
    """Whether the network's points count here alone, until the customer confirms the phone (`loyalty`)."""


@dataclass(frozen=True)
class Found:
    """A customer in a list. phone_end: the last four digits at most."""

    id: str
    name: str
    phone_end: str
    member: bool
    points: int
    tab_balance_minor: int
    tab_limit_minor: int

    @property
    def tab_left_minor(self) -> int:
        """What may still go on the tab."""
        return max(0, self.tab_limit_minor - self.tab_balance_minor)


# --- verbs ---


def add(ctx: Context, store: Store, id: str, wished: Particulars) -> Customer:
    """Add a customer; id is the page's command id, so a double click adds one (another content is a Conflict)."""
    if not is_id(id):
        raise Invalid("no-command-id", "Reload the page, then try again.")
    wished = tidied(wished, store.tz)
    if (before := ctx.session.get(Customer, (store.id, id))) is not None:
        if any(getattr(before, name) != getattr(wished, name) for name in ("name", "phone", "language")):
            raise Conflict(
                "command-content-differs", "This was already recorded with different details. Reload the page."
            )
        return before
    customer = Customer(store_id=store.id, id=id, name="", phone="", search_text="", added_at=ctx.at)
    ctx.session.add(customer)
    tab.open_account(ctx.session, store.id, id, wished.limit_minor)
    _write(ctx.session, customer, wished)
    ctx.session.flush()
    _share(ctx, store, customer, wished)
    note(ctx, store.id, customer.id, {"name", *wished.agreed}, (), wished.language)
    journal.record(
        ctx, verb="customer.added", subject=_subject(id), agreed=sorted(wished.agreed),
        limit_minor=wished.limit_minor)  # fmt: skip
    return customer


def change(ctx: Context, store: Store, customer_id: str, wished: Particulars) -> Customer:
    """Change what is kept of a customer; refuses to end a tab that is not settled (rule 1)."""
    wished = tidied(wished, store.tz)
    customer = _locked(ctx.session, store.id, customer_id)
    owing = tab.account(ctx.session, store.id, customer_id, lock=True)
    before = set(agreed(ctx.session, store.id, customer_id)) & set(PURPOSES)
    if "tab" in before and "tab" not in wished.agreed and owing.balance_minor:
        raise _unsettled(owing.balance_minor)
    limit_before = owing.limit_minor
    tab.set_limit(ctx.session, store.id, customer_id, wished.limit_minor)
    changed = [name for name in ("name", "phone", "language") if getattr(customer, name) != getattr(wished, name)]
    _write(ctx.session, customer, wished)
    _share(ctx, store, customer, wished)
    more, less = wished.agreed - before, before - wished.agreed
    note(ctx, store.id, customer.id, more, less, wished.language)
    journal.record(
        ctx, verb="customer.changed", subject=_subject(customer_id), changed=changed,
        agreed=sorted(wished.agreed), limit_before_minor=limit_before, limit_minor=wished.limit_minor)  # fmt: skip
    return customer


def agree_online(ctx: Context, store: Store, customer_id: str, *, given: bool, phone: str = "") -> Customer:
    """Note that a customer wants the prices for members online, or no longer does; all else stays as it is.

    It brings points and the phone number with it, which it needs (rule 1). phone: '' for the one that is kept.
    """
    kept = particulars(ctx.session, store, customer_id)
    if given:
        needs = {"online", "points", "phone"}
        wished = replace(kept, phone=phone.strip() or kept.phone, agreed=kept.agreed | needs)
        if not wished.phone:
            raise Invalid("phone-needed", "Enter the phone number. It identifies the customer online.", field="phone")
    else:
        wished = replace(kept, agreed=kept.agreed - {"online"})
    return change(ctx, store, customer_id, wished)


def erase(ctx: Context, store: Store, customer_id: str) -> Customer:
    """Forget a person: name, number and points go, the books stay by id; refused while the tab is unpaid (rule 3)."""
    customer = ctx.session.get(Customer, (store.id, customer_id))
    if customer is not None and customer.erased_at is not None:
        return customer
    customer = _locked(ctx.session, store.id, customer_id)
    owing = tab.account(ctx.session, store.id, customer_id, lock=True)
    if owing.balance_minor:
        raise _unsettled(owing.balance_minor)
    tab.set_limit(ctx.session, store.id, customer_id, 0)
    loyalty.end(ctx, store, customer_id)
    ended = agreed(ctx.session, store.id, customer_id)
    note(ctx, store.id, customer_id, (), ended, customer.language)
    customer.name = customer.phone = customer.search_text = customer.online_key = ""
    customer.erased_at = ctx.at
    _forget_paper(ctx.session, store.id, customer_id)
    journal.record(ctx, verb="customer.erased", subject=_subject(customer_id))
    ctx.session.flush()
    return customer


# --- questions ---


def known(session: Session, store_id: str, customer_id: str) -> Customer:
    """Return a customer; NotFound for one who is not known here, or is forgotten."""
    customer = session.get(Customer, (store_id, customer_id))
    if customer is None or customer.erased_at is not None:
        raise NotFound("unknown-customer", "This customer is not on record here. Search again.")
    return customer


def is_known(session: Session, store_id: str, customer_id: str) -> bool:
    """Tell whether a customer is known here, and not forgotten since."""
    customer = session.get(Customer, (store_id, customer_id))
    return customer is not None and customer.erased_at is None


def is_member(session: Session, store_id: str, customer_id: str) -> bool:
    """Tell whether a customer takes part in the points, and so gets the prices for members."""
    known(session, store_id, customer_id)
    return loyalty.account_of(session, store_id, customer_id).member


def particulars(session: Session, store: Store, customer_id: str) -> Particulars:
    """Return what is kept of a customer, as a form would say it."""
    customer = known(session, store.id, customer_id)
    given = frozenset(agreed(session, store.id, customer_id)) & set(PURPOSES)
    limit_minor = tab.account(session, store.id, customer_id).limit_minor
    return Particulars(customer.name, customer.phone, customer.language, given, limit_minor)


def key_of(store_id: str, tz: str, phone: str) -> str:
    """Return what the network may know of a phone number at a store (rule 2): 20 ms of work, so that trying is slow.

    tz: the store's time zone, which says in which country a number without its country's code is one.
    """
    whole = phones.e164(phone, tz).encode()
    return hashlib.scrypt(whole, salt=f"member:{store_id}".encode(), n=2**13, r=8, p=1, dklen=16).hex()


def online_members(session: Session, store_id: str, key: str = "") -> dict[str, str]:
    """Return key -> customer of those who get member prices online (rule 2); of one key alone where it is given."""
    points = loyalty.PointsAccount
    query = (
        sa.select(Customer.online_key, Customer.id)
        .join(points, _account(points, store_id))
        .where(Customer.store_id == store_id, Customer.online_key != "", points.member)
    )
    if key:
        query = query.where(Customer.online_key == key)
    return {row.online_key: row.id for row in session.execute(query.order_by(Customer.id))}


def standing(session: Session, store: Store, customer_id: str, *, at: dt.datetime) -> Standing:
    """Return how a customer stands with the store; the points are those that are collected here now."""
    customer = known(session, store.id, customer_id)
    owing = tab.account(session, store.id, customer_id)
    points = loyalty.balance(session, loyalty.collects(session, store.id, customer_id, at), at)
    return Standing(
        name=customer.name,
        member=loyalty.account_of(session, store.id, customer_id).member,
        points=points.points,
        points_worth_minor=points.worth_minor,
        points_name=points.name,
        points_to_confirm=points.to_confirm,
        tab_balance_minor=owing.balance_minor,
        tab_left_minor=max(0, owing.limit_minor - owing.balance_minor),
    )


def search(session: Session, store_id: str, text: str) -> list[Found]:
    """Return the customers a name, its pinyin or the last digits of a number fits, a few at most (rule 4).

    Without a text: those who bought last, the newest first.
    """
    if not text.strip():
        return _recent(session, store_id)
    return _found(session, store_id, [named_so(text)])


def named_so(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that name, pinyin or the last digits of a number fit (rule 4); too little fits no one."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    digits = re.sub(r"[\s()/+.-]", "", unicodedata.normalize("NFKC", text))
    if digits.isdecimal():
        if len(digits) < LEAST_DIGITS:
            return sa.false()
        ends = {digits, digits.lstrip("0") or digits} if len(digits) > WHOLE_FROM else {digits}
        return sa.or_(*(Customer.phone.endswith(one, autoescape=True) for one in ends))
    if not words or (len("".join(words)) < 2 and words[0].isascii()):
        return sa.false()
    return sa.and_(*(Customer.search_text.contains(word, autoescape=True) for word in words))


def listed(store_id: str) -> sa.Select[str]:
    """Return the query of the ids of a store's customers."""
    return sa.select(Customer.id).where(Customer.store_id == store_id, Customer.erased_at.is_(None))


def named(session: Session, store_id: str, ids: Sequence[str]) -> dict[str, Found]:
    """Return the customers of these ids in their order, by id; a forgotten one is not among them."""
    known = {row.id: row for row in _found(session, store_id, [Customer.id.in_(ids)], len(ids))} if ids else {}
    return {one: known[one] for one in ids if one in known}


def everything_about(session: Session, store: Store, customer_id: str) -> dict[str, Any]:
    """Return all the store keeps of one person, as plain values: what the person may ask for."""
    customer = known(session, store.id, customer_id)
    consents = sa.select(Consent).where(Consent.store_id == store.id, Consent.customer_id == customer_id)
    sales = sa.select(Sale.receipt_no, Sale.business_day, Sale.kind, Sale.total_minor).where(
        Sale.store_id == store.id, Sale.customer_id == customer_id
    )
    owing = tab.account(session, store.id, customer_id)
    return {
        "store": store.name,
        "currency": store.currency,
        "customer": {
            "id": customer.id,
            "name": customer.name,
            "phone": customer.phone,
            "language": customer.language,
            "added_at": customer.added_at.isoformat(),
        },
        "agreed": [
            {"purpose": row.purpose, "given": row.given, "words": row.words, "at": row.at.isoformat()}
            for row in session.scalars(consents.order_by(Consent.at, Consent.id))
        ],
        "tab": {
            "limit_minor": owing.limit_minor,
            "balance_minor": owing.balance_minor,
            "entries": [
                {
                    "day": row.business_day.isoformat(), "at": row.at.isoformat(), "kind": row.kind,
                    "amount_minor": row.amount_minor, "balance_minor": row.balance_minor,
                }
                for row in tab.entries(session, store.id, customer_id)
            ],
        },
        "points": [
            {"at": row.at.isoformat(), "scope": row.scope, "kind": row.kind, "points": row.points}
            for row in reversed(loyalty.entries(session, store.id, customer_id))
        ],
        "sales": [
            {"receipt_no": no, "day": day.isoformat(), "kind": kind, "total_minor": minor}
            for no, day, kind, minor in session.execute(sales.order_by(Sale.completed_at, Sale.id))
        ],
    }  # fmt: skip


def tidied(wished: Particulars, tz: str) -> Particulars:
    """Return what was typed, checked and tidied, the number in E.164; Invalid for what was not agreed to (rule 1)."""
    name = " ".join(unicodedata.normalize("NFC", wished.name).split())
    if not name:
        raise Invalid("empty-field", "Enter the customer’s name.", field="name")
    if len(name) > NAME_LETTERS or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise Invalid("customer-name", "A name can have up to %(most)s characters.", field="name", most=NAME_LETTERS)
    if unknown := wished.agreed - set(PURPOSES):
        raise Invalid("bad-choice", "Choose what the customer agrees to.", unknown=sorted(unknown))
    if wished.language not in LANGUAGES:
        raise Invalid("bad-choice", "Choose a language.", field="language")
    phone = re.sub(r"[\s()/.-]", "", unicodedata.normalize("NFKC", wished.phone))
    if phone and not re.fullmatch(r"\+?[0-9]{5,20}", phone):
        raise Invalid("customer-phone", "A phone number has 5 to 20 digits.", field="phone")
    if phone and "phone" not in wished.agreed:
        raise Invalid("not-agreed", "Phone numbers are saved only with the customer’s consent.", field="phone")
    if "online" in wished.agreed and not (phone and "points" in wished.agreed):
        raise Invalid("online-wants-points", "Online member prices need points and a phone number.", field="phone")
    if "network" in wished.agreed and not (phone and "points" in wished.agreed):
        raise Invalid("network-wants-points", "The network's points need points and a phone number.", field="phone")
    if wished.limit_minor and "tab" not in wished.agreed:
        raise Invalid("not-agreed", "A tab can be opened only with the customer’s consent.", field="limit")
    return replace(wished, name=name, phone=phones.e164(phone, tz) if phone else "")


# --- inside ---


def _locked(session: Session, store_id: str, customer_id: str) -> Customer:
    query = sa.select(Customer).where(Customer.store_id == store_id, Customer.id == customer_id)
    session.scalar(lock_rows(session, query))
    return known(session, store_id, customer_id)


def _write(session: Session, customer: Customer, wished: Particulars) -> None:
    customer.name, customer.phone, customer.language = wished.name, wished.phone, wished.language
    customer.search_text = search_text_for(unicodedata.normalize("NFKC", wished.name), "", "")
    tz = session.get_one(Store, customer.store_id).tz
    customer.online_key = key_of(customer.store_id, tz, wished.phone) if "online" in wished.agreed else ""


def _share(ctx: Context, store: Store, customer: Customer, wished: Particulars) -> None:
    """Enroll a customer who agreed to collect points, and at the network only one who agreed to that."""
    key = key_of(NETWORK, store.tz, wished.phone) if "network" in wished.agreed else ""
    loyalty.enroll(ctx, store, customer.id, member="points" in wished.agreed, key=key)


def _found(
    session: Session, store_id: str, fits: Sequence[sa.ColumnElement[bool]], most: int = MOST_FOUND
) -> list[Found]:
    owing, points, shared = tab.TabAccount, loyalty.PointsAccount, aliased(loyalty.PointsAccount)
    have = sa.case((shared.member, shared.points), else_=points.points)
    query = (
        sa.select(Customer, points.member, have, owing.balance_minor, owing.limit_minor)
        .join(owing, sa.and_(owing.store_id == Customer.store_id, owing.customer_id == Customer.id))
        .join(points, _account(points, store_id))
        .outerjoin(shared, _account(shared, NETWORK))
        .where(Customer.store_id == store_id, Customer.erased_at.is_(None), *fits)
        .order_by(Customer.name, Customer.id)
    )
    return [
        Found(row.id, row.name, row.phone[-4:] if row.phone else "", member, have, owed, limit)
        for row, member, have, owed, limit in session.execute(query.limit(most))
    ]


def _recent(session: Session, store_id: str) -> list[Found]:
    newest = sa.select(Sale.customer_id).where(Sale.store_id == store_id).order_by(Sale.business_day.desc())
    last = session.scalars(newest.order_by(Sale.completed_at.desc()).limit(RECENT_SALES))
    known = named(session, store_id, list(dict.fromkeys(one for one in last if one))[:MOST_FOUND])
    return list(known.values())


def _account(points: Any, scope: str) -> sa.ColumnElement[bool]:
    mine = points.store_id == Customer.store_id, points.customer_id == Customer.id
    return sa.and_(*mine, points.scope == scope)


def _forget_paper(session: Session, store_id: str, customer_id: str) -> None:
    """Take the name off the slips and statements that are kept for printing again (rule 3)."""
    query = sa.select(PrintJob).where(
        PrintJob.store_id == store_id, PrintJob.kind.in_(PAPERS), PrintJob.source_id == customer_id
    )
    for job in session.scalars(query):
        job.document = job.document | {"customer": {"id": customer_id, "name": ""}}
        job.paper = None


def _unsettled(owed_minor: int) -> Refused:
    return Refused(
        "tab-not-settled",
        "This tab still has a balance. Take payment or write it off first.",
        owed_minor=owed_minor,
    )


def _subject(customer_id: str) -> str:
    return f"customer:{customer_id}"

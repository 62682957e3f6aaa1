"""Gift vouchers and store credit: a code that is worth money until it is spent.

Rules
-----
1. A code has twelve characters without look-alikes, eleven of them drawn at random (54 bits) and one that checks the
   rest: a slip of the finger is noticed before it is looked up, and nobody guesses one.
2. The book is append-only; what a voucher is worth is the sum of its movements, kept beside it and checked.
3. A voucher is never spent below zero, on however many tills at once: its balance falls only where it still suffices.
4. What is left stays on the same code. An expired voucher pays nothing; without a last day it never expires.
5. Selling a gift voucher is no turnover, redeeming it is a way to pay.
6. A code is money: it stands whole in the answer that completes its sale and on the first print, afterwards only with
   its last four characters.

Units: *_minor, in a movement + onto the voucher, - off it.
"""

import datetime as dt
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal
from config.append_only import append_only
from config.clock import business_day
from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused
from config.ids import new_id
from config.journal import Actor
from config.money import MAX_MINOR
from pos.store import Store

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXY"
"""31 characters: no 0 O 1 I Z. A prime, so that every single slip and every swap of neighbours shows."""
CODE_LENGTH = 12
KINDS = ("gift", "credit")


class Voucher(Base):
    """A voucher and what it is worth now. balance_minor is the sum of its movements (rule 2)."""

    __tablename__ = "voucher"
    __table_args__ = (
        sa.CheckConstraint("balance_minor >= 0", name="balance_not_negative"),
        sa.Index("ix_voucher_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """gift | credit"""
    amount_minor: Mapped[int]
    """What it was issued for."""
    balance_minor: Mapped[int]
    expires_on: Mapped[dt.date | None]
    """The last business day it is taken; None: it never expires."""
    sale_id: Mapped[str]
    """The sale or return that issued it."""
    issued_at: Mapped[dt.datetime]
    issued_by: Mapped[str]


@append_only()
class VoucherMovement(Base):
    """Money onto or off a voucher; never changed."""

    __tablename__ = "voucher_movement"
    __table_args__ = (
        sa.Index("ix_voucher_movement_code", "store_id", "code"),
        sa.Index("ix_voucher_movement_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    kind: Mapped[str]
    """issued | redeemed | withdrawn"""
    amount_minor: Mapped[int]
    balance_minor: Mapped[int]
    """What was left after it."""
    sale_id: Mapped[str]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


# --- verbs ---


def issue(
    session: Session, store: Store, amount_minor: int, *, kind: str, sale_id: str, expires_on: dt.date | None = None,
    code: str | None = None, at: dt.datetime, actor: Actor,
) -> Voucher:  # fmt: skip
    """Issue a gift voucher that was sold, or a store credit for returned goods. code: of one these books have lost."""
    _check(amount_minor)
    if kind not in KINDS:
        raise Invalid("bad-voucher-kind", "A voucher is a gift voucher or a store credit.", kind=kind)
    if expires_on is not None and expires_on < business_day(at, store.tz, store.rollover_hour):
        raise Invalid("voucher-day-past", "The last day lies behind. Choose a later one.", field="expires_on")
    voucher = Voucher(
        store_id=store.id,
        code=code or new_code(),
        kind=kind,
        amount_minor=amount_minor,
        balance_minor=amount_minor,
        expires_on=expires_on,
        sale_id=sale_id,
        issued_at=at,
        issued_by=actor.id,
    )
    session.add(voucher)
    session.flush()
    _write(session, voucher, "issued", amount_minor, amount_minor, sale_id, at, actor)
    facts = {"kind": kind, "amount_minor": amount_minor, "sale": sale_id}
    journal.record(session, actor=actor, at=at, verb="voucher.issued", subject=_subject(voucher.code), **facts)
    return voucher


def redeem(
    session: Session, store: Store, code: str, amount_minor: int, *, sale_id: str, at: dt.datetime, actor: Actor
) -> Voucher:
    """Pay an amount with a voucher; refused, with what is left, when it does not suffice (rules 3, 4)."""
    _check(amount_minor)
    found = find(session, store.id, code)
    today = business_day(at, store.tz, store.rollover_hour)
    left = Voucher.balance_minor - amount_minor
    lowered = sa.update(Voucher).where(
        Voucher.store_id == store.id,
        Voucher.code == found.code,
        left >= 0,
        sa.or_(Voucher.expires_on.is_(None), Voucher.expires_on >= today),
    )
    after = session.scalar(
        lowered.values(balance_minor=left).returning(Voucher.balance_minor),
        execution_options={"synchronize_session": False},
    )
    found = find(session, store.id, found.code)
    if after is None:
        if is_expired(found, today):
            raise Refused(
                "voucher-expired", "This voucher has expired. Choose another way to pay.", expires_on=found.expires_on
            )
        raise Refused(
            "voucher-too-small",
            "There is less on this voucher. Take what is left, and the rest in another way.",
            balance_minor=found.balance_minor,
            wanted_minor=amount_minor,
        )
    _write(session, found, "redeemed", -amount_minor, int(after), sale_id, at, actor)
    return found


def withdraw(session: Session, store: Store, code: str, *, sale_id: str, at: dt.datetime, actor: Actor) -> int:
    """Take back a gift voucher nobody has spent from: it is worth nothing then. Returns what is to be paid back."""
    voucher = find(session, store.id, code, lock=True)
    if voucher.balance_minor != voucher.amount_minor:
        raise Refused(
            "voucher-used", "This voucher has been used; it cannot be taken back.", balance_minor=voucher.balance_minor
        )
    amount_minor, voucher.balance_minor = voucher.balance_minor, 0
    _write(session, voucher, "withdrawn", -amount_minor, 0, sale_id, at, actor)
    facts = {"amount_minor": amount_minor, "sale": sale_id}
    journal.record(session, actor=actor, at=at, verb="voucher.withdrawn", subject=_subject(voucher.code), **facts)
    return amount_minor


# --- questions ---


def balance(session: Session, store_id: str, code: str) -> int:
    """Return what a voucher is worth now, in minor units; NotFound for a code nobody issued."""
    return find(session, store_id, code).balance_minor


def find(session: Session, store_id: str, code: str, *, lock: bool = False) -> Voucher:
    """Return a voucher as it stands in the database now, locked if asked."""
    tidied = tidy_code(code)
    if tidied is None:
        raise Invalid("voucher-misread", "This is no voucher's code, or it was misread. Type it again.", field="code")
    query = sa.select(Voucher).where(Voucher.store_id == store_id, Voucher.code == tidied)
    query = query.execution_options(populate_existing=True)
    found: Voucher | None = session.scalar(lock_rows(session, query) if lock else query)
    if found is None:
        raise NotFound("no-such-voucher", "No voucher of this code was issued here.")
    return found


def is_expired(voucher: Voucher, today: dt.date) -> bool:
    """Tell whether a voucher's last day is over."""
    return voucher.expires_on is not None and voucher.expires_on < today


def movements(session: Session, store_id: str, code: str) -> list[VoucherMovement]:
    """Return a voucher's movements, oldest first."""
    query = sa.select(VoucherMovement).where(VoucherMovement.store_id == store_id, VoucherMovement.code == code)
    return list(session.scalars(query.order_by(VoucherMovement.at, VoucherMovement.id)))


def outstanding_minor(session: Session, store_id: str, today: dt.date) -> int:
    """Return what the shop owes on all vouchers that are still taken."""
    valid = sa.or_(Voucher.expires_on.is_(None), Voucher.expires_on >= today)
    owed = session.scalar(sa.select(sa.func.sum(Voucher.balance_minor)).where(Voucher.store_id == store_id, valid))
    return int(owed or 0)


# --- codes ---


def new_code() -> str:
    """Draw a code nobody can guess, its last character checking the rest (rule 1)."""
    body = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH - 1))
    return body + _check_character(body)


def tidy_code(text: str) -> str | None:
    """Return a code as it is kept (blanks and hyphens gone, capital), or None when it cannot be one."""
    code = "".join(text.split()).replace("-", "").upper()
    if len(code) != CODE_LENGTH or any(letter not in LETTERS for letter in code):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def spoken(code: str) -> str:
    """Return a code in groups of four, as it is printed and read aloud."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def issued_by(session: Session, store_id: str, sale_id: str) -> bool:
    """Tell whether a sale issued a voucher."""
    query = sa.select(Voucher.code).where(Voucher.store_id == store_id, Voucher.sale_id == sale_id)
    return session.scalar(query.limit(1)) is not None


def masked(document: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt or a voucher's slip that shows of each code its last four characters alone (rule 6)."""
    seen = dict(document)
    if document.get("vouchers"):
        rows = document["vouchers"]
        seen["vouchers"] = [row | {"code": _hidden(str(row["code"])), "masked": True} for row in rows]
    if any(row["tender"] == "voucher" for row in document.get("payments", ())):
        seen["payments"] = [
            row | ({"reference": _hidden(str(row.get("reference", "")))} if row["tender"] == "voucher" else {})
            for row in document["payments"]
        ]
    if "spoken" in document:
        code = _hidden(str(document["code"]))
        seen |= {"code": code, "spoken": code, "masked": True}
    return seen


# --- inside ---


def _hidden(code: str) -> str:
    return f"... {code[-4:]}" if code else ""


def _write(
    session: Session, voucher: Voucher, kind: str, amount_minor: int, balance_minor: int, sale_id: str,
    at: dt.datetime, actor: Actor,
) -> None:  # fmt: skip
    movement = VoucherMovement(
        store_id=voucher.store_id,
        id=new_id(),
        code=voucher.code,
        kind=kind,
        amount_minor=amount_minor,
        balance_minor=balance_minor,
        sale_id=sale_id,
        at=at,
        actor_id=actor.id,
    )
    session.add(movement)
    session.flush()


def _subject(code: str) -> str:
    """Name a voucher in the journal by its end alone: who reads the journal cannot spend it."""
    return f"voucher:…{code[-4:]}"


def _check_character(body: str) -> str:
    total = sum((place + 2) * LETTERS.index(letter) for place, letter in enumerate(body))
    return LETTERS[total % len(LETTERS)]


def _check(amount_minor: int) -> None:
    whole = isinstance(amount_minor, int) and not isinstance(amount_minor, bool)
    if not whole or not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Type an amount of money above zero.", amount_minor=amount_minor)

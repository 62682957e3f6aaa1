"""Gift vouchers and store credit: a code that is worth money until it is spent.

Rules
-----
1. A code has twelve characters without look-alikes: eleven nobody can guess (54 bits, rule 7) and one that checks the
   rest, so that a typing slip is noticed before the code is looked up.
2. The book is append-only; what a voucher is worth is the sum of its movements, kept beside it and checked.
3. A voucher is never spent below zero, on however many tills at once: its balance falls only where it still suffices.
4. What is left stays on the same code. An expired voucher pays nothing; without a last day it never expires.
5. Selling a gift voucher is no turnover, redeeming it is a way to pay.
6. A code is money: it stands whole in the answer that completes its sale and on the first print, afterwards only with
   its last four characters.
7. No code rests anywhere. Books, facts, requests' hashes and print jobs hold its mark: a slow hash without a secret, so
   that a store put back on another computer takes it, and the last four characters. The code itself is derived from the
   node's secret and its sale whenever it is shown (`revealed`). What a person types is never taken for a mark.

Units: *_minor, in a movement + onto the voucher, - off it.
"""

import datetime as dt
import hashlib
import hmac
import re
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base, lock_rows, secret_of
from config.errors import Invalid, NotFound, Refused, check_amount
from config.ids import new_id
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from pos.payments.tenders import tender_of
from pos.store.store import Store

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXY"
"""31 characters: no 0 O 1 I Z. A prime, so that every single slip and every swap of neighbours shows."""
CODE_LENGTH = 12
KINDS = ("gift", "credit")
MOST_OF_A_SALE = 600
_MARK = re.compile(rf"[0-9a-f]{{32}}\.[{LETTERS}]{{4}}")


class Mark(str):
    """What is kept of a code (rule 7): its slow hash, a dot, its last four characters."""

    __slots__ = ()


class Voucher(Base):
    """A voucher and what it is worth now. balance_minor is the sum of its movements (rule 2)."""

    __tablename__ = "voucher"
    __table_args__ = (
        sa.CheckConstraint("balance_minor >= 0", name="balance_not_negative"),
        sa.Index("ix_voucher_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
    """Of its code, as `Mark`."""
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
        sa.Index("ix_voucher_movement_mark", "store_id", "mark"),
        sa.Index("ix_voucher_movement_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str]
    kind: Mapped[str]
    """issued | redeemed | withdrawn"""
    amount_minor: Mapped[int]
    balance_minor: Mapped[int]
    """What was left after it."""
    sale_id: Mapped[str]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


class Issued(NamedTuple):
    """A voucher that was issued, and its code; '' for one that these books had lost."""

    code: str
    voucher: Voucher


# --- verbs ---


def issue(
    ctx: Context, store: Store, amount_minor: int, *, kind: str, sale_id: str, expires_on: dt.date | None = None,
    mark: Mark | None = None, ) -> Issued:  # fmt: skip
    """Issue a gift voucher that was sold, or a store credit for returned goods. mark: of one these books have lost."""
    check_amount(amount_minor)
    if kind not in KINDS:
        raise Invalid("bad-voucher-kind", "A voucher is either a gift voucher or a store credit.", kind=kind)
    if expires_on is not None and expires_on < business_day(ctx.at, store.tz, store.rollover_hour):
        raise Invalid("voucher-day-past", "The last day is in the past. Choose a later one.", field="expires_on")
    code = (
        "" if mark else code_of(secret_of(ctx.session), store.id, sale_id, _count(ctx.session, store.id, sale_id) + 1)
    )
    voucher = Voucher(
        store_id=store.id,
        mark=str(mark or mark_of(store.id, code)),
        kind=kind,
        amount_minor=amount_minor,
        balance_minor=amount_minor,
        expires_on=expires_on,
        sale_id=sale_id,
        issued_at=ctx.at,
        issued_by=ctx.actor.id,
    )
    ctx.session.add(voucher)
    ctx.session.flush()
    _write(ctx, voucher, "issued", amount_minor, amount_minor, sale_id)
    facts = {"kind": kind, "amount_minor": amount_minor, "sale": sale_id}
    journal.record(ctx, verb="voucher.issued", subject=_subject(voucher.mark), **facts)
    return Issued(code, voucher)


def redeem(ctx: Context, store: Store, code: str, amount_minor: int, *, sale_id: str) -> Voucher:
    """Pay an amount with a voucher; refused, with what is left, when it does not suffice (rules 3, 4)."""
    check_amount(amount_minor)
    found = find(ctx.session, store.id, code)
    today = business_day(ctx.at, store.tz, store.rollover_hour)
    left = Voucher.balance_minor - amount_minor
    lowered = sa.update(Voucher).where(
        Voucher.store_id == store.id,
        Voucher.mark == found.mark,
        left >= 0,
        sa.or_(Voucher.expires_on.is_(None), Voucher.expires_on >= today),
    )
    after = ctx.session.scalar(
        lowered.values(balance_minor=left).returning(Voucher.balance_minor),
        execution_options={"synchronize_session": False},
    )
    found = find(ctx.session, store.id, Mark(found.mark))
    if after is None:
        if is_expired(found, today):
            raise Refused(
                "voucher-expired",
                "This voucher has expired. Choose another payment method.",
                expires_on=found.expires_on,
            )
        raise Refused(
            "voucher-too-small",
            "This voucher does not cover that amount. Take what is left on it, and the rest another way.",
            balance_minor=found.balance_minor,
            wanted_minor=amount_minor,
        )
    _write(ctx, found, "redeemed", -amount_minor, int(after), sale_id)
    return found


# --- questions ---


def find(session: Session, store_id: str, code: str, *, lock: bool = False) -> Voucher:
    """Return a voucher as it stands in the database now, locked if asked. code: typed, or its `Mark`."""
    mark = code if isinstance(code, Mark) else mark_of(store_id, code)
    query = sa.select(Voucher).where(Voucher.store_id == store_id, Voucher.mark == str(mark))
    query = query.execution_options(populate_existing=True)
    found: Voucher | None = session.scalar(lock_rows(session, query) if lock else query)
    if found is None:
        raise NotFound("no-such-voucher", "This store did not issue a voucher with this code.")
    return found


def is_expired(voucher: Voucher, today: dt.date) -> bool:
    """Tell whether a voucher's last day is over."""
    return voucher.expires_on is not None and voucher.expires_on < today


def movements(session: Session, voucher: Voucher) -> list[VoucherMovement]:
    """Return a voucher's movements, oldest first."""
    mine = (VoucherMovement.store_id == voucher.store_id, VoucherMovement.mark == voucher.mark)
    query = sa.select(VoucherMovement).where(*mine)
    return list(session.scalars(query.order_by(VoucherMovement.at, VoucherMovement.id)))


def outstanding_minor(session: Session, store_id: str, today: dt.date) -> int:
    """Return what the store owes on all vouchers that are still taken."""
    valid = sa.or_(Voucher.expires_on.is_(None), Voucher.expires_on >= today)
    owed = session.scalar(sa.select(sa.func.sum(Voucher.balance_minor)).where(Voucher.store_id == store_id, valid))
    return int(owed or 0)


# --- codes ---


def code_of(secret: str, store_id: str, sale_id: str, n: int) -> str:
    """Return the code of the n-th voucher a sale issues (rules 1, 7). secret: the node's own."""
    said = f"voucher code {store_id} {sale_id} {n}"
    return _spelled(int.from_bytes(hmac.digest(secret.encode(), said.encode(), "sha256")))


def mark_of(store_id: str, typed: str) -> Mark:
    """Return the mark of a code somebody typed (rule 7): 40 ms of work, so that trying codes is slow."""
    code = tidy_code(typed)
    if code is None:
        raise Invalid("voucher-misread", "That is not a voucher code. Check it and enter it again.", field="code")
    hashed = hashlib.scrypt(code.encode(), salt=f"voucher:{store_id}".encode(), n=2**14, r=8, p=1, dklen=16)
    return Mark(f"{hashed.hex()}.{code[-4:]}")


def mark_in(store_id: str, reported: str) -> Mark:
    """Return the mark a store's own fact tells of; facts from before marks were kept tell the code."""
    return Mark(reported) if is_mark(reported) else mark_of(store_id, reported)


def is_mark(text: str) -> bool:
    """Tell whether a text has the form of a mark."""
    return _MARK.fullmatch(text) is not None


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
    return _count(session, store_id, sale_id) > 0


def whole_of(session: Session, store_id: str, sale_id: str, mark: str) -> str | None:
    """Return the code of a mark that a sale issued; None where another secret, or none, made it."""
    secret = secret_of(session)
    for n in range(1, MOST_OF_A_SALE + 1):
        code = code_of(secret, store_id, sale_id, n)
        if code[-4:] == mark[-4:] and mark_of(store_id, code) == mark:
            return code
    return None


def revealed(session: Session, document: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt or a voucher's slip with whole codes, where this node can derive them; else with their end."""
    store_id = document.get("store", {}).get("id", "")

    def shown(row: dict[str, Any], sale_id: str) -> dict[str, Any]:
        if not is_mark(str(row["code"])):
            return row
        code = whole_of(session, store_id, sale_id, row["code"])
        return row | ({"code": code} if code else {"code": _hidden(row["code"]), "masked": True})

    if document.get("vouchers"):
        document = document | {"vouchers": [shown(row, document["id"]) for row in document["vouchers"]]}
    if "spoken" in document and is_mark(str(document["code"])):
        document = shown(document, document["sale_id"])
        document = document | {"spoken": document["code"] if document.get("masked") else spoken(document["code"])}
    return document


def not_derived() -> Refused:
    """Return the refusal to print a code that this node cannot derive."""
    return Refused(
        "voucher-not-derived",
        "This computer cannot reprint this voucher's code. The original paper stays valid.",
    )


def is_whole(document: dict[str, Any]) -> bool:
    """Tell whether every code of a revealed document could be shown."""
    return not any(row.get("masked") for row in (document, *document.get("vouchers", ())))


def masked(document: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt or a voucher's slip that shows of each code its last four characters alone (rule 6)."""
    seen = dict(document)
    if document.get("vouchers"):
        rows = document["vouchers"]
        seen["vouchers"] = [row | {"code": _hidden(str(row["code"])), "masked": True} for row in rows]
    if any(map(_names_a_code, document.get("payments", ()))):
        seen["payments"] = [
            row | ({"reference": _hidden(str(row.get("reference", "")))} if _names_a_code(row) else {})
            for row in document["payments"]
        ]
    if "spoken" in document:
        code = _hidden(str(document["code"]))
        seen |= {"code": code, "spoken": code, "masked": True}
    return seen


# --- inside ---


def _count(session: Session, store_id: str, sale_id: str) -> int:
    mine = (Voucher.store_id == store_id, Voucher.sale_id == sale_id)
    return int(session.scalar(sa.select(sa.func.count()).select_from(Voucher).where(*mine)) or 0)


def _spelled(number: int) -> str:
    body = ""
    for _ in range(CODE_LENGTH - 1):
        number, place = divmod(number, len(LETTERS))
        body += LETTERS[place]
    return body + _check_character(body)


def _names_a_code(payment: dict[str, Any]) -> bool:
    return tender_of(payment["tender"]).pane == "code"


def _hidden(code: str) -> str:
    return f"... {code[-4:]}" if code else ""


def _write(ctx: Context, voucher: Voucher, kind: str, amount_minor: int, balance_minor: int, sale_id: str) -> None:
    movement = VoucherMovement(
        store_id=voucher.store_id,
        id=new_id(),
        mark=voucher.mark,
        kind=kind,
        amount_minor=amount_minor,
        balance_minor=balance_minor,
        sale_id=sale_id,
        at=ctx.at,
        actor_id=ctx.actor.id,
    )
    ctx.session.add(movement)
    ctx.session.flush()


def _subject(mark: str) -> str:
    """Name a voucher in the journal by its end alone: who reads the journal cannot spend it."""
    return f"voucher:…{mark[-4:]}"


def _check_character(body: str) -> str:
    total = sum((place + 2) * LETTERS.index(letter) for place, letter in enumerate(body))
    return LETTERS[total % len(LETTERS)]

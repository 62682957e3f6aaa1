"""How a sale is paid: one signed row per tender, change a row of its own.

Rules
-----
1. A payment has its own state; only captured ones count. Σ captured (change being negative) = the sale's total.
2. Change is only ever cash, and never more than the cash given.
3. Cash is captured at once; so is a card read by a terminal that stands beside the till, whose slip number the
   cashier types. Money paid online before is taken only for a pickup, and what comes back of it goes back online.
4. Only the part paid in cash is rounded to the smallest coin; nothing but cash is given back.
5. No card's number is kept: one typed in place of the slip's is refused (I39).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.money import MAX_MINOR, round_cash
from config.nodes.append_only import append_only
from config.states import StateTable
from pos.payments.tenders import CASH, PREPAID, tender_of

STATES = StateTable(
    "payment",
    "requested",
    {
        "requested": ["captured", "declined", "cancelled", "unknown"],
        "unknown": ["captured", "declined"],
        "captured": ["reversed", "refunded_by_hand"],
    },
    resting=["captured"],
)
LONGEST_REFERENCE = 40


class Tendered(NamedTuple):
    """A way of paying and how much was handed over by it."""

    tender: str
    amount_minor: int
    reference: str = ""
    payment_id: str = ""
    """The payment a provider has captured for it."""
    of_sale_id: str = ""
    """The sale whose account money goes back by it; empty: the sale whose goods come back."""
    paper: str = ""
    """What the terminal wants under the receipt."""


@dataclass(frozen=True)
class Settled:
    """How a due amount was paid: due + rounding = total = paid - change."""

    tenders: tuple[Tendered, ...]
    rounding_minor: int
    total_minor: int
    paid_minor: int
    change_minor: int


@append_only(
    "sale_id",
    "state",
    "reference",
    "asked_at",
    "ask_again_at",
    "tries",
    "provider_ref",
    "shown_code",
    "reason",
    "paper",
    "unwanted_since",
    "contradicted",
    "claimed_by",
    "same_as",
)
class Payment(Base):
    """One tender's movement of money."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "payment"
    __table_args__ = (
        sa.Index("ix_payment_sale", "store_id", "sale_id"),
        sa.Index(
            "ix_payment_provider",
            "store_id",
            "provider",
            sqlite_where=sa.text("provider IS NOT NULL"),
        ),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str]
    tender: Mapped[str]
    amount_minor: Mapped[int]
    is_change: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=STATES.first)
    reference: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
    # What follows is empty for cash and for a typed slip; `requests` writes it when a provider is asked.
    till_id: Mapped[str | None]
    provider: Mapped[str | None]
    """The name of the provider that is asked; None: nobody is."""
    way: Mapped[str | None]
    """terminal | customer_code | store_code | bank_code"""
    request_hash: Mapped[str | None]
    requested_at: Mapped[dt.datetime | None]
    asked_at: Mapped[dt.datetime | None]
    ask_again_at: Mapped[dt.datetime | None]
    """When the job asks next; None: nothing is open."""
    tries: Mapped[int | None]
    provider_ref: Mapped[str | None]
    shown_code: Mapped[str | None]
    """The text of the QR code the customer scans."""
    reason: Mapped[str | None]
    """Why it was declined, cancelled or is unknown, or how far the customer is, for a person."""
    paper: Mapped[str | None]
    """What the terminal wants under the receipt."""
    unwanted_since: Mapped[dt.datetime | None]
    """From here on money that is or will be captured goes back."""
    contradicted: Mapped[str | None]
    """What the provider said after something final; `unclaimed` says how that is settled."""
    claimed_by: Mapped[str | None]
    """The completed sale that is paid with it."""
    same_as: Mapped[str | None]
    """The payment with a typed slip that turned out to be this very one."""
    gives_back: Mapped[str | None]
    """The payment whose money this one gives back."""


# --- questions ---


def settle(
    tenders: Sequence[Tendered], due_minor: int, *, smallest_coin_minor: int, currency: str, channel: str
) -> Settled:
    """Return how `due_minor` is paid by what was handed over, or refuse with what is missing (rules 2 to 4).

    A due amount below zero is given back: the tenders then carry negative amounts.
    """
    _refuse_odd(tenders, channel, gives_back=due_minor < 0)
    cash_minor = sum(row.amount_minor for row in tenders if row.tender == CASH)
    other_minor = sum(row.amount_minor for row in tenders if row.tender != CASH)
    has_cash = not tenders or any(row.tender == CASH for row in tenders)
    if due_minor < 0:
        return _given_back(
            tenders, due_minor, cash_minor, other_minor, smallest_coin_minor if has_cash else 1, currency
        )
    if other_minor > due_minor:
        over = other_minor - due_minor
        raise Refused(
            "too-much-card", "That is %(over_minor)s too much, and only cash can be given as change. Charge the exact "
                             "amount.",
            currency=currency, over_minor=over,
        )  # fmt: skip
    rest_minor = due_minor - other_minor
    rounded_minor = round_cash(rest_minor, smallest_coin_minor) if has_cash else rest_minor
    missing = rounded_minor - cash_minor
    if missing > 0:
        raise Refused(
            "too-little-cash", "%(missing_minor)s is missing. Take it, or use another "
                               "payment method.", currency=currency,
            missing_minor=missing, due_minor=due_minor, paid_minor=cash_minor + other_minor,
        )  # fmt: skip
    return Settled(
        tenders=tuple(row for row in tenders if row.amount_minor),
        rounding_minor=rounded_minor - rest_minor,
        total_minor=other_minor + rounded_minor,
        paid_minor=cash_minor + other_minor,
        change_minor=cash_minor - rounded_minor,
    )


def counts() -> sa.ColumnElement[bool]:
    """Return when a payment counts towards its sale: captured, and, if a provider took it, claimed by the sale."""
    return sa.and_(
        Payment.state == "captured", sa.or_(Payment.provider.is_(None), Payment.claimed_by == Payment.sale_id)
    )


# --- inside ---


def _given_back(
    tenders: Sequence[Tendered], due_minor: int, cash_minor: int, other_minor: int, coin_minor: int, currency: str
) -> Settled:
    """Settle what the store owes; without tenders it is given back in cash (rule 4, rounded symmetrically)."""
    rest_minor = due_minor - other_minor
    rounded_minor = round_cash(rest_minor, coin_minor)
    if not tenders:
        tenders, cash_minor = [Tendered(CASH, rounded_minor)], rounded_minor
    if cash_minor != rounded_minor or rest_minor > 0:
        raise Refused(
            "give-back-differs", "Refund exactly %(rounded_minor)s.", currency=currency,
            rounded_minor=-rounded_minor - other_minor, due_minor=due_minor, given_minor=cash_minor + other_minor,
        )  # fmt: skip
    total_minor = other_minor + rounded_minor
    kept = tuple(row for row in tenders if row.amount_minor)
    return Settled(kept, rounded_minor - rest_minor, total_minor, total_minor, 0)


def check_reference(row: Tendered) -> None:
    """Raise Invalid for a slip's number that cannot be kept, or is a card's."""
    if len(row.reference) > LONGEST_REFERENCE or not row.reference.isprintable():
        raise Invalid(
            "bad-reference", "Enter a slip number of up to %(most)s printable characters.", most=LONGEST_REFERENCE
        )
    if tender_of(row.tender).slip and is_card_number(row.reference):
        raise Invalid("card-number", "That is a card number. Enter the slip number; card numbers are never stored.")


def is_card_number(text: str) -> bool:
    """Tell whether a text is a payment card's number: 13 to 19 digits of a scheme's kind, with a fitting last one."""
    digits = text.translate(str.maketrans("", "", " -"))
    if not (digits.isascii() and digits.isdecimal() and 13 <= len(digits) <= 19 and digits[0] in "23456"):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def _refuse_odd(tenders: Sequence[Tendered], channel: str, *, gives_back: bool) -> None:
    for row in tenders:
        tender = tender_of(row.tender)
        is_allowed = tender.refunds if gives_back else tender.pays
        if not is_allowed or (tender.name == PREPAID and channel != "pickup"):
            raise Invalid(
                "unknown-tender", "This till does not accept %(tender)s. Choose another tender.", tender=row.tender
            )
        if type(row.amount_minor) is not int or (row.amount_minor > 0 if gives_back else row.amount_minor < 0):
            raise Invalid("bad-amount", "The amount received cannot be negative.", amount_minor=row.amount_minor)
        if abs(row.amount_minor) > MAX_MINOR:
            raise Invalid("bad-amount", "That amount looks like a typo. Enter it again.")
        check_reference(row)

"""Numbers of slips: what a person types where money was taken by a machine nobody asked.

Rules
-----
1. Where the store has a terminal or a wallet service of its own, what is typed in its place names its slip, with 2
   letters or digits at least; elsewhere the number may stay away.
2. A slip pays once: the same number with the same amount is refused on the same business day, whether it paid for a
   sale, a tab or an order. Capitals, blanks, signs and leading noughts make no other number of it.
3. What paid is written here by whoever takes the money, in its transaction. A card's own number is refused.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable

from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.errors import Invalid, Refused
from config.nodes.append_only import append_only
from pos.payments.payments import Tendered, check_reference
from pos.payments.providers import Providers
from pos.payments.tenders import tender_of

FEWEST = 2
"""Letters or digits a slip's number has at least."""


@append_only()
class SlipNumber(Base):
    """A slip that has paid; never changed."""

    __tablename__ = "slip_number"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    tender: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    """As rule 2 compares it."""
    amount_minor: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    """sale:…, tab:…, order:…: what it paid for."""


# --- verbs ---


def take(session: Session, store_id: str, tenders: Iterable[Tendered], *, day: dt.date, source: str) -> None:
    """Write down the typed slips that pay; Refused for one that has paid that day, or pays twice here (rule 2)."""
    typed = list(filter(is_typed, tenders))
    for row in typed:
        check_reference(row)
    if not all(_keep(session, store_id, row, day, source) for row in typed):
        raise Refused(
            "slip-used",
            "This slip number was already used for the same amount today. Enter the number of this payment.",
            field="reference",
        )


def take_again(session: Session, store_id: str, tenders: Iterable[Tendered], *, day: dt.date, source: str) -> None:
    """Write down the slips of what these books have lost; those that are here stay as they are."""
    for row in filter(is_typed, tenders):
        _keep(session, store_id, row, day, source)


# --- questions ---


def is_typed(row: Tendered) -> bool:
    """Tell whether a person says that this money moved, and no provider."""
    return tender_of(row.tender).slip and not row.payment_id


def refuse_unnumbered(tenders: Iterable[Tendered], providers: Providers) -> None:
    """Raise Invalid for money that was typed without its slip where a provider could be asked for it (rule 1)."""
    for row in tenders:
        asked = any(map(providers.for_way, tender_of(row.tender).ways))
        if asked and is_typed(row) and row.amount_minor > 0 and len(_signs(row.reference)) < FEWEST:
            raise Invalid("slip-needed", "Enter the slip number as proof of payment.", field="reference")


# --- inside ---


def _keep(session: Session, store_id: str, row: Tendered, day: dt.date, source: str) -> bool:
    """Write a slip down; False where it is there. Money that goes back, and one without a number, leave none."""
    signs = _signs(row.reference)
    if row.amount_minor <= 0 or not signs:
        return True
    insert = insert_into(SlipNumber, dialect_of(session)).values(
        store_id=store_id, business_day=day, tender=row.tender, number=signs.lstrip("0") or "0",
        amount_minor=row.amount_minor, source=source,
    )  # fmt: skip
    return bool(session.connection().execute(insert.on_conflict_do_nothing()).rowcount)


def _signs(reference: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", reference).casefold() if sign.isalnum())

"""Numbers of slips: what a person types where money was taken by a machine nobody asked.

Rules
-----
1. Where the shop has a terminal or a wallet service of its own, what is typed in its place names its slip, with 2 signs
   at least; elsewhere the number may stay away.
2. A slip pays once: the same number with the same amount is refused on the same business day, in a sale or for a tab.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from pos.payments import Payment, Tender
from pos.sale_rows import Sale
from pos.tab import TabEntry
from pos.terminal import WAYS, Providers

FEWEST = 2
"""Signs a slip's number has at least."""
SLIPS = frozenset(WAYS.values())
"""The tenders that leave a slip."""


def is_typed(row: Tender) -> bool:
    """Tell whether a person says that this money moved, and no provider."""
    return row.tender in SLIPS and not row.payment_id


def refuse_unnumbered(tenders: Iterable[Tender], providers: Providers) -> None:
    """Raise Invalid for money that was typed without its slip where a provider could be asked for it (rule 1)."""
    for row in tenders:
        asked = any(tender == row.tender and providers.for_way(way) for way, tender in WAYS.items())
        if asked and is_typed(row) and row.amount_minor > 0 and len(row.reference.strip()) < FEWEST:
            raise Invalid(
                "slip-needed", "Type the number on the slip: it proves that the money was taken.", field="reference"
            )


def refuse_used(session: Session, store_id: str, tenders: Sequence[Tender], day: dt.date) -> None:
    """Raise Refused for a slip that paid already that day, or twice here (rule 2)."""
    typed = [
        (row.tender, row.amount_minor, number)
        for row in tenders
        if is_typed(row) and row.amount_minor > 0 and (number := row.reference.strip().lower())
    ]
    if len(set(typed)) < len(typed) or any(_is_used(session, store_id, *row, day) for row in typed):
        raise Refused(
            "slip-used",
            "This slip's number has paid the same amount today. Type the number of this payment.",
            field="reference",
        )


# --- inside ---


def _is_used(session: Session, store_id: str, tender: str, amount_minor: int, number: str, day: dt.date) -> bool:
    paid = sa.select(sa.literal(1)).join(
        Payment, sa.and_(Payment.store_id == Sale.store_id, Payment.sale_id == Sale.id)
    )
    paid = paid.select_from(Sale).where(
        Sale.store_id == store_id,
        Sale.business_day == day,
        Payment.tender == tender,
        Payment.amount_minor == amount_minor,
        Payment.provider.is_(None),
        sa.func.lower(sa.func.trim(Payment.reference)) == number,
    )
    repaid = sa.select(sa.literal(1)).where(
        TabEntry.store_id == store_id,
        TabEntry.business_day == day,
        TabEntry.kind == "repayment",
        TabEntry.tender == tender,
        TabEntry.amount_minor == -amount_minor,
        sa.func.lower(sa.func.trim(TabEntry.reference)) == number,
    )
    return any(session.scalar(query.limit(1)) is not None for query in (paid, repaid))

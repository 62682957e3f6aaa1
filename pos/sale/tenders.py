"""What paying does to the store's other books: the customer's tab and points, vouchers, payments a provider captured.

Rules
-----
1. All of it is written in the sale's own transaction: what is refused here leaves nothing behind.
2. The part put on the tab counts against the limit whatever else is paid beside it.
3. Points (`loyalty`) are earned on what was paid for goods and services: not on deposits and vouchers, nor on the part
   paid with points, now or for what an exchange brings back. What comes back takes its points with it.
4. A voucher sold is issued with its sale; money given back as store credit is a voucher too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes.journal import Context
from pos.customers import customers, loyalty, tab
from pos.facts import SoldLine
from pos.payments import requests, vouchers
from pos.payments.payments import Settled, Tendered
from pos.payments.tenders import POINTS, TAB, VOUCHERS, tender_of
from pos.store.store import Store, store_of

if TYPE_CHECKING:
    from pos.sale.draft import Draft


@dataclass(frozen=True)
class Booked:
    """How a sale was paid, the vouchers it issued, and what its receipt says of the customer."""

    settled: Settled
    vouchers: tuple[dict[str, Any], ...] = ()
    customer: dict[str, Any] | None = None


# --- verbs ---


def settle_accounts(session: Session, draft: "Draft") -> Booked:
    """Write a sale's tenders into the books they belong to (rules 1 to 4)."""
    store, customer_id = store_of(session, draft.counter.store_id), draft.situation.customer_id
    settled = replace(draft.settled, tenders=tuple(_claimed(session, draft.id, row) for row in draft.settled.tenders))
    issued: list[dict[str, Any]] = []
    of_sale_id = next((line.returns_sale_id for line in draft.lines if line.returns_sale_id), None)
    for row in settled.tenders:
        if tender_of(row.tender).of_customer and customer_id is None:
            raise Invalid("customer-wanted", "Choose the customer first.", tender=row.tender)
        issued += _book(session, store, draft, row, row.of_sale_id or of_sale_id)
    for line in draft.lines:
        if line.kind == "voucher" and line.qty > 0:
            issued.append(_issued(session, store, draft, line.total_minor, "gift"))
    customer = _points(session, store, draft, settled, customer_id) if customer_id else None
    return Booked(settled, tuple(issued), customer)


# --- inside ---


def _claimed(session: Session, sale_id: str, row: Tendered) -> Tendered:
    """Claim what a provider has captured; what the books say of it is what the receipt says."""
    if not row.payment_id:
        return row
    if not tender_of(row.tender).ways:
        raise Invalid(
            "unknown-tender", "Only card and wallet payments can be taken elsewhere, not %(tender)s.", tender=row.tender
        )
    payment = requests.claim(session, row.payment_id, sale_id, row.amount_minor)
    return row._replace(tender=payment.tender, reference=payment.reference, paper=payment.paper or "")


def _book(
    session: Session, store: Store, draft: "Draft", row: Tendered, of_sale_id: str | None
) -> list[dict[str, Any]]:
    minor, customer_id, sale_id = row.amount_minor, draft.situation.customer_id or "", draft.id
    ctx, book = Context(session, draft.situation.actor, draft.situation.at), tender_of(row.tender).book
    if book == TAB and minor > 0:
        tab.charge(ctx, store, customer_id, minor, sale_id=sale_id)
    elif book == TAB:
        tab.give_back(ctx, store, customer_id, tab_minor=-minor, sale_id=sale_id, of_sale_id=of_sale_id)
    elif book == POINTS and minor < 0:
        loyalty.give_back(ctx, store, customer_id, -minor, sale_id=sale_id, of_sale_id=of_sale_id)
    elif book == POINTS:
        loyalty.spend(ctx, store, customer_id, minor, sale_id=sale_id, payment_id=row.payment_id)
    elif book == VOUCHERS and minor > 0:
        vouchers.redeem(ctx, store, row.reference, minor, sale_id=sale_id)
    elif book == VOUCHERS:
        return [_issued(session, store, draft, -minor, "credit")]
    return []


def _issued(session: Session, store: Store, draft: "Draft", amount_minor: int, kind: str) -> dict[str, Any]:
    now = draft.situation
    issued = vouchers.issue(Context(session, now.actor, now.at), store, amount_minor, kind=kind, sale_id=draft.id)
    return {"code": issued.voucher.mark, "amount_minor": amount_minor, "kind": kind}


def _points(session: Session, store: Store, draft: "Draft", settled: Settled, customer_id: str) -> dict[str, Any]:
    """Earn on what was bought, take back what returned goods had earned (rule 3); returns what the receipt says."""
    ctx, earned = Context(session, draft.situation.actor, draft.situation.at), 0
    bought = [line for line in draft.lines if line.qty > 0]
    by_points = sum(max(0, row.amount_minor) for row in settled.tenders if tender_of(row.tender).book == POINTS)
    by_points += draft.points_minor
    if (base_minor := _earning(bought) - by_points) > 0:
        earned, _ = loyalty.earn(ctx, store, customer_id, base_minor, sale_id=draft.id)
    for sale_id, base_minor in _back_by_sale(draft.lines).items():
        earned -= loyalty.take_back(ctx, store, customer_id, base_minor, sale_id=draft.id, of_sale_id=sale_id)[0]
    standing = customers.standing(session, store, customer_id, at=ctx.at)
    return ({"points_name": standing.points_name} if standing.points_name else {}) | {
        "id": customer_id,
        "points_earned": earned,
        "points_balance": standing.points,
        "tab_balance_minor": standing.tab_balance_minor,
    }


def _earning(lines: Sequence[SoldLine]) -> int:
    return sum(line.total_minor for line in lines if line.kind in ("goods", "service"))


def _back_by_sale(lines: Sequence[SoldLine]) -> dict[str | None, int]:
    back: dict[str | None, int] = {}
    for line in lines:
        if line.qty < 0 and line.kind in ("goods", "service"):
            back[line.returns_sale_id] = back.get(line.returns_sale_id, 0) - line.total_minor
    return {sale_id: minor for sale_id, minor in back.items() if minor > 0}

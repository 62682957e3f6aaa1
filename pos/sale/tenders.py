"""What paying does to the store's other books: the customer's tab and points, vouchers, payments a provider captured.

Rules
-----
1. All of it is written in the sale's own transaction: what is refused here leaves nothing behind.
2. The part put on the tab counts against the limit whatever else is paid beside it.
3. Points are the network's where the customer collects those here, else the store's own; never both on one sale. What
   comes back follows its own sale, and takes its points with it. They are earned on what was paid for goods and
   services: not on deposits and vouchers, nor on the part paid with points, now or for what an exchange brings back.
4. A voucher sold is issued with its sale; money given back as store credit is a voucher too.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.nodes.journal import Actor
from pos.customers import customers, loyalty, shared_points, tab
from pos.facts import SoldLine
from pos.payments import requests, vouchers
from pos.payments.payments import Tender
from pos.store.store import Store, store_of

if TYPE_CHECKING:
    from pos.sale.sale import Draft

NEED_A_CUSTOMER = ("tab", "points")
ELSEWHERE = ("card", "wallet")
"""Tenders a provider may have captured: money. Points of the network are captured, too."""


# --- verbs ---


def settle_accounts(session: Session, draft: "Draft", store_id: str, *, at: dt.datetime, actor: Actor) -> "Draft":
    """Write a sale's tenders into the books they belong to (rules 1 to 4); returns the draft with what was issued."""
    customer_id = draft.customer["id"] if draft.customer else None
    sells_vouchers = any(line.kind == "voucher" for line in draft.lines)
    plain = all(row.tender in ("cash", "prepaid", *ELSEWHERE) and not row.payment_id for row in draft.settled.tenders)
    if plain and customer_id is None and not sells_vouchers:
        return draft
    store = store_of(session, store_id)
    settled = replace(draft.settled, tenders=tuple(_claimed(session, draft.id, row) for row in draft.settled.tenders))
    draft = replace(draft, settled=settled)
    issued: list[dict[str, Any]] = []
    of_sale_id = next((line.returns_sale_id for line in draft.lines if line.returns_sale_id), None)
    for row in draft.settled.tenders:
        if row.tender in NEED_A_CUSTOMER and customer_id is None:
            raise Invalid("customer-wanted", "Say first whose tab or points these are.", tender=row.tender)
        paid_by = row.of_sale_id or of_sale_id
        issued += _book(session, store, draft.id, customer_id or "", row, paid_by, at=at, actor=actor)
    for line in draft.lines:
        if line.kind == "voucher" and line.qty > 0:
            issued.append(_issued(session, store, draft.id, line.total_minor, "gift", at=at, actor=actor))
    customer = _points(session, store, draft, customer_id, at=at, actor=actor) if customer_id else None
    return replace(draft, vouchers=tuple(issued), customer=customer)


# --- questions ---


def is_member(session: Session, store_id: str, customer_id: str | None) -> bool:
    """Tell whether member prices are meant for this customer; nobody is no member."""
    if customer_id is None:
        return False
    return customers.is_member(session, store_id, customer_id)


# --- inside ---


def _claimed(session: Session, sale_id: str, row: Tender) -> Tender:
    """Claim what a provider has captured; what the books say of it is what the receipt says."""
    if not row.payment_id:
        return row
    if row.tender not in (*ELSEWHERE, "points"):
        raise Invalid(
            "unknown-tender", f"Only cards and wallets are paid elsewhere, not {row.tender}.", tender=row.tender
        )
    payment = requests.claim(session, row.payment_id, sale_id, row.amount_minor)
    return row._replace(tender=payment.tender, reference=payment.reference)


def _book(
    session: Session,
    store: Store,
    sale_id: str,
    customer_id: str,
    row: Tender,
    of_sale_id: str | None,
    *,
    at: dt.datetime,
    actor: Actor,
) -> list[dict[str, Any]]:
    minor = row.amount_minor
    if row.tender == "tab" and minor > 0:
        tab.charge(session, store, customer_id, minor, sale_id=sale_id, at=at, actor=actor)
    elif row.tender == "tab":
        tab.give_back(
            session, store, customer_id, tab_minor=-minor, sale_id=sale_id, of_sale_id=of_sale_id, at=at, actor=actor
        )
    elif row.tender == "points" and minor < 0:
        was_shared = shared_points.is_of(session, store.id, of_sale_id, "spent")
        (shared_points if was_shared else loyalty).give_points_back(
            session, store, customer_id, -minor, sale_id=sale_id, of_sale_id=of_sale_id, at=at, actor=actor
        )
    elif row.tender == "points" and row.payment_id:
        shared_points.spend(session, store.id, customer_id, row.payment_id, minor, sale_id=sale_id, at=at, actor=actor)
    elif row.tender == "points" and shared_points.collects(session, store.id, customer_id, at):
        raise Refused("points-not-granted", "The network has not granted these points. Choose another way to pay.")
    elif row.tender == "points":
        loyalty.spend_points(session, store, customer_id, minor, sale_id=sale_id, at=at, actor=actor)
    elif row.tender == "voucher":
        vouchers.redeem(session, store, row.reference, minor, sale_id=sale_id, at=at, actor=actor)
    elif row.tender == "credit":
        return [_issued(session, store, sale_id, -minor, "credit", at=at, actor=actor)]
    return []


def _issued(
    session: Session, store: Store, sale_id: str, amount_minor: int, kind: str, *, at: dt.datetime, actor: Actor
) -> dict[str, Any]:
    issued = vouchers.issue(session, store, amount_minor, kind=kind, sale_id=sale_id, at=at, actor=actor)
    return {"code": issued.voucher.mark, "amount_minor": amount_minor, "kind": kind}


def _points(
    session: Session, store: Store, draft: "Draft", customer_id: str, *, at: dt.datetime, actor: Actor
) -> dict[str, Any]:
    """Earn on what was bought, take back what returned goods had earned (rule 3); returns what the receipt says."""
    bought = [line for line in draft.lines if line.qty > 0]
    by_points = sum(max(0, row.amount_minor) for row in draft.settled.tenders if row.tender == "points")
    by_points += draft.points_minor
    earned, shared = 0, shared_points.collects(session, store.id, customer_id, at)
    if (base_minor := _earning(bought) - by_points) > 0:
        book = shared_points if shared else loyalty
        earned, _ = book.earn(session, store, customer_id, base_minor, sale_id=draft.id, at=at, actor=actor)
    for sale_id, base_minor in _back_by_sale(draft.lines).items():
        was_shared = shared_points.is_of(session, store.id, sale_id, "earned") or (shared and sale_id is None)
        taken, _ = (shared_points if was_shared else loyalty).take_points_back(
            session, store, customer_id, base_minor, sale_id=draft.id, of_sale_id=sale_id, at=at, actor=actor
        )
        earned -= taken
    standing = customers.standing(session, store, customer_id, at=at)
    return ({"points_name": standing.points_name} if shared else {}) | {
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

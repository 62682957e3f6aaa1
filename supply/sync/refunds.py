"""What a shop hears of money that its customers wait for: that it is not back yet, and that it is.

Rules
-----
1. The network keeps the refunds (`refunds`). Of one the payment service did not give back at the first asking it tells
   the shop, and again when it has ended; what went back at once is not spoken of.
2. At the shop it is a copy, to be shown with the order; a late older word changes nothing.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import new_id
from config.nodes import outbox
from pos.store.store import day_of
from supply.money import refunds
from supply.money.refunds import Refund
from supply.online.orders import text_of, text_or_none
from supply.online_facts import REFUND_TOLD, VERSION


def tell_shop(session: Session, row: Refund, at: dt.datetime) -> None:
    """Tell a shop how a refund stands that did not go back at once (rule 1)."""
    if row.tries == 0 or (row.state == "waiting" and row.tries > 1):
        return
    body = {
        "id": row.id, "order_id": row.escrow_id, "store_id": row.store_id, "amount_minor": row.amount_minor,
        "currency": row.currency, "state": row.state, "made_at": text_of(row.made_at), "answer": row.answer,
        "reason": row.reason, "ended_at": text_or_none(row.ended_at),
    }  # fmt: skip
    outbox.append(
        session, to_node=row.store_id, topic=REFUND_TOLD, version=VERSION, body=body, id=new_id(),
        subject=refunds.subject_of(row), business_day=day_of(session, row.store_id, at), at=at,
    )  # fmt: skip


def take_told(session: Session, body: dict[str, Any]) -> None:
    """Keep a refund of this shop's customer as the network has it (rule 2)."""
    row = session.get(Refund, body["id"])
    made_at = dt.datetime.fromisoformat(body["made_at"])
    if row is None:
        row = refunds.begin(
            session, body["id"], body["order_id"], body["store_id"], body["amount_minor"], body["currency"], at=made_at
        )  # fmt: skip
    if row.state != "waiting":
        return
    ended_at = dt.datetime.fromisoformat(body["ended_at"]) if body["ended_at"] else None
    # the network made the move and journalled it; here it is a copy
    session.execute(
        sa.update(Refund)
        .where(Refund.id == row.id)
        .values(state=body["state"], answer=body["answer"], reason=body["reason"], ended_at=ended_at, tries=1)
    )
    session.refresh(row)

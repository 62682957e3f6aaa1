"""How many empties one person pays out in a shift without anybody's leave. One sale's are bounded by `quoting`.

Rules
-----
1. Empties within a customer's shopping lessen what is paid; where more comes back than is bought, cash goes out. Those
   count together over a person's sales of one shift against the role's limit, so that splitting gains nothing.
2. What had leave does not count. Who has no limit but that of one sale is stopped by no sum.
"""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import Actor
from pos.pricing.pricing import MOST_EMPTIES
from pos.sold import Sale, SaleLine
from pos.store.approvals import Approval
from pos.store.leave import Need
from pos.till.counter import Counter


def needs_of(session: Session, needs: Sequence[Need], counter: Counter, actor: Actor) -> list[Need]:
    """Return a paying sale's needs, its empties together with those this person paid out alone before (rules 1, 2)."""
    return [_together(session, need, counter, actor) if need.permission == "empties" else need for need in needs]


# --- inside ---


def _together(session: Session, need: Need, counter: Counter, actor: Actor) -> Need:
    agreed = sa.exists().where(
        Approval.store_id == Sale.store_id,
        Approval.sale_id == Sale.id,
        Approval.permission == "empties",
        Approval.used_at.is_not(None),
    )
    query = (
        sa.select(sa.func.sum(-SaleLine.qty))
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            Sale.store_id == counter.store_id,
            Sale.shift_id == counter.shift_id,
            Sale.cashier_id == actor.id,
            Sale.total_minor < 0,
            SaleLine.price_type == "empties",
            SaleLine.qty < 0,
            ~agreed,
        )
    )
    qty = min(MOST_EMPTIES, int(need.covers["qty"]) + int(session.scalar(query) or 0))
    return replace(need, why=f"{qty} empties", covers={"qty": qty})

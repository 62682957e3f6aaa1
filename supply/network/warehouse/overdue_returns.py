"""Goods that were to come back to the network and did not: by when, and what follows at both nodes.

Rules
-----
1. After a claim answered with `return` the shop hands the goods over within SEND_BACK_DAYS of hearing it. What it has
   not handed over by then it keeps, at what it was charged.
2. The network waits WORD_DAYS longer for a shop that is cut off. Then the claim is forfeited: what was to go back is
   not credited, what else was granted stays paid, and both sides read it.
3. What is on its way waits for the warehouse, which counts what came, also nothing. Goods that come after their claim
   was forfeited are counted and credited all the same.
4. How goods on sale or return end is charged in `consignment`, rule 6; here the lots are found whose time has come.
5. What cannot be ended for one shop keeps nobody else's waiting (`isolation`).
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import Actor
from pos.stock.consigned import Consigned
from pos.store.store import day_of
from supply import isolation
from supply.money import consignment
from supply.money.consignment import WORD_DAYS, WORD_ENDS
from supply.network.claims import handling
from supply.orders import goods_returns
from supply.orders.claims import SEND_BACK_DAYS, Claim
from supply.orders.goods_returns import GoodsReturn

LOOKED_BACK_DAYS = 60
"""So long after its time a lot is still looked at each night; what is told later is charged as it arrives."""


def keep_unsent(session: Session, store_id: str, *, actor: Actor, at: dt.datetime) -> int:
    """Keep at the shop what a claim's return did not take in time (rule 1); returns how many returns."""
    today = day_of(session, store_id, at)
    late = sa.select(GoodsReturn.id).where(
        GoodsReturn.store_id == store_id, GoodsReturn.state == "proposed", GoodsReturn.source == "claim",
        GoodsReturn.send_by < today,
    )  # fmt: skip
    return sum(goods_returns.give_up(session, store_id, one, actor=actor, at=at) for one in session.scalars(late).all())


def look_after(session: Session, *, actor: Actor, at: dt.datetime) -> int:
    """End the claims whose goods did not come, and charge what did not come of lots (rules 2 to 4).

    Returns how many claims were forfeited.
    """
    forfeited = 0
    for claim in _unanswered(session, at):
        with isolation.apart(session, "returns", claim.store_id, actor=actor, at=at) as part:
            handling.end(session, claim, "forfeited", actor=actor, at=at)
        forfeited += part.done
    today = at.date()
    ended = sa.select(Consigned).where(
        sa.or_(Consigned.back_qty > 0, Consigned.left_qty > 0),
        Consigned.until < today - WORD_ENDS,
        Consigned.until >= today - WORD_ENDS - dt.timedelta(days=LOOKED_BACK_DAYS),
    )
    for lot in session.scalars(ended.order_by(Consigned.store_id, Consigned.id)).all():
        with isolation.apart(session, "returns", lot.store_id, actor=actor, at=at):
            consignment.charge(session, lot, actor=actor, at=at)
    return forfeited


# --- inside ---


def _unanswered(session: Session, at: dt.datetime) -> list[Claim]:
    """Return the claims whose goods were to be on their way by now, and are not."""
    on_its_way = sa.exists().where(GoodsReturn.store_id == Claim.store_id, GoodsReturn.id == Claim.id)
    query = sa.select(Claim).where(
        Claim.state.in_(["accepted", "part_accepted"]), Claim.remedy == "return", ~on_its_way,
        Claim.answered_at < at - dt.timedelta(days=SEND_BACK_DAYS + WORD_DAYS),
    )  # fmt: skip
    return list(session.scalars(query.order_by(Claim.store_id, Claim.id)))

"""What a node tells in steps, of which the newest counts: after a restore the next must be newer than any told before.

A copy put back knows lower steps than it has told. Whatever it said from then on would be passed over in silence until
it had caught up, so with a new epoch its steps go on from the time in milliseconds, as editions do.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import as_utc
from config.node import NETWORK
from supply.credit import CreditLine
from supply.groups import GroupOffer
from supply.pickup_order import PickupOrder
from supply.rounds import VanStop
from supply.support import SupportLeave

TOLD_BY_SHOPS: tuple[Any, ...] = (PickupOrder, SupportLeave)
TOLD_BY_THE_NETWORK: tuple[Any, ...] = (GroupOffer, VanStop, CreditLine)


def after_a_restore(session: Session, node_id: str, *, at: dt.datetime) -> None:
    """Let everything this node tells in steps go on above what it may have told before."""
    now_ms = int(as_utc(at).timestamp() * 1000)
    for kind in TOLD_BY_THE_NETWORK if node_id == NETWORK else TOLD_BY_SHOPS:
        session.execute(
            sa.update(kind)
            .where(kind.step > 0, kind.step < now_ms)
            .values(step=now_ms)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()

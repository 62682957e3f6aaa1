"""What a node tells in steps, of which the newest counts: after a restore the next must be newer than any told before.

A copy put back knows lower steps than it has told. Whatever it said from then on would be passed over in silence until
it had caught up, so with a new epoch its steps, and the versions of what it publishes, go on from the time in
milliseconds.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.clock import as_utc
from config.ids import NETWORK
from config.nodes.publication import Publication
from supply.membership.support import SupportLeave
from supply.money import lost_entries
from supply.money.credit import CreditLine
from supply.network.routes.routes import VanStop
from supply.online.groups.groups import GroupOffer
from supply.online.orders import PickupOrder

Step = InstrumentedAttribute[int]
TOLD_BY_SHOPS: tuple[Step, ...] = (PickupOrder.step, SupportLeave.step)
TOLD_BY_THE_NETWORK: tuple[Step, ...] = (GroupOffer.step, VanStop.step, CreditLine.step, Publication.version)


def after_a_restore(session: Session, node_id: str, *, at: dt.datetime) -> None:
    """Let all that this node tells in steps go on above what it may have told; the network asks what it has lost."""
    now_ms = int(as_utc(at).timestamp() * 1000)
    if node_id == NETWORK:
        lost_entries.ask_all(session, at=at)
    for step in TOLD_BY_THE_NETWORK if node_id == NETWORK else TOLD_BY_SHOPS:
        session.execute(
            sa.update(step.class_)
            .where(step > 0, step < now_ms)
            .values({step.key: now_ms})
            .execution_options(synchronize_session=False)
        )
    session.expire_all()

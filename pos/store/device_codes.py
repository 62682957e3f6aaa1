"""A code that lets a device in which is not in the store: to a store's sign-in a PIN alone opens nothing from outside.

Rules
-----
1. Whoever may change people, or the command at the node, makes one; the newest counts, for HOLDS, and once.
2. It is kept as PINs are, as a slow hash.
"""

import datetime as dt
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import ids
from config.database import Base
from config.nodes import journal
from config.nodes.journal import Context
from pos.store import pins

HOLDS = dt.timedelta(minutes=10)


class DeviceCode(Base):
    """The code that lets the next device in at a node."""

    __tablename__ = "device_code"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    code_hash: Mapped[str]
    until: Mapped[dt.datetime]


def make(ctx: Context, node_id: str) -> str:
    """Make a code and return it, this once (rule 1)."""
    code = ids.pickup_code_of(secrets.token_bytes(16))
    ctx.session.merge(DeviceCode(node_id=node_id, code_hash=pins.slow_hash(code, node_id), until=ctx.at + HOLDS))
    journal.record(ctx, verb="device.code made", subject=f"node:{node_id}")
    return code


def take(session: Session, node_id: str, typed: str, *, at: dt.datetime) -> bool:
    """Use the code up and tell whether it was right."""
    code = pins.slow_hash(ids.tidy_pickup_code(typed) or "", node_id)
    same = sa.and_(DeviceCode.node_id == node_id, DeviceCode.code_hash == code, DeviceCode.until > at)
    return session.execute(sa.delete(DeviceCode).where(same).returning(DeviceCode.node_id)).first() is not None

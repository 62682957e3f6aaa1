"""What arrives about leave to look into a shop: a shop speaks of its own leave, the network of who looked."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes.inbox import refuse_newer, refuse_stranger
from config.nodes.outbox import Message
from supply.membership import support


def _take_told(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    _refuse_unless(message, from_node, str(message.body["store_id"]))
    support.take_told(session, message.body)


def _take_looked(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    _refuse_unless(message, from_node, NETWORK)
    support.take_looked(session, message.body, at=at)


def _refuse_unless(message: Message, from_node: str, expected: str) -> None:
    refuse_newer(message.topic, message.version, support.VERSION)
    refuse_stranger(from_node, expected)


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    support.LEAVE_TOLD: _take_told,
    support.LOOKED: _take_looked,
}

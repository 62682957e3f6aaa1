"""What arrives about goods between shops: topic -> the verb it calls.

Rules
-----
1. At the network: transfer.sheet, transfer.answered, transfer.given, transfer.taken, transfer.back. At a store:
   transfer.told.
2. A shop speaks for itself alone, and of transfers it takes part in; only the network tells how one stands.
3. Every applier looks at what is there: the words may come twice and in any order.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes.inbox import refuse_newer, refuse_stranger
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from supply.network.transfers import sheets, transfers

Verb = Callable[[Session, dict[str, Any], str, Actor, dt.datetime], None]


def _applier(at_network: bool, verb: Verb) -> Callable[[Session, Message, str, dt.datetime], None]:
    def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
        refuse_newer(message.topic, message.version, transfers.VERSION)
        store_id = str(message.body["store_id"])
        refuse_stranger(from_node, store_id if at_network else NETWORK)
        actor = Actor.system("transfers", NETWORK if at_network else store_id)
        verb(session, message.body, store_id, actor, at)

    return apply


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    sheets.SHEET_TOLD: _applier(True, lambda s, body, _shop, _who, at: sheets.take(s, body, at=at)),
    transfers.ANSWERED: _applier(
        True, lambda s, body, shop, who, at: transfers.take_answered(s, body, shop, actor=who, at=at)
    ),
    transfers.GIVEN: _applier(
        True, lambda s, body, shop, who, at: transfers.take_given(s, body, shop, actor=who, at=at)
    ),
    transfers.TAKEN: _applier(
        True, lambda s, body, shop, who, at: transfers.take_taken(s, body, shop, actor=who, at=at)
    ),
    transfers.BACK: _applier(
        True, lambda s, body, shop, who, at: transfers.take_given_back(s, body, shop, actor=who, at=at)
    ),
    transfers.TOLD: _applier(False, lambda s, body, _shop, who, at: transfers.take_told(s, body, actor=who, at=at)),
}
"""topic -> what it does at the receiver: (session, message, from_node, at)"""

"""What arrives about money between a shop and the network: topic -> the verb it calls.

Rules
-----
1. Each applier is idempotent, and the messages may come in any order: entries and draws have ids of their own, of a
   line's or an account's words the newest stands.
2. At the network: credit.asked, advance.asked, account.bank_told, account.lost, objection.raised, standing.counts,
   consigned.told, return.sent, claim.filed, claim.photo, claim.contested. At a store: account.booked, account.put_back,
   account.lost_answered, credit.told, credit.answered, advance.answered, objection.answered, standing.told,
   return.received, claim.answered, claim.ended.
3. A shop speaks for itself alone; of its account only the network speaks.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes.inbox import refuse_newer, refuse_stranger
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from supply.membership import level, objections
from supply.money import advances, consignment, credit, ledger, lost_entries, payouts
from supply.network.claims import handling, photos
from supply.network.warehouse import returns

Verb = Callable[[Session, dict[str, Any], Actor, dt.datetime], object]


def _applier(at_network: bool, verb: Verb) -> Callable[[Session, Message, str, dt.datetime], None]:
    def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
        refuse_newer(message.topic, message.version, ledger.VERSION)
        store_id = str(message.body["store_id"])
        refuse_stranger(from_node, store_id if at_network else NETWORK)
        verb(session, message.body, Actor.system("settlement", NETWORK if at_network else store_id), at)

    return apply


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    credit.DRAW_ASKED: _applier(True, lambda s, body, who, at: credit.take_asked(s, body, actor=who, at=at)),
    advances.ADVANCE_ASKED: _applier(True, lambda s, body, who, at: advances.take_asked(s, body, actor=who, at=at)),
    payouts.BANK_TOLD: _applier(True, lambda s, body, _who, at: payouts.take_bank(s, body, at=at)),
    level.COUNTS_TOLD: _applier(True, lambda s, body, _who, at: level.take_counts(s, body, at=at)),
    level.TOLD: _applier(False, lambda s, body, _who, _at: level.take_review(s, body)),
    objections.RAISED: _applier(True, lambda s, body, _who, _at: objections.take_raised(s, body)),
    ledger.BOOKED: _applier(False, lambda s, body, _who, _at: lost_entries.take_booked(s, body)),
    credit.LINE_TOLD: _applier(False, lambda s, body, _who, _at: credit.take_line(s, body)),
    credit.DRAW_ANSWERED: _applier(False, lambda s, body, who, at: credit.take_answer(s, body, actor=who, at=at)),
    advances.ADVANCE_ANSWERED: _applier(
        False, lambda s, body, who, at: advances.take_answer(s, body, actor=who, at=at)
    ),
    consignment.TOLD: _applier(True, lambda s, body, who, at: consignment.take_told(s, body, actor=who, at=at)),
    returns.SENT: _applier(True, lambda s, body, who, at: returns.take_sent(s, body, actor=who, at=at)),
    returns.RECEIVED: _applier(False, lambda s, body, who, at: returns.take_received(s, body, actor=who, at=at)),
    handling.FILED: _applier(True, lambda s, body, who, at: handling.take_filed(s, body, actor=who, at=at)),
    handling.CONTESTED: _applier(True, lambda s, body, who, at: handling.take_contested(s, body, actor=who, at=at)),
    handling.ANSWERED: _applier(False, lambda s, body, who, at: handling.take_answered(s, body, actor=who, at=at)),
    handling.ENDED: _applier(False, lambda s, body, who, at: handling.take_ended(s, body, actor=who, at=at)),
    lost_entries.PUT_BACK: _applier(
        False, lambda s, body, who, at: lost_entries.take_put_back(s, body, actor=who, at=at)
    ),
    lost_entries.LOST: _applier(True, lambda s, body, _who, _at: lost_entries.take_lost(s, body)),
    lost_entries.ANSWERED: _applier(
        False, lambda s, body, who, at: lost_entries.take_answered(s, body, actor=who, at=at)
    ),
    photos.SENT: _applier(True, lambda s, body, _who, _at: photos.take_piece(s, body)),
    objections.ANSWERED: _applier(False, lambda s, body, who, at: objections.take_answered(s, body, actor=who, at=at)),
}
"""topic -> what it does at the receiver: (session, message, from_node, at)"""

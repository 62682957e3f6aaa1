"""What is given up as lost: the rest of an invoice, and with it the trust in who owed it.

Rules
-----
1. Giving up what is left of an invoice is the network's loss in the shop's book (`money.ledger`); it forgives nothing.
   The shop's line is held by the operator until the operator releases it, though nothing is late any more: it draws no
   credit, and its orders on account wait.
"""

import datetime as dt

from sqlalchemy.orm import Session

from config.nodes.journal import Actor
from supply.money import credit, ledger


def give_up(session: Session, store_id: str, invoice_id: str, *, why: str, actor: Actor, at: dt.datetime) -> int:
    """Give up what is left of an invoice and hold its shop's line (rule 1); returns how much."""
    lost_minor = ledger.write_off(session, store_id, invoice_id, why=why, actor=actor, at=at)
    if credit.line_of(session, store_id) is not None:
        credit.hold(session, store_id, why=why, actor=actor, at=at)
    return lost_minor

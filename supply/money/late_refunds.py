"""What the network advances to a store's customers, of money that it passed on to the store before.

Rules
-----
1. A late return is charged to the store at once. The customer gets the money at once where the store is good for all
   that it then owes: by its funds, by the share of what is kept for goods that its customers have proved to have, and
   by its credit. Beyond that it waits for the operator, who decides how much the network pays.
2. So what a store that vanishes and its accomplices can cost the network by late returns is its credit limit.
"""

from sqlalchemy.orm import Session

from supply.money import advances, credit, terms
from supply.money.credit import CreditLine
from supply.money.ledger import balances, owed


def is_covered(session: Session, store_id: str) -> bool:
    """Tell whether a store is good for all that it owes now (rule 1), at the network."""
    line = session.get(CreditLine, store_id)
    limit_minor = line.limit_minor if line is not None and line.state != "held" else 0
    held_minor = advances.share_of_held(session, store_id, terms.in_force(session)[1].advance_bp)
    drawn_minor = credit.pending(session, store_id)
    return owed(balances(session, store_id)) + drawn_minor <= held_minor + limit_minor

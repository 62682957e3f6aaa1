"""What goods passed from shop to shop cost, and the booking of it in both shops' ledgers.

The price is cost: what the network's supplier asks for as much, rounded per line. Both shops are booked in one step,
the giver's funds and an invoice of the taker; together they are zero.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from config.journal import Actor
from config.money import divide_half_up
from supply import network_terms
from supply.settlement import Booking, Wanted

if TYPE_CHECKING:
    from supply.transfer_book import GoodsTransfer, TransferLine


def cost_of(lines: Iterable["TransferLine"]) -> int:
    """Return what lines cost: what was handed over, or before that what is to be."""
    return sum(
        divide_half_up((line.qty if line.given_qty is None else line.given_qty) * line.pack_cost_minor, line.pack_qty)
        for line in lines
    )


def book(
    session: Session, found: "GoodsTransfer", lines: Sequence["TransferLine"], *, actor: Actor, at: dt.datetime
) -> None:
    """Move the cost from the taker's account to the giver's, the shops in one order everywhere."""
    if not found.cost_minor:
        return
    terms = network_terms.in_force(session)[1]
    for store_id in sorted((found.giver_id, found.taker_id)):
        entry = Booking(session, store_id, actor=actor, at=at)
        if store_id == found.giver_id:
            entry.enter("transfer", "funds", "transfers", found.cost_minor, source_id=found.id, words=found.taker_name)
        else:
            rows = [[line.sku, line.name, line.given_qty, cost_of([line])] for line in lines if line.given_qty]
            due = entry.day + dt.timedelta(days=terms.account_days)
            entry.invoice(Wanted(found.id, found.cost_minor, due, False, None, None, rows, against="transfers"))
        entry.pay(by_day=entry.day)
        entry.close("transferred", amount_minor=found.cost_minor, transfer=found.id)

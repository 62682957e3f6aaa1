"""What goods passed from shop to shop cost, and the booking of it in both shops' ledgers.

The price is cost: what the network's supplier asks for as much, rounded per line. What did not arrive and the giver has
again goes the other way. Both shops are booked in one step,
the giver's funds and an invoice of the taker; together they are zero.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from config.money import divide_half_up
from config.nodes.journal import Actor
from supply.money import terms as money_terms
from supply.money.ledger import Booking, Wanted

if TYPE_CHECKING:
    from supply.orders.transfers import GoodsTransfer, TransferLine


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
    rows = [[line.sku, line.name, line.given_qty, cost_of([line])] for line in lines if line.given_qty]
    _move(session, found, found.id, found.giver_id, rows, found.cost_minor, actor=actor, at=at)


def book_back(
    session: Session, found: "GoodsTransfer", back: Sequence[tuple["TransferLine", int]], amount_minor: int, *,
    actor: Actor, at: dt.datetime,
) -> None:  # fmt: skip
    """Move the cost of goods the giver has again from its account to the taker's."""
    rows = [[line.sku, line.name, qty, divide_half_up(qty * line.pack_cost_minor, line.pack_qty)] for line, qty in back]
    _move(session, found, f"{found.id}-back", found.taker_id, rows, amount_minor, actor=actor, at=at)


def _move(
    session: Session, found: "GoodsTransfer", id: str, paid_id: str, rows: Sequence[Sequence[Any]], amount_minor: int,
    *, actor: Actor, at: dt.datetime,
) -> None:  # fmt: skip
    """Pay one of both shops, and invoice the other; what is paid pays what is due first."""
    if amount_minor <= 0:
        return
    terms, names = (
        money_terms.in_force(session)[1],
        {found.giver_id: found.taker_name, found.taker_id: found.giver_name},
    )
    for store_id in sorted((found.giver_id, found.taker_id)):
        entry = Booking(session, store_id, actor=actor, at=at)
        if store_id == paid_id:
            entry.enter("transfer", "funds", "transfers", amount_minor, source_id=id, words=names[store_id])
        else:
            due = entry.day + dt.timedelta(days=terms.account_days)
            entry.invoice(Wanted(id, amount_minor, due, False, None, None, rows, against="transfers"))
        entry.pay(by_day=entry.day)
        entry.close("transferred", amount_minor=amount_minor, transfer=found.id)

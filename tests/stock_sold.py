"""Goods that leave a store as by a sale, for tests that need no more of one."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from config.nodes.journal import Actor
from pos.stock import ledger
from pos.stock.ledger import Source


def sell_goods(
    session: Session, store_id: str, lines: Sequence[tuple[str, int]], *, sale_id: str, day: dt.date, at: dt.datetime,
    actor: Actor,
) -> None:  # fmt: skip
    """Take units out of the store's book."""
    sold = ledger.tidy(lines)
    holding = ledger.look(session, store_id, [sku for sku, _ in sold])
    moves, counts = ledger.leaving(holding, sold, from_bin=False)
    ledger.book(session, store_id, moves, Source("sold", "sale", sale_id), day=day, at=at, actor_id=actor.id)
    ledger.ask_for_counts(session, store_id, counts, at)

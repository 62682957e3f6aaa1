"""Goods that leave a store as by a sale, for tests that need no more of one."""

import datetime as dt
from collections.abc import Sequence

from config.nodes.journal import Context
from pos.stock import ledger
from pos.stock.ledger import Source


def sell_goods(ctx: Context, store_id: str, lines: Sequence[tuple[str, int]], *, sale_id: str, day: dt.date) -> None:
    """Take units out of the store's book."""
    sold = ledger.tidy(lines)
    holding = ledger.look(ctx.session, store_id, [sku for sku, _ in sold])
    moves, counts = ledger.leaving(holding, sold, from_bin=False)
    ledger.book(
        ctx.session, store_id, moves, Source("sold", "sale", sale_id), day=day, at=ctx.at, actor_id=ctx.actor.id
    )
    ledger.ask_for_counts(ctx.session, store_id, counts, ctx.at)

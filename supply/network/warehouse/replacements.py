"""Goods of a claim that are sent again: loaded whole, else in part, and never waited for without end.

Rules
-----
1. A replacement waits WHOLE_DAYS for all its units to be there. After that what is there goes, in one delivery; the
   rest does not come.
2. Where nothing of it is there NOTHING_DAYS after the answer, or nobody delivers it any more, its claim ends by what
   was credited.
3. What does not come costs the store nothing: what was charged of it was credited with the answer (`claims`, rule 4).
4. One claim's odd row keeps no other's goods waiting (`isolation`).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.orm import Session

from config.nodes.journal import Context
from pos.stock.batches import Held
from supply import isolation
from supply.facts import Advised
from supply.network.claims import handling
from supply.network.warehouse import loading, pick_lists
from supply.orders import claims
from supply.orders.claims import Claim
from supply.orders.suppliers import Supplier

WHOLE_DAYS, NOTHING_DAYS = 3, 10
Goods = tuple[str, str]
"""(warehouse id, SKU)"""


def dispatch(
    ctx: Context, there: dict[Goods, int], promised: Mapping[Goods, int], by_list: Collection[str] = ()
) -> None:
    """Load the replacements whose turn has come (rules 1, 2). there: units in each warehouse, less what is loaded here.

    promised: units of them that are promised to orders; by_list: warehouses whose goods a pick list takes.
    """
    picking = pick_lists.being_picked(ctx.session)
    for claim in claims.replacements_due(ctx.session):
        if ("replacement", claim.store_id, claim.id) in picking:
            continue
        house, loaded = warehouse_of(ctx.session, claim), list[Advised]()
        with isolation.apart(ctx, "loading", claim.store_id) as part:
            wanted = _wanted(ctx.session, claim)
            loaded = goes_now(ctx.session, claim, there, promised, ctx.at)
            if loaded and house is not None and house in by_list:
                loaded = []
            elif loaded and house is not None:
                send_off(ctx, house, claim, loaded)
            elif not wanted or house is None or _waited(claim, ctx.at) >= NOTHING_DAYS:
                handling.end(ctx, claim, "compensated")
        if part.done and house is not None:
            for one in loaded:
                there[house, one.sku] -= one.qty


def send_off(
    ctx: Context, warehouse_id: str, claim: Claim, loaded: Sequence[Advised], *, lots: Sequence[Held] | None = None
) -> None:
    """Load a claim's replacement, in its one delivery (rule 1)."""
    fact = loading.without_order(
        ctx.session, claim.store_id, claims.replacement_id(claim.id), claim.supplier_id, loaded, at=ctx.at
    )
    loading.send_off(ctx, warehouse_id, fact, claims.subject_of(claim), lots=lots)


def warehouse_of(session: Session, claim: Claim) -> str | None:
    """Return from where a claim's goods are sent again; None: nobody delivers them any more."""
    supplier = session.get(Supplier, claim.supplier_id)
    return supplier.warehouse_id if supplier is not None else None


def goes_now(
    session: Session, claim: Claim, there: Mapping[Goods, int], promised: Mapping[Goods, int], at: dt.datetime
) -> list[Advised]:
    """Return what of a replacement is loaded now (rule 1); there, promised: as in `dispatch`."""
    house, wanted = warehouse_of(session, claim) or "", _wanted(session, claim)
    free = {sku: max(0, there.get((house, sku), 0) - promised.get((house, sku), 0)) for sku in wanted}
    if any(free[sku] < one.qty for sku, one in wanted.items()) and _waited(claim, at) < WHOLE_DAYS:
        return []
    parts = [(one, min(one.qty, free[sku])) for sku, one in wanted.items()]
    return [Advised(one.sku, one.name, one.pack_qty, qty) for one, qty in parts if qty]


# --- inside ---


def _wanted(session: Session, claim: Claim) -> dict[str, Advised]:
    """Return what a claim's answer sends again; what came too many is not, though it once could be granted so."""
    wanted: dict[str, Advised] = {}
    for line in claims.lines_of(session, claim):
        if line.granted_qty and line.kind != "over":
            qty = line.granted_qty + (wanted[line.sku].qty if line.sku in wanted else 0)
            wanted[line.sku] = Advised(line.sku, line.name, line.pack_qty, qty)
    return wanted


def _waited(claim: Claim, at: dt.datetime) -> int:
    """Return the whole days since a claim was answered."""
    return (at - (claim.answered_at or claim.filed_at)).days

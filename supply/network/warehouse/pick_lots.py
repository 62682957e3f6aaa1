"""Which lots a pick list takes its goods from: the first to leave first, or the one that the picker has in hand.

Rules
-----
1. A sheet names the lots that leave first, of those no other open list keeps. What its lots have no more of is taken
   from others when the list leaves (`picking`, rule 2).
2. Until a product is picked, the picker may name another lot, by choosing it or by scanning a code with its batch or
   last day; a code without leads to its product, and changes nothing. What is named last counts first, what it does not
   cover is taken from the lots named before. So each lot's book loses what really left of it, and the stores are told
   that lot.
3. Where a scanner drops the separators of a code, the batch is the one of the book that the code begins with there, if
   the code also says that lot's last day. Without that day it is only named, for the picker to choose.
4. A lot that is over or recalled is refused, also one of which anything was written off as recalled; so is one the book
   does not know, and what another list keeps. A recall takes its lots off the sheets nobody has picked from yet.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue import gs1
from pos.catalogue.catalogue import Barcode
from pos.stock import batches
from pos.stock.batches import Held
from pos.stock.recall import in_force, tidy_batch
from pos.stock.waste import Waste
from pos.store.store import day_of
from supply.facts import Advised
from supply.network.warehouse import loading, pick_lists
from supply.network.warehouse.pick_lists import PickList, pick_of, subject_of

NOTHING = gs1.Elements()

# --- verbs ---


def take_from(ctx: Context, pick_id: str, sku: str, lot_id: str, qty: int | None = None) -> PickList:
    """Take a product from another lot than the sheet names (rules 2, 3). lot_id '': of no known lot.

    qty: how much of it; None: all that is there for this list.
    """
    found = pick_of(ctx.session, pick_id)
    lines = pick_lists.to_pick(ctx.session, found, sku)
    held = next((one for one in _free(ctx.session, found, [sku], ctx.at)[sku] if (one.batch_id or "") == lot_id), None)
    if held is None:
        raise _unknown(lines[0].name)
    _refuse_unsound(ctx.session, found, sku, lines[0].name, held.batch, held.expires_on, ctx.at)
    most = min(sum(line.qty for line in lines), held.qty)
    if most <= 0:
        raise Refused("lot-kept", "%(name)s: all of this lot is on another list. Use another lot.", name=lines[0].name)
    if qty is not None and (isinstance(qty, bool) or not 1 <= qty <= most):
        raise Invalid(
            "bad-lot-quantity", "%(name)s: this list can take 1 to %(most)s of this lot.", name=lines[0].name,
            most=most, sku=sku,
        )  # fmt: skip
    before: dict[str, int] = {}
    for line in lines:
        for one, part in line.lots:
            before[one] = before.get(one, 0) + part
    before.pop(lot_id, None)
    lots = [(lot_id, most if qty is None else qty), *before.items()]
    for line in lines:
        line.lots = [list(one) for one in dealt(lots, line.qty)]
    ctx.session.flush()
    journal.record(
        ctx,
        verb="pick list.lot",
        subject=subject_of(found),
        sku=sku,
        batch=held.batch,
        expires_on=held.expires_on.isoformat() if held.expires_on else None,
        units=most if qty is None else qty,
    )
    return found


def take_scanned(ctx: Context, pick_id: str, code: str) -> str:
    """Find the product a code names, and take the lot it says, if it says one (rule 2); returns the product's SKU."""
    found, (text, _announced) = pick_of(ctx.session, pick_id), gs1.announced(code)
    if len(text) > gs1.LONGEST:
        raise gs1.misread(text)
    sku, said = _read(ctx.session, found, text, ctx.at)
    if sku is None:
        raise NotFound(
            "unknown-lot-code",
            "Unknown code. Search the product by name and choose its lot there.",
            field="code",
        )
    name, batch = pick_lists.to_pick(ctx.session, found, sku)[0].name, tidy_batch(said.batch)
    if batch is None and said.expires_on is None:
        return sku
    _refuse_unsound(ctx.session, found, sku, name, batch, said.expires_on, ctx.at)
    meant = [one for one in _free(ctx.session, found, [sku], ctx.at)[sku] if _is_meant(one, batch, said.expires_on)]
    if not meant:
        raise _unknown(name)
    first = next((one for one in meant if one.qty > 0), meant[0])
    take_from(ctx, pick_id, sku, str(first.batch_id))
    return sku


def reassign(session: Session, warehouse_id: str, sku: str, *, at: dt.datetime) -> None:
    """Name the lots of a product again on open lists, where nobody picked it yet (rule 4)."""
    for found in pick_lists.open_lists(session, warehouse_id):
        lines = [one for one in pick_lists.lines_of(session, found) if one.sku == sku and one.picked_qty is None]
        for line in lines:
            line.lots = []
        session.flush()
        lots = [(one.batch_id or "", one.qty) for one in choices(session, found, [sku], at)[sku]] if lines else []
        for line in lines:
            line.lots = [list(one) for one in dealt(lots, line.qty)]
    session.flush()


# --- questions ---


def choices(session: Session, found: PickList, skus: Sequence[str], at: dt.datetime) -> dict[str, list[Held]]:
    """Return the lots a list could take its products from, with what is there for it, the first to leave first."""
    house, free = found.warehouse_id, _free(session, found, skus, at)
    sound = batches.sound(session, house, skus, day=day_of(session, house, at))
    fit = {(sku, one.batch_id) for sku, lots in sound.items() for one in lots}
    return {sku: [one for one in lots if one.qty > 0 and (sku, one.batch_id) in fit] for sku, lots in free.items()}


def first_to_leave(
    session: Session, house: str, lines: Sequence[Advised], at: dt.datetime
) -> dict[str, list[tuple[str, int]]]:
    """Return from which lots a new list's lines are taken, by SKU: (lot id or '', units) (rule 1)."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.sku] = sums.get(line.sku, 0) + line.qty
    lots: dict[str, list[tuple[str, int]]] = {sku: [] for sku in sums}
    for held in loading.lots_for(session, house, [Advised(sku, "", 1, qty) for sku, qty in sums.items()], at):
        lots[held.sku].append((held.batch_id or "", held.qty))
    return lots


def dealt(lots: list[tuple[str, int]], qty: int) -> list[tuple[str, int]]:
    """Take a line's units off the lots that are left."""
    mine = []
    while qty and lots:
        lot_id, left = lots.pop(0)
        mine.append((lot_id, min(qty, left)))
        if left > qty:
            lots.insert(0, (lot_id, left - qty))
        qty -= min(qty, left)
    return mine


# --- inside ---


def _free(session: Session, found: PickList, skus: Sequence[str], at: dt.datetime) -> dict[str, list[Held]]:
    """Return the lots that stand in a list's warehouse, less what other lists keep of each."""
    house = found.warehouse_id
    standing = batches.standing(session, house, skus, day=day_of(session, house, at), forgets=False)
    kept = pick_lists.lots_kept(session, house, skus)
    for line in pick_lists.lines_of(session, found):
        for lot_id, part in line.lots_kept:
            if (line.sku, lot_id) in kept:
                kept[line.sku, lot_id] -= part
    return {
        sku: [replace(one, qty=one.qty - kept.get((sku, one.batch_id or ""), 0)) for one in standing[sku]]
        for sku in skus
    }


def _read(session: Session, found: PickList, text: str, at: dt.datetime) -> tuple[str | None, gs1.Elements]:
    """Return a code's product and what it says of the lot, with and without its separators (rules 2, 3)."""
    if not gs1.looks_like_one(text):
        return session.scalar(sa.select(Barcode.sku).where(Barcode.code.in_(gs1.spellings(text))).limit(1)), NOTHING
    try:
        said, fault = gs1.elements(text), None
    except Invalid as misread:
        said, fault = gs1.Elements(gtin=text[2:16]), misread
    known = sa.select(Barcode.sku).where(Barcode.code.in_(gs1.spellings(said.gtin or "")))
    sku = session.scalar(known.limit(1))
    lots = {(one.batch, one.expires_on) for one in _free(session, found, [sku], at)[sku]} if sku else set()
    there = {batch for batch, _until in lots if batch}
    if tidy_batch(said.batch) not in there:
        could = gs1.readings(text, there)
        sure = [one for one in could if (tidy_batch(one.batch), one.expires_on) in lots and one.expires_on]
        if len(sure) == 1:
            return sku, sure[0]
        if could:
            names = ", ".join(tidy_batch(one.batch) or "" for one in could)
            raise Invalid(
                "batch-without-end",
                "This code does not show where the batch ends. Check the pack: if it says %(batches)s, "
                "choose that lot.", batches=names, field="code",
            )  # fmt: skip
    if fault is not None:
        raise fault
    return sku, said


def _refuse_unsound(
    session: Session, found: PickList, sku: str, name: str, batch: str | None, expires_on: dt.date | None,
    at: dt.datetime,
) -> None:  # fmt: skip
    house = found.warehouse_id
    if expires_on is not None and expires_on < day_of(session, house, at):
        raise Refused(
            "lot-over", "%(name)s: this lot expired on %(day)s. Set it aside to be written off, and use another.",
            name=name, day=expires_on.isoformat(),
        )  # fmt: skip
    recalled = sa.select(Waste.id).where(
        Waste.store_id == house, Waste.sku == sku, Waste.batch == batch, Waste.reason == "recall"
    )
    is_called = any(row.stops(batch) for row in in_force(session, house, [sku]))
    if is_called or (batch is not None and session.scalar(recalled.limit(1)) is not None):
        raise Refused(
            "lot-recalled",
            "%(name)s: lot %(batch)s is recalled. Set it aside, tell receiving and use another.",
            name=name, batch=batch or "–",
        )  # fmt: skip


def _is_meant(held: Held, batch: str | None, until: dt.date | None) -> bool:
    return held.batch_id is not None and (held.batch == batch if batch is not None else held.expires_on == until)


def _unknown(name: str) -> NotFound:
    return NotFound(
        "lot-not-here",
        "%(name)s: this lot is not on record here. Set it aside, tell receiving and use another.",
        name=name,
    )

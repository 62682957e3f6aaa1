"""A basket the store keeps: set aside for the next customer, taken up again at any till, or given up with a reason.

Rules
-----
1. A basket lives in the page until it is paid; the store knows it from when it is parked, or when its money was asked
   for. Its id is the later sale's.
2. A parked basket is taken up by one till: whoever is second is told who has it (one winner, `Conflict`). The till
   that has it may take it up again, for the answer may have been lost. From another till, one that died say, it is
   taken by `baskets.others` or somebody's leave, and only from the till that was named; that till pays it no more.
3. It is given up only with a reason, and only when no captured money belongs to it; what was given up is never sold.
4. What was parked stays as the page wrote it, but without the money taken so far (`parts`: a voucher's code is money);
   prices are asked again when it is taken up. A till sets aside only what it has in hand: nobody writes over what
   another till keeps.
5. What a basket that is given up was worth is priced here, from its lines or, where none are sent, from what was
   parked. What was parked is kept as evidence; where the page's sum, the parked one and ours differ, all are written.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, DomainError, Invalid, NotFound
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.payments import requests
from pos.pricing.pricing import MOST_LINES
from pos.sale import corrections, sale
from pos.sale.sale_request import RungLine
from pos.sold import Sale
from pos.store import approvals
from pos.store.approvals import Need
from pos.store.store import Till
from pos.till.parked import STATES, Basket, given_up, taken
from pos.till.shift import locked, note

LONGEST_LABEL, LONGEST_REASON = 60, 200
MOST_NAMED = 100
"""Lines of a basket given up that the journal names."""
OTHERS = "baskets.others"
"""The permission to take a basket out of another till's hands."""


@dataclass(frozen=True)
class TakeUp:
    """The wish to take a basket up at a till. from_till_id: the till it is taken from, where another has it in hand."""

    id: str
    store_id: str
    till_id: str
    from_till_id: str | None = None
    approvals: Sequence[str] = ()


@dataclass(frozen=True)
class Parking:
    """The wish to set a basket aside. content: the page's own words; total_minor: its own sum."""

    id: str
    store_id: str
    till_id: str
    total_minor: int
    content: Mapping[str, Any]
    label: str = ""


@dataclass(frozen=True)
class Voiding:
    """The wish to give a basket up. total_minor: the page's own sum (rule 5); taken_off: what was taken off before."""

    id: str
    store_id: str
    till_id: str
    why: str
    total_minor: int
    lines: Sequence[RungLine] = ()
    taken_off: Sequence[corrections.Body] = ()
    approvals: Sequence[str] = ()


# --- verbs ---


def park(ctx: Context, wish: Parking) -> Basket:
    """Set a basket aside (rule 4); parking it again replaces what was kept of it."""
    if len(wish.label) > LONGEST_LABEL:
        raise Invalid("bad-label", "Enter a basket name of up to %(most)s characters.", most=LONGEST_LABEL)
    shift = locked(ctx.session, wish.store_id, wish.till_id)
    row = _kept(ctx, wish)
    if row.state == "voided":
        raise given_up(wish.id)
    if row.till_id != wish.till_id:
        raise taken(row.id, row.kept_by_name)
    if ctx.session.get(Till, (wish.store_id, wish.till_id)) is None:
        raise NotFound("no-such-till", "This till is not set up here. Reload the till page.", till_id=wish.till_id)
    row.label, row.total_minor, row.till_id = wish.label.strip(), wish.total_minor, wish.till_id
    row.content = {name: value for name, value in wish.content.items() if name != "parts"}
    row.kept_by, row.kept_by_name, row.kept_at = ctx.actor.id, ctx.actor.name, ctx.at
    if row.state != "parked":
        facts: dict[str, Any] = {"total_minor": wish.total_minor, "label": row.label}
        journal.move(ctx, row, "parked", subject=f"sale:{wish.id}", **facts)
        if shift is not None:
            note(shift, "parked")
    return row


def resume(ctx: Context, wish: TakeUp) -> Basket:
    """Take a basket up at a till: a parked one, what the till has taken up already, or another till's (rule 2)."""
    row = _find(ctx.session, wish.store_id, wish.id)
    _refuse_sold(ctx.session, wish.store_id, wish.id)
    if row.state == "voided":
        raise given_up(wish.id)
    if row.state == "open" and row.till_id == wish.till_id:
        return row
    if row.state == "open":
        if row.till_id != wish.from_till_id:
            raise taken(row.id, row.kept_by_name)
        approvals.require(ctx, wish, [Need(OTHERS)])
        facts = {"till": wish.till_id, "from_till": row.till_id, "from": row.kept_by_name}
        journal.record(ctx, verb="basket.taken_over", subject=f"sale:{wish.id}", **facts)
    else:
        journal.move(ctx, row, "open", subject=f"sale:{wish.id}", till=wish.till_id)
    row.till_id, row.kept_by, row.kept_by_name, row.kept_at = wish.till_id, ctx.actor.id, ctx.actor.name, ctx.at
    return row


def void(ctx: Context, wish: Voiding) -> Basket:
    """Give a basket up with a reason (rule 3); asking twice changes nothing."""
    if not wish.why.strip() or len(wish.why) > LONGEST_REASON:
        raise Invalid("no-reason", "Enter a short reason for voiding the basket.")
    shift = locked(ctx.session, wish.store_id, wish.till_id)
    row = _kept(ctx, wish)
    if row.state == "voided":
        return row
    if row.state == "open" and row.till_id != wish.till_id:
        raise taken(row.id, row.kept_by_name)
    requests.refuse_captured(ctx.session, wish.store_id, wish.id)
    found = worth(ctx.session, wish.store_id, wish.lines or _parked_lines(row), at=ctx.at)
    worth_minor = wish.total_minor if found.total_minor is None else found.total_minor
    facts: dict[str, Any] = {"total_minor": worth_minor, "lines": [list(line) for line in found.lines[:MOST_NAMED]]}
    if wish.total_minor != worth_minor or found.total_minor is None:
        facts["claimed_minor"] = wish.total_minor
    if row.content and row.total_minor != worth_minor:
        facts["parked_minor"] = row.total_minor
    if found.unknown:
        facts["unknown"] = found.unknown
    skus = {one[0] for one in wish.taken_off}
    corrected = corrections.of(wish.taken_off, catalogue.known_skus(ctx.session, skus) if skus else ())
    facts |= corrected.facts()
    row.why, row.total_minor = wish.why.strip(), worth_minor
    row.content = row.content or {"lines": [{"sku": sku, "qty": qty} for sku, qty in found.lines]}
    journal.move(ctx, row, "voided", subject=f"sale:{wish.id}", why=row.why, **facts)
    if shift is not None:
        note(shift, "voided", worth_minor)
        shift.totals = corrected.counted_in(shift.totals, ctx.actor)
    return row


# --- questions ---


@dataclass(frozen=True)
class Worth:
    """What a basket would cost at today's prices. lines: (sku, qty) the store knows; unknown: how many it does not.

    total_minor: None where there is no line to price.
    """

    total_minor: int | None
    lines: tuple[tuple[str, int], ...]
    unknown: int = 0


def worth(session: Session, store_id: str, lines: Sequence[RungLine], *, at: dt.datetime) -> Worth:
    """Price a basket that is not sold (rule 5): at the store's prices, typed ones only for what has no other."""
    typed = catalogue.known_skus(session, {line.sku for line in lines})
    known = [
        RungLine(line.sku, line.qty, line.price_minor if typed[line.sku] else None)
        for line in lines
        if line.sku in typed
    ]
    pairs = tuple((line.sku, line.qty) for line in known)
    total_minor = None
    if known:
        try:
            total_minor = sale.worth(session, store_id, known, at=at)
        except DomainError:  # one of them is not sold just now: the others one by one, so that one hides no other
            total_minor = sum(_alone(session, store_id, line, at) for line in known)
    return Worth(total_minor, pairs, len(lines) - len(pairs))


# --- inside ---


def _alone(session: Session, store_id: str, line: RungLine, at: dt.datetime) -> int:
    try:
        return sale.worth(session, store_id, [line], at=at)
    except DomainError:
        return 0


def _parked_lines(row: Basket) -> list[RungLine]:
    """Read the lines of what was parked: the page's own words, of which only what has the right form is taken."""
    rows, found = row.content.get("lines"), []
    for line in rows if isinstance(rows, list) else ():
        reported = line if isinstance(line, dict) else {}
        sku, qty, price_minor = reported.get("sku"), reported.get("qty"), reported.get("price_minor")
        if isinstance(sku, str) and type(qty) is int and qty:
            found.append(RungLine(sku, qty, price_minor if type(price_minor) is int else None))
    return found[:MOST_LINES]


def _refuse_sold(session: Session, store_id: str, basket_id: str) -> None:
    if session.get(Sale, (store_id, basket_id)) is not None:
        raise Conflict("already-sold", "This basket was already paid. Start a new sale.", id=basket_id)


def _find(session: Session, store_id: str, basket_id: str) -> Basket:
    query = lock_rows(session, sa.select(Basket).where(Basket.store_id == store_id, Basket.id == basket_id))
    row: Basket | None = session.scalar(query)
    if row is None:
        raise NotFound("no-such-basket", "This basket is no longer on hold. Reload the list.", id=basket_id)
    return row


def _kept(ctx: Context, wish: Parking | Voiding) -> Basket:
    _refuse_sold(ctx.session, wish.store_id, wish.id)
    if not -MAX_MINOR <= wish.total_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That amount looks like a typo. Enter it again.")
    query = lock_rows(ctx.session, sa.select(Basket).where(Basket.store_id == wish.store_id, Basket.id == wish.id))
    row: Basket | None = ctx.session.scalar(query)
    if row is None:
        row = Basket(
            store_id=wish.store_id,
            id=wish.id,
            state=STATES.first,
            till_id=wish.till_id,
            label="",
            total_minor=wish.total_minor,
            content={},
            kept_by=ctx.actor.id,
            kept_by_name=ctx.actor.name,
            kept_at=ctx.at,
            why="",
        )
        ctx.session.add(row)
    return row

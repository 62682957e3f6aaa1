"""Goods brought back: another sale of negative lines, each pointing at the line it undoes.

Rules
-----
1. Never more than was sold comes back of a line, over all its returns together, whoever asks at the same time (I9).
2. Money back is the line's own: however a line comes back in parts, the parts sum to what was paid for it.
3. Goods that can be sold again go onto the floor, others to waste; cash is rounded with the sale's own rule.
4. The original is never touched. A return has its own id, receipt number and fact.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import journal
from config.clock import business_day
from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.journal import Actor
from config.money import round_cash
from pos import shift as shifts
from pos import stock
from pos.facts import SoldLine
from pos.payments import Settled, Tender
from pos.pricing import part_of
from pos.sale import Completed, Draft, Sale, SaleLine, document_of, finish, lines_of
from pos.store import store_of

REFUND_TENDERS = ("cash", "card")


@dataclass(frozen=True)
class ReturnRequest:
    """What comes back: (line number on the receipt, qty > 0) of one sale, and how the money is given back."""

    id: str
    store_id: str
    till_id: str
    sale_id: str
    lines: Sequence[tuple[int, int]]
    tender: str = "cash"
    reference: str = ""
    restock: bool = True
    why: str = ""

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines]}
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


# --- verbs ---


def take_back(session: Session, request: ReturnRequest, *, actor: Actor, at: dt.datetime) -> Completed:
    """Take goods back and return their money: everything in this transaction, or nothing (rules 1 to 4).

    The same id with the same content answers the same return; with another it is a Conflict.
    """
    wanted = _tidy(request)
    shift = shifts.locked(session, request.store_id, request.till_id)
    request_hash = request.hash()
    if (known := session.get(Sale, (request.store_id, request.id))) is not None:
        if known.request_hash != request_hash:
            raise Conflict(
                "sale-content-differs",
                f"This return was already saved with another content, as receipt {known.receipt_no}.",
                receipt_no=known.receipt_no,
            )
        return Completed(known, document_of(session, known), repeated=True)
    if shift is None or shift.state != "open":
        raise Refused("no-open-shift", "This till is not open. Open it first.", till_id=request.till_id)
    original = _original(session, request)
    lines = _undone(session, original, wanted)
    store = store_of(session, request.store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    moves = stock.take_back(
        session,
        store.id,
        [(line.sku, -line.qty) for line in lines],
        sale_id=request.id,
        restock=request.restock,
        day=day,
        at=at,
        actor=actor,
    )
    draft = Draft(
        id=request.id,
        kind="return",
        channel=original.channel,
        lines=lines,
        settled=_settle(session, request, original, lines),
        request_hash=request_hash,
        moves=tuple(moves),
        returns_receipt_no=original.receipt_no,
        why=request.why.strip() or None,
    )
    return finish(session, draft, store, shift, day=day, at=at, actor=actor)


# --- questions ---


def returned_qty(session: Session, store_id: str, sale_id: str) -> dict[int, int]:
    """Return how many units of each line of a sale came back so far: line number -> units."""
    query = sa.select(SaleLine.returns_n, sa.func.sum(-SaleLine.qty)).where(
        SaleLine.store_id == store_id, SaleLine.returns_sale_id == sale_id
    )
    return {int(n or 0): int(qty) for n, qty in session.execute(query.group_by(SaleLine.returns_n))}


# --- inside ---


def _tidy(request: ReturnRequest) -> dict[int, int]:
    if request.tender not in REFUND_TENDERS:
        raise Invalid("unknown-tender", "Money goes back in cash or to the card.", tender=request.tender)
    sums: dict[int, int] = {}
    for n, qty in request.lines:
        if isinstance(qty, bool) or not isinstance(qty, int) or qty <= 0:
            raise Invalid("bad-quantity", "Type how many come back: 1 or more.", line=n, qty=qty)
        sums[n] = sums.get(n, 0) + qty
    if not sums:
        raise Invalid("empty-basket", "Choose what comes back.")
    return sums


def _original(session: Session, request: ReturnRequest) -> Sale:
    query = sa.select(Sale).where(Sale.store_id == request.store_id, Sale.id == request.sale_id)
    sale: Sale | None = session.scalar(lock_rows(session, query))
    if sale is None or sale.kind != "sale" or sale.state != "completed":
        raise NotFound("no-such-sale", "This receipt is not in the books. Look the sale up again.", id=request.sale_id)
    return sale


def _undone(session: Session, original: Sale, wanted: dict[int, int]) -> tuple[SoldLine, ...]:
    """Return the negative lines, or refuse, naming every line of which less is left than is brought back."""
    sold = {line.n: line for line in lines_of(session, original)}
    back = returned_qty(session, original.store_id, original.id)
    over = [
        {
            "line": n,
            "name": sold[n].name if n in sold else "",
            "wanted": qty,
            "left": sold[n].qty - back.get(n, 0) if n in sold else 0,
        }
        for n, qty in sorted(wanted.items())
        if n not in sold or qty > sold[n].qty - back.get(n, 0)
    ]
    if over:
        told = "; ".join(f"{row['name'] or row['line']}: {row['left']} left to return" for row in over)
        raise Refused("more-than-sold", f"That is more than was sold. {told}.", lines=over)
    return tuple(
        _negative(number, sold[n], back.get(n, 0), qty) for number, (n, qty) in enumerate(sorted(wanted.items()), 1)
    )


def _negative(number: int, line: SaleLine, before_qty: int, qty: int) -> SoldLine:
    total_minor = part_of(line.total_minor, line.qty, before_qty, qty)
    tax_minor = part_of(line.tax_minor, line.qty, before_qty, qty)
    return SoldLine(
        n=number,
        sku=line.sku,
        name=line.name,
        qty=-qty,
        stock_unit=line.stock_unit,
        unit_price_minor=line.unit_price_minor,
        price_quantity=line.price_quantity,
        discount_minor=-part_of(line.discount_minor, line.qty, before_qty, qty),
        offer=line.offer,
        total_minor=-total_minor,
        net_minor=tax_minor - total_minor,
        tax_minor=-tax_minor,
        tax_class_id=line.tax_class_id,
        tax_letter="",
        rate_bp=line.rate_bp,
        returns_sale_id=line.sale_id,
        returns_n=line.n,
    )


def _settle(session: Session, request: ReturnRequest, original: Sale, lines: Sequence[SoldLine]) -> Settled:
    """Return what is given back: all returns of a sale together never more than was paid for it (rule 2)."""
    coin_minor = max(1, store_of(session, request.store_id).smallest_coin_minor)
    due_minor = -sum(line.total_minor for line in lines)
    earlier = sa.select(SaleLine.sale_id).where(
        SaleLine.store_id == original.store_id, SaleLine.returns_sale_id == original.id
    )
    sums = sa.select(sa.func.sum(-Sale.lines_minor), sa.func.sum(-Sale.total_minor)).where(
        Sale.store_id == original.store_id, Sale.id.in_(earlier)
    )
    before_minor, given_minor = (int(value or 0) for value in session.execute(sums).one())
    left_minor = original.total_minor - given_minor
    if request.tender == "cash":
        due_coins = round_cash(before_minor + due_minor, coin_minor) - round_cash(before_minor, coin_minor)
        back_minor = max(0, min(due_coins, left_minor // coin_minor * coin_minor))
    else:
        back_minor = max(0, min(due_minor, left_minor))
    tenders = (Tender(request.tender, -back_minor, request.reference),) if back_minor else ()
    return Settled(tenders, due_minor - back_minor, -back_minor, -back_minor, 0)

"""The first stroke of a sale: everything that is known when it is decided, read once and in one order of locks.

Rules
-----
1. `look` reads, and refuses only what is not there to be read: an unknown product, code, customer or receipt. What is
   not allowed is refused by `decide`, which reads nothing.
2. Who sends a command again is answered before anything else is read (`Situation.again`). At a till that is not open
   nothing more is looked at, either.
3. Locks are taken in one order: the shift, the receipt whose goods come back, then levels by SKU and place.
4. Lines that claim nothing (no code, no batch, no empties) cost no question.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import table_of
from config.errors import Conflict
from config.nodes.journal import Actor, Context
from config.prepared import Prepared
from pos.catalogue import catalogue, offers, scan, selling_hours
from pos.customers import customers
from pos.facts import SaleCompleted
from pos.pricing.pricing import ProductView
from pos.producers import producers
from pos.sale import refund_routes
from pos.sale.quoting import NOTHING, Shelf
from pos.sale.refund_routes import Receipt
from pos.sale.sale_request import BlindReturnRequest, Promised, ReturnRequest, RungLine, SaleRequest
from pos.sold import Completed, Sale, SaleLine, document_of
from pos.stock import batches, consignment_stock, ledger, markdown, recall
from pos.stock.ledger import Holding
from pos.store import approvals, permissions
from pos.store.approvals import Approval, Asking, Leave
from pos.till.counter import Counter, Habits, at_counter
from pos.till.parked import HELD

NOBODY = Leave(permissions.Rights(""))
NOTHING_HELD = Holding({}, {})


@dataclass(frozen=True)
class Situation:
    """Who stands where when, and what the books say of all that a request names.

    again: it was completed before. counter: None where no shift is open. held: the basket, as `HELD` has it.
    customer_id: whose sale it is. receipt: the sale whose goods come back. lots: (id, SKU) of goods on sale or return;
    theirs: SKU -> the producer it is sold for. empties_qty: what this person paid out alone for in this shift.
    corrected: of the products taken off again those there are.
    """

    actor: Actor
    at: dt.datetime
    request_hash: str
    again: Completed | None = None
    counter: Counter | None = None
    held: tuple[str, str, str] | None = None
    day: dt.date = dt.date.min
    leave: Leave = NOBODY
    customer_id: str | None = None
    receipt: Receipt | None = None
    shelf: Shelf | None = None
    holding: Holding = NOTHING_HELD
    lots: Sequence[tuple[str, str]] = ()
    theirs: Mapping[str, str] = field(default_factory=dict)
    empties_qty: int = 0
    corrected: Collection[str] = ()


def look(ctx: Context, request: SaleRequest) -> Situation:
    """Return the situation of a sale or an exchange."""
    store_id, rung, request_hash = request.store_id, request.rung, request.hash()
    counter = at_counter(ctx.session, store_id, request.till_id, ctx.actor.role)
    if (before := _KNOWN.first(ctx.session, {"store": store_id, "sale": request.id})) is not None:
        return Situation(ctx.actor, ctx.at, request_hash, _again(ctx.session, request, request_hash, *before))
    held = HELD.first(ctx.session, {"store": store_id, "basket": request.id})
    if counter is None or counter.state != "open":
        return Situation(ctx.actor, ctx.at, request_hash, counter=counter, held=held)
    day = business_day(ctx.at, counter.tz, counter.rollover_hour)
    receipt = (
        refund_routes.look(ctx.session, store_id, request.brought_back[0].sale_id) if request.brought_back else None
    )
    customer_id = (receipt and receipt.customer_id) or request.customer_id
    shelf = look_at_shelf(
        ctx.session, store_id, rung, counter, at=ctx.at, promised=request.promised, customer_id=customer_id
    )
    sold = sorted({line.sku for line in rung if line.qty > 0 and shelf.views[line.sku].kind == "goods"})
    back = {line.sku for line in receipt.lines.values() if line.kind == "goods"} if receipt else set()
    mine = {"store": store_id}
    pays_empties = request.shown_total_minor < 0 and any(line.qty < 0 for line in rung)
    return Situation(
        actor=ctx.actor,
        at=ctx.at,
        request_hash=request_hash,
        counter=counter,
        held=held,
        day=day,
        leave=_leave(ctx, request, counter),
        customer_id=customer_id,
        receipt=receipt,
        shelf=shelf,
        holding=ledger.look(ctx.session, store_id, sold, request.order_id),
        lots=consignment_stock.LEFT.all(ctx.session, mine, sold),
        theirs=dict(producers.THEIRS.all(ctx.session, mine, sorted({*sold, *back}))),
        empties_qty=_empties_before(ctx.session, counter, ctx.actor) if pays_empties else 0,
        corrected=catalogue.known_skus(ctx.session, [row[0] for row in request.corrections])
        if request.corrections
        else (),
    )


def look_back(ctx: Context, request: ReturnRequest) -> Situation:
    """Return the situation of goods that come back with their receipt."""
    begun = _begin(ctx, request)
    if isinstance(begun, Situation):
        return begun
    counter, request_hash = begun
    receipt = refund_routes.look(ctx.session, request.store_id, request.sale_id, request.tender)
    skus = sorted({line.sku for line in receipt.lines.values() if line.kind == "goods"})
    return Situation(
        actor=ctx.actor, at=ctx.at, request_hash=request_hash, counter=counter,
        day=business_day(ctx.at, counter.tz, counter.rollover_hour), leave=_leave(ctx, request, counter),
        customer_id=receipt.customer_id or request.customer_id, receipt=receipt,
        theirs=dict(producers.THEIRS.all(ctx.session, {"store": request.store_id}, skus)),
    )  # fmt: skip


def look_blind(ctx: Context, request: BlindReturnRequest) -> Situation:
    """Return the situation of goods that come back without a receipt."""
    begun = _begin(ctx, request)
    if isinstance(begun, Situation):
        return begun
    counter, request_hash = begun
    day = business_day(ctx.at, counter.tz, counter.rollover_hour)
    skus = list(dict.fromkeys(sku for sku, *_ in request.lines))
    views = catalogue.to_sell(ctx.session, request.store_id, skus, day) if skus else {}
    wall = ctx.at.astimezone(ZoneInfo(counter.tz)).replace(tzinfo=None)
    return Situation(
        actor=ctx.actor, at=ctx.at, request_hash=request_hash, counter=counter, day=day,
        leave=_leave(ctx, request, counter), customer_id=request.customer_id,
        shelf=Shelf(wall, views, offers.live(ctx.session, request.store_id, day)),
        theirs=dict(producers.THEIRS.all(ctx.session, {"store": request.store_id}, sorted(skus))),
    )  # fmt: skip


def look_at_shelf(
    session: Session,
    store_id: str,
    rung: Sequence[RungLine],
    store: Counter | Habits,
    *,
    at: dt.datetime,
    promised: Promised = NOTHING,
    customer_id: str | None = None,
) -> Shelf:
    """Return what may be sold of what was rung, and on which terms."""
    day = business_day(at, store.tz, store.rollover_hour)
    member = customers.is_member(session, store_id, customer_id) if customer_id else False
    wall = at.astimezone(ZoneInfo(store.tz)).replace(tzinfo=None)
    views = _views(session, store_id, rung, day, promised.prices)
    hours = {kind: (since, until) for kind, since, until in selling_hours.HOURS.all(session, {"store": store_id})}
    codes = {code: scan.read(session, store_id, code, day) for code in {line.code: 0 for line in rung if line.code}}
    live = offers.live(session, store_id, day)
    bare = (line for line in rung if line.batch and not line.code)
    said: list[batches.Dated] = [(line.sku, line.batch, line.expires_on) for line in bare]
    said += [(found.product.sku, found.batch, found.expires_on) for found in codes.values()]
    return Shelf(
        wall=wall, views=views, offers=live, promised=promised, day=day, member=member,
        coin_minor=store.smallest_coin_minor, hours=hours, codes=codes,
        marked=markdown.left(session, store_id, live) if any(found.expires_on for found in codes.values()) else {},
        recalls=recall.holding(session, store_id, sorted(views)),
        last_days=batches.last_days(session, store_id, said) if said else {},
    )  # fmt: skip


# --- inside ---

_sale = table_of(Sale)
_KNOWN = Prepared(
    sa.select(_sale.c.request_hash).where(_sale.c.store_id == sa.bindparam("store"), _sale.c.id == sa.bindparam("sale"))
)


def _again(
    session: Session, request: SaleRequest | ReturnRequest | BlindReturnRequest, request_hash: str, before_hash: str
) -> Completed:
    """Return the sale this very command completed before; Conflict when its content was another (I2, I3)."""
    sale = session.get_one(Sale, (request.store_id, request.id))
    if before_hash != request_hash:
        raise Conflict(
            "sale-content-differs",
            "This sale was already saved with different content, as receipt %(receipt_no)s. Start a new sale.",
            receipt_no=sale.receipt_no, total_minor=sale.total_minor,
        )  # fmt: skip
    document = document_of(session, sale)
    return Completed(SaleCompleted.from_body(document), document, repeated=True)


def _begin(ctx: Context, request: ReturnRequest | BlindReturnRequest) -> Situation | tuple[Counter, str]:
    request_hash = request.hash()
    counter = at_counter(ctx.session, request.store_id, request.till_id, ctx.actor.role)
    if (before := _KNOWN.first(ctx.session, {"store": request.store_id, "sale": request.id})) is not None:
        return Situation(ctx.actor, ctx.at, request_hash, _again(ctx.session, request, request_hash, *before))
    if counter is None or counter.state != "open":
        return Situation(ctx.actor, ctx.at, request_hash, counter=counter)
    return counter, request_hash


def _views(
    session: Session, store_id: str, rung: Sequence[RungLine], day: dt.date, agreed: Mapping[str, int]
) -> dict[str, ProductView]:
    promised = catalogue.as_promised(session, store_id, agreed, day) if agreed else {}
    skus = [sku for sku in dict.fromkeys(line.sku for line in rung) if sku not in promised]
    views = catalogue.to_sell(session, store_id, skus, day) if skus else {}
    wanted = {view.deposit_sku for view in views.values() if view.deposit_sku} - views.keys() - promised.keys()
    if wanted:
        views = views | catalogue.to_sell(session, store_id, sorted(sku for sku in wanted if sku), day)
    return views | promised


def _leave(ctx: Context, asking: Asking, counter: Counter) -> Leave:
    if not asking.approvals:
        return Leave(counter.rights)
    return approvals.look(ctx, asking, rights=counter.rights)


def _empties_before(session: Session, counter: Counter, actor: Actor) -> int:
    """Return the empties this person paid out for without leave in this shift (`quoting`, rules 11, 12)."""
    agreed = sa.exists().where(
        Approval.store_id == Sale.store_id,
        Approval.sale_id == Sale.id,
        Approval.permission == "empties",
        Approval.used_at.is_not(None),
    )
    query = (
        sa.select(sa.func.sum(-SaleLine.qty))
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            Sale.store_id == counter.store_id,
            Sale.shift_id == counter.shift_id,
            Sale.cashier_id == actor.id,
            Sale.total_minor < 0,
            SaleLine.price_type == "empties",
            SaleLine.qty < 0,
            ~agreed,
        )
    )
    return int(session.scalar(query) or 0)

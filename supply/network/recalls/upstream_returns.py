"""A return to an upstream supplier: recalled goods that leave a warehouse for whom they were bought of, with a note.

Rules
-----
1. What stands in a warehouse of a recall, in a lot that a purchase of the supplier's brought, may go back to it: of the
   recalled batch for certain. What no purchase of this supplier brought does not.
2. A return is proposed, of as many as go back, the lots that end first before others. That writes its message, which
   goes with the goods (`orders.supplier_messages`): what, of which batch, by which purchase. What stands on an open
   return is neither counted nor missing when the warehouse is looked through (`recalls`). Only once it is over is there
   another.
3. It leaves the warehouse and its lots when it is handed over: once, whole, as its message says, and only while the
   recall holds. Or it is dropped with a reason, and its message with it.
4. Units that were handed over are claimed of the supplier as those are that were written off (`upstream_claims`), each
   once: a unit leaves the stock once, by one of the two.
5. A purchase names no batch. Where a product is wholly recalled what comes of it is recalled; where a batch is, what
   comes may be of it, and the supplier can say.
6. A purchase is called off as a whole, with the recall for its reason and a message to its supplier. What else stood on
   it is proposed again, with the next look at what is needed.
7. What is taken in all the same is told, and stands in the warehouse as any other recalled goods (`recalls`, rule 2).

Units: quantities in stock units, *_minor minor units of the network's currency.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.finding import Finding
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from pos import messages
from pos.catalogue.catalogue import Product
from pos.stock import batches, recall, waste
from pos.stock.batches import Batch
from pos.stock.ledger import Place, Source, StockMovement
from pos.stock.recall import Recall
from pos.store.store import day_of
from supply.network.purchasing import purchasing
from supply.orders import locations, purchases, supplier_messages
from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier, require_warehouse, supplier_of

STATES = StateTable("upstream return", "proposed", {"proposed": ["handed_over", "dropped"]})
SOURCE_KIND = "upstream_return"
LONGEST = 300


class UpstreamReturn(Base):
    """Goods of a recall that go back to an upstream supplier. store_id is the warehouse's id."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "upstream_return"
    __table_args__ = (sa.Index("ix_upstream_return_recall", "recall_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    return_no: Mapped[int]
    recall_id: Mapped[str]
    supplier_id: Mapped[str]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    state: Mapped[str] = mapped_column(default=STATES.first)
    proposed_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str] = mapped_column(default="")


class UpstreamReturnLine(Base):
    """A lot of a return, and the purchase that brought it."""

    __tablename__ = "upstream_return_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "return_id"], ["upstream_return.store_id", "upstream_return.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    return_id: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[str] = mapped_column(primary_key=True)
    purchase_id: Mapped[str]
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    qty: Mapped[int]


@dataclass(frozen=True)
class Returnable:
    """What of a recall stands in a warehouse and may go back to a supplier (rule 1)."""

    warehouse_id: str
    supplier: Supplier
    qty: int


@dataclass(frozen=True)
class Coming:
    """A purchase that brings a recalled product. others: how many other products it brings."""

    purchase: Purchase
    supplier: Supplier | None
    qty: int
    others: int


# --- verbs ---


def propose(ctx: Context, warehouse_id: str, recall_id: str, supplier_id: str, qty: int, *, id: str) -> UpstreamReturn:
    """Propose that units of a recall go back to a supplier that brought them (rules 1, 2); the same id again is it."""
    require_warehouse(ctx.session, warehouse_id)
    locations.alone(ctx.session)  # of two who write one at once, each has its own number
    row = _locked_recall(ctx.session, warehouse_id, recall_id)
    known = ctx.session.get(UpstreamReturn, (warehouse_id, id))
    if known is not None:
        return known
    if row.state == "lifted":
        raise Refused("recall-lifted", "This recall has been lifted, so nothing needs to be returned.")
    if any(one.state == "proposed" and one.supplier_id == supplier_id and one.store_id == warehouse_id
           for one in returns_of(ctx.session, recall_id)):  # fmt: skip
        raise Conflict("return-open", "A return to this supplier is open. Hand it over, or cancel it.")
    seller = supplier_of(ctx.session, supplier_id)
    lots = [
        (there, lot, bought)
        for there, lot, bought in _standing(ctx.session, row, ctx.at)
        if bought.supplier_id == seller.id
    ]
    most = sum(there for there, _lot, _bought in lots)
    if isinstance(qty, bool) or not 0 < qty <= most:
        raise Invalid(
            "bad-upstream-return",
            "%(most)s from this supplier are in stock. Enter how many to return.", most=most,
            field="qty",
        )  # fmt: skip
    number = sa.select(sa.func.max(UpstreamReturn.return_no)).where(UpstreamReturn.store_id == warehouse_id)
    made = UpstreamReturn(
        store_id=warehouse_id, id=id, return_no=int(ctx.session.scalar(number) or 0) + 1, recall_id=recall_id,
        supplier_id=seller.id, sku=row.sku, state=STATES.first, proposed_at=ctx.at, ended_by="",
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    rest = qty
    for there, lot, bought in lots:
        if part := min(rest, there):
            rest -= part
            ctx.session.add(
                UpstreamReturnLine(store_id=warehouse_id, return_id=id, lot_id=lot.id, purchase_id=bought.id,
                                   batch=lot.batch, expires_on=lot.expires_on, qty=part)
            )  # fmt: skip
    ctx.session.flush()
    facts = {"recall": recall_id, "supplier": seller.id, "units": qty}
    journal.record(ctx, verb="upstream return.proposed", subject=subject_of(made), **facts)
    supplier_messages.send_back(ctx.session, warehouse_id, id, seller, _document(ctx, made, row), at=ctx.at)
    return made


def hand_over(ctx: Context, warehouse_id: str, return_id: str) -> UpstreamReturn:
    """Let a return leave the warehouse, once (rule 3); a message on paper leaves with it."""
    found = return_of(ctx.session, warehouse_id, return_id)
    if found.state == "handed_over":
        raise Conflict(
            "return-handed-over", "Return %(return_no)s was already handed over.", return_no=found.return_no,
            state=found.state,
        )  # fmt: skip
    STATES.require(found.state, "handed_over")
    row = _locked_recall(ctx.session, warehouse_id, found.recall_id)
    if row.state == "lifted":
        raise Refused(
            "recall-lifted", "This recall has been lifted, so nothing needs to be returned. Cancel the return."
        )
    stands = {lot.id: there for there, lot, _bought in _standing(ctx.session, row, ctx.at, of=found)}
    lines = lines_of(ctx.session, found)
    if any(line.qty > stands.get(line.lot_id, 0) for line in lines):
        left = sum(min(line.qty, stands.get(line.lot_id, 0)) for line in lines)
        raise Refused(
            "return-beyond-stock",
            "Only %(left)s of its lots are left. Cancel the return and create a new one.", left=left,
        )  # fmt: skip
    units = sum(line.qty for line in lines)
    source = Source("sent_back", SOURCE_KIND, found.id)
    waste.take_out(
        ctx, warehouse_id, [(found.sku, units)], Place.SUPPLIER, source, places=(*waste.TAKEN_FROM, Place.BIN),
        why="recall")  # fmt: skip
    batches.take_from(ctx.session, warehouse_id, [(line.lot_id, line.qty) for line in lines])
    _end(ctx, found, "handed_over", units=units)
    message = supplier_messages.message_of(ctx.session, warehouse_id, found.id)
    if message.carrier == messages.PAPER:
        supplier_messages.left(ctx, warehouse_id, found.id)
    return found


def drop(ctx: Context, warehouse_id: str, return_id: str, *, why: str) -> UpstreamReturn:
    """Give a return up with a reason; nothing of it has left (rule 3)."""
    found = return_of(ctx.session, warehouse_id, return_id)
    why = stated(why, Invalid("no-reason", "Enter a reason for canceling the return.", field="why"), LONGEST)
    _end(ctx, found, "dropped", why=why)
    supplier_messages.call_off(ctx, warehouse_id, found.id, why=why)
    return found


# --- questions ---


def returnable(session: Session, recall_id: str, *, at: dt.datetime) -> list[Returnable]:
    """Return what may be proposed to go back now: by warehouse and supplier (rules 1, 2)."""
    found = []
    rows = sa.select(Recall).where(Recall.id == recall_id, Recall.state != "lifted").order_by(Recall.store_id)
    open_now = {(one.store_id, one.supplier_id) for one in returns_of(session, recall_id) if one.state == "proposed"}
    for row in session.scalars(rows).all():
        sums = Counter[str]()
        for qty, _lot, bought in _standing(session, row, at):
            sums[str(bought.supplier_id)] += qty
        sellers = {who: supplier_of(session, who) for who in sums if (row.store_id, who) not in open_now}
        found += [Returnable(row.store_id, sellers[who], sums[who]) for who in sellers]
    return sorted(found, key=lambda one: (one.warehouse_id, one.supplier.name))


def returns_of(session: Session, recall_id: str) -> list[UpstreamReturn]:
    """Return the returns of a recall, the open ones first, then the newest."""
    query = sa.select(UpstreamReturn).where(UpstreamReturn.recall_id == recall_id)
    order = (UpstreamReturn.state != "proposed", UpstreamReturn.proposed_at.desc(), UpstreamReturn.id)
    return list(session.scalars(query.order_by(*order)))


def return_of(session: Session, warehouse_id: str, return_id: str) -> UpstreamReturn:
    """Return a return, locked; NotFound when there is none."""
    query = sa.select(UpstreamReturn).where(UpstreamReturn.store_id == warehouse_id, UpstreamReturn.id == return_id)
    found: UpstreamReturn | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-upstream-return", "Supplier return not found.", return_id=return_id)
    return found


def lines_of(session: Session, one: UpstreamReturn) -> list[UpstreamReturnLine]:
    """Return a return's lots."""
    query = sa.select(UpstreamReturnLine).where(
        UpstreamReturnLine.store_id == one.store_id, UpstreamReturnLine.return_id == one.id
    )
    return list(session.scalars(query.order_by(UpstreamReturnLine.lot_id)))


def handed_over(session: Session, sku: str) -> dict[tuple[str, str, str], int]:
    """Return what of a product was handed over: units by recall, warehouse and purchase (rule 4)."""
    line = UpstreamReturnLine
    query = (
        sa.select(UpstreamReturn.recall_id, line.store_id, line.purchase_id, sa.func.sum(line.qty))
        .join(UpstreamReturn, sa.and_(UpstreamReturn.store_id == line.store_id, UpstreamReturn.id == line.return_id))
        .where(UpstreamReturn.sku == sku, UpstreamReturn.state == "handed_over")
        .group_by(UpstreamReturn.recall_id, line.store_id, line.purchase_id)
    )
    return {(of, house, bought): int(qty) for of, house, bought, qty in session.execute(query)}


def on_open(session: Session, warehouse_id: str, sku: str) -> Counter[str]:
    """Return what of each lot stands on a return that is not over (rule 2)."""
    line = UpstreamReturnLine
    query = (
        sa.select(line.lot_id, sa.func.sum(line.qty))
        .join(UpstreamReturn, sa.and_(UpstreamReturn.store_id == line.store_id, UpstreamReturn.id == line.return_id))
        .where(UpstreamReturn.store_id == warehouse_id, UpstreamReturn.sku == sku, UpstreamReturn.state == "proposed")
        .group_by(line.lot_id)
    )
    return Counter({lot_id: int(qty) for lot_id, qty in session.execute(query)})


def findings(session: Session) -> list[Finding]:
    """K23: what was handed over left the stock, and nothing of a return that was not."""
    moved = sa.select(StockMovement.store_id, StockMovement.source_id, sa.func.sum(StockMovement.qty))
    moved = moved.where(StockMovement.source_kind == SOURCE_KIND)
    rows = session.execute(moved.group_by(StockMovement.store_id, StockMovement.source_id))
    left = {(house, source): int(qty) for house, source, qty in rows}
    found = []
    for one in session.scalars(sa.select(UpstreamReturn)):
        said = sum(line.qty for line in lines_of(session, one)) if one.state == "handed_over" else 0
        went = left.get((one.store_id, one.id), 0)
        if said != went:
            found.append(Finding("K23", subject_of(one), f"{said} handed over", f"{went} left the stock"))
    return found


def number_of(one: UpstreamReturn) -> str:
    """Return a return's number as people read it."""
    return f"{one.store_id}-R{one.return_no}"


def subject_of(one: UpstreamReturn) -> str:
    """Return a return as the journal names it."""
    return f"upstream return:{one.id}"


# --- verbs ---


def call_off_purchase(ctx: Context, recall_id: str, warehouse_id: str, purchase_id: str) -> Purchase:
    """Call a purchase off for a recall (rule 6); one that is called off already stays so."""
    found = purchases.purchase_of(ctx.session, warehouse_id, purchase_id)
    row = recall.recall_of(ctx.session, warehouse_id, recall_id)
    if found.state == "cancelled":
        return found
    mine = any(line.sku == row.sku and line.packs for line in purchases.lines_of(ctx.session, found))
    if found.state != "ordered" or row.state == "lifted" or not mine:
        raise Refused("not-coming", "This purchase contains no recalled products. Reload the page.")
    return purchasing.drop(ctx, warehouse_id, purchase_id, why=f"recall-called: {row.why}")


# --- questions ---


def coming_purchases(session: Session, recall_id: str) -> list[Coming]:
    """Return what is ordered of a recalled product and did not come, what comes first first; none once it is lifted."""
    rows = sa.select(Recall.store_id, Recall.sku).where(Recall.id == recall_id, Recall.state != "lifted").subquery()
    query = (
        sa.select(Purchase, PurchaseLine, Supplier)
        .join(
            PurchaseLine, sa.and_(PurchaseLine.store_id == Purchase.store_id, PurchaseLine.purchase_id == Purchase.id)
        )
        .join(rows, sa.and_(rows.c.store_id == Purchase.store_id, rows.c.sku == PurchaseLine.sku))
        .outerjoin(Supplier, Supplier.id == Purchase.supplier_id)
        .where(Purchase.state == "ordered", PurchaseLine.packs > 0)
        .order_by(Purchase.expected_day, Purchase.store_id, Purchase.id)
    )
    return [
        Coming(
            purchase, seller, line.packs * line.pack_qty,
            sum(1 for one in purchases.lines_of(session, purchase) if one.packs and one.sku != line.sku),
        )
        for purchase, line, seller in session.execute(query)
    ]  # fmt: skip


def recalled_purchases(session: Session, purchase: Purchase) -> dict[str, Recall]:
    """Return what a purchase brings that is recalled, the product before its batch: SKU -> the recall (rule 5)."""
    skus = [line.sku for line in purchases.lines_of(session, purchase) if line.packs or line.received_qty]
    rows = recall.in_force(session, purchase.store_id, skus)
    return {row.sku: row for row in sorted(rows, key=lambda row: row.batch is None)}


# --- inside ---


def _locked_recall(session: Session, warehouse_id: str, recall_id: str) -> Recall:
    """Return a warehouse's recall that nobody else writes of meanwhile."""
    query = sa.select(Recall).where(Recall.store_id == warehouse_id, Recall.id == recall_id)
    session.scalar(lock_rows(session, query))
    return recall.recall_of(session, warehouse_id, recall_id)


def _standing(
    session: Session, row: Recall, at: dt.datetime, *, of: UpstreamReturn | None = None
) -> list[tuple[int, Batch, Purchase]]:
    """Return the lots of a recall that stand in a warehouse, and the purchase of a known supplier that brought each.

    What stands on an open return is left out, except what stands on `of`.
    """
    day, taken = day_of(session, row.store_id, at), on_open(session, row.store_id, row.sku)
    if of is not None:
        taken.subtract({line.lot_id: line.qty for line in lines_of(session, of)})
    found = []
    for held in batches.standing(session, row.store_id, [row.sku], day=day, forgets=False)[row.sku]:
        lot = session.get(Batch, (row.store_id, held.batch_id)) if held.batch_id else None
        qty = held.qty - taken[held.batch_id or ""]
        if lot is None or lot.source_kind != "purchase" or qty <= 0 or not row.means(lot.batch):
            continue
        bought = session.get(Purchase, (row.store_id, lot.source_id))
        if bought is not None and bought.supplier_id is not None:
            found.append((qty, lot, bought))
    return found


def _document(ctx: Context, one: UpstreamReturn, row: Recall) -> dict[str, Any]:
    """Freeze what stands on the message of a return, but for whom it goes to."""
    product = ctx.session.get_one(Product, one.sku)
    lines = [
        {
            "name": product.name, "sku": one.sku, "stock_unit": product.stock_unit, "qty": line.qty,
            "batch": line.batch or "", "expires_on": line.expires_on.isoformat() if line.expires_on else "",
            "purchase_no": purchases.number_of(ctx.session.get_one(Purchase, (line.store_id, line.purchase_id))),
        }
        for line in lines_of(ctx.session, one)
    ]  # fmt: skip
    return locations.head(ctx, one.store_id) | {
        "order_no": number_of(one), "order_day": day_of(ctx.session, one.store_id, ctx.at).isoformat(), "why": row.why,
        "lines": lines,
    }  # fmt: skip


def _end(ctx: Context, one: UpstreamReturn, state: str, **facts: Any) -> None:
    one.ended_at, one.ended_by = ctx.at, ctx.actor.name
    journal.move(ctx, one, state, subject=subject_of(one), **facts)
    ctx.session.flush()

"""The network's recall: a product, or one batch of it, leaves no warehouse any more and is asked back from the stores.

Rules
-----
1. Called once, it stands under one id in the book of every warehouse and of every store that carries the product or has
   it on its way (`pos.stock.recall`): goods go between stores, and no book proves where a batch is not. Each store is
   told at once, with what becomes of the goods; its tills refuse them, and only the network lifts it again. The same
   one twice is a Conflict while it lasts. A store that carries it only later, or joins later, is told as soon as it
   speaks again; a warehouse founded meanwhile has it from its first day.
2. What a warehouse has of it is neither promised nor loaded, and its sheets name other lots. Somebody looks through the
   warehouse and says how many there were: these are written off as recalled, the rest of its lots as not found. What
   goes back to whom it was bought of is put aside before (`upstream_returns`), and is neither.
3. A store that looked says how many it took away, and the network is told. What was taken away is out of its stock.
4. The operator credits a store what was destroyed or came back, once: no more than the store took away, nor than it was
   ever sent less what another recall of it credited and what of the product went back, at what the units it ordered
   and received last cost it.
5. A word that was overtaken changes nothing: what was lifted stays lifted, whatever arrives after it, and a recall
   stands before the store has heard that the one before it is over.
6. A store without a node is told by a person, who notes that, and then how many it took away; that it is lifted, too.
   Once it speaks by a node it is told by that as well.
7. What it took away leaves the network's copy of its stock at once, as far as that has any.
8. The store is the author of its stock, and what its own book lacks is not taken out twice. Its first count of the
   product since it was recalled says itself what is gone, and takes all noted units back into the copy. What it writes
   off or sends back because of a recall takes back as many as it says, of a recall of that lot where it names one.
   Whatever else it writes off says nothing of them.

Units: quantities in stock units, *_minor minor units of the network's currency.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from config.database import lock_rows, table_of
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.money import amount_for
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Flag, Instant, applies
from config.nodes.journal import Actor, Context
from config.prepared import Prepared
from pos.facts import Moved, StockCounted, StockMoved
from pos.stock import batches, recall, waste
from pos.stock.batches import Held
from pos.stock.ledger import MOST_QTY, Place, Source, StockLevel, StockMovement, book, locked
from pos.stock.recall import AFTERWARDS, Recall
from pos.stock.waste import TAKEN_FROM, WriteOff
from pos.store.store import Store, day_of, send_fact
from pos.sync import replica
from supply.money import ledger
from supply.network.recalls import upstream_returns
from supply.network.warehouse import lots as warehouse_lots
from supply.network.warehouse import pick_lots
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.supplier_returns import SupplierReturnLine
from supply.orders.suppliers import require_warehouse, warehouses


class RecallReported(Fact, topic="recall.reported", said_by=NETWORK):
    """A recall of the network's, or that it is lifted."""

    store_id: str
    id: str
    sku: str
    batch: str | None
    why: str
    called_by: str
    afterwards: str
    lifted_why: str
    called_at: Instant
    is_lifted: Flag


class RecallCleared(Fact, topic="recall.cleared", said_by=STORE):
    """A store looked through its shelf, and how many it took away."""

    store_id: str
    id: str
    taken_qty: Annotated[int, Field(strict=True, ge=0, le=MOST_QTY)]
    cleared_by: str
    cleared_at: Instant


@dataclass(frozen=True)
class RecallingStore:
    """A store that was told. sent_qty: of the recalled lot for certain; maybe_qty: of no known lot."""

    store_id: str
    name: str
    row: Recall
    sent_qty: int
    maybe_qty: int
    before_qty: int
    """What of the product was credited for other recalls, or went back."""
    most_qty: int
    """How many may be credited (rule 4)."""
    is_by_hand: bool
    """A person tells it what holds (rule 6)."""
    phone: str

    @property
    def is_to_notify(self) -> bool:
        """Tell whether a person has still to tell it what holds now."""
        return self.is_by_hand and not self.row.reported_how


# --- verbs, network ---


def call(ctx: Context, sku: str, batch: str | None, *, id: str, why: str, called_by: str, afterwards: str) -> None:
    """Call a product or a batch back from everywhere (rules 1, 2). afterwards: one of AFTERWARDS."""
    if afterwards not in AFTERWARDS:
        raise Invalid("no-afterwards", "Choose what stores do with the products.", field="afterwards")
    same = sa.select(Recall.batch).where(Recall.sku == sku, Recall.afterwards != "", Recall.state != "lifted")
    if {None, recall.tidy_batch(batch)} & set(ctx.session.scalars(same)):
        raise Conflict("already-recalled", "This is already recalled.", sku=sku, batch=batch)
    said = {"id": id, "why": why, "called_by": called_by, "afterwards": afterwards}
    houses = warehouses(ctx.session)
    for house in houses:
        recall.call(ctx, house, sku, batch, **said)
        pick_lots.reassign(ctx.session, house, sku, at=ctx.at)
    for store in ctx.session.scalars(_carrying(sku).where(Store.id.not_in(houses))).all():
        row = recall.call(ctx, store.id, sku, batch, **said)
        if store.has_node:
            _send_recall(ctx.session, row, ctx.at)


def catch_up(session: Session, store_id: str, *, at: dt.datetime) -> None:
    """Tell a store that speaks by its node of every recall in force that its node was not told of (rules 1, 6)."""
    books = warehouses(session) or session.scalars(sa.select(Recall.store_id).where(_IN_FORCE).distinct()).all()
    new = {row[0]: holder for holder in books for row in _NEW.all(session, {"book": holder, "store": store_id})}
    for recall_id, holder in sorted(new.items()):
        one = session.get_one(Recall, (holder, recall_id))
        if _still_holds(session, one):
            _send_recall(session, session.get(Recall, (store_id, recall_id)) or _enter(session, store_id, one, at), at)


def take_up(session: Session, warehouse_id: str, *, at: dt.datetime) -> None:
    """Write every recall in force into the book of a warehouse that has not got it, as one just founded (rule 1)."""
    require_warehouse(session, warehouse_id)
    known = sa.select(Recall.id).where(Recall.store_id == warehouse_id)
    books = sa.select(sa.func.min(Recall.store_id), Recall.id).where(_IN_FORCE, Recall.id.not_in(known))
    for holder, recall_id in session.execute(books.group_by(Recall.id).order_by(Recall.id)).all():
        one = session.get_one(Recall, (holder, recall_id))
        if _still_holds(session, one):
            _enter(session, warehouse_id, one, at)


def look_through(ctx: Context, warehouse_id: str, recall_id: str, found_qty: int) -> None:
    """Say that a warehouse was looked through, and how many there were (rule 2)."""
    require_warehouse(ctx.session, warehouse_id)
    row = recall.recall_of(ctx.session, warehouse_id, recall_id)
    lots = _looked_for(ctx.session, row, ctx.at)
    mine = [one for one in lots if row.means(one.batch)]
    doubt = [one for one in lots if row.batch is not None and one.batch is None]
    most = sum(one.qty for one in [*mine, *doubt])
    if isinstance(found_qty, bool) or not 0 <= found_qty <= most:
        raise Refused(
            "more-than-recalled",
            "Up to %(most)s in stock could be affected. Count again, or correct the stock first.", most=most,
        )  # fmt: skip
    recall.clear(ctx, warehouse_id, recall_id, found_qty)
    rest = found_qty
    for one in [*mine, *doubt]:
        found = min(rest, one.qty)
        rest -= found
        missing = one.qty - found if one in mine else 0
        gone = ((found, "recall", "", recall_id), (missing, "other", "Not found at a recall", None))
        for qty, reason, note, of in gone:
            if qty:
                what = WriteOff(row.sku, qty, reason, note, lot_id=one.batch_id, recall_id=of)
                warehouse_lots.write_off(ctx, warehouse_id, what, id=new_id())


def lift(ctx: Context, recall_id: str, *, why: str) -> None:
    """End a recall everywhere: it may leave and be sold again (rules 1, 5, 6)."""
    ctx.session.scalars(lock_rows(ctx.session, _of(recall_id))).all()  # before the look that counts: see `_still_holds`
    houses = warehouses(ctx.session)
    nodes = set(ctx.session.scalars(sa.select(Store.id).where(Store.has_node)))
    for row in _rows(ctx.session, recall_id):
        if row.state == "lifted":
            continue
        recall.lift(ctx, row.store_id, recall_id, why=why)
        if row.reported_how == "node" or row.store_id in nodes:
            _send_recall(ctx.session, row, ctx.at)
        elif row.store_id not in houses:
            row.reported_how = "" if row.reported_how else "hand"  # who never heard of it need not hear that it is over
    ctx.session.flush()


def settle(ctx: Context, recall_id: str, store_id: str, qty: int) -> int:
    """Credit a store so many units (rule 4); returns the sum. 0 units: nothing is credited, and it is settled."""
    store = next((one for one in stores(ctx.session, recall_id) if one.store_id == store_id), None)
    if store is None or store.row.taken_qty is None:
        raise Refused("not-looked-through", "This store has not reported how many it removed.")
    if store.row.settled_qty is not None:
        raise Refused(
            "recall-settled", "%(name)s was already credited %(settled_qty)s.", settled_qty=store.row.settled_qty,
            name=store.name,
        )  # fmt: skip
    if isinstance(qty, bool) or not 0 <= qty <= store.most_qty:
        raise Invalid("bad-recall-quantity", "Enter 0 to %(most)s.", most=store.most_qty, field="qty")
    amount = _worth(ctx.session, store_id, store.row.sku, qty) if qty else 0
    amount = min(amount, ledger.left_to_credit(ctx.session, store_id))
    store.row.settled_qty = qty
    if amount:
        ledger.credit_note(ctx, store_id, amount, why="credit-recalled", id=f"recall-{recall_id}")
    facts = {"store": store_id, "units": qty, "amount_minor": amount}
    journal.record(ctx, verb="recall.settled", subject=recall.subject_of(store.row), **facts)
    ctx.session.flush()
    return amount


# --- verbs, store ---


def clear(ctx: Context, store_id: str, recall_id: str, taken_qty: int, *, waste_id: str) -> Recall:
    """Say that the store was looked through; what was taken away is written off, and the network told (rule 3)."""
    row = recall.recall_of(ctx.session, store_id, recall_id)
    if taken_qty:
        waste.write_off(ctx, store_id, WriteOff(row.sku, taken_qty, "recall", batch=row.batch), id=waste_id)
    recall.clear(ctx, store_id, recall_id, taken_qty)
    if row.afterwards:
        fact = RecallCleared(store_id, recall_id, row.taken_qty or 0, ctx.actor.name, ctx.at)
        send_fact(ctx.session, fact, subject=recall.subject_of(row), at=ctx.at)
    return row


# --- questions ---


def called(session: Session) -> list[tuple[Recall, int, int]]:
    """Return the network's recalls, those in force first, then the newest: one row, places that looked, all places."""
    of_network = sa.select(Recall).where(Recall.afterwards != "").order_by(Recall.called_at.desc(), Recall.id)
    found: dict[str, list[Recall]] = {}
    for row in session.scalars(of_network):
        found.setdefault(row.id, []).append(row)
    sums = [(rows[0], sum(1 for row in rows if row.cleared_at), len(rows)) for rows in found.values()]
    return sorted(sums, key=lambda one: one[0].state == "lifted")


def in_houses(session: Session, recall_id: str) -> list[Recall]:
    """Return a recall as the warehouses' books have it."""
    houses = warehouses(session)
    return [row for row in _rows(session, recall_id) if row.store_id in houses]


def stores(session: Session, recall_id: str) -> list[RecallingStore]:
    """Return the stores it stands in the books of: first whom a person has to tell, then who has not looked yet."""
    houses, rows = warehouses(session), _rows(session, recall_id)
    sku, batch = rows[0].sku, rows[0].batch
    sent, all_sent = _sent(session, sku, batch), _sent(session, sku, None)
    credited, back = _credited(session, recall_id, sku), _went_back(session, sku)
    known = {store.id: store for store in session.scalars(sa.select(Store))}
    found = []
    for row in rows:
        if row.store_id not in houses:
            sure, maybe = sent.get(row.store_id, (0, 0))
            paid = credited.get(row.store_id, {})
            before = sum(paid.values()) + back.get(row.store_id, 0)
            left = min(sure + maybe - paid.get(batch, 0), all_sent.get(row.store_id, (0, 0))[0] - before)
            most = max(0, min(row.taken_qty or 0, left))
            store = known[row.store_id]
            by_hand = not store.has_node and row.reported_how != "node"
            found.append(RecallingStore(store.id, store.name, row, sure, maybe, before, most, by_hand, store.phone))
    return sorted(found, key=_urgency)


NOTED = "recall"
"""The source of what left a copied book because a person noted it, and of what came back into it (rules 7, 8)."""
BECAUSE = ("recall", "recalled")
"""A store's own reasons for letting goods go because of a recall (`waste`, `goods_in`)."""


# --- verbs ---


def send_by_hand(ctx: Context, recall_id: str, store_ids: Sequence[str]) -> None:
    """Note that a person told stores what holds now (rule 6); twice changes nothing."""
    for store in _stores(ctx.session, recall_id, store_ids):
        if store.is_to_notify:
            store.row.reported_how = "hand"
            facts = {"store": store.store_id, "state": store.row.state}
            subject = recall.subject_of(store.row)
            journal.record(ctx, verb="recall.reported", subject=subject, **facts)
    ctx.session.flush()


def note_looked(ctx: Context, recall_id: str, store_id: str, taken_qty: int) -> None:
    """Note how many a store says it took away (rules 6, 7)."""
    (store,) = _stores(ctx.session, recall_id, [store_id])
    if store.is_to_notify:
        raise Refused("not-informed-yet", "Inform %(name)s of the recall first, and record it.", name=store.name)
    if isinstance(taken_qty, bool) or not 0 <= taken_qty <= MOST_QTY:
        raise Invalid("bad-recall-quantity", "Enter 0 to %(most)s.", most=MOST_QTY, field="qty")
    recall.clear(ctx, store_id, recall_id, taken_qty)
    there, rest = locked(ctx.session, store_id, [store.row.sku])[store.row.sku], taken_qty
    moves: list[Moved] = []
    for place in (*TAKEN_FROM, Place.BIN):
        if part := min(rest, max(0, there.get(place, 0))):
            moves.append((new_id(), store.row.sku, part, place, Place.WASTE))
            rest -= part
    _book(ctx, store.row, moves)


def hear_by_hand(
    session: Session, store_id: str, said: Mapping[str, int | None], said_at: dt.datetime, *, lot: str = "",
    at: dt.datetime,
) -> None:  # fmt: skip
    """Let a store's own word of products stand for what a person noted of them (rule 8).

    said: by product how many units the word accounts for; None: for all. lot: of which they are; '': not known.
    """
    noted = sa.select(Recall).where(Recall.store_id == store_id, Recall.sku.in_(said), Recall.taken_qty > 0)
    since = (Recall.afterwards != "", Recall.called_at <= said_at)
    rest = {sku: MOST_QTY if qty is None else qty for sku, qty in said.items()}
    for row in session.scalars(noted.where(*since).order_by(Recall.called_at, Recall.id)).all():
        if lot and not row.means(lot):
            continue
        back: list[Moved] = []
        for place, out in _noted(session, row):
            if part := min(rest[row.sku], out):
                back.append((new_id(), row.sku, part, Place.WASTE, place))
                rest[row.sku] -= part
        _book(Context(session, Actor.system("recalls", NETWORK), at), row, back)


# --- inside ---


def _of(recall_id: str) -> sa.Select[Recall]:
    return sa.select(Recall).where(Recall.id == recall_id).order_by(Recall.store_id)


def _rows(session: Session, recall_id: str) -> list[Recall]:
    rows = list(session.scalars(_of(recall_id)))
    if not rows:
        raise NotFound("unknown-recall", "Recall not found.", recall_id=recall_id)
    return rows


def _still_holds(session: Session, one: Recall) -> bool:
    """Tell whether nobody has lifted a recall meanwhile, and let nobody lift it before this is written.

    It would stand in the book that is written just now for ever.
    """
    kept = session.get_one(Recall, (one.store_id, one.id), with_for_update=True, populate_existing=True)
    return kept.state != "lifted"


def _looked_for(session: Session, row: Recall, at: dt.datetime) -> list[Held]:
    """Return the lots of a product in a warehouse, less what stands on open returns to suppliers (rule 2)."""
    day, away = day_of(session, row.store_id, at), upstream_returns.on_open(session, row.store_id, row.sku)
    lots = batches.standing(session, row.store_id, [row.sku], day=day, forgets=False)[row.sku]
    return [replace(one, qty=one.qty - away[one.batch_id or ""]) for one in lots]


def _enter(session: Session, store_id: str, one: Recall, at: dt.datetime) -> Recall:
    """Write a recall that stands in another book into this one."""
    row = recall.call(
        Context(session, Actor.system("supply", NETWORK), at),
        store_id,
        one.sku,
        one.batch,
        id=one.id,
        why=one.why,
        called_by=one.called_by,
        afterwards=one.afterwards,
    )
    row.called_at = one.called_at
    return row


def _urgency(store: RecallingStore) -> tuple[bool, bool, int, int, str]:
    return not store.is_to_notify, store.row.cleared_at is not None, -store.sent_qty, -store.maybe_qty, store.name


def _carrying(sku: str) -> sa.Select[Store]:
    """Return what asks for the stores that carry a product, or have it on its way (rule 1)."""
    books = (sa.exists().where(book.store_id == Store.id, book.sku == sku) for book in (StockLevel, DeliveryLine))
    return sa.select(Store).where(sa.or_(*books)).order_by(Store.id)


def _sent(session: Session, sku: str, batch: str | None) -> dict[str, tuple[int, int]]:
    """Return what each store was sent: (surely of the recalled lot, of no known lot)."""
    query = (
        sa.select(DeliveryLine)
        .join(Delivery, sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id))
        .where(DeliveryLine.sku == sku, Delivery.state.not_in(("refused", "turned_back")))
    )
    sums: dict[str, tuple[int, int]] = {}
    for line in session.scalars(query):
        sure, maybe = sums.get(line.store_id, (0, 0))
        for lot in line.lots_of(line.advised_qty if line.counted_qty is None else line.counted_qty):
            known = recall.tidy_batch(lot.batch)
            sure += lot.qty if batch in (None, known) else 0
            maybe += lot.qty if batch is not None and known is None else 0
        sums[line.store_id] = sure, maybe
    return sums


def _credited(session: Session, recall_id: str, sku: str) -> dict[str, dict[str | None, int]]:
    """Return what of a product other recalls credited, by store and batch."""
    query = sa.select(Recall.store_id, Recall.batch, sa.func.sum(Recall.settled_qty)).where(
        Recall.sku == sku, Recall.id != recall_id, Recall.settled_qty > 0
    )
    found: dict[str, dict[str | None, int]] = {}
    for store_id, batch, qty in session.execute(query.group_by(Recall.store_id, Recall.batch)):
        found.setdefault(store_id, {})[batch] = int(qty or 0)
    return found


def _went_back(session: Session, sku: str) -> dict[str, int]:
    """Return what of a product each store sent back, as the warehouses counted it."""
    query = sa.select(SupplierReturnLine.store_id, sa.func.sum(SupplierReturnLine.received_qty)).where(
        SupplierReturnLine.sku == sku, SupplierReturnLine.received_qty > 0
    )
    return {store_id: int(qty or 0) for store_id, qty in session.execute(query.group_by(SupplierReturnLine.store_id))}


def _worth(session: Session, store_id: str, sku: str, qty: int) -> int:
    """Return what the units of a product that a store received last cost it (rule 4)."""
    query = (
        sa.select(OrderLine)
        .join(
            ReplenishmentOrder,
            sa.and_(ReplenishmentOrder.store_id == OrderLine.store_id, ReplenishmentOrder.id == OrderLine.order_id),
        )
        .where(OrderLine.store_id == store_id, OrderLine.sku == sku, OrderLine.qty_received > 0)
        .order_by(ReplenishmentOrder.order_day.desc(), ReplenishmentOrder.id.desc())
    )
    rest, cost_minor = qty, 0
    for line in session.scalars(query):
        part = min(rest, line.qty_received)
        rest, cost_minor = rest - part, cost_minor + amount_for(part, line.pack_cost_minor, line.pack_qty)
        if not rest:
            break
    if rest == qty:
        raise Refused(
            "never-ordered", "This store never ordered it from the network. Credit it on the store's account page."
        )
    return amount_for(qty, cost_minor, qty - rest)


def _send_recall(session: Session, row: Recall, at: dt.datetime) -> None:
    row.reported_how = "node"
    fact = RecallReported.of_row(row, is_lifted=row.state == "lifted")
    send_fact(session, fact, subject=recall.subject_of(row), at=at)


@applies(RecallReported)
def take_reported(ctx: Context, fact: RecallReported) -> None:
    """Take over a recall of the network's, or that it is lifted (rules 1, 5)."""
    row = ctx.session.get(Recall, (fact.store_id, fact.id))
    if row is None:
        row = recall.call(
            ctx, fact.store_id, fact.sku, fact.batch, id=fact.id, why=fact.why, called_by=fact.called_by,
            afterwards=fact.afterwards)  # fmt: skip
    if fact.is_lifted and row.state != "lifted":
        recall.lift(ctx, row.store_id, row.id, why=fact.lifted_why)


@applies(RecallCleared)
def take_cleared(ctx: Context, fact: RecallCleared) -> None:
    """Keep how many a store took away (rule 3); the highest count is the last one."""
    row = recall.recall_of(ctx.session, fact.store_id, fact.id)
    if row.state == "called":
        recall.clear(ctx, row.store_id, row.id, fact.taken_qty)
    elif fact.taken_qty > (row.taken_qty or 0):
        row.taken_qty = fact.taken_qty


_IN_FORCE = sa.and_(sa.text("recall.state <> 'lifted'"), Recall.afterwards != "")


def _new_at_store() -> Prepared:
    """Return what asks a warehouse's book for the recalls in force that are news for a store's node (rules 1, 6): its
    own book has them, or it carries the product or has it on its way."""
    store: sa.BindParameter[str] = sa.bindparam("store")
    one, mine = table_of(Recall).c, table_of(Recall).alias("mine").c
    own = sa.select(mine.id).where(mine.store_id == store, mine.id == one.id)
    tables = (table_of(StockLevel).c, table_of(DeliveryLine).c)
    carried = (sa.exists(sa.select(book.sku).where(book.store_id == store, book.sku == one.sku)) for book in tables)
    reported = sa.exists(own.where(mine.reported_how == "node"))
    news = sa.and_(~reported, sa.or_(sa.exists(own), *carried))
    return Prepared(sa.select(one.id).where(one.store_id == sa.bindparam("book"), _IN_FORCE, news))


_NEW = _new_at_store()


def _stores(session: Session, recall_id: str, store_ids: Sequence[str]) -> list[RecallingStore]:
    """Return stores that a person tells (rule 6); NotFound and Refused for any other."""
    found = {one.store_id: one for one in stores(session, recall_id) if one.is_by_hand}
    for store_id in store_ids:
        if store_id not in found:
            recall.recall_of(session, store_id, recall_id)
            raise Refused(
                "informed-by-node",
                "This store is notified through its own node, which reports when someone has checked.",
            )
    return [found[store_id] for store_id in store_ids]


def _book(ctx: Context, row: Recall, moves: list[Moved]) -> None:
    if moves:
        source, day = Source("recalled", NOTED, row.id), day_of(ctx.session, row.store_id, ctx.at)
        book(ctx.session, row.store_id, moves, source, day=day, at=ctx.at, actor_id=ctx.actor.id)
        facts = {"store": row.store_id, "units": sum(move[2] for move in moves), "to": moves[0][4]}
        journal.record(ctx, verb="recall.booked", subject=recall.subject_of(row), **facts)
        ctx.session.flush()


def _noted(session: Session, row: Recall) -> list[tuple[Place, int]]:
    """Return what was taken out of the copy for a note and has not come back, by the place it left."""
    out = Counter[str]()
    source = (StockMovement.source_kind == NOTED, StockMovement.source_id == row.id)
    for move in session.scalars(sa.select(StockMovement).where(StockMovement.store_id == row.store_id, *source)):
        out[move.from_place] += move.qty
        out[move.to_place] -= move.qty
    return [(Place(place), qty) for place, qty in sorted(out.items()) if qty > 0 and place != Place.WASTE]


@applies(StockCounted, after=replica.take_count)
def hear_count(ctx: Context, fact: StockCounted) -> None:
    """Hear by a count, written before (`pos.sync.replica`), that a store without a node looked (rule 6)."""
    hear_by_hand(ctx.session, fact.store_id, {fact.sku: None}, dt.datetime.fromisoformat(fact.at), at=ctx.at)


@applies(StockMoved, after=replica.take_movements)
def hear_movements(ctx: Context, fact: StockMoved) -> None:
    """Hear by what was taken away that a store without a node looked (rule 6)."""
    if fact.why in BECAUSE:
        gone = Counter[str]()
        for _key, sku, qty, _source, _target in fact.movements:
            gone[sku] += qty
        hear_by_hand(ctx.session, fact.store_id, gone, dt.datetime.fromisoformat(fact.at), lot=fact.lot, at=ctx.at)

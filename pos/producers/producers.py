"""Goods of local producers that the store sells for them: whose they are, in which lots they came, and who bought them.

Rules
-----
1. A product sold for a producer is the store's own product and belongs to that one producer: the till's code says whose
   it is. The store owns none of it; it keeps a commission, of which an agent may have a part.
2. A sale takes from the oldest lot first (`producer_lots`), in the sale's own transaction; each part of a line is a
   move that names sale, line and lot. So a lot leads to its receipts, and a receipt to its lots.
3. What a customer brings back is a move that answers the one it was sold by, and undoes its share of money: all of a
   line brought back leaves exactly nothing.
4. Shared is the net: what was charged after offers, without the tax. Commission and agent's part are rounded half up,
   once per move; the producer's due is the rest.
5. What goes back to the producer, or is spoilt, is not paid. What was sold beyond all lots is owed all the same.

Units: qty in stock units, below zero for what came back; *_minor minor units; *_bp basis points of the net.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows, table_of
from config.errors import Conflict, Invalid, NotFound, Refused
from config.finding import Finding
from config.ids import new_id
from config.money import BASIS, divide_half_up, part_of
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from config.prepared import PreparedForSome
from pos.catalogue.catalogue import Product
from pos.facts import SaleCompleted, SoldLine
from pos.producers import agents
from pos.stock import batches, producer_lots, stock, waste
from pos.stock.batches import Lot
from pos.stock.ledger import MOST_QTY, Place, Source
from pos.stock.producer_lots import ProducerLot
from pos.store.store import day_of

KINDS = ("farmer", "cooperative", "store", "maker")
MOST_COMMISSION_BP = 6_000


class Producer(Base):
    """Whose goods they are. account: where the money goes, as the producer wrote it."""

    __tablename__ = "producer"
    __table_args__ = (
        sa.CheckConstraint("agent_bp >= 0 and agent_bp <= commission_bp", name="agent_within_commission"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    """farmer | cooperative | store (a neighbour) | maker"""
    place: Mapped[str]
    phone: Mapped[str]
    account: Mapped[str]
    commission_bp: Mapped[int]
    agent_name: Mapped[str] = mapped_column(default="")
    """Who brought the producer to the store and gets a part of the commission."""
    agent_bp: Mapped[int] = mapped_column(default=0)
    joined_at: Mapped[dt.datetime]


@dataclass(frozen=True)
class ProducerFacts:
    """Who a producer is, and what was agreed. agent_*: of who brought them, as in `Producer`; '' and 0: nobody."""

    name: str
    commission_bp: int
    kind: str = "farmer"
    place: str = ""
    phone: str = ""
    account: str = ""
    agent_name: str = ""
    agent_bp: int = 0
    agent_account: str = ""
    agent_bic: str = ""


class ProducerProduct(Base):
    """A product sold for a producer, and its story."""

    __tablename__ = "producer_product"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    producer_id: Mapped[str]
    story: Mapped[str] = mapped_column(default="")


@append_only("statement_id")
class ProducerMovement(Base):
    """A part of a sale's line that was a producer's (rules 2 to 4); only its statement is written later, once."""

    __tablename__ = "producer_movement"
    __table_args__ = (
        sa.CheckConstraint("qty <> 0 and net_minor = commission_minor + due_minor", name="adds_up"),
        sa.Index("ix_producer_movement_lot", "store_id", "lot_id"),
        sa.Index("ix_producer_movement_sale", "store_id", "sale_id"),
        sa.Index("ix_producer_movement_answers", "store_id", "answers_id"),
        sa.Index("ix_producer_movement_open", "store_id", "producer_id", "statement_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    producer_id: Mapped[str]
    sku: Mapped[str]
    lot_id: Mapped[str | None]
    """None: sold beyond all lots (rule 5)."""
    sale_id: Mapped[str]
    line_n: Mapped[int]
    qty: Mapped[int]
    net_minor: Mapped[int]
    commission_minor: Mapped[int]
    agent_minor: Mapped[int]
    """The agent's part of the commission."""
    agent_name: Mapped[str] = mapped_column(default="", server_default="")
    """Whose part that is; '' where nobody has one (`agents` rule 2)."""
    due_minor: Mapped[int]
    answers_id: Mapped[str | None]
    """The move this one undoes (rule 3)."""
    business_day: Mapped[dt.date]
    at: Mapped[dt.datetime]
    statement_id: Mapped[str | None]


# --- verbs ---


def add_producer(ctx: Context, store_id: str, facts: ProducerFacts, *, id: str) -> Producer:
    """Take a producer in, or change what was agreed: it holds for what is sold from now on. id: made by the page."""
    name, agent_name = " ".join(facts.name.split()), " ".join(facts.agent_name.split())
    commission_bp, agent_bp = facts.commission_bp, facts.agent_bp
    if not 1 <= len(name) <= 80 or facts.kind not in KINDS:
        raise Invalid("bad-producer", "Enter the producer's name and type.", field="name")
    if not 0 <= commission_bp <= MOST_COMMISSION_BP or not 0 <= agent_bp <= commission_bp:
        raise Invalid(
            "bad-commission-share", "The commission can be up to %(most_bp)s, including the agent's share.",
            most_bp=MOST_COMMISSION_BP, field="commission",
        )  # fmt: skip
    if bool(agent_name) != bool(agent_bp):
        raise Invalid(
            "bad-agent", "Enter both the agent's name and their share of the commission, or neither.", field="agent"
        )
    row = ctx.session.get(Producer, (store_id, id))
    if row is None:
        row = Producer(store_id=store_id, id=id, joined_at=ctx.at)
        ctx.session.add(row)
    row.name, row.kind, row.agent_name = name, facts.kind, agent_name
    row.commission_bp, row.agent_bp = commission_bp, agent_bp
    row.place, row.phone, row.account = facts.place.strip(), facts.phone.strip(), facts.account.strip()
    ctx.session.flush()
    if agent_name:
        agents.say(ctx, store_id, agent_name, facts.agent_account, facts.agent_bic)
    journal.record(
        ctx, verb="producer.agreed", subject=f"producer:{id}", name=name,
        commission_bp=commission_bp, agent_bp=agent_bp)  # fmt: skip
    return row


def sell_for(ctx: Context, store_id: str, producer_id: str, sku: str, story: str = "") -> ProducerProduct:
    """Sell a product of the store's own for a producer (rule 1), or change its story."""
    producer_of(ctx.session, store_id, producer_id)
    product = ctx.session.get(Product, sku)
    if product is None or product.owner_id != store_id or product.kind != "goods":
        raise Refused("not-own-product", "Add it as your own product first.", sku=sku)
    row = ctx.session.get(ProducerProduct, (store_id, sku))
    if row is not None and row.producer_id != producer_id:
        raise Conflict(
            "another-producer", "%(name)s is already sold for another producer.", name=product.shown, sku=sku
        )
    if row is None:
        here = stock.levels(ctx.session, store_id, [sku]).get(sku)
        if here is not None and here.on_hand:
            raise Refused(
                "own-stock-left", "%(name)s: sell or write off your own stock first.", name=product.shown, sku=sku
            )
        row = ProducerProduct(store_id=store_id, sku=sku, producer_id=producer_id)
        ctx.session.add(row)
    row.story = story.strip()[:2000]
    ctx.session.flush()
    journal.record(ctx, verb="produce.listed", subject=f"producer:{producer_id}", sku=sku)
    return row


def take_in(
    ctx: Context,
    store_id: str,
    sku: str,
    qty: int,
    *,
    id: str,
    code: str = "",
    harvested_on: dt.date | None = None,
    expires_on: dt.date | None = None,
) -> ProducerLot:
    """Take a lot in; the same id again is the same lot. code: '' for one made of day and number."""
    if (known := ctx.session.get(ProducerLot, (store_id, id))) is not None:
        return known
    goods = ctx.session.get(ProducerProduct, (store_id, sku))
    if goods is None:
        raise NotFound("not-produce", "This product is not from a local producer.", sku=sku)
    if not 0 < qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter how much arrived.", sku=sku, qty=qty, field="qty")
    day = day_of(ctx.session, store_id, ctx.at)
    if harvested_on is not None and not day - dt.timedelta(days=730) <= harvested_on <= day:
        raise Invalid("bad-harvest", "The harvest date must be today or earlier.", field="harvested_on")
    code = " ".join(code.split())[:30] or _next_code(ctx.session, store_id, day)
    if ctx.session.scalar(sa.select(ProducerLot.id).where(ProducerLot.store_id == store_id, ProducerLot.code == code)):
        raise Conflict("lot-code-used", "Lot %(lot)s already exists. Enter another one.", field="code", lot=code)
    lot = ProducerLot(
        store_id=store_id, id=id, producer_id=goods.producer_id, sku=sku, code=code, harvested_on=harvested_on,
        came_on=day, came_at=ctx.at, came_qty=qty, left_qty=qty, back_qty=0, lost_qty=0,
    )  # fmt: skip
    ctx.session.add(lot)
    stock.receive(ctx, store_id, [(sku, qty)], source_kind="produce", source_id=id)
    batches.lay_in(
        ctx.session, store_id, [Lot(sku, qty, code, expires_on)], source_kind="produce", source_id=id, at=ctx.at
    )
    journal.record(ctx, verb="produce.came", subject=f"lot:{id}", sku=sku, qty=qty, code=code)
    ctx.session.flush()
    return lot


def take_out(ctx: Context, store_id: str, lot_id: str, qty: int, *, lost: bool, id: str) -> ProducerLot:
    """Give what is left of a lot back to its producer, or write it off as spoilt (rule 5)."""
    query = lock_rows(
        ctx.session, sa.select(ProducerLot).where(ProducerLot.store_id == store_id, ProducerLot.id == lot_id)
    )
    lot: ProducerLot | None = ctx.session.scalar(query.execution_options(populate_existing=True))
    if lot is None:
        raise NotFound("unknown-lot", "Lot not found.", lot=lot_id)
    if not 0 < qty <= lot.left_qty:
        raise Invalid("more-than-left", "Only %(left)s of this lot are left.", left=lot.left_qty, field="qty")
    source = Source("wasted" if lost else "sent_back", "produce", id)
    place = Place.WASTE if lost else Place.SUPPLIER
    waste.take_out(ctx, store_id, [(lot.sku, qty)], place, source, lot=lot.code, why=lot.code)
    batches.let_go(ctx.session, store_id, [Lot(lot.sku, qty, lot.code)])
    verb = "produce.lost" if lost else "produce.went_back"
    journal.record(ctx, verb=verb, subject=f"lot:{lot.id}", qty=qty)
    ctx.session.flush()
    return lot


def settle(session: Session, fact: SaleCompleted, theirs: Mapping[str, str], at: dt.datetime) -> None:
    """Note whose a sale's goods were (rules 2 to 4). theirs: SKU -> producer, as `THEIRS` finds it for its goods."""
    store_id = str(fact.store["id"])
    spoilt: Counter[str] = Counter()
    for _id, sku, qty, from_place, to_place in fact.movements:
        if (from_place, to_place) == (Place.CUSTOMER, Place.WASTE):
            spoilt[sku] += qty
    for line in fact.lines:
        if line.sku in theirs and line.kind == "goods":
            producer = session.get_one(Producer, (store_id, theirs[line.sku]))
            if line.qty > 0:
                _sold(session, fact, line, producer, at)
            elif line.returns_sale_id is not None:
                _came_back(session, fact, line, spoilt, at)
    session.flush()


# --- questions ---


def producer_of(session: Session, store_id: str, producer_id: str) -> Producer:
    """Return a producer."""
    row = session.get(Producer, (store_id, producer_id))
    if row is None:
        raise NotFound("unknown-producer", "Producer not found.", producer=producer_id)
    return row


def lots_of(session: Session, store_id: str, producer_id: str, limit: int = 60) -> list[ProducerLot]:
    """Return a producer's lots: those with something left first, then the newest."""
    query = sa.select(ProducerLot).where(ProducerLot.store_id == store_id, ProducerLot.producer_id == producer_id)
    return list(session.scalars(query.order_by(ProducerLot.left_qty == 0, ProducerLot.came_at.desc()).limit(limit)))


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """K18: a lot's moves are what it says it sold, its goods are there, and no move undoes more than was sold."""
    of_store = [] if store_id is None else [ProducerMovement.store_id == store_id]
    sums = sa.select(ProducerMovement.store_id, ProducerMovement.lot_id, sa.func.sum(ProducerMovement.qty))
    rows = session.execute(sums.where(*of_store).group_by(ProducerMovement.store_id, ProducerMovement.lot_id))
    sold = {(store, lot_id): int(qty) for store, lot_id, qty in rows}
    lots = sa.select(ProducerLot).where(*([] if store_id is None else [ProducerLot.store_id == store_id]))
    found = [
        Finding("K18", f"lot:{lot.id}", f"{lot.sold_qty} sold", f"{sold.get((lot.store_id, lot.id), 0)} by its moves")
        for lot in session.scalars(lots)
        if lot.sold_qty != sold.get((lot.store_id, lot.id), 0)
    ]
    most = sa.select(ProducerMovement.store_id, ProducerMovement.sku, sa.func.sum(ProducerMovement.qty))
    most = most.where(ProducerMovement.lot_id.is_(None), ProducerMovement.qty > 0, *of_store)
    beyond = {(store, sku): int(qty) for store, sku, qty in session.execute(most.group_by(*most.selected_columns[:2]))}
    found += producer_lots.overstated_lots(session, store_id, beyond)
    names = ("qty", "net_minor", "commission_minor", "agent_minor", "due_minor")
    minors = [sa.func.sum(getattr(ProducerMovement, name)) for name in names]
    answers = sa.select(ProducerMovement.store_id, ProducerMovement.answers_id, *minors)
    answers = answers.where(ProducerMovement.answers_id.is_not(None), *of_store)
    for store, answers_id, *undone in session.execute(
        answers.group_by(ProducerMovement.store_id, ProducerMovement.answers_id)
    ):
        move = session.get_one(ProducerMovement, (store, answers_id))
        left = [getattr(move, name) + int(part) for name, part in zip(names, undone, strict=True)]
        if left[0] < 0 or (left[0] == 0 and any(left)):
            found.append(Finding("K18", f"sale:{move.sale_id}", "no more undone than sold", f"{undone} of {move.qty}"))
    return found


# --- inside ---


def _sold(session: Session, fact: SaleCompleted, line: SoldLine, producer: Producer, at: dt.datetime) -> None:
    """Take a line from the oldest lots, its money with it; what is beyond all lots is a part of its own (rule 5)."""
    done = 0
    for lot, part in producer_lots.take(session, producer.store_id, line.sku, line.qty):
        _write(session, fact, line, producer, lot.id, done, part, at)
        done += part
    if done < line.qty:
        _write(session, fact, line, producer, None, done, line.qty - done, at)


def _write(
    session: Session, fact: SaleCompleted, line: SoldLine, producer: Producer, lot_id: str | None, before: int,
    qty: int, at: dt.datetime,
) -> None:  # fmt: skip
    net_minor = part_of(line.net_minor, line.qty, before, qty)
    commission_minor = divide_half_up(net_minor * producer.commission_bp, BASIS)
    session.add(
        ProducerMovement(
            store_id=producer.store_id, id=new_id(), producer_id=producer.id, sku=line.sku, lot_id=lot_id,
            sale_id=fact.id, line_n=line.n, qty=qty, net_minor=net_minor, commission_minor=commission_minor,
            agent_minor=min(commission_minor, divide_half_up(net_minor * producer.agent_bp, BASIS)),
            agent_name=producer.agent_name,
            due_minor=net_minor - commission_minor, answers_id=None,
            business_day=dt.date.fromisoformat(fact.business_day), at=at, statement_id=None,
        )
    )  # fmt: skip


def _came_back(session: Session, fact: SaleCompleted, line: SoldLine, spoilt: Counter[str], at: dt.datetime) -> None:
    """Undo what a line was sold by, the last part first; whole parts undo to nothing (rule 3).

    spoilt: units that cannot be sold again, by SKU; they are lost to their lot.
    """
    sold = session.scalars(
        sa.select(ProducerMovement)
        .where(
            ProducerMovement.store_id == str(fact.store["id"]), ProducerMovement.sale_id == str(line.returns_sale_id),
            ProducerMovement.line_n == line.returns_n, ProducerMovement.qty > 0,
        )
        .order_by(ProducerMovement.id.desc())
    ).all()  # fmt: skip
    wanted = -line.qty
    for move in sold:
        answered = sa.select(sa.func.coalesce(sa.func.sum(-ProducerMovement.qty), 0)).where(
            ProducerMovement.store_id == move.store_id, ProducerMovement.answers_id == move.id
        )
        before = int(session.scalar(answered) or 0)
        part = min(wanted, move.qty - before)
        if part <= 0:
            continue
        wanted -= part
        net, commission, agent = (
            -part_of(minor, move.qty, before, part)
            for minor in (move.net_minor, move.commission_minor, move.agent_minor)
        )
        session.add(
            ProducerMovement(
                store_id=move.store_id, id=new_id(), producer_id=move.producer_id, sku=move.sku, lot_id=move.lot_id,
                sale_id=fact.id, line_n=line.n, qty=-part, net_minor=net, commission_minor=commission,
                agent_minor=agent, agent_name=move.agent_name, due_minor=net - commission, answers_id=move.id,
                business_day=dt.date.fromisoformat(fact.business_day), at=at, statement_id=None,
            )
        )  # fmt: skip
        if move.lot_id is not None:
            lost = min(part, spoilt[move.sku])
            spoilt[move.sku] -= lost
            lot = session.get_one(ProducerLot, (move.store_id, move.lot_id))
            lot.left_qty += part - lost
            lot.lost_qty += lost
        session.flush()


def _next_code(session: Session, store_id: str, day: dt.date) -> str:
    query = sa.select(sa.func.count()).where(ProducerLot.store_id == store_id, ProducerLot.came_on == day)
    return f"L{day:%y%m%d}-{int(session.scalar(query) or 0) + 1}"


_goods = table_of(ProducerProduct).c
# every sale asks this, so the statement is made once
THEIRS = PreparedForSome(
    lambda skus: sa.select(_goods.sku, _goods.producer_id).where(
        _goods.store_id == sa.bindparam("store", type_=sa.Text), _goods.sku.in_(skus)
    )
)


def products_of(session: Session, store_id: str, producer_id: str) -> Sequence[tuple[ProducerProduct, Product]]:
    """Return what is sold for a producer, by name."""
    query = (
        sa.select(ProducerProduct, Product)
        .join(Product, Product.sku == ProducerProduct.sku)
        .where(ProducerProduct.store_id == store_id, ProducerProduct.producer_id == producer_id)
        .order_by(Product.name)
    )
    return [(goods, product) for goods, product in session.execute(query)]


def producers_of(session: Session, store_id: str, skus: Collection[str]) -> dict[str, Producer]:
    """Return whose these products are, those of the store's own stock left out."""
    query = (
        sa.select(ProducerProduct.sku, Producer)
        .join(
            Producer, sa.and_(Producer.store_id == ProducerProduct.store_id, Producer.id == ProducerProduct.producer_id)
        )
        .where(ProducerProduct.store_id == store_id, ProducerProduct.sku.in_(skus))
    )
    return dict(session.execute(query).all())

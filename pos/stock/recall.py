"""Recall: a product, or one batch of it, that must not be sold any more, and who may have bought it.

Rules
-----
1. A recall names a product and perhaps one batch; without a batch it means every piece. A store that calls the same one
   twice meets a Conflict while it lasts.
2. A recalled piece is refused at the till with what to do. While only a batch is recalled, a piece whose batch is
   not known is refused too, until somebody has looked through the store and cleared it; from then on only a piece
   that is known to be of that batch is refused.
3. A recall is lifted once, with a reason, and stays in the books.
4. The network's recall bears its id in every book, beside whatever else is called there; it says what becomes of the
   goods, and only the network lifts it.
5. Goods of it that come in later bring a cleared one back: somebody has to look again.
6. `refuse` is asked in every sale: while nothing is recalled it is one look into a partial index, which holds recalls
   in force alone.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor, Context
from config.prepared import Prepared
from config.states import StateTable
from pos.catalogue.catalogue import Product
from pos.sold import Sale, SaleLine

STATES = StateTable("recall", "called", {"called": ("cleared", "lifted"), "cleared": ("called", "lifted")})
LONGEST = 200
AFTERWARDS = ("destroy", "send_back")
"""What the network asks for: that the goods are destroyed where they are, or given to the driver."""


class Recall(Base):
    """A product or batch that must not be sold."""

    __tablename__ = "recall"
    __table_args__ = (
        sa.Index(
            "ix_recall_in_force",
            "store_id",
            "sku",
            sqlite_where=sa.text("state <> 'lifted'"),
        ),
    )
    STATES: ClassVar[StateTable] = STATES

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    batch: Mapped[str | None]
    """None: every piece, whatever its batch."""
    state: Mapped[str]
    why: Mapped[str]
    called_by: Mapped[str]
    """Who asks for it back: the maker, the supplier, an authority."""
    called_at: Mapped[dt.datetime]
    cleared_at: Mapped[dt.datetime | None]
    """None: nobody has looked, or not since goods of it came in (rule 5)."""
    lifted_at: Mapped[dt.datetime | None]
    lifted_why: Mapped[str] = mapped_column(default="")
    afterwards: Mapped[str] = mapped_column(default="", server_default="")
    """One of AFTERWARDS; '': it is the store's own (rule 4)."""
    taken_qty: Mapped[int | None]
    """What was taken away until it was cleared."""
    settled_qty: Mapped[int | None]
    """What of that the network credited; None: it has not looked at it yet."""
    reported_how: Mapped[str] = mapped_column(default="", server_default="")
    """At the network: how the store heard what holds now, 'node' | 'hand'; '': nobody has told it."""

    def means(self, batch: str | None) -> bool:
        """Tell whether a piece of a batch is recalled for certain; None: nobody knows its batch."""
        return self.batch is None or self.batch == batch

    def stops(self, batch: str | None) -> bool:
        """Tell whether a piece of a batch may not leave (rule 2); None: nobody knows its batch."""
        return self.means(batch) or (batch is None and self.state == "called")


@dataclass(frozen=True)
class SoldOf:
    """A receipt line that sold the recalled product. sure: its batch is known to be the recalled one.

    qty is below zero where goods came back.
    """

    sale_id: str
    till_id: str
    receipt_no: int
    completed_at: dt.datetime
    qty: int
    batch: str | None
    customer_id: str | None
    sure: bool


# --- verbs ---


def call(
    ctx: Context,
    store_id: str,
    sku: str,
    batch: str | None = None,
    *,
    id: str | None = None,
    why: str,
    called_by: str = "",
    afterwards: str = "",
) -> Recall:
    """Stop a product, or one batch of it, from being sold (rule 1). afterwards: it is the network's (rule 4)."""
    batch = tidy_batch(batch)
    why, called_by = " ".join(why.split())[:LONGEST], " ".join(called_by.split())[:LONGEST]
    if not why:
        raise Invalid("no-reason", "Enter a reason for the recall.", field="why")
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    same = not afterwards and any(row.batch in (None, batch) for row in in_force(ctx.session, store_id, [sku]))
    if same or (id is not None and ctx.session.get(Recall, (store_id, id)) is not None):
        raise Conflict("already-recalled", "This is already recalled.", sku=sku, batch=batch)
    row = Recall(
        store_id=store_id, id=id or new_id(), sku=sku, batch=batch, state=STATES.first, why=why, called_by=called_by,
        called_at=ctx.at, lifted_why="", afterwards=afterwards,
    )  # fmt: skip
    ctx.session.add(row)
    facts = {"sku": sku, "batch": batch, "why": why, "called_by": called_by}
    journal.record(ctx, verb="recall.called", subject=subject_of(row), **facts)
    ctx.session.flush()
    return row


def clear(ctx: Context, store_id: str, recall_id: str, taken_qty: int) -> Recall:
    """Say that somebody looked through the store and took every recalled piece away (rule 2)."""
    row = recall_of(ctx.session, store_id, recall_id)
    journal.move(ctx, row, "cleared", subject=subject_of(row), units=taken_qty)
    row.cleared_at, row.taken_qty = ctx.at, (row.taken_qty or 0) + taken_qty
    ctx.session.flush()
    return row


def lift(ctx: Context, store_id: str, recall_id: str, *, why: str) -> Recall:
    """End a recall; from now on the product is sold again (rule 3)."""
    row = recall_of(ctx.session, store_id, recall_id)
    why = stated(why, Invalid("no-reason", "Enter a reason for lifting the recall.", field="why"), LONGEST)
    journal.move(ctx, row, "lifted", subject=subject_of(row), why=why)
    row.lifted_at, row.lifted_why = ctx.at, why
    ctx.session.flush()
    return row


def goods_received(session: Session, store_id: str, lots: Iterable[tuple[str, str | None]], *, at: dt.datetime) -> None:
    """Let a place be looked through again when recalled goods came in after it was (rule 5). lots: (sku, batch)."""
    came, actor = set(lots), Actor.system("recall", store_id)
    for row in in_force(session, store_id, sorted({sku for sku, _batch in came})):
        if row.state == "cleared" and any(sku == row.sku and row.stops(tidy_batch(batch)) for sku, batch in came):
            journal.move(Context(session, actor, at), row, "called", subject=subject_of(row))
            row.cleared_at = None
    session.flush()


# --- questions ---


def refuse(session: Session, store_id: str, lines: Sequence[tuple[str, str | None]]) -> None:
    """Raise Refused when a (sku, batch) is recalled, naming every such line (rules 2, 4)."""
    if recalls := holding(session, store_id, sorted({sku for sku, _ in lines})):
        refuse_recalled(recalls, lines, _names(session, [row.sku for row in recalls]))


def holding(session: Session, store_id: str, skus: Sequence[str]) -> list[Recall]:
    """Return the recalls in force of some products; one tiny question while nothing is recalled (rule 6)."""
    if not skus or ANY.first(session, {"store": store_id}) is None:
        return []
    return in_force(session, store_id, skus)


def refuse_recalled(
    recalls: Sequence[Recall], lines: Iterable[tuple[str, str | None]], names: Mapping[str, str]
) -> None:
    """Raise Refused when one of these recalls stops a (sku, batch) of a basket, naming every such line (rules 2, 4).

    names: SKU -> the product's. stopped: those lines as they were given.
    """
    asked = [(sku, said, tidy_batch(said)) for sku, said in lines]
    touched = [(row, sku, said, batch) for sku, said, batch in asked for row in recalls if row.sku == sku]
    sure = [one for one in touched if one[0].means(one[3])]
    hits = sure or [one for one in touched if one[0].stops(one[3])]
    if not hits:
        return
    rows = [row for row, *_line in hits]
    facts: dict[str, Any] = {
        "skus": sorted({row.sku for row in rows}),
        "names": sorted({names[row.sku] for row in rows}),
        "batches": sorted({row.batch for row in rows if row.batch}),
        "why": rows[0].why,
        "stopped": sorted({(sku, said) for _row, sku, said, _batch in hits}, key=str),
    }
    reported = ", ".join(facts["names"])
    if sure:
        raise Refused(
            "recalled", "%(reported)s is recalled: %(why)s. Do not sell it; set it aside and tell the shopkeeper.",
            reported=reported, **facts,
        )  # fmt: skip
    raise Refused(
        "recalled-batch",
        "Batch %(batches)s of %(reported)s is recalled: %(why)s. Check the batch on the pack. Set "
        "that batch aside; for another batch, scan or enter it.", reported=reported, **facts,
    )  # fmt: skip


def in_force(session: Session, store_id: str, skus: Sequence[str] | None = None) -> list[Recall]:
    """Return the recalls that hold, the newest first; of some products when asked."""
    query = sa.select(Recall).where(Recall.store_id == store_id, sa.text("recall.state <> 'lifted'"))
    if skus is not None:
        query = query.where(Recall.sku.in_(skus))
    return list(session.scalars(query.order_by(Recall.called_at.desc(), Recall.id)))


def mark(session: Session, store_id: str) -> str:
    """Return what is another text whenever something else is refused here; '' while nothing is recalled."""
    if ANY.first(session, {"store": store_id}) is None:
        return ""
    said = [(row.id, row.state) for row in in_force(session, store_id)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def off_sale(session: Session, store_id: str) -> set[str]:
    """Return the products nobody can be promised: wholly recalled, or of which a batch waits to be looked for."""
    return {row.sku for row in in_force(session, store_id) if row.stops(None)}


def to_look_through(session: Session, store_id: str) -> int:
    """Return how many recalls nobody has looked through a place for yet."""
    return sum(row.state == "called" for row in in_force(session, store_id))


def recalls(session: Session, store_id: str, limit: int = 100) -> list[Recall]:
    """Return a store's recalls, those in force first, then the newest."""
    query = sa.select(Recall).where(Recall.store_id == store_id)
    return list(
        session.scalars(query.order_by(Recall.state == "lifted", Recall.called_at.desc(), Recall.id).limit(limit))
    )


def sold_of(session: Session, row: Recall, *, since: dt.date, limit: int = 500) -> list[SoldOf]:
    """Return what was sold of it since a day, the newest first: lines of its batch, and lines of no known batch."""
    query = (
        sa.select(
            Sale.id, Sale.till_id, Sale.receipt_no, Sale.completed_at, Sale.customer_id, SaleLine.qty, SaleLine.batch
        )
        .join(SaleLine, sa.and_(SaleLine.store_id == Sale.store_id, SaleLine.sale_id == Sale.id))
        .where(SaleLine.store_id == row.store_id, SaleLine.sku == row.sku, Sale.business_day >= since)
        .order_by(Sale.completed_at.desc(), Sale.id)
    )
    answer = []
    for line in session.execute(query):
        batch = tidy_batch(line.batch)
        if row.batch is None or batch in (None, row.batch):
            sure = row.means(batch)
            answer.append(
                SoldOf(
                    line.id, line.till_id, line.receipt_no, line.completed_at, line.qty, batch, line.customer_id, sure
                )
            )
    return sorted(answer[:limit], key=lambda one: not one.sure)


def recall_of(session: Session, store_id: str, recall_id: str) -> Recall:
    """Return a recall; NotFound when there is none of that id."""
    row = session.get(Recall, (store_id, recall_id))
    if row is None:
        raise NotFound("unknown-recall", "Recall not found.", recall_id=recall_id)
    return row


def subject_of(row: Recall) -> str:
    """Return a recall as the journal names it."""
    return f"recall:{row.id}"


def tidy_batch(batch: str | None) -> str | None:
    """Return a batch as it is compared: upper case without blanks around; None when nothing is left."""
    if batch is None:
        return None
    text = "".join(letter for letter in batch if letter.isprintable()).strip().upper()
    if len(text) > 40:
        raise Invalid("bad-batch", "A batch number can have up to 40 characters.", field="batch")
    return text or None


# --- inside ---


def _names(session: Session, skus: Sequence[str]) -> dict[str, str]:
    return dict(session.execute(sa.select(Product.sku, Product.shown).where(Product.sku.in_(skus))).all())


_recall = table_of(Recall).c
_FIRST_IN_FORCE = sa.select(_recall.id).where(_recall.store_id == sa.bindparam("store"), sa.text("state <> 'lifted'"))
"""The words are those of the index, so that it is used."""
ANY = Prepared(_FIRST_IN_FORCE.limit(1))

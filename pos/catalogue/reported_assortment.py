"""What a store tells the network of its assortment: the network's products it sells, whole, when they changed.

Rules
-----
1. A store tells which of the network's products it lists, and which of them it orders no more. Its own products stay
   its own matter.
2. It tells all of them when anything changed since it last did, or its books were put back; the newest step counts,
   whatever order they arrive in.
3. At the network it is the store's listing, and nothing else changes it there. What the network does not know is left
   out.
"""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.clock import as_utc
from config.database import Base
from config.errors import Invalid
from config.nodes import door
from config.nodes.facts import STORE, Count, Fact, applies
from config.nodes.journal import Context
from config.nodes.node import epoch_of
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Listing, Product
from pos.store.store import send_fact

MOST_PRODUCTS = 20_000


class AssortmentReported(Fact, topic="assortment.reported", said_by=STORE):
    """What a store sells of the network's products, by SKU. ending: of those listed, what it orders no more."""

    store_id: str
    step: Count
    listed: tuple[str, ...]
    ending: tuple[str, ...]


class AssortmentReport(Base):
    """What a store last told. step: rising; mark: what of, at the store alone."""

    __tablename__ = "assortment_report"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    mark: Mapped[str] = mapped_column(default="")
    reported_at: Mapped[dt.datetime]


def report(ctx: Context, store_id: str) -> int:
    """Tell the network what the store sells, where that changed (rules 1, 2); returns how many products, or 0."""
    rows = ctx.session.execute(
        sa.select(Listing.sku, Listing.ordered)
        .join(Product, Product.sku == Listing.sku)
        .where(Listing.store_id == store_id, Listing.active, Product.owner_id == EVERYONE)
        .order_by(Listing.sku)
        .limit(MOST_PRODUCTS)
    ).all()
    listed, ending = tuple(sku for sku, _ in rows), tuple(sku for sku, ordered in rows if not ordered)
    said = "\n".join((epoch_of(ctx.session), *listed, "", *ending))
    mark, known = hashlib.sha256(said.encode()).hexdigest(), ctx.session.get(AssortmentReport, store_id)
    if known is not None and known.mark == mark:
        return 0
    step = max(known.step + 1 if known else 0, int(as_utc(ctx.at).timestamp() * 1000))
    ctx.session.merge(AssortmentReport(store_id=store_id, step=step, mark=mark, reported_at=ctx.at))
    fact = AssortmentReported(store_id, step, listed, ending)
    send_fact(ctx.session, fact, subject=f"store:{store_id}", at=ctx.at)
    return len(listed)


@applies(AssortmentReported)
def hear(ctx: Context, fact: AssortmentReported) -> None:
    """Keep what a store says it sells (rule 3); an older word that arrives late changes nothing."""
    wanted, ending = set(fact.listed), set(fact.ending)
    if len(fact.listed) > MOST_PRODUCTS or not ending <= wanted:
        raise Invalid("field-odd", "%(topic)s: the field “%(field)s” is not valid.", topic=fact.TOPIC, field="listed")
    known = ctx.session.get(AssortmentReport, fact.store_id)
    if known is not None and known.step >= fact.step:
        return
    step = door.number(fact.step, "step")
    ctx.session.merge(AssortmentReport(store_id=fact.store_id, step=step, mark="", reported_at=ctx.at))
    _keep(ctx.session, fact.store_id, wanted, ending)
    ctx.session.flush()


def _keep(session: Session, store_id: str, wanted: set[str], ending: set[str]) -> None:
    """Change the listings that are otherwise."""
    mine = {row.sku: row for row in session.scalars(sa.select(Listing).where(Listing.store_id == store_id))}
    for sku, row in mine.items():
        row.active, row.ordered = sku in wanted, sku not in ending
    skus = session.scalars(sa.select(Product.sku).where(Product.owner_id == EVERYONE).order_by(Product.sku))
    new = [sku for sku in skus if sku in wanted and sku not in mine]
    write_many(session, Listing, [
        {"store_id": store_id, "sku": sku, "active": True, "ordered": sku not in ending, "hold_back_qty": 0,
         "quick_key": None, "cost_minor": None}
        for sku in new
    ])  # fmt: skip

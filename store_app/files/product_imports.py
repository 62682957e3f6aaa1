"""Imports of products: what each changed in a store, and taking one back as a whole.

Rules
-----
1. The journal's entry of an import ('import:<id>') keeps what was before: which products are new, which prices, costs
   and suppliers' terms it changed, the suppliers it made; its stock stands in the ledger under its id.
2. It can be undone once, as long as none of its products was sold, moved, ordered or changed since. New products are
   withdrawn, the others get back what they had, the stock is taken back, and suppliers it made are switched off. Tax
   classes stay.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from config.words import N_
from pos.catalogue import new_products, till_edition
from pos.catalogue.catalogue import Listing, Price, Product
from pos.sold import Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import StockMovement
from supply.orders import suppliers
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import CasePack, SupplierProduct

IMPORTED, UNDONE = "products.imported", "products.import_undone"
SHOWN = 5


@dataclass
class Before:
    """What an import changes, and what was before (rule 1)."""

    id: str
    described: str
    new: list[str] = field(default_factory=list)
    prices: dict[str, list[Any]] = field(default_factory=dict)
    """Product -> the day, the own price of that day, whether it was listed and sold, and its cost."""
    terms: list[list[Any]] = field(default_factory=list)
    """Supplier, product, and the pack before; None: there was none."""
    suppliers: list[str] = field(default_factory=list)

    def keep_price(self, session: Session, store_id: str, sku: str, day: dt.date) -> None:
        """Keep the price and listing of a product that is about to change."""
        price, listed = session.get(Price, (sku, store_id, day)), session.get(Listing, (store_id, sku))
        self.prices[sku] = [
            day.isoformat(), price.price_minor if price else None,
            listed.active if listed else None, listed.cost_minor if listed else None,
        ]  # fmt: skip

    def keep_terms(self, session: Session, supplier_id: str, skus: Sequence[str]) -> None:
        """Keep how a supplier sells products that are about to change."""
        mine = sa.select(SupplierProduct).where(SupplierProduct.supplier_id == supplier_id)
        was = {
            one.sku: [one.pack_qty, one.pack_cost_minor, one.minimum_packs, one.article_no]
            for one in session.scalars(mine)
        }
        self.terms += [[supplier_id, sku, was.get(sku)] for sku in skus]

    @property
    def skus(self) -> list[str]:
        """Return the products it touched."""
        return list(dict.fromkeys([*self.new, *self.prices, *(sku for _supplier, sku, _was in self.terms)]))


@dataclass(frozen=True)
class Import:
    """An import as the page lists it."""

    id: str
    at: dt.datetime
    who: str
    before: Before
    is_undone: bool


def record_import(ctx: Context, before: Before) -> None:
    """Keep what an import changed, unless it changed nothing."""
    if before.skus:
        journal.record(ctx, verb=IMPORTED, subject=f"import:{before.id}", **vars(before))


def recent(session: Session, node_id: str) -> list[Import]:
    """Return the last imports, the newest first."""
    entries = _entries(node_id).where(JournalEntry.subject.between("import:", "import;")).where(
        JournalEntry.verb == IMPORTED
    )  # fmt: skip
    found = session.scalars(entries.order_by(JournalEntry.n.desc()).limit(SHOWN)).all()
    undone = set(session.scalars(
        sa.select(JournalEntry.subject).where(
            JournalEntry.node_id == node_id, JournalEntry.verb == UNDONE,
            JournalEntry.subject.in_([one.subject for one in found]),
        )
    ))  # fmt: skip
    return [Import(_before(one).id, one.at, one.actor_name, _before(one), one.subject in undone) for one in found]


def undo(ctx: Context, store_id: str, import_id: str) -> int:
    """Take an import back (rule 2); returns how many products it touched."""
    entries = ctx.session.scalars(
        _entries(ctx.actor.node).where(JournalEntry.subject == f"import:{import_id}").order_by(JournalEntry.n)
    ).all()
    if not entries:
        raise NotFound("no-such-import", "This import is not in the list any more. Reload the page.")
    if entries[-1].verb == UNDONE:
        raise Refused("import-undone", "This import was already undone.")
    before = _before(entries[0])
    if (used := next(_used(ctx.session, store_id, entries[0], before), None)) is not None:
        sku, sentence = used
        product = ctx.session.get_one(Product, sku)
        raise Refused("import-used", sentence, name=product.shown)
    stock.undo_opening(ctx, store_id, source_id=import_id)
    _restore_terms(ctx, before)
    new_products.withdraw(ctx, before.new, owner_id=store_id)
    _restore_prices(ctx, store_id, before)
    journal.record(ctx, verb=UNDONE, subject=f"import:{import_id}")
    return len(before.skus)


# --- inside ---


def _entries(node_id: str) -> sa.Select[JournalEntry]:
    return sa.select(JournalEntry).where(JournalEntry.node_id == node_id)


def _before(entry: JournalEntry) -> Before:
    return Before(**json.loads(entry.body))


def _used(session: Session, store_id: str, entry: JournalEntry, before: Before) -> Iterator[tuple[str, str]]:
    """Yield a product of an import that something happened to since, and the sentence that says what."""
    sold = (
        sa.select(SaleLine.sku)
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(SaleLine.store_id == store_id, Sale.completed_at > entry.at)
    )
    moved = sa.select(StockMovement.sku).where(
        StockMovement.store_id == store_id, StockMovement.at > entry.at, StockMovement.source_id != before.id
    )
    ordered = (
        sa.select(OrderLine.sku)
        .join(ReplenishmentOrder)
        .where(OrderLine.store_id == store_id, ReplenishmentOrder.proposed_at > entry.at)
    )
    changed = sa.select(sa.func.substr(JournalEntry.subject, len("product:") + 1)).where(
        JournalEntry.node_id == entry.node_id, JournalEntry.n > entry.n,
        JournalEntry.subject.between("product:", "product;"),
    )  # fmt: skip
    mine = set(before.skus)
    for query, sentence in (
        (
            sold,
            N_("%(name)s has been sold since. This import can't be undone; stop selling individual products instead."),
        ),
        (
            ordered,
            N_(
                "%(name)s has since been added to an order. Remove it there, or stop selling individual "
                "products instead."
            ),
        ),
        (
            changed,
            N_("%(name)s has been changed since. This import can't be undone; change individual products instead."),
        ),
        (
            moved,
            N_(
                "The stock of %(name)s has changed since. "
                "This import can't be undone; stop selling individual products instead."
            ),
        ),
    ):
        yield from ((sku, sentence) for sku in sorted(mine & set(session.scalars(query.distinct()))))


def _restore_terms(ctx: Context, before: Before) -> None:
    for supplier_id, sku, was in before.terms:
        if was is None:
            suppliers.drop_product(ctx, supplier_id, sku)
        else:
            pack_qty, pack_cost_minor, minimum_packs, article_no = was
            pack = CasePack(pack_qty, pack_cost_minor, minimum_packs, article_no=article_no)
            suppliers.offer_product(ctx, supplier_id, sku, pack)
    for supplier_id in before.suppliers:
        suppliers.take_up(ctx, supplier_id, active=False)


def _restore_prices(ctx: Context, store_id: str, before: Before) -> None:
    for sku, (day, price_minor, is_active, cost_minor) in before.prices.items():
        price = ctx.session.get(Price, (sku, store_id, dt.date.fromisoformat(day)))
        if price is not None and price_minor is None:
            ctx.session.delete(price)
        elif price is not None:
            price.price_minor = price_minor
        listed = ctx.session.get_one(Listing, (store_id, sku))
        listed.active, listed.cost_minor = bool(is_active), cost_minor
        journal.record(ctx, verb="product.restored", subject=f"product:{sku}", price_minor=price_minor)
    till_edition.begin(ctx.session, store_id)

"""A store's incoming papers: taken in once, compared with what was ordered and received, and approved by a person.

Rules
-----
1. A document is taken in for this store alone, in its currency, of a supplier of its own. Whose it is, its tax number
   says where an earlier document bore it, else its name, or a person; from then on that tax number is theirs. A paper
   without a tax number is known by a GLN or address of earlier ones. What nobody looks at (`incoming`) has to be known
   by number: a name, and the sender of an e-mail, prove nothing.
2. Of one supplier a number comes once for each kind, unless the earlier one was discarded. Nothing is booked by a
   document: what it says changes a book only by a person's press.
3. An order is found by the number the document gives, or chosen. What is compared is looked up each time; an
   answer stays with the line and kind it was given for.
4. It is approved when every difference has an answer: a claim, the new cost, or accepted as it is. A credit memo is
   taken off one invoice, never more than is left to pay of it; which claims it answers, `claims.credit_memos` knows.
5. A despatch advice is an expected delivery. Of an order that nobody counts yet it says what really comes; further
   advices of the same order are deliveries of their own. Lines without a known product stay on the paper.

What is kept is what was read, not the file.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import divide_half_up
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue import assortment, catalogue
from pos.catalogue.catalogue import Barcode, Listing, Product, TaxClass
from pos.catalogue.repricing import Priced, Rule, margin_bp, reprice
from pos.stock import delivery_notes
from pos.store.store import day_of, store_of
from supply.facts import Advised
from supply.orders import deliveries, orders, suppliers
from supply.orders.deliveries import Advice, Delivery, DeliveryLine
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.receiving.documents import document as papers
from supply.receiving.documents import matching
from supply.receiving.documents.document import ADVICE, CREDIT, INVOICE, SupplierDocument
from supply.receiving.documents.matching import Difference, Matched, Ordered, Sold

STATES = StateTable("supplier document", "open", {"open": ["approved", "abandoned"]})
ACCEPTED, COST, CLAIM = "accepted", "cost", "claim:"
"""The answers to a difference; CLAIM goes on with the claim's id."""
_LATEST = 400
"""So many of a supplier's documents say what was billed before, and which tax numbers are theirs."""


class SupplierPaper(Base):
    """A document of a supplier's as it was read."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "supplier_document"
    __table_args__ = (
        sa.Index("ix_supplier_document_no", "store_id", "supplier_id", "kind", "number", unique=True,
                 sqlite_where=sa.text("state <> 'abandoned'")),
        sa.Index("ix_supplier_document_taken", "store_id", "taken_at"),
    )  # fmt: skip

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str]
    day: Mapped[dt.date]
    state: Mapped[str] = mapped_column(default=STATES.first)
    order_id: Mapped[str | None]
    delivery_id: Mapped[str | None]
    """The delivery that a despatch advice became."""
    invoice_id: Mapped[str | None]
    """The invoice that an approved credit memo is taken off."""
    payable_minor: Mapped[int]
    said: Mapped[dict[str, Any]]
    """The document (`document.as_json`)."""
    answers: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    """line:kind -> its answer (rule 3)."""
    taken_at: Mapped[dt.datetime]
    taken_by: Mapped[str]

    @property
    def document(self) -> SupplierDocument:
        """What was read."""
        return papers.from_json(self.said)


@dataclass(frozen=True)
class NewCost:
    """A billed cost beside the price that keeps the margin; margins in basis points, None where a price is missing."""

    pack_cost_minor: int
    price_minor: int | None
    kept_minor: int | None
    before_bp: int | None
    after_bp: int | None


# --- verbs ---


def take(
    ctx: Context, store_id: str, document: SupplierDocument, *, id: str, supplier_id: str = "", is_seen: bool = True
) -> SupplierPaper:
    """Take a document in (rules 1, 2, 5); the same id again is the one there.

    supplier_id: a person's choice. is_seen: a person adds it.
    """
    known = ctx.session.get(SupplierPaper, (store_id, id))
    if known is not None:
        return known
    store = store_of(ctx.session, store_id)
    if not papers.is_same(document.buyer, store.name, store.tax_number):
        raise Refused("other-buyer", "This document is for %(buyer)s, not for your store. Check name and tax number "
                      "under Store, or send it back.", buyer=document.buyer.names[0], field="file")  # fmt: skip
    if document.kind != ADVICE and document.currency != store.currency:
        raise Refused("other-currency", "This document is in %(theirs)s, but your store uses %(ours)s. "
                      "Ask the supplier.", theirs=document.currency, ours=store.currency, field="file")  # fmt: skip
    supplier = _supplier(ctx.session, store_id, document, supplier_id, is_seen=is_seen)
    if document.kind == ADVICE and not is_seen:
        raise Refused("advice-waits", "A shipping notice changes what you expect. Check it, then add it.")
    mine = (SupplierPaper.store_id == store_id, SupplierPaper.supplier_id == supplier.id)
    before = sa.select(SupplierPaper).where(
        *mine, SupplierPaper.kind == document.kind, SupplierPaper.number == document.number,
        SupplierPaper.state != "abandoned",
    )  # fmt: skip
    if (twin := ctx.session.scalar(before)) is not None:
        raise Conflict("document-twice", "%(number)s from %(name)s is already here, dated %(day)s.", id=twin.id,
                       number=document.number, name=supplier.name, day=twin.day, field="file")  # fmt: skip
    order = _order_named(ctx.session, store_id, supplier.id, document.order_ref)
    row = SupplierPaper(
        store_id=store_id, id=id, supplier_id=supplier.id, kind=document.kind, number=document.number,
        day=document.day, state=STATES.first, order_id=order.id if order else None, delivery_id=None,
        invoice_id=None, payable_minor=document.payable_minor, said=papers.as_json(document), answers={},
        taken_at=ctx.at, taken_by=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    journal.record(ctx, verb="supplier document.taken", subject=subject_of(row), supplier=supplier.id,
                   kind=row.kind, number=row.number, payable_minor=row.payable_minor)  # fmt: skip
    ctx.session.flush()
    if document.kind == ADVICE:
        _expect(ctx, row, document)
    return row


def choose_order(ctx: Context, store_id: str, id: str, order_id: str) -> SupplierPaper:
    """Say which order a document bills; '' for none (rule 3)."""
    row = _open(ctx.session, store_id, id)
    if order_id and order_id not in {order.id for order in orders_of(ctx.session, store_id, row.supplier_id)}:
        raise NotFound("unknown-order", "Order not found at this store.", order_id=order_id)
    row.order_id = order_id or None
    journal.record(ctx, verb="supplier document.ordered", subject=subject_of(row), order=order_id)
    ctx.session.flush()
    return row


def answer(ctx: Context, store_id: str, id: str, key: str, how: str) -> Matched:
    """Answer one difference (rule 4); returns its line. The same answer again changes nothing."""
    row = _open(ctx.session, store_id, id)
    found = {key_of(one, difference): one for one in matched(ctx.session, row) for difference in one.differences}
    if key not in found:
        raise NotFound("unknown-difference", "This difference is no longer there. Reload the page.")
    if row.answers.get(key, how) != how:
        raise Conflict("difference-answered", "This difference was already settled. Reload the page.")
    if key not in row.answers:
        row.answers = row.answers | {key: how}
        journal.record(ctx, verb="supplier document.answered", subject=subject_of(row), difference=key, how=how)
        ctx.session.flush()
    return found[key]


def take_cost(ctx: Context, store_id: str, id: str, key: str, *, price_too: bool) -> None:
    """Let a line's billed cost count from today, and where wished the shelf price that keeps the margin."""
    row = _open(ctx.session, store_id, id)
    if key in row.answers:
        return
    suppliers.own_supplier(ctx.session, store_id, row.supplier_id)
    one = answer(ctx, store_id, id, key, COST)
    if one.sold is None or not one.billed or not key.endswith(matching.PRICE):
        raise Refused("no-cost", "This line gives no cost.")
    today, sku = day_of(ctx.session, store_id, ctx.at), one.sold.sku
    new = new_cost(ctx.session, store_id, one, today)
    suppliers.set_cost(ctx, row.supplier_id, sku, new.pack_cost_minor, today, today=today)
    product = ctx.session.get_one(Product, sku)
    cost = delivery_notes.cost_of(one.line.total_minor, one.billed, product.price_quantity)
    delivery_notes.learn_costs(ctx, store_id, {sku: cost})
    if price_too and new.kept_minor is not None:
        assortment.reprice_all(ctx, store_id, [(sku, new.kept_minor)], today, today=today, command=f"{id}-{key}")


def approve(ctx: Context, store_id: str, id: str) -> SupplierPaper:
    """Approve a document whose differences all have an answer (rule 4)."""
    row = _open(ctx.session, store_id, id)
    if open_differences(row, matched(ctx.session, row)):
        raise Refused("differences-open", "Settle every difference first.")
    journal.move(ctx, row, "approved", subject=subject_of(row), payable_minor=row.payable_minor)
    ctx.session.flush()
    return row


def lower(ctx: Context, row: SupplierPaper, invoice_id: str) -> None:
    """Take a credit memo off an invoice of the same supplier (rule 4)."""
    invoice = paper_of(ctx.session, row.store_id, invoice_id)
    if (invoice.kind, invoice.supplier_id) != (INVOICE, row.supplier_id) or invoice.state == "abandoned":
        raise Refused("no-invoice-of-theirs", "%(number)s is no invoice of this supplier. Choose another.",
                      number=invoice.number)  # fmt: skip
    if row.payable_minor > (left := left_to_pay(ctx.session, invoice)):
        raise Refused("credit-exceeds-invoice", "Only %(left_minor)s are left to pay of invoice %(number)s. Choose "
                      "another invoice, or none.", left_minor=left, number=invoice.number,
                      currency=row.document.currency)  # fmt: skip
    row.invoice_id = invoice.id
    journal.record(ctx, verb="supplier document.lowered", subject=subject_of(invoice), by=row.id,
                   payable_minor=row.payable_minor)  # fmt: skip
    ctx.session.flush()


def discard(ctx: Context, store_id: str, id: str) -> SupplierPaper:
    """Discard a document that was taken in by mistake; what was answered stays done."""
    row = _open(ctx.session, store_id, id)
    if memos := credited_by(ctx.session, row):
        raise Refused("invoice-credited", "Credit memo %(number)s is taken off this invoice, so it can’t be discarded.",
                      number=memos[0].number)  # fmt: skip
    journal.move(ctx, row, "abandoned", subject=subject_of(row))
    ctx.session.flush()
    return row


# --- questions ---


def paper_of(session: Session, store_id: str, id: str) -> SupplierPaper:
    """Return a document of this store, locked; NotFound for any other."""
    query = sa.select(SupplierPaper).where(SupplierPaper.store_id == store_id, SupplierPaper.id == id)
    row: SupplierPaper | None = session.scalar(lock_rows(session, query))
    if row is None:
        raise NotFound("unknown-document", "Document not found at this store.", id=id)
    return row


def papers_of(store_id: str) -> sa.Select[Any]:
    """Ask for a store's documents, the latest first."""
    query = sa.select(SupplierPaper).where(SupplierPaper.store_id == store_id)
    return query.order_by(SupplierPaper.taken_at.desc(), SupplierPaper.id.desc())


def orders_of(session: Session, store_id: str, supplier_id: str, most: int = 20) -> list[ReplenishmentOrder]:
    """Return a supplier's latest orders that were sent, to choose from."""
    query = sa.select(ReplenishmentOrder).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.supplier_id == supplier_id,
        ReplenishmentOrder.state.not_in((*orders.TO_SEND, "dropped")),
    )  # fmt: skip
    return list(session.scalars(query.order_by(ReplenishmentOrder.order_no.desc()).limit(most)))


def invoices_of(session: Session, store_id: str, supplier_id: str, most: int = 40) -> list[SupplierPaper]:
    """Return a supplier's latest invoices, to choose from."""
    query = papers_of(store_id).where(
        SupplierPaper.supplier_id == supplier_id, SupplierPaper.kind == INVOICE, SupplierPaper.state != "abandoned"
    )
    return list(session.scalars(query.limit(most)))


def credited_by(session: Session, invoice: SupplierPaper) -> list[SupplierPaper]:
    """Return the credit memos that were taken off an invoice."""
    query = sa.select(SupplierPaper).where(
        SupplierPaper.store_id == invoice.store_id, SupplierPaper.invoice_id == invoice.id
    )
    return list(session.scalars(query.order_by(SupplierPaper.number, SupplierPaper.id)))


def left_to_pay(session: Session, invoice: SupplierPaper) -> int:
    """Return what is to pay of an invoice after its credit memos."""
    return invoice.payable_minor - sum(one.payable_minor for one in credited_by(session, invoice))


def matched(session: Session, row: SupplierPaper) -> list[Matched]:
    """Return a document's lines beside order and receipt, as both are now (rule 3)."""
    document = row.document
    ordered, received, before = None, None, dict[str, int]()
    if row.order_id is not None and row.kind != CREDIT:
        order = orders.order_of(session, row.store_id, row.order_id)
        ordered = {
            line.sku: Ordered(orders.promised_qty(line), line.pack_qty, line.pack_cost_minor)
            for line in orders.lines_of(session, order)
        }
        if row.kind == INVOICE and receipts_of(session, row):
            received = orders.received_of(session, row.store_id, row.order_id)
        before = _billed_before(session, row, ordered)
    lines = matching.compare(document, _sold(session, row, document), ordered, received, before)
    return lines + matching.charged(document)


def alike(session: Session, row: SupplierPaper) -> list[SupplierPaper]:
    """Return the supplier's other papers that this may be a second copy of: its number, or its day and sum."""
    query = papers_of(row.store_id).where(
        SupplierPaper.supplier_id == row.supplier_id, SupplierPaper.kind == row.kind,
        SupplierPaper.state != "abandoned", SupplierPaper.id != row.id,
    )  # fmt: skip
    number, said = papers.plain(row.number), (row.day, row.payable_minor)
    return [
        one for one in session.scalars(query.limit(_LATEST))
        if papers.plain(one.number) == number or (one.day, one.payable_minor) == said
    ]  # fmt: skip


def receipts_of(session: Session, row: SupplierPaper) -> list[Delivery]:
    """Return the posted deliveries of a document's order, the latest first."""
    query = sa.select(Delivery).where(
        Delivery.store_id == row.store_id, Delivery.order_id == (row.order_id or ""), Delivery.state == "posted"
    )
    return list(session.scalars(query.order_by(Delivery.posted_at.desc(), Delivery.id)))


def receipt_with(session: Session, row: SupplierPaper, sku: str) -> Delivery:
    """Return the delivery to complain of about a product: the latest it stands on, else the order's latest."""
    found = receipts_of(session, row)
    if not found:
        raise Refused("no-receipt", "Choose the order and post its delivery first.")
    return next((one for one in found if session.get(DeliveryLine, (row.store_id, one.id, sku))), found[0])


def key_of(one: Matched, difference: Difference) -> str:
    """Return how a difference is named in a document's answers."""
    return f"{one.line.id}:{difference.kind}"


def open_differences(row: SupplierPaper, lines: list[Matched]) -> list[Difference]:
    """Return the differences without an answer; a despatch advice asks for none (rule 5)."""
    asked = [(key_of(one, two), two) for one in lines for two in one.differences if row.kind != ADVICE]
    return [difference for key, difference in asked if key not in row.answers]


def new_cost(session: Session, store_id: str, one: Matched, day: dt.date) -> NewCost:
    """Return what a billed line makes of cost, margin and price; the price ends in the digit it had."""
    assert one.sold is not None
    assert one.billed
    sku, line = one.sold.sku, one.line
    pack_cost = divide_half_up(line.total_minor * one.sold.pack_qty, one.billed)
    product = session.get_one(Product, sku)
    tax = session.get_one(TaxClass, product.tax_class_id)
    price = catalogue.prices_on(session, store_id, day, [sku]).get(sku)
    if not price:
        return NewCost(pack_cost, None, None, None, None)
    listing = session.get(Listing, (store_id, sku))
    cost = delivery_notes.cost_of(one.sold.pack_cost_minor, one.sold.pack_qty, product.price_quantity)
    before = Priced(price, listing.cost_minor if listing and listing.cost_minor else cost, tax.rate_bp, tax.inclusive)
    after = Priced(price, delivery_notes.cost_of(line.total_minor, one.billed, product.price_quantity), tax.rate_bp,
                   tax.inclusive)  # fmt: skip
    was, now = margin_bp(before, price), margin_bp(after, price)
    kept = None
    if was is not None and now is not None and 0 < now < was and not product.price_typed:
        wanted = reprice(after, Rule("margin", was))
        kept = None if wanted is None else wanted + (price - wanted) % 10
    return NewCost(pack_cost, price, kept, was, now)


def sold_by(
    session: Session, store_id: str, supplier_id: str, day: dt.date, *, order_id: str = "",
    gtins: Iterable[str] = (), skus: Iterable[str] = (),
) -> list[Sold]:  # fmt: skip
    """Return the products that a document may name: all the supplier sells, the order's, and those named otherwise."""
    forms = {form for gtin in gtins for form in _forms(gtin)}
    sold = {
        one.sku: one
        for one in session.scalars(sa.select(SupplierProduct).where(SupplierProduct.supplier_id == supplier_id))
    }
    costs = suppliers.costs_begun(session, [supplier_id], day)
    query = sa.select(Product, TaxClass).join(TaxClass, TaxClass.id == Product.tax_class_id)
    named = sa.select(Barcode.sku).where(Barcode.code.in_(forms))
    ordered = sa.select(OrderLine.sku).where(OrderLine.store_id == store_id, OrderLine.order_id == order_id)
    theirs = sa.select(SupplierProduct.sku).where(SupplierProduct.supplier_id == supplier_id)
    some = (named, ordered, theirs, set(skus))
    rows = session.execute(query.where(sa.or_(*(Product.sku.in_(one) for one in some)))).all()
    codes: dict[str, dict[str, int]] = {}
    for code, sku, qty in session.execute(
        sa.select(Barcode.code, Barcode.sku, Barcode.qty).where(Barcode.code.in_(forms))
    ):
        codes.setdefault(sku, {})[code] = qty
    found = []
    for product, tax in rows:
        one = sold.get(product.sku)
        cost = costs.get((supplier_id, product.sku), one.pack_cost_minor if one else 0)
        found.append(
            Sold(product.sku, product.shown, product.stock_unit, one.pack_qty if one else 1, cost,
                 one.article_no if one else "", codes.get(product.sku), tax.rate_bp if tax.inclusive else None)
        )  # fmt: skip
    return found


def numbers_of(session: Session, store_id: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return suppliers' tax numbers, and their addresses, by the documents taken in so far (rule 1)."""
    earlier = sa.select(SupplierPaper.supplier_id, SupplierPaper.said).where(
        SupplierPaper.store_id == store_id, SupplierPaper.state != "abandoned"
    )
    numbers: dict[str, set[str]] = {}
    addresses: dict[str, set[str]] = {}
    for supplier_id, said in session.execute(earlier.order_by(SupplierPaper.taken_at.desc()).limit(_LATEST)):
        numbers.setdefault(supplier_id, set()).update(said["seller"]["tax_numbers"])
        addresses.setdefault(supplier_id, set()).update(said["seller"]["addresses"])
    return numbers, addresses


def subject_of(row: SupplierPaper) -> str:
    """Return a document as the journal names it."""
    return f"paper:{row.id}"


# --- inside ---


def _open(session: Session, store_id: str, id: str) -> SupplierPaper:
    row = paper_of(session, store_id, id)
    if row.state != STATES.first:
        raise Conflict("document-over", "This document is already settled. Reload the page.", state=row.state)
    return row


def _supplier(session: Session, store_id: str, document: SupplierDocument, chosen: str, *, is_seen: bool) -> Supplier:
    """Return whose document it is (rule 1)."""
    numbers, addresses = numbers_of(session, store_id)
    seller, ours = document.seller, document.seller.tax_numbers
    known = {one for one, some in numbers.items() if papers.share_a_number(some, ours)}
    if not ours:
        known = {one for one, some in addresses.items() if some & set(seller.addresses)}
    mine = sa.select(Supplier).where(Supplier.owner_id == store_id, Supplier.active).order_by(Supplier.name)
    if chosen:
        mine = mine.where(Supplier.id == chosen)
    found = [
        one for one in session.scalars(mine)
        if chosen or one.id in known or (not known and papers.is_same(seller, one.name, ""))
    ]  # fmt: skip
    name = seller.names[0]
    if len(found) != 1:
        raise Refused("supplier-not-known", "None of your suppliers is %(name)s. Choose the supplier, or add them "
                      "first.", name=name, field="supplier")  # fmt: skip
    supplier = found[0]
    if (known and supplier.id not in known) or (ours and numbers.get(supplier.id) and not known):
        raise Refused("other-tax-number", "%(name)s has another tax number than on earlier documents. Ask the supplier "
                      "before you pay.", name=name, field="supplier")  # fmt: skip
    if not is_seen and not (known and all(papers.share_a_number(numbers[supplier.id], [one]) for one in ours)):
        raise Refused("supplier-unproven", "The first document from %(name)s. Check that it is really theirs, then add "
                      "it.", name=name)  # fmt: skip
    return supplier


def _order_named(session: Session, store_id: str, supplier_id: str, said: str) -> ReplenishmentOrder | None:
    """Return the order whose number a document ends with."""
    number = re.search(r"(\d{1,9})\D*$", said)
    query = sa.select(ReplenishmentOrder).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.supplier_id == supplier_id,
        ReplenishmentOrder.order_no == int(number[1] if number else 0),
        ReplenishmentOrder.state.not_in((*orders.TO_SEND, "dropped")),
    )  # fmt: skip
    found: ReplenishmentOrder | None = session.scalar(query)
    return found


def _sold(session: Session, row: SupplierPaper, document: SupplierDocument) -> list[Sold]:
    named = [line.sku for line in document.lines if line.sku]
    gtins = [line.gtin for line in document.lines if line.gtin]
    return sold_by(
        session, row.store_id, row.supplier_id, row.day, order_id=row.order_id or "", gtins=gtins, skus=named
    )


def _forms(gtin: str) -> set[str]:
    """Return a barcode as it may be kept: with and without the zeros before it."""
    bare = gtin.lstrip("0")
    return {gtin, bare, *(bare.zfill(length) for length in (8, 12, 13, 14))}


def _billed_before(session: Session, row: SupplierPaper, ordered: Mapping[str, Ordered]) -> dict[str, int]:
    """Return what earlier invoices billed of the same order, in units."""
    query = sa.select(SupplierPaper).where(
        SupplierPaper.store_id == row.store_id, SupplierPaper.order_id == row.order_id,
        SupplierPaper.kind == row.kind, SupplierPaper.state != "abandoned", SupplierPaper.id != row.id,
        sa.or_(SupplierPaper.taken_at < row.taken_at,
               sa.and_(SupplierPaper.taken_at == row.taken_at, SupplierPaper.id < row.id)),
    )  # fmt: skip
    billed: dict[str, int] = {}
    for other in session.scalars(query):
        document = other.document
        for one in matching.compare(document, _sold(session, other, document), ordered):
            if one.sold is not None and one.billed:
                billed[one.sold.sku] = billed.get(one.sold.sku, 0) + one.billed
    return billed


def _expect(ctx: Context, row: SupplierPaper, document: SupplierDocument) -> None:
    """Expect what a despatch advice names (rule 5)."""
    lines: dict[str, Advised] = {}
    for one in matched(ctx.session, row):
        if one.sold is not None and one.billed:
            before = lines[one.sold.sku].qty if one.sold.sku in lines else 0
            lines[one.sold.sku] = Advised(one.sold.sku, one.sold.name, one.sold.pack_qty, before + one.billed)
    if not lines:
        raise Invalid("advice-of-strangers", "None of these products is on this supplier’s price list. Add "
                                             "their item numbers there first.", field="file")  # fmt: skip
    day = max(document.arrives or document.day, day_of(ctx.session, row.store_id, ctx.at))
    advised = sa.select(SupplierPaper.delivery_id).where(
        SupplierPaper.store_id == row.store_id, SupplierPaper.delivery_id.is_not(None)
    )
    query = sa.select(Delivery).where(
        Delivery.store_id == row.store_id, Delivery.order_id == (row.order_id or ""), Delivery.state == "expected",
        Delivery.id.not_in(advised),
    )  # fmt: skip
    delivery = ctx.session.scalar(query.order_by(Delivery.id).limit(1))
    if delivery is None:
        advice = Advice(row.supplier_id, list(lines.values()), day, order_id=row.order_id)
        delivery = deliveries.expect(ctx, row.store_id, row.id, advice)
    else:
        deliveries.advise_again(ctx, delivery, lines, day)
    row.delivery_id = delivery.id
    ctx.session.flush()

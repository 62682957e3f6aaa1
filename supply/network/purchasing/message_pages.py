"""An order to a supplier, or what goes back to one, as A4 pages: who orders what of whom, for which day. PURE.

Rules
-----
1. The page says what the message's frozen document says, in the supplier's language, and reads nothing else.
2. The same document gives the same bytes. Every page has the order's number and its own.
"""

from collections.abc import Iterator
from typing import Any

from reportlab.platypus import Flowable, Spacer

from config.words import N_, Language
from pos.documents import pdf
from pos.documents.paper import quantity, said_in
from pos.documents.pdf import MM, Column, Drawing, beside, words
from pos.reasons import reason_word

_ORDERED = (
    Column(N_("Your item no."), 25, size=9), Column(N_("Product"), 64, bold=True),
    Column(N_("Packs"), 18, at_end=True, bold=True), Column(N_("Per pack"), 18, at_end=True),
    Column(N_("Units"), 20, at_end=True), Column(N_("TOTAL"), 29, at_end=True),
)  # fmt: skip
_RETURNED = (
    Column(N_("Our order"), 31, size=9), Column(N_("Product"), 73, bold=True), Column(N_("Batch"), 26),
    Column(N_("best before"), 24), Column(N_("Units"), 20, at_end=True),
)  # fmt: skip


def pages(document: dict[str, Any]) -> bytes:
    """Return an order or a return, or the word that it is called off, as a PDF file.

    document: as `orders.supplier_messages` freezes it; one without a day of delivery is of goods that go back.
    """
    say, is_order, off = said_in(document), "delivery_day" in document, "called_off" in document
    title = (say("Order") if is_order else say("Return")) + f" {document['order_no']}"
    currency = document["store"]["currency"]
    columns, row = (_ORDERED, _ordered) if is_order else (_RETURNED, _returned)
    story = [*_head(document, say, title), Spacer(0, 16)]
    if off and is_order:
        story.append(words(say("Please do not deliver this order."), 13, bold=True))
    elif off:
        story.append(words(say("These products will not be returned to you."), 13, bold=True))
    if off:
        story += [words(reason_word(document["called_off"], say), 11), Spacer(0, 14)]
    story.append(pdf.table(say, columns, [row(line, say, currency) for line in document["lines"]], struck=off))
    if is_order and not off:
        total = f"{say.amount(document['total_minor'], currency)} {currency}"
        sums = [[words(say("TOTAL"), 12, bold=True), words(total, 12, bold=True, at_end=True)]]
        story += [beside(sums, (104, 70)), Spacer(0, 12), words(say("Please deliver on the requested day."))]
    elif not off:
        story += [words(say("Reason") + f": {document['why']}", 11), Spacer(0, 12)]
        story.append(words(say("Please sign for the products you collect.")))
        story.append(Drawing(50, lambda pen: pen.box(0, 49, 80 * MM, 0.6)))
    return pdf.flow(title, story, foot=(f"{document['store']['name']} · {title}", say("Page")))


# --- inside ---


def _ordered(line: dict[str, Any], say: Language, currency: str) -> tuple[str, ...]:
    return (
        line["article_no"] or line["barcode"], line["name"], str(line["packs"]),
        quantity(say, line["pack_qty"], line["stock_unit"]),
        quantity(say, line["packs"] * line["pack_qty"], line["stock_unit"]),
        say.amount(line["packs"] * line["pack_cost_minor"], currency),
    )  # fmt: skip


def _returned(line: dict[str, Any], say: Language, _currency: str) -> tuple[str, ...]:
    units = quantity(say, line["qty"], line["stock_unit"])
    return line["purchase_no"], line["name"], line["batch"], say.moment(line["expires_on"]), units


def _head(document: dict[str, Any], say: Language, title: str) -> Iterator[Flowable]:
    store, is_order, off = document["store"], "delivery_day" in document, "called_off" in document
    ordered = say("ORDER CANCELED") if off else say("ORDER")
    returned = say("RETURN CANCELED") if off else say("SUPPLIER RETURN")
    where = [words(text, grey=0.3) for text in (store["address"], store["phone"]) if text]
    large = words(ordered if is_order else returned, 17, bold=True, at_end=True)
    yield beside([[[words(store["name"], 17, bold=True), *where], [large, words(title, 12, at_end=True)]]], (104, 70))
    yield Spacer(0, 16)
    facts = [
        *([(say("Deliver on"), say.moment(document["delivery_day"]))] if is_order else []),
        (say("Ordered on") if is_order else say("Written on"), say.moment(document["order_day"])),
        (say("Ordered by") if is_order else say("Written by"), document["by"]),
        *([(say("Customer no."), document["customer_no"])] if document["customer_no"] else []),
    ]
    supplier = [words(say("Supplier"), 9, grey=0.4), words(document["supplier_name"], 13, bold=True)]
    rows = [
        [words(name, 9, grey=0.4), words(value, 11, bold=n == 0, at_end=True)] for n, (name, value) in enumerate(facts)
    ]
    yield beside([[supplier, beside(rows, (30, 44))]], (100, 74))

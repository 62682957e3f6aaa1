"""What a scan stands for: a maker's code, a store's own weighed label, a GS1 code with batch and expiry, or a SKU.

Rules
-----
1. A code the catalogue knows stands for that product, in one question. Only what it does not know is taken apart.
2. A store's own label (`own_labels`) is read by the store's schemes in their order; the first that fits wins. A weight
   becomes the quantity. A price is what the line costs, and the quantity follows from it, at least 1.
3. A GS1 code (`gs1`) gives product, batch, last day, net weight, price in the store's own currency, and count.
4. A case's GTIN-14 is never guessed from the unit inside it: how many it holds is not in the number. It is sold once
   it is registered.
5. A label that says its goods cost nothing is refused, whatever it stands for.
6. Any text at all gets a product or a sentence.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.money import MAX_MINOR, divide_half_up, exponent
from config.nodes import journal
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue import catalogue, gs1, own_labels, till_edition
from pos.catalogue.catalogue import Barcode, Product, Scanned
from pos.catalogue.own_labels import Label, Scheme
from pos.pricing.pricing import ProductView
from pos.store.store import store_of

MOST_SCHEMES = 20
MOST_QTY = 9_999_999
_NO_BARCODE = N_("That is not a barcode. Scan again, or search by name.")
_CURRENCY_NUMBERS = {
    "AUD": 36, "BRL": 986, "CAD": 124, "CHF": 756, "CNY": 156, "CZK": 203, "DKK": 208, "EUR": 978, "GBP": 826,
    "HKD": 344, "INR": 356, "JPY": 392, "KRW": 410, "MXN": 484, "MYR": 458, "NOK": 578, "NZD": 554, "PHP": 608,
    "PLN": 985, "SEK": 752, "SGD": 702, "THB": 764, "TWD": 901, "USD": 840, "VND": 704, "ZAR": 710,
}  # fmt: skip
"""ISO 4217, as labels write a currency."""


class ScanScheme(Base):
    """How one kind of label this store prints, or buys printed, is read. place: the order in which they are tried."""

    __tablename__ = "scan_scheme"

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), index=True)
    place: Mapped[int]
    name: Mapped[str]
    pattern: Mapped[str]
    step: Mapped[int] = mapped_column(default=1)


# --- verbs ---


def add_scheme(ctx: Context, store_id: str, name: str, pattern: str, step: int = 1) -> ScanScheme:
    """Read labels of a pattern from now on, after the schemes there are (`own_labels`, rules 1, 2, 5)."""
    made = own_labels.scheme(pattern, step)
    name = name.strip() or f"{own_labels.LENGTHS[11 if made.is_upc else 12]} {made.prefix}"
    rows = _rows(ctx.session, store_id)
    if len(rows) >= MOST_SCHEMES:
        raise Refused(
            "too-many-schemes", "A store can have up to %(most)s kinds of label. Remove one first.", most=MOST_SCHEMES
        )
    if any(row.pattern == pattern for row in rows):
        raise Conflict("scheme-exists", "Labels with the pattern %(pattern)s are already read.", pattern=pattern)
    place = max((row.place for row in rows), default=-1) + 1
    row = ScanScheme(id=new_id(), store_id=store_id, place=place, name=name[:60], pattern=pattern, step=step)
    ctx.session.add(row)
    _record(ctx, row, "scheme.added")
    return row


def remove_scheme(ctx: Context, store_id: str, scheme_id: str) -> None:
    """Read labels of this scheme no more."""
    row = _row(ctx.session, store_id, scheme_id)
    ctx.session.delete(row)
    _record(ctx, row, "scheme.removed")


def raise_scheme(ctx: Context, store_id: str, scheme_id: str) -> None:
    """Try this scheme before the one that is tried before it now (rule 2); the first stays the first."""
    row, rows = _row(ctx.session, store_id, scheme_id), _rows(ctx.session, store_id)
    at_place = [one.id for one in rows].index(scheme_id)
    if at_place:
        before = rows[at_place - 1]
        row.place, before.place = before.place, row.place
        _record(ctx, row, "scheme.raised")


# --- questions ---


def read(session: Session, store_id: str, code: str, day: dt.date) -> Scanned:
    """Return what a scanned or typed code stands for (rules 1-6), or refuse with a sentence that says what to do."""
    text, announced = gs1.announced(code)
    if len(text) > gs1.LONGEST:
        raise NotFound("unknown-barcode", _NO_BARCODE, barcode=text[: catalogue.LONGEST_CODE])
    if not announced and len(text) <= catalogue.LONGEST_CODE and text.isprintable():
        known = catalogue.find_code(session, store_id, gs1.spellings(text), day)
        if known is not None:
            return known
    if announced or gs1.looks_like_one(text):
        return _by_elements(session, store_id, text, day)
    if own_labels.is_in_store(text):
        label = own_labels.parse(text, schemes(session, store_id))
        if label is not None:
            return _by_label(session, store_id, label, day)
    if not text or not text.isprintable() or len(text) > catalogue.LONGEST_CODE:
        raise NotFound("unknown-barcode", _NO_BARCODE, barcode=text[: catalogue.LONGEST_CODE])
    if session.scalar(sa.select(Product.sku).where(Product.sku == text)):
        return Scanned(catalogue.to_sell(session, store_id, [text], day)[text], 1, source="sku")
    if gs1.has_digits(text) and not gs1.is_gtin(text):
        raise catalogue.wrong_check_digit(text)
    _refuse_unknown(session, text)
    raise NotFound(
        "unknown-barcode", "No product has the barcode %(barcode)s. Search by name, or add it to the catalog.",
        barcode=text,
    )  # fmt: skip


def schemes(session: Session, store_id: str) -> list[Scheme]:
    """Return the store's schemes, ready, in their order."""
    return [own_labels.scheme(row.pattern, row.step) for row in _rows(session, store_id)]


def scheme_rows(session: Session, store_id: str) -> list[ScanScheme]:
    """Return the store's schemes as they are kept, in their order."""
    return list(_rows(session, store_id))


# --- inside ---


def _by_label(session: Session, store_id: str, label: Label, day: dt.date) -> Scanned:
    """Return the product of a store's own label and how much of it (rule 2)."""
    known = catalogue.find_code(session, store_id, label.keys(), day)
    product = known.product if known else _by_number(session, store_id, label, day)
    if label.kind == "price":
        return Scanned(product, _qty_for(product, label.value), label.value, source="embedded")
    weighed = product.stock_unit == "gram"
    if label.kind == "weight" and not weighed:
        raise Refused(
            "label-unit", "The label gives a weight, but %(name)s is not sold by weight. Change how labels "
                          "are read, or the product's unit.", sku=product.sku, name=product.shown,
        )  # fmt: skip
    if label.kind != "weight" and weighed:
        raise Refused(
            "label-unit", "The label gives a number of units, but %(name)s is sold by weight. Change how "
                          "labels are read, or the product's unit.", sku=product.sku, name=product.shown,
        )  # fmt: skip
    return Scanned(product, label.value, source="embedded")


def _by_number(session: Session, store_id: str, label: Label, day: dt.date) -> ProductView:
    keys = label.keys()
    skus = set(session.scalars(sa.select(Product.sku).where(Product.sku.in_(keys))))
    sku = next((key for key in keys if key in skus), None)
    if sku is None:
        raise NotFound(
            "unknown-label",
            "No product has the number %(number)s on this label. Add the code %(barcode)s to the "
            "product, then scan again.", barcode=keys[0], number=label.number,
        )  # fmt: skip
    return catalogue.to_sell(session, store_id, [sku], day)[sku]


def _by_elements(session: Session, store_id: str, text: str, day: dt.date) -> Scanned:
    """Return the product of a GS1 code with its batch, day, weight, price and count (rule 3)."""
    said = gs1.elements(text)
    if said.gtin is None:
        raise NotFound(
            "no-product-in-code",
            "This code is not a product code; it may be for a pallet or coupon. Scan the product's own code.",
            barcode=gs1.misread(text).facts["barcode"],
        )
    known = catalogue.find_code(session, store_id, gs1.spellings(said.gtin), day)
    if known is None:
        _refuse_unknown(session, said.gtin)
        raise NotFound(
            "unknown-barcode",
            "No product has the barcode %(barcode)s. Search by name, or add it to the catalog.",
            barcode=said.gtin,
        )
    product, amount_minor = known.product, None
    qty = known.qty * (1 if said.count is None else said.count)
    if said.price is not None:
        amount_minor = _in_minor(session, store_id, said.price)
        _refuse_free(product, amount_minor)
    if product.stock_unit == "gram" and said.weight_grams is not None:
        qty = said.weight_grams
    elif product.stock_unit == "gram" and amount_minor:
        qty = _qty_for(product, amount_minor)
    if not 0 < qty <= MOST_QTY:
        raise Invalid(
            "empty-label", "The label for %(name)s has no weight or too much. Print a new one.",
            name=product.shown, barcode=said.gtin,
        )  # fmt: skip
    return Scanned(product, qty, amount_minor, said.batch, said.expires_on, "gs1")


def _refuse_free(product: ProductView, amount_minor: int) -> None:
    """Refuse the amount 0 of a label (rule 5)."""
    if not amount_minor:
        raise Invalid(
            "free-label", "The label gives %(name)s a price of zero. Scan its own barcode, or print a new label.",
            name=product.shown,
        )  # fmt: skip


def _qty_for(product: ProductView, amount_minor: int) -> int:
    """Return the quantity that costs the amount at today's price, at least 1 (rule 2)."""
    if not product.price_minor:
        return 1
    return min(MOST_QTY, max(1, divide_half_up(amount_minor * product.price_quantity, product.price_minor)))


def _in_minor(session: Session, store_id: str, amount: gs1.Amount) -> int:
    currency = store_of(session, store_id).currency
    if amount.currency and amount.currency != _CURRENCY_NUMBERS.get(currency):
        raise Refused(
            "other-currency", "The price on this label is not in %(currency)s. Weigh the product, or enter the price.",
            currency=currency,
        )  # fmt: skip
    minor = divide_half_up(amount.digits * 10 ** exponent(currency), 10**amount.decimals)
    if minor > MAX_MINOR:
        raise Invalid("bad-price", "The price on this label looks too high. Scan it again.", price_minor=minor)
    return minor


def _refuse_unknown(session: Session, code: str) -> None:
    """Say more than "unknown" of an unknown code where more is known (rule 4)."""
    if own_labels.is_in_store(code) and gs1.is_gtin(code):
        raise NotFound(
            "unknown-label",
            "%(barcode)s is an in-store number, but no label format matches it. Add the format under "
            "Weighed products.", barcode=code,
        )  # fmt: skip
    if len(code) == 14 and code[0] in "12345678" and gs1.is_gtin(code):
        inner = code[1:13] + gs1.check_digit(code[1:13])
        query = sa.select(Product.shown).join(Barcode, Barcode.sku == Product.sku)
        name = session.scalar(query.where(Barcode.code.in_(gs1.spellings(inner))).limit(1))
        if name is not None:
            raise NotFound(
                "unknown-pack",
                "This is a case of %(name)s, but its size is not known. Add the code %(barcode)s with the "
                "number of units under Products, or scan one unit.", barcode=code, name=name,
            )  # fmt: skip


def _rows(session: Session, store_id: str) -> Sequence[ScanScheme]:
    query = sa.select(ScanScheme).where(ScanScheme.store_id == store_id)
    return session.scalars(query.order_by(ScanScheme.place, ScanScheme.id)).all()


def _row(session: Session, store_id: str, scheme_id: str) -> ScanScheme:
    row = session.get(ScanScheme, scheme_id)
    if row is None or row.store_id != store_id:
        raise NotFound("unknown-scheme", "This kind of label no longer exists. Reload the page.")
    return row


def _record(ctx: Context, row: ScanScheme, verb: str) -> None:
    till_edition.begin(ctx.session, row.store_id)
    facts = {"name": row.name, "pattern": row.pattern, "step": row.step}
    journal.record(ctx, verb=verb, subject=f"scheme:{row.id}", **facts)

"""Products brought in as a file: one row a product, of a store or, at the network's node, of everybody.

Rules
-----
1. A product that is here already gets the price, and in a store the cost; the network's takes over the whole row. A row
   that changes nothing in a store writes nothing. Columns such as `name_es` add names in other languages.
2. What a row cannot be beside what is here (a tax class nobody made, a barcode that is none, another product's or
   another row's, an amount finer than the currency) is told of every row before anything is written.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from config.words import LANGUAGES
from pos.catalogue import catalogue, new_products
from pos.catalogue.assortment import LONGEST
from pos.catalogue.catalogue import LONGEST_CODE, Barcode, Listing, Price, Product, TaxClass
from pos.catalogue.gs1 import has_digits, is_gtin
from pos.catalogue.new_products import COLUMNS, NewProduct
from store_app.files import network
from store_app.files.cells import Cell, in_minor, price, text, unit, whole
from store_app.words import words
from store_app.words.refusals import sentence_of

MOST_NAMED = 12
ZERO = Decimal(0)
NAMED = ("name", "category", "department")
"""What may have a column for each language (`name_es`)."""
_TEXTS = {column: text(most) for column, most in LONGEST.items()}
CELLS: tuple[dict[str, Cell], dict[str, Cell]] = (
    {"sku": text(64), "name": _TEXTS["name"], "category": _TEXTS["category"], "tax_class": text(40), "price": price},
    {
        "barcode": text(LONGEST_CODE), "brand": _TEXTS["brand"], "department": _TEXTS["department"],
        "pack_text": _TEXTS["pack_text"],
        "stock_unit": unit, "price_quantity": whole(1, 1_000_000), "minimum_age": whole(0, 150),
        "maximum_qty": whole(1, 1_000_000), "shelf_life_days": whole(0, 10_000), "cost": price,
        **{f"{of}_{code}": _TEXTS[of] for of in NAMED for code in LANGUAGES},
    },
)  # fmt: skip


def beside(
    session: Session, rows: Sequence[dict[str, Any]], numbers: Sequence[int], owner_id: str, at: dt.datetime
) -> Iterator[tuple[int, str, str]]:
    """Yield (row number, column, what is wrong) of rows beside what is here and beside each other (rule 2)."""
    currency, _day = network.money_and_day(session, owner_id, at)
    classes = sorted(session.scalars(sa.select(TaxClass.id)))
    here = set(session.scalars(sa.select(Product.sku)))
    codes = {row.code: row.sku for row in session.execute(sa.select(Barcode.code, Barcode.sku))}
    of_rows: dict[str, int] = {}
    for number, row in zip(numbers, rows, strict=True):
        sku, code = row.get("sku", ""), row.get("barcode", "")
        is_read = owner_id == EVERYONE or sku not in here  # of the others the price counts alone (rule 1)
        if is_read and row.get("tax_class", "") not in ("", *classes):
            yield number, "tax_class", _no_class(row["tax_class"], classes)
        if is_read and code:
            if has_digits(code) and not is_gtin(code):
                yield number, "barcode", _("%(code)s is not a barcode: its last digit does not match.", code=code)
            elif codes.get(code, sku) != sku:
                yield number, "barcode", _("%(code)s is already the barcode of %(sku)s.", code=code, sku=codes[code])
            elif code in of_rows:
                yield number, "barcode", _("%(code)s is also the barcode in row %(row)s.", code=code, row=of_rows[code])
            of_rows.setdefault(code, number)
        for column in ("price", "cost"):
            try:
                in_minor(row.get(column, ZERO), currency, sku)
            except Invalid as refusal:
                yield number, column, sentence_of(refusal)


def write(ctx: Context, rows: Sequence[dict[str, Any]], owner_id: str) -> Iterator[tuple[int, DomainError]]:
    """Write products, or let those that are here take over what their rows say (rule 1); new ones all at once.

    Yields the place of each row that is refused, and why; nothing of this transaction may then be kept.
    """
    currency, day = network.money_and_day(ctx.session, owner_id, ctx.at)
    here = set(ctx.session.scalars(sa.select(Product.sku)))
    stands = _stands(ctx.session, owner_id, day)
    new: list[tuple[int, NewProduct]] = []
    called: dict[str, dict[str, str]] = {}
    for place, row in enumerate(rows):
        try:
            if owner_id == EVERYONE:
                network.refuse_cost(row)
            price_minor = in_minor(row["price"], currency, row["sku"])
            cost_minor = in_minor(row["cost"], currency, row["sku"]) if "cost" in row else None
            was_minor, cost_was = stands.get(row["sku"], (None, None))
            if was_minor == price_minor and cost_minor in (None, cost_was):
                continue
            if owner_id == EVERYONE or row["sku"] not in here:
                row |= _names(row, called)
            if row["sku"] in here:
                _renew(ctx, row, owner_id, price_minor, cost_minor, day)
                continue
            columns = {name: row[name] for name in COLUMNS if name in row}
            named = row["sku"], row["name"], row["category"], row["tax_class"]
            new.append((place, NewProduct(*named, price_minor, row.get("barcode", ""), cost_minor, columns)))
        except DomainError as refusal:
            yield place, refusal
    for name, names in called.items():
        catalogue.name_category(ctx, name, names, owner_id=owner_id)
    plain, fits = [one for _place, one in new], True
    for place, why in new_products.refusals(ctx.session, plain):
        fits = False
        yield new[place][0], why
    if fits:
        new_products.add(ctx, plain, day, owner_id=owner_id)


def _stands(session: Session, owner_id: str, day: dt.date) -> dict[str, tuple[int, int | None]]:
    """Return the price and the cost of what a store sells at a price of its own; of everybody's products nothing."""
    query = (
        sa.select(Price.sku, Price.price_minor, Listing.cost_minor)
        .join(Listing, sa.and_(Listing.sku == Price.sku, Listing.store_id == Price.scope_id))
        .where(Price.scope_id == owner_id, Price.from_day <= day, Listing.active)
        .order_by(Price.from_day)
    )
    return {sku: (price_minor, cost_minor) for sku, price_minor, cost_minor in session.execute(query)}


def _names(row: dict[str, Any], called: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return what a row's product is called in other languages; add to called what its category and department are."""
    said = {of: {code: row[f"{of}_{code}"] for code in LANGUAGES if row.get(f"{of}_{code}")} for of in NAMED}
    for of in ("category", "department"):
        if said[of] and row.get(of):
            called.setdefault(row[of], {}).update(said[of])
    return {"names": said["name"]} if said["name"] else {}


def _renew(
    ctx: Context, row: dict[str, Any], owner_id: str, price_minor: int, cost_minor: int | None, day: dt.date
) -> None:
    sku = row["sku"]
    if owner_id == EVERYONE:
        network.renew_product(ctx, ctx.session.get_one(Product, sku), row)
    catalogue.set_price(ctx, sku, price_minor, day, scope_id=owner_id)
    if owner_id != EVERYONE:
        costs = {} if cost_minor is None else {"cost_minor": cost_minor}
        catalogue.list_product(ctx, owner_id, sku, **costs)


def _no_class(named: str, known: Sequence[str]) -> str:
    if not known:
        return _("There is no tax class yet. Add one first: Products, Taxes.")
    there = words.few(known, MOST_NAMED)
    return _("Tax class %(named)s not found. Available: %(known)s.", named=named, known=there)

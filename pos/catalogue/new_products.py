"""Many new products at once: what `catalogue`'s verbs write one by one, in a few statements.

Rules
-----
1. Each is added with its code, priced from a day on and, in a store, listed; one whose price is typed at the till has
   none. The journal says of each what it says of one that comes in alone.
2. All or nothing: what cannot come in is refused before anything is written (`Unfit`).
3. They can be withdrawn again: what is left is a row that no list shows, since books may name its SKU. Under that SKU
   a product may come in again.

A till waits while another writes: 5,000 products one by one kept it for eleven seconds and more.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from config.bulk import write_many
from config.database import table_of
from config.errors import DomainError
from config.nodes import journal
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, till_edition
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass

COLUMNS = (
    "brand", "department", "pack_text", "stock_unit", "price_quantity", "minimum_age", "maximum_qty", "shelf_life_days",
    "names",
)  # fmt: skip


@dataclass(frozen=True)
class NewProduct:
    """A product to be taken in.

    price_minor: None = typed at the till; code: '' = none; cost_minor: None = not known; columns: some of COLUMNS.
    """

    sku: str
    name: str
    category: str
    tax_class_id: str
    price_minor: int | None
    code: str = ""
    cost_minor: int | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


_AT_ONCE = 500


class Unfit(Exception):
    """One of them cannot come in: which, counted from 0, and why."""

    def __init__(self, place: int, why: DomainError) -> None:
        super().__init__(place, why)
        self.place, self.why = place, why


def add(ctx: Context, new: Sequence[NewProduct], from_day: dt.date, *, owner_id: str) -> None:
    """Take products into a store, or, of EVERYONE, into the catalogue of all; Unfit when one of `refusals` stands."""
    for place, why in refusals(ctx.session, new, owner_id=owner_id):
        raise Unfit(place, why) from why
    in_store, gone = owner_id != EVERYONE, withdrawn(ctx.session, owner_id)
    write_many(ctx.session, Product, [_product(one, owner_id) for one in new if one.sku not in gone])
    if again := [_product(one, owner_id) | {"active": True} for one in new if one.sku in gone]:
        ctx.session.execute(sa.update(Product), again)
    write_many(ctx.session, Barcode, [{"code": one.code, "sku": one.sku} for one in new if one.code])
    priced = {"scope_id": owner_id, "from_day": from_day}
    prices = [{"sku": one.sku, "price_minor": one.price_minor} | priced for one in new if one.price_minor is not None]
    write_many(ctx.session, Price, prices)
    if in_store:
        listed = [{"store_id": owner_id, "sku": one.sku, "cost_minor": one.cost_minor} for one in new]
        write_many(ctx.session, Listing, listed)
    reported: list[tuple[str, str, dict[str, Any]]] = []
    for one in new:
        subject = f"product:{one.sku}"
        reported.append(("product.added", subject, {"name": one.name.strip()}))
        if one.price_minor is not None:
            reported.append(("price.set", subject, {"before_minor": None, "price_minor": one.price_minor} | priced))
        if in_store:
            costs = {} if one.cost_minor is None else {"cost_minor": one.cost_minor}
            reported.append(("product.listed", subject, {"store": owner_id} | costs))
    journal.record_many(ctx, reported)


def withdraw(ctx: Context, skus: Sequence[str], *, owner_id: str) -> None:
    """Take products of a store's own out again (rule 3), with their codes, prices and keys."""
    for start in range(0, len(skus), _AT_ONCE):
        some = skus[start : start + _AT_ONCE]
        for noun in (Barcode, Price, Listing):
            ctx.session.execute(sa.delete(noun).where(noun.sku.in_(some)))
        mine = sa.update(Product).where(Product.sku.in_(some), Product.owner_id == owner_id)
        ctx.session.execute(mine.values(active=False))
    till_edition.begin(ctx.session, owner_id)
    journal.record_many(ctx, [("product.withdrawn", f"product:{sku}", {}) for sku in skus])


def withdrawn(session: Session, owner_id: str) -> set[str]:
    """Return the SKUs of an owner's products that were withdrawn."""
    unlisted = ~sa.select(Listing.sku).where(Listing.sku == Product.sku).exists()
    return set(session.scalars(sa.select(Product.sku).where(Product.owner_id == owner_id, ~Product.active, unlisted)))


def refusals(session: Session, new: Sequence[NewProduct], *, owner_id: str) -> Iterator[tuple[int, DomainError]]:
    """Yield which of them, counted from 0, cannot come in beside what is here and those before them, and why."""
    here, classes = set(session.scalars(sa.select(Product.sku))), set(session.scalars(sa.select(TaxClass.id)))
    here -= withdrawn(session, owner_id)
    codes = {row.code: row.sku for row in session.execute(sa.select(Barcode.code, Barcode.sku))}
    for place, one in enumerate(new):
        try:
            taxed = one.tax_class_id in classes
            catalogue.refuse_product(one.sku, one.name, one.tax_class_id, taken=one.sku in here, taxed=taxed)
            if one.price_minor is not None:
                catalogue.refuse_price(one.price_minor)
            if one.code:
                catalogue.refuse_code(one.code, one.sku)
                if one.code in codes:
                    raise catalogue.code_taken(one.code, codes[one.code])
                codes[one.code] = one.sku
        except DomainError as why:
            yield place, why
        here.add(one.sku)


# --- inside ---


def _product(one: NewProduct, owner_id: str) -> dict[str, Any]:
    name, columns = one.name.strip(), {column: one.columns.get(column, _usual(column)) for column in COLUMNS}
    said = name, columns["brand"], one.category, *(columns["names"] or {}).values()
    return {
        "sku": one.sku, "name": name, "category": one.category, "tax_class_id": one.tax_class_id,
        "search_text": catalogue.search_text_for(*said), "owner_id": owner_id,
        "price_typed": one.price_minor is None, **columns,
    }  # fmt: skip


def _usual(column: str) -> Any:
    default = table_of(Product).c[column].default
    return default.arg if isinstance(default, ScalarElementColumnDefault) else None

"""What the store itself settles about what it sells: own products, own prices, what is listed, taxes, deposits.

Rules
-----
1. A product of the network's catalogue keeps the network's name and tax; the store settles its price, whether it is
   sold, its touch key, its cost and further barcodes. A product of its own it settles altogether.
2. A price is dated; today's or a coming one. A price of the past is history and stays.
3. A tax class in use keeps its rate for what was sold; a new rate counts from the next sale on.
4. Many prices change by one rule at once (`repricing`), all of them or none.
"""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import BASIS, MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, till_edition
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass, make_findable
from pos.catalogue.repricing import Priced, Rule, reprice

KINDS = ("goods", "deposit", "service", "voucher")
UNITS = {"each": 1, "gram": 1000, "millilitre": 1000}
"""Stock unit -> the price quantity a new product of it begins with."""
LONGEST = {"name": 120, "brand": 60, "category": 60, "department": 60, "pack_text": 40}
MOST_AT_ONCE = 20_000


@dataclass(frozen=True)
class ProductDetails:
    """What a form says of a product of the store's own."""

    name: str
    category: str
    tax_class_id: str
    brand: str = ""
    department: str = ""
    pack_text: str = ""
    stock_unit: str = "each"
    kind: str = "goods"
    price_typed: bool = False
    deposit_sku: str | None = None
    minimum_age: int | None = None
    maximum_qty: int | None = None
    shelf_life_days: int | None = None


@dataclass(frozen=True)
class Repriced:
    """One line of a change of many prices. new_minor: None where the rule could not say a price."""

    sku: str
    name: str
    now: Priced
    new_minor: int | None


# --- verbs ---


def add(
    ctx: Context,
    store_id: str,
    details: ProductDetails,
    *,
    codes: Sequence[tuple[str, int]] = (),
    command: str | None = None,
) -> Product:
    """Take a product of the store's own into its assortment and list it (rule 1).

    The same command again is the same.
    """
    sku = sku_for(store_id, command) if command else f"{store_id}-{secrets.token_hex(4).upper()}"
    if (known := ctx.session.get(Product, sku)) is not None and command is not None:
        return known
    _check(ctx.session, details)
    product = catalogue.add_product(
        ctx,
        sku,
        details.name,
        category=details.category,
        tax_class_id=details.tax_class_id,
        codes=codes,
        owner_id=store_id,
        price_quantity=UNITS[details.stock_unit],
        **{name: value for name, value in vars(details).items() if name not in ("name", "category", "tax_class_id")},
    )
    catalogue.list_product(ctx, store_id, sku)
    return product


def add_for_sale(
    ctx: Context,
    store_id: str,
    details: ProductDetails,
    *,
    code: str,
    price_minor: int | None,
    cost_minor: int | None = None,
    today: dt.date,
    command: str,
) -> str:
    """Take a product of the store's own in, ready to sell, with its code ('': none), price and cost; returns its SKU.

    The same command again changes nothing; with another name, tax or price it is a Conflict.
    """
    sku = sku_for(store_id, command)
    if (known := ctx.session.get(Product, sku)) is not None:
        before = (known.name, known.tax_class_id, catalogue.price_on(ctx.session, store_id, sku, today))
        if before != (details.name.strip(), details.tax_class_id, price_minor):
            raise Conflict("added-otherwise", "This product was just added with other details. Check it in Products.")
    else:
        add(ctx, store_id, details, command=command)
        if code:
            add_code(ctx, store_id, sku, code, 1)
        if price_minor is not None:
            set_price(ctx, store_id, sku, price_minor, today, today=today)
        if cost_minor is not None:
            settle(ctx, store_id, sku, active=True, cost_minor=cost_minor)
    return sku


def open_priced(ctx: Context, store_id: str, category: str, tax_class_id: str) -> str:
    """Return the SKU that custom items of a category or department are sold under, taken in when first asked for.

    It is a service without a fixed price: nothing of it is stocked.
    """
    inside = sa.or_(Product.category == category, Product.department == category)
    department = ctx.session.scalar(sa.select(Product.department).where(inside).order_by(Product.sku).limit(1)) or ""
    details = ProductDetails(category, category, tax_class_id, department=department, kind="service", price_typed=True)
    return add(ctx, store_id, details, command=f"open {tax_class_id} {category}").sku


def change(ctx: Context, store_id: str, sku: str, details: ProductDetails) -> Product:
    """Change a product of the store's own (rule 1); its stock unit stays once anything of it moved."""
    product = own_product(ctx.session, store_id, sku)
    _check(ctx.session, details, sku)
    if details.stock_unit != product.stock_unit:
        raise Refused(
            "unit-stays", "A product's unit cannot be changed. Add a new product instead.", field="stock_unit"
        )
    before = {name: getattr(product, name) for name in vars(details)}
    for name, value in vars(details).items():
        setattr(product, name, value)
    make_findable(product)
    changed = {name: value for name, value in vars(details).items() if before[name] != value}
    if changed:
        till_edition.begin(ctx.session, store_id)
        facts = {"before": {name: before[name] for name in changed}, "after": changed}
        journal.record(ctx, verb="product.changed", subject=f"product:{sku}", **facts)
    return product


def name_product(ctx: Context, store_id: str, sku: str, names: Mapping[str, str]) -> None:
    """Say what a product of the store's own is called in other languages; languages left out keep what they have."""
    product = own_product(ctx.session, store_id, sku)
    after = catalogue.renamed(product.names or {}, names)
    if after == (product.names or {}):
        return
    product.names = after or None
    make_findable(product)
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="product.named", subject=f"product:{sku}", names=after)


def set_price(ctx: Context, store_id: str, sku: str, price_minor: int, from_day: dt.date, *, today: dt.date) -> Price:
    """Date the store's own price from today or a coming day on (rule 2)."""
    if from_day < today:
        raise Invalid("past-price", "A price can't start in the past. Choose today or later.", field="from_day")
    if type(price_minor) is not int or not 0 <= price_minor <= MAX_MINOR:
        raise Invalid("bad-price", "Enter a price of zero or more. That one looks too high.", field="price")
    return catalogue.set_price(ctx, sku, price_minor, from_day, scope_id=store_id)


def withdraw_price(ctx: Context, store_id: str, sku: str, from_day: dt.date, *, today: dt.date) -> None:
    """Take a coming price of the store's own back (rule 2)."""
    price = ctx.session.get(Price, (sku, store_id, from_day))
    if price is None:
        raise NotFound("no-such-price", "This price no longer exists. Reload the list.", sku=sku)
    if from_day <= today:
        raise Refused("price-in-force", "This price is already in effect. Set a new one instead.", sku=sku)
    facts = {"price_minor": price.price_minor, "from_day": from_day}
    journal.record(ctx, verb="price.withdrawn", subject=f"product:{sku}", **facts)
    ctx.session.delete(price)


def add_code(ctx: Context, store_id: str, sku: str, code: str, qty: int) -> Barcode:
    """Let a further barcode lead to a product, standing for so many stock units (rule 1)."""
    product = ctx.session.get(Product, sku)
    if product is None or product.owner_id not in (EVERYONE, store_id):
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    row = catalogue.add_code(ctx.session, sku, code, qty)
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="barcode.added", subject=f"product:{sku}", barcode=code, qty=qty)
    return row


def settle(ctx: Context, store_id: str, sku: str, **columns: Any) -> Listing:
    """Settle a store's own columns of a listing, as `list_product` names them (rule 1); unchanged is no entry."""
    listing = ctx.session.get(Listing, (store_id, sku))
    now = {name: getattr(listing, name) for name in columns} if listing is not None else None
    if listing is not None and now == columns:
        return listing
    return catalogue.list_product(ctx, store_id, sku, **columns)


def remove_code(ctx: Context, store_id: str, code: str) -> None:
    """Let a barcode lead nowhere any more; the network's codes stay (rule 1)."""
    row = ctx.session.get(Barcode, code)
    if row is None:
        raise NotFound("unknown-barcode", "No product has this barcode.", barcode=code)
    own_product(ctx.session, store_id, row.sku)
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="barcode.removed", subject=f"product:{row.sku}", barcode=code)
    ctx.session.delete(row)


def set_tax_class(
    ctx: Context, id: str, name: str, rate_bp: int, *, inclusive: bool, owner_id: str = EVERYONE
) -> TaxClass:
    """Add a tax class, or change the name and rate of one (rule 3); what it includes never changes once it is used.

    owner_id: whose a new one is.
    """
    if not re.fullmatch(r"[\w-]{1,40}", id) or not name.strip() or len(name) > 60:
        raise Invalid("bad-tax-class", "A tax class needs a name and a short ID without spaces.", field="name")
    if type(rate_bp) is not int or not 0 <= rate_bp <= BASIS:
        raise Invalid("bad-rate", "Enter a rate from 0 to 100 percent.", field="rate")
    row = ctx.session.get(TaxClass, id)
    if row is not None and row.inclusive != inclusive and _is_used(ctx.session, id):
        raise Refused(
            "tax-class-used",
            "Products use this class, so you cannot change whether prices include tax. Add another class.",
        )
    before = None if row is None else row.rate_bp
    row = row or TaxClass(id=id, name=name, rate_bp=rate_bp, inclusive=inclusive, owner_id=owner_id)
    row.name, row.rate_bp, row.inclusive = name.strip(), rate_bp, inclusive
    ctx.session.add(row)
    facts = {"before_bp": before, "rate_bp": rate_bp, "inclusive": inclusive}
    journal.record(ctx, verb="tax class.set", subject=f"tax:{id}", **facts)
    return row


def reprice_all(
    ctx: Context,
    store_id: str,
    lines: Sequence[tuple[str, int]],
    from_day: dt.date,
    *,
    today: dt.date,
    command: str | None = None,
) -> int:
    """Date many new prices at once (rule 4): [(sku, price_minor)]; returns how many, 0 for a command done before."""
    subject = f"prices:{command}" if command else f"store:{store_id}"
    if command and was_repriced(ctx.session, command):
        return 0
    if not lines:
        raise Invalid("no-lines", "Nothing to change. Choose products first.")
    if len(lines) > MOST_AT_ONCE:
        raise Invalid("too-many-lines", "You can change up to %(most)s prices at once.", most=MOST_AT_ONCE)
    for sku, price_minor in lines:
        set_price(ctx, store_id, sku, price_minor, from_day, today=today)
    facts = {"many": len(lines), "from_day": from_day}
    journal.record(ctx, verb="prices.changed", subject=subject, **facts)
    return len(lines)


# --- questions ---


def sku_for(store_id: str, command: str) -> str:
    """Return the SKU of the product that a command makes: the same for the same command."""
    return f"{store_id}-{hashlib.sha256(command.encode()).hexdigest()[:8].upper()}"


def own_class_id(store_id: str, name: str, taken: Collection[str] = ()) -> str:
    """Return the id of a store's own tax class of this name, another one than those taken."""
    word = re.sub(r"[^\w-]+", "-", name.casefold()).strip("-_") or "tax"
    plain = re.sub(r"[^\w-]+", "-", f"{store_id}-{word}")[:40].strip("-")
    ids = (plain if n == 1 else f"{plain[:36]}-{n}" for n in count(1))
    return next(one for one in ids if one not in taken)


def own_product(session: Session, store_id: str, sku: str) -> Product:
    """Return a product of the store's own; Refused for one of the network's (rule 1)."""
    product = session.get(Product, sku)
    if product is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    if product.owner_id != store_id:
        raise Refused(
            "network-product", "%(name)s is in the network's catalog. The network sets its name and tax.",
            name=product.shown,
        )  # fmt: skip
    return product


def proposed(session: Session, store_id: str, skus: Sequence[str], rule: Rule, day: dt.date) -> list[Repriced]:
    """Return what a rule makes of some products' prices, by name; those it does not change are left out."""
    answer = []
    for start in range(0, len(skus), 500):
        some = list(skus[start : start + 500])
        prices = catalogue.prices_on(session, store_id, day, some)
        query = (
            sa.select(Product.sku, Product.shown, TaxClass.rate_bp, TaxClass.inclusive, Listing.cost_minor)
            .join(TaxClass, TaxClass.id == Product.tax_class_id)
            .outerjoin(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
            .where(Product.sku.in_(some), ~Product.price_typed)
        )
        for sku, name, rate_bp, inclusive, cost_minor in session.execute(query):
            if sku in prices:
                now = Priced(prices[sku], cost_minor, rate_bp, inclusive)
                answer.append(Repriced(sku, name, now, reprice(now, rule)))
    changed = [row for row in answer if row.new_minor != row.now.price_minor]
    return sorted(changed, key=lambda row: (row.name, row.sku))


def was_repriced(session: Session, command: str) -> bool:
    """Tell whether a change of many prices is done already."""
    query = sa.select(JournalEntry.n).where(JournalEntry.subject == f"prices:{command}")
    return session.scalar(query.limit(1)) is not None


def prices_of(session: Session, store_id: str, sku: str) -> list[Price]:
    """Return every price of a product that this store knows, the newest day first."""
    query = sa.select(Price).where(Price.sku == sku, Price.scope_id.in_((EVERYONE, store_id)))
    return list(session.scalars(query.order_by(Price.from_day.desc(), Price.scope_id.desc())))


# --- inside ---


def _check(session: Session, details: ProductDetails, sku: str | None = None) -> None:
    if not details.name.strip() or not details.category.strip():
        raise Invalid("bad-product", "Enter a name and a category.", field="name")
    for name, most in LONGEST.items():
        if len(getattr(details, name)) > most:
            raise Invalid("too-long", "Up to %(most)s characters.", most=most, field=name)
    if details.kind not in KINDS or details.stock_unit not in UNITS:
        raise Invalid("bad-product", "Choose the type of product and its unit.", field="kind")
    if session.get(TaxClass, details.tax_class_id) is None:
        raise NotFound("unknown-tax-class", "Tax class not found.", field="tax_class_id")
    if details.deposit_sku:
        deposit = session.get(Product, details.deposit_sku)
        if deposit is None or deposit.kind != "deposit" or details.kind != "goods" or details.deposit_sku == sku:
            raise Invalid("bad-deposit", "Choose a deposit from the list.", field="deposit_sku")
    bounds: dict[str, tuple[Any, int]] = {
        "minimum_age": (details.minimum_age, 99),
        "maximum_qty": (details.maximum_qty, 1_000_000),
        "shelf_life_days": (details.shelf_life_days, 10_000),
    }
    for name, (value, most) in bounds.items():
        if value is not None and not 1 <= value <= most:
            raise Invalid("bad-number", "Enter a whole number from 1 to %(most)s.", most=most, field=name)


def _is_used(session: Session, tax_class_id: str) -> bool:
    return session.scalar(sa.select(Product.sku).where(Product.tax_class_id == tax_class_id).limit(1)) is not None

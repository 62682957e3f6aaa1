"""What can be sold: products, their barcodes, dated prices, tax classes, and which store lists what.

Rules
-----
1. One SKU is one stock; many barcodes may lead to it, each with the stock units it stands for (a case of 12).
2. A price is minor units per price quantity (1 each, 1000 g), valid from a business day; a store's own price goes
   before the network's ('*'), the newest valid day before older ones. Prices are dated again; one set twice for the
   same day is put right, and the journal keeps both.
3. A store sells what it lists; an unlisted or priceless product is refused with a sentence that says what to do.
4. Barcodes and SKUs are text, leading zeros kept. A GTIN (8, 12, 13 or 14 digits) must have its check digit right
   (GS1 General Specifications 7.9).
5. Each verb that changes what tills keep and no count of rows tells begins a new `till_edition`.
6. Products, categories and departments may have names in other languages (`config.words`, rule 5): the search finds all
   of them, pages and labels show the reader's, and what is written down keeps the one name. A category or department
   is known by its one name.
7. Until a new label hangs, a store asks the lower of the valid price and the one on the label known to hang there
   (`ShelfLabel`, `pricing.asked_minor`). New labels and repricing go by the valid price alone.
"""

import datetime as dt
import re
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import words
from config.database import Base, table_of
from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from config.prepared import PreparedForSome
from pos.catalogue import till_edition
from pos.catalogue.gs1 import check_digit, has_digits, is_gtin
from pos.pricing.pricing import ProductView, asked_minor

LONGEST_CODE = 64
MOST_SEARCHED = 2_000


class TaxClass(Base):
    """Names a rate and whether shown prices include it.

    At the network a store's own class is 'store:id' (`own_tax_class_id`), so that no two stores' collide.
    """

    __tablename__ = "tax_class"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    rate_bp: Mapped[int]
    inclusive: Mapped[bool]
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    """'*' the network's catalogue, else the store whose own class it is."""


def own_tax_class_id(store_id: str, id: str) -> str:
    """Return under which id the network keeps a store's own tax class."""
    return f"{store_id}:{id}"


def shared_tax_classes() -> sa.Select[TaxClass]:
    """Return the query of the tax classes that are no single store's."""
    return sa.select(TaxClass).where(TaxClass.owner_id == EVERYONE).order_by(TaxClass.id)


class Product(Base):
    """A thing sold and stocked under one SKU. Quantities count in its stock unit."""

    __tablename__ = "product"
    __table_args__ = (
        sa.CheckConstraint("stock_unit in ('each', 'gram', 'millilitre')", name="stock_unit_known"),
        sa.CheckConstraint("price_quantity > 0", name="price_quantity_positive"),
    )

    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    """Its names in other languages (rule 6)."""
    brand: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(index=True)
    department: Mapped[str] = mapped_column(default="")
    pack_text: Mapped[str] = mapped_column(default="")
    """What one unit is, for people: '1 l', '12 oz'."""
    stock_unit: Mapped[str] = mapped_column(default="each")
    price_quantity: Mapped[int] = mapped_column(default=1)
    tax_class_id: Mapped[str] = mapped_column(sa.ForeignKey("tax_class.id"))
    minimum_age: Mapped[int | None]
    maximum_qty: Mapped[int | None]
    shelf_life_days: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(default="")
    """Lower-case names, brand, category, pinyin and pinyin initials: what `matches` looks in."""
    active: Mapped[bool] = mapped_column(default=True)
    kind: Mapped[str] = mapped_column(default="goods", server_default="goods")
    """goods | deposit (on a container) | service (nothing is stocked) | voucher (issued when it is sold)"""
    deposit_sku: Mapped[str | None]
    """The deposit charged with every unit sold."""
    price_typed: Mapped[bool] = mapped_column(default=False, server_default=sa.text("false"))
    """The cashier types the price, as for a product of no fixed one."""
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    """'*' the network's catalogue, else the store whose own product it is."""

    def called(self, language: str) -> str:
        """Return its name in a language, as paper has it."""
        return words.called(self.name, self.names, language)

    @hybrid_property
    def shown(self) -> str:
        """Its name in the reader's language (rule 6); in no `Prepared`, which would keep its first reader's."""
        return words.called(self.name, self.names)

    @shown.inplace.expression
    @classmethod
    def _shown(cls) -> sa.ColumnElement[str]:
        return sa.func.coalesce(cls.names[_READER].as_string(), cls.name)


_READER = sa.bindparam("reader", callable_=lambda: words.reader(), type_=sa.JSON.JSONStrIndexType())


class CategoryNames(Base):
    """What a category or a department is called in other languages (rule 6)."""

    __tablename__ = "category_names"

    owner_id: Mapped[str] = mapped_column(primary_key=True, default=EVERYONE)
    """'*' the network, else the store that says so."""
    name: Mapped[str] = mapped_column(primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(sa.JSON())
    search_text: Mapped[str] = mapped_column(default="")
    """Its other names, as a product's."""


class Barcode(Base):
    """A scannable code and the stock units it stands for."""

    __tablename__ = "barcode"

    code: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), index=True)
    qty: Mapped[int] = mapped_column(default=1)


class Price(Base):
    """Minor units per price quantity from a business day on, for one store or for all ('*')."""

    __tablename__ = "price"
    __table_args__ = (sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),)

    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    scope_id: Mapped[str] = mapped_column(primary_key=True, default=EVERYONE)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    price_minor: Mapped[int]


class ShelfLabel(Base):
    """What hangs at a product's place on the shelf, as it was last seen (`shelf_labels`)."""

    __tablename__ = "shelf_label"
    __table_args__ = (sa.CheckConstraint("price_minor >= 0 and price_quantity > 0", name="label_has_a_price"),)

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    price_minor: Mapped[int | None]
    """The price it shows; None: no label hangs there."""
    price_quantity: Mapped[int] = mapped_column(default=1)
    seen_at: Mapped[dt.datetime]
    place: Mapped[str] = mapped_column(default="")
    """Where it hangs, as the person with the phone named it: an aisle or a shelf."""
    position: Mapped[int] = mapped_column(default=0)
    """Its turn within the place, from one end."""


class Listing(Base):
    """A product this store sells, with the store's own settings for it."""

    __tablename__ = "listing"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    active: Mapped[bool] = mapped_column(default=True)
    hold_back_qty: Mapped[int] = mapped_column(default=0)
    """Units kept from the online store, because records are never quite right."""
    quick_key: Mapped[int | None]
    """Place on the till's touch grid; None: not on it."""
    cost_minor: Mapped[int | None]
    """What the price quantity last cost the store; None: not known."""
    ordered: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    """False: what is there is sold, and none is ordered again."""


@dataclass(frozen=True)
class Scanned:
    """What a code stands for: a product, how many stock units of it, and what else the label says."""

    product: ProductView
    qty: int
    amount_minor: int | None = None
    """What the label says it costs."""
    batch: str | None = None
    expires_on: dt.date | None = None
    source: str = "gtin"
    """gtin | sku | embedded (a store's own label) | gs1"""


# --- verbs ---


def add_product(
    ctx: Context,
    sku: str,
    name: str,
    *,
    category: str,
    tax_class_id: str,
    codes: Iterable[tuple[str, int]] = (),
    **columns: Any,
) -> Product:
    """Take a product into the catalogue with its codes (rules 1, 4).

    codes: (code, stock units it stands for). columns: further columns of Product (brand, stock_unit, minimum_age ...).
    """
    refuse_product(
        sku, name, tax_class_id, taken=ctx.session.get(Product, sku) is not None,
        taxed=ctx.session.get(TaxClass, tax_class_id) is not None,
    )  # fmt: skip
    product = Product(sku=sku, name=name.strip(), category=category, tax_class_id=tax_class_id, **columns)
    make_findable(product)
    ctx.session.add(product)
    ctx.session.flush()
    for code, qty in codes:
        add_code(ctx.session, sku, code, qty)
    journal.record(ctx, verb="product.added", subject=f"product:{sku}", name=product.name)
    return product


def add_code(session: Session, sku: str, code: str, qty: int = 1) -> Barcode:
    """Let a code lead to a product; a GTIN with a wrong check digit and a code of another product are refused."""
    refuse_code(code, sku)
    if qty <= 0:
        raise Invalid("bad-quantity", "A barcode must count as one unit or more.", barcode=code, qty=qty)
    known = session.get(Barcode, code)
    if known is not None and known.sku != sku:
        raise code_taken(code, known.sku)
    row = known or Barcode(code=code, sku=sku, qty=qty)
    row.qty = qty
    session.add(row)
    return row


def name_category(ctx: Context, name: str, names: Mapping[str, str], *, owner_id: str = EVERYONE) -> None:
    """Say what a category or a department is called in other languages; languages left out keep what they have.

    A store that says what the network says keeps no word of its own: it follows the network's next.
    """
    row = ctx.session.get(CategoryNames, (owner_id, name)) or CategoryNames(owner_id=owner_id, name=name, names={})
    shared = ctx.session.get(CategoryNames, (EVERYONE, name)) if owner_id != EVERYONE else None
    said = renamed(row.names, names)
    own = {code: word for code, word in said.items() if shared is None or shared.names.get(code) != word}
    if own == row.names:
        return
    row.names, row.search_text = own, search_text_for(*own.values())
    ctx.session.add(row)
    till_edition.begin(ctx.session, owner_id)
    journal.record(ctx, verb="category.named", subject=f"category:{name}", names=own)


def renamed(names: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """Return names after some were changed; '' takes one away."""
    return {code: name.strip() for code, name in {**names, **said}.items() if name.strip()}


def make_findable(product: Product) -> None:
    """Let the search find a product by each of its names."""
    said = product.name, product.brand or "", product.category, *(product.names or {}).values()
    product.search_text = search_text_for(*said)


def set_price(ctx: Context, sku: str, price_minor: int, from_day: dt.date, *, scope_id: str = EVERYONE) -> Price:
    """Date a price from a business day on, for one store or for all (rule 2)."""
    refuse_price(price_minor)
    if ctx.session.get(Product, sku) is None:
        raise _unknown([sku])
    price = ctx.session.get(Price, (sku, scope_id, from_day))
    before = price.price_minor if price else price_on(ctx.session, scope_id, sku, from_day)
    if price is None:
        price = Price(sku=sku, scope_id=scope_id, from_day=from_day, price_minor=price_minor)
        ctx.session.add(price)
    elif before != price_minor:
        till_edition.begin(ctx.session, scope_id)
    price.price_minor = price_minor
    facts = {"before_minor": before, "price_minor": price_minor, "from_day": from_day, "scope_id": scope_id}
    journal.record(ctx, verb="price.set", subject=f"product:{sku}", **facts)
    return price


def list_product(ctx: Context, store_id: str, sku: str, **columns: Any) -> Listing:
    """Let a store sell a product; columns: active, ordered, hold_back_qty, quick_key, cost_minor (rule 3)."""
    if ctx.session.get(Product, sku) is None:
        raise _unknown([sku])
    known = ctx.session.get(Listing, (store_id, sku))
    listing = known or Listing(store_id=store_id, sku=sku, hold_back_qty=0)
    before = (listing.active, listing.quick_key)
    for name, value in ({"active": True} | columns).items():
        if name not in ("active", "ordered", "hold_back_qty", "quick_key", "cost_minor"):
            raise ValueError(f"a listing has no {name}")
        setattr(listing, name, value)
    ctx.session.add(listing)
    if known is not None and before != (listing.active, listing.quick_key):
        till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="product.listed", subject=f"product:{sku}", store=store_id, **columns)
    return listing


# --- refusals, of one product as of many (`new_products`) ---


def refuse_product(sku: str, name: str, tax_class_id: str, *, taken: bool, taxed: bool) -> None:
    """Refuse a product that cannot come in. taken: its SKU is another's; taxed: its tax class is known."""
    if not name.strip() or not sku.strip():
        raise Invalid("bad-product", "A product needs a SKU and a name.", sku=sku)
    if taken:
        raise Conflict("product-exists", "The SKU %(sku)s is already taken.", sku=sku)
    if not taxed:
        raise NotFound("unknown-tax-class", "Tax class %(tax_class_id)s not found.", tax_class_id=tax_class_id)


def refuse_code(code: str, sku: str) -> None:
    """Refuse what is no code (rule 4)."""
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        raise Invalid("bad-code", "Enter a barcode of 1 to 64 printable characters.", sku=sku)
    if has_digits(code) and not is_gtin(code):
        raise wrong_check_digit(code)


def code_taken(code: str, sku: str) -> Conflict:
    """Return the refusal of a code that is this product's."""
    return Conflict("code-taken", "The barcode %(barcode)s already belongs to %(sku)s.", barcode=code, sku=sku)


def wrong_check_digit(code: str) -> Invalid:
    """Return the refusal of a code that was misread (rule 4)."""
    return Invalid(
        "wrong-check-digit", "The barcode %(barcode)s was misread: its last digit does not match. Scan it again.",
        barcode=code, expected=check_digit(code[:-1]),
    )  # fmt: skip


def refuse_price(price_minor: int) -> None:
    """Refuse what is no price."""
    if not 0 <= price_minor <= MAX_MINOR:
        raise Invalid("bad-price", "Enter a price of zero or more. That one looks too high.", price_minor=price_minor)


# --- questions ---


def find_code(session: Session, store_id: str, codes: Sequence[str], day: dt.date) -> Scanned | None:
    """Return what the first known of some spellings of a code stands for, in one statement; None when none is known."""
    rows = _views_by_code().all(session, {"store": store_id, "day": day}, codes)
    found = [(_seen()._make(row[:-2]), *row[-2:]) for row in rows]
    if not found:
        return None
    row, _code, qty = min(found, key=lambda hit: codes.index(hit[1]))
    _refuse_unsold([row])
    return Scanned(_view(row), qty)


def to_sell(session: Session, store_id: str, skus: Sequence[str], day: dt.date) -> dict[str, ProductView]:
    """Return the products as this store sells them on a day, or refuse, naming all that it does not (rule 3)."""
    found = map(_seen()._make, _some_views().all(session, {"store": store_id, "day": day}, skus))
    rows = {row.sku: row for row in found}
    if missing := [sku for sku in dict.fromkeys(skus) if sku not in rows]:
        raise _unknown(missing)
    _refuse_unsold(list(rows.values()))
    return {sku: _view(row) for sku, row in rows.items()}


def as_promised(session: Session, store_id: str, prices: Mapping[str, int], day: dt.date) -> dict[str, ProductView]:
    """Return what was promised at these prices, whether or not the store still sells it; the unknown is left out."""
    found = map(_seen()._make, _some_views().all(session, {"store": store_id, "day": day}, list(prices)))
    return {
        row.sku: _view(row if row.price_minor is not None else row._replace(price_minor=prices[row.sku]))
        for row in found
    }  # fmt: skip


def known_skus(session: Session, skus: Iterable[str]) -> dict[str, bool]:
    """Return which of these products there are, and of each whether its price is typed at the till."""
    query = sa.select(Product.sku, Product.price_typed).where(Product.sku.in_(sorted(set(skus))))
    return {row.sku: row.price_typed for row in session.execute(query)}


def till_catalogue(session: Session, store_id: str, day: dt.date) -> list[ProductView]:
    """Return all that can be sold today with every code, by name: what the till keeps in its page."""
    listed = _views().where(Listing.active, Product.active).order_by(Product.name, Product.sku)
    codes: dict[str, list[tuple[str, int]]] = {}
    query = sa.select(Barcode.sku, Barcode.code, Barcode.qty).order_by(Barcode.qty, Barcode.code)
    for sku, code, qty in session.execute(query):
        codes.setdefault(sku, []).append((code, qty))
    rows = session.execute(listed, {"store": store_id, "day": day}).all()
    return [_view(row, tuple(codes.get(row.sku, ()))) for row in rows if row.price_minor is not None or row.price_typed]


def search(session: Session, store_id: str, text: str, day: dt.date, limit: int = 20) -> list[ProductView]:
    """Return sellable products that match every word of the text.

    First those whose name begins with a word, then where words begin so, then the rest; quick keys first, by name.
    """
    parts, held = _parts(text), Product.search_text
    rank: sa.ColumnElement[int] = sa.literal(0)
    for word in parts:
        starts = ((held.startswith(word, autoescape=True), 0), (held.contains(f" {word}", autoescape=True), 1))
        rank = rank + sa.case(*starts, else_=3)
    if not parts:
        return []
    query = _views().where(Listing.active, Product.active, matches(text))
    query = query.order_by(rank, Listing.quick_key.is_(None), Product.name, Product.sku).limit(limit)
    rows = session.execute(query, {"store": store_id, "day": day}).all()
    return [_view(row) for row in rows if row.price_minor is not None or row.price_typed]


def matches(text: str) -> sa.ColumnElement[bool]:
    """Return for a query whether a product's names, brand, category, pinyin or SKU hold each word (rule 6)."""
    held = [
        Product.search_text.contains(word, autoescape=True) | (sa.func.lower(Product.sku) == word)
        | Product.category.in_(categories_named(word))
        for word in _parts(text)
    ]  # fmt: skip
    return sa.and_(sa.true(), *held)


def matches_or_code(text: str) -> sa.ColumnElement[bool]:
    """Return for a query whether a product matches the text, or has it as a barcode."""
    return matches(text) | sa.exists().where(Barcode.sku == Product.sku, Barcode.code == text)


def categories_named(text: str) -> sa.Select[str]:
    """Return the query of the categories and departments with a text in one of their other names."""
    return sa.select(CategoryNames.name).where(CategoryNames.search_text.contains(text.casefold(), autoescape=True))


def price_on(session: Session, store_id: str, sku: str, day: dt.date) -> int | None:
    """Return the price valid at a store on a business day; None without one (rule 2)."""
    return prices_on(session, store_id, day, [sku]).get(sku)


def prices_on(session: Session, store_id: str, day: dt.date, skus: Sequence[str] | None = None) -> dict[str, int]:
    """Return the prices valid at a store on a business day, of all products or of some."""
    query = sa.select(Product.sku, _price())
    if skus is not None:
        query = query.where(Product.sku.in_(skus))
    rows = session.execute(query, {"store": store_id, "day": day})
    return {sku: price for sku, price in rows if price is not None}


def price_of(store_id: str, day: dt.date) -> sa.ColumnElement[int]:
    """Return a Product's price at a store on a day, for a query to sort by."""
    return _price().element.params(store=store_id, day=day)


def asked_on(session: Session, store_id: str, day: dt.date, skus: Sequence[str]) -> dict[str, int]:
    """Return what a store asks for some products on a day (rule 7)."""
    label = table_of(ShelfLabel).c
    hangs = sa.and_(label.sku == Product.sku, label.store_id == store_id)
    query = sa.select(Product.sku, _price(), Product.price_quantity, label.price_minor, label.price_quantity)
    query = query.outerjoin(table_of(ShelfLabel), hangs).where(Product.sku.in_(skus))
    rows = session.execute(query, {"store": store_id, "day": day})
    return {sku: asked_minor(price, per, *label) for sku, price, per, *label in rows if price is not None}


def category_names(session: Session) -> dict[str, dict[str, str]]:
    """Return the other names of categories and departments by their one names; a store's own go first."""
    found: dict[str, dict[str, str]] = {}
    for row in session.scalars(sa.select(CategoryNames).order_by(CategoryNames.owner_id != EVERYONE)):
        found[row.name] = found.get(row.name, {}) | row.names
    return found


def search_text_for(*said: str) -> str:
    """Return what the search looks in: lower-case words, and for Chinese ones pinyin, whole and initials."""
    plain = " ".join(filter(None, said))
    found = [plain.casefold()]
    if any("\u3400" <= letter <= "\u9fff" for letter in plain):
        from pypinyin import Style, lazy_pinyin  # its dictionaries are large; only Chinese names need them

        for part in re.findall(r"[\u3400-\u9fff]+", plain):
            found.append("".join(lazy_pinyin(part)))
            found.append("".join(lazy_pinyin(part, style=Style.FIRST_LETTER)))
    return " ".join(dict.fromkeys(found))[:MOST_SEARCHED]


# --- inside ---


def _parts(text: str) -> list[str]:
    """Return the words looked for."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:200]).casefold().split()


@cache
def _price() -> sa.Label[Any]:
    """The price valid at :store on :day (rule 2); written once, because every scan and sale asks it."""
    price, product = table_of(Price), table_of(Product)

    def newest(scope: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
        valid = price.c.scope_id == scope, price.c.from_day <= sa.bindparam("day", type_=sa.Date)
        query = sa.select(price.c.price_minor).where(price.c.sku == product.c.sku, *valid)
        return query.order_by(price.c.from_day.desc()).limit(1).correlate(product).scalar_subquery()

    own, shared = newest(sa.bindparam("store", type_=sa.Text)), newest(sa.literal(EVERYONE))
    return sa.func.coalesce(own, shared).label("price_minor")


_OF_PRODUCT = (
    "sku", "name", "brand", "category", "department", "pack_text", "stock_unit", "price_quantity", "minimum_age",
    "maximum_qty", "search_text", "kind", "deposit_sku", "price_typed", "active", "names",
)  # fmt: skip


@cache
def _views() -> sa.Select[*tuple[Any, ...]]:
    product, tax, listing, label = map(table_of, (Product, TaxClass, Listing, ShelfLabel))
    here = sa.bindparam("store", type_=sa.Text)
    listed = sa.and_(listing.c.sku == product.c.sku, listing.c.store_id == here)
    hangs = sa.and_(label.c.sku == product.c.sku, label.c.store_id == here)
    columns = (
        *(product.c[name] for name in _OF_PRODUCT),
        tax.c.id.label("tax_class_id"),
        tax.c.rate_bp,
        tax.c.inclusive,
        listing.c.active.label("listed"),
        listing.c.quick_key,
        listing.c.cost_minor,
        _price(),
        label.c.price_minor.label("hung_minor"),
        label.c.price_quantity.label("hung_quantity"),
    )
    views = sa.select(*columns).join(tax, tax.c.id == product.c.tax_class_id)
    return views.outerjoin(listing, listed).outerjoin(label, hangs)


@cache
def _seen() -> Any:
    """Return the kind of tuple a row of `_views` is."""
    return namedtuple("_Seen", _views().selected_columns.keys())


@cache
def _some_views() -> PreparedForSome:
    return PreparedForSome(lambda skus: _views().where(table_of(Product).c.sku.in_(skus)))


@cache
def _views_by_code() -> PreparedForSome:
    code = table_of(Barcode).c
    views = _views().add_columns(code.code, code.qty).join(table_of(Barcode), code.sku == table_of(Product).c.sku)
    return PreparedForSome(lambda codes: views.where(code.code.in_(codes)))


def _refuse_unsold(rows: Sequence[Any]) -> None:
    if unlisted := [row for row in rows if not (row.listed and row.active)]:
        raise Refused(
            "not-sold-here", "Not sold in this store: %(unlisted)s. Add under Products first.",
            unlisted=_names(unlisted), skus=[row.sku for row in unlisted], names=[_called(row) for row in unlisted],
        )  # fmt: skip
    if priceless := [row for row in rows if row.price_minor is None and not row.price_typed]:
        raise Refused(
            "price-missing", "No price: %(priceless)s. Set one under Products, then scan again.",
            priceless=_names(priceless), skus=[row.sku for row in priceless], names=[_called(row) for row in priceless],
        )  # fmt: skip


def _view(row: Any, codes: tuple[tuple[str, int], ...] = ()) -> ProductView:
    values = {name: getattr(row, name) for name in _SHOWN}
    if row.hung_minor is not None and row.price_minor is not None:
        values["price_minor"] = asked_minor(row.price_minor, row.price_quantity, row.hung_minor, row.hung_quantity)
    return ProductView(**values, shown=_called(row), codes=codes, barcode=codes[0][0] if codes else None)


_SHOWN = (
    *(name for name in _OF_PRODUCT if name != "active"), "tax_class_id", "rate_bp", "inclusive", "quick_key",
    "cost_minor", "price_minor",
)  # fmt: skip


def _names(rows: Sequence[Any]) -> str:
    return ", ".join(_called(row) for row in rows)


def _called(row: Any) -> str:
    return words.called(row.name, row.names)


def _unknown(skus: Sequence[str]) -> NotFound:
    return NotFound("unknown-product", "Product not found: %(skus)s. Add it under Products first.", skus=list(skus))

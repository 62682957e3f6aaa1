"""Products as Open Food Facts describes them: a copy beside the books, asked when a barcode is unknown.

Rules
-----
1. The copy is a file of its own in the node's state folder: no backup carries it, for a dump makes it again.
2. It is replaced whole or not at all: until the new one is complete, the old one answers. A damaged copy knows nothing,
   and a product is added by hand.
3. A code is known by its number, whatever zeros lead it. Several products of one code are all answered, for a person to
   choose; what is said twice in the same words is one.
4. The data are under the Open Database License, which asks for a notice wherever they are shown: CREDIT.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.words import N_
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.catalogue.gs1 import is_gtin

CREDIT = N_("Product details: Open Food Facts, under the Open Database License (ODbL).")
SOURCE = "https://openfoodfacts.org/"
FILE = "open-food-facts.db"
AT_ONCE, CACHE_KIB = 5_000, 64_000


@dataclass(frozen=True)
class PublicProduct:
    """What is known of a barcode. categories: from the widest to the narrowest, with commas between them."""

    number: int
    name: str
    brand: str = ""
    pack_text: str = ""
    categories: str = ""


# --- verbs ---


def replace(folder: Path, products: Iterable[PublicProduct]) -> int:
    """Replace the copy (rule 2); returns the number of products."""
    folder.mkdir(parents=True, exist_ok=True)
    partly = folder / f"{FILE}.part"
    partly.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partly, isolation_level=None)) as books:
            books.execute("pragma journal_mode = off")
            books.execute("pragma synchronous = off")
            books.execute(f"pragma cache_size = -{CACHE_KIB}")
            books.execute(
                "create table product (number integer, name text, brand text, pack_text text, categories text,"
                " primary key (number, name, brand, pack_text)) without rowid"
            )
            put = "insert or ignore into product values (?, ?, ?, ?, ?)"
            coming = map(_row, products)
            while some := list(islice(coming, AT_ONCE)):
                books.execute("begin")
                books.executemany(put, some)
                books.execute("commit")
            (count,) = books.execute("select count(*) from product").fetchone()
        partly.replace(folder / FILE)
    finally:
        partly.unlink(missing_ok=True)
    return int(count)


# --- questions ---


def of_code(folder: Path, code: str) -> list[PublicProduct]:
    """Return what the copy knows of a barcode (rule 3), the fullest description first."""
    path, number = (folder / FILE).absolute(), number_of(code)
    if number is None or not path.is_file():
        return []
    query = "select number, name, brand, pack_text, categories from product where number = ?"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as books:
            found = [PublicProduct(*row) for row in books.execute(query, (number,))]
    except sqlite3.Error:
        return []  # rule 2
    return sorted(found, key=lambda one: -sum(bool(value) for value in vars(one).values()))


def number_of(code: str) -> int | None:
    """Return the number of a GTIN, whatever zeros lead it; None for any other text."""
    bare = code.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 14):
        return None
    return int(bare) or None if is_gtin(bare.zfill(14)) else None


def proposed(session: Session, store_id: str, product: PublicProduct | None) -> tuple[str, str]:
    """Return the category and tax class to propose for a new product, each '' where nothing speaks for one.

    The category is the narrowest of the product's that the store has, else what the store's products of this brand are
    in, else the product's narrowest. The tax class is what most products of that category have, else most of all.
    """
    category = _category(session, store_id, product) if product else ""
    taxed = sa.select(Product.tax_class_id).where(Product.active).group_by(Product.tax_class_id)
    most = taxed.order_by(
        (sa.func.sum(sa.cast(Product.category == category, sa.Integer))).desc(), sa.func.count().desc()
    )
    return category, session.scalar(most.limit(1)) or ""


# --- inside ---

_row = attrgetter("number", "name", "brand", "pack_text", "categories")


def _category(session: Session, store_id: str, product: PublicProduct) -> str:
    listed = sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id)
    ours = sa.select(Product.category).join(Listing, listed).where(Product.active)
    others = catalogue.category_names(session)
    known = {
        _plain(said): name for name in set(session.scalars(ours)) for said in (name, *others.get(name, {}).values())
    }
    theirs = [one.strip() for one in product.categories.split(",") if one.strip()]
    if found := next((known[_plain(one)] for one in reversed(theirs) if _plain(one) in known), ""):
        return found
    if product.brand:
        of_brand = ours.where(Product.brand == product.brand.split(",")[0].strip()).group_by(Product.category)
        if usual := session.scalar(of_brand.order_by(sa.func.count().desc()).limit(1)):
            return usual
    return theirs[-1] if theirs else ""


def _plain(category: str) -> str:
    """Return a category as it is compared: 'Sodas' is 'soda'."""
    return category.casefold().removesuffix("s")

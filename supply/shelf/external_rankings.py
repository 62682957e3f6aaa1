"""What sells elsewhere: bestseller lists of outside platforms, brought in as files.

Rules
-----
1. A list has a source and a day, and its places are kept as they came. The same source and day brought in again
   replaces what was there.
2. A place is matched to a product by its GTIN, however many zeros lead it, by hand where that fails; a match by hand
   stays for the source's later lists. What matches nothing waits, by name, for somebody who knows it or wants to carry
   it.
3. A place counts for WORTH_DAYS, the less the older it is; of several lists the best place counts.
4. What nobody carries can be taken into the catalogue with a price and a supplier: no store has it, and each can order
   it in for a customer (`order_in`).
"""

import datetime as dt
import hashlib
import re
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound
from config.money import BASIS
from config.nodes.journal import Context, record
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Barcode, Product
from pos.catalogue.gs1 import spellings as gtin_spellings
from supply.orders import suppliers
from supply.orders.suppliers import CasePack

WORTH_DAYS = 28


class ExternalRank(Base):
    """A place on an outside list. sku None: matches no product of ours."""

    __tablename__ = "external_rank"
    __table_args__ = (sa.Index("ix_outside_place_day", "listed_on", "sku"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    listed_on: Mapped[dt.date] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    gtin: Mapped[str]
    name: Mapped[str]
    sku: Mapped[str | None]
    by_hand: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True)
class OutsideRank:
    """The best place of a product on a list that still counts. weight_bp: 10,000 for today's first place."""

    source: str
    listed_on: dt.date
    place: int
    of: int
    weight_bp: int


# --- verbs ---


def add(ctx: Context, source: str, listed_on: dt.date, place: int, name: str, gtin: str) -> ExternalRank:
    """Write one place of a list (rules 1, 2)."""
    row = ctx.session.get(ExternalRank, (source, listed_on, place))
    if row is None:
        row = ExternalRank(source=source, listed_on=listed_on, place=place, gtin="", name="", by_hand=False)
        ctx.session.add(row)
    row.name, row.gtin = name, gtin
    row.sku, row.by_hand = _matched(ctx.session, source, name, gtin)
    if place == 1:
        record(ctx, verb="outside list.brought in", subject=f"list:{source}", day=listed_on)
    return row


def begin(session: Session, source: str, listed_on: dt.date) -> None:
    """Empty a list that is brought in again; what was matched by hand lies aside until `end`, to be found again."""
    same = (ExternalRank.source == source, ExternalRank.listed_on == listed_on)
    session.execute(sa.delete(ExternalRank).where(*same, ~ExternalRank.by_hand))
    session.execute(sa.update(ExternalRank).where(*same).values(place=-ExternalRank.place))


def end(session: Session, source: str, listed_on: dt.date) -> None:
    """Drop what lay aside: what fell off the list is not on it any more (rule 1)."""
    same = (ExternalRank.source == source, ExternalRank.listed_on == listed_on)
    session.execute(sa.delete(ExternalRank).where(*same, ExternalRank.place < 0))


def match(ctx: Context, source: str, name: str, sku: str) -> int:
    """Say by hand which product a listed name is (rule 2); returns how many places it settled. sku: or a barcode."""
    sku = _by_code(ctx.session, sku) or sku
    if ctx.session.get(Product, sku) is None:
        raise NotFound(
            "unknown-product", "Product %(sku)s not found. Choose one from the catalog.", sku=sku, skus=[sku]
        )
    rows = ctx.session.scalars(
        sa.select(ExternalRank).where(ExternalRank.source == source, ExternalRank.name == name)
    ).all()
    for row in rows:
        row.sku, row.by_hand = sku, True
    record(ctx, verb="outside list.matched", subject=f"list:{source}", name=name, sku=sku)
    return len(rows)


def carry(
    ctx: Context,
    source: str,
    name: str,
    *,
    category: str,
    tax_class_id: str,
    price_minor: int,
    supplier_id: str,
    pack: CasePack,
) -> Product:
    """Take a listed name into the catalogue with price and supplier, so that every store can order it in (rule 4).

    Its number is its GTIN, else made of source and name; carried already, it is that product.
    """
    row = ctx.session.scalar(
        sa.select(ExternalRank)
        .where(ExternalRank.source == source, ExternalRank.name == name)
        .order_by(ExternalRank.listed_on.desc(), ExternalRank.place)
        .limit(1)
    )
    if row is None:
        raise NotFound("unknown-place", "This name is no longer on a list. Reload the list.")
    if row.sku is not None:
        return ctx.session.get_one(Product, row.sku)
    sku = row.gtin or "X" + hashlib.sha256(f"{source}:{name}".encode()).hexdigest()[:10].upper()
    codes = [(row.gtin, 1)] if row.gtin else []
    product = catalogue.add_product(ctx, sku, name, category=category, tax_class_id=tax_class_id, codes=codes)
    catalogue.set_price(ctx, sku, price_minor, row.listed_on)
    suppliers.offer_product(ctx, supplier_id, sku, pack)
    match(ctx, source, name, sku)
    return product


# --- questions ---


def ranks(session: Session, day: dt.date) -> dict[str, OutsideRank]:
    """Return SKU -> its best place that still counts on a day (rule 3)."""
    first = day - dt.timedelta(days=WORTH_DAYS - 1)
    lengths = sa.select(ExternalRank.source, ExternalRank.listed_on, sa.func.max(ExternalRank.place)).group_by(
        ExternalRank.source, ExternalRank.listed_on
    )
    longest = {(source, listed_on): int(most) for source, listed_on, most in session.execute(lengths)}
    found: dict[str, OutsideRank] = {}
    query = sa.select(ExternalRank).where(ExternalRank.listed_on.between(first, day), ExternalRank.sku.is_not(None))
    for row in session.scalars(query.order_by(ExternalRank.source, ExternalRank.listed_on, ExternalRank.place)):
        of = longest[row.source, row.listed_on]
        age = (day - row.listed_on).days
        weight_bp = BASIS * (of - row.place + 1) // of * (WORTH_DAYS - age) // WORTH_DAYS
        known = found.get(str(row.sku))
        if known is None or weight_bp > known.weight_bp:
            found[str(row.sku)] = OutsideRank(row.source, row.listed_on, row.place, of, weight_bp)
    return found


def unmatched(session: Session, day: dt.date) -> list[ExternalRank]:
    """Return what sells elsewhere and is no product of ours, the best places first (rule 2)."""
    first = day - dt.timedelta(days=WORTH_DAYS - 1)
    query = sa.select(ExternalRank).where(ExternalRank.listed_on.between(first, day), ExternalRank.sku.is_(None))
    return list(session.scalars(query.order_by(ExternalRank.place, ExternalRank.source, ExternalRank.listed_on)))


def likely(session: Session, name: str, most: int = 3) -> list[Product]:
    """Return our products whose names share most words with a listed one, the likeliest first; Chinese by pairs."""
    words = _words(name)
    if not words:
        return []
    fits = [Product.search_text.contains(word, autoescape=True) for word in sorted(words)]
    found = session.scalars(sa.select(Product).where(Product.active, Product.kind == "goods", sa.or_(*fits))).all()

    def unlike(one: Product) -> tuple[float, str]:
        own = _words(one.name)
        return -len(own & words) / max(1, len(own | words)), one.shown

    return [one for one in sorted(found, key=unlike) if _words(one.name) & words][:most]


# --- inside ---


def _words(name: str) -> set[str]:
    """Return a name's words of three letters or more, and each two neighbouring Chinese signs."""
    text = unicodedata.normalize("NFKC", name).casefold()
    han = (run[n : n + 2] for run in re.findall(r"[\u3400-\u9fff]+", text) for n in range(max(1, len(run) - 1)))
    return {*re.findall(r"[^\W\d_\u3400-\u9fff]{3,}", text), *han}


def _by_code(session: Session, code: str) -> str | None:
    query = sa.select(Barcode.sku).where(Barcode.code.in_(gtin_spellings(code)))
    return session.scalar(query.limit(1)) if code else None


def _matched(session: Session, source: str, name: str, gtin: str) -> tuple[str | None, bool]:
    if (sku := _by_code(session, gtin)) is not None:
        return sku, False
    by_hand = session.scalar(
        sa.select(ExternalRank.sku)
        .where(ExternalRank.source == source, ExternalRank.name == name, ExternalRank.by_hand)
        .order_by(ExternalRank.listed_on.desc())
        .limit(1)
    )
    return by_hand, by_hand is not None

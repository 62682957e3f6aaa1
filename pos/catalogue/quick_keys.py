"""The till's quick keys: pages of touch keys for what is sold without a barcode, as the shopkeeper arranges them.

Rules
-----
1. A till has up to 4 pages of 24 places; a place holds one product, and a page holds a product once.
2. Page one is the listing's `quick_key` too, place by place: whatever asks the listing sees the same keys.
3. A store that never arranged anything has the keys of its listings, in their order.
4. A key of a product the store no longer sells keeps its place and is not shown.
5. A key shows the product's name unless it has a label of its own; its colour is one of the palette, never the only
   sign of anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue import till_edition
from pos.catalogue.catalogue import Listing, Product

PAGES, PLACES = 4, 24
COLOURS = ("paper", "jade", "amber", "brick", "sky", "ink")
LONGEST_LABEL, LONGEST_NAME = 24, 20
Spot = tuple[int, int]
"""(page 1 to 4, place 0 to 23)"""


class QuickKey(Base):
    """A product on a place of a page."""

    __tablename__ = "quick_key"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), index=True)
    label: Mapped[str] = mapped_column(default="")
    colour: Mapped[str] = mapped_column(default="paper")


class QuickPage(Base):
    """The name of a page."""

    __tablename__ = "quick_page"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@dataclass(frozen=True)
class Key:
    """A key as the till shows it."""

    place: int
    sku: str
    name: str
    label: str = ""
    colour: str = "paper"


@dataclass(frozen=True)
class Page:
    """A page of keys, by place."""

    page: int
    name: str
    keys: tuple[Key, ...]


# --- verbs ---


def put(
    ctx: Context,
    store_id: str,
    sku: str,
    page: int,
    place: int | None = None,
    *,
    label: str = "",
    colour: str = "paper",
) -> QuickKey:
    """Put a product on a free place, the first free one unless told; on the page already, it moves there (rule 1)."""
    listing = ctx.session.get(Listing, (store_id, sku))
    if listing is None or not listing.active:
        raise NotFound("not-listed", "This store does not sell %(sku)s. Add it under Products first.", sku=sku)
    rows = _arranged(ctx.session, store_id)
    taken = {row.place: row for row in rows.values() if row.page == page}
    same = next((row for row in taken.values() if row.sku == sku), None)
    if place is None:
        place = same.place if same else _free(rows, page)
    spot = _spot(page, place)
    if place in taken and taken[place] is not same:
        raise Conflict(
            "place-taken", "Slot %(number)s on page %(page)s already has a key.",
            number=place + 1, page=page, place=place,
        )  # fmt: skip
    if same is not None and same.place != place:
        ctx.session.delete(same)
        ctx.session.flush()
        same = None
    row = same or QuickKey(store_id=store_id, page=page, place=place, sku=sku)
    row.label, row.colour = _label(label), _colour(colour)
    ctx.session.add(row)
    return _done(ctx, row, "key.put", spot)


def move(ctx: Context, store_id: str, source: Spot, page: int, place: int | None) -> None:
    """Move a key to another place, None: the first free one; a key that is there changes places with it."""
    rows = _arranged(ctx.session, store_id)
    target = _spot(page, _free(rows, page) if place is None else place)
    moved, there = _key(rows, source), rows.get(target)
    if source == target:
        return
    crossing: list[tuple[QuickKey, int]] = [(moved, target[0])] + ([(there, source[0])] if there else [])
    for row, to in crossing:
        if to != row.page and any(other.sku == row.sku and other.page == to for other in rows.values()):
            raise Conflict("already-on-page", "Page %(page)s already has a key for this product.", page=to)
    kept = [(row.sku, row.label, row.colour) for row in (moved, there) if row is not None]
    for old in (moved, there):
        if old is not None:
            ctx.session.delete(old)
    ctx.session.flush()
    for (sku, label, colour), (to, on) in zip(kept, (target, source), strict=False):
        ctx.session.add(QuickKey(store_id=store_id, page=to, place=on, sku=sku, label=label, colour=colour))
    ctx.session.flush()
    _done(ctx, ctx.session.get_one(QuickKey, (store_id, *target)), "key.moved", source)


def change(ctx: Context, store_id: str, spot: Spot, *, label: str, colour: str) -> QuickKey:
    """Give a key another label or colour (rule 5)."""
    row = _key(_arranged(ctx.session, store_id), spot)
    row.label, row.colour = _label(label), _colour(colour)
    return _done(ctx, row, "key.changed", spot)


def remove(ctx: Context, store_id: str, spot: Spot) -> None:
    """Take a key away; its place stays free."""
    row = _key(_arranged(ctx.session, store_id), spot)
    ctx.session.delete(row)
    ctx.session.flush()
    _done(ctx, row, "key.removed", spot)


def name_page(ctx: Context, store_id: str, page: int, name: str) -> None:
    """Give a page a name; an empty one takes it away."""
    _spot(page, 0)
    name = name.strip()
    if len(name) > LONGEST_NAME:
        raise Invalid("too-long", "A page name can have up to %(most)s characters.", most=LONGEST_NAME, field="name")
    ctx.session.merge(QuickPage(store_id=store_id, page=page, name=name))
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="page.named", subject=f"keys:{store_id}", page=page, name=name)


# --- questions ---


def layout(session: Session, store_id: str) -> list[Page]:
    """Return the four pages with the keys that can be used now (rules 3, 4)."""
    stored = session.execute(
        sa.select(QuickKey.page, QuickKey.place, QuickKey.sku, QuickKey.label, QuickKey.colour).where(
            QuickKey.store_id == store_id
        )
    ).all()
    found: list[tuple[int, int, str, str, str]] = [(*row,) for row in stored] or [
        (page, place, sku, "", "paper") for page, place, sku in _from_listings(session, store_id)
    ]
    names = dict(
        session.execute(
            sa.select(Product.sku, Product.shown)
            .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
            .where(Product.active, Listing.active, Product.sku.in_([row[2] for row in found]))
        ).all()
    )
    titles = dict(
        session.execute(sa.select(QuickPage.page, QuickPage.name).where(QuickPage.store_id == store_id)).all()
    )
    pages = []
    for page in range(1, PAGES + 1):
        keys = [
            Key(place, sku, names[sku], label, colour)
            for on, place, sku, label, colour in sorted(found)
            if on == page and sku in names
        ]
        pages.append(Page(page, titles.get(page, ""), tuple(keys)))
    return pages


# --- inside ---


def _arranged(session: Session, store_id: str) -> dict[Spot, QuickKey]:
    """Return the keys by their spot; the first arranging takes over the listings' keys (rule 3)."""
    query = sa.select(QuickKey).where(QuickKey.store_id == store_id)
    rows = session.scalars(query).all()
    if not rows:
        session.add_all(
            QuickKey(store_id=store_id, page=page, place=place, sku=sku, label="", colour="paper")
            for page, place, sku in _from_listings(session, store_id)
        )
        session.flush()
        rows = session.scalars(query).all()
    return {(row.page, row.place): row for row in rows}


def _from_listings(session: Session, store_id: str) -> Iterable[tuple[int, int, str]]:
    query = sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.quick_key.is_not(None))
    skus = session.scalars(query.order_by(Listing.quick_key, Listing.sku).limit(PAGES * PLACES))
    return [(1 + n // PLACES, n % PLACES, sku) for n, sku in enumerate(skus)]


def _key(rows: dict[Spot, QuickKey], spot: Spot) -> QuickKey:
    row = rows.get(_spot(*spot))
    if row is None:
        raise NotFound("no-key-there", "There is no key in that slot. Reload the page.")
    return row


def _done(ctx: Context, row: QuickKey, verb: str, spot: Spot) -> QuickKey:
    """Keep the listings' page one the same (rule 2), count the edition up and write the journal."""
    ctx.session.flush()
    first = {
        key.sku: key.place
        for key in ctx.session.scalars(sa.select(QuickKey).where(QuickKey.store_id == row.store_id, QuickKey.page == 1))
    }
    shown = sa.or_(Listing.quick_key.is_not(None), Listing.sku.in_(list(first)))
    for listing in ctx.session.scalars(sa.select(Listing).where(Listing.store_id == row.store_id, shown)):
        listing.quick_key = first.get(listing.sku)
    till_edition.begin(ctx.session, row.store_id)
    facts = {"page": row.page, "place": row.place, "label": row.label, "colour": row.colour, "spot": list(spot)}
    journal.record(ctx, verb=verb, subject=f"product:{row.sku}", **facts)
    return row


def _free(rows: dict[Spot, QuickKey], page: int) -> int:
    _spot(page, 0)
    place = next((place for place in range(PLACES) if (page, place) not in rows), None)
    if place is None:
        raise Conflict("page-full", "Page %(page)s is full. Remove a key or use another page.", page=page)
    return place


def _spot(page: int, place: int) -> Spot:
    if not (1 <= page <= PAGES and 0 <= place < PLACES):
        raise Invalid(
            "bad-spot", "There are %(pages)s pages with %(places)s slots each.", pages=PAGES, places=PLACES, page=page,
            place=place,
        )  # fmt: skip
    return page, place


def _label(label: str) -> str:
    label = label.strip()
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise Invalid("too-long", "A key label can have up to %(most)s characters.", most=LONGEST_LABEL, field="label")
    return label


def _colour(colour: str) -> str:
    if colour not in COLOURS:
        raise Invalid("bad-choice", "Choose a color: %(colours)s.", colours=", ".join(COLOURS), field="colour")
    return colour

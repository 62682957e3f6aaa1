"""Labels at the shelf: what their codes promise, what a look at one found, which products wait for theirs.

Rules
-----
1. A label's code names its product and price. The label known to hang (`catalogue.ShelfLabel`) is the one last looked
   at or said to hang; what hangs wrong counts as well, for customers read it (`pricing`, rule 7).
2. Anybody can draw a code: a price this store never asked for the product on a day gone by, nor asks today, is refused,
   and so is zero for what has a price, and any label of a product whose price is typed. Below the price by more than a
   person may take off by hand, only who may change prices says what hangs.
3. Each look stays as a row: what the label showed, what the till asked then, what the price was. The same command looks
   once.
4. A product waits for its label when the one known to hang shows another price, when none hangs, or when its price
   began after the business day of the store's first look. A store that looks at no labels waits for none.
5. Who scans says where. A label seen first hangs beside the one scanned before it in its place, or ends the place.
6. An inspection's sample is drawn by a seed that is kept. The first look at each of its products counts.
"""

import datetime as dt
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, dialect_of, insert_into
from config.errors import Invalid, NotFound, Refused
from config.money import BASIS
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context, JournalEntry
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, label_walk, till_edition
from pos.catalogue.catalogue import Listing, Price, Product, ShelfLabel
from pos.catalogue.label_walk import Accuracy, Stop, judged
from pos.pricing.pricing import ProductView, asked_minor
from pos.store import permissions
from pos.store.store import day_of

LONGEST_CODE, LONGEST_PLACE, AT_ONCE = 300, 20, 500
SIZES = (25, 50, 100)
_CODES = (
    re.compile(r"label:(?P<price>\d{1,12})/(?P<per>\d{1,7})/(?P<sku>[^\s/?#]{1,192})", re.ASCII),
    re.compile(
        r"https?://[^\s?#]{1,200}/p/(?P<sku>[^\s/?#]{1,192})\?price=(?P<price>\d{1,12})/(?P<per>\d{1,7})", re.ASCII
    ),
)


@append_only()
class LabelLook(Base):
    """One look at a label (rule 3). Prices are per their quantity of stock units."""

    __tablename__ = "label_look"
    __table_args__ = (
        sa.Index("ix_label_look_inspection", "store_id", "inspection_id"),
        sa.Index("ix_label_look_at", "store_id", "at"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The command's id."""
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    shown_minor: Mapped[int | None]
    """What the label shows; None: none hangs there."""
    shown_quantity: Mapped[int]
    asked_minor: Mapped[int]
    """What the till asked until this look."""
    price_minor: Mapped[int]
    """The valid price: what a new label says."""
    price_quantity: Mapped[int]
    inspection_id: Mapped[str]
    """The inspection it belongs to; '' for none."""
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]
    actor_name: Mapped[str]

    @property
    def is_right(self) -> bool:
        """Tell whether the label shows the valid price."""
        return judged(self.shown_minor, self.shown_quantity, self.price_minor, self.price_quantity) == "right"

    @property
    def verdict(self) -> str:
        """Return what an inspector finds: right | over | under | missing."""
        return judged(self.shown_minor, self.shown_quantity, self.asked_minor, self.price_quantity)


@append_only()
class LabelInspection(Base):
    """A random sample of labels to look at (rule 6)."""

    __tablename__ = "label_inspection"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int]
    skus: Mapped[list[str]] = mapped_column(sa.JSON())
    drawn_at: Mapped[dt.datetime]
    actor_id: Mapped[str]
    actor_name: Mapped[str]


@dataclass(frozen=True)
class Shown:
    """What a label shows: a product's price per a quantity of stock units; None: no label hangs."""

    sku: str
    price_minor: int | None
    price_quantity: int = 1


# --- a label's code ---


def code_of(sku: str, price_minor: int, price_quantity: int, shop: str = "") -> str:
    """Return the code of a label: the product's address in the online store `shop`, where there is one (rule 1)."""
    name, said = quote(sku, safe=""), f"{price_minor}/{price_quantity}"
    return f"{shop}/p/{name}?price={said}" if shop else f"label:{said}/{name}"


def read_code(text: str) -> Shown | None:
    """Return what a scanned text says if it is the code of a label, else None."""
    if len(text) > LONGEST_CODE:
        return None
    found = next(filter(None, (code.fullmatch(text.strip()) for code in _CODES)), None)
    if found is None or not (per := int(found["per"])):
        return None
    return Shown(unquote(found["sku"]), int(found["price"]), per)


# --- verbs ---


def look_at(
    ctx: Context, store_id: str, shown: Shown, day: dt.date, *, id: str, place: str = "", inspection_id: str = ""
) -> LabelLook:
    """Keep a look at a label, and the label as the one that hangs now (rules 1 to 3, 5)."""
    if (again := ctx.session.get(LabelLook, (store_id, id))) is not None:
        return again
    sku = shown.sku
    view = catalogue.to_sell(ctx.session, store_id, [sku], day)[sku]
    price_minor = catalogue.price_on(ctx.session, store_id, sku, day)
    if price_minor is None or view.price_typed:
        raise Refused("price-missing", "This product has no price. Set one, then print its label.", sku=sku)
    if shown.price_minor is not None and (
        shown.price_minor == 0 < price_minor or not _was_asked(ctx.session, store_id, shown, view.price_quantity, day)
    ):
        raise Refused(
            "label-not-ours",
            "This store never set the price on this label for %(name)s. Take the label down and print a new one.",
            name=view.shown, sku=sku,
        )  # fmt: skip
    held_minor = asked_minor(price_minor, view.price_quantity, shown.price_minor, shown.price_quantity)
    rights = permissions.rights_of(ctx.session, store_id, ctx.actor.role)
    if (price_minor - held_minor) * BASIS > price_minor * rights.discount_bp and not rights.may("catalogue"):
        raise Refused(
            "label-far-below", "This label is far below the price of %(name)s. Ask someone who can change prices.",
            name=view.shown, sku=sku,
        )  # fmt: skip
    if inspection_id and sku not in inspection_of(ctx.session, store_id, inspection_id).skus:
        raise Refused("not-in-sample", "%(name)s is not in this sample. Scan the next label.", name=view.shown, sku=sku)
    look = LabelLook(
        store_id=store_id, id=id, sku=sku, shown_minor=shown.price_minor, shown_quantity=shown.price_quantity,
        asked_minor=view.price_minor, price_minor=price_minor, price_quantity=view.price_quantity,
        inspection_id=inspection_id, at=ctx.at, actor_id=ctx.actor.id, actor_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(look)
    _hang(ctx, store_id, shown, place[:LONGEST_PLACE])
    after = catalogue.asked_on(ctx.session, store_id, day, [sku])[sku]
    if after != view.price_minor:
        till_edition.begin(ctx.session, store_id)
        journal.record_many(ctx, [_hung(sku, view.price_minor, after, shown.price_minor)])
    return look


def hang_all(ctx: Context, store_id: str, skus: Sequence[str], day: dt.date, *, command: str) -> int:
    """Say that the labels of these products hang at the prices of a day; returns how many have one."""
    hung: list[tuple[ProductView, int]] = []
    for start in range(0, len(skus), AT_ONCE):
        some = skus[start : start + AT_ONCE]
        prices = catalogue.prices_on(ctx.session, store_id, day, some)
        views = catalogue.to_sell(ctx.session, store_id, [sku for sku in some if sku in prices], day)
        hung += [(view, prices[sku]) for sku, view in views.items() if not view.price_typed]
    if not hung or ctx.session.get(LabelLook, (store_id, f"{command}.0")) is not None:
        return len(hung)
    labels = [
        {"store_id": store_id, "sku": view.sku, "price_minor": price_minor, "price_quantity": view.price_quantity,
         "seen_at": ctx.at}
        for view, price_minor in hung
    ]  # fmt: skip
    write_many(ctx.session, LabelLook, [
        {"store_id": store_id, "id": f"{command}.{n}", "sku": view.sku, "shown_minor": price_minor,
         "shown_quantity": view.price_quantity, "asked_minor": view.price_minor, "price_minor": price_minor,
         "price_quantity": view.price_quantity, "inspection_id": "", "at": ctx.at, "actor_id": ctx.actor.id,
         "actor_name": ctx.actor.name}
        for n, (view, price_minor) in enumerate(hung)
    ])  # fmt: skip
    insert = insert_into(ShelfLabel, dialect_of(ctx.session))
    says = {name: insert.excluded[name] for name in ("price_minor", "price_quantity", "seen_at")}
    ctx.session.execute(insert.on_conflict_do_update(index_elements=["store_id", "sku"], set_=says), labels)
    if changed := [(view, price_minor) for view, price_minor in hung if view.price_minor != price_minor]:
        till_edition.begin(ctx.session, store_id)
        journal.record_many(ctx, [_hung(view.sku, view.price_minor, price, price) for view, price in changed])
    return len(hung)


def draw(ctx: Context, store_id: str, day: dt.date, *, id: str, size: int, seed: int) -> LabelInspection:
    """Draw the sample of an inspection from all that has a label (rule 6); the same command draws once."""
    if (again := ctx.session.get(LabelInspection, (store_id, id))) is not None:
        return again
    if size not in SIZES:
        raise Invalid("bad-choice", "Choose how many labels to inspect.", field="size")
    skus = sorted(stop.sku for stop in stops(ctx.session, store_id, day, everything=True))
    if not skus:
        raise NotFound("no-label", "There is no label to inspect. Set prices first.")
    sample = random.Random(seed).sample(skus, min(size, len(skus)))
    row = LabelInspection(
        store_id=store_id, id=id, seed=seed, skus=sample, drawn_at=ctx.at, actor_id=ctx.actor.id,
        actor_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    journal.record(ctx, verb="inspection.drawn", subject=f"inspection:{id}", seed=seed, size=len(sample))
    return row


# --- questions ---


def stops(
    session: Session,
    store_id: str,
    day: dt.date,
    *,
    everything: bool = False,
    skus: Sequence[str] | None = None,
    unseen_since: dt.datetime | None = None,
) -> list[Stop]:
    """Return the labels that wait (rule 4), of some products alone where `skus` are given; `everything`: all.

    unseen_since: without those looked at from then on.
    """
    query = sa.select(
        Product.sku, Product.shown, Product.category, Product.department, Product.stock_unit, Product.price_quantity,
        ShelfLabel.price_minor, ShelfLabel.price_quantity, ShelfLabel.place, ShelfLabel.position,
    )  # fmt: skip
    query = (
        query.join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id, Listing.active))
        .outerjoin(ShelfLabel, sa.and_(ShelfLabel.sku == Product.sku, ShelfLabel.store_id == store_id))
        .where(Product.active, Product.kind == "goods", Product.price_typed.is_(False))
    )
    if skus is not None:
        query = query.where(Product.sku.in_(skus))
    if unseen_since is not None:
        query = query.where(sa.or_(ShelfLabel.seen_at.is_(None), ShelfLabel.seen_at < unseen_since))
    fresh: set[str] = set()
    if not everything:
        first = session.scalar(sa.select(sa.func.min(LabelLook.at)).where(LabelLook.store_id == store_id))
        if first is None:
            return []
        began = sa.select(Price.sku).where(
            Price.scope_id.in_([store_id, EVERYONE]),
            Price.from_day > day_of(session, store_id, first),
            Price.from_day <= day,
        )
        fresh = set(session.scalars(began))
        query = query.where(sa.or_(ShelfLabel.sku.is_not(None), Product.sku.in_(began)))
    rows = session.execute(query.order_by(Product.sku)).all()
    prices = catalogue.prices_on(session, store_id, day, skus)
    found = [
        Stop(sku, name, category, department, unit, prices[sku], per, hung, hung_per, place or "", position or 0)
        for sku, name, category, department, unit, per, hung, hung_per, place, position in rows
        if sku in prices
    ]
    return found if everything else [stop for stop in found if _waits(stop, stop.sku in fresh)]


def waiting(session: Session, store_id: str, day: dt.date) -> int:
    """Count the products that wait for their label (rule 4)."""
    return len(stops(session, store_id, day))


def inspection_of(session: Session, store_id: str, id: str) -> LabelInspection:
    """Return an inspection of this store; NotFound when there is none of that id."""
    row = session.get(LabelInspection, (store_id, id))
    if row is None:
        raise NotFound("unknown-inspection", "Inspection not found. Choose one from the list.")
    return row


def inspections(session: Session, store_id: str) -> list[LabelInspection]:
    """Return the inspections of a store, the newest first."""
    query = sa.select(LabelInspection).where(LabelInspection.store_id == store_id)
    return list(session.scalars(query.order_by(LabelInspection.drawn_at.desc(), LabelInspection.id)))


def looks(session: Session, store_id: str, inspection_id: str) -> dict[str, LabelLook]:
    """Return the look that counts at each product of an inspection (rule 6)."""
    query = sa.select(LabelLook).where(LabelLook.store_id == store_id, LabelLook.inspection_id == inspection_id)
    found: dict[str, LabelLook] = {}
    for look in session.scalars(query.order_by(LabelLook.at, LabelLook.id)):
        found.setdefault(look.sku, look)
    return found


def accuracy(found: dict[str, LabelLook]) -> Accuracy:
    """Return what the looks of an inspection come to."""
    return label_walk.accuracy([look.verdict for look in found.values()])


def last_seen(session: Session, store_id: str) -> ShelfLabel | None:
    """Return the label looked at last; the walk goes on from there."""
    query = sa.select(ShelfLabel).where(ShelfLabel.store_id == store_id)
    return session.scalar(query.order_by(ShelfLabel.seen_at.desc(), ShelfLabel.position.desc()).limit(1))


# --- inside ---


def _was_asked(session: Session, store_id: str, shown: Shown, price_quantity: int, day: dt.date) -> bool:
    """Tell whether a product had this price here on a day gone by or has it today (rule 2).

    The dated prices tell, and the journal of those put right on a later day. Where the store has its own price, the
    network's counts from before it alone.
    """
    if shown.price_quantity != price_quantity:
        return False
    dated = sa.select(Price.scope_id, Price.from_day, Price.price_minor).where(Price.sku == shown.sku)
    prices = session.execute(dated.where(Price.scope_id.in_([store_id, EVERYONE]), Price.from_day <= day)).all()
    own = min((from_day for scope_id, from_day, _minor in prices if scope_id == store_id), default=dt.date.max)
    said = sa.select(JournalEntry.at, JournalEntry.body).where(
        JournalEntry.subject == f"product:{shown.sku}", JournalEntry.verb == "price.set"
    )
    asked = {(scope_id, from_day) for scope_id, from_day, minor in prices if minor == shown.price_minor}
    for at, text in session.execute(said):
        body = json.loads(text)
        if body["before_minor"] == shown.price_minor:
            from_day = dt.date.fromisoformat(body["from_day"])
            if from_day < day_of(session, store_id, at):
                asked.add((body["scope_id"], from_day))
    return any(scope_id == store_id or (scope_id == EVERYONE and from_day < own) for scope_id, from_day in asked)


def _hung(sku: str, before: int, after: int, shown_minor: int | None) -> tuple[str, str, dict[str, int | None]]:
    """Return the journal's entry of a label that changes what the till asks."""
    facts = {"before_minor": before, "asked_minor": after, "shown_minor": shown_minor}
    return "label.hung", f"product:{sku}", facts


def _waits(stop: Stop, is_fresh: bool) -> bool:
    if stop.hung_quantity is None:
        return is_fresh
    return judged(stop.hung_minor, stop.hung_quantity, stop.price_minor, stop.price_quantity) != "right"


def _hang(ctx: Context, store_id: str, shown: Shown, place: str) -> None:
    row = ctx.session.get(ShelfLabel, (store_id, shown.sku))
    if row is None:
        row = ShelfLabel(store_id=store_id, sku=shown.sku, place="", position=0)
        ctx.session.add(row)
    if place and row.place != place:
        row.place, row.position = place, _position(ctx.session, store_id, place)
    row.price_minor, row.price_quantity, row.seen_at = shown.price_minor, shown.price_quantity, ctx.at
    ctx.session.flush()


def _position(session: Session, store_id: str, place: str) -> int:
    """Return the turn of a label seen first in a place (rule 5)."""
    here = sa.select(ShelfLabel.position).where(ShelfLabel.store_id == store_id, ShelfLabel.place == place)
    with session.no_autoflush:
        before = session.scalar(here.order_by(ShelfLabel.seen_at.desc(), ShelfLabel.position.desc()).limit(1))
        last = session.scalar(sa.select(sa.func.max(here.subquery().c.position)))
    return 1 if before is None or last is None else last + 1 if before == last else before

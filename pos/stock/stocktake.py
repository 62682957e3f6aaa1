"""Stock take: the whole store, or a part of it, counted section by section while selling goes on.

Rules
-----
1. A take has sections (a shelf, the cold room); several people may count at once. Every scan is a row with its
   instant, written at once: whatever breaks, counting goes on where it stopped.
2. A product may lie in several sections; what was counted of it is the sum over them, as of the instant it was
   counted last.
3. A typed total of a section replaces what was scanned of the product there before it; a later scan adds to it.
4. Selling goes on: what is booked is what was counted, changed by what moved since that instant.
5. A large difference, a product that sold while it was being counted, and one of which more was sold since than was
   counted, is asked again: the take cannot be posted before somebody has counted it a second time, in every section
   where it lies. The second count replaces the first.
6. Posting runs product by product in short steps, so that the tills never wait for it, and goes on after a crash; a
   product is booked once. From the first step on nothing can be counted any more.
7. What nobody counted stays as it is, unless the poster says that it is not there.

Units: quantities in stock units.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import new_id
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue.catalogue import Product
from pos.stock import stock
from pos.stock.ledger import INSIDE, MOST_QTY, Place, StockLevel, StockMovement, open_count_tasks, units_inside

STATES = StateTable("stock take", "open", {"open": ("posting", "abandoned"), "posting": ("posted",)})
SECTION_STATES = StateTable(
    "section",
    "open",
    {"open": ("counted",), "counted": ("open", "recounted"), "recounted": ("open",)},
    resting=("open", "counted", "recounted"),
)
BIG_UNITS = 3
"""A difference below so many price quantities (pieces, kilos) is never asked again …"""
BIG_SHARE = 5
"""… nor one below a fifth of what should be there."""
_SKUS_A_LOOK = 500


class StockTake(Base):
    """One count of the store, or of some of its categories."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "stock_take"
    __table_args__ = (sa.Index("ix_stock_take_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str]
    categories: Mapped[list[str]] = mapped_column(sa.JSON())
    """What is meant to be counted; empty: everything."""
    started_at: Mapped[dt.datetime]
    started_by: Mapped[str]
    posting_at: Mapped[dt.datetime | None]
    """When the last scan was over and the booking began."""
    missing_is_gone: Mapped[bool] = mapped_column(default=False)
    """What nobody counted is not there (rule 7)."""
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")


class StockTakeSection(Base):
    """A part of the store that one person counts in one go."""

    STATES: ClassVar[StateTable] = SECTION_STATES
    __tablename__ = "stock_take_section"
    __table_args__ = (sa.ForeignKeyConstraint(["store_id", "take_id"], ["stock_take.store_id", "stock_take.id"]),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    take_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str]


@append_only()
class CountEntry(Base):
    """One scan or one typed total; never changed, only followed by another."""

    __tablename__ = "count_entry"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "take_id"], ["stock_take.store_id", "stock_take.id"]),
        sa.UniqueConstraint("store_id", "take_id", "id"),
        sa.Index("ix_count_entry_sku", "store_id", "take_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    take_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    """The command's id: a scan sent twice is kept once."""
    section_n: Mapped[int]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    qty: Mapped[int]
    """Units to add, or the total when `is_total`; below zero takes a scan back."""
    is_total: Mapped[bool]
    again: Mapped[bool]
    """Part of the second count (rule 5)."""
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]
    actor_name: Mapped[str]


@append_only()
class CountResult(Base):
    """What a take booked of a product; its presence says that it is done (rule 6)."""

    __tablename__ = "count_result"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    take_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    counted_qty: Mapped[int]
    """As counted, at `counted_at`."""
    counted_at: Mapped[dt.datetime]
    expected_qty: Mapped[int]
    """What the records had at that instant."""
    booked_qty: Mapped[int]
    """What was booked: counted, changed by what moved since (rule 4)."""
    at: Mapped[dt.datetime]


@dataclass(frozen=True)
class Counted:
    """What was counted of a product so far (rules 2, 4, 5)."""

    sku: str
    counted_qty: int
    counted_at: dt.datetime
    moved_qty: int
    """Net units that came in (above zero) or left since that instant."""
    moved_meanwhile_qty: int
    """Units that moved between the first and the last scan of it."""
    on_hand: int
    price_quantity: int
    twice: bool

    @property
    def expected_qty(self) -> int:
        """What the records had at the instant of the count."""
        return self.on_hand - self.moved_qty

    @property
    def target_qty(self) -> int:
        """What is there now, if the count was right."""
        return self.counted_qty + self.moved_qty

    @property
    def difference(self) -> int:
        """Counted less expected."""
        return self.counted_qty - self.expected_qty

    @property
    def ask_again(self) -> bool:
        """Tell whether it must be counted a second time (rule 5)."""
        if self.target_qty < 0:
            return True
        off, least = abs(self.difference), BIG_UNITS * self.price_quantity
        big = off >= least and off * BIG_SHARE >= max(0, self.expected_qty)
        return not self.twice and (big or self.moved_meanwhile_qty >= least)


# --- questions ---


def sections_of(session: Session, take: StockTake) -> list[StockTakeSection]:
    """Return a take's sections in their order."""
    return list(
        session.scalars(
            sa.select(StockTakeSection).where(*find_take(StockTakeSection, take)).order_by(StockTakeSection.n)
        )
    )


def entries_of(
    session: Session, take: StockTake, skus: Sequence[str] | None = None, section_n: int | None = None
) -> list[CountEntry]:
    """Return the scans of a take in their order; of some products or of one section when asked."""
    query = sa.select(CountEntry).where(*find_take(CountEntry, take))
    if skus is not None:
        query = query.where(CountEntry.sku.in_(skus))
    if section_n is not None:
        query = query.where(CountEntry.section_n == section_n)
    return list(session.scalars(query.order_by(CountEntry.n)))


def skus_counted(session: Session, take: StockTake) -> set[str]:
    """Return every product that somebody counted."""
    return set(session.scalars(sa.select(CountEntry.sku).where(*find_take(CountEntry, take)).distinct()))


def total_of(entries: Iterable[CountEntry]) -> int:
    """Return what the scans of one product in one section come to: a total replaces what was before it (rule 3)."""
    total = 0
    for entry in entries:
        total = entry.qty if entry.is_total else total + entry.qty
    return total


def counted(session: Session, take: StockTake, skus: Sequence[str] | None = None) -> dict[str, Counted]:
    """Return what was counted of every product of a take, or of some (rules 2 to 5)."""
    wanted = sorted(skus_counted(session, take) if skus is None else skus)
    answer: dict[str, Counted] = {}
    for start in range(0, len(wanted), _SKUS_A_LOOK):
        answer |= _counted(session, take, wanted[start : start + _SKUS_A_LOOK])
    return answer


def uncounted(session: Session, take: StockTake) -> list[str]:
    """Return what the records say is in the store, was meant to be counted, and nobody found (rule 7)."""
    query = (
        sa.select(StockLevel.sku)
        .join(Product, Product.sku == StockLevel.sku)
        .where(
            StockLevel.store_id == take.store_id,
            StockLevel.place.in_(INSIDE),
            ~sa.exists().where(*find_take(CountEntry, take), CountEntry.sku == StockLevel.sku),
        )
        .group_by(StockLevel.sku)
        .having(sa.func.sum(StockLevel.qty) != 0)
    )
    if take.categories:
        query = query.where(Product.category.in_(take.categories))
    return sorted(session.scalars(query))


def find_take(table: Any, take: StockTake) -> list[sa.ColumnElement[bool]]:
    """Narrow a query of a take's rows to this take."""
    return [table.store_id == take.store_id, table.take_id == take.id]


def subject_of(take: StockTake) -> str:
    """Return a take as the journal names it."""
    return f"take:{take.id}"


# --- inside ---


def _counted(session: Session, take: StockTake, skus: list[str]) -> dict[str, Counted]:
    scans: dict[str, dict[int, list[CountEntry]]] = {}
    for entry in entries_of(session, take, skus):
        scans.setdefault(entry.sku, {}).setdefault(entry.section_n, []).append(entry)
    if not scans:
        return {}
    spans = {sku: _span(by_section) for sku, by_section in scans.items()}
    moves = _moves(session, take.store_id, list(scans), min(first for first, _ in spans.values()))
    on_hand, quantities = units_inside(session, take.store_id, skus), _price_quantities(session, skus)
    answer = {}
    for sku, by_section in scans.items():
        first, last = spans[sku]
        answer[sku] = Counted(
            sku=sku,
            counted_qty=sum(total_of(entries) for entries in by_section.values()),
            counted_at=last,
            moved_qty=sum(qty for at, qty in moves.get(sku, ()) if at > last),
            moved_meanwhile_qty=sum(abs(qty) for at, qty in moves.get(sku, ()) if first < at <= last),
            on_hand=on_hand.get(sku, 0),
            price_quantity=quantities.get(sku, 1),
            twice=all(any(entry.again for entry in entries) for entries in by_section.values()),
        )
    return answer


def _span(by_section: dict[int, list[CountEntry]]) -> tuple[dt.datetime, dt.datetime]:
    """Return the instants of the first and the last scan that the sums are made of."""
    first: list[dt.datetime] = []
    for entries in by_section.values():
        start = max((place for place, entry in enumerate(entries) if entry.is_total), default=0)
        first.append(entries[start].at)
    return min(first), max(entries[-1].at for entries in by_section.values())


def _moves(
    session: Session, store_id: str, skus: list[str], since: dt.datetime
) -> dict[str, list[tuple[dt.datetime, int]]]:
    """Return what came into the store (above zero) or left it after an instant, by SKU."""
    query = sa.select(
        StockMovement.sku, StockMovement.at, StockMovement.qty, StockMovement.from_place, StockMovement.to_place
    ).where(
        StockMovement.store_id == store_id,
        StockMovement.sku.in_(skus),
        StockMovement.business_day >= since.date() - dt.timedelta(days=2),
        StockMovement.at > since,
    )
    answer: dict[str, list[tuple[dt.datetime, int]]] = {}
    for sku, at, qty, from_place, to_place in session.execute(query):
        if net := qty * ((to_place in INSIDE) - (from_place in INSIDE)):
            answer.setdefault(sku, []).append((at, net))
    return answer


def _price_quantities(session: Session, skus: list[str]) -> dict[str, int]:
    query = sa.select(Product.sku, Product.price_quantity).where(Product.sku.in_(skus))
    return {sku: int(quantity) for sku, quantity in session.execute(query)}


STEP = 25
"""Products booked in one transaction: the tills wait no longer than that."""


# --- verbs ---


def start(
    ctx: Context,
    store_id: str,
    *,
    id: str | None = None,
    name: str,
    sections: Sequence[str],
    categories: Sequence[str] = (),
) -> StockTake:
    """Start a take with its sections; the same id again is the take that is there."""
    known = ctx.session.get(StockTake, (store_id, id)) if id else None
    if known is not None:
        return known
    names = [name for name in dict.fromkeys(" ".join(one.split())[:60] for one in sections) if name]
    if not names or len(names) > 200:
        raise Invalid("no-section", "Add at least one section, such as a shelf or the cold room.", field="sections")
    take = StockTake(
        store_id=store_id, id=id or new_id(), name=" ".join(name.split())[:60] or ctx.at.date().isoformat(),
        state=STATES.first, categories=sorted(set(categories)), started_at=ctx.at, started_by=ctx.actor.name,
        missing_is_gone=False, closed_by="",
    )  # fmt: skip
    ctx.session.add(take)
    ctx.session.flush()
    for section in names:
        _section(ctx.session, take, section)
    facts = {"name": take.name, "sections": len(names), "categories": take.categories}
    journal.record(ctx, verb="take.started", subject=subject_of(take), **facts)
    ctx.session.flush()
    return take


def add_section(session: Session, store_id: str, take_id: str, name: str) -> StockTakeSection:
    """Add a section to a take that is being counted; one of the same name is the one that is there."""
    take = _open_take(session, store_id, take_id)
    name = stated(
        name, Invalid("no-section", "Name the section, such as a shelf or the cold room.", field="section"), 60
    )
    known = [section for section in sections_of(session, take) if section.name == name]
    section = known[0] if known else _section(session, take, name)
    session.flush()
    return section


def enter(
    ctx: Context,
    store_id: str,
    take_id: str,
    section_n: int,
    sku: str,
    qty: int,
    *,
    is_total: bool = False,
    entry_id: str | None = None,
) -> CountEntry:
    """Keep one scan (qty to add, below zero takes one back) or a typed total, with its instant (rules 1, 3, 5).

    In a section that was counted it is the second count of that product; there only totals are taken.
    """
    take = _open_take(ctx.session, store_id, take_id)
    if entry_id and (known := _entry_of(ctx.session, take, entry_id)) is not None:
        return known
    section = section_of(ctx.session, take, section_n)
    if isinstance(qty, bool) or not isinstance(qty, int) or not (0 if is_total else -MOST_QTY) <= qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter a count of 0 or more.", sku=sku, qty=qty, field="qty")
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found. Search by name.", sku=sku, skus=[sku])
    again = section.state != "open"
    if again and not is_total:
        raise Conflict(
            "section-counted",
            "%(section)s was already counted. Reopen it to keep scanning, or enter the total you count now.",
            section=section.name,
        )
    if not is_total and qty < 0 and total_of(entries_of(ctx.session, take, [sku], section_n)) + qty < 0:
        raise Refused("nothing-counted", "That was not counted here.", sku=sku)
    entry = CountEntry(
        store_id=store_id,
        take_id=take_id,
        n=_last_n(ctx.session, take) + 1,
        id=entry_id or new_id(),
        section_n=section_n,
        sku=sku,
        qty=qty,
        is_total=is_total,
        again=again,
        at=ctx.at,
        actor_id=ctx.actor.id,
        actor_name=ctx.actor.name,
    )
    ctx.session.add(entry)
    ctx.session.flush()
    return entry


def finish_section(ctx: Context, store_id: str, take_id: str, n: int) -> None:
    """Say that a section is counted, or, when it was before, that what was asked again is counted too."""
    take = _open_take(ctx.session, store_id, take_id)
    section = section_of(ctx.session, take, n)
    target = "counted" if section.state == "open" else "recounted"
    journal.move(ctx, section, target, subject=subject_of(take), section=section.name)
    ctx.session.flush()


def open_again(ctx: Context, store_id: str, take_id: str, n: int) -> None:
    """Go on scanning in a section that was counted."""
    take = _open_take(ctx.session, store_id, take_id)
    section = section_of(ctx.session, take, n)
    journal.move(ctx, section, "open", subject=subject_of(take), section=section.name)
    ctx.session.flush()


def begin_posting(ctx: Context, store_id: str, take_id: str, *, missing_is_gone: bool = False) -> StockTake:
    """Close the counting; from here on `post_some` books it. Refuses while something is asked again (rules 5, 6)."""
    take = take_of(ctx.session, store_id, take_id)
    if take.state == "posting":
        return take
    take = _open_take(ctx.session, store_id, take_id)
    if still := [section.name for section in sections_of(ctx.session, take) if section.state == "open"]:
        raise Refused("sections-open", "Still being counted: %(sections)s.", sections=still)
    rows = counted(ctx.session, take)
    if not rows:
        raise Invalid("nothing-counted", "Nothing has been counted yet.")
    if doubtful := [row.sku for row in rows.values() if row.ask_again]:
        names = ctx.session.scalars(
            sa.select(Product.shown).where(Product.sku.in_(doubtful[:100])).order_by(Product.name)
        )
        reported = list(names)
        raise Refused(
            "count-again", "Count again: %(reported)s.", reported=", ".join(reported[:10]), skus=doubtful,
            names=reported,
        )  # fmt: skip
    take.posting_at, take.missing_is_gone = ctx.at, missing_is_gone
    if missing_is_gone:
        _enter_as_gone(ctx, take, uncounted(ctx.session, take))
    journal.move(ctx, take, "posting", subject=subject_of(take), products=len(rows), missing_is_gone=missing_is_gone)
    ctx.session.flush()
    return take


def post_some(ctx: Context, store_id: str, take_id: str, *, most: int = STEP) -> int:
    """Book the next products of a take that is being posted; returns how many are left, 0: it is posted (rule 6).

    Call it again, each time in a transaction of its own, until nothing is left.
    """
    take = take_of(ctx.session, store_id, take_id)
    if take.state == "posted":
        return 0
    STATES.require(take.state, "posted")
    done = set(ctx.session.scalars(sa.select(CountResult.sku).where(*find_take(CountResult, take))))
    todo = sorted(skus_counted(ctx.session, take) - done)
    for sku, row in sorted(counted(ctx.session, take, todo[:most]).items()):
        booked = max(0, row.target_qty)
        fact = stock.count(ctx, store_id, sku, booked)
        if row.target_qty < 0:  # sold on since the counting closed: somebody has to look
            open_count_tasks(ctx.session, store_id, {sku: {Place.FLOOR: row.target_qty}}, ctx.at)
        result = CountResult(
            store_id=store_id, take_id=take_id, sku=sku, counted_qty=row.counted_qty, counted_at=row.counted_at,
            expected_qty=fact.on_hand_before - row.moved_qty, booked_qty=booked, at=ctx.at,
        )  # fmt: skip
        ctx.session.add(result)
    ctx.session.flush()
    if len(todo) > most:
        return len(todo) - most
    take.closed_at, take.closed_by = ctx.at, ctx.actor.name
    journal.move(ctx, take, "posted", subject=subject_of(take), **_outcome(ctx.session, take))
    ctx.session.flush()
    return 0


def abandon(ctx: Context, store_id: str, take_id: str, *, why: str = "") -> None:
    """Give a take up; nothing of it is booked."""
    take = take_of(ctx.session, store_id, take_id)
    take.closed_at, take.closed_by = ctx.at, ctx.actor.name
    why = " ".join(why.split())[:200]
    journal.move(ctx, take, "abandoned", subject=subject_of(take), why=why)
    ctx.session.flush()


# --- questions ---


def take_of(session: Session, store_id: str, take_id: str) -> StockTake:
    """Return a take of this store, locked; NotFound when there is none of that id."""
    query = sa.select(StockTake).where(StockTake.store_id == store_id, StockTake.id == take_id)
    take: StockTake | None = session.scalar(lock_rows(session, query))
    if take is None:
        raise NotFound("unknown-take", "Stock take not found at this store.", take_id=take_id)
    return take


def takes(session: Session, store_id: str, limit: int = 20) -> list[StockTake]:
    """Return a store's takes, those at work first, then the newest."""
    query = sa.select(StockTake).where(StockTake.store_id == store_id)
    over = StockTake.state.in_(("posted", "abandoned"))
    return list(session.scalars(query.order_by(over, StockTake.started_at.desc(), StockTake.id.desc()).limit(limit)))


def section_of(session: Session, take: StockTake, n: int) -> StockTakeSection:
    """Return a section of a take; NotFound when it has none of that number."""
    section = session.get(StockTakeSection, (take.store_id, take.id, n))
    if section is None:
        raise NotFound("unknown-section", "Section not found in this stock take.", n=n)
    return section


def latest(session: Session, take: StockTake, section_n: int, limit: int = 20) -> list[CountEntry]:
    """Return the latest scans of a section, the newest first."""
    query = sa.select(CountEntry).where(*find_take(CountEntry, take), CountEntry.section_n == section_n)
    return list(session.scalars(query.order_by(CountEntry.n.desc()).limit(limit)))


# --- inside ---


def _open_take(session: Session, store_id: str, take_id: str) -> StockTake:
    take = take_of(session, store_id, take_id)
    if take.state != "open":
        raise Conflict("take-closed", "This stock take is closed. Start another one.", state=take.state)
    return take


def _section(session: Session, take: StockTake, name: str) -> StockTakeSection:
    last_n = session.scalar(sa.select(sa.func.max(StockTakeSection.n)).where(*find_take(StockTakeSection, take)))
    section = StockTakeSection(
        store_id=take.store_id, take_id=take.id, n=(last_n or 0) + 1, name=name, state=SECTION_STATES.first
    )
    session.add(section)
    session.flush()
    return section


def _entry_of(session: Session, take: StockTake, entry_id: str) -> CountEntry | None:
    found: CountEntry | None = session.scalar(
        sa.select(CountEntry).where(*find_take(CountEntry, take), CountEntry.id == entry_id)
    )
    return found


def _last_n(session: Session, take: StockTake) -> int:
    return session.scalar(sa.select(sa.func.max(CountEntry.n)).where(*find_take(CountEntry, take))) or 0


def _enter_as_gone(ctx: Context, take: StockTake, skus: list[str]) -> None:
    """Write what nobody found down as counted with nothing there (rule 7)."""
    first_n, section_n = _last_n(ctx.session, take) + 1, sections_of(ctx.session, take)[0].n
    ctx.session.add_all(
        CountEntry(
            store_id=take.store_id, take_id=take.id, n=first_n + place, id=new_id(), section_n=section_n, sku=sku,
            qty=0, is_total=True, again=True, at=ctx.at, actor_id=ctx.actor.id, actor_name=ctx.actor.name,
        )
        for place, sku in enumerate(skus)
    )  # fmt: skip
    ctx.session.flush()


def _outcome(session: Session, take: StockTake) -> dict[str, Any]:
    """Return what a posted take found, for the journal."""
    off = CountResult.counted_qty - CountResult.expected_qty
    row = session.execute(
        sa.select(sa.func.count(), sa.func.sum(sa.case((off != 0, 1), else_=0))).where(*find_take(CountResult, take))
    ).one()
    return {"products": int(row[0]), "different": int(row[1] or 0)}

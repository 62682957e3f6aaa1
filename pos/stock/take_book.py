"""A stock take's book: takes, sections, every scan with its instant, what was booked, and the sums over them.

`stocktake` has the verbs a shop uses and its rules 1 to 7; this file holds them.

Units: quantities in stock units.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes.append_only import append_only
from config.states import StateTable
from pos.catalogue.catalogue import Product
from pos.stock.ledger import INSIDE, StockLevel, StockMovement

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
    """One count of the shop, or of some of its categories."""

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
    """A part of the shop that one person counts in one go."""

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
        session.scalars(sa.select(StockTakeSection).where(*of(StockTakeSection, take)).order_by(StockTakeSection.n))
    )


def entries_of(
    session: Session, take: StockTake, skus: Sequence[str] | None = None, section_n: int | None = None
) -> list[CountEntry]:
    """Return the scans of a take in their order; of some products or of one section when asked."""
    query = sa.select(CountEntry).where(*of(CountEntry, take))
    if skus is not None:
        query = query.where(CountEntry.sku.in_(skus))
    if section_n is not None:
        query = query.where(CountEntry.section_n == section_n)
    return list(session.scalars(query.order_by(CountEntry.n)))


def skus_counted(session: Session, take: StockTake) -> set[str]:
    """Return every product that somebody counted."""
    return set(session.scalars(sa.select(CountEntry.sku).where(*of(CountEntry, take)).distinct()))


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
    """Return what the records say is in the shop, was meant to be counted, and nobody found (rule 7)."""
    query = (
        sa.select(StockLevel.sku)
        .join(Product, Product.sku == StockLevel.sku)
        .where(
            StockLevel.store_id == take.store_id,
            StockLevel.place.in_(INSIDE),
            ~sa.exists().where(*of(CountEntry, take), CountEntry.sku == StockLevel.sku),
        )
        .group_by(StockLevel.sku)
        .having(sa.func.sum(StockLevel.qty) != 0)
    )
    if take.categories:
        query = query.where(Product.category.in_(take.categories))
    return sorted(session.scalars(query))


def of(table: Any, take: StockTake) -> list[sa.ColumnElement[bool]]:
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
    on_hand, quantities = _on_hand(session, take.store_id, skus), _price_quantities(session, skus)
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
    """Return what came into the shop (above zero) or left it after an instant, by SKU."""
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


def _on_hand(session: Session, store_id: str, skus: list[str]) -> dict[str, int]:
    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == store_id, StockLevel.sku.in_(skus), StockLevel.place.in_(INSIDE)
    )
    return {sku: int(qty) for sku, qty in session.execute(query.group_by(StockLevel.sku))}


def _price_quantities(session: Session, skus: list[str]) -> dict[str, int]:
    query = sa.select(Product.sku, Product.price_quantity).where(Product.sku.in_(skus))
    return {sku: int(quantity) for sku, quantity in session.execute(query)}

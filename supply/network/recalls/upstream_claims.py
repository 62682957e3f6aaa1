"""What the network claims of its upstream suppliers for recalled goods, and what they made good.

Rules
-----
1. Of a recall are claimed the units that were written off as recalled in the warehouses or went back to the supplier
   (`upstream_returns`), and those that stores were credited: of whom they were bought, at what their purchase cost,
   each once. A claim names the returns that were handed over since the one before.
2. A unit written off or handed over bears its lot, and the lot its purchase. Every other is taken to be of the newest
   purchase before the recall of which something left its warehouse that no other recall accounts for, of those whose
   lots bear the recalled batch where any does. What nobody known here brought is claimed of nobody.
3. A supplier has one open claim of a recall; what comes to light meanwhile is claimed once that one is settled.
4. It is settled once, with a sentence: something of it is credited, or all of it is refused.
5. Every step moves an amount in the network's book with its suppliers, from one account to another: from `lost` to
   `claimed`, and from there to `credited`, the rest back to `lost`. The book only grows.

Units: quantities in stock units, *_minor minor units of the network's currency.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.finding import Finding
from config.ids import new_id
from config.money import amount_for
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from config.states import StateTable
from pos.stock import batches
from pos.stock.batches import Batch
from pos.stock.recall import Recall
from pos.stock.waste import Waste
from pos.store.store import day_of
from supply.network.recalls import upstream_returns
from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier, warehouses

STATES = StateTable("upstream claim", "open", {"open": ["credited", "refused"]})
LONGEST = 300


class UpstreamClaim(Base):
    """What one supplier is asked to make good of a recall."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "upstream_claim"
    __table_args__ = (
        sa.Index(
            "ix_upstream_claim_open", "recall_id", "supplier_id", unique=True, sqlite_where=sa.text("state = 'open'")
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    recall_id: Mapped[str]
    supplier_id: Mapped[str]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    state: Mapped[str] = mapped_column(default=STATES.first)
    qty: Mapped[int]
    claimed_minor: Mapped[int]
    credited_minor: Mapped[int] = mapped_column(default=0)
    parts: Mapped[list[Any]]
    """[warehouse, purchase, whether its lot says so, units, cost] of each purchase (rule 2)."""
    returns: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """The numbers of the returns that it names (rule 1)."""
    claimed_at: Mapped[dt.datetime]
    claimed_by: Mapped[str]
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")


@append_only()
class UpstreamEntry(Base):
    """A movement between two accounts of a supplier's in the network's book; never changed (rule 5)."""

    __tablename__ = "upstream_entry"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_upstream_entry_claim", "claim_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    claim_id: Mapped[str] = mapped_column(sa.ForeignKey("upstream_claim.id"))
    at: Mapped[dt.datetime]
    from_account: Mapped[str]
    """lost | claimed"""
    to_account: Mapped[str]
    """claimed | credited | lost"""
    amount_minor: Mapped[int]


@dataclass(frozen=True)
class Part:
    """Units of a recall that one purchase brought. is_sure: their lot says so (rule 2)."""

    supplier_id: str | None
    warehouse_id: str
    purchase_id: str
    is_sure: bool
    qty: int
    cost_minor: int


@dataclass(frozen=True)
class Owed:
    """What of a recall may be claimed of a supplier now. supplier None: of nobody known here."""

    supplier: Supplier | None
    qty: int
    cost_minor: int


# --- verbs ---


def claim(ctx: Context, recall_id: str, supplier_id: str, *, id: str) -> UpstreamClaim:
    """Claim of a supplier what is not claimed yet (rules 1 to 3); the same id again is the claim that is there."""
    mine = sa.select(Recall).where(Recall.id == recall_id).order_by(Recall.store_id)
    ctx.session.scalars(lock_rows(ctx.session, mine)).all()
    known = ctx.session.get(UpstreamClaim, id)
    if known is not None:
        return known
    if any(one.state == "open" and one.supplier_id == supplier_id for one in claims_of(ctx.session, recall_id)):
        raise Conflict("claim-open", "This supplier has an open claim for the recall. Settle that one first.")
    parts = [one for one in _unclaimed(ctx.session, recall_id, ctx.at) if one.supplier_id == supplier_id]
    if not (cost_minor := sum(one.cost_minor for one in parts)):
        raise Refused("nothing-upstream", "There is nothing to claim from this supplier for this recall.")
    made = UpstreamClaim(
        id=id,
        recall_id=recall_id,
        supplier_id=supplier_id,
        sku=_rows(ctx.session, recall_id)[0].sku,
        state=STATES.first,
        qty=sum(one.qty for one in parts),
        claimed_minor=cost_minor,
        credited_minor=0,
        claimed_at=ctx.at,
        claimed_by=ctx.actor.name,
        settled_by="",
        answer="",
        returns=_unnamed(ctx.session, recall_id, supplier_id),
        parts=[[one.warehouse_id, one.purchase_id, one.is_sure, one.qty, one.cost_minor] for one in parts],
    )
    ctx.session.add(made)
    ctx.session.flush()
    _enter(ctx.session, made, "lost", "claimed", cost_minor, ctx.at)
    facts = {"recall": recall_id, "supplier": supplier_id, "units": made.qty, "amount_minor": cost_minor}
    journal.record(ctx, verb="upstream claim.open", subject=subject_of(made), **facts)
    ctx.session.flush()
    return made


def settle(ctx: Context, claim_id: str, credited_minor: int, *, answer: str) -> UpstreamClaim:
    """Note what a supplier makes good of a claim, and what it says (rule 4); 0: it refuses."""
    query = sa.select(UpstreamClaim).where(UpstreamClaim.id == claim_id)
    found: UpstreamClaim | None = ctx.session.scalar(lock_rows(ctx.session, query))
    if found is None:
        raise NotFound("unknown-upstream-claim", "Supplier claim not found.", claim_id=claim_id)
    if found.state != "open":
        raise Conflict("claim-settled", "This claim has already been settled.", state=found.state)
    most = found.claimed_minor
    if isinstance(credited_minor, bool) or not 0 <= credited_minor <= most:
        raise Invalid("credit-beyond-claim", "The credit cannot exceed the claim.", most_minor=most, field="amount")
    answer = stated(answer, Invalid("no-supplier-answer", "Enter the supplier’s response.", field="answer"), LONGEST)
    found.credited_minor, found.answer = credited_minor, answer
    found.settled_at, found.settled_by = ctx.at, ctx.actor.name
    _enter(ctx.session, found, "claimed", "credited", credited_minor, ctx.at)
    _enter(ctx.session, found, "claimed", "lost", most - credited_minor, ctx.at)
    state = "credited" if credited_minor else "refused"
    journal.move(ctx, found, state, subject=subject_of(found), amount_minor=credited_minor, why=answer)
    ctx.session.flush()
    return found


# --- questions ---


def owed(session: Session, recall_id: str, *, at: dt.datetime) -> list[Owed]:
    """Return what of a recall is not claimed yet, by supplier, what nobody known here brought last (rules 1, 2)."""
    sums: dict[str | None, tuple[int, int]] = {}
    for part in _unclaimed(session, recall_id, at):
        qty, cost_minor = sums.get(part.supplier_id, (0, 0))
        sums[part.supplier_id] = qty + part.qty, cost_minor + part.cost_minor
    found = [Owed(session.get(Supplier, who) if who else None, *sums[who]) for who in sums]
    return sorted(found, key=lambda one: (one.supplier is None, one.supplier.name if one.supplier else ""))


def claims_of(session: Session, recall_id: str) -> list[UpstreamClaim]:
    """Return the claims of a recall, the open ones first, then the newest."""
    query = sa.select(UpstreamClaim).where(UpstreamClaim.recall_id == recall_id)
    order = (UpstreamClaim.state != "open", UpstreamClaim.claimed_at.desc(), UpstreamClaim.id)
    return list(session.scalars(query.order_by(*order)))


def balances(session: Session) -> dict[str, int]:
    """Return what the network's book with all its suppliers has on each account (rule 5)."""
    sums = Counter[str]()
    query = sa.select(UpstreamEntry.from_account, UpstreamEntry.to_account, sa.func.sum(UpstreamEntry.amount_minor))
    for source, target, minor in session.execute(query.group_by(UpstreamEntry.from_account, UpstreamEntry.to_account)):
        sums[source] -= int(minor)
        sums[target] += int(minor)
    return {name: sums[name] for name in ("lost", "claimed", "credited")}


def findings(session: Session) -> list[Finding]:
    """K22: the book has of every claim what the claim says."""
    moved: dict[str, Counter[str]] = {}
    for entry in session.scalars(sa.select(UpstreamEntry)):
        sums = moved.setdefault(entry.claim_id, Counter())
        sums[entry.from_account] -= entry.amount_minor
        sums[entry.to_account] += entry.amount_minor
    found = []
    for one in session.scalars(sa.select(UpstreamClaim)):
        has = moved.get(one.id, Counter())
        says = (one.claimed_minor if one.state == "open" else 0, one.credited_minor)
        if says != (has["claimed"], has["credited"]):
            reported = f"{has['claimed']} claimed and {has['credited']} credited in the book"
            found.append(Finding("K22", subject_of(one), f"{says[0]} claimed and {says[1]} credited", reported))
    return found


def subject_of(one: UpstreamClaim) -> str:
    """Return a claim as the journal names it."""
    return f"upstream claim:{one.id}"


# --- inside ---


@dataclass
class _Brought:
    """A purchase's line, and how many units of it left its warehouse that no recall accounts for."""

    purchase: Purchase
    line: PurchaseLine
    left_qty: int
    bears_batch: bool

    def part(self, qty: int, is_sure: bool) -> Part:
        cost_minor = amount_for(qty, self.line.pack_cost_minor, self.line.pack_qty)
        return Part(self.purchase.supplier_id, self.purchase.store_id, self.purchase.id, is_sure, qty, cost_minor)


@dataclass(frozen=True)
class _Gone:
    """Units by warehouse and purchase: written off as recalled or handed over; claimed of them.

    Claimed without their lots' word.
    """

    written: Counter[tuple[str, str]]
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    guessed: Counter[tuple[str, str]] = field(default_factory=Counter)


def _rows(session: Session, recall_id: str) -> list[Recall]:
    query = sa.select(Recall).where(Recall.id == recall_id, Recall.afterwards != "")
    rows = list(session.scalars(query.order_by(Recall.store_id)))
    if not rows:
        raise NotFound("unknown-recall", "Recall not found.", recall_id=recall_id)
    return rows


def _unnamed(session: Session, recall_id: str, supplier_id: str) -> list[str]:
    """Return the numbers of the returns to a supplier that left, and that no claim names yet (rule 1)."""
    named = {number for one in claims_of(session, recall_id) for number in one.returns}
    left = (
        upstream_returns.number_of(one)
        for one in upstream_returns.returns_of(session, recall_id)
        if one.supplier_id == supplier_id and one.state == "handed_over"
    )
    return sorted(set(left) - named)


def _unclaimed(session: Session, recall_id: str, at: dt.datetime) -> Iterator[Part]:
    """Yield what of a recall is not claimed yet, purchase by purchase (rules 1, 2)."""
    rows, houses = _rows(session, recall_id), warehouses(session)
    ours, others = (_of_recalls(session, rows[0], is_this=is_this) for is_this in (True, False))
    rest = sum((row.taken_qty if row.store_id in houses else row.settled_qty) or 0 for row in rows)
    rest += sum(
        qty for (of, _, _), qty in upstream_returns.handed_over(session, rows[0].sku).items() if of == recall_id
    )
    rest -= ours.guessed.total()
    brought = _brought(session, rows[0], houses, at)
    for one in brought:
        key = one.purchase.store_id, one.purchase.id
        sure = ours.written[key]
        one.left_qty -= sum(found.written[key] + found.guessed[key] for found in (ours, others))
        rest -= sure
        if left := sure - ours.known[key]:
            yield one.part(left, True)
    bearing = [one for one in brought if one.bears_batch]
    for one in bearing or brought:
        if one.purchase.received_at and one.purchase.received_at <= min(row.called_at for row in rows):
            part = max(0, min(rest, one.left_qty))
            rest -= part
            if part:
                yield one.part(part, False)
    if rest > 0:
        yield Part(None, "", "", False, rest, 0)


def _of_recalls(session: Session, row: Recall, *, is_this: bool) -> _Gone:
    """Return what a recall, or all others of its product, had of each purchase."""
    query = (
        sa.select(Batch.store_id, Batch.source_id, sa.func.sum(Waste.qty))
        .join(Waste, sa.and_(Waste.store_id == Batch.store_id, Waste.lot_id == Batch.id))
        .where(Waste.sku == row.sku, Waste.recall_id == row.id if is_this else Waste.recall_id != row.id)
        .where(Batch.source_kind == "purchase")
        .group_by(Batch.store_id, Batch.source_id)
    )
    found = _Gone(Counter({(house, bought): int(qty) for house, bought, qty in session.execute(query)}))
    for (of, house, bought), qty in upstream_returns.handed_over(session, row.sku).items():
        if (of == row.id) is is_this:
            found.written[house, bought] += qty
    for made in session.scalars(sa.select(UpstreamClaim).where(UpstreamClaim.sku == row.sku)):
        if (made.recall_id == row.id) is is_this:
            for house, bought, is_sure, qty, _cost in made.parts:
                (found.known if is_sure else found.guessed)[house, bought] += qty
    return found


def _brought(session: Session, row: Recall, houses: list[str], at: dt.datetime) -> list[_Brought]:
    """Return the purchases that brought a recalled product, the newest first, with what left of each."""
    lots = sa.select(Batch).where(Batch.store_id.in_(houses), Batch.sku == row.sku, Batch.source_kind == "purchase")
    of_lot = {(lot.store_id, lot.id): (lot.store_id, lot.source_id) for lot in session.scalars(lots)}
    named = {(lot.store_id, lot.source_id) for lot in session.scalars(lots) if row.batch and lot.batch == row.batch}
    standing = Counter[tuple[str, str]]()
    for house in houses:
        day = day_of(session, house, at)
        for held in batches.standing(session, house, [row.sku], day=day, forgets=False)[row.sku]:
            standing[of_lot.get((house, held.batch_id or ""), ("", ""))] += held.qty
    query = (
        sa.select(Purchase, PurchaseLine)
        .join(
            PurchaseLine, sa.and_(PurchaseLine.store_id == Purchase.store_id, PurchaseLine.purchase_id == Purchase.id)
        )
        .where(Purchase.state == "received", PurchaseLine.sku == row.sku, PurchaseLine.received_qty > 0)
        .order_by(Purchase.received_at.desc(), Purchase.store_id, Purchase.id)
    )
    found = []
    for purchase, line in session.execute(query):
        key = purchase.store_id, purchase.id
        found.append(_Brought(purchase, line, (line.received_qty or 0) - standing[key], key in named))
    return found


def _enter(session: Session, one: UpstreamClaim, source: str, target: str, amount_minor: int, at: dt.datetime) -> None:
    if amount_minor:
        session.add(
            UpstreamEntry(
                id=new_id(), supplier_id=one.supplier_id, claim_id=one.id, at=at, from_account=source,
                to_account=target, amount_minor=amount_minor,
            )
        )  # fmt: skip

"""One suggestion at a time from the comparison: what it should bring, the shopkeeper's word, and what it brought.

Rules
-----
1. Of all that the comparison (`compare`) suggests, the one with the highest expected weekly gain is open; no other is,
   until it is answered. What was refused is not suggested again for REST_DAYS days.
2. Two kinds: take a product in that stores nearby sell well (add), and move a price to the nearby one (price). Nothing
   is changed by accepting: the shopkeeper does it, on the page the suggestion leads to.
3. After WINDOW_DAYS days an accepted suggestion is measured: the product's weekly margin since, less that of as many
   days before. Expected and measured stand side by side for ever.
4. Margins are without tax: what customers pay nearby is with it, as is what the store itself took; costs are without.

Units: *_minor minor units, a week's margin where a gain is meant.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound
from config.ids import new_id
from config.money import BASIS, amount_for, divide_half_up
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue.catalogue import Listing, Product, TaxClass, prices_on
from pos.store.store import day_of
from supply.demand.history import DailyDemand
from supply.membership import benchmarks
from supply.membership.benchmarks import WINDOW_DAYS, gain_of_adding, gain_of_pricing
from supply.orders.suppliers import SupplierProduct

STATES = StateTable(
    "suggestion", "open", {"open": ["accepted", "refused", "expired"], "accepted": ["measured"], "measured": []},
)  # fmt: skip
REST_DAYS = 56
FAR_BP = 500
"""A price is suggested that lies so far from the nearby one."""


class Suggestion(Base):
    """One suggestion. facts: the figures it stood on; before_minor, measured_minor: weekly margins (rule 3)."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "suggestion"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    sku: Mapped[str]
    name: Mapped[str]
    facts: Mapped[dict[str, Any]]
    expected_minor: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_on: Mapped[dt.date]
    answered_on: Mapped[dt.date | None]
    why: Mapped[str] = mapped_column(default="")
    measured_minor: Mapped[int | None]


@dataclass(frozen=True)
class Taxed:
    """What a product's prices are for, and the tax in what customers pay (rule 4). inclusive: shown prices have it."""

    stock_unit: str
    price_quantity: int
    rate_bp: int
    inclusive: bool

    def net(self, paid_minor: int) -> int:
        """Return what is left of an amount a customer paid."""
        return divide_half_up(paid_minor * BASIS, BASIS + self.rate_bp)

    def shown(self, paid_minor: int) -> int:
        """Return what a customer paid as the price a list shows."""
        return paid_minor if self.inclusive else self.net(paid_minor)


@dataclass(frozen=True)
class Candidate:
    """Something that may be suggested."""

    kind: str
    sku: str
    expected_minor: int
    facts: dict[str, int]


# --- verbs ---


def renew(ctx: Context, store_id: str, day: dt.date) -> Suggestion | None:
    """Measure what is due, and see that the best suggestion is open (rules 1, 3); returns it."""
    for row in _of(ctx.session, store_id, "accepted"):
        if row.answered_on is not None and row.answered_on + dt.timedelta(days=WINDOW_DAYS) <= day:
            row.measured_minor = measured(ctx.session, row)
            journal.move(ctx, row, "measured", subject=subject_of(row),
                         expected_minor=row.expected_minor, measured_minor=row.measured_minor)  # fmt: skip
    found = candidates(ctx.session, store_id, day)
    standing = _of(ctx.session, store_id, "open")
    for row in standing:
        if any((one.kind, one.sku) == (row.kind, row.sku) for one in found):
            return row
        journal.move(ctx, row, "expired", subject=subject_of(row))
    if not found:
        return None
    best = max(found, key=lambda one: (one.expected_minor, one.sku))
    made = Suggestion(
        store_id=store_id, id=new_id(), kind=best.kind, sku=best.sku, name=ctx.session.get_one(Product, best.sku).name,
        facts=best.facts, expected_minor=best.expected_minor, state=STATES.first, made_on=day, why="",
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    journal.record(ctx, verb="suggestion.made", subject=subject_of(made), kind=made.kind,
                   sku=made.sku, expected_minor=made.expected_minor)  # fmt: skip
    return made


def answer(ctx: Context, store_id: str, suggestion_id: str, *, accept: bool, why: str = "") -> Suggestion:
    """Accept the open suggestion, or refuse it with a reason."""
    query = lock_rows(ctx.session, sa.select(Suggestion).where(
        Suggestion.store_id == store_id, Suggestion.id == suggestion_id
    ))  # fmt: skip
    row: Suggestion | None = ctx.session.scalar(query)
    if row is None:
        raise NotFound("unknown-suggestion", "Suggestion not found.", suggestion_id=suggestion_id)
    why = " ".join(why.split())[:200]
    if not accept and not why:
        raise Invalid("no-reason", "Enter a reason, so the next suggestion fits better.")
    row.why, row.answered_on = why, day_of(ctx.session, store_id, ctx.at)
    target = "accepted" if accept else "refused"
    journal.move(ctx, row, target, subject=subject_of(row), why=why or None)
    return row


# --- questions ---


def candidates(session: Session, store_id: str, day: dt.date) -> list[Candidate]:
    """Return what may be suggested on a day (rules 1, 2)."""
    nearby = benchmarks.nearby(session)
    own = benchmarks.own_figures(session, store_id, day)
    skus = sorted({sku for name, sku in nearby if name == "price"})
    prices = prices_on(session, store_id, day, skus)
    costs = _costs(session, store_id, skus)
    products = taxed(session, skus)
    rested = _rested(session, store_id, day)
    found = []
    for sku in skus:
        if sku in rested or sku not in costs or sku not in products:
            continue
        one, rate_nearby = products[sku], nearby.get(("rate", sku))
        paid_nearby = nearby["price", sku].value
        net_nearby = one.net(paid_nearby)
        shown_nearby = one.shown(paid_nearby)
        if ("rate", sku) not in own:
            if rate_nearby is not None:
                gain = gain_of_adding(rate_nearby.value, net_nearby, costs[sku], one.price_quantity)
                found.append(Candidate("add", sku, gain, {"rate": rate_nearby.value, "price": shown_nearby}))
        elif sku in prices and 10_000 * abs(shown_nearby - prices[sku]) > FAR_BP * prices[sku]:
            net = one.net(prices[sku]) if one.inclusive else prices[sku]
            gain = gain_of_pricing(own["rate", sku], net, net_nearby, costs[sku], one.price_quantity)
            facts = {"rate": own["rate", sku], "price": prices[sku], "nearby": shown_nearby}
            found.append(Candidate("price", sku, gain, facts))
    return [one for one in found if one.expected_minor > 0]


def taxed(session: Session, skus: list[str]) -> dict[str, Taxed]:
    """Return products as their prices are told."""
    query = (
        sa.select(Product.sku, Product.stock_unit, Product.price_quantity, TaxClass.rate_bp, TaxClass.inclusive)
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .where(Product.sku.in_(skus))
    )
    return {sku: Taxed(unit, per, rate_bp, inclusive) for sku, unit, per, rate_bp, inclusive in session.execute(query)}


def of_store(session: Session, store_id: str) -> list[Suggestion]:
    """Return a store's suggestions, the newest first."""
    query = sa.select(Suggestion).where(Suggestion.store_id == store_id)
    return list(session.scalars(query.order_by(Suggestion.made_on.desc(), Suggestion.id.desc()).limit(30)))


def measured(session: Session, row: Suggestion) -> int:
    """Return by how much a product's weekly margin rose in the WINDOW_DAYS days after an answer (rule 3)."""
    assert row.answered_on is not None
    product = taxed(session, [row.sku])[row.sku]
    cost_minor = _costs(session, row.store_id, [row.sku]).get(row.sku, 0)
    span = dt.timedelta(days=WINDOW_DAYS)

    def margin(first: dt.date) -> int:
        qty, minor = session.execute(
            sa.select(sa.func.coalesce(sa.func.sum(DailyDemand.sold_qty), 0),
                      sa.func.coalesce(sa.func.sum(DailyDemand.revenue_minor), 0)).where(
                DailyDemand.store_id == row.store_id, DailyDemand.sku == row.sku,
                DailyDemand.business_day >= first, DailyDemand.business_day < first + span,
            )
        ).one()  # fmt: skip
        return product.net(int(minor)) - amount_for(int(qty), cost_minor, product.price_quantity)

    return divide_half_up((margin(row.answered_on) - margin(row.answered_on - span)) * 7, WINDOW_DAYS)


def subject_of(row: Suggestion) -> str:
    """Return how the journal names a suggestion."""
    return f"suggestion:{row.id}"


# --- inside ---


def _of(session: Session, store_id: str, state: str) -> list[Suggestion]:
    query = sa.select(Suggestion).where(Suggestion.store_id == store_id, Suggestion.state == state)
    return list(session.scalars(query.order_by(Suggestion.made_on)))


def _rested(session: Session, store_id: str, day: dt.date) -> set[str]:
    """Return the products that are not suggested now: refused lately, or being tried."""
    since = day - dt.timedelta(days=REST_DAYS)
    query = sa.select(Suggestion.sku).where(
        Suggestion.store_id == store_id, Suggestion.state.in_(["refused", "accepted", "measured"]),
        Suggestion.answered_on > since,
    )  # fmt: skip
    return set(session.scalars(query))


def _costs(session: Session, store_id: str, skus: list[str]) -> dict[str, int]:
    """Return what the price quantity of each product costs: as last bought, else as the cheapest supplier has it."""
    found: dict[str, int] = {}
    rows = session.execute(
        sa.select(Product.sku, Product.price_quantity, SupplierProduct.pack_cost_minor, SupplierProduct.pack_qty)
        .join(SupplierProduct, SupplierProduct.sku == Product.sku)
        .where(Product.sku.in_(skus))
    )
    for sku, per, cost, pack in rows:
        each = amount_for(per, cost, pack)
        found[sku] = min(each, found.get(sku, each))
    known = sa.select(Listing.sku, Listing.cost_minor).where(
        Listing.store_id == store_id, Listing.sku.in_(skus), Listing.cost_minor.is_not(None)
    )
    return found | {sku: int(minor or 0) for sku, minor in session.execute(known)}

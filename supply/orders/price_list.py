"""A supplier's price list as people read it: what each pack costs now and from later days, and what a new list changes,
and which changes of the network's prices wait until a second person has confirmed them.

Rules
-----
1. A row shows the cost that holds on the day, and every later one that is written down already.
2. A new list is compared with what would hold without it on the day each of its rows begins. What it does not name
   stays as it is.
3. The terms of the network's own suppliers are settled at the network (`suppliers`, rule 4); stores hear of them with
   their next contact, and orders that are under way keep their days.
4. Where two people or more may change the network's prices, a change is proposed and not made if, with what its author
   changed on the same day (UTC), it touches more prices than the limits say, or moves one by more of what it was, or
   was before the first of them, up or down, for the same quantity, on whatever day. A product that was on no list
   before counts for nothing.
5. A proposal holds the file whole, and is written once a second person has confirmed it (`two_people`); nothing goes to
   a store before.
6. The margin of a row is that of the network's price over the cost that holds, both of the price quantity and without
   tax (`pos.catalogue.repricing`). It last changed on the day its cost or its price last became another one.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound, Refused
from config.ids import NETWORK
from config.money import BASIS, amount_for
from config.nodes.journal import Context, record
from config.nodes.publication import EVERYONE
from config.states import StateTable
from pos.catalogue import catalogue, repricing
from pos.catalogue.catalogue import Price, Product, TaxClass
from pos.store.store import Staff
from supply import two_people
from supply.orders import suppliers
from supply.orders.delivery_calendar import written
from supply.orders.suppliers import Contact, Supplier, SupplierCost, SupplierProduct

KINDS = NEW, DEARER, CHEAPER, REPACKED, SAME = "new", "dearer", "cheaper", "repacked", "same"
SHOWN = ("changed", "coming", "low", "unpriced")
"""What of a list can be asked for alone: changed within LATELY_DAYS, to change, of a margin below LOW_BP, unpriced."""
LATELY_DAYS, LOW_BP = 28, 1_000
AT_ONCE = 5_000


@dataclass(frozen=True)
class Priced:
    """A product as a supplier sells it. coming: (day, what a pack costs from then on), the next first (rule 1).

    price_minor: what stores sell its price quantity for; None: it has no price of the network's. begins: the day from
    which it can be ordered at all, where that is to come.
    """

    sku: str
    name: str
    stock_unit: str
    price_quantity: int
    article_no: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int
    coming: tuple[tuple[dt.date, int], ...]
    price_minor: int | None
    begins: dt.date | None
    category: str
    cost_minor: int
    """What the price quantity costs."""
    margin_minor: int | None
    margin_bp: int | None
    changed_on: dt.date | None


@dataclass(frozen=True)
class Listed:
    """A row of a new list. qty, amount_minor: a pack and its cost, or a price quantity and its price.

    qty 0, stock_unit '': as it is. from_day None: from today on.
    """

    row: int
    sku: str
    qty: int
    amount_minor: int
    from_day: dt.date | None = None
    name: str = ""
    stock_unit: str = ""


@dataclass(frozen=True)
class Change:
    """What a row of a new list does: kind is one of KINDS. before: (units, amount), None for what was not there."""

    row: int
    sku: str
    name: str
    stock_unit: str
    kind: str
    before: tuple[int, int] | None
    qty: int
    amount_minor: int
    from_day: dt.date


STATES = StateTable("price proposal", "proposed", two_people.MOVES)
PERMISSION = "network.buying.change"
MOST_PERCENT = 1_000
"""More is not told apart; what cost nothing moves by as much."""
MOVES = (DEARER, CHEAPER, REPACKED)


@dataclass(frozen=True)
class Limits:
    """Up to how many prices, and by how many per cent, one person alone may change on a day."""

    products: int
    percent: int


@dataclass(frozen=True)
class PriceFile:
    """A list as it was sent. kind: what it holds; supplier_id, from_day: chosen with it; suffix: what table it is."""

    kind: str
    supplier_id: str
    from_day: dt.date | None
    suffix: str
    file: bytes


class PriceProposal(two_people.Proposal, Base):
    """A list that waits for a second person. kind: what its file holds; supplier_id, from_day: chosen with it."""

    STATES: ClassVar[StateTable] = STATES
    PREFIX, PERMISSION = "prices", PERMISSION
    __tablename__ = "price_proposal"

    kind: Mapped[str]
    supplier_id: Mapped[str]
    from_day: Mapped[dt.date | None]
    suffix: Mapped[str]
    """What kind of table `file` is, as the end of a file's name says it, and how its numbers are written."""
    file: Mapped[bytes] = mapped_column(sa.LargeBinary)
    moved: Mapped[int]
    """Prices that held before and become others."""
    most_percent: Mapped[int]
    """By how much the one that moves most."""


class PriceTally(Base):
    """What a price was before the first change that a person made to it alone on a day."""

    __tablename__ = "price_tally"

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    price_list: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]
    amount_minor: Mapped[int]


# --- verbs ---


def set_terms(ctx: Context, supplier_id: str, terms: Contact) -> Supplier:
    """Change the name, calendar and least order of a supplier of the network's (rule 3)."""
    row, terms = network_supplier(ctx.session, supplier_id), suppliers.sound(terms)
    row.name, row.calendar, row.minimum_minor = terms.name, terms.calendar, terms.minimum_minor
    ctx.session.flush()
    record(
        ctx, verb="supplier.written", subject=f"supplier:{row.id}", name=row.name,
        minimum_minor=row.minimum_minor, **written(row.calendar))  # fmt: skip
    return row


# --- questions ---


def network_suppliers(session: Session) -> list[Supplier]:
    """Return the suppliers of the network's, by name."""
    query = sa.select(Supplier).where(Supplier.owner_id == EVERYONE).order_by(Supplier.name, Supplier.id)
    return list(session.scalars(query))


def network_supplier(session: Session, supplier_id: str) -> Supplier:
    """Return a supplier of the network's; NotFound for any other."""
    row = session.get(Supplier, supplier_id)
    if row is None:
        raise NotFound("unknown-supplier", "Supplier %(supplier_id)s not found.", supplier_id=supplier_id)
    if row.owner_id != EVERYONE:
        raise Refused(
            "not-the-network-s", "%(name)s is a store's own supplier. That store sets its terms.", name=row.name
        )
    return row


def listed(supplier_id: str) -> sa.Select[str]:
    """Return the query of the SKUs a supplier sells."""
    query = sa.select(SupplierProduct.sku).join(Product, Product.sku == SupplierProduct.sku)
    query = query.join(TaxClass, TaxClass.id == Product.tax_class_id)
    return query.where(SupplierProduct.supplier_id == supplier_id)


def named(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a product is named or numbered so, here or by the supplier."""
    return catalogue.matches(text) | (SupplierProduct.article_no == text)


def cost_on(day: dt.date) -> sa.ColumnElement[int]:
    """Return what a pack of a SupplierProduct costs on a day, for a query to sort by (`suppliers`, rule 3)."""
    begun = sa.select(SupplierCost.pack_cost_minor).where(
        SupplierCost.supplier_id == SupplierProduct.supplier_id, SupplierCost.sku == SupplierProduct.sku,
        SupplierCost.from_day <= day,
    )  # fmt: skip
    newest = begun.order_by(SupplierCost.from_day.desc()).limit(1).correlate(SupplierProduct).scalar_subquery()
    return sa.func.coalesce(newest, SupplierProduct.pack_cost_minor)


def shows(show: str, day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition that one of SHOWN is about a product of `listed` (rule 6)."""
    row, cost, price = SupplierProduct, SupplierCost, Price
    of_cost = (cost.supplier_id == row.supplier_id, cost.sku == row.sku)
    of_price = (price.sku == row.sku, price.scope_id == EVERYONE)
    if show == "coming":
        return sa.exists().where(*of_cost, cost.from_day > day)
    if show == "changed":
        since = day - dt.timedelta(days=LATELY_DAYS)
        lately = (sa.exists().where(*of_cost, cost.from_day.between(since, day)),
                  sa.exists().where(*of_price, price.from_day.between(since, day)))  # fmt: skip
        return sa.or_(*lately)
    now = sa.select(price.price_minor).where(*of_price, price.from_day <= day).order_by(price.from_day.desc()).limit(1)
    asked = now.scalar_subquery()
    if show == "unpriced":
        return asked.is_(None)
    tax = sa.case((TaxClass.inclusive, BASIS + TaxClass.rate_bp), else_=BASIS)
    net = sa.cast(asked, sa.Double) * BASIS / tax
    return net - sa.cast(cost_on(day), sa.Double) * Product.price_quantity / row.pack_qty < net * LOW_BP / BASIS


def _percent(before: tuple[int, int] | None, one: Change) -> int:
    if before is None:
        return 0
    was, now = before[1] * one.qty, one.amount_minor * before[0]
    return min(MOST_PERCENT, -(-abs(now - was) * 100 // was)) if was else MOST_PERCENT


def rows(session: Session, supplier_id: str, day: dt.date, skus: Sequence[str]) -> list[Priced]:
    """Return some of a supplier's products in their order (rules 1, 6)."""
    query = (
        sa.select(SupplierProduct, Product, TaxClass.rate_bp, TaxClass.inclusive)
        .join(Product, Product.sku == SupplierProduct.sku)
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .where(SupplierProduct.supplier_id == supplier_id, SupplierProduct.sku.in_(skus))
    )
    found = {row.sku: (row, product, rate_bp, is_in) for row, product, rate_bp, is_in in session.execute(query)}
    now = {one.sku: one.pack_cost_minor for one in suppliers.terms_for(session, supplier_id, list(found), day)}
    coming = _coming(session, supplier_id, skus, day)
    prices = catalogue.prices_on(session, EVERYONE, day, list(found))
    changed = _changed(session, supplier_id, skus, day)
    answer = []
    for row, product, rate_bp, is_in in (found[sku] for sku in skus if sku in found):
        price, per = prices.get(product.sku), product.price_quantity
        cost = amount_for(per, now[product.sku], row.pack_qty)
        priced = None if price is None else repricing.Priced(price, cost, rate_bp, is_in)
        answer.append(
            Priced(
                product.sku, product.shown, product.stock_unit, per, row.article_no, row.pack_qty,
                now[product.sku], row.minimum_packs, tuple(coming.get(product.sku, ())), price,
                row.valid_from if row.valid_from is not None and row.valid_from > day else None,
                product.category, cost, None if priced is None else repricing.margin_minor(priced, priced.price_minor),
                None if priced is None else repricing.margin_bp(priced, priced.price_minor), changed.get(product.sku),
            )
        )  # fmt: skip
    return answer


def lowest_costs(session: Session, skus: Sequence[str], day: dt.date) -> dict[str, int]:
    """Return what the price quantity of products costs stores on a day, at the cheapest of the network's suppliers."""
    rows = session.execute(
        sa.select(SupplierProduct, Product.price_quantity)
        .join(Supplier, Supplier.id == SupplierProduct.supplier_id)
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(Supplier.owner_id == EVERYONE, Supplier.active, SupplierProduct.sku.in_(skus))
    ).all()
    begun = suppliers.costs_begun(session, sorted({row.supplier_id for row, _ in rows}), day)
    found: dict[str, int] = {}
    for row, per in rows:
        each = amount_for(per, begun.get((row.supplier_id, row.sku), row.pack_cost_minor), row.pack_qty)
        found[row.sku] = min(each, found.get(row.sku, each))
    return found


def changes(session: Session, supplier_id: str, listed: Sequence[Listed], *, today: dt.date) -> list[Change]:
    """Return what a new list does, row by row (rule 2); rows of unknown products are left out."""
    found = []
    for some in _parts(listed):
        skus = [one.sku for one in some]
        known = _products(session, skus)
        before = {
            (one.sku, day): (one.pack_qty, one.pack_cost_minor)
            for day in {max(one.from_day or today, today) for one in some}
            for one in suppliers.terms_for(session, supplier_id, skus, day)
        }
        for one in some:
            product, day = known.get(one.sku), max(one.from_day or today, today)
            if product is not None:
                found.append(_change(one, product.shown, product.stock_unit, before.get((one.sku, day)), day))
    return found


def product_changes(session: Session, listed: Sequence[Listed], *, today: dt.date) -> list[Change]:
    """Return what a new list of the network's products does to their prices, row by row."""
    found = []
    for some in _parts(listed):
        skus = [one.sku for one in some]
        known, prices = _products(session, skus), catalogue.prices_on(session, EVERYONE, today, skus)
        for one in some:
            product, price = known.get(one.sku), prices.get(one.sku)
            per = one.qty or (product.price_quantity if product else 1)
            before = (product.price_quantity, price) if product is not None and price is not None else None
            unit = one.stock_unit or (product.stock_unit if product else "each")
            found.append(_change(replace(one, qty=per), one.name, unit, before, today))
    return found


# --- verbs ---


def may_write(ctx: Context, changes: Sequence[Change], limits: Limits, *, of: str) -> bool:
    """Tell whether one person may make these changes alone, and if so note them in the person's day (rule 4).

    of: whose price list it is, or which.
    """
    ctx.session.scalar(sa.select(Staff.id).where(Staff.node_id == NETWORK, Staff.id == ctx.actor.id).with_for_update())
    tally, mine = PriceTally, (PriceTally.staff_id == ctx.actor.id, PriceTally.day == ctx.at.astimezone(dt.UTC).date())
    kept = sa.select(tally.sku, tally.qty, tally.amount_minor).where(*mine, tally.price_list == of)
    known = {sku: (qty, minor) for sku, qty, minor in ctx.session.execute(kept)}
    moved = [one for one in changes if one.kind in MOVES and one.before is not None]  # one product, several days
    first = {one.sku: one.before for one in reversed(moved)}
    others = sa.select(sa.func.count()).select_from(tally).where(*mine, tally.price_list != of)
    count = int(ctx.session.scalar(others) or 0) + len(known.keys() | first.keys())
    most = max((_percent(was, one) for one in moved for was in (known.get(one.sku), one.before)), default=0)
    if not two_people.is_alone(ctx.session, PERMISSION) and (count > limits.products or most > limits.percent):
        return False
    ctx.session.add_all(
        PriceTally(staff_id=ctx.actor.id, day=ctx.at.astimezone(dt.UTC).date(), price_list=of, sku=sku,
                   qty=before[0], amount_minor=before[1])
        for sku, before in first.items() if sku not in known and before is not None
    )  # fmt: skip
    ctx.session.flush()
    return True


def propose(ctx: Context, id: str, changes: Sequence[Change], sent: PriceFile) -> PriceProposal:
    """Keep a list until a second person has looked at it (rule 5); the same id again is the same proposal."""
    known = ctx.session.get(PriceProposal, id)
    if known is not None:
        return known
    row = PriceProposal(
        id=id, **vars(sent),
        moved=sum(one.kind in MOVES for one in changes), most_percent=most_percent(changes), proposed_at=ctx.at,
        proposed_by=ctx.actor.id, proposed_name=ctx.actor.name,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    record(
        ctx, verb="price proposal.proposed", subject=row.subject, kind=sent.kind,
        supplier=sent.supplier_id, moved=row.moved, most_percent=row.most_percent)  # fmt: skip
    return row


# --- questions ---


def most_percent(changes: Sequence[Change]) -> int:
    """Return by how many per cent the price moves that moves most, for the same quantity, rounded up."""
    return max((_percent(one.before, one) for one in changes if one.kind in MOVES), default=0)


# --- inside ---


def _parts(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]


def _products(session: Session, skus: Sequence[str]) -> dict[str, Product]:
    return {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}


def _change(one: Listed, name: str, unit: str, before: tuple[int, int] | None, day: dt.date) -> Change:
    kind = _kind(before, (one.qty, one.amount_minor))
    return Change(one.row, one.sku, name, unit, kind, before, one.qty, one.amount_minor, day)


def _kind(before: tuple[int, int] | None, after: tuple[int, int]) -> str:
    """Return what becomes of a pack; another pack is told apart from another cost, by the unit."""
    if before is None:
        return NEW
    if before == after:
        return SAME
    was, now = before[1] * after[0], after[1] * before[0]
    if was == now:
        return REPACKED
    return DEARER if now > was else CHEAPER


def _coming(
    session: Session, supplier_id: str, skus: Sequence[str], day: dt.date
) -> dict[str, list[tuple[dt.date, int]]]:
    query = sa.select(SupplierCost).where(
        SupplierCost.supplier_id == supplier_id, SupplierCost.sku.in_(skus), SupplierCost.from_day > day
    )
    found: dict[str, list[tuple[dt.date, int]]] = {}
    for cost in session.scalars(query.order_by(SupplierCost.from_day)):
        found.setdefault(cost.sku, []).append((cost.from_day, cost.pack_cost_minor))
    return found


def _changed(session: Session, supplier_id: str, skus: Sequence[str], day: dt.date) -> dict[str, dt.date]:
    """Return when the cost or the price of products last became another one (rule 6)."""
    cost, price = SupplierCost, Price
    queries = (
        sa.select(cost.sku, sa.func.max(cost.from_day))
        .where(cost.supplier_id == supplier_id, cost.sku.in_(skus), cost.from_day <= day)
        .group_by(cost.sku),
        sa.select(price.sku, sa.func.max(price.from_day))
        .where(price.scope_id == EVERYONE, price.sku.in_(skus), price.from_day <= day)
        .group_by(price.sku),
    )
    found: dict[str, dt.date] = {}
    for query in queries:
        for sku, on in session.execute(query):
            found[sku] = max(on, found.get(sku, on))
    return found

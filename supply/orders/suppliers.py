"""Who we buy from, in what packs, at what cost, and on which days.

Rules
-----
1. A supplier belongs to the network ('*'), to one store, or to the network node, which buys from it
   (`supply_routes`). The network itself is a supplier of kind 'network'.
2. Orders are taken on the supplier's order days up to its cut-off, and arrive lead_time_days later, but not on a closed
   day (`delivery_calendar`). A warehouse without a cut-off takes them until its midnight; any other, until the store's
   day is over.
3. A product comes in packs of pack_qty stock units at pack_cost_minor a pack; another cost may begin on a day
   (`SupplierCost`), and the latest one that has begun counts.
4. The network's suppliers reach a store as an edition (`serving`); a store's own ones never travel, and only they are
   changed here.
5. Orders go to the network by its messages, to all others by e-mail or on paper (`supplier_messages`).
6. Nothing is ordered of a supplier that is put aside; what it owes still comes.
7. A warehouse of the network is founded with the supplier that delivers from it to its stores (`serving`). Its id names
   its book in the stock ledger among the stores', so none of them has it.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.money import MAX_MINOR
from config.nodes.journal import Context, JournalEntry, record, record_many
from config.nodes.publication import EVERYONE
from config.words import LANGUAGES
from pos.catalogue.catalogue import Product
from pos.store.store import keep_clock
from supply.orders import delivery_calendar
from supply.orders.delivery_calendar import EVERY_DAY, CalendarColumn, DeliveryCalendar

MOST_PACK_QTY = 1_000_000
MOST_PACKS = 999
"""So many packs of one product at most are on an order."""
HONOURED_DAYS = 14
"""So long after a change an order at the cost before it is still kept: a store may not have heard of it."""
WAYS = ("email", "paper")
LONGEST = {"name": 80, "email": 254, "customer_no": 40, "article_no": 40}
_ADDRESS = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+", re.ASCII)


class Supplier(Base):
    """Somebody we order from."""

    __tablename__ = "supplier"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    """network | own"""
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    calendar: Mapped[DeliveryCalendar] = mapped_column(CalendarColumn, default=EVERY_DAY)
    """When it works, as settled."""
    minimum_minor: Mapped[int] = mapped_column(default=0)
    warehouse_id: Mapped[str | None]
    """A network supplier's warehouse: its stock is kept in the stock ledger under this id."""
    send_by: Mapped[str] = mapped_column(default="paper", server_default="paper")
    """email | paper: how a store's own supplier gets its orders (rule 5)."""
    email: Mapped[str] = mapped_column(default="", server_default="")
    customer_no: Mapped[str] = mapped_column(default="", server_default="")
    """The number under which they know the store."""
    language: Mapped[str] = mapped_column(default="en", server_default="en")
    """en | zh: in which orders are written to them."""
    active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())


class SupplierProduct(Base):
    """A product as one supplier sells it."""

    __tablename__ = "supplier_product"
    __table_args__ = (sa.CheckConstraint("pack_qty > 0", name="pack_qty_positive"),)

    supplier_id: Mapped[str] = mapped_column(sa.ForeignKey("supplier.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    minimum_packs: Mapped[int] = mapped_column(default=1)
    valid_from: Mapped[dt.date | None]
    article_no: Mapped[str] = mapped_column(default="", server_default="")
    """Their own number for it."""


class SupplierCost(Base):
    """What a pack costs from a day on (rule 3)."""

    __tablename__ = "supplier_cost"
    __table_args__ = (sa.CheckConstraint("pack_cost_minor >= 0", name="cost_not_negative"),)

    supplier_id: Mapped[str] = mapped_column(sa.ForeignKey("supplier.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    from_day: Mapped[dt.date] = mapped_column(primary_key=True)
    pack_cost_minor: Mapped[int]


class Terms(NamedTuple):
    """A product as a store would order it of one supplier."""

    supplier_id: str
    sku: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int


@dataclass(frozen=True)
class Contact:
    """How a supplier is reached and what it asks of an order, as a form says it."""

    name: str
    calendar: DeliveryCalendar = EVERY_DAY
    minimum_minor: int = 0
    send_by: str = "paper"
    email: str = ""
    customer_no: str = ""
    language: str = "en"
    active: bool = True


@dataclass(frozen=True)
class CasePack:
    """How a supplier sells a product (rule 3). valid_from: the first day it can be ordered; article_no: theirs."""

    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int = 1
    valid_from: dt.date | None = None
    article_no: str = ""


# --- verbs ---


def add_supplier(
    ctx: Context,
    owner_id: str,
    contact: Contact,
    *,
    kind: str = "own",
    warehouse_id: str | None = None,
    id: str | None = None,
) -> Supplier:
    """Add somebody to order from. owner_id: the store whose own supplier it is, or '*' for the network's."""
    contact = sound(contact)
    if id is not None and ctx.session.get(Supplier, id) is not None:
        raise Conflict("supplier-exists", "The supplier %(supplier_id)s already exists.", supplier_id=id)
    supplier = Supplier(id=id or new_id(), kind=kind, owner_id=owner_id, warehouse_id=warehouse_id, **vars(contact))
    ctx.session.add(supplier)
    ctx.session.flush()
    record(ctx, verb="supplier.added", subject=f"supplier:{supplier.id}", name=supplier.name)
    return supplier


def settle_calendar(ctx: Context, warehouse_id: str, said: Mapping[str, str], *, tz: str = "") -> None:
    """Settle when no vehicle leaves a warehouse, and until when stores' orders count for the day (rule 2).

    said: fields of the calendar that change (`delivery_calendar.read`). tz: by whose clock; '': a cut-off goes by that
    of the store that orders.
    """
    require_warehouse(ctx.session, warehouse_id)
    keep_clock(ctx.session, warehouse_id, tz)
    for row in ctx.session.scalars(sa.select(Supplier).where(Supplier.warehouse_id == warehouse_id)):
        row.calendar = delivery_calendar.read(said, row.calendar)
    ctx.session.flush()
    record(ctx, verb="warehouse.calendar", subject=f"warehouse:{warehouse_id}", **said, tz=tz)


def write_contact(ctx: Context, store_id: str, supplier_id: str, contact: Contact) -> Supplier:
    """Add or change a supplier of the store's own (rule 4); the same id again changes it."""
    contact = sound(contact)
    if ctx.session.get(Supplier, supplier_id) is None:
        row = Supplier(id=supplier_id, kind="own", owner_id=store_id, warehouse_id=None)
    else:
        row = own_supplier(ctx.session, store_id, supplier_id)
    for name, value in vars(contact).items():
        setattr(row, name, value)
    ctx.session.add(row)
    ctx.session.flush()
    record(
        ctx, verb="supplier.written", subject=f"supplier:{row.id}", name=row.name,
        send_by=row.send_by, active=row.active)  # fmt: skip
    return row


def take_up(ctx: Context, supplier_id: str, *, active: bool = True) -> None:
    """Let a supplier be ordered from again, or no more; unchanged is no entry."""
    row = supplier_of(ctx.session, supplier_id)
    if row.active != active:
        row.active = active
        record(ctx, verb="supplier.written", subject=f"supplier:{row.id}", name=row.name, active=active)


def offer_product(ctx: Context, supplier_id: str, sku: str, pack: CasePack) -> SupplierProduct:
    """Note, or renew, how a supplier sells a product (rule 3)."""
    offer_products(ctx, supplier_id, {sku: pack})
    return ctx.session.get_one(SupplierProduct, (supplier_id, sku))


def offer_from_today(ctx: Context, supplier_id: str, sku: str, pack: CasePack, today: dt.date) -> None:
    """Note, or renew, how a supplier sells a product; what its pack costs counts from today, whatever began before."""
    offer_product(ctx, supplier_id, sku, pack)
    cost = pack.pack_cost_minor
    if costs_begun(ctx.session, [supplier_id], today).get((supplier_id, sku), cost) != cost:
        set_cost(ctx, supplier_id, sku, cost, today, today=today)


def offer_products(ctx: Context, supplier_id: str, packs: Mapping[str, CasePack]) -> None:
    """Note, or renew, how a supplier sells many products (rule 3)."""
    if ctx.session.get(Supplier, supplier_id) is None:
        raise NotFound("unknown-supplier", "Supplier %(supplier_id)s not found.", supplier_id=supplier_id)
    known, listed = set[str](), dict[str, SupplierProduct]()
    for start in range(0, len(packs), 500):
        some = list(packs)[start : start + 500]
        known.update(ctx.session.scalars(sa.select(Product.sku).where(Product.sku.in_(some))))
        mine = sa.select(SupplierProduct).where(SupplierProduct.supplier_id == supplier_id)
        listed |= {one.sku: one for one in ctx.session.scalars(mine.where(SupplierProduct.sku.in_(some)))}
    new = []
    for sku, pack in packs.items():
        if sku not in known:
            raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
        if not 1 <= pack.pack_qty <= MOST_PACK_QTY or not 1 <= pack.minimum_packs <= MOST_PACKS:
            raise Invalid(
                "bad-pack", "A pack contains at least 1 unit, and the minimum order is at least 1 pack.", sku=sku
            )
        if not 0 <= pack.pack_cost_minor <= MAX_MINOR:
            raise Invalid("bad-cost", "Enter a cost of zero or more.", sku=sku)
        number = " ".join(pack.article_no.split())[: LONGEST["article_no"]]
        terms = vars(pack) | {"article_no": number}
        if (row := listed.get(sku)) is None:
            new.append({"supplier_id": supplier_id, "sku": sku} | terms)
        else:
            for name, value in terms.items():
                setattr(row, name, value)
    write_many(ctx.session, SupplierProduct, new)
    ctx.session.flush()
    record_many(ctx, [
        ("supplier.offers", f"product:{sku}",
         {"supplier": supplier_id, "pack_qty": pack.pack_qty, "pack_cost_minor": pack.pack_cost_minor})
        for sku, pack in packs.items()
    ])  # fmt: skip


def set_cost(
    ctx: Context, supplier_id: str, sku: str, pack_cost_minor: int, from_day: dt.date, *, today: dt.date
) -> None:
    """Let a pack cost something else from a day on, today or later (rule 3); the same day again replaces it."""
    if ctx.session.get(SupplierProduct, (supplier_id, sku)) is None:
        raise NotFound("not-sold-by-supplier", "This supplier does not sell this product.", sku=sku)
    if not 0 <= pack_cost_minor <= MAX_MINOR:
        raise Invalid("bad-cost", "Enter a cost of zero or more.", sku=sku)
    if from_day < today:
        raise Invalid("past-cost", "A cost can't start in the past. Choose today or later.", field="from_day")
    row = {"supplier_id": supplier_id, "sku": sku, "from_day": from_day, "pack_cost_minor": pack_cost_minor}
    ctx.session.merge(SupplierCost(**row))
    ctx.session.flush()
    facts = {"supplier": supplier_id, "pack_cost_minor": pack_cost_minor, "from_day": from_day.isoformat()}
    record(ctx, verb="supplier.cost_set", subject=f"product:{sku}", **facts)


def drop_product(ctx: Context, supplier_id: str, sku: str) -> None:
    """Note that a supplier does not sell a product any more; again changes nothing."""
    row = ctx.session.get(SupplierProduct, (supplier_id, sku))
    if row is None:
        return
    costs = sa.delete(SupplierCost).where(SupplierCost.supplier_id == supplier_id, SupplierCost.sku == sku)
    ctx.session.execute(costs)
    ctx.session.delete(row)
    ctx.session.flush()
    record(ctx, verb="supplier.dropped", subject=f"product:{sku}", supplier=supplier_id)


# --- questions ---


def supplier_of(session: Session, supplier_id: str) -> Supplier:
    """Return a supplier; NotFound when there is none of that id."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is None:
        raise NotFound("unknown-supplier", "Supplier %(supplier_id)s not found.", supplier_id=supplier_id)
    return supplier


def is_warehouse(session: Session, id: str) -> bool:
    """Tell whether this is the id of a warehouse (rule 7)."""
    return session.scalar(sa.select(Supplier.id).where(Supplier.warehouse_id == id).limit(1)) is not None


def require_warehouse(session: Session, id: str) -> None:
    """Raise NotFound unless this is the id of a warehouse."""
    if not is_warehouse(session, id):
        raise NotFound("unknown-warehouse", "No supplier delivers from %(warehouse_id)s.", warehouse_id=id)


def warehouses(session: Session) -> list[str]:
    """Return the ids of all warehouses, in order."""
    query = sa.select(Supplier.warehouse_id).where(Supplier.warehouse_id.is_not(None)).distinct()
    return sorted(str(one) for one in session.scalars(query))


def own_supplier(session: Session, store_id: str, supplier_id: str) -> Supplier:
    """Return a supplier of the store's own; Refused for the network's, NotFound for any other (rule 4)."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is not None and supplier.owner_id == EVERYONE:
        raise Refused("network-supplier", "%(name)s belongs to the network, which sets its terms.", name=supplier.name)
    if supplier is None or supplier.owner_id != store_id:
        raise NotFound("unknown-supplier", "Supplier %(supplier_id)s not found.", supplier_id=supplier_id)
    return supplier


def way_of(supplier: Supplier) -> str:
    """Return how a supplier's orders go: network, email or paper (rule 5)."""
    return NETWORK if supplier.kind == NETWORK else supplier.send_by


def terms_of(session: Session, supplier_id: str, sku: str, day: dt.date) -> Terms | None:
    """Return how a supplier sells a product on a day; None where it does not."""
    return next(iter(terms_for(session, supplier_id, [sku], day)), None)


def terms_for(session: Session, supplier_id: str, skus: Sequence[str], day: dt.date) -> list[Terms]:
    """Return how a supplier sells products on a day, of those it does."""
    row = SupplierProduct
    query = sa.select(row.supplier_id, row.sku, row.pack_qty, row.pack_cost_minor, row.minimum_packs)
    begun = costs_begun(session, [supplier_id], day)
    return [
        one._replace(pack_cost_minor=begun.get((one.supplier_id, one.sku), one.pack_cost_minor))
        for one in map(Terms._make, session.execute(query.where(row.supplier_id == supplier_id, row.sku.in_(skus))))
    ]


def was_listed(session: Session, reported: Terms, day: dt.date) -> bool:
    """Tell whether a supplier sold a product in this pack at this cost on a day, or up to HONOURED_DAYS before it."""
    since = day - dt.timedelta(days=HONOURED_DAYS)
    listed = {one[2:4] for on in (since, day) for one in terms_for(session, reported.supplier_id, [reported.sku], on)}
    pack_now = next((pack_qty for pack_qty, _cost in listed), 0)
    written = sa.select(JournalEntry.at, JournalEntry.body).where(
        JournalEntry.subject == f"product:{reported.sku}",
        JournalEntry.verb.in_(["supplier.offers", "supplier.cost_set"]),
    )
    for at, body in session.execute(written.order_by(JournalEntry.n.desc())):
        facts = json.loads(body)
        if facts["supplier"] == reported.supplier_id and facts.get("from_day", "") <= day.isoformat():
            listed.add((facts.get("pack_qty", pack_now), facts["pack_cost_minor"]))
            if at.date() <= since:  # what stood on the list when those days began
                break
    return (reported.pack_qty, reported.pack_cost_minor) in listed


def costs_begun(session: Session, supplier_ids: Sequence[str], day: dt.date) -> dict[tuple[str, str], int]:
    """Return the latest dated cost that has begun: (supplier, sku) -> what a pack costs (rule 3)."""
    query = sa.select(SupplierCost.supplier_id, SupplierCost.sku, SupplierCost.pack_cost_minor).where(
        SupplierCost.supplier_id.in_(supplier_ids), SupplierCost.from_day <= day
    )
    return {(supplier, sku): cost for supplier, sku, cost in session.execute(query.order_by(SupplierCost.from_day))}


def sound(contact: Contact) -> Contact:
    """Return a contact tidied, or raise Invalid naming the field that cannot be."""
    name, email = " ".join(contact.name.split()), contact.email.strip()
    if not name or len(name) > LONGEST["name"]:
        raise Invalid("no-name", "Enter the supplier’s name.", field="name")
    if not 0 <= contact.minimum_minor <= MAX_MINOR:
        raise Invalid("bad-minimum", "The minimum order must be zero or more.", field="minimum")
    if contact.send_by not in WAYS:
        raise Invalid("bad-way", "Choose email or paper for this supplier's orders.", field="send_by")
    if contact.language not in LANGUAGES:
        raise Invalid("bad-choice", "Choose a language.", field="language")
    if (email or contact.send_by == "email") and not (len(email) <= LONGEST["email"] and _ADDRESS.fullmatch(email)):
        raise Invalid(
            "bad-order-address", "Enter the email address for orders, such as orders@farm.example.", field="email"
        )
    number = " ".join(contact.customer_no.split())[: LONGEST["customer_no"]]
    return replace(contact, name=name, email=email, customer_no=number)

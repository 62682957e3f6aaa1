"""What is in the store: search, filters, and a blind count."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.stock import stock
from pos.stock.ledger import INSIDE, CountTask, Reservation, StockLevel, StockMovement
from store_app.pages.common import find_product, form, lists, waiting
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import RAIL_COUNTS, page, place, today
from store_app.web.security import requires
from store_app.words import words
from store_app.words.stock import room_qty
from supply.demand.history import DailyDemand

bp = Blueprint("stock", __name__, url_prefix="/stock")
RAIL_COUNTS["stock"] = waiting.stock
LOW_DAYS = 2
LOOK_BACK_DAYS = 28


@dataclass(frozen=True)
class LevelRow:
    """One product in the list of levels."""

    sku: str
    name: str
    pack_text: str
    stock_unit: str
    on_hand: int
    held: int
    available: int
    where_text: str
    count_reason: str | None
    is_low: bool
    cover_text: str
    days: int | None
    category: str


@bp.get("/")
@requires("stock.look")
def levels(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the products and how many of each there are, filtered by the address."""
    store_id = str(place().store_id)
    with read() as session:
        here = _here(store_id)
        categories = session.scalars(sa.select(Product.category).where(here).distinct().order_by(Product.category))
        shown = lists.show(
            _table(store_id, lists.categories(categories), _filters(session, store_id)), sa.select(Product).where(here),
            lambda some: _rows(session, store_id, some),
        )  # fmt: skip
    return shown.file or page("goods/stock/levels.html", shown=shown, fault=fault)


@bp.get("/<sku>/count")
@requires("stock.count")
def count_page(sku: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a count; what the records say is not shown, so that people count."""
    with read() as session:
        product = find_product.product_of(session, sku)
        task = session.get(CountTask, (str(place().store_id), sku))
    return page(
        "goods/stock/count.html",
        product=product,
        task=words.count_reason(task.reason) if task is not None and task.done_at is None else None,
        unit_word=words.unit_word(product.stock_unit),
        fault=fault,
        asked="counted",
    )


@bp.post("/<sku>/count")
@requires("stock.count")
@form.answers_on(count_page)
def count(sku: str) -> ResponseReturnValue:
    """Book what was counted; the page never said what was expected."""
    command, counted = form.command_id(), form.whole("qty")
    with write() as session:
        name = find_product.product_of(session, sku).shown
        if not is_recorded(session, command):
            stock.count(acting(session), str(place().store_id), sku, counted, count_id=command)
    return form.done(_("Thanks, %(name)s has been counted.", name=name), "product.page", sku=sku)


def is_recorded(session: Session, command: str) -> bool:
    """Tell whether a command has moved stock before: a second click does nothing."""
    return (
        session.scalar(
            sa.select(StockMovement.id)
            .where(StockMovement.store_id == str(place().store_id), StockMovement.source_id == command)
            .limit(1)
        )
        is not None
    )


def inside(by_place: Any) -> list[tuple[str, int]]:
    """Return what lies where in the store."""
    return [(str(name), by_place[name]) for name in INSIDE if by_place.get(name)]


# --- inside ---


def _here(store_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a product is sold here, or lies here."""
    return sa.or_(
        sa.exists().where(Listing.store_id == store_id, Listing.sku == Product.sku, Listing.active),
        sa.exists().where(StockLevel.store_id == store_id, StockLevel.sku == Product.sku, StockLevel.qty != 0),
    )


def _table(store_id: str, categories: lists.Choices, filters: lists.Choices) -> lists.Table:
    mine = sa.select(sa.func.sum(StockLevel.qty)).where(StockLevel.store_id == store_id, StockLevel.sku == Product.sku)
    on_hand = sa.func.coalesce(mine.scalar_subquery(), 0)
    return lists.Table(
        "stock",
        (
            lists.Column("name", _("Product"), by=Product.shown, look="lead"),
            lists.Column("sku", _("SKU"), by=Product.sku, shown=False, look="said"),
            lists.Column("category", _("Category"), by=Product.category, shown=False),
            lists.Column("on_hand", _("In the store"), "qty", by=on_hand, look="sum"),
            lists.Column("held", _("Reserved"), "qty", value=lambda row: row.held or None, look="said"),
            lists.Column("available", _("Free"), "qty", look="said"),
            lists.Column("days", _("Days left"), "number", look="said", shown=False),
            lists.Column("where_text", _("Where"), look="muted small"),
        ),
        (
            lists.Filter("q", _("Name or code"), "text", catalogue.matches_or_code),
            lists.Filter("category", _("Category"), "choice", lambda one: Product.category == one, categories),
            lists.Filter("show", _("Filter"), "chips", lambda show: Product.sku.in_(_skus(store_id, show)), filters),
        ),
        (Product.name, Product.sku),
    )


def _skus(store_id: str, show: str) -> sa.Select[str]:
    if show == "counts":
        return sa.select(CountTask.sku).where(CountTask.store_id == store_id, CountTask.done_at.is_(None))
    if show == "held":
        answered = sa.select(Reservation.answers_id).where(
            Reservation.store_id == store_id, Reservation.answers_id.is_not(None)
        )
        return sa.select(Reservation.sku).where(
            Reservation.store_id == store_id, Reservation.kind == "held", Reservation.id.not_in(answered)
        )
    levels = (
        sa.select(StockLevel.sku)
        .where(StockLevel.store_id == store_id, StockLevel.place.in_(INSIDE))
        .group_by(StockLevel.sku)
    )
    on_hand = sa.func.sum(StockLevel.qty)
    if show == "negative":
        return levels.having(on_hand < 0)
    sold = _sold(store_id).subquery()
    return levels.join(sold, sold.c.sku == StockLevel.sku).having(
        on_hand * LOOK_BACK_DAYS < LOW_DAYS * sa.func.max(sold.c.qty)
    )


def _sold(store_id: str) -> sa.Select[str, int]:
    since = today() - dt.timedelta(days=LOOK_BACK_DAYS)
    return (
        sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty).label("qty"))
        .where(DailyDemand.store_id == store_id, DailyDemand.business_day >= since)
        .group_by(DailyDemand.sku)
    )


def _rows(session: Session, store_id: str, products: list[Product]) -> list[LevelRow]:
    skus = [product.sku for product in products]
    known = stock.levels(session, store_id, skus)
    tasks = dict(
        session.execute(
            sa.select(CountTask.sku, CountTask.reason).where(
                CountTask.store_id == store_id, CountTask.done_at.is_(None), CountTask.sku.in_(skus)
            )
        ).all()
    )
    sold = dict(session.execute(_sold(store_id).where(DailyDemand.sku.in_(skus))).all())
    rows = []
    for product in products:
        level = known[product.sku]
        per_day = max(0, sold.get(product.sku, 0)) / LOOK_BACK_DAYS
        cover = max(0, level.on_hand) / per_day if per_day else None
        rows.append(
            LevelRow(
                sku=product.sku,
                name=product.shown,
                pack_text=product.pack_text,
                stock_unit=product.stock_unit,
                on_hand=level.on_hand,
                held=level.held,
                available=level.available,
                where_text=" · ".join(
                    f"{words.place_word(name)} {room_qty(number, product.stock_unit)}"
                    for name, number in inside(level.by_place)
                ),
                count_reason=tasks.get(product.sku),
                is_low=cover is not None and cover < LOW_DAYS,
                cover_text=words.decimal_text(cover) if cover else "0",
                days=None if cover is None else int(cover),
                category=product.category,
            )
        )
    return rows


def _filters(session: Session, store_id: str) -> lists.Choices:
    numbers = {"counts": waiting.counts(session, store_id)}
    for show in ("negative", "held"):
        distinct = _skus(store_id, show).distinct().subquery()
        numbers[show] = session.scalar(sa.select(sa.func.count()).select_from(distinct)) or 0
    words = {
        "": _("Everything"), "counts": _("Please count"), "negative": _("Below zero"), "low": _("Running low"),
        "held": _("Reserved"),
    }  # fmt: skip
    return [(show, word, numbers.get(show)) for show, word in words.items()]

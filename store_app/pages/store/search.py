"""The search over everything: pages, settings, products, customers, people, receipts, orders and suppliers.

Rules
-----
1. A hit leads only to what the person who asks may open.
2. Every typed word must fit, in the reader's language; Chinese also by pinyin. A page is found by its names in every
   language, too. Where the first word begins a name, that hit goes first; what fits in another language alone, last.
3. Of each kind only the first few are shown: more letters narrow it down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from config.words import LANGUAGES
from pos.catalogue.catalogue import Listing, Product, matches_or_code, search_text_for
from pos.customers import customers
from pos.sold import Sale
from pos.store.store import Staff
from store_app.pages.common import form
from store_app.pages.common.places import Place, may_enter
from store_app.pages.store.more import PLACES
from store_app.runtime.doors import read
from store_app.web.presenting import clock_time, day, language, money, page, place, state_word
from store_app.web.security import can, requires
from supply.online.orders import PickupOrder
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier

bp = Blueprint("search", __name__, url_prefix="/search")
MOST = 6


@dataclass(frozen=True)
class Hit:
    """Something found: where it is, its icon, name, and what tells it apart."""

    address: str
    icon: str
    name: str
    about: str = ""


@dataclass(frozen=True)
class Kind:
    """Things that are found together. permission: who may open one."""

    name: LazyString
    permission: str
    find: Callable[[Session, str, list[str]], list[Hit]]


@bp.get("/")
@requires("sell")
def everything() -> ResponseReturnValue:
    """Show what fits the words typed, by kind; a script is given the results alone."""
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    words, found = text.casefold().split(), []
    if words:
        with read() as session:
            kinds = [
                (kind.name, kind.find(session, str(place().store_id), words)) for kind in KINDS if can(kind.permission)
            ]
        found = [(name, hits) for name, hits in kinds if hits]
    return page("store/search.html", "found", text=text, found=found)


# --- inside ---


def _pages(_session: Session, _store_id: str, words: list[str]) -> list[Hit]:
    known, found = _said(language()), []
    for one in may_enter(PLACES):
        name, text, abroad = known[one]
        if all(word in text for word in words):
            found.append((0 if name.startswith(words[0]) else 1 if f" {words[0]}" in name else 2, one))
        elif all(word in abroad for word in words):
            found.append((3, one))
    found.sort(key=lambda one: one[0])
    return [Hit(one.address, one.icon, str(one.name), str(one.about)) for _rank, one in found[:MOST]]


@cache
def _said(_language: str) -> dict[Place, tuple[str, str, str]]:
    """Return what each place is called in a language, all it is found by there, and by what in every language."""
    abroad = [""] * len(PLACES)  # no dictionary: a place's hash is another in each language
    for code in LANGUAGES:
        with force_locale(code):
            abroad = [
                search_text_for(text, str(one.name), str(one.words)) for text, one in zip(abroad, PLACES, strict=True)
            ]
    return {
        one: (str(one.name).casefold(), search_text_for(str(one.name), str(one.about), str(one.words)), text)
        for text, one in zip(abroad, PLACES, strict=True)
    }


def _products(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    query = (
        sa.select(Product)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(Product.active, *map(matches_or_code, words))
        .order_by(
            ~Listing.active,
            ~Product.search_text.startswith(words[0], autoescape=True),
            Listing.quick_key.is_(None),
            Product.name,
        )
    )
    return [
        Hit(url_for("product.page", sku=one.sku), "tag", one.shown, one.pack_text)
        for one in session.scalars(query.limit(MOST))
    ]


def _customers(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    return [
        Hit(
            url_for("customers.person", customer_id=one.id), "user", one.name or _("no name"),
            _("owes %(amount)s", amount=money(one.tab_balance_minor)) if one.tab_balance_minor else "",
        )
        for one in customers.search(session, store_id, " ".join(words))[:MOST]
    ]  # fmt: skip


def _people(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    query = sa.select(Staff).where(Staff.node_id == store_id, Staff.active).order_by(Staff.name)
    return [
        Hit(url_for("people.person", staff_id=one.id), "identification", one.name)
        for one in session.scalars(query)
        if all(word in search_text_for(one.name, "", "") for word in words)
    ][:MOST]


def _receipts(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    numbers = _numbers(words)
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.receipt_no.in_(numbers))
    return [
        Hit(
            url_for("shift.receipt", sale_id=one.id), "receipt-percent", _("Receipt %(n)s", n=one.receipt_no),
            f"{clock_time(one.completed_at, with_day=True)} · {money(one.total_minor)}",
        )
        for one in session.scalars(query.order_by(Sale.completed_at.desc()).limit(MOST))
    ] if numbers else []  # fmt: skip


def _orders(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    fits = sa.and_(*(sa.func.lower(Supplier.name).contains(word, autoescape=True) for word in words))
    query = (
        sa.select(ReplenishmentOrder, Supplier.name)
        .outerjoin(Supplier, Supplier.id == ReplenishmentOrder.supplier_id)
        .where(ReplenishmentOrder.store_id == store_id, fits | ReplenishmentOrder.order_no.in_(_numbers(words)))
        .order_by(ReplenishmentOrder.order_no.desc())
    )
    return [
        Hit(
            url_for("ordering.order", order_id=one.id), "clipboard-document-list", _("Order %(no)s", no=one.order_no),
            f"{supplier or one.supplier_id} · {day(one.delivery_day)} · {state_word(one.state)}",
        )
        for one, supplier in session.execute(query.limit(MOST))
    ]  # fmt: skip


def _pickups(session: Session, store_id: str, words: list[str]) -> list[Hit]:
    text = sa.func.lower(PickupOrder.order_no + " " + PickupOrder.customer_name)
    query = (
        sa.select(PickupOrder)
        .where(PickupOrder.store_id == store_id, *(text.contains(word, autoescape=True) for word in words))
        .order_by(PickupOrder.placed_at.desc())
    )
    return [
        Hit(
            url_for("pickup.order", order_id=one.id), "shopping-bag", _("Order %(no)s", no=one.order_no),
            " · ".join(filter(None, (one.customer_name, state_word(one.state)))),
        )
        for one in session.scalars(query.limit(MOST))
    ]  # fmt: skip


def _suppliers(session: Session, _store_id: str, words: list[str]) -> list[Hit]:
    query = (
        sa.select(Supplier)
        .where(Supplier.active, *(sa.func.lower(Supplier.name).contains(word, autoescape=True) for word in words))
        .order_by(Supplier.name)
    )
    return [
        Hit(url_for("suppliers.supplier", supplier_id=one.id), "truck", one.name)
        for one in session.scalars(query.limit(MOST))
    ]


def _numbers(words: list[str]) -> list[int]:
    """Return the number that was typed, as '61', '#61' or 'receipt 61'."""
    return [int(word.lstrip("#")) for word in words if word.lstrip("#").isdecimal() and len(word) < 10]


KINDS = (
    Kind(lazy("Pages and settings"), "sell", _pages),
    Kind(lazy("Products"), "stock.look", _products),
    Kind(lazy("Customers"), "tab", _customers),
    Kind(lazy("People"), "staff", _people),
    Kind(lazy("Receipts"), "sell", _receipts),
    Kind(lazy("Orders"), "order", _orders),
    Kind(lazy("Pickup"), "pickup", _pickups),
    Kind(lazy("Suppliers"), "order", _suppliers),
)

"""What an online order costs: the till's own arithmetic, at published prices or at those that were promised.

Rules
-----
1. There is one engine for prices: `pos.sale.quoting`. Offers, deposits, taxes and limits online are the till's.
2. What was promised stays promised: each line keeps its price, what offers saved on it and its deposit, or that it has
   none, whatever the store asks or sells on the day it is collected.
3. Of a line that falls short the customer keeps the same share of its saving.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import NotFound
from config.money import part_of
from pos.catalogue import offers
from pos.catalogue.catalogue import Product, TaxClass
from pos.pricing.pricing import PricedBasket, ProductView, Saved
from pos.pricing.promotions import Offers
from pos.sale import quoting
from pos.sale.quoting import Shelf
from pos.sale.sale_request import Promised, RungLine
from pos.store.store import Store
from supply.online_facts import OrderLine


class PromisedLine(Protocol):
    """A line of an order: what was promised, and how much of it the customer gets.

    saved: [[offer id, name, amount_minor]] on the whole line. deposit_minor: for one unit; None without a deposit.
    """

    sku: Any
    qty: Any
    picked_qty: Any
    price_minor: Any
    saved: Any
    deposit_sku: Any
    deposit_minor: Any


@dataclass(frozen=True)
class Promise:
    """What is handed over, (SKU, quantity), and at which prices, savings and deposits (SKU -> the deposit's)."""

    lines: list[tuple[str, int]]
    prices: dict[str, int]
    savings: dict[str, tuple[Saved, ...]]
    deposits: dict[str, str] = field(default_factory=dict)


def promise_of(lines: Sequence[PromisedLine], fee: tuple[str, int] | None = None) -> Promise:
    """Return what an order's customer gets and what was promised for it (rules 2, 3). fee: (SKU, price) of its way."""
    promise = Promise([], {}, {})
    if fee is not None:
        promise.lines.append((fee[0], 1))
        promise.prices[fee[0]] = fee[1]
    for line in lines:
        kept = line.qty if line.picked_qty is None else line.picked_qty
        promise.prices[line.sku] = line.price_minor
        if line.deposit_sku is not None:
            promise.prices[line.deposit_sku] = line.deposit_minor
            promise.deposits[line.sku] = line.deposit_sku
        if kept <= 0:
            continue
        promise.lines.append((line.sku, kept))
        if line.saved:
            promise.savings[line.sku] = tuple(
                Saved(offer_id, name, part_of(amount_minor, line.qty, 0, kept))
                for offer_id, name, amount_minor in line.saved
            )
    return promise


def cost(session: Session, promise: Promise) -> PricedBasket:
    """Return lines, tax and total as the till will ring what was promised."""
    views = _views(session, promise.prices, [*(sku for sku, _ in promise.lines), *promise.deposits.values()])
    never = dt.datetime(1970, 1, 1)  # noqa: DTZ001  no offer looks at it
    promised = Promised(promise.prices, promise.savings, promise.deposits)
    shelf = Shelf(never, views, Offers(()), promised)  # all that was saved was promised before
    return quoting.price(shelf, [RungLine(sku, qty) for sku, qty in promise.lines]).basket


def charged(session: Session, promise: Promise) -> dict[str, int]:
    """Return what each product of an order costs its customer: less its offers, with its tax and its deposits."""
    rows = cost(session, promise).lines if promise.lines else ()
    minor = dict.fromkeys((sku for sku, _ in promise.lines), 0)
    for row in rows:
        of = row.line.deposit_of if row.line else None
        minor[(row if of is None else rows[of - 1]).product.sku] += row.total_minor
    return minor


def quote(
    session: Session,
    store: Store,
    lines: Sequence[tuple[str, int]],
    prices: Mapping[str, int],
    *,
    coupons: Sequence[str] = (),
    member: bool = False,
    at: dt.datetime,
) -> quoting.Quote:
    """Price a basket at list prices (SKU -> price_minor, deposits too) with the offers of this moment (rule 1)."""
    shelf = Shelf(
        at.astimezone(ZoneInfo(store.tz)).replace(tzinfo=None),
        views_of(session, prices, [sku for sku, _ in lines]),
        offers.live(session, store.id, business_day(at, store.tz, store.rollover_hour)),
        member=member,
    )
    return quoting.price(shelf, [RungLine(sku, qty) for sku, qty in lines], coupons=coupons)


def promised_lines(priced: PricedBasket) -> tuple[OrderLine, ...]:
    """Return the lines of an order as a priced basket promises them, deposits with the line they belong to."""
    deposits = {line.line.deposit_of: line for line in priced.lines if line.line and line.line.deposit_of is not None}
    promised = []
    for n, line in enumerate(priced.lines, 1):
        if line.line is None or line.line.deposit_of is not None:
            continue
        deposit = deposits.get(n)
        promised.append(
            OrderLine(
                line.product.sku,
                line.product.name,
                line.qty,
                line.product.price_minor,
                line.product.price_quantity,
                saved=[[row.offer_id, row.name, row.amount_minor] for row in line.offers],
                deposit_sku=deposit.product.sku if deposit else None,
                deposit_minor=deposit.product.price_minor if deposit else None,
            )
        )
    return tuple(promised)


def views_of(session: Session, prices: Mapping[str, int], skus: Sequence[str]) -> dict[str, ProductView]:
    """Return the products named, and the deposits they carry, at the given prices; refuses those without a price."""
    views = _views(session, prices, skus)
    deposits = {view.deposit_sku for view in views.values() if view.deposit_sku} - views.keys()
    if deposits:
        views |= _views(session, prices, sorted(sku for sku in deposits if sku))
    wanted = {*skus, *(sku for sku in deposits if sku)}
    if unknown := sorted(wanted - views.keys()):
        names = ", ".join(unknown)
        raise NotFound(
            "not-sold-online", "Not sold online in this store: %(names)s. Remove from the basket.", names=names,
            skus=unknown,
        )  # fmt: skip
    return views


def _views(session: Session, prices: Mapping[str, int], skus: Sequence[str]) -> dict[str, ProductView]:
    rows = session.execute(
        sa.select(Product, TaxClass).join(TaxClass, TaxClass.id == Product.tax_class_id).where(Product.sku.in_(skus))
    )
    return {product.sku: _view(product, tax, prices[product.sku]) for product, tax in rows if product.sku in prices}


def _view(product: Product, tax: TaxClass, price_minor: int) -> ProductView:
    return ProductView(
        sku=product.sku,
        name=product.name,
        shown=product.shown,
        names=product.names,
        brand=product.brand,
        category=product.category,
        pack_text=product.pack_text,
        stock_unit=product.stock_unit,
        price_quantity=product.price_quantity,
        price_minor=price_minor,
        minimum_age=product.minimum_age,
        maximum_qty=product.maximum_qty,
        tax_class_id=product.tax_class_id,
        rate_bp=tax.rate_bp,
        inclusive=tax.inclusive,
        department=product.department,
        kind=product.kind,
        deposit_sku=product.deposit_sku,
    )

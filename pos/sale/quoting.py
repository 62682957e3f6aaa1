"""What a rung basket costs now: list prices, what was typed over them, offers, deposits, and whose leave it needs.

Rules
-----
1. A price typed over the catalogue's needs the permission `price.override`; one typed for a product without a fixed
   price (`price_typed`) does not, and only such a line, unless it sells a voucher, may have another name than its
   product. What a lower price and a discount by hand take off a line together, of what it costs by the list price of
   the day, is held against the role's limit (`approvals`); a higher price takes off nothing.
   So is what the price in a code lies below the list's, since anybody can key a code; on goods by weight it is the
   scale's word.
2. Offers are given on lines at their list price alone: not on labels, overrides, deposits, vouchers or empties. A
   batch or a last day counts for them only as the scanned code says it (rule 7). A markdown is for as many
   pieces as were marked (`markdown`): the others cost what they cost unmarked, and it is said how many these are.
3. A deposit is a line of its own after the line it belongs to, taxed like it. Empties come back as negative lines.
4. What exceeds the most one customer may buy is refused, over all lines together; empties are bounded by themselves,
   and more than a cashier's limit want leave (rule 11). What is not sold at this hour is refused (`selling_hours`).
5. What was agreed with an online order keeps its price, its saving and its deposit, whatever the store asks now, and
   whether or not it still sells it.
6. What is recalled or past its last day is refused when the basket is priced, before anybody is asked for money.
7. What a label says is read from the code again (`scan`), never taken from the page: an amount, a batch, a last day.
   An amount without a code that says it is refused; so is a line that says something else than its code.
8. How much a label stands for is what it says, by its weight, count or price: another quantity is refused. A second
   piece has a label of its own.
9. A batch or a last day without a code may refuse a line (recalled, expired), but makes no line cheaper.
10. Lines that claim nothing cost no question.
11. Empties within a customer's shopping lessen what is paid; where more comes back than is bought, cash goes out. Those
   count together over a person's sales of one shift against the role's limit, so that splitting gains nothing.
12. What had leave does not count. Who has no limit but that of one sale is stopped by no sum.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from typing import Any

from config.errors import Invalid, Refused
from config.money import BASIS, amount_for, divide_half_up
from pos.catalogue.catalogue import Scanned
from pos.catalogue.selling_hours import Hours, refuse_outside
from pos.pricing import promotions
from pos.pricing.pricing import (
    MOST_EMPTIES,
    BasketLine,
    PricedBasket,
    ProductView,
    Saved,
    before_savings,
    made_up,
    price_basket,
)
from pos.pricing.promises import Offer, clean_code
from pos.pricing.promotions import Hint, OfferLine, Offers
from pos.sale.sale_request import MOST_QTY, Promised, RungLine
from pos.stock.batches import refuse_over
from pos.stock.ledger import Holding, tidy
from pos.stock.markdown import is_of
from pos.stock.recall import Recall, refuse_recalled
from pos.store.approvals import Need

NOTHING = Promised()


@dataclass(frozen=True)
class Shelf:
    """What may be sold now, and on which terms.

    wall: the store's own time, without a zone. views: every product that was rung, and the deposits they carry.
    promised: with the order that is handed over (rule 5). codes: what a scanned code says. marked: markdown -> units it
    is still for. last_days: (SKU, batch) -> its last day.
    """

    wall: dt.datetime
    views: Mapping[str, ProductView]
    offers: Offers
    promised: Promised = NOTHING
    day: dt.date = dt.date.min
    member: bool = False
    coin_minor: int = 1
    hours: Hours = field(default_factory=dict)
    codes: Mapping[str, Scanned] = field(default_factory=dict)
    marked: Mapping[str, int] = field(default_factory=dict)
    recalls: Sequence[Recall] = ()
    last_days: Mapping[tuple[str, str | None], dt.date] = field(default_factory=dict)


@dataclass(frozen=True)
class Quote:
    """A priced basket with what it needs and what was used."""

    basket: PricedBasket
    needs: tuple[Need, ...]
    coupons_used: frozenset[str]
    hints: tuple[Hint, ...]
    saved_minor: int
    marked: Mapping[str, int] = field(default_factory=dict)
    """Markdown -> stock units of it that this basket takes."""
    unmarked: Mapping[int, int] = field(default_factory=dict)
    """The page's line -> stock units beyond what was marked down."""


def price(shelf: Shelf, rung: Sequence[RungLine], *, coupons: Sequence[str] = (), cash: bool = False) -> Quote:
    """Price what was rung (rules 1 to 8)."""
    views, promised = shelf.views, shelf.promised
    if shelf.hours:
        refuse_outside(shelf.hours, (views[line.sku] for line in rung if line.qty > 0), shelf.wall)
    rung = read_from_codes(shelf, rung)
    _refuse_too_many(rung, views, promised.prices)
    lines, needs = _lines(rung, views, promised)
    if empties := -sum(line.qty for line in rung if line.qty < 0):
        needs.append(_empties(empties))
    fit, left = _fit(lines), shelf.marked
    wanted = frozenset(clean_code(code) for code in coupons if code.strip())
    applied = promotions.best(fit, shelf.offers, at=shelf.wall, member=shelf.member, coupons=wanted, left=left)
    saved = {
        n: tuple(Saved(row.offer_id, row.name, row.amount_minor) for row in rows) for n, rows in applied.lines.items()
    }
    if promised.savings:
        saved |= {
            n: tuple(promised.savings[line.sku])
            for n, line in enumerate(lines, 1)
            if line.price_type == "agreed" and line.sku in promised.savings
        }
    basket = price_basket(lines, saved, smallest_coin_minor=shelf.coin_minor, cash=cash)
    saved_minor = sum(line.discount_minor for line in basket.lines)
    unmarked = _unmarked(lines, fit, shelf.offers, left, applied.units) if left else {}
    return Quote(basket, tuple(needs), applied.coupons_used, applied.hints, saved_minor, applied.units, unmarked)


def refuse_unsafe(shelf: Shelf, quoted: Quote) -> None:
    """Refuse what is recalled or past its last day (rule 6), before money is asked for as well as after."""
    sold = [line.line for line in quoted.basket.lines if line.line and line.qty > 0]
    names = {line.sku: line.product.shown for line in sold}
    if shelf.recalls:
        refuse_recalled(shelf.recalls, [(line.sku, line.batch) for line in sold], names)
    if any(line.batch or line.expires_on for line in sold):
        refuse_over([(line.sku, line.batch, line.expires_on) for line in sold], shelf.last_days, names, shelf.day)


def refuse_beyond(holding: Holding, quoted: Quote) -> None:
    """Refuse to sell more than is here and promised to nobody, for a store whose tills stop there (`stock`, rule 3).

    The levels were locked as they were read: of many tills whose sales ask, one sells the last unit.
    """
    goods = [line for line in quoted.basket.lines if line.product.kind == "goods" and line.qty > 0]
    names = {line.product.sku: line.product.shown for line in goods}
    short = [
        {"sku": sku, "name": names[sku], "wanted": qty, "available": max(0, there)}
        for sku, qty in tidy([(line.product.sku, line.qty) for line in goods])
        if qty > (there := sum(holding.places[sku].values()) - holding.held.get(sku, 0))
    ]
    if short:
        raise Refused(
            "not-in-stock",
            "Not enough in stock: %(short)s. Count it if you have it, or remove it from the basket.", short=short,
        )  # fmt: skip


def read_from_codes(shelf: Shelf, rung: Sequence[RungLine]) -> Sequence[RungLine]:
    """Return the lines with what their codes say (rules 7, 8), or refuse the first that says something else."""
    if not any(line.code or line.amount_minor is not None for line in rung):
        return rung
    return [
        _as_read(line, shelf.codes[line.code], shelf.views[line.sku])
        if line.code
        else _without_code(line, shelf.views[line.sku])
        for line in rung
    ]


def with_empties_before(needs: Sequence[Need], before_qty: int) -> list[Need]:
    """Return a paying sale's needs, its empties with those this person paid out alone before (rules 11, 12)."""
    return [_together(need, before_qty) if need.permission == "empties" else need for need in needs]


# --- inside ---


def _refuse_too_many(rung: Sequence[RungLine], views: Mapping[str, ProductView], agreed: Mapping[str, int]) -> None:
    sums: dict[tuple[str, bool], int] = {}
    for line in rung:
        key = (line.sku, line.qty > 0)
        sums[key] = sums.get(key, 0) + abs(line.qty)
    for (sku, sold), qty in sums.items():
        view = views[sku]
        most = (view.maximum_qty if sold and sku not in agreed else None) or MOST_QTY[view.stock_unit]
        if qty > most:
            raise Invalid(
                "bad-quantity", "Limit: %(most)s of %(name)s per sale.", name=view.shown, sku=sku, qty=qty, most=most
            )


def _lines(
    rung: Sequence[RungLine], views: Mapping[str, ProductView], promised: Promised
) -> tuple[list[BasketLine], list[Need]]:
    agreed, deposits = promised.prices, promised.deposits
    lines: list[BasketLine] = []
    needs: list[Need] = []
    for asked, line in enumerate(rung):
        view = _called(views[line.sku], line)
        if line.qty < 0 and view.kind != "deposit":
            raise Invalid(
                "bad-quantity", "The quantity of %(name)s must be above zero.", name=view.shown, sku=line.sku,
                qty=line.qty,
            )  # fmt: skip
        price_type, price_minor = _price_of(line, view, agreed)
        if price_type == "override":
            needs.append(_another_price(view, line.qty, price_minor, asked))
        rung_line = BasketLine(
            sku=line.sku,
            qty=line.qty,
            product=view if price_minor == view.price_minor else replace(view, price_minor=price_minor),
            price_type=price_type,
            list_price_minor=None if view.price_typed else view.price_minor,
            amount_minor=line.amount_minor,
            discount_minor=line.discount_minor,
            discount_bp=line.discount_bp,
            reason=line.reason,
            note=line.note,
            batch=line.batch,
            expires_on=line.expires_on,
            code=line.code,
            asked=asked,
        )
        lower = line.amount_minor is not None and _part_of_list(rung_line, view) < 1
        if line.discount_bp or line.discount_minor or lower:
            needs.append(_discount(rung_line, view, asked))
        lines.append(rung_line)
        deposit_sku = deposits.get(line.sku) if price_type == "agreed" else view.deposit_sku
        if deposit_sku and line.qty > 0:
            deposit = views[deposit_sku]
            if price_type == "agreed":
                deposit = replace(deposit, price_minor=agreed.get(deposit.sku, deposit.price_minor))
            lines.append(_deposit(deposit, line.qty, view, len(lines)))
    return made_up(lines), needs


def _called(view: ProductView, line: RungLine) -> ProductView:
    if not (called := line.called.strip()):
        return view
    if not view.price_typed or view.kind == "voucher":
        raise Invalid("name-stays", "%(name)s can’t be renamed. Use a custom item.", name=view.shown, sku=line.sku)
    return replace(view, name=called, shown=called, names=None)


def _price_of(line: RungLine, view: ProductView, agreed: Mapping[str, int]) -> tuple[str, int]:
    if line.qty < 0:
        return "empties", view.price_minor
    if view.price_typed:
        if line.price_minor is None and line.amount_minor is None:
            raise Invalid("price-wanted", "Enter the price of %(name)s.", sku=line.sku, name=view.shown)
        return "typed", line.price_minor or 0
    if line.sku in agreed:
        return "agreed", agreed[line.sku]
    if line.price_minor is not None and line.price_minor != view.price_minor:
        return "override", line.price_minor
    if line.amount_minor is not None:
        return "label", view.price_minor
    return "list", view.price_minor


def _another_price(view: ProductView, qty: int, price_minor: int, asked: int) -> Need:
    covers: dict[str, Any] = {"sku": view.sku, "qty": qty}
    if price_minor > view.price_minor:
        covers["raised_to_minor"] = price_minor
    else:
        covers |= {"price_minor": price_minor, "list_price_minor": view.price_minor}
    about = _about(view) | {"list_price_minor": view.price_minor}
    return Need("price.override", asked, covers, about)


def _discount(line: BasketLine, view: ProductView, asked: int) -> Need:
    """Return the need of all that is taken off a line, by the discount, another price and a label (rule 1)."""
    amount_minor, off_minor = before_savings(line), line.discount_minor
    left = BASIS - Fraction(line.discount_bp)
    if line.discount_bp:
        off_minor = divide_half_up(amount_minor * line.discount_bp, BASIS)
    elif amount_minor > 0:
        left = max(Fraction(0), BASIS - Fraction(off_minor * BASIS, amount_minor))
    part = _part_of_list(line, view)
    if part != 1:
        charged_minor = amount_minor - min(off_minor, amount_minor)
        amount_minor = amount_for(line.qty, view.price_minor, view.price_quantity)
        off_minor = max(0, amount_minor - charged_minor)
        left *= part
    off_bp = max(0, ceil(BASIS - left))
    covers = {"sku": view.sku, "qty": line.qty, "discount_minor": off_minor, "discount_bp": off_bp}
    return Need("discount", asked, covers, _about(view) | {"amount_minor": amount_minor})


def _part_of_list(line: BasketLine, view: ProductView) -> Fraction:
    """Return what a line costs before a discount as a part of what it costs by the list; 1 without a list price."""
    if view.price_typed or not view.price_minor or line.price_type not in ("label", "override"):
        return Fraction(1)
    if line.amount_minor is None:
        return Fraction(line.product.price_minor, view.price_minor)
    if view.stock_unit == "gram":
        return Fraction(1)
    return Fraction(line.amount_minor * view.price_quantity, line.qty * view.price_minor)


def _empties(qty: int) -> Need:
    if qty > MOST_EMPTIES:
        raise Invalid(
            "too-many-empties", "Up to %(most)s empties can be taken back in one sale. Take the rest in another "
                                "sale.",
            most=MOST_EMPTIES, qty=qty,
        )  # fmt: skip
    return Need("empties", covers={"qty": qty})


def _about(view: ProductView) -> dict[str, Any]:
    return {"name": view.name, "stock_unit": view.stock_unit, "price_quantity": view.price_quantity}


def _deposit(view: ProductView, qty: int, main: ProductView, deposit_of: int) -> BasketLine:
    taxed = replace(view, tax_class_id=main.tax_class_id, rate_bp=main.rate_bp, inclusive=main.inclusive)
    return BasketLine(
        sku=view.sku,
        qty=qty,
        product=taxed,
        price_type="deposit",
        list_price_minor=view.price_minor,
        deposit_of=deposit_of,
    )


def _fit(lines: Sequence[BasketLine]) -> list[OfferLine]:
    """Return the lines that offers are given on (rule 2)."""
    return [
        OfferLine(
            n=n,
            sku=line.sku,
            category=line.product.category,
            department=line.product.department,
            brand=line.product.brand,
            qty=line.qty,
            stock_unit=line.product.stock_unit,
            unit_minor=line.product.price_minor,
            price_quantity=line.product.price_quantity,
            amount_minor=before_savings(line),
            batch=line.batch if line.code else None,
            expires_on=line.expires_on if line.code else None,
        )
        for n, line in enumerate(lines, 1)
        if line.price_type == "list" and line.product.kind == "goods" and not (line.discount_bp or line.discount_minor)
    ]


def _unmarked(
    lines: Sequence[BasketLine],
    fit: Sequence[OfferLine],
    live: Sequence[Offer],
    left: Mapping[str, int],
    used: Mapping[str, int],
) -> dict[int, int]:
    """Say at the last line of each markdown how many units were scanned beyond those that were marked."""
    found: dict[int, int] = {}
    for offer in live:
        if offer.id not in left or used.get(offer.id, 0) < left[offer.id]:
            continue
        scanned = [line for line in fit if is_of(offer, line)]
        beyond = sum(line.qty for line in scanned) - left[offer.id]
        asked = lines[scanned[-1].n - 1].asked if scanned else None
        if beyond > 0 and asked is not None:
            found[asked] = beyond
    return found


def _as_read(line: RungLine, found: Scanned, view: ProductView) -> RungLine:
    if found.product.sku != line.sku or line.amount_minor not in (None, found.amount_minor):
        raise _differs(view)
    labelled = found.amount_minor is not None or found.source == "embedded"
    if line.qty != found.qty and (labelled or (view.stock_unit != "each" and found.qty > 1)):
        raise Invalid(
            "label-fixed",
            "The label on %(name)s gives its amount. Remove the line and scan each label.",
            sku=view.sku, name=view.shown, qty=found.qty,
        )  # fmt: skip
    return line._replace(amount_minor=found.amount_minor, batch=found.batch, expires_on=found.expires_on)


def _without_code(line: RungLine, view: ProductView) -> RungLine:
    if line.amount_minor is not None:
        raise _differs(view)
    return line


def _differs(view: ProductView) -> Invalid:
    return Invalid(
        "label-differs",
        "No label for %(name)s says this. Remove the line and scan the label again.",
        sku=view.sku,
        name=view.shown,
    )


def _together(need: Need, before_qty: int) -> Need:
    qty = min(MOST_EMPTIES, int(need.covers["qty"]) + before_qty)
    return replace(need, covers={"qty": qty})

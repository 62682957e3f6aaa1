"""An online order taken at the counter, for a customer without a phone: search, how much, when, who, and paying.

Rules
-----
1. What was chosen, for whom, and the coupons handed over live in this browser's session until the order is taken; the
   page works without script.
2. The customer's slip is printed by itself. Its code is shown on the page that follows, to this browser alone.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue import offers, scan
from pos.customers import customers
from pos.customers.customers import Standing
from pos.lists.amounts import Ware
from pos.lists.matching import Line, match
from pos.payments import slip_numbers
from pos.payments.payments import Tendered
from pos.payments.tenders import offered, tender_of
from pos.pricing.promises import clean_code
from pos.sale.quoting import Quote
from pos.sold import bought_by
from pos.store.store import Store, store_of
from pos.till import shift
from store_app.pages.common import form, shopping_list
from store_app.pages.common.own_till import own_till, till_of
from store_app.pages.storefront.visitors import MOST_COUPONS, index, names_of
from store_app.payments.providers import providers
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import can, requires
from store_app.words.refusals import sentence_of
from store_app.words.words import COUPON_WORDS, tender_choices
from supply.online.checkout import placing
from supply.online.orders import PickupOrder
from supply.online.pickup import counter_orders, slips
from supply.online.pickup.counter_orders import CounterMoney, For, OnlineProduct
from supply.online.storefront import listing

bp = Blueprint("counter_orders", __name__, url_prefix="/counter-order")
FOUND = 12
MOST_STEPS = 99
_FIELDS = {"bad-name": "name", "bad-phone": "phone", "window-full": "window"}


@bp.get("/")
@requires("pickup")
def take(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what can be ordered, what is chosen, and ask for the rest."""
    store_id, at = str(place().store_id), doors().now()
    text, who = (form.tidy(request.args.get(key, ""))[: form.WORDS] for key in ("q", "who"))
    chosen = _chosen()
    with read() as session:
        store = session.get_one(Store, store_id)
        found = counter_orders.products(session, store_id, list(chosen), at=at)
        lines = [_line(found[sku], steps) for sku, steps in chosen.items() if sku in found]
        customer = _customer(session)
        quoted = _quote(session, [(line["product"].sku, line["qty"]) for line in lines], at) if lines else None
        coupons = _coupons(session, quoted) if quoted else []
        comes_on = listing.comes_on(today(), [line["product"].days_for(line["qty"]) for line in lines])
        windows = [one for one in placing.free_windows(session, store, at, comes_on) if one.left]
        hits = counter_orders.search(session, store_id, text, at=at, limit=FOUND) if text else []
        people = customers.search(session, store_id, who) if who and can("tab") else []
        is_open = shift.current(session, store_id, till_of(session, store_id)) is not None
    return page(
        "customers/pickup/take.html",
        text=text,
        hits=[(product, listing.comes_on(today(), [product.order_days])) for product in hits],
        lines=lines,
        saved=_saved(quoted),
        total_minor=quoted.basket.total_minor if quoted else 0,
        saved_minor=quoted.saved_minor if quoted else 0,
        customer=customer,
        who=who,
        people=people,
        is_open=is_open,
        coupons=coupons,
        coupon_words=COUPON_WORDS,
        comes_on=comes_on,
        windows=windows,
        tenders=tender_choices("order"),
        today=today(),
        currency=store.currency,
        field=fault.facts.get("field", _FIELDS.get(fault.code)) if fault else None,
        fault=fault,
    )


@bp.post("/put")
@requires("pickup")
@form.answers_on(take)
def put() -> ResponseReturnValue:
    """Choose one more of a product; by its button, or by scanning it."""
    store_id, at = str(place().store_id), doors().now()
    sku, text = request.form.get("sku", ""), form.text("q")
    with read() as session:
        if not sku and text:
            hits = counter_orders.search(session, store_id, text, at=at, limit=2)
            try:
                sku = scan.read(session, store_id, text, today()).product.sku
            except DomainError:
                sku = hits[0].sku if len(hits) == 1 else ""
        if not sku:
            return redirect(url_for(".take", q=text), 303)
        product = counter_orders.products(session, store_id, [sku], at=at).get(sku)
    if product is None:
        raise NotFound("not-to-be-had", "This is out of stock, and no supplier carries it.")
    chosen = _chosen()
    if sku not in chosen and len(chosen) >= placing.MOST_LINES:
        raise Invalid("full-basket", "One order can have up to forty products. Place this order first.")
    _keep(chosen | {sku: min(MOST_STEPS, chosen.get(sku, 0) + 1)})
    flash(_("%(name)s is in the order.", name=product.name), "good")
    return redirect(url_for(".take"), 303)  # the next thing is a new search


@bp.get("/message")
@requires("pickup")
def message(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a customer's message; one that was sent stays in its field."""
    lines: list[Line] = []
    with read() as session:
        if request.method == "POST" and (fault is None or fault.facts.get("field") != "list"):
            lines = _match(session)
        named = shopping_list.named_by(lines)
        found = counter_orders.products(session, str(place().store_id), named, at=doors().now())
        names = dict(zip(named, names_of(session, named), strict=True))
    return page(
        "customers/pickup/message.html",
        **shopping_list.AROUND,
        text=shopping_list.message(),
        lines=lines,
        found=found,
        names=names,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/message")
@requires("pickup")
@form.answers_on(message)
def find() -> ResponseReturnValue:
    """Answer a customer's message line by line."""
    return message()


@bp.post("/message/order")
@requires("pickup")
@form.answers_on(message)
def put_all() -> ResponseReturnValue:
    """Put what was found and chosen into the order; what cannot be had any more is named."""
    picked = shopping_list.picked()
    with read() as session:
        found = counter_orders.products(session, str(place().store_id), list(picked), at=doors().now())
        gone = names_of(session, [sku for sku in picked if sku not in found])
    chosen = _chosen()
    for sku, product in found.items():
        steps = chosen.get(sku, 0) + max(1, picked[sku] // product.step_qty)
        chosen[sku] = min(MOST_STEPS, steps)
    if len(chosen) > placing.MOST_LINES:
        raise Invalid("full-basket", "One order can have up to forty products. Place this order first.")
    _keep(chosen)
    if found:
        flash(ngettext("%(num)d product added.", "%(num)d products added.", len(found)), "good")
    for name in gone:
        flash(_("%(name)s is out of stock.", name=name), "warn")
    return redirect(url_for(".take"), 303)


@bp.post("/change/<sku>")
@requires("pickup")
@form.answers_on(take)
def change(sku: str) -> ResponseReturnValue:
    """Change how much of a product is wanted; nothing takes it out."""
    steps = form.whole("steps", most=MOST_STEPS)
    chosen = _chosen()
    if steps:
        chosen[form.tidy(sku)] = steps
    else:
        chosen.pop(form.tidy(sku), None)
    _keep(chosen)
    return redirect(url_for(".take", q=request.form.get("q") or None), 303)


@bp.post("/customer")
@requires("tab")
@form.answers_on(take)
def whose() -> ResponseReturnValue:
    """Say which customer it is for, by name, last digits or a row found; an empty one takes the customer off."""
    wanted, who = form.text("customer", most=40), form.text("who")
    with read() as session:
        found = customers.search(session, str(place().store_id), who) if who else []
        if who and len(found) != 1:
            return redirect(url_for(".take", who=who) + "#whose", 303)
        wanted = found[0].id if who else wanted
        if wanted:
            customers.known(session, str(place().store_id), wanted)
    browser["counter_for"] = wanted
    return redirect(url_for(".take") + "#whose", 303)


@bp.post("/coupons")
@requires("pickup")
@form.answers_on(take)
def put_coupon() -> ResponseReturnValue:
    """Take a coupon the customer hands over; what it saves, or why not, is shown with it."""
    code = clean_code(form.text("coupon", most=40, required=_("Enter the code on the coupon.")))
    with read() as session:
        why = offers.usable(session, str(place().store_id), [code], today())[code]
    if why:
        raise Invalid("bad-coupon-here", str(COUPON_WORDS[why]), field="coupon")
    codes = list(dict.fromkeys([*_codes(), code]))
    if len(codes) > MOST_COUPONS:
        raise Invalid("too-many-coupons", "One order can use up to five coupons. Remove one.", field="coupon")
    browser["counter_coupons"] = codes
    return redirect(url_for(".take") + "#coupons", 303)


@bp.post("/coupons/<code>/out")
@requires("pickup")
@form.answers_on(take)
def take_coupon_out(code: str) -> ResponseReturnValue:
    """Give a coupon back to the customer unused."""
    browser["counter_coupons"] = [one for one in _codes() if one != code]
    return redirect(url_for(".take") + "#coupons", 303)


@bp.post("/")
@requires("pickup")
@form.answers_on(take)
def order() -> ResponseReturnValue:
    """Take the order, with the money if it is paid now, and print its slip; the same command again is one order."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    name = form.text("name", most=80, required=_("Enter the name for pickup."))
    tender = form.one_of("pay", ("", *offered("order")), sentence=_("Choose how it is paid."))
    slip = form.text("reference", most=40) if tender_of(tender).slip else ""
    slip_numbers.refuse_unnumbered([Tendered(tender, 1, slip)], providers(doors().settings))
    phone, shown = form.text("phone", most=20), form.whole("shown_total")
    chosen = _chosen()
    with write() as session:
        if not chosen and session.get(PickupOrder, (store_id, command)) is not None:
            return redirect(url_for(".taken", order_id=command), 303)
        if not chosen:
            raise Invalid("empty-basket", "Choose something first.")
        till = own_till(session, store_id)
        found = counter_orders.products(session, store_id, list(chosen), at=at)
        lines = [(sku, steps * (found[sku].step_qty if sku in found else 1)) for sku, steps in chosen.items()]
        whose = For(name, phone, _customer_id(session), tuple(_good_codes(session)))
        window_from = form.instant("window", _("Choose a pickup time."))
        asked = counter_orders.CounterRequest(till.id, whose, lines, window_from, tender, slip, shown)
        done = counter_orders.take(Context(session, g.actor, at), store_id, asked, id=command)
        if done.code is not None:
            address = _address(session.get_one(Store, store_id).slug, str(done.token))
            slips.customer_slip(
                session, till, done.order, done.code, address, command=f"slip-{command}", tender=tender, at=at
            )
            browser["counter_taken"] = [command, done.code]
    for key in ("counter_order", "counter_for", "counter_coupons"):
        browser.pop(key, None)
    return redirect(url_for(".taken", order_id=command), 303)


@bp.get("/<order_id>")
@requires("pickup")
def taken(order_id: str) -> ResponseReturnValue:
    """Show the order just taken: what to take, its code, and when it is collected."""
    store_id = str(place().store_id)
    with read() as session:
        row = session.get(PickupOrder, (store_id, order_id))
        if row is None or row.number >= 0:
            raise NotFound("unknown-order", "Order not found at this store.")
        paid = session.get(CounterMoney, (store_id, order_id))
    kept = browser.get("counter_taken")
    code = str(kept[1]) if isinstance(kept, list) and kept[0] == order_id else ""
    return page(
        "customers/pickup/taken.html",
        order=row,
        code=code,
        paid_words=_(tender_of(paid.tender).says("taken")) if paid else "",
        cash_minor=paid.amount_minor + paid.rounding_minor if paid else 0,
        currency=place().currency,
    )


@bp.post("/<order_id>/give-back")
@requires("take_back")
def give_back(order_id: str) -> ResponseReturnValue:
    """Give back what was paid and is no longer owed."""
    command, store_id = form.command_id(), str(place().store_id)
    tender = form.one_of("tender", offered("order-back"), sentence=_("Choose the refund method."))
    try:
        with write() as session:
            till = own_till(session, store_id)
            counter_orders.give_back(acting(session), store_id, order_id, id=command, till_id=till.id, tender=tender)
    except Refused as fault:
        flash(sentence_of(fault), "bad")
    else:
        flash(_("Refund recorded."), "good")
    return redirect(url_for("pickup.order", order_id=order_id), 303)


# --- inside ---


def _chosen() -> dict[str, int]:
    return {str(sku): int(steps) for sku, steps in browser.get("counter_order", {}).items()}


def _keep(chosen: dict[str, int]) -> None:
    browser["counter_order"] = chosen


def _match(session: Session) -> list[Line]:
    store_id, at = str(place().store_id), doors().now()

    def wares(skus: Sequence[str]) -> dict[str, Ware]:
        here = counter_orders.products(session, store_id, skus, at=at)
        left: dict[str, tuple[int | None, int]] = dict.fromkeys(skus, (0, 1))
        left |= {sku: (None if one.order_days is not None else one.here_qty, one.step_qty) for sku, one in here.items()}
        return shopping_list.wares(session, left)

    customer_id = _customer_id(session)
    earlier = bought_by(session, store_id, customer_id, shopping_list.EARLIER) if customer_id else []
    among = counter_orders.sold_here(session, store_id)
    return match(shopping_list.message(), index(session), among, wares, earlier)


def _line(product: OnlineProduct, steps: int) -> dict[str, Any]:
    wanted = steps * product.step_qty
    return {
        "product": product, "steps": steps, "qty": wanted,
        "comes_on": listing.comes_on(today(), [product.days_for(wanted)]),
        "is_short": wanted > product.here_qty and product.order_days is None,
    }  # fmt: skip


def _codes() -> list[str]:
    return [str(code) for code in browser.get("counter_coupons", [])]


def _good_codes(session: Session) -> list[str]:
    return [code for code, why in offers.usable(session, str(place().store_id), _codes(), today()).items() if not why]


def _customer_id(session: Session) -> str | None:
    """Return the customer it is for; who was forgotten meanwhile is nobody."""
    wanted = str(browser.get("counter_for", ""))
    return wanted if wanted and customers.is_known(session, str(place().store_id), wanted) else None


def _customer(session: Session) -> Standing | None:
    customer_id, store = _customer_id(session), store_of(session, str(place().store_id))
    return customers.standing(session, store, customer_id, at=doors().now()) if customer_id else None


def _quote(session: Session, lines: list[tuple[str, int]], at: dt.datetime) -> Quote:
    customer_id, codes = _customer_id(session), _good_codes(session)
    return counter_orders.quote(session, str(place().store_id), lines, customer_id=customer_id, coupons=codes, at=at)


def _coupons(session: Session, quoted: Quote) -> list[tuple[str, str]]:
    """Return each coupon with why it saves nothing; '' when it does."""
    wrong = offers.usable(session, str(place().store_id), _codes(), today())
    return [(code, why or ("" if code in quoted.coupons_used else "unfit")) for code, why in wrong.items()]


def _saved(quoted: Quote | None) -> dict[str, tuple[int, str]]:
    """Return SKU -> (what offers save on it, the name of one)."""
    lines = quoted.basket.lines if quoted else ()
    return {line.product.sku: (line.discount_minor, line.offer) for line in lines if line.discount_minor}


def _address(slug: str, token: str) -> str:
    """Return what the slip's square holds: the order's page, or the token alone where the store has no address."""
    base = (doors().settings.public_url or doors().settings.network_url).rstrip("/")
    return f"{base}/shop/{slug}/order/{token}" if base else token

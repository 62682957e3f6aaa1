"""The visitor's basket at an online store, and ordering it in one page.

Rules
-----
1. Who collects, when, how it is paid and what to do when something is missing are asked on one page.
2. Where the store wants it, a guest shows once per browser and number that the phone is theirs: the form waits in the
   cookie until the one-time code was typed, and is then sent as it was.
3. The order page's address carries the order's token: whoever has it sees the code, nobody else.
4. What the page showed is what is charged: if the total has changed meanwhile, nothing is ordered and it says so.
"""

from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask import session as visitor
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict

from config.errors import Conflict, DomainError, Invalid
from pos.payments.providers import ONLINE
from pos.pricing.promises import clean_code
from pos.store.store import Store
from store_app.pages.common import form
from store_app.pages.storefront import described, visitors
from store_app.payments import escrow
from store_app.runtime.doors import clock, doors, read, wake_worker_after, write
from store_app.web import strangers
from store_app.web.presenting import language, page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from store_app.words.words import COUPON_WORDS
from supply.online import customer_sessions
from supply.online.checkout import phone_codes, placing
from supply.online.checkout.order_keys import check_person
from supply.online.checkout.placing import OrderRequest, Preferences
from supply.online.storefront import availability, coupons, listing, storefront
from supply.online.storefront.delivery_rules import Address, DeliveryRules, in_reach, read_point

bp = Blueprint("basket", __name__, url_prefix="/shop/<slug>")
KEPT_ORDERS = 5
_FIELDS = {"bad-name": "name", "bad-phone": "phone", "bad-email": "email", "window-full": "window"}
_HOME = ("way", "place", "lat", "lon", "street", "note", "delivery_window")
_ASKED = ("name", "phone", "email", "window", "pay", "if_short", "command_id", "shown_total", *_HOME)
LONGEST_ANSWER = 120


@bp.get("/basket")
@public
def cart(slug: str, sku: str = "", fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the basket and ask who will collect it, when, and how it is paid."""
    given = request.form or ImmutableMultiDict(visitor.get("asked", {}))
    with read() as session:
        here = visitors.store_at(session, slug)
        around = visitors.around(session, here)
        gone = visitors.names_of(session, around["cart"].gone)
        rules = availability.rules_of(session, here.id)
        delivery = DeliveryRules.read(rules.delivery)
        times = placing.delivery_windows(session, here, clock.now(), around["cart"].comes_on)
        windows = [one for one in placing.free_windows(session, here, clock.now(), around["cart"].comes_on) if one.left]
    if gone:
        visitors.keep(here.id, {line.sku: line.qty for line in around["cart"].lines})
    return page(
        "storefront/cart.html",
        **around,
        describe=lambda: described.of_basket(here),
        gone=gone,
        changed_sku=sku,
        coupon_words=COUPON_WORDS,
        rules=rules,
        windows=windows,
        delivery=delivery,
        fee_minor=delivery.fee_for(around["cart"].total_minor)[1],
        places=in_reach(delivery),
        delivery_windows=[one for one in times if one.left],
        pays_online=rules.pay_online and escrow.provider_for(doors()) is not None,
        # an id that was used for another order would be refused for ever
        order_id=None if isinstance(fault, Conflict) else given.get("command_id"),
        fault=sentence_of(fault) if fault else None,
        field=fault.facts.get("field", _FIELDS.get(fault.code)) if fault else None,
        given=given,
    )


@bp.post("/basket/<sku>")
@public
@form.answers_on(cart)
def change(slug: str, sku: str) -> ResponseReturnValue:
    """Change how much of a product is in the basket; nothing takes it out."""
    steps = form.whole("steps", least=0, most=storefront.LINE_STEPS)
    sku = form.tidy(sku)
    with read() as session:
        here = visitors.store_at(session, slug)
        kept = visitors.kept(here.id)
        if steps == 0:
            kept.pop(sku, None)
        else:
            product = listing.product(session, here.id, sku, at=clock.now())
            kept[sku] = visitors.bounded(product, steps * product.step_qty)
    if len(kept) > visitors.MOST_LINES:
        raise Invalid("full-basket", "One order can have up to forty products. Place this order first.")
    visitors.keep(here.id, kept)
    return redirect(url_for(".cart", slug=slug), 303)


@bp.post("/coupons")
@public
@form.answers_on(cart)
def add_coupon(slug: str) -> ResponseReturnValue:
    """Put a coupon into the basket; what it saves, or why not, is shown there."""
    code = clean_code(form.text("coupon", most=40, required=_("Enter the code on the coupon.")))
    with read() as session:
        here = visitors.store_at(session, slug)
        why = coupons.usable(session, here.id, [code], visitors.day_here(here))[code]
    if why:
        raise Invalid("bad-coupon-here", str(COUPON_WORDS[why]), field="coupon")
    typed = visitors.kept_codes(here.id)
    if code not in typed and len(typed) >= visitors.MOST_COUPONS:
        raise Invalid("too-many-coupons", "One order can use up to five coupons. Remove one.", field="coupon")
    visitors.keep_codes(here.id, list(dict.fromkeys([*typed, code])))
    return redirect(url_for(".cart", slug=slug) + "#coupons", 303)


@bp.post("/coupons/<code>/out")
@public
@form.answers_on(cart)
def take_coupon_out(slug: str, code: str) -> ResponseReturnValue:
    """Take a coupon out of the basket."""
    with read() as session:
        here = visitors.store_at(session, slug)
    visitors.keep_codes(here.id, [one for one in visitors.kept_codes(here.id) if one != code])
    return redirect(url_for(".cart", slug=slug) + "#coupons", 303)


@bp.post("/order")
@public
@form.answers_on(cart)
def place(slug: str) -> ResponseReturnValue:
    """Order the basket for collection, or first ask for the code sent to the phone (rule 2)."""
    command = form.command_id()
    name = form.text("name", most=80, required=_("Please enter your name."))
    phone = form.text("phone", most=20, required=_("Please enter a phone number."))
    preferences = _preferences()
    with read() as session:
        here = visitors.store_at(session, slug)
        name, phone = check_person(name, phone, here.tz)
        wanted = availability.rules_of(session, here.id).confirm_phone and f"{here.id} {command}" not in _placed()
        lines = visitors.kept(here.id)
        is_proved = customer_sessions.has_proved(session, strangers.mark(), phone, at=clock.now())
    if wanted and lines and not is_proved:
        with write() as session:
            send_code(session, here, phone)
        visitor["asked"] = {key: request.form.get(key, "")[:LONGEST_ANSWER] for key in _ASKED} | {"phone": phone}
        return redirect(url_for(".code", slug=slug), 303)
    return _order(here, command, name, phone, preferences, request.form.get("pay"), request.form.get("shown_total"))


@bp.get("/code")
@public
def code(slug: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for the code that was sent to the phone."""
    asked = visitor.get("asked")
    if not asked:
        return redirect(url_for(".cart", slug=slug), 303)
    with read() as session:
        here = visitors.store_at(session, slug)
        around = visitors.around(session, here)
        shown = practised(session, str(asked["phone"]))
    return page(
        "storefront/code.html",
        **around,
        phone=asked["phone"],
        practised=shown,
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/code")
@public
@form.answers_on(code)
def prove(slug: str) -> ResponseReturnValue:
    """Take the code, and send the order that waited for it; a wrong code is counted."""
    asked = visitor.get("asked")
    if not asked:
        return redirect(url_for(".cart", slug=slug), 303)
    typed = form.text("code", most=20, required=_("Enter the code we sent to your phone."))
    with write() as session:
        here = visitors.store_at(session, slug)
        fits = proved(session, here, str(asked["phone"]), typed)
    if not fits:
        raise Invalid("wrong-code", "That code is wrong or expired. Check it, or ask for another.")
    request.form = ImmutableMultiDict(asked)  # the form that waited, as it was sent
    return place(slug=slug)


@bp.post("/code/again")
@public
@form.answers_on(code)
def send_again(slug: str) -> ResponseReturnValue:
    """Send another code."""
    asked = visitor.get("asked")
    if asked:
        with write() as session:
            here = visitors.store_at(session, slug)
            if not send_code(session, here, str(asked["phone"])):
                flash(_("Another code is on its way."), "good")
    return redirect(url_for(".code", slug=slug), 303)


# --- what the account's page asks too ---


def send_code(session: Session, here: Store, phone: str, purpose: str = "order") -> bool:
    """Send a code to a number (E.164); returns whether the store's limit of the day is reached, and says so then."""
    asker, at = strangers.asker(), clock.now()
    is_full = phone_codes.send(session, here.id, phone, purpose, asker=asker, language=language(), at=at)
    wake_worker_after(session)
    if is_full:
        reported = _("We have sent many codes today, so only numbers with earlier orders can get one. Otherwise, "
                     "please call the store.")  # fmt: skip
        flash(reported, "warn")
    return is_full


def proved(session: Session, here: Store, phone: str, typed: str, purpose: str = "order") -> bool:
    """Tell whether a typed code proves a number (E.164), and let this browser keep it then (rule 2)."""
    asker, secret, at = strangers.asker(), str(current_app.config["SECRET_KEY"]), clock.now()
    fits = phone_codes.prove(session, here.id, phone, typed, purpose, asker=asker, secret=secret, at=at)
    if fits:
        customer_sessions.begin(session, asker.browser, phone, purpose, at=at)
    return fits


def practised(session: Session, phone: str) -> str:
    """Return the code last sent to a phone, in practice alone, where no message leaves the machine."""
    row = phone_codes.last_sent(session, phone, strangers.mark()) if doors().settings.practice else None
    return phone_codes.code_of(str(current_app.config["SECRET_KEY"]), row.id, row.digits) if row else ""


# --- inside ---


def _order(
    here: Store, command: str, name: str, phone: str, preferences: Preferences, pay: str | None, shown: str | None
) -> ResponseReturnValue:
    strangers.mark()  # so that what this browser ordered can be signed out of
    (order_id, token), placed = visitors.keys_of("order", here.id, command), f"{here.id} {command}"
    provider = escrow.provider_for(doors()) if pay == "online" else None
    with write() as session:
        if placed not in _placed():
            lines = sorted(visitors.kept(here.id).items())
            if not lines:
                raise Invalid("empty-basket", "Add something to your basket first.")
            typed = coupons.usable(session, here.id, visitors.kept_codes(here.id), visitors.day_here(here))
            codes = tuple(code for code, why in typed.items() if not why)
            preferences = replace(preferences, coupons=codes, member=visitors.is_member(session, here))
            shown_minor = int(shown) if shown and shown.isdecimal() and len(shown) < 13 else None
            pay_with = provider.name if provider else ""
            asked = OrderRequest(order_id, name, phone, lines, token, preferences, shown_minor, pay_with)
            placing.place(session, here.id, asked, at=clock.now())
        wake_worker_after(session)
    if provider is not None and ONLINE in provider.ways:
        escrow.ask(doors(), order_id)  # so that the first look has the way to the service's page
    if placed not in _placed():
        visitor["placed"] = [*_placed(), placed][-KEPT_ORDERS:]
        visitors.keep(here.id, {})
        visitors.keep_codes(here.id, [])
    visitor.pop("asked", None)
    return redirect(url_for("storefront_orders.order", slug=here.slug, token=token), 303)


def _preferences() -> Preferences:
    home = _address()
    email = form.text("email", most=200)
    start = form.instant("delivery_window" if home else "window", _("Choose a pickup time."))
    return Preferences(start, request.form.get("if_short") or "less", email, language(), home)


def _address() -> Address | None:
    """Return where the order is to be brought, None where it is collected."""
    if request.form.get("way") != "deliver":
        return None
    point = read_point(form.text("lat", most=20), form.text("lon", most=20)) or (None, None)
    place = form.text("place", most=60)
    lat, lon = (None, None) if place else point
    return Address(place, form.text("street", most=80), form.text("note", most=80), lat, lon)


def _placed() -> list[str]:
    """Return the orders this browser has placed lately: a late second click leads to the first one's page."""
    return list(visitor.get("placed", []))

"""A customer's own orders at an online shop: shown to whoever proves by a one-time code that the phone is theirs.

Rules
-----
1. There is no password and no list of members: the account is the phone number, proved by the code sent to it, for
   `visitors.PROVED_FOR` in this browser. Leaving forgets it. A member's number has the prices for members.
2. Shown is what was ordered with this number here and is not forgotten yet; an order placed in a browser opens its own
   page, with the code to collect it. Beside it the points the number has at the shops that share them; their owner may
   end that membership here.
3. Whether a number ever ordered here is told to nobody but its owner: a code is sent to any number alike.
"""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask import session as visitor
from flask_babel import gettext as _

from config.errors import Invalid, ShopError
from store_app.extensions import clock, doors, read, wake_worker_after, write
from store_app.order_tokens import token_for
from store_app.pages import basket, form, visitors
from store_app.presenting import language, page
from store_app.security import public
from store_app.sentences import sentence_of
from supply import order_keys, phone_codes, points_book, points_pool
from supply.pickup_order import PickupOrder, of_phone

bp = Blueprint("shop_account", __name__, url_prefix="/shop/<slug>/mine")
SHOWN = 20


@bp.get("")
@public
def mine(slug: str, fault: ShopError | None = None) -> Any:
    """Show the visitor's orders, or ask for the phone."""
    phone = visitors.signed_in()
    with read() as session:
        here = visitors.shop_at(session, slug)
        around = visitors.around(session, here)
        member = visitors.is_member(session, here)
        points = points_pool.standing(session, visitors.points_key(here, phone), clock.now().date()) if phone else None
        rows = of_phone(session, here.id, phone, SHOWN) if phone else []
        practised = basket.practised(session, _asked()) if _asked() and doors().settings.practice else ""
    secret = str(current_app.config["SECRET_KEY"])
    return page(
        "storefront/mine.html",
        **around,
        phone=phone,
        member=member,
        points=points.points if points else None,
        points_name=points.name if points else "",
        points_worth_minor=points.worth_minor if points else 0,
        asked=_asked(),
        practised=practised,
        orders=[(row, _address(row, slug, secret)) for row in rows],
        typed=request.form.get("phone", ""),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("")
@public
@form.answers_on(mine)
def ask(slug: str) -> Any:
    """Send a code to the number typed (rule 3)."""
    phone = form.text("phone", most=20, required=_("Type your phone number."))
    _name, phone = order_keys.check_person("x", phone)
    with write() as session:
        here = visitors.shop_at(session, slug)
        if not phone_codes.was_just_sent(session, phone, "mine", at=clock.now()):  # a double click is one code
            phone_codes.send(session, here.id, phone, "mine", language=language(), at=clock.now())
        wake_worker_after(session)
    visitor["asked_mine"] = phone
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/code")
@public
@form.answers_on(mine)
def prove(slug: str) -> Any:
    """Take the code; a wrong one is counted."""
    phone, typed = _asked(), form.text("code", most=12, required=_("Type the eight digits we sent to your phone."))
    if not phone:
        return redirect(url_for(".mine", slug=slug), 303)
    with write() as session:
        here = visitors.shop_at(session, slug)
        fits = phone_codes.prove(session, here.id, phone, typed, "mine", at=clock.now())
    if not fits:
        raise Invalid(
            "wrong-code", _("This is not the code we sent, or it is too old. Look again, or ask for another.")
        )
    basket.keep_proof(phone)
    visitor["me"] = [phone, clock.now().isoformat()]
    visitor.pop("asked_mine", None)
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/points/leave")
@public
def leave_points(slug: str) -> Any:
    """End the membership of the number proved in this browser, at every shop (rule 2)."""
    form.command_id()
    phone = visitors.signed_in()
    with write() as session:
        here = visitors.shop_at(session, slug)
        if phone:
            points_book.leave(session, visitors.points_key(here, phone), at=clock.now())
            wake_worker_after(session)
    flash(_("Your membership is ended. The shops are told."), "good")
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/leave")
@public
def leave(slug: str) -> Any:
    """Forget the number in this browser (rule 1)."""
    for key in ("me", "asked_mine", "proved"):
        visitor.pop(key, None)
    flash(_("This browser knows your number no more."), "good")
    return redirect(url_for(".mine", slug=slug), 303)


# --- inside ---


def _asked() -> str:
    return str(visitor.get("asked_mine", ""))


def _address(row: PickupOrder, slug: str, secret: str) -> str:
    """Return the order's own page; '' where it was not placed in a browser (rule 2)."""
    token = token_for(secret, row.store_id, row.id)
    is_its = order_keys.token_hash(token) == row.token_hash
    return url_for("shop_orders.order", slug=slug, token=token) if is_its else ""

"""A customer's own orders at an online store: shown to whoever proves by a one-time code that the phone is theirs.

Rules
-----
1. There is no password and no list of members: the account is the phone number, proved by the code sent to it, for
   `customer_sessions.KEPT` in this browser. Signing out ends that here or everywhere, at the node. A member's number
   has the prices for members.
2. Shown is what was ordered with this number here and is not forgotten yet; an order placed in a browser opens its own
   page, with the code to collect it. Beside it the points the number has at the stores that share them; their owner may
   let another store use them, or end that membership, here.
3. Whether a number ever ordered here is told to nobody but its owner: a code is sent to any number alike.
"""

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask import session as visitor
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from pos.store.store import Store, store_of
from store_app.pages.common import form
from store_app.pages.storefront import cart, visitors
from store_app.payments.order_tokens import token_for
from store_app.runtime.doors import clock, read, wake_worker_after, write
from store_app.web.presenting import page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from supply.money import points, points_pool
from supply.online import customer_sessions
from supply.online.checkout import order_keys
from supply.online.orders import PickupOrder, of_phone

bp = Blueprint("storefront_account", __name__, url_prefix="/shop/<slug>/mine")
SHOWN = 20


@bp.get("")
@public
def mine(slug: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the visitor's orders, or ask for the phone."""
    with read() as session:
        here = visitors.store_at(session, slug)
        phone = visitors.signed_in(session)
        around = visitors.around(session, here)
        member = visitors.is_member(session, here)
        points = points_pool.standing(session, visitors.points_key(here, phone), clock.now().date()) if phone else None
        asking = _asking(session, here, phone) if phone else []
        rows = of_phone(session, here.id, phone, SHOWN) if phone else []
        practised = cart.practised(session, _asked()) if _asked() else ""
    secret = str(current_app.config["SECRET_KEY"])
    return page(
        "storefront/mine.html",
        **around,
        phone=phone,
        asking=asking,
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
def ask(slug: str) -> ResponseReturnValue:
    """Send a code to the number typed (rule 3)."""
    phone = form.text("phone", most=20, required=_("Enter your phone number."))
    with write() as session:
        here = visitors.store_at(session, slug)
        _name, phone = order_keys.check_person("x", phone, here.tz)
        cart.send_code(session, here, phone, "mine")
    visitor["asked_mine"] = phone
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/code")
@public
@form.answers_on(mine)
def prove(slug: str) -> ResponseReturnValue:
    """Take the code; a wrong one is counted."""
    phone, typed = _asked(), form.text("code", most=20, required=_("Enter the code we sent to your phone."))
    if not phone:
        return redirect(url_for(".mine", slug=slug), 303)
    with write() as session:
        here = visitors.store_at(session, slug)
        fits = cart.proved(session, here, phone, typed, "mine")
    if not fits:
        raise Invalid("wrong-code", "That code is wrong or expired. Check it, or ask for another.")
    visitor.pop("asked_mine", None)
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/points/agree")
@public
def agree_to_points(slug: str) -> ResponseReturnValue:
    """Let a store use the points of the number proved in this browser (rule 2)."""
    form.command_id()
    wanted = request.form.get("store_id", ""), request.form.get("customer_id", "")
    with write() as session:
        here, phone = visitors.store_at(session, slug), visitors.signed_in(session)
        if phone and wanted in [(one["store_id"], one["customer_id"]) for one in _asking(session, here, phone)]:
            points.consent(session, *wanted, visitors.points_key(here, phone), at=clock.now())
            wake_worker_after(session)
            flash(_("Agreed. The store has been notified."), "good")
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/points/leave")
@public
def leave_points(slug: str) -> ResponseReturnValue:
    """End the membership of the number proved in this browser, at every store (rule 2)."""
    form.command_id()
    with write() as session:
        here = visitors.store_at(session, slug)
        phone = visitors.signed_in(session)
        if phone:
            points.leave(session, visitors.points_key(here, phone), at=clock.now())
            wake_worker_after(session)
    flash(_("Your membership has ended. The stores have been notified."), "good")
    return redirect(url_for(".mine", slug=slug), 303)


@bp.post("/leave")
@public
def leave(slug: str) -> ResponseReturnValue:
    """Sign out in this browser, or in every browser that proved the number (rule 1)."""
    everywhere = request.form.get("everywhere") == "yes"
    with write() as session:
        was_in = visitors.signed_in(session)
        if mark := visitor.get("mark"):
            customer_sessions.end(session, mark, everywhere=everywhere, at=clock.now())
    for key in ("mark", "asked_mine", "asked", "placed", "csrf_token"):
        visitor.pop(key, None)
    flash(_("You are signed out everywhere.") if everywhere else _("You are signed out."), "good")
    answer = redirect(url_for(".mine", slug=slug), 303)
    if was_in:  # what the browser kept of this person's orders; a guest's last order stays
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


# --- inside ---


def _asked() -> str:
    return str(visitor.get("asked_mine", ""))


def _asking(session: Session, here: Store, phone: str) -> list[dict[str, str]]:
    """Return the stores that ask to use the shared points of a proved number."""
    rows = points.asking(session, visitors.points_key(here, phone))
    return [
        {"store_id": row.store_id, "customer_id": row.customer_id, "name": store_of(session, row.store_id).name}
        for row in rows
    ]


def _address(row: PickupOrder, slug: str, secret: str) -> str:
    """Return the order's own page; '' where it was not placed in a browser (rule 2)."""
    token = token_for(secret, row.store_id, row.id)
    is_its = order_keys.token_hash(token) == row.token_hash
    return url_for("storefront_orders.order", slug=slug, token=token) if is_its else ""

"""A group buy as neighbours see it: the price that falls, what is missing, joining, one's own share; and its leader."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, Invalid, NotFound
from config.nodes.journal import Context
from pos.payments.providers import ONLINE
from pos.store.store import Store
from store_app.pages.common import form
from store_app.pages.storefront import visitors
from store_app.payments import escrow as escrow_payments
from store_app.runtime.doors import clock, doors, read, wake_worker_after, write
from store_app.web import strangers
from store_app.web.presenting import language, page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from supply.money import escrow
from supply.online.checkout import placing
from supply.online.checkout.order_keys import check_person, code_hash, code_of, salt_for, token_hash
from supply.online.groups import groups, leaders
from supply.online.groups.groups import GroupMember, GroupOffer
from supply.online.orders import PickupOrder

bp = Blueprint("storefront_groups", __name__, url_prefix="/shop/<slug>")


@bp.get("/group/<group_id>")
@public
def group(slug: str, group_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a group: its steps, how far it is, and a form to join."""
    with read() as session:
        here = visitors.store_at(session, slug)
        around = visitors.around(session, here)
        found = groups.status(session, _group_here(session, here, group_id), clock.now())
        each = groups.prices_each(session, found, clock.now())
    return page(
        "storefront/group.html",
        **around,
        group=found.group,
        progress=found,
        each=each.__getitem__,
        pays_online=escrow_payments.provider_for(doors()) is not None,
        qr=visitors.square(url_for(".group", slug=slug, group_id=group_id, _external=True)),
        member_id=None if isinstance(fault, Conflict) else request.form.get("command_id"),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/group/<group_id>")
@public
@form.answers_on(group)
def join(slug: str, group_id: str) -> ResponseReturnValue:
    """Join the group and go on to pay."""
    command = form.command_id()
    name = form.text("name", most=80, required=_("Please enter your name."))
    phone = form.text("phone", most=20, required=_("Please enter a phone number."))
    want = form.whole("want", least=1, most=groups.MOST_UNITS)
    upto = form.whole("upto", most=groups.MOST_UNITS) if request.form.get("upto") else want
    provider = escrow_payments.provider_for(doors())
    if provider is None:
        raise Invalid("no-online-payment", "Groups are paid online, and online payment is not available here yet.")
    with write() as session:
        here = visitors.store_at(session, slug)
        name, phone = check_person(name, phone, here.tz)
        _group_here(session, here, group_id)
        strangers.mark()
        member_id, token = visitors.keys_of("member", here.id, command)
        member = GroupMember(
            id=member_id, name=name, phone=phone, email="", language=language(), token_hash=token_hash(token),
            code_hash=code_hash(salt_for(here.id, clock.now()), code_of(member_id, token)), want_qty=want,
            maximum_qty=max(want, upto),
        )  # fmt: skip
        groups.join(Context(session, placing.CUSTOMER, clock.now()), group_id, member, provider=provider.name)
        wake_worker_after(session)
    if ONLINE in provider.ways:
        escrow_payments.ask(doors(), member_id)  # so that the first look has the way to the service's page
    return redirect(url_for(".member", slug=slug, token=token), 303)


@bp.get("/member/<token>")
@public
def member(slug: str, token: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one's own share: paying, the group's progress, and later the order to collect."""
    with read() as session:
        here = visitors.store_at(session, slug)
        mine = groups.member_by_token(session, token_hash(token))
        found = groups.status(session, session.get_one(GroupOffer, mine.group_id), clock.now())
        each = groups.prices_each(session, found, clock.now())
        money = escrow.escrow_of(session, mine.id)
        going_minor = escrow.total_of(session, [mine.id], "due") if money else 0
        gone_minor = escrow.gone_back(session, mine.id) if money else 0
        has_order = session.get(PickupOrder, (here.id, mine.id)) is not None
    if has_order:
        return redirect(url_for("storefront_orders.order", slug=slug, token=token), 303)
    is_unpaid = money is not None and money.state == "awaited" and mine.left_at is None
    return page(
        "storefront/member.html",
        "member_card",
        store=here,
        cart=visitors.Cart(),
        member=mine,
        token=token,
        group=found.group,
        progress=found,
        each=each.__getitem__,
        is_in=mine.left_at is None and not (money and money.state == "lapsed") and found.group.state != "failed",
        going_minor=going_minor,
        gone_minor=gone_minor,
        money=money,
        is_unpaid=is_unpaid,
        **visitors.paying(money if is_unpaid else None),
        share=url_for(".group", slug=slug, group_id=found.group.id, _external=True),
        may_leave=found.group.state == "open" and mine.left_at is None and money and money.state in ("held", "awaited"),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/member/<token>/pay")
@public
@form.answers_on(member)
def pay(slug: str, token: str) -> ResponseReturnValue:
    """Ask the payment service now how far the payment is."""
    return paid(slug, token)


@bp.get("/member/<token>/paid")
@public
def paid(slug: str, token: str) -> ResponseReturnValue:
    """Ask the payment service now, for its page sent the customer back here; that they came says nothing."""
    with read() as session:
        visitors.store_at(session, slug)
        mine = groups.member_by_token(session, token_hash(token))
    escrow_payments.ask(doors(), mine.id)
    return redirect(url_for(".member", slug=slug, token=token), 303)


@bp.post("/member/<token>/leave")
@public
@form.answers_on(member)
def leave(slug: str, token: str) -> ResponseReturnValue:
    """Leave the group; the money goes back."""
    with write() as session:
        visitors.store_at(session, slug)
        mine = groups.member_by_token(session, token_hash(token))
        groups.leave(Context(session, placing.CUSTOMER, clock.now()), mine.id)
        wake_worker_after(session)
    return redirect(url_for(".member", slug=slug, token=token), 303)


@bp.get("/leader/<token>")
@public
def leader(slug: str, token: str) -> ResponseReturnValue:
    """Show a group's leader how it stands and what it earned."""
    with read() as session:
        here = visitors.store_at(session, slug)
        led = leaders.by_token(session, here.id, token)
        found = groups.status(session, led, clock.now())
        earned = leaders.status_of(session, led)
    return page(
        "storefront/leader.html",
        "leader_card",
        store=here,
        cart=visitors.Cart(),
        group=led,
        progress=found,
        earned=earned,
        share=url_for(".group", slug=slug, group_id=led.id, _external=True),
    )


# --- inside ---


def _group_here(session: Session, here: Store, group_id: str) -> GroupOffer:
    """Return a group of this very store."""
    found = groups.locked(session, group_id)
    if found.store_id != here.id:
        raise NotFound("unknown-group", "Group buy not found. Check the link.", group=group_id)
    return found

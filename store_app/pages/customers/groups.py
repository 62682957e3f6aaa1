"""Group buys of the store: open one, see how it fills, say what the vehicle brought and where the leader's part
goes."""

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue.catalogue import Listing, Product
from pos.producers import agents
from pos.producers import producers as produce
from pos.store.store import Store
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.money import pain001
from supply.online.checkout.order_keys import new_token
from supply.online.groups import leaders as group_leaders
from supply.online.groups.groups import MOST_COMMISSION_BP, GroupOffer, GroupTerms
from supply.orders import suppliers, supply_routes
from supply.orders.delivery_calendar import next_cycle
from supply.orders.suppliers import SupplierProduct
from supply.sync import groups

bp = Blueprint("groups", __name__, url_prefix="/groups")
STEPS = 3
SHOWN = 30
OPEN_DAYS, TO_COLLECT = 3, dt.timedelta(days=2)
"""How long a new group is open, and how long after the vehicle its shares can be collected, where nothing is said."""


@bp.get("/")
@requires("offers")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the store's groups, what needs doing first, and a form to open one."""
    store_id, settings = str(place().store_id), doors().settings
    with read() as session:
        store = session.get_one(Store, store_id)
        rows = session.scalars(
            sa.select(GroupOffer)
            .where(GroupOffer.store_id == store_id)
            .order_by(GroupOffer.closes_at.desc())
            .limit(SHOWN)
        ).all()
        products = session.scalars(
            sa.select(Product.shown)
            .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id, Listing.active))
            .where(Product.active, Product.kind == "goods", Product.stock_unit == "each")
            .order_by(Product.name)
            .limit(500)
        ).all()
        producers = produce.producers_of(session, store_id, {row.sku for row in rows})
        leaders = {row.id: group_leaders.status_of(session, row) for row in rows if row.leader and row.commission_bp}
    order = {"ordered": 0, "open": 1, "filling": 1, "arrived": 2}
    base = (settings.public_url or settings.network_url).rstrip("/")
    return page(
        "customers/groups.html",
        groups=sorted(rows, key=lambda row: (order.get(row.state, 3), row.closes_at)),
        address=lambda row: f"{base}/shop/{store.slug}/group/{row.id}" if base else "",
        currency=store.currency,
        today=doors().now().astimezone(ZoneInfo(store.tz)).date(),
        steps=STEPS,
        closes_day=doors().now().astimezone(ZoneInfo(store.tz)).date() + dt.timedelta(days=OPEN_DAYS),
        products=products,
        producers=producers,
        leaders=leaders,
        leader_address=lambda row: f"{base}/shop/{store.slug}/leader/{row.leader_token}" if base else "",
        fault=fault,
    )


@bp.post("/")
@requires("offers")
@form.answers_on(listed)
def open_group() -> ResponseReturnValue:
    """Open a group."""
    command, store_id = form.command_id(), str(place().store_id)
    leader, commission = form.text("leader", most=80), request.form.get("commission", "").strip()
    if bool(leader) != (commission not in ("", "0")):
        raise Invalid("no-leader", "Enter both the leader’s name and a commission, or neither.", field="leader")
    wanted = form.text("sku", most=60, required=_("Choose the product."))
    with write() as session:
        store = session.get_one(Store, store_id)
        product = find_product.named(session, wanted, field="sku")
        closes_at = _closes(store)
        vehicle_day = form.date("vehicle_day") or _next_vehicle(session, store, product.sku, closes_at)
        terms = GroupTerms(
            id=command,
            store_id=store_id,
            owner=store_id,
            sku=product.sku,
            name=form.text("name", most=80) or product.name,
            steps=_steps(store.currency),
            threshold_qty=form.whole("threshold", least=1, most=10_000),
            case_qty=_case(session, product.sku),
            minimum_cases=form.whole("minimum_cases", least=1, most=1000) if request.form.get("minimum_cases") else 1,
            closes_at=closes_at,
            vehicle_day=vehicle_day,
            pickup_until=form.date("pickup_until") or vehicle_day + TO_COLLECT,
            store_takes=form.whole("store_takes", most=1000) if request.form.get("store_takes") else 0,
            commission_bp=100 * form.whole("commission", most=MOST_COMMISSION_BP // 100) if leader else 0,
            leader=leader,
            leader_token=new_token() if leader else "",
        )
        if leader:
            _say_leader(session, store_id, leader)
        groups.open_at_store(acting(session), terms)
    return form.done(_("The group buy is open. Share its link with your neighbors."), ".listed")


@bp.post("/<group_id>/arrived")
@requires("receive")
@form.answers_on(lambda fault, **_place: listed(fault))
def arrived(group_id: str) -> ResponseReturnValue:
    """Say how much of a group's goods the vehicle brought."""
    qty = form.whole("qty", most=100_000)
    with write() as session:
        groups.say_arrived(acting(session), str(place().store_id), group_id, qty)
    return form.done(_("The shares will appear as pickup orders in a moment."), ".listed")


@bp.post("/<group_id>/leader")
@requires("offers")
@form.answers_on(lambda fault, **_place: listed(fault))
def leader_account(group_id: str) -> ResponseReturnValue:
    """Say where a leader's commission is paid out to."""
    form.text("leader_account", most=60, required=_("Enter the account number."))
    with write() as session:
        group = session.get(GroupOffer, group_id)
        if group is None or group.store_id != place().store_id or not group.leader:
            raise NotFound("unknown-group", "Group buy not found. Check the link.")
        _say_leader(session, group.store_id, group.leader)
    return form.done(_("The network now pays %(name)s to this account.", name=group.leader), ".listed")


# --- inside ---


def _say_leader(session: Session, store_id: str, leader: str) -> None:
    """Let the network know a group's leader, and the account where one was typed."""
    account, bic = form.text("leader_account", most=60), form.text("leader_bic", most=20)
    if account:
        account, bic = pain001.tidy_account(account, bic)
    agents.say(acting(session), store_id, leader, account, bic)


def _case(session: Session, sku: str) -> int:
    if request.form.get("case"):
        return form.whole("case", least=1, most=10_000)
    found = session.scalar(sa.select(sa.func.min(SupplierProduct.pack_qty)).where(SupplierProduct.sku == sku))
    return int(found or 1)


def _steps(currency: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (form.whole(f"from-{n}", least=1, most=10_000), form.amount(f"price-{n}", currency))
        for n in range(1, STEPS + 1)
        if request.form.get(f"price-{n}")
    )


def _next_vehicle(session: Session, store: Store, sku: str, closes_at: dt.datetime) -> dt.date:
    """Return the day the product's supplier comes after the group has closed; two days later where nobody sells it."""
    closed = closes_at.astimezone(ZoneInfo(store.tz)).date() + dt.timedelta(days=1)
    for supplier_id, products in supply_routes.sources(session, store.id, closed).items():
        if any(one.sku == sku for one in products):
            return next_cycle(suppliers.supplier_of(session, supplier_id).calendar, closed).delivery_day
    return closed + dt.timedelta(days=1)


def _closes(store: Store) -> dt.datetime:
    minute = form.minute("closes_time")
    clock = dt.time(minute // 60, minute % 60)
    day = form.day("closes_day", _("Choose the day the group buy closes."))
    return dt.datetime.combine(day, clock, ZoneInfo(store.tz)).astimezone(dt.UTC)

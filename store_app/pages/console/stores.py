"""The stores as the network knows them; and one store: how it is, and what of its messages needs a person."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from config.nodes import anchor, journal, signing_keys
from config.nodes.inbox import InboxAlarm, InboxHead, InboxMessage
from config.nodes.node import EPOCH_BEGUN, JOURNAL_CHANGED, KEY_ASKS, KEY_MISUSED, WAIT_THERE, Peer
from config.nodes.publication import listed
from pos.store.store import Region, Store, keys_of, usual_currency, withdraw_key
from store_app.node.doctor import BAD, WARN
from store_app.pages.common import charts, form, lists, money_views
from store_app.pages.console import console, store_lights, store_map
from store_app.pages.orders import closed_days as closed_pages
from store_app.runtime.doors import acting, doors, read, write
from store_app.sync import receiver
from store_app.web.presenting import about_store, day, money, page, percent, since, today, why_words
from store_app.web.security import can, requires
from store_app.words import held, words
from store_app.words import money as money_words
from supply.demand import closed_days, stated_sales
from supply.membership import attention, exposure, overview
from supply.membership.level import LEVELS
from supply.money import credit, ledger
from supply.money.credit import CreditLine
from supply.network.routes.vehicles import MapPoint
from supply.orders import suppliers, supply_routes

bp = Blueprint("console_stores", __name__, url_prefix="/console/stores")
SHOWN = 50


@dataclass(frozen=True)
class Kept:
    """A message that was set aside, and why."""

    words: str
    day: str
    reason: str


@bp.get("/")
@requires("network.stores")
def stores() -> ResponseReturnValue:
    """List the stores with when they were heard and how they trade: what needs somebody first."""
    with read() as session:
        found = overview.stores(session, today())
        currency = usual_currency(session)
        care = exposure.care(session, today())
        places = session.scalars(sa.select(MapPoint)).all()
        now = doors().now()
        behind = {one.id: store_lights.of_age(now - one.behind_since) for one in found if one.behind_since}
        # what needs somebody comes first: two copies, silence, what was set aside, money and conduct, what waits
        found.sort(
            key=lambda one: (
                one.alarm is None, behind.get(one.id, ("",))[0] != BAD, not one.parked, -care[one.id].needs,
                not one.waiting,
            )
        )  # fmt: skip
        states = {one.id: _state(one, care[one.id], behind.get(one.id, ("", ""))) for one in found}
        shown = lists.show(_table(found, care, states), found, currency=currency)
    drawn = _map(found, care, behind, places)
    return shown.file or page(
        "console/stores.html", shown=shown, currency=currency, map=drawn, care=care, states=states
    )


@bp.get("/<store_id>")
@requires("network.stores")
def store(store_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show how a store is: what needs somebody, its sales beside its region's, shelves, money, what is open."""
    with read() as session:
        store = _store(session, store_id)
        about_store(store)
        own = exposure.care(session, today(), store.id)[store.id]
        line = session.get(CreditLine, store.id)
        sales = overview.sales_amount(session, store, today())
        known, young = supply_routes.settled(session), stated_sales.counts(session, store.id)
        return page(
            "console/store.html",
            store=store,
            region=session.get(Region, store.region_id),
            peer=session.get(Peer, store.id),
            needs=_needs(session, store, own, line),
            says_minor=store.usual_sales_minor if young else 0,
            sales_wanted=young and not store.has_node and store.left_on is None,
            sales_typed=form.as_typed(store.usual_sales_minor, store.currency),
            closed=[(*spell, words.days(*spell), 0) for spell in _closed(session, store)],
            first=today(),
            most=today() + dt.timedelta(days=closed_days.MOST_AHEAD),
            fault=fault,
            sales_amount=sales,
            drawing=_drawing(store, sales),
            shelves=overview.shelves(session, store.id, today()),
            lack_days=overview.LACK_DAYS,
            orders=overview.store_orders(session, store.id),
            online_orders=overview.store_online_orders(session, store.id),
            care=own,
            level=None if own.level is None else money_words.LEVELS[own.level],
            gauge=_gauge(session, line),
            sentences=_sentences(session, store_id),
            lights=_lights(session, store),
            keys=[key for key in keys_of(session, store.id) if key.revoked_at is None],
            signing=signing_keys.of(session, store.id),
            parked=_parked(session, store_id),
            alarms=_alarms(session, store_id),
            alarm=_alarm_words(session.get(Peer, store_id)),
            houses=suppliers.warehouses(session),
            house=supply_routes.warehouse_of(session, store.id),
            own_house=known.get(("store", store.id), ""),
        )


@bp.post("/<store_id>/try-again")
@requires("network.stores.change")
def try_again(store_id: str) -> ResponseReturnValue:
    """Try what was set aside of a store again."""
    with read() as session:
        _store(session, store_id)
    taken, left = receiver.try_parked(doors(), [store_id])
    reported = ngettext("%(num)d message accepted.", "%(num)d messages accepted.", taken)
    rest = ngettext("%(num)d still waiting.", "%(num)d still waiting.", left)
    return form.done(f"{reported} {rest}", "console_stores.store", "warn" if left else "info", store_id=store_id)


@bp.post("/<store_id>/looked-into")
@requires("network.stores.change")
def looked_into(store_id: str) -> ResponseReturnValue:
    """Settle a store's alarm and the doubts about its journal, once a person knows what happened."""
    with write() as session:
        store = _store(session, store_id)
        ctx = acting(session)
        anchor.settle(ctx, store.id)
        peer = session.get(Peer, store_id)
        if peer is not None and peer.alarm is not None:
            journal.record(ctx, verb="peer.looked_into", subject=f"store:{store.id}", alarm=peer.alarm)
            peer.alarm = None
    return redirect(url_for("console_stores.store", store_id=store_id), 303)


@bp.post("/<store_id>/keys/<name>/withdraw")
@requires("network.members")
def withdraw(store_id: str, name: str) -> ResponseReturnValue:
    """Make one key of a store useless: its old computer's, say, once another has joined."""
    with write() as session:
        withdraw_key(acting(session), _store(session, store_id).id, name)
    return form.done(_("Key %(name)s revoked.", name=name), "console_stores.store", "info", store_id=store_id)


@bp.post("/<store_id>/signing-keys/<name>/allow")
@requires("network.members")
@form.answers_on(store)
def allow_signing(store_id: str, name: str) -> ResponseReturnValue:
    """Let a signing key that waits sign for its store, once the shopkeeper has read out its fingerprint."""
    return _settle_signing(
        store_id, name, signing_keys.allow, _("The store now signs with the key %(name)s.", name=name)
    )


@bp.post("/<store_id>/signing-keys/<name>/refuse")
@requires("network.members")
@form.answers_on(store)
def refuse_signing(store_id: str, name: str) -> ResponseReturnValue:
    """Refuse a signing key that waits."""
    return _settle_signing(store_id, name, signing_keys.refuse, _("Key %(name)s rejected.", name=name))


@bp.post("/<store_id>/signing-keys/<name>/withdraw")
@requires("network.members")
@form.answers_on(store)
def withdraw_signing(store_id: str, name: str) -> ResponseReturnValue:
    """Withdraw a store's signing key; where it was in other hands, what it signed since then comes home to nobody."""
    since = form.instant("since", _("Enter the date and time, such as 2026-03-02 14:00."))
    reported = _("The key %(name)s is revoked. The store needs a new one, or a joining code.", name=name)
    return _settle_signing(store_id, name, functools.partial(signing_keys.withdraw, since=since), reported)


@bp.post("/<store_id>/closed-days")
@requires("network.stores.change")
@form.answers_on(store)
def close_days(store_id: str) -> ResponseReturnValue:
    """Settle for a store without a node that it stays closed from a day until another."""
    first, last = closed_pages.typed()
    with write() as session:
        closed_days.require_no_node(session, _store(session, store_id).id)
        closed_days.close(acting(session), store_id, first, last)
    flash(
        _("Closed: %(days)s. The store’s orders assume no sales on these days.", days=words.days(first, last)), "good"
    )
    return redirect(url_for("console_stores.store", store_id=store_id), 303)


@bp.post("/<store_id>/usual-sales")
@requires("network.stores.change")
@form.answers_on(store)
def say_sales(store_id: str) -> ResponseReturnValue:
    """Say what a store without a node takes on a usual day; an empty field takes it back."""
    with write() as session:
        store = _store(session, store_id)
        said = request.form.get("sales_amount", "").strip()
        minor = form.amount("sales_amount", store.currency) if said else 0
        stated_sales.state_for(acting(session), store.id, minor)
        reported = _(
            "From tonight’s forecast, its orders assume sales of %(amount)s a day.", amount=money(minor, store.currency)
        )
    flash(reported if minor else _("No figure set; the store is treated as average."), "good")
    return redirect(url_for("console_stores.store", store_id=store_id), 303)


@bp.post("/<store_id>/closed-days/take-back")
@requires("network.stores.change")
@form.answers_on(store)
def reopen_days(store_id: str) -> ResponseReturnValue:
    """Open a store without a node again on days that were settled as closed."""
    first, last = closed_pages.chosen()
    with write() as session:
        closed_days.require_no_node(session, _store(session, store_id).id)
        closed_days.reopen(acting(session), store_id, first, last)
    return form.done(_("Open again: %(days)s.", days=words.days(first, last)), ".store", store_id=store_id)


# --- inside ---


def _table(
    found: Sequence[overview.StoreView], care: dict[str, exposure.Care], states: dict[str, tuple[str, str, Any]]
) -> lists.Table:
    def level(one: overview.StoreView) -> Any:
        reached = care[one.id].level
        return None if reached is None else money_words.LEVELS[reached]

    def named(text: str) -> Callable[[overview.StoreView], bool]:
        return lambda one: text.casefold() in f"{one.name} {one.id} {one.region}".casefold()

    regions = sorted({one.region for one in found})
    tones = {"": _("Every state"), "bad": _("Late or duplicate"), "warn": _("to check"), "good": _("in order")}
    return lists.Table(
        "stores",
        (
            lists.Column("name", _("Store"), look="lead"),
            lists.Column("id", _("Store number"), shown=False, look="said"),
            lists.Column("region", _("Region")),
            lists.Column("heard_at", _("Last sync"), "time", value=lambda one: one.heard_at if one.has_node else None),
            lists.Column("last_day", _("Sales up to"), "date", shown=False, look="said"),
            lists.Column("week_minor", _("Seven days"), "money", look="sum"),
            lists.Column("open_orders", _("Open orders"), "number", look="desk-only"),
            lists.Column("credit", _("Credit"), "money", value=lambda one: care[one.id].limit_minor, look="desk-only"),
            lists.Column(
                "late", _("Overdue"), "money", value=lambda one: care[one.id].late_minor, shown=False, look="said"
            ),
            lists.Column("level", _("Level"), value=level, look="desk-only"),
            lists.Column("counts", _("To count"), "share", value=lambda one: care[one.id].counts_bp, look="desk-only"),
            lists.Column("state", _("State"), value=lambda one: states[one.id][1]),
        ),
        (
            lists.Filter("find", _("Find a store"), "text", named),
            lists.Filter(
                "region",
                _("Region"),
                "choice",
                lambda name: lambda one: one.region == name,
                [("", _("All regions")), *((one, one) for one in regions)],
            ),
            lists.Filter(
                "state",
                _("State"),
                "choice",
                lambda tone: lambda one: states[one.id][0] == tone,
                list(tones.items()),
            ),
        ),
    )


def _state(store: overview.StoreView, own: exposure.Care, behind: tuple[str, Any]) -> tuple[str, str, Any]:
    """Return how a store is: its tone, the word, and what to do where that says more."""
    if store.left_on:
        return "", _("left on %(day)s", day=day(store.left_on)), ""
    if not store.has_node or not store.heard_at:
        return "", _("not connected yet"), ""
    if store.alarm:
        is_key, is_journal = store.alarm in (KEY_ASKS, KEY_MISUSED), store.alarm == JOURNAL_CHANGED
        return "bad", _("check its key") if is_key else _("books changed?") if is_journal else _("duplicate?"), ""
    if behind[0] in (WARN, BAD):
        return behind[0], _("complete through %(when)s", when=since(store.behind_since)), behind[1]
    if store.parked:
        words = ngettext("%(num)d message set aside", "%(num)d messages set aside", store.parked)
        return "warn", words, ""
    if own.needs:
        return "warn", _("to check"), ""
    if store.waiting:
        return "info", ngettext("%(num)d message waiting", "%(num)d messages waiting", store.waiting), ""
    return "good", _("in order"), ""


def _settle_signing(store_id: str, name: str, settle: Callable[..., None], reported: str) -> ResponseReturnValue:
    with write() as session:
        key = signing_keys.named(session, _store(session, store_id).id, name)
        settle(acting(session), key)
        receiver.settle_key(session, store_id)
    return form.done(reported, "console_stores.store", store_id=store_id)


def _needs(session: Session, store: Store, own: exposure.Care, line: CreditLine | None) -> list[dict[str, Any]]:
    """Return what of a store needs somebody as sentences with their links: its money first."""
    reported = []
    account = url_for("console_money.store_account", store_id=store.id) if can("network.money") else None
    if own.late_minor:
        words = _("It has %(amount)s overdue.", amount=money(own.late_minor))
        reported.append({"level": "bad", "words": words, "href": account})
    if own.held and line is not None:
        reported.append({"level": "warn", "words": money_words.held_sentence(line.held_why), "href": account})
    if own.is_stale and own.counts_bp is not None:
        words = _(
            "%(share)s of its range counted; the first level needs %(wanted)s.",
            share=percent(own.counts_bp, 1), wanted=percent(LEVELS[0]["counts"]),
        )  # fmt: skip
        reported.append({"level": "warn", "words": words, "href": None})
    found = attention.of_store(session, store.id, at=doors().now())
    here = url_for("console_stores.store", store_id=store.id)
    for one in console.sentences(found, {store.id: store.name}):
        leads_on = one["href"] not in (here, url_for("console_stores.stores"))
        reported.append(one | {"href": one["href"] if leads_on else None})
    return reported


def _drawing(store: Store, sales: overview.Sales) -> dict[str, Any]:
    """Return the chart of a store's days beside those of an average store of its region."""
    own = charts.amounts(store.name, (one.own_minor for one in sales.days))
    usual = charts.amounts(_("Average store"), (one.usual_minor for one in sales.days))
    return charts.drawing(_("Day"), [day(one.day) for one in sales.days], own, usual)


def _closed(session: Session, store: Store) -> list[tuple[dt.date, dt.date]]:
    """Return the days on which a store stays closed, as stretches."""
    return closed_days.spells(closed_days.since(session, store.id, today()))


def _lights(session: Session, store: Store) -> list[store_lights.Light]:
    peer = session.get(Peer, store.id)
    if peer is None or not store.has_node:
        return []
    newest = listed(session, ["catalogue"], receiver.scopes_of(session, store.id))
    return store_lights.of_store(peer, newest[0].made_at if newest else None, doors().now())


def _gauge(session: Session, line: CreditLine | None) -> money_views.GaugeView | None:
    if line is None:
        return None
    pending, left = credit.pending(session, line.store_id), credit.available(session, line.store_id)
    used = ledger.balances(session, line.store_id)["credit"]
    return money_views.gauge(line.limit_minor, used, pending, left)


def _alarm_words(peer: Peer | None) -> str:
    if peer is None or peer.alarm is None or peer.alarm.endswith(WAIT_THERE):
        return ""  # what waits at the store is seen and settled there
    if peer.alarm == EPOCH_BEGUN:
        return _("This store’s database was restored from a backup, or its computer was set up again.")
    if peer.alarm == JOURNAL_CHANGED:
        return _(
            "The store’s journal differs from the last sync, and its database was not restored from a backup. "
            "Someone may have changed it. Call the shopkeeper and run Verify there."
        )
    if peer.alarm == KEY_ASKS:
        return _(
            "A computer uses an unknown signing key. If the store has a new computer, call its "
            "shopkeeper, compare the fingerprint below and approve the key. Otherwise reject it and "
            "revoke the store’s key."
        )
    if peer.alarm == KEY_MISUSED:
        return _(
            "Someone used this store’s key without its signature, or used a revoked key. Nothing was "
            "accepted. The key may be stolen: give the store a joining code, then revoke the old key."
        )
    return _("Two computers used this store’s key, or one runs a copy of its database. Find out which, and stop one.")


def _map(
    found: list[overview.StoreView],
    care: dict[str, exposure.Care],
    behind: dict[str, tuple[str, Any]],
    places: Sequence[MapPoint],
) -> store_map.StoreMap | None:
    """Return the stores of the list on a map, and the warehouses; None where no place of them is known."""
    at = {one.id: one for one in places}
    spots = []
    for one in found:
        if one.id in at:
            own = care[one.id]
            late = behind.get(one.id, ("",))[0]
            bad = one.alarm or own.late_minor or late == BAD
            warn = one.parked or own.needs or one.waiting or late == WARN
            light = (
                "bad" if bad else "quiet" if not one.has_node or one.heard_at is None else "warn" if warn else "good"
            )
            spots.append(store_map.Spot(one.id, one.name, "store", light, at[one.id].lat_e6, at[one.id].lon_e6))
    if not spots:
        return None
    houses = [one for one in places if one.id not in care]
    spots += [store_map.Spot(one.id, one.id, "warehouse", "good", one.lat_e6, one.lon_e6) for one in houses]
    return store_map.draw(spots, generated=any(one.source == "generated" for one in places))


def _store(session: Session, store_id: str) -> Store:
    store = session.get(Store, form.tidy(store_id))
    if store is None:
        raise NotFound("unknown-store", "Store not found in this network.")
    return store


def _sentences(session: Session, store_id: str) -> list[str]:
    peer, store = session.get(Peer, store_id), session.get_one(Store, store_id)
    if store.left_on is not None:
        return [_("It left the network. To take it in again, create a joining code: cornerstore store invite.")]
    if peer is not None and not store.has_node:
        return [_("This store is not connected. Create a joining code: cornerstore store invite.")]
    if peer is None:
        return [_("Never connected. Create a joining code: cornerstore store invite.")]
    reported = [_("Last sync: %(when)s.", when=since(peer.heard_at))]
    heads = session.scalars(sa.select(InboxHead).where(InboxHead.from_node == store_id)).all()
    coming = sum(max(0, head.sent - head.count) for head in heads)
    if coming or peer.waiting:
        count = max(coming, peer.waiting)
        reported.append(
            ngettext("%(num)d message is still on its way.", "%(num)d messages are still on their way.", count)
        )
    else:
        reported.append(_("All its messages have arrived."))
    if len(heads) > 1:
        reported.append(
            ngettext(
                "Its message numbering restarted %(num)d time, after a restore or a copy.",
                "Its message numbering restarted %(num)d times, after a restore or a copy.",
                len(heads) - 1,
            )
        )
    return reported


def _parked(session: Session, store_id: str) -> list[Kept]:
    query = sa.select(InboxMessage).where(InboxMessage.from_node == store_id, InboxMessage.state == "parked")
    rows = session.scalars(query.order_by(InboxMessage.received_at).limit(SHOWN))
    return [Kept(words.topic_word(row.topic), _day(row.made_at), held.why(row)) for row in rows]


def _alarms(session: Session, store_id: str) -> list[Kept]:
    query = sa.select(InboxAlarm).where(InboxAlarm.from_node == store_id).order_by(InboxAlarm.at.desc())
    rows = session.scalars(query.limit(SHOWN))
    return [Kept(row.message_id, row.at.date().isoformat(), why_words(row.reason)) for row in rows]


def _day(made_at: str) -> str:
    """Return the day of an instant a store wrote, which may be anything."""
    try:
        return dt.datetime.fromisoformat(made_at).date().isoformat()
    except ValueError:
        return ""

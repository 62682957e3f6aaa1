"""Today, where the shopkeeper begins: sales so far, what waits with its one next step, the tills, the last close."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import DomainError
from pos import messages
from pos.reports import day as day_report
from pos.reports.day import Compared
from pos.store.store import Till, store_of
from pos.till import shift as shifts
from pos.till.shift_book import Shift
from store_app.mail import envelopes
from store_app.pages.common import form
from store_app.pages.store.more import place_of
from store_app.runtime.doors import acting, doors, read, write
from store_app.web import presenting
from store_app.web.presenting import clock_time, page, place
from store_app.web.security import can, requires
from store_app.words import today as words
from store_app.words.words import few
from supply.membership import day_summary, suggestions, today
from supply.membership.today import Advice, Waiting

bp = Blueprint("today", __name__, url_prefix="/today")
MOST_NAMES = 3


@dataclass(frozen=True)
class NextStep:
    """Where what waits is done: the button, the page, and the page of a single one with its argument.

    icon, permission: where they are not the page's (`more.BY_ENDPOINT`).
    """

    action: Any
    endpoint: str
    single: tuple[str, str] | None = None
    icon: str = ""
    permission: str = ""

    @property
    def allowed(self) -> bool:
        """Tell whether this person may take it."""
        return can(self.permission or place_of(self.endpoint).permission)


NEXT_STEPS = {
    "recall": NextStep(_l("Check"), "recall.listed"),
    "order": NextStep(_l("Review"), "ordering.orders", ("ordering.order", "order_id")),
    "delivery": NextStep(_l("Receive"), "receiving.deliveries", ("receiving.delivery", "delivery_id")),
    "pickup": NextStep(_l("Pick"), "pickup.orders"),
    "offer": NextStep(_l("Respond"), "ordering.orders", icon="gift", permission="network_offer"),
    "campaign": NextStep(_l("Respond"), "campaigns.listed"),
    "transfer": NextStep(_l("Respond"), "transfers.everything"),
    "expiry": NextStep(_l("Mark down or write off"), "expiry.calendar"),
    "count": NextStep(_l("Count"), "check_these.list_today"),
    "label": NextStep(_l("Scan"), "shelf_labels.walk", icon="tag"),
    "message": NextStep(_l("Send"), "ordering.orders", ("ordering.order", "order_id"), icon="envelope"),
    "print": NextStep(_l("Check"), "shift.money", icon="printer"),
}
ADVICE_STEPS = {
    "first-steps": (_l("Continue"), "settings", "first_steps.overview"),
    "order": (_l("View product"), "stock.look", "product.page"),
    "reduce": (_l("Mark down"), "stock.look", "expiry.calendar"),
    "add": (_l("View"), "reports", "compare.show"),
    "price": (_l("View"), "reports", "compare.show"),
}
"""Advice -> its button, who may follow it, its page."""


@dataclass(frozen=True)
class Row:
    """A row of the page, a link as a whole. level: '' | warn | bad."""

    icon: str
    title: str
    detail: str
    action: str
    href: str
    level: str = ""


@bp.get("/")
@requires("reports")
def show(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show today; a script asks for the same again while the page is open."""
    store_id, at, day = str(place().store_id), doors().now(), presenting.today()
    with read() as session:
        store = store_of(session, store_id)
        found = day_report.compared(session, store, day, at)
        yesterday = day_report.sold_on(session, store, day - dt.timedelta(days=1))
        tills = day_report.tills(session, store_id)
        closed = day_report.closes(session, store_id, day)
        tolerance_minor = shifts.tolerance_minor(session, store_id)
        waiting = today.waiting(session, store_id, at)
        advice = today.advice(session, store_id, day)
        product = suggestions.taxed(session, [advice.sku]).get(advice.sku) if advice else None
        email, weekly = store.summary_email, store.summary_weekly
    return page(
        "store/today.html",
        found=found,
        yesterday=yesterday,
        bars=_bars(found),
        week=day_report.WEEK,
        rows_waiting=[_row(one) for one in waiting if NEXT_STEPS[one.kind].allowed],
        tills=[_till_row(till, now_open, day) for till, now_open in tills],
        closes=_close_rows(closed, tolerance_minor),
        advice=_advised(advice, (product.stock_unit, product.price_quantity) if product else ("each", 1)),
        sends_mail=envelopes.sends_mail(doors().settings),
        email=request.form.get("email", email),
        weekly=request.form.get("often") == "week" if request.method == "POST" else weekly,
        fault=fault,
    )


@bp.post("/summary")
@requires("settings")
@form.answers_on(show)
def set_summary() -> ResponseReturnValue:
    """Keep who gets the summary, and how often."""
    address, weekly = form.text("email", most=messages.LONGEST), request.form.get("often") == "week"
    with write() as session:
        day_summary.set_recipient(acting(session), str(place().store_id), address, weekly=weekly)
    often = _("Saved. You will get the summary each night.")
    if weekly:
        often = _("Saved. You will get the summary every Sunday night.")
    flash(often if address else _("Saved. No summary will be sent."), "good")
    return redirect(url_for(".show"), 303)


# --- inside ---


def _row(one: Waiting) -> Row:
    step = NEXT_STEPS[one.kind]
    href = url_for(step.endpoint)
    if step.single and one.about:
        endpoint, argument = step.single
        named: dict[str, Any] = {argument: one.about}
        href = url_for(endpoint, **named)
    said = [
        few(one.names, MOST_NAMES),
        presenting.money(one.amount_minor) if one.amount_minor else "",
        _("by %(when)s", when=_when(one.until)) if one.until else "",
    ]
    count = "" if one.count == 1 and one.names else f" ({one.count})"
    return Row(
        step.icon or place_of(step.endpoint).icon, f"{_(words.TITLES[one.kind])}{count}",
        " · ".join(filter(None, said)), str(step.action), href, "bad" if one.kind == "recall" else "",
    )  # fmt: skip


def _when(until: dt.datetime | dt.date) -> str:
    """Say until when: the time alone where that is today."""
    if not isinstance(until, dt.datetime):
        return presenting.day(until)
    return clock_time(until, until.astimezone(ZoneInfo(place().tz)).date() != presenting.today())


def _till_row(till: Till, now_open: Shift | None, day: dt.date) -> Row:
    here = url_for("shift.money")  # this browser's till: opening another would switch to it
    if now_open is None:
        return Row("lock-closed", till.name, _("The till is closed"), _("Open the till"), here)
    since = _("%(who)s, since %(when)s", who=now_open.holder,
              when=clock_time(now_open.opened_at, now_open.business_day != day))  # fmt: skip
    if now_open.state == "counting":
        return Row("calculator", till.name, _("The drawer is being counted"), _("Continue the count"),
                   url_for("drawer.counting"), "warn")  # fmt: skip
    if now_open.business_day != day:
        return Row("lock-open", till.name, _("Still open: %(since)s", since=since), _("Close the till"), here, "warn")
    return Row("lock-open", till.name, _("Open: %(since)s", since=since), _("View"), here)


def _close_rows(closed: Sequence[Shift], tolerance_minor: int) -> list[Row]:
    rows = []
    for one in closed:
        minor = one.over_short_minor or 0
        off = (
            _("The drawer balances.") if not minor
            else _("%(amount)s over", amount=presenting.money(minor)) if minor > 0
            else _("%(amount)s short", amount=presenting.money(-minor))
        )  # fmt: skip
        rows.append(Row(
            "document-chart-bar", _("Z %(n)s, %(day)s", n=one.z_no, day=presenting.day(one.business_day)),
            f"{presenting.money((one.z_report or {}).get('total_minor'))} · {off}", _("View"),
            url_for("shift.z_report", shift_id=one.id), "warn" if abs(minor) > tolerance_minor else "",
        ))  # fmt: skip
    return rows


def _advised(one: Advice | None, per: tuple[str, int]) -> Row | None:
    if one is None or not can(ADVICE_STEPS[one.kind][1]):
        return None
    action, _permission, endpoint = ADVICE_STEPS[one.kind]
    title, why = words.advice_words(one, per)
    href = url_for(endpoint, sku=one.sku) if endpoint == "product.page" else url_for(endpoint)
    return Row("light-bulb", title, why, str(action), href)


def _bars(found: Compared) -> list[dict[str, Any]]:
    """Return a bar an hour, today's beside the week before's, each height in percent of the highest."""
    before = found.before.hours if found.before else {}
    both = [*found.sales.hours.items(), *before.items()]
    most = max((minor for _hour, minor in both), default=0)
    if most <= 0:
        return []
    first, last = min(hour for hour, _minor in both), max(hour for hour, _minor in both)
    return [
        {
            "now": max(0, found.sales.hours.get(hour, 0)) * 100 // most,
            "before": max(0, before.get(hour, 0)) * 100 // most,
            "hour": hour,
        }
        for hour in range(first, last + 1)
    ]

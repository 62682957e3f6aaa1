"""The points the stores share: the network's scheme, what is outstanding, and what each store gave and took."""

import datetime as dt
from collections import Counter
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.ids import NETWORK
from config.money import exponent
from config.nodes import publication
from config.nodes.publication import EVERYONE
from pos.customers import loyalty, points_terms
from pos.customers.points_terms import PointsTerms
from pos.store.store import Store, usual_currency
from store_app.pages.common import charts, form
from store_app.pages.customers.customers import POINT_WORDS
from store_app.pages.customers.loyalty import amounts, typed_terms
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import day, page
from store_app.web.security import requires
from supply.money import points as network_points
from supply.money import points_pool

bp = Blueprint("console_points", __name__, url_prefix="/console/points")
WEEKS = 13
WAITING_SHOWN = 50
WHY_WORDS = {
    "sale": _l("The sale has not arrived yet."),
    "customer": _l("The sale belongs to another customer."),
    "twice": _l("This sale already earned points."),
    "rate": _l("More points than this sale earns."),
    "brought": _l("More points than this customer’s sales here could earn."),
    "consent": _l("The member has not confirmed their phone at this store."),
    "balance": _l("The member does not have that many points."),
    "not-earned": _l("The store reversed more points than the sale earned, or there was no return."),
    "not-spent": _l("The store restored more points than were redeemed for the sale, or there was no return."),
}
"""Why a movement waits (`PointsWaiting`), for the operator."""
MOST_MONTHS, MOST_NOTICE = 60, 365


@bp.get("/")
@requires("network.money")
def overview_page(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the scheme, what is outstanding, what the stores gave and took, and the form that founds or changes it."""
    today = clock.now().date()
    with read() as session:
        days = list(session.scalars(sa.select(PointsTerms).order_by(PointsTerms.from_day)))
        stores = list(session.scalars(sa.select(Store)))
        now = points_terms.terms_on(session, NETWORK, today)
        members, points = network_points.outstanding(session)
        currency = days[0].currency if days else usual_currency(session)
        waiting, many_wait = network_points.waiting(session, WAITING_SHOWN)
        context: dict[str, Any] = {
            "waiting": waiting,
            "many_wait": many_wait,
            "why_words": WHY_WORDS,
            "point_words": POINT_WORDS,
            "taking_part": points_pool.taking_part(session, today),
            "parts": points_pool.parts(session),
            "weeks": _weeks(session, today),
            "with_node": sum(one.has_node for one in stores),
        }
    weeks = context["weeks"]
    drawing = charts.drawing(
        _("Week"), [day(one["start"]) for one in weeks], charts.numbers(_("Earned"), (one["earned"] for one in weeks)),
        charts.numbers(_("Redeemed"), (one["spent"] for one in weeks)),
    )  # fmt: skip
    typed = now or (days[0] if days else None)
    places = exponent(currency)
    none_yet = points_terms.terms_of(NETWORK, True, 1, 10**places, 1, 100)
    return page(
        "console/points.html",
        **context,
        now=now,
        drawing=drawing,
        coming=[row for row in days if row.from_day > today],
        typed=typed,
        none_yet=none_yet,
        amounts=amounts(typed or none_yet, places),
        members=members,
        points=points,
        worth_minor=points * (typed.worth_minor if typed else 0),
        currency=currency,
        names={one.id: one.name for one in stores},
        network=NETWORK,
        first_day=today + dt.timedelta(days=1) if days else today,
        fault=fault,
    )


@bp.post("/")
@requires("network.money.change")
@form.answers_on(overview_page)
def found() -> ResponseReturnValue:
    """Found the scheme, or change it from a day on, and publish it to the stores."""
    form.command_id()
    with write() as session:
        first = points_pool.first_terms(session)
        currency = first.currency if first else usual_currency(session)
        wished = typed_terms(NETWORK, currency, first.worth_minor if first else 0)
        wished.from_day, wished.currency = form.day("from_day", _("Choose a day.")), currency
        wished.name = first.name if first else form.text("name", most=30, required=_("Name the points."))
        wished.expiry_months = form.whole("expiry_months", least=0, most=MOST_MONTHS)
        wished.lapsed_to = form.one_of("lapsed_to", ("stores", "network"), sentence=_("Choose who gets the value."))
        wished.notice_days = form.whole("notice_days", least=0, most=MOST_NOTICE)
        points_pool.found(acting(session), wished)
        publication.publish(session, "points", EVERYONE, points_terms.edition(session), at=clock.now())
    return form.done(_("Published. Stores get it at their next sync."), ".overview_page")


@bp.post("/waiting/<store_id>/<entry_id>")
@requires("network.money.change")
@form.answers_on(overview_page)
def decide(store_id: str, entry_id: str) -> ResponseReturnValue:
    """Take a waiting movement in, or turn it down."""
    form.command_id()
    answer = form.one_of("answer", ("take", "refuse"), sentence=_("Choose what to do with it."))
    with write() as session:
        network_points.decide(acting(session), store_id, entry_id, take=answer == "take")
    return form.done(_("Decided. The store has been notified."), ".overview_page")


# --- inside ---


def _weeks(session: Session, today: dt.date) -> list[dict[str, Any]]:
    """Return what was earned and redeemed in the last weeks, returns taken off, oldest first."""
    monday = today - dt.timedelta(days=today.weekday())
    starts = [monday - dt.timedelta(weeks=n) for n in range(WEEKS - 1, -2, -1)]
    moved = network_points.moved_by_day(session, starts[0])
    weeks: list[dict[str, Any]] = []
    for start, end in pairwise(starts):
        points = Counter[str]()
        for on, kind, moved_points in moved:
            points[kind] += moved_points if start <= on < end else 0
        earned, spent = loyalty.given(points), loyalty.taken(points)
        weeks.append({"start": start, "earned": max(0, earned), "spent": max(0, spent)})
    return weeks if any(one["earned"] or one["spent"] for one in weeks) else []

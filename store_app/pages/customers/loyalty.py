"""Points: how the store thanks its members, and whether it takes part in the points the network's stores share."""

import datetime as dt

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from config.ids import NETWORK
from config.money import exponent
from pos.customers import loyalty, points_terms
from pos.customers.points_terms import PointsTerms
from pos.store.store import store_of
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("loyalty", __name__, url_prefix="/points")


@bp.get("/")
@requires("settings")
def points(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show how the store thanks its members."""
    with read() as session:
        rules = points_terms.terms_in(session, str(place().store_id), today())
        shared = points_terms.terms_on(session, NETWORK, today())
        part = loyalty.part_of(session, str(place().store_id), today())
    places = exponent(place().currency)
    return page(
        "customers/points.html",
        rules=rules,
        typed=amounts(rules, places),
        per_hundred_minor=rules.points * rules.worth_minor * 100 * 10**places // rules.per_minor,
        hundred_minor=100 * 10**places,
        shared=shared,
        part=part,
        fault=fault,
    )


@bp.post("/")
@requires("settings")
@form.answers_on(points)
def set_points() -> ResponseReturnValue:
    """Set how the store thanks its members."""
    terms = typed_terms(str(place().store_id), place().currency)
    with write() as session:
        points_terms.set_terms(acting(session), terms)
    return form.done(_("Saved."), "loyalty.points")


@bp.get("/shared")
@requires("settings")
def shared(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what the network's points cost and bring, and whether the store takes part."""
    store_id, day = str(place().store_id), today()
    with read() as session:
        scheme, part = points_terms.terms_on(session, NETWORK, day), loyalty.part_of(session, store_id, day)
        members, sums = loyalty.members(session, store_id), loyalty.sums(session, store_id)
    worth_minor, hundred_minor = scheme.worth_minor if scheme else 0, 100 * 10 ** exponent(place().currency)
    return page(
        "customers/shared_points.html",
        scheme=scheme,
        part=part,
        members=members,
        given_minor=loyalty.given(sums) * worth_minor,
        taken_minor=loyalty.taken(sums) * worth_minor,
        hundred_minor=hundred_minor,
        cost_minor=scheme.points * worth_minor * hundred_minor // scheme.per_minor if scheme else 0,
        last_day=day + dt.timedelta(days=scheme.notice_days if scheme else 0),
        fault=fault,
    )


@bp.post("/shared")
@requires("settings")
@form.answers_on(shared)
def decide() -> ResponseReturnValue:
    """Take part in the network's points, or give notice."""
    form.command_id()
    answer = form.one_of("answer", ("join", "leave"), sentence=_("Choose whether the store takes part."))
    with write() as session:
        store = store_of(session, str(place().store_id))
        do = loyalty.take_part if answer == "join" else loyalty.give_notice
        do(acting(session), store)
    flash(_("Your store has joined the network's points.") if answer == "join" else _("Notice given."), "good")
    return redirect(url_for("loyalty.shared"), 303)


def typed_terms(scope: str, currency: str, worth_minor: int = 0) -> PointsTerms:
    """Return the terms typed into the fields that every scope has; worth_minor: where it is settled already."""
    return points_terms.terms_of(
        scope,
        request.form.get("active") == "yes",
        form.whole("points", least=1, most=points_terms.MOST_POINTS),
        form.amount("per", currency),
        worth_minor or form.amount("worth", currency),
        form.whole("least_points", least=0, most=points_terms.MOST_POINTS),
    )


def amounts(terms: PointsTerms, places: int) -> dict[str, str]:
    """Return the amounts of a scheme's terms as its form holds them."""
    return {"per": figures(terms.per_minor, places), "worth": figures(terms.worth_minor, places)}


def figures(minor: int, places: int) -> str:
    """Return an amount as a form holds it: figures with a point."""
    whole, part = divmod(minor, 10**places)
    return f"{whole}.{part:0{places}d}" if places else str(whole)

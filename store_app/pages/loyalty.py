"""Points: how the shop thanks its members."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _

from config.errors import ShopError
from config.money import exponent
from pos import loyalty
from store_app.extensions import doors, read, write
from store_app.pages import form
from store_app.presenting import page, place
from store_app.security import requires

bp = Blueprint("loyalty", __name__, url_prefix="/points")
bp.before_request(form.know_the_place)


@bp.get("/")
@requires("settings")
def points(fault: ShopError | None = None) -> Any:
    """Show how the shop thanks its members."""
    with read() as session:
        rules = loyalty.scheme(session, str(place().store_id))
    places = exponent(place().currency)
    return page(
        "customers/points.html",
        rules=rules,
        typed={"per": figures(rules.per_minor, places), "worth": figures(rules.worth_minor, places)},
        per_hundred_minor=rules.points * rules.worth_minor * 100 * 10**places // rules.per_minor,
        hundred_minor=100 * 10**places,
        fault=fault,
    )


@bp.post("/")
@requires("settings")
@form.answers_on(points)
def set_points() -> Any:
    """Set how the shop thanks its members."""
    currency = place().currency
    wished = loyalty.Scheme(
        active=request.form.get("active") == "yes",
        points=form.whole("points", least=1, most=loyalty.MOST_POINTS),
        per_minor=form.amount("per", currency),
        worth_minor=form.amount("worth", currency),
        least_points=form.whole("least_points", least=0, most=loyalty.MOST_POINTS),
    )
    with write() as session:
        loyalty.set_scheme(session, str(place().store_id), wished, actor=g.actor, at=doors().now())
    flash(_("Saved."), "good")
    return redirect(url_for("loyalty.points"), 303)


def figures(minor: int, places: int) -> str:
    """Return an amount as a form holds it: figures with a point."""
    whole, part = divmod(minor, 10**places)
    return f"{whole}.{part:0{places}d}" if places else str(whole)

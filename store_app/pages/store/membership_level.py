"""A store's standing at the store: its level, what it counts, what the next level wants and gives, and the appeal."""

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, NotFound
from store_app.pages.common import form, money_views
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import money
from supply.membership import level, objections
from supply.membership.level import LevelReview
from supply.money.credit import CreditLine

bp = Blueprint("standing", __name__, url_prefix="/standing")


@bp.get("/")
@requires("reports.money")
def show(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the level, its measures beside their thresholds, and what the levels give."""
    store_id = str(place().store_id)
    with read() as session:
        review = session.get(LevelReview, store_id)
        line = session.get(CreditLine, store_id)
        shown: dict[str, Any] = {
            "review": review,
            "measures": money_views.measures(level.measures_of(review)) if review else [],
            "levels": money_views.levels(line.terms if line else {}),
            "objections": objections.of_store(session, store_id, "standing"),
            "subjects": money.SUBJECTS,
            "fault": fault,
        }
    return page("store/finance/level.html", **shown)


@bp.get("/evidence.json")
@requires("reports.money")
def evidence() -> Response:
    """Answer everything the last review counted, for a program to count again."""
    with read() as session:
        review = session.get(LevelReview, str(place().store_id))
    if review is None:
        raise NotFound("not-found-here", "This store has not been reviewed yet.")
    answer = jsonify(review.evidence)
    answer.headers["Content-Disposition"] = "attachment; filename=standing.json"
    return answer


@bp.post("/appeal")
@requires("reports.money")
@form.answers_on(show)
def appeal() -> ResponseReturnValue:
    """Appeal against the standing."""
    words = form.text("words", most=500, required=_("Explain what is wrong."))
    with write() as session:
        objections.raise_objection(
            acting(session),
            str(place().store_id),
            id=form.command_id(),
            about="standing",
            words=words,
        )
    return form.done(_("Your appeal has been sent. You will see the response here."), ".show")

"""Hours in which some goods may be sold: which category, from when until when."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from pos.catalogue import selling_hours
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import minute, page, place
from store_app.web.security import requires

bp = Blueprint("selling_hours", __name__, url_prefix="/settings/hours")


@bp.get("/")
@requires("settings")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show which goods are sold only at some hours, and a form for more."""
    with read() as session:
        rows = selling_hours.of_store(session, str(place().store_id))
        kinds = selling_hours.kinds(session)
    return page("store/settings/hours.html", hours=rows, kinds=kinds, fault=fault)


@bp.post("/")
@requires("settings")
@form.answers_on(listed)
def set_hours() -> ResponseReturnValue:
    """Set the hours of a category."""
    kind = form.text("kind", most=60, required=_("Choose a category."))
    since, until = form.minute("from_time"), form.minute("until_time")
    with write() as session:
        selling_hours.set_hours(acting(session), str(place().store_id), kind, since, until)
    return form.done(
        _(
            "%(top_category)s is sold only from %(since)s to %(until)s.",
            top_category=kind,
            since=minute(since),
            until=minute(until),
        ),
        "selling_hours.listed",
    )


@bp.post("/lift")
@requires("settings")
@form.answers_on(listed)
def lift() -> ResponseReturnValue:
    """Sell a category at any hour again."""
    kind = request.form.get("kind", "")
    with write() as session:
        selling_hours.lift(acting(session), str(place().store_id), kind)
    return form.done(_("Removed. This category can be sold at any time."), "selling_hours.listed")

"""The operator's first page: what needs a person, then the regions."""

from typing import Any

from flask import Blueprint, url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from store_app.extensions import clock, read
from store_app.presenting import page
from store_app.security import requires
from supply import overview

bp = Blueprint("console", __name__, url_prefix="/console")


@bp.get("/")
@requires("network.look")
def home() -> Any:
    """Show what needs attention and how the regions trade."""
    with read() as session:
        attention = overview.attention(session, at=clock.now())
        regions = overview.regions(session)
        newest = overview.last_day(session)
        currency = overview.currency(session)
    return page(
        "console/home.html",
        attention=[_worded(one) for one in attention],
        regions=regions,
        newest=newest,
        currency=currency,
    )


def _worded(one: overview.Attention) -> dict[str, Any]:
    facts = one.facts
    shops, supply = url_for("console_stores.stores"), url_for("console_supply.orders")
    told: dict[str, tuple[str, str, str | None]] = {
        "contradiction": (
            "bad",
            _(
                "%(store)s sent a message that contradicts an earlier one: %(why)s.",
                store=one.subject,
                why=facts.get("reason"),
            ),
            shops,
        ),
        "fork": ("bad", _("%(store)s seems to run twice: %(why)s.", store=one.subject, why=facts.get("reason")), shops),
        "parked": (
            "warn",
            ngettext(
                "%(num)d message of %(store)s is set aside and needs a person.",
                "%(num)d messages of %(store)s are set aside and need a person.",
                facts.get("count", 0),
                store=one.subject,
            ),
            shops,
        ),
        "silent": ("warn", _("%(store)s has not been heard for over an hour.", store=one.subject), shops),
        "warehouse-empty": (
            "warn",
            ngettext(
                "%(num)d product is gone from warehouse %(store)s.",
                "%(num)d products are gone from warehouse %(store)s.",
                facts.get("count", 0),
                store=one.subject,
            ),
            supply,
        ),
        "order-waits": (
            "info",
            _("Order %(no)s of %(store)s waits to be confirmed.", no=facts.get("order_no"), store=one.subject),
            supply,
        ),
        "offer-open": (
            "info",
            _(
                "%(store)s has not answered the offer of %(name)s (until %(day)s).",
                store=one.subject,
                name=facts.get("name"),
                day=format_date(facts["answer_by"], "short") if facts.get("answer_by") else "–",
            ),
            url_for("console_push.offers"),
        ),
        "forecast-old": (
            "warn",
            _("The forecast of %(region)s is missing or more than two days old.", region=facts.get("name")),
            url_for("console_demand.region", region_id=one.subject),
        ),
    }
    level, words, href = told.get(one.kind, ("info", f"{one.kind}: {one.subject}", None))
    return {"level": level, "words": words, "href": href}

"""Campaigns over many stores: planned at once, asked of each, measured against stores left out by lot."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.money import BASIS
from pos.store.store import usual_currency
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, today, why_words
from store_app.web.security import requires
from store_app.words.refusals import sentence_of
from supply.demand import campaign_uplift
from supply.demand.campaign_uplift import CampaignLine
from supply.membership import overview
from supply.network.offers import campaigns
from supply.network.offers.campaigns import Campaign, CampaignTerms

bp = Blueprint("console_campaigns", __name__, url_prefix="/console/campaigns")
LINES = 4
SHOWN = 30
AHEAD_DAYS = 7


@bp.get("/")
@requires("network.push")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the campaigns with what became of them, and the form for a new one."""
    with read() as session:
        rows = session.query(Campaign).order_by(Campaign.from_day.desc(), Campaign.id).limit(SHOWN).all()
        start = today()
        views = [_view(session, row, start) for row in rows]
        stores = [store for store in overview.stores(session, today()) if store.has_node]
        products, currency = overview.offerable(session), usual_currency(session)
        usual = campaigns.usual_uplift_bp(session) // 100
    return page(
        "console/campaigns.html",
        views=views,
        stores=stores,
        products=products,
        currency=currency,
        usual=usual,
        lines=LINES,
        days={
            "answer_by": start + dt.timedelta(days=AHEAD_DAYS - 2),
            "from_day": start + dt.timedelta(days=AHEAD_DAYS),
            "until_day": start + dt.timedelta(days=AHEAD_DAYS + 6),
        },
        fault=sentence_of(fault) if fault else None,
        field=fault.facts.get("field") if fault else None,
    )


@bp.post("/")
@requires("network.push.change")
@form.answers_on(listed)
def plan() -> ResponseReturnValue:
    """Plan a campaign and ask the stores."""
    command = form.command_id()
    name = form.text("name", most=60, required=_("Name the campaign."))
    why = form.text("why", required=_("Enter a short reason. The shopkeeper will see it."))
    days = {key: form.day(key, _("Choose a day.")) for key in ("answer_by", "from_day", "until_day")}
    held = form.whole("hold_out", most=75)
    with write() as session:
        currency = usual_currency(session)
        fee = form.amount("fee", currency) if request.form.get("fee") else 0
        terms = CampaignTerms(
            command, name, why, **days, lines=_lines(session), fee_minor=fee, hold_out_bp=held * BASIS // 100
        )
        there = {store.id for store in overview.stores(session, today()) if store.has_node}
        chosen = [store_id for store_id in request.form.getlist("store_id") if store_id in there]
        made = campaigns.plan(acting(session), terms, chosen)
        count = len(campaigns.asks_of(session, made.id))
    flash(_("%(asked)d stores asked, %(held)d in the hold-out group.", asked=count, held=len(made.held_out)), "good")
    if not made.held_out:
        flash(_("No store is held out, so the effect of this campaign can’t be measured. Choose more stores, "
                "or a larger hold-out share."), "warn")  # fmt: skip
    return redirect(url_for(".listed"), 303)


@bp.post("/<campaign_id>/call-off")
@requires("network.push.change")
@form.answers_on(listed)
def call_off(campaign_id: str) -> ResponseReturnValue:
    """End a campaign now."""
    with write() as session:
        campaigns.call_off(acting(session), campaign_id)
    return form.done(_("Canceled. The stores have been notified."), ".listed", "info")


# --- inside ---


def _view(session: Session, row: Campaign, today: dt.date) -> dict[str, Any]:
    asks = campaigns.asks_of(session, row.id)
    states = [ask.state for ask in asks]
    found = campaigns.outcome(session, row, today - dt.timedelta(days=1))
    return {
        "row": row,
        "lines": campaign_uplift.lines_of(row.lines),
        "asked": states.count("asked"),
        "yes": states.count("accepted") + states.count("over"),
        "no": states.count("declined") + states.count("expired"),
        "held": len(row.held_out),
        "paid_minor": sum(ask.paid_minor or 0 for ask in asks),
        "said": [why_words(ask.answered_why) for ask in asks if ask.state == "declined"],
        "outcome": found,
    }


def _lines(session: Session) -> tuple[CampaignLine, ...]:
    """Return the products the form names; a row without one is left out."""
    found = []
    for n in range(1, LINES + 1):
        typed = form.text(f"sku-{n}", most=60)
        if not typed:
            continue
        product = find_product.named(session, typed, field=f"sku-{n}")
        found.append(
            CampaignLine(
                product.sku,
                product.name,
                100 * form.whole(f"percent-{n}", most=90) if request.form.get(f"percent-{n}") else 0,
                request.form.get(f"slot-{n}") == "yes",
                100 * form.whole(f"uplift-{n}", most=500) if request.form.get(f"uplift-{n}") else 0,
            )
        )
    return tuple(found)

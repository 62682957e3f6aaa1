"""Campaigns over many stores: planned at once, asked of each, measured against a hold-out group."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from config.money import BASIS
from pos.store.store import usual_currency
from store_app.pages.common import find_product, form, promotion_preview
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page, today, why_words
from store_app.web.security import requires
from store_app.words import goals
from store_app.words.refusals import sentence_of
from supply.demand import campaign_uplift
from supply.demand.campaign_uplift import CampaignLine
from supply.membership import overview
from supply.network.offers import campaigns, expectation
from supply.network.offers.campaigns import Campaign, CampaignTerms
from supply.network.offers.expectation import Expectation, Power, Promoted

bp = Blueprint("console_campaigns", __name__, url_prefix="/console/promotions/campaigns")
LINES = 4
AHEAD_DAYS = 7


@bp.get("/<campaign_id>")
@requires("network.push")
def one(campaign_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one campaign with what became of it."""
    with read() as session:
        view = _view(session, campaigns.campaign_of(session, campaign_id), today())
        currency = usual_currency(session)
        names = overview.names(session, [ask.store_id for ask in view["asks"]] + list(view["row"].held_out))
    return page("console/campaign.html", one=view, currency=currency, names=names, goals=goals, fault=fault)


@bp.get("/new")
@requires("network.push.change")
def new(
    fault: DomainError | None = None, found: Expectation | None = None, shown: Power | None = None
) -> ResponseReturnValue:
    """Show the form of a new campaign, with what it is expected to bring once it says enough."""
    start = today()
    with read() as session:
        stores = [store for store in overview.stores(session, start) if store.has_node]
        products, currency = overview.offerable(session), usual_currency(session)
        usual = campaigns.usual_uplift_bp(session) // 100
    return page(
        "console/campaign_new.html",
        stores=stores,
        products=products,
        currency=currency,
        usual=usual,
        lines=LINES,
        goals=goals,
        goal=request.values.get("goal", ""),
        days={
            "answer_by": start + dt.timedelta(days=AHEAD_DAYS - 2),
            "from_day": start + dt.timedelta(days=AHEAD_DAYS),
            "until_day": start + dt.timedelta(days=AHEAD_DAYS + 6),
        },
        found=found,
        power=goals.power_words(shown) if shown else None,
        seen=promotion_preview.mark() if found else "",
        fault=sentence_of(fault) if fault else None,
        field=fault.facts.get("field") if fault else None,
    )


@bp.post("/new")
@requires("network.push.change")
@form.answers_on(new)
def plan() -> ResponseReturnValue:
    """Show what a campaign is expected to bring; plan it and ask the stores once that was seen."""
    command = form.command_id()
    name = form.text("name", most=60, required=_("Name the campaign."))
    why = form.text("why", required=_("Enter a short reason. The shopkeeper will see it."))
    days = {key: form.day(key, _("Choose a day.")) for key in ("answer_by", "from_day", "until_day")}
    held, goal = form.whole("hold_out", most=75), _goal()
    with write() as session:
        currency = usual_currency(session)
        fee = form.amount("fee", currency) if request.form.get("fee") else 0
        terms = CampaignTerms(
            command, name, why, **days, lines=_lines(session), fee_minor=fee, hold_out_bp=held * BASIS // 100, goal=goal
        )
        there = {store.id for store in overview.stores(session, today()) if store.has_node}
        chosen = [store_id for store_id in request.form.getlist("store_id") if store_id in there]
        if promotion_preview.is_seen():
            made = campaigns.plan(acting(session), terms, chosen)
            count = len(campaigns.asks_of(session, made.id))
        else:
            campaigns.refuse_bad(session, terms, chosen, clock.now())
            made, (found, shown) = None, _preview(session, terms, chosen)
    if made is None:
        return new(found=found, shown=shown)
    flash(_("%(asked)d stores asked, %(held)d in the hold-out group.", asked=count, held=len(made.held_out)), "good")
    if not made.held_out:
        flash(_("No store is held out, so the effect of this campaign can’t be measured. Choose more stores, "
                "or a larger hold-out share."), "warn")  # fmt: skip
    return redirect(url_for(".one", campaign_id=made.id), 303)


@bp.post("/<campaign_id>/call-off")
@requires("network.push.change")
@form.answers_on(one)
def call_off(campaign_id: str) -> ResponseReturnValue:
    """End a campaign now."""
    with write() as session:
        campaigns.call_off(acting(session), campaign_id)
    return form.done(_("Canceled. The stores have been notified."), ".one", "info", campaign_id=campaign_id)


# --- inside ---


def _goal() -> str:
    return form.one_of("goal", ("", *goals.GOALS), sentence=_("Choose what it is for."))


def _preview(session: Session, terms: CampaignTerms, chosen: list[str]) -> tuple[Expectation, Power]:
    """Return what a campaign is expected to bring at the stores chosen, and whether it can be measured."""
    days = (terms.until_day - terms.from_day).days + 1
    promoted = [Promoted(line.sku, line.percent_bp, line.uplift_bp) for line in terms.lines]
    found = expectation.expected(session, promoted, chosen, days=days, at=clock.now())
    shown = expectation.power(
        session, [line.sku for line in terms.lines], chosen, days=days, hold_out_bp=terms.hold_out_bp,
        effect=found.uplift, today=today(),
    )  # fmt: skip
    return found, shown


def _view(session: Session, row: Campaign, today: dt.date) -> dict[str, Any]:
    asks = campaigns.asks_of(session, row.id)
    states = [ask.state for ask in asks]
    found = campaigns.outcome(session, row, today - dt.timedelta(days=1))
    return {
        "row": row,
        "asks": asks,
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

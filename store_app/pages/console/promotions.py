"""Promotions in one place: what the network promises customers, offers stores, and runs as campaigns."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.nodes.publication import EVERYONE
from pos.catalogue import offers
from store_app.pages.common import form
from store_app.runtime.doors import read
from store_app.web.presenting import page, percent, today
from store_app.web.security import requires
from store_app.words import goals
from supply.demand.campaign_uplift import CampaignAsk
from supply.network.offers import offer_results
from supply.network.offers.campaigns import Campaign
from supply.network.offers.offer_results import PushSummary

bp = Blueprint("console_promotions", __name__)
ROWS = 50
NEW = {"customer": "offers.kinds", "offer": "console_network_offers.new", "campaign": "console_campaigns.new"}


@dataclass(frozen=True)
class Row:
    """A promotion of any kind. state: of `goals.STATES`; stores, result: in words, '' where there is nothing to say."""

    kind: str
    id: str
    name: str
    goal: str
    state: str
    first_day: dt.date
    last_day: dt.date | None
    stores: str
    result: str


@bp.get("/console/promotions/")
@requires("network.push")
def listed() -> ResponseReturnValue:
    """List all promotions, those under way first."""
    kind, state = (_asked(name, known) for name, known in (("kind", goals.KINDS), ("state", goals.STATES)))
    with read() as session:
        rows = [*_customer(session), *_offers(session), *_campaigns(session)]
    asked = [row for row in rows if kind in ("", row.kind) and state in ("", row.state)]
    order = list(goals.STATES)
    asked.sort(key=lambda row: (order.index(row.state), -row.first_day.toordinal(), row.name))
    return page(
        "console/promotions.html", found=form.paged(asked, ROWS), kind=kind, state=state, goals=goals, any=bool(rows),
        href=_page_of,
        page_address=lambda number: url_for(".listed", kind=kind or None, state=state or None, page=number),
    )  # fmt: skip


@bp.get("/console/promotions/new")
@requires("network.push.change")
def new() -> ResponseReturnValue:
    """Ask for the goal and the kind of a new promotion, and lead to its form."""
    kind, goal = request.args.get("kind", ""), request.args.get("goal", "")
    if kind in NEW and goal in goals.GOALS:
        return redirect(url_for(NEW[kind], goal=goal), 303)
    return page("console/promotion_new.html", goals=goals, goal=goal, kind=kind)


@bp.get("/console/campaigns/")
@requires("network.push")
def campaigns_moved() -> ResponseReturnValue:
    """Lead from the former page of campaigns."""
    return redirect(url_for(".listed", kind="campaign"))


@bp.get("/console/offers/")
@requires("network.push")
def offers_moved() -> ResponseReturnValue:
    """Lead from the former page of network offers."""
    if request.args.get("sku"):
        asked = {name: request.args.get(name) for name in ("sku", "region", "days")}
        return redirect(url_for("console_network_offers.new", **asked))  # type: ignore[arg-type]
    return redirect(url_for(".listed", kind="offer"))


# --- inside ---


def _page_of(row: Row) -> str:
    if row.kind == "customer":
        return url_for("offers.one", offer_id=row.id)
    if row.kind == "offer":
        return url_for("console_network_offers.one", push_id=row.id)
    return url_for("console_campaigns.one", campaign_id=row.id)


def _asked(name: str, known: Collection[str]) -> str:
    """Return what the address asks for, '' where that is none of what is known."""
    found = request.args.get(name, "")
    return found if found in known else ""


def _yes(yes: int, stores: int) -> str:
    return ngettext("%(yes)s of %(num)d store accepted", "%(yes)s of %(num)d stores accepted", stores, yes=yes)


def _customer(session: Session) -> Iterator[Row]:
    for row, _offer in offers.all_of(session, EVERYONE):
        first = row.from_day or row.made_at.date()
        state = offers.standing(row, today())
        is_off = row.ended_at is not None and row.ended_at.date() < first
        yield Row(
            "customer", row.id, row.name, row.goal, "canceled" if is_off else state, first, row.until_day,
            _("all stores"), _("not measured: no hold-out") if state == "ended" else "",
        )  # fmt: skip


def _offers(session: Session) -> Iterator[Row]:
    for one in offer_results.summaries(session):
        first, last = one.offer.offered_at.date(), one.offer.return_until or one.offer.answer_by
        stores = _yes(one.answers.get("accepted", 0), one.stores)
        goal = (one.offer.terms or {}).get("kind", "")
        yield Row("offer", one.id, one.offer.name, goal, _offer_state(one, last), first, last, stores, "")


def _offer_state(one: PushSummary, last: dt.date) -> str:
    if one.answers.get("withdrawn", 0) + one.answers.get("called_off", 0) == one.stores:
        return "canceled"
    if one.answers.get("offered") or one.answers.get("postponed") or (one.answers.get("accepted") and last >= today()):
        return "live"
    return "ended"


def _campaigns(session: Session) -> Iterator[Row]:
    asked = sa.select(CampaignAsk.campaign_id, CampaignAsk.state, sa.func.count())
    answers: dict[str, dict[str, int]] = {}
    for campaign_id, state, count in session.execute(asked.group_by(CampaignAsk.campaign_id, CampaignAsk.state)):
        answers.setdefault(campaign_id, {})[state] = int(count)
    for row in session.scalars(sa.select(Campaign)):
        mine = answers.get(row.id, {})
        stores = _yes(mine.get("accepted", 0) + mine.get("over", 0), sum(mine.values()))
        yield Row(
            "campaign", row.id, row.name, row.goal, _campaign_state(row), row.from_day, row.until_day, stores,
            _campaign_result(row),
        )  # fmt: skip


def _campaign_state(row: Campaign) -> str:
    if row.state == "called_off":
        return "canceled"
    if row.state == "over" or row.until_day < today():
        return "ended"
    return "live" if row.from_day <= today() else "coming"


def _campaign_result(row: Campaign) -> str:
    if row.state != "over":
        return ""
    effect: dict[str, Any] = row.effect or {}
    if "effect" not in effect:
        return _("not measured: no hold-out") if not row.held_out else _("not measured: too few stores")
    shown = (percent(round(10_000 * effect[name]), 0, plus=True) for name in ("effect", "low", "high"))
    return "{} ({} … {})".format(*shown)

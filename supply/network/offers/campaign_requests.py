"""A campaign at the store: asked, answered, carried out for its days, and cleared away.

Rules
-----
1. The network asks; the shopkeeper says yes or no until `answer_by`, and no answer is a no. The answer is the store's
   last word, unless the campaign is called off.
2. A yes makes the offer at once (it holds on its days alone), lists what the store did not sell, and lays the extra
   demand into planned demand, day by day: the store's own daily sales, or its region's, times what is expected more.
   Days gone by are taken out again, for what they wanted has been sold or not. From the next night on the store's
   forecast carries it, and it counts where that forecast is not in use (`campaign_uplift`).
3. On the first day the products asked for get their slots, in place of what the shelf ranks lowest; after the last
   day the former products stand there again, as far as the plan still has the campaign's.
4. Without a shelf there are no slots, and no fee for them.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import new_id
from config.money import BASIS, share_out
from config.nodes import journal
from config.nodes.facts import applies
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Listing
from pos.catalogue.offers import StandingOffer
from pos.pricing.promises import Choice, Offer, Part
from pos.store.store import day_of, send_fact, store_of
from supply.demand import known_events
from supply.demand.campaign_uplift import ASKS, CampaignAsk, lines_of
from supply.demand.history import DailyDemand, RegionalDemand
from supply.network.offers.campaigns import subject_of
from supply.online_facts import CampaignAnswered, CampaignReported
from supply.shelf import plan as shelf_plan
from supply.shelf.plan import ShelfPlan, ShelfSlot
from supply.shelf.ranking import ranked_product

RATE_DAYS = 28


# --- verbs ---


@applies(CampaignReported)
def take_reported(ctx: Context, fact: CampaignReported) -> CampaignAsk:
    """Take in what the network asks, or that it is called off or settled; a second copy changes nothing."""
    ask = ctx.session.get(CampaignAsk, (fact.store_id, fact.campaign_id))
    if ask is None:
        ask = CampaignAsk(
            **vars(fact) | {"state": ASKS.first, "paid_minor": None, "effect": {}}, answered_why="", placed_on=None
        )
        ctx.session.add(ask)
        ctx.session.flush()
    ask.effect = fact.effect or ask.effect or {}
    ask.paid_minor = fact.paid_minor if fact.paid_minor is not None else ask.paid_minor
    if fact.state in ("withdrawn", "over") and ASKS.legal(ask.state, fact.state):
        if ask.state == "accepted":
            _clear(ctx, ask)
        journal.move(ctx, ask, fact.state, subject=subject_of(ask))
    return ask


def accept(ctx: Context, store_id: str, campaign_id: str) -> CampaignAsk:
    """Say yes: the offer, the goods and the slots follow by themselves (rules 2, 3)."""
    ask = _open(ctx.session, store_id, campaign_id, ctx.at)
    today = day_of(ctx.session, store_id, ctx.at)
    listed = set(ctx.session.scalars(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active)))
    prices = catalogue.prices_on(ctx.session, store_id, ask.from_day, [line.sku for line in lines_of(ask.lines)])
    if lacking := [line.name for line in lines_of(ask.lines) if line.sku not in prices]:
        raise Refused("price-missing", "No price: %(lacking)s. Set one first.", lacking=", ".join(lacking))
    for line in lines_of(ask.lines):
        if line.sku not in listed:
            catalogue.list_product(ctx, store_id, line.sku)
        if line.percent_bp:
            offers.make(ctx, store_id, _offer(ask, line.sku, line.percent_bp))
    offers.renew(ctx.session, store_id)
    _plan_demand(ctx.session, ask, today)
    return _answer(ctx, ask, "accepted", "")


def decline(ctx: Context, store_id: str, campaign_id: str, *, why: str) -> CampaignAsk:
    """Say no; the network reads why."""
    ask = _open(ctx.session, store_id, campaign_id, ctx.at)
    why = stated(why, Invalid("no-reason", "Enter a reason, so the next campaign fits better."), 300)
    return _answer(ctx, ask, "declined", why)


def carry_out(ctx: Context, store_id: str) -> list[CampaignAsk]:
    """Do what the day asks for (rules 1 to 3): let the unanswered lapse, begin, clear away; returns what changed."""
    today, changed = day_of(ctx.session, store_id, ctx.at), []
    query = sa.select(CampaignAsk).where(CampaignAsk.store_id == store_id, CampaignAsk.state.in_(["asked", "accepted"]))
    for ask in ctx.session.scalars(query.order_by(CampaignAsk.campaign_id)).all():
        if ask.state == "asked":
            if ask.answer_by < today:
                changed.append(_answer(ctx, ask, "expired", N_("No one responded in time.")))
        elif today > ask.until_day:
            if ask.placed_on is not None or _sources(ctx.session, ask):
                _clear(ctx, ask)
                changed.append(ask)
        else:
            for source, day in _sources(ctx.session, ask):
                if day < today:
                    known_events.close(ctx.session, store_id, source)
            if today >= ask.from_day and ask.placed_on is None and _place(ctx, ask, today):
                changed.append(ask)
    return changed


# --- questions ---


def asks(session: Session, store_id: str) -> list[CampaignAsk]:
    """Return the store's campaigns, those that want an answer first, then the newest."""
    rows = session.scalars(
        sa.select(CampaignAsk).where(CampaignAsk.store_id == store_id).order_by(CampaignAsk.from_day.desc())
    ).all()
    return sorted(rows, key=lambda ask: (ask.state != "asked", ask.state != "accepted"))


def expected_extra(session: Session, ask: CampaignAsk) -> dict[str, int]:
    """Return SKU -> units expected to sell beyond the usual over the whole campaign (rule 2)."""
    store, first = store_of(session, ask.store_id), ask.from_day - dt.timedelta(days=RATE_DAYS)
    skus, days = [line.sku for line in lines_of(ask.lines)], (ask.until_day - ask.from_day).days + 1
    own, region = DailyDemand, RegionalDemand
    here = dict(
        session.execute(
            sa.select(own.sku, sa.func.sum(own.sold_qty) * 1.0 / sa.func.count())
            .where(own.store_id == store.id, own.sku.in_(skus), own.business_day >= first,
                   own.business_day < ask.from_day)
            .group_by(own.sku)
        ).all()
    )  # fmt: skip
    there = dict(
        session.execute(
            sa.select(region.sku, sa.func.sum(region.sold_qty) * 1.0 / sa.func.sum(region.stores_open))
            .where(region.region_id == store.region_id, region.sku.in_(skus), region.business_day >= first,
                   region.business_day < ask.from_day, region.stores_open > 0)
            .group_by(region.sku)
        ).all()
    )  # fmt: skip
    rates = {sku: float(here.get(sku) or there.get(sku) or 0) for sku in skus}
    return {line.sku: round(max(0.0, rates[line.sku]) * days * line.uplift_bp / BASIS) for line in lines_of(ask.lines)}


# --- inside ---


def _open(session: Session, store_id: str, campaign_id: str, at: dt.datetime) -> CampaignAsk:
    ask = session.get(CampaignAsk, (store_id, campaign_id))
    if ask is None:
        raise NotFound("unknown-campaign", "Campaign not found.", campaign=campaign_id)
    if ask.state != "asked":
        raise Conflict("campaign-answered", "This campaign is already %(state)s.", state=ask.state)
    if ask.answer_by < day_of(session, store_id, at):
        raise Refused("campaign-over", "The response was due by %(answer_by)s.", answer_by=ask.answer_by.isoformat())
    return ask


def _answer(ctx: Context, ask: CampaignAsk, state: str, why: str) -> CampaignAsk:
    ask.answered_why = why
    journal.move(ctx, ask, state, subject=subject_of(ask), why=why or None)
    send_fact(
        ctx.session, CampaignAnswered(ask.store_id, ask.campaign_id, state, why), subject=subject_of(ask), at=ctx.at
    )
    return ask


def _offer(ask: CampaignAsk, sku: str, percent_bp: int) -> Offer:
    return Offer(
        _offer_id(ask, sku), ask.name, "percent", (Part(Choice(skus=frozenset({sku}))),), percent_bp=percent_bp,
        from_day=ask.from_day, until_day=ask.until_day,
    )  # fmt: skip


def _offer_id(ask: CampaignAsk, sku: str) -> str:
    return f"{ask.campaign_id}-{sku}"


def _plan_demand(session: Session, ask: CampaignAsk, today: dt.date) -> None:
    """Lay what is expected beyond the usual into planned demand, day by day (rule 2)."""
    days = [ask.from_day + dt.timedelta(days=n) for n in range((ask.until_day - ask.from_day).days + 1)]
    parts = {sku: share_out(qty, [1] * len(days)) for sku, qty in expected_extra(session, ask).items() if qty}
    for n, day in enumerate(days):
        if day >= today:
            known_events.plan(
                session, ask.store_id, f"{subject_of(ask)}/{day}", {sku: parts[sku][n] for sku in parts}, day=day
            )


def _sources(session: Session, ask: CampaignAsk) -> list[tuple[str, dt.date]]:
    row = known_events.PlannedDemand
    query = sa.select(row.source, row.day).where(
        row.store_id == ask.store_id, row.source.startswith(f"{subject_of(ask)}/", autoescape=True)
    )
    return [(source, day) for source, day in session.execute(query.distinct())]


def _place(ctx: Context, ask: CampaignAsk, today: dt.date) -> bool:
    """Give the campaign its slots on the live shelf (rules 3, 4)."""
    live = shelf_plan.live_plan(ctx.session, ask.store_id)
    wanted = [line.sku for line in lines_of(ask.lines) if line.slot]
    if live is None or not wanted:
        return False
    rows = shelf_plan.slots_of(ctx.session, live)
    there = {row.sku for row in rows}
    coming = [sku for sku in wanted if sku not in there]
    going = [row for row in sorted(rows, key=lambda one: (one.score, -one.slot)) if row.sku not in wanted]
    swaps = dict(zip((row.sku for row in going), coming, strict=False))
    changed = {}
    for row in rows:
        if row.sku in swaps:
            fresh = ranked_product(ctx.session, ask.store_id, swaps[row.sku], day=live.based_on_day, price_day=today)
            former = {name: getattr(row, name) for name in ("sku", "name", "facings", "fill_qty", "score", "why")}
            changed[row.slot] = {
                "sku": fresh.sku, "name": fresh.name, "facings": row.facings,
                "fill_qty": row.facings * (fresh.fill_qty // fresh.facings), "score": fresh.score,
                "why": fresh.why | {"campaign": ask.name, "campaign_id": ask.campaign_id, "former": former},
            }  # fmt: skip
    ask.placed_on = today
    _new_plan(ctx, live, changed, today)
    return True


def _clear(ctx: Context, ask: CampaignAsk) -> None:
    """End the offers, the extra demand, and the slots (rule 3)."""
    for line in lines_of(ask.lines):
        if ctx.session.get(StandingOffer, _offer_id(ask, line.sku)) is not None:
            offers.end(ctx, ask.store_id, _offer_id(ask, line.sku), why=N_("The campaign has ended."))
    offers.renew(ctx.session, ask.store_id)
    for source, _day in _sources(ctx.session, ask):
        known_events.close(ctx.session, ask.store_id, source)
    live = shelf_plan.live_plan(ctx.session, ask.store_id)
    if live is not None and ask.placed_on is not None:
        rows = shelf_plan.slots_of(ctx.session, live)
        there = {row.sku for row in rows}
        back = {
            row.slot: row.why["former"]
            for row in rows
            if row.why.get("campaign_id") == ask.campaign_id and row.why["former"]["sku"] not in there
        }
        if back:
            _new_plan(ctx, live, back, day_of(ctx.session, ask.store_id, ctx.at))
    ask.placed_on = None


def _new_plan(ctx: Context, live: ShelfPlan, changed: dict[int, dict[str, Any]], today: dt.date) -> None:
    """Let the live shelf go on with some of its slots changed, from today."""
    if not changed:
        return
    plan = ShelfPlan(
        store_id=live.store_id, id=new_id(), state=ShelfPlan.STATES.first, from_day=today, drafted_at=ctx.at,
        based_on_day=live.based_on_day,
    )  # fmt: skip
    ctx.session.add(plan)
    ctx.session.flush()
    for row in shelf_plan.slots_of(ctx.session, live):
        kept = {name: getattr(row, name) for name in ("sku", "name", "facings", "fill_qty", "score", "why")}
        ctx.session.add(
            ShelfSlot(store_id=live.store_id, plan_id=plan.id, slot=row.slot, **kept | changed.get(row.slot, {}))
        )
    ctx.session.flush()
    shelf_plan.approve(ctx, live.store_id, plan.id, from_day=today, keeps_waiting=True)

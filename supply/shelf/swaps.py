"""The weekly swap: what sells least on the shelf makes room for what would sell more, and what came of it.

Rules
-----
1. Once a week the live plan is looked at. A product that stood for LEAST_DAYS, is worth less than the best one without
   a slot by more than MARGIN, and is likely to be so (`forecasting.experiments.trial`), goes; at most a quarter of the
   slots a week. All other slots stay as they are.
2. Expected is what the new one should sell a day, by the ranking, less what the old one sold on the shelf.
3. Achieved is what the store sells a day of both together since the swap, less what it would have sold: of each what it
   sold before, times how the same product changed in the region's stores meanwhile. Without such a control there is no
   number; a product sold nowhere before is set against nothing.
4. A swap is a draft like any other: nothing changes without the shopkeeper.

Units: rates are thousandths of a portion a day.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.ids import new_id
from config.money import BASIS, divide_half_up
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.store.store import Store, store_of
from supply.demand.history import DailyDemand
from supply.shelf import plan as shelf_plan
from supply.shelf.effect import changes_elsewhere
from supply.shelf.plan import ShelfPlan, ShelfSlot
from supply.shelf.ranking import MILLI, Ranked, rank

LEAST_DAYS = 7
SHARE = 4
"""A quarter of the slots at most change in a week."""
MARGIN_BP = 1_500
BEFORE_DAYS = 28


@dataclass(frozen=True)
class Swap:
    """A swap of the live plan. achieved_milli: None without a control, or before LEAST_DAYS are over."""

    slot: int
    sku: str
    name: str
    out_name: str
    expected_milli: int
    achieved_milli: int | None
    days: int


# --- verbs ---


def draft_swaps(ctx: Context, store_id: str) -> ShelfPlan | None:
    """Draft next week's swaps (rule 1); None where nothing is to be swapped, or a draft waits already."""
    store = store_of(ctx.session, store_id)
    live, today = shelf_plan.live_plan(ctx.session, store_id), business_day(ctx.at, store.tz, store.rollover_hour)
    if (
        live is None
        or shelf_plan.plans(ctx.session, store_id, "drafted")
        or shelf_plan.plans(ctx.session, store_id, "approved")
    ):
        return None
    rows = shelf_plan.slots_of(ctx.session, live)
    swaps = _worth_it(ctx.session, store, rows, today)
    if not swaps:
        return None
    plan = ShelfPlan(
        store_id=store_id, id=new_id(), state=ShelfPlan.STATES.first, from_day=today + dt.timedelta(days=1),
        drafted_at=ctx.at, based_on_day=today - dt.timedelta(days=1),
    )  # fmt: skip
    ctx.session.add(plan)
    ctx.session.flush()
    for row in rows:
        fresh, why = swaps.get(row.sku), dict(row.why)
        why.pop("swap", None)
        if fresh is not None:
            out_milli = _sold_milli(ctx.session, store, row.sku, today - dt.timedelta(days=BEFORE_DAYS), today)
            expected = max(fresh.why["own_per_day_milli"], fresh.why["region_per_day_milli"]) - out_milli
            why = fresh.why | {"swap": {"out": row.sku, "out_name": row.name, "expected_milli": expected}}
        ctx.session.add(
            ShelfSlot(
                store_id=store_id, plan_id=plan.id, slot=row.slot, sku=fresh.sku if fresh else row.sku,
                name=fresh.name if fresh else row.name, facings=fresh.facings if fresh else row.facings,
                fill_qty=fresh.fill_qty if fresh else row.fill_qty, score=fresh.score if fresh else row.score, why=why,
            )
        )  # fmt: skip
    journal.record(
        ctx, verb="shelf plan.swaps_drafted", subject=f"shelf:{plan.id}",
        out=sorted(swaps), into=sorted(one.sku for one in swaps.values()))  # fmt: skip
    ctx.session.flush()
    return plan


# --- questions ---


def swaps_of(session: Session, store_id: str, day: dt.date) -> list[Swap]:
    """Return the swaps of the live plan with what was expected and what was achieved until a day (rules 2, 3)."""
    plan = shelf_plan.live_plan(session, store_id)
    if plan is None:
        return []
    store, days = store_of(session, store_id), (day - plan.from_day).days + 1
    found = []
    for row in shelf_plan.slots_of(session, plan):
        swap = row.why.get("swap")
        if swap:
            achieved = (
                _achieved(session, store, (row.sku, swap["out"]), plan.from_day, day) if days >= LEAST_DAYS else None
            )
            found.append(
                Swap(row.slot, row.sku, row.name, swap["out_name"], swap["expected_milli"], achieved, max(0, days))
            )
    return found


# --- inside ---


def _worth_it(session: Session, store: Store, rows: list[ShelfSlot], today: dt.date) -> dict[str, Ranked]:
    """Return who goes -> who comes, the clearest first (rule 1)."""
    import numpy as np  # loaded where a swap is worked out, not with every page

    from forecasting.experiments import trial

    yesterday = today - dt.timedelta(days=1)
    ranked = rank(session, store.id, day=yesterday, price_day=today, slots=10 * len(rows) + 100)
    by_sku, here = {one.sku: one for one in ranked}, {row.sku for row in rows}
    shown = shelf_plan.days_shown(session, store.id, today)
    outside = [one for one in ranked if one.sku not in here]
    losers = sorted(
        (row for row in rows if shown.get(row.sku, 0) >= LEAST_DAYS),
        key=lambda row: (by_sku[row.sku].score if row.sku in by_sku else 0, row.sku),
    )
    swaps: dict[str, Ranked] = {}
    for row, fresh in zip(losers, outside, strict=False):
        known = by_sku.get(row.sku)
        worth = known.score if known else 0
        if len(swaps) >= max(1, len(rows) // SHARE) or fresh.score * BASIS <= worth * (BASIS + MARGIN_BP):
            break
        days, own = float(min(BEFORE_DAYS, shown[row.sku])), known.why["own_per_day_milli"] / MILLI if known else 0.0
        belief = trial.believe(np.array([_rate(known) if known else 0.0]), np.array([own * days]), np.array([days]))
        bar = _rate(fresh) if known is None or not worth else fresh.score / worth * _rate(known)
        if trial.is_worse(belief, 0, bar):
            swaps[row.sku] = fresh
    return swaps


def _rate(one: Ranked) -> float:
    return float(max(one.why["own_per_day_milli"], one.why["region_per_day_milli"])) / MILLI


def _achieved(session: Session, store: Store, skus: tuple[str, str], start: dt.date, day: dt.date) -> int | None:
    """Return what a pair of products sells a day beyond what it would have (rule 3)."""
    until, old = day + dt.timedelta(days=1), start - dt.timedelta(days=BEFORE_DAYS)
    changes, gained = changes_elsewhere(session, store, list(skus), old, start, until), 0
    for sku in skus:
        before, since = (_sold_milli(session, store, sku, *span) for span in ((old, start), (start, until)))
        change_bp = changes.get(sku) if before else BASIS
        if change_bp is None:
            return None
        gained += since - divide_half_up(before * change_bp, BASIS)
    return gained


def _sold_milli(session: Session, store: Store, sku: str, first: dt.date, until: dt.date) -> int:
    portion = session.get_one(Product, sku).price_quantity
    return _sold_qty(session, store, sku, first, until) * MILLI // ((until - first).days * portion)


def _sold_qty(session: Session, store: Store, sku: str, first: dt.date, until: dt.date) -> int:
    row = DailyDemand
    query = sa.select(sa.func.coalesce(sa.func.sum(row.sold_qty), 0)).where(
        row.store_id == store.id, row.sku == sku, row.business_day >= first, row.business_day < until
    )
    return int(session.scalar(query) or 0)

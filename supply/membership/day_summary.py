"""The shopkeeper's summary by mail, each night or each week: what was sold, how it was closed, and what waits.

Rules
-----
1. It is written where somebody asked for it: the store keeps one address. A day has one summary; Sunday's has the
   week. Who wishes it weekly gets Sunday's alone, with the week in place of the day and the drawers that were off,
   unless nothing was sold in it.
2. Its figures are those of the day when it ended; what waits is counted, and names nobody.
"""

import datetime as dt
from typing import Any

from config.nodes import journal
from config.nodes.journal import Context
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from pos.reports import day as day_report
from pos.reports import figures, reports
from pos.store.store import Store, store_of
from supply.membership import today

KIND = "summary"
SUNDAY, BEST = 6, 5


def set_recipient(ctx: Context, store_id: str, address: str, *, weekly: bool = False) -> None:
    """Keep who gets the summary, and how often; '': nobody (rule 1)."""
    store = store_of(ctx.session, store_id)
    store.summary_email = messages.sound_address(address) if address.strip() else ""
    store.summary_weekly = weekly
    journal.record(ctx, verb="summary.set", subject=f"store:{store_id}", on=bool(address.strip()), weekly=weekly)


def write(ctx: Context, store_id: str, day: dt.date) -> OutgoingMessage | None:
    """Write a day's summary, once; None where nobody asked for it (rules 1, 2)."""
    store = store_of(ctx.session, store_id)
    week = _week(ctx, store, day) if store.summary_email and day.weekday() == SUNDAY else {}
    if not store.summary_email or (store.summary_weekly and not week):
        return None
    first = day - dt.timedelta(days=6) if store.summary_weekly else day
    shifts = day_report.closed_between(ctx.session, store_id, first, day)
    body: dict[str, Any] = {
        "day": day.isoformat(),
        "closes": [[one.z_no, one.over_short_minor] for one in shifts if one.over_short_minor or first == day],
        "waiting": [[one.kind, one.count] for one in today.waiting(ctx.session, store_id, ctx.at)],
    }
    if not store.summary_weekly:
        found = day_report.compared(ctx.session, store, day, ctx.at)
        body |= {
            "total_minor": found.sales.total_minor,
            "customers": found.sales.customers,
            "before_minor": found.before.total_minor if found.before else None,
        }
    if week:
        body["week"] = week
    to = Recipient(store.summary_email, language=store.language)
    return messages.write(ctx.session, store_id, KIND, to, id=f"{KIND}-{day}", body=body, at=ctx.at)


# --- inside ---


def _week(ctx: Context, store: Store, sunday: dt.date) -> dict[str, Any]:
    """Return the figures of the week that ends, those before, the best products and the slowest; {}: no sales."""
    monday = sunday - dt.timedelta(days=6)
    found = figures.overview(ctx.session, store, monday, sunday, at=ctx.at)
    if not found.by_day:
        return {}
    products = reports.report(ctx.session, store, "product", monday, sunday)
    best, worst = reports.best_and_worst(ctx.session, store, products, BEST)
    return {
        "now": _noted(found.figures),
        "before": {name: _noted(one.figures) for name, one in found.before.items()},
        "best": [[row["name"], row["total_minor"]] for row in best],
        "worst": [[row["name"], row["total_minor"]] for row in worst],
    }


def _noted(one: figures.Figures) -> dict[str, int]:
    return {
        "total_minor": one.sales_minor, "net_minor": one.net_minor, "margin_minor": one.margin_minor,
        "units": one.units, "baskets": one.baskets,
    }  # fmt: skip

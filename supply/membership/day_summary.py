"""The shopkeeper's nightly summary by mail: what the day sold, how it was closed, and what waits.

Rules
-----
1. It is written where somebody asked for it: the store keeps one address. A day has one summary.
2. Its figures are those of the day when it ended; what waits is counted, and names nobody.
"""

import datetime as dt

from config.nodes import journal
from config.nodes.journal import Context
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from pos.reports import day as day_report
from pos.store.store import store_of
from supply.membership import today

KIND = "summary"


def set_recipient(ctx: Context, store_id: str, address: str) -> None:
    """Keep who gets the summary; '': nobody (rule 1)."""
    store_of(ctx.session, store_id).summary_email = messages.sound_address(address) if address.strip() else ""
    journal.record(ctx, verb="summary.set", subject=f"store:{store_id}", on=bool(address.strip()))


def write(ctx: Context, store_id: str, day: dt.date) -> OutgoingMessage | None:
    """Write a day's summary, once; None where nobody asked for it (rules 1, 2)."""
    store = store_of(ctx.session, store_id)
    if not store.summary_email:
        return None
    found = day_report.compared(ctx.session, store, day, ctx.at)
    shifts = [one for one in day_report.closes(ctx.session, store_id, day) if one.business_day == day]
    body = {
        "day": day.isoformat(),
        "total_minor": found.sales.total_minor,
        "customers": found.sales.customers,
        "before_minor": found.before.total_minor if found.before else None,
        "closes": [[one.z_no, one.over_short_minor] for one in shifts],
        "waiting": [[one.kind, one.count] for one in today.waiting(ctx.session, store_id, ctx.at)],
    }
    to = Recipient(store.summary_email, language=store.language)
    return messages.write(ctx.session, store_id, KIND, to, id=f"{KIND}-{day}", body=body, at=ctx.at)

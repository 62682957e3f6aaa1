"""Who did what at the network: the journal, searched by person, day and words, and as a table to take along.

Rules
-----
1. Only the network's own journal: each store keeps its own. Nothing here changes an entry; what was changed behind the
   journal's back breaks its chain, which every night looks through (`store_app.node.checking`).
2. Verbs and facts stand as they were written.
3. A table has ROWS_TAKEN entries at most, the newest; who takes it is journalled.
"""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import Invalid
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import JournalEntry
from pos.store.store import Staff
from store_app.pages.common import form, money_views
from store_app.pages.customers.statements import table
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words.refusals import sentence_of

bp = Blueprint("console_audit", __name__, url_prefix="/console/audit")
ROWS, ROWS_TAKEN = 50, 10_000
EVERYONE, PEOPLE = "", "people"
Asked = tuple[str, str, dt.date, dt.date]


@bp.get("/")
@requires("network.audit")
def listed() -> ResponseReturnValue:
    """Show the entries asked for, the newest first."""
    asked, fault = _asked()
    text, who, first, last = asked
    with read() as session:
        people = session.scalars(sa.select(Staff).where(Staff.node_id == NETWORK).order_by(Staff.name)).all()
        found = form.paged(_query(asked), ROWS)
        rows = [(one, _facts(one)) for one in found]
    choices = [(PEOPLE, _("People")), (EVERYONE, _("People and nightly jobs")), *((one.id, one.name) for one in people)]
    kept: dict[str, Any] = {"q": text or None, "who": who, "first": first.isoformat(), "last": last.isoformat()}
    return page(
        "console/audit.html", rows=rows, found=found, text=text, who=who, first=first, last=last, choices=choices,
        fault=sentence_of(fault) if fault else "", table_address=url_for(".taken", **kept),
        page_address=lambda number: url_for(".listed", **kept, page=number),
    )  # fmt: skip


@bp.get("/journal.csv")
@requires("network.audit")
def taken() -> Response:
    """Answer the entries asked for as a table."""
    asked, fault = _asked()
    if fault:
        raise fault
    with write() as session:
        entries: list[JournalEntry] = list(session.scalars(_query(asked).limit(ROWS_TAKEN)))
        rows = [
            [str(one.n), one.at.isoformat(), one.actor_id, one.actor_name, one.verb, one.subject, one.body, one.hash]
            for one in entries
        ]
        words = {"text": asked[0], "who": asked[1], "first": asked[2], "last": asked[3], "rows": len(rows)}
        journal.record(acting(session), verb="journal.taken", subject="node:network", **words)
    head = ["n", "at", "person", "name", "verb", "subject", "facts", "hash"]
    return table([head, *rows], f"journal-{asked[3].isoformat()}.csv")


# --- inside ---


def _asked() -> tuple[Asked, Invalid | None]:
    """Return words, person and days of the address, and what is wrong with the days."""
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    who = form.tidy(request.args.get("who", PEOPLE))[: form.WORDS]
    try:
        return (text, who, *money_views.period(request.args, today())), None
    except Invalid as fault:
        return (text, who, *money_views.period({}, today())), fault


def _query(asked: Asked) -> sa.Select[Any]:
    text, who, first, last = asked
    zone = ZoneInfo(place().tz)
    since, until = (
        dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in (first, last + dt.timedelta(days=1))
    )
    one = "" if who in (EVERYONE, PEOPLE) else who
    return journal.search(NETWORK, text=text, actor_id=one, people=who == PEOPLE, since=since, until=until)


def _facts(entry: JournalEntry) -> list[tuple[str, str]]:
    """Return an entry's facts in the order they were written."""
    body = json.loads(entry.body)
    return [(name, one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) for name, one in body.items()]

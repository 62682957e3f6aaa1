"""Who did what at the network: the journal, searched by person, day and words, and as a table to take along.

Rules
-----
1. Only the network's own journal: each store keeps its own. Nothing here changes an entry; what was changed behind the
   journal's back breaks its chain, which every night looks through (`store_app.node.checking`).
2. Verbs and facts stand as they were written.
3. Who takes it as a file is journalled.
"""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import Invalid
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import JournalEntry
from pos.store.store import Staff
from store_app.pages.common import form, lists, money_views
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words.refusals import sentence_of

bp = Blueprint("console_audit", __name__, url_prefix="/console/audit")
EVERYONE, PEOPLE = "", "people"


@bp.get("/")
@requires("network.audit")
def listed() -> ResponseReturnValue:
    """Show the entries asked for, the newest first."""
    with read() as session:
        query = sa.select(Staff.id, Staff.name).where(Staff.node_id == NETWORK).order_by(Staff.name)
        people: dict[str, str] = dict(session.execute(query).all())
        if asked := form.tidy(request.args.get("who", PEOPLE))[: form.WORDS]:
            people.setdefault(asked, asked)  # whoever wrote an entry is found, also who is not among the people now
        shown = lists.show(_table(people), journal.search(NETWORK))
    try:
        money_views.period(request.args, today())
    except Invalid as fault:
        shown.faults[:] = [sentence_of(fault)]
    if shown.file:
        with write() as session:
            facts = {"text": shown.asked["q"], **{name: shown.asked[name] for name in ("who", "first", "last")}}
            journal.record(acting(session), verb="journal.taken", subject="node:network", rows=shown.total, **facts)
    return shown.file or page("console/audit.html", shown=shown, facts=_facts)


# --- inside ---


def _table(people: dict[str, str]) -> lists.Table:
    first, last = money_views.period({}, today())
    groups = {PEOPLE: _("People"), EVERYONE: _("People and nightly jobs")}
    entry = JournalEntry
    return lists.Table(
        "journal",
        (
            lists.Column("at", _("When"), "time", by=entry.at, look="figures"),
            lists.Column("actor_name", _("Person"), by=entry.actor_name),
            lists.Column("actor_id", _("Person’s number"), by=entry.actor_id, shown=False),
            lists.Column("verb", _("Action"), by=entry.verb, look="lead"),
            lists.Column("subject", _("About"), by=entry.subject, shown=False),
            lists.Column("body", _("Details"), look="whole"),
            lists.Column("n", _("Entry"), "number", by=entry.n, shown=False),
            lists.Column("hash", _("Checksum"), shown=False, look="code-text"),
        ),
        (
            lists.Filter(
                "q",
                _("Words"),
                "text",
                journal.holds,
                hint=_(
                    "Finds names, actions, store numbers, order numbers and amounts. "
                    "Entries stay as they were written, in English."
                ),
            ),
            lists.Filter("who", _("Person"), "choice", _is, list((people | groups).items()), PEOPLE),
            lists.Filter("first", _("From"), "date", lambda day: entry.at >= _midnight(day), default=first.isoformat()),
            lists.Filter(
                "last",
                _("To"),
                "date",
                lambda day: entry.at < _midnight(day + dt.timedelta(days=1)),
                default=last.isoformat(),
            ),
        ),
        (entry.n.desc(),),
    )


def _is(who: str) -> sa.ColumnElement[bool]:
    return journal.BY_PEOPLE if who == PEOPLE else JournalEntry.actor_id == who


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(place().tz)).astimezone(dt.UTC)


def _facts(entry: JournalEntry) -> list[tuple[str, str]]:
    """Return an entry's facts in the order they were written."""
    body: dict[str, Any] = json.loads(entry.body)
    return [(name, one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) for name, one in body.items()]

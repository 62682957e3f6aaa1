"""Figures for Prometheus: what the doctor finds, and how much has been done. Opened by the settings' metrics key."""

from collections.abc import Iterator

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.orm import Session

from config.inbox import InboxHead
from config.journal import JournalHead
from config.node import Peer
from config.outbox import OutboxMessage
from store_app.extensions import doors, read
from store_app.security import watcher

bp = Blueprint("api_metrics", __name__)
LIGHTS = {"good": 0, "warn": 1, "bad": 2}


@bp.get("/metrics")
@watcher
def metrics() -> Response:
    """Answer every figure in Prometheus' text form."""
    from store_app import doctor  # it knows Alembic, which a till's process does without

    words = doctor.examine(doors(), outside=False)
    lines = [
        "# HELP cornerstore_light How a thing is: 0 good, 1 look at it, 2 bad.",
        "# TYPE cornerstore_light gauge",
        *(f'cornerstore_light{{thing="{word.thing}"}} {LIGHTS[word.light]}' for word in words),
        "# HELP cornerstore_value The figure behind it: bytes, seconds or a count.",
        "# TYPE cornerstore_value gauge",
        *(f'cornerstore_value{{thing="{word.thing}"}} {word.value:g}' for word in words if word.value is not None),
    ]
    with read() as session:
        for name, kind, about, value in _counts(session):
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", f"{name} {value}"]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _counts(session: Session) -> Iterator[tuple[str, str, str, int]]:
    """Yield (name, kind, what it is, value); each is read from a head or an index, never by counting books."""
    written = session.scalar(sa.select(sa.func.sum(JournalHead.n))) or 0
    yield "cornerstore_journal_entries_total", "counter", "Entries of the journal.", int(written)
    waiting = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "pending")) or 0
    yield "cornerstore_messages_waiting", "gauge", "Messages to other nodes not confirmed yet.", waiting
    refused = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "stuck")) or 0
    yield "cornerstore_messages_refused", "gauge", "Messages another node refused.", refused
    taken = session.scalar(sa.select(sa.func.sum(InboxHead.count))) or 0
    yield "cornerstore_messages_taken_total", "counter", "Messages that arrived from other nodes.", int(taken)
    coming = session.scalar(sa.select(sa.func.sum(InboxHead.sent - InboxHead.count)).where(InboxHead.sent > 0)) or 0
    yield "cornerstore_messages_coming", "gauge", "Messages other nodes have written and not sent yet.", int(coming)
    peers = session.scalar(sa.select(sa.func.count()).select_from(Peer)) or 0
    yield "cornerstore_peers", "gauge", "Shops that were ever heard.", peers

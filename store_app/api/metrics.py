"""Figures for Prometheus: what the doctor finds, what has been done, how long it took. Opened by the metrics key."""

import platform
from collections.abc import Iterator

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from config.nodes.inbox import InboxHead
from config.nodes.journal import JournalHead
from config.nodes.node import Peer
from config.nodes.outbox import OutboxMessage
from store_app.runtime import metrics as own
from store_app.runtime.doors import Doors, doors, read
from store_app.web.security import watcher

bp = Blueprint("api_metrics", __name__)
LIGHTS = {"good": 0, "warn": 1, "bad": 2}


@bp.get("/metrics")
@watcher
def metrics() -> Response:
    """Answer every figure in the text form that Prometheus asks for."""
    from prometheus_client.exposition import choose_encoder

    here = doors()
    registry = own.measured(current_app, here.settings)
    registry.register(_Found(here))  # type: ignore[arg-type]  # whatever collects will do
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


class _Found:
    """What is looked up when it is asked for: the doctor's findings and the counts."""

    def __init__(self, here: Doors) -> None:
        self._here = here

    def collect(self) -> Iterator[object]:
        """Yield the families of figures."""
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        from store_app.node import doctor  # it knows Alembic, which a till's process does without

        light = GaugeMetricFamily("cornerstore_light", "How a thing is: 0 good, 1 look at it, 2 bad.", labels=["thing"])
        value = GaugeMetricFamily(
            "cornerstore_value", "The figure behind it: bytes, seconds or a count.", labels=["thing"]
        )
        for word in doctor.examine(self._here, outside=False, reads_file=False):
            light.add_metric([word.thing], LIGHTS[word.light])
            if word.value is not None:
                value.add_metric([word.thing], word.value)
        yield from (light, value)
        settings = self._here.settings
        build = {"version": own.version(), "python": platform.python_version(), "role": settings.role}
        yield InfoMetricFamily("cornerstore_build", "What runs here.", build | {"node": settings.node_id})
        with read() as session:
            for name, about, count in _counts(session):
                family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                yield family(name, about, count)


def _counts(session: Session) -> Iterator[tuple[str, str, int]]:
    """Yield (name, what it is, value); each is read from a head or an index, never by counting books."""
    written = session.scalar(sa.select(sa.func.sum(JournalHead.n))) or 0
    yield "cornerstore_journal_entries_total", "Entries of the journal.", int(written)
    waiting = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "pending")) or 0
    yield "cornerstore_messages_waiting", "Messages to other nodes not confirmed yet.", waiting
    refused = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "stuck")) or 0
    yield "cornerstore_messages_refused", "Messages another node refused.", refused
    taken = session.scalar(sa.select(sa.func.sum(InboxHead.count))) or 0
    yield "cornerstore_messages_taken_total", "Messages that arrived from other nodes.", int(taken)
    coming = session.scalar(sa.select(sa.func.sum(InboxHead.sent - InboxHead.count)).where(InboxHead.sent > 0)) or 0
    yield "cornerstore_messages_coming", "Messages other nodes have written and not sent yet.", int(coming)
    peers = session.scalar(sa.select(sa.func.count()).select_from(Peer)) or 0
    yield "cornerstore_peers", "Stores that were ever heard.", peers

"""How this node stands: for the till's foot, for the worker's watcher, for whoever looks after it."""

import dataclasses
import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, g, jsonify, request
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes import outbox, publication
from config.nodes.node import Node
from config.nodes.publication import Pulled
from pos.printing import queue
from pos.stock import recall
from pos.till import shift
from store_app.api.bodies import asks
from store_app.runtime.doors import clock, doors, read
from store_app.web.security import public, requires

bp = Blueprint("api_status", __name__)
LATE = dt.timedelta(minutes=10)


@bp.get("/health")
@public
def health() -> Response:
    """Answer that the node is up and its database can be read; nothing a stranger may not know."""
    with read() as session:
        ready = session.scalar(sa.select(sa.func.count()).select_from(Node)) == 1
    answer = jsonify(ok=ready)
    answer.status_code = 200 if ready else 503
    return answer


@bp.get("/api/status")
@requires("sell")
@asks(till="whose shift")
def status() -> Response:
    """Answer printer, queue to the network, shift and clock, each with a light: good, warn or bad.

    `recalls` is another text whenever something else is recalled.
    """
    settings, now = doors().settings, clock.now()
    with read() as session:
        till_id = request.args.get("till", "1")
        open_shift = shift.current(session, settings.node_id, till_id)
        return jsonify(
            now=now.isoformat(),
            cashier=g.actor.name,
            shift={"id": open_shift.id, "state": open_shift.state, "opened_at": open_shift.opened_at.isoformat()}
            if open_shift
            else None,
            float_left_minor=None if open_shift else shift.float_left(session, settings.node_id, till_id),
            printer=dataclasses.asdict(queue.status(session, settings.node_id, at=now, setting=settings.printer)),
            network=network_status(session, now, bool(settings.network_url)),
            recalls=recall.mark(session, settings.node_id),
        )


def network_status(session: Session, now: dt.datetime, joined: bool) -> dict[str, Any]:
    """Return how the line to the network stands: light, waiting, stuck, oldest, last contact, fault, editions."""
    node = session.scalars(sa.select(Node)).one()
    queue = outbox.waiting(session, NETWORK)
    silent = node.last_contact_at is None or now - node.last_contact_at > LATE
    light = "good"
    refused = publication.refused(session)
    if joined and (silent or node.last_fault or queue["stuck"] or refused):
        light = (
            "bad" if queue["stuck"] or (queue["oldest"] and now - queue["oldest"] > dt.timedelta(days=1)) else "warn"
        )
    return {
        "joined": joined,
        "light": light,
        "pending": queue["pending"],
        "stuck": queue["stuck"],
        "oldest": queue["oldest"].isoformat() if queue["oldest"] else None,
        "last_contact_at": node.last_contact_at.isoformat() if node.last_contact_at else None,
        "fault": node.last_fault or next((row.as_refusal().message for row in refused), None),
        "editions": {row.kind: row.made_at.isoformat() for row in session.scalars(sa.select(Pulled))},
    }

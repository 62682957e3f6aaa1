"""Open, look at, count and close a shift of this shop's tills."""

from typing import Any

from flask import Blueprint, Response, g, jsonify
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos import shift
from pos.shift import Shift
from store_app.api.bodies import CloseShiftBody, Nothing, OpenShiftBody, parsed
from store_app.extensions import clock, doors, read, wake_worker_after, write
from store_app.security import requires

bp = Blueprint("api_shifts", __name__, url_prefix="/api/shifts")


@bp.post("")
@requires("shift")
def open_shift() -> Response:
    """Open the till with its float."""
    body = parsed(OpenShiftBody)
    with write() as session:
        opened = shift.open_shift(
            session, doors().settings.node_id, body.till_id, body.float_minor, actor=g.actor, at=clock.now()
        )
        wake_worker_after(session)
    answer = jsonify(shift_json(opened))
    answer.status_code = 201
    return answer


@bp.get("/current/<till_id>")
@requires("shift")
def current(till_id: str) -> Response:
    """Answer the open shift of a till."""
    with read() as session:
        found = shift.current(session, doors().settings.node_id, till_id)
    if found is None:
        raise NotFound("no-open-shift", "The till is not open. Open it with its float first.", till_id=till_id)
    return jsonify(shift_json(found))


@bp.post("/<shift_id>/count")
@requires("shift")
def begin_count(shift_id: str) -> Response:
    """Begin the blind count; selling stops at this till."""
    parsed(Nothing)
    with write() as session:
        found = _own(session, shift_id)
        shift.begin_count(session, found, actor=g.actor, at=clock.now())
    return jsonify(shift_json(found))


@bp.post("/<shift_id>/close")
@requires("shift")
def close(shift_id: str) -> Response:
    """Close a shift with the counted cash; answers Z."""
    body = parsed(CloseShiftBody)
    with write() as session:
        found = _own(session, shift_id)
        shift.close(session, found, body.counted_minor, actor=g.actor, at=clock.now())
        wake_worker_after(session)
    return jsonify(shift_json(found) | {"z_no": found.z_no, "z_report": found.z_report})


def shift_json(found: Shift) -> dict[str, Any]:
    """Return a shift as the till's page reads it; expected cash only once it is counted (blind)."""
    return {
        "id": found.id,
        "till_id": found.till_id,
        "state": found.state,
        "opened_by": found.opened_by_name,
        "opened_at": found.opened_at.isoformat(),
        "business_day": found.business_day.isoformat(),
        "counted_minor": found.counted_minor,
        "over_short_minor": found.over_short_minor,
    }


def _own(session: Session, shift_id: str) -> Shift:
    found = session.get(Shift, (doors().settings.node_id, shift_id), with_for_update=True)
    if found is None:
        raise NotFound("no-such-shift", "There is no such shift in this shop.", id=shift_id)
    return found

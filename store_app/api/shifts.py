"""Open, look at, count and close a shift of this store's tills."""

from typing import Any

from flask import Blueprint, Response, g, jsonify
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.nodes.journal import Actor, Context
from pos.till import shift, shift_report
from pos.till.shift_book import Shift
from store_app.api.bodies import CloseShiftBody, CountBody, Nothing, OpenShiftBody, SignOverBody, takes
from store_app.runtime.doors import acting, clock, doors, read, write
from store_app.web.security import proven_by_pin, requires

bp = Blueprint("api_shifts", __name__, url_prefix="/api/shifts")


@bp.post("")
@requires("shift")
@takes(OpenShiftBody)
def open_shift(body: OpenShiftBody) -> Response:
    """Open the till with its float."""
    with write() as session:
        opened = shift.open_shift(
            acting(session),
            doors().settings.node_id,
            body.till_id,
            body.float_minor if body.pieces is None else body.pieces,
        )
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
        raise NotFound("no-open-shift", "The till is closed. Open it with its float first.", till_id=till_id)
    return jsonify(shift_json(found))


@bp.post("/<shift_id>/count")
@requires("shift")
@takes(CountBody)
def count(body: CountBody, shift_id: str) -> Response:
    """Begin the blind count, or write down what was counted; selling stops at this till. Expected is not told."""
    with write() as session:
        found = _own(session, shift_id)
        counted = body.counted_minor if body.pieces is None else body.pieces
        ctx = acting(session)
        if counted is None:
            shift.begin_count(ctx, found)
        else:
            shift.count(ctx, found, counted, id=body.id)
    return jsonify(shift_json(found))


@bp.post("/<shift_id>/go-on")
@requires("shift")
@takes(Nothing)
def go_on(shift_id: str) -> Response:
    """Put the count off and sell on."""
    with write() as session:
        found = _own(session, shift_id)
        shift.go_back(acting(session), found)
    return jsonify(shift_json(found))


@bp.post("/<shift_id>/close")
@requires("shift")
@takes(CloseShiftBody)
def close(body: CloseShiftBody, shift_id: str) -> Response:
    """Let the count stand and close the shift; answers Z.

    202 with `needs` when the drawer is off beyond the tolerance: the count stands and expected is told; ask again with
    a reason and an approval for the shift's id. The same command again answers the same Z, as `repeated`.
    """
    with write() as session:
        found = _own(session, shift_id)
        at, was_settled, repeated = clock.now(), found.is_settled, found.state == "closed"
        counted = body.counted_minor if body.pieces is None else body.pieces
        ctx = Context(session, g.actor, at)
        if counted is not None and not was_settled:
            shift.count(ctx, found, counted, id=body.id)
        if found.state != "closed":
            shift.settle(ctx, found)
        need = shift.wanted_leave(session, found)
        if need is not None and not was_settled and not body.why:
            answer = jsonify(shift_json(found) | {"needs": [need.facts()]})
            answer.status_code = 202
            return answer
        shift.close(ctx, found, counted, why=body.why, approvals=body.approvals)
    return jsonify(shift_json(found) | {"z_no": found.z_no, "z_report": found.z_report, "repeated": repeated})


@bp.get("/<shift_id>/x")
@requires("over_short")
def x_report(shift_id: str) -> Response:
    """Answer the shift's figures so far, to those who may know what the drawer holds: others count blind."""
    with read() as session:
        return jsonify(shift_report.x_report(session, _own(session, shift_id)))


@bp.post("/<shift_id>/x")
@requires("over_short")
@takes(Nothing)
def print_x(shift_id: str) -> Response:
    """Print the shift's figures so far."""
    with write() as session:
        document = shift.print_x(acting(session), _own(session, shift_id))
    return jsonify(document)


@bp.post("/<shift_id>/sign-over")
@requires("shift")
@takes(SignOverBody)
def sign_over(body: SignOverBody, shift_id: str) -> Response:
    """Hand the open drawer to the person whose PIN this is; an X report is printed."""
    node_id = doors().settings.node_id
    taker = proven_by_pin(body.to, body.pin)
    to = Actor(id=taker.id, name=taker.name, role=taker.role, node=node_id)
    with write() as session:
        found = _own(session, shift_id)
        shift.sign_over(acting(session), found, to)
    return jsonify(shift_json(found))


def shift_json(found: Shift) -> dict[str, Any]:
    """Return a shift as the till's page reads it; expected cash only once it is counted (blind)."""
    shown = {"expected_minor": found.expected_minor} if found.is_settled else {}
    return shown | {
        "id": found.id,
        "till_id": found.till_id,
        "state": found.state,
        "opened_by": found.opened_by_name,
        "opened_at": found.opened_at.isoformat(),
        "business_day": found.business_day.isoformat(),
        "held_by": found.holder,
        "counted_times": found.counted_times,
        "counted_minor": found.counted_minor,
        "over_short_minor": found.over_short_minor,
    }


def _own(session: Session, shift_id: str) -> Shift:
    found = session.get(Shift, (doors().settings.node_id, shift_id), with_for_update=True)
    if found is None:
        raise NotFound("no-such-shift", "Shift not found at this store.", id=shift_id)
    return found

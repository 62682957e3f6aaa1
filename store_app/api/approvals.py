"""A supervisor's leave on the spot, by PIN."""

from flask import Blueprint, Response, g, jsonify, request

from pos.store import approvals
from store_app.api.bodies import ApprovalBody, asks, takes
from store_app.runtime.doors import clock, doors, read, write
from store_app.web.security import proven_by_pin, requires

bp = Blueprint("api_approvals", __name__, url_prefix="/api")


@bp.get("/approvers")
@requires("sell")
@asks(permission="what is to be allowed")
def approvers() -> Response:
    """List who may allow `permission`."""
    permission = request.args.get("permission", "")[:40]
    with read() as session:
        people = approvals.approvers(session, doors().settings.node_id, permission)
    return jsonify(people=[{"id": person.id, "name": person.name, "role": person.role} for person in people])


@bp.post("/approvals")
@requires("sell")
@takes(ApprovalBody)
def grant(body: ApprovalBody) -> Response:
    """Grant leave for one sale; wrong PINs lock the name for who asks, not for signing in."""
    person = proven_by_pin(body.staff_id, body.pin)
    with write() as session:
        row = approvals.grant(
            session,
            person,
            permission=body.permission,
            sale_id=body.sale_id,
            why=body.why,
            covers=[one.model_dump(mode="json", exclude_none=True) for one in body.covers],
            asked_by=g.actor,
            at=clock.now(),
        )
    return jsonify(id=row.id, by=row.granted_by_name, permission=row.permission)

"""Another person at the till, by badge; the page goes where it is told."""

from flask import Blueprint, Response, jsonify, url_for

from store_app.api.bodies import BadgeBody, takes
from store_app.runtime.doors import own_doors
from store_app.web import devices, security, staff
from store_app.web.security import not_in_practice, public

bp = Blueprint("api_badge", __name__, url_prefix="/api")


@bp.post("/badge")
@public
@not_in_practice
@takes(BadgeBody)
def change_person(body: BadgeBody) -> Response:
    """Begin the session of the badge's owner, or name the number pad when the PIN is wanted too."""
    devices.refuse_from_outside()
    person, asks_pin = staff.check_badge(own_doors(), own_doors().settings.node_id, body.badge)
    till = url_for("till.page")
    if asks_pin:
        return jsonify(to=url_for("signin.pin_pad", staff_id=person.id, next=till))
    security.sign_in(person, by_badge=True)
    return jsonify(to=till)

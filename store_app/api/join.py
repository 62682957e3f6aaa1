"""Joining the network: a shop's new computer exchanges its code for a key of its own."""

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from config.errors import Invalid, NotFound, Refused
from pos import invitation
from pos.store import told_of
from store_app.api.bodies import Body, gives, shaped
from store_app.extensions import clock, csrf, doors, read, write
from store_app.security import public

bp = Blueprint("api_join", __name__, url_prefix="/api/join")
LONGEST = 40


class JoinBody(Body):
    """The code as the operator wrote it."""

    code: str = Field(min_length=1, max_length=LONGEST)


@bp.post("")
@csrf.exempt
@public
@shaped(JoinBody)
def join() -> Response:
    """Exchange a code for the shop's id and key."""
    body = request.get_json(silent=True)
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not 0 < len(code) <= LONGEST or not code.isascii():
        raise Invalid("bad-code", "Send the code as the operator wrote it.")
    with write() as session:
        given = invitation.join(session, code, at=clock.now())
    if isinstance(given, Refused):
        raise given
    store_id, key = given
    with read() as session:
        shop = told_of(session, store_id)
    return jsonify(store_id=store_id, key=key, public_url=doors().settings.public_url, store=shop)


@bp.get("/ca.pem")
@public
@gives("application/x-pem-file")
def certificate() -> Response:
    """Hand over the certificate of the network's own authority; whoever fetches it compares the fingerprint."""
    path = doors().settings.network_ca
    if path is None or not path.exists():
        raise NotFound("no-ca", "This network has a certificate every computer knows; none of its own is needed.")
    return Response(path.read_bytes(), mimetype="application/x-pem-file")

"""Joining the network: a store's new computer exchanges its code for a key of its own."""

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from config.errors import Invalid, NotFound, Refused
from config.nodes import signing_keys
from pos.store import joining
from pos.store.store import reported_of
from store_app.api.bodies import Body, gives, shaped
from store_app.runtime.doors import clock, csrf, doors, read, write
from store_app.sync import signed
from store_app.web.security import public as public_route

bp = Blueprint("api_join", __name__, url_prefix="/api/join")
LONGEST = 40


class JoinBody(Body):
    """The code as the operator wrote it."""

    code: str = Field(min_length=1, max_length=LONGEST)


@bp.post("")
@csrf.exempt
@public_route
@shaped(JoinBody)
def join() -> Response:
    """Exchange a code for the store's id and key; the request is signed with the computer's own signing key."""
    body = request.get_json(silent=True)
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str) or not 0 < len(code) <= LONGEST or not code.isascii():
        raise Invalid("bad-code", "Enter the code exactly as the operator sent it.")
    signature, place = request.headers.get(signed.HEADER), (request.method, request.path, request.query_string)
    public = signed.signed_by(signature, *place, request.get_data())
    with write() as session:
        given = joining.join(session, code, public, at=clock.now())
    if isinstance(given, Refused):
        raise given
    store_id, bearer = given
    with read() as session:
        store = reported_of(session, store_id)
        keys = [
            {"key": key.public, "since": key.made_at.isoformat()}
            for key in signing_keys.of(session, store_id)
            if key.state in ("good", "withdrawn")
        ]
    public_url = doors().settings.public_url
    return jsonify(store_id=store_id, key=bearer, public_url=public_url, store=store, signing_keys=keys)


@bp.get("/ca.pem")
@public_route
@gives("application/x-pem-file")
def certificate() -> Response:
    """Hand over the certificate of the network's own authority; whoever fetches it compares the fingerprint."""
    path = doors().settings.network_ca
    if path is None or not path.exists():
        raise NotFound("no-ca", "This network's certificate is publicly trusted; you do not need its own.")
    return Response(path.read_bytes(), mimetype="application/x-pem-file")

"""The devices people have signed in with: a signed cookie each, so that strangers' guesses keep nobody out.

Rules
-----
1. A device is known to a person who once typed their right PIN on it; for everybody else it is a stranger's.
2. The cookie opens nothing: it says where wrong PINs are counted apart (`staff`), and that somebody of this node has
   signed in here before: outside a store, that first time takes a device code as well (`pos.store.device_codes`).
"""

import datetime as dt
import secrets
from typing import Any

from flask import after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from config.errors import Refused
from store_app.runtime.doors import own_doors
from store_app.web.strangers import is_near

KEPT_FOR = dt.timedelta(days=400)
MOST_PEOPLE = 40


def of_request(staff_id: str) -> str:
    """Return the device the request comes from, as wrong tries are counted by it; '' where the person is new to it."""
    held = _held()
    return f"device:{held['id']}" if staff_id in held["people"] else ""


def is_known() -> bool:
    """Tell whether anybody has signed in on the device the request comes from."""
    return bool(_held()["people"])


def asks_code() -> bool:
    """Tell whether signing in takes a device code here: at a store, from outside, where nobody has signed in before."""
    settings = own_doors().settings
    return settings.role == "store" and not settings.practice and not is_near() and not is_known()


def refuse_from_outside() -> None:
    """Refuse what opens by itself, as a badge does, where a device code is asked for."""
    if asks_code():
        raise Refused(
            "from-outside", "This device is outside the store. Sign in with your PIN and a device code first."
        )


def remember(staff_id: str) -> None:
    """Let this answer tell the device that the person has signed in on it."""
    held = _held()
    people = [staff_id, *(one for one in held["people"] if one != staff_id)][:MOST_PEOPLE]
    value = _serializer().dumps({"id": held["id"], "people": people})

    @after_this_request
    def send(answer: Any) -> Any:
        settings = current_app.config
        answer.set_cookie(
            _name(), value, max_age=KEPT_FOR, httponly=True, samesite="Lax", secure=settings["SESSION_COOKIE_SECURE"]
        )
        return answer


def _held() -> dict[str, Any]:
    try:
        held: dict[str, Any] = _serializer().loads(request.cookies.get(_name(), ""))
    except BadSignature:
        return {"id": secrets.token_urlsafe(9), "people": []}
    return held


def _name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}_device"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="cornerstore-device")

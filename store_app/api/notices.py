"""Notices of payment services: signed by them, checked by their adapter; each only makes the node ask the service."""

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict

from store_app.api.bodies import gives, shaped
from store_app.payments import notices
from store_app.runtime.doors import csrf, doors
from store_app.web.security import public

bp = Blueprint("api_notices", __name__, url_prefix="/api/notices")


class NoticeBody(BaseModel):
    """What a service reports, each in a form of its own."""

    model_config = ConfigDict(extra="allow")


@bp.post("/<provider>")
@csrf.exempt
@public
@gives("text/plain")
@shaped(NoticeBody)
def notice(provider: str) -> Response:
    """Take a notice; its answer says nothing of the payment. One service expects this very word."""
    notices.take(doors(), provider, request.get_data(), dict(request.headers))
    return Response("success", content_type="text/plain")

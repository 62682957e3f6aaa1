"""How a refusal is answered: one table from kinds to status codes; a page, a fragment or JSON.

Nothing else turns an error into an answer. What nobody foresaw is logged and answered with a plain page and 500.
"""

from typing import Any

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from config.errors import Conflict, Invalid, NotFound, Refused, ShopError, Unreachable
from store_app.security import asks_for_json
from store_app.sentences import sentence_of

STATUS: dict[type[ShopError], int] = {Invalid: 422, NotFound: 404, Refused: 409, Conflict: 409, Unreachable: 503}
FORBIDDEN = frozenset({"not-allowed"})
"""Codes of a Refused that is about the person, not about the goods: 403."""
log = structlog.get_logger()


def status_of(refusal: ShopError) -> int:
    """Return the HTTP status of a refusal."""
    if refusal.code in FORBIDDEN:
        return 403
    return next((status for kind, status in STATUS.items() if isinstance(refusal, kind)), 400)


def answer(status: int, code: str, message: str, facts: dict[str, Any] | None = None) -> Response:
    """Answer a refusal as whoever asked can read it: JSON, a fragment for htmx, or a page."""
    if asks_for_json():
        made = jsonify(error={"code": code, "message": message, "facts": facts or {}})
    elif request.headers.get("HX-Request"):
        made = Response(render_template("refusal_note.html", message=message, facts=facts or {}), mimetype="text/html")
        made.headers["HX-Retarget"], made.headers["HX-Reswap"] = "#page", "afterbegin"
    else:
        made = Response(render_template("refusal.html", status=status, message=message), mimetype="text/html")
    made.status_code = status
    return made


def set_up(app: Flask) -> None:
    """Register the answers, and `fault_words` for the pages that say a refusal themselves."""
    app.add_template_global(sentence_of, "fault_words")

    @app.errorhandler(ShopError)
    def _shop_error(refusal: ShopError) -> Response:
        return answer(status_of(refusal), refusal.code, sentence_of(refusal), refusal.facts)

    @app.errorhandler(HTTPException)
    def _http_error(fault: HTTPException) -> Any:
        status = fault.code or 500
        if status < 400:
            return fault.get_response()
        sentences = {
            404: _("There is nothing at this address."),
            405: _("This address does not do that."),
            413: _("This is too large to be taken."),
        }
        made = answer(status, fault.name.lower().replace(" ", "-"), sentences.get(status) or fault.description or "")
        for name, value in fault.get_headers():
            if name in ("Allow", "Retry-After"):
                made.headers[name] = value
        return made

    @app.errorhandler(Exception)
    def _unforeseen(fault: Exception) -> Response:
        log.error("unforeseen", path=request.path, method=request.method, exc_info=fault)
        words = _("Something went wrong on our side. Nothing was half written; please try again.")
        try:
            return answer(500, "unforeseen", words)
        except Exception:  # the answer itself may need what is broken
            log.exception("the page of the fault failed too")
            return Response(words, status=500, mimetype="text/plain")

"""How a refusal is answered: one table from kinds to status codes; a page, a fragment or JSON.

Nothing else turns an error into an answer. What nobody foresaw is logged and answered with a plain page and 500.
A database that cannot do what it was asked says in words what to do now, with 503: a till takes that for no answer and
asks whether its sale is there. After a fault of the disk every handle on the books is let go, and what comes next reads
them from the disk again: what a handle remembers that could not write is not to be believed. A browser whose practice
store was deleted while it asked is sent to ask again, without it.
"""

import errno
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused, Unreachable
from store_app.runtime.doors import doors, is_practice_over
from store_app.web.security import asks_for_json
from store_app.words.refusals import sentence_of

OF_CODE = {
    "not-allowed": 403,
    "another-stores-key": 403,
    "unsigned": 403,
    "unknown-signing-key": 403,
    "signing-key-withdrawn": 403,
    "wrong-signature": 403,
    "key-revoked": 401,
    "key-expired": 401,
    "key-lacks-scope": 403,
    "too-old": 426,
    "body-too-large": 413,
}
"""Codes that say more than their kind: about the person or the key, the program, the size, not about the goods."""
STATUS: dict[type[DomainError], int] = {Invalid: 422, NotFound: 404, Refused: 409, Conflict: 409, Unreachable: 503}
TROUBLES = {
    "disk-full": _l("This computer’s disk is full. Nothing was saved. Free some space, then try again."),
    "disk-fault": _l(
        "This computer’s disk has an error. Check that the last sale is there and restart the "
        "computer. If it happens again, stop selling on it."
    ),
    "books-damaged": _l(
        "The database file is damaged. Stop selling on this computer and restore the last backup to another disk."
    ),
    "books-busy": _l("The database is busy. Nothing was saved; try again in a few seconds."),
    "database-away": _l("The database cannot be reached. Nothing was saved; try again in a minute."),
}
"""What a database's fault says to people."""
UNFORESEEN = _l("Something went wrong on our side. Nothing was saved; please try again.")
_OF_SQLITE = {
    "SQLITE_FULL": "disk-full", "SQLITE_IOERR": "disk-fault", "SQLITE_CANTOPEN": "disk-fault",
    "SQLITE_CORRUPT": "books-damaged", "SQLITE_NOTADB": "books-damaged", "SQLITE_BUSY": "books-busy",
    "SQLITE_LOCKED": "books-busy",
}  # fmt: skip
_DAMAGE = ("unsupported file format", "attached databases must use the same text encoding as main database")
"""What SQLite says of a header that is damaged, under its code for faults in a statement."""
_OF_POSTGRES = {"08": "database-away", "57P": "database-away", "53100": "disk-full", "58": "disk-fault",
                "XX001": "books-damaged", "XX002": "books-damaged", "40": "books-busy", "53": "books-busy"}  # fmt: skip
_OF_SYSTEM = {errno.ENOSPC: "disk-full", errno.EDQUOT: "disk-full", errno.EIO: "disk-fault", errno.EROFS: "disk-fault"}
_LETS_GO = ("disk-fault", "books-damaged")
RETRY_S = "5"
log = structlog.get_logger()


def status_of(refusal: DomainError) -> int:
    """Return the HTTP status of a refusal."""
    of_kind = (status for kind, status in STATUS.items() if isinstance(refusal, kind))
    return OF_CODE.get(refusal.code) or next(of_kind, 400)


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

    @app.errorhandler(DomainError)
    def _domain_error(refusal: DomainError) -> Response:
        return answer(status_of(refusal), refusal.code, sentence_of(refusal), refusal.facts)

    @app.errorhandler(HTTPException)
    def _http_error(fault: HTTPException) -> Any:
        status = fault.code or 500
        if status < 400:
            return fault.get_response()
        sentences = {
            404: _("Page not found."),
            405: _("This address does not support that request."),
            413: _too_large(),
        }
        made = answer(
            status, fault.name.lower().replace(" ", "-"), str(sentences.get(status) or fault.description or "")
        )
        for name, value in fault.get_headers():
            if name in ("Allow", "Retry-After"):
                made.headers[name] = value
        return made

    @app.errorhandler(Exception)
    def _fault(fault: Exception) -> ResponseReturnValue:
        if is_practice_over():
            return redirect(request.full_path, 307)
        if not isinstance(fault, sa.exc.DBAPIError) or (code := trouble_of(fault)) is None:
            log.error("unforeseen", route=_route(), method=request.method, exc_info=fault)
            return _even_so(500, "unforeseen", UNFORESEEN)
        log.error("trouble with the database", route=_route(), trouble=code, said=str(fault.orig))
        if code in _LETS_GO:
            with suppress(OSError):  # nothing at all can be opened: whoever comes next tries again
                doors().database.reopen()
        made = _even_so(503, code, TROUBLES[code])
        made.headers["Retry-After"] = RETRY_S
        return made


def _route() -> str:
    """Return the address's pattern: a code or token in the address itself belongs in no log."""
    return request.url_rule.rule if request.url_rule else "none"


def _too_large() -> str:
    """Say how large what is sent may be, and what to do, where its size is why it is refused."""
    most = request.max_content_length
    if most is None or (request.content_length is not None and request.content_length <= most):
        return _("That is too large to accept.")
    size = f"{most / 1_000_000:.3g} MB" if most >= 1_000_000 else f"{most / 1000:.3g} KB"
    return _("That is too large: you can send up to %(size)s at once. Make it smaller, or split it.", size=size)


def trouble_of(fault: Exception) -> str | None:
    """Return the code of what is the matter with the database or its disk; None where the fault is ours."""
    if isinstance(fault, OSError):
        return _OF_SYSTEM.get(fault.errno or 0)
    orig = getattr(fault, "orig", fault)
    name = getattr(orig, "sqlite_errorname", None)
    if name is not None:
        if name == "SQLITE_ERROR" and str(orig) in _DAMAGE:
            return "books-damaged"
        return _OF_SQLITE.get("_".join(str(name).split("_")[:2]))
    state = getattr(orig, "sqlstate", None)
    if state is None:
        return "database-away" if isinstance(fault, sa.exc.OperationalError) else None
    return next((code for start, code in _OF_POSTGRES.items() if str(state).startswith(start)), None)


# --- inside ---


def _even_so(status: int, code: str, words: Any) -> Response:
    """Answer although the language and the page may need what is broken: at worst in plain English."""
    try:
        return answer(status, code, str(words))
    except Exception:
        log.exception("the page of the fault failed too")
    with force_locale("en"):
        if asks_for_json():
            return answer(status, code, str(words))
        return Response(str(words), status=status, mimetype="text/plain")

"""Light, dark, or as the device: kept in a cookie of this browser, so that the next page comes in it at once."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from store_app.pages.common import form
from store_app.runtime.doors import doors
from store_app.web.presenting import LOOKS, look_cookie
from store_app.web.security import public

bp = Blueprint("look", __name__)
KEPT_S = 31_536_000


@bp.post("/look")
@public
def choose() -> ResponseReturnValue:
    """Keep the look and go back to where it was chosen."""
    chosen = form.one_of("look", LOOKS, sentence=_("Choose light, dark or automatic."))
    answer = redirect(form.inside(request.form.get("next", "")) or url_for("signin.start"), 303)
    answer.set_cookie(
        look_cookie(), chosen, max_age=KEPT_S, samesite="Lax", httponly=True, secure=doors().settings.secure_cookies
    )
    return answer

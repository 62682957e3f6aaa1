"""Scripts and stylesheets as the build hook made them, under addresses that change with their content.

Rules
-----
1. An address carries a mark of the file's content. What a browser asked for by the right mark it keeps and never asks
   for again; anything else static is asked for each time, and answered in one line where it is the same.
2. A browser that was never at an online store gets sheet and look inside its first page: on a slow line each request
   before the first paint costs more than these kilobytes. Whoever comes with our cookie gets the sheet's address.
"""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from markupsafe import Markup

from pos.catalogue.symbols import symbol_of
from store_app.web.security import csp_nonce

BUILT = "built/"
KEPT_S = 31_536_000
SHEET = "storefront/storefront.css"


def asset(name: str) -> str:
    """Return the address of a script or a stylesheet, by its place under `static`."""
    return url_for("static", filename=BUILT + name, v=_mark(BUILT + name))


def symbol(category: str, department: str = "") -> str:
    """Return the address of the drawing that stands for a category or a department."""
    return f"{asset('common/symbols.svg')}#{symbol_of(category, department)}"


@cache
def text(name: str) -> str:
    """Return a made file's text, for what stands inside a page."""
    lines = (Path(str(current_app.static_folder)) / BUILT / name).read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith(("//# ", "/*# ")))  # where its map lies


def dress() -> Markup:
    """Return what stands in the head of an online store's page: the look, then the sheet or its address (rule 2)."""
    nonce = csp_nonce()
    look = Markup('<script nonce="{}">{}</script>').format(nonce, Markup(text("common/look.js")))  # noqa: S704  ours
    if is_known():
        return look + Markup('<link rel="stylesheet" href="{}">').format(asset(SHEET))
    return look + Markup('<style nonce="{}">{}</style>').format(nonce, Markup(text(SHEET)))  # noqa: S704  ours


def is_known() -> bool:
    """Tell whether this browser was here before, and has the online store's sheet."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies


def install(app: Flask) -> None:
    """Give templates the addresses, and let browsers keep what they name (rule 1)."""
    app.jinja_env.globals.update(asset=asset, store_dress=dress, symbol_address=symbol)

    @app.after_request
    def _keep(answer: Response) -> Response:
        mark = request.args.get("v") if request.endpoint == "static" and answer.status_code in (200, 304) else None
        if mark and mark == _mark(str((request.view_args or {})["filename"])):
            answer.headers["Cache-Control"] = f"public, max-age={KEPT_S}, immutable"
        return answer


@cache
def _mark(name: str) -> str:
    return hashlib.sha256((Path(str(current_app.static_folder)) / name).read_bytes()).hexdigest()[:16]

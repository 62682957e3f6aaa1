"""The set-up screens put together as an application of their own, with their guard, behind the entrance."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, abort, redirect, request, session
from flask_babel import gettext as _

from config import settings
from config.clock import SystemClock
from config.database import Database
from store_app.first_run import screens
from store_app.first_run.entrance import Entrance, entrance
from store_app.node.founding import FIRST_STORE
from store_app.pages.common import refusals
from store_app.runtime.doors import Doors, bootstrap, csrf
from store_app.web import manual, presenting, security
from store_app.web.strangers import concerns_others

HERE = ("127.0.0.1", "::1")


def entrance_of(folder: Path, opened: Callable[[Path], Flask], *, port: int) -> Entrance:
    """Return the entrance of a folder without a store: no database is behind its screens."""
    key = secrets.token_hex(32)
    without = settings.load(role="store", node_id=FIRST_STORE, secret_key=key, state_folder=folder)
    app = Flask("store_app")
    app.config.from_mapping(
        SECRET_KEY=key, SESSION_COOKIE_NAME="cornerstore_first_run", SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax", MAX_CONTENT_LENGTH=100_000, WTF_CSRF_TIME_LIMIT=None, BOOTSTRAP_SERVE_LOCAL=True,
    )  # fmt: skip
    app.extensions["cornerstore"] = Doors(Database(sa.create_engine("sqlite://")), SystemClock(), without)
    app.before_request(_guard)
    csrf.init_app(app)
    bootstrap.init_app(app)
    presenting.set_up(app, without)
    security.cover(app, without)
    manual.set_up(app)
    refusals.set_up(app)
    app.register_blueprint(screens.bp)
    return Entrance(folder, app, opened, port=port)


def _guard() -> Any:
    """Answer only the browser that was opened at this computer (`entrance`, rule 1)."""
    screens.speak()
    is_here = request.remote_addr in HERE and not concerns_others()
    if is_here and secrets.compare_digest(request.args.get("key", "").encode(), entrance().key.encode()):
        session["here"] = session.permanent = True
        return redirect("/", 303)
    if request.endpoint not in ("static", "bootstrap.static") and not (is_here and session.get("here")):
        abort(403, description=_("A store is being set up here. On that computer, open the address Cornerstore shows."))
    return None

"""The demonstration's own page: what this is, where everything lies, what to try, and the next day's button.

Only a practice network shows it; elsewhere the address does not exist.
"""

import datetime as dt
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import NotFound
from store_app.pages.store import notice
from store_app.runtime.doors import clock, doors
from store_app.web.presenting import page
from store_app.web.security import public

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Explain the demonstration and lead to its places."""
    board = notice.read(_state())
    day = dt.date.fromisoformat(board["day"]) if board.get("day") else None
    return page(
        "store/demo.html",
        "progress",
        board=board,
        figures=board.get("figures", {}),
        day=day,
        ended=_ended(board),
        now=clock.now(),
    )


@bp.post("/next-day")
@public
def next_day() -> ResponseReturnValue:
    """Ask for the next real day to be traded."""
    state = _state()
    board = notice.read(state)
    if not board.get("playing") and not _ended(board):
        notice.write(state, playing={"words": _("Opening the stores …"), "done": 0, "of": 0}, fault=None)
        notice.request(state).touch()
    return redirect(url_for("demo.home"), 303)


def _ended(board: dict[str, Any]) -> bool:
    return bool(board.get("day")) and board["day"] >= board.get("last_day", "9999")


def _state() -> Path:
    settings = doors().settings
    if not settings.practice or settings.practice_clock is None:
        raise NotFound("no-page", "Page not found.")
    return settings.practice_clock.parent

"""The demonstration's own page: what this is, where everything lies, what to try, and the next day's button.

Only a practice network shows it; elsewhere the address does not exist. The command that plays the demonstration writes
its notices into one JSON file: ready, day (the last day traded), keys (practice keys of the stores), figures, tally,
urls, playing ({words, done, of} while a day is played), fault, to_bring (the page of an order that waits to be brought
home).
"""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import NotFound
from store_app.runtime.doors import clock, doors
from store_app.web.presenting import page
from store_app.web.security import public

bp = Blueprint("demo", __name__, url_prefix="/demo")
BOARD = "demo.json"


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Explain the demonstration and lead to its places."""
    board = notices(_state())
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
    board = notices(state)
    if not board.get("playing") and not _ended(board):
        put_up(state, playing={"words": _("Opening the stores …"), "done": 0, "of": 0}, fault=None)
        wish(state).touch()
    return redirect(url_for("demo.home"), 303)


# --- the notices ---


def notices(state: Path) -> dict[str, Any]:
    """Return the notices in a folder; none where there is no board yet."""
    try:
        found: dict[str, Any] = json.loads((state / BOARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def put_up(state: Path, **more: Any) -> None:
    """Put notices up, leaving the others; readers never see half a board."""
    board = notices(state) | more
    beside = state / f"{BOARD}.{os.getpid()}.tmp"
    beside.write_text(json.dumps(board, indent=1), encoding="utf-8")
    beside.replace(state / BOARD)


def wish(state: Path) -> Path:
    """Return the file whose presence asks for the next day to be played."""
    return state / "play-next-day"


# --- inside ---


def _ended(board: dict[str, Any]) -> bool:
    return bool(board.get("day")) and board["day"] >= board.get("last_day", "9999")


def _state() -> Path:
    settings = doors().settings
    if not settings.practice or settings.practice_clock is None:
        raise NotFound("no-page", "Page not found.")
    return settings.practice_clock.parent

"""The demonstration's notice board: one JSON file in its folder, read by the demo page and the command.

Keys: ready, day (the last day traded), keys (practice keys of the stores), figures, tally, urls, playing
({words, done, of} while a day is played), fault, to_bring (the page of an order that waits to be brought home).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "demo.json"


def read(state: Path) -> dict[str, Any]:
    """Return the notices; none where there is no board yet."""
    try:
        found: dict[str, Any] = json.loads((state / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def write(state: Path, **notices: Any) -> None:
    """Put notices up, leaving the others; readers never see half a board."""
    board = read(state) | notices
    beside = state / f"{NAME}.{os.getpid()}.tmp"
    beside.write_text(json.dumps(board, indent=1), encoding="utf-8")
    beside.replace(state / NAME)


def request(state: Path) -> Path:
    """Return the file whose presence asks for the next day to be played."""
    return state / "play-next-day"

"""The road, walked once over three days by the command itself; the journeys look at what it left in the books."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.clock import PracticeClock
from store_app.demo import pooling
from store_app.demo.command import all_here
from store_app.demo.road import Road
from store_app.pages.store.demo import notices
from tests.journeys.small import small_panel
from tests.store_app.conftest import build, founded, house, kept

__all__ = ["build", "founded", "house", "kept"]  # the nodes of the application's own tests
DAYS = 3
"""What was ordered in the first night comes on the second day; on the third a night went by with all that is kept."""


@dataclass
class Walked:
    """The nodes after these days on the road, how its command ended, and what it told of them."""

    road: Road
    status: int
    reported: dict[str, Any]


def silent(words: str, done: int, of: int) -> None:
    """Hear the progress and say nothing."""


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """Walk a small network for some days: build, trade, print, send, forecast, order, deliver, collect."""
    folder: Path = tmp_path_factory.mktemp("road")
    small = small_panel()
    pooling._write(folder / "panel", small)
    walk = ["demo", "--once", "--json", "--days", str(DAYS), "--state", str(folder)]
    command = [sys.executable, "-m", "store_app", *walk]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert ended.stdout, ended.stderr[-2000:]
    state = folder / "once"
    with all_here(state, small, notices(state)["keys"], None, silent) as road:
        road.network.doors.clock.set(PracticeClock(state / "clock.json").now())
        yield Walked(road, ended.returncode, json.loads(ended.stdout.splitlines()[-1]))

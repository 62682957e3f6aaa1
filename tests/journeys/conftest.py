"""The road, walked once over three days; the journeys look at what it left in the books."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from store_app.demo.command import all_here
from store_app.demo.command import build as build_demo
from store_app.demo.road import Road, Tally
from tests.journeys.small import small_panel
from tests.store_app.conftest import build, founded, house, kept

__all__ = ["build", "founded", "house", "kept"]  # the nodes of the application's own tests


@dataclass
class Walked:
    """The road after three days, and what happened on it."""

    road: Road
    tally: Tally


def silent(words: str, done: int, of: int) -> None:
    """Hear the progress and say nothing."""


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """Walk a small network for three days: build, trade, print, send, forecast, order, deliver, collect."""
    state: Path = tmp_path_factory.mktemp("road")
    panel = small_panel()
    keys = build_demo(state, panel, network_database=None, told=silent)
    with all_here(state, panel, keys, None, silent) as road:
        road.begin()
        for n in range(3):
            road.walk(panel.cut_off + dt.timedelta(days=n))
        yield Walked(road, road.finish())

"""Work for many stores in transactions of their own: who trips keeps no other one waiting, and what is away all."""

import pytest
import sqlalchemy as sa

from config.errors import Refused, Unreachable
from config.nodes.journal import Actor
from store_app.runtime.doors import alone
from supply import isolation
from tests.store_app.conftest import STORE

ACTOR = Actor.system("test", "network")


def part(network, fault: Exception | None) -> None:
    with alone(network.doors, "publish", STORE, actor=ACTOR):
        if fault is not None:
            raise fault


@pytest.mark.parametrize("fault", [ValueError("odd row\nin full"), Refused("odd", "odd row")])
def test_who_trips_is_noted_once_and_goes_no_further(network, fault):
    for _night in range(2):
        part(network, fault)
    part(network, None)
    with network.doors.read() as session:
        (found,) = isolation.lately(session, at=network.doors.now())
    assert (found.store_id, found.work, found.why.message.endswith("odd row")) == (STORE, "publish", True)


@pytest.mark.parametrize(
    "fault",
    [Unreachable("computing-stopped", "It stopped."), sa.exc.OperationalError("select", {}, Exception("locked"))],
)
def test_what_is_away_is_nobody_s_odd_row(network, fault):
    with pytest.raises(type(fault)):
        part(network, fault)
    with network.doors.read() as session:
        assert isolation.lately(session, at=network.doors.now()) == []

"""What a store says it takes on a usual day: until when it counts, what it changes, and who is told."""

import datetime as dt
from dataclasses import replace

import pytest

from config.errors import Invalid, Refused
from config.nodes.journal import Actor, Context
from pos.store.store import Store, found_as_reported, reported_of
from supply.demand import expected, forecasts, rollups, stated_sales
from supply.online.storefront import storefront
from tests.supply.online_store import ANA, STORE, make_town
from tests.supply.online_store import AT as NOON
from tests.supply.sold import AT, DAY, day, make_node

WEI = Actor("wei", "Wei", "shopkeeper", "S1")


@pytest.fixture
def network(tmp_path):
    """Keep a network of two stores of a region: S2 has sold bread for 2.50 a hundred days long, S1 nothing yet."""
    database = make_node(tmp_path / "network.db")
    with database.write() as session:
        rollups.import_history(session, iter([("S2", "bread", day(n), 20, 5000, 10) for n in range(-99, 1)]))
    yield database
    database.engine.dispose()


def say(database, minor):
    with database.write() as session:
        return stated_sales.state(Context(session, WEI, AT), "S1", minor)


def test_a_shop_is_forecast_and_orders_as_large_as_it_says_it_is(network):
    def level():
        with network.read() as session:
            region = forecasts.compute_region(forecasts.load_region(session, "R1", DAY))
            loaded = replace(forecasts.load_store(session, "S1", DAY), signal=region.signal)
            found = forecasts.compute_store(loaded).forecast
            first = expected.expect(session, session.get_one(Store, "S1"), {"": (["bread"], day(4))}, at=AT)[1][""]
        return found.level[found.keys.index(("S1", "bread"))], first.daily[0, 1]

    plain, ordered = level()
    assert plain == pytest.approx(20.0, rel=0.15)
    assert say(network, 3 * 5000)
    said, more = level()
    assert said == pytest.approx(3 * plain, rel=0.15)
    assert (ordered, more) == (pytest.approx(20.0), pytest.approx(60.0))
    assert say(network, 0)
    assert level() == (plain, ordered)


def test_what_is_said_counts_until_own_sales_tell(network):
    with network.write() as session:
        rows = [("S1", "bread", day(n), 2, 500, 1) for n in range(-stated_sales.OWN_DAYS + 2, 1)]
        rollups.import_history(session, iter(rows))
    assert say(network, 9000)
    assert not say(network, 9000)
    with network.write() as session:
        panel = forecasts.load_store(session, "S1", DAY).panel
        assert stated_sales.reported(session, "S1", panel, DAY).sales_amount == 9000
        rollups.import_history(session, iter([("S1", "bread", day(-60), 2, 500, 1)]))
        assert stated_sales.reported(session, "S1", panel, DAY) is None
    with pytest.raises(Refused, match="its own sales"):
        say(network, 8000)


def test_no_shop_takes_less_than_nothing(network):
    with pytest.raises(Invalid):
        say(network, -1)


def test_the_network_learns_what_a_shop_says_and_a_shop_that_joins_brings_it_along(tmp_path):
    town = make_town(tmp_path)
    town.publish()
    with town.store.write() as session:
        storefront.state_sales(Context(session, ANA, NOON), STORE, 250_000)
        storefront.state_sales(Context(session, ANA, NOON + dt.timedelta(seconds=1)), STORE, 260_000)
    town.deliver(seed=2)
    with town.network.read() as session:
        reported = reported_of(session, STORE)
    assert reported["usual_sales_minor"] == 260_000
    with town.store.write() as session:
        founded = found_as_reported(session, {**reported, "id": "S99", "slug": "s99"}, at=NOON)
        assert founded is not None
        assert founded.usual_sales_minor == 260_000
    town.store.engine.dispose()
    town.network.engine.dispose()

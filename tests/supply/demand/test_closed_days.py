"""Days on which a store stays closed: what they change in forecast, orders, the online store and at the network."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.errors import Invalid
from config.nodes.journal import Actor, Context
from pos.store.store import Store
from supply.demand import closed_days, expected, forecasts, rollups
from supply.demand.history import StoreDay
from supply.online.checkout import placing
from supply.online.storefront import storefront
from supply.online.storefront.delivery_rules import DeliveryRules
from supply.online.storefront.time_slots import PickupRules
from tests.supply.online_store import ANA, STORE, make_town
from tests.supply.online_store import AT as NOON
from tests.supply.sold import AT, DAY, day, make_node, open_store, sell

WEI = Actor("wei", "Wei", "shopkeeper", "S1")


@pytest.fixture
def node(tmp_path):
    """A store on the third of March, which sold bread on each of the hundred days before."""
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    rows = [("S1", "bread", day(n), 6 + n % 3, 600, 3) for n in range(-99, 1)]
    with database.write() as session:
        rollups.import_history(session, iter(rows))
    yield database
    database.engine.dispose()


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    town.publish()
    yield town
    town.store.engine.dispose()
    town.network.engine.dispose()


def close(node, first, last):
    with node.write() as session:
        return closed_days.close(Context(session, WEI, AT), "S1", first, last)


# --- settling them ---


def test_days_are_closed_once_and_taken_back_from_today_on(node):
    assert close(node, day(2), day(3)) == [day(2), day(3)]
    assert close(node, day(3), day(5)) == [day(4), day(5)]
    with node.write() as session:
        assert closed_days.spells(closed_days.since(session, "S1", DAY)) == [(day(2), day(5))]
        assert closed_days.reopen(Context(session, WEI, AT), "S1", day(3), day(3)) == [day(3)]
        assert closed_days.spells(closed_days.since(session, "S1", DAY)) == [(day(2), day(2)), (day(4), day(5))]
        late = AT + dt.timedelta(days=4)  # today is day(5)
        assert closed_days.reopen(Context(session, WEI, late), "S1", day(2), day(5)) == [day(5)]
        assert closed_days.since(session, "S1", DAY) == {day(2), day(4)}


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(0, 3, "closed-past"), (4, 3, "closed-backwards"), (3, 368, "closed-too-far")],
)
def test_days_gone_by_backwards_or_more_than_a_year_ahead_are_not_settled(node, first, last, code):
    with pytest.raises(Invalid) as refused:
        close(node, day(first), day(last))
    assert refused.value.code == code
    assert close(node, day(1), day(1)) == [day(1)]
    assert close(node, day(367), day(367)) == [day(367)]


# --- forecast and orders ---


def test_nothing_is_forecast_on_closed_days_and_as_much_as_before_on_the_others(node):
    def means():
        with node.read() as session:
            found = forecasts.compute_store(forecasts.load_store(session, "S1", DAY)).forecast
        return found.mean[found.keys.index(("S1", "bread"))]

    before = means()
    close(node, day(2), day(3))
    after = means()
    assert after[1:3].tolist() == [0.0, 0.0]
    assert np.delete(after, [1, 2]).tolist() == np.delete(before, [1, 2]).tolist()
    assert before[1:3].min() > 4


def test_a_past_closed_day_tells_nothing_unless_something_was_sold(node):
    close(node, day(1), day(2))
    with node.write() as session:
        for n in (1, 2, 3):
            open_store(session, "S1", day(n))  # somebody counted the stock with a till open
        sell(session, "S1", day(2), {"bread": 1})
        for n in (1, 2, 3):
            rollups.roll_up(session, ["S1"], day(n), at=AT + dt.timedelta(days=n))
        opened = [n for n in (1, 2, 3) if session.get(StoreDay, ("S1", day(n))) is not None]
    assert opened == [2, 3]


def test_what_is_wanted_until_a_day_leaves_closed_days_out_also_where_no_forecast_knew_of_them(node):
    def wanted():
        with node.read() as session:
            store = session.get_one(Store, "S1")
            found = expected.expect(session, store, {"": (["bread"], day(4))}, at=AT)[1][""]
        return found.daily[0].tolist(), found.variance[0]

    plain, spread = wanted()
    close(node, day(2), day(3))
    left, less = wanted()
    assert left == [plain[0], 0.0, 0.0, plain[3]]
    assert less == pytest.approx(spread * sum(left) / sum(plain))


# --- the online store and the network ---


def test_the_network_learns_closed_days_and_promises_nothing_on_them(town):
    tomorrow = NOON.date() + dt.timedelta(days=1)
    rules = PickupRules(days_ahead=2, delivery=DeliveryRules(on=True, lat_e6=0, lon_e6=0).to_body())
    with town.store.write() as session:
        storefront.set_rules(Context(session, ANA, NOON), STORE, rules)
        storefront.close_days(Context(session, ANA, NOON), STORE, tomorrow, tomorrow)
    town.deliver(seed=3)

    def promised():
        with town.network.read() as session:
            store = session.get_one(Store, STORE)
            found = placing.free_windows(session, store, NOON), placing.delivery_windows(session, store, NOON)
            zone = ZoneInfo(store.tz)
            return [{one.start.astimezone(zone).date() for one in some} for some in found]

    assert [tomorrow in days for days in promised()] == [False, False]
    assert all(tomorrow + dt.timedelta(days=1) in days for days in promised())
    with town.store.write() as session:
        storefront.reopen_days(Context(session, ANA, NOON), STORE, tomorrow, tomorrow)
    town.deliver()
    assert [tomorrow in days for days in promised()] == [True, True]


def test_an_older_word_of_closed_days_does_not_undo_a_newer_one(town):
    days = [NOON.date() + dt.timedelta(days=n) for n in (1, 2, 3)]
    with town.store.write() as session:
        for one in days:
            storefront.close_days(Context(session, ANA, NOON), STORE, one, one)
    town.deliver(seed=1)
    with town.network.read() as session:
        assert closed_days.since(session, STORE, NOON.date()) == set(days)

"""A day beside the same weekday before: cut at the same time on the wall, and the last day that was closed."""

import datetime as dt
from zoneinfo import ZoneInfo

from pos.reports import day
from pos.store.store import store_of
from tests.builders import FLOAT_MINOR, STORE, open_store

ZONE = ZoneInfo("America/New_York")
BEFORE_SPRING = dt.datetime(2026, 3, 4, 10, 30, tzinfo=ZONE)
"""A Wednesday morning before the clocks go forward on Sunday, March 8."""


def compared(store, at):
    return store.read(lambda session: day.compared(session, store_of(session, STORE), at.date(), at))


def at_a_store_in_new_york(tmp_path):
    store = open_store(tmp_path)
    with store.write() as session:
        store_of(session, STORE).tz = ZONE.key
    return store


def test_the_week_before_is_cut_at_the_same_time_on_the_wall_over_a_change_of_the_clocks(tmp_path):
    store = at_a_store_in_new_york(tmp_path)
    sold = []
    for at in (BEFORE_SPRING, BEFORE_SPRING.replace(hour=11), BEFORE_SPRING.replace(hour=15)):
        store.clock.set(at.astimezone(dt.UTC))
        sold.append(store.sell([("bread", 1)]).sale.total_minor)
    later = BEFORE_SPRING.replace(day=11)
    store.clock.set(later.astimezone(dt.UTC))
    store.sell([("bread", 2)])
    found = compared(store, BEFORE_SPRING.replace(day=11, hour=10, minute=45))
    assert found.sales.total_minor == 2 * sold[0]
    assert (found.so_far.total_minor, found.so_far.customers) == (
        sold[0],
        1,
    )  # one o'clock more or less would add 11:00
    assert (found.before.total_minor, dict(found.before.hours)) == (
        sum(sold),
        dict(zip((10, 11, 15), sold, strict=True)),
    )
    assert found.change_bp == 10_000


def test_a_return_lowers_the_sales_and_is_no_customer(tmp_path):
    store = open_store(tmp_path)
    done = store.sell([("bread", 2)])
    store.take_back(done.sale.id, [(1, 1)])
    found = compared(store, store.now)
    assert (found.sales.customers, found.sales.total_minor) == (1, done.sale.total_minor // 2)
    assert (found.before, found.change_bp) == (None, None)


def test_the_last_day_that_was_closed_is_shown_and_not_an_older_one(tmp_path):
    store = open_store(tmp_path)
    first = store.close_till()
    store.clock.advance(2 * 86_400)
    store.open_till()
    second = store.close_till(FLOAT_MINOR - 50)
    store.clock.advance(86_400)
    store.open_till()

    def look(session):
        return [[one.id for one in day.closes(session, STORE, on)] for on in (store.now.date(), first.business_day)], [
            shift.state for _till, shift in day.tills(session, STORE) if shift
        ]

    assert store.read(look) == ([[second.id], [first.id]], ["open"])

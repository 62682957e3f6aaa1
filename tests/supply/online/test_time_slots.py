"""When an order can be collected, and until when the store has to answer."""

import datetime as dt
import threading
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid, Refused
from config.nodes.journal import Context
from pos.store.opening_hours import every_day, week
from pos.store.store import Store
from supply.online.checkout import placing
from supply.online.orders import PickupOrder
from supply.online.pickup import pickup
from supply.online.storefront import storefront
from supply.online.storefront.time_slots import Hours, PickupRules, answer_by, windows
from tests.supply.online_store import ANA, AT, STORE, later, make_town

HOURS = Hours(week(every_day("07:00", "22:00")), "Asia/Shanghai")
NOON = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)  # twelve in Shanghai


def local(instant):
    return f"{instant.astimezone(dt.timezone(dt.timedelta(hours=8))):%d %H:%M}"


def test_windows_begin_after_the_time_to_gather_and_end_with_the_day():
    found = windows(PickupRules(days_ahead=1), HOURS, NOON, [])
    assert local(found[0].start) == "02 13:00"
    today = [one for one in found if local(one.start).startswith("02")]
    assert local(today[-1].end) == "02 22:00"
    assert local(found[len(today)].start) == "03 07:00"


def test_a_shop_that_closes_after_midnight_has_windows_in_the_night():
    night = Hours(week(every_day("18:00", "02:00")), "Asia/Shanghai")
    found = windows(PickupRules(days_ahead=0), night, NOON + dt.timedelta(hours=12), [])
    assert [local(one.start) for one in found] == ["03 01:00", *[f"03 {hour}:00" for hour in range(18, 24)], "04 00:00",
                                                   "04 01:00"]  # fmt: skip


SIESTA = Hours(week(every_day("09:00", "13:00,16:00-20:00")), "Asia/Shanghai")


def test_no_window_lies_in_a_midday_break_and_no_time_to_answer_runs_in_it():
    found = windows(PickupRules(days_ahead=0, window_minutes=120), SIESTA, NOON - dt.timedelta(hours=4), [])
    assert [local(one.start)[3:] for one in found] == ["09:00", "11:00", "16:00", "18:00"]
    assert local(answer_by(PickupRules(accept_minutes=90), SIESTA, NOON)) == "02 16:30"


@pytest.mark.parametrize(
    ("hours", "after_h", "is_open", "change"),
    [
        (SIESTA, 0, True, "02 13:00"),
        (SIESTA, 1, False, "02 16:00"),
        (SIESTA, 8, False, "03 09:00"),
        (Hours(week(every_day("18:00", "02:00")), "Asia/Shanghai"), 13, True, "03 02:00"),
        (
            Hours(week(every_day("18:00", "02:00")), "Asia/Shanghai", frozenset({dt.date(2026, 3, 2)})),
            13,
            False,
            "03 18:00",
        ),
        (Hours(week(every_day("09:00", "13:00,13:00-20:00")), "Asia/Shanghai"), 0, True, "02 20:00"),
        (Hours(week(every_day("06:00", "06:00")), "Asia/Shanghai"), 0, True, "10 06:00"),
    ],
    ids=["morning", "break", "evening", "night", "night of a closed day", "no break", "around the clock"],
)
def test_whether_a_store_is_open_and_until_when(hours, after_h, is_open, change):
    said, at = hours.changes(NOON + dt.timedelta(hours=after_h))
    assert (said, local(at)) == (is_open, change)


def test_a_store_opens_again_on_the_first_open_day_after_the_stretch_today_lies_in():
    monday = dt.date(2026, 3, 2)
    closed = frozenset(monday + dt.timedelta(days=n) for n in (0, 1, 3))
    hours = Hours(week(" ".join(["09:00-18:00"] * 2 + ["closed"] + ["09:00-18:00"] * 4)), "Asia/Shanghai", closed)
    assert hours.opens_again(monday) == monday + dt.timedelta(days=4), "settled days, and the weekday it never opens"
    assert hours.opens_again(monday + dt.timedelta(days=4)) is None


def test_what_waits_on_the_pickup_shelf_takes_its_places_in_later_windows_too():
    rules = PickupRules(window_orders=5, shelf_places=3, days_ahead=0)
    first = windows(rules, HOURS, NOON, [])[0].start
    found = windows(rules, HOURS, NOON, [first, first, None])
    assert {one.left for one in found} == {0}
    assert windows(rules, HOURS, NOON, [found[2].start])[0].left == 3


def test_an_order_of_the_night_is_to_be_answered_in_the_morning():
    evening = NOON + dt.timedelta(hours=9, minutes=40)  # 21:40
    assert local(answer_by(PickupRules(accept_minutes=30), HOURS, evening)) == "03 07:10"
    assert local(answer_by(PickupRules(accept_minutes=30), HOURS, NOON)) == "02 12:30"


@given(st.integers(0, 2000), st.sampled_from([15, 30, 60, 120]), st.integers(0, 5), st.integers(0, 300))
def test_windows_lie_within_the_hours_and_do_not_overlap(minute, length, days, lead):
    now = NOON + dt.timedelta(minutes=minute)
    found = windows(PickupRules(window_minutes=length, days_ahead=days, lead_minutes=lead), HOURS, now, [])
    assert all(local(one.start)[3:] >= "07:00" and local(one.end)[3:] <= "22:00" for one in found)
    assert all(one.start >= now + dt.timedelta(minutes=lead) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    "odd", [{"window_minutes": 45}, {"return_days": 16}, {"shelf_places": 0}, {"accept_minutes": 1}]
)
def test_rules_no_shop_can_keep_are_refused_with_their_bounds(odd):
    with pytest.raises(Invalid):
        PickupRules(**odd)


# --- between the nodes ---


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def settle(town, **rules):
    with town.store.write() as session:
        storefront.set_rules(Context(session, ANA, AT), STORE, PickupRules(**rules))
    town.deliver()


def test_the_last_place_of_a_window_is_given_once(town):
    settle(town, window_orders=1, days_ahead=0)
    with town.network.read() as session:
        first = placing.free_windows(session, session.get_one(Store, STORE), AT)[0].start
    gate, answers = threading.Barrier(4), []

    def order(number):
        gate.wait()
        try:
            with town.network.write() as session:
                asked = placing.OrderRequest(
                    id=f"order-0000{number}",
                    name="Li",
                    phone="555 0100",
                    lines=[("milk", 1)],
                    preferences=placing.Preferences(window_from=first),
                )
                placing.place(session, STORE, asked, at=AT)
            answers.append("placed")
        except Refused as refusal:
            answers.append(refusal.code)

    customers = [threading.Thread(target=order, args=(number,)) for number in range(4)]
    for one in customers:
        one.start()
    for one in customers:
        one.join()
    assert sorted(answers) == ["placed", "window-full", "window-full", "window-full"]
    assert town.left("milk") == 35


def test_a_full_pickup_shelf_takes_no_order(town):
    settle(town, shelf_places=1)
    town.place("order-00001", [("milk", 1)])
    with pytest.raises(Refused, match="has no pickup times left"):
        town.place("order-00002", [("milk", 1)])


def test_an_order_nobody_answers_in_time_is_refused_by_itself_and_its_units_return(town):
    settle(town, accept_minutes=30)
    town.place("order-00001", [("tea", 1)])
    town.deliver()
    for minutes, state in ((29, "placed"), (31, "refused")):
        with town.store.write() as session:
            pickup.expire_due(Context(session, ANA, later(minutes=minutes)), STORE)
        town.deliver()
        assert town.state("order-00001") == (state, state)
    assert town.left("tea") == 1
    with town.network.read() as session:
        assert session.get(PickupOrder, (STORE, "order-00001")).why == "The store did not respond in time."


def test_on_a_closed_day_nothing_is_collected_and_no_time_to_answer_runs():
    closed = replace(HOURS, closed=frozenset({dt.date(2026, 3, 3)}))
    found = windows(PickupRules(days_ahead=2), closed, NOON, [])
    assert {local(one.start)[:2] for one in found} == {"02", "04"}
    evening = NOON + dt.timedelta(hours=9, minutes=40)  # 21:40
    assert local(answer_by(PickupRules(accept_minutes=30), closed, evening)) == "04 07:10"
    night = Hours(week(every_day("18:00", "02:00")), "Asia/Shanghai", frozenset({dt.date(2026, 3, 2)}))
    found = windows(PickupRules(days_ahead=0), night, NOON + dt.timedelta(hours=12), [])
    assert local(found[0].start) == "03 18:00"

"""What a store says of itself reaches the network, each as what it must be, and never its name or currency."""

import datetime as dt

import pytest

from config.errors import Invalid
from config.nodes.journal import Context
from pos.store.store import Store
from supply.demand import closed_days, expected
from supply.online.storefront import availability, particulars
from supply.online.storefront.time_slots import PickupRules, windows
from tests.arriving import hear
from tests.supply.online_store import ANA, AT, STORE, later, make_town

WEEK = "07:00-22:00 closed 07:00-22:00 07:00-22:00 07:00-22:00 09:00-13:00 closed"
TUESDAY = dt.date(2026, 3, 3)


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    yield town
    town.store.engine.dispose()
    town.network.engine.dispose()


def change(town, **said):
    with town.store.write() as session:
        particulars.change(Context(session, ANA, AT), STORE, **said)
    town.deliver()
    with town.network.read() as session:
        return session.get_one(Store, STORE)


def test_the_network_offers_pickup_by_the_hours_and_the_clock_the_store_settled(town):
    there = change(town, opening_hours=WEEK, language="de", tz="Asia/Tokyo", name="Other name")
    assert (there.opening_hours, there.language, there.tz, there.name) == (WEEK, "de", "Asia/Tokyo", f"Store {STORE}")
    with town.network.read() as session:
        hours = availability.hours_of(session, there, later(hours=-9))  # nine in the morning in Tokyo
    found = windows(PickupRules(days_ahead=6), hours, later(hours=-9), [])
    days = sorted({one.start.astimezone(dt.timezone(dt.timedelta(hours=9))).date() for one in found})
    assert [day.weekday() for day in days] == [0, 2, 3, 4, 5]


def test_nothing_is_expected_on_a_weekday_the_store_is_closed(town):
    change(town, opening_hours=WEEK)
    with town.store.read() as session:
        store = session.get_one(Store, STORE)
        assert closed_days.shut(session, store, TUESDAY, TUESDAY + dt.timedelta(days=6)) == {
            TUESDAY, TUESDAY + dt.timedelta(days=5)
        }  # fmt: skip
        assert closed_days.shut_on(session, [STORE, "S08"], TUESDAY) == {STORE}
        open_at, shut_at = (expected.today_left(store, later(days=n, hours=-8)) for n in (2, 1))
    assert (open_at > 0, shut_at) == (True, 0.0)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"opening_hours": " ".join(["closed"] * 7)}, "never-open"),
        ({"opening_hours": "always"}, "bad-hours"),
        ({"tz": "No/Where"}, "bad-zone"),
        ({"language": "xx"}, "bad-choice"),
        ({"address": "x" * 161}, "not-a-line"),
    ],
)
def test_the_network_refuses_what_no_store_can_say_of_itself(town, said, code):
    body = {
        "store_id": STORE, "edition": 10**13, "taking_orders": True, "published_at": AT.isoformat(), "seen_through": 0,
        "seen_also": [], "offers": [], "particulars": said,
    }  # fmt: skip
    with town.network.write() as session, pytest.raises(Invalid) as refused:
        hear(session, "storefront.published", body, at=AT)
    assert refused.value.code == code


def test_what_the_network_settles_is_not_taken_from_the_store(town):
    body = {
        "store_id": STORE, "edition": 10**13, "taking_orders": True, "published_at": AT.isoformat(), "seen_through": 0,
        "seen_also": [], "offers": [], "particulars": {"name": "Mine", "currency": "EUR", "phone": "555"},
    }  # fmt: skip
    with town.network.write() as session:
        hear(session, "storefront.published", body, at=AT)
        store = session.get_one(Store, STORE)
        assert (store.name, store.currency, store.phone) == (f"Store {STORE}", "CNY", "555")

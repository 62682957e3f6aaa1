"""Some goods are sold only at some hours, by the clock on the store's wall; no leave helps."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from config.errors import Invalid, NotFound, Refused
from config.nodes.journal import Context, JournalEntry
from pos.catalogue import selling_hours
from pos.catalogue.catalogue import Product
from pos.sale import sale
from tests.builders import NOON, STORE

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def strict(store):
    """Give a store that sells wine from 8 to 22 o'clock only."""
    with store.write() as session:
        session.get_one(Product, "wine").category = "Wine"
    hours(store, "Wine", 8, 22)
    return store


def hours(store, kind, since, until):
    with store.write() as session:
        selling_hours.set_hours(Context(session, store.wei, NOON), STORE, kind, since * 60, until * 60)


def asked(store, hour, minute=0, lines=(("wine", 1), ("milk", 1))):
    at = dt.datetime(2026, 3, 2, hour, minute, tzinfo=BERLIN)
    return store.read(lambda session: sale.quote(session, STORE, lines, at=at))


@pytest.mark.parametrize(("hour", "minute"), [(7, 59), (22, 0), (23, 30), (0, 0)])
def test_outside_its_hours_a_product_is_refused_with_its_hours(strict, hour, minute):
    with pytest.raises(Refused, match=r"only from 8:00.AM to 10:00.PM") as refusal:
        asked(strict, hour, minute)
    assert (refusal.value.code, refusal.value.facts["sku"]) == ("outside-hours", "wine")
    assert asked(strict, hour, minute, [("milk", 1)]).basket.lines_minor == 129


@pytest.mark.parametrize(("hour", "minute"), [(8, 0), (12, 0), (21, 59)])
def test_within_its_hours_it_is_sold(strict, hour, minute):
    assert asked(strict, hour, minute).basket.lines_minor == 699 + 129


def test_the_shops_clock_decides_when_the_money_is_taken_and_nothing_is_written(strict):
    request = strict.request([("wine", 1)])
    late = dt.datetime(2026, 3, 2, 22, 0, tzinfo=BERLIN)
    with pytest.raises(Refused) as refusal, strict.write() as session:
        sale.complete(Context(session, strict.wei, late), request)  # the shopkeeper may not either
    assert refusal.value.code == "outside-hours"
    assert strict.level("wine").on_hand == 20
    assert not strict.complete(request).repeated


def test_a_sale_completed_in_time_is_answered_again_later(strict):
    request = strict.request([("wine", 1)])
    strict.complete(request)
    with strict.write() as session:
        late = dt.datetime(2026, 3, 2, 23, tzinfo=BERLIN)
        assert sale.complete(Context(session, strict.ana, late), request).repeated


@pytest.mark.parametrize(("hour", "sold"), [(21, False), (22, True), (1, True), (2, False), (12, False)])
def test_hours_over_midnight_end_the_next_morning(strict, hour, sold):
    hours(strict, "Wine", 22, 2)
    if sold:
        assert asked(strict, hour).basket.lines_minor == 699 + 129
    else:
        with pytest.raises(Refused):
            asked(strict, hour)


def test_hours_of_the_aisle_and_of_the_category_hold_both(strict):
    with strict.write() as session:
        session.get_one(Product, "wine").department = "Drinks"
    hours(strict, "Drinks", 10, 23)
    for hour in (9, 22):
        with pytest.raises(Refused):
            asked(strict, hour)
    assert asked(strict, 10).basket.lines_minor == 699 + 129


def test_what_comes_back_comes_back_at_any_hour(strict):
    sold = strict.sell([("wine", 1)])
    strict.clock.set(dt.datetime(2026, 3, 2, 23, tzinfo=BERLIN))
    assert strict.take_back(sold.sale.id, [(1, 1)]).document["total_minor"] == -699


def test_hours_can_be_lifted_and_both_are_in_the_journal(strict):
    with strict.write() as session:
        selling_hours.lift(Context(session, strict.wei, NOON), STORE, "Wine")
        selling_hours.lift(Context(session, strict.wei, NOON), STORE, "Wine")
    assert asked(strict, 23).basket.lines_minor == 699 + 129
    verbs = strict.read(lambda session: [row.verb for row in session.query(JournalEntry)])
    assert [verb for verb in verbs if verb.startswith("selling_hours")] == ["selling_hours.set", "selling_hours.lifted"]


@pytest.mark.parametrize(("since", "until"), [(480, 480), (-1, 480), (480, 1440)])
def test_hours_no_day_has_are_refused(strict, since, until):
    with pytest.raises(Invalid), strict.write() as session:
        selling_hours.set_hours(Context(session, strict.wei, NOON), STORE, "Wine", since, until)


def test_an_aisle_nothing_stands_in_gets_no_hours(strict):
    with pytest.raises(NotFound):
        hours(strict, "Spirits", 8, 22)

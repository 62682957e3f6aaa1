"""Check these: the products whose record is most likely wrong, few of them, each with its reason."""

import datetime as dt

import pytest

from config.clock import day_start
from config.ids import new_id
from config.nodes.journal import Context
from pos.stock import batches, checklist, stock, waste
from pos.stock.batches import Lot
from pos.stock.checklist import MOST_LINES, CheckLine, Pace, quiet_days
from tests.builders import NOON, STORE, Goods, OpenStore, open_store

TODAY = NOON.date()


def check(store: OpenStore, days: int = 0) -> list[CheckLine]:
    day = TODAY + dt.timedelta(days=days)
    since = day_start(day, "Europe/Berlin", 4)
    return store.read(lambda session: checklist.check_these(session, STORE, day=day, since=since))


def reasons(store: OpenStore, days: int = 0) -> dict[str, str]:
    return {line.sku: line.kind for line in check(store, days)}


def count(store: OpenStore, sku: str, qty: int) -> None:
    with store.write() as session:
        stock.count(Context(session, store.wei, store.now), STORE, sku, qty)


def count_all(store: OpenStore) -> None:
    for sku in ("milk", "bread", "tea", "wine"):
        count(store, sku, 20)
    count(store, "cheese", 5000)


def test_a_shop_counted_today_has_nothing_to_check(store):
    count_all(store)
    assert check(store) == []


def test_a_record_below_zero_comes_first_and_a_count_answers_it(store):
    store.sell([("milk", 21)])
    first = check(store)[0]
    assert (first.sku, first.kind, first.on_hand, first.worth_minor) == ("milk", "below-zero", -1, 129)
    count(store, "milk", 0)
    assert "milk" not in reasons(store)


def test_a_count_that_is_asked_for_is_on_the_list(store):
    count_all(store)
    with store.write() as session:
        stock.reserve(Context(session, store.wei, NOON), STORE, "order-1", [("milk", 20)])
    store.sell([("milk", 3)])
    store.clock.advance(86_400)
    (line,) = check(store, 1)
    assert (line.sku, line.kind, line.task_reason) == ("milk", "count-asked", "held-beyond-stock")


def test_what_is_over_today_is_on_the_list_until_somebody_has_looked(store):
    count_all(store)
    store.clock.advance(86_400)
    source = new_id()
    with store.write() as session:
        stock.receive(Context(session, store.wei, store.now), STORE, [("bread", 4)], source_id=source)
        lot = Lot("bread", 4, None, TODAY + dt.timedelta(days=1))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id=source, at=store.now)
    (line,) = check(store, 1)
    assert (line.sku, line.kind, line.expires_qty, line.worth_minor) == ("bread", "expired", 4, 4 * 349)
    count(store, "bread", 24)
    assert check(store, 1) == []


def test_a_fast_seller_that_stopped_while_the_records_say_there_is_some_is_on_the_list(store):
    count_all(store)
    for _ in range(8):
        store.clock.advance(86_400)
        store.sell([("tea", 1)])
    store.clock.advance(86_400)
    assert "tea" not in reasons(store, 9)
    store.clock.advance(4 * 86_400)
    line = next(line for line in check(store, 13) if line.sku == "tea")
    assert (line.kind, line.quiet_days, line.per_day) == ("not-selling", 4, 1.0)
    count(store, "tea", 0)
    assert "tea" not in reasons(store, 13)


@pytest.mark.parametrize(
    ("sales", "first", "last", "days"),
    [
        (120, 28, 2, 1),  # four a day, silent for a day
        (60, 28, 1, None),  # sold yesterday
        (8, 28, 4, None),  # slow: a week of silence is nothing
        (4, 10, 9, None),  # too few sales to know
    ],
)
def test_a_quiet_spell_is_unusual_only_for_its_own_pace(sales, first, last, days):
    pace = Pace(sales, TODAY - dt.timedelta(days=first), TODAY - dt.timedelta(days=last))
    assert quiet_days(pace, TODAY) == days


def test_what_was_stolen_or_found_missing_is_counted_again_after_a_while(store):
    count_all(store)
    count(store, "wine", 15)
    with store.write() as session:
        waste.write_off(Context(session, store.wei, NOON), STORE, waste.WriteOff("tea", 2, "theft"))
    assert check(store) == []
    reported = {line.sku: line for line in check(store, 15)}
    assert {sku: (line.kind, line.lost_qty) for sku, line in reported.items()} == {
        "wine": ("lost", 5),
        "tea": ("lost", 2),
    }
    assert [line.sku for line in check(store, 15)] == ["wine", "tea"]  # the dearer loss first


def test_what_was_never_counted_is_asked_by_what_it_is_worth(store):
    lines = check(store)
    assert [(line.sku, line.kind) for line in lines][:2] == [("wine", "never-counted"), ("cheese", "never-counted")]
    assert lines == check(store)


def test_the_list_is_short_and_no_reason_fills_it_alone(tmp_path):
    store = open_store(tmp_path, goods=[Goods(f"p{n:02}", f"Product {n:02}", 100 + n, "") for n in range(40)])
    store.sell([(f"p{n:02}", 21) for n in range(20)])
    lines = check(store)
    assert len(lines) == MOST_LINES
    assert [line.kind for line in lines] == ["below-zero"] * 10 + ["never-counted"] * 2
    assert [line.sku for line in lines[:3]] == ["p19", "p18", "p17"]
    assert lines == check(store)

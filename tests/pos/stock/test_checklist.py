"""Check these: the products whose record is most likely wrong, few of them, each with its reason."""

import datetime as dt

import pytest

from config.clock import day_start
from config.ids import new_id
from pos.stock import batches, checklist, stock, waste
from pos.stock.batches import Lot
from pos.stock.checklist import MOST_LINES, CheckLine, Pace, quiet_days
from tests.builders import NOON, STORE, Goods, Shop, open_shop

TODAY = NOON.date()


def check(shop: Shop, days: int = 0) -> list[CheckLine]:
    day = TODAY + dt.timedelta(days=days)
    since = day_start(day, "Europe/Berlin", 4)
    return shop.read(lambda session: checklist.check_these(session, STORE, day=day, since=since))


def reasons(shop: Shop, days: int = 0) -> dict[str, str]:
    return {line.sku: line.kind for line in check(shop, days)}


def count(shop: Shop, sku: str, qty: int) -> None:
    with shop.write() as session:
        stock.count(session, STORE, sku, qty, actor=shop.wei, at=shop.now)


def count_all(shop: Shop) -> None:
    for sku in ("milk", "bread", "tea", "wine"):
        count(shop, sku, 20)
    count(shop, "cheese", 5000)


def test_a_shop_counted_today_has_nothing_to_check(shop):
    count_all(shop)
    assert check(shop) == []


def test_a_record_below_zero_comes_first_and_a_count_answers_it(shop):
    shop.sell([("milk", 21)])
    first = check(shop)[0]
    assert (first.sku, first.kind, first.on_hand, first.worth_minor) == ("milk", "below-zero", -1, 129)
    count(shop, "milk", 0)
    assert "milk" not in reasons(shop)


def test_a_count_that_is_asked_for_is_on_the_list(shop):
    count_all(shop)
    with shop.write() as session:
        stock.reserve(session, STORE, "order-1", [("milk", 20)], actor=shop.wei, at=NOON)
    shop.sell([("milk", 3)])
    shop.clock.advance(86_400)
    (line,) = check(shop, 1)
    assert (line.sku, line.kind, line.task_reason) == ("milk", "count-asked", "held-beyond-stock")


def test_what_is_over_today_is_on_the_list_until_somebody_has_looked(shop):
    count_all(shop)
    shop.clock.advance(86_400)
    source = new_id()
    with shop.write() as session:
        stock.receive(session, STORE, [("bread", 4)], source_id=source, actor=shop.wei, at=shop.now)
        lot = Lot("bread", 4, None, TODAY + dt.timedelta(days=1))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id=source, at=shop.now)
    (line,) = check(shop, 1)
    assert (line.sku, line.kind, line.expires_qty, line.worth_minor) == ("bread", "expired", 4, 4 * 349)
    count(shop, "bread", 24)
    assert check(shop, 1) == []


def test_a_fast_seller_that_stopped_while_the_records_say_there_is_some_is_on_the_list(shop):
    count_all(shop)
    for _ in range(8):
        shop.clock.advance(86_400)
        shop.sell([("tea", 1)])
    shop.clock.advance(86_400)
    assert "tea" not in reasons(shop, 9)
    shop.clock.advance(4 * 86_400)
    line = next(line for line in check(shop, 13) if line.sku == "tea")
    assert (line.kind, line.quiet_days, line.per_day) == ("not-selling", 4, 1.0)
    count(shop, "tea", 0)
    assert "tea" not in reasons(shop, 13)


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


def test_what_was_stolen_or_found_missing_is_counted_again_after_a_while(shop):
    count_all(shop)
    count(shop, "wine", 15)
    with shop.write() as session:
        waste.write_off(session, STORE, "tea", 2, reason="theft", actor=shop.wei, at=NOON)
    assert check(shop) == []
    told = {line.sku: line for line in check(shop, 15)}
    assert {sku: (line.kind, line.lost_qty) for sku, line in told.items()} == {"wine": ("lost", 5), "tea": ("lost", 2)}
    assert [line.sku for line in check(shop, 15)] == ["wine", "tea"]  # the dearer loss first


def test_what_was_never_counted_is_asked_by_what_it_is_worth(shop):
    lines = check(shop)
    assert [(line.sku, line.kind) for line in lines][:2] == [("wine", "never-counted"), ("cheese", "never-counted")]
    assert lines == check(shop)


def test_the_list_is_short_and_no_reason_fills_it_alone(tmp_path):
    shop = open_shop(tmp_path, goods=[Goods(f"p{n:02}", f"Product {n:02}", 100 + n, "") for n in range(40)])
    shop.sell([(f"p{n:02}", 21) for n in range(20)])
    lines = check(shop)
    assert len(lines) == MOST_LINES
    assert [line.kind for line in lines] == ["below-zero"] * 10 + ["never-counted"] * 2
    assert [line.sku for line in lines[:3]] == ["p19", "p18", "p17"]
    assert lines == check(shop)

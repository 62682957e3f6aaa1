"""A stock take while selling goes on: every scan is kept; what is booked is what was counted less what sold since."""

import contextlib
import random

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from pos.stock import stock, stocktake, waste
from pos.stock.ledger import CountTask, Place, StockCount
from pos.stock.stocktake import BIG_UNITS, CountResult
from tests.builders import GOODS, STORE, Shop

SKUS = [one.sku for one in GOODS if one.sku != "cheese"]


def tick(shop: Shop, seconds: int = 60) -> None:
    shop.clock.advance(seconds)


def start(shop: Shop, *sections: str, **wishes) -> str:
    with shop.write() as session:
        given = {"name": "Year end", "sections": sections or ("Floor",)} | wishes
        return stocktake.start(session, STORE, actor=shop.wei, at=shop.now, **given).id


def enter(shop: Shop, take: str, sku: str, qty: int, section: int = 1, **wishes) -> None:
    tick(shop)
    with shop.write() as session:
        stocktake.enter(session, STORE, take, section, sku, qty, actor=shop.wei, at=shop.now, **wishes)


def total(shop: Shop, take: str, sku: str, qty: int, section: int = 1) -> None:
    enter(shop, take, sku, qty, section, is_total=True)


def finish(shop: Shop, take: str, *sections: int) -> None:
    with shop.write() as session:
        for n in sections or (1,):
            stocktake.finish_section(session, STORE, take, n, actor=shop.wei, at=shop.now)


def close(shop: Shop, take: str, **wishes) -> None:
    tick(shop)
    with shop.write() as session:
        stocktake.begin_posting(session, STORE, take, actor=shop.wei, at=shop.now, **wishes)


def post(shop: Shop, take: str, most: int = 2) -> int:
    steps = 0
    while True:
        steps += 1
        with shop.write() as session:
            if not stocktake.post_some(session, STORE, take, most=most, actor=shop.wei, at=shop.now):
                return steps


def sell(shop: Shop, sku: str, qty: int) -> None:
    tick(shop)
    shop.sell([(sku, qty)], age_confirmed=18)


def counted(shop: Shop, take: str) -> dict[str, int]:
    def look(session):
        rows = stocktake.counted(session, stocktake.take_of(session, STORE, take))
        return {sku: row.counted_qty for sku, row in rows.items()}

    return shop.read(look)


def state(shop: Shop, take: str) -> str:
    return shop.read(lambda session: stocktake.take_of(session, STORE, take).state)


# --- counting ---


def test_scans_add_up_over_sections_and_a_total_replaces_what_was_scanned_there(shop):
    take = start(shop, "Floor", "Cold room")
    enter(shop, take, "milk", 1)
    enter(shop, take, "milk", 12)
    enter(shop, take, "milk", 5, section=2)
    assert counted(shop, take) == {"milk": 18}
    enter(shop, take, "milk", -1)
    assert counted(shop, take) == {"milk": 17}
    total(shop, take, "milk", 10)
    enter(shop, take, "milk", 1)
    assert counted(shop, take) == {"milk": 16}


def test_a_scan_sent_twice_is_kept_once(shop):
    take = start(shop)
    key = new_id()
    for _ in range(2):
        enter(shop, take, "milk", 3, entry_id=key)
    assert counted(shop, take) == {"milk": 3}


def test_no_scan_is_taken_back_that_was_not_made(shop):
    take = start(shop)
    enter(shop, take, "milk", 2)
    with pytest.raises(Refused):
        enter(shop, take, "milk", -3)


@pytest.mark.parametrize("qty", [-1, 1.5, True, 10**10])
def test_a_total_is_a_whole_number_from_nothing_up(shop, qty):
    take = start(shop)
    with pytest.raises(Invalid):
        total(shop, take, "milk", qty)


def test_what_does_not_exist_is_not_counted(shop):
    take = start(shop)
    with pytest.raises(NotFound):
        enter(shop, take, "gold", 1)
    with pytest.raises(NotFound):
        enter(shop, take, "milk", 1, section=9)
    with pytest.raises(NotFound):
        enter(shop, "no-take", "milk", 1)
    with pytest.raises(Invalid):
        start(shop, " ")


def test_after_a_crash_everything_scanned_is_there_and_counting_goes_on(shop, another_shop):
    take = start(shop, id="take-1")
    enter(shop, take, "milk", 3)
    shop.database.engine.dispose()  # the process is gone; the file is what is left
    assert start(shop, id="take-1") == take
    enter(shop, take, "milk", 4)
    assert counted(shop, take) == {"milk": 7}


# --- selling goes on ---


def test_a_take_posted_while_selling_ends_at_counted_less_sold_since(shop):
    take = start(shop)
    sell(shop, "milk", 1)
    total(shop, take, "milk", 18)  # one is missing
    sell(shop, "milk", 4)
    finish(shop, take)
    close(shop, take)
    sell(shop, "milk", 2)
    post(shop, take)
    sell(shop, "milk", 3)
    assert shop.level("milk").on_hand == 18 - 4 - 2 - 3
    assert shop.findings() == []


def test_what_comes_in_and_is_brought_back_after_the_count_is_there_too(shop):
    take = start(shop)
    sold = shop.sell([("milk", 2)])
    total(shop, take, "milk", 17)
    tick(shop)
    shop.take_back(sold.document["id"], [(1, 1)])
    with shop.write() as session:
        stock.receive(session, STORE, [("milk", 12)], source_id="late", actor=shop.wei, at=shop.now)
    finish(shop, take)
    close(shop, take)
    post(shop, take)
    assert shop.level("milk").on_hand == 17 + 1 + 12


def test_carrying_within_the_shop_changes_nothing(shop):
    take = start(shop)
    total(shop, take, "milk", 19)
    tick(shop)
    with shop.write() as session:
        stock.move(session, STORE, "milk", 6, Place.BACKROOM, Place.SHELF, actor=shop.wei, at=shop.now)
    finish(shop, take)
    close(shop, take)
    post(shop, take)
    assert shop.level("milk").on_hand == 19


def test_a_big_difference_is_asked_again_and_the_second_count_holds(shop):
    take = start(shop)
    total(shop, take, "milk", 11)
    total(shop, take, "bread", 18)  # small: nobody is asked
    finish(shop, take)
    with pytest.raises(Refused, match="Whole milk") as fault:
        close(shop, take)
    assert fault.value.code == "count-again"
    assert fault.value.facts["skus"] == ["milk"]
    total(shop, take, "milk", 12)
    finish(shop, take)
    close(shop, take)
    post(shop, take)
    assert (shop.level("milk").on_hand, shop.level("bread").on_hand) == (12, 18)


def test_more_sold_since_than_was_counted_is_asked_again(shop):
    take = start(shop)
    total(shop, take, "milk", 1)
    total(shop, take, "milk", 1)
    finish(shop, take)
    total(shop, take, "milk", 1)
    sell(shop, "milk", 2)
    with pytest.raises(Refused):
        close(shop, take)
    total(shop, take, "milk", 17)
    close(shop, take)
    post(shop, take)
    assert shop.level("milk").on_hand == 17


def test_what_sold_while_it_was_counted_in_two_sections_is_asked_again(shop):
    take = start(shop, "Floor", "Cold room")
    total(shop, take, "milk", 8)
    sell(shop, "milk", BIG_UNITS)
    total(shop, take, "milk", 10, section=2)
    finish(shop, take, 1, 2)
    with pytest.raises(Refused):
        close(shop, take)
    total(shop, take, "milk", 7)  # all three came from the floor, which was counted before
    close(shop, take)
    post(shop, take)
    assert shop.level("milk").on_hand == 17


def test_a_large_difference_is_counted_again_in_every_section_where_it_lies(shop):
    take = start(shop, "Floor", "Cold room")
    total(shop, take, "milk", 3)
    total(shop, take, "milk", 4, section=2)
    finish(shop, take, 1, 2)
    total(shop, take, "milk", 3)
    with pytest.raises(Refused):
        close(shop, take)
    total(shop, take, "milk", 4, section=2)
    close(shop, take)


# --- sections, posting, giving up ---


def test_a_counted_section_takes_totals_alone_until_it_is_opened_again(shop):
    take = start(shop)
    enter(shop, take, "milk", 19)
    finish(shop, take)
    with pytest.raises(Conflict):
        enter(shop, take, "milk", 1)
    with shop.write() as session:
        stocktake.open_again(session, STORE, take, 1, actor=shop.wei, at=shop.now)
    enter(shop, take, "milk", 1)
    assert counted(shop, take) == {"milk": 20}


def test_nothing_is_posted_while_a_section_is_being_counted_or_nothing_was(shop):
    take = start(shop, "Floor", "Cold room")
    finish(shop, take, 1)
    with pytest.raises(Refused, match="Cold room"):
        close(shop, take)
    finish(shop, take, 2)
    with pytest.raises(Invalid):
        close(shop, take)


def test_posting_goes_in_steps_books_each_product_once_and_goes_on_after_a_crash(shop):
    take = start(shop)
    for sku in SKUS:
        total(shop, take, sku, 19)
    finish(shop, take)
    close(shop, take)
    with shop.write() as session:
        left = stocktake.post_some(session, STORE, take, most=1, actor=shop.wei, at=shop.now)
    assert left == len(SKUS) - 1
    sell(shop, SKUS[-1], 1)
    with contextlib.suppress(RuntimeError), shop.write() as session:
        stocktake.post_some(session, STORE, take, most=2, actor=shop.wei, at=shop.now)
        raise RuntimeError("the power is gone")
    assert state(shop, take) == "posting"
    assert post(shop, take, most=2) == 2
    assert post(shop, take) == 1
    assert state(shop, take) == "posted"
    assert [shop.level(sku).on_hand for sku in SKUS] == [19, 19, 19, 18]
    results = shop.read(lambda session: session.scalars(sa.select(CountResult)).all())
    assert sorted(row.sku for row in results) == sorted(SKUS)
    assert {(row.counted_qty, row.expected_qty) for row in results} == {(19, 20)}
    assert shop.findings() == []


def test_once_the_counting_is_closed_nothing_is_counted_any_more(shop):
    take = start(shop)
    total(shop, take, "milk", 19)
    finish(shop, take)
    close(shop, take)
    with pytest.raises(Conflict):
        total(shop, take, "milk", 5)
    with pytest.raises(Conflict), shop.write() as session:
        stocktake.abandon(session, STORE, take, actor=shop.wei, at=shop.now)


def test_an_abandoned_take_books_nothing(shop):
    take = start(shop)
    total(shop, take, "milk", 3)
    with shop.write() as session:
        stocktake.abandon(session, STORE, take, why="rush hour", actor=shop.wei, at=shop.now)
    with pytest.raises(Conflict), shop.write() as session:
        stocktake.post_some(session, STORE, take, actor=shop.wei, at=shop.now)
    assert shop.level("milk").on_hand == 20


def test_what_nobody_found_stays_unless_it_is_said_to_be_gone(shop):
    take = start(shop, categories=("Groceries",))
    total(shop, take, "milk", 20)
    finish(shop, take)
    close(shop, take)
    post(shop, take)
    assert shop.level("tea").on_hand == 20
    again = start(shop)
    total(shop, again, "milk", 20)
    sell(shop, "tea", 1)
    finish(shop, again)
    close(shop, again, missing_is_gone=True)
    post(shop, again)
    assert [shop.level(sku).on_hand for sku in ("milk", "tea", "bread", "cheese")] == [20, 0, 0, 0]
    assert shop.findings() == []


def test_a_take_of_some_categories_leaves_the_others_alone(shop):
    take = start(shop, categories=("Sweets",))
    rows = shop.read(lambda session: stocktake.uncounted(session, stocktake.take_of(session, STORE, take)))
    assert rows == []


def test_every_count_is_kept_also_when_the_record_was_right_and_answers_its_task(shop):
    sell(shop, "milk", 21)
    tasks = sa.select(CountTask.sku).where(CountTask.done_at.is_(None))
    assert shop.read(lambda session: session.scalars(tasks).all()) == ["milk"]
    take = start(shop)
    total(shop, take, "milk", 0)
    total(shop, take, "tea", 20)
    finish(shop, take)
    close(shop, take)
    post(shop, take)
    assert shop.read(lambda session: session.scalars(tasks).all()) == []
    rows = shop.read(lambda session: session.scalars(sa.select(StockCount).order_by(StockCount.sku)).all())
    assert [(row.sku, row.before_qty, row.counted_qty) for row in rows] == [("milk", -1, 0), ("tea", 20, 20)]


def test_the_tables_of_states_can_always_end():
    assert stocktake.STATES.validate() == []
    assert stocktake.SECTION_STATES.validate() == []


# --- a walk ---


class TrueShop:
    """What is really in the shop, beside its records: customers take from it, and whoever counts sees it."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.dice = shop, random.Random(seed)
        self.there = {sku: 20 - self.dice.randrange(3) for sku in SKUS}  # the records say 20 of each
        self.take, self.seen = start(shop, "Floor", "Cold room"), set()

    def trade(self) -> None:
        """Sell, receive or break something; a customer takes only what is really there."""
        sku, qty = self.dice.choice(SKUS), self.dice.randint(1, 3)
        what = self.dice.choice(("sell", "sell", "receive", "waste"))
        tick(self.shop)
        if what == "receive":
            with self.shop.write() as session:
                stock.receive(session, STORE, [(sku, qty)], source_id=new_id(), actor=self.shop.wei, at=self.shop.now)
            self.there[sku] += qty
        elif qty > self.there[sku]:
            return
        elif what == "sell":
            sell(self.shop, sku, qty)
            self.there[sku] -= qty
        else:
            with contextlib.suppress(Refused), self.shop.write() as session:
                waste.write_off(session, STORE, sku, qty, reason="breakage", actor=self.shop.wei, at=self.shop.now)
                self.there[sku] -= qty

    def count(self, sku: str, by_total: bool) -> None:
        """Count a product where it lies, by scanning each piece or by typing the total."""
        if by_total:
            total(self.shop, self.take, sku, self.there[sku], 1 + SKUS.index(sku) % 2)
        tick(self.shop)
        for _ in range(0 if by_total else self.there[sku]):
            with self.shop.write() as session:
                stocktake.enter(
                    session, STORE, self.take, 1 + SKUS.index(sku) % 2, sku, 1, actor=self.shop.wei, at=self.shop.now
                )
        if by_total or self.there[sku]:
            self.seen.add(sku)

    def close(self) -> None:
        """Close the counting, trading and counting again as long as something is asked again."""
        while True:
            try:
                close(self.shop, self.take)
            except Refused as fault:
                for sku in fault.facts["skus"]:
                    self.trade()
                    self.count(sku, by_total=True)
            else:
                return


@pytest.mark.parametrize("seed", range(12))
def test_no_walk_of_counting_and_trading_breaks_the_books_and_the_true_count_is_booked(another_shop, seed):
    true = TrueShop(another_shop(f"walk-{seed}"), seed)
    true.count("milk", by_total=False)
    for _ in range(25):
        sku = true.dice.choice(SKUS)
        if true.dice.random() < 0.7:
            true.trade()
        else:
            true.count(sku, by_total=sku in true.seen or true.dice.random() < 0.5)
    finish(true.shop, true.take, 1, 2)
    true.close()
    true.trade()
    post(true.shop, true.take, most=1)
    true.trade()
    assert {sku: true.shop.level(sku).on_hand for sku in true.seen} == {sku: true.there[sku] for sku in true.seen}
    assert true.shop.findings() == []

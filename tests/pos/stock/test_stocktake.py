"""A stock take while selling goes on: every scan is kept; what is booked is what was counted less what sold since."""

import contextlib
import random

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.stock import stock, stocktake, waste
from pos.stock.ledger import CountTask, Place, StockCount
from pos.stock.stocktake import BIG_UNITS, CountResult
from tests.builders import GOODS, STORE, OpenStore

SKUS = [one.sku for one in GOODS if one.sku != "cheese"]


def tick(store: OpenStore, seconds: int = 60) -> None:
    store.clock.advance(seconds)


def start(store: OpenStore, *sections: str, **wishes) -> str:
    with store.write() as session:
        given = {"name": "Year end", "sections": sections or ("Floor",)} | wishes
        return stocktake.start(Context(session, store.wei, store.now), STORE, **given).id


def enter(store: OpenStore, take: str, sku: str, qty: int, section: int = 1, **wishes) -> None:
    tick(store)
    with store.write() as session:
        stocktake.enter(Context(session, store.wei, store.now), STORE, take, section, sku, qty, **wishes)


def total(store: OpenStore, take: str, sku: str, qty: int, section: int = 1) -> None:
    enter(store, take, sku, qty, section, is_total=True)


def finish(store: OpenStore, take: str, *sections: int) -> None:
    with store.write() as session:
        for n in sections or (1,):
            stocktake.finish_section(Context(session, store.wei, store.now), STORE, take, n)


def close(store: OpenStore, take: str, **wishes) -> None:
    tick(store)
    with store.write() as session:
        stocktake.begin_posting(Context(session, store.wei, store.now), STORE, take, **wishes)


def post(store: OpenStore, take: str, most: int = 2) -> int:
    steps = 0
    while True:
        steps += 1
        with store.write() as session:
            if not stocktake.post_some(Context(session, store.wei, store.now), STORE, take, most=most):
                return steps


def sell(store: OpenStore, sku: str, qty: int) -> None:
    tick(store)
    store.sell([(sku, qty)], age_confirmed=18)


def counted(store: OpenStore, take: str) -> dict[str, int]:
    def look(session):
        rows = stocktake.counted(session, stocktake.take_of(session, STORE, take))
        return {sku: row.counted_qty for sku, row in rows.items()}

    return store.read(look)


def state(store: OpenStore, take: str) -> str:
    return store.read(lambda session: stocktake.take_of(session, STORE, take).state)


# --- counting ---


def test_scans_add_up_over_sections_and_a_total_replaces_what_was_scanned_there(store):
    take = start(store, "Floor", "Cold room")
    enter(store, take, "milk", 1)
    enter(store, take, "milk", 12)
    enter(store, take, "milk", 5, section=2)
    assert counted(store, take) == {"milk": 18}
    enter(store, take, "milk", -1)
    assert counted(store, take) == {"milk": 17}
    total(store, take, "milk", 10)
    enter(store, take, "milk", 1)
    assert counted(store, take) == {"milk": 16}


def test_a_scan_sent_twice_is_kept_once(store):
    take = start(store)
    key = new_id()
    for _ in range(2):
        enter(store, take, "milk", 3, entry_id=key)
    assert counted(store, take) == {"milk": 3}


def test_no_scan_is_taken_back_that_was_not_made(store):
    take = start(store)
    enter(store, take, "milk", 2)
    with pytest.raises(Refused):
        enter(store, take, "milk", -3)


@pytest.mark.parametrize("qty", [-1, 1.5, True, 10**10])
def test_a_total_is_a_whole_number_from_nothing_up(store, qty):
    take = start(store)
    with pytest.raises(Invalid):
        total(store, take, "milk", qty)


def test_what_does_not_exist_is_not_counted(store):
    take = start(store)
    with pytest.raises(NotFound):
        enter(store, take, "gold", 1)
    with pytest.raises(NotFound):
        enter(store, take, "milk", 1, section=9)
    with pytest.raises(NotFound):
        enter(store, "no-take", "milk", 1)
    with pytest.raises(Invalid):
        start(store, " ")


def test_after_a_crash_everything_scanned_is_there_and_counting_goes_on(store, another_store):
    take = start(store, id="take-1")
    enter(store, take, "milk", 3)
    store.database.engine.dispose()  # the process is gone; the file is what is left
    assert start(store, id="take-1") == take
    enter(store, take, "milk", 4)
    assert counted(store, take) == {"milk": 7}


# --- selling goes on ---


def test_a_take_posted_while_selling_ends_at_counted_less_sold_since(store):
    take = start(store)
    sell(store, "milk", 1)
    total(store, take, "milk", 18)  # one is missing
    sell(store, "milk", 4)
    finish(store, take)
    close(store, take)
    sell(store, "milk", 2)
    post(store, take)
    sell(store, "milk", 3)
    assert store.level("milk").on_hand == 18 - 4 - 2 - 3
    assert store.findings() == []


def test_what_comes_in_and_is_brought_back_after_the_count_is_there_too(store):
    take = start(store)
    sold = store.sell([("milk", 2)])
    total(store, take, "milk", 17)
    tick(store)
    store.take_back(sold.document["id"], [(1, 1)])
    with store.write() as session:
        stock.receive(Context(session, store.wei, store.now), STORE, [("milk", 12)], source_id="late")
    finish(store, take)
    close(store, take)
    post(store, take)
    assert store.level("milk").on_hand == 17 + 1 + 12


def test_carrying_within_the_shop_changes_nothing(store):
    take = start(store)
    total(store, take, "milk", 19)
    tick(store)
    with store.write() as session:
        stock.move(Context(session, store.wei, store.now), STORE, "milk", 6, Place.BACKROOM, Place.SHELF)
    finish(store, take)
    close(store, take)
    post(store, take)
    assert store.level("milk").on_hand == 19


def test_a_big_difference_is_asked_again_and_the_second_count_holds(store):
    take = start(store)
    total(store, take, "milk", 11)
    total(store, take, "bread", 18)  # small: nobody is asked
    finish(store, take)
    with pytest.raises(Refused, match="Whole milk") as fault:
        close(store, take)
    assert fault.value.code == "count-again"
    assert fault.value.facts["skus"] == ["milk"]
    total(store, take, "milk", 12)
    finish(store, take)
    close(store, take)
    post(store, take)
    assert (store.level("milk").on_hand, store.level("bread").on_hand) == (12, 18)


def test_more_sold_since_than_was_counted_is_asked_again(store):
    take = start(store)
    total(store, take, "milk", 1)
    total(store, take, "milk", 1)
    finish(store, take)
    total(store, take, "milk", 1)
    sell(store, "milk", 2)
    with pytest.raises(Refused):
        close(store, take)
    total(store, take, "milk", 17)
    close(store, take)
    post(store, take)
    assert store.level("milk").on_hand == 17


def test_what_sold_while_it_was_counted_in_two_sections_is_asked_again(store):
    take = start(store, "Floor", "Cold room")
    total(store, take, "milk", 8)
    sell(store, "milk", BIG_UNITS)
    total(store, take, "milk", 10, section=2)
    finish(store, take, 1, 2)
    with pytest.raises(Refused):
        close(store, take)
    total(store, take, "milk", 7)  # all three came from the floor, which was counted before
    close(store, take)
    post(store, take)
    assert store.level("milk").on_hand == 17


def test_a_large_difference_is_counted_again_in_every_section_where_it_lies(store):
    take = start(store, "Floor", "Cold room")
    total(store, take, "milk", 3)
    total(store, take, "milk", 4, section=2)
    finish(store, take, 1, 2)
    total(store, take, "milk", 3)
    with pytest.raises(Refused):
        close(store, take)
    total(store, take, "milk", 4, section=2)
    close(store, take)


# --- sections, posting, giving up ---


def test_a_counted_section_takes_totals_alone_until_it_is_opened_again(store):
    take = start(store)
    enter(store, take, "milk", 19)
    finish(store, take)
    with pytest.raises(Conflict):
        enter(store, take, "milk", 1)
    with store.write() as session:
        stocktake.open_again(Context(session, store.wei, store.now), STORE, take, 1)
    enter(store, take, "milk", 1)
    assert counted(store, take) == {"milk": 20}


def test_nothing_is_posted_while_a_section_is_being_counted_or_nothing_was(store):
    take = start(store, "Floor", "Cold room")
    finish(store, take, 1)
    with pytest.raises(Refused, match="Cold room"):
        close(store, take)
    finish(store, take, 2)
    with pytest.raises(Invalid):
        close(store, take)


def test_posting_goes_in_steps_books_each_product_once_and_goes_on_after_a_crash(store):
    take = start(store)
    for sku in SKUS:
        total(store, take, sku, 19)
    finish(store, take)
    close(store, take)
    with store.write() as session:
        left = stocktake.post_some(Context(session, store.wei, store.now), STORE, take, most=1)
    assert left == len(SKUS) - 1
    sell(store, SKUS[-1], 1)
    with contextlib.suppress(RuntimeError), store.write() as session:
        stocktake.post_some(Context(session, store.wei, store.now), STORE, take, most=2)
        raise RuntimeError("the power is gone")
    assert state(store, take) == "posting"
    assert post(store, take, most=2) == 2
    assert post(store, take) == 1
    assert state(store, take) == "posted"
    assert [store.level(sku).on_hand for sku in SKUS] == [19, 19, 19, 18]
    results = store.read(lambda session: session.scalars(sa.select(CountResult)).all())
    assert sorted(row.sku for row in results) == sorted(SKUS)
    assert {(row.counted_qty, row.expected_qty) for row in results} == {(19, 20)}
    assert store.findings() == []


def test_once_the_counting_is_closed_nothing_is_counted_any_more(store):
    take = start(store)
    total(store, take, "milk", 19)
    finish(store, take)
    close(store, take)
    with pytest.raises(Conflict):
        total(store, take, "milk", 5)
    with pytest.raises(Conflict), store.write() as session:
        stocktake.abandon(Context(session, store.wei, store.now), STORE, take)


def test_an_abandoned_take_books_nothing(store):
    take = start(store)
    total(store, take, "milk", 3)
    with store.write() as session:
        stocktake.abandon(Context(session, store.wei, store.now), STORE, take, why="rush hour")
    with pytest.raises(Conflict), store.write() as session:
        stocktake.post_some(Context(session, store.wei, store.now), STORE, take)
    assert store.level("milk").on_hand == 20


def test_what_nobody_found_stays_unless_it_is_said_to_be_gone(store):
    take = start(store, categories=("Groceries",))
    total(store, take, "milk", 20)
    finish(store, take)
    close(store, take)
    post(store, take)
    assert store.level("tea").on_hand == 20
    again = start(store)
    total(store, again, "milk", 20)
    sell(store, "tea", 1)
    finish(store, again)
    close(store, again, missing_is_gone=True)
    post(store, again)
    assert [store.level(sku).on_hand for sku in ("milk", "tea", "bread", "cheese")] == [20, 0, 0, 0]
    assert store.findings() == []


def test_a_take_of_some_categories_leaves_the_others_alone(store):
    take = start(store, categories=("Sweets",))
    rows = store.read(lambda session: stocktake.uncounted(session, stocktake.take_of(session, STORE, take)))
    assert rows == []


def test_every_count_is_kept_also_when_the_record_was_right_and_answers_its_task(store):
    sell(store, "milk", 21)
    tasks = sa.select(CountTask.sku).where(CountTask.done_at.is_(None))
    assert store.read(lambda session: session.scalars(tasks).all()) == ["milk"]
    take = start(store)
    total(store, take, "milk", 0)
    total(store, take, "tea", 20)
    finish(store, take)
    close(store, take)
    post(store, take)
    assert store.read(lambda session: session.scalars(tasks).all()) == []
    rows = store.read(lambda session: session.scalars(sa.select(StockCount).order_by(StockCount.sku)).all())
    assert [(row.sku, row.before_qty, row.counted_qty) for row in rows] == [("milk", -1, 0), ("tea", 20, 20)]


def test_the_tables_of_states_can_always_end():
    assert stocktake.STATES.validate() == []
    assert stocktake.SECTION_STATES.validate() == []


# --- a walk ---


class TrueStore:
    """What is really in the store, beside its records: customers take from it, and whoever counts sees it."""

    def __init__(self, store: OpenStore, seed: int) -> None:
        self.store, self.dice = store, random.Random(seed)
        self.there = {sku: 20 - self.dice.randrange(3) for sku in SKUS}  # the records say 20 of each
        self.take, self.seen = start(store, "Floor", "Cold room"), set()

    def trade(self) -> None:
        """Sell, receive or break something; a customer takes only what is really there."""
        sku, qty = self.dice.choice(SKUS), self.dice.randint(1, 3)
        what = self.dice.choice(("sell", "sell", "receive", "waste"))
        tick(self.store)
        if what == "receive":
            with self.store.write() as session:
                stock.receive(Context(session, self.store.wei, self.store.now), STORE, [(sku, qty)], source_id=new_id())
            self.there[sku] += qty
        elif qty > self.there[sku]:
            return
        elif what == "sell":
            sell(self.store, sku, qty)
            self.there[sku] -= qty
        else:
            with contextlib.suppress(Refused), self.store.write() as session:
                what = waste.WriteOff(sku, qty, "breakage")
                waste.write_off(Context(session, self.store.wei, self.store.now), STORE, what)
                self.there[sku] -= qty

    def count(self, sku: str, by_total: bool) -> None:
        """Count a product where it lies, by scanning each piece or by typing the total."""
        if by_total:
            total(self.store, self.take, sku, self.there[sku], 1 + SKUS.index(sku) % 2)
        tick(self.store)
        for _ in range(0 if by_total else self.there[sku]):
            with self.store.write() as session:
                stocktake.enter(
                    Context(session, self.store.wei, self.store.now), STORE, self.take, 1 + SKUS.index(sku) % 2, sku, 1
                )
        if by_total or self.there[sku]:
            self.seen.add(sku)

    def close(self) -> None:
        """Close the counting, trading and counting again as long as something is asked again."""
        while True:
            try:
                close(self.store, self.take)
            except Refused as fault:
                for sku in fault.facts["skus"]:
                    self.trade()
                    self.count(sku, by_total=True)
            else:
                return


@pytest.mark.parametrize("seed", range(12))
def test_no_walk_of_counting_and_trading_breaks_the_books_and_the_true_count_is_booked(another_store, seed):
    true = TrueStore(another_store(f"walk-{seed}"), seed)
    true.count("milk", by_total=False)
    for _ in range(25):
        sku = true.dice.choice(SKUS)
        if true.dice.random() < 0.7:
            true.trade()
        else:
            true.count(sku, by_total=sku in true.seen or true.dice.random() < 0.5)
    finish(true.store, true.take, 1, 2)
    true.close()
    true.trade()
    post(true.store, true.take, most=1)
    true.trade()
    assert {sku: true.store.level(sku).on_hand for sku in true.seen} == {sku: true.there[sku] for sku in true.seen}
    assert true.store.findings() == []

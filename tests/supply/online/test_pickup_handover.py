"""Handing over: the right code at the right store, one sale, once."""

import datetime as dt
import os
import threading

import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, NotFound, Refused
from config.ids import pickup_code_of, tidy_pickup_code
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue.catalogue import Listing, Price, Product
from pos.sold import Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import Place
from supply.online.pickup import handover, pickup
from tests.supply.online_store import ANA, AT, STORE, later, make_town

ORDER = "order-00001"
SALE = "sale-000001"


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    town.open_till()
    return town


def sales(town):
    with town.store.read() as session:
        return list(session.scalars(sa.select(Sale)))


def guess(town, code, at=AT, order_id=None):
    with town.store.write() as session:
        found = handover.find(Context(session, ANA, at), STORE, code, order_id=order_id)
    return found.or_raise()


def test_collecting_is_a_sale_that_fulfils_the_reservation(town):
    placed = town.ready_order(ORDER, [("bread", 2), ("apple", 600)])
    handed = town.collect(placed.code, SALE, placed.order.total_minor)
    town.deliver()
    assert town.state(ORDER) == ("collected", "collected")
    assert (handed.completed.sale.channel, handed.completed.sale.order_id) == ("pickup", ORDER)
    assert handed.completed.sale.total_minor == placed.order.total_minor == 799
    level = town.level("bread")
    assert (level.on_hand, level.held, level.by_place[Place.BIN]) == (8, 0, 0)
    assert town.faults() == []


@pytest.mark.parametrize("spoken", [str.lower, lambda code: f" {code[:4]}-{code[4:]} ", lambda code: " ".join(code)])
def test_a_code_may_be_typed_as_it_is_spoken(town, spoken):
    placed = town.ready_order(ORDER, [("bread", 2)])
    assert guess(town, spoken(placed.code)).order.id == ORDER


def test_the_qr_collects_as_well_as_the_code(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    assert town.collect(placed.token, SALE, 500).order.state == "collected"


def test_the_price_promised_is_the_price_paid(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    with town.store.write() as session:
        session.execute(sa.update(Price).where(Price.sku == "bread").values(price_minor=999))
    town.collect(placed.code, SALE, 500)
    with town.store.read() as session:
        assert session.scalar(sa.select(SaleLine.unit_price_minor)) == 250


def test_the_same_sale_again_is_the_same_receipt(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    first, second = (town.collect(placed.code, SALE, 500).completed for _ in range(2))
    assert (first.repeated, second.repeated) == (False, True)
    assert first.sale.receipt_no == second.sale.receipt_no
    assert len(sales(town)) == 1


def test_an_order_is_handed_over_once_and_the_second_learns_when_and_by_whom(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    town.collect(placed.code, SALE, 500)
    with pytest.raises(Refused, match="handed over on Mar 2, 2026"):
        town.collect(placed.code, "sale-000002", 500)
    assert len(sales(town)) == 1


def test_of_many_at_once_one_collects(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    gate = threading.Barrier(4)
    answers = []

    def collect(number):
        gate.wait()
        try:
            town.collect(placed.code, f"sale-00000{number}", 500)
            answers.append("sold")
        except DomainError as refusal:
            answers.append(refusal.code)

    counters = [threading.Thread(target=collect, args=(number,)) for number in range(4)]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
    assert sorted(answers) == ["already-collected"] * 3 + ["sold"]
    assert len(sales(town)) == 1
    assert town.level("bread").on_hand == 8
    assert town.faults() == []


def test_an_order_of_which_less_was_found_is_sold_as_what_was_found(town):
    placed = town.place(ORDER, [("bread", 3), ("milk", 1)])
    town.deliver()
    with town.store.write() as session:
        pickup.accept(Context(session, ANA, AT), STORE, ORDER)
        pickup.start_picking(Context(session, ANA, AT), STORE, ORDER)
        pickup.pick_line(Context(session, ANA, AT), STORE, ORDER, "bread", 2)
        pickup.pick_line(Context(session, ANA, AT), STORE, ORDER, "milk", 0)
        pickup.short(Context(session, ANA, AT), STORE, ORDER)
        pickup.ready(Context(session, ANA, AT), STORE, ORDER)
    town.collect(placed.code, SALE, 500)
    assert town.faults() == []
    assert town.level("bread").on_hand == 8
    assert town.level("milk").held == 0


@pytest.mark.parametrize("state", ["placed", "accepted", "picking"])
def test_an_order_that_is_not_ready_is_not_handed_over(town, state):
    placed = town.place(ORDER, [("bread", 2)])
    town.deliver()
    with town.store.write() as session:
        if state != "placed":
            pickup.accept(Context(session, ANA, AT), STORE, ORDER)
        if state == "picking":
            pickup.start_picking(Context(session, ANA, AT), STORE, ORDER)
    with pytest.raises(Refused, match=f"not ready yet: it is {state}"):
        town.collect(placed.code, SALE, 500)
    assert sales(town) == []


def test_an_expired_order_is_not_handed_over(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, later(days=3)), STORE)
    with pytest.raises(Refused, match="expired"):
        town.collect(placed.code, SALE, 500, at=later(days=3))


def test_an_age_restricted_order_asks_for_the_age_at_the_counter(town):
    placed = town.ready_order(ORDER, [("beer", 2)])
    with pytest.raises(Refused) as refusal:
        town.collect(placed.code, SALE, 360)
    assert refusal.value.code == "age-check"
    assert town.state(ORDER)[0] == "ready"
    assert town.collect(placed.code, SALE, 360, age=18).order.state == "collected"


def test_a_total_that_is_not_the_one_shown_hands_nothing_over(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    with pytest.raises(DomainError) as refusal:
        town.collect(placed.code, SALE, 501)
    assert refusal.value.code == "total-changed"
    assert town.state(ORDER)[0] == "ready"
    assert town.level("bread").by_place[Place.BIN] == 2


def test_a_code_of_another_shop_is_not_found_here_and_says_so(town):
    town.ready_order(ORDER, [("bread", 2)])
    with pytest.raises(NotFound, match="not for this store"):
        town.collect(pickup_code_of(os.urandom(16)), SALE, 500)


def test_a_slip_of_the_tongue_is_no_guess(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    wrong = placed.code[:-1] + ("2" if placed.code[-1] != "2" else "3")
    for text in [wrong, "hello", "", "1234", "%", "ＡＢＣＤ２３４５"] * 10:
        with pytest.raises(NotFound, match="A pickup code has 8 letters and digits"):
            guess(town, text)
    assert guess(town, placed.code).order.id == ORDER


def test_twenty_wrong_codes_in_ten_minutes_make_the_counter_wait(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    for number in range(handover.TRIES_PER_SPELL):
        with pytest.raises(NotFound):
            guess(town, pickup_code_of(os.urandom(16)), later(seconds=number))
    with pytest.raises(Refused, match="Too many wrong codes") as refusal:
        town.collect(placed.code, SALE, 500, at=later(minutes=5))
    assert refusal.value.code == "codes-locked"
    assert town.collect(placed.code, SALE, 500, at=later(minutes=11)).order.state == "collected"


def test_squares_no_order_has_are_no_guesses_and_never_make_the_counter_wait(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    for n in range(handover.TRIES_PER_SPELL + 1):
        with pytest.raises(NotFound, match="has not arrived yet"):
            guess(town, f"{n:022d}")
    town.collect(placed.code, SALE, 500)


def test_a_code_must_be_that_of_the_order_on_the_page(town):
    town.ready_order(ORDER, [("bread", 2)])
    other = town.ready_order("order-00002", [("milk", 1)])
    with pytest.raises(Refused, match="belongs to order S07-0002"):
        guess(town, other.code, order_id=ORDER)


def test_a_shop_that_is_cut_off_hands_over_what_it_has_and_tells_later(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    town.collect(placed.code, SALE, 500)
    assert town.state(ORDER) == ("collected", "ready")  # the network cannot be reached
    with town.store.read() as session:
        waiting = session.scalars(sa.select(OutboxMessage.topic).where(OutboxMessage.state == "pending")).all()
    assert {"pickup.moved", "sale.completed"} <= set(waiting)
    town.deliver(at=later(days=9))
    assert town.state(ORDER) == ("collected", "collected")


def test_goods_of_a_ready_order_stay_in_the_bin_when_the_floor_sells_out(town):
    placed = town.ready_order(ORDER, [("bread", 2)])
    with town.store.write() as session:
        stock.waste(Context(session, ANA, AT), STORE, "bread", 8)
    town.collect(placed.code, SALE, 500)
    assert town.level("bread").on_hand == 0
    assert town.faults() == []


def test_a_code_follows_its_seed_and_carries_its_check_character():
    seeds = [bytes([number]) * 16 for number in range(200)]
    codes = {pickup_code_of(seed) for seed in seeds}
    assert len(codes) == 200
    assert all(tidy_pickup_code(code) == code for code in codes)
    assert pickup_code_of(seeds[7]) == pickup_code_of(seeds[7])


def test_a_sale_id_used_for_another_order_is_a_conflict(town):
    first = town.ready_order(ORDER, [("bread", 2)])
    second = town.ready_order("order-00002", [("milk", 1)])
    town.collect(first.code, SALE, 500)
    with pytest.raises(Conflict):
        town.collect(second.code, SALE, 129)
    assert town.state("order-00002")[0] == "ready"


def test_at_the_allowed_rate_less_than_one_collection_in_a_million_shop_days_is_guessed():
    waiting, codes = 50, 31**7
    per_day = min(handover.TRIES_PER_DAY, handover.TRIES_PER_SPELL * (dt.timedelta(days=1) // handover.SPELL))
    assert per_day * waiting / codes < 1e-6


def test_a_count_that_missed_the_bag_keeps_no_order_from_ending(town):
    for n, lines in enumerate(([("tea", 1)], [("milk", 1)], [("milk", 2)])):
        town.ready_order(f"bag-0000{n}", lines)
    with town.store.write() as session:
        stock.count(Context(session, ANA, later(minutes=30)), STORE, "tea", 0)
        stock.count(Context(session, ANA, later(minutes=30)), STORE, "milk", 2)
        pickup.cancel(Context(session, ANA, later(hours=1)), STORE, "bag-00001", why="Sorry.")
        assert len(pickup.expire_due(Context(session, ANA, later(days=9)), STORE)) == 2
    town.deliver(at=later(days=9))
    assert {town.state(f"bag-0000{n}") for n in range(3)} == {("cancelled", "cancelled"), ("expired", "expired")}
    assert (town.level("tea").on_hand, town.level("milk").on_hand) == (0, 2)
    assert town.faults() == []


def _a_deposit_begins(session):
    session.add(Product(sku="dep", name="Bottle", category="x", stock_unit="each", price_quantity=1, tax_class_id="std",
                        search_text="b", kind="deposit"))  # fmt: skip
    session.flush()
    session.get(Product, "milk").deposit_sku = "dep"


@pytest.mark.parametrize(
    "change",
    [
        lambda session: setattr(session.get(Product, "milk"), "active", False),
        lambda session: session.execute(sa.update(Listing).values(active=False)),
        lambda session: session.execute(sa.delete(Price).where(Price.sku == "milk")),
        lambda session: setattr(session.get(Product, "milk"), "maximum_qty", 2),
        _a_deposit_begins,
    ],
    ids=["withdrawn", "taken-out", "without-a-price", "fewer-for-each", "a-deposit"],
)
def test_what_is_packed_is_handed_over_as_promised_whatever_the_shop_sells_since(town, change):
    placed = town.ready_order(ORDER, [("milk", 3)])
    with town.store.write() as session:
        change(session)
    assert town.collect(placed.code, SALE, 387).completed.sale.total_minor == 387
    assert town.faults() == []

"""A pickup order from placing to the bin, and what becomes of it when people change their minds."""

import contextlib
import datetime as dt
import random

import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.nodes import facts
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message, OutboxMessage, to_wire
from pos.stock import stock
from pos.stock.ledger import Place
from supply.online import orders
from supply.online.checkout import order_keys, placing
from supply.online.pickup import pickup
from tests.arriving import reapply
from tests.supply.online_store import ANA, AT, OTHER, PRODUCTS, STORE, later, make_town

ORDER = "order-00001"


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def verb(town, name, *args, at=AT, **named):
    with town.store.write() as session:
        return getattr(pickup, name)(Context(session, ANA, at), STORE, ORDER, *args, **named)


def ask_to_cancel(town, placed, at=AT):
    with town.network.write() as session:
        return placing.ask_to_cancel(session, STORE, placed.token, at=at)


# --- placing ---


def test_an_order_goes_to_its_shop_and_is_reserved_there(town):
    placed = town.place(ORDER, [("bread", 2), ("apple", 600)])
    assert placed.order.order_no == "S07-0001"
    assert placed.order.total_minor == 500 + 299
    assert town.state(ORDER) == ("unknown", "placed")
    town.deliver()
    assert town.state(ORDER) == ("placed", "placed")
    assert (town.level("bread").held, town.level("apple").held) == (2, 600)
    assert town.faults() == []


def test_the_same_order_sent_twice_is_one_order_with_the_same_code(town):
    token = order_keys.new_token()
    placed = []
    for _ in range(2):
        with town.network.write() as session:
            asked = placing.OrderRequest(id=ORDER, name="Li Wei", phone="12345", lines=[("bread", 2)], token=token)
            placed.append(placing.place(session, STORE, asked, at=AT))
    assert [answer.repeated for answer in placed] == [False, True]
    assert placed[0].code == placed[1].code
    assert town.left("bread") == 7


def test_the_same_id_with_another_content_is_a_conflict(town):
    town.place(ORDER, [("bread", 2)])
    with pytest.raises(Conflict, match="different content"):
        town.place(ORDER, [("bread", 3)])


def test_neither_code_nor_token_is_kept_at_either_node(town, tmp_path):
    placed = town.place(ORDER, [("bread", 2)])
    town.deliver()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert placed.code.encode() not in content, file.name
        assert placed.token.encode() not in content, file.name


def test_the_status_page_shows_the_code_from_its_token_alone(town):
    placed = town.place(ORDER, [("bread", 2)])
    with town.network.read() as session:
        status = placing.status(session, STORE, placed.token)
        assert (status.code, status.may_cancel) == (placed.code, True)
        with pytest.raises(NotFound):
            placing.status(session, STORE, order_keys.new_token())
        with pytest.raises(NotFound):
            placing.status(session, OTHER, placed.token)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "x"}, "bad-id"),
        ({"name": "  "}, "bad-name"),
        ({"name": "a" * 81}, "bad-name"),
        ({"name": "Li\x00Wei"}, "bad-name"),
        ({"phone": "1234"}, "bad-phone"),
        ({"phone": "call me now"}, "bad-phone"),
        ({"phone": "+ + + + +"}, "bad-phone"),
        ({"phone": "1" * 21}, "bad-phone"),
        ({"lines": []}, "bad-basket"),
        ({"lines": [("bread", 1), ("bread", 1)]}, "bad-basket"),
        ({"lines": [(f"p{n}", 1) for n in range(41)]}, "bad-basket"),
        ({"lines": [("bread", 0)]}, "bad-quantity"),
        ({"lines": [("bread", -3)]}, "bad-quantity"),
        ({"lines": [("bread", 10**15)]}, "bad-quantity"),
        ({"lines": [("nothing", 1)]}, "not-sold-online"),
        ({"token": "short"}, "bad-token"),
    ],
)
def test_a_bad_order_is_refused_with_a_sentence_and_takes_nothing(town, wrong, code):
    asked = {"id": ORDER, "name": "Li Wei", "phone": "12345", "lines": [("bread", 1)]} | wrong
    with pytest.raises(DomainError) as refusal, town.network.write() as session:
        placing.place(session, STORE, placing.OrderRequest(**asked), at=AT)
    assert refusal.value.code == code
    assert refusal.value.message.endswith((".", "?"))
    assert town.left("bread") == 9


def test_an_unknown_shop_and_one_that_never_published_take_no_orders(town):
    for store_id, code in (("S99", "unknown-store"), (OTHER, "store-closed")):
        with pytest.raises(DomainError) as refusal, town.network.write() as session:
            placing.place(
                session, store_id, placing.OrderRequest(id=ORDER, name="Li", phone="12345", lines=[("bread", 1)]), at=AT
            )
        assert refusal.value.code == code


# --- at the store ---


def test_an_order_the_shop_can_no_longer_fill_is_refused_naming_what_is_short(town):
    town.place(ORDER, [("bread", 9), ("milk", 1), ("tea", 1)])
    with town.store.write() as session:  # sold at the counter meanwhile
        stock.waste(Context(session, ANA, AT), STORE, "bread", 4)
        stock.waste(Context(session, ANA, AT), STORE, "tea", 1)
    town.deliver()
    assert town.state(ORDER) == ("refused", "refused")
    with town.network.read() as session:
        why = session.get(orders.PickupOrder, (STORE, ORDER)).why
    assert "Rye bread" in why
    assert "Green tea" in why
    assert "Milk" not in why
    assert town.level("milk").held == 0
    assert town.left("bread") == 9  # given back; the store's next publication corrects it
    assert town.faults() == []


def test_a_ready_order_stands_in_the_bin_until_its_day_is_over(town):
    town.ready_order(ORDER, [("bread", 4)])
    assert town.state(ORDER) == ("ready", "ready")
    assert town.level("bread").by_place[Place.BIN] == 4
    with town.network.read() as session:
        hold_until = session.get(orders.PickupOrder, (STORE, ORDER)).hold_until
    assert hold_until == dt.datetime(2026, 3, 4, 20, 0, tzinfo=dt.UTC)  # two days on, 04:00 in Shanghai
    assert town.faults() == []


def test_a_customer_may_get_less_and_the_rest_is_free_again(town):
    placed = town.place(ORDER, [("bread", 4), ("milk", 2)])
    town.deliver()
    verb(town, "accept")
    verb(town, "start_picking")
    verb(town, "pick_line", "bread", 1)
    with pytest.raises(Refused, match="Rye bread 1 of 4"):
        verb(town, "ready")
    verb(town, "short")
    verb(town, "ready")
    town.deliver()
    assert town.level("bread").held == 1
    assert town.level("bread").by_place[Place.BIN] == 1
    with town.network.read() as session:
        status = placing.status(session, STORE, placed.token)
    assert status.order.total_minor == 250 + 2 * 129
    assert {line.sku: line.picked_qty for line in status.lines} == {"bread": 1, "milk": 2}
    assert town.faults() == []


def test_an_order_that_was_to_be_all_or_nothing_is_not_given_in_part_unless_its_customer_says_so(town):
    with town.network.write() as session:
        asked = placing.OrderRequest(
            id=ORDER,
            name="Li Wei",
            phone="555 0100",
            lines=[("milk", 3)],
            preferences=placing.Preferences(if_short="cancel"),
        )
        placing.place(session, STORE, asked, at=AT)
    town.deliver()
    with town.store.write() as session:
        pickup.accept(Context(session, ANA, AT), STORE, ORDER)
        pickup.start_picking(Context(session, ANA, AT), STORE, ORDER)
        pickup.pick_line(Context(session, ANA, AT), STORE, ORDER, "milk", 1)
    with town.store.write() as session, pytest.raises(Refused, match="everything or nothing"):
        pickup.short(Context(session, ANA, AT), STORE, ORDER)
    with town.store.write() as session:
        assert pickup.short(Context(session, ANA, AT), STORE, ORDER, agreed=True).total_minor == 129


def test_an_order_of_which_nothing_was_found_is_cancelled_not_shortened(town):
    town.place(ORDER, [("bread", 4)])
    town.deliver()
    verb(town, "accept")
    verb(town, "start_picking")
    verb(town, "pick_line", "bread", 0)
    with pytest.raises(Refused, match="Cancel it"):
        verb(town, "short")
    verb(town, "cancel", why="We found none.")
    assert town.level("bread").held == 0


@pytest.mark.parametrize("qty", [-1, 5])
def test_no_more_is_picked_than_was_ordered(town, qty):
    town.place(ORDER, [("bread", 4)])
    town.deliver()
    verb(town, "accept")
    verb(town, "start_picking")
    with pytest.raises(Invalid):
        verb(town, "pick_line", "bread", qty)
    with pytest.raises(NotFound, match="not in order"):
        verb(town, "pick_line", "milk", 1)


def test_an_order_nobody_collects_gives_its_units_back(town):
    town.ready_order(ORDER, [("bread", 4)])
    for at, expected in ((later(days=1), "ready"), (later(days=3), "expired")):
        with town.store.write() as session:
            pickup.expire_due(Context(session, Actor.system("expire", STORE), at), STORE)
        town.deliver()
        assert town.state(ORDER) == (expected, expected)
    level = town.level("bread")
    assert (level.held, level.by_place[Place.BIN], level.available) == (0, 0, 10)
    assert town.faults() == []


def test_an_order_the_shop_never_answers_is_refused_in_time(town):
    town.place(ORDER, [("bread", 4)])
    town.deliver()
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, later(days=3)), STORE)
    town.deliver()
    assert town.state(ORDER) == ("refused", "refused")
    assert town.level("bread").held == 0


def test_names_and_phones_of_ended_orders_are_forgotten_after_thirty_days(town):
    town.place(ORDER, [("bread", 1)])
    town.deliver()
    verb(town, "refuse", why="Closed for repairs.")
    town.deliver()
    for database in (town.store, town.network):
        with database.write() as session:
            assert pickup.forget_people(session, at=later(days=29)) == 0
            assert pickup.forget_people(session, at=later(days=31)) == 1
        with database.read() as session:
            order = session.get(orders.PickupOrder, (STORE, ORDER))
            assert (order.customer_name, order.customer_phone) == ("", "")


# --- cancelling ---


def test_a_customer_cancels_before_the_order_is_ready(town):
    placed = town.place(ORDER, [("bread", 4)])
    town.deliver()
    ask_to_cancel(town, placed)
    assert town.state(ORDER) == ("placed", "placed")  # a wish until the store answers
    town.deliver()
    assert town.state(ORDER) == ("cancelled", "cancelled")
    assert town.level("bread").held == 0
    assert town.left("bread") == 9
    assert town.faults() == []


def test_a_wish_to_cancel_that_overtakes_its_order_reserves_nothing(town):
    placed = town.place(ORDER, [("bread", 4)])
    ask_to_cancel(town, placed)
    with town.network.read() as session:
        rows = [Message(**to_wire(row)) for row in session.scalars(sa.select(OutboxMessage))]
    with town.store.write() as session:
        for message in sorted(rows, key=lambda message: message.topic):  # cancelled before placed
            facts.apply(session, message, "network", AT)
    town.deliver()
    assert town.state(ORDER) == ("cancelled", "cancelled")
    assert town.level("bread").held == 0


def test_when_the_shop_was_faster_its_state_stands(town):
    placed = town.place(ORDER, [("bread", 4)])
    town.deliver()
    town.make_ready(ORDER)  # the network does not know yet
    ask_to_cancel(town, placed)
    town.deliver()
    assert town.state(ORDER) == ("ready", "ready")
    another = town.ready_order("order-00002", [("milk", 1)])
    with pytest.raises(Refused, match="and can no longer be canceled here"):
        ask_to_cancel(town, another)


# --- between the nodes ---


def test_a_late_older_message_never_turns_an_order_back(town):
    town.place(ORDER, [("bread", 4)])
    town.deliver()
    town.make_ready(ORDER)
    with town.store.read() as session:
        rows = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic == "pickup.moved"))
        reported = [Message(**to_wire(row)) for row in rows]
    for order in (reported, reported[::-1]):
        with town.network.write() as session:
            for message in order:
                facts.apply(session, message, STORE, AT)
        assert town.state(ORDER)[1] == "ready"


def test_a_network_that_lost_an_order_learns_it_from_the_shop_without_the_person(town):
    placed = town.place(ORDER, [("bread", 4)])
    town.deliver()
    with town.network.write() as session:
        session.execute(sa.delete(orders.PickupLine))
        session.execute(sa.delete(orders.PickupOrder))
    town.make_ready(ORDER)
    town.deliver()
    with town.network.read() as session:
        status = placing.status(session, STORE, placed.token)
    assert (status.order.state, status.code, status.order.customer_name) == ("ready", placed.code, "")


def test_a_store_cannot_speak_for_another(town):
    town.place(ORDER, [("bread", 4)])
    town.deliver()
    with town.store.read() as session:
        row = session.scalar(sa.select(OutboxMessage).where(OutboxMessage.topic == "pickup.moved"))
        message = Message(**to_wire(row))
    with pytest.raises(Refused, match="only S07 can send"), town.network.write() as session:
        facts.apply(session, message, OTHER, AT)


def act_at_random(town, chance, name, placed, at):
    """Do one thing at random, with an order that may not exist or not be there yet."""
    chosen = chance.choice(list(placed)[-3:] or ["none-0000"])
    act = chance.choice(["place", "deliver", "publish", "ask", "store", "store", *["onward"] * 6])
    if act == "place":
        skus = chance.sample(list(PRODUCTS), 2)
        lines = [(sku, chance.randint(1, 3) * (100 if sku == "apple" else 1)) for sku in skus]
        placed[name] = town.place(name, lines, at=at)
    elif act == "deliver":
        town.deliver(seed=chance.randint(0, 99), at=at)
    elif act == "publish":
        town.publish(at)
    elif act == "ask" and chance.random() < 0.3:
        ask_to_cancel(town, placed[chosen], at)
    elif act == "onward":
        go_onward(town, chance, chosen, placed, f"sale-{name}", at)
    else:
        with town.store.write() as session:
            act_in_the_store(session, chance, chosen, at)


def go_onward(town, chance, chosen, placed, sale_id, at):
    """Take the next step an order wants, whatever it is."""
    steps = {"placed": ["accept"], "accepted": ["start_picking"], "picking": ["ready", "short"], "short": ["ready"]}
    state = town.state(chosen)[0]
    if state == "ready":
        town.collect(placed[chosen].token, sale_id, total_of(town, chosen), at=at, age=18)
        return
    with town.store.write() as session:
        getattr(pickup, chance.choice(steps.get(state, ["accept"])))(Context(session, ANA, at), STORE, chosen)


def total_of(town, order_id):
    with town.store.read() as session:
        order = session.get(orders.PickupOrder, (STORE, order_id))
        return order.total_minor if order else 0


def act_in_the_store(session, chance, chosen, at):
    by = {"actor": ANA, "at": at}
    act = chance.choice(
        ["accept", "start_picking", "ready", "short", "pick", "pick", "pick", "cancel", "expire", "waste", "move"]
    )
    if act == "expire":
        pickup.expire_due(Context(session, **by), STORE)
    elif act == "waste":
        stock.waste(Context(session, **by), STORE, "milk", 1)
    elif act == "move":
        stock.move(Context(session, **by), STORE, "bread", 1, Place.BACKROOM, Place.SHELF)
    elif act == "pick":
        pickup.pick_line(Context(session, **by), STORE, chosen, "bread", chance.randint(0, 3))
    elif act == "cancel":
        pickup.cancel(Context(session, **by), STORE, chosen, why="Sorry.")
    else:
        getattr(pickup, act)(Context(session, **by), STORE, chosen)


@pytest.mark.parametrize("seed", range(12))
def test_no_walk_of_verbs_and_no_order_of_messages_breaks_the_books(town, seed):
    chance = random.Random(seed)
    town.open_till()
    placed, at = {}, AT
    for step in range(90):
        at += dt.timedelta(hours=chance.choice([0, 0, 0, 0, 0, 1, 1, 1, 12, 60]))
        with contextlib.suppress(Refused, Conflict, Invalid, NotFound, KeyError):
            act_at_random(town, chance, f"order-{step:05d}", placed, at)
    town.deliver(seed=seed, at=at)
    assert town.faults() == []
    states = {name: town.state(name) for name in placed}
    assert all(at_store == at_network for at_store, at_network in states.values())
    for database, sender in ((town.network, STORE), (town.store, "network")):  # K9
        with database.write() as session:
            reapply(session, lambda inner, fact, sender=sender: facts.apply(inner, fact, sender, at))
    assert {name: town.state(name) for name in placed} == states
    assert town.faults() == []

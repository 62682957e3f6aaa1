"""Sharing out: never more than there is or than was ordered, by need, and with nothing to gain from asking for more."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from config.nodes import facts
from config.nodes.facts import stamp
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.stock import stock
from supply.demand.history import DailyDemand, StoreDay
from supply.facts import Ordered, OrderSent
from supply.membership import overview
from supply.network.warehouse import allocation, dispatch, order_status
from supply.network.warehouse.allocation import Claim, fair_share
from supply.online.groups.groups import GroupOffer
from supply.online.orders import PickupLine, PickupOrder
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine
from supply.orders.suppliers import MOST_PACKS
from supply.replenishment import stockouts
from tests.supply.road import AT, DAY, OPERATOR, STORES, VAN, WAREHOUSE, Country, make_country

claims = st.lists(
    st.builds(
        Claim,
        key=st.just(""),
        packs=st.integers(0, 30),
        required_packs=st.integers(0, 30),
        have_qty=st.integers(-20, 200),
        per_day=st.floats(0, 40),
        pack_qty=st.sampled_from([1, 6, 12]),
        on_route=st.sampled_from([True, True, True, False]),
    ),
    max_size=7,
).map(lambda found: [replace(claim, key=f"S{n}") for n, claim in enumerate(found)])


@given(st.integers(-3, 900), claims)
def test_never_more_than_there_is_and_never_more_than_was_ordered(available, wanted):
    shares = fair_share(available, wanted, 6)
    most = [claim.packs if claim.on_route else min(claim.packs, claim.required_packs) for claim in wanted]
    units = sum(share * claim.pack_qty for share, claim in zip(shares, wanted, strict=True))
    asked = sum(packs * claim.pack_qty for packs, claim in zip(most, wanted, strict=True))
    largest = max((claim.pack_qty for claim in wanted), default=1)
    assert max(0, min(available, asked)) - largest < units <= max(0, available)
    assert all(0 <= share <= packs for share, packs in zip(shares, most, strict=True))


@given(st.integers(0, 600), claims)
def test_one_pack_more_leaves_nobody_with_less(available, wanted):
    before, after = fair_share(available, wanted, 6), fair_share(available + 1, wanted, 6)
    assert all(later >= earlier for earlier, later in zip(before, after, strict=True))


@given(st.integers(0, 900), claims.filter(bool), st.data())
def test_ordering_more_than_the_need_brings_nothing_while_a_need_is_unmet(available, wanted, data):
    n = data.draw(st.integers(0, len(wanted) - 1))
    honest = [replace(claim, packs=claim.required_packs) if place == n else claim for place, claim in enumerate(wanted)]
    greedy = [replace(claim, packs=claim.packs + 50) if place == n else claim for place, claim in enumerate(honest)]
    unmet = available <= sum(min(claim.packs, claim.required_packs) * claim.pack_qty for claim in honest)
    if unmet:
        assert fair_share(available, greedy) == fair_share(available, honest)
    others = [share for place, share in enumerate(fair_share(available, greedy)) if place != n]
    requirements = [min(claim.packs, claim.required_packs) for place, claim in enumerate(honest) if place != n]
    if not unmet:
        assert all(share >= need for share, need in zip(others, requirements, strict=True))


@given(st.integers(0, 900), claims, st.randoms())
def test_the_shares_do_not_depend_on_who_is_asked_first(available, wanted, chance):
    mixed = chance.sample(wanted, len(wanted))
    before = dict(zip((claim.key for claim in wanted), fair_share(available, wanted), strict=True))
    after = dict(zip((claim.key for claim in mixed), fair_share(available, mixed), strict=True))
    assert before == after


@pytest.mark.parametrize("pack_qty", [7, 12, 60])
def test_a_larger_pack_brings_no_more_than_the_usual_one_and_starves_nobody(pack_qty):
    usual = Claim("usual", packs=10, required_packs=10, have_qty=0, per_day=10, pack_qty=6)
    strange = Claim("strange", packs=9, required_packs=60 // pack_qty, have_qty=0, per_day=10, pack_qty=pack_qty)
    mine, theirs = fair_share(60, [usual, strange], 6)
    assert theirs * pack_qty <= 30 <= mine * 6
    assert theirs or pack_qty == 60, "who has not heard of a new pack gets its part"


def test_a_need_beyond_all_reason_costs_no_more_than_what_there_is():
    odd = Claim("odd", packs=999, required_packs=10**12, have_qty=0, per_day=1e12, pack_qty=6, on_route=False)
    odd = replace(odd, packs=10**12)
    small = Claim("small", packs=2, required_packs=2, have_qty=0, per_day=1, pack_qty=6)
    assert fair_share(60, [odd, small], 6) == [9, 1]


def test_a_small_shop_gets_its_pack_before_a_large_one_gets_a_second():
    large = Claim("large", packs=20, required_packs=20, have_qty=0, per_day=100, pack_qty=6)
    small = Claim("small", packs=1, required_packs=1, have_qty=3, per_day=1, pack_qty=6)
    assert fair_share(12, [large, small], 6) == [1, 1]


def test_equal_need_is_met_to_equal_days_of_supply():
    slow = Claim("slow", packs=40, required_packs=40, have_qty=0, per_day=10, pack_qty=1)
    fast = Claim("fast", packs=40, required_packs=40, have_qty=0, per_day=30, pack_qty=1)
    assert fair_share(40, [slow, fast]) == [10, 30]


def test_a_shop_that_orders_on_another_day_has_its_share_kept_back():
    today = Claim("today", packs=40, required_packs=20, have_qty=0, per_day=10, pack_qty=1)
    later = Claim("later", packs=20, required_packs=20, have_qty=0, per_day=10, pack_qty=1, on_route=False)
    assert fair_share(20, [today, later]) == [10, 10]
    assert fair_share(50, [today, later]) == [30, 20]  # every need is met: the rest goes to the order above it


def test_a_thousand_shops_are_served_as_one_after_the_other():
    """The sorted packs are those of a queue in which always the store with the fewest days of supply is next."""
    many = [Claim(f"S{n:04d}", 3 + n % 5, 2 + n % 7, n % 11, 0.1 + n % 13, 4) for n in range(60)]
    given = [0] * len(many)
    for _ in range(130):
        open_to = [n for n, claim in enumerate(many) if given[n] < min(claim.packs, claim.required_packs)]
        next_up = min(
            open_to,
            key=lambda n: (given[n] > 0, (many[n].have_qty + given[n] * many[n].pack_qty) / many[n].per_day, n),
        )
        given[next_up] += 1
    assert fair_share(4 * 130 + 3, many, 4) == given


BREAD = (WAREHOUSE, "bread")


class Undone(Exception):
    """Leaves a transaction without a trace."""


@contextmanager
def undone(country: Country) -> Iterator[Session]:
    """Open a transaction at the network of which nothing stays."""
    with suppress(Undone), country.network.write() as session:
        yield session
        raise Undone


@pytest.fixture(scope="module")
def country(tmp_path_factory) -> Country:
    return make_country(tmp_path_factory.mktemp("fair"))


def sells(session, store: str, a_day: int, sku: str = "bread") -> None:
    for back in range(1, 5):
        day = DAY - dt.timedelta(days=back)
        session.merge(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=100))
        session.add(DailyDemand(store_id=store, sku=sku, business_day=day, sold_qty=a_day, revenue_minor=1, sales=1))
    session.flush()


def wish(packs: int, pack_qty: int = 6, **why: float) -> Ordered:
    return Ordered("bread", "Rye bread", pack_qty, 150 * pack_qty, 1, packs, packs, "", "", why)


def arrive(session, store: str, n: int, line: Ordered, vehicles: int = 1) -> None:
    """Let the network hear an order as a store may write it. vehicles: days until it says its next vehicle comes."""
    fact = OrderSent(
        store_id=store, order_id=f"{store}-{n}", order_no=n, supplier_id=VAN, order_day=str(DAY),
        delivery_day=str(DAY + dt.timedelta(days=1)), next_delivery_day=str(DAY + dt.timedelta(days=1 + vehicles)),
        cost_minor=0, proposed_at=stamp(AT), sent_at=stamp(AT), forecast_age_days=0, lines=(line,),
    )  # fmt: skip
    message = Message(
        id=fact.order_id, n=n, topic="order.sent", version=OrderSent.VERSION, made_at=stamp(AT), business_day=str(DAY),
        body=fact.to_body(), hash="",
    )  # fmt: skip
    facts.apply(session, message, store, AT)


def shared(session) -> dict[str, int]:
    """Fill, and return the units promised to each store."""
    found = dict.fromkeys(STORES, 0)
    for order in dispatch.fill(Context(session, OPERATOR, AT)):
        for line in session.query(OrderLine).filter_by(store_id=order.store_id, order_id=order.id):
            found[order.store_id] += (line.packs_acknowledged or 0) * line.pack_qty
    return found


def outcome(country: Country, there: int, stores, orders) -> dict[str, int]:
    """Return what is shared out where `there` units stand. stores: (a day, has); orders: (store, line, vehicles)."""
    with undone(country) as session:
        if there < 60:
            stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "bread", 60 - there)
        for store, (a_day, has) in zip(STORES, stores, strict=True):
            if a_day:
                sells(session, store, a_day)
            if has:
                stock.open_stock(Context(session, OPERATOR, AT), store, [("bread", has)], source_id=store)
        for n, (store, line, vehicles) in enumerate(orders, 1):
            arrive(session, store, n, line, vehicles)
        return shared(session)


reported = st.fixed_dictionaries(
    {}, optional={"per_day": st.floats(0, 900)}
    | {name: st.integers(-90, 900) for name in ("on_hand", "reserved", "on_the_way", "required_qty", "target")},
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 59),
    st.tuples(st.integers(1, 20), st.integers(0, 40)), st.tuples(st.integers(1, 20), st.integers(0, 40)),
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from([1, 6, 60]), reported), min_size=1, max_size=3),
    st.integers(1, 9),
)  # fmt: skip
def test_whatever_a_shop_writes_into_its_orders_takes_nothing_from_what_another_needs(
    country, there, mine, yours, asked, lies, vehicles
):
    fair = outcome(country, there, (mine, yours), [("S1", wish(30), 1), ("S2", wish(asked), 1)])
    odd = [("S1", wish(packs, pack_qty, **why), vehicles) for packs, pack_qty, why in lies]
    after = outcome(country, there, (mine, yours), [*odd, ("S2", wish(asked), 1)])
    has, a_day = yours[1], min(yours[0], allocation.SUDDEN * mine[0])  # of two stores each is the other's middle
    requirements = max(0, a_day * 2 + 1.5 * (a_day * 2) ** 0.5 - has)
    assert after["S2"] >= min(fair["S2"], requirements), "S1 asked for all it could, honestly, and got its need"
    assert sum(after.values()) <= there
    if after["S2"] < min(6 * asked, requirements):
        assert after["S1"] < fair["S1"] + 6, "while a need is unmet, what is over the need brings less than a pack"


def test_of_what_a_shop_never_sold_it_needs_what_others_sell_and_no_more_than_it_says(country):
    greedy = outcome(country, 60, ((0, 0), (3, 0)), [("S1", wish(9, required_qty=900), 1), ("S2", wish(2), 1)])
    assert greedy == {"S1": 48, "S2": 12}, "nobody needs the rest"
    scarce = outcome(country, 18, ((0, 0), (3, 0)), [("S1", wish(9, required_qty=900), 1), ("S2", wish(2), 1)])
    assert scarce == {"S1": 12, "S2": 6}
    modest = outcome(country, 18, ((0, 0), (3, 0)), [("S1", wish(9, required_qty=5), 1), ("S2", wish(2), 1)])
    assert modest == {"S1": 6, "S2": 12}


def test_where_nobody_sells_it_yet_packs_go_round_in_turn(country):
    orders = [("S1", wish(9, required_qty=900, per_day=900), 1), ("S2", wish(3, required_qty=18, per_day=1), 1)]
    assert outcome(country, 36, ((0, 0), (0, 0)), orders) == {"S1": 18, "S2": 18}


def test_one_wish_on_two_orders_is_one_wish_and_a_strange_pack_brings_no_more(country):
    split = [("S1", wish(4), 1), ("S1", wish(4), 1), ("S2", wish(8), 1)]
    assert outcome(country, 24, ((9, 0), (9, 0)), split) == {"S1": 12, "S2": 12}
    strange = [("S1", wish(1, 60), 1), ("S2", wish(3), 1)]
    assert outcome(country, 60, ((9, 0), (9, 0)), strange) == {"S1": 0, "S2": 18}, "60 are more than S1 needs"
    late = [("S1", wish(4, 12), 1), ("S2", wish(4), 1)]
    assert outcome(country, 24, ((9, 0), (9, 0)), late) == {"S1": 12, "S2": 12}, "it has not heard of the new pack"


def test_what_customers_ordered_is_needed_beside_what_sells(country):
    with undone(country) as session:
        sells(session, "S1", 4)
        before = allocation.read_requirements(session, [BREAD], {("S1", "bread")}, {}, at=AT).have
        session.add(
            GroupOffer(
                id="G1", store_id="S1", owner="S1", sku="bread", name="Rye bread", state="ordered", cases=2, case_qty=6,
                steps=[[1, 100]], threshold_qty=1, minimum_cases=1, store_takes=0, commission_bp=0, opened_at=AT,
                closes_at=AT, vehicle_day=DAY, pickup_until=DAY, leader="",
            )
        )  # fmt: skip
        session.flush()
        after = allocation.read_requirements(session, [BREAD], {("S1", "bread")}, {}, at=AT).have
        assert (before.get(("S1", "bread"), 0), after["S1", "bread"]) == (0, -12)


def test_goods_nobody_ever_counted_are_not_counted_on_for_ever(country):
    with undone(country) as session:
        for n, (state, due_days) in enumerate([("expected", 1), ("expected", -7), ("expected", -8), ("refused", 0)]):
            session.add(
                Delivery(store_id="S1", id=f"d{n}", supplier_id=VAN, order_id=None, network_offer_id=None, state=state,
                         expected_day=DAY + dt.timedelta(days=due_days), advised_at=AT)
            )  # fmt: skip
            session.flush()
            line = DeliveryLine(store_id="S1", delivery_id=f"d{n}", sku="bread", name="", pack_qty=6, advised_qty=6)
            session.add(line)
        session.flush()
        assert stockouts.positions(session, DAY) == {("S1", "bread"): 12}, "what is due for over a week is not known of"


def _line(store: str, order_id: str, packs: int, pack_qty: int, **why: float) -> OrderLine:
    return OrderLine(
        store_id=store, order_id=order_id, sku="bread", name="", pack_qty=pack_qty, packs=packs, packs_proposed=packs,
        why=why,
    )  # fmt: skip


LOAF = ("WH1", "bread")


def knows(**wishes) -> allocation.AllocationRequirements:
    """Return what the network knows of bread in packs of 6 that orders are to last two days for."""
    given = {
        "rates": {}, "usual": {}, "have": {}, "days": {"WH1": 3}, "reach": defaultdict(lambda: 2),
        "packs": {LOAF: frozenset({6, 12})}, "silent": {}, "house_of": {"S1": "WH1", "S2": "WH1"},
    }  # fmt: skip
    return allocation.AllocationRequirements(**given | wishes)


SELLS_6 = {("S1", "bread"): 6.0}  # 12 in two days and 1.5 times their root for chance: 18


@pytest.mark.parametrize(
    ("known", "got", "lines", "packs"),
    [
        *[({"rates": SELLS_6, "have": {("S1", "bread"): have}}, 0, [{}], packs)
          for have, packs in ((0, 3), (1, 3), (6, 2), (12, 1), (17, 1), (18, 0), (40, 0), (-1, 4))],
        ({"rates": SELLS_6}, 6, [{}], 2),
        ({"rates": SELLS_6, "reach": {("S1", "o0"): 1, ("S1", "o1"): 2}}, 0, [{}, {}], 3),
        ({"rates": SELLS_6 | {("S1", "bread"): 1e12}}, 0, [{}], MOST_PACKS),
        ({"usual": {"bread": 6.0}}, 0, [{"required_qty": 5}], 1),
        ({"usual": {"bread": 6.0}}, 0, [{"required_qty": 900}], 3),
        ({"usual": {"bread": 6.0}}, 6, [{"required_qty": 12}], 1),
        ({"usual": {"bread": 0.4}}, 0, [{"required_qty": 900}], 1),
        ({}, 0, [{"required_qty": 13}], 3),
        ({}, 0, [{"required_qty": 6}, {"required_qty": -6}], 1),
        ({}, 0, [{"target": 20, "on_hand": 3, "reserved": 1, "on_the_way": 5}], 3),
        ({}, 0, [{"target": 12}], 2),
        ({}, 0, [{"target": 12, "on_hand": 6}], 1),
        ({}, 0, [{"target": 12, "reserved": 6}], 3),
        ({}, 0, [{"target": 12, "on_the_way": 6}], 1),
        ({}, 0, [{}, {}], 10),
        ({"rates": {("S1", "bread"): 0.0}}, 0, [{}], 1),
        ({"rates": {("S1", "bread"): -6.0}}, 0, [{}], 1),
        ({"rates": {("S1", "bread"): 0.0}, "have": {("S1", "bread"): 1}}, 0, [{}], 0),
        ({"rates": SELLS_6, "packs": {LOAF: frozenset({12})}, "have": {("S1", "bread"): 5}}, 0, [{}], 2),
        ({"rates": {("S1", "bread"): 0.0}, "packs": {}}, 0, [{}], 0),
    ],
)  # fmt: skip
def test_a_store_needs_what_it_sells_until_the_vehicle_after_its_order_s_less_what_it_has(known, got, lines, packs):
    mine = [_line("S1", f"o{n}", 5, 6, **why) for n, why in enumerate(lines)]
    claim = knows(**known).claim(LOAF, mine, got)
    assert (claim.required_packs, claim.packs) == (packs, 5 * len(lines))
    assert claim.have_qty == knows(**known).have.get(("S1", "bread"), 0) + got


@pytest.mark.parametrize(
    ("have", "per_day", "days", "packs"),
    [(0, 6.0, {"WH1": 3}, 5), (7, 6.0, {"WH1": 3}, 3), (30, 6.0, {"WH1": 3}, 0), (0, 6.0, {}, 3),
     (0, -6.0, {}, 0), (0, 1e12, {}, MOST_PACKS)],
)  # fmt: skip
def test_a_store_without_an_order_takes_part_with_its_need_until_the_vehicle_after_next(have, per_day, days, packs):
    place = ("S1", "bread")
    known = knows(rates={place: per_day}, have={place: have}, days=days, silent={LOAF: ["S1"]})
    assert known.silent_claims(LOAF) == [Claim("S1/", packs, packs, have, per_day, 6, on_route=False)]


def test_of_two_orders_of_a_store_the_longest_waiting_is_served_first_and_what_is_kept_is_told():
    known = knows(
        rates=dict.fromkeys((("S1", "bread"), ("S2", "bread"), ("S3", "bread")), 6.0), silent={LOAF: ["S2", "S3"]},
        have={("S3", "bread"): 60}, days={"WH1": 2},
    )  # fmt: skip
    given, scarce = allocation.share_out(
        {LOAF: 24}, {LOAF: [_line("S1", "first", 1, 6), _line("S1", "second", 9, 6)]}, known
    )
    assert given == {("S1", "first", "bread"): 1, ("S1", "second", "bread"): 1}
    assert scarce == {LOAF: allocation.Scarcity(there_qty=24, given_qty=12, kept_qty=12, kept_for=1)}
    assert allocation.share_out({LOAF: -6}, {LOAF: [_line("S1", "first", 1, 6)]}, known)[1] == {
        LOAF: allocation.Scarcity(0, 0, 0, 0)
    }


def test_what_a_store_has_counts_to_the_unit():
    known = knows(
        rates={("S1", "bread"): 6.0, ("S2", "bread"): 6.0}, have={("S1", "bread"): 6, ("S2", "bread"): 5}
    )  # so that S1 needs two packs and S2 three
    given, _ = allocation.share_out({LOAF: 30}, {LOAF: [_line("S1", "o", 9, 6), _line("S2", "o", 9, 6)]}, known)
    assert given == {("S1", "o", "bread"): 2, ("S2", "o", "bread"): 3}


def test_a_store_that_sells_nothing_makes_no_average_and_has_no_need(country):
    with undone(country) as session:
        sells(session, "S1", 6)
        sells(session, "S2", 0)
        known = allocation.read_requirements(session, [BREAD], set(), {}, at=AT)
        assert known.rates["S2", "bread"] == 0
        assert known.usual == {"bread": known.rates["S1", "bread"]}
        assert [one.key for one in known.silent_claims(BREAD)] == ["S1/"]


@pytest.mark.parametrize(
    ("rates", "counts"),
    [([100], 100), ([100, 0], 100), ([100, 10], 30), ([100, 10, 20], 30), ([100, 10, 20, 30], 60),
     ([100, 10, 20, 30, 40], 60), ([10, 1, 10, 10], 10), ([30, 10, 10, 10], 30), ([31, 10, 10, 10], 30),
     ([20, 2, 3, 30, 40], 9), ([1, 100, 100], 1), ([9, 1, 1], 3)],
)  # fmt: skip
def test_a_store_s_word_counts_at_most_three_times_what_the_middle_other_store_sells(country, rates, counts):
    with undone(country) as session:
        found = allocation.counted(session, {(f"S{n}", "bread"): float(rate) for n, rate in enumerate(rates)})
        assert found["S0", "bread"] == counts


@pytest.mark.parametrize(("state", "number", "counts"), [("placed", 1, 5), ("collected", 1, 0), ("placed", 0, 0)])
def test_what_customers_ordered_online_is_needed_until_they_have_it(country, state, number, counts):
    with undone(country) as session:
        session.add(
            PickupOrder(
                store_id="S1", id="o", order_no="S1-1", number=number, state=state, customer_name="", currency="EUR",
                customer_phone="", code_hash="", token_hash="t", total_minor=500, placed_at=AT, moved_at=AT,
            )
        )  # fmt: skip
        session.flush()
        for sku, qty in (("bread", 5), ("milk", 7)):
            session.add(
                PickupLine(store_id="S1", order_id="o", sku=sku, name="", qty=qty, price_minor=1, price_quantity=1)
            )
        session.flush()
        have = allocation.read_requirements(session, [BREAD], {("S1", "bread")}, {}, at=AT).have
        assert have == ({("S1", "bread"): -counts} if counts else {})


@given(
    st.integers(0, 90), st.integers(0, 90),
    st.tuples(st.integers(1, 20), st.integers(1, 20)), st.tuples(st.integers(-9, 30), st.integers(0, 30)),
    st.integers(1, 60), st.lists(st.tuples(st.integers(1, 99), st.sampled_from([1, 6, 60])), min_size=1, max_size=3),
)  # fmt: skip
def test_who_orders_its_need_at_its_own_warehouse_gains_nothing_by_ordering_elsewhere_too(
    here, there, rates, have, yours, more
):
    goods = [(house, "bread") for house in ("WH2", "WH1")]
    places = [("S1", "bread"), ("S2", "bread")]
    requirements = allocation.AllocationRequirements(
        dict(zip(places, rates, strict=True)), {"bread": sum(rates) / 2}, dict(zip(places, have, strict=True)),
        dict.fromkeys(("WH1", "WH2"), 3), defaultdict(lambda: 2),
        dict.fromkeys(goods, frozenset({6})), {}, {"S1": "WH2", "S2": "WH1"},
    )  # fmt: skip
    free = dict(zip(goods, (here, there), strict=True))
    mine, other = _line("S1", "own", 999, 6), _line("S2", "other", yours, 6)
    once, _ = allocation.share_out(free, {goods[0]: [mine], goods[1]: [other]}, requirements)
    odd = [_line("S1", f"odd{n}", packs, pack_qty) for n, (packs, pack_qty) in enumerate(more)]
    twice, _ = allocation.share_out(free, {goods[1]: [*odd, other], goods[0]: [mine]}, requirements)
    wanted = requirements.claim(goods[1], [other], 0).required_packs
    key = ("S2", "other", "bread")
    assert min(twice[key], wanted) == min(once[key], wanted), "what another needs of its warehouse is not touched"
    if twice[key] < min(yours, wanted):
        assert all(twice["S1", line.order_id, "bread"] == 0 for line in odd)
    assert twice["S1", "own", "bread"] == once["S1", "own", "bread"]


def test_a_shop_that_orders_other_goods_alone_keeps_its_reserve(country):
    with undone(country) as session:
        sells(session, "S1", 6)
        sells(session, "S2", 6)
        for ordering, silent in [({("S1", "bread"), ("S2", "tea")}, ["S2/"]), ({("S2", "bread")}, ["S1/"])]:
            requirements = allocation.read_requirements(session, [BREAD], ordering, {}, at=AT)
            assert [one.key for one in requirements.silent_claims(BREAD)] == silent


def test_an_order_that_gets_less_says_what_is_kept_for_stores_that_order_another_day_and_costs_what_is_promised(
    country,
):
    with undone(country) as session:
        for store in ("S1", "S2"):
            sells(session, store, 10)
        arrive(session, "S1", 1, wish(10))
        (order,) = dispatch.fill(Context(session, OPERATOR, AT))
        (line,) = order_status.sheet(session, "S1", order.id).lines
        (listed,) = overview.orders(session)
        assert line.scarce is not None
        assert line.scarce.there_qty == 60
        assert line.scarce.kept_for == 1
        assert line.scarce.given_qty == line.given * 6 < 60
        assert line.scarce.given_qty + line.scarce.kept_qty <= 60
        assert line.scarce.kept_qty > 0
        assert line.cost_minor == order.cost_minor == listed.cost_minor == line.given * 900

"""Goods between stores: both gain, both agree, nothing is made or lost, and the money of both together is zero."""

import datetime as dt
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, Refused
from config.nodes.journal import Context
from pos.stock import batches, consignment_stock, recall, stock
from pos.stock.batches import Lot
from pos.stock.consignment_stock import Consignment
from supply.demand import known_events
from supply.demand.history import DailyDemand, StoreDay
from supply.membership import attention
from supply.money import credit
from supply.money import ledger as settlement
from supply.network.routes import vehicles
from supply.network.transfers import proposals, sheets, transfers
from supply.network.transfers.arithmetic import (
    GRID,
    Sheet,
    Spare,
    TransferPolicy,
    Want,
    matches,
    spare_gains,
    want_gains,
    without,
)
from supply.network.transfers.sheets import TransferSheet
from supply.orders import transfers as store_transfers
from supply.replenishment.policy import PolicyLine, worth
from tests.arriving import hear
from tests.supply.receiving.test_consignment import OFFER, bring, sell
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, Country, later, make_country


def line(rate: float, position: int, *, pack: int = 12, cost: int = 100, price: int = 180, **wishes) -> PolicyLine:
    """A product of a store whose vehicle comes in a day and again two days later."""
    given = {"sku": "x", "mean": 3 * rate, "variance": 4 * rate, "mean_before": rate, "interval_days": 3.0,
             "held_days": 2.0, "position_qty": position, "pack_qty": pack, "pack_cost_minor": cost * pack,
             "price_minor": price} | wishes  # fmt: skip
    return PolicyLine(**given)


# --- what goods are worth ---


def test_a_case_of_a_slow_seller_is_better_shared_with_a_neighbour_who_has_one():
    few = [2, 3, 4]
    giver, taker = spare_gains(line(0.1, 12), [], [0.1] * 31, few), want_gains(line(0.1, 0), few)
    assert min(giver.values()) > 0
    assert min(taker.values()) > 0
    assert taker[2] > want_gains(line(0.1, 0, pack=1), [2])[2], "who may buy single units gains less by it"


def test_goods_that_would_expire_here_are_worth_giving_and_only_those():
    gains = spare_gains(line(1, 10), [(3, 10.0)], [1.0] * 31, [2, 6, 10])
    assert gains[6] > gains[2] > 0
    assert gains[6] > gains[10]
    assert without([(3, 10.0), (1, 2.0)], 5) == [(3, 7.0)]


@given(st.floats(0.05, 20), st.integers(0, 60), st.integers(1, 24))
def test_a_shop_never_gains_by_giving_what_it_is_sure_to_sell_before_its_van_comes(rate, spare, pack):
    short = line(rate, min(spare, int(rate / 2)), pack=pack)
    gains = spare_gains(short, [], [rate] * 31, [1]) if short.position_qty else {1: 0}
    assert gains[1] <= 0


# --- who brings what to whom ---

gains = st.dictionaries(st.sampled_from(GRID), st.integers(-300, 900), min_size=1, max_size=5)
sheet = st.builds(
    Sheet,
    st.dictionaries(
        st.sampled_from("abcd"), st.builds(Spare, gains, st.sampled_from([None, DAY + dt.timedelta(days=4)]))
    ),
    st.dictionaries(st.sampled_from("abcd"), st.builds(Want, gains, st.floats(0, 9), st.floats(1, 3))),
)
STORES = ("S1", "S2", "S3")


@settings(max_examples=150)
@given(st.fixed_dictionaries(dict.fromkeys(STORES, sheet)), st.randoms())
def test_both_gain_and_no_product_leaves_or_reaches_a_shop_twice(sheets, dice):
    near = [(one, two, dice.choice([300, 2_000, 9_000])) for one in STORES for two in STORES if one != two]
    policy = TransferPolicy(most_a_store=2)
    found = matches(sheets, near, dict.fromkeys("abc", 50.0), DAY, policy=policy)
    gone, come, count = [], [], dict.fromkeys(STORES, 0)
    for one in found:
        assert one.metres <= policy.most_metres
        assert min(one.giver_minor, one.taker_minor) >= policy.least_minor
        way = -(-2 * one.metres * policy.a_km_minor // 2_000)
        assert one.giver_minor == sum(row.giver_minor for row in one.lines) - way
        for row in one.lines:
            assert row.sku != "d", "what has no cost of the network's is not transferred"
            assert row.qty in sheets[one.giver_id].spares[row.sku].gains
            assert row.giver_minor == sheets[one.giver_id].spares[row.sku].gains[row.qty] >= 0
            assert 0 <= row.taker_minor <= sheets[one.taker_id].wants[row.sku].gains[row.qty]
            gone.append((one.giver_id, row.sku))
            come.append((one.taker_id, row.sku))
        for store in (one.giver_id, one.taker_id):
            count[store] += 1
    assert len(set(gone)) == len(gone)
    assert len(set(come)) == len(come)
    assert not set(gone) & set(come), "no store passes on what it gets"
    assert max(count.values()) <= 2


# --- the road of one transfer ---


@pytest.fixture
def country(tmp_path) -> Country:
    """Two neighbours: S1 has bread that will expire and a case of tea too many, S2 sells bread and has none."""
    return make_country(tmp_path, lay_in=_neighbours)


def _neighbours(made: Country) -> None:
    for store, have in (("S1", {"bread": 40, "tea": 30}), ("S2", {"bread": 1})):
        with made.stores[store].write() as session:
            stock.open_stock(Context(session, KEEPER[store], AT), store, list(have.items()), source_id="o")
            for back in range(1, 29):
                day = DAY - dt.timedelta(days=back)
                session.add(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=1))
                rate = 1 if store == "S1" else 6
                session.add(
                    DailyDemand(
                        store_id=store, business_day=day, sku="bread", sold_qty=rate, sales=rate, revenue_minor=1
                    )
                )
    with made.stores["S1"].write() as session:
        lots = [Lot("bread", 40, None, DAY + dt.timedelta(days=6))]
        batches.lay_in(session, "S1", lots, source_kind="delivery", source_id="d", at=AT)
    with made.network.write() as session:
        for store, lon in (("S1", 9_000_000), ("S2", 9_010_000)):
            vehicles.place(Context(session, OPERATOR, AT), store, 50_000_000, lon)
    made.deliver()


def proposed(country: Country, seed: int | None = None) -> str:
    for store, database in country.stores.items():
        with database.write() as session:
            sheets.send(session, store, sheets.work_out(session, store, at=AT), at=AT)
    country.deliver(seed=seed)
    with country.network.write() as session:
        (found,) = proposals.propose(Context(session, OPERATOR, AT))
        transfer_id = found.id
    country.deliver(seed=seed)
    return transfer_id


def do(country: Country, store: str, verb, transfer_id: str, *given, at=AT, **wishes):
    with country.stores[store].write() as session:
        return getattr(transfers, verb)(Context(session, KEEPER[store], at), store, transfer_id, *given, **wishes)


def agreed(country: Country, seed: int | None = None) -> tuple[str, str, dict[str, int]]:
    """Return the id, the code and what is to go."""
    transfer_id = proposed(country, seed)
    for store in country.stores:
        do(country, store, "agree", transfer_id)
    country.deliver(seed=seed)
    with country.stores["S2"].read() as session:
        found = store_transfers.transfer_of(session, "S2", transfer_id)
        qty = {one.sku: one.qty for one in store_transfers.lines_of(session, found)}
        return transfer_id, transfers.code_of(session, transfer_id), qty


def states(country: Country, transfer_id: str) -> list[str]:
    found = []
    for database in country.nodes().values():
        with database.read() as session:
            found.append(session.get_one(store_transfers.Transfer, transfer_id).state)
    return found


def ledger(country: Country, store: str) -> dict[str, int]:
    with country.network.read() as session:
        return settlement.balances(session, store)


@pytest.mark.parametrize("seed", [None, 3])
def test_goods_go_from_shop_to_shop_with_their_last_day_and_are_settled_at_cost(country, seed):
    transfer_id, code, qty = agreed(country, seed)
    assert qty.keys() == {"bread"}
    bread = qty["bread"]
    with country.stores["S1"].read() as session:
        assert known_events.until(session, "S1", DAY + dt.timedelta(days=9)) == qty, (
            "This payment is already assigned. Check the"
        )
        mine = store_transfers.transfer_of(session, "S1", transfer_id)
        assert mine.taker_minor is None, "not the other's gain"
        assert mine.giver_minor > 0
    assert country.on_the_way("S2") == qty
    do(country, "S1", "hand_over", transfer_id, code, qty)
    country.deliver(seed=seed)
    do(country, "S2", "receive", transfer_id, qty)
    country.deliver(seed=seed)
    assert states(country, transfer_id) == ["received"] * 3
    assert country.level("S1", "S1", "bread").on_hand == 40 - bread
    assert country.level("S2", "S2", "bread").on_hand == 1 + bread
    with country.stores["S2"].read() as session:
        held = batches.standing(session, "S2", ["bread"], day=DAY)["bread"]
        assert (held[0].qty, held[0].expires_on) == (bread, DAY + dt.timedelta(days=6))
    cost = bread * 900 // 6
    giver, taker = ledger(country, "S1"), ledger(country, "S2")
    assert (giver["funds"], taker["invoiced"]) == (-cost, cost)
    assert giver["transfers"] + taker["transfers"] == 0
    assert country.findings() == []
    with country.network.write() as session:
        assert proposals.propose(Context(session, OPERATOR, AT)) == [], "that day's sheet wants what has come"


def test_a_sheet_an_older_program_kept_unread_stops_no_other_shop(country):
    odd = {"store_id": "S1", "day": AT.date().isoformat(), "spares": [["milk", None]], "wants": []}
    with country.network.write() as session:
        session.merge(TransferSheet(store_id="S1", day=AT.date(), body=odd))
        session.flush()
        assert "S1" not in sheets.sheets(session, AT.date())


def test_goods_may_arrive_before_their_word_and_less_than_was_counted_is_said(country):
    transfer_id, code, qty = agreed(country)
    do(country, "S1", "hand_over", transfer_id, code, qty)
    missing = {"bread": qty["bread"] - 1}
    do(country, "S2", "receive", transfer_id, missing)  # nothing was carried in between
    with country.stores["S2"].write() as session:
        assert store_transfers.coming(session, "S2") == []
    country.deliver(seed=5)
    assert states(country, transfer_id) == ["received"] * 3
    with country.network.read() as session:
        found = session.get_one(store_transfers.Transfer, transfer_id)
        (row,) = store_transfers.lines_of(session, found)
        assert (row.given_qty, row.taken_qty) == (qty["bread"], qty["bread"] - 1)
    assert ledger(country, "S2")["invoiced"] == -ledger(country, "S1")["funds"] == qty["bread"] * 150
    assert country.findings() == []


def asked_about(country, at: dt.datetime = AT) -> list[tuple[str, str]]:
    """Return the transfers the operator is to ask about, by the store that gave the goods."""
    with country.network.read() as session:
        found = attention.needing_a_person(session, at=at)
    return [(one.kind, one.subject) for one in found if one.kind.startswith("transfer")]


def test_the_operator_hears_of_goods_nobody_said_the_arrival_of(country):
    transfer_id, code, qty = agreed(country)
    do(country, "S1", "hand_over", transfer_id, code, qty)
    country.deliver()
    assert asked_about(country, AT + dt.timedelta(days=2)) == []
    assert asked_about(country, AT + dt.timedelta(days=3)) == [("transfer-unreported", "S1")]
    do(country, "S2", "receive", transfer_id, qty)
    country.deliver()
    assert asked_about(country, AT + dt.timedelta(days=3)) == []


@pytest.mark.parametrize("seed", [None, 4])
def test_what_did_not_come_enters_no_stock_and_is_paid_until_the_giver_has_it_again(country, seed):
    transfer_id, code, qty = agreed(country)
    with pytest.raises(Conflict, match="agreed now"):
        do(country, "S2", "did_not_come", transfer_id, why="Gone")
    do(country, "S1", "hand_over", transfer_id, code, qty)
    country.deliver(seed=seed)
    with pytest.raises(Invalid, match="Explain what happened"):
        do(country, "S2", "did_not_come", transfer_id, why=" ")
    for _ in range(2):
        do(country, "S2", "did_not_come", transfer_id, why="The bag was empty")
    country.deliver(seed=seed)
    cost = qty["bread"] * 150
    assert states(country, transfer_id) == ["received"] * 3
    assert country.level("S2", "S2", "bread").on_hand == 1
    assert (ledger(country, "S1")["funds"], ledger(country, "S2")["invoiced"]) == (-cost, cost), (
        "its code signed for it"
    )
    with country.stores["S1"].read() as session:
        (found,) = store_transfers.missing(session, "S1", at=AT)
        assert found.why == "The bag was empty"
    assert asked_about(country) == [("transfer-missing", "S1")]
    with pytest.raises(Invalid, match="Count 0 to"):
        do(country, "S1", "take_back", transfer_id, {"bread": qty["bread"] + 1})
    here = {"bread": qty["bread"] - 1}
    do(country, "S1", "take_back", transfer_id, here)
    with pytest.raises(Conflict):
        do(country, "S1", "take_back", transfer_id, here)
    country.deliver(seed=seed)
    country.reapply()
    assert states(country, transfer_id) == ["taken_back"] * 3
    assert asked_about(country) == []
    assert country.level("S1", "S1", "bread").on_hand == 40 - 1
    giver, taker = ledger(country, "S1"), ledger(country, "S2")
    assert giver["funds"] + giver["invoiced"] == -150
    assert taker["funds"] + taker["invoiced"] == 150
    assert giver["transfers"] + taker["transfers"] == 0
    with country.stores["S1"].read() as session:
        held = batches.standing(session, "S1", ["bread"], day=DAY)["bread"]
        assert held[0].expires_on == DAY + dt.timedelta(days=6), "it has its last day again"
    assert country.findings() == []


def test_goods_taken_in_before_they_are_handed_over_are_let_go_of_and_paid_all_the_same(country):
    transfer_id, code, qty = agreed(country)
    before = {store: country.level(store, store, "bread").on_hand for store in ("S1", "S2")}
    less = {"bread": qty["bread"] - 1}
    do(country, "S2", "receive", transfer_id, less)
    country.deliver()
    with pytest.raises(Invalid):  # the other store's count is its word: no more than that is charged
        do(country, "S1", "hand_over", transfer_id, "", qty)
    do(country, "S1", "hand_over", transfer_id, "", less)
    with pytest.raises(Conflict):
        do(country, "S1", "hand_over", transfer_id, code, less)
    country.deliver()
    assert country.level("S1", "S1", "bread").on_hand == before["S1"] - less["bread"]
    assert country.level("S2", "S2", "bread").on_hand == before["S2"] + less["bread"]
    cost = less["bread"] * 900 // 6
    assert (ledger(country, "S1")["funds"], ledger(country, "S2")["invoiced"]) == (-cost, cost)
    assert country.findings() == []


def test_nothing_goes_without_the_code_nor_more_than_was_agreed_or_is_there(country):
    transfer_id, code, qty = agreed(country)
    with pytest.raises(Refused, match="not Store S2's code"):
        do(country, "S1", "hand_over", transfer_id, "AAAA-AAAA", qty)
    with pytest.raises(Invalid, match="Count 0 to"):
        do(country, "S1", "hand_over", transfer_id, code, {"bread": qty["bread"] + 1})
    with pytest.raises(Refused, match="hands these over, not this store"):
        do(country, "S2", "hand_over", transfer_id, code, qty)
    with country.stores["S1"].write() as session:
        stock.count(Context(session, KEEPER["S1"], AT), "S1", "bread", 2)
    with pytest.raises(Refused, match=r"\(2/"):
        do(country, "S1", "hand_over", transfer_id, code, qty)
    do(country, "S1", "hand_over", transfer_id, code, {"bread": 2})
    country.deliver()
    with pytest.raises(Invalid, match="Count 0 to 2"):
        do(country, "S2", "receive", transfer_id, qty)
    do(country, "S2", "receive", transfer_id, {"bread": 2})
    country.deliver()
    with pytest.raises(Conflict, match="received now"):
        do(country, "S2", "receive", transfer_id, {"bread": 2})
    assert ledger(country, "S2")["invoiced"] == 300
    assert country.findings() == []


def spare_bread(country: Country) -> int:
    """Return how much bread S1 tells it can spare at most."""
    with country.stores["S1"].write() as session:
        sheets.send(session, "S1", sheets.work_out(session, "S1", at=AT), at=AT)
    country.deliver()
    with country.network.read() as session:
        spare = sheets.sheets(session, DAY)["S1"].spares.get("bread")
        return max(spare.gains) if spare else 0


def test_what_is_here_on_sale_or_return_is_neither_offered_to_a_neighbour_nor_handed_over(country):
    transfer_id, code, _ = agreed(country)
    bring(country)  # twelve of the network's, behind the store's own
    for there, most in ((12, 0), (20, 8)):
        with country.stores["S1"].write() as session:
            stock.count(Context(session, KEEPER["S1"], AT), "S1", "bread", there)
        assert spare_bread(country) == most
        with pytest.raises(Refused, match=f"12 of Rye bread .* Hand over up to {most}"):
            do(country, "S1", "hand_over", transfer_id, code, {"bread": most + 1})
    with country.stores["S1"].write() as session:
        session.get_one(Consignment, ("S1", OFFER)).ahead_qty = 8
    do(country, "S1", "hand_over", transfer_id, code, {"bread": 8})
    sell(country, 5, "sale-0001")
    with country.stores["S1"].read() as session:
        assert consignment_stock.of_sale(session, "S1", "sale-0001") == [("Rye bread", 5)], "the store's own are gone"
    country.deliver()
    assert country.findings() == []


def test_what_is_recalled_is_neither_offered_to_a_neighbour_nor_handed_over(country):
    transfer_id, code, qty = agreed(country)
    with country.stores["S1"].write() as session:
        row = recall.call(Context(session, KEEPER["S1"], AT), "S1", "bread", "A", why="glass")
    assert spare_bread(country) == 0
    with pytest.raises(Refused, match="Recalled, do not hand over: Rye bread"):
        do(country, "S1", "hand_over", transfer_id, code, qty)
    with country.stores["S1"].write() as session:
        recall.clear(Context(session, KEEPER["S1"], AT), "S1", row.id, 0)
    do(country, "S1", "hand_over", transfer_id, code, qty)


@pytest.mark.parametrize("both_agreed", [False, True])
def test_a_shop_that_says_it_gave_without_the_other_s_code_bills_nobody(country, both_agreed):
    transfer_id = agreed(country)[0] if both_agreed else proposed(country)
    for code in ({}, {"code": ""}, {"code": "AAAAAAAA"}):
        reported = {"store_id": "S1", "id": transfer_id, "counts": {"bread": 1}, "code": ""} | code
        with country.network.write() as session, pytest.raises(Refused, match="not signed"):
            hear(session, "transfer.given", reported, at=AT)
    assert not any([*ledger(country, "S1").values(), *ledger(country, "S2").values()])
    do(country, "S2", "decline", transfer_id, why="It never came")
    country.deliver()
    assert states(country, transfer_id) == ["declined"] * 3


def hold(country: Country, store: str) -> None:
    with country.network.write() as session:
        credit.set_line(Context(session, OPERATOR, AT), store, credit.CreditLimit(0, 0, {}, {}, 1, [], DAY))
        credit.hold(Context(session, OPERATOR, AT), store, why="Late")


def test_a_shop_whose_credit_is_held_gives_but_buys_nothing_of_its_neighbour(country):
    transfer_id = proposed(country)
    hold(country, "S2")
    for store in country.stores:
        do(country, store, "agree", transfer_id)
    country.deliver()
    assert states(country, transfer_id) == ["lapsed"] * 3, "it was proposed before"
    with country.network.write() as session:
        assert proposals.propose(Context(session, OPERATOR, AT)) == []
        credit.release(Context(session, OPERATOR, AT), "S2")
        again = proposals.propose(Context(session, OPERATOR, AT))
        assert [one.taker_id for one in again] == ["S2"]


def test_a_sheet_nobody_can_read_is_not_taken_and_one_of_a_clock_ahead_gives_way_to_the_next(country):
    odd = {"store_id": "S2", "day": DAY.isoformat(), "wants": [], "spares": [["bread", "soon", [[1, 5]]]]}
    empty = {"store_id": "S2", "day": "2037-01-01", "wants": [], "spares": []}
    with country.network.write() as session:
        with pytest.raises(Invalid):
            hear(session, "transfer.sheet", odd, at=AT)
        hear(session, "transfer.sheet", empty, at=AT)
        assert sheets.sheets(session, DAY).keys() == {"S2"}
    assert proposed(country), "what the store told the same day stands in its place"


def test_either_shop_may_say_no_until_the_goods_change_hands_and_is_not_asked_again_at_once(country):
    transfer_id, _, _ = agreed(country)
    do(country, "S2", "decline", transfer_id, why="The fridge is full")
    country.deliver()
    assert states(country, transfer_id) == ["declined"] * 3
    with country.stores["S1"].read() as session:
        assert known_events.until(session, "S1", DAY + dt.timedelta(days=9)) == {}
        found = store_transfers.transfer_of(session, "S1", transfer_id)
        assert (found.why, found.declined_by) == ("The fridge is full", "S2")
    assert country.on_the_way("S2") == {}
    with country.network.write() as session:
        assert proposals.propose(Context(session, OPERATOR, AT)) == []


def test_what_nobody_answers_or_fetches_lapses_but_goods_that_changed_hands_count(country):
    transfer_id, code, qty = agreed(country)
    do(country, "S1", "hand_over", transfer_id, code, qty)
    with country.network.write() as session:
        (gone,) = transfers.lapse_due(Context(session, OPERATOR, later(days=9)))
        assert gone.state == "lapsed"
    country.deliver(seed=1)
    do(country, "S2", "receive", transfer_id, qty)
    country.deliver(seed=2)
    assert states(country, transfer_id) == ["received"] * 3
    assert ledger(country, "S2")["transfers"] == -ledger(country, "S1")["transfers"] != 0
    assert country.findings() == []


@pytest.mark.parametrize("seed", range(3))
def test_whatever_order_the_words_come_in_stock_is_conserved_and_the_money_balances(country, seed):
    dice = random.Random(seed)
    transfer_id, code, qty = agreed(country, seed)
    steps = [
        ("S1", "hand_over", [code, qty], {}),
        ("S2", "receive", [qty], {}),
        ("S2", "decline", [], {"why": "No"}),
        ("S1", "decline", [], {"why": "No"}),
    ]
    dice.shuffle(steps)
    for store, verb, reported, wishes in steps:
        try:
            do(country, store, verb, transfer_id, *reported, **wishes)
        except (Conflict, Refused, Invalid):
            continue
        if dice.random() < 0.5:
            country.deliver(seed=seed)
    country.deliver(seed=seed)
    with country.network.read() as session:
        found = session.get_one(store_transfers.Transfer, transfer_id)
        (row,) = store_transfers.lines_of(session, found)
    gone, come = row.given_qty or 0, row.taken_qty or 0
    assert country.level("S1", "S1", "bread").on_hand == 40 - gone
    assert country.level("S2", "S2", "bread").on_hand == 1 + come
    assert ledger(country, "S1")["transfers"] == gone * 150 == -ledger(country, "S2")["transfers"]
    assert country.findings() == []


def test_what_stands_in_a_shop_is_worth_less_the_longer_it_lies():
    values = worth([line(1.0, units, pack=1) for units in (5, 50, 500)])
    assert np.all(np.diff(values) < 0)

"""What orders may cost: the week's money and the network's line, each for what it pays; what did not fit is told."""

# ruff: noqa: F811 - the fixture is asked for by its name

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.nodes.journal import Context
from supply.money.credit import CreditDraw
from supply.orders import orders
from supply.replenishment import auto_approval, budget, proposals
from supply.replenishment.budget import Budget, Line
from supply.replenishment.decide import Source, decide_sources, ranked
from supply.replenishment.policy import share_money
from supply.replenishment.proposals import Edit
from tests.arriving import hear
from tests.supply.replenishment.test_proposals import (  # noqa: F401 - store is a fixture
    DAWN,
    MONDAY,
    WEI,
    forecast,
    lines,
    packs_of,
    propose,
    store,
)
from tests.supply.replenishment.test_sourcing import line

BY = {"actor": WEI, "at": DAWN}


def lend(session, *, limit: int = 0, account: int | None = None, state: str = "open", step: int = 1) -> None:
    """Let the store hear of its line as the network tells it."""
    terms = {} if account is None else {"account_most_minor": account}
    hear(session, "credit.reported", {
            "store_id": "S1", "state": state, "limit_minor": limit, "level": 0, "held_by": "", "held_why": "",
            "facts": {}, "terms": terms, "terms_n": 1, "steps": [], "worked_out_on": MONDAY.isoformat(),
            "advance_most_minor": 0, "step": step,
        })  # fmt: skip


def at_vehicle(store) -> tuple[list[tuple[str, int]], list[tuple[str, int, str]]]:
    """Propose and return what is ordered of the vehicle, and what was cut by which purse."""
    vehicle = next(one for one in propose(store) if one.supplier_id == "vehicle").id
    with store.read() as session:
        found = orders.lines_of(session, orders.order_of(session, "S1", vehicle))
        reported = [(one.sku, one.why["cut_packs"], one.why["cut_by"]) for one in found if "cut_packs" in one.why]
        return sorted((one.sku, one.packs) for one in found), sorted(reported)


# --- pure ---

some_lines = st.lists(st.tuples(st.integers(1, 60), st.integers(300, 900)), max_size=4)
some_budgets = st.lists(st.tuples(st.integers(0, 30_000), st.sets(st.sampled_from("abc"))), max_size=3)


@given(st.tuples(some_lines, some_lines, some_lines), some_budgets)
def test_no_purse_pays_more_than_it_holds_and_each_only_for_its_suppliers(drawn, budgets):
    sources = [
        Source(name, 0, True, [
            line(f"{name}{n}", mean=float(need), variance=need * 1.2, pack_cost_minor=cost)
            for n, (need, cost) in enumerate(some)
        ])
        for name, some in zip("abc", drawn, strict=True)
    ]  # fmt: skip
    given = [Budget(f"p{n}", left, frozenset(names)) for n, (left, names) in enumerate(budgets)]
    found = decide_sources(sources, ranked(sources), given)
    free = decide_sources(sources, ranked(sources))
    for one in given:
        cost = sum(line.cost_minor for name in one.suppliers for line in found.get(name, ()))
        assert cost <= one.left_minor
    for name, decisions in free.items():
        for wanted, got in zip(decisions, found[name], strict=True):
            assert got.packs + got.cut_packs == wanted.packs, "what did not fit is told"
            assert got.cut_by in ({one.name for one in given if name in one.suppliers} if got.cut_packs else {""})
            if not any(name in one.suppliers for one in given):
                assert got == wanted


def test_goods_on_account_count_against_the_line_and_goods_paid_when_they_come_against_the_week():
    milk, apple = line("milk"), line("apple")
    sources = [Source("net", 0, False, [milk]), Source("farm", 0, True, [apple])]
    budgets = [Budget("line", 1_200, frozenset({"net"})), Budget("budget", 600, frozenset({"farm"}))]
    found = decide_sources(sources, ranked(sources), budgets)
    assert [(one.packs, one.cut_by) for decisions in found.values() for one in decisions] == [
        (2, "line"),
        (1, "budget"),
    ]
    assert sum(one.packs + one.cut_packs for decisions in found.values() for one in decisions) == 6


def test_a_pack_comes_only_where_both_purses_hold_enough_and_the_tighter_one_is_named():
    sources = [Source("net", 0, False, [line("milk")])]
    budgets = [Budget("budget", 5_000, frozenset({"net"})), Budget("line", 600, frozenset({"net"}))]
    assert [(one.packs, one.cut_by) for one in decide_sources(sources, ranked(sources), budgets)["net"]] == [
        (1, "line")
    ]


def test_of_one_line_the_packs_worth_most_per_money_come_wherever_they_are():
    dear, cheap = line("dear", pack_cost_minor=1_150), line("cheap", pack_cost_minor=300)
    assert share_money([[dear], [cheap]], [(900, [True, True])]) == [0, 900]


# --- at a store ---


@pytest.mark.parametrize(
    ("reported", "bread"),
    [
        ({"limit": 0, "account": 1_000}, 1),
        ({"limit": 1_000, "account": 0}, 1),
        ({"limit": 900, "account": 1_900}, 2),
        ({"limit": 0, "account": 0}, 0),
        ({"limit": 0, "account": 0, "state": "held"}, 2),
        ({"limit": 500}, 2),
    ],
)
def test_orders_to_the_network_keep_within_the_larger_of_what_account_and_credit_leave(store, reported, bread):
    with store.write() as session:
        lend(session, **reported)
    forecast(store, {"bread": 5.0})
    cut = [("bread", 2 - bread, "line")] if bread < 2 else []
    assert at_vehicle(store) == ([("bread", bread)], cut)


def test_what_open_orders_will_bring_on_account_is_off_the_line_and_what_they_drew_is_not_counted_twice(store):
    with store.write() as session:
        lend(session, limit=5_000, account=3_000)
    forecast(store, {"bread": 5.0})
    vehicle = propose(store)[0]
    with store.write() as session:
        proposals.approve(Context(session, **BY), "S1", vehicle.id)
        assert budget.line_left(session, "S1") == Line(3_000 - 1_800, 5_000)
        session.add(CreditDraw(store_id="S1", order_id=vehicle.id, order_no=1, amount_minor=1_500, asked_at=DAWN))
        session.flush()
        assert budget.line_left(session, "S1") == Line(3_000 - 300, 5_000 - 1_500)


def test_the_week_s_money_may_be_for_what_is_paid_when_it_comes_alone(store):
    forecast(store, {"bread": 5.0, "apple": 900.0})
    for network_too, left in ((True, 5_000 - 1_800), (False, 5_000)):
        with store.write() as session:
            budget.set_budget(Context(session, **BY), "S1", 0, network_too=network_too)
        assert {one.supplier_id: one.cost_minor > 0 for one in propose(store)} == {
            "vehicle": not network_too,
            "farm": False,
        }
        with store.write() as session:
            budget.set_budget(Context(session, **BY), "S1", None)
        vehicle = next(one for one in propose(store) if one.supplier_id == "vehicle")
        with store.write() as session:
            proposals.approve(Context(session, **BY), "S1", vehicle.id)
            budget.set_budget(Context(session, **BY), "S1", 5_000, network_too=network_too)
            assert budget.left_to_spend(session, "S1", MONDAY) == left
            proposals.drop(Context(session, **BY), "S1", vehicle.id, why="Again")


def test_what_fits_no_money_at_all_stays_on_the_proposal_with_none_and_goes_by_no_rule(store):
    forecast(store, {"bread": 5.0})
    with store.write() as session:
        budget.set_budget(Context(session, **BY), "S1", 100)
        auto_approval.set_rule(Context(session, **BY), "S1", "vehicle", most_order_minor=9_000, most_week_minor=9_000)
    vehicle = propose(store)[0]
    found = lines(store, vehicle)["bread"]
    assert (vehicle.postponed, vehicle.cost_minor, found.packs, found.packs_proposed) == (False, 0, 0, 0)
    assert (found.why["cut_packs"], found.why["cut_by"]) == (2, "budget")
    with store.write() as session:
        row = orders.order_of(session, "S1", vehicle.id)
        assert auto_approval.send_by_rule(session, "S1", [row], MONDAY, at=DAWN) == []
        assert row.state == "proposed"
        proposals.change(Context(session, **BY), "S1", vehicle.id, "bread", Edit(packs=1, why="We need it"))
        proposals.approve(Context(session, **BY), "S1", vehicle.id)
        orders.send(Context(session, **BY), "S1", vehicle.id)


def test_what_other_proposals_to_the_network_cost_is_off_the_line_for_this_one(store):
    with store.write() as session:
        lend(session, limit=0, account=10_000)
        budget.set_budget(Context(session, **BY), "S1", 20_000)
    forecast(store, {"bread": 5.0, "apple": 900.0})
    vehicle, farm = propose(store)
    with store.write() as session:
        left = {one.name: one.left_minor for one in budget.left_for(session, vehicle, MONDAY)}
        assert left == {"budget": 20_000 - farm.cost_minor, "line": 10_000}
        assert [one.name for one in budget.left_for(session, farm, MONDAY)] == ["budget"]
        other = orders.ReplenishmentOrder(
            store_id="S1", id="other", order_no=99, supplier_id="vehicle", state="proposed", order_day=MONDAY,
            delivery_day=MONDAY, next_delivery_day=MONDAY + dt.timedelta(days=1), proposed_at=DAWN, cost_minor=4_000,
        )  # fmt: skip
        session.add(other)
        session.flush()
        assert [one.left_minor for one in budget.left_for(session, vehicle, MONDAY) if one.name == "line"] == [6_000]

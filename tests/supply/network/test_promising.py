"""What an operator sets for a line: never more than is there, exactly once, with its reason, and paid as promised."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue.catalogue import Product
from pos.stock import stock
from supply.money import credit
from supply.money.ledger import Invoice
from supply.network.warehouse import dispatch, picking, preview, promising
from supply.orders import orders, promise_changes
from supply.orders.orders import ReplenishmentOrder
from tests.supply.money.test_ledger import lend, order_on_credit
from tests.supply.network.test_allocation import sells
from tests.supply.road import AT, OPERATOR, STORES, WAREHOUSE, Country, make_country

SECOND = Actor("op2", "Otto", "operator", "network")


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def step_of(country: Country, store: str, order: str) -> int:
    with country.network.read() as session:
        return session.get_one(ReplenishmentOrder, (store, order)).promise_step


def put(country: Country, store: str, order: str, packs: int, sku: str = "bread", *, why="Fair day", **more) -> None:
    more = {"step": step_of(country, store, order)} | more
    with country.network.write() as session:
        promising.set_packs(Context(session, OPERATOR, AT), (store, order, sku), packs, why=why, **more)


def back(country: Country, store: str, order: str, sku: str = "bread") -> None:
    step = step_of(country, store, order)
    with country.network.write() as session:
        promising.take_back(Context(session, OPERATOR, AT), (store, order, sku), step=step)


def promised(country: Country, store: str, order: str, where: str = "network") -> dict[str, int | None]:
    return {sku: line.packs_acknowledged for sku, line in country.lines(where, store, order).items()}


def unpromised(country: Country, sku: str) -> int:
    """Return what stands in the warehouse and is promised to nobody, added up by hand."""
    with country.network.read() as session:
        there = stock.levels(session, WAREHOUSE)[sku].by_place.get("backroom", 0)
        held = 0
        for order in session.scalars(sa.select(ReplenishmentOrder).where(ReplenishmentOrder.state == "acknowledged")):
            held += sum((one.packs_acknowledged or 0) * one.pack_qty
                        for one in orders.lines_of(session, order) if one.sku == sku)  # fmt: skip
        return there - held


@dataclass
class Model:
    """What was sent to whom, as the test knows it."""

    orders: list[tuple[str, str]] = field(default_factory=list)
    asked: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(STORES), st.fixed_dictionaries(
            {"bread": st.integers(1, 9)}, optional={"tea": st.integers(1, 3)})),
        st.tuples(st.just("fill"), st.none(), st.none()),
        st.tuples(st.just("set"), st.integers(0, 5), st.tuples(
            st.sampled_from(["bread", "tea"]), st.integers(0, 14), st.booleans())),
        st.tuples(st.just("back"), st.integers(0, 5), st.sampled_from(["bread", "tea"])),
        st.tuples(st.just("waste"), st.integers(1, 12), st.none()),
        st.tuples(st.just("load"), st.none(), st.none()),
    ),
    min_size=3, max_size=12,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions, st.integers(0, 99))
def test_whatever_is_set_nothing_is_promised_that_is_not_there_and_both_sides_agree(tmp_path_factory, steps, seed):
    country, model = make_country(tmp_path_factory.mktemp("set")), Model()
    wasted = False
    for verb, one, other in steps:
        if verb == "order":
            order = country.order(one, other)
            country.deliver()
            model.orders.append((one, order))
            model.asked[one, order] = other
        elif verb == "fill":
            country.fill()
        elif verb == "load":
            country.load()
        elif verb == "waste" and unpromised(country, "bread") >= one:
            with country.network.write() as session:
                stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "bread", one)
            wasted = True
        elif verb in ("set", "back") and one < len(model.orders):
            store, order = model.orders[one]
            with suppress(DomainError):
                if verb == "set":
                    put(country, store, order, other[1], other[0], more_than_ordered=other[2])
                else:
                    back(country, store, order, other)
        for sku in ("bread", "tea"):
            assert unpromised(country, sku) >= 0, "more is promised than is there"
        with country.network.read() as session:
            free, kept = dispatch.free_stock(session, AT), dispatch.set_aside(session)
            assert wasted or all(free.get(goods, 0) >= qty for goods, qty in kept.items()), "set twice"
    country.deliver(seed=seed)
    country.reapply()
    for store, order in model.orders:
        here, there = promised(country, store, order, store), promised(country, store, order)
        assert here == there
        costs = []
        for where in (store, "network"):
            with country.nodes()[where].read() as session:
                row = session.get_one(ReplenishmentOrder, (store, order))
                told = {
                    sku: (one.packs, one.why) for sku, one in promise_changes.of_order(session, store, order).items()
                }
                costs.append((row.state, row.cost_minor, row.promise_step if row.state != "sent" else 0,
                              told if row.state != "sent" else {}))  # fmt: skip
                assert row.cost_minor == sum(
                    one.packs_expected * one.pack_cost_minor for one in orders.lines_of(session, row)
                )
        assert costs[0] == costs[1], "the store reads what the operator wrote"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 54), st.integers(0, 9))
def test_order_total_credit_use_and_invoice_are_by_promised_packs(tmp_path_factory, mine, yours, wasted, set_to):
    country = make_country(tmp_path_factory.mktemp("costs"))
    lend(country)
    with country.network.write() as session:
        if wasted:
            stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "bread", wasted)
    order = order_on_credit(country, {"bread": mine, "milk": 1})
    country.order("S2", {"bread": yours})
    country.deliver()
    country.fill()
    if set_to <= mine:
        with suppress(Refused):  # it is not there
            put(country, "S1", order, set_to)
    country.deliver()
    packs = promised(country, "S1", order)
    minor = (packs["bread"] or 0) * 900 + 1_100
    for where in ("S1", "network"):
        with country.nodes()[where].read() as session:
            assert session.get_one(ReplenishmentOrder, ("S1", order)).cost_minor == minor
            assert credit.pending(session, "S1") == minor, "credit is used for what is promised, not for what was asked"
    country.load()
    country.deliver()
    country.take_in("S1")
    country.deliver()
    with country.network.read() as session:
        invoices = session.scalars(sa.select(Invoice).where(Invoice.store_id == "S1")).all()
        assert [(one.amount_minor, one.on_credit) for one in invoices] == [(minor, True)]
        assert credit.pending(session, "S1") == 0
    assert country.findings() == []


def test_a_line_can_be_set_and_taken_back_until_it_is_picked_and_says_why_not_after(country):
    order = country.order("S1", {"bread": 3, "milk": 2})
    country.deliver()
    country.fill()
    put(country, "S1", order, 1, why="  Kept for\nthe fair ")
    country.deliver(seed=5)
    with country.stores["S1"].read() as session:
        told = promise_changes.of_order(session, "S1", order)["bread"]
    assert (told.packs, told.rule_packs, told.why, told.by) == (1, 3, "Kept for the fair", "")
    back(country, "S1", order)
    country.deliver(seed=6)
    with country.stores["S1"].read() as session:
        assert promise_changes.of_order(session, "S1", order) == {}
    assert promised(country, "S1", order, "S1") == {"bread": 3, "milk": 2}
    with country.network.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.subject == f"order:{order}")).all()
    assert verbs.count("order.line_set") == verbs.count("order.line_taken_back") == 1
    with country.network.write() as session:
        picking.make(Context(session, OPERATOR, AT), WAREHOUSE)
    with pytest.raises(Conflict, match="pick list"):
        put(country, "S1", order, 2)
    with country.network.write() as session, pytest.raises(Conflict):
        promising.take_back(Context(session, OPERATOR, AT), ("S1", order, "bread"), step=2)


def test_of_two_operators_at_once_the_second_is_told_and_the_same_click_twice_counts_once(country):
    order = country.order("S1", {"bread": 5})
    country.deliver()
    country.fill()
    put(country, "S1", order, 2, step=0)
    put(country, "S1", order, 2, step=0)
    assert step_of(country, "S1", order) == 1
    with country.network.write() as session, pytest.raises(Conflict) as told:
        promising.set_packs(Context(session, SECOND, AT), ("S1", order, "bread"), 5, why="Mine", step=0)
    assert told.value.code == "promise-changed"
    assert promised(country, "S1", order) == {"bread": 2}


def test_more_than_was_ordered_or_is_there_or_the_account_bears_needs_a_word_or_is_refused(country):
    first, second = country.order("S1", {"bread": 3}), country.order("S2", {"bread": 6})
    country.deliver()
    with pytest.raises(Refused, match="not confirmed"):
        put(country, "S1", first, 4, more_than_ordered=True)
    country.fill()
    with pytest.raises(Refused, match="ordered 3 packs"):
        put(country, "S1", first, 4)
    with pytest.raises(Refused) as refused:
        put(country, "S1", first, 5, more_than_ordered=True)
    assert (refused.value.code, refused.value.facts["packs"]) == ("not-there", 4)
    put(country, "S1", first, 4, more_than_ordered=True)
    assert unpromised(country, "bread") == 0
    with pytest.raises(Refused, match="all the order gets"):
        put(country, "S2", second, 0)
    with country.network.write() as session:
        session.merge(credit.CreditLine(store_id="S2", state="held", limit_minor=0, level=0, held_by="op", held_why="x",
                                        facts={}, terms={}, terms_n=1, steps=[], worked_out_on=dt.date(2026, 3, 1),
                                        advance_most_minor=0, step=1))  # fmt: skip
    put(country, "S1", first, 1)
    with pytest.raises(Refused, match="no room on its account"):
        put(country, "S2", second, 7, more_than_ordered=True)
    assert promised(country, "S2", second) == {"bread": 6}


def test_what_is_set_for_a_waiting_line_is_kept_and_given_before_the_rule_shares_the_rest(country):
    first = country.order("S1", {"bread": 8}, required_qty=48)
    second = country.order("S2", {"bread": 8}, required_qty=48)
    country.deliver()
    put(country, "S1", first, 8)
    with pytest.raises(Refused) as refused:
        put(country, "S2", second, 3)
    assert refused.value.facts["packs"] == 2
    country.fill()
    assert (promised(country, "S1", first), promised(country, "S2", second)) == ({"bread": 8}, {"bread": 2})
    country.deliver(seed=1)
    with country.stores["S1"].read() as session:
        told = promise_changes.of_order(session, "S1", first)["bread"]
    assert (told.packs, told.rule_packs) == (8, 5)
    back(country, "S1", first)
    assert promised(country, "S1", first) == {"bread": 5}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(STORES), st.integers(1, 14), st.integers(0, 60)), min_size=1, max_size=4),
    st.integers(0, 59), st.one_of(st.none(), st.integers(0, 6)), st.booleans(),
)  # fmt: skip
def test_the_preview_is_what_the_next_allocation_gives_and_every_unit_has_a_place(
    tmp_path_factory, wanted, wasted, set_to, has_silent
):
    country = make_country(tmp_path_factory.mktemp("seen"))
    with country.network.write() as session:
        if wasted:
            stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "bread", wasted)
        if has_silent:
            sells(session, "S1", 4)
            sells(session, "S2", 3)
    orders_sent = [(store, country.order(store, {"bread": packs}, required_qty=qty)) for store, packs, qty in wanted]
    country.deliver()
    if set_to is not None:
        with suppress(Refused):
            put(country, *orders_sent[0], set_to)
    with country.network.read() as session:
        (seen,) = preview.of_product(session, session.get_one(Product, "bread"), at=AT)
        ((house, sku, _name, stores, asked, *_rest),) = session.execute(preview.products()).all()
    foreseen = {(one.line.store_id, one.line.order_id): one.packs for one in seen.lines}
    assert (house, sku, stores, asked) == (WAREHOUSE, "bread", len({store for store, _ in orders_sent}), seen.asked_qty)
    assert seen.given_qty + seen.kept_qty + seen.left_qty == seen.there_qty == 60 - wasted
    assert seen.left_qty >= 0
    assert all(one.packs <= one.most for one in seen.lines if one.why == "set")
    country.fill()
    assert foreseen == {key: promised(country, *key)["bread"] for key in orders_sent}


def test_the_preview_says_for_whom_goods_are_kept_and_why_a_line_gets_less(country):
    with country.network.write() as session:
        sells(session, "S1", 12)
        sells(session, "S2", 12)
    country.order("S1", {"bread": 10})
    country.deliver()
    with country.network.read() as session:
        (seen,) = preview.of_product(session, session.get_one(Product, "bread"), at=AT)
    (line,) = seen.lines
    assert (line.packs, line.why, line.needed, line.have_qty) == (5, "shared", 6, 0)
    assert [(one.store_id, one.packs) for one in seen.kept] == [("S2", 5)]
    assert line.days() == 0
    assert line.days(line.packs) == pytest.approx(30 / line.per_day)


def test_an_order_that_waits_for_credit_gets_nothing_in_the_preview_either(country):
    with country.network.write() as session:
        session.merge(credit.CreditLine(store_id="S1", state="held", limit_minor=0, level=0, held_by="op", held_why="x",
                                        facts={}, terms={}, terms_n=1, steps=[], worked_out_on=dt.date(2026, 3, 1),
                                        advance_most_minor=0, step=1))  # fmt: skip
    country.order("S1", {"bread": 3})
    country.order("S2", {"bread": 3})
    country.deliver()
    before = country.rows()
    with country.network.read() as session:
        (seen,) = preview.of_product(session, session.get_one(Product, "bread"), at=AT)
    assert [(one.order.store_id, one.packs, one.why) for one in seen.lines] == [("S1", 0, "credit"), ("S2", 3, "all")]
    assert country.rows() == before, "a look writes nothing"

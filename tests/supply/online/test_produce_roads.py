"""A producer's lot goes through a group buy and over the bestseller shelf, and is traced and settled like any other."""

import datetime as dt

import pytest

from config.ids import new_id
from config.nodes import outbox
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.catalogue import assortment
from pos.catalogue.assortment import ProductDetails
from pos.payments.providers import Outcome
from pos.producers import agents, payouts, producers
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock.producer_lots import ProducerLot
from pos.sync import checks
from supply.demand.history import DailyDemand, RegionalDemand
from supply.money import escrow
from supply.online.checkout.order_keys import code_hash, code_of, new_token, token_hash
from supply.online.groups import groups
from supply.online.groups.groups import GroupMember, GroupTerms
from supply.online.pickup.returns import ask, take_back
from supply.online.storefront import product_stories
from supply.shelf import plan as shelf_plan
from supply.shelf import ranking
from supply.sync import groups as group_facts
from tests.arriving import hear
from tests.supply.online_store import ANA, AT, STORE, TILL, later, make_town

BY = {"actor": ANA, "at": AT}
DAY = AT.date()
PRICE_MINOR, GROUP_MINOR = 400, 300


@pytest.fixture
def town(tmp_path):
    found = make_town(tmp_path)
    found.open_till()
    return found


@pytest.fixture
def sku(town) -> str:
    """A farmer's tomatoes, known to the network; the farmer was brought by an agent."""
    with town.store.write() as session:
        facts = producers.ProducerFacts("Li's farm", commission_bp=2_000, agent_name="Mei", agent_bp=500)
        producers.add_producer(Context(session, **BY), STORE, facts, id="farm")
        sku = assortment.add(
            Context(session, **BY), STORE, ProductDetails("Tomatoes", "Food", "std"), command="tomatoes"
        ).sku
        assortment.set_price(Context(session, **BY), STORE, sku, PRICE_MINOR, DAY, today=DAY)
        producers.sell_for(Context(session, **BY), STORE, "farm", sku, "Grown on the hill.")
        product_stories.send(session, STORE, sku, at=AT)
    with town.store.read() as session:
        reported = [Message(**outbox.to_wire(row)) for row in outbox.due(session, "network")]
    with town.network.write() as session:
        hear(session, "produce.reported", next(one.body for one in reported if one.topic == "produce.reported"), at=AT)
    return sku


def take_in(town, sku: str, qty: int, code: str, at: dt.datetime) -> str:
    with town.store.write() as session:
        return producers.take_in(Context(session, ANA, at), STORE, sku, qty, id=new_id(), code=code).id


def join(town, group_id: str, qty: int) -> tuple[str, str]:
    """Join a group and pay; returns the member's id and collection code."""
    member_id, token = new_id(), new_token()
    member = GroupMember(
        id=member_id, name="Li", phone="555 0100", email="", language="en", token_hash=token_hash(token),
        code_hash=code_hash(member_id, code_of(member_id, token)), want_qty=qty, maximum_qty=qty,
    )  # fmt: skip
    with town.network.write() as session:
        groups.join(Context(session, ANA, AT), group_id, member, provider="practice")
        assert escrow.settle_outcome(Context(session, ANA, AT), member_id, Outcome("captured", "P")) == "held"
        groups.paid(session, member_id, at=AT)
    return member_id, code_of(member_id, token)


def traced(town, **which) -> list[tuple[str, str | None, int, int]]:
    with town.store.read() as session:
        rows = payouts.trace(session, STORE, **which)
        return [(one.producer, one.lot_code, one.qty, one.net_minor) for one in rows]


def stated(town, at: dt.datetime) -> payouts.ProducerStatement:
    with town.store.write() as session:
        return payouts.make(Context(session, ANA, at), STORE, "farm", at.date(), id=new_id())


def net(minor: int) -> int:
    return minor - round(minor * 900 / 10_900)


def test_a_group_of_a_producer_s_goods_is_filled_from_their_lot_and_settles_after_a_return(town, sku):
    came, back = later(days=2), later(days=2, hours=3)
    terms = GroupTerms(
        id="group-00009", store_id=STORE, owner=STORE, sku=sku, name="Tomatoes", steps=((1, GROUP_MINOR),),
        threshold_qty=5, case_qty=5, minimum_cases=1, closes_at=later(hours=2), vehicle_day=came.date(),
        pickup_until=dt.date(2026, 3, 6),
    )  # fmt: skip
    with town.store.write() as session:
        group_facts.open_at_store(Context(session, **BY), terms)
    town.deliver()
    shares = [join(town, terms.id, qty) for qty in (2, 3)]
    with town.network.write() as session:
        group_facts.close_due(session, at=terms.closes_at)
    town.deliver(at=terms.closes_at)
    lot_id = take_in(town, sku, 6, "CRATE-7", came)
    with town.store.write() as session:
        group_facts.say_arrived(Context(session, ANA, came), STORE, terms.id, 5)
    town.deliver(at=came)
    for (order_id, code), qty in zip(shares, (2, 3), strict=True):
        town.make_ready(order_id, at=came)
        town.collect(code, new_id(), qty * GROUP_MINOR, at=later(days=2, hours=1))
    whole = [("Li's farm", "CRATE-7", qty, net(qty * GROUP_MINOR)) for qty in (2, 3)]
    assert traced(town, lot_id=lot_id) == whole
    assert traced(town, receipt=(TILL, 2)) == whole[1:]
    with town.store.write() as session:
        ask(Context(session, ANA, back), STORE, shares[0][0], why="Too soft")
        take_back(Context(session, ANA, back), STORE, shares[0][0], [(sku, 2, True)], return_id=new_id(), till_id=TILL)
    row = stated(town, back)
    left_minor = net(3 * GROUP_MINOR)
    assert (row.net_minor, row.due_minor) == (left_minor, left_minor - round(left_minor * 0.2))
    with town.store.read() as session:
        assert payouts.agents_of(session, row) == {"Mei": round(left_minor * 0.05)}
        assert session.get_one(ProducerLot, (STORE, lot_id)).left_qty == 3
        assert checks.findings(session) == []
        assert agents.agent_of(session, STORE, "Mei") is not None
    assert town.faults() == []


def test_local_goods_stand_on_the_shelf_by_their_own_sales_and_the_commission_and_sell_from_it(town, sku):
    lot_id = take_in(town, sku, 9, "CRATE-8", AT)
    with town.store.write() as session:
        for back in range(1, 15):
            day = DAY - dt.timedelta(days=back)
            for one, qty in ((sku, 4), ("milk", 4)):
                session.add(
                    DailyDemand(store_id=STORE, sku=one, business_day=day, sold_qty=qty, revenue_minor=0, sales=1)
                )
                session.add(
                    RegionalDemand(region_id="R1", sku=one, business_day=day, sold_qty=qty * (1 if one == sku else 6),
                                   revenue_minor=0, stores_open=6, stores_selling=1 if one == sku else 6)
                )  # fmt: skip
    with town.store.read() as session:
        ranked = {one.sku: one for one in ranking.rank(session, STORE, day=DAY - dt.timedelta(days=1), price_day=DAY)}
    assert ranked[sku].why["margin_bp"] == 2_000
    assert ranked[sku].score >= ranked["milk"].score * 9 // 10, "nobody else can sell it: the region says nothing of it"
    with town.store.write() as session:
        plan = shelf_plan.draft(Context(session, ANA, AT), STORE, slots=2)
        shelf_plan.approve(Context(session, ANA, AT), STORE, plan.id, from_day=DAY)
        task = next(one for one in shelf_plan.refill_tasks(session, STORE) if one.sku == sku)
        shelf_plan.refill(Context(session, ANA, AT), STORE, sku, task.qty, id="refill")
        request = SaleRequest(
            id=new_id(), store_id=STORE, till_id=TILL, lines=[(sku, 4)], tenders=[("cash", 4 * PRICE_MINOR)],
            shown_total_minor=4 * PRICE_MINOR,
        )  # fmt: skip
        sold = sale.complete(Context(session, ANA, AT), request)
    assert [(str(move[3]), move[2]) for move in sold.document["movements"]] == [("shelf", 4)]
    assert traced(town, lot_id=lot_id) == [("Li's farm", "CRATE-8", 4, net(4 * PRICE_MINOR))]
    assert traced(town, receipt=(TILL, sold.sale.receipt_no)) == traced(town, lot_id=lot_id)
    with town.store.read() as session:
        assert checks.findings(session) == []

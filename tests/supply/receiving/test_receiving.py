"""Goods that arrive: counted line by line, posted once, and told."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing
from pos.stock.batches import Batch
from supply.facts import Advised
from supply.orders.suppliers import SupplierProduct
from supply.receiving import receiving
from tests import arriving as arrive
from tests.supply.road import AT, DAY, FARM, KEEPER, Country, make_country


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


@pytest.fixture
def arriving(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_under_way)


def _under_way(country: Country) -> None:
    country.order("S1", {"bread": 2, "milk": 1}, id="order-arriving")
    country.send_out()


def test_units_on_the_way_count_until_they_are_taken_in(arriving):
    assert arriving.on_the_way("S1") == {"bread": 12, "milk": 12}
    arriving.take_in("S1")
    assert arriving.on_the_way("S1") == {}


def test_what_was_counted_is_booked_and_the_shortage_closes_the_order(arriving):
    arriving.take_in("S1", [("bread", 9, "Missing")])
    arriving.deliver()
    assert arriving.level("S1", "S1", "bread").on_hand == 9
    assert arriving.state("S1", "order-arriving") == ("closed_short", "closed_short")
    assert arriving.lines("network", "S1", "order-arriving")["bread"].qty_received == 9
    assert arriving.findings() == []


def test_more_than_was_ordered_is_taken_in_and_said(arriving):
    arriving.take_in("S1", [("bread", 13, "More than expected")])
    arriving.deliver()
    assert arriving.level("S1", "S1", "bread").on_hand == 13
    assert arriving.state("S1", "order-arriving") == ("received", "received")
    assert arriving.findings() == []


def test_a_difference_without_a_reason_is_kept_but_not_posted(arriving):
    with pytest.raises(Invalid, match="Rye bread: 12 advised, 9 counted") as refusal:
        arriving.take_in("S1", [("bread", 9, "")])
    assert refusal.value.code == "no-reason"
    assert "bread" not in {cell for row in arriving.rows()["S1.stock_movement"] for cell in row}
    assert arriving.level("S1", "S1", "bread").on_hand == 0


def test_a_delivery_is_posted_once(arriving):
    delivery = arriving.take_in("S1")
    with (
        arriving.stores["S1"].write() as session,
        pytest.raises(Conflict, match="already received on Mar 2, 2026"),
    ):
        receiving.post(Context(session, KEEPER["S1"], AT), "S1", delivery)
    assert arriving.level("S1", "S1", "bread").on_hand == 12


def test_a_delivery_of_another_shop_is_not_found_here(arriving):
    delivery = arriving.delivery("S1")
    with (
        arriving.stores["S2"].write() as session,
        pytest.raises(NotFound, match="Delivery not found at this store"),
    ):
        receiving.begin_count(Context(session, KEEPER["S2"], AT), "S2", delivery)


@pytest.mark.parametrize("counted", [-1, 10**9, True, 1.5])
def test_an_absurd_count_is_refused(arriving, counted):
    delivery = arriving.delivery("S1")
    with arriving.stores["S1"].write() as session:
        receiving.begin_count(Context(session, KEEPER["S1"], AT), "S1", delivery)
        with pytest.raises(Invalid):
            receiving.count_line(Context(session, KEEPER["S1"], AT), "S1", delivery, "bread", counted)
        with pytest.raises(NotFound, match="Set it aside"):
            receiving.count_line(Context(session, KEEPER["S1"], AT), "S1", delivery, "nothing", 1)


def test_a_delivery_sent_back_at_the_door_brings_nothing_and_closes_its_order(arriving):
    delivery = arriving.delivery("S1")
    with arriving.stores["S1"].write() as session:
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", delivery, why="The milk is warm")
    arriving.deliver()
    assert arriving.state("S1", "order-arriving") == ("closed_short", "closed_short")
    assert arriving.level("S1", "S1", "milk").on_hand == 0
    assert arriving.findings() == []


def expect(country, id="delivery-1", **source):
    with country.stores["S1"].write() as session:
        arrive.expect(session, "S1", id, FARM, [Advised("bread", "Rye bread", 6, 12)], at=AT, **source)


def test_goods_may_simply_arrive_without_an_order(country):
    expect(country)
    expect(country)
    assert country.take_in("S1") == "delivery-1"
    country.deliver()
    assert country.level("network", "S1", "bread").on_hand == 12
    assert country.findings() == []


def test_a_product_nobody_advised_is_taken_in_with_its_reason(country):
    expect(country)
    country.take_in("S1", [("milk", 12, "Was on the vehicle")])
    country.deliver()
    assert country.level("S1", "S1", "milk").on_hand == 12
    assert country.level("network", "S1", "milk").on_hand == 12
    assert country.findings() == []


def test_a_product_the_shop_does_not_know_is_put_aside(country):
    expect(country)
    with pytest.raises(NotFound, match="Set it aside"):
        country.take_in("S1", [("nothing", 1, "Was on the vehicle")])


def test_an_order_in_two_deliveries_is_part_received_in_between(country):
    order = country.order("S1", {"bread": 4}, supplier=FARM)
    expect(country, "delivery-2", order_id=order)
    with country.stores["S1"].write() as session:
        given = {"actor": KEEPER["S1"], "at": AT}
        receiving.begin_count(Context(session, **given), "S1", "delivery-2")
        receiving.post(Context(session, **given), "S1", "delivery-2")
    assert country.state("S1", order)[0] == "part_received"
    assert country.on_the_way("S1") == {"bread": 12}
    country.take_in("S1", [("bread", 12, "The rest came before")])
    assert country.state("S1", order)[0] == "received"
    country.deliver()
    assert country.findings() == []


def test_a_delivery_is_counted_before_it_is_posted(country):
    expect(country)
    with country.stores["S1"].write() as session, pytest.raises(Conflict, match="Start counting this delivery first"):
        receiving.post(Context(session, KEEPER["S1"], AT), "S1", "delivery-1")


def test_sending_a_delivery_back_wants_a_reason(country):
    expect(country)
    with country.stores["S1"].write() as session, pytest.raises(Invalid, match="Enter a reason"):
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", "delivery-1", why=" ")


def test_posting_writes_the_lots_down_with_their_dates_and_learns_the_costs(arriving):
    store, until = arriving.stores["S1"], DAY + dt.timedelta(days=5)
    with store.write() as session:
        delivery = receiving.expected(session, "S1")[0]
        receiving.begin_count(Context(session, KEEPER["S1"], AT), "S1", delivery.id)
        receiving.count_line(
            Context(session, KEEPER["S1"], AT), "S1", delivery.id, "bread", 12, batch="b7", expires_on=until
        )
        receiving.post(Context(session, KEEPER["S1"], AT), "S1", delivery.id)
    with store.read() as session:
        lots = session.scalars(sa.select(Batch).order_by(Batch.sku)).all()
        assert [(row.sku, row.received_qty, row.batch, row.expires_on) for row in lots] == [
            ("bread", 12, "B7", until),
            ("milk", 12, None, None),
        ]
        source = session.get_one(SupplierProduct, (delivery.supplier_id, "bread"))
        listing = session.get_one(Listing, ("S1", "bread"))
        assert listing.cost_minor == round(source.pack_cost_minor / source.pack_qty)
    arriving.deliver()
    assert arriving.findings() == []

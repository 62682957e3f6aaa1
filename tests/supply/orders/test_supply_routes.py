"""Every store is supplied by one warehouse, which shares out, loads and buys for its own stores alone."""

import datetime as dt
import json
import random

import pytest
import sqlalchemy as sa

from config.errors import NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from pos.stock import stock
from pos.store.store import Region, Store
from supply.network import founding
from supply.network.purchasing import purchasing
from supply.network.warehouse import allocation
from supply.orders import network_offers, order_days, orders, purchases, suppliers, supply_routes
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NewOffer
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import CasePack, Contact, Supplier
from supply.replenishment import proposals
from tests.supply.network.test_allocation import sells
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, VAN, WAREHOUSE, Country, make_country, write_order

BY = {"actor": OPERATOR, "at": AT}
OTHER, LORRY = "WH2", "lorry"


def _with_two(country: Country) -> None:
    """Let a second warehouse sell the same, a little dearer, and have some of it."""
    for database in country.nodes().values():
        with database.write() as session:
            founding.found_warehouse(Context(session, **BY), OTHER, Contact("Second vehicle"), id=LORRY)
            for row in session.scalars(sa.select(suppliers.SupplierProduct).filter_by(supplier_id=VAN)).all():
                cost = row.pack_cost_minor + 10
                suppliers.offer_product(Context(session, **BY), LORRY, row.sku, CasePack(row.pack_qty, cost))
    with country.network.write() as session:
        stock.open_stock(Context(session, **BY), OTHER, [("bread", 12), ("tea", 10)], source_id="opening")


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_with_two)


def whom(session, store: str) -> list[str]:
    return [one.id for one in supply_routes.suppliers_for(session, store) if one.kind == NETWORK]


def reported(country: Country, store: str) -> None:
    """Let a store hear what the network's suppliers are today."""
    with country.network.read() as session:
        body = json.loads(json.dumps(supply_routes.edition(session, DAY)))
    with country.stores[store].write() as session:
        supply_routes.take_edition(session, body)


def test_a_shop_is_its_own_warehouse_s_else_its_region_s_else_the_usual_one_s(country):
    with country.network.write() as session:
        assert supply_routes.served(session) == {"S1": WAREHOUSE, "S2": WAREHOUSE}
        supply_routes.supply_region(Context(session, **BY), "R1", OTHER)
        assert supply_routes.served(session) == {"S1": OTHER, "S2": OTHER}
        supply_routes.supply_store(Context(session, **BY), "S1", WAREHOUSE)
        assert (supply_routes.warehouse_of(session, "S1"), supply_routes.stores_of(session, OTHER)) == (
            WAREHOUSE,
            ["S2"],
        )
        supply_routes.supply_store(Context(session, **BY), "S1", None)
        assert supply_routes.stores_of(session, OTHER) == ["S1", "S2"]
        for wrong in (("S1", "WH9"), ("S9", OTHER)):
            with pytest.raises(NotFound):
                supply_routes.supply_store(Context(session, **BY), *wrong)
        with pytest.raises(NotFound):
            supply_routes.supply_region(Context(session, **BY), "R9", OTHER)


def test_a_new_warehouse_takes_no_shop_from_another_and_none_whose_supplier_is_put_aside_is_anybody_s(country):
    with country.network.write() as session:
        supply_routes.supply_region(Context(session, **BY), "R1", None)
        before, goods = supply_routes.served(session), supply_routes.offered(session, "S1", DAY)
        founding.found_warehouse(Context(session, **BY), "EAST", Contact("Third vehicle"), id="east")
        assert supply_routes.served(session) == before == {"S1": WAREHOUSE, "S2": WAREHOUSE}
        suppliers.offer_product(Context(session, **BY), "east", "tea", CasePack(pack_qty=1, pack_cost_minor=1))
        assert supply_routes.served(session) == before, "also when it sells something"
        assert supply_routes.offered(session, "S1", DAY) == goods != {}
        supply_routes.supply_region(Context(session, **BY), "R1", None)
        assert supply_routes.served(session) == {"S1": "EAST", "S2": "EAST"}
        session.get_one(Supplier, "east").active = False
        assert supply_routes.served(session) == before
        assert supply_routes.edition(session, DAY)["served"] == [["region", "R1", WAREHOUSE]], "stores need not guess"


def test_a_shop_orders_from_its_warehouse_alone_once_it_has_heard_of_another(country):
    with country.network.write() as session:
        supply_routes.supply_store(Context(session, **BY), "S2", OTHER)
        assert (whom(session, "S1"), whom(session, "S2"), whom(session, "*")) == ([VAN], [LORRY], [LORRY, VAN])
    reported(country, "S2")
    with country.stores["S2"].read() as session:
        assert list(supply_routes.sources(session, "S2", DAY)) == [LORRY]
        assert {one.supplier_id for one in supply_routes.sources(session, "S2", DAY)[LORRY]} == {LORRY}
    with country.network.write() as session:
        supply_routes.supply_store(Context(session, **BY), "S2", None)
    reported(country, "S2")
    with country.stores["S2"].read() as session:
        assert list(supply_routes.sources(session, "S2", DAY)) == [VAN]


def test_an_order_stays_where_it_was_placed_and_an_offer_comes_from_where_the_shop_is_supplied(country):
    before = country.order("S2", {"bread": 2})
    with country.network.write() as session:
        supply_routes.supply_store(Context(session, **BY), "S2", OTHER)
        made = network_offers.offer(
            Context(session, **BY), "S2", NewOffer(sku="tea", packs=1, why="New", answer_by=DAY), id="offer-1"
        )
        assert made.supplier_id == LORRY
    country.send_out()
    after = country.order("S2", {"bread": 1}, supplier=LORRY)
    country.send_out()
    assert [country.state("S2", one) for one in (before, after)] == [("dispatched", "dispatched")] * 2
    assert country.level(NETWORK, WAREHOUSE, "bread").on_hand == 60 - 12
    assert country.level(NETWORK, OTHER, "bread").on_hand == 12 - 6


def test_a_proposal_to_the_warehouse_of_before_is_made_anew_and_not_approved(country):
    with country.network.write() as session:
        supply_routes.supply_store(Context(session, **BY), "S2", OTHER)
    with country.stores["S2"].write() as session:
        write_order(session, "S2", "mine", {"bread": 1}, VAN, AT, {})
        session.get_one(ReplenishmentOrder, ("S2", "mine")).state = "proposed"
    reported(country, "S2")
    with country.stores["S2"].write() as session:
        with pytest.raises(Refused, match="Another warehouse supplies you now"):
            proposals.approve(Context(session, KEEPER["S2"], AT), "S2", "mine")
        session.get_one(ReplenishmentOrder, ("S2", "mine")).supplier_id = LORRY
        assert proposals.approve(Context(session, KEEPER["S2"], AT), "S2", "mine").state == "approved"


def test_a_silent_shop_keeps_goods_back_in_its_own_warehouse_and_in_no_other(country):
    with country.network.write() as session:
        sells(session, "S1", 6)
        sells(session, "S2", 6)
        supply_routes.supply_store(Context(session, **BY), "S2", OTHER)
        requirements = allocation.read_requirements(
            session, [(WAREHOUSE, "bread"), (OTHER, "bread")], [("S1", "bread")], {}, at=AT
        )
        assert [len(requirements.silent_claims((house, "bread"))) for house in (WAREHOUSE, OTHER)] == [0, 1]


def test_what_warehouses_buy_for_together_is_what_all_shops_sell_and_have_whoever_supplies_whom(country):
    """However stores move, no store is counted twice or nowhere."""
    dice = random.Random(6)
    with country.network.write() as session:
        for n in range(1, 4):
            session.add(Region(id=f"Q{n}", name=f"Quarter {n}"))
        session.flush()
        stores = ["S1", "S2"]
        for n in range(3, 9):
            stores.append(f"S{n}")
            session.add(
                Store(id=f"S{n}", name=f"Store {n}", slug=f"s{n}", region_id=f"Q{n % 3 + 1}", currency="EUR", tz="UTC",
                      rollover_hour=4, joined_at=AT)
            )  # fmt: skip
        session.flush()
        rates = {store: dice.randint(20, 60) for store in stores}
        have = {store: dice.randint(1, 9) for store in stores}
        for store in stores:
            sells(session, store, rates[store], "tea")
            stock.open_stock(Context(session, **BY), store, [("tea", have[store])], source_id=f"open-{store}")
        session.add_all([_order(session, "S1", "o1", VAN), _order(session, "S2", "o2", LORRY)])
        for _ in range(12):
            move, of_id = dice.choice(
                [
                    (supply_routes.supply_store, dice.choice(stores)),
                    (supply_routes.supply_region, f"Q{dice.randint(1, 3)}"),
                ]
            )
            move(Context(session, **BY), of_id, dice.choice([WAREHOUSE, OTHER, None]))
            parts = [supply_routes.stores_of(session, house) for house in (WAREHOUSE, OTHER)]
            assert sorted(parts[0] + parts[1]) == stores
            found = [_tea(session, house) for house in (WAREHOUSE, OTHER)]
            for mine, why in zip(parts, found, strict=True):
                assert why["per_day"] == sum(rates[one] for one in mine)
            assert sum(why["in_stores"] for why in found) == sum(have.values())


def _order(session, store: str, order_id: str, supplier_id: str) -> ReplenishmentOrder:
    return ReplenishmentOrder(
        store_id=store, id=order_id, order_no=orders.next_no(session, store), supplier_id=supplier_id, state="sent",
        order_day=DAY, delivery_day=DAY, next_delivery_day=DAY + dt.timedelta(days=1), proposed_at=AT,
    )  # fmt: skip


def _tea(session, house: str) -> dict[str, float]:
    if not supply_routes.stores_of(session, house):
        assert purchasing.propose(Context(session, **BY), house) == []
        return {"per_day": 0, "in_stores": 0}
    made = purchasing.propose(Context(session, **BY), house)
    return next(line.why for one in made for line in purchases.lines_of(session, one) if line.sku == "tea")


def test_an_edition_of_before_leaves_every_shop_with_the_usual_warehouse(country):
    with country.network.read() as session:
        body = json.loads(json.dumps(supply_routes.edition(session, DAY)))
    del body["served"]
    with country.stores["S1"].write() as session:
        supply_routes.take_edition(session, body)
        assert whom(session, "S1") == [VAN]
        assert session.get(Supplier, LORRY) is not None


def test_goods_are_advised_for_a_day_on_which_the_van_comes(country):
    tomorrow = DAY + dt.timedelta(days=1)
    with country.network.write() as session:
        suppliers.settle_calendar(Context(session, **BY), WAREHOUSE, {"closed_days": tomorrow.isoformat()})
        network_offers.offer(
            Context(session, **BY), "S1", NewOffer(sku="tea", packs=1, why="New", answer_by=DAY), id="offer-1"
        )
        network_offers.accept(Context(session, **BY), "S1", "offer-1")
    country.order("S1", {"bread": 1}, lead=2)
    country.send_out()
    with country.stores["S1"].read() as session:
        days = session.scalars(sa.select(Delivery.expected_day)).all()
    assert days == [tomorrow + dt.timedelta(days=1)] * 2


def _supplied(country: Country) -> list[object]:
    """Move a store to another warehouse with a clock of its own, order from both, and return all that came of it."""
    with country.network.write() as session:
        for store in ("S1", "S2"):
            sells(session, store, 6)
            sells(session, store, 3, "tea")
        supply_routes.supply_region(Context(session, **BY), "R1", WAREHOUSE)
        supply_routes.supply_store(Context(session, **BY), "S2", OTHER)
        hours = {"closed_days": str(DAY + dt.timedelta(days=2)), "order_by": "17:00"}
        suppliers.settle_calendar(Context(session, **BY), OTHER, hours, tz="Asia/Tokyo")
        reported_to_all = json.loads(json.dumps(supply_routes.edition(session, DAY)))
        missed = supply_routes.unlisted(session, "S2", WAREHOUSE), supply_routes.unlisted(session, "S1", OTHER)
    reported(country, "S2")
    ids = [country.order("S1", {"bread": 9}), country.order("S2", {"bread": 9}, supplier=LORRY)]
    country.deliver()
    made = [country.fill(), country.load()]
    country.deliver()
    with country.network.write() as session:
        requirements = allocation.read_requirements(session, [(OTHER, "tea"), (WAREHOUSE, "tea")], [], {}, at=AT)
        silent = [[one.key for one in requirements.silent_claims((house, "tea"))] for house in (WAREHOUSE, OTHER)]
        bought = [
            [(line.sku, line.packs) for one in purchasing.propose(Context(session, **BY), house)
             for line in purchases.lines_of(session, one)]
            for house in (WAREHOUSE, OTHER)
        ]  # fmt: skip
        days = [vars(order_days.of(one)) for one in session.scalars(sa.select(ReplenishmentOrder)
                .where(ReplenishmentOrder.id.in_(ids)).order_by(ReplenishmentOrder.store_id))]  # fmt: skip
        stores = [supply_routes.stores_of(session, house) for house in (WAREHOUSE, OTHER)]
    levels = [country.level(NETWORK, house, "bread").on_hand for house in (WAREHOUSE, OTHER)]
    return [reported_to_all, missed, made, silent, bought, days, stores, levels, country.findings()]


def test_shops_and_their_warehouses_are_the_same_on_postgresql(tmp_path, postgres_database):
    for name in ("file", "server"):
        (tmp_path / name).mkdir()
    here = _supplied(make_country(tmp_path / "file", lay_in=_with_two))
    country = make_country(tmp_path / "server", postgres_database)
    _with_two(country)
    there = _supplied(country)
    country.network.engine.dispose()
    assert there == here
    assert here[-2:] == [[60 - 54, 0], []], "one got what it ordered, the other all there was"

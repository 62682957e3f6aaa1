"""What customers wanted: the roll-up of a day, of late days, of regions, of the past, and the edition stores pull."""

import json
import random

import numpy as np
import pytest
import sqlalchemy as sa

from config.database import Database
from config.ids import NETWORK
from config.nodes.journal import Context
from pos.stock import stock
from supply.demand import history, rollups
from supply.demand.history import DailyDemand, RegionalDemand, StoreDay
from tests.stock_sold import sell_goods
from tests.supply.sold import AT, DAY, PRODUCTS, SYSTEM, day, make_node, open_store, sell


@pytest.fixture
def network(tmp_path):
    database = make_node(tmp_path / "network.db")
    yield database
    database.engine.dispose()


@pytest.fixture
def store(tmp_path):
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    yield database
    database.engine.dispose()


def roll(database: Database, on=DAY, stores=None, at=AT):
    with database.write() as session:
        return rollups.roll_up(session, stores, on, at=at)


def rows(database: Database, table) -> list[tuple]:
    with database.engine.connect() as connection:
        return sorted(map(tuple, connection.execute(table.__table__.select())))


def cells(database: Database) -> dict[tuple, tuple]:
    """Return (store, sku, day) -> (sold, revenue, sales, pickup)."""
    with database.read() as session:
        return {
            (row.store_id, row.sku, row.business_day): (row.sold_qty, row.revenue_minor, row.sales, row.pickup_qty)
            for row in session.scalars(sa.select(DailyDemand))
        }


def test_a_day_is_the_sum_of_its_sale_lines(store):
    with store.write() as session:
        sell(session, "S1", DAY, {"bread": 2, "milk": 1})
        sell(session, "S1", DAY, {"bread": 3}, channel="pickup")
        sell(session, "S1", day(1), {"bread": 9})
    roll(store)
    assert cells(store) == {("S1", "bread", DAY): (5, 1250, 2, 3), ("S1", "milk", DAY): (1, 129, 1, 0)}
    with store.read() as session:
        found = session.get(StoreDay, ("S1", DAY))
        assert (found.open, found.sales, found.revenue_minor) == (True, 2, 1379)


def test_returns_lower_the_day_of_the_return(store):
    with store.write() as session:
        sell(session, "S1", DAY, {"bread": 3})
        sell(session, "S1", DAY, {"bread": 1}, kind="return")
    roll(store)
    assert cells(store)["S1", "bread", DAY] == (2, 500, 1, 0)


def test_a_day_of_returns_alone_counts_as_no_demand(store):
    with store.write() as session:
        sell(session, "S1", day(-1), {"bread": 3})
        sell(session, "S1", DAY, {"bread": 1}, kind="return")
    roll(store)
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 2)
    assert panel.y[panel.keys.index(("S1", "bread"))].tolist() == [3, 0]


def test_a_fact_that_comes_late_rolls_its_day_again_in_shop_and_region(network):
    with network.write() as session:
        sell(session, "S1", day(-3), {"bread": 1})
        sell(session, "S1", DAY, {"bread": 1})
    roll(network, day(-3))
    roll(network)
    with network.write() as session:
        sell(session, "S2", day(-3), {"bread": 4})
    assert roll(network, day(1)) == [day(-3), day(1)]
    with network.read() as session:
        assert session.get(RegionalDemand, ("R1", "bread", day(-3))).sold_qty == 5
        assert session.get(RegionalDemand, ("R1", "bread", day(-3))).stores_selling == 2
    assert roll(network, day(1)) == [day(1)]


def test_rolling_up_again_changes_nothing(network):
    with network.write() as session:
        for store in ("S1", "S2", "S3"):
            sell(session, store, DAY, {"bread": 2, "apple": 750})
    roll(network)
    before = [rows(network, table) for table in (DailyDemand, StoreDay, RegionalDemand)]
    roll(network)
    assert [rows(network, table) for table in (DailyDemand, StoreDay, RegionalDemand)] == before


def test_only_the_named_stores_are_rolled_up(network):
    with network.write() as session:
        sell(session, "S1", DAY, {"bread": 2})
        sell(session, "S2", DAY, {"bread": 3})
    roll(network, stores=["S2"])
    assert [key[0] for key in cells(network)] == ["S2"]


@pytest.mark.parametrize("seed", range(10))
def test_a_regions_row_is_the_sum_over_its_stores(network, seed):
    rng = random.Random(seed)
    stores = {"S1": "R1", "S2": "R1", "S3": "R2"}
    expected: dict[tuple, int] = {}
    with network.write() as session:
        for _ in range(25):
            store, on = rng.choice(sorted(stores)), day(-rng.randrange(4))
            lines = {sku: rng.randint(1, 9) for sku in rng.sample(sorted(PRODUCTS), rng.randint(1, 3))}
            sell(session, store, on, lines)
            for sku, qty in lines.items():
                key = (stores[store], sku, on)
                expected[key] = expected.get(key, 0) + qty
    roll(network)
    with network.read() as session:
        found = session.scalars(sa.select(RegionalDemand)).all()
    assert {(row.region_id, row.sku, row.business_day): row.sold_qty for row in found} == expected


def test_a_shop_alone_does_not_speak_for_its_region(store):
    with store.write() as session:
        sell(session, "S1", DAY, {"bread": 2})
    roll(store)
    assert rows(store, RegionalDemand) == []


# --- what is observed ---


def test_an_open_day_without_a_sale_is_a_zero_and_an_unknown_day_is_not_observed(store):
    with store.write() as session:
        sell(session, "S1", day(-3), {"bread": 2})
        open_store(session, "S1", day(-1))
        sell(session, "S1", DAY, {"milk": 1})
    for n in (-3, -2, -1, 0):
        roll(store, day(n))
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 4)
    bread = panel.y[panel.keys.index(("S1", "bread"))]
    assert np.array_equal(bread, [2, np.nan, 0, 0], equal_nan=True)


def test_a_listed_product_is_observed_from_the_day_it_first_moved(store):
    with store.write() as session:
        for n in range(-3, 1):
            sell(session, "S1", day(n), {"bread": 1})
        moved_at = AT.replace(day=1, hour=12)
        stock.open_stock(Context(session, SYSTEM, moved_at), "S1", [("milk", 5)], source_id="opening")
    roll(store)
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 4)
    assert np.array_equal(panel.y[panel.keys.index(("S1", "milk"))], [np.nan, np.nan, 0, 0], equal_nan=True)
    assert np.isnan(panel.y[panel.keys.index(("S1", "apple"))]).all()


def test_weighed_goods_are_pooled_apart_from_pieces(store):
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 2)
    assert dict(zip(panel.keys, panel.category, strict=True))["S1", "apple"] == "Produce, gram"
    assert dict(zip(panel.keys, panel.category, strict=True))["S1", "bread"] == "Bakery"


def test_a_sold_out_product_is_noted_with_the_share_of_the_days_trade_it_missed(store):
    opened = AT.replace(day=1, hour=9)
    # three of twelve hours were left, worth 20 sales, and both of the store's sales were rung later: (2 + 5) / (2 + 20)
    sold_at = AT.replace(day=2, hour=17)
    with store.write() as session:
        stock.open_stock(Context(session, SYSTEM, opened), "S1", [("bread", 4), ("milk", 9)], source_id="opening")
        for sku, qty in (("bread", 4), ("milk", 2)):
            sell(session, "S1", DAY, {sku: qty})
            sell_goods(Context(session, SYSTEM, sold_at), "S1", [(sku, qty)], sale_id=f"sale-{sku}", day=DAY)
    roll(store)
    with store.read() as session:
        assert session.get(DailyDemand, ("S1", "bread", DAY)).out_of_stock_bp == 3182
        assert session.get(DailyDemand, ("S1", "milk", DAY)).out_of_stock_bp == 0
        panel = history.panel(session, "S1", DAY, 1)
    assert dict(zip(panel.keys, panel.out_of_stock[:, 0].tolist(), strict=True))["S1", "bread"]


def test_a_product_missing_all_day_is_noted_though_nothing_was_sold(store):
    with store.write() as session:
        stock.open_stock(Context(session, SYSTEM, AT.replace(day=1, hour=9)), "S1", [("bread", 4)], source_id="opening")
        sell(session, "S1", day(-1), {"bread": 4})
        sold_at = AT.replace(day=1, hour=19)
        sell_goods(Context(session, SYSTEM, sold_at), "S1", [("bread", 4)], sale_id="sale-bread", day=day(-1))
        sell(session, "S1", DAY, {"milk": 1})
    roll(store)
    with store.read() as session:
        missing = session.get(DailyDemand, ("S1", "bread", DAY))
        assert (missing.sold_qty, missing.out_of_stock_bp) == (0, 10_000)


# --- the past ---


def test_the_past_is_laid_in_with_its_regions_and_open_days(network):
    with network.write() as session:
        count = rollups.import_history(
            session, [("S1", "bread", DAY, 3, 750, 2), ("S2", "bread", DAY, 1, 250, 1), ("S2", "milk", DAY, 2, 258, 2)]
        )
    assert count == 3
    with network.read() as session:
        region = session.get(RegionalDemand, ("R1", "bread", DAY))
        assert (region.sold_qty, region.revenue_minor, region.stores_open, region.stores_selling) == (4, 1000, 2, 2)
        assert session.get(StoreDay, ("S2", DAY)).revenue_minor == 508


def test_laying_the_past_in_again_replaces_it(network):
    for qty in (3, 5):
        with network.write() as session:
            rollups.import_history(session, [("S1", "bread", DAY, qty, qty * 250, 1)])
    assert cells(network) == {("S1", "bread", DAY): (5, 1250, 1, 0)}


def test_an_imported_day_is_never_rolled_up_again(network):
    with network.write() as session:
        rollups.import_history(session, [("S1", "bread", DAY, 3, 750, 1)])
        sell(session, "S1", DAY, {"bread": 1})
    roll(network)
    assert roll(network, day(1)) == [day(1)]
    assert cells(network) == {("S1", "bread", DAY): (3, 750, 1, 0)}


def test_a_file_does_not_overwrite_what_was_rung_up(store):
    with store.write() as session:
        sell(session, "S1", DAY, {"bread": 2})
    roll(store)
    with store.write() as session:
        rollups.import_history(session, [("S1", "bread", DAY, 99, 1, 1)])
    assert cells(store)["S1", "bread", DAY] == (2, 500, 1, 0)


# --- the edition ---


def region_day(region: str, sku: str, on, qty: int, *, selling: int, opened: int) -> RegionalDemand:
    return RegionalDemand(region_id=region, sku=sku, business_day=on, sold_qty=qty, revenue_minor=qty * 250 + 7,
                          stores_open=opened, stores_selling=selling, pickup_qty=1)  # fmt: skip


def reported(network, region="R1", days=3) -> dict:
    with network.read() as session:
        return json.loads(json.dumps(history.edition(session, region, DAY, days)))


def test_a_store_takes_over_what_many_shops_of_its_region_sold(network, store):
    with network.write() as session:
        for n in range(2):
            session.add(region_day("R1", "bread", day(-n), 30 + n, selling=7, opened=8))
    body = reported(network)
    for _ in range(2):
        with store.write() as session:
            history.take_edition(session, body)
    wanted = [("R1", "bread", day(-n), 30 + n, (30 + n) * 250, 0, 0, 0, 8, 7, 0) for n in (1, 0)]
    assert rows(store, RegionalDemand) == wanted


def test_no_shop_reads_anothers_day_off_an_edition(network):
    """I36: what few stores sell is left out, and no sales are told to the cent; what enough sell is told whole."""
    with network.write() as session:
        session.add(region_day("R1", "bread", DAY, 30, selling=5, opened=8))
        session.add(region_day("R1", "bread", day(-1), 7, selling=2, opened=8))
        session.add(region_day("R1", "milk", DAY, 12, selling=4, opened=8))
        session.add(region_day("R1", "apple", day(-1), 700, selling=1, opened=8))
    assert reported(network)["rows"] == [["bread", 251, " 7 30", "  ", " 2 5", "  "]]


def test_for_a_small_region_the_whole_chain_stands_and_a_small_chain_tells_nothing(network, store):
    with network.write() as session:
        session.add(region_day("R1", "bread", DAY, 9, selling=2, opened=3))
    body = reported(network)
    assert body["rows"] == []
    with store.write() as session:  # what an older program had been told goes
        session.add(region_day("R1", "bread", DAY, 9, selling=2, opened=3))
        session.flush()
        history.take_edition(session, body)
    assert rows(store, RegionalDemand) == []
    with network.write() as session:
        session.add(region_day("R2", "bread", DAY, 51, selling=4, opened=9))
    assert reported(network)["rows"] == [["bread", 250, "  60", "  ", "  6", "  "]]
    assert reported(network)["open"] == [0, 0, 12]


def test_what_the_whole_chain_sold_is_summed_once_for_all_small_regions(network):
    asked: list[str] = []
    with network.write() as session:
        for region_id, qty in (("R1", 9), ("R2", 51)):
            session.add(region_day(region_id, "bread", DAY, qty, selling=3, opened=4))
    sa.event.listen(network.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    with network.read() as session:
        alone = [history.edition(session, region_id, DAY, 3) for region_id in ("R1", "R2")]
        apart, asked[:] = len(asked), []
        chain = history.Chain()
        together = [history.edition(session, region_id, DAY, 3, chain=chain) for region_id in ("R1", "R2")]
    assert together == alone
    assert [one["rows"] for one in together] == [[["bread", 250, "  60", "  ", "  6", "  "]]] * 2
    assert len(asked) < apart


def test_an_edition_replaces_the_days_it_covers_and_keeps_the_ones_before(network, store):
    with store.write() as session:
        for on, qty in ((day(-50), 1), (DAY, 99)):
            session.add(region_day("R1", "bread", on, qty, selling=1, opened=1))
    with network.write() as session:
        session.add(region_day("R1", "bread", DAY, 30, selling=7, opened=8))
    body = reported(network, days=40)
    with store.write() as session:
        history.take_edition(session, body)
    with store.read() as session:
        assert session.get(RegionalDemand, ("R1", "bread", DAY)).sold_qty == 30
        assert session.get(RegionalDemand, ("R1", "bread", day(-50))).sold_qty == 1


def test_a_region_without_sales_has_no_edition(network):
    with network.read() as session:
        assert history.edition(session, "R2", DAY) == {}


def test_an_edition_of_eight_hundred_products_is_less_than_a_megabyte(network):
    rng = np.random.default_rng(3)
    sold = rng.poisson(rng.gamma(0.8, 5.0, size=(800, 1)), size=(800, history.EDITION_DAYS))
    with network.write() as session:
        session.execute(
            sa.insert(RegionalDemand),
            [
                {"region_id": "R1", "sku": f"P{sku:04}", "business_day": day(-n), "sold_qty": int(sold[sku, n]),
                 "revenue_minor": int(sold[sku, n]) * (100 + sku) - int(sold[sku, n]) % 3, "stores_open": 5,
                 "stores_selling": min(5, int(sold[sku, n])), "pickup_qty": 0}
                for sku in range(800)
                for n in range(history.EDITION_DAYS)
                if sold[sku, n]
            ],
        )  # fmt: skip
    with network.read() as session:
        assert len(json.dumps(history.edition(session, "R1", DAY))) < 1_000_000


# --- PostgreSQL ---


@pytest.mark.postgres
def test_the_same_sums_on_postgresql(postgres_database):
    database = make_node(postgres_database, NETWORK)
    with database.write() as session:
        rollups.import_history(session, [("S1", "bread", day(-1), 3, 750, 2)])
        sell(session, "S1", DAY, {"bread": 2, "milk": 1}, channel="pickup")
        sell(session, "S2", DAY, {"bread": 4})
        sell(session, "S2", DAY, {"bread": 1}, kind="return")
    roll(database)
    assert cells(database) == {
        ("S1", "bread", day(-1)): (3, 750, 2, 0),
        ("S1", "bread", DAY): (2, 500, 1, 2),
        ("S1", "milk", DAY): (1, 129, 1, 1),
        ("S2", "bread", DAY): (3, 750, 1, 0),
    }
    with database.read() as session:
        region = session.get(RegionalDemand, ("R1", "bread", DAY))
        assert (region.sold_qty, region.stores_open, region.pickup_qty) == (5, 2, 2)
        assert history.edition(session, "R1", DAY)["rows"] == [], "two stores would read off each other"
    with database.write() as session:
        trade_then_one_closes(session)
        assert milk(session, day(30), 70) == [10.0] * 70, "read as its stores of today, and one is gone"
    database.engine.dispose()


def trade_then_one_closes(session) -> None:
    """Let S1 trade for ten weeks, S2, three times as large, for 20 days of them."""
    for n in range(-39, 31):
        sales_amount = {"S1": 100} | ({"S2": 300} if -20 < n <= 0 else {})
        for store, minor in sales_amount.items():
            session.merge(StoreDay(store_id=store, business_day=day(n), open=True, sales=1, revenue_minor=minor))
        sold = sum(sales_amount.values()) // 10
        session.merge(RegionalDemand(region_id="R1", sku="milk", business_day=day(n), sold_qty=sold, revenue_minor=0,
                                     stores_open=1, stores_selling=1))  # fmt: skip


def milk(session, on, days: int) -> list[float]:
    panel = history.region_panel(session, "R1", on, days)
    return panel.y[[sku for _, sku in panel.keys].index("milk")].tolist()


def test_a_region_is_read_as_its_shops_of_today_would_have_sold(network):
    with network.write() as session:
        trade_then_one_closes(session)
        session.add(StoreDay(store_id="S3", business_day=DAY, open=True, sales=1, revenue_minor=9_000))  # not of R1
    with network.read() as session:
        assert milk(session, DAY, 40) == [40.0] * 40, "since the second store opened"
        assert milk(session, day(-20), 20) == [10.0] * 20, "before it did"
        assert milk(session, day(30), 70) == [10.0] * 70, "and since it is gone"


def test_a_region_is_read_with_as_many_questions_however_many_of_its_shops_closed(network):
    asked: list[str] = []
    with network.write() as session:
        trade_then_one_closes(session)
    sa.event.listen(network.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    with network.read() as session:
        milk(session, DAY, 40)
    none_closed, asked[:] = len(asked), []
    with network.read() as session:
        milk(session, day(30), 70)
    assert len(asked) == none_closed

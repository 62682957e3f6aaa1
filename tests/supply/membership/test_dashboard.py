"""The operator's figures beside those a script of its own counts from exported tables, to the cent and the unit."""

import csv
import datetime as dt
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.node import Peer
from pos.catalogue.catalogue import Listing, Product
from pos.sold import Sale, SaleLine
from pos.stock import changed_days
from pos.stock.ledger import StockLevel, StockMovement
from pos.stock.waste import Waste
from supply.demand import day_reports, rollups
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, StoreDay
from supply.membership import dashboard, overview
from supply.membership.dashboard import Figures, Period
from supply.orders import orders
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine, ReplenishmentOrder
from tests.arriving import hear
from tests.supply.sold import DAY, SYSTEM, day, make_node

TODAY, WEEK = day(1), Period.until(DAY, 7)
EVENING = dt.datetime.combine(TODAY, dt.time(5), dt.UTC)
EXPORTED = (
    Sale, SaleLine, StoreDay, DailyDemand, Product, Listing, ReplenishmentOrder, OrderLine, Delivery, DeliveryLine,
    StockMovement, Waste, ForecastRun, ForecastQuantile, day_reports.DayReport,
)  # fmt: skip
SOLD = {"bread": 250, "milk": 129, "apple": 5, "repair": 900, "bottle": 15}
KIND = {"repair": "service", "bottle": "deposit"}


@pytest.fixture
def network(tmp_path):
    """Give a network with two weeks of three stores, with refunds, deposits, rounding, waste and short orders."""
    database, chance = make_node(tmp_path / "network.db"), random.Random(29)
    with database.write() as session:
        for sku, kind in KIND.items():
            session.add(Product(sku=sku, name=sku, category=kind, department="Other", kind=kind, tax_class_id="std",
                                search_text=sku))  # fmt: skip
        session.flush()
        for store in ("S1", "S2", "S3"):
            for sku in ("bread", "milk", "apple"):
                qty = chance.randrange(20, 120) * (20 if sku == "apple" else 1)
                _move(session, store, sku, qty, "supplier", "floor", day(-20))
            for n in range(14):
                if n != 4 or store != "S2":  # whose fifth day comes from a file
                    _trade(session, chance, store, day(-n))
            _write_off(session, store, day(-2), cost=chance.choice((None, 70)))
            _forecasts(session, chance, store)
            _order(session, chance, store, day(-3))
        _levels(session)
        rollups.import_history(session, [("S2", "bread", day(-4), 7, 1_777, 3)])
        for n in range(14):
            changed_days.mark(session, "S1", [day(-n)], at=EVENING)
        for n in range(13, -1, -1):
            rollups.roll_up(session, None, day(-n), at=EVENING)
            for store in ("S1", "S2", "S3"):
                day_reports.report(Context(session, SYSTEM, EVENING), store, day(-n), sends=False)
    yield database
    database.engine.dispose()


def test_each_figure_is_what_a_script_of_its_own_counts_from_the_exported_tables(network, tmp_path):
    folder = tmp_path / "exported"
    folder.mkdir()
    with network.read() as session:
        for table in EXPORTED:
            _export(session, table, folder)
        found = dashboard.look(session, WEEK, at=EVENING)
        departments = dashboard.departments(session, WEEK)
        categories = [one for each in departments for one in dashboard.categories(session, WEEK, each.id)]
        trend = dashboard.days(session, WEEK)
    script = [sys.executable, "-m", "tests.tools.recount", str(folder), str(WEEK.first_day), str(WEEK.last_day), "7"]
    counted = json.loads(subprocess.run(script, check=True, capture_output=True, text=True).stdout)
    for which in ("now", "before"):
        stores = counted[which]["stores"]
        assert {one.id: _plain(getattr(one, which)) for one in found.stores} == {
            store: {name: some.get(name, 0) for name in NAMES} for store, some in stores.items()
        }
        whole = {name: sum(some.get(name, 0) for some in stores.values()) for name in NAMES}
        assert _plain(getattr(found.total, which)) == whole
        assert _plain(Figures.added(getattr(one, which) for one in found.regions)) == whole
        assert {one.id: getattr(one, which).sales_minor for one in departments} == counted[which]["departments"]
        assert which == "before" or all(whole.values())
    assert sum(one.now.net_minor for one in departments) == found.total.now.money.net_minor
    assert sum(one.now.cost_minor for one in categories) == found.total.now.money.cost_minor
    assert sum(minor or 0 for _, minor, _ in trend) == found.total.now.money.sales_minor
    assert sum(minor or 0 for *_, minor in trend) == found.total.before.money.sales_minor


def test_the_other_pages_say_the_same_sales(network):
    with network.read() as session:
        found = dashboard.look(session, WEEK, at=EVENING)
        assert {one.id: one.week_minor for one in overview.stores(session, TODAY)} == {
            one.id: one.now.money.sales_minor for one in found.stores
        }
        assert {(one.id, one.revenue_minor, one.revenue_before_minor) for one in overview.regions(session, TODAY)} == {
            (one.id, one.now.money.sales_minor, one.before.money.sales_minor) for one in found.regions
        }


def test_a_region_is_asked_for_alone_and_still_stands_beside_the_others(network):
    with network.read() as session:
        found = dashboard.look(session, WEEK, "R2", at=EVENING)
        everywhere = dashboard.look(session, WEEK, at=EVENING)
        parts = {one: dashboard.departments(session, WEEK, one) for one in (None, "R1", "R2")}
    assert [one.id for one in found.stores] == ["S3"]
    assert found.total.now == everywhere.regions[1].now == found.regions[1].now
    sums = {where: sum(one.now.sales_minor for one in some) for where, some in parts.items()}
    assert sums["R1"] + sums["R2"] == sums[None]


def test_a_departments_products_add_up_to_it_and_stand_by_sales(network):
    with network.read() as session:
        (bakery,) = [one for one in dashboard.departments(session, WEEK) if one.id == "Bakery"]
        products = dashboard.products(session, WEEK, "Bakery")
    assert [(one.id, one.now.sales_minor, one.now.margin_minor, one.before.sales_minor) for one in products] == [
        ("bread", bakery.now.sales_minor, bakery.now.margin_minor, bakery.before.sales_minor)
    ]


def test_figures_are_shares_of_what_they_are_said_to_be_of():
    one = Figures(listed=10, empty=2, empty_bp=5_000, forecast_milli=900, sold_milli=1_000, missed_milli=300,
                  ordered_minor=200, received_minor=150, waste_value_minor=3, reporting_minor=100)  # fmt: skip
    assert (one.out_of_stock_bp, one.service_bp, one.fill_bp, one.wape_bp, one.bias_bp, one.waste_bp) == (
        500, 8_000, 7_500, 3_000, -1_000, 300,
    )  # fmt: skip
    nothing = Figures()
    assert {nothing.out_of_stock_bp, nothing.fill_bp, nothing.wape_bp, nothing.bias_bp, nothing.waste_bp} == {None}


def test_a_period_is_compared_with_the_same_weekdays():
    for days, ago in ((7, 7), (28, 28), (10, 14)):
        period = Period.until(DAY, days)
        assert period.ago_days == ago
        assert period.spans[1][1].weekday() == DAY.weekday()
        assert period.spans[1][1] < period.first_day
    assert Period.until(DAY, 28, year=True).ago_days == 364


def test_a_store_needs_somebody_for_its_silence_its_sales_its_shelves_and_stands_first(network):
    with network.write() as session:
        session.execute(sa.update(dashboard.Store).where(dashboard.Store.id == "S3").values(has_node=True))
        session.add(Peer(id="S3", epoch="e", nonce="", heard_at=EVENING - dt.timedelta(days=2)))
        session.execute(sa.update(StoreDay).where(StoreDay.store_id == "S3", StoreDay.business_day > day(-7))
                        .values(revenue_minor=1))  # fmt: skip
        session.execute(sa.update(day_reports.DayReport).where(day_reports.DayReport.store_id == "S3")
                        .values(listed=10, empty=1, empty_bp=10_000))  # fmt: skip
    with network.read() as session:
        first, *others = dashboard.look(session, WEEK, at=EVENING).stores
    assert first.id == "S3"
    assert set(first.needs) >= {"silent", "fell", "empty"}
    assert not any("silent" in one.needs for one in others)


def test_an_undone_write_off_is_reported_again_and_nothing_that_stayed_as_it_was(network):
    with network.write() as session:
        ctx = Context(session, SYSTEM, EVENING)
        assert day_reports.report(ctx, "S1", DAY, sends=False) == 0
        row = session.scalars(sa.select(Waste).where(Waste.store_id == "S1")).one()
        undone = {"reason": "write_off_undone", "source": ("waste", row.id)}
        _move(session, "S1", row.sku, row.qty, "waste", "floor", DAY, **undone)
        session.flush()
        assert day_reports.report(ctx, "S1", DAY, sends=False) == 1
        assert session.get_one(day_reports.DayReport, ("S1", row.business_day)).waste_value_minor == 0


def test_what_a_store_says_of_a_day_stands_by_its_moment_and_within_what_can_be(network):
    said = {
        "store_id": "S1", "business_day": DAY.isoformat(), "listed": 10, "empty": 1, "empty_bp": 4_000,
        "waste_cost_minor": 5, "waste_value_minor": 8, "forecast_milli": 1_000, "sold_milli": 900, "missed_milli": 300,
    }  # fmt: skip
    later = EVENING + dt.timedelta(hours=1)
    with network.write() as session:
        hear(session, "day.reported", said | {"reported_at": later.isoformat()}, at=later)
        hear(session, "day.reported", said | {"listed": 99, "reported_at": EVENING.isoformat()}, at=later)
        assert session.get_one(day_reports.DayReport, ("S1", DAY)).listed == 10
        for ahead in (dt.timedelta(days=2), dt.timedelta(days=36_500)):  # it would stand until then
            with pytest.raises(Invalid, match="store's clock"):
                hear(session, "day.reported", said | {"reported_at": (later + ahead).isoformat()}, at=later)
        for odd in ({"empty": 11}, {"empty_bp": 10_001}, {"missed_milli": 1_901}, {"listed": -1}):
            with pytest.raises(Exception, match=r"not a whole number|is not valid"):
                hear(session, "day.reported", said | {"reported_at": later.isoformat()} | odd, at=later)


# --- the two weeks ---

NAMES = ("sales", "baskets", "file", "net", "costed", "cost", "ordered", "received", "listed", "empty", "wasted",
         "wasted_cost", "basis", "forecast", "sold", "missed")  # fmt: skip


def _plain(one: Figures) -> dict[str, int]:
    money = one.money
    values = (money.sales_minor, money.baskets, one.file_minor, money.net_minor, money.costed_minor, money.cost_minor,
              one.ordered_minor, one.received_minor, one.listed, one.empty, one.waste_value_minor, one.waste_cost_minor,
              one.reporting_minor, one.forecast_milli, one.sold_milli, one.missed_milli)  # fmt: skip
    return dict(zip(NAMES, values, strict=True))


def _trade(session, chance: random.Random, store: str, on: dt.date) -> None:
    for number in range(chance.randrange(2, 6)):
        key, sign = new_id(), chance.choice((1, 1, 1, -1))
        lines = []
        for n, sku in enumerate(chance.sample(sorted(SOLD), 3), 1):
            qty = sign * (chance.randrange(100, 900) if sku == "apple" else chance.randrange(1, 4))
            total = qty * SOLD[sku] // (10 if sku == "apple" else 1)
            tax = total * 9 // 109
            cost = None if chance.random() < 0.3 else total * 6 // 10
            lines.append(
                SaleLine(store_id=store, sale_id=key, n=n, sku=sku, name=sku, kind=KIND.get(sku, "goods"), qty=qty,
                         stock_unit="gram" if sku == "apple" else "each", unit_price_minor=SOLD[sku], price_quantity=1,
                         total_minor=total, net_minor=total - tax, tax_minor=tax, tax_class_id="std", rate_bp=900,
                         cost_minor=cost, business_day=on)
            )  # fmt: skip
            if sku not in KIND:
                places = ("floor", "customer") if sign > 0 else ("customer", "floor")
                _move(session, store, sku, abs(qty), *places, on, reason="sold", source=("sale", key))
        total, rounding = sum(line.total_minor for line in lines), chance.choice((-2, 0, 1))
        session.add(
            Sale(store_id=store, id=key, till_id="T1", shift_id="shift", epoch="e",
                 kind="sale" if sign > 0 else "return", business_day=on, cashier_id="ana", cashier_name="Ana",
                 completed_at=dt.datetime.combine(on, dt.time(9 + number), dt.UTC), currency="EUR", lines_minor=total,
                 rounding_minor=rounding, total_minor=total + rounding, request_hash=key,
                 receipt_no=int(f"{on:%m%d}{number}"),
                 tax_minor=sum(line.tax_minor for line in lines))
        )  # fmt: skip
        session.flush()
        session.add_all(lines)
    changed_days.mark(session, store, [on], at=EVENING)


def _move(session, store, sku, qty, from_place, to_place, on, *, reason="received", source=("opening", "o")) -> None:
    session.add(
        StockMovement(store_id=store, id=new_id(), sku=sku, qty=qty, from_place=from_place, to_place=to_place,
                      reason=reason, source_kind=source[0], source_id=source[1], business_day=on,
                      at=dt.datetime.combine(on, dt.time(12), dt.UTC), actor_id="ana")
    )  # fmt: skip


def _levels(session) -> None:
    session.flush()
    stood: dict[tuple[str, str], int] = {}
    for move in session.scalars(sa.select(StockMovement)):
        sign = (move.to_place == "floor") - (move.from_place == "floor")
        stood[move.store_id, move.sku] = stood.get((move.store_id, move.sku), 0) + sign * move.qty
    session.add_all(StockLevel(store_id=store, sku=sku, place="floor", qty=qty) for (store, sku), qty in stood.items())


def _write_off(session, store: str, on: dt.date, *, cost: int | None) -> None:
    row = Waste(store_id=store, id=new_id(), sku="bread", qty=2, reason="expired", cost_minor=cost, value_minor=500,
                business_day=on, at=EVENING, actor_id="ana")  # fmt: skip
    session.add(row)
    _move(session, store, "bread", 2, "floor", "waste", on, reason="wasted", source=("waste", row.id))


def _forecasts(session, chance: random.Random, store: str) -> None:
    for origin in (day(-15), day(-6)):
        run = ForecastRun(id=f"{store}-{origin}", scope_kind="store", scope_id=store, state="superseded",
                          origin_day=origin, horizon_days=14, started_at=EVENING)  # fmt: skip
        session.add(run)
        session.flush()
        for sku in ("bread", "apple"):
            for n in range(1, 15):
                on = origin + dt.timedelta(days=n)
                mean = round(chance.uniform(0, 900 if sku == "apple" else 6), 5)
                numbers = dict.fromkeys(("mean", "q50", "q75", "q90", "q95", "q99"), mean)
                session.add(ForecastQuantile(run_id=run.id, sku=sku, first_day=on, last_day=on, **numbers))


def _order(session, chance: random.Random, store: str, on: dt.date) -> None:
    for n, delivery_day in enumerate((on, on - dt.timedelta(days=7)), 1):
        order = ReplenishmentOrder(store_id=store, id=f"o-{store}-{n}", order_no=n, supplier_id="net", state="sent",
                                   order_day=delivery_day, delivery_day=delivery_day, next_delivery_day=on,
                                   proposed_at=EVENING)  # fmt: skip
        delivery = Delivery(store_id=store, id=f"d-{store}-{n}", supplier_id="net", order_id=order.id, state="posted",
                            expected_day=delivery_day, advised_at=EVENING)  # fmt: skip
        session.add_all([order, delivery])
        session.flush()
        for sku, pack, cost in (("bread", 6, 1_000), ("milk", 12, 1_499)):
            packs = chance.randrange(1, 5)
            session.add(OrderLine(store_id=store, order_id=order.id, sku=sku, name=sku, pack_qty=pack, packs=packs,
                                  pack_cost_minor=cost, packs_proposed=packs, why={}))  # fmt: skip
            counts = {"advised_qty": packs * pack, "counted_qty": chance.randrange(packs * pack + 8)}
            session.add(
                DeliveryLine(store_id=store, delivery_id=delivery.id, sku=sku, name=sku, pack_qty=pack, **counts)
            )
        session.flush()
        orders.settle(Context(session, SYSTEM, EVENING), store, order.id)


def _export(session, table, folder: Path) -> None:
    columns = [column for column in sa.inspect(table).columns if not isinstance(column.type, sa.JSON)]
    with (folder / f"{table.__tablename__}.csv").open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow([column.key for column in columns])
        lines.writerows(session.execute(sa.select(*columns)))

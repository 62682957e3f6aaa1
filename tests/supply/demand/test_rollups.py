"""What arrives at the network is added up by its days, a little at a time, and comes to the same as all at once."""

import datetime as dt

import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes.node import found
from pos.catalogue.catalogue import Product, TaxClass
from pos.stock import changed_days
from pos.store.store import found_store
from pos.sync import replica
from supply.demand import rollups
from supply.demand.history import CategoryDay, DailyDemand, RegionalDemand, StoreDay
from tests import network_facts
from tests.builders import NOON
from tests.empty import empty_database
from tests.network_facts import message


def test_what_arrived_is_added_up_at_once_and_a_late_fact_changes_its_own_day_alone(tmp_path):
    network = empty_database(tmp_path / "network.db")
    with network.write() as session:
        found(session, NETWORK, at=NOON)
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        session.execute(sa.insert(Product), network_facts.products())
        for store_id, region_id in (("S1", "R1"), ("S2", "R1"), ("S3", "R2")):
            found_store(session, store_id, store_id, region=(region_id, region_id), currency="EUR", tz="UTC", at=NOON)

    def arrive(store_id: str, count: int, **which) -> None:
        facts = [message(fact, 1) for fact in network_facts.sales(store_id, count, **which)]
        with network.write() as session:
            assert replica.take_sales(session, facts, store_id, NOON) == []

    def rolled() -> dict:
        with network.read() as session:
            return {
                table.__tablename__: sorted(map(repr, session.execute(sa.select(table.__table__)).all()))
                for table in (DailyDemand, StoreDay, RegionalDemand, CategoryDay)
            }

    days = [network_facts.MORNING.date() - dt.timedelta(days=n) for n in range(3)]
    for store_id in ("S1", "S2", "S3"):
        arrive(store_id, 20, day=days[0])
    with network.write() as session:
        assert rollups.roll_fresh(session, at=NOON) == 3
        assert rollups.roll_fresh(session, at=NOON) == 0
    arrive("S2", 5, day=days[2], first=101)
    arrive("S1", 5, day=days[0], first=21)
    with network.write() as session:
        assert rollups.roll_fresh(session, at=NOON) == 2
    bit_by_bit = rolled()
    with network.write() as session:
        for store_id in ("S1", "S2", "S3"):
            changed_days.mark(session, store_id, days, at=NOON)
        rollups.roll_up(session, None, days[0], at=NOON)
    assert rolled() == bit_by_bit
    assert bit_by_bit["regional_demand"]
    assert bit_by_bit["category_day"]


def test_a_day_is_added_up_from_its_own_sales_and_not_from_every_line_there_is(tmp_path):
    network, asked = empty_database(tmp_path / "network.db"), []
    sa.event.listen(network.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2:4]))
    with network.write() as session:
        found(session, NETWORK, at=NOON)
        found_store(session, "S1", "S1", region=("R1", "R1"), currency="EUR", tz="UTC", at=NOON)
        session.flush()
        rollups.roll_up(session, ["S1"], network_facts.MORNING.date(), at=NOON)
    ((words, given),) = [
        one for one in asked if one[0].startswith("INSERT INTO daily_demand") and "sale_line" in one[0]
    ]
    with network.engine.connect() as books:
        plan = [row[3] for row in books.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", given)]
    assert "ix_sale_day (store_id=? AND business_day>? AND business_day<?)" in plan[0], plan

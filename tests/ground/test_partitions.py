"""The network's large books by weeks: made ahead, and whatever fell outside is moved where it belongs."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config import migrate, partitions
from config.database import Database, make_engine
from config.node import NETWORK, found
from pos import replica
from pos.sale_rows import Sale, SaleLine
from pos.store import found_store
from tests.builders import NOON
from tests.conftest import ROOT
from tests.network_facts import message, sales

WEDNESDAY = dt.date(2026, 3, 4)


@pytest.fixture
def network(postgres_database):
    engine = make_engine(postgres_database)
    migrate.upgrade(engine)
    database = Database(engine)
    with database.write() as session:
        found(session, NETWORK, at=NOON)
        found_store(session, "S01", "Shop", region=("R", "R"), currency="EUR", tz="UTC", at=NOON)
    yield database
    database.engine.dispose()


def weeks(database: Database, table: str) -> dict[str, int]:
    """Return where a book's rows lie: partition -> rows."""
    with database.read() as session:
        rows = session.execute(sa.text(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))
        return dict(rows.all())


def keep(database: Database, today: dt.date) -> list[str]:
    with database.write() as session:
        return partitions.keep(session, today)


def arrive(database: Database, day: dt.date, first: int) -> None:
    facts = [message(fact, 1) for fact in sales("S01", 3, first=first, day=day)]
    with database.write() as session:
        assert replica.take_sales(session, facts, "S01", NOON) == []


@pytest.mark.postgres
def test_weeks_are_made_ahead_once_and_what_lies_in_the_rest_gets_weeks_of_its_own(network):
    assert len(keep(network, WEDNESDAY)) == 3 * (1 + partitions.AHEAD_WEEKS)
    assert keep(network, WEDNESDAY) == []
    arrive(network, WEDNESDAY, 1)
    arrive(network, WEDNESDAY - dt.timedelta(days=400), 11)
    assert weeks(network, "sale_line") == {"weeks.sale_line_20260302": 12, "weeks.sale_line_rest": 12}
    assert len(keep(network, WEDNESDAY)) == 3
    assert weeks(network, "sale_line") == {"weeks.sale_line_20260302": 12, "weeks.sale_line_20250127": 12}
    assert weeks(network, "sale") == {"weeks.sale_20260302": 3, "weeks.sale_20250127": 3}
    with network.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 6


@pytest.mark.postgres
def test_a_week_is_put_away_as_the_manual_says_and_a_late_fact_of_it_still_finds_a_place(network):
    monday = dt.date(2025, 1, 6)
    told = (ROOT / "docs" / "operating.md").read_text("utf-8")
    steps = [line.strip() for line in told.splitlines() if line.startswith(("    ALTER TABLE", "    DROP TABLE"))]
    assert len(steps) == 2
    for first in (1, 11):
        arrive(network, monday, first)
        keep(network, WEDNESDAY)
        assert weeks(network, "sale") == {"weeks.sale_20250106": 3}
        with network.write() as session:
            for step in steps:
                session.execute(sa.text(step))
        assert weeks(network, "sale") == {}


@pytest.mark.postgres
def test_a_day_of_a_store_is_read_from_its_week_alone(network):
    keep(network, WEDNESDAY)
    query = sa.select(SaleLine).where(SaleLine.store_id == "S01", SaleLine.business_day == WEDNESDAY)
    text = str(query.compile(network.engine, compile_kwargs={"literal_binds": True}))
    with network.read() as session:
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {text}")))
    assert "sale_line_20260302" in plan
    assert "rest" not in plan


def test_a_shop_keeps_its_books_in_one_piece(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    migrate.upgrade(engine)
    assert keep(Database(engine), WEDNESDAY) == []
    engine.dispose()

"""The network's large books by weeks: made ahead, and whatever fell outside is moved where it belongs."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config import migrate
from config.database import Database, make_engine
from config.errors import Conflict, Refused
from config.ids import NETWORK
from config.nodes import day_seals, inbox, journal, partitions
from config.nodes.facts import apply
from config.nodes.journal import Actor, Context
from config.nodes.node import found as found_node
from pos.sold import Sale, SaleLine
from pos.store.store import found_store
from pos.sync import archive, checks, replica
from pos.sync.archive import ArchivedReceipts, ArchivedStock
from pos.till.shift_book import Shift
from store_app.node import verifying
from supply.demand import rollups
from supply.demand.history import StoreDay
from tests.builders import NOON
from tests.network_facts import message, sales
from tests.recount import recount

WEDNESDAY = dt.date(2026, 3, 4)


@pytest.fixture
def network(postgres_database):
    engine = make_engine(postgres_database)
    migrate.upgrade(engine)
    database = Database(engine)
    with database.write() as session:
        found_node(session, NETWORK, at=NOON)
        found_store(session, "S01", "Store", region=("R", "R"), currency="EUR", tz="UTC", at=NOON)
    yield database
    database.engine.dispose()


def weeks(database: Database, table: str) -> dict[str, int]:
    """Return where a book's rows lie: partition -> rows."""
    with database.read() as session:
        rows = session.execute(sa.text(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))
        return dict(rows.all())


def keep(database: Database, today: dt.date) -> list[str]:
    """Make all that is missing, as the job does."""
    made, some = [], ["once"]
    while some:
        with database.write() as session:
            since, away = WEDNESDAY - dt.timedelta(days=500), archive.weeks(session)
            some = partitions.keep(session, today, since=since, away=away)
        made += some
    return made


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
def test_a_day_of_a_store_is_read_from_its_week_alone(network):
    keep(network, WEDNESDAY)
    query = sa.select(SaleLine).where(SaleLine.store_id == "S01", SaleLine.business_day == WEDNESDAY)
    text = str(query.compile(network.engine, compile_kwargs={"literal_binds": True}))
    with network.read() as session:
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {text}")))
    assert "sale_line_20260302" in plan
    assert "rest" not in plan


def test_a_shop_keeps_its_books_in_one_piece(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'store.db'}")
    migrate.upgrade(engine)
    assert keep(Database(engine), WEDNESDAY) == []
    engine.dispose()


@pytest.mark.postgres
def test_a_week_put_away_is_still_counted_and_what_is_missing_of_it_found(network):
    old = WEDNESDAY - dt.timedelta(days=70)
    monday = partitions.monday(old)
    by = {"actor": Actor.system("test", NETWORK), "at": NOON}

    def found() -> list[str]:
        with network.read() as session:
            return [f"{one.code} {one.subject}" for one in checks.findings(session)]

    def verified() -> list[str]:
        with network.read() as session:
            return verifying.verify_in(session, NETWORK).faults

    def come(first: int, day: dt.date, count: int = 3) -> None:
        facts = [message(fact, fact.receipt_no) for fact in sales("S01", count, first=first, day=day)]
        with network.write() as session:
            outcomes = inbox.take(
                session,
                inbox.Arrival("S01", "epoch-S01", facts),
                lambda inner, one: apply(inner, one, "S01", NOON),
                at=NOON,
            )
        assert {one.state for one in outcomes} == {"taken"}, outcomes
        keep(network, WEDNESDAY)

    come(1, old)
    come(4, WEDNESDAY)
    with network.write() as session:
        shift = Shift(store_id="S01", id=f"S01-{old:%y%m%d}", till_id="T1", state="closed", opened_by="ana",
                      opened_by_name="Ana", opened_at=NOON, business_day=old)  # fmt: skip
        session.add(shift)
        session.flush()
        shift.totals = recount(session, shift)
    with network.write() as session:
        with pytest.raises(Refused, match="This week’s sales are still being added up"):
            archive.put_away(Context(session, **by), monday)
        rollups.roll_up(session, None, WEDNESDAY, at=NOON)
    with network.write() as session:
        for bunch in day_seals.unsealed(session, WEDNESDAY.isoformat()):
            seals = day_seals.seal(session, bunch)
            journal.record(Context(session, **by), verb=day_seals.SEALED, subject="node:network", sealed=seals)
    before = found()
    for day, words in (
        (old, "Weeks start on Monday"),
        (partitions.monday(WEDNESDAY), "archived 8 weeks after it ends"),
    ):
        with network.write() as session, pytest.raises(Refused, match=words):
            archive.put_away(Context(session, **by), day)
    with network.write() as session:
        tables = archive.put_away(Context(session, **by), monday)
    assert tables == [f"away.{book}_{monday:%Y%m%d}" for book in partitions.BOOKS]
    assert found() == before
    assert verified() == []
    with network.write() as session:
        ask = {"name": "cornerstore.amending", "value": "yes"}
        session.execute(sa.text("SELECT set_config(:name, :value, true)"), ask)
        session.execute(sa.text(f"UPDATE {tables[2]} SET qty = qty + 1"))
        moved = verifying.verify_in(session, NETWORK).faults
        session.rollback()
    assert [said.split(" ", 1)[1] for said in moved] == [
        f"rows of stock_movement of {old} changed or went after the day was sealed"
    ]
    with network.write() as session:
        session.execute(sa.text(f"DROP TABLE {', '.join(tables)}"))
        assert verifying.verify_in(session, NETWORK).faults == [], "what was dumped and dropped is its dump's"
        session.rollback()
    come(7, old, 1)
    assert weeks(network, "sale")["weeks.sale_rest"] == 1, "what comes late finds a place"
    assert found() == before
    with network.write() as session:
        with pytest.raises(Conflict, match="Later entries stay here"):
            archive.put_away(Context(session, **by), monday)
        assert session.scalar(sa.text(f"SELECT count(*) FROM {tables[1]}")) == 12
        rolled = sa.select(StoreDay.sales).where(StoreDay.business_day == old)
        rollups.roll_up(session, ["S01"], old, at=NOON)
        assert session.scalar(rolled) == 3, "a roll-up whose sales are gone stays"
    for spoilt, codes in (
        (sa.update(ArchivedReceipts).values(sales=2), {"K7", "K9"}),
        (sa.update(ArchivedStock).values(qty=ArchivedStock.qty + 1), {"K3", "K4"}),
    ):
        with network.write() as session:
            session.execute(spoilt)
            more = {one.code for one in checks.findings(session) if f"{one.code} {one.subject}" not in before}
            session.rollback()
        assert more == codes

"""A hostile store dates its facts as it likes: days wait for a person, and no job of the network's ends by them."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config import migrate
from config.database import Database, make_engine
from config.ids import NETWORK
from config.nodes import inbox, outbox, partitions
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context, canonical
from config.nodes.outbox import Message
from pos.facts import StockCounted, StockMoved
from pos.sold import Sale
from pos.sync import archive
from store_app.jobs import jobs
from store_app.jobs.desk import Desk
from store_app.sync import receiver
from tests import network_facts
from tests.store_app.conftest import NOON, STORE, furnish
from tests.store_app.house import open_house

TODAY = NOON.date()
FOUNDED = TODAY
FIRST = FOUNDED - receiver.PAST
ODD = (dt.date.min, dt.date(1, 1, 5), dt.date(999, 12, 30), dt.date(1900, 1, 5), FIRST - dt.timedelta(days=1),
       TODAY + dt.timedelta(days=4_000), dt.date.max)  # fmt: skip


@pytest.fixture(scope="module")
def migrated(postgres_url):
    """Give the name of a database that went the migrations' way, with its books in weeks; made once."""
    name = f"cornerstore_{uuid.uuid4().hex}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    engine = make_engine(sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    migrate.upgrade(engine)
    furnish(Database(engine), "network", NETWORK)
    engine.dispose()
    yield name
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def network(tmp_path, postgres_url, migrated):
    name = f"cornerstore_{uuid.uuid4().hex}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    house = open_house(tmp_path, NOON, role="network", node_id=NETWORK, database_url=url)
    yield house
    house.doors.database.engine.dispose()
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def push(network, facts: list[Message]) -> list[inbox.Outcome]:
    """Let the store push facts as its key lets it; returns what became of each."""
    with network.doors.write() as session:
        arrival = inbox.Arrival(STORE, "epoch-hostile", facts)
        return inbox.take(
            session,
            arrival,
            receiver.effect_of(STORE, network.clock.now()),
            at=network.clock.now(),
            bulk=receiver.bulk_of(STORE, network.clock.now()),
        )


def sales(days: list[dt.date], first: int = 1) -> list[Message]:
    made = []
    for n, day in enumerate(days, first):
        (fact,) = network_facts.sales(STORE, 1, first=n, day=max(day, dt.date(2, 1, 1)))
        reported = day.isoformat()
        fact = replace(fact, id=f"hostile-{n}", business_day=reported, completed_at=f"{reported}T12:00:00+00:00")
        made.append(network_facts.message(fact, n))
    return made


def message(topic: str, n: int, body: dict, day: dt.date = TODAY) -> Message:
    bare = Message(f"hostile-{n}", n, topic, 1, NOON.isoformat(), day.isoformat(), body, "")
    return replace(bare, hash=outbox.hash_of(bare, canonical(body)))


def keep_weeks(network) -> str:
    return jobs.keep_weeks(Desk(network.doors), TODAY)


def made(network) -> set[str]:
    """Return the partitions there are, the rest's among them."""
    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'weeks'"
    with network.doors.read() as session:
        return set(session.scalars(sa.text(names)))


def lie(network, table: str) -> dict[str, int]:
    """Return where a book's rows lie: partition -> rows."""
    with network.doors.read() as session:
        rows = session.execute(sa.text(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1"))
        return dict(rows.all())


@pytest.mark.postgres
def test_facts_of_days_that_cannot_be_wait_and_the_job_of_the_weeks_goes_on(network):
    outcomes = push(network, sales([*ODD, TODAY]))
    assert [one.state for one in outcomes] == ["parked"] * len(ODD) + ["taken"]
    assert all("impossible-day" in str(one.reason) for one in outcomes[: len(ODD)])
    ahead = 3 * (1 + partitions.AHEAD_WEEKS)
    assert keep_weeks(network) == f"{ahead} weeks made"
    assert len(made(network)) == ahead + 3, "and the three of the rest"
    network.clock.advance(dt.timedelta(weeks=1).total_seconds())
    assert keep_weeks(network) == "3 weeks made", "a week later too"
    with network.doors.read() as session:
        kept_bodies = session.scalars(sa.select(InboxMessage.body).where(InboxMessage.state == "parked")).all()
        assert len(kept_bodies) == len(ODD), "nothing is lost: each waits with its content"
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 1


@pytest.mark.postgres
def test_old_days_a_store_may_report_make_no_partition_and_each_transaction_makes_one_week(network):
    old = [FOUNDED - dt.timedelta(weeks=n) for n in range(1, 104)]
    assert {one.state for one in push(network, sales(old))} == {"taken"}
    with network.doors.write() as session:
        assert len(partitions.keep(session, TODAY, since=FOUNDED)) == len(partitions.BOOKS), "a week, no more"
    keep_weeks(network)
    assert len(made(network)) == 3 * (2 + partitions.AHEAD_WEEKS)
    assert lie(network, "sale") == {"weeks.sale_rest": len(old)}


@pytest.mark.postgres
def test_a_week_the_job_missed_gets_its_partition_later_by_the_network_s_own_clock(network):
    network.clock.advance(dt.timedelta(weeks=6).total_seconds())
    missed = FOUNDED + dt.timedelta(weeks=2)
    push(network, sales([missed, FOUNDED - dt.timedelta(weeks=9)]))
    keep_weeks(network)
    before = f"weeks.sale_{partitions.monday(missed):%Y%m%d}"
    assert lie(network, "sale") == {before: 1, "weeks.sale_rest": 1}


@pytest.mark.postgres
def test_partitions_an_older_program_named_badly_stop_neither_the_job_nor_what_reads_the_weeks(network):
    with network.doors.write() as session:
        for book in partitions.BOOKS:
            for name, bounds in (("10101", "'0001-01-01') TO ('0001-01-08'"), ("odd", "'9990-01-01') TO (MAXVALUE")):
                part = f"weeks.{book}_{name} PARTITION OF {book} FOR VALUES FROM ({bounds})"
                session.execute(sa.text(f"CREATE TABLE {part}"))
    assert keep_weeks(network) == f"{3 * (1 + partitions.AHEAD_WEEKS)} weeks made"
    network.clock.advance(dt.timedelta(weeks=12).total_seconds())
    by = {"actor": Desk(network.doors).actor("test"), "at": network.clock.now()}
    with network.doors.write() as session:
        tables = archive.put_away(Context(session, **by), partitions.monday(TODAY))
    assert tables == [f"away.{book}_{partitions.monday(TODAY):%Y%m%d}" for book in partitions.BOOKS]


COUNT = StockCounted("c", STORE, "milk", 1, 1, TODAY.isoformat(), NOON.isoformat(), "ana", ())
MOVED = StockMoved("m", STORE, "received", "delivery", "d", TODAY.isoformat(), NOON.isoformat(), "ana", ())


@pytest.mark.postgres
@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "9999-12-31"])
def test_no_fact_carries_a_day_or_an_instant_nobody_can_mean_wherever_it_stands(network, day):
    instant = f"{day}T12:00:00+00:00"
    bodies = [
        ("stock.counted", COUNT.to_body() | {"business_day": day}),
        ("stock.counted", COUNT.to_body() | {"at": instant}),
        ("stock.moved", MOVED.to_body() | {"at": instant}),
        ("tab.moved", {"store_id": STORE, "of": [{"deep": [["x", instant]]}]}),
        ("points.part", {"store_id": STORE, "from_day": day, "until_day": None, "reported_at": NOON.isoformat()}),
        ("points.part", {"store_id": STORE, "from_day": str(TODAY), "until_day": None, "reported_at": instant}),
    ]
    outcomes = push(network, [message(topic, n, body) for n, (topic, body) in enumerate(bodies, 1)])
    assert [(one.state, str(one.reason).partition(":")[0]) for one in outcomes] == [("parked", "impossible-day")] * 6
    (filed,) = push(network, [message("stock.counted", 99, COUNT.to_body(), day=dt.date.fromisoformat(day))])
    assert filed.state == "parked"


@pytest.mark.postgres
def test_what_comes_before_its_day_waits_for_it_and_only_that_is_tried_again(network):
    soon, never = TODAY + dt.timedelta(days=4), dt.date(1900, 1, 5)
    early, off = push(network, sales([soon, never]))
    assert receiver.TOO_EARLY in str(early.reason)
    assert "impossible-day" in str(off.reason)
    assert receiver.take_early(network.doors) == (0, 1)
    network.clock.advance(dt.timedelta(days=2).total_seconds())
    assert receiver.take_early(network.doors) == (1, 0)

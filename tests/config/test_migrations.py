"""One history of tables for both databases: up, down, and never different from the code."""

import datetime as dt
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from pytest_alembic.config import Config
from pytest_alembic.tests import test_single_head_revision, test_up_down_consistency  # noqa: F401
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import migrate
from config.database import Base, make_engine, refuse_unsafe
from config.errors import Refused
from config.nodes import append_only, journal
from config.nodes.journal import Actor
from config.nodes.node import Node
from pos.payments import vouchers
from pos.printing.queue import PrintJob
from store_app.runtime import tables


@pytest.fixture
def alembic_config() -> Config:
    tables.known()
    return Config(config_options={"script_location": str(migrate.FOLDER)})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def alembic_engine(request, tmp_path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'm.db'}")
    else:
        engine = make_engine(request.getfixturevalue("postgres_database"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def newest(tmp_path_factory) -> Path:
    """Give the file of a shop that was brought up from nothing, made once and closed again."""
    path = tmp_path_factory.mktemp("newest") / "m.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def upgraded(newest, tmp_path) -> Iterator[Engine]:
    """Give a shop of today's tables, in a file of its own."""
    engine = make_engine(f"sqlite:///{shutil.copy(newest, tmp_path)}")
    yield engine
    engine.dispose()


def test_an_upgraded_database_has_today_s_tables(alembic_engine):
    known = tables.known()
    assert migrate.upgrade(alembic_engine) == migrate.newest()
    assert set(known) <= set(sa.inspect(alembic_engine).get_table_names())
    assert migrate.check(alembic_engine) is None


def test_an_upgraded_database_protects_the_same_rows_as_a_new_one(alembic_engine):
    tables.known()
    migrate.upgrade(alembic_engine)
    found = []
    for _ in range(2):
        with alembic_engine.begin() as connection:
            found.append(_triggers(connection))
            for name in append_only.declared():
                append_only.lift(connection, name)
            assert _triggers(connection) == {}
            Base.metadata.dispatch.after_create(
                Base.metadata, connection, tables=list(Base.metadata.tables.values()), checkfirst=False
            )
    assert found[0] == found[1]
    assert len(found[0]) > len(append_only.declared())


def _triggers(connection: sa.Connection) -> dict[str, str]:
    """Return what protects rows: trigger -> its definition, partitions' included."""
    if connection.dialect.name == "sqlite":
        return append_only.laid(connection)
    query = sa.text("""SELECT tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
        WHERE tgname LIKE 'append_only_%'""")
    return dict(connection.execute(query).all())


NEXT = """
import os, sqlite3
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None

def upgrade():
    op.create_table("next_one", sa.Column("id", sa.Text(), primary_key=True))
    with op.batch_alter_table("payment", recreate="always") as table:
        table.add_column(sa.Column("colour", sa.Text()))
    {then}
    op.create_table("next_two", sa.Column("id", sa.Text(), primary_key=True))

def downgrade():
    pass
"""


@pytest.fixture
def next_version(tmp_path, monkeypatch) -> Callable[[str], None]:
    """Give a maker of a program's next version, whose one migration does something odd in its midst."""

    def make(then: str = "") -> None:
        newest = migrate.newest()
        folder = shutil.copytree(migrate.FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "9999_next.py").write_text(NEXT.format(newest=newest, then=then))
        monkeypatch.setattr(migrate, "FOLDER", folder)

    return make


def test_a_table_that_a_migration_makes_anew_keeps_its_protection(upgraded, next_version):
    with upgraded.begin() as connection:
        before = _triggers(connection)
    next_version()
    assert migrate.upgrade(upgraded) == "9999"
    with upgraded.begin() as connection:
        assert _triggers(connection) == before


def test_the_files_of_migrations_are_named_for_their_revisions_and_the_newest_has_the_highest_number():
    scripts = ScriptDirectory(str(migrate.FOLDER))
    assert migrate.newest() == scripts.get_current_head()
    assert all(migrate.knows(script.revision) for script in scripts.walk_revisions())
    assert not migrate.knows("9999")


def test_after_a_migration_foreign_keys_hold_again_on_the_very_connection_that_made_it(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'm.db'}")
    migrate.upgrade(engine)
    refuse_unsafe(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_an_older_program_leaves_the_books_of_a_newer_one_alone_and_says_why(upgraded, tmp_path):
    with upgraded.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="newer version"):
        migrate.upgrade(upgraded)
    assert [path.name for path in tmp_path.glob("*.before-*")] == []


def test_what_differs_is_said(upgraded):
    tables.known()
    with upgraded.begin() as connection:
        connection.exec_driver_sql("DROP TABLE job_run")
    assert "job_run" in (migrate.check(upgraded) or "")


def test_half_a_copy_is_not_kept_and_nothing_is_changed_where_the_disk_has_no_room_for_it(
    upgraded, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # half of it would be written
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(sqlite3.OperationalError):
            migrate.downgrade(upgraded)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.glob("*.before-*")) == []
    assert migrate.current(upgraded) == migrate.newest()


def test_the_file_is_copied_before_it_changes(upgraded, tmp_path):
    path = tmp_path / "m.db"
    with upgraded.begin() as connection:
        connection.exec_driver_sql("INSERT INTO region (id, name) VALUES ('north', 'North')")
    migrate.downgrade(upgraded)
    upgraded.dispose()
    with sqlite3.connect(f"{path}.before-downgrade") as copy:
        assert copy.execute("SELECT name FROM region").fetchall() == [("North",)]
    copy.close()
    with sqlite3.connect(path) as now:
        assert [name for (name,) in now.execute("SELECT name FROM sqlite_master WHERE name = 'region'")] == []
    now.close()


def test_shops_of_a_network_with_two_warehouses_stay_with_the_one_they_order_from(upgraded):
    tables.known()
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    vehicles = [("dead", "WH0", False), ("empty", "WH1", True), ("vehicle", "WH2", True), ("lorry", "WH3", True)]
    stores = [("S1", "R1"), ("S2", "R1"), ("S3", "R1"), ("S4", "R2"), ("S5", "R3")]
    sent = [("S1", "vehicle"), ("S1", "lorry"), ("S2", "lorry"), ("S3", "vehicle"), ("S4", "lorry"), ("S4", "dead")]
    rows: dict[str, list[dict[str, object]]] = {
        "region": [{"id": f"R{n}", "name": f"R{n}"} for n in range(1, 5)],
        "store": [
            {
                "id": store,
                "name": store,
                "slug": store,
                "region_id": region,
                "currency": "EUR",
                "tz": "UTC",
                "joined_at": at,
            }
            for store, region in stores
        ],
        "tax_class": [{"id": "food", "name": "Food", "rate_bp": 700, "inclusive": True}],
        "product": [{"sku": "tea", "name": "Tea", "category": "tea", "tax_class_id": "food"}],
        "supplier": [
            {
                "id": vehicle,
                "name": vehicle,
                "kind": "network",
                "owner_id": "*",
                "warehouse_id": house,
                "active": active,
                "lead_time_days": 1,
                "order_weekdays": [0],
                "minimum_minor": 0,
            }
            for vehicle, house, active in vehicles
        ],
        "supplier_product": [
            {"supplier_id": vehicle, "sku": "tea", "pack_qty": 1, "pack_cost_minor": 1}
            for vehicle in ("dead", "vehicle", "lorry")
        ],
        "replenishment_order": [
            {
                "store_id": store,
                "id": f"o{n}",
                "order_no": n,
                "supplier_id": vehicle,
                "state": "sent",
                "proposed_at": at,
                "order_day": at.date(),
                "delivery_day": at.date(),
                "next_delivery_day": at.date(),
                "sent_at": at + dt.timedelta(hours=n),
            }
            for n, (store, vehicle) in enumerate(sent)
        ],
        "supply_route": [{"kind": "region", "of_id": "R4", "warehouse_id": "WH1"}],
    }
    with upgraded.begin() as connection:
        for name, found in rows.items():
            connection.execute(sa.insert(Base.metadata.tables[name]), found)
    migrate.downgrade(upgraded, "0052")
    migrate.upgrade(upgraded)
    with upgraded.connect() as connection:
        now = connection.execute(sa.select(Base.metadata.tables["supply_route"]).order_by(sa.text("kind, of_id"))).all()
    assert [tuple(row) for row in now] == [
        ("region", "R1", "WH3"), ("region", "R2", "WH3"), ("region", "R3", "WH2"), ("region", "R4", "WH1"),
        ("store", "S3", "WH2"),
    ]  # fmt: skip


def test_codes_of_vouchers_become_marks_and_what_was_printed_of_them_shows_their_end(upgraded):
    tables.known()
    code, at = vouchers.new_code(), dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    book = {"store_id": "S1", "mark": code, "balance_minor": 7, "sale_id": "s", "kind": "gift"}
    paid = [{"tender": "voucher", "reference": code}, {"tender": "cash", "reference": ""}]
    job = {"store_id": "S1", "till_id": "T1", "queued_at": at, "due_at": at, "source_id": "s", "paper": code.encode()}
    receipt = {"vouchers": [{"code": code, "kind": "gift"}], "payments": paid}
    slip = {"code": code, "spoken": vouchers.spoken(code)}
    rows: dict[str, list[dict[str, object]]] = {
        "voucher": [book | {"amount_minor": 9, "issued_at": at, "issued_by": "ana"}],
        "voucher_movement": [
            book | {"id": key, "kind": kind, "amount_minor": minor, "at": at, "actor_id": "ana"}
            for key, kind, minor in (("m1", "issued", 9), ("m2", "redeemed", -2))
        ],
        "print_job": [
            job | {"id": "j1", "kind": "receipt", "document": receipt, "state": "printed"},
            job | {"id": "j2", "kind": "voucher", "document": slip, "state": "expired"},
            job | {"id": "j3", "kind": "receipt", "document": receipt, "state": "queued"},
        ],
    }
    with upgraded.begin() as connection:
        before = _triggers(connection)
        for name, found in rows.items():
            connection.execute(sa.insert(Base.metadata.tables[name]), found)
    migrate.downgrade(upgraded, "0082")
    migrate.upgrade(upgraded)
    with Session(upgraded) as session:
        mark = vouchers.mark_of("S1", code)
        assert session.scalars(sa.select(vouchers.Voucher.mark)).all() == [mark]
        assert session.scalars(sa.select(vouchers.VoucherMovement.mark)).all() == [mark] * 2
        assert vouchers.find(session, "S1", code).balance_minor == 7
        done, shown, waiting = session.scalars(sa.select(PrintJob).order_by(PrintJob.id)).all()
        assert (done.document, done.paper) == (vouchers.masked(receipt), None)
        assert (shown.document, shown.paper) == (vouchers.masked(slip), None)
        assert waiting.document == receipt, "it is still to be printed with its code"
        assert _triggers(session.connection()) == before


def test_shops_without_a_node_are_still_to_be_told_of_recalls_in_force_that_no_node_told_them(upgraded):
    tables.known()
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    rows: dict[str, list[dict[str, object]]] = {
        "region": [{"id": "R", "name": "R"}],
        "store": [
            {"id": store, "name": store, "slug": store, "region_id": "R", "currency": "EUR", "tz": "UTC", "joined_at":
            at,
             "has_node": store == "S1"}
            for store in ("S1", "S2")
        ],
        "tax_class": [{"id": "food", "name": "Food", "rate_bp": 700, "inclusive": True}],
        "product": [{"sku": "tea", "name": "Tea", "category": "tea", "tax_class_id": "food"}],
        "recall": [
            {"store_id": store, "id": state, "sku": "tea", "state": state, "why": "Glass", "called_by": "",
             "called_at": at, "lifted_why": "", "afterwards": "destroy"}
            for store in ("S1", "S2") for state in ("called", "lifted")
        ],
    }  # fmt: skip
    with upgraded.begin() as connection:
        for name, found in rows.items():
            connection.execute(sa.insert(Base.metadata.tables[name]), found)
    migrate.downgrade(upgraded, "0062")
    migrate.upgrade(upgraded)
    with upgraded.connect() as connection:
        reported = connection.execute(
            sa.text("select store_id, state, reported_how from recall order by store_id, state")
        )
        assert [tuple(row) for row in reported] == [
            ("S1", "called", "node"), ("S1", "lifted", "node"), ("S2", "called", ""), ("S2", "lifted", "hand"),
        ]  # fmt: skip


@pytest.mark.parametrize(("node", "owners"), [("S1", ["S1", "*", "*", "S2"]), ("network", ["*", "*", "*", "S2"])])
def test_tax_classes_belong_to_the_network_or_to_the_store_that_added_them(upgraded, node, owners):
    tables.known()
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    classes = [
        {"id": one, "name": one, "rate_bp": 700, "inclusive": True} for one in ("added", "food", "used", "S2:own")
    ]
    with upgraded.begin() as connection:
        connection.execute(sa.insert(Base.metadata.tables["tax_class"]), classes)
        connection.execute(
            sa.insert(Base.metadata.tables["product"]),
            [{"sku": "tea", "name": "Tea", "category": "tea", "tax_class_id": "used", "owner_id": "*"}],
        )
    with Session(upgraded) as session:
        session.add(Node(id=node, epoch="e", born_at=at))
        for key, before in (("added", None), ("food", 700), ("used", None)):
            journal.record(session, actor=Actor.system("t", node), at=at, verb="tax class.set", subject=f"tax:{key}",
                           before_bp=before)  # fmt: skip
        session.commit()
    migrate.downgrade(upgraded, "0086")
    migrate.upgrade(upgraded)
    with upgraded.connect() as connection:
        known = dict(connection.execute(sa.text("select id, owner_id from tax_class")).all())
    assert [known[row["id"]] for row in classes] == owners


UPGRADE = """
import sys
from alembic.runtime.migration import HeadMaintainer
from config import migrate
address, folder, kill_at = sys.argv[1], sys.argv[2], sys.argv[3]
step = HeadMaintainer.update_to_step
def update_to_step(self, one):
    step(self, one)
    if one.to_revisions[0] == kill_at:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
HeadMaintainer.update_to_step = update_to_step
from pathlib import Path
migrate.FOLDER = Path(folder)
migrate.upgrade(address)
"""


def _killed(engine: Engine, at: str) -> int:
    """Upgrade in a process of its own, killed once it has made the tables of a version; returns how it ended."""
    address = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE, address, str(migrate.FOLDER), at],
        check=False, capture_output=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return done.returncode


def test_an_upgrade_killed_at_any_step_leaves_the_version_it_began_with_and_runs_through_the_next_time(alembic_engine):
    migrate.upgrade(alembic_engine, "0060")
    for at in ("0061", "0068", migrate.newest()):
        assert _killed(alembic_engine, at) == -signal.SIGKILL
        assert migrate.current(alembic_engine) == "0060", f"killed at {at}"
        tables_there = set(sa.inspect(alembic_engine).get_table_names())
        assert "upstream_claim" not in tables_there, f"killed at {at}"
    assert migrate.upgrade(alembic_engine) == migrate.newest()
    tables.known()
    assert migrate.check(alembic_engine) is None


@pytest.mark.parametrize(
    "then",
    [
        "raise RuntimeError('a fault in the midst')",
        "op.execute('PRAGMA max_page_count = 1'); op.execute('CREATE TABLE large AS SELECT randomblob(10000000)')",
    ],
    ids=["fault", "full disk"],
)
def test_an_upgrade_that_fails_within_a_migration_leaves_nothing_of_it(upgraded, next_version, then):
    before = set(sa.inspect(upgraded).get_table_names())
    now = migrate.newest()
    next_version(then)
    with pytest.raises((RuntimeError, sa.exc.OperationalError)):
        migrate.upgrade(upgraded)
    upgraded.dispose()
    assert migrate.current(upgraded) == now
    assert set(sa.inspect(upgraded).get_table_names()) == before
    assert "colour" not in {column["name"] for column in sa.inspect(upgraded).get_columns("payment")}

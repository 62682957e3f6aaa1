"""One history of tables for both databases: up, down, and never different from the code."""

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

from config import migrate
from config.database import Base, make_engine, refuse_unsafe
from config.errors import Refused
from config.nodes import append_only
from store_app.runtime import tables
from tests.golden import Golden
from tests.tools.baseline import baseline


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
    """Give the file of a store that was brought up from nothing, made once and closed again."""
    path = tmp_path_factory.mktemp("newest") / "m.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def upgraded(newest, tmp_path) -> Iterator[Engine]:
    """Give a store of today's tables, in a file of its own."""
    engine = make_engine(f"sqlite:///{shutil.copy(newest, tmp_path)}")
    yield engine
    engine.dispose()


def test_the_baseline_makes_today_s_tables(alembic_engine, request):
    update = bool(request.config.getoption("--golden-update"))
    golden = Golden(update, migrate.FOLDER / "baseline")
    golden.check(f"{alembic_engine.dialect.name}.sql", baseline(alembic_engine))


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


def test_an_upgrade_killed_at_any_step_leaves_the_version_it_began_with_and_runs_through_the_next_time(
    alembic_engine, next_version
):
    baseline = migrate.newest()
    next_version()
    for began in (None, baseline):
        if began:
            migrate.upgrade(alembic_engine, began)
        before = set(sa.inspect(alembic_engine).get_table_names())
        for at in ("9999",) if began else (baseline, "9999"):
            assert _killed(alembic_engine, at) == -signal.SIGKILL
            assert migrate.current(alembic_engine) == began, f"killed at {at}"
            assert set(sa.inspect(alembic_engine).get_table_names()) == before, f"killed at {at}"
    assert migrate.upgrade(alembic_engine) == "9999"
    assert {"next_one", "next_two"} <= set(sa.inspect(alembic_engine).get_table_names())


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

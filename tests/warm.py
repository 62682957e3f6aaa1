"""What a run of tests compiles once, as a store that stays open does: statements and templates; and hashes in no time.

SQLAlchemy compiles a statement once for each engine and Jinja a template once for each application; tests open new
ones all the time, and spent half their time there.
"""

from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

STATEMENTS = LRUCache(3000)


class OneSQLite(SQLiteDialect_pysqlite):
    """SQLite, one and the same to whoever looks a compiled statement up."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OneSQLite)

    def __hash__(self) -> int:
        return hash(OneSQLite)

    @classmethod
    def engine_created(cls, engine: sa.Engine) -> None:
        """Let a new engine look among everybody's statements."""
        engine.update_execution_options(compiled_cache=STATEMENTS)


registry.register("sqlite", __name__, OneSQLite.__name__)


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> None:
    """Keep compiled templates for all applications of a run, in all its workers."""
    from flask import Flask
    from jinja2 import FileSystemBytecodeCache

    folder: Path = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent
    kept = folder / "templates"
    kept.mkdir(exist_ok=True)
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(kept))}


@pytest.fixture(scope="session", autouse=True)
def _pins_hashed_in_no_time() -> None:
    """Hash PINs by the same function at its least cost: what every sign-in would wait for guards nobody here."""
    from pos.store import pins

    assert isinstance(pins._hasher, PasswordHasher)
    pins._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

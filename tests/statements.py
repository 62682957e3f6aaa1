"""Statements once compiled stay compiled over all SQLite databases of a run, as they do in a shop that stays open.

SQLAlchemy compiles a statement once for each engine; a test has engines of its own, and spent half its time there.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

KEPT = LRUCache(3000)


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
        engine.update_execution_options(compiled_cache=KEPT)


def keep() -> None:
    """Let every SQLite engine made from now on be of this kind."""
    registry.register("sqlite", __name__, OneSQLite.__name__)

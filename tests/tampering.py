"""What somebody can do who has the database's file in hand: change rows that the program can't."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from config.database import AMENDING, Database
from config.nodes.append_only import unlocked

__all__ = ["thief", "unlocked"]


@contextmanager
def thief(database: Database) -> Iterator[sqlite3.Connection]:
    """Open a database's file beside the program, append-only rows unprotected; commits at the end."""
    with closing(sqlite3.connect(str(database.engine.url.database))) as connection, connection:
        connection.create_function(AMENDING, -1, lambda *_: 1)
        yield connection

"""Alembic's environment: works on the engine or connection it is handed in `attributes["connection"]`."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.engine import Connection

from config.database import Base

OF_WEEKS = {
    ("unique_constraint", "uq_sale_store_id_till_id_epoch_receipt_no"),
    ("index", "ix_sale_id"),
}


def render_type(kind: str, obj: Any, _autogen_context: Any) -> Any:
    """Name the plain column type, not our decorator: a migration must not need today's code."""
    if kind == "type" and isinstance(obj, sa.TypeDecorator):
        return f"sa.{obj.impl_instance!r}"
    return False


def is_compared(_obj: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Leave alone what the network's books by weeks have otherwise: a week's keys must hold its day."""
    return not (context.get_context().dialect.name == "postgresql" and (kind, name) in OF_WEEKS)


def run(connection: Connection) -> None:
    """Run the migrations on one connection; a table that is made anew must not trip over foreign keys."""
    sqlite = connection.dialect.name == "sqlite"
    raw: Any = connection.connection.driver_connection
    if sqlite:
        raw.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_type,
        include_object=is_compared,
        compare_type=True,
        transaction_per_migration=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
        if sqlite and (broken := raw.execute("PRAGMA foreign_key_check").fetchall()):
            raise RuntimeError(f"foreign keys broken by the migration: {broken}")
    finally:
        if sqlite:
            raw.execute("PRAGMA foreign_keys=ON")


given = context.config.attributes["connection"]
if isinstance(given, Connection):
    run(given)
else:
    with given.connect() as opened:
        run(opened)
        if opened.dialect.name == "sqlite":
            opened.rollback()  # within a transaction SQLite is deaf to the next line, and the pool keeps it
            opened.connection.driver_connection.execute("PRAGMA foreign_keys=ON")

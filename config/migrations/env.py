"""Alembic's environment: works on the engine or connection it is handed in `attributes["connection"]`."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.engine import Connection

from config.database import Base
from config.nodes import append_only

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


class Triggers(dict[str, str]):
    """A file's append-only triggers, laid again after each step: a table that is made again loses its own."""

    def after_step(self, ctx: Any, **_: Any) -> None:
        """Lay what a step has lost; a step that took them all off meant it."""
        there = append_only.laid(ctx.connection)
        tables = set(sa.inspect(ctx.connection).get_table_names())
        for name in self.keys() - there.keys() if there else ():
            if self[name].split(" ON ")[1].split()[0] in tables:
                ctx.connection.exec_driver_sql(self[name])
        self.clear()
        self.update(append_only.laid(ctx.connection))


def run(connection: Connection) -> None:
    """Run the migrations on one connection, all in one transaction: a kill leaves the old tables or the new ones.

    A table that is made again must not trip over foreign keys.
    """
    sqlite = connection.dialect.name == "sqlite"
    raw: Any = connection.connection.driver_connection
    triggers = Triggers()
    if sqlite:
        raw.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_type,
        include_object=is_compared,
        compare_type=True,
        transactional_ddl=True,  # SQLite's is, too: our engine begins every transaction itself
        on_version_apply=triggers.after_step if sqlite else (),
    )
    try:
        with context.begin_transaction():
            triggers.update(append_only.laid(connection) if sqlite else {})
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

"""All tables of 0.1.0, as `config/migrations/baseline` has them for each database.

Until 0.1.0 is released the baseline follows the code: change a table, then run
`python3 run test tests/config/test_migrations.py --golden-update`. After the release it stays as it is, and every
change is a migration of its own.

Revision ID: 0001
Revises:
"""

import re
from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FOLDER = Path(__file__).resolve().parents[1] / "baseline"


def upgrade() -> None:
    for statement in _statements():
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if _on_postgres() else statement)


def downgrade() -> None:
    """Drop every table, and with it its rows, triggers and weeks; the caller has kept a copy."""
    for name in reversed(re.findall(r"^CREATE TABLE (\w+) ", "\n".join(_statements()), re.MULTILINE)):
        op.drop_table(name)
    if _on_postgres():
        op.execute("DROP SCHEMA weeks")
        op.execute("DROP FUNCTION append_only")


def _on_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _statements() -> list[str]:
    text = (FOLDER / f"{op.get_bind().dialect.name}.sql").read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n\n") if statement.strip()]

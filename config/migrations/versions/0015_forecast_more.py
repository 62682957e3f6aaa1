"""What a shop's history came to, what a forecast said of the week ahead, and silent shelves.

Revision ID: 0015
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forecast_state",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("measured_day", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_forecast_state")),
    )
    with op.batch_alter_table("forecast_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("measured_day", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("said", sa.JSON(), nullable=True))
    with op.batch_alter_table("forecast_series", schema=None) as batch_op:
        batch_op.add_column(sa.Column("quiet_days", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("forecast_series", schema=None) as batch_op:
        batch_op.drop_column("quiet_days")
    with op.batch_alter_table("forecast_run", schema=None) as batch_op:
        batch_op.drop_column("said")
        batch_op.drop_column("measured_day")
        batch_op.drop_column("version")
    op.drop_table("forecast_state")
